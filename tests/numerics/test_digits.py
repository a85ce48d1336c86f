"""The handwritten digits, and the three chains over them."""

import dataclasses
import sys
from functools import partial

import numpy as np
import pytest
from scipy import stats

from numerics.schedules import from_alpha_bars, linear
from numerics.solvers.chains import chain, exact
from numerics.solvers.digits import FRAMES, KERNELS, Estimate, divergence, experiment, redrawn, spread
from numerics.statistics.streams import stream
from numerics.statistics.transport import directions, nearest, nearest_other, sliced_w2
from numerics.worlds import empirical
from numerics.worlds.digits import SIDE, digits


@pytest.fixture(scope="module")
def data():
    pytest.importorskip("sklearn")
    return digits()


@pytest.fixture(scope="module")
def strided():
    """DDPM's schedule at every fiftieth step."""
    return from_alpha_bars(linear().alpha_bar(np.arange(50, 1001, 50)))


@pytest.fixture(scope="module")
def found(data, strided):
    return experiment(data, strided, particles=128, judged=32, few=5)


# ---------------------------------------------------------------- the data


def test_the_digits_are_what_is_said_of_them(data):
    assert data.shape == (1797, SIDE * SIDE)
    assert data.min() == -1
    assert data.max() == 1
    assert set(np.unique(8 * (data + 1))) == set(range(17))
    assert nearest_other(data).min() > 0.5  # none twice, so that whoever is on one is on it alone


