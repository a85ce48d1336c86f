"""Calibrating: are false alarms as rare, and errors found as surely, as the suite states?

The numbers come from ``numerics.statistics.calibration`` and ``detection``; here they are asked for, shown and judged.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from itertools import groupby
from typing import Any

from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from derivations import Claim
from numerics.compiled import formulas
from numerics.statistics import calibration, detection
from numerics.statistics.atoms import Sampled
from numerics.statistics.calibration import Rate
from numerics.statistics.judging import atoms_of

from .reporting import counted
from .verifying import checking

RUNS, QUICK_RUNS = 1_000_000, 50_000
CLAIMS = ("reversal.posterior-variance", "reversal.step-tweedie")

PARTS: dict[str, tuple[int, Callable[[int, int], Iterator[Rate]]]] = {  # a share of the runs: what a run costs differs
    "null laws, by drawn sums": (1, calibration.one_look),
    "null laws, by whole paths": (100, calibration.one_look_of_draws),
    "the sequential test": (1, calibration.all_looks),
    "the sequential test, by decide": (250, calibration.all_looks_decided),
    "suites, by drawn sums": (50, calibration.suites),
    "suites, by whole paths": (1000, calibration.suites_of_draws),
    "errors, by drawn sums": (250, detection.errors_in_sums),
    "errors, by whole paths": (1000, detection.errors_in_draws),
    "errors, with control variates": (1000, detection.errors_by_hermite),
    "errors, with Sobol' points": (1000, detection.errors_by_sobol),
}
OF_A_CLAIM = 1000


def calibrated(claims: Sequence[Claim], runs: int, seed: int) -> list[Rate]:
    """Every rate, while stderr says which part is counted."""
    own = {f"{c.id}, {counted(len(plain_atoms(c)), 'atom')}": plain_atoms(c) for c in claims}
    parts = {name: (share, part) for name, (share, part) in PARTS.items()}
    parts["suites of real claims"] = OF_A_CLAIM, lambda n, seed: calibration.suites_of_claims(n, seed, own)
    rates, watched = [], sys.stderr.isatty()
    with Console(stderr=True).status("") if watched else nullcontext() as status:
        for done, (name, (share, part)) in enumerate(parts.items(), 1):
            said = f"{done}/{len(parts)}  {name}"
            status.update(said) if status else print(said, file=sys.stderr, flush=True)
            rates += part(max(1, runs // share), seed)
    return sorted(rates, key=lambda rate: ORDER.index(rate.part))


def plain_atoms(claim: Claim) -> list[Sampled]:
    """The atoms of a claim that average independent draws."""
    atoms = atoms_of(checking(claim, "montecarlo"), formulas(claim))
    return [atom for atom in atoms if isinstance(atom, Sampled) and atom.by is None]


def all_good(rates: Sequence[Rate]) -> bool:
    return not any(rate.is_off(len(rates)) for rate in rates)


def as_data(rate: Rate, rates: int) -> dict[str, Any]:
    """An entry of ``calibrate --json``."""
    low, high = rate.interval
    given = {name: getattr(rate, name) for name in ("part", "name", "runs", "seen", "relation", "stated", "predicted")}
    counts = {"observed": rate.observed, "interval": [low, high], "deviation": rate.deviation}
    return {**given, **counts, "off": rate.is_off(rates)}


# ---------------------------------------------------------------- the table

SAID = {
    "one look": "False alarms at one look, each null law by itself: sums drawn from their law",
    "one look, whole paths": "The same by whole paths: draws, scores, exact sums, decide",
    "all looks": "False alarms of the sequential test, over all of its looks",
    "a suite": "False alarms of a suite whose atoms share 5 %, at one look",
    "errors": "Errors found, at 1e-13 as it stands, in units of what is resolved",
}
ORDER = list(SAID)
NOTES = (
    "A stated rate with \u2264 is a limit: counts have steps, a limit law is raised for skewness, Bennett's inequality "
    "is a bound, and rows and looks share their level by a union bound; otherwise it is exact.  Intervals are Clopper "
    "and Pearson's; s.e. counts standard errors from what is predicted, or exact."
)
WIDTHS = {"runs": 9, "stated": 7, "predicted": 9, "observed": 8, "95 % interval": 18, "s.e.": 4, "": 3}


def table(rates: Sequence[Rate], width: int = 100) -> Group:
    """What is stated, predicted and observed, part by part, and what it comes to; without intervals if it is narrow."""
    heads = [head for head in WIDTHS if width >= 100 or "interval" not in head]
    parts = [part_of(list(group), part, heads, len(rates)) for part, group in groupby(rates, lambda rate: rate.part)]
    return Group(*parts, Text(NOTES, "dim"), Text(), *summary(rates))


def part_of(rates: Sequence[Rate], part: str, heads: Sequence[str], all_rates: int) -> Table:
    """One part, its columns below those of the others."""
    shown = Table(
        box=None,
        padding=(0, 1, 0, 0),
        header_style="dim",
        title=SAID[part],
        title_style="bold cyan",
        title_justify="left",
    )
    shown.add_column("", min_width=28, overflow="fold")
    for head in heads:
        shown.add_column(head, min_width=WIDTHS[head], justify="right", no_wrap=True)
    for before, rate in zip([None, *rates], rates):
        said = cells(rate, all_rates)
        shown.add_row(
            Text("" if before and before.name == rate.name else name_of(rate)), *(said[head] for head in heads)
        )
    shown.add_row()
    return shown


def name_of(rate: Rate) -> str:
    return rate.name.removeprefix("reversal.")


def cells(rate: Rate, rates: int) -> dict[str, Text]:
    low, high = rate.interval
    sign = {"<=": "\u2264 ", ">=": "\u2265 ", "=": ""}[rate.relation]
    return {
        "runs": Text(f"{rate.runs:,}", "dim"),
        "stated": Text("" if rate.stated is None else f"{sign}{short(rate.stated)}"),
        "predicted": Text("" if rate.predicted is None else short(rate.predicted), "dim"),
        "observed": Text(short(rate.observed)),
        "95 % interval": Text(f"{short(low)} .. {short(high)}", "dim"),
        "s.e.": Text("" if rate.deviation is None else f"{rate.deviation:+.1f}", "dim"),
        "": Text("OFF", "bold red") if rate.is_off(rates) else Text("ok", "green"),
    }


def short(p: float) -> str:
    """A probability in three digits, 8.9e-5 or 0.0489; near 1, in five."""
    if p > 0.99:
        return f"{p:.5f}".rstrip("0").rstrip(".")
    mantissa, exponent = f"{p:.2e}".split("e")
    return f"{p:.3g}" if p == 0 or int(exponent) >= -3 else f"{mantissa.rstrip('0').rstrip('.')}e{int(exponent)}"


def summary(rates: Sequence[Rate]) -> list[Text]:
    """How many rates are as stated, and what the union bounds give away."""
    off = sum(rate.is_off(len(rates)) for rate in rates)
    moved = [abs(rate.deviation) for rate in rates if rate.deviation is not None]
    looks = [r for r in rates if r.part == "all looks" and r.name == "one row" and r.stated and r.predicted]
    given = ", ".join(f"{1 - r.predicted / r.stated:.0%} at {r.stated:g}" for r in looks if r.predicted and r.stated)
    verdict = f"{counted(off, 'rate')} of {len(rates)} off" if off else f"{len(rates)} rates are as stated"
    return [
        *([Text(f"The union bound over looks gives away {given}.", "dim")] if looks else []),
        Text.assemble(
            (verdict, "bold red" if off else "bold green"),
            f"   the furthest is {max(moved, default=0.0):.1f} standard errors away",
        ),
    ]
