"""Samplers of denoising-diffusion-pytorch in discrete time, and what all of them have in common.

They hold their network, draw their own start, clip to [-1, 1], and end in images between 0 and 1.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch

from ..protocol import Claims, Level
from . import instead


class Network(torch.nn.Module):
    """A network with the attributes that these classes look for; where it is placed is asked of its parameters."""

    self_condition = False

    def __init__(self, model: Any, channels: int, continuous: bool) -> None:
        super().__init__()
        self.model, self.channels, self.out_dim = model, channels, channels
        self.random_or_learned_sinusoidal_cond = continuous
        self.placed = torch.nn.Parameter(torch.zeros(()))

    def forward(self, x: Any, told: Any, *_: Any) -> Any:
        return self.model(x, told)


def unclamped(clamp: Callable[..., Any]) -> Callable[..., Any]:
    return lambda x, min=None, max=None: x if (min, max) == (-1, 1) else clamp(x, min, max)


@contextmanager
def begun(kind: type, x: Any, noise: Any) -> Iterator[None]:
    """What is drawn first is x, and then noise; nothing is clipped, and what comes out is no image."""
    first = [x]
    drawn = {
        "randn": lambda *_, **__: first.pop() if first else noise(x.shape),
        "randn_like": lambda like: noise(like.shape).to(like.dtype),
        "clamp": unclamped(torch.clamp),
    }
    clamps = {"clamp": unclamped(torch.Tensor.clamp), "clamp_": unclamped(torch.Tensor.clamp_)}
    home = sys.modules[kind.__module__]
    with (
        instead(torch, **drawn),
        instead(torch.Tensor, **clamps),
        instead(home, unnormalize_to_zero_to_one=lambda x: x),
    ):
        yield


@dataclass(frozen=True, eq=False)
class Gaussian:
    """A class, made anew for each number of steps; of the times of training t = 0 is the cleanest."""

    kind: Any
    options: dict[str, Any]
    claims: Claims
    library: str = "torch"

    def made(self, n: int, model: Any = None, channels: int = 1, size: int = 1) -> Any:
        network = Network(model, channels, continuous=False)
        return self.kind(network, image_size=size, sampling_timesteps=n, **self.options)

    def run(self, model: Any, x: Any, n: int, noise: Any) -> Any:
        if x.ndim != 4:
            raise ValueError(f"x has shape {tuple(x.shape)}; {self.kind.__name__} takes images, (B, C, H, W)")
        with begun(self.kind, x, noise):
            return self.sampled(self.made(n, model, x.shape[1], x.shape[2]).to(x.dtype), len(x))

    def sampled(self, made: Any, count: int) -> Any:
        return made.sample(batch_size=count)

    def ends(self) -> dict[str, Any]:
        """What is claimed of the end, which is x_0 unless it says otherwise."""
        return {}

    def start(self, n: int) -> Level:
        return self.trained(self.told()[-1])

    def trained(self, told: float) -> Level:
        made = self.made(1)
        return float(made.sqrt_alphas_cumprod[int(told)]), float(made.sqrt_one_minus_alphas_cumprod[int(told)])

    def told(self) -> list[float]:
        return list(range(self.claims.T or 0))

    def add_noise(self, x_0: Any, epsilon: Any, told: float, n: int | None) -> Any:
        return self.made(n or 1).q_sample(x_0, torch.full((len(x_0),), int(told)), epsilon)
