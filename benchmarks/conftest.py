"""What every benchmark shares: one torch thread while it runs, and ratios that show in the terminal.

``pytest benchmarks`` prints two tables.  That of pytest-benchmark has the times of our own cases; it also writes JSON
and compares runs.  The other has the ratios to the peers, taken within paired rounds, and the errors beside the speed.
"""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterator
from importlib.metadata import version
from typing import Any

import pytest


@pytest.fixture
def one_thread() -> Iterator[None]:
    """One torch thread during the benchmark, as many as before after it."""
    torch = pytest.importorskip("torch")
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def report(benchmark: Any, record_property: Callable[[str, object], None]) -> Callable[..., None]:
    """``report("torch", workload=..., ratio=..., error=...)``: into the JSON and the terminal, with torch's version."""

    def put(*packages: str, **measured: Any) -> None:
        measured["versions"] = {"python": platform.python_version()} | {name: version(name) for name in packages}
        benchmark.extra_info.update(measured)
        record_property("measured", measured)

    return put


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print the ratios."""
    reports = terminalreporter.getreports("passed") + terminalreporter.getreports("failed")
    measured = [value for report in reports for name, value in report.user_properties if name == "measured"]
    if not measured:
        return
    line = terminalreporter.write_line
    terminalreporter.section("times as long as ours (processor time, one thread, paired rounds)", sep="-")
    line(f"{'workload':20}{'peer':20}{'low':>7}{'median':>10}{'high':>10}{'error':>13}{'our error':>13}")
    for row in measured:
        for peer, (low, middle, high) in row["ratio"].items():
            errors = f"{row['peer_error'][peer]:13.1e}{row['error']:13.1e}"
            line(f"{row['workload']:20}{peer:20}{low:6.2f}x{middle:9.2f}x{high:9.2f}x{errors}")
