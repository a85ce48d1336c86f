"""Comparing a formula with something that was found without it, and computing what may keep them apart."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .formulas import LAST_BITS, FormulaError, Letters, UnderTest, last_bits, told_apart
from .sequential import FAIL, INCONCLUSIVE, PASS, Finding

Array = NDArray[np.float64]
Rule = Callable[[int], tuple[Any, Any]]  # nodes -> the value, and the sum of the absolute values of its terms

FEWEST, MOST = 2**9, 2**15  # nodes
ROUNDINGS = 4  # of a value found another way, in units of LAST_BITS

SHOULD = {"=": "be", "<": "be below", "<=": "be at most", ">": "be above", ">=": "be at least"}


@dataclass(frozen=True)
class Reference:
    """A value found without the formula, the size of the terms that were added up for it, and how well it is known."""

    value: Array
    magnitude: Array
    error: Array  # of the quadrature
    rounding: float  # relative to the magnitude
    source: str
    nodes: int = 1

    @classmethod
    def of(cls, value: ArrayLike, magnitude: ArrayLike | None, source: str) -> Reference:
        """A value that is known up to rounding."""
        found = np.asarray(value, dtype=float)
        size = np.abs(found) if magnitude is None else np.maximum(np.abs(found), magnitude)
        return cls(found, size, np.zeros_like(found), ROUNDINGS * LAST_BITS, source)

    @classmethod
    def integral(cls, rule: Rule, resolves: float) -> Reference:
        """Double the nodes until the integral stands still; the last change is the error."""
        nodes, (value, magnitude), error = FEWEST, _applied(rule, FEWEST), np.asarray(np.inf)
        while nodes < MOST:
            nodes, before = 2 * nodes, value
            value, magnitude = _applied(rule, nodes)
            with np.errstate(invalid="ignore"):
                error = np.abs(value - before)
            if np.all(error <= resolves * magnitude / 1000):
                break
        return cls(value, magnitude, error, LAST_BITS * float(np.log2(nodes)), "by integration", nodes)


def _applied(rule: Rule, nodes: int) -> tuple[Array, Array]:
    with np.errstate(all="ignore"):
        value, magnitude = rule(nodes)
    return np.asarray(value, dtype=float), np.asarray(magnitude, dtype=float)


def compared(
    formula: UnderTest, at: Letters, relation: str, reference: Callable[[], Reference], resolves: float
) -> Finding:
    """Hold a formula against its reference, entry by entry.

    A gap is allowed as far as three things explain it: the quadrature, rounding, and the last bits of what goes in.  An
    entry is undecided where these explain more than ``resolves`` of the size of what is compared.

    Raises FormulaError if the formula raises or its shape does not fit, and ValueError if there is nothing to compare.
    """
    claimed, found = formula.evaluated(at), reference()
    if outside := outside_domain(formula, at, claimed):
        return Finding(FAIL, found.nodes, outside)
    claimed = np.asarray(np.real(claimed), dtype=float)
    shape = fitting(formula, at, claimed.shape, found.value.shape)
    if not np.all(np.isfinite(found.value) & np.isfinite(found.magnitude)):
        return Finding(INCONCLUSIVE, found.nodes, f"{formula.name}: what it should be is not finite {found.source}")

    def fit(x: ArrayLike) -> Array:
        return np.broadcast_to(np.asarray(x, dtype=float), shape)

    size = fit(found.magnitude + np.abs(claimed))
    allowed = fit(found.error + found.rounding * size + last_bits(formula, at, claimed))
    above = fit(claimed - found.value) * (-1 if relation[0] == ">" else 1)  # how far it is on the wrong side
    if relation == "=":
        wrong = np.abs(above) > allowed
    else:
        wrong = above >= -allowed if relation in ("<", ">") else above > allowed

    settled = fit(found.error) <= resolves * fit(found.magnitude)
    undecided = ~settled | ((np.abs(above) <= allowed) & (allowed > resolves * size))
    resolution = float(np.max(np.divide(allowed, size, out=np.zeros(shape), where=size > 0)))

    def worst_of(entries: NDArray[np.bool_]) -> dict[str, Any]:
        beyond = np.where(entries, np.abs(above) - allowed, -np.inf)
        k = tuple(int(i) for i in np.unravel_index(np.argmax(beyond), shape))
        numbers = {"shown": fit(claimed), "wanted": fit(found.value), "gap": above, "allow": allowed}
        words = {"name": formula.name, "point": formula.point(at, k, shape)}
        return words | {name: float(x[k]) for name, x in numbers.items()}

    if np.any(wrong & ~undecided):
        sentence = refuted(relation, found.source, **worst_of(wrong & ~undecided))
        off = float(np.max(np.where(wrong & ~undecided, np.abs(above) / np.where(size > 0, size, 1), 0)))
        return Finding(FAIL, found.nodes, sentence, resolution, off)
    if np.any(undecided):
        return Finding(INCONCLUSIVE, found.nodes, blurred(resolves, **worst_of(undecided)), resolution)
    explained = f"{np.max(allowed):.1e} would be explained"
    if relation == "=":
        return Finding(PASS, found.nodes, f"right within {np.max(np.abs(above)):.1e}, {explained}", resolution)
    return Finding(PASS, found.nodes, f"by a margin of {np.min(-above):.1e}, {explained}", resolution)


# Sentences.


def refuted(
    relation: str, source: str, name: str, point: str, shown: float, wanted: float, gap: float, allow: float
) -> str:
    """What was claimed, what was found, where, and how far beyond what is explained."""
    is_, should_be = told_apart(shown, wanted)
    sentence = f"{name} is {is_}{point}, and should {SHOULD[relation]} {should_be}{' ' + source if source else ''}: "
    if relation in ("<", ">") and abs(gap) <= allow:
        return sentence + f"this is equality, within the {allow:.1e} that rounding explains"
    times = f"{abs(gap) / allow:.0e} times" if allow > 0 else "more than"
    return f"{sentence}off by {abs(gap):.2e}, {times} the {allow:.1e} that can be explained"


def blurred(resolves: float, name: str, point: str, shown: float, wanted: float, gap: float, allow: float) -> str:
    """Why a comparison decides nothing."""
    near = f"{name} is {shown:.4g}{point}, which is {abs(gap):.1e} from {wanted:.4g}"
    return f"{near}, but the comparison is only good to {allow:.1e}, coarser than {resolves:.0e} of what is compared"


def outside_domain(formula: UnderTest, at: Letters, claimed: Any) -> str:
    """A sentence if the formula is not finite or not real somewhere."""
    shape = np.shape(claimed)
    for word, bad in (("real", np.imag(claimed) != 0), ("finite", ~np.isfinite(claimed))):
        if np.any(bad):
            k = tuple(int(i) for i in np.unravel_index(np.argmax(bad), shape))
            return f"{formula.name} is not {word}{formula.point(at, k, shape)}: it is {np.asarray(claimed)[k]:.6g}"
    return ""


def fitting(formula: UnderTest, at: Letters, claimed: tuple[int, ...], found: tuple[int, ...]) -> tuple[int, ...]:
    """The shape of the comparison: that of one side, to which the other is stretched."""
    try:
        shape = np.broadcast_shapes(claimed, found)
    except ValueError:
        shape = None
    if shape not in (claimed, found):
        problem = f"it has shape {claimed}, and what it is compared with has shape {found}"
        raise FormulaError(formula.name, formula.point(at), problem)
    if 0 in shape:
        raise ValueError(f"{formula.name} is compared at no points: the shape is {shape}")
    return shape
