"""What every benchmark shares: its device, one thread, and the ratios and goals that show in the terminal.

``pytest benchmarks`` prints two tables.  That of pytest-benchmark has the times of our own cases; it also writes JSON
and compares runs.  The other has the ratios to the peers, taken within paired rounds, with the errors beside the speed,
and the goals.  A run fails where a ratio is below its floor.  Beside other workers (``pytest -n``), or with
``--benchmark-disable``, nothing is timed, and only what is right or wrong is tested.

    pytest benchmarks --device cuda
    pytest benchmarks --peer k_diffusion.sampling:sample_euler_ancestral
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from functools import partial
from math import floor, log10
from pathlib import Path
from typing import Any

import pytest

from benchmarks.goals import FUSED, verdicts
from benchmarks.machine import CPU, CUDA, Machine, keep_memory, machine, one_thread, versions

HERE = Path(__file__).parent


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("noiseproof benchmarks")
    group.addoption("--device", choices=(CPU, CUDA), default=CPU, help="where the benchmarks run (default: cpu)")
    group.addoption(
        "--peer",
        action="append",
        default=[],
        metavar="MODULE:FUNCTION",
        help="time also FUNCTION(model, x, sigmas) of a MODULE that can be imported, a sampler of k-diffusion's shape, "
        "where model(x, sigma) is the denoised x and sigmas fall",
    )


def pytest_configure(config: pytest.Config) -> None:
    if not config.pluginmanager.hasplugin("benchmark"):
        raise pytest.UsageError("the benchmarks need pytest-benchmark: pip install 'noiseproof[test]'")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The timer is that of the device."""
    ours = [item for item in items if item.path.is_relative_to(HERE)]
    if ours:
        try:
            timer = asked_for(config).timer
        except RuntimeError as why:
            raise pytest.UsageError(f"--device cuda: {why}") from None
        for item in ours:
            item.add_marker(pytest.mark.benchmark(timer=timer))


@pytest.fixture(scope="session")
def device(request: pytest.FixtureRequest) -> Machine:
    """The device that was asked for."""
    return asked_for(request.config)


def asked_for(config: pytest.Config) -> Machine:
    return machine(str(config.getoption("--device")))


@pytest.fixture(autouse=True)
def alike() -> Iterator[None]:
    """The same for ours and for the peers: one thread, memory that is kept, no garbage collection, as in timeit."""
    keep_memory()
    gc.collect()
    gc.disable()
    with one_thread():
        yield
    gc.enable()


@pytest.fixture
def report(benchmark: Any, device: Machine, record_property: Callable[[str, object], None]) -> Callable[..., None]:
    """``report(workload=..., ratio=..., error=...)``: into the JSON and the terminal, with versions.

    Fails the test where a ratio is below its floor.
    """

    def put(**measured: Any) -> None:
        packages = ("numpy", "torch", "numba", "triton", "diffusers", "azula")
        about = {"device": device.name, "kind": device.kind, "versions": versions(*packages)}
        measured = {"passes": None, "bandwidth_fraction": None, **about, **measured}
        measured["goals"] = [verdict._asdict() | {"result": verdict.words} for verdict in verdicts(measured)]
        benchmark.extra_info.update(measured)
        record_property("measured", measured)
        failed = [verdict for verdict in verdicts(measured) if verdict.failed]
        assert not failed, "; ".join(
            f"{measured['workload']}: {v.measured:.3g} ({v.of}); expected {v.wanted}" for v in failed
        )

    return put


# ---------------------------------------------------------------- the JSON


@pytest.hookimpl(optionalhook=True)
def pytest_benchmark_generate_machine_info(config: pytest.Config) -> dict[str, Any]:
    """The kind of device and no more: no file of results names a host."""
    return {
        "device": asked_for(config).name,
        "versions": versions("numpy", "torch", "numba", "triton", "diffusers", "azula"),
    }


