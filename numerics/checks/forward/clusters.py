r"""What tries to refute the page on mixtures: the data integrated against the forward process, and simulated."""

import numpy as np
from hypothesis import strategies as st
from numpy import sqrt
from scipy.special import ndtri

from ...quadrature import integral_of, mean_of
from ...statistics import close, for_all, law, matches, moments, sampled
from ...worlds import mixture, normal

POINTS = [
    ({"w": 0.31, "mu_1": -1.13, "mu_2": 1.47, "c_1": 0.23, "c_2": 0.41}, 0.591),
    ({"w": 0.57, "mu_1": 0.71, "mu_2": -0.93, "c_1": 1.62, "c_2": 0.37}, 0.743),
    ({"w": 0.83, "mu_1": -0.29, "mu_2": 2.17, "c_1": 0.53, "c_2": 1.19}, 0.287),
]
SOME_X_T = np.array([-1.27, 0.19, 1.71])
spreads, means, between = st.floats(0.1, 4), st.floats(-2, 2), st.floats(0.05, 0.95)
worlds = st.fixed_dictionaries({"w": between, "mu_1": means, "mu_2": means, "c_1": spreads, "c_2": spreads})


def gmm_marginal(density, score):
    """The density and the score at time t, from the data and the forward process alone."""
    for parts, alpha_bar in POINTS:
        at = {**parts, "alpha_bar": alpha_bar, "x_t": SOME_X_T}
        yield close(density, at, integral_of(arriving(parts, alpha_bar, SOME_X_T), width=2.0))
        yield close(score, at, scored(parts, alpha_bar, SOME_X_T))
        yield sampled(simulated(parts, alpha_bar), uniform_under(density, parts, alpha_bar), resolves=1e-2)
        yield sampled(simulated(parts, alpha_bar), pulled(score, parts, alpha_bar), resolves=1e-2)
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


def arriving(parts, alpha_bar, x_t):
    """The data times the forward process, as a function of x_0."""
    law_of_data = data(parts)
    return lambda x_0: law_of_data(x_0) * normal(x_t, sqrt(alpha_bar) * x_0, 1 - alpha_bar)


def scored(parts, alpha_bar, x_t):
    """d/dx_t of the logarithm of the integral: the slope of the Gaussian, averaged over where x_t came from."""
    mean = mean_of(arriving(parts, alpha_bar, x_t), width=2.0)

    def rule(nodes):
        value, size = mean(nodes)
        return (sqrt(alpha_bar) * value - x_t) / (1 - alpha_bar), (sqrt(alpha_bar) * size + np.abs(x_t)) / (
            1 - alpha_bar
        )

    return rule


def simulated(parts, alpha_bar):
    """Draws of (x_0, x_t)."""

    def draw(rng, n):
        x_0 = data(parts).sample(rng, n)
        return x_0, sqrt(alpha_bar) * x_0 + sqrt(1 - alpha_bar) * rng.standard_normal(n)

    return draw


def uniform_under(density, parts, alpha_bar):
    """x_t through the distribution function of the claimed density, and ndtri, is N(0, 1)."""
    x = np.linspace(-9, 9, 3601)
    with np.errstate(all="ignore"):
        p = np.broadcast_to(density(**parts, alpha_bar=alpha_bar, x_t=x), x.shape)
    below = np.concatenate([[0.0], np.cumsum(p[1:] + p[:-1]) * (x[1] - x[0]) / 2])
    return lambda x_0, x_t: law(ndtri(np.clip(np.interp(x_t, x, below), 1e-12, 1 - 1e-12)))


def pulled(score, parts, alpha_bar):
    """Given x_t, the noise that is in it has the mean -sqrt(1 - alpha_bar) times the score."""
    world = data(parts)

    def scores(x_0, x_t):
        kernel = world.posterior(alpha_bar, x_t).central_moments()
        gain = sqrt(alpha_bar / (1 - alpha_bar))
        noise = (x_t - sqrt(alpha_bar) * x_0) / sqrt(1 - alpha_bar)
        mean = -sqrt(1 - alpha_bar) * score(**parts, alpha_bar=alpha_bar, x_t=x_t)
        null = (gain**2 * kernel.second, gain**4 * kernel.fourth, gain**6 * kernel.sixth)
        return moments(noise, mean, None, null, given=(x_t,))

    return scores
