"""What trained networks say about the chapter on reversal.

These are checks, as in ``numerics/checks``: generators whose keyword arguments are the formulas under test.  A network
sees draws of the forward process, never a score and never a formula; trained once for a seed, it judges whatever
formula comes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache

import numpy as np
from numpy import sqrt
from scipy.special import ndtr

from numerics.checks.reversal.data import components, of_each, one_step
from numerics.checks.reversal.denoising import seen, tabulated
from numerics.statistics import stream
from numerics.worlds import mixture

from .atoms import Given, Lands, event
from .classifier import Classifier, train
from .diffusion import SCHEDULE, WORLD, draws, given, mean_of, moments_of, square_given, variance_of

Array = np.ndarray
Formula = Callable[..., Array]

TIMES = 2, 3  # where much has been lost and much is left
RESOLVES = 1.5e-2

# Two clusters that one large step cannot tell apart: from between them the way back leads to either.

SPLIT, ALPHA = ([0.41, 0.59], [-1.13, 1.27], [0.17, 0.23]), 0.317
EDGES = np.array([-1.5, -0.9, -0.3, 0.4, 1.0, 1.7])


def step_tweedie(mean: Formula, variance: Formula) -> Iterator[Lands]:
    """Least squares lands on the mean of x_{t-1} given x_t and, on squared residuals, on its variance."""
    for t in TIMES:
        yield from lands_on("x_prev", t, mean, variance)


def x0_tweedie(mean: Formula, variance: Formula) -> Iterator[Lands]:
    """The network that predicts the noise of all steps knows the mean of x_0, and how far off it may be."""
    for t in TIMES:
        yield from lands_on("x_0", t, mean, variance)


def score_is_conditional_expectation(
    average: Formula, from_noise: Formula, over_the_data: Formula | None = None
) -> Iterator[Lands]:
    """Trained on the noise of all steps, which knows x_0, the network lands on the score, which does not.

    What the average over the data would be is left to the other checks.
    """
    for t in TIMES:
        for formula, name in ((average, "average"), (from_noise, "from the noise")):
            yield Lands(
                mean_of("whole", t),
                by_score(formula, t),
                draws("whole", t),
                given("whole", t),
                RESOLVES,
                f"{name}, t = {t}",
            )


def one_step_vs_cumulative_noise(ratio: Formula, mean: Formula) -> Iterator[Lands]:
    """One network predicts both noises: their means given x_t stand in this ratio, and give the mean of x_{t-1}."""
    for t in TIMES:
        yield Lands(mean_of("last", t), last_noise(ratio, t), draws("last", t), given("last", t), RESOLVES, f"t = {t}")
        yield from lands_on("x_prev", t, mean)


def gmm_kernel(weight: Formula, mean: Formula, variance: Formula, curvature: Formula | None = None) -> Iterator[Lands]:
    """A classifier of x_{t-1} lands on the probabilities of the kernel's bins, two peaks and the gap between them.

    The curvature at one point is left to the other checks.
    """
    parts = [of_each(formula, "k", 2) for formula in (weight, mean, variance)]

    def probabilities(x_t: Array) -> Array:
        weights, means, variances = (part(**components(SPLIT, ALPHA, x_t)) for part in parts)
        below = np.sum(weights * ndtr((EDGES[:, None, None] - means) / sqrt(variances)), axis=1)
        return np.diff(below, axis=0, prepend=0, append=1)

    for k in range(len(EDGES) + 1):
        name = f"bin {k + 1} of {len(EDGES) + 1}"
        yield Lands(bin_of(k), lambda x_t, k=k: probabilities(x_t)[k], in_bin(k), given_bin(k), RESOLVES, name)


# The letters of the chapter, and formulas as functions of x_t alone.


def told(formula: Formula, t: int, x_t: Array) -> Array:
    """The formula, told all that the chapter knows at x_t."""
    return np.broadcast_to(formula(**seen(WORLD, SCHEDULE.step(t), x_t)), np.shape(x_t))


def by_score(score: Formula, t: int) -> Formula:
    """The mean of the noise of all steps, if the formula is the score; it may be an integral, so it is tabulated."""
    step, table = SCHEDULE.step(t), tabulated(score, WORLD, SCHEDULE.step(t))
    return lambda x_t: -sqrt(1 - step.alpha_bar) * table(x_t)


def last_noise(ratio: Formula, t: int) -> Formula:
    """The mean of the noise of the last step, from that of all steps."""
    return lambda x_t: told(ratio, t, x_t) * moments_of("whole", t, x_t)[0]


def lands_on(what: str, t: int, mean: Formula, variance: Formula | None = None) -> Iterator[Lands]:
    """The network's mean of x_0 or x_prev is the formula's; and so is its variance, if there is one."""

    def claimed(x_t: Array) -> Array:
        return told(mean, t, x_t)

    def squared(rng: np.random.Generator, n: int) -> tuple[Array, Array]:
        x_t, x = draws(what, t)(rng, n)
        return x_t, (x - claimed(x_t)) ** 2

    yield Lands(mean_of(what, t), claimed, draws(what, t), given(what, t), RESOLVES, f"mean, t = {t}")
    if variance is not None:
        learned, known = variance_of(what, t), square_given(what, t)
        yield Lands(learned, lambda x_t: told(variance, t, x_t), squared, known, RESOLVES, f"variance, t = {t}")


# The classifier


def pairs(rng: np.random.Generator, n: int) -> tuple[Array, Array]:
    """Draws of (x_t, x_{t-1}) from between the clusters."""
    x_prev, x_t = one_step(SPLIT, ALPHA)(rng, n)
    return x_t, x_prev


@cache
def classifier(seed: int) -> Classifier:
    """The network, trained on draws that no atom sees."""

    def binned(rng: np.random.Generator, n: int) -> tuple[Array, Array]:
        x_t, x_prev = pairs(rng, n)
        return x_t, np.digitize(x_prev, EDGES)

    return train(binned, len(EDGES) + 1, stream(seed, "reversal.gmm-kernel", "training", 0), columns=3)


def bin_of(k: int) -> Callable[[int], Callable[[Array], Array]]:
    """x_t -> the probability of the bin, as the network has it."""
    return lambda seed: lambda x_t: classifier(seed).predict(x_t)[:, k]


def in_bin(k: int) -> Callable[..., tuple[Array, Array]]:
    """Draws of x_t, and whether x_{t-1} lies in the bin."""

    def draw(rng: np.random.Generator, n: int) -> tuple[Array, Array]:
        x_t, x_prev = pairs(rng, n)
        return x_t, 1.0 * (np.digitize(x_prev, EDGES) == k)

    return draw


def given_bin(k: int) -> Callable[[Array], Given]:
    """What the world knows of it."""

    def known(x_t: Array) -> Given:
        kernel = mixture(*SPLIT).conditioned(sqrt(ALPHA), 1 - ALPHA, x_t)
        return event(np.diff([kernel.cdf(edge) for edge in EDGES], axis=0, prepend=0, append=1)[k])

    return known
