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
from . import denoiser, generated, hooked, parted, peers_claims

OURS = ("model", "x", "sigmas", "noise_sampler", "disable", "extra_args", "callback")  # parameters that are filled here
GRID = {"sigma_max": 80.0, "sigma_min": 0.002, "rho": 7.0}


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
            return self.function(denoiser(model), x, sigmas, **more, **self.options)

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
    known = peers_claims.k_diffusion(function.__name__, given)
    return Function(function, given, grid, peers_claims.claims(function.__name__, known, said))
