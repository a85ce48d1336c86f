"""The committed run that the book shows: its verdicts, how many wrong versions were found out, and where they break.

``python -m docs.book.evidence`` verifies every claim, trained models and whole runs of samplers included, tries every
wrong version, and follows each named mistake to the line that it breaks: a quarter of an hour on two cores, into
docs/evidence.  A run that does not pass is not evidence, and is not written.  The rest of this page reads it.
"""

from __future__ import annotations

import datetime
import json
import os
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from derivations import claims
from noiseproof.faults import Unusable
from noiseproof.runfile import code, installed, key, records
from noiseproof.verifying import PASS, SKIP, together

from .breaking import Break, everywhere

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "docs" / "evidence"
BEGUN = ROOT / "docs" / "_build" / "evidence.jsonl"  # a run that was interrupted goes on from here
AGAIN = "make evidence writes it again"
SCHEMA = 1


class NoEvidence(Unusable):
    """A file of the committed run that is missing, torn, or of another shape."""


# ---------------------------------------------------------------- what the book shows


def verdicts(id: str) -> list[tuple[str, str, int, float | None]]:
    """For each kind of a claim: its verdict, how many checks there were, and the error that each of them would see.

    The error is relative; it is None where the kind has none to tell.  Raises NoEvidence if a kind was not run.
    """
    found = []
    for kind in claims()[id].kinds:
        checks = run().get((id, kind))
        if not checks:
            raise NoEvidence(f"{FOLDER / 'run.jsonl'} has no {kind} checks of {id}: {AGAIN}")
        resolutions = [check["resolution"] for check in checks if check["resolution"]]
        found.append((kind, together(c["verdict"] for c in checks), len(checks), max(resolutions, default=None)))
    return found


def killed(id: str) -> tuple[int, int, int]:
    """How many wrong versions of a claim were found out, how many were tried, and how many are no mistakes at all."""
    groups = [of_claim(id, "mutants")[group] for group in ("named", "automatic")]
    return tuple(sum(of_each(group)[i] for group in groups) for i in range(3))  # type: ignore[return-value]


def of_each(group: dict[str, Any]) -> tuple[int, int, int]:
    return group["killed"], group["tried"], len(group["equivalent"])


def breaks(id: str, mistake: str) -> Break:
    """Where a named mistake breaks, and which numerical kinds found it out."""
    found = of_claim(id, "mistakes")["mistakes"]
    if mistake not in found:
        raise NoEvidence(f"{FOLDER / 'mistakes.json'} does not know the mistake {mistake} of {id}: {AGAIN}")
    by = of_claim(id, "mutants")["named"]["killed_by"].get(mistake, ())
    values = {**found[mistake], "by": tuple(kind for kind in by if kind != "symbolic")}
    values["values"] = tuple(values["values"]) if values["values"] else None
    return Break(**{**values, "gap": tuple(values["gap"])})


def of_the_run() -> dict[str, Any]:
    """When and with what the run was made, and what it counts: claims, checks, wrong versions."""
    first, checks = next(iter(lines())), [check for found in run().values() for check in found]
    groups = [entry[group] for entry in document("mutants")["claims"] for group in ("named", "automatic")]
    tried = Counter()
    for group in groups:
        tried.update(dict(zip(("killed", "tried", "equivalent"), of_each(group), strict=True)))
    counts = {"claims": len({id for id, _ in run()}), "checks": len(checks), **tried}
    counts["skipped"] = sum(check["verdict"] == SKIP for check in checks)
    circumstances = {name: first[name] for name in ("code", "seed", "versions")}
    return {"date": document("mistakes")["date"], **circumstances, "counts": counts}


def stale() -> str | None:
    """That the committed run is not of today's sources, if it is not."""
    made = {record["code"] for record in lines()} | {document("mistakes")["code"]}
    if made == {code()}:
        return None
    return f"the committed run is of other code ({', '.join(sorted(made - {code()}))}, now {code()}): {AGAIN}"


# ---------------------------------------------------------------- reading


@cache
def lines() -> list[dict[str, Any]]:
    """The lines of the run file.  Raises NoEvidence if one is missing or cannot be read."""
    path = FOLDER / "run.jsonl"
    if not path.exists():
        raise NoEvidence(f"there is no {path}: {AGAIN}")
    found, news = records(path)
    if news or not found:
        raise NoEvidence(f"{news[0] if news else f'{path} is empty'}: {AGAIN}")
    return found


@cache
def run() -> dict[tuple[str, str], list[dict[str, Any]]]:
    """The checks of the run, by claim and kind."""
    found: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for record in lines():
        if "ended" not in record:
            found.setdefault((record["claim"], record["kind"]), []).append(record)
    return found


