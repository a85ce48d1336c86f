"""Failures that are known: a file with a line for each, the target, the property and the reason.

    # what fails in diffusers 0.42
    diffusers:DEISMultistepScheduler[solver_order=3]  P17  the third-order step is of the second order: #1234
    diffusers:DEIS*  P1  add_noise reads a table that is set later
    diffusers:LCMScheduler[rescale_betas_zero_snr=True]  *  every run ends in NaN

A star stands for any characters, and alone for all properties.  What does not fail any more, or is not there, is stale,
and said so; lines on libraries that were not asked are left alone, so that one file can serve several.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ..faults import Unreadable, nearest
from .findings import ERROR, FAIL, INCONCLUSIVE, NOTE, PASS, Outcome, Report, worst
from .properties import Property

BAD = (FAIL, ERROR, INCONCLUSIVE)
ALL = "*"  # properties


@dataclass(frozen=True)
class Known:
    """One line of the file."""

    line: int
    target: str
    property: str
    reason: str

    def fits(self, report: Report) -> bool:
        pattern = ".*".join(re.escape(part) for part in self.target.split("*"))
        return re.fullmatch(pattern, report.label.replace(" ", "")) is not None

    def __str__(self) -> str:
        return f"line {self.line}: {self.target} {self.property}"


def read(path: Path, properties: Sequence[Property]) -> list[Known]:
    """The lines of a file.  Raises Unreadable for one that is none, saying what was expected."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as why:
        raise Unreadable(f"{path} cannot be read: {why}") from None
    return list(lines(text, str(path), properties))


def lines(text: str, where: str, properties: Sequence[Property]) -> Iterator[Known]:
    ids = {ALL: ALL} | {name: property.id for property in properties for name in (property.id, property.name)}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        found = re.fullmatch(r"\s*([^\s\[]+(?:\[.*?\])?\S*)\s+(\*|[A-Za-z][\w-]*)(?:\s+(.*?))?\s*", line)
        if not found:
            raise Unreadable(f"{where}, line {number}: {line.strip()!r}; expected target[options] P9 reason")
        target, name, reason = found.groups()
        if name not in ids:
            raise Unreadable(f"{where}, line {number}: there is no property {name}; {nearest(name, ids)}")
        if not reason:
            raise Unreadable(f"{where}, line {number}: {target} {name} has no reason; say why it is known to fail")
        yield Known(number, target.replace(" ", ""), ids[name], reason)


def marked(report: Report, known: Iterable[Known]) -> Report:
    """The report, in which what is known to fail carries its reason."""
    reasons = {each.property: each.reason for each in known if each.fits(report)}

    def of(outcome: Outcome) -> Outcome:
        reason = reasons.get(outcome.id, reasons.get(ALL, "")) if outcome.verdict in BAD else ""
        return replace(outcome, expected=reason) if reason else outcome

    return replace(report, outcomes=tuple(of(outcome) for outcome in report.outcomes))


def stale(reports: Sequence[Report], known: Iterable[Known], asked: Iterable[str]) -> list[str]:
    """What is said to fail and does not, or is not there, of the properties and libraries that were asked."""
    properties, libraries = {ALL, *asked}, {library(report.target) for report in reports}
    counted = (each for each in known if each.property in properties and library(each.target) in libraries)
    return [f"{each}: {why}" for each in counted if (why := no_longer(each, reports))]


def library(target: str) -> str:
    return target.partition(":")[0]


def no_longer(each: Known, reports: Sequence[Report]) -> str:
    """Why a line is stale, if it is.  A target that was not done with is no reason."""
    fitting = [report for report in reports if each.fits(report)]
    if not fitting:
        return "no target that was asked is called that"
    found = {report.label: verdict for report in fitting if (verdict := verdict_on(each, report))}
    holds = [f"{label} {verdict}" for label, verdict in found.items() if verdict in (PASS, NOTE)]
    if holds:
        return f"it does not fail any more: {', '.join(holds[:3])}" + f" and {len(holds) - 3} more" * (len(holds) > 3)
    done = len(found) == len(fitting)
    return "it is not asked there" if done and not any(verdict in BAD for verdict in found.values()) else ""


def verdict_on(each: Known, report: Report) -> str:
    """That of the property which the line is about; for all of them the worst, once they are done."""
    if each.property != ALL:
        return next((outcome.verdict for outcome in report.outcomes if outcome.id == each.property), "")
    found = worst(outcome.verdict for outcome in report.outcomes)
    return found if found in BAD or not report.not_run else ""
