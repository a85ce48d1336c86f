"""What can be wrong with a request.  Each says what was expected; on the command line each has its exit code."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

ALL_GOOD, SOME_FAILED, INTERRUPTED, INTERNAL_ERROR, USAGE, NOTHING_SELECTED = range(6)  # pytest's


class Fault(Exception):
    """A request that cannot be met as it stands."""

    code = USAGE

    def __str__(self) -> str:
        return str(self.args[0])


class UnknownClaim(Fault, KeyError):
    """No claim has this id."""


class NothingSelected(Fault, LookupError):
    """A pattern that no claim matches."""

    code = NOTHING_SELECTED


class Unreadable(Fault, ValueError):
    """What was typed is not written in our grammar: a formula, or a line of known failures."""


class UnknownProperty(Fault, LookupError):
    """No property has this id or name."""


class Unloadable(Fault, LookupError):
    """A target that cannot be loaded, or cannot be found by another process."""


class NoValue(Fault, ValueError):
    """Letters that are missing, unknown or out of their domain."""


class Unusable(Fault, OSError):
    """A run file that cannot be read or written, or is none."""


class Unreachable(Fault, ConnectionError):
    """A cluster that does not answer, or cannot do the work."""


def nearest(name: str, known: Iterable[str], rest: str = "") -> str:
    """Which of the known names may have been meant, and if none, which there are."""
    spelled = {each.lower(): each for each in known}
    near = get_close_matches(name.lower(), spelled, n=1)
    return f"did you mean {spelled[near[0]]}?" if near else f"there are {', '.join(spelled.values())}{rest}"
