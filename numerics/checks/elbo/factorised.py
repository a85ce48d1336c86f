r"""What tries to refute the page on factorised Gaussians: means of log ratios of densities, made as small as they get.

The logarithm of a Gaussian is a square, so that Gauss-Hermite nodes give its mean exactly; and they give it for complex
variances too, so that a derivative is an imaginary part, with nothing lost by subtraction. Where it changes its sign
the divergence is least.
"""

import numpy as np
from hypothesis import strategies as st
from numpy import array, exp, log, sqrt
from scipy.optimize import brentq

from ...quadrature import integral_over_plane
from ...statistics import below, close, for_all, matches
from ...worlds import gaussian
from .gaussian import grid, triangle

ROOTS = [  # L, where the covariance of the target is L L^T
    array([[1.27, 0.0], [-0.41, 0.83]]),
    array([[0.73, 0.0], [0.58, 1.31]]),
    array([[1.13, 0.0, 0.0], [0.37, 0.71, 0.0], [-0.22, 0.46, 0.94]]),
    array(
        [
            [0.87, 0.0, 0.0, 0.0, 0.0],
            [-0.31, 1.16, 0.0, 0.0, 0.0],
            [0.43, 0.19, 0.78, 0.0, 0.0],
            [0.14, -0.39, 0.52, 0.93, 0.0],
            [-0.27, 0.61, 0.16, -0.33, 1.09],
        ]
    ),
]
PAIRS = [(0.37, 1.27, 0.58), (-0.71, 0.83, 1.61), (0.86, 0.49, 0.92)]  # correlation, two standard deviations

sizes, correlations = st.floats(0.5, 2), st.floats(0.1, 0.9)


def meanfield_gaussian(narrow, broad, residual):
    """Each variance of q, with the others held anywhere, to where the divergence is least; and what is left there."""
    for L in ROOTS:
        for i in range(len(L)):
            at = entries(L @ L.T, i)
            yield matches(narrow, at, least(reverse, L, i), magnitude=10.0)
            yield matches(broad, at, least(forward, L, i), magnitude=10.0)
            yield below(narrow, at, broad(**at), strict=True)
    for rho, s, t in PAIRS:
        at, matrix = {"rho": rho}, covariance(rho, s, t)
        law = gaussian([0.0, 0.0], matrix)
        for formula, reversed in ((narrow, True), (broad, False)):
            best = [float(formula(**entries(matrix, i))) for i in range(2)]
            yield close(residual, at, divergence(gaussian([0.0, 0.0], np.diag(best)), law, reversed))
        for other in ([0.31, 0.77], [1.43, 0.59]):
            for kind in (reverse, forward):
                yield below(residual, at, kind(array(other), np.linalg.cholesky(matrix)), strict=True)

    for formula, kind in ((narrow, reverse), (broad, forward)):

        def statement(L, i, formula=formula, kind=kind):
            return matches(formula, entries(L @ L.T, i), least(kind, L, i), magnitude=np.linalg.cond(L) ** 2)

        yield for_all(examples=20, L=triangle, i=st.integers(0, 2))(statement)
    for kind in (reverse, forward):

        def bounded(rho, s, t, kind=kind):
            return below(residual, {"rho": rho}, kind(array([s, t]), np.linalg.cholesky(covariance(rho, s, t))))

        yield for_all(examples=50, rho=correlations, s=sizes, t=sizes)(bounded)


def entries(matrix, i):
    """On the diagonals of the matrix and of its inverse."""
    return {"precision": np.linalg.inv(matrix)[i, i], "variance": matrix[i, i]}


def covariance(rho, s, t):
    return array([[s**2, rho * s * t], [rho * s * t, t**2]])


def log_normal(x, root):
    """The logarithm of N(x; 0, L L^T), for x in rows; L may be a column of standard deviations, and x complex."""
    if root.ndim == 1:
        return -np.sum((x / root) ** 2 + log(2 * np.pi * root**2), axis=-1) / 2
    square = np.sum(np.linalg.solve(root, x.T) ** 2, axis=0)
    return -(square + np.sum(log(2 * np.pi * np.diag(root) ** 2))) / 2


def reverse(variances, L):
    """D(q || p) for independent coordinates q, and p = N(0, L L^T)."""
    nodes, weights = grid(len(L), 2)
    x = nodes * sqrt(variances)
    return np.sum(weights * (log_normal(x, sqrt(variances)) - log_normal(x, L)))


def forward(variances, L):
    """D(p || q)."""
    nodes, weights = grid(len(L), 2)
    x = nodes @ L.T
    return np.sum(weights * (log_normal(x, L) - log_normal(x, sqrt(variances))))


def least(kind, L, i):
    """The variance of the i-th coordinate with which the divergence is least."""

    def slope(t):
        variances = np.linspace(0.6, 1.7, len(L)).astype(complex)
        variances[i] = exp(t + 1e-30j)
        return kind(variances, L).imag / 1e-30

    return exp(brentq(slope, -12.0, 12.0, xtol=1e-15, rtol=1e-14))


def divergence(q, p, reversed):
    """D(q || p), or D(p || q), integrated over the plane."""
    over, under = (q, p) if reversed else (p, q)

    def integrand(*coordinates):
        x = np.stack(np.broadcast_arrays(*coordinates), axis=-1)
        return over(x) * (over.log_density(x) - under.log_density(x))

    return integral_over_plane(integrand, (0.0, 0.0), tuple(sqrt(np.diag(over.covariance))))
