"""The search finds what can be found, makes it small, and never varies."""

import importlib
import sys

import numpy as np
import pytest
from hypothesis import assume
from hypothesis import strategies as st

from numerics.statistics import (
    FAIL,
    INCONCLUSIVE,
    PASS,
    FormulaError,
    NothingTried,
    below,
    for_all,
    law,
    matches,
    sampled,
)
from numerics.statistics.formulas import under_test

between = st.floats(0.01, 0.99)


def test_a_true_statement_passes_all_examples():
    finding = for_all(examples=70, a=between)(lambda a: a**2 < a).examine()
    assert (finding.verdict, finding.draws) == (PASS, 70)
    assert finding.detail == "no counterexample in 70 examples"


@pytest.mark.parametrize("answer", [np.True_, np.array([True, True])])
def test_numpy_answers_too(answer):
    assert for_all(a=between)(lambda a: answer).examine().verdict == PASS
    assert for_all(a=between)(lambda a: ~answer).examine().verdict == FAIL
    assert for_all(a=between)(lambda a: np.array([True, False])).examine().verdict == FAIL


def test_a_false_statement_fails_with_the_smallest_counterexample():
    finding = for_all(n=st.integers(0, 1000), a=between)(lambda n, a: n < 17).examine()
    assert finding.verdict == FAIL
    assert finding.detail == "the statement is false; smallest counterexample: n = 17, a = 0.5"


def test_a_statement_that_fails_rarely_is_found():
    assert for_all(examples=300, a=between)(lambda a: a < 0.97).examine().verdict == FAIL


def test_an_atom_decides_and_its_sentence_is_told():
    def doubled(formula):
        return for_all(a=between)(lambda a: matches(under_test(formula, "double"), {"a": a}, a + a)).examine()

    right = doubled(lambda a: 2 * a)
    assert right.verdict == PASS
    assert 0 < (right.resolution or 0) < 1e-12
    wrong = doubled(lambda a: a * a)
    assert wrong.verdict == FAIL
    assert wrong.detail.startswith("double is 0.25 at a = 0.5, and should be 1: off by 7.50e-01")
    assert wrong.detail.endswith("smallest counterexample: a = 0.5")
    assert for_all(a=between)(lambda a: below(lambda a: a, {"a": a}, 0.9)).examine().verdict == FAIL


def test_a_doubtful_example_leaves_doubt():
    finding = for_all(a=between)(lambda a: matches(lambda a: a, {"a": a}, a, resolves=1e-17)).examine()
    assert finding.verdict == INCONCLUSIVE
    assert "the example was a = " in finding.detail


def test_a_formula_that_is_not_real_is_a_counterexample():
    root = under_test(lambda a: (a - 0.5) ** 0.5)
    assert for_all(a=between)(lambda a: root(a=a) >= 0).examine().verdict == FAIL


def test_a_formula_that_raises_is_an_error():
    def raises(a):
        raise KeyError("sigma")

    with pytest.raises(FormulaError, match=r"variance could not be evaluated at a = 0\.5: KeyError: 'sigma'"):
        for_all(a=between)(lambda a: under_test(raises, "variance")(a=a) < 1).examine()


def test_a_statement_that_raises_is_an_error():
    with pytest.raises(ZeroDivisionError):
        for_all(a=between)(lambda a: 1 // 0).examine()


@pytest.mark.parametrize(
    "filtered",
    [
        for_all(a=between.filter(lambda a: a > 2))(lambda a: True),
        for_all(a=between)(lambda a: assume(a > 2)),
        for_all(a=st.nothing())(lambda a: True),
    ],
)
def test_if_everything_is_filtered_out_nothing_is_known(filtered):
    with pytest.raises(NothingTried, match="the filters leave no example to try"):
        filtered.examine()


@pytest.mark.parametrize("answer", [None, 1.0, "yes", sampled(lambda rng, n: [rng.random(n)], law), [True]])
def test_a_statement_answers_with_a_bool_or_an_atom_without_chance(answer):
    with pytest.raises(TypeError, match="a statement returns a bool or an atom without chance"):
        for_all(a=between)(lambda a: answer).examine()


def test_a_search_needs_somewhere_to_search():
    with pytest.raises(TypeError, match="a strategy for each variable"):
        for_all(examples=10)


def searched():
    seen = []
    for_all(a=between, n=st.integers(0, 10**6))(lambda a, n: seen.append((a, n)) is None).examine()
    return seen


def test_the_search_is_the_same_whatever_has_been_imported(tmp_path, monkeypatch):
    """Hypothesis would try the constants of every module of ours that happens to be loaded."""
    before = searched()
    source = tmp_path / "constants_of_ours.py"
    source.write_text("LIST = [" + ", ".join(f"0.12{k}, {98765 + k}" for k in range(300)) + "]")
    monkeypatch.syspath_prepend(tmp_path)
    importlib.import_module("constants_of_ours")
    try:
        assert searched() == before
    finally:
        del sys.modules["constants_of_ours"]
    assert len(set(before)) > 90
