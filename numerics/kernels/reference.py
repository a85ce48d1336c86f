"""The same as the fast kernels, as it is written on paper: the reference, for NumPy and torch and any precision.

Normals are those of ``numerics.noise``, in double precision, rounded to that of the array.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from array_api_compat import array_namespace

from .. import noise as specification
from .places import Place, split
from .steps import HALF, LOG, NOISE, OF_HELD, OF_P, OF_X, PULL_MEAN, PULL_X, SCALE, Steps

Rows = Sequence[Sequence[float]]


def drawn(like: Any, place: Place) -> Any:
    """Normals like an array: its shape, library, device and precision."""
    particles, coordinates = split(tuple(like.shape))
    z = specification.normals(place.seed, place.stream, place.first, particles, place.n, coordinates)
    z = z.reshape(tuple(like.shape))
    if isinstance(like, np.ndarray):
        return z.astype(like.dtype, copy=False)
    return array_namespace(like).asarray(z, dtype=like.dtype, device=like.device)


def normal(out: Any, place: Place) -> None:
    """Fills ``out`` with its normals."""
    out[...] = drawn(out, place)


def combine(outs: Sequence[Any], ins: Sequence[Any], rows: Rows, noise: float, place: Place) -> None:
    """outs[i] = sum_j rows[i][j] ins[j], and noise times fresh normals into the first of them.

    An output may be one of the inputs.
    """
    sums = [sum(c * array for c, array in zip(row, ins)) for row in rows]
    if noise:
        sums[0] = sums[0] + noise * drawn(outs[0], place)
    for out, total in zip(outs, sums):
        out[...] = total


def chain(x: Any, steps: Steps, place: Place, draw: Callable[[Any, Place], Any] = drawn) -> None:
    """x at the end of the chain, in place, (N, d) or (N,): broadcast over particles and components."""
    xp, (particles, d) = array_namespace(x), split(tuple(x.shape))

    def there(array: Any) -> Any:
        return array if isinstance(x, np.ndarray) else xp.asarray(np.array(array), dtype=x.dtype, device=x.device)

    at, held, means = xp.reshape(x, (particles, d)), None, there(steps.means)
    for k, (row, terms) in enumerate(zip(steps.rows.tolist(), there(steps.terms))):
        squares = xp.sum((at[:, None, :] - row[SCALE] * means) ** 2, axis=-1)
        logs = terms[:, LOG] + terms[:, HALF] * squares
        r = xp.exp(logs - xp.max(logs, axis=-1, keepdims=True))
        r = r / xp.sum(r, axis=-1, keepdims=True)
        p = (r @ terms[:, PULL_X])[:, None] * at + (r * terms[:, PULL_MEAN]) @ means
        held, at = p, row[OF_X] * at + row[OF_P] * p + (row[OF_HELD] * held if row[OF_HELD] else 0.0)
        if row[NOISE]:
            at = at + row[NOISE] * draw(at, place.of_row(k, d))
    x[...] = xp.reshape(at, tuple(x.shape))
