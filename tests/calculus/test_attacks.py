"""False steps designed to slip through; each of them once did, or might have.

Each must be refused by both judges together, and by each of them alone, so that neither hides behind the other.  Where
a judge is blind to an attack by its nature, the list says so, and the test holds it to that.
"""

from __future__ import annotations

import pytest
import sympy as sp
from sympy import Integral, Product, Rational, Sum, exp, factorial, log, oo, sqrt

from derivations.calculus import (
    KL,
    Density,
    E,
    RealFunction,
    Rejected,
    UnitFunction,
    Var,
    algebra,
    by_induction,
    by_parts,
    change_of_variables,
    check,
    completing_the_square,
    covariances,
    d,
    definition,
    differentiation,
    elementary_integral,
    eq,
    gaussian_integral,
    gaussian_moments,
    ge,
    granted,
    gt,
    induction,
    integral,
    jensen,
    le,
    let,
    limit,
    linearity,
    log_tangent,
    lt,
    matrices,
    naturals,
    normal,
    normalised,
    pointwise,
    positives,
    positivity,
    quadratic,
    reals,
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
from derivations.calculus.notation import UnitSymbol
from derivations.calculus.witness import points

x, y, z, u = reals("x y z u")
a, b = units("a b")
h, r, s, tau = positives("h r s tau")
k, n, t = naturals("k n t")
N = sp.Symbol("N", integer=True, nonnegative=True)
X, Y, M = vectors("X Y M")
P, R = covariances("P R")
H, G = matrices("H G")
q, p, joint = Density("q", [z]), Density("p", [z]), Density("p", [x, z])
given, marginal = Density("q", [z], given=[y]), Density("m", [y])
D, A, f = UnitFunction("D", [z]), UnitFunction("A", at=[t]), RealFunction("f", [x])
open_ended = UnitFunction("B", at=[t])  # the world is silent about it
step = normal(y, sqrt(a) * z, 1 - a)
WORLD = {
    q: Rational(3, 10) * normal(z, -1, 1) + Rational(7, 10) * normal(z, 2, 2),
    p: normal(z, 0, 1),
    joint: normal(z, 0, 1) * normal(x, z, 1),
    marginal: Rational(3, 10) * normal(y, -sqrt(a), 1) + Rational(7, 10) * normal(y, 2 * sqrt(a), 1 + a),
    given: step * q / integral(step * q, z),
    D: 1 / (1 + z**2),
    A: 1 / (1 + t),
    f: sp.sin(x) + 2,
}
bayes = definition("Bayes' rule", {given: step * q / marginal})
ATTACKS = {}
RULE, WITNESS = {"rule"}, {"witness"}  # the judge that is blind


def attack(name: str, *lines, blind=frozenset()):
    """Note a derivation made of these lines."""

    def derivation():
        yield from lines

    ATTACKS[name] = derivation, blind


def attacking(name: str, blind=frozenset()):
    """Note a derivation that needs more than a list of lines."""

    def noted(derivation):
        ATTACKS[name] = derivation, blind
        return derivation

    return noted


# ---------------------------------------------------------------- algebra: branches, zeros, letters

attack("sqrt(x^2) = x", sqrt(x**2), eq(x, by=algebra))
attack("sqrt((a-b)^2) = a-b", sqrt((a - b) ** 2), eq(a - b, by=algebra))
attack("(x^2)^(3/2) = x^3", (x**2) ** Rational(3, 2), eq(x**3, by=algebra))
attack("log(x^2 + 1) = 2 log(x + 1)", log(x**2 + 1), eq(2 * log(x + 1), by=algebra))
attack("(a^n)^n = a^(2n)", (a**n) ** n, eq(a ** (2 * n), by=algebra))
attack("a^n b^n = (a + b)^n", a**n * b**n, eq((a + b) ** n, by=algebra))
attack("2^n 3^n = 5^n", 2**n * 3**n, eq(5**n, by=algebra))
attack("e^x e^y = e^(x y)", exp(x) * exp(y), eq(exp(x * y), by=algebra))
attack("|x| = x", sp.Abs(x), eq(x, by=algebra))
attack("divided by what may vanish", x + y, eq((x**2 - y**2) / (x - y), by=algebra))
zero, another = (x + 1) ** 2 - x**2 - 2 * x - 1, (x + 2) ** 2 - x**2 - 4 * x - 4
attack("divided by zero in disguise", x, eq(x + y / zero - y / another, by=algebra))
attack("a power of zero in disguise", x, eq(x + zero**-r - another**-r, by=algebra))
attack("divided in a let", x, let(sp.Symbol("w", real=True), 1 / (x - y)), eq(x, by=algebra))
attack("log of a signed number", sp.S.Zero, eq(log(x / y) - log(x) + log(y), by=algebra))
attack("a let that shadows", x * y, let(x, y + 1), eq(x * y, by=algebra))
attack("a let that redefines", x, let(h, s), let(h, 2 * s), eq(x, by=algebra))
attack("a let that contains itself", x, let(h, h + 1), eq(x, by=algebra))
attack("a let outside of (0, 1)", x, let(UnitSymbol("w"), 1 + h), eq(x, by=algebra))
attack("a positive letter for something signed", x, let(sp.Symbol("w", positive=True), a - b), eq(x, by=algebra))
attack("two letters of one name", x, eq(sp.Symbol("x", positive=True), by=algebra))
attack("not a number", x, eq(sp.nan, by=algebra))
attack("not a real number", x, eq(x + sp.I, by=algebra))
attack("a root of something negative", x, eq(sqrt(-(x**2) - 1), by=algebra))


@attacking("true only where the witness looks first")
def where_the_witness_looks():
    seen = points({x}, sp.srepr(sp.sin(x)) + "=", 5)[x]
    yield x
    yield eq(x + sp.prod(x - sp.Float(float(v), 17) for v in seen), by=algebra)


@attacking("a refusal that is swallowed")
def swallowed():
    try:
        yield x
        yield eq(x + 1, by=algebra)
    except Rejected:
        yield eq(x, by=algebra)


# ---------------------------------------------------------------- laws and means

attack("a joint law integrated over one of its two", integral(joint, z), eq(1, by=normalised(joint)))
attack("a joint law on its diagonal", integral(joint(z, z), z), eq(1, by=normalised(joint)))
attack("a function with values in (0, 1) is no density", integral(q * D, z), eq(1, by=normalised(q)))
attack("normalised over a half line", Integral(q, (z, 0, oo)), eq(1, by=normalised(q)))
attack("integrated over the condition", integral(given, y), eq(1, by=normalised(given)))
attack("condition and variable at once", integral(given(z, z), z), eq(1, by=normalised(given)))
attack("standard deviation for variance", Var(normal(z, x, s**2), z), eq(s, by=gaussian_integral(z)))
attack("reversed KL", KL(q, p), eq(KL(p, q), by=linearity))
attack("mean of a product", E(q, z * z), eq(E(q, z) ** 2, by=linearity))
attack("a constant that is none", E(q, z * exp(z)), eq(exp(z) * E(q, z), by=linearity))
attack("fourth moment", E(normal(z, x, s), z**4), eq(x**4 + 6 * x**2 * s + s**2, by=gaussian_moments))
attack("moments of a shifted law", E(normal(z, y, s) * normal(y, 0, 1), z), eq(y, by=gaussian_moments))
total, other = tower(marginal, given, bayes, q, step), tower(marginal, given, bayes, p, step)
attack("tower with half a joint law", E(marginal, E(given, y * z)), eq(E(q, y * z), by=total))
attack("tower with the wrong prior", E(marginal, E(given, z)), eq(E(p, z), by=other))
doubled, turned = change_of_variables(z, 2 * u, u), change_of_variables(z, -u, u)
attack("substitution without the slope", integral(q, z), eq(integral(q(2 * u), u), by=doubled))
attack("substitution that turns the line", integral(q * z, z), eq(integral(u * q(-u), u), by=turned))
near = integral(q / (1 + (z - u) ** 2), z)
attack("substitution that catches a free letter", near, eq(integral(2 * q(2 * u) / (1 + u**2), u), by=doubled))
scaled = change_of_variables(z, x * u, u)
attack("substitution with a slope of any sign", integral(q, z), eq(integral(x * q(x * u), u), by=scaled))
attack("a Gaussian that does not decay", integral(exp(z**2 - z), z), eq(sqrt(sp.pi), by=gaussian_integral(z)))
attack("a square in another letter", normal(y, z, s) * q, eq(normal(z, y, s) * q(y), by=completing_the_square(z)))
attack("a fact about one index used for all", 1 / A, eq(2, by=definition("A(1) = 1/2", {A(1): Rational(1, 2)})))
beyond = 1 / open_ended(t - 1), eq(t + 1, by=definition("B", {open_ended: 1 / (2 + t)}))
attack("a fact about t >= 1 used at 0", *beyond)

# ---------------------------------------------------------------- inequalities

attack("Jensen in the wrong direction", E(q, log(p / q)), ge(log(E(q, p / q)), by=jensen()))
attack("Jensen for a convex function", E(q, z**2), le(E(q, z) ** 2, by=jensen()))
attack("Jensen with two laws", E(q, log(D)), le(log(E(p, D)), by=jensen()), blind=WITNESS)
attack("tangent with a negative weight", -log(h), le(-(h - 1), by=log_tangent()))
attack("tangent from above", log(h), ge(h - 1, by=log_tangent()))
attack("a square is positive", (x - y) ** 2, gt(0, by=positivity), blind=WITNESS)
attack("less, though equal at a point", a * (1 - a), lt(Rational(1, 4), by=positivity), blind=WITNESS)
attack("zero is less than zero", x - x, lt(0, by=positivity))
attack("zero in disguise is negative", zero, lt(another, by=positivity))
attack("a positive letter over the whole line", integral(s * exp(-(s**2)), s), gt(0, by=positivity))
attack("limits the wrong way round", Integral(z**2 + 1, (z, 1, 0)), ge(0, by=positivity))
attack("a sum that starts below its letter", Sum(k - 1, (k, 0, 3)), ge(3, by=pointwise(positivity)))
back = Integral(2 * z**2, (z, 1, 0))
attack("a relation turned by the limits", back / 2, le(back, by=pointwise(positivity)))


# ---------------------------------------------------------------- derivatives, limits, orders

shifted = d(y, integral(1 / (1 + (z - y) ** 2), z))
heavy = eq(integral(2 * (z - y) / (1 + (z - y) ** 2) ** 2, z), by=under_the_integral(y))
attack("under the integral of a heavy tail", shifted, heavy, blind=WITNESS)
passing = d(y, integral(q * z * y, z))
attack("through the integral in passing", passing, eq(integral(q * z, z), by=differentiation), blind=WITNESS)
attack("by parts with a boundary", integral(d(z, q), z), eq(integral(q, z), by=by_parts(z * q, z)))
attack("by parts without its ends", Integral(b, (b, 0, 1)), eq(0, by=by_parts(b**2 / 2, b)))
attack("by parts over a pole", Integral(1, (b, 0, 1)), eq(-1 + Integral(1 + b**-2, (b, 0, 1)), by=by_parts(1 / b, b)))
attack("by parts with another product", integral(z * d(z, q), z), eq(-integral(z * q, z), by=by_parts(z * q, z)))
attack("an antiderivative over a pole", Integral(1 / z**2, (z, -1, 1)), eq(-2, by=elementary_integral()))
around = Integral(1 / (2 + sp.cos(h)), (h, 0, 2 * sp.pi))
attack("an antiderivative with jumps", around, eq(0, by=elementary_integral()))
attack("limit exchanged with an integral", integral(s * normal(z, s, 1) / s, z), tends_to(0, s, oo, by=limit()))
attack("limit from the wrong end", 1 / (1 + tau), tends_to(1, tau, oo, by=limit()))
attack("limit from outside of (0, 1)", sp.Abs(a - 1) / (1 - a), tends_to(-1, a, 1, by=limit()))
attack("limit from one side", sp.Abs(x) / sqrt(x**2 + r * x**4), tends_to(1, x, 0, by=limit()))
attack("limit of a sum term by term", Sum(1 / n, (k, 1, n)), tends_to(0, n, oo, by=limit()))
attack("limit of a product factor by factor", Product(1 + 1 / n, (k, 1, n)), tends_to(1, n, oo, by=limit()))
attack("limit that keeps its letter", a**n, tends_to(a**n, n, oo, by=limit()), blind=WITNESS)
attack("limit of an unspecified function", f(h), tends_to(0, h, 0, by=limit()))
attack("the wrong order", exp(h) - 1, up_to(h, h, 3, by=taylor()))
attack("the wrong constant", exp(h), up_to(1 + h + h**2, h, 3, by=taylor()))
attack("order of a root", s ** Rational(3, 2), up_to(0, s, 2, by=taylor()))
attack("order of a logarithm", s**2 * log(s), up_to(0, s, 2, by=taylor()), blind=WITNESS)
attack("order from one side", sp.Abs(x), up_to(x, x, 2, by=taylor()))
attack("the slope at another place", f(x + h), up_to(f + h * d(x, f(x + 1)), h, 2, by=taylor()))
attack("a slope that is lost", f(x + 2 * h), up_to(f + h * d(x, f), h, 2, by=taylor()))
attack("under a mean in passing", E(q, f(h * z)), up_to(f(0), h, 1, by=taylor()), blind=WITNESS)
attack("a law that moves", E(normal(z, h, 1), f(h)), up_to(E(normal(z, h, 1), f(0)), h, 2, by=taylor("bounded")))

# ---------------------------------------------------------------- sums, products, induction

off = Rational(4, 5)
attack("telescoping off by one", Sum(1 / k - 1 / (k + 1), (k, 1, 5)), eq(off, by=telescope))
attack("telescoping backwards", Sum(1 / k - 1 / (k + 1), (k, 5, n)), eq(Rational(1, 5) - 1 / (n + 1), by=telescope))
attack("a product that telescopes upside down", Product(k / (k + 1), (k, 1, n)), eq(n + 1, by=telescope))
attack("induction with the letter in the terms", Sum(n, (k, 1, n)), eq(n * (n + 1) / 2, by=induction(n)))
attack("induction from beyond the start", Sum(k, (k, 6, n)), eq(n * (n + 1) / 2 - 15, by=induction(n)))
attack("induction without its base", Sum(k, (k, 1, n)), eq(n * (n + 1) / 2 + 1, by=induction(n)))
attack("induction without its step", Sum(k, (k, 1, n)), eq(n, by=induction(n)))
attack("induction on a product as on a sum", Product(k, (k, 1, n)), eq(n * (n + 1) / 2, by=induction(n)))
given_one = induction(n, step={A(n): sp.S.One})
attack("induction by facts that do not hold", Sum(A, (t, 1, n)), eq(n, by=given_one), blind=RULE)
attack("factorial of too little", factorial(n + 1), eq(factorial(n) + n, by=algebra))


def nothing():
    yield sp.S.Zero
    yield eq(0, by=algebra)


def two_more():
    yield 2 * (N + 1)
    yield eq(2 * N + 2, by=algebra)


attack("induction that moves itself", 2 * N, eq(3 * N, by=by_induction(N, nothing, two_more, along={N: N + 1})))
attack("induction with another step", 2 * N, eq(3 * N, by=by_induction(N, nothing, two_more)))


# ---------------------------------------------------------------- citing


def circular_one():
    yield KL(q, p)
    yield eq(0, by=theorem(circular_two))


def circular_two():
    yield KL(q, p)
    yield eq(0, by=theorem(circular_one))


def gibbs():
    yield -KL(q, p)
    yield eq(E(q, log(p / q)), by=linearity)
    yield le(log(E(q, p / q)), by=jensen())
    yield eq(0, by=normalised(p))


def vanishing():
    yield h / (1 + h)
    yield tends_to(0, h, 0, by=limit())


def mean_of_a_gaussian():
    yield integral(normal(z, x, 1) * z, z)
    yield eq(x, by=gaussian_integral(z))


def smaller_than_one():
    yield A * h
    yield lt(h, by=positivity)


def shrunk():
    yield a * h
    yield lt(h, by=positivity)


def total_mass():
    yield integral(2 * q, z)
    yield eq(2, by=normalised(q))


def law_of_the_output():
    yield given / q
    yield eq(step / marginal, by=bayes)


ATTACKS["a circle"] = circular_one, set()
attack("an equation from an inequality", -KL(q, p), eq(0, by=theorem(gibbs)))
attack("a strict inequality from a weak one", x, gt(x - KL(q, p), by=using(gibbs)), blind=WITNESS)
attack("an inequality the wrong way", x, le(x - KL(q, p), by=using(gibbs)))
attack("an inequality from a limit", x + h / (1 + h), le(x, by=using(vanishing)))
attack("at the letter of an integral", integral(normal(z, z, 1) * z, z), eq(z, by=theorem(mean_of_a_gaussian, {x: z})))
attack("at a number outside of (0, 1)", 2 * h, lt(h, by=theorem(shrunk, {a: sp.Integer(2)})))
attack("at a negative number for a positive", -a, lt(-1, by=theorem(shrunk, {h: -sp.S.One})))
attack("a function in (0, 1) at 2", 2 * h, lt(h, by=theorem(smaller_than_one, {A: sp.Integer(2)})))
attack("a density at a function", integral(2 * D, z), eq(2, by=theorem(total_mass, {q: D})))
attack("a density at another's condition", integral(2 * given, z), eq(3, by=theorem(total_mass, {q: given})))
attack("a law moved without its definition", given / p, eq(step / marginal, by=theorem(law_of_the_output, {q: p})))
moved = step.xreplace({a: b}) / marginal
attack("a letter moved without its definition", given / q, eq(moved, by=theorem(law_of_the_output, {a: b})))


@attacking("trust that runs away", blind=RULE)
def drifting():
    yield E(q, z)
    yield eq(Rational(11, 10), by=granted("a fact", "somewhere"))
    yield eq(2, by=granted("a wrong fact", "nowhere"))


# ---------------------------------------------------------------- matrices

attack("matrices that commute", H * G, eq(G * H, by=algebra))
attack("the transpose of a product", (H * G).T, eq(H.T * G.T, by=algebra))
attack("a matrix is its transpose", H.T, eq(H, by=algebra))
attack("the inverse of a product", (P * R).inverse(), eq(P.inverse() * R.inverse(), by=algebra))
attack("the inverse of a sum", (P + R).inverse(), eq(P.inverse() + R.inverse(), by=algebra))
attack("a matrix that may have no inverse", P, eq(H.inverse() * (H * P + R) - H.inverse() * R, by=algebra))
attack("a difference of covariances inverted", P, eq((P - R).inverse() * (P * P - R * P), by=algebra))
attack("a vector beside a matrix", X, eq(sp.MatAdd(X, P, -P, evaluate=False), by=algebra))
attack("a matrix and a number", P, eq(r, by=algebra))
attack("matrices in order", P, le(P + R, by=positivity))
apart = quadratic(X, P) + quadratic(Y, P)
attack("a quadratic form without its cross term", quadratic(X + Y, P), eq(apart, by=algebra))
attack("a quadratic form of any matrix", quadratic(X, H), ge(quadratic(Y, P), by=positivity))
attack("a quadratic form is positive", quadratic(X, P), gt(0, by=positivity), blind=WITNESS)
attack("a covariance that may be none", normal(X, M, P), eq(normal(X, M, P - R), by=algebra))
attack("a precision for a covariance", normal(X, M, P), eq(normal(X, M, P.inverse()), by=algebra))
attack("the same exponent, another constant", normal(X, M, P), eq(2 * normal(X, M, P), by=completing_the_square(X)))
loop = normal(X, Y, P) * normal(Y, X, P)
attack("a loop is no joint law", loop, eq(normal(X, Y, P / 2) * normal(Y, M, P), by=completing_the_square(X)))
attack("Woodbury without the sandwich", (P + R).inverse(), eq(P.inverse() - R.inverse(), by=algebra))
attack("a mean of vectors", E(normal(X, M, P), quadratic(X, R)), eq(quadratic(M, R), by=linearity))


# ---------------------------------------------------------------- the test


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_is_refused(name):
    derivation, _ = ATTACKS[name]
    with pytest.raises(Rejected):
        check(derivation)


@pytest.mark.parametrize("judge", ["rule", "witness"])
@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_is_refused_by_each_judge_alone(name, judge):
    derivation, blind = ATTACKS[name]
    if judge in blind:
        assert check(derivation, judges=(judge,)), f"{judge} is no longer blind to this: say so in the list"
    else:
        with pytest.raises(Rejected):
            check(derivation, judges=(judge,))


# A law that is drawn from itself, or twice, is not a law: it cannot even be averaged over.

NOT_LAWS = {
    "in a circle": normal(x, y, 1) * normal(y, x, 1),
    "around itself": normal(x, x / 2, 1),
    "twice": normal(x, 0, 1) * normal(x, 1, 1),
    "squared": normal(x, 0, 1) ** 2,
    "on its diagonal": joint(z, z),
    "given itself": given(z, z),
    "of a sum": normal(x + y, 0, 1),
    "a function": D,
    "a mixture by hand": normal(x, 0, 1) / 2 + normal(x, 1, 1) / 2,
    "vectors in a circle": normal(X, Y, P) * normal(Y, X, P),
}


@pytest.mark.parametrize("name", NOT_LAWS)
def test_what_is_not_a_law_has_no_mean(name):
    with pytest.raises(TypeError, match="an expectation needs a density"):
        E(NOT_LAWS[name], x)


def test_induction_takes_facts_about_functions_only():
    with pytest.raises(TypeError, match="there are no facts about it"):
        induction(n, step={n: sp.S.One})


@pytest.mark.parametrize("absurd", [{x: x + 1}, {a: 2 + h}, {x + y: z}, {log(h): h}], ids=str)
def test_a_definition_is_of_something_undefined(absurd):
    with pytest.raises(TypeError, match=r"cannot be defined|needs no definition"):
        definition("absurd", absurd)
