"""Does somebody's sampler have the properties that it claims?"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from .findings import ERROR, SKIP, Finding, Outcome, Report
from .properties import Property, properties
from .subject import STEPS, NoReference, Subject
from .target import SECONDS, AboutTheTarget, Target


def examined(
    spec: str,
    options: dict[str, Any] | None = None,
    steps: Sequence[int] = STEPS,
    seconds: float = SECONDS,
    tell: Callable[[Outcome], None] = lambda outcome: None,
) -> Report:
    """Every property of one target, one after another.

    Raises AboutTheTarget if it cannot even be loaded.
    """
    began, asked = time.monotonic(), properties()
    with Target(spec, dict(options or {}), seconds) as target:
        subject, outcomes = Subject(target, steps), []
        for property in asked:
            target.again()
            outcomes.append(outcome(property, subject))
            tell(outcomes[-1])
        notes = (*target.claims.off, *target.claims.notes)
        name = target.claims.name
    return Report(spec, dict(options or {}), name, tuple(outcomes), notes, len(asked), time.monotonic() - began)


def outcome(property: Property, subject: Subject) -> Outcome:
    """What is found for one property; what goes wrong in the target is said about the target."""
    began, found = time.monotonic(), []
    try:
        why = property.concerns(subject)
        for finding in [Finding(SKIP, why)] if why else property.ask(subject):
            found.append(finding)  # one by one: what was found stays found, whatever comes after it
    except AboutTheTarget as wrong:
        found.append(Finding(ERROR, wrong.what, at={"call": wrong.call}))
    except NoReference as why:
        found.append(Finding(SKIP, str(why)))
    if not found:
        found.append(Finding(SKIP, "there was nothing to compare"))
    seconds = time.monotonic() - began
    return Outcome(property.id, property.name, property.kind, property.claims, tuple(found), seconds)
