"""The loop of ``numerics.solvers.running`` on a few buffers: a row is one pass, and allocates nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
from array_api_compat import array_namespace

from ..solvers.predictions import Predict
from ..solvers.running import NotFinite
from ..solvers.table import PREDICTION, STATE, Row, Sum, Table
from . import checked, reference
from .checked import INPUTS, OUTPUTS
from .places import Place, split


def looped(table: Table, predict: Predict, x: Any, place: Place, kernel: Any) -> Any:
    """x at the end of the table, a new array; ``kernel`` is the backend that combines."""
    d = split(tuple(x.shape))[1]
    place.of_row(len(table.rows) - 1, d).reaches(tuple(x.shape))
    state = copied(x)
    registers, own = {STATE: state}, [state]  # what the network made is never written into
    for k, row in enumerate(table.rows):
        where = f"row {k} of {len(table.rows)}"
        if row.level is not None:
            registers[PREDICTION] = _asked(predict, row, registers, own, where)
        moved, sums = _sorted(row)
        new = registers | {target: registers[source] for target, source in moved.items()}
        stay = [array for name, array in new.items() if name not in sums]
        names = list(dict.fromkeys(name for sum_ in sums.values() for name in sum_))
        read = [registers[name] for name in names]
        outs: list[Any] = []
        for target in sums:
            taken = [*stay, *outs] + (read if len(sums) > OUTPUTS else [])
            mine = registers.get(target)
            if not _among(mine, own) or _among(mine, taken):
                spare = [a for a in own if not _among(a, [*taken, *registers.values()])]
                mine = spare[0] if spare else array_namespace(x).empty_like(state)
                own += [] if spare else [mine]
            outs.append(mine)
        if sums:
            fits = len(outs) <= OUTPUTS and len(read) <= INPUTS  # beyond that no kernel is fused
            combine = kernel.combine if fits else reference.combine
            rows = [[sum_.get(name, 0.0) for name in names] for sum_ in sums.values()]
            combine(outs, read, rows, row.noise, place.of_row(k, d))
        registers = new | dict(zip(sums, outs))
    end = registers[STATE]
    return finite(end if _among(end, own) else copied(end))


def _sorted(row: Row) -> tuple[dict[str, str], dict[str, Sum]]:
    """Which registers of a row take over another one as it is, and which are computed, x first."""
    maps = dict(row.maps)
    moved = {target: next(iter(sum_)) for target, sum_ in maps.items() if list(sum_.values()) == [1.0]}
    if row.noise:
        maps = {STATE: maps.get(STATE, {STATE: 1.0}), **maps}
        moved.pop(STATE, None)
    sums = {target: maps[target] for target in sorted(maps, key=STATE.__ne__) if target not in moved}
    return {target: source for target, source in moved.items() if target != source}, sums


def _asked(predict: Predict, row: Row, registers: dict[str, Any], own: list[Any], where: str) -> Any:
    """What the network says about x, if a kernel can read it."""
    assert row.level is not None
    x = registers[STATE]
    p = predict(x, row.level)
    checked.like(p, x, f"{where}: the prediction", "x")
    p = np.ascontiguousarray(p) if isinstance(p, np.ndarray) else p.detach().contiguous()
    for name, held in registers.items():
        if name != PREDICTION and not _among(held, own) and checked.overlap(p, held):
            raise ValueError(
                f"{where}: the network wrote its prediction over an earlier one, which {name} remembers; expected an "
                "array of its own from each call: return a copy"
            )
    return copied(p) if any(checked.overlap(p, mine) for mine in own) else p  # it may hand back what it was given


def _among(array: Any, arrays: list[Any]) -> bool:
    return any(array is other for other in arrays)


def copied(x: Any) -> Any:
    """A contiguous copy, without gradient."""
    return np.array(x, order="C") if isinstance(x, np.ndarray) else x.detach().contiguous().clone()


def finite(x: Any) -> Any:
    """x.  Raises NotFinite if it is not finite everywhere."""
    xp = array_namespace(x)
    if not bool(xp.all(xp.isfinite(x))):
        raise NotFinite("x is not finite at the end; numerics.solvers.running.run(table, predict, x) says in which row")
    return x
