r"""A latent of the linear VAE collapses if and only if its eigenvalue is not above the noise.

In the linear VAE with a diagonal encoder and a fixed :math:`\sigma^2`, let :math:`\lambda_1\ge\lambda_2\ge\dots` be the
eigenvalues of the covariance of the data. Up to a permutation of the latents the bound is largest where

.. math:: \lVert w_i\rVert^2=\max(\lambda_i-\sigma^2,0),\qquad
          \mathbb E\,D_{KL}\bigl(q(z_i\mid x)\,\|\,p(z_i)\bigr)=\tfrac12\log\frac{\max(\lambda_i,\sigma^2)}{\sigma^2} .

A latent with :math:`\lambda_i\le\sigma^2` has collapsed, :math:`q(z_i\mid x)=p(z_i)` for all x. The bound is not to
blame, for it is exact there: it is the likelihood that has no use for the latent. Nor is the encoder, for at the
optimum the columns of W are orthogonal, and no correlations are missed.

The data enter through their eigenvalues alone. Directions are derived in the plane.

References:
    Lucas, Tucker, Grosse & Norouzi (2019), Don't blame the ELBO! A linear VAE perspective on posterior collapse.
"""

from sympy import Integer, Max, Rational, log, pi, sqrt

from ..calculus import (
    KL,
    Density,
    E,
    algebra,
    definition,
    eq,
    gaussian_moments,
    integral,
    jensen,
    le,
    limit,
    linearity,
    log_tangent,
    normal,
    positives,
    positivity,
    reals,
    tends_to,
    theorem,
    using,
)
from ..claim import Claim
from .principal import (
    WHERE,
    data,
    decoder,
    eigenvectors_are_best,
    i,
    l_1,
    l_2,
    lam,
    latents,
    m_1,
    m_2,
    model_of_two_latents,
    on_first,
    on_second,
    r_1,
    r_2,
    rho_1,
    rho_2,
    sigma,
    x_1,
    x_2,
    y_1,
    y_2,
    z_1,
    z_2,
)

__all__ = ["CLAIMS", "WHERE", "WORLD"]

# Notation: one latent z, with the column w along an eigenvector, along which the data x have the variance lambda_i

x, z, w, e = reals("x z w e")
u, length_squared = positives("u L")
line = Density("p", [x])
variance = definition("the eigenvalue is a variance", {integral(line * x**2, x): lam(i)})
encoder = Density("q", [z_1, z_2], given=[x_1, x_2])

# Statement

length = Max(lam(i) - sigma**2, 0)  # of a column, squared
kl = log(Max(lam(i), sigma**2) / sigma**2) / 2
threshold = sigma**2


def mean_bound(rho, variance):
    """The mean log density of a Gaussian with the variance rho, for data with this one."""
    return -(log(2 * pi * rho) + variance / rho) / 2


def mean_kl(square):
    """What a latent carries whose column has this squared length."""
    rho = square + sigma**2
    return (square * lam(i) / rho**2 + sigma**2 / rho - 1 - log(sigma**2 / rho)) / 2


above, below = {lam(i): sigma**2 + e**2}, {sigma: sqrt(lam(i) + e**2)}  # the noise


def no_encoder_is_better():
    """Whatever the encoder, with or without correlations, the bound is at most the log likelihood ..."""
    joint = latents * decoder / encoder
    yield E(encoder, log(joint))
    yield le(log(E(encoder, joint)), by=jensen())
    yield eq(log(integral(latents * decoder, z_1, z_2)), by=linearity)
    widened = normal(x_1, m_1, r_1**2 + sigma**2) * normal(x_2, m_2, r_2**2 + sigma**2)
    yield eq(log(widened), by=theorem(model_of_two_latents))


def exact_encoder():
    """... which is reached, latent by latent: along orthogonal columns there are no correlations to miss."""
    posterior = normal(z, w * x / (w**2 + sigma**2), sigma**2 / (w**2 + sigma**2))
    yield E(posterior, log(normal(z, 0, 1)) + log(normal(x, w * z, sigma**2)) - log(posterior))
    yield eq(log(normal(x, 0, w**2 + sigma**2)), by=gaussian_moments)


def latent_by_latent():
    """On average over the data, columns along eigenvectors are best, and each latent is on its own."""
    yield E(data, log(on_first) + log(on_second))
    both = log(rho_1) + log(rho_2) + l_1 / rho_1 + l_2 / rho_2
    yield le(-(2 * log(2 * pi) + both) / 2, by=theorem(eigenvectors_are_best))
    yield eq(mean_bound(rho_1, l_1) + mean_bound(rho_2, l_2), by=algebra)


def tangent():
    """The logarithm is below its tangent."""
    yield log(u) / 2
    yield le((u - 1) / 2, by=log_tangent())


