"""The command line as others see it: exit codes, stdout and stderr, JSON that keeps to its schema."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
from referencing import Registry, Resource

import noiseproof
from noiseproof import cli, verifying

ROOT = Path(__file__).resolve().parents[2]
SCHEMAS = {
    path.stem: json.loads(path.read_text(encoding="utf-8")) for path in (ROOT / "tests" / "schema").glob("*.json")
}
REGISTRY = Registry().with_resources((s["$id"], Resource.from_contents(s)) for s in SCHEMAS.values())
VARIANCE = "reversal.posterior-variance"


@pytest.fixture
def run(capfd):
    """Run a command in this process: its exit code, stdout and stderr."""

    def command(*arguments):
        code = cli.status(lambda: cli.cli.main(list(arguments), prog_name="noiseproof", standalone_mode=False))
        return code, *capfd.readouterr()

    return command


def python(*arguments, **options):
    """Run Python on this tree in a process of its own."""
    return subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=120, **options
    )


def valid(name, out):
    data = json.loads(out)
    jsonschema.Draft202012Validator(SCHEMAS[name], registry=REGISTRY).validate(data)
    return data


# ---------------------------------------------------------------- what is said


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_schemas_are_schemas(name):
    jsonschema.Draft202012Validator.check_schema(SCHEMAS[name])


def test_list_as_json(run):
    code, out, err = run("list", "--json")
    data = valid("list", out)
    assert (code, err) == (0, "")
    assert [c["id"] for c in data["claims"]] == list(noiseproof.claims())
    assert data["noiseproof"] == noiseproof.__version__


def test_verify_as_json(run):
    code, out, err = run("verify", VARIANCE, "--json", "--workers", "1", "--seed", "3")
    data = valid("verify", out)
    assert code == 0
    assert data["seed"] == 3
    checks = data["claims"][0]["checks"]
    assert {c["kind"] for c in checks} == {"symbolic", "quadrature", "montecarlo", "property"}
    assert data["planned"] == data["run"] == len(checks)
    assert data["skipped"] == 0
    assert all(isinstance(c["resolution"], float) for c in checks if c["kind"] == "montecarlo")
    assert re.fullmatch(rf"PASS +{VARIANCE}  [\d.]+ s\n", err)


def test_a_failure_as_json(run):
    code, out, _ = run(
        "verify", VARIANCE, "--json", "--workers", "1", "--with", "variance=beta", "--kind", "montecarlo"
    )
    data = valid("verify", out)
    assert code == 1
    assert data["claims"][0]["verdict"] == "FAIL"


def test_mutate_as_json(run):
    code, out, _ = run("mutate", "reversal.algebraic-identity", "--json", "--workers", "1")
    data = valid("mutate", out)
    assert code == 0
    for group in (data["claims"][0]["named"], data["claims"][0]["automatic"]):
        assert 0 < group["killed"] + len(group["equivalent"]) == group["tried"]


def test_value_as_json(run):
    code, out, _ = run("value", VARIANCE, "alpha=0.9", "alpha_bar_prev=1/3", "--json")
    data = valid("value", out)
    assert code == 0
    assert data["claims"][0]["at"] == {"alpha": "9/10", "alpha_bar_prev": "1/3"}
    assert data["claims"][0]["values"]["variance"] == "0.0952380952380952"
    assert "x_0" in data["claims"][0]["why"]["mean"]


def test_value_prints_what_has_a_value_and_why_the_rest_has_none(run):
    code, out, err = run("value", VARIANCE, "alpha=0.9", "alpha_bar_prev=1/3")
    assert code == 0
    assert "variance = 0.0952380952380952\n" in out
    assert "mean has no value: it needs x_0" in err
    assert run("value", "reversal.step-tweedie", "alpha=0.5")[0] == 4


def test_a_failure_shows_the_claim_the_line_the_bound_and_the_line_that_repeats_it(run):
    code, out, _ = run("verify", VARIANCE, "--workers", "1", "--with", "variance=beta")
    assert code == 1
    assert "derivations/reversal/posterior.py:" in out
    assert "yield eq(normal(x_prev, mean, variance), by=algebra)" in out
    assert "and should be" in out
    again = f"noiseproof verify {VARIANCE} --kind quadrature --seed 0 --with variance=beta"
    assert f"again: {again}" in out
    assert run(*again.split()[1:])[0] == 1


def test_explain_prints_the_proof_what_it_trusts_and_where_mistakes_break(run):
    code, out, _ = run("explain", "reversal.step-tweedie")
    assert code == 0
    for part in (
        "Statement",
        "Assumes",
        "Source",
        "On trust",
        "Mistakes",
        "half-beta",
        "is false, in step_mean",
        "Checks",
    ):
        assert part in out
    assert "By definition (Bayes' rule)" in out
    code, out, _ = run("explain", "reversal.step-tweedie", "--latex")
    assert code == 0
    assert out.count(r"\begin{align*}") == 2


def test_explain_says_so_when_a_derivation_does_not_stand(run, monkeypatch):
    from derivations.calculus import Unproved
    from noiseproof import explaining

    def refuse(derivation):
        raise Unproved("step 1 is not proved by 'algebra'")

    monkeypatch.setattr(explaining, "check", refuse)
    code, out, _ = run("explain", "reversal.step-tweedie")
    assert code == 1
    assert "step_mean does not stand\nstep 1 is not proved by 'algebra'" in out


def test_mutate_shows_which_kind_kills_which_mistake(run):
    code, out, _ = run("mutate", "reversal.bayes-kernel", "--kind", "symbolic", "--workers", "1")
    assert code == 0
    assert "drop-prior" in out
    assert "0 alive" in out


@pytest.mark.parametrize("width", [80, 100])
@pytest.mark.parametrize("command", ["list", "verify"])
def test_tables_fit(run, monkeypatch, width, command):
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setattr("noiseproof.tables.plain_width", width)
    widest = "reversal.rearrangement-with-conditional-noise"
    which = ["reversal.*"] if command == "list" else [widest, "reversal.discrete-toy", "--workers", "1"]
    code, out, _ = run(command, *which)
    assert code == 0
    assert max(map(len, out.splitlines())) <= width


# ---------------------------------------------------------------- exit codes


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["verify", "reversal.posterior-varianc"], 4, "did you mean reversal.posterior-variance"),
        (["explain", "nonsense"], 4, "no claim is called nonsense"),
        (["explain", "sampler.*"], 4, "one id is needed here"),
        (["list", "nothing"], 4, "`noiseproof list` shows all of them"),
        (["value", VARIANCE, "alpha=2"], 4, "strictly between 0 and 1"),
        (["verify", "nowhere.*"], 5, "no claim matches nowhere.*"),
        (["list", "nowhere.*"], 5, "no claim matches nowhere.*"),
        (["verify", "reversal.bayes-kernel", "--kind", "sampler"], 5, "has a check of kind sampler"),
        (["verify", "--kind", "chance"], 4, "'chance' is not one of"),
        (["verify", "--workers", "0"], 4, "0 is not in the range"),
        (["verify", "--no-such-option"], 4, "No such option"),
        (["frobnicate"], 4, "No such command"),
        (["explain"], 4, "Missing argument"),
        (["verify", VARIANCE, "--with", "variance"], 4, "NAME=FORMULA"),
        (["verify", VARIANCE, "--with", "sigma=beta"], 4, "its formulas are mean, variance"),
        (["verify", VARIANCE, "--with", "variance=gamma"], 4, "gamma is not a letter"),
        (["verify", "reversal.*", "--with", "variance=beta"], 4, "name the claim"),
        (["verify", VARIANCE, "--with", "variance=beta", "--with", "variance=alpha"], 4, "each formula once"),
    ],
)
def test_a_request_that_cannot_be_met_says_why(run, arguments, code, says):
    got, out, err = run(*arguments)
    assert (got, out) == (code, "")
    assert says in err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("verdict", "strict", "code"),
    [
        ("PASS", False, 0),
        ("FAIL", False, 1),
        ("INCONCLUSIVE", False, 1),
        ("ERROR", False, 1),
        ("SKIP", False, 0),
        ("SKIP", True, 1),
    ],
)
def test_the_exit_code_follows_the_verdicts(run, monkeypatch, verdict, strict, code):
    def examine(claim, kind, seed, instead):
        yield verifying.Check("one", kind, "PASS", "")
        yield verifying.Check("two", kind, verdict, "for a reason")

    monkeypatch.setattr("noiseproof.gathering.examine", examine)
    options = ["--strict"] * strict
    got, out, _ = run("verify", VARIANCE, "--kind", "quadrature", "--workers", "1", *options)
    assert got == code
    assert ("for a reason" in out) == (verdict != "PASS")


def test_what_is_skipped_for_one_reason_is_said_once(run, monkeypatch):
    def examine(claim, kind, seed, instead):
        yield verifying.Check("one", kind, "SKIP", "needs torch: pip install 'noiseproof[models]'")

    monkeypatch.setattr("noiseproof.gathering.examine", examine)
    code, out, _ = run("verify", "gan.*", "--kind", "model", "--workers", "1")
    assert code == 0
    assert out.count("pip install") == 1
    assert "SKIP 7 claims, model: needs torch: pip install 'noiseproof[models]'" in out


def test_an_error_of_our_own_is_3(run, monkeypatch):
    monkeypatch.setattr("noiseproof.choosing.selected", lambda *_: 1 / 0)
    code, out, err = run("list")
    assert (code, out) == (3, "")
    assert "ZeroDivisionError" in err
    assert "error of our own" in err


def test_help_and_version(run):
    assert run("--help")[:2][0] == 0
    assert run("--version")[1] == f"noiseproof, version {noiseproof.__version__}\n"
    assert run("verify", "-h")[0] == 0


@pytest.mark.slow
def test_a_check_that_is_killed_is_reported_and_not_waited_for(run, monkeypatch):
    """A worker dies as if the machine had run out of memory."""
    monkeypatch.setenv("PYTHONPATH", f"{ROOT / 'tests' / 'noiseproof'}{os.pathsep}{ROOT}")
    code = "from deadly import main; main()"
    ran = python("-c", code, "verify", VARIANCE, "reversal.algebraic-identity", "--json", "--workers", "2")
    data = valid("verify", ran.stdout)
    assert ran.returncode == 1
    checks = {claim["id"]: claim["checks"] for claim in data["claims"]}
    (error,) = [c for c in checks[VARIANCE] if c["kind"] == "quadrature"]
    assert error["verdict"] == "ERROR"
    assert error["detail"] == "its process was killed by signal 9 (SIGKILL); out of memory?"
    others = [c for found in checks.values() for c in found if c != error]
    assert {c["kind"] for c in others} == {"symbolic", "property", "montecarlo"}
    assert {c["verdict"] for c in others} == {"PASS"}
    assert not data["not_run"]


@pytest.mark.parametrize("workers", ["1", "2"])
def test_ctrl_c_reports_what_there_is(workers):
    command = [sys.executable, "-m", "noiseproof", "verify", "reversal.*", "--json", "--workers", workers]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    assert process.stderr.readline()  # the first claim is done
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    data = valid("verify", out)
    assert process.returncode == 2
    assert "Traceback" not in err
    assert data["not_run"]
    assert data["planned"] == data["run"] + data["skipped"] + len(data["not_run"])
    assert any(c["verdict"] == "PASS" for c in data["claims"])
    assert any(c["verdict"] == "INCONCLUSIVE" for c in data["claims"])


def test_a_reader_that_leaves_early_is_no_error():
    ran = subprocess.run(
        f"{sys.executable} -m noiseproof list | head -1",
        shell=True,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ran.stderr == ""


# ---------------------------------------------------------------- what is imported, and how long it takes


def imported(code):
    ran = python("-c", f"{code}; import sys; print(*sys.modules)")
    return set(ran.stdout.split())


def test_help_imports_no_sympy():
    heavy = {"sympy", "numpy", "scipy", "torch", "rich", "derivations"}
    assert not heavy & imported("import noiseproof.cli")
    assert not heavy & imported("import noiseproof; noiseproof.__version__")


@pytest.mark.parametrize("arguments", [["list"], ["explain", "reversal.bayes-kernel"]])
def test_list_and_explain_import_no_torch_and_no_statistics(arguments):
    command = f"cli.status(lambda: cli.cli.main({arguments!r}, standalone_mode=False))"
    modules = imported(f"from noiseproof import cli; {command}")
    assert "sympy" in modules
    assert not {"torch", "scipy.stats", "numba"} & modules


@pytest.mark.parametrize(("command", "packages"), [("--help", "click"), ("list", "click, numpy, rich.table, sympy")])
def test_commands_answer_at_once(command, packages):
    """In at most twice what the packages they need take to load: processor time, the best of five in turn."""
    resource = pytest.importorskip("resource")

    def spent(*words):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert python(*words).returncode == 0
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    pairs = [(spent("-m", "noiseproof", command), spent("-c", f"import {packages}")) for _ in range(5)]
    ours, theirs = map(min, zip(*pairs, strict=True))
    assert ours < 2 * theirs, f"{ours:.2f} s, and its packages {theirs:.2f} s"


def test_python_m_noiseproof_is_noiseproof():
    assert python("-m", "noiseproof", "--version").stdout == f"noiseproof, version {noiseproof.__version__}\n"


def test_the_package_says_what_it_has():
    assert set(noiseproof.__all__) <= set(dir(noiseproof))
    assert all(getattr(noiseproof, name) for name in noiseproof.__all__)
    with pytest.raises(AttributeError, match="it has Check, Claims, Report"):
        noiseproof.prove  # noqa: B018
