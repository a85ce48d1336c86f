r"""Standard normals that have a place: the n-th of a particle, in a stream, under a seed.

A draw is a function of where it stands and of nothing else, so that it is the same for any number of threads, any split
of the particles, any order and any library.  The words come from Philox4x32-10 (Salmon et al. 2011), four at a time:

.. math:: (w_0,w_1,w_2,w_3)=\mathrm{Philox}_{\text{seed}}(i\bmod 2^{32},\;\lfloor i/2^{32}\rfloor,\;
   \lfloor n/4\rfloor,\;\text{stream}),

and two words make two normals (Box and Muller 1958),

.. math:: z_0=r\cos\theta,\quad z_1=r\sin\theta,\qquad r=\sqrt{-2\log u},\quad u=\frac{w_0+\tfrac12}{2^{32}},\quad
   \theta=2\pi\,\frac{\lfloor w_1/2^7\rfloor+\tfrac12}{2^{25}},

where u is rounded to single precision on its way: then the fastest arithmetic starts from the numbers from which this
reference in double precision starts.  The tail ends at :math:`\sqrt{66\log 2}=6.76`, beyond which a normal is once in
:math:`7\cdot10^{10}` draws.

A particle that makes steps in d dimensions uses :math:`n=k\,d+j` for its coordinate j in row k of a table.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Words = NDArray[np.uint32]
Array = NDArray[np.float64]

ROUNDS = 10
MULTIPLIERS = 0xD2511F53, 0xCD9E8D57
WEYL = 0x9E3779B9, 0xBB67AE85  # what the two halves of the key grow by, in each round
TAIL = float(np.sqrt(66 * np.log(2)))  # no draw is larger

RUN, START = 0, 1  # streams: what the rows of a table draw, and what a run begins with

_LOW, _HALF = np.uint64(0xFFFFFFFF), np.uint64(32)


def philox(counter: tuple[Words, Words, Words, Words], seed: int) -> tuple[Words, Words, Words, Words]:
    """Four words for each counter, which is four words itself; arrays that broadcast."""
    c0, c1, c2, c3 = (np.asarray(c, dtype=np.uint64) for c in counter)
    k0, k1 = seed & 0xFFFFFFFF, seed >> 32
    for _ in range(ROUNDS):
        p0, p1 = np.uint64(MULTIPLIERS[0]) * c0, np.uint64(MULTIPLIERS[1]) * c2
        c0, c1, c2, c3 = (p1 >> _HALF) ^ c1 ^ np.uint64(k0), p1 & _LOW, (p0 >> _HALF) ^ c3 ^ np.uint64(k1), p0 & _LOW
        k0, k1 = (k0 + WEYL[0]) & 0xFFFFFFFF, (k1 + WEYL[1]) & 0xFFFFFFFF
    w0, w1, w2, w3 = (c.astype(np.uint32) for c in np.broadcast_arrays(c0, c1, c2, c3))
    return w0, w1, w2, w3


def words(seed: int, stream: int, first: int, particles: int, block: int, blocks: int) -> Words:
    """The words of some particles, (particles, 4 blocks): number n of them stands in block n // 4.

    Raises ValueError for what is no integer, a seed outside 64 bits, a particle beyond 2^64, or a block or stream
    beyond 2^32.
    """
    seed, stream, first = _held("seed", seed, 64), _held("stream", stream, 32), _held("first", first, 64)
    block = _held("the first block", block, 32)
    _held("the last particle", first + max(particles, 1) - 1, 64)
    _held("the last block", block + max(blocks, 1) - 1, 32)
    index = (np.uint64(first) + np.arange(particles, dtype=np.uint64))[:, None]
    at = np.uint64(block) + np.arange(blocks, dtype=np.uint64)
    found = philox((index & _LOW, index >> _HALF, at, np.uint64(stream)), seed)  # type: ignore[arg-type]
    return np.stack(found, axis=-1).reshape(particles, 4 * blocks)


def normals(seed: int, stream: int, first: int, particles: int, n: int, count: int) -> Array:
    """The normals n, n+1, ..., n + count - 1 of some particles, (particles, count), in double precision.

    Raises ValueError where ``words`` does.
    """
    block = n // 4
    blocks = (n + count + 3) // 4 - block
    w = words(seed, stream, first, particles, block, blocks)
    z = np.empty(w.shape)
    u = ((w[:, 0::2].astype(np.float32) + np.float32(0.5)) * np.float32(2.0**-32)).astype(np.float64)
    r = np.sqrt(-2 * np.log(u))
    angle = 2 * np.pi * ((w[:, 1::2] >> np.uint32(7)) + 0.5) / 2**25
    z[:, 0::2], z[:, 1::2] = r * np.cos(angle), r * np.sin(angle)
    return z[:, n - 4 * block :][:, :count]


def _held(name: str, number: int, bits: int) -> int:
    """The number as Python's: one of NumPy's is cut off where it has no more bits."""
    if not isinstance(number, int | np.integer) or not 0 <= number < 2**bits:
        raise ValueError(f"{name} is {number!r}; expected an integer from 0 to 2^{bits} - 1")
    return int(number)
