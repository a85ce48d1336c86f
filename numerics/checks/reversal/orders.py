r"""What tries to refute the page on small steps: divergences integrated at smaller and smaller steps from one law.

The reverse kernel is the law p of the noise given x_t, the product of its definitions.  Beside it stands a Gaussian.
In the plane the divergence is taken at one x_t at a time.
"""

from dataclasses import dataclass

import numpy as np
from numpy import sqrt

from ...quadrature import EPS, expectation_of, integral_of, integral_over_plane, mean_of, settled, variance_of
from ...statistics import below, close, order
from ...worlds import Step, finite, mixture, normal
from .score import PLANE
from .step import CLUSTERS, GAUSSIANS, SOME_X_T, reverse_kernel

SMOOTH = [  # q_{t-1}
    CLUSTERS.marginal(0.743),
    mixture([0.57, 0.43], [-0.71, 0.93], [0.17, 0.62]).marginal(0.437),
    finite([0.23, 0.46, 0.31], [-1.61, 0.29, 1.33]).marginal(0.591),
]
IN_PLANE = PLANE.marginal(0.629)
AWAY = np.array([[-1.41, 0.93], [0.27, -1.19], [1.43, 0.59]])  # from its modes, where the score vanishes
BETAS = 0.02 / 2 ** np.arange(5)
LARGE = (0.317, 0.113, 0.671)


def kl_step_order(rate, constant):
    """The naive kernel, whose noise is N(0, 1): averaged over x_t on the line; at some x_t in the plane."""

    def naive(mean, variance, beta):
        return np.zeros(2), np.eye(2)

    def least(**at):
        return constant(**at) * at["beta"]

    for prior, beta in zip(SMOOTH, LARGE, strict=True):
        cost = price(prior, lambda mean, variance, beta: (0.0, 1.0))
        yield order(cost, BETAS, rate, constant, {"marginal": prior})
        yield below(least, {"beta": beta, "marginal": prior.marginal(1 - beta)}, settled(cost(beta)), strict=True)
    for x_t in AWAY:
        each = [Frozen(first=s) for s in IN_PLANE.score(x_t)]
        yield order(price_there(IN_PLANE, x_t, naive), BETAS, rate, summed(constant, each), {})


def ddpm_kernel_order(rate, constant):
    """The right mean and the variance beta: that of its noise is 1 - beta."""

    def fixed(mean, variance, beta):
        return mean, (1 - beta) * np.eye(2)

    for prior in SMOOTH:
        yield order(
            price(prior, lambda mean, variance, beta: (mean, 1 - beta)), BETAS, rate, constant, {"marginal": prior}
        )
    for x_t in AWAY:
        each = [Frozen(second=s) for s in np.linalg.eigvalsh(IN_PLANE.hessian(x_t))]
        yield order(price_there(IN_PLANE, x_t, fixed), BETAS, rate, summed(constant, each), {})


def small_beta_gaussian(variance, cumulant, rate, constant):
    """The right mean and variance: averaged, and in the plane; the skewness at large steps; and Gaussian data."""

    def best(mean, variance, beta):
        return mean, variance

    def skewness(**at):
        return cumulant(**at) / variance(**at) ** 1.5

    def leading(**at):
        return constant(**at) * at["beta"] ** rate(**at)

    for prior, beta in zip(SMOOTH, LARGE, strict=True):
        yield order(price(prior, best), BETAS, rate, constant, {"marginal": prior})
        at = {"beta": beta, "x_t": SOME_X_T, "marginal": prior.marginal(1 - beta)}
        kernel = reverse_kernel(prior, Step(alpha=1 - beta, alpha_bar_prev=1.0), SOME_X_T)
        yield close(variance, at, variance_of(kernel, width=2.0))
        yield close(skewness, at, skewness_of(kernel))
    for x_t in AWAY:
        each = [Frozen(third=c) for c in third_derivatives(IN_PLANE, x_t).flat]
        yield order(price_there(IN_PLANE, x_t, best), BETAS, rate, summed(constant, each), {})
    for (data, _), beta in zip(GAUSSIANS, LARGE, strict=True):
        yield close(leading, {"beta": beta, "marginal": data.marginal(1 - beta)}, price(data, best)(beta))


# On the line


