"""Numbers for the formulas of a claim, to fifteen digits: reference values for other people's tests."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction

import sympy as sp
from sympy import Expr, MatrixExpr, MatrixSymbol, Rational

from derivations import Claim
from derivations.calculus.notation import Average, Density, UnitSymbol, spelled_out
from derivations.calculus.terminal import inline

from .parsing import domain

DIGITS = 15


class NoValue(ValueError):
    """Letters that are missing, unknown or out of their domain."""


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

    Raises NoValue if a letter is missing, unknown, or outside its domain.  A formula that contains an unspecified density has none.
    """
    spelled = {parameter: spelled_out(claim.spell(f)) for parameter, f in claim.formulas.items()}
    why = {parameter: obstacle(claim.formulas[parameter], e) for parameter, e in spelled.items()}
    letters = named(claim, (e for parameter, e in spelled.items() if not why[parameter]))
    check_letters(claim, letters, at, all(why.values()))
    found = []
    for parameter, e in spelled.items():
        number = None if why[parameter] else digits(e, letters, at)
        found.append(Value(parameter, claim.formulas[parameter], number, why[parameter] or "it has no real value there" * (number is None)))
    return found


def obstacle(formula: Expr, spelled: Expr) -> str:
    """Why a formula has no number, whatever the letters are."""
    if isinstance(spelled, MatrixExpr) or any(isinstance(s, MatrixSymbol) for s in spelled.free_symbols):
        return "it is a matrix formula"
    laws = sorted({inline(q) for q in spelled.atoms(Density)} | {inline(q) for q in formula.atoms(Average) if q.atoms(Density)})
    if laws:
        return f"it depends on {', '.join(laws)}, which may be anything"
    return ""


def named(claim: Claim, formulas: Iterable[Expr]) -> dict[str, sp.Symbol]:
    """The letters of some formulas, by their names on the page."""
    free = {s for e in formulas for s in e.free_symbols}
    page: dict[str, sp.Symbol] = {}
    for name, e in vars(claim.page).items():
        if isinstance(e, sp.Symbol) and e in free and e not in page.values():
            page[name] = e
    return {name: page[name] for name in sorted(page)}


def check_letters(claim: Claim, letters: Mapping[str, sp.Symbol], at: Mapping[str, Rational], hopeless: bool) -> None:
    where = {name: e for name, e in vars(claim.page).items() if isinstance(e, sp.Symbol) and e in vars(claim.page).get("WHERE", {})}
    for name in at:
        if name in where and name not in letters:
            raise NoValue(f"{name} is written for {inline(claim.spell(where[name]))}: give {' and '.join(letters) or 'nothing'}")
        if name not in letters and not hopeless:
            raise NoValue(f"{claim.id} has no letter {name}; it needs {listed(letters)}")
    if missing := {name: e for name, e in letters.items() if name not in at}:
        raise NoValue(f"{claim.id} also needs {listed(missing)}")
    for name, letter in letters.items():
        if problem := outside(letter, at[name]):
            raise NoValue(f"{name} = {at[name]} is not possible: {inline(letter)} is {problem}")


def listed(letters: Mapping[str, sp.Symbol]) -> str:
    return ", ".join(f"{name} ({domain(letter)})" for name, letter in letters.items()) or "no letter"


def outside(letter: sp.Symbol, number: Rational) -> str:
    """The domain that the number is not in, if it is not."""
    if isinstance(letter, UnitSymbol) and not 0 < number < 1:
        return "strictly between 0 and 1"
    if letter.is_integer and not number.is_integer:
        return "a whole number"
    if letter.is_positive and number <= 0:
        return "positive"
    if letter.is_nonnegative and number < 0:
        return "not negative"
    return ""


def digits(formula: Expr, letters: Mapping[str, sp.Symbol], at: Mapping[str, Rational]) -> str | None:
    """The value with fifteen significant digits, computed with more."""
    slopes = formula.replace(lambda e: isinstance(e, sp.Derivative), lambda e: e.doit())
    value = slopes.subs({letter: at[name] for name, letter in letters.items()}).evalf(DIGITS + 10)
    return str(value.evalf(DIGITS)) if value.is_Float or value.is_Rational else None
