"""Matrix expressions: what is proved in every dimension is true in numbers, and what is false there is not proved."""

from __future__ import annotations

import numpy as np
import pytest
import sympy as sp
from sympy import Identity

from derivations.calculus import (
    E,
    Refuted,
    Undefined,
    algebra,
    check,
    covariances,
    eq,
    let,
    matrices,
    normal,
    positives,
    quadratic,
    vectors,
)
from derivations.calculus.deciding import vanishes
from derivations.calculus.noncommuting import RULES, Words, in_words, matrix_vanishes
from derivations.calculus.notation import DIMENSION
from derivations.calculus.witness import interpret, points
from derivations.calculus.witness_values import DOUBLE, cholesky, determinant, evaluate, inverse

I = Identity(DIMENSION)
X, Y, M, C = vectors("X Y M C")
P, R, Q = covariances("P R Q")
F, G = matrices("F G")
a, b = positives("a b")
S = F * P * F.T + R
Lambda = P.inverse() + F.T * R.inverse() * F
gain = P * F.T * S.inverse()
after = Lambda.inverse() + G * Q * G.T

IDENTITIES = {
    "Woodbury": S.inverse() - R.inverse() + R.inverse() * F * Lambda.inverse() * F.T * R.inverse(),
    "push through": gain - Lambda.inverse() * F.T * R.inverse(),
    "Joseph": (I - gain * F) * P * (I - gain * F).T + gain * R * gain.T - Lambda.inverse(),
    "gain form": Lambda.inverse() - P + gain * F * P,
    "two observations": (Lambda + G.T * Q.inverse() * G).inverse()
    - Lambda.inverse()
    + Lambda.inverse() * G.T * (G * Lambda.inverse() * G.T + Q).inverse() * G * Lambda.inverse(),
    "prediction": P.inverse() - P.inverse() * (P.inverse() + Q.inverse()).inverse() * P.inverse() - (P + Q).inverse(),
    "parallel sum": (P.inverse() + Q.inverse()).inverse() - P * (P + Q).inverse() * Q,
    "inverse of a product": (P * Q).inverse() - Q.inverse() * P.inverse(),
    "transposes": (F * P * G).T - G.T * P * F.T,
    "inverse twice": after.inverse().inverse() - after,
    "scaled": (a * P + b * P).inverse() - P.inverse() / (a + b),
    "innovation": Lambda.inverse() * (P.inverse() * M + F.T * R.inverse() * (Y - C)) - M - gain * (Y - C - F * M),
}
ERRORS = {
    "commuted": F * G - G * F,
    "untransposed": (F * G).T - F.T * G.T,
    "Woodbury, outer": S.inverse() - R.inverse() + R.inverse() * F * Lambda.inverse() * F.T * R,
    "Woodbury, sign": S.inverse() - R.inverse() - R.inverse() * F * Lambda.inverse() * F.T * R.inverse(),
    "inverse of a sum": (P + R).inverse() - P.inverse() - R.inverse(),
    "wrong way": P * Q - Q * P,
    "identity": gain * F - I,
    "scaled": (a * P).inverse() - a * P.inverse(),
    "one scale": I - a * I,
}


def value(e, seed: int, rows: int) -> np.ndarray:
    """What a matrix expression is at a random point."""
    return np.asarray(evaluate(e, points(e.free_symbols, str(seed), 1, rows=rows), DOUBLE, 1))


@pytest.mark.parametrize("name", IDENTITIES)
def test_an_identity_is_proved_and_holds_in_numbers(name):
    e = IDENTITIES[name]
    assert matrix_vanishes(e)
    assert vanishes(e)
    for seed, rows in ((0, 2), (1, 3), (2, 4)):
        assert np.abs(value(e, seed, rows)).max() < 1e-9


@pytest.mark.parametrize("name", ERRORS)
def test_an_error_is_not_proved_and_fails_in_numbers(name):
    assert not matrix_vanishes(ERRORS[name])
    assert np.abs(value(ERRORS[name], 0, 2)).max() > 1e-6


@pytest.mark.parametrize("name", IDENTITIES)
def test_every_rule_of_rewriting_is_true(name):
    """Each relation that the search has found, in numbers."""
    words = Words(IDENTITIES[name])
    words.polynomial(IDENTITIES[name])
    at = points({P, R, Q, F, G, a, b}, name, 1)
    letters = {letter: at[thing][0] for thing, letter in words.letters.items() if thing in at}
    letters |= {words.mirror[letter]: m.T for letter, m in list(letters.items())}

    def number(polynomial) -> np.ndarray:
        total = np.zeros((2, 2))
        for word, c in polynomial.items():
            factors = [letters[letter] for letter in word]
            scale = float(words.numbers.to_sympy(c).subs({s: at[s][0] for s in (a, b)}))
            total = total + scale * np.linalg.multi_dot([np.eye(2), np.eye(2), *factors])
        return total

    for matrix, letter in words.inverses:
        if letter not in letters:
            letters[letter] = np.linalg.inv(number(matrix))
    assert not IDENTITIES[name].has(sp.Pow) or words.rules
    for head, tail in words.rules.items():
        if set(head).union(*tail) <= set(letters):
            assert np.allclose(number({head: words.numbers.one}), number(tail), rtol=1e-8, atol=1e-8), (head, tail)


