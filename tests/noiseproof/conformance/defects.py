"""Samplers written from the papers, and one of each for every mistake that people make: ``defects.py:name``.

Each mistake is one line of the formulas below, or one of the loop around them.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from noiseproof import Claims, from_step
from noiseproof.conformance.adapters.from_step import FromStep

T = 1000
BETAS = np.linspace(1e-4, 0.02, T)
BARS = np.cumprod(1 - BETAS)
LINEAR = {"betas": "linear", "start": 1e-4, "end": 0.02}


def bar(t: int) -> float:
    return float(BARS[t]) if t >= 0 else 1.0


# ---------------------------------------------------------------- DDPM, eq. 7 for a jump from t to s


@dataclass(frozen=True)
class Jump:
    t: int
    s: int
    bar_t: float
    bar_s: float

    @property
    def alpha(self) -> float:
        return self.bar_t / self.bar_s

    @property
    def beta(self) -> float:
        return 1 - self.alpha


def jump(t: int, s: int) -> Jump:
    return Jump(t, s, bar(t), bar(s))


def x_0_of(k: Jump, x: Any, p: Any) -> Any:
    return (x - math.sqrt(1 - k.bar_t) * p) / math.sqrt(k.bar_t)


def weight_of_data(k: Jump) -> float:
    return math.sqrt(k.bar_s) * k.beta / (1 - k.bar_t)


def weight_of_x(k: Jump) -> float:
    return math.sqrt(k.alpha) * (1 - k.bar_s) / (1 - k.bar_t)


def deviation(k: Jump) -> float:
    return math.sqrt(k.beta * (1 - k.bar_s) / (1 - k.bar_t))


def ddpm(
    between: Callable[[int, int], Jump] = jump,
    x_0: Callable[[Jump, Any, Any], Any] = x_0_of,
    of_data: Callable[[Jump], float] = weight_of_data,
    of_x: Callable[[Jump], float] = weight_of_x,
    sd: Callable[[Jump], float] = deviation,
    draw: Callable[[int, Any], Any] = lambda t, noise: noise(),
    last: bool = False,
) -> Callable[..., Any]:
    def step(x: Any, p: Any, t: int, t_prev: int, noise: Any) -> Any:
        k = between(t, t_prev)
        mean = of_data(k) * x_0(k, x, p) + of_x(k) * x
        return mean + sd(k) * draw(t, noise) if t_prev >= 0 or last else mean

    return step


def beta_of_the_table(t: int, s: int) -> Jump:
    """As if every step were one of training."""
    return Jump(t, s, bar(t), bar(t) / float(1 - BETAS[t]) if s >= 0 else 1.0)


def one_too_low(t: int, s: int) -> Jump:
    return Jump(t, s, float(BARS[t - 1]), bar(s))  # which is that of the noisiest level, at t = 0


def clipped(t: int, s: int) -> Jump:
    return Jump(t, s, max(bar(t), 1e-4), bar(s))


def next_one(k: Jump) -> float:
    """The deviation of the step that comes after this one."""
    return deviation(jump(k.s, max(2 * k.s - k.t, 0)))


class Twice:
    """Each draw is used for two steps."""

    def __init__(self) -> None:
        self.drawn: Any = None
        self.steps = 0

    def __call__(self, t: int, noise: Any) -> Any:
        self.steps = 0 if t == T - 1 else self.steps + 1
        if self.steps % 2 == 0:
            self.drawn = noise()
        return self.drawn


def own_noise(t: int, noise: Any) -> Any:
    return np.random.standard_normal(noise().shape)  # noqa: NPY002  that is the mistake


def halves(of: Callable[[Jump], float]) -> Callable[[Jump], float]:
    """As a table in half precision has it."""
    return lambda k: float(np.float16(of(k)))


def doubles(k: Jump) -> Any:
    return np.float64(weight_of_x(k))  # a number of NumPy's makes single precision double


def over_the_batch(k: Jump, x: Any, p: Any) -> Any:
    x_0 = x_0_of(k, x, p)
    return x_0 - 1e-2 * np.mean(x_0, axis=0)


def in_place(k: Jump, x: Any, p: Any) -> Any:
    p *= math.sqrt(1 - k.bar_t)
    return (x - p) / math.sqrt(k.bar_t)


def forward(x_0: Any, epsilon: Any, t: int) -> Any:
    return math.sqrt(bar(t)) * x_0 + math.sqrt(1 - bar(t)) * epsilon


def of_ddpm(step: Callable[..., Any] | None = None, bars: Any = BARS, **claims: Any) -> FromStep:
    said = {"method": "ddpm", "variance": "small", "schedule": LINEAR, "add_noise": forward}
    return from_step(step or ddpm(), bars, **said | claims)


# ---------------------------------------------------------------- DDIM, eq. 12 and 16


def sigma_of(k: Jump, eta: float) -> float:
    return eta * math.sqrt((1 - k.bar_s) / (1 - k.bar_t) * (1 - k.bar_t / k.bar_s))


def ddim(
    eta: float = 0.0,
    x_0: Callable[[Jump, Any, Any], Any] = x_0_of,
    sigma: Callable[[Jump, float], float] = sigma_of,
    direction: Callable[[Jump, float], float] = lambda k, sigma: math.sqrt(1 - k.bar_s - sigma**2),
    between: Callable[[int, int], Jump] = jump,
) -> Callable[..., Any]:
    def step(x: Any, p: Any, t: int, t_prev: int, noise: Any) -> Any:
        k = between(t, t_prev)
        x_s = math.sqrt(k.bar_s) * x_0(k, x, p) + direction(k, sigma(k, eta)) * p
        return x_s + sigma(k, eta) * noise() if eta and t_prev >= 0 else x_s

    return step


def around_v(sign: float) -> Callable[..., Any]:
    """The same around v = sqrt(bar) epsilon - sqrt(1 - bar) x_0."""
    held = ddim()

    def step(x: Any, p: Any, t: int, t_prev: int, noise: Any) -> Any:
        return held(x, math.sqrt(bar(t)) * p + sign * math.sqrt(1 - bar(t)) * x, t, t_prev, noise)

    return step


def to_the_cleanest(t: int, s: int) -> Jump:
    return Jump(t, s, bar(t), bar(max(s, 0)))


def of_ddim(step: Callable[..., Any] | None = None, eta: float = 0.0, **claims: Any) -> FromStep:
    said = {"family": "ddim", "eta": eta, "method": f"ddim(eta={eta!r})", "deterministic": not eta}
    return from_step(step or ddim(eta), BARS, **said | {"schedule": LINEAR} | claims)


# ---------------------------------------------------------------- the loop around a step


@dataclass(frozen=True, eq=False)
class Loop(FromStep):
    """The loop, and what can be wrong with it."""

    tells: Callable[[int], int] = lambda t: t
    visits: Callable[[list[int]], list[int]] = lambda times: times
    script: Any = None  # that of the loop around every step is not this one

    def times(self, n: int) -> list[int]:
        return self.visits(super().times(n))

    def run(self, model: Any, x: Any, n: int, noise: Any) -> Any:
        for t, t_prev in itertools.pairwise([*self.times(n), -1]):
            p = model(x, self.tells(t), self.trained(t))
            x = self.step(x, p, t, t_prev, lambda like=x: noise(like.shape))
        return x


def looped(of: FromStep, **wrong: Any) -> Loop:
    return Loop(of.step, of.alpha_bars, of.schedule, of.claims, of.library, of.forward, **wrong)


# ---------------------------------------------------------------- DPM-Solver++(2M) and Heun's method, in units of sigma


@dataclass
class Multistep:
    """Data prediction, second order by the predictions of two steps."""

    ratio: Callable[[float, float], float] = lambda before, h: before / h
    weight: float = 0.5  # of the divided difference
    forgets: bool = True  # what it knew, before a run
    known: list[tuple[Any, float]] = field(default_factory=list)

    def __call__(self, x: Any, sigma: float, after: float, model: Any, first: bool) -> Any:
        if first and self.forgets:
            self.known.clear()
        D = model(x, sigma)
        if not after:
            return D
        h, held = math.log(sigma / after), D
        for last, length in self.known:
            if last.shape == D.shape:
                held = D + self.weight / self.ratio(length, h) * (D - last)
        self.known[:] = [(D, h)]
        return after / sigma * x + (1 - after / sigma) * held


@dataclass
class Heun:
    """EDM's algorithm 1: Euler's step, and once more with the slope where it leads."""

    corrects: bool = True
    at: Callable[[float, float], float] = lambda sigma, after: after  # where the second slope is taken to be
    to_zero: bool = False  # corrected, too

    def __call__(self, x: Any, sigma: float, after: float, model: Any, first: bool) -> Any:
        slope = (x - model(x, sigma)) / sigma
        there = x + (after - sigma) * slope
        if not self.corrects or not (after or self.to_zero):
            return there
        with np.errstate(all="ignore"):
            second = (there - model(there, after)) / np.float64(self.at(sigma, after))
        return (x + (after - sigma) * (slope + second) / 2).astype(x.dtype)


@dataclass(frozen=True, eq=False)
class InSigma:
    """Either on the grid of Karras et al., or on levels that are handed in."""

    step: Callable[..., Any]
    claims: Claims
    given: Any = None
    library: str = "numpy"

    def on(self, sigmas: Any) -> InSigma:
        return replace(self, given=[float(s) for s in sigmas])

    def sigmas(self, n: int) -> list[float]:
        ramp = np.linspace(0, 1, max(n, 2))[:n]
        return [*((80 ** (1 / 7) + ramp * (0.002 ** (1 / 7) - 80 ** (1 / 7))) ** 7).tolist(), 0.0]

    def run(self, model: Any, x: Any, n: int, noise: Any) -> Any:
        denoised = lambda x, sigma: model(x, sigma, (1.0, sigma))
        for k, (sigma, after) in enumerate(itertools.pairwise(self.given or self.sigmas(n))):
            x = self.step(x, sigma, after, denoised, k == 0)
        return x

    def start(self, n: int) -> tuple[float, float]:
        return 1.0, (self.given or self.sigmas(n))[0]

    def trained(self, told: float) -> tuple[float, float]:
        return 1.0, told


def second_order(step: Callable[..., Any], method: str) -> InSigma:
    name = method.replace("-", "_")
    return InSigma(step, Claims(name, "ode", "x_0", order=2, method=method, deterministic=True, single=False))


# ---------------------------------------------------------------- all of them

CORRECT = {
    "ddpm": of_ddpm(),
    "ddim": of_ddim(),
    "half_ddim": of_ddim(eta=0.5),
    "v_ddim": of_ddim(around_v(1), prediction="v"),
    "dpmpp_2m": second_order(Multistep(), "dpmpp-2m"),
    "heun": second_order(Heun(), "heun"),
}


@dataclass(frozen=True)
class Defect:
    """A sampler, the property that should find what is wrong with it, what that is said to be, and the first step.

    ``alone`` if no other property has a reason to find it.
    """

    sampler: Any
    property: str
    diagnosis: str
    step: int | None = 0
    alone: bool = False


UPDATE, TABLE, LAST, ARITHMETIC, CLASH = "update rule", "table", "last step", "arithmetic", "option clash"

DEFECTS = {
    "variance_for_deviation": Defect(of_ddpm(ddpm(sd=lambda k: deviation(k) ** 2)), "P9", UPDATE),
    "root_of_beta_forgotten": Defect(
        of_ddpm(ddpm(sd=lambda k: k.beta), variance="large", method=None), "P9", UPDATE, 0
    ),
    "beta_for_posterior": Defect(of_ddpm(ddpm(sd=lambda k: math.sqrt(k.beta))), "P9", UPDATE),
    "bar_for_bar_before": Defect(
        of_ddpm(ddpm(sd=lambda k: math.sqrt(k.beta * (1 - k.bar_t * k.alpha) / (1 - k.bar_t)))), "P9", UPDATE
    ),
    "sigma_of_the_next_step": Defect(of_ddpm(ddpm(sd=next_one)), "P9", UPDATE),
    "one_noise_for_two_steps": Defect(of_ddpm(ddpm(draw=Twice())), "P9", UPDATE, 1),
    "off_by_one": Defect(of_ddpm(ddpm(between=one_too_low)), "P8", UPDATE),
    "swapped": Defect(
        of_ddpm(ddpm(of_x=lambda k: math.sqrt(k.alpha) * (1 - k.bar_t) / (1 - k.bar_s or 1.0))), "P8", UPDATE
    ),
    "beta_of_one_step": Defect(of_ddpm(ddpm(between=beta_of_the_table)), "P7", UPDATE),
    "plus_for_minus": Defect(
        of_ddpm(ddpm(x_0=lambda k, x, p: (x + math.sqrt(1 - k.bar_t) * p) / math.sqrt(k.bar_t))), "P8", UPDATE
    ),
    "noise_for_data": Defect(of_ddpm(ddpm(x_0=lambda k, x, p: p)), "P15", UPDATE, 6),
    "wrong_root_in_data": Defect(
        of_ddpm(ddpm(x_0=lambda k, x, p: (x - (1 - k.bar_t) * p) / math.sqrt(k.bar_t))), "P8", UPDATE
    ),
    "a_thousandth": Defect(of_ddpm(ddpm(of_x=lambda k: 1.001 * weight_of_x(k))), "P8", ARITHMETIC),
    "half_precision": Defect(of_ddpm(ddpm(of_x=halves(weight_of_x), of_data=halves(weight_of_data))), "P8", ARITHMETIC),
    "clipped_bar": Defect(of_ddpm(ddpm(between=clipped)), "P8", UPDATE),
    "noise_at_the_end": Defect(
        of_ddpm(ddpm(sd=lambda k: math.sqrt(k.beta), last=True), variance="large", method=None), "P10", LAST, 6
    ),
    "data_clipped": Defect(of_ddpm(ddpm(x_0=lambda k, x, p: np.clip(x_0_of(k, x, p), -1, 1))), "P0", CLASH, None),
    "weights_swapped": Defect(
        of_ddpm(add_noise=lambda x_0, e, t: math.sqrt(1 - bar(t)) * x_0 + math.sqrt(bar(t)) * e),
        "P1",
        TABLE,
        None,
        True,
    ),
    "half_tables": Defect(of_ddpm(bars=np.cumprod(1 - BETAS.astype(np.float16).astype(float))), "P3", TABLE, None),
    "told_the_next_time": Defect(looped(of_ddpm(), tells=lambda t: min(t + 1, T - 1)), "P5", TABLE, 1),
    "a_time_twice": Defect(
        looped(of_ddpm(), visits=lambda times: times[:2] + times[1:2] + times[3:]), "P6", TABLE, None
    ),
    "one_step_too_few": Defect(looped(of_ddpm(), visits=lambda times: times[1:] or times), "P6", TABLE, None),
    "its_own_generator": Defect(of_ddpm(ddpm(draw=own_noise)), "P25", "", None),
    "remembers_the_last_run": Defect(second_order(Multistep(forgets=False), "dpmpp-2m"), "P25", "", None),
    "over_the_batch": Defect(of_ddpm(ddpm(x_0=over_the_batch)), "P26", "", None),
    "in_place": Defect(of_ddpm(ddpm(x_0=in_place)), "P26", "", None, True),
    "always_double": Defect(of_ddpm(ddpm(of_x=doubles)), "P24", ARITHMETIC, None, True),
    "eta_on_the_variance": Defect(
        of_ddim(ddim(0.5, sigma=lambda k, eta: math.sqrt(eta) * sigma_of(k, 1.0)), 0.5), "P11", UPDATE
    ),
    "no_room_for_noise": Defect(
        of_ddim(ddim(0.5, direction=lambda k, sigma: math.sqrt(1 - k.bar_s)), 0.5), "P12", UPDATE
    ),
    "last_step_not_to_zero": Defect(of_ddim(ddim(between=to_the_cleanest)), "P13", LAST, 6),
    "v_of_another_sign": Defect(of_ddim(around_v(-1), prediction="v"), "P15", UPDATE, 6),
    "r_is_one": Defect(second_order(Multistep(ratio=lambda before, h: 1.0), "dpmpp-2m"), "P21", UPDATE, 1),
    "r_upside_down": Defect(second_order(Multistep(ratio=lambda before, h: h / before), "dpmpp-2m"), "P21", UPDATE, 1),
    "half_a_difference": Defect(second_order(Multistep(weight=0.25), "dpmpp-2m"), "P17", UPDATE, None),
    "slope_at_the_wrong_sigma": Defect(second_order(Heun(at=lambda sigma, after: sigma), "heun"), "P17", UPDATE, None),
    "not_corrected": Defect(second_order(Heun(corrects=False), "heun"), "P17", UPDATE, None),
    "corrected_at_zero": Defect(second_order(Heun(to_zero=True), "heun"), "P23", ARITHMETIC, None),
}


def named() -> Iterator[tuple[str, Any]]:
    yield from CORRECT.items()
    yield from ((name, defect.sampler) for name, defect in DEFECTS.items())


globals().update(named())
