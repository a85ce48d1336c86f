r"""How far draws are from a law, and how far from it chance alone may carry them.

By the largest distance between distribution functions, for which there is a bound whatever the law is (Dvoretzky,
Kiefer & Wolfowitz; the constant is Massart's):

.. math:: P\Bigl(\sup_x\lvert F_N(x)-F(x)\rvert>e\Bigr)\le2e^{-2Ne^2} .

In the plane it is the largest one of a few shadows, for which the bound is as many times as large.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from numerics.solvers.transport import law, shadow
from numerics.worlds import Mixture

from .ends import Chain

Array = NDArray[np.float64]

DRAWS = 20000
AT_ONCE = 2000  # of these: a run of a hundred steps holds several hundred numbers for each
FALSE_ALARM = 1e-13  # of one comparison
ANGLES = np.pi * (np.arange(4) + 0.3) / 4  # of shadows in the plane, none of which is an axis


def drawn(run: Chain, world: Mixture, rng: np.random.Generator, draws: int = DRAWS) -> Array:
    """The ends of runs around the network that is best for a world, (draws,) or (draws, 2)."""
    found = []
    for _ in range(draws // AT_ONCE):
        x = law(world, run.start).sample(rng, AT_ONCE)
        pieces = rng.standard_normal((run.table.increments.shape[1], *x.shape))
        found.append(run.paths(world, x, np.tensordot(run.table.increments, pieces, 1))[-1])
    return np.concatenate(found)


def beyond(x: Array, of: Mixture) -> float:
    """The largest distance of the distribution functions of draws, (N,) or (N, 2), and of a law."""
    if of.dimension is None:
        return from_uniform(of.cdf(x))
    along = np.stack([np.cos(ANGLES), np.sin(ANGLES)], axis=-1)
    return max(from_uniform(shadow(of, u).cdf(x @ u)) for u in along)


def from_uniform(u: Array) -> float:
    u, n = np.sort(u), len(u)
    return float(max(np.max(np.arange(1, n + 1) / n - u), np.max(u - np.arange(n) / n)))


def by_chance(draws: int, of: Mixture) -> float:
    """What this distance hardly ever is beyond, for draws of the law itself; twice as much is hardly ever missed."""
    shadows = 1 if of.dimension is None else len(ANGLES)
    return float(np.sqrt(np.log(2 * shadows / FALSE_ALARM) / (2 * draws)))
