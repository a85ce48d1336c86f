"""What tries to refute the page on DPM-Solver++: trajectories on the line, and polynomials integrated numerically.

Trajectories do not cross, so that on the line they keep their quantiles: where they lead is known without following
them.  Three coordinates are three lines.
"""

from functools import partial

import numpy as np
from numpy import exp, log, sqrt

from ...quadrature import integral_over_unit
from ...solvers import grids
from ...solvers.transport import carried
from ...statistics import by_running, close, matches, order
from ...worlds import gaussian, mixture
from ..chains import BEFORE, multistep, or_nowhere, points, tends_to_the_flow

COORDINATES = (
    mixture([0.31, 0.69], [-1.13, 1.47], [0.23, 0.41]),
    gaussian(0.37, 1.83),
    mixture([0.57, 0.28, 0.15], [-0.71, 0.93, 2.1], [0.17, 0.62, 0.29]),
)
LEVELS = [  # (a, sigma) at t and at s: the variance preserved, exploding, and as flow matching has it
    ((sqrt(0.217), sqrt(0.783)), (sqrt(0.671), sqrt(0.329))),
    ((1.0, 3.7), (1.0, 0.43)),
    ((0.28, 0.72), (0.61, 0.39)),
]
X_T = [np.array([-0.83, 0.47, 1.31]), np.array([2.9, -4.1, 0.77]), np.array([0.29, 1.13, -0.94])]
STEPS = [(0.73, 0.61), (1.34, 0.83), (0.87, 1.43)]  # r and r', the steps before this one in its units
PREDICTIONS = np.array([[0.83, -1.27, 0.31], [0.47, -0.61, 1.13], [-0.29, 0.37, 1.71]])  # at t, t', t''
UNEVEN = grids.karras(6, sigma_max=17.0, sigma_min=0.3, to_zero=False, units="flow")
SHRINKING = 0.4 / 2 ** np.arange(5)


def dpmpp_2m(exact, step_1, step_2m, step_line, rate, constant, step_3m):
    """Where trajectories lead; and polynomials through predictions, held in the middle of a step or integrated."""
    yield from continued(step_1, step_2m, step_3m)
    for (t, s), x_t, (r, _) in zip(LEVELS, X_T, STEPS, strict=True):
        at = between(t, s) | {"x_t": x_t, "r": r}
        yield matches(exact, at | {"denoised": on_the_way(t, x_t)}, arrived(t, s, x_t))
        line = through([0.0, -r * at["h"]])
        yield close(step_line, at | predictions(), led(t, s, x_t, line))
        a_s, slope = s[0], 1.37 * r
        missed = partial(missed_in_the_middle, a_s=a_s, slope=slope)
        yield order(missed, SHRINKING, rate, constant, {"a_s": a_s, "slope": slope})
    # Whole chains: with a network that says a parabola, whatever it is asked about; and in small steps along the flow.
    held, line, in_the_middle, parabola = (1, False), (2, False), (2, True), (3, False)
    for formulas, continuing in (
        ([step_1], [held]),
        ([step_1, step_2m], [held, in_the_middle]),
        ([step_1, step_line], [held, line]),
        ([step_1, step_2m, step_3m], [held, in_the_middle, parabola]),
    ):
        expected = led_through(continuing)
        at = {"x": X_T[0], "says": PREDICTIONS}
        yield by_running(matches(chained(formulas), at, expected, len(UNEVEN) * (1 + np.abs(expected))))
    yield tends_to_the_flow(partial(multistep, [step_1, step_2m]), COORDINATES[0])
    for (t, _), (r, _) in zip(LEVELS, STEPS, strict=True):
        slope = 1.37 * r
        apart = partial(one_step_apart, step_2m, step_line, t=t, r=r, slope=slope)
        yield by_running(order(apart, SHRINKING, rate, constant, {"a_s": t[0] / np.hypot(*t), "slope": slope}))


def continued(step_1, step_2m, step_3m):
    """A prediction that is held, a line that is held in the middle of the step, a parabola that is integrated."""
    for (t, s), x_t, (r, r_prev) in zip(LEVELS, X_T, STEPS, strict=True):
        at = between(t, s) | {"x_t": x_t, "r": r, "r_prev": r_prev, **predictions()}
        h = at["h"]
        held, line, parabola = (through([0.0, -r * h, -(r + r_prev) * h][:n]) for n in (1, 2, 3))
        yield close(step_1, at, led(t, s, x_t, held))
        yield close(step_2m, at, led(t, s, x_t, held_at(h / 2, line)))
        yield close(step_3m, at, led(t, s, x_t, parabola))


def predictions():
    return dict(zip(("predicted_x_0", "predicted_prev", "predicted_before"), PREDICTIONS, strict=True))


