r"""What the best discriminator measures: the Jensen-Shannon divergence, between 0 and log 2.

.. math:: C(G)=\max_DV(D)=-\log4+D_{KL}(p\|m)+D_{KL}(g\|m)=-\log4+2\,\mathrm{JSD}(p,g),\qquad m=\tfrac12(p+g).

Against the answer one half everywhere, the best response gains at least what a quadratic cost says:

.. math:: C(G)\ \ge\ -\log4+\tfrac12\int\frac{(p-g)^2}{p+g}\,dx .

So the minimum :math:`-\log4` is reached at :math:`g=p` and nowhere else: to match the data in mean and not in variance
is not enough. At the other end

.. math:: \int\frac{pg}{p+g}\,dx\ \le\ \log2-\mathrm{JSD}(p,g)\ \le\ 2\int\sqrt{pg}\,dx ,

so the divergence is :math:`\log2` if and only if p and g share nothing. There :math:`C=0` is at its largest, and does
not say how far apart they are: its slope, where it has one, is zero. If there is room between the two supports, small
moves of the generator change nothing at all; if they touch, a move can make them overlap.

References:
    Goodfellow et al. (2014), Generative adversarial nets, eqs. (4)-(6) and theorem 1.
    Arjovsky & Bottou (2017), Towards principled methods for training generative adversarial networks.
"""

from sympy import Integer, Rational, exp, log, oo, sqrt

from ..calculus import (
    KL,
    Density,
    E,
    RealFunction,
    algebra,
    definition,
    eq,
    gaussian_integral,
    gaussian_moments,
    ge,
    gt,
    integral,
    le,
    let,
    limit,
    linearity,
    log_tangent,
    lt,
    normal,
    normalised,
    pointwise,
    positives,
    positivity,
    reals,
    rearranging,
    tends_to,
    theorem,
    using,
)
from ..claim import Claim
from .discriminator import WORLD as ONE_GAME
from .discriminator import (
    D,
    best,
    cost,
    cost_of_an_answer,
    data,
    game,
    generator,
    no_discriminator_does_better,
    value,
    x,
    y,
    y_best,
)

# Notation: m is halfway between p and g; b and c are Gaussians of one mean, f is any statistic.

mu, k = reals(r"\mu k")
v, h, s, root_p, root_g = positives("v h s u w")

middle, f = Density("m", [x]), RealFunction("f", [x])
narrow, wide = Density("b", [x]), Density("c", [x])
one_mean = definition("b and c have one mean", {narrow: normal(x, mu, v), wide: normal(x, mu, v + s)})
mixed = definition("m is halfway between p and g", {middle: (data + generator) / 2})

half, match = Rational(1, 2), {generator: data}
alike, opposite = {data: narrow, generator: wide}, {data: normal(x, mu, v), generator: normal(x, -mu, v)}

# What the best response brings at a point, and in the mean; both densities in parts of what is seen.

brought = data * log(data / (data + generator)) + generator * log(generator / (data + generator))
worth = E(data, log(data / (data + generator))) + E(generator, log(generator / (data + generator)))

# Statement

jsd = (KL(data, middle) + KL(generator, middle)) / 2
criterion = 2 * jsd - log(4)
minimum, least, most, ceiling = -log(4), Integer(0), log(2), Integer(0)

same_mean = E(narrow, log(2 * narrow / (narrow + wide))) + E(wide, log(2 * wide / (narrow + wide))) - log(4)

difference = (data - generator) ** 2 / (data + generator) / 2
apart = integral(difference, x)
shared = integral(data * generator / (data + generator), x)
overlap = integral(sqrt(data * generator), x)


def best_response():
    """What the best response is worth ..."""
    yield game(best)
    yield eq(worth, by=algebra)


def two_divergences(criterion=criterion):
    """... is two divergences from the mixture, less the two logarithms of its halves."""
    yield worth
    yield eq(E(data, log(data / (2 * middle))) + E(generator, log(generator / (2 * middle))), by=mixed)
    yield eq(criterion, by=linearity)


def any_response(criterion=criterion):
    """No other response is worth more."""
    yield game(D)
    yield le(game(best), by=theorem(no_discriminator_does_better))
    yield eq(worth, by=theorem(best_response))
    yield eq(criterion, by=theorem(two_divergences))


