"""A command that needs no mathematics: `noiseproof verify`, whose checks are made up."""

import json

import pytest

from noiseproof import cli, gathering
from noiseproof.verifying import PASS, Check

VARIANCE = "reversal.posterior-variance"


@pytest.fixture
def examined(monkeypatch):
    """The kinds that are examined, as they are begun; each has two checks."""
    begun = []

    def examine(claim, kind, seed, instead):
        begun.append(kind)
        yield Check("one", kind, PASS, f"seed {seed}", 0.25, 1e-2)
        yield Check("two", kind, PASS, "ᾱ\nand more", 0.5, float("inf"))

    monkeypatch.setattr(gathering, "examine", examine)
    return begun


@pytest.fixture
def verified(capfd):
    """`noiseproof verify` on one process, as JSON: its exit code, the report and stderr."""

    def command(*arguments):
        words = ["verify", VARIANCE, "--json", "--workers", "1", *map(str, arguments)]
        code = cli.status(lambda: cli.cli.main(words, prog_name="noiseproof", standalone_mode=False))
        out, err = capfd.readouterr()
        return code, json.loads(out) if out else None, err

    return command
