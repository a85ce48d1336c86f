"""Which claims are meant: one by its id, several by patterns such as ``reversal.*``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import Any

from derivations import Claim
from derivations import claims as every_claim

from .faults import NothingSelected, UnknownClaim

WILD = "*?["  # the signs of a pattern


def claims() -> Mapping[str, Claim]:
    """Every claim by its id, in reading order."""
    return every_claim()


def claim(id: str) -> Claim:
    """The claim of this id.  Raises UnknownClaim, which names the nearest ids."""
    known = claims()
    if any(sign in id for sign in WILD):
        raise UnknownClaim(f"one id is needed here, and {id} is a pattern; `noiseproof list '{id}'` shows which match")
    if id not in known:
        raise UnknownClaim(f"no claim is called {id}; {suggestion(id, known)}")
    return known[id]


def suggestion(id: str, known: Iterable[str]) -> str:
    """What somebody who wrote this may have meant."""
    known = list(known)
    if any(k.startswith(f"{id}.") for k in known):
        return f"for the whole chapter write '{id}.*'"
    by_slug = {k.split(".", 1)[1]: k for k in known}
    near = [by_slug[s] for s in get_close_matches(id.split(".", 1)[-1], by_slug, n=3, cutoff=0.75)]
    near = list(dict.fromkeys([*get_close_matches(id, known, n=3, cutoff=0.75), *near]))[:3]
    return f"did you mean {' or '.join(near)}?" if near else "`noiseproof list` shows all of them"


def selected(patterns: Iterable[str], among: Mapping[str, Any] | None = None) -> list[Any]:
    """The claims that match any of the patterns, in reading order; all of them if there is no pattern.

    ``among`` are entries of a listing, in the place of the claims.

    Raises UnknownClaim for an id and NothingSelected for a pattern without a match: a misspelt one must not pass
    by being empty.
    """
    known, chosen = claims() if among is None else among, set()
    chapters = dict.fromkeys(c.chapter for c in known.values())
    for pattern in patterns:
        if not any(sign in pattern for sign in WILD):
            if pattern not in known:
                raise UnknownClaim(f"no claim is called {pattern}; {suggestion(pattern, known)}")
            chosen.add(pattern)
            continue
        matches = {id for id in known if fnmatchcase(id, pattern)}
        if not matches:
            raise NothingSelected(f"no claim matches {pattern}; the chapters are {', '.join(chapters)}")
        chosen |= matches
    return [c for c in known.values() if not patterns or c.id in chosen]
