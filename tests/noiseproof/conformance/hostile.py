"""Samplers that do what no sampler should, one for each way to run it: ``hostile.py:Hostile`` with the option does."""

from __future__ import annotations

import contextlib
import ctypes
import itertools
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from noiseproof import Claims

NASTY = "\x1b[31mred\x1b[0m \u202ereversed `tick` |pipe| <b>\x07\r\n\u2028next"
FOREVER = 600
BEAT = "NOISEPROOF_HOSTILE"  # a file of process ids that somebody would like to see end


def asked(model: Any, x: Any, n: int, noise: Any) -> Any:
    """A run as it should be."""
    for c in range(n):
        x = x + model(x, n - c, (1.0, float(n - c)))
    return x


def within(act: Any) -> Any:
    """A run in whose midst something happens."""

    def run(model: Any, x: Any, n: int, noise: Any) -> Any:
        x = x + model(x, n, (1.0, float(n)))
        act()
        return x

    return run


def gives(make: Any) -> Any:
    """A run that returns something else."""
    return lambda model, x, n, noise: make(asked(model, x, n, noise))


def raising(what: Any) -> Any:
    def act() -> None:
        raise what

    return within(act)


class Unspeakable(Exception):
    def __str__(self) -> str:
        raise ValueError("no words")


class Wild(BaseException):
    pass


def written_down(pid: int) -> None:
    with Path(os.environ[BEAT]).open("a") as file:
        print(pid, file=file)


def leave_behind(start: Any) -> Any:
    """Something that lives on, whose process id is written down."""
    return within(lambda: (written_down(start()), os._exit(7)))


def hang() -> None:
    written_down(os.getpid())
    time.sleep(FOREVER)


def forked() -> int:
    if pid := os.fork():
        return pid
    time.sleep(FOREVER)
    os._exit(0)


def spawned() -> int:
    return subprocess.Popen([sys.executable, "-c", f"import time; time.sleep({FOREVER})"]).pid


def doubled(model: Any, x: Any, n: int, noise: Any) -> Any:
    """From here on there are two of us, and both go on."""
    os.fork()
    return asked(model, x, n, noise)


def noisy(model: Any, x: Any, n: int, noise: Any) -> Any:
    """Megabytes for whoever reads them."""
    for stream in (sys.stdout, sys.stderr, sys.__stdout__):
        print("x" * 3_000_000, NASTY, file=stream, flush=True)
    os.write(1, b"y" * 3_000_000)
    return asked(model, x, n, noise)


def endless(model: Any, x: Any, n: int, noise: Any) -> Any:
    while True:
        model(x, n, (1.0, 1.0))


def deaf(model: Any, x: Any, n: int, noise: Any) -> Any:
    """Asks, and does not read the answers."""
    from noiseproof.conformance import wire

    into = model.__self__.into
    while True:
        wire.send(into, {"ask": "model", "told": 1.0, "level": None}, [x])


def writing(head: bytes) -> Any:
    """Puts something of its own into the stream."""

    def run(model: Any, x: Any, n: int, noise: Any) -> Any:
        into = model.__self__.into
        into.write(head)
        into.flush()
        time.sleep(FOREVER)

    return run


def saying(message: Any, *arrays: Any) -> Any:
    from noiseproof.conformance import wire

    return writing(wire.packed(message, arrays))


def raw(text: bytes) -> bytes:
    return len(text).to_bytes(4, "little") + text


def everything_closed() -> None:
    os.closerange(0, 64)


def out_of_memory() -> None:
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (2**31, 2**31))  # as if there were no more
    hoard = []
    while True:
        hoard.append(np.empty(2**26))


def threads(model: Any, x: Any, n: int, noise: Any) -> Any:
    for _ in range(20):
        threading.Thread(target=time.sleep, args=(FOREVER,)).start()
    return asked(model, x, n, noise)


def overwrites(model: Any, x: Any, n: int, noise: Any) -> Any:
    for c in range(n):
        p = model(x, n - c, (1.0, float(n - c)))
        p *= 0.5
        x += p
    return x


runs: list[int] = []


