r"""The mean, the variance and the third cumulant of the reverse kernel are three derivatives of log q_t.

.. math:: \mathbb E[x_{t-1}\mid x_t]=\frac{x_t+\beta_ts_t}{\sqrt{\alpha_t}},\quad
    \operatorname{Var}[x_{t-1}\mid x_t]=\frac{\beta_t}{\alpha_t}(1+\beta_ts_t'),\quad
    \kappa_3[x_{t-1}\mid x_t]=\frac{\beta_t^3}{\alpha_t^{3/2}}\,s_t'',

because the mean of any function of :math:`x_{t-1}` moves with :math:`x_t` by its covariance with :math:`x_{t-1}`. For
the noise of the step, given :math:`x_t`, they are :math:`-\sqrt{\beta_t}s_t`, :math:`1+\beta_ts_t'` and
:math:`-\beta_t^{3/2}s_t''`. Here :math:`\beta_t` is the letter, and :math:`\alpha_t=1-\beta_t`, so that it can tend to
zero on the page ``orders``, which rests on this one.
"""

from sympy import Rational, exp, log, sqrt

from ..calculus import (
    Cov,
    Density,
    E,
    RealFunction,
    Var,
    change_of_variables,
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
)
from .step import WORLD as ONE_STEP
from .step import alpha, bayes, beta, marginal, marginalisation, posterior, prior, score, step, x_prev, x_t

# Notation: here beta is the letter that tends to zero, and everything is a function of it.

e, a, s_t = reals(r"\epsilon_t a s_t")
WHERE = {alpha: 1 - beta}

f = RealFunction("f", [x_prev])  # any function
noise = (x_t - sqrt(alpha) * x_prev) / sqrt(beta)
denoised = (x_t - sqrt(beta) * e) / sqrt(alpha)
noise_given = Density("p", [e], given=[x_t])
r = RealFunction("r", [x_t])  # the variance of the noise given x_t, which is positive, is exp(beta r)

substitution = definition(
    r"the noise as a function of x_{t-1}", {noise_given: sqrt(beta / alpha) * posterior(denoised, x_t)}
)
logarithm = definition("the logarithm of a variance", {r: log(Var(noise_given, e)) / beta})

mean = (x_t + beta * score) / sqrt(alpha)
noise_mean, noise_variance = -sqrt(beta) * s_t, exp(beta * r)

# Statement

reverse_variance = beta / alpha * (1 + beta * d(x_t, score))
reverse_cumulant = beta**3 / alpha ** Rational(3, 2) * d(x_t, d(x_t, score))


# The first three cumulants of the kernel


def score_identity():
    """The score of the output is a conditional mean."""
    yield score
    yield eq(d(x_t, marginal) / marginal, by=differentiation)
    yield eq(d(x_t, integral(step * prior, x_prev)) / marginal, by=marginalisation)
    yield eq(
        integral((sqrt(alpha) * x_prev - x_t) / beta * step * prior, x_prev) / marginal, by=under_the_integral(x_t)
    )
    yield eq(E(posterior, (sqrt(alpha) * x_prev - x_t) / beta), by=bayes)
    yield eq((sqrt(alpha) * E(posterior, x_prev) - x_t) / beta, by=linearity)


def step_mean():
    """So the score gives the mean of the kernel."""
    yield E(posterior, x_prev)
    yield eq(mean, by=rearranging(score_identity))


def means_move_with_covariances():
    """The mean of anything moves with the output by its covariance with the input."""
    yield let(s_t, score)
    yield d(x_t, E(posterior, f))
    yield eq(d(x_t, integral(f * step * prior, x_prev) / marginal), by=bayes)
    yield eq(
        integral(f * ((sqrt(alpha) * x_prev - x_t) / beta - s_t) * step * prior, x_prev) / marginal,
        by=under_the_integral(x_t),
    )
    yield eq(E(posterior, f * (sqrt(alpha) * x_prev - x_t) / beta) - s_t * E(posterior, f), by=bayes)
    yield eq(sqrt(alpha) / beta * Cov(posterior, f, x_prev), by=theorem(score_identity))


def step_variance(variance=reverse_variance):
    """The mean itself moves by the variance, ..."""
    yield Var(posterior, x_prev)
    yield eq(
        beta / sqrt(alpha) * d(x_t, E(posterior, x_prev)), by=rearranging(means_move_with_covariances, {f: x_prev})
    )
    yield eq(beta / sqrt(alpha) * d(x_t, mean), by=theorem(step_mean))
    yield eq(variance, by=differentiation)


