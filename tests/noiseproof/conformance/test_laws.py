"""Where runs end: the limit, the end that a method has, and more steps; each with a defect that it catches."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest

from noiseproof.conformance.findings import FAIL, PASS, worst
from noiseproof.conformance.properties import laws
from noiseproof.conformance.properties.ends import chain

from . import here
from .whole_runs import Loop, asked, first, subject


@pytest.mark.parametrize("id", ["P19", "P20", "P22"])
@pytest.mark.parametrize("name", ["correct", "correct_ddim", "two_m", "sde_two_m"])
def test_correct_samplers_end_where_they_should(id, name):
    found = asked(id, name)
    assert found.verdict == PASS, found.telling


@pytest.mark.parametrize(
    ("id", "name", "diagnosis"),
    [
        ("P19", "root", "update rule"),
        ("P19", "mistold", "table"),
        ("P20", "thousandth", "update rule"),
        ("P20", "noisy_end", "last step"),
        ("P20", "root", "update rule"),
        ("P22", "noisy", ""),
    ],
)
def test_defects_are_caught(id, name, diagnosis):
    found = asked(id, name)
    assert found.verdict == FAIL, found.telling
    assert found.telling.diagnosis == diagnosis


@pytest.mark.parametrize(
    ("error", "verdict"),
    [
        (lambda n: abs(1 / n - 20 / n**2), PASS),  # it changes its sign near 24
        (lambda n: 1 / n + 4e-8 * n**3, FAIL),
        (lambda n: n**-3.0 + 1e-8 * n**2, FAIL),
    ],
)
def test_more_steps_may_be_worse_than_few_that_were_right_by_chance(error, verdict, monkeypatch):
    monkeypatch.setattr(laws, "end", lambda subject, n, world: (error(n), 1e-6))
    assert worst(finding.verdict for finding in laws.never_worse(subject("correct_ddim"))) == verdict


@pytest.mark.parametrize(("grown", "verdict"), [(1.0, PASS), (2.0, FAIL)])
def test_draws_of_mixtures_tell_a_run_that_ends_elsewhere(grown, verdict):
    """Where noise is drawn and no method is claimed, beside the draws of a method of the first order."""
    got = chain(subject("sde_two_m"), 50)
    ends = replace(got, table=replace(got.table, end=grown * got.table.end))
    found = list(laws.of_draws(ends, laws.referred(got, "ddpm")))
    assert [finding.verdict for finding in found] == [verdict, verdict]
    assert [finding.at["data"] for finding in found] == list(laws.MIXTURES)


@pytest.mark.parametrize(("off", "verdict"), [(0.0, PASS), (1e-7, FAIL)])
def test_our_own_rounding_is_no_fault_of_a_target(off, verdict, monkeypatch):
    """Euler's step in units of sigma, where sigma is small: 1 - alpha_bar has lost its digits, and sigma has not."""

    class Fine(Loop):
        def sigmas(self, n):
            ramp = np.linspace(0, 1, n)
            return np.append((80 ** (1 / 7) + ramp * (1e-6 ** (1 / 7) - 80 ** (1 / 7))) ** 7, 0.0)

        def run(self, model, x, n, noise):
            for s, r in itertools.pairwise(self.sigmas(n)):
                x = x + (r - s) * (x - (1 + off) * model(x, s, (1.0, s))) / s
            return x

    fine = Fine(replace(first.claims, method="ddim", deterministic=True))
    found = here.asked("P20", fine)
    assert found.verdict == verdict, found.telling
    monkeypatch.setattr(laws, "remade", lambda got: [])
    assert here.asked("P20", fine).verdict == FAIL


def test_the_weights_of_two_modes_are_told():
    """In the plane, where trajectories end: the weight that the method gives the first mode, and that it is given."""
    found = asked("P20", "correct_ddim")
    plane = [finding for finding in found.findings if finding.at["data"] == "two modes in the plane"]
    assert {finding.at["n"] for finding in plane} == {7, 13, 50}
    assert all(finding.got == finding.expected for finding in plane)
    assert abs(plane[-1].got - 0.35) < 4 * np.sqrt(0.35 * 0.65 / 2000) + 0.01
