"""A target, seen from the process that judges: each call has an end, and what comes back is looked at."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from . import wire
from .process import Process
from .protocol import Claims, Level, is_level
from .wire import Array

SECONDS = 20.0  # for a property, unless said otherwise
LOADING = 3  # times as long, to import the libraries of a target on a machine that is busy


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
    text = text if len(text) <= 2 * most else text[:most] + text[-most:]
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
        self._process: Process | None = None
        self.again()
        try:
            self._start()
        except BaseException:
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
                with self._reading(f"draw {len(draws)} of {what}"):
                    shape, between = fresh(head["shape"], x), tuple(numbers(head["between"]))
                if noise is None:
                    raise Unfit("it draws noise, and claims to draw none", f"draw {len(draws)} of {what}")
                draws.append((len(calls), between))
                return np.asarray(noise(shape, between), dtype=x.dtype)
            call = self._call(head, arrays, x, f"call {len(calls)} of the network in {what}", finite)
            calls.append(call)
            return np.asarray(model(call), dtype=x.dtype).reshape(x.shape)

        try:
            done, arrays = self._ask("run", what, answer, [x], n=n, **more)
        except AboutTheTarget as wrong:
            if wrong.call == what and calls:
                wrong.call = f"{what}, after call {len(calls) - 1} of the network"
            raise
        with self._reading(what):
            (end,), overwritten = arrays, [str(name) for name in done["overwritten"]]
        self._fits(end, x.shape, "what it returns", what, finite)
        return Ran(end, calls, draws, overwritten)

    def seeded(self, x: Array, n: int, seed: int, model: Callable[[Call], Array]) -> tuple[Array, bool]:
        """A run with the sampler's own noise, and whether it touched the global generator."""
        what = f"seeded(n={n}, seed={seed})"

        def answer(head: dict[str, Any], arrays: list[Array]) -> Array:
            call = self._call(head, arrays, x, f"a call of the network in {what}", False)
            return np.asarray(model(call), dtype=x.dtype).reshape(x.shape)

        done, arrays = self._ask("seeded", what, answer, [x], n=n, seed=seed)
        with self._reading(what):
            (end,), touched = arrays, bool(done["touched"])
        self._fits(end, x.shape, "what it returns", what)
        return end, touched

    def start(self, n: int) -> Level:
        call = f"start(n={n})"
        done, _ = self._ask("start", call, n=n)
        with self._reading(call):
            return level(done["level"])

    def trained(self, told: Sequence[float]) -> Array:
        """The levels of training, (len(told), 2), of the array that the network is handed."""
        (levels,) = self._ask("trained", "trained", told=[float(t) for t in told])[1]
        self._fits(levels, (len(told), 2), "a scale and a noise for each time that the network is told", "trained")
        with self._reading("trained"):
            return np.array([level(pair) for pair in levels])

    def told(self) -> Array:
        """All that the network was told in training."""
        (told,) = self._ask("told", "told")[1]
        self._fits(told, (max(told.size, 1),), "the list of all that the network was told", "told")
        return told

    def add_noise(self, x_0: Array, epsilon: Array, told: float, n: int | None = None) -> Array:
        call = f"add_noise(told={told:g}, after configuring n={n})" if n else f"add_noise(told={told:g})"
        (got,) = self._ask("add_noise", call, None, [x_0, epsilon], told=float(told), n=n)[1]
        self._fits(got, x_0.shape, "what it returns", call)
        return got

    def script(self, n: int | None, what: str) -> str:
        """A run of n steps, or its ``add_noise``, in the words of its library: see ``reproducer``."""
        return str(self._ask("script", f"script(n={n})", n=n, what=what)[0].get("script"))

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
            try:
                self._load()
            except AboutTheTarget:
                self.close()  # it is another sampler now
                raise

    def become(self, spec: str, options: dict[str, Any]) -> None:
        """Another target, in the same process if it lives: to import a library takes long.  Raises AboutTheTarget."""
        self.spec, self.options = spec, options
        self.again()
        if self._process is None:
            self._start()
            return
        with self._importing():
            self._load()

    def again(self, seconds: float | None = None) -> None:
        """A new time limit, from now on, and time to load the target in once more, if that becomes necessary."""
        self._limit = self.seconds if seconds is None else seconds
        self._until = time.monotonic() + self._limit
        self._spare = LOADING * self.seconds

    def close(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.end()

    def _start(self) -> None:
        self._process = Process(self.spec)
        with self._importing():
            self._load()

    @contextlib.contextmanager
    def _importing(self) -> Iterator[None]:
        """Loading has a time of its own; what was left for the property is left to it."""
        began, limit, until, spare = time.monotonic(), self._limit, self._until, self._spare
        self._limit, self._until = spare, began + spare
        try:
            yield
        finally:
            took = time.monotonic() - began
            self._limit, self._until, self._spare = limit, until + took, spare - took

    def _load(self) -> None:
        if self.spec.endswith(":"):
            return  # a library alone, which is asked what it has
        call = f"loading {self.spec}"
        done, _ = self._ask("load", call, target=self.spec, options=self.options)
        with self._reading(call):
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
        if time.monotonic() >= self._until:
            raise self._hung(call)
        if self._process is None:
            self._start()
        assert self._process is not None
        self._process.send({"do": do, "with": more, "within": self._until - time.monotonic()}, arrays)
        while True:
            head, back = self._next(call)
            if "ask" in head and answer is not None:
                try:
                    reply = answer(head, back)
                except BaseException:
                    self.close()  # it waits for an answer that it will not get
                    raise
                self._process.send({"answer": True}, [reply])
                continue
            done = head.get("done")
            if not isinstance(done, dict):
                self.close()
                raise Died(f"it sent {plain(str(head), 80)}, which nobody asked for", call)
            if "unfit" in done:
                raise Unfit(plain(str(done["unfit"])), call)
            if "raised" in done:
                what = plain(f"{done['raised']}: {done.get('message')}")
                raise Raised(f"it raised {what}", call, str(done["raised"]))
            return done, back

    def _next(self, call: str) -> tuple[dict[str, Any], list[Array]]:
        assert self._process is not None
        left = self._until - time.monotonic()
        try:
            if left <= 0:
                raise TimeoutError
            return self._process.receive(left)
        except TimeoutError:
            raise self._hung(call) from None
        except wire.Gone:
            how = self._process.epitaph()
        except wire.Broken as why:
            how = f"what it sent is no message: {why}"
        self.close()
        raise Died(plain(how), call)

    def _hung(self, call: str) -> Hung:
        self.close()
        return Hung(f"it did not answer within {self._limit:g} s", call)

    # ---------------------------------------------------------------- what came, looked at

    @contextlib.contextmanager
    def _reading(self, call: str) -> Iterator[None]:
        """What came may be anything; what cannot be read is no answer."""
        try:
            yield
        except (LookupError, TypeError, ValueError, ArithmeticError, AttributeError) as why:
            self.close()
            raise Unfit(f"what it sent is no answer: {plain(str(why))}", call) from None

    def _call(self, head: dict[str, Any], arrays: list[Array], x: Array, where: str, finite: bool) -> Call:
        """A question to the network."""
        with self._reading(where):
            (handed,), (told,) = arrays, numbers([head["told"]])
            own = None if head["level"] is None else level(head["level"])
        self._fits(handed, x.shape, "what it hands to the network", where, finite)
        return Call(handed, told, own)

    def _fits(self, got: Array, shape: tuple[int, ...], what: str, call: str, finite: bool = True) -> None:
        if got.shape != shape:
            raise Unfit(f"{what} has shape {got.shape}; expected {shape}", call)
        if got.dtype.kind != "f":
            raise Unfit(f"{what} is of {got.dtype}; expected floating point", call)
        if finite and not np.all(np.isfinite(got)):
            raise Unfit(f"{what} is not finite: {int(np.sum(~np.isfinite(got)))} of {got.size} numbers", call)


def numbers(values: Any) -> list[float]:
    """Finite numbers.  Raises ValueError or TypeError for what is none."""
    found = [float(value) for value in values]
    if not all(map(math.isfinite, found)):
        raise ValueError(f"{found} where finite numbers were expected")
    return found


def level(pair: Any) -> Level:
    """A scale and a noise.  Raises ValueError for what is none."""
    scale, noise = numbers(pair)
    if not is_level(scale, noise):
        raise ValueError(f"a level of the scale {scale:g} and the noise {noise:g}; expected both from 0 on, and not 0")
    return scale, noise


def fresh(shape: Any, x: Array) -> tuple[int, ...]:
    """The shape of fresh noise.  Raises ValueError unless that is noise for each particle."""
    found = tuple(int(size) for size in shape)
    if found[:1] != x.shape[:1] or wire.sendable(str(x.dtype), found):
        raise ValueError(f"it draws noise of shape {str(found)[:80]}; expected one for each particle, {x.shape}")
    return found


def listed(library: str, seconds: float = SECONDS) -> list[tuple[str, dict[str, Any]]]:
    """The samplers of a library, and options for each, as a process of its own finds them.  Raises AboutTheTarget."""
    call = f"asking what {library} has"
    with Target(f"{library}:", {}, seconds) as asked:
        asked.again(LOADING * seconds)
        done, _ = asked._ask("listed", call, library=library)
        with asked._reading(call):
            return [(str(name), dict(options)) for name, options in done["listed"]]
