"""Verifying claims: the one function behind ``noiseproof verify``, ``noiseproof mutate`` and the tests.

A claim is judged kind by kind.  *symbolic* follows its derivations; the other kinds hand the formulas to the check
of the same name.  A replacement, right or wrong, goes through the same door as the statement.
"""

from __future__ import annotations

import inspect
import os
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module, util
from pathlib import Path
from time import perf_counter
from types import ModuleType
from typing import Any

from sympy import Expr, Symbol, sympify

from derivations import Claim
from derivations.calculus import Refuted, Rejected, check
from derivations.calculus.notation import Density
from derivations.calculus.steps import parameters
from derivations.rendering.terminal import prose

from .choosing import claim as claim_called
from .parsing import described as described_letters
from .parsing import in_letters, letters, parse

PASS, FAIL, INCONCLUSIVE, SKIP, ERROR = "PASS", "FAIL", "INCONCLUSIVE", "SKIP", "ERROR"
KINDS = ("symbolic", "quadrature", "property", "montecarlo", "model", "sampler")
QUICK = KINDS[:4]  # what plain ``verify`` runs; ``--all`` adds trained models and sampler runs
NEEDS = {"model": (("torch", "sklearn"), "models")}  # the packages a kind needs, and the extra that brings them


@dataclass(frozen=True)
class Check:
    """One check and what came of it.

    ``resolution`` is the smallest error it would have seen, ``error`` the one that it saw, where it can say.
    """

    name: str
    kind: str
    verdict: str
    detail: str
    seconds: float = 0.0
    resolution: float | None = None
    error: float | None = None


@dataclass(frozen=True)
class Report:
    """All checks of one claim; ``not_run`` are the kinds that were planned and did not come to their end."""

    id: str
    checks: tuple[Check, ...]
    not_run: tuple[str, ...] = ()

    @property
    def verdict(self) -> str:
        """One failure fails; every check that was planned must pass; nothing run is SKIP."""
        return together([*(c.verdict for c in self.checks), *(INCONCLUSIVE for _ in self.not_run)])

    def __str__(self) -> str:
        lines = [f"{self.id}: {self.verdict}"]
        lines += [f"  {c.verdict:<12} {c.kind:<10} {c.name}: {c.detail}".replace("\n", "\n    ") for c in self.checks]
        return "\n".join([*lines, *(f"  not run      {kind}" for kind in self.not_run)])


def together(verdicts: Iterable[str]) -> str:
    """The verdict on several checks."""
    seen = set(verdicts)
    worst = next((v for v in (FAIL, ERROR, INCONCLUSIVE) if v in seen), None)
    return worst or (PASS if PASS in seen else SKIP)


def verify(claim: Claim | str, /, kinds: Iterable[str] = QUICK, seed: int = 0, **instead: Any) -> Report:
    """Judge a claim, with other formulas in place of its own if given.

    A formula is a SymPy expression in the letters of the claim (``claim.letters``, or symbols of the same names),
    a number, a string in the grammar of ``noiseproof.parsing``, or a function whose arguments are named like those
    letters.  Raises UnknownClaim (a KeyError), TypeError for a name that is no parameter or letter of the claim,
    ValueError for an unknown kind or an unreadable string.
    """
    claim = claim_called(claim) if isinstance(claim, str) else claim
    kinds = tuple(kinds)
    if unknown := [kind for kind in kinds if kind not in KINDS]:
        raise ValueError(f"there is no kind of check called {', '.join(unknown)}; the kinds are {', '.join(KINDS)}")
    instead = handed_in(claim, instead)
    return Report(
        claim.id, tuple(c for kind in kinds if kind in claim.kinds for c in examine(claim, kind, seed, instead))
    )


def handed_in(claim: Claim, instead: Mapping[str, Any]) -> dict[str, Any]:
    """Formulas in the claim's own letters, functions as they are.  TypeError for a name that it does not know."""
    if unknown := sorted(set(instead) - set(claim.formulas)):
        raise TypeError(f"{claim.id} has no formula {', '.join(unknown)}; its formulas are {', '.join(claim.formulas)}")
    return {name: formula_handed_in(claim, f) for name, f in instead.items()}


def formula_handed_in(claim: Claim, given: Any) -> Any:
    if isinstance(given, str):
        return parse(claim, given)  # never sympify: it executes what it reads
    return offered(claim, given) if is_function(given) else in_letters(claim, sympify(given))


def offered(claim: Claim, function: Callable) -> Callable:
    """The same function, of the letters that a check offers; what the page abbreviates, beta say, is worked out.

    Raises TypeError if the function asks for anything else.
    """
    own, wanted = letters(claim), inspect.signature(function).parameters.values()
    if any(p.kind is p.VAR_KEYWORD for p in wanted):
        return function
    names = [p.name for p in wanted if p.name in own or p.default is p.empty]
    if strange := [name for name in names if name not in own]:
        raise TypeError(
            f"the function asks for {', '.join(strange)}; the letters of {claim.id} are {described_letters(claim)}"
        )

    def of_letters(**at: Any) -> Any:
        from numerics.compiled import formula

        return function(**{name: at[name] if name in at else formula(claim, own[name])(**at) for name in names})

    return of_letters


