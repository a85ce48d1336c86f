"""What is asked of numbers that come from outside; the error names the argument, its value and what was expected."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]


def finite(name: str, values: ArrayLike, shape: tuple[int | str, ...] | None = None) -> Array:
    """The values as an array of finite numbers.

    ``shape`` names axes that may have any length, ``("N", 64)``.  Raises ValueError.
    """
    try:
        if not _numbers(values):
            raise TypeError("letters and truth values")
        array = np.array(values, dtype=float)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} is {_shown(values)}; expected numbers, in an array without gaps") from error
    if shape is not None:
        axes = ", ".join(map(str, shape)) + "," * (len(shape) == 1)
        fits = len(shape) == array.ndim and all(not isinstance(n, int) or n == m for n, m in zip(shape, array.shape))
        if not fits or 0 in array.shape:
            raise ValueError(f"{name} has shape {array.shape}; expected ({axes})")
    if not np.all(np.isfinite(array)):
        raise ValueError(f"{name}{_first(array, ~np.isfinite(array))}; expected a finite number")
    return array


def positive(name: str, values: ArrayLike) -> Array:
    """The values as an array of finite positive numbers: variances, scales.  Raises ValueError."""
    array = finite(name, values)
    if np.any(array <= 0):
        raise ValueError(f"{name}{_first(array, array <= 0)}; expected a number above 0")
    return array


def probability(name: str, values: ArrayLike, open: bool = False) -> Array:
    """The values as an array of numbers in [0, 1], or strictly between if ``open``.  Raises ValueError."""
    array = finite(name, values)
    outside = (array <= 0) | (array >= 1) if open else (array < 0) | (array > 1)
    if np.any(outside):
        expected = "strictly between 0 and 1" if open else "in [0, 1]"
        raise ValueError(f"{name}{_first(array, outside)}; expected a probability {expected}")
    return array


def _numbers(values: object) -> bool:
    """Whether nothing in there is a string or a truth value, which NumPy would read as numbers."""
    if isinstance(values, (list, tuple)):
        return all(map(_numbers, values))
    if isinstance(values, np.ndarray):
        return values.dtype.kind not in "bSU"
    return not isinstance(values, (bool, np.bool_, str, bytes))


def _first(array: Array, wrong: NDArray[np.bool_]) -> str:
    """Where the first wrong entry is, and what it is."""
    k = tuple(int(i) for i in np.argwhere(wrong)[0])
    return (f"[{', '.join(map(str, k))}]" if k else "") + f" is {array[k]:g}"


def _shown(values: object) -> str:
    text = repr(values)
    return text if len(text) <= 60 else f"{text[:57]}..."
