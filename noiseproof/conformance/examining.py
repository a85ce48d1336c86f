"""All properties of one target, one after another."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

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
    report, *outcomes = examining(spec, options, steps, seconds, wanted)
    assert isinstance(report, Report)
    for each in outcomes:
        report = report.having(each)  # type: ignore[arg-type]
    return report


def examining(
    spec: str,
    options: dict[str, Any] | None = None,
    steps: Sequence[int] = STEPS,
    seconds: float = SECONDS,
    wanted: Sequence[Property] | None = None,
) -> Iterator[Report | Outcome]:
    """The same as it goes: a report of nothing, as soon as the target is there, and then the outcomes."""
    options, wanted = dict(options or {}), properties() if wanted is None else tuple(wanted)
    with Target(spec, options, seconds) as target:
        notes = tuple(line(note) for note in (*target.claims.off, *target.claims.notes))
        yield Report(spec, options, line(target.claims.name), (), notes, len(wanted))
        subject = Subject(target, steps)
        for property in wanted:
            target.again()
            yield outcome(property, subject)


def outcome(property: Property, subject: Subject) -> Outcome:
    """What is found for one property; what goes wrong in the target is said about the target."""
    began, found = time.monotonic(), []
    try:
        why = property.concerns(subject)
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
    outcome = Outcome(property.id, property.name, property.kind, property.claims, tuple(found), 0.0)
    if outcome.verdict == FAIL:
        smallest = outcome.smallest
        script = reproducer.script(outcome, smallest, subject)
        found = [replace(f, reproducer=script) if f is smallest else f for f in found]
    return replace(outcome, findings=tuple(found), seconds=time.monotonic() - began)


def line(text: str) -> str:
    """Text from a target, on one line and without what would steer a terminal."""
    return plain(text.replace("\n", " "))


def cleaned(finding: Finding) -> Finding:
    """The same, with texts of the target's made harmless wherever it is printed."""
    at = {key: line(value) if isinstance(value, str) else value for key, value in finding.at.items()}
    return replace(finding, text=line(finding.text), at=at)
