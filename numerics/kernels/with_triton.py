"""One row of a table in one pass over memory, on a GPU (CUDA).

Arithmetic is in single precision, whatever the arrays are stored in.

What limits a row, by what is compiled for sm_90: with two inputs, one output and noise an element takes 46 instructions
in fp32 and 49 in bf16 (9 and 12 without noise), and 12 or 6 bytes.  An H100 executes 120 instructions while it moves 12
bytes.  So in fp32 memory is the limit, and noise is hidden behind it; in bf16 the two are close.  A thread takes 64
registers and reads 16 or 8 bytes at once.  Below some megabytes the launch takes longer than all of it (``graphs``).
"""

# What Triton compiles has the spelling of Python, and no more:
# pyright: reportMissingImports=false, reportIndexIssue=false, reportGeneralTypeIssues=false

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import triton
import triton.language as tl

from .places import Place, split
from .triton_chain import chain
from .triton_noise import PLACE, drawn, normal, tile, tiled

__all__ = ["chain", "combine", "normal"]


@triton.jit
def combined(outs, ins, rows, noise, begin, offset, inside, z, noisy: tl.constexpr):
    """outs[i] = sum_j rows[i][j] ins[j], and noise z into the first, at these offsets.

    All inputs are read before anything is written: an output may be one of them.
    """
    x = ()
    for j in tl.static_range(len(ins)):
        x += (tl.load(ins[j] + begin + offset, inside).to(tl.float32),)
    for i in tl.static_range(len(outs)):
        y = rows[i * len(ins)] * x[0]
        for j in tl.static_range(1, len(ins)):
            y = tl.fma(x[j], rows[i * len(ins) + j], y)
        if noisy and i == 0:
            y = tl.fma(z, noise, y)
        tl.store(outs[i] + begin + offset, y.to(outs[i].dtype.element_ty), inside)


@triton.jit(do_not_specialize=PLACE)
def one_row(outs, ins, rows, noise, particles, d, counters, skip, first, block, stream, seed,
            noisy: tl.constexpr, aligned: tl.constexpr, TILE: tl.constexpr, COLUMNS: tl.constexpr):  # fmt: skip
    begin, offset, inside, particle, q = tile(tl.program_id(0), particles, d, counters, skip, aligned, TILE, COLUMNS)
    z = drawn(particle, q, first, block, stream, seed, TILE) if noisy else 0.0
    combined(outs, ins, rows, noise, begin, offset, inside, z, noisy)


def combine(
    outs: Sequence[Any], ins: Sequence[Any], rows: Sequence[Sequence[float]], noise: float, place: Place
) -> None:
    """outs[i] = sum_j rows[i][j] ins[j], and noise times fresh normals into the first of them."""
    out = outs[0]
    if not out.numel():
        return
    # Without noise an array is one particle, however it is shaped.
    shape, place = (split(tuple(out.shape)), place) if noise else ((1, out.numel()), Place())
    grid, at, constants = tiled(*shape, place)
    numbers = tuple(float(c) for row in rows for c in row)
    with torch.cuda.device_of(out):
        one_row[grid](tuple(outs), tuple(ins), numbers, float(noise), *at, noisy=bool(noise), **constants)
