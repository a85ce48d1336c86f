"""Worlds against what they stand for: sums, derivatives and integrals of densities by scipy and mpmath; Bayes' rule.

No oracle here shares a formula with ``numerics.worlds``.  The points are generic: no round numbers, no equal weights.
"""

from itertools import pairwise

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy import integrate, stats

from numerics.quadrature import Unsettled
from numerics.worlds import Step, empirical, finite, gaussian, mixture, normal

LINE = {"weights": [0.31, 0.47, 0.22], "means": [-1.13, 1.47, 0.29], "covariances": [0.23, 0.41, 0.057]}
SHARED = {"weights": [0.31, 0.47, 0.22], "means": [-1.13, 1.47, 0.29], "covariances": 0.137}
PLANE = {
    "weights": [0.37, 0.63],
    "means": [[-0.83, 0.41], [1.19, -0.67]],
    "covariances": [[[0.53, 0.21], [0.21, 0.34]], [[0.29, -0.11], [-0.11, 0.61]]],
}
ATOMS = {"weights": [0.23, 0.46, 0.31], "points": [-1.61, 0.29, 1.33]}
STEP = Step(alpha=0.683, alpha_bar_prev=0.591)
SOME_X = np.array([-1.27, 0.19, 1.71])
SOME_IN_PLANE = np.array([[-0.71, 0.33], [0.27, -1.19], [1.43, 0.59]])

on_the_line = pytest.mark.parametrize("parts", [LINE, SHARED], ids=["own-variances", "one-variance"])
proportions = st.floats(0.01, 0.99)


def density_on_the_line(x, weights, means, covariances):
    """From scipy."""
    variances = np.broadcast_to(covariances, len(weights))
    return sum(w * stats.norm.pdf(x, m, np.sqrt(v)) for w, m, v in zip(weights, means, variances))


def density_in_space(x, weights, means, covariances):
    """From scipy."""
    return sum(w * stats.multivariate_normal.pdf(x, m, c) for w, m, c in zip(weights, means, covariances))


def log_density_of_mpmath(weights, means, covariances):
    """As a function of a number, in extended precision."""
    variances = np.broadcast_to(covariances, len(weights))
    parts = [[mp.mpf(float(a)) for a in part] for part in zip(weights, means, variances)]
    return lambda x: mp.log(sum(w * mp.npdf(x, m, mp.sqrt(v)) for w, m, v in parts))


# The density and its derivatives


@on_the_line
def test_density_on_the_line(parts):
    x = np.linspace(-3.1, 3.7, 23).reshape(1, 23)
    world, expected = mixture(**parts), density_on_the_line(x, **parts)
    assert_allclose(world(x), expected, rtol=1e-13)
    assert_allclose(world.log_density(x), np.log(expected), rtol=1e-12, atol=1e-14)
    assert_allclose(world(0.7), density_on_the_line(0.7, **parts), rtol=1e-13)


def test_density_in_space():
    assert_allclose(mixture(**PLANE)(SOME_IN_PLANE), density_in_space(SOME_IN_PLANE, **PLANE), rtol=1e-13)
    assert mixture(**PLANE)(SOME_IN_PLANE[0]).shape == ()
    rng = np.random.default_rng(6)
    roots, x = rng.normal(size=(2, 4, 4)), rng.normal(size=(3, 4))
    parts = {"weights": [0.3, 0.7], "means": rng.normal(size=(2, 4)), "covariances": roots @ roots.transpose(0, 2, 1)}
    assert_allclose(mixture(**parts)(x), density_in_space(x, **parts), rtol=1e-11)


@on_the_line
@pytest.mark.parametrize("x", [-1.27, 0.19, 1.71, -41.3, 3.7e4])
def test_derivatives_on_the_line(parts, x):
    """Far out too, where every density underflows."""
    world = mixture(**parts)
    with mp.workdps(80):
        f = log_density_of_mpmath(**parts)
        expected = [float(mp.diff(f, mp.mpf(x), order, h=mp.mpf("1e-15"))) for order in range(4)]
    found = [g(x) for g in (world.log_density, world.score, world.score_slope, world.score_curvature)]
    assert_allclose(found, expected, rtol=1e-12, atol=1e-11)


