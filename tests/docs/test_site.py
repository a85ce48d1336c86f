"""The book as a reader has it: opened from disk, in a real browser, on a desktop and on a telephone."""

import re
from pathlib import Path

import pytest

from derivations import claims

DOCS = Path(__file__).resolve().parents[2] / "docs"
pytestmark = pytest.mark.slow

PAGES = [f"{path.stem}.html" for path in sorted((DOCS / "en").glob("*.md"))]
PAGES += [f"zh/{path.stem}.html" for path in sorted((DOCS / "zh").glob("*.md"))]
PAGES += ["search.html", "zh/search.html", "source/derivations/reversal/bayes.html"]
WIDTHS = {"desktop": 1280, "telephone": 360}
MEGABYTE = 1_000_000

# A formula, or a part of it, that is cut off or reaches out of its column; the browser is asked about each.
TOO_WIDE = """() => {
  const article = document.querySelector('article').getBoundingClientRect();
  const wide = [];
  for (const formula of document.querySelectorAll('article .m')) {
    const column = formula.closest('.rhs, .lhs, .row, .wrong, .display, p, li, dd, dt, td') || formula.parentElement;
    const edge = Math.min(column.getBoundingClientRect().right, article.right) + 1.5;
    for (const part of formula.querySelectorAll('.katex > *')) {
      const box = part.getBoundingClientRect();
      if (box.width && (box.right > edge || box.left < article.left - 1.5)) {
        wide.push(formula.getAttribute('aria-label') + ' reaches ' + Math.round(box.right - edge) + ' px out');
        break;
      }
    }
  }
  return wide;
}"""


@pytest.fixture
def opened(site, browser):
    """A function that opens a page at a width, and what went wrong while it was open."""
    contexts = []

    def open_page(name, width, scheme="light", after="load"):
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
        contexts.append(context)
        page, wrong = context.new_page(), []
        page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("requestfailed", lambda request: wrong.append(f"failed: {request.url}"))
        inside = site.as_uri()
        page.on("request", lambda asked: wrong.append(f"off the site: {asked.url}") if off(asked.url, inside) else None)
        page.goto(f"{inside}/{name}", wait_until=after)
        return page, wrong

    yield open_page
    for context in contexts:
        context.close()


def off(url, inside):
    return not url.startswith((inside, "data:", "blob:"))


@pytest.mark.parametrize("width", WIDTHS.values(), ids=WIDTHS)
@pytest.mark.parametrize("name", PAGES)
def test_a_page_opens_whole(opened, name, width):
    page, wrong = opened(name, width)
    assert not wrong
    page.evaluate("document.querySelectorAll('details').forEach(details => details.open = true)")
    assert page.evaluate("document.fonts.ready.then(() => true)")
    overhang = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert overhang <= 0, f"{name} is {overhang} px wider than the window"
    assert page.evaluate(TOO_WIDE) == []


def test_what_is_too_wide_is_seen(opened):
    page, _ = opened("bayes.html", 360)
    page.evaluate("document.querySelector('article .display .m').style.fontSize = '90px'")
    assert page.evaluate(TOO_WIDE)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_figure_is_shown_once(opened, scheme):
    page, _ = opened("reversal.html", 1280, scheme)
    for figure in page.query_selector_all("figure.drawing"):
        shown = [image for image in figure.query_selector_all("img") if image.is_visible()]
        assert len(shown) == 1
        assert shown[0].get_attribute("alt")
        assert ("-dark" in shown[0].get_attribute("src")) == (scheme == "dark")
        assert shown[0].evaluate("image => image.complete && image.naturalWidth > 0")


def test_no_identifier_stands_twice(opened):
    for name in PAGES:
        page, _ = opened(name, 1280)
        twice = page.evaluate(
            "() => { const ids = [...document.querySelectorAll('[id]')].map(e => e.id);"
            " return ids.filter((id, i) => ids.indexOf(id) !== i); }"
        )
        assert not twice, name


# ---------------------------------------------------------------- anchors, links, sizes


def test_every_claim_has_its_anchor(site):
    for id in claims():
        chapter, slug = id.split(".")
        assert (site / f"{chapter}.html").read_text(encoding="utf-8").count(f'id="{slug}"') == 1, id


def test_links_lead_somewhere(site):
    texts = {path: path.read_text(encoding="utf-8") for path in site.rglob("*.html")}
    anchors = {path: set(re.findall(r'\bid="([^"]+)"', text)) for path, text in texts.items()}
    for path, text in texts.items():
        for target, anchor in re.findall(r'<a [^>]*href="([^"#:]*)(?:#([^"]*))?"', text):
            there = (path.parent / target).resolve() if target else path
            assert there.exists(), f"{path.name} leads to {target}, which there is not"
            assert not anchor or there not in anchors or anchor in anchors[there], f"{path.name}: {target}#{anchor}"


def test_the_site_is_light(site):
    sizes = {path: path.stat().st_size for path in site.rglob("*") if path.is_file()}
    assert sum(sizes.values()) < 30 * MEGABYTE
    heavy = {path.name: size for path, size in sizes.items() if path.suffix == ".html" and size > 1.5 * MEGABYTE}
    assert not heavy


# ---------------------------------------------------------------- search

# A page that is opened from disk may not read its neighbours, for the snippets of what it found; all else is an error.
SNIPPET = r"^failed: file:.*\.html$|from origin 'null' has been blocked|Failed to fetch|ERR_FAILED$"


@pytest.mark.parametrize(
    ("language", "query", "found"),
    [
        ("", "reversal.naive-is-flat-prior", "reversal"),
        ("", "posterior variance", "reversal"),
        ("zh/", "方差", "reversal"),
        ("zh/", "先验", "bayes"),
        ("zh/", "后验", "bayes"),
        ("zh/", "反向", "reversal"),
        ("zh/", "reversal.naive-is-flat-prior", "reversal"),
    ],
)
def test_search_finds(opened, language, query, found):
    page, wrong = opened(f"{language}search.html?q={query}", 1280)
    page.wait_for_function("document.querySelectorAll('#search-results li a').length > 0", timeout=10_000)
    links = [link.get_attribute("href") for link in page.query_selector_all("#search-results li a")]
    assert any(link.startswith(f"{found}.html") for link in links), links
    assert not [text for text in wrong if not re.search(SNIPPET, text)]
