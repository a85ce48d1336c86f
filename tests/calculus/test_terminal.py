"""What a terminal shows: every line whole and within its width; and formulas in one line calculate to what they say."""

import doctest
import re

import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from sympy import Rational, Sum, exp, log, sqrt

import derivations
from derivations.calculus import (
    Density,
    E,
    algebra,
    check,
    d,
    eq,
    granted,
    integral,
    let,
    naturals,
    normal,
    positives,
    reals,
    units,
)
from derivations.rendering import pictures
from derivations.rendering.formulas import tex
from derivations.rendering.introducing import introduction, notation, typed
from derivations.rendering.pictures import Picture, picture
from derivations.rendering.terminal import GREEK, called, inline, prose, to_terminal, wrapped
from noiseproof.explaining import reasons
from tests.calculus.test_latex import DERIVATIONS, EXPRESSIONS, followed, names
from tests.calculus.valuation import differ

x, x_prev = reals("x x_{t-1}")
alpha, beta = units(r"\bar\alpha_{t-1} \beta")
h, s = positives("h s")
n, t = naturals("n t")
q = Density("q_t", [x])


def printed(capsys, *lines, width=100) -> list[str]:
    def derivation():
        """What is shown of x_{t-1}."""
        yield from lines

    to_terminal(derivation, check(derivation, judges=()), width)
    return capsys.readouterr().out.splitlines()


@pytest.mark.parametrize(
    ("e", "line"),
    [
        (sqrt(alpha) * x_prev + (1 - beta) * x, "(1 − β) x + √ᾱₜ₋₁ xₜ₋₁"),
        ((x + h) / (1 - alpha), "(h + x)/(1 − ᾱₜ₋₁)"),
        (-x / (2 * h * s), "−x/(2 h s)"),
        (log(alpha) / 2 + log(x**2 + 1), "log(1 + x²) + (1/2) log ᾱₜ₋₁"),
        (x ** (n + 1) * h ** Rational(3, 2), "h^(3/2) x¹⁺ⁿ"),
        (sqrt(1 - alpha) * sqrt(h / s), "√h √(1 − ᾱₜ₋₁)/√s"),
        (normal(x, x_prev, h), "N(x; xₜ₋₁, h)"),
        (E(q, d(x, log(q))), "E_{qₜ(x)}[∂ₓ log qₜ(x)]"),
        (integral(q * x, x) / h, "(1/h) ∫ x qₜ(x) dx"),
        (Sum(h / t, (t, 1, n)), "∑ₜ₌₁ⁿ h/t"),
        (sp.binomial(n, 2) * abs(x - h), "C(n, 2) |h − x|"),
        (exp(-h) - exp(-(x**2) / 2), "e⁻ʰ − exp(−x²/2)"),
    ],
)
def test_a_formula_in_one_line(e, line):
    assert inline(e) == line


@pytest.mark.parametrize("kind", EXPRESSIONS)
def test_every_kind_is_drawn(kind):
    flat, drawn = picture(tex(EXPRESSIONS[kind]), flat=True), picture(tex(EXPRESSIONS[kind]))
    assert len(flat.rows) == 1
    assert "\\" not in flat.rows[0]
    assert flat.rows[0].count("(") == flat.rows[0].count(")")
    assert {Picture((row,)).columns for row in drawn.rows} == {drawn.columns}
    assert 0 <= drawn.middle < len(drawn.rows)


def test_brackets_are_as_tall_as_what_they_hold():
    assert [row.rstrip() for row in picture(tex(normal(x, h / s, s))).rows] == [
        " ⎛   h   ⎞",
        "N⎜x; ─, s⎟",
        " ⎝   s   ⎠",
    ]


# A line of Unicode is read by rewriting it in the operators of Python, which bind as they do on paper.

LETTERS = {"x": x, "h": h, "s": s, "n": n, "β": beta}
UP = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺ⁿ", "0123456789-+n"))


def calculated(line: str) -> sp.Expr:
    """The value of a one-line formula without densities."""
    code = line.replace(" − ", "-").replace(" + ", "+").replace(" · ", "*").replace("−", "-").replace("^", "**")
    code = re.sub(f"[{''.join(UP)}]+", lambda m: "**(" + "".join(UP[c] for c in m[0]) + ")", code)
    code = re.sub(r"(?<=\d)(?=n)", "*", code)
    code = re.sub(r"√(\w+)", r"√(\1)", re.sub(r"log (\w+)", r"log(\1)", code)).replace("log (", "log(")
    code = re.sub(r"(?<=[\w)]) (?=[\w(√])", "*", code).replace("√", "sqrt").replace("e**", "E**")
    return eval(code, {"sqrt": sp.sqrt, "log": sp.log, "exp": sp.exp, "E": sp.E, **LETTERS}) + sp.Integer(0)


def built(inner):
    positive = st.builds(lambda e: 1 + e**2, inner)
    return st.one_of(
        st.builds(lambda a, b: a + b, inner, inner),
        st.builds(lambda a, b: a - b, inner, inner),
        st.builds(lambda a, b: a * b, inner, inner),
        st.builds(lambda a, b: a / b, inner, positive),
        st.builds(lambda a, b: a**b, positive, st.sampled_from([2, 3, -1, -2, Rational(1, 2), Rational(-1, 2), n])),
        st.builds(log, positive),
    )


leaves = st.sampled_from([*LETTERS.values(), sp.Integer(2), sp.Integer(-1), 1 - beta, 1 / h])


@given(st.recursive(leaves, built, max_leaves=6))
@settings(max_examples=150)
def test_a_formula_in_one_line_calculates_to_what_it_says(e):
    assert not differ(calculated(inline(e)), e), inline(e)


