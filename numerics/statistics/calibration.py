r"""Calibration: how often chance raises an alarm and how often an error is found, beside what is stated.

The tests of the suite run at 1e-13, where nobody can count.  So they are run at levels where one can, through the same
thresholds and the same ``decide``:

    one look        each null law by itself
    all looks       the sequential test, whose looks share the level by a union bound
    a suite         many atoms that share a level
    errors          of 0.5, 1, 1.5 and 2 times what is resolved, in ``detection``: how many are found

*Drawn sums* are the sums of a look, drawn at once from their law: a million of them take a second, and the thresholds
are those of the suite.  *Whole paths* draw and score as every atom does, chunk by chunk, and ask ``decide``.

What is *predicted* is computed, not simulated: a tail beyond the thresholds, or, over the looks, the density of the sum
of those runs that go on, integrated from look to look (Armitage, McPherson and Rowe 1969).

A rate is *off* if it is not what is predicted, or beyond what is stated, by more than chance explains at three standard
errors for the whole table: the binomial tail, exactly, against 0.0027 over the number of rates.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import bdtr, bdtrc, betaincinv, chdtr, chdtrc, ndtr, ndtri

from .atoms import Sampled, sampled
from .laws import Row, absolute_third_moments, event
from .sequential import FAIL, INCONCLUSIVE, LOOKS, Finding, Head, decide, false_alarm_quantile, looks, miss_quantile
from .streams import CHUNK, Total, stream
from .tails import Binomial, Bounded, ChiSquare, Limit, Tail

Array = NDArray[np.float64]

LEVELS = (0.05, 0.01, 1e-3, 1e-4)
FIRST = LOOKS[0] * CHUNK  # draws of the first look
SMALL = 2**11  # draws of a chunk of a whole path
THIRD = absolute_third_moments()["he_2"]  # of a centred square
ANYTHING = 1e9  # a resolution that lets everything pass that does not fail


@dataclass(frozen=True)
class Rate:
    """How often something happened, beside what is stated of it (relation: = <= >=) and what is predicted."""

    part: str
    name: str
    runs: int
    seen: int
    relation: str
    stated: float | None
    predicted: float | None = None

    @property
    def observed(self) -> float:
        return self.seen / self.runs

    @property
    def interval(self) -> tuple[float, float]:
        """Clopper and Pearson's, at 95 %."""
        k, n = self.seen, self.runs
        low = float(betaincinv(k, n - k + 1, 0.025)) if k else 0.0
        return low, float(betaincinv(k + 1, n - k, 0.975)) if k < n else 1.0

    @property
    def deviation(self) -> float | None:
        """From what is expected, in standard errors; None where nothing is, or chance hardly moves it."""
        p = self.stated if self.predicted is None and self.relation == "=" else self.predicted
        if p is None or self.runs * p * (1 - p) < 1:
            return None
        return float((self.observed - p) / np.sqrt(p * (1 - p) / self.runs))

    def is_off(self, rates: int) -> bool:
        """Whether chance at three standard errors, shared by so many rates, explains it."""
        rare = 2 * ndtr(-3.0) / rates
        held = [] if self.stated is None else [(self.relation, self.stated)]
        held += [] if self.predicted is None else [("=", self.predicted)]
        for relation, p in held:
            too_many, too_few = bdtrc(self.seen - 1, self.runs, p) if self.seen else 1.0, bdtr(self.seen, self.runs, p)
            worst = {"<=": too_many, ">=": too_few, "=": 2 * min(too_many, too_few)}[relation]
            if worst < rare:
                return True
        return False


# ---------------------------------------------------------------- one look


def one_look(runs: int, seed: int) -> Iterator[Rate]:
    """Every null law by itself, by drawn sums."""
    n, rng = FIRST, stream(seed, "calibration", "one look", 0)
    normal, squares = rng.standard_normal(runs), (rng.chisquare(n, runs) - n) / np.sqrt(2 * n)
    few, some = ((rng.chisquare(k, runs) - k) / np.sqrt(2 * k) for k in (64, SMALL))
    p, rare = 0.3, 1e-3
    counts, seldom, heads = (rng.binomial(n, q, runs) for q in (p, rare, 0.5))
    yield from tried("normal", normal, Limit(), n, 0.0, "=", lambda low, high: ndtr(-low) + ndtr(-high))
    yield from tried("chi-square", squares, ChiSquare(), n, 0.0, "=", of_squares(n))
    yield from tried("chi-square, of 64", few, ChiSquare(), 64, 0.0, "=", of_squares(64))
    for name, q, drawn in (("binomial", p, counts), ("binomial, rare", rare, seldom)):
        yield from tried(name, centred(drawn, n, q), Binomial(q), n, 0.0, "<=", of_counts(n, q))
    yield from tried("limit, of squares", squares, Limit(), n, THIRD * n, "<=", of_squares(n))
    yield from tried("limit, of 2048 squares", some, Limit(), SMALL, THIRD * SMALL, "<=", of_squares(SMALL))
    yield from tried("Bennett, of signs", centred(heads, n, 0.5), Bounded(1.0), n, 0.0, "<=", of_counts(n, 0.5))
    spiked = Bounded((1 - rare) / np.sqrt(rare * (1 - rare)))
    yield from tried("Bennett, rare", centred(seldom, n, rare), spiked, n, 0.0, "<=", of_counts(n, rare))


