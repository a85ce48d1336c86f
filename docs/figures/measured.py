"""What the benchmarks measured, row by row."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from benchmarks.report import Row, read

__all__ = ["DEVICES", "Row", "measured", "millions", "row"]

RESULTS = Path(__file__).parents[2] / "benchmarks" / "results"
DEVICES = {"cpu": "AMD EPYC, one thread", "cuda": "NVIDIA H100"}


@cache
def measured(device: str) -> tuple[Row, ...]:
    """What was measured on this device, a row for each workload and size."""
    about, rows = read([RESULTS / f"{device}.json"])
    family = DEVICES[device].split(",")[0]
    if family not in about["device"]:
        raise ValueError(f"{device}.json is of {about['device']}; the drawing says {family}")
    return tuple(rows)


def row(device: str, workload: str, size: str) -> Row:
    """The row of this workload and size.  Raises ValueError unless there is one."""
    found = [r for r in measured(device) if (r["workload"], r["size"]) == (workload, size)]
    if len(found) != 1:
        raise ValueError(f"{device}.json has {len(found)} rows of {workload}, {size}; expected one")
    return found[0]


def millions(elements: int) -> str:
    """A size in words: 0.8 million, 67 million."""
    return f"{elements / 1e6:.{0 if elements >= 1e7 else 1}f} million"
