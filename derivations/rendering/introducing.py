"""The introduction of a page as a terminal shows it: paragraphs, formulas in one line, and which letters there are."""

from __future__ import annotations

import inspect
import re
import textwrap
from types import ModuleType

from sympy import MatrixSymbol, Symbol

from ..calculus.notation import Density
from .pictures import picture
from .terminal import inline, prose, wrapped

RELATIONS = [r"\le", r"\ge", r"\sim", r"\to", r"\ne", r"\propto", r"\approx", r"\pm", r"\Longrightarrow", r"\mid"]
RELATIONS += ["=", "<", ">"]
SIZES = re.compile(r"\\[bB]ig+[lr]?(?![A-Za-z])|\\limits|&|\\(?:begin|end)\{\w+\}")
AS = {r"\lVert": r"\|", r"\rVert": r"\|", r"\Vert": r"\|", r"\qquad": r"\quad", r"\mathbf": r"\mathrm"}
AS |= {
    r"D_{\mathrm{KL}}": r"\mathrm{KL}",
    r"D_{KL}": r"\mathrm{KL}",
    r"D_{\rm KL}": r"\mathrm{KL}",
    r"\{": r"\lbrace{}",
    r"\}": r"\rbrace{}",
    r"\rm": "",
    r"\overset d=": "=",
}
WORDS = [r"\text", r"\mathrm", r"\operatorname"]
ACCENTS = [r"\bar", r"\tilde", r"\hat", r"\dot", r"\mathcal", r"\mathbb"]
BEGIN = [r"\frac", r"\tfrac", r"\sqrt", r"\left", r"\lbrace", r"\partial", r"\nabla", r"\|", *"_^d([{,/|+-"]
OPEN = {*WORDS, *RELATIONS, *ACCENTS, *BEGIN}  # no factor ends in one of these


def introduction(page: ModuleType, width: int) -> list[str]:
    """What a page says before it derives, without its references."""
    told = re.split(r"\n+References:", inspect.getdoc(page) or "")[0]
    lines: list[str] = []
    for block in re.split(r"\n\s*\n", told):
        lines.append("")
        if block.startswith(".. math::"):
            for row in block.removeprefix(".. math::").split(r"\\"):
                lines += wrapped("    " + typed(row), width, "      ")
        else:
            lines += textwrap.wrap(spoken(block), width, break_on_hyphens=False, break_long_words=False)
    return lines[1:]


def spoken(words: str) -> str:
    """Words, with the formulas in them."""
    parts = re.split(r":math:`([^`]+)`", " ".join(words.split()))
    return "".join(typed(part) if i % 2 else prose(part.replace("``", "")) for i, part in enumerate(parts))


def typed(latex: str) -> str:
    """LaTeX as people type it, in one line: with room around signs and between factors, but for those of indices."""
    latex = SIZES.sub("", latex)
    for found, instead in AS.items():
        latex = latex.replace(found, instead)
    latex, stop = re.findall(r"^\s*(.*?)\s*([.,;]?)\s*$", latex, re.DOTALL)[0]
    tight: list[bool] = []  # for each brace that is open: is it that of an index or of a word?
    before, spaced = "(", ""
    for token in re.findall(r"\\[A-Za-z]+|\\.|\s+|.", latex):
        if token == "{":
            tight.append(before in ("_", "^", *WORDS) or any(tight))
        elif token == "}":
            tight.pop()
        sign = token in "+-" and (before not in OPEN or before == "d")
        factor = re.fullmatch(r"[A-Za-z]|\\[A-Za-z]+", token) and token not in (r"\right", r"\mid", r"\rbrace")
        apart = sign or token in RELATIONS or (factor and before not in OPEN and not before.isspace())
        spaced += token if any(tight) or not apart else f" {token}" + " " * (not factor or token in RELATIONS)
        before = token if not token.isspace() else before
    return re.sub(r"(?<=\S) {2,}", " ", picture(spaced.strip(), flat=True).rows[0].strip()) + stop


def notation(page: ModuleType) -> tuple[str, dict[str, str]]:
    """What a page says of its letters: in the heading of its notation, and behind the line that declares them."""
    section = inspect.getsource(page).partition("\n# Notation")[2].partition("\n# Statement")[0]
    heading = re.match(r":?(.*(?:\n#.*)*)", section)
    said = re.sub(r"\n# ?", " ", heading[1]).strip() if heading else ""
    behind: dict[str, str] = {}
    for names, comment in re.findall(r"^([\w, ]+?) = .*?  # (.+)$", section, re.M):
        shown = (vars(page).get(name) for name in names.split(", "))
        behind |= {inline(e): comment for e in shown if isinstance(e, (Symbol, MatrixSymbol, Density))}
    letters = lambda found: inline(vars(page)[found[1]])
    said = re.sub(r"(\\(?:bar|hat|tilde)) (\w)", r"\1{\2}", said)
    return prose(re.sub(r"`(\w+)`", letters, said)), behind
