"""Distances between samples: against couplings written out, and where they are known."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.spatial.distance import cdist

from numerics.statistics.transport import directions, nearest, nearest_other, sliced_w2, w2_squared


@pytest.fixture
def rng():
    return np.random.default_rng(11)


@pytest.mark.parametrize(("n", "m"), [(1, 1), (4, 6), (7, 5), (8, 8), (3, 30)])
def test_quantiles_are_coupled(n, m, rng):
    """Every point n times or m times: then both samples have nm points, and sorted ones belong together."""
    x, y = rng.normal(size=(3, n)), rng.normal(1, 2, size=(3, m))
    coupled = np.sort(np.repeat(x, m, axis=1)) - np.sort(np.repeat(y, n, axis=1))
    assert_allclose(w2_squared(x, y), np.mean(coupled**2, axis=1), rtol=1e-12)


def test_the_sliced_distance_of_a_shift_is_the_mean_of_its_shadows(rng):
    x, shift, along = rng.normal(size=(50, 6)), rng.normal(size=6), directions(rng, 6, 40)
    assert_allclose(np.linalg.norm(along, axis=1), 1, rtol=1e-15)
    assert_allclose(sliced_w2(x, x + shift, along), np.sqrt(np.mean((along @ shift) ** 2)), rtol=1e-12)


def test_directions_prefer_none(rng):
    along = directions(rng, 3, 20_000)
    second = along.T @ along / len(along)  # 1/3 of the identity; products of coordinates have variance 1/15 and 4/45
    assert np.all(np.abs(second - np.eye(3) / 3) < 5 * np.sqrt(4 / 45 / len(along)))


def test_nearest_points(rng):
    x, data = rng.normal(size=(20, 5)), rng.normal(size=(30, 5))
    assert_allclose(nearest(x, data), cdist(x, data).min(axis=1), rtol=1e-12)
    assert np.all(nearest(data[:4], data) == 0)
    assert_allclose(nearest_other(data), (cdist(data, data) + np.diag([np.inf] * 30)).min(axis=1), rtol=1e-12)
