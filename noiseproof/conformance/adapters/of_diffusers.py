"""The schedulers of diffusers, in the loop that its pipelines write around them."""

from __future__ import annotations

import inspect
import sys
from dataclasses import dataclass, field
from typing import Any

import diffusers
import torch

from ..protocol import Claims, Level
from . import diffusers_claims, instead
from .diffusers_levels import Reading


@dataclass(eq=False)
class Scheduler:
    """A scheduler; what it knows of its levels is read by ``reading``, and its options go where they are taken."""

    scheduler: Any
    reading: Reading
    claims: Claims
    setting: dict[str, Any] = field(default_factory=dict)  # options of set_timesteps
    stepping: dict[str, Any] = field(default_factory=dict)  # options of step
    short: bool = False  # whether runs are left one step before the end
    library: str = "torch"

    def __post_init__(self) -> None:
        self.takes, reading = inspect.signature(self.scheduler.step).parameters, self.reading
        self.trained = reading.trained if reading.trains else None
        self.told = reading.told if reading.trains and reading.T else None
        self.add_noise = self._add_noise if reading.has("add_noise") else None
        self.on = self._on if reading.hooked or (reading.has("sigmas") and reading.T) else None

    def run(self, model: Any, x: Any, n: int, noise: Any) -> Any:
        def fresh(shape: Any, *_: Any, dtype: Any = None, **__: Any) -> Any:
            return noise(shape).to(dtype)

        module = sys.modules[type(self.scheduler).__module__]
        with instead(module, **({"randn_tensor": fresh} if hasattr(module, "randn_tensor") else {})):
            return self._run(model, x, n, noise_sampler=lambda *between: noise(x.shape, *between).to(x.dtype))

    def seeded(self, model: Any, x: Any, n: int, seed: int) -> Any:
        return self._run(model, x, n, generator=torch.Generator().manual_seed(seed))

    def start(self, n: int) -> Level:
        return self.reading.level(self.scheduler, 0, self._times(n)[0])

    def _run(self, model: Any, x: Any, n: int, noise_sampler: Any = None, **given: Any) -> Any:
        s, times, known = self.scheduler, self._times(n), None
        if noise_sampler and hasattr(s, "noise_sampler"):
            s.noise_sampler = noise_sampler
        for k, t in enumerate(times):
            seen, factor = self.reading.scaled(s, x, t)
            p = model(seen, t, [factor * part for part in self.reading.level(s, k, t)])
            before, after = (times[i] if 0 <= i < len(times) else None for i in (k - 1, k + 1))
            offered = {"old_pred_original_sample": known, "timestep_back": before, "prev_timestep": after, **given}
            more = {name: value for name, value in (offered | self.stepping).items() if name in self.takes}
            whole = t.expand(len(x)) if self.takes["timestep"].annotation is torch.Tensor else t
            x, known, *_ = *s.step(model_output=p, timestep=whole, sample=x, return_dict=False, **more), None
        return x

    def _times(self, n: int) -> Any:
        self.scheduler.set_timesteps(n + self.short, **self.setting)
        times = self.reading.questions(self.scheduler)
        return times[:-1] if self.short else times

    def _add_noise(self, x_0: Any, epsilon: Any, told: float, n: int | None) -> Any:
        s = self.reading.made()
        if n is not None:
            s.set_timesteps(n, **self.setting)
        return s.add_noise(x_0, epsilon, torch.full((len(x_0),), told, dtype=s.timesteps.dtype))

    def _on(self, sigmas: Any) -> Scheduler:
        scheduler, short = self.reading.on(sigmas)
        return Scheduler(scheduler, self.reading, self.claims, self.setting, self.stepping, short)


def adapted(name: str, options: dict[str, Any]) -> Scheduler:
    """The scheduler of this name.  Raises LookupError without one, TypeError for one that this loop does not fit."""
    cls = getattr(diffusers, name, None)
    if not inspect.isclass(cls) or not name.endswith("Scheduler"):
        raise LookupError(f"diffusers {diffusers.__version__} has no scheduler called {name}")
    reading, setting, stepping, claims = diffusers_claims.read(cls, options)
    return Scheduler(reading.made(), reading, claims, setting, stepping)
