"""What a run has to say, in plain data and plain words: JSON for programs, an account of a failure for people."""

from __future__ import annotations

import json
import math
import platform
import shlex
import sys
from collections.abc import Iterable, Mapping
from importlib import metadata
from typing import Any

from sympy import Expr

from derivations import Claim

from . import __version__
from .faults import ALL_GOOD, SOME_FAILED
from .mutating import Trial
from .parsing import written
from .verifying import ERROR, FAIL, INCONCLUSIVE, SKIP, Check, Report

SCHEMA = 1


def exit_code(reports: Iterable[Report], strict: bool) -> int:
    """0 if everything that was planned holds; a SKIP with its reason is allowed unless ``strict``."""
    reports = list(reports)
    bad = any(r.verdict in (FAIL, ERROR, INCONCLUSIVE) for r in reports)
    skipped = any(c.verdict == SKIP for r in reports for c in r.checks)
    return SOME_FAILED if bad or (strict and skipped) else ALL_GOOD


# ---------------------------------------------------------------- JSON


def version_of(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def environment() -> dict[str, str | None]:
    """What the numbers were computed with."""
    torch = sys.modules.get("torch")
    device = torch.cuda.get_device_name() if torch and torch.cuda.is_available() else f"cpu ({platform.machine()})"
    return {
        "python": platform.python_version(),
        "numpy": version_of("numpy"),
        "torch": version_of("torch"),
        "device": device,
    }


def document(
    entries: list[dict],
    seed: int | None = None,
    run: int = 0,
    skipped: int = 0,
    missing: int = 0,
    of: str = "claims",
    **more: Any,
) -> str:
    """The one shape of every ``--json``, with entries of claims, or of something else.

    Checks are counted; ``missing`` ones were planned and did not end.
    """
    head = {"schema": SCHEMA, "noiseproof": __version__, "environment": environment(), "seed": seed}
    counts = {"planned": run + skipped + missing, "run": run, "skipped": skipped}
    return json.dumps({**head, **counts, **more, of: entries}, indent=2, ensure_ascii=False, allow_nan=False)


def claim_as_data(claim: Claim) -> dict[str, Any]:
    """An entry of ``list --json``."""
    row = {name: getattr(claim, name) for name in ("id", "chapter", "tier", "kind", "title")}
    return {**row, "parameters": list(claim.formulas), "kinds": list(claim.kinds), "mistakes": list(claim.mistakes)}


def report_as_data(report: Report) -> dict[str, Any]:
    """An entry of ``verify --json``."""
    return {"id": report.id, "verdict": report.verdict, "checks": [check_as_data(c) for c in report.checks]}


def check_as_data(check: Check) -> dict[str, Any]:
    resolution = None if check.resolution is None or not math.isfinite(check.resolution) else float(check.resolution)
    seconds = round(check.seconds, 4)
    return {
        **{n: getattr(check, n) for n in ("name", "kind", "verdict")},
        "resolution": resolution,
        "seconds": seconds,
        "detail": check.detail,
    }


def trials_as_data(trials: Iterable[Trial]) -> dict[str, Any]:
    """The ``named`` or the ``automatic`` entry of a claim of ``mutate --json``."""
    trials = list(trials)
    asked, kinds = (dict.fromkeys(k for t in trials for k in getattr(t, what)) for what in ("asked", "by"))
    return {
        "tried": len(trials),
        "killed": sum(t.killed for t in trials),
        "refuted": sum("symbolic" in t.by for t in trials),
        "asked": {kind: sum(kind in t.asked for t in trials) for kind in asked},
        "by": {kind: sum(kind in t.by for t in trials) for kind in kinds},
        "smallest_error": smallest_error(trials),
        "seconds": round(sum(t.seconds for t in trials), 3),
        "survivors": [{"name": t.name, "formula": t.formula} for t in trials if t.survives],
        "equivalent": [{"formula": t.formula, "proof": t.equivalent} for t in trials if t.equivalent],
        "errors": [{"name": t.name, "formula": t.formula, "detail": detail} for t in trials for detail in t.errors],
        "killed_by": {t.name: list(t.by) for t in trials},
    }


def smallest_error(trials: Iterable[Trial]) -> float | None:
    """The smallest error that was found out: relative, or in standard deviations of a score."""
    return min((t.error for t in trials if t.killed and t.error and math.isfinite(t.error)), default=None)


# ---------------------------------------------------------------- words


def reproduction(claim: Claim, check: Check, seed: int, instead: Mapping[str, Any] | None = None) -> str:
    """The one line that does it again."""
    words = ["noiseproof", "verify", claim.id, "--kind", check.kind, "--seed", str(seed)]
    for name, formula in (instead or {}).items():
        text = formula if isinstance(formula, str) else written(claim, formula) if isinstance(formula, Expr) else None
        if text is None:  # a function, or a formula that is too large to type
            return f'noiseproof.verify("{claim.id}", {name}=..., kinds=["{check.kind}"], seed={seed})'
        words += ["--with", f"{name}={text}"]
    return shlex.join(words)


def account(claim: Claim, check: Check, seed: int, instead: Mapping[str, Any] | None = None) -> str:
    """What came of a check that did not pass, where, and how to see it again."""
    detail = check.detail.rstrip().replace("\n", "\n  ")
    again = reproduction(claim, check, seed, instead)
    return f"{check.verdict} {claim.id}, {check.kind}, {check.name}:\n  {detail}\n  again: {again}"


def counted(number: int, noun: str) -> str:
    """1 claim, 2 claims."""
    return f"{number} {noun}{'s' * (number != 1)}"
