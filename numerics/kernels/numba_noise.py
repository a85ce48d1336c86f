"""Normals and rows, compiled by numba: arithmetic so plain that sixteen of each go through one instruction.

Nothing here is an instruction of a particular machine.  What matters is that inner loops have no branches and many
turns, on arrays that the compiler sees to be apart and that begin at a cache line.  Equivalent spellings are two to ten
times slower, and nobody says so: ``tests/numerics/kernels/test_vectorised.py`` watches.

Logarithm, sine and cosine are polynomials, least squares of the function's own error over Chebyshev nodes, in single
precision.  Over all radii and all angles a normal is within 1e-6 of the reference: half a last bit each of the
logarithm (whose half is what the root keeps), the root and the product, and 7e-8 of the sine, times at most 6.76.
"""

# What numba compiles has the spelling of Python, and other types:
# pyright: reportCallIssue=false, reportArgumentType=false, reportGeneralTypeIssues=false

from __future__ import annotations

import hashlib
import math
import warnings
from collections.abc import Callable
from importlib import resources
from typing import Any

import numpy as np
from numba import float32, int32, njit, uint32, uint64
from numba.extending import intrinsic, overload

from ..noise import MULTIPLIERS, ROUNDS, WEYL

F, U = np.float32, np.uint32
LANES = 16  # what is computed together; a multiple of every vector length
COUNTERS = 256  # of a long row at a time: their normals stay in the nearest cache
PIECE = 4 * COUNTERS


def sources() -> str:
    """Eight letters for what all kernels say, and ``numerics.noise``."""
    package = resources.files("numerics")
    files = [*(package / "kernels").iterdir(), package / "noise.py"]
    texts = [file.read_bytes() for file in sorted(files, key=lambda file: file.name) if file.name.endswith(".py")]
    return hashlib.sha256(b"".join(texts)).hexdigest()[:8]


SOURCES = sources()


def compiled(function: Callable[..., Any]) -> Any:
    """The function, compiled when it is first called, and kept on disk where that can be written to.

    A sum may be fused with a product, zeros have no sign, and nothing is infinite; sums keep their order, so that the
    same numbers come out wherever an element stands.  numba looks for changes in the file of a function alone, and
    would keep a chain around normals that are no more: so the name of a function says of which sources it is.
    """
    function.__qualname__ += f"_{SOURCES}"  # by which numba names the file on disk
    options: dict[str, Any] = {"fastmath": {"contract", "nsz", "nnan", "ninf"}, "error_model": "numpy", "nogil": True}
    try:
        return njit(cache=True, **options)(function)
    except RuntimeError as refused:  # numba found no folder for its cache
        warnings.warn(f"kernels are compiled anew in every process ({refused}); set NUMBA_CACHE_DIR", stacklevel=2)
        return njit(**options)(function)


inlined = njit(inline="always")


