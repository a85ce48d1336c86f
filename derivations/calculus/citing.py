r"""Reasons that rest on another derivation, or on trust.

A cited derivation is followed first, and may not rest on itself.  It may be cited at other letters, ``theorem(f, {x: y, p: q})``, if
these lie in the domain of the letters they replace.
"""

from __future__ import annotations

from collections.abc import Mapping

import sympy as sp
from sympy import Derivative, Expr, Integral

from .deciding import sign, vanishes
from .differentiating import carried_out
from .equalities import averaged, definition, linear, tops
from .notation import Density, Normal
from .steps import Derivation, Followed, Rule, Undefined, cited, unfit
from .witness import inhabit

Letters = Mapping[Expr, Expr]


def said(fact: Followed, at: Letters) -> tuple[Expr, Expr]:
    """What a derivation says of its two ends, at other letters."""
    symbols = {k: sp.sympify(v) for k, v in at.items() if isinstance(k, sp.Symbol)}
    laws = {k: v for k, v in at.items() if isinstance(k, Density)}
    for letter, meaning in symbols.items():
        if problem := unfit(letter, meaning):
            raise Undefined(f"{title(fact.name)} cannot be cited at {letter} = {meaning}: {problem}")
    for density, law in laws.items():
        if type(density) is Density and not isinstance(law, (Density, Normal)):
            raise Undefined(f"{title(fact.name)} cannot be cited at {density} = {law}: not a density")

    def moved(e: Expr) -> Expr:
        e = renamed_laws(fact.spell(e), laws) if laws else fact.spell(e)
        return e.xreplace(symbols)

    return moved(fact.start), moved(fact.end)


def renamed_laws(e: Expr, laws: Letters) -> Expr:
    """Other densities in the place of some, atoms left whole."""
    if isinstance(e, Density):
        return inhabit(e, laws)
    return e.func(*(renamed_laws(a, laws) for a in e.args)) if e.args and e.has(Density) else e


def theorem(derivation: Derivation, at: Letters | None = None) -> Rule:
    """A result proved elsewhere, start = end (or start <= end), put in place of its left-hand side."""

    def proves(rel: str, lhs: Expr, rhs: Expr) -> bool:
        fact = cited(derivation)
        start, end = said(fact, at or {})
        if fact.relation == "=" and isinstance(start, Density):
            return definition("", {start: end}).proves(rel, lhs, rhs)
        replaced = in_place(lhs, start, end)
        if fact.relation == "=":
            if rel != "=":
                return False
            if vanishes(linear(replaced) - linear(rhs)):
                return True
            plain = carried_out(lhs).xreplace({carried_out(start): carried_out(end)})
            return vanishes(linear(plain) - linear(rhs)) or vanishes(averaged(replaced) - averaged(rhs))
        stronger = fact.relation == rel or (fact.relation, rel) in {("<", "<="), (">", ">=")}
        return stronger and lhs == start and vanishes(linear(replaced) - linear(rhs))

    return Rule(title(derivation.__name__), proves, key=("theorem", derivation, *(at or {}).items()), again=_at(theorem, derivation, at))


def in_place(e: Expr, start: Expr, end: Expr) -> Expr:
    """e with end for start, which may be some of the factors of a product."""
    parts = set(sp.Mul.make_args(start))
    if len(parts) > 1:
        e = e.replace(lambda n: isinstance(n, sp.Mul) and parts <= set(n.args), lambda n: n / start * end)
    return e.xreplace({start: end})


def rearranging(derivation: Derivation, at: Letters | None = None) -> Rule:
    """An equation proved elsewhere, times a factor of certain sign, added to one side."""

    def proves(rel: str, lhs: Expr, rhs: Expr) -> bool:
        fact = cited(derivation)
        start, end = said(fact, at or {})
        equation = linear(start) - linear(end)
        gap = linear(lhs) - linear(rhs)
        for factor in factors_between(gap, equation):
            if sign(factor) and vanishes(gap - factor * equation):
                return rel == fact.relation == "="
        return False

    key = ("rearranging", derivation, *(at or {}).items())
    return Rule(f"solving {title(derivation.__name__)}", proves, key=key, again=_at(rearranging, derivation, at))


def factors_between(gap: Expr, equation: Expr):
    """Candidates for gap / equation: ratios of the coefficients of what both contain."""
    kinds = (Integral, Density, Derivative)
    for atom in sorted(tops(gap, kinds) & tops(equation, kinds), key=str):
        t = sp.Dummy()
        g, e = (sp.diff(side.xreplace({atom: t}), t) for side in (gap, equation))
        if e != 0 and not (g / e).has(t):
            yield sp.cancel(sp.together(g / e))


def using(derivation: Derivation, at: Letters | None = None) -> Rule:
    """An inequality proved elsewhere, added to both sides."""

    def proves(rel: str, lhs: Expr, rhs: Expr) -> bool:
        fact = cited(derivation)
        small, large = said(fact, at or {})
        if fact.relation in (">=", ">"):
            small, large = large, small
        gap = {"<=": rhs - lhs, ">=": lhs - rhs, "<": rhs - lhs, ">": lhs - rhs}.get(rel)
        if gap is None or fact.relation == "=" or (rel in ("<", ">") and fact.relation not in ("<", ">")):
            return False
        return vanishes(linear(gap) - linear(large - small))

    return Rule(title(derivation.__name__), proves, key=("using", derivation, *(at or {}).items()), again=_at(using, derivation, at))


def _at(rule, derivation: Derivation, at: Letters | None):
    """The same citation with the letters of the citing page spelled out."""
    return (lambda spell: rule(derivation, {k: spell(sp.sympify(v)) for k, v in at.items()})) if at else None


def title(name: str) -> str:
    return name.replace("_", " ")


def granted(reason: str, reference: str) -> Rule:
    """A step that this calculus cannot prove: printed with a dagger and its reference, and only the witness tries to refute it."""
    return Rule(reason, lambda *_: True, reference, ("granted", reference))


__all__ = ["granted", "rearranging", "theorem", "using"]
