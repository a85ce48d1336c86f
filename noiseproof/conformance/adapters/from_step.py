"""A user's own step, ``step(x, p, t, t_prev, noise)``, in the loop that everybody writes around it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from numerics.schedules import Schedule, from_alpha_bars

from ... import sampling
from ..protocol import Claims, Level
from . import generated, home, one_of, place_of

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


@dataclass(frozen=True, eq=False)
class FromStep:
    """What ``from_step`` makes: an adapter around one step."""

    step: Callable[..., Any]
    alpha_bars: np.ndarray
    schedule: Schedule
    claims: Claims
    library: str = "numpy"
    forward: Callable[..., Any] | None = None

    def times(self, n: int) -> list[int]:
        grid = sampling.OF_A_SCHEDULE[self.claims.spacing or "linspace"](self.schedule, n)
        return [int(t) - 1 for t in grid.times[:-1]]  # of schedules t = 1 is the cleanest, and here t = 0

    def run(self, model: Any, x: Any, n: int, noise: Any) -> Any:
        for t, t_prev in itertools.pairwise([*self.times(n), -1]):
            p = model(x, t, self.trained(t))
            x = self.step(x, p, t, t_prev, lambda like=x: noise(like.shape))
        return x

    def seeded(self, model: Any, x: Any, n: int, seed: int) -> Any:
        return self.run(model, x, n, generated(seed, x))

    def start(self, n: int) -> Level:
        return self.trained(self.times(n)[0])

    def trained(self, told: float) -> Level:
        bar = float(self.alpha_bars[int(told)])
        return bar**0.5, (1 - bar) ** 0.5

    def told(self) -> Sequence[float]:
        return range(self.schedule.T)

    @cached_property
    def add_noise(self) -> Callable[..., Any] | None:
        forward = self.forward
        return forward and (lambda x_0, epsilon, told, n: forward(x_0, epsilon, int(told)))

    def script(self, n: int | None, what: str) -> str:
        """A run with nothing but the user's own functions."""
        step, times = imported(self, "step"), self.times(n) if n else []
        made = "np.full((1, 1, 1, 1), float(number))"
        made = made if self.library == "numpy" else f"torch.from_numpy({made})"
        head = "import sys\n\nimport numpy as np\n" + ("import torch\n" if self.library == "torch" else "")
        if what == "add_noise":
            adds = imported(self, "forward")
            return f"{head}\n{adds}\nmade = lambda number: {made}\n\n\n" + ADDED
        return f"{head}\n{step}\ntimes = {times}\nmade = lambda number: {made}\n\n\n{SEEN.format(n=n)}"

    @property
    def spec(self) -> str:
        """Where another process finds it."""
        return place_of(self)


def from_step(
    step: Callable[..., Any],
    alpha_bars: Sequence[float],
    *,
    family: str = "ancestral",
    prediction: str = "noise",
    spacing: str = "linspace",
    library: str = "numpy",
    add_noise: Callable[..., Any] | None = None,
    **claims: Any,
) -> FromStep:
    """A sampler made of one step, for ``noiseproof check``.

    ``step(x, p, t, t_prev, noise)`` takes x at time t to x at time t_prev (-1 is the end, where alpha_bar is 1), p
    being what the network predicts and ``noise()`` fresh normals like x.  ``alpha_bars[t]`` are those of training,
    t = 0 being the cleanest.  ``add_noise(x_0, epsilon, t)`` is the forward process, if it is to be looked at, too.
    x is an array of the ``library``, "numpy" or "torch".  What it ``claims`` is said by keywords: ``noiseproof.Claims``
    lists them.

    Raises ValueError for alpha_bars that are none, an unknown family, prediction, spacing or library.
    """
    schedule = from_alpha_bars(alpha_bars)
    one_of("spacing", spacing, sampling.OF_A_SCHEDULE)
    one_of("library", library, ("numpy", "torch"))
    if not callable(step):
        raise TypeError(f"the step is {type(step).__name__}; expected a function step(x, p, t, t_prev, noise)")
    said = {"order": 1, "T": schedule.T, "most": schedule.T, "single": False, **claims}
    name = said.pop("name", getattr(step, "__name__", type(step).__name__))
    return FromStep(
        step,
        np.array(alpha_bars, dtype=float),
        schedule,
        Claims(name, family, prediction, spacing=spacing, **said),
        library,
        add_noise,
    )


def imported(adapter: FromStep, part: str) -> str:
    """The lines that import a function of the user's, by its own name or as a part of what ``from_step`` made."""
    try:
        file, name = place_of(getattr(adapter, part)).rsplit(":", 1)
    except LookupError:
        file, name = f"{adapter.spec}.{part}".rsplit(":", 1)
    root, module = home(Path(file))
    first = name.partition(".")[0]
    renamed = "" if name == part else f"\n{part} = {name}"
    return f"sys.path.insert(0, {str(root)!r})\nfrom {module} import {first}{renamed}"
