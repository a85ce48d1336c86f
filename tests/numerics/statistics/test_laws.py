"""Rows are calibrated where a law holds, and each of them earns its place where it does not."""

import numpy as np
import pytest
from scipy.special import bdtrc, ndtr, ndtri

from numerics.statistics import (
    CHUNK,
    FAIL,
    INCONCLUSIVE,
    PASS,
    Row,
    at_least,
    event,
    law,
    moments,
    sampled,
    stream,
    within,
)
from numerics.statistics.laws import absolute_third_moments, bins, standardised
from numerics.statistics.tails import Binomial, Bounded, ChiSquare, Limit

RARE = 1e-9  # for each of the counts in this file
NULL = (1.0, 3.0, 15.0)  # central moments of N(0, 1)
LOGNORMAL = (4.670774, 2485.6514, 6.3119686e7)  # of exp(N(0, 1))


def examined(draw, scores, resolves=2e-2):
    return sampled(draw, scores, resolves).examine(0, "test of the laws", "1")


def pair(rng, n):
    return rng.standard_normal((2, n))


def spread_out(variance):
    """Central moments of normals with these variances."""
    return tuple(m * variance**k for k, m in enumerate(NULL, 1))


# Truth.


def test_rows_of_a_true_law_exceed_each_quantile_as_often_as_they_should():
    chunks, levels = 300, (0.05, 0.01, 0.001)
    deviates = []
    for number in range(chunks):
        x, e = pair(stream(0, "calibration", "1", number), CHUNK)
        sums = np.array([row.partial_sums() for row in law(0.6 * x + 0.8 * e, given=[0.8 * x - 0.6 * e])])
        deviates.append(np.abs(sums[:, 0]) / np.sqrt(sums[:, 1]))
    for level in levels:
        for exceed in np.sum(np.array(deviates) > -ndtri(level / 2), axis=0):
            assert bdtrc(exceed - 1, chunks, level) > RARE  # not more often than chance explains
            assert 1 - bdtrc(exceed, chunks, level) > RARE  # nor more rarely


def test_scores_have_mean_zero_and_variance_one():
    z = np.linspace(-12, 12, 100_001)
    p = np.exp(-z * z / 2) / np.sqrt(2 * np.pi) * (z[1] - z[0])
    for row in law(z):
        assert np.sum(p * row.f) == pytest.approx(0, abs=1e-12), row.name
        assert np.sum(p * row.f**2) == pytest.approx(1, rel=1e-12), row.name
        assert row.third == 0 or np.sum(p * np.abs(row.f) ** 3) <= row.third * (1 + 1e-6), row.name


def test_third_moments_are_right():
    assert absolute_third_moments()["he_2"] == pytest.approx(3.0729315338, rel=1e-6)


@pytest.mark.parametrize(
    "scores",
    [
        lambda x, e: law(0.6 * x + 0.8 * e, given=[0.8 * x - 0.6 * e]),
        lambda x, e: law(e, given=[1e6 + 1e-3 * x]),  # whatever the units
        lambda x, e: law(e, given=[x, x**2, np.sign(x)]),
        lambda x, e: moments(x**2 + e * np.exp(x / 2), x**2, np.exp(x), spread_out(np.exp(x)), [x]),
        lambda x, e: moments(np.exp(e), np.exp(0.5), None, LOGNORMAL, [x]),
        lambda x, e: event(e > 1.3 * x, ndtr(-1.3 * x), [x]),
        lambda x, e: event(e > 9, 0.0, [x]),
    ],
    ids=["rotated", "units", "dependent", "heteroscedastic", "skew", "event", "never"],
)
def test_a_true_law_passes(scores):
    finding = examined(pair, scores)
    assert finding.verdict == PASS, finding


# Canaries: laws that are wrong in one way only.  If one of them passes, the rows are broken.

