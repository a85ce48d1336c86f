r"""The LaTeX of an expression, as a lecturer would write it.

Factors stand in the order of the blackboard: numbers, roots, letters, variables, brackets, densities, averages,
logarithms.  Brackets stand where a reader needs them: every formula knows how tightly it holds together.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import IntEnum

import sympy as sp
from sympy import Add, Derivative, Expr, Integral, Mul, Pow, Product, Sum, log, oo

from ..calculus import notation as atoms
from ..calculus.notation import Average, Density, Normal


class Level(IntEnum):
    """How tightly a formula holds together."""

    SUM = 0  # a + b, -a
    PRODUCT = 1  # a b, and a sum sign with what it sums
    POWER = 2
    PREFIX = 3  # log a, a derivative
    FRACTION = 4
    ATOM = 5  # a letter, a number, a call, anything in brackets


SUM, PRODUCT, POWER, PREFIX, FRACTION, ATOM = Level


class Tex(str):
    """A formula in LaTeX."""

    level: Level

    def __new__(cls, text: str, level: Level = ATOM) -> Tex:
        formula = super().__new__(cls, text)
        formula.level = level
        return formula


def bracket(inside: str, left: str = "(", right: str = ")") -> Tex:
    """Brackets of the height of what they hold."""
    tall = re.search(r"\\(frac|int|sum|prod|binom|left)", inside)
    return Tex(rf"\left{left}{inside}\right{right}" if tall else f"{left}{inside}{right}")


def fit(e: Expr | Tex, level: Level) -> Tex:
    """A formula, in brackets if it holds together less tightly than its place demands."""
    formula = e if isinstance(e, Tex) else tex(e)
    return formula if formula.level >= level else bracket(formula)


def call(name: str, inside: str, brackets: str = "()") -> Tex:
    """A name and its argument in brackets, close together."""
    held = bracket(inside, *brackets)
    return Tex(name + r"\!" * held.startswith(r"\left") + held)


# ---------------------------------------------------------------- order

HALF = sp.Rational(1, 2)
LONG = (Integral, Product, Sum)
HEAVY = (*LONG, Average, Density, Derivative, Normal, atoms.Quadratic, log)
PLAIN = (atoms.RealFunction, atoms.UnitFunction)


def rank(factor: Expr) -> tuple:
    """The place of a factor in a product."""
    base = factor.base if isinstance(factor, Pow) else factor
    variable = any(not getattr(s, "is_positive", False) for s in base.free_symbols)
    places = (
        (0, base.is_number),
        (9, isinstance(base, (Sum, Product))),
        (8, isinstance(base, (log, Derivative))),
        (7, isinstance(base, (Average, Integral))),
        (6, isinstance(base, Normal) or (isinstance(base, Density) and base.of)),
        (5 if variable else 3, isinstance(base, Add)),
        (4, variable),
        (1, isinstance(factor, Pow) and not factor.exp.is_Integer),
        (2, True),
    )
    place = next(place for place, here in places if here)
    return place, not isinstance(base, Normal), "\\" not in str(base), str(base)


def weight(term: Expr) -> int:
    """The place of a term in a sum, by its longest part."""
    means = (atoms.Expectation, atoms.Variance, atoms.Covariance)
    kinds = ((atoms.Divergence,), (*means, *LONG), (log,), (atoms.Entropy,), (Derivative, Normal))
    call = any(q.of for q in term.atoms(Density))
    return next((len(kinds) - i for i, kind in enumerate(kinds) if term.has(*kind)), int(call))


def terms(e: Expr) -> list[Expr]:
    """The terms of a sum: numbers and what is short first, averages last, and a plus sign at the front."""

    def place(t: Expr) -> tuple:
        size = -t if negative(t) else t
        short = 0 if weight(t) or isinstance(e, sp.MatAdd) else sp.count_ops(size)
        return weight(t), not t.is_number, short, tex(size)

    found = sorted(e.args, key=place)
    if any(map(weight, found)):
        return sorted(found, key=negative)
    front = next((t for t in found if not negative(t)), found[0])
    return [front, *(t for t in found if t is not front)]


def negative(e: Expr) -> bool:
    return bool((e.as_coeff_mmul() if isinstance(e, sp.MatMul) else e.as_coeff_Mul())[0].is_negative)


def shared(e: Expr) -> tuple[Expr, Expr]:
    """A denominator that all terms of a sum have in common, and the rest: (1 + a)/2 rather than 1/2 + a/2."""
    if not isinstance(e, Add):
        return sp.S.One, e
    content, rest = e.primitive()
    halves = content.q > 1 and all(t.as_coeff_Mul()[0].q > 1 for t in e.args)
    nested = any(divided(1, Mul.make_args(t))[1] for t in Add.make_args(rest))
    return (content, rest) if halves and not nested else (sp.S.One, e)


def divided(number, factors: Iterable[Expr]) -> tuple[list[Expr], list[Expr]]:
    """The factors above and below the line of a fraction."""
    top, bottom = [], []
    for f in factors:
        below = isinstance(f, Pow) and f.exp.is_Rational and f.exp.is_negative
        (bottom if below else top).append(Pow(f.base, -f.exp) if below else f)
    p, q = sp.fraction(sp.sympify(number))
    return [p] * (p != 1) + top, [q] * (q != 1) + bottom


def one_root(factors: list[Expr]) -> list[Expr]:
    """The root of 2 pi rather than that of 2 beside that of pi."""
    roots = [f for f in factors if f.is_number and f.is_Pow and f.exp == HALF]
    inside = Mul(*(f.base for f in roots), evaluate=False)
    return [Pow(inside, HALF, evaluate=False), *(f for f in factors if f not in roots)] if len(roots) > 1 else factors


# ---------------------------------------------------------------- formulas


CONSTANTS = {sp.pi: Tex(r"\pi"), sp.E: Tex(r"\mathrm e"), oo: Tex(r"\infty"), -oo: Tex(r"-\infty", SUM)}


def tex(e: Expr) -> Tex:
    """The LaTeX of an expression."""
    match e:
        case sp.Symbol() | sp.MatrixSymbol():
            return Tex(e.name)
        case sp.MatrixExpr():
            return matrix(e)
        case _ if e in CONSTANTS:
            return CONSTANTS[e]
        case Add() if shared(e)[0] != 1:
            return product(sp.S.One, [e])
        case Add():
            return Tex(" ".join(signed_terms(e)), SUM)
        case sp.Number() | Mul() if negative(e):
            return Tex(f"-{fit(-e, PRODUCT)}", SUM)
        case sp.Rational() if e.q != 1:
            return product(e, [])
        case sp.Number():
            return Tex(str(e))
        case Mul():
            number, rest = e.as_coeff_Mul()
            return product(number, Mul.make_args(rest))
        case Pow(exp=x) if x.is_Rational and x.is_negative:
            return product(sp.S.One, [e])
        case Pow(base=b, exp=x) if x == HALF:
            return Tex(rf"\sqrt{{{tex(b)}}}")
        case Pow(base=b, exp=x):
            return Tex(f"{fit(b, ATOM)}^{{{exponent(x)}}}", POWER)
        case sp.exp(args=(x,)) if not x.has(Pow, *HEAVY) and sp.fraction(x)[1] == 1:
            return Tex(rf"\mathrm e^{{{tex(x)}}}", POWER)
        case log(args=(x,)):
            return Tex(r"\log" + " " * (tex(x).level >= FRACTION) + fit(x, FRACTION), PREFIX)
        case sp.Abs(args=(x,)):
            return bracket(tex(x), r"\lvert ", r"\rvert")
        case sp.factorial(args=(n,)):
            return Tex(f"{fit(n, ATOM)}!", POWER)
        case sp.binomial(args=(n, k)):
            return Tex(rf"\binom{{{tex(n)}}}{{{tex(k)}}}")
        case sp.gamma(args=(x,)):
            return call(r"\Gamma", tex(x))
        case sp.beta():
            return call(r"\mathrm B", listed(*e.args))
        case sp.Function() | sp.Max() | sp.Min():
            name = type(e).__name__.lower()
            known = name in ("exp", "max", "min", "cos", "sin", "tanh")
            return call(rf"\{name}" if known else rf"\operatorname{{{name}}}", listed(*e.args))
        case Density():
            of, given, at = (listed(*side) for side in e.args[1:])
            name = index(e.name, at)
            return call(name, rf"{of} \mid {given}" if given else of) if of else Tex(name)
        case Normal():
            return call(r"\mathcal N", rf"{tex(e.x)};\, {listed(e.mean, e.variance)}")
        case atoms.Expectation():
            return call(rf"\mathbb E_{{{tex(e.q)}}}", tex(e.f), "[]")
        case atoms.Variance():
            return call(rf"\operatorname{{Var}}_{{{tex(e.q)}}}", tex(e.f), "[]")
        case atoms.Covariance():
            return call(rf"\operatorname{{Cov}}_{{{tex(e.q)}}}", listed(e.f, e.g), "[]")
        case atoms.Divergence():
            return call(r"\mathrm{KL}", rf"{tex(e.q)} \,\|\, {tex(e.f)}")
        case atoms.Entropy(q=q):
            alone = isinstance(q, Density) and len(q.of) == 1 and not q.args[2]
            return call("h", index(q.name, listed(*q.args[3])) if alone else tex(q), "[]")
        case Derivative():
            signs = [rf"\partial_{{{tex(v)}}}" + (f"^{{{n}}}" if n > 1 else "") for v, n in e.variable_count]
            space = " " if isinstance(e.expr, (log, Derivative)) else r"\, "
            return Tex(" ".join(signs) + space + fit(e.expr, PREFIX), PREFIX)
        case Integral():
            ends = ("" if lim[1:] == (-oo, oo) else limits(*lim[1:]) for lim in reversed(e.limits))
            variables = (rf"\,d{tex(z)}" for z in e.variables)
            return Tex(" ".join([*(rf"\int{end}" for end in ends), fit(e.function, PRODUCT), *variables]), FRACTION)
        case Sum() | Product():
            sign = r"\sum" if isinstance(e, Sum) else r"\prod"
            signs = (sign + limits(f"{tex(k)}={tex(a)}", b) for k, a, b in reversed(e.limits))
            return Tex(" ".join([*signs, fit(e.function, PRODUCT)]), PRODUCT)
        case atoms.Quadratic(vector=v):
            return Tex(rf"{fit(v, ATOM)}^\top {fit(e.matrix, POWER)} {fit(v, POWER)}", PRODUCT)
    raise TypeError(f"no way to write {type(e).__name__}: {e}")


def exponent(x: Expr) -> str:
    """n/2 rather than a small fraction."""
    return re.sub(r"^(-?)\\t?frac\{([^{}\s]+)\}\{([^{}\s]+)\}$", r"\1\2/\3", tex(x))


def matrix(e: sp.MatrixExpr) -> Tex:
    """The LaTeX of a matrix expression; its factors stay in their order."""
    match e:
        case sp.MatAdd():
            return Tex(" ".join(signed_terms(e)), SUM)
        case sp.MatMul() if negative(e):
            return Tex(f"-{fit(-e, PRODUCT)}", SUM)
        case sp.MatMul():
            return Tex(" ".join(fit(f, POWER) for f in e.args), PRODUCT)
        case sp.MatPow():
            return Tex(f"{fit(e.base, ATOM)}^{{{tex(e.exp)}}}", POWER)
        case sp.Transpose():
            return Tex(rf"{fit(e.arg, ATOM)}^\top", POWER)
        case sp.Identity() | sp.ZeroMatrix():
            return Tex("I" if isinstance(e, sp.Identity) else "0")
    raise TypeError(f"no way to write {type(e).__name__}: {e}")


def listed(*items: Expr) -> str:
    return r",\, ".join(map(tex, items))


def limits(low, high) -> str:
    """Below and above an integral or a sum."""
    return f"_{{{low if isinstance(low, str) else tex(low)}}}^{{{tex(high)}}}"


def index(name: str, at: str) -> str:
    """The name of a density with its parameter as an index, after the index it may have."""
    stem, _, first = name.partition("_")
    return f"{stem}_{{{first.strip('{}')}, {at}}}" if at and first else f"{name}_{{{at}}}" if at else name


def signed_terms(e: Expr) -> list[Tex]:
    """Each term of a sum with its sign; the first has none if it is positive."""
    found: list[Tex] = []
    for t in terms(e):
        sign = "-" if negative(t) else "+" if found else ""
        found.append(Tex(f"{sign}{' ' if found else ''}{fit(-t if negative(t) else t, PRODUCT)}"))
    return found


def product(number: Expr, factors: Iterable[Expr]) -> Tex:
    """A product; a fraction if something stands below the line, with what is long beside it."""
    contents = [shared(f) for f in factors]
    top, bottom = divided(Mul(number, *(c for c, _ in contents)), [f for _, f in contents if f != 1])
    top, bottom = one_root(top), one_root(bottom)
    if not bottom:
        return side_by_side(top)
    below = Mul(*bottom)

    def apart(f: Expr) -> bool:
        base = f.base if isinstance(f, Pow) else f
        long_sum = below.is_number and isinstance(f, Add) and f.has(Average, log, *LONG)
        return long_sum or (isinstance(base, LONG if below.has(*HEAVY) else HEAVY) and not isinstance(base, PLAIN))

    above, outside = [f for f in top if not apart(f)], [f for f in top if apart(f)]
    small = "t" if below.is_number and all(f.is_number for f in above) else ""
    ratio = Tex(rf"\{small}frac{{{side_by_side(above)}}}{{{side_by_side(bottom)}}}", FRACTION)
    return Tex(rf"{ratio}\, {fit(side_by_side(outside), PRODUCT)}", PRODUCT) if outside else ratio


def side_by_side(factors: Iterable[Expr]) -> Tex:
    """Factors in their order."""
    factors = sorted(factors, key=rank)
    if len(factors) < 2:
        return tex(factors[0]) if factors else Tex("1")
    text = ""
    for before, f, formula in zip([None, *factors], factors, fitted(factors)):
        digit = isinstance(f, Pow) and f.base.is_Integer and f.exp != HALF
        spaced = isinstance(f, HEAVY) or isinstance(before, HEAVY)
        text += ("" if before is None else r" \cdot " if digit else r"\, " if spaced else " ") + formula
    return Tex(text, PRODUCT)


def fitted(factors: list[Expr]) -> list[Tex]:
    """Factors as they stand beside each other: one that is open to the right stands last, or in brackets."""
    found = []
    for f in factors:
        formula = tex(f)
        open_ended = formula.level == PREFIX or isinstance(f, (Sum, Product))
        found.append(formula if open_ended and f is factors[-1] else fit(formula, ATOM if open_ended else POWER))
    return found


def pieces(e: Expr) -> list[str]:
    """What a long line may be broken into: terms with their signs, or factors."""
    if isinstance(e, Add):
        return [*signed_terms(e)]
    factors = sorted(Mul.make_args(e), key=rank)
    if any(f.is_number or divided(1, [f])[1] for f in factors):
        return [tex(e)]
    first, *others = fitted(factors)
    return [first, *(rf"\cdot {formula}" for formula in others)]
