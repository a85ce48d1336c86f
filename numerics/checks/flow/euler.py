r"""What tries to refute the page on one step: what flows past points where paths start, and straight lines.

The map of a flow on the line keeps quantiles; so the paths of a second flow, from each noise to where the first one
took it, are straight lines between the quantiles of the noise and those of the data.

The step is run as a sampler: once along the first flow, and once and in three steps along the second.
"""

import numpy as np
from numpy import array, sqrt
from scipy.special import ndtri

from ...solvers.grids import flow as straight
from ...solvers.predictions import converted, denoiser
from ...solvers.table import PREDICTION, STATE
from ...solvers.transport import carried
from ...statistics import by_running, close, matches
from ...worlds import gaussian
from ..chains import one_by_one, or_nowhere, points
from ..finer import own_row
from ..reversal.step import CLUSTERS
from ..vlb.matching import SPACE
from .velocity import GAUSSIAN, POINTS_OF_DATA, flow, stepped, straight_line

NOISE = gaussian(0.0, 1.0)
SOME_X_0, SOME_X_1 = array([-1.27, 0.43, 1.71]), array([0.83, -0.57, 1.19])
WORLDS, AFTER = [GAUSSIAN, CLUSTERS, POINTS_OF_DATA], [(0.23, 0.37), (0.41, 0.19), (0.07, 0.83)]  # t, h


def one_step_mean(step, start, landing, variance, reflowed):
    """The velocity where paths start, and where a step leads; the same between quantiles."""
    begin = straight_line(0.0)
    for world, (t, h) in zip(WORLDS, AFTER, strict=True):
        at = letters(world)
        past = flow(world, begin, SOME_X_0)
        yield matches(start, at, past, magnitude=4.0)
        yield matches(landing, at, SOME_X_0 + past, magnitude=4.0)
        yield matches(variance, at, left_over(world), magnitude=16.0)
        # From quantile to quantile.
        ends = end_of_flow(world, SOME_X_0)
        on_the_way = lambda t, ends=ends: (1 - t) * SOME_X_0 + t * ends
        x_t, speed = stepped(on_the_way, t)
        yield matches(reflowed, at, SOME_X_0 + speed, magnitude=4.0)
        there = {"x_t": x_t, "h": h, "predicted_velocity": speed}
        yield matches(step, there, on_the_way(t + h), magnitude=4.0)
        yield from as_a_sampler(step, start, landing, variance, reflowed, world)
    # In space: a mean for every coordinate.
    x_0 = array([[-1.27, 0.43, 1.71], [0.37, -0.83, 0.19]])
    at = {"x_0": x_0, "x_1": 0.57 + x_0, "m_1": SPACE.mean, "transport": lambda x: x}
    yield matches(start, at, SPACE.conditioned(0.0, 1.0, x_0).mean - x_0)
    yield matches(landing, at, np.broadcast_to(SPACE.mean, x_0.shape))


def letters(world):
    """The letters of the page; T takes each quantile of the noise to that of the data."""
    known = {"m_1": world.mean, "v_1": world.variance, "transport": lambda x: end_of_flow(world, x)}
    return {"x_0": SOME_X_0, "x_1": SOME_X_1, **known}


def left_over(world):
    """The variance of what a step makes of noise, at the nodes of Gauss and Hermite."""
    x, weights = np.polynomial.hermite_e.hermegauss(16)
    landed, p = x + flow(world, straight_line(0.0), x), weights / np.sum(weights)
    return np.sum(p * (landed - np.sum(p * landed)) ** 2)


def end_of_flow(world, x):
    """Where the flow takes noise: to the quantile of the data that it has among all noise."""
    return carried(NOISE, world, x)


# The step, run as a sampler


def as_a_sampler(step, start, landing, variance, reflowed, world):
    """Where it lands with the velocity of a world, with the one that is claimed, and with that of the second flow."""
    at, (x, weights) = letters(world), np.polynomial.hermite_e.hermegauss(16)
    exact, p = converted(denoiser(world), "velocity"), weights / np.sum(weights)
    claimed = lambda x, level: start(**at | {"x_0": x})

    def spread(nodes):
        landed = ran(step, exact, x, 1)[-1]
        return np.sum(p * (landed - np.sum(p * landed)) ** 2), 16.0

    for velocity in (exact, claimed):
        yield by_running(close(landing, at, lambda nodes, u=velocity: (ran(step, u, SOME_X_0, 1)[-1], 4.0)))
    yield by_running(close(variance, at, spread))
    for n in (1, 3):
        again = lambda nodes, n=n: (ran(step, once_more(world), SOME_X_0, n)[-1], 4.0 * n)
        yield by_running(close(reflowed, at, again))


def ran(step, velocity, x, n):
    """Where n steps lead, (n + 1, ...)."""

    def kernel(t, s, data):
        return own_row(step, t, {"x_t": STATE, "predicted_velocity": PREDICTION}, {"h": s.time - t.time})

    return or_nowhere((n + 1, *x.shape), lambda: points(one_by_one(kernel, straight(n)), velocity, x))


def once_more(world):
    """The velocity of the flow from each noise straight to its quantile y of the data, which is found by halving."""
    far = 40 * (1 + abs(world.mean) + sqrt(world.variance))

    def velocity(x, level):
        t, low, high = level.scale, np.full(x.shape, -far), np.full(x.shape, far)
        for _ in range(80):
            y = (low + high) / 2
            below = (1 - t) * ndtri(world.cdf(y)) + t * y < x
            low, high = np.where(below, y, low), np.where(below, high, y)
        return (low - x) / (1 - t)

    return velocity
