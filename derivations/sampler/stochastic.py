r"""SDE-DPM-Solver++: a step of the reverse diffusion with the predicted data held is DDPM's, with the noise held not.

Along the reverse diffusion, with the time :math:`\lambda=\log(a/\sigma)`, the mean of :math:`e^\lambda x/\sigma` moves
by :math:`2e^{2\lambda}\hat x_0` alone, and its variance grows by :math:`2e^{2\lambda}`, if :math:`\hat x_0` is given
(``sde.moments`` has the rates of a linear diffusion). With :math:`\hat x_0` held and :math:`h=\lambda_s-\lambda_t`,

.. math:: x_s=\frac{\sigma_s}{\sigma_t}e^{-h}x_t+a_s(1-e^{-2h})\hat x_0+\sigma_s\sqrt{1-e^{-2h}}\,\xi .

Where the variance is preserved this is ancestral sampling, with the posterior's mean and its variance
:math:`\tilde\beta_{t\mid s}`: DDIM with :math:`\eta=1`. If the noise is held instead, the step is

.. math:: x_s=\frac{a_s}{a_t}x_t-2\sigma_s(e^h-1)\hat\epsilon+\sigma_s\sqrt{e^{2h}-1}\,\xi ,

which for data that are a point has the variance :math:`\sigma_s^2(1+2(e^h-1)^2)`, and not :math:`\sigma_s^2`. The line
through two predictions, held at its value in the middle of the step, gives SDE-DPM-Solver++(2M).

References:
    Lu et al. (2022), DPM-Solver++: fast solver for guided sampling of diffusion probabilistic models, section 5.
    Anderson (1982), Reverse-time diffusion equation models.
"""

from sympy import Integral, Rational, exp, log, sqrt

from ..calculus import (
    Density,
    E,
    RealFunction,
    Var,
    algebra,
    by_parts,
    d,
    definition,
    differentiation,
    elementary_integral,
    eq,
    gaussian_moments,
    gt,
    let,
    normal,
    positives,
    positivity,
    reals,
    theorem,
)
from ..claim import Claim
from .ddpm import alpha_bar, alpha_bar_s, alpha_ts, beta_ts, drawn, fresh, posterior_variance, predicted_noise, x_0
from .ddpm import held as posterior_mean
from .multistep import (
    a,
    a_s,
    a_t,
    diffusion,
    diffusion_of_the_process,
    drift,
    drift_of_the_process,
    h,
    here,
    l,
    lambda_t,
    predicted_prev,
    predicted_x_0,
    r,
    sigma,
    sigma_s,
    sigma_t,
    u,
    x_t,
)

# Notation: m and v are the mean and the variance of x along the reverse diffusion, if the predicted data are given on
# the way; n and w, if the predicted noise is.  y is e^lambda m/sigma, and z is n/a.

noise = reals(r"\bar\epsilon")
growth = positives("g")
lambda_s = lambda_t + h

m, n, w, y, z, denoised, expected_noise = (
    RealFunction(name, [l]) for name in ("m", "n", "w", "y", "z", r"\hat{x}_0", r"\hat{\epsilon}")
)
v = Density("v", [], at=[l])
given_data = definition(
    "the reverse diffusion, where the data are given",
    {
        d(l, m): drift * m + diffusion * (a * denoised - m) / sigma**2,
        d(l, v): 2 * (drift - diffusion / sigma**2) * v + diffusion,
    },
)
given_noise = definition(
    "the reverse diffusion, where the noise is given",
    {d(l, n): drift * n - diffusion * expected_noise / sigma, d(l, w): 2 * drift * w + diffusion},
)
quotients = definition("the quotients y and z", {y: exp(l) * m / sigma, z: n / a})
along_data = definition("the chain rule for y", {d(u, y(here)): 2 * h * exp(2 * here) * denoised(here)})
along_noise = definition("the chain rule for z", {d(u, z(here)): -2 * h * exp(-here) * expected_noise(here)})


def moved(prediction):
    """Where the mean is led by this prediction of the data on the way."""
    weight = 2 * h * exp(2 * here)
    return sigma_s / sigma_t * exp(-h) * x_t + sigma_s * exp(-lambda_s) * Integral(weight * prediction, (u, 0, 1))


