"""What tries to refute the page on the shift of the mean: Gaussian steps, tilted by classifiers and integrated.

An affine logarithm tilts a step of any size, in three dimensions too, where log densities are compared at two points.
Others tilt smaller and smaller steps: logistic classifiers, and those of clusters, whose derivatives come from scores.
"""

from dataclasses import dataclass

import numpy as np
from numpy import array, exp, sqrt

from ...quadrature import expectation_of, mean_of, variance_of
from ...statistics import close, matches, order
from ...worlds import Mixture, mixture
from .classifier import within

VARIANCES = 0.08 / 2.0 ** np.arange(6)
AFFINE = [(0.37, 0.61, 1.19), (-1.21, 1.83, -0.47), (0.83, 0.29, 2.31)]  # mean and variance of a step, and the gradient
SPACE = [
    (array([0.37, -1.21, 0.83]), 0.61, array([1.19, -0.47, 2.31])),
    (array([-0.59, 0.41, 1.37]), 1.83, array([0.73, 1.61, -0.83])),
]
TWO_POINTS = array([0.93, -0.31, 0.47]), array([-1.13, 0.67, 1.29])


@dataclass(frozen=True)
class Logistic:
    """p(y | x) = 1/(1 + exp(-(a x + b))), and the derivatives of its logarithm."""

    a: float
    b: float

    def __call__(self, x):
        return 1 / (1 + exp(-(self.a * x + self.b)))

    def derivatives(self, x):
        p, a = self(x), self.a
        return a * (1 - p), -(a**2) * p * (1 - p), -(a**3) * p * (1 - p) * (1 - 2 * p)


@dataclass(frozen=True)
class Share:
    """The share of some clusters in the density of all."""

    world: Mixture
    chosen: tuple[int, ...]

    def __call__(self, x):
        return np.sum(self.world.responsibilities(x)[..., self.chosen], axis=-1)

    def derivatives(self, x):
        both = (within(self.world, list(self.chosen)), self.world)
        orders = ((law.score(x), law.score_slope(x), law.score_curvature(x)) for law in both)
        return tuple(given - plain for given, plain in zip(*orders, strict=True))


THREE = mixture([0.23, 0.46, 0.31], [-1.61, 0.29, 1.33], [0.37, 0.71, 0.43])
CURVED = [
    (0.37, Logistic(1.7, -0.6)),
    (-0.83, Share(mixture([0.31, 0.69], [-1.13, 1.47], [0.53, 0.91]), (0,))),
    (0.71, Share(THREE, (0, 2))),
]


def mean_shift(mean, variance, mean_rate, mean_error, variance_rate, variance_error):
    """Affine logarithms at any size of the step, others at smaller and smaller ones."""
    for mu, S, g in AFFINE:
        at = {"mu": mu, "S": S, "gradient": g}
        tilted = step(mu, S, lambda x, g=g: exp(g * x))
        yield close(mean, at, mean_of(tilted, mu, sqrt(S)))
        yield close(variance, at, variance_of(tilted, mu, sqrt(S)))
    for mu, S, g in SPACE:
        yield matches(apart(mean, variance), {"mu": mu, "S": S, "gradient": g}, tilted_apart(mu, S, g))
    for mu, p in CURVED:
        gradient, slope, curvature = p.derivatives(mu)
        at = {"mu": mu, "gradient": gradient, "slope": slope, "curvature": curvature}

        def off(S, at=at, p=p):
            guided, tilted = mean(**at, S=S), step(at["mu"], S, p)
            return expectation_of(lambda x: x - guided, tilted, at["mu"], sqrt(S))

        def wider(S, at=at, p=p):
            spread = variance_of(step(at["mu"], S, p), at["mu"], sqrt(S))

            def rule(nodes):
                value, size = spread(nodes)
                return value / variance(**at, S=S) - 1, size / S + 1

            return rule

        yield order(off, VARIANCES, mean_rate, mean_error, at)
        yield order(wider, VARIANCES, variance_rate, variance_error, at)


def step(mu, S, p):
    """A Gaussian step, tilted by p, up to its normaliser."""
    return lambda x: exp(-((x - mu) ** 2) / (2 * S)) * p(x)


def apart(mean, variance):
    """How far the logarithm of the guided step is apart at two points."""

    def difference(**at):
        here, there = (-np.sum((x - mean(**at)) ** 2) / (2 * variance(**at)) for x in TWO_POINTS)
        return here - there

    return difference


def tilted_apart(mu, S, g):
    """And that of the tilted step."""
    here, there = (g @ x - np.sum((x - mu) ** 2) / (2 * S) for x in TWO_POINTS)
    return here - there
