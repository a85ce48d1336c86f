"""Numbers for the formulas of a claim, to fifteen digits: reference values for other people's tests."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction

import sympy as sp
from sympy import Expr, MatrixExpr, MatrixSymbol, Rational

from derivations import Claim
from derivations.calculus.notation import Average, Density, UnitFunction, UnitSymbol, spelled_out
from derivations.rendering.terminal import inline

from .faults import NoValue
from .parsing import domain

DIGITS = 15


@dataclass(frozen=True)
class Value:
    """A formula with its value to fifteen digits, or why it has none."""

    parameter: str
    formula: Expr
    digits: str | None
    why: str = ""


def numbers(words: Iterable[str]) -> dict[str, Rational]:
    """``alpha=0.9 n=3 theta=1/3`` as exact numbers by name.  Raises NoValue."""
    found: dict[str, Rational] = {}
    for word in words:
        name, _, number = word.partition("=")
        try:
            exact = Fraction(number.strip())
        except (ValueError, ZeroDivisionError):
            raise NoValue(f"'{word}' is not of the form NAME=NUMBER, such as alpha=0.9 or theta=1/3") from None
        if abs(exact.numerator).bit_length() + exact.denominator.bit_length() > 4000:
            raise NoValue(f"the number in '{word[:40]}...' is too long")
        if name.strip() in found:
            raise NoValue(f"{name.strip()} is given twice")
        found[name.strip()] = Rational(exact.numerator, exact.denominator)
    return found


def values(claim: Claim, at: Mapping[str, Rational]) -> list[Value]:
    """The value of each formula at these letters, abbreviations spelled out.

    A formula that contains an unspecified density, or needs a letter that is not given, has none; its ``why`` says so.
    Raises NoValue for a letter that no formula has, or a number outside its domain.
    """
    spelled = {parameter: spelled_out(claim.spell(f)) for parameter, f in claim.formulas.items()}
    known = names_on_page(claim, set().union(*map(letters_in, spelled.values())))
    check_letters(claim, known, at)
    found = []
    for parameter, e in spelled.items():
        mine = {name: letter for name, letter in known.items() if letter in letters_in(e)}
        missing = {name: letter for name, letter in mine.items() if name not in at}
        why = obstacle(claim.formulas[parameter], e) or (f"it needs {listed(missing)}" if missing else "")
        number = None if why else digits(e, mine, at)
        found.append(
            Value(parameter, claim.formulas[parameter], number, why or "it has no real value there" * (number is None))
        )
    return found


def obstacle(formula: Expr, spelled: Expr) -> str:
    """Why a formula has no number, whatever the letters are."""
    if isinstance(spelled, MatrixExpr) or any(isinstance(s, MatrixSymbol) for s in spelled.free_symbols):
        return "it is a matrix formula"
    averages = {q for q in formula.atoms(Average) if any(law.slots for law in q.atoms(Density))}
    laws = sorted(map(inline, averages | {q for q in spelled.atoms(Density) if q.slots}))
    if laws:
        return f"it depends on {', '.join(laws)}, which may be anything"
    return ""


def letters_in(e: Expr) -> set[Expr]:
    """What a formula needs to be a number: its letters, and quantities of an unspecified law, such as its variance."""
    return e.free_symbols | {q for q in e.atoms(Density) if not q.slots}


def names_on_page(claim: Claim, letters: set[Expr]) -> dict[str, Expr]:
    """These letters by their names, in the order of the page."""
    found: dict[Expr, str] = {}
    for name, e in vars(claim.page).items():
        if isinstance(e, Expr) and e in letters:
            found.setdefault(e, name)
    return {name: e for e, name in found.items()}


def check_letters(claim: Claim, known: Mapping[str, Expr], at: Mapping[str, Rational]) -> None:
    """Raise NoValue for a name that is no letter of the formulas, and for a number that its letter cannot stand for."""
    for name, number in at.items():
        if name not in known:
            meaning = vars(claim.page).get(name)
            if isinstance(meaning, sp.Symbol) and claim.spell(meaning) != meaning:
                spelled = claim.spell(meaning)
                needed = names_on_page(claim, letters_in(spelled))
                raise NoValue(f"{name} is written for {inline(spelled)}: give {' and '.join(needed)} instead")
            raise NoValue(f"no formula of {claim.id} has a letter {name}; their letters are {listed(known)}")
        if problem := outside(known[name], number):
            raise NoValue(f"{name} = {number} is not possible: {inline(known[name])} is {problem}")


def listed(letters: Mapping[str, Expr]) -> str:
    return ", ".join(f"{name} ({domain(letter)})" for name, letter in letters.items()) or "no letter"


def outside(letter: Expr, number: Rational) -> str:
    """The domain that the number is not in, if it is not."""
    if isinstance(letter, (UnitSymbol, UnitFunction)) and not 0 < number < 1:
        return "strictly between 0 and 1"
    if letter.is_integer and not number.is_integer:
        return "a whole number"
    if letter.is_positive and number <= 0:
        return "positive"
    if letter.is_nonnegative and number < 0:
        return "not negative"
    return ""


def digits(formula: Expr, letters: Mapping[str, Expr], at: Mapping[str, Rational]) -> str | None:
    """The value with fifteen significant digits, computed with more."""
    slopes = formula.replace(lambda e: isinstance(e, sp.Derivative), lambda e: e.doit())
    value = slopes.xreplace({letter: at[name] for name, letter in letters.items()}).evalf(DIGITS + 10)
    return str(value.evalf(DIGITS)) if value.is_Float or value.is_Rational else None
