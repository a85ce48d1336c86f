r"""What tries to refute the page on the naive inversion.

The forward step simulated, and the naive chain followed by its moments; and run as a sampler, in steps of any size, and
in the plane, where clusters are still to be told apart at the end, each too wide.
"""

import numpy as np
from hypothesis import strategies as st
from numpy import sqrt

from ...schedules import Schedule, cosine, linear
from ...solvers import transport
from ...solvers.grids import trailing
from ...solvers.moments import Moments, chain
from ...solvers.steps import chained
from ...solvers.steps import step as row
from ...statistics import (
    Row,
    both,
    by_mixture,
    by_running,
    close,
    for_all,
    hermite,
    law,
    matches,
    moments,
    sampled,
    sobol,
    surely,
)
from ...worlds import finite, gaussian, mixture
from ..chains import draws_end
from .step import GAUSSIANS, POINTS, letters, steps

FIVE = [[2.37, 0.41], [0.73, 2.61], [-2.19, 1.27], [-1.31, -2.03], [1.67, -1.83]]
PLANE = mixture([0.31, 0.23, 0.07, 0.22, 0.17], FIVE, 0.13)
DIRECTIONS = [np.array([np.cos(angle), np.sin(angle)]) for angle in (0.31, 1.17, 2.43)]
TWENTY = trailing(Schedule(np.linspace(0.003, 0.021, 20)), 20)

between = st.floats(0.01, 0.99)
data_laws = st.builds(
    lambda m, v, w: mixture([w, 1 - w], [m, -m / 2], [v, v / 3]), st.floats(-3, 3), st.floats(0.05, 9), between
)


def algebraic_identity(previous):
    """Put the noise that was drawn into the rearranged equation: the difference is nothing, draw by draw."""
    for world, step in POINTS:

        def sides(x_0, x_prev, x_t, step=step):
            e = (x_t - sqrt(step.alpha) * x_prev) / sqrt(step.beta)
            at = {"alpha": step.alpha, "x_t": x_t, "e": e, "fresh": np.roll(e, 1)}  # the noise of another draw is fresh
            return previous(**at), x_prev, (np.abs(x_t) + np.abs(e)) / step.alpha

        def scores(*draws, sides=sides):
            left, right, _ = sides(*draws)
            return pathwise(left - right)

        yield sampled(world.forward(step), scores, resolves=1e-2)
        yield surely(world.forward(step), sides)


def noise_depends_on_output(covariance, correlation):
    """The covariance of noise and output, simulated, and by the matrix that maps (x_{t-1}, noise) to the output."""
    for world, step in POINTS:
        before = world.marginal(step.alpha_bar_prev)
        at = letters(world, step, v_prev=before.variance, v_t=world.marginal(step.alpha_bar).variance)
        scores = tied(covariance, correlation, world, step, at)
        yield from both(world.forward(step), scores, by=hermite.over(world.weights))

    def seen(data, step):
        v_prev = data.marginal(step.alpha_bar_prev).variance
        maps = np.array([[0.0, 1.0], [sqrt(step.alpha), sqrt(step.beta)]])  # rows: the noise, the output
        joint = maps @ np.diag([v_prev, 1.0]) @ maps.T
        return {"alpha": step.alpha, "alpha_bar_prev": step.alpha_bar_prev, "v_prev": v_prev, "v_t": joint[1, 1]}, joint

    def agrees(formula, of):
        def statement(data, step):
            at, joint = seen(data, step)
            return matches(formula, at, of(joint))

        return for_all(data=data_laws, step=steps)(statement)

    yield agrees(covariance, lambda joint: joint[0, 1])
    yield agrees(correlation, lambda joint: joint[0, 1] / sqrt(joint[0, 0] * joint[1, 1]))


def naive_marginal(spread, variance, mean):
    """One naive step from a correct x_t: by the law of x_t, stretched and noised, and by simulation."""
    for world, step in POINTS:
        at, wrong = naive_letters(world, step), one_naive_step(world, step)
        scores = widened(variance, mean, at, wrong)
        yield from both(inverted(world, step), scores, by=hermite.over(world.weights))
    some = {"data": data_laws, "step": steps}
    yield for_all(**some)(
        lambda data, step: matches(variance, naive_letters(data, step), one_naive_step(data, step).variance)
    )
    yield for_all(**some)(
        lambda data, step: matches(mean, naive_letters(data, step), one_naive_step(data, step).mean, magnitude=5.0)
    )
    yield for_all(**some)(lambda data, step: matches(spread, naive_letters(data, step), *extra_noise(data, step)))