def above_the_noise(length=length):
    """If the eigenvalue is above the noise, the best length makes the model as wide as the data ..."""
    rho = w**2 + sigma**2
    ratio = lam(i).xreplace(above) / rho
    yield mean_bound(rho, lam(i)).xreplace(above)
    yield eq(log(ratio) / 2 - (ratio - 1) / 2 + mean_bound(lam(i), lam(i)).xreplace(above), by=algebra)
    yield le(mean_bound(lam(i), lam(i)).xreplace(above), by=using(tangent, {u: ratio}))
    yield eq(mean_bound(length + sigma**2, lam(i)).xreplace(above), by=algebra)


def below_the_noise(length=length):
    """... and if it is not, the model is too wide already, and the best length is zero."""
    rho, noise = w**2 + lam(i) + e**2, lam(i) + e**2
    ratio = noise / rho
    shut = mean_bound(noise, lam(i))
    yield mean_bound(rho, lam(i))
    yield eq(log(ratio) / 2 - (ratio - 1) / 2 - (1 - lam(i) / noise) * (1 - ratio) / 2 + shut, by=algebra)
    yield le(shut - (1 - lam(i) / noise) * (1 - ratio) / 2, by=using(tangent, {u: ratio}))
    yield le(shut, by=positivity)
    yield eq(mean_bound(length + sigma**2, lam(i)).xreplace(below), by=algebra)


def gain_of_a_short_column(threshold=threshold):
    """So much is gained by a short column for each unit of its squared length, and lost below the threshold."""
    yield (mean_bound(u + sigma**2, lam(i)) - mean_bound(sigma**2, lam(i))) / u
    yield tends_to((lam(i) - threshold) / (2 * sigma**4), u, 0, by=limit())


def carried():
    """What a latent carries, on average over the data ..."""
    rho = w**2 + sigma**2
    yield E(line, KL(normal(z, w * x / rho, sigma**2 / rho), normal(z, 0, 1)))
    yield eq(E(line, (w**2 * x**2 / rho**2 + sigma**2 / rho - 1 - log(sigma**2 / rho)) / 2), by=gaussian_moments)
    yield eq((w**2 * E(line, x**2) / rho**2 + sigma**2 / rho - 1 - log(sigma**2 / rho)) / 2, by=linearity)
    yield eq(mean_kl(w**2), by=variance)


def carried_above_the_noise(length=length, kl=kl):
    """... is this at the optimum, if its eigenvalue is above the noise ..."""
    yield mean_kl(length).xreplace(above)
    yield eq(kl.xreplace(above), by=algebra)


def carried_below_the_noise(kl=kl):
    """... and nothing below it, where the column is gone:"""
    yield mean_kl(w**2).xreplace(below)
    yield tends_to(kl.xreplace(below), w, 0, by=limit())


def collapse():
    """whatever x is, the encoder answers with the prior."""
    yield normal(z, w * x / (w**2 + sigma**2), sigma**2 / (w**2 + sigma**2))
    yield tends_to(normal(z, 0, 1), w, 0, by=limit())


CLAIMS = [
    Claim(
        "vae.posterior-collapse",
        "At the optimum of the linear VAE a column has the squared length max(λ_i − σ², 0), and its latent carries "
        "log(λ_i/σ²)/2 if that is positive: it collapses if and only if λ_i is not above σ².",
        proved_by=(
            no_encoder_is_better,
            exact_encoder,
            latent_by_latent,
            tangent,
            above_the_noise,
            below_the_noise,
            gain_of_a_short_column,
            carried,
            carried_above_the_noise,
            carried_below_the_noise,
            collapse,
        ),
        evidence="S Q T",
        assumes="a fixed σ > 0; a diagonal encoder; beyond the plane, columns along eigenvectors",
        source="Lucas et al. (2019)",
        mistakes={
            "threshold-std": {"threshold": sigma},
            "always-active": {"length": lam(i) - sigma**2, "kl": log(lam(i) / sigma**2) / 2},
            "kl-no-half": {"kl": log(Max(lam(i), sigma**2) / sigma**2)},
            "collapse-if-lambda-lt-1": {"threshold": Integer(1)},
        },
        because={
            "threshold-std": "an eigenvalue is a variance, and is compared with a standard deviation",
            "always-active": "the formula for the most probable noise, which is below the k largest eigenvalues",
            "collapse-if-lambda-lt-1": "the variance of the prior, which the latent has whether it collapses or not",
        },
    ),
]

# A world for the witness

WORLD = {
    data: normal(y_1, 0, l_1) * normal(y_2, 0, l_2),
    line: normal(x, 0, lam(i)),
    lam: 1 / i + Rational(1, 3),
    encoder: normal(z_1, x_1 / 2, 1 + x_2**2) * normal(z_2, 1 - x_2 * x_1, Rational(2, 3)),
}
