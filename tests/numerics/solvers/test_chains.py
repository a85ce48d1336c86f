"""Chains backwards: the exact one gives back the data, the naive one explodes as proved, the Gaussian comes close."""

from functools import partial

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import stats

from numerics.quadrature import EPS
from numerics.schedules import Step, from_alpha_bars, linear
from numerics.solvers.chains import (
    TOGETHER,
    MomentMatched,
    Naive,
    chain,
    exact,
    in_parts,
    log_ratios,
    moment_matched,
    naive,
)
from numerics.solvers.digits import divergence, naive_variance
from numerics.statistics.streams import stream
from numerics.worlds import empirical, gaussian, mixture

DATA = np.random.default_rng(3).normal(size=(40, 5)) * [1.3, 0.4, 0.7, 1.1, 0.2] + 0.3
WORLD = empirical(DATA)
STEP = Step(alpha=0.83, alpha_bar_prev=0.71)
SOME_X = np.random.default_rng(4).normal(size=(7, 5))
streams = partial(stream, 0, "tests", "chains")


def every(k, schedule=None):
    """A schedule of the steps k, 2k, ..."""
    schedule = schedule or linear()
    return from_alpha_bars(schedule.alpha_bar(np.arange(k, schedule.T + 1, k)))


def ended(kernel, world, schedule, n, seed=5):
    """The particles of a chain from q_T, and where it ends."""
    x_T = world.marginal(schedule.alpha_bars[-1]).sample(np.random.default_rng(seed), n)
    *_, (t, x) = chain(kernel, world, schedule, x_T, streams)
    assert t == 0
    return x


# ---------------------------------------------------------------- kernels


@pytest.mark.parametrize("step", [STEP, linear().step(2), linear().step(400), linear().step(1000)], ids=str)
def test_weights_are_the_softmax_of_distances(step):
    """Written out point by point, in extended precision; rounding moves an exponent by units in the last place."""
    x_t = WORLD.marginal(step.alpha_bar).sample(np.random.default_rng(6), 9)
    bar = np.longdouble(step.alpha_bar)
    found = MomentMatched(WORLD.reverse_kernel(step, x_t)).weights
    for x, weights in zip(x_t, found):
        apart = np.longdouble(x) - np.sqrt(bar) * np.longdouble(DATA)
        exponents = np.sum(apart**2, axis=1) / (2 * (1 - bar))
        w = np.exp(np.min(exponents) - exponents)
        w /= np.sum(w)
        moved = 16 * EPS * (1 + exponents + np.sum(np.abs(apart * x), axis=1) / (1 - bar))
        assert np.all(np.abs(weights - w) <= w * (moved + np.sum(w * moved)) + 1e-300)


def test_the_gaussian_has_the_moments_of_the_kernel():
    n = 40_000
    x_t = np.tile(SOME_X[0], (n, 1))
    law = WORLD.reverse_kernel(STEP, SOME_X[0])
    x = moment_matched(WORLD, STEP, x_t).sample(np.random.default_rng(8))
    sigma = np.sqrt(np.diag(law.covariance))
    assert np.all(np.abs(x.mean(axis=0) - law.mean) < 5 * sigma / np.sqrt(n))
    second = np.cov(x.T) / np.outer(sigma, sigma)
    assert np.all(np.abs(second - law.covariance / np.outer(sigma, sigma)) < 5 * np.sqrt(2 / n))
    assert stats.kstest((x[:, 0] - law.mean[0]) / sigma[0], "norm").pvalue > 1e-6


def test_densities_of_the_gaussian_and_of_the_naive_kernel():
    law, x = WORLD.reverse_kernel(STEP, SOME_X), SOME_X[::-1] * 0.6
    matched = [stats.multivariate_normal(m, c).logpdf(p) for m, c, p in zip(law.mean, law.covariance, x)]
    assert_allclose(moment_matched(WORLD, STEP, SOME_X).log_density(x), matched, rtol=1e-10)
    centres = SOME_X / np.sqrt(0.83)
    fresh = [stats.multivariate_normal(m, 0.17 / 0.83 * np.eye(5)).logpdf(p) for m, p in zip(centres, x)]
    assert_allclose(naive(WORLD, STEP, SOME_X).log_density(x), fresh, rtol=1e-12)


def test_the_naive_kernel_draws_from_its_density():
    n = 40_000
    x = Naive(STEP, np.tile(SOME_X[0], (n, 1))).sample(np.random.default_rng(9))
    noise = (x - SOME_X[0] / np.sqrt(0.83)) / np.sqrt(0.17 / 0.83)
    assert all(stats.kstest(z, "norm").pvalue > 1e-6 for z in noise.T)
    assert np.all(np.abs(np.corrcoef(noise.T) - np.eye(5)) < 5 / np.sqrt(n))


def test_moments_are_matched_for_data_sets_only():
    world = mixture([0.3, 0.7], [[0.0, 1.0], [2.0, -1.0]], [0.1, 0.4])
    with pytest.raises(ValueError, match="components have one variance"):
        moment_matched(world, STEP, SOME_X[:, :2])


# ---------------------------------------------------------------- divergences


def test_the_log_ratio_to_the_naive_kernel_telescopes():
    """log q(x_{t-1} | x_t) / n(x_{t-1} | x_t) = log q_{t-1}(x_{t-1}) - log q_t(x_t) - d/2 log alpha, at every point."""
    x_prev = SOME_X[::-1] * 0.6
    before, now = WORLD.marginal(STEP.alpha_bar_prev), WORLD.marginal(STEP.alpha_bar)
    expected = before.log_density(x_prev) - now.log_density(SOME_X) - 5 / 2 * np.log(STEP.alpha)
    assert_allclose(log_ratios(WORLD, STEP, SOME_X, x_prev)[1], expected, rtol=1e-11)


