"""``noiseproof calibrate``: what it prints, its JSON, its exit codes; and, marked slow, the whole of it."""

import json
import re
from io import StringIO
from pathlib import Path

import jsonschema
import pytest
from referencing import Registry, Resource
from rich.console import Console

from noiseproof import calibrating, cli
from numerics.statistics import calibration
from numerics.statistics.calibration import Rate

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = ROOT / "tests" / "schema"
RESULTS = ROOT / "benchmarks" / "results"
REGISTRY = Registry().with_resource(
    "common.json", Resource.from_contents(json.loads((SCHEMA / "common.json").read_text()))
)


@pytest.fixture
def run(capfd):
    def command(*arguments):
        code = cli.status(lambda: cli.cli.main(list(arguments), prog_name="noiseproof", standalone_mode=False))
        return code, *capfd.readouterr()

    return command


@pytest.fixture
def few_parts(monkeypatch):
    """The parts that take no time."""
    few = {name: part for name, part in calibrating.PARTS.items() if name.endswith(("drawn sums", "sequential test"))}
    monkeypatch.setattr(calibrating, "PARTS", few)


def valid(text):
    data = json.loads(text)
    schema = json.loads((SCHEMA / "calibrate.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(schema, registry=REGISTRY).validate(data)
    return data


def test_the_table_says_what_is_stated_predicted_and_observed(run, few_parts):
    code, out, err = run("calibrate", "--quick")
    assert code == 0
    assert re.search(r"^chi-square +50,000 +0\.05 +0\.05 +0\.0\d+ +0\.04\d+ \.\. 0\.05\d+ +[+-]\d\.\d +ok", out, re.M)
    assert re.search(r"^posterior-variance, 3 atoms +50 +≤ 0\.05 ", out, re.M)
    assert re.search(r"^\d+ rates are as stated   the furthest is \d\.\d standard errors away$", out.strip(), re.M)
    assert "The union bound over looks gives away 35% at 0.05" in out
    assert max(map(len, out.splitlines())) <= 100
    assert err.startswith("1/5  null laws, by drawn sums\n")


def test_json(run, few_parts):
    code, out, _ = run("calibrate", "reversal.posterior-mean", "--runs", "20000", "--seed", "3", "--json")
    data = valid(out)
    assert code == 0
    assert (data["seed"], [c["id"] for c in data["claims"]]) == (3, ["reversal.posterior-mean"])
    assert data["planned"] == data["run"] == len(data["rates"])
    assert not any(rate["off"] for rate in data["rates"])


def test_a_rate_that_is_off_is_shown_and_fails(run, few_parts, monkeypatch):
    wrong = lambda runs, seed: iter([Rate("one look", "a wrong law", runs, runs // 10, "=", 0.05, 0.05)])
    monkeypatch.setitem(calibrating.PARTS, "null laws, by drawn sums", (1, wrong))
    code, out, _ = run("calibrate", "--quick")
    assert code == 1
    assert re.search(r"^a wrong law .* OFF", out, re.M)
    assert re.search(r"^1 rate of \d+ off", out, re.M)


def test_a_fresh_seed_is_printed_and_used(run, monkeypatch):
    seeds = []
    steady = lambda runs, seed: seeds.append(seed) or iter([Rate("all looks", "one row", 100, 5, "<=", 0.05)])
    monkeypatch.setattr(calibrating, "PARTS", {"steady": (1, steady)})
    monkeypatch.setattr(calibrating, "CLAIMS", ("reversal.naive-chain",))
    monkeypatch.setattr(calibration, "suites_of_claims", lambda *_: [])
    code, _, err = run("calibrate", "--quick", "--fresh")
    assert code == 0
    assert f"noiseproof: --seed {seeds[0]} repeats this run\n" in err


@pytest.mark.parametrize(
    ("arguments", "code"),
    [(["--runs", "9"], 4), (["--runs", "5000", "--quick"], 4), (["reversal.nothing"], 4), (["nothing.*"], 5)],
)
def test_nonsense_is_usage(run, arguments, code):
    assert run("calibrate", *arguments)[0] == code


@pytest.mark.parametrize("width", [80, 100])
def test_the_table_fits_its_terminal_and_never_loses_the_verdict(width):
    rates = [
        Rate(part, "reversal.posterior-variance, 3 atoms", 10**6, 50_000, "<=", 0.05, 0.05) for part in calibrating.SAID
    ]
    terminal = Console(width=width, record=True, file=StringIO())
    terminal.print(calibrating.table(rates, width))
    shown = terminal.export_text().splitlines()
    assert max(map(len, shown)) <= width
    assert sum(line.rstrip().endswith(" ok") for line in shown) == len(rates)
    assert any("Clopper" in line for line in shown)


def test_every_part_is_told_apart_in_the_table():
    assert list(calibrating.SAID) == calibrating.ORDER
    assert {"one look", "all looks", "a suite", "errors"} <= set(calibrating.SAID)


@pytest.mark.slow
def test_all_of_it(run):
    """As it is published: exact laws within three standard errors, suites within three of 5 %."""
    code, out, _ = run("calibrate", "--json")
    rates = [(r["name"], r["part"], r) for r in valid(out)["rates"]]
    assert code == 0
    exact = [r for _, _, r in rates if r["relation"] == "="]
    assert len(exact) == 18
    assert all(r["deviation"] is None or abs(r["deviation"]) <= 3 for r in exact)
    suites = [r for name, part, r in rates if part == "a suite" and r["predicted"]]
    assert all(abs(r["observed"] - 0.05) < 3 * (0.05 * 0.95 / r["runs"]) ** 0.5 for r in suites)
    resolved = [r for name, part, r in rates if part == "errors" and name.endswith(", 1 x")]
    assert len(resolved) == 4
    assert all(r["observed"] >= 0.999 for r in resolved)


# ---------------------------------------------------------------- what is published


def test_what_is_published_keeps_to_the_schema_and_is_not_off():
    data = valid((RESULTS / "calibration.json").read_text(encoding="utf-8"))
    assert not any(rate["off"] for rate in data["rates"])
    assert max(rate["runs"] for rate in data["rates"]) == calibrating.RUNS
    assert re.fullmatch(r"cpu \(\w+\)", data["environment"]["device"])
    published = {rate["part"] for rate in data["rates"]}
    assert published == set(calibrating.SAID)
    assert {rate["stated"] for rate in data["rates"] if rate["part"] == "one look"} == set(calibration.LEVELS)
