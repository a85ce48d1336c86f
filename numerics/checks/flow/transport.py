r"""What tries to refute the page on transport: couplings on the line by quantiles, and in the plane by linear maps.

On the line the flow keeps every point at its quantile, so that its ends, and what it costs to go there, are found
without its velocity. Draws are moved by the velocity, in small steps. In the plane Gaussians with covariances A and B
stay Gaussian, and the velocity is linear,

.. math:: u_t(x)=(tB-(1-t)A)\,\bigl((1-t)^2A+t^2B\bigr)^{-1}x ;

optimal transport costs :math:`\operatorname{tr}(A+B)-2\operatorname{tr}(A^{1/2}BA^{1/2})^{1/2}` (Gelbrich).
"""

import numpy as np
from numpy import array, cosh, exp, sqrt
from scipy.linalg import eigh

from ...quadrature import integral_of, integral_over_plane, settled
from ...statistics import above, both, close, gauss_hermite, limit, matches, moments, sampled
from ...worlds import gaussian, normal, point
from ..reversal.step import CLUSTERS
from ..vlb.quadratics import moments_by_quadrature, moments_of_quadratic
from .euler import end_of_flow
from .score import moving
from .velocity import POINTS_OF_DATA, straight_line

GAUSSIANS = [gaussian(0.37, 1.83), gaussian(-1.29, 0.31), gaussian(2.17, 4.70)]
COSTS = [
    (CLUSTERS, lambda w: cosh(0.7 * w)),
    (POINTS_OF_DATA, lambda w: w**4 + 0.3 * (w - 1) ** 2),
    (gaussian(0.37, 1.83), lambda w: exp(0.6 * w) - w),
]

# Coordinates of the plane that are not orthogonal: their columns, and the deviations of the data along them.

FRAMES = [
    (array([[1.27, -1.13], [0.38, 0.83]]), 0.57, 1.91),
    (array([[0.73, 1.28], [0.32, 1.31]]), 0.83, 2.23),
    (array([[0.91, -0.24], [1.37, 1.49]]), 1.19, 3.07),
]
STEPS = 2.0 ** -np.arange(4, 9)


def transport_cost(bound, independent, rectified, excess):
    """Expenses of paths and of the flow: on the line, along its quantiles and by draws; in the plane."""
    for data in GAUSSIANS:
        at = {"m": data.mean, "v": data.variance}
        yield close(independent, at, over_paths(data, np.square))
        yield close(rectified, at, along_the_flow(data, np.square))
        yield sampled(drawn(data), squares(independent, rectified, data))
    for data, cost in COSTS:
        at = {"displacement": data.affine(1.0, 1.0), "cost": cost}
        yield close(bound, at, over_paths(data, cost))
        yield above(bound, at, settled(along_the_flow(data, cost), 1e-9), strict=True)
        yield from both(drawn(data), expenses(bound, data, cost), gauss_hermite.over(data.weights))
    # A cost that sees no turns, and data to which all paths lead straight.
    for data, cost in ((CLUSTERS, lambda w: 0.7 * w - 0.2), (point(0.83), COSTS[0][1])):
        at = {"displacement": data.affine(1.0, 1.0), "cost": cost}
        yield matches(bound, at, settled(along_the_flow(data, cost), 1e-9))
    for frame, s_1, s_2 in FRAMES:
        metric, (a, b) = frame.T @ frame, covariances(frame, s_1, s_2)
        at = {"g_1": metric[0, 0], "g_2": metric[1, 1], "h": metric[0, 1], "s_1": s_1, "r": s_2 / s_1 - 1}
        yield matches(excess, at, cost_of(end_map(a, b), a, b) - least(a, b), magnitude=np.trace(a + b))
        yield limit(excess, at, lambda h, a=a, b=b: cost_of(followed(a, b, h), a, b) - least(a, b), STEPS)


# On the line


