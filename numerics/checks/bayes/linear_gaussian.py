r"""What tries to refute the page on linear maps: x and y as a linear image of independent noises.

With :math:`P=LL^\top` and :math:`R=KK^\top`, x = m + L u and y = H x + c + K w. The covariance of the pair follows, and
x given y by regression on one number of y after another. In one dimension the densities are integrated as well. The
page has square matrices; an H with fewer columns than rows is one whose last columns are zero.
"""

import numpy as np
from hypothesis import strategies as st
from numpy import array

from ...quadrature import integral_of, mean_of, variance_of
from ...statistics import close, for_all, matches
from ...worlds import normal

# L, K, H, m, c, y

POINTS = [
    (
        array([[1.27, 0.0], [-0.41, 0.83]]),
        array([[0.67, 0.0], [0.29, 1.13]]),
        array([[0.91, -0.53], [1.37, 0.38]]),
        array([0.37, -1.19]),
        array([0.71, -0.23]),
        array([1.61, 0.47]),
    ),
    (
        array([[0.73, 0.0], [0.58, 1.31]]),
        array([[1.41, 0.0], [-0.36, 0.49]]),
        array([[-0.64, 1.72], [0.27, 0.83]]),
        array([-0.57, 0.88]),
        array([1.33, 0.49]),
        array([-0.91, 2.03]),
    ),
    (
        array([[1.13, 0.0, 0.0], [0.37, 0.71, 0.0], [-0.22, 0.46, 0.94]]),
        array([[0.57, 0.0, 0.0], [-0.31, 0.86, 0.0], [0.43, 0.19, 1.21]]),
        array([[0.83, -1.12, 0.0], [0.39, 0.67, 0.0], [-0.54, 0.28, 0.0]]),
        array([0.29, -0.76, 1.07]),
        array([-0.61, 0.34, 0.88]),
        array([0.52, -1.43, 0.79]),
    ),
]
NUMBERS = [
    (1.27, 0.67, 0.91, 0.37, 0.71, 1.61),
    (0.58, 1.41, -0.64, -0.57, 1.33, -0.91),
    (1.73, 0.44, 2.17, 1.07, -0.61, 0.52),
]
SOME_Y = array([-1.47, 0.36, 1.89])

signed, sizes = st.floats(-1.5, 1.5), st.floats(0.5, 2)
pair = st.tuples(signed, signed).map(array)
triangle = st.builds(lambda a, b, c: array([[a, 0.0], [b, c]]), sizes, signed, sizes)
square = st.tuples(pair, pair).map(array)


def linear_gaussian(posterior_mean, posterior_covariance, marginal_mean, marginal_covariance):
    """Moments of the pair; regressions; integrals for numbers; and the same for all pairs of dimension two."""
    formulas = (marginal_mean, marginal_covariance, posterior_mean, posterior_covariance)
    for point in POINTS:
        for formula, (value, size) in zip(formulas, moments(*point), strict=True):
            yield matches(formula, letters(*point), value, magnitude=size)

    def density(some_y, **at):
        return normal(some_y, marginal_mean(**at)[0, 0], marginal_covariance(**at)[0, 0])

    for l, k, h, m, c, y in NUMBERS:
        at = letters(*(array([[v]]) for v in (l, k, h)), *(array([v]) for v in (m, c, y)))
        some, given = joint(l, k, h, m, c, SOME_Y), joint(l, k, h, m, c, y)
        yield close(density, {**at, "some_y": SOME_Y}, integral_of(some, centre=np.full(3, m), width=1.0))
        yield close(posterior_mean, at, mean_of(given, centre=m))
        yield close(posterior_covariance, at, variance_of(given, centre=m))

    some = {"L": triangle, "K": triangle, "H": square, "m": pair, "c": pair, "y": pair}
    for i, formula in enumerate(formulas):

        def statement(L, K, H, m, c, y, i=i, formula=formula):
            value, size = moments(L, K, H, m, c, y)[i]
            return matches(formula, letters(L, K, H, m, c, y), value, magnitude=size)

        yield for_all(examples=30, **some)(statement)


def letters(L, K, H, m, c, y):
    """The letters of the page: matrices, and columns."""
    return {"P": L @ L.T, "R": K @ K.T, "H": H, "m": m[:, None], "c": c[:, None], "y": y[:, None]}


def joint(l, k, h, m, c, y):
    """The density of a pair of numbers, as a function of x."""
    return lambda x: normal(y, h * x + c, k**2) * normal(x, m, l**2)


def moments(L, K, H, m, c, y):
    """Mean and covariance of y, then of x given y, each with the size of the terms that were added up for it."""
    d = len(m)
    image = np.block([[L, np.zeros((d, d))], [H @ L, K]]).astype(np.longdouble)
    mean, covariance = np.concatenate([m, H @ m + c]).astype(np.longdouble), image @ image.T
    sizes = [np.max(np.abs(z)) for z in (np.concatenate([mean, y]), covariance)] * 2
    found = [mean[d:, None], covariance[d:, d:]]
    for k in reversed(range(d, 2 * d)):  # the last number is known: regress the others on it
        gain = covariance[:k, k] / covariance[k, k]
        mean = mean[:k] + gain * (y[k - d] - mean[k])
        covariance = covariance[:k, :k] - np.outer(gain, covariance[k, :k])
    found += [mean[:, None], covariance]
    return [(value.astype(float), float(size)) for value, size in zip(found, sizes, strict=True)]
