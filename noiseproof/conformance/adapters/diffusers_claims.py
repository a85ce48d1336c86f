"""What the class and the config of a scheduler of diffusers claim.

The name of a class is its claim.  Everything else is read off the config, so that it holds for options too.
"""

from __future__ import annotations

import inspect
from typing import Any, NamedTuple

import torch

from ..protocol import Claims, Refused
from .diffusers_levels import COUNTS_LEVELS, GRIDS, Reading


class Named(NamedTuple):
    """A family, the order, and the sampler of ours that it is: numbers, options of that name, or by solver_order.

    A corrector raises the order by ``more``.
    """

    family: str
    order: int | str | None = None
    method: str | dict[int, str] | None = None
    more: int = 0


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
    "UniPCMultistepScheduler": Named("ode", "solver_order", more=1),
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
VARIANCES = {-1.0: "small", 0.0: "middle", 1.0: "large"}  # by what the network says of it
OTHER_SHIFTS = ("use_dynamic_shifting", "shift_terminal", "invert_sigmas")
FEW = 10  # steps, to see what a scheduler has
NOT_LINEAR = ("clip_sample", "thresholding", "clip_denoised", "use_clipped_model_output")

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


def read(cls: Any, options: dict[str, Any]) -> tuple[Reading, dict[str, Any], Claims]:
    """A class with its config, the options of step, and what it claims with all of them.

    Raises Refused, a TypeError, for an option that it does not take, and for a class that is driven in another way.
    """
    reading, stepping, off, notes = configured(cls, options)
    notes += [f"{name}={options[name]}: the class takes {other} instead" for name, other in tried(reading).items()]
    return reading, stepping, claimed(reading, stepping, tuple(off), tuple(notes))


def configured(cls: Any, options: dict[str, Any]) -> tuple[Reading, dict[str, Any], list[str], list[str]]:
    """A class with its config, the options of step, those that are switched off, and what is to be said of others."""
    takes = parameters(cls)
    options, learned = dict(options), options.get("variance_type") == "learned_range"
    v = float(options.pop("predicted_variance", 0.0)) if learned else None
    if v not in (None, *VARIANCES):
        raise Refused(f"predicted_variance is {v}; expected one of {', '.join(map(str, VARIANCES))}")
    for name in options:
        if not any(name in taken for taken in takes.values()):
            known = sorted({name for taken in takes.values() for name in taken} - {"self", "return_dict", "device"})
            raise Refused(f"{cls.__name__} has no option {name}; it takes {', '.join(known)}")
    config, setting, stepping = (
        {name: value for name, value in options.items() if name in takes[where]}
        for where in ("__init__", "set_timesteps", "step")
    )
    notes: list[str] = []
    if "sigma_data" in takes["__init__"] and "sigma_data" not in options:
        config["sigma_data"] = 1.0  # then the network predicts v
        notes.append("sigma_data=1: data are measured in units of their standard deviation")
    if cls.__name__ in COUNTS_LEVELS:
        notes.append("num_inference_steps counts levels: it is asked for one more")
    if "intermediate_timesteps" in takes["set_timesteps"]:
        setting.setdefault("intermediate_timesteps", None)  # it takes one for two steps only
    defaults = {name: p.default for taken in takes.values() for name, p in taken.items()} | config | stepping
    off = [name for name in NOT_LINEAR if defaults.get(name)]
    for name in off:
        (config if name in takes["__init__"] else stepping)[name] = False
    said = [f"{name}={defaults[name]} is switched off: with it a step is not linear" for name in off]
    return Reading(cls, config, setting, v), stepping, said, notes


def tried(reading: Reading) -> dict[str, Any]:
    """Options in whose place the class takes others, as its config says once a run is set, and those others.

    Raises Refused for options that a step says it does not take, or with which it makes none.
    """
    name, s = reading.cls.__name__, reading.configured(FEW)
    t = s.timesteps[0]
    scale, noise = reading.level(s, 0, t)
    if noise and not scale and predicted(reading, s.config.get("prediction_type")) == "noise":
        raise Refused(
            f"{name} asks first where there is no signal, and a network that predicts noise says nothing of the data "
            "there; one with prediction_type=v_prediction does"
        )
    try:
        stepped(reading, s)
    except (NotImplementedError, ValueError) as why:
        if any(f"{value}" in f"{why}" for value in reading.config.values()):
            raise Refused(f"{name}: {why}") from None
    except Exception:
        pass  # what breaks in a run is seen there
    return {name: s.config[name] for name, value in reading.config.items() if s.config.get(name, value) != value}