def over_paths(data, cost):
    """The mean cost of x_1 - x_0, over both."""
    window = (0.0, float(data.mean)), (1.0, float(sqrt(data.variance)))
    return integral_over_plane(lambda x_0, x_1: normal(x_0, 0.0, 1.0) * data(x_1) * cost(x_1 - x_0), *window)


def along_the_flow(data, cost):
    """The mean cost of the way from x_0 to its end."""
    return integral_of(lambda x: normal(x, 0.0, 1.0) * cost(end_of_flow(data, x) - x))


def drawn(data):
    """Draws of both ends of paths, and of the noise with its end of the flow for Gaussian data."""
    return lambda rng, n: (rng.standard_normal(n), data.sample(rng, n))


def squares(independent, rectified, data):
    """The mean squares of both couplings."""
    at, way = {"m": data.mean, "v": data.variance}, flowed(data)
    paths = lambda z: (data.mean + sqrt(data.variance) * z[:, 1] - z[:, 0]) ** 2
    turned = lambda z: (way(z[:, 0]) - z[:, 0]) ** 2

    def scores(x_0, x_1):
        rows = []
        for x, formula, found in (
            (x_1 - x_0, independent, moments_of_quadratic(paths, 2)),
            (way(x_0) - x_0, rectified, moments_of_quadratic(turned, 2)),
        ):
            rows += moments(x**2, formula(**at), None, (*found[1:], np.inf))
        return rows

    return scores


def flowed(data, steps=64):
    """The end of the flow for Gaussian data, by Runge-Kutta steps of the mean velocity; it is linear in x_0."""
    x, h = array([0.0, 1.0]), 1 / steps
    velocity = lambda t, x: moving(data, straight_line(t), x)
    for t in h * np.arange(steps - 1):
        x = runge_kutta(velocity, t, x, h)
    t = 1 - h  # the law of x_1 given x_t closes in at the end; a step of the midpoint rule stays before it
    x = x + h * velocity(t + h / 2, x + h / 2 * velocity(t, x))
    return lambda x_0: x[0] + (x[1] - x[0]) * x_0


def runge_kutta(velocity, t, x, h):
    first = velocity(t, x)
    second = velocity(t + h / 2, x + h / 2 * first)
    third = velocity(t + h / 2, x + h / 2 * second)
    last = velocity(t + h, x + h * third)
    return x + h / 6 * (first + 2 * second + 2 * third + last)


def expenses(bound, data, cost):
    """The mean cost of paths."""
    at = {"displacement": data.affine(1.0, 1.0), "cost": cost}
    claimed = bound(**at)
    null = moments_by_quadrature(lambda power: over_paths(data, lambda w: cost(w) ** power))
    return lambda x_0, x_1: moments(cost(x_1 - x_0), claimed, None, (*null, np.inf))


# In the plane


def covariances(frame, s_1, s_2):
    """Of noise and data whose coordinates in the frame are independent."""
    return frame @ frame.T, frame @ np.diag([s_1**2, s_2**2]) @ frame.T


def cost_of(way, a, b):
    """The mean square of how far a linear map takes the noise."""
    return np.trace(a + b) - 2 * np.trace(way @ a)


def end_map(a, b):
    """Where the flow ends: in coordinates in which both covariances are diagonal, the noise is stretched."""
    variances, frame = eigh(b, a)
    return np.linalg.solve(frame.T, np.diag(sqrt(variances)) @ frame.T)


def followed(a, b, h):
    """Where the flow ends, by Runge-Kutta steps."""
    way = np.eye(2)
    field = lambda t, z: (t * b - (1 - t) * a) @ np.linalg.solve((1 - t) ** 2 * a + t**2 * b, z)
    for t in h * np.arange(round(1 / h)):
        way = runge_kutta(field, t, way, h)
    return way


def least(a, b):
    """The mean square of the best coupling."""
    values, axes = np.linalg.eigh(a)
    root = axes @ np.diag(sqrt(values)) @ axes.T
    return np.trace(a + b) - 2 * np.sum(sqrt(np.linalg.eigvalsh(root @ b @ root)))
