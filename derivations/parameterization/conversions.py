r"""One prediction in four spellings: the data, the noise, the score, the velocity.

From :math:`x_t=a\,x_0+b\,\bar\epsilon`, whatever a and b are,

.. math:: \hat x_0=\frac{x_t-b\hat\epsilon}a,\qquad \hat\epsilon=\frac{x_t-a\hat x_0}b,\qquad
          \hat s=-\frac{\hat\epsilon}b=\frac{a\hat x_0-x_t}{b^2} .

The hats are means given :math:`x_t`, and what is linear in :math:`x_0` and :math:`\bar\epsilon` carries over to them.
So it does to the velocity. If the variance is preserved, :math:`a=\alpha` and :math:`b=\sigma` with
:math:`\alpha^2+\sigma^2=1` (here :math:`\alpha` is :math:`\sqrt{\bar\alpha_t}`), then :math:`(x_t,v)` is
:math:`(x_0,\bar\epsilon)`, rotated:

.. math:: v=\alpha\,\bar\epsilon-\sigma\,x_0,\qquad x_0=\alpha\,x_t-\sigma\,v,\qquad
          \bar\epsilon=\sigma\,x_t+\alpha\,v .

Where nothing of the data is left, v is :math:`-x_0`; where there is no noise, it is :math:`\bar\epsilon`: at both ends
it is what one does not see. A network may predict any of them; what differs is how an error counts. With
:math:`\mathrm{SNR}=\alpha^2/\sigma^2`, one and the same error is

.. math:: \|\bar\epsilon-\hat\epsilon\|^2=\mathrm{SNR}\,\|x_0-\hat x_0\|^2,\qquad
          \|v-\hat v\|^2=(1+\mathrm{SNR})\,\|x_0-\hat x_0\|^2 .

Vectors are read one coordinate at a time.

References:
    Ho, Jain & Abbeel (2020), Denoising diffusion probabilistic models, eq. (15).
    Karras, Aittala, Aila & Laine (2022), Elucidating the design space of diffusion-based generative models, eq. (3).
    Salimans & Ho (2022), Progressive distillation for fast sampling of diffusion models, section 4.
"""

from sympy import Rational, cos, log, sin, sqrt

from ..calculus import (
    Density,
    E,
    algebra,
    d,
    definition,
    differentiation,
    eq,
    integral,
    let,
    limit,
    linearity,
    normal,
    positives,
    reals,
    tends_to,
    theorem,
    under_the_integral,
    units,
)
from ..claim import Claim

# Notation: a and b are any; where the variance is preserved they are alpha and sigma; S is SNR.

x_0, x_t, noise, v, phi = reals(r"x_0 x_t \bar\epsilon v \varphi")
predicted_x_0, predicted_noise = reals(r"\hat{x}_0 \hat{\epsilon}")
a, b = positives("a b")
alpha, sigma, snr = units(r"\alpha"), *positives(r"\sigma S")
WHERE = {sigma: sqrt(1 - alpha**2), snr: alpha**2 / (1 - alpha**2)}

data, marginal = Density("q_0", [x_0]), Density("q_t", [x_t])
guess = Density("q_0", [x_0], given=[x_t])
jump = normal(x_t, a * x_0, b**2)
bayes = definition("Bayes' rule", {guess: jump * data / marginal})
marginalisation = definition("marginalisation", {marginal: integral(jump * data, x_0)})

behind = (x_t - a * x_0) / b  # the noise that leads from x_0 to x_t
preserving = {a: alpha, b: sigma}

# Statement

x_0_from_noise = (x_t - b * predicted_noise) / a
noise_from_x_0 = (x_t - a * predicted_x_0) / b
score_from_noise = -predicted_noise / b
score_from_x_0 = (a * predicted_x_0 - x_t) / b**2

velocity = alpha * noise - sigma * x_0
x_0_from_v = alpha * x_t - sigma * v
noise_from_v = sigma * x_t + alpha * v

noise_weight, velocity_weight, score_weight = snr, 1 + snr, 1 / sigma**2


def data_from_noise(x_0_from_noise=x_0_from_noise):
    """What is linear carries over to the means given x_t: of the data ..."""
    yield let(predicted_noise, E(guess, behind))
    yield E(guess, x_0)
    yield eq((x_t - b * E(guess, behind)) / a, by=linearity)
    yield eq(x_0_from_noise, by=algebra)


