r"""What tries to refute the page on kernels: the diffusions solved by quadrature, and followed in exact steps.

A diffusion is given by its drift and its noise alone; a sum over i = 1..N stands for DDPM.
"""

from functools import partial
from itertools import pairwise

import numpy as np
from numpy import cos, exp, sin, sqrt

from ...statistics import Hermite, both, law, matches, order, standardised_by
from .moments import DATA, NODES, WEIGHTS, Diffusion, Function, rate_of

# beta and its integral from 0 on, at some times

SCHEDULES = [
    (lambda t: 0.31 + 1.87 * t, lambda t: 0.31 * t + 0.935 * t**2, 0.83),
    (
        lambda t: 0.94 + 0.61 * sin(2.3 * t + 0.4),
        lambda t: 0.94 * t + 0.61 / 2.3 * (cos(0.4) - cos(2.3 * t + 0.4)),
        1.37,
    ),
    (lambda t: 1.73 * exp(-0.57 * t) + 0.19, lambda t: 1.73 / 0.57 * (1 - exp(-0.57 * t)) + 0.19 * t, 0.59),
]
RAMPS = [(0.13, 2.9, 0.83), (0.47, 1.21, 1.37), (1.83, 0.29, 0.59)]  # beta from, to, at a time
LEVELS = [
    (Function(lambda t: 0.13 + 0.71 * t**2 + 0.4 * t), 0.83),
    (Function(lambda t: 0.37 * exp(1.3 * t)), 1.37),
    (Function(lambda t: sqrt(0.11 + t + 0.3 * sin(t))), 0.59),
]
GEOMETRIC = [(0.13, 1.7, 0.83), (0.41, 0.59, 1.37), (0.017, 2.3, 0.59)]  # sigma_min, log(sigma_max/sigma_min), a time
FOURTH = Hermite(degree=4)
STEPS = 2.0 ** -np.arange(5, 11)  # 1/N


def vp_kernel(scale, variance, drift, noise, linear, log_scale, rate, constant):
    """The diffusion with this drift and this noise; a linear schedule, added up; and DDPM in more and more steps."""
    for beta, B, t in SCHEDULES:
        given = {"beta": Function(beta), "B": B}
        diffusion = driven(drift, lambda **at: noise(**at) ** 2, given)
        yield matches(scale, {**given, "t": t}, diffusion.between(0.0, t)[0])
        yield solved(variance, diffusion, given, t)
        path = driven_by(lambda s, beta=beta: -beta(s) / 2, beta).path([0.43 * t, t], DATA)
        yield from both(path, followed(scale, variance, {**given, "t": t}), by=FOURTH)
        yield order(partial(off, beta, B), STEPS, rate, constant, given)
    for low, high, t in RAMPS:
        at = {"low": low, "high": high, "t": t}
        whole = added_up(lambda s, low=low, high=high: low + (high - low) * s, 0.0, t)
        yield matches(linear, at, whole)
        yield matches(log_scale, at, -whole / 2)


def ve_subvp_kernels(ve_squared_noise, ve_variance, geometric_noise, subvp_squared_noise, subvp_variance):
    """The diffusions with these noises, solved; and paths of them, the first ones by plain draws as well."""
    for k, (sigma, t) in enumerate(LEVELS):
        given = {"sigma": sigma}
        yield solved(ve_variance, driven(still, ve_squared_noise, given), given, t)
        path = explode(sigma, [0.43 * t, t])
        yield from list(both(path, followed(unscaled, ve_variance, {**given, "t": t}), by=FOURTH))[min(k, 1) :]
    for low, k, t in GEOMETRIC:
        squared_noise = rate_of(lambda s, low=low, k=k: (low * exp(k * s)) ** 2, t)
        yield matches(geometric_noise, {"sigma_min": low, "k": k, "t": t}, sqrt(squared_noise))
    for k, (beta, B, t) in enumerate(SCHEDULES):
        given = {"beta": Function(beta), "B": B}
        yield solved(subvp_variance, driven(pulled, subvp_squared_noise, given), given, t)
        path = less_noise(beta, B).path([0.43 * t, t], DATA)
        yield from list(both(path, followed(halved, subvp_variance, {**given, "t": t}), by=FOURTH))[min(k, 1) :]


# A diffusion from its coefficients


def added_up(rate, s, t):
    """The integral of a rate from s to t, an array of times or one."""
    times = s + (t - s) * (NODES.reshape(-1, *[1] * np.ndim(t)) + 1) / 2
    return (t - s) * np.tensordot(WEIGHTS, rate(times) + 0 * times, axes=1) / 2


def driven_by(f, squared_g):
    return Diffusion(lambda t: added_up(f, 0.0, t), f, squared_g)


def driven(drift, squared_noise, given):
    """The diffusion with the drift and the noise under test."""
    return driven_by(lambda t: drift(**given, t=t), lambda t: squared_noise(**given, t=t))


def less_noise(beta, B):
    return driven_by(lambda t: -beta(t) / 2, lambda t: -beta(t) * np.expm1(-2 * B(t)))


def still(t, **at):
    return np.zeros_like(t)


def pulled(t, beta, **at):
    return -beta(t) / 2


def unscaled(t, **at):
    return np.ones_like(t)


def halved(t, B, **at):
    return exp(-B(t) / 2)


def solved(variance, diffusion, given, t):
    """The variance of x_t given x_0, at some times on the way to t."""
    some = t * np.array([0.31, 0.74, 1.0])
    return matches(variance, {**given, "t": some}, diffusion.between(0.0, some)[1], magnitude=1.0)


def followed(scale, variance, at):
    """Given x_0, the standardised end of a path is N(0, 1)."""
    return lambda x_0, *xs: law(standardised_by(xs[-1], scale(**at) * x_0, variance(**at)), given=(x_0,))


def explode(sigma, times):
    """Draws of x_0, and of x with the noise that comes between these times, and nothing else."""
    levels = sigma(np.array([0.0, *times]))

    def draw(rng, n):
        xs = [DATA.sample(rng, n)]
        for before, after in pairwise(levels):
            xs.append(xs[-1] + sqrt(after**2 - before**2) * rng.standard_normal(n))
        return tuple(xs)

    return draw


def off(beta, B, h):
    """log alpha_bar_N + B(1) for N = 1/h steps of DDPM."""
    n = round(1 / h)
    return np.sum(np.log1p(-beta(np.arange(1, n + 1) / n) / n)) + B(1.0)