def between(t, s):
    """The letters of a step from (a, sigma) at t to those at s."""
    lambda_t, lambda_s = (log(a / sigma) for a, sigma in (t, s))
    return {"a_t": t[0], "a_s": s[0], "lambda_t": lambda_t, "h": lambda_s - lambda_t}


# The flow


def arrived(t, s, x_t):
    """The points at s with the quantiles that x_t has at t."""
    pairs = zip(COORDINATES, x_t, strict=True)
    return np.array([carried(law_at(t, world), law_at(s, world), x) for world, x in pairs])


def law_at(level, world):
    a, sigma = level
    return world.affine(a, sigma**2)


def on_the_way(t, x_t):
    """The mean of x_0 given where the trajectory through x_t is at a level; levels have the axis of coordinates."""

    def denoised(level):
        variance = exp(-2 * np.asarray(level)[..., 0])  # in units of the signal, a = 1
        columns = [mean_of_x_0(world, t, variance, x) for world, x in zip(COORDINATES, x_t, strict=True)]
        return np.stack(columns, axis=-1)

    return denoised


def mean_of_x_0(world, t, variance, x):
    there = carried(law_at(t, world), world.affine(1.0, variance), np.full(variance.shape, x))
    return world.conditioned(1.0, variance, there).mean


# Polynomials through predictions


def through(nodes, predictions=PREDICTIONS):
    """The polynomial through the predictions at these distances from lambda_t, by Lagrange's formula."""

    def value(distance):
        terms = [
            np.prod([(distance - other) / (node - other) for other in nodes if other != node], axis=0) * prediction
            for node, prediction in zip(nodes, predictions, strict=False)
        ]
        return sum(terms) + 0 * distance

    return value


def held_at(distance, polynomial):
    return lambda of: polynomial(distance + 0 * of)


def led(t, s, x_t, prediction):
    """Where the exact integral leads with a prediction that depends on the distance from lambda_t."""
    lambda_t, h = (between(t, s)[name] for name in ("lambda_t", "h"))
    integrals = [
        integral_over_unit(lambda u, _, k=k: h * exp(lambda_t + h * u) * prediction(h * u[:, None])[:, k])
        for k in range(len(x_t))
    ]

    def rule(nodes):
        values, sizes = np.transpose([integral(nodes) for integral in integrals])
        return s[1] * (x_t / t[1] + values), s[1] * (np.abs(x_t / t[1]) + sizes)

    return rule


def missed_in_the_middle(h, a_s, slope):
    """A line of this slope, integrated over a step, less what it is in the middle."""
    return integral_over_unit(lambda u, rest: a_s * h * exp(-h * rest) * slope * h * (u - 0.5))


# Whole chains


def said(lambda_t, coefficients=PREDICTIONS):
    """By a network that says the same parabola in log(a/sigma) wherever x is."""
    return coefficients[0] + coefficients[1] * lambda_t + coefficients[2] * lambda_t**2


def chained(formulas, noise=None):
    """Where a chain is at all levels, if that is what the network says."""

    def run(x, says):
        network = lambda _, level: said(-log(level.sigma), says)
        return or_nowhere((len(UNEVEN) + 1, *x.shape), lambda: points(multistep(formulas, UNEVEN), network, x, noise))

    return run


def led_through(continuing):
    """Where the flow leads, if each step continues so many predictions, or holds what this says in its middle."""
    lambdas, x = -log(UNEVEN.sigmas), [X_T[0]]
    for k, h in enumerate(np.diff(lambdas)):
        known, middle = continuing[min(k, len(continuing) - 1)]
        back = lambdas[k::-1][:known]
        says = through(back - lambdas[k], said(back[:, None]))
        t, s = ((UNEVEN[j].scale, UNEVEN[j].noise) for j in (k, k + 1))
        x.append(led(t, s, x[-1], held_at(h / 2, says) if middle else says)(64)[0])
    return np.array(x)


def one_step_apart(one, other, h, t, r, slope):
    """How far apart two steps from a level end, with a network that says a line, and with what it said before."""
    sigmas = t[1] / t[0] * exp(-h * np.array([-r, 0.0, 1.0]))
    grid = grids.Grid(np.ones(3), sigmas).in_units("vp")
    says = lambda _, level: np.array([-slope * log(level.sigma)])

    def ended(step):
        table = lambda: multistep([step, step], grid, known=1)
        return or_nowhere((2, 1), lambda: points(table(), says, np.array([0.47]), held={BEFORE: says(0.0, grid[0])}))[1]

    return lambda nodes: (ended(other) - ended(one), 1 + np.abs(ended(one)))
