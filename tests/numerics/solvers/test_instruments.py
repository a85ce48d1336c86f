"""The law of a chain without running it, and the ends of trajectories without solving the ODE."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from numerics import worlds
from numerics.solvers import grids, moments, transport
from numerics.solvers.grids import Level
from numerics.solvers.predictions import KINDS, converted, denoiser
from numerics.solvers.running import drawn, walk
from numerics.solvers.table import Row, Table

WORLD = worlds.mixture([0.23, 0.46, 0.31], [-1.4, 0.3, 1.9], [0.09, 0.31, 0.14])
GRID = grids.log_snr(4, 3.1, 0.2)


def some_table(kind="x_0", noise=0.3):
    """No sampler that anyone would use: three registers, and every kind of row."""
    first = Row(GRID[0], {"x": {"x": 0.7, "p": 0.2}, "d": {"p": 1.0}}, noise)
    add = Row(None, {"x": {"x": 1.1, "d": -0.1}, "y": {"x": 1.0}}, noise / 2, reached=1)
    last = Row(GRID[2], {"x": {"x": 0.4, "y": 0.3, "d": 0.2, "p": 0.15}, "d": {"p": 1.0, "x": 0.1}}, reached=2)
    again = Row(GRID[3], {"x": {"x": 0.9, "d": 0.1, "p": -0.05}}, noise, reached=3)
    table = Table("some", GRID, (first, add, last, again))
    return table if kind == "x_0" else table.predicting(kind)


@pytest.mark.parametrize("kind", KINDS)
def test_the_law_of_a_chain_is_that_of_its_draws(kind):
    """Superposition: with Gaussian data the end is affine in x at the start and in every draw; the law is read off."""
    mean, variance, table = 0.37, 0.61, some_table(kind)
    predict = converted(denoiser(worlds.gaussian(mean, variance)), kind)
    draws = [k for k, row in enumerate(table.rows) if row.noise]
    start = moments.exact(mean, variance, GRID[0])

    def ends(units):
        """x at every level, where x at the start and each draw are multiples of their standard deviations."""
        x = start.mean + np.sqrt(start.variance) * units[0]
        return dict(walk(table, predict, x, lambda k, x: units[1 + draws.index(k)] + 0 * x))

    base = np.zeros((1 + len(draws), 2 + len(draws)))  # a column for each thing that is drawn, and one for none of them
    base[:, 1:] = np.eye(1 + len(draws))
    for reached, x in ends(base).items():
        found = dict(moments.chain(table, mean, variance))[reached]
        assert found.mean == pytest.approx(x[0], rel=1e-13)
        assert found.variance == pytest.approx(np.sum((x[1:] - x[0]) ** 2), rel=1e-12)


def test_the_law_may_begin_anywhere():
    table = some_table()
    one = moments.final(table, 0.37, 0.61, moments.Moments(0.0, 1.0))
    other = moments.final(table, 0.37, 0.61)
    assert moments.w2(one, other) > 1e-3
    assert moments.w2(other, other) == 0


def test_trajectories_are_those_of_the_probability_flow():
    """du/d sigma = (u - D(u; sigma)) / sigma, solved by somebody else."""
    start, end = Level(1.0, 3.0, 0.0), Level(1.0, 0.07, 0.0)
    predict = denoiser(WORLD)
    u = np.array([-5.1, -2.2, -0.4, 0.1, 1.3, 4.7])

    def field(sigma, u):
        return (u - predict(u, Level(1.0, sigma, 0.0))) / sigma

    solved = solve_ivp(field, (start.noise, end.noise), u, method="DOP853", rtol=1e-12, atol=1e-13).y[:, -1]
    assert np.allclose(transport.transported(WORLD, u, start, end), solved, rtol=0, atol=1e-9)


def test_quantiles_invert_the_distribution_function_in_both_tails():
    law = transport.law(WORLD, Level(0.8, 0.6, 0.0))
    for u in (1e-300, 1e-12, 0.2, 0.5):
        assert law.cdf(transport.quantile(law, u)) == pytest.approx(u, rel=1e-10)
    x = np.array([-9.0, -1.0, 0.2, 9.0])
    assert np.allclose(transport.carried(law, law, x), x, rtol=1e-13)


def test_points_are_carried_to_points():
    """Data that are finitely many: every trajectory ends on one of them."""
    data = worlds.finite([0.3, 0.7], [-1.2, 0.8])
    x = np.array([-3.0, -0.5, 0.1, 2.0])
    ends = transport.transported(data, x, Level(1.0, 0.9, 0.0), Level(1.0, 0.0, 0.0))
    assert np.allclose(np.sort(np.unique(np.round(ends, 12))), [-1.2, 0.8])


def test_draws_of_a_part_do_not_depend_on_the_other_parts():
    x = np.zeros((5, 3))
    assert np.array_equal(drawn(3)(2, x), drawn(3)(2, x))
    others = [drawn(4)(2, x), drawn(3)(1, x), drawn(3, part=1)(2, x), drawn(3, "other")(2, x)]
    assert all(not np.any(drawn(3)(2, x) == other) for other in others)
    assert np.array_equal(drawn(3)(2, np.zeros((9, 3)))[:5], drawn(3)(2, x))  # more particles leave these as they are


def test_the_shadow_of_a_mixture_is_the_law_of_its_inner_products():
    covariances = np.array([[[0.5, 0.2], [0.2, 0.3]], [[0.1, 0.0], [0.0, 0.9]]])
    u, rng = np.array([0.6, -0.8]), np.random.default_rng(7)
    for spread in (covariances, [0.3, 0.7], 0.4, 0.0, covariances[0]):
        world = worlds.mixture([0.4, 0.6], [[-1.0, 0.3], [1.2, 0.7]], spread)
        dark = transport.shadow(world, u)
        assert dark.mean == pytest.approx(world.mean @ u, rel=1e-13)
        assert dark.variance == pytest.approx(u @ world.covariance @ u, rel=1e-13)
        below = np.mean(world.sample(rng, 40_000) @ u <= 0.1)
        assert below == pytest.approx(float(dark.cdf(0.1)), abs=0.013)


def test_the_distance_of_draws_is_small_where_they_follow_the_law_and_known_where_they_are_shifted():
    rng = np.random.default_rng(3)
    x = WORLD.sample(rng, 20_000)
    line = transport.yardstick(WORLD)
    assert transport.distance(x, line) < 0.03
    assert transport.distance(x + 0.5, line) == pytest.approx(0.5, abs=0.03)
    plane = worlds.mixture([0.4, 0.6], [[-1.0, 0.3], [1.2, 0.7]], 0.2)
    along = np.array([[1.0, 0.0], [0.0, 1.0]])
    x = plane.sample(rng, 20_000)
    shadows = transport.yardstick(plane, along)
    assert transport.distance(x, shadows, along) < 0.03
    assert transport.distance(x + [0.3, 0.4], shadows, along) == pytest.approx(np.sqrt((0.09 + 0.16) / 2), abs=0.03)


def test_the_best_prediction_is_the_mean_of_the_posterior():
    rng = np.random.default_rng(2)
    covariances = np.array([[[0.5, 0.2], [0.2, 0.3]], [[0.1, 0.0], [0.0, 0.9]]])
    many, few = rng.standard_normal((60, 2)), [[-1.0, 0.3], [1.2, 0.7]]
    plane = [worlds.mixture([0.4, 0.6], few, spread) for spread in (covariances, [0.3, 0.7], 0.4, 0.0)]
    plane += [worlds.empirical(many), worlds.mixture(np.full(60, 1 / 60), many, 0.2)]
    x = rng.standard_normal((9, 2))
    for level in (*GRID, Level(0.0, 1.0, 0.0), Level(1.0, 0.02, 0.0)):
        for world in plane:
            expected = world.conditioned(level.scale, level.noise**2, x).mean
            assert np.allclose(denoiser(world)(x, level), expected, rtol=0, atol=1e-11)
        expected = WORLD.conditioned(level.scale, level.noise**2, x).mean
        assert np.allclose(denoiser(WORLD)(x, level), expected, rtol=0, atol=1e-11)
    assert np.array_equal(denoiser(WORLD)(x, Level(0.5, 0.0, 0.0)), 2 * x)
