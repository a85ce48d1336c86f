"""Figures of claims: which have one, and how it gets into a file, whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from .faults import Fault

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from rich.console import RenderableType

UNDATED = {".svg": {"Date": None}, ".png": {}, ".pdf": {"CreationDate": None}}  # the same file on any day
STYLE: dict[Any, Any] = {
    "font.size": 9,
    "font.family": "DejaVu Sans",  # matplotlib brings it along: the same letters everywhere
    "axes.spines.top": False,
    "axes.spines.right": False,
    "svg.hashsalt": "noiseproof",
    "savefig.dpi": 200,
}


class NoFigure(Fault):
    """A figure that there is not, or that cannot be drawn or written."""


class Drawing(NamedTuple):
    """A figure, and its numbers for the terminal."""

    figure: Figure
    numbers: RenderableType


def digits() -> Drawing:
    """Three chains over the handwritten digits."""
    from . import digits

    found = digits.experiment()
    return Drawing(digits.figure(found), digits.table(found))


FIGURES: dict[str, Callable[[], Drawing]] = {"reversal.empirical-kernel": digits}


def figure(id: str, path: Path, force: bool = False) -> RenderableType:
    """Write the figure of a claim to a file of this name; its numbers are returned.

    What can be wrong with the request is said before the work begins.  Raises NoFigure.
    """
    if id not in FIGURES:
        raise NoFigure(f"{id} has no figure; {', '.join(FIGURES)} {'has' if len(FIGURES) == 1 else 'have'} one")
    try:
        from matplotlib import rc_context
    except ImportError as error:
        raise NoFigure("a figure needs matplotlib: pip install 'noiseproof[docs]'") from error
    unfinished = beside(path, force)
    try:
        with rc_context(STYLE):
            drawing = FIGURES[id]()
            with writing(path):
                drawing.figure.savefig(unfinished, format=path.suffix[1:], metadata=UNDATED[path.suffix])
                unfinished.replace(path)
    except ImportError as error:  # data that an extra brings
        raise NoFigure(str(error)) from error
    finally:
        unfinished.unlink(missing_ok=True)
    return drawing.numbers


def beside(path: Path, force: bool) -> Path:
    """An empty file in the same folder, to take the name of path when all is done.  Raises NoFigure if it cannot."""
    if path.suffix not in UNDATED:
        *most, last = UNDATED
        raise NoFigure(f"cannot write {path}: the name of a figure ends in {', '.join(most)} or {last}")
    if path.is_dir():
        raise NoFigure(f"cannot write {path}: it is a folder")
    if path.exists() and not force:
        raise NoFigure(f"{path} exists already; give another name, or --force to replace it")
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    with writing(path):
        unfinished.touch(exist_ok=False)
    return unfinished


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """What the system refuses, as a message."""
    try:
        yield
    except OSError as error:
        raise NoFigure(f"cannot write {path}: {error.strerror or error}") from error
