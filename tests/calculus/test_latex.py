"""The printer is judged, too: what it prints is read back, and says what was meant; and it fits the page.

A dropped parenthesis once printed a wrong formula for a correct step.  Here the LaTeX of every page, and of expressions
that Hypothesis makes up, is read by ``reading``, which knows what mathematicians write and nothing of the printer.
"""

import re
import shutil
import subprocess
from functools import cache

import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from sympy import Derivative, Integral, Product, Rational, Sum, binomial, exp, log, oo, sqrt

import derivations
from derivations.calculus import (
    KL,
    Cov,
    Density,
    E,
    RealFunction,
    UnitFunction,
    Var,
    algebra,
    check,
    covariances,
    d,
    entropy,
    eq,
    granted,
    integral,
    le,
    let,
    limit,
    lt,
    matrices,
    naturals,
    normal,
    positives,
    quadratic,
    reals,
    taylor,
    tends_to,
    units,
    up_to,
    vectors,
)
from derivations.calculus.steps import Let
from derivations.rendering import formulas as printer
from derivations.rendering.formulas import Tex, divided, tex
from derivations.rendering.latex import RELATIONS, TEXT_BLOCK, laid_out, on_paper, reason, to_latex
from derivations.rendering.pictures import picture
from tests.calculus.reading import Letters, Misprint, Reader, bare, opened
from tests.calculus.valuation import differ

DERIVATIONS = list(dict.fromkeys(f for claim in derivations.claims().values() for f in claim.proved_by))
names = [f"{f.__module__.removeprefix('derivations.')}.{f.__name__}" for f in DERIVATIONS]


@cache
def followed(derivation):
    """The lines of a derivation, which other tests judge."""
    return check(derivation, judges=())


def read_page(page: str, done) -> None:
    """Read a page as a reader does, and compare it with the derivation; raise Misprint where they part."""
    lets = {g.letter: g.meaning for g in done.lines if isinstance(g, Let)}
    expressions = [done.start, *(s.rhs for s in done.steps)]
    near = [s.near[0] for s in done.steps if s.near]
    reader = Reader(Letters.of([*expressions, *lets, *lets.values(), *near]))
    lines, explained = opened(page)
    if len(lines) != len(expressions):
        raise Misprint(f"{len(lines)} lines for {len(expressions)}")
    for line, e in zip(lines, expressions):
        if differ(back := reader.read(line.latex), e):
            raise Misprint(f"{line.latex} reads {back}, and should be {e}")
    remainders = []  # of this line and of those above it
    for line, step in zip(lines[1:], done.steps):
        if line.relation != RELATIONS.get(step.relation, step.relation):
            raise Misprint(f"{line.relation} for {step.relation}")
        said = [reader.read(side) for side in line.end.split(r" \to ")] if line.end else []
        if step.relation == "~":
            remainders.append(step.near)
        largest = [letter**order for letter, _, order in sorted(remainders, key=lambda near: near[2])[:1]]
        if said != ([*step.near[:2]] if step.relation == "->" else largest):
            raise Misprint(f"{line.end} for {step.near}, after the remainders {largest}")
    shown = [g for g in lets if any(g in e.atoms(type(g)) for e in [*expressions, *lets.values()])]
    if {bare(name) for name in explained} != {bare(g.name) for g in shown}:
        raise Misprint(f"{set(explained)} are explained, and {shown} occur")
    for letter, meaning in explained.items():
        if differ(back := reader.read(meaning), lets[reader.read(letter)]):
            raise Misprint(f"{letter} = {back} is no explanation")


@pytest.mark.parametrize("derivation", DERIVATIONS, ids=names)
def test_a_page_says_what_was_derived(derivation):
    done = followed(derivation)
    read_page(to_latex(derivation, done), done)


@pytest.mark.parametrize("derivation", DERIVATIONS, ids=names)
def test_a_page_fits_by_the_estimate(derivation):
    rows = [*laid_out(followed(derivation), TEXT_BLOCK, on_paper)]
    wide = [row.latex for row in rows if on_paper(row) > TEXT_BLOCK]
    assert not wide, f"wider than 16 cm; name a part of it with let: {wide}"


# ---------------------------------------------------------------- planted faults

