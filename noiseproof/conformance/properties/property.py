"""A property, and the kinds of tolerance that there are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ..findings import Finding
from ..subject import Subject

EXACT, ORDER, STATISTICAL, BOOLEAN = "exact", "order", "statistical", "boolean"


@dataclass(frozen=True)
class Property:
    """A question about a sampler.  ``concerns`` says why it is not asked, or None where it is."""

    id: str
    name: str
    kind: str
    ask: Callable[[Subject], Iterator[Finding]]
    concerns: Callable[[Subject], str | None] = lambda subject: None
    claims: tuple[str, ...] = ()
