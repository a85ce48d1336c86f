r"""How far a sample is from data, in any number of dimensions.

On the line optimal transport couples quantiles, so that :math:`W_2` between two samples is a finite sum.  In d
dimensions the *sliced* distance averages :math:`W_2^2` over the shadows of both along unit vectors.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

Array = NDArray[np.float64]


def directions(rng: np.random.Generator, d: int, n: int) -> Array:
    """n random unit vectors, (n, d)."""
    towards = rng.standard_normal((n, d))
    return towards / np.linalg.norm(towards, axis=1, keepdims=True)


def w2_squared(x: Array, y: Array) -> Array:
    """The squared W_2 between samples (*, n) and (*, m) on the line, exactly."""
    n, m = x.shape[-1], y.shape[-1]
    x, y = np.sort(x), np.sort(y)
    cuts = np.union1d(m * np.arange(1, n + 1), n * np.arange(1, m + 1))  # where a quantile jumps, in units of 1 / nm
    widths = np.diff(cuts, prepend=0) / (n * m)
    apart = x[..., (cuts - 1) // m] - y[..., (cuts - 1) // n]
    return (apart * apart) @ widths


def sliced_w2(x: Array, y: Array, along: Array) -> float:
    """The root of the mean of W_2^2 between the shadows of samples (n, d) and (m, d) along unit vectors (k, d)."""
    return float(np.sqrt(np.mean(w2_squared(along @ x.T, along @ y.T))))


def nearest(x: Array, data: Array) -> Array:
    """The distance from every point (n, d) to the nearest of the data (m, d)."""
    return KDTree(data).query(x)[0]


def nearest_other(data: Array) -> Array:
    """The distance from every data point to the nearest other one."""
    return KDTree(data).query(data, k=2)[0][:, 1]
