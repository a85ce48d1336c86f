"""The process in which a target runs, seen from outside: messages to it and from it, its last words, and its end.

Nobody here waits for it without a limit: two threads read what comes, and one writes what goes.
"""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from typing import Any

from . import wire
from .wire import Array

INSIDE = "NOISEPROOF_CHECKS"  # in the environment of a process in which a target runs
WORDS = 400  # bytes of what it prints, the last ones
AFTERWARDS = 2.0  # seconds to end in, and to be heard, for a process that ends by itself


class Process:
    """A process of its own, and of its own group: with it ends all that it has started."""

    def __init__(self, purpose: str) -> None:
        if INSIDE in os.environ:
            raise RuntimeError(
                "a file that is loaded to be checked calls noiseproof.check itself; put that call behind "
                "`if __name__ == '__main__':`"
            )
        path = os.pathsep.join(filter(None, sys.path))
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "noiseproof.conformance.child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            env=os.environ | {"PYTHONPATH": path, "OMP_NUM_THREADS": "1", INSIDE: purpose},
        )
        self._inbox: queue.Queue[Any] = queue.Queue()
        self._outbox: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._words = b""
        threading.Thread(target=self._listen, daemon=True).start()
        threading.Thread(target=self._speak, daemon=True).start()
        self._hearing = threading.Thread(target=self._overhear, daemon=True)
        self._hearing.start()

    def send(self, head: dict[str, Any], arrays: Sequence[Array] = ()) -> None:
        """Does not wait: whether it is read shows when an answer comes, or none."""
        self._outbox.put(wire.packed(head, arrays))

    def receive(self, seconds: float) -> tuple[dict[str, Any], list[Array]]:
        """The next message.  Raises TimeoutError, Gone if its streams have ended, and Broken for what is no message."""
        try:
            got = self._inbox.get(timeout=max(seconds, 0.0))
        except queue.Empty:
            raise TimeoutError from None
        if isinstance(got, wire.Broken):
            raise got
        return got

    def end(self) -> None:
        with contextlib.suppress(OSError, AttributeError):  # elsewhere there are no groups
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.kill()
        self._process.wait()
        self._outbox.put(b"")  # there is nothing more to say

    def epitaph(self) -> str:
        """How it ended, as far as it did, and what it printed last."""
        try:
            status = self._process.wait(timeout=AFTERWARDS)
        except subprocess.TimeoutExpired:
            return "it closed its streams"
        self.end()  # what it has started may hold the stream open
        self._hearing.join(timeout=AFTERWARDS)
        words = self._words.decode("utf-8", "replace").strip()
        how = f"its process ended with status {status}"
        if status < 0:
            out_of_memory = "; out of memory?" if -status == signal.SIGKILL else ""
            how = f"its process was killed by signal {-status} ({signal.Signals(-status).name}){out_of_memory}"
        return how + (f", and said: {words}" if words else "")

    # ---------------------------------------------------------------- threads

    def _listen(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as stream:
            try:
                while True:
                    self._inbox.put(wire.receive(stream))
            except wire.Broken as why:
                self._inbox.put(why)
            except Exception as why:  # whatever it sends, it does not silence this thread
                self._inbox.put(wire.Broken(f"{type(why).__name__}: {why}"))

    def _speak(self) -> None:
        assert self._process.stdin is not None
        with contextlib.suppress(OSError, ValueError), self._process.stdin as stream:  # it may have gone
            while message := self._outbox.get():
                stream.write(message)
                stream.flush()

    def _overhear(self) -> None:
        assert self._process.stderr is not None
        with contextlib.suppress(OSError, ValueError), self._process.stderr as stream:
            while part := os.read(stream.fileno(), 2**16):
                self._words = (self._words + part)[-WORDS:]
