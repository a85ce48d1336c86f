"""Running tasks, in this process or on an ``Executor``, and telling what happens while it happens.

``work`` is a generator function of a task, found again by name in other processes; tasks and results are plain data.
What a task gives depends on the task alone: not on who works on it, nor on what else is being worked on.
"""

from __future__ import annotations

import os
import signal
import sys
import traceback
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, CancelledError, Executor, ProcessPoolExecutor, wait
from contextlib import redirect_stdout
from dataclasses import dataclass
from multiprocessing import parent_process
from multiprocessing.context import SpawnContext, SpawnProcess
from threading import Lock, Thread
from typing import Any

Work = Callable[[Any], Iterator[Any]]
PATIENCE = 3  # so many times a broken pool is replaced; then we look for the task that breaks it


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
class Lost:
    """The pool broke, by this task or by one beside it: the task will be started again."""

    task: Any


@dataclass(frozen=True)
class Died:
    """The task will give nothing more, and why."""

    task: Any
    why: str


Event = Started | Gave | Ended | Lost | Died


def events(
    work: Work, tasks: Iterable[Any], workers: int | Callable[[], int] = 1, executor: Executor | None = None
) -> Generator[Event, None, None]:
    """What happens while the tasks are worked on, so many at a time.

    By an executor if one is given; else by processes of our own, or by this one if one is enough.
    """
    waiting = deque(tasks)
    if executor is not None:
        lost = yield from on_executor(work, waiting, executor, workers if callable(workers) else lambda: workers)
        yield from (Died(task, "the executor was lost before this was done") for task in lost)
    elif callable(workers) or min(workers, len(waiting)) <= 1:
        yield from in_turn(work, waiting)
    else:
        yield from on_processes(work, waiting, workers)


# ---------------------------------------------------------------- here


def in_turn(work: Work, tasks: Iterable[Any]) -> Iterator[Event]:
    """In this process; every result is told as soon as it is there."""
    single_threaded()
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


def single_threaded() -> None:
    """The processes are the parallelism, and sums come out the same however many cores there are."""
    for name in ("OMP", "OPENBLAS", "MKL", "NUMEXPR"):
        os.environ.setdefault(f"{name}_NUM_THREADS", "1")
    os.environ.setdefault("VECLIB_MAXIMUM_THREADS", "1")
    if torch := sys.modules.get("torch"):  # which has read them already
        torch.set_num_threads(1)


# ---------------------------------------------------------------- on an executor


def on_executor(
    work: Work, waiting: deque[Any], executor: Executor, width: Callable[[], int]
) -> Generator[Event, None, list[Any]]:
    """Tasks are taken from those waiting while the executor lives.  Returns those that it had in hand when it broke."""
    in_hand, lost, broken = {}, [], False
    try:
        while in_hand or (waiting and not broken):
            while waiting and not broken and len(in_hand) < max(1, width()):
                try:
                    in_hand[executor.submit(whole, work, waiting[0])] = waiting[0]
                except BrokenExecutor:
                    broken = True
                else:
                    yield Started(waiting.popleft())
            for future in wait(in_hand, return_when=FIRST_COMPLETED).done:
                task = in_hand.pop(future)
                try:
                    results, trouble = future.result()
                except (BrokenExecutor, CancelledError):  # we have cancelled nothing
                    broken = True
                    lost.append(task)
                except Exception as error:  # the executor's own trouble
                    yield Died(task, f"{type(error).__name__}: {error}")
                else:
                    yield from (Gave(task, result) for result in results)
                    yield Died(task, trouble) if trouble else Ended(task)
    finally:
        for future in in_hand:
            future.cancel()
    return lost


alone = Lock()  # the threads of a process share mpmath's precision, SymPy's caches and stdout


def whole(work: Work, task: Any) -> tuple[list[Any], str | None]:
    """All that a task gives, and what was raised if something was; one task at a time in each process."""
    results = []
    with alone, redirect_stdout(sys.stderr):
        single_threaded()
        try:
            results.extend(work(task))
        except Exception:
            return results, traceback.format_exc()
    return results, None


# ---------------------------------------------------------------- on processes of our own


def on_processes(work: Work, waiting: deque[Any], workers: int) -> Iterator[Event]:
    """On a pool.  A process that dies breaks it, and nobody says whose fault it was.

    A new pool takes over what is unfinished.  If that does not help, those that the pool had in hand are tried one by
    one, each in a process of its own: the one that dies again is the one, and the others have done their work.
    """
    replaced = 0
    while waiting:
        with Pool(min(workers, len(waiting))) as pool:
            lost = yield from on_executor(work, waiting, pool, lambda: workers)
        yield from map(Lost, lost)
        if replaced < PATIENCE:
            waiting.extendleft(reversed(lost))
            replaced += 1
            continue
        for suspect in lost:
            with Pool(1) as pool:
                guilty = yield from on_executor(work, deque([suspect]), pool, lambda: 1)
            if guilty:
                yield Died(suspect, pool.epitaph())


class Hand(SpawnProcess):
    """A fresh process.  Ctrl-C is for us: a child inherits that it is ignored."""

    def start(self) -> None:
        ours = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            super().start()
        finally:
            signal.signal(signal.SIGINT, ours)


class Pool(ProcessPoolExecutor):
    """Processes that share no state, and that do not outlive their time."""

    def __init__(self, workers: int) -> None:
        self.hands: list[Hand] = []
        super().__init__(workers, mp_context=Hiring(self.hands), initializer=settle)

    def __exit__(self, *_: object) -> None:
        for hand in self.hands:
            hand.kill()
        self.shutdown(cancel_futures=True)

    def epitaph(self) -> str:
        """How the first of the processes ended."""
        code = self.hands[0].exitcode
        if code is not None and code < 0:
            return f"its process was killed by signal {-code} ({signal.Signals(-code).name}); out of memory?"
        return f"its process ended unexpectedly, with exit code {code}"


class Hiring(SpawnContext):
    """How the pool starts a process; we keep its name."""

    def __init__(self, hands: list[Hand]) -> None:
        self.hands = hands

    def Process(self, *args: Any, **options: Any) -> Hand:  # type: ignore[override]
        self.hands.append(hand := Hand(*args, **options))
        return hand


def settle() -> None:
    """What a process does first, before it imports NumPy."""
    sys.stdout = sys.stderr  # stdout belongs to the report
    single_threaded()
    Thread(target=go_home, daemon=True).start()


def go_home() -> None:
    """A process goes home when nobody is left to report to."""
    if parent := parent_process():
        parent.join()
        os._exit(1)
