"""Whether a figure can be read: no word is cut off, none lies on another, and no label lies on a curve."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING
from unittest import mock

if TYPE_CHECKING:
    from matplotlib.backend_bases import RendererBase
    from matplotlib.figure import Figure
    from matplotlib.path import Path
    from matplotlib.text import Text


def shape(word: Text, renderer: RendererBase) -> Path:
    """The box of a word, turned with it."""
    from matplotlib.path import Path
    from matplotlib.transforms import Affine2D

    angle = word.get_rotation()
    turned = angle % 90 and word.get_rotation_mode() == "anchor"
    if turned:
        word.set_rotation(0)
    box = Path(word.get_window_extent(renderer).corners()[[0, 1, 3, 2, 0]], closed=True)
    if not turned:
        return box
    word.set_rotation(angle)
    return box.transformed(Affine2D().rotate_deg_around(*word.get_transform().transform(word.get_position()), angle))


def obstacles(picture: Figure) -> list[str]:
    """What makes it hard to read, a sentence each; none, for a legible figure."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.text import Text as Words

    drawn, draw = [], Words.draw
    renderer = FigureCanvasAgg(picture).get_renderer()
    picture.draw(renderer)  # the layout comes to rest
    seen = lambda self, *args, **more: (drawn.append(self), draw(self, *args, **more))[1]
    with mock.patch.object(Words, "draw", seen):
        picture.draw(renderer)
    words = [w for w in dict.fromkeys(drawn) if w.get_text().strip() and w.get_visible()]
    boxes = {w: w.get_window_extent(renderer) for w in words}
    shapes = {w: shape(w, renderer) for w in words}
    assert words
    inside = lambda box: picture.bbox.contains(box.x0, box.y0) and picture.bbox.contains(box.x1, box.y1)
    found = [f"{w.get_text()!r} is cut off" for w, box in boxes.items() if not inside(box)]
    for (one, here), (other, there) in combinations(boxes.items(), 2):
        if here.overlaps(there) and shapes[one].intersects_path(shapes[other], filled=True):
            found.append(f"{one.get_text()!r} lies on {other.get_text()!r}")
    for axes in picture.axes:
        for line in [line for line in axes.lines if line.get_linestyle() != "None"]:
            path = line.get_path().transformed(line.get_transform())
            found += [
                f"{word.get_text()!r} lies on {line}"
                for word in words
                if word in axes.texts and shapes[word].intersects_path(path, filled=False)
            ]
    return found
