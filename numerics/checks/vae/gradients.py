r"""What tries to refute the gradients: averages differentiated by definition, as integrals of a density that moves.

A density moves by a complex step, so that its slope is as good as its values.  For all waves :math:`\cos(kz+\varphi)`
the average is known, :math:`\cos(k\mu+\varphi)\,e^{-k^2\sigma^2/2}`, and so are its slopes.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st
from numpy import array, cos, exp, log, sin
from scipy.special import ndtr

from ...quadrature import expectation_of, integral_of, integral_over_unit, settled
from ...statistics import (
    both,
    by_cholesky,
    close,
    for_all,
    gauss_hermite,
    hermite,
    law,
    matches,
    moments,
    sampled,
    standardised_by,
)
from ...worlds import normal


class Curve(NamedTuple):
    """A function and its first two slopes."""

    f: Callable
    slope: Callable
    curvature: Callable


def wave(k, phase):
    return Curve(
        lambda z: cos(k * z + phase), lambda z: -k * sin(k * z + phase), lambda z: -(k**2) * cos(k * z + phase)
    )


CURVES = [
    Curve(
        lambda z: sin(1.3 * z) + 0.4 * z**2, lambda z: 1.3 * cos(1.3 * z) + 0.8 * z, lambda z: 0.8 - 1.69 * sin(1.3 * z)
    ),
    Curve(
        lambda z: z**3 / 5 + exp(-((z - 1) ** 2) / 2),
        lambda z: 0.6 * z**2 - (z - 1) * exp(-((z - 1) ** 2) / 2),
        lambda z: 1.2 * z + ((z - 1) ** 2 - 1) * exp(-((z - 1) ** 2) / 2),
    ),
    wave(0.87, 0.43),
]
POINTS = [(curve, *at) for curve, at in zip(CURVES, [(0.73, 0.61), (-1.19, 0.83), (0.41, 1.37)], strict=True)]
CODES = [
    (array([0.73, -1.19, 0.41]), array([0.37, 1.43, 0.82])),
    (array([-0.57, 1.31]), array([1.27, 0.58])),
    (array([1.57, -0.86]), array([0.67, 1.19])),
]
ROOTS = [
    array([[1.27, 0.0], [-0.71, 0.83]]),
    array([[0.73, -0.49, 0.31], [0.58, 1.31, 0.27], [-0.36, 0.22, 0.94]]),
    array([[0.64, 0.39], [-1.13, 0.57]]),
]
BASELINES, STEPS = (0.83, -1.37, 2.19), (1.13, -0.67, 0.29)

numbers, spreads = st.floats(-3, 3), st.floats(0.2, 2)
entries = st.floats(-2, 2)
squares = st.integers(2, 4).flatmap(
    lambda d: st.lists(st.lists(entries, min_size=d, max_size=d), min_size=d, max_size=d).map(array)
)
waves: dict[str, Any] = {"k": st.floats(0.3, 2.5), "phase": numbers, "mu": numbers, "sigma": spreads}

E = np.linspace(-12, 12, 401)  # noise on a grid: the trapezoid rule is exact to rounding for what is smooth
WEIGHTS = normal(E, 0.0, 1.0) * (E[1] - E[0])


def reparam_law(sample, from_log_variance, covariance):
    """Samples whitened by what they should follow; and what is left of one when it is standardised."""
    for mu, sigma in CODES:
        yield sampled(noises(len(mu)), whitened(sample, mu, sigma))
        yield from both(noises(1), whitened(from_log_variance, mu[:1], sigma[:1]), by=hermite)
    for root in ROOTS:
        yield sampled(noises(len(root)), correlated(covariance, np.linspace(-1.3, 0.9, len(root)), root))

    def is_its_noise(formula):
        def statement(mu, sigma, e):
            left_over = lambda **at: (formula(**at) - at["mu"]) / at["sigma"]
            return matches(left_over, letters(mu, sigma, e=e), e, magnitude=abs(e) + abs(mu) / sigma)

        return statement

    yield for_all(examples=40, mu=numbers, sigma=spreads, e=numbers)(is_its_noise(sample))
    yield for_all(examples=40, mu=numbers, sigma=spreads, e=numbers)(is_its_noise(from_log_variance))

    def of_corners(L):
        value, size = spread_of_corners(L)
        return matches(covariance, {"L": L}, value, magnitude=size)

    yield for_all(examples=50, L=squares)(of_corners)


def score_function_gradient(weighed, bias, pathwise_variance, score_variance):
    """The integral of f against a density that moves; the weights alone; and squares, one draw at a time."""
    for (curve, mu, sigma), c in zip(POINTS, BASELINES, strict=True):
        at = letters(mu, sigma, curve, c=c)
        yield close(mean_of(weighed), at, moved(curve.f, mu, sigma, by="mu"))
        flat = lambda z, c=c: c + 0 * z
        yield close(bias, at, moved(flat, mu, sigma, by="mu"))
        # Where f equals its baseline there is nothing to weigh.
        yield matches(weighed, {**at, "f": flat, "z": mu + sigma * E}, 0 * E, magnitude=abs(c) * (1 + abs(E)) / sigma)
        yield from both(noises(1), weighed_on_average(weighed, curve, mu, sigma, c), by=gauss_hermite)
        path, weight = on_a_path(mu, sigma), times_its_weight(mu, sigma)
        yield close(pathwise_variance, at, variance_of(path))
        yield close(score_variance, at, variance_of(weight))
        yield from both(noises(1), varies(pathwise_variance, path, at), by=hermite)
        yield from both(noises(1), varies(score_variance, weight, at), by=gauss_hermite)


def price_bonnet(by_mean, by_variance, by_sigma):
    """The integral of f against a density that moves or widens; and all waves, whose averages are known."""
    for curve, mu, sigma in POINTS:
        at = letters(mu, sigma, curve)
        yield close(by_mean, at, moved(curve.f, mu, sigma, by="mu"))
        yield close(by_variance, at, moved(curve.f, mu, sigma, by="variance"))
        yield close(by_sigma, at, moved(curve.f, mu, sigma, by="sigma"))
    for k, formula in enumerate((by_mean, by_variance, by_sigma)):
        yield for_all(examples=50, **waves)(of_waves(formula, k))


def reparam_gradient(along_mean, along_sigma, along_log_variance, of_a_step):
    """The same for samples that move, on average and draw by draw; and a step, which has no slope to average."""
    for (curve, mu, sigma), b in zip(POINTS, STEPS, strict=True):
        at = letters(mu, sigma, curve)
        for formula, by, size in (
            (along_mean, "mu", curve.slope(mu + sigma * E)),
            (along_sigma, "sigma", E * curve.slope(mu + sigma * E)),
            (along_log_variance, "log_variance", sigma / 2 * E * curve.slope(mu + sigma * E)),
        ):
            truth = moved(curve.f, mu, sigma, by=by)
            yield close(mean_of(formula), at, truth)
            yield from both(noises(1), on_average(formula, at, float(settled(truth)), size), by=gauss_hermite)
        yield close(of_a_step, letters(mu, sigma, b=b), step_moved(b, mu, sigma))
    for k, formula in ((0, along_mean), (2, along_sigma), (3, along_log_variance)):
        yield for_all(examples=50, **waves)(of_waves(mean_of(formula), k))


def detached_sample(no_path_to_mu, no_path_to_sigma, true_by_mu, true_by_sigma):
    """Squares by complex steps, which follow a path as automatic derivatives do; the real part is what is detached."""
    h = 1e-20
    for _, mu, sigma in POINTS:
        at = letters(mu, sigma)
        for without, truth, moving in (
            (no_path_to_mu, true_by_mu, mu + h * 1j + sigma * E),
            (no_path_to_sigma, true_by_sigma, mu + (sigma + h * 1j) * E),
        ):
            yield matches(without, at, (np.real(moving) ** 2 + 0j).imag @ WEIGHTS / h)
            yield matches(truth, at, (moving**2).imag @ WEIGHTS / h, magnitude=np.abs(moving) @ WEIGHTS)


# Letters, and averages over a grid of noise


def letters(mu, sigma, curve=None, **more):
    """The letters of the page; a uniform number is the normal one's rank."""
    known = curve._asdict() if curve else {}
    return {"mu": mu, "sigma": sigma, "log_variance": 2 * log(sigma), "uniform": ndtr, **known, **more}


