"""The atoms of a check.  Each says what would refute it, and how small an error it would still see.

    close      a formula is an integral                         quadrature
    matches    a formula is a number found another way          quadrature
    below      a formula is at most, or less than, a number     quadrature
    above      a formula is at least, or more than, a number    quadrature
    limit      a formula is what values tend to (``orders``)    quadrature
    order      an error vanishes at a rate (``orders``)         quadrature
    for_all    a statement holds wherever a search reaches      property
    sampled    draws follow a law                               montecarlo, or quadrature with points for draws
    surely     two things are equal, draw by draw               montecarlo
    by_running another atom, of what a sampler's steps lead to  sampler

There is no tolerance to choose.  What quadrature, rounding and the last bits of the inputs explain is computed; what is
beyond it refutes the formula.  ``resolves`` says how sharp the comparison has to be for a pass to mean anything.
Every atom may be given a name, for the report.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from operator import add
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import sequential
from .comparing import Reference, Rule, compared
from .estimators import GaussHermite, Hermite, Sobol
from .formulas import LAST_BITS, Letters, UnderTest, in_words, under_test
from .laws import Row
from .searching import searched
from .sequential import ALPHA, FAIL, INCONCLUSIVE, PASS, Finding, Head
from .streams import CHUNK, Total, stream

Array = NDArray[np.float64]
Formula = Callable[..., Any]


@runtime_checkable
class Atom(Protocol):
    """What a check yields: its kind, and a way to examine it."""

    @property
    def kind(self) -> str: ...

    def examine(self, seed: int = 0, claim: str = "", name: str = "", /) -> Finding: ...


# Comparing with a number.


@dataclass(frozen=True)
class Compared:
    """A formula stands in a relation to something that was found without it."""

    formula: UnderTest
    at: Letters
    relation: str  # one of = < <= > >=
    reference: Callable[[], Reference]
    resolves: float
    name: str = ""
    kind = "quadrature"

    def examine(self, seed: int = 0, claim: str = "", name: str = "", /) -> Finding:
        """Compare, and allow what can be explained.  There is no chance in it."""
        return compared(self.formula, self.at, self.relation, self.reference, self.resolves)


def close(formula: Formula, at: Letters, rule: Rule, resolves: float = 1e-9, name: str = "") -> Compared:
    """``formula(**at)`` is the integral that the rule computes, as well as double precision can know either."""
    return Compared(under_test(formula), at, "=", lambda: Reference.integral(rule, resolves), resolves, name)


def matches(
    formula: Formula,
    at: Letters,
    value: ArrayLike,
    magnitude: ArrayLike | None = None,
    resolves: float = 1e-9,
    name: str = "",
) -> Compared:
    """``formula(**at)`` is this value, which comes from the definitions another way.

    ``magnitude`` is the size of the terms whose rounding the value has suffered, if they are larger than the value.
    """
    return Compared(under_test(formula), at, "=", lambda: Reference.of(value, magnitude, ""), resolves, name)


def below(
    formula: Formula,
    at: Letters,
    bound: ArrayLike,
    strict: bool = False,
    magnitude: ArrayLike | None = None,
    resolves: float = 1e-9,
    name: str = "",
) -> Compared:
    """``formula(**at)`` is at most the bound; with ``strict``, less, and not equal as far as rounding can tell."""
    relation = "<" if strict else "<="
    return Compared(under_test(formula), at, relation, lambda: Reference.of(bound, magnitude, ""), resolves, name)


def above(
    formula: Formula,
    at: Letters,
    bound: ArrayLike,
    strict: bool = False,
    magnitude: ArrayLike | None = None,
    resolves: float = 1e-9,
    name: str = "",
) -> Compared:
    """``formula(**at)`` is at least the bound; with ``strict``, more, and not equal as far as rounding can tell."""
    relation = ">" if strict else ">="
    return Compared(under_test(formula), at, relation, lambda: Reference.of(bound, magnitude, ""), resolves, name)


# Searching for a counterexample.


@dataclass(frozen=True)
class ForAll:
    """A statement holds for all values that a search can think of."""

    statement: Callable[..., Any]
    strategies: Mapping[str, Any]
    examples: int
    name: str = ""
    kind = "property"

    def examine(self, seed: int = 0, claim: str = "", name: str = "", /) -> Finding:
        """Search for a counterexample, and make it as small as it gets.  The search is the same every time."""
        return searched(self.statement, self.strategies, self.examples)


def for_all(examples: int = 100, name: str = "", **strategies: Any) -> Callable[[Callable[..., Any]], ForAll]:
    """``for_all(beta=betas)(lambda beta: ...)``: the statement holds wherever the strategies reach.

    The statement returns whether it holds, or an atom without chance (``close``, ``matches``, ``below``, ``above``),
    which decides.  Raises TypeError without a strategy.
    """
    if not strategies:
        raise TypeError("for_all needs a strategy for each variable: for_all(beta=betas)(lambda beta: ...)")
    return lambda statement: ForAll(statement, strategies, examples, name)


# Sampling.


@dataclass(frozen=True)
class Sampled:
    """Scores that average to zero if the claim is true."""

    draw: Callable[[Any, int], Iterable[Array]]
    scores: Callable[..., Sequence[Row]]
    resolves: float
    name: str = ""
    at: Letters | None = None
    by: Estimator | None = None  # None: independent draws

    @property
    def kind(self) -> str:
        return self.by.kind if self.by else "montecarlo"

    def chunk(self, seed: int, claim: str, name: str, number: int, size: int = CHUNK) -> tuple[Total, list[Head]]:
        """The sums of one chunk, and the heads of its rows."""
        with np.errstate(all="ignore"):  # a wrong formula may leave its domain: its sums say so
            rows = self.scores(*self.draw(stream(seed, claim, name, number), size))
            columns = zip(*(row.partial_sums() for row in rows))
            return Total.of(size, [p for column in columns for p in column]), [row.head for row in rows]

    def total(self, seed: int, claim: str, name: str, chunks: Iterable[int]) -> Total:
        """The sums of some chunks; totals of disjoint chunks add up, in any order, to the same bits."""
        return reduce(add, (self.chunk(seed, claim, name, number)[0] for number in chunks))

    def examine(self, seed: int = 0, claim: str = "", name: str = "", /, alpha: float = ALPHA) -> Finding:
        """Look after the first chunks, then after more, until the draws decide; or average as the estimator does.

        Raises ValueError if there are no rows, or if ``resolves`` is finer than sampling can be.
        """
        finding = (
            self.by.examine(self.draw, self.scores, self.resolves, seed, claim, name)
            if self.by
            else self._looked_at(seed, claim, name, alpha)
        )
        if finding.verdict == FAIL and self.at:
            return replace(finding, detail=f"{finding.detail}; at {in_words(self.at)}")
        return finding

    def _looked_at(self, seed: int, claim: str, name: str, alpha: float) -> Finding:
        total, heads = self.chunk(seed, claim, name, 0)
        if not heads:
            raise ValueError("there are no rows, so nothing is tested")
        if self.resolves < (limit := sequential.finest(len(heads))):
            finer = f"resolves={self.resolves:g} is finer than {limit:.2g}, the limit of {len(heads)} rows"
            raise ValueError(f"{finer}: ask for less, name an estimator, or compare with an integral by close(...)")
        finding = Finding(INCONCLUSIVE, 0, "no look was taken")
        for chunks in sequential.looks():
            total += self.total(seed, claim, name, [number for number in chunks if number > 0])
            finding = sequential.decide(total, heads, self.resolves, alpha)
            if finding.verdict != INCONCLUSIVE:
                break
        return finding


Estimator = Hermite | Sobol | GaussHermite


def sampled(
    draw: Callable[[Any, int], Iterable[Array]],
    scores: Callable[..., Sequence[Row]],
    resolves: float = 1e-2,
    name: str = "",
    at: Letters | None = None,
    by: Estimator | None = None,
) -> Sampled:
    """The rows ``scores(*draw(rng, n))`` average to zero; one of ``resolves`` standard deviations would be found.

    ``at`` holds letters that a failure should mention; ``by`` is an estimator (``hermite``, ``sobol``,
    ``gauss_hermite``) that takes the place of independent draws.
    """
    return Sampled(draw, scores, resolves, name, at, by)


def both(
    draw: Callable[[Any, int], Iterable[Array]],
    scores: Callable[..., Sequence[Row]],
    by: Estimator,
    resolves: float | None = None,
) -> Iterator[Sampled]:
    """The same statement twice: by independent draws, to a hundredth, and by an estimator, as finely as it can."""
    yield sampled(draw, scores)
    yield sampled(draw, scores, by.resolves if resolves is None else resolves, by=by)


@dataclass(frozen=True)
class Surely:
    """Two things made of the same draw are equal, whatever was drawn."""

    draw: Callable[[Any, int], Iterable[Array]]
    sides: Callable[..., tuple[Any, Any, Any]]
    name: str = ""
    kind = "montecarlo"

    DRAWS = 2**11

    def examine(self, seed: int = 0, claim: str = "", name: str = "", /) -> Finding:
        """One draw to the contrary refutes it: there is no chance in it but what is drawn."""
        with np.errstate(all="ignore"):
            left, right, size = self.sides(*self.draw(stream(seed, claim, f"{name}, surely", 0), self.DRAWS))
            size, gap = np.abs(size) + np.abs(left) + np.abs(right), np.abs(left - right)
            off = np.broadcast_to(np.where(gap == 0, 0.0, gap / size), (self.DRAWS,))  # 0 is 0, whatever its size
        resolution = 16 * LAST_BITS
        if np.all(off <= resolution):
            return Finding(PASS, self.DRAWS, f"equal in {self.DRAWS:,} draws, but for rounding", resolution)
        k = int(np.argmax(np.where(np.isfinite(off), off, np.inf)))
        l, r = (float(np.broadcast_to(side, off.shape)[k]) for side in (left, right))
        differ = f"a draw gives {l:.6g} on one side and {r:.6g} on the other"
        share = np.mean(~(off <= resolution))
        return Finding(FAIL, self.DRAWS, f"{differ}, {share:.0%} of them differ", resolution, float(off[k]))


def surely(
    draw: Callable[[Any, int], Iterable[Array]], sides: Callable[..., tuple[Any, Any, Any]], name: str = ""
) -> Surely:
    """``sides(*draw(rng, n))`` is a pair that is equal draw by draw, and the size of the terms added for it."""
    return Surely(draw, sides, name)


# Running a sampler.


@dataclass(frozen=True)
class Run:
    """An atom whose values come from a sampler that is run with the formula under test."""

    atom: Atom
    kind = "sampler"

    @property
    def name(self) -> str:
        return getattr(self.atom, "name", "")

    def examine(self, seed: int = 0, claim: str = "", name: str = "", /) -> Finding:
        """Run it, and let the atom judge what comes of it."""
        return self.atom.examine(seed, claim, name)


def by_running(atom: Atom) -> Run:
    """The same atom, as evidence of the kind *sampler*: the formula under test is a step, and it has been taken."""
    return Run(atom)
