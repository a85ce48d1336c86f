r"""A whole chain on an exact world in one launch: the state stays in registers from the first row to the last.

Memory is read once and written once for each particle, however many rows there are.  What limits a chain is
arithmetic.  At d = 2 and K = 8 a step of a particle takes about 210 instructions (counted in what is compiled for
sm_90): 13 for each component, 80 for two normals, and a share of the 62 loads of the table, which a thread makes once
for its four particles.

Components are looked at eight at a time (four beyond d = 8): first their logarithms and the largest one, then their
exponentials, so that there is one for each of them and one correction for all eight.
"""

# What Triton compiles has the spelling of Python, and no more:
# pyright: reportMissingImports=false, reportIndexIssue=false, reportGeneralTypeIssues=false, reportAttributeAccessIssue=false

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
import triton
import triton.language as tl
from numpy.typing import NDArray

from .places import Place, split
from .steps import ELSEWHERE, HALF, LOG, NOISE, OF_HELD, OF_P, OF_X, PULL_MEAN, PULL_X, SCALE, Steps
from .triton_noise import OPTIONS, direction, four, joined, philox, radius

FEW = 8  # coordinates, up to which a lane has them all
MANY = 64  # coordinates, up to which neighboring lanes share a particle
CHAIN = ["particles", "length", "first", "block", "stream", "seed"]


