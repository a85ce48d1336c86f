r"""The logarithm lies below its tangents: Jensen's inequality, and Gibbs'.

.. math:: \log\mathbb E[w]-\mathbb E[\log w]\ \ge\ \mathbb E\bigl(\sqrt{w/\mathbb E[w]}-1\bigr)^2\ \ge\ 0,\qquad
          D_{KL}(p\,\|\,q)\ \ge\ \int\bigl(\sqrt p-\sqrt q\bigr)^2dz\ \ge\ 0 .

Both come from one line, :math:`\log u\le u-1`, read at :math:`\sqrt u`; and both keep a square, which says when they
are equalities: if w is constant, and if p = q, almost everywhere and never else. A positive w is written as
:math:`e^{f(z)}`, with any real f.

The divergence is positive on average only. Where q is larger than p, the logarithm of p/q is negative; what holds at
every point is :math:`\log(p/q)\ge1-q/p`, and it is because both integrate to one that the right-hand side averages to
zero. If q has the mass c, the divergence can be as small as :math:`-\log c`.

References:
    Jensen (1906); Gibbs (1902), Elementary principles in statistical mechanics, chapter XI.
"""

from sympy import Integer, Rational, exp, log, sqrt

from ..calculus import (
    KL,
    Density,
    E,
    RealFunction,
    algebra,
    eq,
    gaussian_integral,
    gaussian_moments,
    ge,
    gt,
    integral,
    le,
    let,
    linearity,
    log_tangent,
    normal,
    normalised,
    pointwise,
    positives,
    positivity,
    reals,
    theorem,
    using,
)
from ..claim import Claim

# Notation

z, mu, constant = reals(r"z \mu k")
m, c, sigma, a, b, r = positives(r"m c \sigma a b r")
p, q = Density("p", [z]), Density("q", [z])
f = RealFunction("f", [z])  # w = e^f

# Statement

lower, upper = E(q, f), log(E(q, exp(f)))  # of log w, and of w
lognormal_gap = sigma**2 / 2

least = -log(c)  # of KL(p, c q)
everywhere = 1 - q / p
same_means = (a / b - 1 - log(a / b)) / 2


def mean_of_a_logarithm():
    """Twice the tangent at the root: a mean of logarithms, and how far it is below the logarithm of the mean ..."""
    yield let(m, E(q, exp(f)))
    yield E(q, log(exp(f) / m))
    yield eq(E(q, 2 * log(sqrt(exp(f) / m))), by=algebra)
    yield le(E(q, 2 * (sqrt(exp(f) / m) - 1)), by=pointwise(log_tangent()))
    # The mean of exp(f)/m is one: what is left is a square.
    yield eq(-E(q, (sqrt(exp(f) / m) - 1) ** 2), by=linearity)


def jensen(lower=lower, upper=upper):
    """... at least by the mean of a square, which vanishes if w is constant, and for no other w."""
    yield let(m, E(q, exp(f)))
    yield lower
    yield eq(log(m) + E(q, log(exp(f) / m)), by=linearity)
    yield le(log(m) - E(q, (sqrt(exp(f) / m) - 1) ** 2), by=using(mean_of_a_logarithm))
    yield le(log(m), by=positivity)
    yield eq(upper, by=algebra)


def of_a_constant():
    """Equality: a constant has no spread."""
    yield log(E(q, exp(constant)))
    yield eq(constant, by=linearity)


def of_a_lognormal(gap=lognormal_gap):
    """Strictness: a lognormal w = exp(mu + sigma z), whose gap is half the variance of log w ..."""
    noise = normal(z, 0, 1)
    yield log(E(noise, exp(mu + sigma * z))) - E(noise, mu + sigma * z)
    yield eq(log(E(noise, exp(mu + sigma * z))) - mu, by=gaussian_moments)
    yield eq(gap, by=gaussian_integral(z))


def lognormal_is_strict():
    """... and positive."""
    yield lognormal_gap
    yield gt(0, by=positivity)


def mean_log_ratio():
    """The same for the ratio of two densities, whose mean is one ..."""
    yield E(p, log(q / p))
    yield eq(E(p, 2 * log(sqrt(q / p))), by=algebra)
    yield le(E(p, 2 * (sqrt(q / p) - 1)), by=pointwise(log_tangent()))
    yield eq(-integral((sqrt(p) - sqrt(q)) ** 2, z), by=normalised(p, q))


