"""Rates, constants and limits are read off values at a few steps; what is none of a series in h does not pass."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from numerics.quadrature import integral_of
from numerics.statistics import FAIL, INCONCLUSIVE, PASS, Atom, FormulaError, limit, order

STEPS = 0.1 / 2 ** np.arange(6)


def is_(value):
    return lambda **_: value


def examined(error_at, rate, constant, steps=STEPS, **more):
    return order(error_at, steps, is_(rate), is_(constant), {}, **more).examine()


def verdict(*args, **more):
    return examined(*args, **more).verdict


def quadratic(h):
    return 0.37 * h**2 * np.exp(1.3 * h)


def midpoint(h):
    """The error of one step of the midpoint rule for exp on [0, h]: h^3/24 + h^4/48 + ..."""
    return np.expm1(h) - h * np.exp(h / 2)


# Orders.


def test_the_rate_and_the_constant_of_an_error_pass():
    finding = examined(quadratic, 2, 0.37)
    assert finding.verdict == PASS
    assert finding.draws == 6
    assert finding.resolution is not None
    assert 0 < finding.resolution < 1e-6
    assert verdict(midpoint, 3, 1 / 24) == PASS
    assert verdict(lambda h: -quadratic(h), 2, -0.37) == PASS


@given(
    rate=st.sampled_from([0.5, 1, 1.5, 2, 3]),
    constant=st.floats(0.1, 9),
    a=st.floats(-2, 2),
    b=st.floats(-2, 2),
    ratio=st.floats(1.5, 3),
)
def test_every_series_passes_and_its_neighbours_do_not(rate, constant, a, b, ratio):
    def error(h):
        return constant * h**rate * (1 + a * h + b * h**2 + (a * h) ** 3)

    steps = 0.1 / ratio ** np.arange(6)
    assert verdict(error, rate, constant, steps, resolves=1e-2) == PASS
    assert verdict(error, rate, constant * 1.05, steps, resolves=1e-2) == FAIL
    assert verdict(error, rate + 0.1, constant, steps, resolves=1e-2) == FAIL


@pytest.mark.parametrize("rate", [1, 3, 2.01, 1.999, 0, -2, np.nan])
def test_a_wrong_rate_fails_with_any_constant(rate):
    for constant in (0.37, 0.0, 1.0):
        assert verdict(quadratic, rate, constant) == FAIL


@pytest.mark.parametrize("constant", [0.74, 0.185, -0.37, 0.0, 0.37001, np.nan, np.inf])
def test_a_wrong_constant_fails(constant):
    assert verdict(quadratic, 2, constant) == FAIL


def test_one_wrong_constant_of_several_fails():
    def errors(h):
        return np.array([1.0, 2.0, 3.0]) * quadratic(h)

    assert verdict(errors, 2, 0.37 * np.array([1.0, 2.0, 3.0])) == PASS
    assert verdict(errors, 2, 0.37 * np.array([1.0, 2.0, 3.001])) == FAIL


def test_a_failure_says_what_was_found_in_the_limit():
    assert "is 0.5, and should be 0.37 in the limit: off by 1.30e-01" in examined(quadratic, 2, 0.5).detail
    assert "is 3, and should be 2 in the limit: off by 1.00e+00" in examined(quadratic, 3, 0.37).detail


NO_SERIES = {
    "a logarithm": lambda h: h**2 * np.log(1 / h),
    "a slow logarithm": lambda h: h**2 / np.log(1 / h),
    "an exponential": lambda h: np.exp(-1 / h),
    "half powers": lambda h: h**2 * (1 + np.sqrt(h)),
    "waves": lambda h: h**2 * (2 + np.sin(1 / h)),
    "signs": lambda h: h**2 * np.cos(np.pi * np.round(np.log2(0.1 / h))),
    "a constant beside it": lambda h: 1e-4 + h**2,
    "not going down": lambda h: 1.0,
    "infinite": lambda h: np.inf,
    "nothing": lambda h: np.nan,
}


@pytest.mark.parametrize("case", NO_SERIES)
@pytest.mark.parametrize("constant", [1.0, 2.0])
def test_an_error_that_is_no_power_does_not_pass(case, constant):
    assert verdict(NO_SERIES[case], 2, constant) in (FAIL, INCONCLUSIVE)


def test_an_error_that_drowns_in_noise_decides_nothing():
    rng = np.random.default_rng(7)

    def noisy(h):
        """A small difference of two integrals that are large."""
        off = quadratic(h) + 1e-9 * rng.standard_normal()
        return lambda nodes: (off + 1e-9 * rng.standard_normal(), 1e3)

    finding = examined(noisy, 2, 0.37, 1e-4 / 2 ** np.arange(6))
    assert finding.verdict == INCONCLUSIVE
    assert "there is no order to see" in finding.detail
    assert verdict(noisy, 2, 0.37, 0.05 / 2 ** np.arange(6), resolves=1e-6) == INCONCLUSIVE
    assert verdict(lambda h: 0.0, 2, 0.37) == INCONCLUSIVE


def test_an_order_that_is_not_resolved_decides_nothing():
    def late(h):
        return h**2 * (1 + 30 * h) ** 5

    assert verdict(late, 2, 1.0) == INCONCLUSIVE
    assert verdict(late, 2, 1.0, 1e-4 / 2 ** np.arange(6)) == PASS


def test_errors_may_be_integrals():
    def error(h):
        return integral_of(lambda x: np.exp(-x * x) * (1 - np.cos(h * x)))

    assert verdict(error, 2, np.sqrt(np.pi) / 4) == PASS
    assert verdict(error, 2, np.sqrt(np.pi) / 2) == FAIL


def test_the_formulas_are_called_with_the_letters():
    letters = {"n": 3, "c": 1.7}
    atom = order(lambda h: 1.7 * h**3, STEPS, lambda n, c: n, lambda n, c: c, letters, name="local error")
    assert isinstance(atom, Atom)
    assert (atom.kind, atom.name) == ("quadrature", "local error")
    assert atom.examine().verdict == PASS
    with pytest.raises(FormulaError, match="could not be evaluated at n = 3: KeyError"):
        order(lambda h: h, STEPS, lambda **at: at["m"], is_(1), {"n": 3}).examine()


# Limits.


@pytest.mark.parametrize(("error", "expected"), [(0, PASS), (1e-5, FAIL), (-1e-4, FAIL)])
def test_a_limit_is_extrapolated(error, expected):
    assert limit(lambda a: a + error, {"a": 1.0}, lambda h: np.sin(h) / h, STEPS).examine().verdict == expected
    assert limit(lambda a: a + error, {"a": 1.0}, lambda h: np.expm1(h) / h, STEPS).examine().verdict == expected


def test_a_limit_may_be_zero_an_array_or_an_integral():
    assert limit(is_(0.0), {}, np.sin, STEPS).examine().verdict == PASS
    assert limit(is_(1e-5), {}, np.sin, STEPS).examine().verdict == FAIL
    several = limit(is_(np.array([1.0, 2.0])), {}, lambda h: np.exp(h) * np.array([1.0, 2.0]), STEPS)
    assert several.examine().verdict == PASS
    widened = limit(is_(np.sqrt(np.pi)), {}, lambda h: integral_of(lambda x: np.exp(-x * x - h * x)), STEPS)
    assert widened.examine().verdict == PASS


@pytest.mark.parametrize("value_at", [lambda h: 1 + np.sqrt(h), lambda h: 1 / h, lambda h: np.log(h), lambda h: np.nan])
def test_what_is_no_series_has_no_limit(value_at):
    assert limit(is_(1.0), {}, value_at, STEPS).examine().verdict in (FAIL, INCONCLUSIVE)


# Steps.


@pytest.mark.parametrize(
    "steps", [[0.1, 0.05], [0.1, 0.05, 0.0], [0.1, 0.05, 0.03], [0.1, 0.1, 0.1], [-0.1, -0.05, -0.025]]
)
def test_steps_are_three_or_more_and_geometric(steps):
    with pytest.raises(ValueError, match="the steps are"):
        limit(is_(0.0), {}, np.sin, steps)
    with pytest.raises(ValueError, match="the steps are"):
        order(quadratic, steps, is_(2), is_(0.37), {})


def test_the_order_of_the_steps_does_not_matter():
    assert examined(quadratic, 2, 0.37, STEPS[::-1]) == examined(quadratic, 2, 0.37)
