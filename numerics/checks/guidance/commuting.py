r"""What tries to refute the page on guidance and noise: tilted Gaussian data, with noise upon them, by quadrature.

Given u = x + noise of the variance s, the slope of log p(u) is E[x - u]/s, and the slope of that Var[x]/s^2 - 1/s: both
are means over what may be behind u, for the tilted data as for the data with the label and without.

Samplers are run along both scores: only that of the tilted data with noise leads to the tilted data.
"""

from functools import partial

import numpy as np
from numpy import exp, sqrt

from ...quadrature import expectation_of, mean_of, settled, variance_of
from ...solvers.grids import log_snr
from ...solvers.moments import final
from ...solvers.predictions import converted, denoiser, guided
from ...solvers.steps import FRESH, chained
from ...solvers.table import PREDICTION, STATE, Row
from ...statistics import above, below, by_running, close, matches
from ...worlds import gaussian, normal
from ..chains import one_by_one, or_nowhere, points, tends_to_the_flow
from ..finer import UNSEEN, approached, own_row

POINTS = [  # of labels that narrow the law, and one that widens it
    {"mu": 1.37, "c": 0.43, "C": 1.71, "w": 1.9, "sigma": 0.83},
    {"mu": -0.81, "c": 1.29, "C": 2.17, "w": 0.61, "sigma": 1.43},
    {"mu": 0.59, "c": 1.31, "C": 0.89, "w": 0.73, "sigma": 0.57},
]
SOME_U, SOME_US = 0.73, np.array([-2.1, 0.31, 3.7])
SIZES = 1 / 2 ** np.arange(1, 6)  # of Langevin steps, in units of the variance


def cfg_does_not_commute(tilted_mean, precision, noised_precision, guided_precision, pull, gap):
    """The tilted data, the tilted data with noise, what guidance follows, and the difference of the last two."""

    def followed(**at):
        return pull(**at) - guided_precision(**at) * SOME_U

    def score(**at):
        return noised_precision(**at) * (tilted_mean(**at) - SOME_U)

    def variance(**at):
        return 1 / precision(**at)

    def unnoised(**at):
        return 1 / guided_precision(**at | {"sigma": 0.0})

    for at in POINTS:
        given, plain, tilted = laws(**at)
        at = at | {"P": 1 / settled(variance_of(tilted))}
        yield close(tilted_mean, at, mean_of(tilted))
        yield close(variance, at, variance_of(tilted))
        alone, with_label, without = (slopes(law, at["sigma"] ** 2) for law in (tilted, given, plain))
        yield close(score, at, alone[0])
        yield close(noised_precision, at, times(-1.0, alone[1]))
        w = at["w"]
        yield close(followed, at, added(times(1 + w, with_label[0]), times(-w, without[0])))
        steeper = added(times(-1 - w, with_label[1]), times(w, without[1]))
        yield close(guided_precision, at, steeper)
        yield close(gap, at, added(steeper, alone[1]))
        yield above(gap, at, 0.0, strict=True)
        yield close(unnoised, at, variance_of(tilted))
        yield matches(gap, at | {"c": at["C"]}, 0.0, magnitude=1.0)
        yield from as_samplers(tilted_mean, noised_precision, pull, guided_precision, gap, at)


def laws(mu, c, C, w, **_):
    """The data with the label, without it, and tilted: densities up to a factor."""
    log_given, log_plain = (lambda x, m=m, v=v: -((x - m) ** 2) / (2 * v) for m, v in ((mu, c), (0.0, C)))
    tilted = lambda x: exp((1 + w) * log_given(x) - w * log_plain(x))
    return lambda x: exp(log_given(x)), lambda x: exp(log_plain(x)), tilted


# Samplers along both scores


def euler(t, s, data):
    """The row of Euler's step of the flow in the level of noise, along a score."""
    return Row(t, {STATE: {STATE: 1.0, PREDICTION: -t.noise * (s.noise - t.noise)}})


def down(n):
    return log_snr(n, 2.3, 0.11, units="ve")


def as_samplers(tilted_mean, noised_precision, pull, guided_precision, gap, at):
    """One leads to the tilted data; the other is that of two networks, goes further in, and stands still elsewhere."""
    *_, tilted = laws(**at)
    world = gaussian(settled(mean_of(tilted)), settled(variance_of(tilted)))
    along_one = lambda u, t: noised_precision(**at | {"sigma": t.noise}) * (tilted_mean(**at) - u)
    along_other = lambda u, t: pull(**at | {"sigma": t.noise}) - guided_precision(**at | {"sigma": t.noise}) * u

    def ran(score):
        run = lambda: points(one_by_one(euler, down(24)), score, SOME_US)
        return or_nowhere((25, len(SOME_US)), run)

    def narrower():
        one, other = (np.ptp(ran(score)[1:], axis=-1) for score in (along_one, along_other))
        return other / one

    given, plain = (converted(denoiser(gaussian(*law)), "score") for law in ((at["mu"], at["c"]), (0.0, at["C"])))
    combined = guided(given, plain, lambda given, plain: (1 + at["w"]) * given - at["w"] * plain)
    yield tends_to_the_flow(partial(one_by_one, euler), world, down, along_one, resolves=1e-4)
    yield by_running(close(lambda: ran(along_other), {}, lambda nodes: (ran(combined), 24 * 4.0)))
    yield by_running(below(narrower, {}, np.ones(24), strict=True))
    yield approached(gap, at, settled_apart(pull, guided_precision, at, world), SIZES)


def settled_apart(pull, guided_precision, at, world):
    """By how much the precision is larger where Langevin steps along the guided score end, at one level of noise."""
    level, variance = log_snr(1, 2 * at["sigma"], at["sigma"], units="ve"), world.variance + at["sigma"] ** 2

    def value_at(size):
        def moved(u, mu, fresh):
            score = pull(**at | {"mu": mu}) - guided_precision(**at) * u
            return u + size * variance / 2 * score + sqrt(size * variance) * fresh

        row, n = own_row(moved, UNSEEN, {"u": STATE, "mu": PREDICTION, "fresh": FRESH}), round(40 / size)
        table = chained("langevin", level, lambda k: [row] * n + [row._replace(reached=1)])
        found = 1 / final(table, at["mu"], at["c"]).variance
        return lambda nodes: (found - 1 / variance, n * found)

    return value_at


def slopes(law, s):
    """The first and the second derivative of the log density of what has this law, with noise of the variance s."""
    behind = lambda x: law(x) * normal(SOME_U, x, s)
    spread = variance_of(behind)

    def second(nodes):
        value, size = spread(nodes)
        return value / s**2 - 1 / s, size / s**2 + 1 / s

    return expectation_of(lambda x: (x - SOME_U) / s, behind), second


def times(factor, rule):
    """A multiple of an integral."""

    def multiple(nodes):
        value, size = rule(nodes)
        return factor * value, abs(factor) * size

    return multiple


def added(one, other):
    """The sum of two integrals."""

    def total(nodes):
        (value, size), (more, more_size) = one(nodes), other(nodes)
        return value + more, size + more_size

    return total
