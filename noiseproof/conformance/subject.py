"""A target under examination: what was read off it, once, and what ought to be."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cache, cached_property, lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from numerics.solvers import grids, moments, predictions
from numerics.solvers.running import run
from numerics.solvers.table import Table
from numerics.worlds import Mixture

from ..sampling import NoSampler
from ..sampling import table as named_table
from .jumps import Jump, jumps, sampler
from .protocol import Claims, Level
from .target import AboutTheTarget, Call, Hung, Ran, Target
from .unrolled import Unrolled, unrolled

Array = NDArray[np.float64]

STEPS = (7, 13, 50)
ALL_OF_IT = 0.9  # of the time that a property has
TOLD, ITS_OWN = "told", "its own"  # levels by what the network is told, and by what the sampler holds itself to be at

# The share of x_0 in a prediction where no noise is left: x says it, and the noise is zero on average, in the limit.
WITHOUT_NOISE = {"x_0": 1.0, "velocity": 1.0}


class NoReference(LookupError):
    """There is nothing that the target could be compared with here; the message says why."""


class Subject:
    """A target, and for each number of steps its table, its levels, and the table that it claims to be."""

    def __init__(self, target: Target, steps: Sequence[int] = STEPS) -> None:
        self.target = target
        least, most = target.claims.least, target.claims.most
        there = [n for n in steps if n >= least and (most is None or n <= most)]
        self.steps = tuple(dict.fromkeys(there or [least if max(steps) < least else most or least]))
        self._tables: dict[int, Unrolled | AboutTheTarget] = {}
        self._reference = lru_cache(200)(self._referred)
        self.start = cache(target.start)
        self.on = cache(lambda *sigmas: unrolled(target, len(sigmas) - 1, sigmas, gain=self._gain))

    @property
    def claims(self) -> Claims:
        return self.target.claims

    def can(self, *names: str) -> bool:
        return all(name in self.target.can for name in names)

    def table(self, n: int) -> Unrolled:
        """The table of a run of n steps, read off once; what went wrong is raised again: a target hangs only once."""
        if n not in self._tables:
            began = time.monotonic()
            try:
                self._tables[n] = unrolled(self.target, n, gain=self._gain)
            except AboutTheTarget as wrong:
                if isinstance(wrong, Hung) and time.monotonic() - began < ALL_OF_IT * self.target.seconds:
                    raise  # something else took the time
                self._tables[n] = wrong
        found = self._tables[n]
        if isinstance(found, AboutTheTarget):
            raise found
        return found

    @cached_property
    def _gain(self) -> Callable[[Call], float] | None:
        """What the best network for N(0, 1) says at x = 1, or 0 if that cannot be told: for single precision."""

        def gain(call: Call) -> float:
            try:
                return self.gains(0.0, 1.0, [call.level])[0][0] if call.level else 0.0
            except NoReference:
                return 0.0

        return gain if self.claims.single else None

    # ---------------------------------------------------------------- levels

    @cached_property
    def oracles(self) -> tuple[str, ...]:
        """Which ways there are to tell the level of what the network is handed."""
        own = all(level is not None for level in self.table(self.steps[0]).levels)
        return (*([TOLD] if self.can("trained") else []), *([ITS_OWN] if own else []))

    def levels(self, n: int, by: str | None = None) -> list[Level]:
        """The level of each input of the network, and of the end.

        Raises NoReference where the target does not say.
        """
        return self.levels_of(self.table(n), by)

    def levels_of(self, table: Unrolled, by: str | None = None) -> list[Level]:
        by = by or (self.oracles[0] if self.oracles else "")
        if by not in self.oracles:
            raise NoReference("the adapter does not say at which levels the network is asked")
        if by == TOLD:
            found = [(float(a), float(b)) for a, b in self.target.trained(table.told.tolist())]
        else:
            found = [level for level in table.levels if level is not None]
        return [*found, grids.Level(1.0, self.claims.ends_at, 0.0).in_units(self.claims.units)[:2]]

    def grid(self, n: int, by: str | None = None) -> grids.Grid:
        """The levels at which a step begins, as a grid of ours in the units of the network's inputs.

        Raises NoReference where noise does not fall from each to the next.
        """
        return self.grid_of(self.levels(n, by))

    def grid_of(self, levels: Sequence[Level]) -> grids.Grid:
        nodes = [level for k, level in enumerate(levels) if k == 0 or level != levels[k - 1]]
        try:
            return grids.Grid(np.array([a for a, _ in nodes]), np.array([b for _, b in nodes]))
        except ValueError as why:
            raise NoReference(str(why)) from None

    # ---------------------------------------------------------------- what ought to be

    def reference(self, n: int, by: str | None = None, method: str | None = None) -> Unrolled:
        """The table of the method that it claims to be, on its own levels.  Raises NoReference without such a claim."""
        return self.reference_on(self.levels(n, by), method)

    def reference_on(self, levels: Sequence[Level], method: str | None = None) -> Unrolled:
        """The same on levels that are handed in."""
        return self._reference(tuple(levels), method or self.claims.method)

    def _referred(self, levels: tuple[Level, ...], method: str | None) -> Unrolled:
        if method is None:
            raise NoReference("it claims to be none of our samplers")
        grid, sign = self.grid_of(levels), kind_of(self.claims.prediction)[1]
        try:
            found = unrolled(Here(self.of(method, grid), sign), len(grid))  # type: ignore[arg-type]
            return quiet(found) if self.claims.family == "ancestral" and self.ends_quietly else found
        except NoSampler as why:
            raise NoReference(str(why)) from None

    @cached_property
    def ends_quietly(self) -> bool:
        """Whether no noise is drawn in the last step: where noise is left at the end, the kernel draws some."""
        table = self.table(self.steps[0])
        return not table.step(table.calls - 1).noise

    def jumps(self, table: Unrolled, levels: Sequence[Level]) -> list[Jump]:
        """Where a consistency function takes each input of the network, and by which coefficients of what it says."""
        if self.claims.prediction == "residual" and not self.claims.boundary:
            raise NoReference("the adapter does not say how its consistency function is made of what the network says")
        if self.claims.eta and not self.can("trained"):
            raise NoReference("the adapter does not say at which levels the network was trained")
        with said_by_none():
            return jumps(self.claims, table, levels, self._trained)

    def jumping(self, table: Unrolled, levels: Sequence[Level]) -> Unrolled:
        """The table of consistency sampling at these levels."""
        return sampler(self.jumps(table, levels), levels, table.told)

    def _trained(self, told: float) -> Level:
        scale, noise = self.target.trained([told])[0]
        return float(scale), float(noise)

    def of(self, method: str, grid: grids.Grid) -> Table:
        return named_table(method, grid, kind_of(self.claims.prediction)[0])

    def predicts(self, world: Mixture, level: Level, x: Array) -> Array:
        """What the best network says about x, (N,) or (N, ...), at a level, in the words that the sampler wants."""
        kind, sign = kind_of(self.claims.prediction)
        at = grids.Level(*level, 0.0)
        if not at.noise:
            return sign * WITHOUT_NOISE.get(kind, 0.0) * x / at.scale
        with said_by_none():
            return sign * predictions.converted(predictions.denoiser(world), kind)(x, at)

    def data_from(self, prediction: Array, level: Level, x: Array) -> Array:
        """The x_0 that a prediction about x at a level means."""
        kind, sign = kind_of(self.claims.prediction)
        with said_by_none():
            of_x, of_p = predictions.x_0_from(kind, grids.Level(*level, 0.0))
        return of_x * x + of_p * sign * prediction

    def answers(
        self, mean: float, variance: float, table: Unrolled, levels: Sequence[Level]
    ) -> list[tuple[float, float]]:
        """What the network of a run has to say, as gains and constants: the best, or the consistency function's."""
        if self.claims.family != "consistency":
            return self.gains(mean, variance, levels[:-1])
        return [jump.gaussian(mean, variance) for jump in self.jumps(table, levels)]

    def gains(self, mean: float, variance: float, levels: Sequence[Level]) -> list[tuple[float, float]]:
        """The same for N(mean, variance), as a gain and a constant at each level."""
        kind, sign = kind_of(self.claims.prediction)
        with said_by_none():
            found = [
                moments.predicted(kind, mean, variance, grids.Level(a, b, 0.0))
                if b
                else (WITHOUT_NOISE.get(kind, 0.0) / a, 0.0)
                for a, b in levels
            ]
        return [(sign * gain, sign * constant) for gain, constant in found]


