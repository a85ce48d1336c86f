r"""Questions of sign, whose "yes" is a proof; "no" only says that no proof was found.

    sign(e)           +1 or -1 if e has that sign for all values of its letters, else 0
    definite(M)       is a matrix symmetric and positive definite?
    domain_gap(e)     a part of e that may be undefined: a denominator that may vanish, a log of something negative

``sign`` writes a letter u of (0, 1) as 1/(1 + r) with r > 0, a whole number n as 1 + m, and looks for a polynomial
without a term of the wrong sign.
"""

from __future__ import annotations

from functools import lru_cache
from math import comb, prod

import sympy as sp
from sympy import Add, Derivative, Expr, Integral, MatAdd, MatMul, MatPow, MatrixExpr, Mul, Pow, Product, Sum, exp, log

from .noncommuting import shape_gap
from .notation import (
    Average,
    CovarianceMatrix,
    Density,
    Expectation,
    Quadratic,
    RealFunction,
    UnitFunction,
    UnitSymbol,
    VectorNormal,
    spelled_out,
)

TERMS, DEGREE = 2_000, 100  # of a polynomial, at most


class TooManyTerms(ArithmeticError):
    """An expression that would not fit on a page once it is multiplied out."""


def fit(terms: int) -> None:
    if terms > TERMS:
        raise TooManyTerms(f"more than {TERMS} terms when multiplied out; name a part of it with let")


def length(e: Expr) -> int:
    """At most so many terms has e when it is multiplied out."""
    if isinstance(e, Add):
        return sum(map(length, e.args))
    if isinstance(e, Mul):
        return prod(map(length, e.args))
    if isinstance(e, Pow) and e.exp.is_Integer and e.exp > 1:
        return powered(length(e.base), int(e.exp))
    return 1


def powered(terms: int, n: int) -> int:
    """At most so many terms has the n-th power; of a high power it is said that there are too many."""
    return comb(terms + n - 1, n) if n <= DEGREE else TERMS + 1


# ---------------------------------------------------------------- which sign?


@lru_cache(maxsize=20_000)
def sign(e: Expr, weak: bool = False) -> int:
    """+1 (or -1) if e > 0 (or < 0) for all values of its letters; `weak` also allows zero.  0: not decided."""
    e = spelled_out(sp.sympify(e))
    if not e.has(Integral, Sum, Product):  # which SymPy would compute
        if e.is_positive or (weak and e.is_nonnegative):
            return 1
        if e.is_negative or (weak and e.is_nonpositive):
            return -1
    if isinstance(e, Mul):
        parts = [sign(a, weak) for a in e.args]
        if 0 not in parts:
            return int(sp.prod(parts))
    if isinstance(e, Add):
        parts = {sign(a, weak) for a in e.args}
        if len(parts) == 1 and 0 not in parts:
            return parts.pop()
    if isinstance(e, Pow) and e.exp.is_real and sign(e.base) > 0:
        return 1
    if (isinstance(e, Integral) and forwards(e)) or (isinstance(e, Sum) and has_terms(e)):
        return sign(e.function, weak)
    e = e.replace(
        lambda n: isinstance(n, (Integral, Sum, Product)), stand_in
    )  # their bound letters are no letters of e
    top, bottom = sp.fraction(sp.together(e.xreplace(chart(e)).replace(is_foreign, stand_in)))
    result = 1
    for side, loose in ((top, weak), (bottom, False)):
        if any(length(f.as_base_exp()[0]) > TERMS for f in Mul.make_args(side)):
            return 0
        if (side := sp.expand(side) if side.is_Add else side) == 0:
            return int(weak)
        c, factors = sp.factor_list(side)
        result *= 1 if c > 0 else -1
        for f, n in factors:
            if loose and n % 2 == 0:
                continue
            s = polynomial_sign(f, loose)
            if s == 0:
                return 0
            result *= s**n
    return int(result)


def forwards(e: Expr) -> bool:
    """Does every integration run from left to right, so that a positive integrand means a positive integral?"""
    return all(a == -sp.oo or b == sp.oo or sign(b - a) > 0 for _, a, b in e.limits)


def has_terms(e: Sum) -> bool:
    """Has a finite sum at least one term, so that the sign of its terms is its own?"""
    return all(b.is_finite is not False and sign(b - a, weak=True) > 0 for _, a, b in e.limits)


def on_the_line(e: Expr) -> bool:
    """Does every integration run over the whole line?"""
    return all(tuple(limit[1:]) == (-sp.oo, sp.oo) for limit in e.limits)


def polynomial_sign(f: Expr, weak: bool) -> int:
    p = sp.Poly(f, *f.free_symbols)
    signed = [i for i, g in enumerate(p.gens) if not g.is_nonnegative]
    may_be_zero = [i for i, g in enumerate(p.gens) if not g.is_positive]
    even = all(m[i] % 2 == 0 for m in p.monoms() for i in signed)
    signs = {sp.sign(c) for c in p.coeffs()}
    never_zero = weak or any(all(m[i] == 0 for i in may_be_zero) for m in p.monoms())
    if even and len(signs) == 1 and never_zero:
        return int(signs.pop())
    return quadratic_sign(f, [g for i, g in enumerate(p.gens) if i in signed and p.degree(g) == 2], weak)


