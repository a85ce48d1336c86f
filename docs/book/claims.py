"""A claim as a section of its chapter, and a page of derivations as the opening of a part, both in MyST Markdown."""

from __future__ import annotations

import re
from collections import defaultdict
from html import escape
from importlib import import_module
from types import ModuleType

from sympy import sympify

from derivations import Claim, claims
from derivations.calculus.steps import Derivation
from derivations.rendering.formulas import tex
from derivations.rendering.terminal import called

from . import evidence, words
from .derivations import as_html, caption, stated
from .katex import render
from .languages import Language, html

SAID = 3  # formulas of a statement, at most
SIGNS = {"=": "=", "<=": r"\le", ">=": r"\ge", "<": "<", ">": ">"}


def section(id: str, language: Language) -> str:
    """The section of a claim: what it says, why it is true, how it was tried, and what it must not be mistaken for.

    Raises KeyError if there is no such claim.
    """
    claim = claims()[id]
    parts = [
        f"({claim.id})=\n### {language.name(claim)}",
        f":::{{container}} claim-id\n`{claim.id}`\n:::",
        f":::{{container}} statement\n{language.title(claim)}\n\n{block(statement(claim))}\n:::",
        assumptions(claim, language),
        *(derivation(claim, d, language) for d in claim.proved_by),
        block(verdicts(claim, language)),
        block(mistakes(claim, language)),
        block(closing(claim, language)),
    ]
    return "\n\n".join(part for part in parts if part)


def block(html: str) -> str:
    """HTML that Markdown leaves alone."""
    return f"```{{raw}} html\n{html}\n```" if html else ""


def div(name: str, inside: str) -> str:
    return f'<div class="{name}">{inside}</div>'


def anchor(claim: Claim, name: str) -> str:
    """Where a mistake or a derivation stands on the page of its chapter."""
    return f"{claim.id.split('.')[1]}--{name}"


# ---------------------------------------------------------------- what is said


def statement(claim: Claim) -> str:
    """What the derivations say in all: the first line, and the formula at the end of more than a single step."""
    formulas = {f for f in map(sympify, claim.formulas.values()) if not f.is_number}
    said = [done for done in map(stated, claim.proved_by) if done.relation in SIGNS]
    said = [done for done in said if any(done.end == f or done.end.has(f) for f in formulas)]
    if len(said) > SAID or all(len(done.steps) == 1 for done in said):
        return ""
    rows = (f"{tex(done.start)} {SIGNS[done.relation]} {tex(done.end)}" for done in said)
    return div("formulas", "".join(div("row", render(row, display=True).html) for row in rows))


def assumptions(claim: Claim, language: Language) -> str:
    """What a claim assumes beyond what all do; the standing assumptions are told once, where one learns to read."""
    if claim.assumes == "the standing assumptions":
        return ""
    return labelled("assumes", f"*{language['assumes']}*", language.assumption(claim), language)


def labelled(kind: str, label: str, said: str, language: Language) -> str:
    """A small paragraph that begins with what it is."""
    return f"{{.{kind}}}\n{label}{language['colon']}{said}{language['stop']}"


def derivation(claim: Claim, d: Derivation, language: Language) -> str:
    """A derivation: what it says in a sentence, its lines, and the facts that it takes on trust."""
    broken: defaultdict[int, list[tuple[str, str]]] = defaultdict(list)
    for name in claim.mistakes:
        found = evidence.breaks(claim.id, name)
        if found.breaks and found.derivation == d.__name__:
            broken[found.step].append((name, anchor(claim, name)))
    says = language.derivation(d, caption(d))
    lines = [f"{{.says}}\n{says}"] if says else []
    lines.append(block(as_html(d, language, broken, anchor(claim, d.__name__))))
    lines += [labelled("trust", f"† *{language['trust']}*", language.granted(f), language) for f in stated(d).granted]
    return "\n\n".join(lines)


# ---------------------------------------------------------------- how it was tried


def verdicts(claim: Claim, language: Language) -> str:
    """One line: each kind of evidence with what it resolves, and how many wrong versions were found out."""
    found = []
    for kind, verdict, checks, resolution in evidence.verdicts(claim.id):
        size = f" {resolution:.0e}".replace("e-0", "e-").replace("e+00", "") if resolution else ""
        held = "✓" if verdict == "PASS" else verdict
        title = language.say("checks", n=checks)
        found.append(f'<span class="verdict {verdict.lower()}" title="{title}">{language[kind]} {held}{size}</span>')
    killed, tried, equivalent = evidence.killed(claim.id)
    kill = language.say("killed", killed=killed, tried=tried - equivalent)
    kill += f"{language['semicolon']}{language.say('equal', n=equivalent)}" if equivalent else ""
    return div("verdicts", "".join(found) + f'<span class="kill">{kill}</span>')


