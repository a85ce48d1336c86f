r"""Grids: the levels of signal and noise that a sampler visits, from the noisiest to the cleanest.

At a level (a, b) the process is :math:`x=a\,x_0+b\,\epsilon`.  What matters is how much noise there is for each unit of
signal,

.. math:: \sigma=b/a,\qquad \lambda=\log(a/b),\qquad \bar\alpha=\frac{a^2}{a^2+b^2},

and the scale of x is a convention: variance preserving (:math:`a^2+b^2=1`), exploding (:math:`a=1`), or that of flow
matching (:math:`a+b=1`).  A grid of one can be read in the units of another.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .. import inputs
from ..schedules import Schedule

Array = NDArray[np.float64]


class Level(NamedTuple):
    """x = scale x_0 + noise epsilon, at the time that the network is told."""

    scale: float
    noise: float
    time: float

    @property
    def alpha_bar(self) -> float:
        """The part of the variance that is signal, where data have the variance 1."""
        return self.scale**2 / self.size**2

    @property
    def size(self) -> float:
        """The length of (scale, noise): 1 where variance is preserved."""
        return float(np.hypot(self.scale, self.noise))

    @property
    def sigma(self) -> float:
        """The noise for each unit of signal; infinite where there is no signal."""
        return self.noise / self.scale if self.scale else np.inf

    def in_units(self, of: str) -> Level:
        """The same level where x has another scale."""
        size = UNITS[of](self.scale, self.noise)
        return Level(float(self.scale / size), float(self.noise / size), self.time)


@dataclass(frozen=True, eq=False)
class Grid:
    """Levels from the noisiest to the cleanest, N + 1 of them for N steps; ``times`` are what the network is told.

    Without times the network is told log(sigma), which no convention of scale changes.

    Raises ValueError unless noise falls at every step, relative to the signal: what is there twice is no step.
    """

    scales: Array
    noises: Array
    times: Any = None

    def __post_init__(self) -> None:
        a, b = inputs.finite("scales", self.scales), inputs.finite("noises", self.noises)
        if a.ndim != 1 or a.shape != b.shape or len(a) < 2:
            raise ValueError(f"scales has shape {a.shape} and noises {b.shape}; expected (N + 1,) for N >= 1 steps")
        if np.any(a < 0) or np.any(b < 0) or np.any(a + b == 0):
            raise ValueError("scales and noises are not negative, and not both zero at one level")
        rising = np.flatnonzero(b[1:] * a[:-1] >= b[:-1] * a[1:])
        if len(rising):
            k = int(rising[0])
            sigmas = [Level(float(a[i]), float(b[i]), 0.0).sigma for i in (k, k + 1)]
            what = "repeats" if sigmas[0] == sigmas[1] else "has more noise than"
            raise ValueError(
                f"level {k + 1} of the grid {what} level {k}: sigma = {sigmas[1]:.6g} after {sigmas[0]:.6g}; expected "
                "noise to fall at every step"
            )
        with np.errstate(divide="ignore"):
            told = np.log(b) - np.log(a) if self.times is None else np.asarray(self.times, dtype=float)
        if told.shape != a.shape:
            raise ValueError(f"times has shape {told.shape}; expected {a.shape}, one for each level")
        for name, value in (("scales", a), ("noises", b), ("times", told)):
            object.__setattr__(self, name, value)

    def __len__(self) -> int:
        """The number of steps."""
        return len(self.scales) - 1

    def __getitem__(self, k: int) -> Level:
        return Level(float(self.scales[k]), float(self.noises[k]), float(self.times[k]))

    @cached_property
    def sigmas(self) -> Array:
        """The noise for each unit of signal."""
        with np.errstate(divide="ignore"):
            return self.noises / self.scales

    @cached_property
    def alpha_bars(self) -> Array:
        """The part of the variance that is signal, where data have the variance 1."""
        return self.scales**2 / (self.scales**2 + self.noises**2)

    def time_at(self, sigma: float) -> float:
        """What the network is told at a level between those of the grid, or beyond them: linear in log(sigma)."""
        inside = np.isfinite(self.sigmas) & (self.sigmas > 0)
        logs, told = np.log(self.sigmas[inside]), self.times[inside]
        if len(logs) < 2:
            return float(told[0] if len(told) else self.times[0])
        k = int(np.clip(np.sum(logs > np.log(sigma)) - 1, 0, len(logs) - 2))
        part = (np.log(sigma) - logs[k]) / (logs[k + 1] - logs[k])
        return float(told[k] + part * (told[k + 1] - told[k]))

    def between(self, first: int, last: int) -> Grid:
        """The levels first..last."""
        part = slice(first, last + 1)
        return Grid(self.scales[part], self.noises[part], self.times[part])

    def in_units(self, of: str) -> Grid:
        """The same levels where x has another scale: ``vp``, ``ve`` or ``flow``.  The network is told the same times.

        Raises ValueError for ``ve`` if the grid begins without signal: sigma is infinite there.
        """
        if of not in UNITS:
            raise ValueError(f"there are no units called {of}; expected one of {', '.join(UNITS)}")
        size = UNITS[of](self.scales, self.noises)
        if np.any(size == 0):
            raise ValueError("without signal (alpha_bar = 0) sigma is infinite: begin at a level above, or stay in vp")
        return Grid(self.scales / size, self.noises / size, self.times)


UNITS: dict[str, Callable[[Any, Any], Any]] = {"vp": np.hypot, "ve": lambda a, b: a, "flow": lambda a, b: a + b}


# Of a schedule with T steps: which of its times are visited


def visiting(schedule: Schedule, times: ArrayLike) -> Grid:
    """These times of a schedule, decreasing, and then t = 0.  Raises ValueError if one is there twice or goes up."""
    t = np.asarray(times)
    if t.ndim != 1 or len(t) == 0:
        raise ValueError(f"times has shape {t.shape}; expected one time for each step, from {schedule.T} down to 1")
    t = np.append(t, 0)
    bars = schedule.alpha_bar(t)
    if np.any(np.diff(t) >= 0):
        k = int(np.flatnonzero(np.diff(t) >= 0)[0])
        raise ValueError(f"time {t[k + 1]} comes after time {t[k]}; expected times that decrease, and then 0")
    return Grid(np.sqrt(bars), np.sqrt(1 - bars), t.astype(float))


def linspace(schedule: Schedule, steps: int) -> Grid:
    """Times equally spaced from T to 1, rounded."""
    return visiting(schedule, np.round(np.linspace(schedule.T, 1, _at_most(schedule, steps))).astype(int))


def leading(schedule: Schedule, steps: int) -> Grid:
    """Every k-th time from 1 on, k = T // steps: below T at the start, unless every time is visited."""
    every = schedule.T // _at_most(schedule, steps)
    return visiting(schedule, 1 + every * np.arange(steps)[::-1])


