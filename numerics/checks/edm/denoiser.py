r"""What tries to refute the page on denoisers: least squares and slopes of log densities, on the line and in space.

The mean of x_0 given u is integrated, or regressed on u component by component. The slope of the log density of points
with noise is a complex step: F(u + ih) is F(u) + ih F'(u), and with h = 1e-30 nothing else is left.
"""

import numpy as np
from hypothesis import strategies as st
from numpy import array, exp, log

from ...quadrature import mean_of
from ...statistics import close, for_all, matches
from ...worlds import empirical, gaussian, mixture, normal
from ..flow.velocity import HIGH
from ..parameterization.conversions import FIVE, SPACE
from ..reversal.data import Sequence
from ..reversal.step import CLUSTERS, SOME_X_T

H = 1e-30
LINES = [
    (gaussian(0.37, 1.83), 0.61),
    (CLUSTERS, 1.37),
    (mixture([0.57, 0.28, 0.15], [-0.71, 0.93, 2.1], [0.37, 0.62, 0.49]), 0.29),
]
SETS = [  # points, where they are looked at from, and the level of the noise
    (array([[-1.87], [-0.43], [0.19], [0.71], [2.29]]), array([0.37]), 0.61),
    (array([[-0.71, 0.33, 1.17], [0.27, -1.19, 0.59], [1.43, 0.59, -0.83], [-0.37, 1.07, 0.13]]), HIGH[0, :3], 1.37),
    (HIGH, array([0.41, -0.37, 0.29, 0.13, -0.61]), 1.83),
]

levels, numbers = st.floats(0.3, 3), st.floats(-2, 2)
vectors = st.lists(numbers, min_size=5, max_size=5).map(array)
sets = st.lists(st.tuples(*[numbers] * 3), min_size=2, max_size=5).map(array)


def denoiser_score(score, weight):
    """Denoisers of worlds, with the slopes of their densities; the shares of points, and the slope of their density."""

    def denoised(**at):
        """Where the score says that the data are."""
        return at["u"] + at["sigma"] ** 2 * score(**at)

    def of_world(world, sigma, u):
        u = u[: world.dimension]
        at = {"u": u, "sigma": sigma, "denoised": world.conditioned(1.0, sigma**2, u).mean}
        return matches(score, at, world.affine(1.0, sigma**2).score(u), magnitude=(3 + np.max(np.abs(u))) / sigma**2)

    def shared(points, u, sigma):
        seen = empirical(points).conditioned(1.0, sigma**2, u).weights
        return matches(shares(weight), near(points, u, sigma), seen[:, None] + 0 * u, magnitude=1.0)

    def sloped(points, u, sigma):
        pointing = lambda **at: score(**at, denoised=np.sum(shares(weight)(**at) * points, axis=0))
        size = (1 + np.max(np.abs(points)) + np.max(np.abs(u))) / sigma**2
        return matches(pointing, near(points, u, sigma), slope_of_points(points, u, sigma), magnitude=size)

    for world, sigma in LINES:
        at = {"u": SOME_X_T, "sigma": sigma, "denoised": world.conditioned(1.0, sigma**2, SOME_X_T).mean}
        yield close(denoised, at, mean_of(behind(world, sigma), width=2.0))
        yield matches(score, at, world.affine(1.0, sigma**2).score(SOME_X_T))
    for points, u, sigma in SETS:
        yield shared(points, u, sigma)
        yield sloped(points, u, sigma)
    yield for_all(examples=30, world=st.sampled_from([SPACE, FIVE]), sigma=levels, u=vectors)(of_world)
    some = {"points": sets, "u": vectors.map(lambda v: v[:3]), "sigma": levels}
    yield for_all(examples=30, **some)(shared)
    yield for_all(examples=30, **some)(sloped)


def behind(world, sigma):
    """What may be behind u, up to its normaliser."""
    return lambda x_0: world(x_0) * normal(SOME_X_T, x_0, sigma**2)


def near(points, u, sigma):
    """The letters of the page at u: every coordinate of the points, and how far they are in all others."""
    squares = (u - points) ** 2
    rest = np.sum(squares, axis=-1, keepdims=True) - squares
    return {"u": u, "sigma": sigma, "y": Sequence(points), "rest": Sequence(rest), "N": len(points)}


def shares(weight):
    """The share of every point, along an axis in front, as each coordinate sees it."""
    return lambda **at: array([weight(**at, i=n + 1) for n in range(at["N"])])


def slope_of_points(points, u, sigma):
    """The gradient of the log density of these points with noise upon them, one complex step for each coordinate."""
    moved = u + 1j * H * np.eye(len(u))
    squares = np.sum((moved[:, None] - points) ** 2, axis=-1)
    top = np.min(np.real(squares))
    return np.imag(log(np.sum(exp((top - squares) / (2 * sigma**2)), axis=-1))) / H
