"""Draw the book: python -m docs.figures [NAME ...]."""

from __future__ import annotations

import argparse
import sys
import time

from . import DRAWINGS


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m docs.figures", description="Draw the book, light and dark.")
    parser.add_argument("names", metavar="NAME", nargs="*", help="a drawing; without any, all are drawn")
    names = parser.parse_args(arguments).names
    if unknown := [name for name in names if name not in DRAWINGS]:
        parser.error(f"no drawing is called {', '.join(unknown)}; there are {', '.join(DRAWINGS)}")
    try:
        from .drawn import drawn, files
    except ModuleNotFoundError as missing:
        print(f"a drawing needs {missing.name}: pip install 'noiseproof[docs]'", file=sys.stderr)
        return 1
    for name in names or DRAWINGS:
        began = time.perf_counter()
        for path, svg in zip(files(name), drawn(name)):
            path.write_text(svg, encoding="utf-8", newline="\n")
        size, seconds = files(name)[0].stat().st_size / 1000, time.perf_counter() - began
        print(f"{name}: docs/figures/{name}.svg and {name}-dark.svg, {size:.0f} kB each, {seconds:.1f} s", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
