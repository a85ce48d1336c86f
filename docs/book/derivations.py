"""A derivation line by line: relations below one another, reasons in the margin, and where wrong versions break it."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from html import escape

import sympy as sp

from derivations import Claim, claims
from derivations.calculus.steps import Derivation, Followed, Let, Rule, Step, page_of
from derivations.rendering.latex import NEXT, TEXT_BLOCK, Row, laid_out, on_paper
from derivations.rendering.terminal import prose

from .katex import render
from .languages import Language, html


@dataclass
class Line:
    """One displayed line: its formula, the reason in its margin, which step it ends, and what explains a letter."""

    latex: str
    by: Rule | None = None
    explains: bool = False
    step: int = 0  # 0 for what is only a part of a step


def stated(derivation: Derivation) -> Followed:
    """A derivation as its page states it, not judged again."""
    done = Followed(derivation.__name__, sp.S.Zero, where=page_of(derivation)[0])
    begun = False
    for line in derivation():
        if isinstance(line, Let):
            done.where[line.letter] = line.meaning
        elif not isinstance(line, Step):
            done.start, begun = sp.sympify(line), True
            continue
        if begun or isinstance(line, Let):
            done.lines.append(line)
    return done


def caption(derivation: Derivation) -> str:
    """What a derivation says, in a sentence."""
    return " ".join((inspect.getdoc(derivation) or "").partition("\n\n")[0].split())


def set_out(done: Followed) -> tuple[str, bool, list[Line]]:
    """The left side, whether the first line follows it in one row, and the lines."""
    start, *rows = laid_out(done, TEXT_BLOCK, on_paper)
    short = bool(rows) and not rows[0].explains and on_paper(start) + max(map(on_paper, rows)) <= TEXT_BLOCK
    return start.latex.removeprefix(NEXT).strip(), short, [*numbered(rows)]


def numbered(rows: Iterable[Row]) -> Iterator[Line]:
    """Rows as lines; a reason that had no room beside its formula joins it again, since a page can wrap it."""
    waiting: Line | None = None
    step = 0
    for row in rows:
        step += row.by is not None
        if waiting and row.latex:
            yield waiting
        if row.by:
            yield Line(row.latex or waiting.latex if waiting else row.latex, row.by, row.explains, step)
        waiting = None if row.by else Line(row.latex, None, row.explains)
    if waiting:
        yield waiting


SIGN = re.compile(rf"({re.escape(NEXT)}|=|<|>|\\le|\\ge|\\longrightarrow)(?![A-Za-z]) *")


FURTHER = re.compile(r"^(\\quad )([+-])")  # the sign of a line that goes on stands between two terms
Broken = Mapping[int, Sequence[tuple[str, str]]]


def as_html(derivation: Derivation, language: Language, broken: Broken, anchor: str = "") -> str:
    """The lines of a derivation; ``broken`` names the mistakes, with their anchors, that break at each step."""
    start, short, lines = set_out(stated(derivation))
    rows = [] if short else [f'<div class="line">{cell("lhs", start)}</div>']
    for k, line in enumerate(lines):
        kind = " explains" if line.explains else ""
        left = cell("lhs", start) if short and k == 0 else ""
        sign = SIGN.match(line.latex)
        relation = cell("rel", sign[1]) if sign and sign[1] != NEXT else ""
        told = line.latex.replace(r"\text{with }", rf"\text{{{language['with']} }}") if line.explains else line.latex
        right = cell("rhs", FURTHER.sub(r"\1{}\2", told[sign.end() :] if sign else told))
        margin = f'<div class="by">{because(line.by, language)}</div>' if line.by else ""
        if line.step in broken:
            wrong = (f'<a class="breaks" href="#{to}">{escape(name)}</a>' for name, to in broken[line.step])
            margin += f'<div class="breaking">{"".join(wrong)}</div>'
        rows.append(f'<div class="line{kind}">{left}{relation}{right}{margin}</div>')
    kind, place = "short" if short else "long", f' id="{anchor}"' * bool(anchor)
    return f'<div class="lines {kind}"{place}>\n' + "\n".join(rows) + "\n</div>"


@cache
def printed() -> dict[Derivation, Claim]:
    """Under which claim a derivation is printed first."""
    return {d: claim for claim in reversed(claims().values()) for d in claim.proved_by}


def because(rule: Rule, language: Language) -> str:
    """A reason; one that cites a derivation leads there, and one that is printed nowhere says what it says."""
    said = html(language.reason(rule))
    for cited in rule.rests_on:
        if cited in printed():
            return f'<a href="{language.place(printed()[cited])}--{cited.__name__}">{said}</a>'
        if words := caption(cited):
            return f'<span title="{escape(prose(words))}">{said}</span>'
    return said


def cell(name: str, latex: str) -> str:
    return f'<div class="{name}">{render(latex, display=True).html}</div>'
