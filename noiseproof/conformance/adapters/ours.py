"""Our own samplers, through the door that everybody uses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from numerics.schedules import linear
from numerics.solvers.grids import Grid, linspace
from numerics.solvers.methods import METHODS
from numerics.solvers.running import run

from ..protocol import Claims, Level

NAMES = {"noise": "noise", "x_0": "x_0", "v": "v", "velocity": "velocity"}
FAMILY = {
    "ddpm": "ancestral",
    "ddim": "ddim",
    "euler-ancestral": "ancestral",
    "flow-euler": "flow",
    "flow-heun": "flow",
}
LAWS = ("sde-dpmpp-1", "sde-dpmpp-2m", "euler-maruyama", "langevin")


@dataclass(frozen=True, eq=False)
class Ours:
    """A method on the levels that a schedule visits, or on noise levels that are handed in."""

    method: Callable[..., Any]
    options: dict[str, Any]
    claims: Claims
    grid: Callable[[int], Grid]
    library: str = "numpy"

    def run(self, model: Any, x: Any, n: int, noise: Any) -> Any:
        table = self.method(self.grid(n), **self.options).predicting(self.claims.prediction)
        told = lambda x, level: model(x, level.time, level[:2])
        return run(table, told, x, lambda row, like: noise(like.shape))

    def start(self, n: int) -> Level:
        return self.grid(n)[0][:2]

    def on(self, sigmas: Any) -> Ours:
        grid = Grid(np.ones_like(sigmas), sigmas).in_units("vp")
        return Ours(self.method, self.options, self.claims, lambda n: grid, self.library)

    def trained(self, told: float) -> Level:
        bar = float(linear().alpha_bar(int(told)))
        return bar**0.5, (1 - bar) ** 0.5

    def told(self) -> range:
        return range(1, linear().T + 1)


def adapted(name: str, options: dict[str, Any]) -> Ours:
    """The method of this name.  Raises LookupError for one that there is not."""
    if name not in METHODS:
        raise LookupError(f"there is no sampler called {name}; there are {', '.join(METHODS)}")
    prediction = options.pop("prediction", "noise")
    grid = lambda n: linspace(linear(), n)
    made = METHODS[name](grid(10), **options)
    spelled = name + (f"({', '.join(f'{k}={v}' for k, v in options.items())})" if options else "")
    claims = Claims(
        spelled,
        FAMILY.get(name, "sde" if name in LAWS else "ode"),
        prediction,
        order=made.order,
        method=spelled,
        eta=options.get("eta", 0.0) if name == "ddim" else None,
        variance="small" if name == "ddpm" else None,
        deterministic=not made.stochastic,
        T=linear().T,
        most=linear().T,
        single=False,
        spacing="linspace",
    )
    return Ours(METHODS[name], options, claims, grid)
