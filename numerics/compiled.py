r"""Formulas become functions, here and nowhere else.

A :class:`Formula` is called with letters by name, ``variance(alpha=0.7, alpha_bar_prev=0.6)``; it takes what it needs
and ignores the rest. Abbreviations of the page (beta for 1 - alpha) are spelled out first. An unspecified density
becomes a *law* given under its name: ``law(x)`` is its density, ``law.score(x)``, ``law.score_slope(x)`` and
``law.score_curvature(x)`` the derivatives of its logarithm; a conditional density is a function of its slots.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import numpy as np
import sympy as sp
from sympy import Derivative, Expr, Integral, oo
from sympy.printing.numpy import NumPyPrinter

from derivations import Claim, claims
from derivations.calculus.notation import Average, Density, Entropy, Normal, spelled_out

# ---------------------------------------------------------------- densities by their logarithms


@cache
def log_slope(name: str, order: int) -> type[sp.Function]:
    """The order-th derivative of the log density of the law called so, as a function that SymPy can differentiate."""

    def fdiff(self, argindex: int = 1) -> Expr:
        return log_slope(name, order + 1)(*self.args)

    members = {"fdiff": fdiff, "law": name, "order": order, "_eval_is_extended_real": lambda self: True, "nargs": 1}
    return type(f"L{order}_{name}", (sp.Function,), members)


METHODS = {0: "log_density", 1: "score", 2: "score_slope", 3: "score_curvature"}


class Code(NumPyPrinter):
    """Python source, with letters under the names of their page."""

    def __init__(self, names: Mapping[Expr, str]) -> None:
        super().__init__({"fully_qualified_modules": True})
        self.names = dict(names)
        self.bound: list[sp.Symbol] = []
        self.needs: set[str] = set()

    def _print_Symbol(self, expr: sp.Symbol) -> str:
        if expr in self.bound:
            return f"_{self.bound.index(expr)}"
        if expr not in self.names:
            known = ", ".join(self.names.values())
            raise TypeError(f"the letter {expr} has no name on the page of this claim; its letters: {known}")
        self.needs.add(self.names[expr])
        return f"at[{self.names[expr]!r}]"

    _print_UnitSymbol = _print_Dummy = _print_MatrixSymbol = _print_Symbol

    def _print_Identity(self, expr: sp.Identity) -> str:
        return f"numpy.eye({self._print(expr.rows)})"

    def _law(self, name: str) -> str:
        self.needs.add(name)
        return f"at[{name!r}]"

    def _print_Function(self, expr: sp.Function) -> str:
        if hasattr(expr, "law"):
            return f"{self._law(expr.law)}.{METHODS[expr.order]}({self._print(expr.args[0])})"
        return super()._print_Function(expr)

    def _print_exp(self, expr: sp.exp) -> str:
        inside = expr.args[0]
        if hasattr(inside, "law") and inside.order == 0:
            return f"{self._law(inside.law)}({self._print(inside.args[0])})"
        return f"numpy.exp({self._print(inside)})"

    def _print_Call(self, expr: Call) -> str:
        name, *slots = expr.args
        return f"{self._law(str(name))}({', '.join(map(self._print, slots))})"

    def _print_Constant(self, expr: Constant) -> str:
        return self._law(str(expr.args[0]))

    def _print_EntropyOf(self, expr: EntropyOf) -> str:
        return f"{self._law(str(expr.args[0]))}.entropy()"

    def _repeated(self, expr: Any, how: str) -> str:
        (z, a, b), *outer = expr.limits
        ends = f"{self._print(a)}, {self._print(b)}"
        self.bound.append(z)
        inside = self._print(expr.func(expr.function, *outer) if outer else expr.function)
        depth = len(self.bound) - 1
        within = f", at, {depth}" if how == "integrated" else ""
        code = f"{how}(lambda _{depth}: {inside}, {ends}{within})"
        self.bound.pop()
        return code

    def _print_Integral(self, expr: Integral) -> str:
        return self._repeated(expr, "integrated")

    def _print_Sum(self, expr: sp.Sum) -> str:
        return self._repeated(expr, "summed")

    def _print_Product(self, expr: sp.Product) -> str:
        return self._repeated(expr, "multiplied")

    def _print_binomial(self, expr: sp.Function) -> str:
        return f"binomial({', '.join(map(self._print, expr.args))})"

    def _print_beta(self, expr: sp.Function) -> str:
        return f"beta_function({', '.join(map(self._print, expr.args))})"

    def _print_erf(self, expr: sp.Function) -> str:
        return f"error_function({self._print(expr.args[0])})"


class Call(Expr):
    """A function given under a name, called at its slots."""

    is_commutative = is_extended_real = True


class Constant(Expr):
    """A number given under a name: the variance of the data, say."""

    is_commutative = is_extended_real = True


class EntropyOf(Expr):
    """The entropy of a law given under a name."""

    is_commutative = is_extended_real = True


# ---------------------------------------------------------------- what the source calls


def integrated(f: Callable, a: Any, b: Any, at: Mapping[str, Any], depth: int) -> Any:
    """The integral of f from a to b: the trapezoidal rule in u, where z = sinh u, or Gauss-Legendre on a segment.

    The nodes run along a new axis in front of those of the letters and of the integrals around this one.
    """
    behind = max((np.ndim(v) for v in at.values() if isinstance(v, np.ndarray)), default=0) + depth
    if np.ndim(a) == 0 and np.ndim(b) == 0 and not np.isfinite([a, b]).any():
        u = np.linspace(-6, 6, 641)
        nodes, weights = np.sinh(u), np.cosh(u) * (u[1] - u[0])
    else:
        x, w = np.polynomial.legendre.leggauss(64)
        nodes, weights = (x + 1) / 2, w / 2
    nodes, weights = (x.reshape(-1, *[1] * behind) for x in (nodes, weights))
    if len(nodes) == 64:
        nodes, weights = a + (b - a) * nodes, weights * (b - a)
    terms = f(nodes) * weights
    return np.sum(np.where(np.isfinite(terms), terms, 0), axis=0)  # 0 log 0 and 0/0, far out in the tails


def summed(f: Callable, a: float, b: float) -> Any:
    return sum(f(k) for k in range(int(a), int(b) + 1))


def multiplied(f: Callable, a: float, b: float) -> Any:
    return np.prod([f(k) for k in range(int(a), int(b) + 1)], axis=0)


def names_for_source() -> dict[str, Any]:
    from scipy import special

    called = {"integrated": integrated, "summed": summed, "multiplied": multiplied}
    return called | {
        "numpy": np,
        "scipy": __import__("scipy"),
        "functools": functools,
        "binomial": special.binom,
        "beta_function": special.beta,
        "error_function": special.erf,
    }


# ---------------------------------------------------------------- formulas


class Formula:
    """A function of letters by name.  ``needs`` lists them; ``text`` is the formula as written."""

    def __init__(self, function: Callable[[Mapping[str, Any]], Any], needs: frozenset[str], text: str) -> None:
        self.function, self.needs, self.text = function, needs, text

    def __call__(self, **at: Any) -> Any:
        if missing := self.needs - set(at):
            raise TypeError(
                f"{self.text} needs the letters {', '.join(sorted(missing))}; given are {', '.join(sorted(at))}"
            )
        return self.function(at)

    def __repr__(self) -> str:
        return f"<{self.text}>"


def formula(claim: Claim, expr: Expr | float) -> Formula:
    """The SymPy expression as a function of the letters of the claim's page."""
    expr = sp.sympify(expr)
    page = {name: v for name, v in vars(claim.page).items() if not name.startswith("_")}
    laws = {v.head: name for name, v in page.items() if isinstance(v, Density)}
    names: dict[Expr, str] = {}
    for name, v in page.items():
        if isinstance(v, (sp.Symbol, sp.MatrixSymbol)):
            names.setdefault(v, name)
    code = Code(names)
    source = code.doprint(numeric(claim.spell(expr), laws))
    return Formula(eval(f"lambda at: {source}", names_for_source()), frozenset(code.needs), str(expr))