def variance_moves_with_the_third_cumulant():
    """... and the variance by the third cumulant."""
    first_moment, slope = E(posterior, x_prev), d(x_t, E(posterior, x_prev))
    covariance = Cov(posterior, x_prev**2, x_prev)
    yield d(x_t, Var(posterior, x_prev))
    yield eq(d(x_t, E(posterior, x_prev**2)) - 2 * first_moment * slope, by=differentiation)
    yield eq(
        sqrt(alpha) / beta * covariance - 2 * first_moment * slope,
        by=theorem(means_move_with_covariances, {f: x_prev**2}),
    )
    yield eq(
        sqrt(alpha) / beta * (covariance - 2 * first_moment * Var(posterior, x_prev)),
        by=theorem(means_move_with_covariances, {f: x_prev}),
    )
    yield eq(sqrt(alpha) / beta * E(posterior, (x_prev - first_moment) ** 3), by=linearity)
    yield eq(sqrt(alpha) / beta * E(posterior, (x_prev - mean) ** 3), by=theorem(step_mean))


def step_cumulant(cumulant=reverse_cumulant):
    """So the kernel leans as the score bends, and not at all for Gaussian data."""
    yield E(posterior, (x_prev - mean) ** 3)
    yield eq(
        beta / sqrt(alpha) * d(x_t, Var(posterior, x_prev)), by=rearranging(variance_moves_with_the_third_cumulant)
    )
    yield eq(beta / sqrt(alpha) * d(x_t, reverse_variance), by=theorem(step_variance))
    yield eq(cumulant, by=differentiation)


# The same for the noise, which is of the same size however small the step


def in_terms_of_the_noise():
    """What depends on x_{t-1} through the noise alone is averaged over the law of the noise."""
    yield E(posterior, f(noise))
    scaled = sqrt(beta / alpha) * posterior(denoised, x_t)
    yield eq(integral(f(e) * scaled, e), by=change_of_variables(x_prev, denoised, e))
    yield eq(E(noise_given, f(e)), by=substitution)


def mean_of_the_noise():
    """Given the output, the noise points against the score."""
    yield let(s_t, score)
    yield E(noise_given, e)
    yield eq(E(posterior, noise), by=rearranging(in_terms_of_the_noise, {f: x_prev}))
    yield eq((x_t - sqrt(alpha) * E(posterior, x_prev)) / sqrt(beta), by=linearity)
    yield eq(noise_mean, by=theorem(step_mean))


def variance_in_terms_of_the_noise():
    """Its variance, too, may be found in either unit, ..."""
    yield Var(posterior, noise)
    yield eq(E(posterior, noise**2) - E(posterior, noise) ** 2, by=linearity)
    yield eq(E(noise_given, e**2) - E(posterior, noise) ** 2, by=theorem(in_terms_of_the_noise, {f: x_prev**2}))
    yield eq(Var(noise_given, e), by=theorem(in_terms_of_the_noise, {f: x_prev}))


def variance_of_the_noise():
    """... and is more or less than one as the score rises or falls."""
    yield noise_variance
    yield eq(Var(noise_given, e), by=logarithm)
    yield eq(Var(posterior, noise), by=rearranging(variance_in_terms_of_the_noise))
    yield eq(alpha / beta * Var(posterior, x_prev), by=linearity)
    yield eq(1 + beta * d(x_t, score), by=theorem(step_variance))


def cubes_in_terms_of_the_noise():
    """The same of deviations, cubed."""
    yield E(posterior, (noise - a) ** 3)
    yield eq(E(noise_given, (e - a) ** 3), by=theorem(in_terms_of_the_noise, {f: (x_prev - a) ** 3}))


def cumulant_of_the_noise():
    """The noise leans against the score's bend, by an amount of the order of beta^(3/2)."""
    yield let(s_t, score)
    yield E(noise_given, (e - noise_mean) ** 3)
    yield eq(E(posterior, (noise - noise_mean) ** 3), by=rearranging(cubes_in_terms_of_the_noise, {a: noise_mean}))
    yield eq(-(sqrt(alpha / beta) ** 3) * E(posterior, (x_prev - mean) ** 3), by=linearity)
    yield eq(-(sqrt(beta) ** 3) * d(x_t, d(x_t, s_t)), by=theorem(step_cumulant))


# A world for the witness: the two clusters of the chapter, which do not move when beta does.

WORLD = {q: ONE_STEP[q] for q in (prior, marginal)} | {
    posterior: step * prior / marginal,
    noise_given: normal(e, 0, 1) * prior(denoised) / (sqrt(alpha) * marginal),
    r: log(1 + beta * d(x_t, score)) / beta,
    f: x_prev**3 / 5 - x_prev**2 / 3 + x_prev,
}
