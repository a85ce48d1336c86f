"""What all figures share: their size and style, labels beside curves, and a word on stderr while something trains."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from rich.console import Console, Group
from rich.text import Text

from ..tables import grid

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from rich.console import RenderableType

    from models.training import Progress

STYLE: dict[Any, Any] = {
    "font.size": 9,
    "font.family": "DejaVu Sans",  # matplotlib brings it along: the same letters everywhere
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 9,
    "svg.hashsalt": "noiseproof",
    "savefig.dpi": 200,
}
WIDE = 16 / 2.54  # inches
DARK, BRIGHT, GREY, PALE = "#17365d", "#b85c00", "#5f6670", "#c9ced6"  # told apart by lightness, too
GREEN = "#1d7a5f"  # a third, where words say which is which


class Drawing(NamedTuple):
    """A figure, and its numbers for the terminal."""

    figure: Figure
    numbers: RenderableType


def label(axes: Axes, x: float, y: float, words: str, colour: str = "black", **how: Any) -> None:
    """Words at a point, in the colour of the curve there."""
    how = {"ha": "left", "va": "center", "fontsize": "medium"} | how
    axes.text(x, y, words, color=colour, **how)


def table(heads: Sequence[str], rows: Sequence[Sequence[str]], *notes: str) -> Group:
    """Numbers for the terminal, and how to read them."""
    shown = grid()
    for k, head in enumerate(heads):
        shown.add_column(head, justify="right" if k else "left", vertical="bottom", overflow="fold")
    for row in rows:
        shown.add_row(*row)
    return Group(shown, *(Text(note, "dim") for note in notes))


@contextmanager
def training(what: str) -> Iterator[Progress]:
    """How far a training is: a bar on a terminal, elsewhere a line when it is done."""
    if not sys.stderr.isatty():
        yield lambda done, of, loss: None
        print(f"{what}: trained", file=sys.stderr, flush=True)
        return
    from rich.progress import Progress as Bars

    with Bars(console=Console(stderr=True), transient=True) as bars:
        bar = bars.add_task(what)
        yield lambda done, of, loss: bars.update(bar, completed=done, total=of, description=f"{what}, loss {loss:.4f}")
