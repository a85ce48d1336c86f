"""What tries to refute the page on the distance: quantiles and densities integrated, and the naive chain simulated."""

import numpy as np
from hypothesis import strategies as st
from numpy import sqrt
from scipy.special import ndtri

from ...quadrature import expectation_of, integral_over_unit, settled
from ...schedules import linear
from ...statistics import both, close, for_all, limit, matches, moments
from ...worlds import Step, gaussian
from .naive import naive_letters, one_naive_step, up_and_down, went_down
from .step import GAUSSIANS, SMALL_BETAS, SQUARES, gaussians, steps

CHAINS = [
    (gaussian(0.37, 1.83), np.array([0.13, 0.29, 0.08, 0.37])),
    (gaussian(-1.29, 0.31), np.array([0.07, 0.19, 0.23])),
    (gaussian(2.17, 4.70), np.array([0.11, 0.05])),
]

schedules = st.lists(st.floats(0.02, 0.6), min_size=1, max_size=8).map(np.array)


def naive_chain_distance(w2, kl, whole, one, rate):
    """Where the naive chain and one step of it end, by recursion and by draws; how far off that is, by integration."""
    for data, betas in [*CHAINS, (CHAINS[0][0], linear().betas)]:
        yield recursion(whole, data, betas)
        yield close(w2, *distance(data, arrival(data, betas)))
        yield close(kl, *divergence(data, arrival(data, betas)))
    for data, step in GAUSSIANS:
        before, after = data.marginal(step.alpha_bar_prev), one_naive_step(data, step)
        yield matches(one, naive_letters(data, step), after.variance)
        yield close(w2, *distance(before, after))
        yield close(kl, *divergence(before, after))
        yield limit(rate, {"v_prev": before.variance}, in_units_of_beta(data, step.alpha_bar_prev), SMALL_BETAS)
    for data, betas in CHAINS:
        claimed = whole(**chain_letters(data, betas))
        yield from both(up_and_down(data, betas), strayed(w2, kl, claimed, data, arrival(data, betas)), by=SQUARES)
    for data, step in GAUSSIANS:
        before, after = data.marginal(step.alpha_bar_prev), one_naive_step(data, step)
        claimed = one(**naive_letters(data, step))
        yield from both(up_and_inverted(data, step), strayed(w2, kl, claimed, before, after), by=SQUARES)
    some, few = {"data": gaussians, "betas": schedules}, {"data": gaussians, "step": steps}
    yield for_all(**some)(lambda data, betas: recursion(whole, data, betas))
    yield for_all(**some)(lambda data, betas: close(w2, *distance(data, arrival(data, betas))))
    yield for_all(**some)(lambda data, betas: close(kl, *divergence(data, arrival(data, betas))))
    yield for_all(**few)(
        lambda data, step: matches(one, naive_letters(data, step), one_naive_step(data, step).variance)
    )


# Where it ends


def chain_letters(data, betas):
    return {"v_0": data.variance, "alpha_bar_T": np.prod(1 - betas)}


def arrival(data, betas):
    """The law at the end of the naive chain: it keeps the mean, and its variance follows by recursion."""
    return gaussian(data.mean, went_down(data.marginal(np.prod(1 - betas)).variance, betas))


def recursion(whole, data, betas):
    """The variance at the end; each step of the recursion rounds."""
    v = arrival(data, betas).variance
    return matches(whole, chain_letters(data, betas), v, magnitude=len(betas) * v)


# How far that is from where it should


def distance(true, wide):
    """The root mean square difference of the quantiles of two Gaussians."""

    def gap(u, rest):
        z = np.where(u < rest, ndtri(u), -ndtri(rest))
        return sqrt(wide.variance) * z - sqrt(true.variance) * z

    squared = integral_over_unit(lambda u, rest: gap(u, rest) ** 2)

    def rule(nodes):
        value, _ = squared(nodes)
        return sqrt(value), sqrt(wide.variance) + sqrt(true.variance)  # the size of what the gap is a difference of

    return {"v": true.variance, "V": wide.variance}, rule


def divergence(true, wide):
    """KL(true, wide), by its definition."""
    rule = average(lambda x: log_ratio(x, true, wide), true)
    return {"v": true.variance, "V": wide.variance}, rule


def average(f, law):
    return expectation_of(f, law, law.mean, sqrt(law.variance))


def log_ratio(x, true, wide):
    return true.log_density(x) - wide.log_density(x)


def moments_of_log_ratio(true, wide):
    """Its second, fourth and sixth central moments under the first law."""
    _, rule = divergence(true, wide)
    mean = settled(rule)
    return [settled(average(lambda x, k=k: (log_ratio(x, true, wide) - mean) ** k, true)) for k in (2, 4, 6)]


def in_units_of_beta(data, alpha_bar_prev):
    """The distance after one naive step, divided by its beta."""

    def value_at(beta):
        _, far = distance(data.marginal(alpha_bar_prev), one_naive_step(data, Step(1 - beta, alpha_bar_prev)))
        return lambda nodes: tuple(part / beta for part in far(nodes))

    return value_at


# Draws


def up_and_inverted(data, step):
    """Draws of (x_{t-1}, xhat_{t-1}): up by the forward step, down by the naive one."""

    def draw(rng, n):
        _, x_prev, x_t = data.forward(step)(rng, n)
        return x_prev, (x_t - sqrt(step.beta) * rng.standard_normal(n)) / sqrt(step.alpha)

    return draw


def strayed(w2, kl, variance, true, wide):
    """Draws of what is true and of what comes out: the width of the one, its distance and divergence from the other."""
    at = {"v": true.variance, "V": wide.variance}
    null = moments_of_log_ratio(true, wide)

    def scores(x, x_hat):
        rows = moments(x_hat, true.mean, variance, wide.central_moments())
        rows += moments(x_hat, true.mean, (sqrt(true.variance) + w2(**at)) ** 2, wide.central_moments())
        return rows + moments(log_ratio(x, true, wide), kl(**at), None, null)

    return scores
