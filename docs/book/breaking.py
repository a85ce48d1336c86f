"""Where wrong versions break: each named mistake, followed through the derivations of its claim to the line that fails.

A derivation is followed by the calculus itself, with the wrong formula in the place of its own; it is only remembered
which lines it had yielded by then.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from sympy import Expr, sympify

from derivations import Claim, claims
from derivations.calculus import Refuted, Rejected, check
from derivations.calculus.steps import Derivation, Step, parameters
from derivations.rendering.formulas import tex

from .words import in_mathematics

LONG = 400  # characters of LaTeX, beyond which a side is not kept
NUMBER = r"[-+]?(?:\d+\.?\d*(?:e[-+]?\d+)?|inf|nan)"
TWO_SIDES = re.compile(rf"(?:at (?P<at>.*): )?left = (?P<left>{NUMBER}), right = (?P<right>{NUMBER})$")
GAP = re.compile(r"the gap at (?P<letter>\S+) = (?P<near>.*) is (?P<gap>[^:]*): ")
HELD = "holds"  # no derivation sees the mistake: the numbers do


@dataclass(frozen=True)
class Break:
    """A wrong version at the line that it breaks: what is compared there, and how it is refused.

    ``refusal`` is Refuted, with the values of both sides at a point, or, for a limit or an order, the gap that should
    vanish; Unproved; Undefined; or "holds" if the derivations do not see the mistake.  ``by`` are the numerical kinds
    that found it out.
    """

    derivation: str
    step: int  # 0 for the first line
    relation: str
    left: str  # LaTeX, in the letters of the page
    right: str
    refusal: str
    says: str  # the reason, in a few words
    at: Mapping[str, float] = field(default_factory=dict)  # the point, by the LaTeX of its letters
    values: tuple[float, float] | None = None
    gap: tuple[float, ...] = ()  # at smaller and smaller distances
    by: tuple[str, ...] = ()

    @property
    def breaks(self) -> bool:
        return self.refusal != HELD

    def told(self, language: Any) -> str:
        """What is seen at the line, and who else has found it out, as prose with formulas between dollars."""
        parts = [self.seen(language)]
        if kinds := [language[kind] for kind in self.by]:
            *most, last = kinds
            listed = language["and"].join([language["comma"].join(most), last] if most else [last])
            parts.append(language.say("found", kinds=listed))
        return language["semicolon"].join(part for part in parts if part)

    def seen(self, language: Any) -> str:
        """Both sides at the point, the gap that stays, or why the line cannot be judged."""
        if self.values:
            left, right = (f"${decimal(value)}$" for value in told_apart(*self.values))
            at = language["comma"].join(f"${letter} = {decimal(value)}$" for letter, value in self.at.items())
            return language.say("sides", left=left, right=right) + (language.say("at", at=at) if at else "")
        if self.gap:
            return language.say("gap", sizes=language["comma"].join(f"${decimal(size)}$" for size in self.gap))
        return language["unproved"] if self.refusal == "Unproved" else in_mathematics(self.says)


def told_apart(left: float, right: float) -> tuple[float, float]:
    """Both numbers with as few digits as still tell them apart, and four at least."""
    for digits in range(4, 17):
        short = float(f"{left:.{digits}g}"), float(f"{right:.{digits}g}")
        if abs(short[0] - short[1]) >= abs(left - right) / 2 > 0:
            return short
    return left, right


def decimal(value: float) -> str:
    """A number in LaTeX, with a power of ten where it has one."""
    mantissa, _, exponent = (f"{value:.10g}" if abs(value) < 1e6 else f"{value:.9e}").partition("e")
    if not exponent:
        return mantissa.replace("inf", r"\infty")
    short = mantissa.rstrip("0").rstrip(".") if "." in mantissa else mantissa
    return rf"{short} \cdot 10^{{{int(exponent)}}}"


class Remembered:
    """A derivation that remembers the lines that it has yielded."""

    def __init__(self, derivation: Derivation) -> None:
        self.derivation = derivation
        self.lines: list[Any] = []
        self.__name__ = derivation.__name__
        self.__globals__ = getattr(derivation, "__globals__", {})  # the page: its abbreviations, and its world
        self.__signature__ = inspect.signature(derivation)

    def __call__(self, **formulas: Expr) -> Iterator[Any]:
        for line in self.derivation(**formulas):
            self.lines.append(line)
            yield line


def followed(derivation: Derivation, wrong: Mapping[str, Expr]) -> Break:
    """A derivation, followed with these formulas for its own, to its end or to the line that fails."""
    remembered = Remembered(derivation)
    try:
        check(remembered, **wrong)
    except Rejected as refusal:
        return broken(remembered, refusal)
    return Break(derivation.__name__, 0, "", "", "", HELD, "")


def broken(remembered: Remembered, refusal: Rejected) -> Break:
    """The last line that was yielded, and what is said of it."""
    steps = [line for line in remembered.lines if isinstance(line, Step)]
    start = next((sympify(line) for line in remembered.lines if isinstance(line, Expr)), None)
    first, *_, last = str(refusal).splitlines() * 2  # the last one is the testimony of the witness
    says = re.sub(r"^step \d+ ", "", first)
    at: dict[str, float] = {}
    values, gap = None, ()
    if isinstance(refusal, Refuted) and (found := TWO_SIDES.search(last)):
        at = point(found["at"] or "")
        values = float(found["left"]), float(found["right"])
    elif isinstance(refusal, Refuted) and (found := GAP.search(last)):
        gap = tuple(map(float, found["gap"].split(", ")))
        says = f"{says}: {last.rpartition(': ')[2]}"
    step = steps[-1] if steps else None
    before = steps[-2].rhs if len(steps) > 1 else start
    left, right = (side(before), side(step.rhs)) if step else (side(start), "")
    relation = step.relation if step else ""
    name = type(refusal).__name__
    return Break(remembered.__name__, len(steps), relation, left, right, name, says, at, values, gap)


def side(e: Expr | None) -> str:
    """A side of the line, if it is not too long to be shown."""
    latex = "" if e is None else tex(e)
    return latex if len(latex) <= LONG else ""


def point(at: str) -> dict[str, float]:
    """The letters of a point that are numbers, by their names, which are LaTeX; of a matrix only its name is known."""
    parts = re.split(r", (?=[^\s,\]]+(?: [^\s,=\]]+)* = )", at)
    pairs = (part.rsplit(" = ", 1) for part in parts if part)
    return {name: float(value) for name, value in pairs if re.fullmatch(NUMBER, value) and not name.startswith("_")}


def where(claim: Claim, mistake: str) -> Break:
    """The first line that the mistake makes false; else the first that it leaves unproved or undefined."""
    wrong = {name: sympify(formula) for name, formula in claim.mistakes[mistake].items()}
    found = []
    for derivation in claim.proved_by:
        mine = {name: wrong[name] for name in parameters(derivation) if name in wrong}
        if mine:
            found.append(followed(derivation, mine))
            if found[-1].refusal == "Refuted":
                return found[-1]
    return next((one for one in found if one.breaks), found[0])


def all_of(id: str) -> tuple[str, dict[str, dict[str, Any]]]:
    """Every named mistake of a claim as plain data: what a process hands to another."""
    found = {name: asdict(where(claims()[id], name)) for name in claims()[id].mistakes}
    return id, {name: {key: value for key, value in one.items() if key != "by"} for name, one in found.items()}


def everywhere(ids: Iterable[str], workers: int) -> dict[str, dict[str, dict[str, Any]]]:
    """Where each mistake of these claims breaks."""
    from concurrent.futures import ProcessPoolExecutor

    with ProcessPoolExecutor(workers) as pool:
        return dict(pool.map(all_of, ids))
