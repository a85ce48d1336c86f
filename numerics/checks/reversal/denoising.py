r"""What tries to refute the page on x_0 given x_t: the whole way from data to x_t, integrated and simulated.

The world supplies the score of x_t and the moments of q(x_0 | x_t) from closed forms of its own, which do not know of
each other. Where the data have a density, q(x_0 | x_t) is integrated as the product of its definitions.
"""

import numpy as np
from hypothesis import strategies as st
from numpy import sqrt
from scipy.ndimage import map_coordinates

from ...quadrature import mean_of, variance_of
from ...statistics import GaussHermite, both, close, for_all, hermite, matches, moments, sampled
from ...worlds import Step, normal
from .score import (
    DIRECTIONS,
    PLANE,
    SMOOTH,
    SOME_IN_PLANE,
    SOME_X_PREV,
    Along,
    noise_given,
    normalised,
)
from .step import POINTS, SOME_X_T, estimator, gaussians, letters, pairs, reverse_kernel, steps, tame_steps

SOME_X_0 = np.array([0.83, -0.57, 1.19])
near = st.floats(-2, 2)


def x0_tweedie(mean, variance):
    """The moments of q(x_0 | x_t): integrated, simulated, along directions of a plane, for all mixtures of two."""
    for world, step in POINTS:
        at, law = seen(world, step, SOME_X_T), world.posterior(step.alpha_bar, SOME_X_T)
        yield matches(mean, at, law.mean)
        yield matches(variance, at, law.variance)
        scores, jump = denoised(mean, variance, world, step), world.path([step.alpha_bar])
        # Far out x_t leaves no doubt of a point, and the units of the scores shrink: the jump has room for many nodes.
        yield sampled(world.forward(step), scores, resolves=1e-2)
        yield sampled(jump, scores, resolves=1e-3, by=GaussHermite(128).over(world.weights))
    for world, step in SMOOTH:
        at, density = seen(world, step, SOME_X_T), product(world, step, SOME_X_T)
        yield close(mean, at, mean_of(density))
        yield close(variance, at, variance_of(density))
    for at, law, _, direction in in_the_plane():
        yield matches(mean, at, law.mean @ direction)
        yield matches(variance, at, law.covariance @ direction @ direction)
    for formula, moment in ((mean, "mean"), (variance, "variance")):
        yield for_all(data=pairs, step=tame_steps, x_t=near)(
            lambda data, step, x_t, formula=formula, moment=moment: matches(
                formula, seen(data, step, x_t), getattr(data.posterior(step.alpha_bar, x_t), moment)
            )
        )


def score_is_conditional_expectation(average, from_noise, over_the_data):
    """Each is the score of x_t, whatever x_0 may be; draws of the slope of log q(x_t | x_0) scatter around it."""
    for world, step in SMOOTH:
        at, score = seen(world, step, SOME_X_T, x_0=SOME_X_0), world.marginal(step.alpha_bar).score(SOME_X_T)
        yield matches(average, at, score)
        yield sampled(world.forward(step), scattered(tabulated(average, world, step), world, step), resolves=1e-2)
    for world, step in POINTS:
        at, score = seen(world, step, SOME_X_T, x_0=SOME_X_0), world.marginal(step.alpha_bar).score(SOME_X_T)
        yield matches(from_noise, at, score)
        scores = scattered(blind(from_noise, world, step), world, step)
        yield from both(world.forward(step), scores, estimator(world))
        yield matches(over_the_data, at, slope(step, world.mean, SOME_X_T))
        yield from both(apart(world), unseen(over_the_data, world, step), hermite.over(world.weights))
    for at, _, score, direction in in_the_plane():
        yield matches(from_noise, at, score @ direction)
    some = {"data": pairs, "step": tame_steps, "x_t": near, "x_0": near}
    for formula in (average, from_noise):
        yield for_all(**some)(
            lambda data, step, x_t, x_0, formula=formula: matches(
                formula,
                seen(data, step, x_t, x_0=x_0),
                data.marginal(step.alpha_bar).score(x_t),
                magnitude=(abs(x_t) + 1) / (1 - step.alpha_bar),
            )
        )


