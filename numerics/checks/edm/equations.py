r"""What tries to refute the page on equations: densities that move, on the line and in space, and chains of steps.

Rates of change in time are complex steps. On the line the velocity is what flows past x, over the density there; in
space a velocity and a noise say how fast the density changes, and it is compared with how fast it does. Gaussian
vectors are followed in steps of Euler and Maruyama, extrapolated to infinitely many.
"""

from functools import cache

import numpy as np
from hypothesis import strategies as st
from numpy import exp, sqrt
from scipy.integrate import solve_ivp

from ...statistics import for_all, matches, moments, sampled
from ..flow.velocity import Interpolant, at_time, density_rate, flow
from ..parameterization.conversions import FIVE, SPACE, vectors
from ..reversal.step import SQUARES, pairs
from ..sde.kernels import driven_by

LEVELS = [lambda t: 0.13 + 0.71 * t**2 + 0.4 * t, lambda t: 0.37 * exp(1.3 * t), lambda t: 0.29 + 1.7 * t / (1 + t)]
SCALES = [lambda t: exp(-0.7 * t - 0.2 * t**2), lambda t: 1 / (1 + 0.4 * t), lambda t: 0.7 + 0.3 * np.cos(1.1 * t)]
TIMES = [0.83, 0.57, 1.19]
BETAS = [1.31, 1.73, 0.79]
PLACES = [
    (SPACE, np.array([-0.71, 0.33, 0.57])),
    (FIVE, np.array([0.27, -1.19, -0.41, 0.91, 0.17])),
    (SPACE, np.array([1.43, 0.59, 0.83])),
]
MEAN, SPREADS = np.array([0.37, -1.23, 2.1]), np.array([0.61, 1.37, 0.43])  # of Gaussian vectors
BEGIN, END = 0.31, 0.91
FEW = np.array([2, 4, 8])  # steps, extrapolated to infinitely many
RICHARDSON = np.array([np.prod([n / (n - other) for other in FEW if other != n]) for n in FEW], dtype=float)

times, near = st.floats(0.1, 1.5), st.floats(-2, 2)
levels, scales = st.sampled_from(LEVELS), st.sampled_from(SCALES)
linear = st.tuples(st.floats(0.1, 3), st.floats(0.1, 3))


def ode_table(velocity, vp_sigma, vp_scale, vp_scale_at_level):
    """What flows past points of the line, what becomes of densities in space; and a diffusion that is solved."""

    def past(data, scale, level, t, x):
        way, at = moving(scale, level, t)
        seen = data.affine(way.a, way.b**2)
        at |= {"x": x, "slope": seen.score(x)}
        size = (1 + abs(x) + abs(data.mean) + sqrt(data.variance)) * (abs(way.a_dot) + abs(way.b_dot) + 1)
        return matches(velocity, at, flow(data, way, x), magnitude=size * (1 + 1 / way.b) ** 2)

    def thins(world, scale, level, t, x):
        way, at = moving(scale, level, t)
        x = x[: world.dimension]
        return changes(lambda **of: velocity(**at, x=of["x"], slope=of["slope"]), 0.0, world, way, x)

    yield for_all(data=pairs, scale=scales, level=levels, t=times, x=near)(past)
    yield for_all(world=st.sampled_from([SPACE, FIVE]), scale=scales, level=levels, t=times, x=vectors)(thins)

    def preserved(formula, of):
        def found(beta, t):
            begin, grow = beta
            scale, variance = driven_by(lambda s: -(begin + grow * s) / 2, lambda s: begin + grow * s).between(0.0, t)
            left = lambda s: exp(-begin * s - grow * s**2 / 2)
            at = {"t": t, "alpha_bar": left, "sigma": sqrt(variance) / scale}
            return matches(formula, at, of(scale, variance), magnitude=1 / scale + 1 / sqrt(variance))

        return for_all(beta=linear, t=times)(found)

    yield preserved(vp_sigma, lambda scale, variance: sqrt(variance) / scale)
    yield preserved(vp_scale, lambda scale, variance: scale)
    yield preserved(vp_scale_at_level, lambda scale, variance: scale)


def stochastic(forward, backward, diffusion, ve_beta):
    """How drift and noise change densities in space; and Gaussian vectors, followed forwards and backwards."""

    def of_slope(drift, at):
        return lambda **of: drift(**at, score=of["slope"])

    for level, t, beta, (world, u) in zip(LEVELS, TIMES, BETAS, PLACES, strict=True):
        way, at = moving(unscaled, level, t)
        at["beta"] = beta
        noise, still = diffusion(**at), Interpolant(1.0, way.b, 0.0, 0.0)
        yield changes(of_slope(forward, at), noise**2, world, way, u)
        yield changes(of_slope(backward, at), -(noise**2), world, way, u)
        yield changes(of_slope(forward, at | {"sigma_dot": 0.0}), noise**2, world, still, u)
        at["beta"] = ve_beta(**at)
        squared = 2 * way.b * way.b_dot
        score = world.affine(1.0, way.b**2).score(u)
        yield matches(forward, at | {"score": score}, 0 * score, magnitude=squared * np.abs(score))
        yield matches(backward, at | {"score": score}, -squared * score)
        yield matches(lambda diffusion=diffusion, **at: diffusion(**at) ** 2, at, squared)
    ways = [(forward, LEVELS[0], BETAS[0], BEGIN, END), (backward, LEVELS[1], BETAS[1], END, BEGIN)]
    for drift, *way in ways:
        yield sampled(*followed(drift, diffusion, *way), resolves=1e-2)
        yield sampled(*solved(drift, diffusion, *way), resolves=1e-6, by=SQUARES)


