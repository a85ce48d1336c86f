"""Chains: a step under test is taken from level to level, and every level is held to what should be there.

A *kernel* gives the row of a table from one level to the next, ``kernel(t, s, data)``.  A row that is not affine, or
not of finite numbers, leads nowhere: to NaN, which no comparison lets pass.
"""

from functools import cache

import numpy as np

from .. import kernels
from ..noise import TAIL
from ..solvers import moments, transport
from ..solvers.grids import Grid
from ..solvers.predictions import denoiser
from ..solvers.running import NotFinite, walk
from ..solvers.steps import ASKS, chained, letters, step
from ..solvers.table import PREDICTION, STATE
from ..statistics import by_mixture, by_running, law, limit, matches, sampled, standardised_by, within
from ..statistics.formulas import under_test
from ..worlds import gaussian

BEFORE, BEFORE_THAT = "d", "d'"  # registers: the predictions at the node before, and at the one before that
OF_MANY = {"predicted_prev": BEFORE, "predicted_before": BEFORE_THAT}
SOME_QUANTILES = np.array([0.13, 0.42, 0.71, 0.88])
STEP_SIZES = 1 / (16 * 2.0 ** np.arange(5))
FEW = 2**7  # of the particles of a chunk, which are run again
OF_A_ROW = 16 * 2.0**-24  # what single precision rounds in one row: sums, products, coefficients, and the normals
NOISIEST, CLEANEST = np.log(9), np.log(0.3)


# Tables


def one_by_one(kernel, grid, data=None):
    """The table of a kernel.  Raises NotFinite if it has none."""
    return finite(grid, lambda k: [kernel(grid[k], grid[k + 1], data)])


def multistep(formulas, grid, known=0):
    """The table of steps that know the more predictions the later they stand in the list; the first have few behind.

    It begins at the level ``known``: then the predictions before it are held.
    """

    def rows(k):
        behind = min(k, len(formulas) - 1)
        at = letters(grid[k], grid[k + 1], *(grid[k - j] for j in range(1, behind + 1)))
        asks = ASKS | dict(list(OF_MANY.items())[:behind])
        remember = {BEFORE: {PREDICTION: 1.0}} | ({BEFORE_THAT: {BEFORE: 1.0}} if k else {})
        if k >= known:
            yield step(formulas[behind], grid[k], grid[k + 1], at, asks, remember=remember)

    return finite(grid, rows)


def finite(grid, rows):
    """The table whose k-th step has these rows; at the last of them a level is reached."""

    def reaching(k):
        found = list(rows(k))
        return [*found[:-1], *(row._replace(reached=k + 1) for row in found[-1:])]

    try:
        return chained("under test", grid, reaching)
    except ValueError as error:
        raise NotFinite(str(error)) from error


def or_nowhere(shape, run):
    """What a run gives, and NaN of this shape if it leads nowhere."""
    try:
        return run()
    except NotFinite:
        return np.full(shape, np.nan)


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
    return np.transpose([moments.exact(data.mean, data.variance, grid[k]) for k in range(len(grid) + 1)])


def has_laws(kernel, grid, data, expected=None):
    """Run with this kernel a chain has these means and variances at all levels; unless said otherwise, the exact ones.

    First by recursion, where what the last bits of the data and of the levels come to is seen by running it again; then
    by draws, which end with the last of them.
    """
    expected = exact(grid, data) if expected is None else expected

    def run(m_0, v_0, scales, noises):
        on, world = Grid(scales, noises, grid.times), gaussian(m_0, v_0)
        return or_nowhere(expected.shape, lambda: laws(one_by_one(kernel, on, world), world))

    at = {"m_0": data.mean, "v_0": data.variance, "scales": grid.scales, "noises": grid.noises}
    ended = lambda x: law(standardised_by(x, *expected[:, -1]))
    return [
        by_running(matches(under_test(run, "the run"), at, expected, len(grid) * (1 + np.abs(expected)))),
        draws_end(lambda: one_by_one(kernel, grid, data), data, transport.law(data, grid[0]), ended),
    ]


# Draws, as samplers are run: by the fast kernels, in single precision, with the noise that has a place


