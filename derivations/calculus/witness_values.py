r"""Numbers for expressions, many points at once: the arithmetic of the witness.

Letters are arrays of any common shape; a vector or a matrix has its rows and columns in two further axes at the end.
The same tree walk runs in double, extended and arbitrary precision.

Quadrature on the line is the trapezoidal rule in u, where z = sinh u: it converges geometrically for smooth, decaying
integrands and reaches out to 200; on a segment it is the tanh-sinh rule, which forgives singular ends.  A sum over a
Gaussian variable is a trapezoidal rule against its density.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, reduce
from itertools import product
from operator import add, matmul, mul
from typing import Any

import mpmath as mp
import numpy as np
import sympy as sp
from sympy import (
    Add,
    Derivative,
    Expr,
    Integral,
    MatrixExpr,
    MatrixSymbol,
    Mul,
    Product,
    Sum,
    exp,
    log,
    oo,
)

from .meanings import GaussianMean
from .notation import DIMENSION, Density, Quadratic, VectorNormal


class NoWitness(Exception):
    """No number can be given for a line, and why."""


class Root(MatrixExpr):
    """The lower triangular L with L L' = P."""

    shape = property(lambda self: self.args[0].shape)


@dataclass(frozen=True)
class Arithmetic:
    """The same tree walk in double, extended or arbitrary precision."""

    exp: Callable
    log: Callable
    number: Callable
    kind: Any


def _mp(f):
    return np.frompyfunc(f, 1, 1)


def _real(f):
    """An mpmath function on the reals: nan where its value is not real."""

    def value(x):
        y = f(x)
        return mp.nan if isinstance(y, mp.mpc) else y

    return value


LARGEST = mp.mpf(2) ** 1000


def _tame(x):
    """The number below 2^1000, else nan: the exponential of a larger one asks for as many bits as it is large."""
    return x if -LARGEST < x < LARGEST else mp.nan


DOUBLE = Arithmetic(np.exp, np.log, float, np.float64)
EXTENDED = Arithmetic(np.exp, np.log, lambda n: np.longdouble(str(sp.N(n, 25))), np.longdouble)
TAME_EXP, REAL_LOG = _mp(lambda x: mp.exp(_tame(x))), _mp(_real(mp.log))
ARBITRARY = Arithmetic(TAME_EXP, REAL_LOG, lambda n: mp.mpmathify(sp.N(n, mp.mp.dps + 5)), object)


@cache
def line(n: int, ar: Arithmetic, precision: int):
    """Nodes and weights on the line: z = sinh u."""
    u, h = uniform(n, 6, ar)
    up, down = ar.exp(u), ar.exp(-u)
    return (up - down) / 2, (up + down) / 2 * h


