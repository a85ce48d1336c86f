r"""Ancestral sampling where noise is only added: from one level to a lower one, down below it and up again.

With :math:`x_t=x_0+\sigma_t\bar\epsilon` (the variance explodes) and a lower level :math:`\sigma_s`, given both ends

.. math:: q(x_s\mid x_t,x_0)=\mathcal N\Bigl(x_s;\ \frac{\sigma_s^2}{\sigma_t^2}x_t
          +\Bigl(1-\frac{\sigma_s^2}{\sigma_t^2}\Bigr)x_0,\ \sigma_{\mathrm{up}}^2\Bigr),\qquad
          \sigma_{\mathrm{up}}^2=\frac{\sigma_s^2(\sigma_t^2-\sigma_s^2)}{\sigma_t^2} ,

and with the mean of :math:`x_0` given :math:`x_t` in its place, the step follows the score: its mean is
:math:`x_t+(\sigma_t^2-\sigma_s^2)\nabla\log q_t(x_t)`. The same step is an Euler step of the probability flow to the
level :math:`\sigma_{\mathrm{down}}=\sigma_s^2/\sigma_t`, which is below its target, and then fresh noise:
:math:`\sigma_{\mathrm{down}}^2+\sigma_{\mathrm{up}}^2=\sigma_s^2`. The reverse-diffusion sampler has the same mean,
and adds all of :math:`\sigma_t^2-\sigma_s^2`.

References:
    Song et al. (2021), Score-based generative modeling through SDEs, appendix F, eq. (47).
"""

from sympy import log

from ..calculus import (
    E,
    algebra,
    completing_the_square,
    d,
    definition,
    differentiation,
    eq,
    gaussian_integral,
    integral,
    let,
    linearity,
    lt,
    normal,
    positivity,
    theorem,
    under_the_integral,
    units,
)
from ..claim import Claim
from ..reversal.score import clusters
from .ddpm import data, guess, kernel, marginal, predicted_x_0, x_0, x_s, x_t
from .multistep import sigma_s, sigma_t

# Notation: a step leads from the level sigma_t to the part k of it, sigma_s.

part = units("k")
WHERE = {sigma_s: part * sigma_t}

from_data, jump = normal(x_s, x_0, sigma_s**2), normal(x_t, x_s, sigma_t**2 - sigma_s**2)
evidence = normal(x_t, x_0, sigma_t**2)
bayes = definition("Bayes' rule", {kernel: jump * from_data / evidence, guess: evidence * data / marginal})
noised = definition("the data with noise", {marginal: integral(evidence * data, x_0)})

# Statement

mean = sigma_s**2 / sigma_t**2 * x_t + (1 - sigma_s**2 / sigma_t**2) * predicted_x_0
variance = sigma_s**2 * (sigma_t**2 - sigma_s**2) / sigma_t**2
along_score = x_t + (sigma_t**2 - sigma_s**2) * d(x_t, log(marginal))
down = sigma_s**2 / sigma_t


def given_both_ends(mean=mean, variance=variance):
    """Bayes' rule, with x_0 held: two Gaussians in x_s, and their product is one ..."""
    yield let(predicted_x_0, x_0)
    yield kernel
    yield eq(jump * from_data / evidence, by=bayes)
    yield eq(normal(x_s, mean, variance), by=completing_the_square(x_s))


def right_level(mean=mean, variance=variance):
    """... so that what comes of the noise in x_t, and of fresh noise, is the noise of the level below."""
    yield integral(normal(x_s, mean.xreplace({predicted_x_0: x_0}), variance) * evidence, x_t)
    yield eq(from_data, by=gaussian_integral(x_t))


def score():
    """The score leads from x_t to where the data are expected (Tweedie), ..."""
    yield d(x_t, log(marginal))
    yield eq(d(x_t, marginal) / marginal, by=differentiation)
    yield eq(d(x_t, integral(evidence * data, x_0)) / marginal, by=noised)
    yield eq(integral((x_0 - x_t) / sigma_t**2 * evidence * data, x_0) / marginal, by=under_the_integral(x_t))
    yield eq(E(guess, (x_0 - x_t) / sigma_t**2), by=bayes)
    yield eq((E(guess, x_0) - x_t) / sigma_t**2, by=linearity)


def with_the_score(mean=mean, along_score=along_score):
    """... so that with the mean of x_0 in its place a step follows the score."""
    yield let(predicted_x_0, E(guess, x_0))
    yield along_score
    yield eq(x_t + (sigma_t**2 - sigma_s**2) * (E(guess, x_0) - x_t) / sigma_t**2, by=theorem(score))
    yield eq(mean, by=algebra)


def down_by_euler(mean=mean, down=down):
    """An Euler step of the flow leads to the mean, if it goes to this level ..."""
    yield x_t + (down - sigma_t) * (x_t - predicted_x_0) / sigma_t
    yield eq(mean, by=algebra)


def below_the_target(down=down):
    """... which is below the target ..."""
    yield down
    yield lt(sigma_s, by=positivity)


def up_again(variance=variance, down=down):
    """... by so much that with the fresh noise it is reached."""
    yield down**2 + variance
    yield eq(sigma_s**2, by=algebra)


CLAIMS = [
    Claim(
        "sampler.ve-ancestral",
        "Where noise is only added, a step given both ends is Gaussian; with the exact denoiser its mean lies along "
        "the score, and it is an Euler step to below the target, and fresh noise.",
        proved_by=(given_both_ends, right_level, score, with_the_score, down_by_euler, below_the_target, up_again),
        evidence="S M P B",
        assumes="x_t is x_0 with noise of the level sigma_t; sigma_s < sigma_t",
        source="Song et al. (2021) appendix F, eq. 47",
        tier="extended",
        mistakes={
            "variance-difference": {"variance": sigma_t**2 - sigma_s**2},
            "down-is-target": {"down": sigma_s},
            "ratio-inverted": {"mean": sigma_t**2 / sigma_s**2 * x_t + (1 - sigma_t**2 / sigma_s**2) * predicted_x_0},
            "std-difference-squared": {"variance": (sigma_t - sigma_s) ** 2},
        },
        because={
            "variance-difference": "what the forward step adds: the reverse-diffusion sampler's",
            "down-is-target": "an Euler step to the target, and noise on top of it",
            "std-difference-squared": "variances add, and standard deviations do not",
        },
    ),
]

# A world for the witness: two clusters.

WORLD = {
    data: clusters(x_0, 1, 0),
    marginal: clusters(x_t, 1, sigma_t**2),
    guess: evidence * clusters(x_0, 1, 0) / clusters(x_t, 1, sigma_t**2),
    kernel: jump * from_data / evidence,
}
