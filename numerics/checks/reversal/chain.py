r"""What tries to refute the page on the exact chain: moments by recursion, chains of draws, smaller steps."""

import numpy as np
from hypothesis import strategies as st
from numpy import sqrt
from scipy.special import ndtri

from ...quadrature import expectation_of, variance_of
from ...schedules import Schedule, linear
from ...statistics import above, close, for_all, law, matches, moments, sampled
from ...worlds import Step, gaussian, mixture, normal
from .naive import down_from, went_down
from .step import POINTS, SOME_X_T, letters, steps

GAUSSIANS = [
    (gaussian(0.37, 1.83), Step(alpha=0.683, alpha_bar_prev=0.591)),
    (gaussian(-1.29, 0.31), Step(alpha=0.547, alpha_bar_prev=0.743)),
    (gaussian(2.17, 4.70), Step(alpha=0.871, alpha_bar_prev=0.329)),
]
SHORT, MIDDLE = np.array([0.13, 0.07]), np.array([0.13, 0.29, 0.08, 0.37])
CLUSTERS = mixture([0.31, 0.69], [-1.13, 1.47], [0.23, 0.41])
gaussians = st.builds(gaussian, st.floats(-3, 3), st.floats(0.05, 9))
schedules = st.lists(st.floats(0.02, 0.6), min_size=2, max_size=8).map(np.array)
wide = st.builds(gaussian, st.floats(-1, 1), st.floats(0.3, 30))
short = st.lists(st.floats(0.02, 0.3), min_size=1, max_size=3).map(np.array)


# The mean in the place of a draw


def mean_only_shrinks(kept, stretched):
    """Var E[x_{t-1} | x_t] from the covariance of the two, and by simulation; the naive mean likewise."""
    some = {"data": gaussians, "step": steps}
    yield for_all(**some)(lambda data, step: matches(kept, of_data(data, step), shared(data, step)))
    yield for_all(**some)(
        lambda data, step: bool(kept(**of_data(data, step)) < data.marginal(step.alpha_bar_prev).variance)
    )
    yield for_all(**some)(
        lambda data, step: matches(stretched, of_data(data, step), data.marginal(step.alpha_bar).variance / step.alpha)
    )
    for data, step in GAUSSIANS:
        yield sampled(data.forward(step), spread(kept, stretched, data, step), resolves=1e-2)


def of_data(data, step):
    """The letters of Gaussian data and of a step."""
    return {"alpha": step.alpha, "alpha_bar_prev": step.alpha_bar_prev, "m_0": data.mean, "v_0": data.variance}


def shared(data, step):
    """What x_t says of the variance of x_{t-1}: Cov^2 / Var x_t."""
    before, after = data.marginal(step.alpha_bar_prev), data.marginal(step.alpha_bar)
    return step.alpha * before.variance**2 / after.variance


def spread(kept, stretched, data, step):
    """The kernel's mean has the variance that is kept; what a draw adds to it is the rest; the naive mean has more."""
    before, after, at = data.marginal(step.alpha_bar_prev), data.marginal(step.alpha_bar), of_data(data, step)

    def scores(x_0, x_prev, x_t):
        mean, of_mean = data.reverse_kernel(step, x_t).mean, shared(data, step)
        rows = moments(mean, before.mean, kept(**at), normal_moments(of_mean))
        rows += moments(x_prev - mean, 0.0, before.variance - kept(**at), normal_moments(before.variance - of_mean))
        of_naive = after.variance / step.alpha
        return rows + moments(x_t / sqrt(step.alpha), before.mean, stretched(**at), normal_moments(of_naive))

    return scores


def normal_moments(v):
    """E z^2, E z^4 and E z^6 of a normal variable of variance v."""
    return v, 3 * v**2, 15 * v**3


# The chain


