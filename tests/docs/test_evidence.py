"""The committed run says of every claim how it was judged, and of every mistake where it breaks."""

import json
import math
import shutil
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from derivations import claims
from docs.book import breaking, evidence
from docs.book.breaking import Break, decimal, told_apart
from docs.book.katex import render
from docs.book.languages import language
from noiseproof.gathering import Task
from noiseproof.runfile import resumed
from noiseproof.verifying import ERROR, FAIL, INCONCLUSIVE, PASS, SKIP

SCHEMAS = Path(__file__).resolve().parents[1] / "schema"
MEGABYTES = 2
IDS = list(claims())
MISTAKES = [(id, name) for id, claim in claims().items() for name in claim.mistakes]


def valid(document: dict, name: str) -> None:
    """Does a document have the shape that its schema asks for?"""
    schemas = {path.name: json.loads(path.read_text(encoding="utf-8")) for path in SCHEMAS.glob("*.json")}
    known = Registry().with_resources((file, Resource.from_contents(schema)) for file, schema in schemas.items())
    Draft202012Validator(schemas[name], registry=known).validate(document)


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """A copy of the evidence that a test may spoil."""
    for path in evidence.FOLDER.iterdir():
        shutil.copy(path, tmp_path)
    monkeypatch.setattr(evidence, "FOLDER", tmp_path)
    readers = (evidence.lines, evidence.run, evidence.document, evidence.entries)
    for reader in readers:
        reader.cache_clear()
    yield tmp_path
    for reader in readers:
        reader.cache_clear()


# ---------------------------------------------------------------- the files


def test_the_files_are_small_and_of_one_shape():
    valid(evidence.document("mutants"), "mutate.json")
    valid(evidence.document("mistakes"), "mistakes.json")
    for path in evidence.FOLDER.iterdir():
        assert path.stat().st_size < MEGABYTES * 2**20, path.name
        assert str(Path.home()) not in path.read_text(encoding="utf-8")


def test_a_run_can_go_on_from_the_committed_one():
    first = evidence.lines()[0]
    mine = {name: first[name] for name in ("code", "versions")}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("noiseproof.runfile.installed", lambda: mine)
        tasks = [Task(id, kind, first["seed"]) for id, claim in claims().items() for kind in claim.kinds]
        done, news = resumed(evidence.FOLDER / "run.jsonl", tasks)
    assert [*done] == tasks, "in reading order, and nothing is left to do"
    assert not news


# ---------------------------------------------------------------- what they say


@pytest.mark.parametrize("id", IDS)
def test_every_kind_of_a_claim_was_judged(id):
    found = evidence.verdicts(id)
    assert tuple(kind for kind, *_ in found) == claims()[id].kinds
    for kind, verdict, checks, resolution in found:
        assert verdict == PASS
        assert checks >= 1
        assert resolution is None or 0 < resolution < math.inf
        assert resolution is not None or kind != "montecarlo", "draws state what they resolve"


@pytest.mark.parametrize("id", IDS)
def test_every_wrong_version_was_found_out(id):
    killed, tried, equivalent = evidence.killed(id)
    assert killed + equivalent == tried > 0


@pytest.mark.parametrize(("id", "mistake"), MISTAKES)
def test_every_mistake_breaks_somewhere(id, mistake):
    found = evidence.breaks(id, mistake)
    assert found.derivation in {d.__name__ for d in claims()[id].proved_by}
    assert found.breaks or found.by, "nobody sees it"
    if found.refusal == "Refuted":
        assert found.step >= 1
        assert found.relation
        assert found.values or found.gap
        if found.values:
            shown = {decimal(value) for value in told_apart(*found.values)}
            equal = found.relation in "<>" and found.values[0] == found.values[1]  # said to be strict, and is not
            assert equal or len(shown) == 2, "the reader sees that they differ"
        else:
            assert any(size > 1e-11 for size in found.gap)
    for side in (found.left, found.right, *found.at):
        assert not side or render(side, display=True).html


def test_a_break_is_told_in_words():
    two = Break("d", 2, "=", "a", "b", "Refuted", "is false", {r"\beta": 0.25}, (0.1234567, -3e-9), by=("property",))
    said = two.told(language("en"))
    assert said.startswith(r"left $0.1235$, right $-3 \cdot 10^{-9}$ ($\beta = 0.25$)")
    assert said.endswith(language("en").say("found", kinds=language("en")["property"]))
    unproved = Break("d", 1, "<=", "a", "b", "Unproved", "is not proved by 'algebra'")
    assert unproved.told(language("en")) == language("en")["unproved"]


def test_numbers_are_told_apart():
    assert told_apart(1.0000001, 1.0000002) == (1.0000001, 1.0000002)
    assert told_apart(0.12345678, 0.7) == (0.1235, 0.7)


ONE_A_CHAPTER = {id.split(".")[0]: (id, name) for id, name in reversed(MISTAKES)}


@pytest.mark.parametrize("chapter", ONE_A_CHAPTER)
def test_a_mistake_followed_again_breaks_at_the_same_line(chapter):
    id, mistake = ONE_A_CHAPTER[chapter]
    again, told = breaking.where(claims()[id], mistake), evidence.breaks(id, mistake)
    same = ("derivation", "step", "relation", "left", "right", "refusal")
    assert [getattr(again, name) for name in same] == [getattr(told, name) for name in same]


