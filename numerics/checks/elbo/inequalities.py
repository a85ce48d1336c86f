r"""What tries to refute the page on inequalities: means of functions and of log ratios, integrated, summed, simulated.

The functions of the page are those of z; where z is one of finitely many, means are short sums. On the line such a z is
a spot, so small beside the distance to the next that nothing of one reaches another.
"""

import numpy as np
from hypothesis import strategies as st
from numpy import array, exp, log, sqrt

from ...quadrature import integral_of, settled
from ...statistics import above, below, both, close, for_all, gauss_hermite, matches, moments
from ...worlds import gaussian, mixture

LAWS = [
    gaussian(0.37, 1.83),
    mixture([0.31, 0.69], [-1.13, 1.47], [0.43, 0.81]),
    mixture([0.57, 0.43], [-0.71, 0.93], [0.37, 0.62]),
]
BENDS = [(0.23, 0.61, -0.17), (-0.59, -0.83, 0.07), (0.41, 1.27, -0.31)]  # f = c_0 + c_1 z + c_2 z^2
WEIGHTS = [
    (array([0.23, 0.46, 0.31]), array([0.37, 0.22, 0.41])),
    (array([0.64, 0.36]), array([0.43, 0.57])),
    (array([0.17, 0.29, 0.41, 0.13]), array([0.12, 0.33, 0.26, 0.29])),
]
VALUES = array([-0.83, 0.47, 1.31, -1.72])  # of f, at each spot
LOGNORMALS = [(0.37, 0.43), (-1.19, 0.71), (0.83, 0.97)]
SOME_Z = array([-1.27, 0.19, 1.71])

numbers, spreads = st.floats(-1.5, 1.5), st.floats(0.4, 2)
gaussians = st.builds(gaussian, numbers, spreads)
bends = st.tuples(numbers, numbers, st.floats(-0.5, 0))


def jensen(lower, upper, gap):
    """Both sides, integrated and summed; their order, and where they are equal; lognormals, simulated."""
    for law, bend in zip(LAWS, BENDS, strict=True):
        at, (small, large) = {"q": law, "f": polynomial(bend)}, two_sides(law, polynomial(bend))
        yield close(lower, at, small)
        yield close(upper, at, large)
        yield below(lower, at, settled(large), strict=True)
        yield above(upper, at, settled(small), strict=True)
    for weights, _ in WEIGHTS:
        at, values = {"q": spots(weights), "f": at_the_spots(VALUES[: len(weights)])}, VALUES[: len(weights)]
        yield matches(lower, at, weights @ values, magnitude=weights @ abs(values))
        yield matches(upper, at, log(weights @ exp(values)), magnitude=weights @ abs(values))
    for constant in VALUES:
        at = {"q": LAWS[1], "f": lambda z, constant=constant: constant + 0 * z}
        yield matches(lower, at, constant)
        yield matches(upper, at, constant)
    for mu, sigma in LOGNORMALS:
        yield close(gap, {"sigma": sigma}, gap_of_a_lognormal(mu, sigma))
        yield from both(lognormals(mu, sigma), growth(gap, mu, sigma), by=gauss_hermite)

    def difference(**at):
        return upper(**at) - lower(**at)

    yield for_all(law=gaussians, bend=bends, examples=30)(
        lambda law, bend: above(difference, {"q": law, "f": polynomial(bend)}, 0.0, magnitude=1.0)
    )
    yield for_all(mu=numbers, sigma=st.floats(0.05, 1.2), examples=30)(
        lambda mu, sigma: close(gap, {"sigma": sigma}, gap_of_a_lognormal(mu, sigma))
    )


