r"""What tries to refute the page on Fokker and Planck: densities of mixtures at times that differ, and short steps.

A mixture goes through a diffusion component by component, so that its density, its distribution function and the mean
of a wave are known at all times, at complex ones as well: :math:`F(t+iH)` is :math:`F(t)+iH\dot F(t)`.
"""

from dataclasses import dataclass
from functools import cache, partial

import numpy as np
from numpy import exp, sqrt
from scipy.special import ndtr

from ...solvers.grids import Grid
from ...statistics import both, gauss_hermite, limit, matches, moments, sampled
from ...worlds import Mixture, gaussian, mixture
from ..chains import one_by_one, tends_to_the_flow
from ..finer import own_row, sloped, tends
from ..reversal.step import GAUSSIANS
from .moments import DIFFUSIONS, FEW, TIMES, extrapolated, rate_of

WORLDS = [
    gaussian(0.37, 1.83),
    mixture([0.31, 0.69], [-1.13, 1.47], [0.23, 0.41]),
    mixture([0.23, 0.46, 0.31], [-1.61, 0.29, 1.33], [0.61, 0.17, 0.29]),
]
SPACE = mixture(
    [0.43, 0.57],
    [[-1.13, 0.41, 0.87], [1.19, -0.67, -0.29]],
    [
        [[0.93, 0.21, -0.17], [0.21, 0.61, 0.07], [-0.17, 0.07, 0.37]],
        [[0.41, -0.13, 0.19], [-0.13, 0.77, 0.11], [0.19, 0.11, 1.13]],
    ],
)
SOME_X = np.array([-1.27, 0.19, 1.71])
SOME_PLACES = np.array([[-1.27, 0.19, 0.71], [0.43, -0.59, 1.13], [1.61, -0.83, -0.47]])
LAMBDAS = [
    np.array([0.0, 0.59, 1.0])[:, None],
    np.array([0.0, 1.0, 1.73])[:, None],
    np.array([0.31, 0.83, 1.37])[:, None],
]
WAVES = [
    (np.array([0.71, -0.43, 0.57]), 0.3, 0.0),
    (np.array([-0.37, 0.83, 0.29]), 1.1, 1.0),
    (np.array([0.53, 0.61, -0.67]), 0.7, 1.43),
]
BACK = 0.4  # of the time is left, after steps back
SMALL = 2.0 ** -np.arange(8, 15)  # steps


def fokker_planck(rate):
    """The rates of exact densities, on the line and in space; and what a short step of the diffusion makes of them."""
    for world, diffusion, t in zip(WORLDS, DIFFUSIONS, TIMES, strict=True):
        at = letters(world, diffusion, t) | {"x": SOME_X}
        yield matches(rate, at, changed(world, diffusion, t, SOME_X[:, None]), magnitude=sizes(**at))
        yield limit(rate, at, partial(stepped, world, diffusion, t), SMALL)
        at = letters(SPACE, diffusion, t) | {"place": SOME_PLACES}
        size = over_coordinates(sizes)(**at)
        yield matches(over_coordinates(rate), at, changed(SPACE, diffusion, t, SOME_PLACES), magnitude=size)


def reverse_and_pf_ode(drift):
    """What flows through a point on the line; and in space, how the mean of a wave changes under a step back."""
    for world, diffusion, t, lam in zip(WORLDS, DIFFUSIONS, TIMES, LAMBDAS, strict=True):
        at = letters(world, diffusion, t) | {"x": SOME_X, "lam": lam}
        yield matches(drift, at, *flow(world, diffusion, t, lam))
    for diffusion, t, wave in zip(DIFFUSIONS, TIMES, WAVES, strict=True):
        yield from both(
            drawn(SPACE, diffusion, t), waving(drift, diffusion, t, *wave), by=gauss_hermite.over(SPACE.weights)
        )
    world, diffusion, t, lam = WORLDS[0], DIFFUSIONS[0], TIMES[0], 0.83
    before = marginal(world, diffusion, BACK * t)
    chains = [stepwise_back(world, diffusion, t, lam, n) for n in FEW]
    yield sampled(
        steps_back(drift, world, diffusion, t, lam), extrapolated(before.mean, before.variance, chains), resolves=1e-2
    )
    for (data, _), diffusion, t, lams in zip(GAUSSIANS, DIFFUSIONS, TIMES, LAMBDAS, strict=True):
        for lam in lams[1:, 0]:
            yield tends(euler_maruyama(drift, diffusion, lam), times_of(diffusion, t), data)
    for world, diffusion, t in zip(WORLDS[1:], DIFFUSIONS[1:], TIMES[1:], strict=True):
        table_of = partial(one_by_one, euler_maruyama(drift, diffusion, 0.0))
        yield tends_to_the_flow(table_of, world, times_of(diffusion, t))


