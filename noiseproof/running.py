"""Running tasks, one after another or on several processes, and telling what happens while it happens.

``work`` is a generator function of a task, found again by name in other processes; tasks and results are plain data.
A process that dies (killed for its memory, say) takes its own task with it and no other: the task is reported as
``Died`` and a new process goes on.
"""

from __future__ import annotations

import os
import signal
import sys
import traceback
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import redirect_stdout, suppress
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from typing import Any

Work = Callable[[Any], Iterator[Any]]


@dataclass(frozen=True)
class Started:
    task: Any


@dataclass(frozen=True)
class Gave:
    """A result; a task may give many."""

    task: Any
    result: Any


@dataclass(frozen=True)
class Ended:
    task: Any


@dataclass(frozen=True)
class Died:
    """The task will give nothing more, and why."""

    task: Any
    why: str


Event = Started | Gave | Ended | Died


def events(work: Work, tasks: Iterable[Any], workers: int = 1) -> Generator[Event, None, None]:
    """What happens while the tasks are worked on, by so many processes."""
    tasks = list(tasks)
    yield from in_turn(work, tasks) if min(workers, len(tasks)) <= 1 else side_by_side(work, tasks, workers)


def in_turn(work: Work, tasks: list[Any]) -> Iterator[Event]:
    """In this process."""
    for task in tasks:
        yield Started(task)
        try:
            for result in quietly(work(task)):
                yield Gave(task, result)
        except Exception:
            yield Died(task, traceback.format_exc())
        else:
            yield Ended(task)


def quietly(results: Iterator[Any]) -> Iterator[Any]:
    """The same results; what is printed meanwhile goes to stderr, for stdout belongs to the report."""
    end = object()
    while True:
        with redirect_stdout(sys.stderr):
            result = next(results, end)
        if result is end:
            return
        yield result


class Hand:
    """A process that works on one task after another."""

    def __init__(self, work: Work) -> None:
        context = get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=serve, args=(theirs, work), daemon=True)
        self.task: Any = None
        ours = signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for us; a child inherits that it is ignored
        try:
            self.process.start()
        finally:
            signal.signal(signal.SIGINT, ours)
        theirs.close()

    def give(self, task: Any) -> None:
        self.task = task
        with suppress(OSError):  # if it is dead already, the closed pipe will say so when it is read
            self.pipe.send(task)

    def epitaph(self) -> str:
        """How the process ended."""
        self.process.join(5)
        code = self.process.exitcode
        if code is not None and code < 0:
            return f"its process was killed by signal {-code} ({signal.Signals(-code).name}); out of memory?"
        return f"its process ended unexpectedly, with exit code {code}"


def side_by_side(work: Work, tasks: list[Any], workers: int) -> Iterator[Event]:
    """On several processes, each fresh from ``spawn``: no state is shared, and none is copied."""
    waiting = deque(tasks)
    hands = [Hand(work) for _ in range(min(workers, len(tasks)))]
    try:
        while True:
            for hand in hands:
                if hand.task is None and waiting:
                    hand.give(waiting.popleft())
                    yield Started(hand.task)
            busy = {hand.pipe: hand for hand in hands if hand.task is not None}
            if not busy:
                return
            for pipe in wait(list(busy)):
                hand = busy[pipe]  # type: ignore[index]
                try:
                    event = hand.pipe.recv()
                except (EOFError, OSError):
                    yield Died(hand.task, hand.epitaph())
                    hands[hands.index(hand)] = Hand(work)
                    continue
                if not isinstance(event, Gave):
                    hand.task = None
                yield event
    finally:
        for hand in hands:
            hand.process.kill()
            hand.pipe.close()


def serve(pipe: Connection, work: Work) -> None:
    """What a process does all day.  It goes home when nobody is left at the other end."""
    sys.stdout = sys.stderr  # stdout belongs to the report
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")  # the processes are the parallelism
    try:
        while True:
            task = pipe.recv()
            try:
                for result in work(task):
                    pipe.send(Gave(task, result))
                pipe.send(Ended(task))
            except Exception:
                pipe.send(Died(task, traceback.format_exc()))
    except (EOFError, OSError):
        return
