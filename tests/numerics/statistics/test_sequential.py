"""The sequential test has the false alarms and the misses that it states."""

import numpy as np
import pytest
from scipy.special import bdtrc, chdtrc, ndtr

from numerics.statistics import ALPHA, ATOMS, CHUNK, FAIL, INCONCLUSIVE, PASS, Finding, Total
from numerics.statistics.laws import absolute_third_moments
from numerics.statistics.sequential import (
    BETA,
    LOOKS,
    decide,
    false_alarm_quantile,
    finest,
    looks,
    miss_quantile,
)
from numerics.statistics.tails import cramer

RARE = 1e-6  # of the tests in this file that count: how often chance alone would fail them


def test_the_suite_stays_within_its_budget():
    assert pytest.approx(1e-9) == ALPHA * ATOMS


def test_looks_cover_every_chunk_once():
    assert [chunk for look in looks() for chunk in look] == list(range(LOOKS[-1]))


def test_quantiles_share_the_budget_over_rows_and_looks():
    assert 2 * 19 * len(LOOKS) * ndtr(-false_alarm_quantile(19)) == pytest.approx(ALPHA)
    assert len(LOOKS) * ndtr(-miss_quantile()) == pytest.approx(BETA)


def run(rng, rho, resolves, alpha=ALPHA):
    """The verdict on rows of correlations rho: sums of scores as the central limit theorem has them."""
    total, finding = Total(0, (0,) * 3 * len(rho)), Finding(INCONCLUSIVE, 0, "")
    for chunks in looks():
        n = len(chunks) * CHUNK
        score = n * np.asarray(rho) + np.sqrt(n) * rng.standard_normal(len(rho))
        total += Total.of(n, [*score, *[float(n)] * len(rho), *[0.0] * len(rho)])
        finding = decide(total, [f"row {k}" for k in range(len(rho))], resolves, alpha)
        if finding.verdict != INCONCLUSIVE:
            return finding
    return finding


def test_the_false_alarm_over_all_looks_is_at_most_what_it_is_allowed_to_be():
    rng, runs, alpha = np.random.default_rng(11), 1000, 0.2
    alarms = sum(run(rng, (0.0, 0.0), resolves=1e-9, alpha=alpha).verdict == FAIL for _ in range(runs))
    assert bdtrc(alarms - 1, runs, alpha) > RARE, f"{alarms} of {runs}"
    assert alarms > runs * alpha / 10  # and the union bound does not give most of it away


def test_an_error_of_the_size_to_be_resolved_is_missed_as_rarely_as_stated():
    rng, runs = np.random.default_rng(12), 1000
    missed = sum(run(rng, (0.0, 0.01), resolves=0.01).verdict == PASS for _ in range(runs))
    assert bdtrc(missed - 1, runs, BETA) > RARE, f"{missed} of {runs}"


def test_truth_passes_early_and_a_gross_error_fails_at_once():
    rng = np.random.default_rng(13)
    truths = [run(rng, (0.0,) * 10, resolves=0.01) for _ in range(50)]
    assert {f.verdict for f in truths} == {PASS}
    assert np.median([f.draws for f in truths]) <= CHUNK * LOOKS[5]
    assert {(f.verdict, f.draws) for f in (run(rng, (0.0, 0.3), 0.01) for _ in range(50))} == {(FAIL, CHUNK * LOOKS[0])}


def test_an_error_between_none_and_the_smallest_resolved_is_not_passed_off_as_either():
    finding = run(np.random.default_rng(14), (0.0035,), resolves=0.0036)
    assert finding.verdict == INCONCLUSIVE
    assert "neither refute the claim nor exclude an error of 0.0036" in finding.detail


@pytest.mark.parametrize("a", [3.0, 5.0, 8.2])
def test_the_raised_threshold_pays_for_skewness(a):
    """Exact tails of two skew scores, against the normal tail that is promised for them."""
    sizes, third = np.unique(np.logspace(1, 7, 60).astype(int)), absolute_third_moments()["he_2"]
    z = cramer(a, third / np.sqrt(sizes))
    trusted = np.isfinite(z)
    assert 20 < trusted.sum() < len(sizes)  # where nobody can tell, nothing fails
    beyond = chdtrc(sizes[trusted], sizes[trusted] + z[trusted] * np.sqrt(2 * sizes[trusted]))  # squares of normals
    assert np.all(beyond <= ndtr(-a))

    for p in (0.5, 0.1, 0.01, 1e-3):  # coins, whose tails have steps
        variance = sizes * p * (1 - p)
        z = cramer(a, (1 - 2 * p * (1 - p)) / np.sqrt(variance))
        trusted = np.isfinite(z)
        heads = np.floor(sizes * p + z * np.sqrt(variance))[trusted]
        assert np.all(bdtrc(heads, sizes[trusted], p) <= 1.1 * ndtr(-a))


def test_without_skewness_the_threshold_is_not_raised():
    assert cramer(8.2, 0.0) == 8.2
    assert cramer(8.2, 0.2) == np.inf


def test_a_row_that_is_zero_draw_by_draw_passes_with_its_rounding():
    n = 32 * CHUNK
    assert decide(Total.of(n, [1e-14 * n, float(n), 0.0]), ["pathwise"], 0.01).verdict == PASS
    assert decide(Total.of(n, [0.1 * n, float(n), 0.0]), ["pathwise"], 0.01).verdict == FAIL


def test_scores_that_are_not_finite_fail_and_say_which():
    finding = decide(Total.of(CHUNK, [0.0, np.nan, 1.0, 1.0, 0.0, 0.0]), ["mean", "variance"], 0.01)
    assert finding.verdict == FAIL
    assert finding.detail.startswith("variance: not finite")


def test_a_row_without_weight_is_a_defect_of_the_check():
    with pytest.raises(ValueError, match="'mean against c1' has no weight and tests nothing"):
        decide(Total.of(CHUNK, [0.0, 0.0, 0.0]), ["mean against c1"], 0.01)


def test_the_finest_resolution_is_within_reach():
    n, rows = CHUNK * LOOKS[-1], 5
    assert finest(rows) == pytest.approx((false_alarm_quantile(rows) + miss_quantile()) / np.sqrt(n))