def noise_from_data(noise_from_x_0=noise_from_x_0):
    """... of the noise ..."""
    yield let(predicted_x_0, E(guess, x_0))
    yield E(guess, behind)
    yield eq((x_t - a * E(guess, x_0)) / b, by=linearity)
    yield eq(noise_from_x_0, by=algebra)


def score_is_an_average():
    """... and the score is a mean given x_t, too: of the slope of the noise."""
    yield d(x_t, log(marginal))
    yield eq(d(x_t, marginal) / marginal, by=differentiation)
    yield eq(d(x_t, integral(jump * data, x_0)) / marginal, by=marginalisation)
    # x_t enters through the Gaussian alone, and a Gaussian's slope is itself times a line.
    yield eq(integral((a * x_0 - x_t) / b**2 * jump * data, x_0) / marginal, by=under_the_integral(x_t))
    yield eq(E(guess, (a * x_0 - x_t) / b**2), by=bayes)


def score_of_the_noise(score_from_noise=score_from_noise):
    """So it is the noise that is expected, turned round, in units of what it adds to x_t ..."""
    yield let(predicted_noise, E(guess, behind))
    yield d(x_t, log(marginal))
    yield eq(E(guess, (a * x_0 - x_t) / b**2), by=theorem(score_is_an_average))
    yield eq(-E(guess, behind) / b, by=linearity)
    yield eq(score_from_noise, by=algebra)


def score_of_the_data(score_from_x_0=score_from_x_0):
    """... and leads from x_t to where the data are expected."""
    yield let(predicted_x_0, E(guess, x_0))
    yield d(x_t, log(marginal))
    yield eq(E(guess, (a * x_0 - x_t) / b**2), by=theorem(score_is_an_average))
    yield eq((a * E(guess, x_0) - x_t) / b**2, by=linearity)
    yield eq(score_from_x_0, by=algebra)


def x_t_moves(velocity=velocity):
    """On its way from the data to the noise, a quarter of a circle, x_t has this velocity."""
    yield d(phi, cos(phi) * x_0 + sin(phi) * noise)
    yield eq(velocity.xreplace({alpha: cos(phi), sigma: sin(phi)}), by=differentiation)


def turned_back_to_the_data(velocity=velocity, x_0_from_v=x_0_from_v):
    """Turned back, it gives the data ..."""
    yield let(x_t, alpha * x_0 + sigma * noise)
    yield let(v, velocity)
    yield x_0_from_v
    yield eq(x_0, by=algebra)


def turned_back_to_the_noise(velocity=velocity, noise_from_v=noise_from_v):
    """... and the noise ..."""
    yield let(x_t, alpha * x_0 + sigma * noise)
    yield let(v, velocity)
    yield noise_from_v
    yield eq(noise, by=algebra)


def nothing_is_lost(velocity=velocity):
    """... for it is a rotation, which keeps lengths."""
    yield (alpha * x_0 + sigma * noise) ** 2 + velocity**2
    yield eq(x_0**2 + noise**2, by=algebra)


def predicted_data(velocity=velocity, x_0_from_v=x_0_from_v):
    """What is linear carries over to means given x_t once more."""
    seen = velocity.xreplace({noise: behind.xreplace(preserving)})
    yield let(v, E(guess, seen))
    yield E(guess, x_0)
    yield eq(alpha * x_t - sigma * E(guess, seen), by=linearity)
    yield eq(x_0_from_v, by=algebra)


def without_signal(velocity=velocity):
    """Where nothing of the data is left in x_t, it is the data, with a minus sign ..."""
    yield velocity
    yield tends_to(-x_0, alpha, 0, by=limit())


def without_noise(velocity=velocity):
    """... and where there is no noise yet, it is the noise."""
    yield velocity
    yield tends_to(noise, alpha, 1, by=limit())


def errors():
    """The noise that x_0 implies, and the one that a prediction of x_0 implies."""
    return (
        let(e, noise_from_x_0.xreplace(preserving | {predicted_x_0: x}))
        for e, x in ((noise, x_0), (predicted_noise, predicted_x_0))
    )


def error_of_the_noise(noise_weight=noise_weight):
    """An error in x_0 is one in the noise ..."""
    yield from errors()
    yield (noise - predicted_noise) ** 2
    yield eq(noise_weight * (x_0 - predicted_x_0) ** 2, by=algebra)