def test_without_scikit_learn_the_message_says_what_to_type(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(ImportError, match=r"pip install 'noiseproof\[models\]'"):
        digits()


# ---------------------------------------------------------------- the chains


def test_the_exact_chain_has_memorised_the_data(data, found):
    """Every end point is a digit of the set, and as a sample it strays no further than digits drawn anew."""
    away = np.sum((data - data.mean(axis=0)) ** 2, axis=1) / 64
    for steps in (20, 5):
        run = found.chain("exact", steps)
        assert np.all(nearest(run.frames[0], data) == 0)
        variance = np.mean((run.frames[0] - data.mean(axis=0)) ** 2)
        assert abs(variance - away.mean()) < 5 * away.std() / np.sqrt(128)
        assert run.sliced_w2.value < found.redrawn.sliced_w2.value + 5 * found.redrawn.sliced_w2.error
        assert run.divergence_few == Estimate(0.0)


def test_the_gaussian_chain_of_few_steps_is_on_no_digit(data, found):
    few = found.chain("Gaussian", 5)
    assert np.mean(nearest(few.frames[0], data) > 0.1) > 0.9
    assert few.divergence_few.value > 5 * few.divergence_few.error
    assert found.chain("Gaussian").nearest < 1e-3 * few.nearest


def test_small_steps_help_the_gaussian_and_not_the_naive_chain(found):
    """Of the same stretch, from x_T down to where both schedules come by."""
    fine, coarse = (found.chain("Gaussian", steps).divergence_few for steps in (20, 5))
    assert fine.value + 5 * fine.error < coarse.value - 5 * coarse.error
    fine, coarse = (found.chain("naive", steps).divergence_few for steps in (20, 5))
    assert abs(fine.value - coarse.value) < 5 * np.hypot(fine.error, coarse.error)
    assert fine.value > 300


def test_the_naive_chain_explodes(data, strided, found):
    added = 2 * (1 / strided.alpha_bars[-1] - 1)
    assert found.naive_variance.value == pytest.approx(data.var(axis=0).mean() + added, rel=1e-12)
    for steps in (20, 5):
        end = found.chain("naive", steps).frames[0]
        variance = np.mean((end - data.mean(axis=0)) ** 2)
        assert abs(variance - found.naive_variance.value) < 5 * found.naive_variance.error
    assert found.chain("naive").sliced_w2.value == pytest.approx(np.sqrt(added), rel=0.1)


@pytest.mark.slow
def test_the_exact_chain_prefers_no_digit(data, strided):
    """How often each is drawn, in 20,000 draws."""
    world, few = empirical(data), from_alpha_bars(strided.alpha_bars[3::4])
    x_T = world.marginal(few.alpha_bars[-1]).sample(np.random.default_rng(7), 20_000)
    *_, (_, x_0) = chain(exact, world, few, x_T, partial(stream, 0, "tests", "digits"))
    index = np.argmin(np.sum(data**2, axis=1) - 2 * x_0 @ data.T, axis=1)
    assert np.array_equal(x_0, data[index])
    assert stats.chisquare(np.bincount(index, minlength=len(data))).pvalue > 1e-6


@pytest.mark.slow
def test_in_a_thousand_steps_the_gaussian_chain_memorises_too(data):
    found = experiment(data, particles=64, judged=16)
    for name in ("exact", "Gaussian"):
        assert np.all(nearest(found.chain(name).frames[0], data) < 1e-9)
    gaussian, naive = (found.chain(name).divergence for name in ("Gaussian", "naive"))
    assert gaussian is not None
    assert naive is not None
    assert gaussian.value + 5 * gaussian.error < 0.01
    # h(x_T) - h(x_1) - d/2 log(alpha_bar_T / alpha_bar_1): x_1 are 1797 Gaussians apart, x_T all but one Gaussian
    bars = linear().alpha_bars
    h_T = np.linalg.slogdet(2 * np.pi * np.e * (bars[-1] * np.cov(data.T) + (1 - bars[-1]) * np.eye(64)))[1] / 2
    h_1 = np.log(len(data)) + 32 * np.log(2 * np.pi * np.e * (1 - bars[0]))
    assert abs(naive.value - (h_T - h_1 - 32 * np.log(bars[-1] / bars[0]))) < 5 * naive.error


# ---------------------------------------------------------------- what is reported


def test_all_chains_start_from_the_same_draws_and_keep_what_is_shown(found):
    assert [(c.name, c.steps) for c in found.chains] == [(name, steps) for name in KERNELS for steps in (20, 5)]
    assert (found.T, found.last_of_few) == (20, 4)
    for run in found.chains:
        assert np.array_equal(run.frames[20], found.chains[0].frames[20])
        times = {round(part * 20) for part in FRAMES}
        assert set(run.frames) == (times if run.steps == 20 else {t for t in times if t % 4 == 0})
        assert run.variance.value == spread(run.frames[0])


def test_a_perfect_sampler_strays_as_much_as_is_said(data):
    along = directions(np.random.default_rng(1), 64, 128)
    said = redrawn(data, 100, along, seed=3)
    rng = np.random.default_rng(2)
    draws = [data[rng.integers(len(data), size=100)] for _ in range(200)]
    for claimed, values in (
        (said.variance, [spread(x) for x in draws]),
        (said.sliced_w2, [sliced_w2(x, data, along) for x in draws]),
    ):
        assert abs(claimed.value - np.mean(values)) < 5 * claimed.error * np.sqrt(2 / 200)
        assert 0.7 < claimed.error / np.std(values) < 1.4  # each is known to a twentieth, and tails are heavier


def test_a_seed_settles_the_experiment(data, strided):
    one, same, other = (experiment(data[::6], strided, particles=8, judged=4, few=4, seed=seed) for seed in (1, 1, 2))
    for a, b, c in zip(one.chains, same.chains, other.chains):
        assert np.array_equal(a.frames[0], b.frames[0])
        assert not np.array_equal(a.frames[0], c.frames[0])
        assert dataclasses.replace(a, frames={}) == dataclasses.replace(b, frames={})


def test_whoever_watches_sees_every_step(data, strided):
    seen = []

    def watch(path, name, steps):
        for t, x in path:
            seen.append((name, steps, t))
            yield t, x

    experiment(data[::60], strided, particles=4, judged=2, few=2, watch=watch)
    assert seen == [(name, steps, t) for name in KERNELS for steps in (20, 2) for t in range(steps - 1, -1, -1)]


@pytest.mark.parametrize("few", [1, 3, 0])
def test_few_steps_must_visit_the_same_times(few, strided):
    with pytest.raises(ValueError, match=f"few = {few} must exceed 1 and divide the 20 steps"):
        experiment(np.zeros((3, 2)), strided, few=few)


def test_the_control_variate_leaves_the_mean_and_takes_the_noise():
    """log p / q of two unit Gaussians, sqrt(0.02) apart: KL = 0.01."""
    x = np.random.default_rng(6).standard_normal((1, 20_000))
    ratios = 0.01 + np.sqrt(0.02) * x
    plain, quiet = (divergence(ratios, small) for small in (False, True))
    assert abs(plain.value - 0.01) < 5 * plain.error
    assert abs(quiet.value - 0.01) < 5 * quiet.error
    assert quiet.error < plain.error / 5
