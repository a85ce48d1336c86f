"""Worlds: their draws against their laws, and what they say to input that makes no sense.

Each draw has a fixed seed.  A p-value below 1e-6, or five standard errors, would be news; no seed was tried twice.
"""

import tracemalloc

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import stats

from numerics.worlds import Step, empirical, finite, gaussian, mixture, normal, point

LINE = mixture([0.31, 0.47, 0.22], [-1.13, 1.47, 0.29], [0.23, 0.41, 0.057])
PLANE = mixture(
    [0.37, 0.63], [[-0.83, 0.41], [1.19, -0.67]], [[[0.53, 0.21], [0.21, 0.34]], [[0.29, -0.11], [-0.11, 0.61]]]
)
TILTED = gaussian([0.7, -0.2, 1.1], [[0.9, 0.4, 0.1], [0.4, 0.5, -0.2], [0.1, -0.2, 0.7]])
ATOMS = finite([0.23, 0.46, 0.31], [-1.61, 0.29, 1.33])
STEP = Step(alpha=0.683, alpha_bar_prev=0.591)
N = 40_000


@pytest.fixture
def rng():
    return np.random.default_rng(20240229)


@pytest.mark.parametrize("law", [LINE, LINE.affine(-1.7, 0.3), ATOMS.marginal(0.83), gaussian(0.4, 2.3)], ids=str)
def test_draws_have_the_law(law, rng):
    assert stats.kstest(law.sample(rng, N), law.cdf).pvalue > 1e-6


def test_draws_of_points_are_points(rng):
    found, counts = np.unique(ATOMS.sample(rng, N), return_counts=True)
    assert_allclose(found, [-1.61, 0.29, 1.33], atol=0)
    assert stats.chisquare(counts, N * ATOMS.weights).pvalue > 1e-6
    assert np.all(point([1.3, -0.2]).sample(rng, 3) == [1.3, -0.2])
    flat = gaussian([0.1, 0.1, 0.1], np.full((3, 3), 0.7)).sample(rng, 100)  # of rank one
    assert_allclose(flat - flat[:, :1], np.zeros((100, 3)), atol=1e-7)


@pytest.mark.parametrize("law", [PLANE, TILTED, PLANE.marginal(0.7)], ids=str)
def test_draws_of_vectors_have_the_law_along_any_direction(law, rng):
    x = law.sample(rng, N)
    for direction in np.random.default_rng(8).normal(size=(4, law.dimension)):
        shadow = mixture(law.weights, law.means @ direction, law.covariances @ direction @ direction)
        assert stats.kstest(x @ direction, shadow.cdf).pvalue > 1e-6


@pytest.mark.parametrize("world", [LINE, ATOMS], ids=str)
def test_each_law_of_a_batch_has_its_own_draws(world, rng):
    batch = world.reverse_kernel(STEP, [[-1.27, 0.19], [1.71, 0.4]])
    x, once = batch.sample(rng, N), batch.sample(rng)
    assert x.shape == (N, 2, 2)
    assert once.shape == (2, 2)
    for index in np.ndindex(2, 2):
        law = world.reverse_kernel(STEP, np.array([[-1.27, 0.19], [1.71, 0.4]])[index])
        assert stats.kstest(x[(slice(None), *index)], law.cdf).pvalue > 1e-6
    apart = x.reshape(N, 4) - batch.mean.ravel()
    assert np.all(np.abs(np.corrcoef(apart.T) - np.eye(4)) < 5 / np.sqrt(N))


@pytest.mark.parametrize("world", [PLANE, empirical([[0.3, 1.2], [-0.7, 0.1], [2.2, -1.4]])], ids=str)
def test_reverse_steps_from_x_t_bring_back_x_prev(world, rng):
    """One draw of the kernel for every x_t: the law of x_{t-1}, seen along a direction."""
    direction, prior = np.array([0.6, 0.8]), world.marginal(STEP.alpha_bar_prev)
    x = world.reverse_kernel(STEP, world.marginal(STEP.alpha_bar).sample(rng, N)).sample(rng)
    variances = np.broadcast_to(prior.covariances @ direction @ direction, len(prior.weights))
    shadow = mixture(prior.weights, prior.means @ direction, variances)
    assert stats.kstest(x @ direction, shadow.cdf).pvalue > 1e-6


def test_the_forward_process_takes_the_step_that_it_is_told(rng):
    x_0, x_prev, x_t = LINE.forward(STEP)(rng, N)
    assert stats.kstest(x_0, LINE.cdf).pvalue > 1e-6
    jump = (x_prev - np.sqrt(STEP.alpha_bar_prev) * x_0) / np.sqrt(1 - STEP.alpha_bar_prev)
    noise = (x_t - np.sqrt(STEP.alpha) * x_prev) / np.sqrt(STEP.beta)
    assert stats.kstest(jump, "norm").pvalue > 1e-6
    assert stats.kstest(noise, "norm").pvalue > 1e-6
    together = np.corrcoef([x_0, jump, noise])
    assert np.all(np.abs(together - np.eye(3)) < 5 / np.sqrt(N))


