"""What one sees of a run while it runs, on stderr: a progress bar on a terminal, elsewhere a line for each claim."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from typing import Any

from .running import Died, Ended, Event, Gave, Lost, Started

Words = Callable[[Any], str]


def watched(
    events: Iterable[Event], tasks: Sequence[Any], name: Words, finished: Words
) -> Generator[Event, None, None]:
    """The same events, shown in passing.

    ``name`` says what a task is, ``finished`` what came of a claim; a task has a ``claim``.
    """
    yield from (bar if sys.stderr.isatty() else lines)(events, tasks, name, finished)


def bar(events: Iterable[Event], tasks: Sequence[Any], name: Words, finished: Words) -> Iterator[Event]:
    """How far it is, and what is running."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
    from rich.table import Column

    running: list[Any] = []
    what_runs = TextColumn("{task.description}", "dim", table_column=Column(ratio=1, no_wrap=True, overflow="ellipsis"))
    columns = BarColumn(bar_width=20), MofNCompleteColumn(), TimeElapsedColumn(), what_runs
    with Progress(*columns, console=Console(stderr=True), transient=True, expand=True) as progress:
        shown = progress.add_task("", total=len(tasks))
        for event in events:
            if isinstance(event, Started):
                running.append(event.task)
            elif not isinstance(event, Gave):
                running.remove(event.task)
                progress.advance(shown, 0 if isinstance(event, Lost) else 1)
            if not isinstance(event, Gave):
                progress.update(shown, description=", ".join(name(task) for task in running))
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
