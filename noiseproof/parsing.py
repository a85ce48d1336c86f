r"""Formulas as people type them.  They are read by a small grammar; nothing that is typed is ever executed.

    a formula is made of   numbers   + - * / **   ( )   sqrt exp log   pi   and letters
    the letters            are those of the claim, under the names that its page in ``derivations`` gives them
    a density              is called at its variables: prior(x_prev)

``parse`` reads a formula, ``written`` writes one.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping

import sympy as sp
from sympy import Expr, MatrixExpr, MatrixSymbol, Pow, Rational
from sympy.printing.str import StrPrinter

from derivations import Claim
from derivations.calculus.deciding import vanishes
from derivations.calculus.noncommuting import shape_gap
from derivations.calculus.notation import Density, UnitFunction, UnitSymbol
from derivations.rendering.terminal import inline

from .faults import Unreadable

LONGEST, DEEPEST, DEGREE, BITS = 1000, 30, 20, 10_000  # characters, brackets, exponents, size of a number

OPERATIONS = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv}
FUNCTIONS: dict[str, Callable[[Expr], Expr]] = {"sqrt": sp.sqrt, "exp": sp.exp, "log": sp.log}


# ---------------------------------------------------------------- letters


def letters(claim: Claim) -> dict[str, Expr]:
    """The letters that a formula for the claim may use, by name: those that its formulas and mistakes do not bind."""
    stated = [*claim.formulas.values(), *(sp.sympify(f) for wrong in claim.mistakes.values() for f in wrong.values())]
    free = {s for f in stated for form in (f, claim.spell(f)) for s in form.free_symbols}
    first = {letter: name for name, letter in reversed(claim.letters.items())}  # a page may call a letter by two names
    own = {name: e for name, e in claim.letters.items() if first[e] == name}
    return {name: letter for name, letter in own.items() if isinstance(letter, Density) or letter in free}


def shorthands(claim: Claim) -> dict[str, Expr]:
    """Expressions that the page names and the claim uses, such as ``score``."""
    used = [*claim.formulas.values(), *(sp.sympify(f) for wrong in claim.mistakes.values() for f in wrong.values())]
    named = {
        n: e
        for n, e in vars(claim.page).items()
        if isinstance(e, Expr) and e.args and not isinstance(e, (Density, MatrixSymbol))
    }
    return {name: e for name, e in named.items() if not name.startswith("_") and any(f.has(e) for f in used)}


def described(claim: Claim) -> str:
    """The letters of the claim in words, for a message."""
    words = [f"{name} ({domain(letter)})" for name, letter in letters(claim).items()]
    more = [f"{name} ({inline(e)})" for name, e in shorthands(claim).items() if e not in claim.formulas.values()]
    return ", ".join([*words, *more]) or "none"


def domain(letter: Expr) -> str:
    """What a letter stands for."""
    if isinstance(letter, Density) and letter.slots:
        return f"the density {inline(letter)}"
    if isinstance(letter, MatrixSymbol):
        return f"{inline(letter)}, {kind_of(letter)}"
    kind = "a number"
    if isinstance(letter, (UnitSymbol, UnitFunction)):
        kind = "between 0 and 1"
    elif letter.is_integer:
        kind = "a whole number"
    elif letter.is_positive:
        kind = "positive"
    return f"{inline(letter)}, {kind}"


def in_letters(claim: Claim, formula: Expr) -> Expr:
    """The formula in the claim's own letters; foreign symbols may stand for them by name.  TypeError for a stranger."""
    own = letters(claim)
    foreign = sorted((s for s in formula.free_symbols if s not in own.values()), key=str)
    if strange := [str(s) for s in foreign if str(s) not in own]:
        raise TypeError(f"{', '.join(strange)} is not a letter of {claim.id}; its letters are {described(claim)}")
    return formula.xreplace({s: own[str(s)] for s in foreign})


# ---------------------------------------------------------------- reading


def replacement(claim: Claim, text: str) -> tuple[str, Expr]:
    """``variance=beta`` as the name of a parameter and its formula.  Raises Unreadable."""
    name, equals, formula = (part.strip() for part in text.partition("="))
    if not equals or not formula:
        raise Unreadable(
            f"'{text}' is not of the form NAME=FORMULA; the names for {claim.id} are {', '.join(claim.formulas)}"
        )
    if name not in claim.formulas:
        raise Unreadable(f"{claim.id} has no formula {name}; its formulas are {', '.join(claim.formulas)}")
    wanted, given = claim.formulas[name], parse(claim, formula)
    if getattr(wanted, "shape", ()) != getattr(given, "shape", ()):
        raise Unreadable(f"{name} is {kind_of(wanted)}, and '{formula}' is {kind_of(given)}")
    return name, given


