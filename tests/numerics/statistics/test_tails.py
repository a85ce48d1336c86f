"""Null laws, held against tails that are summed or integrated in thirty digits, term by term."""

import numpy as np
import pytest
from mpmath import mp, mpf
from scipy.special import ndtr

from numerics.statistics.tails import Binomial, Bounded, ChiSquare, Limit, cramer, smallest

N = (2**15, 2**18, 2**22)  # draws of the first look, of one in the middle, and of the last
DEVIATES = (2.0, 4.9, 8.2)


@pytest.fixture(autouse=True)
def digits():
    with mp.workdps(30):
        yield


def relative(found, promised):
    return abs(found / mpf(float(promised)) - 1)


# ---------------------------------------------------------------- chi-square


def chi_square_beyond(n, edge, side):
    """P(chi^2_n < edge) or P(> edge), integrated over the forty standard deviations beyond the edge."""
    sd = mp.sqrt(2 * mpf(n))
    constant = -mp.loggamma(mpf(n) / 2) - mpf(n) / 2 * mp.log(2)
    density = lambda x: mp.exp(constant + (mpf(n) / 2 - 1) * mp.log(x) - x / 2)
    pieces = [edge + side * sd * k / 4 for k in range(41)]
    pieces = [max(x, mpf(10) ** -25) for x in pieces]
    return abs(mp.quad(density, pieces))


@pytest.mark.parametrize("n", [9, 700, *N])
@pytest.mark.parametrize("z", DEVIATES)
def test_the_thresholds_of_a_chi_square_are_exact(n, z):
    down, up = ChiSquare().thresholds(z, n, float(n), 0.0)
    sd = mp.sqrt(2 * mpf(n))
    for side, far in ((-1, down), (1, up)):
        # Beyond 4.5 sigma below 2^22 SciPy's series for the tail stops early, which costs 3.5e-4 of a probability.
        assert relative(chi_square_beyond(n, n + side * far * sd, side), ndtr(-z)) < 1e-3


def test_a_chi_square_is_skew_and_so_are_its_thresholds():
    down, up = ChiSquare().thresholds(8.2, 2**15, 2.0**15, 0.0)
    assert down < 8.2 < up
    assert (down + up) / 2 == pytest.approx(8.2, rel=1e-2)


# ---------------------------------------------------------------- binomial


def binomial_beyond(n, p, k, side):
    """P(X <= k) or P(X >= k), summed term by term from k outwards until little is added."""
    p, k = mpf(p), int(k)
    if not 0 <= k <= n:
        return mpf(0)
    term = mp.exp(mp.loggamma(n + 1) - mp.loggamma(k + 1) - mp.loggamma(n - k + 1) + k * mp.log(p))
    term *= mp.exp((n - k) * mp.log1p(-p))
    total = mpf(0)
    while 0 <= k <= n and term > total * mpf(10) ** -10:
        total += term
        term *= p / (1 - p) * (n - k) / (k + 1) if side > 0 else (1 - p) / p * k / (n - k + 1)
        k += side
    return total


@pytest.mark.parametrize("n", [40, *N])
@pytest.mark.parametrize("p", [0.5, 0.31, 0.02, 0.97])
@pytest.mark.parametrize("z", DEVIATES)
def test_the_thresholds_of_counts_are_exact_and_stand_between_two_counts(n, p, z):
    down, up = Binomial(p).thresholds(z, n, float(n), 0.0)
    centre, scale, rare = n * p, np.sqrt(n * p * (1 - p)), mpf(float(ndtr(-z)))
    least, most = round(centre - down * scale - 0.5), round(centre + up * scale - 0.5)
    assert centre - down * scale == pytest.approx(least + 0.5, abs=1e-3)  # counts up to ``least`` fail,
    assert centre + up * scale == pytest.approx(most + 0.5, abs=1e-3)  # and counts beyond ``most``
    slack = 1 + mpf(10) ** -6
    assert binomial_beyond(n, p, least, -1) <= rare * slack
    assert binomial_beyond(n, p, most + 1, +1) <= rare * slack
    # One count more would be too often: nothing is given away.
    assert least + 1 > n or binomial_beyond(n, p, least + 1, -1) > rare / slack
    assert most < 0 or binomial_beyond(n, p, most, +1) > rare / slack