def moved_by_noise(prediction):
    """Where it is led by this prediction of the noise."""
    return a_s / a_t * x_t - 2 * a_s * Integral(h * exp(-here) * prediction, (u, 0, 1))


added, added_to_noise = sigma_s**2 * (1 - exp(-2 * h)), sigma_s**2 * (exp(2 * h) - 1)
middle = predicted_x_0 + (predicted_x_0 - predicted_prev) / (2 * r)


def held(prediction):
    return sigma_s / sigma_t * exp(-h) * x_t + a_s * (1 - exp(-2 * h)) * prediction


def held_noise(prediction):
    return a_s / a_t * x_t - 2 * sigma_s * (exp(h) - 1) * prediction


def levels():
    """Sigma is a, times e^-lambda."""
    yield let(sigma_t, a_t * exp(-lambda_t))
    yield let(sigma_s, a_s * exp(-lambda_s))


def apart():
    """With e^h = 1 + g it is seen that what stands under roots is positive."""
    yield let(h, log(1 + growth))
    yield from levels()


# Statement

step = held(predicted_x_0) + sigma_s * sqrt(1 - exp(-2 * h)) * fresh
step_2m = held(middle) + sigma_s * sqrt(1 - exp(-2 * h)) * fresh
noise_step = held_noise(predicted_noise) + sigma_s * sqrt(exp(2 * h) - 1) * fresh
noise_variance = sigma_s**2 * (1 + 2 * (exp(h) - 1) ** 2)


def variation_of_constants():
    """Along the reverse diffusion the mean is moved by the predicted data alone, for whatever a and σ are ..."""
    yield d(l, exp(l) * m / sigma)
    yield eq(exp(l) * (m + d(l, m) - m * d(l, sigma) / sigma) / sigma, by=differentiation)
    led = drift * m + diffusion * (a * denoised - m) / sigma**2
    yield eq(exp(l) * (m + led - m * d(l, sigma) / sigma) / sigma, by=given_data)
    led = drift * m + 2 * (a * denoised - m)
    yield eq(exp(l) * (m + led - m * d(l, sigma) / sigma) / sigma, by=theorem(diffusion_of_the_process))
    yield eq(2 * exp(2 * l) * denoised, by=theorem(drift_of_the_process))


def noise_comes_in():
    """... and noise comes in whatever the data are."""
    yield d(l, exp(2 * l) * v / sigma**2)
    yield eq(exp(2 * l) * (2 * v + d(l, v) - 2 * v * d(l, sigma) / sigma) / sigma**2, by=differentiation)
    led = 2 * (drift - diffusion / sigma**2) * v + diffusion
    yield eq(exp(2 * l) * (2 * v + led - 2 * v * d(l, sigma) / sigma) / sigma**2, by=given_data)
    led = 2 * (drift - 2) * v + 2 * sigma**2
    yield eq(exp(2 * l) * (2 * v + led - 2 * v * d(l, sigma) / sigma) / sigma**2, by=theorem(diffusion_of_the_process))
    yield eq(2 * exp(2 * l), by=theorem(drift_of_the_process))


def slope_of_the_mean():
    """The rate of the mean is the slope of y = exp(λ) m/σ, ..."""
    yield d(l, y)
    yield eq(d(l, exp(l) * m / sigma), by=quotients)
    yield eq(2 * exp(2 * l) * denoised, by=theorem(variation_of_constants))


def exact_mean():
    """... so a step of the mean is an integral of the predictions; u is the part of the way that is done."""
    yield from levels()
    yield let(x_t, sigma_t * exp(-lambda_t) * y(lambda_t))
    weight = sigma_s * exp(-lambda_s)
    yield weight * y(lambda_t + h)
    yield eq(weight * (y(lambda_t) + Integral(d(u, y(here)), (u, 0, 1))), by=by_parts(-weight * y(here), u))
    yield eq(moved(denoised(here)), by=along_data)


def data_held():
    """Held where they were predicted, the data come before the integral ..."""
    yield from levels()
    yield moved(predicted_x_0)
    yield eq(held(predicted_x_0), by=elementary_integral())


def noise_added():
    """... and so much noise has come in."""
    yield from levels()
    yield sigma_s**2 * exp(-2 * lambda_s) * Integral(2 * h * exp(2 * here), (u, 0, 1))
    yield eq(added, by=elementary_integral())


