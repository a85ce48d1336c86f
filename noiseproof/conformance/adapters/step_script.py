"""A run of a user's own step as a script that imports nothing else of theirs, and nothing of ours."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from . import home, place_of

SEEN = '''\
def seen(x, predict, draws):
    """What the network is handed in a run of {n} steps, and the end."""
    x, draws, handed = made(x), iter(draws), []
    for c, (t, t_prev) in enumerate(zip(times, [*times[1:], -1])):
        handed.append(x.item())
        p = made(predict(c, t, handed[-1]))
        x = step(x, p, t, t_prev, lambda: made(next(draws, 0)))
    return [*handed, x.item()]
'''
ADDED = '''\
def added(x_0, epsilon, told):
    """What the forward process makes of two numbers."""
    return forward(made(x_0), made(epsilon), int(told)).item()
'''


def script(adapter: Any, times: Sequence[int], what: str) -> str:
    """The function ``seen(x, predict, draws)`` with what ``from_step`` made, or ``added(x_0, epsilon, told)``."""
    part, rest = ("forward", ADDED) if what == "add_noise" else ("step", SEEN.format(n=len(times)))
    visited = "" if what == "add_noise" else f"times = {list(times)}\n"
    lines = imported(getattr(adapter, part), part, f"{adapter.spec}.{part}")
    return f"{head(adapter.library)}\n{lines}\n{visited}{made(adapter.library)}\n\n\n{rest}"


def head(library: str) -> str:
    return "import sys\n\nimport numpy as np\n" + ("import torch\n" if library == "torch" else "")


def made(library: str) -> str:
    particle = "np.full((1, 1, 1, 1), float(number))"
    return f"made = lambda number: {particle if library == 'numpy' else f'torch.from_numpy({particle})'}"


def imported(function: Any, part: str, otherwise: str) -> str:
    """The lines that import a function, by its own name or, ``otherwise``, as a part of something that has one."""
    try:
        place = place_of(function)
    except LookupError:
        place = otherwise
    file, name = place.rsplit(":", 1)
    root, module = home(Path(file))
    renamed = "" if name == part else f"\n{part} = {name}"
    return f"sys.path.insert(0, {str(root)!r})\nfrom {module} import {name.partition('.')[0]}{renamed}"
