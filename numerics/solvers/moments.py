r"""The law of a whole chain on Gaussian data, with nothing drawn.

For :math:`x_0\sim\mathcal N(m,v)` the best prediction is affine in x,

.. math:: \mathbb E[x_0\mid x]=m+\frac{a\,v}{a^2v+b^2}\,(x-a\,m),

so every row of a table is affine, what it draws is Gaussian, and so is all that the registers ever hold: their means
and covariances follow by recursion,

.. math:: \mu\leftarrow M\mu,\qquad\Sigma\leftarrow M\Sigma M^\top+c^2e_xe_x^\top,

exactly, for stochastic samplers too.  What is left at the end is the error of the sampler, and rounding.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .grids import Level
from .predictions import x_0_from
from .table import Table

Array = NDArray[np.float64]


class Moments(NamedTuple):
    """The mean and the variance of x."""

    mean: float
    variance: float


def exact(mean: float, variance: float, level: Level) -> Moments:
    """Those of x at a level, for data with these: the law that a perfect sampler has."""
    return Moments(level.scale * mean, level.scale**2 * variance + level.noise**2)


def chain(table: Table, mean: float, variance: float, start: Moments | None = None) -> Iterator[tuple[int, Moments]]:
    """The levels of the grid that are reached, by their number, and the moments of x there.

    The network is the best one for N(mean, variance); x begins with the law it has there, unless said otherwise.
    """
    mu, cov = np.zeros(len(table.registers) + 1), np.zeros([len(table.registers) + 1] * 2)  # the last one is constant
    mu[0], cov[0, 0] = start or exact(mean, variance, table.grid[0])
    mu[-1] = 1
    for row, m in table.matrices():
        whole = np.zeros_like(cov)
        whole[:-1, :-1], whole[-1, -1] = m[:, :-1], 1
        if row.level is not None:
            gain, constant = predicted(table.prediction, mean, variance, row.level)
            whole[:-1, 0] += gain * m[:, -1]
            whole[:-1, -1] += constant * m[:, -1]
        mu, cov = whole @ mu, whole @ cov @ whole.T
        cov[0, 0] += row.noise**2
        if row.reached is not None:
            yield row.reached, Moments(float(mu[0]), float(cov[0, 0]))


def predicted(kind: str, mean: float, variance: float, level: Level) -> tuple[float, float]:
    """The best prediction, for data N(mean, variance): its gain, and what is left at x = 0."""
    a, b = level.scale, level.noise
    gain = a * variance / (a * a * variance + b * b)
    of_x, of_p = x_0_from(kind, level)
    return (gain - of_x) / of_p, mean * (1 - gain * a) / of_p


def final(table: Table, mean: float, variance: float, start: Moments | None = None) -> Moments:
    """The moments at the end of the chain."""
    *_, (_, last) = chain(table, mean, variance, start)
    return last


def w2(one: Moments, other: Moments) -> float:
    """The Wasserstein distance of two Gaussians on the line."""
    return float(np.hypot(one.mean - other.mean, np.sqrt(one.variance) - np.sqrt(other.variance)))
