r"""An independent numeric witness: both sides of a step, evaluated at random admissible points.

Nothing here knows the rules.  Letters are drawn from their domains, unspecified densities are replaced by those of a
*world*, integrals are computed by quadrature, all points at once (``witness_values``), at two resolutions.  Matrices
have 2 rows, then 3.

Double precision may *accept* a step; only higher precision (mpmath, or extended precision for nested integrals) may
*refute* one, so a rounding error is never reported as a counterexample.
"""

from __future__ import annotations

import random
from contextlib import suppress
from zlib import crc32

import mpmath as mp
import numpy as np
import sympy as sp
from sympy import Derivative, Expr, Integral, MatrixSymbol, oo

from .meanings import GaussianMean, World, fill, inhabit
from .notation import (
    DIMENSION,
    Average,
    CovarianceMatrix,
    Density,
    Expectation,
    Normal,
    UnitSymbol,
    VectorNormal,
    spelled_out,
    variables,
)
from .witness_values import ARBITRARY, DOUBLE, EXTENDED, NoWitness, Root, depth, values

POINTS, NEAR, FAR = 5, 1e-10, 1e-8  # accept below NEAR in double precision; refute above FAR in higher precision


# ---------------------------------------------------------------- worlds


def interpret(expr: Expr, world: World) -> Expr:
    """Take atoms apart, replace unspecified densities by those of the world, and carry out the derivatives."""
    return averaged(inhabit(spelled_out(averaged(expr)), world))


def averaged(expr: Expr) -> Expr:
    """Averages under Gaussians as integrals against a standard normal, the last variable of a chain first."""
    if isinstance(expr, Average) and expr.q.has(Normal):
        if not isinstance(expr, Expectation):
            return averaged(expr.spell())
        f, chain = averaged(expr.f), list(sp.Mul.make_args(expr.q))
        while chain:  # integrate first over what no other law depends on
            last = next(
                q for q in chain if not any(set(variables(q)) & (p.free_symbols - set(variables(p))) for p in chain)
            )
            chain.remove(last)
            if isinstance(last, VectorNormal):
                u = MatrixSymbol(sp.Dummy().name, DIMENSION, 1)
                f = GaussianMean(fill(f, [last.x], [last.mean + Root(last.variance) * u]), u)
            elif isinstance(last, Normal):
                u = sp.Dummy("u", real=True)
                f = GaussianMean(fill(f, [last.x], [last.mean + sp.sqrt(last.variance) * u]), u)
            else:
                f = Integral(last * f, *((z, -oo, oo) for z in last.variables))
        return f
    if not expr.args or isinstance(expr, Density):
        return expr
    if isinstance(expr, Derivative):
        return Derivative(averaged(expr.expr), *expr.args[1:], evaluate=False)
    return expr.func(*map(averaged, expr.args))


# ---------------------------------------------------------------- points


def draw(letter: sp.Symbol, rng: random.Random) -> float:
    """A random value that the letter is allowed to take."""
    if isinstance(letter, UnitSymbol):
        return rng.uniform(0.05, 0.95)
    if letter.is_integer:
        return rng.randint(1, 7)
    return rng.lognormvariate(0, 0.5)


def draw_matrix(letter: MatrixSymbol, rows: int, rng: random.Random) -> np.ndarray:
    """A random vector or matrix."""
    numbers = np.array([[rng.gauss(0, 1.3) for _ in range(1 if letter.cols == 1 else rows)] for _ in range(rows)])
    return numbers @ numbers.T / rows + np.eye(rows) / 3 if isinstance(letter, CovarianceMatrix) else numbers


def points(letters, seed: str, count: int, rows: int = 2) -> dict[Expr, np.ndarray]:
    """Random values for all letters; a real letter takes both signs; matrices have so many rows."""
    rng = random.Random(crc32(seed.encode()))
    matrices = {s for s in letters if isinstance(s, MatrixSymbol)}
    env = {s: np.array([draw(s, rng) for _ in range(count)], dtype=float) for s in sorted(letters - matrices, key=str)}
    for s in (s for s in env if not s.is_nonnegative):
        signs = [1, -1][:count] + rng.choices([1, -1], k=max(count - 2, 0))
        rng.shuffle(signs)
        env[s] = env[s] * signs * 1.3
    if matrices:
        env[DIMENSION] = np.full(count, float(rows))
        env |= {s: np.array([draw_matrix(s, rows, rng) for _ in range(count)]) for s in sorted(matrices, key=str)}
    return env


# ---------------------------------------------------------------- testimony

EXCESS = {"=": lambda g: abs(g), "<=": lambda g: g, ">=": lambda g: -g, "<": lambda g: g, ">": lambda g: -g}


def disagreement(relation: str, lhs: Expr, rhs: Expr, world: World) -> str | None:
    """Describe an admissible point where `lhs relation rhs` is false, if one is found."""
    sides = [interpret(e, world) for e in (lhs, rhs)]
    letters = set().union(*(e.free_symbols for e in sides))
    deep, seed = max(map(depth, sides)), sp.srepr(lhs) + relation
    found = refutation(relation, sides, points(letters, seed, 3 if deep > 1 else POINTS), deep)
    if found is None and not deep and any(isinstance(s, MatrixSymbol) for s in letters):
        return refutation(relation, sides, points(letters, seed, 1, rows=3), deep)
    return found


