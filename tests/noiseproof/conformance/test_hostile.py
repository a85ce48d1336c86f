"""A target may do what it wants: it is said of the target, in time, and the next property is looked at."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from noiseproof.conformance import reports, target
from noiseproof.conformance.examining import examined
from noiseproof.conformance.findings import ERROR, FAIL, NOTE, PASS, SKIP, Finding
from noiseproof.conformance.properties import BOOLEAN, Property, properties
from noiseproof.conformance.target import Died, Hung, Raised, Target, Unfit

from . import hostile

FILE = Path(hostile.__file__).resolve()
SECONDS = 2.0  # for a property
SOON = 0.6  # for one that will not be answered
PATIENCE = 3.0  # seconds in which a process starts, or ends
IN_ALL = pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no copies of a process")


def starts(subject):
    """Whether it answers at all."""
    yield Finding(PASS, f"it starts at {subject.start(7)}")


TABLE = next(p for p in properties() if p.id == "P0")
AFTERWARDS = Property("P99", "starts", BOOLEAN, starts)


def judged(does, name="Hostile", wanted=(TABLE, AFTERWARDS), seconds=SECONDS, **options):
    """What is found, and in what time."""
    began = time.monotonic()
    given = ({"does": does} if does else {}) | options
    found = examined(f"{FILE}:{name}", given, (7,), seconds, wanted)
    return {outcome.id: outcome for outcome in found.outcomes}, time.monotonic() - began


# ---------------------------------------------------------------- in a run

RUN = "run(n=7)"
ONCE = "run(n=7), after call 0 of the network"
AFTER_ALL = "run(n=7), after call 6 of the network"
CALL = "call 0 of the network in run(n=7)"
DRAW = "draw 0 of run(n=7)"
WRONG = {
    "hangs": ("it did not answer within 0.6 s", ONCE),
    "spins": ("it did not answer within 0.6 s", ONCE),
    "asks for ever": ("it did not answer within 0.6 s", "of the network"),
    "asks and does not listen": ("it did not answer within 0.6 s", "of the network"),
    "catches everything": ("what it hands to the network has shape (1, 1, 1); expected (1, 1, 1, 1)", CALL),
    "is late": ("it did not answer within 0.6 s", ONCE),
    "raises": (r"it raised ValueError: \x1b[31mred\x1b[0m \x202ereversed `tick` |pipe| <b>\x07\x0d", ONCE),
    "raises at length": ("it raised ValueError: xxx", ONCE),
    "raises without words": ("it raised Unspeakable: (what it says raises, too)", ONCE),
    "raises to the top": ("it raised Wild: up", ONCE),
    "exits": ("it raised SystemExit: enough", ONCE),
    "interrupts": ("it raised KeyboardInterrupt", ONCE),
    "recurses": ("it raised RecursionError", ONCE),
    "takes all memory": ("it raised", "MemoryError"),
    "leaves": ("its process ended with status 3", ONCE),
    "crashes": ("its process was killed by signal 11 (SIGSEGV)", ONCE),
    "aborts": ("its process was killed by signal 6 (SIGABRT)", ONCE),
    "is killed": ("its process was killed by signal 9 (SIGKILL); out of memory?", ONCE),
    "closes all": ("its process ended with status", ONCE),
    "gives None": ("it gave NoneType; expected an array", AFTER_ALL),
    "gives a list": ("it gave list; expected an array", AFTER_ALL),
    "gives one number": ("what it returns has shape (); expected (1, 1, 1, 1)", RUN),
    "gives a number": ("it gave float; expected an array", AFTER_ALL),
    "gives another shape": ("what it returns has shape (1, 1, 1); expected (1, 1, 1, 1)", RUN),
    "gives another batch": ("what it returns has shape (2, 1, 1, 1); expected (1, 1, 1, 1)", RUN),
    "gives whole numbers": ("what it returns is of int64; expected floating point", RUN),
    "gives short whole numbers": ("it gave an array of int8; expected one of float64", AFTER_ALL),
    "gives complex numbers": ("it gave an array of complex128; expected one of float64", AFTER_ALL),
    "gives objects": ("it gave an array of object; expected one of float64", AFTER_ALL),
    "gives text": ("it gave an array of <U", AFTER_ALL),
    "gives too much": ("it gave an array of shape (100000, 100000); expected at most", AFTER_ALL),
    "gives NaN": ("what it returns is not finite: 1 of 1 numbers", RUN),
    "hands over NaN": ("what it hands to the network is not finite: 1 of 1 numbers", CALL),
    "hands over a part": ("what it hands to the network has shape (1, 1, 1); expected (1, 1, 1, 1)", CALL),
    "hands over a list": ("it gave list; expected an array", RUN),
    "tells NaN": ("what it sent is no answer: [nan] where finite numbers were expected", CALL),
    "tells two times": ("it raised ValueError: the network is told 2 numbers at once", RUN),
    "tells words": ("it raised ValueError: could not convert string to float", RUN),
    "is at three numbers": ("what it sent is no answer: too many values to unpack", CALL),
    "draws too much": ("it draws noise of shape (1000000, 1000000); expected one for each particle", DRAW),
    "draws for one": ("it draws noise of shape (); expected one for each particle", DRAW),
    "draws below zero": ("it draws noise of shape (1, -1); expected one for each particle", DRAW),
    "asks for what there is not": ("what it sent is no answer", CALL),
    "asks without saying what": ("what it sent is no answer: 'shape'", DRAW),
    "answers nothing": ("it sent {'done': None}, which nobody asked for", RUN),
    "answers without arrays": ("what it sent is no answer", RUN),
    "speaks another language": ("what it sent is no message", RUN),
    "speaks deeply": ("what it sent is no message", RUN),
    "speaks at length": ("what it sent is no message: a message of 2147483647 bytes", RUN),
    "announces too much": ("what it sent is no message: an array of shape (1000000000000,)", RUN),
    "announces objects": ("what it sent is no message: an array of object", RUN),
    "changes": ("it asks the network 9 times and draws 0 times, after 8 and 0 in the run before", RUN),
}


@pytest.mark.parametrize("does", WRONG)
def test_whatever_it_does_is_said_of_it_and_the_next_property_is_looked_at(does):
    says, where = WRONG[does]
    found, seconds = judged(does, seconds=SOON if "did not answer" in says else SECONDS)
    (finding,) = found["P0"].findings
    assert finding.verdict == ERROR
    assert says in finding.text, finding.text
    assert where in finding.at["call"] + finding.text, finding.at["call"]
    assert len(finding.text) < 1000
    assert all(character.isprintable() for character in finding.text + finding.at["call"])
    assert found["P99"].verdict == PASS, found["P99"].telling
    assert seconds < SECONDS + 2 * PATIENCE


@pytest.mark.parametrize(
    ("does", "id", "verdict"),
    [
        ("prints", "P0", PASS),
        ("reads", "P0", PASS),
        ("starts threads", "P0", PASS),
        ("gives a subclass", "P0", PASS),
        ("overwrites", "P0", PASS),
        ("overwrites", "P26", FAIL),
        ("gives NaN", "P23", FAIL),
        ("raises", "P23", FAIL),
        ("gives complex numbers", "P23", FAIL),
        ("hangs", "P23", ERROR),
        ("leaves", "P23", ERROR),
    ],
)
def test_what_is_a_property_of_its_own_fails_and_what_is_a_nuisance_does_not_matter(does, id, verdict):
    wanted = [next(p for p in properties() if p.id == id), AFTERWARDS]
    found, seconds = judged(does, wanted=wanted, seconds=SOON if does == "hangs" else SECONDS)
    assert (found[id].verdict, found["P99"].verdict) == (verdict, PASS), found[id].telling
    assert seconds < SECONDS + 3 * PATIENCE
    assert not Path("hacked").exists()


def test_all_properties_of_what_hangs_end_in_time():
    """It is not asked again for the same table, and no property takes longer than it has."""
    found, _ = judged("hangs", wanted=properties(), seconds=SOON)
    assert {o.verdict for o in found.values()} <= {ERROR, SKIP, NOTE}
    assert all(o.seconds < SOON + PATIENCE for o in found.values()), [(o.id, o.seconds) for o in found.values()]
    assert sum(o.verdict == ERROR for o in found.values()) >= 5


def patient(subject):
    """Each call is quick enough, all of them are not; and what goes wrong is passed over."""
    for n in range(1, 100):
        with contextlib.suppress(Hung):
            subject.target.run(np.zeros((1, 1)), n, lambda call: time.sleep(0.05) or call.x)
    yield Finding(PASS, "it is patient")


def test_the_time_is_that_of_a_property_however_many_calls_it_makes():
    """Even of one that goes on after a call that took too long."""
    patience = Property("P98", "patience", BOOLEAN, patient)
    found, seconds = judged("nothing wrong", wanted=[patience, AFTERWARDS], seconds=SOON)
    assert found["P98"].seconds < SOON + 1
    assert found["P99"].verdict == PASS
    assert seconds < SOON + 2 * PATIENCE


# ---------------------------------------------------------------- when it is loaded


@pytest.mark.parametrize(
    ("does", "kind", "says"),
    [
        ("hangs", Hung, "it did not answer within"),
        ("raises", Raised, "it raised ValueError"),
        ("exits", Raised, "it raised SystemExit: enough"),
        ("leaves", Died, "its process ended with status 3"),
        ("crashes", Died, "SIGSEGV"),
    ],
)
def test_what_goes_wrong_when_it_is_loaded_is_said_of_it(does, kind, says):
    began = time.monotonic()
    with pytest.raises(kind) as why:
        examined(f"{FILE}:Hostile", {"at_once": does}, (7,), SOON, [TABLE])
    assert says in why.value.what
    assert why.value.call == f"loading {FILE}:Hostile"
    assert time.monotonic() - began < target.LOADING * SOON + PATIENCE


@pytest.mark.parametrize(
    ("name", "kind", "says"),
    [
        ("Verbose", Raised, "a message of"),
        ("Unclaimed", Raised, "its claims are dict; expected noiseproof.Claims"),
        ("Elsewhere", Raised, "its library is 'jax'; expected one of"),
    ],
)
def test_what_says_of_itself_what_cannot_be_is_told_so(name, kind, says):
    with pytest.raises(kind) as why:
        Target(f"{FILE}:{name}")
    assert says in why.value.what


@pytest.mark.parametrize(
    ("of", "says"),
    [
        ("start", "too many values to unpack"),
        ("three", "has shape (2, 3); expected (2, 2)"),
        ("one", "has shape (2, 1); expected (2, 2)"),
        ("none", "it raised TypeError"),
        ("NaN", "is not finite"),
        ("told", "has shape (0,); expected (1,)"),
    ],
)
def test_levels_that_are_none_are_not_believed(of, says):
    with Target(f"{FILE}:Levels", {"of": of}) as levels:
        calls = {"start": lambda: levels.start(7), "told": levels.told}
        with pytest.raises((Unfit, Raised)) as why:
            calls.get(of, lambda: levels.trained([1.0, 2.0]))()
    assert says in why.value.what


@pytest.mark.slow
@pytest.mark.parametrize(
    "options",
    [
        *(pytest.param({"at": at}, marks=[] if at == "vast" else pytest.mark.slow) for at in hostile.ODD),
        *(pytest.param({"at": at, "draws": True}, marks=pytest.mark.slow) for at in ("nothing", "rising")),
        {"at": "without signal", "draws": True},
        {"asks": False},
        {"least": 100},
        {"most": 2},
        {"method": "ddim(eta=", "schedule": {"sigmas": "karras", "start": "x"}},
        {"order": 50},
    ],
    ids=str,
)
def test_whatever_it_says_of_its_levels_and_claims_it_is_never_we_who_are_wrong(options, recwarn):
    found = examined(f"{FILE}:Odd", options, (7,))
    assert found.run + found.skipped == found.planned
    assert not [f.text for o in found.outcomes for f in o.findings if "error of our own" in f.text]
    assert not list(recwarn)


def test_hostile_names_are_harmless():
    found = examined(f"{FILE}:Named", {}, (7,), SECONDS, [TABLE])
    printed = [reports.document([found]), reports.markdown([found])]
    for text in [found.name, *found.notes, *printed]:
        assert all(character.isprintable() or character == "\n" for character in text)
        assert "\u202e" not in json.dumps(text, ensure_ascii=False)
    assert all(len(text) < 1000 for text in (found.name, *found.notes))


def test_modules_called_like_ours_stay_where_they_are(tmp_path):
    """A folder may hold a wire.py, a findings.py, even a noiseproof.py and a json.py: we have ours already."""
    for name in ("noiseproof", "numerics", "json", "wire", "findings", "numpy"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('the wrong one')")
    (tmp_path / "mine.py").write_text(FILE.read_text() + "\nimport json, noiseproof.conformance.wire")
    found = examined(f"{tmp_path / 'mine.py'}:Hostile", {}, (7,), SECONDS, [TABLE])
    assert found.verdict == PASS, found.outcomes


# ---------------------------------------------------------------- nothing is left behind


def gone(pid):
    """Whether a process ends soon."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        if Path(f"/proc/{pid}/stat").is_file() and Path(f"/proc/{pid}/stat").read_text().split()[2] == "Z":
            return True  # ended, and nobody has asked how
        time.sleep(0.05)
    return False


