r"""What tries to refute the page on what the regression lands on: losses, integrated and simulated.

The world supplies the score of x_t and the moments of q(x_0 | x_t) from closed forms of its own, which do not know of
each other; the networks are functions with a slope, and know nothing of the world.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from hypothesis import strategies as st
from numpy import sqrt

from ...quadrature import expectation_of, integral_of, integral_over_plane, settled
from ...statistics import both, close, for_all, gauss_hermite, matches, moments, sampled
from ...worlds import CentralMoments, Step, gaussian, mixture, normal
from ..reversal.bounds import averaged, in_the_plane
from ..reversal.denoising import mode, product, slope
from ..reversal.score import PLANE, SMOOTH, Along
from ..reversal.step import (
    GAUSSIANS,
    POINTS,
    SOME_X_T,
    SQUARES,
    STEPS,
    estimator,
    gaussians,
    letters,
    pairs,
    steps,
    tame_steps,
)
from .quadratics import moments_by_quadrature, moments_of_quadratic

STEP = Step(alpha=0.713, alpha_bar_prev=0.629)  # in the plane and in space
CLOUD = gaussian([0.37, -0.61, 0.83], [[1.31, 0.42, -0.27], [0.42, 0.59, 0.11], [-0.27, 0.11, 0.23]])
SPACE = mixture(
    [0.37, 0.63],
    [[-0.83, 0.41, 0.57], [1.19, -0.67, -0.23]],
    [
        [[0.53, 0.21, -0.07], [0.21, 0.34, 0.11], [-0.07, 0.11, 0.43]],
        [[0.29, -0.11, 0.05], [-0.11, 0.61, 0.17], [0.05, 0.17, 0.37]],
    ],
)
SOME_IN_SPACE = np.array([[-0.71, 0.33, 0.57], [0.27, -1.19, -0.41], [1.43, 0.59, 0.83]])
DIRECTIONS = np.array([[0.6, 0.64, 0.48], [-0.36, 0.48, -0.8]])

near = st.floats(-2, 2)


# The noise


def simple_loss_minimiser(minimiser, floor, floor_from_mmse, gaussian):
    """The mean of the noise given x_t, and what it leaves: integrated, simulated, in space, for all mixtures of two."""
    for world, step in POINTS:
        at = given(world, step, x_t=SOME_X_T)
        yield matches(minimiser, at, mean_noise(world, step, SOME_X_T))
        for formula in (floor, floor_from_mmse):
            yield close(formula, at, left_open(world, step))
        yield from both(world.forward(step), predicted(minimiser, floor, world, step), estimator(world))
    for world, step in SMOOTH:
        at = given(world, step, x_t=SOME_X_T)
        noise = lambda x_0, step=step: noise_of(step, x_0, SOME_X_T)
        yield close(minimiser, at, expectation_of(noise, product(world, step, SOME_X_T)))
        for formula in (floor, floor_from_mmse):
            yield close(formula, at, loss_of_the_mean(world, step))
    for world, step in GAUSSIANS:
        yield matches(gaussian, given(world, step), noise_left(world, step))
    for direction in DIRECTIONS:
        at = along(direction, SOME_IN_SPACE)
        yield matches(minimiser, at, mean_noise(SPACE, STEP, SOME_IN_SPACE) @ direction)
    yield sampled(SPACE.path([STEP.alpha_bar]), predicted_along(minimiser, DIRECTIONS[0]), resolves=1e-2)
    for step in STEPS:
        for formula in (floor, floor_from_mmse):
            yield matches(formula, in_the_cloud(step), noise_left_in_the_cloud(step))

    some = {"data": pairs, "step": tame_steps}
    yield for_all(**some, x_t=near)(
        lambda data, step, x_t: matches(
            minimiser,
            letters(data, step, x_t=x_t, mode=mode(data, step)),
            mean_noise(data, step, x_t),
            magnitude=(abs(x_t) + 1) / sqrt(1 - step.alpha_bar),
        )
    )
    for formula in (floor, floor_from_mmse):
        yield for_all(**some, examples=20)(
            lambda data, step, formula=formula: close(formula, given(data, step), left_open(data, step))
        )
    yield for_all(data=gaussians, step=steps)(
        lambda data, step: matches(gaussian, letters(data, step, v_0=data.variance), noise_left(data, step), 1.0)
    )


def noise_of(step, x_0, x_t):
    """The noise of all steps so far."""
    return (x_t - sqrt(step.alpha_bar) * x_0) / sqrt(1 - step.alpha_bar)


def mean_noise(world, step, x_t):
    """Its mean given x_t, from that of x_0."""
    return noise_of(step, world.posterior(step.alpha_bar, x_t).mean, x_t)


def left_open(world, step):
    """Its variance given x_t, integrated over x_t."""
    seen, scale = world.marginal(step.alpha_bar), step.alpha_bar / (1 - step.alpha_bar)
    variance = lambda x: scale * world.posterior(step.alpha_bar, x).variance
    return integral_of(lambda x: seen(x) * variance(x), seen.mean, sqrt(seen.variance))


def loss_of_the_mean(world, step):
    """The loss of a network that predicts this mean, integrated over x_0 and the noise."""

    def integrand(x_0, z):
        x_t = sqrt(step.alpha_bar) * x_0 + sqrt(1 - step.alpha_bar) * z
        return world(x_0) * normal(z, 0.0, 1.0) * (z - mean_noise(world, step, x_t)) ** 2

    return integral_over_plane(integrand)


def noise_left(data, step):
    """The variance of the noise given x_t, from their joint covariance, for Gaussian data."""
    v_t = step.alpha_bar * data.variance + 1 - step.alpha_bar
    return 1 - (1 - step.alpha_bar) / v_t


def scaled(law, scale):
    """The central moments of scale * x."""
    return CentralMoments(*(abs(scale) ** p * m for p, m in zip((2, 3, 4, 6), law.central_moments(), strict=True)))


@cache
def moments_left(world, step):
    """The moments of the noise around its mean given x_t, integrated over x_t."""
    seen, scale = world.marginal(step.alpha_bar), sqrt(step.alpha_bar / (1 - step.alpha_bar))

    def over_x_t(moment):
        integrand = lambda x: seen(x) * moment(scaled(world.posterior(step.alpha_bar, x), scale))
        return settled(integral_of(integrand, seen.mean, sqrt(seen.variance)))

    return tuple(over_x_t(moment) for moment in (lambda m: m.second, lambda m: m.fourth, lambda m: m.sixth))


def predicted(minimiser, floor, world, step):
    """Given x_t, the noise has this mean; on average it is off by the floor."""
    scale, at = sqrt(step.alpha_bar / (1 - step.alpha_bar)), given(world, step)

    def scores(x_0, x_prev, x_t):
        noise, guess = noise_of(step, x_0, x_t), minimiser(**at | {"x_t": x_t})
        null = scaled(world.posterior(step.alpha_bar, x_t), scale)
        rows = moments(noise, guess, None, null, given=(x_t,))
        return rows + moments(noise - guess, 0.0, floor(**at), moments_left(world, step))

    return scores


# ... in space


def along(direction, x):
    """The letters along a direction of space."""
    seen = Along(direction, SPACE.marginal(STEP.alpha_bar), x)
    most_likely = lambda _: SPACE.means[np.argmax(SPACE.posterior(STEP.alpha_bar, x).weights, axis=-1)] @ direction
    return letters(SPACE, STEP, x_t=x @ direction, mode=most_likely) | {"marginal": seen}


def predicted_along(minimiser, direction):
    """Given x_t in space, the noise along a direction has this mean."""
    scale = sqrt(STEP.alpha_bar / (1 - STEP.alpha_bar))

    def scores(x_0, x_t):
        law = SPACE.posterior(STEP.alpha_bar, x_t)
        apart = (law.means - law.mean[..., None, :]) @ direction
        line = mixture_moments(law.weights, scale * apart, scale**2 * (law.covariances @ direction @ direction))
        noise = noise_of(STEP, x_0, x_t) @ direction
        return moments(noise, minimiser(**along(direction, x_t)), None, line, given=tuple(x_t.T))

    return scores


def mixture_moments(weights, a, v):
    """The second, fourth and sixth moment of a mixture of Gaussians with means a that average to zero."""
    powers = a**2 + v, a**4 + 6 * a**2 * v + 3 * v**2, a**6 + 15 * a**4 * v + 45 * a**2 * v**2 + 15 * v**3
    return tuple(np.sum(weights * power, axis=-1) for power in powers)


def in_the_cloud(step):
    """The letters for Gaussian data in space; what is said of a number holds on average over coordinates."""
    seen, left = CLOUD.marginal(step.alpha_bar).covariance, CLOUD.posterior(step.alpha_bar, np.zeros(3)).covariance
    known = {"J": np.trace(np.linalg.inv(seen)) / 3, "mmse": np.trace(left) / 3}
    return {"alpha": step.alpha, "alpha_bar_prev": step.alpha_bar_prev, **known}


def noise_left_in_the_cloud(step):
    """The variance of the noise given x_t, by regression of x_0 on x_t."""
    before = CLOUD.covariance
    after = step.alpha_bar * before + (1 - step.alpha_bar) * np.eye(3)
    left = before - step.alpha_bar * before @ np.linalg.solve(after, before)
    return step.alpha_bar / (1 - step.alpha_bar) * np.trace(left) / 3


# The target


@dataclass(frozen=True)
class Network:
    """f(x) = a + b x + c sin 2x: a function of x_t, and its slope."""

    a: float
    b: float
    c: float

    def __call__(self, x):
        return self.a + self.b * x + self.c * np.sin(2 * x)

    def slope(self, x):
        return self.b + 2 * self.c * np.cos(2 * x)


NETWORKS = [Network(0.37, -0.83, 0.29), Network(-0.53, 0.41, -0.37), Network(0.71, -1.31, 0.19)]
networks = st.builds(Network, near, near, near)


def dsm_equivalence(constant, integrand):
    """Losses of networks that know nothing of the data: integrated, simulated, in the plane and in space."""
    for (world, step), network in zip(SMOOTH, NETWORKS, strict=True):
        at, by = asked(world, step, network), gauss_hermite.over(world.weights)
        yield close(constant, at, between_targets(world, step, network))
        yield close(mean(integrand, world, step), at, without_target(world, step, network))
        yield from both(world.forward(step), targets_apart(constant, world, step, network), by)
    yield matches(constant, *targets_apart_in_the_plane())
    yield matches(mean_in_the_plane(integrand), *without_target_in_the_plane())
    for step in STEPS:
        draw = lambda rng, n: (rng.standard_normal((n, 6)),)
        yield from both(draw, targets_apart_in_the_cloud(constant, step), SQUARES)

    some = {"data": pairs, "step": tame_steps, "network": networks}
    yield for_all(**some, examples=8)(
        lambda data, step, network: close(constant, asked(data, step, network), between_targets(data, step, network))
    )
    yield for_all(**some, examples=20)(
        lambda data, step, network: close(
            mean(integrand, data, step), asked(data, step, network), without_target(data, step, network)
        )
    )


def asked(world, step, network):
    """The letters of the page, for a network."""
    seen = world.marginal(step.alpha_bar)
    power = settled(integral_of(lambda x: seen(x) * network(x) ** 2, seen.mean, sqrt(seen.variance)))
    return letters(world, step, J=seen.fisher(), power=power, f=network, slope_of_f=network.slope)


def halves_of_squares(world, step, network, x_0, x_t):
    """Half of the squared distance to the slope of log q(x_t | x_0), less that to the score."""
    f, score = network(x_t), world.marginal(step.alpha_bar).score(x_t)
    return ((f - slope(step, x_0, x_t)) ** 2 - (f - score) ** 2) / 2


def between_targets(world, step, network, power=1):
    """This, or a power of it, integrated over x_0 and the noise."""

    def integrand(x_0, z):
        x_t = sqrt(step.alpha_bar) * x_0 + sqrt(1 - step.alpha_bar) * z
        return world(x_0) * normal(z, 0.0, 1.0) * halves_of_squares(world, step, network, x_0, x_t) ** power

    return integral_over_plane(integrand)


@cache
def moments_between_targets(world, step, network):
    """The second and the fourth central moment."""
    return moments_by_quadrature(lambda power: between_targets(world, step, network, power))


def targets_apart(constant, world, step, network):
    """Half of the squared distances to the two targets differ on average by the constant."""
    at = asked(world, step, network)

    def scores(x_0, x_prev, x_t):
        apart = halves_of_squares(world, step, network, x_0, x_t)
        return moments(apart, constant(**at), None, (*moments_between_targets(world, step, network), np.inf))

    return scores


def mean(integrand, world, step):
    """The formula, averaged over x_t."""
    seen = world.marginal(step.alpha_bar)
    x, h = np.linspace(seen.mean - 14 * sqrt(seen.variance), seen.mean + 14 * sqrt(seen.variance), 2001, retstep=True)
    return lambda **at: np.sum(seen(x) * integrand(**at | {"x_t": x})) * h


def without_target(world, step, network):
    """Half of the mean squared distance to the score, less half of the mean square of the score."""
    seen = world.marginal(step.alpha_bar)
    halves = lambda x: ((network(x) - seen.score(x)) ** 2 - seen.score(x) ** 2) / 2
    return integral_of(lambda x: seen(x) * halves(x), seen.mean, sqrt(seen.variance))


# ... in the plane, on average over its coordinates


def turning(x):
    """A network of the plane, and the slope of each of its coordinates along itself."""
    u, v = x[..., 0], x[..., 1]
    f = np.stack([0.31 - 0.47 * u + 0.23 * v + 0.19 * np.sin(u + v), -0.59 * v + 0.37 * np.cos(v - 2 * u)], axis=-1)
    return f, np.stack([-0.47 + 0.19 * np.cos(u + v), -0.59 - 0.37 * np.sin(v - 2 * u)], axis=-1)


def squared(v):
    return np.sum(v**2, axis=-1)


def targets_apart_in_the_plane():
    """The letters, and what the distances to the two targets differ by, from the moments of x_0 given x_t."""
    seen = PLANE.marginal(STEP.alpha_bar)

    def halves(x):
        law, (f, _) = PLANE.posterior(STEP.alpha_bar, x), turning(x)
        scattered = STEP.alpha_bar / (1 - STEP.alpha_bar) ** 2 * np.trace(law.covariance, axis1=-2, axis2=-1)
        return (squared(f - slope(STEP, law.mean, x)) + scattered - squared(f - seen.score(x))) / 2

    power = settled(averaged(seen, lambda x: squared(turning(x)[0])))
    return in_the_plane(PLANE, STEP) | {"power": power}, settled(averaged(seen, halves))


def mean_in_the_plane(integrand):
    seen = PLANE.marginal(STEP.alpha_bar)
    over = lambda at, x: np.sum(integrand(**at, x_t=x), axis=-1)
    return lambda **at: settled(averaged(seen, lambda x: over(at, x)), 1e-12)


def without_target_in_the_plane():
    seen = PLANE.marginal(STEP.alpha_bar)
    halves = lambda x: (squared(turning(x)[0] - seen.score(x)) - squared(seen.score(x))) / 2
    at = {"f": lambda x: turning(x)[0], "slope_of_f": lambda x: turning(x)[1]}
    return at, settled(averaged(seen, halves))


# ... and in space, where for Gaussian data and a network that is linear all is quadratic in the noise


def targets_apart_in_the_cloud(constant, step):
    """Half of the squared distances to the two targets differ on average by the constant, times three."""
    turn, root = (
        np.array([[-0.73, 0.41, 0.19], [0.23, 0.37, -0.61], [0.29, -0.17, -0.53]]),
        np.linalg.cholesky(CLOUD.covariance),
    )
    seen, seen_from = CLOUD.marginal(step.alpha_bar), np.array([0.31, -0.47, 0.59])

    def apart(z):
        x_0 = CLOUD.mean + np.einsum("ij,nj->ni", root, z[:, :3])
        x_t = sqrt(step.alpha_bar) * x_0 + sqrt(1 - step.alpha_bar) * z[:, 3:]
        f = seen_from + np.einsum("ij,nj->ni", turn, x_t)
        return (squared(f - slope(step, x_0, x_t)) - squared(f - seen.score(x_t))) / 2

    power = (squared(seen_from + turn @ seen.mean) + np.trace(turn @ seen.covariance @ turn.T)) / 3
    claimed = 3 * constant(**in_the_cloud(step), power=power)
    _, *null = moments_of_quadratic(apart, 6)
    return lambda z: moments(apart(z), claimed, None, (*null, np.inf))


# Letters


def given(world, step, **more):
    """The letters of the page: the Fisher information of q_t, and the mean variance of x_0 given x_t."""
    known = {"J": world.marginal(step.alpha_bar).fisher(), "mmse": mean_left_open(world, step)}
    return letters(world, step, v_0=world.variance, mode=mode(world, step), **known, **more)


def mean_left_open(world, step):
    """The variance of x_0 given x_t, integrated over x_t."""
    return settled(left_open(world, step)) * (1 - step.alpha_bar) / step.alpha_bar
