r"""Where all densities are Gaussian, divergences and the bound are arithmetic.

.. math:: D_{KL}\bigl(\mathcal N(\mu_1,\Sigma_1)\,\|\,\mathcal N(\mu_2,\Sigma_2)\bigr)=\tfrac12\Bigl[
          \operatorname{tr}(\Sigma_2^{-1}\Sigma_1)+(\mu_2-\mu_1)^\top\Sigma_2^{-1}(\mu_2-\mu_1)-d
          +\log\frac{|\Sigma_2|}{|\Sigma_1|}\Bigr].

It is not symmetric: of two Gaussians with one mean, the narrow one is closer to the wide one than the wide one to the
narrow one. For the model :math:`z\sim\mathcal N(\mu_0,\tau^2)`, :math:`x\mid z\sim\mathcal N(z,\sigma^2)` and
:math:`q=\mathcal N(a,b)` the bound is

.. math:: \mathcal L(a,b)=-\tfrac12\log(2\pi\sigma^2)-\frac{(x-a)^2+b}{2\sigma^2}
          -\tfrac12\Bigl[\frac{b+(a-\mu_0)^2}{\tau^2}-1-\log\frac b{\tau^2}\Bigr],

a parabola in the mean of q, of curvature :math:`-(\sigma^{-2}+\tau^{-2})`. It is largest at the posterior, where it
is the evidence :math:`\log\mathcal N(x;\mu_0,\sigma^2+\tau^2)`.

Vectors here have two coordinates, y and z. Every covariance matrix is that of some y of variance u and z = g y + noise
of variance w, which is how densities are written below. In d dimensions neither side depends on the axes; there are
some in which one covariance is the identity and the other diagonal, coordinates are independent, and divergences add
up.

References:
    Kingma & Welling (2013), Auto-encoding variational Bayes, for a diagonal Gaussian and N(0, 1).
"""

from sympy import Integer, Matrix, exp, factor, log, pi, sqrt

from ..calculus import (
    KL,
    E,
    algebra,
    d,
    differentiation,
    eq,
    gaussian_moments,
    le,
    let,
    linearity,
    log_tangent,
    naturals,
    normal,
    pointwise,
    positives,
    positivity,
    reals,
    theorem,
)
from ..claim import Claim

# Notation: two Gaussians in the plane

y, z, m, n, m_1, m_2, n_1, n_2, g_1, g_2, c_1, c_2 = reals("y z m n m_1 m_2 n_1 n_2 g_1 g_2 c_1 c_2")
u_1, u_2, w_1, w_2 = positives("u_1 u_2 w_1 w_2")

# T = tr(S_2^-1 S_1); R and R_1 measure (mu_2 - mu_1) by S_2^-1 and by S_1^-1; D_1 and D_2 are determinants.

dim = naturals("d")
trace, det_1, det_2 = positives("T D_1 D_2")
square, square_1 = reals("R R_1")
more, trace_more, det_1_more, det_2_more = naturals("d'"), *positives("T' D_3 D_4")
square_more = reals("R'")
sigma_p, sigma_q = positives(r"\sigma_p \sigma_q")


def pair(m, n, u, g, w):
    """The density of (y, z)."""
    return normal(y, m, u) * normal(z, n + g * (y - m), w)


def covariance(u, g, w):
    """Its covariance matrix."""
    return Matrix([[u, g * u], [g * u, g**2 * u + w]])


def inverse(matrix):
    return matrix.inv().applyfunc(factor)


first, second = pair(m_1, n_1, u_1, g_1, w_1), pair(m_2, n_2, u_2, g_2, w_2)
covariance_1, covariance_2 = covariance(u_1, g_1, w_1), covariance(u_2, g_2, w_2)
of_pairs = (
    (u_1 + (m_2 - m_1) ** 2) / u_2
    + (w_1 + (n_2 - n_1 - g_2 * (m_2 - m_1)) ** 2 + (g_1 - g_2) ** 2 * u_1) / w_2
    - 2
    + log(u_2 / u_1)
    + log(w_2 / w_1)
) / 2
apart = Matrix([m, n])
in_the_plane = {
    m: m_2 - m_1,
    n: n_2 - n_1,
    dim: 2,
    trace: (inverse(covariance_2) * covariance_1).trace(),
    square: (apart.T * inverse(covariance_2) * apart)[0],
    square_1: (apart.T * inverse(covariance_1) * apart)[0],
    det_1: factor(covariance_1.det()),
    det_2: factor(covariance_2.det()),
}
on_the_line = {
    dim: 1,
    trace: u_1 / u_2,
    square: (m_2 - m_1) ** 2 / u_2,
    square_1: (m_2 - m_1) ** 2 / u_1,
    det_1: u_1,
    det_2: u_2,
}

