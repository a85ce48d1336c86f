"""What tries to refute the page on Gaussian data: the flow, integrated in space, and chains of DDIM with exact noise.

On the line a flow keeps every point at its quantile: that is where it is. A step on Gaussian data is a line, and its
slope is what becomes of a distance.
"""

from itertools import pairwise

import numpy as np
from hypothesis import strategies as st
from numpy import array, sqrt
from scipy.integrate import solve_ivp
from scipy.special import ndtr

from ...solvers import grids, transport
from ...solvers.predictions import denoiser
from ...solvers.steps import step as row_of
from ...solvers.table import PREDICTION, STATE
from ...statistics import below, by_running, close, for_all, limit, matches, order
from ...worlds import gaussian
from ..chains import STEP_SIZES as SMALLER_STEPS
from ..chains import ends, laws, one_by_one, or_nowhere, points, smooth_grid, starts
from ..reversal.step import GAUSSIANS, STEPS, gaussians, tame_steps
from .ddim import ended, keeping
from .ddpm import AXES, LEAPS, SPACE, SPREADS, at_levels, of_jump

LEVELS = [(1.37, 0.43), (0.29, 2.1), (5.3, 0.61)]  # from sigma_0 to sigma
SOME_U, SOME_Z = array([1.71, -0.83, 0.47]), array([-1.27, 0.43, 1.71])
ARCS = [(0.37, 1.13, 7), (1.83, 0.71, 3), (4.7, 1.37, 12)]  # v_0, theta_T, N
IN_SIGMA = grids.karras(6, sigma_max=17.0, sigma_min=0.3)
STEP_SIZES = 1 / 2 ** np.arange(3, 9)
levels, near, variances = st.floats(0.05, 9), st.floats(-2, 2), st.floats(0.1, 9)


def pf_ode_gaussian(trajectory):
    """The flow along the score of a Gaussian in space, axis by axis; points at their quantiles on the line."""
    for start, end in LEVELS:
        at = {"m_0": SPACE.mean @ AXES, "v_0": SPREADS, "u_0": SOME_U @ AXES, "sigma_0": start, "sigma": end}
        yield close(trajectory, at, flowed(SPACE, SOME_U, start, end, axes=AXES))

    def keeps(data, start, end, z):
        at = {"m_0": data.mean, "v_0": data.variance, "sigma_0": start, "sigma": end}
        u_0 = data.mean + z * sqrt(data.variance + start**2)
        seen, size = data.affine(1.0, end**2), 1 + abs(z) + abs(data.mean) / sqrt(data.variance)
        return matches(lambda **at: seen.cdf(trajectory(**at)), at | {"u_0": u_0}, ndtr(z), magnitude=size)

    for (data, _), (start, end) in zip(GAUSSIANS, LEVELS, strict=True):
        yield keeps(data, start, end, SOME_Z)
    yield for_all(data=gaussians, start=levels, end=levels, z=near)(keeps)
    # Taken from level to level it is where the quantiles are; and steps that hold the noise tend to it.
    for data, _ in GAUSSIANS:
        yield by_running(matches(*led_along(trajectory, data)))
        yield by_running(limit(trajectory, *in_small_steps(data)))


