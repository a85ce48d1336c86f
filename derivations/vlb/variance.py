r"""The best variance of a step is what the reverse kernel has on average, once its mean is right.

.. math:: \sigma_t^{\star2}=\mathbb E\operatorname{Var}[x_{t-1}\mid x_t]=\frac{\beta_t}{\alpha_t}(1-\beta_tJ_t)
          =\tilde\beta_t+\frac{\bar\alpha_{t-1}\beta_t^2}{(1-\bar\alpha_t)^2}\,\mathrm{mmse}_t,
          \qquad J_t=\mathbb E\,s_t(x_t)^2,\quad \mathrm{mmse}_t=\mathbb E\operatorname{Var}[x_0\mid x_t] .

It is :math:`\beta_t` for data from N(0, 1) and :math:`\tilde\beta_t` for a point, the two variances that samplers use;
for other data it is in general neither. The divergence of the kernel given :math:`x_0` as well is larger by a constant
(see ``target``), so the best variance for it is the same. In d dimensions J and mmse are averages over coordinates.

References:
    Ho, Jain & Abbeel (2020), Denoising diffusion probabilistic models, section 3.2.
    Bao, Li, Zhu & Zhang (2022), Analytic-DPM.
"""

from sympy import log, pi, sqrt

from ..calculus import (
    KL,
    E,
    Var,
    algebra,
    eq,
    gaussian_moments,
    ge,
    le,
    let,
    linearity,
    log_tangent,
    normal,
    positives,
    positivity,
    reals,
    theorem,
    units,
    using,
)
from ..claim import Claim
from ..reversal.bounds import J, average_variance
from ..reversal.denoising import gain, guess, jump, slope, two_guesses, x_0
from ..reversal.posterior import posterior_variance
from ..reversal.step import WHERE as STEP
from ..reversal.step import alpha, beta, marginal, posterior, x_prev, x_t
from .matching import WORLD, mmse, uncertainty

__all__ = ["CLAIMS", "WHERE", "WORLD"]

# Notation

sigma, spread = positives(r"\sigma_t V")
m = reals("m")
alpha_bar_prev, alpha_bar = units(r"\bar\alpha_{t-1} \bar\alpha_t")
WHERE = STEP | {alpha_bar: alpha * alpha_bar_prev}

# Statement

optimal = beta / alpha * (1 - beta * J)
optimal_from_mmse = posterior_variance + alpha_bar_prev * beta**2 / (1 - alpha_bar) ** 2 * mmse


def loss_of_a_variance():
    """At the best mean, the divergence depends on the variance of the model, and on what the kernel has on average."""
    yield let(m, E(posterior, x_prev))
    yield E(marginal, KL(posterior, normal(x_prev, m, sigma**2)))
    entropy = E(marginal, E(posterior, log(posterior)))
    yield eq(
        entropy + log(2 * pi * sigma**2) / 2 + E(marginal, E(posterior, (x_prev - m) ** 2)) / (2 * sigma**2),
        by=linearity,
    )
    yield eq(entropy + log(2 * pi * sigma**2) / 2 + E(marginal, Var(posterior, x_prev)) / (2 * sigma**2), by=linearity)


def tangent_at_the_root():
    """By a tangent of the logarithm, at the root, which keeps a square ..."""
    yield log(spread / sigma**2)
    yield eq(2 * log(sqrt(spread) / sigma), by=algebra)
    yield le(2 * (sqrt(spread) / sigma - 1), by=log_tangent())


def least_variance():
    """... it is least where the two are equal, and nowhere else: ..."""
    yield log(sigma**2) + spread / sigma**2
    yield ge(log(spread) + 1 + (sqrt(spread) / sigma - 1) ** 2, by=using(tangent_at_the_root))
    yield ge(log(spread) + 1, by=positivity)


def at_the_least():
    """... there it is this."""
    yield let(sigma, sqrt(spread))
    yield log(sigma**2) + spread / sigma**2
    yield eq(log(spread) + 1, by=algebra)


def optimal_variance(optimal=optimal):
    """This average is known from the Fisher information ..."""
    yield E(marginal, Var(posterior, x_prev))
    yield eq(optimal, by=theorem(average_variance))


def optimal_variance_from_the_data(from_mmse=optimal_from_mmse):
    """... or from what x_t leaves open of x_0."""
    yield E(marginal, Var(posterior, x_prev))
    yield eq(E(marginal, posterior_variance + gain**2 * Var(guess, x_0)), by=theorem(two_guesses))
    yield eq(posterior_variance + gain**2 * E(marginal, Var(guess, x_0)), by=linearity)
    yield eq(from_mmse, by=uncertainty)


def of_standard_normal_data(optimal=optimal):
    """For data from N(0, 1) it is the variance of the forward step ..."""
    yield optimal.xreplace({J: E(normal(x_t, 0, 1), x_t**2)})
    yield eq(beta, by=gaussian_moments)


def of_a_point(optimal=optimal):
    """... and for a point that of the kernel given both ends."""
    yield optimal.xreplace({J: E(jump, slope**2)})
    yield eq(posterior_variance, by=gaussian_moments)


CLAIMS = [
    Claim(
        "vlb.optimal-variance",
        "At the best mean, the best variance is the average one of the reverse kernel: β_t/α_t times 1 − β_t J_t.",
        proved_by=(
            loss_of_a_variance,
            tangent_at_the_root,
            least_variance,
            at_the_least,
            optimal_variance,
            optimal_variance_from_the_data,
            of_standard_normal_data,
            of_a_point,
        ),
        evidence="S Q P",
        source="Bao et al. (2022); Ho et al. (2020) section 3.2",
        tier="extended",
        mistakes={
            "always-beta": {"optimal": beta, "from_mmse": beta},
            "always-beta-tilde": {"optimal": posterior_variance, "from_mmse": posterior_variance},
            "fisher-sign": {"optimal": beta / alpha * (1 + beta * J)},
            "no-alpha": {"optimal": beta * (1 - beta * J)},
            "mmse-coefficient-not-squared": {"from_mmse": posterior_variance + gain * mmse},
        },
        because={
            "always-beta": "right for data from N(0, 1), and one of the two variances that samplers use",
            "always-beta-tilde": "right for a point, and the other one",
        },
    ),
]
