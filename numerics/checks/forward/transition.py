r"""What tries to refute the page on two times: chains of steps, simulated, and followed by what each is made of.

Everything in a chain is a linear map of the data and the noises of its steps, which are independent.
"""

import numpy as np
from hypothesis import strategies as st
from numpy import sqrt

from ...statistics import both, for_all, hermite, law, matches, moments, standardised_by
from ...worlds import finite, gaussian, mixture
from .kernel import between, numbers, stepwise

CHAINS = [  # data, alphas, and s
    (gaussian(0.37, 1.83), np.array([0.83, 0.641, 0.912, 0.537]), 1),
    (mixture([0.31, 0.69], [-1.13, 1.47], [0.23, 0.41]), np.array([0.587, 0.912, 0.739, 0.861]), 2),
    (finite([0.23, 0.46, 0.31], [-1.61, 0.29, 1.33]), np.array([0.947, 0.763, 0.871, 0.682, 0.919]), 2),
]

chains = st.lists(between, min_size=3, max_size=7).map(np.array)
broken = chains.flatmap(lambda alphas: st.tuples(st.just(alphas), st.integers(1, len(alphas) - 2)))  # at some s
variances = st.floats(0.05, 9)


def transition(mean, variance, merged):
    """The steps from s to t one after another, by moments and by draws; and two noises, one put on the other."""
    for world, alphas, s in CHAINS:
        yield from both(world.path(alphas), whitened(mean, variance, alphas, s), by=hermite.over(world.weights))
        yield from both(two_noises(alphas), merged_into_one(merged, alphas, s), by=hermite)
    for k, formula in enumerate((mean, variance)):
        yield for_all(chain=broken, x_s=numbers)(
            lambda chain, x_s, k=k, formula=formula: matches(
                formula, letters(*chain, x_s=x_s), stepwise(chain[0][chain[1] :], x_s, 0.0)[k], (abs(x_s), 1.0)[k]
            )
        )
    yield for_all(chain=broken)(
        lambda chain: matches(merged, letters(*chain), stepwise(chain[0][-2:], 0.0, 0.0)[1], magnitude=1.0)
    )


def joint_covariance(states, noises, own):
    """Covariances from the maps that make a chain, for any chain; and the regressions that they imply, simulated."""
    for world, alphas, s in CHAINS:
        scores = tied(states, noises, own, world, alphas, s)
        yield from both(world.path(alphas), scores, by=hermite.over(world.weights))

    def follows(k, formula):
        def statement(chain, v_0):
            value, size = covariances(*chain, v_0=v_0)[k]
            return matches(formula, letters(*chain, v_0=v_0), value, magnitude=size)

        return for_all(chain=broken, v_0=variances)(statement)

    for k, formula in enumerate((states, noises, own)):
        yield follows(k, formula)


def letters(alphas, s, v_0=1.0, **more):
    products = {"alpha_bar_s": np.prod(alphas[:s]), "gamma": np.prod(alphas[s:-1])}
    spreads = {"v_0": v_0, "v_s": stepwise(alphas[:s], 0.0, v_0)[1]}
    return {"alpha": alphas[-1], "alpha_prev": alphas[-2], **products, **spreads, **more}


# From s to t


def whitened(mean, variance, alphas, s):
    """Given x_s, the standardised x_t is N(0, 1)."""

    def scores(*xs):
        at = letters(alphas, s, x_s=xs[s])
        return law(standardised_by(xs[-1], mean(**at), variance(**at)), given=(xs[s],))

    return scores


def two_noises(alphas):
    """Draws of what two steps add to nothing: the noise of the first, shrunk, and that of the second."""

    def draw(rng, n):
        first = sqrt(1 - alphas[-2]) * rng.standard_normal(n)
        return (sqrt(alphas[-1]) * first + sqrt(1 - alphas[-1]) * rng.standard_normal(n),)

    return draw


def merged_into_one(merged, alphas, s):
    return lambda noise: law(standardised_by(noise, 0.0, merged(**letters(alphas, s))))


# Both times at once


def maps(alphas):
    """Each x_k as a row: what it holds of x_0, and of the noise of every step.  Shape (T + 1, T + 1)."""
    rows = [np.eye(len(alphas) + 1)[0]]
    for k, alpha in enumerate(alphas, 1):
        rows.append(sqrt(alpha) * rows[-1] + sqrt(1 - alpha) * np.eye(len(alphas) + 1)[k])
    return np.array(rows)


def covariances(alphas, s, v_0):
    """Each covariance, and the size of the terms that it is a sum of."""
    x, (t, T) = maps(alphas), (-1, len(alphas))
    noise = {k: x[k, 1:] / sqrt(np.sum(x[k, 1:] ** 2)) for k in (s, t)}  # what is not of the data, standardised
    step = np.eye(T)[t]
    states = x[s] * x[t] * np.array([v_0] + [1.0] * T)
    terms = (states, noise[s] * noise[t], step * noise[t])
    return [(np.sum(each), np.sum(np.abs(each))) for each in terms]


def tied(states, noises, own, world, alphas, s):
    """A covariance is the slope of a regression, and what the regression leaves has the rest of the variance."""
    alpha_bar_s, alpha_bar = np.prod(alphas[:s]), np.prod(alphas)
    at, m_s, m_t = letters(alphas, s, v_0=world.variance), *(world.marginal(a).mean for a in (alpha_bar_s, alpha_bar))
    _, left = stepwise(alphas[s:], 0.0, 0.0)

    def rest(y, covariance, z):
        """y less its regression on z, of two standard normal variables."""
        return law(standardised_by(y, covariance * z, 1 - covariance**2), given=(z,))

    def scores(*xs):
        x_0, x_s, x_prev, x_t = xs[0], xs[s], xs[-2], xs[-1]
        noise_s, noise_t = (
            (x - sqrt(kept) * x_0) / sqrt(1 - kept) for x, kept in ((x_s, alpha_bar_s), (x_t, alpha_bar))
        )
        step = (x_t - sqrt(alphas[-1]) * x_prev) / sqrt(1 - alphas[-1])
        seen = m_t + states(**at) / at["v_s"] * (x_s - m_s)
        rows = moments(x_t, seen, None, (left, 3 * left**2, 15 * left**3), given=(x_s,))
        return [*rows, *rest(noise_t, noises(**at), noise_s), *rest(noise_t, own(**at), step)]

    return scores
