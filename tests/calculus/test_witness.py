"""The witness knows no rule, only numbers: they have to be right, and a rounding error is never a counterexample."""

from __future__ import annotations

import ast
from contextlib import suppress
from pathlib import Path
from time import process_time

import mpmath as mp
import numpy as np
import pytest
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st
from sympy import Integral, Product, Rational, Sum, exp, log, oo, pi, sqrt

import derivations.calculus.witness as witness_module
from derivations.calculus import (
    KL,
    Cov,
    Density,
    E,
    Var,
    d,
    entropy,
    integral,
    naturals,
    normal,
    positives,
    reals,
    units,
)
from derivations.calculus.meanings import inhabit
from derivations.calculus.witness import disagreement, drift, interpret, points
from derivations.calculus.witness_values import ARBITRARY, DOUBLE, EXTENDED, NoWitness, evaluate

x, y, z, u = reals("x y z u")
r, s = positives("r s")
a, b = units("a b")
k, n = naturals("k n")
q, p = Density("q", [z]), Density("p", [z])
joint = Density("p", [x, z])
WORLD = {q: normal(z, -1, 1) / 3 + 2 * normal(z, 2, Rational(1, 2)) / 3, p: normal(z, 1, 2)}
WORLD[joint] = normal(z, 0, 1) * normal(x, z, 1)


def number(e, at=None, ar=DOUBLE, n=641) -> float:
    env = {letter: np.array([ar.number(sp.sympify(v))]) for letter, v in (at or {}).items()}
    return float(np.ravel(evaluate(interpret(e, WORLD), env, ar, n))[0])


KNOWN = [
    (integral(q, z), 1),
    (integral(integral(joint, z) * x**2, x), 2),
    (Integral(joint, (z, -oo, oo), (x, -oo, oo)), 1),
    (E(q, z), 1),
    (Var(q, z), Rational(8, 3)),
    (Cov(normal(x, 0, 2) * normal(y, x, 1), x, y), 2),
    (KL(p, normal(z, 0, 1)), (1 + 2 - 1 - log(2)) / 2),
    (entropy(p), log(2 * pi * sp.E * 2) / 2),
    (E(normal(x, 0, 1), x**6), 15),
    (E(normal(x, 0, Rational(1, 10**6)), exp(x)), exp(Rational(1, 2 * 10**6))),
    (Integral(exp(-(z**2)), (z, -oo, oo)), sqrt(pi)),
    (Integral(1 / sqrt(a), (a, 0, 1)), 2),
    (Integral(log(a), (a, 0, 1)), -1),
    (Integral(a * z, (a, 0, 1), (z, 0, 2)), 1),
    (Sum(k**2, (k, 1, 4)), 30),
    (Sum(k, (k, 3, 1)), 0),
    (Product(k, (k, 1, 5)), 120),
    (Sum(Sum(1, (n, 1, k)), (k, 1, 4)), 10),
    (sp.binomial(7, 3) + sp.factorial(4), 59),
    (sp.beta(2, 3), Rational(1, 12)),
    (sp.Max(1, 2) - sp.Min(1, 2) + sp.Abs(-3), 4),
]


@pytest.mark.parametrize("arithmetic", [DOUBLE, EXTENDED, ARBITRARY], ids=["double", "extended", "arbitrary"])
@pytest.mark.parametrize(("e", "known"), KNOWN, ids=str)
def test_known_numbers(e, known, arithmetic):
    nested = e.has(joint)
    assert number(e, ar=arithmetic, n=161 if nested else 641) == pytest.approx(float(known), rel=1e-9, abs=1e-12)


def test_derivatives_of_integrals_are_differences():
    assert number(d(y, integral(q * exp(-((z - y) ** 2)), z)), {y: Rational(1, 2)}) == pytest.approx(
        number(integral(2 * (z - y) * q * exp(-((z - y) ** 2)), z), {y: Rational(1, 2)}), rel=1e-7
    )


