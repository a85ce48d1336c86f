r"""What tries to refute the page on the bound: paths from one x_0, of a process and of models that are not its reverse.

The logarithm of q(x_{1:T} | x_0)/p(x_{0:T}) is computed from the definitions, step by step. Where the model is linear
it is a quadratic polynomial of the noise, whose mean is known; elsewhere it is integrated over the noise.
"""

from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import numpy as np
from hypothesis import strategies as st
from numpy import sqrt

from ...quadrature import integral_over_plane
from ...schedules import Schedule
from ...statistics import above, both, close, for_all, gauss_hermite, matches, moments
from ...worlds import Mixture, gaussian, normal
from ..reversal.posterior import regressed
from ..reversal.step import GAUSSIANS, SQUARES
from .quadratics import moments_by_quadrature, moments_of_quadratic


@dataclass(frozen=True)
class Model:
    """Steps to N(pull x_t + push + bend sin x_t, width + t/9), from N(0.3, 1.4) at the end."""

    pull: float
    push: float
    width: float
    bend: float = 0.0

    start = gaussian(0.3, 1.4)

    def mean(self, x_t, t):
        return self.pull * x_t + self.push + self.bend * np.sin(x_t)

    def variance(self, t):
        return self.width + t / 9


@dataclass(frozen=True)
class Exact:
    """The reverse kernels of Gaussian data, from q_T at the end: a model that makes no mistake."""

    data: Mixture
    betas: tuple

    @property
    def start(self):
        return self.data.marginal(np.prod(1 - np.array(self.betas)))

    def mean(self, x_t, t):
        return self.data.reverse_kernel(step_of(self.betas, t), x_t).mean

    def variance(self, t):
        return self.data.reverse_kernel(step_of(self.betas, t), 0.0).variance


CHAINS = [
    (0.83, (0.43, 0.29), Model(0.87, 0.23, 0.31)),
    (-1.37, (0.19, 0.37, 0.53), Model(0.71, -0.41, 0.17)),
    (0.47, (0.23, 0.17, 0.31, 0.41), Model(1.13, 0.11, 0.43)),
]
BENT = 0.83, (0.43, 0.29), Model(0.87, 0.23, 0.31, -0.61)
IN_SPACE = (
    np.array([0.83, -0.41, 1.27]),
    (0.37, 0.29, 0.43),
    [Model(0.87, 0.23, 0.31), Model(0.61, -0.37, 0.59), Model(1.09, 0.13, 0.19)],
)
AXES = np.linalg.qr(np.array([[0.83, 0.41, -0.29], [-0.37, 0.91, 0.53], [0.61, -0.23, 0.79]]))[0]

betas = st.floats(0.05, 0.7)
some = {
    "x_0": st.floats(-2, 2),
    "betas": st.lists(betas, min_size=1, max_size=3).map(tuple),
    "model": st.builds(Model, st.floats(0.3, 1.3), st.floats(-1, 1), st.floats(0.1, 1.5)),
}
paths = st.lists(st.tuples(betas, st.floats(-2, 2)), min_size=2, max_size=6)


def decomposition(ends, bound):
    """The mean of the logarithm of the ratio, integrated and simulated; it is above the evidence, or equal to it."""
    for chain in CHAINS:
        claimed, (value, *null) = once(bound, *chain), moments_of_ratio(*chain)
        yield matches(claimed, {}, value, size_of_terms(*chain))
        yield from both(noise(chain[1]), averaged(claimed, chain, null), SQUARES)
        yield above(claimed, {}, -log_evidence(*chain), strict=True, magnitude=size_of_terms(*chain))
    claimed = once(bound, *BENT)
    yield close(claimed, {}, power_of_ratio(1))
    yield from both(noise(BENT[1]), averaged(claimed, BENT, moments_by_quadrature(power_of_ratio)), gauss_hermite)
    value, size = moments_of_quadratic(log_ratio_in_space, 9)[0], sum(size_of_terms(*chain) for chain in along_axes())
    yield matches(lambda **_: sum(bound(**letters(*chain)) for chain in along_axes()), {}, value, size)
    # The case of equality: a model that makes no mistake.
    for (data, _), (x_0, betas, _) in zip(GAUSSIANS, CHAINS, strict=True):
        chain = x_0, betas, Exact(data, betas)
        yield matches(once(bound, *chain), {}, -data.log_density(x_0), size_of_terms(*chain))

    yield for_all(**some, examples=6)(
        lambda **chain: matches(once(bound, **chain), {}, moments_of_ratio(**chain)[0], size_of_terms(**chain))
    )
    yield for_all(x_0=some["x_0"], path=paths)(lambda x_0, path: turned_round(ends, x_0, *zip(*path, strict=True)))


# The letters of the page


def step_of(betas, t):
    return Schedule(np.array(betas)).step(int(t))


