"""vanishes, sign, definite and domain_gap: a "yes" is a proof, so it is never wrong."""

from __future__ import annotations

import random
import time

import pytest
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st
from sympy import Integral, Product, Rational, Sum, exp, log, oo, sqrt

from derivations.calculus import (
    Density,
    E,
    RealFunction,
    UnitFunction,
    covariances,
    d,
    integral,
    matrices,
    naturals,
    normal,
    positives,
    quadratic,
    reals,
    units,
    vectors,
)
from derivations.calculus.deciding import vanishes
from derivations.calculus.signs import TERMS, TooManyTerms, definite, domain_gap, length, sign

x, y, z, u = reals("x y z u")
r, s = positives("r s")
a, b = units("a b")
k, n = naturals("k n")
q, D, f = Density("q", [z]), UnitFunction("D", [z]), RealFunction("f", [x])
X, Y = vectors("X Y")
P, R = covariances("P R")
H = matrices("H")

# ---------------------------------------------------------------- zero

ZERO = [
    (x + y) ** 2 - x**2 - 2 * x * y - y**2,
    sqrt(r * s) - sqrt(r) * sqrt(s),
    sqrt(1 - a) ** 2 - 1 + a,
    1 / (sqrt(r) + sqrt(s)) - (sqrt(r) - sqrt(s)) / (r - s),
    log(r * s**2 / (1 - a)) - log(r) - 2 * log(s) + log(1 - a),
    log(4) - 2 * log(2),
    exp(x) * exp(-x) - 1,
    exp(2 * x) - exp(x) ** 2,
    a ** (n + 1) - a * a**n,
    (a * b) ** n / b**n - a**n,
    4**n - 2 ** (2 * n),
    integral(q * z, z) - integral(q(u) * u, u),
    Sum(a**k, (k, 1, n)) - Sum(a**n, (n, 1, n)).xreplace({}),
    d(x, f) * 2 - d(x, f) - d(x, f),
    normal(x, y + z, s) - normal(x, z + y, s),
    q * (z**2 - 1) - q * (z - 1) * (z + 1),
    quadratic(X + Y, P) + quadratic(X - Y, P) - 2 * quadratic(X, P) - 2 * quadratic(Y, P),
]
NOT_ZERO = [
    sqrt(x**2) - x,
    log(x**2) - 2 * log(x),
    exp(x * y) - exp(x) * exp(y),
    sqrt(r + s) - sqrt(r) - sqrt(s),
    a**n * b**n - (a + b) ** n,
    integral(q, z) - integral(q * 2, z),
    integral(q, z) - Integral(q, (z, 0, oo)),
    q - q(u),
    E(q, z) - z,
    sp.Float("0.1") + sp.Float("0.2") - Rational(3, 10),
    quadratic(X, P) - quadratic(X, R),
]


@pytest.mark.parametrize("e", ZERO, ids=str)
def test_what_is_zero_vanishes(e):
    assert vanishes(e)


@pytest.mark.parametrize("e", NOT_ZERO, ids=str)
def test_what_is_not_zero_does_not(e):
    assert not vanishes(e)


letters = st.sampled_from([x, y, r, a, sqrt(r), sqrt(1 - a), sp.Integer(1), sp.Integer(2)])
numbers = st.recursive(letters, lambda e: st.builds(sp.Add, e, e) | st.builds(sp.Mul, e, e), max_leaves=7)


@given(numbers, numbers, numbers)
def test_identities_are_recognised_and_errors_too(e, g, h):
    assert vanishes((e + g) * h - e * h - g * h)
    assert vanishes((e - g) * (e + g) - e**2 + g**2)
    assert not vanishes((e + g) * h - e * h - g * h + Rational(1, 1000))


@given(numbers, numbers)
def test_what_vanishes_is_zero_in_numbers(e, g):
    at = {x: 0.7, y: -1.3, r: 1.9, a: 0.4}
    if vanishes(e - g):
        assert abs(complex((e - g).subs(at))) < 1e-9 * (1 + abs(complex(e.subs(at))))


# ---------------------------------------------------------------- signs

SIGNS = [
    (1 - a, 1, False),
    (a * b - a, -1, False),
    (1 - a * b, 1, False),
    (x**2 + 1, 1, False),
    (x**2 + y**2, 1, True),
    (x**2 - 2 * x * y + y**2, 1, True),
    (x**2 - 2 * x + 2, 1, False),
    (n - Rational(1, 2), 1, False),
    (1 / a - 1, 1, False),
    (D * (1 - D), 1, False),
    (integral(q * z**2, z), 1, True),
    (exp(x) + q, 1, False),
    (sp.Sum(a**k, (k, 1, n)), 1, False),
    (1 + sp.Sum(q * (1 + x**2), (k, 1, n)), 1, False),
    (quadratic(X, P), 1, True),
    (quadratic(X, P) + 1, 1, False),
    (sp.S.Zero, 1, True),
]
UNDECIDED = [
    (x, False),
    (a - b, True),
    (x**2, False),
    (x**2 - y**2, True),
    (f, True),
    (integral(q * z, z), True),
    (Integral(z**2, (z, 1, 0)), True),
    (sp.Sum(a**k, (k, 3, n)), False),
    (sp.Sum(x**k, (k, 1, n)), True),
    (quadratic(X, H), True),
    (sp.S.Zero, False),
    ((x + 1) ** 2 - x**2 - 2 * x - 1, False),
    (n - 1, False),
]


