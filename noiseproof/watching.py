"""What one sees of a run while it runs, on stderr: a progress bar on a terminal, a line for each finished claim elsewhere."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from .running import Died, Ended, Event, Gave, Started

Words = Callable[[Any], str]


def watched(events: Iterable[Event], tasks: Sequence[Any], name: Words, finished: Words) -> Iterator[Event]:
    """The same events, shown in passing.  ``name`` says what a task is, ``finished`` what came of a claim; a task has a ``claim``."""
    yield from (bar if sys.stderr.isatty() else lines)(events, tasks, name, finished)


def bar(events: Iterable[Event], tasks: Sequence[Any], name: Words, finished: Words) -> Iterator[Event]:
    """How far it is, and what is running."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = BarColumn(bar_width=24), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("{task.description}", style="dim")
    running: list[Any] = []
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        shown = progress.add_task("", total=len(tasks))
        for event in events:
            if isinstance(event, Started):
                running.append(event.task)
            elif isinstance(event, (Ended, Died)):
                running.remove(event.task)
                progress.advance(shown)
            if not isinstance(event, Gave):
                progress.update(shown, description=", ".join(map(name, running)))
            yield event


def lines(events: Iterable[Event], tasks: Sequence[Any], name: Words, finished: Words) -> Iterator[Event]:
    """A line for each claim when its last task is done."""
    left = Counter(task.claim for task in tasks)
    for event in events:
        yield event  # first, so that whoever collects them knows what came of it
        if isinstance(event, (Ended, Died)):
            left[event.task.claim] -= 1
            if not left[event.task.claim]:
                print(finished(event.task.claim), file=sys.stderr, flush=True)
