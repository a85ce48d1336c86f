"""Single steps: the coefficients of x, of the prediction and of fresh noise, beside those that are proved."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..findings import Finding, compared
from ..subject import NoReference, Subject
from . import EXACT, Property

SINGLE, DOUBLE = float(np.finfo(np.float32).eps), float(np.finfo(np.float64).eps)
FLOOR = 5e-6  # of tables in single precision: the worst of conforming ones was 3.3e-6


def tolerance(subject: Subject, condition: float = 1.0) -> float:
    """What rounding of the tables explains, relative to the terms of a step."""
    return max(50 * SINGLE * condition, FLOOR) if subject.claims.single else 50 * DOUBLE * max(condition, 1e3)


def same_steps(subject: Subject, part: str, method: str | None = None) -> Iterator[Finding]:
    """One part of every step, beside the step that is proved, on the target's own levels."""
    for n in subject.steps:
        got, expected = subject.table(n), subject.reference(n, method=method)
        for c in range(got.calls):
            one, other = getattr(got.step(c), part), getattr(expected.step(c), part)
            size = 1 + abs(other)
            yield compared(part, one, other, tolerance(subject) * size, at={"n": n, "step": c})


def posterior_mean(subject: Subject) -> Iterator[Finding]:
    yield from same_steps(subject, "of_x", "ddpm")
    yield from same_steps(subject, "of_prediction", "ddpm")


def posterior_variance(subject: Subject) -> Iterator[Finding]:
    yield from same_steps(subject, "noise", "ddpm")


def ancestral(subject: Subject) -> str | None:
    return None if subject.claims.family == "ancestral" else "it does not claim to draw from the kernel given both ends"


PROPERTIES = (
    Property("P8", "posterior-mean", EXACT, posterior_mean, ancestral, ("reversal.posterior-mean",)),
    Property("P9", "posterior-variance", EXACT, posterior_variance, ancestral, ("reversal.posterior-variance",)),
)

__all__ = ["PROPERTIES", "NoReference", "same_steps", "tolerance"]
