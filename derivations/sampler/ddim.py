r"""DDIM: of the noise in x_t any part may be kept and the rest drawn afresh; x_s given x_0 has the same law.

.. math:: q_\sigma(x_s\mid x_t,x_0)=\mathcal N\Bigl(\sqrt{\bar\alpha_s}\,x_0+\sqrt{1-\bar\alpha_s-\sigma^2}\,
          \frac{x_t-\sqrt{\bar\alpha_t}\,x_0}{\sqrt{1-\bar\alpha_t}},\ \sigma^2\Bigr)

leaves :math:`q(x_s\mid x_0)` as it is for every :math:`0\le\sigma^2\le1-\bar\alpha_s`, so that one trained network
serves all these samplers. The parameter :math:`\eta` scales a standard deviation,

.. math:: \sigma(\eta)=\eta\sqrt{\frac{1-\bar\alpha_s}{1-\bar\alpha_t}}\sqrt{1-\frac{\bar\alpha_t}{\bar\alpha_s}} ,

and at :math:`\eta=1` this is DDPM's step. With a predicted noise in the place of the true one,

.. math:: x_s=\sqrt{\bar\alpha_s}\,\frac{x_t-\sqrt{1-\bar\alpha_t}\,\hat\epsilon}{\sqrt{\bar\alpha_t}}
          +\sqrt{1-\bar\alpha_s-\sigma^2}\,\hat\epsilon+\sigma\xi .

Without fresh noise it is the Euler step of :math:`d\bar x=\hat\epsilon\,d\hat\sigma` in
:math:`\bar x=x/\sqrt{\bar\alpha}` and :math:`\hat\sigma=\sqrt{(1-\bar\alpha)/\bar\alpha}`, and the first-order step of
DPM-Solver++ in :math:`\lambda=\tfrac12\log\mathrm{SNR}`.

References:
    Song, Meng & Ermon (2020), Denoising diffusion implicit models, lemma 1, eqs. (7), (12)-(14), (16).
    Lu et al. (2022), DPM-Solver++: fast solver for guided sampling of diffusion probabilistic models.
    Weng (2021), What are diffusion models?, prints :math:`\sigma^2=\eta\tilde\beta`, the same at 0 and 1 only.
"""

from sympy import Integer, exp, log, sqrt

from ..calculus import (
    E,
    Var,
    algebra,
    d,
    differentiation,
    eq,
    gaussian_integral,
    gaussian_moments,
    integral,
    let,
    lt,
    normal,
    positives,
    positivity,
    reals,
    theorem,
    units,
)
from ..claim import Claim
from . import ddpm, multistep
from .ddpm import (
    alpha_bar,
    alpha_bar_s,
    alpha_ts,
    beta_ts,
    evidence,
    fresh,
    from_data,
    posterior_variance,
    predicted_noise,
    predicted_x_0,
    sigma,
    x_0,
    x_s,
    x_t,
)
from .multistep import denoised, l

__all__ = ["CLAIMS", "WHERE", "alpha_ts"]

# Notation: sigma^2 is drawn afresh, a part of the variance 1 - alpha_bar_s of all noise at s.

eta = positives(r"\eta")
part = units(r"\rho")
lambda_t, lambda_s = reals(r"\lambda_t \lambda_s")
WHERE = {
    beta_ts: ddpm.WHERE[beta_ts],
    alpha_bar: ddpm.WHERE[alpha_bar],
    lambda_t: log(alpha_bar / (1 - alpha_bar)) / 2,
    lambda_s: log(alpha_bar_s / (1 - alpha_bar_s)) / 2,
}
noise = (x_t - sqrt(alpha_bar) * x_0) / sqrt(1 - alpha_bar)


def levels(e):
    """In the letters of this page: where the variance is preserved."""
    return e.xreplace(
        {
            multistep.a_t: sqrt(alpha_bar),
            multistep.a_s: sqrt(alpha_bar_s),
            multistep.sigma_t: sqrt(1 - alpha_bar),
            multistep.sigma_s: sqrt(1 - alpha_bar_s),
            multistep.h: lambda_s - lambda_t,
        }
    )


# Statement

mean = sqrt(alpha_bar_s) * x_0 + sqrt(1 - alpha_bar_s - sigma**2) * noise
variance = sigma**2

