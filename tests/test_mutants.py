"""Mutants: wrong formulas made by the machine.  They are what they say, and none survives."""

from collections import Counter

import pytest
import sympy as sp

import noiseproof
from derivations.calculus import Density, E, covariances, d, integral, matrices, normal, positives, reals, units
from derivations.calculus.notation import spelled_out
from derivations.calculus.signs import domain_gap
from derivations.mutants import (
    CAP,
    CONSTANT,
    DROP_FACTOR,
    DROP_TERM,
    EXPONENT,
    FLIP,
    INVERT,
    KINDS,
    LETTER,
    SHIFT,
    changed,
    confused,
    mutants,
    settled,
    shifted,
)
from noiseproof.mutating import proof_of_equality, tried, wrong_versions

CLAIMS = list(noiseproof.claims().values())
each_claim = pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.id)

x, y = reals("x y")
v, w = positives("v w")
a, b = units("a b")
k, n = sp.symbols("k n", integer=True, positive=True)
H, (P, R) = matrices("H"), covariances("P R")
p, q = Density("p", [x]), Density("q", [x])


def made(formula, change):
    return {wrong for what, wrong in changed(formula) if what == change}


def test_a_term_changes_its_sign_or_is_dropped():
    assert made(x + 2 * y, FLIP) == {-x + 2 * y, x - 2 * y}
    assert made(x + 2 * y, DROP_TERM) == {x, 2 * y}


def test_a_factor_is_dropped_or_inverted():
    assert made(v * x / w, DROP_FACTOR) == {x / w, v / w, v * x}
    assert made(v * x / w, INVERT) == {x / (v * w), v / (x * w), v * x * w}


def test_an_exponent_is_dropped_doubled_or_halved():
    assert made(sp.sqrt(v), EXPONENT) >= {v, v ** sp.Rational(1, 4)}
    assert made(1 / sp.sqrt(v), EXPONENT) >= {1 / v, v ** sp.Rational(-1, 4)}
    assert v**2 in made(v, EXPONENT)


def test_an_integer_is_off_by_one():
    assert made(1 - a, CONSTANT) >= {2 - a, -a}
    assert made(x / 2, CONSTANT) >= {x, x / 3}
    total = sp.Sum(k, (k, 1, n))
    assert sp.Sum(k, (k, 2, n)) in made(total, CONSTANT)


def test_a_sum_keeps_its_letter_and_what_it_runs_to():
    for _, wrong in changed(sp.Sum(k**2, (k, 1, n))):
        for limits in (s.limits[0] for s in wrong.atoms(sp.Sum)):
            assert limits[0] == k
            assert limits[2] == n


def test_letters_are_confused_within_their_domain_only():
    wrong = {f for _, f in confused(v * x, {v * x, w * y, a})}
    assert wrong == {w * x, v * y}
    assert w * v**2 in {f for _, f in confused(v * w**2, {v * w**2})}  # exchanged


def test_a_density_is_confused_with_another():
    assert (LETTER, d(x, sp.log(q))) in set(confused(d(x, sp.log(p)), {d(x, sp.log(p)), q}))


def test_the_law_of_an_average_stays():
    mean = E(normal(y, x, v), y**2)
    inner = [wrong for _, wrong in changed(mean)]
    assert inner
    assert all(wrong.q == mean.q for wrong in inner)


def test_an_integral_keeps_its_letter():
    whole = integral(p * x, x)
    assert all(wrong.limits == whole.limits for _, wrong in changed(whole) if isinstance(wrong, sp.Integral))


def test_a_letter_is_not_taken_for_one_that_is_bound():
    formula = x * integral(normal(y, 0, v), y)
    assert {f for what, f in confused(formula, {formula, y}) if what == LETTER} == set()


def test_matrices_are_dropped_inverted_and_transposed_where_the_shapes_allow():
    marginal = H * P * H.T + R
    assert {settled(f) for f in made(marginal, DROP_FACTOR)} == {P * H.T + R, H * H.T + R, H * P + R}
    assert H * P.inverse() * H.T + R in {settled(f) for f in made(marginal, INVERT)}
    assert {settled(f) for f in made(marginal, EXPONENT)} >= {H * P * H + R, H.T * P * H.T + R}
    assert all(f.shape == marginal.shape for _, f in changed(marginal))
    assert made(marginal.inverse(), CONSTANT) == set()
    assert v * sp.Identity(P.rows) in {settled(f) for f in made(v * P, DROP_FACTOR)}  # no number in its place


def test_nothing_is_shifted_to_itself():
    assert shifted(v) == sp.Rational(11, 10) * v
    assert shifted(sp.S.Zero) != 0


@each_claim
def test_mutants_are_others_that_could_have_been_written(claim):
    """The same every time, none the statement or another one again, all with values and of letters that are there."""
    made = list(mutants(claim))
    assert made == list(mutants(claim))
    assert {m.parameter for m in made} <= claim.formulas.keys()
    for parameter, formula in claim.formulas.items():
        wrong = [m.formula for m in made if m.parameter == parameter]
        spelled = [claim.spell(f) for f in wrong]
        assert len(spelled) == len(set(spelled)) <= CAP
        assert claim.spell(formula) not in spelled
        assert all(domain_gap(spelled_out(f)) is None for f in spelled)
        mistakes = [sp.sympify(named[parameter]) for named in claim.mistakes.values() if parameter in named]
        known = set().union(*(f.free_symbols | claim.spell(f).free_symbols for f in (formula, *mistakes)))
        assert all(f.free_symbols <= known for f in wrong)


def test_every_kind_of_change_occurs():
    left = set(KINDS)
    for claim in CLAIMS:
        left -= {m.change for m in mutants(claim)}
        if not left:
            return
    assert not left


def test_the_cap_takes_from_each_kind_in_turn():
    claim = noiseproof.claim("reversal.step-tweedie")
    few = Counter(m.change for m in mutants(claim, cap=8) if m.parameter == "mean")
    assert sum(few.values()) == 8
    assert max(few.values()) <= 2
    assert few[SHIFT] == 1


def test_a_version_that_is_equal_is_proved_so_and_not_called_a_survivor():
    claim = noiseproof.claim("reversal.step-tweedie")
    beta, alpha = claim.letters["beta"], claim.letters["alpha"]
    same = claim.formulas["variance"].xreplace({beta: 1 - alpha})
    trial = tried(claim, "automatic", "the same in other letters", {"variance": same})
    assert trial.equivalent
    assert not trial.survives
    assert proof_of_equality(claim, {"variance": 2 * same}) is None


@pytest.mark.slow
@each_claim
def test_no_mutant_survives(claim):
    """And at most one in twenty is no mistake at all."""
    trials = [tried(claim, "automatic", name, wrong) for name, wrong in wrong_versions(claim, "automatic")]
    problems = [
        f"{t.name}: {t.formula}\n    {'; '.join(t.errors) or 'alive'}" for t in trials if t.survives or t.errors
    ]
    equal = [t for t in trials if t.equivalent]
    assert not problems, "\n".join(problems)
    assert len(equal) <= max(1, len(trials) // 20)
