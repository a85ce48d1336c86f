"""Two estimators of one slope: both are unbiased, one varies more; and a descent says how far it has come."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("sklearn")

import noiseproof  # noqa: E402
from models.gradients import TARGET, automatic, descended_by, drawn_to_the_target, letters, reparam_gradient  # noqa: E402
from models.nonlinear_vae import grey  # noqa: E402
from numerics.compiled import formulas  # noqa: E402
from numerics.statistics import FAIL  # noqa: E402

CODES = [(0.73, 0.61), (-1.19, 0.83), (0.41, 1.37)]
DRAWS = 400_000


def per_draw(mu, sigma, by_weights):
    """Automatic slopes of z^2 in mu, one for each draw."""
    mean = torch.full((DRAWS,), mu, dtype=torch.float64, requires_grad=True)
    e = torch.randn(DRAWS, generator=torch.Generator().manual_seed(5), dtype=torch.float64)
    z = mean + sigma * e
    if by_weights:
        z = z.detach()
        loss = z**2 * (-(((z - mean) / sigma) ** 2) / 2)
    else:
        loss = z**2
    return torch.autograd.grad(loss.sum(), mean)[0].numpy()


@pytest.mark.parametrize(("mu", "sigma"), CODES)
@pytest.mark.parametrize("by_weights", [False, True])
def test_both_estimators_are_unbiased_and_vary_as_is_claimed(mu, sigma, by_weights):
    known = formulas(noiseproof.claims()["vae.score-function-gradient"])
    variance = float(known["score_variance" if by_weights else "pathwise_variance"](mu=mu, sigma=sigma))
    slopes = per_draw(mu, sigma, by_weights)
    assert abs(slopes.mean() - 2 * mu) < 5 * np.sqrt(variance / DRAWS)
    away = (slopes - 2 * mu) ** 2
    assert abs(away.mean() - variance) < 5 * away.std() / np.sqrt(DRAWS)


def test_weights_vary_more_on_a_trained_decoder_too():
    """The explanation of an image, with as many draws: the path is worth several times as many weights."""
    found, n = grey(0), 11
    at = letters(found, n)
    z = at["mu"] + at["sigma"] * np.random.default_rng(3).standard_normal(20_000)
    path = at["slope"](z)
    weights = found.cost(torch.from_numpy(z), n).numpy() * (z - at["mu"]) / at["sigma"] ** 2
    together = np.sqrt((path.var() + weights.var()) / len(z))
    assert abs(path.mean() - weights.mean()) < 5 * together
    assert weights.var() > 2 * path.var()


def test_a_detached_term_changes_nothing_to_the_last_bit():
    for mu, sigma in CODES:
        together, alone = automatic(np.array(mu), np.array(sigma), True)
        assert np.array_equal(together, alone)
        together, alone = automatic(np.array(mu), np.array(sigma), False)
        np.testing.assert_allclose(together - alone, [2 * mu, 2 * sigma], rtol=1e-13)


def test_where_codes_come_to_that_are_drawn_to_a_target():
    """With a path between prior and target, without one to the prior."""
    zero = lambda **at: np.zeros(())
    detached = drawn_to_the_target(0, True, zero, zero)
    np.testing.assert_allclose(detached.at["best"], [0, 1], atol=1e-8)
    slopes = {"by_mu": lambda mu, **_: 2 * mu, "by_sigma": lambda sigma, **_: 2 * sigma}
    followed = drawn_to_the_target(0, False, **slopes)
    np.testing.assert_allclose(followed.at["best"], [2 * TARGET / 3, 1 / np.sqrt(3)], atol=1e-8)


@pytest.mark.parametrize("name", ["no-epsilon", "no-half-in-logvar", "sigma-extra", "indicator"])
def test_a_descent_by_a_mistake_ends_elsewhere(name):
    claim = noiseproof.claims()["vae.reparam-gradient"]
    atoms = reparam_gradient(**formulas(claim, **claim.mistakes[name]))
    ends = [atom for atom in atoms if atom.name.startswith(("descended", "pushed"))]
    assert FAIL in {atom.examine(0, claim.id, atom.name).verdict for atom in ends}


def test_a_descent_says_how_far_it_may_be():
    end, left = descended_by(lambda x: np.array([1.0, 0.5]) * (x - [3, -2]), np.zeros(2), 0.3)
    assert np.all(np.abs(end - [3, -2]) <= left)
    assert np.all(left < 1e-8)


def test_a_descent_that_was_stopped_early_admits_it():
    end, left = descended_by(lambda x: x - 1, np.zeros(1), 0.1, steps=5)
    assert np.abs(end - 1) <= left
    assert left > 0.1


def test_a_slope_that_leads_nowhere_is_found_out():
    with pytest.raises(FloatingPointError, match="the slope leads nowhere"):
        descended_by(lambda x: -x, np.ones(2), 0.5)


def test_bad_starts_are_named():
    with pytest.raises(ValueError, match=r"start\[1\] is inf; expected a finite number"):
        descended_by(lambda x: x, [0.0, np.inf], 0.1)
