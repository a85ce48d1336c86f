"""The schedulers of diffusers, in the loop that its pipelines write around them."""

from __future__ import annotations

import inspect
from dataclasses import dataclass, replace
from typing import Any

import diffusers
import torch

from ...faults import nearest
from ..protocol import Claims, Level
from . import diffusers_claims, diffusers_script
from .diffusers_levels import Reading
from .diffusers_variants import names, variants

__all__ = ["adapted", "names", "variants"]


@dataclass(eq=False)
class Scheduler:
    """A scheduler; what it knows of its levels is read by ``reading``, and its options go where they are taken."""

    scheduler: Any
    reading: Reading
    claims: Claims
    stepping: dict[str, Any]  # options of step
    short: bool = False  # whether runs are left one step before the end
    library: str = "torch"

    def __post_init__(self) -> None:
        self.takes = inspect.signature(self.scheduler.step).parameters
        for name in ("trained", "told", "add_noise"):
            setattr(self, name, getattr(self.reading, name) if name in self.reading.can else None)
        self.on = (lambda sigmas: replace(self, **self.reading.on(sigmas))) if "on" in self.reading.can else None

    def run(self, model: Any, x: Any, n: int, noise: Any) -> Any:
        with self.reading.drawing(x, noise):
            return self._run(model, x, n)

    def seeded(self, model: Any, x: Any, n: int, seed: int) -> Any:
        there = replace(self, scheduler=self.reading.seeded(self.scheduler, seed))
        return there._run(model, x, n, generator=torch.Generator().manual_seed(seed))

    def script(self, n: int | None, what: str) -> str:
        return diffusers_script.script(self.reading, self.stepping, n, what)

    def start(self, n: int) -> Level:
        return self.reading.level(self.scheduler, 0, self._times(n)[0])

    def _run(self, model: Any, x: Any, n: int, **given: Any) -> Any:
        s, times, known = self.scheduler, self._times(n), None
        for k, t in enumerate(times):
            seen, factor = self.reading.scaled(s, x, t)
            p = self.reading.answered(model(seen, t, [factor * part for part in self.reading.level(s, k, t)]))
            before, after = (times[i] if 0 <= i < len(times) else None for i in (k - 1, k + 1))
            offered = {"old_pred_original_sample": known, "timestep_back": before, "prev_timestep": after, **given}
            more = {name: value for name, value in (offered | self.stepping).items() if name in self.takes}
            whole = t.expand(len(x)) if self.takes["timestep"].annotation is torch.Tensor else t
            x, known, *_ = *s.step(model_output=p, timestep=whole, sample=x, return_dict=False, **more), None
        return x

    def _times(self, n: int) -> Any:
        self.scheduler.set_timesteps(n + self.short + self.reading.more, **self.reading.setting)
        return self.reading.questions(self.scheduler)[: -1 if self.short else None]


def adapted(name: str, options: dict[str, Any]) -> Scheduler:
    """The scheduler of this name.  Raises LookupError without one, TypeError for one that this loop does not fit."""
    cls = getattr(diffusers, name, None)
    if not inspect.isclass(cls) or not name.endswith("Scheduler"):
        raise LookupError(f"diffusers {diffusers.__version__} has no scheduler called {name}; {nearest(name, names())}")
    reading, stepping, claims = diffusers_claims.read(cls, options)
    return Scheduler(reading.made(), reading, claims, stepping)
