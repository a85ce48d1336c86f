"""What tries to refute the page on the exact chain: moments by recursion, densities on a grid, chains of draws.

Run as a sampler, a chain draws x_0 from what is known of it, and then from the kernel given both ends.
"""

import numpy as np
from hypothesis import strategies as st
from numpy import sqrt

from ...schedules import Schedule, linear
from ...solvers.grids import trailing
from ...solvers.moments import Moments, chain
from ...solvers.steps import step as row
from ...statistics import (
    above,
    below,
    both,
    by_running,
    by_table,
    close,
    for_all,
    law,
    matches,
    moments,
    sampled,
    standardised_by,
)
from ...worlds import Step, gaussian, normal
from ..chains import drawing, draws_end, exact, one_by_one
from .exploded import log_ratio, moments_of_log_ratio
from .posterior import regressed
from .step import CLUSTERS, GAUSSIANS, SQUARES, gaussians, steps

LONG, MIDDLE, SHORT = linear(50).betas, np.array([0.13, 0.29, 0.08, 0.37]), np.array([0.13, 0.07])

wide_gaussians = st.builds(gaussian, st.floats(-1, 1), st.floats(0.3, 30))
schedules = st.lists(st.floats(0.02, 0.6), min_size=2, max_size=8).map(np.array)
short_schedules = st.lists(st.floats(0.02, 0.3), min_size=1, max_size=3).map(np.array)


# The mean in the place of a draw


def mean_only_shrinks(kept, stretched):
    """What x_t tells of the variance of x_{t-1}, from their joint covariances and by simulation; the naive mean too."""
    some = {"data": gaussians, "step": steps}

    def before(data, step):
        return data.marginal(step.alpha_bar_prev).variance

    yield for_all(**some)(lambda data, step: matches(kept, of_step(data, step), told(data, step)))
    yield for_all(**some)(lambda data, step: below(kept, of_step(data, step), before(data, step), strict=True))
    yield for_all(**some)(lambda data, step: matches(stretched, of_step(data, step), naive_mean(data, step).variance))
    yield for_all(**some)(lambda data, step: above(stretched, of_step(data, step), before(data, step), strict=True))
    for data, step in GAUSSIANS:
        yield from both(data.forward(step), spread(kept, stretched, data, step), by=SQUARES)


def of_step(data, step):
    """The letters of Gaussian data and of a step."""
    return {"alpha": step.alpha, "alpha_bar_prev": step.alpha_bar_prev, "m_0": data.mean, "v_0": data.variance}


def told(data, step):
    """The part of the variance of x_{t-1} that its regression on x_t explains, Cov^2 / Var x_t."""
    maps = np.array([[1.0, 0.0], [sqrt(step.alpha), sqrt(step.beta)]])  # rows: x_{t-1}, x_t
    joint = maps @ np.diag([data.marginal(step.alpha_bar_prev).variance, 1.0]) @ maps.T
    return joint[0, 1] ** 2 / joint[1, 1]


def naive_mean(data, step):
    """The law of x_t / sqrt(alpha)."""
    return data.marginal(step.alpha_bar).affine(1 / sqrt(step.alpha), 0.0)


def spread(kept, stretched, data, step):
    """The kernel's mean has the variance that is kept; what a draw adds to it is the rest; the naive mean has more."""
    before, naive, at = data.marginal(step.alpha_bar_prev), naive_mean(data, step), of_step(data, step)
    mean, rest = gaussian(before.mean, told(data, step)), gaussian(0.0, before.variance - told(data, step))

    def scores(x_0, x_prev, x_t):
        of_kernel = data.reverse_kernel(step, x_t).mean
        rows = moments(of_kernel, before.mean, kept(**at), mean.central_moments())
        rows += moments(x_prev - of_kernel, 0.0, before.variance - kept(**at), rest.central_moments())
        return rows + moments(x_t / sqrt(step.alpha), before.mean, stretched(**at), naive.central_moments())

    return scores


# The chain


