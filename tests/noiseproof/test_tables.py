"""The table of verdicts: what the bluntest check of a kind would have seen stands beside its verdict."""

import math

import pytest
from rich.console import Console

import noiseproof
from noiseproof import tables
from noiseproof.verifying import FAIL, PASS, QUICK, Check, Report

LONGEST = max(noiseproof.claims().values(), key=lambda claim: len(claim.id.split(".")[1]))


@pytest.mark.parametrize(
    ("resolutions", "shown"),
    [
        ([], ""),
        ([None, 0.0, math.inf], ""),
        ([1e-2], "1e-2"),
        ([1e-13, 1.2e-13, 0.0], "2e-13"),
        ([9.7e-13], "1e-12"),
        ([3e-10, 1e-1], "1e-1"),
        ([0.5, None], "5e-1"),
        ([2.0], "2e0"),
    ],
)
def test_the_largest_resolution_rounded_up(resolutions, shown):
    found = tables.resolution(Check("1", "quadrature", PASS, "", resolution=r) for r in resolutions)
    assert "".join(text.plain for text in found) == shown


@pytest.mark.parametrize("r", [10.0**-k * m for k in range(16) for m in (1, 1.0000001, 3.3, 7)])
def test_no_check_is_said_to_see_more_than_it_sees(r):
    (text,) = tables.resolution([Check("1", "quadrature", PASS, "", resolution=r)])
    assert r * (1 - 1e-9) <= float(text.plain) < max(2 * r, 1e-300)


@pytest.mark.parametrize("verdict", [PASS, FAIL])
def test_the_table_of_the_longest_id_fits_100_columns(verdict):
    resolutions = {"quadrature": 1.23e-13, "property": 1e-13, "montecarlo": 1e-2}
    checks = tuple(Check("1", kind, verdict, "", 10.0, resolutions.get(kind)) for kind in QUICK)
    table = tables.verdicts({LONGEST.id: Report(LONGEST.id, checks)}, [LONGEST], QUICK)
    console = Console(width=100, highlight=False)
    with console.capture() as capture:
        console.print(table)
    lines = capture.get().splitlines()
    assert any(f".{LONGEST.id.split('.')[1]} " in line for line in lines)
    assert all(len(line.rstrip()) <= 100 for line in lines)
