"""What tries to refute the page on Gaussian observations: products of densities, integrated, and simulated data."""

import numpy as np
from hypothesis import strategies as st

from ...quadrature import expectation_of, integral_of, mean_of, variance_of
from ...statistics import both, by_cholesky, close, for_all, hermite, law, matches, standardised_by
from ...worlds import normal

# mu_0, tau, sigma, and the observations

POINTS = [
    (0.37, 1.29, 0.83, np.array([1.13])),
    (-0.71, 0.64, 1.47, np.array([0.59, -1.37, 1.91])),
    (1.23, 1.71, 0.57, np.array([-0.43, 0.31, 0.87, -0.19, 0.67])),
]
SOME_NEW = np.array([-0.83, 0.41, 1.79])
PAIRS = [(0.37, -0.52, 1.83, 0.67), (-1.13, 0.84, 0.53, 1.44), (1.47, 2.29, 0.71, 0.38)]  # a, b, A, B

numbers, spreads, observed = st.floats(-4, 4), st.floats(0.3, 3), st.lists(st.floats(-4, 4), min_size=1, max_size=6)


def gaussian_posterior(mean, variance):
    """Prior times likelihoods, integrated over theta; simulated; and by one regression after another for all data."""
    for mu_0, tau, sigma, x in POINTS:
        at, seen = letters(mu_0, tau, sigma, x), joint(mu_0, tau, sigma, x)
        yield close(mean, at, mean_of(seen, **window(x)))
        yield close(variance, at, variance_of(seen, **window(x)))
        yield from both(model(mu_0, tau, sigma, len(x)), whitened(mean, variance, mu_0, tau, sigma), by=hermite)

    def after_regressions(k, formula):
        def statement(mu_0, tau, sigma, x):
            m, v = mu_0, tau**2
            for one in x:
                m, v = m + v / (v + sigma**2) * (one - m), v - v**2 / (v + sigma**2)
            size = max(abs(mu_0), *map(abs, x)), tau**2
            return matches(formula, letters(mu_0, tau, sigma, np.array(x)), (m, v)[k], magnitude=size[k])

        return for_all(mu_0=numbers, tau=spreads, sigma=spreads, x=observed)(statement)

    yield after_regressions(0, mean)
    yield after_regressions(1, variance)


def gaussian_evidence(variance, covariance):
    """Prior times likelihoods, integrated, against the joint density with this matrix; two simulated observations."""
    for mu_0, tau, sigma, x in POINTS:

        def density(x=x, **at):
            """N(x; mu_0, C), with the variance on the diagonal of C and the covariance elsewhere."""
            matrix = covariance(**at) + (variance(**at) - covariance(**at)) * np.eye(len(x))
            away, (sign, log_size) = x - at["mu_0"], np.linalg.slogdet(2 * np.pi * matrix)
            return np.exp(-(away @ np.linalg.solve(matrix, away) + log_size) / 2) if sign > 0 else np.nan

        yield close(density, letters(mu_0, tau, sigma, x), integral_of(joint(mu_0, tau, sigma, x), **window(x)))
        yield from both(model(mu_0, tau, sigma, 2), one_by_one(variance, covariance, mu_0, tau, sigma), by=hermite)


def posterior_predictive(mean, variance):
    """The likelihood of a new observation, averaged over the posterior; and simulated beside the others."""
    for mu_0, tau, sigma, x in POINTS:

        def density(**at):
            return normal(at["x_new"], mean(**at), variance(**at))

        def likelihood(theta, sigma=sigma):
            return normal(SOME_NEW, theta, sigma**2)

        seen = joint(mu_0, tau, sigma, x)
        averaged = expectation_of(likelihood, seen, centre=np.full(3, np.mean(x)), width=np.full(3, 1.0))
        yield close(density, letters(mu_0, tau, sigma, x, x_new=SOME_NEW), averaged)
        yield from both(model(mu_0, tau, sigma, len(x)), foreseen(mean, variance, mu_0, tau, sigma), by=hermite)


def gaussian_product(constant, mean, variance):
    """The product of two Gaussians, integrated over x; and point by point for all Gaussians."""
    for a, b, A, B in PAIRS:
        at = {"a": a, "b": b, "A": A, "B": B}
        product = lambda x, a=a, b=b, A=A, B=B: normal(x, a, A) * normal(x, b, B)
        yield close(constant, at, integral_of(product))
        yield close(mean, at, mean_of(product))
        yield close(variance, at, variance_of(product))

    def factored(**at):
        return constant(**at) * normal(at["x"], mean(**at), variance(**at))

    variances = st.floats(0.2, 9)
    yield for_all(a=numbers, b=numbers, A=variances, B=variances, x=numbers)(
        lambda a, b, A, B, x: matches(
            factored, {"a": a, "b": b, "A": A, "B": B, "x": x}, normal(x, a, A) * normal(x, b, B)
        )
    )


# The model: theta, then n observations of it.


def letters(mu_0, tau, sigma, x, **more):
    """The letters of the page for observations x, whose first axis counts them."""
    x_bar = np.mean(x, axis=0)
    return {"mu_0": mu_0, "tau": tau, "sigma": sigma, "n": len(x), "x_bar": x_bar, **more}


def joint(mu_0, tau, sigma, x):
    """Prior times likelihoods, as a function of theta."""

    def density(theta):
        return normal(theta, mu_0, tau**2) * np.prod([normal(one, theta, sigma**2) for one in x], axis=0)

    return density


def window(x):
    """Where that density lives, roughly."""
    return {"centre": np.mean(x), "width": 1.0}


def model(mu_0, tau, sigma, n):
    """Draws of theta, of n observations (n, draws), and of one more."""

    def draw(rng, draws):
        theta = mu_0 + tau * rng.standard_normal(draws)
        x = theta + sigma * rng.standard_normal((n + 1, draws))
        return theta, x[:n], x[n]

    return draw


def whitened(mean, variance, mu_0, tau, sigma):
    """Given the observations, the standardised theta is N(0, 1)."""

    def scores(theta, x, x_new):
        at = letters(mu_0, tau, sigma, x)
        return law(standardised_by(theta, mean(**at), variance(**at)), given=x)

    return scores


def foreseen(mean, variance, mu_0, tau, sigma):
    """Given the observations, the next one is Gaussian."""

    def scores(theta, x, x_new):
        at = letters(mu_0, tau, sigma, x)
        return law(standardised_by(x_new, mean(**at), variance(**at)), given=x)

    return scores


def one_by_one(variance, covariance, mu_0, tau, sigma):
    """The first observation is Gaussian, and the second given the first."""

    def scores(theta, x, x_new):
        at = letters(mu_0, tau, sigma, x)
        each, shared = variance(**at), covariance(**at)
        first, second = by_cholesky(x.T, mu_0, [[each, shared], [shared, each]])
        return [*law(first), *law(second, given=(first,))]

    return scores
