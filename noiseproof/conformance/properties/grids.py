"""The levels of a run: what the network is told of them, and which of them there are."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ..findings import FAIL, NOTE, PASS, Finding
from ..protocol import Claims, Level
from ..subject import ITS_OWN, TOLD, Subject
from ..unrolled import Unrolled
from .exact import ROUNDINGS, SMALL, TIMES, epsilon, own_first, rounding
from .property import BOOLEAN, EXACT, Property
from .tables import broken, directions, sigmas, training, with_levels

Array = NDArray[np.float64]

MANY, ALIKE = 5, 0.05  # questions, and places: so many that are aside by the same part of a place were not rounded


# ---------------------------------------------------------------- what the network is told


def conditioning(subject: Subject) -> Iterator[Finding]:
    """What the network is told belongs to the level at which the sampler holds itself to be."""
    for n in subject.steps:
        asked, own, told = subject.table(n).told, subject.levels(n, ITS_OWN)[:-1], subject.levels(n, TOLD)[:-1]
        noisy = np.flatnonzero(np.array(own)[:, 1])
        if not len(noisy):
            continue
        mine, theirs, bound = sigmas(own)[noisy], sigmas(told)[noisy], precision(subject.claims, own)[noisy]
        off, rounded = np.abs(np.log(mine) - np.log(theirs)), np.zeros(len(noisy), dtype=bool)
        if subject.claims.T is None:
            bound = bound + of_time(subject, asked[noisy], theirs)
        if subject.can("told") and subject.claims.T is not None:  # in continuous time there is no table
            times, levels = training(subject)
            aside, gaps = beside(mine, np.interp(asked[noisy], times, np.arange(len(times))), sigmas(levels))
            rounded = np.isin(asked[noisy], times) & (np.abs(aside) <= 0.5)
            off = np.minimum(off, np.abs(aside) * gaps)
            if np.sum(off > bound) >= MANY and np.ptp(aside[off > bound]) < ALIKE:
                rounded[:] = False  # what is rounded lies on both sides
        wrong = off > bound
        bad = wrong & ~rounded
        k = int(np.argmax(bad if np.any(bad) else wrong if np.any(wrong) else off / bound))
        verdict = PASS if not np.any(wrong) else FAIL if np.any(bad) else NOTE
        text = "sigma by what the network is told is that at which the sampler holds itself to be"
        if verdict == NOTE:
            text = "the network is told the time of training that is next to its level: times are rounded"
        yield Finding(
            verdict,
            text,
            float(off[k]),
            float(bound[k]),
            at={"n": n, "step": int(noisy[k]), "told": float(asked[noisy[k]])},
            expected=float(mine[k]),
            got=float(theirs[k]),
            diagnosis="table" if verdict == FAIL else "",
        )


def of_time(subject: Subject, asked: Array, there: Array) -> Array:
    """How far roundings of what the network is told move log(sigma): far, where all of it is close to one time."""
    moved = sigmas([(a, b) for a, b in subject.target.trained((asked * (1 - SMALL)).tolist())])
    return ROUNDINGS * epsilon(subject.claims) / SMALL * np.abs(np.log(moved) - np.log(there))


def precision(claims: Claims, levels: Sequence[Level]) -> Array:
    """How far rounding may move log(sigma), by that of what a table holds: alpha_bar, or else scale and noise."""
    a, b = np.array(levels).T
    bars = directions(levels)[:, 0] ** 2
    least = np.finfo(float).tiny
    condition = np.ones(len(bars))
    if np.allclose(a + b, 1):
        condition = 1 / np.maximum(a, least)
    elif claims.T:
        condition = 0.5 / np.maximum(1 - bars, least)
    return np.maximum(TIMES * epsilon(claims) * condition, rounding(claims))


def beside(sigma: Array, position: Array, table: Array) -> tuple[Array, Array]:
    """How far a position in a table is beyond where a sigma is there, and how long a place is in log(sigma).

    Between two levels of the table there is no one truth: sigma may be taken to be linear there, or its logarithm, or
    the noise of a flow.
    """
    at = np.clip(np.searchsorted(table, sigma) - 1, 0, len(table) - 2)

    def place(of: Callable[[Array], Array]) -> Array:
        return at + (of(sigma) - of(table[at])) / (of(table[at + 1]) - of(table[at]))

    inside = (sigma >= table[0]) & (sigma <= table[-1])
    found = [place(np.log), *(place(of) for of in (lambda s: s, lambda s: s / (1 + s)))]
    found = [found[0], *(np.where(inside, each, found[0]) for each in found[1:])]
    low, high = np.min(found, axis=0), np.max(found, axis=0)
    return position - np.clip(position, low, high), np.log(table[at + 1]) - np.log(table[at])


# ---------------------------------------------------------------- the levels of a run


def grid(subject: Subject) -> Iterator[Finding]:
    for n in subject.steps:
        table, levels = subject.table(n), subject.levels(n, own_first(subject)[0])
        yield length(subject, n, levels[:-1])
        yield descent(subject, table, levels)
        if subject.can("start"):
            yield begins(subject, table, levels[0])
    if subject.can("told") and subject.claims.spacing in ("linspace", "trailing") and subject.claims.order:
        told = subject.target.told()
        for n in subject.steps:
            first = float(subject.table(n).told[0])
            text = f"with the spacing {subject.claims.spacing} a run begins at the noisiest time of training"
            yield broken(abs(first - told[-1]) > rounding(subject.claims, told[-1]), text, float(told[-1]), first, n=n)


def length(subject: Subject, n: int, levels: Sequence[Level]) -> Finding:
    """n steps begin at n levels; a method of higher order may ask at more, and one that nobody has named."""
    number = len(dict.fromkeys(levels))
    text = f"a run of {n} steps asks at {n} levels, and each of them is another"
    claims = subject.claims
    if claims.order is None or (number > n and (claims.order > 1 or claims.method is None)):
        return Finding(PASS if number == n else NOTE, f"a run of {n} steps asks at {number} levels", at={"n": n})
    return broken(number != n, text, n, number, n=n)


def descent(subject: Subject, table: Unrolled, levels: Sequence[Level]) -> Finding:
    """Noise falls from question to question, unless it was added; the same level again does something else there.

    Where a run promises to end with noise left and its last question is at that level, the last step has nothing to do.
    """
    found, near = sigmas(levels), precision(subject.claims, levels)
    added = set(table.after)
    text = "noise falls at every step"
    for c in range(table.calls):
        here, there, at = found[c], found[c + 1], {"n": table.n, "step": c}
        if there > 0 and abs(np.log(there / here)) <= near[c]:
            step = table.step(c)
            idle = abs(step.of_x - 1) + abs(step.of_prediction) + step.noise + step.before
            if idle > rounding(subject.claims):
                continue
            if c < table.calls - 1 or not subject.claims.ends_at:
                return broken(True, "no level is there twice, to do nothing", here, there, **at)
            text = "the last step does nothing: its level is the one at which it promises to end"
            return Finding(NOTE, text, at=at, expected=here, got=there)
        if there > here:
            churned = c + 1 in added and subject.claims.family not in ("ancestral", "ddim")
            if not churned:
                return broken(True, text, here, there, **at)
    return broken(False, text, found[0], found[-1], n=table.n)


def begins(subject: Subject, table: Unrolled, first: Level) -> Finding:
    """x begins at the level at which the network is asked first, unless noise is added before."""
    own, asked = sigmas([subject.start(table.n)])[0], sigmas([first])[0]
    off = abs(np.log(own / asked))
    text = "x begins at the level of the first question"
    good = off <= precision(subject.claims, [first])[0]
    if not good and (0 in table.after or subject.claims.order is None):
        return Finding(NOTE, "the first question is at another level than the start", off, at={"n": table.n})
    return replace(broken(not good, text, asked, own, n=table.n, step=0), measured=float(off))


# ---------------------------------------------------------------- whom they concern


def two_oracles(subject: Subject) -> str | None:
    if why := with_levels(subject):
        return why
    if {TOLD, ITS_OWN} <= set(subject.oracles):
        return None
    return "only one of both is known: what the network is told, and where the sampler holds itself to be"


PROPERTIES = (
    Property("P5", "conditioning", EXACT, conditioning, two_oracles),
    Property("P6", "grid", BOOLEAN, grid, with_levels),
)
