"""What tries to refute the page on scales: denoisers, scores and variances of one process at two scales."""

import numpy as np
from numpy import sqrt

from ...statistics import for_all, matches
from .conversions import factors, vectors, worlds


def vp_ve_edm(noise_level, denoised, score):
    """The same world, noised and scaled, and with noise added to it as it is."""

    def of(formula, expected):
        def found(world, a, b, x):
            u = x[: world.dimension]
            at = {"a": a, "b": b, "u": u, "score_t": world.affine(a, b**2).score}
            at["denoiser"] = lambda x_t: world.conditioned(a, b**2, x_t).mean
            return matches(formula, at, *expected(world, a, b, u))

        return for_all(examples=50, world=worlds, a=factors, b=factors, x=vectors)(found)

    def noise_per_coordinate(world, a, b, u):
        """How much more x_t/a varies than x_0."""
        grown, before = (np.trace(law.covariance) / len(u) for law in (world.affine(a, b**2), world))
        grown = grown / a**2
        return sqrt(grown - before), (grown + before) / sqrt(grown - before)

    def size(a, b, u):
        return (1 + np.max(np.abs(u))) * (1 + (a / b) ** 2)

    yield of(noise_level, noise_per_coordinate)
    yield of(denoised, lambda world, a, b, u: (world.conditioned(1.0, (b / a) ** 2, u).mean, size(a, b, u)))
    yield of(score, lambda world, a, b, u: (world.affine(1.0, (b / a) ** 2).score(u), size(a, b, u)))
