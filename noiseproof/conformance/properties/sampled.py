r"""How far draws are from a law, and how far from it chance alone may carry them.

By the largest distance between distribution functions, for which there is a bound whatever the law is (Dvoretzky,
Kiefer & Wolfowitz; the constant is Massart's):

.. math:: P\Bigl(\sup_x\lvert F_N(x)-F(x)\rvert>e\Bigr)\le2e^{-2Ne^2} .

In the plane it is the largest one of a few shadows, for which the bound is as many times as large.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from numerics.solvers.transport import shadow
from numerics.worlds import Mixture

Array = NDArray[np.float64]

DRAWS = 20000
FALSE_ALARM = 1e-13  # of one comparison
ANGLES = np.pi * (np.arange(4) + 0.3) / 4  # of shadows in the plane, none of which is an axis


def beyond(x: Array, law: Mixture) -> float:
    """The largest distance of the distribution functions of draws, (N,) or (N, 2), and of a law."""
    if law.dimension is None:
        return from_uniform(law.cdf(x))
    along = np.stack([np.cos(ANGLES), np.sin(ANGLES)], axis=-1)
    return max(from_uniform(shadow(law, u).cdf(x @ u)) for u in along)


def from_uniform(u: Array) -> float:
    u, n = np.sort(u), len(u)
    return float(max(np.max(np.arange(1, n + 1) / n - u), np.max(u - np.arange(n) / n)))


def by_chance(draws: int, law: Mixture) -> float:
    """What this distance hardly ever is beyond, for draws of the law itself; twice as much is hardly ever missed."""
    shadows = 1 if law.dimension is None else len(ANGLES)
    return float(np.sqrt(np.log(2 * shadows / FALSE_ALARM) / (2 * draws)))
