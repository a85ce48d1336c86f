r"""What tries to refute the page on moments: diffusions with known coefficients, solved, and their paths simulated.

The solution of a linear diffusion is a sum of its noises, each stretched since: its variance is an integral,

.. math:: b(t)^2=\int_0^t\frac{a(t)^2}{a(s)^2}\,g(s)^2\,ds .

It is taken at complex times as well: :math:`F(t+iH)` is :math:`F(t)+iH\dot F(t)`, and with H = 1e-30 nothing else is
left.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
from hypothesis import strategies as st
from numpy import exp, log, sqrt
from scipy.integrate import solve_ivp

from ...statistics import Hermite, both, for_all, law, matches, sampled, standardised_by
from ...statistics import moments as mean_and_variance
from ...worlds import gaussian

H = 1e-30
NODES, WEIGHTS = np.polynomial.legendre.leggauss(48)
FEW = np.array([2, 4, 8, 16])  # steps, extrapolated to infinitely many


@dataclass(frozen=True)
class Function:
    """A positive function of time, with its logarithm and the rate of that."""

    value: Callable

    def __call__(self, t):
        return self.value(t)

    def log_density(self, t):
        return log(self.value(t))

    def score(self, t):
        return rate_of(lambda time: log(self.value(time)), t)


@dataclass(frozen=True)
class Diffusion:
    """dx = f x dt + g dw, by log a, the integral of f, and by f and g^2."""

    log_a: Callable
    f: Callable
    squared_g: Callable

    def g(self, t):
        return sqrt(self.squared_g(t))

    def between(self, s, t):
        """The scale and the variance of x_t given x_s."""
        times = s + (t - s) * (NODES.reshape(-1, *[1] * np.ndim(t)) + 1) / 2
        since = exp(2 * (self.log_a(t) - self.log_a(times))) * self.squared_g(times)
        return exp(self.log_a(t) - self.log_a(s)), (t - s) * np.tensordot(WEIGHTS, since, axes=1) / 2

    def letters(self, t):
        a, b = (
            Function(lambda time: self.between(0.0, time)[0]),
            Function(lambda time: sqrt(self.between(0.0, time)[1])),
        )
        return {"t": t, "f": self.f, "g": self.g, "a": a, "b": b}

    def path(self, times, x_0):
        """Draws of x at these times, each from the one before: (x_0, x_1, ...)."""
        steps = [self.between(s, t) for s, t in zip([0.0, *times], times)]

        def draw(rng, n):
            xs = [x_0.sample(rng, n)]
            for scale, variance in steps:
                xs.append(scale * xs[-1] + sqrt(variance) * rng.standard_normal(xs[-1].shape))
            return tuple(xs)

        return draw


DIFFUSIONS = [
    Diffusion(lambda t: -0.47 * t - 0.29 * t**2, lambda t: -0.47 - 0.58 * t, lambda t: (0.83 + 0.61 * t) ** 2),
    Diffusion(lambda t: 0.31 * np.sin(1.7 * t), lambda t: 0.527 * np.cos(1.7 * t), lambda t: 1.66 * exp(-0.86 * t)),
    Diffusion(lambda t: -0.71 * log(1 + t), lambda t: -0.71 / (1 + t), lambda t: 0.37 + 1.9 * t / (1 + t**2)),
]
TIMES = [0.83, 1.37, 0.59]
DATA, START = gaussian(0.37, 1.83), 1.19
rates, times = st.floats(-2, 2), st.floats(0.05, 2)
diffusions = st.builds(
    lambda p, q, c, k: Diffusion(lambda t: p * t + q * t**2 / 2, lambda t: p + q * t, lambda t: c * exp(k * t)),
    rates,
    rates,
    st.floats(0.1, 3),
    rates,
)


def moments(mean_rate, variance_rate, drift, squared_noise, from_snr):
    """Rates of exact moments; moments from the rates, against paths; paths with the drift and the noise found."""

    def at_one_time(diffusion, t):
        at, (a, variance) = diffusion.letters(t), diffusion.between(0.0, t)
        growth, noise = np.abs(diffusion.f(t)), diffusion.squared_g(t)
        size = noise + 2 * growth * variance
        yield matches(mean_rate, at, rate_of(lambda s: diffusion.between(0.0, s)[0], t), growth * a)
        yield matches(variance_rate, at, rate_of(lambda s: diffusion.between(0.0, s)[1], t), size)
        yield matches(drift, at, diffusion.f(t), growth)
        yield matches(squared_noise, at, noise, size)
        yield matches(from_snr, at, noise, size)

    for diffusion, t in zip(DIFFUSIONS, TIMES, strict=True):
        yield from at_one_time(diffusion, t * np.array([0.31, 0.74, 1.0]))
        path = diffusion.path([0.43 * t, t], DATA)
        yield from both(path, grown(mean_rate, variance_rate, diffusion, t), by=Hermite(degree=4))
    diffusion, t = DIFFUSIONS[0], TIMES[0]
    (a, square), chains = diffusion.between(0.0, t), [stepwise(diffusion, t, n) for n in FEW]
    yield sampled(short_steps(drift, squared_noise, diffusion, t), extrapolated(a * START, square, chains))
    for k in range(5):
        yield for_all(examples=30, diffusion=diffusions, t=times)(
            lambda diffusion, t, k=k: list(at_one_time(diffusion, t))[k]
        )


def rate_of(function, t):
    return np.imag(function(t + 1j * H)) / H


def grown(mean_rate, variance_rate, diffusion, t):
    """Integrated from a = 1 and b = 0 on, the rates give the moments of x_t given x_0."""

    def slope(time, state):
        a, square = state
        at = diffusion.letters(time) | {"a": Function(lambda _: a), "b": Function(lambda _: sqrt(square))}
        return mean_rate(**at), variance_rate(**at)

    @cache
    def end():
        return solve_ivp(slope, (0.0, t), [1.0, 0.0], "DOP853", rtol=1e-13, atol=1e-14).y[:, -1]

    def scores(x_0, *xs):
        a, square = end()
        return law(standardised_by(xs[-1], a * x_0, square), given=(x_0,))

    return scores


def short_steps(drift, squared_noise, diffusion, t):
    """Steps of Euler and Maruyama, with the drift and the noise that are claimed to belong to a and b."""

    def steps(n, x, rng):
        for time in middles(t, n):
            at = diffusion.letters(time)
            x = x + t / n * drift(**at) * x + sqrt(t / n * squared_noise(**at)) * rng.standard_normal(len(x))
        return x

    return lambda rng, n: [steps(few, np.full(n, START), rng) for few in FEW]


def middles(t, n):
    """Of n steps from 0 to t: at the beginning of the first one b is zero, and has no logarithm."""
    return t * (np.arange(n) + 0.5) / n


def extrapolated(mean, variance, chains):
    """Of chains with few steps and with more, given by their means and variances, the ends are extrapolated."""
    weights = np.array([np.prod([n / (n - other) for other in FEW if other != n]) for n in FEW])
    means, variances = np.array(chains).T
    linear = np.sum(weights**2 * variances)
    second = np.sum(2 * (weights * variances) ** 2)
    fourth = 3 * second**2 + np.sum(48 * (weights * variances) ** 4)  # cumulants of independent squares add up

    def scores(*ends):
        end = np.sum([w * x for w, x in zip(weights, ends, strict=True)], axis=0)
        spread = np.sum([w * (x - m) ** 2 for w, x, m in zip(weights, ends, means, strict=True)], axis=0)
        rows = mean_and_variance(end, mean, None, (linear, 3 * linear**2, np.inf))
        return rows + mean_and_variance(spread, variance, None, (second, fourth, np.inf))

    return scores


def stepwise(diffusion, t, n):
    """The mean and the variance after n steps of Euler and Maruyama."""
    mean, variance, h = START, 0.0, t / n
    for time in middles(t, n):
        stretch = 1 + h * diffusion.f(time)
        mean, variance = stretch * mean, stretch**2 * variance + h * diffusion.squared_g(time)
    return mean, variance