GAMMA = 9.0  # of shape 9: skewness 2/3
CANARIES = {
    "mean": (pair, lambda x, e: law(e + 0.05, given=[x])),
    "variance": (pair, lambda x, e: law(1.05 * e, given=[x])),
    "shape, symmetric": (lambda rng, n: [rng.laplace(size=n) / np.sqrt(2)], law),
    "shape, skew": (lambda rng, n: [(rng.gamma(GAMMA, size=n) - GAMMA) / np.sqrt(GAMMA)], law),
    "ignores its condition": (pair, lambda x, e: law(0.6 * x + 0.8 * e, given=[x])),
    "slightly coupled": (pair, lambda x, e: law((e + 0.05 * x) / np.sqrt(1 + 0.05**2), given=[x])),
    "mean is even in the condition": (pair, lambda x, e: law(e + 0.05 * (x**2 - 1), given=[x])),
    "spread depends on the condition": (pair, lambda x, e: law(e * np.sqrt(1 + 0.1 * np.tanh(x)), given=[x])),
    "spread is even in the condition": (pair, lambda x, e: law(e * np.sqrt(1 + 0.1 * np.cos(2 * x)), given=[x])),
    "sign copied from the condition": (pair, lambda x, e: law(np.abs(e) * np.sign(x), given=[x])),
    "not finite": (pair, lambda x, e: law(np.sqrt(e), given=[x])),
    "one draw not finite": (pair, lambda x, e: law(np.where(np.arange(len(e)) == 77, np.inf, e), given=[x])),
    "infinite variance": (lambda rng, n: [rng.standard_t(2, n)], lambda x: moments(x, 0.0, 1.0, NULL)),
    "hidden by its own variance": (lambda rng, n: [rng.standard_t(2, n)], lambda x: moments(x + 0.05, 0.0, None, NULL)),
    "moments: mean": (pair, lambda x, e: moments(x**2 + e, 1.01 * x**2, 1.0, NULL, [x])),
    "moments: mean is even": (pair, lambda x, e: moments(e + 0.05 * (x**2 - 1), 0.0, 1.0, NULL, [x])),
    "moments: variance": (pair, lambda x, e: moments(x**2 + e, x**2, 1.05, NULL, [x])),
    "moments: variance given x": (pair, lambda x, e: moments(x + e, x, 1 + 0.05 * x, NULL, [x])),
    "moments: NaN": (pair, lambda x, e: moments(x + e, x, np.log(x), NULL, [x])),
    "moments: mean is cubic": (pair, lambda x, e: moments(e + 0.1 * (x**3 - 3 * x), 0.0, None, NULL, [x])),
    "event: frequency": (pair, lambda x, e: event(e > 1.3 * x, ndtr(0.1 - 1.3 * x), [x])),
    "event: ignores its condition": (pair, lambda x, e: event(e > 1.3 * x, 0.5, [x])),
    "event: impossible": (pair, lambda x, e: event(e > 3, 0.0)),
    "event: certain": (pair, lambda x, e: event(e > -3, 1.0)),
    "event: not a probability": (pair, lambda x, e: event(e > 0, 1.2)),
}


@pytest.mark.parametrize("canary", CANARIES)
def test_a_canary_fails(canary):
    finding = examined(*CANARIES[canary])
    assert finding.verdict == FAIL, finding


def kurtosis_by_condition(rng, n):
    """Draws of (c, z): given c, z has variance 1, and a fourth moment above 3 for c > 0, below 3 for c < 0."""
    c, e, side = rng.standard_normal(n), rng.standard_normal(n), rng.choice([-1.0, 1.0], n)
    m = 0.8
    q = np.sqrt(2 / 3) * m**2  # two variances 1 + q, 1 - q, or two means m, -m: fourth moments 3 + 2 m^4 and 3 - 2 m^4
    return c, np.where(c > 0, e * np.sqrt(1 + q * side), e * np.sqrt(1 - m**2) + m * side)


def test_the_joint_characteristic_function_sees_what_no_single_moment_does():
    finding = examined(kurtosis_by_condition, lambda c, z: law(z, given=[c]))
    assert finding.verdict == FAIL
    assert finding.detail.startswith("cos 1.9z against sin c: ")


def test_an_error_of_the_size_to_be_resolved_is_found():
    def planted(number):
        atom = sampled(pair, lambda x, e: law(e + 0.05, given=[x]), resolves=0.05)
        return atom.examine(number, "planted", "1").verdict

    assert [planted(number) for number in range(20)].count(PASS) <= 1  # a miss has probability 1e-3