@pytest.mark.parametrize("x", [*SOME_IN_PLANE, np.array([310.7, -520.3])])
def test_derivatives_in_the_plane(x):
    world = mixture(**PLANE)

    def log_density(a, b):
        def quadratic(m, c):
            det, u, v = c[0, 0] * c[1, 1] - c[0, 1] ** 2, a - m[0], b - m[1]
            return mp.exp(-(c[1, 1] * u * u - 2 * c[0, 1] * u * v + c[0, 0] * v * v) / det / 2) / mp.sqrt(det)

        parts = zip(PLANE["weights"], PLANE["means"], PLANE["covariances"])
        return mp.log(sum(w * quadratic(mp.matrix(m), mp.matrix(c)) for w, m, c in parts) / (2 * mp.pi))

    def partial(*orders):
        return float(mp.diff(log_density, tuple(x), orders, h=mp.mpf("1e-15")))

    with mp.workdps(80):
        gradient = [partial(1, 0), partial(0, 1)]
        hessian = [[partial(2, 0), partial(1, 1)], [partial(1, 1), partial(0, 2)]]
    assert_allclose(world.score(x), gradient, rtol=1e-12)
    assert_allclose(world.hessian(x), hessian, rtol=1e-11, atol=1e-12)


@on_the_line
def test_responsibilities_are_shares_of_the_density(parts):
    world = mixture(**parts)
    w, m, v = (np.broadcast_to(part, 3) for part in parts.values())
    terms = w * stats.norm.pdf(SOME_X[:, None], m, np.sqrt(v))
    assert_allclose(world.responsibilities(SOME_X), terms / terms.sum(axis=1, keepdims=True), rtol=1e-12)


@on_the_line
def test_cdf_is_the_integral_of_the_density(parts):
    world = mixture(**parts)
    f = lambda x: density_on_the_line(x, **parts)
    areas = [integrate.quad(f, -9, x, points=parts["means"], epsabs=1e-12)[0] for x in SOME_X]
    assert_allclose(world.cdf(SOME_X), areas, atol=1e-10)
    assert_allclose(finite(**ATOMS).cdf([-1.62, -1.61, 0.3, 1.33]), [0, 0.23, 0.69, 1], rtol=1e-15)


# Moments, entropy, information


@on_the_line
def test_moments_on_the_line(parts):
    world = mixture(**parts)

    def moment(f):
        return integrate.quad(lambda x: f(x) * density_on_the_line(x, **parts), -8, 8, limit=400, epsabs=1e-13)[0]

    mean = moment(lambda x: x)
    found = world.central_moments()
    assert_allclose(world.mean, mean, rtol=1e-10)
    assert_allclose(world.variance, found.second, rtol=1e-14)
    assert_allclose(found, [moment(lambda x, p=p: (x - mean) ** p) for p in (2, 3, 4, 6)], rtol=1e-9)


def test_moments_in_the_plane():
    w, m, c = (np.array(part) for part in PLANE.values())
    mean = w @ m
    second = sum(a * (cov + np.outer(b, b)) for a, b, cov in zip(w, m, c))
    world = mixture(**PLANE)
    assert_allclose(world.mean, mean, rtol=1e-14)
    assert_allclose(world.covariance, second - np.outer(mean, mean), rtol=1e-13)
    assert_allclose(world.covariances, c, rtol=1e-13)


@on_the_line
def test_entropy_and_fisher_information(parts):
    world = mixture(**parts)
    with mp.workdps(20):
        f = log_density_of_mpmath(**parts)
        breaks = [-9, -2, -1, 0, 0.3, 0.6, 1, 2, 9]
        entropy = -mp.quad(lambda x: mp.exp(f(x)) * f(x), breaks)
        fisher = mp.quad(lambda x: mp.exp(f(x)) * mp.diff(f, x) ** 2, breaks, maxdegree=4)
    assert_allclose(world.entropy(), float(entropy), rtol=1e-12)
    assert_allclose(world.fisher(), float(fisher), rtol=1e-9)


def test_entropy_of_components_far_apart_and_unlike():
    """The entropies of two distant Gaussians, averaged, and that of the choice between them."""
    w, m, v = np.array([0.31, 0.69]), np.array([-130.7, 97.1]), np.array([1.3e-7, 3.9])
    lost = np.finfo(float).eps * 200 / np.sqrt(1.3e-7)  # the last bits of x, on the scale of the narrow one
    assert_allclose(mixture(w, m, v).entropy(), np.sum(w * (np.log(2 * np.pi * np.e * v) / 2 - np.log(w))), atol=lost)
    assert_allclose(mixture(w, m, v).fisher(), np.sum(w / v), rtol=lost)


def test_a_spike_within_a_hill_is_refused_when_it_is_too_narrow():
    assert_allclose(mixture([0.5, 0.5], [0.3, 0.3], [1e-4, 1.0]).entropy(), spiked_entropy(), rtol=1e-10)
    with pytest.raises(Unsettled):
        mixture([0.5, 0.5], [0.3, 0.3], [1e-6, 1.0]).entropy()  # good to 1e-10, and rounding would be 1e-12


