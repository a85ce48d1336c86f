"""Comparisons allow what rounding explains, and nothing else."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import special

from numerics.quadrature import integral_of, mean_of, sum_of, variance_of
from numerics.statistics import FAIL, INCONCLUSIVE, PASS, FormulaError, above, below, close, matches
from numerics.statistics.formulas import UnderTest, last_bits, under_test
from numerics.worlds import gaussian, mixture, normal

X = np.array([-1.27, 0.19, 1.71])
AT = {"alpha": 0.683, "x_t": X, "T": 3, "prior": gaussian(0.37, 1.83)}


def verdict(atom):
    return atom.examine().verdict


def posterior(x_t, alpha):
    """q(x_{t-1}) q(x_t | x_{t-1}) for data N(0.37, 1.83), up to its normaliser."""
    return lambda x: normal(x, 0.37, 1.83) * normal(x_t, np.sqrt(alpha) * x, 1 - alpha)


def variance(alpha, **_):
    return 1 / (1 / 1.83 + alpha / (1 - alpha))


def mean(alpha, x_t, **_):
    return variance(alpha) * (0.37 / 1.83 + np.sqrt(alpha) * x_t / (1 - alpha))


# An integral.


def test_a_true_formula_is_its_integral():
    for finding in (
        close(mean, AT, mean_of(posterior(X, 0.683))).examine(),
        close(variance, AT, variance_of(posterior(X, 0.683))).examine(),
        close(lambda **_: np.sqrt(np.pi), AT, integral_of(lambda x: np.exp(-x * x))).examine(),
    ):
        assert finding.verdict == PASS
        assert finding.resolution is not None
        assert 0 < finding.resolution < 1e-12


@pytest.mark.parametrize("error", [1e-3, -1e-6, 1e-9, -1e-11])
def test_an_integral_off_by_little_fails(error):
    assert verdict(close(lambda **at: mean(**at) * (1 + error), AT, mean_of(posterior(X, 0.683)))) == FAIL


def test_one_wrong_entry_of_an_array_fails():
    finding = close(lambda **at: mean(**at) + [0, 1e-7, 0], AT, mean_of(posterior(X, 0.683))).examine()
    assert finding.verdict == FAIL
    assert "x_t = 0.19," in finding.detail


def test_an_integral_that_does_not_stand_still_decides_nothing():
    spikes = integral_of(lambda x: np.cos(1e7 * x) ** 2 * np.exp(-x * x))
    finding = close(lambda **_: 0.886, {}, spikes).examine()
    assert finding.verdict == INCONCLUSIVE
    assert "the comparison is only good to" in finding.detail
    assert verdict(close(lambda **_: 0.886, {}, lambda nodes: (np.nan, 1.0))) == INCONCLUSIVE
    assert verdict(close(lambda **_: np.nan, {}, lambda nodes: (np.nan, 1.0))) == FAIL


def test_a_sum_that_cancels_is_known_up_to_the_rounding_of_its_terms():
    terms = 1e6 * np.array([1.1, -2.3, 0.7, 0.5])
    assert verdict(close(lambda **_: 0.0, {}, sum_of(terms))) == PASS
    assert verdict(close(lambda **_: 1e-3, {}, sum_of(terms))) == FAIL


# A value found another way.


def test_matches_allows_rounding_only():
    by_hand = [np.exp(-x) for x in X]
    assert verdict(matches(lambda x_t, **_: np.exp(-x_t), AT, by_hand)) == PASS
    assert verdict(matches(lambda x_t, **_: np.exp(-x_t) * (1 + 1e-12), AT, by_hand)) == FAIL
    assert verdict(matches(lambda x_t, **_: 0.0, AT, 0.0)) == PASS
    assert verdict(matches(lambda x_t, **_: 1e-300, AT, 0.0)) == FAIL


def test_the_magnitude_says_what_was_rounded():
    assert verdict(matches(lambda **_: 1e-13, {}, 0.0, magnitude=10.0)) == PASS
    assert verdict(matches(lambda **_: 1e-11, {}, 0.0, magnitude=10.0)) == FAIL


def test_one_number_may_stand_for_all_entries_on_either_side():
    assert verdict(matches(lambda x_t, **_: np.exp(0 * x_t), AT, 1.0)) == PASS
    assert verdict(matches(lambda **_: 1.0, AT, np.ones(3))) == PASS
    assert verdict(matches(lambda **_: 1.0, AT, [1.0, 1.0, 1.01])) == FAIL


# Inequalities.


@pytest.mark.parametrize(
    ("atom", "bound", "strict", "expected"),
    [
        (below, 0.7, False, PASS),
        (below, 0.683, False, PASS),
        (below, 0.683 * (1 - 1e-12), False, FAIL),
        (below, 0.7, True, PASS),
        (below, 0.683, True, FAIL),
        (below, 0.683 * (1 + 1e-16), True, FAIL),
        (above, 0.6, False, PASS),
        (above, 0.683, False, PASS),
        (above, 0.683 * (1 + 1e-12), False, FAIL),
        (above, 0.6, True, PASS),
        (above, 0.683, True, FAIL),
    ],
)
def test_inequalities(atom, bound, strict, expected):
    assert verdict(atom(lambda alpha, **_: alpha, AT, bound, strict=strict)) == expected


def test_every_entry_has_to_keep_the_bound():
    assert verdict(below(lambda x_t, **_: x_t, AT, 1.8)) == PASS
    assert verdict(below(lambda x_t, **_: x_t, AT, [1.8, 0.1, 1.8])) == FAIL
    assert verdict(above(lambda x_t, **_: x_t, AT, np.nan)) == INCONCLUSIVE


def test_a_bound_that_is_attained_is_not_strict_and_says_so():
    finding = below(lambda alpha, **_: alpha, AT, 0.683, strict=True).examine()
    assert finding.detail.startswith("the formula is 0.683 at alpha = 0.683")
    assert "and should be below 0.683: this is equality, within the" in finding.detail


# The last bits of what goes in.


def moved_by(formula, **at):
    ready = under_test(formula)
    return last_bits(ready, at, np.asarray(ready(**at)))


def test_what_cancels_is_allowed_its_rounding():
    """1 + beta s' cancels near the end of a chain: no arithmetic in doubles can do better than its inputs."""
    step = {"beta": 0.999999, "slope": -1.0000000003}
    exact = (1e12 - 999999 * 1000000.0003) / 1e12
    assert verdict(matches(lambda beta, slope: 1 + beta * slope, step, exact, resolves=1e-8)) == PASS
    assert verdict(matches(lambda beta, slope: 1 + beta * slope, step, exact * (1 + 1e-7), resolves=1e-8)) == FAIL


