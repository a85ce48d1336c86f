r"""The LaTeX of a page drawn in Unicode: in two dimensions for a terminal, or flat, in one line, for messages.

    >>> for row in picture(r"\frac{\sqrt{\alpha} x_{t-1}}{1 - \beta}").rows:
    ...     print(row.rstrip())
    √α xₜ₋₁
    ───────
     1 − β
    >>> picture(r"\frac{\sqrt{\alpha} x_{t-1}}{1 - \beta}", flat=True).rows[0]
    '√α xₜ₋₁/(1 − β)'

Only what ``formulas`` writes is understood.  Beside its columns a picture knows the width that its LaTeX has on paper.
"""

from __future__ import annotations

import re
import unicodedata
from collections import deque
from dataclasses import dataclass, replace

GREEK = "alpha beta gamma delta epsilon zeta eta theta kappa lambda mu nu xi pi rho sigma tau phi chi psi omega"
SYMBOLS: dict[str, str] = dict(zip(GREEK.split(), "αβγδεζηθκλμνξπρστφχψω"))
SYMBOLS |= {name.title(): c.upper() for name, c in SYMBOLS.items()}
SYMBOLS |= {"varepsilon": "ε", "varphi": "φ", "partial": "∂", "infty": "∞", "ell": "ℓ", "star": "*", "prime": "′"}
SYMBOLS |= {"mid": "|", "|": "‖", "cdot": "·", "to": "→", "le": "≤", "ge": "≥", "top": "⊤"}
SYMBOLS |= {"nabla": "∇", "sim": "∼", "dots": "…", "cdots": "⋯", "pm": "±", "ne": "≠", "propto": "∝", "approx": "≈"}
SYMBOLS |= {"Longrightarrow": "⟹", "odot": "⊙", "in": "∈", "lbrace": "{", "rbrace": "}"}
SYMBOLS |= {"int": "∫", "sum": "∑", "prod": "∏", "quad": "   ", "-": "−"}
ACCENTS = {"bar": "\u0304", "tilde": "\u0303", "hat": "\u0302", "dot": "\u0307"}
BELOW = dict(zip("0123456789+−=aehijklmnoprstuvxβγρφχ", "₀₁₂₃₄₅₆₇₈₉₊₋₌ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓᵦᵧᵨᵩᵪ"))
ABOVE = dict(zip("0123456789+−abcdehijklmnoprstuvwxyzT⊤*", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ᵃᵇᶜᵈᵉʰⁱʲᵏˡᵐⁿᵒᵖʳˢᵗᵘᵛʷˣʸᶻᵀᵀ*"))
BRACKETS = {"(": "⎛⎜⎝", ")": "⎞⎟⎠", "[": "⎡⎢⎣", "]": "⎤⎥⎦", "|": "│││"}

SCRIPT = 0.73  # the size of an index, in that of the text
EM = {"∑": 1.45, "∏": 1.3, "∫": 0.9, "|": 0.85, "‖": 0.5, "·": 0.75, "→": 1.6, "   ": 1.0}
EM |= {c: em for signs, em in (("+−=≤≥<>", 1.3), ("()[].!", 0.4), (",;:", 0.45), ("0123456789", 0.5)) for c in signs}


@dataclass(frozen=True)
class Picture:
    """Lines of text of equal width, which of them holds the sign of equality, and the width on paper, in ems."""

    rows: tuple[str, ...]
    middle: int = 0
    em: float = 0.0
    kind: str = ""  # a sign, a prefix, a ratio, a big operator, a blank

    @property
    def columns(self) -> int:
        return sum(not unicodedata.combining(c) for c in self.rows[0])


def text(line: str, em: float | None = None, kind: str = "") -> Picture:
    """One line; accents take no room."""
    return Picture((line,), 0, EM.get(line, 0.74 if line.isupper() else 0.59) if em is None else em, kind)


def beside(*parts: Picture) -> Picture:
    """Pictures side by side, their middles at one height."""
    above = max((p.middle for p in parts), default=0)
    below = max((len(p.rows) - p.middle for p in parts), default=1)
    padded = [[" " * p.columns] * (above - p.middle) + [*p.rows] + [" " * p.columns] * below for p in parts]
    rows = ("".join(p[i] for p in padded) for i in range(above + below))
    return Picture(tuple(rows), above, sum(p.em for p in parts), parts[0].kind if len(parts) == 1 else "")


def stacked(*parts: Picture, middle: int, em: float) -> Picture:
    """Pictures above one another, centred."""
    width = max(p.columns for p in parts)
    blank = [width - p.columns for p in parts]
    rows = (" " * (n // 2) + row + " " * (n - n // 2) for p, n in zip(parts, blank) for row in p.rows)
    return Picture(tuple(rows), middle, em)


def fenced(inside: Picture, left: str = "(", right: str = ")") -> Picture:
    """In brackets of its height."""

    def bracket(sign: str) -> Picture:
        top, side, bottom = BRACKETS[sign]
        height = len(inside.rows)
        return text(sign) if height == 1 else Picture((top, *side * (height - 2), bottom), inside.middle, 0.8)

    return beside(bracket(left), inside, bracket(right))


def loose(line: str, signs: str) -> bool:
    """Does one of these signs stand outside all brackets?"""
    while (inner := re.sub(r"\([^()]*\)|\[[^][]*\]|\{[^{}]*\}", "", line)) != line:
        line = inner
    return any(sign in line for sign in signs)


class Typesetter:
    """Reads LaTeX from left to right."""

    def __init__(self, latex: str, flat: bool) -> None:
        latex = latex.replace(r"\!", "").replace(r"\tfrac", r"\frac")
        self.tokens = deque(re.findall(r"(?:\\[,;]|\s)+|\\[A-Za-z]+|\\.|.", latex))
        self.flat = flat
        self.inside = 0  # how many fractions

    def row(self) -> Picture:
        """Everything up to the closing brace."""
        parts: list[Picture] = []
        while self.tokens and (token := self.tokens.popleft()) not in ("}", r"\right"):
            parts.append(self.script(parts.pop(), token) if token in ("^", "_") else self.piece(token))
        if self.flat:
            parts = [fenced(p) if p.kind == "ratio" and self.crowded(parts, i) else p for i, p in enumerate(parts)]
        return beside(*parts)

    def crowded(self, parts: list[Picture], i: int) -> bool:
        """Would a flat fraction run into its neighbours?"""
        before = [p.kind for p in parts[:i] if p.kind != "blank"][-1:]
        after = [p.kind for p in parts[i + 1 :] if p.kind != "blank"][:1]
        return before == ["prefix"] or after not in ([], ["sign"])

    def argument(self) -> Picture:
        while (token := self.tokens.popleft()).isspace():
            pass
        return self.row() if token == "{" else self.piece(token)

    def delimiter(self) -> str:
        """The bracket that follows, and the blank behind it."""
        token = self.tokens.popleft()
        if token == r"\lvert" and self.tokens[0].isspace():
            self.tokens.popleft()
        return "|" if token in (r"\lvert", r"\rvert") else token

    def piece(self, token: str) -> Picture:
        """What one token begins."""
        name = token.removeprefix("\\")
        match name:
            case "{":
                return self.row()
            case "left":
                left, inside, right = self.delimiter(), self.row(), self.delimiter()
                return fenced(inside, left, right)
            case "lvert" | "rvert":
                self.tokens.appendleft(token)
                return text(self.delimiter(), kind="sign")
            case "frac":
                self.inside += 1
                top, bottom = self.argument(), self.argument()
                self.inside -= 1
                return self.fraction(top, bottom)
            case "binom":
                n, k = self.argument(), self.argument()
                choice = stacked(n, text(" "), k, middle=len(n.rows), em=max(n.em, k.em))
                return text(f"C({n.rows[0]}, {k.rows[0]})") if self.flat else fenced(choice)
            case "sqrt":
                inside = self.argument()
                simple = len(inside.rows) == 1 and not re.search(r"[ −+/^(]", inside.rows[0])
                return beside(text("√", 0.85), inside if simple else fenced(inside))
            case "mathrm" | "mathcal" | "mathbb" | "text":
                inside = self.argument()
                return replace(inside, em=0.9 * inside.em + 0.15)
            case "longrightarrow":
                return text("→", 2.2, "sign")
            case "phantom":
                return text(" ", self.argument().em)
            case "operatorname":
                return replace(self.argument(), kind="prefix")
            case "log" | "exp" | "max" | "min" | "cos" | "sin" | "tanh":
                return text(name, 0.5 * len(name) + 0.17, "prefix")
            case "int" | "sum" | "prod":
                return text(SYMBOLS[name], kind="big")
            case _ if name in ACCENTS:
                inside = self.argument()
                accented = inside.rows[0][0] + ACCENTS[name] + inside.rows[0][1:]
                return replace(inside, rows=(unicodedata.normalize("NFC", accented),))
            case _ if re.fullmatch(r"(\\[,;]|\s)+", token):
                return text(" ", 0.17 * token.count("\\"), "blank")
        sign = "|" if token == "|" else SYMBOLS.get(name, name)
        return text(sign, kind="prefix" if sign == "∂" else "sign" if sign in "+−=≤≥<>,;|‖)]" else "")

    def fraction(self, top: Picture, bottom: Picture) -> Picture:
        em = max(top.em, bottom.em) * (SCRIPT if self.inside else 1) + 0.25
        if self.flat:
            over = fenced(top) if loose(top.rows[0].lstrip("−"), "+−/") else top
            under = fenced(bottom) if loose(bottom.rows[0], " +−/") else bottom
            return replace(beside(over, text("/"), under), em=em, kind="ratio")
        bar = text("─" * max(top.columns, bottom.columns))
        return replace(stacked(top, bar, bottom, middle=len(top.rows), em=em), kind="ratio")

    def script(self, base: Picture, sign: str) -> Picture:
        """An index or an exponent, in small characters if Unicode has them all."""
        inside, up = self.argument(), sign == "^"
        em = SCRIPT * inside.em + 0.05
        if base.kind == "big" and not self.flat:
            parts = (inside, base) if up else (base, inside)
            return replace(stacked(*parts, middle=base.middle + up * len(inside.rows), em=max(base.em, em)), kind="big")
        small = ABOVE if up else BELOW
        line = inside.rows[0].replace(" ", "")
        if len(inside.rows) == 1 and all(c in small for c in line):
            raised = base.middle if up else 0
            index = Picture(("".join(map(small.__getitem__, line)), *[" " * len(line)] * raised), raised, em)
        elif up and not self.flat:
            blank = " " * inside.columns
            index = Picture((*inside.rows, *[blank] * (base.middle + 1)), base.middle + len(inside.rows), em)
        else:
            left, right = ("", "") if inside.columns == 1 else ("(", ")") if up else ("{", "}")
            index = replace(beside(text(sign + left), inside, text(right)), em=em)
        return replace(beside(base, index), kind=base.kind)


def picture(latex: str, flat: bool = False) -> Picture:
    """The LaTeX as a picture."""
    return Typesetter(latex, flat).row()
