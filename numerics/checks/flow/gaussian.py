r"""What tries to refute the page on Gaussian data: what flows past points, and who keeps their quantiles.

On the line points cannot overtake each other, so a flow keeps every point at its quantile: that is where it is,
whatever its velocity. In space the flow is found along axes.
"""

import numpy as np
from numpy import array, sqrt
from scipy.special import ndtr

from ...statistics import for_all, matches
from ...worlds import gaussian
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
