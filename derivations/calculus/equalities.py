r"""Reasons for an equality: algebra, definitions, and what integrals and expectations do.

A rule sees both sides of a step with letters spelled out and atoms intact.  It answers whether it proves the step; it
knows nothing of the witness.  What a rule takes for granted is said in its ``granted`` text and printed with the
page.  Throughout, the integrals that a page writes down are assumed to exist.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import sympy as sp
from sympy import Add, Expr, Integral, MatrixSymbol, Mul, exp, oo, pi, sqrt

from .deciding import vanishes
from .expanding import averaged, carried_out, linear
from .meanings import inhabit
from .notation import (
    Density,
    E,
    Expectation,
    Normal,
    Quadratic,
    RealFunction,
    UnitFunction,
    VectorNormal,
    is_law,
    spelled_out,
    variables,
)
from .signs import on_the_line, sign
from .steps import Rule, unfit


def equality(name: str, normal: Callable[[Expr], Expr], granted: str = "", key: tuple | None = None) -> Rule:
    """Both sides have the same normal form."""
    return Rule(name, lambda rel, lhs, rhs: rel == "=" and vanishes(normal(lhs) - normal(rhs)), granted, key)


algebra = equality("algebra", spelled_out, key=("algebra",))


def called(name: str, rule: Rule = algebra) -> Rule:
    """The same rule under the name that a lecturer would give it here."""
    return replace(rule, name=name, again=rule.again and (lambda spell: called(name, rule.in_letters(spell))))


# ---------------------------------------------------------------- linearity


def _linearity(rel: str, lhs: Expr, rhs: Expr) -> bool:
    return rel == "=" and (vanishes(averaged(lhs) - averaged(rhs)) or vanishes(linear(lhs) - linear(rhs)))


linearity = Rule("linearity", _linearity, key=("linearity",))
independence = Rule("independence", _linearity, key=("linearity",))


def gaussian_mean(f: Expr, x: sp.Symbol, mean: Expr, variance: Expr) -> Expr:
    """The mean of a polynomial in a Gaussian variable, from E x^k = m E x^(k-1) + (k - 1) v E x^(k-2)."""
    weights, moments = reversed(sp.Poly(f, x).all_coeffs()), [sp.S.One, mean]
    for k in range(2, sp.degree(f, x) + 1):
        moments.append(mean * moments[-1] + (k - 1) * variance * moments[-2])
    return Add(*(w * m for w, m in zip(weights, moments, strict=False)))


def _moment(e: Expr) -> Expr:
    """The mean of a polynomial in a Gaussian variable on which no other law depends."""
    for law in Mul.make_args(e.q):
        others = Mul(*(p for p in Mul.make_args(e.q) if p != law))
        if isinstance(law, Normal) and law.x not in others.free_symbols and e.f.is_polynomial(law.x):
            value = gaussian_mean(e.f, *law.args)
            return averaged(E(others, value), _moment) if others != 1 else value
    return e


gaussian_moments = equality("moments of a Gaussian", lambda e: averaged(e, _moment), key=("gaussian moments",))


def tower(outer: Expr, inner: Expr, bayes: Rule, prior: Expr, step: Expr) -> Rule:
    """Averaging over `inner`, then `outer`, is averaging over `step`, then `prior`: both are the joint law."""

    def one(e: Expr) -> Expr:
        nested = isinstance(e.f, Expectation) and e.q == outer and e.f.q == inner
        return E(prior, e.f.f) if nested and not e.f.f.has(*outer.variables) else e

    def proves(rel: str, lhs: Expr, rhs: Expr) -> bool:
        laws = is_law(outer * inner) and is_law(prior * step) and set(variables(step)) == set(outer.variables)
        same_joint = laws and bayes.proves("=", outer * inner, prior * step)
        return rel == "=" and same_joint and vanishes(averaged(lhs, one) - averaged(rhs, one))

    def again(spell):
        return tower(spell(outer), spell(inner), bayes.in_letters(spell), spell(prior), spell(step))

    key = bayes.key and ("tower", outer, inner, bayes, prior, step)
    return replace(bayes, name="total expectation", proves=proves, key=key, again=again)


# ---------------------------------------------------------------- definitions


def definition(name: str, facts: Mapping[Expr, Expr], reference: str = "") -> Rule:
    """Both sides agree once the left-hand sides of `facts` are spelled out, whatever letters stand in their slots.

    With a reference it is a fact taken on trust, and is printed with a dagger.
    """
    for left, right in facts.items():
        letter = isinstance(left, (sp.Symbol, MatrixSymbol))
        if letter and (left in sp.sympify(right).free_symbols or unfit(left, sp.sympify(right))):
            raise TypeError(f"{left} cannot be defined as {right}")
        if not (letter or left.has(Density) or isinstance(left, sp.beta)):
            raise TypeError(f"{left} needs no definition: it is what it is")
    densities = {k: v for k, v in facts.items() if isinstance(k, Density)}
    others = {k: carried_out(v) for k, v in facts.items() if k not in densities}

    def fits(slot: Expr, value: Expr) -> bool:
        return not unfit(slot, value)

    def meaning(e: Expr) -> Expr:
        return carried_out(inhabit(carried_out(e).xreplace(others), densities, fits))

    def inside_out(e: Expr) -> Expr:
        return carried_out(linear(inhabit(spelled_out(e), densities, fits)))

    def proves(rel: str, lhs: Expr, rhs: Expr) -> bool:
        left, right = meaning(lhs), meaning(rhs)
        same = vanishes(left - right) or vanishes(linear(left) - linear(right))
        return rel == "=" and (same or vanishes(inside_out(lhs) - inside_out(rhs)))

    def again(spell):
        return definition(name, {k: spell(v) for k, v in facts.items()}, reference)

    return Rule(name, proves, reference, ("definition", *facts.items()), again, tuple(facts.items()))


def normalised(*densities: Density) -> Rule:
    """Each density integrates to one over all of its variables."""
    for q in densities:
        if not isinstance(q, Density) or isinstance(q, (UnitFunction, RealFunction)):
            raise TypeError(f"{q} is not a density")

    def normal(e: Expr) -> Expr:
        def one(whole: Expr) -> Expr:
            q = whole.function
            ours = is_law(q) and any(isinstance(q, Density) and q.head == p.head for p in densities)
            return sp.S.One if ours and set(whole.variables) == set(q.of) and on_the_line(whole) else whole

        return linear(e).replace(lambda n: isinstance(n, Integral), one)

    name = f"{' and '.join(q.name for q in densities)} integrate{'s' * (len(densities) == 1)} to 1"
    return equality(name, normal, key=("normalised", *densities))


# ---------------------------------------------------------------- integrals


def gaussian_integral(*letters: sp.Symbol) -> Rule:
    """The integral of a polynomial times exp(-a x^2/2 + b x + c), a > 0, over the line, by completing the square."""

    def closed(whole: Expr) -> Expr:
        x, f = whole.variables[0], whole.function
        if len(whole.limits) != 1 or x not in letters or not on_the_line(whole):
            return whole
        powers = [t for t in Mul.make_args(f) if isinstance(t, exp)]
        power, front = Add(*(t.args[0] for t in powers)), Mul(*(t for t in Mul.make_args(f) if t not in powers))
        top, bottom = sp.fraction(sp.together(power))
        if bottom.has(x) or not (top.is_polynomial(x) and front.is_polynomial(x)) or sp.degree(top, x) != 2:
            return whole
        c, b, a = (sp.expand(top).coeff(x, n) / bottom for n in range(3))
        if sign(a) >= 0:
            return whole
        mean = gaussian_mean(front, x, -b / (2 * a), -1 / (2 * a))
        return sqrt(-pi / a) * exp(c - b**2 / (4 * a)) * mean

    def normal(e: Expr) -> Expr:
        before, after = None, linear(e)
        while after != before and after.has(Integral):  # each integral that closes may let the next one close
            before, after = after, linear(after.replace(lambda n: isinstance(n, Integral), one_by_one))
        return after

    def one_by_one(whole: Expr) -> Expr:
        first, *rest = whole.limits
        inner = closed(Integral(whole.function, first))
        return Integral(inner, *rest) if rest else inner

    return equality("Gaussian integral", normal, key=("gaussian integral", *letters))


def completing_the_square(x: Expr) -> Rule:
    """Algebra that ends in a single Gaussian, or a single square, in x.

    Of vectors: two joint laws of the same variables whose exponents agree are equal, because both integrate to one.
    """

    def proves(rel: str, lhs: Expr, rhs: Expr) -> bool:
        gaussians = [t for t in Mul.make_args(rhs) if t.has(x)]
        squares = [t for t in Add.make_args(rhs) if t.has(x)]
        one = len(gaussians) == 1 and isinstance(gaussians[0], Normal) and gaussians[0].x == x
        square = len(squares) == 1 and any(is_square(f) and f.has(x) for f in Mul.make_args(squares[0]))
        if rel == "=" and one and isinstance(x, MatrixSymbol) and (laws := chain(lhs)) and (others := chain(rhs)):
            same = set(variables(lhs)) == set(variables(rhs))
            return same and vanishes(Add(*(q.exponent() for q in laws)) - Add(*(q.exponent() for q in others)))
        return (one or square) and algebra.proves(rel, lhs, rhs)

    return Rule("completing the square", proves, key=("square", x))


def is_square(f: Expr) -> bool:
    return isinstance(f, Quadratic) or (f.is_Pow and f.exp == 2)


def chain(q: Expr) -> list[VectorNormal]:
    """The factors of a joint law of vectors whose covariances do not depend on them; nothing if q is no such law."""
    laws = Mul.make_args(q) if is_law(q) else []
    good = all(isinstance(p, VectorNormal) and not p.variance.free_symbols & set(variables(q)) for p in laws)
    return list(laws) if good else []


def change_of_variables(x: sp.Symbol, image: Expr, u: sp.Symbol) -> Rule:
    """x = a u + b with a of certain sign: the integral of f(x) over the line is that of f(a u + b) |a|."""
    slope = sp.diff(image, u)

    def moved(whole: Expr) -> Expr:
        if len(whole.limits) != 1 or whole.variables[0] != x or not on_the_line(whole) or u in whole.free_symbols:
            return whole
        return Integral(abs_slope * whole.function.xreplace({x: image}), (u, -oo, oo))

    s = sign(slope)
    abs_slope = s * slope

    def proves(rel: str, lhs: Expr, rhs: Expr) -> bool:
        if not s or slope.has(u) or rhs.has(x) or image.has(x):
            return False
        left = linear(linear(lhs).replace(lambda n: isinstance(n, Integral), moved))
        return rel == "=" and vanishes(left - linear(rhs))

    def again(spell):
        return change_of_variables(x, spell(image), u)

    return Rule(f"substituting {x}", proves, key=("change of variables", x, image, u), again=again)


__all__ = [
    "algebra",
    "called",
    "change_of_variables",
    "completing_the_square",
    "definition",
    "gaussian_integral",
    "gaussian_moments",
    "independence",
    "linearity",
    "normalised",
    "tower",
]