def at_a_point():
    """At a point the best answer brings more than one half does, by as much as one half would cost there."""
    yield brought
    yield eq(value(best), by=algebra)
    yield ge(value(half) + cost.xreplace({y: half, y_best: best}), by=using(cost_of_an_answer, {y: half}))
    yield eq(difference - (data + generator) * log(2), by=algebra)


def at_least_the_minimum(minimum=minimum):
    """So the best response is worth no less than the minimum, and more wherever p and g differ ..."""
    yield worth
    yield eq(integral(brought, x), by=linearity)
    yield ge(integral(difference - (data + generator) * log(2), x), by=pointwise(theorem(at_a_point)))
    yield eq(minimum + apart, by=normalised(data, generator))


def minimum_at_the_match(minimum=minimum):
    """... which is what it is worth if they do not."""
    yield worth.xreplace(match)
    yield eq(minimum, by=linearity)


def of_the_same_mean(same_mean=same_mean):
    """Two Gaussians of the same mean are worth this ..."""
    yield worth.xreplace(alike)
    yield eq(same_mean, by=linearity)


def any_statistic():
    """... and what any statistic says of the two holds it up ..."""
    yield apart
    yield ge(integral(k * f * (data - generator) - k**2 * f**2 * (data + generator) / 2, x), by=pointwise(positivity))


def means_are_not_enough(minimum=minimum):
    """... so if the mean of a square tells them apart, it is more than the minimum."""
    square = (x - mu) ** 2
    told = k * square * (narrow - wide) - k**2 * square**2 * (narrow + wide) / 2

    def in_means(b, c):
        return k * E(b, square) - k * E(c, square) - k**2 * E(b, square**2) / 2 - k**2 * E(c, square**2) / 2 - log(4)

    yield let(k, -s / (3 * v**2 + 3 * (v + s) ** 2))
    yield worth.xreplace(alike)
    yield ge(apart.xreplace(alike) - log(4), by=theorem(at_least_the_minimum, alike))
    yield ge(integral(told, x) - log(4), by=using(any_statistic, {**alike, f: square, k: k}))
    yield eq(in_means(narrow, wide), by=linearity)
    yield eq(in_means(normal(x, mu, v), normal(x, mu, v + s)), by=one_mean)
    yield eq(s**2 / (6 * v**2 + 6 * (v + s) ** 2) - log(4), by=gaussian_moments)
    yield gt(minimum, by=positivity)


def never_negative(least=least):
    """The divergence is what the best response gains over the minimum, by halves; so it is not negative ..."""
    yield 2 * jsd
    yield eq(worth + log(4), by=rearranging(two_divergences))
    yield ge(apart, by=using(at_least_the_minimum))
    yield ge(2 * least, by=positivity)


def nothing_at_the_match(least=least):
    """... and at g = p it is zero."""
    yield worth.xreplace(match) + log(4)
    yield eq(2 * least, by=linearity)


def what_is_shared():
    """What p and g share keeps the worth of the best response below zero ..."""
    yield integral(brought, x)
    tangents = data * (data / (data + generator) - 1) + generator * (generator / (data + generator) - 1)
    yield le(integral(tangents, x), by=pointwise(log_tangent()))
    yield eq(integral(-2 * data * generator / (data + generator), x), by=pointwise(algebra))
    yield eq(-2 * shared, by=linearity)


def below_the_top(most=most):
    """... and so the divergence below its top ..."""
    yield 2 * jsd
    yield eq(worth + 2 * log(2), by=rearranging(two_divergences))
    yield eq(integral(brought, x) + 2 * log(2), by=linearity)
    yield le(2 * log(2) - 2 * shared, by=using(what_is_shared))
    yield lt(2 * most, by=positivity)


def what_overlaps():
    """... but no further than they overlap ..."""
    p, g = data, generator
    split = (p + g) * log((p + g) / (root_p + root_g) ** 2)
    split += 2 * p * log((root_p + root_g) / root_p) + 2 * g * log((root_p + root_g) / root_g)
    tangents = 4 * root_p * root_g - 2 * root_p * root_g * (p + g) / (root_p + root_g) ** 2
    yield let(root_p, sqrt(p))
    yield let(root_g, sqrt(g))
    yield 2 * log(2) - 2 * jsd
    yield eq(-worth, by=rearranging(two_divergences))
    yield eq(integral(-brought, x), by=linearity)
    yield eq(integral(split, x), by=pointwise(algebra))
    yield le(integral(tangents, x), by=pointwise(log_tangent()))
    yield le(integral(4 * root_p * root_g, x), by=pointwise(positivity))
    yield eq(4 * overlap, by=linearity)


