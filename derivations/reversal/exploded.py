r"""How far from the data the naive chain ends, and how little a single step of it shows.

For Gaussian data of variance :math:`v_0` the naive chain ends in a Gaussian with the same mean and the variance
:math:`V=v_0+2(1/\bar\alpha_T-1)`, and

.. math:: W_2(q_0,\hat q_0)=\sqrt V-\sqrt{v_0},\qquad
          D_{KL}(q_0\Vert\hat q_0)=\tfrac12\Bigl(\log\frac V{v_0}+\frac{v_0}V-1\Bigr).

One step from a correct :math:`x_t` is the same with :math:`v_{t-1}` and :math:`V=v_{t-1}+2\beta_t/\alpha_t`. It is off
by about :math:`\beta_t/\sqrt{v_{t-1}}`, which looks harmless; but :math:`V` at the end of the chain knows
:math:`\bar\alpha_T` alone, into however many steps the way there is cut.

:math:`W_2` is the least root mean square distance over which draws of one law have to be moved to become draws of the
other: the least over all *couplings*, joint laws that have these two for their marginals. Stretching the data about
their mean is one of them, and a square shows that none does better.

Reference:
    Villani (2003), Topics in optimal transportation.
"""

from sympy import log, sqrt

from ..calculus import (
    KL,
    Density,
    E,
    Var,
    algebra,
    definition,
    eq,
    gaussian_integral,
    gaussian_moments,
    ge,
    gt,
    integral,
    limit,
    linearity,
    normal,
    positives,
    positivity,
    reals,
    tends_to,
    theorem,
    using,
)
from ..claim import Claim
from .naive import added, alpha_bar_T, chain_from_a_correct_end, one_naive_step, spread, whole_chain, x_0, x_hat, x_T
from .step import WHERE, alpha, beta, prior, step, x_prev, x_t

__all__ = ["CLAIMS", "WHERE", "WORLD"]

# Notation: two Gaussians with the mean m, and the variances v and V.

m, x, y = reals("m x y")
v, V, v_0, v_prev = positives("v V v_0 v_{t-1}")

true, wide = normal(x, m, v), normal(x, m, V)
stretched = m + sqrt(V / v) * (x - m)
coupling = Density("c", [x, y])
marginals = definition(
    "the variances of x and y",
    {integral(coupling * (x - m) ** 2, x, y): v, integral(coupling * (y - m) ** 2, x, y): V},
)

# Statement

wasserstein = sqrt(V) - sqrt(v)
divergence = (log(V / v) + v / V - 1) / 2
after_the_chain = v_0 + added
after_one_step = v_prev + spread
small_step = 1 / sqrt(v_prev)  # the distance after one step, in units of beta


def end_of_the_chain(whole=after_the_chain):
    """The naive chain keeps the mean of Gaussian data, and their shape; only the variance is wrong."""
    up = normal(x_T, sqrt(alpha_bar_T) * x_0, 1 - alpha_bar_T)
    yield integral(integral(whole_chain * up, x_T) * normal(x_0, m, v_0), x_0)
    yield eq(integral(normal(x_hat, x_0, added) * normal(x_0, m, v_0), x_0), by=theorem(chain_from_a_correct_end))
    yield eq(normal(x_hat, m, whole), by=gaussian_integral(x_0))


def end_of_one_step(one=after_one_step):
    """So does one step of it."""
    naive, before = normal(x_hat, x_t / sqrt(alpha), beta / alpha), normal(x_prev, m, v_prev)
    yield integral(integral(naive * step, x_t) * before, x_prev)
    yield eq(integral(normal(x_hat, x_prev, spread) * before, x_prev), by=theorem(one_naive_step, {prior: before}))
    yield eq(normal(x_hat, m, one), by=gaussian_integral(x_prev))


def stretching():
    """Stretch the data about their mean, and they have the law of the output ..."""
    yield Var(true, stretched)
    yield eq(V, by=gaussian_moments)