def spiked_entropy():
    f = lambda x: 0.5 * stats.norm.pdf(x, 0, 1e-2) + 0.5 * stats.norm.pdf(x)
    pieces = [-9, -1, -0.1, -0.05, -0.02, 0, 0.02, 0.05, 0.1, 1, 9]
    return -sum(integrate.quad(lambda x: f(x) * np.log(f(x)), a, b, epsabs=1e-14)[0] for a, b in pairwise(pieces))


# The forward process, and Bayes' rule


@on_the_line
@pytest.mark.parametrize("alpha_bar", [0.91, 0.137])
def test_marginal_is_a_convolution(parts, alpha_bar):
    """The integral over x_0 of q_0(x_0) N(x_t; sqrt(alpha_bar) x_0, 1 - alpha_bar)."""

    def integrand(x_0, x):
        return density_on_the_line(x_0, **parts) * stats.norm.pdf(x, alpha_bar**0.5 * x_0, (1 - alpha_bar) ** 0.5)

    expected = [integrate.quad(integrand, -8, 8, args=(x,), limit=400, epsabs=1e-13)[0] for x in SOME_X]
    assert_allclose(mixture(**parts).marginal(alpha_bar)(SOME_X), expected, rtol=1e-9)


def test_marginal_in_the_plane():
    w, m, c = (np.array(part) for part in PLANE.values())
    expected = density_in_space(SOME_IN_PLANE, w, 0.37**0.5 * m, 0.37 * c + 0.63 * np.eye(2))
    assert_allclose(mixture(**PLANE).marginal(0.37)(SOME_IN_PLANE), expected, rtol=1e-13)


@on_the_line
def test_posterior_and_reverse_kernel_are_bayes_rule_on_the_line(parts):
    world, x = mixture(**parts), np.linspace(-2.1, 2.3, 9)[:, None]
    prior, now = world.marginal(STEP.alpha_bar_prev), world.marginal(STEP.alpha_bar)
    seen_from_0 = stats.norm.pdf(SOME_X, STEP.alpha_bar**0.5 * x, (1 - STEP.alpha_bar) ** 0.5)
    seen_from_prev = stats.norm.pdf(SOME_X, STEP.alpha**0.5 * x, STEP.beta**0.5)
    assert_allclose(world.posterior(STEP.alpha_bar, SOME_X)(x), world(x) * seen_from_0 / now(SOME_X), rtol=1e-12)
    assert_allclose(world.reverse_kernel(STEP, SOME_X)(x), prior(x) * seen_from_prev / now(SOME_X), rtol=1e-12)


@pytest.mark.parametrize(
    "covariances",
    [PLANE["covariances"], PLANE["covariances"][0], [0.31, 0.83], 0.47],
    ids=["matrices", "one-matrix", "numbers", "one-number"],
)
def test_posterior_and_reverse_kernel_are_bayes_rule_in_the_plane(covariances):
    world = mixture(PLANE["weights"], PLANE["means"], covariances)
    prior, now, x = world.marginal(STEP.alpha_bar_prev), world.marginal(STEP.alpha_bar), SOME_IN_PLANE[:, None] + 0.1

    def seen(scale, noise):
        return np.prod(stats.norm.pdf(SOME_IN_PLANE, scale**0.5 * x, noise**0.5), axis=-1)

    expected = world(x) * seen(STEP.alpha_bar, 1 - STEP.alpha_bar) / now(SOME_IN_PLANE)
    assert_allclose(world.posterior(STEP.alpha_bar, SOME_IN_PLANE)(x), expected, rtol=1e-12)
    expected = prior(x) * seen(STEP.alpha, STEP.beta) / now(SOME_IN_PLANE)
    assert_allclose(world.reverse_kernel(STEP, SOME_IN_PLANE)(x), expected, rtol=1e-12)


def test_a_gaussian_is_conditioned_as_in_a_textbook():
    """With the inverse of the covariance of what is seen, in four dimensions; the covariance has rank 3."""
    rng = np.random.default_rng(5)
    m, root, y = rng.normal(size=4), rng.normal(size=(4, 3)), rng.normal(size=(5, 4))
    c, s, v = root @ root.T, 0.83, 0.37
    gain = s * c @ np.linalg.inv(s * s * c + v * np.eye(4))
    law = gaussian(m, c).conditioned(s, v, y)
    assert_allclose(law.mean, m + (y - s * m) @ gain.T, rtol=1e-12, atol=1e-13)
    assert_allclose(law.covariance, np.broadcast_to(c - s * gain @ c, (5, 4, 4)), atol=1e-13)


