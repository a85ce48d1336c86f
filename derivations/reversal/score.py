r"""The mean and the variance of the reverse kernel come from the score of what one sees.

.. math:: \mathbb E[x_{t-1}\mid x_t]=\frac{x_t+\beta_t s_t(x_t)}{\sqrt{\alpha_t}},\quad
    \operatorname{Var}[x_{t-1}\mid x_t]=\frac{\beta_t}{\alpha_t}\bigl(1+\beta_t s_t'(x_t)\bigr),\ \ s_t=(\log q_t)'.

The naive inversion has the mean :math:`x_t/\sqrt{\alpha_t}`. What it lacks is :math:`\beta_t s_t/\sqrt{\alpha_t}`:
small beside the noise of the step, and yet the whole difference between returning to the data and exploding.

The same in terms of the noise is the answer to the question of the chapter. Given :math:`x_t`, the noise of the step
has a law of its own, and this law contains :math:`q_{t-1}`. Draw the noise from it, and the rearranged equation *is*
the reverse kernel.

References:
    Efron (2011), Tweedie's formula and selection bias, applied to one step.
    Ho, Jain & Abbeel (2020), Denoising diffusion probabilistic models, eq. (11).
"""

from sympy import Integer, Rational, log, sqrt

from ..calculus import (
    Density,
    E,
    Var,
    algebra,
    d,
    definition,
    differentiation,
    eq,
    integral,
    let,
    linearity,
    normal,
    reals,
    rearranging,
    theorem,
    under_the_integral,
    units,
)
from ..claim import Claim
from .step import WHERE as STEP
from .step import alpha, bayes, beta, marginal, marginalisation, posterior, prior, score, step, x_prev, x_t

# Notation

e, s_t, x_0 = reals(r"\epsilon_t s_t x_0")
alpha_bar_prev, alpha_bar = units(r"\bar\alpha_{t-1} \bar\alpha_t")
WHERE = STEP | {alpha_bar: alpha * alpha_bar_prev}

data, noise_given = Density("q_0", [x_0]), Density("p", [e], given=[x_t])
noise = (x_t - sqrt(alpha) * x_prev) / sqrt(beta)
substitution = definition(
    r"the noise as a function of x_{t-1}",
    {noise_given: sqrt(beta / alpha) * posterior((x_t - sqrt(beta) * e) / sqrt(alpha), x_t)},
)

# Statement

reverse_mean = (x_t + beta * score) / sqrt(alpha)
reverse_variance = beta / alpha * (1 + beta * d(x_t, score))
law_of_the_noise = normal(e, 0, 1) * prior((x_t - sqrt(beta) * e) / sqrt(alpha)) / (sqrt(alpha) * marginal)
noise_mean = -sqrt(beta) * score
noise_variance = 1 + beta * d(x_t, score)


def score_identity():
    """The score of the output is a conditional mean."""
    yield score
    yield eq(d(x_t, marginal) / marginal, by=differentiation)
    yield eq(d(x_t, integral(step * prior, x_prev)) / marginal, by=marginalisation)
    # x_t enters through the Gaussian alone, and a Gaussian's slope is itself times a line.
    yield eq(
        integral((sqrt(alpha) * x_prev - x_t) / beta * step * prior, x_prev) / marginal, by=under_the_integral(x_t)
    )
    yield eq(E(posterior, (sqrt(alpha) * x_prev - x_t) / beta), by=bayes)
    yield eq((sqrt(alpha) * E(posterior, x_prev) - x_t) / beta, by=linearity)


def step_mean(mean=reverse_mean):
    """Hence the mean of the reverse kernel: the naive mean, moved along the score."""
    yield E(posterior, x_prev)
    yield eq(mean, by=rearranging(score_identity))


def mean_moves_with_variance():
    """Where the output is ambiguous, the mean moves fast."""
    yield let(s_t, score)
    yield d(x_t, E(posterior, x_prev))
    yield eq(d(x_t, integral(x_prev * step * prior, x_prev) / marginal), by=bayes)
    yield eq(
        integral(x_prev * ((sqrt(alpha) * x_prev - x_t) / beta - s_t) * step * prior, x_prev) / marginal,
        by=under_the_integral(x_t),
    )
    yield eq(E(posterior, x_prev * (sqrt(alpha) * x_prev - x_t) / beta) - s_t * E(posterior, x_prev), by=bayes)
    yield eq(sqrt(alpha) / beta * Var(posterior, x_prev), by=theorem(score_identity))


def step_variance(variance=reverse_variance):
    """Hence the variance of the reverse kernel, from the curvature of the log density."""
    yield Var(posterior, x_prev)
    yield eq(beta / sqrt(alpha) * d(x_t, E(posterior, x_prev)), by=rearranging(mean_moves_with_variance))
    yield eq(beta / sqrt(alpha) * d(x_t, reverse_mean), by=theorem(step_mean))
    yield eq(variance, by=differentiation)


def noise_given_the_output(law=law_of_the_noise):
    """Given the output, the noise is not standard normal: it has seen the data."""
    yield noise_given
    yield eq(sqrt(beta / alpha) * posterior((x_t - sqrt(beta) * e) / sqrt(alpha), x_t), by=substitution)
    yield eq(law, by=bayes)


