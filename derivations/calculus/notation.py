r"""Letters with a domain, and the atoms of probability.

An *atom* is something a page writes in one piece and a judge takes apart: a Gaussian density, an expectation, a
divergence.

    normal(x, m, v)    N(x; m, v), always with a variance
    E(q, f)            the mean of f under the density q
    Var(q, f)          the variance of f under q
    KL(q, p)           the mean of log q/p under q
    entropy(q)         the mean of -log q under q
    Density("q", ...)  a density about which nothing else is known
    quadratic(v, M)    v' M v for a vector v; a vector also has normal(x, m, P), with a covariance matrix

``spelled_out`` takes every atom apart; only judges call it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import sympy as sp
from sympy import Derivative, Expr, Integral, MatrixExpr, MatrixSymbol, exp, log, oo, pi, sqrt
from sympy.core.symbol import Str

# ---------------------------------------------------------------- letters


class UnitSymbol(sp.Symbol):
    """A letter for a number in the open interval (0, 1)."""

    def __new__(cls, name: str, **_: bool) -> UnitSymbol:
        return super().__new__(cls, name, positive=True)


def _letters(make: Callable[[str], sp.Symbol], names: str) -> Any:
    made = tuple(map(make, names.split()))
    return made[0] if len(made) == 1 else made


def reals(names: str) -> Any:
    """Letters for real numbers; names are LaTeX, separated by blanks."""
    return _letters(lambda name: sp.Symbol(name, real=True), names)


def nonzeros(names: str) -> Any:
    """Letters for real numbers other than zero."""
    return _letters(lambda name: sp.Symbol(name, real=True, nonzero=True), names)


def positives(names: str) -> Any:
    """Letters for positive numbers."""
    return _letters(lambda name: sp.Symbol(name, positive=True), names)


def units(names: str) -> Any:
    """Letters for numbers strictly between 0 and 1."""
    return _letters(UnitSymbol, names)


def naturals(names: str) -> Any:
    """Letters for the whole numbers 1, 2, 3, ..."""
    return _letters(lambda name: sp.Symbol(name, integer=True, positive=True), names)


# ---------------------------------------------------------------- vectors and matrices

DIMENSION = sp.Symbol("d", integer=True, positive=True)


class CovarianceMatrix(MatrixSymbol):
    """A letter for a symmetric, positive definite matrix."""

    def _eval_transpose(self) -> CovarianceMatrix:
        return self


def vectors(names: str) -> Any:
    """Letters for columns of d numbers; d is any dimension."""
    return _letters(lambda name: MatrixSymbol(name, DIMENSION, 1), names)


def matrices(names: str) -> Any:
    """Letters for square matrices of d rows."""
    return _letters(lambda name: MatrixSymbol(name, DIMENSION, DIMENSION), names)


def covariances(names: str) -> Any:
    """Letters for symmetric, positive definite matrices of d rows."""
    return _letters(lambda name: CovarianceMatrix(name, DIMENSION, DIMENSION), names)


class Quadratic(Expr):
    """See ``quadratic``."""

    is_commutative = True
    is_extended_real = True
    vector, matrix = (property(lambda self, i=i: self.args[i]) for i in range(2))


def quadratic(vector, matrix) -> Quadratic:
    """The number v' M v."""
    _fit(vector, 1)
    _fit(matrix, DIMENSION)
    return Quadratic(vector, matrix)


def _fit(e, columns) -> None:
    if not isinstance(e, MatrixExpr) or e.shape != (DIMENSION, columns):
        raise TypeError(f"{e} is not a {'vector' if columns == 1 else 'square matrix'}")


# ---------------------------------------------------------------- densities


