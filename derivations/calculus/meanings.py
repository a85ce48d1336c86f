"""Densities in the place of others: what they mean, put into an expression, with bound letters stepping aside."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import sympy as sp
from sympy import Derivative, Expr, Integral, MatrixSymbol, Product, Sum

from .notation import Density, Expectation, spelled_out, variables

World = Mapping[Expr, Expr]


class GaussianMean(Expr):
    """The mean of f(u) for a standard normal u, a number or a vector."""

    is_commutative = True

    @property
    def free_symbols(self) -> set:
        return self.args[0].free_symbols - {self.args[1]}


def inhabit(expr: Expr, world: World, fits: Callable[[Expr, Expr], bool] = lambda slot, value: True) -> Expr:
    """Replace densities by their meanings; a letter in a slot matches what fits, a number only itself."""

    def matches(slot: Expr, value: Expr) -> bool:
        return slot == value or (isinstance(slot, (sp.Symbol, MatrixSymbol)) and fits(slot, value))

    def meaning_of(density: Density) -> Expr:
        for template, meaning in world.items():
            same = isinstance(template, Density) and template.head == density.head
            if same and all(map(matches, template.slots, density.slots)):
                return fill(inhabit(spelled_out(meaning), world, fits), template.slots, density.slots)
        return density

    if isinstance(expr, Density):
        return meaning_of(expr(*(inhabit(slot, world, fits) for slot in expr.slots)))
    if isinstance(expr, Derivative):
        inside = inhabit(spelled_out(expr.expr), world, fits)
        held = inside.has(Integral, GaussianMean)
        return Derivative(inside, *expr.args[1:], evaluate=False) if held else inside.diff(*expr.args[1:])
    return expr.func(*(inhabit(a, world, fits) for a in expr.args)) if expr.args else expr


def fill(expr: Expr, slots, arguments) -> Expr:
    """Substitute arguments for slots; bound letters step aside first."""
    return aside(expr).xreplace(dict(zip(slots, arguments, strict=True)))


def aside(expr: Expr) -> Expr:
    """Give every bound letter a name of its own."""
    if not expr.has(Integral, Sum, Product, Expectation):
        return expr
    expr = expr.func(*(aside(a) if isinstance(a, Expr) else a for a in expr.args))
    if isinstance(expr, Expectation):
        return expr.xreplace({z: renewed(z) for z in variables(expr.q)})
    if isinstance(expr, (Integral, Sum, Product)):
        return expr.xreplace({z: renewed(z) for z in expr.variables})
    return expr


def renewed(z: Expr) -> Expr:
    """A letter of the same kind that occurs nowhere else."""
    return (
        MatrixSymbol(sp.Dummy().name, *z.shape) if isinstance(z, MatrixSymbol) else sp.Dummy(z.name, **z.assumptions0)
    )
