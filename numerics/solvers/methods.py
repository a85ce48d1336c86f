"""The named samplers: each is a table on a grid, and its coefficients come from formulas that are proved.

Every one takes the grid first, in whatever units, and its options as keywords; METHODS has them by name.  ``order`` is
that of the error at the end where nodes are spaced smoothly: of each trajectory, or of the law where noise is drawn.
That of 3M is seen where the grid begins with hardly any signal, and is 2 elsewhere.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any, Literal, NamedTuple

import numpy as np

from ..compiled import proved
from .grids import Grid, Level
from .predictions import Predict, guided, x_0_from
from .steps import ASKS, FRESH, chained, in_grid, inserted, letters, probed, size, step
from .table import PREDICTION, STATE, Row, Sum, Table

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


def multistep(
    method: str, claim: str, names: tuple[str, ...], grid: Grid, order: int, without_signal: Callable[[Grid], Table]
) -> Table:
    """Formulas that use the more predictions the later they stand in the list.

    The first steps have few behind them, and the last one, if it leaves no noise, is infinitely long in log-SNR: there
    the line through two predictions says nothing, and the first formula is taken.
    """
    formulas = [proved(claim, name) for name in names]

    def row(k: int) -> Iterator[Row]:
        t, s = grid[k], grid[k + 1]
        remember: dict[str, Sum] = {}
        if len(names) > 1:
            remember[BEFORE] = {PREDICTION: 1.0}
        if len(names) > 2 and k:
            remember[BEFORE_THAT] = {BEFORE: 1.0}
        if not t.scale:  # without signal log-SNR is infinite, and the step is the same one in other letters
            (row,) = without_signal(grid.between(k, k + 1)).rows
            yield row._replace(maps={**row.maps, **remember}, reached=k + 1)
            return
        behind = 0 if not s.noise else sum(bool(grid[j].scale) for j in range(max(0, k - len(names) + 1), k))
        before = [grid[k - j] for j in range(1, behind + 1)]
        asks = {name: register for name, register in OF_MANY.items() if name in ASKS or register in known(behind)}
        yield step(formulas[behind], t, s, letters(t, s, *before), asks, reached=k + 1, remember=remember)

    return chained(method, grid, row, order=order, source=(claim,))


def known(behind: int) -> tuple[str, ...]:
    return (BEFORE, BEFORE_THAT)[:behind]


def dpmpp_1(grid: Grid) -> Table:
    """DPM-Solver++(1): the predicted data held along the probability flow.  It is DDIM without fresh noise."""
    return multistep("dpmpp-1", "sampler.dpmpp-2m", ("step_1",), grid, 1, ddim)


def dpmpp_2m(grid: Grid) -> Table:
    """DPM-Solver++(2M): the line through two predictions, held in the middle of the step."""
    return multistep("dpmpp-2m", "sampler.dpmpp-2m", ("step_1", "step_2m"), grid, 2, ddim)


def dpmpp_3m(grid: Grid) -> Table:
    """DPM-Solver++(3M): the parabola through three predictions, integrated.

    Its first step is DDIM's, whose error h^2 stays to the end.  With hardly any signal at the start this is next to
    nothing, and the order is 3; begun further down, as at sigma = 3, it is 2.
    """
    return multistep("dpmpp-3m", "sampler.dpmpp-2m", ("step_1", "step_2m", "step_3m"), grid, 3, ddim)


def sde_dpmpp_1(grid: Grid) -> Table:
    """SDE-DPM-Solver++(1): the predicted data held along the reverse diffusion.  It is ancestral sampling."""
    return multistep("sde-dpmpp-1", "sampler.sde-dpmpp-1", ("step",), grid, 1, ddpm)


def sde_dpmpp_2m(grid: Grid) -> Table:
    """SDE-DPM-Solver++(2M): the line through two predictions, along the reverse diffusion."""
    return multistep("sde-dpmpp-2m", "sampler.sde-dpmpp-1", ("step", "step_2m"), grid, 2, ddpm)


# One kernel after another


def ddpm(grid: Grid) -> Table:
    """A draw from the kernel given both ends, with the prediction for the data: ancestral sampling, over any jump."""
    return first_order("ddpm", "step", "sampler.ddpm-strided", grid, order=1)


def ddim(grid: Grid, eta: float = 0.0) -> Table:
    """The predicted noise again, and the part eta of DDPM's fresh noise in the place of some of it.

    Raises ValueError unless 0 <= eta <= 1: no more than all noise at the next level can be fresh, on any grid.
    """
    if not 0 <= eta <= 1:
        raise ValueError(f"eta = {eta:g}; expected a number from 0 (none of the noise is fresh) to 1 (as in DDPM)")
    mean, sigma = proved("sampler.ddim-marginals", "mean"), proved("sampler.ddim-eta", "sigma_eta")

    def kernel(predicted_x_0: Any, fresh: Any, **at: Any) -> Any:
        afresh = sigma(eta=eta, **at)
        return mean(x_0=predicted_x_0, sigma=afresh, **at) + afresh * fresh

    def rows(k: int) -> list[Row]:
        return [step(kernel, grid[k], grid[k + 1], reached=k + 1)]

    return chained("ddim", grid, rows, order=1, source=("sampler.ddim-marginals", "sampler.ddim-eta"))


def euler_ancestral(grid: Grid) -> Table:
    """An Euler step in the noise level to below the next one, and fresh noise up to it.  It is DDPM's step."""
    with_signal(grid, "the noise level is infinite there")
    claim = "sampler.ve-ancestral"
    mean, variance = proved(claim, "mean"), proved(claim, "variance")

    def kernel(fresh: Any, **at: Any) -> Any:
        return mean(**at) + np.sqrt(variance(**at)) * fresh

    def rows(k: int) -> list[Row]:
        t, s = grid[k], grid[k + 1]
        at = {"sigma_t": np.float64(t.sigma), "part": s.sigma / t.sigma}
        return [step(kernel, t, s, at, units="ve", reached=k + 1)]

    return chained("euler-ancestral", grid, rows, order=1, source=(claim,))


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


