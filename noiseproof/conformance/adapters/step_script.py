"""A run of a user's own step as a script that imports nothing else of theirs, and nothing of ours."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from . import home, place_of

SEEN = '''\
def seen(x, predict, draws{given}):
    """What the network is handed in a run{of} steps, and the end."""
    x, draws, handed = made(x{kind}), iter(draws), []
{times}    for c, (t, t_prev) in enumerate(zip(times, [*times[1:], -1])):
        handed.append(x.item())
        p = made(predict(c, t, handed[-1]{at}){kind})
        x = step(x, p, t, t_prev, lambda: made(next(draws, 0){kind}))
    return [*handed, x{item}]
'''
ADDED = '''\
def added(x_0, epsilon, told):
    """What the forward process makes of two numbers."""
    return forward(made(x_0), made(epsilon), int(told)).item()
'''
TRAINED = '''\
def trained(told):
    """Scale and noise at what the network is told."""
    bar = float(bars[int(told)])
    return bar**0.5, (1 - bar) ** 0.5
'''
SPACED = {  # the times of n steps, of T
    "linspace": "[round(t) - 1 for t in np.linspace({T}, 1, n)]",
    "leading": "[{T} // n * k for k in range(n)][::-1]",
    "trailing": "[round({T} * k / n) - 1 for k in range(n, 0, -1)]",
}


def script(adapter: Any, n: int | None, what: str) -> str:
    """The function ``seen(x, predict, draws)`` with what ``from_step`` made, or another one: see ``scripts.Tail``.

    Raises LookupError for what cannot be imported from where the step is.
    """
    if what == "trained":
        return f"{head(adapter.library)}\n{table(adapter)}\n\n\n{TRAINED}"
    part = "forward" if what == "add_noise" else "step"
    lines = imported(getattr(adapter, part), part, f"{adapter.spec}.{part}")
    start = f"{head(adapter.library)}\n{lines}\n"
    if what == "add_noise":
        return f"{start}{made(adapter.library)}\n\n\n{ADDED}"
    words = {"given": "", "of": f" of {n}", "kind": "", "times": "", "at": "", "item": ".item()"}
    if what == "run":
        start += f"times = {list(adapter.times(n))}\n"
    if what == "levels":
        times = SPACED[adapter.claims.spacing or "linspace"].format(T=adapter.schedule.T)
        words |= {
            "given": f", n={n}" if n else ", n",
            "of": " of n",
            "times": f"    times = {times}\n",
            "at": ", trained(t)",
        }
    if what == "arrays":
        start += f"times = {list(adapter.times(n))}\n"
        words |= {"given": ', dtype="float64"', "kind": ", dtype", "at": ", trained(t)", "item": ""}
    more = "" if what == "run" else f"{table(adapter)}\n"
    level = "" if what == "run" else f"{TRAINED}\n\n"
    return f"{start}{more}{made(adapter.library)}\n\n\n{level}{SEEN.format(**words)}"


def table(adapter: Any) -> str:
    """The line that imports alpha_bar, where it has a name."""
    return imported(adapter.alpha_bars, "bars", "")


def head(library: str) -> str:
    return "import sys\n\nimport numpy as np\n" + ("import torch\n" if library == "torch" else "")


def made(library: str) -> str:
    particle = "np.full((1, 1, 1, 1), number, dtype)"
    return f"made = lambda number, dtype=float: {particle if library == 'numpy' else f'torch.from_numpy({particle})'}"


def imported(function: Any, part: str, otherwise: str) -> str:
    """The lines that import a function, by its own name or, ``otherwise``, as a part of something that has one."""
    try:
        place = place_of(function)
    except LookupError:
        if not otherwise:
            raise
        place = otherwise
    file, name = place.rsplit(":", 1)
    root, module = home(Path(file))
    renamed = "" if name == part else f"\n{part} = {name}"
    return f"sys.path.insert(0, {str(root)!r})\nfrom {module} import {name.partition('.')[0]}{renamed}"