def mean_of_the_step(step=step):
    """This is the mean of the step ..."""
    yield from apart()
    yield held(predicted_x_0)
    yield eq(E(drawn, step), by=gaussian_moments)


def variance_of_the_step(step=step):
    """... and this its variance."""
    yield from apart()
    yield added
    yield eq(Var(drawn, step), by=gaussian_moments)


def preserved(bar, scale, level):
    """The letters of ancestral sampling at a level, where the variance is preserved."""
    yield let(bar, 1 / (1 + exp(-2 * level)))
    yield let(scale, sqrt(bar))


def mean_of_ancestral_sampling(step=step):
    """Where the variance is preserved DDPM's step, a draw given both ends, has the same mean ..."""
    yield let(h, log(1 + growth))
    yield from preserved(alpha_bar, a_t, lambda_t)
    yield from preserved(alpha_bar_s, a_s, lambda_s)
    yield let(alpha_ts, alpha_bar / alpha_bar_s)
    yield let(beta_ts, 1 - alpha_ts)
    yield from levels()
    yield posterior_mean(predicted_x_0)
    yield eq(E(drawn, step), by=gaussian_moments)


def variance_of_ancestral_sampling():
    """... and the variance that has come in."""
    yield let(h, log(1 + growth))
    yield let(alpha_bar, 1 / (1 + exp(-2 * lambda_t)))
    yield from preserved(alpha_bar_s, a_s, lambda_s)
    yield let(beta_ts, 1 - alpha_bar / alpha_bar_s)
    yield let(sigma_s, a_s * exp(-lambda_s))
    yield posterior_variance
    yield eq(added, by=algebra)


def line_held():
    """2M holds the line through two predictions at its value in the middle of the step ..."""
    yield from levels()
    yield moved(middle)
    yield eq(held(middle), by=elementary_integral())


def mean_of_2m(step_2m=step_2m):
    """... which is the mean of its step ..."""
    yield from apart()
    yield held(middle)
    yield eq(E(drawn, step_2m), by=gaussian_moments)


def variance_of_2m(step_2m=step_2m):
    """... with the same noise."""
    yield from apart()
    yield added
    yield eq(Var(drawn, step_2m), by=gaussian_moments)


def variation_with_noise():
    """If the noise is given instead, it is the mean of x/a that moves ..."""
    yield d(l, n / a)
    yield eq((d(l, n) - n * d(l, log(a))) / a, by=differentiation)
    yield eq((drift * n - diffusion * expected_noise / sigma - n * d(l, log(a))) / a, by=given_noise)
    yield eq((drift * n - 2 * sigma * expected_noise - n * d(l, log(a))) / a, by=theorem(diffusion_of_the_process))
    yield eq(-2 * exp(-l) * expected_noise, by=theorem(drift_of_the_process))


def more_noise_comes_in():
    """... and other noise comes in."""
    yield d(l, w / a**2)
    yield eq((d(l, w) - 2 * d(l, log(a)) * w) / a**2, by=differentiation)
    yield eq((2 * drift * w + diffusion - 2 * d(l, log(a)) * w) / a**2, by=given_noise)
    yield eq((2 * drift * w + 2 * sigma**2 - 2 * d(l, log(a)) * w) / a**2, by=theorem(diffusion_of_the_process))
    yield eq(2 * exp(-2 * l), by=theorem(drift_of_the_process))


def slope_of_the_mean_with_noise():
    """The rate of the mean is the slope of z = n/a, ..."""
    yield d(l, z)
    yield eq(d(l, n / a), by=quotients)
    yield eq(-2 * exp(-l) * expected_noise, by=theorem(variation_with_noise))


def exact_mean_with_noise():
    """... and a step is an integral of the predicted noise ..."""
    yield let(x_t, a_t * z(lambda_t))
    yield a_s * z(lambda_t + h)
    yield eq(a_s * (z(lambda_t) + Integral(d(u, z(here)), (u, 0, 1))), by=by_parts(-a_s * z(here), u))
    yield eq(moved_by_noise(expected_noise(here)), by=along_noise)


def noise_held():
    """... and with the noise held ..."""
    yield from levels()
    yield moved_by_noise(predicted_noise)
    yield eq(held_noise(predicted_noise), by=elementary_integral())


