"""The pictures of the README: parts of two pages of the book, as a browser shows them.

make docs; python docs/pictures/take.py        writes page.png, reverse-step.png and reverse-step.zh.png beside it

It needs playwright and a Chromium on the path.
"""

import shutil
from pathlib import Path

from playwright.sync_api import sync_playwright

HERE = Path(__file__).resolve().parent
SITE = HERE.parent / "_build" / "html"
WIDTH = 860  # of the window: the text alone, without the columns beside it
SHOWN = {  # the page, and the first and the last thing that is seen of it
    "page": ("reversal.html", "#naive-is-flat-prior h3", "#naive-is-flat-prior .closing"),
    "reverse-step": ("reverse-step.html", "#reverse-step", "#reverse-step"),
    "reverse-step.zh": ("zh/reverse-step.html", "#reverse-step", "#reverse-step"),
}
MARGIN = 18


def take() -> None:
    """Write each picture, with the wrong versions unfolded."""
    with sync_playwright() as running:
        chromium = running.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = chromium.new_page(viewport={"width": WIDTH, "height": 2000}, device_scale_factor=1.25)
        for name, (path, first, last) in SHOWN.items():
            page.goto((SITE / path).as_uri())
            page.evaluate("document.querySelectorAll('details.mistakes').forEach(details => details.open = true)")
            page.evaluate("document.fonts.ready.then(() => true)")
            page.wait_for_timeout(500)  # lines wrap anew when their letters have come
            top = page.locator(first).first.bounding_box()
            bottom = page.locator(last).last.bounding_box()
            if not top or not bottom:
                raise LookupError(f"{path} shows nothing called {first} or {last}")
            scrolled = page.evaluate("window.scrollY")
            height = bottom["y"] + bottom["height"] - top["y"] + 3 * MARGIN
            page.screenshot(
                path=HERE / f"{name}.png",
                clip={"x": 0, "y": top["y"] + scrolled - MARGIN, "width": WIDTH, "height": height},
                full_page=True,
            )
        chromium.close()


if __name__ == "__main__":
    take()
