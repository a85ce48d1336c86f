r"""Reasons for an inequality: signs, the tangent of the logarithm, Jensen, and comparison under an integral."""

from __future__ import annotations

from dataclasses import replace

import sympy as sp
from sympy import Expr, Integral, Sum, log

from .deciding import vanishes
from .notation import Expectation, variables
from .signs import forwards, sign
from .steps import Rule


def _excess(rel: str, lhs: Expr, rhs: Expr) -> Expr:
    """The difference that must not be negative."""
    return {"<=": rhs - lhs, ">=": lhs - rhs, "<": rhs - lhs, ">": lhs - rhs}.get(rel, -sp.S.One)


def _positivity(rel: str, lhs: Expr, rhs: Expr) -> bool:
    return sign(_excess(rel, lhs, rhs), weak=rel in ("<=", ">=")) > 0


positivity = Rule("the difference has one sign", _positivity, key=("positivity",))


def log_tangent() -> Rule:
    """log u <= u - 1 for every logarithm on the left, each with a weight that is not negative."""

    def proves(rel: str, lhs: Expr, rhs: Expr) -> bool:
        logs = {node: sp.Dummy() for node in lhs.atoms(log)}
        shape = lhs.xreplace(logs)
        weights = [shape.diff(letter) for letter in logs.values()]
        if any(w.has(*logs.values()) or sign(w, weak=True) <= 0 for w in weights):
            return False
        tangent = shape.xreplace({letter: node.args[0] - 1 for node, letter in logs.items()})
        return rel == "<=" and bool(logs) and vanishes(tangent - rhs)

    return Rule("log u ≤ u − 1", proves, key=("log tangent",))


def jensen() -> Rule:
    """E[log w] <= log E[w], for a density and a positive w."""

    def proves(rel: str, lhs: Expr, rhs: Expr) -> bool:
        small, large = (lhs, rhs) if rel == "<=" else (rhs, lhs)
        shapes = isinstance(small, Expectation) and isinstance(large, log) and isinstance(large.args[0], Expectation)
        if rel not in ("<=", ">=") or not shapes:
            return False
        outer, inner = large.args[0], small
        return outer.q == inner.q and inner.f == log(outer.f) and sign(outer.f) > 0

    return Rule("Jensen: log is concave", proves, key=("jensen",))


def pointwise(rule: Rule) -> Rule:
    """A relation between integrands, which holds for all values of the bound letters, carries over to the integrals."""

    def proves(rel: str, lhs: Expr, rhs: Expr) -> bool:
        if rel not in ("=", "<=", ">="):
            return False
        if isinstance(lhs, Expectation) and isinstance(rhs, Expectation):
            if lhs.q == rhs.q:
                return rule.proves(rel, lhs.f, rhs.f)
            return set(variables(lhs.q)) == set(variables(rhs.q)) and rule.proves(rel, lhs.q * lhs.f, rhs.q * rhs.f)
        same = type(lhs) is type(rhs) and isinstance(lhs, (Integral, Sum)) and lhs.limits == rhs.limits
        forward = isinstance(lhs, Sum) or (same and forwards(lhs))  # limits the wrong way round would turn the relation
        return bool(same and forward) and rule.proves(rel, lhs.function, rhs.function)

    def again(spell):
        return pointwise(rule.in_letters(spell))

    return replace(rule, name=f"{rule.name}, inside", proves=proves, key=rule.key and ("pointwise", rule), again=again)


__all__ = ["jensen", "log_tangent", "pointwise", "positivity"]
