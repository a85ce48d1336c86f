"""The run file: what is in it is not done again, what does not belong is, and a full disk takes nothing away."""

import dataclasses
import errno
import json
import signal
from pathlib import Path

import pytest

from noiseproof import gathering, runfile
from noiseproof.faults import Unusable
from noiseproof.gathering import Task
from noiseproof.runfile import RunFile, head, readable, records, resumed
from noiseproof.running import Died, Ended, Gave
from noiseproof.verifying import PASS, Check

VARIANCE = "reversal.posterior-variance"
KINDS = ["symbolic", "quadrature", "property", "montecarlo"]
ONE, TWO = Task(VARIANCE, "quadrature", 0), Task(VARIANCE, "property", 0)


@pytest.fixture(autouse=True)
def same_code(monkeypatch):
    """Whoever edits a page while the tests run does not break them."""
    circumstances = {"code": "0" * 16, "versions": dict(runfile.installed()["versions"])}
    monkeypatch.setattr(runfile, "installed", lambda: circumstances)
    return circumstances


def written(path, *events):
    file = RunFile(path)
    for event in events:
        file.add(event)
    return file


def done(task, *names):
    return [*(Gave(task, Check(name, task.kind, PASS, "", 0.1)) for name in names), Ended(task)]


def lines(path):
    return [json.loads(line) for line in path.read_bytes().splitlines()]


# ---------------------------------------------------------------- what is written


def test_there_is_a_line_for_each_check_and_one_that_closes_the_task(tmp_path):
    path = tmp_path / "run.jsonl"
    written(path, *done(ONE, "a", "b"))
    first, second, last = lines(path)
    for line in (first, second, last):
        assert {name: line[name] for name in head(ONE)} == head(ONE)
    assert [first["name"], second["name"], last["ended"]] == ["a", "b", 2]
    assert {"name", "kind", "verdict", "resolution", "seconds", "detail"} <= set(first)


def test_the_head_of_a_line_says_what_a_verdict_depends_on():
    task = Task(VARIANCE, "symbolic", 7, ("variance=beta",))
    found = head(task)
    assert (found["claim"], found["kind"], found["with"], found["seed"]) == (
        VARIANCE,
        "symbolic",
        {"variance": "beta"},
        7,
    )
    assert {"python", "numpy", "scipy", "sympy", "torch"} <= set(found["versions"])


def test_the_code_is_that_of_the_judges(tmp_path, monkeypatch):
    for name in ("derivations", "numerics", "models", "noiseproof", "tests"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "page.py").write_text("1")
    monkeypatch.setattr(runfile, "__file__", str(tmp_path / "noiseproof" / "runfile.py"))
    code = runfile.code.__wrapped__
    before = code()
    for name, matters in [("derivations", True), ("numerics", True), ("models", True), ("tests", False)]:
        (tmp_path / name / "page.py").write_text("2")
        assert (code() != before) is matters, name
        before = code()
    (tmp_path / "numerics" / "page.py").rename(tmp_path / "numerics" / "leaf.py")
    assert code() != before
    monkeypatch.setattr(runfile, "__version__", "9")
    assert code() != before


def test_what_is_done_is_on_the_disk(tmp_path, monkeypatch):
    synced = []
    monkeypatch.setattr(runfile.os, "fsync", lambda handle: synced.append((tmp_path / "f").stat().st_size))
    written(tmp_path / "f", *done(ONE, "a"), *done(TWO, "b"))
    assert len(synced) == 2
    assert synced[-1] == (tmp_path / "f").stat().st_size


def test_a_file_that_exists_is_added_to(tmp_path):
    path = tmp_path / "f"
    written(path, *done(ONE, "a"))
    before = path.read_bytes()
    written(path, *done(TWO, "b"))
    assert path.read_bytes().startswith(before)
    assert set(resumed(path, [ONE, TWO])[0]) == {ONE, TWO}


@pytest.mark.parametrize("where", [".", "no/such/folder/f", "f/g"])
@pytest.mark.parametrize("option", ["--run", "--resume"])
def test_a_path_that_will_not_do_is_refused_before_anything_runs(verified, examined, tmp_path, where, option):
    (tmp_path / "f").touch()
    code, report, err = verified(option, tmp_path / where)
    assert (code, report, examined) == (4, None, [])
    assert str(tmp_path / where) in err
    assert "Traceback" not in err