@pytest.mark.parametrize("e", [Density("unknown", [z]), Integral(q, (z, 0, oo)), Sum(1 / k**2, (k, 1, oo))], ids=str)
def test_no_number_is_said_to_be_none(e):
    with pytest.raises(NoWitness):
        number(e, {z: 1})


# ---------------------------------------------------------------- points


@given(st.text(max_size=5), st.integers(2, 9))
def test_points_lie_in_their_domains(seed, count):
    env = points({x, r, a, n}, seed, count)
    assert {v.shape for v in env.values()} == {(count,)}
    assert np.all((env[a] > 0) & (env[a] < 1))
    assert np.all(env[r] > 0)
    assert np.all((env[n] >= 1) & (env[n] == np.round(env[n])))
    assert env[x].min() < 0 < env[x].max()


def test_points_are_the_same_each_time_and_differ_from_step_to_step():
    assert np.array_equal(points({x}, "a step", 5)[x], points({x}, "a step", 5)[x])
    assert not np.array_equal(points({x}, "a step", 5)[x], points({x}, "another", 5)[x])


# ---------------------------------------------------------------- testimony


def test_a_rounding_error_is_no_counterexample():
    """In double precision both differ from zero by much more than the threshold."""
    big = 10**12 * x
    assert disagreement("=", (big + 1) ** 2 - big**2 - 2 * big, sp.S.One, {}) is None
    assert disagreement("=", (exp(r / 10**9) - 1) * 10**9, r + r**2 / (2 * 10**9), {}) is None


def test_a_small_error_is_a_counterexample():
    assert disagreement("=", x, x * (1 + Rational(1, 10**6)), {})
    assert disagreement("=", integral(q, z), 1 + Rational(1, 10**6), WORLD)


@pytest.mark.parametrize(
    ("relation", "left", "right", "true"),
    [
        ("<=", a * b, a, True),
        ("<=", a, a * b, False),
        (">=", x**2, -r, True),
        ("<", a, 1, True),
        ("<", a, a, False),
        (">", exp(x), 0, True),
        (">", x**2, x, False),
        ("<=", -KL(q, p), 0, True),
        (">=", -KL(q, p), 0, False),
    ],
)
def test_inequalities(relation, left, right, true):
    assert (disagreement(relation, sp.sympify(left), sp.sympify(right), WORLD) is None) == true


@pytest.mark.parametrize("variance", [Rational(1, 10**k) for k in range(2, 6)], ids=str)
def test_a_coarse_grid_is_no_counterexample(variance):
    """A peak between the nodes: what depends on the grid is not said of the integral."""
    with suppress(NoWitness):
        assert disagreement("=", integral(normal(z, Rational(7, 10), variance).spell(), z), sp.S.One, {}) is None


def test_half_precision_of_a_refutation_is_not_enough():
    """Only more digits than a double has may refute."""
    used = []
    original = witness_module.values

    def noted(sides, env, ar, n):
        used.append(ar)
        return original(sides, env, ar, n)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(witness_module, "values", noted)
        assert disagreement("=", x, x + 1, {})
        assert used[-1] is ARBITRARY
        assert disagreement("=", integral(integral(joint, z) * x**2, x), sp.S.One, WORLD)
        assert used[-1] is EXTENDED
        used.clear()
        assert disagreement("=", x, x, {}) is None
        assert used == [DOUBLE]


@pytest.mark.parametrize("is_asked", [True, False], ids=["convinces", "does not convince"])
def test_the_worst_of_the_points_is_asked_before_the_others(is_asked):
    """Digits are dear, and one point refutes; where that one does not, the others still may."""
    counts = []
    of_values, of_refutation = witness_module.values, witness_module.refutation

    def noted(sides, env, ar, n):
        counts.extend([len(env[x])] if ar is ARBITRARY else [])
        return of_values(sides, env, ar, n)

    def deaf_to_one(relation, sides, env, deep):
        return of_refutation(relation, sides, env, deep) if is_asked or len(env[x]) > 1 else None

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(witness_module, "values", noted)
        patch.setattr(witness_module, "refutation", deaf_to_one)
        found = disagreement("=", integral(normal(z, x, 1).spell() * z, z), 2 * x, {})
    assert "left" in (found or "")
    assert set(counts) == {1 if is_asked else witness_module.POINTS}


