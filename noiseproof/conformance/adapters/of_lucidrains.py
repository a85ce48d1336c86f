"""Samplers of denoising-diffusion-pytorch."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import denoising_diffusion_pytorch as peer  # pyright: ignore[reportMissingImports]  it is heavy, and optional

from . import parted, peers_claims
from .lucidrains_continuous import Continuous, Elucidated
from .lucidrains_discrete import Gaussian

FILLED = ("self", "model", "net", "image_size", "channels", "sampling_timesteps", "num_sample_steps")
KINDS: dict[str, tuple[type[Gaussian], Callable[..., dict[str, Any]]]] = {
    "GaussianDiffusion": (Gaussian, peers_claims.gaussian),
    "ContinuousTimeGaussianDiffusion": (Continuous, peers_claims.continuous),
    "VParamContinuousTimeGaussianDiffusion": (Continuous, peers_claims.v_param),
    "ElucidatedDiffusion": (Elucidated, peers_claims.elucidated),
}


def names() -> list[str]:
    """The samplers of which there is an adapter."""
    return list(KINDS)


def adapted(name: str, options: dict[str, Any]) -> Gaussian:
    """The class with its options; ``loop`` is ddim or ddpm in discrete time, heun or dpmpp-2m for EDM's."""
    if name not in KINDS:
        raise LookupError(
            f"there is no adapter for {name} of denoising_diffusion_pytorch; there are {', '.join(KINDS)}"
        )
    kind, (adapter, known) = getattr(peer, name), KINDS[name]
    takes = {n: p.default for n, p in inspect.signature(kind.__init__).parameters.items() if n not in FILLED}
    if "ddim_sampling_eta" in takes and "eta" in options:  # as everybody calls it
        options = {"ddim_sampling_eta" if key == "eta" else key: value for key, value in options.items()}
    given, said = parted(name, options, [*takes, "loop"])
    loop = given.pop("loop", "")
    if loop == "ddpm":  # it has as many steps as training
        given = {"timesteps": 50, **given}
    claimed = known(takes | given, loop)
    made = adapter(kind, given, peers_claims.claims(name, claimed, said))
    return replace(made, claims=peers_claims.claims(name, claimed | made.ends(), said))
