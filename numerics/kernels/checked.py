"""What a kernel is handed, looked at once: a kernel itself looks at nothing, and would write a wrong number."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from itertools import chain
from typing import Any

import numpy as np
from array_api_compat import is_torch_array

from .places import Place, split

OUTPUTS, INPUTS = 2, 4  # of a fused row, at most


def library(array: Any, name: str) -> str:
    """Whose array it is, "numpy" or "torch".  Raises TypeError for what is neither."""
    if isinstance(array, np.ndarray):
        return "numpy"
    if is_torch_array(array):
        return "torch"
    raise TypeError(f"{name} is a {type(array).__name__}; expected a NumPy array or a torch tensor")


def kind(array: Any, name: str) -> tuple[str, str, str]:
    """Library, device and dtype: ("torch", "cuda:0", "bfloat16")."""
    of = library(array, name)
    return of, "cpu" if of == "numpy" else _spelled(array.device), _spelled(array.dtype)


@cache  # a step asks again and again
def _spelled(what: Any) -> str:
    return str(what).removeprefix("torch.")


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
    _without_gradient(array, name)
    if place is None:
        split(array.shape)
    else:
        place.reaches(array.shape)


def like(array: Any, other: Any, name: str, of: str) -> None:
    """Raises TypeError unless an array has the library, device and dtype of another, ValueError unless its shape."""
    alike = type(array) is type(other) and array.dtype == other.dtype and _device(array) == _device(other)
    if not alike and kind(array, name) != kind(other, of):
        is_, expected = (" ".join(reversed(kind(a, n))) for a, n in ((array, name), (other, of)))
        raise TypeError(f"{name} is {is_}; expected that of {of}, {expected}: convert one of them")
    if array.shape != other.shape:
        raise ValueError(f"{name} has shape {tuple(array.shape)}; expected that of {of}, {tuple(other.shape)}")


def combined(
    outs: Sequence[Any], ins: Sequence[Any], rows: Sequence[Sequence[float]], noise: float, place: Place
) -> None:
    """Raises unless outs[i] = sum_j rows[i][j] ins[j] can be written element by element."""
    if not 1 <= len(outs) == len(rows) <= OUTPUTS or not 1 <= len(ins) <= INPUTS:
        raise ValueError(
            f"there are {len(outs)} outputs, {len(rows)} rows and {len(ins)} inputs; expected a row for each of 1 to "
            f"{OUTPUTS} outputs, of 1 to {INPUTS} inputs: split it, or use kernels.reference"
        )
    if {*map(len, rows)} != {len(ins)}:
        raise ValueError(f"rows = {rows}; expected in each one number for each of the {len(ins)} inputs")
    if not all(map(math.isfinite, chain(*rows, (noise,)))):
        raise ValueError(f"rows = {rows} and noise = {noise} hold a number that is not finite")
    for i, out in enumerate(outs):
        output(out, f"outs[{i}]", place if noise else None)
        if i:
            like(out, outs[0], f"outs[{i}]", "outs[0]")
    for j, array in enumerate(ins):
        like(array, outs[0], f"ins[{j}]", "outs[0]")
        if not _contiguous(array):
            raise ValueError(f"ins[{j}] is not contiguous; expected the layout of outs[0]: hand over a contiguous copy")
        _without_gradient(array, f"ins[{j}]")
    for i, out in enumerate(outs):
        if any(overlap(out, other) for other in outs[:i]):
            raise ValueError(f"outs[{i}] overlaps another output: give each memory of its own")
        for j, array in enumerate(ins):
            if array is not out and overlap(out, array) and _begin(out) != _begin(array):
                raise ValueError(f"outs[{i}] overlaps ins[{j}] without being the same: write into memory of its own")


def overlap(a: Any, b: Any) -> bool:
    """Whether two contiguous arrays of one library share memory."""
    if isinstance(a, np.ndarray):
        return np.may_share_memory(a, b)  # by where each begins and ends
    begin, other = a.data_ptr(), b.data_ptr()
    return begin < other + b.nbytes and other < begin + a.nbytes


def _without_gradient(array: Any, name: str) -> None:
    if not isinstance(array, np.ndarray) and array.requires_grad:
        raise ValueError(f"{name} wants a gradient, and kernels have none: detach it, or use numerics.solvers.running")


def _contiguous(array: Any) -> bool:
    return array.flags.c_contiguous if isinstance(array, np.ndarray) else array.is_contiguous()


def _device(array: Any) -> Any:
    return "cpu" if isinstance(array, np.ndarray) else array.device


def _begin(array: Any) -> int:
    """Where the memory of an array begins."""
    return array.ctypes.data if isinstance(array, np.ndarray) else array.data_ptr()
