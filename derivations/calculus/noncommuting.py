r"""Matrix expressions: are two of them equal, in every dimension?

A matrix expression is a polynomial in letters that do not commute: P, H, H', and one more letter for each inverse.
What is known of an inverse L of M is L M = 1 = M L; what follows from it (Woodbury's identity, for one) is found by
resolving overlaps: where two left-hand sides share letters, as in H L M and L M P, a word can be rewritten in two
ways, and the difference of the results is a new relation (Buchberger's algorithm; Mora 1986 for letters that do not
commute).  An expression that rewrites to zero is zero.  The search is bounded: an expression that does not is only
not proved to be zero.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count, pairwise
from typing import Any

import sympy as sp
from sympy import QQ, Expr, Identity, MatAdd, MatMul, MatPow, MatrixExpr, Transpose, ZeroMatrix
from sympy.polys.polyerrors import CoercionFailed

from .notation import CovarianceMatrix, Quadratic

Word = tuple[int, ...]
Polynomial = dict[Word, Any]  # coefficients are rational numbers, or rational functions of letters for numbers
RULES, LENGTH = 400, 14  # at most so many relations are looked at, of words so long


class Words:
    """The letters of one question, and what their words can be rewritten to."""

    def __init__(self, *expressions: Expr) -> None:
        numbers = sorted({s for e in expressions for s in e.free_symbols if isinstance(s, sp.Symbol)}, key=str)
        self.numbers = QQ.frac_field(*numbers) if numbers else QQ
        self.one: Polynomial = {(): self.numbers.one}
        self.letters: dict[Expr, int] = {}
        self.mirror: dict[int, int] = {}  # the transpose of a letter
        self.inverses: list[tuple[Polynomial, int]] = []
        self.rules: dict[Word, Polynomial] = {}
        self.fresh = count()

    # ---------------------------------------------------------------- expressions as polynomials

    def polynomial(self, e: Expr) -> Polynomial:
        """A matrix expression, rewritten as far as it goes."""
        if isinstance(e, ZeroMatrix):
            return {}
        if isinstance(e, Identity):
            return self.one
        if isinstance(e, MatAdd):
            return added(*map(self.polynomial, e.args))
        if isinstance(e, Transpose):
            return self.transposed(self.polynomial(e.arg))
        if isinstance(e, MatMul):
            return self.product(
                [self.polynomial(a) if isinstance(a, MatrixExpr) else {(): self.numbers.from_sympy(a)} for a in e.args]
            )
        if isinstance(e, MatPow) and e.exp.is_Integer:
            base = self.polynomial(e.base)
            return self.product([base if e.exp > 0 else self.inverse(base)] * abs(int(e.exp)))
        return {(self.letter(e),): self.numbers.one}

    def product(self, factors: list[Polynomial]) -> Polynomial:
        result = self.one
        for factor in factors:
            result = self.reduced(multiplied(result, factor))
        return result

    def transposed(self, p: Polynomial) -> Polynomial:
        return self.reduced({tuple(self.mirror[a] for a in reversed(word)): c for word, c in p.items()})

    def letter(self, e: Expr) -> int:
        """The letter for e, and one for its transpose."""
        if e not in self.letters:
            self.letters[e] = a = next(self.fresh)
            self.mirror[a] = b = a if isinstance(e, CovarianceMatrix) else next(self.fresh)
            self.mirror[b] = a
        return self.letters[e]

    def inverse(self, base: Polynomial) -> Polynomial:
        """The inverse of a matrix that has one; of a single word, letter by letter."""
        if len(base) != 1:
            return {(self.inverse_letter(base),): self.numbers.one}
        ((word, c),) = base.items()
        return {tuple(self.inverse_letter({(a,): self.numbers.one}) for a in reversed(word)): 1 / c}

    def inverse_letter(self, base: Polynomial) -> int:
        for known, a in self.inverses:
            if not self.reduced(added(base, negative(known))):
                return a
        a, transposed = next(self.fresh), self.transposed(base)
        b = a if transposed == self.reduced(base) else next(self.fresh)
        self.mirror |= {a: b, b: a}
        for inverse, matrix in {a: base, b: transposed}.items():
            letter = {(inverse,): self.numbers.one}
            self.inverses.append((matrix, inverse))
            if len(matrix) == 1:
                ((word, _),) = matrix.items()
                self.inverses.append((letter, word[0]))
            self.learn(
                *(added(p, negative(self.one)) for p in (multiplied(matrix, letter), multiplied(letter, matrix)))
            )
        return a

    # ---------------------------------------------------------------- rewriting

    def reduced(self, p: Polynomial) -> Polynomial:
        """What is left of p when no rule applies any more."""
        left, out = p, {}
        while left:
            word = max(left, key=order)
            c, left = left[word], {v: d for v, d in left.items() if v != word}
            for head, tail in self.rules.items():
                if (i := place(head, word)) is not None:
                    left = added(left, {word[:i] + v + word[i + len(head) :]: c * t for v, t in tail.items()})
                    break
            else:
                out[word] = c
        return out

    def learn(self, *relations: Polynomial) -> None:
        """Add relations p = 0 as rewriting rules, with those of their consequences that are found."""
        queue = list(relations)
        for _ in range(RULES):
            if not queue:
                return
            queue.sort(key=lambda p: max(map(order, p)), reverse=True)
            p = self.reduced(queue.pop())
            if not p:
                continue
            head = max(p, key=order)
            tail = {word: -c / p[head] for word, c in p.items() if word != head}
            for longer in [other for other in self.rules if place(head, other) is not None]:
                queue.append(added({longer: self.numbers.one}, negative(self.rules.pop(longer))))
            self.rules[head] = tail
            for other in list(self.rules):
                for a, b in {(head, other), (other, head)}:
                    queue += filter(None, self.overlaps(a, b))

    def overlaps(self, a: Word, b: Word) -> Iterator[Polynomial]:
        """Words that begin with a and end with b, sharing letters, can be rewritten in two ways: the differences."""
        for k in range(1, min(len(a), len(b))):
            if a[-k:] == b[:k] and len(a) + len(b) - k <= LENGTH:
                first = {word + b[k:]: c for word, c in self.rules[a].items()}
                yield added(first, {a[:-k] + word: -c for word, c in self.rules[b].items()})


def order(word: Word) -> tuple:
    return len(word), word


def place(part: Word, word: Word) -> int | None:
    """Where part occurs in word."""
    n = len(part)
    return next((i for i in range(len(word) - n + 1) if word[i : i + n] == part), None)


def added(*polynomials: Polynomial) -> Polynomial:
    total: Polynomial = {}
    for p in polynomials:
        for word, c in p.items():
            total[word] = total[word] + c if word in total else c
    return {word: c for word, c in total.items() if c}


def negative(p: Polynomial) -> Polynomial:
    return {word: -c for word, c in p.items()}


def multiplied(p: Polynomial, q: Polynomial) -> Polynomial:
    return added(*({v + w: c * d for w, d in q.items()} for v, c in p.items()))


# ---------------------------------------------------------------- questions


def matrix_vanishes(e: MatrixExpr) -> bool:
    """Is a matrix expression zero, whatever its letters are, in every dimension?"""
    try:
        return not (words := Words(e)).reduced(words.polynomial(e))
    except (CoercionFailed, ValueError):  # a coefficient that is not rational
        return False


def in_words(e: Expr) -> Expr:
    """A number with its quadratic forms multiplied out, a letter for each word; a word is its transpose."""
    forms = sorted(e.atoms(Quadratic), key=str)
    words, symbols = Words(*(a for form in forms for a in form.args)), {}

    def multiplied_out(form: Quadratic) -> Expr:
        v, m = map(words.polynomial, form.args)
        total = sp.S.Zero
        for word, c in words.product([words.transposed(v), m, v]).items():
            mirrored = tuple(words.mirror[a] for a in reversed(word))
            total += words.numbers.to_sympy(c) * symbols.setdefault(min(word, mirrored), sp.Dummy(real=True))
        return total

    try:
        for part in (part for form in forms for part in form.args):
            words.polynomial(part)  # all letters, before any word is final
        return e.xreplace({form: multiplied_out(form) for form in forms})
    except (CoercionFailed, ValueError):
        return e


def shape_gap(e: Expr) -> str | None:
    """What is wrong with the shapes in a matrix expression, if anything."""
    parts = [a for a in e.args if isinstance(a, MatrixExpr)]
    if isinstance(e, MatAdd) and len({a.shape for a in parts}) > 1:
        return f"the sum {e} of matrices of different shapes"
    if isinstance(e, MatMul) and any(a.cols != b.rows for a, b in pairwise(parts)):
        return f"the product {e} of matrices whose shapes do not fit"
    if isinstance(e, MatPow) and e.rows != e.cols:
        return f"a power of {e.base}, which is not square"
    return None


__all__ = ["Words", "in_words", "matrix_vanishes", "shape_gap"]
