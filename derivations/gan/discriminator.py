r"""The best response of a discriminator is Bayes' rule: the share of the data in what is seen at a point.

.. math:: V(D)=\mathbb E_p\log D+\mathbb E_g\log(1-D)=\int p\log D+g\log(1-D)\,dx,\qquad D^\star=\frac p{p+g}.

Nothing ties the answers at two points together, so each is chosen by itself. The integrand rises in :math:`D` up to
:math:`D^\star` and falls behind it, and an answer that is off costs at least :math:`2(p+g)(D-D^\star)^2`: no other
discriminator is as good, but for its answers where neither p nor g lives. Where only p lives the best answer is 1, and
where only g lives it is 0. The second derivative at the best answer is :math:`-(p+g)^3/(pg)`.

The logit of the best answer is :math:`\log p-\log g`. So a discriminator is a classifier, and what it learns is a ratio
of densities, not a density. If a share :math:`\pi` of what it is shown is real, that share enters as a prior does:

.. math:: \log\frac{D^\star}{1-D^\star}=\log\frac pg+\log\frac\pi{1-\pi}.

References:
    Goodfellow et al. (2014), Generative adversarial nets, proposition 1 and eq. (2).
"""

from sympy import Integral, Rational, exp, log, sqrt

from ..calculus import (
    Density,
    E,
    UnitFunction,
    algebra,
    by_parts,
    d,
    differentiation,
    eq,
    gt,
    integral,
    le,
    let,
    linearity,
    lt,
    normal,
    pointwise,
    positivity,
    reals,
    theorem,
    units,
    using,
)
from ..claim import Claim

# Notation: y is an answer at x and a its logit; the share pi of all examples is real.

x, a = reals("x a")
y, y_best, u, pi = units(r"y D^\star u \pi")

data, generator, D = Density("p", [x]), Density("g", [x]), UnitFunction("D", [x])


def value(answer):
    """What an answer at x brings."""
    return data * log(answer) + generator * log(1 - answer)


def game(D):
    """What a discriminator is worth."""
    return E(data, log(D)) + E(generator, log(1 - D))


# Statement

best = data / (data + generator)
curvature = -((data + generator) ** 3) / (data * generator)
logit = log(data) - log(generator)
logit_with_prior = log(data) - log(generator) + log(pi / (1 - pi))

slope_of_slope = -data / y**2 - generator / (1 - y) ** 2
cost = (data + generator) * (y - y_best) ** 2 * 2  # at least, of the answer y


def point_by_point():
    """The answers at different points have nothing to do with each other."""
    yield game(D)
    yield eq(integral(value(D), x), by=linearity)


def up_and_down(best=best):
    """At one point, more is better below the best answer, and worse above it."""
    yield d(y, value(y))
    yield eq((data + generator) * (best - y) / (y * (1 - y)), by=differentiation)


def where_only_p_lives():
    """Where there is nothing of g, more is always better, and the best answer is 1; ..."""
    yield d(y, data * log(y))
    yield eq(data / y, by=differentiation)
    yield gt(0, by=positivity)


def where_only_g_lives():
    """... where there is nothing of p, less is, and the best answer is 0."""
    yield d(y, generator * log(1 - y))
    yield eq(-generator / (1 - y), by=differentiation)
    yield lt(0, by=positivity)


def loss_along_the_way(best=best):
    """Along the way from the best answer to y the loss adds up, and s(1 - s) is nowhere above a quarter."""
    s = (1 - u) * y_best + u * y
    yield let(y_best, best)
    yield value(y) - value(y_best)
    yield eq(Integral((y - y_best) * (data / s - generator / (1 - s)), (u, 0, 1)), by=by_parts(-value(s), u))
    yield eq(Integral(-u * (data + generator) * (y - y_best) ** 2 / (s * (1 - s)), (u, 0, 1)), by=pointwise(algebra))
    yield le(Integral(-4 * u * (data + generator) * (y - y_best) ** 2, (u, 0, 1)), by=pointwise(positivity))
    yield eq(-cost, by=by_parts(-cost * u**2, u))


def cost_of_an_answer():
    """So any other answer costs something, in proportion to what lives there."""
    yield let(y_best, best)
    yield value(y)
    yield le(value(y_best) - cost, by=using(loss_along_the_way))


