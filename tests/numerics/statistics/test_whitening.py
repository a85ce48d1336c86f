"""What a law makes normal is normal if the law is true, and is seen not to be if it is not."""

import numpy as np
import pytest
from scipy.special import ndtr

from numerics.statistics import (
    FAIL,
    PASS,
    by_cdf,
    by_cholesky,
    by_mixture,
    by_rosenblatt,
    by_table,
    law,
    sampled,
    standardised_by,
    stream,
)


def examined(draw, scores):
    return sampled(draw, scores, resolves=2e-2).examine(0, "whitening", "1")


def independent(z, given=()):
    """The rows that hold if the coordinates are independent noise, given those variables too."""
    return [row for k, each in enumerate(z) for row in law(each, given=[*given, *z[:k]])]


# ---------------------------------------------------------------- vectors

MEAN = np.array([0.3, -1.7, 0.9])
ROOT = np.array([[1.3, 0.0, 0.0], [-0.7, 0.4, 0.0], [0.5, 1.1, 0.8]])
COVARIANCE = ROOT @ ROOT.T


def vectors(rng, n):
    return [rng.standard_normal((n, 3)) @ ROOT.T + MEAN]


def by_condition(rng, n):
    """Given c, N(c MEAN, (1 + c^2) COVARIANCE)."""
    c = rng.standard_normal(n)
    return [c, np.sqrt(1 + c * c)[:, None] * vectors(rng, n)[0] + (c - np.sqrt(1 + c * c))[:, None] * MEAN]


def test_coordinates_are_those_of_the_inverse_root():
    (x,) = vectors(stream(0, "whitening", "x", 0), 50)
    z = by_cholesky(x, MEAN, COVARIANCE)
    assert np.array(z) == pytest.approx(np.linalg.solve(np.linalg.cholesky(COVARIANCE), (x - MEAN).T))
    each = by_cholesky(x, np.tile(MEAN, (50, 1)), np.tile(COVARIANCE, (50, 1, 1)))
    assert np.array_equal(z, each)


def test_cholesky_whitens():
    assert examined(vectors, lambda x: independent(by_cholesky(x, MEAN, COVARIANCE))).verdict == PASS


def test_cholesky_whitens_with_a_covariance_for_each_draw():
    def scores(c, x):
        return independent(by_cholesky(x, c[:, None] * MEAN, (1 + c * c)[:, None, None] * COVARIANCE), given=[c])

    assert examined(by_condition, scores).verdict == PASS


def changed(i, j, factor):
    wrong = COVARIANCE.copy()
    wrong[i, j] = wrong[j, i] = factor * wrong[i, j]
    return wrong


