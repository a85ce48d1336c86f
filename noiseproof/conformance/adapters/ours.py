"""Our own samplers, through the door that everybody uses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from numerics.schedules import Schedule
from numerics.solvers import grids
from numerics.solvers.grids import Grid
from numerics.solvers.methods import METHODS
from numerics.solvers.predictions import KINDS
from numerics.solvers.running import drawn, run
from numerics.solvers.table import Table

from ... import sampling
from ..protocol import PREDICTIONS, Claims, Level

FAMILIES = {
    "ddpm": "ancestral",
    "ddim": "ddim",
    "euler-ancestral": "ancestral",
    "flow-euler": "flow",
    "flow-heun": "flow",
    "sde-dpmpp-1": "sde",
    "sde-dpmpp-2m": "sde",
    "euler-maruyama": "sde",
    "langevin": "sde",
}
TAKEN_FOR = {"naive": "ddpm"}  # the counterexample is held to what one takes it for
UNITS = {"karras": "ve", "flow": "flow"}  # of grids; those of all others preserve variance


@dataclass(frozen=True, eq=False)
class Ours:
    """A method on the levels that a schedule visits, or on noise levels that are handed in."""

    method: str
    claims: Claims
    grid: Callable[[int], Grid]
    schedule: Schedule | None
    library: str = "numpy"

    def run(self, model: Any, x: Any, n: int, noise: Any) -> Any:
        return self._run(model, x, n, lambda row, like: noise(like.shape))

    def seeded(self, model: Any, x: Any, n: int, seed: int) -> Any:
        return self._run(model, x, n, drawn(seed))

    def _run(self, model: Any, x: Any, n: int, noise: Any) -> Any:
        table = asking(sampling.table(self.method, self.grid(n), self.claims.prediction))
        return run(table, lambda x, level: model(x, level.time, level[:2]), x, noise)

    def start(self, n: int) -> Level:
        return self.grid(n)[0][:2]

    def on(self, sigmas: Any) -> Ours:
        grid = Grid(np.ones_like(sigmas), sigmas).in_units("vp")
        claims = replace(self.claims, ends_at=float(sigmas[-1]), units="vp", T=None, most=None)
        return Ours(self.method, claims, lambda n: grid, None)

    @cached_property
    def trained(self) -> Callable[[float], Level] | None:
        """Where time is that of a schedule; to what it visits churn adds noise, beyond what was trained."""
        schedule = self.schedule if "churn" not in self.method else None
        return None if schedule is None else lambda told: grids.visiting(schedule, [int(told)])[0][:2]

    def told(self) -> range:
        return range(1, (self.claims.T or 0) + 1)


def asking(table: Table) -> Table:
    """The same, where a network that is never asked is asked at each step, and not listened to: then one sees where."""
    if not any(row.level for row in table.rows):
        table = replace(table, rows=tuple(row._replace(level=table.grid[k]) for k, row in enumerate(table.rows)))
    return table


def names() -> list[str]:
    """All our samplers; naive is the counterexample, and is looked at when it is named."""
    return [name for name in METHODS if name != "naive"]


def adapted(name: str, options: dict[str, Any]) -> Ours:
    """The method of this name; beside its own options ``prediction``, ``grid`` and ``schedule`` are taken.

    Raises NoSampler, a ValueError, for what there is not, saying what there is.
    """
    given = {"prediction": "noise", "grid": "linspace", "schedule": None, **options}
    prediction, spacing, schedule = (given.pop(key) for key in ("prediction", "grid", "schedule"))
    betas = schedule or sampling.DEFAULT_SCHEDULE
    trained = sampling.SCHEDULES[betas]() if spacing in sampling.OF_A_SCHEDULE else None
    grid = lambda n: sampling.grid(spacing, n, schedule)
    spelled = name + (f"({', '.join(f'{k}={v}' for k, v in given.items())})" if given else "")
    claimed = TAKEN_FOR.get(spelled, spelled)
    made = sampling.table(claimed, grid(10), prediction)
    of = {"spacing": spacing, "T": trained.T, "most": trained.T, "schedule": {"betas": betas}} if trained else {}
    claims = Claims(
        spelled,
        FAMILIES.get(claimed.partition("(")[0], "ode"),
        prediction,
        order=made.order,
        method=claimed,
        eta=float(given.get("eta", 0.0)) if name == "ddim" else None,
        variance="small" if claimed == "ddpm" else None,
        deterministic=not made.stochastic,
        ends_at=made.grid[10].sigma,
        units=UNITS.get(spacing, "vp"),
        predictions={kind: {"prediction": kind} for kind in PREDICTIONS if kind in KINDS},
        single=False,
        **of,
    )
    return Ours(spelled, claims, grid, trained)
