r"""What tries to refute the page on guidance without a classifier: groups of clusters in three and five dimensions.

What is predicted with and without the label is a regression, and the tilted density is written down and differentiated
by complex steps.
"""

from hypothesis import strategies as st
from numpy import log, sqrt

from ...statistics import for_all, matches
from ..reversal.step import between, pairs
from .classifier import GROUPS, levels, predictions, size_of, slope_in_space, vectors

weights, numbers = st.floats(-1.5, 4), st.floats(-2, 2)
some = {"group": st.sampled_from(GROUPS), "alpha_bar": between, "x": vectors, "w": weights}
on_the_line = {"world": pairs, "alpha_bar": levels, "line": numbers, "noise": st.floats(0.3, 2)}
on_the_line |= {"x": numbers, "y": numbers, "w": weights}


def cfg(guided, scaled, tilted):
    """The slope of the tilted density in space; its height on the line, where the label is x_0 with noise."""

    def followed(formula):
        def found(group, alpha_bar, x, w):
            slope = slope_in_space(group, alpha_bar, x, lambda labelled, every: labelled ** (1 + w) / every**w)
            at, size = seen(group, alpha_bar, x, w), (1 + 2 * abs(w)) * size_of(alpha_bar, x)
            return matches(formula, at, -sqrt(1 - alpha_bar) * slope, magnitude=size)

        return for_all(examples=50, **some)(found)

    def height(world, alpha_bar, line, noise, x, y, w):
        given, law = world.conditioned(line, noise, y).marginal(alpha_bar)(x), world.marginal(alpha_bar)(x)
        value, size = given ** (1 + w) * law**-w, (1 + abs(w)) * (3 + abs(log(given)) + abs(log(law)))
        at = {"x_t": x, "y": y, "w": w, "frequency": world.affine(line, noise)}
        at["conditional"] = lambda x, y: world.conditioned(line, noise, y).marginal(alpha_bar)(x)
        at["noisy"] = lambda y, x: world.posterior(alpha_bar, x).affine(line, noise)(y)
        return matches(tilted, at, value, magnitude=value * size)

    yield followed(guided)
    yield followed(scaled)
    yield for_all(examples=50, **on_the_line)(height)


def seen(group, alpha_bar, x, w):
    """What is predicted at x, without the label and with it."""
    expected, wanted = predictions(group, alpha_bar, x)
    return {"predicted_noise": expected, "conditional_noise": wanted, "w": w}
