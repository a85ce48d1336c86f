r"""Where the probability-flow ODE carries a point, on the line, without solving it.

Trajectories of an ODE do not cross, so on the line they keep their order, and with it their quantile:

.. math:: F_s(x(s))=F_t(x(t)),

with the distribution functions of the two marginals.  For mixtures these are known, which gives the exact end of every
trajectory of every deterministic sampler.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..statistics.transport import w2_squared
from ..worlds import Mixture, mixture
from .grids import Level

Array = NDArray[np.float64]

HALVINGS = 2000  # at most; a bracket of doubles is exhausted long before


def law(world: Mixture, level: Level) -> Mixture:
    """The law of x at a level, if the world is that of x_0."""
    return world.affine(level.scale, level.noise**2)


def transported(world: Mixture, x: ArrayLike, start: Level, end: Level) -> Array:
    """The points at the end level on the trajectories through x at the start; one dimension, x of any shape."""
    return carried(law(world, start), law(world, end), x)


def carried(source: Mixture, target: Mixture, x: ArrayLike) -> Array:
    """The increasing map that carries one law on the line to another, at x."""
    x = np.asarray(x, dtype=float)
    below, above = source.cdf(x), flipped(source).cdf(-x)
    left = below <= above  # each point by its nearer tail, where probabilities keep their digits
    return np.where(left, quantile(target, np.minimum(below, 0.5)), -quantile(flipped(target), np.minimum(above, 0.5)))


def flipped(world: Mixture) -> Mixture:
    """The law of -x."""
    return world.affine(-1.0, 0.0)


def quantile(world: Mixture, u: ArrayLike) -> Array:
    """The x with P(a draw <= x) = u, for 0 < u < 1, on the line; by halving, to the last bit."""
    u = np.asarray(u, dtype=float)
    reach = 40 * np.sqrt(np.max(world.variances)) + 1
    lo = np.full(u.shape, np.min(world.means) - reach)
    hi = np.full(u.shape, np.max(world.means) + reach)
    for _ in range(HALVINGS):
        middle = (lo + hi) / 2
        if np.all((middle <= lo) | (middle >= hi)):
            break
        low = world.cdf(middle) < u
        lo, hi = np.where(low, middle, lo), np.where(low, hi, middle)
    return hi


def midpoints(n: int) -> Array:
    """The probabilities (k + 1/2) / n: the middle of n equal parts."""
    return (np.arange(n) + 0.5) / n


def shadow(world: Mixture, along: ArrayLike) -> Mixture:
    """The law of the inner product of x with a vector (d,): a mixture on the line."""
    u = np.asarray(along, dtype=float)
    inside = (u if world.spread.axes is None else u @ world.spread.axes) ** 2  # (d,), or (K or 1, d)
    variances = np.sum(np.broadcast_to(world.spread.spectra, (*world.spread.spectra.shape[:-1], len(u))) * inside, -1)
    return mixture(world.weights, world.means @ u, np.broadcast_to(variances, world.weights.shape))


def yardstick(world: Mixture, along: ArrayLike | None = None, parts: int = 2000) -> Array:
    """Points of equal weight that stand for a law on the line, (parts,), or for its shadows along vectors, (k, parts).

    They are quantiles, the middles of parts of equal weight.
    """
    shadows = [world] if along is None else [shadow(world, u) for u in np.asarray(along)]
    points = np.array([quantile(law, midpoints(parts)) for law in shadows])
    return points[0] if along is None else points


def distance(x: ArrayLike, of_law: Array, along: ArrayLike | None = None) -> float:
    """W_2 between draws, (n,) or (n, d), and a law by its yardstick; in d dimensions the sliced one."""
    x = np.asarray(x, dtype=float)
    return float(np.sqrt(np.mean(w2_squared(x if along is None else np.asarray(along) @ x.T, of_law))))