@cache
def document(name: str) -> dict[str, Any]:
    """One of the JSON files.  Raises NoEvidence if it is missing, torn, or of another schema."""
    path = FOLDER / f"{name}.json"
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise NoEvidence(f"there is no {path}: {AGAIN}") from None
    except ValueError as error:
        raise NoEvidence(f"{path} is torn, or no JSON ({error}): {AGAIN}") from error
    if not isinstance(found, dict) or found.get("schema") != SCHEMA:
        schema = found.get("schema") if isinstance(found, dict) else "none"
        raise NoEvidence(f"{path} has the schema {schema}, and this reads {SCHEMA}: {AGAIN}")
    return found


@cache
def entries(name: str) -> dict[str, dict[str, Any]]:
    return {entry["id"]: entry for entry in document(name)["claims"]}


def of_claim(id: str, name: str) -> dict[str, Any]:
    claims()[id]  # a KeyError for what is no claim
    if id not in entries(name):
        raise NoEvidence(f"{FOLDER / f'{name}.json'} does not know {id}: {AGAIN}")
    return entries(name)[id]


# ---------------------------------------------------------------- writing


def in_order(found: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """The lines of what is done, claim by claim in reading order, kind by kind, each part closed by its number.

    What was begun twice counts once, and what is of other code or other versions does not count.
    """
    begun: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    done: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for record in found:
        if not record.items() >= installed().items():
            continue
        begun[key(record)].append(rounded(record))
        if "ended" in record:
            done[record["claim"], record["kind"]] = begun.pop(key(record))[-1 - record["ended"] :]
    return [line for id, claim in claims().items() for kind in claim.kinds for line in done.get((id, kind), [])]


def rounded(record: dict[str, Any]) -> dict[str, Any]:
    """A line with no more digits than mean something: seconds are those of some machine, resolutions are sizes."""
    if "ended" in record:
        return record
    resolution = record["resolution"]
    size = None if resolution is None else float(f"{resolution:.2e}")
    return {**record, "seconds": round(record["seconds"], 1), "resolution": size}


def compact(data: Any) -> str:
    return json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def noiseproof(*words: str) -> str:
    """What a command prints.  Raises NoEvidence if it does not end well."""
    done = subprocess.run([sys.executable, "-m", "noiseproof", *words], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        raise NoEvidence(f"noiseproof {' '.join(words)} ended with {done.returncode}: nothing is written")
    return done.stdout


def write_run() -> None:
    BEGUN.parent.mkdir(parents=True, exist_ok=True)
    noiseproof("verify", "--all", "--strict", "--run", str(BEGUN), "--resume", str(BEGUN))
    taken = in_order(records(BEGUN)[0])
    wrong = [record for record in taken if record.get("verdict", PASS) != PASS]
    if wrong:
        raise NoEvidence(f"{wrong[0]['claim']}, {wrong[0]['kind']}: {wrong[0]['verdict']}; nothing is written")
    (FOLDER / "run.jsonl").write_text("".join(compact(record) + "\n" for record in taken), encoding="utf-8")


def write_mutants() -> None:
    found = json.loads(noiseproof("mutate", "--json"))
    for entry in found["claims"]:
        for group in ("named", "automatic"):
            entry[group]["seconds"] = round(entry[group]["seconds"], 1)
    (FOLDER / "mutants.json").write_text(by_claim(found), encoding="utf-8")


def write_mistakes() -> None:
    found = everywhere(claims(), os.cpu_count() or 1)
    head = {"schema": SCHEMA, "date": datetime.date.today().isoformat(), "code": code()}
    listed = [{"id": id, "mistakes": mistakes} for id, mistakes in found.items()]
    (FOLDER / "mistakes.json").write_text(by_claim({**head, "claims": listed}), encoding="utf-8")


def by_claim(document: dict[str, Any]) -> str:
    """A document with a line for each claim, so that a change shows where it is."""
    head = compact({name: value for name, value in document.items() if name != "claims"})
    return head[:-1] + ',"claims":[\n' + ",\n".join(map(compact, document["claims"])) + "\n]}\n"


WRITERS = {"run": write_run, "mutants": write_mutants, "mistakes": write_mistakes}


def main(names: list[str]) -> int:
    if unknown := [name for name in names if name not in WRITERS]:
        print(f"there is no {unknown[0]} to write; there are {', '.join(WRITERS)}", file=sys.stderr)
        return 4
    FOLDER.mkdir(exist_ok=True)
    for name in names or WRITERS:
        print(f"docs.book.evidence: {name}", file=sys.stderr, flush=True)
        try:
            WRITERS[name]()
        except Unusable as trouble:
            print(trouble, file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