class Density(Expr):
    """An unspecified, positive, smooth density: p(x, z), or q(z | x).

    It integrates to one over all of the variables before the bar together.  A letter after a semicolon (``at``) is a
    parameter and prints as an index: q_t(x).
    """

    is_commutative = True

    def __new__(cls, name, of: Sequence = (), given: Sequence = (), at: Sequence = ()) -> Density:
        return super().__new__(cls, Str(str(name)), *(sp.Tuple(*map(sp.sympify, side)) for side in (of, given, at)))

    name = property(lambda self: str(self.args[0]))
    of = property(lambda self: self.args[1])
    variables = property(lambda self: tuple(self.args[1]))
    slots = property(lambda self: (*self.args[1], *self.args[2], *self.args[3]))
    conditions = property(lambda self: set().union(*(side.free_symbols for side in self.args[2:])))
    head = property(lambda self: (self.name, *map(len, self.args[1:])))

    def __call__(self, *slots) -> Density:
        """The same density with other letters in its slots."""
        of = len(self.args[1])
        given = of + len(self.args[2])
        return self.func(self.name, slots[:of], slots[of:given], slots[given:])

    def _sympystr(self, printer) -> str:
        of, given, at = (", ".join(map(printer._print, side)) for side in self.args[1:])
        return self.name + (at and f"_{at}") + (of and f"({of} | {given})" if given else of and f"({of})")

    def _eval_is_positive(self) -> bool | None:
        return True

    def _eval_derivative(self, s: sp.Symbol) -> Expr:
        return Derivative(self, s, evaluate=False) if s in self.free_symbols else sp.S.Zero

    @property
    def _diff_wrt(self) -> bool:
        return False


class UnitFunction(Density):
    """An unspecified function with values in (0, 1): a discriminator D(x), a schedule (``at`` prints as an index).

    It is not a density; no rule integrates it to one.
    """


class RealFunction(Density):
    """An unspecified smooth real function: f(x), a sequence a_t.  Nothing is known of its sign."""

    def _eval_is_positive(self) -> None:
        return None

    def _eval_is_extended_real(self) -> bool:
        return True


class Normal(Expr):
    """N(x; mean, variance): see ``normal``."""

    is_commutative = True
    x, mean, variance = (property(lambda self, i=i: self.args[i]) for i in range(3))
    variables = property(lambda self: (self.args[0],))

    def _sympystr(self, printer) -> str:
        return "N({}; {}, {})".format(*map(printer._print, self.args))

    def _eval_is_positive(self) -> bool:
        return True

    def log(self) -> Expr:
        return -((self.x - self.mean) ** 2) / (2 * self.variance) - log(2 * pi * self.variance) / 2

    def spell(self) -> Expr:
        return exp(-((self.x - self.mean) ** 2) / (2 * self.variance)) / sqrt(2 * pi * self.variance)

    def _eval_derivative(self, s: sp.Symbol) -> Expr:
        return self * self.log().diff(s)


class VectorNormal(Normal):
    """N(x; mean, covariance) of a vector.  Judges leave it whole; its exponent is that of ``quadratic``."""

    def exponent(self) -> Expr:
        return -Quadratic(self.x - self.mean, self.variance.inverse()) / 2

    def log(self) -> Expr:
        return log(self)

    def spell(self) -> VectorNormal:
        return self


def normal(x, mean, variance) -> Normal:
    """The Gaussian density at x, with this mean and this *variance*, or covariance if x is a vector."""
    parts = [sp.sympify(part) for part in (x, mean, variance)]
    if any(isinstance(part, MatrixExpr) for part in parts):
        for part, columns in zip(parts, (1, 1, DIMENSION), strict=True):
            _fit(part, columns)
        return VectorNormal(*parts)
    return Normal(*parts)


# ---------------------------------------------------------------- averages


class Average(Expr):
    """What E and KL share: letters bound by a density."""

    is_commutative = True
    is_extended_real = True
    q, f = (property(lambda self, i=i: self.args[i]) for i in range(2))

    @property
    def free_symbols(self) -> set:
        return set().union(*(a.free_symbols for a in self.args)) - set(variables(self.q))

    @property
    def bound_symbols(self) -> list:
        return list(variables(self.q))

    def _eval_derivative(self, s: sp.Symbol) -> Expr:
        return Derivative(self, s, evaluate=False) if s in self.free_symbols else sp.S.Zero


