"""Are the judges awake?  Every wrong version of a claim, named or made by the machine, must be found out.

A wrong version is *refuted* if the kernel finds it false at a point (a rule too weak to prove it is no news), and
*killed* if it fails a numerical check, which knows nothing of the kernel.  It is no mistake at all if the kernel proves
it equal to the statement.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from time import perf_counter

from sympy import Expr, sympify

from derivations import Claim
from derivations.calculus.deciding import vanishes
from derivations.mutants import mutants
from derivations.rendering.terminal import inline

from .choosing import claim as claim_called
from .verifying import ERROR, FAIL, examine

NUMERICAL = ("quadrature", "property", "montecarlo")  # who must find out every wrong version without the kernel
JUDGES = ("symbolic", *NUMERICAL)


@dataclass(frozen=True)
class Trial:
    """One wrong version before the judges: the kinds that were asked, and those that found it out.

    ``error`` is the largest error that a numerical check saw in it, relative to the size of what was compared or in
    standard deviations of a score.
    """

    claim: str
    group: str  # named or automatic
    name: str
    formula: str
    asked: tuple[str, ...]
    by: tuple[str, ...]
    equivalent: str | None
    errors: tuple[str, ...]
    seconds: float
    error: float | None = None

    @property
    def killed(self) -> bool:
        """Found out by a numerical kind, if any was asked; the kernel alone kills nothing that numbers let pass."""
        numerical = set(self.asked) - {"symbolic"}
        return bool(set(self.by) & numerical if numerical else self.by)

    @property
    def survives(self) -> bool:
        return not self.killed and self.equivalent is None


@dataclass(frozen=True)
class Task:
    claim: str
    group: str
    kinds: tuple[str, ...]
    seed: int
    thorough: bool = False


def trials(task: Task) -> Iterator[Trial]:
    """Every wrong version of one group of one claim, tried."""
    claim = claim_called(task.claim)
    thorough = task.thorough or task.group == "named"  # of a mistake with a name, every kind is told that finds it out
    for name, wrong in wrong_versions(claim, task.group):
        yield tried(claim, task.group, name, wrong, task.kinds, task.seed, thorough)


def wrong_versions(claim: Claim, group: str) -> Iterator[tuple[str, dict[str, Expr]]]:
    """The mistakes that people make, by their names, or those that the machine makes, by what it did."""
    if group == "named":
        yield from ((name, {p: sympify(f) for p, f in wrong.items()}) for name, wrong in claim.mistakes.items())
        return
    seen: Counter[str] = Counter()
    for mutant in mutants(claim):
        what = f"{mutant.parameter}: {mutant.change}"
        seen[what] += 1
        yield f"{what} {seen[what]}", {mutant.parameter: mutant.formula}


def tried(
    claim: Claim,
    group: str,
    name: str,
    wrong: dict[str, Expr],
    kinds: Iterable[str] = JUDGES,
    seed: int = 0,
    thorough: bool = False,
) -> Trial:
    """What the judges say of a wrong version: the kernel, then the numerical kinds.

    It is enough that the kernel says what it thinks and one numerical kind finds it out; a ``thorough`` trial asks
    them all.
    """
    clock = perf_counter()
    asked: list[str] = []
    by: list[str] = []
    errors: list[str] = []
    seen: list[float] = []

    def ask(kind: str) -> None:
        asked.append(kind)
        for check in examine(claim, kind, seed, wrong):
            if check.verdict == FAIL:
                by.append(kind)
                seen.extend([] if check.error is None else [check.error])
                return
            if check.verdict == ERROR:
                errors.append(f"{kind} {check.name}: {check.detail}")

    marked = [kind for kind in kinds if kind in claim.kinds]
    if "symbolic" in marked:
        ask("symbolic")
    equivalent = None if by else proof_of_equality(claim, wrong)
    if equivalent is None:
        for kind in marked:
            if kind != "symbolic" and (thorough or not set(by) - {"symbolic"}):
                ask(kind)
    formula = ", ".join(f"{p} = {inline(f)}" for p, f in wrong.items())
    verdicts = tuple(asked), tuple(by), equivalent, tuple(errors)
    return Trial(claim.id, group, name, formula, *verdicts, perf_counter() - clock, max(seen, default=None))


def proof_of_equality(claim: Claim, wrong: dict[str, Expr]) -> str | None:
    """Why the wrong version is not wrong, if the kernel can prove it."""
    for parameter, formula in wrong.items():
        if not vanishes(claim.spell(formula) - claim.spell(claim.formulas[parameter])):
            return None
    return "; ".join(
        f"({inline(f)}) − ({inline(claim.formulas[p])}) = 0 for all values of the letters" for p, f in wrong.items()
    )
