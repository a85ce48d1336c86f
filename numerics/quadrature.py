r"""Integrals of definitions.

A *rule* maps a number of nodes to a value and to the sum of the absolute values of its terms: the first is the
integral, the second says how much rounding it has suffered.  Twice the nodes make a finer step *and* a wider window,
so two values that agree have seen both errors of the rule.

On the whole line the trapezoid rule converges geometrically for analytic integrands.  Its nodes are
:math:`x=c+w\sinh u` with u equally spaced: dense around the centre c on the scale w, and far-reaching.  The caller says
where the integrand lives, roughly.  If c, w or the integrand's own letters are arrays, there is an integral for each
of their entries: the nodes run along an axis in front, and the integrand returns what broadcasts with them.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "Rule",
    "Unsettled",
    "expectation_of",
    "integral_of",
    "integral_over_plane",
    "integral_over_unit",
    "mean_of",
    "settled",
    "sum_of",
    "variance_of",
]

Array = NDArray[np.float64]
Rule = Callable[[int], tuple[Array, Array]]

EPS = float(np.finfo(float).eps)
FEWEST, MOST = 2**8, 2**16  # nodes


class Unsettled(ArithmeticError):
    """An integral that still moves at the largest number of nodes."""


# The whole line.


def integral_of(integrand: Callable, centre: ArrayLike = 0.0, width: ArrayLike = 1.0) -> Rule:
    """The integral of a function over the line."""
    centre, width = _window(centre, width)

    def rule(nodes: int):
        z, step = _line(nodes, _axes(integrand, centre))
        return _sums(integrand(centre + width * z) * (step * width))

    return rule


def expectation_of(f: Callable, density: Callable, centre: ArrayLike = 0.0, width: ArrayLike = 1.0) -> Rule:
    """The average of f(x) over a density that is given up to a factor."""
    centre, width = _window(centre, width)

    def rule(nodes: int):
        z, step = _line(nodes, _axes(lambda x: f(x) * density(x), centre))
        x = centre + width * z
        return _sums(f(x) * _probabilities(density(x) * step))

    return rule


def mean_of(density: Callable, centre: ArrayLike = 0.0, width: ArrayLike = 1.0) -> Rule:
    """The mean of a density that is given up to a factor."""
    return expectation_of(lambda x: x, density, centre, width)


def variance_of(density: Callable, centre: ArrayLike = 0.0, width: ArrayLike = 1.0) -> Rule:
    """The variance of a density that is given up to a factor."""
    centre, width = _window(centre, width)

    def rule(nodes: int):
        z, step = _line(nodes, _axes(density, centre))
        p = _probabilities(density(centre + width * z) * step)
        apart = z - _sums(p * z)[0]
        return _sums(p * (width * apart) ** 2)

    return rule


# The plane, the unit interval, finite sums.


def integral_over_plane(integrand: Callable, centre: tuple = (0.0, 0.0), width: tuple = (1.0, 1.0)) -> Rule:
    """The integral of a function of two variables over the plane, each variable with its own centre and width."""
    windows = np.broadcast_arrays(*_window(centre[0], width[0]), *_window(centre[1], width[1]))
    centre_x, width_x, centre_y, width_y = windows

    def rule(nodes: int):
        side = 4 * int(np.ceil(np.sqrt(nodes)))
        z, step = _line(side, _axes(integrand, centre_x, centre_y), half=np.sqrt(side))
        z_x, z_y = np.repeat(z, len(z), axis=0), np.concatenate([z] * len(z))
        area = np.repeat(step, len(z), axis=0) * np.concatenate([step] * len(z)) * width_x * width_y
        return _sums(integrand(centre_x + width_x * z_x, centre_y + width_y * z_y) * area)

    return rule


def integral_over_unit(integrand: Callable) -> Rule:
    r"""The integral of f(x, 1 - x) over 0 < x < 1, whatever powers of x and 1 - x it has at the ends.

    The nodes are :math:`x=1/(1+e^{-\pi\sinh u})`, the tanh-sinh rule of Takahasi and Mori.  A number near 1 cannot say
    how near it is, so the integrand is handed both x and 1 - x.
    """

    def rule(nodes: int):
        # x reaches exp(-half): x^(a-1) with a small needs a long reach, and double precision ends at exp(-708).
        half = min(4 * np.sqrt(nodes), 700.0)
        u, step = np.linspace(-np.arcsinh(half / np.pi), np.arcsinh(half / np.pi), nodes + 1, retstep=True)
        t = np.pi * np.sinh(u)
        x, rest = 1 / (1 + np.exp(-t)), 1 / (1 + np.exp(t))
        return _sums(integrand(x, rest) * (step * np.pi * np.cosh(u) * x * rest))

    return rule


def sum_of(terms: ArrayLike) -> Rule:
    """A finite sum, over the first axis; it has no nodes, so it is the same for any number of them."""
    value, magnitude = _sums(np.asarray(terms, dtype=float))
    return lambda nodes: (value, magnitude)


# How a rule is used where no atom does it.


def settled(rule: Rule, allowance: ArrayLike = 64 * EPS) -> Array:
    """The value of a rule, once doubling its nodes moves it by rounding only: ``allowance`` times the terms' magnitude.

    Raises Unsettled if it still moves at the largest number of nodes.
    """
    nodes, (value, _) = FEWEST, rule(FEWEST)
    while True:
        nodes, before = 2 * nodes, value
        value, magnitude = rule(nodes)
        change, bound = np.abs(value - before), allowance * np.log2(nodes) * magnitude
        if np.all(change <= bound):
            return value
        if nodes >= MOST:
            raise Unsettled(
                f"with {nodes} nodes the integral still moves by {np.max(change):.1e}, and rounding explains "
                f"{np.max(bound):.1e}: is it finite, and are centre and width those of the integrand?"
            )


def _window(centre: ArrayLike, width: ArrayLike) -> tuple[Array, Array]:
    centre, width = np.broadcast_arrays(np.asarray(centre, dtype=float), np.asarray(width, dtype=float))
    if not (np.all(np.isfinite(centre)) and np.all(np.isfinite(width)) and np.all(width > 0)):
        raise ValueError(f"a window needs a finite centre and a positive width; got {centre} and {width}")
    return centre, width


def _axes(integrand: Callable, *centre: Array) -> int:
    """How many axes the integrals have, which the integrand shows at the centre of its window."""
    with np.errstate(all="ignore"):
        return max(np.ndim(integrand(*centre)), centre[0].ndim)


def _line(nodes: int, axes: int, half: float | None = None) -> tuple[Array, Array]:
    """Nodes z = sinh(u) and their weights, with room for the axes of the integrals behind."""
    end = np.arcsinh(np.sqrt(nodes) / 2 if half is None else half)
    u, step = np.linspace(-end, end, nodes + 1, retstep=True)
    shape = (-1,) + (1,) * axes
    return np.sinh(u).reshape(shape), (step * np.cosh(u)).reshape(shape)


def _probabilities(p: Array) -> Array:
    return p / _sums(p)[0]


def _sums(terms: Array) -> tuple[Array, Array]:
    """Over the first axis, pairwise: NumPy sums pairwise only along memory."""
    terms = np.ascontiguousarray(np.moveaxis(terms, 0, -1))
    return np.sum(terms, axis=-1), np.sum(np.abs(terms), axis=-1)
