r"""What tries to refute the page on mixtures: the data integrated against the forward process, and simulated.

The formulas are those of two components. A mixture of four is one of two pairs, and along a direction a mixture in
space is one on a line.
"""

import numpy as np
from hypothesis import strategies as st
from numpy import sqrt

from ...quadrature import integral_of, mean_of
from ...statistics import both, by_table, close, for_all, law, matches, moments, sampled, sobol
from ...worlds import mixture, normal

POINTS = [
    ({"w": 0.31, "mu_1": -1.13, "mu_2": 1.47, "c_1": 0.23, "c_2": 0.41}, 0.591),
    ({"w": 0.57, "mu_1": 0.71, "mu_2": -0.93, "c_1": 1.62, "c_2": 0.37}, 0.743),
    ({"w": 0.83, "mu_1": -0.29, "mu_2": 2.17, "c_1": 0.53, "c_2": 1.19}, 0.287),
]
SPACE = mixture(
    [0.23, 0.31, 0.19, 0.27],
    [[-1.13, 0.41, 0.87], [1.19, -0.67, -0.29], [0.37, 1.31, -1.07], [-0.53, -1.43, 0.61]],
    [
        np.diag(spread) + 0.07
        for spread in ([0.23, 0.61, 0.37], [0.41, 0.17, 0.53], [0.29, 0.83, 0.31], [0.67, 0.19, 0.43])
    ],
)
DIRECTIONS = [np.array([0.48, 0.6, 0.64]), np.array([-0.28, 0.96, 0.0])]

SOME_X_T = np.array([-1.27, 0.19, 1.71])
spreads, means, between = st.floats(0.1, 4), st.floats(-2, 2), st.floats(0.05, 0.95)
worlds = st.fixed_dictionaries({"w": between, "mu_1": means, "mu_2": means, "c_1": spreads, "c_2": spreads})


def gmm_marginal(density, score):
    """The density and the score at time t, from the data and the forward process alone."""
    for parts, alpha_bar in POINTS:
        world, at = data(parts), {**parts, "alpha_bar": alpha_bar}
        yield close(density, {**at, "x_t": SOME_X_T}, integral_of(arriving(world, alpha_bar, SOME_X_T), width=2.0))
        yield close(score, {**at, "x_t": SOME_X_T}, scored(world, alpha_bar, SOME_X_T))
        yield sampled(simulated(world, alpha_bar), uniform_under(density, at), resolves=1e-2)
        yield from both(simulated(world, alpha_bar), pulled(score, at, world), by=sobol.over(world.weights))
    density_of_four, score_of_four = two_pairs(density, score)
    for direction, alpha_bar in zip(DIRECTIONS, (0.613, 0.287)):
        world = seen_along(direction)
        at = {"weights": world.weights, "means": world.means, "variances": world.variances, "alpha_bar": alpha_bar}
        here = {**at, "x_t": SOME_X_T}
        yield close(density_of_four, here, integral_of(arriving(world, alpha_bar, SOME_X_T), width=2.0))
        yield close(score_of_four, here, scored(world, alpha_bar, SOME_X_T))
        yield sampled(simulated(SPACE, alpha_bar, direction), uniform_under(density_of_four, at), resolves=1e-2)
        yield sampled(simulated(SPACE, alpha_bar, direction), pulled(score_of_four, at, world), resolves=1e-2)
    some = {"parts": worlds, "alpha_bar": between, "x_t": st.floats(-2, 2)}
    yield for_all(**some)(
        lambda parts, alpha_bar, x_t: matches(
            density, {**parts, "alpha_bar": alpha_bar, "x_t": x_t}, data(parts).marginal(alpha_bar)(x_t)
        )
    )
    yield for_all(**some)(
        lambda parts, alpha_bar, x_t: matches(
            score,
            {**parts, "alpha_bar": alpha_bar, "x_t": x_t},
            data(parts).marginal(alpha_bar).score(x_t),
            magnitude=10.0,
        )
    )


def data(parts):
    return mixture([parts["w"], 1 - parts["w"]], [parts["mu_1"], parts["mu_2"]], [parts["c_1"], parts["c_2"]])


def two_pairs(density, score):
    """Density and score of a mixture of four, as one of two pairs."""

    def pairs(weights, means, variances, alpha_bar, x_t):
        """For each pair its weight, times its density, and its score."""
        for k in (0, 2):
            both = weights[k] + weights[k + 1]
            parts = {"mu_1": means[k], "mu_2": means[k + 1], "c_1": variances[k], "c_2": variances[k + 1]}
            at = {"w": weights[k] / both, **parts, "alpha_bar": alpha_bar, "x_t": x_t}
            yield both * density(**at), score(**at)

    def density_of_four(**at):
        return sum(mass for mass, _ in pairs(**at))

    def score_of_four(**at):
        return sum(mass * pull for mass, pull in pairs(**at)) / density_of_four(**at)

    return density_of_four, score_of_four


def seen_along(direction):
    """The mixture in space along a direction: every component is a Gaussian there, too."""
    return mixture(SPACE.weights, SPACE.means @ direction, SPACE.covariances @ direction @ direction)


def arriving(world, alpha_bar, x_t):
    """The data times the forward process, as a function of x_0."""
    return lambda x_0: world(x_0) * normal(x_t, sqrt(alpha_bar) * x_0, 1 - alpha_bar)


def scored(world, alpha_bar, x_t):
    """d/dx_t of the logarithm of the integral: the slope of the Gaussian, averaged over where x_t came from."""
    mean = mean_of(arriving(world, alpha_bar, x_t), width=2.0)

    def rule(nodes):
        value, size = mean(nodes)
        return (sqrt(alpha_bar) * value - x_t) / (1 - alpha_bar), (sqrt(alpha_bar) * size + np.abs(x_t)) / (
            1 - alpha_bar
        )

    return rule


def simulated(world, alpha_bar, direction=None):
    """Draws of (x_0, x_t), or of what a direction shows of them."""

    def draw(rng, n):
        x_0 = world.sample(rng, n)
        x_t = sqrt(alpha_bar) * x_0 + sqrt(1 - alpha_bar) * rng.standard_normal(x_0.shape)
        if direction is None:
            return x_0, x_t
        return tuple(np.einsum("ni,i->n", x, direction) for x in (x_0, x_t))  # not BLAS, whose bits depend on threads

    return draw


def uniform_under(density, at):
    """x_t through the distribution function of the claimed density, and ndtri, is N(0, 1)."""
    x = np.linspace(-9, 9, 3601)
    with np.errstate(all="ignore"):
        whiten = by_table(x, density(**at, x_t=x))
    return lambda x_0, x_t: law(whiten(x_t))


def pulled(score, at, world):
    """Given x_t, the noise that is in it has the mean -sqrt(1 - alpha_bar) times the score."""
    alpha_bar = at["alpha_bar"]

    def scores(x_0, x_t):
        kernel = world.posterior(alpha_bar, x_t).central_moments()
        gain = sqrt(alpha_bar / (1 - alpha_bar))
        noise = (x_t - sqrt(alpha_bar) * x_0) / sqrt(1 - alpha_bar)
        mean = -sqrt(1 - alpha_bar) * score(**at, x_t=x_t)
        null = (gain**2 * kernel.second, gain**4 * kernel.fourth, gain**6 * kernel.sixth)
        return moments(noise, mean, None, null, given=(x_t,))

    return scores
