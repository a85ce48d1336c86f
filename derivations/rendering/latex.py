r"""A derivation as a reader sees it on paper: an ``align*`` with the reasons on the right, in a text block of 16 cm.

A long left side gets a line of its own; where a line and its reason are too wide together, the reason moves below; as a
last resort a sum or product is broken.  Letters introduced by ``let`` are explained where they first occur.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import sympy as sp
from sympy import Expr

from ..calculus.steps import Derivation, Followed, Let, Rule, Step, check
from .formulas import pieces, tex
from .pictures import GREEK, picture

# ---------------------------------------------------------------- lines

TEXT_BLOCK = 41.5  # 16 cm at 11 pt, in ems
NEXT = r"\phantom{=}\;"
RELATIONS = {"<=": r"\le", ">=": r"\ge", "->": r"\longrightarrow", "~": "="}


@dataclass(frozen=True)
class Row:
    """A row of a page: a formula, the reason in its margin, and whether it explains a letter."""

    latex: str
    by: Rule | None = None
    explains: bool = False


Wide = Callable[[Row], float]


def lines(done: Followed) -> Iterator[tuple[Step | None, Expr, list[Let]]]:
    """Each line of a derivation, with the letters that occur in it for the first time."""
    letters = lambda e: e.atoms(sp.Symbol, sp.MatrixSymbol)
    lets = [line for line in done.lines if isinstance(line, Let)]
    for step in (None, *done.steps):
        e = step.rhs if step else done.start
        new, seen = [], letters(e)
        while fresh := [g for g in lets if g.letter in seen]:
            lets = [g for g in lets if g not in fresh]
            new += fresh
            seen = set().union(*(letters(g.meaning) for g in fresh))
        yield step, e, new


def laid_out(done: Followed, room: float, wide: Wide) -> Iterator[Row]:
    """The rows of a derivation, none wider than there is room for if that can be helped."""
    orders: dict[Expr, int] = {}  # a remainder stays to the end
    for step, e, lets in lines(done):
        lead = RELATIONS.get(step.relation, step.relation) if step else NEXT
        if step and step.relation == "~":
            letter, _, order = step.near
            orders[letter] = min(int(order), orders.get(letter, int(order)))
        *above, last = broken(lead, e, tail(step, orders), room, wide)
        yield from map(Row, above)
        whole = Row(last, step.by if step else None)
        yield from [whole] if wide(whole) <= room else [Row(last), Row("", whole.by)] if step else [whole]
        yield from explained(lets, room, wide)


def tail(step: Step | None, orders: dict[Expr, int]) -> str:
    """What follows the right side: the remainders of this line or of one above it, and the way to a limit."""
    remainders = "".join(rf" + O({tex(letter**order)})" for letter, order in orders.items())
    if step is None or step.relation != "->":
        return remainders
    letter, target, _ = step.near
    return rf"{remainders} \quad ({tex(letter)} \to {tex(target)})"


def broken(lead: str, e: Expr, end: str, room: float, wide: Wide) -> list[str]:
    """A line as one row if it fits, else broken before the signs of its terms, or between factors."""
    whole = f"{lead} {tex(e)}{end}"
    if wide(Row(whole)) <= room or len(pieces(e)) == 1:
        return [whole]
    first, *others = pieces(e)
    rows = [f"{lead} {first}"]
    for piece in (*others[:-1], others[-1] + end):
        together = f"{rows[-1]} {piece}"
        rows = [*rows[:-1], together] if wide(Row(together)) <= room else [*rows, rf"{NEXT}\quad {piece}"]
    return rows


def explained(lets: list[Let], room: float, wide: Wide) -> list[Row]:
    """Letters explained below their line, as many in a row as fit."""
    rows: list[Row] = []
    for g in lets:
        meaning = f"{tex(g.letter)} = {tex(g.meaning)}"
        together = Row(rf"{rows[-1].latex},\quad {meaning}" if rows else "", explains=True)
        alone = Row(rf"{NEXT} \text{{with }} {meaning}", explains=True)
        rows = [*rows[:-1], together] if rows and wide(together) <= room else [*rows, alone]
    return rows


# ---------------------------------------------------------------- pages

UNICODE = {"≤": r"\le", "≥": r"\ge", "−": "-", "√": r"\surd", "∂": r"\partial", "|": r"\mid", "→": r"\to"}
UNICODE |= {"‖": r"\|", "ε": r"\epsilon", "²": "^2", "ᵀ": r"^\top", "₀": "_0", "₁": "_1", "ₜ": "_t", "∞": r"\infty"}
UNICODE |= {"<": "<", ">": ">"}
ACCENTS = {"\u0304": r"\bar", "\u0303": r"\tilde", "\u0302": r"\hat"}
NAME = r"\\|_\{|\^|\b[^\W\d_]_\w\b"  # how a word that is the LaTeX name of a letter is known
LATIN = r"(?<![\w'’])(?:[b-zA-Z](?![a-zA-Z])|a(?=[,)]))"  # an article is not a letter
LETTER = rf"(?:{LATIN}|[Α-ω{''.join(UNICODE)}])[{''.join(ACCENTS)}]?"


def reason(rule: Rule) -> str:
    """What the margin says: a letter of the page is set as mathematics, whether its name is LaTeX or Unicode."""

    def letter(found: re.Match) -> str:
        base, *accents = found[0]
        greek = re.fullmatch(r"GREEK (SMALL|CAPITAL) LETTER (\w+)", unicodedata.name(base))
        name = "\\" + (greek[2].lower() if greek[1] == "SMALL" else greek[2].title()) if greek else base
        return f"${''.join(ACCENTS[a] for a in accents)}{UNICODE.get(base, name)}$"

    words = (rf"\{w}" if w in GREEK.split() else w for w in unicodedata.normalize("NFD", rule.name).split(" "))
    words = (f"${w}$" if re.search(NAME, w) else re.sub(LETTER, letter, w) for w in words)
    return unicodedata.normalize("NFC", " ".join(words)).replace("$$", "") + r"\,$^\dagger$" * bool(rule.granted)


def on_paper(row: Row) -> float:
    """An estimate of the width of a row, in ems."""
    return picture(row.latex).em + (1.5 + 0.4 * len(row.by.name) if row.by else 0)


def to_latex(derivation: Derivation, done: Followed | None = None) -> str:
    """The derivation as an aligned display: reasons on the right, letters explained where they first occur."""
    done = done or check(derivation)
    start, *rows = laid_out(done, TEXT_BLOCK, on_paper)
    short = not rows[0].explains and on_paper(start) + max(map(on_paper, rows)) <= TEXT_BLOCK
    texts = [f"& {row.latex}" + (rf" \tag*{{\footnotesize {reason(row.by)}}}" if row.by else "") for row in rows]
    texts = [f"{tex(done.start)} {texts[0]}", *texts[1:]] if short else [f"& {start.latex}", *texts]
    return "\\begin{align*}\n" + " \\\\\n".join(texts) + "\n\\end{align*}"
