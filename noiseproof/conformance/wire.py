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
LONGEST, LARGEST = 2**22, 2**28  # bytes of JSON, and of all arrays of a message
DEEPEST = 32  # axes of an array


class Broken(ConnectionError):
    """What came is no message: somebody else writes into the stream."""


class Gone(Broken):
    """Nothing more will come: the process has ended, or has closed its stream."""


def sendable(dtype: str, shape: Sequence[int]) -> str:
    """Why an array cannot be sent, or nothing."""
    if dtype not in DTYPES:
        return f"an array of {dtype}; expected one of {', '.join(DTYPES)}"
    if len(shape) > DEEPEST or min(shape, default=0) < 0 or math.prod(shape) * np.dtype(dtype).itemsize > LARGEST:
        return f"an array of shape {str(tuple(shape))[:80]}; expected at most {LARGEST} bytes, and {DEEPEST} axes"
    return ""


def packed(head: dict[str, Any], arrays: Sequence[Array] = ()) -> bytes:
    """A message.  Raises ValueError for what is too large, or of another dtype."""
    for array in arrays:
        if why := sendable(str(array.dtype), array.shape):
            raise ValueError(why)
    about = [[str(array.dtype), list(array.shape)] for array in arrays]
    text = json.dumps({**head, "arrays": about}).encode("ascii")
    if len(text) > LONGEST:
        raise ValueError(f"a message of {len(text)} bytes; expected at most {LONGEST}")
    return b"".join([struct.pack("<I", len(text)), text, *(array.tobytes() for array in arrays)])


def send(stream: Stream, head: dict[str, Any], arrays: Sequence[Array] = ()) -> None:
    stream.write(packed(head, arrays))
    stream.flush()


def receive(stream: Stream) -> tuple[dict[str, Any], list[Array]]:
    """The next message.  Raises Broken for what is none, and Gone where nothing more will come."""
    (length,) = struct.unpack("<I", exactly(stream, 4))
    if length > LONGEST:
        raise Broken(f"a message of {length} bytes; expected at most {LONGEST}")
    text = exactly(stream, length)
    try:
        head = json.loads(text)
        shapes = [(str(dtype), tuple(int(size) for size in shape)) for dtype, shape in head.pop("arrays")]
    except (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError) as why:
        raise Broken(f"what came is no message: {why}") from None
    for dtype, shape in shapes:
        if why := sendable(dtype, shape):
            raise Broken(why)
    if sum(math.prod(shape) * np.dtype(dtype).itemsize for dtype, shape in shapes) > LARGEST:
        raise Broken(f"{len(shapes)} arrays at once; expected at most {LARGEST} bytes")
    return head, [array(stream, dtype, shape) for dtype, shape in shapes]


def array(stream: Stream, dtype: str, shape: tuple[int, ...]) -> Array:
    size = math.prod(shape) * np.dtype(dtype).itemsize
    return np.frombuffer(exactly(stream, size), dtype).reshape(shape).copy()


def exactly(stream: Stream, count: int) -> bytes:
    got = stream.read(count)
    if len(got) < count:
        raise Gone("the process has ended")
    return got
