"""Every colour of a drawing has a counterpart for dark pages, where they are told apart by lightness, too.

A drawing is drawn once.  The dark one is the same file with each colour replaced by its counterpart, so that the two
agree in every line; a colour without a counterpart is an error, and so is a picture that is not in shades of grey.
"""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Iterator

import numpy as np

from noiseproof.figures.drawing import BRIGHT, DARK, GREEN, GREY, PALE

INK, PAPER = "#000000", "#ffffff"
EXACT, NAIVE = DARK, BRIGHT  # the same in every drawing of the book

ON_DARK = {
    INK: "#e3e5e8",
    PAPER: "#131416",
    DARK: "#a9cdf7",
    BRIGHT: "#e0863a",
    GREEN: "#56c3a0",
    GREY: "#969ea9",
    PALE: "#3d434c",  # areas, and rules behind the curves; never a word
}

PAINT = re.compile(r"(?<=fill: )#\w{6}|(?<=stroke: )#\w{6}")
PICTURE = re.compile(r"(?<=data:image/png;base64,)\s*([A-Za-z0-9+/=\s]+)(?=\")")
UNSAID = "*{stroke-linejoin: round; stroke-linecap: butt}"  # what no colour is said for is black


class NoCounterpart(ValueError):
    """A colour that no dark page knows."""


def used(svg: str) -> Iterator[str]:
    """The colours of a drawing, where they stand."""
    return (match[0] for match in PAINT.finditer(svg))


def darkened(svg: str) -> str:
    """The drawing for dark pages.  Raises NoCounterpart, with the colours that have none."""
    if unknown := sorted(set(used(svg)) - set(ON_DARK)):
        known = ", ".join(ON_DARK)
        raise NoCounterpart(f"no dark counterpart of {', '.join(unknown)}; the palette of the book: {known}")
    if svg.count(UNSAID) != 1:
        raise NoCounterpart("the style sheet of the drawing is not where it was: nobody knows what is black by default")
    svg = PAINT.sub(lambda found: ON_DARK[found[0]], svg)
    svg = svg.replace(UNSAID, f"{UNSAID} svg{{fill: {ON_DARK[INK]}}}")
    return PICTURE.sub(lambda found: darkened_picture(found[1]), svg)


def darkened_picture(png: str) -> str:
    """A picture from ink on paper to light on dark, what is transparent in it staying so."""
    from PIL import Image

    picture = np.array(Image.open(io.BytesIO(base64.b64decode(png))).convert("RGBA"))
    colours, seen = picture[..., :3], picture[..., 3] > 0
    if np.any(np.ptp(colours[seen].astype(int), axis=-1) > 0):
        raise NoCounterpart("a picture in colours has no dark counterpart; those of the book are in shades of grey")
    ink, paper = (np.array(parts(ON_DARK[colour])) for colour in (INK, PAPER))
    light = colours / 255.0
    picture[..., :3] = np.where(seen[..., None], np.rint(ink + (paper - ink) * light), 0).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(picture).save(file, format="png")
    return base64.b64encode(file.getvalue()).decode()


def parts(colour: str) -> tuple[int, int, int]:
    """Red, green and blue, from 0 to 255."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def luminance(colour: str) -> float:
    """How light a colour is, from 0 to 1, as the guidelines for accessible pages (WCAG) count it."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (p / 255 for p in parts(colour))]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """The ratio of two colours that decides whether one is legible on the other, from 1 to 21."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)
