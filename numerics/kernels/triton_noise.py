"""The normals of ``numerics.noise`` on a GPU: the same words bit for bit, the same normals to 1e-6.

A normal takes 36 instructions, counted in what is compiled for sm_90: five products of Philox, each of 32 bits into 64
in one instruction, nine fused multiply-adds of three polynomials, and the rest in shifts and exclusive ors.

The logarithm, the sine and the cosine are polynomials in arithmetic whose rounding is known.  Those of the hardware are
off by 3e-6 where a normal is large, and those of the library reduce angles that no draw has, in local memory.  A radius
is off by 3.9e-7 at most, a direction by 5.3e-8, and their product is rounded once more: 9.9e-7 at the very end of the
tail.

Every fused multiply-add is written out and none is left to the compiler (``enable_fp_fusion`` is off), so that what is
written is what is computed, by any version of Triton.
"""

# What Triton compiles has the spelling of Python, and no more:
# pyright: reportMissingImports=false, reportIndexIssue=false, reportGeneralTypeIssues=false

from __future__ import annotations

from typing import Any

import torch
import triton
import triton.language as tl

from ..noise import MULTIPLIERS, ROUNDS, WEYL
from .places import Place, split

M0, M1, W0, W1 = (tl.constexpr(number) for number in (*MULTIPLIERS, *WEYL))
TIMES = tl.constexpr(ROUNDS)

TILE = 512  # counters of a program, of four normals each
OPTIONS = {"num_warps": 4, "enable_fp_fusion": False}


@triton.jit
def philox(low, high, block, stream, seed):
    """Four words for each counter: particle low, particle high, n // 4, stream, under a 64-bit seed."""
    c0, c1, c2, c3 = low, high, block, stream
    k0, k1 = seed.to(tl.uint32), (seed >> 32).to(tl.uint32)
    for _ in tl.static_range(TIMES):
        p0 = c0.to(tl.uint64) * M0
        p1 = c2.to(tl.uint64) * M1
        c0, c1 = (p1 >> 32).to(tl.uint32) ^ c1 ^ k0, p1.to(tl.uint32)
        c2, c3 = (p0 >> 32).to(tl.uint32) ^ c3 ^ k1, p0.to(tl.uint32)
        k0 += W0
        k1 += W1
    return c0, c1, c2, c3


@triton.jit
def radius(w):
    r"""sqrt(-2 log u) for u = (w + 1/2) / 2^32, from 2^e (1 + f) with 1 + f between sqrt(1/2) and sqrt(2)."""
    u = (w.to(tl.float32) + 0.5).to(tl.int32, bitcast=True)  # times 2^32, which the exponent takes off
    e = (u - 0x4F3504F3) & -0x800000  # 2^23 e, where 0x4F3504F3 is 2^32 sqrt(1/2)
    f = (u - e - 0x10000000).to(tl.float32, bitcast=True) - 1.0
    q = tl.fma(f, -0.17467253, 0.28883746)
    q = tl.fma(f, q, -0.29958572)
    q = tl.fma(f, q, 0.33104670)
    q = tl.fma(f, q, -0.39907227)
    q = tl.fma(f, q, 0.50004982)
    q = tl.fma(f, q, -0.66668451)
    q = tl.fma(f, q, 0.99999964)
    square = tl.fma(e.to(tl.float32), -1.65259166e-7, tl.fma(f * f, q, -2.0 * f))  # -2 log 2 / 2^23
    # A root to half a unit: the hardware's reciprocal one, and a step of Newton's.
    square = tl.maximum(square, 1e-30)
    y = tl.math.rsqrt(square)
    r = square * y
    return tl.fma(tl.fma(-r, r, square), 0.5 * y, r)


@triton.jit
def direction(w):
    """The cosine and the sine of 2 pi (floor(w / 2^7) + 1/2) / 2^25.

    The two highest bits, rounded, are the quadrant; the rest is the angle from its middle, at most an eighth of a turn.
    """
    t = (((w << 2) & 0xFFFFFE00) | 0x100).to(tl.int32, bitcast=True).to(tl.float32) * 2.3283064365386963e-10
    y = t * t
    s = tl.fma(y, -4.62295689e-3, 7.96898821e-2)
    s = tl.fma(y, s, -0.645964801)
    s = tl.fma(t, 1.57079637, t * y * s)
    c = tl.fma(y, 8.92949288e-4, -2.08550588e-2)
    c = tl.fma(y, c, 0.253668503)
    c = tl.fma(y, c, -1.23370051)
    c = tl.fma(y, c, 1.0)
    quadrant = w + 0x20000000
    odd = (quadrant & 0x40000000) != 0
    x, y = tl.where(odd, s, c), tl.where(odd, c, s)
    return signed(x, quadrant + 0x40000000), signed(y, quadrant)