class Slope(NamedTuple):
    """A law of which only the slope of its logarithm is asked for."""

    value: Any

    def score(self, x: Any) -> Any:
        return self.value


def euler_maruyama(grid: Grid) -> Table:
    """Steps of Euler and Maruyama along the reverse diffusion, whose time is the integral of beta."""
    with_signal(grid, "the integral of beta is infinite there")
    drift, moved = proved("sde.reverse-and-pf-ode", "drift"), proved("sampler.orders", "euler_maruyama")
    process = {"t": 0.0, "lam": 1.0, "f": lambda t: -0.5, "g": lambda t: 1.0}

    def rows(k: int) -> list[Row]:
        t, s = grid[k].in_units("vp"), grid[k + 1].in_units("vp")
        of_x, of_p = x_0_from("score", t)
        h = np.log(s.alpha_bar / t.alpha_bar)

        def kernel(x_t: Any, predicted_x_0: Any, fresh: Any, **at: Any) -> Any:
            score = Slope((predicted_x_0 - of_x * x_t) / of_p)
            return moved(x_t=x_t, h=h, slope=-drift(x=x_t, marginal=score, **process), noise=1.0, fresh=fresh)

        return [step(kernel, grid[k], grid[k + 1], reached=k + 1)]

    source = "sde.reverse-and-pf-ode", "sampler.orders"
    return chained("euler-maruyama", grid, rows, order=1, source=source)


def langevin(grid: Grid, delta: float = 0.3, repeats: float = 5) -> Table:
    """Langevin steps at one level after another, of the size delta in units of the variance of the noise there.

    Where the grid ends without noise, what is left of it at the level before is taken away in one step.
    """
    with_signal(grid, "there is no score to follow: all is noise")
    if not 0 < delta < 4 or repeats < 1 or repeats % 1:
        raise ValueError(f"delta = {delta:g} and repeats = {repeats:g}; expected 0 < delta < 4 and a whole number >= 1")
    follow = proved("sampler.langevin", "step")

    def rows(k: int) -> Iterator[Row]:
        t, s = grid[k], grid[k + 1]
        if not s.noise:
            yield Row(t, {STATE: {PREDICTION: s.scale}}, reached=k + 1)
            return
        of_x, of_p = x_0_from("score", s)

        def kernel(x_t: Any, predicted_x_0: Any, fresh: Any, **at: Any) -> Any:
            score = (predicted_x_0 - of_x * x_t) / of_p
            return follow(x=x_t, score=score, delta=delta * s.noise**2, fresh=fresh)

        sum_ = probed(kernel, {}, {"x_t": STATE, "predicted_x_0": PREDICTION, "fresh": FRESH})
        yield Row(None, {STATE: {STATE: s.scale / t.scale}})
        for n in range(int(repeats)):
            last = n == repeats - 1
            maps = {name: c for name, c in sum_.items() if name != FRESH}
            yield Row(s, {STATE: maps}, sum_[FRESH], reached=k + 1 if last else None)

    return chained("langevin", grid, rows, source=("sampler.langevin",))


def with_signal(grid: Grid, why: str) -> None:
    """Raises ValueError if the grid begins where noise is all there is."""
    if not grid.scales[0]:
        raise ValueError(
            f"the grid begins at alpha_bar = 0, and {why}: begin at a level with some signal, as the grid trailing does"
        )


# Steps along a slope: du/d sigma of the probability flow, where u = x / a, or the velocity of a flow, where a + b = 1


