"""Where the levels of a scheduler of diffusers are, as it has them itself, and as its training had them."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch

from numerics.solvers import grids

from ..protocol import Level
from . import instead

GRIDS = ("use_karras_sigmas", "use_exponential_sigmas", "use_beta_sigmas", "use_lu_lambdas", "use_flow_sigmas")

# Where the sigma of the second question of a step is held, and how far from the place of the first.
SECOND = {
    "KDPM2DiscreteScheduler": ("sigmas_interpol", 0),
    "KDPM2AncestralDiscreteScheduler": ("sigmas_interpol", -1),
    "DPMSolverSDEScheduler": ("mid_point_sigma", None),
}

# Whose num_inference_steps, it is documented, counts levels and the end: a step less is taken.
COUNTS_LEVELS = ("MiniMaxH3Scheduler",)


@dataclass(frozen=True, eq=False)
class Reading:
    """A class of schedulers with its config, and what it holds of its levels: read off it, not made anew."""

    cls: Any
    config: dict[str, Any]
    setting: dict[str, Any]  # options of set_timesteps
    predicted_variance: float | None = None  # what the network says of it: -1, 0 or 1, for the ends of its range

    def made(self, **changes: Any) -> Any:
        return self.cls(**(self.config | changes))

    def configured(self, n: int, **changes: Any) -> Any:
        s = self.made(**changes)
        s.set_timesteps(n + self.more, **self.setting)
        return s

    @property
    def more(self) -> int:
        """How many levels it is to be asked for above the number of steps."""
        return int(self.cls.__name__ in COUNTS_LEVELS)

    @cached_property
    def fresh(self) -> Any:
        return self.made()

    def has(self, *names: str) -> bool:
        return any(hasattr(self.fresh, name) for name in names)

    @cached_property
    def flow(self) -> bool:
        """Whether its levels are (1 - sigma, sigma)."""
        return bool(self.fresh.config.get("use_flow_sigmas")) or not self.has("init_noise_sigma")

    @property
    def units(self) -> str:
        """Those of its state."""
        if self.flow:
            return "flow"
        exploding = self.has("sigmas") and not (self.has("_sigma_to_alpha_sigma_t") and self.has("alphas_cumprod"))
        return "ve" if exploding else "vp"

    @cached_property
    def can(self) -> set[str]:
        """What else can be asked."""
        trains = self.table is not None or self.clock or self.has("_alpha_cumprod") or (self.flow and self.T)
        able = {
            "trained": trains,
            "told": trains and self.T,
            "add_noise": self.has("add_noise"),
            "on": self.hooked or (self.has("sigmas") and self.T),
        }
        return {name for name, holds in able.items() if holds}

    def drawing(self, x: Any, noise: Any) -> Any:
        """Where a step draws its noise, this is drawn: each time anew, or as increments of one path."""
        drawn = {
            "randn_tensor": lambda shape, *_, dtype=None, **__: noise(shape).to(dtype),
            "BrownianTreeNoiseSampler": lambda *_, **__: lambda *between: noise(x.shape, *between).to(x.dtype),
        }
        module = sys.modules[self.cls.__module__]
        return instead(module, **{name: source for name, source in drawn.items() if hasattr(module, name)})

    def seeded(self, s: Any, seed: int) -> Any:
        """The scheduler, or one with this seed where it is a part of the config."""
        return self.made(noise_sampler_seed=seed) if "noise_sampler_seed" in s.config else s

    def answered(self, p: Any) -> Any:
        """All that the network says."""
        v = self.predicted_variance
        return p if v is None else torch.cat([p, torch.full_like(p, v)], 1)

    # ---------------------------------------------------------------- levels

    def level(self, s: Any, k: int, t: Any) -> Level:
        """Where the state of a scheduler is at its k-th question, as it has it itself."""
        i = k if getattr(s, "step_index", None) is None else s.step_index
        if self.has("sigmas"):
            sigma = s.sigmas[i].double()
            if not getattr(s, "state_in_first_order", True):
                sigma = self.in_between(s, i)
            if self.units == "vp":
                a, b = s._sigma_to_alpha_sigma_t(sigma)
                return float(a), float(b)
            return (1 - float(sigma) if self.flow else 1.0), float(sigma)
        if hasattr(s, "alphas_cumprod") or hasattr(s, "_alpha_cumprod"):
            return self.trained(float(t))
        if hasattr(s, "betas"):
            return float(s.alphas[i]), float(s.betas[i])
        return float(torch.cos(t.double())), float(torch.sin(t.double()))

    def in_between(self, s: Any, i: int) -> Any:
        """The sigma of a second question within a step."""
        where = SECOND.get(self.cls.__name__)
        if where is None:
            return s.sigmas[i].double()
        held = getattr(s, where[0])
        return (held if where[1] is None else held[i + where[1]]).double()

    def scaled(self, s: Any, x: Any, t: Any) -> tuple[Any, float]:
        """What the network is handed, and the factor by which it is x."""
        if not self.has("scale_model_input"):
            return x, 1.0
        return s.scale_model_input(x, t), float(s.scale_model_input(torch.ones(1, dtype=torch.float64), t))

    @cached_property
    def table(self) -> tuple[Any, Any] | None:
        """What the network is told in training, and sigma there, as the scheduler has them when it is new."""
        s = self.fresh
        if hasattr(s, "alphas_cumprod") and not self.flow:
            bars = s.alphas_cumprod.double().numpy()
            with np.errstate(divide="ignore"):
                return np.arange(len(bars)), np.sqrt(1 / bars - 1)
        return None

    @property
    def clock(self) -> Any:
        """What the network is told at a sigma, where the scheduler has a formula for it."""
        return getattr(self.fresh, "precondition_noise", getattr(self.fresh, "sigma_to_t", None))

    @property
    def T(self) -> Any:
        return self.fresh.config.get("num_train_timesteps")

    def trained(self, told: float) -> Level:
        """The level of the input: between times of training the logarithm of sigma is taken to be linear."""
        if self.table is not None or self.clock:
            sigma = self.sigma_at(told)
            return grids.Level(1.0, float(sigma), told).in_units("vp")[:2] if np.isfinite(sigma) else (0.0, 1.0)
        if self.flow:
            return 1 - told / self.T, told / self.T
        bar = float(self.fresh._alpha_cumprod(torch.tensor([told]).double(), "cpu"))
        return bar**0.5, (1 - bar) ** 0.5

    def sigma_at(self, told: float) -> float:
        if self.table is not None:
            return float(np.exp(np.interp(told, self.table[0], np.log(self.table[1]))))
        from scipy.optimize import brentq

        at = lambda log: float(self.clock(torch.tensor(np.exp(log)))) - told
        return float(np.exp(brentq(at, -20, 20, xtol=1e-14)))

    def told(self) -> Any:
        if self.table is not None:
            return self.table[0]
        times = getattr(self.fresh, "timesteps", None)
        return range(1, self.T + 1) if times is None else times.flip(0)

    # ---------------------------------------------------------------- steps

    def questions(self, s: Any) -> Any:
        """The timesteps at which the network is asked: where they are parts of one, or angles, the last is the end."""
        closed = not hasattr(s, "sigmas") and s.timesteps.is_floating_point() and not s.timesteps[-1]
        return s.timesteps[:-1] if closed else s.timesteps

    @property
    def hooked(self) -> bool:
        return self.has("_convert_to_karras", "_compute_karras_sigmas")

    def add_noise(self, x_0: Any, epsilon: Any, told: float, n: int | None) -> Any:
        s = self.made() if n is None else self.configured(n)
        counted = self.table is not None and told == int(told)
        kind = torch.long if counted else self.configured(10).timesteps.dtype
        return s.add_noise(x_0, epsilon, torch.full((len(x_0),), told, dtype=kind))

    @property
    def changes(self) -> dict[str, Any]:
        """Options with which levels that are handed in take the place of those of Karras, and no noise is left."""
        changes: dict[str, Any] = dict.fromkeys(GRIDS, False) | {"use_karras_sigmas": True, "sigma_schedule": "karras"}
        if str(self.fresh.config.get("algorithm_type", "++")).endswith("++"):  # the others do not go there
            changes["final_sigmas_type"] = "zero"
        known = self.fresh.config.keys() - {"use_flow_sigmas"}
        return {name: value for name, value in changes.items() if name in known}

    def on(self, sigmas: Any) -> dict[str, Any]:
        """A scheduler whose levels are these, and whether it goes on to one without noise after them.

        They come in where those of Karras would, or in the place of those that it has set.
        """
        given, ends = sigmas / (1 + sigmas) if self.flow else sigmas, sigmas[-1] == 0
        given = torch.from_numpy(given[: len(given) - ends])
        s = self.made(**self.changes)

        def set_timesteps(n: int, **setting: Any) -> None:
            self.cls.set_timesteps(s, n, **setting)
            if not self.hooked:
                s.sigmas = torch.cat([given[:1], given[1:].repeat_interleave(s.order), given[:1] * 0]).to(s.sigmas)
            s.set_begin_index(0)  # by their times levels outside the table of training cannot be told apart

        s.set_timesteps = set_timesteps
        s._convert_to_karras = lambda *_, **__: given.numpy()
        s._compute_karras_sigmas = lambda *_, **__: given
        return {"scheduler": s, "short": not ends}
