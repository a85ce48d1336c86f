r"""The prose of claims as MyST text: what is mathematics in it stands between dollars, in good LaTeX.

    >>> print(in_mathematics("with extra noise of variance 2 beta_t/alpha_t; the mean is right"))
    with extra noise of variance $2 \beta_t/\alpha_t$; the mean is right

Titles, assumptions, reasons and docstrings name letters in three spellings: ``alpha_bar_t``, ``\bar\alpha_t``, ``ᾱₜ``.
A run of mathematics is as long as possible: operands with signs between them, or side by side.  A number alone, a name
alone (KL, log), and the article "a" stay words.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from types import ModuleType

from derivations.rendering.pictures import ABOVE, ACCENTS, BELOW, GREEK, SYMBOLS

# ---------------------------------------------------------------- one spelling for three

LATEX = {sign: f"\\{name}" for name, sign in SYMBOLS.items() if name.lower() in GREEK.split()}
LATEX |= {"ε": r"\epsilon", "ℓ": r"\ell", "∂": r"\partial", "∞": r"\infty"}
MARKS = {mark: f"\\{name}" for name, mark in ACCENTS.items()}
BELOW_THE_LINE = {small: LATEX.get(c, c) for c, small in BELOW.items()}
ABOVE_THE_LINE = {small: r"\top" if small == "ᵀ" else c for c, small in ABOVE.items() if small != "*"}


def spelled(text: str) -> str:
    """Accents and small characters as LaTeX has them: x̂ₜ₋₁ becomes \\hat{x}_{t-1}."""
    accented = rf"(?<![^\W_])([^\W\d_])([{''.join(MARKS)}])(?![a-z])"  # a letter of its own: not the ñ of a name
    text = re.sub(accented, lambda m: f"{MARKS[m[2]]}{{{LATEX.get(m[1], m[1])}}}", unicodedata.normalize("NFD", text))
    for sign, small in (("_", BELOW_THE_LINE), ("^", ABOVE_THE_LINE)):
        script = lambda m, sign=sign, small=small: f"{sign}{{{''.join(small[c] for c in m[0]).replace('−', '-')}}}"
        text = re.sub(f"[{''.join(small)}]+", script, text)
    text = re.sub(r"(?<=\d) x (?=\d)", " × ", text)
    return unicodedata.normalize("NFC", re.sub(r"\bx ([0t])$", r"x_\1", text))  # pull on x 0: from a Python name


# ---------------------------------------------------------------- tokens

GREEKS = "|".join([*GREEK.split(), "Gamma", "Delta", "Theta", "Lambda", "Sigma", "Phi", "Psi", "Omega", "eps"])
ACCENTED = r"\\(?:bar|hat|tilde|dot)(?:\s*\{[^{}]*\}|\s*\\[A-Za-z]+|\s+[A-Za-z])"
HEAD = rf"{ACCENTED}|\\[A-Za-z]+|(?:{GREEKS})(?:[_-](?:bar|tilde))?(?![A-Za-z]|-[A-Za-z])|[Α-ωℓ∂∞]|[A-Za-z](?![A-Za-z])"
INDEX = r"[_^](?:\{[^{}]*\}|\\[A-Za-z]+|-?[A-Za-z0-9]+|[Α-ω])|'+(?![A-Za-z])|\*(?![\w*])"
SIDE_BY_SIDE = "ihc|ic|hc|hf|hD|Lh|fx|pg|LL"  # letters that make no English word
OPEN = {name: rf"\{name}" for name in ("log", "exp", "max", "min", "cos", "sin", "tanh")}  # need no brackets
OPEN |= {"grad": r"\nabla", "Laplace": r"\Delta"}
NAMES = {name: rf"\mathrm{{{name}}}" for name in ("KL", "JSD", "SNR", "Beta", "mmse")}
NAMES |= {name: rf"\operatorname{{{name}}}" for name in ("Var", "Cov", "tr", "div", "softplus")}
NAMES |= {**OPEN, "sqrt": r"\sqrt", "√": r"\sqrt"}
SIGNS = {">=": r"\ge", "≥": r"\ge", "<=": r"\le", "≤": r"\le", "->": r"\to", "→": r"\to", "≠": r"\ne", "−": "-"}
SIGNS |= {"‖": r"\,\|\,", "~": r"\sim", "∼": r"\sim", "±": r"\pm", "·": r"\cdot", "×": r"\times", "≈": r"\approx"}
SIGNS |= {"xor": r"\mathbin{\mathrm{xor}}", **{sign: sign for sign in "+-=<>/"}}
DOTS = (", ..., ", "..")
TOKEN = re.compile(
    rf"""(?P<gap>\s+)
    |:math:`(?P<typed>[^`]+)`
    |(?P<code>``[^`]+``|`[^`]+`|\bexpm1\b|\b(?!(?:{GREEKS})_)[a-z]{{2,}}(?:_[a-z]+)+(?:=\w+)?)
    |(?P<word>(?<![\w-])(?:[23]M\b|(?:[aA]ppendix|[aA]pp\.|equations)\ [A-Z]\b(?:\.\d+)?))
    |(?P<dots>,\ \.\.\.,\ |(?<!\.)\.\.(?!\.))
    |(?P<sign>>=|<=|->|\bxor\b|[+=<>/→−‖~∼≥≤≠≈±·×-])
    |(?P<number>\d+(?:\.\d+)?(?![^\W\d_]{{2}}))
    |(?P<name>√|(?<!\w)(?<![A-Za-z]-)(?:{"|".join(n for n in NAMES if n != "√")})(?![\w]|-[A-Za-z]))
    |(?P<letter>(?<![A-Za-z]-)(?:(?:{SIDE_BY_SIDE})(?![A-Za-z-])|{HEAD})(?:{INDEX})*)
    |\|(?P<size>[A-Za-z_^{{}}\\0-9]+)\|
    |(?P<word_>[^\W_]+(?:['’-][^\W\d_]+)*(?:\+\+|['’](?!\w))?)
    |(?P<index>(?<=[)\]|])(?:{INDEX})+)
    |(?P<mark>.)""",
    re.X | re.S,
)


@dataclass(frozen=True)
class Piece:
    """A part of a sentence: as it is typed, and as LaTeX if it may belong to mathematics."""

    kind: str  # gap, word, code, letter, number, sign, name, group, mark
    text: str
    latex: str = ""
    inside: str = ""  # of a group: the LaTeX between its brackets


def tokens(text: str, epsilon: str) -> list[Piece]:
    """The pieces of a sentence, brackets apart."""
    found = []
    for match in TOKEN.finditer(spelled(text)):
        kind, raw = (match.lastgroup or "").rstrip("_"), match[0]
        match kind:
            case "typed":
                found.append(Piece("letter", raw, match["typed"]))
            case "letter":
                found.append(Piece("letter", raw, letter(raw, epsilon)))
            case "size":
                found.append(Piece("group", raw, rf"\lvert {letter(match['size'], epsilon)}\rvert"))
            case "sign":
                found.append(Piece("sign", raw, SIGNS[raw]))
            case "dots":
                found.append(Piece("sign", raw, r",\, \dots,\,"))
            case "index":
                found.append(Piece("index", raw, indices(raw, epsilon)))
            case "name":
                found.append(Piece("name", raw, NAMES[raw]))
            case _:
                found.append(Piece(kind, raw, raw))
    return found


def letter(typed: str, epsilon: str = r"\epsilon") -> str:
    """The LaTeX of a letter with its indices: \\bar\\alpha_t for alpha_bar_t."""
    head = re.match(rf"(?:{SIDE_BY_SIDE})(?![A-Za-z])|{HEAD}", typed)
    name, rest = (head[0], typed[head.end() :]) if head else (typed, "")
    accented = re.fullmatch(r"([A-Za-z]+)[_-](bar|tilde)", name)
    if accented:
        latex = rf"\{accented[2]}\{accented[1]}"
    elif name in ("eps", "epsilon", "ε"):
        latex = r"\epsilon" if rest else epsilon
    elif name == "e" and rest.startswith("^"):
        latex = r"\mathrm e"
    else:
        latex = LATEX.get(name, rf"\{name}" if re.fullmatch(GREEKS, name) else name)
    return (r"\mathbb E" if latex == "E" else latex) + indices(rest, epsilon)


def indices(typed: str, epsilon: str) -> str:
    """The LaTeX of indices, exponents and primes."""

    def word(found: re.Match) -> str:
        return (
            letter(found[0], epsilon)
            if re.fullmatch(rf"{GREEKS}|[Α-ω]", found[0])
            else (rf"\mathrm{{{found[0]}}}" if len(found[0]) > 2 else found[0])
        )

    latex = ""
    for part in re.findall(INDEX, typed):
        inside = re.sub(r"(?<!\\)(?<![A-Za-z])(?:[A-Za-z]+|[Α-ω])", word, part[1:].strip("{}"))
        latex += (
            r"^\star"
            if part == "*"
            else part
            if part[0] == "'"
            else part[0] + (inside if re.fullmatch(r"\w|\\[A-Za-z]+", inside) else f"{{{inside}}}")
        )
    return latex


# ---------------------------------------------------------------- brackets, and runs

CLOSED_BY = {"(": ")", "[": "]"}
SEPARATORS = {",": r",\, ", ";": r";\, ", "|": r" \mid "}
QUANTITIES = ("noise", "score", "const")  # words that stand for a number in a formula
NO_NOUN = {"and", "or", "has", "have", "is", "are", "in", "on", "at", "to", "as", "of", "by", "times", "down", "over"}
NO_NOUN |= {"ones"}  # what may follow the letter "a", and not the article
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
        elif pending:
            break
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
    wide = left.endswith(r"\mathbb E") or right.startswith((r"\text", r"\mathcal", r"\mathrm"))
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
    if pending or before == "number" or (i + 1 < len(pieces) and pieces[i + 1].kind not in ("gap", "mark", "word")):
        return False
    if i + 2 >= len(pieces) or pieces[i + 1].kind == "mark":
        return False
    following = pieces[i + 2]
    return not (following.text in NO_NOUN or (following.kind == "sign" and gap_after(pieces, i + 2)))


# ---------------------------------------------------------------- sentences


def in_mathematics(text: str, page: ModuleType | None = None, emphasis: bool = False) -> str:
    """The text as MyST, with its mathematics between dollars.

    ``page`` is asked how it writes epsilon; with ``emphasis``, asterisks are markup that is to be kept.
    """
    varies = page is not None and any(getattr(e, "name", "") == r"\varepsilon" for e in vars(page).values())
    pieces = grouped(tokens(text, r"\varepsilon" if varies else r"\epsilon"))
    found, i = "", 0
    while i < len(pieces):
        piece = pieces[i]
        hyphen = piece.kind == "sign" and i > 0 and pieces[i - 1].kind not in ("gap", "mark")
        end, latex, mathematical = (i, "", False) if hyphen or piece.kind == "gap" else run(pieces, i)
        if mathematical:
            found, i = f"{found}${latex}$", end
            continue
        found += code(piece.text) if piece.kind == "code" else escaped(piece.text, emphasis)
        i += 1
    return found


def code(text: str) -> str:
    """A name of a program, or the link to a claim."""
    from derivations import claims

    name = text.strip("`")
    return f"{{claim}}`{name}`" if name in claims() else f"`{name}`"


def escaped(text: str, emphasis: bool = False) -> str:
    """Words that Markdown takes for words."""
    return re.sub(r"[\\`_\[\]<$^#]" + r"|\*" * (not emphasis), r"\\\g<0>", text)
