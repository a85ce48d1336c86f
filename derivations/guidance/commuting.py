r"""To tilt and then add noise is not to add noise and then tilt: guided sampling does not end in the tilted data.

Where noise of the variance :math:`\sigma^2` is added, data :math:`\mathcal N(\mu,c)` given the label, and
:math:`\mathcal N(0,C)` without it, tilted by the weight w, are Gaussian,

.. math:: p(x\mid y)^{1+w}\,p(x)^{-w}\propto\mathcal N\Bigl(x;\frac{(1+w)\,\mu}{cP},\frac1P\Bigr),\qquad
          P=\frac{1+w}c-\frac wC>0 ,

and with noise upon them they have the precision :math:`(1/P+\sigma^2)^{-1}`. Guidance combines the scores at each level
of noise instead. What it follows has another precision, and for w > 0 a larger one:

.. math:: \frac{1+w}{c+\sigma^2}-\frac w{C+\sigma^2}-\frac1{1/P+\sigma^2}
          =\frac{w\,(1+w)\,(C-c)^2\,\sigma^2}{cC\,(c+\sigma^2)(C+\sigma^2)(1+P\sigma^2)} .

The two agree where there is no noise; where there is, only without guidance, at w = 0 or w = -1, or if the label says
nothing of the variance. Between the two laws, for -1 < w < 0, the guided precision is too small. (For w < -1 the two
laws change places, and -1 - w takes the place of w.) So no diffusion of any data has the guided scores of all levels.

References:
    Bradley & Nakkiran (2024), Classifier-free guidance is a predictor-corrector.
    Du et al. (2023), Reduce, reuse, recycle: compositional generation with energy-based diffusion models and MCMC.
"""

from sympy import Integer, log

from ..calculus import (
    algebra,
    d,
    differentiation,
    eq,
    gaussian_integral,
    ge,
    gt,
    integral,
    let,
    limit,
    normal,
    positives,
    positivity,
    reals,
    tends_to,
    units,
)
from ..claim import Claim

# Notation: u is x with noise.  P is the precision of the tilted data: for any w and C there is a c that leaves it.

x, u, mu = reals(r"x u \mu")
w, c, C, P, sigma, e, k = positives(r"w c C P \sigma e k")
v = units("v")
given, plain = normal(x, mu, c), normal(x, 0, C)
noised_given, noised_plain = normal(u, mu, c + sigma**2), normal(u, 0, C + sigma**2)
with_precision = (1 + w) / (P + w / C)

# Statement

precision = (1 + w) / c - w / C
tilted_mean = (1 + w) * mu / (c * P)
noised_precision = 1 / (1 / P + sigma**2)
pull = (1 + w) * mu / (c + sigma**2)
guided_precision = (1 + w) / (c + sigma**2) - w / (C + sigma**2)
gap = w * (1 + w) * (C - c) ** 2 * sigma**2 / (c * C * (c + sigma**2) * (C + sigma**2) * (1 + P * sigma**2))


def tilted_data(tilted_mean=tilted_mean, precision=precision):
    """The logarithm of the tilted density has the slope of that of a Gaussian, so that they are the same density."""
    yield let(c, with_precision)
    yield d(x, (1 + w) * log(given) - w * log(plain))
    yield eq((1 + w) * (mu - x) / c + w * x / C, by=differentiation)
    yield eq(precision * (tilted_mean - x), by=algebra)
    yield eq(d(x, log(normal(x, tilted_mean, 1 / P))), by=differentiation)


def with_noise(tilted_mean=tilted_mean):
    """Noise adds to the variance, ..."""
    yield integral(normal(x, tilted_mean, 1 / P) * normal(u, x, sigma**2), x)
    yield eq(normal(u, tilted_mean, 1 / P + sigma**2), by=gaussian_integral(x))


def score_of_the_noised(tilted_mean=tilted_mean, noised_precision=noised_precision):
    """... and the precision becomes less."""
    yield d(u, log(normal(u, tilted_mean, 1 / P + sigma**2)))
    yield eq(noised_precision * (tilted_mean - u), by=differentiation)


def guided_score(pull=pull, guided_precision=guided_precision):
    """Guidance tilts with the scores of the noised laws."""
    yield (1 + w) * d(u, log(noised_given)) - w * d(u, log(noised_plain))
    yield eq(pull - guided_precision * u, by=differentiation)


def without_noise(guided_precision=guided_precision, precision=precision):
    """Without noise it is the same, ..."""
    yield guided_precision
    yield tends_to(precision, sigma, 0, by=limit())


def what_noise_makes_of_it(guided_precision=guided_precision, noised_precision=noised_precision, gap=gap):
    """... and with noise the guided score is steeper ..."""
    yield let(c, with_precision)
    yield guided_precision - noised_precision
    yield eq(gap, by=algebra)
    yield ge(0, by=positivity)


def label_that_narrows(gap=gap):
    """... if the label makes the law narrower ..."""
    yield let(P, (1 + e) / C)
    yield let(c, with_precision)
    yield gap
    yield gt(0, by=positivity)


def label_that_widens(gap=gap):
    """... or wider, ..."""
    yield let(P, v / C)
    yield let(c, with_precision)
    yield gap
    yield gt(0, by=positivity)


def label_that_moves(gap=gap):
    """... and not if it only moves the law."""
    yield let(c, C)
    yield gap
    yield eq(0, by=algebra)


def between_the_laws():
    """Between the two laws, with the share v of the one without a label, it is less steep."""
    share = (1 - v) / k + v / C
    yield 1 / (1 / share + sigma**2) - (1 - v) / (k + sigma**2) - v / (C + sigma**2)
    both = k * C * (k + sigma**2) * (C + sigma**2) * (1 + sigma**2 * share)
    yield eq(v * (1 - v) * (C - k) ** 2 * sigma**2 / both, by=algebra)
    yield ge(0, by=positivity)


CLAIMS = [
    Claim(
        "guidance.cfg-does-not-commute",
        "Of Gaussian data with noise the guided score is steeper than the score of the guided data with that noise, "
        "unless the label leaves the variance as it is.",
        proved_by=(
            tilted_data,
            with_noise,
            score_of_the_noised,
            guided_score,
            without_noise,
            what_noise_makes_of_it,
            label_that_narrows,
            label_that_widens,
            label_that_moves,
            between_the_laws,
        ),
        evidence="S Q B",
        assumes="Gaussian data, with the label and without; noise is only added; w > 0; tilted data have a variance",
        source="Bradley & Nakkiran (2024); Du et al. (2023)",
        tier="extended",
        kind="inequality",
        mistakes={
            "commutes": {"gap": Integer(0)},
            "tilt-w": {"precision": w / c + (1 - w) / C, "tilted_mean": w * mu / (c * P)},
            "precision-add": {"noised_precision": P + 1 / sigma**2},
            "mean-unchanged": {"tilted_mean": mu},
        },
        because={
            "commutes": "true without noise, and taken to be true of each level of it",
            "tilt-w": "the classifier to the power w tilts the law without the label, and not that with it",
            "precision-add": "as for a product of densities; for a sum of variables it is variances that add",
        },
    ),
]
