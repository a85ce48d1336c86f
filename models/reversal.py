"""What a trained network says about the chapter on reversal.

These are checks, as in ``numerics/checks``: generators whose keyword arguments are the formulas under test.  They train
a network that sees draws of the forward step, never a score and never a formula.  It is trained once for a seed, and
then judges whatever formula comes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache

import numpy as np
from numpy import sqrt

from numerics.checks.reversal.step import letters
from numerics.statistics import stream
from numerics.worlds import Step, mixture

from .atoms import Given, Lands
from .denoiser import Denoiser, train

WORLD, STEP = mixture([0.31, 0.69], [-1.13, 1.47], [0.23, 0.41]), Step(alpha=0.683, alpha_bar_prev=0.743)

Array = np.ndarray


def step_tweedie(mean: Callable[..., Array], variance: Callable[..., Array]) -> Iterator[Lands]:
    """Least squares lands on the mean of x_{t-1} given x_t and, on squared residuals, on its variance."""

    def claimed_mean(x_t: Array) -> Array:
        return mean(**letters(WORLD, STEP, x_t=x_t))

    def claimed_variance(x_t: Array) -> Array:
        return variance(**letters(WORLD, STEP, x_t=x_t))

    def squared_residuals(rng: np.random.Generator, n: int) -> tuple[Array, Array]:
        x_t, x_prev = pairs(rng, n)
        return x_t, (x_prev - claimed_mean(x_t)) ** 2

    yield Lands(learned_mean, claimed_mean, pairs, given=prev_given_now, resolves=2.5e-2, name="mean")
    yield Lands(
        learned_variance, claimed_variance, squared_residuals, given=square_given_now, resolves=2.5e-2, name="variance"
    )


def pairs(rng: np.random.Generator, n: int) -> tuple[Array, Array]:
    """Draws of (x_t, x_{t-1}), by the forward process and nothing else."""
    _, x_prev, x_t = WORLD.forward(STEP)(rng, n)
    return x_t, x_prev


@cache
def denoiser(seed: int) -> Denoiser:
    """The network, trained on draws that no atom sees."""

    def noise_in_x_t(rng: np.random.Generator, n: int) -> tuple[Array, Array]:
        x_t, x_prev = pairs(rng, n)
        return x_t, (x_t - sqrt(STEP.alpha) * x_prev) / sqrt(STEP.beta)

    return train(noise_in_x_t, stream(seed, "reversal.step-tweedie", "training", 0))


# Given x_t, x_{t-1} = (x_t - sqrt(beta) noise) / sqrt(alpha): what is known of the noise is known of x_{t-1}.


def learned_mean(seed: int) -> Callable[[Array], Array]:
    """x_t -> E[x_{t-1} | x_t], as the network has it."""
    return lambda x_t: (x_t - sqrt(STEP.beta) * denoiser(seed).predict(x_t)[0]) / sqrt(STEP.alpha)


def learned_variance(seed: int) -> Callable[[Array], Array]:
    """x_t -> Var[x_{t-1} | x_t], as the network has it."""
    return lambda x_t: STEP.beta / STEP.alpha * denoiser(seed).predict(x_t)[1]


# What the world knows, for thresholds and for the network's own error.


def prev_given_now(x_t: Array) -> Given:
    """Of x_{t-1} given x_t; E|r|^3 <= (E r^4)^(3/4)."""
    kernel = WORLD.reverse_kernel(STEP, x_t)
    moments = kernel.central_moments()
    return Given(kernel.mean, sqrt(moments.second), moments.fourth**0.75 / moments.second**1.5)


def square_given_now(x_t: Array) -> Given:
    """Of the square of r = x_{t-1} - E[x_{t-1} | x_t]; |r^2 - v|^3 <= r^6 + v^3."""
    moments = WORLD.reverse_kernel(STEP, x_t).central_moments()
    spread = sqrt(moments.fourth - moments.second**2)
    return Given(moments.second, spread, (moments.sixth + moments.second**3) / spread**3)