def distance_between_roots():
    """... makes divergences positive: by how much the roots of the densities differ, at least ..."""
    yield KL(p, q)
    yield ge(integral((sqrt(p) - sqrt(q)) ** 2, z), by=using(mean_log_ratio))


def gibbs():
    """... and that is a square, which vanishes if p = q, and for no other q."""
    yield KL(p, q)
    yield ge(integral((sqrt(p) - sqrt(q)) ** 2, z), by=theorem(distance_between_roots))
    yield ge(0, by=positivity)


def from_itself():
    """Equality: a density does not diverge from itself."""
    yield KL(p, p)
    yield eq(0, by=linearity)


def unnormalised(least=least):
    """The mass of q counts: with the mass c, this is all that can be said ..."""
    yield E(p, log(p) - log(c * q))
    yield eq(KL(p, q) - log(c), by=linearity)
    yield ge(-log(c), by=using(gibbs))
    yield eq(least, by=algebra)


def least_is_attained(least=least):
    """... and it is attained, below zero if c > 1."""
    yield E(p, log(p) - log(c * p))
    yield eq(least, by=linearity)


def at_a_point(everywhere=everywhere):
    """At a single point the logarithm has either sign: it is above this ..."""
    yield log(q / p)
    yield le(q / p - 1, by=log_tangent())
    yield eq(-everywhere, by=algebra)


def on_average(everywhere=everywhere):
    """... whose mean is nothing."""
    yield E(p, everywhere)
    yield eq(0, by=normalised(p, q))


def equal_means(same_means=same_means):
    """Strictness: to agree in the mean is not enough ..."""
    yield KL(normal(z, r, a), normal(z, r, b))
    yield eq(same_means, by=gaussian_moments)


def equal_means_are_not_enough():
    """... as long as the variances differ."""
    yield -same_means
    yield eq((2 * log(sqrt(a / b)) + 1 - a / b) / 2, by=algebra)
    yield le((2 * (sqrt(a / b) - 1) + 1 - a / b) / 2, by=log_tangent())
    yield eq(-((sqrt(a / b) - 1) ** 2) / 2, by=algebra)


# A world for the witness: two clusters, a Gaussian, and a function that bends down.

WORLD = {
    p: Rational(3, 10) * normal(z, -1, Rational(1, 2)) + Rational(7, 10) * normal(z, Rational(3, 2), Rational(4, 5)),
    q: normal(z, Rational(1, 3), Rational(6, 5)),
    f: z / 2 - z**2 / 5 + Rational(1, 4),
}

CLAIMS = [
    Claim(
        "elbo.jensen",
        "The logarithm of a mean is at least the mean of the logarithm: equal for constants alone, σ²/2 more for "
        "lognormals.",
        proved_by=(mean_of_a_logarithm, jensen, of_a_constant, of_a_lognormal, lognormal_is_strict),
        evidence="S Q P M",
        kind="inequality",
        assumes="w > 0 of finite mean",
        source="the note",
        mistakes={
            "reversed": {"lower": upper, "upper": lower},
            "gap-sigma": {"gap": sigma / 2},
            "gap-no-half": {"gap": sigma**2},
        },
        because={"reversed": "that is Jensen's inequality for convex functions, and the logarithm is concave"},
    ),
    Claim(
        "elbo.kl-nonneg",
        "A divergence of densities is at least 0, and 0 only if they are equal; at a point log p/q has either sign.",
        proved_by=(
            mean_log_ratio,
            distance_between_roots,
            gibbs,
            from_itself,
            unnormalised,
            least_is_attained,
            at_a_point,
            on_average,
            equal_means,
            equal_means_are_not_enough,
        ),
        evidence="S Q P",
        kind="inequality",
        assumes="two densities, the second positive where the first is",
        source="Gibbs (1902)",
        mistakes={
            "unnormalised-q": {"least": Integer(0)},
            "pointwise": {"everywhere": Integer(0)},
            "zero-if-means-equal": {"same_means": Integer(0)},
        },
        because={
            "unnormalised-q": "from twice a density, anything diverges by log 2 less than from the density",
            "pointwise": "the sign of a mean is taken for the sign of what is averaged",
            "zero-if-means-equal": "true as long as only the means can differ",
        },
    ),
]
