r"""What tries to refute the page on the signal-to-noise ratio: steps of whole schedules, integrated and added up.

A model that is wrong about x_0 by a constant pays, at every step, a divergence from the kernel given both ends. What
y says of x_0 is its entropy, less that of the noise: an integral that knows nothing of errors.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

import numpy as np
from hypothesis import strategies as st
from numpy import exp, log, sqrt

from ...quadrature import integral_of, integral_over_unit, settled
from ...statistics import above, below, close, for_all, limit, matches, order
from ...worlds import Step, finite, gaussian, mixture, normal, point
from ..reversal.posterior import regressed
from ..reversal.step import pairs, tame_steps
from .weights import apart, loss, noised, own

# Two ways down between the same ends, and how wrong the model is on them.

SCHEDULES = [
    ([0.943, 0.771, 0.538, 0.207, 0.061], [0.943, 0.612, 0.313, 0.093, 0.061], 0.47),
    ([0.887, 0.831, 0.443, 0.129], [0.887, 0.529, 0.341, 0.129], 1.39),
    ([0.971, 0.743, 0.671, 0.409, 0.233, 0.137], [0.971, 0.953, 0.591, 0.557, 0.141, 0.137], 0.83),
]

# Ratios in continuous time with their slopes, and errors that depend on them with antiderivatives.

PATHS = [
    (lambda u: 3.7 * exp(-2.3 * u) - 0.21 * u, lambda u: -8.51 * exp(-2.3 * u) - 0.21),
    (
        lambda u: np.tan(0.31 + 1.13 * u) ** -2.0,
        lambda u: -2.26 * np.tan(0.31 + 1.13 * u) ** -3.0 / np.cos(0.31 + 1.13 * u) ** 2,
    ),
    (lambda u: 2.9 / (0.41 + u) ** 1.7, lambda u: -4.93 / (0.41 + u) ** 2.7),
]
ERRORS = [
    (lambda s: 1.83 / (1 + 1.83 * s), lambda s: log(1 + 1.83 * s)),
    (lambda s: exp(-0.37 * s), lambda s: -exp(-0.37 * s) / 0.37),
    (lambda s: 0.29 + 0.61 / (1.3 + s) ** 2, lambda s: 0.29 * s - 0.61 / (1.3 + s)),
]
# Worlds, a step, and a shorter one from the same start.

WORLDS = [
    (gaussian(0.37, 1.83), Step(0.547, 0.743), Step(0.713, 0.743)),
    (mixture([0.31, 0.69], [-1.13, 1.47], [0.23, 0.41]), Step(0.683, 0.591), Step(0.871, 0.591)),
    (finite([0.23, 0.46, 0.31], [-1.61, 0.29, 1.33]), Step(0.761, 0.437), Step(0.859, 0.437)),
]
COARSER = 2.0 ** -np.arange(2, 8)
FINER = 2.0 ** -np.arange(4, 11)

ways = st.lists(st.floats(0.3, 0.9), min_size=2, max_size=6)


def telescoping(total, difference, continuous):
    """What a constant error costs on whole schedules, and a varying one in continuous time."""
    for one, other, error in SCHEDULES:
        for bars in (one, other):
            yield close(total, letters(bars, error), whole_cost(bars, error))
        at = letters(one, error, c=detour(one, other))
        yield close(difference, at, apart(whole_cost(other, error), whole_cost(one, error)))
    for (path, slope), (e, F) in zip(PATHS, ERRORS, strict=True):
        at = {"path": Positive(path), "F": F}
        yield close(continuous, at, paid(path, slope, e))
        yield limit(continuous, at, partial(rectangles, path, e), FINER)

    yield for_all(examples=30, alphas=ways, error=st.floats(0.05, 4))(
        lambda alphas, error: close(total, letters(np.cumprod(alphas), error), whole_cost(np.cumprod(alphas), error))
    )

    def statement(start, fall, v):
        path, slope = lambda u: start * exp(-fall * u), lambda u: -fall * start * exp(-fall * u)
        e, F = lambda s: v / (1 + v * s), lambda s: log(1 + v * s)
        return close(continuous, {"path": Positive(path), "F": F}, paid(path, slope, e))

    yield for_all(examples=30, start=st.floats(0.5, 9), fall=st.floats(0.2, 5), v=st.floats(0.1, 4))(statement)


def riemann_gap(rectangle, saved, rate, constant, growth, fall, gaussian_mmse, gaussian_information):
    """Steps of the bound with the exact denoiser; what they cost beside the information, and how that vanishes."""
    for world, long, short in WORLDS:
        at = {"mmse": partial(mmse, world), **between(long)}
        yield close(rectangle, at, exact_loss(world, long))
        yield above(rectangle, at, told(world, long), strict=True)
        yield below(rectangle, at, told(world, long) + spread_over(world, long), strict=True)
        yield from stop(saved, world, long, short)
        yield order(partial(excess, world, long), COARSER, rate, constant, ends(world, long))
    for world, long, _ in WORLDS[:2]:
        at = {"g": sqrt(ratios(long)[1]), **channel(world)}
        yield limit(growth, at, partial(quotient, partial(information, world), ratios(long)[1]), COARSER)
        yield limit(fall, at, partial(quotient, lambda s, world=world: -mmse(world, s), ratios(long)[1]), COARSER)
    # The case of equality: a point, of which there is nothing to guess.
    at = {"mmse": partial(mmse, point(0.83)), **between(WORLDS[0][1])}
    yield matches(rectangle, at, 0.0, magnitude=1.0)
    for v_0, s in ((0.37, 2.9), (1.83, 0.41), (4.7, 1.37)):
        world = gaussian(-0.59, v_0)
        yield matches(gaussian_mmse, {"v_0": v_0, "s": s}, mmse(world, s))
        yield matches(gaussian_information, {"v_0": v_0, "s": s}, information(world, s))

    yield for_all(examples=10, world=pairs, step=tame_steps)(
        lambda world, step: close(rectangle, {"mmse": partial(mmse, world), **between(step)}, exact_loss(world, step))
    )
    yield for_all(v_0=st.floats(0.1, 9), s=st.floats(0.05, 9))(
        lambda v_0, s: matches(gaussian_mmse, {"v_0": v_0, "s": s}, 1 / (1 / v_0 + s))
    )
    for k in range(2):
        yield for_all(examples=10, world=pairs, long=tame_steps, part=st.floats(0.2, 0.8))(
            lambda world, long, part, k=k: list(
                stop(saved, world, long, Step(1 - part * long.beta, long.alpha_bar_prev))
            )[k]
        )


@dataclass
class Positive:
    """A function with a logarithm."""

    value: Callable

    def __call__(self, t):
        return self.value(t)

    def log_density(self, t):
        return log(self.value(t))


def letters(bars, error, c=lambda t: 0.0):
    """The letters of the page: alpha_bar at t = 1..T gives SNR(t), which is infinite at t = 0."""
    ratios = [np.inf, *(bar / (1 - bar) for bar in bars)]
    return {"error": error, "T": len(bars), "snr": Positive(lambda t: ratios[int(t)]), "c": c}


def detour(one, other):
    """What makes one way the other: the difference of their ratios over (t - 1)(T - t), between the ends."""
    T, first, second = len(one), letters(one, 0.0)["snr"], letters(other, 0.0)["snr"]
    return lambda t: (second(t) - first(t)) / ((t - 1) * (T - t)) if 1 < t < T else 0.0


def whole_cost(bars, error):
    """The divergences of all steps from t = 2 on, of a model that takes x_0 for a number that is off."""
    steps = [Step(after / before, before) for before, after in pairwise(bars)]
    costs = [shifted(step, 0.71, -0.43, sqrt(error)) for step in steps]

    def rule(nodes):
        values, sizes = np.array([cost(nodes) for cost in costs]).T
        return np.sum(values), np.sum(sizes)

    return rule


def shifted(step, x_0, noise, off):
    x_t = noised(step, x_0, noise)
    return loss(step, own(step), x_0, x_t, regressed(step, x_0 + off, x_t)[0])


def paid(path, slope, e):
    """What is paid in continuous time, by its definition."""
    return integral_over_unit(lambda u, _: -slope(u) * e(path(u)) / 2)


def rectangles(path, e, h):
    """The cost of steps of length h from u = 0 to 1, each with the error at its end."""
    ratios = path(np.linspace(0, 1, round(1 / h) + 1))
    return np.sum((ratios[:-1] - ratios[1:]) * e(ratios[1:])) / 2


# The exact denoiser


def between(step):
    """The ratio after a step, and what the step loses of it."""
    before, after = ratios(step)
    return {"s": after, "h": before - after}


def ratios(step):
    """The ratio before and after a step."""
    return tuple(bar / (1 - bar) for bar in (step.alpha_bar_prev, step.alpha_bar))


def stop(saved, world, long, short):
    """What a stop after a shorter step saves, and that it saves something."""
    rest = Step(long.alpha / short.alpha, short.alpha_bar)
    before, midway = ratios(short)
    at = {"k": before - midway, "after": mmse(world, ratios(long)[1]), "midway": mmse(world, midway)}
    costs = [settled(exact_loss(world, step)) for step in (long, short, rest)]
    yield matches(saved, at, costs[0] - costs[1] - costs[2], magnitude=costs[0])
    yield above(saved, at, 0.0, strict=True)


def exact_loss(world, step):
    """What the step costs with the mean of x_0 in its place: x_0 moves the mean of the kernel in proportion."""
    seen, variance = world.marginal(step.alpha_bar), own(step)
    gain = regressed(step, 1.0, 0.0)[0] - regressed(step, 0.0, 0.0)[0]
    wrong = lambda x: world.posterior(step.alpha_bar, x).variance * gain**2 / (2 * variance)
    return integral_of(lambda x: seen(x) * wrong(x), seen.mean, sqrt(seen.variance))


def mmse(world, s):
    """The variance of x_0 given sqrt(s) x_0 + noise, averaged; an array of ratios has one for each."""
    seen = world.affine(sqrt(s), 1.0)
    variance = lambda y: world.conditioned(sqrt(s), 1.0, y).variance
    return settled(integral_of(lambda y: seen(y) * variance(y), seen.mean, sqrt(seen.variance)))


def information(world, s):
    """What sqrt(s) x_0 + noise says of x_0: its entropy, less that of the noise."""
    return world.affine(sqrt(s), 1.0).entropy() - log(2 * np.pi * np.e) / 2


def told(world, step):
    """What x says of x_0 before a step, and does not say after it."""
    before, after = ratios(step)
    return information(world, before) - information(world, after)


def excess(world, step, h):
    """What 1/h equal steps between the ends of this one cost, beyond what they forget."""
    before, after = ratios(step)
    s = np.linspace(after, before, round(1 / h) + 1)[:-1]
    return np.mean(mmse(world, s)) * (before - after) / 2 - told(world, step)


def spread_over(world, step):
    """A rectangle as wide as the step, and half as high as the mmse rises on it."""
    before, after = ratios(step)
    return (before - after) * (mmse(world, after) - mmse(world, before)) / 2


def ends(world, step):
    before, after = ratios(step)
    return {"start": before, "end": after, "least": mmse(world, before), "most": mmse(world, after)}


def channel(world):
    """The law of y = g x_0 + noise, and that of x_0 given y."""
    seen = lambda y, g: world.affine(g, 1.0)(y)
    return {"seen": seen, "given": lambda x_0, y, g: world(x_0) * normal(y, g * x_0, 1.0) / seen(y, g)}


def quotient(f, s, h):
    """The difference of f on both sides of s, over their distance."""
    return (f(s * (1 + h)) - f(s * (1 - h))) / (2 * h * s)
