r"""What tries to refute the page on importance weights: all that k draws from finitely many z can be, enumerated.

Of such draws only the number of each z matters, so that a mean over k of them is a sum over multinomial counts. Draws
from a Gaussian are simulated.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
from hypothesis import strategies as st
from numpy import array, exp, log, sqrt
from scipy.special import gammaln

from ...quadrature import integral_of, settled, sum_of
from ...statistics import below, both, for_all, gauss_hermite, matches, moments, order, sampled
from ...worlds import normal

FEW = (1, 2, 3, 6)  # draws
MANY = 2.0 ** -np.arange(3, 8)  # one over the number of draws


def iwae(estimate, less, more, rate, constant):
    """The estimate, averaged over all draws: p(x) before the logarithm; then the bound, which rises, and how fast."""

    def before_the_logarithm(**at):
        return np.sum(at["chances"] * exp(estimate(**at)))

    def averaged(**at):
        return np.sum(at["chances"] * estimate(**at))

    for world in POINTS:
        for k in FEW:
            at = world.letters(k)
            yield matches(before_the_logarithm, at, world.evidence)
            yield matches(averaged, at, world.bound(k), magnitude=1.0)
            yield below(less, at, more(**at), strict=True)
            yield below(more, at, log(world.evidence), strict=True)
            for bound in (less, more):  # with equal weights nothing is lost
                yield matches(bound, at | {"L": world.posterior().bound}, log(world.evidence), magnitude=1.0)
        yield order(world.loss, MANY, rate, constant, world.letters(1))
        yield sampled(world.draw(4), averaging(estimate, world, 4))
    for model in MODELS:
        yield from both(model.draw, unbiased(estimate, model), by=gauss_hermite)

    some = {"world": worlds, "k": st.integers(1, 5)}
    yield for_all(examples=30, **some)(lambda world, k: matches(before_the_logarithm, world.letters(k), world.evidence))
    yield for_all(examples=30, **some)(
        lambda world, k: matches(averaged, world.letters(k), world.bound(k), magnitude=1.0)
    )
    yield for_all(examples=30, **some)(
        lambda world, k: below(less, world.letters(k), more(**world.letters(k)), magnitude=1.0)
    )
    yield for_all(examples=30, **some)(
        lambda world, k: below(more, world.letters(k), log(world.evidence), magnitude=1.0)
    )


@dataclass(frozen=True)
class Values:
    """A positive function of its slot, which a formula may take the logarithm of."""

    at: Callable

    def __call__(self, slot):
        return self.at(slot)

    def log_density(self, slot):
        return log(self.at(slot))


# Finitely many z


@dataclass(frozen=True)
class Finite:
    """q(z) and p(x, z) for every z, at some x."""

    q: tuple[float, ...]
    joint: tuple[float, ...]

    @property
    def evidence(self):
        return sum(self.joint)

    @property
    def weights(self):
        return array(self.joint) / array(self.q)

    def posterior(self):
        """The same model, drawn from its posterior."""
        return Finite(tuple(array(self.joint) / self.evidence), self.joint)

    def letters(self, k):
        """The weights w(1), ..., w(k) of all draws, one after another, with the chance of each."""
        counts = compositions(len(self.q), k)
        drawn = array([np.repeat(np.arange(len(self.q)), each) for each in counts])
        return {
            "k": k,
            "w": Values(lambda i: self.weights[drawn[:, int(i) - 1]]),
            "chances": self.chances(counts),
            "L": self.bound,
            "x": 0.0,
            "evidence": Values(lambda x: self.evidence),
            "spread": array(self.q) @ (self.weights - self.evidence) ** 2,
        }

    def chances(self, counts):
        """Of these counts, in as many draws."""
        each = gammaln(1 + np.sum(counts, axis=1)) - np.sum(gammaln(1 + counts) - counts * log(self.q), axis=1)
        return exp(each)

    def bound(self, k):
        """The mean of the logarithm of the mean of k weights."""
        counts = compositions(len(self.q), int(k))
        return self.chances(counts) @ log(counts @ self.weights / k)

    def loss(self, h):
        """What is lost with 1/h draws."""
        counts = compositions(len(self.q), round(1 / h))
        return sum_of(self.chances(counts) * -log(h * (counts @ self.weights) / self.evidence))

    def draw(self, k):
        """Draws of which z is which, (k, draws)."""
        return lambda rng, draws: (np.searchsorted(np.cumsum(self.q)[:-1], rng.random((k, draws))),)


@cache
def compositions(kinds, k):
    """All ways to write k as a sum of so many numbers, (ways, kinds)."""
    if kinds == 1:
        return array([[k]])
    return np.concatenate(
        [
            np.column_stack([np.full(len(rest), first), rest])
            for first in range(k + 1)
            for rest in [compositions(kinds - 1, k - first)]
        ]
    )


def averaging(estimate, world, k):
    """The estimate has the mean that all draws together give it."""
    counts, mean = compositions(len(world.q), k), world.bound(k)
    away = log(counts @ world.weights / k) - mean
    second, fourth = (world.chances(counts) @ away**n for n in (2, 4))

    def scores(z):
        found = estimate(k=k, w=Values(lambda i: world.weights[z[int(i) - 1]]))
        return moments(found + 0 * z[0], mean, None, (second, fourth, np.inf))

    return scores


# A Gaussian model, and a q that is broader than the posterior


@dataclass(frozen=True)
class Model:
    """z is N(m, tau^2), x given z is N(z, sigma^2), and q = N(a, b)."""

    x: float
    m: float
    tau: float
    sigma: float
    a: float
    b: float

    DRAWS = 3

    def joint(self, z):
        return normal(z, self.m, self.tau**2) * normal(self.x, z, self.sigma**2)

    def weight(self, z):
        return self.joint(z) / normal(z, self.a, self.b)

    def draw(self, rng, draws):
        return (self.a + sqrt(self.b) * rng.standard_normal((self.DRAWS, draws)),)


def unbiased(estimate, model):
    """The exponential of the estimate averages to p(x)."""
    p = settled(integral_of(model.joint, model.x))

    def central(n):
        return settled(integral_of(lambda z: normal(z, model.a, model.b) * (model.weight(z) / p - 1) ** n, model.a))

    k, second, fourth = model.DRAWS, central(2), central(4)
    null = second / k, (3 * (k - 1) * second**2 + fourth) / k**3, np.inf

    def scores(z):
        found = estimate(k=k, w=Values(lambda i: model.weight(z[int(i) - 1])))
        return moments(exp(found + 0 * z[0]) / p, 1.0, None, null)

    return scores


POINTS = [
    Finite((0.43, 0.57), (0.31, 0.19)),
    Finite((0.23, 0.46, 0.31), (0.17, 0.53, 0.29)),
    Finite((0.37, 0.22, 0.41), (0.61, 0.13, 0.35)),
]
MODELS = [
    Model(0.83, 0.37, 1.29, 0.64, 0.71, 0.58),
    Model(-1.13, 0.59, 0.83, 1.17, 0.13, 0.83),
    Model(0.41, -0.72, 1.47, 0.91, -0.29, 0.97),
]

chances = st.tuples(*[st.floats(0.2, 1)] * 3).map(lambda q: tuple(array(q) / sum(q)))
worlds = st.builds(Finite, chances, st.tuples(*[st.floats(0.1, 1)] * 3))