def exact_chain(returned, mean, variance, distance):
    """The exact kernels one after the other: moments by recursion, draws, and divergences of starts and of ends."""
    for (data, _), betas in zip(GAUSSIANS, (LONG, MIDDLE, SHORT), strict=True):
        yield from moments_of(mean, variance, data, betas)
        yield above(distance, of_chain(data, betas), missed(data, betas), strict=True)
        yield matches(distance, of_chain(data, betas), missed(data, betas) + forgotten(data, betas))
        few = betas[-4:]
        yield from both(down_from_noise(data, few), beside(mean, variance, data, few), by=SQUARES)
        yield from both(data.path(1 - few), far(distance, data, few), by=SQUARES)
    # The case of equality: where q_T is N(0, 1) already, nothing is missed.
    yield matches(distance, of_chain(gaussian(0.0, 1.0), MIDDLE), 0.0, magnitude=1.0)
    there, where = on_grid(CLUSTERS, MIDDLE, CLUSTERS)[CENTRE], {"prior": CLUSTERS, "x_prev": GRID[CENTRE]}
    yield matches(returned, where, there, magnitude=len(MIDDLE) * there)
    yield above(distance, of_chain(CLUSTERS, MIDDLE), missed_on_grid(CLUSTERS, MIDDLE), strict=True)
    yield sampled(up_and_down(CLUSTERS, MIDDLE), uniform_under(returned, CLUSTERS), resolves=1e-2)
    some, wide = {"data": gaussians, "betas": schedules}, {"data": wide_gaussians, "betas": short_schedules}
    for k in range(2):
        yield for_all(**some)(lambda data, betas, k=k: list(moments_of(mean, variance, data, betas))[k])
    yield for_all(**wide)(lambda data, betas: above(distance, of_chain(data, betas), missed(data, betas)))
    for data, betas in ((GAUSSIANS[0][0], LONG), (GAUSSIANS[1][0], MIDDLE), (gaussian(0.83, 23.0), SHORT)):
        yield from as_a_sampler(returned, mean, variance, distance, data, trailing(Schedule(betas), len(betas)))


def of_chain(data, betas):
    """The letters of a chain."""
    alpha_bar_T = np.prod(1 - betas)
    return {"alpha_bar_T": alpha_bar_T, "m_0": data.mean, "v_0": data.variance, "at_end": data.marginal(alpha_bar_T)}


def ended(data, betas):
    """The law at the end of the chain from N(0, 1), by the recursion of exact Gaussian kernels."""
    m, v = 0.0, 1.0
    for step in backwards(betas):
        before, after = data.marginal(step.alpha_bar_prev), data.marginal(step.alpha_bar)
        gain = sqrt(step.alpha) * before.variance / after.variance
        m, v = before.mean + gain * (m - after.mean), gain**2 * v + step.beta * before.variance / after.variance
    return gaussian(m, v)


def backwards(betas):
    """The steps of a schedule, the last one first."""
    return Schedule(betas).steps[::-1]


def moments_of(mean, variance, data, betas):
    """What the two formulas say of a schedule, against the recursion; each of its steps rounds."""
    at, end = of_chain(data, betas), ended(data, betas)
    yield matches(mean, at, end.mean, magnitude=len(betas) * (1 + abs(data.mean)))
    yield matches(variance, at, end.variance, magnitude=len(betas) * (1 + data.variance))


def missed(data, betas):
    """KL(q_0, the law at the end of the chain), for Gaussian data."""
    end = ended(data, betas)
    return divergence(data.mean, data.variance, end.mean, end.variance)


def forgotten(data, betas):
    """How far apart, on average, what is to be expected of x_T is once x_0 is known: of the data, and of the chain."""
    alpha_bar_T, end = np.prod(1 - betas), ended(data, betas)
    gain = sqrt(alpha_bar_T) * data.variance / data.marginal(alpha_bar_T).variance  # of the chain, from x_T to x_0
    apart = sqrt(alpha_bar_T) * data.mean - gain / end.variance * (data.mean - end.mean)
    varies = (sqrt(alpha_bar_T) - gain / end.variance) ** 2 * data.variance
    left = 1 - gain**2 / end.variance
    return divergence(apart, 1 - alpha_bar_T, 0.0, left) + varies / (2 * left)


def divergence(m, v, mean, variance):
    """KL(N(m, v), N(mean, variance))."""
    return (np.log(variance / v) + (v + (m - mean) ** 2) / variance - 1) / 2