@contextmanager
def said_by_none() -> Iterator[None]:
    """Where there is no signal, a network that predicts noise says nothing of the data."""
    try:
        yield
    except ValueError as why:
        raise NoReference(str(why)) from None


def kind_of(prediction: str) -> tuple[str, int]:
    """A prediction as ours, and its sign.  Raises NoReference for one that is none of ours."""
    if prediction in ("other", "residual"):
        raise NoReference("what its network predicts is nothing that we can compute")
    kind = prediction.removeprefix("backward-")
    return kind, 1 if kind == prediction else -1


def quiet(table: Unrolled) -> Unrolled:
    """The same without noise in the last step: DDPM may draw none there, wherever it goes (Ho et al., algorithm 2)."""
    end = table.end.copy()
    end[1 + table.calls :][np.array(table.after) == table.calls] = 0
    return replace(table, end=end)


class Here:
    """A table of ours, asked in the way in which a target is asked, in predictions of the target's sign."""

    def __init__(self, table: Table, sign: int = 1) -> None:
        self.table, self.sign = table, sign

    def run(self, x: Array, n: int, model: Any, noise: Any, sigmas: Any = None) -> Ran:
        calls: list[Call] = []
        draws: list[tuple[int, tuple[float, ...]]] = []

        def predict(x: Array, level: grids.Level) -> Array:
            calls.append(Call(x, level.time, (level.scale, level.noise)))
            return self.sign * np.asarray(model(calls[-1]))

        def fresh(_: int, like: Array) -> Array:
            draws.append((len(calls), ()))
            return np.asarray(noise(like.shape, ()))

        return Ran(run(self.table, predict, x, fresh), calls, draws, [])


__all__ = ["ITS_OWN", "STEPS", "TOLD", "Here", "NoReference", "Subject", "kind_of"]
