"""Functions of EDM's call shape: ``f(net, latents, ...)``, where ``net(x, sigma)`` is the denoised x."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch

from ..protocol import Claims, Level
from . import denoiser, generated, hooked, parted, peers_claims

OURS = ("net", "latents", "class_labels", "randn_like", "num_steps")  # parameters that are filled here
BIGGEST = 80.0  # the noise level at which it begins, where the function does not say it


@dataclass(frozen=True, eq=False)
class Function:
    """A function that holds its own noise levels.  It is handed noise of variance 1, and makes it larger itself."""

    function: Callable[..., Any]
    options: dict[str, Any]
    claims: Claims
    library: str = "torch"

    @cached_property
    def defaults(self) -> dict[str, Any]:
        parameters = inspect.signature(self.function).parameters.values()
        return {p.name: p.default for p in parameters}

    def run(self, model: Any, x: Any, n: int, noise: Any) -> Any:
        net, about = denoiser(model), {"sigma_min": 0.0, "sigma_max": math.inf, "round_sigma": torch.as_tensor}
        for name, value in about.items():
            setattr(net, name, value)
        own = {"randn_like": lambda like: noise(like.shape).to(like.dtype)} if "randn_like" in self.defaults else {}
        with hooked(noise):
            return self.function(net, x, num_steps=n, **own, **self.options)

    @cached_property
    def seeded(self) -> Callable[..., Any] | None:
        """Where the source of noise is handed over."""
        run = lambda model, x, n, seed: self.run(model, x, n, generated(seed, x))
        return run if "randn_like" in self.defaults else None

    def start(self, n: int) -> Level:
        given = self.options.get("sigma_max", self.defaults.get("sigma_max"))
        return 1 / (given or BIGGEST), 1.0

    def trained(self, told: float) -> Level:
        return 1.0, told


def adapted(function: Callable[..., Any], options: dict[str, Any]) -> Function:
    """A function with its options; others say what it claims, which is Heun's method of EDM unless it is said."""
    takes = [name for name in inspect.signature(function).parameters if name not in OURS]
    given, said = parted(function.__name__, options, takes)
    return Function(function, given, peers_claims.claims(function.__name__, peers_claims.edm(given), said))
