r"""From any time s to any later time t: the step between them, and how what is seen at both is related.

.. math:: q(x_t\mid x_s)=\mathcal N\bigl(x_t;\ \sqrt{\bar\alpha_t/\bar\alpha_s}\,x_s,\ 1-\bar\alpha_t/\bar\alpha_s\bigr)

Two steps are one: a noise that enters at t - 1 is shrunk by the step that follows, and
:math:`\alpha_t(1-\alpha_{t-1})+(1-\alpha_t)=1-\alpha_t\alpha_{t-1}`. Write :math:`\gamma` for the product of the alphas
strictly between s and t, so that :math:`\bar\alpha_t=\alpha_t\gamma\bar\alpha_s`.

There are two noises, and they are not the same: :math:`\epsilon_t` of the step, and :math:`\bar\epsilon_t` of all steps
so far, :math:`x_t=\sqrt{\bar\alpha_t}x_0+\sqrt{1-\bar\alpha_t}\,\bar\epsilon_t`. The noises of different steps are
independent. Those of all steps so far are not, because the later one contains the earlier one:

.. math:: \operatorname{Cov}(x_s,x_t)=\sqrt{\bar\alpha_t/\bar\alpha_s}\,\operatorname{Var}x_s,\quad
    \operatorname{Cov}(\bar\epsilon_s,\bar\epsilon_t)=\sqrt{\mathrm{SNR}(t)/\mathrm{SNR}(s)},\quad
    \operatorname{Cov}(\epsilon_t,\bar\epsilon_t)=\sqrt{\beta_t/(1-\bar\alpha_t)} .

References:
    Weng (2021), What are diffusion models?, "Forward diffusion process" (merging two noises).
    Kingma, Salimans, Poole & Ho (2021), Variational diffusion models, appendix A.
"""

from sympy import Integer, Rational, sqrt

from ..calculus import (
    Cov,
    Density,
    Var,
    algebra,
    definition,
    eq,
    gaussian_integral,
    gaussian_moments,
    integral,
    linearity,
    normal,
    reals,
    units,
)
from ..claim import Claim

# Notation: alpha_t, gamma and alpha_bar_s multiply to alpha_bar_t.

x_0, x_s, x_prev, x_t, e_prev, e = reals(r"x_0 x_s x_{t-1} x_t \epsilon_{t-1} \epsilon_t")
u, w = reals(r"\bar\epsilon_s \xi")  # the noise of all steps up to s, and of those from there to t
alpha, alpha_prev, gamma, alpha_bar_s = units(r"\alpha_t \alpha_{t-1} \gamma \bar\alpha_s")
beta, beta_prev, alpha_bar_prev, alpha_bar = units(r"\beta_t \beta_{t-1} \bar\alpha_{t-1} \bar\alpha_t")
WHERE = {
    beta: 1 - alpha,
    beta_prev: 1 - alpha_prev,
    alpha_bar_prev: gamma * alpha_bar_s,
    alpha_bar: alpha * gamma * alpha_bar_s,
}

law_at_s = Density("q_s", [x_s])
v_0, v_s = Density("v_0"), Density("v_s")  # the variances of x_0 and x_s
variances = definition("the variance of x_s", {v_s: Var(law_at_s, x_s)})

# Statement

transition_mean = sqrt(alpha_bar / alpha_bar_s) * x_s
transition_variance = 1 - alpha_bar / alpha_bar_s
merged_variance = 1 - alpha * alpha_prev
states = sqrt(alpha_bar / alpha_bar_s) * v_s
noises = sqrt(alpha_bar * (1 - alpha_bar_s) / (alpha_bar_s * (1 - alpha_bar)))
own = sqrt(beta / (1 - alpha_bar))


def merging(merged=merged_variance):
    """The noise of the step before, shrunk, and that of the step: two independent noises are one."""
    both = normal(e_prev, 0, 1) * normal(e, 0, 1)
    yield Var(both, sqrt(alpha) * sqrt(beta_prev) * e_prev + sqrt(beta) * e)
    yield eq(alpha * beta_prev + beta, by=gaussian_moments)
    yield eq(merged, by=algebra)


def one_more_step(mean=transition_mean, variance=transition_variance):
    """By induction, as for all steps so far: from s to t - 1, and one step further."""
    before = normal(x_prev, sqrt(gamma) * x_s, 1 - gamma)
    yield integral(normal(x_t, sqrt(alpha) * x_prev, beta) * before, x_prev)
    yield eq(normal(x_t, sqrt(alpha * gamma) * x_s, 1 - alpha * gamma), by=gaussian_integral(x_prev))
    yield eq(normal(x_t, mean, variance), by=algebra)


