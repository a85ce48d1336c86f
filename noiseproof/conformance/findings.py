"""What is found about a target: a verdict for each property, with what was measured and what was allowed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

PASS, FAIL, NOTE, INCONCLUSIVE, SKIP, ERROR = "PASS", "FAIL", "NOTE", "INCONCLUSIVE", "SKIP", "ERROR"
WORST_FIRST = (ERROR, FAIL, INCONCLUSIVE, NOTE, PASS, SKIP)  # a property is the worst of what was found for it


@dataclass(frozen=True)
class Finding:
    """One comparison.  ``measured`` is how far off it is, and ``bound`` what can be explained.

    ``at`` says where: n, the step, the option; ``expected`` and ``got`` are the coefficient that is furthest off.
    ``diagnosis`` is one of "table", "update rule", "last step", "option clash", "arithmetic".
    """

    verdict: str
    text: str
    measured: float | None = None
    bound: float | None = None
    at: dict[str, Any] = field(default_factory=dict)
    expected: float | None = None
    got: float | None = None
    diagnosis: str = ""
    reproducer: str = ""


@dataclass(frozen=True)
class Outcome:
    """A property, and what was found for it."""

    id: str
    name: str
    kind: str
    claims: tuple[str, ...]
    findings: tuple[Finding, ...]
    seconds: float

    @property
    def verdict(self) -> str:
        return worst(finding.verdict for finding in self.findings)

    @property
    def telling(self) -> Finding:
        """The finding that decides: the worst one, and among equals the one furthest beyond its bound."""
        of_verdict = [finding for finding in self.findings if finding.verdict == self.verdict]
        return max(of_verdict, key=lambda f: (f.measured or 0.0) / (f.bound or 1.0))


@dataclass(frozen=True)
class Report:
    """All that was asked about one target."""

    target: str
    options: dict[str, Any]
    name: str
    outcomes: tuple[Outcome, ...]
    notes: tuple[str, ...] = ()
    planned: int = 0
    seconds: float = 0.0

    @property
    def verdict(self) -> str:
        return worst(outcome.verdict for outcome in self.outcomes)

    @property
    def run(self) -> int:
        return sum(outcome.verdict != SKIP for outcome in self.outcomes)

    @property
    def skipped(self) -> int:
        return sum(outcome.verdict == SKIP for outcome in self.outcomes)


def worst(verdicts: Iterable[str]) -> str:
    """The worst of some verdicts; of none, SKIP."""
    return min(verdicts, key=WORST_FIRST.index, default=SKIP)


def compared(text: str, got: float, expected: float, bound: float, **more: Any) -> Finding:
    """PASS if two numbers are as close as the bound, and otherwise FAIL; what is not a number is not close."""
    apart = abs(got - expected)
    verdict = PASS if apart <= bound else FAIL
    return Finding(verdict, text, float(apart), float(bound), expected=float(expected), got=float(got), **more)
