"""Random streams, and sums that come out the same in any order.

Draws come in chunks.  A chunk is named by (seed, claim, stream, number) and by nothing else, so it holds the same
draws on one process or on eight.  Its partial sums are doubles; doubles are added to the total as exact integers,
so the order is free too.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from math import inf, isfinite

import numpy as np

CHUNK = 2**14  # draws: small enough to stay in cache; part of the definition of a stream
GRID = 2**1074  # every finite double is an integer multiple of 1 / GRID


def stream(seed: int, claim: str, name: str, chunk: int) -> np.random.Generator:
    """The generator of one chunk: Philox keyed by (seed, claim, name), its counter starting at the chunk.

    The chunk is the top word of a counter of 256 bits, so chunks of one key stay apart for 2^192 blocks.
    """
    key = int.from_bytes(sha256(repr((int(seed), str(claim), str(name))).encode()).digest()[:16], "little")
    return np.random.Generator(np.random.Philox(key=key, counter=[0, 0, 0, chunk]))


@dataclass(frozen=True)
class Total:
    """Sums of several statistics over some chunks.  Addition is exact: associative and commutative to the last bit."""

    draws: int
    sums: tuple[int, ...]  # on the grid
    undefined: frozenset[int] = frozenset()  # the statistics that were not finite somewhere

    @classmethod
    def of(cls, draws: int, partial: Iterable[float]) -> Total:
        """The total of one chunk, from its partial sums in double precision."""
        partial = [float(p) for p in partial]
        undefined = frozenset(k for k, p in enumerate(partial) if not isfinite(p))
        return cls(draws, tuple(exactly(p) if isfinite(p) else 0 for p in partial), undefined)

    def __add__(self, other: Total) -> Total:
        sums = tuple(a + b for a, b in zip(self.sums, other.sums, strict=True))
        return Total(self.draws + other.draws, sums, self.undefined | other.undefined)

    def rounded(self) -> np.ndarray:
        """The sums as doubles, rounded once; infinite beyond the largest double."""
        return np.array([to_double(s) for s in self.sums])


def exactly(x: float) -> int:
    """A double as an integer on the grid."""
    numerator, denominator = x.as_integer_ratio()
    return numerator * (GRID // denominator)


def to_double(s: int) -> float:
    """The double nearest to an integer on the grid."""
    try:
        return s / GRID  # division of integers rounds correctly, once
    except OverflowError:
        return inf if s > 0 else -inf
