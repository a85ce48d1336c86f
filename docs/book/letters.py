r"""Sentences taken apart: words, and letters in the three spellings in which claims write them.

``alpha_bar_t``, ``\bar\alpha_t`` and ``ᾱₜ`` are one letter, :math:`\bar\alpha_t`.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
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
    latex = lambda m: MARKS[m[2]] + LATEX.get(m[1], f"{{{m[1]}}}")
    text = re.sub(accented, latex, unicodedata.normalize("NFD", text))
    for sign, small in (("_", BELOW_THE_LINE), ("^", ABOVE_THE_LINE)):
        script = lambda m, sign=sign, small=small: f"{sign}{{{''.join(small[c] for c in m[0]).replace('−', '-')}}}"
        text = re.sub(f"[{''.join(small)}]+", script, text)
    text = re.sub(r"(?<=\d) x (?=\d)", " × ", text)
    text = re.sub(r"\bx ([0t])$", r"x_\1", text)  # pull on x 0, bayes kernel: reasons that were Python names
    text = re.sub(r"(?<![\w.`-])(?:bayes|bonnet|gaussian|gibbs|jensen|tweedie)\b", lambda m: m[0].title(), text)
    return unicodedata.normalize("NFC", re.sub(r"\bkl\b(?! ?\()", "KL", text))


# ---------------------------------------------------------------- tokens

GREEKS = "|".join([*GREEK.split(), "Gamma", "Delta", "Theta", "Lambda", "Sigma", "Phi", "Psi", "Omega", "eps"])
ACCENTED = r"\\(?:bar|hat|tilde|dot)(?:\s*\{[^{}]*\}|\s*\\[A-Za-z]+|\s+[A-Za-z])"
HEAD = (
    rf"{ACCENTED}|\\[A-Za-z]+|(?:{GREEKS})(?:[_-](?:bar|tilde))?(?![A-Za-z]|-[A-Za-z])|[Α-ωℓ∂∞]|[A-Za-z](?![A-Za-zÀ-ž])"
)
INDEX = r"[_^](?:\{[^{}]*\}|\\[A-Za-z]+|-?[A-Za-z0-9]+|[Α-ω])|'+(?![A-Za-z])|!(?!\w)|\*(?![\w*])"
SIDE_BY_SIDE = "ihc|ic|hc|hf|hD|Lh|fx|pg|LL|dx|du|dt|dw"  # letters that make no English word
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
    |\$(?P<dollars>[^$]+)\$
    |(?P<code>(?:\{{claim\}})?`[^`]+`|``[^`]+``|\bexpm1\b|\b(?!(?:{GREEKS})_)[a-z]{{2,}}(?:_[a-z]+)+(?:=\w+)?)
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


def tokens(text: str, page: ModuleType | None = None) -> list[Piece]:
    """The pieces of a sentence, brackets apart; a page may prefer other shapes of its letters."""
    own = {name for e in vars(page).values() if isinstance(name := getattr(e, "name", ""), str)} if page else set()

    def shaped(latex: str) -> str:
        if latex == r"\epsilon" and r"\varepsilon" in own:
            return r"\varepsilon"
        varies = any(name.startswith(r"\varphi") for name in own) and r"\phi" not in own
        return latex.replace(r"\phi", r"\varphi") if varies else latex

    found = []
    for match in TOKEN.finditer(spelled(text)):
        kind, raw = (match.lastgroup or "").rstrip("_"), match[0]
        match kind:
            case "typed":
                found.append(Piece("letter", raw, one_spelling(match["typed"])))
            case "dollars":
                found.append(Piece("letter", raw, match["dollars"]))
            case "letter":
                found.append(Piece("letter", raw, shaped(letter(raw))))
            case "size":
                found.append(Piece("group", raw, rf"\lvert {shaped(letter(match['size']))}\rvert"))
            case "sign" | "name":
                found.append(Piece(kind, raw, (SIGNS | NAMES)[raw]))
            case "dots":
                found.append(Piece("sign", raw, r",\, \dots,\,"))
            case "index":
                found.append(Piece("index", raw, indices(raw)))
            case _:
                found.append(Piece(kind, raw, raw))
    return found


def one_spelling(latex: str) -> str:
    """LaTeX that people type in several ways, as the derivations write it: KL(p || q) in upright letters, with room."""
    latex = re.sub(r"D_\{(?:\\(?:mathrm|rm) ?)?\{?KL\}\}?", r"\\mathrm{KL}", latex)
    latex = re.sub(r"(?<=\w)\\Vert *|(?<=[\w})])\\\|(?=[a-z]\W)", r"\\,\\|\\,", latex)
    return re.sub(r"\\rm (\w+)", r"\\mathrm{\1}", latex)


def letter(typed: str) -> str:
    r"""The LaTeX of a letter with its indices: \bar\alpha_t for alpha_bar_t."""
    head = re.match(rf"(?:{SIDE_BY_SIDE})(?![A-Za-z])|{HEAD}", typed)
    name, rest = (head[0], typed[head.end() :]) if head else (typed, "")
    if accented := re.fullmatch(r"([A-Za-z]+)[_-](bar|tilde)", name):
        latex = rf"\{accented[2]}\{accented[1]}"
    elif name == "E" or (name == "e" and rest.startswith("^")):
        latex = r"\mathbb E" if name == "E" else r"\mathrm e"
    else:
        latex = r"\epsilon" if name == "eps" else LATEX.get(name, rf"\{name}" if re.fullmatch(GREEKS, name) else name)
    return latex + indices(rest)


def indices(typed: str) -> str:
    """The LaTeX of indices, exponents and primes."""
    latex = ""
    for part in re.findall(INDEX, typed):
        if part[0] in "_^":
            inside = re.sub(r"(?<!\\)(?<![A-Za-z])(?:[A-Za-z]+|[Α-ω])", in_an_index, part[1:].strip("{}"))
            latex += part[0] + (inside if re.fullmatch(r"\w|\\[A-Za-z]+|\{.*\}", inside) else f"{{{inside}}}")
        else:
            latex += r"^\star" if part == "*" else part
    return latex


def in_an_index(found: re.Match) -> str:
    """A letter, two letters side by side, or a word."""
    word = found[0]
    if re.fullmatch(rf"{GREEKS}|[Α-ω]", word):
        return letter(word)
    return rf"{{\{word}}}" if word in ("min", "max") else rf"\mathrm{{{word}}}" if len(word) > 2 else word
