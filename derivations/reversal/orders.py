r"""How wrong a Gaussian is for a small step: the naive kernel to first order, DDPM's to second, the best to third.

.. math:: \mathbb E\,D_{KL}\bigl(q(\cdot\mid x_t)\,\|\,n\bigr)&=\tfrac12\beta_t\,\mathbb E[s_t^2]+O(\beta_t^2),\\
    \mathbb E\,D_{KL}\bigl(q(\cdot\mid x_t)\,\|\,\mathcal N(\mathbb E[x_{t-1}\mid x_t],\beta_t)\bigr)
      &=\tfrac14\beta_t^2\,\mathbb E[(1+s_t')^2]+O(\beta_t^3),\\
    \mathbb E\,D_{KL}\bigl(q(\cdot\mid x_t)\,\|\,\mathcal N(\mathbb E[x_{t-1}\mid x_t],
      \operatorname{Var}[x_{t-1}\mid x_t])\bigr)&=\tfrac1{12}\beta_t^3\,\mathbb E[(s_t'')^2]+O(\beta_t^4).

Here :math:`q_{t-1}` is fixed and smooth while :math:`\beta_t\to0`. The wrong mean costs the first order, which T small
steps add up to something finite, so that small steps do not help the naive chain; that it never costs less, at any
:math:`\beta_t`, is proved with nothing on trust. The wrong variance costs the second order and the wrong shape the
third, which T steps add up to O(1/T) and O(1/T^2).

The three lines are one. In terms of the noise the candidates are :math:`\mathcal N(0,1)`, :math:`\mathcal N(-\sqrt
{\beta_t}s_t,\alpha_t)` and :math:`\mathcal N(-\sqrt{\beta_t}s_t,1+\beta_ts_t')`, and for every Gaussian g

.. math:: D_{KL}(p\,\|\,g)=D_{KL}(p\,\|\,\hat g)+D_{KL}(\hat g\,\|\,g),

where :math:`\hat g` has the mean and the variance of p: what is not Gaussian, and what is Gaussian and wrong. The
second part is exact. The first is small because the third cumulant of the kernel is exactly :math:`\beta_t^3
s_t''/\alpha_t^{3/2}`, so that its skewness is :math:`\beta_t^{3/2}s_t''/(1+\beta_ts_t')^{3/2}`; that nothing else
matters to leading order is Edgeworth's expansion, and is taken on trust. In d dimensions :math:`s_t^2`,
:math:`(1+s_t')^2` and :math:`(s_t'')^2` are the squared norms of :math:`\nabla\log q_t`, :math:`I+\nabla^2\log q_t` and
:math:`\nabla^3\log q_t`.

References:
    Feller (1949), On the theory of stochastic processes; Sohl-Dickstein et al. (2015), Deep unsupervised learning.
    Comon (1994), Independent component analysis, a new concept? (the divergence from a Gaussian by cumulants).
"""

from sympy import Integer, log, sqrt

from ..calculus import (
    KL,
    E,
    Var,
    algebra,
    change_of_variables,
    d,
    eq,
    gaussian_integral,
    gaussian_moments,
    ge,
    granted,
    integral,
    le,
    let,
    linearity,
    log_tangent,
    normal,
    normalised,
    pointwise,
    positives,
    reals,
    taylor,
    theorem,
    up_to,
    using,
)
from ..claim import Claim
from .bayes import gaussian_mean, gaussian_variance, m_prev, m_t, v_prev, v_t
from .cumulants import WHERE as BETA
from .cumulants import (
    WORLD,
    a,
    cumulant_of_the_noise,
    denoised,
    e,
    logarithm,
    mean,
    mean_of_the_noise,
    noise_given,
    noise_mean,
    noise_variance,
    r,
    s_t,
    step_cumulant,
    step_variance,
    substitution,
    variance_of_the_noise,
)
from .step import alpha, beta, marginal, posterior, score, x_prev, x_t

__all__ = ["CLAIMS", "WHERE", "WORLD"]

# Notation

z, m = reals("z m")
b, w = positives("b w")
WHERE = BETA | {m_t: sqrt(alpha) * m_prev, v_t: alpha * v_prev + beta}

naive = normal(x_prev, x_t / sqrt(alpha), beta / alpha)
ddpm = normal(x_prev, mean, beta)
matched = normal(e, noise_mean, noise_variance)

# Statement: each price is constant * beta^rate, and what is of higher order.

first, second, third = Integer(1), Integer(2), Integer(3)
half_fisher = E(marginal, score**2) / 2
wrong_variance = E(marginal, (1 + d(x_t, score)) ** 2) / 4
wrong_shape = E(marginal, d(x_t, d(x_t, score)) ** 2) / 12


# What is not Gaussian, and what is Gaussian and wrong


def divergence_in_terms_of_the_noise():
    """A divergence does not see in which units one measures."""
    yield KL(posterior, normal(x_prev, (x_t - sqrt(beta) * a) / sqrt(alpha), beta * b / alpha))
    scaled = sqrt(beta / alpha) * posterior(denoised, x_t)
    yield eq(integral(scaled * (log(scaled) - log(normal(e, a, b))), e), by=change_of_variables(x_prev, denoised, e))
    yield eq(KL(noise_given, normal(e, a, b)), by=substitution)