def kl_nonneg(least, everywhere, same_means):
    """Divergences from a multiple of a density; log ratios point by point; two Gaussians about the same mean."""
    pairs = [(LAWS[0], LAWS[1]), (LAWS[1], LAWS[2]), (LAWS[2], LAWS[0])]
    for (p, q), c in zip(pairs, (0.41, 1.73, 2.9), strict=True):
        at = {"c": c, "p": p, "q": q}
        yield below(least, at, settled(divergence(p, q, c)), strict=True)
        yield close(least, at, divergence(p, p, c))
        yield below(everywhere, {"p": p, "q": q, "z": SOME_Z}, log_ratio(p, q, SOME_Z), strict=True)
        yield matches(everywhere, {"p": p, "q": p, "z": SOME_Z}, 0 * SOME_Z, magnitude=1.0)
        yield close(averaged(everywhere, p), {"p": p, "q": q}, nothing)
        for near in (0.9, 1.1):  # the tangent touches: a line of any other slope would cross here
            close_by = p.affine(near, 0.0)
            yield below(everywhere, {"p": p, "q": close_by, "z": SOME_Z}, log_ratio(p, close_by, SOME_Z), strict=True)
    for first, second in WEIGHTS:
        value = first @ log(first / second)
        yield below(least, {"c": 1.0}, value, strict=True)
        yield below(least, {"c": 1.37}, value - log(1.37), strict=True)
    for a, b in ((0.53, 1.41), (2.17, 0.69), (1.31, 3.9)):
        for mean in (0.37, -1.13):
            yield close(same_means, {"a": a, "b": b}, divergence(gaussian(mean, a), gaussian(mean, b)))
        yield matches(same_means, {"a": a, "b": a}, 0.0, magnitude=1.0)
        yield above(same_means, {"a": a, "b": b}, 0.0, strict=True)

    yield for_all(p=gaussians, q=gaussians, c=spreads, examples=30)(
        lambda p, q, c: below(least, {"c": c}, settled(divergence(p, q, c)), magnitude=1.0)
    )
    yield for_all(p=gaussians, q=gaussians, z=numbers)(
        lambda p, q, z: below(everywhere, {"p": p, "q": q, "z": z}, log_ratio(p, q, z), magnitude=1 + q(z) / p(z))
    )
    yield for_all(a=spreads, b=spreads, examples=30)(
        lambda a, b: close(same_means, {"a": a, "b": b}, divergence(gaussian(0.0, a), gaussian(0.0, b)))
    )


def spots(weights):
    """A law on the line that is as good as one of finitely many z."""
    return mixture(weights, places(len(weights)), 0.37)


def places(number):
    return 13.0 * (np.arange(number) - (number - 1) / 2)


def at_the_spots(values):
    """The function of z that has these values at the spots."""
    return lambda z: values[np.argmin(abs(np.asarray(z)[..., None] - places(len(values))), axis=-1)]


def polynomial(coefficients):
    return np.polynomial.Polynomial(coefficients)


def two_sides(law, f):
    """E f and log E exp(f)."""
    window = {"centre": law.mean, "width": sqrt(law.variance)}
    return integral_of(lambda z: law(z) * f(z), **window), log_of(integral_of(lambda z: law(z) * exp(f(z)), **window))


def log_of(rule):
    """The logarithm of an integral; its relative error becomes an error."""

    def logarithm(nodes):
        value, magnitude = rule(nodes)
        return log(value), magnitude / value + abs(log(value))

    return logarithm


def divergence(p, q, c=1.0):
    """The integral of p log(p / (c q))."""
    return integral_of(lambda z: p(z) * (log_ratio(p, q, z) - log(c)), centre=p.mean, width=sqrt(p.variance))


def log_ratio(p, q, z):
    return p.log_density(z) - q.log_density(z)


def averaged(formula, law):
    """The mean of a formula over z."""
    z, step = np.linspace(-12, 12, 1201, retstep=True)
    return lambda **at: np.sum(law(z) * formula(**at, z=z)) * step


def nothing(nodes):
    return 0.0, 1.0


def gap_of_a_lognormal(mu, sigma):
    """log E w - E log w, the mean of w integrated over log w."""
    mean = log_of(integral_of(lambda y: gaussian(mu, sigma**2)(y) * exp(y), centre=mu, width=sigma))

    def rule(nodes):
        value, magnitude = mean(nodes)
        return value - mu, magnitude + abs(mu)

    return rule


def lognormals(mu, sigma):
    """Draws of log w."""
    return lambda rng, n: (mu + sigma * rng.standard_normal(n),)


def growth(gap, mu, sigma):
    """w / exp(E log w) has the mean exp(gap)."""

    def scores(log_w):
        s = exp(sigma**2)
        second, fourth = s * (s - 1), (s * (s - 1)) ** 2 * (s**4 + 2 * s**3 + 3 * s**2 - 3)
        return moments(exp(log_w - mu), exp(gap(sigma=sigma)), None, (second, fourth, np.inf))

    return scores
