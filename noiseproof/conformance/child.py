"""The process in which a target runs: it loads an adapter, and does what it is asked.

What the target prints goes to standard error.  The network and the noise are asked of the process that judges.
"""

from __future__ import annotations

import os
import sys
import threading
import time
import traceback
from collections.abc import Sequence
from typing import Any

import numpy as np

from . import adapters, wire
from .wire import Array, Stream

AT_MOST = 2000  # characters of a traceback, its end


class Asked:
    """Somebody's arrays out, ours in: with a note of what the target overwrites that was lent to it."""

    def __init__(self, library: str, into: Stream, out_of: Stream) -> None:
        self.library, self.into, self.out_of = library, into, out_of
        self.lent: list[tuple[str, Any, Array]] = []

    def lend(self, name: str, array: Array) -> Any:
        theirs = handed(array, self.library)
        self.lent.append((name, theirs, array.copy()))
        return theirs

    def overwritten(self) -> list[str]:
        changed = [name for name, theirs, ours in self.lent if not same(read(theirs), ours)]
        self.lent = []
        return changed

    def model(self, x: Any, told: Any, level: Sequence[float] | None = None) -> Any:
        """What the network says about x, at the time or sigma that it is told, (level) being where the sampler is."""
        where = None if level is None else [float(number) for number in level]
        wire.send(self.into, {"ask": "model", "told": number(told), "level": where}, [read(x)])
        return self.lend("a prediction", self.answer())

    def noise(self, shape: Sequence[int], *between: Any) -> Any:
        asked = {"ask": "noise", "shape": [int(size) for size in shape], "between": [number(b) for b in between]}
        wire.send(self.into, asked)
        return self.lend("fresh noise", self.answer())

    def answer(self) -> Array:
        head, arrays = wire.receive(self.out_of)
        if "stop" in head:
            raise SystemExit(0)
        return arrays[0]


def number(told: Any) -> float:
    """What the network is told: one number, or an array in which all are the same."""
    values = np.unique(np.asarray(read(told), dtype=float))
    if len(values) != 1:
        raise ValueError(f"the network is told {len(values)} numbers at once; expected one for all particles")
    return float(values[0])


def read(array: Any) -> Array:
    """An array of NumPy, from whatever library."""
    if hasattr(array, "detach"):
        array = array.detach().cpu()
        array = array.float() if str(array.dtype) == "torch.bfloat16" else array
    return np.asarray(array)


def handed(array: Array, library: str) -> Any:
    """An array of the target's library, in memory of its own."""
    if library == "numpy":
        return array.copy()
    import torch

    return torch.from_numpy(array.copy())


def same(one: Array, other: Array) -> bool:
    return one.shape == other.shape and one.dtype == other.dtype and np.array_equal(one, other, equal_nan=True)


class Child:
    """One target, and what can be asked of it."""

    def __init__(self, into: Stream, out_of: Stream) -> None:
        self.into, self.out_of = into, out_of
        self.sampler: Any = None

    def load(self, target: str, options: dict[str, Any]) -> dict[str, Any]:
        self.sampler = adapters.loaded(target, options)
        can = ("start", "trained", "told", "add_noise", "on", "seeded", "script")
        able = [name for name in can if getattr(self.sampler, name, None) is not None]
        return {"claims": self.sampler.claims.as_data(), "can": able}

    def run(self, x: Array, n: int, sigmas: Sequence[float] | None = None) -> tuple[dict[str, Any], list[Array]]:
        sampler = self.sampler if sigmas is None else self.sampler.on(np.array(sigmas))
        asked = Asked(sampler.library, self.into, self.out_of)
        end = sampler.run(asked.model, asked.lend("x", x), n, asked.noise)
        return {"overwritten": asked.overwritten(), "dtype": str(end.dtype).removeprefix("torch.")}, [read(end)]

    def seeded(self, x: Array, n: int, seed: int) -> tuple[dict[str, Any], list[Array]]:
        asked = Asked(self.sampler.library, self.into, self.out_of)
        before = adapters.global_state(self.sampler.library)
        end = self.sampler.seeded(asked.model, asked.lend("x", x), n, seed)
        touched = adapters.global_state(self.sampler.library) != before
        return {"touched": touched, "dtype": str(end.dtype).removeprefix("torch.")}, [read(end)]

    def start(self, n: int) -> dict[str, Any]:
        return {"level": [float(number) for number in self.sampler.start(n)]}

    def trained(self, told: Sequence[float]) -> tuple[dict[str, Any], list[Array]]:
        return {}, [np.array([[float(c) for c in self.sampler.trained(at)] for at in told])]

    def told(self) -> tuple[dict[str, Any], list[Array]]:
        return {}, [np.array([float(t) for t in self.sampler.told()])]

    def add_noise(self, x_0: Array, epsilon: Array, told: float, n: int | None) -> tuple[dict[str, Any], list[Array]]:
        library = self.sampler.library
        return {}, [read(self.sampler.add_noise(handed(x_0, library), handed(epsilon, library), told, n))]

    def script(self, n: int | None, what: str) -> dict[str, Any]:
        return {"script": str(self.sampler.script(n, what))}

    def listed(self, library: str) -> dict[str, Any]:
        return {"listed": adapters.listed(library)}

    def serve(self) -> None:
        while True:
            head, arrays = wire.receive(self.out_of)
            if "stop" in head:
                return
            try:
                reply = getattr(self, head["do"])(*arrays, **head["with"])
            except Exception as why:  # whatever the target raises is said about the target
                trace = traceback.format_exc()[-AT_MOST:]
                reply = {"raised": type(why).__name__, "message": str(why)[:AT_MOST], "trace": trace}
            done, back = reply if isinstance(reply, tuple) else (reply, [])
            wire.send(self.into, {"done": done}, back)


def go_home(parent: int) -> None:
    """Nobody is left to report to: whatever the target is doing, that is its end."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)


def main() -> None:
    into, out_of = os.fdopen(os.dup(1), "wb"), os.fdopen(os.dup(0), "rb")
    os.dup2(2, 1)  # what the target prints
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    sys.stdout = sys.stderr
    sys.path.append(os.getcwd())  # last, so that nothing there takes the place of what is ours
    threading.Thread(target=go_home, args=(os.getppid(),), daemon=True).start()
    try:
        Child(into, out_of).serve()
    except wire.Broken:
        return  # nobody is there any more


if __name__ == "__main__":
    main()
