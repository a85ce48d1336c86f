"""Properties of tables and of levels: correct samplers have them, and each finds the defect that is its own."""

import itertools

import numpy as np
import pytest

from noiseproof.conformance.adapters.from_step import from_step
from noiseproof.conformance.findings import FAIL, NOTE, PASS, SKIP

from .here import BARS, T, ancestral, asked, bar, changed, ddim, ddpm, implicit

LINEAR = {"betas": "linear", "start": 1e-4, "end": 0.02}


def forward(x_0, epsilon, t):
    return bar(t) ** 0.5 * x_0 + (1 - bar(t)) ** 0.5 * epsilon


def correct(**claims):
    return ddpm(add_noise=forward, schedule=LINEAR, **claims)


@pytest.mark.parametrize("id", ["P1", "P2", "P3", "P4", "P5", "P6"])
def test_a_correct_sampler_has_all_of_them(id):
    for spacing in ("linspace", "trailing"):
        found = asked(id, correct(spacing=spacing))
        assert found.verdict == PASS, found.telling


def told_something_else(self, model, x, n, noise):
    for t, t_prev in itertools.pairwise([*self.times(n), -1]):
        x = self.step(x, model(x, max(t - 1, 0), self.trained(t)), t, t_prev, lambda like=x: noise(like.shape))
    return x


def after_configuring(self):
    return lambda x_0, epsilon, told, n: forward(x_0, epsilon, int(told) if n is None else max(int(told) - 1, 0))


def twice(self, n):
    times = np.linspace(T - 1, 0, n).round().astype(int).tolist()
    return [*times[:3], times[2], *times[4:]]


def squared(self, n):
    return ((T - 1) * np.linspace(1, 0, n) ** 2).round().astype(int).tolist()


def upwards(self, n):
    times = np.linspace(T - 1, 0, n).round().astype(int).tolist()
    return [*times[:2], times[3], times[2], *times[4:]]


def nothing_more(x, p, t, t_prev, noise):
    return x if t == t_prev else ancestral()(x, p, t, t_prev, noise)


HALF = np.cumprod(1 - np.linspace(1e-4, 0.02, T).astype(np.float16).astype(float))
DEFECTS = {
    "weights without their roots": ("P1", lambda: correct_but(add_noise=lambda x, e, t: bar(t) * x + (1 - bar(t)) * e)),
    "weights move when a run is configured": ("P1", lambda: changed(ddpm(), add_noise=property(after_configuring))),
    "a variance in the place of noise": (
        "P2",
        lambda: changed(ddpm(), trained=lambda self, t: (bar(int(t)) ** 0.5, 1 - bar(int(t)))),
    ),
    "a level of training twice": ("P2", lambda: changed(ddpm(), told=lambda self: [0, 1, 1, 2])),
    "betas in half precision": ("P3", lambda: from_step(ancestral(), HALF, schedule=LINEAR)),
    "another schedule": ("P3", lambda: ddpm(schedule={"betas": "cosine"})),
    "a run of T steps that skips levels": ("P3", lambda: changed(ddpm(schedule=LINEAR), times=squared)),
    "no zero terminal SNR": ("P4", lambda: ddpm(zero_terminal_snr=True)),
    "the network is told t - 1": ("P5", lambda: changed(ddpm(), run=told_something_else)),
    "a level twice": ("P6", lambda: changed(ddpm(nothing_more), times=twice)),
    "noise rises": ("P6", lambda: changed(ddpm(lambda x, p, *_: x - p), times=upwards)),
    "a step more": ("P6", lambda: changed(ddpm(), times=lambda self, n: ddpm().times(n + 1))),
    "it begins below the spacing": ("P6", lambda: changed(ddpm(), times=lambda self, n: ddpm().times(n + 1)[1:])),
    "x begins elsewhere": ("P6", lambda: changed(ddpm(), start=lambda self, n: self.trained(T - 2))),
}


def correct_but(**claims):
    return ddpm(**{"schedule": LINEAR, "add_noise": forward, **claims})


@pytest.mark.parametrize("name", DEFECTS)
def test_a_defect_is_found(name):
    id, sampler = DEFECTS[name]
    found = asked(id, sampler())
    assert (found.verdict, found.telling.diagnosis) == (FAIL, "table"), found.telling


def test_the_other_schedules_are_made_anew_too():
    from numerics.schedules import cosine, scaled_linear, zero_terminal_snr

    for schedule, said in ((cosine(), {"betas": "cosine"}), (scaled_linear(), {"betas": "scaled-linear"})):
        found = asked("P3", from_step(implicit(), schedule.alpha_bars, family="ddim", eta=0.0, schedule=said))
        assert found.verdict == PASS, found.telling
    zero = from_step(
        implicit(), zero_terminal_snr(scaled_linear()).alpha_bars, schedule={"betas": "scaled-linear"}, prediction="v",
        zero_terminal_snr=True,
    )  # fmt: skip
    assert [asked(id, zero).verdict for id in ("P3", "P4")] == [PASS, PASS]
    assert asked("P3", ddpm(schedule={"betas": "of a friend"})).verdict == SKIP


def test_a_start_below_the_noisiest_level_is_a_note():
    found = asked("P4", ddpm(spacing="leading"))
    assert found.verdict == NOTE
    assert "noise alone is not what the network expects there" in found.telling.text
    assert asked("P6", ddpm(spacing="leading")).verdict == PASS


def between(part, sides=1):
    """A sampler beside the levels of training that it says, by a part of a place, above or on both sides."""

    def run(self, model, x, n, noise):
        for k, (t, t_prev) in enumerate(itertools.pairwise([*self.times(n), -1])):
            there = np.clip(t + (1 if k % sides == 0 else -1), 0, T - 1)
            a, b = np.array(self.trained(there)) * part + np.array(self.trained(t)) * (1 - part)
            size = np.hypot(a, b)
            x = self.step(x, model(x, t, (a / size, b / size)), t, t_prev, lambda like=x: noise(like.shape))
        return x

    return changed(ddim(), run=run)


def test_times_that_are_rounded_are_a_note_and_truncated_ones_fail():
    assert asked("P5", between(0.4, sides=2)).verdict == NOTE
    assert asked("P5", between(0.4)).verdict == FAIL
    assert asked("P5", between(0.8, sides=2)).verdict == FAIL


def test_a_grid_that_ends_with_the_level_at_which_it_promises_to_end_is_a_note():
    """As DDIM does where alpha_bar before the first level of training is taken to be that of it."""
    step, sigma = implicit(end=bar(0)), (1 / bar(0) - 1) ** 0.5
    found = asked("P6", ddim(step, ends_at=sigma, units="vp"))
    assert (found.verdict, found.telling.at["step"]) == (NOTE, 6)
    assert asked("P6", ddim(step, ends_at=0.5 * sigma, units="vp")).verdict == PASS


def test_a_small_ratio_may_stand_for_zero_where_that_is_claimed():
    def ending(last, **claims):
        bars = [*BARS[:-2], 4e-9, last]
        return changed(ddpm(**claims), trained=lambda self, t: (bars[int(t)] ** 0.5, (1 - bars[int(t)]) ** 0.5))

    assert asked("P2", ending(2.0**-24, zero_terminal_snr=True)).verdict == NOTE
    assert asked("P2", ending(2.0**-24)).verdict == FAIL
    assert asked("P2", ending(1e-6, zero_terminal_snr=True)).verdict == FAIL


def test_bars_are_those_of_the_formula():
    assert bar(T - 1) == BARS[-1]
