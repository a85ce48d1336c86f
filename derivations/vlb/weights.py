r"""Each step of the bound is a squared error with a weight; in x_0 the weight is half of the SNR that it loses.

.. math:: D_{KL}\bigl(\mathcal N(\tilde\mu_t,\tilde\beta_t)\,\|\,\mathcal N(\mu_\theta,\sigma_t^2)\bigr)
      &=\frac{\lVert\tilde\mu_t-\mu_\theta\rVert^2}{2\sigma_t^2}
        +\frac d2\Bigl(\frac{\tilde\beta_t}{\sigma_t^2}-1+\log\frac{\sigma_t^2}{\tilde\beta_t}\Bigr),\\
    L_{t-1}-C&=\mathbb E\Bigl[\frac{\beta_t^2}{2\sigma_t^2\alpha_t(1-\bar\alpha_t)}
        \lVert\bar\epsilon_t-\epsilon_\theta\rVert^2\Bigr],\\
    \sigma_t^2=\tilde\beta_t:\qquad L_{t-1}&=\tfrac12\bigl(\mathrm{SNR}(t-1)-\mathrm{SNR}(t)\bigr)
        \,\mathbb E\lVert x_0-\hat x_\theta\rVert^2
      =\tfrac12\bigl(e^{\gamma_t-\gamma_{t-1}}-1\bigr)\,\mathbb E\lVert\bar\epsilon_t-\epsilon_\theta\rVert^2,
      \qquad\gamma=-\log\mathrm{SNR}.

With a covariance :math:`\Sigma` on both sides the distance is measured in units of it,
:math:`\tfrac12\lVert\tilde\mu_t-\mu_\theta\rVert^2_{\Sigma^{-1}}`. A variance of one's own costs a constant, which no
choice of :math:`\mu_\theta` changes. The weight of an error in the noise is, in the usual schedules, largest for small
t, where there is little; dropping it is DDPM's simple loss. The weights of the errors in :math:`x_0` are half of what
the step loses of the signal-to-noise ratio, so that they add up to a difference (page ``snr``). All of it holds for
t >= 2: at t = 1 there is no kernel left, and :math:`\mathrm{SNR}(0)=\infty`.

References:
    Ho, Jain & Abbeel (2020), Denoising diffusion probabilistic models, eqs. (8), (12).
    Weng (2021), What are diffusion models?, "Parameterization of L_t".
    Kingma, Salimans, Poole & Ho (2021), Variational diffusion models; Luo (2022), Understanding diffusion models.
"""

from sympy import Integer, Rational, Sum, exp, log, sqrt

from ..calculus import (
    KL,
    Density,
    RealFunction,
    algebra,
    covariances,
    eq,
    gaussian_moments,
    integral,
    le,
    let,
    linearity,
    log_tangent,
    naturals,
    normal,
    pointwise,
    positives,
    quadratic,
    reals,
    theorem,
    vectors,
)
from ..claim import Claim
from ..reversal.posterior import WHERE as STEP
from ..reversal.posterior import (
    alpha,
    alpha_bar,
    alpha_bar_prev,
    beta,
    kernel,
    noise,
    noise_form,
    posterior_mean,
    posterior_variance,
    prior,
    step,
    x_0,
    x_prev,
    x_t,
)
from ..reversal.posterior import posterior as kernel_given_both_ends

# Notation: coordinates are numbered by i; S_t is SNR(t); the model's mean comes from what it predicts.

i, dimension = naturals("i d")
y, m, n, gamma_prev, gamma_t = reals(r"y m n \gamma_{t-1} \gamma_t")
predicted_noise, predicted_x_0 = reals(r"\epsilon_\theta \hat{x}_\theta")
v, w = positives("v w")
tilde_beta, sigma, snr_prev, snr = positives(r"\tilde\beta_t \sigma_t S_{t-1} S_t")
target, model = RealFunction(r"\tilde\mu", at=[i]), RealFunction(r"\mu_\theta", at=[i])
p, q, r, s = (Density(name, [v]) for name, v in (("p", x_prev), ("q", x_prev), ("r", y), ("s", y)))
z, a, b = vectors("z a b")
S = covariances(r"\Sigma")
seen = sqrt(alpha_bar) * x_0 + sqrt(1 - alpha_bar) * noise

WHERE = STEP | {
    tilde_beta: posterior_variance,
    snr_prev: alpha_bar_prev / (1 - alpha_bar_prev),
    snr: alpha_bar / (1 - alpha_bar),
}

# Statement

square = Sum((target - model) ** 2, (i, 1, dimension))
price = square / (2 * sigma**2)
constant = dimension * (tilde_beta / sigma**2 - 1 + log(sigma**2 / tilde_beta)) / 2
offset = constant.xreplace({dimension: Integer(1)})

