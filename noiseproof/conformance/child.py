"""The process in which a target runs: it loads an adapter, and does what it is asked.

What the target prints goes to standard error.  The network and the noise are asked of the process that judges.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from . import adapters, wire
from .protocol import Claims
from .wire import Array, Stream

AT_MOST = 2000  # characters of a message
LIBRARIES = ("numpy", "torch")


class Unfit(Exception):
    """What the target gives is no array that can be sent."""


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
        wire.send(self.into, {"ask": "model", "told": number(told), "level": where}, [given(x)])
        return self.lend("a prediction", self.answer())

    def noise(self, shape: Sequence[int], *between: Any) -> Any:
        asked = {"ask": "noise", "shape": [int(size) for size in shape], "between": [number(b) for b in between]}
        wire.send(self.into, asked)
        return self.lend("fresh noise", self.answer())

    def answer(self) -> Array:
        return wire.receive(self.out_of)[1][0]


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


def given(array: Any) -> Array:
    """What the target gives, as an array that can be sent.  Raises Unfit for what is none."""
    if not hasattr(array, "dtype"):
        raise Unfit(f"it gave {type(array).__name__}; expected an array")
    if why := wire.sendable(str(array.dtype).removeprefix("torch.").replace("bfloat16", "float32"), tuple(array.shape)):
        raise Unfit(f"it gave {why}")
    return read(array)


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
        self.sampler = None
        sampler = adapters.loaded(target, options)
        if not isinstance(sampler.claims, Claims):
            raise TypeError(f"its claims are {type(sampler.claims).__name__}; expected noiseproof.Claims(name, ...)")
        if getattr(sampler, "library", None) not in LIBRARIES:
            raise TypeError(f"its library is {getattr(sampler, 'library', None)!r}; expected one of {LIBRARIES}")
        self.sampler = sampler
        can = ("start", "trained", "told", "add_noise", "on", "seeded", "script")
        able = [name for name in can if getattr(self.sampler, name, None) is not None]
        return {"claims": self.sampler.claims.as_data(), "can": able}

    def run(self, x: Array, n: int, sigmas: Sequence[float] | None = None) -> tuple[dict[str, Any], list[Array]]:
        sampler = self.sampler if sigmas is None else self.sampler.on(np.array(sigmas))
        asked = Asked(sampler.library, self.into, self.out_of)
        end = sampler.run(asked.model, asked.lend("x", x), n, asked.noise)
        return {"overwritten": asked.overwritten()}, [given(end)]

    def seeded(self, x: Array, n: int, seed: int) -> tuple[dict[str, Any], list[Array]]:
        asked = Asked(self.sampler.library, self.into, self.out_of)
        before = adapters.global_state(self.sampler.library)
        end = self.sampler.seeded(asked.model, asked.lend("x", x), n, seed)
        touched = adapters.global_state(self.sampler.library) != before
        return {"touched": touched}, [given(end)]

    def start(self, n: int) -> dict[str, Any]:
        return {"level": [float(number) for number in self.sampler.start(n)]}

    def trained(self, told: Sequence[float]) -> tuple[dict[str, Any], list[Array]]:
        return {}, [np.array([[float(c) for c in self.sampler.trained(at)] for at in told])]

    def told(self) -> tuple[dict[str, Any], list[Array]]:
        return {}, [np.array([float(t) for t in self.sampler.told()])]

    def add_noise(self, x_0: Array, epsilon: Array, told: float, n: int | None) -> tuple[dict[str, Any], list[Array]]:
        library = self.sampler.library
        return {}, [given(self.sampler.add_noise(handed(x_0, library), handed(epsilon, library), told, n))]

    def script(self, n: int | None, what: str) -> dict[str, Any]:
        return {"script": str(self.sampler.script(n, what))}

    def listed(self, library: str) -> dict[str, Any]:
        return {"listed": adapters.listed(library)}

    def serve(self) -> None:
        while True:
            head, arrays = wire.receive(self.out_of)
            alarm(1 + max(int(head["within"]), 1))
            try:
                reply = getattr(self, head["do"])(*arrays, **head["with"])
                done, back = reply if isinstance(reply, tuple) else (reply, [])
                message = wire.packed({"done": done}, back)
            except wire.Broken:
                raise
            except Unfit as why:
                message = wire.packed({"done": {"unfit": said(why)}})
            except BaseException as why:  # whatever the target raises is said about the target
                message = wire.packed({"done": {"raised": type(why).__name__[:AT_MOST], "message": said(why)}})
            alarm(0)
            self.into.write(message)
            self.into.flush()


def alarm(seconds: int) -> None:
    """This process ends then, though nobody is left to end it and code that is not Python's lets no thread run."""
    if hasattr(signal, "alarm"):
        signal.alarm(seconds)


def said(why: BaseException) -> str:
    """What an exception says, if it says anything."""
    try:
        return str(why)[:AT_MOST]
    except Exception:
        return "(what it says raises, too)"


def go_home(parent: int) -> None:
    """Nobody is left to report to: whatever the target is doing, and has started, that is its end."""
    while os.getppid() == parent:
        time.sleep(0.5)
    if hasattr(os, "killpg") and os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(1)


def main() -> None:
    into, out_of = os.fdopen(os.dup(1), "wb"), os.fdopen(os.dup(0), "rb")
    os.dup2(2, 1)  # what the target prints
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    sys.stdout = sys.stderr
    sys.path.append(os.getcwd())  # last, so that nothing there takes the place of what is ours
    with contextlib.suppress(OSError):  # where there is no memory left, it is the target's that goes
        Path("/proc/self/oom_score_adj").write_text("1000")
    if hasattr(os, "register_at_fork"):  # a copy of this process has no part in what is said here
        os.register_at_fork(after_in_child=lambda: (os.close(into.fileno()), os.close(out_of.fileno())))
    threading.Thread(target=go_home, args=(os.getppid(),), daemon=True).start()
    with contextlib.suppress(wire.Broken, BrokenPipeError):  # nobody is there any more
        Child(into, out_of).serve()


if __name__ == "__main__":
    main()
