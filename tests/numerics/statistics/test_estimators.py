"""Estimators are unbiased, state their error rightly, are exact where they say so, and find what they resolve."""

from math import factorial

import numpy as np
import pytest
from scipy.special import ndtri

from numerics.statistics import (
    FAIL,
    INCONCLUSIVE,
    PASS,
    GaussHermite,
    Hermite,
    Row,
    Sobol,
    at_least,
    gauss_hermite,
    hermite,
    law,
    moments,
    sampled,
    sobol,
    stream,
)
from numerics.statistics.estimators import left_over, polynomials
from numerics.statistics.points import Given, Raw, Remembered, Strata
from numerics.worlds import Step, mixture
from tests.timing import seconds

ESTIMATORS = {"hermite": hermite, "sobol": sobol, "gauss_hermite": gauss_hermite}
TILT = 0.7


def pair(rng, n):
    return rng.standard_normal((2, n))


def centred(off=0.0):
    """Scores that are no polynomials, and skew: of mean zero, or off by so many standard deviations."""
    sd = np.sqrt(np.exp(2 * TILT**2) - np.exp(TILT**2))
    with_square = TILT**2 * np.exp(TILT**2 / 2) / sd  # the mean of growth (x^2 - 1); that of share (x^2 - 1) is 0

    def scores(x, e):
        growth = (np.exp(TILT * x) - np.exp(TILT**2 / 2)) / sd
        share = (1 / (1 + np.exp(x + 0.6 * e)) - 0.5) / 0.2322
        g = x * x - 1
        given = share + growth / 3 - with_square / 6 * g
        return [Row("growth", growth + off), Row("share", share - off), Row("given x", given, g)]

    return scores


def examined(draw, scores, resolves, by, seed=0, claim="estimators"):
    return sampled(draw, scores, resolves, by=by).examine(seed, claim, "1")


# ---------------------------------------------------------------- unbiased, with the errors that they state


def deviates(estimates):
    """Averages in the standard errors that the estimator states, (runs, rows)."""
    return np.array([e.means / e.error for e in estimates])


def assert_standard(z, spread):
    """Means of 0 within five standard errors; mean squares of 1, or less, within five too, and a margin."""
    runs = len(z)
    assert np.all(np.abs(np.mean(z, axis=0)) < 5 / np.sqrt(runs))
    assert np.all(np.abs(np.mean(z**2, axis=0) - 1) < 5 * np.sqrt(2 / runs) + spread)


def test_control_variates_are_unbiased_and_state_their_error():
    def look(seed, n=2**11):
        raw = Remembered(stream(seed, "estimators", "unbiased", 0), n)
        return Hermite(degree=2).estimate(centred()(*pair(Raw(n, raw), n)), raw.normals(), n)

    assert_standard(deviates(look(seed) for seed in range(300)), spread=0.05)


def test_control_variates_take_most_of_the_chance_away():
    n = 2**13
    raw = Remembered(stream(0, "estimators", "less chance", 0), n)
    rows = centred()(*pair(Raw(n, raw), n))
    assert np.all(hermite.estimate(rows, raw.normals(), n).error < np.array([0.1, 0.1, 0.5]) / np.sqrt(n))


def test_scrambled_points_are_unbiased_and_state_their_error():
    estimates = [sobol.estimate(pair, centred(), 2, 6, f"estimators {k}", "1") for k in range(120)]
    assert_standard(deviates(estimates), spread=0.2)


def test_scrambled_points_are_more_even_than_draws():
    error = [sobol.estimate(pair, centred(), 2, power, "estimators", "1").error for power in (6, 9)]
    assert np.all(error[1] < error[0] / 8**0.5)  # which draws would give
    assert error[1][1] < error[0][1] / 8  # for what is smooth and bounded
    assert np.all(error[1] < 0.3 / np.sqrt(2**9 * sobol.SHIFTS))


