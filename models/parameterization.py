"""What trained denoisers say about predictions: the mean that a step makes of them, and the step without a signal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache

import numpy as np
from numpy import sqrt

from numerics.checks.parameterization.prediction import spelled
from numerics.statistics import stream
from numerics.worlds import Step

from .atoms import Given, Lands, Reached, Reaches
from .denoiser import Denoiser, train
from .diffusion import SCHEDULE, WORLD, drawn, draws, given, mean_of

Array = np.ndarray
Formula = Callable[..., Array]

TIMES, RESOLVES = (2, 4), 2e-2
LAST = Step(alpha=0.0, alpha_bar_prev=0.743)  # nothing is left of the data
UPDATES = 1500


def mean_from_prediction(from_x_0: Formula, from_noise: Formula, from_score: Formula) -> Iterator[Lands]:
    """Where predictions are conditional means, the step they make is where the network sees x_{t-1} on average."""
    for t in TIMES:
        for formula, name in ((from_x_0, "x_0"), (from_noise, "noise"), (from_score, "score")):
            step, learned = stepped_back(formula, t), mean_of("x_prev", t)
            yield Lands(learned, step, draws("x_prev", t), given("x_prev", t), RESOLVES, f"{name}, t = {t}")


def zero_snr_degenerate(
    v_target: Formula,
    v_prediction: Formula,
    x_0_prediction: Formula,
    noise_prediction: Formula | None = None,
    noise_loss: Formula | None = None,
    covariance: Formula | None = None,
) -> Iterator[Lands | Reaches]:
    """Trained on the last step of all, the predictions of x_0 and of the velocity are those of one who sees nothing.

    That the noise is x_T itself leaves nothing to train.
    """
    yield Reaches(v_target, velocities, 1e-9, name="target")
    known = {"m_0": WORLD.mean, "v_0": WORLD.variance}
    for k, (formula, name) in enumerate(((v_prediction, "velocity"), (x_0_prediction, "x_0"))):
        blind = lambda x_T, formula=formula: np.broadcast_to(formula(x_T=x_T, **known), np.shape(x_T))
        yield Lands(predicted(k), blind, at_the_end(k), given_nothing(1 - 2 * (k == 0)), RESOLVES, name)


def stepped_back(formula: Formula, t: int) -> Formula:
    """The mean of the step that conditional means make."""
    step = SCHEDULE.step(t)

    def mean(x_t: Array) -> Array:
        at = spelled(step, x_t, WORLD.posterior(step.alpha_bar, x_t).mean)
        return formula(**at | {"predicted_score": WORLD.marginal(step.alpha_bar).score(x_t)})

    return mean


# Without signal


def last_step(rng: np.random.Generator, n: int) -> tuple[Array, Array, Array]:
    """Draws of x_T, the velocity and x_0."""
    x_0, _, x_T, _, noise = drawn(LAST, rng, n)
    return x_T, sqrt(LAST.alpha_bar) * noise - sqrt(1 - LAST.alpha_bar) * x_0, x_0


def velocities(seed: int) -> Reached:
    """What a network for the velocity is trained on, a few of its targets."""
    x_T, velocity, x_0 = last_step(stream(seed, "parameterization.zero-snr-degenerate", "targets", 0), 8)
    return Reached(velocity, 0.0, {"x_0": x_0, "noise_T": x_T})


@cache
def denoiser(seed: int) -> Denoiser:
    """The network of the last step, for the velocity and x_0."""
    return train([last_step], stream(seed, "parameterization.zero-snr-degenerate", "training", 0), updates=UPDATES)


def predicted(k: int) -> Callable[[int], Callable[[Array], Array]]:
    return lambda seed: lambda x_T: denoiser(seed).predict(x_T, 1)[2 * k]


def at_the_end(k: int) -> Callable[..., tuple[Array, Array]]:
    """Draws of x_T, and of the velocity or x_0."""

    def draw(rng: np.random.Generator, n: int) -> tuple[Array, Array]:
        x_T, *targets = last_step(rng, n)
        return x_T, targets[k]

    return draw


def given_nothing(sign: int) -> Callable[[Array], Given]:
    """What the world knows of x_0, or of -x_0, without having seen anything."""
    moments, spread = WORLD.central_moments(), sqrt(WORLD.variance)
    third = moments.fourth**0.75 / spread**3

    def known(x_T: Array) -> Given:
        full = np.ones_like(x_T)
        return Given(sign * WORLD.mean * full, spread * full, third * full)

    return known