# ---------------------------------------------------------------- derivations


@pytest.mark.parametrize("width", [100, 72])
@pytest.mark.parametrize("derivation", DERIVATIONS, ids=names)
def test_a_derivation_is_shown_whole(derivation, width, capsys):
    done = followed(derivation)
    to_terminal(derivation, done, width)
    shown = capsys.readouterr().out
    lines = shown.splitlines()
    assert max(Picture((line,)).columns for line in lines) <= width
    assert "\\" not in shown
    for step in done.steps:
        assert prose(step.by.name) in shown
    for fact in done.granted:
        assert any(line.startswith(f"† taken on trust: {prose(fact)[:30]}") for line in lines)


def test_reasons_stand_on_the_right_at_the_height_of_the_relation(capsys):
    lines = printed(capsys, x, eq(h / s, by=algebra))
    (relation,) = (line for line in lines if line.startswith("= ─"))
    assert relation.endswith("algebra")
    assert len(relation) == 100
    assert lines[0] == "What is shown of xₜ₋₁.  derivation"


def test_letters_and_trust(capsys):
    a = reals("a_{t-1}")
    lines = printed(capsys, x, let(a, 2 * x), eq(a - x, by=granted("by magic", "Merlin (500)")))
    assert "  with  aₜ₋₁ = 2 x" in lines
    assert any(line.endswith("by magic †") for line in lines)
    assert lines[-1] == "† taken on trust: Merlin (500)"


def test_what_is_too_wide_is_wrapped_and_not_cut(capsys):
    long = sp.Function("f")(*reals(" ".join(f"x_{{{k}}}" for k in range(10, 60))))
    shown = " ".join(printed(capsys, long, eq(long, by=algebra), width=60))
    assert "x₁₀" in shown
    assert shown.count("x₅₉") == 2


def test_prose_writes_letters_as_a_page_does():
    assert prose(r"induction on \bar\alpha_{t-1}") == "induction on ᾱₜ₋₁"
    assert prose("x_t and q_t(y)") == "xₜ and qₜ(y)"
    assert prose("-sqrt(beta_t) s_t, its variance 1 + beta_t s_t'") == "−√βₜ sₜ, its variance 1 + βₜ sₜ'"
    assert prose("(alpha_bar_{t-1} - alpha_bar_t)/(1 - alpha_bar_t)") == "(ᾱₜ₋₁ − ᾱₜ)/(1 − ᾱₜ)"
    assert prose("g^2/2 Laplace q; p(x)^2, sigma^2 >= 0 if t -> 0") == "g²/2 Δq; p(x)², σ² ≥ 0 if t → 0"
    assert prose("by reversal.small-beta-gaussian") == "by reversal.small-beta-gaussian"
    assert prose("the zeta of a better naive-chain --with") == "the ζ of a better naive-chain --with"


ASCII = re.compile(rf"(?<![A-Za-z])({'|'.join(GREEK)}|eps|sqrt|Laplace q)(?![A-Za-z])|\\|\^[\w{{]|_{{|>=|->")


def test_words_have_one_spelling():
    """No title, assumption, sentence or name of a rule is left with a letter or a function in ASCII."""
    known = derivations.claims().values()
    said = {text for c in known for text in (c.title, c.assumes, *c.because.values(), *(r.name for r in reasons(c)))}
    said |= {(f.__doc__ or "").partition("\n")[0] for c in known for f in c.proved_by}
    assert any(map(ASCII.search, said))
    left = [text for text in map(prose, said) if ASCII.search(text)]
    assert not left, left


def test_names_of_formulas_that_are_letters_are_written_as_letters():
    names = "c_skip", "alpha_bar", "x_0", "mean", "step_2m"
    assert [*map(called, names)] == ["cₛₖᵢₚ", "ᾱ", "x₀", "mean", "step_2m"]


def test_a_formula_is_broken_before_signs_outside_its_brackets():
    assert wrapped("G(x) = 2 (a + b) c − 2 (c + d)", 20) == ["G(x) = 2 (a + b) c", "    − 2 (c + d)"]


@pytest.mark.parametrize("page", dict.fromkeys(c.page for c in derivations.claims().values()), ids=lambda p: p.__name__)
def test_an_introduction_is_shown_whole_and_fits(page):
    lines = introduction(page, 78)
    assert len(lines) > 2
    assert max(Picture((line,)).columns for line in lines) <= 78
    assert not re.search(r"[\\`]|:math:|References", "\n".join([*lines, notation(page)[0]]))


@pytest.mark.parametrize(
    ("latex", "line"),
    [
        (r"\frac{(x-a)^2}{2\sigma^2}", "(x − a)²/(2 σ²)"),
        (r"\sqrt{(1-\bar\alpha_s)(1-\bar\alpha_t)}", "√((1 − ᾱₛ)(1 − ᾱₜ))"),
        (r"D_{\mathrm{KL}}(q\,\|\,p)=-\log\bar\alpha_t\,.", "KL(q ‖ p) = −log ᾱₜ."),
        (r"-f\,d+\tfrac12g^2J\in\{1\}", "−f d + (1/2) g² J ∈ {1}"),
        (r"x_t=a_tx_0+\int_0^1e^{-h}\,dh", "xₜ = aₜ x₀ + ∫₀¹ e⁻ʰ dh"),
    ],
)
def test_what_is_typed_tightly_is_read_in_one_way(latex, line):
    assert typed(latex) == line


def test_the_examples_of_the_pictures():
    assert doctest.testmod(pictures).failed == 0
