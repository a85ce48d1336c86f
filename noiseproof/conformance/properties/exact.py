r"""Two sides that ought to be the same numbers, and how far rounding may take them apart.

What is expected depends on the levels of a run, which are numbers of somebody's table; what is got went through
roundings of its own, in each step, and once more when it was read off.  So the bound is computed.  Each of these
numbers is moved by a small part of itself, and with the derivatives of got less expected

.. math:: \text{bound}=50\,\varepsilon\Bigl(\lvert\text{expected}\rvert
   +\sqrt{\textstyle\sum_l\partial_l^2}\Bigr),

the epsilon being that of the table's precision, or that of the arithmetic.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import hadamard

from ..findings import FAIL, NOTE, PASS, Finding
from ..protocol import Claims, Level
from ..subject import ITS_OWN, TOLD, NoReference, Subject
from ..target import AboutTheTarget
from ..unrolled import Unrolled

Array = NDArray[np.float64]
Sides = Callable[[list[Level], Unrolled], tuple[Array, Array]]  # got and expected, for these levels and this table

SINGLE, DOUBLE = float(np.finfo(np.float32).eps), float(np.finfo(np.float64).eps)
HALF = float(np.finfo(np.float16).eps)
ROUNDINGS = 4  # of a ratio, a difference and a quotient in single precision, and one more
TIMES = 50  # roundings that a coefficient may have gone through
FLOOR = 5e-6  # of tables in single precision: the worst of conforming ones was 3.3e-6
PARTS = ("x", "the prediction", "the noise", "what came before")
FEW = (1, 2, 3)  # steps, beside those that are asked for
SMALL = 1e-6  # a part of a number, by which it is moved
SHAKES = 8  # signs that are orthogonal for any eight levels in a row, so that squares add up


def epsilon(claims: Claims) -> float:
    return SINGLE if claims.single else DOUBLE


def rounding(claims: Claims, size: Any = 1.0) -> Any:
    """What rounding explains of numbers of this size, whatever they depend on."""
    return np.maximum(TIMES * epsilon(claims), FLOOR if claims.single else 0.0) * np.maximum(np.abs(size), 1)


def shaken(levels: Sequence[Level], bars: bool) -> Iterator[tuple[float, list[Level]]]:
    """The levels moved by a part h of their alpha_bar, if tables hold ``bars``, or else of their sigma; and h.

    What is one level twice stays so.
    """
    a, b = np.array(levels, dtype=float).T
    of_level = {level: k for k, level in enumerate(dict.fromkeys(levels))}
    which = np.array([of_level[level] for level in levels])
    size, whole = np.hypot(a, b), a + b
    bar = (a / size) ** 2
    inside = (bar > 0) & (bar < 1)
    slope = (bar if bars else 2 * bar * (1 - bar)) * inside
    room = np.min((1 - bar[inside]) / slope[inside], initial=1.0)
    h = min(1e-6, 1e-2 * room)
    keep = {"flow": np.allclose(whole, 1), "ve": np.allclose(a, 1)}
    for signs in hadamard(SHAKES):
        moved = np.where(inside, bar + h * slope * np.resize(signs, len(a))[which], bar)
        root, rest = np.sqrt(moved), np.sqrt(1 - moved)
        length = 1 / (root + rest) if keep["flow"] else 1 / np.where(root, root, 1) if keep["ve"] else size
        yield h, [(float(x), float(y)) for x, y in zip(root * length, rest * length, strict=True)]


def bounds(sides: Sides, levels: list[Level], table: Unrolled, subject: Subject) -> tuple[Array, Array, Array]:
    """What is got, what is expected, and how far apart rounding may take them."""
    claims, (got, expected) = subject.claims, sides(levels, table)
    least = rounding(claims, expected)
    if np.all(np.abs(got - expected) <= least):
        return got, expected, least  # there is nothing that the rest would have to explain

    def condition(moved: Iterable[tuple[float, list[Level], Unrolled]]) -> Array:
        slopes = [(np.subtract(*sides(at, of)) - (got - expected)) / h for h, at, of in moved]
        return np.sqrt(np.mean(np.square(slopes), axis=0))

    rng = np.random.default_rng(table.calls)  # signs that nobody chose
    moved = list(shaken(levels, claims.T is not None and bool(np.allclose(np.hypot(*np.array(levels[:-1]).T), 1))))
    of_levels = condition((h, at, table) for h, at in moved)
    of_table = condition(same_method(subject, moved, levels, table))
    of_steps = condition((SMALL, levels, table.shaken(SMALL, rng)) for _ in range(SHAKES // 2))
    of_reading = condition((SMALL, levels, read_again(table, rng)) for _ in range(SHAKES // 2))
    there = epsilon(claims) * (of_levels + of_table + of_steps + np.abs(expected)) + arithmetic(table) * of_reading
    there += of_bars(levels, expected)
    return got, expected, np.maximum(TIMES * there, least) + of_beta(claims, levels, expected)


def of_bars(levels: list[Level], expected: Array) -> Array:
    """How far off a reference is that is computed from alpha_bar, where 1 - alpha_bar is small.

    In a step by the two levels that it joins, and in a run by all of them that came before.
    """
    noise = np.array([b**2 / (a**2 + b**2) if b else 1.0 for a, b in levels])
    if len(expected) == len(levels):
        least = np.minimum.accumulate(noise)
    elif len(expected) == len(levels) - 1:
        least = np.minimum(noise[:-1], noise[1:])
    else:
        least = np.full(len(expected), np.min(noise))
    return DOUBLE / least.reshape(-1, *[1] * (expected.ndim - 1)) * np.maximum(np.abs(expected), 1)


def of_beta(claims: Claims, levels: list[Level], expected: Array) -> Array:
    """How far off a step is with a beta from a table in single precision: 1 - alpha is rounded as 1 is.

    Kernels that draw noise take beta / (1 - alpha_bar); all others do without.
    """
    a, b = np.array(levels[:-1]).T
    off = np.zeros(len(expected))
    if claims.single and claims.T is not None and not claims.deterministic and len(off) - len(a) in (0, 1):
        noise = b**2 / (a**2 + b**2)
        off[len(off) - len(a) :] = ROUNDINGS * SINGLE / np.maximum(noise, SINGLE)
    return off.reshape(-1, *[1] * (expected.ndim - 1)) * np.maximum(np.abs(expected), 1)


def same_method(
    subject: Subject, moved: list[tuple[float, list[Level]]], levels: list[Level], table: Unrolled
) -> Iterator[tuple[float, list[Level], Unrolled]]:
    """The table itself, had its levels been moved: as far as that of the method moves, which it claims to be."""
    method = subject.claims.method or {"ancestral": "ddpm"}.get(subject.claims.family, "ddim")
    for h, at in moved:
        try:
            if subject.claims.family == "consistency":
                there, here = subject.jumping(table, at), subject.jumping(table, levels)
            else:
                there, here = subject.reference_on(at, method), subject.reference_on(levels, method)
        except NoReference:
            there, here = table, table
        if (there.inputs.shape, there.calls) == (table.inputs.shape, table.calls):
            inputs, end = there.inputs - here.inputs, there.end - here.end
            yield h, levels, replace(table, inputs=table.inputs + inputs, end=table.end + end)
        else:
            yield h, levels, table


def read_again(table: Unrolled, rng: np.random.Generator) -> Unrolled:
    """The same, had what was read off it been rounded otherwise."""
    moved = [1 + SMALL * rng.choice([-1.0, 1.0], size=rows.shape) for rows in (table.inputs, table.end)]
    return replace(table, inputs=table.inputs * moved[0], end=table.end * moved[1])


def arithmetic(table: Unrolled) -> float:
    """The epsilon of the arithmetic of a run."""
    return SINGLE if table.single else DOUBLE


def judged(what: str, got: Array, expected: Any, bound: Any, place: Callable[..., dict[str, Any]]) -> Finding:
    """One finding for many numbers: the first that is too far off, or else the one that comes closest to it."""
    got, expected, bound = (np.asarray(each, dtype=float) for each in np.broadcast_arrays(got, expected, bound))
    apart = np.abs(got - expected)
    off = ~(apart <= bound)
    where = np.unravel_index(int(np.argmax(off if np.any(off) else apart / bound)), apart.shape)
    verdict = FAIL if np.any(off) else PASS
    diagnosis = ""
    if verdict == FAIL:
        rows = np.unique(np.nonzero(off)[0])
        slight = np.all(apart[off] <= HALF * np.maximum(np.abs(expected[off]), 1))
        alone = len(apart) > 1 and rows.tolist() == [len(apart) - 1]
        diagnosis = "last step" if alone else "arithmetic" if slight else "update rule"
    return Finding(
        verdict,
        what,
        float(apart[where]),
        float(bound[where]),
        at=place(*(int(k) for k in where)),
        expected=float(expected[where]),
        got=float(got[where]),
        diagnosis=diagnosis,
    )


def held(
    subject: Subject, table: Unrolled, what: str, sides: Sides, place: Callable[..., dict[str, Any]] | None = None
) -> Finding:
    """Whether both sides agree at the levels of a run: those of its own, or else those that the network is told.

    That these two are the same is a question of its own (P5), so that one of them is enough here.  Raises NoReference
    where neither can be asked.
    """
    place, found = place or (lambda step, *_: {"step": step}), []
    why = "the adapter does not say at which levels the network is asked"
    for by in own_first(subject):
        try:
            levels = subject.levels_of(table, by)
            found.append(judged(what, *bounds(sides, levels, table, subject), place))
        except NoReference as reason:
            why = str(reason)
            break
        if found[-1].verdict == PASS:
            break
    if not found:
        raise NoReference(why)
    finding = found[-1] if found[-1].verdict == PASS else found[0]
    return replace(finding, at={"n": table.n, **finding.at})


def at_levels(
    subject: Subject, levels: list[Level], what: str, sides: Sides, place: Callable[..., dict[str, Any]]
) -> Finding:
    """The same at levels that are handed in, where no run has a part in it."""
    return judged(what, *bounds(sides, levels, subject.table(subject.steps[0]), subject), place)


def own_first(subject: Subject) -> list[str]:
    return [by for by in (ITS_OWN, TOLD) if by in subject.oracles]


def or_the_method(subject: Subject, sides: Sides, finding: Finding, what: str) -> Finding:
    """What does not hold of a method is not asked of who wrote it; without a method to look at it is a note."""
    claims = subject.claims
    if finding.verdict != FAIL:
        return finding
    only = f"{what} only as steps become short"
    if claims.method is None:
        note = replace(
            finding, verdict=NOTE, text=f"it keeps {only}, and claims to be no method that does", diagnosis=""
        )
        return note if claims.family == "sde" else finding
    by = own_first(subject)[0]
    levels = subject.levels(finding.at["n"], by)
    reference = subject.reference_on(levels)
    alike(subject.table(finding.at["n"]), reference, claims.method)
    got, expected, bound = bounds(sides, levels, reference, subject)
    if np.any(np.abs(got - expected) > bound):
        raise NoReference(f"{claims.method} keeps {only}")
    return finding


def with_few(subject: Subject, ask: Callable[[int], Iterable[Finding]]) -> Iterator[Finding]:
    """What is found for the numbers of steps that are asked for, and for few, if it takes so few: that is P23."""
    for n in subject.steps:
        yield from ask(n)
    for n in FEW:
        if subject.claims.least <= n <= (subject.claims.most or n) and n not in subject.steps:
            with suppress(AboutTheTarget, NoReference):
                yield from list(ask(n))


def clash(finding: Finding) -> Finding:
    return replace(finding, diagnosis="option clash") if finding.verdict == FAIL else finding


# ---------------------------------------------------------------- what can be compared


def parts(table: Unrolled) -> Array:
    """The coefficients of x, of the prediction, of fresh noise and of what came before in each step, (C, 4)."""
    return np.array([table.step(c) for c in range(table.calls)])


def alike(table: Unrolled, reference: Unrolled, method: str) -> None:
    """Raises NoReference unless both ask as often, so that there is something to compare."""
    if table.calls != reference.calls:
        raise NoReference(
            f"for n = {table.n} it asks the network {table.calls} times, and {method} on its levels {reference.calls}"
        )


def named(column: int, calls: int) -> str:
    if column == 0:
        return "x"
    return f"prediction {column - 1}" if column <= calls else f"the noise of step {max(column - calls - 2, 0)}"
