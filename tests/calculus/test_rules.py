"""Every rule accepts a true step and refuses a false one, even when the witness is silent."""

from __future__ import annotations

import pytest
import sympy as sp
from sympy import Integral, Product, Rational, Sum, exp, factorial, log, oo, sqrt

from derivations.calculus import (
    KL,
    Cov,
    Density,
    E,
    RealFunction,
    Refuted,
    UnitFunction,
    Unproved,
    Var,
    algebra,
    by_induction,
    by_parts,
    called,
    change_of_variables,
    check,
    citing,
    completing_the_square,
    covariances,
    d,
    definition,
    differentiating,
    differentiation,
    elementary_integral,
    entropy,
    eq,
    equalities,
    factorials,
    gaussian_integral,
    gaussian_moments,
    ge,
    granted,
    gt,
    independence,
    induction,
    inequalities,
    integral,
    jensen,
    le,
    limit,
    linearity,
    log_tangent,
    logarithms,
    lt,
    naturals,
    normal,
    normalised,
    pointwise,
    positives,
    positivity,
    reals,
    rearranging,
    sums,
    taylor,
    telescope,
    tends_to,
    theorem,
    tower,
    under_the_integral,
    units,
    up_to,
    using,
    vectors,
)

x, y, z, u, v = reals("x y z u v")
a, b = units("a b")
r, s, h = positives("r s h")
k, n = naturals("k n")
N = sp.Symbol("N", integer=True, nonnegative=True)
X, Y, M = vectors("X Y M")
P = covariances("P")

p, q = Density("p", [z]), Density("q", [z])
given, marginal = Density("q", [z], given=[y]), Density("m", [y])
f, g = RealFunction("f", [x]), UnitFunction("g", at=[k])
step = normal(y, sqrt(a) * z, 1 - a)

bayes = definition("Bayes' rule", {given: step * q / marginal})
WORLD = {
    p: normal(z, 0, 1),
    q: Rational(3, 10) * normal(z, -1, 1) + Rational(7, 10) * normal(z, 2, 2),
    marginal: Rational(3, 10) * normal(y, -sqrt(a), 1) + Rational(7, 10) * normal(y, 2 * sqrt(a), 1 + a),
    given: step * q / integral(step * q, z),
    f: sp.sin(x) + x**3 / 7,
    g: 1 / (1 + k),
}


def on_a_board(*lines):
    """A derivation made of these lines."""

    def derivation():
        yield from lines

    return derivation


def true(line, step):
    return "true", line, step


def false(line, step):
    return "false", line, step


def another_reason(line, step):
    """A step that may be true, but not for this reason."""
    return "another reason", line, step


# ---------------------------------------------------------------- what other rules cite


def squares():
    """(x + y)^2 = x^2 + 2xy + y^2."""
    yield (x + y) ** 2
    yield eq(x**2 + 2 * x * y + y**2, by=algebra)


def gibbs():
    """-KL(q, p) <= 0."""
    yield -KL(q, p)
    yield eq(E(q, log(p / q)), by=linearity)
    yield le(log(E(q, p / q)), by=jensen())
    yield eq(0, by=normalised(p))


def score():
    """The slope of log q is q'/q."""
    yield d(z, log(q))
    yield eq(d(z, q) / q, by=differentiation)


def nobody_left():
    """All k on the right bank."""
    yield k
    yield eq(k, by=algebra)


def one_crosses():
    """One of N + 1 crosses to the k."""
    yield (N + 1) + k
    yield eq(N + (k + 1), by=algebra)


# ---------------------------------------------------------------- steps, true and false

crossing = (nobody_left, one_crosses)
halfway = normal(X, (M + Y) / 2, P / 2)
around = normal(z, y / 2, Rational(1, 2))
joint = integral(step * q, z)

