r"""A derivation as a reader sees it in a terminal: two-dimensional formulas with the reasons on the right; and formulas in one line."""

from __future__ import annotations

import re

from sympy import Expr

from .latex import Row, laid_out, tex
from .pictures import picture
from .steps import Derivation, Followed, Rule, check


def inline(e: Expr) -> str:
    """An expression in one line of Unicode, for messages and tables."""
    return picture(tex(e), flat=True).rows[0]


def reason(rule: Rule | None) -> str:
    """What the margin says, in Unicode."""
    words = (picture(w, flat=True).rows[0] if re.search(r"[_^\\]", w) else w for w in rule.name.split(" ")) if rule else ()
    return " ".join(words) + " †" * bool(rule and rule.granted)


def on_screen(row: Row) -> int:
    """The width of a row, in columns."""
    return picture(row.latex).columns + (2 + len(reason(row.by)) if row.by else 0)


def to_terminal(derivation: Derivation, done: Followed | None = None, width: int = 100) -> None:
    """Print the derivation; letters are explained where they first occur, and what is taken on trust is listed below."""
    from rich.console import Console
    from rich.text import Text

    console = Console(width=width)
    done = done or check(derivation)
    rows = [*laid_out(done, width, on_screen)]
    airy = any(len(picture(row.latex).rows) > 1 for row in rows)
    console.print(Text((derivation.__doc__ or derivation.__name__).strip().splitlines()[0], "bold"))
    for row in rows:
        drawn = picture(row.latex)
        for i, text in enumerate(drawn.rows):
            margin = reason(row.by).rjust(width - drawn.columns) if row.by and i == drawn.middle else ""
            console.print(Text(text if margin else text.rstrip(), "cyan" * row.explains).append(margin, "dim italic"), no_wrap=True)
        if airy:
            console.print()
    for fact in done.granted:
        console.print(Text(f"† taken on trust: {fact}", "dim"))
