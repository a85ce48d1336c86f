"""A run of a scheduler of diffusers as a script of diffusers and torch alone, for those who do not have us at hand."""

from __future__ import annotations

import inspect
from typing import Any

import torch

from .diffusers_levels import Reading

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
    return forward(reading, n) if what == "add_noise" else run(reading, stepping, n or 1)


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


def run(reading: Reading, stepping: dict[str, Any], n: int) -> str:
    """The function ``seen(x, predict, draws)``, in the loop that pipelines write around a scheduler."""
    takes, s = inspect.signature(reading.fresh.step).parameters, reading.configured(n)
    words = {name: word for name, word in OFFERED.items() if name in takes}
    words |= {name: repr(value) for name, value in stepping.items()}
    more = "".join(f", {name}={word}" for name, word in words.items())
    whole = "t.expand(1)" if takes["timestep"].annotation is torch.Tensor else "t"
    known = "known" in words.values()
    lines = [
        *hooks(reading),
        "\n\ndef seen(x, predict, noise):",
        f'    """What the network is handed in a run of {n} steps, and the end."""',
        "    draws[:], handed = noise, []",
        *(["    known = None"] if known else []),
        "    x = torch.full((1, 1, 1, 1), float(x), dtype=torch.float64)",
        f"    s = diffusers.{made(reading)}",
        f"    s.set_timesteps({arguments(reading, n)})",
        f"    times = s.timesteps{'' if len(reading.questions(s)) == len(s.timesteps) else '[:-1]'}",
        "    for c, t in enumerate(times):",
        f"        scaled = {'s.scale_model_input(x, t)' if reading.has('scale_model_input') else 'x'}",
        "        handed.append(scaled.item())",
        "        p = torch.full_like(scaled, float(predict(c, t.item(), handed[-1])))",
        *(f"        {line}" for name, line in TIMES.items() if name in takes),
        f"        made = s.step(model_output=p, timestep={whole}, sample=x{more}, return_dict=False)",
        f"        {'x, known, *_ = *made, None' if known else 'x = made[0]'}",
        "    return [*handed, x.item()]",
    ]
    return "\n".join(lines) + "\n"


def hooks(reading: Reading) -> list[str]:
    """Imports, and scripted normals in the place where the scheduler draws them."""
    module = inspect.getmodule(reading.cls)
    found = {name: source for name, source in HOOKS.items() if hasattr(module, name)}
    place = f"sys.modules[diffusers.{reading.cls.__name__}.__module__]"
    return [
        *(["import sys\n"] if found else []),
        "import diffusers\nimport torch\n",
        "draws = []  # normals, and zeros after them",
        *([f"module, drawn = {place}, lambda: float(draws.pop(0) if draws else 0)"] if found else []),
        *(f"module.{name} = {source}" for name, source in found.items()),
    ]


def made(reading: Reading) -> str:
    """The call that makes the scheduler, with the options that are not the defaults."""
    takes = inspect.signature(reading.cls.__init__).parameters
    config = {name: value for name, value in reading.config.items() if takes[name].default != value}
    return f"{reading.cls.__name__}({', '.join(f'{name}={value!r}' for name, value in config.items())})"


def arguments(reading: Reading, n: int) -> str:
    return ", ".join([str(n + reading.more), *(f"{name}={value!r}" for name, value in reading.setting.items())])
