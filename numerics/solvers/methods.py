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
from .predictions import x_0_from
from .steps import ASKS, chained, in_grid, inserted, letters, probed, size, step
from .table import PREDICTION, STATE, Row, Table

BEFORE, BEFORE_THAT = "d", "d'"  # the predictions at the node before, and at the one before that
BEGUN, SLOPE, HERE = "y", "k", "k'"  # where a step began, the slope there, and the slope here
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


# One kernel after another


def ddpm(grid: Grid) -> Table:
    """A draw from the kernel given both ends, with the prediction for the data: ancestral sampling, over any jump."""
    return first_order("ddpm", "step", "sampler.ddpm-strided", grid, order=1)


def naive(grid: Grid) -> Table:
    """The forward step, rearranged, with fresh noise: the counter-example.  It asks no network."""
    with_signal(grid, "the rearranged step divides by the alphas")
    claim = "reversal.naive-is-flat-prior"
    mean, variance = proved(claim, "mean"), proved(claim, "variance")

    def kernel(fresh: Any, alpha_ts: Any, **at: Any) -> Any:
        return mean(alpha=alpha_ts, **at) + np.sqrt(variance(alpha=alpha_ts)) * fresh

    def rows(k: int) -> list[Row]:
        return [step(kernel, grid[k], grid[k + 1], reached=k + 1, silent=True)]

    return chained("naive", grid, rows, source=(claim,))


def with_signal(grid: Grid, why: str) -> None:
    """Raises ValueError if the grid begins where noise is all there is."""
    if not grid.scales[0]:
        raise ValueError(f"the grid begins at alpha_bar = 0, and {why}: begin at a level with some signal")


# Steps along a slope: du/d sigma of the probability flow, where u = x / a, or the velocity of a flow, where a + b = 1


def in_sigma(level: Level) -> dict[str, float]:
    """The slope of the probability flow in the noise level."""
    asks = {"u": STATE, "denoised": PREDICTION}
    return probed(proved("sampler.pf-ode-gaussian", "field"), {"sigma": np.float64(level.sigma)}, asks)


def in_time(level: Level) -> dict[str, float]:
    """The velocity of the path from noise to data."""
    of_x, of_p = x_0_from("velocity", level.in_units("flow"))
    return {STATE: -of_x / of_p, PREDICTION: 1 / of_p}


UNIT_OF = {in_sigma: "ve", in_time: "flow"}


def along(slope: Callable[[Level], dict[str, float]], t: Level, s: Level, reached: int, second: bool) -> Iterator[Row]:
    """Euler's step, and with a ``second`` slope, that at its end, Heun's correction, where there is one."""
    units = UNIT_OF[slope]
    into, out_of = size(s, units), size(t, units)
    h = (s.sigma - t.sigma) if slope is in_sigma else (s.in_units("flow").scale - t.in_units("flow").scale)
    sizes = {STATE: out_of}
    begun = probed(proved("flow.one-step-mean", "step"), {"h": h}, {"x_t": STATE, "predicted_velocity": SLOPE})
    euler = in_grid(inserted(begun, SLOPE, slope(t)), into, sizes)
    if not second or not s.noise:
        yield Row(t, {STATE: euler}, reached=reached)
        return
    kept = {BEGUN: {STATE: 1.0}, SLOPE: in_grid(slope(t), 1.0, sizes)}
    yield Row(t, {**kept, STATE: euler})
    asks = {"x_t": BEGUN, "slope": SLOPE, "slope_next": HERE}
    heun = inserted(probed(proved("sampler.orders", "heun"), {"h": h}, asks), HERE, slope(s))
    yield Row(s, {STATE: in_grid(heun, into, {STATE: into, BEGUN: out_of})}, reached=reached)


def euler(grid: Grid) -> Table:
    """Euler's steps of the probability flow in the noise level.  It is DDIM without fresh noise."""
    with_signal(grid, "the noise level is infinite there")
    source = "sampler.pf-ode-gaussian", "flow.one-step-mean"
    return chained("euler", grid, lambda k: along(in_sigma, grid[k], grid[k + 1], k + 1, False), order=1, source=source)


def heun(grid: Grid, churn: float = 0.0, least: float = 0.0, most: float = np.inf, swell: float = 1.0) -> Table:
    """Heun's steps of the probability flow in the noise level: the sampler of EDM, with its churn.

    Before each step between the levels ``least`` and ``most`` of sigma, noise is added until sigma is larger by the
    factor 1 + churn / N, at most sqrt(2); it is ``swell`` times as strong as it should be.
    """
    with_signal(grid, "the noise level is infinite there")
    source = ("sampler.pf-ode-gaussian", "sampler.orders", *(("sampler.karras-schedule",) if churn else ()))

    def rows(k: int) -> Iterator[Row]:
        t, s = grid[k], grid[k + 1]
        gamma = min(churn / len(grid), np.sqrt(2) - 1) if least <= t.sigma <= most else 0.0
        if gamma:
            at = {"gamma": gamma, "sigma": np.float64(t.sigma)}
            higher = float(proved("sampler.karras-schedule", "churned")(**at))
            added = float(proved("sampler.karras-schedule", "added")(**at))
            t = Level(t.scale, t.scale * higher, grid.time_at(higher))
            yield Row(None, {STATE: {STATE: 1.0}}, noise=swell * t.scale * added)
        yield from along(in_sigma, t, s, k + 1, True)

    return chained("heun", grid, rows, order=None if churn else 2, source=source)


def flow_euler(grid: Grid) -> Table:
    """Euler's steps along the velocity of a flow."""
    source = ("flow.one-step-mean",)
    return chained(
        "flow-euler", grid, lambda k: along(in_time, grid[k], grid[k + 1], k + 1, False), order=1, source=source
    )


def flow_heun(grid: Grid) -> Table:
    """Heun's steps along the velocity of a flow."""
    source = "flow.one-step-mean", "sampler.orders"
    return chained(
        "flow-heun", grid, lambda k: along(in_time, grid[k], grid[k + 1], k + 1, True), order=2, source=source
    )


METHODS: dict[str, Callable[..., Table]] = {
    "ddpm": ddpm,
    "dpmpp-1": dpmpp_1,
    "dpmpp-2m": dpmpp_2m,
    "dpmpp-3m": dpmpp_3m,
    "sde-dpmpp-1": sde_dpmpp_1,
    "sde-dpmpp-2m": sde_dpmpp_2m,
    "euler": euler,
    "heun": heun,
    "flow-euler": flow_euler,
    "flow-heun": flow_heun,
    "naive": naive,
}
