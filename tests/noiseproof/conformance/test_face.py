"""`noiseproof check` and what it prints: made-up properties of a sampler that does nothing."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from referencing import Registry, Resource

from noiseproof import check_command, checking, cli
from noiseproof.conformance import expected, reports, screen, subject, target
from noiseproof.conformance import properties as of_properties
from noiseproof.conformance.findings import ERROR, FAIL, INCONCLUSIVE, NOTE, PASS, SKIP, Finding, Outcome, Report
from noiseproof.conformance.properties import BOOLEAN, EXACT, ORDER, Property
from noiseproof.faults import UnknownProperty, Unloadable, Unreadable

ROOT = Path(__file__).resolve().parents[3]
SCHEMA = ROOT / "tests" / "schema"
COMMON = Resource.from_contents(json.loads((SCHEMA / "common.json").read_text()))
NASTY = "\x1b[31mred\x1b[0m \u202ereversed `tick` |pipe| <b>\x07"

SAMPLER = f"""
from noiseproof import Claims

class Nothing:
    library = "numpy"
    def __init__(self, name="nothing", hang=False, missing=False):
        if missing:
            raise ImportError("it needs a library")
        self.claims = Claims(name, "ode", "noise", notes=("a note",))
    def run(self, model, x, n, noise):
        for c in range(n):
            x = x + model(x, n - c, (1.0, float(n - c)))
        return x

class Nasty(Nothing):
    def __init__(self):
        self.claims = Claims({NASTY!r}, "ode", "noise", notes=({NASTY!r},))
    def run(self, model, x, n, noise):
        raise ValueError({NASTY!r})

