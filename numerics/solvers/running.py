"""The reference loop: whatever a table says, on arrays of any library that follows the array API.

In double precision with NumPy it is the reference for the kernels; torch tensors go in and come out, on any device.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
from array_api_compat import array_namespace

from ..statistics.streams import stream
from .predictions import Predict
from .table import PREDICTION, STATE, Row, Sum, Table

Noise = Callable[[int, Any], Any]  # the number of a row, and an array like which fresh normals are wanted


class NotFinite(FloatingPointError):
    """A network gave something that is not a number."""


def run(table: Table, predict: Predict, x: Any, noise: Noise | None = None) -> Any:
    """x at the end of the table, from x at its first level: scale x_0 + noise epsilon, (n, d) or any shape."""
    [(_, last)] = deque(walk(table, predict, x, noise), maxlen=1)
    return last


def walk(
    table: Table, predict: Predict, x: Any, noise: Noise | None = None, held: Mapping[str, Any] | None = None
) -> Iterator[tuple[int, Any]]:
    """The levels of the grid that are reached, by their number, and x there.

    ``predict(x, level)`` is the network, ``noise(row, x)`` draws fresh normals like x; without it NumPy draws them,
    from seed 0.  ``held`` is what other registers hold at the beginning.

    Raises NotFinite (a FloatingPointError) if a prediction is not finite, and ValueError if it has another shape.
    """
    draw = noise or drawn(0)
    registers: dict[str, Any] = dict.fromkeys(table.registers)
    registers |= {**(held or {}), STATE: x}
    for k, row in enumerate(table.rows):
        if row.level is not None:
            registers[PREDICTION] = asked(predict, registers[STATE], row, f"row {k} of {len(table.rows)}")
        new = {target: added(sum_, registers) for target, sum_ in row.maps.items()}
        registers |= new
        if row.noise:
            registers[STATE] = registers[STATE] + row.noise * draw(k, registers[STATE])
        if row.reached is not None:
            yield row.reached, registers[STATE]


def asked(predict: Predict, x: Any, row: Row, where: str) -> Any:
    """What the network says about x, if that is an array like x of finite numbers."""
    level = row.level
    assert level is not None
    p = predict(x, level)
    if tuple(p.shape) != tuple(x.shape):
        raise ValueError(f"{where}: the prediction has shape {tuple(p.shape)}; expected that of x, {tuple(x.shape)}")
    xp = array_namespace(p)
    if not bool(xp.all(xp.isfinite(p))):
        blame = "but x is: look at the network" if bool(xp.all(xp.isfinite(x))) else "and neither is x"
        raise NotFinite(
            f"{where}: the prediction at time {level.time:g} (scale {level.scale:g}, noise {level.noise:g}) is not "
            f"finite everywhere, {blame}"
        )
    return p


def added(sum_: Sum, registers: dict[str, Any]) -> Any:
    """The sum of some registers, each times its number."""
    terms = [registers[name] if c == 1 else c * registers[name] for name, c in sum_.items()]
    total = terms[0]
    for term in terms[1:]:
        total = total + term
    return total


def drawn(seed: int, name: str = "sample", part: int = 0) -> Noise:
    """Fresh normals of NumPy's, the same for a seed whatever the library and the device of x; a stream for each row.

    ``part`` counts particles in parts of a fixed size, so that parts can be drawn anywhere, in any order.
    """

    def draw(row: int, x: Any) -> Any:
        z = stream(seed, name, f"row {row}", part).standard_normal(tuple(x.shape))
        xp = array_namespace(x)
        return z if isinstance(x, np.ndarray) and x.dtype == z.dtype else xp.asarray(z, dtype=x.dtype, device=x.device)

    return draw