def letters(x_0, betas, model):
    """The kernels of the process and of the model; data from N(0.4, 0.7) for whoever asks for them."""
    alpha_bars, data = np.concatenate([[1.0], np.cumprod(1 - np.array(betas))]), gaussian(0.4, 0.7)

    def seen(x_t, x_0, t):
        return normal(x_t, sqrt(alpha_bars[int(t)]) * x_0, 1 - alpha_bars[int(t)])

    def between(x_prev, x_t, x_0, t):
        mean, variance = regressed(step_of(betas, t), x_0, x_t)
        # At t = 1 it is a point, which is infinitely far from any density; a narrow Gaussian is far enough.
        return normal(x_prev, mean, max(variance, 1e-3))

    def mixed(x_prev, x_t, t):
        law = data.reverse_kernel(step_of(betas, t), x_t)
        return normal(x_prev, law.mean, law.variance)

    def kernel(x_prev, x_t, t):
        return normal(x_prev, model.mean(x_t, t), model.variance(t))

    known = {"seen": seen, "between": between, "mixed": mixed, "model": kernel, "start": model.start}
    return {"x_0": x_0, "x_t": 0.59, "T": len(betas), **known}


def once(bound, x_0, betas, model):
    """The bound of a chain, a number: it takes a while."""
    value = cache(lambda: bound(**letters(x_0, betas, model)))
    return lambda **_: value()


def turned_round(ends, x_0, betas, x):
    """Along a path, the steps forwards over those backwards, multiplied."""
    at = letters(x_0, betas, CHAINS[0][2]) | {"x": lambda t: x[int(t) - 1]}
    ratio, size = 1.0, 1.0
    for t in range(2, len(betas) + 1):
        before, after, step = x[t - 2], x[t - 1], step_of(betas, t)
        mean, variance = regressed(step, x_0, after)
        ratio *= normal(after, sqrt(step.alpha) * before, step.beta) / normal(before, mean, variance)
        size += (after - sqrt(step.alpha) * before) ** 2 / step.beta + (before - mean) ** 2 / variance
    return matches(ends, at, ratio, size * ratio)


# The ratio of the definitions


def noise(betas):
    return lambda rng, n: tuple(rng.standard_normal((len(betas), n)))


def log_normal(x, mean, variance):
    return -((x - mean) ** 2 / variance + np.log(2 * np.pi * variance)) / 2


def path_of(x_0, betas, *noise):
    """x_0, x_1, ..., x_T."""
    path = [x_0 + 0 * noise[0]]
    for beta, z in zip(betas, noise, strict=True):
        path.append(sqrt(1 - beta) * path[-1] + sqrt(beta) * z)
    return path


def log_terms(path, betas, model):
    """The logarithms in log q(x_{1:T} | x_0)/p(x_{0:T}), along a path."""
    for t, (beta, (before, x)) in enumerate(zip(betas, pairwise(path), strict=True), 1):
        yield log_normal(x, sqrt(1 - beta) * before, beta)
        yield -log_normal(before, model.mean(x, t), model.variance(t))
    yield -model.start.log_density(path[-1])


def log_ratio(x_0, betas, model, *noise):
    return np.sum([*log_terms(path_of(x_0, betas, *noise), betas, model)], axis=0)


def moments_of_ratio(x_0, betas, model):
    """Its mean and its central moments, for a model that is linear."""
    return moments_of_quadratic(lambda z: log_ratio(x_0, betas, model, *z.T), len(betas))


def size_of_terms(x_0, betas, model):
    """The means of the logarithms, their signs left out."""
    means = lambda z: np.array(list(log_terms(path_of(x_0, betas, *z.T), betas, model)))
    return sum(abs(moments_of_quadratic(lambda z, k=k: means(z)[k], len(betas))[0]) for k in range(2 * len(betas) + 1))


@cache
def power_of_ratio(power):
    """The mean of a power of it for two steps, integrated over the noise."""

    def integrand(y, z):
        return normal(y, 0.0, 1.0) * normal(z, 0.0, 1.0) * log_ratio(*BENT, y, z) ** power

    return integral_over_plane(integrand)


def averaged(claimed, chain, null):
    """On average the logarithm of the ratio is the bound."""
    return lambda *noise: moments(log_ratio(*chain, *noise), claimed(), None, (*null, np.inf))


def log_evidence(x_0, betas, model):
    """log p(x_0) of a linear model."""
    m, v = model.start.mean, model.start.variance
    for t in range(len(betas), 0, -1):
        m, v = model.mean(m, t), model.pull**2 * v + model.variance(t)
    return log_normal(x_0, m, v)


# In space, where the axes of the model are not those of the coordinates


def along_axes():
    x_0, betas, models = IN_SPACE
    return [(x, betas, model) for x, model in zip(AXES.T @ x_0, models, strict=True)]


def log_ratio_in_space(z):
    """The same of vectors, by matrices; z holds the noise of all steps, (points, 9)."""
    x_0, betas, models = IN_SPACE
    turned = lambda numbers: AXES @ np.diag(numbers) @ AXES.T

    def log_density(x, mean, covariance):
        apart = x - mean
        squares = np.einsum("ni,ij,nj->n", apart, np.linalg.inv(covariance), apart)
        return -(squares + np.linalg.slogdet(2 * np.pi * covariance)[1]) / 2

    total, x = 0.0, np.broadcast_to(x_0, (len(z), 3))
    for t, beta in enumerate(betas, 1):
        before, x = x, sqrt(1 - beta) * x + sqrt(beta) * z[:, 3 * t - 3 : 3 * t]
        mean = x @ turned([model.pull for model in models]) + AXES @ [model.push for model in models]
        covariance = turned([model.variance(t) for model in models])
        total = total + log_density(x, sqrt(1 - beta) * before, beta * np.eye(3))
        total = total - log_density(before, mean, covariance)
    return total - log_density(x, AXES @ [model.start.mean for model in models], 1.4 * np.eye(3))