def test_posterior_of_points_are_points():
    """Weights by Bayes' rule; and at t = 1 the reverse kernel is that posterior."""
    world = finite(**ATOMS)
    likelihood = stats.norm.pdf(SOME_X[:, None], 0.41**0.5 * np.array(ATOMS["points"]), 0.59**0.5)
    joint = likelihood * ATOMS["weights"]
    posterior, kernel = world.posterior(0.41, SOME_X), world.reverse_kernel(Step(0.41, 1.0), SOME_X)
    for law in (posterior, kernel):
        assert_allclose(law.weights, joint / joint.sum(axis=1, keepdims=True), rtol=1e-12)
        assert_allclose(law.means - np.array(ATOMS["points"]), np.zeros((3, 3)), atol=0)
        assert np.all(law.variances == 0)


def test_the_reverse_kernel_of_data_points_averages_bridges():
    """q(x_{t-1} | x_t, x_0), by Bayes' rule, over the posterior of x_0; in 5 dimensions, for a data set of 40."""
    data, x_t = np.random.default_rng(3).normal(size=(40, 5)), np.random.default_rng(4).normal(size=(7, 5))
    bar_prev, alpha = 0.91, 0.83
    log_w = -np.sum((x_t[:, None] - (bar_prev * alpha) ** 0.5 * data) ** 2, axis=-1) / (2 * (1 - bar_prev * alpha))
    w = np.exp(log_w - log_w.max(axis=1, keepdims=True))
    w /= w.sum(axis=1, keepdims=True)
    precision = alpha / (1 - alpha) + 1 / (1 - bar_prev)
    bridges = (alpha**0.5 / (1 - alpha) * x_t[:, None] + bar_prev**0.5 / (1 - bar_prev) * data) / precision
    mean = np.einsum("nk,nkd->nd", w, bridges)
    between = np.einsum("nk,nki,nkj->nij", w, bridges - mean[:, None], bridges - mean[:, None])
    law = empirical(data).reverse_kernel(Step(alpha, bar_prev), x_t)
    assert_allclose(law.mean, mean, rtol=1e-11, atol=1e-12)
    assert_allclose(law.covariance, between + np.eye(5) / precision, rtol=1e-10, atol=1e-12)


# Identities for all worlds


@st.composite
def worlds(draw, some=st.integers(1, 4)):
    """Mixtures on the line, with a variance for each component or one for all."""
    k = draw(some)
    numbers = lambda low, high: draw(st.lists(st.floats(low, high), min_size=k, max_size=k))
    weights = np.array(numbers(0.05, 1))
    return mixture(weights / weights.sum(), numbers(-3, 3), numbers(0.01, 4) if draw(st.booleans()) else 0.61)


@given(worlds(), proportions, st.floats(-5, 5))
def test_tweedie_ties_the_posterior_to_the_score(world, alpha_bar, x_t):
    now, law, noise = world.marginal(alpha_bar), world.posterior(alpha_bar, x_t), 1 - alpha_bar
    assert_allclose(law.mean, (x_t + noise * now.score(x_t)) / np.sqrt(alpha_bar), rtol=1e-9, atol=1e-10)
    assert_allclose(law.variance, noise / alpha_bar * (1 + noise * now.score_slope(x_t)), rtol=1e-9, atol=1e-9)
    third = (noise / np.sqrt(alpha_bar)) ** 3 * now.score_curvature(x_t)  # of the cumulants, the third
    assert_allclose(law.central_moments().third, third, rtol=1e-8, atol=1e-8)


@given(worlds(), proportions, proportions, st.floats(-4, 4), st.floats(-4, 4))
def test_two_steps_are_one(world, first, second, x, y):
    assert_allclose(world.marginal(first).marginal(second)(x), world.marginal(first * second)(x), rtol=1e-11)
    through = world.marginal(first).conditioned(np.sqrt(second), 1 - second, y)
    assert_allclose(through(x), world.reverse_kernel(Step(second, first), y)(x), rtol=1e-10)


@given(worlds(), proportions, st.floats(-4, 4), st.floats(-2, 2), st.floats(0.1, 4), st.floats(-4, 4), st.floats(-3, 3))
def test_what_is_known_may_be_conditioned_again(world, alpha_bar, x_t, scale, noise, y, x):
    """Bayes' rule, and moments, for a law that has already been conditioned."""
    law = world.posterior(alpha_bar, x_t)
    seen = law.affine(scale, noise)
    bayes = law.log_density(x) + np.log(normal(y, scale * x, noise)) - seen.log_density(y)
    assert_allclose(law.conditioned(scale, noise, y).log_density(x), bayes, rtol=1e-9, atol=1e-9)
    assert_allclose(seen.mean, scale * law.mean, rtol=1e-12, atol=1e-13)
    both = law.marginal(np.array([0.83, 0.37]))
    assert_allclose(both(x), [law.marginal(0.83)(x), law.marginal(0.37)(x)], rtol=1e-12)


