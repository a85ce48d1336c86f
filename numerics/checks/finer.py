"""Chains in more and more steps: what they tend to, and steps that follow a score."""

from typing import Any, NamedTuple

import numpy as np

from ..solvers.grids import Level
from ..solvers.predictions import x_0_from
from ..solvers.steps import ASKS, FRESH, NOISE, probed
from ..solvers.table import STATE, Row
from ..statistics import by_running, limit
from ..statistics.formulas import under_test
from .chains import exact, laws, one_by_one, or_nowhere

UNSEEN = Level(0.0, 1.0, 0.0)  # where x says nothing of x_0, so that what is predicted is its mean
OWN = {letter: register for letter, register in ASKS.items() if register != NOISE}
EXACT = under_test(lambda law: law, "the exact law")
STEP_SIZES = 1 / 2 ** np.arange(3, 9)


def tends(kernel, grid_of, data):
    """In n steps on ``grid_of(n)``, with more and more of them, the law halfway and at the end tends to the exact one.

    Its means and variances are looked at, for Gaussian data; nothing is drawn.
    """

    def value_at(h):
        n = round(1 / h)
        found = or_nowhere((2, 2), lambda: laws(one_by_one(kernel, grid_of(n), data), data)[:, [n // 2, n]])
        return lambda nodes: (found, n * (1 + np.abs(found)))

    return approached(EXACT, {"law": exact(grid_of(2), data)[:, 1:]}, value_at)


def approached(formula, at, value_at, steps=STEP_SIZES):
    """A formula is what a run tends to in smaller and smaller steps."""
    return by_running(limit(formula, at, value_at, steps, resolves=1e-4))


def own_row(moved, level, asks=OWN, at=None):
    """The row of a step in whatever units x is at these levels; ``at`` has letters that it does not ask for."""
    sum_ = probed(moved, at or {}, asks)
    return Row(level, {STATE: {name: c for name, c in sum_.items() if name != FRESH}}, sum_.get(FRESH, 0.0))


class Slope(NamedTuple):
    """A law of which only the slope of its logarithm is asked for."""

    value: Any

    def score(self, x):
        return self.value


def sloped(level, x, predicted_x_0):
    """The law of x at a level, where the mean of x_0 given x is this."""
    of_x, of_p = x_0_from("score", level)
    return Slope((predicted_x_0 - of_x * x) / of_p)
