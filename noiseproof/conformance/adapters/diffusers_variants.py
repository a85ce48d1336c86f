"""The options under which each scheduler of diffusers is looked at: one at a time, where it takes them."""

from __future__ import annotations

from typing import Any

import diffusers

from ..protocol import Refused
from . import diffusers_claims

# Another prediction_type is asked for by the property P14, and other values of eta by P11.
VARIANTS: dict[str, tuple[Any, ...]] = {
    "eta": (1.0,),
    "timestep_spacing": ("linspace", "leading", "trailing"),
    "algorithm_type": ("dpmsolver", "dpmsolver++", "sde-dpmsolver", "sde-dpmsolver++"),
    "solver_order": (1, 2, 3),
    "solver_type": ("midpoint", "heun", "bh1", "bh2"),
    "lower_order_final": (False,),
    "euler_at_final": (True,),
    "final_sigmas_type": ("zero", "sigma_min"),
    "use_karras_sigmas": (True,),
    "use_exponential_sigmas": (True,),
    "use_beta_sigmas": (True,),
    "use_lu_lambdas": (True,),
    "use_flow_sigmas": (True,),
    "sigma_schedule": ("exponential",),
    "interpolation_type": ("log_linear",),
    "beta_schedule": ("scaled_linear", "squaredcos_cap_v2"),
    "rescale_betas_zero_snr": (True,),
    "variance_type": ("fixed_small", "fixed_large", "learned_range"),
    "set_alpha_to_one": (False,),
    "stochastic_sampling": (True,),
    "shift": (3.0,),
    "skip_prk_steps": (True,),
    "order": (1, 2, 3),
}


# What a class documents that it takes, though it refuses nothing else.
ONLY = {"CosineDPMSolverMultistepScheduler": {"solver_order": (1, 2)}}


def names() -> list[str]:
    """All classes of schedulers that this version has."""
    return [name for name in dir(diffusers) if name.endswith("Scheduler")]


def variants(name: str) -> list[dict[str, Any]]:
    """Those that differ from the defaults of a class, that it does not refuse, and for which it takes nothing else.

    An option whose default is None is another one of that name.  Where a network that predicts noise would be asked
    without any signal, it is one that predicts v.
    """
    cls = getattr(diffusers, name)
    try:
        diffusers_claims.read(cls, {})
        takes = diffusers_claims.parameters(cls)
    except (TypeError, ImportError):
        return []  # it is not looked at at all, and says why when it is loaded
    defaults = {name: p.default for taken in takes.values() for name, p in taken.items()}
    known = [name for name in VARIANTS if defaults.get(name) is not None]
    values = VARIANTS | ONLY.get(name, {})
    listed = [{name: value} for name in known for value in values[name] if value != defaults[name]]
    by_v = {"prediction_type": "v_prediction"} if "prediction_type" in defaults else {}
    meant = [options if accepted(cls, options) else options | by_v for options in listed]
    return [options for options in meant if len(options) == 1 or accepted(cls, options)]


def accepted(cls: Any, options: dict[str, Any]) -> bool:
    """Whether a scheduler with these options can be made and set, or says that it is not meant to be."""
    try:
        return not diffusers_claims.tried(diffusers_claims.configured(cls, options)[0])
    except (NotImplementedError, ValueError, ImportError, Refused):
        return False
    except Exception:
        return True  # no refusal, but something that breaks: let it be seen
