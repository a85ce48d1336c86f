"""Raw numbers are remembered, chosen and divided into cases without the sampler noticing."""

import numpy as np
import pytest
from scipy import stats

from numerics.statistics import hermite, stream
from numerics.statistics.points import Given, Raw, Remembered, Strata, asked_for
from numerics.worlds import Step, finite, mixture

N = 2**12


def remembered(n=N):
    return Remembered(stream(0, "points", "raw", 0), n)


@pytest.mark.parametrize("size", [N, (N,), (3, N), (N, 2), (2, N, 3)])
def test_raw_numbers_have_the_shape_that_was_asked_for_and_the_law(size):
    raw = Raw(N, remembered())
    shape = (size,) if isinstance(size, int) else size
    for drawn, law in ((raw.standard_normal(size), stats.norm), (raw.random(size), stats.uniform)):
        assert drawn.shape == shape
        assert stats.kstest(drawn.ravel(), law.cdf).pvalue > 1e-6


def test_a_draw_keeps_its_raw_numbers_together():
    """Along the axis that counts the draws, number k belongs to draw k, whatever the order of the axes."""
    columns = np.arange(2 * 3 * 5, dtype=float).reshape(6, 5) / 30 + 1e-3
    lying, standing = Raw(5, Given(columns)).random((2, 3, 5)), Raw(5, Given(columns)).random((5, 2, 3))
    assert np.array_equal(lying, np.moveaxis(standing, 0, -1))
    assert np.array_equal(lying.reshape(6, 5), columns)


@pytest.mark.parametrize("bounds", [(5,), (0, 5), (-2, 3)])
def test_whole_numbers_are_uniform_within_their_bounds(bounds):
    low, high = (0, *bounds)[-2:]
    drawn = Raw(N, remembered()).integers(*bounds, size=N)
    assert drawn.dtype.kind == "i"
    values, counts = np.unique(drawn, return_counts=True)
    assert values.tolist() == list(range(low, high))
    assert stats.chisquare(counts).pvalue > 1e-6
    assert Raw(2, Given(np.array([[1 - 2**-53, 0.0]]))).integers(*bounds, size=2).tolist() == [high - 1, low]


@pytest.mark.parametrize("size", [N + 1, (3, 4), (N, N)])
def test_raw_numbers_that_count_no_draws_are_an_error(size):
    with pytest.raises(ValueError, match=f"one axis must count the {N} draws"):
        Raw(N, remembered()).standard_normal(size)


def test_normals_are_remembered_in_the_order_of_the_calls():
    columns = remembered()
    raw = Raw(N, columns)
    first, _, second = raw.standard_normal(N), raw.random((2, N)), raw.standard_normal((3, N))
    assert np.array_equal(columns.normals(), np.vstack([first, second]))
    assert remembered().normals().shape == (0, N)


def test_given_numbers_run_out_loudly():
    raw = Raw(4, Given(np.full((2, 4), 0.5)))
    assert np.array_equal(raw.standard_normal(4), np.zeros(4))  # the median
    with pytest.raises(ValueError, match="takes more raw numbers than it took before"):
        raw.random((2, 4))


# ---------------------------------------------------------------- cases


WEIGHTS = (0.23, 0.46, 0.31)


def test_every_case_has_as_many_draws_and_its_weight_in_the_average():
    strata, n = hermite.over(WEIGHTS).strata, 3 * 7
    u = strata(remembered(n), n)("uniform", 1)[0]
    case = np.searchsorted(np.cumsum(WEIGHTS), u)
    assert np.array_equal(case, np.arange(n) % 3)
    assert np.array_equal(strata.split(case), np.repeat([[0], [1], [2]], 7, axis=1))
    values = np.array([2.0, -3.0, 5.0])[case]
    assert strata.average(strata.split(values)) == pytest.approx(np.full(7, np.dot(WEIGHTS, [2.0, -3.0, 5.0])))


def test_without_weights_there_is_one_case_and_nothing_changes():
    strata, columns = Strata(), remembered()
    assert strata.number == 1
    assert strata(columns, N) is columns
    values = np.arange(6.0).reshape(2, 3)
    assert np.array_equal(strata.average(strata.split(values)), values)


def test_worlds_choose_their_component_by_the_case():
    world, n = mixture(WEIGHTS, [-5.0, 0.0, 5.0], [1e-4, 1e-4, 1e-4]), 3 * 50
    strata = hermite.over(world.weights).strata
    x = world.sample(Raw(n, strata(remembered(n), n)), n)
    assert np.array_equal(np.round(x / 5), np.arange(n) % 3 - 1)


@pytest.mark.parametrize(
    "draw",
    [lambda rng, n: [rng.random((2, n))], lambda rng, n: [rng.random(n), rng.random(n)]],
    ids=["at once", "in turn"],
)
def test_two_uniform_numbers_choose_between_no_cases(draw):
    with pytest.raises(ValueError, match="to go case by case it may take one"):
        draw(Raw(6, Strata(WEIGHTS)(remembered(6), 6)), 6)


def test_what_a_draw_asks_for_is_known_before_it_is_averaged():
    step = Step(alpha=0.683, alpha_bar_prev=0.591)
    assert asked_for(lambda rng, n: rng.random((2, n)) * rng.standard_normal(n), Strata()) == (
        "uniform",
        "uniform",
        "normal",
    )
    forward = finite(WEIGHTS, [-1.61, 0.29, 1.33]).forward(step)
    assert asked_for(forward, Strata()).count("uniform") == 1
    assert set(asked_for(forward, Strata(WEIGHTS))) == {"normal"}
    assert asked_for(lambda rng, n: [np.zeros(n)], Strata()) == ()
