r"""What tries to refute the page on Gaussian data: what flows past points, and who keeps their quantiles.

On the line points cannot overtake each other, so a flow keeps every point at its quantile: that is where it is,
whatever its velocity. In space the flow is found along axes.

The flow is run as a sampler: in more and more of Euler's steps, and from the noise to every level in one step.
"""

import numpy as np
from numpy import array, sqrt
from scipy.special import ndtr

from ...solvers.grids import flow as straight
from ...solvers.table import PREDICTION, STATE
from ...statistics import for_all, matches
from ...worlds import gaussian
from ..chains import has_laws, one_by_one, or_nowhere, points
from ..finer import UNSEEN, approached, own_row, tends
from ..reversal.step import SOME_X_T, gaussians
from ..vlb.matching import CLOUD, SOME_IN_SPACE
from .score import moving
from .velocity import flow, near, straight_line, times

POINTS = [(gaussian(0.37, 1.83), 0.37), (gaussian(-1.29, 0.31), 0.61), (gaussian(2.17, 4.70), 0.83)]
SOME_X_0 = array([-1.27, 0.43, 1.71])


def gaussian_flow(velocity, trajectory, acceleration, end):
    """Velocities from distribution functions, and along the axes of a cloud in space; points at their quantiles."""
    for data, t in POINTS:
        at = letters(data, t)
        yield matches(velocity, at | {"x_t": SOME_X_T}, flow(data, straight_line(t), SOME_X_T))
        yield matches(rank(trajectory, data, t), at | {"x_0": SOME_X_0}, ndtr(SOME_X_0))
        yield matches(rank(end, data, 1.0), at | {"x_0": SOME_X_0}, ndtr(SOME_X_0))
        yield matches(acceleration, at | {"x_0": SOME_X_0}, turning(data, t) * SOME_X_0)
    for t in (0.37, 0.61, 0.83):
        variances, axes = np.linalg.eigh(CLOUD.covariance)
        along = {"m": CLOUD.mean @ axes, "v": variances, "t": t, "x_t": SOME_IN_SPACE @ axes}
        yield matches(velocity, along, moving(CLOUD, straight_line(t), SOME_IN_SPACE) @ axes)

    def flows(data, t, x):
        size = (1 + abs(x) + abs(data.mean) + sqrt(data.variance)) * (1 + data.variance) / (1 - t) ** 2
        return matches(velocity, letters(data, t) | {"x_t": x}, flow(data, straight_line(t), x), magnitude=size)

    def keeps(data, t, x):
        size = 1 + abs(x) + (abs(data.mean) + abs(x)) / (1 - t)
        return matches(rank(trajectory, data, t), letters(data, t) | {"x_0": x}, ndtr(x), magnitude=size)

    def arrives(data, t, x):
        size = 1 + abs(x) + abs(data.mean) / sqrt(data.variance)
        return matches(rank(end, data, 1.0), letters(data, t) | {"x_0": x}, ndtr(x), magnitude=size)

    def turns(data, t, x):
        size = (1 + data.variance) ** 2 / data.variance * turning(data, t) * (1 + abs(x)) / (1 - t) ** 2
        return matches(acceleration, letters(data, t) | {"x_0": x}, turning(data, t) * x, magnitude=size)

    for statement in (flows, keeps, arrives, turns):
        yield for_all(data=gaussians, t=times, x=near, examples=50)(statement)
    for data, _ in POINTS:
        yield tends(euler(velocity), straight, data)
        yield from has_laws(from_the_noise(trajectory), straight(5), data)
        yield from has_laws(from_the_noise(end), straight(1), data)
    data, _ = POINTS[1]
    at = letters(data, array([[0.5], [1.0]])) | {"x_0": SOME_X_0}
    yield approached(trajectory, at, on_the_way(velocity, data))
    yield approached(acceleration, at | {"t": 0.5}, bending(velocity, data))


def letters(data, t):
    return {"m": data.mean, "v": data.variance, "t": t}


def rank(formula, data, t):
    """P(x_t < where the formula is)."""
    seen = data.affine(t, (1 - t) ** 2)
    return lambda **at: seen.cdf(formula(**at))


def turning(data, t):
    """The second derivative of the standard deviation of x_t, from those of its variance, a polynomial in t."""
    variance = np.polynomial.Polynomial([1.0, -2.0, 1.0 + float(data.variance)])
    value, slope, bend = variance(t), variance.deriv()(t), variance.deriv(2)(t)
    return (2 * value * bend - slope**2) / (4 * value**1.5)


# The flow, run as a sampler: the mean of the data is what a network predicts of noise

BEGUN = "y"  # a register: where the chain began


def euler(velocity):
    """The row of Euler's step."""

    def kernel(t, s, data):
        def moved(x_t, m):
            return x_t + (s.time - t.time) * velocity(x_t=x_t, m=m, v=data.variance, t=t.time)

        return own_row(moved, UNSEEN, {"x_t": STATE, "m": PREDICTION})

    return kernel


def from_the_noise(trajectory):
    """The row of one step from where the chain began."""

    def kernel(t, s, data):
        asks = {"x_0": BEGUN if t.scale else STATE, "m": PREDICTION}
        row = own_row(trajectory, UNSEEN, asks, {"t": s.time, "v": data.variance})
        return row if t.scale else row._replace(maps={**row.maps, BEGUN: {STATE: 1.0}})

    return kernel


def ran(velocity, data, n):
    """Where n of Euler's steps lead from some noises, (n + 1, 3)."""
    run = lambda: points(one_by_one(euler(velocity), straight(n), data), lambda x, level: data.mean + 0 * x, SOME_X_0)
    return or_nowhere((n + 1, len(SOME_X_0)), run)


def on_the_way(velocity, data):
    """Where 1/h steps have led halfway, and at the end."""

    def value_at(h):
        n = round(1 / h)
        found = ran(velocity, data, n)[[n // 2, n]]
        return lambda nodes: (found, n * (1 + np.abs(found)))

    return value_at


def bending(velocity, data):
    """By how much one of them differs from the one before, halfway."""

    def value_at(h):
        n = round(1 / h)
        before, here, after = ran(velocity, data, n)[n // 2 - 1 : n // 2 + 2]
        return lambda nodes: ((after - 2 * here + before) / h**2, n * (1 + np.abs(here)) / h**2)

    return value_at
