"""The denoiser is what it says before it is trained, and training it leaves no trace but the network."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from models.denoiser import Denoiser, train  # noqa: E402

X_T = np.linspace(-3, 3, 7)


def noisy(rng, n):
    """Data N(0, 1) and a step with alpha = 0.7."""
    x_prev, noise = rng.standard_normal((2, n))
    return np.sqrt(0.7) * x_prev + np.sqrt(0.3) * noise, noise


def test_untrained_it_is_the_naive_inversion():
    mean, variance = Denoiser(torch.Generator().manual_seed(1)).predict(X_T)
    assert np.all(mean == 0)
    assert np.all(variance == 1)


def test_the_same_stream_trains_the_same_bits():
    one, two, other = (train(noisy, np.random.default_rng(seed), updates=20).predict(X_T) for seed in (5, 5, 6))
    assert np.array_equal(one, two)
    assert not np.array_equal(one, other)


def test_threads_and_the_global_generator_stay_as_they_were():
    threads, state = torch.get_num_threads(), torch.random.get_rng_state()
    torch.set_num_threads(2)
    try:
        train(noisy, np.random.default_rng(0), updates=2).predict(X_T)
        assert torch.get_num_threads() == 2
        assert torch.equal(state, torch.random.get_rng_state())
    finally:
        torch.set_num_threads(threads)


def test_progress_is_told_and_nothing_is_printed(capsys):
    seen = []
    train(noisy, np.random.default_rng(0), updates=3, progress=lambda *news: seen.append(news))
    assert [(done, total) for done, total, _ in seen] == [(1, 3), (2, 3), (3, 3)]
    assert seen[0][2] == pytest.approx(1, abs=0.3)  # it predicts nothing yet: the loss is the variance of the noise
    assert capsys.readouterr() == ("", "")


def test_arrays_of_any_shape():
    network = Denoiser(torch.Generator().manual_seed(1))
    for shape in [(2, 3), (5,), ()]:
        assert [output.shape for output in network.predict(np.zeros(shape))] == [shape, shape]
