r"""A variance between the two of DDPM, on a scale of logarithms; the best one need not lie there.

.. math:: \sigma_t^2(v)=\exp\bigl(v\log\beta_t+(1-v)\log\tilde\beta_t\bigr),\qquad
    v^\star=\frac{\log(\sigma_t^{\star2}/\tilde\beta_t)}{\log(\beta_t/\tilde\beta_t)},\qquad t\ge2 .

For v from 0 to 1 it runs from :math:`\tilde\beta_t` to :math:`\beta_t`. At the exact mean the best variance is
:math:`\sigma_t^{\star2}=\frac{\beta_t}{\alpha_t}(1-\beta_tJ_t)` (``vlb.optimal-variance``), which gives the best v: 0
for a point, 1 for data from N(0, 1), never negative, and at most 1 if and only if :math:`J_t\ge1`, where :math:`J_t` is
the Fisher information of :math:`q_t` per coordinate. A wide Gaussian needs more than 1, and all data need less than
what gives the naive variance :math:`\beta_t/\alpha_t`, :math:`v=1+\log(1/\alpha_t)/\log(\beta_t/\tilde\beta_t)`.

At t = 1 there is no such scale, because :math:`\tilde\beta_1=0`: code that takes the logarithm of :math:`\tilde\beta_2`
there is a numerical patch, and no formula.

References:
    Nichol & Dhariwal (2021), Improved denoising diffusion probabilistic models, eq. (15).
    Weng (2021), What are diffusion models?, "Parameterization of reverse process variance".
    Bao, Li, Zhu & Zhang (2022), Analytic-DPM.
"""

from sympy import Integer, exp, log, oo, sqrt

from ..calculus import (
    algebra,
    eq,
    ge,
    le,
    let,
    limit,
    log_tangent,
    lt,
    positives,
    positivity,
    reals,
    tends_to,
    units,
    using,
)
from ..claim import Claim
from ..reversal.posterior import WHERE as STEP
from ..reversal.posterior import alpha, beta, posterior_variance
from ..vlb.variance import sigma, spread, tangent_at_the_root

# Notation: \ell is the logarithm of beta_t over beta-tilde, which is positive; w is the best variance.

v, J = reals("v J_t")
ell, w, v_prev, extra = positives(r"\ell w v_{t-1} \eta")
between, share = units("u r")  # a v from 0 to 1; r = 1 - beta_t J_t, the best variance as a share of the naive one
tilde_beta = positives(r"\tilde\beta_t")
WHERE = STEP | {tilde_beta: beta * exp(-ell)}

# Statement

variance = exp(v * log(beta) + (1 - v) * log(tilde_beta))
best = log(w / tilde_beta) / ell
reach = 1 - log(alpha) / ell


def scale():
    """The kernel given both ends has less variance than the step, so that there is a scale from one to the other."""
    yield log(posterior_variance / beta)
    yield le(posterior_variance / beta - 1, by=log_tangent())
    yield lt(0, by=positivity)


def line_of_logarithms(variance=variance):
    """The logarithm of the variance is a line in v: ..."""
    yield log(variance)
    yield eq(log(tilde_beta) + v * ell, by=algebra)


def at_zero(variance=variance):
    """... for v = 0 it is that of the kernel given both ends, ..."""
    yield let(v, 0)
    yield variance
    yield eq(tilde_beta, by=algebra)


def at_one(variance=variance):
    """... for v = 1 that of the step, ..."""
    yield let(v, 1)
    yield variance
    yield eq(beta, by=algebra)


def below_beta(variance=variance):
    """... and in between it is less than the one ..."""
    yield let(v, between)
    yield log(variance / beta)
    yield eq((1 - between) * log(tilde_beta / beta), by=algebra)
    yield eq(-(1 - between) * ell, by=algebra)
    yield lt(0, by=positivity)


def above_beta_tilde(variance=variance):
    """... and more than the other."""
    yield let(v, between)
    yield log(tilde_beta / variance)
    yield eq(between * log(tilde_beta / beta), by=algebra)
    yield eq(-between * ell, by=algebra)
    yield lt(0, by=positivity)