def overlap_of_gaussians():
    """... which for two Gaussians is soon next to nothing ..."""
    yield overlap.xreplace(opposite)
    yield eq(integral(exp(-(mu**2) / (2 * v)) * normal(x, 0, v), x), by=pointwise(algebra))
    yield eq(exp(-(mu**2) / (2 * v)), by=gaussian_integral(x))


def far_apart(most=most):
    """... as they move apart: the top is approached ..."""
    yield log(2) - 2 * exp(-(mu**2) / (2 * v))
    yield tends_to(most, mu, oo, by=limit())


def where_only_one_lives(most=most):
    """... and reached where only one of the two lives, with the density h say: of each, its half of the top."""
    yield (h * log(2 * h / (h + s)) + s * log(2 * s / (h + s))) / 2
    yield tends_to(h * most / 2, s, 0, by=limit())


def largest_criterion(most=most, ceiling=ceiling):
    """The criterion is then at its largest."""
    yield 2 * most - log(4)
    yield eq(ceiling, by=algebra)


CLAIMS = [
    Claim(
        "gan.criterion-jsd",
        "The best response is worth KL(p ‖ m) + KL(g ‖ m) − log 4: twice the Jensen-Shannon divergence, less log 4.",
        proved_by=(best_response, two_divergences, any_response),
        evidence="S Q P",
        assumes="densities p and g",
        source="Goodfellow et al. (2014) eqs. 4-6",
        mistakes={
            "one-jsd": {"criterion": jsd - log(4)},
            "log2-constant": {"criterion": 2 * jsd - log(2)},
            "jsd-without-halves": {"criterion": worth - log(4)},
            "kl-instead": {"criterion": KL(data, generator) - log(4)},
        },
        because={
            "log2-constant": "the constant of one example, not of a real and a generated one",
            "jsd-without-halves": "the mixture p + g is not divided by two, and has the mass two",
            "kl-instead": "what maximum likelihood minimises",
        },
    ),
    Claim(
        "gan.global-min",
        "The best response is worth at least -log 4, and exactly that only if g = p.",
        proved_by=(
            at_a_point,
            at_least_the_minimum,
            minimum_at_the_match,
            of_the_same_mean,
            any_statistic,
            means_are_not_enough,
        ),
        evidence="S Q P",
        assumes="densities p and g",
        kind="inequality",
        source="Goodfellow et al. (2014) theorem 1",
        mistakes={
            "min-zero": {"minimum": Integer(0)},
            "min-minus-log2": {"minimum": -log(2)},
            "equality-when-means-match": {"same_mean": -log(4)},
        },
        because={
            "min-zero": "that is the minimum of the divergence, not of the criterion",
            "equality-when-means-match": "a discriminator sees variances too, and all else that a density has",
        },
    ),
    Claim(
        "gan.jsd-bounds",
        "The Jensen-Shannon divergence lies between 0 and log 2; it is log 2 if and only if p and g share nothing.",
        proved_by=(
            never_negative,
            nothing_at_the_match,
            what_is_shared,
            below_the_top,
            what_overlaps,
            overlap_of_gaussians,
            far_apart,
            where_only_one_lives,
            largest_criterion,
        ),
        evidence="S Q P T",
        assumes="densities p and g",
        kind="inequality",
        source="Goodfellow et al. (2014); Arjovsky & Bottou (2017)",
        mistakes={
            "bound-one-nat": {"most": Integer(1), "ceiling": 2 - log(4)},
            "unbounded": {"most": 2 * mu**2 / v, "ceiling": 4 * mu**2 / v - log(4)},
            "bound-2log2": {"most": 2 * log(2), "ceiling": log(4)},
        },
        because={
            "bound-one-nat": "one bit is log 2 nats",
            "unbounded": "KL of two Gaussians 2μ apart; with it a generator far away would know where to go",
            "bound-2log2": "the sum of the two divergences, before the half",
        },
    ),
]

# A world for the witness.

WORLD = ONE_GAME | {
    middle: (ONE_GAME[data] + ONE_GAME[generator]) / 2,
    narrow: normal(x, mu, v),
    wide: normal(x, mu, v + s),
    f: x + x**2 / 3,
}
