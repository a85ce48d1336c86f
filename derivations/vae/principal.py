r"""The most probable linear model keeps the largest eigenvalues of the data; its noise is the mean of the rest.

Let :math:`\lambda_1\ge\dots\ge\lambda_d` be the eigenvalues of the covariance of a sample (with divisor N, about its
mean) and :math:`u_i` the eigenvectors. The likelihood of :math:`\mathcal N(\mu,WW^\top+\sigma^2I)`, where W has
:math:`k<d` columns, is largest about the mean, for

.. math:: W=\Bigl(\sqrt{\lambda_1-\sigma^2}\,u_1,\ \dots,\ \sqrt{\lambda_k-\sigma^2}\,u_k\Bigr)R,\qquad
          \sigma^2=\frac1{d-k}\sum_{j>k}\lambda_j

with any rotation R of the latents. The average log density of the sample is then

.. math:: -\tfrac12\Bigl[d\log2\pi+\sum_{j\le k}\log\lambda_j+(d-k)\log\sigma^2+d\Bigr].

Turning the latents makes the columns orthogonal. That they lie along eigenvectors, the longest along the largest, is
derived in the plane; in d dimensions it is von Neumann's inequality for traces, and checked in numbers. Along
eigenvectors the argument is the same for any number of columns: to exchange the larger of two eigenvalues for the
smaller, in a column or in the noise, gains nothing, so that the columns have the k largest.

References:
    Tipping & Bishop (1999), Probabilistic principal component analysis.
"""

from sympy import Integer, Rational, Sum, log, pi, sqrt, sympify

from ..calculus import (
    Density,
    E,
    RealFunction,
    algebra,
    definition,
    eq,
    gaussian_integral,
    integral,
    le,
    let,
    linearity,
    log_tangent,
    lt,
    naturals,
    normal,
    pointwise,
    positives,
    positivity,
    reals,
    theorem,
    units,
    using,
)
from ..claim import Claim

# Notation: d pixels, k latents, and n eigenvalues that are left out

i, j, d, k, n = naturals("i j d k n")
sigma, s, v = positives(r"\sigma s v")
lam, r = Density(r"\lambda", at=[j]), RealFunction("r", at=[j])
rho = r**2 + s  # the variance of the model along column j

# The plane: y along the eigenvectors of the data, x along the columns of W, which are turned by an angle with sin^2 = p

y_1, y_2, x_1, x_2, z_1, z_2, m_1, m_2, r_1, r_2 = reals("y_1 y_2 x_1 x_2 z_1 z_2 m_1 m_2 r_1 r_2")
a, b, m, e, f = reals("a b m e f")
l_1, l_2, rho_1, rho_2, g, h = positives(r"\lambda_1 \lambda_2 \rho_1 \rho_2 g h")
p = units("p")
along = {x_1: sqrt(1 - p) * y_1 + sqrt(p) * y_2, x_2: sqrt(1 - p) * y_2 - sqrt(p) * y_1}
turned_1, turned_2 = (1 - p) * l_1 + p * l_2, p * l_1 + (1 - p) * l_2
data = Density("p", [y_1, y_2])
latents = normal(z_1, 0, 1) * normal(z_2, 0, 1)
decoder = normal(x_1, m_1 + r_1 * z_1, sigma**2) * normal(x_2, m_2 + r_2 * z_2, sigma**2)
on_first, on_second = (normal(along[x], m, v) for x, m, v in ((x_1, m_1, rho_1), (x_2, m_2, rho_2)))

WHERE = {d: k + n, l_1: l_2 + e**2, rho_1: rho_2 + f**2}  # the larger eigenvalue and the longer column come first

covariance = definition(
    "the mean and the covariance of the data",
    {
        integral(data * y_1, y_1, y_2): Integer(0),
        integral(data * y_2, y_1, y_2): Integer(0),
        integral(data * y_1**2, y_1, y_2): l_1,
        integral(data * y_1 * y_2, y_1, y_2): Integer(0),
        integral(data * y_2**2, y_1, y_2): l_2,
    },
)

# Statement