def numeric(expr: Expr, laws: Mapping[tuple, str]) -> Expr:
    """Densities as exponentials of their logarithms, derivatives carried out, atoms taken apart."""
    if isinstance(expr, Entropy) and isinstance(expr.q, Density) and expr.q.head in laws:
        return EntropyOf(sp.core.symbol.Str(laws[expr.q.head]))
    if isinstance(expr, Density):
        if expr.head not in laws:
            raise TypeError(f"the density {expr.name} has no name on the page of this claim")
        if not expr.slots:
            return Constant(sp.core.symbol.Str(laws[expr.head]))
        slots = [numeric(s, laws) for s in expr.slots]
        if len(slots) == 1 and type(expr) is Density:
            return sp.exp(log_slope(laws[expr.head], 0)(*slots))
        return Call(sp.core.symbol.Str(laws[expr.head]), *slots)
    if isinstance(expr, (Normal, Average)):
        return numeric(spelled_out(expr) if isinstance(expr, Normal) else expr.spell(), laws)
    if isinstance(expr, Derivative):
        return numeric(expr.expr, laws).diff(*expr.args[1:])
    if isinstance(expr, sp.log) and isinstance(expr.args[0], Normal):
        return numeric(expr.args[0].log(), laws)
    return expr.func(*(numeric(a, laws) for a in expr.args)) if expr.args and expr not in (oo, -oo) else expr


def handed(claim: Claim, given: Expr | Callable | float) -> Formula:
    """What a user hands in: an expression in the letters of the claim, or a function of arguments named like them."""
    if isinstance(given, Formula):
        return given
    if not callable(given) or isinstance(given, Expr):
        return formula(claim, given)
    wanted = inspect.signature(given).parameters
    if any(p.kind is p.VAR_KEYWORD for p in wanted.values()):
        return Formula(lambda at: given(**at), frozenset(), getattr(given, "__name__", "the function"))

    def call(at: Mapping[str, Any]) -> Any:
        # the letters that the page abbreviates are offered as well
        return given(**{name: at[name] for name in wanted})

    return Formula(call, frozenset(wanted), getattr(given, "__name__", "the function"))


def formulas(claim: Claim, **instead: Expr | Callable) -> dict[str, Formula]:
    """Every formula of the claim as a function, with others in the place of some.

    Raises TypeError for a name that is no parameter of the claim.
    """
    if unknown := set(instead) - set(claim.formulas):
        raise TypeError(
            f"{claim.id} has no formula {', '.join(sorted(unknown))}; its formulas are {', '.join(claim.formulas)}"
        )
    return {name: handed(claim, f) for name, f in {**claim.formulas, **instead}.items()}


@cache
def proved(id: str, name: str) -> Formula:
    """The formula of this name in the claim of this id."""
    return formula(claims()[id], claims()[id].formulas[name])
