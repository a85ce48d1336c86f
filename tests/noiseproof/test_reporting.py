"""The words and the data of a report."""

import json
import shlex

import pytest
import sympy as sp

import noiseproof
from noiseproof.reporting import account, check_as_data, counted, document, exit_code, reproduction
from noiseproof.verifying import ERROR, FAIL, INCONCLUSIVE, PASS, SKIP, Check, Report

VARIANCE = noiseproof.claim("reversal.posterior-variance")
TWEEDIE = noiseproof.claim("reversal.step-tweedie")
FAILED = Check("1", "quadrature", FAIL, "variance is 0.3, and should be 0.2", 0.1, 1e-13)


def test_an_account_says_what_where_and_how_to_see_it_again():
    assert account(VARIANCE, FAILED, seed=7, instead={"variance": VARIANCE.letters["beta"]}) == (
        "FAIL reversal.posterior-variance, quadrature, 1:\n"
        "  variance is 0.3, and should be 0.2\n"
        "  again: noiseproof verify reversal.posterior-variance --kind quadrature --seed 7 --with variance=beta"
    )


@pytest.mark.parametrize("name", ["half-beta", "score-of-previous"])
def test_the_line_that_repeats_it_can_be_pasted(name):
    """What cannot be typed is handed in from Python."""
    wrong = {p: sp.sympify(f) for p, f in TWEEDIE.mistakes[name].items()}
    line = reproduction(TWEEDIE, FAILED, 0, wrong)
    if line.startswith("noiseproof.verify("):
        assert "mean=..." in line
        return
    words = shlex.split(line)
    assert words[:3] == ["noiseproof", "verify", TWEEDIE.id]
    assert words[-2] == "--with"
    assert words[-1].startswith("mean=")


def test_a_function_cannot_be_typed():
    assert 'variance=..., kinds=["quadrature"], seed=0' in reproduction(VARIANCE, FAILED, 0, {"variance": max})


@pytest.mark.parametrize(
    ("verdicts", "strict", "code"),
    [
        ([PASS], False, 0),
        ([PASS, SKIP], False, 0),
        ([PASS, SKIP], True, 1),
        ([FAIL], False, 1),
        ([INCONCLUSIVE], False, 1),
        ([ERROR], False, 1),
    ],
)
def test_exit_codes(verdicts, strict, code):
    checks = tuple(Check("1", "quadrature", verdict, "") for verdict in verdicts)
    assert exit_code([Report("a.b", checks)], strict) == code


def test_what_was_planned_and_not_run_is_no_success():
    assert exit_code([Report("a.b", (), not_run=("quadrature",))], strict=False) == 1


def test_counts_add_up_and_json_has_no_nan():
    data = json.loads(document([], seed=0, run=3, skipped=2, missing=1))
    assert (data["planned"], data["run"], data["skipped"]) == (6, 3, 2)
    assert check_as_data(Check("1", "quadrature", PASS, "", 0.0, float("inf")))["resolution"] is None


def test_counted():
    assert [counted(n, "claim") for n in (0, 1, 2)] == ["0 claims", "1 claim", "2 claims"]
