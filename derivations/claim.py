"""A claim: a statement with a name, the derivations that prove it, and the wrong versions that people write."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import ModuleType

import sympy as sp
from sympy import Expr

from .calculus.notation import Density
from .calculus.steps import Derivation, parameters, spell

KINDS = {"S": "symbolic", "Q": "quadrature", "P": "property", "M": "montecarlo", "T": "model", "B": "sampler"}

STANDING = (  # what a claim assumes unless it says otherwise
    "0 < βₜ < 1; steps draw independently of one another and of x₀; noise is standard normal, and numbers x₀ have a "
    "finite second moment; densities are smooth and positive, with a finite entropy and Fisher information where these "
    "occur; an exact denoiser or score is the conditional mean; what divides by 1 − ᾱₜ₋₁ is for t ≥ 2"
)


@dataclass(frozen=True)
class Claim:
    """One row of the table that closes a page.

    ``formulas`` are the keyword arguments of the derivations, with the statement as their default. A mistake gives
    some of them another value; nothing else distinguishes it from the truth.
    """

    id: str
    title: str  # the statement in a sentence
    proved_by: tuple[Derivation, ...]
    mistakes: Mapping[str, Mapping[str, Expr]]
    evidence: str = "S Q"  # the letters of KINDS
    assumes: str = "the standing assumptions"
    source: str = ""
    tier: str = "core"
    kind: str = "identity"
    because: Mapping[str, str] = field(default_factory=dict)  # why people write a mistake, where it is not obvious

    def __post_init__(self) -> None:
        for name, wrong in self.mistakes.items():
            if stray := set(wrong) - set(self.formulas):
                known = ", ".join(self.formulas)
                raise TypeError(f"{self.id}: the mistake {name} changes {', '.join(stray)}; the formulas are {known}")

    @property
    def chapter(self) -> str:
        return self.id.split(".")[0]

    @property
    def name(self) -> str:
        """The slug as an identifier: the name of its check."""
        return self.id.split(".")[1].replace("-", "_")

    @property
    def kinds(self) -> tuple[str, ...]:
        return tuple(KINDS[letter] for letter in self.evidence.split())

    @property
    def page(self) -> ModuleType:
        """The module on which the first derivation stands."""
        return sys.modules[self.proved_by[0].__module__]

    @cached_property
    def formulas(self) -> dict[str, Expr]:
        """Each parameter with the formula of the statement."""
        found: dict[str, Expr] = {}
        for derivation in self.proved_by:
            for name, default in parameters(derivation).items():
                default = sp.sympify(default)
                if found.setdefault(name, default) != default:
                    raise TypeError(f"{self.id}: two derivations disagree on the formula {name}")
        return found

    @cached_property
    def letters(self) -> dict[str, Expr]:
        """The letters of the claim by the names its page gives them: what a replacement formula may use."""
        kinds = (sp.Symbol, sp.MatrixSymbol, Density)
        named = {n: v for n, v in vars(self.page).items() if isinstance(v, kinds) and not n.startswith("_")}
        wrong = [formula for formulas in self.mistakes.values() for formula in formulas.values()]
        formulas = [*self.formulas.values(), *map(sp.sympify, wrong)]
        used = set().union(*(f.atoms(*kinds) | self.spell(f).atoms(*kinds) for f in formulas))
        heads = {u.head for u in used if isinstance(u, Density)}
        return {n: v for n, v in named.items() if v in used or (isinstance(v, Density) and v.head in heads)}

    def spell(self, formula: Expr) -> Expr:
        """The formula with the page's abbreviations spelled out."""
        return spell(sp.sympify(formula), dict(vars(self.page).get("WHERE", {})))