def two_parts():
    """The logarithms of two Gaussians differ by a square, whose mean is the same for p and for its best Gaussian."""
    spread, missed = Var(noise_given, e), E(noise_given, e) - a
    around = (spread + (E(noise_given, e) - noise_mean) ** 2) / noise_variance
    yield let(s_t, score)
    yield KL(noise_given, normal(e, a, b))
    yield eq(KL(noise_given, matched) + E(noise_given, log(matched) - log(normal(e, a, b))), by=linearity)
    yield eq(KL(noise_given, matched) + (log(b) - beta * r + (spread + missed**2) / b - around) / 2, by=linearity)
    missed, around = noise_mean - a, spread / noise_variance
    yield eq(
        KL(noise_given, matched) + (log(b) - beta * r + (spread + missed**2) / b - around) / 2,
        by=theorem(mean_of_the_noise),
    )
    yield eq(KL(noise_given, matched) + (log(b) - beta * r + (noise_variance + missed**2) / b - 1) / 2, by=logarithm)
    yield eq(KL(noise_given, matched) + KL(matched, normal(e, a, b)), by=gaussian_moments)


of_third_order = granted(
    "what is not Gaussian is of third order", "reversal.small-beta-gaussian, which rests on Edgeworth's expansion"
)
edgeworth = granted(
    "Edgeworth's expansion", "Comon (1994) for the leading term; that the rest, averaged over x_t, is of order beta^4"
)
smooth = taylor("the derivatives of log q_t are integrable, uniformly for small beta")


def naive_kernel_in_two_parts():
    """The naive kernel has the wrong mean, and the wrong variance."""
    standard = normal(e, 0, 1)
    yield let(s_t, score)
    yield E(marginal, KL(posterior, naive))
    yield eq(E(marginal, KL(noise_given, standard)), by=theorem(divergence_in_terms_of_the_noise, {a: 0, b: 1}))
    yield eq(E(marginal, KL(noise_given, matched) + KL(matched, standard)), by=theorem(two_parts, {a: 0, b: 1}))
    yield eq(
        E(marginal, KL(noise_given, matched)) + E(marginal, (beta * s_t**2 + noise_variance - 1 - beta * r) / 2),
        by=gaussian_moments,
    )


def price_of_the_naive_kernel(rate=first, constant=half_fisher):
    """The mean costs the first order: half the Fisher information."""
    wrong = (beta * s_t**2 + noise_variance - 1 - beta * r) / 2
    yield let(s_t, score)
    yield E(marginal, KL(posterior, naive))
    yield eq(E(marginal, KL(noise_given, matched)) + E(marginal, wrong), by=theorem(naive_kernel_in_two_parts))
    yield up_to(E(marginal, wrong), beta, 3, by=of_third_order)
    yield up_to(E(marginal, beta * s_t**2 / 2), beta, 2, by=smooth)
    yield eq(constant * beta**rate, by=linearity)


def no_gaussian_is_better_than_the_truth():
    """What is not Gaussian only adds to the price, ..."""
    yield -KL(noise_given, normal(e, a, b))
    yield eq(E(noise_given, log(normal(e, a, b)) - log(noise_given)), by=linearity)
    yield eq(E(noise_given, log(normal(e, a, b) / noise_given)), by=pointwise(algebra))
    yield le(E(noise_given, normal(e, a, b) / noise_given - 1), by=pointwise(log_tangent()))
    yield eq(1 - integral(noise_given, e), by=gaussian_integral(e))
    yield eq(0, by=normalised(noise_given))


def no_variance_is_better_than_one():
    """... and so does a wrong variance, ..."""
    yield log(b) / 2
    yield le((b - 1) / 2, by=log_tangent())


def rest_of_the_price():
    """... whatever x_t is."""
    yield let(s_t, score)
    yield E(marginal, -KL(noise_given, matched) - (noise_variance - 1 - beta * r) / 2)
    yield le(
        E(marginal, -(noise_variance - 1 - beta * r) / 2),
        by=pointwise(using(no_gaussian_is_better_than_the_truth, {a: noise_mean, b: noise_variance})),
    )
    yield le(E(marginal, 0), by=pointwise(using(no_variance_is_better_than_one, {b: noise_variance})))


def least_price_of_the_naive_kernel(constant=half_fisher):
    """So the first order is a lower bound, at every beta and with nothing on trust."""
    yield let(s_t, score)
    yield E(marginal, KL(posterior, naive))
    yield eq(
        E(marginal, KL(noise_given, matched)) + E(marginal, (beta * s_t**2 + noise_variance - 1 - beta * r) / 2),
        by=theorem(naive_kernel_in_two_parts),
    )
    yield ge(E(marginal, beta * s_t**2 / 2), by=using(rest_of_the_price))
    yield eq(constant * beta, by=linearity)


