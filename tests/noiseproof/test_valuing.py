"""Reference values: fifteen digits, or a reason."""

import math

import pytest
import sympy as sp

import noiseproof
from noiseproof.faults import NoValue
from noiseproof.valuing import numbers, values

VARIANCE = noiseproof.claim("reversal.posterior-variance")
TWEEDIE = noiseproof.claim("reversal.step-tweedie")


def found(claim, *words):
    return {v.parameter: v for v in values(claim, numbers(words))}


def test_a_formula_has_fifteen_digits():
    value = found(VARIANCE, "alpha=0.9", "alpha_bar_prev=1/3")["variance"]
    assert value.digits == "0.0952380952380952"
    assert value.digits == str(sp.Float(sp.Rational(1, 10) * sp.Rational(2, 3) / sp.Rational(7, 10), 15))


def test_digits_are_computed_with_more_than_they_show():
    """1 - alpha_bar has lost all digits of a double here."""
    value = found(VARIANCE, "alpha=0.99999999999999999999", "alpha_bar_prev=0.99999999999999999999")["variance"]
    assert value.digits == "5.00000000000000e-21"


def test_numbers_are_exact():
    assert numbers(["alpha=0.1", "n=3", "theta=-1/3", "x=1e-2"]) == {
        "alpha": sp.Rational(1, 10),
        "n": 3,
        "theta": sp.Rational(-1, 3),
        "x": sp.Rational(1, 100),
    }


@pytest.mark.parametrize("word", ["alpha", "alpha=", "alpha=beta", "alpha=1/0", "alpha=nan", "alpha=__import__('os')"])
def test_what_is_not_a_number_is_refused(word):
    with pytest.raises(NoValue, match=r"not of the form NAME=NUMBER"):
        numbers([word])


def test_a_number_given_twice_or_without_end_is_refused():
    with pytest.raises(NoValue, match="given twice"):
        numbers(["alpha=1", "alpha=2"])
    with pytest.raises(NoValue, match="too long"):
        numbers(["alpha=1e5000"])


def test_missing_letters_are_named_and_what_needs_none_of_them_is_valued():
    value = found(VARIANCE, "alpha=0.9", "alpha_bar_prev=0.5")
    assert math.isclose(float(value["variance"].digits), 0.1 * 0.5 / 0.55)
    assert value["mean"].digits is None
    assert value["mean"].why == "it needs x_0 (x₀, a number), x_t (xₜ, a number)"


def test_a_letter_of_no_formula_is_refused():
    with pytest.raises(NoValue, match=r"has a letter gamma; their letters are .*alpha_bar_prev"):
        found(VARIANCE, "gamma=1")


def test_an_abbreviation_is_not_a_letter():
    with pytest.raises(NoValue, match="beta is written for 1 − αₜ: give alpha instead"):
        found(VARIANCE, "beta=0.1", "alpha_bar_prev=0.5")


@pytest.mark.parametrize("number", ["0", "1", "1.5", "-0.1"])
def test_a_number_outside_its_domain_is_refused(number):
    with pytest.raises(NoValue, match="strictly between 0 and 1"):
        found(VARIANCE, f"alpha={number}")


def test_what_depends_on_an_unspecified_density_has_no_value():
    value = found(TWEEDIE, "alpha=0.5", "x_t=1")
    assert value["mean"].digits is None
    assert value["mean"].why == "it depends on qₜ(xₜ), which may be anything"


@pytest.mark.parametrize("claim", noiseproof.claims().values(), ids=lambda claim: claim.id)
def test_every_formula_has_a_value_or_a_reason(claim):
    for value in values(claim, {}):
        assert (value.digits is None) == bool(value.why)


@pytest.mark.parametrize("claim", noiseproof.claims().values(), ids=lambda claim: claim.id)
def test_values_agree_with_the_compiled_formulas(claim):
    """Two roads from SymPy to a number: mpmath, and the functions that the checks are handed."""
    from derivations.calculus.notation import UnitFunction, UnitSymbol
    from noiseproof.valuing import letters_in, names_on_page, obstacle
    from numerics.compiled import formulas

    for name, function in formulas(claim).items():
        spelled = claim.spell(claim.formulas[name])
        if obstacle(claim.formulas[name], spelled) or spelled.has(sp.Sum, sp.Product):
            continue
        at = {}
        for k, (letter, symbol) in enumerate(names_on_page(claim, letters_in(spelled)).items()):
            unit = isinstance(symbol, (UnitSymbol, UnitFunction))
            at[letter] = sp.Rational(3 + k, 11 + 2 * k) if unit else sp.Integer(3 + k)
        (value,) = [v for v in values(claim, at) if v.parameter == name]
        if value.digits is not None:
            assert math.isclose(
                float(value.digits), float(function(**{k: float(v) for k, v in at.items()})), rel_tol=1e-9
            )