# The chain, run as a sampler


def as_a_sampler(returned, mean, variance, distance, data, grid):
    """From N(0, 1), and from q_T: at every level, where the laws up to there are those of a chain to these data."""
    m, v = exact(grid, data)[:, 1:]
    since = {"alpha_bar_T": grid.alpha_bars[0] / grid.alpha_bars[1:], "m_0": m, "v_0": v}
    seen = {"prior": data.affine(grid.scales[1:], grid.noises[1:] ** 2), "x_prev": m + 0.83 * sqrt(v)}
    noise = Moments(0.0, 1.0)

    def table():
        return one_by_one(drawing(given_both_ends), grid, data)

    def run(start):
        return np.transpose([found for _, found in chain(table(), data.mean, data.variance, start)])

    def there(start, of_law):
        return lambda nodes: (of_law(*run(start)), len(grid) * (1 + v + np.abs(m)))

    def spared(at_end):
        return distance(at_end=at_end) - divergence(m, v, *run(noise))

    yield by_running(close(mean, since, there(noise, lambda m, v: m)))
    yield by_running(close(variance, since, there(noise, lambda m, v: v)))
    yield by_running(close(returned, seen, there(None, lambda m, v: normal(seen["x_prev"], m, v))))
    yield by_running(above(spared, {"at_end": data.marginal(grid.alpha_bars[0])}, 0 * m, strict=True, magnitude=1.0))
    whole = {letter: values[-1] for letter, values in since.items()}
    claimed = lambda x: law(standardised_by(x, mean(**whole), variance(**whole)))
    yield draws_end(table, data, gaussian(0.0, 1.0), claimed)


def given_both_ends(t, s, data):
    """The row of a draw given x_t and x_0."""
    jump = Step(t.alpha_bar / s.alpha_bar, s.alpha_bar)

    def drawn(x_t, predicted_x_0, fresh, **levels):
        between, varies = regressed(jump, predicted_x_0, x_t)
        return between + sqrt(varies) * fresh

    return row(drawn, t, s)


# Draws


def down(data, betas, x, rng):
    """Draws from the exact kernels, one after the other."""
    for step in backwards(betas):
        x = data.reverse_kernel(step, x).sample(rng)
    return x


def down_from_noise(data, betas):
    return lambda rng, n: (down(data, betas, rng.standard_normal(n), rng),)


def up_and_down(data, betas):
    return lambda rng, n: (down(data, betas, data.path(1 - betas)(rng, n)[-1], rng),)


def beside(mean, variance, data, betas):
    at, end = of_chain(data, betas), ended(data, betas)
    return lambda x: moments(x, mean(**at), variance(**at), end.central_moments())


def far(distance, data, betas):
    """On average over x_T, log q_T(x_T)/N(x_T; 0, 1) is the distance at the start."""
    at, start = of_chain(data, betas), gaussian(0.0, 1.0)
    null = moments_of_log_ratio(at["at_end"], start)
    return lambda *path: moments(log_ratio(path[-1], at["at_end"], start), distance(**at), None, null)


def uniform_under(density, data):
    """Through the distribution function of the claimed density the draws are uniform, and whitened by it N(0, 1)."""
    whiten = by_table(GRID, density(prior=data, x_prev=GRID))
    return lambda x: law(whiten(x))


# A chain on a grid: every kernel is a matrix, and the trapezoid rule is as good as exact.

GRID = np.linspace(-8, 8, 641)
CENTRE = slice(240, 440, 20)


def on_grid(data, betas, start=None):
    """The density at the end of the chain, from q_T of the law given, or from N(0, 1)."""
    p = normal(GRID, 0.0, 1.0) if start is None else start.marginal(np.prod(1 - betas))(GRID)
    for step in backwards(betas):
        before = data.marginal(step.alpha_bar_prev)
        joint = before(GRID)[:, None] * normal(GRID, sqrt(step.alpha) * GRID[:, None], step.beta)
        p = joint / np.sum(joint, axis=0) @ p
    return p


def missed_on_grid(data, betas):
    q = data(GRID)
    return np.sum(q * np.log(q / on_grid(data, betas))) * (GRID[1] - GRID[0])
