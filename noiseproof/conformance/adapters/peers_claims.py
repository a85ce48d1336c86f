"""What samplers of other libraries claim: by the name of a function or class, and by its options.

A name is a claim: who calls a function sample_heun promises Heun's method.
"""

from __future__ import annotations

import math
from typing import Any

from ..protocol import Claims

Known = dict[str, Any]


def claims(name: str, known: Known, said: Known) -> Claims:
    """What is known from a name and options, unless a user says otherwise."""
    return Claims(name, **({"order": 1, "single": False} | known | said))


# ---------------------------------------------------------------- functions of k-diffusion and EDM

# The family, the order, and which sampler of ours it is.
K_DIFFUSION: dict[str, tuple[str, int | None, str | None]] = {
    "sample_euler": ("ode", 1, "euler"),
    "sample_heun": ("ode", 2, "heun"),
    "sample_dpm_2": ("ode", 2, None),
    "sample_lms": ("ode", 4, None),
    "sample_dpmpp_2m": ("ode", 2, "dpmpp-2m"),
    "sample_euler_ancestral": ("ancestral", 1, "euler-ancestral"),
    "sample_dpm_2_ancestral": ("sde", 2, None),
    "sample_dpmpp_2s_ancestral": ("sde", 2, None),
    "sample_dpmpp_sde": ("sde", 2, None),  # it asks twice a step for that
    "sample_dpmpp_2m_sde": ("sde", 2, None),
    "sample_dpmpp_3m_sde": ("sde", 3, None),
}


def k_diffusion(name: str, given: Known) -> Known:
    """With options of its own a function may be another sampler, and a name that is not known claims only to be one."""
    family, order, method = K_DIFFUSION.get(name, ("sde" if given else "ode", None, None))
    if given:
        family, order, method = ("sde" if family == "ancestral" else family), None, None
    deterministic = family == "ode" and not given
    return {"prediction": "x_0", "family": family, "order": order, "method": method, "deterministic": deterministic}


def edm(given: Known) -> Known:
    """Heun's method, and with churn a sampler of no order."""
    known = {"prediction": "x_0", "least": 2}
    if any(value for name, value in given.items() if name.endswith("churn")):
        return known | {"family": "sde", "order": None}
    return known | {"family": "ode", "order": 2, "method": "heun", "deterministic": True}


# ---------------------------------------------------------------- azula

# The order None is that of the option ``order``.
AZULA: dict[str, tuple[str, int | None, str | None]] = {
    "DDPMSampler": ("ancestral", 1, "ddpm"),
    "EulerSampler": ("ode", 1, "euler"),
    "HeunSampler": ("ode", 2, None),
    "ItoSampler": ("sde", 1, None),
    "PCSampler": ("sde", None, None),
}
AZULAS_ETA = "its eta, as documented, is the share of fresh noise in the variance: that of DDIM is the square root"


def azula(name: str, sampler: Any) -> Known:
    """Times are in single precision unless another one is asked for."""
    return {"single": True} | of_azula(name, sampler)


def of_azula(name: str, sampler: Any) -> Known:
    if name == "DDIMSampler":
        return {"prediction": "x_0"} | ddim(math.sqrt(sampler.eta)) | {"notes": (AZULAS_ETA,)}
    family, order, method = AZULA.get(name, ("ode", getattr(sampler, "order", None), None))
    known = {"prediction": "x_0", "family": family, "order": order, "method": method, "deterministic": family == "ode"}
    return known | ({"variance": "small"} if family == "ancestral" else {})


# ---------------------------------------------------------------- DDPM and DDIM


def ddim(eta: float) -> Known:
    return {"family": "ddim", "method": f"ddim(eta={eta!r})", "eta": eta, "deterministic": not eta}


def ddpm(variance: str = "small") -> Known:
    return {"family": "ancestral", "method": "ddpm" if variance == "small" else None, "variance": variance}


def guided_diffusion(given: Known, T: int, predictions: dict[str, str]) -> Known:
    """By its options; it is in single precision, and clips unless it is told not to."""
    variance = given["variance"].removeprefix("learned-")
    return {
        **(ddim(float(given["eta"])) if given["loop"] == "ddim" else ddpm(variance)),
        "prediction": given["prediction"],
        "predictions": {name: {"prediction": name} for name in predictions},
        "spacing": given["spacing"],
        "schedule": {"betas": given["schedule"]},
        "T": T,
        "most": T,
        "single": True,
        "off": ("clip_denoised",),
    }


# ---------------------------------------------------------------- denoising-diffusion-pytorch

OBJECTIVES = {"pred_noise": "noise", "pred_x0": "x_0", "pred_v": "v"}
LUCIDRAINS_OFF = {"single": True, "off": ("clamp to [-1, 1]", "rescaling to [0, 1]")}


def gaussian(given: Known, loop: str) -> Known:
    """In discrete time: DDIM, or the ancestral chain, which has as many steps as training."""
    T = given["timesteps"]
    known = ddim(float(given["ddim_sampling_eta"])) | {"T": T, "most": T - 1}
    if loop == "ddpm":
        known = ddpm() | {"T": T, "least": T, "most": T}
    predictions = {kind: {"objective": name} for name, kind in OBJECTIVES.items()}
    return known | {"prediction": OBJECTIVES[given["objective"]], "predictions": predictions} | LUCIDRAINS_OFF


def continuous(given: Known, loop: str) -> Known:
    return ddpm() | {"prediction": "noise"} | LUCIDRAINS_OFF


def v_param(given: Known, loop: str) -> Known:
    return ddpm() | {"prediction": "v"} | LUCIDRAINS_OFF


def elucidated(given: Known, loop: str) -> Known:
    """EDM's sampler, churning unless it is told not to, or 2M."""
    if loop == "dpmpp-2m":
        return edm({}) | {"method": loop} | LUCIDRAINS_OFF
    return edm(given) | LUCIDRAINS_OFF