def mean_of(formula):
    """The average of a formula in the noise e, or in z = mu + sigma e."""

    def average(**at):
        return np.sum(WEIGHTS * formula(**at, e=E, z=at["mu"] + at["sigma"] * E))

    return average


def moved(f, mu, sigma, by):
    """The integral of f against the slope of N(z; mu, sigma^2) in one of its letters."""
    h = 1e-20j
    mean, variance = {
        "mu": (mu + h, sigma**2),
        "sigma": (mu, (sigma + h) ** 2),
        "variance": (mu, sigma**2 + h),
        "log_variance": (mu, sigma**2 * exp(h)),
    }[by]
    return integral_of(lambda z: f(z) * (normal(z, mean, variance) * 1e20).imag, centre=mu, width=sigma)


def step_moved(b, mu, sigma):
    """The same over the half line above b."""

    def slope(z):
        return (normal(z, mu + 1e-20j, sigma**2) * 1e20).imag

    return integral_over_unit(lambda x, rest: slope(b + sigma * x / rest) * sigma / rest**2)


def of_waves(formula, k):
    """The slope of cos(k mu + phase) exp(-k^2 sigma^2 / 2) in mu, sigma^2, sigma and log sigma^2."""

    def statement(**wave_at):
        k_, phase, mu, sigma = (wave_at[name] for name in ("k", "phase", "mu", "sigma"))
        damped, even, odd = exp(-((k_ * sigma) ** 2) / 2), cos(k_ * mu + phase), sin(k_ * mu + phase)
        slopes = -k_ * odd, -(k_**2) / 2 * even, -(k_**2) * sigma * even, -((k_ * sigma) ** 2) / 2 * even
        size = (1 + k_ + k_**2) * (1 + sigma)
        return matches(formula, letters(mu, sigma, wave(k_, phase)), slopes[k] * damped, magnitude=size)

    return statement


