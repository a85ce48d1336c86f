"""A drawing as text: the same on any day and any machine, on no background of its own."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

from matplotlib import rc_context

from noiseproof.figures.drawing import STYLE

from . import DRAWINGS
from .colours import darkened

HERE = Path(__file__).parent

# Larger than on a terminal's figures: on a phone a drawing 16 cm wide has half its size.
BOOK: dict[Any, Any] = STYLE | {"font.size": 10.5, "axes.titlesize": 10.5, "svg.fonttype": "path"}
UNDATED: dict[str, Any] = {"Date": None, "Creator": None}

COORDINATES = re.compile(r'(?<=[ "])(?:d|x|y)="[^"]*"')
NUMBER = re.compile(r"-?\d+\.\d+")


def files(name: str) -> tuple[Path, Path]:
    """Where a drawing lies, for light pages and for dark ones."""
    return HERE / f"{name}.svg", HERE / f"{name}-dark.svg"


def drawn(name: str) -> tuple[str, str]:
    """A drawing for light pages and for dark ones.  Raises NoCounterpart for a colour that the book has not."""
    file = io.StringIO()
    with rc_context(BOOK):
        DRAWINGS[name]().savefig(file, format="svg", transparent=True, metadata=UNDATED)
    light = shortened(file.getvalue())
    return light, darkened(light)


def shortened(svg: str) -> str:
    """Coordinates to a hundredth of a point, which nobody sees; half of a file is digits behind that."""
    lines = COORDINATES.sub(lambda found: NUMBER.sub(rounded, found[0]), svg).splitlines()
    return "\n".join(line.rstrip() for line in lines) + "\n"


def rounded(number: re.Match[str]) -> str:
    digits = f"{float(number[0]):.2f}".rstrip("0").rstrip(".")
    return "0" if digits == "-0" else digits