def draws_end(table_of, world, start, rows):
    """Run from draws of ``start`` a chain ends as the rows say that are made of its end.

    The reference runs the first draws again, in double precision and with the same noise: one that is further away than
    rounding explains fails.  Either the data are Gaussian, or the chain asks for no prediction.
    """
    table = cache(table_of)

    def draw(rng, n):
        return start.sample(rng, n).astype(np.float32), rng

    def scores(x, rng):
        seed = int(rng.integers(2**63))
        run = lambda x: or_nowhere(x.shape, lambda: kernels.chain(table(), world, x, seed)).astype(float)
        end, few = run(x), x[:FEW].astype(float)
        explained = or_nowhere(few.shape, lambda: rounded(table(), world, few))
        apart = np.zeros(x.shape)
        apart[:FEW] = np.abs(end[:FEW] - run(few)) / explained
        return [*rows(end), *within(np.max(apart.reshape(len(x), -1), axis=1), 0.0, 1.0, "rounding")]

    return by_running(sampled(draw, scores, resolves=1e-2))


def rounded(table, data, x):
    """How far single precision may lead from x: each row rounds what is no larger than if nothing ever cancelled.

    Nor is an error stretched by more, on its way to the end, than the numbers are whose signs are all the same.

    Raises ValueError for a mixture about which a network is asked.
    """
    if table.evaluations and len(data.weights) > 1:
        raise ValueError(
            f"the data have {len(data.weights)} components, and {table.method} asks for predictions, which are affine "
            "for Gaussian data alone: hand over one component, or hold the end to its law by keeps_law"
        )
    sizes = np.stack([np.abs(x), *(np.zeros(x.shape) for _ in table.registers[1:])])
    for row, m in table.matrices():
        said = np.zeros(x.shape)
        if row.level is not None:
            gain, _ = moments.predicted(table.prediction, data.mean, data.variance, row.level)
            said = abs(data.mean) + gain * (sizes[0] + row.level.scale * abs(data.mean))
        sizes = np.tensordot(np.abs(m), np.stack([*sizes, said]), 1)
        sizes[0] += abs(row.noise) * TAIL
    return len(table.rows) * OF_A_ROW * sizes[0]


# Draws, for mixtures


def keeps_law(kernel, grid, world):
    """A chain with this kernel, and a draw of x_0 given x_t for each prediction, has the law of x_t at all levels."""
    of_levels = [transport.law(world, grid[k]) for k in range(len(grid) + 1)]

    def draw(rng, n):
        return of_levels[0].sample(rng, n), rng

    def scores(x, rng):
        drawn = lambda x, t: world.conditioned(t.scale, t.noise**2, x).sample(rng)
        fresh = lambda row, x: rng.standard_normal(x.shape)
        shape = len(grid) + 1, *x.shape
        reached = or_nowhere(shape, lambda: points(one_by_one(kernel, grid, world), drawn, x, fresh))
        return [row for x, w in zip(reached, of_levels, strict=True) for row in law(whitened(x, w))]

    return by_running(sampled(draw, scores, resolves=2e-2))


def whitened(x, world):
    return by_mixture(x, world.weights[:, None], world.means[:, None], world.variances[:, None])


# Trajectories


def points(table, predict, x, noise=None, held=None):
    """Where x is at all levels, (N + 1, ...).  Raises NotFinite if a network is asked about what is not finite."""
    return np.stack([x, *(x for _, x in walk(table, predict, x, noise, held))])


def smooth_grid(n, noisiest=NOISIEST):
    """Levels whose log(sigma) is the image of n equal steps under one smooth map that is not straight."""
    part = np.linspace(0, 1, n + 1)
    sigmas = np.exp(noisiest + (CLEANEST - noisiest) * (part + 0.3 * part * (1 - part)))
    return Grid(np.ones_like(sigmas), sigmas).in_units("vp")


def starts(world, grid):
    """Some quantiles of the first level."""
    return transport.quantile(transport.law(world, grid[0]), SOME_QUANTILES)


def ends(table_of, world, grid_of=smooth_grid, predict=None):
    """Where a chain on a smooth grid of 1/h steps ends, from some quantiles on; the size of the steps comes later.

    What is predicted is the mean of x_0, unless said otherwise.
    """

    def at(h):
        grid = grid_of(round(1 / h))
        x = starts(world, grid)
        return or_nowhere(x.shape, lambda: points(table_of(grid), predict or denoiser(world), x)[-1])

    return at


def tends_to_the_flow(table_of, world, grid_of=smooth_grid, predict=None, resolves=1e-6):
    """In the limit of small steps on a smooth grid a chain ends at the quantiles that it began with."""
    last, found = transport.law(world, grid_of(1)[1]), ends(table_of, world, grid_of, predict)
    reached = lambda quantiles: transport.quantile(last, quantiles)
    return by_running(limit(reached, {"quantiles": SOME_QUANTILES}, found, STEP_SIZES, resolves))
