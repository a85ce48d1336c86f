"""Rates are counted and judged rightly, and a threshold that is wrong is found out."""

import numpy as np
import pytest
from scipy.special import bdtr, bdtrc, ndtr, ndtri

from numerics.statistics import ALPHA, calibration, detection, law, sampled
from numerics.statistics.calibration import LEVELS, SMALL, Rate, over_all_looks, suite, tried
from numerics.statistics.sequential import BETA, LOOKS, false_alarm_quantile
from numerics.statistics.tails import Binomial, ChiSquare, Limit

RATES = 80  # about as many as the whole table has


def rate(seen, relation="=", stated=0.01, predicted=None, runs=10_000):
    return Rate("part", "name", runs, seen, relation, stated, predicted)


# ---------------------------------------------------------------- the numbers of a small run


@pytest.mark.slow
def test_a_small_calibration_is_not_off(monkeypatch):
    monkeypatch.setattr(detection, "PILOT", 20)
    rates = [
        *calibration.one_look(200_000, 0),
        *calibration.one_look_of_draws(150, 0),
        *calibration.all_looks(200_000, 0),
        *calibration.all_looks_decided(150, 0),
        *calibration.suites(4_000, 0),
        *calibration.suites_of_draws(20, 0),
        *detection.errors_in_sums(150, 0),
        *detection.errors_in_draws(40, 0),
        *detection.errors_by_hermite(20, 0),
        *detection.errors_by_sobol(10, 0),
    ]
    assert [r for r in rates if r.is_off(len(rates))] == []
    exact = [r for r in rates if r.relation == "=" and r.part == "one look"]
    assert len(exact) == 3 * len(LEVELS)
    assert all(abs(r.deviation) <= 3 for r in exact if r.deviation is not None)
    (of_suites,) = (r for r in rates if r.name == "100 atoms, drawn sums")
    assert abs(of_suites.observed - 0.05) < 3 * np.sqrt(0.05 * 0.95 / of_suites.runs)


# ---------------------------------------------------------------- what is wrong is off


def beyond(low, high):
    return ndtr(-low) + ndtr(-high)


