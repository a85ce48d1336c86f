r"""Reasons for an equality: algebra, definitions, and what integrals and expectations do.

A rule sees both sides of a step with letters spelled out and atoms intact.  It answers whether it proves the step; it
knows nothing of the witness.  What a rule takes for granted is said in its ``granted`` text and printed with the
page.  Throughout, the integrals that a page writes down are assumed to exist.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import sympy as sp
from sympy import Add, Derivative, Expr, Integral, MatrixSymbol, Mul, Sum, exp, log, oo, pi, sqrt

from .deciding import vanishes
from .notation import (
    Average,
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
from .signs import fit, length, on_the_line, sign
from .steps import Rule, unfit
from .witness import inhabit


def equality(name: str, normal: Callable[[Expr], Expr], granted: str = "", key: tuple | None = None) -> Rule:
    """Both sides have the same normal form."""
    return Rule(name, lambda rel, lhs, rhs: rel == "=" and vanishes(normal(lhs) - normal(rhs)), granted, key)


algebra = equality("algebra", spelled_out, key=("algebra",))


def called(name: str, rule: Rule = algebra) -> Rule:
    """The same rule under the name that a lecturer would give it here."""
    return replace(rule, name=name, again=rule.again and (lambda spell: called(name, rule.in_letters(spell))))


# ---------------------------------------------------------------- linearity


def linear(e: Expr) -> Expr:
    """Split integrals and sums over terms, and take constants out of them."""
    e = spelled_out(e)

    def split(whole: Expr) -> Expr:
        letters, f = whole.variables, flat(linear(whole.function))
        terms = (t.as_independent(*letters, as_Add=False) for t in Add.make_args(f))
        return Add(*(c * (counted(whole) if g == 1 else whole.func(g, *whole.limits)) for c, g in terms))

    def counted(whole: Expr) -> Expr:
        """A sum of ones is the number of its terms."""
        _, a, b = whole.limits[0]
        plain = isinstance(whole, Sum) and len(whole.limits) == 1 and sign(b - a + 1, weak=True) > 0
        return b - a + 1 if plain else whole.func(1, *whole.limits)

    return e.replace(lambda n: isinstance(n, (Integral, Sum)), split) if e.has(Integral, Sum) else e


def flat(f: Expr) -> Expr:
    """f multiplied out; exponentials, densities and roots stay whole, logs are split where factors are positive."""
    tokens = {n: sp.Dummy(positive=True) for n in tops(f, (exp, Density, Integral, Derivative))}
    signed = {n: sp.Dummy(real=True) for n in tokens if isinstance(n, (RealFunction, Integral, Derivative))}
    tokens |= signed
    f = sp.expand_log(f.xreplace(tokens))
    fit(length(f))
    f = sp.expand(f, power_exp=False, power_base=False, log=False)
    return f.xreplace({letter: n for n, letter in tokens.items()})


def tops(f: Expr, kinds) -> set[Expr]:
    """The outermost parts of f of the given kinds."""
    return {f} if isinstance(f, kinds) else set().union(*(tops(a, kinds) for a in f.args), set())


def averaged(e: Expr, further: Callable[[Expr], Expr] = lambda e: e) -> Expr:
    """Expectations split over terms, constants taken out; the mean of a constant is that constant."""
    if isinstance(e, Average) and not isinstance(e, Expectation):
        return averaged(e.spell(), further)
    if isinstance(e, Expectation):
        f = flat(averaged(e.f, further).replace(is_log_normal, lambda n: n.args[0].log()))
        terms = (t.as_independent(*variables(e.q), as_Add=False) for t in Add.make_args(f))
        return Add(*(c * mean_of_product(e.q, g, further) for c, g in terms))
    if isinstance(e, (Integral, Derivative)) or not e.args or isinstance(e, (Density, Normal)):
        return e
    return e.func(*(averaged(a, further) for a in e.args))


def mean_of_product(q: Expr, g: Expr, further: Callable[[Expr], Expr]) -> Expr:
    """E(q, g): variables that do not occur integrate to one, independent factors have means of their own."""
    laws = list(Mul.make_args(q))
    while idle := [p for p in laws if not any(set(variables(p)) & r.free_symbols for r in [g, *laws] if r is not p)]:
        laws.remove(idle[0])
    if not laws:
        return g
    groups: list[tuple[set, list]] = []
    for piece in [*laws, *Mul.make_args(g)]:
        letters = piece.free_symbols & set().union(*(variables(p) for p in laws))
        touching = [group for group in groups if group[0] & letters]
        groups = [group for group in groups if group not in touching]
        groups.append((letters.union(*(t[0] for t in touching)), [x for t in touching for x in t[1]] + [piece]))
    parts = []
    for _, pieces in groups:
        mine = Mul(*(p for p in pieces if p in laws))
        parts.append(further(E(mine, Mul(*(p for p in pieces if p not in laws)))))
    return Mul(*parts)


def is_log_normal(e: Expr) -> bool:
    return isinstance(e, log) and isinstance(e.args[0], Normal)


def _linearity(rel: str, lhs: Expr, rhs: Expr) -> bool:
    return rel == "=" and (vanishes(averaged(lhs) - averaged(rhs)) or vanishes(linear(lhs) - linear(rhs)))


linearity = Rule("linearity", _linearity, key=("linearity",))
independence = Rule("independence", _linearity, key=("linearity",))


def _moment(e: Expr) -> Expr:
    """The mean of a polynomial in a Gaussian variable on which no other law depends."""
    for law in Mul.make_args(e.q):
        others = Mul(*(p for p in Mul.make_args(e.q) if p != law))
        if isinstance(law, Normal) and law.x not in others.free_symbols and e.f.is_polynomial(law.x):
            moments = [sp.S.One, law.mean]
            weights = sp.Poly(e.f, law.x).all_coeffs()[::-1]
            for k in range(2, len(weights)):
                moments.append(law.mean * moments[-1] + (k - 1) * law.variance * moments[-2])
            value = Add(*(w * m for w, m in zip(weights, moments, strict=False)))
            return averaged(E(others, value), _moment) if others != 1 else value
    return e


gaussian_moments = equality("moments of a Gaussian", lambda e: averaged(e, _moment), key=("gaussian moments",))


def tower(outer: Density, inner: Density, bayes: Rule, prior: Expr, step: Expr) -> Rule:
    """Averaging over `inner`, then `outer`, is averaging over `step`, then `prior`: both are the joint law."""

    def one(e: Expr) -> Expr:
        nested = isinstance(e.f, Expectation) and e.q == outer and e.f.q == inner
        return E(prior, e.f.f) if nested and not e.f.f.has(*outer.variables) else e

    def proves(rel: str, lhs: Expr, rhs: Expr) -> bool:
        laws = is_law(outer * inner) and is_law(prior * step) and set(variables(step)) == set(outer.variables)
        same_joint = laws and bayes.proves("=", outer * inner, prior * step)
        return rel == "=" and same_joint and vanishes(averaged(lhs, one) - averaged(rhs, one))

    def again(spell):
        return tower(outer, inner, bayes.in_letters(spell), spell(prior), spell(step))

    key = bayes.key and ("tower", outer, inner, bayes, prior, step)
    return replace(bayes, name="total expectation", proves=proves, key=key, again=again)


# ---------------------------------------------------------------- definitions


def definition(name: str, facts: Mapping[Expr, Expr], reference: str = "") -> Rule:
    """Both sides agree once the left-hand sides of `facts` are spelled out, whatever letters stand in their slots.

    With a reference it is a fact taken on trust, and is printed with a dagger.
    """
    from .differentiating import carried_out

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
        variance, mean = -1 / (2 * a), -b / (2 * a)
        moments = [sp.S.One, mean]
        for k in range(2, sp.degree(front, x) + 1):
            moments.append(mean * moments[-1] + (k - 1) * variance * moments[-2])
        weights = reversed(sp.Poly(front, x).all_coeffs())
        total = Add(*(w * m for w, m in zip(weights, moments, strict=False)))
        return sqrt(2 * pi * variance) * exp(c - b**2 / (4 * a)) * total

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
    """The factors of a joint law of vectors, each given only later ones; nothing if q is not certainly such a law."""
    laws = list(Mul.make_args(q))
    if not all(
        isinstance(p, VectorNormal) and isinstance(p.x, MatrixSymbol) and p.x not in p.mean.free_symbols for p in laws
    ):
        return []
    names = {p.x for p in laws}
    if len(names) < len(laws) or any(names & p.variance.free_symbols for p in laws):
        return []
    left = list(laws)
    while first := [p for p in left if not any(p.x in r.mean.free_symbols for r in left)]:
        left = [p for p in left if p not in first]
    return [] if left else laws


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
    "averaged",
    "called",
    "change_of_variables",
    "completing_the_square",
    "definition",
    "equality",
    "gaussian_integral",
    "gaussian_moments",
    "independence",
    "linear",
    "linearity",
    "normalised",
    "tower",
]
