"""A target, seen from the process that judges: each call has an end, and what comes back is looked at."""

from __future__ import annotations

import contextlib
import os
import queue
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from . import wire
from .protocol import Claims, Level
from .wire import Array

SECONDS = 20.0  # for a property, unless said otherwise
LOADING = 3  # times as long, to import the libraries of a target on a machine that is busy
INSIDE = "NOISEPROOF_CHECKS"  # in the environment of a process in which a target runs


class AboutTheTarget(Exception):
    """Something is wrong with the target itself; ``call`` says what it was asked."""

    def __init__(self, what: str, call: str) -> None:
        super().__init__(f"{what} (in {call})")
        self.what, self.call = what, call


class Raised(AboutTheTarget):
    """It raised an exception, of this kind."""

    def __init__(self, what: str, call: str, kind: str = "") -> None:
        super().__init__(what, call)
        self.kind = kind


class Hung(AboutTheTarget):
    """It did not answer in time."""


class Died(AboutTheTarget):
    """Its process ended."""


class Unfit(AboutTheTarget):
    """What it gave has the wrong shape or dtype, or is not finite."""


def plain(text: str, most: int = 600) -> str:
    """Text from a target, without what would steer a terminal."""
    clean = "".join(c if c.isprintable() or c == "\n" else f"\\x{ord(c):02x}" for c in text)
    return clean if len(clean) <= most else clean[: most // 3] + " ... " + clean[-most // 2 :]


@dataclass
class Call:
    """One question to the network: what was handed over, what the network was told, where the sampler thinks it is."""

    x: Array
    told: float
    level: Level | None


@dataclass
class Ran:
    """A run: its end, what the network was asked, and between which calls noise was drawn."""

    end: Array
    calls: list[Call]
    draws: list[tuple[int, tuple[float, ...]]]  # the number of calls before each draw, and the interval it was told
    overwritten: list[str]


@dataclass
class Target:
    """A sampler in a process of its own.  Leave it by ``close``, or use it as a context."""

    spec: str
    options: dict[str, Any] = field(default_factory=dict)
    seconds: float = SECONDS
    claims: Claims = field(init=False)
    can: frozenset[str] = field(init=False, default=frozenset())

    def __post_init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._until = 0.0
        self.again()
        try:
            self._start()
        except AboutTheTarget:
            self.close()
            raise

    def __enter__(self) -> Target:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # ---------------------------------------------------------------- what can be asked

    def run(
        self,
        x: Array,
        n: int,
        model: Callable[[Call], Array],
        noise: Callable[[tuple[int, ...], tuple[float, ...]], Array] | None = None,
        sigmas: Sequence[float] | None = None,
        finite: bool = True,
    ) -> Ran:
        """A run of n steps from x, with this network and this noise.

        Raises AboutTheTarget for whatever goes wrong there.
        """
        what = f"run(n={n}" + (", on a grid of ours)" if sigmas is not None else ")")
        more = {} if sigmas is None else {"sigmas": [float(s) for s in sigmas]}
        calls: list[Call] = []
        draws: list[tuple[int, tuple[float, ...]]] = []

        def answer(head: dict[str, Any], arrays: list[Array]) -> Array:
            if head["ask"] == "noise":
                shape, between = tuple(head["shape"]), tuple(head["between"])
                if noise is None:
                    raise Unfit("it draws noise, and claims to draw none", f"draw {len(draws)} of {what}")
                draws.append((len(calls), between))
                return np.asarray(noise(shape, between), dtype=x.dtype)
            where = f"call {len(calls)} of the network in {what}"
            self._fits(arrays[0], x.shape, "what it hands to the network", where, finite)
            level = head["level"]
            calls.append(Call(arrays[0], float(head["told"]), None if level is None else (level[0], level[1])))
            return np.asarray(model(calls[-1]), dtype=x.dtype).reshape(x.shape)

        done, arrays = self._ask("run", what, answer, [x], n=n, **more)
        self._fits(arrays[0], x.shape, "what it returns", what, finite)
        return Ran(arrays[0], calls, draws, list(done["overwritten"]))

    def seeded(self, x: Array, n: int, seed: int, model: Callable[[Call], Array]) -> tuple[Array, bool]:
        """A run with the sampler's own noise, and whether it touched the global generator."""

        def answer(head: dict[str, Any], arrays: list[Array]) -> Array:
            return np.asarray(model(Call(arrays[0], float(head["told"]), None)), dtype=x.dtype)

        done, arrays = self._ask("seeded", f"seeded(n={n}, seed={seed})", answer, [x], n=n, seed=seed)
        return arrays[0], bool(done["touched"])

    def start(self, n: int) -> Level:
        scale, noise = self._ask("start", f"start(n={n})", n=n)[0]["level"]
        return scale, noise

    def trained(self, told: Sequence[float]) -> Array:
        """The levels of training, (len(told), 2), of the array that the network is handed."""
        return self._ask("trained", "trained", told=[float(t) for t in told])[1][0]

    def told(self) -> Array:
        return self._ask("told", "told")[1][0]

    def add_noise(self, x_0: Array, epsilon: Array, told: float, n: int | None = None) -> Array:
        call = f"add_noise(told={told:g}, after configuring n={n})" if n else f"add_noise(told={told:g})"
        (got,) = self._ask("add_noise", call, None, [x_0, epsilon], told=float(told), n=n)[1]
        self._fits(got, x_0.shape, "what it returns", call)
        return got

    def script(self, n: int | None, what: str) -> str:
        """A run of n steps, or its ``add_noise``, in the words of its library: see ``reproducer``."""
        return str(self._ask("script", f"script(n={n})", n=n, what=what)[0]["script"])

    # ---------------------------------------------------------------- how it is asked

    @contextlib.contextmanager
    def otherwise(self, options: dict[str, Any]) -> Iterator[None]:
        """The same sampler with other options, for a while.  Raises AboutTheTarget if it does not take them."""
        before = self.options
        try:
            self.options = before | options
            self._load()
            yield
        finally:
            self.options = before
            self._load()

    def become(self, spec: str, options: dict[str, Any]) -> None:
        """Another target, in the same process if it lives: to import a library takes long.  Raises AboutTheTarget."""
        self.spec, self.options = spec, options
        if self._process is None:
            self._start()
            return
        self.again(LOADING * self.seconds)
        self._load()
        self.again()

    def again(self, seconds: float | None = None) -> None:
        """A new time limit, from now on."""
        self._limit = self.seconds if seconds is None else seconds
        self._until = time.monotonic() + self._limit

    def close(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            for stream in (self._process.stdin, self._process.stdout, self._errors):
                if stream is not None:
                    with contextlib.suppress(OSError):  # it had something left to say
                        stream.close()
            self._process = None

    def _start(self) -> None:
        if INSIDE in os.environ:
            raise RuntimeError(
                "a file that is loaded to be checked calls noiseproof.check itself; put that call behind "
                "`if __name__ == '__main__':`"
            )
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115  closed by ``close``
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "noiseproof.conformance.child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env=os.environ
            | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "OMP_NUM_THREADS": "1", INSIDE: self.spec},
        )
        self._inbox: queue.Queue[Any] = queue.Queue()
        threading.Thread(target=_listen, args=(self._process.stdout, self._inbox), daemon=True).start()
        self.again(LOADING * self.seconds)
        self._load()
        self.again()

    def _load(self) -> None:
        if self.spec.endswith(":"):
            return  # a library alone, which is asked what it has
        done, _ = self._ask("load", f"loading {self.spec}", target=self.spec, options=self.options)
        claims: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in done["claims"].items()}
        self.claims, self.can = Claims(**claims), frozenset(done["can"])

    def _ask(
        self,
        do: str,
        call: str,
        answer: Callable[[dict[str, Any], list[Array]], Array] | None = None,
        arrays: Sequence[Array] = (),
        **more: Any,
    ) -> tuple[dict[str, Any], list[Array]]:
        if self._process is None:
            self._start()
        self._send({"do": do, "with": more}, arrays, call)
        while True:
            head, back = self._next(call)
            if "ask" in head and answer is not None:
                try:
                    reply = answer(head, back)
                except BaseException:
                    self.close()  # it waits for an answer that it will not get
                    raise
                self._send({"answer": True}, [reply], call)
                continue
            if "done" not in head:
                self.close()
                raise Died(f"it sent {plain(str(head), 80)}, which nobody asked for", call)
            done = head["done"]
            if "raised" in done:
                what = plain(f"{done['raised']}: {done['message']}")
                raise Raised(f"it raised {what}", call, str(done["raised"]))
            return done, back

    def _send(self, head: dict[str, Any], arrays: Sequence[Array], call: str) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        try:
            wire.send(self._process.stdin, head, arrays)
        except (BrokenPipeError, OSError):
            raise self._ended(call) from None

    def _next(self, call: str) -> tuple[dict[str, Any], list[Array]]:
        try:
            got = self._inbox.get(timeout=max(self._until - time.monotonic(), 0.01))
        except queue.Empty:
            self.close()
            raise Hung(f"it did not answer within {self._limit:g} s", call) from None
        if isinstance(got, wire.Broken):
            raise self._ended(call)
        return got

    def _ended(self, call: str) -> Died:
        assert self._process is not None
        try:
            status = self._process.wait(timeout=2)
        except subprocess.TimeoutExpired:
            status = None
        self._errors.seek(0)
        said = self._errors.read()[-400:].decode("utf-8", "replace").strip()
        self.close()
        how = "it closed its streams" if status is None else f"its process ended with status {status}"
        return Died(how + (f", and said: {plain(said, 300)}" if said else ""), call)

    def _fits(self, got: Array, shape: tuple[int, ...], what: str, call: str, finite: bool = True) -> None:
        if got.shape != shape:
            raise Unfit(f"{what} has shape {got.shape}; expected that of x, {shape}", call)
        if got.dtype.kind != "f":
            raise Unfit(f"{what} is of {got.dtype}; expected floating point", call)
        if finite and not np.all(np.isfinite(got)):
            raise Unfit(f"{what} is not finite: {int(np.sum(~np.isfinite(got)))} of {got.size} numbers", call)


def listed(library: str, seconds: float = SECONDS) -> list[tuple[str, dict[str, Any]]]:
    """The samplers of a library, and options for each, as a process of its own finds them.  Raises AboutTheTarget."""
    with Target(f"{library}:", {}, seconds) as asked:
        asked.again(LOADING * seconds)
        found = asked._ask("listed", f"asking what {library} has", library=library)[0]["listed"]
    return [(str(name), dict(options)) for name, options in found]


def _listen(stream: Any, inbox: queue.Queue[Any]) -> None:
    """Messages into a queue, which can be waited for with a limit on any system."""
    while True:
        try:
            inbox.put(wire.receive(stream))
        except (wire.Broken, OSError, ValueError) as why:
            inbox.put(why if isinstance(why, wire.Broken) else wire.Broken(str(why)))
            return
