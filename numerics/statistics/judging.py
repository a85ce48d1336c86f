"""Judging a check: hand it formulas, examine its atoms one by one.

A *check* is a plain generator function.  Its keyword arguments are the formulas under test; it yields atoms and knows no formula
of its own.  The truth, a mistake and somebody else's code go through the same door.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from time import perf_counter
from typing import Any

from .atoms import Atom
from .formulas import under_test
from .sequential import FAIL, INCONCLUSIVE, PASS, SKIP, Finding

Check = Callable[..., Iterable[Any]]
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

    @property
    def verdict(self) -> str:
        """PASS, FAIL, INCONCLUSIVE, or SKIP if nothing was examined."""
        return together(a.verdict for a in self.atoms)

    @property
    def kinds(self) -> dict[str, list[Examined]]:
        """The atoms, by kind."""
        return {kind: [a for a in self.atoms if a.kind == kind] for kind in dict.fromkeys(a.kind for a in self.atoms)}

    @property
    def refuted_by(self) -> list[str]:
        """The kinds that found the formulas wrong."""
        return [kind for kind, atoms in self.kinds.items() if together(a.verdict for a in atoms) == FAIL]

    @property
    def detail(self) -> str:
        """The sentence of the first atom that decided the verdict."""
        return next((f"{a.kind} {a.name}: {a.finding.detail}" for a in self.atoms if a.verdict == self.verdict), "no atom was examined")


def together(verdicts: Iterable[str]) -> str:
    """One failure fails; one doubt leaves doubt; nothing examined is SKIP."""
    seen = set(verdicts)
    return next((v for v in (FAIL, INCONCLUSIVE, PASS) if v in seen), SKIP)


def judge(check: Check, formulas: Mapping[str, Callable[..., Any]], seed: int = 0, kinds: Collection[str] | None = None,
          claim: str | None = None) -> Report:
    """Walk a check, with these formulas, to its end; examine its atoms of these kinds, all if none are named.

    Raises FormulaError if a formula raises: that is no refutation.
    """
    return Report(claim or check.__name__, tuple(examine(check, formulas, seed, kinds, claim)))


def examine(check: Check, formulas: Mapping[str, Callable[..., Any]], seed: int = 0, kinds: Collection[str] | None = None,
            claim: str | None = None) -> Iterator[Examined]:
    """The atoms of a check, each as soon as it has been examined.

    If the check has none of the kinds asked for, each of these kinds is a SKIP with its reason.
    """
    claim, none, had = claim or check.__name__, True, set()
    for number, atom in enumerate(atoms_of(check, formulas), 1):
        had.add(atom.kind)
        if kinds is not None and atom.kind not in kinds:
            continue
        none, clock = False, perf_counter()
        finding = atom.examine(seed, claim, str(number))
        yield Examined(getattr(atom, "name", "") or str(number), atom.kind, finding, perf_counter() - clock)
    if none:
        has = f"it has {', '.join(sorted(had))}" if had else "it is empty"
        for kind in kinds or WITHOUT_CHANCE:
            yield Examined("", kind, Finding(SKIP, 0, f"the check {check.__name__} has no {kind} atoms; {has}"), 0.0)


def atoms_of(check: Check, formulas: Mapping[str, Callable[..., Any]]) -> Iterator[Atom]:
    """The atoms of a check, unexamined."""
    for number, atom in enumerate(check(**{name: under_test(f, name) for name, f in formulas.items()}), 1):
        if not isinstance(atom, Atom):
            raise TypeError(f"the check {check.__name__} yields, as number {number}, {atom!r}, which is no atom; "
                            "a statement goes into for_all(...)(statement)")
        yield atom


def sampled_atoms(check: Check, formulas: Mapping[str, Callable[..., Any]]) -> int:
    """How many atoms of a check depend on chance: each has its share of the false alarms of the whole suite."""
    return sum(atom.kind not in WITHOUT_CHANCE for atom in atoms_of(check, formulas))