def test_the_run_says_when_and_with_what_it_was_made():
    found = evidence.of_the_run()
    assert found["date"].count("-") == 2
    assert {"python", "numpy", "sympy", "torch"} <= set(found["versions"])
    assert found["counts"]["claims"] == len(IDS)
    assert found["counts"]["checks"] > 1000
    assert found["counts"]["tried"] >= len(MISTAKES)
    assert found["counts"]["killed"] + found["counts"]["equivalent"] == found["counts"]["tried"]


@pytest.mark.slow
def test_the_run_is_of_the_sources_that_are_here():
    assert evidence.stale() is None


# ---------------------------------------------------------------- what is wrong with a file


def test_a_run_of_other_code_is_stale(elsewhere, monkeypatch):
    monkeypatch.setattr(evidence, "code", lambda: "0123456789abcdef")
    said = evidence.stale()
    assert said
    assert "now 0123456789abcdef" in said
    assert "make evidence" in said
    told = json.loads((elsewhere / "mistakes.json").read_text())
    (elsewhere / "mistakes.json").write_text(json.dumps({**told, "code": evidence.lines()[0]["code"]}))
    evidence.document.cache_clear()
    monkeypatch.setattr(evidence, "code", lambda: evidence.lines()[0]["code"])
    assert evidence.stale() is None


@pytest.mark.parametrize("name", ["run.jsonl", "mutants.json", "mistakes.json"])
def test_a_missing_file_is_named(elsewhere, name):
    (elsewhere / name).unlink()
    with pytest.raises(evidence.NoEvidence, match=rf"there is no .*{name}: make evidence"):
        evidence.of_the_run()


@pytest.mark.parametrize("name", ["run.jsonl", "mutants.json", "mistakes.json"])
def test_a_torn_file_is_named(elsewhere, name):
    whole = (elsewhere / name).read_bytes()
    (elsewhere / name).write_bytes(whole[: len(whole) // 2 + 7])
    with pytest.raises(evidence.NoEvidence, match=rf"{name}.* torn.*make evidence"):
        evidence.of_the_run()


def test_another_schema_is_named(elsewhere):
    (elsewhere / "mutants.json").write_text('{"schema": 2, "claims": []}')
    with pytest.raises(evidence.NoEvidence, match=r"mutants.json has the schema 2, and this reads 1: make evidence"):
        evidence.killed(IDS[0])


def test_a_claim_that_was_not_run_is_named(elsewhere):
    kept = [line for line in (elsewhere / "run.jsonl").read_text().splitlines() if IDS[0] not in line]
    (elsewhere / "run.jsonl").write_text("\n".join(kept) + "\n")
    with pytest.raises(evidence.NoEvidence, match=f"no symbolic checks of {IDS[0]}"):
        evidence.verdicts(IDS[0])


def test_what_is_no_claim_and_what_is_no_mistake(elsewhere):
    with pytest.raises(KeyError):
        evidence.verdicts("no.such-claim")
    with pytest.raises(evidence.NoEvidence, match=f"does not know the mistake unheard-of of {IDS[0]}"):
        evidence.breaks(IDS[0], "unheard-of")


# ---------------------------------------------------------------- what is written


def line(claim: str, kind: str, **more) -> dict:
    here = {"claim": claim, "kind": kind, "with": {}, "seed": 0, "code": "c", "versions": {"python": "3"}}
    check = {"name": "n", "verdict": PASS, "resolution": 0.0123456, "seconds": 1.26, "detail": "d"}
    return {**here, **({} if "ended" in more else check), **more}


def test_lines_are_brought_in_order_and_what_was_begun_twice_counts_once(monkeypatch):
    monkeypatch.setattr(evidence, "installed", lambda: {"code": "c", "versions": {"python": "3"}})
    first, second = IDS[:2]
    kind, other = claims()[first].kinds[:2]
    mixed = [
        line(second, "symbolic", name="z"),
        line(first, other, name="b"),
        line(first, kind, name="torn"),
        line(first, kind, name="a"),
        line(second, "symbolic", ended=1),
        line(first, kind, ended=1),
        line(first, other, ended=1),
        line(first, "symbolic", name="old", code="other"),
    ]
    told = evidence.in_order(mixed)
    assert [(r["claim"], r.get("name", r.get("ended"))) for r in told] == [
        (first, "a"), (first, 1), (first, "b"), (first, 1), (second, "z"), (second, 1)
    ]  # fmt: skip
    assert told[0]["seconds"] == 1.3
    assert told[0]["resolution"] == 0.0123


@pytest.mark.parametrize("verdict", [FAIL, INCONCLUSIVE, ERROR, SKIP])
def test_a_run_that_does_not_pass_is_not_written(elsewhere, monkeypatch, capsys, verdict):
    before = (elsewhere / "run.jsonl").read_bytes()
    wrong = [line(IDS[0], "symbolic", verdict=verdict), line(IDS[0], "symbolic", ended=1)]
    monkeypatch.setattr(evidence, "installed", lambda: {"code": "c", "versions": {"python": "3"}})
    monkeypatch.setattr(evidence, "noiseproof", lambda *words: "")
    monkeypatch.setattr(evidence, "records", lambda path: (wrong, []))
    assert evidence.main(["run"]) == 1
    assert f"{IDS[0]}, symbolic: {verdict}; nothing is written" in capsys.readouterr().err
    assert (elsewhere / "run.jsonl").read_bytes() == before


def test_an_unknown_part_is_named(capsys):
    assert evidence.main(["mutant"]) == 4
    assert "there is no mutant to write; there are run, mutants, mistakes" in capsys.readouterr().err
