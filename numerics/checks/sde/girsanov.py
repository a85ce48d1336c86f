"""What tries to refute the page on Girsanov's theorem: short steps back, and whole paths of Gaussians.

Without a score, and where the variance is preserved, the reverse diffusion is linear, so that its steps are known for
any length: between two times it is a step of the naive chain. Its paths, seen at some times, are Gaussian vectors.
"""

import numpy as np
from numpy import exp, log, sqrt

from ...quadrature import integral_over_plane, integral_over_unit
from ...statistics import Hermite, above, both, close, limit, matches
from ...statistics import moments as mean_and_variance
from ...worlds import gaussian as gaussian_law
from ...worlds import mixture
from ..reversal.distance import ends_of_gaussians, paths_of_gaussians
from ..vlb.quadratics import moments_of_quadratic
from .likelihood import at_time
from .moments import DIFFUSIONS, TIMES, Function

WORLDS = [
    mixture([0.31, 0.69], [-1.13, 1.47], [0.23, 0.41]),
    gaussian_law(0.37, 1.83),
    mixture([0.57, 0.28, 0.15], [-0.71, 0.93, 2.1], [0.37, 0.62, 0.49]),
]
GUESS = gaussian_law(-0.61, 0.73)  # a law whose score is taken for that of x_t
SHORTER = 0.06 / 2 ** np.arange(5)
BETAS = [np.array([0.31]), np.array([0.13, 0.47]), np.array([0.07, 0.23, 0.29, 0.11, 0.53])]
DATA = [gaussian_law(0.83, 0.31), gaussian_law(-0.47, 1.83), gaussian_law(1.21, 4.7)]


def girsanov(path_rate, gaussian):
    """Divergences of shorter and shorter steps; of paths, integrated, by matrices, by draws; and of their ends."""
    for world, diffusion, t in zip(WORLDS, DIFFUSIONS, TIMES, strict=True):
        law = at_time(world, diffusion, t)
        at = {"t": t, "g": Function(diffusion.g), "marginal": law, "predicted": GUESS.score, "model": GUESS}
        yield limit(path_rate, at, divergence_of_a_step(world, diffusion, t), SHORTER)
    for data in DATA:
        for betas in BETAS:
            at = letters(data, betas)
            value, size = paths_of_gaussians(data, betas)
            yield matches(gaussian, at, value, magnitude=size)
            yield close(gaussian, at, along_the_path(data, betas))
            yield above(gaussian, at, ends_of_gaussians(data, betas), strict=True)
    for betas in BETAS[:2]:
        yield from both(drawn(DATA, betas), summed(gaussian, DATA, betas), by=Hermite(degree=2))


def letters(data, betas):
    """The variance of the data, and that of the noise in x_T in units of the signal."""
    return {"v_0": data.variance, "rho": 1 / np.prod(1 - betas) - 1}


def divergence_of_a_step(world, diffusion, t):
    """Of Bayes' kernel from a step of the reverse diffusion with a guessed score, over the length of the step."""
    f, g, after = diffusion.f(t), diffusion.g(t), at_time(world, diffusion, t)

    def value_at(h):
        before, between, sigma = at_time(world, diffusion, t - h), diffusion.between(t - h, t), sqrt(h) * g

        def integrand(x, z):
            y = x - h * (f * x - g**2 * GUESS.score(x)) + sigma * z
            log_kernel = before.conditioned(*between, x).log_density(y)
            log_model = -(z**2) / 2 - log(2 * np.pi * sigma**2) / 2
            return after(x) * exp(log_kernel) * (log_kernel - log_model) * sigma

        rule = integral_over_plane(integrand, (after.mean, 0.0), (sqrt(after.variance), 1.0))
        return lambda nodes: tuple(part / h for part in rule(nodes))

    return value_at


def along_the_path(data, betas):
    """Half the Fisher information, integrated over the time in which the signal falls by one factor e a unit."""
    B = -np.sum(np.log1p(-betas))

    def rate(u, rest):
        left = exp(-u * B)
        return B / (2 * (left * data.variance + 1 - left))

    return integral_over_unit(rate)


# Draws of paths, with a coordinate for each of the data


def path(data, betas, normals):
    """From normals, (n, coordinates * times), the coordinates at all times: arrays (coordinates, n)."""
    first, *rest = normals.T.reshape(len(betas) + 1, len(data), -1)
    means, variances = at_both_ends(data)
    xs = [means + sqrt(variances) * first]
    for beta, z in zip(betas, rest, strict=True):
        xs.append(sqrt(1 - beta) * xs[-1] + sqrt(beta) * z)
    return xs


def at_both_ends(data, alpha_bar=1.0):
    """The means and the variances when this is left of the data."""
    means, variances = (np.array([[getattr(each, name)] for each in data]) for name in ("mean", "variance"))
    return sqrt(alpha_bar) * means, alpha_bar * variances + 1 - alpha_bar


def log_ratio(data, betas, *xs):
    """Of the two laws of a path: forwards from the data, and backwards from a correct x_T."""
    forwards = log_normal(xs[0], *at_both_ends(data))
    backwards = log_normal(xs[-1], *at_both_ends(data, np.prod(1 - betas)))
    for beta, before, after in zip(betas, xs[:-1], xs[1:], strict=True):
        forwards = forwards + log_normal(after, sqrt(1 - beta) * before, beta)
        backwards = backwards + log_normal(before, after / sqrt(1 - beta), beta / (1 - beta))
    return np.sum(forwards - backwards, axis=0)


def log_normal(x, mean, variance):
    return -((x - mean) ** 2) / (2 * variance) - log(2 * np.pi * variance) / 2


def drawn(data, betas):
    return lambda rng, n: path(data, betas, rng.standard_normal((n, len(data) * (len(betas) + 1))))


def summed(gaussian, data, betas):
    """The log ratio has the mean that is claimed; its moments are those of a polynomial in normals."""
    dimension = len(data) * (len(betas) + 1)
    _, second, fourth = moments_of_quadratic(lambda z: log_ratio(data, betas, *path(data, betas, z)), dimension)

    def scores(*xs):
        claimed = sum(gaussian(**letters(each, betas)) for each in data)
        return mean_and_variance(log_ratio(data, betas, *xs), claimed, None, (second, fourth, np.inf))

    return scores