sigma_eta = eta * sqrt((1 - alpha_bar_s) / (1 - alpha_bar)) * sqrt(1 - alpha_bar / alpha_bar_s)
at_one = sqrt(posterior_variance)

step = (
    sqrt(alpha_bar_s) * (x_t - sqrt(1 - alpha_bar) * predicted_noise) / sqrt(alpha_bar)
    + sqrt(1 - alpha_bar_s - sigma**2) * predicted_noise
    + sigma * fresh
)
hat_t, hat_s = sqrt((1 - alpha_bar) / alpha_bar), sqrt((1 - alpha_bar_s) / alpha_bar_s)
euler = sqrt(alpha_bar_s) * (x_t / sqrt(alpha_bar) + (hat_s - hat_t) * predicted_noise)
step_1 = levels(multistep.step_1)


def same_law(mean=mean, variance=variance):
    """Averaged over what x_0 leads to, the kernel gives x_s its law given x_0, if any part ρ is drawn afresh, ..."""
    yield let(sigma, sqrt(part * (1 - alpha_bar_s)))
    yield integral(normal(x_s, mean, variance) * evidence, x_t)
    yield eq(from_data, by=gaussian_integral(x_t))


def mean_if_nothing_is_drawn(mean=mean):
    """... so too if nothing is drawn: then x_s is a line in x_t, which has the right mean ..."""
    yield E(evidence, mean.xreplace({sigma: Integer(0)}))
    yield eq(sqrt(alpha_bar_s) * x_0, by=gaussian_moments)


def variance_if_nothing_is_drawn(mean=mean):
    """... and the right variance; ..."""
    yield Var(evidence, mean.xreplace({sigma: Integer(0)}))
    yield eq(1 - alpha_bar_s, by=gaussian_moments)


def all_drawn(mean=mean, variance=variance):
    """... or if everything is: then x_t is forgotten."""
    yield let(sigma, sqrt(1 - alpha_bar_s))
    yield normal(x_s, mean, variance)
    yield eq(from_data, by=algebra)


def squared(sigma_eta=sigma_eta):
    """The parameter scales the standard deviation of the kernel given both ends, ..."""
    yield sigma_eta**2
    yield eq(eta**2 * posterior_variance, by=algebra)


def up_to_one(sigma_eta=sigma_eta):
    """... and up to 1 its square is a part of all noise at s."""
    yield sigma_eta.xreplace({eta: part}) ** 2
    yield lt(1 - alpha_bar_s, by=positivity)


def deviation_at_one(sigma_eta=sigma_eta, at_one=at_one):
    """At 1 it is DDPM's ..."""
    yield sigma_eta.xreplace({eta: Integer(1)})
    yield eq(at_one, by=algebra)


def mean_at_one(mean=mean, at_one=at_one):
    """... and so is the mean."""
    yield mean.xreplace({sigma: at_one})
    yield eq(ddpm.held(x_0), by=algebra)


def true_noise(step=step):
    """With the noise that is in x_t, and a part ρ afresh, a step is a draw from the kernel that leaves x_s its law."""
    yield let(sigma, sqrt(part * (1 - alpha_bar_s)))
    yield let(predicted_noise, noise)
    yield step
    yield eq(mean + sigma * fresh, by=algebra)


def flow_in_the_noise():
    """Along the probability flow x/a is moved by the predicted noise alone, as σ/a = exp(-λ) changes, ..."""
    x, a, spread = multistep.x, multistep.a, multistep.sigma
    yield d(l, x / a)
    yield eq(exp(-l) * (d(l, x / spread) - x / spread), by=differentiation)
    yield eq(exp(-l) * (exp(l) * denoised - x / spread), by=theorem(multistep.variation_of_constants))
    yield eq((x - a * denoised) / spread * d(l, spread / a), by=differentiation)
    yield let(predicted_noise, (x - a * denoised) / spread)
    yield eq(predicted_noise * d(l, spread / a), by=algebra)


def euler_step(step=step, euler=euler):
    """... and without fresh noise a step is Euler's for that, ..."""
    yield step.xreplace({sigma: Integer(0)})
    yield eq(euler, by=algebra)