def test_a_failure_says_what_was_claimed_what_was_found_and_how_far_off_it_is():
    atom = sampled(pair, lambda x, e: law(e + 0.5, given=[x]), at={"alpha": 0.683, "x": np.zeros(99)})
    detail = atom.examine(0, "claim", "1").detail
    assert detail.startswith("mean: the claim implies 0, and 32,768 draws give +0.5")
    assert "standard errors off, where chance explains 8." in detail
    assert detail.endswith("at alpha = 0.683, x = an array of shape (99,)")


# Bins.


def test_the_scale_is_held_where_a_condition_is_low_middling_or_high():
    bump = lambda c, at: 1 + 0.15 * np.exp(-2 * (c - at) ** 2)
    for word, at in (("low", -1.5), ("high", 1.5)):
        finding = examined(pair, lambda x, e, at=at: law(e * bump(x, at), given=[x]))
        assert finding.verdict == FAIL
        assert finding.detail.startswith(f"variance where c1 is {word}: ")


@pytest.mark.parametrize("c", [np.arange(99.0), np.array([-1.0, 1.0] * 50), np.array([0.0] * 99 + [1.0])], ids=len)
def test_no_bin_is_empty(c):
    found = bins(standardised([c, c**3]))
    assert [words for words, _ in found[:3]] == [f" where c1 is {word}" for word in ("low", "middling", "high")]
    assert len(found) == 6
    assert all(np.sum(np.square(g)) > 0 for _, g in found)


# Ranges.


@pytest.mark.parametrize(
    ("high", "verdict"), [(1.0, PASS), (np.inf, PASS), (0.9999, FAIL), (-1.0, FAIL), (np.nan, FAIL)]
)
def test_nothing_may_leave_its_range(high, verdict):
    draw = lambda rng, n: [rng.random(n)]
    assert examined(draw, lambda u: [*law(ndtri(u)), *within(u, 0.0, high)]).verdict == verdict


def test_a_range_sees_what_hides_behind_its_own_variance():
    """The discriminator with p + g turned to p - g: neither bounded nor a probability, and its scores know it."""

    def scores(x, wrong):
        p, g = np.exp(-x * x / 2), 0.7 * np.exp(-((x - 1) ** 2) / 2)
        return within(p / (p - g) if wrong else p / (p + g), 0.0, 1.0, name="D")

    assert examined(pair, lambda x, e: scores(x, wrong=False)).verdict == PASS
    finding = examined(pair, lambda x, e: scores(x, wrong=True))
    assert finding.verdict == FAIL
    assert finding.detail.startswith("D in its range: ")


def test_bounds_may_depend_on_the_draw_and_include_their_ends():
    assert examined(pair, lambda x, e: within(x, np.minimum(x, e), np.maximum(x, e))).verdict == PASS
    assert examined(pair, lambda x, e: within(e, np.minimum(x, 0), np.maximum(x, 0))).verdict == FAIL


# Inequalities.


@pytest.mark.parametrize(
    ("margin", "verdict"), [(0.0, PASS), (3.0, PASS), (1e9, PASS), (-0.05, FAIL), (-3.0, FAIL), (np.nan, FAIL)]
)
def test_an_average_that_is_at_least_so_much_may_be_more_and_not_less(margin, verdict):
    finding = examined(pair, lambda x, e: at_least(1.7 + 2.0 * e + margin, 1.7, 2.0, 1.6))
    assert finding.verdict == verdict
    if margin < 0:
        assert "the claim implies at least 0" in finding.detail


def test_an_inequality_is_missed_as_rarely_as_an_equality():
    atom = sampled(pair, lambda x, e: at_least(e - 0.03, 0.0, 1.0, 1.6), resolves=0.03)
    assert [atom.examine(number, "inequality", "1").verdict for number in range(30)].count(PASS) <= 1


def test_rows_of_both_kinds_keep_their_sides():
    both = lambda off: lambda x, e: [*at_least(x + 0.3, 0.0, 1.0, 1.6), Row("equal", e + off, third=0.0)]
    assert examined(pair, both(0.0)).verdict == PASS
    assert examined(pair, both(0.05)).detail.startswith("equal: the claim implies 0,")


