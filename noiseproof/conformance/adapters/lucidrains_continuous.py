"""Samplers of denoising-diffusion-pytorch in continuous time, and EDM's."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import torch

from ..protocol import Level
from . import denoiser
from .lucidrains_discrete import Gaussian, Network


class Continuous(Gaussian):
    """In continuous time; the network is told log-SNR."""

    add_noise: Any = None  # it takes a time, and not what the network is told

    def made(self, n: int, model: Any = None, channels: int = 1, size: int = 1) -> Any:
        network = Network(model, channels, continuous=True)
        return self.kind(network, image_size=size, channels=channels, num_sample_steps=n, **self.options)

    def told(self) -> list[float]:
        return self.made(1).log_snr(torch.linspace(0, 1, 1001)).tolist()

    def trained(self, told: float) -> Level:
        log_snr = torch.tensor(told, dtype=torch.float64)
        return float(log_snr.sigmoid().sqrt()), float((-log_snr).sigmoid().sqrt())

    def ends(self) -> dict[str, Any]:
        """A run goes to time 0, and the log-SNR there is finite; the last step returns the mean."""
        scale, noise = self.trained(self.told()[0])
        note = f"it ends at sigma = {noise / scale:.3g}, with noise left"
        return {"ends_at": noise / scale, "units": "vp", "notes": (note,)}


@dataclass(frozen=True, eq=False)
class Elucidated(Continuous):
    """EDM's, asked behind its preconditioning.  It is handed noise of variance 1, and makes it larger itself."""

    sigmas: Any = None

    def made(self, n: int, model: Any = None, channels: int = 1, size: int = 1) -> Any:
        made = super().made(n, model, channels, size)
        made.preconditioned_network_forward = denoiser(model)
        if self.sigmas is not None:
            made.sample_schedule = lambda n: torch.as_tensor(self.sigmas)
        return made

    def sampled(self, made: Any, count: int) -> Any:
        return (made.sample if self.claims.method != "dpmpp-2m" else made.sample_using_dpmpp)(batch_size=count)

    def ends(self) -> dict[str, Any]:
        return {}

    def told(self) -> list[float]:
        return self.made(1000).sample_schedule(1000)[:-1].flip(0).tolist()

    def start(self, n: int) -> Level:
        return 1 / float(self.made(n).sample_schedule(n)[0]), 1.0

    def trained(self, told: float) -> Level:
        return 1.0, told

    def on(self, sigmas: Any) -> Elucidated:
        return replace(self, sigmas=sigmas, claims=replace(self.claims, ends_at=float(sigmas[-1])))
