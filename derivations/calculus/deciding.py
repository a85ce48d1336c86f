r"""Is an expression zero?

``vanishes`` treats roots, logs, exponentials, densities, integrals as further letters of a polynomial ring over the
rationals, with one relation for each root (w^2 = 1 - a), and asks whether the numerator is the zero polynomial.  Roots
and logs are split into factors only when each factor is certified positive.  "Yes" is a proof; "no" only says that no
proof was found.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any
from zlib import crc32

import sympy as sp
from sympy import Add, Derivative, Expr, Integral, MatrixExpr, MatrixSymbol, Mul, Pow, Product, Sum, exp, log
from sympy.polys.fields import field

from .noncommuting import in_words, matrix_vanishes
from .notation import Average, Density, Quadratic, UnitSymbol, VectorNormal, spelled_out, variables
from .signs import fit, powered, sign


class Letters:
    """The generators of one question, and the relations among them."""

    def __init__(self) -> None:
        self.known: list[tuple[Expr, sp.Symbol]] = []
        self.roots: dict[sp.Symbol, tuple[int, Expr]] = {}

    def letter(self, thing: Expr) -> sp.Symbol:
        """The letter that stands for thing, up to a provable equality."""
        for other, symbol in self.known:
            if same(thing, other):
                return symbol
        self.known.append((thing, symbol := sp.Dummy(f"g{len(self.known)}")))
        return symbol

    def rational(self, e: Expr) -> Expr:
        """Rewrite e as a rational function of letters."""
        if e.is_Rational or e.is_Symbol:
            return e
        if isinstance(e, Add):
            return Add(*map(self.rational, e.args))
        if isinstance(e, Mul):
            return self.product(e)
        if isinstance(e, exp):
            return self.exponential(e.args[0])
        if isinstance(e, sp.Abs) and (s := sign(e.args[0])):
            return s * self.rational(e.args[0])
        if isinstance(e, sp.Abs):
            return self.root(e.args[0] ** 2, sp.Rational(1, 2))
        if isinstance(e, log):
            return Add(
                *(
                    n * (self.rational(f.args[0]) if isinstance(f, exp) else self.letter(log(f)))
                    for f, n in self.factors(e.args[0])
                )
            )
        if isinstance(e, Pow) and e.exp.is_Integer:
            return self.rational(e.base) ** e.exp
        if isinstance(e, Pow) and e.exp.is_Rational:
            return Mul(*(self.root(f, n * e.exp) for f, n in self.factors(e.base)))
        if isinstance(e, (Integral, Sum)) and vanishes(e.function):
            return sp.S.Zero
        if isinstance(e, Pow) and (sign(e.base) > 0 or e.exp.is_integer):
            terms = Add.make_args(sp.expand(e.exp))
            return Mul(*(self.power(f, k * term) for f, k in self.factors(e.base) for term in terms))
        return self.letter(e)

    def product(self, e: Mul) -> Expr:
        """A product; its exponentials are one exponential."""
        powers = [a.args[0] for a in e.args if isinstance(a, exp)]
        rest = [a for a in e.args if not isinstance(a, exp)]
        if powers and any(isinstance(a, Add) and a.has(exp) for a in rest):
            return self.rational(sp.expand_mul(e))
        together = [self.exponential(Add(*powers))] if powers else []
        return Mul(*together, *map(self.rational, rest))

    def factors(self, base: Expr) -> list[tuple[Expr, int]]:
        """base as a product of certified positive factors, or base itself."""
        split = []
        for part in Mul.make_args(base):
            part, power = part.as_base_exp() if not isinstance(part, exp) else (part, sp.S.One)
            if power.is_Rational and not power.is_Integer and sign(part) <= 0:
                return [(base, 1)]
            split += [(f, n * power) for f, n in (primes(part) if part.is_Rational else factor_list(part))]
        signs = [sign(f) for f, _ in split]
        turned = sum(n for (_, n), s in zip(split, signs, strict=True) if s < 0)
        if all(signs) and turned % 2 == 0:  # two negative factors are two positive ones
            return [(s * f, n) for (f, n), s in zip(split, signs, strict=True) if s * f != 1]
        return [(base, 1)]

    def root(self, f: Expr, power: sp.Rational) -> Expr:
        if power.is_Integer:
            return self.rational(f) ** power
        w = self.letter(Pow(f, sp.Rational(1, power.q), evaluate=False))
        self.roots[w] = power.q, self.rational(f)
        return w**power.p

    def power(self, base: Expr, exponent: Expr) -> Expr:
        """base^(c n) as the c-th power of the letter base^n: b^(n + 1) is b^n b."""
        c, n = exponent.as_coeff_Mul()
        if n == 1:
            return self.rational(base**c)
        if not c.is_Integer:
            c, n = sp.S.One, exponent
        if isinstance(base, Pow) and base.exp.is_Integer:
            base, n = base.base, base.exp * n
        if base.is_Rational:
            return Mul(*(self.letter(Pow(sp.Integer(p), n, evaluate=False)) ** (k * c) for p, k in primes(base)))
        return self.letter(Pow(base, n, evaluate=False)) ** c

    def exponential(self, power: Expr) -> Expr:
        """exp(power), as a power of an exponential seen before if the exponents are commensurable."""
        if vanishes(power):
            return sp.S.One
        for other, symbol in self.known:
            if isinstance(other, exp):
                ratio = sp.nsimplify(numeric(power) / numeric(other.args[0]), rational=True, tolerance=1e-12)
                if ratio.is_Integer and 0 < abs(ratio) < 9 and vanishes(power - ratio * other.args[0]):
                    return symbol**ratio
        return self.letter(exp(power, evaluate=False))


def numeric(e: Expr) -> sp.Float:
    """A number that tells expressions apart (a hint, never a proof)."""
    at = {s: sp.Float(0.11 + 0.83 * (crc32(s.name.encode()) % 9973) / 9973) for s in e.free_symbols}
    value = e.subs(at).evalf()
    return value if value.is_Float and value else sp.Float(1.2345678901)


def primes(number: sp.Rational) -> list[tuple[Expr, int]]:
    return [(sp.Integer(p), n) for p, n in sp.factorrat(number).items()] if number > 0 else [(number, 1)]


def factor_list(e: Expr) -> list[tuple[Expr, int]]:
    """The factors of e over the rationals, its numerical coefficient split into primes."""
    if e.is_Symbol or isinstance(e, (exp, Density, Integral)):
        return [(e, 1)]
    top, bottom = sp.fraction(sp.together(e))
    out: list[tuple[Expr, int]] = []
    for part, orientation in ((top, 1), (bottom, -1)):
        c, fs = sp.factor_list(part)
        if c < 0:  # keep factors such as 1 - a rather than -(a - 1)
            odd = [i for i, (f, n) in enumerate(fs) if n % 2 and sign(f) < 0]
            if odd:
                fs[odd[0]], c = (-fs[odd[0]][0], fs[odd[0]][1]), -c
        fs = [(-f, n) if sign(f) < 0 and n % 2 == 0 else (f, n) for f, n in fs]
        flips = [i for i, (f, n) in enumerate(fs) if sign(f) < 0]
        if len(flips) % 2 == 0:
            fs = [(-f, n) if i in flips else (f, n) for i, (f, n) in enumerate(fs)]
        out += [(f, n * orientation) for f, n in ([*primes(c), *fs] if c != 1 else fs)]
    return out


def same(a: Expr, b: Expr) -> bool:
    """Are a and b equal for a reason that can be seen in their parts?"""
    if a == b:
        return True
    if type(a) is not type(b) or len(a.args) != len(b.args):
        return False
    if isinstance(a, (Integral, Sum, Product)):
        if len(a.limits) != 1 or len(b.limits) != 1:
            return False
        (z, *ends), (w, *others) = a.limits[0], b.limits[0]
        unit = isinstance(z, UnitSymbol) or isinstance(w, UnitSymbol)
        u = UnitSymbol(sp.Dummy().name) if unit else sp.Dummy("u", **z.assumptions0)
        alike = z.assumptions0 == w.assumptions0 and len(ends) == len(others) and all(map(equal, ends, others))
        return alike and vanishes(renamed(a.function, z, u) - renamed(b.function, w, u))
    if isinstance(a, Density):
        return a.head == b.head and all(vanishes(s - t) for s, t in zip(a.slots, b.slots, strict=True))
    if isinstance(a, Derivative):
        return sorted(map(str, a.args[1:])) == sorted(map(str, b.args[1:])) and same(a.expr, b.expr)
    if isinstance(a, Average) and len(variables(a.q)) == len(variables(b.q)) == 1:
        (v,), (w,) = variables(a.q), variables(b.q)
        u = MatrixSymbol(sp.Dummy().name, *v.shape) if isinstance(v, MatrixSymbol) else sp.Dummy(real=True)
        a, b = renamed(a, v, u), renamed(b, w, u)
    if isinstance(a, (sp.Function, Pow, VectorNormal, Average)):
        return all(map(equal, a.args, b.args))
    return False


def equal(a: Expr, b: Expr) -> bool:
    """Are two ends of a range, or two arguments, provably equal?"""
    return a == b or (a.is_finite is not False and b.is_finite is not False and vanishes(a - b))


def renamed(f: Expr, z: sp.Symbol, u: sp.Symbol) -> Expr:
    """f with the bound letter z called u."""
    return f.xreplace({z: u})


@lru_cache(maxsize=20_000)
def vanishes(e: Expr) -> bool:
    """Is e identically zero?"""
    e = spelled_out(e)
    if isinstance(e, MatrixExpr):
        return matrix_vanishes(e)
    if e == 0:
        return True
    if e.has(Quadratic):
        e = in_words(e)
    letters = Letters()
    quotient = letters.rational(e)
    if quotient == 0:
        return True
    gens = sorted(
        quotient.free_symbols | {s for _, f in letters.roots.values() for s in f.free_symbols} | set(letters.roots),
        key=str,
    )
    if not gens:
        return False
    K = field(gens, sp.QQ)[0]
    try:
        numerator = in_field(quotient, K).numer
    except (ValueError, ZeroDivisionError):
        return False
    ring, relations = K.ring, letters.roots
    for w, (q, f) in reversed(relations.items()):
        f = K.from_expr(f)
        i, reduced = gens.index(w), K.zero
        for monomial, c in numerator.terms():
            k = monomial[i]
            rest = ring({(*monomial[:i], k % q, *monomial[i + 1 :]): c})
            reduced += K(rest) * f ** (k // q)
        numerator = reduced.numer
    return numerator == 0


def in_field(e: Expr, K) -> Any:
    """e as a quotient of two polynomials, as long as they stay short."""
    if isinstance(e, Pow) and e.exp.is_Integer:
        base, n = in_field(e.base, K), int(e.exp)
        fit(powered(max(len(base.numer), len(base.denom)), abs(n)))
        return base**n
    if not isinstance(e, (Add, Mul)):
        return K.from_expr(e)
    value, *others = (in_field(a, K) for a in e.args)
    for other in others:
        (n, m), (k, l) = ((len(x.numer), len(x.denom)) for x in (value, other))
        fit(max(n * l + k * m if isinstance(e, Add) else n * k, m * l))
        value = value + other if isinstance(e, Add) else value * other
    return value
