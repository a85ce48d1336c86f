"""The run file: a line of JSON for each check that is done, for whoever goes on with the run or reads of it.

A line says what was judged, in which circumstances, and what came of it.  When a task is done, a line closes it with
the number of its checks; a task without such a line is done again.  Nothing that stands in a file is executed.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import platform
import sys
from collections import Counter, defaultdict
from collections.abc import Generator, Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import __version__
from .faults import Unusable
from .reporting import check_as_data, counted, version_of
from .running import Ended, Event, Gave
from .verifying import ERROR, FAIL, INCONCLUSIVE, PASS, SKIP, Check

if TYPE_CHECKING:
    from .gathering import Run, Task

JUDGES = ("derivations", "numerics", "models")  # the sources that a verdict depends on
LIBRARIES = ("numpy", "scipy", "sympy", "mpmath", "hypothesis", "torch")
SUBJECT = ("claim", "kind", "with")
CIRCUMSTANCES = {"seed": "another seed", "code": "other code", "versions": "other versions"}


# ---------------------------------------------------------------- how a line begins


@cache
def code() -> str:
    """A hash of the sources that a verdict depends on."""
    home, found = Path(__file__).resolve().parents[1], hashlib.sha256(__version__.encode())
    sources = (path for top in JUDGES for path in (home / top).rglob("*") if path.is_file())
    for name, path in sorted((path.relative_to(home).as_posix(), path) for path in sources):
        if "__pycache__" not in path.parts:
            content = path.read_bytes()
            found.update(f"\n{name} {len(content)}\n".encode() + content)
    return found.hexdigest()[:16]


@cache
def installed() -> dict[str, Any]:
    """What a verdict depends on beside what is asked."""
    versions = {"python": platform.python_version(), **{name: version_of(name) for name in LIBRARIES}}
    return {"code": code(), "versions": versions}


def head(task: Task) -> dict[str, Any]:
    """What was judged, and in which circumstances."""
    replaced = dict(text.split("=", 1) for text in task.instead)
    return {"claim": task.claim, "kind": task.kind, "with": replaced, "seed": task.seed, **installed()}


def key(record: dict[str, Any], names: Iterable[str] = (*SUBJECT, *CIRCUMSTANCES)) -> str:
    return json.dumps([record[name] for name in names], sort_keys=True)


# ---------------------------------------------------------------- reading


def readable(line: bytes) -> dict[str, Any] | None:
    """What a line says, if it is one of ours."""
    try:
        record = json.loads(line)
        known = record["seed"], record["code"], record["versions"], record["claim"] + record["kind"], {**record["with"]}
        sound = type(record["ended"]) is int if "ended" in record else sound_check(as_check(record))
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    return record if known and sound else None


def as_check(record: dict[str, Any]) -> Check:
    return Check(**{name: record[name] for name in ("name", "kind", "verdict", "detail", "seconds", "resolution")})


def sound_check(check: Check) -> bool:
    words = isinstance(check.name, str) and isinstance(check.detail, str)
    numbers = math.isfinite(check.seconds) and math.isfinite(check.resolution or 0)
    return words and numbers and check.verdict in (PASS, FAIL, INCONCLUSIVE, SKIP, ERROR)


def records(path: Path) -> tuple[list[dict[str, Any]], list[str]]:
    """The lines of a file, and what is to be said of it.  Raises Unusable if it cannot be read or is no run file."""
    if path.exists() and not path.is_file():
        raise Unusable(f"cannot read {path}: it is no regular file")
    try:
        *lines, tail = path.read_bytes().split(b"\n")
    except OSError as error:
        raise Unusable(f"cannot read {path}: {error.strerror}") from error
    found, news = [readable(line) for line in lines], []
    if tail and (last := readable(tail)):
        found.append(last)
    elif tail:
        news.append(f"the last line of {path} is torn, and dropped")
    good = [record for record in found if record]
    begun = not lines and tail[:8] == b'{"claim"'[: len(tail)]  # the first line, torn
    if not good and not begun and (lines or tail):
        raise Unusable(f"{path} is not a file that noiseproof wrote: it is left alone")
    if bad := len(found) - len(good):
        news.append(f"{counted(bad, 'line')} of {path} cannot be read, and dropped")
    return good, news


def resumed(path: Path, tasks: Sequence[Task]) -> tuple[dict[Task, list[Check]], list[str]]:
    """The tasks that are done, with their checks, and what is to be said of the file."""
    found, news = records(path)
    planned = {key(head(task)): task for task in tasks}
    asked = {key(head(task), SUBJECT): task for task in tasks}
    done: dict[Task, list[Check]] = {}
    begun: defaultdict[str, list[Check]] = defaultdict(list)
    stale: defaultdict[Task, list[dict[str, Any]]] = defaultdict(list)
    for record in found:
        task = planned.get(key(record))
        if task is None:
            if (other := asked.get(key(record, SUBJECT))) and "ended" not in record:
                stale[other].append(record)
        elif "ended" not in record:
            begun[key(record)].append(as_check(record))
        elif 0 < record["ended"] <= len(checks := begun.pop(key(record), [])):
            done[task] = checks[-record["ended"] :]
    if old := [(record, head(task)) for task, lines in stale.items() if task not in done for record in lines]:
        differ = [words for name, words in CIRCUMSTANCES.items() if any(r[name] != now[name] for r, now in old)]
        news.append(f"run again, for {' and '.join(differ)}: {counted(len(old), 'check')} of {path}")
    return done, news


# ---------------------------------------------------------------- writing


class RunFile:
    """Lines are added as checks are done.  Raises Unusable if the file cannot be written."""

    def __init__(self, path: Path) -> None:
        self.path, self.trouble = path, ""
        installed()  # now, and not when somebody has edited the sources
        self.checks: Counter[Task] = Counter()
        try:
            self.regular = path.is_file() or not path.exists()
            self.file = open(path, "ab", buffering=0)  # noqa: SIM115 - open for the whole run
            if self.regular:
                self.mend()
        except OSError as error:
            raise Unusable(f"cannot write {path}: {error.strerror}") from error

    def mend(self) -> None:
        """What is added begins a line of its own."""
        content = self.path.read_bytes()
        if tail := content.rpartition(b"\n")[2]:
            if readable(tail):
                self.file.write(b"\n")
            else:
                self.file.truncate(len(content) - len(tail))

    def kept(self, events: Iterable[Event]) -> Generator[Event, None, None]:
        """The same events, written down in passing."""
        for event in events:
            self.add(event)
            yield event

    def add(self, event: Event) -> None:
        if isinstance(event, Gave):
            self.checks[event.task] += 1
            self.write({**head(event.task), **check_as_data(event.result)})
        elif isinstance(event, Ended):
            self.write({**head(event.task), "ended": self.checks.pop(event.task, 0)}, done=True)

    def write(self, record: dict[str, Any], done: bool = False) -> None:
        """A line; the disk has it when a task is done.  If it cannot be written the run goes on without it."""
        if self.trouble:
            return
        line = json.dumps(record, ensure_ascii=False, allow_nan=False).encode(errors="backslashreplace") + b"\n"
        try:
            while line:
                line = line[self.file.write(line) :]
            if done and self.regular:
                os.fsync(self.file.fileno())
        except OSError as error:
            self.trouble = f"cannot write {self.path}: {error.strerror}"
            message = f"noiseproof: {self.trouble}; the run goes on, and what follows is not in the file"
            print(message, file=sys.stderr, flush=True)


def taken_up(run: Run, path: Path | None, old: Path | None) -> tuple[RunFile | None, list[str]]:
    """The file to write, once the run knows what the old one holds; and what is to be said of them.

    Either alone serves as both.  Raises Unusable before anything is done.
    """
    target, news = path or old, []
    if target is None:
        return None, news
    done: dict[Task, list[Check]] = {}
    if old and (old.exists() or path != old):  # the line that resumes a run may be the one that began it
        planned = len(run.unfinished)
        done, news = resumed(old, run.unfinished)
        news.append(f"{len(done)} of {planned} parts of the run are in {old}")
    if target != old and target.is_file():
        news += records(target)[1]
    file = RunFile(target)
    for task, checks in done.items():
        for event in [*(Gave(task, check) for check in checks), Ended(task)]:
            run.add(event)
            if target != old:
                file.add(event)
    return file, news
