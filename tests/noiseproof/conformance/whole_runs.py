"""Small samplers of whole runs, correct and with defects: ``whole_runs.py:name`` loads one."""

from __future__ import annotations

import atexit
import itertools
from dataclasses import dataclass, fields, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from noiseproof.conformance.adapters.from_step import FromStep, from_step
from noiseproof.conformance.examining import outcome
from noiseproof.conformance.properties import properties
from noiseproof.conformance.protocol import Claims
from noiseproof.conformance.subject import Subject
from noiseproof.conformance.target import Target

T = 1000
BARS = np.cumprod(1 - np.linspace(1e-4, 2e-2, T))


@cache
def subject(name: str) -> Subject:
    """A sampler here, under examination; its process is kept until all tests are through."""
    target = Target(f"{Path(__file__).resolve()}:{name}")
    atexit.register(target.close)
    return Subject(target)


def asked(id: str, name: str) -> Any:
    """What is found for one property of a sampler here."""
    (property,) = (each for each in properties() if each.id == id)
    of = subject(name)
    of.target.again(60.0)
    return outcome(property, of)


# ---------------------------------------------------------------- steps


def bar(t: int) -> float:
    return float(BARS[t]) if t >= 0 else 1.0


def kernel(t: int, t_prev: int) -> tuple[float, float, float]:
    """The coefficients of x, of the predicted noise and of fresh noise in DDPM's step over a jump."""
    alpha = bar(t) / bar(t_prev)
    beta = 1 - alpha
    return alpha**-0.5, -beta / (alpha * (1 - bar(t))) ** 0.5, (beta * (1 - bar(t_prev)) / (1 - bar(t))) ** 0.5


def ancestral(x: Any, p: Any, t: int, t_prev: int, noise: Any) -> Any:
    of_x, of_p, sd = kernel(t, t_prev)
    x = of_x * x + of_p * p
    return x + sd * noise() if t_prev >= 0 else x


def ddim_step(x: Any, p: Any, t: int, t_prev: int, noise: Any) -> Any:
    x_0 = (x - (1 - bar(t)) ** 0.5 * p) / bar(t) ** 0.5
    return bar(t_prev) ** 0.5 * x_0 + (1 - bar(t_prev)) ** 0.5 * p


def a_thousandth(x: Any, p: Any, t: int, t_prev: int, noise: Any) -> Any:
    return ddim_step(x, p, t, t_prev, noise) + 1e-3 * (1 - bar(t_prev)) ** 0.5 * p


def wrong_root(x: Any, p: Any, t: int, t_prev: int, noise: Any) -> Any:
    x_0 = (x - (1 - bar(t)) * p) / bar(t) ** 0.5  # the variance, where its root belongs
    return bar(t_prev) ** 0.5 * x_0 + (1 - bar(t_prev)) ** 0.5 * p


def noise_to_the_end(x: Any, p: Any, t: int, t_prev: int, noise: Any) -> Any:
    x = ancestral(x, p, t, t_prev, noise)
    return x if t_prev >= 0 else x + 0.01 * noise()


def a_little_noise(x: Any, p: Any, t: int, t_prev: int, noise: Any) -> Any:
    return ddim_step(x, p, t, t_prev, noise) + 0.02 * noise()  # whatever the length of a step


def undefined_at_the_end(x: Any, p: Any, t: int, t_prev: int, noise: Any) -> Any:
    x = ddim_step(x, p, t, t_prev, noise)
    return x / (T - 1 - t) if t_prev < 0 else x  # T - 1 in one step


def half_tables(x: Any, p: Any, t: int, t_prev: int, noise: Any) -> Any:
    of_x, of_p, sd = (float(np.float16(c)) for c in kernel(t, t_prev)) if x.dtype == np.float32 else kernel(t, t_prev)
    x = of_x * x + of_p * p
    return x + sd * noise() if t_prev >= 0 else x


def forgets_dtype(x: Any, p: Any, t: int, t_prev: int, noise: Any) -> Any:
    return ancestral(x, p, t, t_prev, noise).astype(np.float64)


before: list[Any] = []


def with_state(x: Any, p: Any, t: int, t_prev: int, noise: Any) -> Any:
    """Remembers the last prediction, also that of the run before."""
    before.append(p)
    last = before[-2] if len(before) > 1 and before[-2].shape == p.shape else p
    return ddim_step(x, 1.5 * p - 0.5 * last, t, t_prev, noise)


def of_its_own(x: Any, p: Any, t: int, t_prev: int, noise: Any) -> Any:
    of_x, of_p, sd = kernel(t, t_prev)
    return of_x * x + of_p * p + sd * np.random.standard_normal(x.shape)  # noqa: NPY002  that is the defect


def over_the_batch(x: Any, p: Any, t: int, t_prev: int, noise: Any) -> Any:
    x = ancestral(x, p, t, t_prev, noise)
    return x + 1e-3 * np.mean(x, axis=tuple(range(1, x.ndim)) or None, keepdims=True)


def by_rank(x: Any, p: Any, t: int, t_prev: int, noise: Any) -> Any:
    x = ancestral(x, p, t, t_prev, noise)
    return x + 1e-3 * np.arange(len(x)).reshape(-1, *[1] * (x.ndim - 1)) * p


def in_place(x: Any, p: Any, t: int, t_prev: int, noise: Any) -> Any:
    p *= 1.0 + (t_prev < 0)
    return ddim_step(x, p, t, t_prev, noise)


def alone(x: Any, p: Any, t: int, t_prev: int, noise: Any) -> Any:
    return ancestral(x, p, t, t_prev, noise) * (0.9 if len(x) == 1 else 1.0)


