"""Words beside curves and panels one above the other: in the size of the book, legible on a phone, too."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from noiseproof.figures import drawing

SIZE = 10


def stacked(height: float, ratios: Sequence[float], **how: Any) -> tuple[Figure, list[Axes]]:
    """A figure of this height in inches with panels of these relative heights, and room for their titles."""
    figure = Figure(figsize=(drawing.WIDE, height), layout=ConstrainedLayoutEngine(hspace=0.07))
    return figure, list(figure.subplots(len(ratios), 1, height_ratios=ratios, squeeze=False, **how)[:, 0])


def label(axes: Axes, x: float, y: float, words: str, colour: str = "black", **how: Any) -> None:
    """Words at a point, in the colour of the curve there."""
    drawing.label(axes, x, y, words, colour, **{"fontsize": SIZE} | how)


def along(axes: Axes, curve: Callable[[float], float], x: float, words: str, colour: str, away: float = 4) -> None:
    """Words above a curve and as steep as it is at x; ``away`` are points.

    The axes have to have their size and limits already: figure.draw_without_rendering() gives them that.
    """
    step = 1.01 * x
    (x_1, y_1), (x_2, y_2) = axes.transData.transform([(x, curve(x)), (step, curve(step))])
    turned = np.arctan2(y_2 - y_1, x_2 - x_1)
    axes.annotate(
        words,
        (x, curve(x)),
        (-away * np.sin(turned), away * np.cos(turned)),
        textcoords="offset points",
        color=colour,
        fontsize=SIZE,
        ha="center",
        va="bottom",
        rotation=np.degrees(turned),
        rotation_mode="anchor",
    )
