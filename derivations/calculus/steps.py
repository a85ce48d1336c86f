r"""Following a derivation.

A *derivation* is a plain generator function.  It yields an expression, then the steps that lead away from it:

    def double_angle():
        yield (a + b)**2
        yield eq(a**2 + 2*a*b + b**2, by=algebra)
        yield ge(4*a*b, by=positivity)

``check`` follows it.  A step stands when both sides are defined for all values of their letters, its rule *proves*
it, and the witness does not *refute* it.  A step that fails is raised at the very line that yields it: ``Refuted`` if
it is false at some point, ``Undefined`` if a line has no meaning for some values of its letters, ``Unproved`` if its
reason does not suffice.

A *page* is a module of derivations.  Its ``WHERE`` says what the abbreviating letters stand for (beta for 1 - alpha);
its ``WORLD``, or what a function of this name returns, gives concrete densities for the witness.
``yield let(Lambda, ...)`` introduces a letter for the following lines.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from time import perf_counter

import sympy as sp
from sympy import Expr

from .notation import DIMENSION, CovarianceMatrix, UnitSymbol
from .signs import definite, domain_gap, sign

Derivation = Callable[..., Iterator]


@dataclass(frozen=True)
class Rule:
    """What the margin of a page says, and the test that stands behind it.

    Two rules with the same name and key prove the same steps: judgements are remembered by them.
    """

    name: str
    proves: Callable[..., bool] = field(compare=False)
    granted: str = ""  # what is used without proof, if anything
    key: tuple | None = None
    again: Callable[[Callable[[Expr], Expr]], Rule] | None = field(default=None, compare=False)
    facts: tuple = field(default=(), compare=False)  # pairs (left, right) that hold by definition
    rests_on: tuple[Derivation, ...] = field(default=(), compare=False)

    def in_letters(self, spell: Callable[[Expr], Expr]) -> Rule:
        """The same rule on a page where letters are spelled out so."""
        return self.again(spell) if self.again else self


@dataclass(frozen=True)
class Step:
    relation: str
    rhs: Expr
    by: Rule
    near: tuple = ()  # (letter, target, order) for limits and orders


@dataclass(frozen=True)
class Let:
    """Introduce a letter."""

    letter: sp.Symbol
    meaning: Expr


def eq(rhs, by: Rule) -> Step:
    return Step("=", sp.sympify(rhs), by)


def le(rhs, by: Rule) -> Step:
    return Step("<=", sp.sympify(rhs), by)


def ge(rhs, by: Rule) -> Step:
    return Step(">=", sp.sympify(rhs), by)


def lt(rhs, by: Rule) -> Step:
    """Strictly less, for all values of the letters."""
    return Step("<", sp.sympify(rhs), by)


def gt(rhs, by: Rule) -> Step:
    """Strictly greater, for all values of the letters."""
    return Step(">", sp.sympify(rhs), by)


def tends_to(rhs, letter: sp.Symbol, target, by: Rule) -> Step:
    """The limit of the line as letter tends to target."""
    return Step("->", sp.sympify(rhs), by, (letter, sp.sympify(target), 0))


def up_to(rhs, letter: sp.Symbol, order: int, by: Rule) -> Step:
    """Equality up to O(letter^order) as letter tends to zero."""
    return Step("~", sp.sympify(rhs), by, (letter, sp.S.Zero, order))


def let(letter: sp.Symbol, meaning) -> Let:
    return Let(letter, sp.sympify(meaning))


class Rejected(AssertionError):
    """A line that does not stand."""


class Refuted(Rejected):
    """A line that is false at some admissible point, which the message names."""


class Undefined(Rejected):
    """A line without a meaning for some values of its letters, or a letter that is misused."""


class Unproved(Rejected):
    """A line that its reason does not prove; no counterexample was found."""


@dataclass
class Followed:
    """A derivation that stands: its lines, and each letter spelled out."""

    name: str
    start: Expr
    lines: list = field(default_factory=list)
    where: dict = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def steps(self) -> list[Step]:
        return [line for line in self.lines if isinstance(line, Step)]

    @property
    def end(self) -> Expr:
        return self.steps[-1].rhs if self.steps else self.start

    @property
    def relation(self) -> str:
        """What the chain as a whole says of its ends: <= after < is <."""
        kinds = {s.relation for s in self.steps} - {"="}
        for strict, weak in (("<", "<="), (">", ">=")):
            if strict in kinds:
                kinds -= {weak}
        return "=" if not kinds else kinds.pop() if len(kinds) == 1 else "?"

    @property
    def granted(self) -> list[str]:
        return sorted({s.by.granted for s in self.steps if s.by.granted})

    @property
    def facts(self) -> set:
        """The definitions that the derivation uses, and those behind what it cites."""
        behind = (cited(derivation).facts for s in self.steps for derivation in s.by.rests_on)
        return set().union(*behind, *(s.by.facts for s in self.steps))

    def spell(self, e: Expr) -> Expr:
        return spell(e, self.where)


def spell(e: Expr, where: dict) -> Expr:
    """Replace letters by their meanings until none is left."""
    e = sp.sympify(e)
    for _ in range(len(where) + 1):
        if (spelled := e.xreplace(where)) == e:
            return e
        e = spelled
    raise Undefined(f"circular abbreviations: {where}")


def page_of(derivation: Derivation) -> tuple[dict, dict]:
    """The abbreviations and the world of the page on which a derivation stands."""
    names = getattr(derivation, "__globals__", {})
    world = names.get("WORLD", {})
    return dict(names.get("WHERE", {})), dict(world if isinstance(world, dict) else world())


def parameters(derivation: Derivation) -> dict[str, Expr]:
    """The formulas of a derivation: its keyword arguments, with the statement as their default."""
    return {name: p.default for name, p in inspect.signature(derivation).parameters.items()}


_following: list[Derivation] = []
_followed: dict[Derivation, Followed] = {}
Verdict = tuple[type[Rejected], str, str] | None  # the kind of refusal, its reason, the point where the step is false
_judged: dict[tuple, Verdict] = {}

BOTH = ("witness", "rule")
REMEMBERED = 20_000  # judgements, at most


def cited(derivation: Derivation) -> Followed:
    """The derivation, followed once; a derivation may not rest on itself."""
    return _followed.get(derivation) or check(derivation)


def check(derivation: Derivation, judges: tuple[str, ...] = BOTH, **formulas: Expr) -> Followed:
    """Follow a derivation, with these formulas for its own; raise Rejected at the first line that fails.

    A step needs both judges.  To judge the judges, call one alone: it should still refuse most mistakes.
    """
    if unknown := set(formulas) - set(parameters(derivation)):
        known = ", ".join(parameters(derivation)) or "none"
        raise TypeError(f"{derivation.__name__} has no formula {', '.join(sorted(unknown))}; its formulas: {known}")
    if texts := [name for name, formula in formulas.items() if isinstance(formula, str)]:
        raise TypeError(f"the formula {texts[0]} is a text; an expression is needed")
    if derivation in _following:
        raise Unproved(f"circular citation: {' <- '.join(d.__name__ for d in [*_following, derivation])}")
    _following.append(derivation)
    try:
        done = _follow(derivation, judges, {name: sp.sympify(f) for name, f in formulas.items()})
        if not formulas and judges == BOTH:
            _followed[derivation] = done
        return done
    except Exception as error:
        if isinstance(error, Rejected) or not formulas:  # without formulas, it is a mistake of the page
            raise
        raise Undefined(f"{derivation.__name__} cannot be written with this formula: {error}") from error
    finally:
        _following.pop()


def _follow(derivation: Derivation, judges: tuple[str, ...], formulas: dict) -> Followed:
    clock = perf_counter()
    where, world = page_of(derivation)
    world = {density: spell(meaning, where) for density, meaning in world.items()}
    proof = derivation(**formulas)
    done = Followed(derivation.__name__, sp.S.Zero, where=where)

    def refuse(kind: type[Rejected], message: str) -> None:
        proof.throw(kind(message))  # type: ignore[attr-defined]
        raise kind(message)  # in case the derivation swallows it

    for letter, meaning in where.items():
        if problem := unfit(letter, spell(meaning, where)):
            refuse(Undefined, f"{letter} cannot stand for {meaning}: {problem}")
    lhs, count = None, 0
    for line in proof:
        if isinstance(line, Let):
            if problem := misused(line, done):
                refuse(Undefined, f"let {line.letter} = {line.meaning}: {problem}")
            where[line.letter] = line.meaning
            done.lines.append(line)
            continue
        if lhs is None:
            lhs = done.start = sp.sympify(line)
            if gap := domain_gap(done.spell(lhs)):
                refuse(Undefined, f"the first line contains {gap}")
            continue
        if not isinstance(line, Step):
            refuse(Undefined, f"a derivation yields steps and lets after its first line, not {line}")
        count += 1
        sides = done.spell(lhs), done.spell(line.rhs)
        if twins := confusable(*sides):
            refuse(Undefined, f"step {count}: two different letters are written {twins}")
        if verdict := judge(line, *sides, done, world, judges):
            kind, reason, point = verdict
            left, right = (
                sp.sstr(e, order="none") for e in (lhs, line.rhs)
            )  # in another order SymPy would compute integrals
            refuse(kind, f"step {count} {reason}\n  {left}\n  {line.relation} {right}{point}")
        done.lines.append(line)
        lhs = line.rhs
    done.seconds = perf_counter() - clock
    return done


def judge(line: Step, left: Expr, right: Expr, done: Followed, world: dict, judges: tuple[str, ...]) -> Verdict:
    """What both judges say of a step, in letters spelled out; remembered by (relation, left, right, rule)."""
    key = None
    try:
        rule = line.by.in_letters(done.spell)
        key = rule.key and (line.relation, line.near, left, right, rule, judges, tuple(world.items()))
        verdict = _judged[key] if key in _judged else _judge(line, left, right, rule, world, judges)
    except Rejected as refusal:
        verdict = Unproved, f"rests on what does not stand: {refusal}", ""
    except Exception as error:  # whatever SymPy raises: what cannot be judged does not stand
        verdict = Unproved, f"cannot be judged ({type(error).__name__}: {error})", ""
    if key:
        if len(_judged) > REMEMBERED:
            _judged.clear()
        _judged[key] = verdict
    return verdict


def _judge(line: Step, left: Expr, right: Expr, rule: Rule, world: dict, judges: tuple[str, ...]) -> Verdict:
    if (shape := getattr(left, "shape", ())) != getattr(right, "shape", ()) or (shape and line.relation != "="):
        return Undefined, "compares what cannot be compared", ""
    if right.has(sp.zoo, sp.nan, sp.I):
        return Undefined, "has no real value", ""
    gap = domain_gap(right)
    if "witness" in judges:
        from .witness import NoWitness, disagreement, drift  # brings NumPy: not before a line is judged

        try:
            witness = drift if line.near else disagreement
            if testimony := witness(line.relation, left, right, world, *line.near):
                return Refuted, "is false", "\n  " + testimony
        except NoWitness as silence:
            if not gap:
                return Unproved, f"has no witness: {silence}", ""
    if gap:
        return Undefined, f"contains {gap}", ""
    relation = (line.relation, *line.near) if line.near else line.relation
    if "rule" in judges and not rule.proves(relation, left, right):
        return Unproved, f"is not proved by '{rule.name}' (no counterexample found)", ""
    return None


def letters(e: Expr) -> set[Expr]:
    return e.atoms(sp.Symbol, sp.MatrixSymbol) - {DIMENSION}


def misused(line: Let, done: Followed) -> str | None:
    """Why a letter may not be introduced here."""
    used = set().union(*map(letters, [done.start, *(s.rhs for s in done.steps)]))
    meanings = set().union(*map(letters, done.where.values()))
    if line.letter.name in {s.name for s in used | set(done.where) | meanings}:
        return "the letter is already in use"
    if line.letter in letters(line.meaning):
        return "the letter occurs in its own meaning"
    meaning = done.spell(line.meaning)
    if gap := domain_gap(meaning):
        return f"it contains {gap}"
    return unfit(line.letter, meaning)


def unfit(letter: sp.Symbol, meaning: Expr) -> str | None:
    """Why a meaning does not lie in the domain of its letter."""
    if getattr(letter, "shape", ()) != getattr(meaning, "shape", ()):
        return "not of the same shape"
    if isinstance(letter, CovarianceMatrix) and not definite(meaning):
        return "not certainly symmetric and positive definite"
    if isinstance(letter, sp.MatrixSymbol):
        return None
    if isinstance(letter, UnitSymbol) and not (sign(meaning) > 0 and sign(1 - meaning) > 0):
        return "not certainly between 0 and 1"
    if letter.is_positive and sign(meaning) <= 0:
        return "not certainly positive"
    if letter.is_zero is False and not sign(meaning) and meaning.is_zero is not False:
        return "it may vanish"
    if letter.is_integer and not meaning.is_integer:
        return "not certainly a whole number"
    return None


def confusable(*sides: Expr) -> str | None:
    """A name that two different letters share."""
    names = sorted(s.name for s in set().union(*map(letters, sides)) if not isinstance(s, sp.Dummy))
    return next((a for a, b in pairwise(names) if a == b), None)