def another_time(model: Any, x: Any, n: int, noise: Any) -> Any:
    """One question more than the time before."""
    runs.append(n)
    return asked(model, x, n + len(runs), noise)


class Subclass(np.ndarray):
    """An array with a will of its own."""

    def __array_finalize__(self, _: Any) -> None:
        self.secret = NASTY

    def __reduce__(self) -> Any:
        return os.system, ("touch hacked",)

    def __repr__(self) -> str:
        raise ValueError("no picture")


def catches(model: Any, x: Any, n: int, noise: Any) -> Any:
    """Takes no exception for an answer."""
    while True:
        with contextlib.suppress(BaseException):
            model(x[:, 0], n)


DOES = {
    "nothing wrong": asked,
    # does not come back
    "hangs": within(lambda: time.sleep(FOREVER)),
    "hangs, and says who": within(hang),
    "spins, and says who": within(lambda: (written_down(os.getpid()), sum(itertools.repeat(0)))),
    "spins": within(lambda: [None for _ in iter(int, 1)]),
    "asks for ever": endless,
    "asks and does not listen": deaf,
    "catches everything": catches,
    "is late": within(lambda: time.sleep(4)),
    # raises
    "raises": raising(ValueError(NASTY)),
    "raises at length": raising(ValueError("x" * 10_000_000)),
    "raises without words": raising(Unspeakable()),
    "raises to the top": raising(Wild("up")),
    "exits": within(lambda: sys.exit("enough")),
    "interrupts": raising(KeyboardInterrupt()),
    "recurses": within(lambda: (f := lambda: f())()),
    "takes all memory": within(out_of_memory),
    # dies
    "leaves": within(lambda: os._exit(3)),
    "crashes": within(lambda: ctypes.string_at(1)),
    "aborts": within(os.abort),
    "is killed": within(lambda: os.kill(os.getpid(), signal.SIGKILL)),
    "closes all": within(everything_closed),
    # gives something else
    "gives None": gives(lambda x: None),
    "gives a list": gives(lambda x: x.tolist()),
    "gives one number": gives(lambda x: np.array(1.0)),
    "gives a number": gives(lambda x: 1.0),
    "gives another shape": gives(lambda x: x[0]),
    "gives another batch": gives(lambda x: np.concatenate([x, x])),
    "gives whole numbers": gives(lambda x: x.astype(int)),
    "gives short whole numbers": gives(lambda x: x.astype(np.int8)),
    "gives complex numbers": gives(lambda x: x.astype(complex)),
    "gives objects": gives(lambda x: x.astype(object)),
    "gives text": gives(lambda x: x.astype(str)),
    "gives too much": gives(lambda x: np.broadcast_to(1.0, (100_000, 100_000))),
    "gives NaN": gives(lambda x: x * np.nan),
    "hands over NaN": lambda model, x, n, noise: model(x * np.inf * 0, 1.0),
    "hands over a part": lambda model, x, n, noise: model(x[:, 0], 1.0),
    "hands over a list": lambda model, x, n, noise: model(x.tolist(), 1.0),
    "tells NaN": lambda model, x, n, noise: model(x, np.nan),
    "tells two times": lambda model, x, n, noise: model(x, np.array([1.0, 2.0])),
    "tells words": lambda model, x, n, noise: model(x, NASTY),
    "is at three numbers": lambda model, x, n, noise: model(x, 1.0, (1.0, 2.0, 3.0)),
    "draws too much": lambda model, x, n, noise: x + noise((10**6, 10**6))[0, 0],
    "draws for one": lambda model, x, n, noise: x + noise(()),
    "draws below zero": lambda model, x, n, noise: x + noise((len(x), -1)),
    # speaks for itself
    "asks for what there is not": saying({"ask": "secrets"}),
    "asks without saying what": saying({"ask": "noise"}),
    "answers nothing": saying({"done": None}),
    "answers without arrays": saying({"done": {}}),
    "speaks another language": writing(raw(b"\x80\x04pickle")),
    "speaks deeply": writing(raw(b"[" * 1_000_000)),
    "speaks at length": writing(b"\xff\xff\xff\x7f"),
    "announces too much": writing(raw(b'{"done": {}, "arrays": [["float64", [1000000000000]]]}')),
    "announces objects": writing(raw(b'{"done": {}, "arrays": [["object", [1]]]}')),
    # is only a nuisance
    "prints": noisy,
    "reads": lambda model, x, n, noise: asked(model, x, n, noise) + 0 * len(sys.stdin.read()),
    "starts threads": threads,
    "overwrites": overwrites,
    "changes": another_time,
    "gives a subclass": gives(lambda x: x.view(Subclass)),
    "doubles": doubled,
    "leaves a copy behind": leave_behind(forked),
    "leaves a program behind": leave_behind(spawned),
}