def price(prior, gaussian):
    """At a step beta: the mean over x_t of KL(p, g), where p is the law of the noise given x_t, and g a Gaussian.

    ``gaussian(mean, variance, beta)`` is the mean and the variance of g, from those of p.
    """

    def at(beta):
        alpha, marginal = 1 - beta, prior.marginal(1 - beta)

        def divergence(x_t, nodes):
            def log_noise(e):
                log_prior = prior.log_density((x_t - sqrt(beta) * e) / sqrt(alpha))
                return log_normal(e, 0.0, 1.0) + log_prior - np.log(alpha) / 2 - marginal.log_density(x_t)

            def noise(e):
                return np.exp(log_noise(e))

            around = -sqrt(beta) * marginal.score(x_t)
            m, v = gaussian(mean_of(noise, around)(nodes)[0], variance_of(noise, around)(nodes)[0], beta)
            return integral_of(lambda e: relative(log_noise(e), log_normal(e, m, v)), around)(nodes)[0]

        def rule(nodes):
            side = 8 * int(sqrt(nodes))
            return rounded(expectation_of(lambda x_t: divergence(x_t, side), marginal, width=2.0)(side)[0])

        return rule

    return at


def relative(log_p, log_g):
    """p log(p/g) - p + g, whose integral is that of p log(p/g), and which is nowhere negative."""
    log_ratio = log_p - log_g
    return np.exp(log_g) * (log_ratio * np.exp(log_ratio) - np.expm1(log_ratio))


def rounded(value):
    """A divergence, half the mean square of a difference of logarithms, is rounded as its root, and as rounding is."""
    return value, sqrt(2 * abs(value)) + 100 * EPS


def log_normal(x, mean, variance):
    return -((x - mean) ** 2) / (2 * variance) - np.log(2 * np.pi * variance) / 2


def skewness_of(density):
    """E (x - mean)^3 over the variance to the power 3/2, of a density that is given up to a factor."""

    def rule(nodes):
        mean, variance = mean_of(density, width=2.0)(nodes)[0], variance_of(density, width=2.0)(nodes)[0]
        return expectation_of(lambda x: ((x - mean) / sqrt(variance)) ** 3, density, 0 * mean, 2.0)(nodes)

    return rule


# In the plane


def price_there(prior, x_t, gaussian):
    """At a step beta: KL(p, g) at one x_t of the plane.  Mean and covariance of p are those of the world's kernel."""

    def at(beta):
        alpha, marginal = 1 - beta, prior.marginal(1 - beta)
        kernel = prior.reverse_kernel(Step(alpha=alpha, alpha_bar_prev=1.0), x_t)
        mean, covariance = (x_t - sqrt(alpha) * kernel.mean) / sqrt(beta), alpha / beta * kernel.covariance
        m, v = gaussian(mean, covariance, beta)
        around, precision, volume = marginal.log_density(x_t), np.linalg.inv(v), np.linalg.slogdet(v)[1]

        def integrand(*e):
            e = np.stack(e, axis=-1)
            log_prior = prior.log_density((x_t - sqrt(beta) * e) / sqrt(alpha))
            log_noise = -np.sum(e**2, axis=-1) / 2 + log_prior - np.log(alpha) - around
            log_g = -np.sum((e - m) @ precision * (e - m), axis=-1) / 2 - volume / 2
            return relative(log_noise, log_g) / (2 * np.pi)

        return lambda nodes: rounded(integral_over_plane(integrand, tuple(mean))(nodes)[0])

    return at


@dataclass(frozen=True)
class Frozen:
    """A law that has the same derivatives of its logarithm everywhere, so that to average them is to read them."""

    first: float = 0.0
    second: float = 0.0
    third: float = 0.0

    def __call__(self, x):
        return normal(x, 0.0, 1.0)

    def score(self, x):
        return self.first + 0 * x

    def score_slope(self, x):
        return self.second + 0 * x

    def score_curvature(self, x):
        return self.third + 0 * x


def summed(constant, laws):
    """The constant in the plane: a squared norm is a sum of squares."""
    return lambda **_: sum(constant(marginal=law) for law in laws)


def third_derivatives(law, x):
    """Of log q, for a mixture in d dimensions: the third cumulant of the pulls, and how they go with the precisions."""
    r, precisions = law.responsibilities(x), np.linalg.inv(law.covariances)
    pulls = np.einsum("kij,kj->ki", precisions, law.means - x)
    pulls = pulls - r @ pulls
    mixed = np.einsum("k,ki,kjl->ijl", r, pulls, precisions)
    cubes = np.einsum("k,ki,kj,kl->ijl", r, pulls, pulls, pulls)
    return cubes - mixed - mixed.transpose(1, 0, 2) - mixed.transpose(1, 2, 0)
