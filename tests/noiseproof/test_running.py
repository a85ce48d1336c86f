"""Tasks on several processes: every result arrives, and a process that dies is reported, not waited for."""

import os
import signal
import sys
import time
from contextlib import closing
from multiprocessing import active_children

import pytest

from noiseproof.running import Died, Ended, Gave, Started, events

WORKERS = pytest.mark.parametrize("workers", [1, 2])


def squares(n):
    for k in range(n):
        yield k**2


def troubled(task):
    """Work that goes wrong in the way the task says."""
    yield "begun"
    if task == "raise":
        raise ValueError("no good")
    if task == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if task == "exit":
        os._exit(7)
    if task == "print":
        print("this does not belong into a report")
    if task == "sleep":
        time.sleep(600)
    yield "done"


def results(work, tasks, workers):
    found = {task: [] for task in tasks}
    for event in events(work, tasks, workers):
        if isinstance(event, Gave):
            found[event.task].append(event.result)
    return found


@WORKERS
def test_every_task_gives_its_results_in_order(workers):
    assert results(squares, [3, 0, 5], workers) == {3: [0, 1, 4], 0: [], 5: [0, 1, 4, 9, 16]}


@WORKERS
def test_a_task_is_started_gives_and_ends(workers):
    story = [(type(e), e.task) for e in events(squares, [1, 2], workers)]
    for task in (1, 2):
        assert [kind for kind, t in story if t == task] == [Started, *[Gave] * task, Ended]


@WORKERS
def test_a_task_that_raises_is_reported_and_the_others_go_on(workers):
    story = list(events(troubled, ["raise", "fine"], workers))
    (died,) = [e for e in story if isinstance(e, Died)]
    assert died.task == "raise"
    assert "ValueError: no good" in died.why
    assert Gave("raise", "begun") in story
    assert Ended("fine") in story


@pytest.mark.parametrize(("end", "says"), [("kill", "killed by signal 9 (SIGKILL)"), ("exit", "exit code 7")])
def test_a_process_that_dies_is_reported_and_another_goes_on(end, says):
    story = list(events(troubled, [end, "a", "b", "c"], workers=2))
    (died,) = [e for e in story if isinstance(e, Died)]
    assert died.task == end
    assert says in died.why
    assert {e.task for e in story if isinstance(e, Ended)} == {"a", "b", "c"}


@WORKERS
def test_stdout_belongs_to_the_report(workers, capfd):
    list(events(troubled, ["print", "fine"], workers))
    out, err = capfd.readouterr()
    assert out == ""
    assert "does not belong" in err


def test_who_stops_listening_leaves_nobody_behind():
    with closing(events(troubled, ["sleep", "sleep too"], workers=2)) as story:
        while not isinstance(next(story), Gave):
            pass
        hands = active_children()
        assert hands
    for hand in hands:
        hand.join(10)
        assert not hand.is_alive()


def test_ctrl_c_goes_to_whoever_listens():
    """Processes ignore it: what they have done so far is still told."""
    story = []

    def listen():
        for event in events(troubled, ["fine", "sleep", "sleep too"], workers=2):
            story.append(event)
            if Ended("fine") in story and Gave("sleep", "begun") in story:
                signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        listen()
    assert Ended("sleep") not in story


def test_one_process_needs_no_other():
    before = set(sys.modules)
    assert results(squares, [2], workers=8) == {2: [0, 1]}
    assert "multiprocessing.spawn" not in set(sys.modules) - before
