"""What tries to refute the page on Langevin steps: chains of vectors, simulated and solved, and laws they leave alone.

A step on N(mu, C) is affine: the distance from mu is multiplied by A = 1 - (delta/2) C^-1, and noise delta is added.

Steps are run as a sampler, too: many of them at one level of noise after another, and fewer and fewer of them.
"""

import numpy as np
from hypothesis import strategies as st
from numpy import sqrt

from ...quadrature import expectation_of
from ...solvers.grids import log_snr
from ...solvers.moments import Moments, final
from ...solvers.steps import chained
from ...statistics import Hermite, above, below, both, by_running, close, for_all, limit, matches, moments, order
from ...worlds import gaussian, mixture
from ..chains import exact, laws
from ..finer import EXACT, approached, own_row, sloped
from ..reversal.step import GAUSSIANS

MEAN = np.array([0.37, -1.23, 2.1])
SPREADS = [np.array([0.61, 1.37, 2.9]), np.array([0.23, 0.47, 5.3]), np.array([1.71, 3.1, 0.83])]  # variances on axes
SHARES = [0.29, 0.63, 0.87]  # of the largest step that is stable
AXES = np.linalg.qr(np.random.default_rng(7).standard_normal((3, 3)))[0]
LAWS = [
    mixture([0.31, 0.69], [-1.13, 1.47], [0.83, 0.41]),
    mixture([0.57, 0.28, 0.15], [-0.71, 0.93, 2.1], [0.37, 0.62, 0.49]),
    gaussian(0.37, 1.83),
]
NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(40)
HERE, FRESH = np.array([0.43, -1.9, 1.27]), np.array([-1.37, 0.29, 2.3])
SMALLER = 0.1 / 2 ** np.arange(7)
STANDARD = (1.0, 3.0, 15.0)  # moments of a standard normal variable
NEAR = 1e-6
variances, shares = st.floats(0.1, 6), st.floats(0.05, 0.95)


def langevin(step, stationary, bias, threshold):
    """Covariances that a chain keeps; steps at which it diverges; draws that stay; averages that do not move."""

    def ended(spread, share):
        delta = share * narrowest(spread)
        return matches(stationary, {"v": spread, "delta": delta}, *kept_on_axes(spread, delta))

    def stable(v):
        return below(lambda v: growth(v, threshold(v=v) * (1 - NEAR)), {"v": v}, 1, strict=True)

    def unstable(v):
        return above(lambda v: growth(v, threshold(v=v) * (1 + NEAR)), {"v": v}, 1, strict=True)

    for spread, share in zip(SPREADS, SHARES, strict=True):
        yield ended(spread, share)
        at = {"v": spread}
        yield order(
            excess(spread), SMALLER, lambda v: np.ones_like(v), lambda v: bias(v=v, delta=0.37) / 0.37 + 0 * v, at
        )
        yield from both(*kept_by_steps(step, stationary, spread, share), by=Hermite(degree=2))
    for world in LAWS:
        yield limit(lambda fresh: fresh, {"fresh": FRESH}, driven(step, world), SMALLER)
        for level in (world, world.affine(1.0, 0.31)):  # the right one, and a noisier one
            yield limit(pushed(world, level), {}, moved(step, world, level), SMALLER)
    yield for_all(a=variances, b=variances, c=variances, share=shares)(
        lambda a, b, c, share: ended(np.array([a, b, c]), share)
    )
    yield for_all(v=variances)(stable)
    yield for_all(v=variances)(unstable)
    for (data, _), share in zip(GAUSSIANS, SHARES, strict=True):
        yield from as_a_sampler(step, stationary, bias, threshold, data, share)


# Of Gaussian vectors


def narrowest(spread):
    """The largest step that is stable: A is no reflection on any axis."""
    return 4 * np.min(spread)


def gain(spread, delta):
    return AXES @ np.diag(1 - delta / (2 * spread)) @ AXES.T


def kept_on_axes(spread, delta):
    """The variances on the axes of the solution of C = A C A' + delta, and the size of what was added up for them.

    It is solved as a system of linear equations for the entries of C.
    """
    A, one = gain(spread, delta), np.eye(3)
    system = np.eye(9) - np.kron(A, A)
    kept = np.linalg.solve(system, delta * one.ravel()).reshape(3, 3)
    return np.diag(AXES.T @ kept @ AXES), np.linalg.cond(system) * np.max(np.abs(kept))


def growth(v, delta):
    """Of the distance between two chains with the same noise, by simulating some steps from 0 and 1 apart."""
    apart = 1.0
    for _ in range(8):
        apart = apart - delta / 2 * apart / v
    return np.abs(apart)


def excess(spread):
    """How much too wide a chain is in the end, on each axis, in small steps."""

    def value_at(delta):
        kept, size = kept_on_axes(spread, delta)
        return lambda nodes: (kept - spread, size)

    return value_at