@pytest.hookimpl(optionalhook=True)
def pytest_benchmark_update_json(config: pytest.Config, benchmarks: Any, output_json: dict[str, Any]) -> None:
    """Without every single time, and with nothing of the checkout but the commit."""
    commit = output_json["commit_info"]
    output_json["commit_info"] = {"id": commit.get("id"), "dirty": commit.get("dirty")}
    for entry in output_json["benchmarks"]:
        entry["stats"].pop("data", None)


# ---------------------------------------------------------------- the terminal


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print the ratios, the goals beside them, and why anything was left out."""
    skipped = [report for report in terminalreporter.getreports("skipped") if report.nodeid.startswith(HERE.name)]
    for why in dict.fromkeys(str(report.longrepr[2]).removeprefix("Skipped: ") for report in skipped):
        terminalreporter.write_line(f"Left out: {why}")
    reports = terminalreporter.getreports("passed") + terminalreporter.getreports("failed")
    measured = [value for report in reports for name, value in report.user_properties if name == "measured"]
    if measured:
        for line in lines(measured):
            terminalreporter.write_line(line)


def lines(measured: list[dict[str, Any]]) -> Iterator[str]:
    """The tables of ratios and of goals, and what was not here to be measured; of growth the exponent says enough."""
    named = [(f"{row['workload']}, {row['size']}", row) for row in measured]
    compared = [(name, row) for name, row in named if "exponent" not in row]
    of_peers = [
        peer for _, row in compared for peer in map(partial(counted, row), [*row["ratio"], *row.get("missing", {})])
    ]
    left, right = max(len(name) for name, _ in named) + 2, max(map(len, [*of_peers, "workload"])) + 2
    yield f"----- times as long as ours (paired rounds, one thread; {measured[0]['device']}) -----"
    yield "Errors: of steps and normals the farthest from double precision, of chains W_2 from the exact law."
    yield f"{'workload':{left}}{'peer':{right}}{'low':>6}{'median':>8}{'high':>8}{'error':>9}{'ours':>9}"
    for name, row in compared:
        if "best" in row:
            yield f"{name:{left}}ours is {counted(row, row['best'])}"
        for peer, (low, middle, high) in row["ratio"].items():
            error = row.get("peer_error", {}).get(peer)
            errors = f"{'-' if error is None else f'{error:.1e}':>9}{row['error']:9.1e}"
            yield f"{name:{left}}{counted(row, peer):{right}}{times(low):>6}{times(middle):>8}{times(high):>8}{errors}"
    for name, row in named:
        for peer, why in row.get("missing", {}).items():
            yield f"{name:{left}}{peer:{right}}not measured: {why}"
    if any(row["goals"] or "exponent" in row for row in measured):
        yield ""
        yield f"{'workload':{left}}{'goal':{right}}{'measured':>9}{'goal':>9}{'floor':>9}"
    for name, row in named:
        if "exponent" in row and not row["goals"]:
            yield f"{name:{left}}{'exponent':{right}}{row['exponent']:9.3g}{'-':>9}{'-':>9}"
        for goal in row["goals"]:
            floor = "-" if goal["floor"] is None else f"{goal['floor']:.3g}"
            floor = floor if goal["within"] is None else f"+-{goal['within']:g}"
            numbers = f"{goal['measured']:9.3g}{goal['goal']:9.3g}{floor:>9}"
            yield f"{name:{left}}{goal['of']:{right}}{numbers}  {goal['result']}"
    if any(row.get("backend") not in FUSED for row in measured):
        yield "Not held to a goal without the fused kernels: pip install 'noiseproof[fast]', on a GPU 'noiseproof[gpu]'"


def counted(row: dict[str, Any], name: str) -> str:
    """A method with the steps that it takes, where that was the question."""
    return f"{name} ({row['steps'][name]} steps)" if name in row.get("steps", {}) else name


def times(ratio: float) -> str:
    """Three digits: 0.71x, 12.3x, 1230x."""
    return f"{ratio:.{max(0, 2 - max(0, floor(log10(ratio))))}f}x"
