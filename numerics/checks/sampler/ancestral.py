"""What tries to refute the page on ancestral steps: noise in two portions, simulated, and by adding precisions.

Run from level to level, with a draw of x_0 in the place of its mean, a step has to keep every marginal; with the mean
it does so in the limit of many steps.
"""

import numpy as np
from hypothesis import strategies as st
from numpy import sqrt

from ...solvers.grids import Level, karras, log_snr
from ...solvers.steps import step
from ...statistics import below, both, for_all, hermite, law, matches, sampled, standardised_by
from ..chains import drawing, has_laws, keeps_law
from ..finer import sloped, tends
from ..reversal.posterior import ends
from ..reversal.step import CLUSTERS, GAUSSIANS, pairs
from ..vlb.matching import DIRECTIONS, SOME_IN_SPACE, SPACE

POINTS = [(CLUSTERS, 1.37, 0.83), (GAUSSIANS[0][0], 0.61, 0.29), (GAUSSIANS[1][0], 2.3, 1.7)]  # sigma_t, sigma_s
levels = st.builds(lambda high, part: (high, part * high), st.floats(0.05, 30), st.floats(0.1, 0.95))


def ve_ancestral(mean, variance, along_score, down):
    """Given both ends, draws and precisions; the score of a world; an Euler step, and noise; chains of each."""

    def by_euler(x_t, predicted_x_0, **at):
        return x_t + (down(**at) - at["sigma_t"]) / at["sigma_t"] * (x_t - predicted_x_0)

    def in_all(**at):
        return down(**at) ** 2 + variance(**at)

    def follows(world, x_t, sigma_t, sigma_s):
        at = letters(sigma_t, sigma_s, x_t=x_t, marginal=world.affine(1.0, sigma_t**2))
        denoised = world.conditioned(1.0, sigma_t**2, x_t).mean
        return matches(along_score, at, *between(denoised, x_t, sigma_t, sigma_s))

    def whitened(sigma_t, sigma_s, direction=1.0):
        at = letters(sigma_t, sigma_s)

        def scores(*chain):
            x_0, x_s, x_t = (x @ direction if x.ndim > 1 else x for x in chain)
            expected = mean(x_t=x_t, predicted_x_0=x_0, **at)
            return law(standardised_by(x_s, expected, variance(**at)), given=(x_0, x_t))

        return scores

    for world, sigma_t, sigma_s in POINTS:
        yield from both(noised(world, sigma_t, sigma_s), whitened(sigma_t, sigma_s), by=hermite.over(world.weights))
    _, sigma_t, sigma_s = POINTS[0]
    yield sampled(noised(SPACE, sigma_t, sigma_s), whitened(sigma_t, sigma_s, DIRECTIONS[0]), resolves=1e-2)

    def at_ends(formula, x_0, x_t, level):
        return matches(formula, letters(*level, x_t=x_t, predicted_x_0=x_0), *between(x_0, x_t, *level))

    for formula in (mean, by_euler):
        yield for_all(x_0=ends, x_t=ends, level=levels)(
            lambda x_0, x_t, level, formula=formula: at_ends(formula, x_0, x_t, level)
        )
    yield for_all(level=levels)(lambda level: matches(variance, letters(*level), left(*level)))
    yield for_all(level=levels)(lambda level: matches(in_all, letters(*level), level[1] ** 2))
    yield for_all(level=levels)(lambda level: below(down, letters(*level), level[1], strict=True))
    yield for_all(level=levels, examples=50)(lambda level: follows(SPACE, SOME_IN_SPACE, *level))
    yield for_all(world=pairs, x_t=ends, level=levels)(lambda world, x_t, level: follows(world, x_t, *level))
    yield keeps_law(ancestral(mean, variance), karras(4, 5.3, 0.29, to_zero=False), CLUSTERS)
    for (data, _), mean_of in zip(GAUSSIANS, (mean, along_the_score(along_score), by_euler), strict=True):
        yield from has_laws(drawing(ancestral(mean_of, variance)), karras(7, 23.0, 0.05), data)
        yield tends(ancestral(mean_of, variance), lambda n: log_snr(n, 9.0, 0.3, units="ve"), data)


def letters(sigma_t, sigma_s, **more):
    return {"sigma_t": sigma_t, "sigma_s": sigma_s, "part": sigma_s / sigma_t, **more}


def ancestral(mean, variance):
    """The row of a step: where it leads, and fresh noise."""

    def kernel(t, s, data):
        def moved(fresh, **at):
            return mean(**at) + sqrt(variance(**at)) * fresh

        return step(moved, t, s, letters(np.float64(t.sigma), np.float64(s.sigma)), units="ve")

    return kernel


def along_the_score(along_score):
    """The mean of a step, with the score of the law of which the mean of x_0 is known."""

    def mean(x_t, predicted_x_0, sigma_t, **at):
        marginal = sloped(Level(1.0, sigma_t, 0.0), x_t, predicted_x_0)
        return along_score(x_t=x_t, sigma_t=sigma_t, marginal=marginal, **at)

    return mean


def noised(world, sigma_t, sigma_s):
    """Draws of x_0, x_s and x_t: noise up to one level, and more up to the other."""

    def draw(rng, n):
        x_0 = world.sample(rng, n)
        x_s = x_0 + sigma_s * rng.standard_normal(x_0.shape)
        return x_0, x_s, x_s + sqrt(sigma_t**2 - sigma_s**2) * rng.standard_normal(x_0.shape)

    return draw


def left(sigma_t, sigma_s):
    """The variance of x_s given both ends: precisions add."""
    return 1 / (1 / sigma_s**2 + 1 / ((sigma_t - sigma_s) * (sigma_t + sigma_s)))


def between(x_0, x_t, sigma_t, sigma_s):
    """The mean of x_s given both ends, each with its precision; and the size of its terms."""
    variance = left(sigma_t, sigma_s)
    from_x_t = variance / ((sigma_t - sigma_s) * (sigma_t + sigma_s))
    return x_0 * (variance / sigma_s**2) + x_t * from_x_t, abs(x_0) + abs(x_t)
