"""Tasks on executors: every result arrives, a process that dies is replaced, and the task that kills it is named."""

import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import BrokenExecutor, Future, ThreadPoolExecutor
from contextlib import closing
from multiprocessing import active_children
from pathlib import Path

import pytest

from noiseproof.running import PATIENCE, Died, Ended, Gave, Lost, Started, events

ROOT = Path(__file__).resolve().parents[2]
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
    if task.startswith("sleep"):
        time.sleep(600)
    yield "done"


def killed_by_others(path):
    """Work whose process is killed, the first time."""
    yield "begun"
    with open(path, "a+") as log:
        log.write("x")
        log.seek(0)
        if log.read() == "x":
            log.flush()
            os.kill(os.getpid(), signal.SIGKILL)
    yield "done"


def threads(task):
    """How many threads the libraries of a process were told to use, before NumPy was there to be told too late."""
    yield os.environ["OMP_NUM_THREADS"], os.environ["OPENBLAS_NUM_THREADS"], "numpy" in sys.modules


def sharing(task):
    """Work that would notice another beside it in the same process."""
    alone.append(task)
    time.sleep(0.01)
    yield len(alone)
    alone.remove(task)


alone = []


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
def test_the_task_that_kills_processes_is_named_and_the_others_finish(end, says):
    story = list(events(troubled, [end, "a", "b", "c"], workers=2))
    (died,) = [e for e in story if isinstance(e, Died)]
    assert died.task == end
    assert says in died.why
    assert {e.task for e in story if isinstance(e, Ended)} == {"a", "b", "c"}
    assert story.count(Started(end)) == 1 + PATIENCE + 1
    assert {task: story.count(Gave(task, "done")) for task in "abc"} == {"a": 1, "b": 1, "c": 1}


def test_a_process_that_somebody_kills_is_replaced_and_nothing_is_missing(tmp_path):
    tasks = [str(tmp_path / name) for name in "abcd"]
    Path(tasks[1]).write_text("not the first time")
    Path(tasks[2]).write_text("not the first time")
    Path(tasks[3]).write_text("not the first time")
    story = list(events(killed_by_others, tasks, workers=2))
    assert Lost(tasks[0]) in story
    assert not [e for e in story if isinstance(e, Died)]
    for task in tasks:
        assert [e.result for e in story if isinstance(e, Gave) and e.task == task] == ["begun", "done"]
        assert story.count(Ended(task)) == 1


def test_a_worker_has_one_thread_and_knows_it_before_numpy_comes(monkeypatch):
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)
    code = "from test_running import *; print([e.result for e in events(threads, [1, 2], 2) if isinstance(e, Gave)])"
    path = os.pathsep.join([str(ROOT / "tests" / "noiseproof"), str(ROOT)])
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, env={**os.environ, "PYTHONPATH": path}
    )
    assert ran.stdout == "[('1', '1', False), ('1', '1', False)]\n", ran.stderr


def test_workers_go_home_when_nobody_is_left():
    """Whoever sent them is killed, and cannot tell them."""
    code = (
        "from multiprocessing import active_children; from test_running import *\n"
        "story = events(troubled, ['sleep', 'sleep too'], 2); next(story), next(story)\n"
        "print(*(child.pid for child in active_children()), flush=True); os.kill(os.getpid(), signal.SIGKILL)"
    )
    path = os.pathsep.join([str(ROOT / "tests" / "noiseproof"), str(ROOT)])
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, env={**os.environ, "PYTHONPATH": path}
    )
    left = [int(pid) for pid in ran.stdout.split()]
    assert len(left) == 2, ran.stderr
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and (left := [pid for pid in left if is_alive(pid)]):
        time.sleep(0.05)
    assert not left


def is_alive(pid):
    """Whether a process runs; one that nobody has buried yet does not."""
    stat = Path(f"/proc/{pid}/stat")
    if not Path("/proc/self/stat").exists():
        pytest.skip("there is no /proc to look into")
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] != "Z"


# ---------------------------------------------------------------- executors of others


def test_any_executor_will_do():
    with ThreadPoolExecutor(4) as executor:
        story = list(events(squares, [3, 0, 5], 2, executor))
    assert {n: [e.result for e in story if isinstance(e, Gave) and e.task == n] for n in (3, 0, 5)} == {
        3: [0, 1, 4],
        0: [],
        5: [0, 1, 4, 9, 16],
    }
    assert {e.task for e in story if isinstance(e, Ended)} == {3, 0, 5}


def test_in_a_process_there_is_one_task_at_a_time():
    """Its threads share mpmath's precision and SymPy's caches."""
    with ThreadPoolExecutor(4) as executor:
        story = list(events(sharing, range(8), 4, executor))
    assert [e.result for e in story if isinstance(e, Gave)] == [1] * 8


def test_no_more_is_asked_of_an_executor_than_it_has_workers():
    most = now = 0
    with ThreadPoolExecutor(8) as executor:
        for event in events(squares, range(20), lambda: 3, executor):
            now += isinstance(event, Started) - isinstance(event, Ended)
            most = max(most, now)
    assert most == 3


class Fragile(ThreadPoolExecutor):
    """Breaks when the third task comes; the second is never answered."""

    asked = 0

    def submit(self, work, /, *args, **options):
        self.asked += 1
        if self.asked < 2:
            return super().submit(work, *args, **options)
        if self.asked == 2:
            silent = Future()
            silent.cancel()
            threading.Timer(0.5, silent.set_running_or_notify_cancel).start()
            return silent
        raise BrokenExecutor("oh")


def test_an_executor_that_is_lost_takes_with_it_what_it_had_in_hand_and_no_more():
    story = list(events(squares, [1, 2, 3, 4], 2, Fragile()))
    assert Ended(1) in story
    assert [e for e in story if isinstance(e, Died)] == [Died(2, "the executor was lost before this was done")]
    assert not [e for e in story if e.task in (3, 4)]


@WORKERS
def test_stdout_belongs_to_the_report(workers, capfd):
    list(events(troubled, ["print", "fine"], workers))
    out, err = capfd.readouterr()
    assert out == ""
    assert "does not belong" in err


def test_who_stops_listening_leaves_nobody_behind():
    others = active_children()
    with closing(events(troubled, ["sleep", "sleep too"], workers=2)) as story:
        assert [next(story), next(story)] == [Started("sleep"), Started("sleep too")]
        hands = [child for child in active_children() if child not in others]
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
            if Ended("fine") in story and Started("sleep too") in story:
                signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        listen()
    assert Ended("sleep") not in story


def test_one_process_needs_no_other():
    before = set(sys.modules)
    assert results(squares, [2], workers=8) == {2: [0, 1]}
    assert not {"multiprocessing.spawn", "concurrent.futures.process"} & (set(sys.modules) - before)