def test_a_path_visits_every_time(rng):
    alphas = np.array([0.97, 0.61, 0.83])
    xs = PLANE.path(alphas)(rng, N)
    assert [x.shape for x in xs] == [(N, 2)] * 4
    for x, alpha_bar in zip(xs[1:], np.cumprod(alphas)):
        law = PLANE.marginal(alpha_bar)
        standard_errors = np.sqrt(np.diag(law.covariance) / N)
        assert np.all(np.abs(x.mean(axis=0) - law.mean) < 5 * standard_errors)
        assert_allclose(np.cov(x.T), law.covariance, atol=0.05)


def test_draws_of_the_same_generator_are_the_same():
    draw = LINE.forward(STEP)
    one, other = (draw(np.random.default_rng(7), 100) for _ in range(2))
    assert_allclose(one, other, atol=0)


def test_a_data_set_of_digits_is_no_burden(rng):
    """1797 points in 64 dimensions: a thousand reverse steps at once, without an array of their product."""
    data, x_t = rng.random((1797, 64)), rng.normal(size=(1000, 64))
    tracemalloc.start()
    try:
        empirical(data).reverse_kernel(STEP, x_t).sample(rng)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 10 * x_t.shape[0] * data.shape[0] * data.itemsize  # the product is 64 tables of weights


# Input that makes no sense


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: mixture([0.5, 0.6], [0, 1], 1), r"weights has the sum 1.1; expected probabilities, which sum to 1"),
        (lambda: mixture([1.5, -0.5], [0, 1], 1), r"weights\[0\] is 1.5; expected a probability in \[0, 1\]"),
        (lambda: mixture(1.0, [0], 1), r"weights has shape \(\)"),
        (lambda: mixture([], [], 1), r"weights has shape \(0,\)"),
        (lambda: mixture([np.nan, 1], [0, 1], 1), r"weights\[0\] is nan; expected a finite number"),
        (lambda: mixture([0.5, 0.5], [0, np.inf], 1), r"means\[1\] is inf; expected a finite number"),
        (lambda: mixture([0.5, 0.5], [0, 1, 2], 1), r"means has shape \(3,\); for 2 weights expected \(2,\) or"),
        (lambda: mixture([0.5, 0.5], [0, 1], [1, -2]), "covariances holds -2; a variance is not negative"),
        (lambda: mixture([0.5, 0.5], [0, 1], [1, 2, 3]), r"covariances has shape \(3,\); expected \(\), \(2,\)"),
        (lambda: gaussian(0, [[1, 0], [0, 1]]), r"covariances has shape \(2, 2\)"),
        (lambda: gaussian([0, 0], [[1, 2], [2, 1]]), "eigenvalue -1; none may be negative"),
        (lambda: gaussian([0, 0], [[1, 0.5], [0, 1]]), "not symmetric"),
        (lambda: gaussian([0, 0], [[1, np.nan], [np.nan, 1]]), r"covariances\[0, 1\] is nan; expected a finite number"),
        (lambda: gaussian([0, 0, 0], np.eye(2)), r"expected \(\), \(1,\), \(3, 3\) or \(1, 3, 3\)"),
        (lambda: empirical([]), "points has shape"),
        (lambda: empirical(np.zeros((2, 2, 2))), "points has shape"),
        (lambda: finite([0.5, 0.5], [0, np.nan]), r"points\[1\] is nan; expected a finite number"),
        (lambda: LINE.marginal(1.2), r"1.2 is outside \[0, 1\]"),
        (lambda: LINE.marginal(np.nan), r"nan is outside \[0, 1\]"),
        (lambda: LINE.affine(1.0, -0.1), "noise = -0.1 a variance"),
        (lambda: LINE.affine(np.inf, 0.1), "scale = inf must be finite"),
        (lambda: LINE.path([0.5, 1.5]), "1.5 is outside"),
        (lambda: PLANE.score(0.3), r"x has shape \(\); in 2 dimensions expected \(..., 2\)"),
        (lambda: PLANE.reverse_kernel(STEP, np.zeros((5, 3))), r"x has shape \(5, 3\)"),
        (lambda: PLANE.score_slope([0.1, 0.2]), "score_slope is for one dimension, and this world has 2"),
        (lambda: PLANE.central_moments(), "one dimension"),
        (lambda: PLANE.entropy(), "one dimension"),
        (lambda: PLANE.cdf([0.1, 0.2]), "one dimension"),
        (lambda: ATOMS.score(0.3), "a component without spread has no density"),
        (lambda: ATOMS.entropy(), "a component without spread has no density"),
        (lambda: ATOMS.posterior(1.0, 0.3), "a component without spread has no density"),
    ],
)
def test_errors_name_the_argument(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_normal_takes_a_variance():
    assert_allclose(normal(0.3, -0.2, [0.49, 2.3]), stats.norm.pdf(0.3, -0.2, np.sqrt([0.49, 2.3])), rtol=1e-14)


def test_whole_numbers_and_lists_are_welcome():
    assert mixture([1], [2], [3])(0) == gaussian(2.0, 3.0)(0.0)
    assert repr(LINE) == "<mixture of 3 in one dimension>"
    assert repr(PLANE.reverse_kernel(STEP, np.zeros((4, 2)))) == "<mixture of 2 in 2 dimensions, batch (4,)>"
