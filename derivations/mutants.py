r"""Wrong formulas, made by the machine: the statement of a claim with one thing changed.

Where people err, they drop a term, turn a sign, forget a root, take one letter for another.  ``mutants`` does each
of these at every place of every formula, in an order that never changes, and keeps at most ``CAP`` a formula,
taken in turn from each kind of change.

A mutant is written in letters that occur in its formula or in the mistakes that replace it, so that whoever can
judge these can judge it.  It has a value wherever the letters are admissible: a formula that divides by zero needs
no check to be found out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice, permutations

import sympy as sp
from sympy import (
    Add,
    Basic,
    Derivative,
    Expr,
    Identity,
    Integral,
    MatAdd,
    MatMul,
    MatPow,
    MatrixExpr,
    MatrixSymbol,
    Mul,
    Pow,
    Product,
    Rational,
    Sum,
    Transpose,
)

from .calculus.notation import Average, Density, Divergence, Entropy, Normal, spelled_out
from .calculus.signs import domain_gap
from .claim import Claim

CAP = 25

FLIP, DROP_TERM, DROP_FACTOR, INVERT = "sign of a term", "term dropped", "factor dropped", "factor inverted"
EXPONENT, CONSTANT, LETTER, SHIFT = "exponent changed", "constant changed", "letters confused", "tenth added"
KINDS = (SHIFT, FLIP, DROP_TERM, DROP_FACTOR, INVERT, EXPONENT, CONSTANT, LETTER)


@dataclass(frozen=True)
class Mutant:
    """A wrong formula for one parameter of a claim, and what was done to it."""

    parameter: str
    change: str
    formula: Expr


def mutants(claim: Claim, cap: int = CAP) -> Iterator[Mutant]:
    """At most ``cap`` wrong versions of each formula of the claim; named mistakes are not made again."""
    for parameter, formula in claim.formulas.items():
        known = {formula, *(sp.sympify(wrong[parameter]) for wrong in claim.mistakes.values() if parameter in wrong)}
        letters = known | {claim.spell(f) for f in known}
        made: dict[str, list[Expr]] = {change: [] for change in KINDS}
        for change, wrong in (*changed(formula), *confused(formula, letters), (SHIFT, shifted(formula))):
            made[change].append(settled(wrong))
        seen = {settled(claim.spell(f)) for f in known}
        yield from (Mutant(parameter, change, wrong) for change, wrong in islice(in_turn(made, seen, claim), cap))


def in_turn(made: dict[str, list[Expr]], seen: set[Expr], claim: Claim) -> Iterator[tuple[str, Expr]]:
    """One of each kind of change after another, none twice, until all are told."""
    queues = {change: iter(found) for change, found in made.items()}
    while queues:
        for change, queue in list(queues.items()):
            for wrong in queue:
                spelled = claim.spell(wrong)
                if spelled not in seen and has_a_value(spelled):
                    seen.add(spelled)
                    yield change, wrong
                    break
            else:
                del queues[change]


def settled(e: Expr) -> Expr:
    """The same; of a matrix that is transposed, or inverted, twice, the matrix."""
    return e.doit() if isinstance(e, MatrixExpr) else e


def has_a_value(e: Expr) -> bool:
    """For all values of its letters, as far as can be seen."""
    e = spelled_out(e)
    return not e.has(sp.zoo, sp.nan, sp.I) and domain_gap(e) is None


# ---------------------------------------------------------------- one change at one place


def changed(e: Basic) -> Iterator[tuple[str, Expr]]:
    """The expression with one thing changed, at each of its places, from the outside in."""
    yield from changed_here(e)
    for i, part in inside(e):
        for change, wrong in changed(part):
            if (
                isinstance(part, sp.Tuple) and change != CONSTANT
            ):  # a sum starts or ends one too late: further away there may be nothing
                continue
            try:
                whole = e.func(*e.args[:i], wrong, *e.args[i + 1 :])
            except (TypeError, ValueError):  # of matrices: the shapes no longer fit
                continue
            yield change, whole


def inside(e: Basic) -> list[tuple[int, Basic]]:
    """What a formula states in its parts: not bound letters, nor the law of an average, nor the slots of a density."""
    if isinstance(e, (Density, Divergence, Entropy, MatrixSymbol)):
        return []
    if isinstance(e, (Integral, Derivative, MatPow)):
        return [(0, e.args[0])]
    first = 1 if isinstance(e, (Average, Normal)) else 0
    parts = [(i, a) for i, a in enumerate(e.args) if i >= first and isinstance(a, Expr)]
    if isinstance(e, (Sum, Product)):
        parts += [(i, limits) for i, limits in enumerate(e.args[1:], 1)]
    if isinstance(e, sp.Tuple):  # the limits of a sum: its letter stays
        parts = [(i, a) for i, a in parts if i > 0]
    return parts


def changed_here(e: Basic) -> Iterator[tuple[str, Expr]]:
    """What can go wrong with the outermost operation."""
    if isinstance(e, (Add, MatAdd)):
        for i, term in enumerate(e.args):
            others = [*e.args[:i], *e.args[i + 1 :]]
            yield FLIP, e.func(*others, -term)
            yield DROP_TERM, e.func(*others)
    elif isinstance(e, MatMul):
        for i, factor in enumerate(e.args):
            others = [*e.args[:i], *e.args[i + 1 :]]
            if not isinstance(factor, MatrixExpr) or factor.is_square:
                yield DROP_FACTOR, MatMul(*others, Identity(e.rows) if e.is_square else 1)
                yield INVERT, MatMul(*e.args[:i], factor**-1, *e.args[i + 1 :])
    elif isinstance(e, Mul):
        for i, factor in enumerate(e.args):
            others = [*e.args[:i], *e.args[i + 1 :]]
            yield DROP_FACTOR, Mul(*others)
            if abs(factor) != 1:
                yield INVERT, Mul(*others, 1 / factor)
    elif isinstance(e, Transpose):
        yield EXPONENT, e.arg
    elif isinstance(e, Pow) and e.exp.is_number:
        once = e.base if e.exp.is_positive else 1 / e.base
        yield from ((EXPONENT, other) for other in (once, Pow(e.base, 2 * e.exp), Pow(e.base, e.exp / 2)) if other != e)
    elif isinstance(e, MatPow):
        yield EXPONENT, e.base
    elif isinstance(e, MatrixSymbol):
        if e.is_square:
            yield EXPONENT, Transpose(e)
    elif isinstance(e, (sp.Symbol, Density)):
        yield EXPONENT, e**2
        yield EXPONENT, sp.sqrt(e)
    elif isinstance(e, Rational):
        yield CONSTANT, Rational(e.p + 1, e.q)
        yield CONSTANT, Rational(e.p - 1, e.q)
        if e.q != 1:
            yield CONSTANT, Rational(e.p, e.q + 1)
            yield CONSTANT, Rational(e.p, e.q - 1)


def shifted(e: Expr) -> Expr:
    """Off by a tenth."""
    if isinstance(e, MatrixExpr):
        return Rational(11, 10) * e
    return Rational(11, 10) * e if e != 0 else Rational(1, 10)


# ---------------------------------------------------------------- letters taken for one another


def confused(formula: Expr, written: set[Expr]) -> Iterator[tuple[str, Expr]]:
    """One letter in the place of another of the same domain, and two exchanged; a density likewise.

    All of them occur in what is ``written``.
    """
    letters = sorted({s for f in written for s in f.free_symbols if is_letter(s)}, key=str)
    bound = {s for s in formula.atoms(sp.Symbol) if s not in formula.free_symbols}
    for a, b in permutations(letters, 2):
        if a in formula.free_symbols and b not in bound and domain(a) == domain(b):
            yield LETTER, formula.xreplace({a: b})
            if b in formula.free_symbols and str(a) < str(b):
                yield LETTER, formula.xreplace({a: b, b: a})
    laws = {q.head: q for f in written for q in f.atoms(Density)}
    for a, b in permutations(sorted(laws.values(), key=str), 2):
        if type(a) is type(b) and a.head[1:] == b.head[1:]:
            yield (
                LETTER,
                formula.replace(lambda e, a=a: isinstance(e, Density) and e.head == a.head, lambda e, b=b: b(*e.slots)),
            )


def is_letter(s: Expr) -> bool:
    return isinstance(s, (sp.Symbol, MatrixSymbol)) and not isinstance(s, sp.Dummy)


def domain(letter: Expr) -> tuple:
    """What values the letter may take, as far as its declaration says."""
    known = letter.shape if isinstance(letter, MatrixSymbol) else tuple(sorted(letter.assumptions0.items()))
    return type(letter), known
