r"""A sampler is a table of coefficients.

A sampler holds a few *registers*: the state x, and what it remembers, an earlier prediction or an earlier state.  A
row asks the network about x, which gives the prediction p, and is then an affine map,

.. math:: r_i\leftarrow\sum_j M_{ij}\,r_j+M_{ip}\,p+c_i\,\xi,\qquad\xi\sim\mathcal N(0,I),

where fresh noise goes into x alone.

Nothing else happens in a sampler, so that whoever knows its table knows the sampler: the loop that runs it, the fused
kernels, and the recursion that gives its law without running it, all read the same one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .grids import Grid, Level
from .predictions import x_0_from

Array = NDArray[np.float64]
Sum = Mapping[str, float]  # a sum of registers, each times a number

STATE, PREDICTION = "x", "p"


class Row(NamedTuple):
    """One affine map.  Registers that it does not name stay as they are.

    ``level`` is where the network is asked about x before anything else, None where it is not asked.  After the row x
    is at level ``reached`` of the grid, None where it is in between.
    """

    level: Level | None
    maps: Mapping[str, Sum]
    noise: float = 0.0
    reached: int | None = None


@dataclass(frozen=True)
class Table:
    """The rows of a sampler on a grid, and what is claimed of it.

    ``prediction`` is what the network predicts.  ``order`` is that of the error at the end, in the size of a step on a
    smooth grid that begins with hardly any signal (for a sampler with fresh noise the error of its law); None where
    none is claimed.
    """

    method: str
    grid: Grid
    rows: tuple[Row, ...]
    order: int | None = None
    source: tuple[str, ...] = ()  # the claims that its coefficients come from
    prediction: str = "x_0"

    def __post_init__(self) -> None:
        for k, row in enumerate(self.rows):
            numbers = [row.noise, *(c for sum_ in row.maps.values() for c in sum_.values())]
            if not np.all(np.isfinite(numbers)):
                raise ValueError(f"row {k} of {self.method} has a coefficient that is not finite: {dict(row.maps)}")

    @property
    def registers(self) -> tuple[str, ...]:
        """What is held between rows, x first."""
        seen = dict.fromkeys([STATE, *(name for row in self.rows for name in row.maps)])
        return tuple(seen)

    @property
    def stochastic(self) -> bool:
        """Whether fresh noise is drawn."""
        return any(row.noise for row in self.rows)

    @property
    def evaluations(self) -> int:
        """How often the network is asked."""
        return sum(row.level is not None for row in self.rows)

    def matrices(self) -> Iterator[tuple[Row, Array]]:
        """Each row with its M, (registers, registers and the prediction)."""
        names = self.registers
        column = {name: k for k, name in enumerate((*names, PREDICTION))}
        for row in self.rows:
            m = np.eye(len(names), len(names) + 1)
            for target, sum_ in row.maps.items():
                m[column[target]] = 0
                for name, c in sum_.items():
                    m[column[target], column[name]] = c
            yield row, m

    def predicting(self, kind: str) -> Table:
        """The same sampler around a network that predicts something else than x_0: another basis, the same numbers.

        Raises ValueError for an unknown kind, or where it says nothing about x_0 (noise, at alpha_bar = 0).
        """
        if self.prediction != "x_0":
            raise ValueError(f"the table is already around a network that predicts {self.prediction}")
        return replace(self, rows=tuple(_folded(row, kind) for row in self.rows), prediction=kind)


def _folded(row: Row, kind: str) -> Row:
    if row.level is None:
        return row
    of_x, of_p = x_0_from(kind, row.level)

    def fold(sum_: Sum) -> Sum:
        p = sum_.get(PREDICTION, 0.0)
        if not p:
            return sum_
        return {**sum_, STATE: sum_.get(STATE, 0.0) + p * of_x, PREDICTION: p * of_p}

    return row._replace(maps={target: fold(sum_) for target, sum_ in row.maps.items()})
