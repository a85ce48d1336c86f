"""What tries to refute the page on the best variance: the variance of reverse kernels, averaged over what one sees."""

import numpy as np
from numpy import sqrt

from ...quadrature import integral_over_plane, settled
from ...statistics import below, close, for_all, matches
from ...worlds import gaussian, normal, point
from ..reversal.bounds import BROAD, averaged, in_the_plane, mean_trace, mean_variance
from ..reversal.posterior import regressed as given_both_ends
from ..reversal.score import PLANE
from ..reversal.step import POINTS, STEPS, pairs, tame_steps
from .matching import CLOUD, STEP, given, in_the_cloud


def optimal_variance(optimal, from_mmse):
    """The mean variance of the reverse kernel, where its divergence from Gaussians of its mean is least."""
    for formula in (optimal, from_mmse):
        for data, step in [*POINTS, (BROAD, STEPS[1])]:
            yield close(formula, given(data, step), mean_variance(data, step))
            least = cross_entropy(data, step)
            for factor in (0.93, 1.07):
                other = least(factor * settled(mean_variance(data, step)))
                yield below(at_variance(formula, least), given(data, step), other, strict=True)
        for x_0, step in zip((-1.37, 0.59, 2.13), STEPS, strict=True):
            yield matches(formula, given(gaussian(0.0, 1.0), step), step.beta)
            yield matches(formula, given(point(x_0), step), given_both_ends(step, 0.0, 0.0)[1])
            yield matches(formula, in_the_cloud(step), variance_in_the_cloud(step))
        yield close(formula, in_the_plane(PLANE, STEP) | {"mmse": mmse_in_the_plane()}, mean_trace(PLANE, STEP))
        yield for_all(data=pairs, step=tame_steps, examples=30)(
            lambda data, step, formula=formula: close(formula, given(data, step), mean_variance(data, step))
        )


def cross_entropy(data, step):
    """The mean of -log N(x_{t-1}; its mean given x_t, a variance), as a function of the variance."""
    before = data.marginal(step.alpha_bar_prev)

    def square(x_prev, z):
        x_t = sqrt(step.alpha) * x_prev + sqrt(step.beta) * z
        return before(x_prev) * normal(z, 0.0, 1.0) * (x_prev - data.reverse_kernel(step, x_t).mean) ** 2

    mean_square = settled(integral_over_plane(square))
    return lambda variance: (np.log(2 * np.pi * variance) + mean_square / variance) / 2


def at_variance(formula, least):
    return lambda **at: least(formula(**at))


def variance_in_the_cloud(step):
    """The mean variance of x_{t-1} given x_t over the three coordinates, by regression."""
    before = CLOUD.marginal(step.alpha_bar_prev).covariance
    after = step.alpha * before + step.beta * np.eye(3)
    return np.trace(before - step.alpha * before @ np.linalg.solve(after, before)) / 3


def mmse_in_the_plane():
    law = lambda x: PLANE.posterior(STEP.alpha_bar, x).covariance
    return settled(averaged(PLANE.marginal(STEP.alpha_bar), lambda x: np.trace(law(x), axis1=-2, axis2=-1)))
