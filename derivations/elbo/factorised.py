r"""A factorised Gaussian next to a correlated one: too narrow by one divergence, as broad as it by the other.

Let p be :math:`\mathcal N(0,\Sigma)` and :math:`\Lambda=\Sigma^{-1}`. Among Gaussians with independent coordinates,

.. math:: D_{KL}(q\,\|\,p)\ \text{is least for the variances}\ \frac1{\Lambda_{ii}}\le\Sigma_{ii},\qquad
          D_{KL}(p\,\|\,q)\ \text{for}\ \Sigma_{ii},

both around the mean of p. The first are the variances of each coordinate *given the others*: variational inference with
independent coordinates is too sure of itself. With two coordinates of correlation :math:`\rho`, whatever their
variances, both miss by :math:`-\tfrac12\log(1-\rho^2)`: all that one coordinate says of the other.

The pairs are those of the page ``gaussian``: y has the variance u, and z = g y + noise of variance w. In d dimensions
nothing else happens, for the divergences are sums over coordinates of one function of one variance each.

References:
    Bishop (2006), Pattern recognition and machine learning.
"""

from sympy import log, sqrt, sympify

from ..calculus import KL, algebra, eq, le, let, log_tangent, positives, positivity, reals, theorem
from ..claim import Claim
from .gaussian import (
    covariance,
    divergence_of_pairs,
    first,
    g_1,
    g_2,
    inverse,
    m_1,
    m_2,
    n_1,
    n_2,
    of_pairs,
    second,
    u_1,
    u_2,
    w_1,
    w_2,
)

# Notation

a_1, a_2, g, rho = reals(r"a_1 a_2 g \rho")
b_1, b_2, u, w, precision, variance = positives(r"b_1 b_2 u w \Lambda_{ii} \Sigma_{ii}")
precision_1, precision_2, variance_1, variance_2 = positives(r"\Lambda_{11} \Lambda_{22} \Sigma_{11} \Sigma_{22}")
target = (0, 0, u, g, w)
of_y, of_z = {precision: precision_1, variance: variance_1}, {precision: precision_2, variance: variance_2}


def factorised(variance_of_y, variance_of_z, mean_of_y=0, mean_of_z=0):
    return mean_of_y, mean_of_z, variance_of_y, 0, variance_of_z


def between(p, q):
    """The letters of two laws in the plane, for the theorem about them."""
    return dict(zip((m_1, n_1, u_1, g_1, w_1, m_2, n_2, u_2, g_2, w_2), map(sympify, (*p, *q)), strict=True))


# Statement

narrow = 1 / precision
broad = variance
residual = -log(1 - rho**2) / 2


def precisions_and_variances():
    """Both matrices have these entries on their diagonals."""
    matrix = covariance(u, g, w)
    yield let(precision_1, inverse(matrix)[0, 0])
    yield let(precision_2, inverse(matrix)[1, 1])
    yield let(variance_1, matrix[0, 0])
    yield let(variance_2, matrix[1, 1])


def two_divergences(chosen, other):
    """Their difference, each by the theorem on pairs."""
    law = KL(first, second)
    yield law.xreplace(chosen) - law.xreplace(other)
    yield eq(of_pairs.xreplace(chosen) - law.xreplace(other), by=theorem(divergence_of_pairs, chosen))
    yield eq(of_pairs.xreplace(chosen) - of_pairs.xreplace(other), by=theorem(divergence_of_pairs, other))


def best_by_reverse_divergence(narrow=narrow):
    """By D(q ‖ p), no factorised Gaussian is better than the one with these variances ..."""
    yield from precisions_and_variances()
    chosen = factorised(narrow.xreplace(of_y), narrow.xreplace(of_z))
    yield from two_divergences(between(chosen, target), between(factorised(b_1, b_2, a_1, a_2), target))
    s_1, s_2, off = precision_1 * b_1, precision_2 * b_2, a_1**2 / u + (a_2 - g * a_1) ** 2 / w
    yield eq((log(s_1) - s_1 + 1 + log(s_2) - s_2 + 1 - off) / 2, by=algebra)
    yield le(-off / 2, by=log_tangent())
    yield le(0, by=positivity)


def best_by_forward_divergence(broad=broad):
    """... and by D(p ‖ q), than the one with the variances of p."""
    yield from precisions_and_variances()
    chosen = factorised(broad.xreplace(of_y), broad.xreplace(of_z))
    yield from two_divergences(between(target, chosen), between(target, factorised(b_1, b_2, a_1, a_2)))
    s_1, s_2, off = variance_1 / b_1, variance_2 / b_2, a_1**2 / b_1 + a_2**2 / b_2
    yield eq((log(s_1) - s_1 + 1 + log(s_2) - s_2 + 1 - off) / 2, by=algebra)
    yield le(-off / 2, by=log_tangent())
    yield le(0, by=positivity)


def too_sure_of_y(narrow=narrow, broad=broad):
    """The first are smaller, by what one coordinate says of the other: of y ..."""
    yield from precisions_and_variances()
    yield narrow.xreplace(of_y) - broad.xreplace(of_y)
    yield eq(-((g * u) ** 2) / (g**2 * u + w), by=algebra)
    yield le(0, by=positivity)


def too_sure_of_z(narrow=narrow, broad=broad):
    """... and of z."""
    yield from precisions_and_variances()
    yield narrow.xreplace(of_z) - broad.xreplace(of_z)
    yield eq(-(g**2) * u, by=algebra)
    yield le(0, by=positivity)


def what_remains_in_reverse(residual=residual):
    """What no factorised Gaussian can remove, in one direction ..."""
    at = between(factorised(1 / precision_1, 1 / precision_2), target)
    yield from precisions_and_variances()
    yield let(rho, g * sqrt(u) / sqrt(g**2 * u + w))
    yield KL(first, second).xreplace(at)
    yield eq(of_pairs.xreplace(at), by=theorem(divergence_of_pairs, at))
    yield eq(residual, by=algebra)


def what_remains_forwards(residual=residual):
    """... and in the other."""
    at = between(target, factorised(variance_1, variance_2))
    yield from precisions_and_variances()
    yield let(rho, g * sqrt(u) / sqrt(g**2 * u + w))
    yield KL(first, second).xreplace(at)
    yield eq(of_pairs.xreplace(at), by=theorem(divergence_of_pairs, at))
    yield eq(residual, by=algebra)


CLAIMS = [
    Claim(
        "elbo.meanfield-gaussian",
        "The factorised Gaussian nearest to N(0, Σ) has the variances 1/Λ_ii by D(q ‖ p), too small, and Σ_ii by "
        "D(p ‖ q).",
        proved_by=(
            best_by_reverse_divergence,
            best_by_forward_divergence,
            too_sure_of_y,
            too_sure_of_z,
            what_remains_in_reverse,
            what_remains_forwards,
        ),
        evidence="S Q P",
        assumes="Σ symmetric and positive definite; the residual for d = 2 and the correlation ρ",
        source="Bishop (2006)",
        tier="extended",
        mistakes={
            "marginal-variance": {"narrow": variance},
            "swapped-directions": {"narrow": variance, "broad": 1 / precision},
            "no-half": {"residual": -log(1 - rho**2)},
            "rho-not-squared": {"residual": -log(1 - rho) / 2},
        },
        because={"marginal-variance": "q is thought to match the marginals of p, which the other direction does"},
    ),
]