def unscaled(t):
    return 1.0 + 0 * t


def moving(scale, level, t):
    """x = s (x_0 + sigma noise) at t, with its rates; and the letters of the page."""
    way, noise = at_time(scale, lambda t: scale(t) * level(t))(t), at_time(scale, level)(t)
    return way, {"s": way.a, "s_dot": way.a_dot, "sigma": noise.b, "sigma_dot": noise.b_dot}


def changes(drift, squared_noise, world, way, x):
    """By the equation of Fokker and Planck the density changes as it does; a drift is linear in x and in the slope."""
    law = world.affine(way.a, way.b**2)
    slope, curvature, size = law.score(x), np.trace(law.hessian(x)), len(x)
    laplacian = curvature + slope @ slope  # of the density, over the density

    def rate(**at):
        carried = drift(x=size, slope=curvature) + np.sum(drift(x=x, slope=slope) * slope)
        return law(x) * (squared_noise / 2 * laplacian - carried)

    by_x, by_slope = abs(drift(x=1.0, slope=0.0)), abs(drift(x=0.0, slope=1.0))
    terms = by_x * (size + np.abs(x) @ np.abs(slope)) + (by_slope + abs(squared_noise)) * (10 + slope @ slope)
    return matches(rate, {}, density_rate(world, way, x), magnitude=law(x) * terms)


# Gaussian vectors


def solved(drift, diffusion, level, beta, begin, end):
    """The linear equation of such a vector, solved: what it begins with is stretched, and noise comes in.

    A process may begin late and end early.
    """

    def slope(time, state):
        at = moving(unscaled, level, time)[1] | {"beta": beta}
        growth = drift(**at, score=-1 / (SPREADS + at["sigma"] ** 2))
        noise = np.sign(end - begin) * diffusion(**at) ** 2
        return np.concatenate([growth, 2 * growth * state[3:] + noise])

    @cache
    def stretched():
        path = solve_ivp(slope, (begin, end), np.zeros(6), "DOP853", rtol=1e-13, atol=1e-14)
        log_scale, variance = np.split(path.y[:, -1], 2)
        return exp(log_scale), sqrt(variance)

    def draw(rng, n):
        scale, spread = stretched()
        z = sqrt(SPREADS + level(begin) ** 2) * rng.standard_normal((n, 3))
        return (MEAN + scale * z + spread * rng.standard_normal((n, 3)),)

    def scores(x):
        z = (x - MEAN) / sqrt(SPREADS + level(end) ** 2)
        return [row for k in range(3) for row in moments(z[:, k], 0.0, 1.0, (1.0, 3.0, 15.0))]

    return draw, scores


def followed(drift, diffusion, level, beta, begin, end):
    """Of chains with few steps and with more, means and variances are extrapolated to those at the end."""
    kept = SPREADS + level(begin) ** 2

    def steps(count):
        """The length of a step, which is negative backwards, and the letters in the middle of each."""
        h = (end - begin) / count
        return h, [moving(unscaled, level, begin + h * (k + 0.5))[1] | {"beta": beta} for k in range(count)]

    def draw(rng, n):
        ends = []
        for count in FEW:
            x, (h, letters) = MEAN + sqrt(kept) * rng.standard_normal((n, 3)), steps(count)
            for at in letters:
                slope = (MEAN - x) / (SPREADS + at["sigma"] ** 2)
                x = x + h * drift(**at, score=slope) + sqrt(abs(h)) * diffusion(**at) * rng.standard_normal((n, 3))
            ends.append(x)
        return ends

    def variances(count):
        """The variances at the end of a chain with the drift and the noise of the page."""
        variance, (h, letters) = kept, steps(count)
        for at in letters:
            spread = 2 * beta * at["sigma"] ** 2
            rate = (at["sigma_dot"] * at["sigma"] - np.sign(h) * spread / 2) / (SPREADS + at["sigma"] ** 2)
            variance = (1 + h * rate) ** 2 * variance + abs(h) * spread
        return variance

    weighed = RICHARDSON[:, None] * np.array([variances(count) for count in FEW])
    linear, second = np.sum(RICHARDSON[:, None] * weighed, axis=0), np.sum(2 * weighed**2, axis=0)
    fourth = 3 * second**2 + np.sum(48 * weighed**4, axis=0)  # cumulants of independent squares add up

    def scores(*ends):
        last = np.tensordot(RICHARDSON, ends, axes=1)
        square = np.tensordot(RICHARDSON, (np.array(ends) - MEAN) ** 2, axes=1)
        rows = []
        for k, variance in enumerate(SPREADS + level(end) ** 2):
            rows += moments(last[:, k], MEAN[k], None, (linear[k], 3 * linear[k] ** 2, np.inf))
            rows += moments(square[:, k], variance, None, (second[k], fourth[k], np.inf))
        return rows

    return draw, scores
