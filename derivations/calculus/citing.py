r"""Reasons that rest on another derivation, or on trust.

A cited derivation is followed first, and may not rest on itself.  It may be cited at other letters, ``theorem(f, {x:
y, p: q})``, if these lie in the domain of the letters they replace.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import sympy as sp
from sympy import Derivative, Expr, Integral

from .deciding import vanishes
from .equalities import definition
from .expanding import averaged, carried_out, linear, tops
from .meanings import inhabit
from .notation import Density, RealFunction, UnitFunction, is_law, variables
from .signs import domain_gap, sign
from .steps import Derivation, Followed, Rule, Undefined, cited, unfit

Letters = Mapping[Expr, Expr]


def said(fact: Followed, at: Letters) -> tuple[Expr, Expr]:
    """What a derivation says of its two ends, at other letters."""
    symbols = {k: sp.sympify(v) for k, v in at.items() if isinstance(k, sp.Symbol)}
    laws = {k: sp.sympify(v) for k, v in at.items() if isinstance(k, Density)}
    bound = set().union(*(e.atoms(sp.Symbol) - e.free_symbols for e in map(fact.spell, (fact.start, fact.end))))
    letters, heads = tied(fact)
    for place, meaning in (symbols | laws).items():
        problem = unfit(place, meaning) if place in symbols else unlike(place, meaning)
        if place in bound or (meaning.free_symbols - set(getattr(place, "slots", ()))) & bound:
            problem = "the letter of an integral"
        if place in letters or place in fact.where or (place in laws and place.head in heads):
            problem = f"{place} stands in a definition that the derivation uses"
        if problem:
            raise Undefined(f"{title(fact.name)} cannot be cited at {place} = {meaning}: {problem}")

    def moved(e: Expr) -> Expr:
        e = renamed_laws(fact.spell(e), laws) if laws else fact.spell(e)
        return e.xreplace(symbols)

    return moved(fact.start), moved(fact.end)


def tied(fact: Followed) -> tuple[set, set]:
    """The letters and the densities that definitions tie to others, so that they cannot be moved alone."""
    letters, heads = set(), set()
    for left, right in fact.facts:
        pair = sp.Tuple(left, fact.spell(right))
        letters |= pair.free_symbols - set(getattr(left, "slots", ()))
        heads |= {q.head for q in pair.atoms(Density)}
    return letters, heads


def unlike(density: Density, law: Expr) -> str | None:
    """Why a law may not stand for a density, or a function for a function of its kind."""
    if isinstance(density, UnitFunction):
        return None if sign(law) > 0 and sign(1 - law) > 0 else "not certainly between 0 and 1"
    same = isinstance(density, RealFunction) or (is_law(law) and set(variables(law)) == set(density.variables))
    return None if same and not domain_gap(law) else "not a density of the same variables"


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

    return _citation(theorem, title(derivation.__name__), proves, derivation, at)


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

    return _citation(rearranging, f"solving {title(derivation.__name__)}", proves, derivation, at)


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
        if gap is None or fact.relation not in ("<", ">") + (("<=", ">=") if rel in ("<=", ">=") else ()):
            return False
        return vanishes(linear(gap) - linear(large - small))

    return _citation(using, title(derivation.__name__), proves, derivation, at)


def _citation(kind: Callable, name: str, proves: Callable, derivation: Derivation, at: Letters | None) -> Rule:
    """A reason that rests on a derivation, at letters which the citing page spells out."""
    key = (kind.__name__, derivation, *(at or {}).items())
    again = (lambda spell: kind(derivation, {k: spell(v) for k, v in at.items()})) if at else None
    return Rule(name, proves, key=key, again=again, rests_on=(derivation,))


def title(name: str) -> str:
    return name.replace("_", " ")


def granted(reason: str, reference: str) -> Rule:
    """A step that this calculus cannot prove: printed with a dagger and its reference, held by the witness alone."""
    return Rule(reason, lambda *_: True, reference, ("granted", reference))


__all__ = ["granted", "rearranging", "theorem", "using"]
