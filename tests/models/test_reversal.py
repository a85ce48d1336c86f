"""A trained network lands on the formula, refutes every mistake, and says how small an error it would see."""

from dataclasses import replace

import numpy as np
import pytest
from numpy import sqrt

pytest.importorskip("torch")

from models.diffusion import SCHEDULE, denoiser, draws, given, square_given
from models.reversal import EDGES, TIMES, classifier, step_tweedie
from numerics.statistics import FAIL, INCONCLUSIVE, PASS

TRUTH = {
    "mean": lambda x_t, alpha, marginal, **_: (x_t + (1 - alpha) * marginal.score(x_t)) / sqrt(alpha),
    "variance": lambda x_t, alpha, marginal, **_: (1 - alpha) / alpha * (1 + (1 - alpha) * marginal.score_slope(x_t)),
}
MISTAKES = {
    "half-beta": {
        "mean": lambda x_t, alpha, marginal, **_: (x_t + (1 - alpha) / 2 * marginal.score(x_t)) / sqrt(alpha)
    },
    "sign": {"mean": lambda x_t, alpha, marginal, **_: (x_t - (1 - alpha) * marginal.score(x_t)) / sqrt(alpha)},
    "score-of-previous": {"mean": lambda x_t, alpha, prior, **_: (x_t + (1 - alpha) * prior.score(x_t)) / sqrt(alpha)},
    "sqrt-beta": {
        "mean": lambda x_t, alpha, marginal, **_: (x_t + sqrt(1 - alpha) * marginal.score(x_t)) / sqrt(alpha)
    },
    "variance-first-order-sign": {
        "variance": lambda x_t, alpha, marginal, **_: (
            (1 - alpha) / alpha * (1 - (1 - alpha) * marginal.score_slope(x_t))
        )
    },
}
SHAPES = {"constant": np.ones_like, "sin": np.sin, "tanh": lambda x: np.tanh(3 * x), "square": lambda x: x * x - 1}


def atoms_of(**formulas):
    """The atoms of the first time, for the mean and for the variance."""
    mean, variance, *_ = step_tweedie(**{**TRUTH, **formulas})
    return mean, variance


def findings(seed=0, **formulas):
    """What they find."""
    atoms = atoms_of(**formulas)
    return {name: atom.examine(seed, "step_tweedie", name) for name, atom in zip(TRUTH, atoms)}


@pytest.mark.slow
def test_the_network_lands_on_the_formula():
    for finding in findings().values():
        assert finding.verdict == PASS, finding.detail


@pytest.mark.slow
@pytest.mark.parametrize("name", MISTAKES)
def test_mistake(name):
    """The atom of the formula that is wrong refutes it."""
    found = findings(**MISTAKES[name])
    for letter in MISTAKES[name]:
        assert found[letter].verdict == FAIL, found[letter].detail


@pytest.mark.slow
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("letter", "known"), [("mean", given), ("variance", square_given)])
def test_an_error_of_the_size_it_resolves_is_found(letter, known, shape):
    """Whatever its shape."""
    atom, bent = dict(zip(TRUTH, atoms_of()))[letter], SHAPES[shape]
    x, _ = draws("x_prev", TIMES[0])(np.random.default_rng(0), 100_000)
    size = atom.resolves / sqrt(np.mean(bent(x) ** 2))
    wrong = replace(
        atom, formula=lambda x_t: atom.formula(x_t) + size * bent(x_t) * known("x_prev", TIMES[0])(x_t).sigma
    )
    finding = wrong.examine(0, "step_tweedie", letter)
    assert finding.verdict == FAIL, finding.detail


def test_a_network_that_has_not_learnt_passes_nothing():
    """The naive inversion, which is the network before training."""
    atom, _ = atoms_of()
    untrained = replace(atom, network=lambda seed: lambda x_t: x_t / sqrt(SCHEDULE.step(TIMES[0]).alpha))
    finding = untrained.examine(0, "step_tweedie", "mean")
    assert finding.verdict == INCONCLUSIVE
    assert "train it longer" in finding.detail


def test_a_network_that_says_no_numbers_refutes_nothing():
    atom, _ = atoms_of()
    broken = replace(atom, network=lambda seed: lambda x_t: np.full(x_t.shape, np.nan))
    finding = broken.examine(0, "step_tweedie", "mean")
    assert finding.verdict == INCONCLUSIVE
    assert "the network says what is no number" in finding.detail


@pytest.mark.slow
def test_a_network_may_come_close_to_the_truth_and_may_not_beat_it():
    """Pythagoras: the risk of the network is that of the truth and its distance from it; a mistake has more to lose."""
    x_t, x_prev = draws("x_prev", TIMES[0])(np.random.default_rng(1), 2**20)
    atom, _ = atoms_of()
    learned = atom.network(0)(x_t)
    ahead = (x_prev - learned) ** 2 - (x_prev - atom.formula(x_t)) ** 2
    assert abs(ahead.mean() - np.mean((learned - atom.formula(x_t)) ** 2)) < 5 * ahead.std() / sqrt(len(ahead))
    for name, formulas in MISTAKES.items():
        if "mean" in formulas:
            wrong, _ = atoms_of(**formulas)
            assert np.mean((x_prev - learned) ** 2) < np.mean((x_prev - wrong.formula(x_t)) ** 2), name


@pytest.mark.slow
def test_one_training_judges_every_formula():
    findings()
    trained = denoiser.cache_info().misses
    findings(**MISTAKES["sign"])
    assert denoiser.cache_info().misses == trained


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 5))
def test_fresh_seeds(seed):
    """Another network, other draws, the same verdicts."""
    assert [finding.verdict for finding in findings(seed).values()] == [PASS, PASS]


@pytest.mark.slow
def test_the_classifier_has_two_peaks_and_a_gap_where_the_kernel_has():
    """From between the clusters, the way back leads to either; the naive kernel would have its peak in the gap."""
    (bins,) = classifier(0).predict(np.array([0.05]))
    height = bins[1:-1] / np.diff(EDGES)
    assert height[2] < min(height[:2].max(), height[3:].max()) / 1.5
