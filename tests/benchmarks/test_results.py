"""What was measured and is kept: every workload, with all that is to be said about it, and no floor missed."""

import json
from pathlib import Path

import pytest

from benchmarks.goals import GOALS, verdicts
from benchmarks.machine import CPU

RESULTS = Path(__file__).parents[2] / "benchmarks" / "results"
KEPT = json.loads((RESULTS / "cpu.json").read_text(encoding="utf-8"))
ROWS = {(entry["extra_info"]["workload"], entry["extra_info"]["size"]): entry for entry in KEPT["benchmarks"]}
WORKLOADS = {
    *("step-stochastic", "step-deterministic", "normals", "growth", "time-to-accuracy"),
    *("chain-1-4", "chain-2-8", "chain-16-8", "chain-64-16"),
}
FIELDS = {"workload", "ratio", "error", "device", "dtype", "passes", "bandwidth_fraction", "versions", "missing"}


def test_every_workload_is_there():
    assert {workload for workload, _ in ROWS} == WORKLOADS
    assert {(workload, size) for kind, workload, size in GOALS if kind == CPU} <= {*ROWS}


@pytest.mark.parametrize("of", ROWS, ids=[", ".join(of) for of in ROWS])
def test_each_says_what_is_to_be_said(of):
    row = ROWS[of]["extra_info"]
    assert row.keys() >= FIELDS - ({"missing"} if of == ("growth", "memory") else set())
    assert row["device"].startswith("cpu (")
    assert {"python", "numpy", "torch", "numba", "diffusers"} <= {*row["versions"]}
    for low, middle, high in row["ratio"].values():
        assert 0 < low <= middle <= high
    assert row["goals"] == [verdict._asdict() | {"result": verdict.words} for verdict in verdicts(row)]
    assert not [goal for goal in row["goals"] if goal["result"] in ("BELOW THE FLOOR", "OUTSIDE")]


def test_no_host_is_named():
    assert {*KEPT["machine_info"]} == {"device", "versions"}
    assert {*KEPT["commit_info"]} == {"id", "dirty"}
    assert "data" not in KEPT["benchmarks"][0]["stats"]


def test_the_table_is_that_of_the_file():
    table = (RESULTS / "cpu.md").read_text(encoding="utf-8")
    assert table.startswith(f"# {KEPT['machine_info']['device']}, {KEPT['datetime'][:10]}")
    for entry in ROWS.values():
        for peer, (_, middle, _) in entry["extra_info"]["ratio"].items():
            assert f"| {peer} | {middle:.3g} |" in table