def mean_of_the_noise(mean=noise_mean):
    """Its mean points against the score ..."""
    yield E(posterior, noise)
    yield eq((x_t - sqrt(alpha) * E(posterior, x_prev)) / sqrt(beta), by=linearity)
    yield eq(mean, by=theorem(step_mean))


def variance_of_the_noise(variance=noise_variance):
    """... and its variance is less than one near a peak of the output's density, and more than one in a valley."""
    yield Var(posterior, noise)
    yield eq(alpha / beta * Var(posterior, x_prev), by=linearity)
    yield eq(variance, by=theorem(step_variance))


def rearranged(law=law_of_the_noise):
    """Put that noise into the rearranged equation, and what comes out has the law of the reverse kernel."""
    yield posterior
    yield eq(step * prior / marginal, by=bayes)
    yield eq(sqrt(alpha / beta) * law.xreplace({e: noise}), by=algebra)


def rearranged_variance(variance=noise_variance):
    """In particular its variance: the mean of the noise alone would have none."""
    yield Var(posterior, x_prev)
    yield eq(beta / alpha * variance, by=theorem(step_variance))


CLAIMS = [
    Claim(
        "reversal.step-tweedie",
        "The reverse kernel's mean is the naive mean moved along the score; its variance follows from the curvature.",
        proved_by=(step_mean, step_variance),
        evidence="S Q M P T",
        source="Efron (2011); Ho et al. (2020) eq. 11 in score form",
        mistakes={
            "half-beta": {"mean": (x_t + beta * score / 2) / sqrt(alpha)},
            "sign": {"mean": (x_t - beta * score) / sqrt(alpha)},
            "score-of-previous": {"mean": (x_t + beta * d(x_t, log(prior(x_t)))) / sqrt(alpha)},
            "sqrt-beta": {"mean": (x_t + sqrt(beta) * score) / sqrt(alpha)},
            "variance-first-order-sign": {"variance": beta / alpha * (1 - beta * d(x_t, score))},
        },
        because={
            "half-beta": "the coefficient of the probability-flow ODE, which moves without noise",
            "score-of-previous": "one step earlier, where the score is steeper",
        },
    ),
    Claim(
        "reversal.noise-conditional-law",
        "Given x_t, the noise of the step is tilted by q_{t-1}: its mean is -sqrt(beta_t) s_t, its "
        "variance 1 + beta_t s_t'.",
        proved_by=(noise_given_the_output, mean_of_the_noise, variance_of_the_noise),
        evidence="S Q M P",
        source="Efron (2011), applied to one step",
        mistakes={
            "sign": {"mean": sqrt(beta) * score},
            "beta-not-root": {"mean": -beta * score},
            "standard-normal": {"law": normal(e, 0, 1), "mean": Integer(0), "variance": Integer(1)},
            "cov-minus": {"variance": 1 - beta * d(x_t, score)},
            "missing-jacobian": {"law": sqrt(alpha) * law_of_the_noise},
            "score-of-previous": {"mean": -sqrt(beta) * d(x_t, log(prior(x_t)))},
        },
        because={"standard-normal": "what the noise is before one has seen x_t: the naive inversion"},
    ),
    Claim(
        "reversal.rearrangement-with-conditional-noise",
        "With noise drawn from its law given x_t, the rearranged forward step is exactly a draw "
        "from the reverse kernel.",
        proved_by=(rearranged, rearranged_variance),
        evidence="S Q M P",
        source="the note",
        mistakes={
            "unconditional-noise": {"law": normal(e, 0, 1), "variance": Integer(1)},
            "mean-noise": {"variance": Integer(0)},
            "matched-gaussian-noise": {"law": normal(e, noise_mean, noise_variance)},
            "cumulative-noise": {
                "law": normal(e, 0, 1)
                * data((x_t - sqrt(1 - alpha_bar) * e) / sqrt(alpha_bar))
                / (sqrt(alpha_bar) * marginal)
            },
        },
        because={
            "unconditional-noise": "the naive kernel",
            "mean-noise": "the right mean, and no variance",
            "matched-gaussian-noise": "exact for Gaussian data only",
            "cumulative-noise": "one symbol for the noise of a step and that of all steps so far",
        },
    ),
]

# A world for the witness: two clusters, before any noise.


def clusters(x, shrunk, noise):
    first, second = (
        normal(x, sqrt(shrunk) * m, shrunk * c + noise)
        for m, c in ((-1, Rational(1, 2)), (Rational(3, 2), Rational(4, 5)))
    )
    return Rational(3, 10) * first + Rational(7, 10) * second


WORLD = {
    data: clusters(x_0, Integer(1), Integer(0)),
    prior: clusters(x_prev, alpha_bar_prev, 1 - alpha_bar_prev),
    marginal: clusters(x_t, alpha_bar, 1 - alpha_bar),
    posterior: step * prior / integral(step * prior, x_prev),
    noise_given: normal(e, 0, 1)
    * prior((x_t - sqrt(beta) * e) / sqrt(alpha))
    / integral(normal(e, 0, 1) * prior((x_t - sqrt(beta) * e) / sqrt(alpha)), e),
}