def ddim_gaussian(exact, gain, turned, variance, final, rate, constant):
    """The flow between two times; slopes of steps, on the line and in space; chains of equal angles."""

    def on_the_line(data, jump):
        at, slope = of_jump(jump, v_0=data.variance), distance_after(data, jump)
        before, after = (data.marginal(bar).variance for bar in (jump.alpha_bar, jump.alpha_bar_prev))
        for formula in (gain, turned):
            yield matches(formula, at, slope, magnitude=4.0)
        yield matches(variance, at, slope**2 * before, magnitude=4 * after)
        yield matches(lambda **at: exact(**at) ** 2, at, after / before)

    def after_all(v_0, theta, N):
        return matches(final, {"v_0": v_0, "theta": theta, "N": N}, *chained(v_0, theta, N))

    for data, jump in GAUSSIANS:
        yield from on_the_line(data, jump)
        yield below(
            variance, of_jump(jump, v_0=data.variance), data.marginal(jump.alpha_bar_prev).variance, strict=True
        )
    for jump in STEPS:
        at = of_jump(jump, v_0=SPREADS)
        yield close(exact, at, distance_of_the_flow(jump))
        for formula in (gain, turned):
            yield matches(formula, at, slopes_in_space(jump), magnitude=4.0)
    for v_0, theta, N in ARCS:
        yield after_all(v_0, theta, N)
        yield order(short_of(chained, v_0, theta), STEP_SIZES, rate, constant, {"v_0": v_0, "theta": theta})
    for k in range(4):
        yield for_all(data=gaussians, jump=tame_steps)(lambda data, jump, k=k: list(on_the_line(data, jump))[k])
    yield for_all(examples=50, v_0=variances, theta=st.floats(0.1, 1.4), N=st.integers(1, 12))(after_all)
    # Whole chains: what becomes of distances along the flow and in steps, and of the variance.
    for data, _ in GAUSSIANS:
        at = {"v_0": data.variance, "z": SOME_Z}
        flowing, stepping = distances(data, along_the_flow), distances(data, in_steps)
        for formula, expected in ((exact, flowing), (gain, stepping), (turned, stepping)):
            yield by_running(matches(stretched(formula), at, expected, magnitude=4.0 * len(LEAPS)))
        yield by_running(matches(narrowed(variance), {"v_0": data.variance}, ended(keeping(0.0), data)[1]))
    for v_0, theta, N in ARCS:
        yield by_running(matches(final, {"v_0": v_0, "theta": theta, "N": N}, *run_through(v_0, theta, N)))
        missed = short_of(run_through, v_0, theta)
        yield by_running(order(missed, STEP_SIZES, rate, constant, {"v_0": v_0, "theta": theta}))


# The flow


def flowed(world, u, start, end, axes=None):
    """Where du/dsigma = -sigma score leads, seen along axes; the more nodes, the finer."""

    def rule(nodes):
        fine = max(float(nodes) ** -5, 3e-14)

        def velocity(sigma, at):
            return -sigma * world.affine(1.0, sigma**2).score(at.reshape(np.shape(u))).ravel()

        reached = solve_ivp(velocity, (start, end), np.ravel(u), "DOP853", rtol=fine, atol=fine).y[:, -1]
        reached = reached.reshape(np.shape(u))
        return (reached if axes is None else reached @ axes), 1 + np.abs(reached) + np.max(np.abs(u))

    return rule


def distance_of_the_flow(jump):
    """What becomes of the distance one from the mean, along each axis, on the way from t to s."""
    start, end = (sqrt((1 - bar) / bar) for bar in (jump.alpha_bar, jump.alpha_bar_prev))

    def rule(nodes):
        u = SPACE.mean + AXES.T / sqrt(jump.alpha_bar)
        reached, size = flowed(SPACE, u, start, end)(nodes)
        along = np.sum((reached - SPACE.mean) * AXES.T, axis=-1)
        return sqrt(jump.alpha_bar_prev) * along, np.max(size)

    return rule


# Steps of DDIM


def ddim(world, bar, bar_s, x):
    """A step with the noise that is expected at x."""
    data = world.posterior(bar, x).mean
    noise = (x - sqrt(bar) * data) / sqrt(1 - bar)
    return sqrt(bar_s) * data + sqrt(1 - bar_s) * noise


def distance_after(data, jump):
    """What a step makes of a distance of one."""
    mean = data.marginal(jump.alpha_bar).mean
    far, near = (ddim(data, jump.alpha_bar, jump.alpha_bar_prev, mean + x) for x in (1.0, 0.0))
    return far - near


def slopes_in_space(jump):
    """And of distances along the axes."""
    mean = SPACE.marginal(jump.alpha_bar).mean
    far, near = (ddim(SPACE, jump.alpha_bar, jump.alpha_bar_prev, mean + x) for x in (AXES.T, 0 * AXES))
    return np.sum((far - near) * AXES.T, axis=-1)


def equal_angles(v_0, theta, N):
    """The levels between steps."""
    return 1 / (1 + v_0 * np.tan(np.linspace(theta, 0.0, N + 1)) ** 2)


