"""How Sphinx makes the book, in either language: ``python -m docs.book`` names the folder and the language."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import noiseproof  # noqa: E402 - found in the checkout

project = "noiseproof"
author = "the noiseproof authors"
project_copyright = "the noiseproof authors, MIT licence"
version = release = noiseproof.__version__

extensions = ["myst_parser", "docs.book.extension"]
myst_enable_extensions = ["dollarmath", "colon_fence", "deflist", "attrs_block", "attrs_inline"]
myst_dmath_double_inline = True
myst_heading_anchors = 3
exclude_patterns = ["words/**"]
suppress_warnings = ["myst.header"]  # a figure may stand before the first heading
nitpicky = True

html_theme = "furo"
html_title = "noiseproof"
html_static_path = ["static"]
html_css_files = ["katex/katex.min.css", "formulas.css", "book.css"]
html_math_renderer = "noiseproof"
html_copy_source = False
html_show_sourcelink = False
html_show_sphinx = False
html_domain_indices = False
html_use_index = False
html_baseurl = ""
templates_path = ["templates"]
html_sidebars = {
    "**": [
        "sidebar/brand.html",
        "language.html",
        "sidebar/search.html",
        "sidebar/scroll-start.html",
        "sidebar/navigation.html",
        "sidebar/scroll-end.html",
    ]
}
html_theme_options = {"navigation_with_keys": True}