def exact_chain(returned, mean, variance, distance):
    """The exact kernels one after the other: moments by recursion, draws, and divergences of starts and of ends."""
    for data, betas in ((GAUSSIANS[0][0], linear(50).betas), (GAUSSIANS[1][0], MIDDLE), (GAUSSIANS[2][0], SHORT)):
        yield from moments_of(mean, variance, data, betas)
        yield above(distance, of_chain(data, betas), missed(data, betas), strict=True)
        yield matches(distance, of_chain(data, betas), missed(data, betas) + forgotten(data, betas))
        yield sampled(down_from_noise(data, betas[-4:]), beside(mean, variance, data, betas[-4:]), resolves=1e-2)
    # The case of equality: where q_T is N(0, 1) already, nothing is missed.
    yield matches(distance, of_chain(gaussian(0.0, 1.0), MIDDLE), 0.0, magnitude=1.0)
    there, where = on_grid(CLUSTERS, MIDDLE, CLUSTERS)[CENTRE], {"prior": CLUSTERS, "x_prev": GRID[CENTRE]}
    yield matches(returned, where, there, magnitude=len(MIDDLE) * there)
    yield above(distance, of_chain(CLUSTERS, MIDDLE), missed_on_grid(CLUSTERS, MIDDLE), strict=True)
    yield sampled(up_and_down(CLUSTERS, MIDDLE), uniform_under(returned, CLUSTERS), resolves=1e-2)
    some = {"data": gaussians, "betas": schedules}
    for k in range(2):
        yield for_all(**some)(lambda data, betas, k=k: list(moments_of(mean, variance, data, betas))[k])
    yield for_all(data=wide, betas=short)(
        lambda data, betas: above(distance, of_chain(data, betas), missed(data, betas))
    )


def of_chain(data, betas):
    """The letters of a chain."""
    alpha_bar_T = np.prod(1 - betas)
    return {"alpha_bar_T": alpha_bar_T, "m_0": data.mean, "v_0": data.variance, "at_end": data.marginal(alpha_bar_T)}


def ended(data, betas):
    """Mean and variance at the end of the chain from N(0, 1), by the recursion of exact Gaussian kernels."""
    m, v = 0.0, 1.0
    for step in backwards(betas):
        before, after = data.marginal(step.alpha_bar_prev), data.marginal(step.alpha_bar)
        gain = sqrt(step.alpha) * before.variance / after.variance
        m, v = before.mean + gain * (m - after.mean), gain**2 * v + step.beta * before.variance / after.variance
    return m, v


def backwards(betas):
    """The steps of a schedule, the last one first."""
    schedule = Schedule(betas)
    return [schedule.step(t) for t in range(schedule.T, 0, -1)]


def moments_of(mean, variance, data, betas):
    """What the two formulas say of a schedule, against the recursion; each of its steps rounds."""
    at, (m, v) = of_chain(data, betas), ended(data, betas)
    yield matches(mean, at, m, magnitude=len(betas) * (1 + abs(data.mean)))
    yield matches(variance, at, v, magnitude=len(betas) * (1 + data.variance))


def missed(data, betas):
    """KL(q_0, the law at the end of the chain), for Gaussian data."""
    return divergence(data.mean, data.variance, *ended(data, betas))


def forgotten(data, betas):
    """How far apart, on average, what is to be expected of x_T is once x_0 is known: of the data, and of the chain."""
    alpha_bar_T, (m, v) = np.prod(1 - betas), ended(data, betas)
    after = data.marginal(alpha_bar_T)
    gain = sqrt(alpha_bar_T) * data.variance / after.variance  # of the chain, so also Cov(x_T, x_0) where Var x_T = 1
    apart = sqrt(alpha_bar_T) * data.mean - gain / v * (data.mean - m)
    spread = (sqrt(alpha_bar_T) - gain / v) ** 2 * data.variance
    return divergence(apart, 1 - alpha_bar_T, 0.0, 1 - gain**2 / v) + spread / (2 * (1 - gain**2 / v))


def divergence(m, v, mean, variance):
    """KL(N(m, v), N(mean, variance))."""
    return (np.log(variance / v) + (v + (m - mean) ** 2) / variance - 1) / 2


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
    at, (_, v) = of_chain(data, betas), ended(data, betas)
    return lambda x: moments(x, mean(**at), variance(**at), normal_moments(v))


def uniform_under(density, data):
    """Through the distribution function of the claimed density the draws are uniform; through ndtri, N(0, 1)."""
    claimed = density(prior=data, x_prev=GRID)
    table = np.concatenate([[0.0], np.cumsum(claimed[1:] + claimed[:-1]) * (GRID[1] - GRID[0]) / 2])
    return lambda x: law(ndtri(np.clip(np.interp(x, GRID, table), 1e-12, 1 - 1e-12)))


