r"""What tries to refute the page on predictions: any of them, and conditional means, in three dimensions.

The world supplies the score, the moments of x_0 given x_t and the mean of the reverse kernel, each from a closed form
of its own; the kernel given both ends comes by regression.
"""

import numpy as np
from hypothesis import strategies as st
from numpy import array, sqrt

from ...quadrature import integral_of
from ...statistics import close, for_all, matches
from ...worlds import Step, mixture
from ..reversal.posterior import regressed
from ..reversal.step import pairs, tame_steps
from ..vlb.weights import apart

SPACE = mixture(
    [0.37, 0.63],
    [[-0.83, 0.41, 0.29], [1.19, -0.67, 0.53]],
    [
        [[0.53, 0.21, 0.07], [0.21, 0.34, -0.11], [0.07, -0.11, 0.62]],
        [[0.29, -0.11, 0.13], [-0.11, 0.61, 0.05], [0.13, 0.05, 0.41]],
    ],
)

numbers = st.floats(-2, 2)
vectors = st.tuples(numbers, numbers, numbers).map(array)
lasts = st.builds(Step, alpha=st.just(0.0), alpha_bar_prev=st.floats(0.05, 0.95))


def mean_from_prediction(from_x_0, from_noise, from_score):
    """Any prediction in three spellings against regression; conditional means against the reverse kernel."""

    def any_prediction(formula, step, x_t, x_0):
        return matches(formula, spelled(step, x_t, x_0), *mean_and_size(step, x_t, x_0))

    def conditional_mean(formula, step, x_t):
        at = spelled(step, x_t, SPACE.posterior(step.alpha_bar, x_t).mean)
        at["predicted_score"] = SPACE.marginal(step.alpha_bar).score(x_t)
        mean = SPACE.reverse_kernel(step, x_t).mean
        return matches(formula, at, mean, mean_and_size(step, x_t, mean)[1])

    for formula in (from_x_0, from_noise, from_score):
        yield for_all(step=tame_steps, x_t=vectors, x_0=vectors)(
            lambda step, x_t, x_0, formula=formula: any_prediction(formula, step, x_t, x_0)
        )
        yield for_all(step=tame_steps, x_t=vectors)(
            lambda step, x_t, formula=formula: conditional_mean(formula, step, x_t)
        )


def zero_snr_degenerate(noise_prediction, noise_loss, covariance, x_0_prediction, v_target, v_prediction):
    """The last step of all, with beta = 1: what is drawn, and what the world says of it given x_T."""
    some = {"data": pairs, "step": lasts, "x_0": numbers, "noise": numbers}

    def statements(data, step, x_0, noise):
        x_T = sqrt(step.alpha_bar) * x_0 + sqrt(1 - step.alpha_bar) * noise
        at = {"x_0": x_0, "x_T": x_T, "noise_T": noise, "m_0": data.mean, "v_0": data.variance}
        given = data.posterior(step.alpha_bar, x_T)
        yield matches(noise_prediction, at, noise, 1.0)
        yield matches(noise_loss, at, step.alpha_bar * given.variance / (1 - step.alpha_bar), 1.0)
        yield close(covariance, at, with_x_0(noise_prediction, data, step))
        yield matches(x_0_prediction, at, given.mean, 1.0)
        yield matches(v_target, at, sqrt(step.alpha_bar) * noise - sqrt(1 - step.alpha_bar) * x_0, 1.0)
        yield matches(v_prediction, at, sqrt(step.alpha_bar) * x_T - sqrt(1 - step.alpha_bar) * given.mean, 1.0)

    for k in range(6):
        yield for_all(examples=50, **some)(lambda k=k, **values: list(statements(**values))[k])


def spelled(step, x_t, x_0):
    """A prediction of x_0, and what it says of the noise and of the score."""
    noise = (x_t - sqrt(step.alpha_bar) * x_0) / sqrt(1 - step.alpha_bar)
    predictions = {"predicted_x_0": x_0, "predicted_noise": noise, "predicted_score": -noise / sqrt(1 - step.alpha_bar)}
    return {"alpha": step.alpha, "alpha_bar_prev": step.alpha_bar_prev, "x_t": x_t, **predictions}


def mean_and_size(step, x_t, x_0):
    """The mean of the kernel given both ends, by regression, and the size of its terms."""
    return regressed(step, x_0, x_t)[0], (np.abs(x_t) + np.abs(x_0) + 1) / sqrt(step.alpha) / (1 - step.alpha_bar)


def with_x_0(prediction, data, step):
    """The covariance of x_0 with a prediction that is made from x_T: x_0 enters by its mean given x_T."""
    seen = data.marginal(step.alpha_bar)
    predicted = lambda x: seen(x) * prediction(x_T=x, m_0=data.mean)
    together = integral_of(lambda x: predicted(x) * data.posterior(step.alpha_bar, x).mean)
    return apart(together, integral_of(lambda x: predicted(x) * data.mean))