def _cast(to: Any, of: Any) -> Any:
    """The same 32 bits, read as another type; the scalar ``view`` of NumPy is slower by half in some loops."""

    def read(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        return builder.bitcast(given[0], context.get_value_type(to))

    return to(of), read


@intrinsic
def bits_of(typing: Any, x: Any) -> Any:
    """The 32 bits of a number."""
    return _cast(uint32, float32)


@intrinsic
def number_of(typing: Any, x: Any) -> Any:
    """The number of 32 bits."""
    return _cast(float32, uint32)


# Words, each in 64 bits: it is how processors multiply them; cut down to 32, the compiler takes every product apart.
# (And a shift of a 32-bit integer has 64 bits in numba: where 32 are meant, each is cut back.)

M0, M1 = (np.uint64(m) for m in MULTIPLIERS)
W0, W1 = (np.uint64(w) for w in WEYL)
LOW, UPPER = np.uint64(0xFFFFFFFF), np.uint64(32)


@inlined
def philox(c0, c1, c2, c3, k0, k1):
    """Four words, as ``numerics.noise.philox``."""
    for _ in range(ROUNDS):
        p0, p1 = M0 * c0, M1 * c2
        c0, c1, c2, c3 = (p1 >> UPPER) ^ c1 ^ k0, p1 & LOW, (p0 >> UPPER) ^ c3 ^ k1, p0 & LOW
        k0, k1 = (k0 + W0) & LOW, (k1 + W1) & LOW
    return uint32(c0), uint32(c1), uint32(c2), uint32(c3)


# From words to normals

LOG = tuple(
    F(c)
    for c in (
        0.08506812253869185,
        -0.14197773988306658,
        0.1495118317828248,
        -0.1658791618752829,
        0.19960570469888544,
        -0.250009701148326,
        0.33333973396005223,
    )
)  # of (log(1 + m) - m + m^2/2) / m^3 for m from sqrt(1/2) - 1 to sqrt(2) - 1, within 3.5e-8 of log(1 + m)
L0, L1, L2, L3, L4, L5, L6 = LOG
LN2_HIGH, LN2_LOW = F(0.693359375), F(-2.12194440e-4)  # the first has so few digits that its multiples are exact
S1, S2, S3 = F(-0.64596346), F(0.07967947), F(-0.00459969)  # sin(pi g / 2) for |g| <= 1/2, within 2e-9
S0 = F(np.pi / 2)
S0_LOW = F(np.pi / 2 - float(S0))
C1, C2, C3, C4 = F(-1.23370054), F(0.253669240), F(-0.0208602648), F(0.000903975442)  # cos(pi g / 2), within 6e-11
SQRT_HALF = U(0x3F3504F3)  # the bits of sqrt(1/2)


@inlined
def log(u):
    """log(u) for u > 0, neither denormal nor infinite: u = 2^e (1 + m)."""
    apart = uint32(bits_of(u) - SQRT_HALF)
    e = float32(int32(int32(apart) >> int32(23)))
    m = number_of(uint32(bits_of(u) - (apart & U(0xFF800000)))) - F(1)
    p = (((((L0 * m + L1) * m + L2) * m + L3) * m + L4) * m + L5) * m + L6
    z = m * m
    return (p * m * z + (LN2_LOW * e - F(0.5) * z)) + m + LN2_HIGH * e


@inlined
def radius(w):
    """sqrt(-2 log u), u = (w + 1/2) / 2^32 in single precision."""
    return float32(math.sqrt(F(-2) * log((float32(w) + F(0.5)) * F(2.0**-32))))


@inlined
def direction(w):
    """Cosine and sine of 2 pi (floor(w / 2^7) + 1/2) / 2^25: of the nearest quarter turn, and of the rest."""
    quarter = uint32(w + U(0x20000000))
    g = (float32(int32(int32(uint32(w << U(2))) >> int32(9))) + F(0.5)) * F(2.0**-23)
    z = g * g
    s = (((S3 * z + S2) * z + S1) * z + S0_LOW) * g + S0 * g
    c = ((C4 * z + C3) * z + C2) * (z * z) + C1 * z + F(1)
    odd = (quarter & U(0x40000000)) != U(0)
    cosine, sine = (s, c) if odd else (c, s)
    minus_cosine, minus_sine = uint32(quarter + U(0x40000000)) & U(0x80000000), quarter & U(0x80000000)
    return number_of(bits_of(cosine) ^ minus_cosine), number_of(bits_of(sine) ^ minus_sine)


@inlined
def four(particle, block, stream, seed):
    """The normals 4 block, ..., 4 block + 3 of a particle.  Integers are of 64 bits, without sign."""
    w0, w1, w2, w3 = philox(particle & LOW, particle >> UPPER, block, stream, seed & LOW, seed >> UPPER)
    r, s = radius(w0), radius(w2)
    (a, b), (c, d) = direction(w1), direction(w3)
    return r * a, r * b, s * c, s * d


@inlined
def scratch(rows, columns):
    """Room for intermediate results, at the beginning of a cache line: what straddles two is read twice."""
    room = np.empty(rows * columns + LANES, F)
    begin = (-room.ctypes.data % 64) // 4
    return room[begin : begin + rows * columns].reshape(rows, columns)


# Rows.  Work comes in pieces, each of neighbouring elements: part of one particle, or some particles.


@compiled
def pieces(particles, d, n):
    """How many pieces there are."""
    counters = (n % 4 + d + 3) // 4
    if counters >= LANES:
        return particles * ((counters + COUNTERS - 1) // COUNTERS)
    together = LANES * max(1, PIECE // (LANES * d))
    return (particles + together - 1) // together


@compiled
def drawn(z, piece, particles, d, seed, stream, first, n):
    """Where a piece begins and ends, and where its normals stand in z."""
    shift, block = n % 4, uint64(n // 4)
    counters = (shift + d + 3) // 4
    if counters >= LANES:  # lanes along a particle
        in_row = (counters + COUNTERS - 1) // COUNTERS
        i = piece // in_row
        begin = (piece - i * in_row) * COUNTERS
        count = min(COUNTERS, counters - begin)
        for group in range((count + LANES - 1) // LANES):
            at, here = block + uint64(begin + group * LANES), z[4 * LANES * group : 4 * LANES * (group + 1)]
            for lane in range(LANES):
                a, b, c, e = four(first + uint64(i), at + uint64(lane), stream, seed)
                here[4 * lane], here[4 * lane + 1], here[4 * lane + 2], here[4 * lane + 3] = a, b, c, e
        left, right = max(4 * begin - shift, 0), min(4 * (begin + count) - shift, d)
        return i * d + left, i * d + right, left + shift - 4 * begin
    together = LANES * max(1, PIECE // (LANES * d))  # lanes across particles
    i, y = piece * together, z[PIECE:]
    last = min(i + together, particles)
    y0, y1, y2, y3 = y[:LANES], y[LANES : 2 * LANES], y[2 * LANES : 3 * LANES], y[3 * LANES :]
    for group in range(i, last, LANES):
        for counter in range(counters):
            for lane in range(LANES):
                mine = first + uint64(group) + uint64(lane)
                y0[lane], y1[lane], y2[lane], y3[lane] = four(mine, block + uint64(counter), stream, seed)
            for j in range(max(0, 4 * counter - shift), min(d, 4 * counter + 4 - shift)):
                here = y[LANES * (j + shift - 4 * counter) :]
                for lane in range(min(LANES, last - group)):
                    z[(group - i + lane) * d + j] = here[lane]
    return i * d, last * d, 0


def total(arrays: Any, row: Any, j: Any) -> Any:
    """sum_k row[k] arrays[k][j]: written out by the compiler, for it knows how many there are."""


@overload(total, inline="always")
def _total(arrays, row, j):
    if len(arrays) == 0:
        return lambda arrays, row, j: F(0)
    if len(arrays) == 1:
        return lambda arrays, row, j: row[0] * arrays[0][j]
    return lambda arrays, row, j: row[0] * arrays[0][j] + total(arrays[1:], row[1:], j)


@compiled
def linear(updated, written, read, rows, begin, end):
    """The elements begin..end of all outputs, ``updated`` ones from what they hold, and from what is ``read``."""
    outs, ins = updated + written, updated + read
    out, row, other, other_row = outs[0], rows[0], outs[-1], rows[-1]
    if len(outs) == 1:
        for j in range(uint64(begin), uint64(end)):  # an index without sign: nobody asks whether it counts from the end
            out[j] = total(ins, row, j)
    else:
        for j in range(uint64(begin), uint64(end)):
            out[j], other[j] = total(ins, row, j), total(ins, other_row, j)


@compiled
def noisy(updated, written, read, rows, noise, particles, seed, stream, first, n, begin, end):
    """The same for the pieces begin..end, and noise[i] times fresh normals in output i."""
    outs, ins = updated + written, updated + read
    out, row, other, other_row = outs[0], rows[0], outs[-1], rows[-1]
    z = scratch(1, PIECE + 4 * LANES)[0]
    for piece in range(begin, end):
        left, right, at = drawn(z, piece, particles, out.size // particles, seed, stream, first, n)
        size, left, at = uint64(right - left), uint64(left), uint64(at)
        if len(outs) == 1:
            for j in range(size):
                out[left + j] = total(ins, row, left + j) + noise[0] * z[at + j]
        else:
            for j in range(size):
                value = total(ins, row, left + j) + noise[0] * z[at + j]
                other_value = total(ins, other_row, left + j) + noise[-1] * z[at + j]
                out[left + j], other[left + j] = value, other_value
