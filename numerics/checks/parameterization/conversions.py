"""What tries to refute the page on conversions: what exact networks would predict, in several dimensions.

The mean of x_0 and that of the noise are found by two regressions on x_t, and the score from the density of x_t.
"""

import numpy as np
from hypothesis import strategies as st
from numpy import array, cos, sin

from ...statistics import for_all, matches
from ...worlds import mixture

SPACE = mixture(
    [0.37, 0.63],
    [[-0.83, 0.41, 1.07], [1.19, -0.67, 0.29]],
    [
        [[0.53, 0.21, 0.0], [0.21, 0.34, -0.07], [0.0, -0.07, 0.71]],
        [[0.29, -0.11, 0.05], [-0.11, 0.61, 0.0], [0.05, 0.0, 0.43]],
    ],
)
FIVE = mixture(
    [0.23, 0.31, 0.46],
    [[0.9, -1.3, 0.2, 0.6, -0.4], [-0.7, 0.5, 1.1, -0.2, 0.8], [0.1, 0.4, -0.9, 1.2, 0.3]],
    [0.31, 0.57, 0.19],
)

H = 1e-30

worlds, factors = st.sampled_from([SPACE, FIVE]), st.floats(0.3, 3)
vectors = st.lists(st.floats(-3, 3), min_size=5, max_size=5).map(array)
angles = st.floats(0.02, 1.55)
apart = st.builds(lambda x, k: x + np.eye(5)[k] * np.where(x[k] < 0, -1, 1), vectors, st.integers(0, 4))  # not 0


def conversions(x_0_from_noise, noise_from_x_0, score_from_noise, score_from_x_0):
    """The exact predictions in worlds of three and five dimensions, each from another."""
    for formula, wanted in (
        (x_0_from_noise, "predicted_x_0"),
        (noise_from_x_0, "predicted_noise"),
        (score_from_noise, "score"),
        (score_from_x_0, "score"),
    ):

        def converted(world, a, b, x, formula=formula, wanted=wanted):
            x_t = x[: world.dimension]
            exact = predictions(world, a, b, x_t)
            size = (1 + np.max(np.abs(x_t)) + a * np.max(np.abs(exact["predicted_x_0"]))) / min(a, b**2, b, 1.0)
            return matches(formula, {"a": a, "b": b, "x_t": x_t, **exact}, exact[wanted], magnitude=size)

        yield for_all(examples=50, world=worlds, a=factors, b=factors, x=vectors)(converted)


def v_prediction(velocity, x_0_from_v, noise_from_v):
    """The velocity along the circle, and the way back, for vectors."""

    def of(formula, which):
        def found(phi, x_0, noise):
            at, size = on_the_circle(phi, x_0, noise), np.max(np.abs([x_0, noise]))
            return matches(formula, at, at[which], magnitude=1 + size)

        return for_all(phi=angles, x_0=vectors, noise=vectors)(found)

    yield of(velocity, "v")
    yield of(x_0_from_v, "x_0")
    yield of(noise_from_v, "noise")


def loss_equivalence(noise_weight, velocity_weight, score_weight):
    """The errors of vectors that are predicted from one x_t."""

    def compared(formula, counted, against):
        def found(phi, x_0, noise, error):
            true, predicted = (on_the_circle(phi, x, noise) for x in (x_0, x_0 + error))
            predicted["noise"] = (true["x_t"] - cos(phi) * predicted["x_0"]) / sin(phi)
            for at in (true, predicted):
                at["v"], at["score"] = cos(phi) * at["noise"] - sin(phi) * at["x_0"], -at["noise"] / sin(phi)
            count, unit = (np.sum((true[what] - predicted[what]) ** 2) for what in (counted, against))
            lost = np.max(np.abs([x_0, error, noise])) / cos(phi) / sin(phi)  # in units of an error of 1 or more
            return matches(formula, true, count / unit, magnitude=(count / unit) * (1 + lost))

        return for_all(phi=angles, x_0=vectors, noise=vectors, error=apart)(found)

    yield compared(noise_weight, "noise", "x_0")
    yield compared(velocity_weight, "v", "x_0")
    yield compared(score_weight, "score", "noise")


def predictions(world, a, b, x_t):
    """The mean of x_0 and of the noise given x_t, and the score of x_t."""
    seen = world.affine(a, b**2)
    pulls = np.linalg.solve(seen.covariances, (x_t - seen.means)[..., None])[..., 0]  # noise and x_t covary by b
    return {
        "predicted_x_0": world.conditioned(a, b**2, x_t).mean,
        "predicted_noise": b * seen.responsibilities(x_t) @ pulls,
        "score": seen.score(x_t),
    }


def on_the_circle(phi, x_0, noise):
    """x_t and its derivative in phi, by a complex step."""
    moved = cos(phi + 1j * H) * x_0 + sin(phi + 1j * H) * noise
    return {"alpha": cos(phi), "x_0": x_0, "noise": noise, "x_t": np.real(moved), "v": np.imag(moved) / H}