def test_a_nonreal_side_is_no_witness():
    with pytest.raises(NoWitness, match="no finite value"):
        disagreement("=", log(-1 - x**2), log(-1 - x**2), {})


# ---------------------------------------------------------------- limits


@pytest.mark.parametrize(
    ("left", "right", "letter", "target", "order", "true"),
    [
        (exp(x), 1 + x, x, 0, 2, True),
        (exp(x), 1 + x, x, 0, 3, False),
        (sp.Abs(x), x, x, 0, 2, False),
        (1 / (1 + r), 0, r, oo, 0, True),
        (1 / (1 + r), 1, r, oo, 0, False),
        (sqrt(1 - a), 0, a, 1, 0, True),
        (log(a) / (a - 1), 1, a, 1, 0, True),
        (b**n, 0, n, oo, 0, True),
        (E(normal(z, 0, r), z**2), 0, r, 0, 0, True),
    ],
    ids=str,
)
def test_drift(left, right, letter, target, order, true):
    near = (letter, sp.sympify(target), order)
    assert (drift("~" if order else "->", sp.sympify(left), sp.sympify(right), {}, *near) is None) == true


def test_mass_may_leave_the_grid():
    with pytest.raises(NoWitness, match="mass may leave"):
        drift("->", integral(normal(z, r, 1).spell(), z), sp.S.Zero, {}, r, oo, 0)


# ---------------------------------------------------------------- worlds


def test_worlds_are_put_in_the_place_of_densities():
    assert inhabit(q(2 * x), {q: z**2}) == 4 * x**2
    assert inhabit(q(p(x)), {q: z**2, p: z + 1}) == (x + 1) ** 2
    assert inhabit(q(0), {q(0): sp.S.One}) == 1
    assert inhabit(q(1), {q(0): sp.S.One}) == q(1)
    assert inhabit(d(z, q), {q: z**3}) == 3 * z**2


def test_bound_letters_step_aside():
    """The z of the integral is not the z put into the slot."""
    marginal = Density("m", [y])
    world = {marginal: integral(normal(y, z, 1).spell() * normal(z, 0, 1).spell(), z)}
    assert number_in(marginal(z), world, {z: 1}) == pytest.approx(float(mp.npdf(1, 0, mp.sqrt(2))), rel=1e-9)


def number_in(e, world, at) -> float:
    env = {letter: np.array([float(v)]) for letter, v in at.items()}
    return float(np.ravel(evaluate(interpret(e, world), env, DOUBLE, 641))[0])


def test_the_witness_knows_no_rule():
    """Nor anything that the rules decide with."""
    for name in ("meanings.py", "witness.py", "witness_values.py"):
        path = Path(witness_module.__file__).with_name(name)
        imported = {
            node.module
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.ImportFrom) and node.level
        }
        assert imported <= {"notation", "meanings", "witness_values"}
    assert mp.mp.dps < 30  # more digits are used for a refutation, and given back


@pytest.mark.parametrize(
    "tower",
    [exp(exp(exp(exp(x)))), exp(-exp(exp(exp(x)))), x ** exp(exp(exp(x))), exp(exp(exp(x))) ** exp(exp(exp(x + y)))],
    ids=str,
)
def test_towers_of_exponentials_have_no_number_and_take_no_time(tower):
    """In extended precision they would ask for more digits than there is memory."""
    clock = process_time()
    assert not np.isfinite(number(tower, {x: Rational(9, 4), y: 1}, ARBITRARY))
    assert process_time() - clock < 1
