"""What tries to refute the page on orders: single steps along the exact flow, and whole runs of more and more steps.

Trajectories on the line keep their quantiles, so that the exact flow is known without following it.  It is followed in
units of the signal, as x = x_0 + noise/e^lambda; steps are taken where the variance is preserved.
"""

from dataclasses import dataclass
from functools import cache, partial

import numpy as np
from numpy import exp, log, sqrt
from numpy.polynomial import chebyshev

from ...quadrature import integral_over_unit
from ...solvers import transport
from ...solvers.predictions import denoiser
from ...solvers.steps import inserted, probed
from ...solvers.steps import step as row_of
from ...solvers.table import PREDICTION, STATE, Row
from ...statistics import by_running, close, limit, matches, order
from ...worlds import gaussian, mixture, normal
from ..chains import (
    BEFORE,
    BEFORE_THAT,
    SOME_QUANTILES,
    exact,
    finite,
    laws,
    multistep,
    one_by_one,
    or_nowhere,
    points,
    smooth_grid,
)
from .langevin import tested
from .multistep import continued

CLUSTERS = mixture([0.31, 0.69], [-1.13, 1.47], [0.23, 0.41])
SKEWED = mixture([0.57, 0.28, 0.15], [-0.71, 0.93, 2.1], [0.17, 0.62, 0.29])
STARTS = [  # a world and quantiles, lambda, r and r'
    (CLUSTERS, (0.22, 0.31, 0.42), -0.03, 0.73, 0.61),
    (SKEWED, (0.31, 0.42, 0.55), -0.29, 1.34, 0.83),
    (gaussian(0.37, 1.83), (0.07, 0.15, 0.93), 0.61, 0.87, 1.43),
]
STEPS = 0.12 / 2 ** np.arange(6)
FEWER_STEPS = 0.2 / 2 ** np.arange(5)  # for 3M, which misses little
LINES = [(0.83, 0.37, -0.59, 1.31, 0.71), (-1.27, 0.83, 0.43, -1.13, -1.61), (2.3, 1.71, 0.91, 0.67, 0.47)]
DIFFUSIONS = [(1.83, -0.43), (0.41, 0.71), (4.7, 0.19)]  # v_0 and lambda
NARROW = [gaussian(0.37, 0.83), gaussian(-1.29, 0.41), gaussian(2.17, 0.19)]  # wide ones show their order late
SOME = 1.7  # a number that is not its square
MESH, SPACING = np.linspace(-10, 10, 321, retstep=True)
FEW = 1 / (6 * 2.0 ** np.arange(4))
LAST = 1.2  # a lambda after these starts
SMOOTH_GRIDS, FINER_GRIDS = 1 / (32 * 2.0 ** np.arange(3)), 1 / (24 * 2.0 ** np.arange(4))


def orders(
    step_1, order_ddim, constant_ddim, step_2m, order_2m, constant_2m, step_3m, order_3m, constant_3m, order_begun,
    heun, order_heun, constant_heun, euler_maruyama, weak_order, weak_constant,
):  # fmt: skip
    """The error of one step from a point of the exact flow, and those at the end of all steps on a smooth grid."""
    yield from continued(step_1, step_2m, step_3m)
    steps = (
        (step_1, order_ddim, constant_ddim, STEPS),
        (step_2m, order_2m, constant_2m, STEPS),
        (step_3m, order_3m, constant_3m, FEWER_STEPS),
    )
    for world, quantiles, lambda_t, r, r_prev in STARTS:
        flow = Flow(world, quantiles)
        at = {"lambda_t": lambda_t, "r": r, "r_prev": r_prev, **flow.letters(lambda_t)}
        for step, p, constant, h in steps:
            yield order(partial(flow.missed, step, lambda_t, r, r_prev), h, one_more(p), constant, at, resolves=1e-2)
        yield order(partial(flow.missed_by_heun, heun, lambda_t), STEPS, one_more(order_heun), constant_heun, at)
        begun = partial(flow.missed_since_a_first_step, step_1, lambda_t)
        yield limit(order_begun, {}, slopes(begun), FINER_GRIDS, resolves=1e-2)
    for x, h, start, end, fresh in LINES:
        at = {"x_t": x, "h": h, "slope": start, "slope_next": end}
        yield close(heun, at, along_a_line(**at))
        at = {"x_t": x, "h": h, "slope": start, "noise": end**2, "fresh": fresh}
        yield matches(euler_maruyama, at, *travelled(x, h * start, abs(end) * sqrt(h) * fresh))
    for v_0, lambda_t in DIFFUSIONS:
        diffusion = Diffusion(v_0)
        missed = partial(diffusion.missed, euler_maruyama, lambda_t)
        yield order(missed, STEPS, one_more(weak_order), weak_constant, diffusion.letters(lambda_t))
    for data in NARROW:
        missed = partial(missed_by_the_law, euler_maruyama, data)
        yield by_running(limit(weak_order, {}, slopes(missed), FINER_GRIDS, resolves=1e-2))
    for world in (CLUSTERS, SKEWED):
        missed = partial(missed_by_a_mean, euler_maruyama, world)
        yield limit(weak_order, {}, slopes(missed), FEW, resolves=1e-2)
    of_3m = partial(multistep, [step_1, step_2m, step_3m])
    for world, p, grid_of, known, table_of in (
        (CLUSTERS, order_ddim, smooth_grid, 0, partial(multistep, [step_1])),
        (SKEWED, order_2m, smooth_grid, 0, partial(multistep, [step_1, step_2m])),
        (CLUSTERS, order_3m, smooth_grid, 2, partial(of_3m, known=2)),
        (CLUSTERS, order_begun, partial(smooth_grid, noisiest=log(3)), 0, of_3m),
        (SKEWED, order_heun, smooth_grid, 0, partial(by_heun, heun)),
    ):
        missed = partial(missed_by_all, table_of, world, grid_of, known)
        yield by_running(limit(p, {}, slopes(missed), SMOOTH_GRIDS, resolves=1e-2))


