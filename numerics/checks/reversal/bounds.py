r"""What tries to refute the page on the bounds: the variance of reverse kernels, averaged over what one sees."""

import numpy as np
from hypothesis import strategies as st

from ...quadrature import integral_of, settled
from ...statistics import above, below, close, for_all, matches
from ...worlds import Step, gaussian, mixture, point
from .step import POINTS, letters

SKEWED = mixture([0.31, 0.69], [-1.13, 1.47], [0.23, 0.41])
BROAD = mixture([0.37, 0.63], [-1.71, 0.83], [2.3, 1.9])
NARROW = mixture([0.43, 0.57], [-2.9, 2.3], [0.047, 0.031])  # of variance above one, in two clusters

STEPS = [step for _, step in POINTS]

gaussians = st.builds(gaussian, st.floats(-3, 3), st.floats(0.05, 9))
pairs = st.builds(
    lambda m, v, w: mixture([w, 1 - w], [m, -m / 2], [v, v / 3]),
    st.floats(-2, 2),
    st.floats(0.1, 4),
    st.floats(0.1, 0.9),
)
narrow = st.builds(lambda m, w: mixture([w, 1 - w], [m, m - 0.9], [0.4, 0.3]), st.floats(-2, 2), st.floats(0.1, 0.9))
tame_steps = st.builds(Step, alpha=st.floats(0.2, 0.9), alpha_bar_prev=st.floats(0.1, 0.9))


def variance_bounds(average, lower, upper, naive, room):
    """E Var[x_{t-1} | x_t], integrated over x_t: where the bounds are met, and where they are not."""
    for data, step in [*POINTS, (SKEWED, STEPS[0]), (BROAD, STEPS[1]), (NARROW, STEPS[2])]:
        yield from between(average, lower, upper, naive, room, data, step)
    for data, step in POINTS[1:]:
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
    for k in range(5):
        yield for_all(examples=20, data=pairs, step=tame_steps)(
            lambda data, step, k=k: list(between(average, lower, upper, naive, room, data, step))[k]
        )
    yield for_all(data=gaussians, step=tame_steps)(
        lambda data, step: matches(upper, given(data, step), data.reverse_kernel(step, 0.0).variance)
    )
    yield for_all(examples=20, data=narrow, step=tame_steps)(
        lambda data, step: above(room, given(data, step), 0.0, strict=True)
    )


def between(average, lower, upper, naive, room, data, step):
    """What the formulas say of the average, against its integral."""
    at, value = given(data, step), found(data, step)
    yield close(average, at, mean_variance(data, step))
    yield below(lower, at, value, strict=True)
    yield above(upper, at, value)
    yield above(naive, at, value, strict=True)
    yield matches(room, at, step.beta - value, magnitude=step.beta + value)


def given(data, step):
    """The letters of the page: laws, and the variance of x_{t-1}."""
    return letters(data, step, v_prev=data.marginal(step.alpha_bar_prev).variance)


def mean_variance(data, step):
    """The variance of the reverse kernel, integrated over x_t."""
    seen = data.marginal(step.alpha_bar)
    return integral_of(lambda x: seen(x) * data.reverse_kernel(step, x).variance, seen.mean, np.sqrt(seen.variance))


def found(data, step):
    return settled(mean_variance(data, step))
