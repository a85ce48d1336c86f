r"""What tries to refute the page on the score: what flows past points, and what moves in space, against scores.

The score is that of the world's own density. On the line the velocity is found from the distribution function, in space
as the mean of :math:`\dot x_t`, from that of :math:`x_1` given :math:`x_t`.
"""

from numpy import exp, sqrt

from ...statistics import for_all, matches
from ..reversal.step import CLUSTERS, SOME_X_T, pairs
from .velocity import (
    FIVE,
    GAUSSIAN,
    HIGH,
    POINTS,
    POINTS_OF_DATA,
    SPACE,
    at_time,
    bent,
    circle,
    flow,
    near,
    scale,
    schedules,
    straight_line,
    times,
)

LINES = [(GAUSSIAN, 0.37), (CLUSTERS, 0.61), (POINTS_OF_DATA, 0.83)]


def velocity_score(velocity, straight, probability_flow):
    """On the line and in space; on straight paths; where the variance is preserved, forwards in diffusion's time."""
    for world, way in POINTS:
        yield matches(velocity, seen(world, way, SOME_X_T), flow(world, way, SOME_X_T))
    for world, t in LINES:
        way = straight_line(t)
        yield matches(straight, seen(world, way, SOME_X_T) | {"t": t}, flow(world, way, SOME_X_T))
        way, beta = diffused(t)
        yield matches(probability_flow, seen(world, way, SOME_X_T) | {"beta": beta}, flow(world, way, SOME_X_T))
    for world, way in ((SPACE, circle(0.37)), (FIVE, bent(0.61))):
        x = HIGH[:, : world.dimension]
        yield matches(velocity, seen(world, way, x), moving(world, way, x))
        yield matches(
            straight, seen(world, straight_line(0.37), x) | {"t": 0.37}, moving(world, straight_line(0.37), x)
        )
        way, beta = diffused(0.37)
        yield matches(probability_flow, seen(world, way, x) | {"beta": beta}, moving(world, way, x))

    def compared(formula, way, data, x, **more):
        size = (1 + abs(x) + abs(data.mean) + sqrt(data.variance)) * (scale(way) + abs(way.a_dot) / way.a) / way.b
        return matches(formula, seen(data, way, x) | more, flow(data, way, x), magnitude=size)

    some = {"data": pairs, "t": times, "x": near}
    yield for_all(schedule=schedules, **some)(lambda data, schedule, t, x: compared(velocity, schedule(t), data, x))
    yield for_all(**some)(lambda data, t, x: compared(straight, straight_line(t), data, x, t=t))

    def preserved(data, t, x):
        way, beta = diffused(t)
        return compared(probability_flow, way, data, x, beta=beta)

    yield for_all(**some)(preserved)


def seen(world, way, x):
    """The letters of the page at x, with the score of the world's density."""
    score = world.affine(way.a, way.b**2).score(x)
    return {"a": way.a, "b": way.b, "a_dot": way.a_dot, "b_dot": way.b_dot, "x_t": x, "score": score}


def moving(world, way, x):
    """The mean velocity given x_t, from the mean of x_1."""
    x_1 = world.conditioned(way.a, way.b**2, x).mean
    return way.a_dot * x_1 + way.b_dot * (x - way.a * x_1) / way.b


def diffused(t):
    """Diffusion that preserves the variance, with beta(t) = 0.3 + 2.2 t."""
    left = lambda t: exp(-(0.3 * t + 1.1 * t**2) / 2)
    return at_time(left, lambda t: sqrt(1 - left(t) ** 2))(t), 0.3 + 2.2 * t