def test_a_file_of_somebody_else_is_left_alone(verified, examined, tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("dear diary")
    for options in (["--run", path], ["--resume", path], ["--run", path, "--resume", tmp_path / "other"]):
        assert verified(*options)[:2] == (4, None)
        assert examined == []
    assert "is not a file that noiseproof wrote" in verified("--run", path)[2]
    assert path.read_text() == "dear diary"


# ---------------------------------------------------------------- a disk that fills up


class Disk:
    """A file on a disk with room for so many bytes."""

    def __init__(self, room):
        self.room, self.content = room, b""

    def write(self, data):
        taken = data[: self.room - len(self.content)]
        if not taken:
            raise OSError(errno.ENOSPC, "No space left on device")
        self.content += taken
        return len(taken)


@pytest.mark.parametrize("room", [0, 10, 700, 1500])
def test_a_full_disk_takes_nothing_away(tmp_path, capsys, room):
    events = [*done(ONE, "a", "b"), *done(TWO, "c")]
    whole = tmp_path / "whole"
    written(whole, *events)
    file, disk = RunFile(tmp_path / "f"), Disk(room)
    file.file, file.regular = disk, False  # type: ignore[assignment]
    assert list(file.kept(events)) == events
    assert disk.content == whole.read_bytes()[:room]
    err = capsys.readouterr().err
    assert err.count("No space left on device; the run goes on, and what follows is not in the file") == 1
    assert file.trouble
    (tmp_path / "f").write_bytes(disk.content)
    assert list(resumed(tmp_path / "f", [ONE, TWO])[0]) == ([ONE] if room == 1500 else [])


def test_a_full_disk_is_reported_and_so_is_everything_else(verified, examined):
    if not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full")
    code, report, err = verified("--run", "/dev/full")
    assert code == 1
    assert "cannot write /dev/full: No space left on device" in err
    assert report["planned"] == report["run"] == 8
    assert report["claims"][0]["verdict"] == "PASS"


# ---------------------------------------------------------------- what is read


def test_what_is_in_the_file_is_not_done_again(verified, examined, tmp_path):
    path = tmp_path / "f"
    code, whole, _ = verified("--run", path)
    assert (code, examined) == (0, KINDS)
    cut = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(cut[:7]))  # two tasks, and the first check of the third
    examined.clear()
    code, report, err = verified("--resume", path)
    assert (code, report, examined) == (0, whole, KINDS[2:])
    assert f"2 of 4 parts of the run are in {path}" in err
    examined.clear()
    assert verified("--resume", path)[:2] == (0, whole)
    assert examined == []


def test_one_line_begins_a_run_and_resumes_it(verified, examined, tmp_path):
    path = tmp_path / "f"
    whole = verified("--run", path, "--resume", path)[1]
    size = path.stat().st_size
    assert verified("--run", path, "--resume", path)[1] == whole
    assert (examined, path.stat().st_size) == (KINDS, size)


def test_a_misspelt_file_is_no_reason_to_begin_anew(verified, examined, tmp_path):
    code, _, err = verified("--resume", tmp_path / "misspelt")
    assert (code, examined) == (4, [])
    assert "misspelt: No such file" in err
    assert not list(tmp_path.iterdir())


def test_a_run_may_go_on_in_another_file(verified, examined, tmp_path):
    old, new = tmp_path / "old", tmp_path / "new"
    verified("--run", old, "--kind", "symbolic")
    before = old.read_bytes()
    code, whole, _ = verified("--resume", old, "--run", new)
    assert (code, examined, old.read_bytes()) == (0, ["symbolic", *KINDS[1:]], before)
    examined.clear()
    assert verified("--resume", new)[1] == whole
    assert examined == []


def test_a_torn_last_line_is_dropped_and_the_next_begins_a_line(verified, examined, tmp_path):
    path = tmp_path / "f"
    whole = verified("--run", path)[1]
    path.write_bytes(path.read_bytes()[:-30])
    examined.clear()
    code, report, err = verified("--resume", path)
    assert (code, report, examined) == (0, whole, ["montecarlo"])
    assert f"the last line of {path} is torn, and dropped" in err
    assert len(lines(path)) == 14  # 3 for each task, and twice the checks of the one that was torn
    assert "is torn" not in verified("--resume", path)[2]


@pytest.mark.parametrize("left", [1, 5, 100, -1])
def test_a_file_may_be_torn_anywhere(verified, examined, tmp_path, left):
    """In its first line, and just before the end of its last."""
    path = tmp_path / "f"
    whole = verified("--run", path)[1]
    path.write_bytes(path.read_bytes()[:left])
    examined.clear()
    assert verified("--run", path, "--resume", path)[:2] == (0, whole)
    assert examined == ([] if left == -1 else KINDS)
    assert all(readable(line) for line in path.read_bytes().splitlines())