def data_held(step=step, step_1=step_1):
    """... and the step of DPM-Solver++ that holds the predicted data."""
    yield let(predicted_noise, (x_t - sqrt(alpha_bar) * predicted_x_0) / sqrt(1 - alpha_bar))
    yield step.xreplace({sigma: Integer(0)})
    yield eq(step_1, by=algebra)


WORLD = multistep.WORLD

DDIM = "Song et al. (2020), DDIM, "
stretched = (x_t - sqrt(1 - alpha_bar) * predicted_noise) / sqrt(alpha_bar)

CLAIMS = [
    Claim(
        "sampler.ddim-marginals",
        "Of the noise in x_t any part may be kept and the rest drawn afresh: given x_0, x_s has the law of the forward "
        "process.",
        proved_by=(same_law, mean_if_nothing_is_drawn, variance_if_nothing_is_drawn, all_drawn),
        evidence="S M P",
        assumes="the standing assumptions; s < t, and sigma^2 is at most the variance of the noise in x_s",
        source=DDIM + "lemma 1, eq. 7",
        mistakes={
            "no-sigma-under-root": {"mean": sqrt(alpha_bar_s) * x_0 + sqrt(1 - alpha_bar_s) * noise},
            "alphabar-t-in-denominator-missing": {
                "mean": sqrt(alpha_bar_s) * x_0 + sqrt(1 - alpha_bar_s - sigma**2) * (x_t - sqrt(alpha_bar) * x_0)
            },
            "minus-sigma": {"mean": sqrt(alpha_bar_s) * x_0 + (sqrt(1 - alpha_bar_s) - sigma) * noise},
            "sigma-not-squared": {"variance": sigma},
        },
        because={
            "no-sigma-under-root": "nothing is taken away for what is added",
            "minus-sigma": "as if standard deviations added up, and not variances",
        },
    ),
    Claim(
        "sampler.ddim-eta",
        "DDIM's eta scales the standard deviation of the noise of a step; at eta = 1 the step is DDPM's, in its mean "
        "and in its variance.",
        proved_by=(squared, up_to_one, deviation_at_one, mean_at_one),
        evidence="S P B",
        assumes="the standing assumptions; s < t",
        source=DDIM + "eq. 16",
        mistakes={
            "eta-scales-variance": {"sigma_eta": sqrt(eta) * sigma_eta / eta},
            "beta-not-tilde": {"sigma_eta": eta * sqrt(beta_ts)},
            "ratio-inverted": {"sigma_eta": eta * sqrt((1 - alpha_bar) / (1 - alpha_bar_s)) * sqrt(beta_ts)},
            "hat-sigma-as-eta-1": {"at_one": sqrt(1 - alpha_bar / alpha_bar_s)},
        },
        because={
            "eta-scales-variance": "as Weng (2021) prints it; the same at 0 and at 1",
            "hat-sigma-as-eta-1": "the larger variance that Song et al. write with a hat lies beyond eta = 1",
        },
    ),
    Claim(
        "sampler.ddim-update",
        "DDIM from a predicted noise: without fresh noise it is an Euler step of the probability flow of "
        "x/sqrt(alpha_bar), with the noise level for time, and the first-order step of DPM-Solver++.",
        proved_by=(true_noise, flow_in_the_noise, euler_step, data_held),
        evidence="S P B",
        assumes="the standing assumptions; a smooth schedule; s < t, sigma^2 at most the variance of the noise in x_s",
        source=DDIM + "eqs. 12-14; Lu et al. (2022), DPM-Solver++",
        mistakes={
            "alphabar-swapped": {
                "step": step
                - sqrt(alpha_bar_s) * stretched
                + sqrt(alpha_bar) * stretched.xreplace({alpha_bar: alpha_bar_s})
            },
            "direction-at-t": {
                "step": step.xreplace({sqrt(1 - alpha_bar_s - sigma**2): sqrt(1 - alpha_bar - sigma**2)})
            },
            "h-sign": {"step_1": step_1.xreplace({lambda_t: lambda_s, lambda_s: lambda_t})},
            "lambda-is-logsnr": {"step_1": step_1.xreplace({lambda_t: 2 * lambda_t, lambda_s: 2 * lambda_s})},
            "eps-sign": {"step": step.xreplace({predicted_noise: -predicted_noise})},
        },
        because={"lambda-is-logsnr": "half of it: lambda is the logarithm of a ratio of amplitudes, not of powers"},
    ),
]
