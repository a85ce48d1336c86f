"""The nonlinear VAE is what it says: its bounds stand in order, its gaps have two parts, and a seed decides it all."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("sklearn")

from models import elbo  # noqa: E402
from models.nonlinear_vae import bernoulli, black, black_pixels, gaussian, grey, grey_pixels, train  # noqa: E402
from numerics.quadrature import integral_of, settled  # noqa: E402

IMAGES = range(3, 40, 9)


@pytest.mark.parametrize("trained", [grey, black])
def test_more_draws_are_nearer_to_the_evidence_and_stay_below_it(trained):
    found = trained(0)
    for n in IMAGES:
        elbo_, top = found.log_evidence()[n] - found.divergence()[n], found.log_evidence()[n]
        bounds = [found.iwae(k, n) for k in (1, 2, 8, 64)]
        assert bounds[0] == pytest.approx(elbo_, abs=1e-8)
        assert np.all(np.diff([*bounds, top]) > 1e-6), (n, bounds, top)


def test_two_draws_as_a_double_sum():
    """The mean of two weights, averaged over a product of nodes."""
    found, n = grey(0), 7
    mean, variance = (part[n] for part in found.code())
    e, w = np.polynomial.hermite_e.hermegauss(60)
    z, w = mean + np.sqrt(variance) * e, w / np.sqrt(2 * np.pi)
    logs = found.log_joint(z, n) - found.log_code(z, n)
    both = np.logaddexp(logs[:, None], logs) - np.log(2)
    assert found.iwae(2, n) == pytest.approx(float(w @ both @ w), abs=1e-7)


@pytest.mark.parametrize("trained", [grey, black])
def test_the_evidence_is_the_integral_that_it_says(trained):
    found = trained(0)
    for n in IMAGES:
        mass = settled(integral_of(lambda z, n=n: np.exp(found.log_joint(z, n))))
        assert found.log_evidence()[n] == pytest.approx(np.log(mass), abs=1e-12)


@pytest.mark.parametrize("trained", [grey, black])
def test_the_gap_is_amortisation_and_the_family(trained):
    """Another Gaussian serves one image better than the encoder's; no Gaussian is the posterior."""
    found = trained(0)
    for n in IMAGES:
        (best, left), (encoders, missed) = elbo.by_the_best_gaussian(found, n), elbo.reported(found, n)
        assert best - encoders > 1e-5 + left + missed
        assert found.log_evidence()[n] - best > 1e-5 + left


def test_a_quartic_closes_the_gap_where_the_decoder_is_a_parabola():
    found = grey(0)
    for n in IMAGES:
        assert elbo.by_any_quartic(found, n)[0] == pytest.approx(found.log_evidence()[n], abs=1e-9)


def test_what_is_trained_is_about_the_images():
    """One number explains more of the pixels than none, which is a code that is left idle."""
    found, x = grey(0), grey_pixels()
    alone = -4 * (np.log(2 * np.pi * np.mean(np.var(x, axis=0))) + 1) / 2
    assert found.bound > alone
    found, white = black(0), np.mean(black_pixels(), axis=0)
    assert found.bound > np.sum(white * np.log(white) + (1 - white) * np.log(1 - white))


def test_the_two_likelihoods_are_the_losses_that_are_trained():
    z = np.linspace(-2, 2, 5)
    for found in (grey(0), black(0)):
        np.testing.assert_allclose(found.log_likelihood(z, 4), -found.cost(torch.from_numpy(z), 4).numpy(), rtol=1e-12)


@pytest.mark.parametrize("black_and_white", [False, True])
def test_a_seed_decides_every_bit_and_another_finds_the_same_bound(black_and_white):
    data, of_pixel = (black_pixels(), bernoulli) if black_and_white else (grey_pixels(), gaussian)
    one, two, other = (train(data, seed, of_pixel, black_and_white=black_and_white) for seed in (3, 3, 4))
    assert np.array_equal(one.found.at, two.found.at)
    assert not np.array_equal(one.found.at, other.found.at)
    assert one.bound == pytest.approx(other.bound, abs=1e-8)


def test_images_that_are_alike_are_counted():
    assert len(black(0).images.x) == len(np.unique(black_pixels(), axis=0)) < 64
    assert black(0).images.weights.sum() == pytest.approx(1)


def test_progress_is_told_and_threads_stay_as_they_were(capsys):
    seen, threads = [], torch.get_num_threads()
    train(grey_pixels()[:10], 0, progress=lambda *news: seen.append(news))
    assert [done for done, _, _ in seen] == list(range(1, len(seen) + 1))
    assert seen[0][2] >= seen[-1][2]
    assert torch.get_num_threads() == threads
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"data": [[0.3, np.nan], [1.0, 0.2]]}, r"data\[0, 1\] is nan; expected a finite number"),
        ({"data": [0.3, 0.2]}, r"data has shape \(2,\); expected \(N, d\)"),
        ({"data": np.zeros((0, 3))}, r"data has shape \(0, 3\); expected \(N, d\)"),
        ({"data": [[0.3, 0.2], [1.0]]}, "expected numbers, in an array without gaps"),
        ({"data": [[0.0, 1.2]], "black_and_white": True}, r"data\[0, 1\] is 1.2; expected a probability in \[0, 1\]"),
        ({"data": [[0.0, 0.4]], "black_and_white": True}, "data contains 0.4; expected 0 or 1, black or white"),
    ],
)
def test_bad_input_is_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        train(**arguments, seed=0)


def test_a_loss_without_a_minimum_is_found_out():
    with pytest.raises(FloatingPointError, match="it has no minimum"):
        train(grey_pixels(), 0, of_code=lambda mean, log_variance: -(mean**2 + log_variance.exp() - log_variance))