def test_a_run_that_only_adds_mends_a_torn_line_too(verified, examined, tmp_path):
    path = tmp_path / "f"
    verified("--run", path, "--kind", "symbolic")
    path.write_bytes(path.read_bytes()[:-9])
    assert "is torn" in verified("--run", path, "--kind", "symbolic")[2]
    assert len(lines(path)) == 5


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"seed": 1}, "for another seed"),
        ({"code": "1" * 16}, "for other code"),
        ({"versions": {}}, "for other versions"),
        ({"code": "1" * 16, "seed": 1}, "for another seed and other code"),
    ],
)
def test_what_was_judged_in_other_circumstances_is_run_again(verified, examined, tmp_path, change, says):
    path = tmp_path / "f"
    whole = verified("--run", path)[1]
    kept, *old = lines(path)[:3], *lines(path)[3:]
    stale = [json.dumps({**line, **change}) for line in old]
    path.write_text("\n".join([*map(json.dumps, kept), *stale, ""]))
    examined.clear()
    code, report, err = verified("--resume", path)
    assert (code, report, examined) == (0, whole, KINDS[1:])
    assert f"run again, {says}: 6 checks of {path}" in err
    assert "run again" not in verified("--resume", path)[2]  # now it is there


def test_another_formula_is_another_run(verified, examined, tmp_path):
    path = tmp_path / "f"
    verified("--run", path)
    examined.clear()
    _, _, err = verified("--resume", path, "--with", "variance=beta")
    assert examined == KINDS
    assert "run again" not in err


def test_what_died_or_was_not_closed_is_done_again(tmp_path):
    path = tmp_path / "f"
    check = Gave(ONE, Check("a", "quadrature", PASS, "", 0.1))
    written(path, check, Died(ONE, "killed"), check)
    assert resumed(path, [ONE])[0] == {}
    written(path, check, Ended(ONE))
    assert [c.name for c in resumed(path, [ONE])[0][ONE]] == ["a"]


GOOD = {**Task(VARIANCE, "quadrature", 0).__dict__, "with": {}, "code": "", "versions": {}} | dataclasses.asdict(
    Check("a", "quadrature", PASS, "")
)


@pytest.mark.parametrize(
    "change",
    [
        {"verdict": "FINE"},
        {"seconds": "1"},
        {"seconds": float("nan")},
        {"resolution": float("inf")},
        {"detail": None},
        {"name": 3},
        {"with": "variance"},
        {"claim": None},
        {"ended": "2"},
    ],
)
def test_a_line_that_says_something_else_is_not_believed(change):
    assert readable(json.dumps(GOOD).encode())
    assert readable(json.dumps({**GOOD, **change}).encode()) is None


@pytest.mark.parametrize("line", [b"", b"[]", b"7", b"{}", b"\xff", b"[" * 100_000, b'{"claim": "a"}'])
def test_a_line_of_something_else_is_passed_over(tmp_path, line):
    path = tmp_path / "f"
    written(path, *done(ONE, "a"))
    path.write_bytes(line + b"\n" + path.read_bytes())
    found, news = records(path)
    assert len(found) == 2
    assert news == [f"1 line of {path} cannot be read, and dropped"]
    assert list(resumed(path, [ONE])[0]) == [ONE]


def test_a_run_file_is_a_file():
    with pytest.raises(Unusable, match="no regular file"):
        records(Path("/"))


# ---------------------------------------------------------------- runs that are interrupted, runs on many processes


def test_ctrl_c_and_then_resume(verified, examined, monkeypatch, tmp_path):
    path = tmp_path / "f"
    whole = verified("--run", tmp_path / "whole")[1]
    calm = gathering.examine

    def interrupted(claim, kind, seed, instead):
        for check in calm(claim, kind, seed, instead):
            yield check
            if kind == "property":
                signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(gathering, "examine", interrupted)
    code, report, _ = verified("--run", path)
    assert code == 2
    assert [task["kind"] for task in report["not_run"]] == ["property", "montecarlo"]
    assert len(lines(path)) == 7
    monkeypatch.setattr(gathering, "examine", calm)
    examined.clear()
    assert verified("--resume", path)[:2] == (0, whole)
    assert examined == ["property", "montecarlo"]


@pytest.mark.slow
def test_two_processes_write_what_one_writes(verified, tmp_path):
    kinds = ["--kind", "symbolic", "--kind", "quadrature"]
    verified("--run", tmp_path / "one", *kinds)
    verified("--run", tmp_path / "two", *kinds, "--workers", "2")

    def content(path):
        return sorted(json.dumps({**line, "seconds": 0}) for line in lines(path))

    assert content(tmp_path / "one") == content(tmp_path / "two")