def along_a_line(x_t, h, slope, slope_next):
    """From x_t for a time h, with a slope that is a line."""
    return integral_over_unit(lambda u, rest: x_t + h * (slope * rest + slope_next * u))


def travelled(*parts):
    """A sum, and the size of its terms."""
    return sum(parts), sum(map(abs, parts))


def one_more(p):
    """The power of h in the error of one step."""
    return lambda **at: p(**at) + 1


def slopes(error):
    """The slope of the error of 1/h steps, on the way to twice as many; each of them rounds."""
    error = cache(error)

    def slope(h):
        n = round(1 / h)
        (few, size), (many, _) = error(n), error(2 * n)
        return lambda nodes: (np.log2(few / many), 1 + n * size * (1 / few + 2 / many))

    return slope


def derivatives(f, at):
    """The first three, of the polynomial through f at the nodes of Chebyshev."""
    nodes, reach = chebyshev.chebpts1(30), 0.7
    near = chebyshev.chebfit(nodes, np.array([f(at + reach * node) for node in nodes]), 29)
    return [chebyshev.chebval(0.0, chebyshev.chebder(near, n)) / reach**n for n in (1, 2, 3)]


# The flow


class Flow:
    """The trajectories of a world through some quantiles."""

    def __init__(self, world, quantiles=(0.22, 0.31, 0.55, 0.88)):
        self.world = world
        self.x = cache(lambda level: transport.quantile(world.affine(1.0, exp(-2 * level)), quantiles))

    def behind(self, level, x=None):
        """The law of x_0 given x, by default on the flow."""
        return self.world.conditioned(1.0, exp(-2 * level), self.x(level) if x is None else x)

    def slope(self, level, x):
        """Of x in lambda."""
        return self.behind(level, x).mean - x

    def letters(self, lambda_t):
        """Derivatives along the flow, of the prediction and of the slope, and how the slope depends on x."""
        p_1, p_2, p_3 = derivatives(lambda level: self.behind(level).mean, lambda_t)
        g_1, g_2, _ = derivatives(lambda level: self.slope(level, self.x(level)), lambda_t)
        pull = self.behind(lambda_t).variance * exp(2 * lambda_t) - 1
        return {"p_1": p_1, "p_2": p_2, "p_3": p_3, "g_1": g_1, "g_2": g_2, "pull": pull}

    def missed(self, step, lambda_t, r, r_prev, h):
        """By a step with the predictions at three points of the flow, in units of sigma."""
        back = {"predicted_x_0": 0.0, "predicted_prev": r * h, "predicted_before": (r + r_prev) * h}
        seen = {name: self.behind(lambda_t - each).mean for name, each in back.items()}
        x = stepped(step, self.x(lambda_t), lambda_t, h, r=r, r_prev=r_prev, **seen)
        return self.apart(x, lambda_t + h, unit=exp(lambda_t + h))

    def missed_by_heun(self, heun, lambda_t, h):
        x = self.x(lambda_t)
        return self.apart(averaged_slopes(self, heun, x, lambda_t, h), lambda_t + h)

    def missed_since_a_first_step(self, step_1, lambda_t, n):
        """By one step of the length 1/n with exact ones after it, in root mean square, and where they end."""
        x = stepped(step_1, self.x(lambda_t), lambda_t, 1 / n, predicted_x_0=self.behind(lambda_t).mean)
        there, last = (self.world.affine(1.0, exp(-2 * level)) for level in (lambda_t + 1 / n, LAST))
        ended = transport.carried(there, last, x)
        return sqrt(np.mean((ended - self.x(LAST)) ** 2)), sqrt(np.mean(ended**2))

    def apart(self, x, level, unit=1.0):
        """The way from x to the flow, and the size of what was rounded."""
        off = (self.x(level) - x) * unit
        return lambda nodes: (off, np.abs(x) * unit)


