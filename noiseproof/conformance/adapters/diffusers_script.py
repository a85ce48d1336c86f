"""A run of a scheduler of diffusers as a script of diffusers and torch alone, for those who do not have us at hand."""

from __future__ import annotations

import inspect
from dataclasses import replace
from typing import Any

import torch

from .diffusers_levels import SECOND, Reading

OFFERED = {"timestep_back": "before", "prev_timestep": "after", "old_pred_original_sample": "known"}
HOOKS = {
    "randn_tensor": "lambda shape, *_, dtype=None, **__: torch.full(tuple(shape), drawn(), dtype=dtype)",
    "BrownianTreeNoiseSampler": "lambda *_, **__: lambda *between: torch.full((1, 1, 1, 1), drawn()).double()",
}
TIMES = {
    "timestep_back": "before = times[c - 1] if c else None",
    "prev_timestep": "after = times[c + 1] if c + 1 < len(times) else None",
}


def script(reading: Reading, stepping: dict[str, Any], n: int | None, what: str) -> str:
    match what:
        case "add_noise":
            return forward(reading, n)
        case "trained":
            return trained(reading)
    return run(reading, stepping, n, what)


def trained(reading: Reading) -> str:
    """The function ``trained(told)``.  Raises LookupError where no table says it."""
    by = ["    return 1 - told / T, told / T"]
    table = [f"T = {reading.T}  # times of training"]
    if reading.table is not None:
        table = ["bars = s.alphas_cumprod.double().numpy()", "log_sigmas = np.log(1 / bars - 1) / 2"]
        by = ["    sigma = np.exp(np.interp(told, np.arange(len(bars)), log_sigmas))"]
        by += ["    return 1 / (1 + sigma**2) ** 0.5, sigma / (1 + sigma**2) ** 0.5"]
    elif reading.clock or not reading.flow:
        raise LookupError(f"no table of {reading.cls.__name__} says what is told in training")
    lines = [
        "import diffusers\nimport numpy as np\n",
        f"s = diffusers.{made(reading)}",
        *table,
        "\n\ndef trained(told):",
        '    """Scale and noise in training, at what the network is told."""',
        *by,
    ]
    return "\n".join(lines) + "\n"


def forward(reading: Reading, n: int | None) -> str:
    """The function ``added(x_0, epsilon, told)``, before a run is configured or after."""
    lines = [
        "import diffusers\nimport torch\n",
        f"s = diffusers.{made(reading)}",
        *([f"s.set_timesteps({arguments(reading, n)})"] if n else []),
        "\n\ndef added(x_0, epsilon, told):",
        '    """What the forward process makes of two numbers."""',
        "    parts = [torch.full((1, 1, 1, 1), part, dtype=torch.float64) for part in (x_0, epsilon)]",
        "    return s.add_noise(*parts, torch.tensor([told])).item()",
    ]
    return "\n".join(lines) + "\n"


def run(reading: Reading, stepping: dict[str, Any], n: int | None, what: str = "run") -> str:
    """The function ``seen(x, predict, draws)``, in the loop that pipelines write around a scheduler."""
    takes, s = inspect.signature(reading.fresh.step).parameters, reading.configured(10)
    words = {name: word for name, word in OFFERED.items() if name in takes}
    words |= {name: repr(value) for name, value in stepping.items()}
    more = "".join(f", {name}={word}" for name, word in words.items())
    whole = "t.expand(1)" if takes["timestep"].annotation is torch.Tensor else "t"
    known = "known" in words.values()
    given, set_up = setting(reading, n, what)
    arrays, draws = what == "arrays", hooks(reading)
    said, v = "torch.full_like(scaled, p)", reading.predicted_variance  # the network may say something of the variance
    said = said if v is None else f"torch.cat([{said}, torch.full_like(scaled, {v})], 1)"
    lines = [
        "import diffusers\nimport torch\n",
        *draws,
        f"\n\ndef seen(x, predict, noise{given}):",
        f'    """What the network is handed in a run{f" of {n} steps" if what == "run" else ""}, and the end."""',
        f"    {'draws[:], handed = noise, []' if draws else 'handed = []'}",
        *(["    known = None"] if known else []),
        f"    x = torch.full((1, 1, 1, 1), float(x), dtype={'getattr(torch, dtype)' if arrays else 'torch.float64'})",
        *(f"    {line}" for line in set_up),
        f"    times = s.timesteps{'' if len(reading.questions(s)) == len(s.timesteps) else '[:-1]'}",
        "    for c, t in enumerate(times):",
        f"        scaled = {'s.scale_model_input(x, t)' if reading.has('scale_model_input') else 'x'}",
        *(f"        {line}" for line in (levels(reading) if what != "run" else [])),
        "        handed.append(scaled.item())",
        f"        p = float(predict(c, t.item(), handed[-1]{', at' if what != 'run' else ''}))",
        *(f"        {line}" for name, line in TIMES.items() if name in takes),
        f"        made = s.step(model_output={said}, timestep={whole}, sample=x{more}, return_dict=False)",
        f"        {'x, known, *_ = *made, None' if known else 'x = made[0]'}",
        f"    return [*handed, x{'' if arrays else '.item()'}]",
    ]
    return "\n".join(lines) + "\n"