weight = beta**2 / (2 * sigma**2 * alpha * (1 - alpha_bar))
own_weight = beta / (2 * alpha * (1 - alpha_bar_prev))
ratio = (snr_prev / snr - 1) / 2

x_0_weight = (snr_prev - snr) / 2
gamma = -log(snr)
noise_weight = (exp(gamma_t - gamma_prev) - 1) / 2


# A divergence of two Gaussians


def coordinates_add():
    """A divergence of independent coordinates is the sum of theirs, so that one may look at them one by one."""
    yield KL(q * r, p * s)
    yield eq(KL(q, p) + KL(r, s), by=linearity)


def of_one_coordinate():
    """In one coordinate, what matters is the distance of the means and the ratio of the variances."""
    yield KL(normal(x_prev, m, v), normal(x_prev, n, w))
    yield eq((m - n) ** 2 / (2 * w) + (v / w - 1 + log(w / v)) / 2, by=gaussian_moments)


def equal_variances(price=price):
    """With one variance on both sides, the divergence is a squared distance of the means, in units of twice of it."""
    yield Sum(KL(normal(x_prev, target, sigma**2), normal(x_prev, model, sigma**2)), (i, 1, dimension))
    yield eq(Sum((target - model) ** 2 / (2 * sigma**2), (i, 1, dimension)), by=pointwise(gaussian_moments))
    yield eq(price, by=linearity)


def other_variance(price=price, constant=constant):
    """Another variance adds a constant for each coordinate, wherever the means are."""
    yield Sum(KL(normal(x_prev, target, tilde_beta), normal(x_prev, model, sigma**2)), (i, 1, dimension))
    yield eq(Sum((target - model) ** 2 / (2 * sigma**2) + offset, (i, 1, dimension)), by=pointwise(gaussian_moments))
    yield eq(price + constant, by=linearity)


def any_covariance():
    """With one covariance Σ for both: twice the log ratio, at a draw z and at 2a − z, which is as likely; z cancels."""
    here = quadratic(z - b, S.inverse()) - quadratic(z - a, S.inverse())
    mirrored = quadratic(2 * a - z - b, S.inverse()) - quadratic(a - z, S.inverse())
    yield here + mirrored
    yield eq(quadratic(a - b, S.inverse()) + quadratic(b - a, S.inverse()), by=algebra)


def no_variance_is_free(constant=constant):
    """No other variance is better than that of the kernel, ..."""
    yield -constant
    yield eq(dimension * (log(tilde_beta / sigma**2) + 1 - tilde_beta / sigma**2) / 2, by=algebra)
    yield le(0, by=log_tangent())


def own_variance_is_free(constant=constant):
    """... which itself costs nothing."""
    yield let(sigma, sqrt(tilde_beta))
    yield constant
    yield eq(0, by=algebra)


# The loss, of a model whose mean comes from a prediction: for each x_0 and each noise, and so on average


def given_both_ends():
    """What a step costs, given both ends: the kernel is Gaussian, and its mean is known."""
    yield KL(kernel, normal(x_prev, n, w))
    yield eq(KL(normal(x_prev, posterior_mean, tilde_beta), normal(x_prev, n, w)), by=theorem(kernel_given_both_ends))
    at = {m: posterior_mean, v: tilde_beta}
    yield eq(
        (posterior_mean - n) ** 2 / (2 * w) + (tilde_beta / w - 1 + log(w / tilde_beta)) / 2,
        by=theorem(of_one_coordinate, at),
    )


def loss_in_the_noise(weight=weight):
    """The mean of the kernel is the model's with the true noise in it: the two differ by the error of the noise."""
    mean = noise_form.xreplace({noise: predicted_noise})
    yield let(x_t, seen)
    yield KL(kernel, normal(x_prev, mean, sigma**2))
    yield eq(
        (posterior_mean - mean) ** 2 / (2 * sigma**2) + offset,
        by=theorem(given_both_ends, {n: mean, w: sigma**2, x_t: seen}),
    )
    yield eq((noise_form - mean) ** 2 / (2 * sigma**2) + offset, by=algebra)
    yield eq(weight * (noise - predicted_noise) ** 2 + offset, by=algebra)


def own_variance(weight=weight, own_weight=own_weight):
    """With the variance of the kernel given both ends, the weight is simpler, ..."""
    yield let(sigma, sqrt(tilde_beta))
    yield weight
    yield eq(own_weight, by=algebra)


def ratio_of_snr(own_weight=own_weight, ratio=ratio):
    """... and says by which factor the signal-to-noise ratio falls."""
    yield own_weight
    yield eq(ratio, by=algebra)