STEPS = {
    "algebra": [
        true(sqrt(r * s) * (x**2 - y**2), eq(sqrt(r) * sqrt(s) * (x - y) * (x + y), by=algebra)),
        true(a ** (n + 1) * exp(x + y), eq(a**n * exp(x) * exp(y) * a, by=algebra)),
        false(sqrt(r + s), eq(sqrt(r) + sqrt(s), by=algebra)),
        false((x + y) ** 3, eq(x**3 + y**3, by=algebra)),
        false(a ** (n + 1), eq(a**n + a, by=algebra)),
    ],
    "called": [
        true(x + x, eq(2 * x, by=called("twice"))),
        false(x + x, eq(x**2, by=called("twice"))),
    ],
    "linearity": [
        true(E(q, 2 * z + x) - x, eq(2 * E(q, z), by=linearity)),
        false(E(q, z**2), eq(E(q, z) ** 2, by=linearity)),
        false(Var(q, 2 * z), eq(2 * Var(q, z), by=linearity)),
        false(KL(q, p), eq(KL(p, q), by=linearity)),
        false(entropy(q), eq(E(q, log(q)), by=linearity)),
        true(
            integral(q * Sum(a * (z - k) ** 2, (k, 1, n)), z),
            eq(a * Sum(integral(q * (z - k) ** 2, z), (k, 1, n)), by=linearity),
        ),
        false(
            integral(g * q * Sum(g * z**2, (k, 1, n)), z),  # two letters k
            eq(Sum(integral(g**2 * q * z**2, z), (k, 1, n)), by=linearity),
        ),
    ],
    "independence": [
        true(E(q * normal(v, x, 1), z * v), eq(E(q, z) * E(normal(v, x, 1), v), by=independence)),
        false(E(q * normal(v, z, 1), z * v), eq(E(q, z) * E(q * normal(v, z, 1), v), by=independence)),
    ],
    "normalised": [
        true(integral(2 * q, z), eq(2, by=normalised(q))),
        false(integral(q**2, z), eq(1, by=normalised(q))),
        false(integral(q * p, z), eq(1, by=normalised(q, p))),
        another_reason(integral(p, z), eq(1, by=normalised(q))),
    ],
    "definition": [
        true(given, eq(step * q / marginal, by=bayes)),
        true(given(u, x), eq(step.xreplace({y: x, z: u}) * q(u) / marginal(x), by=bayes)),
        false(given, eq(step * q, by=bayes)),
        false(given(y, z), eq(step * q(y) / marginal, by=bayes)),
    ],
    "pointwise": [
        true(E(q, (x + z) ** 2), eq(E(q, x**2 + 2 * x * z + z**2), by=pointwise(algebra))),
        true(E(normal(z, 0, 1), normal(y, z, 1)), eq(E(around, normal(y, 0, 2)), by=pointwise(algebra))),
        false(E(q, z**2), le(E(q, z), by=pointwise(positivity))),
        false(E(q, z), eq(E(p, z), by=pointwise(algebra))),
        another_reason(E(q, z**2), ge(E(q, 2 * z) - 1, by=pointwise(positivity))),
    ],
    "tower": [
        true(E(marginal, E(given, z)), eq(E(q, z), by=tower(marginal, given, bayes, q, step))),
        false(E(marginal, E(given, z)), eq(E(p, z), by=tower(marginal, given, bayes, p, step))),
        another_reason(E(marginal, E(given, z)), eq(E(q, z), by=tower(marginal, given, bayes, q, 2 * step))),
    ],
    "gaussian_integral": [
        true(integral(z**2 * normal(z, x, s), z), eq(x**2 + s, by=gaussian_integral(z))),
        false(integral(z**2 * normal(z, x, s), z), eq(x**2 + s**2, by=gaussian_integral(z))),
        false(integral(exp(-(z**2)), z), eq(sqrt(2 * sp.pi), by=gaussian_integral(z))),
    ],
    "gaussian_moments": [
        true(E(normal(z, x, s), z**4), eq(x**4 + 6 * x**2 * s + 3 * s**2, by=gaussian_moments)),
        true(E(normal(v, z, s) * normal(z, x, r), v**2), eq(x**2 + s + r, by=gaussian_moments)),
        false(Cov(normal(z, x, s), z, z**2), eq(x * s, by=gaussian_moments)),
        false(E(normal(v, z, s) * normal(z, x, r), v**2), eq(x**2 + s, by=gaussian_moments)),
    ],
    "completing_the_square": [
        true(exp(x * y - x**2 / 2), eq(sqrt(2 * sp.pi) * exp(y**2 / 2) * normal(x, y, 1), by=completing_the_square(x))),
        true(normal(Y, X, P) * normal(X, M, P), eq(normal(Y, M, 2 * P) * halfway, by=completing_the_square(X))),
        false(normal(y, x, s) * normal(x, 0, r), eq(normal(x, y, s) * normal(y, 0, r), by=completing_the_square(x))),
        false(normal(Y, X, P) * normal(X, M, P), eq(normal(Y, M, P) * halfway, by=completing_the_square(X))),
        another_reason((x + y) ** 2, eq(x**2 + 2 * x * y + y**2, by=completing_the_square(x))),
    ],
    "change_of_variables": [
        true(integral(q, z), eq(integral(2 * q(x - 2 * u), u), by=change_of_variables(z, x - 2 * u, u))),
        false(integral(q, z), eq(integral(q(2 * u), u), by=change_of_variables(z, 2 * u, u))),
        false(integral(z * q, z), eq(integral(u * q(-u), u), by=change_of_variables(z, -u, u))),
    ],
    "differentiation": [
        true(d(x, log(f**2 + 1)), eq(2 * f * d(x, f) / (f**2 + 1), by=differentiation)),
        false(d(x, x * f), eq(d(x, f), by=differentiation)),
        another_reason(d(x, integral(q * x * z, z)), eq(integral(q * z, z), by=differentiation)),
    ],
    "under_the_integral": [
        true(d(y, joint), eq(integral((sqrt(a) * z - y) / (1 - a) * step * q, z), by=under_the_integral(y))),
        false(d(y, joint), eq(integral((sqrt(a) * z - y) * step * q, z), by=under_the_integral(y))),
        another_reason(d(y, integral(q(z - y) * z, z)), eq(integral(d(y, q(z - y)) * z, z), by=under_the_integral(y))),
    ],
    "by_parts": [
        true(integral(z * d(z, q), z), eq(-integral(q, z), by=by_parts(z * q, z))),
        true(Integral(b**2, (b, 0, 1)), eq(Rational(1, 3), by=by_parts(b**3 / 3, b))),
        false(integral(z * d(z, q), z), eq(integral(q, z), by=by_parts(z * q, z))),
        false(Integral(b, (b, 0, 1)), eq(0, by=by_parts(b**2 / 2, b))),
    ],
    "elementary_integral": [
        true(Integral(z * exp(z), (z, 0, h)), eq(1 + (h - 1) * exp(h), by=elementary_integral())),
        false(Integral(z * exp(z), (z, 0, h)), eq(h * exp(h), by=elementary_integral())),
    ],
    "limit": [
        true((a**n + r) / (1 + s), tends_to(r / (1 + s), n, oo, by=limit())),
        true(sqrt(1 - a), tends_to(0, a, 1, by=limit())),
        false(a**n, tends_to(1, n, oo, by=limit())),
        false(sqrt(1 - a), tends_to(0, a, 0, by=limit())),
        another_reason(integral(s * normal(z, x, 1), z), tends_to(0, s, 0, by=limit())),
    ],
    "taylor": [
        true(f(x + h), up_to(f + h * d(x, f) + h**2 / 2 * d(x, d(x, f)), h, 3, by=taylor())),
        true(log(q(z + h**2)), up_to(log(q) + h**2 * d(z, log(q)), h, 4, by=taylor())),
        true(E(q, f(z * h)), up_to(E(q, f(0)), h, 1, by=taylor("f has a bounded slope"))),
        false(f(x + h), up_to(f + h * d(x, f) + h**2 * d(x, d(x, f)), h, 3, by=taylor())),
        false(log(1 + h), up_to(h, h, 3, by=taylor())),
        another_reason(E(q, f(z * h)), up_to(E(q, f(0)), h, 1, by=taylor())),
    ],
    "positivity": [
        true(x**2 + y**2, ge(-2 * x * y, by=positivity)),
        true(a * b, lt(a, by=positivity)),
        false(x**2 + y**2, ge(3 * x * y, by=positivity)),
        false(a * b, lt(a - b, by=positivity)),
        another_reason(x**2, gt(0, by=positivity)),
    ],
    "log_tangent": [
        true(r * log(s / r), le(s - r, by=log_tangent())),
        false(-r * log(s), le(-r * (s - 1), by=log_tangent())),
        false(log(s), ge(s - 1, by=log_tangent())),
    ],
    "jensen": [
        true(E(q, log(p / q)), le(log(E(q, p / q)), by=jensen())),
        false(E(q, log(p / q)), ge(log(E(q, p / q)), by=jensen())),
        false(E(q, z**2), le(E(q, z) ** 2, by=jensen())),
    ],
    "telescope": [
        true(Sum(1 / g - 1 / g(k + 1), (k, 1, n)), eq(1 / g(1) - 1 / g(n + 1), by=telescope)),
        true(Product(g / g(k + 1), (k, 1, n)), eq(g(1) / g(n + 1), by=telescope)),
        false(Sum(1 / g - 1 / g(k + 1), (k, 1, n)), eq(1 / g(1) - 1 / g(n), by=telescope)),
        false(Product(g / g(k + 1), (k, 1, n)), eq(g(1) * g(n + 1), by=telescope)),
    ],
    "induction": [
        true(Sum(k**2, (k, 1, n)), eq(n * (n + 1) * (2 * n + 1) / 6, by=induction(n))),
        false(Sum(k**2, (k, 1, n)), eq(n**3, by=induction(n))),
        false(Product(k, (k, 1, n)), eq(n, by=induction(n))),
    ],
    "by_induction": [
        true(N + k, eq(((N + k) ** 2 - 1) / (N + k + 1) + 1, by=by_induction(N, *crossing, along={k: k + 1}))),
        false(N + k, eq(k, by=by_induction(N, *crossing, along={k: k + 1}))),
        false(N + k, eq(k + 2 * N, by=by_induction(N, *crossing, along={k: k + 1}))),
    ],
    "logarithms": [
        true(Product(exp(-s * k), (k, 1, n)), eq(exp(-s * Sum(k, (k, 1, n))), by=logarithms)),
        false(Product(exp(-s * k), (k, 1, n)), eq(exp(-s * n), by=logarithms)),
    ],
    "factorials": [
        true(factorial(n + 1) / factorial(n), eq(n + 1, by=factorials)),
        false(factorial(n + 1), eq(n * factorial(n), by=factorials)),
    ],
    "theorem": [
        true((x + y) ** 2 + z, eq(x**2 + 2 * x * y + y**2 + z, by=theorem(squares))),
        true((x + z) ** 2, eq(x**2 + 2 * x * z + z**2, by=theorem(squares, {y: z}))),
        false((x + y) ** 2, eq(x**2 + y**2, by=theorem(squares))),
        false(-KL(q, p), eq(0, by=theorem(gibbs))),
    ],
    "rearranging": [
        true(x + d(z, q), eq(x + q * d(z, log(q)), by=rearranging(score))),
        false(d(z, q), eq(d(z, log(q)), by=rearranging(score))),
        another_reason(d(z, p), eq(p * d(z, log(p)), by=rearranging(score))),
    ],
    "using": [
        true(x, ge(x - KL(q, p), by=using(gibbs))),
        false(x, le(x - KL(q, p), by=using(gibbs))),
        another_reason(x, gt(x - KL(q, p), by=using(gibbs))),
    ],
}  # fmt: skip