def trailing(schedule: Schedule, steps: int) -> Grid:
    """Times from T on, T / steps apart, rounded: it begins where the schedule ends.  ZT section 3.3."""
    return visiting(schedule, np.round(schedule.T * np.arange(_at_most(schedule, steps), 0, -1) / steps).astype(int))


def _at_most(schedule: Schedule, steps: int) -> int:
    if not 1 <= steps <= schedule.T or steps % 1:
        more = " (the grids uniform, log-snr, karras and flow take as many as wanted)" if steps > schedule.T else ""
        raise ValueError(
            f"steps = {steps}; of a schedule with T = {schedule.T} steps a grid visits a whole number from 1 to "
            f"{schedule.T}{more}"
        )
    return int(steps)


# In continuous time


def uniform(alpha_bar: Callable[[Array], ArrayLike], steps: int, first: float = 1.0, last: float = 0.0) -> Grid:
    """Times equally spaced from first to last, of a process that keeps alpha_bar(t) of the variance of the data."""
    t = np.linspace(first, last, _positive(steps) + 1)
    bars = inputs.probability("alpha_bar(t)", alpha_bar(t))
    return Grid(np.sqrt(bars), np.sqrt(1 - bars), t)


def log_snr(steps: int, sigma_max: float = 100.0, sigma_min: float = 0.05, units: str = "vp") -> Grid:
    """Equally spaced in log(sigma), from sigma_max to sigma_min: the smooth grid on which orders are measured."""
    _ends(sigma_max, sigma_min)
    sigmas = np.exp(np.linspace(np.log(sigma_max), np.log(sigma_min), _positive(steps) + 1))
    return Grid(np.ones_like(sigmas), sigmas).in_units(units)


def karras(
    steps: int,
    sigma_max: float = 80.0,
    sigma_min: float = 0.002,
    rho: float = 7.0,
    to_zero: bool = True,
    units: str = "ve",
) -> Grid:
    """sigma^(1/rho) equally spaced from sigma_max to sigma_min, then zero, unless it is to end there.  EDM eq. 5."""
    _ends(sigma_max, sigma_min)
    levels = _positive(steps) + (not to_zero)
    part = np.arange(levels) / max(levels - 1, 1)
    top, end = sigma_max ** (1 / rho), sigma_min ** (1 / rho)
    sigmas = np.append((top + part * (end - top)) ** rho, [0.0] * to_zero)
    return Grid(np.ones_like(sigmas), sigmas).in_units(units)


def flow(steps: int) -> Grid:
    """Times equally spaced from 0 to 1 along x = t x_0 + (1 - t) epsilon, from noise to data."""
    t = np.linspace(0, 1, _positive(steps) + 1)
    return Grid(t, 1 - t, t)


def _positive(steps: int) -> int:
    if steps < 1 or steps % 1:
        raise ValueError(f"steps = {steps}: a grid has at least one step, and a whole number of them")
    return int(steps)


def _ends(sigma_max: float, sigma_min: float) -> None:
    if not 0 < sigma_min < sigma_max < np.inf:
        raise ValueError(f"sigma_max = {sigma_max} and sigma_min = {sigma_min}: expected 0 < sigma_min < sigma_max")