def kind_of(formula: Expr) -> str:
    if not isinstance(formula, MatrixExpr):
        return "a number"
    return "a vector" if formula.cols == 1 else "a matrix"


def parse(claim: Claim, text: str) -> Expr:
    """The formula as a SymPy expression in the letters of the claim.  Raises Unreadable, with place and letters."""
    reader = Reader(claim, text)
    if len(text) > LONGEST:
        raise reader.refusal(f"a formula has at most {LONGEST} characters")
    if depth(text) > DEEPEST:
        raise reader.refusal(f"brackets are nested at most {DEEPEST} deep")
    try:
        tree = ast.parse(text, mode="eval").body
        formula = reader.read(tree)
    except Unreadable:
        raise
    except (TypeError, NotImplementedError):  # SymPy's answer to a matrix plus a number, the root of a vector
        raise reader.refusal("its numbers, vectors and matrices do not fit together") from None
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise reader.refusal("this is not a formula") from None
    if formula.has(sp.zoo, sp.nan, sp.oo, -sp.oo):
        raise reader.refusal("it divides by zero, or takes the logarithm of zero")
    if formula.has(sp.I):
        raise reader.refusal("it has no real value")
    if gap := next(filter(None, map(shape_gap, sp.preorder_traversal(formula))), None):
        raise reader.refusal(f"it contains {gap}")
    if degree(formula) > DEGREE:
        raise reader.refusal(f"its powers multiply to a degree above {DEGREE}")
    return formula


def depth(text: str) -> int:
    """How deeply brackets are nested."""
    deepest = level = 0
    for sign in text:
        level += (sign in "([{") - (sign in ")]}")
        deepest = max(deepest, level)
    return deepest


def degree(e: Expr) -> int:
    """The degree of e as a polynomial in its letters, or more."""
    if isinstance(e, Pow) and e.exp.is_Rational:
        return max(1, int(abs(e.exp))) * degree(e.base)
    parts = [degree(a) for a in e.args if isinstance(a, Expr)]
    return (sum(parts) if isinstance(e, sp.Mul) else max(parts, default=1)) if parts else int(not e.is_number)


