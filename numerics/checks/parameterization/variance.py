r"""What tries to refute the page on learned variances: regression for the ends of the scale, integrals for the best v.

The loss of a variance is the cross entropy of the reverse kernel and a Gaussian with its mean, integrated.
"""

import numpy as np
from hypothesis import strategies as st
from numpy import array, log

from ...quadrature import settled
from ...statistics import above, below, close, for_all, matches
from ...worlds import gaussian, point
from ..reversal.bounds import BROAD, NARROW, mean_trace, mean_variance
from ..reversal.score import PLANE
from ..reversal.step import POINTS, STEPS, pairs, tame_steps
from ..vlb.variance import cross_entropy, variance_in_the_cloud
from ..vlb.weights import own

SOME_V = array([-0.31, 0.27, 0.71, 1.43])
INSIDE = array([0.13, 0.59, 0.87])


def learned_variance(variance, best, reach):
    """The scale and its ends; the v that gives the best variance of many worlds; how far that v can be."""

    def at_best(**at):
        return variance(v=best(**at), **at)

    for step in STEPS:
        yield matches(variance, letters(step, v=SOME_V), own(step) * (step.beta / own(step)) ** SOME_V)
        yield below(variance, letters(step, v=INSIDE), step.beta, strict=True)
        yield above(variance, letters(step, v=INSIDE), own(step), strict=True)
        yield matches(variance, letters(step, v=0.0), own(step))
        yield matches(variance, letters(step, v=1.0), step.beta)
        vague = gaussian(0.59, 1e18).reverse_kernel(step, 0.0).variance
        yield matches(reach, letters(step), *needed(step, vague))
        yield above(reach, letters(step), 1.0, strict=True)
    for data, step in [*POINTS, (BROAD, STEPS[1]), (NARROW, STEPS[2])]:
        at, loss = letters(step, w=settled(mean_variance(data, step))), cross_entropy(data, step)
        yield close(at_best, at, mean_variance(data, step))
        for factor in (0.93, 1.07):
            yield below(lambda loss=loss, **at: loss(at_best(**at)), at, loss(factor * at["w"]), strict=True)
        yield above(reach, at, needed(step, at["w"])[0], strict=True)
    for x_0, step in zip((-1.37, 0.59, 2.13), STEPS, strict=True):
        yield matches(best, letters(step, w=settled(mean_variance(point(x_0), step))), 0.0, magnitude=1.0)
        yield matches(best, letters(step, w=settled(mean_variance(gaussian(0.0, 1.0), step))), 1.0)
        yield above(best, letters(step, w=settled(mean_variance(BROAD, step))), 1.0, strict=True)
        # Averages over the coordinates of a plane, and of a space.
        for found in (settled(mean_trace(PLANE, step)), variance_in_the_cloud(step)):
            yield matches(at_best, letters(step, w=found), found)
    yield below(best, letters(STEPS[0], w=settled(mean_variance(NARROW, STEPS[0]))), 1.0, strict=True)

    yield for_all(step=tame_steps, v=st.floats(-1, 2))(
        lambda step, v: matches(variance, letters(step, v=v), own(step) * (step.beta / own(step)) ** v)
    )
    yield for_all(examples=30, data=pairs, step=tame_steps)(
        lambda data, step: close(
            at_best, letters(step, w=settled(mean_variance(data, step))), mean_variance(data, step)
        )
    )
    yield for_all(examples=30, data=pairs, step=tame_steps)(
        lambda data, step: above(reach, letters(step), needed(step, settled(mean_variance(data, step)))[0], strict=True)
    )

    def one_is_enough(data, step):
        """At most one where the information is one or more, and nowhere else."""
        found, information = settled(mean_variance(data, step)), data.marginal(step.alpha_bar).fisher()
        return (best(**letters(step, w=found)) <= 1) == (information >= 1) or abs(information - 1) < 1e-9

    yield for_all(examples=30, data=pairs, step=tame_steps)(one_is_enough)
    yield for_all(step=tame_steps)(
        lambda step: matches(
            reach, letters(step), *needed(step, gaussian(0.0, 1e18).reverse_kernel(step, 0.0).variance)
        )
    )


def letters(step, **more):
    """The letters of the page: ell is the logarithm of beta over the variance of the kernel given both ends."""
    return {"alpha": step.alpha, "ell": log(step.beta / own(step)), **more}


def needed(step, variance):
    """The v that gives a variance, and the size of the logarithms behind it."""
    ell = log(step.beta / own(step))
    return log(variance / own(step)) / ell, (np.abs(log(variance)) + np.abs(log(own(step)))) / ell
