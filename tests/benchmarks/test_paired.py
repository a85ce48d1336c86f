"""The stopwatch of the benchmarks, on machines whose moods are known."""

import pytest

from benchmarks.paired import paired


class Machine:
    """A clock that moves only when something runs, and a log of who ran."""

    def __init__(self, slowdown=lambda run: 1.0):
        self.now, self.ran, self.slowdown = 0.0, [], slowdown

    def call(self, name, seconds):
        def run():
            self.now += seconds * self.slowdown(len(self.ran))
            self.ran.append(name)

        return run

    def paired(self, rounds=20, **seconds):
        calls = {name: self.call(name, s) for name, s in seconds.items()}
        return paired(calls.pop("ours"), calls, rounds, timer=lambda: self.now)


def test_on_a_steady_machine_the_ratio_is_exact():
    seconds, ratios = Machine().paired(ours=1.0, slow=3.0, fast=0.5)
    assert seconds == {"ours": 1, "slow": 3, "fast": 0.5}
    assert ratios == {"slow": [3, 3, 3], "fast": [0.5, 0.5, 0.5]}


def test_every_round_runs_everybody_and_begins_with_the_next():
    machine = Machine()
    machine.paired(rounds=3, ours=1.0, a=1.0, b=1.0)
    assert machine.ran[6:] == ["ours", "a", "b", "a", "b", "ours", "b", "ours", "a"]  # after two calls each to warm up


def test_a_machine_that_slows_down_from_round_to_round_changes_times_and_no_ratio():
    seconds, ratios = Machine(slowdown=lambda run: 2.0 ** (run // 2)).paired(rounds=7, ours=1.0, peer=3.0)
    assert seconds["ours"] > 4
    assert ratios["peer"] == [3, 3, 3]


def test_one_bad_moment_is_no_median():
    _, ratios = Machine(slowdown=lambda run: 100.0 if run == 9 else 1.0).paired(ours=1.0, peer=3.0)
    assert ratios["peer"][1] == 3


def test_a_short_call_is_repeated_until_it_can_be_timed():
    machine = Machine()
    _, ratios = machine.paired(rounds=2, ours=1e-3, peer=1.0)
    assert machine.ran.count("ours") == 2 + 2 * 5
    assert ratios["peer"][1] == pytest.approx(1000)
