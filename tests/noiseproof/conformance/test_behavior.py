"""Real runs: each property of behavior holds for a correct step, and catches a defect of its own."""

from __future__ import annotations

import pytest

from noiseproof.conformance.findings import FAIL, PASS

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
    ],
)
def test_defects_are_caught(id, name, says):
    found = asked(id, name)
    assert found.verdict == FAIL, found.telling
    failed = [finding.text for finding in found.findings if finding.verdict == FAIL]
    assert any(says in text for text in failed), failed