noise = Sum(lam, (j, k + 1, d)) / (d - k)
scale = sqrt(lam(i) - noise)
best = -(d * log(2 * pi) + Sum(log(lam), (j, 1, k)) + (d - k) * log(noise) + d) / 2

# Twice the mean log density of d independent numbers with the variances rho_1, ..., rho_k, and s for all others

twice_the_likelihood = -d * log(2 * pi) - Sum(log(rho) + lam / rho, (j, 1, k)) - Sum(log(s) + lam / s, (j, k + 1, d))


def in_the_plane(formula):
    """A formula for k of d eigenvalues, for one of two."""
    return sympify(formula).xreplace({d: 2, k: 1, n: 1, i: 1}).doit().xreplace({lam(1): l_1, lam(2): l_2})


def likelihood(rho_1, rho_2, v_1, v_2):
    """The mean log density of a Gaussian with these variances, for data with those."""
    return -(2 * log(2 * pi) + log(rho_1) + log(rho_2) + v_1 / rho_1 + v_2 / rho_2) / 2


def model_of_two_latents():
    """With the columns of W along the axes, what one sees is independent: each latent widens its own axis."""
    yield integral(latents * decoder, z_1, z_2)
    yield eq(normal(x_1, m_1, r_1**2 + sigma**2) * normal(x_2, m_2, r_2**2 + sigma**2), by=gaussian_integral(z_1, z_2))


def along_an_axis():
    """The mean square along any axis, from the eigenvalues ..."""
    crossed = 2 * a * b * E(data, y_1 * y_2) - 2 * m * (a * E(data, y_1) + b * E(data, y_2))
    yield E(data, (a * y_1 + b * y_2 - m) ** 2)
    yield eq(a**2 * E(data, y_1**2) + b**2 * E(data, y_2**2) + crossed + m**2, by=linearity)
    yield eq(a**2 * l_1 + b**2 * l_2 + m**2, by=covariance)


def of_turned_data():
    """... which is all that the likelihood sees of the data: any Gaussian is independent along its own axes."""
    square_1, square_2 = E(data, (along[x_1] - m_1) ** 2), E(data, (along[x_2] - m_2) ** 2)
    first = {a: sqrt(1 - p), b: sqrt(p), m: m_1}
    second = {a: -sqrt(p), b: sqrt(1 - p), m: m_2}
    yield E(data, log(on_first) + log(on_second))
    yield eq(likelihood(rho_1, rho_2, square_1, square_2), by=linearity)
    yield eq(likelihood(rho_1, rho_2, turned_1 + m_1**2, square_2), by=theorem(along_an_axis, first))
    yield eq(likelihood(rho_1, rho_2, turned_1 + m_1**2, turned_2 + m_2**2), by=theorem(along_an_axis, second))


def eigenvectors_are_best():
    """It is largest about the mean of the data, and with the longer column along the larger eigenvalue ..."""
    yield E(data, log(on_first) + log(on_second))
    yield eq(likelihood(rho_1, rho_2, turned_1 + m_1**2, turned_2 + m_2**2), by=theorem(of_turned_data))
    yield le(likelihood(rho_1, rho_2, l_1, l_2), by=positivity)


def turned_columns_lose():
    """... and nowhere else, if the eigenvalues differ and so do the columns."""
    unequal = {l_1: l_2 + g, rho_1: rho_2 + h}
    yield likelihood(rho_1, rho_2, turned_1, turned_2).xreplace(unequal)
    yield lt(likelihood(rho_1, rho_2, l_1, l_2).xreplace(unequal), by=positivity)


def columns_of_the_largest():
    """To exchange them loses as well: the longer column, with the variance ρ₁, belongs to the larger eigenvalue."""
    yield likelihood(rho_1, rho_2, l_2, l_1)
    yield le(likelihood(rho_1, rho_2, l_1, l_2), by=positivity)


def tangents_in_the_plane():
    """Each variance is best where its logarithm touches a tangent ..."""
    yield (log(l_1 / rho_1) + log(l_2 / rho_2)) / 2
    yield le((l_1 / rho_1 - 1 + l_2 / rho_2 - 1) / 2, by=log_tangent())


