"""What people type is read by a grammar and never executed."""

from contextlib import suppress

import pytest
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

import noiseproof
from derivations.calculus.deciding import vanishes
from noiseproof.faults import Unreadable
from noiseproof.parsing import DEEPEST, DEGREE, LONGEST, in_letters, letters, parse, replacement, shorthands, written

VARIANCE = noiseproof.claim("reversal.posterior-variance")
TWEEDIE = noiseproof.claim("reversal.step-tweedie")
alpha, beta, alpha_bar_prev = (VARIANCE.letters[name] for name in ("alpha", "beta", "alpha_bar_prev"))


@pytest.mark.parametrize(
    ("text", "formula"),
    [
        ("beta", beta),
        ("1 - alpha", 1 - alpha),
        ("-beta/alpha", -beta / alpha),
        ("+beta", beta),
        (
            "beta*(1 - alpha_bar_prev)/(1 - alpha*alpha_bar_prev)",
            beta * (1 - alpha_bar_prev) / (1 - alpha * alpha_bar_prev),
        ),
        ("alpha**2", alpha**2),
        ("alpha**-2", alpha**-2),
        ("alpha**(1/2)", sp.sqrt(alpha)),
        ("sqrt(beta)", sp.sqrt(beta)),
        ("exp(-beta)*log(1 + alpha)", sp.exp(-beta) * sp.log(1 + alpha)),
        ("0.1*beta", beta / 10),
        ("1e-3", sp.Rational(1, 1000)),
        ("log(2*pi*beta)", sp.log(2 * sp.pi * beta)),
        ("2**10", sp.Integer(1024)),
    ],
)
def test_a_formula_is_read(text, formula):
    assert parse(VARIANCE, text) == formula


def test_a_density_is_called_at_its_variables():
    prior, x_t = TWEEDIE.letters["prior"], TWEEDIE.letters["x_t"]
    assert parse(TWEEDIE, "prior(x_t)") == prior(x_t)


def test_a_name_of_the_page_is_read():
    assert parse(TWEEDIE, "(x_t + beta*score)/sqrt(alpha)") == TWEEDIE.formulas["mean"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "not a formula"),
        ("beta +", "not a formula"),
        ("bet", "bet is not a letter"),
        ("beta^2", r"a power is written \*\*"),
        ("beta.real", "does not belong"),
        ("beta[0]", "does not belong"),
        ("'beta'", "does not belong"),
        ("True", "does not belong"),
        ("1j", "does not belong"),
        ("beta if alpha else 1", "does not belong"),
        ("lambda: 1", "does not belong"),
        ("[1, 2]", "does not belong"),
        ("beta < alpha", "does not belong"),
        ("beta // 2", "does not belong"),
        ("beta := 1", "not a formula"),
        ("__import__('os').system('true')", "does not belong"),
        ("__import__", "not a letter"),
        ("open(alpha)", "not a function"),
        ("sin(alpha)", "not a function"),
        ("alpha(beta)", "a product is written"),
        ("sqrt", "is a function"),
        ("sqrt()", "one argument"),
        ("sqrt(alpha, beta)", "one argument"),
        ("sqrt(x=alpha)", "does not belong"),
        ("1/0", "divides by zero"),
        ("log(0)", "divides by zero"),
        ("sqrt(-1)", "no real value"),
        ("1e999", "too large"),
        ("10**10**10", "exponent"),
        ("alpha**1000", "exponent"),
        ("alpha**0.123456789", "exponent"),
        ("alpha**beta", "exponent"),
        (f"(alpha**{DEGREE})**{DEGREE}", "degree"),
        ("*".join(["(1 + alpha)**20"] * 3), "degree"),
        ("((10**20)**20)**20" + "**1", "too large"),
        ("(" * (DEEPEST + 1) + "beta" + ")" * (DEEPEST + 1), "nested"),
        ("-" * 5000 + "beta", f"at most {LONGEST} characters"),
        ("beta\0", "not a formula"),
        ("beta\nalpha", "not a formula"),
    ],
)
def test_anything_else_is_refused_with_the_letters(text, says):
    with pytest.raises(Unreadable, match=says) as refusal:
        parse(VARIANCE, text)
    assert "alpha_bar_prev (" in str(refusal.value)


def test_a_density_that_is_not_called_right_is_explained():
    with pytest.raises(Unreadable, match=r"prior is a density: prior\(x_prev\)"):
        parse(TWEEDIE, "prior")
    with pytest.raises(Unreadable, match="1 variables"):
        parse(TWEEDIE, "prior(x_t, x_t)")


