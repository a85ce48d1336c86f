"""A target without a process of its own, and samplers for it: correct ones, and ones with a defect of one's choice."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import fields
from typing import Any

import numpy as np

from noiseproof.conformance.adapters.from_step import FromStep, from_step
from noiseproof.conformance.examining import outcome
from noiseproof.conformance.findings import Outcome
from noiseproof.conformance.properties import properties
from noiseproof.conformance.subject import Subject
from noiseproof.conformance.target import Call, Raised, Ran

T = 1000
BARS = np.cumprod(1 - np.linspace(1e-4, 0.02, T))
OPTIONAL = ("start", "trained", "told", "add_noise", "on", "seeded")


class Here:
    """A sampler of NumPy in this process; ``others`` are what it becomes with other options."""

    def __init__(self, sampler: Any, others: Callable[[dict[str, Any]], Any] | None = None) -> None:
        self.sampler, self.others = sampler, others

    @property
    def claims(self) -> Any:
        return self.sampler.claims

    @property
    def can(self) -> frozenset[str]:
        return frozenset(name for name in OPTIONAL if getattr(self.sampler, name, None) is not None)

    def run(self, x, n, model, noise: Any = None, sigmas=None, finite=True) -> Ran:
        calls, draws = [], []

        def asked(x, told, level=None):
            calls.append(Call(x.copy(), float(told), None if level is None else tuple(map(float, level))))
            return np.array(model(calls[-1]), dtype=float).reshape(x.shape)

        def drawn(shape, *between):
            draws.append((len(calls), between))
            return np.array(noise(tuple(shape), between), dtype=float)

        return Ran(self.sampler.run(asked, x.copy(), n, drawn), calls, draws, [])

    def start(self, n):
        return self.sampler.start(n)

    def trained(self, told):
        return np.array([self.sampler.trained(at) for at in told])

    def told(self):
        return np.array([float(t) for t in self.sampler.told()])

    def add_noise(self, x_0, epsilon, told, n=None):
        return self.sampler.add_noise(x_0, epsilon, told, n)

    @contextlib.contextmanager
    def otherwise(self, options):
        if self.others is None:
            raise Raised("it takes no options", "loading it here")
        before, self.sampler = self.sampler, self.others(options)
        yield
        self.sampler = before


def asked(id: str, sampler: Any, others: Any = None, steps: tuple[int, ...] = (7, 13)) -> Outcome:
    """What one property finds."""
    (property,) = [p for p in properties() if p.id == id]
    return outcome(property, Subject(Here(sampler, others), steps))  # type: ignore[arg-type]


def changed(sampler: FromStep, **methods: Any) -> Any:
    """The same adapter with other methods."""
    given = {field.name: getattr(sampler, field.name) for field in fields(sampler)}
    return type("Changed", (FromStep,), methods)(**given)


# ---------------------------------------------------------------- steps, from the formulas of the papers


def bar(t: int) -> float:
    return float(BARS[t]) if t >= 0 else 1.0


def small(variance: float, beta: float) -> float:
    return variance**0.5


def data(x, p, a):
    """x_0 by a predicted noise."""
    return (x - (1 - a) ** 0.5 * p) / a**0.5


def ancestral(sd=small, previous=lambda t, s: s, x_0=data, off=1.0, last=0.0):
    """A draw from the kernel given both ends; DDPM eq. 7, with the alphas of the jump."""

    def step(x, p, t, t_prev, noise):
        s = previous(t, t_prev)
        alpha, beta = bar(t) / bar(s), 1 - bar(t) / bar(s)
        mean = off * bar(s) ** 0.5 * beta * x_0(x, p, bar(t)) + alpha**0.5 * (1 - bar(s)) * x
        spread = sd(beta * (1 - bar(s)) / (1 - bar(t)), beta) if t_prev >= 0 else last
        return mean / (1 - bar(t)) + (spread * noise() if spread else 0)

    return step


def implicit(eta=0.0, sigma=lambda eta, sd: eta * sd, kept=lambda free, fresh: (free - fresh**2) ** 0.5, end=1.0):
    """DDIM eq. 12 and 16."""

    def step(x, p, t, t_prev, noise):
        a, s = bar(t), bar(t_prev) if t_prev >= 0 else end
        fresh = sigma(eta, ((1 - s) / (1 - a) * (1 - a / s)) ** 0.5)
        return s**0.5 * data(x, p, a) + kept(1 - s, fresh) * p + (fresh * noise() if fresh else 0)

    return step


class TwoSteps:
    """DPM-Solver++(2M), eq. 23 of that paper; ``ratio`` is what r is made of the lengths of two steps."""

    def __init__(self, ratio=lambda before, h: before / h):
        self.ratio, self.known = ratio, None

    def __call__(self, x, p, t, t_prev, noise):
        a, s = bar(t), bar(t_prev)
        x_0 = data(x, p, a)
        if t == T - 1 or t_prev < 0:
            held = x_0
        else:
            h = half_log_snr(t_prev) - half_log_snr(t)
            assert self.known is not None
            before, length = self.known
            r = self.ratio(length, h)
            held = (1 + 1 / (2 * r)) * x_0 - before / (2 * r)
        self.known = (x_0, half_log_snr(t_prev) - half_log_snr(t) if t_prev >= 0 else np.inf)
        return ((1 - s) / (1 - a)) ** 0.5 * x + (s**0.5 - (1 - s) ** 0.5 * (a / (1 - a)) ** 0.5) * held


def half_log_snr(t: int) -> float:
    return 0.5 * np.log(bar(t) / (1 - bar(t)))


def ddpm(step=None, **claims):
    return from_step(step or ancestral(), BARS, **{"method": "ddpm", "variance": "small"} | claims)


def ddim(step=None, eta=0.0, **claims):
    step = step or implicit(eta)
    method = "ddim" if not eta else f"ddim(eta={eta})"
    said = {"family": "ddim", "eta": eta, "method": method, "deterministic": not eta}
    return from_step(step, BARS, **said | claims)
