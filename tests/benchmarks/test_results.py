"""What was measured and is kept: every workload, with all that is to be said about it, and no floor missed."""

import json
from pathlib import Path

import pytest

from benchmarks.goals import GOALS, verdicts
from benchmarks.machine import CPU, CUDA

RESULTS = Path(__file__).parents[2] / "benchmarks" / "results"
KEPT = {kind: json.loads((RESULTS / f"{kind}.json").read_text(encoding="utf-8")) for kind in (CPU, CUDA)}
ROWS = {
    (kind, entry["extra_info"]["workload"], entry["extra_info"]["size"]): entry
    for kind, document in KEPT.items()
    for entry in document["benchmarks"]
}
NAMED = {CPU: ("cpu (", "numba"), CUDA: ("NVIDIA ", "triton")}  # how a device is called, and what makes it fast
WORKLOADS = {
    *("step-stochastic", "step-deterministic", "normals", "growth", "time-to-accuracy"),
    *("chain-1-4", "chain-2-8", "chain-16-8", "chain-64-16"),
}
FIELDS = {"workload", "ratio", "error", "device", "dtype", "passes", "bandwidth_fraction", "versions", "missing"}


@pytest.mark.parametrize("kind", KEPT)
def test_every_workload_is_there(kind):
    assert {workload for where, workload, _ in ROWS if where == kind} == WORKLOADS
    assert {goal for goal in GOALS if goal[0] == kind} <= {*ROWS}


@pytest.mark.parametrize("of", ROWS, ids=[", ".join(of) for of in ROWS])
def test_each_says_what_is_to_be_said(of):
    row = ROWS[of]["extra_info"]
    assert row.keys() >= FIELDS - ({"missing"} if of[1:] == ("growth", "memory") else set())
    called, fast = NAMED[of[0]]
    assert row["device"].startswith(called)
    assert {"python", "numpy", "torch", "diffusers", fast} <= {*row["versions"]}
    for low, middle, high in row["ratio"].values():
        assert 0 < low <= middle <= high
    assert row["goals"] == [verdict._asdict() | {"result": verdict.words} for verdict in verdicts(row)]
    assert not [goal for goal in row["goals"] if goal["result"] in ("BELOW THE FLOOR", "OUTSIDE")]


@pytest.mark.parametrize("kept", KEPT.values(), ids=KEPT)
def test_no_host_is_named(kept):
    assert {*kept["machine_info"]} == {"device", "versions"}
    assert {*kept["commit_info"]} == {"id", "dirty"}
    assert "data" not in kept["benchmarks"][0]["stats"]


@pytest.mark.parametrize("kind", KEPT)
def test_the_table_is_that_of_the_file(kind):
    table = (RESULTS / f"{kind}.md").read_text(encoding="utf-8")
    assert table.startswith(f"# {KEPT[kind]['machine_info']['device']}, {KEPT[kind]['datetime'][:10]}")
    for entry in KEPT[kind]["benchmarks"]:
        for peer, (_, middle, _) in entry["extra_info"]["ratio"].items():
            assert f"| {peer} | {middle:.3g} |" in table
