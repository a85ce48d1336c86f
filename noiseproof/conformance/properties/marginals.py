"""Where a sampler stands after each step: with a network that knows x_0, the law there is known, too."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ..findings import FAIL, NOTE, Finding
from ..protocol import Level
from ..subject import NoReference, Subject, kind_of
from ..unrolled import Unrolled
from .exact import held, or_the_method, with_few
from .property import EXACT, Property

Array = NDArray[np.float64]


def truths(subject: Subject, levels: list[Level], table: Unrolled) -> Array:
    """What the network says where it knows x_0 = 1, at x = scale x_0: its share of x_0, (C,)."""
    if subject.claims.family == "consistency":
        says = subject.answers(1.0, 0.0, table, levels)
        return np.array([gain * a + constant for (gain, constant), (a, _) in zip(says, levels[:-1], strict=True)])
    kind, sign = kind_of(subject.claims.prediction)
    says = {"noise": lambda b: 0.0, "x_0": lambda b: 1.0, "v": lambda b: -b, "velocity": lambda b: 1.0}
    return sign * np.array([says[kind](b) for _, b in levels[:-1]])


def signal(subject: Subject, table: Unrolled, levels: list[Level]) -> tuple[Array, Array]:
    """The share of x_0 after each step, had all before it been right, and the scale of the next level."""
    a = np.array(levels)[:, 0]
    before, after = np.vstack([table.inputs, table.end])[:-1], np.vstack([table.inputs, table.end])[1:]
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(before[:, 0] != 0, after[:, 0] / before[:, 0], 0.0)
    rest = (after - ratio[:, None] * before)[:, 1 : 1 + table.calls]
    return ratio * a[:-1] + rest @ truths(subject, levels, table), a[1:]


def predecessor(subject: Subject) -> Iterator[Finding]:
    """Each step keeps the share of x_0 that the level of the next question has."""

    def sides(levels: list[Level], table: Unrolled) -> tuple[Array, Array]:
        return signal(subject, table, levels)

    for n in subject.steps:
        finding = held(subject, subject.table(n), "each step goes to the level of the next question", sides)
        finding = or_the_method(subject, sides, finding, "the share of x_0")
        yield replace(finding, text=finding.text + reached(subject, n, finding)) if finding.verdict == FAIL else finding


def reached(subject: Subject, n: int, finding: Finding) -> str:
    """To which time of training a step went instead, if there is one, and where variance is kept."""
    if not subject.can("told", "trained") or finding.got is None:
        return ""
    told = subject.target.told()
    scales = subject.target.trained(told.tolist())[:, 0]
    nearest = int(np.argmin(np.abs(scales - finding.got)))
    meant = np.append(subject.table(n).told, 0.0)[int(finding.at["step"]) + 1]
    return f"; step {finding.at['step']} goes to a scale as at time {told[nearest]:g}, and next is time {meant:g}"


def dirac(subject: Subject, table: Unrolled, levels: list[Level]) -> tuple[Array, Array]:
    """Means and standard deviations of all inputs and the end, where the data are the one point 1."""
    if any(not noise for _, noise in levels[:-1]):
        raise NoReference("it asks the network where there is no noise")
    gains = subject.answers(1.0, 0.0, table, levels)
    # x as it begins: so that the first input is at its level, unless noise is added to it before
    u = table.of_x[0] or 1.0
    a, b = subject.start(table.n) if 0 in table.after and subject.can("start") else (levels[0][0] / u, levels[0][1] / u)
    means, variances = table.law((a, b**2), gains)
    return means, np.sqrt(np.maximum(variances, 0))


def preserved(subject: Subject) -> Iterator[Finding]:
    """Given x_0, each input has the scale and the noise of its level: with the scale of P7, its marginal."""

    def sides(levels: list[Level], table: Unrolled) -> tuple[Array, Array]:
        return dirac(subject, table, levels)[1][1:], np.array(levels)[1:, 1]

    for n in subject.steps:
        what = "given x_0, the noise after each step is that of the next level"
        finding = held(subject, subject.table(n), what, sides)
        if finding.verdict == FAIL and subject.claims.variance in ("middle", "large"):
            text = "its variance is not the posterior's, so that marginals are kept only as steps become short"
            yield replace(finding, verdict=NOTE, text=text, diagnosis="")
        else:
            yield or_the_method(subject, sides, finding, "marginals")


def one_point(subject: Subject) -> Iterator[Finding]:
    def sides(levels: list[Level], table: Unrolled) -> tuple[Array, Array]:
        means, sds = dirac(subject, table, levels)
        return np.array([means[-1], sds[-1]]), np.array(levels[-1])

    def found(n: int) -> Iterator[Finding]:
        table = subject.table(n)
        what = "where the data are one point, a run ends there"
        place = lambda k, C=table.calls: {"step": C - 1, "of its law": ("mean", "standard deviation")[k]}
        finding = or_the_method(subject, sides, held(subject, table, what, sides, place), "a single point")
        yield replace(finding, diagnosis="last step") if finding.verdict == FAIL else finding

    yield from with_few(subject, found)


# ---------------------------------------------------------------- whom they concern


def following(subject: Subject) -> str | None:
    if not subject.table(subject.steps[0]).calls:
        return "it asks no network"
    return None


PROPERTIES = (
    Property("P7", "predecessor", EXACT, predecessor, following, ("sampler.ddpm-strided",)),
    Property("P12", "marginals", EXACT, preserved, following, ("sampler.ddim-marginals",)),
    Property("P13", "one-point", EXACT, one_point, following),
)
