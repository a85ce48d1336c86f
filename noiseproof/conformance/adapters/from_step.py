"""A user's own step, ``step(x, p, t, t_prev, noise)``, in the loop that everybody writes around it."""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from ..protocol import Claims, Level


@dataclass(frozen=True, eq=False)
class FromStep:
    """What ``from_step`` makes: an adapter around one step."""

    step: Callable[..., Any]
    alpha_bars: np.ndarray
    claims: Claims
    library: str = "numpy"

    def times(self, n: int) -> np.ndarray:
        T = len(self.alpha_bars)
        if self.claims.spacing == "leading":
            return (np.arange(n) * (T // n))[::-1]
        if self.claims.spacing == "trailing":
            return np.round(T * np.arange(n, 0, -1) / n).astype(int) - 1
        return np.round(np.linspace(T - 1, 0, n)).astype(int)

    def run(self, model: Any, x: Any, n: int, noise: Any) -> Any:
        times = [*self.times(n).tolist(), -1]
        for t, t_prev in itertools.pairwise(times):
            p = model(x, t, self.trained(t))
            x = self.step(x, p, t, t_prev, lambda like=x: noise(like.shape))
        return x

    def start(self, n: int) -> Level:
        return self.trained(int(self.times(n)[0]))

    def trained(self, told: float) -> Level:
        bar = float(self.alpha_bars[int(told)])
        return bar**0.5, (1 - bar) ** 0.5

    def told(self) -> Sequence[float]:
        return range(len(self.alpha_bars))

    @cached_property
    def spec(self) -> str:
        """Where the step can be found again by another process."""
        return f"{Path(inspect.getfile(self.step)).resolve()}:{self.step.__qualname__}"


def from_step(
    step: Callable[..., Any],
    alpha_bars: Sequence[float],
    *,
    family: str = "ancestral",
    prediction: str = "noise",
    spacing: str = "linspace",
    library: str = "numpy",
    **claims: Any,
) -> FromStep:
    """A sampler made of one step, for ``noiseproof check``.

    ``step(x, p, t, t_prev, noise)`` takes x at time t to x at time t_prev (-1 is the end, where alpha_bar is 1), p
    being what the network predicts and ``noise()`` fresh normals like x.  ``alpha_bars[t]`` are those of training,
    t = 0 being the cleanest.  What it ``claims`` is said by keywords: ``noiseproof.Claims`` lists them.
    """
    bars = np.asarray(alpha_bars, dtype=float)
    if bars.ndim != 1 or len(bars) < 2 or np.any(np.diff(bars) >= 0) or bars[0] > 1 or bars[-1] < 0:
        raise ValueError("alpha_bars: expected numbers between 1 and 0 that fall, alpha_bars[0] of the cleanest level")
    said = {"order": 1, "T": len(bars), "single": False, **claims}
    name = said.pop("name", getattr(step, "__name__", "step"))
    return FromStep(step, bars, Claims(name, family, prediction, spacing=spacing, **said), library)
