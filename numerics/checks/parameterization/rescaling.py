"""What tries to refute the page on scales: denoisers, scores and variances of one process at two scales."""

import numpy as np
from numpy import sqrt

from ...statistics import for_all, matches
from .conversions import factors, vectors, worlds


def vp_ve_edm(noise_level, denoised, score):
    """The same world, noised and scaled, and with noise added to it as it is."""

    def of(formula, expected):
        def found(world, a, b, x):
            u, variance = x[: world.dimension], b**2 / a**2
            at = {"a": a, "b": b, "u": u, "score_t": world.affine(a, b**2).score}
            at["denoiser"] = lambda x_t: world.conditioned(a, b**2, x_t).mean
            return matches(formula, at, *expected(world, variance, u))

        return for_all(examples=50, world=worlds, a=factors, b=factors, x=vectors)(found)

    def noise_per_coordinate(world, variance, u):
        grown, before = (np.trace(law.covariance) / len(u) for law in (world.affine(1.0, variance), world))
        return sqrt(grown - before), (grown + before) / sqrt(grown - before)

    def size(world, variance, u):
        return (1 + np.max(np.abs(u))) * (1 + 1 / variance)

    yield of(noise_level, noise_per_coordinate)
    yield of(denoised, lambda world, variance, u: (world.conditioned(1.0, variance, u).mean, size(world, variance, u)))
    yield of(score, lambda world, variance, u: (world.affine(1.0, variance).score(u), size(world, variance, u)))
