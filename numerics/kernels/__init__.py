"""Samplers at the speed of the machine: one step around a network, or a whole chain on an exact world.

Which way of computing serves an array, its *backend*, is decided by its library, its device, its precision and what is
installed:

==================================  ==================================================
arrays                              backend
==================================  ==================================================
NumPy or torch on the CPU, float32  ``numba``, without it ``torch`` or ``reference``
torch on the CPU, bfloat16          ``torch``
torch on CUDA, float32, bfloat16    ``triton``, without it ``torch``
float64, anywhere                   ``reference``
==================================  ==================================================

All of them draw the normals of ``numerics.noise``: a run from one seed is the same run everywhere, to rounding, and
``first`` says which particle is the first one, so that parts of a run are that run.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from ..solvers.predictions import Predict, converted, denoiser
from ..solvers.table import Table
from ..worlds import Mixture
from . import checked
from .loop import copied, finite, looped
from .places import Place, split
from .steps import Steps

__all__ = ["Place", "Steps", "chain", "combine", "normal", "run"]

MODULES = {"reference": ".reference", "torch": ".with_torch", "numba": ".with_numba", "triton": ".with_triton"}
EXTRAS = {"numba": "fast", "triton": "gpu", "torch": "models"}


def run(table: Table, predict: Predict, x: Any, seed: int = 0, first: int = 0, backend: str | None = None) -> Any:
    """x at the end of the table, from x at its first level, in a new array: one kernel for each row.

    ``predict(x, level)`` is the network.  x is lent to it: it is overwritten by the next row.

    Raises ValueError or TypeError for what a kernel would get wrong, saying what was expected; NotFinite (a
    FloatingPointError) if x is not finite at the end.
    """
    return looped(table, predict, x, Place(seed, first=first), serving(x, backend))


def chain(table: Table, world: Mixture, x: Any, seed: int = 0, first: int = 0, backend: str | None = None) -> Any:
    """x at the end of the table, around the exact prediction on a world, in a new array, (N, d) or (N,).

    ``numba`` and ``triton`` keep the state in registers from the first row to the last.  Elsewhere, and for worlds and
    tables that ``Steps`` refuses or chains too wide for a kernel, it is ``run``.
    """
    expected = () if world.dimension is None else (world.dimension,)
    kernel, shape = serving(x, backend), tuple(x.shape)
    if len(shape) != 1 + len(expected) or shape[1:] != expected:
        raise ValueError(f"x has shape {shape}; expected (N, {world.dimension or ''}): one row for each particle")
    if checked.kind(x, "x")[2] == "bfloat16":  # a state that is kept is kept in single precision
        return chain(table, world, x.float(), seed, first, backend).to(x.dtype)
    place, exactly = Place(seed, first=first), converted(denoiser(world), table.prediction)
    if kernel.__name__.endswith("reference"):
        return looped(table, exactly, x, place, kernel)
    place.of_row(len(table.rows) - 1, split(shape)[1]).reaches(shape)
    end = copied(x)
    try:
        kernel.chain(end, Steps.of(table, world), place)
    except ValueError:  # too wide, or too much to remember
        return looped(table, exactly, x, place, kernel)
    return finite(end)


def normal(out: Any, place: Place, backend: str | None = None) -> None:
    """Fills an array with the normals of its place.  Raises ValueError where there is none."""
    checked.output(out, "out", place)
    serving(out, backend).normal(out, place)


def combine(
    outs: Sequence[Any],
    ins: Sequence[Any],
    rows: Sequence[Sequence[float]],
    noise: float = 0.0,
    place: Place = Place(),
    backend: str | None = None,
) -> None:
    """outs[i] = sum_j rows[i][j] ins[j], and noise times fresh normals into the first of them, in one pass.

    One or two outputs and up to four inputs, all alike; an output may be one of the inputs, but not overlap one.
    """
    checked.combined(outs, ins, rows, noise, place)
    serving(outs[0], backend).combine(outs, ins, rows, noise, place)


def serving(x: Any, backend: str | None = None) -> Any:
    """The module that computes with arrays like x.

    Raises TypeError for a precision that nobody serves, ValueError for a backend that cannot serve x, and ImportError
    for one that is not installed.
    """
    library, device, dtype = checked.kind(x, "x")
    if dtype not in ("float64", "float32") and (library, dtype) != ("torch", "bfloat16"):
        raise TypeError(f"x has dtype {dtype}; expected float32, float64 or, of torch, bfloat16: convert it")
    able = _able(library, device, dtype)
    if backend is None:
        return _module(next(name for name in able if _installed(name)))
    if backend not in MODULES:
        raise ValueError(f"there is no backend called {backend}; expected one of {', '.join(MODULES)}")
    if backend not in able:
        raise ValueError(f"{backend} has no kernel for {library} {dtype} on {device}; these have: {', '.join(able)}")
    if not _installed(backend):
        raise ImportError(
            f"{backend} is not installed: pip install 'noiseproof[{EXTRAS[backend]}]', or leave backend out"
        )
    return _module(backend)


@cache
def _module(backend: str) -> Any:
    return import_module(MODULES[backend], __name__)


@cache
def _able(library: str, device: str, dtype: str) -> list[str]:
    """The backends that can serve such arrays, the fastest first."""
    device, _, _ = device.partition(":")  # which GPU it is makes no difference
    everywhere = ["torch", "reference"] if library == "torch" else ["reference"]
    if dtype == "float64":
        return everywhere[::-1]
    fused = {("cpu", "float32"): ["numba"], ("cuda", "float32"): ["triton"], ("cuda", "bfloat16"): ["triton"]}
    return fused.get((device, dtype), []) + everywhere


@cache
def _installed(name: str) -> bool:
    return name == "reference" or find_spec(name) is not None
