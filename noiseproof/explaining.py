"""A claim on the terminal: what it says, why it is true, what the proof takes on trust, where wrong versions break."""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.text import Text
from sympy import Expr, MatrixSymbol, Symbol, sympify

from derivations import Claim
from derivations.calculus import Rejected, check
from derivations.calculus.notation import Density, RealFunction, UnitFunction
from derivations.calculus.steps import Derivation, Rule, Step
from derivations.claim import STANDING
from derivations.rendering.introducing import introduction, notation
from derivations.rendering.latex import to_latex
from derivations.rendering.terminal import called, inline, prose, to_terminal, told, wrapped

from .choosing import claims
from .parsing import domain, letters
from .verifying import FAIL, PASS, examine, located

BOOK = Path(__file__).resolve().parents[1] / "docs" / "_build" / "html"  # of a checkout, once it is built

KINDS = {
    "symbolic": "a derivation, followed line by line",
    "quadrature": "integrals and closed forms, compared as well as double precision can",
    "property": "a search for a counterexample over random parameters",
    "montecarlo": "draws of the definitions, with a stated false-alarm rate and resolution",
    "model": "a small network, trained to land on it",
    "sampler": "a sampler, run to its end",
}


def steps(derivation: Derivation) -> Iterator[Step]:
    """The steps of a derivation as its page states them, unjudged."""
    return (line for line in derivation() if isinstance(line, Step))


def foundations(claim: Claim) -> list[Derivation]:
    """The derivations of a claim and all that they rest on, directly or not."""
    found = list(claim.proved_by)
    for derivation in found:  # the list grows while it is walked
        found += dict.fromkeys(d for step in steps(derivation) for d in step.by.rests_on if d not in found)
    return found


def reasons(claim: Claim) -> Iterator[Rule]:
    """Every reason that the proof of a claim gives, those of cited derivations included."""
    return (step.by for derivation in foundations(claim) for step in steps(derivation))


def taken_on_trust(claim: Claim) -> list[str]:
    """The facts that the proof of a claim uses without proving them."""
    return sorted({f"{rule.name}: {rule.granted}" for rule in reasons(claim) if rule.granted})


def definitions(claim: Claim) -> dict[str, list[tuple[Expr, Expr]]]:
    """What the proof of a claim calls a definition: pairs that are equal, by the name of the reason."""
    found: dict[str, list[tuple[Expr, Expr]]] = {}
    for rule in reasons(claim):
        known = found.setdefault(rule.name, [])
        known += [fact for fact in rule.facts if fact not in known]
    return {name: facts for name, facts in sorted(found.items()) if facts}


def explain(claim: Claim, console: Console) -> bool:
    """Print everything that there is to know of a claim; do its derivations stand?"""
    heading(console, f"{claim.id}", f"{claim.tier}, {claim.kind}")
    indented(console, prose(claim.title), 0)
    heading(console, "Statement")
    for name, formula in claim.formulas.items():
        one_line(console, f"{called(name)} = {inline(formula)}", f"  ({name})" * (called(name) != name))
    where = {n: e for n, e in letters(claim).items() if claim.spell(e) != e}
    for letter in where.values():
        one_line(console, f"with {inline(letter)} = {inline(claim.spell(letter))}", style="cyan")
    for line in introduced(claim):
        indented(console, line, style="dim")
    console.print()
    indented(console, f"Assumes {prose(claim.assumes)}.")
    if "standing assumptions" in claim.assumes:
        indented(console, f"Standing assumptions: {STANDING}.", style="dim")
    if claim.source:
        indented(console, f"Source: {claim.source}.")
    heading(console, "Introduction")
    for line in introduction(claim.page, console.width - 2):
        console.print(Text(f"  {line}".rstrip()), soft_wrap=True)
    heading(console, "Derivations")
    stands = True
    for derivation in claim.proved_by:
        console.print()
        try:
            to_terminal(derivation, check(derivation), width=console.width)
        except Rejected as news:
            stands = False
            text = f"{derivation.__name__} does not stand\n{located(news, sys.modules[derivation.__module__])}"
            console.print(Text(text, "bold red"), soft_wrap=True)
    others = [named(d) for d in foundations(claim) if d not in claim.proved_by]
    heading(console, "On trust")
    for fact in taken_on_trust(claim) or ["Nothing beyond the calculus itself."]:
        indented(console, prose(fact))
    for name, facts in definitions(claim).items():
        one_line(console, f"By definition ({prose(name)}): {'; '.join(f'{inline(a)} = {inline(b)}' for a, b in facts)}")
    if others:
        indented(console, f"On the way it proves: {', '.join(others)}.")
    if claim.mistakes:
        heading(console, "Mistakes")
    for name in claim.mistakes:
        mistake(claim, name, console)
    heading(console, "Checks")
    for kind in claim.kinds:
        indented(console, Text.assemble((f"{kind:<12}", "bold"), KINDS[kind]))
    heading(console, "Book")
    console.print(Text("  ").append_text(in_the_book(claim)), soft_wrap=True)
    return stands


