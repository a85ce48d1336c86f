r"""What is left at the end: nothing, if and only if the betas add up to infinity.

.. math:: \mathrm{KL}\bigl(q(x_T\mid x_0)\,\|\,\mathcal N(0,1)\bigr)
          =\tfrac12\bigl(\bar\alpha_Tx_0^2-\bar\alpha_T-\log(1-\bar\alpha_T)\bigr)\ \ge\ \tfrac12\bar\alpha_Tx_0^2 .

So the data are forgotten exactly as far as :math:`\bar\alpha_T` goes to zero, and

.. math:: 1-\sum_{t\le T}\beta_t\le\bar\alpha_T=\prod_{t\le T}(1-\beta_t)\ \le\ \exp\Bigl(-\sum_{t\le T}\beta_t\Bigr)

says when it does. Many steps are not enough: with :math:`\beta_t=1/(t+1)^2` half of the signal is left for ever.
(If the betas have a finite sum, from some step on it is less than one half, and the left bound keeps
:math:`\bar\alpha_T` away from zero.)

References:
    Ho, Jain & Abbeel (2020), Denoising diffusion probabilistic models (the term L_T).
"""

from sympy import Integer, Product, Rational, log, oo, sqrt

from ..calculus import (
    KL,
    eq,
    gaussian_moments,
    ge,
    induction,
    le,
    limit,
    log_tangent,
    naturals,
    normal,
    positivity,
    reals,
    tends_to,
    units,
    using,
)
from ..claim import Claim

# Notation

x_0, x_T = reals("x_0 x_T")
alpha_bar, beta = units(r"\bar\alpha_T \beta_t")
left = units(r"\bar\alpha_{t-1}")  # what the steps before t have left
t, T = naturals("t T")

end = normal(x_T, sqrt(alpha_bar) * x_0, 1 - alpha_bar)
noise = normal(x_T, 0, 1)

# Statement

divergence = (alpha_bar * x_0**2 - alpha_bar - log(1 - alpha_bar)) / 2
for_ever = Rational(1, 2)  # what beta_t = 1/(t + 1)^2 leaves


def distance_from_noise(divergence=divergence):
    """How much x_T still says about x_0."""
    yield KL(end, noise)
    yield eq(divergence, by=gaussian_moments)


def forgotten(divergence=divergence):
    """It goes to zero with alpha_bar ..."""
    yield divergence
    yield tends_to(0, alpha_bar, 0, by=limit())


def noise_is_no_signal():
    """The logarithm lies below its tangent."""
    yield log(1 - alpha_bar)
    yield le(-alpha_bar, by=log_tangent())


def not_forgotten(divergence=divergence):
    """... and not without it: what is left of the signal's power is a lower bound."""
    yield 2 * divergence
    yield ge(alpha_bar * x_0**2, by=using(noise_is_no_signal))


def one_more_factor():
    """Each step leaves at most the factor exp(-beta): so the product is at most the exponential of minus the sum."""
    yield log(1 - beta)
    yield le(-beta, by=log_tangent())


def one_more_term():
    """And each takes away at most beta: by induction the product is at least one minus the sum."""
    yield left * (1 - beta)
    yield ge(left - beta, by=positivity)


def squares_leave_a_product():
    """With beta_t = 1/(t + 1)^2 the product telescopes ..."""
    yield Product(1 - 1 / (t + 1) ** 2, (t, 1, T))
    yield eq((T + 2) / (2 * (T + 1)), by=induction(T))


def squares_leave_a_half(left_over=for_ever):
    """... and however many steps there are, more than a half is left."""
    yield (T + 2) / (2 * (T + 1))
    yield tends_to(left_over, T, oo, by=limit())


CLAIMS = [
    Claim(
        "forward.terminal",
        r"The data are forgotten if and only if \bar\alpha_T goes to zero, that is if the betas add up to infinity.",
        proved_by=(
            distance_from_noise,
            forgotten,
            not_forgotten,
            one_more_factor,
            one_more_term,
            squares_leave_a_product,
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
