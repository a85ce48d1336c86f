"""Messages between the process that judges and the one in which the target runs: JSON, and arrays as plain bytes.

Nothing that comes back is executed or unpickled.  Its size, dtypes and shapes are looked at before it is believed.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Sequence
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Stream = IO[bytes]

DTYPES = ("float64", "float32", "float16", "int64", "bool")
LONGEST, LARGEST = 2**22, 2**28  # bytes of JSON, and of one array


class Broken(ConnectionError):
    """What came is no message: the process has ended, or somebody else writes into its stream."""


def send(stream: Stream, head: dict[str, Any], arrays: Sequence[Array] = ()) -> None:
    arrays = [np.ascontiguousarray(array) for array in arrays]
    about = [[str(array.dtype), list(array.shape)] for array in arrays]
    text = json.dumps({**head, "arrays": about}).encode("ascii")
    stream.write(struct.pack("<I", len(text)) + text)
    for array in arrays:
        stream.write(array.tobytes())
    stream.flush()


def receive(stream: Stream) -> tuple[dict[str, Any], list[Array]]:
    """The next message.  Raises Broken for what is none."""
    (length,) = struct.unpack("<I", exactly(stream, 4))
    if length > LONGEST:
        raise Broken(f"a message of {length} bytes; expected at most {LONGEST}")
    try:
        head = json.loads(exactly(stream, length))
        shapes = [(str(dtype), tuple(int(size) for size in shape)) for dtype, shape in head.pop("arrays")]
    except (ValueError, KeyError, TypeError, AttributeError) as why:
        raise Broken(f"what came is no message: {why}") from None
    return head, [array(stream, dtype, shape) for dtype, shape in shapes]


def array(stream: Stream, dtype: str, shape: tuple[int, ...]) -> Array:
    if dtype not in DTYPES:
        raise Broken(f"an array of {dtype}; expected one of {', '.join(DTYPES)}")
    size = math.prod(shape) * np.dtype(dtype).itemsize
    if min(shape, default=0) < 0 or size > LARGEST:
        raise Broken(f"an array of shape {shape}; expected at most {LARGEST} bytes")
    return np.frombuffer(exactly(stream, size), dtype).reshape(shape).copy()


def exactly(stream: Stream, count: int) -> bytes:
    got = b""
    while len(got) < count:
        part = stream.read(count - len(got))
        if not part:
            raise Broken("the process has ended")
        got += part
    return got
