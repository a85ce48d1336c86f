"""What the network predicts is a convention: the step to no noise reads it, and another one changes no number."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from numerics.solvers import grids
from numerics.solvers.predictions import x_0_from

from ..findings import FAIL, NOTE, Finding
from ..protocol import Level
from ..subject import NoReference, Subject, kind_of
from ..target import AboutTheTarget, Raised
from ..unrolled import Unrolled
from .exact import PARTS, clash, held, named, or_the_method, parts
from .marginals import following
from .property import EXACT, Property

Array = NDArray[np.float64]


def conversion(subject: Subject) -> Iterator[Finding]:
    """A step to where no noise is left returns x_0, as x and the prediction give it: the last one, and a single one."""

    def sides(levels: list[Level], table: Unrolled) -> tuple[Array, Array]:
        if subject.claims.family == "consistency":
            return parts(table)[-1:, :2], np.array([subject.jumps(table, levels)[-1][:2]])
        return parts(table)[-1:, :2], np.array([x_0_of(subject.claims.prediction, levels[-2])])

    for n in (*subject.steps[:1], *([1] if subject.claims.least == 1 else [])):
        try:
            table = subject.table(n)
        except AboutTheTarget:
            if n in subject.steps:
                raise
            continue  # P23
        place = lambda _, k, C=table.calls: {"step": C - 1, "coefficient of": PARTS[k]}
        what = f"the step to no noise returns x_0, from x and a network that predicts {subject.claims.prediction}"
        finding = or_the_method(subject, sides, held(subject, table, what, sides, place), "x_0")
        if finding.verdict == FAIL and subject.claims.method is None and subject.claims.order != 1:
            more = "the last step uses more than the last prediction, as one that does not claim the order 1 may"
            finding = replace(finding, verdict=NOTE, text=more, diagnosis="")
        yield finding


def x_0_of(prediction: str, level: Level) -> tuple[float, float]:
    """The coefficients of x and of the prediction in x_0.  Raises NoReference where it says nothing of x_0."""
    kind, sign = kind_of(prediction)
    try:
        of_x, of_p = x_0_from(kind, grids.Level(*level, 0.0))
    except ValueError as why:
        raise NoReference(str(why)) from None
    return of_x, sign * of_p


def invariance(subject: Subject) -> Iterator[Finding]:
    """The same sampler around a network that predicts something else ends at the same numbers."""
    n = subject.steps[0]
    base, claims = subject.table(n), subject.claims
    for prediction, options in claims.predictions.items():
        if prediction == claims.prediction:
            continue
        try:
            with subject.target.otherwise(options):
                theirs = Subject(subject.target, subject.steps[:1]).table(n)
        except Raised as refused:
            if refused.call.startswith("loading"):
                continue  # not on these levels
            raise
        if (theirs.calls, theirs.after) != (base.calls, base.after):
            text = f"around a network that predicts {prediction} it asks {theirs.calls} times, and else {base.calls}"
            yield Finding(FAIL, text, at={"n": n}, diagnosis="option clash")
            continue

        def sides(levels: list[Level], table: Unrolled, prediction: str = prediction) -> tuple[Array, Array]:
            return folded(claims.prediction, prediction, table, levels), base.end

        what = f"around a network that predicts {prediction} it ends where it does around one of {claims.prediction}"
        place = lambda column, around=prediction: {
            "coefficient of": named(min(column, base.calls + 1), base.calls),
            "around": around,
        }
        yield clash(held(subject, theirs, what, sides, place))


def folded(into: str, prediction: str, theirs: Unrolled, levels: list[Level]) -> Array:
    """The end of a run around another prediction, in terms of x, of predictions of the first kind, and of normals."""
    columns = len(theirs.end)
    unit = np.eye(columns)
    ours = [x_0_of(into, level) for level in levels[:-1]]
    other = [x_0_of(prediction, level) for level in levels[:-1]]

    def predict(c: int, x: Array) -> Array:
        (of_x, of_p), (x_too, p_too) = ours[c], other[c]
        return ((of_x - x_too) * x + of_p * unit[1 + c]) / p_too

    return theirs.ran(unit[0], predict, unit[1 + theirs.calls :])


# ---------------------------------------------------------------- whom they concern


def otherwise(subject: Subject) -> str | None:
    if none := following(subject):
        return none
    others = set(subject.claims.predictions) - {subject.claims.prediction}
    return None if others else "the adapter knows no options for a network that predicts something else"


def to_no_noise(subject: Subject) -> str | None:
    return "some noise is left where it ends" if subject.claims.ends_at else following(subject)


PROPERTIES = (
    Property("P14", "other-predictions", EXACT, invariance, otherwise, ("parameterization.conversions",)),
    Property("P15", "conversions", EXACT, conversion, to_no_noise, ("parameterization.conversions",)),
)
