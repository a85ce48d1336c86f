"""A user's own step, ``step(x, p, t, t_prev, noise)``, in the loop that everybody writes around it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from numerics.schedules import Schedule, from_alpha_bars
from numerics.solvers.methods import METHODS

from ... import sampling
from ..protocol import Claims, Level
from . import generated, one_of, place_of, step_script


@dataclass(frozen=True, eq=False)
class FromStep:
    """What ``from_step`` makes: an adapter around one step."""

    step: Callable[..., Any]
    alpha_bars: Sequence[float]  # as they were handed in, so that they can be found again
    schedule: Schedule
    claims: Claims
    library: str = "numpy"
    forward: Callable[..., Any] | None = None

    def times(self, n: int) -> list[int]:
        spaced = sampling.OF_A_SCHEDULE[self.claims.spacing or "linspace"]
        return [int(t) - 1 for t in spaced(self.schedule, n).times[:-1]]  # of schedules t = 1 is the cleanest, here 0

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
        return float(self.alpha_bars[int(told)]) ** 0.5, float(1 - self.alpha_bars[int(told)]) ** 0.5

    def told(self) -> Sequence[float]:
        return range(self.schedule.T)

    @cached_property
    def add_noise(self) -> Callable[..., Any] | None:
        forward = self.forward
        return forward and (lambda x_0, epsilon, told, n: forward(x_0, epsilon, int(told)))

    def script(self, n: int | None, what: str) -> str:
        return step_script.script(self, n, what)

    @property
    def spec(self) -> str:
        """Where another process finds it."""
        return place_of(self)


def from_step(
    step: Callable[..., Any],
    alpha_bars: Sequence[float],
    *,
    family: str | None = None,
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
    x is an array of the ``library``, "numpy" or "torch".

    ``family`` is "ancestral" (it draws from DDPM's posterior), "ddim" (DDPM, DDIM and what lies between, by ``eta``),
    "ode", "sde", "flow" or "consistency".  If it is not said, it is "ddim" where ``eta``, ``deterministic=True`` or a
    ``method`` of that name is, and else "ancestral".  What else it ``claims`` is said by keywords, such as
    ``variance="small"``, ``order=1`` or ``method="ddim"``: ``noiseproof.Claims`` lists them.

    Raises ValueError for alpha_bars that are none, an unknown family, prediction, spacing, library, variance or method.
    """
    schedule = from_alpha_bars(alpha_bars)
    one_of("spacing", spacing, sampling.OF_A_SCHEDULE)
    one_of("library", library, ("numpy", "torch"))
    if not callable(step):
        raise TypeError(f"the step is {type(step).__name__}; expected a function step(x, p, t, t_prev, noise)")
    said = {"order": 1, "T": schedule.T, "most": schedule.T, "single": False, **claims}
    method = one_of("method", str(said.get("method") or "ddpm").partition("(")[0], METHODS)
    of_ddim = "eta" in claims or claims.get("deterministic") or method == "ddim"
    family = family or ("ddim" if of_ddim else "ancestral")
    name = said.pop("name", getattr(step, "__name__", type(step).__name__))
    claimed = Claims(name, family, prediction, spacing=spacing, **said)
    return FromStep(step, alpha_bars, schedule, claimed, library, add_noise)
