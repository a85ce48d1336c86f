r"""What tries to refute the page on weights: divergences integrated, in three to five coordinates.

The kernel given both ends is the product of its definitions, q(x_{t-1} | x_0) q(x_t | x_{t-1}) / q(x_t | x_0). A model
that predicts x_0 has the mean that regression gives for this x_0; one that predicts the noise, for the x_0 behind it.
"""

import numpy as np
from hypothesis import strategies as st
from numpy import array, log, sqrt

from ...quadrature import integral_of
from ...statistics import close, for_all
from ..reversal.posterior import regressed
from ..reversal.step import STEPS, tame_steps

# x_0, the noise in x_t, and what a model says of it, in d dimensions

DRAWS = [
    (array([0.83, -0.57, 1.19]), array([-0.41, 1.27, 0.63]), array([-0.72, 0.94, 0.17])),
    (array([-1.31, 0.47, 0.22, 1.71]), array([0.58, -0.36, 1.43, -1.07]), array([0.91, 0.23, 1.12, -0.34])),
    (
        array([0.39, 1.53, -0.68, -0.91, 0.77]),
        array([1.11, -0.29, 0.52, -1.64, 0.37]),
        array([0.43, 0.2, -0.3, -1.1, 1]),
    ),
]
POINTS = list(zip(STEPS, (0.437, 0.713, 1.29), DRAWS, strict=True))

numbers = st.floats(-2, 2)
some = {
    "step": tame_steps,
    "sigma": st.floats(0.3, 2),
    "draws": st.lists(st.tuples(numbers, numbers, numbers), min_size=1, max_size=4).map(lambda rows: tuple(zip(*rows))),
}


def mean_matching(price, constant):
    """Means apart, variances apart, and both: the kernel given both ends against a model with some mean."""

    def both(**at):
        return price(**at) + constant(**at)

    def statements(step, sigma, draws):
        x_0, noise, model = map(array, draws)
        x_t = noised(step, x_0, noise)
        target, variance = regressed(step, x_0, x_t)
        at = letters(step, sigma, dimension=len(x_0), target=numbered(target), model=numbered(model))
        yield close(price, at, divergence(gaussian(target, sigma**2), gaussian(model, sigma**2), target, sigma))
        yield close(constant, at, divergence(gaussian(0 * x_0, variance), gaussian(0 * x_0, sigma**2), 0 * x_0, sigma))
        yield close(both, at, loss(step, sigma**2, x_0, x_t, model))

    yield from tried(statements, 3)


def epsilon_weight(weight, own_weight, ratio):
    """What an error of the predicted noise costs: any variance, and that of the kernel given both ends."""

    def statements(step, sigma, draws):
        x_0, noise, predicted = map(array, draws)
        at = letters(step, sigma, error=np.sum((noise - predicted) ** 2))
        yield close(times_error(weight), at, cost(step, sigma**2, x_0, noise, predicted))
        for formula in (own_weight, ratio):
            yield close(times_error(formula), at, cost(step, own(step), x_0, noise, predicted))

    yield from tried(statements, 3)


def snr_form(x_0_weight, noise_weight, gamma):
    """What an error of the predicted x_0, and one of the predicted noise, costs a model with the kernel's variance."""

    def in_gamma(**at):
        before, after = (gamma(alpha_bar_prev=at["alpha_bar_prev"], alpha=alpha) for alpha in (1.0, at["alpha"]))
        return noise_weight(gamma_prev=before, gamma_t=after) * at["error"]

    def statements(step, sigma, draws):
        x_0, noise, predicted = map(array, draws)
        at = letters(step, sigma, error=np.sum((noise - predicted) ** 2))
        lost = cost(step, own(step), x_0, noise, predicted)
        off = x_0 - behind(step, noised(step, x_0, noise), predicted)
        yield close(times_error(x_0_weight), {**at, "error": np.sum(off**2)}, lost)
        yield close(in_gamma, at, lost)

    yield from tried(statements, 2)


def tried(statements, count):
    """At three generic points, and wherever a search reaches."""
    for step, sigma, draws in POINTS:
        yield from statements(step, sigma, draws)
    for k in range(count):
        yield for_all(examples=30, **some)(lambda step, sigma, draws, k=k: list(statements(step, sigma, draws))[k])


def letters(step, sigma, **more):
    return {"alpha": step.alpha, "alpha_bar_prev": step.alpha_bar_prev, "sigma": sigma, **more}


def numbered(vector):
    """A vector as a function of the number of a coordinate, from 1 on."""
    return lambda i: vector[int(i) - 1]


def times_error(weight):
    return lambda **at: weight(**at) * at["error"]


# The forward process, and what a model makes of a prediction


def noised(step, x_0, noise):
    return sqrt(step.alpha_bar) * x_0 + sqrt(1 - step.alpha_bar) * noise


def behind(step, x_t, noise):
    """The x_0 that would be behind x_t, if this were the noise in it."""
    return (x_t - sqrt(1 - step.alpha_bar) * noise) / sqrt(step.alpha_bar)


def own(step):
    """The variance of the kernel given both ends."""
    return regressed(step, 0.0, 0.0)[1]


def cost(step, variance, x_0, noise, predicted):
    """How much more a step costs with this prediction of the noise than with the noise itself."""
    x_t = noised(step, x_0, noise)
    means = (regressed(step, behind(step, x_t, guess), x_t)[0] for guess in (predicted, noise))
    return apart(*(loss(step, variance, x_0, x_t, mean) for mean in means))


def apart(one, other):
    """One integral less another."""

    def rule(nodes):
        (value, size), (less, less_size) = one(nodes), other(nodes)
        return value - less, size + less_size

    return rule


def loss(step, variance, x_0, x_t, mean):
    """The divergence of a Gaussian with this mean and this variance from the kernel given both ends."""
    jump = gaussian(sqrt(step.alpha_bar) * x_0, 1 - step.alpha_bar)(x_t)
    before = gaussian(sqrt(step.alpha_bar_prev) * x_0, 1 - step.alpha_bar_prev)
    kernel = lambda x_prev: before(x_prev) + gaussian(sqrt(step.alpha) * x_prev, step.beta)(x_t) - jump
    return divergence(kernel, gaussian(mean, variance), *regressed(step, x_0, x_t))


def divergence(q, p, centre, width):
    """KL(q, p) of laws with independent coordinates, which are given by their logarithms."""
    each = integral_of(lambda x: np.exp(q(x)) * (q(x) - p(x)), centre, sqrt(width))

    def rule(nodes):
        value, size = each(nodes)
        return np.sum(value), np.sum(size)

    return rule


def gaussian(mean, variance):
    """The logarithm of a Gaussian density."""
    return lambda x: -((x - mean) ** 2) / (2 * variance) - log(2 * np.pi * variance) / 2