def more_noise_added():
    """... and what has come in ..."""
    yield from levels()
    yield a_s**2 * Integral(2 * h * exp(-2 * here), (u, 0, 1))
    yield eq(added_to_noise, by=elementary_integral())


def mean_of_the_other_step(noise_step=noise_step):
    """... it is another step, with this mean ..."""
    yield from apart()
    yield held_noise(predicted_noise)
    yield eq(E(drawn, noise_step), by=gaussian_moments)


def variance_of_the_other_step(noise_step=noise_step):
    """... and this variance."""
    yield from apart()
    yield added_to_noise
    yield eq(Var(drawn, noise_step), by=gaussian_moments)


def of_a_point(formula):
    """A step from the exact x_t, with the exact prediction, for data that are the point x_0."""
    known = {x_t: a_t * x_0 + sigma_t * noise, predicted_x_0: x_0, predicted_noise: noise}
    return Var(normal(noise, 0, 1) * drawn, formula.xreplace(known))


def data_held_at_a_point(step=step):
    """For data that are a point the step with the data held ends with the variance of the process ..."""
    yield from apart()
    yield of_a_point(step)
    yield eq(sigma_s**2, by=gaussian_moments)


def noise_held_at_a_point(noise_step=noise_step, noise_variance=noise_variance):
    """... and that with the noise held does not, although every prediction is exact, ..."""
    yield from apart()
    yield of_a_point(noise_step)
    yield eq(noise_variance, by=gaussian_moments)


def too_much(noise_variance=noise_variance):
    """... but with more."""
    yield from apart()
    yield noise_variance - sigma_s**2
    yield gt(0, by=positivity)


CLAIMS = [
    Claim(
        "sampler.sde-dpmpp-1",
        "With the predicted data held, a step of the reverse diffusion is DDPM's, with the posterior variance; with "
        "the predicted noise held it is another, which has too much variance for a point.",
        proved_by=(
            variation_of_constants,
            noise_comes_in,
            slope_of_the_mean,
            exact_mean,
            data_held,
            noise_added,
            mean_of_the_step,
            variance_of_the_step,
            mean_of_ancestral_sampling,
            variance_of_ancestral_sampling,
            line_held,
            mean_of_2m,
            variance_of_2m,
            variation_with_noise,
            more_noise_comes_in,
            slope_of_the_mean_with_noise,
            exact_mean_with_noise,
            noise_held,
            more_noise_added,
            mean_of_the_other_step,
            variance_of_the_other_step,
            data_held_at_a_point,
            noise_held_at_a_point,
            too_much,
        ),
        evidence="S P B",
        assumes="smooth schedules a and sigma, a/sigma growing from t to s; DDPM's step: the variance is preserved",
        source="Lu et al. (2022), DPM-Solver++, section 5",
        tier="extended",
        mistakes={
            "e-minus-h-noise": {"step": held(predicted_x_0) + sigma_s * sqrt(1 - exp(-h)) * fresh},
            "both-equal": {"noise_variance": sigma_s**2},
            "half-drift": {"step": step - a_s * (exp(-h) - exp(-2 * h)) * predicted_x_0},
            "no-root-noise": {"step": held(predicted_x_0) + sigma_s * (1 - exp(-2 * h)) * fresh},
            "no-half": {"step_2m": step_2m.xreplace({2 * r: r, 1 / r: 2 / r})},
        },
        because={
            "both-equal": "both predictions are exact, and say the same of each other; not so when they are held",
            "half-drift": "that of the probability flow, which moves without noise",
            "no-half": "the line at the end of the step, and not in its middle",
        },
    ),
]

# A world for the witness: a diffusion where the variance is preserved.

LEVEL = 1 / sqrt(1 + exp(2 * l))
MEAN, NOISY = exp(2 * l) + exp(3 * l), exp(-l) + exp(-2 * l)
WORLD = {
    sigma: LEVEL,
    drift: LEVEL**2,
    diffusion: 2 * LEVEL**2,
    y: MEAN,
    m: LEVEL * exp(-l) * MEAN,
    denoised: 1 + 3 * exp(l) / 2,
    v: LEVEL**2 * (1 + exp(-2 * l)),
    z: NOISY,
    n: LEVEL * exp(l) * NOISY,
    expected_noise: Rational(1, 2) + exp(-l),
    w: LEVEL**2 * exp(2 * l) * (3 - exp(-2 * l)),
}
