"""Fused kernels for the CPU, on contiguous arrays of NumPy or torch in single precision, whose memory they share.

Threads take parts of the work; every normal has its place, so that their number changes no bit.  They are Python's,
which run side by side inside a kernel: numba's own layers of threads end the process when two threads enter them, or
after a fork.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
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


def normal(out: Any, place: Place) -> None:
    """Fills ``out`` with its normals."""
    combine([out], [], [[]], 1.0, place)


def combine(outs: Arrays, ins: Arrays, rows: Sequence[Sequence[float]], noise: float, place: Place) -> None:
    """outs[i] = sum_j rows[i][j] ins[j], and noise times fresh normals into the first of them, in one pass."""
    particles, d = split(tuple(outs[0].shape))
    if not particles * d:
        return
    # An array that is read and written is handed over once, or the compiler fears that the two might overlap.
    flat, given = [_flat(out) for out in outs], [_flat(array) for array in ins]
    same = [next((j for j, array in enumerate(given) if np.may_share_memory(array, out)), None) for out in flat]
    order = sorted(range(len(flat)), key=lambda i: same[i] is None)
    kept = [j for i in order if (j := same[i]) is not None]
    columns = kept + [j for j in range(len(given)) if j not in kept]
    updated, written = order[: len(kept)], order[len(kept) :]
    arrays = (
        tuple([flat[i] for i in updated]),
        tuple([flat[i] for i in written]),
        tuple([given[j] for j in columns[len(kept) :]]),
        tuple([tuple([np.float32(rows[i][j]) for j in columns]) for i in order]),
    )
    if not noise:
        _spread(lambda *part: numba_noise.linear(*arrays, *part), particles * d, particles * d)
        return
    fresh = tuple([np.float32(0 if i else noise) for i in order])
    where = particles, np.uint64(place.seed), np.uint64(place.stream), np.uint64(place.first), place.n
    pieces = numba_noise.pieces(particles, d, place.n)
    _spread(lambda *part: numba_noise.noisy(*arrays, fresh, *where, *part), pieces, particles * d)


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
        _spread(lambda *part: numba_chain.small(state, (0,) * d, *given, *where, *part), blocks, size)
    else:
        _spread(lambda *part: numba_chain.large(state, *given, *where, *part), blocks, size)


def _spread(work: Callable[[int, int], Any], parts: int, size: int) -> None:
    """work(begin, end) for all parts, by as many threads as are worth it, and so that it can be interrupted."""
    n = max(1, min(threads, parts, size // ENOUGH))
    turns = min(parts, n * max(1, -(-size // (n * AT_ONCE))))
    ends = [parts * k // turns for k in range(turns + 1)]
    if n == 1:
        deque(map(work, ends[:-1], ends[1:]), maxlen=0)
        return
    pool = ThreadPoolExecutor(n)
    try:
        deque(pool.map(work, ends[:-1], ends[1:]), maxlen=0)
    finally:
        pool.shutdown(cancel_futures=True)


def _flat(array: Any) -> Any:
    return (array if isinstance(array, np.ndarray) else array.numpy()).reshape(-1)
