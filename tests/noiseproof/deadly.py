"""The command line with a quadrature that kills its process, for test_cli.py; deadly work for test_connecting.py."""

import os
import signal

from noiseproof import gathering
from noiseproof.cli import main as noiseproof_main

honest = gathering.checks


def checks(task):
    """As ever, but for one kind."""
    if task.kind == "quadrature":
        os.kill(os.getpid(), signal.SIGKILL)
    yield from honest(task)


def dying(task):
    """Work that kills whoever does it, if its name is die."""
    if task == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    yield "alive"


def main():
    gathering.checks = checks
    noiseproof_main()
