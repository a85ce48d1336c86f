r"""The prose of claims as MyST text: what is mathematics in it stands between dollars, in good LaTeX.

    >>> print(in_mathematics("with extra noise of variance 2 beta_t/alpha_t; the mean is right"))
    with extra noise of variance $2 \beta_t/\alpha_t$; the mean is right

Titles, assumptions, reasons and docstrings name letters in three spellings: ``alpha_bar_t``, ``\bar\alpha_t``, ``ᾱₜ``.
A run of mathematics is as long as possible: operands with signs between them, or side by side.  A number alone, a name
alone (KL, log), and the article "a" stay words.
"""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Sequence
from dataclasses import replace
from types import ModuleType

from sympy import MatrixSymbol, Symbol

from derivations import claims
from derivations.calculus.notation import Density
from derivations.rendering.formulas import tex

from .letters import DOTS, OPEN, Piece, one_spelling, tokens

# ---------------------------------------------------------------- brackets, and runs

CLOSED_BY = {"(": ")", "[": "]"}
SEPARATORS = {",": r",\, ", ";": r";\, ", "|": r" \mid "}
QUANTITIES = ("noise", "score", "const")  # words that stand for a number in a formula
NO_NOUN = {"and", "or", "has", "have", "is", "are", "in", "on", "at", "to", "as", "of", "by", "times", "down", "over"}
NO_NOUN |= {"its", "ones"}  # what may follow the letter "a", and not the article
Sentence = Sequence[Piece]


def grouped(pieces: Sentence) -> list[Piece]:
    """Brackets become one piece if all they hold is mathematics, and stay as they are if not."""
    found: list[Piece] = []
    i = 0
    while i < len(pieces):
        piece = pieces[i]
        if piece.kind == "index" and found and found[-1].kind == "group":
            found[-1] = replace(found[-1], text=found[-1].text + piece.text, latex=found[-1].latex + piece.latex)
        elif piece.text in CLOSED_BY and piece.kind == "mark" and (end := closing(pieces, i)):
            inside = grouped(pieces[i + 1 : end])
            before = found[-1].kind if found else ""
            if held := held_in(inside, attached=before in ("letter", "name", "group")):
                text = "".join(p.text for p in pieces[i : end + 1])
                found.append(Piece("group", text, f"{piece.text}{held}{pieces[end].text}", held))
            else:
                found += [piece, *inside, pieces[end]]
            i = end
        else:
            found.append(piece)
        i += 1
    return found


def closing(pieces: Sentence, start: int) -> int:
    """The place of the bracket that closes this one; 0 if none does."""
    depth = 0
    for i in range(start, len(pieces)):
        depth += (pieces[i].text in CLOSED_BY) - (pieces[i].text in CLOSED_BY.values())
        if not depth:
            return i
    return 0


def held_in(inside: Sentence, attached: bool) -> str:
    """The LaTeX between two brackets, if there is nothing but mathematics; numbers alone belong to a sentence."""
    end, latex, letters = run(inside, 0, within=True)
    return latex if end == len(inside) and (letters or attached) else ""


def run(pieces: Sentence, start: int, within: bool = False) -> tuple[int, str, bool]:
    """The run of mathematics that begins here: where it ends, its LaTeX, and whether it is more than a number."""
    i, end, latex, weighty, signs = start, start, "", False, 0
    pending, before = "", ""  # a sign that waits for its right side, and what kind of operand stands on its left
    while i < len(pieces):
        gap = pieces[i].kind == "gap"
        i += gap
        if i == len(pieces):
            break
        piece = pieces[i]
        if operand := operand_at(pieces, i, pending or ("(" if within and not before else ""), before, signs, within):
            after, text, letters = operand
            if before and not pending:
                if gap and piece.kind == "number":
                    break
                text = joined(latex, text, gap)
            else:
                text = latex + pending + text
            latex, pending, before, weighty = text, "", piece.kind, weighty or letters
            i = end = after
        elif pending and not (piece.text in "-−" and gap and not gap_after(pieces, i)):
            break
        elif pending:
            pending, i = pending + "-", i + 1
        elif piece.kind == "sign" and (before or (piece.text in "-−±+" and not gap_after(pieces, i))):
            left, right = gap or not before, gap_after(pieces, i)
            numbers = before == "number" and i + 1 < len(pieces) and pieces[i + 1].kind == "number"
            if piece.text in "-−" and before and not within and (left != right or (numbers and not left)):
                break  # a hyphen, or pages 6-7
            pending = sign(piece, left and right) if before else piece.latex + " " * piece.latex[-1].isalpha()
            weighty, signs = weighty or piece.text != "=", signs + 1
            i += 1
        elif within and before and piece.text in SEPARATORS:
            pending, i = SEPARATORS[piece.text], i + 1
        else:
            break
    return end, latex, weighty and end > start


