"""What is found about a target: a verdict for each property, with what was measured and what was allowed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
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
    """A property, and what was found for it.  ``expected`` is why it is known not to hold, where somebody said so."""

    id: str
    name: str
    kind: str
    claims: tuple[str, ...]
    findings: tuple[Finding, ...]
    seconds: float
    expected: str = ""

    @property
    def verdict(self) -> str:
        return worst(finding.verdict for finding in self.findings)

    @property
    def telling(self) -> Finding:
        """The finding that decides: the worst one, and among equals the one furthest beyond its bound."""
        of_verdict = [finding for finding in self.findings if finding.verdict == self.verdict]
        return max(of_verdict, key=lambda f: (f.measured or 0.0) / (f.bound or 1.0))

    @property
    def smallest(self) -> Finding:
        """The finding that is easiest to see again: with the fewest steps, and among these the first step."""
        of_verdict = [finding for finding in self.findings if finding.verdict == self.verdict]
        number = lambda value: value if isinstance(value, int | float) else float("inf")
        return min(of_verdict, key=lambda f: (number(f.at.get("n")), number(f.at.get("step"))))


@dataclass(frozen=True)
class Report:
    """All that was asked about one target.  ``broken`` is why nothing could be: it could not be loaded.

    ``refused`` tells that its adapter said so, as of something that is no sampler, or needs a library that is missing.
    """

    target: str
    options: dict[str, Any]
    name: str
    outcomes: tuple[Outcome, ...]
    notes: tuple[str, ...] = ()
    planned: int = 0
    seconds: float = 0.0
    broken: str = ""
    refused: bool = False

    def having(self, outcome: Outcome) -> Report:
        """The same with one more outcome."""
        return replace(self, outcomes=(*self.outcomes, outcome), seconds=self.seconds + outcome.seconds)

    @property
    def label(self) -> str:
        """The target with its options, such as diffusers:DDIMScheduler[eta=1]."""
        return spelled(self.target, self.options)

    @property
    def verdict(self) -> str:
        """The worst of what was not expected; what was planned and not run holds no less open than what is unsure."""
        if self.broken:
            return SKIP if self.refused else ERROR
        found = [outcome.verdict for outcome in self.outcomes if not outcome.expected]
        return worst([*found, *[INCONCLUSIVE] * bool(self.not_run)])

    @property
    def not_run(self) -> int:
        return self.planned - len(self.outcomes)

    @property
    def run(self) -> int:
        return sum(outcome.verdict != SKIP for outcome in self.outcomes)

    @property
    def skipped(self) -> int:
        return sum(outcome.verdict == SKIP for outcome in self.outcomes)


def spelled(target: str, options: dict[str, Any]) -> str:
    """A target and its options in a word."""
    return target + (f"[{', '.join(f'{name}={value}' for name, value in options.items())}]" if options else "")


def worst(verdicts: Iterable[str]) -> str:
    """The worst of some verdicts; of none, SKIP."""
    return min(verdicts, key=WORST_FIRST.index, default=SKIP)


def compared(text: str, got: float, expected: float, bound: float, **more: Any) -> Finding:
    """PASS if two numbers are as close as the bound, and otherwise FAIL; what is not a number is not close."""
    apart = abs(got - expected)
    verdict = PASS if apart <= bound else FAIL
    return Finding(verdict, text, float(apart), float(bound), expected=float(expected), got=float(got), **more)