def refutation(relation: str, sides: list[Expr], env: dict, deep: int) -> str | None:
    """The worst of the points, if the relation is false there."""
    strict, count, gap = relation in ("<", ">"), len(next(iter(env.values()), [0])), np.zeros(1)

    def gaps(ar, env, n):
        left, right = values(sides, env, ar, n)
        with np.errstate(all="ignore"):
            gap = EXCESS[relation](left - right) / (1 + abs(left) + abs(right))
        return [np.ravel(a) for a in (left, right, gap)]

    for coarse, fine in ((161, 321),) if deep > 1 else ((161, 321), (641, 1281)) if deep else ((1, 1),):
        left, right, gap = gaps(DOUBLE, env, fine)
        good = np.all(gap < -NEAR) if strict else np.all(gap <= NEAR)
        if good and (not deep or resolved(gaps(DOUBLE, env, coarse)[:2], (left, right))):
            return None

    # Digits are dear: where numbers already tell a falsehood, the worst of the points is asked before the others.
    if count > 1 and deep and np.any(gap > FAR):
        worst = int(np.argmax(np.where(np.isfinite(gap), gap, 0))) * count // len(gap)
        with suppress(NoWitness):
            if found := refutation(relation, sides, {s: v[worst : worst + 1] for s, v in env.items()}, deep):
                return found

    def precisely(digits: int, n: int):
        if deep > 1:
            return gaps(EXTENDED, {s: v.astype(np.longdouble) for s, v in env.items()}, n)
        with mp.workdps(digits):
            return gaps(ARBITRARY, {s: np.frompyfunc(lambda x: mp.mpf(float(x)), 1, 1)(v) for s, v in env.items()}, n)

    left, right, gap = precisely(30, 641 if deep < 3 else 161)
    seen = [i for i, g in enumerate(gap) if mp.isfinite(mp.mpmathify(g))]
    wrong = [i for i in seen if (gap[i] > FAR or (strict and gap[i] >= 0))]
    if not wrong:
        if len(seen) < len(gap):
            raise NoWitness("a side has no finite value at some point")
        return None
    # What goes away with more digits, or on another grid, is no point.
    *_, again = precisely(60, 481 if deep < 3 else 121)
    if not deep and all(again[i] <= (-NEAR if strict else FAR) for i in wrong):
        return None
    wrong = [i for i in wrong if abs(again[i] - gap[i]) <= abs(gap[i]) / 2]
    if not wrong:
        raise NoWitness("numbers that depend on the grid or on the digits")
    i = max(wrong, key=lambda i: gap[i])
    at = ", ".join(
        f"{s} = {np.array2string(v[i * count // len(gap)], precision=4, separator=', ')}" for s, v in env.items()
    )
    where = f"at {' '.join(at.split()).replace('., ', ', ').rstrip('.')}: " if at else ""
    return f"{where}left = {mp.nstr(mp.mpmathify(left[i]), 8)}, right = {mp.nstr(mp.mpmathify(right[i]), 8)}"


def resolved(coarse, fine) -> bool:
    """Do two resolutions agree, so that an agreement of both sides is not that of two empty grids?"""
    return all(np.all(abs(c - f) <= 1e-5 * (1 + abs(f))) for c, f in zip(coarse, fine, strict=True))


def drift(relation: str, lhs: Expr, rhs: Expr, world: World, letter: sp.Symbol, target: Expr, order: int) -> str | None:
    """Does the gap vanish like letter^order (or just vanish, order 0) as the letter approaches its target?"""
    gap = interpret(lhs - rhs, world)
    if gap.has(Integral, GaussianMean) and target in (oo, -oo):
        raise NoWitness("an integral whose mass may leave the grid")
    env = points(gap.free_symbols - {letter}, sp.srepr(lhs), 3) or {sp.Dummy(): np.ones(3)}
    near = [0.02, 0.01, 0.005] if order else [1e-2, 1e-3, 1e-4]
    if letter.is_integer:
        near = [1 / 64, 1 / 256, 1 / 1024]
    for place in approaches(letter, target):
        with np.errstate(all="ignore"):
            gaps = [values([gap], {**env, letter: np.full(3, place(h))}, DOUBLE, 321)[0] for h in near]
        sizes = [np.abs(g) + 1e-300 for g in gaps]
        if not np.all(np.isfinite(sizes)):
            raise NoWitness(f"the gap has no finite value near {letter} = {target}")
        for h, coarse, k, fine in zip(near, sizes, near[1:], sizes[1:], strict=False):
            rate = np.log(coarse / fine) / np.log(h / k)  # the gap is about h^rate
            if np.any((rate < (order - 0.3 if order else 0.3)) & (fine > 1e-11)):
                what = f"not O({letter}^{order})" if order else "not vanishing"
                places = ", ".join(f"{place(h):.4g}" for h in near)
                return f"the gap at {letter} = {places} is {', '.join(f'{s[0]:.3g}' for s in sizes)}: {what}"
    return None


def approaches(letter: sp.Symbol, target: Expr) -> list:
    """The ways to approach the target within the domain of the letter: from a distance h, the point."""
    if target in (oo, -oo):
        return [lambda h: (1 if target == oo else -1) / h]
    to = float(target)
    above, below = (lambda h: to + h), (lambda h: to - h)
    if isinstance(letter, UnitSymbol) and to == 1:
        return [below]
    return [above] if letter.is_nonnegative and to == 0 else [above, below]
