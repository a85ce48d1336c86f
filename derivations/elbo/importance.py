r"""More draws, less loss: the logarithm of a mean of k importance weights, on average.

.. math:: \mathcal L_k=\mathbb E\log\frac1k\sum_{i\le k}w_i,\quad w_i=\frac{p(x,z_i)}{q(z_i)},\qquad
          \mathcal L_1\le\mathcal L_k\le\mathcal L_{k+1}\le\log p(x),\qquad
          k\bigl(\log p(x)-\mathcal L_k\bigr)\to\frac{\operatorname{Var}(w)}{2p(x)^2}.

With one draw this is the bound of variational inference. The mean of weights is an unbiased estimate of p(x) for every
k; what the logarithm loses is its variance, and that is divided by k. A mean of k + 1 weights is the average of the
k + 1 means from which one weight is left out, and a logarithm of an average is more than the average of logarithms.

The rate is proved below for weights that stay above a positive bound, by two bounds of the logarithm that differ in the
fourth order. It holds whenever w has finite moments and some negative one; if w = 0 has a positive probability, every
:math:`\mathcal L_k` is minus infinity, whatever the moments.

References:
    Burda, Grosse & Salakhutdinov (2015), Importance weighted autoencoders.
    Maddison et al. (2017), Filtering variational objectives, for the rate.
"""

from sympy import Add, Integer, Integral, Rational, Sum, binomial, exp, gamma, log, oo, sqrt

from ..calculus import (
    Density,
    E,
    RealFunction,
    algebra,
    by_parts,
    definition,
    elementary_integral,
    eq,
    ge,
    independence,
    integral,
    jensen,
    le,
    let,
    limit,
    linearity,
    log_tangent,
    naturals,
    normal,
    pointwise,
    positives,
    positivity,
    reals,
    tends_to,
    theorem,
    units,
    using,
)
from ..claim import Claim

# Notation: draws and their weights

x, z, z_1, z_2 = reals("x z z_1 z_2")
i, j, k = naturals("i j k")
joint, q, evidence = Density("p", [x, z]), Density("q", [z]), Density("p", [x])
w_1, w_2 = positives("w_1 w_2")
two, two_weights = q(z_1) * q(z_2), [let(w_1, joint(x, z_1) / q(z_1)), let(w_2, joint(x, z_2) / q(z_2))]
marginalisation = definition("marginalisation", {evidence: integral(joint, z)})

# Numbers w(1), w(2), ..., and the mean of all but the j-th of k + 1

w, without = Density("w", at=[i]), Density("m", at=[j])
one_left_out = definition("all but one", {without: (Sum(w, (i, 1, k + 1)) - w(j)) / k})

# u is the logarithm of the mean of k + 1 weights, and v that of the mean of k of them, chosen at random.

u, v = reals("u v")
L, of_all, of_some = RealFunction("L", at=[k]), Density("f", [u], at=[k]), Density("g", [v], given=[u], at=[k])
bounds = definition("the bounds", {L(k + 1): E(of_all, u), L: E(of_all, E(of_some, v))})
chosen_at_random = definition("means of means", {integral(of_some * exp(v), v): exp(u)})
unbiased = definition("weights average to the evidence", {integral(of_all * exp(u), u): evidence})

# c + exp(y) is a mean of k weights over p(x), and c is below all of them. The moments of a mean of one weight are
# definitions; of k of them, what is proved below from k to k + 1.

y, y_new = reals(r"y \eta")
c, t = units("c t")
r, s = positives("r s")
law, spread, third, fourth = Density("h", [y], at=[k]), Density("V"), RealFunction(r"\kappa_3"), Density(r"\kappa_4")
away, away_new = c + exp(y) - 1, c + exp(y_new) - 1

variance, skew = spread / (evidence**2 * k), third / k**2
tail = (3 * (k - 1) * (spread / evidence**2) ** 2 + fourth) / k**3
moments = definition(
    "moments of a mean, by induction",
    {
        integral(density * off**n, letter): value
        for density, letter, off, at in ((law, y, away, {}), (law(y_new, 1), y_new, away_new, {k: Integer(1)}))
        for n, value in ((1, Integer(0)), (2, variance.xreplace(at)), (3, skew.xreplace(at)), (4, tail.xreplace(at)))
    },
)
loss = RealFunction(r"\Delta", at=[k])
losing = definition("what is lost", {loss: -E(law, log(c + exp(y)))})


def integral_01(f):
    return Integral(f, (t, 0, 1))


# Statement

estimate = log(Sum(w, (i, 1, k)) / k)
bound_of = {"less": L, "more": L(k + 1)}  # the first is at most the second
rate = Integer(1)
constant = spread / (2 * evidence**2)


def of_draws(estimate, number):
    """The estimate with one draw, or with two."""
    return estimate.xreplace({k: Integer(number)}).doit().xreplace({w(1): w_1, w(2): w_2})


def weights_are_unbiased(estimate=estimate):
    """The weights average to the evidence, and so does the mean of two of them; ..."""
    yield from two_weights
    yield E(two, exp(of_draws(estimate, 2)))
    yield eq(E(q(z_1), w_1) / 2 + E(q(z_2), w_2) / 2, by=linearity)
    yield eq(integral(joint, z), by=linearity)
    yield eq(evidence, by=marginalisation)