WRONG = {
    "normal thresholds for squares": (
        (np.random.default_rng(0).chisquare(64, 200_000) - 64) / np.sqrt(128),
        Limit(),
        64,
    ),
    "a variance too large by 2 %": (1.01 * np.random.default_rng(1).standard_normal(200_000), Limit(), 2**15),
    "a chi-square for a normal": (np.random.default_rng(2).standard_normal(200_000), ChiSquare(), 64),
    "a mean": (np.random.default_rng(3).standard_normal(200_000) + 0.2, Limit(), 2**15),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_null_law_is_off(wrong):
    off, tail, n = WRONG[wrong]
    found = [r.is_off(RATES) for r in tried(wrong, off, tail, n, 0.0, "=", lambda low, high: np.nan)]
    assert any(found)


def test_counts_that_are_read_off_by_one_are_off():
    """Without the half between two counts, what is as likely as the level allows is not yet rare."""
    p, n = 1e-3, 2**15
    low, high = Binomial(p).thresholds(-float(ndtri(0.0005)), n, float(n), 0.0)
    counts = np.random.default_rng(4).binomial(n, p, 1_000_000)
    off = (counts - n * p) / np.sqrt(n * p * (1 - p))
    step = 1 / np.sqrt(n * p * (1 - p))
    right, careless = (int(np.count_nonzero((off < -low + shift) | (off > high - shift))) for shift in (0.0, step))
    assert not rate(right, "<=", 0.001, runs=1_000_000).is_off(RATES)
    assert rate(careless, "<=", 0.001, runs=1_000_000).is_off(RATES)


def test_a_suite_with_one_wrong_atom_is_off():
    true = sampled(calibration.normals, lambda x, e: law(e, [x]))
    wrong = sampled(calibration.normals, lambda x, e: law(1.1 * e, [x]))
    assert not suite("true", [true, true], 100, 0).is_off(RATES)
    assert suite("wrong", [true, wrong], 100, 0).is_off(RATES)


def test_an_estimator_that_understates_its_error_is_found_out(monkeypatch):
    honest = detection.Hermite.estimate

    def boasts(self, rows, normals, n):
        return (e := honest(self, rows, normals, n))._replace(error=e.error / 2, alarm=e.alarm / 2, miss=e.miss / 2)

    monkeypatch.setattr(detection.Hermite, "estimate", boasts)
    monkeypatch.setattr(detection, "PILOT", 20)
    rates = list(detection.errors_by_hermite(80, 0, resolves=1.6e-2))
    assert any(r.is_off(RATES) for r in rates)


# ---------------------------------------------------------------- how a rate is judged


@pytest.mark.parametrize(
    ("relation", "off"),
    [("=", (True, False, True)), ("<=", (False, False, True)), (">=", (True, False, False))],
)
def test_each_relation_has_its_sides(relation, off):
    assert tuple(rate(seen, relation).is_off(RATES) for seen in (40, 100, 160)) == off


def test_a_prediction_is_held_from_both_sides_within_what_is_stated():
    assert rate(60, "<=", 0.01, 0.006).is_off(RATES) is False
    assert rate(20, "<=", 0.01, 0.006).is_off(RATES) is True
    assert rate(99, "<=", 0.01, 0.006).is_off(RATES) is True
    assert rate(60, "=", None, 0.006).is_off(RATES) is False


def test_chance_is_off_as_rarely_as_three_standard_errors_for_the_whole_table():
    runs, p = 10_000, 0.01
    outside = [seen for seen in range(300) if rate(seen).is_off(RATES)]
    chance = sum(bdtr(k, runs, p) - (bdtr(k - 1, runs, p) if k else 0) for k in outside) + bdtrc(299, runs, p)
    assert 0.2 < chance * RATES / (2 * ndtr(-3)) <= 1


def test_nothing_seen_and_all_seen_are_judged_too():
    assert rate(0, "=", 1e-3, runs=20_000).is_off(RATES)
    assert not rate(0, "=", 1e-4).is_off(RATES)
    assert not rate(10_000, ">=", 0.999).is_off(RATES)
    assert not rate(10_000, ">=", 0.999, 1.0).is_off(RATES)
    assert rate(9_999, ">=", None, 1.0).is_off(RATES)


def test_intervals_are_clopper_and_pearsons():
    low, high = rate(100).interval
    assert bdtrc(99, 10_000, low) == pytest.approx(0.025)
    assert bdtr(100, 10_000, high) == pytest.approx(0.025)
    assert rate(0).interval[0] == 0
    assert rate(10_000).interval[1] == 1


def test_deviations_are_from_what_is_predicted_and_from_what_is_exact():
    assert rate(110).deviation == pytest.approx(10 / np.sqrt(99))
    assert rate(110, "<=", 0.02, 0.01).deviation == pytest.approx(10 / np.sqrt(99))
    assert rate(110, "<=", 0.02).deviation is None
    assert rate(10_000, "=", 1 - 1e-9).deviation is None


# ---------------------------------------------------------------- what is predicted


def test_one_look_alone_is_predicted_by_its_normal_tail(monkeypatch):
    monkeypatch.setattr(calibration, "LOOKS", LOOKS[:1])
    a, n = false_alarm_quantile(1, 0.3), LOOKS[0] * calibration.CHUNK
    assert over_all_looks(0.0, 0.0, 0.3)[0] == pytest.approx(2 * ndtr(-a))
    rho = 0.02
    assert over_all_looks(rho, 0.0, 0.3)[0] == pytest.approx(ndtr(rho * np.sqrt(n) - a) + ndtr(-rho * np.sqrt(n) - a))


@pytest.mark.parametrize("rho", [0.0, 0.004, 0.0075, 0.02])
def test_the_integral_over_looks_agrees_with_a_simulation(rho):
    runs, resolves, alpha = 40_000, 0.01, 1e-3
    rng, sums = np.random.default_rng(5), np.zeros(runs)
    failed, passed, going = np.zeros(runs, bool), np.zeros(runs, bool), np.ones(runs, bool)
    before, a, b = 0, false_alarm_quantile(1, alpha), calibration.miss_quantile()
    for until in LOOKS:
        n, more = until * calibration.CHUNK, (until - before) * calibration.CHUNK
        before = until
        sums += rho * more + np.sqrt(more) * rng.standard_normal(runs)
        fails = np.abs(sums) > a * np.sqrt(n)
        passes = ~fails & (np.abs(sums) / n + b / np.sqrt(n) <= resolves)
        failed, passed, going = failed | (going & fails), passed | (going & passes), going & ~fails & ~passes
    for seen, predicted in zip((failed, passed), over_all_looks(rho, resolves, alpha)):
        assert not rate(int(np.count_nonzero(seen)), "=", None, predicted, runs).is_off(RATES)


def test_what_is_resolved_is_refuted_as_surely_as_stated():
    for factor in (1.0, 1.1, 1.5, 3.0):
        fails, passes = over_all_looks(factor * 1e-2, 1e-2, ALPHA)
        assert fails >= 1 - BETA
        assert passes <= BETA
    assert over_all_looks(0.0, 1e-2, ALPHA)[1] > 0.999


def test_a_small_chunk_is_a_chunk():
    atom = sampled(calibration.normals, lambda x, e: law(e, [x]))
    total, heads = atom.chunk(0, "claim", "1", 0, SMALL)
    assert total.draws == SMALL
    assert len(total.sums) == 3 * len(heads)