# A chain on a grid: every kernel is a matrix, and the trapezoid rule is as good as exact.

GRID = np.linspace(-8, 8, 641)
CENTRE = slice(240, 440, 20)


def on_grid(data, betas, start=None):
    """The density at the end of the chain, from q_T of the law given, or from N(0, 1)."""
    alpha_bar_T = np.prod(1 - betas)
    p = normal(GRID, 0.0, 1.0) if start is None else start.marginal(alpha_bar_T)(GRID)
    for step in backwards(betas):
        before = data.marginal(step.alpha_bar_prev)
        joint = before(GRID)[:, None] * normal(GRID, sqrt(step.alpha) * GRID[:, None], step.beta)
        p = joint / np.sum(joint, axis=0) @ p
    return p


def missed_on_grid(data, betas):
    q = data(GRID)
    return np.sum(q * np.log(q / on_grid(data, betas))) * (GRID[1] - GRID[0])


# Smaller and smaller steps


def anderson_limit(drift, diffusion, after):
    """One exact step for smaller and smaller beta, and the naive chain in more and more steps: where do they lead?"""
    for world, step in POINTS:
        law_of_data = world.marginal(step.alpha_bar_prev)
        at = {"x_t": SOME_X_T, "marginal": law_of_data}
        yield close(drift, at, extrapolated(lambda beta, q=law_of_data: moved(q, beta)))
        yield close(diffusion, at, extrapolated(lambda beta, q=law_of_data: scattered(q, beta)))
        small = Step(alpha=1 - SMALL, alpha_bar_prev=step.alpha_bar_prev)
        yield sampled(world.forward(small), one_small_step(drift, diffusion, world, small), resolves=1e-2)
    for v, B in ((0.47, 0.31), (1.83, 0.57), (4.7, 1.13)):
        counts = 2 ** np.arange(5, 12)
        ends = [went_down(v, np.full(n, B / n)) for n in counts]
        value = np.dot(at_zero(1 / counts), ends)
        yield matches(after, {"v": v, "B": B}, value, magnitude=counts[-1] * value)
        betas = np.full(32, 0.2 / 32)
        yield sampled(down_from(v, betas), ran_away(after, v, betas), resolves=1e-2)


BETAS = 0.01 * 2.0 ** -np.arange(6)
SMALL = 2e-3


def at_zero(h):
    """The weights by which the values at h of a polynomial give its value at zero."""
    return np.array([np.prod([g / (g - k) for g in h if g != k]) for k in h])


def extrapolated(rule_at):
    """What a quantity tends to as beta vanishes: a polynomial in beta, read at zero."""
    weights, rules = at_zero(BETAS), [rule_at(beta) for beta in BETAS]

    def rule(nodes):
        values, sizes = zip(*(each(nodes) for each in rules), strict=True)
        return sum(w * v for w, v in zip(weights, values)), sum(abs(w) * s for w, s in zip(weights, sizes))

    return rule


def moved(prior, beta):
    """(E[x_{t-1} | x_t] - x_t) / beta, by Bayes' rule on a line."""
    return expectation_of(lambda x: (x - SOME_X_T) / beta, **kernel(prior, beta))


def scattered(prior, beta):
    """Var[x_{t-1} | x_t] / beta."""
    spread = variance_of(**kernel(prior, beta))
    return lambda nodes: tuple(part / beta for part in spread(nodes))


def kernel(prior, beta):
    """The reverse kernel up to its normaliser, and where it lives."""
    density = lambda x: prior(x) * normal(SOME_X_T, sqrt(1 - beta) * x, beta)
    return {"density": density, "centre": SOME_X_T, "width": sqrt(beta)}


def one_small_step(drift, diffusion, world, step):
    """Up to errors of order beta^(3/2) and beta, in units of the noise."""

    def scores(x_0, x_prev, x_t):
        at, null = letters(world, step, x_t=x_t), world.reverse_kernel(step, x_t).central_moments()
        return moments(x_prev, x_t + step.beta * drift(**at), step.beta * diffusion(**at), null, given=(x_t,))

    return scores


def ran_away(after, v, betas):
    return lambda x: moments(x, 0.0, after(v=v, B=np.sum(betas)), normal_moments(went_down(v, betas)))