class Hostile:
    """A sampler that does one of these; or, already when it is loaded, one of the same."""

    library = "numpy"

    def __init__(self, does: str = "nothing wrong", at_once: str = "") -> None:
        if at_once:
            DOES[at_once](lambda x, *_: x, np.zeros(1), 1, None)
        self.claims, self.does = Claims("hostile", "ode", "x_0"), does

    def run(self, model: Any, x: Any, n: int, noise: Any) -> Any:
        return DOES[self.does](model, x, n, noise)

    def start(self, n: int) -> Any:
        return 1.0, float(n)


class Named(Hostile):
    """Whose texts are hostile."""

    def __init__(self) -> None:
        super().__init__("raises")
        self.claims = replace(self.claims, name=NASTY, notes=(NASTY, "x" * 1_000_000), off=(NASTY,))


class Verbose(Hostile):
    """Who has more to say than there is room for."""

    def __init__(self) -> None:
        super().__init__()
        self.claims = replace(self.claims, name="x" * 10_000_000)


class Unclaimed(Hostile):
    def __init__(self) -> None:
        super().__init__()
        self.claims: Any = {"name": "hostile"}


class Elsewhere(Hostile):
    library = "jax"


class Levels(Hostile):
    """Says of its levels what is none."""

    def __init__(self, of: str = "start") -> None:
        super().__init__()
        self.of = of

    def start(self, n: int) -> Any:
        return (1.0, 2.0, 3.0) if self.of == "start" else (1.0, float(n))

    def told(self) -> Any:
        return [] if self.of == "told" else [1, 2, 3] if self.of != "NaN" else [1, np.nan]

    def trained(self, told: float) -> Any:
        return {"three": (1.0, 2.0, 3.0), "one": (1.0,), "none": (None, None), "NaN": (np.nan, 1.0)}.get(
            self.of, (1.0, told)
        )


ODD = {
    "as ever": lambda c, n: (1.0, float(n - c)),
    "nothing": lambda c, n: (0.0, 0.0),
    "negative": lambda c, n: (1.0, -1.0 - c),
    "vast": lambda c, n: (1.0, 1e300),
    "without signal": lambda c, n: (0.0, 1.0),
    "hardly without signal": lambda c, n: (-4e-6, 1.0),
    "without noise": lambda c, n: (1.0, 0.0),
    "one and the same": lambda c, n: (1.0, 1.0),
    "rising": lambda c, n: (1.0, 1.0 + c),
}


class Odd:
    """Whose levels are none, or none that follow each other."""

    library = "numpy"

    def __init__(self, at: str = "as ever", asks: bool = True, draws: bool = False, **claims: Any) -> None:
        self.claims = Claims("odd", **{"family": "sde" if draws else "ode", "prediction": "noise", "order": 1} | claims)
        self.at, self.asks, self.draws = ODD[at], asks, draws

    def run(self, model: Any, x: Any, n: int, noise: Any) -> Any:
        for c in range(n * self.asks):
            x = x + model(x, float(n - c), self.at(c, n)) + (noise(x.shape) if self.draws else 0.0)
        return x

    def on(self, sigmas: Any) -> Odd:
        return self

    def start(self, n: int) -> tuple[float, float]:
        return self.at(0, n)

    def told(self) -> list[int]:
        return [1, 2, 3]

    def trained(self, told: float) -> tuple[float, float]:
        return self.at(3 - int(told), 3)

    def add_noise(self, x_0: Any, epsilon: Any, told: float, n: int | None) -> Any:
        return x_0 + epsilon