def parameters(cls: Any) -> dict[str, Any]:
    """The parameters of the calls by which schedulers are driven.  Raises Refused where the loop is another."""
    called = {name: getattr(cls, name, None) for name in ("__init__", "set_timesteps", "step")}
    for name, call in called.items():
        if not callable(call):
            raise Refused(f"{cls.__name__} has no {name}; expected a scheduler with set_timesteps and step")
    takes = {name: inspect.signature(call).parameters for name, call in called.items() if callable(call)}
    for name, how in OTHERWISE.items():
        if any(name in taken for taken in takes.values()):
            raise Refused(f"{cls.__name__} is driven in another way: {how}")
    return takes


def claimed(reading: Reading, stepping: dict[str, Any], off: tuple[str, ...], notes: tuple[str, ...]) -> Claims:
    """What a scheduler promises with this config."""
    name, config = reading.cls.__name__, reading.fresh.config
    family, order, method = named(reading, stepping)
    if config.get("variance_type") == "learned" and family == "ancestral":
        raise Refused(f"{name}: with variance_type=learned the network predicts the variance itself")
    eta = stepping.get("eta", 0.0) if family == "ddim" else None
    jumps = family == "consistency"
    if jumps and "eta" in (steps := inspect.signature(reading.cls.step).parameters):
        eta = stepping.get("eta", steps["eta"].default)
    large = "large" if "large" in str(config.get("variance_type")) else "small"
    v = reading.predicted_variance
    variance = (large if v is None else VARIANCES[v]) if family == "ancestral" else None
    spelled = f"ddim(eta={eta})" if eta and not jumps else method
    prediction = predicted(reading, config.get("prediction_type"))
    in_table = reading.has("alphas_cumprod")
    s = reading.configured(FEW)
    times = reading.questions(s)
    (a, b), (a_last, b_last) = (reading.level(s, k, times[k]) for k in (0, len(times) - 1))
    end = jumps_to(reading, s, eta) if jumps else ends_at(reading, s)
    if b * a_last < b_last * a:
        raise Refused(f"{name} goes from data to noise; expected one that goes from noise to data")
    return Claims(
        name,
        family,
        prediction,
        order=order,
        method=spelled if variance in (None, "small") else None,
        eta=eta,
        variance=variance,
        deterministic=family in ("ode", "flow") or (family == "ddim" and not eta) or (jumps and eta == 0),
        ends_at=end,
        boundary=boundary(reading) if jumps else {},
        units=reading.units,
        zero_terminal_snr=bool(config.get("rescale_betas_zero_snr")),
        spacing=None if any(config.get(grid) for grid in GRIDS) else config.get("timestep_spacing"),
        T=reading.T if in_table else None,
        schedule=schedule(reading),
        predictions={
            of: {"prediction_type": word}
            for word in ("epsilon", "sample", "flow_prediction" if reading.flow else "v_prediction")
            if "prediction_type" in config
            and accepts(reading, word)
            and (of := predicted(reading, word)) not in (prediction, "other")
        },
        most=config.get("original_inference_steps") or (reading.T if in_table or family == "consistency" else None),
        off=off,
        notes=(*notes, *chosen(config, jumps), *([f"it ends at sigma = {end:.3g}, with noise left"] if end else [])),
    )


def named(reading: Reading, stepping: dict[str, Any]) -> tuple[str, int | None, str | None]:
    """Family, order and method, by the name of the class and by the options that change them."""
    config = reading.fresh.config
    unknown = Named("flow" if reading.flow else "ode")
    family, order, method, more = CLAIMED.get(reading.cls.__name__, unknown)
    if isinstance(order, str):
        order = int({"order": 4, **config, **stepping}[order]) + more
    algorithm, ends = config.get("algorithm_type", ""), config.get("final_sigmas_type") == "zero"
    if algorithm.startswith("sde-"):
        family = "sde"
    if isinstance(method, dict) and isinstance(order, int):
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
    return family, order, method if isinstance(method, str) else None


def predicted(reading: Reading, word: str | None) -> str:
    """What the network predicts, by the word of the config for it."""
    if reading.has("precondition_outputs"):  # with data of standard deviation 1
        signs = {"epsilon": "backward-v", "v_prediction": "v"}
        return signs.get(str(word), "other") if reading.fresh.config.sigma_data == 1 else "other"
    if reading.has("get_scalings_for_boundary_condition"):
        return "residual"
    if word is None:
        return WITHOUT_A_WORD.get(reading.cls.__name__, "backward-velocity" if reading.flow else "other")
    return PREDICTION[word]


