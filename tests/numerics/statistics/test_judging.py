"""A judge hands formulas to a check and says what came of it; the check, wrong in every way, is caught in each."""

import pickle

import numpy as np
import pytest
from hypothesis import strategies as st

from numerics.quadrature import variance_of
from numerics.statistics import (
    FAIL,
    INCONCLUSIVE,
    PASS,
    SKIP,
    Examined,
    Finding,
    FormulaError,
    Report,
    above,
    below,
    by_running,
    close,
    examine,
    for_all,
    judge,
    law,
    matches,
    sampled,
    sampled_atoms,
)
from numerics.statistics.judging import together
from numerics.worlds import normal

AT = {"a": 0.7, "b": 1.9}
between = st.floats(0.1, 3)


def spread(variance):
    """The variance of a x + b e, for independent standard normals x and e: a check with every kind of atom."""

    def whitened(x, e):
        return law((0.7 * x + 1.9 * e) / np.sqrt(variance(**AT)))

    def scaled(x):
        return normal(x, 0, 0.7**2 + 1.9**2)

    yield close(variance, AT, variance_of(scaled), name="by integration")
    yield matches(variance, AT, np.array([0.7, 1.9]) @ np.array([0.7, 1.9]))
    yield below(variance, AT, (0.7 + 1.9) ** 2, strict=True)
    yield above(variance, AT, 2 * 0.7 * 1.9)
    yield for_all(a=between, b=between)(lambda a, b: matches(variance, {"a": a, "b": b}, abs(a + 1j * b) ** 2))
    yield for_all(a=between, b=between)(lambda a, b: variance(a=a, b=b) > a * a)
    yield sampled(lambda rng, n: rng.standard_normal((2, n)), whitened, resolves=2e-2)


def truth(a, b):
    return a**2 + b**2


def test_the_truth_passes():
    report = judge(spread, {"variance": truth})
    assert report.verdict == PASS, report.detail
    assert [a.name for a in report.atoms] == ["by integration", "2", "3", "4", "5", "6", "7"]
    assert [(kind, len(atoms)) for kind, atoms in report.kinds.items()] == [
        ("quadrature", 4),
        ("property", 2),
        ("montecarlo", 1),
    ]
    assert all(a.finding.resolution is not None for a in report.atoms if a.kind == "montecarlo")
    assert report.refuted_by == []


