r"""What tries to refute the page on the linear VAE.

The posterior by regression on the pair of z and x, a linear image of independent noises; there, as on the page, W is
square. The best encoder from the log joint density alone, of which a Gaussian encoder sees a value, slopes and second
differences, and nothing else; what it loses, from log p(x) by regression and by integration.
"""

import numpy as np
from hypothesis import strategies as st
from numpy import array

from ...quadrature import integral_over_plane
from ...statistics import below, close, for_all, matches
from ..bayes.linear_gaussian import moments, pair, signed, sizes, triangle

# W, sigma, mu, x: three, four and five pixels; then two latents whose columns are orthogonal

POINTS = [
    (
        array([[0.83, -1.12], [0.39, 0.67], [-0.54, 0.28]]),
        0.61,
        array([0.29, -0.76, 1.07]),
        array([0.52, -1.43, 0.79]),
    ),
    (
        array([[1.27, 0.31], [-0.41, 0.83], [0.22, -0.57], [0.74, 1.36]]),
        1.37,
        array([-0.57, 0.88, 0.21, -1.13]),
        array([-0.91, 2.03, 0.68, 0.34]),
    ),
    (
        array([[0.91, -0.53, 0.17], [1.37, 0.38, -0.72], [-0.64, 1.72, 0.41], [0.27, 0.83, 1.19], [0.48, -0.29, 0.94]]),
        0.43,
        array([0.71, -0.23, 1.33, 0.49, -0.61]),
        array([1.61, 0.47, -0.58, 1.73, 0.36]),
    ),
    (
        array([[0.72, -1.3], [0.96, 0.975], [0.0, 0.4]]),
        0.77,
        array([0.37, 0.71, -0.23]),
        array([1.14, -0.62, 0.85]),
    ),
]

column = st.tuples(signed, signed, signed).map(array)
two_columns = st.tuples(column, column).map(lambda columns: array(columns).T)


def linear_optimal_encoder(posterior_mean, posterior_covariance, marginal_covariance, encoder_variance, loss):
    """The pair of z and x by regression; encoders, from the log joint density; the same for all of two latents."""
    of_the_pair = marginal_covariance, posterior_mean, posterior_covariance
    for W, sigma, mu, x in POINTS:
        square = np.hstack([W, 0.7 * np.eye(len(W))[:, W.shape[1] :]])
        for formula, (value, size) in zip(of_the_pair, regressed(square, sigma, mu, x), strict=True):
            yield matches(formula, letters(square, sigma, mu, x), value, magnitude=size)
        curvature = differences(W, sigma, mu, x)[2]
        for n, second in enumerate(np.diag(curvature), 1):
            yield matches(encoder_variance, {**entries(W, sigma), "i": n}, -1 / second)
        value, size = lost(W, sigma, mu, x, 0.0, -1 / np.diag(curvature))
        yield matches(loss, entries(W, sigma), value, magnitude=size)
        if len(curvature) == 2:
            yield close(loss, entries(W, sigma), lost_by_integration(W, sigma, mu, x))

    for n, formula in enumerate(of_the_pair):

        def statement(W, sigma, mu, x, n=n, formula=formula):
            value, size = regressed(W, sigma, mu, x)[n]
            return matches(formula, letters(W, sigma, mu, x), value, magnitude=size)

        yield for_all(W=triangle, sigma=sizes, mu=pair, x=pair, examples=30)(statement)

    @for_all(W=two_columns, sigma=sizes, mu=column, x=column, apart=pair, spread=st.tuples(sizes, sizes).map(array))
    def others_lose_more(W, sigma, mu, x, apart, spread):
        value, size = lost(W, sigma, mu, x, apart, spread)
        return below(loss, entries(W, sigma), value, magnitude=size)

    yield others_lose_more


def letters(W, sigma, mu, x):
    """The letters of the pair: a matrix, and columns."""
    return {"W": W, "sigma": sigma, "mu": mu[:, None], "x": x[:, None], "d": len(mu)}


def regressed(W, sigma, mu, x):
    """The covariance of x, then mean and covariance of z given x, each with the size of its terms."""
    d, k = W.shape
    padded = np.pad(W, [(0, 0), (0, d - k)])
    return moments(np.eye(d), sigma * np.eye(d), padded, np.zeros(d), mu, x)[1:]


def entries(W, sigma):
    """The letters of the encoder: the entries of M and of its inverse."""
    M = W.T @ W + sigma**2 * np.eye(W.shape[1])
    inverse = np.linalg.inv(M)
    return {
        "sigma": sigma,
        "k": len(M),
        "M_entry": lambda i, j: M[i - 1, j - 1],
        "inverse_entry": lambda i, j: inverse[i - 1, j - 1],
        "det": np.linalg.det(M),
    }


# Encoders


def log_joint(W, sigma, mu, x, z):
    """log p(z) + log p(x | z), for latents (..., k)."""
    k, d = W.shape[1], len(mu)
    off = np.sum((x - mu - z @ W.T) ** 2, axis=-1) / sigma**2 + np.sum(z**2, axis=-1)
    return -off / 2 - (k + d) * np.log(2 * np.pi) / 2 - d * np.log(sigma)


def differences(W, sigma, mu, x):
    """The log joint density at z = 0, its slopes, and its second differences: it is a polynomial of degree two."""
    step = np.eye(W.shape[1], dtype=np.longdouble)
    f = lambda z: log_joint(W, sigma, mu, x, z)
    slopes = (f(step) - f(-step)) / 2
    along, against = step[:, None] + step, step[:, None] - step
    second = (f(along) + f(-along) - f(against) - f(-against)) / 4
    return [found.astype(float) for found in (f(0 * step[0]), slopes, second)]


def bound(W, sigma, mu, x, apart, spread):
    """The evidence lower bound of an encoder that is off by ``apart`` and has these variances, and its terms' size."""
    value, slopes, second = differences(W, sigma, mu, x)
    mean = np.linalg.solve(second, -slopes) + apart
    terms = [value, slopes @ mean, mean @ second @ mean / 2, np.diag(second) @ spread / 2]
    terms += [len(mean) * (1 + np.log(2 * np.pi)) / 2, np.sum(np.log(spread)) / 2]
    return np.sum(terms), np.sum(np.abs(terms))


def lost(W, sigma, mu, x, apart, spread):
    """log p(x) minus the bound: x by the regression of the pair, which knows nothing of encoders."""
    lower, size = bound(W, sigma, mu, x, apart, spread)
    covariance = regressed(W, sigma, mu, x)[0][0]
    whole = np.linalg.slogdet(2 * np.pi * covariance)[1], (x - mu) @ np.linalg.solve(covariance, x - mu)
    return -np.sum(whole) / 2 - lower, size + np.sum(np.abs(whole)) + np.linalg.cond(covariance)


def lost_by_integration(W, sigma, mu, x):
    """The same at the best variances, with p(x) integrated over two latents."""
    _, slopes, second = differences(W, sigma, mu, x)
    lower, size = bound(W, sigma, mu, x, 0.0, -1 / np.diag(second))
    centre, width = np.linalg.solve(second, -slopes), np.sqrt(-1 / np.diag(second))
    over = integral_over_plane(
        lambda u, v: np.exp(log_joint(W, sigma, mu, x, np.stack(np.broadcast_arrays(u, v), axis=-1)) - lower),
        tuple(centre),
        tuple(width),
    )
    return lambda nodes: (np.log(over(nodes)[0]), size)
