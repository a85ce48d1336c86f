r"""How much noise each step adds: :math:`\beta_1,\dots,\beta_T` and the arrays that follow from them.

With :math:`\alpha_t=1-\beta_t` and :math:`\bar\alpha_t=\prod_{i\le t}\alpha_i`, the forward process

.. math::
    x_t=\sqrt{\alpha_t}\,x_{t-1}+\sqrt{\beta_t}\,\epsilon_t
       =\sqrt{\bar\alpha_t}\,x_0+\sqrt{1-\bar\alpha_t}\,\bar\epsilon_t

keeps :math:`\bar\alpha_t` of the variance of the data until time t, from :math:`\bar\alpha_0=1` on.

**Indices.**  Time runs over t = 1..T as in the papers, and index 0 of every array belongs to t = 1.  The methods
``schedule.alpha_bar(t)`` and ``schedule.step(t)`` take the time itself, so nothing is shifted by hand.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["Schedule", "Step", "cosine", "from_alpha_bars", "linear", "scaled_linear", "zero_terminal_snr"]

Array = NDArray[np.floating]


@dataclass(frozen=True)
class Step:
    """The step of the forward process from t-1 to t; ``beta`` and ``alpha_bar`` follow from the two numbers given.

    Raises ValueError unless 0 <= alpha < 1 and 0 < alpha_bar_prev <= 1 (alpha_bar_prev = 1 is the first step).
    """

    alpha: float
    alpha_bar_prev: float

    def __post_init__(self):
        alpha, bar = np.asarray(self.alpha), np.asarray(self.alpha_bar_prev)
        if not np.all((alpha >= 0) & (alpha < 1)):
            raise ValueError(f"alpha = {self.alpha} is outside [0, 1): a step adds noise, and may leave nothing else")
        if not np.all((bar > 0) & (bar <= 1)):
            raise ValueError(
                f"alpha_bar_prev = {self.alpha_bar_prev} is outside (0, 1]: it is 1 before the first step, then less"
            )

    @property
    def beta(self) -> float:
        """The variance of the noise that the step adds, 1 - alpha."""
        return 1 - self.alpha

    @property
    def alpha_bar(self) -> float:
        """The product of all alphas up to and with this step."""
        return self.alpha * self.alpha_bar_prev


@dataclass(frozen=True, eq=False)
class Schedule:
    """The variances ``betas`` of the noise of steps 1..T, shape (T,), and what follows from them.

    Raises ValueError unless the betas are finite and lie in (0, 1); the last may be 1, which is zero terminal SNR.
    """

    betas: Array

    def __post_init__(self):
        betas = np.array(self.betas, dtype=float)  # a copy: nobody changes a schedule from outside
        if betas.ndim != 1 or len(betas) == 0:
            raise ValueError(f"betas has shape {betas.shape}; expected one number for each of t = 1..T, T at least 1")
        if not np.all(np.isfinite(betas)):
            raise ValueError(f"betas is not finite at t = {1 + np.flatnonzero(~np.isfinite(betas))[0]}")
        wrong = (betas <= 0) | (betas > 1)
        if np.any(wrong):
            t = 1 + np.flatnonzero(wrong)[0]
            raise ValueError(f"beta = {betas[t - 1]} at t = {t} is outside (0, 1): it is the part of x_t that is noise")
        if np.any(betas[:-1] == 1):
            t = 1 + np.flatnonzero(betas == 1)[0]
            raise ValueError(f"beta = 1 at t = {t}: only the last step may erase the signal, for none is left after it")
        betas.flags.writeable = False
        object.__setattr__(self, "betas", betas)

    @property
    def T(self) -> int:
        """The number of steps."""
        return len(self.betas)

    def __len__(self) -> int:
        return self.T

    def __repr__(self) -> str:
        return f"<schedule of {self.T} steps, beta {self.betas[0]:g}..{self.betas[-1]:g}>"

    @cached_property
    def alphas(self) -> Array:
        """1 - beta_t."""
        return 1 - self.betas

    @cached_property
    def alpha_bars(self) -> Array:
        """The product of alpha_1..alpha_t."""
        return np.cumprod(self.alphas)

    @cached_property
    def alpha_bars_prev(self) -> Array:
        """alpha_bar at t-1, which is 1 for t = 1."""
        return np.concatenate([[1.0], self.alpha_bars[:-1]])

    @cached_property
    def _log_alpha_bars(self) -> Array:
        with np.errstate(divide="ignore"):  # log 0 = -inf where the last step erases the signal
            return np.add.accumulate(np.log1p(-self.betas))

    @cached_property
    def noise_variances(self) -> Array:
        """1 - alpha_bar_t, to full relative precision however small the first betas are."""
        return -np.expm1(self._log_alpha_bars)

    @cached_property
    def posterior_variances(self) -> Array:
        """The variance of q(x_prev | x_t, x_0), beta (1 - alpha_bar_prev) / (1 - alpha_bar); 0 at t = 1.

        DDPM eq. 7.
        """
        before = np.concatenate([[0.0], self.noise_variances[:-1]])
        return self.betas * before / self.noise_variances

    @cached_property
    def snr(self) -> Array:
        """The signal-to-noise ratio alpha_bar / (1 - alpha_bar)."""
        return self.alpha_bars / self.noise_variances

    @cached_property
    def log_snr(self) -> Array:
        """The logarithm of the signal-to-noise ratio; -inf where it is zero."""
        return self._log_alpha_bars - np.log(self.noise_variances)

    def alpha_bar(self, t: ArrayLike) -> Array:
        """alpha_bar at times t = 0..T, any shape; alpha_bar(0) = 1."""
        return np.concatenate([[1.0], self.alpha_bars])[self._times(t, first=0)]

    def step(self, t: int) -> Step:
        """The step from t-1 to t, for t = 1..T."""
        index = self._times(t, first=1) - 1
        return Step(alpha=float(self.alphas[index]), alpha_bar_prev=float(self.alpha_bars_prev[index]))

    @property
    def steps(self) -> list[Step]:
        """The steps t = 1..T, in this order."""
        return [self.step(t) for t in range(1, self.T + 1)]

    def _times(self, t: ArrayLike, first: int) -> NDArray[np.integer]:
        times = np.asarray(t)
        if times.dtype.kind not in "iu":
            raise TypeError(f"t = {t} is not a whole number; times are {first}..{self.T}")
        if np.any((times < first) | (times > self.T)):
            raise ValueError(f"t = {t} is outside {first}..{self.T}")
        return times


def linear(T: int = 1000, start: float = 1e-4, end: float = 0.02) -> Schedule:
    """Betas equally spaced from start (t = 1) to end (t = T).  DDPM section 4."""
    return Schedule(np.linspace(start, end, _steps(T)))


def scaled_linear(T: int = 1000, start: float = 0.00085, end: float = 0.012) -> Schedule:
    """sqrt(beta) equally spaced from sqrt(start) to sqrt(end): the schedule of Stable Diffusion.  ZT section 3.1."""
    return Schedule(np.linspace(np.sqrt(start), np.sqrt(end), _steps(T)) ** 2)


def cosine(T: int = 1000, offset: float = 0.008, clip: float = 0.999) -> Schedule:
    r"""alpha_bar follows :math:`\cos^2\bigl(\frac{t/T+s}{1+s}\frac\pi2\bigr)` until betas are clipped.  IDDPM eq. 17.

    From there on it is the product of the clipped alphas: positive at T, where the cosine is zero.
    """
    t = np.arange(_steps(T) + 1)
    f = np.cos((t / T + offset) / (1 + offset) * np.pi / 2) ** 2
    return Schedule(np.minimum(1 - f[1:] / f[:-1], clip))  # f(0) cancels


def from_alpha_bars(alpha_bars: ArrayLike) -> Schedule:
    """The schedule whose alpha_bar at t = 1..T is given: strictly decreasing, from below 1, to 0 or above."""
    bars = np.asarray(alpha_bars, dtype=float)
    if bars.ndim != 1 or len(bars) == 0:
        raise ValueError(f"alpha_bars has shape {bars.shape}; expected one number for each of t = 1..T, T at least 1")
    if not (np.all(np.diff(np.concatenate([[1.0], bars])) < 0) and bars[-1] >= 0):
        raise ValueError("alpha_bars must decrease strictly from below 1 to 0 or above: every step adds noise")
    return Schedule(1 - bars / np.concatenate([[1.0], bars[:-1]]))


def zero_terminal_snr(schedule: Schedule) -> Schedule:
    """sqrt(alpha_bar) shifted and stretched so that it keeps its first value and ends at zero.  ZT algorithm 1.

    The last beta is 1: formulas that divide by alpha_T or alpha_bar_T do not apply at that step.
    """
    if schedule.T < 2:
        raise ValueError("zero terminal SNR needs at least two steps: one to keep alpha_bar_1, one to end at zero")
    root = np.sqrt(schedule.alpha_bars)
    return from_alpha_bars(((root - root[-1]) * root[0] / (root[0] - root[-1])) ** 2)


def _steps(T: int) -> int:
    if T < 1 or T % 1:
        raise ValueError(f"T = {T}: a schedule has at least one step, and a whole number of them")
    return int(T)