# Notation: the model, and its bound

x, a, mu_0 = reals(r"x a \mu_0")
tau, sigma, b, v = positives(r"\tau \sigma b v")
prior, likelihood, q = normal(z, mu_0, tau**2), normal(x, z, sigma**2), normal(z, a, b)

# Statement

divergence = (trace + square - dim + log(det_2 / det_1)) / 2
asymmetry = 2 * log(sigma_q / sigma_p) + sigma_p**2 / (2 * sigma_q**2) - sigma_q**2 / (2 * sigma_p**2)

reconstruction = -log(2 * pi * sigma**2) / 2 - ((x - a) ** 2 + b) / (2 * sigma**2)
bound = reconstruction - ((b + (a - mu_0) ** 2) / tau**2 - 1 - log(b / tau**2)) / 2
best_variance = 1 / (1 / tau**2 + 1 / sigma**2)
best_mean = best_variance * (mu_0 / tau**2 + x / sigma**2)
evidence = log(normal(x, mu_0, sigma**2 + tau**2))
curvature = -(1 / sigma**2 + 1 / tau**2)


# Divergences


def vector_as_a_chain():
    """In the plane, a density with its matrix is that of y times that of z given y."""
    away = Matrix([y - m_1, z - n_1])
    square_of_it = (away.T * inverse(covariance_1) * away)[0]
    yield exp(-square_of_it / 2) / sqrt((2 * pi) ** 2 * u_1 * w_1)
    yield eq(first, by=algebra)


def divergence_on_the_line(divergence=divergence):
    """Of two numbers."""
    for letter, meaning in on_the_line.items():
        yield let(letter, meaning)
    yield KL(normal(y, m_1, u_1), normal(y, m_2, u_2))
    yield eq((u_1 / u_2 + (m_2 - m_1) ** 2 / u_2 - 1 + log(u_2 / u_1)) / 2, by=gaussian_moments)
    yield eq(divergence, by=algebra)


def divergence_of_pairs():
    """Of two vectors: y, and z given y, whose means c_1 and c_2 go with y in two ways."""
    yield let(c_1, n_1 + g_1 * (y - m_1))
    yield let(c_2, n_2 + g_2 * (y - m_2))
    y_1, y_2 = normal(y, m_1, u_1), normal(y, m_2, u_2)
    z_1, z_2 = normal(z, c_1, w_1), normal(z, c_2, w_2)
    yield KL(y_1 * z_1, y_2 * z_2)
    yield eq(E(y_1 * z_1, log(y_1 * z_1) - log(y_2 * z_2)), by=linearity)
    squares = (y - m_2) ** 2 / u_2 - (y - m_1) ** 2 / u_1 + (z - c_2) ** 2 / w_2 - (z - c_1) ** 2 / w_1
    yield eq(E(y_1 * z_1, (squares + log(u_2 * w_2 / (u_1 * w_1))) / 2), by=pointwise(algebra))
    yield eq(of_pairs, by=gaussian_moments)


def divergence_in_the_plane(divergence=divergence):
    """In terms of the matrices."""
    for letter, meaning in in_the_plane.items():
        yield let(letter, meaning)
    yield KL(first, second)
    yield eq(of_pairs, by=theorem(divergence_of_pairs))
    yield eq(divergence, by=algebra)


def divergences_add_up(divergence=divergence):
    """Traces, squares and dimensions add, determinants multiply: so do divergences of what is independent."""
    further = {
        dim: more,
        trace: trace_more,
        square: square_more,
        det_1: det_1_more,
        det_2: det_2_more,
    }
    joined = {
        letter: letter * other if letter in (det_1, det_2) else letter + other for letter, other in further.items()
    }
    yield divergence + divergence.xreplace(further)
    yield eq(divergence.xreplace(joined), by=algebra)


def two_directions(asymmetry=asymmetry):
    """Each divergence has the ratio of variances once, and its logarithm; the logarithms do not cancel."""
    p, other = normal(z, 0, sigma_p**2), normal(z, 0, sigma_q**2)
    yield KL(p, other) - KL(other, p)
    yield eq(asymmetry, by=gaussian_moments)


def of_one_law(asymmetry=asymmetry):
    """There is no difference if the two are one ..."""
    yield asymmetry.xreplace({sigma_q: sigma_p})
    yield eq(0, by=algebra)