def in_the_book(claim: Claim) -> Text:
    """Where the book has a claim: a link if it is built, else the line that builds it."""
    page, slug = BOOK / f"{claim.chapter}.html", claim.id.split(".")[1]
    if not page.exists():
        return Text.assemble(f"{page.name}#{slug}", ("  (make docs, in a checkout)", "dim"))
    link = f"{page.as_uri()}#{slug}"
    below = page.is_relative_to(Path.cwd())
    shown = f"{page.relative_to(Path.cwd()).as_posix()}#{slug}" if below else link
    return Text(shown, f"link {link}")


def named(derivation: Derivation) -> str:
    """A derivation, and the claim under which it is printed, if there is one."""
    home = next((claim.id for claim in claims().values() if derivation in claim.proved_by), "")
    return derivation.__name__ + f" ({home})" * bool(home)


def introduced(claim: Claim) -> Iterator[str]:
    """The letters of the statement: what kind each is of, and what the page says of them."""
    kinds, found = (Symbol, MatrixSymbol, Density), set()
    for formula in claim.formulas.values():
        found |= formula.atoms(*kinds) | claim.spell(formula).atoms(*kinds)
    by_kind: dict[str, list[str]] = {}
    for letter in sorted(found, key=inline):
        by_kind.setdefault(kind_of_letter(letter), []).append(inline(letter))
    heads, behind = notation(claim.page)
    for kind, names in by_kind.items():
        names = list(dict.fromkeys(names))
        many = re.sub("^a (whole number|number|density|function)", r"\1s", kind).replace("densitys", "densities")
        yield f"{', '.join(names)}: {many if len(names) > 1 else kind}"
        yield from (f"  {name}: {prose(behind[name])}" for name in names if name in behind)
    if heads:
        yield f"On this page: {heads.rstrip('.')}."


def kind_of_letter(letter: Expr) -> str:
    """What a letter stands for, without its name."""
    if isinstance(letter, (RealFunction, UnitFunction)):
        return "a function" + " with values between 0 and 1" * isinstance(letter, UnitFunction)
    if isinstance(letter, Density) and letter.slots:
        return "a density"
    return domain(letter).removeprefix(f"{inline(letter)}, ")


def one_line(console: Console, formula: str, aside: str = "", style: str = "") -> None:
    """A formula, in more lines than one only where it must be."""
    *above, last = wrapped(f"  {formula}", console.width, "      ")
    for line in above:
        console.print(Text(line, style), soft_wrap=True)
    console.print(Text.assemble((last, style), (aside, "dim")), soft_wrap=True)


def heading(console: Console, title: str, aside: str = "") -> None:
    console.print(Text.assemble("\n" * (not aside), (title, "bold cyan"), (f"  {aside}" * bool(aside), "dim")))


def indented(console: Console, line: str | Text, by: int = 2, style: str = "") -> None:
    line = Text(line) if isinstance(line, str) else line
    line.stylize(style)
    told(console, line, by)


def mistake(claim: Claim, name: str, console: Console) -> None:
    """A wrong version, why people write it, and the line that it breaks."""
    wrong = {p: sympify(f) for p, f in claim.mistakes[name].items()}
    first, *more = wrapped(
        f"  {name}  {', '.join(f'{called(p)} = {inline(f)}' for p, f in wrong.items())}", console.width
    )
    console.print(Text.assemble("  ", (name, "bold red"), first[2 + len(name) :]), soft_wrap=True)
    for line in more:
        console.print(Text(line), soft_wrap=True)
    if name in claim.because:
        indented(console, prose(claim.because[name]), 4, "italic")
    verdicts = list(examine(claim, "symbolic", 0, wrong)) if "symbolic" in claim.kinds else []
    broken = next((c for c in verdicts if c.verdict == FAIL), None) or next(
        (c for c in verdicts if c.verdict != PASS), None
    )
    if broken is None:
        indented(console, "no derivation refutes it; `noiseproof mutate` says which check does", 4, "yellow")
        return
    first, *_, last = broken.detail.splitlines()
    indented(console, f"{first}, in {broken.name}", 4)
    indented(console, last.strip(), 6, "dim")
    for line in broken.detail.splitlines():
        if "left = " in line:
            indented(console, line.strip(), 6, "dim")


def as_latex(claim: Claim) -> str:
    """The derivations of a claim, to be pasted into a document."""
    pages = []
    for derivation in claim.proved_by:
        title = (inspect.getdoc(derivation) or derivation.__name__).splitlines()[0]
        pages.append(f"% {claim.id}: {title}\n{to_latex(derivation, check(derivation))}")
    return "\n\n".join(pages)
