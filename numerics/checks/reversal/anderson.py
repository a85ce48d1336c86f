"""What tries to refute the page on Anderson's diffusion: steps smaller and smaller, and more and more of them.

The drift and the noise are taken as the step of a sampler, too, and run from q_T down to the data.
"""

import numpy as np
from numpy import sqrt

from ...quadrature import mean_of, variance_of
from ...solvers.grids import uniform
from ...solvers.moments import Moments, final
from ...solvers.steps import step as row
from ...statistics import limit, moments, sampled, sobol
from ...worlds import Step
from ..chains import one_by_one
from ..finer import Slope, approached, sloped, tends
from .naive import down_from, went_down
from .step import GAUSSIANS, POINTS, SMALL_BETAS, SOME_X_T, letters, reverse_kernel

SMALL, TINY = 2e-3, 2e-5  # so small a beta that what is left out is far below what draws resolve, and what points do
STARTS = [(0.47, 0.31), (1.83, 0.57), (4.7, 1.13)]  # v, B
MANY, FEW = 2 ** np.arange(5, 12), np.array([2, 4, 8, 16])  # steps; a few, extrapolated, do for draws


def anderson_limit(drift, diffusion, after):
    """One exact step for smaller and smaller beta, and the naive chain in more and more steps: where do they lead?"""
    for world, step in POINTS:
        at = {"x_t": SOME_X_T, "marginal": world.marginal(step.alpha_bar_prev)}  # with beta, q_t becomes q_{t-1}
        yield limit(drift, at, moved(world, step.alpha_bar_prev), SMALL_BETAS)
        yield limit(diffusion, at, scattered(world, step.alpha_bar_prev), SMALL_BETAS)
        small = Step(1 - SMALL, step.alpha_bar_prev)
        yield sampled(world.forward(small), one_small_step(drift, diffusion, world, small), resolves=1e-2)
    world, step = POINTS[1]
    tiny = Step(1 - TINY, step.alpha_bar_prev)
    points = sobol.over(world.weights)
    yield sampled(world.forward(tiny), one_small_step(drift, diffusion, world, tiny), points.resolves, by=points)
    for v, B in STARTS:
        yield limit(after, {"v": v, "B": B}, went(v, B), 1 / MANY)
        yield sampled(drawn(v, B), ran_away(after, v, B), resolves=1e-2)
        yield approached(after, {"v": v, "B": B}, without_score(drift, diffusion, v, B))
    for data, _ in GAUSSIANS:
        yield tends(reversed_in_time(drift, diffusion), smooth, data)


# One small step


def moved(world, alpha_bar_prev):
    """(E[x_{t-1} | x_t] - x_t) / beta, by Bayes' rule on a line."""

    def value_at(beta):
        mean = mean_of(reverse_kernel(world, Step(1 - beta, alpha_bar_prev), SOME_X_T), SOME_X_T, sqrt(beta))

        def rule(nodes):
            value, size = mean(nodes)
            return (value - SOME_X_T) / beta, (size + np.abs(SOME_X_T)) / beta

        return rule

    return value_at


def scattered(world, alpha_bar_prev):
    """Var[x_{t-1} | x_t] / beta."""

    def value_at(beta):
        spread = variance_of(reverse_kernel(world, Step(1 - beta, alpha_bar_prev), SOME_X_T), SOME_X_T, sqrt(beta))
        return lambda nodes: tuple(part / beta for part in spread(nodes))

    return value_at


def one_small_step(drift, diffusion, world, step):
    """A draw of x_{t-1} has moved by the drift times beta and varies by the diffusion times beta."""

    def scores(x_0, x_prev, x_t):
        at, null = letters(world, step, x_t=x_t), world.reverse_kernel(step, x_t).central_moments()
        return moments(x_prev, x_t + step.beta * drift(**at), step.beta * diffusion(**at), null, given=(x_t,))

    return scores


# A sampler whose steps these are


def smooth(n):
    return uniform(lambda t: np.exp(-0.4 * t - 0.7 * t**2), n)


def reversed_in_time(drift, diffusion, law=sloped):
    """The row of a step: the drift of the law at the level where it begins, and noise."""

    def kernel(t, s, data):
        beta = 1 - t.alpha_bar / s.alpha_bar

        def moved(x_t, predicted_x_0, fresh, **levels):
            at = {"x_t": x_t, "marginal": law(t, x_t, predicted_x_0)}
            return x_t + beta * drift(**at) + sqrt(beta * diffusion(**at)) * fresh

        return row(moved, t, s)

    return kernel


def without_score(drift, diffusion, v, B):
    """The variance after 1/h of its steps, if the law is taken to be flat."""

    def value_at(h):
        kernel, grid = reversed_in_time(drift, diffusion, flat), uniform(lambda t: np.exp(-B * t), round(1 / h))
        value = final(one_by_one(kernel, grid), 0.0, 1.0, Moments(0.0, v)).variance
        return lambda nodes: (value, len(grid) * value)

    return value_at


def flat(t, x_t, predicted_x_0):
    return Slope(0.0)


# Many small steps of the naive chain


def equal_steps(B, n):
    """n betas with beta/(1 - beta) = B/n."""
    return np.full(n, B / (n + B))


def went(v, B):
    """The variance after 1/h steps; each of them rounds."""

    def value_at(h):
        n = round(1 / h)
        value = went_down(v, equal_steps(B, n))
        return lambda nodes: (value, n * value)

    return value_at


def drawn(v, B):
    """Draws of where the chain ends, in few steps and in more."""
    return lambda rng, n: [down_from(v, equal_steps(B, few))(rng, n)[0] for few in FEW]


def ran_away(after, v, B):
    """The squares of the draws, extrapolated in the number of steps, average to the variance that is claimed."""
    w = np.array([np.prod([n / (n - other) for other in FEW if other != n]) for n in FEW])
    vs = np.array([went_down(v, equal_steps(B, n)) for n in FEW])
    second = np.sum(2 * (w * vs) ** 2)
    fourth = 3 * second**2 + np.sum(48 * (w * vs) ** 4)  # cumulants of independent squares add up

    def scores(*ends):
        extrapolated = np.sum(w[:, None] * np.square(ends), axis=0)
        return moments(extrapolated, after(v=v, B=B), None, (second, fourth, np.inf))

    return scores