def no_discriminator_does_better():
    """And no discriminator does better than the best answer everywhere."""
    yield let(y_best, best)
    yield game(D)
    yield eq(integral(value(D), x), by=linearity)
    yield le(integral(value(y_best) - cost.xreplace({y: D}), x), by=pointwise(theorem(cost_of_an_answer, {y: D})))
    yield le(integral(value(y_best), x), by=pointwise(positivity))
    yield eq(game(y_best), by=linearity)


def second_derivative():
    """The criterion is concave in the answer ..."""
    yield d(y, d(y, value(y)))
    yield eq(slope_of_slope, by=differentiation)


def second_derivative_at_the_best(curvature=curvature):
    """... and sharply peaked where only one of the two is likely."""
    yield slope_of_slope.xreplace({y: best})
    yield eq(curvature, by=algebra)


def best_logit(logit=logit):
    """In logits the best answer is a log ratio."""
    yield log(best) - log(1 - best)
    yield eq(logit, by=algebra)


def slope_in_the_logit(with_prior=logit_with_prior):
    """If a share π of all examples is real, more is better while the odds are below those of this logit ..."""
    yield let(y, 1 / (1 + exp(-a)))
    yield d(a, pi * data * log(y) + (1 - pi) * generator * log(1 - y))
    yield eq(pi * data * (1 - y) - (1 - pi) * generator * y, by=differentiation)
    yield eq((1 - pi) * generator * (1 - y) * (exp(with_prior) - exp(a)), by=algebra)


def bayes_rule(with_prior=logit_with_prior):
    """... which are those of Bayes' rule: the answer is the probability that x is real."""
    yield 1 / (1 + exp(-with_prior))
    yield eq(pi * data / (pi * data + (1 - pi) * generator), by=algebra)


CLAIMS = [
    Claim(
        "gan.optimal-discriminator",
        "The best answer of a discriminator at x is p(x)/(p(x) + g(x)), and there the criterion has the second "
        "derivative -(p + g)³/(pg).",
        proved_by=(
            point_by_point,
            up_and_down,
            where_only_p_lives,
            where_only_g_lives,
            loss_along_the_way,
            cost_of_an_answer,
            no_discriminator_does_better,
            second_derivative,
            second_derivative_at_the_best,
        ),
        evidence="S Q P T",
        assumes="p + g > 0; for the second derivative, p > 0 and g > 0",
        source="Goodfellow et al. (2014) proposition 1, eq. 2",
        mistakes={
            "g-on-top": {"best": generator / (data + generator)},
            "ratio": {"best": data / generator},
            "half-always": {"best": Rational(1, 2)},
            "sqrt-ratio": {"best": sqrt(data) / (sqrt(data) + sqrt(generator))},
        },
        because={
            "ratio": "the odds are taken for the probability",
            "half-always": "what D* is at the equilibrium, where p = g, is taken for what it always is",
            "sqrt-ratio": "the best answer under the exponential loss of boosting: half the logit",
        },
    ),
    Claim(
        "gan.logit-is-log-ratio",
        "The logit of the best answer is log p - log g; if a share π of the examples is real, plus log π/(1 - π).",
        proved_by=(best_logit, slope_in_the_logit, bayes_rule),
        evidence="S Q P T",
        assumes="p > 0 and g > 0; 0 < π < 1",
        mistakes={
            "no-prior-term": {"with_prior": log(data) - log(generator)},
            "sign": {
                "logit": log(generator) - log(data),
                "with_prior": log(generator) - log(data) + log(pi / (1 - pi)),
            },
            "half-log-ratio": {
                "logit": (log(data) - log(generator)) / 2,
                "with_prior": (log(data) - log(generator)) / 2 + log(pi / (1 - pi)),
            },
        },
        because={
            "no-prior-term": "true when as many real as generated examples are shown",
            "half-log-ratio": "the best logit under the exponential loss of boosting",
        },
    ),
]

# A world for the witness: clusters, a broad Gaussian, and some discriminator.

WORLD = {
    data: Rational(3, 10) * normal(x, -1, Rational(1, 2)) + Rational(7, 10) * normal(x, Rational(3, 2), Rational(4, 5)),
    generator: normal(x, Rational(1, 2), Rational(3, 2)),
    D: 1 / (1 + exp(Rational(1, 3) - x)),
}