def crowded(x: Any, p: Any, t: int, t_prev: int, noise: Any) -> Any:
    x = ancestral(x, p, t, t_prev, noise)
    x[2048:] = 0.0  # rows for which there was no room
    return x


def in_place_if_single(x: Any, p: Any, t: int, t_prev: int, noise: Any) -> Any:
    dtype, x = x.dtype, np.asarray(x, np.float32)  # a copy, unless it is single already
    of_x, of_p, sd = (np.float32(c) for c in kernel(t, t_prev))
    x *= of_x
    x += of_p * p
    return (x + sd * noise() if t_prev >= 0 else x).astype(dtype)


def clips_far_out(x: Any, p: Any, t: int, t_prev: int, noise: Any) -> Any:
    return ancestral(np.clip(x, -100.0, 100.0), p, t, t_prev, noise)


FEW = np.cumprod(1 - np.linspace(0.05, 0.9, 10))  # levels


def ddim_of_few(x: Any, p: Any, t: int, t_prev: int, noise: Any) -> Any:
    (a, b), (c, d) = (((1 - s) ** 0.5, s**0.5) for s in (float(FEW[t]), float(FEW[t_prev]) if t_prev >= 0 else 1.0))
    return d * (x - a * p) / b + c * p


@dataclass(frozen=True, eq=False)
class Between(FromStep):
    """DDIM at levels between those of training, always by the same part, and told of the ones above."""

    aside: float = 0.45
    start: Any = None
    script: Any = None

    def run(self, model: Any, x: Any, n: int, noise: Any) -> Any:
        level = lambda u: float(np.exp(np.interp(u, range(T), np.log(BARS)))) if u >= 0 else 1.0
        visited = [max(t - self.aside, 0.0) for t in self.times(n)]
        for t, u, v in zip(self.times(n), visited, [*visited[1:], -1.0], strict=True):
            a, b = level(u), level(v)
            p = model(x, t, (a**0.5, (1 - a) ** 0.5))
            x = b**0.5 * (x - (1 - a) ** 0.5 * p) / a**0.5 + (1 - b) ** 0.5 * p
        return x


correct = from_step(ancestral, BARS, method="ddpm", variance="small")
correct_ddim = from_step(ddim_step, BARS, family="ddim", method="ddim", eta=0.0, deterministic=True)
few_levels = from_step(ddim_of_few, FEW, family="ddim", method="ddim", eta=0.0, deterministic=True)
between = Between(**{f.name: getattr(correct_ddim, f.name) for f in fields(FromStep)})
thousandth = from_step(a_thousandth, BARS, family="ddim", method="ddim", eta=0.0)
root = from_step(wrong_root, BARS, family="ddim")
noisy_end = from_step(noise_to_the_end, BARS, method="ddpm")
noisy = from_step(a_little_noise, BARS, family="ddim")
undefined = from_step(undefined_at_the_end, BARS, family="ddim")
halves = from_step(half_tables, BARS)
doubles = from_step(forgets_dtype, BARS)
stateful = from_step(with_state, BARS, family="ddim")
careless = from_step(of_its_own, BARS)
lone = from_step(alone, BARS)
full = from_step(crowded, BARS)
spoiling = from_step(in_place_if_single, BARS)
clipping = from_step(clips_far_out, BARS)
batched = from_step(over_the_batch, BARS)
ranked = from_step(by_rank, BARS)
overwriting = from_step(in_place, BARS, family="ddim")


# ---------------------------------------------------------------- whole loops, on any levels


@dataclass(frozen=True)
class Loop:
    """DPM-Solver++ along the flow or along the diffusion, around a network that predicts x_0, where a = 1."""

    claims: Claims
    defect: str = ""
    told: float = 1.0  # times the sigma that the network should be told
    given: Any = None
    library: str = "numpy"

    def on(self, sigmas: Any) -> Loop:
        return replace(self, given=np.asarray(sigmas))

    def sigmas(self, n: int) -> Any:
        return self.given if self.given is not None else np.append(np.geomspace(50.0, 0.02, n), 0.0)

    def trained(self, told: float) -> tuple[float, float]:
        return 1.0, float(told)

    def run(self, model: Any, x: Any, n: int, noise: Any) -> Any:
        sigmas, second, draws = self.sigmas(n), (self.claims.order or 1) > 1, self.claims.family == "sde"
        last = h_last = None
        for k, (s, r) in enumerate(itertools.pairwise(sigmas)):
            p = model(x, self.told * s, (1.0, s))
            if not r:
                return p
            h, D = np.log(s / r) * (1 + draws), p
            if second and last is not None and h_last is not None and self.defect != "one prediction":
                D = p + (p - last) * h / (2 * h_last) * (0.5 if self.defect == "half" else 1.0)
            part = 1 - np.exp(-h)
            if self.defect == "digits":  # lost in a difference of two that are nearly the same
                c = 1 + 0.618 * k % 1
                part = r / c * (float(np.float16(c / r)) - float(np.float16(c / s)))
            x = x * np.exp(-h) + part * D
            if draws:
                variance = r * r * (1 - np.exp(-h)) * (1.3 if self.defect == "variance" else 1.0)
                x = x + np.sqrt(variance) * noise(x.shape)
            last, h_last = p, h
        return x


def loop(family: str = "ode", order: int = 2, defect: str = "", told: float = 1.0) -> Loop:
    return Loop(Claims("loop", family, "x_0", order=order, single=False), defect, told)


two_m, sde_two_m, first = loop(), loop("sde"), loop(order=1)
forgetful, half, sde_forgetful = (
    loop(defect="one prediction"),
    loop(defect="half"),
    loop("sde", defect="one prediction"),
)
louder, mistold, few_digits = loop("sde", 1, "variance"), loop(order=1, told=1.03), loop(defect="digits")