@pytest.mark.parametrize("text", ["H + 1", "sqrt(m)", "H/m", "exp(H)", "m*m", "H + m", "m**2"])
def test_matrices_fit_or_are_refused(text):
    with pytest.raises(Unreadable, match=r"do not fit|not a formula|different shapes|not square|function of a number"):
        parse(noiseproof.claim("bayes.linear-gaussian"), text)


def test_a_vector_is_replaced_by_a_vector():
    claim = noiseproof.claim("bayes.linear-gaussian")
    assert replacement(claim, "marginal_mean=H*m") == ("marginal_mean", claim.letters["H"] * claim.letters["m"])
    with pytest.raises(Unreadable, match="marginal_mean is a vector, and 'H' is a matrix"):
        replacement(claim, "marginal_mean=H")


def test_the_place_is_marked():
    with pytest.raises(Unreadable) as refusal:
        parse(VARIANCE, "beta + gamma*alpha")
    assert "  beta + gamma*alpha\n         ^^^^^\n" in str(refusal.value)


@given(st.text(max_size=60))
def test_whatever_is_typed_is_read_or_refused(text):
    with suppress(Unreadable):
        assert isinstance(parse(VARIANCE, text), sp.Expr)


def combined(part):
    return st.tuples(part, st.sampled_from("+-*/"), part).map(lambda parts: "({} {} {})".format(*parts))


@given(st.recursive(st.sampled_from(["alpha", "beta", "2", "x_0"]), combined))
def test_what_is_read_is_what_python_computes(text):
    numbers = {"alpha": sp.Rational(7, 10), "beta": sp.Rational(3, 11), "x_0": sp.Rational(-5, 7), "two": sp.S(2)}
    try:
        expected = eval(text.replace("2", "two"), {"__builtins__": {}}, numbers)
        formula = parse(VARIANCE, text)
    except (ZeroDivisionError, Unreadable):
        return
    value = formula.xreplace({letter: numbers[name] for name, letter in VARIANCE.letters.items() if name in numbers})
    assert expected == value or not value.is_finite


@pytest.mark.parametrize("claim", noiseproof.claims().values(), ids=lambda claim: claim.id)
def test_what_is_written_is_read_back(claim):
    wrong = [sp.sympify(f) for mistake in claim.mistakes.values() for f in mistake.values()]
    texts = {formula: written(claim, formula) for formula in [*claim.formulas.values(), *wrong]}
    read = {formula: parse(claim, text) for formula, text in texts.items() if text}
    assert all(back == formula or vanishes(back - formula) for formula, back in read.items())
    typed = (sp.Add, sp.Mul, sp.Pow, sp.Symbol, sp.Rational)
    assert all(texts[f] for f in texts if all(isinstance(part, typed) for part in sp.preorder_traversal(f)))


def test_formulas_of_the_scalar_kind_can_be_written():
    assert written(VARIANCE, beta) == "beta"
    assert written(TWEEDIE, TWEEDIE.mistakes["half-beta"]["mean"]) == "(x_t + beta*score/2)/sqrt(alpha)"


def test_a_replacement_is_a_parameter_and_a_formula():
    assert replacement(VARIANCE, " variance = beta ") == ("variance", beta)


@pytest.mark.parametrize(
    ("text", "says"),
    [("variance", "NAME=FORMULA"), ("variance=", "NAME=FORMULA"), ("sigma=beta", "its formulas are mean, variance")],
)
def test_a_replacement_that_replaces_nothing_is_refused(text, says):
    with pytest.raises(Unreadable, match=says):
        replacement(VARIANCE, text)


def test_foreign_symbols_of_the_same_name_are_taken_for_letters():
    assert in_letters(VARIANCE, 2 * sp.Symbol("beta")) == 2 * beta
    with pytest.raises(TypeError, match="gamma is not a letter"):
        in_letters(VARIANCE, sp.Symbol("gamma"))


@pytest.mark.parametrize("claim", noiseproof.claims().values(), ids=lambda claim: claim.id)
def test_every_formula_of_a_claim_is_in_its_letters(claim):
    own = set(letters(claim).values())
    wrong = [sp.sympify(f) for mistake in claim.mistakes.values() for f in mistake.values()]
    assert all(formula.free_symbols <= own for formula in [*claim.formulas.values(), *wrong])
    assert not set(letters(claim)) & set(shorthands(claim))