def tried(
    name: str, off: Array, tail: Tail, n: int, third: float, relation: str, beyond: Callable[[float, float], float]
) -> Iterator[Rate]:
    """How many sums, in standard errors, are beyond the thresholds of a law at each level, and how many should be."""
    for level in LEVELS:
        low, high = tail.thresholds(-float(ndtri(level / 2)), n, float(n), third)
        seen = int(np.count_nonzero((off < -low) | (off > high)))
        yield Rate("one look", name, len(off), seen, relation, level, float(beyond(low, high)))


def centred(counts: NDArray[Any], n: int, p: float) -> Array:
    return (counts - n * p) / np.sqrt(n * p * (1 - p))


def of_squares(n: int) -> Callable[[float, float], float]:
    return lambda low, high: chdtr(n, max(0.0, n - low * np.sqrt(2 * n))) + chdtrc(n, n + high * np.sqrt(2 * n))


def of_counts(n: int, p: float) -> Callable[[float, float], float]:
    def beyond(low: float, high: float) -> float:
        scale = np.sqrt(n * p * (1 - p))
        least, most = np.ceil(n * p - low * scale) - 1, np.floor(n * p + high * scale)
        return (bdtr(least, n, p) if least >= 0 else 0.0) + (bdtrc(most, n, p) if most < n else 0.0)

    return beyond


# ---------------------------------------------------------------- whole paths


def normals(rng: np.random.Generator, n: int) -> Array:
    return rng.standard_normal((2, n))


ROWS: dict[str, tuple[str, Callable[[Array, Array], list[Row]]]] = {
    "normal": ("=", lambda x, e: [Row("mean", e, x, 0.0)]),
    "chi-square": ("=", lambda x, e: [Row("variance", (e * e - 1) / np.sqrt(2), 1.0, THIRD, ChiSquare())]),
    "binomial": ("<=", lambda x, e: event(e > 0.5, float(ndtr(-0.5)))),
    "limit": ("<=", lambda x, e: [Row("variance against x", (e * e - 1) / np.sqrt(2), x, THIRD)]),
    "Bennett": ("<=", lambda x, e: [Row("sign", np.sign(e), np.cos(x), 1.0, Bounded(1.0))]),
}


def one_look_of_draws(runs: int, seed: int) -> Iterator[Rate]:
    """Every null law by itself, by whole paths."""
    for name, (relation, scores) in ROWS.items():
        atom, seen = sampled(normals, scores), dict.fromkeys(LEVELS[:3], 0)
        for run in range(runs):
            total, heads = atom.chunk(seed, f"calibration {run}", name, 0, SMALL)
            for level in seen:
                seen[level] += at_one_look(total, heads, level).verdict == FAIL
        for level, alarms in seen.items():
            yield Rate("one look, whole paths", name, runs, alarms, relation, level)


def at_one_look(total: Total, heads: Sequence[Head], level: float) -> Finding:
    """``decide``, with the whole level for this one look; its rows share it."""
    return decide(total, heads, ANYTHING, level * len(LOOKS))


# ---------------------------------------------------------------- all looks


def all_looks(runs: int, seed: int) -> Iterator[Rate]:
    """The sequential test, one row: the union bound over its looks is not far from what it bounds."""
    rng, sums, alarms = stream(seed, "calibration", "all looks", 0), np.zeros(runs), {}
    for chunks, until in zip(looks(), LOOKS):
        sums += np.sqrt(len(chunks) * CHUNK) * rng.standard_normal(runs)
        n = until * CHUNK
        for level in LEVELS:
            low, high = Limit().thresholds(false_alarm_quantile(1, level), n, float(n), 0.0)
            off = sums / np.sqrt(n)
            alarms[level] = alarms.get(level, False) | (off < -low) | (off > high)
    for level, seen in alarms.items():
        failing, _ = over_all_looks(0.0, 0.0, level)
        yield Rate("all looks", "one row", runs, int(np.count_nonzero(seen)), "<=", level, failing)


def all_looks_decided(runs: int, seed: int) -> Iterator[Rate]:
    """The same through ``decide``, with four rows: their union bound costs next to nothing."""
    rng, level, rows = stream(seed, "calibration", "decided", 0), 0.05, 4
    alarms = sum(walk(rng, [0.0] * rows, 0.0, level).verdict == FAIL for _ in range(runs))
    each, _ = over_all_looks(0.0, 0.0, level / rows)
    yield Rate("all looks", "four rows, by decide", runs, alarms, "<=", level, 1 - (1 - each) ** rows)


