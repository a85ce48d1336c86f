r"""Reasons from the calculus: derivatives, limits, Taylor's formula, integration by parts."""

from __future__ import annotations

import sympy as sp
from sympy import Add, Derivative, Expr, Integral, Mul, Pow, Product, Sum, exp, log, oo
from sympy.core.symbol import Str

from .deciding import vanishes
from .equalities import equality
from .expanding import carried_out, linear, slope
from .notation import Density, Expectation, UnitSymbol, spelled_out
from .signs import chart, domain_gap, sign
from .steps import Rule

# ---------------------------------------------------------------- derivatives


differentiation = equality("differentiation", carried_out, key=("differentiation",))


def under_the_integral(parameter: sp.Symbol) -> Rule:
    """d/dy of an integral of f(x) exp(quadratic in x and y) is the integral of the derivative.

    Differentiation passes under the integral sign when the parameter enters through a Gaussian factor only: all of
    its derivatives are then bounded by an integrable function, locally uniformly.
    """

    def normal(e: Expr) -> Expr:
        def inward(n: Derivative) -> Expr:
            inside = linear(n.expr)
            moving = [i for i in inside.atoms(Integral) if i.has(parameter)]
            if any(v != parameter for v in n.variables) or not all(dominated(i, parameter) for i in moving):
                return n
            for _ in n.variables:
                inside = linear(slope(inside, parameter, lambda i: i.func(i.function.diff(parameter), *i.limits)))
            return inside

        return linear(spelled_out(e).replace(lambda n: isinstance(n, Derivative) and n.expr.has(Integral), inward))

    key = ("under the integral", parameter)
    return equality("differentiating under the integral", lambda e: linear(carried_out(normal(e))), key=key)


def dominated(whole: Integral, parameter: sp.Symbol) -> bool:
    """Does the parameter enter through a Gaussian factor alone, beside a density and a polynomial?"""
    if len(whole.limits) != 1:
        return False
    x, *bounds = whole.limits[0]
    factors = Mul.make_args(whole.function)
    inside = [t for t in factors if t.has(parameter)]
    power = Add(*(t.args[0] for t in inside if isinstance(t, exp)))
    front = Mul(*(t for t in inside if not isinstance(t, exp)))
    tail = Add(*(t.args[0] for t in factors if isinstance(t, exp)))
    bottom = sp.fraction(sp.together(tail))[1]
    quadratic = tail.is_polynomial(x) and sp.degree(sp.expand(tail), x) == 2 and sign(sp.expand(tail).coeff(x, 2)) < 0
    others = [t for t in factors if not t.has(parameter) and not isinstance(t, exp)]
    tame = all((isinstance(t, Density) and t.variables == (x,)) or t.is_polynomial(x) for t in others)
    polynomial = front.is_polynomial(x, parameter) and power.is_polynomial(x, parameter)
    return bounds == [-oo, oo] and not bottom.has(x) and quadratic and tame and polynomial


def by_parts(g: Expr, x: sp.Symbol) -> Rule:
    """Integration by parts, told: both sides differ by the integral of dg/dx, which is zero if g vanishes far out.

    A letter of (0, 1) runs over that segment: then the integral is g(1) - g(0), and nothing is granted.
    """
    unit = isinstance(x, UnitSymbol)
    limits = (x, 0, 1) if unit else (x, -oo, oo)

    def proves(rel: str, lhs: Expr, rhs: Expr) -> bool:
        whole = spelled_out(g)
        slope = sp.powsimp(carried_out(Derivative(whole, x)), combine="exp")
        ends = whole.xreplace({x: sp.S.One}) - whole.xreplace({x: sp.S.Zero}) if unit else sp.S.Zero
        if domain_gap(slope) or domain_gap(ends) or ends.has(sp.zoo, sp.nan, oo):
            return False
        gap = linear(carried_out(lhs)) - linear(carried_out(rhs)) - linear(Integral(slope, limits)) + ends
        return rel == "=" and (vanishes(gap) or vanishes(linear(sp.expand(gap))))

    def again(spell):
        return by_parts(spell(g), x)

    granted = "" if unit else "the boundary terms of an integration by parts vanish"
    return Rule("fundamental theorem" if unit else "by parts", proves, granted, ("by parts", g, x), again)


def _antiderivative(whole: Integral) -> Expr:
    z, a, b = whole.limits[0]
    f = sp.expand(whole.function)
    if a in (-oo, oo) or b in (-oo, oo) or len(whole.limits) > 1 or f.has(Density, Integral):
        return whole
    simple = all(isinstance(g, (exp, sp.sin, sp.cos)) and g.args[0].diff(z, 2) == 0 for g in f.atoms(sp.Function))
    if not simple:
        return whole
    F = sp.integrate(f, z)
    smooth = all(isinstance(g, (exp, log, sp.sin, sp.cos)) for g in F.atoms(sp.Function)) and not domain_gap(F)
    if F.has(Integral, sp.Piecewise) or not smooth or not vanishes(F.diff(z) - f):
        return whole
    return F.xreplace({z: b}) - F.xreplace({z: a})


