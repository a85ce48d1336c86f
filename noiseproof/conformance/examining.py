"""All properties of one target, one after another."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ..verifying import described
from . import reproducer
from .findings import ERROR, FAIL, SKIP, Finding, Outcome, Report
from .properties import Property, properties
from .subject import STEPS, NoReference, Subject
from .target import SECONDS, AboutTheTarget, Target, plain


def examined(
    spec: str,
    options: dict[str, Any] | None = None,
    steps: Sequence[int] = STEPS,
    seconds: float = SECONDS,
    wanted: Sequence[Property] | None = None,
) -> Report:
    """Every property of one target, or those wanted, one after another.

    Raises AboutTheTarget if it cannot even be loaded.
    """
    wanted = properties() if wanted is None else tuple(wanted)
    with Examination(Target(spec, dict(options or {}), seconds), steps) as examination:
        report, *outcomes = examination.of(wanted)
    assert isinstance(report, Report)
    for each in outcomes:
        report = report.having(each)  # type: ignore[arg-type]
    return report


class Examination:
    """A target that is there to be asked, one property after another.  Leave it by ``close``."""

    def __init__(self, target: Target, steps: Sequence[int] = STEPS) -> None:
        self.target, self.subject = target, Subject(target, steps)
        self.close = target.close

    def __enter__(self) -> Examination:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def of(self, wanted: Sequence[Property]) -> Iterator[Report | Outcome]:
        """A report of nothing, and the outcomes as they come."""
        yield self.begun(len(wanted))
        yield from map(self.outcome, wanted)

    def begun(self, planned: int) -> Report:
        """What is known before anything is asked."""
        target, claims = self.target, self.target.claims
        notes = tuple(line(note) for note in (*claims.off, *claims.notes))
        return Report(target.spec, target.options, line(claims.name), (), notes, planned)

    def outcome(self, property: Property) -> Outcome:
        self.target.again()
        found = outcome(property, self.subject)
        if found.verdict != FAIL:
            return found
        self.target.again()
        return shown(found, self.subject)


def outcome(property: Property, subject: Subject) -> Outcome:
    """What is found for one property; what goes wrong in the target is said about the target."""
    began, found = time.monotonic(), []
    try:
        why = property.concerns(subject)
        with np.errstate(all="ignore"):  # what is not a number is close to none
            for finding in [Finding(SKIP, why)] if why else property.ask(subject):
                found.append(cleaned(finding))  # one by one: what was found stays found, whatever comes after it
    except AboutTheTarget as wrong:
        found.append(cleaned(Finding(ERROR, wrong.what, at={"call": wrong.call})))
    except NoReference as why:
        found.append(cleaned(Finding(SKIP, str(why))))
    except Exception as error:  # a judge that raises has judged nothing, and the next one may
        text = f"this is an error of our own, please report it: {described(error)}"
        found.append(cleaned(Finding(ERROR, text)))
    if not found:
        found.append(Finding(SKIP, "there was nothing to compare"))
    found = agreed(found)
    return Outcome(property.id, property.name, property.kind, property.claims, tuple(found), time.monotonic() - began)


def agreed(found: list[Finding]) -> list[Finding]:
    """What is more than rounding in one place is not rounding in another, however small it is there."""
    causes = [f.diagnosis for f in found if f.verdict == FAIL and f.diagnosis not in ("", "arithmetic")]
    return [replace(f, diagnosis=causes[0]) if causes and f.diagnosis == "arithmetic" else f for f in found]


def shown(outcome: Outcome, subject: Subject) -> Outcome:
    """The same with a script that shows what fails."""
    smallest = outcome.smallest
    script = reproducer.script(outcome, smallest, subject)
    findings = (replace(f, reproducer=script) if f is smallest else f for f in outcome.findings)
    return replace(outcome, findings=tuple(findings))


def line(text: str) -> str:
    """Text from a target, on one line and without what would steer a terminal."""
    return plain(text.replace("\n", " "))


def cleaned(finding: Finding) -> Finding:
    """The same, with texts of the target's made harmless wherever it is printed."""
    at = {key: line(value) if isinstance(value, str) else value for key, value in finding.at.items()}
    return replace(finding, text=line(finding.text), at=at)
