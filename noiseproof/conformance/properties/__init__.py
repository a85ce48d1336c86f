"""The properties that a sampler may have.  Each says whom it concerns, and finds out."""

from __future__ import annotations

from . import behavior, grids, laws, marginals, orders, parameterizations, steps, tables
from .property import BOOLEAN, EXACT, ORDER, STATISTICAL, Property


def properties() -> tuple[Property, ...]:
    """All of them, P1 first."""
    files = behavior, grids, laws, marginals, orders, parameterizations, steps, tables
    found = [property for each in files for property in each.PROPERTIES]
    return tuple(sorted(found, key=lambda p: int(p.id[1:])))