@given(worlds(), st.floats(0.1, 4), st.floats(-2, 2))
def test_affine_moves_moments(world, noise, scale):
    assert_allclose(world.affine(scale, noise).mean, scale * world.mean, rtol=1e-12, atol=1e-13)
    assert_allclose(world.affine(scale, noise).variance, scale**2 * world.variance + noise, rtol=1e-12)


@settings(max_examples=20)
@given(worlds(), proportions)
def test_information_falls_and_entropy_stays_below_the_gaussian(world, alpha_bar):
    """Blachman-Stam and maximum entropy, each an equality for one Gaussian."""
    law = world.marginal(alpha_bar)
    assert 1 / law.fisher() >= (alpha_bar / world.fisher() + 1 - alpha_bar) * (1 - 1e-12)
    assert law.entropy() <= np.log(2 * np.pi * np.e * law.variance) / 2 + 1e-12


# Batches and shapes


@pytest.mark.parametrize(
    "make",
    [lambda: mixture(**LINE), lambda: mixture(**SHARED), lambda: finite(**ATOMS)],
    ids=["line", "shared variance", "atoms"],
)
def test_a_batch_is_its_laws_side_by_side(make):
    world, x_t = make(), np.array([[-1.27, 0.19, 1.71], [0.53, -0.31, 2.9]])
    batch, x = world.reverse_kernel(STEP, x_t), np.linspace(-1, 1, 4)[:, None, None]
    assert batch.batch == x_t.shape
    for index in np.ndindex(*x_t.shape):
        law, pick = world.reverse_kernel(STEP, x_t[index]), (slice(None), *index)
        for name in ("density", "score", "score_slope", "score_curvature", "cdf"):
            assert_allclose(getattr(batch, name)(x)[pick], getattr(law, name)(x[:, 0, 0]), rtol=1e-12, atol=1e-13)
        assert_allclose(batch.entropy()[index], law.entropy(), rtol=1e-12)
        assert_allclose(batch.fisher()[index], law.fisher(), rtol=1e-12)
        assert_allclose(np.array(batch.central_moments())[(slice(None), *index)], law.central_moments(), rtol=1e-12)
        assert_allclose(batch.marginal(0.61).mean[index], law.marginal(0.61).mean, rtol=1e-14)


def test_a_schedule_makes_a_batch_of_marginals():
    alpha_bars = np.array([0.97, 0.53, 0.08])
    for world, x in ((mixture(**LINE), 0.3), (mixture(**SHARED), 0.3), (mixture(**PLANE), SOME_IN_PLANE[0])):
        together, apart = world.marginal(alpha_bars), [world.marginal(a) for a in alpha_bars]
        assert together.batch == (3,)
        assert_allclose(together(x), [law(x) for law in apart], rtol=1e-13)
        assert_allclose(together.score(x), [law.score(x) for law in apart], rtol=1e-12)
        assert_allclose(together.covariance, [law.covariance for law in apart], rtol=1e-12)
        posteriors = [world.posterior(a, x).mean for a in alpha_bars]
        assert_allclose(world.posterior(alpha_bars, x).mean, posteriors, rtol=1e-12)


def test_one_covariance_however_it_is_written():
    written = [0.47, [0.47, 0.47], 0.47 * np.eye(2), np.array([0.47 * np.eye(2)] * 2)]
    laws = [mixture(PLANE["weights"], PLANE["means"], c).reverse_kernel(STEP, SOME_IN_PLANE) for c in written]
    for law in laws[1:]:
        for name in ("density", "score", "hessian", "responsibilities"):
            found, expected = (getattr(one, name)(SOME_IN_PLANE) for one in (law, laws[0]))
            assert_allclose(found, expected, rtol=1e-11, atol=1e-12)
        assert_allclose(law.means, laws[0].means, rtol=1e-12, atol=1e-13)


def test_a_vector_of_one_coordinate_is_a_number():
    line, vector = mixture(**LINE), mixture(LINE["weights"], np.array(LINE["means"])[:, None], LINE["covariances"])
    assert (line.dimension, vector.dimension) == (None, 1)
    assert_allclose(
        vector.reverse_kernel(STEP, SOME_X[:, None]).score(SOME_X[:, None])[:, 0],
        line.reverse_kernel(STEP, SOME_X).score(SOME_X),
        rtol=1e-13,
    )
