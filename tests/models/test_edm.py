"""The denoiser with the scales of EDM is what it says, and an error of a thousandth in a formula leads it elsewhere."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from numpy import exp, sqrt

torch = pytest.importorskip("torch")

from models.edm import POINTS, SIGMA, denoiser_score, preconditioning, read_off, weight  # noqa: E402
from models.preconditioned import (  # noqa: E402
    LEVELS,
    PARAMETERS,
    WORLD,
    added_up,
    denoised,
    denoiser,
    each,
    errors,
    pairs,
    regressed,
    train,
)
from models.training import minimised  # noqa: E402
from numerics.statistics import FAIL, INCONCLUSIVE, PASS  # noqa: E402
from numerics.worlds import empirical  # noqa: E402

CHECKS = {"preconditioning": preconditioning, "weight": weight, "denoiser_score": denoiser_score}
TRUTH = {
    "preconditioning": {
        "c_in": lambda sigma, sigma_d, **_: 1 / sqrt(sigma**2 + sigma_d**2),
        "c_skip": lambda sigma, sigma_d, **_: sigma_d**2 / (sigma**2 + sigma_d**2),
        "c_out": lambda sigma, sigma_d, **_: sigma * sigma_d / sqrt(sigma**2 + sigma_d**2),
    },
    "weight": {
        "weight": lambda sigma, sigma_d, **_: 1 / sigma**2 + 1 / sigma_d**2,
        "loss_at_zero": lambda **_: 1.0,
        "best": lambda **_: 0.0,
    },
    "denoiser_score": {
        "score": lambda u, denoised, sigma, **_: (denoised - u) / sigma**2,
        "weight": lambda **at: share(2 * at["sigma"] ** 2, **at),
    },
}


def share(scale, i, u, y, rest, N, **_):
    near = [exp(-((u - y(j)) ** 2 + rest(j)) / scale) for j in range(1, N + 1)]
    return near[i - 1] / sum(near)


def findings(claim, seed=0, **formulas):
    """What the atoms of a claim find, by their names."""
    atoms = CHECKS[claim](**{**TRUTH[claim], **formulas})
    return {atom.name: atom.examine(seed, claim, atom.name) for atom in atoms}


@pytest.mark.parametrize("claim", TRUTH)
def test_the_truth(claim):
    for name, finding in findings(claim).items():
        assert finding.verdict == PASS, f"{name}: {finding.detail}"


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 7))
def test_fresh_seeds(seed):
    """Another start, the same verdicts."""
    for claim in TRUTH:
        assert {finding.verdict for finding in findings(claim, seed).values()} == {PASS}


@pytest.mark.parametrize(
    ("claim", "letter", "atom"),
    [
        ("preconditioning", "c_in", "bends alike"),
        ("preconditioning", "c_skip", "nothing linear"),
        ("preconditioning", "c_out", "target of size one"),
        ("weight", "weight", "silence"),
        ("weight", "weight", "as by its targets"),
        ("weight", "loss_at_zero", "silence"),
        ("denoiser_score", "score", "by parts"),
        ("denoiser_score", "weight", "denoised, u = (0.37, -0.61, 0.83)"),
    ],
)
def test_a_thousandth_is_seen(claim, letter, atom):
    """Where it grows with the level, for a factor of all weights moves no minimum."""
    right = TRUTH[claim][letter]
    wrong = lambda **at: right(**at) * (1 + 1e-3 * at["sigma"])
    found = findings(claim, **{letter: wrong})[atom]
    assert found.verdict == FAIL, found.detail


def test_what_gaussian_data_leave_to_say():
    assert findings("weight", best=lambda **_: 1e-3)["Gaussian data"].verdict == FAIL


def test_before_training_it_is_the_shortcut():
    scales, u = regressed(), pairs().u
    assert torch.equal(denoised(torch.zeros(PARAMETERS).double(), scales, u), each(scales.c_skip) * u)


def test_the_scales_are_those_of_regression_on_draws():
    rng, n = np.random.default_rng(0), 2**18
    x_0 = WORLD.sample(rng, n)
    u = x_0 + LEVELS[:, None] * rng.standard_normal((len(LEVELS), n))
    scales = regressed()
    np.testing.assert_allclose(np.std(scales.c_in[:, None] * u, axis=-1), 1, atol=0.01)
    np.testing.assert_allclose(u @ x_0 / np.sum(u * u, axis=-1), scales.c_skip, atol=0.01)
    np.testing.assert_allclose(np.std(x_0 - scales.c_skip[:, None] * u, axis=-1), scales.c_out, atol=0.01)


def test_what_is_left_is_orthogonal_to_all_that_the_output_layers_add_up():
    c, scales, seen = torch.from_numpy(denoiser(0).at), regressed(), pairs()
    features, _ = added_up(c, each(scales.c_in) * seen.u)
    left = seen.x_0 - denoised(c, scales, seen.u)
    np.testing.assert_allclose(torch.einsum("ln,lnk,n->lk", left, features, seen.weights), 0, atol=1e-7)


def test_slopes_of_what_is_added_up():
    c, z, h = torch.from_numpy(denoiser(0).at), torch.tensor([[-1.3, 0.2, 0.9]]).double(), 1e-6
    steps = (added_up(c, z + h)[0] - added_up(c, z - h)[0]) / (2 * h)
    np.testing.assert_allclose(added_up(c, z)[1], steps, atol=1e-8)


def test_it_is_nearer_to_the_data_than_the_shortcut_and_not_nearer_than_the_mean():
    """Pythagoras: what it costs beyond the conditional mean is its distance from it."""
    c, scales, seen = torch.from_numpy(denoiser(0).at), regressed(), pairs()
    found = errors(c, scales, seen).numpy()
    assert np.all(found < scales.c_out**2 - 0.01)
    mean = np.array([WORLD.conditioned(1.0, level**2, u).mean for level, u in zip(LEVELS, seen.u.numpy())])
    least = (mean - seen.x_0.numpy()) ** 2 @ seen.weights.numpy()
    off = (denoised(c, scales, seen.u).numpy() - mean) ** 2 @ seen.weights.numpy()
    np.testing.assert_allclose(found - least, off, atol=1e-6)


def test_a_data_set_is_learnt_whole():
    """In places where no atom looks."""
    for u in np.array([[-0.51, 0.77, -1.13], [2.3, -1.9, 0.4]]):
        mean, error = read_off(lambda found: found, u, 0)
        assert np.all(np.abs(mean - empirical(POINTS).conditioned(1.0, SIGMA**2, u).mean) <= error)
        assert np.all(error < 1e-3)


def test_the_same_seed_trains_the_same_bits():
    scales = regressed()
    one, two, other = (train(scales, 1 / scales.c_out**2, seed).at for seed in (5, 5, 6))
    assert np.array_equal(one, two)
    assert not np.array_equal(one, other)


def test_a_weight_without_a_minimum_is_refuted():
    """One level counts for it when it is wrong, and another is no number."""
    for worse in (lambda sigma, **_: 1 - sigma, lambda sigma, **_: np.where(sigma > 2, np.nan, 1.0)):
        found = findings("weight", weight=worse)["as by its targets"]
        assert found.verdict == FAIL
        assert "it has no minimum" in found.detail


def test_a_training_that_stopped_early_decides_nothing(monkeypatch):
    def finely():
        _, atom, _ = preconditioning(**TRUTH["preconditioning"])
        return replace(atom, resolves=1e-6).examine(0, "preconditioning", atom.name).verdict

    assert finely() == PASS
    monkeypatch.setattr("models.preconditioned.minimised", partial(minimised, steps=1))
    assert finely() == INCONCLUSIVE