def narrow_and_wide(asymmetry=asymmetry):
    """... and as q widens, it falls: the narrow one is closer to the wide one than the wide one to it."""
    yield d(sigma_q, asymmetry)
    yield eq(-((sigma_p**2 - sigma_q**2) ** 2) / (sigma_p**2 * sigma_q**3), by=differentiation)
    yield le(0, by=positivity)


# The bound of a Gaussian model


def bound_of_the_model(bound=bound):
    """The bound is an average of squares."""
    yield E(q, log(likelihood) + log(prior) - log(q))
    yield eq(bound, by=gaussian_moments)


def gap_of_the_model(bound=bound, mean=best_mean, variance=best_variance, evidence=evidence):
    """It stays below the evidence by a divergence, that of q from the posterior ..."""
    yield let(m, mean)
    yield let(v, variance)
    yield bound - evidence
    yield eq((log(b / v) - b / v + 1 - (a - m) ** 2 / v) / 2, by=algebra)
    yield le(-((a - m) ** 2) / (2 * v), by=log_tangent())
    yield le(0, by=positivity)


def bound_at_the_posterior(bound=bound, mean=best_mean, variance=best_variance, evidence=evidence):
    """... and there it reaches it."""
    yield bound.xreplace({a: mean, b: variance})
    yield eq(evidence, by=algebra)


def curvature_of_the_model(bound=bound, curvature=curvature):
    """In the mean of q it is a parabola."""
    yield d(a, d(a, bound))
    yield eq(curvature, by=differentiation)


CLAIMS = [
    Claim(
        "elbo.kl-gaussian",
        "The divergence of two Gaussians, from a trace, a squared distance of the means and two determinants.",
        proved_by=(
            vector_as_a_chain,
            divergence_on_the_line,
            divergence_of_pairs,
            divergence_in_the_plane,
            divergences_add_up,
        ),
        evidence="S Q M P",
        assumes="positive definite covariances of determinants D_1 and D_2, in d dimensions; T is the trace of "
        "Σ_2⁻¹Σ_1, and R is μ_2 − μ_1 squared by Σ_2⁻¹",
        source="Kingma & Welling (2013), for a special case",
        mistakes={
            "logdet-flipped": {"divergence": (trace + square - dim + log(det_1 / det_2)) / 2},
            "missing-half": {"divergence": 2 * divergence},
            "no-minus-d": {"divergence": divergence + dim / 2},
            "precision-of-first": {"divergence": divergence.xreplace({square: square_1})},
            "log-std": {"divergence": (trace + square - dim + log(det_2 / det_1) / 2) / 2},
        },
        because={
            "precision-of-first": "the distance of the means is measured in units of the law that is averaged over",
            "log-std": "a standard deviation is put where the variance belongs",
        },
    ),
    Claim(
        "elbo.kl-asymmetry",
        "D(p ‖ q) is not D(q ‖ p): of two Gaussians with one mean, the narrow one is closer to the wide one.",
        proved_by=(two_directions, of_one_law, narrow_and_wide),
        evidence="S Q P",
        assumes="p = N(0, σ_p²) and q = N(0, σ_q²)",
        mistakes={
            "symmetric": {"asymmetry": Integer(0)},
            "log-coefficient-one": {"asymmetry": asymmetry - log(sigma_q / sigma_p)},
            "sign": {"asymmetry": -asymmetry},
        },
        because={
            "symmetric": "it is called a distance",
            "log-coefficient-one": "the logarithms of the two directions add up, and one is forgotten",
        },
    ),
    Claim(
        "elbo.gaussian-model",
        "For a Gaussian model the bound is a parabola in the mean of q; it is largest at the posterior, where it is "
        "the evidence.",
        proved_by=(bound_of_the_model, gap_of_the_model, bound_at_the_posterior, curvature_of_the_model),
        evidence="S Q M P",
        assumes="z ~ N(μ_0, τ²), x given z ~ N(z, σ²), q = N(a, b)",
        mistakes={
            "no-b-in-recon": {"bound": bound + b / (2 * sigma**2)},
            "plus-log-b-sign": {"bound": bound - log(b / tau**2)},
            "map-variance": {"variance": sigma**2},
            "half-dropped": {"bound": reconstruction - ((b + (a - mu_0) ** 2) / tau**2 - 1 - log(b / tau**2))},
        },
        because={
            "no-b-in-recon": "z is replaced by its mean where x is reconstructed",
            "map-variance": "the noise of x is taken for what is not known of z, as if there were no prior",
        },
    ),
]