def sign(piece: Piece, airy: bool) -> str:
    return f" {piece.latex} " if (airy and piece.text not in DOTS) or piece.latex.startswith("\\") else piece.latex


def gap_after(pieces: Sentence, i: int) -> bool:
    return i + 1 == len(pieces) or pieces[i + 1].kind == "gap"


def joined(left: str, right: str, gap: bool) -> str:
    """Factors side by side."""
    if gap and re.search(r"/\d+$", left):
        return rf"{left} \cdot {right}"  # g^2/2 times what follows, not over it
    wide = left.endswith(r"\mathbb E") or right.startswith((r"\text", r"\mathcal", r"\mathrm", "d"))
    return (
        left + (r"\, " if gap and wide else " " if gap or (left[-1:].isalpha() and right[0].isalpha()) else "") + right
    )


def operand_at(
    pieces: Sentence, i: int, pending: str, before: str, signs: int, within: bool
) -> tuple[int, str, bool] | None:
    """An operand that begins here: where it ends, its LaTeX, and whether there are letters in it."""
    piece, following = pieces[i], pieces[i + 1] if i + 1 < len(pieces) else None
    group = following if following and following.kind == "group" else None
    match piece.kind:
        case "number":
            return i + 1, piece.latex, False
        case "group":
            return i + 1, piece.latex, True
        case "letter" if not (piece.text in ("a", "A") and not within and article(pieces, i, pending, before)):
            head = {"N": r"\mathcal N", "B": r"\mathrm B" if group and "," in group.latex else "B"}
            return i + 1, head.get(piece.latex, piece.latex) if group else piece.latex, True
        case "name" if piece.latex == r"\sqrt":
            if following and following.kind in ("group", "letter"):
                return i + 2, rf"\sqrt{{{following.inside or following.latex}}}", True
        case "name" if group:
            return i + 1, piece.latex, True
        case "name" if piece.text in OPEN:
            j = i + 1 + gap_after(pieces, i)
            if j < len(pieces) and (held := operand_at(pieces, j, piece.text, "", signs, within)):
                return held[0], f"{piece.latex} {held[1]}", True
        case "name":
            j = i + 1 + gap_after(pieces, i)
            if pending or (j + 1 < len(pieces) and pieces[j].kind == "sign" and pieces[j].text in ("=", "<", ">")):
                return i + 1, piece.latex, True
        case "word" if piece.text in QUANTITIES and ((before and signs) or pending.strip() in ("+", "-", r",\,")):
            return i + 1, rf"\text{{{piece.text}}}", False
    return None


def article(pieces: Sentence, i: int, pending: str, before: str) -> bool:
    """Is this "a" the article, and not a letter?"""
    if (
        pending
        or (before == "number" and pieces[i - 1].kind == "number")
        or (i + 1 < len(pieces) and pieces[i + 1].kind not in ("gap", "mark", "word"))
    ):
        return False
    if i + 2 >= len(pieces) or pieces[i + 1].kind == "mark":
        return False
    following = pieces[i + 2]
    return not (
        following.text in NO_NOUN or following.text == "." or (following.kind == "sign" and gap_after(pieces, i + 2))
    )


# ---------------------------------------------------------------- sentences