def setting(reading: Reading, n: int | None, what: str) -> tuple[str, list[str]]:
    """What else a run is given, and how the scheduler is set up for it."""
    setting = [f"s = diffusers.{made(reading)}"]
    if what == "on":
        return ", sigmas", smooth(reading)
    given = {"run": "", "levels": f", n={n}" if n else ", n", "arrays": ', dtype="float64"'}[what]
    return given, [*setting, f"s.set_timesteps({arguments(reading, 'n' if what == 'levels' or not n else n)})"]


def smooth(reading: Reading) -> list[str]:
    """The same on noise levels that are handed in: see ``Reading.on``."""
    there = replace(reading, config=reading.config | reading.changes)
    sigmas = "sigmas / (1 + sigmas)" if reading.flow else "sigmas"
    lines = [
        f"s, sigmas = diffusers.{made(there)}, torch.tensor(sigmas[:-1]).double()",
        *([f"sigmas = {sigmas}"] if reading.flow else []),
    ]
    if reading.hooked:
        lines += [
            f"s.{name} = lambda *_, **__: sigmas{numpy}  # the levels that are handed in"
            for name, numpy in (("_convert_to_karras", ".numpy()"), ("_compute_karras_sigmas", ""))
            if reading.has(name)
        ]
    lines += [f"s.set_timesteps({arguments(reading, 'len(sigmas)')})"]
    if not reading.hooked:
        repeated = "sigmas[1:]" if reading.fresh.order == 1 else f"sigmas[1:].repeat_interleave({reading.fresh.order})"
        lines += [f"s.sigmas = torch.cat([sigmas[:1], {repeated}, torch.zeros(1)]).to(s.sigmas)"]
    return [*lines, "s.set_begin_index(0)"]


def levels(reading: Reading) -> list[str]:
    """Where the scheduler holds itself to be, of what it hands to the network: see ``Reading.level``."""
    s = reading.configured(10)
    sigma, (held, off) = "s.sigmas[c]", SECOND.get(reading.cls.__name__, ("", None))
    if held:
        second = f"s.{held}" if off is None else f"s.{held}[c{f' - {-off}' if off else ''}]"
        sigma = f"({sigma} if s.state_in_first_order else {second})"
    if reading.has("sigmas"):
        if reading.units == "vp":
            at = f"[part.item() for part in s._sigma_to_alpha_sigma_t({sigma}.double())]"
        else:
            at = f"{'1 - ' + sigma + '.item()' if reading.flow else '1.0'}, {sigma}.item()"
    elif hasattr(s, "alphas_cumprod"):
        at = "s.alphas_cumprod[t].item() ** 0.5, (1 - s.alphas_cumprod[t].item()) ** 0.5"
    elif hasattr(s, "betas"):
        at = "s.alphas[c].item(), s.betas[c].item()"
    else:
        raise LookupError(f"where {reading.cls.__name__} is takes more than a line")
    scales = reading.scaled(s, torch.ones(1), s.timesteps[0])[1] != 1
    factor = "[s.scale_model_input(torch.ones(1).double(), t).item() * part for part in at]"
    return [f"at = {at}  # scale and noise", *([f"at = {factor}"] if scales else [])]


def hooks(reading: Reading) -> list[str]:
    """Scripted normals in the place where the scheduler draws them, if it draws any."""
    module = inspect.getmodule(reading.cls)
    found = {name: source for name, source in HOOKS.items() if hasattr(module, name)}
    place = f"sys.modules[diffusers.{reading.cls.__name__}.__module__]"
    start = [
        "import sys",
        "draws = []  # normals, and zeros after them",
        f"module, drawn = {place}, lambda: float(draws.pop(0) if draws else 0)",
    ]
    return [*start, *(f"module.{name} = {source}" for name, source in found.items())] if found else []


def made(reading: Reading) -> str:
    """The call that makes the scheduler, with the options that are not the defaults."""
    takes = inspect.signature(reading.cls.__init__).parameters
    config = {name: value for name, value in reading.config.items() if takes[name].default != value}
    return f"{reading.cls.__name__}({', '.join(f'{name}={value!r}' for name, value in config.items())})"


def arguments(reading: Reading, n: int | str) -> str:
    asked = (
        f"{n} + {reading.more}"
        if isinstance(n, str) and reading.more
        else n
        if isinstance(n, str)
        else n + reading.more
    )
    return ", ".join([str(asked), *(f"{name}={value!r}" for name, value in reading.setting.items())])
