r"""A derivation as a reader sees it in a terminal, with two-dimensional formulas; and formulas in one line."""

from __future__ import annotations

import re

from sympy import Expr

from ..calculus.steps import Derivation, Followed, check
from .formulas import tex
from .latex import NAME, Row, laid_out
from .pictures import picture


def inline(e: Expr) -> str:
    """An expression in one line of Unicode, for messages and tables."""
    return picture(tex(e), flat=True).rows[0]


def prose(text: str) -> str:
    """Words in which the LaTeX names of letters are written in Unicode."""
    return " ".join(picture(word, flat=True).rows[0] if re.search(NAME, word) else word for word in text.split(" "))


def margin(row: Row) -> str:
    return "  " + prose(row.by.name) + " †" * bool(row.by.granted) if row.by else ""


def on_screen(row: Row) -> int:
    """The width of a row, in columns."""
    return picture(row.latex).columns + len(margin(row))


def to_terminal(derivation: Derivation, done: Followed | None = None, width: int = 100) -> None:
    """Print the derivation, reasons on the right, letters where they first occur, and below what is taken on trust."""
    from rich.console import Console
    from rich.text import Text

    console = Console(width=width)
    done = done or check(derivation)
    rows = [*laid_out(done, width, on_screen)]
    airy = any(len(picture(row.latex).rows) > 1 for row in rows)
    console.print(Text(prose((derivation.__doc__ or derivation.__name__).strip().splitlines()[0]), "bold"))
    for row in rows:
        flat = picture(row.latex).columns > width  # what is too wide is written in lines that wrap
        drawn = picture(row.latex, flat)
        for i, text in enumerate(drawn.rows):
            reason = margin(row).rjust(width - drawn.columns) if row.by and i == drawn.middle else ""
            line = Text(text if reason else text.rstrip(), "cyan" if row.explains else "")
            console.print(line.append(reason, "dim italic"))
        if airy:
            console.print()
    for fact in done.granted:
        console.print(Text(f"† taken on trust: {fact}", "dim"))
