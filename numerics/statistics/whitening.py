r"""Whitening: what a claimed law makes standard normal, if the claim is true.

Given the conditioning variables, each of these is independent :math:`\mathcal N(0,1)` noise; ``laws.law`` then holds it
against functions of those variables.  A law that is not Gaussian is whitened through its distribution function, and a
vector one coordinate after another, each given those before it (Rosenblatt 1952).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr, ndtri

Array = NDArray[np.float64]

EDGE = 1e-15  # how near to 0 or 1 a distribution function is read


def standardised_by(x: Array, mean: Array | float, variance: Array | float) -> Array:
    """(x - mean) / sigma: normal, if x is N(mean, variance)."""
    return (x - mean) / np.sqrt(variance)


def by_cholesky(x: Array, mean: ArrayLike, covariance: ArrayLike) -> list[Array]:
    """The coordinates of L^-1 (x - mean) for x of shape (n, d), where L L^T is the covariance, (d, d) or (n, d, d).

    Written out, not BLAS: the bits are reproducible.
    """
    covariance = np.asarray(covariance, dtype=float)
    x, root = x - np.asarray(mean), np.full_like(covariance, np.nan)
    if np.allclose(covariance, np.swapaxes(covariance, -1, -2), rtol=1e-12, atol=0.0):
        with suppress(np.linalg.LinAlgError):  # no covariance of anything: what leaves its domain is refuted
            root = np.linalg.cholesky(covariance)
    z: list[Array] = []
    for i in range(x.shape[-1]):
        explained = sum((root[..., i, j] * z[j] for j in range(i)), 0.0)
        z.append((x[..., i] - explained) / root[..., i, i])
    return z


def by_cdf(u: Array) -> Array:
    """What is uniform on (0, 1), as standard normal."""
    return ndtri(np.clip(u, EDGE, 1 - EDGE))


def by_table(grid: Array, density: ArrayLike) -> Callable[[Array], Array]:
    """What makes normal of draws with this density, given on an evenly spaced grid: its trapezoids, read between."""
    p = np.broadcast_to(np.asarray(density, dtype=float), grid.shape)
    below = np.concatenate([[0.0], np.cumsum(p[1:] + p[:-1]) * (grid[1] - grid[0]) / 2])
    return lambda x: by_cdf(np.interp(x, grid, below))


def by_mixture(x: Array, weights: Array, means: Array, variances: Array) -> Array:
    """Normal, if x is drawn from a mixture of Gaussians; its components run along the first axis."""
    return by_cdf(np.sum(weights * ndtr((x - means) / np.sqrt(variances)), axis=0))


def by_rosenblatt(x: Sequence[Array], conditionals: Sequence[Callable[..., Array]]) -> list[Array]:
    """The coordinates of x through their distribution functions, each given those before: F_k(x_k, x_1, ...)."""
    return [by_cdf(cdf(x_k, *x[:k])) for k, (x_k, cdf) in enumerate(zip(x, conditionals, strict=True))]
