"""flow_matching's ODESolver, along its path CondOT from noise at t = 0 to data at t = 1."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from flow_matching.path import CondOTProbPath
from flow_matching.solver import ODESolver

from numerics.solvers.grids import Grid, flow

from ..protocol import Claims, Level
from . import one_of, parted, peers_claims

# Methods of torchdiffeq with a fixed step: the order, and which sampler of ours it is.
METHODS: dict[str, tuple[int | None, str | None]] = {
    "euler": (1, "flow-euler"),
    "midpoint": (2, None),
    "heun2": (2, None),
    "heun3": (3, None),
    "rk4": (4, None),
    "explicit_adams": (None, None),  # its coefficients are those of equal steps
}


@dataclass(frozen=True, eq=False)
class Flow:
    """The solver with one of its methods, on times that are equally spaced."""

    method: str
    claims: Claims
    times: Any = None
    library: str = "torch"

    def run(self, model: Any, x: Any, n: int, noise: Any) -> Any:
        path = CondOTProbPath()

        def velocity(x: Any, t: Any, **_: Any) -> Any:
            at = path.scheduler(t)
            return model(x, t, (at.alpha_t, at.sigma_t))

        times = torch.as_tensor(flow(n).times if self.times is None else self.times, dtype=x.dtype)
        return ODESolver(velocity).sample(x, step_size=None, method=self.method, time_grid=times)

    def start(self, n: int) -> Level:
        return self.trained(0.0 if self.times is None else float(self.times[0]))

    def trained(self, told: float) -> Level:
        at = CondOTProbPath().scheduler(torch.tensor(told, dtype=torch.float64))
        return float(at.alpha_t), float(at.sigma_t)

    def told(self) -> list[float]:
        return flow(1000).times[::-1].tolist()

    def add_noise(self, x_0: Any, epsilon: Any, told: float, n: int | None) -> Any:
        return CondOTProbPath().sample(t=torch.full((len(x_0),), told, dtype=x_0.dtype), x_0=epsilon, x_1=x_0).x_t

    def on(self, sigmas: Any) -> Flow:
        times = Grid(np.ones_like(sigmas), sigmas).in_units("flow").scales
        return replace(self, times=times, claims=replace(self.claims, ends_at=float(sigmas[-1])))


def names() -> list[str]:
    """Of its solvers the one in continuous time and space."""
    return ["ODESolver"]


def adapted(name: str, options: dict[str, Any]) -> Flow:
    """The solver; ``method`` is one of torchdiffeq's with a fixed step."""
    if name not in names():
        raise LookupError(f"there is no adapter for {name} of flow_matching; there is one for {', '.join(names())}")
    given, said = parted(name, options, ["method"])
    method = one_of("method (of those with a fixed step)", given.get("method", "euler"), METHODS)
    order, ours = METHODS[method]
    known = {"family": "flow", "prediction": "velocity", "order": order, "method": ours, "deterministic": True}
    return Flow(method, peers_claims.claims(f"{name}, {method}", known | {"units": "flow"}, said))