def below_the_evidence(estimate=estimate):
    """... so that their logarithm is on average below that of the evidence."""
    yield from two_weights
    yield E(two, of_draws(estimate, 2))
    yield le(log(E(two, exp(of_draws(estimate, 2)))), by=jensen())
    yield eq(log(evidence), by=theorem(weights_are_unbiased))


def equal_weights(estimate=estimate):
    """Equal weights lose nothing: those of the posterior, which are p(x), whatever k is."""
    yield estimate.xreplace({w: evidence})
    yield eq(log(evidence), by=linearity)


def one_draw_and_two(estimate=estimate):
    """Two draws lose less than one, by two squares at least, which vanish only if the weights are equal ..."""
    mean = exp(of_draws(estimate, 2))
    first, second = sqrt(w_1 / mean), sqrt(w_2 / mean)
    yield from two_weights
    yield E(q(z_1), of_draws(estimate, 1)) - E(two, of_draws(estimate, 2))
    yield eq(E(two, log(first) + log(second)), by=linearity)
    yield le(E(two, first - 1 + second - 1), by=pointwise(log_tangent()))
    yield eq(E(two, -((first - 1) ** 2 + (second - 1) ** 2) / 2), by=pointwise(algebra))
    yield le(0, by=positivity)


def leaving_one_out(estimate=estimate):
    """... for any k + 1 numbers, the mean logarithm with one left out is at most that of the mean: again by squares."""
    mean = Sum(w, (i, 1, k + 1)) / (k + 1)
    root = sqrt(without / mean)
    squares = Sum((root - 1) ** 2, (j, 1, k + 1)) / (k + 1)
    yield Sum(log(without), (j, 1, k + 1)) / (k + 1) - estimate.xreplace({k: k + 1})
    yield eq(Sum(2 * log(root), (j, 1, k + 1)) / (k + 1), by=linearity)
    yield le(Sum(2 * (root - 1), (j, 1, k + 1)) / (k + 1), by=log_tangent())
    yield eq(Sum(without, (j, 1, k + 1)) / (k + 1) / mean - 1 - squares, by=linearity)
    yield eq(-squares, by=one_left_out)
    yield le(0, by=positivity)


def one_more_draw(less=bound_of["less"], more=bound_of["more"]):
    """... so k + 1 draws lose less than k: u is the log mean of all, and v that of k of them, chosen at random."""
    yield less
    yield eq(E(of_all, E(of_some, v)), by=bounds)
    yield le(E(of_all, log(E(of_some, exp(v)))), by=pointwise(jensen()))
    yield eq(E(of_all, u), by=chosen_at_random)
    yield eq(more, by=bounds)


def never_above_the_evidence(more=bound_of["more"]):
    """And no k gets above the evidence."""
    yield more
    yield eq(E(of_all, u), by=bounds)
    yield le(log(E(of_all, exp(u))), by=jensen())
    yield eq(log(evidence), by=unbiased)


# How much less


def logarithm_with_a_remainder():
    """What a logarithm is beside a cubic is of fourth order, and negative: it is below, ..."""
    yield log(r)
    yield eq(integral_01((r - 1) / (1 + (r - 1) * t)), by=by_parts(-log(1 + (r - 1) * t), t))
    cubic = (r - 1) - (r - 1) ** 2 * t + (r - 1) ** 3 * t**2
    yield eq(integral_01(cubic - (r - 1) ** 4 * t**3 / (1 + (r - 1) * t)), by=pointwise(algebra))
    yield le(integral_01(cubic), by=pointwise(positivity))
    yield eq((r - 1) - (r - 1) ** 2 / 2 + (r - 1) ** 3 / 3, by=elementary_integral())


def logarithm_from_below():
    """... and not far below, for numbers above c."""
    off = c + s - 1
    yield log(c + s)
    yield eq(integral_01(off / (1 + off * t)), by=by_parts(-log(1 + off * t), t))
    cubic = off - off**2 * t + off**3 * t**2
    yield eq(integral_01(cubic - off**4 * t**3 / (1 + off * t)), by=pointwise(algebra))
    yield ge(integral_01(cubic - off**4 * t**3 / c), by=pointwise(positivity))
    yield eq(off - off**2 / 2 + off**3 / 3 - off**4 / (4 * c), by=elementary_integral())


def moment_of_one_more(n, moment):
    """The n-th moment of a sum of k weights and a new one: independent, binomially."""
    new, sum_of_means = law(y_new, 1), moment * k**n
    yield E(law * new, (k * away + away_new) ** n)
    mixed = [binomial(n, m) * k**m * E(law, away**m) * E(new, away_new ** (n - m)) for m in range(1, n)]
    yield eq(Add(k**n * E(law, away**n), *mixed, E(new, away_new**n)), by=independence)
    yield eq(sum_of_means.xreplace({k: k + 1}), by=moments)


def second_moment():
    """Moments of means, by induction: of a sum of k + 1 weights about p(x), the variances add, ..."""
    yield from moment_of_one_more(2, variance)


