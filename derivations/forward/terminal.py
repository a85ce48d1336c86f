r"""What is left at the end: nothing, if and only if the betas add up to infinity.

.. math:: \mathrm{KL}\bigl(q(x_T\mid x_0)\,\|\,\mathcal N(0,1)\bigr)
          =\tfrac12\bigl(\bar\alpha_Tx_0^2-\bar\alpha_T-\log(1-\bar\alpha_T)\bigr)
          \ \ge\ \tfrac12\bar\alpha_Tx_0^2+\tfrac14\bar\alpha_T^2 .

The bound is also what is left for small :math:`\bar\alpha_T`. So the data are forgotten exactly as far as
:math:`\bar\alpha_T` goes to zero, and

.. math:: \sum_{t\le T}\beta_t\ \le\ -\log\bar\alpha_T\ \le\ \sum_{t\le T}\frac{\beta_t}{1-\beta_t}

says when it does. If the first sum has no bound, :math:`\bar\alpha_T\to0`. If it has one, then :math:`\beta_t\to0`,
from some t on the terms of the second sum are at most twice those of the first, and :math:`\bar\alpha_T` stays away
from zero. Many steps are not enough: with :math:`\beta_t=1/(t+1)^2` half of the signal is left for ever.

References:
    Ho, Jain & Abbeel (2020), Denoising diffusion probabilistic models (the term L_T).
"""

from sympy import Integer, Integral, Product, Rational, Sum, exp, log, oo, sqrt

from ..calculus import (
    KL,
    UnitFunction,
    algebra,
    by_parts,
    elementary_integral,
    eq,
    gaussian_moments,
    ge,
    gt,
    induction,
    le,
    limit,
    log_tangent,
    logarithms,
    naturals,
    normal,
    pointwise,
    positivity,
    reals,
    taylor,
    tends_to,
    units,
    up_to,
    using,
)
from ..claim import Claim

# Notation

x_0, x_T = reals("x_0 x_T")
alpha_bar, u = units(r"\bar\alpha_T u")
t, T = naturals("t T")
b = UnitFunction(r"\beta", at=[t])  # any schedule

end = normal(x_T, sqrt(alpha_bar) * x_0, 1 - alpha_bar)
noise = normal(x_T, 0, 1)

# Statement

divergence = (alpha_bar * x_0**2 - alpha_bar - log(1 - alpha_bar)) / 2
squares_leave = (T + 2) / (2 * (T + 1))  # of the signal, after T steps with beta_t = 1/(t + 1)^2
for_ever = Rational(1, 2)  # and in the end


def distance_from_noise(divergence=divergence):
    """How much x_T still says about x_0."""
    yield KL(end, noise)
    yield eq(divergence, by=gaussian_moments)


def forgotten(divergence=divergence):
    """It goes to zero with alpha_bar ..."""
    yield divergence
    yield tends_to(0, alpha_bar, 0, by=limit())


def nearly_forgotten(divergence=divergence):
    """... at this rate: half of the signal's power, and a quarter of the square of what the variance lacks."""
    yield divergence
    yield up_to(alpha_bar * x_0**2 / 2 + alpha_bar**2 / 4, alpha_bar, 3, by=taylor())


def logarithm_as_an_integral():
    """The logarithm is further from zero than its tangent, by an integral ..."""
    yield (-alpha_bar - log(1 - alpha_bar)) / 2
    slope = (alpha_bar / (1 - alpha_bar * u) - alpha_bar) / 2
    yield eq(Integral(slope, (u, 0, 1)), by=by_parts((alpha_bar * u + log(1 - alpha_bar * u)) / 2, u))
    yield eq(Integral(alpha_bar**2 * u / (1 - alpha_bar * u) / 2, (u, 0, 1)), by=pointwise(algebra))
    yield ge(Integral(alpha_bar**2 * u / 2, (u, 0, 1)), by=pointwise(positivity))
    yield eq(alpha_bar**2 / 4, by=elementary_integral())


def not_forgotten(divergence=divergence):
    """... so that what is left at that rate is a lower bound: while there is signal, it is seen, even of x_0 = 0."""
    yield divergence
    yield ge(alpha_bar * x_0**2 / 2 + alpha_bar**2 / 4, by=using(logarithm_as_an_integral))
    yield gt(0, by=positivity)


def signal_is_a_product():
    """Each step leaves the factor 1 - beta of the signal; the logarithms add up."""
    yield Product(1 - b, (t, 1, T))
    yield eq(exp(Sum(log(1 - b), (t, 1, T))), by=logarithms)


def betas_add_up():
    """Their sum falls at least as fast as that of the betas grows, ..."""
    yield Sum(log(1 - b), (t, 1, T))
    yield le(Sum(-b, (t, 1, T)), by=pointwise(log_tangent()))


def betas_do_not_add_up():
    """... and no faster than that of the betas over the alphas."""
    yield Sum(log(1 / (1 - b)), (t, 1, T))
    yield le(Sum(1 / (1 - b) - 1, (t, 1, T)), by=pointwise(log_tangent()))
    yield eq(Sum(b / (1 - b), (t, 1, T)), by=pointwise(algebra))


def squares_leave_a_half(product=squares_leave, left_over=for_ever):
    """With beta_t = 1/(t + 1)^2 the product telescopes, and however many steps there are, more than a half is left."""
    yield Product(1 - 1 / (t + 1) ** 2, (t, 1, T))
    yield eq(product, by=induction(T))
    yield tends_to(left_over, T, oo, by=limit())


CLAIMS = [
    Claim(
        "forward.terminal",
        r"The data are forgotten if and only if \bar\alpha_T goes to zero, that is if the \beta_t add up to infinity.",
        proved_by=(
            distance_from_noise,
            forgotten,
            nearly_forgotten,
            not_forgotten,
            signal_is_a_product,
            betas_add_up,
            betas_do_not_add_up,
            squares_leave_a_half,
        ),
        evidence="S Q P",
        kind="limit",
        source="Ho et al. (2020), the term L_T",
        mistakes={
            "T-suffices": {"left_over": Integer(0)},
            "no-minus-alphabar": {"divergence": (alpha_bar * x_0**2 - log(1 - alpha_bar)) / 2},
            "kl-reversed": {"divergence": (log(1 - alpha_bar) + (1 + alpha_bar * x_0**2) / (1 - alpha_bar) - 1) / 2},
            "x0-not-squared": {"divergence": (alpha_bar * x_0 - alpha_bar - log(1 - alpha_bar)) / 2},
        },
        because={"T-suffices": "the number of steps is taken for the amount of noise"},
    )
]

# A world for the witness: a schedule.

WORLD = {b: exp(-t / 10) / 3}
