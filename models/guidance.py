"""What trained networks say about guidance by a classifier.

Three clusters share two labels.  A classifier of noisy data is trained on labels; a denoiser is trained on the noise in
all of the data and, apart from that, in the data of each label.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy import sqrt
from scipy.interpolate import CubicSpline

from numerics.checks.reversal.denoising import guess
from numerics.statistics import stream
from numerics.worlds import gaussian, mixture

from . import classifier as classifiers
from . import denoiser as denoisers
from .atoms import SURE, Lands, Reached, Reaches, event
from .diffusion import SCHEDULE, draws, given, moments_of, noisy

Array = np.ndarray
Formula = Callable[..., Array]
Guided = Callable[[Array, Array], Array]  # the expected noise and a slope of the classifier -> the noise with a label

OUTER, INNER, SHARE = mixture([0.37, 0.63], [-1.63, 1.47], [0.13, 0.23]), gaussian(0.11, 0.19), 0.41
LABELLED = OUTER, INNER  # the data of each label; the share is that of the second
WORLD = mixture([*(1 - SHARE) * OUTER.weights, SHARE], [-1.63, 1.47, 0.11], [0.13, 0.23, 0.19])
T = 3
STEP = SCHEDULE.step(T)
ALPHA_BAR, ROOT = STEP.alpha_bar, sqrt(1 - STEP.alpha_bar)
RESOLVES, FRESH, UPDATES = 2e-2, 2**18, 2000


def bayes_score(classifier: Formula, guided_score: Formula, guided_noise: Formula) -> Iterator[Lands | Reaches]:
    """A classifier of noisy data lands on this average of the clean one, and its slope says what the label adds.

    A denoiser that knows the label lands on what the formulas make of exact predictions without it.  And a trained
    denoiser that does not, with the slope of a trained classifier, predicts as well as one can who does.
    """
    of_noise = lambda expected, slope: guided_noise(predicted_noise=expected, gradient=slope, alpha_bar=ALPHA_BAR)
    of_score = lambda expected, slope: -ROOT * guided_score(score=-expected / ROOT, gradient=slope)
    for y, law in enumerate(LABELLED):
        answer = lambda seed, y=y: lambda x: trained_classifier(seed).predict(x)[:, y]
        known = lambda x, y=y: event(share(y, x))
        yield Lands(answer, tabulated(classifier, y), labels(y), known, RESOLVES, f"label {y}, its probability")
        for guided, name in ((of_noise, "noise"), (of_score, "score")):
            by_formula = lambda x, y=y, guided=guided: guided(expected_noise(x), slope_of_share(y, x))
            with_label = lambda seed, y=y: lambda x: denoiser(seed).predict(x, 2 + y).whole
            name = f"label {y}, {name}"
            yield Lands(with_label, by_formula, draws("whole", T, law), given("whole", T, law), RESOLVES, name)
            reached = lambda seed, y=y, guided=guided: loss_reached(guided, y, seed)
            yield Reaches(least_loss, reached, RESOLVES, name=f"{name}, by the slope of a network")


# The formula for the classifier


def tabulated(classifier: Formula, y: int) -> Formula:
    """The formula as a function of x_t: it may be an integral, so it is read off a table."""
    x = np.linspace(-7, 7, 561)
    at = {"alpha_bar": ALPHA_BAR, "y": y, "marginal": WORLD.marginal(ALPHA_BAR), "clean": clean}
    return CubicSpline(x, np.broadcast_to(classifier(**at, guess=guess(WORLD, STEP), x_t=x), x.shape))


def clean(y: int, x_0: Array) -> Array:
    """The probability of a label, of data without noise."""
    inner = WORLD.responsibilities(x_0)[..., 2]
    return inner if y == 1 else 1 - inner


# What the world knows


def share(y: int, x: Array) -> Array:
    """The probability of a label at x_t, by Bayes' rule."""
    inner = WORLD.marginal(ALPHA_BAR).responsibilities(x)[..., 2]
    return inner if y == 1 else 1 - inner


def slope_of_share(y: int, x: Array) -> Array:
    """The slope of its logarithm: it is a sigmoid of log ratios."""
    outer, inner = (law.marginal(ALPHA_BAR).score(x) for law in LABELLED)
    return (1 - share(y, x)) * (inner - outer) * (1 if y == 1 else -1)


def expected_noise(x: Array) -> Array:
    """The mean of the noise, of whoever does not know the label."""
    return moments_of("whole", T, x, WORLD)[0]


def least_loss(least: Array) -> Array:
    """The mean square that is left to whoever knows the label."""
    return least


# The networks


def labelled(rng: np.random.Generator, n: int) -> tuple[Array, Array]:
    """Draws of x_t, and of the label of x_0."""
    inner = rng.random(n) < SHARE
    x_0 = np.where(inner, INNER.sample(rng, n), OUTER.sample(rng, n))
    return sqrt(ALPHA_BAR) * x_0 + ROOT * rng.standard_normal(n), 1.0 * inner


def labels(y: int) -> Callable[..., tuple[Array, Array]]:
    """Draws of x_t, and whether it has this label."""

    def draw(rng: np.random.Generator, n: int) -> tuple[Array, Array]:
        x, label = labelled(rng, n)
        return x, 1.0 * (label == y)

    return draw


@cache
def trained_classifier(seed: int) -> classifiers.Classifier:
    """The network, trained on draws that no atom sees."""
    rng = stream(seed, "guidance.bayes-score", "training of labels", 0)
    return classifiers.train(labelled, 2, rng, columns=6, updates=UPDATES)


@cache
def denoiser(seed: int) -> denoisers.Denoiser:
    """One network for what it may be told: nothing, or one of the labels; these take the places of times."""
    told = [noisy(T, law) for law in (WORLD, *LABELLED)]
    return denoisers.train(told, stream(seed, "guidance.bayes-score", "training of noise", 0), updates=UPDATES)


class Fresh(NamedTuple):
    """Draws of the noise in data of one label; its mean; and what networks say who have not been told the label.

    The mean can be off by so much: by what is off in the expected noise, and in the slope.
    """

    noise: Array
    mean: Array
    expected: Array
    slope: Array
    off: Array


@cache
def fresh(y: int, seed: int) -> Fresh:
    """No formula has a say in it."""
    x, noise = draws("whole", T, LABELLED[y])(stream(seed, "guidance.bayes-score", f"fresh, label {y}", 0), FRESH)
    expected, slope = denoiser(seed).predict(x, 1).whole, trained_classifier(seed).slopes(x, y)
    off = abs(expected - expected_noise(x)) + ROOT * abs(slope - slope_of_share(y, x))
    return Fresh(noise, moments_of("whole", T, x, LABELLED[y])[0], expected, slope, off)


def loss_reached(guided: Guided, y: int, seed: int) -> Reached:
    """The loss of guided predictions, and the least on the same draws; what the networks are off adds to it."""
    seen = fresh(y, seed)
    squares, least = (seen.noise - guided(seen.expected, seen.slope)) ** 2, (seen.noise - seen.mean) ** 2
    chance = SURE * np.std(squares - least) / sqrt(FRESH)
    return Reached(squares.mean(), chance + np.mean(seen.off**2), {"least": least.mean()})