def third_moment():
    """... and third moments, ..."""
    yield from moment_of_one_more(3, skew)


def fourth_moment():
    """... and the fourth have products of variances beside."""
    yield from moment_of_one_more(4, tail)


def mean_logarithm_from_above():
    """So the logarithm of a mean of k weights, over p(x) as c + exp(y), is on average below this ..."""
    yield E(law, log(c + exp(y)))
    cubic = E(law, away - away**2 / 2 + away**3 / 3)
    yield le(cubic, by=pointwise(theorem(logarithm_with_a_remainder, {r: c + exp(y)})))
    yield eq(E(law, away) - E(law, away**2) / 2 + E(law, away**3) / 3, by=linearity)
    yield eq(-variance / 2 + skew / 3, by=moments)


def mean_logarithm_from_below():
    """... and above that."""
    yield E(law, log(c + exp(y)))
    quartic = E(law, away - away**2 / 2 + away**3 / 3 - away**4 / (4 * c))
    yield ge(quartic, by=pointwise(theorem(logarithm_from_below, {s: exp(y)})))
    each = E(law, away) - E(law, away**2) / 2 + E(law, away**3) / 3 - E(law, away**4) / (4 * c)
    yield eq(each, by=linearity)
    yield eq(-variance / 2 + skew / 3 - tail / (4 * c), by=moments)


def loss_from_below():
    """What is lost with k draws is at least this ..."""
    yield loss
    yield eq(-E(law, log(c + exp(y))), by=losing)
    yield ge(variance / 2 - skew / 3, by=using(mean_logarithm_from_above))


def loss_from_above():
    """... and at most that."""
    yield loss
    yield eq(-E(law, log(c + exp(y))), by=losing)
    yield le(variance / 2 - skew / 3 + tail / (4 * c), by=using(mean_logarithm_from_below))


def limit_from_below(rate=rate, constant=constant):
    """Times k, the first tends to half the relative variance of a weight ..."""
    yield k**rate * (variance / 2 - skew / 3)
    yield tends_to(constant, k, oo, by=limit())


def limit_from_above(rate=rate, constant=constant):
    """... and so does the second."""
    yield k**rate * (variance / 2 - skew / 3 + tail / (4 * c))
    yield tends_to(constant, k, oo, by=limit())


# A world for the witness; there the logarithms of means are Gaussian, or means have a Gamma law.

shape = Rational(5, 2)
gamma_law = exp(k * shape * (y - exp(y) / (1 - c))) * (k * shape / (1 - c)) ** (k * shape) / gamma(k * shape)
WORLD = {
    joint: normal(z, Rational(1, 2), Rational(3, 2)) * normal(x, z, Rational(2, 3)),
    q: normal(z, x / 2, Rational(5, 4)),
    evidence: normal(x, Rational(1, 2), Rational(13, 6)),
    w: Rational(1, 3) + 2 / (i + Rational(1, 2)),
    without: (Sum(w, (i, 1, k + 1)) - w(j)) / k,
    of_all: normal(u, log(evidence) - Rational(3, 10) / (k + 1), Rational(3, 5) / (k + 1)),
    of_some: normal(v, u - Rational(3, 10) / (k * (k + 1)), Rational(3, 5) / (k * (k + 1))),
    L: log(evidence) - Rational(3, 10) / k,
    law: gamma_law,
    loss: -integral(gamma_law * log(c + exp(y)), y),
    spread: ((1 - c) * evidence) ** 2 / shape,
    third: 2 * (1 - c) ** 3 / shape**2,
    fourth: (1 - c) ** 4 * (3 / shape**2 + 6 / shape**3),
}

CLAIMS = [
    Claim(
        "elbo.iwae",
        "With more draws the bound rises towards log p(x), and misses it by Var(w)/(2 k p(x)^2) to leading order.",
        proved_by=(
            weights_are_unbiased,
            below_the_evidence,
            equal_weights,
            one_draw_and_two,
            leaving_one_out,
            one_more_draw,
            never_above_the_evidence,
            logarithm_with_a_remainder,
            logarithm_from_below,
            second_moment,
            third_moment,
            fourth_moment,
            mean_logarithm_from_above,
            mean_logarithm_from_below,
            loss_from_below,
            loss_from_above,
            limit_from_below,
            limit_from_above,
        ),
        evidence="S Q M P",
        kind="inequality/limit",
        assumes="E w < ∞; for the rate: a variance V, a fourth moment, and a positive number below all weights",
        source="Burda et al. (2015); Maddison et al. (2017)",
        tier="extended",
        mistakes={
            "mean-of-logs": {"estimate": Sum(log(w), (i, 1, k)) / k},
            "no-half": {"constant": spread / evidence**2},
            "decreasing": {"less": L(k + 1), "more": L},
            "sum-not-mean": {"estimate": log(Sum(w, (i, 1, k)))},
        },
        because={
            "mean-of-logs": "k draws of the bound with one draw: less noise, and the same loss",
            "no-half": "the second derivative of the logarithm is taken for the second term of its series",
        },
    ),
]
