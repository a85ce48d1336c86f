"""Goals and floors: who reaches them, who fails, and that each names something that is measured."""

import numpy as np
import pytest

from benchmarks.goals import EXPONENT, GOALS, verdicts
from benchmarks.machine import CPU, Missing, largest_memory, library, machine, versions


def measured(**more):
    row = {"kind": CPU, "workload": "normals", "size": "small", "backend": "with_numba", "ratio": {}}
    return row | more


@pytest.mark.parametrize(
    ("ratio", "words", "failed"),
    [(3.5, "reached", False), (3.0, "reached", False), (2.7, "above the floor", False), (2.4, "BELOW THE FLOOR", True)],
)
def test_a_ratio_stands_between_goal_and_floor(ratio, words, failed):
    (verdict,) = verdicts(measured(ratio={"torch.randn": [0.1, ratio, 99.0]}))
    assert (verdict.words, verdict.failed) == (words, failed)


@pytest.mark.parametrize(("exponent", "failed"), [(1.0, False), (0.975, False), (0.96, True), (1.04, True)])
def test_an_exponent_has_two_sides(exponent, failed):
    (verdict,) = verdicts(measured(workload="growth", size="steps", exponent=exponent))
    assert (verdict.of, verdict.failed) == (EXPONENT, failed)


def test_a_goal_without_a_floor_fails_nobody():
    part = {"noise and bytes": [0.1, 0.2, 0.3]}
    (verdict,) = verdicts(measured(workload="step-stochastic", part_of_floor=part))
    assert (verdict.words, verdict.failed) == ("not reached", False)


def test_without_fused_kernels_and_without_the_peer_there_are_no_goals():
    ratio = {"torch.randn": [1.0, 1.0, 1.0]}
    assert verdicts(measured(ratio=ratio, backend="with_torch")) == []
    assert verdicts(measured(ratio={"numpy": [1.0, 1.0, 1.0]})) == []


def test_no_floor_is_above_its_goal():
    for goals in GOALS.values():
        assert all(goal.floor is None or goal.floor < goal.goal for goal in goals.values())


def test_what_is_not_installed_is_said():
    with pytest.raises(Missing, match=r"nowhere_to_be_found is missing .*pip install 'noiseproof\[peers\]'"):
        library("nowhere_to_be_found")
    assert set(versions("nowhere-to-be-found")) == {"python"}


def test_a_machine_has_a_name_and_a_timer():
    here = machine(CPU)
    assert here.name.startswith("cpu (")
    assert here.timer() <= here.timer()


def test_memory_that_was_held_is_seen():
    before = largest_memory()
    held = np.ones(before + 2**26, dtype=np.uint8)
    assert largest_memory() >= held.nbytes