def loss_in_x_0(x_0_weight=x_0_weight):
    """In x_0 the weight is what the step loses of the signal-to-noise ratio."""
    mean = posterior_mean.xreplace({x_0: predicted_x_0})
    yield KL(kernel, normal(x_prev, mean, tilde_beta))
    yield eq((posterior_mean - mean) ** 2 / (2 * tilde_beta), by=theorem(given_both_ends, {n: mean, w: tilde_beta}))
    yield eq(x_0_weight * (x_0 - predicted_x_0) ** 2, by=algebra)


def loss_in_gamma(x_0_weight=x_0_weight, noise_weight=noise_weight, gamma=gamma):
    """In the noise it is what expm1 makes of a difference of logarithms, which does not cancel for small steps."""
    yield let(gamma_t, gamma)
    yield let(gamma_prev, gamma.xreplace({snr: snr_prev}))
    yield let(x_t, seen)
    yield let(predicted_x_0, (x_t - sqrt(1 - alpha_bar) * predicted_noise) / sqrt(alpha_bar))
    yield x_0_weight * (x_0 - predicted_x_0) ** 2
    yield eq(noise_weight * (noise - predicted_noise) ** 2, by=algebra)


WORLD = {
    p: normal(x_prev, Rational(2, 5), 2),
    q: normal(x_prev, -1, Rational(3, 5)),
    r: normal(y, Rational(1, 3), Rational(4, 5)),
    s: normal(y, 1, 3),
    target: Rational(7, 10) * i - 1,
    model: 1 / i,
    kernel: step * prior / integral(step * prior, x_prev),
}

CLAIMS = [
    Claim(
        "vlb.mean-matching",
        "The divergence of two Gaussians is the squared distance of their means over twice the model's variance, "
        "and a constant, if the variances differ.",
        proved_by=(
            coordinates_add,
            equal_variances,
            other_variance,
            any_covariance,
            no_variance_is_free,
            own_variance_is_free,
        ),
        evidence="S Q P",
        assumes="isotropic Gaussians; t >= 2",
        source="Ho et al. (2020) eq. 8",
        mistakes={
            "sigma-fourth": {"price": square / (2 * sigma**4)},
            "no-half": {"price": square / sigma**2},
            "constant-dropped": {"constant": Integer(0)},
            "sigma-not-squared": {"price": square / (2 * sigma)},
        },
        because={
            "sigma-fourth": "Weng (2021) prints the squared norm of the covariance, and that is the variance squared",
            "constant-dropped": "no gradient sees it, but the bound does",
            "sigma-not-squared": "what is printed as a standard deviation is taken for a variance",
        },
    ),
    Claim(
        "vlb.epsilon-weight",
        "A step of the bound is the squared error of the noise, times βₜ²/(2σₜ²αₜ(1 − ᾱₜ)), and a constant.",
        proved_by=(loss_in_the_noise, own_variance, ratio_of_snr),
        evidence="S Q P T",
        assumes="the standing assumptions; t >= 2",
        source="Ho et al. (2020) eq. 12",
        mistakes={
            "beta-not-squared": {"weight": beta / (2 * sigma**2 * alpha * (1 - alpha_bar))},
            "alphabar-prev": {"weight": beta**2 / (2 * sigma**2 * alpha * (1 - alpha_bar_prev))},
            "alphabar-for-alpha": {"weight": beta**2 / (2 * sigma**2 * alpha_bar * (1 - alpha_bar))},
            "no-half": {"weight": 2 * weight},
            "sigma-fourth": {"weight": beta**2 / (2 * sigma**4 * alpha * (1 - alpha_bar))},
        },
        because={
            "alphabar-prev": "right for the kernel's own variance, where one factor beta cancels too",
            "sigma-fourth": "as in Weng (2021), where the norm of the covariance is squared",
        },
    ),
    Claim(
        "vlb.snr-form",
        "With the kernel's own variance, a step of the bound is half of what it loses of the signal-to-noise ratio, "
        "times the squared error of x_0.",
        proved_by=(loss_in_x_0, loss_in_gamma),
        evidence="S Q P",
        assumes="the standing assumptions; t >= 2; the variance of the model is that of the kernel given both ends",
        source="Kingma et al. (2021); Luo (2022)",
        mistakes={
            "no-half": {"x_0_weight": snr_prev - snr},
            "sign": {"x_0_weight": (snr - snr_prev) / 2},
            "snr-std": {"x_0_weight": (sqrt(snr_prev) - sqrt(snr)) / 2},
            "exp-not-expm1": {"noise_weight": exp(gamma_t - gamma_prev) / 2},
            "gamma-half": {"gamma": -log(snr) / 2},
        },
        because={
            "sign": "the ratio falls in time, so that the loss of it is the earlier minus the later",
            "snr-std": "a ratio of amplitudes, not of powers",
            "gamma-half": "lambda, in solvers, is the logarithm of a ratio of amplitudes: half of that of powers",
        },
    ),
]