def mistakes(claim: Claim, language: Language) -> str:
    """The wrong versions that people write: the formula, why it tempts, and where it breaks."""
    if not claim.mistakes:
        return ""
    rows = "".join(mistake(claim, name, language) for name in claim.mistakes)
    names = ", ".join(f"<code>{escape(name)}</code>" for name in claim.mistakes)
    head = f"<summary>{language['mistakes']}{language['colon']}{names}</summary>"
    return f'<details class="mistakes">{head}{rows}</details>'


def mistake(claim: Claim, name: str, language: Language) -> str:
    wrong = claim.mistakes[name]
    formulas = "".join(div("wrong", render(named(p, tex(sympify(f))), display=True).html) for p, f in wrong.items())
    why = language.because(claim, name)
    said = div("why", html(why)) if why else ""
    said += div("where", where(claim, name, language))
    head = f'<code class="name">{escape(name)}</code>'
    return f'<div class="mistake" id="{anchor(claim, name)}">{head}{formulas}{said}</div>'


def named(parameter: str, latex: str) -> str:
    """A formula with the name of its parameter: a letter as it is printed, else in upright words."""
    head, _, index = parameter.partition("_")
    if re.fullmatch(r"[a-z]", head) and re.fullmatch(r"[a-z]{2,}", index):
        name = rf"{head}_{{\mathrm{{{index}}}}}"  # c_skip
    elif called(parameter) != parameter and parameter.count("_") < 2:
        name = words.in_mathematics(parameter).strip("$")
    else:
        name = rf"\text{{{parameter.replace('x_0', '$x_0$').replace('_', ' ').replace('x 0', 'x_0')}}}"
    return f"{name} = {latex}"


def where(claim: Claim, name: str, language: Language) -> str:
    """Where a mistake breaks, and which numerical checks find it out without the derivation."""
    found = evidence.breaks(claim.id, name)
    if not found.breaks:
        return html(language.say("held", told=found.told(language)))
    names = [d.__name__ for d in claim.proved_by]
    number = names.index(found.derivation) + 1
    place = language.say("breaks" if len(names) > 1 else "alone", step=found.step, number=number)
    link = f'<a href="#{anchor(claim, found.derivation)}">{place}</a>'
    return f"{link}{language['colon']}{html(found.told(language))}"


def closing(claim: Claim, language: Language) -> str:
    """The source, and where the page lies."""
    page = claim.page.__name__
    code = page.replace(".", "/") + ".py"
    link = f'<a href="{language.root}source/{page.replace(".", "/")}.html">{code}</a>'
    rows = [
        language.say("code", place=link),
        language.say("again", command=f"<code>noiseproof verify {claim.id}</code>"),
    ]
    if claim.source:
        rows.insert(0, f"{language['source']}{language['colon']}{html(language.source(claim))}")
    return div("closing", " · ".join(rows))


def of_the_run(language: Language) -> str:
    """When the verdicts of a chapter were reached, and with what."""
    run = evidence.of_the_run()
    versions = ", ".join(f"{name} {version}" for name, version in run["versions"].items() if version)
    said = language.say("run", date=run["date"], seed=run["seed"], code=run["code"], versions=versions)
    old = div("stale", language["stale"]) if evidence.stale() else ""
    return block(div("run", said) + old)


# ---------------------------------------------------------------- pages


def opening(name: str, language: Language) -> str:
    """What a page of derivations says before it derives, and its letters."""
    page = import_module(f"derivations.{name}")
    return f":::::{{container}} opening\n{language.page(page)}\n:::::\n\n" + block(letters(page, language))


def letters(page: ModuleType, language: Language) -> str:
    """The letters of a page, and what it says of them."""
    rows = words.notation(page)
    if not rows:
        return ""
    inside = "".join(
        f"<dt>{render(letter).html}</dt><dd>{html(language.meaning(page, letter, meaning))}</dd>"
        for letter, meaning in rows
    )
    return f'<details class="letters"><summary>{language["letters"]}</summary><dl>{inside}</dl></details>'
