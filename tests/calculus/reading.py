r"""Reads LaTeX back as a reader of the page would: written against what mathematicians write, not against the printer.

A page is read with the letters of its derivation in hand: which names there are, which of them are densities.
Juxtaposition is a product; ``\log`` and ``\partial`` take the one thing that follows, a sum sign the rest of its term.
What could be taken in two ways (``\log x^2``, ``\log a\, b``, a fraction with an exponent) is refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import sympy as sp
from sympy import Derivative, Expr, Integral, MatrixExpr, MatrixSymbol, Product, Sum, oo

from derivations.calculus.notation import DIMENSION, KL, Cov, Density, E, Var, entropy, normal, quadratic


class Misprint(AssertionError):
    """LaTeX that does not say what was meant, or says it in a way that can be misread."""


ACCENTS = (r"\bar", r"\tilde", r"\hat", r"\dot", r"\mathrm", r"\mathbf")
FUNCTIONS = {"max": sp.Max, "min": sp.Min, "heaviside": sp.Heaviside, "diracdelta": sp.DiracDelta}
ENDS = (None, "+", "-", ",", ";", ")", "]", "}", r"\rvert", r"\mid", r"\|", "=", "/")


def bare(name: str) -> str:
    return re.sub(r"[{}\s]", "", name)


@dataclass
class Letters:
    """What the names on a page stand for."""

    symbols: dict[str, Expr] = field(default_factory=dict)
    densities: dict[str, list[Density]] = field(default_factory=dict)

    @classmethod
    def of(cls, expressions: Iterable[Expr]) -> Letters:
        found = cls()
        for e in expressions:
            for s in e.atoms(sp.Symbol, MatrixSymbol):
                found.symbols[bare(s.name)] = s
            for q in e.atoms(Density):
                found.densities.setdefault(bare(q.name), []).append(q)
        return found


class Reader:
    """Reads one formula at a time."""

    def __init__(self, letters: Letters) -> None:
        self.letters = letters
        self.tokens: list[str] = []
        self.integrals = 0

    def read(self, latex: str) -> Expr:
        latex = re.sub(r"\\(left|right|quad)(?![A-Za-z])|\\[!;]", " ", latex)
        self.tokens = re.findall(r"\\[A-Za-z]+|\\.|\d+(?:\.\d+)?|\S", latex)[::-1]
        try:
            e = self.sum()
        except (TypeError, ValueError, AttributeError) as error:  # what SymPy makes nothing of
            raise Misprint(f"{latex}: {error}") from error
        if self.tokens:
            raise Misprint(f"{latex}: nothing can be made of {' '.join(self.tokens[::-1])}")
        return e

    # ---------------------------------------------------------------- tokens

    def peek(self) -> str | None:
        """The next token; a thin space says nothing, except before the d of an integral."""
        while self.tokens and self.tokens[-1] == r"\,":
            if self.integrals and self.tokens[-2:-1] == ["d"]:
                return "d of an integral"
            self.tokens.pop()
        return self.tokens[-1] if self.tokens else None

    def next(self, *expected: str) -> str:
        token = self.peek()
        if token is None or (expected and token not in expected):
            raise Misprint(f"{' or '.join(expected) or 'something'} is missing before {' '.join(self.tokens[::-1])}")
        return self.tokens.pop()

    def skip(self, *tokens: str) -> None:
        for token in tokens:
            self.next(token)

    def accept(self, *tokens: str) -> bool:
        return self.peek() in tokens and bool(self.tokens.pop())

    def group(self, read: Callable[[], Expr]) -> Expr:
        self.next("{")
        inside = read()
        self.next("}")
        return inside

    def raw(self) -> str:
        """The text of an index or exponent, as it may be part of a name; nothing is consumed."""
        depth, text = 0, ""
        for token in self.tokens[-2::-1]:
            depth += (token == "{") - (token == "}")
            text += token
            if depth == 0:
                break
        return text

    def drop(self, text: str) -> None:
        """Consume an index or exponent that belongs to a name."""
        self.tokens.pop()
        while text:
            text = text.removeprefix(self.tokens.pop())

    # ---------------------------------------------------------------- sums and products

    def sum(self) -> Expr:
        total = -self.term() if self.accept("-") else self.term()
        while self.peek() in ("+", "-"):
            total = total + self.term() if self.tokens.pop() == "+" else total - self.term()
        return total

    def term(self) -> Expr:
        value, bare_prefix = self.factor()
        while self.peek() not in (*ENDS, "d of an integral"):
            self.accept(r"\cdot")
            if bare_prefix:
                raise Misprint(f"how far does its argument reach, before {' '.join(self.tokens[::-1])}?")
            f, bare_prefix = self.factor()
            if isinstance(value, MatrixExpr) and isinstance(f, MatrixExpr) and value.cols != f.rows:
                raise Misprint(f"{value} and {f} cannot be multiplied")
            value = value * f
        return number(value)

    def factor(self) -> tuple[Expr, bool]:
        """A factor, and whether it is a prefix with an argument that is not in brackets."""
        match self.peek():
            case r"\log" | r"\partial":
                return self.prefix()
            case r"\sum" | r"\prod":
                return self.repeated(), True
        base, solid = self.primary()
        return self.postfix(base, solid), False

    def prefix(self) -> tuple[Expr, bool]:
        if self.accept(r"\log"):
            inside, bracketed = self.argument()
            return sp.log(inside), not bracketed
        self.skip(r"\partial", "_")
        v = self.group(self.sum)
        n = int(self.group(self.sum)) if self.accept("^") else 1
        inside, bracketed = self.argument()
        return Derivative(inside, (v, n), evaluate=False), not bracketed

    def argument(self) -> tuple[Expr, bool]:
        """What a prefix applies to, and whether one sees where it ends."""
        if self.peek() in (r"\log", r"\partial"):
            return self.prefix()
        bracketed = self.peek() == "("
        inside, _ = self.primary()
        if self.peek() in ("^", "!"):
            raise Misprint(f"does the exponent belong to the argument, before {' '.join(self.tokens[::-1])}?")
        return inside, bracketed

    def postfix(self, base: Expr, solid: bool) -> Expr:
        while self.peek() in ("^", "!"):
            if not solid:
                raise Misprint(f"what does the exponent belong to, before {' '.join(self.tokens[::-1])}?")
            if self.tokens.pop() == "!":
                base = sp.factorial(base)
            elif self.accept(r"\top"):
                base = base.T
            else:
                base = base ** self.group(self.ratio)
        return base

    def ratio(self) -> Expr:
        top = self.sum()
        return top / self.sum() if self.accept("/") else top

    def repeated(self) -> Expr:
        kind = Sum if self.next() == r"\sum" else Product
        self.skip("_", "{")
        k = self.sum()
        self.next("=")
        low = self.sum()
        self.skip("}", "^")
        high = self.group(self.sum)
        return kind(self.term(), (k, low, high))

    def integral(self) -> Expr:
        low, high = (self.group(self.sum), self.next("^") and self.group(self.sum)) if self.accept("_") else (-oo, oo)
        self.integrals += 1
        inside = self.term()
        if self.peek() != "d of an integral":
            raise Misprint("an integral without an end")
        self.integrals -= 1
        del self.tokens[-2:]
        return Integral(inside, (self.name(), low, high))

    # ---------------------------------------------------------------- single things

    def primary(self) -> tuple[Expr, bool]:
        """One thing, and whether an exponent behind it is clear."""
        token = self.next()
        if re.fullmatch(r"\d+", token):
            return sp.Integer(token), True
        if re.fullmatch(r"\d+\.\d+", token):
            return sp.Float(token), True
        match token:
            case "(":
                inside = self.sum()
                self.next(")")
                return inside, True
            case r"\lvert":
                inside = self.sum()
                self.next(r"\rvert")
                return sp.Abs(inside), True
            case r"\frac" | r"\tfrac":
                top = self.group(self.sum)
                return top / self.group(self.sum), False
            case r"\binom":
                n = self.group(self.sum)
                return sp.binomial(n, self.group(self.sum)), False
            case r"\sqrt":
                return sp.sqrt(self.group(self.sum)), True
            case r"\int":
                return self.integral(), False
            case r"\infty":
                return oo, False
            case "I" if token not in {*self.letters.symbols, *self.letters.densities}:
                return sp.Identity(DIMENSION), True
            case r"\pi" if token not in {*self.letters.symbols, *self.letters.densities}:
                return sp.pi, True
            case r"\Gamma" if r"\Gamma" not in self.letters.symbols:
                return sp.gamma(*self.bracketed()), True
            case r"\mathbb":
                self.next("E")
                return self.average(E), True
            case r"\mathcal":
                self.skip("N", "(")
                x = self.sum()
                self.next(";")
                mean, variance = self.listed()
                self.next(")")
                if isinstance(x, sp.MatrixExpr) and mean == 0:
                    mean = sp.ZeroMatrix(DIMENSION, 1)
                return normal(x, mean, variance), True
            case r"\operatorname":
                name = self.word()
                if name in ("Var", "Cov"):
                    return self.average(Var if name == "Var" else Cov), True
                return self.function(name), True
            case r"\exp" | r"\max" | r"\min" | r"\cos" | r"\sin" | r"\tanh":
                return self.function(token[1:]), True
            case r"\mathrm" if self.peek() == "{":
                if (name := self.word()) != "KL":
                    raise Misprint(f"who is {name}?")
                self.next("(")
                q = self.sum()
                self.next(r"\|")
                p = self.sum()
                self.next(")")
                return KL(q, p), True
            case r"\mathrm" if self.peek() == "B" and r"\mathrmB" not in self.letters.symbols:
                self.next("B")
                return sp.beta(*self.bracketed()), True
            case r"\mathrm" if self.peek() == "e" and r"\mathrme" not in self.letters.symbols:
                self.next("e")
                return sp.E, True
            case "h" if self.peek() == "[":
                return self.entropy(), True
        self.tokens.append(token)
        return self.name(), True

    def word(self) -> str:
        self.next("{")
        letters = ""
        while not self.accept("}"):
            letters += self.next()
        return letters

    def listed(self) -> list[Expr]:
        items = [self.sum()]
        while self.accept(","):
            items.append(self.sum())
        return items

    def bracketed(self, left: str = "(", right: str = ")") -> list[Expr]:
        self.next(left)
        items = self.listed()
        self.next(right)
        return items

    def average(self, kind: Callable[..., Expr]) -> Expr:
        self.next("_")
        return kind(self.group(self.sum), *self.bracketed("[", "]"))

    def function(self, name: str) -> Expr:
        if (f := FUNCTIONS.get(name) or getattr(sp, name, None)) is None:
            raise Misprint(f"which function is {name}?")
        return f(*self.bracketed())

    def entropy(self) -> Expr:
        """h[q] of a density that is given in full, or by its name alone."""
        self.next("[")
        before = self.tokens.copy()
        name, at = self.named()
        if self.peek() == "]":
            alone = {q.head: q for q in self.letters.densities.get(name, []) if len(q.of) == 1 and not q.args[2]}
            if len(alone) != 1:
                raise Misprint(f"which density is {name}?")
            (q,) = alone.values()
            q = q.func(q.name, q.of, (), at)
        else:
            self.tokens = before
            q = self.sum()
        self.next("]")
        return entropy(q)

    def name(self) -> Expr:
        """A letter, or a density with its arguments."""
        name, at = self.named()
        if name in self.letters.densities and (self.peek() == "(" or name not in self.letters.symbols):
            return self.density(name, at)
        if name in self.letters.symbols and not at:
            return self.letters.symbols[name]
        raise Misprint(f"who is {name}?")

    def named(self) -> tuple[str, list[Expr]]:
        """The longest name that is known, and the parameters that follow as an index."""
        name = self.next()
        if name in ACCENTS:
            name += self.word() if self.peek() == "{" else self.next()
        while self.tokens and self.tokens[-1] == "'":
            name += self.tokens.pop()
        known = {*self.letters.symbols, *self.letters.densities}
        for sign in ("_", "^"):
            if self.tokens and self.tokens[-1] == sign and bare(f"{name}{sign}{self.raw()}") in known:
                text = self.raw()
                self.drop(text)
                name = bare(f"{name}{sign}{text}")
        if self.tokens and self.tokens[-1] == "_" and "," in self.raw():  # an index, and behind it a parameter
            first = self.raw().split(",")[0]
            self.drop(first + ",")
            name = bare(f"{name}_{first}")
        elif name not in self.letters.densities or not self.accept("_"):
            return name, []
        else:
            self.next("{")
        at = self.listed()
        self.next("}")
        return name, at

    def density(self, name: str, at: list[Expr]) -> Expr:
        kinds = [q for q in self.letters.densities[name] if len(q.args[3]) == len(at)]
        of: list[Expr] = []
        given: list[Expr] = []
        if any(q.of for q in kinds) and self.accept("("):
            of = self.listed()
            given = self.listed() if self.accept(r"\mid") else []
            self.next(")")
        for q in kinds:
            if q.head[1:] == (len(of), len(given), len(at)):
                return q.func(q.name, of, given, at)
        raise Misprint(f"there is no {name} of {of} given {given} at {at}")


def number(e: Expr) -> Expr:
    """v' M v as a number rather than as a matrix of one row."""
    if getattr(e, "shape", None) != (1, 1):
        return e
    c, product = e.as_coeff_mmul()
    first, *middle, last = product.args
    if first != last.T:
        raise Misprint(f"{e} is not a square")
    return c * quadratic(last, sp.MatMul(*middle).doit())


