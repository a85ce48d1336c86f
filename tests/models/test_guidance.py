"""The labelled clusters are what they say, and each formula is refuted by every atom that judges it."""

from collections import Counter

import numpy as np
import pytest

pytest.importorskip("torch")

import noiseproof
from models import guidance
from models.guidance import (
    ALPHA_BAR,
    LABELLED,
    OUTER,
    ROOT,
    SHARE,
    WORLD,
    bayes_score,
    clean,
    denoiser,
    expected_noise,
    labelled,
    share,
    slope_of_share,
    trained_classifier,
)
from numerics.compiled import formulas
from numerics.quadrature import expectation_of, settled
from numerics.statistics import FAIL, PASS, examine
from numerics.worlds import normal

CLAIM = noiseproof.claims()["guidance.bayes-score"]
X = np.array([-1.4, -0.31, 0.17, 0.83, 1.9])


def verdicts(**formula):
    """How many atoms say what of these formulas, by what they judge."""
    found = list(examine(bayes_score, formulas(CLAIM, **formula), kinds=("model",), claim=CLAIM.id))
    return Counter((atom.name.split(", ")[1], atom.verdict) for atom in found)


def test_the_world_is_both_labels_together():
    for x in X:
        both = SHARE * LABELLED[1](x) + (1 - SHARE) * OUTER(x)
        assert WORLD(x) == pytest.approx(both)
        assert clean(1, x) == pytest.approx(SHARE * LABELLED[1](x) / both)
    np.testing.assert_allclose(clean(0, X) + clean(1, X), 1)


@pytest.mark.parametrize("y", [0, 1])
def test_the_share_of_a_label_is_what_the_clean_classifier_says_on_average(y):
    for x in X:
        behind = lambda x_0, x=x: WORLD(x_0) * normal(x, np.sqrt(ALPHA_BAR) * x_0, 1 - ALPHA_BAR)
        average = settled(expectation_of(lambda x_0: clean(y, x_0), behind, width=2.0))
        assert share(y, x) == pytest.approx(average, rel=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize("y", [0, 1])
def test_slopes_are_differences(y):
    h = 1e-6
    exact = (np.log(share(y, X + h)) - np.log(share(y, X - h))) / (2 * h)
    np.testing.assert_allclose(slope_of_share(y, X), exact, rtol=1e-6)
    learned, h = trained_classifier(0), 1e-2  # in single precision
    logs = [np.log(learned.predict(x)[:, y]) for x in (X - h, X + h)]
    np.testing.assert_allclose(learned.slopes(X, y), (logs[1] - logs[0]) / (2 * h), atol=5e-3)


def test_draws_have_the_labels_and_the_marginals():
    x, label = labelled(np.random.default_rng(0), 400_000)
    assert abs(label.mean() - SHARE) < 5 * np.sqrt(SHARE * (1 - SHARE) / len(x))
    for y, law in enumerate(LABELLED):
        seen, wanted = x[label == y], law.marginal(ALPHA_BAR)
        for at in X:
            p = wanted.cdf(at)
            assert abs(np.mean(seen < at) - p) < 5 * np.sqrt(p * (1 - p) / len(seen))


@pytest.mark.slow
def test_one_denoiser_knows_the_label_or_does_not():
    """Its three answers are apart where the labels are, and each is near the mean of its own noise."""
    exact = [expected_noise(X)]
    exact += [(X - np.sqrt(ALPHA_BAR) * law.posterior(ALPHA_BAR, X).mean) / ROOT for law in LABELLED]
    for told, wanted in enumerate(exact, 1):
        np.testing.assert_allclose(denoiser(0).predict(X, told).whole, wanted, atol=0.05)
    assert np.max(np.abs(exact[1] - exact[2])) > 0.5


@pytest.mark.slow
def test_the_networks_land_on_the_formulas():
    assert verdicts() == {("its probability", PASS): 2, ("noise", PASS): 4, ("score", PASS): 4}


@pytest.mark.slow
@pytest.mark.parametrize("name", CLAIM.mistakes)
def test_mistake(name):
    """Every atom that judges the wrong formula refutes it, also those where networks alone are put together."""
    found, wrong = verdicts(**CLAIM.mistakes[name]), next(iter(CLAIM.mistakes[name]))
    judged = {"classifier": ("its probability", 2), "guided_noise": ("noise", 4)}[wrong]
    assert found[judged[0], FAIL] == judged[1]
    assert sum(found[what, PASS] for what in ("its probability", "noise", "score")) == 10 - judged[1]


@pytest.mark.slow
def test_a_slope_of_the_wrong_size_is_refuted():
    """Guidance of a tenth too much."""
    found = verdicts(guided_score=lambda score, gradient, **_: score + 1.1 * gradient)
    assert found["score", FAIL] == 4


@pytest.mark.slow
def test_one_training_judges_every_formula():
    verdicts()
    trained = guidance.denoiser.cache_info().misses, guidance.trained_classifier.cache_info().misses
    verdicts(**CLAIM.mistakes["plus"])
    assert (guidance.denoiser.cache_info().misses, guidance.trained_classifier.cache_info().misses) == trained


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 4))
def test_fresh_seeds(seed):
    """Other networks, other draws, the same verdicts."""
    found = examine(bayes_score, formulas(CLAIM), kinds=("model",), claim=CLAIM.id, seed=seed)
    assert {atom.verdict for atom in found} == {PASS}
