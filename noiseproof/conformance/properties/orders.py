"""Orders on a smooth grid: uniform in log-SNR from hardly any signal to hardly any noise, begun with the exact law.

The last step, from hardly any noise to none, is left out: the network's last input is where the grid ends.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache

import numpy as np

from numerics.worlds import Mixture

from ..findings import FAIL, INCONCLUSIVE, Finding
from ..subject import ITS_OWN, NoReference, Subject
from .ends import GAUSSIANS, SMOOTH, Chain, claims_order, described, ordered
from .property import ORDER, Property

FIRST, FINAL = 100.0, 0.05  # sigma
COUNTS = (24, 48, 96, 192)
MOST = 384
LESS, WRONG = 0.25, 0.5  # than the order that is claimed
TOLERANCE = 1e-3  # relative, of sigma: a grid that is taken at all is taken as well as single precision can
NUDGES = (1e-3, -1e-3, 2e-3)  # of the first sigma and of the last: next to nothing, and all is rounded otherwise


def smooth(subject: Subject, n: int, nudge: float = 0.0) -> Chain:
    """A run of n steps on the smooth grid, and one more to where no noise is left."""
    sigmas = np.geomspace((1 + nudge) * FIRST, (1 + nudge / 2) * FINAL, n + 1)
    table = described(subject.on(*sigmas.tolist(), 0.0))
    own = [level for level in table.levels if level is not None]
    if not own or len(own) != table.calls:
        raise NoReference("on a grid of ours it does not say at which levels the network is asked")
    for (a, b), wanted in ((own[0], sigmas[0]), (own[-1], sigmas[-1])):
        sigma = b / a if a else np.inf
        if abs(sigma - wanted) > TOLERANCE * wanted:
            raise NoReference(f"it does not keep to a grid that is handed in: sigma = {sigma:.6g}, and not {wanted:g}")
    levels = [*own, (1.0, 0.0)]
    return Chain(subject, table, levels, levels)


def of_worlds(subject: Subject, worlds: dict[str, Mixture], text: str) -> Iterator[Finding]:
    """Orders by floors that are computed; where these decide nothing, by those that are seen.

    A computed floor knows how many digits coefficients have, and not by which formula they were made.  What is seen is
    how far errors lie apart on grids that differ by next to nothing.  An order that is not there is a fault of
    arithmetic where half of the last error may be that, twice over, as such estimates go.
    """
    order, chain = subject.claims.order, cache(lambda n, nudge=0.0: smooth(subject, n, nudge))
    assert order is not None
    for name, world in worlds.items():

        def computed(n: int, world: Mixture = world) -> tuple[float, float]:
            return chain(n).missed(world)

        def seen(n: int, world: Mixture = world) -> tuple[float, float]:
            error, *others = (chain(n, nudge).missed(world)[0] for nudge in (0.0, *NUDGES))
            return error, max(abs(error - other) for other in others)

        rule = (COUNTS, MOST, order, order - LESS, order - WRONG, f"{text}, for {name}", name)
        found = ordered(computed, *rule)
        if found.verdict == INCONCLUSIVE:
            found = ordered(seen, *rule)
        if found.verdict == FAIL:
            error, floor = seen(found.at["n"][-1])  # the levels are ours
            found = replace(found, diagnosis="arithmetic" if 4 * floor > error else "update rule")
        yield found


def ode_order(subject: Subject) -> Iterator[Finding]:
    worlds = {"a smooth mixture": SMOOTH, **dict(list(GAUSSIANS.items())[:1])}
    yield from of_worlds(subject, worlds, f"order {subject.claims.order} of trajectories")


def weak_order(subject: Subject) -> Iterator[Finding]:
    yield from of_worlds(subject, GAUSSIANS, f"order {subject.claims.order} of mean and standard deviation")


def trajectories(subject: Subject) -> str | None:
    return without(subject) or ("it draws noise: see P18" if stochastic(subject) else None)


def laws(subject: Subject) -> str | None:
    return without(subject) or (None if stochastic(subject) else "it draws no noise: see P17")


def without(subject: Subject) -> str | None:
    if why := claims_order(subject):
        return why
    if not subject.can("on"):
        return "its grid cannot be handed in, and on its own one orders are not to be seen"
    return None if ITS_OWN in subject.oracles else "it does not say at which levels the network is asked"


def stochastic(subject: Subject) -> bool:
    return bool(np.any(subject.table(subject.steps[0]).of_noise))


PROPERTIES = (
    Property("P17", "ode-order", ORDER, ode_order, trajectories, ("sampler.orders",)),
    Property("P18", "weak-order", ORDER, weak_order, laws, ("sampler.orders",)),
)
