"""Real runs: each property of behavior holds for a correct step, and catches a defect of its own."""

from __future__ import annotations

import pytest

from noiseproof.conformance.examining import outcome
from noiseproof.conformance.findings import FAIL, NOTE, PASS
from noiseproof.conformance.properties import properties
from noiseproof.conformance.subject import Subject
from noiseproof.conformance.target import Target

from .whole_runs import asked

IDS = ("P23", "P24", "P25", "P26")


@pytest.mark.parametrize("id", IDS)
@pytest.mark.parametrize("name", ["correct", "correct_ddim", "sde_two_m"])
def test_correct_samplers_behave(id, name):
    found = asked(id, name)
    assert found.verdict == PASS, found.telling


@pytest.mark.parametrize(
    ("id", "name", "says"),
    [
        ("P23", "undefined", "n = 1"),
        ("P24", "halves", "where one in float64 does"),
        ("P24", "doubles", "ends in float64"),
        ("P25", "stateful", "a run is the same"),
        ("P25", "careless", "the global generator"),
        ("P26", "batched", "(B, 2, 3, 4)"),
        ("P26", "ranked", "another order"),
        ("P26", "overwriting", "overwrites a prediction"),
        ("P26", "spoiling", "overwrites x"),
        ("P26", "lone", "(1, 1, 1, 1)"),
        ("P26", "full", "(3000, 1, 1, 1)"),
        ("P0", "clipping", "nothing is clipped"),
    ],
)
def test_defects_are_caught(id, name, says):
    found = asked(id, name)
    assert found.verdict == FAIL, found.telling
    failed = [finding.text for finding in found.findings if finding.verdict == FAIL]
    assert any(says in text for text in failed), failed


def test_levels_that_are_aside_by_the_same_part_are_not_rounded():
    found = asked("P5", "between")
    assert (found.verdict, found.telling.diagnosis) == (FAIL, "table"), found.telling


def test_a_limit_is_seen_where_there_are_few_levels():
    found = asked("P19", "few_levels")
    assert found.verdict == PASS, found.telling


FAR_OUT = """
import numpy as np
from noiseproof import from_step

f = np.cos((np.arange(1001) / 1000 + 0.008) / 1.008 * np.pi / 2) ** 2
BARS = np.cumprod(1 - np.minimum(1 - f[1:] / f[:-1], 0.99999))  # to alpha_bar = 2e-11

def step(x, p, t, t_prev, noise):
    a, s = float(BARS[t]), float(BARS[t_prev]) if t_prev >= 0 else 1.0
    end = s**0.5 * (x - (1 - a) ** 0.5 * p) / a**0.5 + (1 - s) ** 0.5 * p
    return end * OFF if x.dtype == np.float32 and t_prev < 0 else end

claims = dict(family="ddim", method="ddim", eta=0.0, deterministic=True)
OFF = 1.0
far = from_step(step, BARS, **claims)
"""


@pytest.mark.parametrize(("off", "verdict"), [("1.0", NOTE), ("1.1", FAIL)])
def test_what_single_precision_cannot_resolve_is_a_note(tmp_path, off, verdict):
    """DDIM's first step divides by the root of 2e-11: what is rounded there, nobody has any more."""
    (tmp_path / "far.py").write_text(FAR_OUT.replace("OFF = 1.0", f"OFF = {off}"))
    (property,) = (each for each in properties() if each.id == "P24")
    with Target(f"{tmp_path / 'far.py'}:far") as target:
        found = outcome(property, Subject(target))
    assert found.verdict == verdict, found.telling
