"""Kernels that lay open what the kernels are made of."""

# pyright: reportMissingImports=false

import triton
import triton.language as tl

from numerics.kernels.triton_noise import direction, philox, radius, tile


@triton.jit(do_not_specialize=["first", "block", "stream", "seed"])
def words(out, first, block, stream, seed, BLOCKS: tl.constexpr, N: tl.constexpr):
    """The words of N particles and BLOCKS counters of each, (N, 4 BLOCKS) of int32."""
    i, q = tl.arange(0, N * BLOCKS) // BLOCKS, tl.arange(0, N * BLOCKS) % BLOCKS
    particle = i.to(tl.uint64) + first.to(tl.uint64)
    counter, high = (q.to(tl.int64) + block).to(tl.uint32), (particle >> 32).to(tl.uint32)
    w0, w1, w2, w3 = philox(particle.to(tl.uint32), high, counter, stream.to(tl.uint32), seed.to(tl.uint64))
    at = out + 4 * tl.arange(0, N * BLOCKS)
    tl.store(at, w0.to(tl.int32, bitcast=True))
    tl.store(at + 1, w1.to(tl.int32, bitcast=True))
    tl.store(at + 2, w2.to(tl.int32, bitcast=True))
    tl.store(at + 3, w3.to(tl.int32, bitcast=True))


@triton.jit
def box_muller(w0, w1, r, c, s, N: tl.constexpr):
    """The radius of words w0 and the directions of words w1, (N,) of int32."""
    i = tl.arange(0, N)
    tl.store(r + i, radius(tl.load(w0 + i).to(tl.uint32, bitcast=True)))
    x, y = direction(tl.load(w1 + i).to(tl.uint32, bitcast=True))
    tl.store(c + i, x)
    tl.store(s + i, y)


@triton.jit(do_not_specialize=["program", "particles", "d", "counters", "skip"])
def tiles(
    at,
    inside,
    of,
    program,
    particles,
    d,
    counters,
    skip,
    aligned: tl.constexpr,
    TILE: tl.constexpr,
    COLUMNS: tl.constexpr,
):
    """Where the tile of a program stands: indices, masks, particles and counters, of int64."""
    begin, offset, mask, particle, q = tile(program, particles, d, counters, skip, aligned, TILE, COLUMNS)
    lane = tl.arange(0, TILE)
    place = 4 * lane[:, None] + tl.arange(0, 4)
    tl.store(at + place, begin + offset)
    tl.store(inside + place, mask.to(tl.int64))
    tl.store(of + lane, particle.to(tl.int64))
    tl.store(of + TILE + lane, q.to(tl.int64))
