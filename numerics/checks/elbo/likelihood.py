r"""What tries to refute the page on likelihood: data and models that are mixtures, averaged over each other.

Averages over pairs (x, z) are integrated over the plane. The best Gaussian is looked for: forwards by small changes of
it, backwards by the descent that makes the mean slope and the mean curvature of two log densities equal.
"""

from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st
from numpy import array, log, sqrt

from ...quadrature import expectation_of, integral_of, integral_over_plane
from ...statistics import above, below, close, for_all, matches
from ...worlds import Mixture, gaussian, mixture
from .bound import Model, gaussians, log_normal, numbers, spreads
from .inequalities import LAWS, spots


@dataclass(frozen=True)
class Trained:
    """A model, and the data that it is a model of."""

    data: Mixture
    model: Model

    def letters(self):
        at = self.model.letters(0.0)
        laws = {"joint": at["joint"], "posterior": at["posterior"], "model": self.model.evidence}
        return {"data": self.data, "encoder": at["q"], **laws}

    def pairs(self, f):
        """E f(x, z) with x from the data and z from the encoder, in the plane."""
        q, rate = self.model.q, self.model.follows

        def integrand(x, u):
            return self.data(x) * q(u) * f(x, u + rate * x, q.log_density(u))

        centre, width = (self.data.mean, q.mean), (sqrt(self.data.variance), sqrt(q.variance))
        return integral_over_plane(integrand, centre, width)

    def log_joint(self, x, z):
        return self.model.prior.log_density(z) + log_normal(x, self.model.slope * z, self.model.noise)

    def elbo(self):
        """The bound, on average over the data."""
        return self.pairs(lambda x, z, log_q: self.log_joint(x, z) - log_q)

    def divergence(self):
        """That of the pair (x, z), as the data and the encoder make it, from the model."""
        return self.pairs(lambda x, z, log_q: self.data.log_density(x) + log_q - self.log_joint(x, z))

    def likelihood(self):
        """The log likelihood, on average over the data."""
        seen = self.model.evidence
        return expectation_of(seen.log_density, self.data, centre=self.data.mean, width=sqrt(self.data.variance))


WORLDS = [
    Trained(LAWS[1], Model(gaussian(0.37, 1.83), 1.29, 0.71, gaussian(0.23, 0.57), 0.41)),
    Trained(
        LAWS[2], Model(mixture([0.31, 0.69], [-1.13, 1.47], [0.43, 0.81]), 0.77, 0.63, gaussian(-0.29, 0.83), 0.53)
    ),
    Trained(
        gaussian(0.59, 1.37), Model(LAWS[2], -1.13, 0.87, mixture([0.38, 0.62], [-0.47, 0.59], [0.64, 0.31]), -0.36)
    ),
]
WEIGHTS = [(array([0.23, 0.46, 0.31]), array([0.37, 0.22, 0.41])), (array([0.64, 0.36]), array([0.43, 0.57]))]
MODES = [(0.31, -1.13, 0.43, 1.47, 0.81), (0.64, 0.37, 0.29, -2.19, 0.57), (0.47, 1.91, 1.37, -0.83, 0.36)]
DISTANT = [(0.31, -7.3, 0.43, 9.1, 0.81), (0.64, 8.7, 0.29, -8.9, 0.57), (0.47, 11.3, 1.37, -7.9, 0.36)]

modes = st.tuples(st.floats(0.1, 0.9), numbers, spreads, numbers, spreads)


def mle_is_forward_kl(likelihood, bound, split, best_mean, best_variance, kept_mean, kept_variance):
    """Averages over data and over pairs; Gaussians near the best; what descent finds, and what it costs."""
    for world in WORLDS:
        yield close(likelihood, world.letters(), world.likelihood())
        yield close(put_in(bound, world.letters()), {}, world.elbo())
        yield close(put_in(split, world.letters()), {}, world.divergence())
    for weights, others in WEIGHTS:
        at = {"data": spots(weights), "model": spots(others)}
        # On the line a spot has an entropy of its own, in the data and in the model.
        spot = -log(2 * np.pi * np.e * 0.37) / 2
        yield matches(likelihood, at, weights @ log(others) + spot, magnitude=1 - spot)

    def ahead_of(data, further, wider):
        """How much better the best Gaussian is than one further on, or wider."""

        def ahead(**at):
            mean, variance = best_mean(**at), best_variance(**at)
            other = mean + further * sqrt(variance), wider * variance
            return averaged(data, lambda x: log_normal(x, mean, variance) - log_normal(x, *other))

        return ahead

    for data in LAWS:
        for further, wider in ((0.02, 1.0), (-0.02, 1.0), (0.0, 1.02), (0.0, 0.98)):
            at = {"data_mean": data.mean, "data_variance": data.variance}
            yield above(ahead_of(data, further, wider), at, 0.0, strict=True, magnitude=1.0)

    def price(**at):
        """The divergence of what is kept, from both modes."""
        mean, variance = kept_mean(**at), kept_variance(**at)

        def lost(z):
            x = mean + sqrt(variance) * z
            return log_normal(x, mean, variance) - two_modes(at).log_density(x)

        return averaged(gaussian(0.0, 1.0), lost)

    for numbers_of_modes in DISTANT:
        at = named(numbers_of_modes)
        mean, variance = descended(two_modes(at), at["near"] + 0.3 * sqrt(at["c"]), 1.4 * at["c"])
        yield matches(kept_mean, at, mean)
        yield matches(kept_variance, at, variance)
        yield matches(price, at, -log(at["w"]), magnitude=10.0)
    for numbers_of_modes in MODES:
        yield below(price, named(numbers_of_modes), -log(numbers_of_modes[0]), strict=True)

    yield for_all(model=gaussians, mean=numbers, variance=spreads, examples=30)(
        lambda model, mean, variance: matches(
            likelihood, Trained(gaussian(mean, variance), model).letters(), *of_gaussians(model, mean, variance)
        )
    )
    yield for_all(some=modes, examples=30)(lambda some: below(price, named(some), -log(some[0]), magnitude=10.0))


def put_in(formula, at):
    """The formula at these letters: averages over the plane are not taken once more for each letter."""
    return lambda: formula(**at)


def averaged(law, f):
    return integral_of(lambda x: law(x) * f(x), centre=law.mean, width=sqrt(law.variance))(2**11)[0]


def of_gaussians(model, mean, variance):
    """The log density of a Gaussian model, on average over a Gaussian; and the size of its terms."""
    seen = model.evidence
    terms = log_normal(mean, seen.mean, seen.variance), -variance / (2 * seen.variance)
    return sum(terms), 1 + sum(map(abs, terms))


def named(numbers) -> dict[str, float]:
    return dict(zip(("w", "near", "c", "far", "wide"), numbers, strict=True))


def two_modes(at):
    return mixture([at["w"], 1 - at["w"]], [at["near"], at["far"]], [at["c"], at["wide"]])


def descended(data, mean, variance):
    """The Gaussian that diverges least from the data, of those nearby: its mean slope and curvature are theirs."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(20)
    weights = weights / np.sum(weights)
    for _ in range(12):
        x = mean + sqrt(variance) * nodes
        mean, variance = mean + variance * (weights @ data.score(x)), -1 / (weights @ data.score_slope(x))
    return mean, variance