def accepts(reading: Reading, word: str) -> bool:
    """Whether it makes a step around a network that predicts this, or says that it does not."""
    try:
        made = stepped(reading, reading.configured(FEW, prediction_type=word))
    except (NotImplementedError, ValueError):
        return False
    return bool(torch.all(torch.isfinite(made)))  # at alpha_bar = 0 a predicted noise says nothing


def stepped(reading: Reading, s: Any) -> Any:
    """What the first step makes of nothing."""
    takes, t, x = inspect.signature(s.step).parameters, s.timesteps[0], torch.zeros(1, 1, 1, 1)
    offered = {"old_pred_original_sample": None, "timestep_back": None}
    more = {name: value for name, value in offered.items() if name in takes}
    reading.scaled(s, x, t)
    whole = t.expand(1) if takes["timestep"].annotation is torch.Tensor else t
    return s.step(model_output=reading.answered(x), timestep=whole, sample=x, return_dict=False, **more)[0]


def ends_at(reading: Reading, s: Any) -> float:
    """The sigma that is left at the end; an end that depends on the number of steps is no promise."""
    if reading.has("final_alpha_cumprod"):
        return float((1 / reading.fresh.final_alpha_cumprod.double() - 1) ** 0.5)
    if reading.has("_alpha_cumprod"):
        a, b = reading.trained(float(s.timesteps[-1]))
        return b / a
    if not reading.has("sigmas"):
        return 0.0
    last = float(s.sigmas[-1])
    if not last or last != float(reading.configured(FEW + 1).sigmas[-1]):
        return 0.0
    return last / (1 - last) if reading.flow and last < 1 else last


def jumps_to(reading: Reading, s: Any, eta: float | None) -> float:
    """The same for a consistency function: where its network ends, or a trajectory at the cleanest level of training.

    It is not where set_alpha_to_one would have it: there is no level before the last one that is asked for.
    """
    if reading.table is None:
        return ends_at(reading, s)
    return 0.0 if eta is None else float(reading.table[1][0])


def boundary(reading: Reading) -> dict[str, Any]:
    """How a consistency function keeps x where trajectories end, if the scheduler sees to it."""
    config = reading.fresh.config
    if reading.has("get_scalings_for_boundary_condition"):
        return {"data": config.sigma_data, "sigma": config.sigma_min}
    if reading.has("get_scalings_for_boundary_condition_discrete"):
        return {"data": 0.5, "times": config.timestep_scaling}  # the standard deviation of data is no option
    return {}


def schedule(reading: Reading) -> dict[str, Any]:
    """How the levels of training are made, as far as a formula of ours gives them."""
    config = reading.fresh.config
    betas = BETAS.get(config.get("beta_schedule", ""))
    if any(config.get(name) for name in (*OTHER_SHIFTS, "trained_betas", "snr_shift_scale")):
        return {}
    if reading.flow:
        same = reading.T and not betas and not any(config.get(grid) for grid in GRIDS)
        return {"sigmas": "flow", "shift": config.get("shift", 1.0)} if same else {}
    if "rho" in config and config.get("sigma_schedule") != "exponential":
        return {"sigmas": "karras", "start": config.sigma_min, "end": config.sigma_max, "rho": config.rho}
    if betas:
        ends = {"clip": 0.999} if betas == "cosine" else {"start": config.beta_start, "end": config.beta_end}
        return {"betas": betas, **ends}
    return {}


def chosen(config: Any, jumps: bool) -> tuple[str, ...]:
    """Documented choices: what is not as the mathematics would have it, and says so.

    Samplers that jump take times of a spacing of their own, and no level before the last one.
    """
    ends, spacing = (None if jumps else config.get(name) for name in ("set_alpha_to_one", "timestep_spacing"))
    said = {
        "set_alpha_to_one=False: it ends at the cleanest level of training": ends is False,
        "timestep_spacing=leading: it begins below the noisiest level of training": spacing == "leading",
        "use_beta_sigmas: quantiles of the Beta law in sigma": config.get("use_beta_sigmas"),
        "shift_terminal: it ends above the cleanest level": config.get("shift_terminal"),
        "lower_order_final: the last steps are of lower order below 15 steps": config.get("lower_order_final"),
        "variance_type: the noise is not that of the posterior": "large" in str(config.get("variance_type")),
    }
    return tuple(note for note, holds in said.items() if holds)
