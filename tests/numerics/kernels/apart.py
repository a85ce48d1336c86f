"""Tests of Triton run apart, in a child: whether kernels are interpreted or compiled is decided when it is imported.

Under ``TRITON_INTERPRET=1``, or 0, they run here, so that ``TRITON_INTERPRET=1 pytest TEST`` says more about a failure.
"""

import atexit
import functools
import importlib
import importlib.util
import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor

import pytest

MISSING = [name for name in ("torch", "triton") if importlib.util.find_spec(name) is None]


def interpreted(test):
    """Kernels that the test launches are interpreted, one element after another."""
    return apart(test, "1")


def compiled(test):
    """Kernels that the test launches are compiled, wherever they then run."""
    return apart(test, "0")


def apart(test, interpreting):
    """The test in a child: its parameters go there, and its exception comes back."""

    @functools.wraps(test)
    def there(**given):
        if MISSING:
            pytest.skip(f"{' and '.join(MISSING)} not installed")
        child(interpreting).submit(run, test.__module__, test.__name__, given).result()

    return test if os.environ.get("TRITON_INTERPRET") == interpreting else there


@functools.cache
def child(interpreting):
    """One process for all such tests of this one."""
    return ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), begin, (interpreting,))


def begin(interpreting):
    os.environ["TRITON_INTERPRET"] = interpreting
    # When it ends, Triton tells the error stream at length what it has left in memory.
    atexit.register(os.dup2, os.open(os.devnull, os.O_WRONLY), 2)


def run(module, name, given):
    getattr(importlib.import_module(module), name)(**given)
