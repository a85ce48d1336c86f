"""The table of orders in benchmarks/results is that of the samplers that there are, and says what they declare."""

import json

import pytest

from benchmarks.orders import COMMAND, RESULT, STEPS, WORLDS, observed, pathwise
from numerics.solvers import grids
from numerics.solvers.methods import METHODS

KEPT = json.loads(RESULT.read_text(encoding="utf-8"))
ENTRIES = {entry["method"]: entry for entry in KEPT["methods"]}


def test_it_has_every_sampler_that_declares_an_order():
    declared = {name: table.order for name, method in METHODS.items() if (table := method(grids.log_snr(8))).order}
    assert {name: entry["declared"] for name, entry in ENTRIES.items()} == declared
    assert KEPT["command"] == COMMAND


@pytest.mark.parametrize("entry", ENTRIES.values(), ids=list(ENTRIES))
def test_the_order_is_within_a_tenth_of_the_declared_one(entry):
    measured = [part for part in entry["observed"].values() if part["orders"]]
    assert measured
    for part in measured:
        assert part["orders"][-1] == pytest.approx(entry["declared"], abs=0.1)
        low, high = part["interval"]
        assert low - 0.05 <= entry["declared"] <= high + 0.05


@pytest.mark.parametrize("name", ["dpmpp-3m", "flow-heun"])
def test_what_is_kept_is_what_is_found(name):
    of = next(iter(WORLDS))
    again = observed(METHODS[name], lambda table: pathwise(table, WORLDS[of]), STEPS)
    assert again["orders"] == pytest.approx(ENTRIES[name]["observed"][of]["orders"], rel=1e-3)
