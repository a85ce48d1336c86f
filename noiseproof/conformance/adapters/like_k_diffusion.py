"""Functions of k-diffusion's call shape: ``f(model, x, sigmas, ...)``, where ``model(x, sigma)`` is the denoised x."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import torch

from numerics.solvers.grids import karras

from ..protocol import Claims, Level
from . import generated, hooked, parted

OURS = ("model", "x", "sigmas", "noise_sampler", "disable", "extra_args", "callback")  # parameters that are filled here
GRID = {"sigma_max": 80.0, "sigma_min": 0.002, "rho": 7.0}

# What a name claims: the family, the order, and which sampler of ours it is.
NAMES: dict[str, tuple[str, int | None, str | None]] = {
    "sample_euler": ("ode", 1, "euler"),
    "sample_heun": ("ode", 2, "heun"),
    "sample_dpm_2": ("ode", 2, None),
    "sample_lms": ("ode", 4, None),
    "sample_dpmpp_2m": ("ode", 2, "dpmpp-2m"),
    "sample_euler_ancestral": ("ancestral", 1, "euler-ancestral"),
    "sample_dpm_2_ancestral": ("sde", 2, None),
    "sample_dpmpp_2s_ancestral": ("sde", 2, None),
    "sample_dpmpp_sde": ("sde", 1, None),
    "sample_dpmpp_2m_sde": ("sde", 2, None),
    "sample_dpmpp_3m_sde": ("sde", 3, None),
}


@dataclass(frozen=True, eq=False)
class Function:
    """A function on noise levels spaced as EDM spaces them, or on those that are handed in."""

    function: Callable[..., Any]
    options: dict[str, Any]
    grid: dict[str, Any]
    claims: Claims
    sigmas: Any = None
    library: str = "torch"

    @cached_property
    def takes(self) -> list[str]:
        return list(inspect.signature(self.function).parameters)

    def run(self, model: Any, x: Any, n: int, noise: Any) -> Any:
        sigmas = torch.as_tensor(self._sigmas(n), dtype=x.dtype)
        filled = {"noise_sampler": lambda sigma, sigma_next: noise(x.shape, sigma, sigma_next), "disable": True}
        more = {name: value for name, value in filled.items() if name in self.takes}
        with hooked(noise):
            return self.function(lambda x, sigma, **_: model(x, sigma), x, sigmas, **more, **self.options)

    @cached_property
    def seeded(self) -> Callable[..., Any] | None:
        """Where the source of noise is handed over."""
        run = lambda model, x, n, seed: self.run(model, x, n, generated(seed, x))
        return run if "noise_sampler" in self.takes else None

    def start(self, n: int) -> Level:
        return 1.0, float(self._sigmas(n)[0])

    def trained(self, told: float) -> Level:
        return 1.0, told

    def on(self, sigmas: Any) -> Function:
        return replace(self, sigmas=sigmas, claims=replace(self.claims, ends_at=float(sigmas[-1])))

    def _sigmas(self, n: int) -> Any:
        return karras(n, **self.grid).sigmas if self.sigmas is None else self.sigmas


def adapted(function: Callable[..., Any], options: dict[str, Any]) -> Function:
    """A function with its options; ``sigma_max``, ``sigma_min`` and ``rho`` are of the grid, others are claims."""
    takes = [name for name in inspect.signature(function).parameters if name not in OURS]
    given, said = parted(function.__name__, options, [*takes, *GRID])
    grid = {name: float(given.pop(name, default)) for name, default in GRID.items() if name not in takes}
    family, order, method = NAMES.get(function.__name__, ("ode", None, None))
    known = {"family": family, "order": order, "method": method, "deterministic": family == "ode"}
    if given:  # with its own options it may be another sampler
        known |= {"order": None, "method": None, "deterministic": False}
    claims = {"prediction": "x_0", "single": False, **known, **said}
    return Function(function, given, grid, Claims(function.__name__, **claims))
