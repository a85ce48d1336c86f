"""What tries to refute the page on likelihood: points that keep their quantiles, and entropies before and after.

On the line trajectories of the flow do not cross, so that they are known without following them; three lines are three
coordinates.  Rates are differences over shorter and shorter times.
"""

import numpy as np
from hypothesis import strategies as st
from numpy import exp, log, sqrt

from ...solvers.transport import carried
from ...statistics import Hermite, both, for_all, limit, matches
from ...statistics import moments as mean_and_variance
from ...worlds import gaussian, mixture
from .moments import DIFFUSIONS, TIMES, Function, diffusions, rate_of, times

LINES = [
    mixture([0.31, 0.69], [-1.13, 1.47], [0.23, 0.41]),
    gaussian(0.37, 1.83),
    mixture([0.57, 0.28, 0.15], [-0.71, 0.93, 2.1], [0.17, 0.62, 0.29]),
]
POINTS = [np.array([-0.83, 0.47, 1.31]), np.array([2.1, -1.7, 0.77]), np.array([0.29, 1.13, -0.94])]
CLOUD = mixture(
    [0.37, 0.63],
    [[-0.83, 0.41, 0.57], [1.19, -0.67, -0.23]],
    [
        [[0.53, 0.21, -0.07], [0.21, 0.34, 0.11], [-0.07, 0.11, 0.43]],
        [[0.29, -0.11, 0.05], [-0.11, 0.61, 0.17], [0.05, 0.17, 0.37]],
    ],
)
SHORTER = 0.03 / 2 ** np.arange(6)
CORNERS = np.array(np.meshgrid(*[[-1.0, 1.0]] * 3)).reshape(3, -1).T  # of a cube: probes
SPREAD = np.array([0.31, 1.73, 2.9])  # on the axes of a Gaussian
PRESERVED = [(0.83, 0.217), (1.9, 0.613), (3.1, 0.871)]  # beta, alpha_bar


def likelihood(velocity, rate, probe_variance):
    """Where points go that keep their quantiles, and what becomes of the density there; averages over probes."""
    for diffusion, t, x in zip(DIFFUSIONS, TIMES, POINTS, strict=True):
        on_lines = on_the_lines(velocity, diffusion, t, x)
        yield limit(velocity, on_lines, moved(diffusion, t, x), SHORTER)
        yield limit(rate, on_lines, thinned(diffusion, t, x), SHORTER)
        yield limit(rate, in_space(velocity, diffusion, t, x), thinned_in_space(velocity, diffusion, t, x), SHORTER)
        jacobian = diffusion.f(t) * np.eye(3) - diffusion.squared_g(t) / 2 * at_time(CLOUD, diffusion, t).hessian(x)
        trace = np.trace(jacobian)
        probed = np.mean(np.einsum("ni,ij,nj->n", CORNERS, jacobian, CORNERS))
        yield matches(lambda trace, probed=probed: probe_variance() * probed, {"trace": trace}, trace)
        yield from both(probes(probe_variance), traces(jacobian), by=Hermite(degree=4))


def de_bruijn(entropy_rate, preserved_rate):
    """Entropies before and after, of mixtures on lines and of Gaussians in space."""

    def of_a_gaussian(diffusion, t, spread):
        return matches(entropy_rate, *of_gaussians(diffusion, t, spread))

    def where_it_is_preserved(beta, alpha_bar, spread):
        return matches(preserved_rate, *of_preserved_gaussians(beta, alpha_bar, spread))

    for diffusion, t in zip(DIFFUSIONS, TIMES, strict=True):
        laws = [at_time(line, diffusion, t) for line in LINES]
        at = letters(diffusion, t, dim=3, fisher=np.sum([law.fisher() for law in laws]))
        yield limit(entropy_rate, at, gained(diffusion, t), SHORTER)
        yield of_a_gaussian(diffusion, t, SPREAD)
    for beta, alpha_bar in PRESERVED:
        laws = [line.marginal(alpha_bar) for line in LINES]
        at = {"beta": beta, "dim": 3, "t": 0.0, "fisher": always(np.sum([law.fisher() for law in laws]))}
        yield limit(preserved_rate, at, gained_where_preserved(beta, alpha_bar), SHORTER)
        yield where_it_is_preserved(beta, alpha_bar, SPREAD)
    spreads = st.lists(st.floats(0.1, 5), min_size=3, max_size=3).map(np.array)
    yield for_all(diffusion=diffusions, t=times, spread=spreads, examples=50)(of_a_gaussian)
    yield for_all(beta=st.floats(0.1, 5), alpha_bar=st.floats(0.05, 0.95), spread=spreads)(where_it_is_preserved)


def always(value):
    """A function of time that does not change."""
    return Function(lambda t: value)


def letters(diffusion, t, dim, fisher=0.0):
    return {"t": t, "f": diffusion.f, "g": diffusion.g, "dim": dim, "fisher": always(fisher)}


def at_time(world, diffusion, t):
    return world.affine(*diffusion.between(0.0, t))


# Along the flow


def with_the_product(velocity, at):
    """The letters of a point, with the product of the velocity there and the score."""
    return at | {"drifted": np.sum(velocity(**at) * at["slope"])}


