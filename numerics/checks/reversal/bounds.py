r"""What tries to refute the page on the bounds: the variance of reverse kernels, averaged over what one sees.

The Fisher information is integrated too, from the world's score. In the plane both are divided by two: what the page
says of a number holds for the average over coordinates.
"""

import numpy as np
from hypothesis import strategies as st
from numpy import sqrt

from ...quadrature import integral_of, integral_over_plane, settled
from ...statistics import above, below, close, for_all, matches
from ...worlds import gaussian, mixture, point
from .score import PLANE
from .step import CLUSTERS, POINTS, STEPS, gaussians, letters, pairs, tame_steps

BROAD = mixture([0.37, 0.63], [-1.71, 0.83], [2.3, 1.9])
NARROW = mixture([0.43, 0.57], [-2.9, 2.3], [0.047, 0.031])  # of variance far above one, in two clusters
TILTED = gaussian([0.47, -1.13], [[1.31, 0.53], [0.53, 0.87]])

up_to_one = st.builds(lambda law, v_0: law.affine(sqrt(v_0 / law.variance), 0.0), pairs, st.floats(0.05, 1))


def variance_bounds(average, lower, upper, naive, room, slack):
    """E Var[x_{t-1} | x_t], integrated over x_t: where the bounds are met, and where they are not."""

    def chain(at, step, value, upper=upper):
        """The inequalities, and how far beta is above the average."""
        yield below(lower, at, value, strict=True)
        yield above(upper, at, value)
        yield above(naive, at, value, strict=True)
        yield matches(room, at, step.beta - value, magnitude=step.beta + value)

    for data, step in [*POINTS, (CLUSTERS, STEPS[0]), (BROAD, STEPS[1]), (NARROW, STEPS[2])]:
        yield close(average, given(data, step), mean_variance(data, step))
        yield from chain(given(data, step), step, found(data, step))
    for data, step in [POINTS[1], POINTS[2], (NARROW, STEPS[2])]:
        yield above(upper, given(data, step), found(data, step), strict=True)
    # The cases of equality: a point, a Gaussian, and data so broad that they say nothing.
    for x_0, step in zip((-1.37, 0.59, 2.13), STEPS, strict=True):
        yield matches(lower, given(point(x_0), step), found(point(x_0), step))
        yield matches(upper, given(gaussian(x_0, 2.71), step), found(gaussian(x_0, 2.71), step))
        vague = gaussian(x_0, 1e18)
        yield matches(naive, given(vague, step), vague.reverse_kernel(step, 0.0).variance)
    # The variance of the forward step: too small for broad data, and large enough for two narrow clusters.
    yield below(room, given(BROAD, STEPS[0]), 0.0, strict=True)
    yield above(room, given(NARROW, STEPS[0]), 0.0, strict=True)
    for v_0, step in zip((0.37, 2.71, 1.43), STEPS, strict=True):
        yield matches(slack, {**given(gaussian(0.59, v_0), step), "v_0": v_0}, *left_to_beta(v_0, step))
    # In the plane the Gaussian bound is that along each axis of the covariance, averaged.
    for world, step in [(PLANE, STEPS[0]), (TILTED, STEPS[1]), (PLANE, STEPS[2])]:
        at, value = in_the_plane(world, step), settled(mean_trace(world, step))
        yield matches(average, at, value)
        yield from chain(at, step, value, over_axes(upper))
        if world is TILTED:
            yield matches(over_axes(upper), at, value)
        else:
            yield above(over_axes(upper), at, value, strict=True)

    some = {"data": pairs, "step": tame_steps}
    yield for_all(examples=30, **some)(lambda data, step: close(average, given(data, step), mean_variance(data, step)))
    for k in range(4):
        yield for_all(examples=30, **some)(
            lambda data, step, k=k: list(chain(given(data, step), step, found(data, step)))[k]
        )
    yield for_all(data=gaussians, step=tame_steps)(
        lambda data, step: matches(upper, given(data, step), data.reverse_kernel(step, 0.0).variance)
    )
    yield for_all(v_0=st.floats(0.05, 9), step=tame_steps)(
        lambda v_0, step: matches(slack, {**given(gaussian(0.0, v_0), step), "v_0": v_0}, *left_to_beta(v_0, step))
    )
    yield for_all(examples=30, data=up_to_one, step=tame_steps)(
        lambda data, step: above(room, given(data, step), 0.0, magnitude=step.beta)
    )


def given(data, step):
    """The letters of the page: the variance of x_{t-1}, and the information before and after the step."""
    before, after = data.marginal(step.alpha_bar_prev), data.marginal(step.alpha_bar)
    return letters(data, step, v_prev=before.variance, J=after.fisher(), J_prev=before.fisher())


def mean_variance(data, step):
    """The variance of the reverse kernel, integrated over x_t."""
    seen = data.marginal(step.alpha_bar)
    return integral_of(lambda x: seen(x) * data.reverse_kernel(step, x).variance, seen.mean, sqrt(seen.variance))


def found(data, step):
    return settled(mean_variance(data, step))


def left_to_beta(v_0, step):
    """How far beta is above the variance of the kernel for Gaussian data, and the size of the two."""
    variance = gaussian(0.0, v_0).reverse_kernel(step, 0.0).variance
    return step.beta - variance, step.beta + variance


# In the plane


def in_the_plane(world, step):
    """The letters, for the average over coordinates; v_prev holds the variances along the axes of the covariance."""
    before, after = world.marginal(step.alpha_bar_prev), world.marginal(step.alpha_bar)
    J_prev, J = (settled(averaged(law, squared_score(law))) for law in (before, after))
    known = {"v_prev": np.linalg.eigvalsh(before.covariance), "J_prev": J_prev, "J": J}
    return {"alpha": step.alpha, "alpha_bar_prev": step.alpha_bar_prev, **known}


def squared_score(law):
    return lambda x: np.sum(law.score(x) ** 2, axis=-1)


def mean_trace(world, step):
    """The trace of the kernel's covariance, integrated over x_t and divided by two."""
    covariance = lambda x: world.reverse_kernel(step, x).covariance
    return averaged(world.marginal(step.alpha_bar), lambda x: np.trace(covariance(x), axis1=-2, axis2=-1))


def averaged(law, f):
    """Half of E f(x) in the plane."""

    def integrand(x, y):
        at = np.stack(np.broadcast_arrays(x, y), axis=-1)
        return law(at) * f(at) / 2

    return integral_over_plane(integrand, tuple(law.mean), tuple(sqrt(np.diag(law.covariance))))


def over_axes(upper):
    """The Gaussian bound, averaged over the axes."""
    return lambda **at: np.mean(upper(**at))
