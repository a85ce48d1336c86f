r"""Gives every expression a number, whatever its densities and integrals are.

Unspecified densities become some smooth functions.  An integral becomes a sum over a few fixed nodes, a derivative a
difference.  Neither is its true value, but two ways to write one thing have the same, and little else has.  Nothing
here is shared with the witness.
"""

from __future__ import annotations

import cmath
from itertools import product
from math import prod
from random import Random
from typing import Any

import numpy as np
import sympy as sp
from sympy import Add, Derivative, Expr, Integral, Mul, Pow, Product, Sum, exp, log, oo

from derivations.calculus import notation as atoms
from derivations.calculus.notation import DIMENSION, Density, Normal, UnitSymbol, variables

Number = Any  # a complex number, or a matrix
Point = dict[Expr, Number]
NODES, WEIGHTS = (-1.37, -0.42, 0.63, 1.58), (0.31, 0.83, 0.71, 0.23)
ROWS = 2  # of a matrix


class Valuation:
    """Numbers for the letters, by their names."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def random(self, *name) -> Random:
        return Random(repr((self.seed, *name)))

    def letter(self, s: Expr) -> Number:
        rng = self.random(s.name)
        if isinstance(s, sp.MatrixSymbol):
            shape = [ROWS if n == DIMENSION else int(n) for n in s.shape]
            m = np.array([rng.gauss(0, 1) for _ in range(prod(shape))]).reshape(shape)
            return m @ m.T + np.eye(ROWS) if isinstance(s, atoms.CovarianceMatrix) else m
        if s.is_integer:
            return rng.randint(2, 4)
        if isinstance(s, UnitSymbol):
            return rng.uniform(0.1, 0.9)
        return rng.lognormvariate(0, 0.6) * (1 if s.is_positive else rng.choice([1, -1]))

    def __call__(self, e: Expr, at: Point | None = None) -> Number:
        at = at or {}
        value = lambda f: self(f, at)
        if e in at:
            return at[e]
        match e:
            case sp.Symbol() | sp.MatrixSymbol():
                return self.letter(e)
            case sp.MatrixExpr():
                return self.matrix(e, at)
            case Add():
                return sum(map(value, e.args))
            case Mul():
                return prod(map(value, e.args))
            case exp(args=(x,)):
                return cmath.exp(value(x))
            case log(args=(x,)):
                return cmath.log(value(x))
            case Pow(base=b, exp=x):
                return complex(value(b)) ** value(x)
            case Density():
                return self.density(e, at)
            case atoms.VectorNormal():
                return self.gaussian(value(e.x), value(e.mean), value(e.variance))
            case Normal():
                return self.gaussian(*(np.array([[value(a)]]) for a in e.args))
            case atoms.Quadratic():
                return (value(e.vector).T @ value(e.matrix) @ value(e.vector))[0, 0]
            case atoms.Average():
                return self.average(e, at)
            case Integral(args=(f, *limits)):
                return self.integral(f, limits, at)
            case Derivative():
                return self.difference(e.expr, list(e.variables), at)
            case Sum(args=(f, *limits)) | Product(args=(f, *limits)):
                return self.repeated(f, limits, sum if isinstance(e, Sum) else prod, at)
        if e.is_number:
            return complex(e)
        return complex(e.func(*(sp.Float(complex(value(a)).real, 17) for a in e.args)))

    def matrix(self, e: sp.MatrixExpr, at: Point) -> Number:
        value = lambda f: self(f, at)
        match e:
            case sp.MatAdd():
                return sum(map(value, e.args))
            case sp.MatMul():
                result = np.eye(ROWS)[:, :] if e.shape[0] == DIMENSION else np.eye(1)
                for f in map(value, e.args):
                    result = result @ f if isinstance(f, np.ndarray) else result * f
                return result
            case sp.MatPow():
                return np.linalg.matrix_power(value(e.base), int(e.exp))
            case sp.Transpose():
                return value(e.arg).T
        return np.eye(ROWS) if isinstance(e, sp.Identity) else np.zeros((ROWS, ROWS))

    def density(self, q: Density, at: Point) -> Number:
        rng = self.random(q.head)
        total: complex = rng.uniform(-1, 1)
        for slot in q.slots:
            total += np.sum(np.sin(rng.uniform(0.5, 1.5) * np.asarray(self(slot, at)) + rng.uniform(-1, 1)))
        if isinstance(q, atoms.UnitFunction):
            return 1 / (1 + cmath.exp(total))
        return total if isinstance(q, atoms.RealFunction) else cmath.exp(total)

    def gaussian(self, x, mean, variance) -> Number:
        square = ((x - mean).T @ np.linalg.inv(variance) @ (x - mean))[0, 0]
        return cmath.exp(-square / 2) / cmath.sqrt(np.linalg.det(2 * np.pi * variance))

    def average(self, e: atoms.Average, at: Point) -> Number:
        def mean(f) -> Number:
            letters = variables(e.q)
            total = 0
            for nodes in product(range(len(NODES)), repeat=len(letters)):
                drawn = {v: self.node(v, i) for v, i in zip(letters, nodes)}
                total += prod(WEIGHTS[i] for i in nodes) * self(e.q, at | drawn) * f(at | drawn)
            return total

        f = lambda point: self(e.f, point)
        match e:
            case atoms.Divergence():
                return mean(lambda point: cmath.log(self(e.q, point)) - cmath.log(f(point)))
            case atoms.Entropy():
                return mean(lambda point: -cmath.log(self(e.q, point)))
            case atoms.Variance():
                return mean(lambda point: f(point) ** 2) - mean(f) ** 2
            case atoms.Covariance():
                g = lambda point: self(e.g, point)
                return mean(lambda point: f(point) * g(point)) - mean(f) * mean(g)
        return mean(f)

    def node(self, v: Expr, i: int):
        """A bound letter takes the same values whatever its name."""
        return np.array([[NODES[i]], [NODES[(i + 1) % 4]]]) if isinstance(v, sp.MatrixSymbol) else NODES[i]

    def integral(self, f: Expr, limits: list, at: Point) -> Number:
        if not limits:
            return self(f, at)
        *inner, (z, low, high) = limits
        a, b = (-1.0 if c == -oo else 1.0 if c == oo else self(c, at) for c in (low, high))
        total = 0
        for x, w in zip(NODES, WEIGHTS):
            total += w * self.integral(f, inner, at | {z: (a + b) / 2 + (b - a) / 2 * x})
        return (b - a) * total

    def difference(self, f: Expr, by: list, at: Point) -> Number:
        if not by:
            return self(f, at)
        *others, v = by
        here = self(v, at)
        ahead, behind = (self.difference(f, others, at | {v: here + h}) for h in (0.03, -0.02))
        return (ahead - behind) / 0.05

    def repeated(self, f: Expr, limits: list, join, at: Point) -> Number:
        if not limits:
            return self(f, at)
        *inner, (k, low, high) = limits
        first, last = (round(complex(self(c, at)).real) for c in (low, high))
        return join(self.repeated(f, inner, join, at | {k: i}) for i in range(first, last + 1))


def differ(one: Expr, other: Expr) -> bool:
    """Do two expressions say different things?"""
    if one == other:
        return False
    for seed in range(3):
        a, b = (np.asarray(Valuation(seed)(e)) for e in (one, other))
        if a.shape != b.shape or not np.allclose(a, b, rtol=1e-8, atol=1e-10):
            return True
    return False