def stepped(step, x, lambda_t, h, **seen):
    """Where a step leads, taken where the variance is preserved."""
    a_t, a_s = (1 / sqrt(1 + exp(-2 * level)) for level in (lambda_t, lambda_t + h))
    return step(a_t=a_t, a_s=a_s, lambda_t=lambda_t, h=h, x_t=a_t * x, **seen) / a_s


def averaged_slopes(flow, heun, x, level, h):
    first = flow.slope(level, x)
    return heun(x_t=x, h=h, slope=first, slope_next=flow.slope(level + h, x + h * first))


# Whole chains


def by_heun(heun, grid):
    """The table of Heun's steps in lambda: with the slope at the start, and with that where it leads."""
    start, first, second = "y", "k", "k'"

    def rows(k):
        h = log(grid[k].sigma / grid[k + 1].sigma)
        slope = {PREDICTION: 1.0, STATE: -1.0}
        yield Row(grid[k], {start: {STATE: 1.0}, first: slope, STATE: {STATE: 1 - h, PREDICTION: h}})
        sum_ = probed(heun, {"h": h}, {"x_t": start, "slope": first, "slope_next": second})
        yield Row(grid[k + 1], {STATE: inserted(sum_, second, slope)})

    return finite(grid, rows)


def missed_by_all(table_of, world, grid_of, known, n):
    """What n steps miss, and where they end, in root mean squares; what is known before them lies on the flow."""
    grid, network = grid_of(n).in_units("ve"), denoiser(world)
    x = [transport.quantile(transport.law(world, grid[k]), SOME_QUANTILES) for k in (*range(known + 1), n)]
    seen = [network(x[k], grid[k]) for k in reversed(range(known))]
    held = dict(zip((BEFORE, BEFORE_THAT), seen, strict=False))
    ended = or_nowhere(x[0].shape, lambda: points(table_of(grid), network, x[known], held=held)[-1])
    return sqrt(np.mean((ended - x[-1]) ** 2)), sqrt(np.mean(ended**2))


def missed_by_the_law(euler_maruyama, data, n):
    """What n steps of the reverse diffusion miss the variance by, and what it is."""

    def kernel(t, s, _):
        def moved(x_t, predicted_x_0, fresh, h, **_):
            slope = 2 * (predicted_x_0 - x_t)  # the noise, 2 sigma^2, times the score
            return euler_maruyama(x_t=x_t, h=h, slope=slope, noise=2 * t.noise**2, fresh=fresh)

        return row_of(moved, t, s, units="ve")

    grid = smooth_grid(n).in_units("ve")
    ended = or_nowhere((2, n + 1), lambda: laws(one_by_one(kernel, grid), data))[1, -1]
    return abs(ended - exact(grid, data)[1, -1]), ended


def missed_by_a_mean(euler_maruyama, world, n):
    """What n steps of the reverse diffusion miss the mean of a function by, for any data: densities go over a mesh."""
    part = np.linspace(0, 1, n + 1)
    levels = -0.26 + 0.95 * (part + 0.3 * part * (1 - part))
    law = lambda level: world.affine(1.0, exp(-2 * level))
    density = law(levels[0])(MESH)
    with np.errstate(all="ignore"):  # a wrong step may have no noise
        for level, h in zip(levels, np.diff(levels), strict=False):
            noise = 2 * exp(-2 * level)
            at = {"x_t": MESH, "h": h, "slope": noise * law(level).score(MESH), "noise": noise}
            mean, drawn = (euler_maruyama(**at, fresh=fresh) for fresh in (0.0, 1.0))
            density = normal(MESH[:, None], mean, (drawn - mean) ** 2) @ density * SPACING
    return abs(np.sum((density - law(levels[-1])(MESH)) * tested(MESH))) * SPACING, 1.0


# The diffusion, for Gaussian data


@dataclass(frozen=True)
class Diffusion:
    """The reverse diffusion of Gaussian data with the variance v_0; x has the variance v_0 + sigma^2."""

    v_0: float

    def letters(self, level):
        variance = exp(-2 * level)
        v = self.v_0 + variance
        return {"b": 2 * variance / v, "v": v, "v_2": 4 * variance, "noise": 2 * variance}

    def stepped(self, euler_maruyama, v, level, h):
        """The variance after a step, from v."""
        at = self.letters(level)
        gain = euler_maruyama(h=h, noise=at["noise"], x_t=SOME, slope=-at["b"] * SOME, fresh=0.0) / SOME
        added = euler_maruyama(h=h, noise=at["noise"], x_t=0.0, slope=0.0, fresh=SOME) / SOME
        return gain**2 * v + added**2

    def missed(self, euler_maruyama, level, h):
        v = self.letters(level)["v"]
        off = self.letters(level + h)["v"] - self.stepped(euler_maruyama, v, level, h)
        return lambda nodes: (off, v)
