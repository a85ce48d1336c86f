"""Rules against integrals that are known in closed form."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy import special, stats

from numerics.quadrature import (
    Unsettled,
    expectation_of,
    integral_of,
    integral_over_plane,
    integral_over_unit,
    mean_of,
    settled,
    sum_of,
    variance_of,
)

M, S = np.array([[-2.3], [0.7]]), np.array([0.61, 1.9, 3.7])  # together six Gaussians


def gamma_density(x):
    """Of the logarithm of a gamma variable of shape 2.7, up to a factor."""
    return np.exp(2.7 * x - np.exp(np.minimum(x, 700)))


def test_the_integral_of_a_smooth_function():
    assert_allclose(settled(integral_of(gamma_density)), special.gamma(2.7), rtol=1e-14)
    wave = integral_of(lambda x: np.cos(3 * x) * np.exp(-x * x))
    assert_allclose(settled(wave), np.sqrt(np.pi) * np.exp(-9 / 4), rtol=1e-12)


def test_moments_of_a_density_given_up_to_a_factor():
    assert_allclose(settled(mean_of(gamma_density)), special.digamma(2.7), rtol=1e-14)
    assert_allclose(settled(variance_of(gamma_density)), special.polygamma(1, 2.7), rtol=1e-13)
    assert_allclose(settled(expectation_of(np.exp, gamma_density)), 2.7, rtol=1e-13)


WINDOWS = [{}, {"centre": M, "width": S}, {"width": 0.6}, {"centre": 5.0}, {"width": S}]


@pytest.mark.parametrize("window", WINDOWS, ids=str)
def test_one_integral_for_each_entry_of_the_integrands_letters(window):
    """The window may be an array, or one for all; it need not fit."""
    density = lambda x: 7 * stats.norm.pdf(x, M, S)
    assert_allclose(settled(mean_of(density, **window)), M + 0 * S, rtol=1e-12, atol=1e-13)
    assert_allclose(settled(variance_of(density, **window)), S**2 + 0 * M, rtol=1e-12)
    assert_allclose(settled(integral_of(density, **window)), 7 * np.ones((2, 3)), rtol=1e-12)


def test_the_magnitude_sees_cancellation():
    value, magnitude = integral_of(lambda x: x * np.exp(-x * x / 2))(512)
    assert abs(value) < 1e-13
    assert_allclose(magnitude, 2, rtol=1e-4)  # |x| has a kink


def test_more_nodes_see_a_tail_that_the_window_lost():
    cauchy = integral_of(lambda x: 1 / (np.pi * (1 + x * x)))
    few, many = cauchy(512)[0], cauchy(4096)[0]
    assert few < many - 0.02 < 1
    with pytest.raises(Unsettled, match="are centre and width those of the integrand"):
        settled(cauchy)


def test_an_integral_that_is_not_finite_does_not_settle():
    with np.errstate(all="ignore"), pytest.raises(Unsettled, match="is it finite"):
        settled(integral_of(lambda x: np.log(x)))


@given(st.floats(0.15, 30), st.floats(0.15, 30))
def test_beta_integrals_with_their_ends(a, b):
    rule = integral_over_unit(lambda x, rest: x ** (a - 1) * rest ** (b - 1))
    assert_allclose(settled(rule), special.beta(a, b), rtol=1e-11)


def test_a_logarithm_at_the_end_of_the_interval():
    rule = integral_over_unit(lambda x, rest: np.log(rest) / np.sqrt(x))
    assert_allclose(settled(rule), -4 * (1 - np.log(2)), rtol=1e-13)


def test_an_end_that_double_precision_cannot_reach_is_not_passed_over():
    with pytest.raises(Unsettled):
        settled(integral_over_unit(lambda x, rest: x**-0.999))


def test_the_plane():
    covariance = np.array([[1.7, -0.4], [-0.4, 0.23]])
    law = stats.multivariate_normal([0.9, -2.1], covariance)
    product = integral_over_plane(lambda x, y: x * y * law.pdf(np.stack([x, y], axis=-1)), (0.5, -2.0), (1.3, 0.5))
    assert_allclose(settled(product), -0.4 + 0.9 * -2.1, rtol=1e-12)
    scales = integral_over_plane(lambda x, y: stats.norm.pdf(x, 0.2, S) * stats.norm.pdf(y, x, 0.7), width=(S, S))
    assert_allclose(settled(scales), np.ones(3), rtol=1e-12)


def test_finite_sums():
    value, magnitude = sum_of([[1.5, -2.0], [-0.25, 4.0]])(512)
    assert_allclose(value, [1.25, 2.0])
    assert_allclose(magnitude, [1.75, 6.0])


@pytest.mark.parametrize("window", [(0.0, 0.0), (np.nan, 1.0), (0.0, [1.0, -1.0])])
def test_a_window_has_a_centre_and_a_width(window):
    with pytest.raises(ValueError, match="finite centre and a positive width"):
        integral_of(np.cos, *window)
