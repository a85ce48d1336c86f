"""Figures of claims: which have one, and how it gets into a file, whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ..faults import Fault
from . import digits, elbo, gan, vae, vlb
from .drawing import STYLE, Drawing

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from rich.console import RenderableType

FIGURES: dict[str, Callable[[], Drawing]] = {
    "elbo.decomposition": elbo.decomposition,
    "vae.posterior-collapse": vae.posterior_collapse,
    "gan.optimal-discriminator": gan.optimal_discriminator,
    "gan.dirac-dynamics": gan.dirac_dynamics,
    "reversal.empirical-kernel": digits.empirical_kernel,
    "vlb.simple-loss-minimiser": vlb.simple_loss_minimiser,
}
EXTRAS = {"matplotlib": "docs", "torch": "models"}  # what brings them
UNDATED = {".svg": {"Date": None}, ".png": {}, ".pdf": {"CreationDate": None}}  # the same file on any day


class NoFigure(Fault):
    """A figure that there is not, or that cannot be drawn or written."""


def figure(id: str, path: Path, force: bool = False) -> RenderableType:
    """Write the figure of a claim to a file of this name; its numbers are returned.

    What can be wrong with the request is said before the work begins.  Raises NoFigure.
    """
    if id not in FIGURES:
        raise NoFigure(f"{id} has no figure; these have one: {', '.join(FIGURES)}")
    with in_style(), whole(path, force) as unfinished:
        drawing = FIGURES[id]()
        with writing(path):
            save(drawing.figure, unfinished, path)
    return drawing.numbers


def drawable() -> None:
    """Raises NoFigure without matplotlib: to be asked before the work whose figure it is to draw."""
    with in_style():
        pass


@contextmanager
def in_style() -> Iterator[None]:
    """Whatever is drawn inside has the style of the house.  Raises NoFigure without matplotlib."""
    with needing_extras():
        from matplotlib import rc_context

        with rc_context(STYLE):
            yield


def save(picture: Figure, unfinished: Path, path: Path) -> None:
    """Write a figure as what the name of path says, with nothing in it that changes from day to day."""
    picture.savefig(unfinished, format=path.suffix[1:], metadata=UNDATED[path.suffix])


@contextmanager
def whole(path: Path, force: bool, endings: Sequence[str] = tuple(UNDATED)) -> Iterator[Path]:
    """A file beside path that takes its name when all has gone well, and is gone otherwise.

    Raises NoFigure, before the work begins, if the name ends otherwise, is taken, or cannot be written.
    """
    unfinished = beside(path, force, endings)
    try:
        yield unfinished
        with writing(path):
            unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


@contextmanager
def needing_extras() -> Iterator[None]:
    """What is not installed, and what to type, as a message."""
    try:
        yield
    except ImportError as error:
        library = (error.name or "").split(".")[0]
        if library in EXTRAS:
            raise NoFigure(f"this figure needs {library}: pip install 'noiseproof[{EXTRAS[library]}]'") from error
        raise NoFigure(str(error)) from error  # data, which say so themselves


def beside(path: Path, force: bool, endings: Sequence[str]) -> Path:
    """An empty file in the same folder.  Raises NoFigure if it cannot be."""
    if path.suffix not in endings:
        *most, last = endings
        raise NoFigure(f"cannot write {path}: expected a name that ends in {', '.join(most)} or {last}")
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
