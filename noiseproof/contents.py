"""What there is to list, without making all of it: pages take a second to load, and what they list changes rarely.

The entries are kept in the user's cache, in a file named by a hash of the sources, so that no entry can be stale.
Where nothing can be kept the pages are loaded, each time.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .reporting import claim_as_data
from .runfile import code


@dataclass(frozen=True)
class Entry:
    """What a list says of a claim."""

    id: str
    chapter: str
    tier: str
    kind: str
    title: str
    parameters: tuple[str, ...]
    kinds: tuple[str, ...]
    mistakes: tuple[str, ...]

    @property
    def formulas(self) -> tuple[str, ...]:
        """The names of its formulas."""
        return self.parameters


def contents() -> Mapping[str, Entry]:
    """Every claim by its id, in reading order."""
    name = f"contents-{code()}.json"
    with suppress(OSError, ValueError, TypeError, KeyError):
        return listed(json.loads((cache() / name).read_text(encoding="utf-8")))
    from .choosing import claims

    found = [claim_as_data(claim) for claim in claims().values()]
    with suppress(OSError):
        kept = cache() / name
        kept.parent.mkdir(parents=True, exist_ok=True)
        unfinished = kept.with_name(f".{kept.name}.{os.getpid()}")
        unfinished.write_text(json.dumps(found), encoding="utf-8")
        unfinished.replace(kept)
        for old in kept.parent.glob("contents-*.json"):
            if old != kept:
                old.unlink()
    return listed(found)


def cache() -> Path:
    """The folder of ours in the user's cache.  Raises OSError if the user has no home."""
    if given := os.environ.get("XDG_CACHE_HOME"):
        return Path(given) / "noiseproof"
    try:
        return Path.home() / ".cache" / "noiseproof"
    except RuntimeError as error:
        raise OSError(str(error)) from error


def listed(data: Any) -> Mapping[str, Entry]:
    """Entries from plain data.  Raises TypeError or ValueError if it is something else."""
    tuples = ("parameters", "kinds", "mistakes")
    entries = [Entry(**{**entry, **{name: tuple(entry[name]) for name in tuples}}) for entry in data]
    return {entry.id: entry for entry in entries}
