r"""What tries to refute the page on the score: one step of the forward process, integrated and simulated.

The world supplies the score of x_t from its own closed form. The reverse kernel is integrated as the product of its
definitions.
"""

from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st
from numpy import sqrt
from scipy.ndimage import map_coordinates

from ...quadrature import integral_of, mean_of, variance_of
from ...statistics import both, by_cdf, close, for_all, matches, moments, sampled
from ...statistics import law as standard_normal_rows
from ...worlds import Mixture, Step, mixture, normal
from .step import POINTS, SOME_X_T, estimator, gaussians, letters, pairs, reverse_kernel, steps, tame_steps

PLANE = mixture(
    [0.37, 0.63], [[-0.83, 0.41], [1.19, -0.67]], [[[0.53, 0.21], [0.21, 0.34]], [[0.29, -0.11], [-0.11, 0.61]]]
)
SOME_IN_PLANE = np.array([[-0.71, 0.33], [0.27, -1.19], [1.43, 0.59]])
DIRECTIONS = np.array([[0.6, 0.8], [-0.28, 0.96]])

SMOOTH = [
    POINTS[0],
    POINTS[1],
    (mixture([0.57, 0.43], [-0.71, 0.93], [0.17, 0.62]), Step(alpha=0.761, alpha_bar_prev=0.437)),
]
SOME_NOISE, SOME_X_PREV = np.array([-0.83, 0.47, 1.31]), np.array([-0.89, 0.37, 1.13])


def step_tweedie(mean, variance):
    """The moments of q(x_{t-1} | x_t): integrated, simulated, along directions of a plane, for all Gaussians."""
    for world, step in POINTS:
        at, kernel = letters(world, step, x_t=SOME_X_T), reverse_kernel(world, step, SOME_X_T)
        yield close(mean, at, mean_of(kernel, width=2.0))
        yield close(variance, at, variance_of(kernel, width=2.0))
        yield from both(world.forward(step), denoised(mean, variance, world, step), estimator(world))
    for direction in DIRECTIONS:
        step = Step(alpha=0.713, alpha_bar_prev=0.629)
        kernel = PLANE.reverse_kernel(step, SOME_IN_PLANE)
        at = letters(PLANE, step, x_t=SOME_IN_PLANE @ direction)
        at |= {name: Along(direction, at[name], SOME_IN_PLANE) for name in ("prior", "marginal")}
        yield matches(mean, at, kernel.mean @ direction)
        yield matches(variance, at, kernel.covariance @ direction @ direction)

    def regressed(formula, what):
        return lambda data, step, x_t: matches(
            formula, letters(data, step, x_t=x_t), what(data.reverse_kernel(step, x_t))
        )

    some = {"data": gaussians, "step": steps, "x_t": st.floats(-5, 5)}
    yield for_all(**some)(regressed(mean, lambda kernel: kernel.mean))
    yield for_all(**some)(regressed(variance, lambda kernel: kernel.variance))


def noise_conditional_law(law, mean, variance):
    """Given x_t, the noise of the step: its density normalised on the line, its moments integrated and simulated."""
    for world, step in POINTS:
        at, density = letters(world, step, x_t=SOME_X_T), noise_given(world, step, SOME_X_T)
        yield close(mean, at, mean_of(density))
        yield close(variance, at, variance_of(density))
        yield close(law, at | {"e": SOME_NOISE}, normalised(density, SOME_NOISE))
        yield from both(world.forward(step), noise_seen(mean, variance, world, step), estimator(world))
        yield sampled(world.forward(step), uniform_under(law, world, step), resolves=1e-2)
    some = {"data": gaussians, "step": tame_steps, "x_t": st.floats(-2, 2)}
    yield for_all(**some)(
        lambda data, step, x_t: close(mean, letters(data, step, x_t=x_t), mean_of(noise_given(data, step, x_t)))
    )
    yield for_all(**some)(
        lambda data, step, x_t: close(variance, letters(data, step, x_t=x_t), variance_of(noise_given(data, step, x_t)))
    )
    yield for_all(**some, e=st.floats(-2, 2))(
        lambda data, step, x_t, e: close(
            law, letters(data, step, x_t=x_t, e=e), normalised(noise_given(data, step, x_t), e)
        )
    )


