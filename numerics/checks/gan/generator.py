r"""What tries to refute the page on the generator: slopes of losses, as samples feel them, and modes that are dropped.

Slopes in the letters of a formula are taken by complex steps: f(z + ih) is f(z) + ih f'(z), and with h = 1e-30 nothing
cancels.  The slope of an average over the generator is also computed as one trains it: by moving its samples.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st
from numpy import exp, log
from scipy.special import expit, rel_entr
from scipy.stats import beta

from ...quadrature import Rule, integral_of, integral_over_unit, settled
from ...statistics import close, for_all, limit, matches
from ...worlds import Mixture, mixture, normal

H = 1e-30

logits = st.floats(-9, 9)


def nonsaturating_gradient(saturating, nonsaturating, ratio):
    """For all logits, the slopes of both losses, and how they compare."""
    for formula, loss in ((saturating, lambda a: -log(1 + exp(a))), (nonsaturating, lambda a: log(1 + exp(-a)))):
        yield for_all(a=logits)(
            lambda a, formula=formula, loss=loss: matches(formula, {"a": a}, slope(loss, a), magnitude=1.0)
        )
    yield for_all(a=logits)(
        lambda a: matches(ratio, {"a": a}, slope(lambda a: -log(sigmoid(a)), a) / slope(lambda a: log(sigmoid(-a)), a))
    )


def nonsaturating_divergence(objective, divergence):
    """The loss, and how it and the divergence change away from theta_0, against samples that are moved."""
    for game, theta_0 in GAMES:
        at = {"data": game.data, "generator": game.generator, "middle": game.middle, "theta_0": theta_0}
        yield close(objective, at | {"t": 0.0}, game.loss_of_samples(theta_0))
        for formula in (objective, divergence):
            yield close(slope_in_t(formula), at | {"t": 1j * H}, game.pull_on_samples(theta_0))


def mode_drop_cost(cost, jsd, growth):
    """Divergences of modes with disjoint supports, integrated over them one after the other."""
    for modes in MODES:
        kept, equal = modes[0], [1 / len(modes)] * len(modes)
        yield close(cost, {"modes": len(modes)}, divergence(modes, kept.density, mixed(modes, equal)))
    for pair in PAIRS:
        p, g = mixed(pair, [0.5, 0.5]), pair[0].density
        m = lambda x, p=p, g=g: (p(x) + g(x)) / 2
        yield close(jsd, {}, added([divergence(pair, p, m), divergence(pair, g, m)], 0.5))

        def per_fold(h, pair=pair, p=p):
            """D_KL(p || g) / s with h = 1/s, where g has the second mode exp(-s) times as often as the first."""
            rare = exp(-1 / h) / (1 + exp(-1 / h))
            return h * settled(divergence(pair, p, mixed(pair, [1 - rare, rare])))

        yield limit(growth, {}, per_fold, 0.05 / 2.0 ** np.arange(4))


# Slopes.


def slope(f, a):
    return np.imag(f(a + 1j * H)) / H


def sigmoid(a):
    return 1 / (1 + exp(-a))


def slope_in_t(formula):
    """The slope of a formula at t = 0, from its value at the complex step that t is given."""
    return lambda **at: np.imag(formula.evaluated(at)) / H


# Generators that move and stretch their noise.


@dataclass(frozen=True)
class Game:
    """Data, and a generator x = m + a theta + sigma exp(b theta) z."""

    data: Mixture
    m: float
    sigma: float
    a: float
    b: float

    def centre(self, theta):
        return self.m + self.a * theta

    def spread(self, theta):
        return self.sigma * exp(self.b * theta)

    def sample(self, theta, z):
        return self.centre(theta) + self.spread(theta) * z

    def generator(self, x, theta):
        return normal(x, self.centre(theta), self.spread(theta) ** 2)

    def middle(self, x, theta):
        return (self.data(x) + self.generator(x, theta)) / 2

    def logit_of_samples(self, theta, z):
        """log p - log g, of the best response."""
        return self.data.log_density(self.sample(theta, z)) + z**2 / 2 + log(2 * np.pi * self.spread(theta) ** 2) / 2

    def loss_of_samples(self, theta) -> Rule:
        """E -log D, over the noise, where D is the best response."""
        return integral_of(lambda z: normal(z, 0.0, 1.0) * np.logaddexp(0.0, -self.logit_of_samples(theta, z)))

    def pull_on_samples(self, theta) -> Rule:
        """E -(1 - D) (dlogit/dx) (dx/dtheta)."""

        def integrand(z):
            steepness = self.data.score(self.sample(theta, z)) + z / self.spread(theta)
            force = steepness * (self.a + self.b * self.spread(theta) * z)
            return -normal(z, 0.0, 1.0) * expit(-self.logit_of_samples(theta, z)) * force

        return integral_of(integrand)


CLUSTERS = mixture([0.31, 0.69], [-1.13, 1.47], [0.23, 0.41])
GAMES = [
    (Game(CLUSTERS, m=0.37, sigma=0.83, a=1.0, b=0.0), -0.59),
    (Game(CLUSTERS, m=-0.71, sigma=1.27, a=0.0, b=1.0), 0.23),
    (Game(mixture([0.57, 0.43], [-0.71, 0.93], [0.17, 0.62]), m=0.19, sigma=0.67, a=-0.83, b=0.61), 0.47),
]


# Modes with disjoint supports.


@dataclass(frozen=True)
class Bump:
    """A density on the segment from start to start + length, zero elsewhere."""

    start: float
    length: float
    left: float
    right: float

    def density(self, x):
        return beta.pdf(x, self.left, self.right, self.start, self.length)


def mixed(bumps, weights) -> Callable:
    return lambda x: sum(w * bump.density(x) for w, bump in zip(weights, bumps, strict=True))


def divergence(bumps, q, p) -> Rule:
    """The integral of q log(q/p) over the supports of some modes."""

    def over(bump):
        def integrand(u, rest):
            x = bump.start + bump.length * u
            return bump.length * rel_entr(q(x), p(x))

        return integral_over_unit(integrand)

    return added([over(bump) for bump in bumps])


def added(rules, weight=1.0) -> Rule:
    def rule(nodes):
        values, magnitudes = zip(*(each(nodes) for each in rules), strict=True)
        return weight * np.sum(values, axis=0), weight * np.sum(magnitudes, axis=0)

    return rule


FIVE = [
    Bump(k, length, *shape)
    for k, length, shape in (
        (-3.1, 0.7, (2.3, 3.1)),
        (-1.9, 1.3, (3.7, 2.9)),
        (0.2, 0.4, (2.1, 2.6)),
        (1.1, 0.9, (4.2, 3.3)),
        (2.7, 1.6, (2.8, 2.2)),
    )
]
MODES = [FIVE[:2], FIVE[1:4], FIVE]
PAIRS = [FIVE[:2], FIVE[1:3], FIVE[3:]]
