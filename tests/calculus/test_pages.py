"""What holds on every page: worlds are coherent, nothing is computed that cannot be, no formula breaks a judge."""

from __future__ import annotations

import ast
import random
import sys
from functools import cache
from operator import add, mul, sub, truediv
from pathlib import Path

import pytest
import sympy as sp
from sympy import exp, log, sqrt

import derivations
from derivations.calculus import Density, E, RealFunction, Rejected, UnitFunction, check, d, integral, positives, reals
from derivations.calculus import steps as following
from derivations.calculus.deciding import vanishes
from derivations.calculus.notation import is_law, spelled_out, variables
from derivations.calculus.signs import domain_gap, sign
from derivations.calculus.steps import Refuted, page_of, parameters, spell
from derivations.calculus.witness import disagreement

CLAIMS = list(derivations.claims().values())
DERIVATIONS = list(dict.fromkeys(derivation for claim in CLAIMS for derivation in claim.proved_by))
PAGES = list(dict.fromkeys(sys.modules[derivation.__module__] for derivation in DERIVATIONS))
FOLDER = Path(derivations.__file__).parent


def name(thing) -> str:
    """A derivation or a page, as a test calls it."""
    return (
        getattr(thing, "id", None) or f"{getattr(thing, '__module__', '')}.{thing.__name__}".split("derivations.")[-1]
    )


def forget() -> None:
    """Judge everything anew."""
    following._followed.clear()
    following._judged.clear()
    for question in (vanishes, sign, domain_gap):
        question.cache_clear()


@pytest.fixture(scope="module", autouse=True)
def no_density_is_integrated_by_sympy():
    """From the first judgement on."""
    computed = sp.Integral.doit

    def refused(integral, **hints):
        assert not integral.has(Density), f"somebody asked SymPy for {integral}"
        return computed(integral, **hints)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sp.Integral, "doit", refused)
        forget()
        yield


# ---------------------------------------------------------------- worlds


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_the_densities_of_a_world_are_densities(page):
    where, world = page_of(next(f for f in DERIVATIONS if f.__module__ == page.__name__))
    world = {density: spell(meaning, where) for density, meaning in world.items()}
    for density in world:
        if isinstance(density, UnitFunction):
            assert not disagreement(">", density, sp.S.Zero, world)
            assert not disagreement("<", density, sp.S.One, world)
        elif isinstance(density, Density) and not isinstance(density, RealFunction):
            assert not disagreement(">", density, sp.S.Zero, world)
            assert is_law(density) == bool(variables(density))  # without a variable it is a positive number
            if is_law(density) and not any(isinstance(v, sp.MatrixSymbol) for v in variables(density)):
                assert not disagreement("=", integral(density, *variables(density)), sp.S.One, world)


@pytest.mark.parametrize("derivation", DERIVATIONS, ids=name)
def test_what_is_defined_holds_in_the_world(derivation):
    where, world = page_of(derivation)
    world = {density: spell(meaning, where) for density, meaning in world.items()}
    done = check(derivation, judges=())  # its lines are judged where its claim is
    for left, right in done.facts:
        if world and left.has(Density):
            assert agree(done.spell(left), done.spell(sp.sympify(right)), tuple(world.items())), f"{left} = {right}"


@cache
def agree(left, right, world) -> bool:
    """Whether a fact holds in a world; the derivations of a page rest on the same facts."""
    return not disagreement("=", left, right, dict(world))


def test_an_incoherent_world_is_found():
    z = reals("z")
    q = Density("q", [z])
    assert disagreement("=", integral(q, z), sp.S.One, {q: exp(-(z**2))})
    assert disagreement("=", q, 2 * exp(-(z**2)), {q: exp(-(z**2))})


# ---------------------------------------------------------------- nothing is computed in passing


@pytest.mark.slow
def test_no_integral_of_an_unspecified_density_is_ever_computed():
    """A careless doit ran for ten minutes once.  In this file it raises, whatever is followed."""
    z = reals("z")
    with pytest.raises(AssertionError, match="somebody asked SymPy"):
        (1 + sp.Integral(Density("q", [z]), z)).doit()
    for derivation in DERIVATIONS:
        check(derivation)


