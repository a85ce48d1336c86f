r"""How far chance may carry a sum of scores: the null law of each row.

A threshold is asked for at the level of a normal deviate z: with probability at most :math:`\Phi(-z)` on each side, the
sum strays further.  Answers are in standard errors, one below and one above.

    Limit        a central limit theorem, and Cramér's first correction to it     an estimate
    ChiSquare    (z^2 - 1)/sqrt 2 of normal z, unweighted                         exact
    Binomial     (event - p)/sqrt(p (1 - p)), unweighted                          exact
    Bounded      no score beyond a bound                                          Bennett's inequality

A score that is exactly normal is a ``Limit`` whose third moment is 0: nothing is estimated then.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import bdtr, bdtrc, gammainccinv, gammaincinv, log_ndtr, ndtr


class Tail(Protocol):
    """The null law of a sum of n scores, whose squares have mean 1, with weights of this sum of squares."""

    def thresholds(self, z: float, n: int, weight: float, third: float) -> tuple[float, float]: ...


def cramer(z: float, lyapunov: ArrayLike) -> NDArray[np.float64]:
    """How many standard errors are as unlikely as a normal deviate beyond z; infinite where nobody can tell."""
    lyapunov = np.asarray(lyapunov, dtype=float)
    raised = np.full(lyapunov.shape, z)
    for _ in range(20):  # the least solution of x^2/2 - x^3 L/6 = z^2/2
        raised = z / np.sqrt(np.maximum(1 - raised * lyapunov / 3, 0.5))
    return np.where(raised * lyapunov / 3 <= 0.25, raised, np.inf)


@dataclass(frozen=True)
class Limit:
    """Normal in the limit; ``third`` bounds the sum of E|score|^3 and says whether the limit has been reached."""

    def thresholds(self, z: float, n: int, weight: float, third: float) -> tuple[float, float]:
        raised = float(cramer(z, third / weight**1.5))
        return raised, raised


@dataclass(frozen=True)
class ChiSquare:
    """The sum of n squares of standard normal variables, centred and scaled."""

    def thresholds(self, z: float, n: int, weight: float, third: float) -> tuple[float, float]:
        half, p = n / 2, float(ndtr(-z))
        return (half - gammaincinv(half, p)) / np.sqrt(half), (gammainccinv(half, p) - half) / np.sqrt(half)


@dataclass(frozen=True)
class Binomial:
    """How often an event of probability p happens in n draws, centred and scaled."""

    p: float

    def thresholds(self, z: float, n: int, weight: float, third: float) -> tuple[float, float]:
        centre, scale, rare = n * self.p, np.sqrt(n * self.p * (1 - self.p)), float(ndtr(-z))
        most = smallest(lambda k: bdtrc(k, n, self.p) <= rare, 0, n)  # P(more than k) is rare
        least = -smallest(lambda k: bdtr(-k, n, self.p) <= rare, -n, 0) if bdtr(0, n, self.p) <= rare else -1
        return float(centre - least - 0.5) / scale, float(most + 0.5 - centre) / scale  # between two counts


def smallest(holds, low: int, high: int) -> int:
    """The smallest whole number for which a statement holds that is false below and true from there on."""
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle + 1, high)
    return low


@dataclass(frozen=True)
class Bounded:
    """Bennett's inequality: no score times its weight is beyond the bound."""

    bound: float

    def thresholds(self, z: float, n: int, weight: float, third: float) -> tuple[float, float]:
        """Solve h(k s) = -k^2 log p for s, where k is the bound in standard errors and h(u) = (1+u) log(1+u) - u."""
        k = self.bound / np.sqrt(weight)
        y = -(k**2) * float(log_ndtr(-z))
        u = np.sqrt(2 * y) + y  # beyond the root, and h is convex: Newton comes down to it
        for _ in range(50):
            u = max(u - ((1 + u) * np.log1p(u) - u - y) / np.log1p(u), 0.0)
        return u / k, u / k
