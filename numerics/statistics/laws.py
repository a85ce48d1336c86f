r"""What a law implies for averages: rows of scores.

A *row* is a product f(z) g(c), where, given the conditioning variables c, the score f has mean 0 and variance 1 *if the
claim is true*.  Given c, the sum of f g over n draws then has mean 0 and variance :math:`\sum g^2`, exactly, and

.. math:: \hat\rho = \sum f g \Big/ \sqrt{n \sum g^2}

estimates the correlation of f and g: how far the claim is off, in standard deviations of the score, with the null
standard error :math:`1/\sqrt n`.  The sample's own variance of f is never used: a wrong formula could hide behind it.

Given c, g may be any function of all the c; so each c is standardised within its chunk, and its units do not matter.
Scores are held against 1, every c and its square, and the sine and cosine of a combination of all c; the scale of z
also by bins: where c is low, middling or high.  Uniformity of z alone would not see a conditional law that ignores its
condition; these rows do.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .sequential import Head
from .tails import Binomial, Bounded, ChiSquare, Limit, Tail

Array = NDArray[np.float64]
Numbers = Array | float

FREQUENCIES = (0.8, 1.9)  # of z, in the characteristic function
LIMIT = Limit()
UNKNOWN = 1e12  # a third moment so large that no normal tail may be believed
TILT = (0.9, -0.7, 0.5, 1.3, -1.1, 0.6, -0.4, 1.7)  # of the conditioning variables, one each
WAVES = (" against cos c", " against sin c")
SQRT_2, SQRT_6, SQRT_24 = np.sqrt([2.0, 6.0, 24.0])


@dataclass(frozen=True)
class Row:
    """Draws of f and g, and the null law of their sum.

    ``third`` bounds E|f|^3 given c, which says when a normal tail may be believed: unknown, it never may, and the row
    decides nothing; if f is exactly normal given c, or nothing at all, it is 0.  ``tail`` is the null law where more is
    known.  ``polynomial`` says whether f g is one in the raw normals wherever x and c are.  With ``relation`` ">=" the
    claim is that the average is not negative.

    Raises ValueError unless f holds one number for each draw and g and the bound are numbers or fit.
    """

    name: str
    f: Array
    g: Numbers = 1.0
    third: Numbers = UNKNOWN
    tail: Tail = LIMIT
    polynomial: bool = True
    relation: str = "="

    def __post_init__(self) -> None:
        if np.ndim(self.f) != 1:
            raise ValueError(f"the row {self.name!r} has shape {np.shape(self.f)}; expected one score for each draw")
        for what, x in {"weights": self.g, "third moments": self.third}.items():
            if np.shape(x) not in ((), np.shape(self.f)):
                expected = f"() or {np.shape(self.f)}"
                raise ValueError(f"the row {self.name!r} has {what} of shape {np.shape(x)}; expected {expected}")

    @property
    def head(self) -> Head:
        return Head(self.name, self.tail, self.relation)

    def partial_sums(self) -> tuple[float, float, float]:
        """Over a chunk: f g, g^2 and E|f g|^3.  Products and pairwise sums, no BLAS: the bits are reproducible."""
        n, weight = len(self.f), np.abs(self.g)
        return float(np.sum(self.f * self.g)), _sum(weight**2, n), _sum(self.third * weight * weight * weight, n)


def _sum(x: Any, n: int) -> float:
    return float(np.sum(x)) if np.ndim(x) else n * float(x)


# Rows that a law implies.


def law(z: Array, given: Sequence[Array] = ()) -> list[Row]:
    """The rows that hold if z is standard normal, independently of the variables given.

    Mean and variance, against functions of the variables given; the variance by bins of them; Hermite polynomials of
    degree 3 and 4; and products of trigonometric functions of z and of those variables, which together are the joint
    characteristic function.
    """
    z, standard = np.asarray(z, dtype=float), standardised(given)
    square, third = z * z, absolute_third_moments()
    he_2, he_3, he_4 = (square - 1) / SQRT_2, z * (square - 3) / SQRT_6, (square * (square - 6) + 3) / SQRT_24
    rows = []
    for against, g in functions_of(standard):
        smooth = against not in WAVES
        exact = Limit() if against else ChiSquare()
        rows += [Row(f"mean{against}", z, g, 0.0, polynomial=smooth)]
        rows += [Row(f"variance{against}", he_2, g, third["he_2"], exact, polynomial=smooth)]
    rows += [Row(f"variance{against}", he_2, g, third["he_2"], polynomial=False) for against, g in bins(standard)]
    rows += [Row("skewness", he_3, 1.0, third["he_3"]), Row("kurtosis", he_4, 1.0, third["he_4"])]
    return rows + characteristic_function(z, standard)


def characteristic_function(z: Array, standard: Sequence[Array]) -> list[Row]:
    """cos(w z) and sin(w z), centred and scaled under N(0, 1), by themselves and against waves of what is given."""
    rows = []
    for w in FREQUENCIES:
        centre, even, odd = np.exp(-w * w / 2), (1 - np.exp(-w * w)) ** 2 / 2, (1 - np.exp(-2 * w * w)) / 2
        cosine, sine = (np.cos(w * z) - centre) / np.sqrt(even), np.sin(w * z) / np.sqrt(odd)
        for against, g in [("", 1.0), *waves(standard)]:  # E|f|^3 <= max|f| when E f^2 = 1
            top, peak = (1 + centre) / np.sqrt(even), 1 / np.sqrt(odd)
            rows.append(Row(f"cos {w}z{against}", cosine, g, top, Bounded(top), polynomial=False))
            rows.append(Row(f"sin {w}z{against}", sine, g, peak, Bounded(peak), polynomial=False))
    return rows


def moments(x: Array, mean: Numbers, variance: Numbers | None, null: Any, given: Sequence[Array] = ()) -> list[Row]:
    """The rows that hold if x has this mean and variance given c, whatever its shape; without a variance, this mean.

    ``null`` holds the central moments of x given c in the world, up to a bound: a tuple (second, fourth, sixth), or an
    object with these names.  They set the units and the threshold and are not taken from the claim.
    E|r|^3 <= (E r^4)^(3/4), and |r^2 - v|^3 <= r^6 + v^3.

    Raises ValueError where the world leaves nothing to test by sampling.
    """
    second, fourth, sixth = (null.second, null.fourth, null.sixth) if hasattr(null, "second") else null
    if np.any(np.asarray(second) <= 0):
        raise ValueError("x does not vary in the world: compare its mean with matches(...)")
    residual, sigma, against_all = x - mean, np.sqrt(second), functions_of(standardised(given))
    third = fourth**0.75 / sigma**3
    rows = [Row(f"mean{a}", residual / sigma, g, third, polynomial=a not in WAVES) for a, g in against_all]
    if variance is None:
        return rows
    spread = np.sqrt(np.maximum(fourth - second**2, 0))
    if np.any(spread <= 0):
        raise ValueError("(x - mean)^2 does not vary in the world: compare its variance with matches(...)")
    scale, third = (residual**2 - variance) / spread, (sixth + second**3) / spread**3
    return rows + [Row(f"variance{a}", scale, g, third, polynomial=a not in WAVES) for a, g in against_all]


def event(happened: NDArray[Any], probability: Numbers, given: Sequence[Array] = ()) -> list[Row]:
    """The rows that hold if an event has this probability given c.

    The variance p (1 - p) is that of the claim, but it is never more than 1/4, so no wrong p can hide behind it.
    A draw weighs as much as it varies, so that rare events do not make the sum skew.  Where p is claimed to be 0 or 1,
    a single draw to the contrary is not finite and fails.
    """
    happened = np.asarray(happened, dtype=float)
    p = np.broadcast_to(np.asarray(probability, dtype=float), happened.shape)
    variance, surprise = p * (1 - p), happened - p
    certain = (variance == 0) & (surprise == 0)
    sigma = np.sqrt(np.where(certain, 1.0, variance))
    third = np.where(certain, 0.0, (1 - 2 * variance) / sigma)
    tail = Binomial(float(np.asarray(probability))) if np.ndim(probability) == 0 and not np.any(certain) else Limit()
    weight = 1.0 if np.ndim(probability) == 0 else np.sqrt(variance)
    return [
        Row(f"frequency{against}", surprise / sigma, weight * g, third, Limit() if against else tail, polynomial=False)
        for against, g in functions_of(standardised(given))
    ]


def within(x: Array, low: Numbers, high: Numbers, name: str = "x") -> list[Row]:
    """The row that holds if x is never outside [low, high]: a single draw to the contrary fails.

    A formula whose scores have no variance to speak of may hide behind it; its range gives it away.
    """
    inside = (x >= low) & (x <= high)
    return [Row(f"{name} in its range", np.where(inside, 0.0, np.nan), third=0.0, polynomial=False)]


def at_least(x: Array, value: Numbers, sigma: Numbers, third: Numbers, name: str = "mean") -> list[Row]:
    """The row that holds if x is at least this value on average.

    sigma is its standard deviation in the world, and third a bound for E|x - E x|^3 / sigma^3.
    """
    return [Row(name, (x - value) / sigma, 1.0, third, relation=">=")]


# What scores are held against.


_shares: ContextVar[Array | None] = ContextVar("shares", default=None)


@contextmanager
def weighed(shares: Array) -> Iterator[None]:
    """Inside, draws are points that count as much as their shares, (n,): nodes of a grid, cases of a mixture."""
    before = _shares.set(shares)
    try:
        yield
    finally:
        _shares.reset(before)


def standardised(given: Iterable[Array]) -> list[Array]:
    """Each variable with mean 0 and variance 1 within its chunk.  One that does not vary gets no weight.

    Raises ValueError for more variables than there are combinations of them to hold scores against.
    """
    standard, shares = [], _shares.get()
    for c in given:
        c = np.asarray(c, dtype=float)
        away = c - np.average(c, weights=shares)
        spread = np.sqrt(np.average(away * away, weights=shares))
        standard.append(away / spread if spread else 0 * away)
    if len(standard) > len(TILT):
        raise ValueError(f"{len(standard)} conditioning variables are given; at most {len(TILT)} can be")
    return standard


def functions_of(standard: Sequence[Array]) -> list[tuple[str, Numbers]]:
    """1, every c and its square, and the waves, each with its words."""
    each: list[tuple[str, Numbers]] = [("", 1.0)]
    for k, c in enumerate(standard, 1):
        each += [(f" against c{k}", c), (f" against c{k} squared", c * c - 1)]
    return each + waves(standard)


def bins(standard: Sequence[Array]) -> list[tuple[str, Numbers]]:
    """Where every c is low, middling and high; the bins have soft edges, so that none is ever empty."""
    parts = (("low", -1.5), ("middling", 0.0), ("high", 1.5))
    return [
        (f" where c{k} is {word}", np.exp(-((c - at) ** 2))) for k, c in enumerate(standard, 1) for word, at in parts
    ]


def waves(standard: Sequence[Array]) -> list[tuple[str, Numbers]]:
    """The sine and cosine of a combination of all c."""
    if not standard:
        return []
    angle = sum(u * c for u, c in zip(TILT, standard))
    return list(zip(WAVES, (np.cos(angle), np.sin(angle))))


@cache
def absolute_third_moments() -> dict[str, float]:
    """E|He_k|^3 / k!^(3/2) under N(0, 1), by the trapezoid rule."""
    z = np.linspace(-14, 14, 20_001)
    density = np.exp(-z * z / 2) / np.sqrt(2 * np.pi) * (z[1] - z[0])
    he = {
        "he_2": (z**2 - 1) / SQRT_2,
        "he_3": (z**3 - 3 * z) / SQRT_6,
        "he_4": (z**4 - 6 * z**2 + 3) / SQRT_24,
    }
    return {name: float(np.sum(np.abs(f) ** 3 * density)) for name, f in he.items()}
