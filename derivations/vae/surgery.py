r"""The KL term of the bound is what the code says of the data, and how far the codes of all data are from the prior.

.. math:: \mathbb E_{p(x)}D_{KL}\bigl(q(z\mid x)\,\|\,p(z)\bigr)=I_q(x;z)+D_{KL}\bigl(\bar q(z)\,\|\,p(z)\bigr),\qquad
          \bar q(z)=\mathbb E_{p(x)}q(z\mid x),

where :math:`I_q` is the mutual information of x and z under :math:`p(x)q(z\mid x)`. To draw from the prior only the
second part has to be small. The first is what the code carries: a KL term of zero is a code that says nothing.

In the linear VAE at its optimum, for Gaussian data, the second part vanishes and nothing of the first does:

.. math:: \bar q=\mathcal N(0,I),\qquad
          I_q=\tfrac12\sum_{i\le k}\log\frac{\max(\lambda_i,\sigma^2)}{\sigma^2} .

References:
    Hoffman & Johnson (2016), ELBO surgery: yet another way to carve up the variational evidence lower bound.
"""

from sympy import Integer, Rational, Sum, log, sqrt, sympify

from ..calculus import (
    KL,
    Density,
    E,
    definition,
    eq,
    gaussian_integral,
    gaussian_moments,
    ge,
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
    theorem,
    tower,
    using,
)
from ..claim import Claim
from .collapse import kl
from .principal import i, k, lam, sigma

# Notation: data, prior and encoder; the codes of all data, and where a code comes from

x, z = reals("x z")
data, prior, encoder = Density("p", [x]), Density(r"\pi", [z]), Density("q", [z], given=[x])
aggregate, origin = Density(r"\bar{q}", [z]), Density("r", [x], given=[z])
bayes = definition("Bayes' rule", {origin: data * encoder / aggregate})

# Statement

information = E(data, KL(encoder, aggregate))
gap = KL(aggregate, prior)
aggregate_at_optimum = normal(z, 0, 1)
at_optimum = Sum(kl, (i, 1, k))

# Two latents at the optimum: the first is e^2 above the noise, and the second is f^2 below it, or as much as it

x_1, z_1, z_2, e, f = reals("x_1 z_1 z_2 e f")
l_1, l_2 = positives(r"\lambda_1 \lambda_2")


def of_two(formula):
    """A formula for k latents, for two."""
    return sympify(formula).xreplace({k: 2}).doit().xreplace({lam(1): l_1, lam(2): l_2})


def codes_of_all_data():
    """Averaged over the data, the law of a code is that of the codes of all data."""
    yield E(data, encoder)
    yield eq(integral(origin * aggregate, x), by=bayes)
    yield eq(aggregate, by=normalised(origin))


def mutual_information(information=information):
    """The mutual information is how far the code of one x is from the codes of all, on average."""
    yield E(data, E(encoder, log(data * encoder) - log(data * aggregate)))
    yield eq(information, by=linearity)


def surgery(information=information, gap=gap):
    """The codes of all data lie between the code of one and the prior."""
    yield E(data, KL(encoder, prior))
    said = E(data, KL(encoder, aggregate))
    yield eq(said + E(data, E(encoder, log(aggregate / prior))), by=linearity)
    yield eq(said + E(aggregate, log(aggregate / prior)), by=tower(data, encoder, bayes, aggregate, origin))
    yield eq(information + gap, by=linearity)


def code_of_nothing():
    """Neither part is negative, so that a KL term of zero is no information."""
    yield -information
    yield eq(E(data, E(encoder, log(aggregate / encoder))), by=linearity)
    yield le(E(data, E(encoder, aggregate / encoder - 1)), by=pointwise(pointwise(log_tangent())))
    yield eq(E(data, E(encoder, aggregate / encoder)) - 1, by=linearity)
    yield eq(0, by=normalised(aggregate, data))


def prior_sees_less(gap=gap):
    """So the codes of all data are no further from the prior than the KL term says."""
    yield E(data, KL(encoder, prior))
    yield eq(information + KL(aggregate, prior), by=theorem(surgery))
    yield ge(gap, by=using(code_of_nothing))


def codes_of_gaussian_data(aggregate_at_optimum=aggregate_at_optimum):
    """At the optimum of the linear VAE they are not apart at all: all data together look like the prior ..."""
    wide = sigma**2 + e**2
    yield integral(normal(x, 0, wide) * normal(z, e * x / wide, sigma**2 / wide), x)
    yield eq(aggregate_at_optimum, by=gaussian_integral(x))


def information_of_gaussian_data(at_optimum=at_optimum):
    """... and the whole of the KL term is information, in the latents that have not collapsed."""
    yield let(sigma, sqrt(l_2 + f**2))
    yield let(l_1, sigma**2 + e**2)
    active = KL(normal(z_1, e * x_1 / l_1, sigma**2 / l_1), normal(z_1, 0, 1))
    collapsed = KL(normal(z_2, 0, 1), normal(z_2, 0, 1))
    yield E(normal(x_1, 0, l_1), active) + collapsed
    yield eq(of_two(at_optimum), by=gaussian_moments)


CLAIMS = [
    Claim(
        "vae.elbo-surgery",
        "The KL term of the bound, averaged over data, is the mutual information of data and code plus the divergence "
        "of the aggregate posterior from the prior; at the optimum of the linear VAE it is all information.",
        proved_by=(
            codes_of_all_data,
            mutual_information,
            surgery,
            code_of_nothing,
            prior_sees_less,
            codes_of_gaussian_data,
            information_of_gaussian_data,
        ),
        evidence="S Q P",
        assumes="at the optimum, Gaussian data and a fixed sigma > 0",
        source="Hoffman & Johnson (2016)",
        tier="extended",
        mistakes={
            "no-mi": {"information": Integer(0)},
            "minus-mi": {"information": -information},
            "kl-swapped": {"gap": KL(prior, aggregate)},
            "zero-at-optimum": {"at_optimum": Integer(0)},
        },
        because={
            "no-mi": "a code is thought to be at its best when it cannot be told from the prior",
            "minus-mi": "what the code carries is subtracted, as if it were a reward",
            "kl-swapped": "what it costs to explain draws from the prior by the codes of all data",
            "zero-at-optimum": "the second part vanishes there, and is taken for the whole",
        },
    ),
]

# A world for the witness: two clusters, and an encoder that is off

clusters = Rational(1, 3) * normal(x, -1, 1) + Rational(2, 3) * normal(x, Rational(3, 2), Rational(1, 2))
coded, wide = normal(z, x / 2, Rational(3, 4)), normal(z, Rational(-1, 2), 1)
narrow = normal(z, Rational(3, 4), Rational(7, 8))
WORLD = {
    data: clusters,
    prior: normal(z, Rational(1, 5), 2),
    encoder: coded,
    aggregate: wide / 3 + 2 * narrow / 3,
    origin: clusters * coded / aggregate,
}
