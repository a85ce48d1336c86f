r"""What tries to refute the page on mixtures and data sets: the definitions, integrated and simulated.

The page sums over components and over points, and its formulas say what one of them contributes. Mixtures have three
components here and data sets seven points, on the line and in space. In space the noise is isotropic, so that what
explains a vector is the product of what explains its coordinates.
"""

from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st
from numpy import sqrt

from ...quadrature import integral_of, mean_of, variance_of
from ...statistics import (
    GaussHermite,
    above,
    both,
    by_mixture,
    close,
    event,
    for_all,
    gauss_hermite,
    law,
    matches,
    sampled,
)
from ...worlds import empirical, mixture, normal
from .posterior import regressed
from .step import SOME_X_T, STEPS

MIXTURES = [
    ([0.23, 0.46, 0.31], [-1.61, 0.29, 1.33], [0.19, 0.47, 0.31], 0.683),
    ([0.41, 0.17, 0.42], [0.83, -1.27, 1.91], [1.62, 0.23, 0.58], 0.347),
    ([0.13, 0.59, 0.28], [-0.57, 1.13, 2.21], [0.37, 0.81, 0.13], 0.827),
]
DATA_SET = np.array([-1.87, -1.21, -0.43, 0.19, 0.71, 1.53, 2.29])
SOME_IN_SPACE = np.array(
    [[-0.71, 0.33, 1.17], [0.27, -1.19, 0.59], [1.43, 0.59, -0.83], [-0.37, 1.07, 0.13], [0.91, -0.29, -1.31]]
)
# Two clusters around c and -c with the variance s, seen from halfway: from there they are two peaks, or one.
HALFWAY = [
    {"c": 1.73, "s": 0.37, "alpha": 0.683},
    {"c": 0.59, "s": 0.81, "alpha": 0.347},
    {"c": -2.19, "s": 0.23, "alpha": 0.827},
]

between = st.floats(0.05, 0.95)
near, spreads = st.floats(-2, 2), st.floats(0.1, 4)
triples = st.builds(
    lambda u, v, *rest: ([u, (1 - u) * v, (1 - u) * (1 - v)], rest[:3], rest[3:]),
    *(between, between, near, near, near, spreads, spreads, spreads),
)


def gmm_kernel(weight, mean, variance, curvature):
    """What each component adds to the reverse kernel: integrated, simulated, in space, and for all mixtures."""
    parts = weights, means, variances = [of_each(formula, "k", 3) for formula in (weight, mean, variance)]
    for *mixed, alpha in MIXTURES:
        at, joint = components(mixed, alpha, SOME_X_T), joint_of_components(mixed, alpha, SOME_X_T)
        yield close(weights, at, shares(joint))
        yield close(means, at, mean_of(joint, width=2.0))
        yield close(variances, at, variance_of(joint, width=2.0))
        nodes = GaussHermite(64).over(mixed[0])
        yield from both(one_step(mixed, alpha), under_the_kernel(parts, mixed, alpha), nodes, resolves=1e-3)
    for formula, what, size in zip(parts, ("weights", "means", "variances"), (1.0, 5.0, 1.0)):
        yield for_all(examples=60, mixed=triples, alpha=between, x_t=near)(
            lambda mixed, alpha, x_t, formula=formula, what=what, size=size: matches(
                formula, components(mixed, alpha, x_t), known(mixed, alpha, x_t, what), magnitude=size
            )
        )
    mixed, alpha, x_t = (MIXTURES[0][0], SOME_IN_SPACE[:3], MIXTURES[0][2]), 0.713, SOME_IN_SPACE[3:]
    kernel, at = mixture(*mixed).conditioned(sqrt(alpha), 1 - alpha, x_t), components(mixed, alpha, x_t)
    yield matches(means, at, np.moveaxis(kernel.means, -2, 0))
    yield matches(variances, at, kernel.covariances[:, 0, 0][:, None, None] + 0 * x_t)
    yield matches(in_space(weights, mixed[0]), at, kernel.weights.T, magnitude=1.0)
    yield above(
        dip(parts), components(([0.41, 0.26, 0.33], [-1.9, -2.1, 1.7], [0.11, 0.17, 0.23]), 0.31, 0.13), 0.0, True
    )
    for at in HALFWAY:
        yield matches(curvature, at, *curved(**at))
    yield for_all(at=st.sampled_from(HALFWAY))(lambda at: peaks(**at) == (2 if curvature(**at) > 0 else 1))
    yield for_all(c=near, s=spreads, alpha=between)(lambda **at: matches(curvature, at, *curved(**at)))


def empirical_kernel(weight):
    """How likely each point of a data set is: two steps integrated, simulated, and in space."""
    weights, of_four = of_each(weight, "i", len(DATA_SET)), of_each(weight, "i", 4)
    for step in STEPS:
        yield close(weights, points(DATA_SET, step, SOME_X_T), shares(joint_of_points(DATA_SET, step, SOME_X_T)))
        yield from both(from_a_point(step), chosen(weight, step), gauss_hermite.over(np.full(7, 1 / 7)), 1e-3)
        seen = empirical(SOME_IN_SPACE[:4]).posterior(step.alpha_bar, SOME_IN_SPACE[1:])
        at = points(SOME_IN_SPACE[:4], step, SOME_IN_SPACE[1:])
        yield matches(in_space(of_four, np.ones(4)), at, seen.weights.T, magnitude=1.0)
    yield sampled(from_a_point(STEPS[1]), under_the_ends(weights, STEPS[1]), resolves=1e-2)


# Components and points