@triton.jit(do_not_specialize=CHAIN)
def in_a_lane(
    x, rows, terms, particles, length, first, block, stream, seed,
    D: tl.constexpr, CHUNKS: tl.constexpr, CHUNK: tl.constexpr, SKIP: tl.constexpr,
    noisy: tl.constexpr, remembers: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    """Up to eight coordinates: a lane has some particles, and all coordinates of each."""
    shared: tl.constexpr = 4 if D % 4 == 0 else (2 if D % 2 == 0 else 1)  # a counter begins only at multiples of it
    i = tl.program_id(0).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
    inside = i < particles
    at = ()
    for j in tl.static_range(D):
        at += (tl.load(x + i * D + j, inside, 0.0).to(tl.float32),)
    none = tl.zeros((BLOCK,), tl.float32)
    held = (none,) * D
    # Normals wait in a queue: what a step leaves of a counter is for the next one.
    particle, stream, seed = i.to(tl.uint64) + first.to(tl.uint64), stream.to(tl.uint32), seed.to(tl.uint64)
    queue = (none, none, none, none)
    if noisy and SKIP:
        queue = four(particle, block.to(tl.uint32), stream, seed)
        for _ahead in tl.static_range(SKIP):
            queue = (queue[1], queue[2], queue[3], queue[0])
    for k in range(length):
        # The prediction: what each component pulls, by how likely it is.
        largest, total, pull, means = none - float("inf"), none, none, (none,) * D
        for _ in range(CHUNKS):
            logs, before = (), largest
            for c in tl.static_range(CHUNK):
                term = terms + c * (4 + 2 * D)
                square = none
                for j in tl.static_range(D):
                    apart = at[j] - tl.load(term + 4 + j)
                    square = apart * apart if j == 0 else tl.fma(apart, apart, square)
                logs += (tl.fma(square, tl.load(term + 1), tl.load(term)),)
                largest = tl.maximum(largest, logs[c])
            if CHUNKS > 1:
                smaller, scaled = tl.exp2(before - largest), ()
                total, pull = total * smaller, pull * smaller
                for j in tl.static_range(D):
                    scaled += (means[j] * smaller,)
                means = scaled
            for c in tl.static_range(CHUNK):
                term = terms + c * (4 + 2 * D)
                p, added = tl.exp2(logs[c] - largest), ()
                total, pull = total + p, tl.fma(p, tl.load(term + 2), pull)
                for j in tl.static_range(D):
                    added += (tl.fma(p, tl.load(term + 4 + D + j), means[j]),)
                means = added
            terms += CHUNK * (4 + 2 * D)
        # The row.
        of_x, of_p, of_held, noise = tl.load(rows), tl.load(rows + 1), tl.load(rows + 2), tl.load(rows + 3)
        rows, weight, new, seen = rows + 4, 1.0 / total, (), ()
        for j in tl.static_range(D):
            p = tl.fma(pull, at[j], means[j]) * weight
            y = tl.fma(p, of_p, of_x * at[j])
            if remembers:
                y = tl.fma(held[j], of_held, y)
                seen += (p,)
            if noisy:
                if (SKIP + j) % shared == 0:
                    n = SKIP + k * D + j
                    if shared == 4 or n % 4 == 0:
                        queue = four(particle, (block + n // 4).to(tl.uint32), stream, seed)
                y = tl.fma(queue[0], noise, y)
                queue = (queue[1], queue[2], queue[3], queue[0])
            new += (y,)
        at = new
        if remembers:
            held = seen
    for j in tl.static_range(D):
        tl.store(x + i * D + j, at[j].to(x.dtype.element_ty), inside)


@triton.jit(do_not_specialize=["d", *CHAIN])
def across_lanes(
    x, rows, terms, d, particles, length, first, block, stream, seed,
    D: tl.constexpr, CHUNKS: tl.constexpr, CHUNK: tl.constexpr, SKIP: tl.constexpr, aligned: tl.constexpr,
    noisy: tl.constexpr, remembers: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    """Up to 64 coordinates, D with what fills up: a lane has four of a particle, and squares go from lane to lane."""
    i, j = tl.program_id(0).to(tl.int64) * BLOCK + tl.arange(0, BLOCK), tl.arange(0, D)
    inside, place = (i < particles)[:, None], i[:, None] * D + j[None, :]
    at = tl.load(x + place, inside, 0.0).to(tl.float32)
    particle, stream, seed = i.to(tl.uint64) + first.to(tl.uint64), stream.to(tl.uint32), seed.to(tl.uint64)
    held = tl.zeros((BLOCK, D), tl.float32)
    for k in range(length):
        means = tl.zeros((BLOCK, D), tl.float32)
        total = tl.zeros((BLOCK,), tl.float32)
        largest, pull = total - float("inf"), total
        for _ in range(CHUNKS):
            logs, before = (), largest
            for c in tl.static_range(CHUNK):
                term = terms + c * (4 + 2 * D)
                apart = at - tl.load(term + 4 + j)[None, :]
                logs += (tl.fma(tl.sum(apart * apart, 1), tl.load(term + 1), tl.load(term)),)
                largest = tl.maximum(largest, logs[c])
            if CHUNKS > 1:
                smaller = tl.exp2(before - largest)
                total, pull, means = total * smaller, pull * smaller, means * smaller[:, None]
            for c in tl.static_range(CHUNK):
                term = terms + c * (4 + 2 * D)
                p = tl.exp2(logs[c] - largest)
                total, pull = total + p, tl.fma(p, tl.load(term + 2), pull)
                means = tl.fma(p[:, None], tl.load(term + 4 + D + j)[None, :], means)
            terms += CHUNK * (4 + 2 * D)
        of_x, of_p, of_held, noise = tl.load(rows), tl.load(rows + 1), tl.load(rows + 2), tl.load(rows + 3)
        rows += 4
        p = tl.fma(pull[:, None], at, means) * (1.0 / total)[:, None]
        new = tl.fma(p, of_p, of_x * at)
        if remembers:
            new, held = tl.fma(held, of_held, new), p
        if noisy:
            if aligned:  # each counter once
                q = tl.arange(0, D // 4) + (block + k * (d // 4))
                z = joined(four(particle[:, None], q.to(tl.uint32)[None, :], stream, seed), BLOCK, D)
            else:  # the counter of each coordinate, and of its four words two
                n = SKIP + k * d + j
                low, high = particle.to(tl.uint32)[:, None], (particle >> 32).to(tl.uint32)[:, None]
                w = philox(low, high, (block + n // 4).to(tl.uint32)[None, :], stream, seed)
                second, odd = (n & 2 != 0)[None, :], (n & 1 != 0)[None, :]
                c, s = direction(tl.where(second, w[3], w[1]))
                z = radius(tl.where(second, w[2], w[0])) * tl.where(odd, s, c)
            new = tl.fma(z, tl.where(j < d, noise, 0.0)[None, :], new)
        at = new
    tl.store(x + place, at.to(x.dtype.element_ty), inside)


def chain(x: Any, steps: Steps, place: Place) -> None:
    """x at the end of the chain, in place, (N, d) or (N,).

    Raises ValueError beyond d = 64: there are no more registers.
    """
    particles, d = split(tuple(x.shape))
    if d > MANY:
        raise ValueError(f"x has {d} coordinates; a chain in registers has at most {MANY}: {ELSEWHERE}")
    if not x.numel():
        return
    width = d if d <= FEW else triton.next_power_of_2(d)
    rows, terms = (torch.from_numpy(part).to(x.device) for part in tables(steps, width))
    at = (particles, len(rows), place.first, place.n // 4, place.stream, place.seed)
    constants = {
        "D": width, "CHUNKS": terms.shape[1], "CHUNK": terms.shape[2], "SKIP": place.n % 4,
        "noisy": steps.stochastic, "remembers": steps.remembers, **OPTIONS,
    }  # fmt: skip
    with torch.cuda.device_of(x):
        if d <= FEW:
            size = 128 * each(particles, d, steps.remembers)
            in_a_lane[(triton.cdiv(particles, size),)](x, rows, terms, *at, BLOCK=size, **constants)
        else:
            size, aligned = 2048 // width, place.n % 4 == d % 4 == 0  # sixteen coordinates for a lane
            filled = torch.nn.functional.pad(x, (0, width - d))
            across_lanes[(triton.cdiv(particles, size),)](
                filled, rows, terms, d, *at, aligned=aligned, BLOCK=size, **constants
            )
            x.copy_(filled[:, :d])


def each(particles: int, d: int, remembers: bool) -> int:
    """How many particles a lane has: the more, the fewer loads for each; but they must fit, and nobody be idle."""
    lanes = 2 if d > 4 and remembers else 4
    while lanes > 1 and particles < lanes * 2**15:
        lanes //= 2
    return lanes


def tables(steps: Steps, width: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """What a kernel reads: (T, 4) and (T, chunks, components of a chunk, 4 + 2 width), in single precision.

    Of each component the logarithm and minus half the inverse variance, both to base 2, the pull of x, nothing, the
    mean where x sees it, and the pull of the mean.  A component that fills up the last chunk is never likely.
    """
    rows, of, means = (np.asarray(part, dtype=np.float64) for part in (steps.rows, steps.terms, steps.means))
    length, components = of.shape[:2]
    chunks = -(-components // (8 if width <= FEW else 4))
    chunk = -(-components // chunks)
    terms = np.zeros((length, chunks * chunk, 4 + 2 * width))
    terms[:, components:, 0] = -np.inf
    known, d = terms[:, :components], means.shape[-1]
    known[..., :2] = of[..., [LOG, HALF]] / math.log(2)
    known[..., 2] = of[..., PULL_X]
    known[..., 4 : 4 + d] = rows[:, SCALE, None, None] * means
    known[..., 4 + width : 4 + width + d] = of[..., PULL_MEAN, None] * means
    numbers = rows[:, [OF_X, OF_P, OF_HELD, NOISE]]
    return single(numbers), single(terms.reshape(length, chunks, chunk, -1))


def single(array: Any) -> NDArray[np.float32]:
    """In single precision, its rows one after another."""
    return np.ascontiguousarray(array, dtype=np.float32)