def chained(v_0, theta, N):
    """The variance after N steps that turn by theta/N each, from the right one; and the size of what it came from."""
    data = gaussian(0.0, v_0)
    bars = equal_angles(v_0, theta, N)
    x = sqrt(data.marginal(bars[0]).variance)
    for bar, bar_s in pairwise(bars):
        x = ddim(data, bar, bar_s, x)
    return x**2, N * (v_0 + x**2)


def short_of(chained, v_0, theta):
    """By how much a chain is off, for a number of steps that is 1/h."""

    def at(h):
        found, size = chained(v_0, theta, round(1 / h))
        return lambda nodes: (found - v_0, size)

    return at


# Whole chains


def led_along(trajectory, data):
    """From level to level by the trajectory, from some quantiles on; where these are, and the size of all steps."""

    def led(m_0, v_0, x):
        def kernel(t, s, _):
            at = {"sigma_0": t.sigma, "sigma": s.sigma, "v_0": v_0}
            return row_of(trajectory, t, s, at, asks={"u_0": STATE, "m_0": PREDICTION}, units="ve")

        held = lambda x, _: np.full_like(x, m_0)  # stands for the mean of the data
        return or_nowhere((len(IN_SIGMA) + 1, len(x)), lambda: points(one_by_one(kernel, IN_SIGMA), held, x))

    x = quantiles(data, IN_SIGMA)
    return led, {"m_0": data.mean, "v_0": data.variance, "x": x[0]}, x, len(x) * (1 + np.abs(x[0]))


def quantiles(data, grid):
    """Points at all levels, each on its trajectory."""
    x = data.mean + SOME_Z * sqrt(transport.law(data, grid[0]).variance)
    return np.stack([transport.transported(data, x, grid[0], grid[k]) for k in range(len(grid) + 1)])


def in_small_steps(data):
    """The letters of a trajectory, and where steps that hold the noise lead on it, the smaller the nearer."""
    start, end = (smooth_grid(1)[k] for k in (0, 1))
    at = {"m_0": data.mean, "v_0": data.variance, "sigma_0": start.sigma, "sigma": end.sigma}
    u_0 = starts(data, smooth_grid(1)) / start.scale
    reached = ends(lambda grid: one_by_one(keeping(0.0), grid), data)
    return at | {"u_0": u_0}, lambda h: reached(h) / end.scale, SMALLER_STEPS


def in_steps(data, x):
    """Where steps without fresh noise lead, at all levels."""
    return points(one_by_one(keeping(0.0), LEAPS), denoiser(data), x)


def along_the_flow(data, x):
    return np.stack([transport.transported(data, x, LEAPS[0], LEAPS[k]) for k in range(len(LEAPS) + 1)])


def distances(data, led):
    """What becomes of distances from the mean."""
    x = led(data, transport.law(data, LEAPS[0]).mean + np.append(SOME_Z, 0.0))
    return x[:, :-1] - x[:, -1:]


def stretched(formula):
    """Distances at all levels, if each step multiplies them by this."""

    def run(v_0, z):
        def kernel(t, s, _):
            return row_of(lambda x_t, **at: formula(**at) * x_t, t, s, at_levels(t, s, v_0), silent=True)

        return or_nowhere((len(LEAPS) + 1, len(z)), lambda: points(one_by_one(kernel, LEAPS), None, z))

    return run


def narrowed(variance):
    """The variance at all levels, if each step from the right one ends with this."""

    def run(v_0):
        right = [transport.law(gaussian(0.0, v_0), LEAPS[k]).variance for k in range(len(LEAPS) + 1)]
        parts = [variance(**at_levels(LEAPS[k], LEAPS[k + 1], v_0)) / right[k + 1] for k in range(len(LEAPS))]
        return np.cumprod([1.0, *parts]) * right

    return run


def run_through(v_0, theta, N):
    """The same as chained, by a table."""
    bars = equal_angles(v_0, theta, N)
    table = one_by_one(keeping(0.0), grids.Grid(sqrt(bars), sqrt(1 - bars)))
    found = laws(table, gaussian(0.37, v_0))[1, -1]
    return found, N * (v_0 + found)
