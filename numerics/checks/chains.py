"""Chains: a step under test is taken from level to level, and every level is held to what should be there.

A *kernel* gives the row of a table from one level to the next, ``kernel(t, s, data)``.  A row that is not affine, or
not of finite numbers, leads nowhere: to NaN, which no comparison lets pass.
"""

import numpy as np

from ..solvers import moments
from ..solvers.grids import Grid
from ..solvers.running import NotFinite, walk
from ..solvers.steps import ASKS, chained, letters, step
from ..solvers.table import PREDICTION, STATE
from ..statistics import by_running, matches
from ..statistics.formulas import under_test
from ..worlds import gaussian

BEFORE, BEFORE_THAT = "d", "d'"  # registers: the predictions at the node before, and at the one before that
OF_MANY = {"predicted_prev": BEFORE, "predicted_before": BEFORE_THAT}


def one_by_one(kernel, grid, data=None):
    """The table of a kernel, None if it has none."""
    return finite(grid, lambda k: kernel(grid[k], grid[k + 1], data))


def multistep(formulas, grid):
    """The table of steps that know the more predictions the later they stand in the list; the first have few behind."""

    def row(k):
        behind = min(k, len(formulas) - 1)
        at = letters(grid[k], grid[k + 1], *(grid[k - j] for j in range(1, behind + 1)))
        asks = ASKS | dict(list(OF_MANY.items())[:behind])
        remember = {BEFORE: {PREDICTION: 1.0}} | ({BEFORE_THAT: {BEFORE: 1.0}} if k else {})
        return step(formulas[behind], grid[k], grid[k + 1], at, asks, remember=remember)

    return finite(grid, row)


def finite(grid, row):
    try:
        return chained("under test", grid, lambda k: [row(k)._replace(reached=k + 1)])
    except ValueError:
        return None


def drawing(kernel):
    """The kernel with a draw of x_0 given x_t in the place of its mean; for Gaussian data it varies as noise does."""

    def with_a_draw(t, s, data):
        row = kernel(t, s, data)
        left = data.conditioned(t.scale, t.noise**2, 0.0).variance
        return row._replace(noise=np.hypot(row.noise, row.maps[STATE].get(PREDICTION, 0.0) * np.sqrt(left)))

    return with_a_draw


# Laws, for Gaussian data: nothing is drawn


def laws(table, data):
    """The means and the variances at all levels of a chain that starts with the right ones, (2, N + 1)."""
    start = moments.exact(data.mean, data.variance, table.grid[0])
    return np.transpose([start, *(law for _, law in moments.chain(table, data.mean, data.variance))])


def exact(grid, data):
    """The same of a perfect sampler."""
    marginals = data.affine(grid.scales, grid.noises**2)
    return np.stack([marginals.mean, marginals.variance])


def has_laws(kernel, grid, data, expected=None):
    """Run with this kernel a chain has these means and variances at all levels; unless said otherwise, the exact ones.

    What the last bits of the data and of the levels come to is seen by running it again.
    """
    expected = exact(grid, data) if expected is None else expected

    def run(m_0, v_0, scales, noises):
        world = gaussian(m_0, v_0)
        table = one_by_one(kernel, Grid(scales, noises, grid.times), world)
        return np.full(expected.shape, np.nan) if table is None else laws(table, world)

    at = {"m_0": data.mean, "v_0": data.variance, "scales": grid.scales, "noises": grid.noises}
    magnitude = len(grid) * (1 + np.abs(expected))
    return by_running(matches(under_test(run, "the run"), at, expected, magnitude))


# Trajectories


def points(table, predict, x, noise=None):
    """Where x is at all levels, (N + 1, ...)."""
    try:
        return np.stack([x, *(x for _, x in walk(table, predict, x, noise))])
    except NotFinite:
        return np.full((len(table.grid) + 1, *x.shape), np.nan)
