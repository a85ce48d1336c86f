r"""The score points from where one is to where the data are expected: denoising is all there is to learn.

Data with noise of the level :math:`\sigma` upon them, :math:`u=x_0+\sigma\,\epsilon`, have a density
:math:`p(u;\sigma)`. The denoiser is what guesses :math:`x_0` with the least squared error, and

.. math:: \nabla_u\log p(u;\sigma)=\frac{D(u;\sigma)-u}{\sigma^2},\qquad D(u;\sigma)=\mathbb E[x_0\mid u].

For a data set :math:`y_1,\dots,y_N` it is known: it averages the points, as near as they are,

.. math:: D(u;\sigma)=\sum_iw_iy_i,\qquad
          w=\operatorname{softmax}\Bigl(-\frac{\lVert u-y_i\rVert^2}{2\sigma^2}\Bigr),

so that in the end it returns the points of the data set and nothing else. A network that does something new is *not*
the best denoiser of its data set.

Vectors are read one coordinate at a time: u and :math:`y_i` are a coordinate, and :math:`r_i` is what all others add to
the squared distance.

References:
    Karras, Aittala, Aila & Laine (2022), Elucidating the design space of diffusion-based generative models,
        eqs. (2), (3), app. B.3.
    Vincent (2011), A connection between score matching and denoising autoencoders.
"""

from sympy import Integer, Rational, Sum, exp, log, pi, sqrt

from ..calculus import (
    Density,
    E,
    RealFunction,
    Var,
    d,
    definition,
    differentiation,
    eq,
    ge,
    integral,
    let,
    linearity,
    naturals,
    normal,
    positives,
    positivity,
    reals,
    under_the_integral,
)
from ..claim import Claim
from ..reversal.score import clusters

# Notation of the chapter: u is a point of the data with noise of the level sigma.

u, x_0, denoised = reals("u x_0 D")
sigma = positives(r"\sigma")

data, noised = Density("q", [x_0]), Density("p", [u], at=[sigma])
guess = Density("q", [x_0], given=[u], at=[sigma])
added = normal(u, x_0, sigma**2)
bayes = definition("Bayes' rule", {guess: added * data / noised})
marginalisation = definition("marginalisation", {noised: integral(added * data, x_0)})
f = RealFunction("f", [u])  # any other guess

# N points: of each a coordinate y_i, and the squared distance r_i in all others.

i, j, N = naturals("i j N")
y, rest = RealFunction("y", at=[i]), Density("r", at=[i])


def near(i, scale=2 * sigma**2):
    """How near u is to the point i, on the scale of the noise."""
    return exp(-((u - y(i)) ** 2 + rest(i)) / scale)


def softmax(near, scale=2 * sigma**2):
    return near(i, scale) / Sum(near(j, scale), (j, 1, N))


noised_set = Density("p_N", [u], at=[sigma])  # of one coordinate, given the others: its slope is that of all
elsewhere = exp(-rest(j) / (2 * sigma**2))
around_them = Sum(near(i), (i, 1, N)) / (sqrt(2 * pi * sigma**2) * Sum(elsewhere, (j, 1, N)))
the_points = definition("noise around N points", {noised_set: around_them})

# Statement

score = (denoised - u) / sigma**2
weight = softmax(near)


def least_squares():
    """No guess is better than the mean of what may be behind u, ..."""
    yield let(denoised, E(guess, x_0))
    yield E(guess, (f - x_0) ** 2)
    yield eq((f - denoised) ** 2 + Var(guess, x_0), by=linearity)
    yield ge(Var(guess, x_0), by=positivity)


def score_from_the_denoiser(score=score):
    """... and the score points there."""
    yield let(denoised, E(guess, x_0))
    yield d(u, log(noised))
    yield eq(d(u, noised) / noised, by=differentiation)
    yield eq(d(u, integral(added * data, x_0)) / noised, by=marginalisation)
    yield eq(integral((x_0 - u) / sigma**2 * added * data, x_0) / noised, by=under_the_integral(u))
    yield eq(E(guess, (x_0 - u) / sigma**2), by=bayes)
    yield eq(score, by=linearity)


def least_squares_for_points(weight=weight):
    """For a data set, the mean weighs each point as near as it is; ..."""
    yield let(denoised, Sum(weight * y, (i, 1, N)))
    yield Sum(near(i) * (f - y) ** 2, (i, 1, N))
    least = Sum(near(i) * (denoised - y) ** 2, (i, 1, N))
    yield eq(Sum(near(j), (j, 1, N)) * (f - denoised) ** 2 + least, by=linearity)
    yield ge(least, by=positivity)


def score_of_points(weight=weight, score=score):
    """... and the score of the points with noise points there."""
    yield let(denoised, Sum(weight * y, (i, 1, N)))
    yield d(u, log(noised_set))
    yield eq(d(u, noised_set) / noised_set, by=differentiation)
    total = Sum(near(j), (j, 1, N))
    yield eq(Sum((y - u) / sigma**2 * near(i), (i, 1, N)) / total, by=the_points)
    yield eq(score, by=linearity)


CLAIMS = [
    Claim(
        "edm.denoiser-score",
        "The score leads from u to its denoised version, over the variance of the noise; for a data set that is the "
        "mean of the points, weighed by the softmax of minus their squared distances over twice that variance.",
        proved_by=(least_squares, score_from_the_denoiser, least_squares_for_points, score_of_points),
        evidence="S Q P T",
        source="Karras et al. (2022), eqs. 2-3, app. B.3",
        tier="extended",
        mistakes={
            "over-sigma": {"score": (denoised - u) / sigma},
            "sign": {"score": (u - denoised) / sigma**2},
            "softmax-no-half": {"weight": softmax(near, sigma**2)},
            "softmax-sigma": {"weight": softmax(near, 2 * sigma)},
        },
        because={
            "over-sigma": "the noise that is predicted, up to its sign, and not the score",
            "sign": "the noise points from the data to u, and the score back",
        },
    ),
]

# A world for the witness: two clusters, and points that are there by a formula.

DATA, NOISED = clusters(x_0, Integer(1), Integer(0)), clusters(u, Integer(1), sigma**2)
WORLD = {
    data: DATA,
    noised: NOISED,
    guess: added * DATA / NOISED,
    f: 1 + u / 3,
    y: 2 - i**2 * Rational(3, 5),
    rest: Rational(1, 2) + 1 / i,
    noised_set: around_them,
}
