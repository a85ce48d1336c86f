r"""What tries to refute Bayes' rule: joint laws of the plane, cut along lines.

A joint law comes first, a mixture of tilted Gaussians. Prior and marginal are its shadows, the likelihood its slices
along x over the prior, and the posterior its slices along :math:`\theta` over what quadrature finds in them.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from hypothesis import strategies as st
from numpy import exp, log, sqrt

from ...quadrature import integral_of
from ...statistics import close, for_all, matches
from ...worlds import mixture, normal


@dataclass(frozen=True)
class Joint:
    """A mixture of Gaussian laws of pairs (x, theta): means, standard deviations and correlations of its components."""

    weights: list[float]
    means: list[tuple[float, float]]
    spreads: list[tuple[float, float]]
    correlations: list[float]

    @cached_property
    def components(self):
        return [np.array(numbers).T for numbers in (self.weights, self.means, self.spreads, self.correlations)]

    def shadow(self, k):
        """The law of x, or of theta."""
        weights, means, spreads, _ = self.components
        return mixture(weights, means[k], spreads[k] ** 2)

    def terms(self, x, theta):
        """The logarithm of each component, and of its shadow on theta."""
        weights, means, spreads, correlations = self.components
        left = 1 - correlations**2
        u, v = ((np.asarray(z)[..., None] - m) / s for z, m, s in zip((x, theta), means, spreads))
        shadow = log(weights / sqrt(2 * np.pi) / spreads[1]) - v**2 / 2
        return shadow - log(2 * np.pi * left * spreads[0] ** 2) / 2 - (u - correlations * v) ** 2 / (2 * left), shadow

    def __call__(self, x, theta):
        return np.sum(exp(self.terms(x, theta)[0]), axis=-1)

    def likelihood(self, x, theta):
        """The joint density over the prior; both may be as small as they like."""
        pairs, shadow = self.terms(x, theta)
        top = np.max(shadow, axis=-1, keepdims=True)
        return np.sum(exp(pairs - top), axis=-1) / np.sum(exp(shadow - top), axis=-1)

    def peak(self, x):
        """The largest value over theta."""
        return np.max(self(np.asarray(x)[..., None], np.linspace(-9, 9, 3601)), axis=-1)


POINTS = [
    Joint([1.0], [(0.37, -0.52)], [(1.35, 0.82)], [0.64]),
    Joint([0.31, 0.69], [(-1.13, 0.84), (1.47, -0.29)], [(0.73, 0.66), (0.84, 0.96)], [-0.64, 0.47]),
    Joint([0.46, 0.54], [(0.61, 1.21), (-0.43, -1.07)], [(1.17, 0.62), (0.69, 1.09)], [0.39, 0.31]),
]
SOME_X, SOME_THETA = np.array([-0.71, 0.23, 1.37]), np.array([0.43, -0.97, 0.61])

near = st.floats(-1.5, 1.5)  # in standard deviations
numbers, spreads, correlations = st.floats(-1, 1), st.floats(0.5, 2), st.floats(-0.7, 0.7)
pairs = st.builds(
    lambda mean, spread, correlation: Joint([1.0], [mean], [spread], [correlation]),
    st.tuples(numbers, numbers),
    st.tuples(spreads, spreads),
    correlations,
)


def rule(posterior, evidence):
    """The slices of joint laws along theta; and for all Gaussian pairs, the law of theta given x by regression."""
    for joint in POINTS:
        at = letters(joint, SOME_X, SOME_THETA)
        mass = integral_of(lambda theta, joint=joint: joint(SOME_X, theta), centre=np.zeros(3), width=1.0)
        yield close(evidence, at, mass)
        yield close(posterior, at, slice_over(joint(SOME_X, SOME_THETA), mass))

    def regressed(pair, x, theta):
        (m_x, m_theta), (s_x, s_theta), (rho,) = pair.means[0], pair.spreads[0], pair.correlations
        at = letters(pair, m_x + s_x * x, m_theta + s_theta * theta)
        return matches(posterior, at, normal(theta, rho * x, 1 - rho**2) / s_theta)

    yield for_all(pair=pairs, x=near, theta=near)(regressed)


def letters(joint, x, theta):
    laws = {"prior": joint.shadow(1), "marginal": joint.shadow(0)}
    return {"x": x, "theta": theta, "likelihood": joint.likelihood, "peak": joint.peak, **laws}


def slice_over(height, mass):
    """The height of a slice over its mass."""

    def divided(nodes):
        total, magnitude = mass(nodes)
        return height / total, height / total * (magnitude / total)

    return divided