def naive_chain(added, variance, noises):
    """The chain's variance, step by step down real schedules and random ones; and a short chain by simulation."""
    for betas in (linear().betas, cosine(200).betas[:-1], np.array([0.13, 0.29, 0.08, 0.37])):
        yield from followed_down(added, variance, noises, betas)
    lists = st.lists(st.floats(0.01, 0.6), min_size=2, max_size=8).map(np.array)
    for k in range(3):
        yield for_all(betas=lists)(lambda betas, k=k: list(followed_down(added, variance, noises, betas))[k])
    betas = np.array([0.13, 0.29, 0.08, 0.37])
    for world in (gaussian(0.37, 1.83), finite([0.31, 0.69], [-1.13, 1.47])):
        yield sampled(up_and_down(world, betas), astray(added, betas), resolves=1e-2)
        yield from both(up_and_down(world, betas[:2]), astray(added, betas[:2]), by=hermite.over(world.weights))
    for start, formula in ((1.0, variance), (0.0, noises)):
        yield from both(down_from(start, betas), ended(formula, betas, start), by=hermite)
    for many, (data, _) in zip((2, 20, 250), GAUSSIANS, strict=True):
        yield from as_a_sampler(added, variance, noises, trailing(linear(), many), data)
    yield draws_end(lambda: rearranging(TWENTY), PLANE, transport.law(PLANE, TWENTY[0]), too_wide(added, TWENTY, PLANE))


def discrete_toy(posterior, odds):
    """A bit and its flip: the four cases counted out, and simulated."""
    yield for_all(pi_1=between, flip=between)(
        lambda pi_1, flip: matches(posterior, {"pi_1": pi_1, "flip": flip}, counted(pi_1, flip))
    )
    # The limit of rare flips, where 1 - flip is 1 to the last bit.
    yield for_all(pi_1=between)(
        lambda pi_1: matches(
            odds, {"pi_1": pi_1, "flip": 1e-18}, 1e-18 * (1 - pi_1) / four_cases(pi_1, 1e-18)[:, 1].sum() / 1e-18
        )
    )
    for pi_1, flip in ((0.31, 0.17), (0.83, 0.23), (0.57, 0.41)):
        yield from both(flipped(pi_1, flip), bit_scores(posterior, pi_1, flip), by=sobol)


# The chain


def chain_letters(betas):
    alpha_bars = np.cumprod(1 - betas)
    return {"alpha_bar_T": alpha_bars[-1], "a": lambda t: alpha_bars[int(t) - 1] if t > 0 else 1.0, "T": len(betas)}


def went_down(v, betas):
    """The variance of the chain by the recursion of the naive step, v -> (v + beta)/alpha, from T down to 0."""
    for beta in betas[::-1]:
        v = (v + beta) / (1 - beta)
    return v


def followed_down(added, variance, noises, betas):
    """What the three formulas say of a schedule, against the recursion."""
    at, alpha_bar_T, v_0 = chain_letters(betas), np.prod(1 - betas), 1.83
    rounding = len(betas) * went_down(1.0, betas)
    yield matches(variance, at, went_down(1.0, betas), magnitude=rounding)
    yield matches(added, at, went_down(alpha_bar_T * v_0 + 1 - alpha_bar_T, betas) - v_0, magnitude=rounding)
    yield matches(noises, at, went_down(0.0, betas), magnitude=rounding)


def naive_steps(x, betas, rng):
    """The rearranged forward step with fresh noise, from T down to 0."""
    for beta in betas[::-1]:
        x = (x - sqrt(beta) * rng.standard_normal(len(x))) / sqrt(1 - beta)
    return x


def up_and_down(world, betas):
    """Draws of (x_0, xhat_0): up by the forward process, down by the naive chain."""

    def draw(rng, n):
        x_0 = x = world.sample(rng, n)
        for beta in betas:
            x = sqrt(1 - beta) * x + sqrt(beta) * rng.standard_normal(n)
        return x_0, naive_steps(x, betas, rng)

    return draw


def down_from(variance, betas):
    """Draws of xhat_0 from x_T ~ N(0, variance)."""
    return lambda rng, n: (naive_steps(sqrt(variance) * rng.standard_normal(n), betas, rng),)


def astray(added, betas):
    """The chain's error is Gaussian with the claimed variance; the recursion bounds its moments."""
    v = 2 * went_down(0.0, betas)

    def scores(x_0, x_hat):
        return moments(x_hat - x_0, 0.0, added(**chain_letters(betas)), (v, 3 * v**2, 15 * v**3), given=(x_0,))

    return scores


def ended(variance, betas, start):
    v = went_down(start, betas)
    return lambda x_hat: moments(x_hat, 0.0, variance(**chain_letters(betas)), (v, 3 * v**2, 15 * v**3))


def as_a_sampler(added, variance, noises, grid, data):
    """The law at every level of a run: up to there it is a chain, too, from the noise, from q_T and from a point."""
    bars, ends = grid.alpha_bars, {"alpha_bar_T": grid.alpha_bars[0] / grid.alpha_bars[1:]}

    def all_missed(**at):
        return data.marginal(bars[1:]).variance + added(**at)

    yield by_running(close(variance, ends, ran(grid, Moments(0.0, 1.0))))
    yield by_running(close(all_missed, ends, ran(grid, Moments(data.mean, data.marginal(bars[0]).variance))))
    whole = {"alpha_bar_T": bars[0], "a": lambda t: bars[len(grid) - int(t)], "T": len(grid)}
    from_a_point = ran(grid, Moments(0.0, 0.0))
    yield by_running(close(noises, whole, lambda nodes: tuple(part[-1] for part in from_a_point(nodes))))