@dataclass(frozen=True)
class Sequence:
    """A letter with an index: its values, counted from one."""

    values: np.ndarray

    def __call__(self, k):
        return self.values[int(k) - 1]

    def log_density(self, k):
        return np.log(self(k))


def of_each(formula, index, count):
    """What a formula says of each component or point, along an axis in front, at each x_t."""

    def all_of_them(**at):
        return np.array([np.broadcast_to(formula(**at, **{index: n + 1}), np.shape(at["x_t"])) for n in range(count)])

    all_of_them.__name__ = f"each {formula.name}"
    return all_of_them


def in_space(weights, prior):
    """The weights given vectors: a product over coordinates, which counts the weights beforehand once."""

    def multiplied(**at):
        product = np.prod(weights(**at), axis=-1) / np.array(prior)[:, None] ** (np.shape(at["x_t"])[-1] - 1)
        return product / np.sum(product, axis=0)

    return multiplied


def shares(parts):
    """The integral of each part, over that of all of them together."""
    rule = integral_of(parts, width=2.0)

    def share(nodes):
        value, magnitude = rule(nodes)
        return value / np.sum(value, axis=0), magnitude / np.sum(value, axis=0)

    return share


def components(mixed, alpha, x_t):
    """The letters of a mixture: weights, means and variances before the step."""
    w, a, b = (Sequence(np.array(part)) for part in mixed)
    return {"w": w, "a": a, "b": b, "K": len(w.values), "alpha": alpha, "x_t": x_t}


def joint_of_components(mixed, alpha, x_t):
    """Each component times the step, as a function of x_{t-1}."""
    w, a, b = (np.array(part)[:, None] for part in mixed)
    return lambda x_prev: w * normal(x_prev, a, b) * normal(x_t, sqrt(alpha) * x_prev, 1 - alpha)


def known(mixed, alpha, x_t, what):
    """The weights, means or variances of the components given x_t, as the world conditions them."""
    return getattr(mixture(*mixed).conditioned(sqrt(alpha), 1 - alpha, x_t), what)


def one_step(mixed, alpha):
    """Draws of (x_{t-1}, x_t)."""

    def draw(rng, n):
        x_prev = mixture(*mixed).sample(rng, n)
        return x_prev, sqrt(alpha) * x_prev + sqrt(1 - alpha) * rng.standard_normal(n)

    return draw


def under_the_kernel(parts, mixed, alpha):
    """x_{t-1} through the distribution function of the kernel is uniform, given x_t."""

    def scores(x_prev, x_t):
        weights, means, variances = (part(**components(mixed, alpha, x_t)) for part in parts)
        return law(by_mixture(x_prev, weights, means, variances), given=(x_t,))

    return scores


def dip(parts):
    """How far the kernel falls between its outer components, from the lower of its values there."""

    def fall(**at):
        weights, means, variances = (part(**at) for part in parts)
        left, right = means[0], means[-1]
        kernel = [np.sum(weights * normal(x, means, variances)) for x in (left, (left + right) / 2, right)]
        return min(kernel[0], kernel[2]) - kernel[1]

    return fall


def curved(c, s, alpha):
    """The second derivative of the kernel's logarithm at 0, that of prior and step; and the size of its terms."""
    prior, step = mixture([0.5, 0.5], [c, -c], [s, s]).score_slope(0.0), -alpha / (1 - alpha)
    return prior + step, c**2 / s**2 + 1 / s + alpha / (1 - alpha)


def peaks(c, s, alpha):
    """How many peaks the kernel has, looked for on a fine grid."""
    x = np.linspace(-6, 6, 4001)
    kernel = mixture([0.5, 0.5], [c, -c], [s, s])(x) * normal(0.0, sqrt(alpha) * x, 1 - alpha)
    return int(np.sum((kernel[1:-1] > kernel[:-2]) & (kernel[1:-1] > kernel[2:])))


def points(data_set, step, x_t):
    """The letters of a data set."""
    given = {"alpha": step.alpha, "alpha_bar_prev": step.alpha_bar_prev, "x_t": x_t}
    return {"y": Sequence(data_set), "N": len(data_set), **given}


def joint_of_points(data_set, step, x_t):
    """Each point, noised up to t - 1, times the step, as a function of x_{t-1}."""
    y = data_set[:, None]

    def parts(x_prev):
        noised = normal(x_prev, sqrt(step.alpha_bar_prev) * y, 1 - step.alpha_bar_prev)
        return noised * normal(x_t, sqrt(step.alpha) * x_prev, step.beta)

    return parts


def from_a_point(step):
    """Draws of (i, x_{t-1}, x_t): a point of the data set, noised step by step."""

    def draw(rng, n):
        i = rng.integers(len(DATA_SET), size=n)
        scale, spread = sqrt(step.alpha_bar_prev), sqrt(1 - step.alpha_bar_prev)
        x_prev = scale * DATA_SET[i] + spread * rng.standard_normal(n)
        return i, x_prev, sqrt(step.alpha) * x_prev + sqrt(step.beta) * rng.standard_normal(n)

    return draw


def chosen(weight, step):
    """Given x_t, the second point was the one drawn as often as its weight says, and so was the fifth."""

    def scores(i, x_prev, x_t):
        at = points(DATA_SET, step, x_t)
        return [row for n in (2, 5) for row in event(i + 1 == n, weight(**at, i=n), given=(x_t,))]

    return scores


def under_the_ends(weights, step):
    """x_{t-1} through the distribution function of the weighed kernels of both ends is uniform, given x_t."""

    def scores(i, x_prev, x_t):
        mean, variance = regressed(step, DATA_SET[:, None], x_t)
        return law(by_mixture(x_prev, weights(**points(DATA_SET, step, x_t)), mean, variance), given=(x_t,))

    return scores