class Reader:
    """Walks through the tree of what was typed, and makes the formula from the parts it knows."""

    def __init__(self, claim: Claim, text: str) -> None:
        self.claim, self.text = claim, text
        self.letters: Mapping[str, Expr] = letters(claim)
        self.known = {"pi": sp.pi, **shorthands(claim), **self.letters}
        self.exponents = {part.exp for formula in claim.formulas.values() for part in formula.atoms(Pow)}

    def refusal(self, why: str, node: ast.expr | None = None) -> Unreadable:
        """What is wrong, where, and what there is to choose from."""
        lines = [f"cannot read '{self.text if len(self.text) < 80 else self.text[:77] + '...'}': {why}"]
        if node is not None and node.end_col_offset and node.lineno == 1 == node.end_lineno and len(self.text) < 80:
            start, end = (len(self.text.encode()[:k].decode()) for k in (node.col_offset, node.end_col_offset))
            lines += [f"  {self.text}", f"  {' ' * start}{'^' * (end - start)}"]
        lines.append("A formula is made of numbers, + - * / ** ( ), sqrt, exp, log, pi and letters.")
        return Unreadable("\n".join([*lines, f"The letters of {self.claim.id}: {described(self.claim)}."]))

    def read(self, node: ast.expr) -> Expr:
        match node:
            case ast.Constant(value=int() | float()) if not isinstance(node.value, bool):
                return self.number(node)
            case ast.Name(id=name):
                return self.letter(name, node)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return -self.read(operand)
            case ast.UnaryOp(op=ast.UAdd(), operand=operand):
                return self.read(operand)
            case ast.BinOp(op=ast.Pow(), left=base, right=exponent):
                return self.power(self.read(base), self.read(exponent), node)
            case ast.BinOp(op=op, left=left, right=right) if type(op) in OPERATIONS:
                return OPERATIONS[type(op)](self.read(left), self.read(right))
            case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]):
                return self.call(name, [self.read(a) for a in arguments], node)
        raise self.refusal(
            "this does not belong in a formula" + (" (a power is written **)" if isinstance(node, ast.BinOp) else ""),
            node,
        )

    def number(self, node: ast.Constant) -> Expr:
        if node.value in (float("inf"), float("-inf")):
            raise self.refusal("this number is too large", node)
        return self.moderate(Rational(repr(node.value)), node)

    def moderate(self, value: Expr, node: ast.expr) -> Expr:
        if isinstance(value, Rational) and max(abs(value.p), value.q).bit_length() > BITS:
            raise self.refusal("this number is too large", node)
        return value

    def letter(self, name: str, node: ast.expr) -> Expr:
        if name in FUNCTIONS:
            raise self.refusal(f"{name} is a function: {name}(...)", node)
        if name not in self.known:
            raise self.refusal(f"{name} is not a letter of this claim", node)
        found = self.known[name]
        if isinstance(found, Density) and found.slots:
            raise self.refusal(f"{name} is a density: {name}({', '.join(map(self.name, found.slots))})", node)
        return found

    def name(self, letter: Expr) -> str:
        """The identifier of a letter on the page of the claim."""
        return next((n for n, e in vars(self.claim.page).items() if e == letter), str(letter))

    def call(self, name: str, arguments: list[Expr], node: ast.expr) -> Expr:
        if name in FUNCTIONS and name not in self.letters:
            if len(arguments) != 1:
                raise self.refusal(f"{name} takes one argument", node)
            if isinstance(arguments[0], MatrixExpr):
                raise self.refusal(f"{name} is a function of a number", node)
            return FUNCTIONS[name](arguments[0])
        found = self.known.get(name)
        if not isinstance(found, Density):
            raise self.refusal(
                f"{name} is not a function" if found is None else f"{name} is not a density; a product is written *",
                node,
            )
        if len(arguments) != len(found.slots):
            raise self.refusal(
                f"{name} has {len(found.slots)} variables: {name}({', '.join(map(self.name, found.slots))})",
                node,
            )
        return found(*arguments)

    def power(self, base: Expr, exponent: Expr, node: ast.expr) -> Expr:
        """base ** exponent, if that is no giant: a small number, letters for whole numbers, or as the claim has it."""
        counted = exponent.free_symbols and all(s.is_integer for s in exponent.free_symbols) and degree(exponent) <= 1
        small = exponent.is_Rational and max(abs(exponent), exponent.q) <= DEGREE
        if not (small or (counted and not exponent.has(Pow)) or exponent in self.exponents):
            raise self.refusal(f"an exponent is a number of at most {DEGREE}, or a whole number such as n", node)
        if (
            isinstance(base, Rational)
            and exponent.is_Rational
            and max(abs(base.p), base.q).bit_length() * abs(exponent) > BITS
        ):
            raise self.refusal("this number is too large", node)
        return base**exponent


# ---------------------------------------------------------------- writing


class Writing(StrPrinter):
    """Prints a formula in the grammar above."""

    def __init__(self, claim: Claim) -> None:
        super().__init__()
        stated = claim.formulas.values()
        self.names = {e: name for name, e in shorthands(claim).items() if e not in stated}
        self.names |= {e: name for name, e in letters(claim).items()}
        self.heads = {e.head: name for name, e in letters(claim).items() if isinstance(e, Density)}

    def _print(self, expr: Expr, **settings: object) -> str:
        if not isinstance(expr, Density) and expr in self.names:
            return self.names[expr]
        if isinstance(expr, Density) and expr.head in self.heads:
            name, slots = self.heads[expr.head], ", ".join(map(self._print, expr.slots))
            return f"{name}({slots})" if slots else name
        plain = isinstance(expr, (sp.Add, sp.Mul, Pow, Rational, sp.log, sp.exp, sp.core.numbers.Pi))
        if not plain and isinstance(expr, Expr):
            raise LookupError(f"{expr} cannot be typed")
        return str(super()._print(expr, **settings))

    def _print_ExpBase(self, expr: sp.exp) -> str:
        return f"exp({self._print(expr.args[0])})"

    def _print_Exp1(self, _: Expr) -> str:
        return "exp(1)"


def written(claim: Claim, formula: Expr) -> str | None:
    """The formula as one would type it, or None if the grammar is too small for it."""
    try:
        text = Writing(claim).doprint(sp.sympify(formula))
        read = parse(claim, text)
        # SymPy multiplies a number into a sum as it reads: equal, and not always alike.
        return text if read == formula or vanishes(read - formula) else None
    except (LookupError, Unreadable):
        return None