def normal_nodes(letter: Expr, env: Mapping, ar: Arithmetic, n: int):
    """Nodes and weights for a standard normal variable, a number or a vector."""
    flat = isinstance(letter, sp.Symbol)
    u, h = uniform(max(41, n // 4), 9.5 if flat else 8.0, ar)
    w = ar.exp(-u * u / 2) * h * ar.number(1 / sp.sqrt(2 * sp.pi))
    if flat:
        return u, w
    grid = list(product(range(len(u)), repeat=dimension(env)))
    return u[np.array(grid)][..., None], w[np.array(grid)].prod(axis=-1)


@cache
def segment(n: int, ar: Arithmetic, precision: int):
    """Nodes and weights on (0, 1): z = 1/(1 + exp(-pi sinh u))."""
    u, h = uniform(n, 3.5, ar)
    up, down = ar.number(sp.pi / 2) * ar.exp(u), ar.number(sp.pi / 2) * ar.exp(-u)
    tail = ar.exp(-abs(up - down))  # 1 - z or z, whichever is smaller, without cancellation
    return np.where(u < 0, tail, 1) / (1 + tail), (up + down) * tail / (1 + tail) ** 2 * h


def uniform(n: int, reach: float, ar: Arithmetic):
    """n equal steps over [-reach, reach], and their length."""
    h = ar.number(sp.Rational(2 * reach) / (n - 1))
    return (np.arange(n) - (n - 1) / 2).astype(ar.kind) * h, h


def evaluate(e: Expr, env: Mapping, ar: Arithmetic, n: int, memo: dict | None = None) -> Any:
    """The value of e; letters are arrays of any common shape."""
    memo = {} if memo is None else memo
    if e in memo:
        return memo[e]

    def at(a: Expr) -> Any:
        return evaluate(a, env, ar, n, memo)

    if isinstance(e, (sp.Symbol, MatrixSymbol)):
        result = env[e]
    elif isinstance(e, (MatrixExpr, Quadratic, VectorNormal)):
        result = matrix_value(e, at, env, ar)
    elif e.is_number and not e.has(Integral, Sum, Product, GaussianMean, Density):
        result = ar.number(e)
    elif isinstance(e, (Add, Mul)):
        result = reduce(np.add if isinstance(e, Add) else np.multiply, map(at, e.args))
    elif isinstance(e, exp):
        result = ar.exp(at(e.args[0]))
    elif isinstance(e, log):
        result = logarithm(e.args[0], at, ar)
    elif isinstance(e, sp.Abs):
        result = abs(at(e.args[0]))
    elif isinstance(e, (sp.Max, sp.Min)):
        result = reduce(np.maximum if isinstance(e, sp.Max) else np.minimum, map(at, e.args))
    elif isinstance(e, sp.Pow):
        result = power(at(e.base), e.exp, at, ar)
    elif isinstance(e, Integral):
        result = quadrature(e, env, ar, n)
    elif isinstance(e, GaussianMean):
        result = weighted(e.args[0], e.args[1], *normal_nodes(e.args[1], env, ar, n), env, ar, n)
    elif isinstance(e, Derivative):
        result = slope(e, env, ar, n)
    elif isinstance(e, (Sum, Product)):
        result = repeated(e, env, ar, n)
    elif isinstance(e, sp.Function) and all(a.is_real is not False for a in e.args):
        result = special(e, [at(a) for a in e.args], ar)
    else:
        raise NoWitness(f"no number for {e}: add it to the world")
    memo[e] = result
    return result


def power(base, exponent: Expr, at, ar: Arithmetic):
    if exponent.is_Integer:
        return base ** int(exponent)
    p = at(exponent)
    if ar.kind is object:
        return np.frompyfunc(lambda b, q: _real(lambda x: _tame(x) ** _tame(q))(mp.mpf(b)), 2, 1)(base, p)
    return base**p


def special(e: Expr, arguments: list, ar: Arithmetic):
    """cos, gamma, binomial and the like, by mpmath."""
    f = getattr(mp, type(e).__name__, None)
    if f is None:
        raise NoWitness(f"no number for {e}: add it to the world")
    out = np.frompyfunc(lambda *xs: _real(lambda _: f(*map(mp.mpmathify, xs)))(0), len(arguments), 1)(*arguments)
    return out if ar.kind is object else np.asarray(out, dtype=ar.kind)


def logarithm(e: Expr, at, ar: Arithmetic):
    """log e without the underflow of e: factors and exponents first, where they are positive."""
    if ar.kind is object:
        return ar.log(at(e))
    if isinstance(e, exp):
        return at(e.args[0])
    if isinstance(e, Mul):
        parts = sum(logarithm(a, at, ar) for a in e.args)
        return np.where(np.isnan(parts), ar.log(at(e)), parts) if np.any(np.isnan(parts)) else parts
    if isinstance(e, sp.Pow) and e.exp.is_Rational and (e.base.is_positive or not e.exp.is_Integer):
        return ar.number(e.exp) * logarithm(e.base, at, ar)
    return ar.log(at(e))


def quadrature(e: Integral, env: Mapping, ar: Arithmetic, n: int):
    *inner, (z, a, b) = e.limits
    f = Integral(e.function, *inner) if inner else e.function
    if (a, b) == (-oo, oo):
        return weighted(f, z, *line(n, ar, mp.mp.prec), env, ar, n)
    if oo in (a, b) or -oo in (a, b):
        raise NoWitness("half lines: substitute first")
    x, w = segment(n, ar, mp.mp.prec)
    wider = widened(env)
    lo, hi = (evaluate(c, wider, ar, n) for c in (a, b))
    return weighted(f, z, lo + (hi - lo) * x, w * (hi - lo), env, ar, n)


def weighted(f: Expr, z: sp.Symbol, nodes, weights, env: Mapping, ar: Arithmetic, n: int):
    """The sum over nodes of weight times f."""
    terms = evaluate(f, {**widened(env), z: nodes}, ar, n) * weights
    if ar.kind is not object:
        terms = np.where(np.isfinite(terms), terms, 0)  # 0 log 0 and 0/0, far out in the tails
    return terms.sum(axis=-1)


def slope(e: Derivative, env: Mapping, ar: Arithmetic, n: int):
    """The derivative of something with an integral in it, by a five-point stencil: no exchange of limits."""
    v, inner = e.variables[0], e.expr
    if len(e.variables) > 1:
        inner = Derivative(e.expr, *e.variables[1:], evaluate=False)
    step = ar.number(sp.Rational(1, 10**8 if ar.kind is object else 10**3))

    def at(k):
        return evaluate(inner, {**env, v: env[v] + k * step}, ar, n)

    return (8 * (at(1) - at(-1)) - (at(2) - at(-2))) / (12 * step)


def repeated(e: Sum | Product, env: Mapping, ar: Arithmetic, n: int):
    """A finite sum or product, term by term."""
    *inner, (k, a, b) = e.limits
    f = e.func(e.function, *inner) if inner else e.function
    if oo in (a, b) or -oo in (a, b):
        raise NoWitness("a sum without end")
    lo, hi = (np.asarray(evaluate(c, env, ar, n)) for c in (a, b))
    neutral, join = (0, add) if isinstance(e, Sum) else (1, mul)

    def everywhere(number: int):
        return np.full(batch(env), ar.number(sp.Integer(number)), dtype=ar.kind)

    total = everywhere(neutral)
    for i in range(int(np.min(lo)), int(np.max(hi)) + 1):
        value = evaluate(f, {**env, k: everywhere(i)}, ar, n)
        total = join(total, np.where((lo <= i) & (i <= hi), value, neutral))
    return total


def depth(e: Expr) -> int:
    """How deeply integrals are nested."""
    here = len(e.limits) if isinstance(e, Integral) else 0
    if isinstance(e, GaussianMean):
        here = 1 if isinstance(e.args[1], sp.Symbol) else 2
    return max((depth(a) for a in e.args), default=0) + here


def values(sides, env: Mapping, ar: Arithmetic, n: int) -> list:
    """The sides at all points; the entries of a matrix count as so many sides."""
    with np.errstate(all="ignore"):
        out = [np.asarray(evaluate(e, env, ar, n), dtype=None if ar.kind is object else ar.kind) for e in sides]
        return [
            np.broadcast_to(v, batch(env) + (v.shape[-2:] if isinstance(e, MatrixExpr) else ()))
            for e, v in zip(sides, out, strict=True)
        ]


# ---------------------------------------------------------------- vectors and matrices


def batch(env: Mapping) -> tuple:
    """The common shape of the letters."""
    return next((np.shape(v)[:-2] if isinstance(s, MatrixSymbol) else np.shape(v) for s, v in env.items()), (1,))


def widened(env: Mapping) -> dict:
    """The same letters with room for one more axis of points."""
    return {s: v[..., None, :, :] if isinstance(s, MatrixSymbol) else v[..., None] for s, v in env.items()}


def dimension(env: Mapping) -> int:
    return int(np.ravel(env[DIMENSION])[0])


def matrix_value(e: Expr, at: Callable, env: Mapping, ar: Arithmetic):
    """Matrices, quadratic forms and Gaussian densities of vectors."""
    if isinstance(e, VectorNormal):
        density = power(determinant(at(e.variance)), sp.Rational(-1, 2), at, ar) * ar.exp(at(e.exponent()))
        return density * ar.number((2 * sp.pi) ** sp.Rational(-dimension(env), 2))
    if isinstance(e, Quadratic):
        v = at(e.vector)
        return (np.swapaxes(v, -1, -2) @ at(e.matrix) @ v)[..., 0, 0]
    if isinstance(e, sp.Transpose):
        return np.swapaxes(at(e.arg), -1, -2)
    if isinstance(e, sp.MatAdd):
        return reduce(add, map(at, e.args))
    if isinstance(e, sp.MatMul):
        scale, matrices = e.as_coeff_matrices()
        return reduce(matmul, map(at, matrices)) * np.asarray(at(scale))[..., None, None]
    if isinstance(e, sp.MatPow) and e.exp.is_Integer:
        return reduce(matmul, abs(int(e.exp)) * [at(e.base) if e.exp > 0 else inverse(at(e.base))])
    if isinstance(e, (sp.Identity, sp.ZeroMatrix)):
        shape = [dimension(env) if n == DIMENSION else 1 for n in e.shape]
        return np.eye(*shape, dtype=ar.kind) * int(isinstance(e, sp.Identity))
    if isinstance(e, Root):
        return cholesky(at(e.args[0]), at, ar)
    raise NoWitness(f"no number for {e}")


def determinant(a: np.ndarray) -> Any:
    """Along the first row."""
    if a.shape[-1] == 1:
        return a[..., 0, 0]
    return np.sum([(-1) ** k * a[..., 0, k] * determinant(minor(a, 0, k)) for k in range(a.shape[-1])], axis=0)


def minor(a, i: int, k: int):
    return np.delete(np.delete(a, i, -2), k, -1)


def inverse(a: np.ndarray) -> np.ndarray:
    """By cofactors: the dimension is 2 or 3."""
    n = a.shape[-1]
    rows = [np.stack([(-1) ** (i + k) * determinant(minor(a, k, i)) for k in range(n)], -1) for i in range(n)]
    return np.stack(rows, -2) / determinant(a)[..., None, None]


def cholesky(a: np.ndarray, at: Callable, ar: Arithmetic):
    root = a * 0
    for i, k in zip(*np.tril_indices(a.shape[-1]), strict=True):
        rest = a[..., i, k] - (root[..., i, :] * root[..., k, :]).sum(-1)
        root[..., i, k] = power(rest, sp.Rational(1, 2), at, ar) if i == k else rest / root[..., k, k]
    return root