class Expectation(Average):
    """See ``E``.  Over vectors it is never taken apart."""

    def spell(self) -> Expr:
        if any(isinstance(v, MatrixSymbol) for v in variables(self.q)):
            return self
        return integral(self.q * self.f, *variables(self.q))


class Divergence(Average):
    """See ``KL``."""

    def spell(self) -> Expr:
        return E(self.q, log(self.q) - log(self.f))


class Variance(Average):
    """See ``Var``."""

    def spell(self) -> Expr:
        return E(self.q, self.f**2) - E(self.q, self.f) ** 2


class Covariance(Average):
    """See ``Cov``."""

    g = property(lambda self: self.args[2])

    def spell(self) -> Expr:
        return E(self.q, self.f * self.g) - E(self.q, self.f) * E(self.q, self.g)


class Entropy(Average):
    """See ``entropy``."""

    def spell(self) -> Expr:
        return -E(self.q, log(self.q))


def is_law(q) -> bool:
    """Is q a density, or a product of densities of different variables?"""
    if not isinstance(q, sp.Mul):
        own, slots = variables(q), [s for a in q.args[1:] for s in a.free_symbols]
        kind = isinstance(q, Normal) or (isinstance(q, Density) and not isinstance(q, (UnitFunction, RealFunction)))
        letters = own and all(isinstance(v, (sp.Symbol, MatrixSymbol)) for v in own) and len(own) == len(set(own))
        return kind and bool(letters) and not set(own) & set(slots if isinstance(q, Normal) else q.conditions)
    left = list(q.args)
    while last := [a for a in left if not any(b.free_symbols & set(variables(a)) for b in left if b != a)]:
        left.remove(last[0])  # each variable is drawn once, and before it is used
    return not left and all(map(is_law, q.args))


def variables(q: Expr) -> tuple:
    """What a law is a law of; a product of laws is a joint law."""
    if isinstance(q, sp.Mul):
        return tuple(v for a in sorted(q.args, key=str) for v in variables(a))
    return q.variables if isinstance(q, (Density, Normal)) else ()


def E(q: Expr, f) -> Expr:
    """The mean of f under q, over the variables of q; a product of laws is that of independent or chained variables."""
    if not is_law(q):
        raise TypeError(f"an expectation needs a density, not {q}")
    return Expectation(q, sp.sympify(f))


def KL(q: Expr, p: Expr) -> Expr:
    """The mean of log q/p under q: the first argument is averaged over."""
    if set(variables(q)) != set(variables(p)):
        raise TypeError(f"{q} and {p} are densities of different variables")
    return Divergence(q, p)


def Var(q: Expr, f) -> Expr:
    """The variance of f under q."""
    return Variance(E(q, f).args[0], sp.sympify(f))


def Cov(q: Expr, f, g) -> Expr:
    """The covariance of f and g under q."""
    return Covariance(E(q, f).args[0], sp.sympify(f), sp.sympify(g))


def entropy(q: Expr) -> Expr:
    """The differential entropy of q, the mean of -log q under q."""
    return Entropy(q)


def integral(f, *over) -> Expr:
    """The integral of f over the whole line in each variable, left standing."""
    return Integral(f, *((z, -oo, oo) for z in over))


def d(x: sp.Symbol, f) -> Expr:
    """The derivative of f in x, left standing."""
    return Derivative(f, x, evaluate=False)


def spelled_out(expr) -> Expr:
    """Take every atom apart, from the outside in."""
    expr = sp.sympify(expr)
    if isinstance(expr, (Normal, Average)) and (spelled := expr.spell()) != expr:
        return spelled_out(spelled)
    if isinstance(expr, log) and isinstance(expr.args[0], Normal) and not isinstance(expr.args[0], VectorNormal):
        return spelled_out(expr.args[0].log())
    if isinstance(expr, (Density, VectorNormal)) or not expr.args:
        return expr
    if isinstance(expr, Derivative):
        return Derivative(spelled_out(expr.expr), *expr.args[1:], evaluate=False)
    return expr.func(*map(spelled_out, expr.args))
