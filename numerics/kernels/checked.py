"""What a kernel is handed, looked at once: a kernel itself looks at nothing, and would write a wrong number."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from array_api_compat import is_torch_array

from .places import Place, split


def library(array: Any, name: str) -> str:
    """ "numpy" or "torch".  Raises TypeError for what is neither."""
    if isinstance(array, np.ndarray):
        return "numpy"
    if is_torch_array(array):
        return "torch"
    raise TypeError(f"{name} is a {type(array).__name__}; expected a NumPy array or a torch tensor")


def kind(array: Any, name: str) -> tuple[str, str, str]:
    """Library, device and dtype: ("torch", "cuda:0", "bfloat16")."""
    of = library(array, name)
    return of, "cpu" if of == "numpy" else str(array.device), str(array.dtype).removeprefix("torch.")


def output(array: Any, name: str, place: Place | None = None) -> None:
    """Raises ValueError unless an array can be written into: contiguous, writable, no gradient wanted, in its place."""
    library(array, name)
    if not _contiguous(array):
        raise ValueError(
            f"{name} is not contiguous (shape {tuple(array.shape)}); expected coordinates next to each other, particle "
            "by particle: hand over a contiguous copy"
        )
    if isinstance(array, np.ndarray) and not array.flags.writeable:
        raise ValueError(f"{name} is read-only; expected an array to write into: hand over a copy")
    if not isinstance(array, np.ndarray) and array.requires_grad:
        raise ValueError(f"{name} wants a gradient, and kernels have none: detach it, or use numerics.solvers.running")
    split(tuple(array.shape))
    if place is not None:
        place.reaches(tuple(array.shape))


def like(array: Any, other: Any, name: str, of: str) -> None:
    """Raises ValueError unless an array has the shape, and TypeError unless it has the library, device and dtype."""
    if kind(array, name) != kind(other, of):
        is_, expected = (" ".join(reversed(kind(a, n))) for a, n in ((array, name), (other, of)))
        raise TypeError(f"{name} is {is_}; expected that of {of}, {expected}: convert one of them")
    if tuple(array.shape) != tuple(other.shape):
        raise ValueError(f"{name} has shape {tuple(array.shape)}; expected that of {of}, {tuple(other.shape)}")


def combined(
    outs: Sequence[Any], ins: Sequence[Any], rows: Sequence[Sequence[float]], noise: float, place: Place
) -> None:
    """Raises unless outs[i] = sum_j rows[i][j] ins[j] can be written element by element."""
    if not 1 <= len(outs) == len(rows) or not ins or any(len(row) != len(ins) for row in rows):
        raise ValueError(
            f"rows has the lengths {[len(row) for row in rows]}; expected one row for each of the {len(outs)} outputs, "
            f"with one number for each of the {len(ins)} inputs"
        )
    if not np.all(np.isfinite([noise, *(c for row in rows for c in row)])):
        raise ValueError(f"rows = {rows} and noise = {noise} hold a number that is not finite")
    named = {f"outs[{i}]": out for i, out in enumerate(outs)}
    for name, out in named.items():
        output(out, name, place if noise else None)
        like(out, outs[0], name, "outs[0]")
    for j, array in enumerate(ins):
        like(array, outs[0], f"ins[{j}]", "outs[0]")
        if not _contiguous(array):
            raise ValueError(f"ins[{j}] is not contiguous; expected the layout of outs[0]: hand over a contiguous copy")
        for name, out in named.items():
            if overlap(array, out) and _begins(array) != _begins(out):
                raise ValueError(f"{name} overlaps ins[{j}] without being the same: write into memory of its own")
    for i, out in enumerate(outs):
        if any(overlap(out, other) for other in outs[:i]):
            raise ValueError(f"outs[{i}] overlaps another output: give each memory of its own")


def overlap(a: Any, b: Any) -> bool:
    """Whether two contiguous arrays of one library share memory."""
    return _begins(a) < _begins(b) + _bytes(b) and _begins(b) < _begins(a) + _bytes(a)


def _contiguous(array: Any) -> bool:
    return array.flags.c_contiguous if isinstance(array, np.ndarray) else array.is_contiguous()


def _begins(array: Any) -> int:
    return array.ctypes.data if isinstance(array, np.ndarray) else array.data_ptr()


def _bytes(array: Any) -> int:
    return array.nbytes if isinstance(array, np.ndarray) else array.numel() * array.element_size()
