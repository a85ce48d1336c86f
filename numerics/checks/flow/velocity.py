r"""What tries to refute the page on velocities: points on their paths, what flows past a point, and regressions.

Rates of change in time are complex steps: F(t + ih) is F(t) + ih F'(t), and with h = 1e-30 nothing else is left. On the
line the velocity at x is what flows past x, -d/dt P(x_t < x), over the density there; it takes no mean to find it.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from hypothesis import strategies as st
from numpy import array, cos, exp, sin, sqrt

from ...quadrature import integral_of, integral_over_plane, settled
from ...statistics import both, close, for_all, matches, moments, sampled
from ...worlds import gaussian, mixture, normal
from ..parameterization.conversions import FIVE, SPACE
from ..reversal.step import CLUSTERS, SOME_X_T, estimator, pairs
from ..vlb.matching import NETWORKS, scaled
from ..vlb.quadratics import moments_by_quadrature

H = 1e-30


@dataclass(frozen=True)
class Interpolant:
    """x_t = a(t) x_1 + b(t) x_0 at one time, with its rates."""

    a: float
    b: float
    a_dot: float
    b_dot: float


def at_time(a, b):
    """The interpolant at t, by complex steps."""

    def at(t):
        moved = [f(t + 1j * H) for f in (a, b)]
        return Interpolant(*(float(np.real(f)) for f in moved), *(float(np.imag(f) / H) for f in moved))

    return at


straight_line = at_time(lambda t: t, lambda t: 1 - t)
circle = at_time(lambda t: sin(np.pi * t / 2), lambda t: cos(np.pi * t / 2))
bent = at_time(lambda t: t**2 * (1.7 - 0.4 * t), lambda t: 1.1 * exp(-1.3 * t) + 0.2 * t)

GAUSSIAN, POINTS_OF_DATA = gaussian(0.37, 1.83), mixture([0.23, 0.46, 0.31], [-1.61, 0.29, 1.33], [0.41, 0.23, 0.57])
POINTS = [(GAUSSIAN, straight_line(0.37)), (CLUSTERS, circle(0.43)), (POINTS_OF_DATA, bent(0.71))]
HIGH = array([[-0.71, 0.33, 0.57, -0.29, 0.83], [0.27, -1.19, -0.41, 0.91, 0.17], [1.43, 0.59, 0.83, -0.67, -1.03]])

times, near, schedules = st.floats(0.1, 0.9), st.floats(-2, 2), st.sampled_from([straight_line, circle, bent])
vectors = st.lists(st.floats(-3, 3), min_size=3, max_size=3).map(array)


# One path


def conditional_velocity(velocity, along, optimal):
    """Points are moved along paths in space; what flows past points of the line, from its distribution function."""
    for t, x_1 in ((0.37, 0.83), (0.61, -1.29), (0.83, 0.47)):
        yield matches(velocity, moving(t, x_1) | {"x_t": SOME_X_T}, flowing_past(t, x_1))
    for t, least, x_0, x_1 in ((0.37, 0.13, 0.71, -1.19), (0.61, 0.07, -0.43, 0.57), (0.83, 0.29, 1.31, 1.73)):
        at = on_the_line(t, least, x_0, x_1)
        yield matches(along, at, at["x_dot"])
        yield matches(optimal, at, at["x_dot"])

    def moved(t, x_0, x_1):
        at = moving(t, x_1)
        x_t, x_dot = stepped(lambda t: bend(t, x_1) + width(t) * x_0, t)
        return matches(velocity, at | {"x_t": x_t}, x_dot, magnitude=10 + np.max(np.abs([x_0, x_1])))

    yield for_all(t=times, x_0=vectors, x_1=vectors)(moved)
    for formula in (along, optimal):

        def straight_on(t, least, x_0, x_1, formula=formula):
            at = on_the_line(t, least, x_0, x_1)
            size = (1 + np.max(np.abs([x_0, x_1]))) / (1 - (1 - least) * t)
            return matches(formula, at, at["x_dot"], magnitude=size)

        yield for_all(t=times, least=times, x_0=vectors, x_1=vectors)(straight_on)


def stepped(path, t):
    """Where a path is at t, and how fast it moves."""
    z = path(t + 1j * H)
    return np.real(z), np.imag(z) / H


def bend(t, x_1):
    """The mean of a path that bends."""
    return t**2 * x_1 + 0.3 * sin(t * x_1)


def width(t):
    return exp(-1.7 * t) + 0.1 * t


def moving(t, x_1):
    """The letters on this path."""
    (mu, mu_dot), (sigma, sigma_dot) = stepped(lambda t: bend(t, x_1), t), stepped(width, t)
    return {"mu": mu, "mu_dot": mu_dot, "sigma": float(sigma), "sigma_dot": float(sigma_dot)}


def flowing_past(t, x_1):
    """-d/dt P(x_t < x | x_1), over the density: the normal density cancels."""
    _, rate = stepped(lambda t: (SOME_X_T - bend(t, x_1)) / width(t), t)
    return -rate * width(t)


def on_the_line(t, least, x_0, x_1):
    """A point on its straight path, which ends with the width sigma_min."""
    x_t, x_dot = stepped(lambda t: t * x_1 + (1 - (1 - least) * t) * x_0, t)
    return {"t": t, "sigma_min": least, "x_0": x_0, "x_1": x_1, "x_t": x_t, "x_dot": x_dot}


# All paths


def marginal_velocity(mean_velocity, rate, gap):
    """What flows past points; what becomes of densities, in up to five dimensions; regressions on single velocities."""
    for (world, way), network in zip(POINTS, NETWORKS, strict=True):
        at = letters(world, way, SOME_X_T)
        yield matches(mean_velocity, at, flow(world, way, SOME_X_T))
        yield matches(rate, at | {"u": flow(world, way, SOME_X_T)}, density_rate(world, way, SOME_X_T))
        yield close(gap, at, losses_apart(world, way, network))
        yield from both(drawn(world, way), velocities(mean_velocity, world, way), estimator(world))
        yield sampled(drawn(world, way), squares_apart(gap, world, way, network), resolves=1e-2)
    for world, way in ((SPACE, circle(0.37)), (FIVE, bent(0.61))):
        x = HIGH[:, : world.dimension]
        at = letters(world, way, x)
        summed = lambda **at: np.sum(rate(**at), axis=-1)
        yield matches(mean_velocity, at, expected(world, way, x))
        yield matches(summed, at, density_rate(world, way, x))

    def flows(data, schedule, t, x):
        way = schedule(t)
        size = (1 + abs(x) + abs(data.mean) + sqrt(data.variance)) * scale(way)
        return matches(mean_velocity, letters(data, way, x), flow(data, way, x), magnitude=size)

    def thins(data, schedule, t, x):
        way = schedule(t)
        at = letters(data, way, x)
        size = at["density"] * (abs(at["divergence"]) + abs(at["u"] * at["score"]) + scale(way) ** 2)
        return matches(rate, at, density_rate(data, way, x), magnitude=(1 + abs(x)) ** 2 * size)

    yield for_all(data=pairs, schedule=schedules, t=times, x=near)(flows)
    yield for_all(data=pairs, schedule=schedules, t=times, x=near)(thins)
    yield for_all(data=pairs, schedule=schedules, t=times, examples=8)(
        lambda data, schedule, t: close(
            gap, letters(data, schedule(t), 0.0), losses_apart(data, schedule(t), NETWORKS[0])
        )
    )


def scale(way):
    """How much larger than x a velocity may be."""
    return abs(way.a_dot) + abs(way.b_dot) * (1 + way.a) / way.b + (way.a_dot + way.b_dot) / way.b


def letters(world, way, x):
    """The letters of the page at x: what the world knows of x_1 given x_t, and of the density of x_t."""
    law, seen = world.conditioned(way.a, way.b**2, x), world.affine(way.a, way.b**2)
    known = {"density": seen(x), "score": seen.score(x), "predicted_x_1": law.mean, "m_1": world.mean}
    if world.dimension:
        spread, known["density"] = np.diagonal(law.covariance, axis1=-2, axis2=-1), seen(x)[..., None]
    else:
        spread, known["uncertainty"] = law.variance, mean_left_open(world, way)
    # x_1 and x_0 given x_t move with x_t as they covary with the noise.
    slope = way.a * spread / way.b**2
    known["divergence"] = way.a_dot * slope + way.b_dot * (1 - way.a * slope) / way.b
    known["u"] = expected(world, way, x)
    return {"a": way.a, "b": way.b, "a_dot": way.a_dot, "b_dot": way.b_dot, "x_t": x, **known}


def expected(world, way, x):
    """The mean velocity given x_t, from the means of x_1 and of x_0, found apart."""
    law, seen = world.conditioned(way.a, way.b**2, x), world.affine(way.a, way.b**2)
    return way.a_dot * law.mean - way.b_dot * way.b * seen.score(x)


def flow(world, way, x):
    """-d/dt P(x_t < x), over the density of x_t."""
    mean, variance = way.a * world.means, way.a**2 * world.variances + way.b**2
    rate = 2 * (way.a * way.a_dot * world.variances + way.b * way.b_dot)
    x = np.asarray(x)[..., None]
    parts = world.weights * normal(x, mean, variance)
    past = way.a_dot * world.means + rate * (x - mean) / (2 * variance)  # of (x - mean) / sqrt(variance)
    return np.sum(parts * past, axis=-1) / np.sum(parts, axis=-1)


def density_rate(world, way, x):
    """d/dt of the density of x_t, by a complex step."""
    a, b = way.a + 1j * H * way.a_dot, way.b + 1j * H * way.b_dot
    total = 0.0
    for k, weight in enumerate(world.weights):
        if world.dimension:
            spread = a**2 * world.covariances[k % len(world.covariances)] + b**2 * np.eye(world.dimension)
            away = x - a * world.means[k]
            square = np.sum(away * np.linalg.solve(spread, away[..., None])[..., 0], axis=-1)
            volume = np.linalg.det(2 * np.pi * spread)
        else:
            spread = a**2 * world.variances[k % len(world.variances)] + b**2
            square, volume = (x - a * world.means[k]) ** 2 / spread, 2 * np.pi * spread
        total = total + weight * exp(-square / 2) / sqrt(volume)
    return np.imag(total) / H


@cache
def mean_left_open(world, way):
    """The variance of x_1 given x_t, integrated over x_t."""
    seen = world.affine(way.a, way.b**2)
    integrand = lambda x: seen(x) * world.conditioned(way.a, way.b**2, x).variance
    return settled(integral_of(integrand, seen.mean, sqrt(seen.variance)))


def drawn(world, way):
    """Draws of x_0, x_1, x_t."""

    def draw(rng, n):
        x_1, x_0 = world.sample(rng, n), rng.standard_normal(n)
        return x_0, x_1, way.a * x_1 + way.b * x_0

    return draw


def velocities(mean_velocity, world, way):
    """Given x_t, the velocity of its path has this mean."""
    turn = way.a_dot - way.b_dot * way.a / way.b  # x_0 is (x_t - a x_1) / b

    def scores(x_0, x_1, x_t):
        law = world.conditioned(way.a, way.b**2, x_t)
        at = {"x_t": x_t, "predicted_x_1": law.mean, "m_1": world.mean}
        at |= {"a": way.a, "b": way.b, "a_dot": way.a_dot, "b_dot": way.b_dot}
        return moments(way.a_dot * x_1 + way.b_dot * x_0, mean_velocity(**at), None, scaled(law, turn), given=(x_t,))

    return scores


def excess(world, way, network, x_0, x_1):
    """The squared distance of a network to the velocity of one path, less that to the mean velocity."""
    x_t = way.a * x_1 + way.b * x_0
    f, mean = network(x_t), expected(world, way, x_t)
    return (f - way.a_dot * x_1 - way.b_dot * x_0) ** 2 - (f - mean) ** 2


def losses_apart(world, way, network, power=1):
    """This, or a power of it, integrated over x_0 and x_1."""
    integrand = lambda x_1, x_0: world(x_1) * normal(x_0, 0.0, 1.0) * excess(world, way, network, x_0, x_1) ** power
    return integral_over_plane(integrand)


@cache
def moments_apart(world, way, network):
    return moments_by_quadrature(lambda power: losses_apart(world, way, network, power))


def squares_apart(gap, world, way, network):
    """On average it is the difference of the losses."""
    at = letters(world, way, 0.0)

    def scores(x_0, x_1, x_t):
        apart = excess(world, way, network, x_0, x_1)
        return moments(apart, gap(**at), None, (*moments_apart(world, way, network), np.inf))

    return scores
