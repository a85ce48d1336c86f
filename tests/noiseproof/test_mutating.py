"""Trials of wrong versions, and what a report says of them."""

import dataclasses

import pytest

import noiseproof
from noiseproof import mutating
from noiseproof.mutating import JUDGES, Task, Trial, trials, tried, wrong_versions
from noiseproof.reporting import trials_as_data
from noiseproof.verifying import ERROR, FAIL, INCONCLUSIVE, PASS, Check

VARIANCE = noiseproof.claim("reversal.posterior-variance")
BETA = {"variance": VARIANCE.letters["beta"]}


def with_verdicts(monkeypatch, **verdicts):
    """Judges that say what they are told, by kind; a list of who was asked."""
    asked = []

    def examine(claim, kind, seed, wrong):
        for verdict in verdicts[kind]:
            asked.append(kind)
            yield Check("one", kind, verdict, f"{kind} says {verdict}")

    monkeypatch.setattr(mutating, "examine", examine)
    return asked


def test_a_mistake_is_killed_by_every_kind_that_finds_it_out():
    trial = tried(VARIANCE, "named", "beta", BETA, thorough=True)
    assert trial.by == ("symbolic", "quadrature", "property", "montecarlo")
    assert not trial.survives
    assert not trial.errors
    assert trial.error == pytest.approx(0.3, rel=0.9)  # beta is larger than the posterior variance by so much


def test_the_first_refutation_is_enough(monkeypatch):
    said = {"quadrature": [PASS, FAIL, FAIL], "property": [PASS], "montecarlo": [PASS]}
    asked = with_verdicts(monkeypatch, symbolic=[FAIL, FAIL], **said)
    assert tried(VARIANCE, "named", "beta", BETA, thorough=True).by == ("symbolic", "quadrature")
    assert asked == ["symbolic", "quadrature", "quadrature", "property", "montecarlo"]


def test_for_a_mutant_one_numerical_kind_is_enough(monkeypatch):
    asked = with_verdicts(monkeypatch, symbolic=[FAIL], quadrature=[FAIL], property=[FAIL])
    assert tried(VARIANCE, "automatic", "mutant", BETA).by == ("symbolic", "quadrature")
    assert asked == ["symbolic", "quadrature"]
    with_verdicts(monkeypatch, symbolic=[FAIL], quadrature=[PASS], property=[FAIL])
    assert tried(VARIANCE, "automatic", "mutant", BETA).by == ("symbolic", "property")
    with_verdicts(monkeypatch, symbolic=[FAIL], quadrature=[FAIL], property=[PASS], montecarlo=[FAIL])
    thorough = tried(VARIANCE, "automatic", "mutant", BETA, thorough=True)
    assert (thorough.asked, thorough.by) == (JUDGES, ("symbolic", "quadrature", "montecarlo"))


def test_the_kernel_alone_kills_nothing_that_numbers_let_pass(monkeypatch):
    with_verdicts(monkeypatch, symbolic=[FAIL], quadrature=[PASS], property=[PASS], montecarlo=[INCONCLUSIVE])
    assert tried(VARIANCE, "automatic", "mutant", BETA).survives
    with_verdicts(monkeypatch, symbolic=[FAIL])
    assert tried(VARIANCE, "automatic", "mutant", BETA, kinds=["symbolic"]).killed


def test_unproved_alone_is_no_kill(monkeypatch):
    with_verdicts(monkeypatch, symbolic=[INCONCLUSIVE], quadrature=[INCONCLUSIVE], property=[PASS], montecarlo=[PASS])
    trial = tried(VARIANCE, "named", "beta", BETA)
    assert trial.survives
    assert trial.by == ()


def test_chance_finds_out_what_others_let_pass(monkeypatch):
    with_verdicts(monkeypatch, symbolic=[INCONCLUSIVE], quadrature=[PASS], property=[PASS], montecarlo=[FAIL])
    assert tried(VARIANCE, "named", "beta", BETA).by == ("montecarlo",)


def test_a_judge_that_raises_is_an_error_and_no_kill(monkeypatch):
    with_verdicts(monkeypatch, symbolic=[ERROR], quadrature=[PASS], property=[PASS], montecarlo=[PASS])
    trial = tried(VARIANCE, "named", "beta", BETA)
    assert trial.survives
    assert trial.errors == ("symbolic one: symbolic says ERROR",)


def test_only_the_kinds_that_a_claim_is_marked_for_are_asked():
    claim = noiseproof.claim("reversal.algebraic-identity")
    name, wrong = next(wrong_versions(claim, "named"))
    assert set(tried(claim, "named", name, wrong).asked) <= set(claim.kinds)


def test_what_is_equal_is_not_tried_further(monkeypatch):
    asked = with_verdicts(monkeypatch, symbolic=[PASS])
    trial = tried(VARIANCE, "automatic", "none", {"variance": VARIANCE.formulas["variance"]})
    assert trial.equivalent
    assert asked == ["symbolic"]


def test_a_task_tries_every_version_of_its_group():
    done = list(trials(Task(VARIANCE.id, "named", ("quadrature",), 0)))
    assert [t.name for t in done] == list(VARIANCE.mistakes)
    assert {t.group for t in done} == {"named"}


def test_names_of_mutants_say_what_was_done_and_are_unique():
    names = [name for name, _ in wrong_versions(VARIANCE, "automatic")]
    assert len(names) == len(set(names))
    assert "variance: term dropped 1" in names


def test_the_data_of_trials():
    both = ("symbolic", "quadrature")
    killed = Trial("a.b", "named", "one", "v = 1", both, both, None, (), 0.5, 0.125)
    alive = dataclasses.replace(killed, name="two", by=(), errors=("quadrature 1: oh",))
    equal = dataclasses.replace(killed, name="three", by=(), equivalent="because")
    data = trials_as_data([killed, alive, equal])
    assert (data["tried"], data["killed"], data["refuted"], data["by"]) == (3, 1, 1, {"symbolic": 1, "quadrature": 1})
    assert (data["asked"], data["smallest_error"]) == ({"symbolic": 3, "quadrature": 3}, 0.125)
    assert data["survivors"] == [{"name": "two", "formula": "v = 1"}]
    assert data["equivalent"] == [{"formula": "v = 1", "proof": "because"}]
    assert data["errors"] == [{"name": "two", "formula": "v = 1", "detail": "quadrature 1: oh"}]
    assert data["killed_by"] == {"one": ["symbolic", "quadrature"], "two": [], "three": []}
    assert data["seconds"] == pytest.approx(1.5)
