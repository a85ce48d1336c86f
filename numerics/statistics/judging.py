"""Judging a check: hand it formulas, examine its atoms one by one.

A *check* is a plain generator function.  Its keyword arguments are the formulas under test; it yields atoms and knows
no formula of its own.  The truth, a mistake and somebody else's code go through the same door.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from time import perf_counter
from typing import Any

from .atoms import Atom, Run
from .formulas import under_test
from .sequential import FAIL, INCONCLUSIVE, PASS, SKIP, Finding

Check = Callable[..., Iterable[Any]]
Formulas = Mapping[str, Callable[..., Any]]

WITHOUT_CHANCE = ("quadrature", "property")


@dataclass(frozen=True)
class Examined:
    """An atom with what was found.  Its name is the one its check gave it, or else its number."""

    name: str
    kind: str
    finding: Finding
    seconds: float

    @property
    def verdict(self) -> str:
        return self.finding.verdict


@dataclass(frozen=True)
class Report:
    """Everything that was examined of one check."""

    claim: str
    atoms: tuple[Examined, ...]
    skipped: str = ""  # why, if nothing was examined

    @property
    def verdict(self) -> str:
        """PASS, FAIL, INCONCLUSIVE, or SKIP if nothing was examined."""
        return together(a.verdict for a in self.atoms)

    @property
    def detail(self) -> str:
        """The sentence of the first atom that decided the verdict."""
        deciding = (f"{a.name}: {a.finding.detail}" for a in self.atoms if a.verdict == self.verdict)
        return next(deciding, self.skipped)

    @property
    def kinds(self) -> dict[str, list[Examined]]:
        """The atoms, by kind."""
        return {kind: [a for a in self.atoms if a.kind == kind] for kind in dict.fromkeys(a.kind for a in self.atoms)}

    @property
    def refuted_by(self) -> list[str]:
        """The kinds that found the formulas wrong."""
        return [kind for kind, atoms in self.kinds.items() if together(a.verdict for a in atoms) == FAIL]


def together(verdicts: Iterable[str]) -> str:
    """One failure fails; one doubt leaves doubt; nothing examined is SKIP."""
    seen = set(verdicts)
    return next((v for v in (FAIL, INCONCLUSIVE, PASS) if v in seen), SKIP)


def judge(
    check: Check, formulas: Formulas, seed: int = 0, kinds: Collection[str] | None = None, claim: str | None = None
) -> Report:
    """Walk a check, with these formulas, to its end; examine its atoms of these kinds, all if none are named.

    Raises FormulaError if a formula raises: that is no refutation.
    """
    atoms = tuple(examine(check, formulas, seed, kinds, claim))
    wanted = "no atoms" if kinds is None else f"no atoms of the kind {' or '.join(_listed(kinds))}"
    return Report(claim or check.__name__, atoms, "" if atoms else f"the check {check.__name__} has {wanted}")


def examine(
    check: Check, formulas: Formulas, seed: int = 0, kinds: Collection[str] | None = None, claim: str | None = None
) -> Iterator[Examined]:
    """The atoms of a check, each as soon as it has been examined; none, if it has none of these kinds.

    The claim names the random streams; if it is not given, the name of the check does.  A stream is that of the atom's
    number among all atoms, so it does not depend on the kinds that are asked for.
    """
    claim, wanted = claim or check.__name__, _listed(kinds)
    for number, atom in enumerate(atoms_of(check, formulas), 1):
        if kinds is None or atom.kind in wanted:
            clock = perf_counter()
            finding = atom.examine(seed, claim, str(number))
            yield Examined(getattr(atom, "name", "") or str(number), atom.kind, finding, perf_counter() - clock)


def _listed(kinds: Collection[str] | None) -> list[str]:
    return [kinds] if isinstance(kinds, str) else list(kinds or ())


def atoms_of(check: Check, formulas: Formulas) -> Iterator[Atom]:
    """The atoms of a check, unexamined.  Raises TypeError if it yields anything else."""
    ready = {name: under_test(f, name) for name, f in formulas.items()}
    for number, atom in enumerate(check(**ready), 1):
        if not isinstance(atom, Atom):
            what = f"the check {check.__name__} yields {atom!r} as number {number}, which is no atom"
            raise TypeError(f"{what}; a statement goes into for_all(...)(statement)")
        yield atom


def sampled_atoms(check: Check, formulas: Formulas) -> int:
    """How many atoms of a check depend on chance: each has its share of the false alarms of the whole suite."""
    judged = (atom.atom if isinstance(atom, Run) else atom for atom in atoms_of(check, formulas))
    return sum(atom.kind not in WITHOUT_CHANCE for atom in judged)