def best_variance(variance=variance, best=best):
    """Where a variance w is best, this v gives it, ..."""
    yield let(v, best)
    yield log(variance)
    yield eq(log(w), by=algebra)


def no_other_is_better(variance=variance):
    """... and the loss of any other v is larger, by a square at least."""
    yield log(variance) + w / variance
    square = (sqrt(w / variance) - 1) ** 2
    yield ge(log(w) + 1 + square, by=using(tangent_at_the_root, {sigma: sqrt(variance), spread: w}))
    yield ge(log(w) + 1, by=positivity)


def of_a_point(best=best):
    """For a point nothing is to be guessed, and v is zero; ..."""
    yield let(w, tilde_beta)
    yield best
    yield eq(0, by=algebra)


def of_other_data(best=best):
    """... for all other data there is more variance, and v is positive."""
    yield let(w, tilde_beta + extra)
    yield -best * ell
    yield eq(log(tilde_beta / w), by=algebra)
    yield le(tilde_beta / w - 1, by=log_tangent())
    yield lt(0, by=positivity)


def of_standard_normal_data(best=best):
    """For data from N(0, 1) it is one, ..."""
    yield let(w, beta)
    yield best
    yield eq(1, by=algebra)


def up_to_one(best=best):
    """... for data with an information of one or more it is no larger, ..."""
    yield let(w, beta / alpha * share)
    yield let(J, (1 - share) / beta)
    yield (best - 1) * ell
    yield eq(log(w / beta), by=algebra)
    yield le(w / beta - 1, by=log_tangent())
    yield eq(beta / alpha * (1 - J), by=algebra)


def beyond_one(best=best):
    """... for data with less it is larger."""
    yield let(w, beta / alpha * share)
    yield let(J, (1 - share) / beta)
    yield (1 - best) * ell
    yield eq(log(beta / w), by=algebra)
    yield le(beta / w - 1, by=log_tangent())
    yield eq(beta**2 / (alpha * w) * (J - 1), by=algebra)


def out_of_reach(best=best, reach=reach):
    """All data have less variance than the naive kernel, ..."""
    yield let(w, beta / alpha * share)
    yield (best - reach) * ell
    yield eq(log(share), by=algebra)
    yield le(share - 1, by=log_tangent())
    yield lt(0, by=positivity)


def wide_gaussian(best=best, reach=reach):
    """... and those of a wide Gaussian come near, ..."""
    yield let(w, beta * v_prev / (alpha * v_prev + beta))
    yield best
    yield tends_to(reach, v_prev, oo, by=limit())


def reach_beyond_one(reach=reach):
    """... which takes a v that is larger than one."""
    yield (1 - reach) * ell
    yield le(alpha - 1, by=log_tangent())
    yield lt(0, by=positivity)


CLAIMS = [
    Claim(
        "parameterization.learned-variance",
        "Variances on a scale of logarithms, from β̃ at v = 0 to β at v = 1; the best v is never negative, and more "
        "than 1 for data with a Fisher information below 1.",
        proved_by=(
            scale,
            line_of_logarithms,
            at_zero,
            at_one,
            below_beta,
            above_beta_tilde,
            best_variance,
            no_other_is_better,
            of_a_point,
            of_other_data,
            of_standard_normal_data,
            up_to_one,
            beyond_one,
            out_of_reach,
            wide_gaussian,
            reach_beyond_one,
        ),
        evidence="S Q P",
        tier="extended",
        assumes="the standing assumptions; t >= 2; the exact mean",
        source="Nichol & Dhariwal (2021) eq. 15; Bao et al. (2022)",
        mistakes={
            "arithmetic": {"variance": v * beta + (1 - v) * tilde_beta},
            "swapped": {"variance": exp(v * log(tilde_beta) + (1 - v) * log(beta))},
            "as-std": {"variance": exp(v * log(beta) + (1 - v) * log(tilde_beta)) ** 2},
            "reaches-every-optimum": {"reach": Integer(1)},
        },
        because={
            "as-std": "the exponential is taken for the standard deviation",
            "reaches-every-optimum": "the best v of every law is taken to lie between 0 and 1",
        },
    ),
]
