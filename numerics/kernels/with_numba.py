"""Fused kernels for the CPU, on contiguous arrays of NumPy or torch in single precision, whose memory they share.

Threads take parts of the work; every normal has its place, so that their number changes no bit.  They are Python's,
which run side by side inside a kernel: numba's own layers of threads end the process when two threads enter them, or
after a fork.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import numpy as np
from numba.core import config

from . import numba_chain, numba_noise
from .places import Place, split
from .steps import HALF, LOG, Steps

threads: int = config.NUMBA_NUM_THREADS  # pyright: ignore[reportAttributeAccessIssue]  all cores, or as told
ENOUGH = 2**16  # elements, for which a thread is worth its start
AT_ONCE = 2**28  # elements, some tenths of a second: nothing interrupts what is compiled

Arrays = Sequence[Any]
F = np.float32


def normal(out: Any, place: Place) -> None:
    """Fills ``out`` with its normals."""
    combine([out], [], [[]], 1.0, place)


def combine(outs: Arrays, ins: Arrays, rows: Sequence[Sequence[float]], noise: float, place: Place) -> None:
    """outs[i] = sum_j rows[i][j] ins[j], and noise times fresh normals into the first of them, in one pass."""
    flat, given = [_flat(out) for out in outs], [_flat(array) for array in ins]
    size, particles = flat[0].size, len(outs[0])
    if not size:
        return
    # An array that is read and written is handed over once, or the compiler fears that the two might overlap.
    same = [[j for j, array in enumerate(given) if np.may_share_memory(array, out)][:1] for out in flat]
    order = sorted(range(len(flat)), key=lambda i: not same[i])
    kept = [j for i in order for j in same[i]]
    columns = kept + [j for j in range(len(given)) if j not in kept]
    arrays = (
        tuple([flat[i] for i in order[: len(kept)]]),
        tuple([flat[i] for i in order[len(kept) :]]),
        tuple([given[j] for j in columns[len(kept) :]]),
        tuple([tuple([F(rows[i][j]) for j in columns]) for i in order]),
    )
    if not noise:
        _spread(numba_noise.linear, arrays, size, size)
        return
    fresh = tuple([F(0 if i else noise) for i in order])
    where = particles, np.uint64(place.seed), np.uint64(place.stream), np.uint64(place.first), place.n
    pieces = numba_noise.pieces(particles, size // particles, place.n)
    _spread(numba_noise.noisy, (*arrays, fresh, *where), pieces, size)


def chain(x: Any, steps: Steps, place: Place) -> None:
    """x at the end of the chain, in place, (N, d) or (N,)."""
    particles, d = split(tuple(x.shape))
    if not particles:
        return
    terms = steps.terms.astype(np.float64)
    terms[..., [LOG, HALF]] *= np.log2(np.e)
    given = steps.rows, terms.astype(np.float32), steps.means
    where = np.uint64(place.seed), np.uint64(place.stream), np.uint64(place.first), place.n
    state, blocks = _flat(x).reshape(particles, d), -(-particles // numba_chain.TOGETHER)
    size = particles * d * len(steps.rows) * len(steps.means)
    if d <= numba_chain.SMALL:
        _spread(numba_chain.small, (state, (0,) * d, *given, *where), blocks, size)
    else:
        _spread(numba_chain.large, (state, *given, *where), blocks, size)


def _spread(work: Callable[..., Any], given: tuple[Any, ...], parts: int, size: int) -> None:
    """work(*given, begin, end) for all parts, by as many threads as are worth it, and so that it can be interrupted."""
    n = max(1, min(threads, parts, size // ENOUGH))
    if n == 1 and size <= AT_ONCE:
        work(*given, 0, parts)
        return
    turns = min(parts, n * max(1, -(-size // (n * AT_ONCE))))
    ends = [parts * k // turns for k in range(turns + 1)]
    part = partial(work, *given)
    if n == 1:
        deque(map(part, ends[:-1], ends[1:]), maxlen=0)
        return
    pool = ThreadPoolExecutor(n)
    try:
        deque(pool.map(part, ends[:-1], ends[1:]), maxlen=0)
    finally:
        pool.shutdown(cancel_futures=True)


def _flat(array: Any) -> Any:
    return (array if isinstance(array, np.ndarray) else array.numpy()).reshape(-1)