def quadratic_sign(f: Expr, letters: list, weak: bool) -> int:
    """The sign of a v^2 + b v + c in a real letter v, from those of a and of 4ac - b^2."""
    for v in letters:
        a, b, c = (f.expand().coeff(v, n) for n in (2, 1, 0))
        if s := sign(a):
            return s if sign(4 * a * c - b**2, weak) > 0 else 0
    return 0


def chart(e: Expr) -> dict:
    """Each letter of (0, 1) as 1/(1 + r), r > 0, and each function with values there; a whole number as 1 + m."""
    open_unit = {u: 1 / (1 + sp.Symbol(f"r<{u}>", positive=True)) for u in e.atoms(UnitSymbol, UnitFunction)}
    whole = {n for n in e.atoms(sp.Symbol) if n.is_integer and n.is_positive}
    return open_unit | {n: 1 + sp.Symbol(f"m<{n}>", nonnegative=True) for n in whole}


def is_foreign(e: Expr) -> bool:
    """Not a rational function of letters."""
    opaque = (exp, log, Density, Integral, Derivative, Sum, Product, sp.Function, VectorNormal, Quadratic, Average)
    return isinstance(e, (*opaque, sp.Max, sp.Min)) or (isinstance(e, Pow) and not e.exp.is_Integer)


def stand_in(e: Expr) -> sp.Symbol:
    """A letter with what is known about the sign of e."""
    positive = (
        (isinstance(e, (exp, Density)) and not isinstance(e, RealFunction))
        or (isinstance(e, Pow) and sign(e.base) > 0)
        or (isinstance(e, Integral) and forwards(e) and sign(e.function) > 0)
        or (isinstance(e, Sum) and has_terms(e) and sign(e.function) > 0)
        or (isinstance(e, Product) and sign(e.function) > 0)
        or (isinstance(e, sp.beta) and all(sign(a) > 0 for a in e.args))
        or (isinstance(e, Expectation) and sign(e.f) > 0)
        or (not e.has(Integral, Sum, Product) and e.is_positive)
    )
    if isinstance(e, Quadratic) and definite(e.matrix, weak=True):
        return sp.Symbol(f"<{sp.srepr(e)}>", nonnegative=True)
    return sp.Symbol(f"<{sp.srepr(e)}>", **({"positive": True} if positive else {"real": True}))


def definite(e: Expr, weak: bool = False) -> bool:
    """Is a matrix certainly symmetric and positive definite?  `weak`: or semidefinite."""
    if isinstance(e, (CovarianceMatrix, sp.Identity)):
        return True
    if isinstance(e, MatPow):
        return e.exp.is_Integer and definite(e.base)
    if isinstance(e, MatAdd):
        return all(definite(a, weak=True) for a in e.args) and (weak or any(map(definite, e.args)))
    if isinstance(e, MatMul):
        scale, factors = e.as_coeff_matrices()
        while weak and len(factors) > 1 and factors[-1] == factors[0].T:  # A M A'
            factors = factors[1:-1]
        return sign(scale) > 0 and (not factors or (len(factors) == 1 and definite(factors[0], weak)))
    return False


def invertible(e: Expr) -> bool:
    """Has a matrix certainly an inverse?"""
    if isinstance(e, MatMul):
        scale, factors = e.as_coeff_matrices()
        return sign(scale) != 0 and all(map(invertible, factors))
    return definite(e)


# ---------------------------------------------------------------- is it defined?


def stays(letter: sp.Symbol, start: Expr, end: Expr) -> bool:
    """Does a bound letter keep to its domain?"""
    least = 1 if letter.is_integer and letter.is_positive else 0
    below = letter.is_nonnegative is not True or (start.is_finite is not False and sign(start - least, weak=True) > 0)
    return below and (
        not isinstance(letter, UnitSymbol) or (end.is_finite is not False and sign(1 - end, weak=True) > 0)
    )


@lru_cache(maxsize=20_000)
def domain_gap(e: Expr) -> str | None:
    """Why e may be undefined for some values of its letters, or None if it never is."""
    e = spelled_out(e)
    if isinstance(e, log) and sign(e.args[0]) <= 0:
        return f"the logarithm of {e.args[0]}, which may not be positive"
    if isinstance(e, (Integral, Sum, Product)) and (strays := [z for z, *ends in e.limits if not stays(z, *ends)]):
        return f"values of {strays[0]} outside its domain"
    if isinstance(e, MatrixExpr) and (gap := shape_gap(e)):
        return gap
    if isinstance(e, MatPow) and e.exp.is_negative and not invertible(e.base):
        return f"the inverse of {e.base}, which may not exist"
    if isinstance(e, VectorNormal) and not definite(e.variance):
        return f"a Gaussian with the covariance {e.variance}, which may not be positive definite"
    if isinstance(e, Pow):
        if e.exp.is_negative and sign(e.base) == 0 and e.base.is_zero is not False:
            return f"a division by {e.base}, which may vanish"
        if not e.exp.is_Integer and sign(e.base, weak=sign(e.exp) > 0) <= 0:
            return f"a power of {e.base}, which may be negative"
    return next(filter(None, map(domain_gap, (a for a in e.args if isinstance(a, Expr)))), None)
