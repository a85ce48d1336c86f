"""What the class and the config of a scheduler of diffusers say: what it claims to be, and where its levels are.

The name of a class is its claim.  Everything else is read off the config, so that it holds for options too.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple, get_args

import numpy as np
import torch

from numerics.solvers import grids

from ..protocol import Claims, Level


class Named(NamedTuple):
    """A family, the order, and the sampler of ours that it is: numbers, options of that name, or by solver_order."""

    family: str
    order: int | str | None = None
    method: str | dict[int, str] | None = None


FIRST = {1: "dpmpp-1"}
CLAIMED = {
    "DDPMScheduler": Named("ancestral", 1, "ddpm"),
    "DDPMParallelScheduler": Named("ancestral", 1, "ddpm"),
    "DDPMWuerstchenScheduler": Named("ancestral", 1, "ddpm"),
    "UnCLIPScheduler": Named("ancestral", 1, "ddpm"),
    "EulerAncestralDiscreteScheduler": Named("ancestral", 1, "euler-ancestral"),
    "DDIMScheduler": Named("ddim", 1, "ddim"),
    "DDIMParallelScheduler": Named("ddim", 1, "ddim"),
    "CogVideoXDDIMScheduler": Named("ddim", 1, "ddim"),
    "EulerDiscreteScheduler": Named("ode", 1, "euler"),
    "EDMEulerScheduler": Named("ode", 1, "euler"),
    "HeunDiscreteScheduler": Named("ode", 2, "heun"),
    "KDPM2DiscreteScheduler": Named("ode", 2),
    "LMSDiscreteScheduler": Named("ode", "order"),
    "PNDMScheduler": Named("ode", 2),
    "IPNDMScheduler": Named("ode", 4),
    "DPMSolverMultistepScheduler": Named("ode", "solver_order", {1: "dpmpp-1", 2: "dpmpp-2m", 3: "dpmpp-3m"}),
    "EDMDPMSolverMultistepScheduler": Named("ode", "solver_order", {1: "dpmpp-1", 2: "dpmpp-2m", 3: "dpmpp-3m"}),
    "DPMSolverSinglestepScheduler": Named("ode", "solver_order", FIRST),
    "UniPCMultistepScheduler": Named("ode", "solver_order"),
    "DEISMultistepScheduler": Named("ode", "solver_order", FIRST),
    "CosineDPMSolverMultistepScheduler": Named("sde", "solver_order", {1: "sde-dpmpp-1", 2: "sde-dpmpp-2m"}),
    "CogVideoXDPMScheduler": Named("sde", 2, "sde-dpmpp-2m"),
    "KDPM2AncestralDiscreteScheduler": Named("sde", 2),
    "DPMSolverSDEScheduler": Named("sde", 2),
    "SASolverScheduler": Named("sde"),
    "LTXEulerAncestralRFScheduler": Named("sde", 1),
    "FlowMatchEulerDiscreteScheduler": Named("flow", 1, "flow-euler"),
    "FlowMapEulerDiscreteScheduler": Named("flow", 1, "flow-euler"),
    "MiniMaxH3Scheduler": Named("flow", 1, "flow-euler"),
    "FlowMatchHeunDiscreteScheduler": Named("flow", 2, "flow-heun"),
    "FlowMatchLCMScheduler": Named("consistency"),
    "LCMScheduler": Named("consistency"),
    "TCDScheduler": Named("consistency"),
    "CMStochasticIterativeScheduler": Named("consistency"),
    "SCMScheduler": Named("consistency"),
}
PREDICTION = {
    "epsilon": "noise",
    "sample": "x_0",
    "v_prediction": "v",
    "flow_prediction": "backward-velocity",
    "trigflow": "v",
}
WITHOUT_A_WORD = {"DDPMWuerstchenScheduler": "noise", "IPNDMScheduler": "v", "MiniMaxH3Scheduler": "velocity"}
BETAS = {"linear": "linear", "scaled_linear": "scaled-linear", "squaredcos_cap_v2": "cosine"}
NOT_LINEAR = ("clip_sample", "thresholding", "clip_denoised", "use_clipped_model_output")
GRIDS = ("use_karras_sigmas", "use_exponential_sigmas", "use_beta_sigmas", "use_lu_lambdas", "use_flow_sigmas")

# Where the sigma of the second question of a step is held, and how far from the place of the first.
SECOND = {
    "KDPM2DiscreteScheduler": ("sigmas_interpol", 0),
    "KDPM2AncestralDiscreteScheduler": ("sigmas_interpol", -1),
    "DPMSolverSDEScheduler": ("mid_point_sigma", None),
}

# Parameters that tell that a class is driven in another way than the rest, and how.
OTHERWISE = {
    "mask_token_id": "its samples are tokens",
    "num_vec_classes": "its samples are tokens",
    "block_length": "its samples are tokens",
    "corrector_steps": "its samples are tokens",
    "entropy_bound": "its samples are tokens",
    "emit_mask": "a step is handed which atoms there are",
    "original_image": "a step is handed the part of an image that is known",
    "n_grid": "its network predicts a policy, on a grid of times",
    "stage_index": "it runs in stages of different resolution",
}


@dataclass(frozen=True, eq=False)
class Reading:
    """A class of schedulers with its config, and what it holds of its levels: read off it, not made anew."""

    cls: Any
    config: dict[str, Any]

    def made(self, **changes: Any) -> Any:
        return self.cls(**(self.config | changes))

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
        if hasattr(s, "sigmas") and self.has("sigma_to_t", "precondition_noise"):
            times, sigmas = s.timesteps.double().numpy(), s.sigmas.double().numpy()
            return times[::-1], sigmas[: len(times)][::-1]
        return None

    @property
    def T(self) -> int | None:
        return self.fresh.config.get("num_train_timesteps")

    def trained(self, told: float) -> Level:
        """The level of the input: between times of training the logarithm of sigma is taken to be linear."""
        if self.table is not None:
            times, sigmas = self.table
            sigma = np.exp(np.interp(told, times, np.log(sigmas)))
            return grids.Level(1.0, float(sigma), told).in_units("vp")[:2] if np.isfinite(sigma) else (0.0, 1.0)
        if self.flow:
            return 1 - told / self.T, told / self.T
        bar = float(self.fresh._alpha_cumprod(torch.tensor([told]).double(), "cpu"))
        return bar**0.5, (1 - bar) ** 0.5

    @property
    def trains(self) -> bool:
        return self.table is not None or self.has("_alpha_cumprod") or bool(self.flow and self.T)

    def told(self) -> Any:
        return range(1, self.T + 1) if self.table is None else self.table[0]

    # ---------------------------------------------------------------- steps

    def last(self, s: Any) -> int | None:
        """How many timesteps are questions: where levels are angles or parts of one, the last of them is the end."""
        closed = not hasattr(s, "sigmas") and s.timesteps.is_floating_point() and not s.timesteps[-1]
        return -1 if closed else None

    def on(self, sigmas: Any) -> tuple[Any, bool]:
        """A scheduler whose levels are these, and whether it goes on to one without noise after them.

        They come in where those of Karras would.
        """
        given, ends = sigmas / (1 + sigmas) if self.flow else sigmas, sigmas[-1] == 0
        given = given[: len(given) - ends]
        config = self.fresh.config
        changes = {**dict.fromkeys(GRIDS, False), "use_karras_sigmas": True, "sigma_schedule": "karras"}
        s = self.made(
            **{name: value for name, value in changes.items() if name in config and name != "use_flow_sigmas"}
        )
        hooks = {"_convert_to_karras": given, "_compute_karras_sigmas": torch.from_numpy(given)}
        for name, value in hooks.items():
            setattr(s, name, lambda *_, value=value, **__: value)
        return s, not ends


# ---------------------------------------------------------------- claims


def read(cls: Any, options: dict[str, Any]) -> tuple[Reading, dict[str, Any], dict[str, Any], Claims]:
    """A class with its config, the options of set_timesteps and of step, and what it claims with all of them.

    Raises TypeError for an option that it does not take, and for a class that is driven in another way.
    """
    takes = parameters(cls)
    for name in options:
        if not any(name in taken for taken in takes.values()):
            known = sorted({name for taken in takes.values() for name in taken} - {"self", "return_dict", "device"})
            raise TypeError(f"{cls.__name__} has no option {name}; it takes {', '.join(known)}")
    config, setting, stepping = (
        {name: value for name, value in options.items() if name in takes[where]}
        for where in ("__init__", "set_timesteps", "step")
    )
    notes: list[str] = []
    if "sigma_data" in takes["__init__"] and "sigma_data" not in options:
        config["sigma_data"] = 1.0  # then the network predicts v
        notes.append("sigma_data=1: data are measured in units of their standard deviation")
    if "intermediate_timesteps" in takes["set_timesteps"]:
        setting.setdefault("intermediate_timesteps", None)  # it takes one for two steps only
    defaults = {name: p.default for taken in takes.values() for name, p in taken.items()} | config | stepping
    off = [name for name in NOT_LINEAR if defaults.get(name)]
    for name in off:
        (config if name in takes["__init__"] else stepping)[name] = False
    reading = Reading(cls, config)
    said = tuple(f"{name}={defaults[name]} is switched off: with it a step is not linear" for name in off)
    return reading, setting, stepping, claimed(reading, setting, stepping, said, tuple(notes))


def parameters(cls: Any) -> dict[str, Any]:
    """The parameters of the three calls by which schedulers are driven.  Raises TypeError where the loop is another."""
    called = {name: getattr(cls, name, None) for name in ("__init__", "set_timesteps", "step")}
    for name, call in called.items():
        if not callable(call):
            raise TypeError(f"{cls.__name__} has no {name}; expected a scheduler with set_timesteps and step")
    takes = {name: inspect.signature(call).parameters for name, call in called.items() if callable(call)}
    for name, how in OTHERWISE.items():
        if any(name in taken for taken in takes.values()):
            raise TypeError(f"{cls.__name__} is driven in another way: {how}")
    return takes


def claimed(
    reading: Reading, setting: dict[str, Any], stepping: dict[str, Any], off: tuple[str, ...], notes: tuple[str, ...]
) -> Claims:
    """What a scheduler promises with this config."""
    name, config = reading.cls.__name__, reading.fresh.config
    family, order, method = named(reading, stepping)
    if str(config.get("variance_type")).startswith("learned") and family == "ancestral":
        raise TypeError(f"{name}: with variance_type={config.variance_type} the network predicts a variance too")
    eta = stepping.get("eta", 0.0) if family == "ddim" else None
    large = "large" in str(config.get("variance_type"))
    spelled = f"ddim(eta={eta})" if eta else method
    prediction = predicted(reading, config.get("prediction_type"))
    words = inspect.signature(reading.cls.__init__).parameters.get("prediction_type")
    in_table = reading.has("alphas_cumprod")
    return Claims(
        name,
        family,
        prediction,
        order=order,
        method=None if large else spelled,
        eta=eta,
        variance=("large" if large else "small") if family == "ancestral" else None,
        deterministic=family in ("ode", "flow") or (family == "ddim" and not eta),
        ends_at=ends_at(reading, setting),
        units=reading.units,
        zero_terminal_snr=bool(config.get("rescale_betas_zero_snr")),
        spacing=config.get("timestep_spacing"),
        T=reading.T if in_table else None,
        schedule=schedule(reading),
        predictions={
            of: {"prediction_type": word}
            for word in (get_args(words.annotation) if words else ())
            if (of := predicted(reading, word)) != prediction and not reading.flow
        },
        least=2 if name in ("UnCLIPScheduler", "MiniMaxH3Scheduler") else 1,
        most=config.get("original_inference_steps") or (reading.T if in_table or family == "consistency" else None),
        off=off,
        notes=(*notes, *chosen(config)),
    )


def named(reading: Reading, stepping: dict[str, Any]) -> tuple[str, int | None, str | None]:
    """Family, order and method, by the name of the class and by the options that change them."""
    config = reading.fresh.config
    unknown = Named("flow" if reading.flow else "ode")
    family, order, method = CLAIMED.get(reading.cls.__name__, unknown)
    order = {"solver_order": config.get("solver_order"), "order": stepping.get("order", 4)}.get(order, order)
    algorithm, ends = config.get("algorithm_type", ""), config.get("final_sigmas_type") == "zero"
    if algorithm.startswith("sde-"):
        family = "sde"
    if isinstance(method, dict):
        early = config.get("lower_order_final") or config.get("euler_at_final")
        other = (
            (algorithm.startswith("dpmsolver") and not algorithm.endswith("++"))
            or config.get("solver_type") == "heun"
            or (early and (order == 3 or not ends))
        )
        method = None if order not in method or (order > 1 and other) else method[order]
        if method and algorithm.startswith("sde-"):
            method = f"sde-{method}" if order < 3 else None
    if stepping.get("s_churn") and family == "ode":
        return "sde", None, None
    if config.get("stochastic_sampling"):
        return "consistency", None, None
    return family, order, method


def predicted(reading: Reading, word: str | None) -> str:
    """What the network predicts, by the word of the config for it."""
    if reading.has("precondition_outputs"):  # with data of standard deviation 1
        signs = {"epsilon": "backward-v", "v_prediction": "v"}
        return signs.get(str(word), "other") if reading.fresh.config.sigma_data == 1 else "other"
    if reading.has("get_scalings_for_boundary_condition"):
        return "other"
    if word is None:
        return WITHOUT_A_WORD.get(reading.cls.__name__, "backward-velocity" if reading.flow else "other")
    return PREDICTION[word]


def ends_at(reading: Reading, setting: dict[str, Any]) -> float:
    """The sigma that is left at the end."""
    if reading.has("final_alpha_cumprod"):
        return float((1 / reading.fresh.final_alpha_cumprod.double() - 1) ** 0.5)
    if not reading.has("sigmas"):
        return 0.0
    s = reading.made()
    s.set_timesteps(10, **setting)
    last = float(s.sigmas[-1])
    return last / (1 - last) if reading.flow and last < 1 else last


def schedule(reading: Reading) -> dict[str, Any]:
    """How the levels of training are made, as far as a formula of ours gives them."""
    config = reading.fresh.config
    betas = BETAS.get(config.get("beta_schedule", ""))
    if betas and config.get("trained_betas") is None and "snr_shift_scale" not in config:
        ends = {"clip": 0.999} if betas == "cosine" else {"start": config.beta_start, "end": config.beta_end}
        return {"betas": betas, **ends}
    return {}


def chosen(config: Any) -> tuple[str, ...]:
    """Documented choices: what is not as the mathematics would have it, and says so."""
    said = {
        "set_alpha_to_one=False: it ends at the cleanest level of training": config.get("set_alpha_to_one") is False,
        "final_sigmas_type=sigma_min: it ends with noise left": config.get("final_sigmas_type") == "sigma_min",
        "timestep_spacing=leading: it begins below the noisiest level of training": config.get("timestep_spacing")
        == "leading",
        "use_beta_sigmas: quantiles of the Beta law in sigma": config.get("use_beta_sigmas"),
        "shift_terminal: it ends above the cleanest level": config.get("shift_terminal"),
        "lower_order_final: the last steps are of lower order below 15 steps": config.get("lower_order_final"),
        "variance_type: the noise is not that of the posterior": "large" in str(config.get("variance_type")),
    }
    return tuple(note for note, holds in said.items() if holds)