def no_model_is_better(best=best):
    """... so one latent in the plane gives at most this likelihood, whatever its column and whatever the noise ..."""
    yield E(data, log(on_first) + log(on_second))
    yield le(likelihood(rho_1, rho_2, l_1, l_2), by=theorem(eigenvectors_are_best))
    touching = log(l_1 / rho_1) + log(l_2 / rho_2) - l_1 / rho_1 - l_2 / rho_2
    yield eq(touching / 2 - (2 * log(2 * pi) + log(l_1) + log(l_2)) / 2, by=algebra)
    yield le(in_the_plane(best), by=using(tangents_in_the_plane))


def best_model(scale=scale, noise=noise, best=best):
    """... which is reached by the eigenvector of the larger one, with the smaller one for the noise."""
    w, v = in_the_plane(scale), in_the_plane(noise)
    yield E(data, log(normal(y_1, 0, w**2 + v)) + log(normal(y_2, 0, v)))
    yield eq(
        -(2 * log(2 * pi) + log(w**2 + v) + log(v) + E(data, y_1**2) / (w**2 + v) + E(data, y_2**2) / v) / 2,
        by=linearity,
    )
    yield eq(in_the_plane(best), by=covariance)


def tangents():
    """In d dimensions the variance of each column is best where a logarithm touches its tangent ..."""
    yield Sum(log(lam / rho), (j, 1, k))
    yield le(Sum(lam / rho - 1, (j, 1, k)), by=pointwise(log_tangent()))


def tangent_of_the_noise():
    """... and so is that of the noise."""
    yield n * log(noise / s)
    yield le(n * (noise / s - 1), by=log_tangent())


def no_columns_are_better(best=best):
    """... so no columns along the first eigenvectors, and no noise, do better ..."""
    of_the_columns = Sum(log(lam / rho), (j, 1, k)) - Sum(lam / rho - 1, (j, 1, k))
    of_the_noise = n * log(v / s) - n * (v / s - 1)
    yield let(v, noise)
    yield twice_the_likelihood
    best = best.xreplace({noise: v})
    yield eq(2 * best + of_the_columns + of_the_noise, by=linearity)
    yield le(2 * best + of_the_noise, by=using(tangents))
    yield le(2 * best, by=using(tangent_of_the_noise))


def best_columns(scale=scale, noise=noise, best=best):
    """... than these, for any number of latents."""
    yield twice_the_likelihood.xreplace({r: scale.xreplace({i: j}), s: noise})
    yield eq(2 * best, by=linearity)


CLAIMS = [
    Claim(
        "vae.ppca-mle",
        "The most probable linear model keeps the k largest eigenvalues λ_i of the data: its columns have the squared "
        "lengths λ_i − σ², and its noise σ² is the mean of the other eigenvalues.",
        proved_by=(
            model_of_two_latents,
            along_an_axis,
            of_turned_data,
            eigenvectors_are_best,
            turned_columns_lose,
            columns_of_the_largest,
            tangents_in_the_plane,
            no_model_is_better,
            best_model,
            tangents,
            tangent_of_the_noise,
            no_columns_are_better,
            best_columns,
        ),
        evidence="S Q P T",
        assumes="k < d; the eigenvalues in descending order; σ² > 0; beyond the plane, columns along eigenvectors",
        source="Tipping & Bishop (1999)",
        tier="extended",
        mistakes={
            "no-subtraction": {"scale": sqrt(lam(i))},
            "no-sqrt": {"scale": lam(i) - noise},
            "sum-not-mean": {"noise": Sum(lam, (j, k + 1, d))},
            "divide-by-d": {"noise": Sum(lam, (j, k + 1, d)) / d},
        },
        because={
            "no-subtraction": "principal components, whose variance along a column already holds the noise",
            "divide-by-d": "the noise that is left out of the reconstruction, spread over all directions",
        },
    ),
]

# A world for the witness

WORLD = {
    data: normal(y_1, 0, l_1) * normal(y_2, 0, l_2),
    lam: 1 / j + Rational(1, 3),
    r: 1 - 1 / (2 * j),
}
