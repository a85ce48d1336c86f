r"""A derivation as a reader sees it on paper: an ``align*`` with the reasons on the right, in a text block of 16 cm.

Factors stand in the order of the blackboard: numbers, roots, letters, variables, brackets, densities, averages,
logarithms.  A long left side gets a line of its own; where a line and its reason are too wide together, the reason
moves below; as a last resort a sum is broken.  Letters introduced by ``let`` are explained where they first occur.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import IntEnum

import sympy as sp
from sympy import Add, Derivative, Expr, Integral, Mul, Pow, Product, Sum, log, oo

from . import notation as atoms
from .notation import Average, Density, Normal
from .pictures import picture
from .steps import Derivation, Followed, Let, Rule, Step, check


class Level(IntEnum):
    """How tightly a formula holds together."""

    SUM = 0  # a + b, -a
    PRODUCT = 1  # a b, and a sum sign with what it sums
    POWER = 2
    PREFIX = 3  # log a, a derivative
    FRACTION = 4
    ATOM = 5  # a letter, a number, a call, anything in brackets


SUM, PRODUCT, POWER, PREFIX, FRACTION, ATOM = Level


class Tex(str):
    """A formula in LaTeX."""

    level: Level

    def __new__(cls, text: str, level: Level = ATOM) -> Tex:
        formula = super().__new__(cls, text)
        formula.level = level
        return formula


def bracket(inside: str, left: str = "(", right: str = ")") -> Tex:
    """Brackets of the height of what they hold."""
    tall = re.search(r"\\(frac|int|sum|prod|binom|left)", inside)
    return Tex(rf"\left{left}{inside}\right{right}" if tall else f"{left}{inside}{right}")


def fit(e: Expr | Tex, level: Level) -> Tex:
    """A formula, in brackets if it holds together less tightly than its place demands."""
    formula = e if isinstance(e, Tex) else tex(e)
    return formula if formula.level >= level else bracket(formula)


def call(name: str, inside: str, brackets: str = "()") -> Tex:
    """A name and its argument in brackets, close together."""
    held = bracket(inside, *brackets)
    return Tex(name + r"\!" * held.startswith(r"\left") + held)


# ---------------------------------------------------------------- order

LONG = (Integral, Product, Sum)
HEAVY = (*LONG, Average, Density, Derivative, Normal, atoms.Quadratic, log)
PLAIN = (atoms.RealFunction, atoms.UnitFunction)


def rank(factor: Expr) -> tuple:
    """The place of a factor in a product."""
    base = factor.base if isinstance(factor, Pow) else factor
    variable = any(not getattr(s, "is_positive", False) for s in base.free_symbols)
    places = (
        (0, base.is_number),
        (9, isinstance(base, (Sum, Product))),
        (8, isinstance(base, (log, Derivative))),
        (7, isinstance(base, (Average, Integral))),
        (6, isinstance(base, Normal) or (isinstance(base, Density) and base.of)),
        (5 if variable else 3, isinstance(base, Add)),
        (4, variable),
        (1, isinstance(factor, Pow) and not factor.exp.is_Integer),
        (2, True),
    )
    place = next(place for place, here in places if here)
    return place, not isinstance(base, Normal), "\\" not in str(base), str(base)


def weight(term: Expr) -> int:
    """The place of a term in a sum, by its longest part."""
    kinds = ((atoms.Divergence,), (Average, *LONG), (log,), (atoms.Entropy,), (Derivative, Normal))
    call = any(q.of for q in term.atoms(Density))
    return next((len(kinds) - i for i, kind in enumerate(kinds) if term.has(*kind)), int(call))


def terms(e: Expr) -> list[Expr]:
    """The terms of a sum: numbers and what is short first, averages last, and a plus sign at the front."""

    def place(t: Expr) -> tuple:
        size = -t if negative(t) else t
        short = 0 if weight(t) or isinstance(e, sp.MatAdd) else sp.count_ops(size)
        return weight(t), not t.is_number, short, tex(size)

    found = sorted(e.args, key=place)
    if any(map(weight, found)):
        return sorted(found, key=negative)
    front = next((t for t in found if not negative(t)), found[0])
    return [front, *(t for t in found if t is not front)]


def negative(e: Expr) -> bool:
    return bool((e.as_coeff_mmul() if isinstance(e, sp.MatMul) else e.as_coeff_Mul())[0].is_negative)


def shared(e: Expr) -> tuple[Expr, Expr]:
    """A denominator that all terms of a sum have in common, and the rest: (1 + a)/2 rather than 1/2 + a/2."""
    if not isinstance(e, Add):
        return sp.S.One, e
    content, rest = e.primitive()
    halves = content.q > 1 and all(t.as_coeff_Mul()[0].q > 1 for t in e.args)
    nested = any(divided(1, Mul.make_args(t))[1] for t in Add.make_args(rest))
    return (content, rest) if halves and not nested else (sp.S.One, e)


def divided(number, factors: Iterable[Expr]) -> tuple[list[Expr], list[Expr]]:
    """The factors above and below the line of a fraction."""
    top, bottom = [], []
    for f in factors:
        below = isinstance(f, Pow) and f.exp.is_Rational and f.exp.is_negative
        (bottom if below else top).append(Pow(f.base, -f.exp) if below else f)
    p, q = sp.fraction(sp.sympify(number))
    return [p] * (p != 1) + top, [q] * (q != 1) + bottom


# ---------------------------------------------------------------- formulas


def tex(e: Expr) -> Tex:
    """The LaTeX of an expression."""
    match e:
        case sp.Symbol() | sp.MatrixSymbol():
            return Tex(e.name)
        case _ if e in (oo, sp.pi, sp.E):
            return Tex({oo: r"\infty", sp.pi: r"\pi", sp.E: r"\mathrm e"}[e])
        case Add() if shared(e)[0] != 1:
            return product(sp.S.One, [e])
        case Add() | sp.MatAdd():
            return Tex(" ".join(signed_terms(e)), SUM)
        case sp.Number() | Mul() | sp.MatMul() if negative(e):
            return Tex(f"-{fit(-e, PRODUCT)}", SUM)
        case sp.Rational() if e.q != 1:
            return product(e, [])
        case sp.Number():
            return Tex(str(e))
        case Mul():
            number, rest = e.as_coeff_Mul()
            return product(number, Mul.make_args(rest))
        case Pow(exp=x) if x.is_Rational and x.is_negative:
            return product(sp.S.One, [e])
        case Pow(base=b, exp=x) if x == sp.Rational(1, 2):
            return Tex(rf"\sqrt{{{tex(b)}}}")
        case Pow(base=b, exp=x):
            return Tex(f"{fit(b, ATOM)}^{{{x if x.is_Rational else tex(x)}}}", POWER)
        case sp.exp(args=(x,)) if not x.has(Pow, *HEAVY) and sp.fraction(x)[1] == 1:
            return Tex(rf"\mathrm e^{{{tex(x)}}}", POWER)
        case log(args=(x,)):
            return Tex(r"\log" + " " * (tex(x).level >= FRACTION) + fit(x, FRACTION), PREFIX)
        case sp.Abs(args=(x,)):
            return bracket(tex(x), "|", "|")
        case sp.factorial(args=(n,)):
            return Tex(f"{fit(n, ATOM)}!", POWER)
        case sp.binomial(args=(n, k)):
            return Tex(rf"\binom{{{tex(n)}}}{{{tex(k)}}}")
        case sp.gamma(args=(x,)):
            return call(r"\Gamma", tex(x))
        case sp.Function() | sp.Max() | sp.Min():
            name = type(e).__name__.lower()
            known = name in ("exp", "max", "min", "cos", "sin", "tanh")
            return call(rf"\{name}" if known else rf"\operatorname{{{name}}}", listed(*e.args))
        case Density():
            of, given, at = (listed(*side) for side in e.args[1:])
            name = index(e.name, at)
            return call(name, rf"{of} \mid {given}" if given else of) if of else Tex(name)
        case Normal():
            return call(r"\mathcal N", rf"{tex(e.x)};\, {listed(e.mean, e.variance)}")
        case atoms.Expectation():
            return call(rf"\mathbb E_{{{tex(e.q)}}}", tex(e.f), "[]")
        case atoms.Variance():
            return call(rf"\operatorname{{Var}}_{{{tex(e.q)}}}", tex(e.f), "[]")
        case atoms.Covariance():
            return call(rf"\operatorname{{Cov}}_{{{tex(e.q)}}}", listed(e.f, e.g), "[]")
        case atoms.Divergence():
            return call(r"\mathrm{KL}", rf"{tex(e.q)} \,\|\, {tex(e.f)}")
        case atoms.Entropy(q=q):
            alone = isinstance(q, Density) and len(q.of) == 1 and not q.args[2]
            return call("h", index(q.name, listed(*q.args[3])) if alone else tex(q), "[]")
        case Derivative():
            signs = [rf"\partial_{{{tex(v)}}}" + (f"^{{{n}}}" if n > 1 else "") for v, n in e.variable_count]
            space = " " if isinstance(e.expr, (log, Derivative)) else r"\, "
            return Tex(" ".join(signs) + space + fit(e.expr, PREFIX), PREFIX)
        case Integral():
            ends = ("" if lim[1:] == (-oo, oo) else limits(*lim[1:]) for lim in reversed(e.limits))
            variables = (rf"\,d{tex(z)}" for z in e.variables)
            return Tex(" ".join([*(rf"\int{end}" for end in ends), fit(e.function, PRODUCT), *variables]))
        case Sum() | Product():
            sign = r"\sum" if isinstance(e, Sum) else r"\prod"
            signs = (sign + limits(f"{tex(k)}={tex(a)}", b) for k, a, b in reversed(e.limits))
            return Tex(" ".join([*signs, fit(e.function, PRODUCT)]), PRODUCT)
        case sp.MatMul():
            return Tex(" ".join(fit(f, POWER) for f in e.args), PRODUCT)
        case sp.MatPow():
            return Tex(f"{fit(e.base, ATOM)}^{{{tex(e.exp)}}}", POWER)
        case sp.Transpose():
            return Tex(rf"{fit(e.arg, ATOM)}^\top", POWER)
        case atoms.Quadratic(vector=v):
            return Tex(rf"{fit(v, ATOM)}^\top {fit(e.matrix, POWER)} {fit(v, POWER)}", PRODUCT)
        case sp.Identity() | sp.ZeroMatrix():
            return Tex("I" if isinstance(e, sp.Identity) else "0")
    raise TypeError(f"no way to write {type(e).__name__}: {e}")


def listed(*items: Expr) -> str:
    return r",\, ".join(map(tex, items))


def limits(low, high) -> str:
    """Below and above an integral or a sum."""
    return f"_{{{low if isinstance(low, str) else tex(low)}}}^{{{tex(high)}}}"


def index(name: str, at: str) -> str:
    """The name of a density with its parameter as an index, after the index it may have."""
    stem, _, first = name.partition("_")
    return f"{stem}_{{{first.strip('{}')}, {at}}}" if at and first else f"{name}_{{{at}}}" if at else name


def signed_terms(e: Expr) -> list[Tex]:
    """Each term of a sum with its sign; the first has none if it is positive."""
    found: list[Tex] = []
    for t in terms(e):
        sign = "-" if negative(t) else "+" if found else ""
        found.append(Tex(f"{sign}{' ' if found else ''}{fit(-t if negative(t) else t, PRODUCT)}"))
    return found


def product(number: Expr, factors: Iterable[Expr]) -> Tex:
    """A product; a fraction if something stands below the line, with what is long beside it."""
    contents = [shared(f) for f in factors]
    top, bottom = divided(Mul(number, *(c for c, _ in contents)), [f for _, f in contents if f != 1])
    if not bottom:
        return side_by_side(top)
    below = Mul(*bottom)

    def apart(f: Expr) -> bool:
        base = f.base if isinstance(f, Pow) else f
        long_sum = below.is_number and isinstance(f, Add) and f.has(Average, *LONG)
        return long_sum or (isinstance(base, LONG if below.has(*HEAVY) else HEAVY) and not isinstance(base, PLAIN))

    above, outside = [f for f in top if not apart(f)], [f for f in top if apart(f)]
    small = "t" if below.is_number and all(f.is_number for f in above) else ""
    ratio = Tex(rf"\{small}frac{{{side_by_side(above)}}}{{{side_by_side(bottom)}}}", FRACTION)
    return Tex(rf"{ratio}\, {fit(side_by_side(outside), PRODUCT)}", PRODUCT) if outside else ratio


def side_by_side(factors: Iterable[Expr]) -> Tex:
    """Factors in their order; one that is open to the right stands last, or in brackets."""
    factors = sorted(factors, key=rank)
    if len(factors) < 2:
        return tex(factors[0]) if factors else Tex("1")
    text = ""
    for i, f in enumerate(factors):
        formula, last = tex(f), i == len(factors) - 1
        open_ended = formula.level == PREFIX or isinstance(f, (Sum, Product))
        digit = isinstance(f, Pow) and f.base.is_Integer and f.exp != sp.Rational(1, 2)
        spaced = isinstance(f, HEAVY) or isinstance(factors[i - 1], HEAVY)
        text += "" if i == 0 else r" \cdot " if digit else r"\, " if spaced else " "
        text += formula if open_ended and last else fit(formula, ATOM if open_ended else POWER)
    return Tex(text, PRODUCT)


# ---------------------------------------------------------------- lines

TEXT_BLOCK = 41.5  # 16 cm at 11 pt, in ems
NEXT = r"\phantom{=}\;"
RELATIONS = {"<=": r"\le", ">=": r"\ge", "->": r"\longrightarrow", "~": "="}


@dataclass(frozen=True)
class Row:
    """A row of a page: a formula, the reason in its margin, and whether it explains a letter."""

    latex: str
    by: Rule | None = None
    explains: bool = False


Wide = Callable[[Row], float]


def lines(done: Followed) -> Iterator[tuple[Step | None, Expr, list[Let]]]:
    """Each line of a derivation, with the letters that occur in it for the first time."""
    letters = lambda e: e.atoms(sp.Symbol, sp.MatrixSymbol)
    lets = [line for line in done.lines if isinstance(line, Let)]
    for step in (None, *done.steps):
        e = step.rhs if step else done.start
        new, seen = [], letters(e)
        while fresh := [g for g in lets if g.letter in seen]:
            lets = [g for g in lets if g not in fresh]
            new += fresh
            seen = set().union(*(letters(g.meaning) for g in fresh))
        yield step, e, new


def laid_out(done: Followed, room: float, wide: Wide) -> Iterator[Row]:
    """The rows of a derivation, none wider than there is room for if that can be helped."""
    for step, e, lets in lines(done):
        lead = RELATIONS.get(step.relation, step.relation) if step else NEXT
        *above, last = broken(lead, e, tail(step), room, wide)
        yield from map(Row, above)
        whole = Row(last, step.by if step else None)
        yield from [whole] if wide(whole) <= room else [Row(last), Row("", whole.by)] if step else [whole]
        yield from explained(lets, room, wide)


def tail(step: Step | None) -> str:
    """What follows the right side of a limit or an order."""
    if step is None or not step.near:
        return ""
    letter, target, order = step.near
    return rf" + O({tex(letter**order)})" if step.relation == "~" else rf" \quad ({tex(letter)} \to {tex(target)})"


def broken(lead: str, e: Expr, end: str, room: float, wide: Wide) -> list[str]:
    """A line as one row if it fits, else broken before the signs of its terms."""
    whole = f"{lead} {tex(e)}{end}"
    if wide(Row(whole)) <= room or not isinstance(e, Add):
        return [whole]
    first, *others = signed_terms(e)
    rows = [f"{lead} {first}"]
    for term in (*others[:-1], others[-1] + end):
        together = f"{rows[-1]} {term}"
        rows = [*rows[:-1], together] if wide(Row(together)) <= room else [*rows, rf"{NEXT}\quad {term}"]
    return rows


def explained(lets: list[Let], room: float, wide: Wide) -> list[Row]:
    """Letters explained below their line, as many in a row as fit."""
    rows: list[Row] = []
    for g in lets:
        meaning = f"{tex(g.letter)} = {tex(g.meaning)}"
        together = Row(rf"{rows[-1].latex},\quad {meaning}" if rows else "", explains=True)
        alone = Row(rf"{NEXT} \text{{with }} {meaning}", explains=True)
        rows = [*rows[:-1], together] if rows and wide(together) <= room else [*rows, alone]
    return rows


# ---------------------------------------------------------------- pages

UNICODE = {"≤": r"\le", "≥": r"\ge", "−": "-", "√": r"\surd", "∂": r"\partial", "|": r"\mid", "→": r"\to"}
UNICODE |= {
    "‖": r"\|",
    "ε": r"\epsilon",
    "²": "^2",
    "ᵀ": r"^\top",
    "₀": "_0",
    "₁": "_1",
    "ₜ": "_t",
    ">": ">",
    "∞": r"\infty",
}
ACCENTS = {"\u0304": r"\bar", "\u0303": r"\tilde", "\u0302": r"\hat"}
NAME = r"\\|_\{|\^|\b[^\W\d_]_\w\b"  # how a word that is the LaTeX name of a letter is known
LETTER = r"(?<![\w'’])[b-zA-Z](?![a-zA-Z])|[^\x00-\x7f’–][\u0302-\u0304]?|[|<>]"


def reason(rule: Rule) -> str:
    """What the margin says: a letter of the page is set as mathematics, whether its name is LaTeX or Unicode."""

    def letter(found: re.Match) -> str:
        base, *accents = unicodedata.normalize("NFD", found[0])
        greek = re.fullmatch(r"GREEK (SMALL|CAPITAL) LETTER (\w+)", unicodedata.name(base))
        name = "\\" + (greek[2].lower() if greek[1] == "SMALL" else greek[2].title()) if greek else base
        tex = UNICODE.get(base, name)
        return f"${''.join(ACCENTS.get(a, '') for a in accents)}{tex}$" if tex.isascii() else found[0]

    words = (f"${w}$" if re.search(NAME, w) else re.sub(LETTER, letter, w) for w in rule.name.split(" "))
    return " ".join(words).replace("$$", "") + r"\,$^\dagger$" * bool(rule.granted)


def on_paper(row: Row) -> float:
    """An estimate of the width of a row, in ems."""
    return picture(row.latex).em + (1.5 + 0.4 * len(row.by.name) if row.by else 0)


def to_latex(derivation: Derivation, done: Followed | None = None) -> str:
    """The derivation as an aligned display: reasons on the right, letters explained where they first occur."""
    done = done or check(derivation)
    start, *rows = laid_out(done, TEXT_BLOCK, on_paper)
    short = not rows[0].explains and on_paper(start) + max(map(on_paper, rows)) <= TEXT_BLOCK
    texts = [f"& {row.latex}" + (rf" \tag*{{\footnotesize {reason(row.by)}}}" if row.by else "") for row in rows]
    texts = [f"{tex(done.start)} {texts[0]}", *texts[1:]] if short else [f"& {start.latex}", *texts]
    return "\\begin{align*}\n" + " \\\\\n".join(texts) + "\n\\end{align*}"