def test_nodes_are_right_within_the_error_that_they_state():
    for nodes in (8, 12, 16, 24):
        names, coarse = GaussHermite(nodes).averages(pair, centred(), 2, nodes // 2)
        _, means = GaussHermite(nodes).averages(pair, centred(), 2, nodes)
        assert names == ["growth", "share", "given x"]
        assert np.all(np.abs(means) <= np.abs(means - coarse) + 1e-12)


# ---------------------------------------------------------------- truth, and errors of the size that is resolved

FINEST = {"hermite": 1e-2, "sobol": 1e-3, "gauss_hermite": 1e-4}


@pytest.mark.parametrize("name", ESTIMATORS)
def test_a_truth_passes(name):
    assert {examined(pair, centred(), FINEST[name], ESTIMATORS[name], seed=k).verdict for k in range(5)} == {PASS}


@pytest.mark.parametrize("name", ESTIMATORS)
@pytest.mark.parametrize("sign", [-1, 1])
def test_an_error_of_the_size_that_is_resolved_is_found(name, sign):
    """Whatever the draws, and whatever the points: the claim names the points."""
    by, size = ESTIMATORS[name], sign * FINEST[name]
    found = [examined(pair, centred(size), FINEST[name], by, seed=k, claim=f"estimators {k}") for k in range(6)]
    assert {f.verdict for f in found} == {FAIL}
    assert all(f.error == pytest.approx(FINEST[name], rel=0.6) for f in found)


@pytest.mark.parametrize("name", ["hermite", "sobol"])
def test_what_cannot_be_resolved_is_neither_passed_nor_failed(name):
    finding = examined(pair, centred(), 1e-9, ESTIMATORS[name])
    assert finding.verdict == INCONCLUSIVE
    assert "which does not exclude an error of 1e-09" in finding.detail


def test_nodes_that_do_not_suffice_decide_nothing():
    kinked = lambda x, e: [Row("kinked", np.abs(x) - np.sqrt(2 / np.pi))]
    assert examined(pair, kinked, 1e-4, gauss_hermite).verdict == INCONCLUSIVE


def test_an_estimator_that_sees_its_own_chance_only_says_so_in_kind():
    kinds = {name: sampled(pair, centred(), by=by).kind for name, by in ESTIMATORS.items()}
    assert kinds == {"hermite": "montecarlo", "sobol": "quadrature", "gauss_hermite": "quadrature"}


# ---------------------------------------------------------------- polynomials are exact


def rotated(off=0.0, scale=0.0):
    """q(x | y) for (x, y) normal with correlation 0.6: polynomials of degree 4 in the raw normals."""
    return lambda a, b: law(
        ((0.6 * a + 0.8 * b) - (0.6 + off) * a) / np.sqrt(0.64 * (1 + scale)), given=[a, 2.0 + 3.0 * a]
    )


@pytest.mark.parametrize("wrong", [{"off": 2e-11}, {"off": -2e-11}, {"scale": 3e-11}, {"scale": -3e-11}], ids=str)
def test_an_identity_between_polynomials_is_decided_to_eleven_digits(wrong):
    for seed in range(10):
        assert examined(pair, rotated(), 1e-11, hermite, seed).verdict == PASS
        assert examined(pair, rotated(**wrong), 1e-11, hermite, seed).verdict == FAIL


def test_eleven_digits_take_five_milliseconds():
    """Of the processor, at best: what others do meanwhile is not counted."""
    two = lambda a, b: moments(0.6 * a + 0.8 * b, 0.6 * a, 0.64, (0.64, 3 * 0.64**2, 15 * 0.64**3))

    assert examined(pair, two, 1e-11, hermite).verdict == PASS
    assert seconds(lambda: examined(pair, two, 1e-11, hermite), 5e-3, times=9) < 5e-3


def test_nothing_is_left_of_a_polynomial_but_its_mean():
    x = stream(0, "estimators", "left over", 0).standard_normal((2, 2**11))
    h = np.array([3 + x[0] * x[1] - 2 * x[0] ** 4 + x[1] ** 3 * x[0], 0.5 - x[1] ** 2])
    left, floor = left_over(h, polynomials(x, 4))
    assert np.all(np.abs(left - [[-3.0], [-0.5]]) < 1e-11)
    assert np.all(np.abs(np.mean(left, axis=1) - [-3, -0.5]) < floor)
    assert np.all(floor < 1e-12)


def test_the_basis_is_orthonormal():
    nodes, weights = np.polynomial.hermite_e.hermegauss(12)
    grid = np.array(np.meshgrid(nodes, nodes)).reshape(2, -1)
    p = np.outer(weights, weights).ravel() / np.sum(weights) ** 2
    basis = np.vstack([np.ones(144), polynomials(grid, 4)])
    assert (basis * p) @ basis.T == pytest.approx(np.eye(len(basis)), abs=1e-12)
    assert len(basis) == factorial(6) / factorial(4) / 2


# ---------------------------------------------------------------- case by case

WORLD, STEP = mixture([0.31, 0.69], [-1.13, 1.47], [0.23, 0.41]), Step(alpha=0.547, alpha_bar_prev=0.743)
BEFORE = WORLD.marginal(STEP.alpha_bar_prev)


def overall(off=0.0):
    """Mean and variance of the mixture, which no single component has."""
    null = (BEFORE.variance, 12.0, 60.0)
    return lambda x_0, x_prev, x_t: moments(x_prev, BEFORE.mean + off, BEFORE.variance, null)


@pytest.mark.parametrize("name", ESTIMATORS)
def test_cases_are_averaged_with_their_weights(name):
    by, resolves = ESTIMATORS[name].over(WORLD.weights), max(1e-9, ESTIMATORS[name].resolves)
    assert examined(WORLD.forward(STEP), overall(), resolves, by).verdict == PASS
    assert examined(WORLD.forward(STEP), overall(1e-2), resolves, by).verdict == FAIL
    swapped = ESTIMATORS[name].over(WORLD.weights[::-1])
    with pytest.raises(AssertionError):
        assert examined(WORLD.forward(STEP), overall(), resolves, swapped).verdict == PASS


def test_without_its_cases_a_mixture_is_no_polynomial():
    assert examined(WORLD.forward(STEP), overall(), 1e-9, hermite).verdict == INCONCLUSIVE


def test_cases_state_their_error_together():
    def look(seed, n=2**12):
        raw, by = Remembered(stream(seed, "estimators", "cases", 0), n), Hermite(0).over((0.31, 0.69))
        x = WORLD.sample(Raw(n, by.strata(raw, n)), n)
        return by.estimate(moments(x, WORLD.mean, None, (WORLD.variance, 9.0, 40.0)), raw.normals(), n)

    assert_standard(deviates(look(seed) for seed in range(300)), spread=0.02)


# ---------------------------------------------------------------- what leaves its domain


@pytest.mark.parametrize("name", ESTIMATORS)
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_score_that_is_not_finite_fails(name, value):
    everywhere = lambda x, e: [Row("fine", x), Row("lost", e + value)]
    finding = examined(pair, everywhere, 1e-2, ESTIMATORS[name])
    assert finding.verdict == FAIL
    assert finding.detail.startswith("lost: not finite")


@pytest.mark.parametrize("name", ESTIMATORS)
def test_a_formula_that_leaves_its_domain_somewhere_fails(name):
    assert examined(pair, lambda x, e: [Row("root", np.sqrt(1.5 - x))], 1e-2, ESTIMATORS[name]).verdict == FAIL


# ---------------------------------------------------------------- nonsense


@pytest.mark.parametrize(
    ("by", "draw", "scores", "message"),
    [
        (hermite, pair, lambda x, e: [Row("wave", np.cos(x), polynomial=False)], "no row is a polynomial"),
        (hermite, pair, lambda x, e: [], "there are no rows"),
        (sobol, pair, lambda x, e: [], "there are no rows"),
        (gauss_hermite, pair, lambda x, e: [], "there are no rows"),
        (sobol, lambda rng, n: [np.zeros(n)], law, "the draw takes no raw numbers"),
        (gauss_hermite, lambda rng, n: [rng.random(n)], law, "a draw that takes uniform numbers has no grid of nodes"),
        (gauss_hermite, lambda rng, n: rng.standard_normal((5, n)), lambda *z: law(z[0]), "5 raw normals are too many"),
        (hermite, lambda rng, n: [rng.standard_normal((3, 3))], law, "one axis must count the 2048 draws"),
        (sobol.over([0.5, 0.5]), lambda rng, n: rng.random((2, n)), lambda *u: law(u[0]), "it may take one"),
        (sobol, lambda rng, n: [rng.standard_normal(n)] * (1 + (n > 99)), lambda *z: law(z[0]), None),
    ],
    ids=["waves", *("no rows",) * 3, "no chance", "uniform", "dimensions", "shape", "cases", "fine"],
)
def test_an_estimator_that_does_not_fit_is_an_error(by, draw, scores, message):
    if message is None:
        assert examined(draw, scores, 1e-1, by).verdict == PASS
        return
    with pytest.raises(ValueError, match=message):
        examined(draw, scores, 1e-1, by)


def test_a_draw_must_not_take_more_numbers_for_some_draws():
    unsteady = lambda rng, n: [rng.standard_normal(n) + (rng.standard_normal(n) if n > 12_000 else 0)]
    with pytest.raises(ValueError, match="takes more raw numbers than it took before"):
        examined(unsteady, law, 1e-1, sobol)


def test_points_are_those_of_the_claim_whatever_the_seed():
    errors = {examined(pair, centred(0.1), 1e-3, sobol, seed=k).error for k in range(3)}
    assert len(errors) == 1
    assert errors != {examined(pair, centred(0.1), 1e-3, sobol, claim="another").error}


def test_points_fill_the_square():
    """The net itself: every dyadic box of the right volume holds one point, whatever its shape."""
    seen = []
    watched = lambda u, v: seen.append((u, v)) or [Row("u", u - v)]
    sobol.estimate(lambda rng, n: rng.random((2, n)), watched, 2, 6, "points", "1")
    for u, v in zip(*(np.concatenate([w[k] for w in seen]).reshape(-1, 64) for k in (0, 1))):
        for power in range(7):
            boxes = np.floor(u * 2**power) * 64 + np.floor(v * 2 ** (6 - power))
            assert len(np.unique(boxes)) == 64


def test_given_numbers_are_turned_into_normals_where_those_are_asked_for():
    raw = Raw(3, Strata()(Given(np.array([[0.1, 0.5, 0.9]] * 2)), 3))
    assert raw.random(3) == pytest.approx([0.1, 0.5, 0.9])
    assert raw.standard_normal(3) == pytest.approx([-1.2815516, 0, 1.2815516])


def test_the_estimators_of_the_house_are_the_defaults_of_their_classes():
    assert (hermite, sobol, gauss_hermite) == (Hermite(), Sobol(), GaussHermite())


@pytest.mark.parametrize("name", ESTIMATORS)
def test_an_inequality_is_left_to_independent_draws(name):
    with pytest.raises(ValueError, match="'mean' states an inequality: leave it to independent draws"):
        examined(pair, lambda x, e: at_least(x, -1.0, 1.0, 1.6), 1e-2, ESTIMATORS[name])


@pytest.mark.parametrize("by", [Hermite(), Sobol()], ids=["hermite", "sobol"])
def test_what_is_rare_and_was_not_seen_is_not_refuted(by):
    """A spike of probability 1e-7: its average is a constant for all that was drawn, and the claim is true."""
    p = 1e-7
    edge = -float(ndtri(p))
    spike = lambda x, e: [Row("spike", ((x > edge) - p) / np.sqrt(p))]
    finding = examined(pair, spike, 1e-2, by)
    assert finding.verdict == INCONCLUSIVE, finding.detail


def test_a_hole_of_a_score_on_a_coarser_grid_hides_nothing():
    """sin(z)/z has no value at 0, a node of every grid with an odd number of them."""
    holed = lambda x, e: [Row("fine", np.sin(x) / x - np.sin(x) / x), Row("off", e + 0.5), Row("sinc", np.sin(x) / x)]
    finding = examined(pair, holed, 1e-4, gauss_hermite)
    assert finding.verdict == FAIL, finding.detail
    assert finding.detail.startswith("off")


@pytest.mark.parametrize("nodes", [24, 64, 128])
def test_an_error_that_grows_with_c_squared_is_found_on_any_grid(nodes):
    """Nodes count as much as they weigh when c is standardised: far out they are many, and nothing."""
    bent = lambda x, e: moments(e, 3e-3 * (x * x - 1), None, (1.0, 3.0, 15.0), given=(x,))
    finding = examined(pair, bent, 1e-3, GaussHermite(nodes))
    assert finding.verdict == FAIL, finding.detail


def test_a_draw_may_take_many_numbers_at_once():
    finding = examined(lambda rng, n: rng.standard_normal((8, n)), lambda *z: law(z[0]), 5e-2, sobol)
    assert finding.verdict == PASS, finding.detail


def test_rounding_inside_a_score_refutes_nothing():
    """x = c + s e with a small s: the last bits of c are large beside s."""
    narrow = lambda c, e: [Row("mean", ((c + 1e-2 * e) - c * (1 + 4e-16)) / 1e-2)]
    assert examined(pair, narrow, 1e-11, hermite).verdict == PASS


def test_weights_of_cases_are_probabilities():
    for weights in ([1.0, 2.0], [1.5, -0.5], [np.nan, 1.0]):
        with pytest.raises(ValueError, match="weights of cases are probabilities"):
            hermite.over(weights)


def test_too_many_polynomials_are_refused():
    with pytest.raises(ValueError, match="12 raw normals have 1820 polynomials of degree 4: use sobol"):
        examined(lambda rng, n: rng.standard_normal((12, n)), lambda *z: law(z[0]), 1e-2, hermite)