def is_function(formula: Any) -> bool:
    return callable(formula) and not isinstance(formula, Expr)


def examine(claim: Claim, kind: str, seed: int = 0, instead: Mapping[str, Any] | None = None) -> Iterator[Check]:
    """The checks of one kind, one after another, as they are done."""
    if lacking := missing(kind):
        yield Check(claim.name, kind, SKIP, lacking)
        return
    clock, done = perf_counter(), 0
    try:
        for one in (symbolic if kind == "symbolic" else numerical)(claim, kind, seed, instead or {}):
            done += 1
            yield one
            clock = perf_counter()
    except Exception as error:  # a judge that raises has judged nothing
        yield Check(claim.name, kind, ERROR, described(error), perf_counter() - clock)
    else:
        if not done:
            yield Check(claim.name, kind, ERROR, f"the claim is marked {kind}, and its check has nothing of that kind")


def missing(kind: str) -> str:
    """What a kind needs and is not installed, with the line that installs it; nothing if all is there."""
    packages, extra = NEEDS.get(kind, ((), ""))
    lacking = [package for package in packages if util.find_spec(package) is None]
    return f"needs {' and '.join(lacking)}: pip install 'noiseproof[{extra}]'" if lacking else ""


def symbolic(claim: Claim, kind: str, seed: int, instead: Mapping[str, Any]) -> Iterator[Check]:
    """Follow the derivations of the claim: all of them, or those that end in a formula that was replaced."""
    for derivation in claim.proved_by:
        mine = {name: instead[name] for name in parameters(derivation) if name in instead}
        if instead and not mine:
            continue
        if functions := [name for name, f in mine.items() if is_function(f)]:
            detail = f"{', '.join(functions)} is a function: only a SymPy expression can be followed line by line"
            yield Check(derivation.__name__, kind, SKIP, detail)
            continue
        clock = perf_counter()
        try:
            done = check(derivation, **mine)
            verdict, detail = PASS, f"{len(done.steps)} step{'s' * (len(done.steps) != 1)}"
        except Rejected as news:
            verdict = FAIL if isinstance(news, Refuted) else INCONCLUSIVE
            detail = located(news, sys.modules[derivation.__module__])
        except Exception as error:
            verdict, detail = ERROR, described(error)
        yield Check(derivation.__name__, kind, verdict, detail, perf_counter() - clock)


def numerical(claim: Claim, kind: str, seed: int, instead: Mapping[str, Any]) -> Iterator[Check]:
    """Hand the formulas to the check of the same name, and examine its atoms of one kind."""
    from numerics.compiled import formulas
    from numerics.statistics import examine as examine_atoms

    check, stated = checking(claim, kind), formulas(claim, **instead)
    for atom in examine_atoms(check, stated, seed=seed, kinds=(kind,), claim=claim.id):
        finding = atom.finding
        found = finding.verdict, finding.detail, atom.seconds, finding.resolution, finding.error
        yield Check(atom.name, kind, *found)


def checking(claim: Claim, kind: str) -> Callable[..., Iterator]:
    """The check of a claim: the function of its name, on the page of the same name in numerics/checks, or in models."""
    page = claim.page.__name__.removeprefix("derivations.")
    module = import_module(f"models.{page.split('.')[0]}" if kind == "model" else f"numerics.checks.{page}")
    return getattr(module, claim.name)


# ---------------------------------------------------------------- where it went wrong


def located(news: Rejected, page: ModuleType) -> str:
    """The message of a refusal, and the line of the page that it refuses."""
    frames = [f for f in traceback.extract_tb(news.__traceback__) if "calculus" not in Path(f.filename).parts]
    return "\n".join([readable(str(news), page), *(f"  {place(frame)}" for frame in frames[-1:])])


def readable(message: str, page: ModuleType) -> str:
    r"""A message with the letters of the page as they are read, ᾱₜ₋₁ for \bar\alpha_{t-1}."""
    names = {e.name for e in vars(page).values() if isinstance(e, (Symbol, Density))}
    for name in sorted(names, key=len, reverse=True):
        message = message.replace(name, prose(name))
    return message


def described(error: Exception) -> str:
    """What was raised, and the lines of ours that it came through, the innermost last."""
    here = Path(__file__).resolve().parents[1]
    ours = [
        f
        for f in traceback.extract_tb(error.__traceback__)
        if here in Path(f.filename).parents and ".venv" not in f.filename
    ]
    return "\n".join([f"{type(error).__name__}: {error}", *(f"  {place(frame)}" for frame in ours[-3:])])


def place(frame: traceback.FrameSummary) -> str:
    """A line of source, and where it stands."""
    path = os.path.relpath(frame.filename)
    return f"at {path if not path.startswith('..') else frame.filename}:{frame.lineno}: {frame.line}"
