r"""What tries to refute the page on Bayes' rule: likelihood and prior, integrated over x_{t-1} on a line."""

import numpy as np
from hypothesis import strategies as st
from numpy import sqrt

from ...quadrature import integral_of, mean_of, variance_of
from ...statistics import both, close, for_all, hermite, law, matches, standardised_by
from ...worlds import Step, normal
from .step import GAUSSIANS, POINTS, SOME_X_T, gaussians, letters, reverse_kernel, steps

SOME_X_PREV = np.array([-0.89, 0.37, 1.13])
ends = st.floats(-5, 5)


def naive_is_flat_prior(mean, variance, normaliser):
    """The likelihood of x_{t-1}, integrated and normalised on the line."""

    def atoms(step, x_t):
        at, window = (
            {"alpha": step.alpha, "x_t": x_t},
            {"centre": x_t / sqrt(step.alpha), "width": sqrt(step.beta / step.alpha)},
        )
        seen = likelihood(step, x_t)
        yield close(normaliser, at, integral_of(seen, **window))
        yield close(mean, at, mean_of(seen, **window))
        yield close(variance, at, variance_of(seen, **window))

    for _, step in POINTS:
        yield from atoms(step, SOME_X_T)
    for k in range(3):
        yield for_all(step=steps, x_t=ends)(lambda step, x_t, k=k: list(atoms(step, x_t))[k])


def bayes_kernel(factor):
    """The reverse kernel, normalised by quadrature, against the naive kernel times the factor."""

    def ratio(world, step, x_prev, x_t):
        """q(x_{t-1} | x_t) / n(x_{t-1} | x_t): the evidence by quadrature, the rest as defined."""
        mass = integral_of(reverse_kernel(world, step, x_t), width=2.0)
        naive = normal(x_prev, x_t / sqrt(step.alpha), step.beta / step.alpha)
        top = reverse_kernel(world, step, x_t)(x_prev) / naive

        def rule(nodes):
            evidence, magnitude = mass(nodes)
            return top / evidence, top / evidence * (magnitude / evidence)

        return rule

    for world, step in POINTS:
        at = letters(world, step, x_prev=SOME_X_PREV, x_t=SOME_X_T)
        yield close(factor, at, ratio(world, step, SOME_X_PREV, SOME_X_T))
    near = st.floats(-2, 2)
    yield for_all(
        data=gaussians,
        step=st.builds(Step, alpha=st.floats(0.2, 0.9), alpha_bar_prev=st.floats(0.1, 0.9)),
        x_prev=near,
        x_t=near,
    )(
        lambda data, step, x_prev, x_t: close(
            factor, letters(data, step, x_prev=x_prev, x_t=x_t), ratio(data, step, x_prev, x_t)
        )
    )


def gaussian_kernel(mean, variance):
    """For Gaussian data: Bayes' rule by quadrature, by simulation, and by regression for all Gaussians."""
    for data, step in GAUSSIANS:
        at, kernel = gaussian_letters(data, step, SOME_X_T), reverse_kernel(data, step, SOME_X_T)
        yield close(mean, at, mean_of(kernel, width=2.0))
        yield close(variance, at, variance_of(kernel, width=2.0))
        yield from both(data.forward(step), whitened(mean, variance, data, step), by=hermite)
    some = {"data": gaussians, "step": steps, "x_t": ends}
    yield for_all(**some)(
        lambda data, step, x_t: matches(mean, gaussian_letters(data, step, x_t), regressed(data, step, x_t)[0])
    )
    yield for_all(**some)(
        lambda data, step, x_t: matches(variance, gaussian_letters(data, step, x_t), regressed(data, step, x_t)[1])
    )


def likelihood(step, x_t):
    """q(x_t | x_{t-1}), as a function of x_{t-1}."""
    return lambda x_prev: normal(x_t, sqrt(step.alpha) * x_prev, step.beta)


def gaussian_letters(data, step, x_t):
    """The letters of Gaussian data: mean and variance of x_{t-1}; those of x_t follow."""
    before = data.marginal(step.alpha_bar_prev)
    return {"alpha": step.alpha, "m_prev": before.mean, "v_prev": before.variance, "x_t": x_t}


def regressed(data, step, x_t):
    """The mean and variance of x_{t-1} given x_t by regression on the covariance of the two."""
    before, after = data.marginal(step.alpha_bar_prev), data.marginal(step.alpha_bar)
    covariance = sqrt(step.alpha) * before.variance
    return before.mean + covariance / after.variance * (
        x_t - after.mean
    ), before.variance - covariance**2 / after.variance


def whitened(mean, variance, data, step):
    """Given x_t, the standardised x_{t-1} is N(0, 1)."""

    def scores(x_0, x_prev, x_t):
        at = gaussian_letters(data, step, x_t)
        return law(standardised_by(x_prev, mean(**at), variance(**at)), given=(x_t,))

    return scores