def one_step_vs_cumulative_noise(ratio, mean):
    """The mean of the noise of one step from that of all steps, and the mean of x_{t-1} from it."""

    def one_step(**at):
        return ratio(**at) * at["predicted_noise"]

    for world, step in POINTS:
        at = seen(world, step, SOME_X_T)
        yield close(one_step, at, mean_of(noise_given(world, step, SOME_X_T)))
        yield close(mean, at, mean_of(reverse_kernel(world, step, SOME_X_T), width=2.0))
        yield from both(world.forward(step), share(ratio, step), hermite.over(world.weights))
        yield from both(world.forward(step), stepped_back(mean, None, world, step), estimator(world))
    for at, _, score, direction in in_the_plane():
        beta = 1 - at["alpha"]
        yield matches(one_step, at, -sqrt(beta) * score @ direction)
        yield matches(mean, at, (at["x_t"] + beta * score @ direction) / sqrt(at["alpha"]))

    def regressed(data, step, x_t):
        """For Gaussian data, both noises by regression on x_t."""
        marginal = data.marginal(step.alpha_bar)
        at = letters(data, step, predicted_noise=sqrt(1 - step.alpha_bar) * (x_t - marginal.mean) / marginal.variance)
        return matches(one_step, at, sqrt(step.beta) * (x_t - marginal.mean) / marginal.variance)

    yield for_all(data=gaussians, step=steps, x_t=st.floats(-5, 5))(regressed)
    yield for_all(data=pairs, step=tame_steps, x_t=near)(
        lambda data, step, x_t: matches(mean, seen(data, step, x_t), data.reverse_kernel(step, x_t).mean)
    )


def mixture_over_x0(mixture, mean, variance):
    """The reverse kernel and its moments: integrated, simulated, in the plane, for all mixtures of two."""
    for world, step in SMOOTH:
        at, kernel = seen(world, step, SOME_X_T, x_prev=SOME_X_PREV), reverse_kernel(world, step, SOME_X_T)
        yield close(mixture, at, normalised(kernel, SOME_X_PREV, width=2.0))
    for world, step in POINTS:
        at, kernel = seen(world, step, SOME_X_T), reverse_kernel(world, step, SOME_X_T)
        yield close(mean, at, mean_of(kernel, width=2.0))
        yield close(variance, at, variance_of(kernel, width=2.0))
        yield from both(world.forward(step), stepped_back(mean, variance, world, step), estimator(world))
    for at, _, _, direction in in_the_plane():
        kernel = PLANE.reverse_kernel(PLANE_STEP, SOME_IN_PLANE)
        yield matches(mean, at, kernel.mean @ direction)
        yield matches(variance, at, kernel.covariance @ direction @ direction)
    for formula, moment in ((mean, "mean"), (variance, "variance")):
        yield for_all(data=pairs, step=tame_steps, x_t=near)(
            lambda data, step, x_t, formula=formula, moment=moment: matches(
                formula, seen(data, step, x_t), getattr(data.reverse_kernel(step, x_t), moment)
            )
        )
    yield for_all(data=pairs, step=tame_steps, x_t=near, x_prev=near)(
        lambda data, step, x_t, x_prev: close(
            mixture,
            seen(data, step, x_t, x_prev=x_prev),
            normalised(reverse_kernel(data, step, x_t), x_prev, width=2.0),
        )
    )


# The letters of the page.

PLANE_STEP = Step(alpha=0.713, alpha_bar_prev=0.629)


def seen(world, step, x_t, **more):
    """The letters of the chapter, and what x_t says of x_0 and of the noise in it."""
    law = world.posterior(step.alpha_bar, x_t)
    predicted = {
        "predicted_noise": (x_t - sqrt(step.alpha_bar) * law.mean) / sqrt(1 - step.alpha_bar),
        "predicted_x_0": law.mean,
        "uncertainty": law.variance,
    }
    known = {"m_0": world.mean, "v_0": world.variance, "guess": guess(world, step), "mode": mode(world, step)}
    return letters(world, step, x_t=x_t, **predicted, **known, **more)


def in_the_plane():
    """The letters along directions of a plane, with the law of x_0 given x_t and the score."""
    step, marginal = PLANE_STEP, PLANE.marginal(PLANE_STEP.alpha_bar)
    law = PLANE.posterior(step.alpha_bar, SOME_IN_PLANE)
    for direction in DIRECTIONS:
        x_t, mean, spread = SOME_IN_PLANE @ direction, law.mean @ direction, law.covariances @ direction @ direction
        at = letters(PLANE, step, x_t=x_t, x_0=SOME_X_0, predicted_x_0=mean)
        at["predicted_noise"] = (x_t - sqrt(step.alpha_bar) * mean) / sqrt(1 - step.alpha_bar)
        at["uncertainty"] = law.covariance @ direction @ direction
        at["mode"] = lambda _, modes=peak(law.weights, law.means @ direction, spread): modes
        at["m_0"], at["v_0"] = PLANE.mean @ direction, PLANE.covariance @ direction @ direction
        at["marginal"] = Along(direction, at["marginal"], SOME_IN_PLANE)
        yield at, law, marginal.score(SOME_IN_PLANE), direction


def product(world, step, x_t):
    """q_0(x_0) q(x_t | x_0): the posterior of x_0, up to its normaliser."""
    return lambda x_0: world(x_0) * normal(x_t, sqrt(step.alpha_bar) * x_0, 1 - step.alpha_bar)


