"""Schedules against definitions, multiplied out in extended precision, and against the numbers that papers print."""

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from numerics.schedules import Schedule, Step, cosine, from_alpha_bars, linear, scaled_linear, zero_terminal_snr

some_betas = st.lists(st.floats(1e-12, 0.999), min_size=1, max_size=30)


def test_linear_ends_where_ddpm_says():
    schedule = linear()
    exact = mp.fprod(1 - (mp.mpf("1e-4") + (mp.mpf("0.02") - mp.mpf("1e-4")) * t / 999) for t in range(1000))
    assert (schedule.T, schedule.betas[0], schedule.betas[-1]) == (1000, 1e-4, 0.02)
    assert_allclose(schedule.alpha_bar(1000), float(exact), rtol=1e-12)
    assert_allclose(schedule.alpha_bar(1000), 4.0358e-5, rtol=1e-5)


def test_scaled_linear_ends_where_stable_diffusion_does():
    schedule = scaled_linear()
    assert_allclose(np.sqrt(schedule.alpha_bar(1000)), 0.068265, rtol=1e-5)
    assert_allclose(schedule.snr[-1], 0.004682, rtol=1e-3)
    assert_allclose(np.diff(np.sqrt(schedule.betas)), (0.012**0.5 - 0.00085**0.5) / 999, rtol=1e-10)


@pytest.mark.parametrize("T", [7, 1000])
def test_cosine_follows_the_cosine_until_it_is_clipped(T):
    schedule = cosine(T)
    f = [mp.cos((mp.mpf(t) / T + mp.mpf("0.008")) / mp.mpf("1.008") * mp.pi / 2) ** 2 for t in range(T + 1)]
    assert_allclose(schedule.alpha_bars[:-1], [float(value / f[0]) for value in f[1:-1]], rtol=1e-10)
    assert schedule.betas[-1] == 0.999
    assert_allclose(schedule.alpha_bar(T), 0.001 * schedule.alpha_bar(T - 1), rtol=1e-12)  # not the cosine, which is 0


@pytest.mark.parametrize("schedule", [linear(), scaled_linear(), cosine(20), linear(2)], ids=str)
def test_zero_terminal_snr_stretches_the_root_and_keeps_its_start(schedule):
    before, after = np.sqrt(schedule.alpha_bars), np.sqrt(zero_terminal_snr(schedule).alpha_bars)
    assert_allclose(after[0], before[0], rtol=1e-14)
    assert after[-1] == 0
    assert_allclose(after, before[0] * (before - before[-1]) / (before[0] - before[-1]), rtol=1e-9)


def test_zero_terminal_snr_has_a_last_step_of_noise_alone():
    schedule = zero_terminal_snr(scaled_linear())
    assert schedule.betas[-1] == 1
    assert (schedule.snr[-1], schedule.log_snr[-1]) == (0, -np.inf)
    assert schedule.step(1000) == Step(0.0, float(schedule.alpha_bar(999)))
    again = zero_terminal_snr(schedule)
    assert_allclose(again.betas, schedule.betas, rtol=1e-9)


@given(some_betas)
def test_arrays_are_what_their_names_say(betas):
    schedule = Schedule(np.array(betas))
    with mp.workdps(60):
        alphas = [1 - mp.mpf(beta) for beta in betas]
        bars = [mp.fprod(alphas[:t]) for t in range(len(betas) + 1)]
        precisions = [a / b + 1 / (1 - bar) for a, b, bar in zip(alphas[1:], betas[1:], bars[1:])]
        variances = [float(1 / precision) for precision in precisions]
        noise = [float(1 - bar) for bar in bars[1:]]
        snr = [float(bar / (1 - bar)) for bar in bars[1:]]
        log_snr = [float(mp.log(bar / (1 - bar))) for bar in bars[1:]]
    assert_allclose(schedule.alphas, np.array([float(a) for a in alphas]), rtol=1e-14)
    assert_allclose(schedule.alpha_bars, [float(bar) for bar in bars[1:]], rtol=1e-12)
    assert_allclose(schedule.alpha_bars_prev, [float(bar) for bar in bars[:-1]], rtol=1e-12)
    assert_allclose(schedule.noise_variances, noise, rtol=1e-12)
    assert_allclose(schedule.posterior_variances, [0.0, *variances], rtol=1e-12)
    assert_allclose(schedule.snr, snr, rtol=1e-12)
    assert_allclose(schedule.log_snr, log_snr, rtol=1e-12, atol=1e-12)