def rearrangement_with_conditional_noise(law, variance):
    """Noise of this law in the rearranged equation gives the reverse kernel; the true noise is uniform under it."""

    def rearranged(**at):
        e = (at["x_t"] - sqrt(at["alpha"]) * at["x_prev"]) / sqrt(1 - at["alpha"])
        return sqrt(at["alpha"] / (1 - at["alpha"])) * law(**at, e=e)

    def rescaled(**at):
        return (1 - at["alpha"]) / at["alpha"] * variance(**at)

    def true_mean(**at):
        return -sqrt(1 - at["alpha"]) * at["marginal"].score(at["x_t"])

    for world, step in SMOOTH:
        at, kernel = letters(world, step, x_t=SOME_X_T, x_prev=SOME_X_PREV), reverse_kernel(world, step, SOME_X_T)
        yield close(rearranged, at, normalised(kernel, SOME_X_PREV, width=2.0))
        yield close(rescaled, at, variance_of(kernel, width=2.0))
        yield sampled(world.forward(step), uniform_under(law, world, step), resolves=1e-2)
        yield from both(world.forward(step), noise_seen(true_mean, variance, world, step), estimator(world))
    some = {"data": pairs, "step": tame_steps, "x_t": st.floats(-2, 2), "x_prev": st.floats(-2, 2)}
    yield for_all(**some)(
        lambda data, step, x_t, x_prev: close(
            rearranged,
            letters(data, step, x_t=x_t, x_prev=x_prev),
            normalised(reverse_kernel(data, step, x_t), x_prev, width=2.0),
        )
    )
    yield for_all(**some)(
        lambda data, step, x_t, x_prev: close(
            rescaled,
            letters(data, step, x_t=x_t, x_prev=x_prev),
            variance_of(reverse_kernel(data, step, x_t), width=2.0),
        )
    )


def noise_given(world, step, x_t):
    """N(e; 0, 1) q_{t-1}((x_t - sqrt(beta) e) / sqrt(alpha)): the noise given x_t, up to its normaliser."""
    prior = world.marginal(step.alpha_bar_prev)
    return lambda e: normal(e, 0.0, 1.0) * prior((x_t - sqrt(step.beta) * e) / sqrt(step.alpha))


def normalised(density, at, width=1.0):
    """The value of a density that is given up to a factor, its mass by quadrature."""
    mass, top = integral_of(density, centre=0 * at, width=width), density(at)

    def rule(nodes):
        total, magnitude = mass(nodes)
        return top / total, top / total * (magnitude / total)

    return rule


def noise_seen(mean, variance, world, step):
    """The noise of the step has this mean and this variance, given x_t."""

    def scores(x_0, x_prev, x_t):
        at, kernel = letters(world, step, x_t=x_t), world.reverse_kernel(step, x_t).central_moments()
        second, fourth, sixth = (
            (step.alpha / step.beta) ** k * m for k, m in ((1, kernel.second), (2, kernel.fourth), (3, kernel.sixth))
        )
        noise = (x_t - sqrt(step.alpha) * x_prev) / sqrt(step.beta)
        return moments(noise, mean(**at), variance(**at), (second, fourth, sixth), given=(x_t,))

    return scores


def uniform_under(law, world, step):
    """The true noise, through the distribution function of the claimed law, is uniform given x_t.

    Through ndtri it is N(0, 1).

    The distribution function is tabulated once, by the trapezoid rule in the noise, and read between its nodes.
    """
    e, x_t = np.linspace(-8, 8, 641)[:, None], np.linspace(-8, 8, 641)
    with np.errstate(all="ignore"):
        density = np.broadcast_to(law(**letters(world, step, x_t=x_t, e=e)), (641, 641))
        table = np.vstack([0 * x_t, np.cumsum(density[1:] + density[:-1], axis=0) * 0.5 * (16 / 640)])

    def scores(x_0, x_prev, x_t):
        e = (x_t - sqrt(step.alpha) * x_prev) / sqrt(step.beta)
        u = map_coordinates(table, 40 * np.array([e + 8, x_t + 8]), order=1, mode="nearest")
        return standard_normal_rows(by_cdf(u), given=(x_t,))

    return scores


def denoised(mean, variance, world, step):
    """Given x_t, x_{t-1} has this mean and this variance.

    The world knows how its fourth and sixth moments bound the noise.
    """

    def scores(x_0, x_prev, x_t):
        at, null = letters(world, step, x_t=x_t), world.reverse_kernel(step, x_t).central_moments()
        return moments(x_prev, mean(**at), variance(**at), (null.second, null.fourth, null.sixth), given=(x_t,))

    return scores


@dataclass(frozen=True)
class Along:
    """A law of the plane at given points, seen along a direction: what a one-dimensional formula asks of it."""

    direction: np.ndarray
    law: Mixture
    points: np.ndarray

    def score(self, _):
        return self.law.score(self.points) @ self.direction

    def score_slope(self, _):
        return self.law.hessian(self.points) @ self.direction @ self.direction
