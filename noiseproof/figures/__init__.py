"""Figures of claims: which have one, and how it gets into a file, whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ..faults import Fault
from . import digits, elbo, gan, vae, vlb
from .drawing import STYLE, Drawing

if TYPE_CHECKING:
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
    with needing_extras():
        from matplotlib import rc_context

        unfinished = beside(path, force)
        try:
            with rc_context(STYLE):
                drawing = FIGURES[id]()
                with writing(path):
                    drawing.figure.savefig(unfinished, format=path.suffix[1:], metadata=UNDATED[path.suffix])
                    unfinished.replace(path)
        finally:
            unfinished.unlink(missing_ok=True)
    return drawing.numbers


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
