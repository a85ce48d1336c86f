"""What tries to refute the page on DDPM's step: jumps over several steps, simulated, integrated and by regression."""

import numpy as np
from hypothesis import strategies as st
from numpy import sqrt

from ...quadrature import expectation_of, integral_of, settled, variance_of
from ...schedules import Schedule
from ...solvers import grids
from ...solvers.steps import letters as of_levels
from ...solvers.steps import step as row_of
from ...statistics import (
    above,
    below,
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
    standardised_by,
)
from ...worlds import Step, gaussian, normal
from ..chains import drawing, has_laws, keeps_law, laws, one_by_one
from ..forward.kernel import between
from ..forward.transition import CHAINS, broken
from ..reversal.bounds import averaged, found, mean_trace
from ..reversal.posterior import regressed
from ..reversal.score import PLANE
from ..reversal.step import GAUSSIANS, SOME_X_T, SQUARES, STEPS, gaussians, pairs, reverse_kernel, tame_steps

CLUSTERED = CHAINS[1]
SCHEDULE = Schedule(np.array([0.13, 0.29, 0.08, 0.37]))
LEAPT_OVER = Schedule(np.array([0.07, 0.13, 0.19, 0.08, 0.29, 0.23, 0.11, 0.41, 0.37]))
LEAPS = grids.visiting(LEAPT_OVER, [9, 6, 4, 3])
AXES = np.linalg.qr(np.random.default_rng(11).standard_normal((3, 3)))[0]
SPREADS, SOME_SPREADS = np.array([0.31, 1.73, 4.7]), np.array([1.47, 0.23, 2.89])  # of data, and of samples
SPACE = gaussian([0.47, -1.13, 0.29], AXES @ np.diag(SPREADS) @ AXES.T)

numbers, spreads = st.floats(-4, 4), st.floats(0.05, 9)
vectors = st.tuples(numbers, numbers, numbers).map(np.array)
lasts = st.builds(Step, alpha=between, alpha_bar_prev=st.just(1.0))  # to s = 0


def ddpm_strided(step, last, shortfall):
    """Bayes' rule for a jump by regression and by draws; what a draw of x_0 makes of x_s, and what its mean does."""
    for world, alphas, s in CHAINS:
        at, jump = letters(alphas, s), jump_over(alphas, s)
        yield from both(world.path(alphas), whitened(step, at, s), hermite.over(world.weights))
        yield matches(shortfall, at | {"mmse": mmse(world, jump)}, *missing(world, jump))
    world, alphas, s = CLUSTERED
    yield sampled(with_fresh(world, alphas), own_law(step, letters(alphas, s), world), resolves=1e-2)
    for (data, _), (_, alphas, s) in zip(GAUSSIANS, CHAINS, strict=True):
        scores = too_narrow(step, shortfall, letters(alphas, s), jump_over(alphas, s), data)
        yield from both(with_fresh(data, alphas), scores, SQUARES)
    for jump in STEPS:
        variance = regressed(jump, 0.0, 0.0)[1]
        yield matches(
            shortfall, of_jump(jump, mmse=mmse_in_the_plane(jump)), settled(mean_trace(PLANE, jump)) - variance
        )
    yield for_all(chain=broken, x_0=vectors, x_t=vectors, fresh=vectors)(
        lambda chain, x_0, x_t, fresh: matches(
            step,
            letters(*chain, predicted_x_0=x_0, x_t=x_t, fresh=fresh),
            *ancestral(jump_over(*chain), x_0, x_t, fresh),
        )
    )
    yield for_all(jump=lasts, x_0=vectors, x_t=vectors, fresh=vectors)(
        lambda jump, x_0, x_t, fresh: matches(
            last, of_jump(jump, predicted_x_0=x_0, x_t=x_t, fresh=fresh), *ancestral(jump, x_0, x_t, fresh)
        )
    )
    yield for_all(examples=30, data=pairs, jump=tame_steps)(
        lambda data, jump: matches(shortfall, of_jump(jump, mmse=mmse(data, jump)), *missing(data, jump))
    )
    # Whole chains of jumps, with a draw of x_0 at each, or with its mean and noise for what that leaves out.
    for data, _ in GAUSSIANS:
        for kernel in (drawing(jumping(step, last)), jumping(step, last, shortfall)):
            yield from has_laws(kernel, LEAPS, data)
    yield keeps_law(jumping(step, last), LEAPS, CLUSTERED[0])