@given(some_betas)
def test_times_start_at_one(betas):
    schedule = Schedule(np.array(betas))
    assert schedule.alpha_bar(0) == 1
    assert len(schedule) == schedule.T == len(betas)
    for t in range(1, schedule.T + 1):
        step = schedule.step(t)
        assert step.alpha == 1 - betas[t - 1]
        assert step.alpha_bar_prev == schedule.alpha_bar(t - 1)
        assert step.alpha_bar == schedule.alpha_bar(t)
    assert_allclose(schedule.alpha_bar(np.array([[schedule.T, 0]])), [[schedule.alpha_bars[-1], 1]])


@given(st.lists(st.floats(1e-3, 0.9), min_size=1, max_size=30))
def test_alpha_bars_determine_the_betas(betas):
    assert_allclose(from_alpha_bars(Schedule(np.array(betas)).alpha_bars).betas, betas, rtol=1e-10)


def test_a_schedule_keeps_its_own_betas():
    betas = np.array([0.1, 0.2])
    schedule = Schedule(betas)
    betas[0] = 0.5
    assert schedule.betas[0] == 0.1
    with pytest.raises(ValueError, match="read-only"):
        schedule.betas[0] = 0.5


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Schedule(np.array([0.1, 0.0])), r"beta = 0.0 at t = 2 is outside \(0, 1\)"),
        (lambda: Schedule(np.array([1.2])), r"beta = 1.2 at t = 1"),
        (lambda: Schedule(np.array([0.1, 1.0, 0.1])), "beta = 1 at t = 2: only the last"),
        (lambda: Schedule(np.array([0.1, np.nan])), "not finite at t = 2"),
        (lambda: Schedule(np.array([[0.1]])), r"betas has shape \(1, 1\)"),
        (lambda: Schedule(np.array([])), "T at least 1"),
        (lambda: linear(0), "T = 0: a schedule has at least one step"),
        (lambda: cosine(np.float64(2.5)), "T = 2.5"),
        (lambda: zero_terminal_snr(linear(1)), "at least two steps"),
        (lambda: from_alpha_bars([0.5, 0.5]), "decrease strictly"),
        (lambda: from_alpha_bars([0.5, np.nan]), "decrease strictly"),
        (lambda: from_alpha_bars(0.5), r"alpha_bars has shape \(\)"),
        (lambda: linear(10).alpha_bar(11), r"t = 11 is outside 0..10"),
        (lambda: linear(10).alpha_bar(-1), r"t = -1 is outside 0..10"),
        (lambda: linear(10).step(0), r"t = 0 is outside 1..10"),
        (lambda: Step(1.0, 0.5), r"alpha = 1.0 is outside \[0, 1\)"),
        (lambda: Step(0.5, 0.0), r"alpha_bar_prev = 0.0 is outside \(0, 1\]"),
        (lambda: Step(np.nan, 0.5), "alpha = nan"),
    ],
)
def test_errors_say_what_was_wrong(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_a_time_is_a_whole_number():
    with pytest.raises(TypeError, match=r"t = 0.5 is not a whole number; times are 0..10"):
        linear(10).alpha_bar(0.5)


def test_the_steps_are_those_of_every_time():
    schedule = linear(5)
    assert schedule.steps == [schedule.step(t) for t in (1, 2, 3, 4, 5)]
