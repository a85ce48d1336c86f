"""What tries to refute the page on consistency functions: the flow, integrated, against distribution functions.

A consistency function is run as a sampler: to the end in one step, up again by fresh noise, and so on (Song et al.
2023, algorithm 1). Euler's steps along the velocity are run, too.
"""

from functools import partial

import numpy as np
from hypothesis import strategies as st
from numpy import exp, log, sqrt
from scipy.special import ndtr

from ...solvers.grids import karras, log_snr
from ...solvers.steps import step
from ...solvers.table import PREDICTION, STATE
from ...statistics import close, for_all, limit, matches
from ...worlds import gaussian, mixture
from ..chains import has_laws, one_by_one, tends_to_the_flow
from ..finer import UNSEEN, own_row
from ..reversal.step import CLUSTERS, GAUSSIANS, gaussians, pairs
from .ddpm import AXES, SPACE, SPREADS
from .gaussian import LEVELS, SOME_U, SOME_Z, flowed, levels, near

LAWS = [CLUSTERS, mixture([0.57, 0.28, 0.15], [-0.71, 0.93, 2.1], [0.37, 0.62, 0.49]), gaussian(0.37, 1.83)]
SCALES = [(0.61, 1.37, 0.083), (1.83, 0.47, 0.31), (0.29, 5.3, 0.017)]  # sigma_d, sigma, epsilon
STEP_SIZES = 1 / 2 ** np.arange(3, 8)
ends, rises = st.floats(0.01, 1), st.floats(0.05, 9)


def consistency_function(velocity, end, skip, out):
    """The flow of mixtures keeps quantiles; in space it ends on axes where it should; coefficients at the boundary."""

    def follows(world, u, sigma):
        noised = world.affine(1.0, sigma**2)
        at = {"u": u, "sigma": sigma, "denoised": world.conditioned(1.0, sigma**2, u).mean}
        return matches(velocity, at, -sigma * noised.score(u), magnitude=(1 + abs(u)) * (1 + 1 / sigma))

    def keeps(data, sigma, epsilon, z):
        at = {"m_0": data.mean, "v_0": data.variance, "sigma": sigma, "epsilon": epsilon}
        u = data.mean + z * sqrt(data.variance + sigma**2)
        seen, size = data.affine(1.0, epsilon**2), 1 + abs(z) + abs(data.mean) / sqrt(data.variance)
        return matches(lambda **at: seen.cdf(end(**at)), at | {"u": u}, ndtr(z), magnitude=size)

    def kept(sigma_d, sigma, epsilon):
        at = {"sigma_d": sigma_d, "sigma": sigma, "epsilon": epsilon}
        return matches(skip, at, *gain(sigma_d, sigma, epsilon))

    def added(sigma_d, sigma, epsilon):
        at = {"sigma_d": sigma_d, "sigma": sigma, "epsilon": epsilon}
        left = gaussian(0.0, sigma_d**2).conditioned(1.0, sigma**2, 0.0).variance
        return matches(out, at, (1 - epsilon / sigma) * sqrt(left), magnitude=sqrt(left))

    for world in LAWS:
        for start, finish in ((1.37, 0.083), (0.43, 0.21)):
            u = world.mean + SOME_Z * sqrt(world.variance + start**2)
            below = world.affine(1.0, start**2).cdf(u)
            yield limit(lambda below: below, {"below": below}, arrived(velocity, world, u, start, finish), STEP_SIZES)
    for start, finish in LEVELS:
        at = {"m_0": SPACE.mean @ AXES, "v_0": SPREADS, "u": SOME_U @ AXES, "sigma": start, "epsilon": finish}
        yield close(end, at, flowed(SPACE, SOME_U, start, finish, axes=AXES))
    for sigma_d, sigma, epsilon in SCALES:
        for coefficient in (kept, added):
            yield coefficient(sigma_d, sigma, epsilon)
            yield coefficient(sigma_d, epsilon, epsilon)
    yield for_all(world=pairs, u=near, sigma=levels)(follows)
    yield for_all(data=gaussians, sigma=levels, epsilon=ends, z=near)(keeps)
    for coefficient in (kept, added):
        yield for_all(sigma_d=levels, rise=rises, epsilon=ends)(
            lambda sigma_d, rise, epsilon, coefficient=coefficient: coefficient(sigma_d, epsilon + rise, epsilon)
        )
    for (data, _), (sigma_d, sigma, epsilon) in zip(GAUSSIANS, SCALES, strict=True):
        grid = karras(4, sigma, epsilon, to_zero=False)
        yield from has_laws(down_and_up(end, epsilon), grid, data)
        yield from has_laws(down_and_up(once_more(end, skip, out, sigma_d), epsilon), grid, data)
    for world in LAWS[:2]:
        table_of, grid_of = partial(one_by_one, euler(velocity)), partial(log_snr, sigma_max=1.37, sigma_min=0.083)
        yield tends_to_the_flow(table_of, world, grid_of)


def gain(sigma_d, sigma, epsilon):
    """What a denoiser makes of a distance of one, at a level that is lower by epsilon."""
    rise = sigma - epsilon
    return gaussian(0.0, sigma_d**2).conditioned(1.0, rise**2, 1.0).mean, 1 + (sigma / (rise + sigma_d)) ** 2


def arrived(velocity, world, u, start, end):
    """How much of the law is below the points where Runge and Kutta's steps lead, equal ones of log sigma."""

    def slope(l, u):
        sigma = exp(l)
        denoised = world.conditioned(1.0, sigma**2, u).mean
        return sigma * velocity(u=u, sigma=sigma, denoised=denoised)

    def value_at(h):
        x, l, k = u, log(start), log(end / start) * h
        with np.errstate(all="ignore"):  # a wrong flow may leave for infinity
            for _ in range(round(1 / h)):
                first = slope(l, x)
                second = slope(l + k / 2, x + k / 2 * first)
                third = slope(l + k / 2, x + k / 2 * second)
                x = x + k / 6 * (first + 2 * second + 2 * third + slope(l + k, x + k * third))
                l = l + k
        return world.affine(1.0, end**2).cdf(x)

    return value_at


# Run as samplers


def down_and_up(to_the_end, epsilon):
    """The row of a step to the last level, and of fresh noise up to the next one."""

    def kernel(t, s, data):
        at = {"sigma": t.noise, "epsilon": epsilon, "v_0": data.variance}
        row = own_row(to_the_end, UNSEEN, {"u": STATE, "m_0": PREDICTION}, at)
        return row._replace(noise=sqrt(np.maximum(s.noise**2 - epsilon**2, 0)))

    return kernel


def once_more(end, skip, out, sigma_d):
    """To the end, and from there, with coefficients and some network, to the end again: where it is already."""

    def to_the_end(u, m_0, epsilon, **at):
        there = {"sigma_d": sigma_d, "sigma": epsilon, "epsilon": epsilon}
        return skip(**there) * end(u=u, m_0=m_0, epsilon=epsilon, **at) + out(**there) * m_0

    return to_the_end


def euler(velocity):
    """The row of Euler's step in the level of noise."""

    def kernel(t, s, data):
        def moved(x_t, predicted_x_0, **levels):
            return x_t + (s.sigma - t.sigma) * velocity(u=x_t, denoised=predicted_x_0, sigma=t.sigma)

        return step(moved, t, s, units="ve")

    return kernel