WRONG = {
    "a variance": (MEAN, changed(1, 1, 1.05)),
    "a covariance": (MEAN, changed(0, 1, 0.95)),
    "the last covariance": (MEAN, changed(1, 2, 0.9)),
    "the sign of a covariance": (MEAN, changed(0, 2, -1.0)),
    "the root for the covariance": (MEAN, ROOT),
    "the order of the coordinates": (MEAN, COVARIANCE[::-1, ::-1]),
    "the diagonal alone": (MEAN, np.diag(np.diag(COVARIANCE))),
    "the mean": (MEAN + [0, 0, 0.05], COVARIANCE),
    "no covariance": (MEAN, changed(0, 1, 3.0)),
    "a singular one": (MEAN, np.ones((3, 3))),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_covariance_is_found(wrong):
    mean, covariance = WRONG[wrong]
    assert examined(vectors, lambda x: independent(by_cholesky(x, mean, covariance))).verdict == FAIL


def test_a_covariance_that_ignores_its_condition_is_found():
    finding = examined(by_condition, lambda c, x: independent(by_cholesky(x, c[:, None] * MEAN, 2 * COVARIANCE), [c]))
    assert finding.verdict == FAIL


# ---------------------------------------------------------------- one coordinate after another


def waiting(rng, n):
    """x ~ Exp(1), and given x, y ~ Exp(1 + x)."""
    x = -np.log1p(-rng.random(n))
    return [x, -np.log1p(-rng.random(n)) / (1 + x)]


FIRST = lambda x: -np.expm1(-x)


def test_rosenblatt_whitens():
    second = lambda y, x: -np.expm1(-(1 + x) * y)
    assert examined(waiting, lambda x, y: independent(by_rosenblatt([x, y], [FIRST, second]))).verdict == PASS


@pytest.mark.parametrize(
    "conditionals",
    [
        (lambda x: -np.expm1(-1.05 * x), lambda y, x: -np.expm1(-(1 + x) * y)),
        (FIRST, lambda y, x: -np.expm1(-(1.05 + x) * y)),
        (FIRST, lambda y, x: 1 - np.exp(-y) / (1 + y)),  # the law of y, whatever x: each is uniform, together not
        (FIRST, lambda y, x: np.sqrt(-y)),
    ],
    ids=["the first", "the second", "ignores its condition", "not defined"],
)
def test_a_wrong_conditional_is_found(conditionals):
    assert examined(waiting, lambda x, y: independent(by_rosenblatt([x, y], conditionals))).verdict == FAIL


# ---------------------------------------------------------------- mixtures, and single numbers

WEIGHTS, MEANS, VARIANCES = np.array([[0.31], [0.69]]), np.array([[-1.13], [1.47]]), np.array([[0.23], [0.41]])


def clusters(rng, n):
    k = (rng.random(n) > WEIGHTS[0, 0]).astype(int)
    return [MEANS[k, 0] + np.sqrt(VARIANCES[k, 0]) * rng.standard_normal(n)]


def test_the_distribution_function_of_a_mixture_whitens():
    assert examined(clusters, lambda x: law(by_mixture(x, WEIGHTS, MEANS, VARIANCES))).verdict == PASS


@pytest.mark.parametrize(
    "wrong",
    [
        (WEIGHTS[::-1], MEANS, VARIANCES),
        (WEIGHTS + [[0.02], [-0.02]], MEANS, VARIANCES),
        (WEIGHTS, MEANS + [[0.05], [0]], VARIANCES),
        (WEIGHTS, MEANS, np.sqrt(VARIANCES)),
        (np.ones((1, 1)), np.sum(WEIGHTS * MEANS, keepdims=True), np.array([[1.8]])),
    ],
    ids=["swapped", "weights", "a mean", "standard deviations", "one Gaussian"],
)
def test_a_wrong_mixture_is_found(wrong):
    assert examined(clusters, lambda x: law(by_mixture(x, *wrong))).verdict == FAIL


def test_what_is_uniform_becomes_normal_and_stays_finite_at_its_ends():
    assert ndtr(by_cdf(np.array([0.1, 0.5, 0.9]))) == pytest.approx([0.1, 0.5, 0.9])
    assert np.all(np.isfinite(by_cdf(np.array([0.0, 1.0]))))
    assert np.isnan(by_cdf(np.array([np.nan]))[0])


def test_a_variance_is_no_standard_deviation():
    draw = lambda rng, n: [1.3 + 0.4 * rng.standard_normal(n)]
    assert examined(draw, lambda x: law(standardised_by(x, 1.3, 0.16))).verdict == PASS
    assert examined(draw, lambda x: law(standardised_by(x, 1.3, 0.4))).verdict == FAIL


def test_a_matrix_that_is_not_symmetric_whitens_nothing():
    x = np.random.default_rng(5).standard_normal((9, 2))
    assert np.all(np.isnan(by_cholesky(x, 0.0, np.array([[1.0, 99.0], [0.5, 1.0]]))))


def test_every_coordinate_has_its_conditional():
    with pytest.raises(ValueError, match="shorter"):
        by_rosenblatt([np.zeros(3), np.zeros(3)], [lambda x: x])


def test_a_table_whitens_what_has_its_density():
    z, grid = np.random.default_rng(6).standard_normal(9), np.linspace(-9, 9, 3601)
    whiten = by_table(grid, np.exp(-(((grid - 0.7) / 1.3) ** 2) / 2) / (1.3 * np.sqrt(2 * np.pi)))
    assert whiten(0.7 + 1.3 * z) == pytest.approx(z, abs=1e-4)
