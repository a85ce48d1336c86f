"""Comparing a formula with something that was found without it, and computing what may keep them apart."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .formulas import LAST_BITS, FormulaError, UnderTest, last_bits, told_apart
from .sequential import FAIL, INCONCLUSIVE, PASS, Finding

Array = NDArray[np.float64]

FEWEST, MOST = 2**9, 2**15  # nodes
ROUNDINGS = 4  # of a value found another way, in units of LAST_BITS

IN_WORDS = {"=": "equal", "<": "be below", "<=": "be at most", ">": "be above", ">=": "be at least"}


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


def integrated(rule: Callable[[int], tuple[Any, Any]], resolves: float) -> Reference:
    """Double the nodes until the integral stands still; the last change is the error."""
    nodes, (value, magnitude), error = FEWEST, measured(rule, FEWEST), np.asarray(np.inf)
    while nodes < MOST:
        nodes, before = 2 * nodes, value
        value, magnitude = measured(rule, nodes)
        with np.errstate(invalid="ignore"):
            error = np.abs(value - before)
        if np.all(error <= resolves * magnitude / 1000):
            break
    return Reference(value, magnitude, error, LAST_BITS * float(np.log2(nodes)), "integral", nodes)


def measured(rule: Callable[[int], tuple[Any, Any]], nodes: int) -> tuple[Array, Array]:
    with np.errstate(all="ignore"):
        value, magnitude = rule(nodes)
    return np.asarray(value, dtype=float), np.asarray(magnitude, dtype=float)


def compared(formula: UnderTest, at: Mapping[str, Any], relation: str, reference: Callable[[], Reference],
             resolves: float) -> Finding:
    """Hold a formula against its reference, entry by entry.

    A gap is allowed as far as three things explain it: the quadrature, rounding, and the last bits of what goes in.  An entry is
    undecided where that is more than ``resolves`` of the size of what is compared.
    """
    claimed, found = formula.evaluated(at), reference()
    if outside := outside_domain(formula, at, claimed):
        return Finding(FAIL, found.nodes, outside)
    claimed, shape = np.real(claimed), fitting(formula, at, np.shape(claimed), found)
    size = np.broadcast_to(found.magnitude + np.abs(claimed), shape)
    unsure = last_bits(formula, at, np.asarray(claimed))
    allowed = np.broadcast_to(found.error + found.rounding * size + unsure, shape)
    if not np.all(np.isfinite(found.value) & np.isfinite(found.magnitude)):
        return Finding(INCONCLUSIVE, found.nodes, f"{formula.name}: the {found.source} that it is compared with is not finite")

    excess = np.broadcast_to(np.subtract(claimed, found.value) * (-1 if relation[0] == ">" else 1), shape)
    off = np.abs(excess) if relation == "=" else excess
    wrong = off >= -allowed if relation in ("<", ">") else off > allowed
    settled = np.broadcast_to(found.error <= resolves * found.magnitude, shape)
    undecided = ~settled | ((np.abs(excess) <= allowed) & (allowed > resolves * size))
    resolution = float(np.max(np.divide(allowed, size, out=np.zeros(shape), where=size > 0), initial=0.0))

    def says(verdict: str, entries: Array, words: Callable[..., str]) -> Finding:
        beyond = np.where(entries, off - allowed, -np.inf)
        worst = tuple(int(k) for k in np.unravel_index(np.argmax(beyond), shape))
        pick = {"is_": np.broadcast_to(claimed, shape)[worst], "should": np.broadcast_to(found.value, shape)[worst],
                "gap": excess[worst], "allow": allowed[worst]}
        return Finding(verdict, found.nodes, words(formula.point(at, worst, shape), found.source, **pick), resolution)

    if np.any(wrong & ~undecided):
        return says(FAIL, wrong & ~undecided, lambda point, source, **n: refuted(formula.name, relation, point, source, **n))
    if np.any(undecided):
        return says(INCONCLUSIVE, undecided, lambda point, source, **n: (
            f"{formula.name}{point}: the comparison with the {source} is only good to {n['allow']:.1e}, "
            f"which is coarser than {resolves:.0e} of what is compared; the gap is {n['gap']:.1e}"))
    if relation == "=":
        words = f"{formula.name} is the {found.source} within {np.max(off, initial=0.0):.1e}"
    else:
        words = f"{formula.name} is {IN_WORDS[relation][3:]} the bound, by {np.min(-excess, initial=np.inf):.1e} or more"
    return Finding(PASS, found.nodes, f"{words}; {np.max(allowed, initial=0.0):.1e} would be explained", resolution)


def refuted(name: str, relation: str, point: str, source: str, is_: float, should: float, gap: float, allow: float) -> str:
    """The sentence of a failure: what was claimed, what was found, where, and how far beyond what is explained."""
    shown, wanted = told_apart(is_, should)
    sentence = f"{name} should {IN_WORDS[relation]} the {source} {wanted} and is {shown}{point}: "
    if relation in ("<", ">") and abs(gap) <= allow:
        return sentence + f"within {allow:.1e}, which rounding explains, that is equality"
    times = f", {abs(gap) / allow:.0e} times as much" if allow > 0 else ""
    return sentence + f"off by {abs(gap):.2e}, where rounding and the last bits of the inputs explain {allow:.1e}{times}"


def outside_domain(formula: UnderTest, at: Mapping[str, Any], claimed: Any) -> str:
    """A sentence if the formula is not finite or not real somewhere."""
    for word, bad in (("real", np.imag(claimed) != 0), ("finite", ~np.isfinite(claimed))):
        if np.any(bad):
            shape = np.shape(claimed)
            worst = tuple(int(k) for k in np.unravel_index(np.argmax(bad), shape))
            return f"{formula.name} is not {word}{formula.point(at, worst, shape)}: it is {np.broadcast_to(claimed, shape)[worst]:.6g}"
    return ""


def fitting(formula: UnderTest, at: Mapping[str, Any], claimed: tuple[int, ...], found: Reference) -> tuple[int, ...]:
    """The shape of the comparison: that of one side, to which the other is stretched."""
    try:
        shape = np.broadcast_shapes(claimed, found.value.shape)
    except ValueError:
        shape = None
    if shape not in (claimed, found.value.shape):
        problem = f"it has shape {claimed}, and the {found.source} that it is compared with has shape {found.value.shape}"
        raise FormulaError(formula.name, formula.point(at), problem)
    return shape