FAULTS = {
    "a bracket dropped": ("fit", lambda e, level: e if isinstance(e, Tex) else tex(e)),
    "every sign a plus": ("signed_terms", lambda e: [Tex(("+ " if i else "") + tex(t)) for i, t in enumerate(e.args)]),
    "roots of numbers lost": ("one_root", lambda factors: [f for f in factors if not f.is_number]),
    "what is below the line put above": ("divided", lambda n, fs: ([f for side in divided(n, fs) for f in side], [])),
    "indices lost": ("index", lambda name, at: name),
    "exponents lost": ("exponent", lambda x: "2"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_in_the_printer_is_found(fault, monkeypatch):
    monkeypatch.setattr(printer, *FAULTS[fault])
    assert any(misread(e) for e in EXPRESSIONS.values()) or any(
        misread(s.rhs) for f in DERIVATIONS for s in followed(f).steps
    )


def misread(e):
    """Whether what is printed is another expression, or none."""
    try:
        return differ(Reader(Letters.of([e])).read(tex(e)), e)
    except Misprint:
        return True


@pytest.mark.parametrize(
    "ambiguous",
    [
        r"\log x^{2}",
        r"\log x\, y",
        r"\log x y",
        r"\partial_{x} x\, y",
        r"\frac{x}{y}^{2}",
        r"\partial_{x} y^{2}",
        "x + (y",
    ],
)
def test_the_reader_refuses_what_can_be_misread(ambiguous):
    with pytest.raises(Misprint):
        Reader(Letters.of([sp.Add(*reals("x y"))])).read(ambiguous)


def test_a_page_with_another_sign_is_not_the_derivation():
    derivation = next(f for f in DERIVATIONS if f.__name__ == "step_mean")
    done = followed(derivation)
    page = to_latex(derivation, done)
    assert " + " in page
    with pytest.raises(Misprint):
        read_page(page.replace(" + ", " - ", 1), done)


# ---------------------------------------------------------------- one of each kind

x, y = reals("x y_t")
alpha, w = units(r"\bar\alpha_{t-1} w")
h, s, T = positives(r"h \sigma T")
n, t = naturals("n t")
q, cond, drift = Density("q_t", [x]), Density("p", [x], given=[y]), RealFunction("f", [x])
flow, D, schedule = Density("p", [x], at=[t]), UnitFunction("D", [x]), UnitFunction(r"\bar\beta", at=[t])
u, v = vectors("u v")
M = matrices("M")
P = covariances("P")

EXPRESSIONS = {
    "sum": x - 2 * y + 1,
    "product of sums": (x + y) * (x - y) * (1 - alpha),
    "minus a sum": -(x + y) * h,
    "fraction of fractions": (x / h + y / s) / (1 + 1 / (1 + h)),
    "negative power": (1 + h) ** -3 * s ** Rational(-3, 2),
    "root": sqrt(alpha) * x + sqrt(1 - alpha) * y,
    "roots of numbers": 1 / sqrt(2 * sp.pi * h),
    "power of a power": (h**n) ** x,
    "half a sum": (1 + h**2) / 2 * s**2,
    "number before a power": 2 * 2**n * 3 ** (-x),
    "exp": exp(-h) + exp(-(x**2) / (2 * h)) + sp.E,
    "log of a product": log(h * s) - log(2 * sp.pi) * log(1 - alpha) / 2,
    "log of a log": log(log(1 + h) ** 2 + 1),
    "log squared": log(h) ** 2,
    "factorial and binomial": binomial(n, 2) * sp.factorial(n + 1) / sp.factorial(n),
    "beta and gamma": sp.gamma(1 + h) / sp.beta(h, s),
    "max, min and modulus": sp.Max(x, 0) + sp.Min(y, h) - abs(x - y) * abs(h * x),
    "cosine": sp.cos(sp.pi * h / 2) ** 2,
    "normal": normal(x, sqrt(alpha) * y, 1 - alpha),
    "normal squared": normal(x, y, h) ** 2 / normal(x, y / h, h / (1 - alpha)),
    "log of a normal": log(normal(x, y, h)),
    "density": q * cond / q(y) - q(x - y) ** 2,
    "index": flow * schedule / schedule(t - 1) + sqrt(schedule(0)),
    "function": drift * D - drift(y - 1) * (1 - D),
    "expectation": E(q, x**2) - E(q, x) ** 2 + E(cond, x) * E(flow, log(x**2 + 1)),
    "product of laws": E(q * normal(y, x, h), x * y) + E(cond * Density("r", [y]), x - y),
    "variance and covariance": Var(q, x) / Cov(cond, x, x**2) - h * Var(normal(x, 0, 1), (x - 1) / 2),
    "divergence": -KL(q, q(x)) + KL(cond, normal(x, y, h)) / 2,
    "entropy": entropy(q) - entropy(q(y)) - entropy(flow) + entropy(cond) - entropy(normal(x, 0, h)),
    "derivative": d(x, log(q)) * d(y, x * y) - d(x, d(x, flow)) / flow,
    "derivative of a quotient": d(x, q / cond) + d(y, (x + y) / h),
    "derivative squared": d(x, log(q)) ** 2 * h,
    "mixed derivative": Derivative(cond, x, y, evaluate=False),
    "integral": integral(x * q, x) * h + integral((x + 1) * q, x) ** 2 / 2,
    "integral over a segment": Integral(exp(x - h) * (x + 1), (x, 0, h)) - Integral(q, (x, -oo, h)),
    "double integral": Integral(x * y * cond, (x, 0, y), (y, 1, h)),
    "product of integrals": integral(q, x) * integral(cond, x) / integral(q * cond, x),
    "sum over terms": Sum(h**t / schedule, (t, 1, n)) * x - Sum(1 - schedule, (t, 2, n + 1)) / 2,
    "sum of a sum": Sum(x + Sum(h * t, (t, 1, n)), (n, 1, 3)) + 1,
    "product over terms": Product(schedule, (t, 1, n)) * log(h) - Product(1 - h / t, (t, 1, 3)) ** 2,
    "matrices": normal(u, M * v + u, M * P * M.T + P) * normal(v, (P + M * P * M.T).inverse() * u, P.inverse()),
    "quadratic": quadratic(u - M * v, P.inverse()) - quadratic(v, M.T * P.inverse() * M) / 2,
    "matrix sum": normal(u, v - 2 * M * (u - v), P) * h,
}


@pytest.mark.parametrize("kind", EXPRESSIONS)
def test_an_expression_of_each_kind_is_read_back(kind):
    e = EXPRESSIONS[kind]
    back = Reader(Letters.of([e])).read(tex(e))
    assert not differ(back, e), f"{tex(e)} reads {back}"


# ---------------------------------------------------------------- expressions that nobody thought of


def built(inner):
    """Larger expressions from smaller ones."""
    positive = st.builds(lambda e: 1 + e**2, inner)
    exponents = st.sampled_from([2, 3, -1, -2, Rational(1, 2), Rational(-1, 2), Rational(3, 2), n])
    laws = st.sampled_from([q, cond, flow, normal(x, y, h)])
    arithmetic = st.one_of(
        st.builds(lambda a, b: a + b, inner, inner),
        st.builds(lambda a, b: a - b, inner, inner),
        st.builds(lambda a, b: a * b, inner, inner),
        st.builds(lambda a, b: a / b, inner, positive),
        st.builds(lambda a, b: a**b, positive, exponents),
        st.builds(lambda a: a**2, inner),
    )
    functions = st.one_of(
        st.builds(log, positive),
        st.builds(lambda a: exp(-a / 2), inner),
        st.builds(lambda a: normal(x, a, h), inner),
        st.builds(lambda a: q(a), inner),
    )
    averages = st.one_of(
        st.builds(lambda a: d(x, a), inner),
        st.builds(lambda law, a: E(law, a), laws, inner),
        st.builds(lambda law, a: Var(law, a), laws, inner),
        st.builds(lambda a: integral(q * a, x), inner),
        st.builds(lambda a: Integral(a, (x, 0, h)), inner),
        st.builds(lambda a: Sum(a, (t, 1, n)), inner),
    )
    return st.one_of(arithmetic, arithmetic, arithmetic, functions, averages)


LEAVES = [
    x,
    y,
    h,
    s,
    alpha,
    w,
    q,
    cond,
    drift,
    flow,
    D,
    schedule,
    sp.Integer(1),
    sp.Integer(2),
    Rational(1, 2),
    -x,
    1 - alpha,
]
invented = leaves = st.sampled_from(LEAVES)
for _ in range(3):
    invented = built(invented | leaves)


@given(invented)
@settings(max_examples=200)
def test_an_invented_expression_is_read_back(e):
    if e.has(sp.nan, sp.zoo, sp.I):
        return
    back = Reader(Letters.of([e])).read(tex(e))
    assert not differ(back, e), f"{tex(e)} reads {back}"


# ---------------------------------------------------------------- pages


def page_of(*lines) -> str:
    def derivation():
        yield from lines

    return to_latex(derivation, check(derivation, judges=()))


def test_relations_limits_and_orders():
    page = page_of(h, lt(h + 1, by=algebra), le(h + 2, by=algebra), tends_to(2, h, 0, by=limit()), eq(2, by=algebra))
    assert [line.relation for line in opened(page)[0]] == ["", "<", r"\le", r"\longrightarrow", "="]
    assert r"\longrightarrow 2 \quad (h \to 0)" in page
    assert r"= 1 + h + O(h^{2})" in page_of(exp(h), up_to(1 + h, h, 2, by=taylor()))


def test_a_remainder_stays_in_the_lines_below():
    steps = up_to(1 + h + h**2 / 2, h, 3, by=taylor()), up_to(1 + h, h, 2, by=taylor()), eq(h + 1, by=algebra)
    ends = [line.end for line in opened(page_of(exp(h), eq(exp(h), by=algebra), *steps))[0]]
    assert ends == ["", "", "h^{3}", "h^{2}", "h^{2}"]


def test_a_letter_is_explained_below_the_line_where_it_first_occurs():
    a, b = reals("a b")
    page = page_of(x, let(a, 2 * x), let(b, 3 * x), eq(a - x, by=algebra), eq(b - 2 * x, by=algebra))
    rows = [row for row in page.splitlines()[1:-1] if "with" in row or "=" in row]
    assert [bool(re.search("with", row)) for row in rows] == [False, True, False, True]
    assert "a = 2 x" in rows[1]
    assert "b = 3 x" in rows[3]


def test_what_is_taken_on_trust_has_a_dagger():
    assert r"\text{by magic}" not in page_of(x, eq(x, by=granted("by magic", "Merlin")))
    assert r"by magic\,$^\dagger$" in page_of(x, eq(x, by=granted("by magic", "Merlin")))


def test_a_long_left_side_stands_alone_and_a_long_sum_is_broken():
    many = sp.Add(*(E(Density(f"q_{{{k}}}", [x]), x**k) for k in range(2, 16)))
    page = page_of(many, eq(many, by=algebra))
    rows = page.splitlines()[1:-1]
    assert len(rows) > 4
    assert all(on_paper_of(row) <= TEXT_BLOCK for row in rows)
    read_page(page, check(lambda: iter((many, eq(many, by=algebra))), judges=()))


def on_paper_of(row: str) -> float:
    return picture(re.sub(r"\\tag.*|&|\\\\$", "", row)).em


@pytest.mark.parametrize(
    ("name", "printed"),
    [
        ("Bayes' rule", "Bayes' rule"),
        (r"induction on \bar\alpha_{t-1}", r"induction on $\bar\alpha_{t-1}$"),
        ("β = 1 − ᾱ", r"$\beta$ = 1 $-$ $\bar\alpha$"),
        ("p(x | z) is a density", r"$p$($x$ $\mid$ $z$) is a density"),
        ("times H P Hᵀ + R", r"times $H$ $P$ $H^\top$ + $R$"),
        ("B(a, b), an integral of a power", "$B$($a$, $b$), an integral of a power"),
        ("naïve", "naïve"),
    ],
)
def test_reasons_are_set_as_a_page_sets_them(name, printed):
    assert reason(granted(name, "")) == printed


# ---------------------------------------------------------------- paper

LATEX = shutil.which("pdflatex")
EM = 10.95  # points, at 11 pt


@pytest.mark.skipif(not LATEX, reason="needs pdflatex to see whether the pages fit on paper")
def test_the_pages_fit_on_paper(tmp_path):
    pages = [to_latex(f, followed(f)) for f in DERIVATIONS]
    rows = [row for f in DERIVATIONS for row in laid_out(followed(f), TEXT_BLOCK, on_paper) if row.latex]
    boxes = [rf"\setbox0\hbox{{$\displaystyle {row.latex}$}}\typeout{{width \the\wd0}}%" for row in rows]
    (tmp_path / "pages.tex").write_text(
        "\\documentclass[11pt]{article}\n\\usepackage{amsmath,amssymb}\n\\usepackage[textwidth=16cm]{geometry}\n"
        "\\begin{document}\n" + "\n".join([*pages, *boxes]) + "\n\\end{document}\n",
        encoding="utf-8",
    )
    command = [LATEX, "-interaction=nonstopmode", "-halt-on-error", "pages.tex"]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=120)
    log_text = ran.stdout.decode("latin-1")
    assert ran.returncode == 0, log_text[-2000:]
    assert "Overfull" not in log_text
    widths = [float(found) / EM for found in re.findall(r"width ([\d.]+)pt", log_text)]
    assert len(widths) == len(rows)
    for row, width in zip(rows, widths):
        estimate = picture(row.latex).em
        assert 0.9 * width <= estimate <= 1.5 * width + 1, f"{row.latex}: {width:.1f} em, estimated as {estimate:.1f}"
