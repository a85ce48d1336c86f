"""Rows on torch tensors without compiling anything: each term is added into the output, which no copy leaves.

Normals are filled in by the fused kernel of the device where there is one, and by the reference where there is none.
Tensors in bfloat16 are added up in single precision, part by part.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib.util import find_spec

import torch

from . import reference
from .places import Place, split
from .steps import Steps

PART = 2**18  # elements whose normals, or sums, are in memory at a time


def normal(out: torch.Tensor, place: Place) -> None:
    """Fills ``out`` with its normals."""
    if out.device.type == "cpu" and out.dtype == torch.float32 and find_spec("numba"):
        from .with_numba import normal as filled
    elif out.device.type == "cuda" and out.dtype != torch.float64 and find_spec("triton"):
        from .with_triton import normal as filled
    else:
        filled = reference.normal
    filled(out, place)


@torch.no_grad()
def combine(
    outs: Sequence[torch.Tensor],
    ins: Sequence[torch.Tensor],
    rows: Sequence[Sequence[float]],
    noise: float,
    place: Place,
) -> None:
    """outs[i] = sum_j rows[i][j] ins[j], and noise times fresh normals into the first of them.

    An output may be one of the inputs.
    """
    wide = torch.promote_types(outs[0].dtype, torch.float32)
    for begin, end in _parts(outs[0]):
        parts, given = [out[begin:end] for out in outs], [array[begin:end] for array in ins]
        straight = len(outs) == 1 and wide == outs[0].dtype
        sums = parts if straight else [torch.empty_like(part, dtype=wide) for part in parts]
        for total, row in zip(sums, rows):
            _add_up(total, given, row)
        if noise:
            fresh = torch.empty_like(sums[0])
            normal(fresh, place.of_part(begin))
            sums[0].add_(fresh, alpha=noise)
        if not straight:
            for part, total in zip(parts, sums):
                part.copy_(total)


def chain(x: torch.Tensor, steps: Steps, place: Place) -> None:
    """x at the end of the chain, in place, (N, d) or (N,): the loop of the reference."""

    def drawn(like: torch.Tensor, at: Place) -> torch.Tensor:
        fresh = torch.empty_like(like)
        normal(fresh, at)
        return fresh

    with torch.no_grad():
        for begin, end in _parts(x, len(steps.means)):
            reference.chain(x[begin:end], steps, place.of_part(begin), drawn)


def _add_up(total: torch.Tensor, ins: Sequence[torch.Tensor], row: Sequence[float]) -> None:
    """total = sum_j row[j] ins[j]; what total itself is comes first, and once."""
    own = [array.data_ptr() == total.data_ptr() for array in ins]
    terms = [(array, c) for array, c, mine in zip(ins, row, own) if not mine]
    if any(own):
        terms.insert(0, (total, sum(c for c, mine in zip(row, own) if mine)))
    if not terms:
        total.zero_()
    for k, (array, c) in enumerate(terms):
        if k:
            total.add_(array, alpha=c)
        elif array.dtype == total.dtype:
            torch.mul(array, c, out=total)
        else:
            total.copy_(array).mul_(c)


def _parts(x: torch.Tensor, times: int = 1) -> Iterator[tuple[int, int]]:
    """Particles begin..end of parts that are not too large, if each element is needed so many times."""
    particles, d = split(tuple(x.shape))
    together = max(1, PART // (max(d, 1) * times))
    for begin in range(0, particles, together):
        yield begin, min(begin + together, particles)
