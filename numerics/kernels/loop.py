"""The loop of ``numerics.solvers.running``, with the normals of a place."""

from __future__ import annotations

from typing import Any

from array_api_compat import array_namespace

from ..solvers.predictions import Predict
from ..solvers.running import run
from ..solvers.table import Table
from .places import Place, split


def looped(table: Table, predict: Predict, x: Any, place: Place, kernel: Any) -> Any:
    """x at the end of the table; a kernel draws."""
    d = split(tuple(x.shape))[1]

    def draw(row: int, x: Any) -> Any:
        z = array_namespace(x).empty_like(x)
        kernel.normal(z, place.of_row(row, d))
        return z

    return run(table, predict, x, draw)