def price_of_the_ddpm_kernel(rate=second, constant=wrong_variance):
    """With the right mean only the variance is wrong: that of the noise is 1 - beta, and should be 1 + beta s'."""
    best, fixed, at = normal(e, m, w), normal(e, m, alpha), {a: noise_mean, b: alpha}
    yield let(s_t, score)
    yield let(m, noise_mean)
    yield let(w, noise_variance)
    yield E(marginal, KL(posterior, ddpm))
    yield eq(E(marginal, KL(noise_given, fixed)), by=theorem(divergence_in_terms_of_the_noise, at))
    yield eq(E(marginal, KL(noise_given, best) + KL(best, fixed)), by=theorem(two_parts, at))
    wrong = (w / alpha - 1 - beta * r + log(alpha)) / 2
    yield eq(E(marginal, KL(noise_given, best)) + E(marginal, wrong), by=gaussian_moments)
    yield up_to(E(marginal, wrong), beta, 3, by=of_third_order)
    yield up_to(E(marginal, (beta + w - 1) ** 2 / 4), beta, 3, by=smooth)
    yield eq(E(marginal, beta**2 * (1 + d(x_t, s_t)) ** 2 / 4), by=theorem(variance_of_the_noise))
    yield eq(constant * beta**rate, by=linearity)


def price_of_the_best_gaussian(rate=third, constant=wrong_shape):
    """With the right variance too, only the shape is wrong: a third Hermite polynomial, as large as the cumulant."""
    cumulant = E(noise_given, (e - noise_mean) ** 3)
    yield let(s_t, score)
    yield E(marginal, KL(noise_given, matched))
    yield up_to(E(marginal, E(normal(z, 0, 1), (cumulant * (z**3 - 3 * z) / 6) ** 2 / 2)), beta, 4, by=edgeworth)
    yield eq(E(marginal, cumulant**2 / 12), by=gaussian_moments)
    yield eq(E(marginal, beta**3 * d(x_t, d(x_t, s_t)) ** 2 / 12), by=theorem(cumulant_of_the_noise))
    yield eq(constant * beta**rate, by=linearity)


def gaussian_data():
    """For Gaussian data the score is a line, and nothing is wrong at any beta."""
    yield let(s_t, -(x_t - m_t) / v_t)
    yield let(m, gaussian_mean)
    best = normal(x_prev, (x_t + beta * s_t) / sqrt(alpha), beta / alpha * (1 - beta / v_t))
    yield KL(normal(x_prev, m, gaussian_variance), best)
    yield eq(0, by=gaussian_moments)


STEPS = "the standing assumptions; q_{t-1} fixed, smooth and positive while beta_t tends to zero"

CLAIMS = [
    Claim(
        "reversal.kl-step-order",
        "The naive kernel is wrong to first order in beta_t, by half the Fisher information: small steps do not help.",
        proved_by=(price_of_the_naive_kernel, least_price_of_the_naive_kernel),
        kind="order",
        assumes=STEPS,
        mistakes={
            "order-2": {"rate": second},
            "no-half": {"constant": E(marginal, score**2)},
            "variance-for-fisher": {"constant": Var(marginal, x_t) / 2},
            "beta-J-squared": {"constant": E(marginal, score**2) ** 2 / 2},
        },
        because={"order-2": "true of the variance, and taken to be true of the mean"},
    ),
    Claim(
        "reversal.ddpm-kernel-order",
        "The kernel with the exact mean and the variance beta_t is wrong to second order, by beta_t^2 "
        "E[(1 + s_t')^2]/4: for smooth data.",
        proved_by=(price_of_the_ddpm_kernel,),
        kind="order",
        assumes=STEPS,
        mistakes={
            "order-1": {"rate": first},
            "half-for-quarter": {"constant": E(marginal, (1 + d(x_t, score)) ** 2) / 2},
            "s-prime-only": {"constant": E(marginal, d(x_t, score) ** 2) / 4},
            "minus": {"constant": E(marginal, (1 - d(x_t, score)) ** 2) / 4},
        },
        because={"s-prime-only": "beta_t is taken for the naive variance beta_t/alpha_t"},
    ),
    Claim(
        "reversal.small-beta-gaussian",
        "The reverse kernel becomes Gaussian: the best Gaussian is wrong to third order, by beta_t^3 "
        "E[(s_t'')^2]/12, and exact for Gaussian data.",
        proved_by=(price_of_the_best_gaussian, gaussian_data, step_variance, step_cumulant),
        kind="limit/order",
        assumes=STEPS,
        source="Feller (1949), by way of Sohl-Dickstein et al. (2015)",
        mistakes={
            "order-2": {"rate": second},
            "constant-1-6": {"constant": E(marginal, d(x_t, d(x_t, score)) ** 2) / 6},
            "gaussian-at-any-beta": {"cumulant": Integer(0), "constant": Integer(0)},
            "second-derivative": {"constant": E(marginal, d(x_t, score) ** 2) / 12},
        },
        because={"gaussian-at-any-beta": "every step of the model is Gaussian, so the truth is taken to be"},
    ),
]
