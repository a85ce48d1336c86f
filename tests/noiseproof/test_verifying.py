"""The door that truth and mistakes go through."""

import dataclasses

import pytest
import sympy as sp

import noiseproof
from noiseproof import verifying
from noiseproof.verifying import ERROR, FAIL, INCONCLUSIVE, KINDS, PASS, SKIP, Check, Report, examine, together

VARIANCE = "reversal.posterior-variance"
TWEEDIE = noiseproof.claim("reversal.step-tweedie")


def claim_with(**changes):
    return dataclasses.replace(TWEEDIE, **changes)


def test_a_true_claim_passes_by_every_quick_kind():
    report = noiseproof.verify("reversal.step-tweedie")
    assert report.verdict == PASS
    assert {c.kind for c in report.checks} == {"symbolic", "quadrature", "property", "montecarlo"}


@pytest.mark.parametrize("kind", ["symbolic", "quadrature", "property", "montecarlo"])
@pytest.mark.parametrize(
    "beta",
    [
        noiseproof.claim(VARIANCE).letters["beta"],
        sp.Symbol("beta"),
        "beta",
        1 - noiseproof.claim(VARIANCE).letters["alpha"],
    ],
    ids=["letter", "foreign symbol", "string", "spelled out"],
)
def test_a_replacement_is_judged(beta, kind):
    report = noiseproof.verify(VARIANCE, variance=beta, kinds=[kind])
    assert report.verdict == FAIL
    assert {c.kind for c in report.checks} == {kind}


def test_the_truth_in_other_words_passes():
    assert noiseproof.verify(VARIANCE, variance="beta*(1 - alpha_bar_prev)/(1 - alpha*alpha_bar_prev)").verdict == PASS


def test_a_function_is_judged_by_its_values():
    def variance(alpha, alpha_bar_prev):
        return (1 - alpha) * (1 - alpha_bar_prev) / (1 - alpha * alpha_bar_prev)

    right = noiseproof.verify(VARIANCE, variance=variance)
    assert right.verdict == PASS
    assert {c.verdict for c in right.checks if c.kind == "symbolic"} == {SKIP}
    wrong = noiseproof.verify(VARIANCE, variance=lambda alpha, **_: 1 - alpha, kinds=["quadrature"])
    assert wrong.verdict == FAIL


def test_a_function_may_ask_for_what_the_page_abbreviates_and_for_nothing_strange():
    def variance(beta, alpha_bar, alpha_bar_prev, power=1):
        return beta * (1 - alpha_bar_prev) ** power / (1 - alpha_bar)

    assert noiseproof.verify(VARIANCE, variance=variance, kinds=["quadrature", "property"]).verdict == PASS
    with pytest.raises(TypeError, match=r"the function asks for betta; the letters of .* are x_0"):
        noiseproof.verify(VARIANCE, variance=lambda betta: betta)


def test_a_number_is_a_formula():
    assert noiseproof.verify(VARIANCE, variance=0.25, kinds=["quadrature"]).verdict == FAIL


def test_a_function_that_raises_is_an_error_and_no_refutation():
    def variance(**letters):
        raise RuntimeError("out of coffee")

    (check,) = noiseproof.verify(VARIANCE, variance=variance, kinds=["quadrature"]).checks
    assert check.verdict == ERROR
    assert "out of coffee" in check.detail


def test_names_that_mean_nothing_are_refused():
    with pytest.raises(TypeError, match=r"has no formula sigma; its formulas are mean, variance"):
        noiseproof.verify(VARIANCE, sigma=1)
    with pytest.raises(TypeError, match="gamma is not a letter"):
        noiseproof.verify(VARIANCE, variance=sp.Symbol("gamma"))
    with pytest.raises(ValueError, match="no kind of check called chance; the kinds are symbolic"):
        noiseproof.verify(VARIANCE, kinds=["chance"])
    with pytest.raises(noiseproof.UnknownClaim):
        noiseproof.verify("reversal.posterior")


def test_a_string_is_parsed_and_not_executed(tmp_path):
    with pytest.raises(ValueError, match="cannot read"):
        noiseproof.verify(VARIANCE, variance=f"open({str(tmp_path / 'x')!r}, 'w')")
    assert not list(tmp_path.iterdir())


def test_only_what_ends_in_a_replaced_formula_is_followed():
    names = [c.name for c in noiseproof.verify("reversal.step-tweedie", mean="x_t", kinds=["symbolic"]).checks]
    assert names == ["step_mean"]


def test_a_kind_without_a_check_is_an_error_for_a_claim_that_is_marked_for_it():
    claim = noiseproof.claim("reversal.algebraic-identity")
    assert "quadrature" not in claim.kinds
    marked = dataclasses.replace(claim, evidence="S Q M")
    (check,) = examine(marked, "quadrature")
    assert check.verdict == ERROR
    assert "nothing of that kind" in check.detail


def test_unproved_is_not_false(monkeypatch):
    from derivations.calculus import Unproved

    def undecided(derivation, **formulas):
        raise Unproved("step 1 is not proved by 'algebra'")

    monkeypatch.setattr(verifying, "check", undecided)
    assert {c.verdict for c in examine(TWEEDIE, "symbolic")} == {INCONCLUSIVE}


def test_a_judge_that_raises_has_judged_nothing(monkeypatch):
    def broken(derivation, **formulas):
        raise ZeroDivisionError("oh")

    monkeypatch.setattr(verifying, "check", broken)
    checks = list(examine(TWEEDIE, "symbolic"))
    assert {c.verdict for c in checks} == {ERROR}
    assert len(checks) == len(TWEEDIE.proved_by)
    assert "ZeroDivisionError: oh" in checks[0].detail


@pytest.mark.parametrize("gone", [["torch"], ["sklearn"], ["torch", "sklearn"]])
def test_a_missing_extra_is_a_skip_with_the_line_that_installs_it(monkeypatch, gone):
    monkeypatch.setattr(verifying.util, "find_spec", lambda name: None if name in gone else True)
    (check,) = examine(TWEEDIE, "model")
    needs = f"needs {' and '.join(gone)}: pip install 'noiseproof[models]'"
    assert (check.verdict, check.detail) == (SKIP, needs)


def test_the_offending_line_is_named():
    (check,) = noiseproof.verify("reversal.step-tweedie", mean="x_t", kinds=["symbolic"]).checks
    assert "derivations/reversal/score.py:" in check.detail
    assert "yield eq(mean, by=" in check.detail
    assert "\\alpha" not in check.detail


@pytest.mark.parametrize(
    ("verdicts", "verdict"),
    [
        ([], SKIP),
        ([SKIP], SKIP),
        ([PASS, SKIP], PASS),
        ([PASS, INCONCLUSIVE], INCONCLUSIVE),
        ([INCONCLUSIVE, ERROR], ERROR),
        ([PASS, ERROR, FAIL], FAIL),
    ],
)
def test_one_failure_fails_and_every_check_that_ran_must_pass(verdicts, verdict):
    assert together(verdicts) == verdict


def test_a_kind_that_was_planned_and_not_run_leaves_doubt():
    passed = Check("1", "quadrature", PASS, "")
    assert Report("a.b", (passed,)).verdict == PASS
    assert Report("a.b", (passed,), not_run=("montecarlo",)).verdict == INCONCLUSIVE
    assert "not run      montecarlo" in str(Report("a.b", (passed,), not_run=("montecarlo",)))


def test_the_kinds_are_those_of_the_claims():
    from derivations.claim import KINDS as marks

    assert set(KINDS) == set(marks.values())