def ddpm_gaussian(recursion, exact, excess):
    """The variance of the reverse kernel, integrated and along the axes of data in space; what samples become."""

    def kernel(data, jump):
        return matches(exact, variances(jump, data.variance), data.reverse_kernel(jump, 0.0).variance, magnitude=1.0)

    def beyond(data, jump):
        variance = data.reverse_kernel(jump, 0.0).variance
        return matches(excess, variances(jump, data.variance), jump.beta - variance, jump.beta + variance)

    def carried(data, jump, v_hat, sigma):
        at = variances(jump, data.variance) | {"v_hat": v_hat, "sigma": sigma}
        return close(recursion, at, pushed(data, jump, v_hat, sigma))

    for data, jump in GAUSSIANS:
        yield close(exact, variances(jump, data.variance), variance_of(reverse_kernel(data, jump, SOME_X_T), width=2.0))
        yield carried(data, jump, 0.73, 0.41)
    for jump in STEPS:
        at, in_space = variances(jump, SPREADS), along_axes(SPACE.reverse_kernel(jump, np.zeros(3)).covariance)
        yield matches(exact, at, in_space)
        yield matches(excess, at, jump.beta - in_space)
        yield matches(recursion, at | {"v_hat": SOME_SPREADS, "sigma": 0.57}, carried_in_space(jump))
    # What comes of whole chains, from the law of x_T.
    for v_0 in (0.37, 2.71):
        side = above if v_0 < 1 else below
        yield matches(chain(recursion, lambda step, v_0=v_0: exact(**variances(step, v_0))), {"v_0": v_0}, v_0)
        yield side(chain(recursion, lambda step: step.beta), {"v_0": v_0}, v_0, strict=True)
        yield below(chain(recursion, lambda step: regressed(step, 0.0, 0.0)[1]), {"v_0": v_0}, v_0, strict=True)
    yield for_all(data=gaussians, jump=tame_steps)(kernel)
    yield for_all(data=gaussians, jump=tame_steps)(beyond)
    yield for_all(examples=30, data=gaussians, jump=tame_steps, v_hat=spreads, sigma=st.floats(0.05, 1))(carried)
    # Whole chains of jumps: with the exact variance, with the forward one less its excess, and with too little.
    for data, _ in GAUSSIANS:
        yield from has_laws(adding(lambda at: exact(**at)), LEAPS, data)
        yield from has_laws(adding(lambda at: at["beta_ts"] - excess(**at)), LEAPS, data)
        in_fact = laws(one_by_one(adding(given_both_ends), LEAPS, data), data)[1]
        yield by_running(matches(recurring(recursion), {"v_0": data.variance}, in_fact, len(LEAPS) * (1 + in_fact)))


# The letters of the page.


def of_jump(jump, **more):
    """The letters of a jump over two steps, of which the last takes the larger part; and what else is given."""
    last = jump.alpha**0.7
    parts = {"alpha": last, "gamma": jump.alpha / last, "alpha_bar_prev": jump.alpha_bar / last}
    return {"alpha_ts": jump.alpha, "alpha_bar_s": jump.alpha_bar_prev, **parts, **more}


def jump_over(alphas, s):
    """All steps from s on, as one."""
    return Step(alpha=np.prod(alphas[s:]), alpha_bar_prev=np.prod(alphas[:s]))


def letters(alphas, s, **more):
    """The letters of a jump over the steps after s."""
    parts = {"alpha": alphas[-1], "gamma": np.prod(alphas[s:-1]), "alpha_bar_prev": np.prod(alphas[:-1])}
    return of_jump(jump_over(alphas, s), **more) | parts


def variances(jump, v_0):
    """The letters of a jump and of Gaussian data."""
    return of_jump(jump, v_0=v_0)


# A step, given both ends


def jumping(step, last, shortfall=None):
    """The row of a jump over some steps of a schedule, to s = 0 by a formula of its own; the shortfall made up for."""

    def kernel(t, s, data):
        last_passed, at = LEAPT_OVER.step(int(t.time)), of_levels(t, s)
        at |= {"alpha": last_passed.alpha, "alpha_bar_prev": last_passed.alpha_bar_prev}
        at |= {"gamma": at["alpha_ts"] / last_passed.alpha}
        row = row_of(step if s.noise else last, t, s, at)
        if shortfall is None:
            return row
        left = data.conditioned(t.scale, t.noise**2, 0.0).variance
        return row._replace(noise=sqrt(row.noise**2 + shortfall(**at, mmse=left)))

    return kernel


def ancestral(jump, x_0, x_t, fresh):
    """A draw of x_s given both ends, by regression, and the size of its terms."""
    mean, variance = regressed(jump, x_0, x_t)
    return mean + sqrt(variance) * fresh, (abs(x_t) + abs(x_0)) / (1 - jump.alpha_bar) + abs(fresh)


def whitened(step, at, s):
    """Given x_0 and x_t, the x_s of the forward process has the mean of a step, and the variance of its noise."""

    def scores(*xs):
        seen = {"x_t": xs[-1], "predicted_x_0": xs[0]}
        mean, drawn = (step(**at, **seen, fresh=fresh) for fresh in (0.0, 1.0))
        return law(standardised_by(xs[s], mean, (drawn - mean) ** 2), given=(xs[0], xs[-1]))

    return scores


def with_fresh(world, alphas):
    """The data, x_t, and fresh noise."""

    def draw(rng, n):
        path = world.path(alphas)(rng, n)
        return path[0], path[-1], rng.standard_normal(n)

    return draw