def guess(world, step):
    """q(x_0 | x_t), as a function of both."""
    marginal = world.marginal(step.alpha_bar)
    return lambda x_0, x_t: product(world, step, x_t)(x_0) / marginal(x_t)


def mode(world, step):
    """The most likely x_0, given x_t."""

    def at(x_t):
        law = world.posterior(step.alpha_bar, x_t)
        return peak(law.weights, law.means, law.variances)

    return at


def peak(weights, means, variances):
    """The mode of a mixture: from the mean of its most likely component, uphill."""
    best = np.argmax(weights, axis=-1)[..., None]
    x_0 = np.take_along_axis(np.broadcast_to(means, weights.shape), best, axis=-1)
    for _ in range(40 if np.all(variances > 0) else 0):  # where all pulls cancel
        pull = weights * normal(x_0, means, variances) / variances
        x_0 = np.sum(pull * means, axis=-1, keepdims=True) / np.sum(pull, axis=-1, keepdims=True)
    return x_0[..., 0]


def slope(step, x_0, x_t):
    """The slope of log q(x_t | x_0) in x_t."""
    return (sqrt(step.alpha_bar) * x_0 - x_t) / (1 - step.alpha_bar)


# What follows from it for draws.


def denoised(mean, variance, world, step):
    """Given x_t, x_0 has this mean and this variance, whether there were stops on the way or not."""

    def scores(x_0, *stops):
        x_t = stops[-1]
        at, null = seen(world, step, x_t), world.posterior(step.alpha_bar, x_t).central_moments()
        return moments(x_0, mean(**at), variance(**at), null, given=(x_t,))

    return scores


def stepped_back(mean, variance, world, step):
    """Given x_t, x_{t-1} has this mean and this variance, or this mean."""

    def scores(x_0, x_prev, x_t):
        at, null = seen(world, step, x_t), world.reverse_kernel(step, x_t).central_moments()
        return moments(x_prev, mean(**at), variance and variance(**at), null, given=(x_t,))

    return scores


def share(ratio, step):
    """Of the noise of all steps this share is that of the last one, up to what says nothing of x_0 and x_t.

    What is left over is the earlier noise, as far as it is not in x_t: Gaussian, of variance
    alpha_t (1 - alpha_bar_{t-1})/(1 - alpha_bar_t), by regression of one Gaussian on the other.
    """
    left = step.alpha * (1 - step.alpha_bar_prev) / (1 - step.alpha_bar)

    def scores(x_0, x_prev, x_t):
        last = (x_t - sqrt(step.alpha) * x_prev) / sqrt(step.beta)
        noise = (x_t - sqrt(step.alpha_bar) * x_0) / sqrt(1 - step.alpha_bar)
        mean = ratio(alpha=step.alpha, alpha_bar_prev=step.alpha_bar_prev) * noise
        return moments(last, mean, None, (left, 3 * left**2, 15 * left**3), given=(x_0, x_t))

    return scores


def blind(formula, world, step):
    """The formula as a function of x_t alone: whatever x_0 is, it is told another."""
    return lambda x_t: np.broadcast_to(formula(**seen(world, step, x_t, x_0=0.83)), x_t.shape)


def tabulated(formula, world, step):
    """The same, tabulated once and read between its nodes by cubic splines."""
    with np.errstate(all="ignore"):
        table = blind(formula, world, step)(np.linspace(-12, 12, 961))
    return lambda x_t: map_coordinates(table, [40 * (x_t + 12)], order=3, mode="nearest")


def scattered(score, world, step):
    """Given x_t, the slope of log q(x_t | x_0) has this mean."""
    stretch = sqrt(step.alpha_bar) / (1 - step.alpha_bar)

    def scores(x_0, x_prev, x_t):
        law = world.posterior(step.alpha_bar, x_t).central_moments()
        null = (stretch**2 * law.second, stretch**4 * law.fourth, stretch**6 * law.sixth)
        return moments(slope(step, x_0, x_t), score(x_t), None, null, given=(x_t,))

    return scores


def apart(world):
    """Draws of x_0, and of an x_t that knows nothing of it."""
    return lambda rng, n: (world.sample(rng, n), rng.standard_normal(n))


def unseen(line, world, step):
    """Where x_t says nothing of x_0, the slope of log q(x_t | x_0) has this mean."""
    stretch, law = sqrt(step.alpha_bar) / (1 - step.alpha_bar), world.central_moments()
    null = (stretch**2 * law.second, stretch**4 * law.fourth, stretch**6 * law.sixth)

    def scores(x_0, x_t):
        return moments(slope(step, x_0, x_t), line(**seen(world, step, x_t)), None, null, given=(x_t,))

    return scores
