r"""A derivation as a reader sees it in a terminal, with two-dimensional formulas; and formulas in one line."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise

from rich.console import Console
from rich.text import Text
from sympy import Expr

from ..calculus.steps import Derivation, Followed, check
from .formulas import tex
from .latex import Row, laid_out
from .pictures import GREEK as NAMES
from .pictures import Picture, picture


def inline(e: Expr) -> str:
    """An expression in one line of Unicode, for messages and tables."""
    return picture(tex(e), flat=True).rows[0]


GREEK = NAMES.split()
BAR = r"\bar"
LETTER = rf"(?:{'|'.join((*GREEK, 'eps'))})(?:_bar)?(?!-?[A-Za-z])|[^\W\d_](?=[_^])"
INDEX = r"[_^](?:\{[^{}]*\}|[A-Za-z0-9Α-ω]+)"
ATOM = rf"(?:(?<![A-Za-z_\\])(?<![a-z]-)(?:{LETTER})|\)(?=[_^]))(?:{INDEX})*"
SIGNS = ((">=", "≥"), ("<=", "≤"), ("->", "→"), (" - ", " − "), ("Laplace q", "Δq"))


def prose(text: str) -> str:
    """Words in which letters are written as in formulas, whether their names are LaTeX or Python's."""
    words = (picture(word, flat=True).rows[0] if "\\" in word else word for word in text.split(" "))
    text = re.sub(rf"sqrt\(({ATOM})\)", r"√\1", " ".join(words)).replace("sqrt(", "√(")
    text = re.sub(r"√\((\w)\)", r"√\1", text)
    text = re.sub(ATOM, lambda found: letter(found[0]), text)
    text = re.sub(r"(?<![\w)\]-])-(?=[^\W_]|[(√])", "−", text)
    for typed, sign in SIGNS:
        text = text.replace(typed, sign)
    return text


def letter(name: str) -> str:
    """A letter by its Python name: ᾱₜ for alpha_bar_t."""
    latex = re.sub(r"([_^])([^\W_]+)", r"\1{\2}", re.sub(r"^([a-z]+)_bar", r"bar\1", name))
    latex = re.sub(
        rf"(?<![A-Za-z])(bar)?({'|'.join(GREEK)})(?![A-Za-z])", lambda m: f"{(m[1] and BAR) or ''}\\{m[2]}", latex
    )
    return picture(re.sub(r"^eps(?![a-z])", r"\\epsilon", latex), flat=True).rows[0]


def called(name: str) -> str:
    """The name of a formula: a letter if it begins with one, c with an index for c_skip, else as it is typed."""
    return letter(name) if re.fullmatch(ATOM, name) else name


def wrapped(line: str, width: int, indent: str = "    ") -> list[str]:
    """A formula in lines of this width, broken before a sign that stands outside all brackets, if there is one."""
    found = [line]
    for depth, signs in ((0, ""), (0, "+−"), *((depth, "+−=≤≥") for depth in range(4))):
        first, *others = pieces(line, depth, signs)
        found = [first]
        for piece in others:
            together = found[-1] + piece
            found = [*found[:-1], together] if fits(together, width) else [*found, indent + piece.lstrip()]
        if all(fits(row, width) for row in found):
            break
    return [row.rstrip() for row in found]


def fits(line: str, width: int) -> bool:
    return Picture((line.rstrip(),)).columns <= width


def pieces(line: str, depth: int, signs: str) -> list[str]:
    """The line in pieces that begin with one of the signs or follow a comma, inside so many brackets at most."""
    inside, ends = 0, [0]
    for i, c in enumerate(line):
        inside += (c in "([{") - (c in ")]}")
        sign = line[i : i + 3].strip() in {*signs} and c == " " and line[:i].strip()
        if inside <= depth and (sign or line[i - 1 : i + 1] in (", ", "; ")):
            ends.append(i + 1)
    return [line[i:j] for i, j in pairwise([*ends, len(line)])]


def told(console: Console, words: Text, by: int = 0) -> None:
    """Words that keep their indent in further lines, without blanks behind them."""
    for row in words.wrap(console, console.width - by):
        row.rstrip()
        console.print(Text(" " * by).append_text(row), soft_wrap=True)


def margin(row: Row) -> str:
    return "  " + prose(row.by.name) + " †" * bool(row.by.granted) if row.by else ""


def on_screen(row: Row) -> int:
    """The width of a row, in columns."""
    return picture(row.latex).columns + len(margin(row))


def to_terminal(derivation: Derivation, done: Followed | None = None, width: int = 100) -> None:
    """Print the derivation, reasons on the right, letters where they first occur, and below what is taken on trust."""
    console = Console(width=width)
    done = done or check(derivation)
    rows = [*laid_out(done, width, on_screen)]
    airy = any(len(picture(row.latex).rows) > 1 for row in rows)
    said = prose((derivation.__doc__ or "").strip().partition("\n")[0])
    told(console, Text.assemble((said, "bold"), "  " * bool(said), (derivation.__name__, "dim")))
    for row in rows:
        flat = picture(row.latex).columns > width  # what is too wide is written in lines that wrap
        drawn = picture(row.latex, flat)
        drawn = replace(drawn, rows=tuple(wrapped(drawn.rows[0], width))) if flat else drawn
        for i, text in enumerate(drawn.rows):
            reason = margin(row).rjust(width - drawn.columns) if row.by and i == drawn.middle else ""
            line = Text(text if reason else text.rstrip(), "cyan" if row.explains else "")
            console.print(line.append(reason, "dim italic"))
        if airy:
            console.print()
    for fact in done.granted:
        told(console, Text(f"† taken on trust: {prose(fact)}", "dim"))