def own_law(step, at, world):
    """A step with a draw of x_0 given x_t, which the data behind x_t are, ends in the law of x_s."""
    end = world.marginal(at["alpha_bar_s"])
    whiten = (end.weights[:, None], end.means[:, None], end.variances[:, None])
    return lambda x_0, x_t, fresh: law(by_mixture(step(**at, predicted_x_0=x_0, x_t=x_t, fresh=fresh), *whiten))


def too_narrow(step, shortfall, at, jump, data):
    """A step with the mean of x_0 given x_t ends in the mean of x_s, and its variance but for the shortfall."""
    end, given = data.marginal(jump.alpha_bar_prev), data.posterior(jump.alpha_bar, 0.0).variance
    null = gaussian(end.mean, end.variance - missing(data, jump)[0]).central_moments()

    def scores(_, x_t, fresh):
        mean = data.posterior(jump.alpha_bar, x_t).mean
        x_s = step(**at, predicted_x_0=mean, x_t=x_t, fresh=fresh)
        return moments(x_s, end.mean, end.variance - shortfall(**at, mmse=given), null)

    return scores


def mmse(world, jump):
    """The variance of x_0 given x_t, averaged over x_t."""
    seen = world.marginal(jump.alpha_bar)
    return settled(
        integral_of(lambda x: seen(x) * world.posterior(jump.alpha_bar, x).variance, seen.mean, sqrt(seen.variance))
    )


def missing(world, jump):
    """How far the variance of x_s given x_t is above that given both ends, on average; and the size of the two."""
    given_both_ends = regressed(jump, 0.0, 0.0)[1]
    given_x_t = found(world, jump)
    return given_x_t - given_both_ends, given_x_t + given_both_ends


def mmse_in_the_plane(jump):
    """Per coordinate."""
    covariance = lambda x: PLANE.posterior(jump.alpha_bar, x).covariance
    return settled(averaged(PLANE.marginal(jump.alpha_bar), lambda x: np.trace(covariance(x), axis1=-2, axis2=-1)))


# Gaussian data


def pushed(data, jump, v_hat, sigma):
    """The variance of the mean of the reverse kernel, if x_t has the variance v_hat, and of noise beside it."""
    mean = lambda x: data.reverse_kernel(jump, x).mean
    centre = mean(0.0)
    square = expectation_of(lambda x: (mean(x) - centre) ** 2, lambda x: normal(x, 0.0, v_hat), width=sqrt(v_hat))

    def rule(nodes):
        value, size = square(nodes)
        return value + sigma**2, size + sigma**2

    return rule


def along_axes(covariance):
    """The variances along the axes of the data."""
    return np.einsum("ki,kl,li->i", AXES, covariance, AXES)


def carried_in_space(jump):
    """The same in space, where the mean of the kernel is a matrix times x_t, plus something."""
    origin = SPACE.reverse_kernel(jump, np.zeros(3)).mean
    map_ = np.transpose(SPACE.reverse_kernel(jump, np.eye(3)).mean - origin)
    samples = AXES @ np.diag(SOME_SPREADS) @ AXES.T
    return along_axes(map_ @ samples @ map_.T) + 0.57**2


def adding(variance):
    """The row of a jump with the mean given both ends, by regression, and with noise of this variance."""

    def kernel(t, s, data):
        at = at_levels(t, s, data.variance)
        drawn = lambda x_t, predicted_x_0, fresh, **_: (
            regressed(between_levels(at), predicted_x_0, x_t)[0] + sqrt(variance(at)) * fresh
        )
        return row_of(drawn, t, s)

    return kernel


def between_levels(at):
    return Step(alpha=at["alpha_ts"], alpha_bar_prev=at["alpha_bar_s"])


def at_levels(t, s, v_0):
    return of_levels(t, s) | {"v_0": v_0}


def given_both_ends(at):
    return regressed(between_levels(at), 0.0, 0.0)[1]


def recurring(recursion):
    """The variances that the recursion has at all levels, where the variance given both ends is added."""

    def recurred(v_0):
        found = [gaussian(0.0, v_0).marginal(LEAPS[0].alpha_bar).variance]
        for k in range(len(LEAPS)):
            at = at_levels(LEAPS[k], LEAPS[k + 1], v_0)
            found.append(recursion(**at, v_hat=found[-1], sigma=sqrt(given_both_ends(at))))
        return np.array(found)

    return recurred


def chain(recursion, added):
    """The variance of samples at the end of a chain from q_T, if each step adds this much."""

    def ended(v_0):
        v_hat = gaussian(0.0, v_0).marginal(SCHEDULE.alpha_bars[-1]).variance
        for step in reversed(SCHEDULE.steps):
            v_hat = recursion(**variances(step, v_0), v_hat=v_hat, sigma=sqrt(added(step)))
        return v_hat

    return ended
