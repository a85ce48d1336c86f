r"""Forms to which both sides of a step are brought, so that they can be compared.

linear(e)         integrals and sums split over their terms, constants in front
averaged(e)       the same for means, whose laws integrate to one
carried_out(e)    derivatives taken
"""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce

import sympy as sp
from sympy import Add, Derivative, Expr, Integral, Mul, Sum, exp, log

from .notation import Average, Density, E, Expectation, Normal, RealFunction, spelled_out, variables
from .signs import fit, length, sign


def linear(e: Expr) -> Expr:
    """Split integrals and sums over terms, and take constants out of them."""
    e = spelled_out(e)

    def split(whole: Expr) -> Expr:
        letters, f = whole.variables, flat(linear(whole.function))
        terms = (t.as_independent(*letters, as_Add=False) for t in Add.make_args(f))
        return Add(*(c * (counted(whole) if g == 1 else term_by_term(whole.func(g, *whole.limits))) for c, g in terms))

    def term_by_term(whole: Expr) -> Expr:
        """The integral of a finite sum is the sum of the integrals."""
        sums = [t for t in Mul.make_args(whole.function) if isinstance(t, Sum)]
        if not isinstance(whole, Integral) or len(sums) != 1 or not ends_stay(sums[0], whole):
            return whole
        return Sum(split(Integral(whole.function / sums[0] * sums[0].function, *whole.limits)), *sums[0].limits)

    def ends_stay(inner: Sum, whole: Integral) -> bool:
        """Are the letters of a sum its own, and its ends no matter of what is integrated over?"""
        others = (whole.function / inner).free_symbols | set().union(*(set(limit) for limit in whole.limits))
        ends = set().union(*(end.free_symbols for _, *limit in inner.limits for end in limit))
        finite = not any(end.is_infinite for _, *limit in inner.limits for end in limit)
        return finite and not others & set(inner.variables) and not ends & set(whole.variables)

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


def carried_out(e: Expr) -> Expr:
    """Every derivative taken, except of unspecified densities and integrals: limits are not exchanged in passing."""
    e = spelled_out(e)
    return e.replace(lambda n: isinstance(n, Derivative) and not isinstance(n.expr, (Density, Integral)), rate)


def rate(n: Derivative) -> Expr:
    """The derivative, with those of integrals and sums left standing."""
    return reduce(lambda e, v: slope(e, v, lambda i: Derivative(i, v, evaluate=False)), n.variables, n.expr)


def slope(e: Expr, v: sp.Symbol, inner: Callable[[Expr], Expr]) -> Expr:
    """The derivative of e in v, where the integrals and sums in it have the derivatives that ``inner`` gives."""
    held = {sp.Function(f"I{k}")(v): i for k, i in enumerate(tops(e, (Integral, Sum))) if v in i.free_symbols}
    rates = {Derivative(f, v): inner(i) for f, i in held.items()}
    return e.xreplace({i: f for f, i in held.items()}).diff(v).xreplace(rates).xreplace(held)