def on_the_lines(velocity, diffusion, t, x):
    """The letters at a point whose coordinates are on independent lines."""
    laws = [at_time(line, diffusion, t) for line in LINES]
    slope = np.array([law.score(z) for law, z in zip(laws, x, strict=True)])
    curvature = sum(law.score_slope(z) for law, z in zip(laws, x, strict=True))
    return with_the_product(velocity, letters(diffusion, t, 3) | {"x": x, "slope": slope, "curvature": curvature})


def in_space(velocity, diffusion, t, x):
    """The letters at a point of a cloud whose coordinates depend on each other."""
    law = at_time(CLOUD, diffusion, t)
    at = {"x": x, "slope": law.score(x), "curvature": np.trace(law.hessian(x))}
    return with_the_product(velocity, letters(diffusion, t, 3) | at)


def on_its_way(diffusion, t, x, time):
    """The laws on the lines at this time, the points with the quantiles of x at t, and how well they are known."""
    pairs = [(at_time(line, diffusion, t), at_time(line, diffusion, time)) for line in LINES]
    there = np.array([carried(now, then, z) for (now, then), z in zip(pairs, x, strict=True)])
    laws = [then for _, then in pairs]
    tails = [min(law.cdf(z), 1 - law.cdf(z)) / law(z) for law, z in zip(laws, there, strict=True)]
    return laws, there, np.abs(there) + tails


def moved(diffusion, t, x):
    """How fast a point moves that keeps its quantile."""

    def value_at(h):
        (_, after, size), (_, before, _) = (on_its_way(diffusion, t, x, t + step) for step in (h, -h))
        return lambda nodes: ((after - before) / (2 * h), size / h)

    return value_at


def thinned(diffusion, t, x):
    """How fast the log density changes at such a point."""

    def value_at(h):
        sides = [on_its_way(diffusion, t, x, t + step) for step in (h, -h)]
        after, before = (
            np.array([law.log_density(z) for law, z in zip(laws, there, strict=True)]) for laws, there, _ in sides
        )
        steep = [np.abs(law.score(z)) * size for law, z, size in zip(*sides[0], strict=True)]
        return lambda nodes: (np.sum(after - before) / (2 * h), np.sum(np.abs(after) + steep) / h)

    return value_at


def thinned_in_space(velocity, diffusion, t, x):
    """The same in space, at a point that moves with the velocity."""

    def value_at(h):
        at = in_space(velocity, diffusion, t, x)
        step = h * velocity(**at)
        after, before = (at_time(CLOUD, diffusion, t + k * h).log_density(x + k * step) for k in (1, -1))
        return lambda nodes: ((after - before) / (2 * h), (np.abs(after) + np.abs(at["slope"]) @ np.abs(x)) / h)

    return value_at


# Probes


def probes(probe_variance):
    return lambda rng, n: (sqrt(probe_variance()) * rng.standard_normal((n, 3)),)


def traces(jacobian):
    """A probe sees the trace on average."""
    second = 2 * np.sum(jacobian**2)
    fourth = 3 * second**2 + 48 * np.sum((jacobian @ jacobian) ** 2)

    def scores(probe):
        seen = np.einsum("ni,ij,nj->n", probe, jacobian, probe)
        return mean_and_variance(seen, np.trace(jacobian), None, (second, fourth, np.inf))

    return scores


# Entropies


def gained(diffusion, t):
    """How fast the entropies on the lines grow, together."""
    return growing(lambda line, time: at_time(line, diffusion, time).entropy(), t)


def gained_where_preserved(beta, alpha_bar):
    """With a constant beta, alpha_bar falls exponentially."""
    return growing(lambda line, time: line.marginal(alpha_bar * exp(-beta * time)).entropy(), 0.0)


def growing(entropy, t):
    def value_at(h):
        after, before = (sum(entropy(line, t + step) for line in LINES) for step in (h, -h))
        return lambda nodes: ((after - before) / (2 * h), (np.abs(after) + 3) / h)

    return value_at


def of_gaussians(diffusion, t, spread):
    """The letters, and the rate of the entropy, with these variances on the axes of a Gaussian at the beginning."""

    def variances(time):
        a, square = diffusion.between(0.0, time)
        return a**2 * spread + square

    at = letters(diffusion, t, dim=3, fisher=np.sum(1 / variances(t)))
    size = 3 * np.abs(diffusion.f(t)) + diffusion.squared_g(t) * np.sum(1 / variances(t))
    return at, rate_of(lambda time: np.sum(log(variances(time))) / 2, t), size


def of_preserved_gaussians(beta, alpha_bar, spread):
    """The same where the variance is preserved, with a constant beta."""

    def variances(time):
        left = alpha_bar * exp(-beta * time)
        return left * spread + 1 - left

    def fisher(time):
        return np.sum(1 / variances(time))

    at = {"beta": beta, "dim": 3, "t": 0.0, "fisher": Function(fisher)}
    return at, rate_of(lambda time: np.sum(log(variances(time))) / 2, 0.0), beta * (fisher(0.0) + 3)