# Draws


def noises(d):
    """d standard normal numbers a draw, (d, n)."""
    return lambda rng, n: [rng.standard_normal((d, n))]


def whitened(formula, mu, sigma):
    """Every coordinate, standardised, is N(0, 1), whatever the others are."""

    def scores(e):
        at = letters(mu[:, None], sigma[:, None], e=e)
        left = standardised_by(formula(**at), mu[:, None], sigma[:, None] ** 2)
        return [row for j in range(len(mu)) for row in law(left[j], given=list(left[:j]))]

    return scores


def correlated(covariance, mean, root):
    """The noise of a sample mean + root e, with the covariance that is claimed."""

    def scores(e):
        sample = mean + np.sum(root[None] * e.T[:, None, :], axis=-1)
        left = by_cholesky(sample, mean, covariance(L=root))
        return [row for j in range(len(mean)) for row in law(left[j], given=list(left[:j]))]

    return scores


def spread_of_corners(root):
    """The covariance of root u and the size of its terms, where u is one of the 2 d points +-sqrt(d) on the axes."""
    d = len(root)
    u = np.concatenate([np.eye(d), -np.eye(d)]) * np.sqrt(d)
    x, size = u @ root.T, np.abs(u) @ np.abs(root).T
    return x.T @ x / (2 * d), np.max(size.T @ size) / (2 * d)


def central(values):
    """Second, fourth and sixth central moments over the grid of noise."""
    away = values - WEIGHTS @ values
    return tuple(WEIGHTS @ away**p for p in (2, 4, 6))


def on_average(formula, at, truth, values):
    """An estimator of one draw averages to the truth; ``values`` are those that an unbiased one takes over the grid."""

    def scores(e):
        estimate = formula(**at, e=e[0], z=at["mu"] + at["sigma"] * e[0]) + 0 * e[0]
        return moments(estimate, truth, None, central(values))

    return scores


def weighed_on_average(weighed, curve, mu, sigma, c):
    """f, less a baseline, times the slope of log q in its mean."""
    truth = float(settled(moved(curve.f, mu, sigma, by="mu")))
    return on_average(weighed, letters(mu, sigma, curve, c=c), truth, (curve.f(mu + sigma * E) - c) * E / sigma)


def on_a_path(mu, sigma):
    """The slope of z^2 in mu, draw by draw of the noise."""
    return lambda e: 2 * (mu + sigma * e)


def times_its_weight(mu, sigma):
    """z^2 times the slope of log q in mu."""
    return lambda e: (mu + sigma * e) ** 2 * e / sigma


def varies(variance, estimate, at):
    """An estimate, from one draw of the noise, of the slope of E z^2 in mu, which is 2 mu, has this variance."""
    return lambda e: moments(estimate(e[0]), 2 * at["mu"], variance(**at), central(estimate(E)))


def variance_of(estimate):
    """The variance of an estimate, over the law of the noise."""
    away = lambda e: (estimate(e) - WEIGHTS @ estimate(E)) ** 2
    return expectation_of(away, lambda e: normal(e, 0.0, 1.0))