def steps(verdict: str) -> list:
    """The steps of which the table says so, under the names of their rules."""
    rows = [(rule, line, step) for rule, rows in STEPS.items() for says, line, step in rows if says == verdict]
    return [pytest.param(line, step, id=f"{rule}-{n}") for n, (rule, line, step) in enumerate(rows)]


@pytest.mark.parametrize(("line", "step"), steps("true"))
def test_a_true_step_stands(line, step):
    assert check(on_a_board(line, step)).end == step.rhs


@pytest.mark.parametrize(("line", "step"), steps("false"))
def test_a_false_step_is_refuted(line, step):
    with pytest.raises(Refuted, match="is false"):
        check(on_a_board(line, step))


@pytest.mark.parametrize(("line", "step"), steps("false"))
def test_a_false_step_is_not_proved_where_no_witness_speaks(line, step):
    with pytest.raises(Unproved, match="is not proved by"):
        check(on_a_board(line, step), judges=("rule",))


@pytest.mark.parametrize("judges", [("rule",), ("witness", "rule")], ids="+".join)
@pytest.mark.parametrize(("line", "step"), steps("another reason"))
def test_a_rule_proves_nothing_but_its_own(line, step, judges):
    with pytest.raises(Unproved, match="is not proved by"):
        check(on_a_board(line, step), judges=judges)


def test_every_rule_is_here():
    """What a page may give as a reason, except ``granted``, which proves nothing and says so."""
    modules = (citing, differentiating, equalities, inequalities, sums)
    assert {name for module in modules for name in module.__all__} == set(STEPS) | {"granted"}
    assert all({"true", "false"} <= {says for says, *_ in steps} for steps in STEPS.values())


def test_what_is_granted_is_printed():
    done = check(on_a_board(x, eq(x, by=granted("a fact", "a reference"))))
    assert done.granted == ["a reference"]
    assert check(on_a_board(E(q, f(z * h)), STEPS["taylor"][2][2])).granted == ["f has a bounded slope"]


def test_over_a_segment_ends_are_taken_and_nothing_is_granted():
    assert by_parts(b**2, b).name == "fundamental theorem"
    assert by_parts(z * q, z).name == "by parts"
    assert not by_parts(b**2, b).granted
    assert by_parts(z * q, z).granted