def test_divergences_are_those_of_quadrature():
    """On a line: both densities on a grid, for every x_t of a grid."""
    world, step = empirical([[-1.2], [0.3], [1.7]]), Step(alpha=0.47, alpha_bar_prev=0.93)
    now = world.marginal(step.alpha_bar)
    x_t, x = np.linspace(-6, 6, 401), np.linspace(-7, 7, 2001)
    law = world.reverse_kernel(step, x_t[:, None, None])
    log_q = law.log_density(x[None, :, None])
    q = np.exp(log_q)
    matched = stats.norm.logpdf(x, law.mean[..., 0], np.sqrt(law.covariance[..., 0, 0]))
    fresh = stats.norm.logpdf(x, x_t[:, None] / np.sqrt(0.47), np.sqrt(0.53 / 0.47))
    over = now.density(x_t[:, None]) * (x_t[1] - x_t[0])

    n, rng = 20_000, np.random.default_rng(12)
    _, x_prev, drawn = world.forward(step)(rng, n)
    for rival, ratios in zip((matched, fresh), log_ratios(world, step, drawn, x_prev), strict=True):
        kl = np.sum(over[:, None] * q * (log_q - rival)) * (x[1] - x[0])
        reverse = np.sum(over[:, None] * np.exp(rival) * (rival - log_q)) * (x[1] - x[0])
        for small in (False, True):
            found = divergence(ratios[None], small)
            assert abs(found.value - kl) < 5 * found.error
            assert abs(found.value - reverse) > 5 * found.error


def test_at_the_last_step_there_is_no_density():
    with pytest.raises(ValueError, match="a component without spread has no density"):
        log_ratios(WORLD, linear().step(1), SOME_X, SOME_X)


# ---------------------------------------------------------------- chains


@pytest.mark.parametrize("schedule", [every(500), every(50), every(20)], ids=str)
def test_the_exact_chain_gives_back_the_data_in_any_number_of_steps(schedule):
    n = 20_000 // schedule.T
    x = ended(exact, WORLD, schedule, n)
    index = np.argmin(np.sum((x[:, None] - DATA) ** 2, axis=-1), axis=1)
    assert np.array_equal(x, DATA[index])  # to the last bit: at t = 1 the kernel draws data points
    counts = np.bincount(index, minlength=len(DATA))
    assert stats.chisquare(counts).pvalue > 1e-6


def test_the_gaussian_chain_does_so_in_small_steps_only():
    fine, coarse = (ended(moment_matched, WORLD, schedule, 200) for schedule in (every(5), every(500)))
    away = [np.sqrt(np.min(np.sum((x[:, None] - DATA) ** 2, axis=-1), axis=1)) for x in (fine, coarse)]
    assert np.median(away[0]) < 100 * EPS * np.max(np.abs(DATA))
    assert np.median(away[1]) > 0.1


def test_the_naive_chain_explodes_to_the_variance_that_is_proved():
    """v_0 + 2 (1 / alpha_bar_T - 1) in each dimension, within the error that is known of as many draws."""
    n, schedule = 512, linear()
    x = ended(naive, WORLD, schedule, n)
    found = np.mean((x - WORLD.mean) ** 2)
    added = 1 / schedule.alpha_bars[-1] - 1
    claimed = naive_variance(DATA, 2 * added, n)
    assert abs(found - claimed.value) < 5 * claimed.error
    for wrong in (naive_variance(DATA, added, n), naive_variance(DATA, 0.0, n)):  # "factor-one", "stays-unit"
        assert abs(found - wrong.value) > 5 * wrong.error


def test_the_error_of_the_naive_variance():
    """Draw x_0 + noise and look; noise is as large as the data, so that every term of the error counts."""
    n, added = 100_000, 0.7
    rng = np.random.default_rng(13)
    x = DATA[rng.integers(len(DATA), size=n)] + np.sqrt(added) * rng.standard_normal((n, 5))
    each = np.mean((x - DATA.mean(axis=0)) ** 2, axis=1)
    claimed = naive_variance(DATA, added, 1)
    assert abs(each.mean() - claimed.value) < 5 * claimed.error / np.sqrt(n)
    squares = (each - claimed.value) ** 2
    assert abs(squares.mean() - claimed.error**2) < 5 * squares.std() / np.sqrt(n)


def test_a_seed_settles_all_draws_and_parts_are_their_own():
    schedule = every(100)
    x_T = np.random.default_rng(1).normal(size=(TOGETHER + 10, 5))
    one, again = ([x for _, x in chain(exact, WORLD, schedule, x_T, streams)] for _ in range(2))
    assert np.array_equal(one, again)
    fewer = [x for _, x in chain(exact, WORLD, schedule, x_T[:TOGETHER], streams)]
    assert np.array_equal(np.array(one)[:, :TOGETHER], fewer)
    other = [x for _, x in chain(exact, WORLD, schedule, x_T, partial(stream, 1, "tests", "chains"))]
    assert not np.any(np.array(one)[0] == np.array(other)[0])


def test_parts_cover_all_particles():
    for n in (1, TOGETHER, TOGETHER + 1, 3 * TOGETHER):
        assert np.array_equal(np.concatenate([np.arange(n)[part] for part in in_parts(n)]), np.arange(n))


def test_with_one_data_point_the_gaussian_is_exact():
    world = gaussian([0.3, -1.2], 0.0)
    x = SOME_X[:, :2]
    assert_allclose(moment_matched(world, STEP, x).log_density(x), exact(world, STEP, x).log_density(x), rtol=1e-12)