# Mixtures on their way


def marginal(world, diffusion, t):
    return world.affine(*diffusion.between(0.0, t))


def drawn(world, diffusion, t):
    return lambda rng, n: (marginal(world, diffusion, t).sample(rng, n),)


def letters(world, diffusion, t):
    return {"t": t, "f": diffusion.f, "g": diffusion.g, "marginal": marginal(world, diffusion, t)}


def components(world, diffusion, t):
    """The weights, the means (K, d) and the covariances (K, d, d) at a time that may be complex."""
    a, square = diffusion.between(0.0, t)
    means, covariances = world.centres, world.spread.matrices(world.centres.shape[-1])
    return world.weights, a * means, a**2 * covariances + square * np.eye(means.shape[-1])


def density(world, diffusion, t, x):
    """q_t(x) at places (n, d)."""
    total = 0.0
    for weight, mean, covariance in zip(*components(world, diffusion, t), strict=True):
        away = x - mean
        squares = np.einsum("ni,ij,nj->n", away, np.linalg.inv(covariance), away)
        total = total + weight * exp(-squares / 2) / sqrt(np.linalg.det(2 * np.pi * covariance))
    return total


def changed(world, diffusion, t, x):
    """The rate of the density at some places."""
    return rate_of(lambda s: density(world, diffusion, s, x), t)


def below(world, diffusion, t, x):
    """The probability of less than x, on the line."""
    weights, means, variances = components(world, diffusion, t)
    return np.sum(weights * ndtr((x[:, None] - means[:, 0]) / sqrt(variances[:, 0, 0])), axis=-1)


def sizes(x, t, f, g, marginal):
    """Of what is added up for a rate, one coordinate."""
    slope, bend = marginal.score(x), marginal.score_slope(x)
    return marginal(x) * (np.abs(f(t)) * (1 + np.abs(x * slope)) + g(t) ** 2 * (slope**2 + np.abs(bend)))


def stepped(world, diffusion, t, h):
    """(q_{t+h} - q_t)/h, after one step of Euler and Maruyama from x_t on."""
    law = marginal(world, diffusion, t)
    after = law.affine(1 + h * diffusion.f(t), h * diffusion.squared_g(t))(SOME_X)
    return lambda nodes: ((after - law(SOME_X)) / h, after / h)


@dataclass(frozen=True)
class Along:
    """A density in space along one coordinate, at places (n, d)."""

    law: Mixture
    place: np.ndarray
    i: int

    def __call__(self, x):
        return self.law(self.place)

    def log_density(self, x):
        return self.law.log_density(self.place)

    def score(self, x):
        return self.law.score(self.place)[..., self.i]

    def score_slope(self, x):
        return self.law.hessian(self.place)[..., self.i, self.i]


def over_coordinates(rate):
    """The formula of one coordinate, added up over all."""

    def total(place, marginal, **at):
        coordinates = range(place.shape[-1])
        return sum(rate(x=place[..., i], marginal=Along(marginal, place, i), **at) for i in coordinates)

    return total


# Backwards


def flow(world, diffusion, t, lam):
    """What has to flow at x for the probability below x to change as it does, beside what the noise spreads."""
    law = marginal(world, diffusion, t)
    lost = rate_of(lambda s: below(world, diffusion, s, SOME_X), t) / law(SOME_X)
    spread = lam**2 * diffusion.squared_g(t) / 2 * law.score(SOME_X)
    return -lost - spread, np.abs(lost) + np.abs(spread)