def kept_by_steps(step, stationary, spread, share):
    """Vectors drawn as the chain is said to end, and one more step of it: they vary as before, on each axis."""
    delta, precision = share * narrowest(spread), AXES @ np.diag(1 / spread) @ AXES.T

    def draw(rng, n):
        x = MEAN + sqrt(stationary(v=spread, delta=delta)) * rng.standard_normal((n, 3)) @ AXES.T
        return (step(x=x, delta=delta, score=-(x - MEAN) @ precision, fresh=rng.standard_normal((n, 3))),)

    def scores(x):
        known, _ = kept_on_axes(spread, delta)
        z = (x - MEAN) @ AXES / sqrt(known)
        return [row for k in range(3) for row in moments(z[:, k], 0.0, 1.0, STANDARD)]

    return draw, scores


# Run as a sampler

LEVELS = log_snr(3, 7.3, 0.19, units="ve")
ONE = LEVELS.between(2, 3)
SIZES = 1 / 2 ** np.arange(2, 7)  # of steps, in units of the variance


def steps_at(step, data, size, repeats, grid=ONE):
    """At every level below the first this many steps, of this size in units of the variance there."""

    def rows(k):
        level = grid[k + 1]

        def follow(x_t, predicted_x_0, fresh):
            score, v = sloped(level, x_t, predicted_x_0).value, data.affine(level.scale, level.noise**2).variance
            return step(x=x_t, score=score, delta=size * v, fresh=fresh)

        row = own_row(follow, level)
        return [row] * (repeats - 1) + [row._replace(reached=k + 1)]

    return chained("langevin", grid, rows)


def as_a_sampler(step, stationary, bias, threshold, data, share):
    """At one level after another chains settle down, too wide; in small steps they leave a law where it is."""
    means, variances = exact(LEVELS, data)[:, 1:]
    at, law, v = {"v": variances[-1]}, (means[-1], variances[-1]), variances[-1]

    def after(size, repeats, law=law):
        return final(steps_at(step, data, size, repeats), data.mean, data.variance, Moments(*law))

    def settled(v, delta):
        return np.stack([means, stationary(v=v, delta=delta)])

    def ran(nodes):
        found = laws(steps_at(step, data, 4 * share, 80, LEVELS), data)[:, 1:]
        return found, 80 * (1 + np.abs(found))

    def too_wide(size):
        n = round(40 / size)
        ratio = after(size, n).variance / v
        return lambda nodes: (ratio - 1, n * ratio)

    def left_alone(size):
        n = round(1 / size)
        found = np.array(after(size, n))
        return lambda nodes: (found, n * (1 + np.abs(found)))

    def apart(delta):
        """How far from each other two chains with the same noise are, after some steps from one apart."""
        near, far = (after(delta / v, 8, (means[-1] + x, v)).mean for x in (0.0, 1.0))
        return np.abs(far - near)

    yield by_running(close(settled, {"v": variances, "delta": 4 * share * variances}, ran))
    yield by_running(order(too_wide, SIZES, lambda v: 1.0, lambda v: bias(v=v, delta=0.37 * v) / (0.37 * v), at))
    yield approached(EXACT, {"law": np.array(law)}, left_alone, SIZES)
    yield by_running(below(lambda v: apart(threshold(v=v) * (1 - NEAR)), at, 1, strict=True))
    yield by_running(above(lambda v: apart(threshold(v=v) * (1 + NEAR)), at, 1, strict=True))


# Of any law on the line


def tested(x):
    """A function whose average is watched."""
    return np.cos(1.3 * x + 0.4) + x**2 / 5


def tested_slope(x):
    return -1.3 * np.sin(1.3 * x + 0.4) + 2 * x / 5


def pushed(world, level):
    """The rate at which that average has to move: by the slope of the level beyond that of the world."""
    rule = expectation_of(lambda x: (level.score(x) - world.score(x)) * tested_slope(x) / 2, world)
    return lambda: rule(1024)[0]


def driven(step, world):
    """The noise of a step of the size h^2, in units of h: what drives it."""

    def value_at(h):
        after = step(x=HERE, delta=h**2, score=world.score(HERE), fresh=FRESH)
        return lambda nodes: ((after - HERE) / h, np.abs(HERE / h) + np.abs(FRESH))

    return value_at


def moved(step, world, level):
    """The rate at which it does, in a step of the size delta."""

    def value_at(delta):
        def change(x):
            after = (step(x=x, delta=delta, score=level.score(x), fresh=z) for z in NODES)
            return sum(w * tested(y) for w, y in zip(WEIGHTS / np.sum(WEIGHTS), after, strict=True)) - tested(x)

        rule = expectation_of(change, world)
        return lambda nodes: tuple(part / delta for part in rule(nodes))

    return value_at