MISTAKES = {
    "linear": lambda a, b: a + b,
    "squared sum": lambda a, b: (a + b) ** 2,
    "product": lambda a, b: 2 * a * b,
    "too large": lambda a, b: 1.05 * (a**2 + b**2),
    "negative": lambda a, b: -(a**2) - b**2,
    "NaN": lambda a, b: np.nan,
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_refuted_by_every_kind(mistake):
    report = judge(spread, {"variance": MISTAKES[mistake]})
    assert report.verdict == FAIL
    assert report.refuted_by == ["quadrature", "property", "montecarlo"]
    assert report.detail.startswith("by integration: variance is ")


def test_results_come_as_they_are_ready():
    examined, asked = [], []

    def slow(variance):
        for k in (1, 2, 3):
            asked.append(k)
            yield matches(variance, AT, truth(**AT))

    for one in examine(slow, {"variance": truth}):
        examined.append(one)
        assert len(asked) == len(examined)
    assert [type(one) for one in examined] == [Examined] * 3


def test_kinds_are_chosen():
    report = judge(spread, {"variance": truth}, kinds=["property"])
    assert [(a.name, a.kind) for a in report.atoms] == [("5", "property"), ("6", "property")]
    assert [a.name for a in judge(spread, {"variance": truth}, kinds="property").atoms] == ["5", "6"]


def test_nothing_examined_is_no_pass():
    report = judge(spread, {"variance": truth}, kinds=["model", "sampler"])
    assert (report.verdict, report.atoms) == (SKIP, ())
    assert report.detail == "the check spread has no atoms of the kind model or sampler"
    assert list(examine(spread, {"variance": truth}, kinds=["model"])) == []

    def empty():
        yield from ()

    assert judge(empty, {}).detail == "the check empty has no atoms"


def test_draws_depend_on_seed_and_claim_and_not_on_the_kinds_that_are_asked_for():
    def detail(**how):
        return judge(spread, {"variance": truth}, **how).atoms[-1].finding.detail

    assert detail() == detail(seed=0, claim="spread", kinds=["montecarlo"])
    assert len({detail(), detail(seed=1), detail(claim="another")}) == 3


def test_atoms_of_one_check_see_different_draws():
    def twice():
        for _ in range(2):
            yield sampled(lambda rng, n: [rng.standard_normal(n)], law, resolves=2e-2)

    first, second = judge(twice, {}).atoms
    assert first.finding.detail != second.finding.detail
    assert max(first.finding.draws, second.finding.draws) < 2**19  # and no more of them than it takes


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        ([], SKIP),
        ([SKIP], SKIP),
        ([PASS, SKIP], PASS),
        ([PASS, INCONCLUSIVE, SKIP], INCONCLUSIVE),
        ([PASS, INCONCLUSIVE, FAIL], FAIL),
    ],
)
def test_one_verdict_on_many(verdicts, expected):
    assert together(verdicts) == expected
    atoms = tuple(Examined(str(k), "quadrature", Finding(v, 1, v.lower()), 0.0) for k, v in enumerate(verdicts))
    assert Report("claim", atoms).verdict == expected


# Errors are not refutations.


def wants_sigma(a, b, sigma):
    return a


@pytest.mark.parametrize("kind", ["quadrature", "property", "montecarlo"])
def test_a_formula_that_raises_is_an_error_wherever_it_is_called(kind):
    with pytest.raises(FormulaError, match=r"variance could not be evaluated at a = .*sigma") as caught:
        judge(spread, {"variance": wants_sigma}, kinds=[kind])
    assert caught.value.name == "variance"
    assert isinstance(caught.value.__cause__, TypeError)


def test_a_formula_error_travels_between_processes():
    error = pickle.loads(pickle.dumps(FormulaError("variance", " at a = 0.7", "KeyError: 'sigma'")))
    assert str(error) == "variance could not be evaluated at a = 0.7: KeyError: 'sigma'"


def test_a_check_yields_atoms():
    def compares(variance):
        yield variance(**AT) == truth(**AT)

    with pytest.raises(TypeError, match=r"the check compares yields .*True.* as number 1, which is no atom"):
        judge(compares, {"variance": truth})


def test_a_check_takes_the_formulas_of_its_claim():
    with pytest.raises(TypeError, match="unexpected keyword argument 'mean'"):
        judge(spread, {"mean": truth})


def test_a_formula_keeps_what_it_says_of_itself():
    class Formula:
        needs = frozenset({"a", "b"})
        text = "a**2 + b**2"

        def __call__(self, **at):
            return truth(at["a"], at["b"])

    seen = []

    def asks(variance):
        seen.append((variance.name, variance.text, variance.needs))
        yield matches(variance, AT, 4.1)

    assert judge(asks, {"variance": Formula()}).verdict == PASS
    assert seen == [("variance", "a**2 + b**2", frozenset({"a", "b"}))]


def test_atoms_that_depend_on_chance_are_counted():
    def four(variance):
        yield from spread(variance)
        for _ in range(3):
            yield sampled(lambda rng, n: [rng.standard_normal(n)], law)

    def run(variance):
        yield from map(by_running, spread(variance))
        yield by_running(matches(variance, AT, 4.1))

    assert sampled_atoms(spread, {"variance": truth}) == 1
    assert sampled_atoms(run, {"variance": truth}) == 1
    assert sampled_atoms(four, {"variance": truth}) == 4
