r"""The levels of Karras et al.: powers of equally spaced roots; and churn, which goes back up before each step.

.. math:: \sigma_i=\Bigl(\sigma_{\max}^{1/\rho}+\frac i{N-1}\bigl(\sigma_{\min}^{1/\rho}
          -\sigma_{\max}^{1/\rho}\bigr)\Bigr)^\rho,\quad i=0,\dots,N-1,\qquad \sigma_N=0 ,

with :math:`\rho=7`. N levels have N - 1 gaps between them, and the step to zero makes N steps. A larger
:math:`\rho` takes shorter steps at low noise, where the image gets its details.

Churn adds noise before a step, to the level :math:`\hat\sigma=(1+\gamma)\sigma`. Variances add, and standard deviations
do not, so that the noise to be added has the standard deviation :math:`\sqrt{\hat\sigma^2-\sigma^2}`. With
:math:`\gamma=\sqrt2-1` it is :math:`\sigma`: as much as there was. That is the most that is used.

References:
    Karras et al. (2022), Elucidating the design space of diffusion-based generative models, eq. (5), algorithm 2.
"""

from sympy import Integer, sqrt

from ..calculus import (
    algebra,
    eq,
    gaussian_integral,
    gt,
    integral,
    let,
    naturals,
    normal,
    positives,
    positivity,
    reals,
    units,
)
from ..claim import Claim
from .ddpm import predicted_noise, predicted_x_0, sigma, x_0, x_s, x_t

# Notation: `rest` levels come after the i-th and before zero, and k is any place; eta is the part of the most churn
# that is used.

i, rest, N = naturals("i j N")
place = reals("k")
sigma_min, sigma_max, rho, gamma = positives(r"\sigma_{\min} \sigma_{\max} \rho \gamma")
eta = units(r"\eta")
WHERE = {N: i + rest + 1}

# Statement

high, low = sigma_max ** (1 / rho), sigma_min ** (1 / rho)
level = (high + i / (N - 1) * (low - high)) ** rho
usual = Integer(7)
final = Integer(0)

churned = (1 + gamma) * sigma
added = sqrt(churned**2 - sigma**2)
most = sqrt(2) - 1


def begins(level=level):
    """The first level, ..."""
    yield let(place, 0)
    yield level.xreplace({i: place})
    yield eq(sigma_max, by=algebra)


def ends(level=level):
    """... the N-th, ..."""
    yield let(place, N - 1)
    yield level.xreplace({i: place})
    yield eq(sigma_min, by=algebra)


def spaced(level=level):
    """... and in between: it is the root that is a mean of the two, weighted by the place."""
    yield level
    yield eq(((rest * high + i * low) / (rest + i)) ** rho, by=algebra)


def seventh_roots(level=level, usual=usual):
    """Usually it is the seventh root."""
    at_7 = {rho: Integer(7)}
    yield level.xreplace({rho: usual})
    yield eq(((rest * high + i * low) / (rest + i)).xreplace(at_7) ** 7, by=algebra)


def last_step(final=final):
    """The step to the level after the last ends where the data are predicted: there is no noise left."""
    yield let(x_t, predicted_x_0 + sigma * predicted_noise)
    yield x_t + (final - sigma) * predicted_noise
    yield eq(predicted_x_0, by=algebra)


def churning(churned=churned, added=added):
    """What is added to the noise that is there makes the noise of the higher level: variances add."""
    yield integral(normal(x_s, x_t, added**2) * normal(x_t, x_0, sigma**2), x_t)
    yield eq(normal(x_s, x_0, churned**2), by=gaussian_integral(x_t))


def raised(churned=churned):
    """The level is raised by the part gamma of it."""
    yield churned
    yield eq(sigma + gamma * sigma, by=algebra)


def up(most=most):
    """Churn goes up: ..."""
    yield most
    yield gt(0, by=positivity)


def as_much_again(added=added, most=most):
    """... at its most it adds as much noise as there is, ..."""
    yield let(gamma, most)
    yield added
    yield eq(sigma, by=algebra)


def never_more(added=added, most=most):
    """... and otherwise less."""
    yield let(gamma, eta * most)
    yield sigma**2 - added**2
    yield eq(sigma**2 * (1 - eta) * (1 + eta * (sqrt(2) - 1) ** 2), by=algebra)
    yield gt(0, by=positivity)


CLAIMS = [
    Claim(
        "sampler.karras-schedule",
        "Noise levels whose seventh roots are equally spaced, and zero at the end; churn raises a level to "
        "1 + gamma times itself, and adds less noise than there is if gamma is less than sqrt(2) - 1.",
        proved_by=(begins, ends, spaced, seventh_roots, last_step, churning, raised, up, as_much_again, never_more),
        evidence="S Q P",
        kind="definition",
        assumes="N ≥ 2 levels before zero",
        source="Karras et al. (2022) eq. 5, algorithm 2",
        tier="extended",
        mistakes={
            "N-not-N-1": {"level": (high + i / N * (low - high)) ** rho},
            "rho-inverted": {"level": level.xreplace({rho: 1 / rho})},
            "churn-std-difference": {"added": churned - sigma},
            "min-max-swapped": {"level": level.xreplace({sigma_min: sigma_max, sigma_max: sigma_min})},
        },
        because={
            "N-not-N-1": "N levels have N - 1 gaps: sigma_min would come out as the level N, in the place of zero",
            "rho-inverted": "begins and ends as it should",
            "churn-std-difference": "variances add, and standard deviations do not",
        },
    ),
]