def error_of_the_velocity(velocity_weight=velocity_weight):
    """... and one in the velocity ..."""
    yield from errors()
    yield (velocity - velocity.xreplace({noise: predicted_noise, x_0: predicted_x_0})) ** 2
    yield eq(velocity_weight * (x_0 - predicted_x_0) ** 2, by=algebra)


def both_errors():
    """... which is that of the noise and that of x_0 together ..."""
    yield from errors()
    yield (velocity - velocity.xreplace({noise: predicted_noise, x_0: predicted_x_0})) ** 2
    yield eq((noise - predicted_noise) ** 2 + (x_0 - predicted_x_0) ** 2, by=algebra)


def error_of_the_score(score_weight=score_weight):
    """... and one in the score, against the target of denoising score matching."""
    target, predicted = d(x_t, log(jump.xreplace(preserving))), score_from_noise.xreplace(preserving)
    yield from errors()
    yield (target - predicted) ** 2
    yield eq(score_weight * (noise - predicted_noise) ** 2, by=differentiation)


CLAIMS = [
    Claim(
        "parameterization.conversions",
        "From x_t = a x_0 + b noise: the means of x_0 and of the noise given x_t, and the score, each from another.",
        proved_by=(data_from_noise, noise_from_data, score_of_the_noise, score_of_the_data),
        evidence="S P",
        source="Ho et al. (2020) eq. 15; Karras et al. (2022) eq. 3",
        mistakes={
            "score-plus": {"score_from_noise": predicted_noise / b},
            "score-over-b2-from-eps": {"score_from_noise": -predicted_noise / b**2},
            "no-a": {"x_0_from_noise": x_t - b * predicted_noise},
            "b-squared": {"x_0_from_noise": (x_t - b**2 * predicted_noise) / a},
        },
        because={
            "score-over-b2-from-eps": "the square belongs to the form with x_0",
            "b-squared": "the variance in the place of the standard deviation",
        },
    ),
    Claim(
        "parameterization.v-prediction",
        "v = alpha noise - sigma x_0 is the velocity of x_t, and (x_t, v) is (x_0, noise), turned.",
        proved_by=(
            x_t_moves,
            turned_back_to_the_data,
            turned_back_to_the_noise,
            nothing_is_lost,
            predicted_data,
            without_signal,
            without_noise,
        ),
        evidence="S P",
        assumes="the variance is preserved",
        source="Salimans & Ho (2022) section 4",
        tier="extended",
        mistakes={
            "sign-swapped": {"velocity": sigma * x_0 - alpha * noise},
            "x0-plus": {"x_0_from_v": alpha * x_t + sigma * v},
            "roles-swapped": {"velocity": alpha * x_0 - sigma * noise},
            "ve-without-rescale": {"x_0_from_v": x_t - sigma * v, "noise_from_v": sigma * x_t / alpha + alpha * v},
        },
        because={"ve-without-rescale": "x_t/alpha, whose variance explodes, is put in for x_t"},
    ),
    Claim(
        "parameterization.loss-equivalence",
        "A squared error in x_0 counts SNR times in the noise, 1 + SNR times in v; one in the noise, 1/sigma^2 in s.",
        proved_by=(error_of_the_noise, error_of_the_velocity, both_errors, error_of_the_score),
        evidence="S P",
        assumes="the variance is preserved",
        source="Salimans & Ho (2022) section 4",
        mistakes={
            "inverse-snr": {"noise_weight": 1 / snr},
            "root-snr": {"noise_weight": sqrt(snr)},
            "v-snr-only": {"velocity_weight": snr},
            "v-equals-sum-half": {"velocity_weight": (1 + snr) / 2},
        },
        because={
            "v-snr-only": "as for the noise",
            "v-equals-sum-half": "the mean of both errors, not their sum",
        },
    ),
]

# A world for the witness: two clusters.


def clusters(x, scale, spread):
    first, second = (
        normal(x, scale * m, scale**2 * c + spread) for m, c in ((-1, Rational(1, 2)), (Rational(3, 2), Rational(4, 5)))
    )
    return Rational(3, 10) * first + Rational(7, 10) * second


WORLD = {
    data: clusters(x_0, 1, 0),
    marginal: clusters(x_t, a, b**2),
    guess: jump * clusters(x_0, 1, 0) / clusters(x_t, a, b**2),
}