# Null laws.


def test_a_row_has_the_null_law_that_is_known_of_it():
    rows = {row.name: row for row in law(np.zeros(9), given=[np.arange(9.0)])}
    assert rows["variance"].tail == ChiSquare()
    assert {type(rows[f"variance against c1{more}"].tail) for more in ("", " squared")} == {Limit}
    assert {type(row.tail) for name, row in rows.items() if name[:3] in ("cos", "sin")} == {Bounded}
    assert all(row.third == 0 for name, row in rows.items() if name.startswith("mean"))
    (alone,), given = event(np.zeros(9), 0.2), event(np.zeros(9), np.full(9, 0.2), [np.arange(9.0)])
    assert alone.tail == Binomial(0.2)
    assert {type(row.tail) for row in given} == {Limit}


def test_scores_with_a_bound_keep_to_it():
    z = np.concatenate([np.linspace(-9, 9, 9999), np.pi / np.array([0.8, 1.9])])
    for row in law(z, given=[np.cos(z)]):
        if isinstance(row.tail, Bounded):
            assert np.max(np.abs(row.f * row.g)) <= row.tail.bound * (1 + 1e-12), row.name
            if "against" not in row.name:
                assert np.max(np.abs(row.f)) == pytest.approx(row.tail.bound, rel=1e-3), row.name


RARELY = float(ndtr(-3.7))  # once in ten thousand


@pytest.mark.parametrize(("factor", "coarse", "verdict"), [(1.0, PASS, PASS), (3.0, PASS, FAIL), (0.3, FAIL, FAIL)])
def test_a_rare_event_is_counted_by_its_binomial_law(factor, coarse, verdict):
    """In the first look it happens three or four times: no limit theorem would dare to speak."""
    count = lambda x, e: event(e > 3.7, factor * RARELY)
    # The rarer it is claimed to be, the more draws must be seen for a pass; meanwhile the count is out.
    assert examined(pair, count, resolves=5e-2).verdict == coarse
    assert examined(pair, count, resolves=1e-2).verdict == verdict


def test_what_cannot_fail_does_not_pass():
    """A score of unknown third moment, and an event too rare for a limit theorem, decide nothing."""
    nobody_knows = lambda x, e: [Row("of unknown tails", x)]
    assert examined(pair, nobody_knows, resolves=1e-2).verdict == INCONCLUSIVE
    missed = lambda x, e: event(np.zeros(len(x), dtype=bool), 1e-6 + 0.01 * 1e-3)  # off by 0.01 sigma, and not seen
    assert examined(pair, missed, resolves=1e-2).verdict != PASS


# Nonsense.


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (lambda z: [Row("square", np.outer(z[:9], z[:9]))], r"'square' has shape \(9, 9\); expected one score"),
        (lambda z: [Row("weighed", z, z[:5])], "'weighed' has weights of shape"),
        (lambda z: [Row("cubed", z, 1.0, z[:5])], "'cubed' has third moments of shape"),
        (lambda z: moments(z, 0.0, 1.0, (0.0, 0.0, 0.0)), "x does not vary in the world"),
        (lambda z: moments(np.sign(z), 0.0, 1.0, (1.0, 1.0, 1.0)), "does not vary in the world"),
        (lambda z: law(z, given=[z] * 9), "at most 8"),
        (lambda z: law(z, given=[0 * z]), "'mean against c1' has no weight"),
        (lambda z: [], "there are no rows"),
    ],
)
def test_a_check_that_makes_no_sense_is_an_error(rows, message):
    with pytest.raises(ValueError, match=message):
        examined(lambda rng, n: [rng.standard_normal(n)], rows)


def test_a_resolution_beyond_sampling_is_an_error():
    with pytest.raises(ValueError, match=r"resolves=1e-06 is finer than 0\.00\d+, the limit of 8 rows"):
        examined(lambda rng, n: [rng.standard_normal(n)], law, resolves=1e-6)


def test_null_moments_may_have_names():
    class World:
        second, third, fourth, sixth = 1.0, 0.0, 3.0, 15.0

    assert examined(pair, lambda x, e: moments(x + e, x, 1.0, World, [x])).verdict == PASS
