"""The properties that a sampler may have.  Each says whom it concerns, and finds out."""

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


def properties() -> tuple[Property, ...]:
    """All of them, P1 first."""
    from . import behavior, grids, laws, marginals, orders, parameterizations, steps, tables

    files = behavior, grids, laws, marginals, orders, parameterizations, steps, tables
    found = [property for each in files for property in each.PROPERTIES]
    return tuple(sorted(found, key=lambda p: int(p.id[1:])))
