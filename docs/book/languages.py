"""What the frame of a page says, in English and in Chinese, and where the words of a claim come from in each."""

from __future__ import annotations

import re
import sys
import tomllib
from dataclasses import dataclass, field
from functools import cache
from html import escape
from pathlib import Path
from types import ModuleType
from typing import Any

from derivations import Claim
from derivations.calculus.steps import Derivation, Rule

from . import words
from .katex import render

HERE = Path(__file__).resolve().parents[1]  # docs/

ENGLISH = {
    "language": "English",
    "here": "On this page",
    "assumes": "Assumes",
    "letters": "Letters",
    "with": "with",
    "source": "Source",
    "mistakes": "Wrong versions",
    "breaks": "breaks at line {step} of derivation {number}",
    "alone": "breaks at line {step}",
    "held": "no derivation sees it; {told}",
    "gap": "the gap that should vanish stays, {sizes}",
    "sides": "left {left}, right {right}",
    "unproved": "its reason does not prove that line",
    "found": "found by {kinds}",
    "trust": "taken on trust",
    "killed": "{killed} of {tried} wrong versions found out",
    "equal": "{n} proved equal to the statement",
    "checks": "{n} checks",
    "code": "Read it as it is written: {place}",
    "again": "Run it: {command}",
    "run": "Verdicts of {date} (seed {seed}, code {code}, {versions}).",
    "stale": "The code has changed since then.",
    "symbolic": "symbolic",
    "quadrature": "quadrature",
    "property": "search for a counterexample",
    "montecarlo": "Monte Carlo",
    "model": "trained network",
    "sampler": "whole runs of samplers",
    "and": " and ",
    "comma": ", ",
    "semicolon": "; ",
    "colon": ": ",
    "stop": ".",
    "at": " ({at})",
}


class Untranslated(LookupError):
    """Words of a claim that a language does not have yet."""


@dataclass(frozen=True)
class Language:
    """A language of the book: its frame, and its words for what the derivations say in English."""

    code: str
    sphinx: str
    frame: dict[str, str]
    tables: dict[str, dict[str, str]] | None = None  # None: the derivations' own words
    missing: list[str] = field(default_factory=list, compare=False)

    @property
    def folder(self) -> Path:
        return HERE / self.code

    @property
    def root(self) -> str:
        """The way from a page to the English site, which has what there is once: all chapters, and the sources."""
        return "" if self.code == "en" else "../"

    def place(self, claim: Claim) -> str:
        """The way to a claim from any page of this language; what it does not have is in English."""
        chapter, slug = claim.id.split(".")
        root = "" if (self.folder / f"{chapter}.md").exists() else self.root
        return f"{root}{chapter}.html#{slug}"

    def __getitem__(self, name: str) -> str:
        return self.frame[name]

    def say(self, name: str, **values: Any) -> str:
        return self.frame[name].format(**values)

    def own(self, table: str, key: str, text: str, page: ModuleType | None = None, english: str = "") -> str:
        """The words for this key as MyST: the claim's own in English, elsewhere those of the table."""
        if self.tables is not None and key in self.tables.get(table, {}):
            return self.tables[table][key]
        if self.tables is not None:
            self.missing.append(f"{table}.{key}")
        return english or words.in_mathematics(text, page)

    def title(self, claim: Claim) -> str:
        return self.own("titles", claim.id, claim.title, claim.page)

    def name(self, claim: Claim) -> str:
        """A heading of a few words; in English it is the slug."""
        return self.own("names", claim.id, "", english=spelled(claim.id.split(".")[1]))

    def assumption(self, claim: Claim) -> str:
        return self.own("assumptions", claim.assumes, claim.assumes, claim.page)

    def derivation(self, derivation: Derivation, said: str) -> str:
        page = sys.modules[derivation.__module__]
        return self.own("derivations", f"{short(page)}.{derivation.__name__}", said, page) if said else ""

    def reason(self, rule: Rule) -> str:
        """What the margin says, with formulas between dollar signs."""
        return self.own("reasons", rule.name, rule.name) + " †" * bool(rule.granted)

    def because(self, claim: Claim, mistake: str) -> str:
        text = claim.because.get(mistake, "")
        return self.own("because", f"{claim.id}.{mistake}", text, claim.page) if text else ""

    def granted(self, fact: str) -> str:
        return self.own("granted", fact, fact)

    def source(self, claim: Claim) -> str:
        return self.own("sources", claim.source, claim.source) if claim.source else ""

    def page(self, page: ModuleType) -> str:
        """What a page says before it derives."""
        return self.own("pages", short(page), "", english=words.of_docstring(page))

    def meaning(self, page: ModuleType, letter: str, said: str) -> str:
        return self.own("letters", f"{short(page)}.{letter}", said, page)