def elementary_integral() -> Rule:
    """The fundamental theorem over a segment: an antiderivative is found, then differentiated back; it may not jump."""

    def normal(e: Expr) -> Expr:
        return spelled_out(e).replace(lambda n: isinstance(n, Integral), _antiderivative)

    return equality("antiderivative", normal, key=("antiderivative",))


# ---------------------------------------------------------------- limits and orders


def side_of(letter: sp.Symbol, target: Expr) -> str:
    """From where a letter may approach its target, as SymPy writes it."""
    if target in (oo, -oo) or (isinstance(letter, UnitSymbol) and target == 1):
        return "-"
    return "+" if letter.is_nonnegative and target == 0 else "+-"


def limit_of(e: Expr, letter: sp.Symbol, target: Expr) -> Expr:
    """The limit of an elementary expression from where the letter may come; nan if SymPy does not find one."""
    try:
        value = sp.limit(e, letter, target, side_of(letter, target))
    except (ValueError, NotImplementedError):  # two different sides, or no algorithm
        return sp.nan
    return sp.nan if value.has(sp.AccumBounds, sp.Limit, oo, -oo, sp.zoo) else value


def limit() -> Rule:
    """The limit of an elementary expression; what is integrated or summed may not contain the letter."""

    def proves(rel, lhs: Expr, rhs: Expr) -> bool:
        if rel[0] != "->":
            return False
        _, letter, target, _ = rel
        lhs, rhs = spelled_out(lhs), spelled_out(rhs)
        if held_back(lhs, letter) or letter in rhs.free_symbols:
            return False
        others = {u: r for u, r in chart(lhs + rhs).items() if u != letter}
        value = limit_of(lhs.xreplace(others), letter, target)
        return value is not sp.nan and vanishes(value - rhs.xreplace(others))

    return Rule("limit", proves, key=("limit",))


def taylor(uniformly: str = "") -> Rule:
    """Taylor's formula at zero: the terms below the stated order are as printed, and the rest is O(letter^order).

    An unspecified function may have the letter in its slots, f(x + t): it is smooth, and its derivatives follow from
    the chain rule.  Under an expectation or an integral the remainder has to be integrable, which is taken on trust:
    ``uniformly`` says why.
    """

    def proves(rel, lhs: Expr, rhs: Expr) -> bool:
        if rel[0] != "~":
            return False
        if uniformly and type(lhs) is type(rhs) and isinstance(lhs, (Expectation, Integral)):
            f, g = (e.f if isinstance(e, Expectation) else e.function for e in (lhs, rhs))
            law, other = (e.q if isinstance(e, Expectation) else e.args[1:] for e in (lhs, rhs))
            return law == other and rel[1] not in sp.Tuple(law).free_symbols and proves(rel, f, g)
        _, t, _, order = rel
        gap = spelled_out(lhs - rhs)
        if any(t in whole.free_symbols for whole in gap.atoms(Integral, Sum, Product)):
            return False
        smooth = is_smooth(gap, t)
        if gap.has(Density) and not smooth:
            return False
        gap = as_functions(gap)
        for k in range(order + 1):  # the last derivative need not vanish, but it has to stay finite
            value = at_zero(gap, t) if smooth else limit_of(gap, t, sp.S.Zero)
            if value.has(sp.nan, sp.zoo) or (k < order and not vanishes(value)):
                return False
            gap = gap.diff(t)
        return True

    return Rule("Taylor", proves, uniformly, ("taylor", uniformly))


def is_smooth(e: Expr, t: sp.Symbol) -> bool:
    """Is e certainly a smooth function of t around zero?"""
    if t not in e.free_symbols or e == t:
        return True
    if isinstance(e, Derivative):
        return t not in e.variables and is_smooth(e.expr, t)
    if isinstance(e, (Pow, log)) and not (isinstance(e, Pow) and e.exp.is_Integer and e.exp > 0):
        base = sign(e.args[0].xreplace({t: sp.S.Zero}))
        if base == 0 or (base < 0 and not (isinstance(e, Pow) and e.exp.is_Integer)):
            return False
    smooth = isinstance(e, (Add, Mul, Pow, exp, log, sp.sin, sp.cos, Density, sp.Tuple))
    return smooth and all(is_smooth(a, t) for a in e.args if not isinstance(a, Str))


def at_zero(e: Expr, t: sp.Symbol) -> Expr:
    """The value at t = 0, where f'(x + t) is f'(x)."""
    return e.subs(t, 0).replace(lambda n: isinstance(n, sp.Subs), lambda n: n.doit())


def as_functions(e: Expr) -> Expr:
    """Unspecified functions as functions to which SymPy applies the chain rule, and the derivatives in e taken."""
    if isinstance(e, Density):
        return sp.Function("f" + repr(e.head))(*e.slots)
    if isinstance(e, Derivative):
        return as_functions(e.expr).diff(*e.args[1:])
    return e.func(*map(as_functions, e.args)) if e.args and e.has(Density, Derivative) else e


def held_back(e: Expr, letter: sp.Symbol) -> bool:
    """Does an integral, a sum, or an unspecified function contain the letter?"""
    return any(letter in i.free_symbols for i in e.atoms(Integral, Sum, Product, Density, Expectation))


__all__ = ["by_parts", "differentiation", "elementary_integral", "limit", "taylor", "under_the_integral"]
