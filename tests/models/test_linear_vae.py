"""The linear VAE on handwritten digits: the likelihood of PPCA, the exact posterior, and the latents that collapse."""

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("sklearn")

from models.linear_vae import train
from models.vae import NOISE, carried_by, fitted, noisy, spectrum
from numerics.checks.vae.principal import log_likelihood
from numerics.worlds.digits import digits

FEW = digits()[:300, 18:24]  # six pixels: fast


@pytest.mark.slow
def test_the_likelihood_of_ppca_is_reached():
    """Within a thousandth of a nat a pixel; and the gap is what the training says that it has left."""
    found, values, k = fitted(0), spectrum(), 4
    noise = values[k:].mean()
    best = -(64 * np.log(2 * np.pi) + np.log(values[:k]).sum() + 60 * np.log(noise) + 64) / 2
    gap = best - found.bound
    assert 0 <= gap < 1e-3 * 64
    assert gap <= found.found.left


@pytest.mark.slow
def test_the_encoder_is_the_exact_posterior():
    x = digits()

    def off(vae):
        M = vae.W.T @ vae.W + np.exp(vae.log_noise) * np.eye(4)
        means = vae.code(x) - (x - vae.mu) @ vae.W @ np.linalg.inv(M)
        variances = np.exp(vae.log_variances) - np.exp(vae.log_noise) * np.diag(np.linalg.inv(M))
        return np.concatenate([means.ravel(), variances])

    vae, (apart, error) = fitted(0).here, fitted(0).of(off)
    assert np.max(np.abs(apart)) < 2e-2  # standard deviations of the prior
    assert np.sqrt(np.mean(apart**2)) < 1e-3
    assert np.all(np.abs(apart) <= error + 1e-4)
    assert fitted(0).bound == pytest.approx(log_likelihood(x, vae.W, vae.mu, np.exp(vae.log_noise))[0], abs=1e-5)


@pytest.mark.slow
def test_just_the_latents_below_the_noise_collapse():
    lengths = np.sum(noisy(0).here.W ** 2, axis=0)
    assert np.sum(lengths > 1e-6) == np.sum(spectrum()[: len(lengths)] > NOISE) == 3
    assert [round(float(carried_by(n, noisy(0)).value), 6) > 0 for n in range(5)] == [True, True, True, False, False]


@pytest.mark.slow
def test_a_seed_decides_every_bit_and_another_finds_the_same_bound():
    one, two, other = (train(FEW, 2, seed) for seed in (3, 3, 4))
    assert np.array_equal(one.found.at, two.found.at)
    assert not np.array_equal(one.found.at, other.found.at)
    assert one.bound == pytest.approx(other.bound, abs=one.found.left + other.found.left + 1e-9)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"data": np.where(FEW[0, 0] == FEW, np.nan, FEW)}, r"data\[0, 0\] is nan; expected a finite number"),
        ({"data": FEW[0]}, r"data has shape \(6,\); expected \(N, d\)"),
        ({"latents": 7}, r"latents is 7; expected 1 to 6"),
        ({"latents": 0}, r"latents is 0; expected 1 to 6"),
        ({"noise": 0.0}, r"noise is 0; expected a number above 0"),
        ({"noise": -1.5}, r"noise is -1.5; expected a number above 0"),
        ({"W": np.ones((5, 2))}, r"W has shape \(5, 2\); expected \(6, 2\)"),
    ],
)
def test_bad_input_is_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        train(**{"data": FEW, "latents": 2, "seed": 0, **arguments})


def test_a_loss_without_a_minimum_is_found_out():
    """The divergence with the wrong sign: codes run away."""
    from models.linear_vae import divergence

    with pytest.raises(FloatingPointError, match="it has no minimum"):
        train(FEW, 2, 0, of_code=lambda mean, log_variance: -divergence(mean, log_variance))
