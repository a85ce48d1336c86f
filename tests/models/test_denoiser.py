"""The denoiser is what it says before it is trained, and training it leaves no trace but the network."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from models import classifier  # noqa: E402
from models.denoiser import BATCH, Denoiser, spread, train  # noqa: E402

X_T = np.linspace(-3, 3, 7)


def noisy(rng, n):
    """Data N(0, 1) and two steps with alpha = 0.7: x_t, the noise of the second, and that of both."""
    x_0, one, two = (rng.standard_normal(n) for _ in range(3))
    x_t = np.sqrt(0.7) * (np.sqrt(0.7) * x_0 + np.sqrt(0.3) * one) + np.sqrt(0.3) * two
    return x_t, two, (x_t - 0.7 * x_0) / np.sqrt(0.51)


def untrained():
    return Denoiser(2, torch.Generator().manual_seed(1))


def test_untrained_it_is_the_naive_inversion():
    for t in (1, 2):
        last, last_variance, whole, whole_variance = untrained().predict(X_T, t)
        assert np.all(last == 0)
        assert np.all(whole == 0)
        assert np.all(last_variance == 1)
        assert np.all(whole_variance == 1)


def test_the_same_stream_trains_the_same_bits():
    one, two, other = (train([noisy], np.random.default_rng(seed), updates=20).predict(X_T, 1) for seed in (5, 5, 6))
    assert np.array_equal(one, two)
    assert not np.array_equal(one, other)


def test_threads_and_the_global_generator_stay_as_they_were():
    threads, state = torch.get_num_threads(), torch.random.get_rng_state()
    torch.set_num_threads(2)
    try:
        train([noisy], np.random.default_rng(0), updates=2).predict(X_T, 1)
        assert torch.get_num_threads() == 2
        assert torch.equal(state, torch.random.get_rng_state())
    finally:
        torch.set_num_threads(threads)


def test_progress_is_told_and_nothing_is_printed(capsys):
    seen = []
    train([noisy], np.random.default_rng(0), updates=3, progress=lambda *news: seen.append(news))
    assert [(done, total) for done, total, _ in seen] == [(1, 3), (2, 3), (3, 3)]
    # It predicts nothing yet: two variances of a noise, and half of those of two squares.
    assert seen[0][2] == pytest.approx(1 + 1 + (2 + 2) / 2, abs=0.3)
    assert capsys.readouterr() == ("", "")


def test_times_and_draws_that_cannot_be():
    for t in (0, 3):
        with pytest.raises(ValueError, match=f"t is {t}; expected 1 to 2"):
            untrained().predict(X_T, t)
    gaps = lambda rng, n: np.where(np.arange(n) == 3, np.nan, noisy(rng, n))
    with pytest.raises(ValueError, match="the loss is nan in batch 1; expected draws that are finite numbers"):
        train([gaps], np.random.default_rng(0), updates=2)


def test_labels_that_are_no_classes():
    labelled = lambda rng, n: (rng.random(n), np.full(n, 3))
    with pytest.raises(ValueError, match="label is 3; expected a class, 0 to 2"):
        classifier.train(labelled, 3, np.random.default_rng(0), columns=1, updates=2)


def test_arrays_of_any_shape():
    for shape in [(2, 3), (5,), ()]:
        assert [output.shape for output in untrained().predict(np.zeros(shape), 2)] == [shape] * 4


def test_the_lattice_spreads_each_axis_evenly_and_is_shifted_afresh():
    rng = np.random.default_rng(0)
    points = spread(rng)
    assert points.shape == (4, BATCH)
    assert np.all((points >= 0) & (points < 1))
    for axis in points:  # one point in each of as many equal cells
        np.testing.assert_allclose(np.diff(np.sort(axis)), 1 / BATCH)
    assert not np.array_equal(points, spread(rng))
    flat = np.mean(np.cos(2 * np.pi * points[0]) * np.cos(2 * np.pi * points[1]))
    assert abs(flat) < 1e-12, "a wave over two axes averages out exactly, where independent draws leave 1/60"
