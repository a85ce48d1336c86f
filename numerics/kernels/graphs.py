"""A sampler around a network as a CUDA graph, whose replays do not repeat their noise.

A step on a few megabytes takes a GPU a microsecond or two, and Python ten times as long to launch; a graph is launched
once for all.  But it replays its kernels with the arguments that they were captured with: a seed among them, and every
run would draw the same.  So the number of the row, the coefficients, the seed and the number of the first particle
stand in the memory of the device.  The kernel reads them, and the last of its programs to finish writes down what comes
next: the next row, and after the last one the next particles.
"""

# What Triton compiles has the spelling of Python, and no more:
# pyright: reportMissingImports=false, reportIndexIssue=false, reportGeneralTypeIssues=false

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import triton
import triton.language as tl

from ..noise import RUN
from ..solvers.grids import Level
from ..solvers.predictions import Predict
from ..solvers.table import Table
from . import checked
from .places import Place, split
from .triton_noise import drawn, tile, tiled
from .with_triton import combined

SEED, FIRST, ROW, FINISHED = range(4)  # what stands in the memory of the device
STREAM = tl.constexpr(RUN)


@triton.jit(do_not_specialize=["length", "particles", "d", "counters"])
def next_row(outs, ins, rows, place, length, particles, d, counters,
             noisy: tl.constexpr, aligned: tl.constexpr, TILE: tl.constexpr, COLUMNS: tl.constexpr):  # fmt: skip
    """One row, and the place of the next one.  A row is outs times ins coefficients and that of noise."""
    seed, first, k = tl.load(place), tl.load(place + 1), tl.load(place + 2)
    numbers = rows + k * (len(outs) * len(ins) + 1)
    row = ()
    for j in tl.static_range(len(outs) * len(ins)):
        row += (tl.load(numbers + j),)
    n = k * d
    begin, offset, inside, particle, q = tile(tl.program_id(0), particles, d, counters, n % 4, aligned, TILE, COLUMNS)
    z = drawn(particle, q, first, n // 4, tl.full((), STREAM, tl.uint32), seed, TILE) if noisy else 0.0
    combined(outs, ins, row, tl.load(numbers + len(outs) * len(ins)), begin, offset, inside, z, noisy)
    tl.debug_barrier()  # all lanes have read where they are
    if tl.atomic_add(place + 3, 1) == tl.num_programs(0) - 1:
        over = k + 1 == length
        tl.store(place + 1, first + tl.where(over, particles, 0))
        tl.store(place + 2, tl.where(over, 0, k + 1))
        tl.store(place + 3, tl.zeros_like(k))


class Rows:
    """The rows of a table in the memory of a device, one after another, and around again with the next particles.

    ``registers`` are the state, like x, and an earlier prediction, where the table remembers one.

    Raises ValueError for a table with more registers, TypeError unless x is float32 or bfloat16.
    """

    def __init__(self, table: Table, x: Any) -> None:
        names = table.registers
        if len(names) > 2:
            raise ValueError(
                f"{table.method} remembers {', '.join(names[1:])}; expected one register beside x: run it row by row, "
                "kernels.run(table, predict, x)"
            )
        if x.dtype not in (torch.float32, torch.bfloat16):
            raise TypeError(f"x has dtype {x.dtype}; expected float32 or bfloat16: convert it, or use kernels.run")
        rows = [np.append(m, row.noise) for row, m in table.matrices()]
        self.table, self.noisy = table, table.stochastic
        self.registers = [torch.zeros_like(x, memory_format=torch.contiguous_format) for _ in names]
        self.rows = torch.tensor(np.array(rows), dtype=torch.float32, device=x.device)
        self.place = torch.zeros(4, dtype=torch.int64, device=x.device)

    def begin(self, x: Any, seed: int | None = None, first: int = 0) -> None:
        """x into the state, at the first row; with a seed, to draw elsewhere than where the last run ended.

        Raises ValueError or TypeError for another x than the rows were made for, for what is no seed and no first
        particle, or has not so many, and for a first particle without a seed.
        """
        checked.like(x, self.registers[0], "x", "the one it was made for")
        if seed is None and first:
            raise ValueError(f"first is {first}, and there is no seed; expected both, or none to go on: add the seed")
        for register in self.registers[1:]:
            register.zero_()
        self.registers[0].copy_(x.detach())
        self.place[ROW:].zero_()  # where the last run was interrupted
        if seed is not None:
            shape = tuple(x.shape)
            Place(seed, RUN, first).of_row(len(self.rows) - 1, split(shape)[1]).reaches(shape)
            self.place.copy_(torch.from_numpy(np.array([seed, first, 0, 0], dtype=np.uint64).view(np.int64)))

    def __call__(self, prediction: Any) -> None:
        """The next row: registers become sums of registers and the prediction, which is None where none was asked.

        Raises ValueError or TypeError unless the prediction is like x.
        """
        x = self.registers[0]
        particles, d = split(tuple(x.shape))
        if prediction is not None:
            checked.like(prediction, x, "the prediction", "x")
        p = x if prediction is None else prediction.contiguous()
        grid, at, constants = tiled(particles, d, Place(n=3 if d % 4 else 0))  # room for a row that begins at n = 3
        with torch.cuda.device_of(x):
            next_row[grid](
                tuple(self.registers), (*self.registers, p), self.rows, self.place, len(self.rows), *at[:3],
                noisy=self.noisy, **constants,
            )  # fmt: skip


class Replay:
    """A sampler as a CUDA graph: ``replay(x)`` is x at the end of the table, from x at its first level.

    Each run draws for the next particles, as many as x has; ``replay(x, seed, first)`` for those.  So runs of a batch
    of B from first = 0 on are, batch by batch, the one run of all particles.

    With ``whole`` the graph is the whole loop, and the network is told numbers; it is asked once in each row.  Without,
    the graph is one row and is replayed for each, and the network is told tensors without axes, which it must not look
    into.

    Raises ValueError where x is not on a CUDA device, a table holds more than an earlier prediction, or, without
    ``whole``, a row asks no network.
    """

    def __init__(
        self, table: Table, predict: Predict, x: Any, seed: int = 0, first: int = 0, whole: bool = True
    ) -> None:
        if x.device.type != "cuda":
            raise ValueError(
                f"x is on {x.device}; expected a CUDA device: elsewhere use kernels.run(table, predict, x)"
            )
        if not whole and any(row.level is None for row in table.rows):
            raise ValueError(f"{table.method} has a row that asks no network: capture it whole")
        self.rows, self.predict = Rows(table, x), predict
        self.levels = None if whole else self._levels(table, x)
        self.times = 1 if whole else len(table.rows)
        aside = torch.cuda.Stream(x.device)
        aside.wait_stream(torch.cuda.current_stream(x.device))
        with torch.cuda.device(x.device), torch.cuda.stream(aside), torch.no_grad():  # compiling is done once
            self.rows.begin(x, seed, first)
            self._captured()
        torch.cuda.current_stream(x.device).wait_stream(aside)
        self.graph = torch.cuda.CUDAGraph()
        with torch.cuda.device(x.device), torch.cuda.graph(self.graph), torch.no_grad():
            self._captured()
        self.rows.begin(x, seed, first)

    def __call__(self, x: Any, seed: int | None = None, first: int = 0) -> Any:
        self.rows.begin(x, seed, first)
        for _ in range(self.times):
            self.graph.replay()
        return self.rows.registers[0].clone()

    def _captured(self) -> None:
        rows, state = self.rows, self.rows.registers[0]
        if self.levels is not None:
            told: Any = torch.index_select(self.levels, 0, rows.place[ROW : ROW + 1])[0]
            rows(self.predict(state, Level(*told.unbind())))
            return
        for row in rows.table.rows:
            rows(None if row.level is None else self.predict(state, row.level))

    @staticmethod
    def _levels(table: Table, x: Any) -> Any:
        return torch.tensor([tuple(row.level or ()) for row in table.rows], dtype=torch.float32, device=x.device)
