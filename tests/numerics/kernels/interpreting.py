"""Tests that run where Triton interprets its kernels: in a child, for what is compiled is decided when it is imported.

Under ``TRITON_INTERPRET=1`` they run here, so that ``TRITON_INTERPRET=1 pytest TEST`` shows more of what went wrong.
"""

import functools
import importlib
import importlib.util
import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor

import pytest

HERE = os.environ.get("TRITON_INTERPRET") == "1"
MISSING = [name for name in ("torch", "triton") if importlib.util.find_spec(name) is None]


def interpreted(test):
    """Run this test in the child; its parameters go there, and its exception comes back."""

    @functools.wraps(test)
    def elsewhere(**given):
        if MISSING:
            pytest.skip(f"{' and '.join(MISSING)} not installed: no kernel is interpreted")
        child().submit(run, test.__module__, test.__name__, given).result()

    return test if HERE else elsewhere


@functools.cache
def child():
    """One process for all tests of this one."""
    return ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), initializer=interpret)


def interpret():
    os.environ["TRITON_INTERPRET"] = "1"
    importlib.reload(importlib.import_module(__name__))


def run(module, name, given):
    getattr(importlib.import_module(module), name)(**given)
