"""Limits, and orders: what values tend to as a step h goes to zero, and how fast an error does.

    limit      a formula is what values at smaller and smaller steps tend to       quadrature
    order      an error is constant * h^rate, and what is of higher order          quadrature

Both are one idea.  If a value is L + a h + b h^2 + ..., the polynomial in h through the values at n steps is L at
h = 0, up to the order h^n (Richardson).  Leaving out the coarsest or the finest step shows how good that is.  A limit
is read so from its values; a rate from the slopes of log error against log h between neighbouring steps, and a
constant from error / h^rate.

There is no tolerance here either: what the extrapolation and the rounding of the values explain is computed.  An error
that is no power of h times a series in h shows it by extrapolations that disagree.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .atoms import Compared, Formula
from .comparing import Reference, Rule, compared
from .formulas import LAST_BITS, Letters, UnderTest, under_test
from .sequential import FAIL, INCONCLUSIVE, PASS, Finding

Array = NDArray[np.float64]
ValueAt = Callable[[float], Rule | ArrayLike]  # step -> the value: a number, an array, or a rule that integrates it

INTEGRALS = 1e-9  # how well a value is integrated, relative to the size of its terms


def limit(
    formula: Formula, at: Letters, value_at: ValueAt, steps: ArrayLike, resolves: float = 1e-6, name: str = ""
) -> Compared:
    """``formula(**at)`` is what ``value_at(h)`` tends to as h goes to zero, where it is a series in h.

    Raises ValueError unless there are three steps or more, each a fixed fraction of the one before.
    """
    h = geometric(steps)
    return Compared(under_test(formula), at, "=", lambda: at_zero(h, *values(value_at, h)), resolves, name)


def order(
    error_at: ValueAt,
    steps: ArrayLike,
    rate: Formula,
    constant: Formula,
    at: Letters,
    resolves: float = 1e-3,
    name: str = "",
) -> Order:
    """``error_at(h)`` is ``constant(**at) * h**rate(**at)``, and terms with more whole powers of h.

    Raises ValueError unless there are three steps or more, each a fixed fraction of the one before.
    """
    return Order(error_at, geometric(steps), under_test(rate), under_test(constant), at, resolves, name)


@dataclass(frozen=True)
class Order:
    """An error goes to zero at this rate, with this constant."""

    error_at: ValueAt
    steps: Array
    rate: UnderTest
    constant: UnderTest
    at: Letters
    resolves: float
    name: str = ""
    kind = "quadrature"

    def examine(self, seed: int = 0, claim: str = "", name: str = "", /) -> Finding:
        """Compare the rate with that of the errors, and the constant.  There is no chance in it."""
        h = self.steps
        found, unknown = values(self.error_at, h)
        size = np.abs(found)
        if np.any(lost := ~(size > unknown)):
            k = tuple(np.argwhere(lost)[0])
            drowned = f"the error is {found[k]:.1e} at the step {h[k[0]]:.3g}, where {unknown[k]:.1e} can be explained"
            return Finding(INCONCLUSIVE, len(h), f"{drowned}: there is no order to see")
        ratio = np.log(h[0] / h[1])
        slopes = -np.diff(np.log(size), axis=0) / ratio
        blur = unknown / size
        rate = compared(
            self.rate, self.at, "=", lambda: at_zero(h[1:], slopes, (blur[1:] + blur[:-1]) / ratio), self.resolves
        )
        scale = h.reshape(-1, *[1] * (found.ndim - 1)) ** self.rate(**self.at)
        constant = compared(
            self.constant, self.at, "=", lambda: at_zero(h, found / scale, unknown / scale), self.resolves
        )
        both = [replace(finding, draws=len(h)) for finding in (rate, constant)]
        worst = next(f for v in (FAIL, INCONCLUSIVE, PASS) for f in both if f.verdict == v)
        return worst if worst.verdict != PASS else max(both, key=lambda finding: finding.resolution or 0.0)


def geometric(steps: ArrayLike) -> Array:
    """The steps, from the coarsest to the finest."""
    h = np.sort(np.asarray(steps, dtype=float))[::-1]
    if len(h) < 3 or not np.all(h > 0) or not np.all(np.diff(h) < 0):
        raise ValueError(f"the steps are {steps}; three or more are needed, positive and different")
    if np.ptp(np.diff(np.log(h))) > 1e-9:
        raise ValueError(f"the steps are {steps}; each has to be a fixed fraction of the one before")
    return h


def values(value_at: ValueAt, steps: Array) -> tuple[Array, Array]:
    """The values at all steps, and how far each may be off by quadrature and rounding."""
    known = [reference(value_at(float(h))) for h in steps]
    off = [each.error + each.rounding * each.magnitude for each in known]
    return np.stack([each.value for each in known]), np.stack(off)


def reference(found: Rule | ArrayLike) -> Reference:
    return Reference.integral(found, INTEGRALS) if callable(found) else Reference.of(found, None, "")


def at_zero(h: Array, found: Array, unknown: Array) -> Reference:
    """The polynomial in h through these values, at zero; without one of its ends it is off by as much as this one."""

    def read(part: slice) -> Array:
        return np.tensordot(weights(h[part]), found[part], axes=1)

    value = read(slice(None))
    apart = np.maximum(np.abs(value - read(slice(1, None))), np.abs(value - read(slice(None, -1))))
    rounding = np.tensordot(np.abs(weights(h)), unknown, axes=1)
    return Reference(value, np.max(np.abs(found), axis=0), apart + rounding, LAST_BITS, "in the limit", len(h))


def weights(h: Array) -> Array:
    """With which the values at h are added up to that of their polynomial at zero."""
    return np.array([np.prod([g / (g - k) for g in h if g != k]) for k in h], dtype=float)


__all__ = ["Order", "limit", "order"]