def test_squares_are_multiplied_out():
    two = quadratic(X - M, P.inverse()) + quadratic(Y - F * X - C, R.inverse())
    mean = Lambda.inverse() * (P.inverse() * M + F.T * R.inverse() * (Y - C))
    one = quadratic(X - mean, Lambda) + quadratic(Y - F * M - C, S.inverse())
    assert vanishes(two - one)
    assert not vanishes(two - one - quadratic(X, P))
    assert not vanishes(two - quadratic(X - mean, Lambda))
    assert in_words(a * quadratic(X, P) - quadratic(X, a * P)) == 0


def test_the_search_is_bounded(monkeypatch):
    """With few rules allowed nothing false is proved; only proofs are lost."""
    monkeypatch.setattr("derivations.calculus.noncommuting.RULES", 3)
    assert RULES > 100
    assert not any(matrix_vanishes(e) for e in ERRORS.values())
    assert not all(matrix_vanishes(e) for e in IDENTITIES.values())


def test_a_root_among_the_coefficients_is_no_proof():
    assert not matrix_vanishes(sp.sqrt(a) * P - sp.sqrt(a) * Q)


# ---------------------------------------------------------------- letters and shapes


def test_letters_have_shapes_and_domains():
    assert P.T == P
    assert F.T != F
    assert (X.shape, F.shape) == ((DIMENSION, 1), (DIMENSION, DIMENSION))
    for wrong in (lambda: normal(X, F, P), lambda: normal(X, Y, 1), lambda: quadratic(X, Y), lambda: quadratic(a, P)):
        with pytest.raises(TypeError, match="is not a"):
            wrong()


def refusal(*lines) -> str:
    with pytest.raises(Undefined) as caught:
        check(board(*lines))
    return str(caught.value)


def board(*lines):
    def derivation():
        yield from lines

    return derivation


def test_a_let_names_a_matrix_of_its_kind():
    assert check(board(let(Q, P + R), Q, eq(P + R, by=algebra)))
    assert "not certainly symmetric and positive definite" in refusal(let(Q, P - R), P, eq(P, by=algebra))
    assert "not of the same shape" in refusal(let(X, P), P, eq(P, by=algebra))
    assert "not of the same shape" in refusal(let(a, P), P, eq(P, by=algebra))
    assert "already in use" in refusal(P, let(P, R), eq(P, by=algebra))
    assert "compares what cannot be compared" in refusal(X, eq(a, by=algebra))


# ---------------------------------------------------------------- numbers


@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_determinants_and_inverses(n):
    some = np.random.default_rng(n).normal(size=(5, n, n))
    assert np.allclose(determinant(some), np.linalg.det(some))
    if n > 1:
        assert np.allclose(inverse(some), np.linalg.inv(some))
    definite = some @ np.swapaxes(some, 1, 2) + np.eye(n)
    assert np.allclose(cholesky(definite, lambda e: float(e), DOUBLE), np.linalg.cholesky(definite))


def test_a_gaussian_of_a_vector_is_that_of_its_coordinates():
    at = points({X, M, P}, "any", 4)
    ours = evaluate(normal(X, M, P), at, DOUBLE, 1)
    gap, spread = (at[X] - at[M])[..., 0], at[P]
    theirs = np.exp(-np.einsum("ni,nij,nj->n", gap, np.linalg.inv(spread), gap) / 2)
    assert np.allclose(ours, theirs / np.sqrt(np.linalg.det(2 * np.pi * spread)))


def test_means_over_a_vector():
    """E X'RX = M'RM + tr(RP), by quadrature."""
    at = points({M, P, R}, "trace", 3)
    gap = interpret(E(normal(X, M, P), quadratic(X, R)) - quadratic(M, R), {})
    assert np.allclose(evaluate(gap, at, DOUBLE, 321), np.trace(at[R] @ at[P], axis1=1, axis2=2))


def test_a_refutation_names_the_matrices():
    with pytest.raises(Refuted, match=r"at d = 2, F = \[\[.*\]\], G = \[\[.*\]\]: left = \S+, right = "):
        check(board(F * G, eq(G * F, by=algebra)))
