r"""Variance preserved or exploding: one process in two scales, and one network for both.

Divide :math:`x_t=a\,x_0+b\,\bar\epsilon` by a, and the data stay as they are, with noise of the level
:math:`\hat\sigma=b/a` upon them:

.. math:: u=\frac{x_t}a=x_0+\hat\sigma\bar\epsilon,\qquad
          \hat\sigma^2=\frac{b^2}{a^2}=\frac1{\mathrm{SNR}}=\frac{1-\bar\alpha_t}{\bar\alpha_t} ,

the last if the variance is preserved, :math:`a=\sqrt{\bar\alpha_t}`. Both say the same of :math:`x_0`. So a denoiser
for one is a denoiser for the other, with its input rescaled; the score is a slope, and gets a factor:

.. math:: D(u;\hat\sigma)=\hat x_0(au,t),\qquad \nabla_u\log p(u;\hat\sigma)=a\,s_t(au).

References:
    Song, Meng & Ermon (2020), Denoising diffusion implicit models.
    Karras et al. (2022), Elucidating the design space of diffusion-based generative models.
"""

from sympy import log, sqrt

from ..calculus import (
    Density,
    E,
    RealFunction,
    algebra,
    d,
    definition,
    differentiation,
    eq,
    integral,
    let,
    linearity,
    normal,
    positives,
    reals,
    theorem,
    under_the_integral,
    units,
)
from ..claim import Claim
from .conversions import WORLD as SCALED
from .conversions import (
    a,
    b,
    bayes,
    clusters,
    data,
    guess,
    marginal,
    marginalisation,
    noise,
    predicted_x_0,
    score_of_the_data,
    x_0,
    x_t,
)

# Notation: u is x_t without its scale; p(u) is its density, and p(x_0 | u) what it says of x_0.

u, alpha_bar = reals("u"), units(r"\bar\alpha_t")
sigma, snr = positives(r"\hat\sigma S")
WHERE = {sigma: b / a}

exploding, origin = Density("p", [u]), Density("p", [x_0], given=[u])
added = normal(u, x_0, sigma**2)
bayes_for_u = definition("Bayes' rule for u", {origin: added * data / exploding})
density_of_u = definition("the law of u", {exploding: integral(added * data, x_0)})

# What is known at the scale of x_t, as functions: the mean of x_0, and the score.

denoiser, score_t = RealFunction(r"\hat{x}_0", [x_t]), RealFunction("s_t", [x_t])
denoising = definition("the denoiser", {denoiser: E(guess, x_0)})
known = definition("the score, by what it leads to", {score_t: (a * E(guess, x_0) - x_t) / b**2})

# Statement

noise_level = b / a
score = a * score_t(a * u)


def without_its_scale(noise_level=noise_level):
    """Without its scale, x_t is the data with noise added ..."""
    yield let(x_t, a * x_0 + b * noise)
    yield x_t / a
    yield eq(x_0 + noise_level * noise, by=algebra)


def if_variance_is_preserved(noise_level=noise_level):
    """... whose variance is one over the signal-to-noise ratio."""
    yield let(snr, alpha_bar / (1 - alpha_bar))
    yield noise_level.xreplace({a: sqrt(alpha_bar), b: sqrt(1 - alpha_bar)}) ** 2
    yield eq(1 / snr, by=algebra)


def density_rescaled():
    """The density of u is that of x_t, and a factor that keeps its integral ..."""
    yield exploding
    yield eq(integral(added * data, x_0), by=density_of_u)
    yield eq(a * integral(normal(a * u, a * x_0, b**2) * data, x_0), by=linearity)
    yield eq(a * marginal(a * u), by=marginalisation)


def same_guess():
    """... which drops out of what it says of x_0 ..."""
    yield origin
    yield eq(added * data / exploding, by=bayes_for_u)
    yield eq(added * data / (a * marginal(a * u)), by=theorem(density_rescaled))
    yield eq(guess(x_0, a * u), by=bayes)


def one_denoiser(denoised=denoiser(a * u)):
    """... so that one denoiser serves both."""
    yield E(origin, x_0)
    yield eq(E(guess(x_0, a * u), x_0), by=theorem(same_guess))
    yield eq(denoised, by=denoising)


def score_of_x_t():
    """The score of x_t leads to where the denoiser expects the data ..."""
    yield let(predicted_x_0, E(guess, x_0))
    yield d(x_t, log(marginal))
    yield eq((a * predicted_x_0 - x_t) / b**2, by=theorem(score_of_the_data))
    yield eq(score_t, by=known)


def score_of_u(score=score):
    """... and so does that of u: by the same way, in other units."""
    yield d(u, log(exploding))
    yield eq(d(u, exploding) / exploding, by=differentiation)
    yield eq(d(u, integral(added * data, x_0)) / exploding, by=density_of_u)
    yield eq(integral((x_0 - u) / sigma**2 * added * data, x_0) / exploding, by=under_the_integral(u))
    yield eq(E(origin, (x_0 - u) / sigma**2), by=bayes_for_u)
    yield eq(E(guess(x_0, a * u), (x_0 - u) / sigma**2), by=theorem(same_guess))
    yield eq((E(guess(x_0, a * u), x_0) - u) / sigma**2, by=linearity)
    yield eq(score, by=known)


CLAIMS = [
    Claim(
        "parameterization.vp-ve-edm",
        "x_t divided by a has noise of the level b/a; its denoiser is that of x_t, its score a times that of x_t.",
        proved_by=(
            without_its_scale,
            if_variance_is_preserved,
            density_rescaled,
            same_guess,
            one_denoiser,
            score_of_x_t,
            score_of_u,
        ),
        evidence="S P",
        source="Song et al. (2020); Karras et al. (2022)",
        mistakes={
            "score-not-rescaled": {"score": score_t(a * u)},
            "score-divided": {"score": score_t(a * u) / a},
            "sigma-is-sqrt-1-minus": {"noise_level": b},
            "sigma-squared": {"noise_level": b**2 / a**2},
        },
        because={
            "score-not-rescaled": "right for the denoiser, which is no slope",
            "sigma-is-sqrt-1-minus": "the noise in x_t, not in x_t/a: sqrt(1 - alpha_bar)",
        },
    ),
]

# The world of the page on conversions, at both scales.

WORLD = SCALED | {
    exploding: clusters(u, 1, sigma**2),
    origin: added * clusters(x_0, 1, 0) / clusters(u, 1, sigma**2),
    denoiser: E(guess, x_0),
    score_t: clusters(x_t, a, b**2).diff(x_t) / clusters(x_t, a, b**2),
}
