"""Orders on a smooth grid: those that are claimed are seen, and what costs an order is caught."""

from __future__ import annotations

import itertools

import pytest

from noiseproof.conformance.findings import FAIL, INCONCLUSIVE, PASS, SKIP
from noiseproof.conformance.properties.ends import blurs, ordered, orders, vanishing

from .whole_runs import asked


@pytest.mark.parametrize(("id", "name"), [("P17", "two_m"), ("P17", "first"), ("P18", "sde_two_m")])
def test_correct_loops_have_their_order(id, name):
    found = asked(id, name)
    assert found.verdict == PASS, found.telling


@pytest.mark.parametrize(
    ("id", "name", "rate"),
    [
        ("P17", "forgetful", 1),
        ("P18", "sde_forgetful", 1),
        pytest.param("P17", "half", 1, marks=pytest.mark.slow),
        pytest.param("P18", "louder", 0, marks=pytest.mark.slow),
    ],
)
def test_a_defect_that_costs_an_order_is_caught(id, name, rate):
    found = asked(id, name)
    assert found.verdict == FAIL
    assert found.telling.got == pytest.approx(rate, abs=0.3)
    assert found.telling.at["n"][:4] == [24, 48, 96, 192]


@pytest.mark.slow
def test_digits_that_are_lost_are_told_from_an_order_that_is_not_there():
    lost, wrong = asked("P17", "few_digits"), asked("P17", "half")
    assert (lost.verdict, lost.telling.diagnosis) == (FAIL, "arithmetic")
    assert (wrong.verdict, wrong.telling.diagnosis) == (FAIL, "update rule")


def test_without_a_grid_that_can_be_handed_in_nothing_is_asked():
    found = asked("P18", "correct")
    assert found.verdict == SKIP
    assert "cannot be handed in" in found.telling.text


# ---------------------------------------------------------------- the rule


def judged(claimed, error_at, counts=(24, 48, 96, 192), most=384):
    return ordered(error_at, counts, most, claimed, claimed - 0.25, claimed - 0.5, "an order", "numbers")


@pytest.mark.parametrize("claimed", [1, 2, 3])
@pytest.mark.parametrize("actual", [1, 2, 3])
def test_powers_are_judged_by_their_exponent(claimed, actual):
    found = judged(claimed, lambda n: (n**-actual, 1e-16))
    assert found.verdict == (PASS if actual >= claimed else FAIL)


def test_what_lies_between_is_looked_at_again_and_then_left_open():
    seen = []

    def error_at(n):
        seen.append(n)
        return n**-1.65, 1e-16

    assert judged(2, error_at).verdict == INCONCLUSIVE
    assert seen == [24, 48, 96, 192, 384]


def test_rates_that_rise_to_what_is_claimed_pass_and_those_that_fall_from_it_do_not():
    assert judged(4, lambda n: (n**-4.0 * (1 - 6 / n), 1e-16)).verdict == PASS
    assert judged(2, lambda n: (n**-2.0 + n**-1.0, 1e-16)).verdict == FAIL


def test_errors_near_the_floor_decide_nothing():
    """A bias that is rounding is no order of zero; where there is nothing but rounding, all is well."""
    assert judged(2, lambda n: (n**-2.0 + 2e-5, 2e-5)).verdict == PASS
    assert judged(2, lambda n: (1e-7, 2e-7)).verdict == PASS
    assert judged(2, lambda n: (n**-1.0, 0.005)).verdict == INCONCLUSIVE
    assert judged(2, lambda n: (float("nan"), 1e-9)).verdict == FAIL


def test_what_floors_hide_may_pass_by_what_is_seen_before_and_is_never_held_against_it():
    assert judged(3, lambda n: (max(40 * n**-4.0, 4e-7), 1e-6)).verdict == PASS
    assert judged(3, lambda n: (max(0.06 * n**-2.0, 4e-7), 1e-5)).verdict == INCONCLUSIVE
    assert judged(3, lambda n: (max(0.06 * n**-2.0, 4e-7), 1e-8)).verdict == FAIL


# ---------------------------------------------------------------- errors that go to zero, at whatever rate


def limit(error_at, counts=(24, 48, 96, 192), most=768):
    return vanishing(error_at, counts, most, 0.5, 0.2, "a limit", "numbers")


@pytest.mark.parametrize(
    "error_at",
    [
        lambda n: (n**-1.0, 1e-9),
        lambda n: (abs(1 / n - 45 / n**2), 1e-9),  # it changes its sign near 48
        lambda n: (n**-3.0 + 1e-7, 1e-7),  # and then there is only rounding
        lambda n: (n**-1.0 + 1e-5 * (n // 24 % 4 == 2), 1e-9),
    ],
)
def test_errors_that_vanish_pass_in_whatever_way_they_do(error_at):
    assert limit(error_at).verdict == PASS


@pytest.mark.parametrize(
    "error_at",
    [lambda n: (n**-1.0 + 0.02, 1e-9), lambda n: (1e-5 * n, 1e-9), lambda n: (float("nan"), 1e-9)],
)
def test_errors_that_stay_or_grow_fail(error_at):
    assert limit(error_at).verdict == FAIL


def test_what_floors_hide_of_a_limit_is_left_open():
    assert limit(lambda n: (n**-1.0 + 0.02, 0.01)).verdict == INCONCLUSIVE


def test_errors_that_fall_ever_more_slowly_are_looked_at_again():
    assert limit(lambda n: (n**-1.0 + 0.01, 1e-9), most=192).verdict == INCONCLUSIVE
    assert limit(lambda n: (n**-1.0 + 0.01, 1e-9), most=2000).verdict == FAIL


def test_floors_move_an_order_by_no_more_than_they_say():
    errors, floors = [1e-2, 2.5e-3, 6e-4], [1e-5, 2e-5, 4e-5]
    for signs in itertools.product((-1, 1), repeat=3):
        moved = [e + s * f for e, f, s in zip(errors, floors, signs, strict=True)]
        for one, other, blur in zip(orders(errors), orders(moved), blurs(errors, floors), strict=True):
            assert abs(one - other) <= blur