nothing = Nothing()
def broken(*arguments): ...
"""


def finds(verdict, text="it is so", **more):
    return lambda subject: iter([Finding(verdict, text, **more)])


def runs(subject):
    yield Finding(PASS, "it runs", float(subject.table(7).n))


ORDERS = {"n": [24, 48], "error": [0.1, 0.05], "order": [1.0], "expected": 2.0, "data": "a smooth mixture"}
SMALL = {"n": 7, "step": 3, "coefficient of": "x"}
FAKES = {
    "P1": Property("P1", "runs", EXACT, runs),
    "P2": Property("P2", "holds", EXACT, finds(PASS, measured=1e-9, bound=5e-6), claims=("forward.marginal",)),
    "P3": Property("P3", "noted", BOOLEAN, finds(NOTE, "a documented choice")),
    "P4": Property("P4", "skipped", EXACT, finds(PASS), lambda subject: "it does not claim it"),
    "P5": Property(
        "P5",
        "fails",
        EXACT,
        finds(FAIL, "twice x", measured=1.0, bound=5e-6, at=SMALL, expected=1.0, got=2.0, diagnosis="update rule"),
        claims=("forward.marginal",),
    ),
    "P6": Property("P6", "unsure", ORDER, finds(INCONCLUSIVE, "order 2", measured=0.5, bound=0.25, at=ORDERS)),
    "P7": Property("P7", "raises", EXACT, lambda subject: iter([1 / 0])),
}


@pytest.fixture
def fakes(monkeypatch):
    """Which properties there are, by ids."""

    def these(*ids):
        chosen = tuple(FAKES[id] for id in ids)
        for module in (of_properties, checking, reports):
            monkeypatch.setattr(module, "properties", lambda: chosen)

    these(*FAKES)
    return these


@pytest.fixture
def file(tmp_path, monkeypatch):
    """A file of samplers, in the folder where the command runs."""
    (tmp_path / "sampler.py").write_text(SAMPLER)
    monkeypatch.chdir(tmp_path)
    return tmp_path / "sampler.py"


@pytest.fixture
def run(fakes, file, capfd):
    """`noiseproof check` in this process: its exit code, stdout and stderr."""

    def command(*arguments, one="sampler.py:Nothing"):
        words = ["check", *([one] if one else []), "--workers", "1", *map(str, arguments)]
        code = cli.status(lambda: cli.cli.main(words, prog_name="noiseproof", standalone_mode=False))
        return code, *capfd.readouterr()

    return command


def valid(out):
    data = json.loads(out)
    schema = json.loads((SCHEMA / "check.json").read_text())
    registry = Registry().with_resource("common.json", COMMON)
    jsonschema.Draft202012Validator(schema, registry=registry).validate(data)
    return data


# ---------------------------------------------------------------- exit codes and counts


@pytest.mark.parametrize(
    ("ids", "more", "code"),
    [
        (["P1", "P2"], [], 0),
        (["P2", "P3", "P4"], [], 0),
        (["P2", "P4"], ["--strict"], 1),
        (["P2", "P5"], [], 1),
        (["P2", "P6"], [], 1),
        (["P2", "P7"], [], 1),
        (["P2", "P5"], ["--property", "P2"], 0),
        (["P2", "P5"], ["--property", "fails"], 1),
    ],
)
def test_the_exit_code_says_whether_all_that_is_claimed_holds(run, fakes, ids, more, code):
    fakes(*ids)
    assert run(*more)[0] == code


@pytest.mark.parametrize(
    ("arguments", "one", "message"),
    [
        ([], "sampler.py:nobody", "has no nobody; it has"),
        ([], "sampler.py", "expected module:name"),
        ([], "sampler.py:broken", "expected an adapter"),
        ([], "no_such_module:x", "No module named"),
        ([], "", "Missing argument"),
        (["-o", "size=3"], "sampler.py:Nothing", "unexpected keyword argument 'size'"),
        (["-o", "eta"], "sampler.py:Nothing", "expected name=value"),
        (["--steps", "7,x"], "sampler.py:Nothing", "expected numbers of steps"),
        (["--steps", "0"], "sampler.py:Nothing", "no number of steps"),
        (["--property", "P99"], "sampler.py:Nothing", "there is no property 'P99'"),
        (["--property", "hold"], "sampler.py:Nothing", "did you mean holds?"),
        (["--json", "--markdown"], "sampler.py:Nothing", "ask for one of them"),
    ],
)
def test_what_cannot_be_loaded_or_read_is_4_and_says_why(run, arguments, one, message):
    code, out, err = run(*arguments, one=one)
    assert code == 4
    assert message in " ".join((out + err).split())


def test_an_interrupted_run_says_what_was_not_run(run, fakes, monkeypatch):
    def interrupts(subject):
        raise KeyboardInterrupt

    chosen = (FAKES["P2"], Property("P8", "never-ends", EXACT, interrupts), FAKES["P3"])
    fakes()
    for module in (of_properties, checking, reports):
        monkeypatch.setattr(module, "properties", lambda: chosen)
    code, out, _ = run("--json")
    data = valid(out)
    assert code == 2
    assert (data["planned"], data["run"], data["skipped"]) == (3, 1, 0)
    assert data["targets"][0]["not_run"] == 2


def test_options_are_numbers_lists_and_words():
    texts = ["eta=1", "eta=.5", "off=False", "it=none", "kind=karras", "betas=[0.1, 0.2]", "name='x=y'"]
    found = [check_command.option(text)[1] for text in texts]
    assert found == [1, 0.5, False, None, "karras", [0.1, 0.2], "'x=y'"]


def test_the_help_says_the_defaults_that_there_are():
    assert ",".join(map(str, subject.STEPS)) == check_command.STEPS
    assert check_command.SECONDS == target.SECONDS


# ---------------------------------------------------------------- JSON and Markdown


def test_json_has_the_one_shape(run):
    code, out, _ = run("--json", "-o", "name=other")
    data = valid(out)
    (found,) = data["targets"]
    assert code == 1
    assert (data["planned"], data["run"], data["skipped"]) == (7, 6, 1)
    assert (found["target"], found["options"], found["name"]) == ("sampler.py:Nothing", {"name": "other"}, "other")
    assert found["notes"] == ["a note"]
    verdicts = {p["id"]: p["verdict"] for p in found["properties"]}
    assert list(verdicts.values()) == [PASS, PASS, NOTE, SKIP, FAIL, INCONCLUSIVE, ERROR]
    assert found["properties"][4]["findings"][0]["at"] == SMALL
    assert "error of our own" in found["properties"][6]["findings"][0]["text"]


def test_what_is_no_number_is_null_in_json():
    nan = Finding(FAIL, "x", float("nan"), float("inf"), at={"error": [float("inf"), 1.0]})
    report = Report("a:b", {"most": float("inf")}, "b", (Outcome("P1", "a", EXACT, (), (nan,), 0.0),), planned=1)
    found = valid(reports.document([report]))["targets"][0]["properties"][0]["findings"][0]
    assert (found["measured"], found["bound"], found["at"]) == (None, None, {"error": [None, 1.0]})


def test_a_library_alone_is_all_that_it_has(run, fakes, monkeypatch, file):
    fakes("P2", "P5")
    listed = [("Nothing", {}), ("Nothing", {"name": "other"}), ("Nothing", {"missing": True})]
    monkeypatch.setitem(checking.LIBRARIES, "sampler.py", "")
    monkeypatch.setattr(checking, "listed", lambda library, seconds: listed)
    code, out, err = run("--json", one="sampler.py:")
    data = valid(out)
    assert code == 1
    assert [t["verdict"] for t in data["targets"]] == [FAIL, FAIL, SKIP]
    assert (data["planned"], data["run"]) == (4, 4)
    assert "sampler.py:Nothing[missing=True]: it raised ImportError: it needs a library" in err
    code, out, _ = run("--markdown", one="sampler.py:")
    assert "| `sampler.py:Nothing[name=other]` | ✓ | **FAIL** |" in out
    assert "2 properties" not in out
    assert "4 properties planned: 4 run, 0 skipped" in out
    code, out, _ = run(one="sampler.py:")
    assert "0 of 2 samplers hold   1 not looked at   4 properties planned: 4 run, 0 skipped" in out
    assert run("--property", "P2", one="sampler.py:")[0] == 0
    assert run("--property", "P2", "--strict", one="sampler.py:")[0] == 1
    monkeypatch.setattr(checking, "listed", lambda library, seconds: [])
    assert run(one="sampler.py:")[0] == 5


def test_our_own_samplers_are_listed_by_a_process_of_their_own():
    found = target.listed("noiseproof")
    assert ("dpmpp-2m", {}) in found


# ---------------------------------------------------------------- known failures


@pytest.mark.parametrize(
    ("lines", "code", "message"),
    [
        ("sampler.py:Nothing  P5  it doubles x", 0, ""),
        ("# why\n\nsampler.py:*  fails  it doubles x", 0, ""),
        (
            "sampler.py:Nothing  P2  it was wrong once\nsampler.py:Nothing  P5  yes",
            1,
            "line 1: sampler.py:Nothing P2: it",
        ),
        ("sampler.py:Other  P5  yes", 1, "no target that was asked is called that"),
        ("sampler.py:Nothing[eta=1]  P5  yes", 1, "no target that was asked is called that"),
        ("sampler.py:Nothing  P5", 4, "has no reason"),
        ("sampler.py:Nothing  P55  yes", 4, "there is no property P55"),
        ("sampler.py:Nothing", 4, "expected target[options] P9 reason"),
    ],
)
def test_a_known_failure_has_a_reason_and_goes_stale(run, fakes, tmp_path, lines, code, message):
    fakes("P2", "P5")
    (tmp_path / "known.txt").write_text(lines)
    found, out, err = run("--xfail", tmp_path / "known.txt")
    assert found == code
    assert message in " ".join((out + err).split())


def test_options_in_a_known_failure_are_matched_with_any_spaces():
    report = Report("a:b", {"betas": [0.1, 0.2], "eta": 1}, "b", ())
    (line,) = expected.lines("a:b[betas=[0.1,0.2], eta=1]  P5  so it is", "file", list(FAKES.values()))
    assert line.fits(report)
    assert not line.fits(Report("a:b", {}, "b", ()))
    with pytest.raises(Unreadable, match="has no reason"):
        list(expected.lines("a:b P5", "file", list(FAKES.values())))


# ---------------------------------------------------------------- the screen


@pytest.mark.parametrize("width", [80, 100])
def test_a_screen_fits(run, monkeypatch, width):
    monkeypatch.setattr(screen.tables, "plain_width", width)
    code, out, _ = run()
    rows = out.split("\n")
    assert code == 1
    assert rows[0].startswith("ERROR  sampler.py:Nothing")
    assert "7 properties planned: 6 run, 1 skipped" in rows[0]
    ids = [found.group() for row in rows if (found := re.match(r"P\d+(?=  )", row))]
    assert ids[:7] == ["P7", "P5", "P6", "P3", "P1", "P2", "P4"]
    drawn = rows[2 : rows.index("")]
    assert max(map(len, drawn)) <= width
    assert "  expected 1, got 2; off by 1.0e+00, and 5.0e-06 can be explained" in rows
    assert "  n = 7, step 3, coefficient of x" in rows
    assert "  proved: noiseproof explain forward.marginal" in rows
    assert any("order 2 expected" in row for row in rows)
    assert any(row.split()[:3] == ["48", "5.0e-02", "1.00"] for row in rows)


def test_hostile_text_is_escaped_wherever_it_is_printed(run, fakes):
    fakes("P1", "P2")
    for more in ([], ["--json"], ["--markdown"]):
        code, out, err = run(*more, one="sampler.py:Nasty")
        assert code == 1
        shown = out if more != ["--json"] else json.dumps(json.loads(out), ensure_ascii=False)
        for sign in ("\x1b", "\u202e", "\x07"):
            assert sign not in shown
            assert sign not in err
        assert "x1b[31mred" in shown.replace("\\\\", "").replace("\\", "")
    assert "|pipe|" not in out  # a cell of the table ends there


# ---------------------------------------------------------------- from Python


def test_check_returns_what_is_found(file, fakes):
    report = checking.check("sampler.py:Nothing", {"name": "mine"}, properties=["P2", "fails"])
    assert [(o.id, o.verdict) for o in report.outcomes] == [("P2", PASS), ("P5", FAIL)]
    assert (report.verdict, report.planned, report.run, report.label) == (FAIL, 2, 2, "sampler.py:Nothing[name=mine]")
    with pytest.raises(Unloadable, match="nobody"):
        checking.check("sampler.py:nobody")
    with pytest.raises(UnknownProperty, match="P99"):
        checking.check("sampler.py:Nothing", properties=["P99"])
    with pytest.raises(Unloadable, match="give it a name at the top level"):
        checking.check(lambda x: x)
    with pytest.raises(TypeError, match="JSON"):
        checking.check("sampler.py:Nothing", {"name": object()})


def test_an_object_of_a_module_is_found_again(file):
    code = "import noiseproof, sampler\nif __name__ == '__main__':\n"
    code += (
        "    print([noiseproof.check(t, properties=['affine']).verdict for t in (sampler.Nothing, sampler.nothing)])"
    )
    ran = subprocess.run([sys.executable, "-c", code], cwd=file.parent, capture_output=True, text=True, timeout=60)
    assert ran.stdout == "['PASS', 'PASS']\n", ran.stderr


@pytest.mark.slow
def test_a_run_that_we_break_off_leaves_no_question_open(file):
    def nobody_knows(call):
        raise LookupError("what the network would say")

    with target.Target("noiseproof:ddim") as ours:
        start = ours.start(7)
        with pytest.raises(LookupError, match="what the network would say"):
            ours.run(np.zeros((1, 1)), 7, nobody_knows)
        assert ours.start(7) == start
        ours.become("sampler.py:Nothing", {"name": "another"})
        assert ours.claims.name == "another"