@triton.jit
def signed(x, bit):
    """x, turned around where the highest bit is set."""
    return (x.to(tl.uint32, bitcast=True) ^ (bit & 0x80000000)).to(tl.float32, bitcast=True)


@triton.jit
def four(particle, block, stream, seed):
    """The four normals of each counter; the particle's number has 64 bits."""
    w0, w1, w2, w3 = philox(particle.to(tl.uint32), (particle >> 32).to(tl.uint32), block, stream, seed)
    c0, s0 = direction(w1)  # Triton 3.6 takes no tuple inside a tuple here
    c1, s1 = direction(w3)
    r0, r1 = radius(w0), radius(w2)
    return r0 * c0, r0 * s0, r1 * c1, r1 * s1


@triton.jit
def joined(z, ROWS: tl.constexpr, COLUMNS: tl.constexpr):
    """Four arrays of normals as the columns 0, 1, 2, 3, 4, ... of one."""
    return tl.reshape(tl.join(tl.join(z[0], z[2]), tl.join(z[1], z[3])), (ROWS, COLUMNS))


# An array of particles times coordinates in tiles.  A lane has one counter, and so four neighbors of one particle.


@triton.jit
def tile(program, particles, d, counters, skip, aligned: tl.constexpr, TILE: tl.constexpr, COLUMNS: tl.constexpr):
    """Of a program: where its tile begins, offsets and mask in it, (TILE, 4), its particles and its counters, (TILE,).

    A particle has so many counters, and ``skip`` numbers of the first one lie before its first coordinate.  Only where
    a tile begins needs 64 bits.
    """
    across = tl.cdiv(counters, COLUMNS)
    top = (program // across).to(tl.int64) * (TILE // COLUMNS)
    left = (program % across).to(tl.int64) * COLUMNS
    lane = tl.arange(0, TILE)
    i, q = lane // COLUMNS, lane % COLUMNS
    inside = ((i < particles - top) & (q < counters - left))[:, None]
    if aligned:  # written such that the compiler sees four neighbors that are loaded at once
        begin, offset = 4 * (top * counters + left), 4 * (i * counters.to(tl.int32) + q)[:, None] + tl.arange(0, 4)
    else:
        column = 4 * q[:, None] + tl.arange(0, 4) - skip
        begin, offset = top * d + 4 * left, (i * d.to(tl.int32))[:, None] + column
        inside = inside & (column >= -4 * left) & (column < d - 4 * left)
    return begin, offset, inside, top + i, left + q


@triton.jit
def drawn(particle, q, first, block, stream, seed, TILE: tl.constexpr):
    """The normals of a tile, (TILE, 4), its first particle and counter being these."""
    counter = (q + block).to(tl.uint32)
    z = four(particle.to(tl.uint64) + first.to(tl.uint64), counter, stream.to(tl.uint32), seed.to(tl.uint64))
    return joined(z, TILE, 4)


PLACE = ["particles", "d", "counters", "skip", "first", "block", "stream", "seed"]


@triton.jit(do_not_specialize=PLACE)
def fill(out, particles, d, counters, skip, first, block, stream, seed,
         aligned: tl.constexpr, TILE: tl.constexpr, COLUMNS: tl.constexpr):  # fmt: skip
    begin, offset, inside, particle, q = tile(tl.program_id(0), particles, d, counters, skip, aligned, TILE, COLUMNS)
    z = drawn(particle, q, first, block, stream, seed, TILE)
    tl.store(out + begin + offset, z.to(out.dtype.element_ty), inside)


def tiled(particles: int, d: int, place: Place) -> tuple[tuple[int], tuple[int, ...], dict[str, Any]]:
    """The grid of an array in tiles, the arguments of ``PLACE``, and the constants."""
    skip = place.n % 4
    counters = (skip + d + 3) // 4
    columns = min(TILE, triton.next_power_of_2(counters))
    grid = triton.cdiv(particles, TILE // columns) * triton.cdiv(counters, columns)
    at = (particles, d, counters, skip, place.first, place.n // 4, place.stream, place.seed)
    return (grid,), at, {"aligned": not (skip or d % 4), "TILE": TILE, "COLUMNS": columns, **OPTIONS}


def normal(out: Any, place: Place) -> None:
    """Fills ``out`` with its normals."""
    if not out.numel():
        return
    grid, at, constants = tiled(*split(tuple(out.shape)), place)
    with torch.cuda.device_of(out):
        fill[grid](out, *at, **constants)