@IN_ALL
@pytest.mark.parametrize("does", ["leaves a copy behind", "leaves a program behind"])
def test_what_it_leaves_behind_ends_with_it(does, tmp_path, monkeypatch):
    monkeypatch.setenv(hostile.BEAT, str(tmp_path / "pids"))
    found, seconds = judged(does)
    assert found["P0"].verdict == ERROR
    assert found["P99"].verdict == PASS
    pids = [int(line) for line in (tmp_path / "pids").read_text().split()]
    assert pids
    assert all(map(gone, pids))
    assert seconds < SECONDS + 2 * PATIENCE


@IN_ALL
def test_a_copy_of_it_has_no_say():
    found, _ = judged("doubles")
    assert (found["P0"].verdict, found["P99"].verdict) == (PASS, PASS), found["P0"].telling


SOME = [("spins", 1, signal.SIGKILL)]
SIGNS = [
    pytest.param(does, workers, sign, marks=[] if (does, workers, sign) in SOME else pytest.mark.slow)
    for does in ("hangs", "spins")  # within Python, and where no other thread has a turn
    for workers in (1, 2)
    for sign in (signal.SIGINT, signal.SIGKILL)
]


@IN_ALL
@pytest.mark.parametrize(("does", "workers", "sign"), SIGNS)
def test_nothing_runs_on_when_we_are_interrupted(does, workers, sign, tmp_path):
    pids = tmp_path / "pids"
    pids.touch()
    files = [tmp_path / f"sampler_{k}.py" for k in range(workers)]
    for file in files:
        file.write_text(FILE.read_text())
    command = [sys.executable, "-m", "noiseproof", "check", *(f"{file}:Hostile" for file in files)]
    command += ["--workers", str(workers), "--timeout", "2", "-o", f"does={does}, and says who"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "start_new_session": True}
    with subprocess.Popen(command, env=os.environ | {hostile.BEAT: str(pids)}, **quiet) as ran:
        until = time.monotonic() + 30
        while len(pids.read_text().split()) < workers and time.monotonic() < until:
            time.sleep(0.05)
        os.killpg(ran.pid, sign)
        ran.wait(timeout=20)
    found = [int(line) for line in pids.read_text().split()]
    assert len(found) == workers
    assert all(map(gone, found))