def test_where_no_count_is_rare_enough_none_fails():
    down, up = Binomial(0.5).thresholds(8.2, 20, 20.0, 0.0)
    assert down * np.sqrt(5) > 10
    assert up * np.sqrt(5) > 10


def test_the_smallest_for_which_it_holds():
    for at in range(-3, 8):
        assert smallest(lambda k, at=at: k >= at, -3, 7) == min(at, 7)


# ---------------------------------------------------------------- Bennett


@pytest.mark.parametrize("n", [40, 900, 2**15])
@pytest.mark.parametrize("p", [0.5, 0.1, 0.01])
@pytest.mark.parametrize("z", DEVIATES)
def test_the_bound_of_bennett_bounds_the_tails_of_counts(n, p, z):
    """The score (event - p) / sigma is never beyond max(p, 1 - p) / sigma."""
    sigma = np.sqrt(p * (1 - p))
    down, up = Bounded(max(p, 1 - p) / sigma).thresholds(z, n, float(n), 0.0)
    scale = sigma * np.sqrt(n)
    assert binomial_beyond(n, p, np.ceil(n * p + up * scale), +1) <= ndtr(-z)
    assert binomial_beyond(n, p, np.floor(n * p - down * scale), -1) <= ndtr(-z)


def irwin_hall_beyond(n, x):
    """P(sum of n uniform numbers > x), by the alternating sum in as many digits as it eats."""
    with mp.workdps(30 + n):
        y = n - mpf(x)  # by symmetry, P(sum < n - x)
        terms = ((-1) ** k * mp.binomial(n, k) * (y - k) ** n for k in range(max(0, int(mp.floor(y)) + 1)))
        return mp.fsum(terms) / mp.factorial(n)


@pytest.mark.parametrize("n", [5, 24, 80])
@pytest.mark.parametrize("z", [0.7, 2.0, 4.9])
def test_the_bound_of_bennett_bounds_the_tails_of_uniform_numbers(n, z):
    up = Bounded(np.sqrt(3)).thresholds(z, n, float(n), 0.0)[1]
    assert irwin_hall_beyond(n, n / 2 + up * np.sqrt(n / 12)) <= ndtr(-z)


@pytest.mark.parametrize("z", DEVIATES)
@pytest.mark.parametrize("weight", [20.0, 3e3, 2.0**22])
def test_bennett_is_solved_and_not_vacuous(z, weight):
    bound = 1.7
    down, up = Bounded(bound).thresholds(z, 2**22, weight, 0.0)
    k = mpf(bound) / mp.sqrt(mpf(weight))
    u = k * mpf(up)
    assert relative(mp.exp(-((1 + u) * mp.log1p(u) - u) / k**2), ndtr(-z)) < 1e-6
    assert down == up > z
    assert weight < 1e6 or up < 1.4 * z  # what is left, with many draws, is Chernoff's factor


# ---------------------------------------------------------------- the limit


def test_what_is_exactly_normal_needs_no_correction():
    assert Limit().thresholds(8.2, 2**15, 2.0**15, 0.0) == (8.2, 8.2)


def test_what_is_skew_is_given_more_room_and_what_is_too_skew_all_of_it():
    n = 2**15
    down, up = Limit().thresholds(8.2, n, float(n), 3.07 * n)
    assert down == up == cramer(8.2, 3.07 / np.sqrt(n)) > 8.2
    assert Limit().thresholds(8.2, n, float(n), 60.0 * n) == (np.inf, np.inf)


def test_weights_are_free_of_units():
    n = 2**15
    for tail in (Limit(), ChiSquare(), Binomial(0.3), Bounded(2.0)):
        g = 7.0 if not isinstance(tail, Bounded) else 1.0
        one, other = tail.thresholds(6.0, n, float(n), 3.0 * n), tail.thresholds(6.0, n, n * g**2, 3.0 * n * g**3)
        assert one == pytest.approx(other)
