r"""A whole chain on an exact world in one launch, the state in registers from the first row to the last."""

# What Triton compiles has the spelling of Python, and no more:
# pyright: reportMissingImports=false, reportIndexIssue=false, reportGeneralTypeIssues=false

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
import triton
import triton.language as tl

from .places import Place, split
from .steps import ELSEWHERE, HALF, LOG, NOISE, OF_HELD, OF_P, OF_X, PULL_MEAN, PULL_X, SCALE, Steps
from .triton_noise import OPTIONS, four

LARGEST = 8  # coordinates in registers
HELD = 8  # logarithms of components in registers
NEVER = -1e30  # the logarithm of no probability: finite, so that it can be subtracted from itself


@triton.jit(do_not_specialize=["particles", "length", "first", "block", "stream", "seed"])
def in_registers(x, rows, terms, particles, length, first, block, stream, seed,
                 D: tl.constexpr, CHUNKS: tl.constexpr, CHUNK: tl.constexpr, SKIP: tl.constexpr,
                 noisy: tl.constexpr, remembers: tl.constexpr, BLOCK: tl.constexpr):  # fmt: skip
    """A lane has some particles, and each of them D coordinates, and looks at CHUNK components at a time."""
    TOGETHER: tl.constexpr = 4 if D % 4 == 0 else (2 if D % 2 == 0 else 1)  # coordinates that share a counter for sure
    i = tl.program_id(0).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
    inside = i < particles
    at = ()
    for j in tl.static_range(D):
        at += (tl.load(x + i * D + j, inside, 0.0),)
    nothing = tl.zeros((BLOCK,), tl.float32)
    held = (nothing,) * D
    # Normals wait in a queue: what a step leaves of a counter is for the next one.
    particle, queue = i.to(tl.uint64) + first.to(tl.uint64), (nothing, nothing, nothing, nothing)
    stream, seed = stream.to(tl.uint32), seed.to(tl.uint64)
    if noisy and SKIP:
        queue = four(particle, block.to(tl.uint32), stream, seed)
        for _ in tl.static_range(SKIP):
            queue = (queue[1], queue[2], queue[3], queue[0])
    for k in range(length):
        # The prediction: what each component pulls, by how likely it is.  exp2, for logarithms are to base 2.
        largest, total, pull, means = nothing - float("inf"), nothing, nothing, (nothing,) * D
        for _ in range(CHUNKS):
            logs, before = (), largest
            for c in tl.static_range(CHUNK):
                term = terms + c * (3 + 2 * D)
                square = nothing
                for j in tl.static_range(D):
                    apart = at[j] - tl.load(term + 3 + j)
                    square = apart * apart if j == 0 else tl.fma(apart, apart, square)
                logs += (tl.fma(square, tl.load(term + 1), tl.load(term)),)
                largest = tl.maximum(largest, logs[c])
            if CHUNKS > 1:
                shrunk = tl.exp2(before - largest)
                total, pull = total * shrunk, pull * shrunk
                scaled = ()
                for j in tl.static_range(D):
                    scaled += (means[j] * shrunk,)
                means = scaled
            for c in tl.static_range(CHUNK):
                term = terms + c * (3 + 2 * D)
                p = tl.exp2(logs[c] - largest)
                total += p
                pull = tl.fma(p, tl.load(term + 2), pull)
                added = ()
                for j in tl.static_range(D):
                    added += (tl.fma(p, tl.load(term + 3 + D + j), means[j]),)
                means = added
            terms += CHUNK * (3 + 2 * D)
        # The row.
        weight = 1.0 / total
        of_x, of_p, of_held, noise = tl.load(rows), tl.load(rows + 1), tl.load(rows + 2), tl.load(rows + 3)
        rows += 4
        new, seen = (), ()
        for j in tl.static_range(D):
            p = tl.fma(pull, at[j], means[j]) * weight
            y = tl.fma(p, of_p, of_x * at[j])
            if remembers:
                y = tl.fma(held[j], of_held, y)
                seen += (p,)
            if noisy:
                if (SKIP + j) % TOGETHER == 0:
                    n = SKIP + k * D + j
                    if TOGETHER == 4 or n % 4 == 0:
                        queue = four(particle, (block + n // 4).to(tl.uint32), stream, seed)
                y = tl.fma(queue[0], noise, y)
                queue = (queue[1], queue[2], queue[3], queue[0])
            new += (y,)
        at = new
        if remembers:
            held = seen
    for j in tl.static_range(D):
        tl.store(x + i * D + j, at[j], inside)


def chain(x: Any, steps: Steps, place: Place) -> None:
    """x at the end of the chain, in place, (N, d) or (N,), float32.

    Raises ValueError beyond d = 8: a lane has no more registers.
    """
    particles, d = split(tuple(x.shape))
    if d > LARGEST:
        raise ValueError(f"x has {d} coordinates; a chain in registers has at most {LARGEST}: {ELSEWHERE}")
    if not x.numel():
        return
    rows, terms = (torch.from_numpy(part).to(x.device) for part in tables(steps))
    lanes = 4 if d <= 2 else 2 if d <= 4 else 1
    block = 128 * lanes
    with torch.cuda.device_of(x):
        in_registers[(triton.cdiv(particles, block),)](
            x, rows, terms, particles, len(rows), place.first, place.n // 4, place.stream, place.seed,
            D=d, CHUNKS=terms.shape[1], CHUNK=terms.shape[2], SKIP=place.n % 4,
            noisy=steps.stochastic, remembers=steps.remembers, BLOCK=block, **OPTIONS,
        )  # fmt: skip


def tables(steps: Steps) -> tuple[Any, Any]:
    """What the kernel reads: (T, 4) and (T, chunks, components of a chunk, 3 + 2d), in single precision.

    Of each component the logarithm and minus half the inverse variance, to base 2, the pull of x, where the mean is
    seen, and the pull of the mean.  A component that fills up the last chunk is never likely.
    """
    rows, of, means = (np.asarray(part, dtype=np.float64) for part in (steps.rows, steps.terms, steps.means))
    length, components = of.shape[:2]
    chunks = -(-components // HELD)
    chunk = -(-components // chunks)
    terms = np.zeros((length, chunks * chunk, 3 + 2 * means.shape[-1]), dtype=np.float32)
    terms[:, components:, 0] = NEVER
    seen, pulled = rows[:, SCALE, None, None] * means, of[:, :, PULL_MEAN, None] * means
    found = [of[:, :, [LOG, HALF]] / math.log(2), of[:, :, [PULL_X]], seen, pulled]
    terms[:, :components] = np.concatenate(found, axis=-1)
    rows = np.ascontiguousarray(rows[:, [OF_X, OF_P, OF_HELD, NOISE]], dtype=np.float32)
    return rows, terms.reshape(length, chunks, chunk, -1)
