"""The named samplers: each is a table on a grid, and its coefficients come from formulas that are proved.

Every one takes the grid first, in whatever units, and its options as keywords; METHODS has them by name.  ``order`` is
that of the error at the end where nodes are spaced smoothly: of each trajectory, or of the law where noise is drawn.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ..compiled import proved
from .grids import Grid, Level
from .steps import ASKS, FRESH, chained, letters, step
from .table import PREDICTION, STATE, Row, Table

BEFORE, BEFORE_THAT = "d", "d'"  # the predictions at the node before, and at the one before that
BEGUN, SLOPE = "y", "k"  # where a step began, and the slope there
OF_MANY = ASKS | {"predicted_prev": BEFORE, "predicted_before": BEFORE_THAT}


def options(method: Callable[..., Table]) -> dict[str, Any]:
    """The options of a method, with their defaults."""
    parameters = inspect.signature(method).parameters.values()
    return {p.name: p.default for p in parameters if p.default is not p.empty}


def first_order(method: str, formula: str, claim: str, grid: Grid, **more: Any) -> Table:
    """One row a step, all by one formula."""
    of_step = proved(claim, formula)
    return chained(
        method, grid, lambda k: [step(of_step, grid[k], grid[k + 1], reached=k + 1)], source=(claim,), **more
    )


def multistep(method: str, claim: str, names: tuple[str, ...], grid: Grid, order: int | None = None) -> Table:
    """Formulas that use the more predictions the later they stand in the list.

    The first steps have few behind them, and the last one, if it leaves no noise, is infinitely long in log-SNR: there
    the line through two predictions says nothing, and the first formula is taken.
    """
    formulas = [proved(claim, name) for name in names]

    def row(k: int) -> Iterator[Row]:
        t, s = grid[k], grid[k + 1]
        last = not s.noise
        first = not t.scale  # without signal log-SNR is infinite there, and later steps may not look back to it
        behind = 0 if last or first else sum(bool(grid[j].scale) for j in range(max(0, k - len(names) + 1), k))
        before = [grid[k - j] for j in range(1, behind + 1)]
        remember = dict(zip((BEFORE, BEFORE_THAT)[: len(names) - 1], ({PREDICTION: 1.0}, {BEFORE: 1.0})))
        if k == 0:
            remember.pop(BEFORE_THAT, None)
        asks = {name: register for name, register in OF_MANY.items() if name in ASKS or register in known(behind)}
        yield step(formulas[behind], t, s, letters(t, s, *before), asks, reached=k + 1, remember=remember)

    return chained(method, grid, row, order=order, source=(claim,))


def known(behind: int) -> tuple[str, ...]:
    return (BEFORE, BEFORE_THAT)[:behind]


def dpmpp_1(grid: Grid) -> Table:
    """DPM-Solver++(1): the predicted data held along the probability flow.  It is DDIM without fresh noise."""
    return multistep("dpmpp-1", "sampler.dpmpp-2m", ("step_1",), grid, order=1)


def dpmpp_2m(grid: Grid) -> Table:
    """DPM-Solver++(2M): the line through two predictions, held in the middle of the step."""
    return multistep("dpmpp-2m", "sampler.dpmpp-2m", ("step_1", "step_2m"), grid, order=2)


def dpmpp_3m(grid: Grid) -> Table:
    """DPM-Solver++(3M): the parabola through three predictions, integrated."""
    return multistep("dpmpp-3m", "sampler.dpmpp-2m", ("step_1", "step_2m", "step_3m"), grid, order=3)


def sde_dpmpp_1(grid: Grid) -> Table:
    """SDE-DPM-Solver++(1): the predicted data held along the reverse diffusion.  It is ancestral sampling."""
    return multistep("sde-dpmpp-1", "sampler.sde-dpmpp-1", ("step",), grid, order=1)


def sde_dpmpp_2m(grid: Grid) -> Table:
    """SDE-DPM-Solver++(2M): the line through two predictions, along the reverse diffusion."""
    return multistep("sde-dpmpp-2m", "sampler.sde-dpmpp-1", ("step", "step_2m"), grid, order=2)


METHODS: dict[str, Callable[..., Table]] = {
    "dpmpp-1": dpmpp_1,
    "dpmpp-2m": dpmpp_2m,
    "dpmpp-3m": dpmpp_3m,
    "sde-dpmpp-1": sde_dpmpp_1,
    "sde-dpmpp-2m": sde_dpmpp_2m,
}
