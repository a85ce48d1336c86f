"""The reversal chapter on real data: three chains over a data set, from the same x_T, and what becomes of them.

The exact chain draws x_{t-1} from Bayes' posterior, in however few steps, and ends *on* data points: it has memorised
them, which is what needing the entire data set means.  The Gaussian chain, moments matched, does so too where steps are
small, and only there.  The naive chain loses the same number of nats whatever the steps.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
from numpy.typing import NDArray

from ..schedules import Schedule, from_alpha_bars, linear
from ..statistics.streams import stream
from ..statistics.transport import directions, nearest, nearest_other, sliced_w2
from ..worlds import empirical
from .chains import KernelAt, chain, exact, in_parts, log_ratios, moment_matched, naive

Array = NDArray[np.float64]
Watch = Callable[[Iterator[tuple[int, Array]], str, int], Iterator[tuple[int, Array]]]

KERNELS: dict[str, KernelAt] = {"exact": exact, "Gaussian": moment_matched, "naive": naive}
CLAIM = "reversal.empirical-kernel"
DIRECTIONS, RESAMPLED = 128, 200
FRAMES = (1, 0.8, 0.6, 0.4, 0.3, 0.2, 0.1, 0)  # of the time from 0 to T, where particles are kept


@dataclass(frozen=True)
class Estimate:
    """A number and its standard error."""

    value: float
    error: float = 0.0


@dataclass(frozen=True)
class Outcome:
    """What became of a chain, or what the data themselves are."""

    name: str
    steps: int | None
    variance: Estimate  # per dimension
    sliced_w2: Estimate  # to the data
    nearest: float  # the median distance to the nearest data point
    divergence_few: Estimate | None = None  # from the exact chain in nats, down to the last x_t that few steps visit
    divergence: Estimate | None = None  # the same, down to x_1
    frames: dict[int, Array] = field(default_factory=dict)  # all particles at some times


@dataclass(frozen=True)
class Experiment:
    """The data, a perfect sampler of as many draws, and the chains."""

    T: int
    last_of_few: int  # the least time that the chains of few steps visit before 0
    data: Outcome
    redrawn: Outcome
    naive_variance: Estimate  # that of the naive chain, by the formula of reversal.naive-chain
    chains: tuple[Outcome, ...]

    def chain(self, name: str, steps: int | None = None) -> Outcome:
        """The chain of this name, in T steps unless said otherwise."""
        return next(c for c in self.chains if (c.name, c.steps) == (name, steps or self.T))


def experiment(
    data: Array,
    schedule: Schedule | None = None,
    particles: int = 256,
    judged: int = 32,
    few: int = 5,
    seed: int = 0,
    watch: Watch = lambda path, name, steps: path,
) -> Experiment:
    """Run every chain in T steps and in few, from the same draws of x_T.

    Divergences are averages along the exact chain, of ``judged`` particles where steps are many.  ``watch`` is given
    each chain as it runs, with its name and number of steps, and passes it on.

    Raises ValueError unless few divides T and exceeds 1.
    """
    schedule = schedule or linear()
    T = schedule.T
    if few < 2 or T % few:
        raise ValueError(f"few = {few} must exceed 1 and divide the {T} steps of the schedule, so that times agree")
    times = np.arange(T // few, T + 1, T // few)
    schedules = {few: from_alpha_bars(schedule.alpha_bar(times)), T: schedule}
    world, along = empirical(data), directions(stream(seed, CLAIM, "directions", 0), data.shape[1], DIRECTIONS)
    start = world.marginal(schedule.alpha_bar(T))
    parts = enumerate(in_parts(particles))
    x_T = np.concatenate([start.sample(stream(seed, CLAIM, "x_T", k), some.stop - some.start) for k, some in parts])

    def ran(name: str, steps: int) -> tuple[dict[int, Array], dict[str, list[Array]]]:
        """Particles at the times to be shown, and along the exact chain the log ratios of the others."""
        frames, ratios = {T: x_T}, {other: [] for other in KERNELS if other != "exact"}
        x_t, some = x_T, judged if steps == T else particles
        streams = partial(stream, seed, CLAIM, f"{name} {steps}")
        path = chain(KERNELS[name], world, schedules[steps], x_T, streams)
        for t, x_prev in watch(path, name, steps):
            if name == "exact" and t:
                found = log_ratios(world, schedules[steps].step(t + 1), x_t[:some], x_prev[:some])
                for other, ratio in zip(ratios, found, strict=True):
                    ratios[other].append(ratio)
            if t * (T // steps) in kept:
                frames[t * (T // steps)] = x_prev
            x_t = x_prev
        return frames, ratios

    kept = {round(part * T) for part in FRAMES}
    runs = {(name, steps): ran(name, steps) for name in KERNELS for steps in (T, few)}

    def outcome(name: str, steps: int) -> Outcome:
        frames = runs[name, steps][0]
        end, lost = frames[0], [Estimate(0.0), Estimate(0.0)]
        if name != "exact":
            ratios = np.array(runs["exact", steps][1][name])
            small = name == "Gaussian" and steps == T
            lost = [divergence(ratios[:until], small) for until in (steps - steps // few, None)]
        variance, w2 = Estimate(spread(end)), Estimate(sliced_w2(end, data, along))
        middle = float(np.median(nearest(end, data)))
        return Outcome(name, steps, variance, w2, middle, lost[0], lost[1] if steps == T else None, frames)

    return Experiment(
        T=T,
        last_of_few=T // few,
        data=Outcome("data", None, Estimate(spread(data)), Estimate(0.0), float(np.median(nearest_other(data)))),
        redrawn=redrawn(data, particles, along, seed),
        naive_variance=naive_variance(data, 2 * (1 / float(schedule.alpha_bar(T)) - 1), particles),
        chains=tuple(outcome(name, steps) for name in KERNELS for steps in (T, few)),
    )


def redrawn(data: Array, n: int, along: Array, seed: int) -> Outcome:
    """What a perfect sampler would show: n draws from the data, again and again; errors are those of one time."""
    rng = stream(seed, CLAIM, "redrawn", 0)
    draws = [data[rng.integers(len(data), size=n)] for _ in range(RESAMPLED)]
    seen = [spread(x) for x in draws], [sliced_w2(x, data, along) for x in draws]
    variance, w2 = (Estimate(float(np.mean(values)), float(np.std(values))) for values in seen)
    return Outcome("redrawn", None, variance, w2, nearest=0.0)


def naive_variance(data: Array, added: float, n: int) -> Estimate:
    """The variance of x_0 + sqrt(added) epsilon per dimension, and how far that of n draws strays."""
    d, away = data.shape[1], np.sum((data - np.mean(data, axis=0)) ** 2, axis=1)
    strays = np.var(away) + 4 * added * np.mean(away) + 2 * d * added**2  # the variance of |x_0 - mean + noise|^2
    return Estimate(float(np.mean(away) / d + added), float(np.sqrt(strays / n) / d))


def spread(x: Array) -> float:
    """The variance per dimension of a sample (n, d)."""
    return float(np.mean(np.var(x, axis=0, ddof=1)))


def divergence(ratios: Array | Sequence[Array], small: bool) -> Estimate:
    """The divergence summed over steps, from log ratios (steps, n) along n paths, which are independent.

    Under q the average of p / q - 1 is 0, with p the rival's density; where the ratios are *small*, adding it
    leaves next to nothing of their noise.
    """
    ratios = np.asarray(ratios)
    paths = np.sum(ratios + np.expm1(-ratios) if small else ratios, axis=0)
    return Estimate(float(np.mean(paths)), float(np.std(paths, ddof=1) / np.sqrt(len(paths))))
