r"""Ways to average: the same draws and the same scores, with less chance in the average.

    plain            independent draws                                       what ``sampled`` does if nothing is said
    hermite          control variates: polynomials of the raw normals, whose mean is known to be zero
    sobol            scrambled Sobol' points for the raw numbers             counts as quadrature
    gauss_hermite    a grid of nodes for the raw normals                     counts as quadrature

The author of a check names its estimator.  None of them knows anything of the claim: a control variate whose mean came
from the formula under test could cancel what is wrong with it.  *Common random numbers* need no estimator: both sides
of a claim are computed from one draw, and the score is their difference.

These see a formula as a function of its noise; that a sampler draws its noise rightly only ``plain`` can see.  So
every claim keeps a plain atom.  And since they have to estimate their own error, a wrong formula whose scores have no
variance to speak of could hide from them: the plain atom, whose variance is that of the claim, sees it.

*Cases.*  A mixture is a choice between cases, and a choice is no smooth function of a uniform number.
``over(weights)`` averages case by case, each with its weight: ``sampled(..., by=hermite.over(world.weights))``.

*A floor.*  Where nothing but rounding is left, a regression on J polynomials is off by
:math:`8\epsilon\,(\overline{|h|}+\sum_j|c_j|\,\overline{|B_j|})\sqrt{J+1}`, whatever its standard error says.  What a
score has lost by cancelling inside is not in it, so nothing below 1e-11 refutes a claim.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations_with_replacement
from math import comb, factorial
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri, stdtrit

from .laws import Row, weighed
from .points import Columns, Given, Raw, Remembered, Strata, asked_for
from .sequential import ALPHA, BETA, FAIL, INCONCLUSIVE, PASS, Finding
from .streams import CHUNK, stream
from .tails import cramer

Array = NDArray[np.float64]
Draw = Callable[[Any, int], Iterable[Array]]
Scores = Callable[..., Sequence[Row]]

EPS = float(np.finfo(float).eps)
LARGEST = 720  # polynomials that fit into half of the first look
ONE_CASE = Strata()
ROUNDING = 1e-11  # standard deviations of a score: an error that small refutes nothing
UNSEEN = 0.05  # of the square that a score should have on average: with less, something rare has not been seen


class Estimate(NamedTuple):
    """Averages of rows and their standard errors: how far they may be from the truth by chance (at the level of a false
    alarm), and how far an error of the size to be resolved may fall short (at that of a miss)."""

    names: list[str]
    means: Array
    error: Array
    alarm: Array
    miss: Array
    draws: int


def examined(looks: Iterable[Estimate], resolves: float) -> Finding:
    """FAIL if an average is too far from zero, PASS if all are surely near enough, and otherwise take another look."""
    finding = Finding(INCONCLUSIVE, 0, "no look was taken")
    for names, means, _, alarm, miss, draws in looks:
        if bad := np.flatnonzero(~np.isfinite(means)).tolist():
            which = names[bad[0]] + (f" and {len(bad) - 1} more" if len(bad) > 1 else "")
            return Finding(FAIL, draws, f"{which}: not finite, so the formula leaves its domain", resolves)
        far, alarm = np.abs(means), np.maximum(alarm, ROUNDING)
        worst = int(np.argmax(far - alarm))
        if far[worst] > alarm[worst]:
            found = f"the claim implies 0, and {draws:,} points give {means[worst]:+.3g} standard deviations"
            allowed = f"where chance and rounding explain {alarm[worst]:.1g}"
            return Finding(FAIL, draws, f"{names[worst]}: {found}, {allowed}", resolves, float(far[worst]))
        within = float(np.max(far + miss))
        if within <= resolves:
            power = 10.0 ** np.ceil(np.log10(max(within, 1e-16)))
            return Finding(PASS, draws, f"{len(names)} averages are 0 within {power:.0e} standard deviations", resolves)
        widest = int(np.argmax(far + miss))
        found = f"{names[widest]}: {means[widest]:+.2g}, known within {miss[widest]:.1g} standard deviations"
        finding = Finding(INCONCLUSIVE, draws, f"{found}, which does not exclude an error of {resolves:g}", resolves)
    return finding


def equalities(rows: Sequence[Row]) -> Sequence[Row]:
    """The rows as they are.  Raises ValueError if there are none, or if one states an inequality."""
    if not rows:
        raise ValueError("there are no rows, so nothing is tested")
    if one_sided := [row.name for row in rows if row.relation != "="]:
        raise ValueError(f"the row {one_sided[0]!r} states an inequality: leave it to independent draws")
    return rows


@dataclass(frozen=True, kw_only=True)
class Averaging:
    """What estimators share: cases, and how draws are made of raw numbers and held together."""

    strata: Strata = ONE_CASE

    def over(self, weights: Iterable[float]) -> Self:
        """The same, case by case for a draw that chooses between cases with these weights."""
        return replace(self, strata=Strata(tuple(map(float, weights))))

    def rows(self, draw: Draw, scores: Scores, columns: Columns, n: int, weights: Array | float = 1.0) -> Sequence[Row]:
        """The rows of n draws made of these raw numbers; a draw counts as much as its case, times its weight."""
        with weighed(weights * self.strata.shares(n)):
            return equalities(scores(*draw(Raw(n, self.strata(columns, n)), n)))

    def products(self, rows: Sequence[Row]) -> tuple[Array, Array]:
        """f g and g^2 of every row, each (rows, cases, n / cases)."""
        squares = [np.broadcast_to(np.square(row.g), row.f.shape) for row in rows]
        return self.strata.split(np.array([row.f * row.g for row in rows])), self.strata.split(np.array(squares))

    def standard(self, rows: Sequence[Row]) -> Array:
        """f g of every row, (rows, cases, n / cases), in standard deviations of the score where g has its weight."""
        scores, weights = self.products(rows)
        return scores / np.sqrt(np.mean(self.strata.average(weights), axis=-1))[:, None, None]


# ---------------------------------------------------------------- control variates


@dataclass(frozen=True)
class Hermite(Averaging):
    """Scores less what they have in common with Hermite polynomials of the raw normals, up to this degree.

    Of a polynomial nothing is left but its mean, so that its error is that of rounding.  The coefficients for one half
    of the draws come from the other half.  Rows that are no polynomials (waves, bins) are left to the plain atom.

    What is left of a score that is no polynomial has heavy tails, for which no threshold may be believable; so the last
    look takes half the degree, and leaves more, with lighter tails.
    """

    degree: int = 4
    kind = "montecarlo"
    resolves = 1e-11

    LOOKS = (2**11, 2**13, 2**15, 2**15)  # draws of each case

    def examine(self, draw: Draw, scores: Scores, resolves: float, seed: int, claim: str, name: str) -> Finding:
        return examined((self.look(k, draw, scores, seed, claim, name) for k in range(len(self.LOOKS))), resolves)

    def look(self, number: int, draw: Draw, scores: Scores, seed: int, claim: str, name: str) -> Estimate:
        """What fresh draws say, those of one look."""
        n, last = self.LOOKS[number] * self.strata.number, number == len(self.LOOKS) - 1
        raw = Remembered(stream(seed, claim, f"{name}, control variates", number), n)
        by = replace(self, degree=self.degree // 2) if last else self
        with np.errstate(all="ignore"):
            rows = [row for row in self.rows(draw, scores, raw, n) if row.polynomial]
            return by.estimate(rows, raw.normals(), n)

    def estimate(self, rows: Sequence[Row], normals: Array, n: int) -> Estimate:
        if not rows:
            raise ValueError("no row is a polynomial of the raw normals: use another estimator")
        h, names = self.standard(rows), [row.name for row in rows]
        if not np.all(np.isfinite(h)):
            nothing = np.zeros(len(rows))
            means = np.where(np.all(np.isfinite(h), axis=(1, 2)), 0.0, np.nan)
            return Estimate(names, means, nothing, nothing, nothing, n)
        cases = np.moveaxis(self.strata.split(normals), 1, 0)
        of_each = [left_over(h[:, k], polynomials(z, self.degree)) for k, z in enumerate(cases)]
        left, floors = (np.stack([case[i] for case in of_each], axis=1) for i in range(2))
        share = self.strata.average(left)  # one draw of each case
        means, m = np.mean(share, axis=1), share.shape[1]
        away = share - means[:, None]
        sd = np.sqrt(np.mean(away**2, axis=1))
        with np.errstate(divide="ignore", invalid="ignore"):
            lyapunov = np.where(sd > 0, np.mean(np.abs(away) ** 3, axis=1) / sd**3 / np.sqrt(m), 0.0)
        tests = len(rows) * len(self.LOOKS)
        a, b = -float(ndtri(ALPHA / (2 * tests))), -float(ndtri(BETA / len(self.LOOKS)))
        error, floor = sd / np.sqrt(m), np.max(floors, axis=1)
        known = seen(np.mean(self.strata.average(h * h), axis=1))
        return Estimate(names, means, error, known + cramer(a, lyapunov) * error + floor, known + b * error + floor, n)


def seen(square: Array) -> Array:
    """0 where the square of a score has its average, 1 if the claim is true, or is nothing; elsewhere infinity."""
    return np.where((square > 0) & (square < UNSEEN), np.inf, 0.0)


def left_over(h: Array, basis: Array) -> tuple[Array, Array]:
    """h (rows, n) less its regression on the basis, (terms, n), each half by the other; and what rounding leaves."""
    left, used = np.empty_like(h), []
    halves = slice(0, None, 2), slice(1, None, 2)
    for mine, others in (halves, halves[::-1]):
        b = np.vstack([np.ones(basis[:, others].shape[1]), basis[:, others]])
        c = np.linalg.solve(b @ b.T, b @ h[:, others].T)[1:]
        left[:, mine] = h[:, mine] - c.T @ basis[:, mine]
        used.append(np.abs(c))
    size = np.mean(np.abs(h), axis=1) + np.max(used, axis=0).T @ np.mean(np.abs(basis), axis=1)
    return left, 8 * EPS * size * np.sqrt(len(basis) + 1)


def polynomials(normals: Array, degree: int) -> Array:
    """Products of orthonormal Hermite polynomials of several normals, of total degree 1 up to this, (terms, n)."""
    single = [np.ones_like(normals), normals]
    for k in range(1, degree):  # He_{k+1} = x He_k - k He_{k-1}
        single.append(normals * single[-1] - k * single[-2])
    scaled = [he / np.sqrt(factorial(k)) for k, he in enumerate(single)]
    if (count := comb(len(normals) + degree, degree)) > LARGEST:
        raise ValueError(f"{len(normals)} raw normals have {count} polynomials of degree {degree}: use sobol")
    terms = []
    for total in range(1, degree + 1):
        for chosen in combinations_with_replacement(range(len(normals)), total):
            terms.append(np.prod([scaled[chosen.count(i)][i] for i in set(chosen)], axis=0))
    return np.array(terms).reshape(len(terms), normals.shape[-1])


# ---------------------------------------------------------------- points instead of draws


@dataclass(frozen=True)
class Sobol(Averaging):
    """Scrambled Sobol' points, shifted at random 128 times: the averages of the shifts say how far they are off.

    The points are the same whatever the seed, and a false alarm needs twice the error that chance explains: this is
    numerical evidence, and has no share in the false alarms of the suite.  A pilot with few points says how many are
    needed.
    """

    kind = "quadrature"
    resolves = 1e-3

    SHIFTS, BITS = 128, 40
    SAFETY, MARGIN = 2.0, 1.2  # of a false alarm, and of a miss
    PILOT, MOST = 8, 14  # binary logarithms of the number of points

    def examine(self, draw: Draw, scores: Scores, resolves: float, seed: int, claim: str, name: str) -> Finding:
        taken = asked_for(draw, self.strata)
        if not taken:
            raise ValueError("the draw takes no raw numbers, so there is nothing to average: use matches(...)")

        def looks() -> Iterator[Estimate]:
            power = self.PILOT
            while True:
                estimate = self.estimate(draw, scores, len(taken), power, claim, name)
                yield estimate
                if power == self.MOST:
                    return
                worst = float(np.max(np.abs(estimate.means) + estimate.miss))
                # Errors fall like one over the number of points.
                missing = np.log2(max(worst / resolves, 2.0)) if np.isfinite(worst) else 2.0
                power = min(self.MOST, power + max(1, round(missing)))

        return examined(looks(), resolves)

    def estimate(self, draw: Draw, scores: Scores, dimension: int, power: int, claim: str, name: str) -> Estimate:
        from scipy.stats import qmc

        rng, n, cases = stream(0, claim, f"{name}, points", power), 2**power, self.strata.number
        net = qmc.Sobol(dimension, scramble=True, bits=self.BITS, seed=int(rng.integers(2**32))).random_base2(power)
        base = (net.T * 2.0**self.BITS).astype(np.uint64)[:, None, :]  # (dimension, 1, n)
        shifts = rng.integers(2**self.BITS, size=(dimension, self.SHIFTS, 1), dtype=np.uint64)
        together = max(1, CHUNK // (n * cases))  # shifts that are worked on at once
        names: list[str] = []
        averages, squares = [], []
        for first in range(0, self.SHIFTS, together):
            shifted = base ^ shifts[:, first : first + together]
            uniforms = np.repeat(((shifted + 0.5) * 2.0**-self.BITS).reshape(dimension, -1), cases, axis=1)
            m = uniforms.shape[1]
            with np.errstate(all="ignore"):
                rows = self.rows(draw, scores, Given(uniforms), m)
                h = self.standard(rows)
                averages.append(self.strata.average(h).reshape(len(rows), -1, n).mean(axis=2))
                squares.append(self.strata.average(h * h).mean(axis=1))
            names = [row.name for row in rows]
        replicates = np.concatenate(averages, axis=1)
        with np.errstate(all="ignore"):
            means = np.mean(replicates, axis=1)
            error = np.std(replicates, axis=1, ddof=1) / np.sqrt(self.SHIFTS)
        floor = 8 * EPS * np.sqrt(n)
        a, b = (-float(stdtrit(self.SHIFTS - 1, p / len(names))) for p in (ALPHA / 2, BETA))
        known = seen(np.mean(squares, axis=0))
        alarm, miss = known + self.SAFETY * a * error + floor, known + self.MARGIN * b * error + floor
        return Estimate(names, means, error, alarm, miss, n * cases * self.SHIFTS)


@dataclass(frozen=True)
class GaussHermite(Averaging):
    """A grid of Gauss-Hermite nodes for the raw normals; grids with fewer nodes say how far it is off.

    One coarser grid could agree by chance, for errors swing from one number of nodes to the next; three seldom do, and
    the largest change counts four times.

    Raises ValueError for a draw that takes uniform numbers, or so many normals that the grid is too large.
    """

    nodes: int = 24
    kind = "quadrature"
    resolves = 1e-4

    MOST, SAFETY = 2**20, 4.0  # points; and how often a change counts

    def examine(self, draw: Draw, scores: Scores, resolves: float, seed: int, claim: str, name: str) -> Finding:
        taken = asked_for(draw, self.strata)
        points = self.nodes ** len(taken) * self.strata.number
        if "uniform" in taken:
            raise ValueError("a draw that takes uniform numbers has no grid of nodes: go case by case, or use sobol")
        if points > self.MOST:
            raise ValueError(f"{self.nodes} nodes for each of {len(taken)} raw normals are too many points: use sobol")
        names, means = self.averages(draw, scores, len(taken), self.nodes)
        fewer = (self.nodes // 2, 2 * self.nodes // 3, self.nodes - 1)
        with np.errstate(invalid="ignore"):
            changes = [np.abs(means - self.averages(draw, scores, len(taken), n)[1]) for n in fewer]
            error = self.SAFETY * np.max(changes, axis=0) + 8 * EPS * np.sqrt(points)
            error = np.where(np.isnan(error), np.inf, error)  # a coarser grid may meet a hole of the score
        return examined([Estimate(names, means, error, error, error, points)], resolves)

    def averages(self, draw: Draw, scores: Scores, dimension: int, nodes: int) -> tuple[list[str], Array]:
        x, w = np.polynomial.hermite_e.hermegauss(nodes)
        cases = self.strata.number
        grid = np.array(np.meshgrid(*[x] * dimension, indexing="ij")).reshape(dimension, -1)
        weights = np.prod(np.meshgrid(*[w / w.sum()] * dimension, indexing="ij"), axis=0).ravel()
        rest, m = iter(np.repeat(grid, cases, axis=1)), grid.shape[1] * cases

        def columns(kind: str, count: int) -> Array:
            return np.array([next(rest) for _ in range(count)])

        with np.errstate(all="ignore"):
            rows = self.rows(draw, scores, columns, m, np.repeat(weights, cases))
            values, sizes = map(self.strata.average, self.products(rows))
        return [row.name for row in rows], np.sum(values * weights, axis=1) / np.sqrt(np.sum(sizes * weights, axis=1))


hermite, sobol, gauss_hermite = Hermite(), Sobol(), GaussHermite()