def in_mathematics(text: str, page: ModuleType | None = None, emphasis: bool = False) -> str:
    """The text as MyST, with its mathematics between dollars; what stands between dollars already stays as it is.

    ``page`` is asked in which shape it writes epsilon and phi; with ``emphasis``, asterisks are markup to be kept.
    """
    pieces = grouped(tokens(text, page))
    found, i = "", 0
    while i < len(pieces):
        piece = pieces[i]
        hyphen = piece.kind == "sign" and i > 0 and pieces[i - 1].kind not in ("gap", "mark")
        end, latex, mathematical = (i, "", False) if hyphen or piece.kind == "gap" else run(pieces, i)
        if mathematical:
            found, i = f"{found}${latex}$", end
            continue
        found += code(piece.text, page) if piece.kind == "code" else escaped(piece.text, emphasis)
        i += 1
    return found


def code(text: str, page: ModuleType | None = None) -> str:
    """A name of a program, or the link to a claim: by its id, or by a derivation on the page that proves it."""
    name = text.removeprefix("{claim}").strip("`")
    proved = {d.__name__: claim.id for claim in vars(page).get("CLAIMS", ()) for d in claim.proved_by} if page else {}
    id = name if name in claims() else proved.get(name)
    return f"{{claim}}`{id}`" if id else f"`{name}`"


def escaped(text: str, emphasis: bool = False) -> str:
    """Words that Markdown takes for words."""
    return re.sub(r"[\\`_\[\]<$^#]" + r"|\*" * (not emphasis), r"\\\g<0>", text)


# ---------------------------------------------------------------- what a page says before it derives


def of_docstring(page: ModuleType) -> str:
    """The docstring of a page as MyST: paragraphs, one formula in each display, and a small list of references."""
    told, *references = re.split(r"\n+References?:\n", inspect.getdoc(page) or "")
    found: list[str] = []
    for block in re.split(r"\n\s*\n", told):
        if block.startswith((".. math::", " ")):  # what is indented below a display goes on with it
            found += [f"$$\n{formula}\n$$" for formula in formulas(block.removeprefix(".. math::"))]
        else:
            found.append(in_mathematics(" ".join(block.split()), page, emphasis=True))
    for listed in references:
        entries = re.split(r"\n(?! )", textwrap.dedent(listed))
        rows = "\n".join(f"- {in_mathematics(' '.join(entry.split()), page)}" for entry in entries)
        found.append(f":::{{container}} references\n{rows}\n:::")
    return "\n\n".join(found)


def formulas(display: str) -> list[str]:
    """The formulas of a display, one by one; a short condition stays beside what it is said of."""
    found: list[str] = []
    for part in re.split(r"\\\\|(?<!&)\\qquad", re.sub(r"\s+", " ", display)):
        formula = re.sub(r" ([.,;:])$", r"\1", part.replace(r"&\qquad", r",\quad").replace("&", "").strip())
        condition = formula.startswith(r"\text{for") or ("=" not in formula and len(formula) < 24)
        if found and (condition or (found[-1].endswith(":") and len(found[-1]) < 30)):
            found[-1] += rf"\quad {formula}"
        elif formula:
            found.append(one_spelling(formula))
    return found


# ---------------------------------------------------------------- letters


def section(page: ModuleType) -> str:
    """The lines of a page between its notation and its statement."""
    return inspect.getsource(page).partition("\n# Notation")[2].partition("\n# Statement")[0]


def notation(page: ModuleType) -> list[tuple[str, str]]:
    """The letters that a page explains, as LaTeX, with what is said of them; those declared in one line share it.

    What is said is as it stands on the page; ``in_mathematics`` reads it.
    """
    found: list[tuple[str, str]] = []
    for names, comment in re.findall(r"^([\w, ]+?) = .*?  # (.+)$", section(page), re.MULTILINE):
        letters = [vars(page).get(name) for name in names.split(", ")]
        shown = [tex(e) for e in letters if isinstance(e, (Symbol, MatrixSymbol, Density))]
        if shown:
            found.append((r",\; ".join(shown), named(comment, page)))
    return found


def remark(page: ModuleType) -> str:
    """What the heading of the notation says of letters; an empty text if it says nothing."""
    heading = re.match(r":?(.*(?:\n#.*)*)", section(page))
    return named(re.sub(r"\n# ?", " ", heading[1]).strip(), page) if heading else ""


def named(text: str, page: ModuleType) -> str:
    """The text with letters in the place of their Python names: $m_t$ for `m_now`."""
    return re.sub(r"`(\w+)`", lambda found: f"${tex(vars(page)[found[1]])}$", text)