def cost_of_stretching(w2=wasserstein):
    """... at this cost."""
    yield E(true, (stretched - x) ** 2)
    yield eq(w2**2, by=gaussian_moments)


def covariance_of_a_coupling():
    """However x and y are coupled, their covariance is at most the product of their standard deviations."""
    shared = E(coupling, (x - m) * (y - m))
    of_x, of_y = E(coupling, (x - m) ** 2), E(coupling, (y - m) ** 2)
    yield 2 * sqrt(v * V) - 2 * shared
    yield eq((V * of_x + v * of_y - 2 * sqrt(v * V) * shared) / sqrt(v * V), by=marginals)
    yield eq(E(coupling, (sqrt(V) * (x - m) - sqrt(v) * (y - m)) ** 2) / sqrt(v * V), by=linearity)
    yield ge(0, by=positivity)


def no_coupling_is_cheaper(w2=wasserstein):
    """So nothing is cheaper than stretching."""
    of_x, of_y = E(coupling, (x - m) ** 2), E(coupling, (y - m) ** 2)
    yield E(coupling, (x - y) ** 2)
    yield eq(of_x + of_y - 2 * E(coupling, (x - m) * (y - m)), by=linearity)
    yield eq(v + V - 2 * E(coupling, (x - m) * (y - m)), by=marginals)
    yield ge(w2**2, by=using(covariance_of_a_coupling))


def distance_of_the_chain(w2=wasserstein, whole=after_the_chain):
    """For the whole chain the root is the one that is positive."""
    yield w2.xreplace({v: v_0, V: whole})
    yield eq(added / (sqrt(v_0 + added) + sqrt(v_0)), by=algebra)
    yield gt(0, by=positivity)


def kl_to_the_wide_law(kl=divergence):
    """Measured by what it costs to explain the data by the output, a wide law costs the logarithm of its width."""
    yield KL(true, wide)
    yield eq(kl, by=gaussian_moments)


def distance_of_a_small_step(w2=wasserstein, one=after_one_step, rate=small_step):
    """A single step goes wrong in proportion to beta ..."""
    yield w2.xreplace({v: v_prev, V: one}) / beta
    yield tends_to(rate, alpha, 1, by=limit())


def error_of_a_small_step(w2=wasserstein, one=after_one_step, rate=small_step):
    """... up to an error of second order."""
    yield (w2.xreplace({v: v_prev, V: one}) - beta * rate) / beta**2
    yield tends_to((1 - 1 / (2 * v_prev)) / sqrt(v_prev), alpha, 1, by=limit())


CLAIMS = [
    Claim(
        "reversal.naive-chain-distance",
        "For Gaussian data the naive chain ends at the distance W_2 = sqrt(V) - sqrt(v_0) from them, V = v_0 + "
        "2(1/alpha_bar_T - 1); one step is off by about beta_t/sqrt(v_{t-1}).",
        proved_by=(
            end_of_the_chain,
            end_of_one_step,
            stretching,
            cost_of_stretching,
            no_coupling_is_cheaper,
            distance_of_the_chain,
            kl_to_the_wide_law,
            distance_of_a_small_step,
            error_of_a_small_step,
        ),
        evidence="S Q M P",
        assumes="the standing assumptions; Gaussian data",
        mistakes={
            "w2-variance-difference": {"w2": V - v},
            "kl-reversed": {"kl": (log(v / V) + V / v - 1) / 2},
            "w2-squared": {"w2": (sqrt(V) - sqrt(v)) ** 2},
            "step-factor-one": {"one": v_prev + beta / alpha},
        },
        because={
            "kl-reversed": "the average over the output, where the data would have to explain what they never show",
            "w2-squared": "many programs return the square, which is what they minimise",
            "step-factor-one": "the fresh noise is counted, and the noise that is in x_t already is not",
        },
    ),
]

# A world for the witness: two laws that have nothing to do with each other.

WORLD = {coupling: true * normal(y, m, V)}
