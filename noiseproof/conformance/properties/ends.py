r"""Where runs ought to lead, and how far from it a table leads, without asking the target again.

Trajectories of the probability flow on the line keep their quantiles, so that the exact end of each is known for any
mixture.  A sampler that draws noise is held to its law: that of Gaussian data follows exactly.

The last step, to where no noise is left, has an error of its own: the state x at the last level is replaced by the best
prediction :math:`E[x_0|x]`, which is narrower.  So a run is looked at where the network is asked for the last time, and
what the last step leaves is computed apart.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from numerics.solvers import grids, moments
from numerics.solvers.transport import law, midpoints, quantile, transported
from numerics.worlds import Mixture, gaussian, mixture

from ..findings import FAIL, INCONCLUSIVE, PASS, Finding
from ..protocol import Claims, Level
from ..subject import ITS_OWN, TOLD, NoReference, Subject
from ..unrolled import Unrolled
from .exact import epsilon

Array = NDArray[np.float64]

SMOOTH = mixture([0.3, 0.7], [-1.1, 0.8], [0.5, 0.4])
GAUSSIANS = {"N(0.4, 0.6)": gaussian(0.4, 0.6), "N(-0.7, 1.7)": gaussian(-0.7, 1.7)}
PARTS = 100  # quantiles that stand for a law on the line
SHAKES = 3
SHORT = 1e-4  # in log-SNR: what is shorter is no step, but one level twice
LAST = -2  # where the network is asked for the last time, in a list that ends with the end


@dataclass(frozen=True, eq=False)
class Chain:
    """A table, the levels of its states, the end among them, and those that the network takes its inputs to have."""

    subject: Subject
    table: Unrolled
    states: Sequence[Level]
    seen: Sequence[Level]

    @cached_property
    def start(self) -> grids.Level:
        """The level of the x that a run begins with, by that of the first input."""
        if not self.table.calls:
            raise NoReference("it asks no network")
        (a, b), row = self.states[0], self.table.inputs[0]
        if not row[0]:
            raise NoReference("what the network is handed first does not depend on the start")
        rest = b * b - float(np.sum(self.table.of_noise[0] ** 2))
        return grids.Level(a / float(row[0]), float(np.sqrt(max(rest, 0.0))) / abs(float(row[0])), 0.0)

    @cached_property
    def draws(self) -> bool:
        """Whether fresh noise makes a difference."""
        return bool(np.any(self.table.of_noise))

    def at(self, k: int) -> grids.Level:
        return grids.Level(*self.states[k], 0.0)

    def predict(self, world: Mixture) -> Callable[[int, Array], Array]:
        if self.subject.claims.family == "consistency":
            there = self.subject.jumps(self.table, self.seen)
            return lambda c, x: there[c].of(world, x)
        return lambda c, x: self.subject.predicts(world, self.seen[c], x)

    def paths(self, world: Mixture, x: Array, noise: Array | None = None, table: Unrolled | None = None) -> Array:
        """All inputs of the network that is best for this world, and the end."""
        return (table or self.table).walked(x, self.predict(world), noise)

    def laws(self, world: Mixture, table: Unrolled | None = None) -> list[moments.Moments]:
        """The same as laws, for Gaussian data."""
        mean, variance = float(world.mean), float(world.variance)
        gains = self.subject.answers(mean, variance, self.table, self.seen)
        found = (table or self.table).law(moments.exact(mean, variance, self.start), gains)
        return [moments.Moments(float(m), float(v)) for m, v in zip(*found, strict=True)]

    def shaken(self, by: float | None = None) -> Iterator[Unrolled]:
        """The table as other roundings, of a part ``by``, would have left it: by default those that are claimed."""
        rng = np.random.default_rng(self.table.calls)  # signs that nobody chose
        with np.errstate(divide="ignore"):
            h = np.abs(np.diff([np.log(b) - np.log(a) for a, b in self.states]))
        lengths = np.where(np.isfinite(h) & (h > SHORT), h, 1.0).tolist()
        for _ in range(SHAKES):
            yield self.table.shaken(by or epsilon(self.subject.claims), rng, lengths)

    def missed(self, world: Mixture, k: int = LAST) -> tuple[float, float]:
        """How far it is from where it ought to be at its k-th state, and how far roundings carry it.

        In W_2: of trajectories coupled by their quantiles, or of laws where noise is drawn.
        """
        if self.draws:
            exact, found = moments.exact(float(world.mean), float(world.variance), self.at(k)), self.laws(world)[k]
            others = [self.laws(world, table)[k] for table in self.shaken()]
            return moments.w2(found, exact), max(moments.w2(found, other) for other in others)
        x = quantile(law(world, self.start), midpoints(PARTS))
        found, exact = self.paths(world, x)[k], transported(world, x, self.start, self.at(k))
        others = [self.paths(world, x, table=table)[k] for table in self.shaken()]
        return apart(found, exact), max(apart(found, other) for other in others)

    def left(self, world: Mixture) -> float:
        """What the last step leaves, where it goes to no noise at all, of laws that were exact before it."""
        level, (_, noise) = self.at(LAST), self.states[-1]
        if noise:
            return 0.0
        x = quantile(law(world, level), midpoints(PARTS))
        kind = self.subject.data_from(self.subject.predicts(world, self.states[LAST], x), self.states[LAST], x)
        return apart(kind, transported(world, x, level, self.at(-1)))


def apart(one: Array, other: Array) -> float:
    return float(np.sqrt(np.mean(np.square(one - other))))


def chain(subject: Subject, n: int, by: str | None = None, affine: bool = True) -> Chain:
    """A run of n steps on the target's own grid; the network takes its inputs to be where ``by`` says.

    Raises NoReference for a sampler that is not affine, unless that does not matter.
    """
    table = described(subject.table(n)) if affine else subject.table(n)
    states = subject.levels_of(table, own(subject))
    return Chain(subject, table, states, states if by is None else subject.levels_of(table, by))


def own(subject: Subject) -> str:
    return ITS_OWN if ITS_OWN in subject.oracles else TOLD


def described(table: Unrolled) -> Unrolled:
    """The table of a sampler that is affine; no table describes another one.  Raises NoReference."""
    if table.off > 1e-3:
        raise NoReference(f"a run of n = {table.n} is not affine (by {table.off:.1g}), so that no table describes it")
    return table


# ---------------------------------------------------------------- orders


def orders(errors: Sequence[float]) -> list[float]:
    """The local orders on the way to twice as many steps."""
    few, many = np.array(errors[:-1]), np.array(errors[1:])
    with np.errstate(divide="ignore", invalid="ignore"):
        return [float(order) for order in np.log2(few / many)]


def blurs(errors: Sequence[float], floors: Sequence[float]) -> list[float]:
    """How far twice the floors, which are estimates, may move these orders."""
    part = 2 * np.array(floors) / np.maximum(errors, 1e-300)
    with np.errstate(divide="ignore"):
        return [float(blur) for blur in np.log2(1 + part[:-1]) - np.log2(np.maximum(1 - part[1:], 0))]


def mean_rate(errors: Sequence[float], floors: Sequence[float], part: float = 2.0) -> float:
    """The mean rate of some doublings, had the first error been less by a part of its floor, and the last one more."""
    few, many = errors[0] - part * floors[0], errors[-1] + part * floors[-1]
    return float(np.log2(max(few, 1e-300) / max(many, 1e-300))) / (len(errors) - 1)


def ordered(
    error_at: Callable[[int], tuple[float, float]],
    counts: Sequence[int],
    most: int,
    claimed: float,
    passes: float,
    fails: float,
    text: str,
    data: str,
) -> Finding:
    """Whether errors fall at a rate: by the last two doublings that no floor moves by what lies between the verdicts.

    PASS if both rates are at least ``passes``, FAIL if both are at most ``fails``, and else with twice as many steps,
    up to ``most``.  Rates that rise are read at the next doubling, as far as a line through them tells.  A single
    doubling can only pass, and an error that is all rounding does.  So does, where floors hide the last doublings, a
    mean rate down to one of these that is enough at the worst that floors permit.
    """
    counts, found = list(counts), {n: error_at(n) for n in counts}
    while True:
        errors, floors = zip(*(found[n] for n in counts), strict=True)
        seen = [blur < passes - fails for blur in blurs(errors, floors)]
        shown = next((k for k, each in enumerate(seen) if not each), len(seen))
        rates = orders(errors)[:shown][-2:]
        at = {"data": data, "n": list(counts), "error": list(errors), "order": orders(errors), "expected": claimed}
        finding = Finding(PASS, text, 0.0, float(claimed - passes), at, float(claimed))
        if not np.all(np.isfinite(errors)):
            return replace(finding, verdict=FAIL, text=f"{text}: errors are not finite", measured=None)
        if errors[0] <= floors[0]:
            return replace(finding, text=f"{text}: nothing is left but rounding")
        ahead = 2 * rates[-1] - rates[0] if len(rates) == 2 else -np.inf
        if rates and (min(rates) >= passes or (rates[-1] > fails and ahead >= passes)):
            return replace(finding, measured=max(claimed - min(rates), 0.0), got=min(rates))
        if len(rates) == 2 and max(*rates, ahead) <= fails:
            return replace(finding, verdict=FAIL, measured=claimed - max(rates), got=max(rates))
        if shown == len(seen) and 2 * counts[-1] <= most:
            counts.append(2 * counts[-1])
            found[counts[-1]] = error_at(counts[-1])
            continue
        hidden = [mean_rate(errors[:k], floors[:k]) for k in range(shown + 2, len(errors) + 1)]
        if hidden and max(hidden) >= passes and min(rates, default=passes) > fails:
            return replace(finding, got=max(hidden))
        got = min(rates, default=0.0)
        return replace(finding, verdict=INCONCLUSIVE, measured=max(claimed - got, 0.0), got=got)


def vanishing(
    error_at: Callable[[int], tuple[float, float]],
    counts: Sequence[int],
    most: int,
    passes: float,
    fails: float,
    text: str,
    data: str,
) -> Finding:
    """Whether errors fall to zero, at no rate that is claimed: by the last one, and the largest of it and two before.

    A single error may be small because it changes its sign there.  PASS if the mean rate of two doublings is at least
    ``passes`` whatever twice the floors hide, and will be at the next one, as far as a line tells; FAIL if it is at
    most ``fails``, and else with twice as many steps, up to ``most``.  An error that is all rounding passes.
    """
    counts, found = list(counts), {n: error_at(n) for n in counts}
    while True:
        errors, floors = zip(*(found[n] for n in counts), strict=True)
        at = {"data": data, "n": list(counts), "error": list(errors), "order": orders(errors), "expected": 1.0}
        finding = Finding(PASS, text, 0.0, 1.0 - passes, at, 1.0)
        if not np.all(np.isfinite(errors)):
            return replace(finding, verdict=FAIL, text=f"{text}: errors are not finite", measured=None)
        if errors[-1] <= floors[-1]:
            return replace(finding, text=f"{text}: nothing is left but rounding")
        largest, its = max(zip(errors[-3:], floors[-3:], strict=True))
        ends = (largest, errors[-2], errors[-1]), (its, floors[-2], floors[-1])
        rate, least, most_of_all = (mean_rate(*ends, part) for part in (0.0, 2.0, -2.0))
        finding = replace(finding, measured=max(1.0 - rate, 0.0), got=rate)
        before, now = orders(errors)[-2:]
        if least >= passes and 2 * now - before >= passes:
            return finding
        if most_of_all <= fails:
            return replace(finding, verdict=FAIL)
        if 2 * counts[-1] > most:
            return replace(finding, verdict=INCONCLUSIVE)
        counts.append(2 * counts[-1])
        found[counts[-1]] = error_at(counts[-1])


def claims_order(subject: Subject) -> str | None:
    if subject.claims.family == "consistency":
        return "it claims to be exact for every number of steps: see P20"
    return None if subject.claims.order else "it claims no order: say order=1, or another"


def knows(claims: Claims) -> str | None:
    return "what its network predicts is nothing that we can compute" if claims.prediction == "other" else None
