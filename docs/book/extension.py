"""What Sphinx is told: claims unfold in a chapter, formulas are set by KaTeX, figures come in two themes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from gettext import NullTranslations
from html import escape
from pathlib import Path
from typing import Any

from docutils import nodes
from docutils.parsers.rst import directives
from pygments.formatters import HtmlFormatter
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from sphinx.util.logging import getLogger

from derivations import PAGES, claims

from . import katex
from .claims import of_the_run, opening, section
from .languages import MARKS, Language, language, with_mark

NEWS = getLogger(__name__)
ROOT = Path(__file__).resolve().parents[2]
UNFOLDS = re.compile(r"^```\{(page|claim)\} *(\S+)\n```$", re.MULTILINE)
LINK = re.compile(r"\{claim\}`([\w.-]+)`")


def spoken(app: Sphinx) -> Language:
    return language("zh" if app.config.language.startswith("zh") else "en")


class Frame(NullTranslations):
    """What the theme says around a page; where we have no words for it, Sphinx has."""

    def __init__(self, app: Sphinx) -> None:
        super().__init__()
        self.ours = {language("en")["here"]: spoken(app)["here"]}
        self.add_fallback(app.translator)

    def gettext(self, message: str) -> str:
        return self.ours.get(message) or super().gettext(message)


# ---------------------------------------------------------------- claims


def unfold(app: Sphinx, docname: str, source: list[str]) -> None:
    """The directives of a chapter become the text that they stand for."""
    speaking = spoken(app)

    def unfolded(found: re.Match[str]) -> str:
        known = PAGES if found[1] == "page" else claims()
        if found[2] not in known:
            NEWS.warning(f"there is no {found[1]} called {found[2]}", location=docname)
            return found[0]
        return (opening if found[1] == "page" else section)(found[2], speaking)

    text, claims_told = UNFOLDS.subn(unfolded, source[0])
    if claims_told:
        text = f"{text}\n\n{of_the_run(speaking)}\n"
    source[0] = LINK.sub(lambda found: linked(found[1], docname, speaking), text)


def linked(id: str, docname: str, speaking: Language) -> str:
    """A link to a claim: in its own language if the chapter is there, else to the English page."""
    if id not in claims():
        NEWS.warning(f"there is no claim called {id}", location=docname)
        return f"`{id}`"
    claim = claims()[id]
    if speaking.place(claim).startswith("../"):
        return f'<a class="reference" href="{speaking.place(claim)}">{language("en").name(claim)}</a>'
    return f"{{ref}}`{speaking.name(claim)} <{id}>`"


def anchored(app: Sphinx, doctree: nodes.document) -> None:
    """The section of a claim is known by its slug: reversal.html#naive-is-flat-prior."""
    for part in doctree.findall(nodes.section):
        for name in part["names"]:
            if name in claims():
                slug = name.split(".")[1]
                part["ids"] = [slug, *(id for id in part["ids"] if id != slug)]


# ---------------------------------------------------------------- formulas


def kept_together(app: Sphinx, doctree: nodes.document) -> None:
    """The comma or full stop behind a formula stays on its line."""
    for formula in doctree.findall(nodes.math):
        behind = formula.next_node(descend=False, siblings=True)
        if isinstance(behind, nodes.Text) and (mark := re.match(f"{MARKS}+", behind)):
            formula["behind"] = mark[0]
            behind.parent.replace(behind, nodes.Text(behind[mark.end() :]))


def inline(visitor: Any, node: nodes.Element) -> None:
    visitor.body.append(formula(node, lambda: with_mark(node.astext(), node.get("behind", ""))))
    raise nodes.SkipNode


def displayed(visitor: Any, node: nodes.Element) -> None:
    shown = formula(node, lambda: katex.render(node.astext(), display=True).html)
    visitor.body.append(f'<div class="display">{shown}</div>')
    raise nodes.SkipNode


def formula(node: nodes.Element, render: Callable[[], str]) -> str:
    """A formula that somebody wrote by hand; what KaTeX has against it is said at its place."""
    try:
        return render()
    except katex.KatexError as error:
        NEWS.warning(str(error), location=node)
        return f"<code>{escape(node.astext())}</code>"


# ---------------------------------------------------------------- the other language


def other_language(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """Where the page is in the other language: its own page if it has one, else the front page."""
    here = spoken(app)
    there = language("en" if here.code == "zh" else "zh")
    name = page if (there.folder / f"{page}.md").exists() else "index"
    up = "../" * page.count("/")
    context["other_language"] = f"{up}{here.root}{'' if there.code == 'en' else 'zh/'}{name}.html"
    context["other_name"] = there["language"]


# ---------------------------------------------------------------- figures


class Drawing(SphinxDirective):
    """A figure from docs/figures, light and dark, with its caption."""

    required_arguments = 1
    has_content = True
    option_spec = {"alt": directives.unchanged_required}

    def run(self) -> list[nodes.Node]:
        name, shown = self.arguments[0], []
        for theme, suffix in (("only-light", ""), ("only-dark", "-dark")):
            path = ROOT / "docs" / "figures" / f"{name}{suffix}.svg"
            if not path.exists():
                raise self.error(f"there is no drawing {path.name}; python -m docs.figures draws it")
            self.env.note_dependency(str(path))
            image = nodes.image(uri=f"/../figures/{path.name}", alt=self.options.get("alt", ""), classes=[theme])
            shown.append(image)
        figure = nodes.figure("", *shown, classes=["drawing"])
        caption = nodes.Element()
        self.state.nested_parse(self.content, self.content_offset, caption)
        if caption.children:
            first, *more = caption.children
            figure += nodes.caption("", "", *first.children)
            if more:
                figure += nodes.legend("", *more)
        return [figure]


# ---------------------------------------------------------------- the source beside the book


def sources(app: Sphinx) -> Iterator[tuple[str, dict[str, Any], str]]:
    """Every page of derivations as it is written."""
    if spoken(app).code != "en":
        return
    from pygments import highlight
    from pygments.lexers import PythonLexer

    for name in PAGES:
        path = ROOT / "derivations" / Path(*name.split(".")).with_suffix(".py")
        code = highlight(path.read_text(encoding="utf-8"), PythonLexer(), HtmlFormatter(cssclass="highlight"))
        title = path.relative_to(ROOT).as_posix()
        context = {"title": title, "body": f"<h1>{title}</h1>{code}", "parents": []}
        yield f"source/derivations/{name.replace('.', '/')}", context, "page.html"


def styles(app: Sphinx, error: Exception | None) -> None:
    """The stylesheet that KaTeX's tree is written for."""
    if error is None:
        pages = (page.read_text(encoding="utf-8") for page in Path(app.outdir).glob("*.html"))
        Path(app.outdir, "_static", "formulas.css").write_text(katex.stylesheet(pages), encoding="utf-8")


def setup(app: Sphinx) -> dict[str, Any]:
    app.translator = Frame(app)
    app.add_html_math_renderer("noiseproof", (inline, None), (displayed, None))
    app.add_directive("drawing", Drawing)
    app.connect("source-read", unfold)
    app.connect("doctree-read", anchored)
    app.connect("doctree-read", kept_together)
    app.connect("html-page-context", other_language)
    app.connect("html-collect-pages", sources)
    app.connect("build-finished", styles)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": False}