def waving(drift, diffusion, t, frequency, phase, lam):
    """A step back from x moves the mean of cos(k x + c) by its generator: on average, as it has changed till t."""
    law, squared_g = marginal(SPACE, diffusion, t), diffusion.squared_g(t)
    given = {"t": t, "f": diffusion.f, "g": diffusion.g, "marginal": law, "lam": lam}

    def mean(time):
        weights, means, covariances = components(SPACE, diffusion, time)
        widths = np.einsum("i,kij,j->k", frequency, covariances, frequency)
        return np.sum(weights * np.cos(np.sum(means * frequency, axis=-1) + phase) * exp(-widths / 2))

    def generator(velocity, x):
        angle = np.sum(x * frequency, axis=-1) + phase
        along, bend = np.sum(velocity * frequency, axis=-1), lam**2 * squared_g / 2 * np.sum(frequency**2)
        return along * np.sin(angle) - bend * np.cos(angle)

    @cache
    def null():
        """The central moments of the generator, with the drift that is Nelson's: half of there, half of back."""
        x, shares = nodes(law)
        there, back = diffusion.f(t) * x, diffusion.f(t) * x - squared_g * law.score(x)
        values = generator((1 - lam**2) / 2 * there + (1 + lam**2) / 2 * back, x)
        away = values - np.sum(shares * values)
        return np.sum(shares * away**2), np.sum(shares * away**4), np.inf

    return lambda x: moments(generator(drift(**given, x=x), x), -rate_of(mean, t), None, null())


def nodes(law):
    """Places and their shares, by Gauss and Hermite for each component."""
    z, w = np.polynomial.hermite_e.hermegauss(20)
    grid = np.array(np.meshgrid(z, z, z, indexing="ij")).reshape(3, -1).T
    weights = np.prod(np.meshgrid(w, w, w, indexing="ij"), axis=0).ravel() / w.sum() ** 3
    roots = np.linalg.cholesky(law.covariances)
    places = [mean + np.einsum("ni,ji->nj", grid, root) for mean, root in zip(law.means, roots, strict=True)]
    return np.concatenate(places), np.concatenate([weight * weights for weight in law.weights])


def times_back(t, n):
    """From t back to an earlier time: the length of a step, and when each of n steps begins."""
    return (1 - BACK) * t / n, t - (1 - BACK) * t * np.arange(n) / n


def steps_back(drift, world, diffusion, t, lam):
    """Draws of x_t, and from there steps of Euler and Maruyama back, few of them and more."""
    start = marginal(world, diffusion, t)

    def back(n, x, rng):
        h, times = times_back(t, n)
        for time in times:
            velocity = drift(**letters(world, diffusion, time), x=x, lam=lam)
            x = x - h * velocity + lam * diffusion.g(time) * sqrt(h) * rng.standard_normal(len(x))
        return x

    return lambda rng, n: [back(few, start.sample(rng, n), rng) for few in FEW]


def stepwise_back(world, diffusion, t, lam, n):
    """The mean and the variance after n steps back, if the world is Gaussian: then the score is a line."""
    start, (h, times) = marginal(world, diffusion, t), times_back(t, n)
    mean, variance = start.mean, start.variance
    for time in times:
        law, squared_g = marginal(world, diffusion, time), diffusion.squared_g(time)
        pull = h * (1 + lam**2) / 2 * squared_g / law.variance
        stretch = 1 - h * diffusion.f(time) - pull
        mean, variance = stretch * mean + pull * law.mean, stretch**2 * variance + h * lam**2 * squared_g
    return mean, variance


# Steps back, run as a sampler


def times_of(diffusion, t):
    """The levels at equally spaced times from t back."""

    def grid(n):
        h, times = times_back(t, n)
        times = np.append(times, times[-1] - h)
        a, square = diffusion.between(0.0, times)
        return Grid(a, sqrt(square), times)

    return grid


def euler_maruyama(drift, diffusion, lam):
    """The row of a step back."""

    def kernel(t, s, data):
        h, g = t.time - s.time, diffusion.g(t.time)

        def moved(x_t, predicted_x_0, fresh):
            at = {"t": t.time, "f": diffusion.f, "g": diffusion.g, "marginal": sloped(t, x_t, predicted_x_0)}
            return x_t - h * drift(**at, x=x_t, lam=lam) + lam * g * sqrt(h) * fresh

        return own_row(moved, t)

    return kernel
