"""Consistency sampling around the exact consistency function: what is right ends at the data, and mistakes are told.

The samplers are written of the papers: Song et al. (2023), algorithm 1, with the coefficients of appendix C; Luo et al.
(2023), the same around predicted data; Zheng et al. (2024), strategic stochastic sampling.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np
import pytest

from noiseproof.conformance.adapters.from_step import from_step
from noiseproof.conformance.findings import FAIL, PASS, SKIP
from noiseproof.conformance.jumps import Jump
from noiseproof.conformance.properties.consistency import exact_for_every_n, same_data
from noiseproof.conformance.properties.ends import chain
from noiseproof.conformance.properties.sampled import beyond, by_chance
from noiseproof.conformance.protocol import Claims
from noiseproof.conformance.reproducer_laws import of_jumps
from noiseproof.conformance.subject import Subject
from numerics.compiled import proved
from numerics.worlds import gaussian, mixture

from .here import BARS, Here, asked, bar, data

SIGMA_D, TIMES = 0.5, 10.0  # of data, and of the time
GAMMA = 0.3
CLEANEST = (1 / bar(0) - 1) ** 0.5


def latent(noise_to=lambda t_prev: t_prev, draws=lambda t, t_prev: t_prev >= 0, times=TIMES, root=0.5):
    """Jumps to the data and noise to the next level."""

    def step(x, p, t, t_prev, noise):
        s = times * t
        skip, out = SIGMA_D**2 / (s * s + SIGMA_D**2), s / (s * s + SIGMA_D**2) ** 0.5
        x_0 = skip * x + out * data(x, p, bar(t))
        a = bar(noise_to(t_prev)) if t_prev >= 0 else 1.0
        x = a**0.5 * x_0
        return x + ((1 - a) ** root or 0.1) * noise() if draws(t, t_prev) else x

    said = {"boundary": {"data": SIGMA_D, "times": TIMES}, "order": None}
    return from_step(step, BARS, family="consistency", spacing="trailing", **said)


def on_the_way(gamma=GAMMA, rest=lambda to, at: 1 - at / to, lowest=0):
    """Jumps to a level on the way, and noise up to the next level; it ends at the cleanest level of training."""

    def step(x, p, t, t_prev, noise):
        after = max(t_prev, 0)
        s = max(int((1 - gamma) * after), lowest)
        x = bar(s) ** 0.5 * data(x, p, bar(t)) + (1 - bar(s)) ** 0.5 * p
        if t_prev < 0 or not gamma:
            return x
        return (bar(after) / bar(s)) ** 0.5 * x + rest(bar(s), bar(after)) ** 0.5 * noise()

    said = {"eta": GAMMA if gamma else 0.0, "ends_at": CLEANEST, "units": "vp", "order": None}
    return from_step(step, BARS, family="consistency", spacing="trailing", deterministic=not gamma, **said)


@dataclass(frozen=True)
class Song:
    """Algorithm 1 on levels of Karras et al., around a network of their shape; it ends at the sigma ``end``."""

    end: float = 0.02
    kept: float = 0.02  # where c_skip and c_out have their boundary
    less: float = 0.02  # what the noise is less than sigma
    library: str = "numpy"

    @property
    def claims(self):
        said = {"boundary": {"data": SIGMA_D, "sigma": self.end}, "ends_at": self.end, "single": False}
        return Claims("song", "consistency", "residual", **said)

    def trained(self, told):
        size = np.hypot(told, SIGMA_D)
        return 1 / size, told / size

    def run(self, model, x, n, noise):
        sigmas = np.geomspace(80.0, 0.5, n)
        for sigma, after in itertools.pairwise([*sigmas, self.end]):
            size, rise = np.hypot(sigma, SIGMA_D), sigma - self.kept
            p = model(x / size, sigma, (1 / size, sigma / size))
            x = SIGMA_D**2 / (rise**2 + SIGMA_D**2) * x + rise * SIGMA_D / size * p
            if after > self.end:
                x = x + (after**2 - self.less**2) ** 0.5 * noise(x.shape)
        return x


CORRECT = {
    "latent": latent(),
    "on the way": on_the_way(),
    "along the flow": on_the_way(gamma=0.0),
    "all noise": from_step(
        lambda x, p, t, s, noise: bar(s) ** 0.5 * data(x, p, bar(t)) + (1 - bar(s)) ** 0.5 * noise(),
        BARS,
        family="consistency",
        spacing="trailing",
        order=None,
    ),
    "song": Song(),
}
OF_JUMPS = ("P7", "P12", "P13", "P20", "P21")


@pytest.mark.parametrize("name", CORRECT)
@pytest.mark.parametrize("id", OF_JUMPS)
def test_a_correct_sampler_is_exact_for_every_number_of_steps(id, name):
    found = asked(id, CORRECT[name])
    assert found.verdict == PASS, found.telling


@pytest.mark.parametrize("id", ["P17", "P18", "P19", "P22"])
def test_what_is_exact_is_asked_for_no_order(id):
    found = asked(id, CORRECT["latent"])
    assert (found.verdict, found.telling.text) == (SKIP, "it claims to be exact for every number of steps: see P20")


astray = on_the_way(gamma=0.0, lowest=300)

# Which step is wrong, in the coefficient of what, and what is to blame; of 7 steps the last one is at time 142.
DEFECTS = {
    "no noise at first": (latent(draws=lambda t, s: 0 <= s < 800), 0, "noise", "update rule"),
    "noise at the end": (latent(draws=lambda t, s: True), 6, "noise", "last step"),
    "another boundary": (latent(times=0.1), 0, "x", "update rule"),
    "one level too low": (latent(noise_to=lambda t_prev: t_prev - 1), 0, "x", "update rule"),
    "a variance for a deviation": (latent(root=1.0), 0, "noise", "update rule"),
    "all the noise of a level": (on_the_way(rest=lambda to, at: 1 - at), 0, "noise", "update rule"),
    "less on the way": (on_the_way(gamma=0.2), 0, "prediction", "update rule"),
    "not down to the end": (on_the_way(lowest=20), 6, "x", "last step"),
    "kept at zero": (Song(kept=0.0), 0, "x", "update rule"),
    "too much noise": (Song(less=0.0), 0, "noise", "update rule"),
}


@pytest.mark.parametrize("name", DEFECTS)
def test_mistakes_are_found_where_they_are(name):
    sampler, step, of, diagnosis = DEFECTS[name]
    coefficients, ends = asked("P21", sampler), asked("P20", sampler)
    assert (coefficients.verdict, ends.verdict) == (FAIL, FAIL)
    shown = next(f for f in coefficients.findings if f.verdict == FAIL and f.at["n"] == 7)
    assert shown.at["step"] == step
    assert of in shown.at["coefficient of"]
    assert diagnosis in {shown.diagnosis, *(f.diagnosis for f in ends.findings)}
    assert "sampler.consistency-function" in ends.claims


def test_a_mixture_tells_as_well():
    """Where noise is drawn, by the law of draws; where none is, by each trajectory."""
    for sampler, tells in ((DEFECTS["a variance for a deviation"][0], "draws"), (astray, "trajectory")):
        (found,) = same_data(chain(Subject(Here(sampler), (7,)), 7))  # type: ignore[arg-type]
        assert found.verdict == FAIL
        assert tells in found.text


def test_a_script_of_a_law_comes_to_the_same_numbers():
    """In a loop of its own, around what the network says as numbers."""
    sampler = DEFECTS["a variance for a deviation"][0]
    subject = Subject(Here(sampler), (7,))  # type: ignore[arg-type]
    finding = next(f for f in exact_for_every_n(subject) if f.verdict == FAIL)

    def seen(x, predict, draws):
        draws, handed = iter(draws), []

        def model(x, t, level):
            handed.append(x)
            return predict(len(handed) - 1, t, x)

        return [*handed, sampler.run(model, np.float64(x), finding.at["n"], lambda shape: next(draws, 0.0))]

    names = {"seen": seen, "hypot": math.hypot}
    exec(of_jumps(finding, subject).text, names)
    assert (names["got"], names["expected"]) == pytest.approx((finding.got, finding.expected), rel=1e-12)


def test_the_exact_network_is_that_of_the_proved_formula():
    """A jump from sigma to epsilon: what it is to say makes it the consistency function of the page."""
    of_x, of_p, sigma, epsilon, mean, variance = 0.3, -1.7, 2.5, 0.2, 0.4, 0.6
    gain, constant = Jump(of_x, of_p, (1.0, sigma), (1.0, epsilon)).gaussian(mean, variance)
    end = proved("sampler.consistency-function", "end")
    for x in (-1.3, 0.7):
        given = {"u": x, "sigma": sigma, "epsilon": epsilon, "m_0": mean, "v_0": variance}
        assert of_x * x + of_p * (gain * x + constant) == pytest.approx(end(**given), rel=1e-12)


def test_quantiles_and_the_formula_agree():
    """Two components that are one."""
    twice, once = mixture([0.5, 0.5], [0.4, 0.4], [0.6, 0.6]), gaussian(0.4, 0.6)
    jump, x = Jump(0.2, 0.7, (0.6, 0.8), (0.95, 0.1)), np.linspace(-2, 3, 7)
    np.testing.assert_allclose(jump.of(twice, x), jump.of(once, x), atol=1e-12)


def test_draws_tell_another_law():
    """Of the law itself draws are within what chance explains, and of one a little wider they are not."""
    rng, world, plane = np.random.default_rng(3), gaussian(0.4, 0.6), gaussian([0.1, -0.3], [[0.5, 0.2], [0.2, 0.4]])
    for law in (world, plane):
        assert beyond(law.sample(rng, 20000), law) < by_chance(20000, law) < beyond(1.3 * law.sample(rng, 20000), law)
