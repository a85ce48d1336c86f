"""One mixture of Gaussians, five steps of noise, and the denoiser that is trained on them: what the chapters share.

The network sees draws of the forward process, never a score and never a formula.  It is trained once for a seed, and
then judges whatever formula comes.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy import sqrt

from numerics.schedules import Schedule
from numerics.statistics import stream
from numerics.worlds import CentralMoments, Mixture, Step, mixture

from .atoms import Given
from .denoiser import Denoiser, train

WORLD = mixture([0.31, 0.69], [-1.13, 1.47], [0.23, 0.41])
SCHEDULE = Schedule(1 - np.array([0.931, 0.797, 0.683, 0.521, 0.313]))
T = SCHEDULE.T

Array = np.ndarray
Learned = Callable[[int], Callable[[Array], Array]]  # a seed -> what the network trained under it makes of x_t


@cache
def denoiser(seed: int) -> Denoiser:
    """The network, trained on draws that no atom sees."""
    return train([noisy(t) for t in range(1, T + 1)], stream(seed, "diffusion", "training", 0))


class Drawn(NamedTuple):
    """The ends of a step, the noise of it, and the noise of all steps so far."""

    x_0: Array
    x_prev: Array
    x_t: Array
    last: Array
    whole: Array


def drawn(step: Step, rng: np.random.Generator, n: int, world: Mixture = WORLD) -> Drawn:
    """Draws by the forward process and nothing else."""
    x_0, x_prev, x_t = world.forward(step)(rng, n)
    last = (x_t - sqrt(step.alpha) * x_prev) / sqrt(step.beta)
    return Drawn(x_0, x_prev, x_t, last, (x_t - sqrt(step.alpha_bar) * x_0) / sqrt(1 - step.alpha_bar))


def noisy(t: int, world: Mixture = WORLD) -> Callable[..., tuple[Array, Array, Array]]:
    """Draws of x_t and of the noises in it."""

    def draw(rng: np.random.Generator, n: int) -> tuple[Array, Array, Array]:
        *_, x_t, last, whole = drawn(SCHEDULE.step(t), rng, n, world)
        return x_t, last, whole

    return draw


def draws(what: str, t: int, world: Mixture = WORLD) -> Callable[..., tuple[Array, Array]]:
    """Draws of x_t and of one other: x_0, x_prev, ``last`` or ``whole`` noise."""

    def draw(rng: np.random.Generator, n: int) -> tuple[Array, Array]:
        found = drawn(SCHEDULE.step(t), rng, n, world)
        return found.x_t, getattr(found, what)

    return draw


# What the network says.  Given x_t, what is known of a noise is known of x_{t-1} or x_0.


def mean_of(what: str, t: int) -> Learned:
    """x_t -> the mean of x_0, x_prev, ``last`` or ``whole`` noise given x_t."""
    step = SCHEDULE.step(t)

    def learned(seed: int) -> Callable[[Array], Array]:
        def mean(x_t: Array) -> Array:
            seen = denoiser(seed).predict(x_t, t)
            if what == "x_prev":
                return (x_t - sqrt(step.beta) * seen.last) / sqrt(step.alpha)
            if what == "x_0":
                return (x_t - sqrt(1 - step.alpha_bar) * seen.whole) / sqrt(step.alpha_bar)
            return seen.last if what == "last" else seen.whole

        return mean

    return learned


def variance_of(what: str, t: int) -> Learned:
    """x_t -> the variance of x_0, x_prev, ``last`` or ``whole`` noise given x_t."""
    step = SCHEDULE.step(t)

    def learned(seed: int) -> Callable[[Array], Array]:
        def variance(x_t: Array) -> Array:
            seen = denoiser(seed).predict(x_t, t)
            if what in ("x_prev", "last"):
                return seen.last_variance * (step.beta / step.alpha if what == "x_prev" else 1)
            return seen.whole_variance * ((1 - step.alpha_bar) / step.alpha_bar if what == "x_0" else 1)

        return variance

    return learned


# What the world knows, for thresholds and for the network's own error.


def moments_of(what: str, t: int, x_t: Array, world: Mixture = WORLD) -> tuple[Array, CentralMoments]:
    """The mean and the central moments of x_0, x_prev, ``last`` or ``whole`` noise given x_t."""
    step = SCHEDULE.step(t)
    if what in ("x_prev", "last"):
        law, keeps, rest = world.reverse_kernel(step, x_t), sqrt(step.alpha), sqrt(step.beta)
    else:
        law, keeps, rest = world.posterior(step.alpha_bar, x_t), sqrt(step.alpha_bar), sqrt(1 - step.alpha_bar)
    found = law.central_moments()
    if what in ("x_prev", "x_0"):
        return law.mean, found
    stretched = CentralMoments(*(moment * (-keeps / rest) ** p for p, moment in zip((2, 3, 4, 6), found)))
    return (x_t - keeps * law.mean) / rest, stretched


def given(what: str, t: int, world: Mixture = WORLD) -> Callable[[Array], Given]:
    """What is known of it given x_t; E|r|^3 <= (E r^4)^(3/4)."""

    def known(x_t: Array) -> Given:
        mean, moments = moments_of(what, t, x_t, world)
        return Given(mean, sqrt(moments.second), moments.fourth**0.75 / moments.second**1.5)

    return known


def square_given(what: str, t: int) -> Callable[[Array], Given]:
    """What is known of the square of its distance r from its mean; |r^2 - v|^3 <= r^6 + v^3."""

    def known(x_t: Array) -> Given:
        _, moments = moments_of(what, t, x_t)
        spread = sqrt(moments.fourth - moments.second**2)
        return Given(moments.second, spread, (moments.sixth + moments.second**3) / spread**3)

    return known