def test_only_what_a_formula_depends_on_is_allowed_for():
    assert moved_by(lambda a, b: 3.0 * a, a=1.0, b=1e9) == pytest.approx(3 * 16 * 2**-52, rel=0.1, abs=0)
    assert moved_by(lambda a, b: 5.0, a=1.0, b=1e9) == 0
    assert moved_by(lambda n, a: n * a, n=7, a=0.0) == 0


def test_both_directions_count():
    assert moved_by(lambda a: np.maximum(a, 1.0), a=1.0) > 0
    assert moved_by(lambda a: np.minimum(a, 1.0), a=1.0) > 0


def test_a_difference_of_two_entries_moves():
    assert moved_by(lambda x: x[0] - x[1], x=np.array([1.0, 1.0])) > 1e-15


def test_values_of_laws_and_functions_move_each_method_by_itself():
    law = mixture([0.3, 0.7], [-1.0, 2.0], [0.5, 0.2])
    by_score = moved_by(lambda law: law.score(0.4), law=law)
    assert by_score == pytest.approx(16 * 2**-52 * abs(law.score(0.4)), rel=0.1, abs=0)
    both = moved_by(lambda law: law.score(0.4) / law.score_slope(0.4), law=law)
    assert both == pytest.approx(2 * 16 * 2**-52 * abs(law.score(0.4) / law.score_slope(0.4)), rel=0.2, abs=0)
    assert moved_by(lambda f: f(0.3, 0.4), f=lambda x, y: x * y) == pytest.approx(16 * 2**-52 * 0.12, rel=0.1, abs=0)


def test_a_jump_nearby_is_seen_and_not_hidden_in():
    assert moved_by(lambda a: np.where(a >= 1, 7.0, 0.0), a=1.0) == 7
    finding = matches(lambda a: np.where(a >= 1, 7.0, 0.0), {"a": 1.0}, 7.0).examine()
    assert finding.verdict == INCONCLUSIVE


def test_at_the_edge_of_its_domain_a_formula_is_moved_inwards():
    def refuses(alpha):
        if alpha > 1:
            raise ValueError("alpha is a probability")
        return 2 * alpha

    assert verdict(matches(lambda alpha: np.sqrt(1 - alpha) + alpha, {"alpha": 1.0}, 1.0, resolves=1e-6)) == PASS
    assert verdict(matches(refuses, {"alpha": 1.0}, 2.0)) == PASS
    assert moved_by(lambda alpha: 1.0 if alpha == 0.3 else np.nan, alpha=0.3) == np.inf


@given(
    alpha=st.floats(0.01, 0.99), x_t=st.floats(-5, 5), m=st.floats(-3, 3), v=st.floats(0.05, 9), error=st.floats(-9, -3)
)
def test_true_formulas_match_and_wrong_ones_do_not_at_any_point(alpha, x_t, m, v, error):
    """The posterior of x given a x + noise, by precision and by gain: two orders of rounding."""
    at = {"alpha": alpha, "x_t": x_t, "m": m, "v": v}
    gain = np.sqrt(alpha) * v / (alpha * v + 1 - alpha)
    value, size = m + gain * (x_t - np.sqrt(alpha) * m), abs(m) + abs(gain * x_t) + abs(gain * m)

    def by_precision(alpha, x_t, m, v):
        return (m / v + np.sqrt(alpha) * x_t / (1 - alpha)) / (1 / v + alpha / (1 - alpha))

    assume(size > 1e-9)
    assert verdict(matches(by_precision, at, value, magnitude=size)) == PASS
    assert verdict(matches(lambda **at: by_precision(**at) + 10**error * size, at, value, magnitude=size)) == FAIL