# ---------------------------------------------------------------- pages


@dataclass
class Line:
    """A line of a page: the relation to the line above, the formula, and what follows it."""

    relation: str
    latex: str
    end: str = ""


def rows(page: str) -> list[str]:
    """The rows of an ``align*``, without the reasons."""
    body = page.removeprefix("\\begin{align*}\n").removesuffix("\n\\end{align*}")
    return [re.sub(r"\\tag\*\{.*\}$", "", row).strip() for row in body.split(" \\\\\n")]


def opened(page: str) -> tuple[list[Line], dict[str, str]]:
    """The lines of a page, and the meanings of the letters that it explains."""
    found: list[Line] = []
    lets: dict[str, str] = {}
    for row in rows(page):
        left, _, right = (side.strip() for side in row.partition("&"))
        if left:
            found.append(Line("", left))
        if right.startswith(r"\phantom{=}\; \text{with }"):
            explained = right.removeprefix(r"\phantom{=}\; \text{with }").split(r",\quad ")
            lets |= dict(meaning.split(" = ", 1) for meaning in explained)
        elif right.startswith(r"\phantom{=}\;\quad"):
            found[-1].latex += " " + right.removeprefix(r"\phantom{=}\;\quad").strip()
        elif right.startswith(r"\phantom{=}\;"):
            found.append(Line("", right.removeprefix(r"\phantom{=}\;").strip()))
        elif right:
            relation, _, formula = right.partition(" ")
            found.append(Line(relation, formula))
    for line in found:
        if end := re.search(r" \\quad \((.* \\to .*)\)$| \+ O\((.*)\)$", line.latex):
            line.latex, line.end = line.latex[: end.start()], end[1] or end[2]
    return found, lets
