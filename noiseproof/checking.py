"""Checking samplers: the function behind ``noiseproof check`` and the tests that ``noiseproof.testing`` makes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any

from .conformance import expected, reports, screen
from .conformance.adapters import LIBRARIES, place_of
from .conformance.examining import Examination
from .conformance.expected import BAD, Known
from .conformance.findings import Outcome, Report
from .conformance.properties import properties
from .conformance.subject import STEPS
from .conformance.target import SECONDS, AboutTheTarget, Raised, Target, listed
from .faults import (
    ALL_GOOD,
    INTERNAL_ERROR,
    INTERRUPTED,
    SOME_FAILED,
    USAGE,
    NothingSelected,
    UnknownProperty,
    Unloadable,
    nearest,
)
from .gathering import Run

REFUSALS = ("Refused", "ImportError", "ModuleNotFoundError")  # of an adapter, before anything was asked


def check(
    target: Any,
    options: dict[str, Any] | None = None,
    steps: Sequence[int] = STEPS,
    seconds: float = SECONDS,
    properties: Sequence[str] = (),
) -> Report:
    """Examine a sampler: does it have the properties that it claims?

    The target is "diffusers:DDIMScheduler", "my_project.sampler:MySampler" or "path/to/file.py:name"; or what
    ``from_step`` made, an adapter, a function or a class, which must have a name at the top level of its file, for it
    runs in another process.  ``options`` are its own; ``steps`` are the numbers of steps of its runs; a property has so
    many ``seconds``.  ``properties`` are ids or names, such as "P8" or "posterior-mean", and all if there are none.

    Raises Unloadable for a target that cannot be loaded, and UnknownProperty.
    """
    task = Task(spec_of(target), written(options or {}), tuple(steps), seconds, chosen(properties))
    report = Report(task.target, {}, "", ())
    for result in judged(task):
        report = result if isinstance(result, Report) else report.having(result)
    if report.broken:
        raise Unloadable(f"{report.label} cannot be checked: {report.broken}")
    return report


def spec_of(target: Any) -> str:
    """The name of a target, by which another process finds it.  Raises Unloadable for what has none."""
    try:
        return target if isinstance(target, str) else place_of(target)
    except LookupError as why:
        raise Unloadable(str(why)) from None


def written(options: dict[str, Any]) -> str:
    """Options as JSON, in which they go to the process of the target.  Raises TypeError for what is no plain data."""
    try:
        return json.dumps(options)
    except TypeError as why:
        raise TypeError(f"options go to another process as JSON, and {options!r} is none: {why}") from None


def chosen(names: Sequence[str]) -> tuple[str, ...]:
    """The ids of the properties of these ids or names, in their order; all if there are none."""
    known = {word.lower(): p.id for p in properties() for word in (p.id, p.name)}
    for name in names:
        if name.lower() not in known:
            words = [word for p in properties() for word in (p.id, p.name)]
            raise UnknownProperty(f"there is no property {name!r}; {nearest(name, words)}")
    wanted = {known[name.lower()] for name in names}
    return tuple(p.id for p in properties() if not wanted or p.id in wanted)


# ---------------------------------------------------------------- one target


@dataclass(frozen=True)
class Task:
    """One target, with its options as JSON; ``listed`` if nobody named it but a list of all that a library has."""

    target: str
    options: str
    steps: tuple[int, ...]
    seconds: float
    properties: tuple[str, ...]
    listed: bool = False

    @property
    def empty(self) -> Report:
        """What is known before anything is asked."""
        return Report(self.target, json.loads(self.options), "", (), planned=len(self.properties))

    @property
    def claim(self) -> str:
        return self.empty.label


kept: dict[str, Target] = {}  # by library: one process is enough, in turn, for all that a library has


def judged(task: Task) -> Iterator[Report | Outcome]:
    """A report of nothing, and the outcomes as they come; or a report of why there will be none."""
    options, library = json.loads(task.options), task.target.partition(":")[0]
    target = kept.pop(library, None) if task.listed else None
    try:
        if target is None:
            target = Target(task.target, options, task.seconds)
        else:
            target.become(task.target, options)
        yield from Examination(target, task.steps).of([p for p in properties() if p.id in task.properties])
    except AboutTheTarget as why:
        refused = task.listed and isinstance(why, Raised) and why.kind in REFUSALS
        said = re.sub("^it raised (Refused|LookupError|NoSampler): ", "", " ".join(why.what.split()))
        yield replace(task.empty, broken=said, refused=refused, planned=0 if refused else task.empty.planned)
    finally:
        if task.listed and target is not None and library not in kept:
            kept[library] = target
        elif target is not None:
            target.close()


def tasks(
    targets: Sequence[str], options: dict[str, Any], steps: Sequence[int], seconds: float, wanted: Sequence[str]
) -> list[Task]:
    """A task for each target, once; where it names a library alone, "diffusers:", for all that this has.

    Raises NothingSelected for a library that has nothing, and Unloadable for one that cannot be asked.
    """
    found: dict[tuple[str, str], Task] = {}
    for target in targets:
        library, colon, name = target.partition(":")
        everything = colon and not name and library in LIBRARIES
        every = all_of(library, seconds) if everything else [(name, {})]
        if not every:
            raise NothingSelected(f"{library} has no samplers")
        for each, variant in every:
            if options and variant:
                continue  # with options of one's own there is one of each
            spec = f"{library}:{each}" if everything else target
            task = Task(spec, written(variant | options), tuple(steps), seconds, chosen(wanted), bool(everything))
            found.setdefault((task.target, task.options), task)
    return list(found.values())


def all_of(library: str, seconds: float) -> list[tuple[str, dict[str, Any]]]:
    """All that a library has, and the options under which each is looked at."""
    try:
        return listed(library, seconds)
    except AboutTheTarget as why:
        raise Unloadable(f"{library} cannot be asked what it has: {why.what}") from None


# ---------------------------------------------------------------- many


class Checking(Run):
    """A run of ``check``."""

    def __init__(self, tasks: Sequence[Task], known: Sequence[Known] = ()) -> None:
        super().__init__([], tasks)
        self.tasks, self.known = list(tasks), known
        self.reports = {task: task.empty for task in tasks}
        self.own: list[str] = []  # errors of our own

    def gave(self, task: Task, result: Report | Outcome) -> None:
        self.reports[task] = result if isinstance(result, Report) else self.reports[task].having(result)

    def died(self, task: Task, why: str) -> None:
        self.own.append(f"{task.claim}: {why}")

    def name(self, task: Task) -> str:
        return task.claim

    short = name

    def line(self, claim: str) -> str:
        return next(screen.line(report) for report in self.found() if report.label == claim)

    def found(self) -> list[Report]:
        return [expected.marked(self.reports[task], self.known) for task in self.tasks]

    def stale(self) -> list[str]:
        """Lines of the file of known failures that say what is not so; of a run that came to its end."""
        if self.interrupted or self.own:
            return []
        return expected.stale(self.found(), self.known, self.tasks[0].properties)

    def reported(self, as_json: bool, as_markdown: bool, strict: bool) -> int:
        """Print the report; the exit code."""
        found, stale = self.found(), self.stale()
        if as_json:
            print(reports.document(found, stale, self.own))
        elif as_markdown:
            print(reports.markdown(found, stale))
        else:
            screen.show(found, stale, perf_counter() - self.clock, self.interrupted)
        return self.code(found, stale, strict)

    def code(self, found: Sequence[Report], stale: Sequence[str], strict: bool) -> int:
        if self.interrupted:
            return INTERRUPTED
        if self.own:
            return INTERNAL_ERROR
        if any(self.reports[task].broken and not task.listed for task in self.tasks):
            return USAGE
        if found and not any(report.run or report.not_run or report.refused or report.broken for report in found):
            raise NothingSelected(f"nothing was asked: {found[0].outcomes[0].telling.text}")
        bad = stale or any(report.verdict in BAD or report.not_run for report in found)
        skipped = any(report.skipped or report.refused for report in found)
        return SOME_FAILED if bad or (strict and skipped) else ALL_GOOD