# Where a formula has no value.

LEAVES = {
    "NaN": (lambda alpha, **_: np.log(alpha - 1), "is not finite at alpha = 0.683"),
    "infinite": (lambda alpha, **_: 1 / (alpha - alpha), "is not finite at alpha = 0.683"),
    "one entry": (lambda x_t, **_: np.sqrt(x_t), "x_t = -1.27, T = 3: it is nan"),
    "complex": (lambda x_t, **_: np.emath.sqrt(x_t), "is not real at alpha = 0.683, x_t = -1.27, T = 3: it is 0+1.1"),
    "a complex number": (lambda **_: (-0.5) ** 0.5, "is not real"),
    "overflow": (lambda alpha, **_: np.exp(1e9 * alpha), "is not finite"),
    "power of a float": (lambda alpha, **_: (alpha - 1) ** 0.5, "is not finite"),
}


@pytest.mark.parametrize("case", LEAVES)
@pytest.mark.parametrize("atom", [matches, below, above])
@pytest.mark.filterwarnings("error")
def test_a_formula_that_leaves_the_real_numbers_fails(atom, case):
    formula, words = LEAVES[case]
    finding = atom(formula, AT, 1.0).examine()
    assert finding.verdict == FAIL
    assert words in finding.detail


def test_numbers_of_other_libraries_are_numbers():
    assert verdict(matches(lambda **_: Fraction(1, 3), {}, 1 / 3)) == PASS
    assert verdict(matches(lambda **_: np.array([Fraction(1, 3), Fraction(2, 3)]), {}, [1 / 3, 2 / 3])) == PASS


def test_complex_numbers_that_are_real_are_numbers():
    assert verdict(matches(lambda x_t, **_: x_t + 0j, AT, X)) == PASS
    assert np.isnan(UnderTest("f", lambda: (-0.5) ** 0.5)())
    assert under_test(lambda: 2 + 0j)() == 2


RAISES = {
    "raised": (lambda **_: {}["sigma"], "KeyError: 'sigma'"),
    "no number": (lambda **_: None, "TypeError"),
    "text": (lambda **_: "beta", "TypeError: it returned 'beta', which is no number"),
    "ragged": (lambda **_: [[1.0], [1.0, 2.0]], "ValueError"),
    "shape": (lambda **_: np.ones(2), r"it has shape (2,), and what it is compared with has shape (3,)"),
    "outer shape": (lambda **_: np.ones((3, 1)), "it has shape (3, 1)"),
    "division of integers": (lambda T, **_: 1 / (T - 3), "ZeroDivisionError"),
}


@pytest.mark.parametrize("case", RAISES)
def test_a_formula_that_raises_is_an_error_with_its_name_and_point(case):
    formula, words = RAISES[case]
    with pytest.raises(FormulaError) as caught:
        matches(under_test(formula, "variance"), AT, X).examine()
    point = "at alpha = 0.683, x_t = [-1.27,  0.19,  1.71], T = 3"
    assert str(caught.value).startswith(f"variance could not be evaluated {point}: ")
    assert words in str(caught.value)
    assert (caught.value.__cause__ is None) == ("shape" in case)


def test_no_points_are_no_comparison():
    with pytest.raises(ValueError, match="compared at no points"):
        matches(lambda **_: np.ones(0), {}, np.ones(0)).examine()


def test_a_formula_is_a_function():
    with pytest.raises(TypeError, match=r"a formula is a function of letters by name; got 0\.3"):
        matches(0.3, {}, 0.3)


# Sentences.


def test_a_failure_says_what_was_claimed_what_was_found_where_and_how_far_off_it_is():
    detail = matches(under_test(lambda alpha, **_: alpha**2, "variance"), {"alpha": 0.683}, 0.683).examine().detail
    assert detail.startswith("variance is 0.4665 at alpha = 0.683, and should be 0.683: off by 2.17e-01, ")
    assert detail.endswith("e-14 that can be explained")


def test_numbers_are_shown_with_the_digits_in_which_they_differ():
    detail = matches(lambda **_: 1.0, {}, 1.00000001).examine().detail
    assert "is 1, and should be 1.00000001" in detail


def test_letters_that_a_formula_does_not_need_are_not_mentioned():
    class Needs:
        needs = frozenset({"T"})

        def __call__(self, **at):
            return at["T"] + 1.0

    assert " at T = 3, and" in matches(Needs(), AT, 7.0).examine().detail


def test_special_functions_match_their_integrals():
    by_definition = integral_of(lambda x: np.exp(2.7 * x - np.exp(np.minimum(x, 700))))
    assert verdict(close(lambda a: special.gamma(a), {"a": 2.7}, by_definition)) == PASS