def by_way_of_s(mean=transition_mean, variance=transition_variance):
    """From the data to t by way of s, whatever s is: Chapman and Kolmogorov's equation."""
    yield integral(normal(x_t, mean, variance) * normal(x_s, sqrt(alpha_bar_s) * x_0, 1 - alpha_bar_s), x_s)
    yield eq(normal(x_t, sqrt(alpha_bar) * x_0, 1 - alpha_bar), by=gaussian_integral(x_s))


def covariance_of_states(states=states):
    """What comes after s is x_s, shrunk, and noise that x_s has not seen."""
    between = alpha_bar / alpha_bar_s
    yield Cov(law_at_s * normal(w, 0, 1), x_s, sqrt(between) * x_s + sqrt(1 - between) * w)
    yield eq(sqrt(between) * Var(law_at_s, x_s), by=gaussian_moments)
    yield eq(sqrt(between) * v_s, by=variances)
    yield eq(states, by=algebra)


def covariance_of_noises(noises=noises):
    """The noise of all steps up to t contains that of all steps up to s."""
    between = alpha_bar / alpha_bar_s
    later = (sqrt(between * (1 - alpha_bar_s)) * u + sqrt(1 - between) * w) / sqrt(1 - alpha_bar)
    yield Cov(normal(u, 0, 1) * normal(w, 0, 1), u, later)
    yield eq(sqrt(between * (1 - alpha_bar_s)) / sqrt(1 - alpha_bar) * Var(normal(u, 0, 1), u), by=linearity)
    yield eq(sqrt(between * (1 - alpha_bar_s)) / sqrt(1 - alpha_bar), by=gaussian_moments)
    yield eq(noises, by=algebra)


def covariance_of_one_and_all(own=own):
    """Likewise it contains the noise of the step, which is a part of it and, after the first step, not all."""
    so_far = (sqrt(alpha * (1 - alpha_bar_prev)) * u + sqrt(beta) * e) / sqrt(1 - alpha_bar)
    yield Cov(normal(u, 0, 1) * normal(e, 0, 1), e, so_far)
    yield eq(sqrt(beta) / sqrt(1 - alpha_bar), by=gaussian_moments)
    yield eq(own, by=algebra)


CLAIMS = [
    Claim(
        "forward.transition",
        "From s to t: q(x_t | x_s) = N(x_t; sqrt(alpha_bar_t/alpha_bar_s) x_s, 1 - alpha_bar_t/alpha_bar_s); "
        "two steps are one.",
        proved_by=(merging, one_more_step, by_way_of_s),
        evidence="S M P",
        assumes="the standing assumptions; s < t",
        source="Weng (2021); Kingma et al. (2021) appendix A",
        mistakes={
            "difference": {"variance": alpha_bar_s - alpha_bar},
            "beta-t-only": {"variance": beta},
            "merge-no-alpha": {"merged": beta_prev + beta},
            "ratio-inverted": {"mean": sqrt(alpha_bar_s / alpha_bar) * x_s},
        },
        because={
            "difference": "the noise that has come in since s, in units of x_0 and not of x_s",
            "merge-no-alpha": "the second step shrinks the noise of the first, too",
        },
    ),
    Claim(
        "forward.joint-covariance",
        "Two times share what the earlier one has seen: covariances of x_s and x_t, of the noises of all steps so "
        "far, and of one step's noise with that of all.",
        proved_by=(covariance_of_states, covariance_of_noises, covariance_of_one_and_all),
        evidence="S M P",
        assumes="the standing assumptions; 1 ≤ s < t",
        mistakes={
            "independent": {"noises": Integer(0)},
            "sqrt-product": {"states": sqrt(alpha_bar_s * alpha_bar) * v_0},
            "beta-over": {"own": beta / (1 - alpha_bar)},
            "ratio-inverted": {"noises": 1 / noises},
        },
        because={
            "independent": "the noises of different steps are; one symbol is written for both",
            "sqrt-product": "what x_s and x_t share of the data, without the noise that they share",
        },
    ),
]

# A world for the witness: two clusters, and what the steps up to s make of them.


def cluster(mean, variance):
    return normal(x_s, sqrt(alpha_bar_s) * mean, alpha_bar_s * variance + 1 - alpha_bar_s)


WORLD = {
    law_at_s: Rational(3, 10) * cluster(-1, Rational(1, 2)) + Rational(7, 10) * cluster(Rational(3, 2), Rational(4, 5)),
    v_0: Rational(809, 400),
    v_s: alpha_bar_s * Rational(809, 400) + 1 - alpha_bar_s,
}