def short(page: ModuleType) -> str:
    """The name of a page, as PAGES has it."""
    return page.__name__.partition(".")[2]


CAPITALS = """ELBO VAE GAN KL JSD SNR GMM DDPM DDIM DPM++ VP VE subVP EDM ODE PF CFG DSM IWAE PPCA MLE VLB SDE MMSE 2M
Gaussian Bernoulli Tweedie Markov Bayes Jensen Price Bonnet Dirac Girsanov Fokker Planck Langevin Karras Riemann Bruijn
Anderson Euler Monte Carlo"""
AS_WRITTEN = {word.lower(): word for word in CAPITALS.split()} | {"dpmpp": "DPM-Solver++", "x0": "x₀"}
AS_WRITTEN |= {"nonneg": "is not negative", "reparam": "reparameterised", "meanfield": "mean-field", "min": "minimum"}
AS_WRITTEN |= {"vs": "versus", "nonsaturating": "non-saturating", "iff": "if and only if"}


def spelled(slug: str) -> str:
    """A slug as words: "naive-is-flat-prior" is "Naive is flat prior"."""
    first, *others = (AS_WRITTEN.get(word, word) for word in slug.split("-"))
    return " ".join([first if first in ("v", "x₀", "subVP") else first[0].upper() + first[1:], *others])


def html(text: str) -> str:
    """Prose with formulas between dollar signs as HTML."""
    prose, *parts = re.split(rf"\$([^$]+)\$({MARKS}*)", text)
    formulas = zip(parts[::3], parts[1::3], parts[2::3])
    return marked(prose) + "".join(with_mark(formula, mark) + marked(prose) for formula, mark, prose in formulas)


SHORT = 15  # ems
MARKS = "[.,;:!?)，。；：！？）、”]"  # what must not begin a line


def with_mark(latex: str, mark: str) -> str:
    """A formula in a sentence, with the comma or full stop that stays on its line."""
    formula = render(latex)
    return f'<span class="nb">{formula.html}{mark}</span>' if mark and formula.em < SHORT else f"{formula.html}{mark}"


def marked(text: str) -> str:
    """The little Markdown that prose of a claim may hold."""
    text = re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text, quote=False))
    text = re.sub(r"\\([\\`*_{}\[\]()#+.!|~<>$-])", r"\1", text)
    return re.sub(r"\*([^*]+)\*", r"<em>\1</em>", text)


@cache
def language(code: str) -> Language:
    """English (en) or Chinese (zh)."""
    if code == "en":
        return Language("en", "en", ENGLISH)
    with open(HERE / code / "words" / "frame.toml", "rb") as file:
        frame = tomllib.load(file)
    tables: dict[str, dict[str, str]] = {}
    for path in sorted((HERE / code / "words").glob("*.toml")):
        if path.stem != "frame":
            for table, entries in tomllib.loads(path.read_text(encoding="utf-8")).items():
                tables.setdefault(table, {}).update(entries)
    return Language(code, "zh_CN", frame, tables)
