"""What tries to refute the page on Anderson's diffusion: steps smaller and smaller, and more and more of them."""

import numpy as np
from numpy import sqrt

from ...quadrature import mean_of, variance_of
from ...statistics import close, matches, moments, sampled, sobol
from ...worlds import Step, gaussian
from .naive import down_from, went_down
from .step import POINTS, SOME_X_T, as_beta_vanishes, at_zero, letters, reverse_kernel

COUNTS = 2 ** np.arange(5, 12)  # of steps
STARTS = [(0.47, 0.31), (1.83, 0.57), (4.7, 1.13)]  # v, B
SMALL = 2e-3  # so small a beta, and for so short a way so many steps, that what is left out is far below the resolution
TINY = 2e-5  # likewise, for points
SHORT_WAY, MANY = 0.21, 32


def anderson_limit(drift, diffusion, after):
    """One exact step for smaller and smaller beta, and the naive chain in more and more steps: where do they lead?"""
    for world, step in POINTS:
        at = {"x_t": SOME_X_T, "marginal": world.marginal(step.alpha_bar_prev)}  # with beta, q_t becomes q_{t-1}
        yield close(drift, at, as_beta_vanishes(moved(world, step.alpha_bar_prev)))
        yield close(diffusion, at, as_beta_vanishes(scattered(world, step.alpha_bar_prev)))
        small = Step(1 - SMALL, step.alpha_bar_prev)
        yield sampled(world.forward(small), one_small_step(drift, diffusion, world, small), resolves=1e-2)
    world, step = POINTS[1]
    tiny = Step(1 - TINY, step.alpha_bar_prev)
    points = sobol.over(world.weights)
    yield sampled(world.forward(tiny), one_small_step(drift, diffusion, world, tiny), points.resolves, by=points)
    for v, B in STARTS:
        yield matches(after, {"v": v, "B": B}, *continued(v, B))
        yield sampled(down_from(v, equal_steps(SHORT_WAY, MANY)), ran_away(after, v, SHORT_WAY), resolves=1e-2)


# One small step


def moved(world, alpha_bar_prev):
    """(E[x_{t-1} | x_t] - x_t) / beta, by Bayes' rule on a line."""

    def rule_at(beta):
        mean = mean_of(reverse_kernel(world, Step(1 - beta, alpha_bar_prev), SOME_X_T), SOME_X_T, sqrt(beta))

        def rule(nodes):
            value, size = mean(nodes)
            return (value - SOME_X_T) / beta, (size + np.abs(SOME_X_T)) / beta

        return rule

    return rule_at


def scattered(world, alpha_bar_prev):
    """Var[x_{t-1} | x_t] / beta."""

    def rule_at(beta):
        spread = variance_of(reverse_kernel(world, Step(1 - beta, alpha_bar_prev), SOME_X_T), SOME_X_T, sqrt(beta))
        return lambda nodes: tuple(part / beta for part in spread(nodes))

    return rule_at


def one_small_step(drift, diffusion, world, step):
    """A draw of x_{t-1} has moved by the drift times beta and varies by the diffusion times beta."""

    def scores(x_0, x_prev, x_t):
        at, null = letters(world, step, x_t=x_t), world.reverse_kernel(step, x_t).central_moments()
        return moments(x_prev, x_t + step.beta * drift(**at), step.beta * diffusion(**at), null, given=(x_t,))

    return scores


# Many small steps of the naive chain


def equal_steps(B, n):
    """n betas with beta/(1 - beta) = B/n."""
    return np.full(n, B / (n + B))


def continued(v, B):
    """Where the variance ends in infinitely many steps: a polynomial in 1/n, read at zero; each step rounds."""
    ends = np.array([went_down(v, equal_steps(B, n)) for n in COUNTS])
    value = at_zero(1 / COUNTS) @ ends
    return value, COUNTS[-1] * value


def ran_away(after, v, B):
    null = gaussian(0.0, went_down(v, equal_steps(B, MANY))).central_moments()
    return lambda x: moments(x, 0.0, after(v=v, B=B), null)