@pytest.mark.parametrize(("e", "expected", "weak"), SIGNS, ids=str)
def test_a_certain_sign(e, expected, weak):
    assert sign(e, weak) == expected
    assert sign(-e, weak) == (-expected if e != 0 else 1)
    assert not weak or sign(e) == 0


@pytest.mark.parametrize(("e", "weak"), UNDECIDED, ids=str)
def test_an_uncertain_sign(e, weak):
    assert sign(e, weak) == 0


@given(numbers, st.integers(0, 99))
def test_a_sign_holds_in_numbers(e, seed):
    rng = random.Random(seed)
    at = {x: rng.gauss(0, 2), y: rng.gauss(0, 2), r: rng.lognormvariate(0, 1), a: rng.random()}
    for weak in (False, True):
        if certain := sign(e, weak):
            assert certain * float(e.subs(at)) >= -1e-12


def test_sympy_is_not_asked_to_compute():
    """The sign of a number with an integral in it would be found by quadrature, and printing would evaluate it."""
    hard = Integral(1 / b**2, (b, 0, 1)) - 1
    begun = time.process_time()
    assert sign(hard) == 0
    assert not vanishes(hard)
    assert time.process_time() - begun < 1


# ---------------------------------------------------------------- matrices


@pytest.mark.parametrize("m", [P, 2 * P + R, P.inverse(), (P + H.T * R * H).inverse(), a * P, H.T * H + P], ids=str)
def test_a_definite_matrix(m):
    assert definite(m)


@pytest.mark.parametrize("m", [H, P - R, -P, H.T * H, P * R, x * P, H + H.T, H.T * P * H], ids=str)
def test_a_matrix_that_may_not_be_definite(m):
    assert not definite(m)


def test_semidefinite_is_weaker():
    assert definite(H.T * P * H, weak=True)
    assert not definite(H * P * H, weak=True)


# ---------------------------------------------------------------- definedness

DEFINED = [1 / (x**2 + 1), log(1 - a), sqrt(1 - a * b), 1 / (1 - a) ** n, sqrt(x**2), log(q), 1 / q, P.inverse()]
DEFINED += [integral(log(q) * q, z), Sum(1 / k, (k, 1, n)), Product(1 / k, (k, 2, n)), normal(X, Y, P + R)]
UNDEFINED = {
    1 / x: "a division by x",
    log(x): "the logarithm of x",
    sqrt(x): "a power of x",
    1 / (a - b): "a division by a - b",
    x**r: "a power of x",
    (x**2) ** -r: "a division by Abs(x)",
    Integral(s, (s, -1, 1)): "values of s outside its domain",
    Integral(a, (a, 0, 2)): "values of a outside its domain",
    Sum(1 / k, (k, 0, n)): "values of k outside its domain",
    sp.MatAdd(X, P, evaluate=False): "matrices of different shapes",
    sp.MatMul(X, P, evaluate=False): "whose shapes do not fit",
    H.inverse(): "the inverse of H",
    (P - R).inverse(): "the inverse of P - R",
    normal(X, Y, H): "which may not be positive definite",
    1 / E(normal(x, 0, 1), x + y): "a division by",
}


@pytest.mark.parametrize("e", DEFINED, ids=str)
def test_what_is_defined(e):
    assert domain_gap(e) is None


@pytest.mark.parametrize(("e", "why"), UNDEFINED.items(), ids=str)
def test_what_may_be_undefined(e, why):
    assert why in domain_gap(e)


# ---------------------------------------------------------------- swell


def test_too_many_terms_is_an_answer():
    many = reals(" ".join(f"x_{i}" for i in range(12)))
    begun = time.process_time()
    with pytest.raises(TooManyTerms, match="name a part of it with let"):
        vanishes(sum(many) ** 12 - (sum(many) ** 6 - 1) * (sum(many) ** 6 + 1))
    assert sign(sum(t**2 for t in many) ** 9 - sum(many) ** 18) == 0
    assert time.process_time() - begun < 2


@given(numbers)
def test_length_is_an_upper_bound(e):
    assert len(sp.Add.make_args(sp.expand(e))) <= length(e)
    assert length(e**3) >= length(e)


def test_length_sees_the_swell():
    assert length(sum(sp.symbols("t0:9")) ** 20) > TERMS