def walk(rng: np.random.Generator, rho: Sequence[float], resolves: float, alpha: float) -> Finding:
    """``decide`` at look after look on the sums of normal scores, whose means are rho."""
    total, heads = Total(0, (0,) * 3 * len(rho)), [Head(f"row {k}") for k in range(len(rho))]
    finding = Finding(INCONCLUSIVE, 0, "")
    for chunks in looks():
        n = len(chunks) * CHUNK
        score = n * np.asarray(rho) + np.sqrt(n) * rng.standard_normal(len(rho))
        total += Total.of(n, [*score, *[float(n)] * len(rho), *[0.0] * len(rho)])
        finding = decide(total, heads, resolves, alpha)
        if finding.verdict != INCONCLUSIVE:
            break
    return finding


def over_all_looks(rho: float, resolves: float, alpha: float) -> tuple[float, float]:
    """The probabilities that one row of normal scores with mean rho fails, and that it passes, at any look."""
    a, b, x, w = false_alarm_quantile(1, alpha), miss_quantile(), np.zeros(1), np.ones(1)
    nodes, weights = np.polynomial.legendre.leggauss(120)
    failing = passing = 0.0
    for chunks, until in zip(looks(), LOOKS):
        n, drift, spread = until * CHUNK, rho * len(chunks) * CHUNK, np.sqrt(len(chunks) * CHUNK)
        far, near = a * np.sqrt(n), max(0.0, n * resolves - b * np.sqrt(n))  # fails beyond far, passes within near

        def below(edge: float, x: Array = x, drift: float = drift, spread: float = spread) -> Array:
            return ndtr((edge - x - drift) / spread)

        near = min(near, far)
        failing += float(np.sum(w * (below(-far) + 1 - below(far))))
        passing += float(np.sum(w * (below(near) - below(-near))))
        if near >= far:
            break
        half, middle = (far - near) / 2, (far + near) / 2
        ahead = np.concatenate([-middle + half * nodes, middle + half * nodes])
        density = np.exp(-(((ahead[:, None] - x - drift) / spread) ** 2) / 2) / (np.sqrt(2 * np.pi) * spread)
        x, w = ahead, np.tile(half * weights, 2) * (density @ w)
    return failing, passing


# ---------------------------------------------------------------- a suite

LEVEL, ATOMS_OF_A_SUITE = 0.05, 100


def suites(runs: int, seed: int) -> Iterator[Rate]:
    """Suites of atoms that share 5 %; every atom is one row of an exact law at one look, and no atom knows another."""
    rng, n, m = stream(seed, "calibration", "suites", 0), FIRST, ATOMS_OF_A_SUITE
    z, alarms = -float(ndtri(LEVEL / m / 2)), np.zeros(runs, dtype=bool)
    for k in range(m):
        tail = ChiSquare() if k % 2 else Limit()
        low, high = tail.thresholds(z, n, float(n), 0.0)
        off = (rng.chisquare(n, runs) - n) / np.sqrt(2 * n) if k % 2 else rng.standard_normal(runs)
        alarms |= (off < -low) | (off > high)
    expected = 1 - (1 - LEVEL / m) ** m
    yield Rate("a suite", f"{m} atoms, drawn sums", runs, int(np.count_nonzero(alarms)), "<=", LEVEL, expected)


def suites_of_draws(runs: int, seed: int) -> Iterator[Rate]:
    """The same by whole paths, with fewer atoms."""
    atoms = [
        sampled(normals, ROWS[name][1], name=f"{name} {k}") for k in range(10) for name in ("normal", "chi-square")
    ]
    yield suite("20 atoms, whole paths", atoms, runs, seed, 1 - (1 - LEVEL / 20) ** 20)


def suites_of_claims(runs: int, seed: int, claims: Mapping[str, Sequence[Sampled]]) -> Iterator[Rate]:
    """The sampled atoms of claims that hold, each with the union over all of its rows."""
    for name, atoms in claims.items():
        yield suite(name, atoms, runs, seed)


def suite(name: str, atoms: Sequence[Sampled], runs: int, seed: int, predicted: float | None = None) -> Rate:
    """How often any of the atoms fails at one look of a small chunk, when they share the level."""

    def alarm(run: int) -> bool:
        for k, atom in enumerate(atoms):
            total, heads = atom.chunk(seed, f"calibration {run}", f"{name} {k}", 0, SMALL)
            if at_one_look(total, heads, LEVEL / len(atoms)).verdict == FAIL:
                return True
        return False

    return Rate("a suite", name, runs, sum(map(alarm, range(runs))), "<=", LEVEL, predicted)