def ran(grid, start):
    """The variances at all levels below the first; each step rounds."""

    def rule(nodes):
        reached = np.array([found.variance for _, found in chain(rearranging(grid), 0.0, 1.0, start)])
        return reached, len(grid) * reached

    return rule


def rearranging(grid):
    """The table of the rearranged forward step, which asks no network."""

    def rearranged(x_t, alpha_ts, fresh, **more):
        return (x_t - sqrt(1 - alpha_ts) * fresh) / sqrt(alpha_ts)

    return chained("naive", grid, lambda k: [row(rearranged, grid[k], grid[k + 1], reached=k + 1, silent=True)])


def too_wide(added, grid, world):
    """Seen from any side the chain ends in the data, with noise of the claimed variance."""

    def rows(x_hat):
        missed = added(alpha_bar_T=grid.alpha_bars[0] / grid.alpha_bars[-1])
        whiten = lambda x, seen: by_mixture(
            x, seen.weights[:, None], seen.means[:, None], seen.variances[:, None] + missed
        )
        return [row for u in DIRECTIONS for row in law(whiten(x_hat @ u, transport.shadow(world, u)))]

    return rows


# One step


def naive_letters(data, step):
    before = data.marginal(step.alpha_bar_prev)
    return {"alpha": step.alpha, "m_prev": before.mean, "v_prev": before.variance}


def one_naive_step(data, step):
    """The law of the naive step, by its definition: the law of x_t, stretched, with noise of variance beta/alpha."""
    return data.marginal(step.alpha_bar).affine(1 / sqrt(step.alpha), step.beta / step.alpha)


def extra_noise(data, step):
    """The variance that the naive step leaves in excess, and the size of the numbers it is a difference of."""
    wrong = one_naive_step(data, step).variance
    return wrong - data.marginal(step.alpha_bar_prev).variance, wrong


def inverted(world, step):
    """Draws of the naive step."""

    def draw(rng, n):
        _, _, x_t = world.forward(step)(rng, n)
        return ((x_t - sqrt(step.beta) * rng.standard_normal(n)) / sqrt(step.alpha),)

    return draw


def widened(variance, mean, at, wrong):
    null = wrong.central_moments()

    def scores(x_hat):
        return moments(x_hat, mean(**at), variance(**at), (null.second, null.fourth, null.sixth))

    return scores


def pathwise(difference):
    """A difference that must vanish draw by draw: clipped to bound the rows, squared so that signs cannot cancel."""
    bounded = np.clip(difference, -1, 1)
    return [Row("difference", bounded, third=0.0), Row("squared difference", bounded * bounded, third=0.0)]


def tied(covariance, correlation, world, step, at):
    """E[noise (x_t - E x_t)] is the covariance, E over both standard deviations the correlation."""
    m_t, v_t = world.marginal(step.alpha_bar).mean, at["v_t"]
    m_prev = world.marginal(step.alpha_bar_prev).mean

    def scores(x_0, x_prev, x_t):
        e = (x_t - sqrt(step.alpha) * x_prev) / sqrt(step.beta)
        # The product is sqrt(beta) e^2 and a cross term; each has a variance that the step and the world know.
        product = e * (x_t - m_t)
        scale = sqrt(2 * step.beta + step.alpha * world.marginal(step.alpha_bar_prev).variance)
        third = 16 * (1 + np.abs(x_prev - m_prev) / scale) ** 3
        return [
            Row("covariance", (product - covariance(**at)) / scale, 1.0, third),
            Row("correlation", (product / sqrt(v_t) - correlation(**at)) * sqrt(v_t) / scale, 1.0, third),
        ]

    return scores


# The bit


def four_cases(pi_1, flip):
    """P(x_{t-1}, x_t): rows x_{t-1} = 0, 1, columns x_t = 0, 1."""
    return np.array([[(1 - pi_1) * (1 - flip), (1 - pi_1) * flip], [pi_1 * flip, pi_1 * (1 - flip)]])


def counted(pi_1, flip):
    """P(x_{t-1} = 1 | x_t = 1)."""
    return four_cases(pi_1, flip)[1, 1] / four_cases(pi_1, flip)[:, 1].sum()


def flipped(pi_1, flip):
    """Draws of (x_{t-1}, x_t); the rearranged equation x_{t-1} = x_t xor n holds surely."""

    def draw(rng, n):
        x_prev, n_t = rng.random(n) < pi_1, rng.random(n) < flip
        return x_prev, x_prev ^ n_t

    return draw


def bit_scores(posterior, pi_1, flip):
    """Where x_t = 1, x_{t-1} is 1 as often as claimed."""
    p = counted(pi_1, flip)

    def scores(x_prev, x_t):
        claimed = posterior(pi_1=pi_1, flip=flip)
        return [
            Row(
                "x_{t-1} given x_t = 1",
                (x_prev - claimed) / sqrt(p * (1 - p)),
                x_t.astype(float),
                1 / sqrt(p * (1 - p)),
            )
        ]

    return scores
