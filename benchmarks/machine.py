"""Where the benchmarks run: one thread of a processor, or a GPU, with a timer that is right for it.

A processor is timed by the seconds that it gave to this process.  A GPU works on while Python goes ahead, so that its
own clock is read, by an event that is waited for.
"""

from __future__ import annotations

import ctypes
import importlib
import importlib.util
import os
import platform
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

CPU, CUDA = "cpu", "cuda"


@dataclass(frozen=True)
class Machine:
    """A kind of device, its name in words, and the seconds that have passed for it."""

    kind: str
    name: str
    timer: Callable[[], float]


def machine(kind: str) -> Machine:
    """Raises RuntimeError where there is no such device."""
    if kind == CPU:
        return Machine(CPU, f"cpu ({cpu_model()})", time.process_time)
    try:
        torch = importlib.import_module("torch")
    except ImportError:
        raise RuntimeError("a GPU is asked for, and torch is not installed") from None
    if not torch.cuda.is_available():
        raise RuntimeError("no CUDA device here: nothing is measured on a GPU (make bench measures the processor)")
    return Machine(CUDA, torch.cuda.get_device_name(), event_seconds)


def cpu_model() -> str:
    """What the processor calls itself."""
    about = Path("/proc/cpuinfo")
    lines = about.read_text(encoding="utf-8").splitlines() if about.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor() or platform.machine()


class _Clock:
    last: Any = None
    seconds = 0.0


def event_seconds() -> float:
    """Seconds on the clock of the GPU, when all that was asked of it is done.

    Summed from one reading to the next: events tell milliseconds in single precision, which after minutes is coarse.
    """
    torch = importlib.import_module("torch")
    now = torch.cuda.Event(enable_timing=True)
    now.record()
    now.synchronize()
    if _Clock.last is not None:
        _Clock.seconds += _Clock.last.elapsed_time(now) / 1e3
    _Clock.last = now
    return _Clock.seconds


TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3  # switches of glibc's mallopt
LARGEST = 2**25  # bytes


@contextmanager
def one_thread() -> Iterator[None]:
    """One thread of torch and of numba, as many as before afterwards; and no gradients."""
    torch = importlib.import_module("torch")
    kernels: list[Any] = []
    if importlib.util.find_spec("numba"):
        with suppress(ImportError):  # it refuses a NumPy that it does not know; a GPU does not ask for it
            kernels.append(importlib.import_module("numerics.kernels.with_numba"))
    before = torch.get_num_threads(), [kernel.threads for kernel in kernels]
    torch.set_num_threads(1)
    for kernel in kernels:
        kernel.threads = 1
    with torch.no_grad():
        yield
    torch.set_num_threads(before[0])
    for kernel, threads in zip(kernels, before[1]):
        kernel.threads = threads


def keep_memory() -> None:
    """What was freed is used again, up to blocks of 32 MiB, where the C library has such a switch.

    At first that of Linux gives blocks from 128 KiB on back, and keeps larger ones when it has seen larger ones freed:
    code that allocates is several times as fast in a process that once freed a large array.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return
    mallopt(MMAP_THRESHOLD, LARGEST)
    mallopt(TRIM_THRESHOLD, 2**30)


def largest_memory() -> int:
    """The most bytes that this process has held at once; what held it before counts where nothing better is known."""
    status = Path("/proc/self/status")
    if status.exists():
        (line,) = (line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return 1024 * int(line.split()[1])
    resource = importlib.import_module("resource")
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if platform.system() == "Darwin" else 1024)


class Missing(Exception):
    """Something is not installed here; the message says what."""


def library(name: str, extra: str = "peers") -> Any:
    """A module, if it can be imported.  Raises Missing."""
    try:
        return importlib.import_module(name)
    except ImportError as why:
        package = name.split(".")[0]
        raise Missing(f"{package} is missing ({why}): pip install 'noiseproof[{extra}]'") from None


def compiler() -> None:
    """Raises Missing where torch.compile would find no C++ compiler."""
    if not any(shutil.which(name) for name in (os.environ.get("CXX") or "g++", "clang++")):
        raise Missing("torch.compile needs a C++ compiler, and there is no g++ or clang++ here")


def versions(*packages: str) -> dict[str, str]:
    """Of Python, and of those packages that are installed."""
    found = {"python": platform.python_version()}
    for name in packages:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


if __name__ == "__main__":  # says in one line whether there is a GPU, for `make bench-gpu`
    try:
        print(machine(CUDA).name)
    except RuntimeError as why:
        raise SystemExit(str(why)) from None