def in_sigma(level: Level) -> dict[str, float]:
    """The slope of the probability flow in the noise level."""
    asks = {"u": STATE, "denoised": PREDICTION}
    score = probed(proved("edm.denoiser-score", "score"), {"sigma": np.float64(level.sigma)}, asks)
    at = {"s": 1.0, "s_dot": 0.0, "sigma": level.sigma, "sigma_dot": 1.0}
    velocity = probed(proved("edm.ode-table", "velocity"), at, {"x": STATE, "slope": SLOPE})
    return inserted(velocity, SLOPE, score)


def in_time(level: Level) -> dict[str, float]:
    """The velocity of the path from noise to data."""
    of_x, of_p = x_0_from("velocity", level.in_units("flow"))
    return {STATE: -of_x / of_p, PREDICTION: 1 / of_p}


Units = Literal["ve", "flow"]
SLOPES: dict[Units, Callable[[Level], dict[str, float]]] = {"ve": in_sigma, "flow": in_time}


def along(units: Units, t: Level, s: Level, reached: int, second: bool) -> Iterator[Row]:
    """Euler's step, and with a ``second`` slope, that at its end, Heun's correction, where there is one."""
    slope = SLOPES[units]
    into, out_of = size(s, units), size(t, units)
    h = (s.sigma - t.sigma) if units == "ve" else (s.in_units("flow").scale - t.in_units("flow").scale)
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
    source = "edm.ode-table", "edm.denoiser-score", "flow.one-step-mean"
    return chained("euler", grid, lambda k: along("ve", grid[k], grid[k + 1], k + 1, False), order=1, source=source)


def heun(grid: Grid, churn: float = 0.0, least: float = 0.0, most: float = np.inf, swell: float = 1.0) -> Table:
    """Heun's steps of the probability flow in the noise level: the sampler of EDM, with its churn.

    Before each step between the levels ``least`` and ``most`` of sigma, noise is added until sigma is larger by the
    factor 1 + churn / N, at most sqrt(2); it is ``swell`` times as strong as it should be.
    """
    with_signal(grid, "the noise level is infinite there")
    if not 0 <= churn < np.inf:
        raise ValueError(f"churn = {churn:g}; expected a number from 0 on")
    if not 0 <= least <= most:
        raise ValueError(f"least = {least:g} and most = {most:g}; expected 0 <= least <= most, levels of sigma")
    if not 0 < swell < np.inf:
        raise ValueError(f"swell = {swell:g}; expected a number above 0, such as 1")
    source = ("edm.ode-table", "edm.denoiser-score", "sampler.orders", *(("sampler.karras-schedule",) if churn else ()))

    def rows(k: int) -> Iterator[Row]:
        t, s = grid[k], grid[k + 1]
        gamma = min(churn / len(grid), np.sqrt(2) - 1) if least <= t.sigma <= most else 0.0
        if gamma:
            at = {"gamma": gamma, "sigma": np.float64(t.sigma)}
            higher = float(proved("sampler.karras-schedule", "churned")(**at))
            added = float(proved("sampler.karras-schedule", "added")(**at))
            t = Level(t.scale, t.scale * higher, grid.time_at(higher))
            yield Row(None, {STATE: {STATE: 1.0}}, noise=swell * t.scale * added)
        yield from along("ve", t, s, k + 1, True)

    return chained("heun", grid, rows, order=None if churn else 2, source=source)


def flow_euler(grid: Grid) -> Table:
    """Euler's steps along the velocity of a flow."""
    source = ("flow.one-step-mean",)
    return chained(
        "flow-euler", grid, lambda k: along("flow", grid[k], grid[k + 1], k + 1, False), order=1, source=source
    )


def flow_heun(grid: Grid) -> Table:
    """Heun's steps along the velocity of a flow."""
    source = "flow.one-step-mean", "sampler.orders"
    return chained(
        "flow-heun", grid, lambda k: along("flow", grid[k], grid[k + 1], k + 1, True), order=2, source=source
    )


# Guidance


def classifier_free(conditional: Predict, unconditional: Predict, w: float) -> Predict:
    """(1 + w) times the prediction given a label, less w times that without one; w = 0 is conditional sampling.

    Of the noise, or of whatever is affine in it: x_0, v, the score, the velocity.
    """
    combined = proved("guidance.cfg", "guided")
    return guided(
        conditional,
        unconditional,
        lambda with_label, without: combined(conditional_noise=with_label, predicted_noise=without, w=w),
    )


METHODS: dict[str, Callable[..., Table]] = {
    "ddpm": ddpm,
    "ddim": ddim,
    "euler-ancestral": euler_ancestral,
    "dpmpp-1": dpmpp_1,
    "dpmpp-2m": dpmpp_2m,
    "dpmpp-3m": dpmpp_3m,
    "sde-dpmpp-1": sde_dpmpp_1,
    "sde-dpmpp-2m": sde_dpmpp_2m,
    "euler": euler,
    "heun": heun,
    "flow-euler": flow_euler,
    "flow-heun": flow_heun,
    "euler-maruyama": euler_maruyama,
    "langevin": langevin,
    "naive": naive,
}