def test_nothing_simplifies():
    """SymPy's simplify guesses, takes half a minute on an integral of densities, and gives up."""
    banned = {"simplify", "equals", "hyperexpand", "trigsimp", "eval", "parse_expr"}
    for path in FOLDER.glob("**/*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            called, line = getattr(node, "attr", None) or getattr(node, "id", None), getattr(node, "lineno", 0)
            assert called not in banned, f"{path.name}:{line} calls {called}"
            if called == "doit" and path.parent.name == "calculus":
                assert path.name == "differentiating.py", f"{path.name}:{line} calls doit"


# ---------------------------------------------------------------- memory changes no verdict


def verdicts(claims) -> dict:
    """What is said of every mistake, line by line."""
    said = {}
    for claim in claims:
        for mistake, formulas in claim.mistakes.items():
            for derivation in claim.proved_by:
                if mine := {n: f for n, f in formulas.items() if n in parameters(derivation)}:
                    try:
                        check(derivation, **mine)
                        said[claim.id, mistake, derivation.__name__] = "stands"
                    except Rejected as refusal:
                        said[claim.id, mistake, derivation.__name__] = f"{type(refusal).__name__}: {refusal}"
    return said


def test_a_remembered_judgement_is_the_same():
    forget()
    ids = "bayes.flat-prior-limit", "forward.terminal", "reversal.posterior-mean"
    some = [derivations.claims()[id] for id in ids]
    first = verdicts(some)
    assert following._judged
    assert verdicts(some) == first
    forget()
    assert verdicts(list(reversed(some))) == first


def test_memory_is_bounded(monkeypatch):
    monkeypatch.setattr(following, "REMEMBERED", 10)
    following._judged.clear()
    for derivation in DERIVATIONS[:8]:
        following._followed.pop(derivation, None)
        check(derivation)
        assert len(following._judged) <= 11
    for question in (vanishes, sign, domain_gap):
        assert question.cache_info().maxsize is not None


# ---------------------------------------------------------------- any formula gets a verdict

PATHOLOGICAL = [
    sp.nan,
    sp.zoo,
    sp.oo,
    sp.I,
    sp.S.Zero,
    sp.Float("0.3"),
    sp.true,
    sp.Symbol("stranger"),
    reals("x") ** 1000,
    sp.Matrix([[1, 2], [3, 4]]),
    sp.MatrixSymbol("W", 2, 3),
    sp.Function("f")(reals("x")),
    Density("nobody", [reals("x")]),
    sp.Piecewise((1, reals("x") > 0), (2, True)),
    sp.Integral(reals("x"), reals("x")),
    sp.Sum(positives("s"), (sp.Symbol("k", integer=True), 1, sp.oo)),
    sp.gamma(reals("x")),
    (1, 2),
    None,
]


def invented(rng: random.Random, letters: list, depth: int):
    """A random expression in the letters of a page; it need not make sense."""
    if depth == 0 or rng.random() < 0.2:
        return rng.choice([*letters, sp.Integer(rng.randint(-2, 3)), sp.Rational(1, rng.randint(2, 5))])
    a, b = (invented(rng, letters, depth - 1) for _ in range(2))
    kind = rng.choice(["+", "-", "*", "/", "**", "sqrt", "log", "exp", "d", "E"])
    binary = {"+": add, "-": sub, "*": mul, "/": truediv, "**": pow}
    if kind in binary:
        return binary[kind](a, b)
    if kind in ("sqrt", "log", "exp"):
        return {"sqrt": sqrt, "log": log, "exp": exp}[kind](a)
    symbols = [x for x in letters if isinstance(x, sp.Symbol)]
    laws = [q for q in letters if is_law(q)]
    if kind == "d" and symbols:
        return d(rng.choice(symbols), a)
    return E(rng.choice(laws), a) if laws else a


QUESTIONS = [(f, p) for f in DERIVATIONS for p in parameters(f)]


def ask(derivation, parameter: str, pathological: int, invented: int) -> None:
    """Strange formulas for a parameter: each gets a verdict, whatever it is."""
    claim = next(claim for claim in CLAIMS if derivation in claim.proved_by)
    rng = random.Random(f"{name(derivation)} {parameter}")
    formulas = rng.sample(PATHOLOGICAL, pathological)
    for formula in [*formulas, *random_formulas(rng, list(claim.letters.values()), invented)]:
        try:
            done = check(derivation, **{parameter: formula})
        except Rejected:
            continue
        assert done.steps


@pytest.mark.parametrize(
    ("derivation", "parameter"), QUESTIONS[::9], ids=lambda e: e if isinstance(e, str) else name(e)
)
def test_no_formula_breaks_a_judge(derivation, parameter):
    ask(derivation, parameter, pathological=4, invented=3)


@pytest.mark.slow
@pytest.mark.parametrize(("derivation", "parameter"), QUESTIONS, ids=lambda e: e if isinstance(e, str) else name(e))
def test_no_formula_whatever_breaks_a_judge(derivation, parameter):
    ask(derivation, parameter, pathological=len(PATHOLOGICAL), invented=12)


def random_formulas(rng: random.Random, letters: list, count: int) -> list:
    """Expressions that SymPy lets us write."""
    found: list = []
    while len(found) < count:
        try:
            found.append(invented(rng, letters, 3))
        except (ArithmeticError, AttributeError, NotImplementedError, TypeError, ValueError):
            continue
    return found


def test_the_fuzz_finds_what_it_looks_for():
    """A judge that raises is caught."""
    x = reals("x")

    def broken(rel, lhs, rhs):
        raise KeyError("a bug")

    def derivation(formula=x):
        yield x
        yield following.eq(formula, by=following.Rule("broken", broken))

    with pytest.raises(Rejected, match=r"cannot be judged \(KeyError: 'a bug'\)"):
        check(derivation)
    with pytest.raises(Refuted):
        check(derivation, formula=x + 1)
    assert spelled_out(x) == x
