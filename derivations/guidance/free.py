r"""Guidance without a classifier: two predictions, of which one knows the label, and their difference taken too far.

.. math:: \tilde\epsilon=(1+w)\,\hat\epsilon(x\mid y)-w\,\hat\epsilon(x)
          =\hat\epsilon(x)+s\,\bigl(\hat\epsilon(x\mid y)-\hat\epsilon(x)\bigr),\qquad s=1+w ,

is :math:`-\sqrt{1-\bar\alpha_t}` times the score of

.. math:: q_t(x\mid y)^{1+w}\,q_t(x)^{-w}=q_t(x\mid y)\,\Bigl(\frac{p_t(y\mid x)}{p(y)}\Bigr)^w ,

the law given the label, tilted towards where the label is certain. Both conventions are in use, and they count
differently: without guidance :math:`w=0`, and :math:`s=1`. At :math:`s=0`, :math:`w=-1`, the label is not used at all.

This is so at each t by itself. That the tilted densities belong to one diffusion is not said, and page ``commuting``
shows that they do not.

References:
    Ho & Salimans (2022), Classifier-free diffusion guidance, eq. (6).
    Weng (2021), What are diffusion models?, "Classifier-Free Guidance".
"""

from sympy import log, sqrt

from ..calculus import E, algebra, d, differentiation, eq, let, reals, theorem
from ..claim import Claim
from .classifier import (
    WORLD,
    alpha_bar,
    bayes,
    conditional,
    conditional_noise,
    frequency,
    guess,
    guess_with_label,
    joint,
    marginal,
    noise,
    noise_from_the_labelled_score,
    noise_from_the_score,
    noisy,
    predicted_noise,
    x_t,
    y,
)

__all__ = ["CLAIMS", "WHERE", "WORLD", "y"]

# Notation: the weight w of one convention, and the scale s of the other.

w, s = reals("w s")
WHERE = {s: 1 + w}

# Statement

guided = (1 + w) * conditional_noise - w * predicted_noise
scaled = predicted_noise + s * (conditional_noise - predicted_noise)
tilted = conditional * (noisy / frequency) ** w


def tilted_by_the_classifier(tilted=tilted):
    """What the label changes in the density of x_t is the classifier, up to the frequency of the label."""
    yield conditional ** (1 + w) / marginal**w
    yield eq(conditional * (joint / (frequency * marginal)) ** w, by=bayes)
    yield eq(tilted, by=bayes)


def score_of_the_tilted_density(guided=guided, tilted=tilted):
    """Logarithms turn powers into multiples: the combination of noises is that of scores."""
    yield let(predicted_noise, E(guess, noise))
    yield let(conditional_noise, E(guess_with_label, noise))
    yield guided
    root, scores = sqrt(1 - alpha_bar), (d(x_t, log(conditional)), d(x_t, log(marginal)))
    yield eq(-(1 + w) * root * scores[0] - w * predicted_noise, by=theorem(noise_from_the_labelled_score))
    yield eq(-root * ((1 + w) * scores[0] - w * scores[1]), by=theorem(noise_from_the_score))
    yield eq(-root * d(x_t, log(conditional ** (1 + w) / marginal**w)), by=differentiation)
    yield eq(-root * d(x_t, log(tilted)), by=theorem(tilted_by_the_classifier))


def two_conventions(guided=guided, scaled=scaled):
    """The scale counts from the prediction without a label, the weight from the one with it: ..."""
    yield guided
    yield eq(scaled, by=algebra)


def no_guidance(guided=guided):
    """... the weight says how far one goes past it, and at 0 what it multiplies is gone, ..."""
    yield guided
    yield eq(conditional_noise + w * (conditional_noise - predicted_noise), by=algebra)


def scale_of_one(scaled=scaled):
    """... as it is at the scale 1: then one draws from the law given the label."""
    yield scaled
    yield eq(conditional_noise + (s - 1) * (conditional_noise - predicted_noise), by=algebra)


CLAIMS = [
    Claim(
        "guidance.cfg",
        "Guidance without a classifier follows the score of the law given the label, times a power of the classifier; "
        "the scale is one more than the weight.",
        proved_by=(tilted_by_the_classifier, score_of_the_tilted_density, two_conventions, no_guidance, scale_of_one),
        evidence="S P",
        assumes="the standing assumptions; given x_0, the label and x_t are independent; at one time t",
        source="Ho & Salimans (2022) eq. 6; Weng (2021)",
        tier="extended",
        mistakes={
            "w-for-s": {"scaled": predicted_noise + w * (conditional_noise - predicted_noise)},
            "sign": {"guided": (1 - w) * conditional_noise + w * predicted_noise},
            "sum-not-one": {"guided": (1 + w) * conditional_noise + w * predicted_noise},
            "w-on-unconditional-only": {"guided": conditional_noise - w * predicted_noise},
        },
        because={
            "w-for-s": "one number is used in both conventions: a weight of 1 is a scale of 2",
            "sign": "between the two predictions, where one wants to go past them",
        },
    ),
]
