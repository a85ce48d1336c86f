r"""Reasons for finite sums and products: telescoping, induction, logarithms, factorials."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import sympy as sp
from sympy import Add, Expr, Mul, Pow, Product, Sum, exp, log

from .deciding import vanishes
from .equalities import equality
from .expanding import linear
from .notation import Density, spelled_out
from .signs import sign
from .steps import Derivation, Rule, cited, unfit


def _telescoping(rel: str, lhs: Expr, rhs: Expr) -> bool:
    if rel != "=" or not isinstance(lhs, (Sum, Product)) or len(lhs.limits) != 1:
        return False
    t, a, b = lhs.limits[0]
    if sign(b - a + 1, weak=True) <= 0:
        return False
    f = spelled_out(lhs.function)
    for g in potentials(lhs.func, f, t):
        before, last, first = (g.xreplace({t: place}) for place in (t - 1, b, a - 1))
        if isinstance(lhs, Sum) and vanishes(f - (g - before)) and vanishes(rhs - (last - first)):
            return True
        if isinstance(lhs, Product) and vanishes(f - g / before) and vanishes(rhs - last / first):
            return True
    return False


def potentials(kind: type, f: Expr, t: sp.Symbol) -> Iterator[Expr]:
    """Candidates g with f(t) = g(t) - g(t - 1), or g(t) / g(t - 1): some of the terms, or factors, of f."""
    join = Add if kind is Sum else Mul
    for form in dict.fromkeys((f, sp.expand(f) if kind is Sum else sp.factor(f))):
        terms = join.make_args(form)
        for k in range(1, 2 ** min(len(terms), 10) - 1):
            yield join(*(term for i, term in enumerate(terms) if k >> i & 1))


telescope = Rule("telescoping", _telescoping, key=("telescoping",))


def induction(over: sp.Symbol, base: Mapping | None = None, step: Mapping | None = None) -> Rule:
    """Sum = F(T) for all T: true of the empty sum, and both sides grow alike from T - 1 to T; so for products.

    ``base`` and ``step`` are facts about the first and the last term, used in the two cases.
    """
    base, step = dict(base or {}), dict(step or {})
    if stray := [e for e in (*base, *step) if not isinstance(e, Density)]:
        raise TypeError(f"{stray[0]} is not a value of an unspecified function: there are no facts about it")

    def proves(rel: str, lhs: Expr, rhs: Expr) -> bool:
        if rel != "=" or not isinstance(lhs, (Sum, Product)) or lhs.limits[0][2] != over:
            return False
        t, a, _ = lhs.limits[0]
        if over in (a.free_symbols | lhs.function.free_symbols) or sign(over - a + 1, weak=True) <= 0:
            return False
        f = lhs.function.xreplace({t: over})
        empty, before = rhs.xreplace({over: a - 1}), rhs.xreplace({over: over - 1})
        if isinstance(lhs, Product):
            return vanishes(empty.xreplace(base) - 1) and vanishes((rhs - before * f).xreplace(step))
        return vanishes(empty.xreplace(base)) and vanishes((rhs - before - f).xreplace(step))

    def again(spell):
        return induction(
            over, {k: spell(sp.sympify(v)) for k, v in base.items()}, {k: spell(sp.sympify(v)) for k, v in step.items()}
        )

    facts = (*base.items(), *step.items())
    return Rule(f"induction on {over}", proves, key=("induction", over, *facts), again=again, facts=facts)


def by_induction(over: sp.Symbol, first: Derivation, next: Derivation, along: Mapping | None = None) -> Rule:
    """left = right for n = 0, 1, 2, ...: ``first`` proves it at 0, ``next`` that left at n + 1 is left at n.

    ``along`` says how other letters move on the way from n + 1 to n.
    """
    along = dict(along or {})

    def proves(rel: str, lhs: Expr, rhs: Expr) -> bool:
        base, step = cited(first), cited(next)
        counts = over.is_integer and over.is_nonnegative and not over.is_positive  # 0 is one of its values
        if (
            not counts
            or over in along
            or {rel, base.relation, step.relation} != {"="}
            or any(unfit(s, e) for s, e in along.items())
        ):
            return False
        zero, up = {over: sp.S.Zero}, {over: over + 1}
        pairs = [(lhs.xreplace(zero), base.spell(base.start)), (rhs.xreplace(zero), base.spell(base.end))]
        pairs += [(lhs.xreplace(up), step.spell(step.start)), (lhs.xreplace(along), step.spell(step.end))]
        return all(vanishes(linear(a) - linear(b)) for a, b in [*pairs, (rhs.xreplace(up), rhs.xreplace(along))])

    key = ("by induction", over, first, next, *along.items())
    return Rule(f"induction on {over}", proves, key=key, rests_on=(first, next))


def log_of(e: Expr) -> Expr | None:
    """The logarithm of a product, term by term, or None if a factor may not be positive."""
    if isinstance(e, Mul):
        parts = [log_of(a) for a in e.args]
        return None if None in parts else Add(*parts)
    if isinstance(e, Product):
        inside = log_of(e.function)
        return None if inside is None else Sum(inside, *e.limits)
    if sign(e.base if isinstance(e, Pow) else e) <= 0:
        return None
    return e.args[0] if isinstance(e, exp) else e.exp * log(e.base) if isinstance(e, Pow) else log(e)


def _logarithms(rel: str, lhs: Expr, rhs: Expr) -> bool:
    left, right = log_of(lhs), log_of(rhs)
    return rel == "=" and left is not None and right is not None and vanishes(linear(left) - linear(right))


logarithms = Rule("taking logarithms", _logarithms, key=("logarithms",))


def _factorials(e: Expr) -> Expr:
    """Binomial coefficients by factorials, and (n + 2)! as (n + 2) (n + 1) n!."""

    def lowered(whole: Expr) -> Expr:
        above, n = whole.args[0].as_coeff_Add()
        return (
            Mul(sp.factorial(n), *(n + i for i in range(1, above + 1)))
            if above.is_Integer and n.is_nonnegative
            else whole
        )

    def quotient(whole: Expr) -> Expr:
        n, k = whole.args
        inside = k.is_nonnegative and (n - k).is_nonnegative
        return sp.factorial(n) / (sp.factorial(k) * sp.factorial(n - k)) if inside else whole

    e = spelled_out(e).replace(lambda n: isinstance(n, sp.binomial), quotient)
    return e.replace(lambda n: isinstance(n, sp.factorial), lowered)


factorials = equality("n! = n (n − 1)!", _factorials, key=("factorials",))

__all__ = ["by_induction", "factorials", "induction", "logarithms", "telescope"]
