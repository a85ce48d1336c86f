"""Work for the workers of a Dask scheduler.  It runs code for whoever reaches it; we connect to none but the one named.

A worker that has other code or other libraries than we have would give other verdicts: it is refused.  What is pickled
here is opened by the workers, and what they pickle is opened here: a cluster is trusted, or not connected to.
"""

from __future__ import annotations

import logging
import pickle
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future
from contextlib import contextmanager
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

from .faults import Unreachable
from .runfile import installed

PATIENCE = 10.0  # seconds that a scheduler, and its first worker, have to answer


@contextmanager
def cluster(address: str) -> Iterator[tuple[Cluster, Callable[[], int]]]:
    """An executor for the scheduler at ``tcp://host:port``, and how many workers it has at the moment.

    Raises Unreachable if the address is none, nobody answers, or what answers cannot do the work.
    """
    check(address)
    try:
        from distributed import Client
    except ImportError:
        raise Unreachable("--executor needs distributed: pip install 'noiseproof[dask]'") from None
    for name in ("distributed", "distributed.client", "tornado.application"):
        logging.getLogger(name).setLevel(logging.CRITICAL)  # what there is to say, we say
    try:
        client: Any = in_time(lambda: Client(address, timeout=PATIENCE, set_as_default=False))
    except Exception as error:  # whatever keeps them from answering: sockets, time, TLS, another version's protocol
        raise Unreachable(f"no Dask scheduler answers at {address}: {described(error)}") from error
    with client:
        greet(client, address)
        with Cluster(client) as executor:
            yield executor, executor.width


class Cluster(Executor):
    """The workers of a scheduler, until it is lost: then it is broken like any executor, and the run can be resumed."""

    def __init__(self, client: Any) -> None:
        self.client, self.inner, self.opened = client, client.get_executor(), opening(installed())

    def submit(self, work: Callable[..., Any], /, *args: Any, **options: Any) -> Future[Any]:
        if self.client.status != "running":
            raise BrokenExecutor("the scheduler is lost")
        return self.inner.submit(self.opened, pickle.dumps((work, args, options)))

    def width(self) -> int:
        """How many workers there are at the moment."""
        try:
            return len(self.client.nthreads())
        except OSError:
            return 1

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Whatever is still asked for is asked for no longer."""
        self.inner.shutdown(wait=False)


def check(address: str) -> None:
    """An address has a scheme, a host and a port."""
    try:
        parts = urlsplit(address)
        good = parts.scheme in ("tcp", "tls") and parts.hostname and parts.port and not parts.path.strip("/")
    except ValueError:  # a port that is no number
        good = False
    if not good:
        raise Unreachable(f"{address!r} is not the address of a scheduler: write tcp://host:port, tcp://127.0.0.1:8786")


def opening(ours: dict[str, Any]) -> Callable[[bytes], Any]:
    """What a worker does with a parcel of work.

    The function goes to it by value: a worker without noiseproof, or with another, can say so.  Sent by name it would
    break the worker, and the work would be waited for for ever.
    """

    home = installed.__module__

    def opened(parcel: bytes) -> Any:
        import pickle
        from importlib import import_module

        theirs = import_module(home).installed()
        if differ := [name for name in ours if theirs.get(name) != ours[name]]:
            said = "; ".join(f"{name} {theirs.get(name)}, and not {ours[name]}" for name in differ)
            raise RuntimeError(f"it has {said}")
        work, args, options = pickle.loads(parcel)
        return work(*args, **options)

    return opened


def greet(client: Any, address: str) -> None:
    """There is a worker, and all of them have what we have."""
    try:
        client.wait_for_workers(1, timeout=PATIENCE)
    except TimeoutError:
        raise Unreachable(f"the scheduler at {address} has no workers: start one, dask worker {address}") from None
    answers = client.run(opening(installed()), pickle.dumps((str, (), {})), on_error="return")
    for worker, answer in answers.items():
        if isinstance(answer, Exception):
            raise Unreachable(f"the worker at {worker} has not the noiseproof that is here: {described(answer)}")


def in_time(call: Callable[[], Any]) -> Any:
    """What is called returns in time, or is left behind: Dask waits for ever for whoever picks up and is silent."""
    found: Future[Any] = Future()

    def attempt() -> None:
        try:
            found.set_result(call())
        except BaseException as error:
            found.set_exception(error)

    trying = Thread(target=attempt, daemon=True)
    trying.start()
    trying.join(PATIENCE + 1)
    if not found.done():
        raise TimeoutError("somebody picks up and says nothing")
    return found.result()


def described(error: Exception) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())
