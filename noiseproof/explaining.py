"""A claim on the terminal: what it says, why it is true, what the proof takes on trust, where wrong versions break."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator

from rich.console import Console
from rich.padding import Padding
from rich.text import Text
from sympy import Expr, sympify

from derivations import Claim
from derivations.calculus import Rejected, check
from derivations.calculus.steps import Derivation, Rule, Step
from derivations.rendering.latex import to_latex
from derivations.rendering.terminal import inline, prose, to_terminal

from .parsing import letters
from .verifying import FAIL, PASS, examine, located

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
    console.print(prose(claim.title))
    heading(console, "Statement")
    for name, formula in claim.formulas.items():
        console.print(Text(f"  {name} = {inline(formula)}"), soft_wrap=True)
    where = {n: e for n, e in letters(claim).items() if claim.spell(e) != e}
    for letter in where.values():
        console.print(Text(f"  with {inline(letter)} = {inline(claim.spell(letter))}", "cyan"), soft_wrap=True)
    console.print(Text(f"\n  Assumes {prose(claim.assumes)}."))
    if claim.source:
        console.print(Text(f"  Source: {claim.source}."))
    stands = True
    for derivation in claim.proved_by:
        console.print()
        try:
            to_terminal(derivation, check(derivation), width=console.width)
        except Rejected as news:
            stands = False
            text = f"{derivation.__name__} does not stand\n{located(news, sys.modules[derivation.__module__])}"
            console.print(Text(text, "bold red"), soft_wrap=True)
    others = [d.__name__.replace("_", " ") for d in foundations(claim) if d not in claim.proved_by]
    heading(console, "On trust")
    for fact in taken_on_trust(claim) or ["Nothing beyond the calculus itself."]:
        indented(console, fact)
    for name, facts in definitions(claim).items():
        indented(console, f"By definition ({name}): {'; '.join(f'{inline(a)} = {inline(b)}' for a, b in facts)}")
    if others:
        indented(console, f"On the way it proves: {', '.join(others)}.")
    if claim.mistakes:
        heading(console, "Mistakes")
    for name in claim.mistakes:
        mistake(claim, name, console)
    heading(console, "Checks")
    for kind in claim.kinds:
        indented(console, Text.assemble((f"{kind:<12}", "bold"), KINDS[kind]))
    return stands


def heading(console: Console, title: str, aside: str = "") -> None:
    console.print(Text.assemble("\n" * (not aside), (title, "bold cyan"), (f"  {aside}" * bool(aside), "dim")))


def indented(console: Console, line: str | Text, by: int = 2, style: str = "") -> None:
    console.print(Padding(Text(line) if isinstance(line, str) else line, (0, 0, 0, by), expand=False, style=style))


def mistake(claim: Claim, name: str, console: Console) -> None:
    """A wrong version, why people write it, and the line that it breaks."""
    wrong = {p: sympify(f) for p, f in claim.mistakes[name].items()}
    indented(
        console, Text.assemble((name, "bold red"), "  ", ", ".join(f"{p} = {inline(f)}" for p, f in wrong.items()))
    )
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
    indented(console, f"{first}, in {broken.name.replace('_', ' ')}", 4)
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
