"""What holds draw by draw is held draw by draw."""

import numpy as np
import pytest

from numerics.statistics import FAIL, PASS, sampled_atoms, surely


def pair(rng, n):
    return rng.standard_normal((2, n))


def examined(sides, draw=pair, seed=0):
    return surely(draw, sides, name="surely").examine(seed, "surely", "1")


@pytest.mark.parametrize(
    "sides",
    [
        lambda x, e: ((x + e) ** 2, x**2 + 2 * x * e + e**2, x**2 + e**2),
        lambda x, e: (np.maximum(x, 0.0), (x + np.abs(x)) / 2, 0.0),  # 0 is 0, whatever the size of its terms
        lambda x, e: (0.3, 0.1 + 0.2, 0.0),  # numbers are the same for every draw
        lambda x, e: (1e9 + x - 1e9, x, 1e9),  # what was added decides what rounding explains
    ],
    ids=["square", "zero", "numbers", "cancelled"],
)
def test_what_is_equal_passes(sides):
    for seed in range(5):
        assert examined(sides, seed=seed).verdict == PASS


@pytest.mark.parametrize(
    "sides",
    [
        lambda x, e: (x, -x, 1.0),  # in law, and not draw by draw
        lambda x, e: (x, x * (1 + 1e-12), 0.0),
        lambda x, e: (x, np.where(np.arange(len(x)) == 77, x + 1e-9, x), 1.0),  # one draw
        lambda x, e: (x, np.log(x) * 0 + x, 1.0),
        lambda x, e: (x, np.nan, 1.0),
        lambda x, e: (x + np.inf, x + np.inf, 1.0),
        lambda x, e: (x, 0.0, 1e-300),
    ],
    ids=["in law", "twelve digits", "one draw", "domain", "NaN", "infinity", "zero"],
)
def test_what_is_not_equal_fails(sides):
    for seed in range(5):
        assert examined(sides, seed=seed).verdict == FAIL


def test_a_failure_shows_the_draw_and_how_many_differ():
    finding = examined(lambda x, e: (np.where(x > 0, x, 2.5), np.where(x > 0, x, 2.0), 1.0))
    assert finding.detail.startswith("a draw gives 2.5 on one side and 2 on the other, ")
    assert finding.detail.endswith("% of them differ")
    assert finding.error == pytest.approx(0.5 / 5.5)
    assert finding.draws == 2048


def test_it_is_an_atom_of_chance():
    def check():
        yield surely(pair, lambda x, e: (x, x, 0.0))

    assert sampled_atoms(check, {}) == 1
