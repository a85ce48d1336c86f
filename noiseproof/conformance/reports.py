"""What was found as data, and as a page of Markdown."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from .. import reporting
from .findings import ERROR, FAIL, INCONCLUSIVE, NOTE, PASS, SKIP, Finding, Outcome, Report
from .properties import properties

PEERS = ("diffusers", "azula", "flow_matching", "denoising-diffusion-pytorch", "k-diffusion")
FEW = 5  # properties to be named one by one
MARKS = {PASS: "✓", NOTE: "note", FAIL: "**FAIL**", ERROR: "**ERROR**", INCONCLUSIVE: "*unsure*", SKIP: "·"}


def environment() -> dict[str, Any]:
    """What the numbers were computed with, and what was looked at."""
    return {**reporting.environment(), "peers": {peer: reporting.version_of(peer) for peer in PEERS}}


# ---------------------------------------------------------------- JSON


def document(found: Sequence[Report], stale: Sequence[str] = (), own: Sequence[str] = ()) -> str:
    """The report of a run, in the one shape of every ``--json``; properties are counted."""
    run, skipped, missing = (sum(getattr(r, name) for r in found) for name in ("run", "skipped", "not_run"))
    return reporting.document(
        [as_data(report) for report in found],
        None,
        run,
        skipped,
        missing,
        of="targets",
        environment=environment(),
        stale=list(stale),
        errors=list(own),
    )


def as_data(report: Report) -> dict[str, Any]:
    names = ("target", "name", "verdict", "planned", "run", "skipped", "not_run")
    return {
        **{name: getattr(report, name) for name in names},
        "options": plain(report.options),
        "broken": report.broken or None,
        "seconds": round(report.seconds, 3),
        "notes": list(report.notes),
        "properties": [of_outcome(outcome) for outcome in report.outcomes],
    }


def of_outcome(outcome: Outcome) -> dict[str, Any]:
    return {
        **{name: getattr(outcome, name) for name in ("id", "name", "kind", "verdict")},
        "claims": list(outcome.claims),
        "expected": outcome.expected or None,
        "seconds": round(outcome.seconds, 3),
        "findings": [of_finding(finding) for finding in outcome.findings],
    }


def of_finding(finding: Finding) -> dict[str, Any]:
    numbers = {name: plain(getattr(finding, name)) for name in ("measured", "bound", "expected", "got")}
    words = {name: getattr(finding, name) for name in ("verdict", "text", "diagnosis", "reproducer")}
    return {**words, **numbers, "at": plain(finding.at)}


def plain(value: Any) -> Any:
    """The same as JSON has it: no arrays, and null for what is no number."""
    match value:
        case dict():
            return {str(key): plain(each) for key, each in value.items()}
        case list() | tuple():
            return [plain(each) for each in value]
        case np.generic():
            return plain(value.item())
        case float():
            return value if math.isfinite(value) else None
        case None | bool() | int() | str():
            return value
    return str(value)


# ---------------------------------------------------------------- Markdown


def markdown(found: Sequence[Report], stale: Sequence[str] = ()) -> str:
    """The matrix of samplers and properties, and below it what the marks stand for."""
    asked = {o.id: o.name for r in found for o in r.outcomes}
    ids = [p.id for p in properties() if p.id in asked] or list(asked)
    peers = [f"{name} {version}" for name, version in environment()["peers"].items() if version]
    sections = [
        "\n".join(
            [row(["sampler", *ids]), row(["---"] * (1 + len(ids))), *(of_report(r, ids) for r in looked_at(found))]
        ),
        "\n".join(legend(asked)),
        *(section(title, found, verdict) for title, verdict in TITLES.items()),
        bullets("Not looked at", [f"{code(r.label)}: {escaped(r.broken)}" for r in found if r.broken]),
        bullets("Stale", [escaped(each) for each in stale]),
        f"{counts(found)}; {', '.join([f'noiseproof {reporting.__version__}', *peers])}.",
    ]
    return "\n\n".join(filter(None, sections))


TITLES = {"Errors": ERROR, "Failures": FAIL, "Unsure": INCONCLUSIVE, "Notes": NOTE}


def looked_at(found: Iterable[Report]) -> list[Report]:
    return [report for report in found if not report.broken]


def of_report(report: Report, ids: Sequence[str]) -> str:
    outcomes = {outcome.id: outcome for outcome in report.outcomes}
    return row([code(report.label), *(mark(outcomes.get(id)) for id in ids)])


def mark(outcome: Outcome | None) -> str:
    if outcome is None:
        return "not run"
    return "known" if outcome.expected else MARKS[outcome.verdict]


def legend(asked: dict[str, str]) -> list[str]:
    names = ", ".join(f"{id} {name}" for id, name in asked.items())
    words = "✓ holds, note: a documented choice or a limit that is its own, · does not concern it or is not claimed"
    return [f"{words}, known: fails for a reason that is on file.", "", f"{names}."]


def section(title: str, found: Iterable[Report], verdict: str) -> str:
    entries = [
        f"{code(r.label)} {called(alike)}{known(alike[0])}: {escaped(sentence(alike[0].telling))}"
        for r in looked_at(found)
        for alike in together(o for o in r.outcomes if o.verdict == verdict)
    ]
    return bullets(title, entries)


def together(outcomes: Iterable[Outcome]) -> list[list[Outcome]]:
    """Outcomes one by one, but those as one that met the same error."""
    met: dict[tuple[str, ...], list[Outcome]] = {}
    for outcome in outcomes:
        finding = outcome.telling
        same = (finding.text, where(finding), outcome.expected) if outcome.verdict == ERROR else (outcome.id,)
        met.setdefault(same, []).append(outcome)
    return list(met.values())


def called(outcomes: Sequence[Outcome]) -> str:
    """P8 posterior-mean; for several, which they are, or P0 to P26."""
    if len(outcomes) == 1:
        return f"{outcomes[0].id} {outcomes[0].name}"
    ids = [outcome.id for outcome in outcomes]
    return f"{ids[0]} to {ids[-1]}, {len(ids)} properties" if len(ids) > FEW else ", ".join(ids)


def known(outcome: Outcome) -> str:
    return f" (known: {escaped(outcome.expected)})" if outcome.expected else ""


def bullets(title: str, entries: Sequence[str]) -> str:
    return f"## {title}\n\n" + "\n".join(f"* {entry}" for entry in entries) if entries else ""


def row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def code(text: str) -> str:
    """Text as it was typed; a pipe or a backtick in it would end the cell."""
    return f"`{text}`" if not set(text) & set("|`") else escaped(text)


def escaped(text: str) -> str:
    return re.sub(r"([\\`*_{}\[\]<>|#])", r"\\\1", text)


# ---------------------------------------------------------------- words


def account(outcome: Outcome) -> str:
    """What was expected, what came, which claim says so, and a script that shows it."""
    finding = outcome.smallest
    lines = [headline(outcome), *(f"  {part}" for part in details(outcome))]
    return "\n".join([*lines, *(["  again:", *indented(finding.reproducer)] if finding.reproducer else [])])


def headline(outcome: Outcome) -> str:
    diagnosis = outcome.smallest.diagnosis
    return f"{outcome.verdict} {outcome.id} {outcome.name}" + (f" ({diagnosis})" if diagnosis else "")


def details(outcome: Outcome) -> list[str]:
    finding = outcome.smallest
    proved = [f"proved: {', '.join(f'noiseproof explain {claim}' for claim in outcome.claims)}"]
    parts = [finding.text, where(finding), numbers(finding), worst(outcome)]
    return [*filter(None, parts), *(proved if outcome.claims else [])]


def worst(outcome: Outcome) -> str:
    """By how much more than can be explained it is off elsewhere, where that is more."""
    telling, smallest = outcome.telling, outcome.smallest
    if telling is smallest or not (telling.measured and telling.bound) or telling.measured == smallest.measured:
        return ""
    times = f"at its worst {telling.measured / telling.bound:.0e} times what can be explained"
    return times + (f", at {where(telling)}" if where(telling) else "")


def indented(script: str) -> list[str]:
    return [f"    {row}".rstrip() for row in script.rstrip().split("\n")]


def sentence(finding: Finding) -> str:
    """What was found, where, and in which numbers."""
    more = [where(finding), numbers(finding), finding.diagnosis and f"diagnosis: {finding.diagnosis}"]
    return "; ".join(filter(None, [finding.text, *more]))


def where(finding: Finding) -> str:
    """n = 7, step 3, and so on; lists, such as errors for many n, are shown elsewhere."""
    words = {"n": "n = {}", "step": "step {}", "data": "", "call": "in {}"}
    scalars = {key: value for key, value in finding.at.items() if not isinstance(value, list) and key != "expected"}
    return ", ".join(filter(None, (words.get(key, key + " {}").format(value) for key, value in scalars.items())))


def numbers(finding: Finding) -> str:
    parts = []
    if finding.expected is not None and finding.got is not None:
        digits = 4 if finding.measured is None or finding.measured > 1e-3 else 9
        parts.append(f"expected {finding.expected:.{digits}g}, got {finding.got:.{digits}g}")
    if finding.measured is not None:
        bound = "" if finding.bound is None else f", and {finding.bound:.1e} can be explained"
        parts.append(f"off by {finding.measured:.1e}{bound}")
    return "; ".join(parts)


def counts(found: Sequence[Report]) -> str:
    """Planned, run and skipped."""
    run, skipped, missing, planned = (
        sum(getattr(r, name) for r in found) for name in ("run", "skipped", "not_run", "planned")
    )
    words = "property" if planned == 1 else "properties"
    return f"{planned} {words} planned: {run} run, {skipped} skipped" + f", {missing} not run" * bool(missing)
