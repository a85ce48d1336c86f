r"""What tries to refute the page on the kernel given both ends.

It integrates and simulates q(x_{t-1} | x_0) q(x_t | x_{t-1}).
"""

import numpy as np
from hypothesis import strategies as st
from numpy import sqrt

from ...quadrature import mean_of, variance_of
from ...statistics import both, close, for_all, hermite, law, matches, standardised_by
from ...worlds import normal
from .step import POINTS, SOME_X_T, steps

SOME_X_0 = np.array([0.83, -0.57, 1.19])
ends = st.floats(-5, 5)


def posterior_mean(mean, variance, noise_form):
    """Given both ends, x_{t-1} has this mean, and the same in terms of the noise in x_t."""
    for world, step in POINTS:
        at = given(step, SOME_X_0, SOME_X_T)
        yield close(mean, at, mean_of(bridge(step, SOME_X_0, SOME_X_T), width=2.0))
        yield close(noise_form, at, mean_of(bridge(step, SOME_X_0, SOME_X_T), width=2.0))
        for form in (mean, noise_form):
            yield from both(world.forward(step), whitened(form, variance, step), by=hermite.over(world.weights))
    for form in (mean, noise_form):
        yield for_all(step=steps, x_0=ends, x_t=ends)(
            lambda step, x_0, x_t, form=form: matches(form, given(step, x_0, x_t), *regressed_mean(step, x_0, x_t))
        )


def posterior_variance(mean, variance, precision):
    """Given both ends, x_{t-1} has this variance and this precision, whatever they are; the step has more."""
    for world, step in POINTS:
        at = given(step, SOME_X_0, SOME_X_T)
        yield close(variance, at, variance_of(bridge(step, SOME_X_0, SOME_X_T), width=2.0))
        yield close(inverse(precision), at, variance_of(bridge(step, SOME_X_0, SOME_X_T), width=2.0))
        yield from both(world.forward(step), whitened(mean, variance, step), by=hermite.over(world.weights))
    yield for_all(step=steps)(lambda step: matches(variance, given(step, 0.0, 0.0), regressed(step, 0.0, 0.0)[1]))
    yield for_all(step=steps)(lambda step: matches(precision, given(step, 0.0, 0.0), 1 / regressed(step, 0.0, 0.0)[1]))
    yield for_all(step=steps)(lambda step: bool(0 < variance(**given(step, 0.0, 0.0)) < step.beta))


def given(step, x_0, x_t):
    """The letters of the page.  alpha_next belongs to the step after this one, which has nothing to say here."""
    noise = (x_t - sqrt(step.alpha_bar) * x_0) / sqrt(1 - step.alpha_bar)
    ends = {"x_0": x_0, "x_t": x_t, "noise": noise}
    return {"alpha": step.alpha, "alpha_bar_prev": step.alpha_bar_prev, "alpha_next": 0.871, **ends}


def bridge(step, x_0, x_t):
    """q(x_{t-1} | x_0) q(x_t | x_{t-1}), as a function of x_{t-1}."""

    def density(x_prev):
        prior = normal(x_prev, sqrt(step.alpha_bar_prev) * x_0, 1 - step.alpha_bar_prev)
        return prior * normal(x_t, sqrt(step.alpha) * x_prev, step.beta)

    return density


def regressed(step, x_0, x_t):
    """The mean and variance of x_{t-1} given x_0 and x_t, by regression on the forward process given x_0."""
    v_prev = 1 - step.alpha_bar_prev
    v_t = step.alpha * v_prev + step.beta
    gain = sqrt(step.alpha) * v_prev / v_t
    m_prev = sqrt(step.alpha_bar_prev) * x_0
    return m_prev + gain * (x_t - sqrt(step.alpha) * m_prev), v_prev * step.beta / v_t


def regressed_mean(step, x_0, x_t):
    """The mean by regression, and the size of its terms: x_t and x_0 may cancel, and the noise between them."""
    return regressed(step, x_0, x_t)[0], (abs(x_t) + abs(x_0) + 1) / sqrt(step.alpha) / (1 - step.alpha_bar)


def whitened(mean, variance, step):
    """Given x_0 and x_t, the standardised x_{t-1} is N(0, 1)."""

    def scores(x_0, x_prev, x_t):
        at = given(step, x_0, x_t)
        return law(standardised_by(x_prev, mean(**at), variance(**at)), given=(x_0, x_t))

    return scores


def inverse(formula):
    return lambda **at: 1 / formula(**at)
