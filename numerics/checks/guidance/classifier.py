r"""What tries to refute the page on classifiers: data on the line with labels that are numbers, and labelled clusters.

On the line all is integrated over x_0: what is expected given a label is a mean over what may be behind x_t, tilted by
p(y | x_0). In space the label is the cluster, or the group of clusters, that x_0 is drawn from, and what is expected is
a regression within them. The gradient of log p_t(y | x) is a complex step: F(x + ih) is F(x) + ih F'(x), and with
h = 1e-30 nothing else is left.
"""

import numpy as np
from hypothesis import strategies as st
from numpy import array, exp, log, sqrt

from ...quadrature import expectation_of, integral_of, settled
from ...statistics import close, for_all, matches
from ...worlds import gaussian, mixture, normal
from ..parameterization.conversions import FIVE, SPACE
from ..reversal.step import CLUSTERS, SOME_X_T, between, pairs

H = 1e-30
LINES = [
    (gaussian(0.37, 1.83), 0.404, (0.9, -0.7, 0.61)),
    (CLUSTERS, 0.673, (-1.3, 0.4, 0.37)),
    (mixture([0.57, 0.28, 0.15], [-0.71, 0.93, 2.1], [0.37, 0.62, 0.49]), 0.237, (0.5, 1.1, 1.43)),
]
SOME_Y = array([0.83, -0.59, 0.27])
GROUPS = [(SPACE, [0]), (FIVE, [1]), (FIVE, [0, 2])]  # clusters with the same label

labels = st.tuples(st.floats(-2, 2), st.floats(-2, 2), st.floats(0.3, 2))
vectors = st.lists(st.floats(-2, 2), min_size=5, max_size=5).map(array)
levels = st.floats(0.05, 0.95)


def bayes_score(classifier, guided_score, guided_noise):
    """Labels that bend with x_0 on the line, and groups of clusters in three and five dimensions."""

    def averaged(world, alpha_bar, label):
        clean, marginal = labelling(*label), world.marginal(alpha_bar)
        at = {"alpha_bar": alpha_bar, "x_t": SOME_X_T, "y": SOME_Y, "marginal": marginal, "clean": clean}
        at["guess"] = lambda x_0, x_t: behind(world, alpha_bar, x_t)(x_0) / marginal(x_t)
        return close(
            classifier, at, expectation_of(lambda x_0: clean(SOME_Y, x_0), behind(world, alpha_bar), width=2.0)
        )

    def on_the_line(world, alpha_bar, clean):
        root, seen = sqrt(1 - alpha_bar), behind(world, alpha_bar)
        labelled = lambda x_0: clean(SOME_Y, x_0) * seen(x_0)
        noise = lambda x_0: (SOME_X_T - sqrt(alpha_bar) * x_0) / root
        at = {"alpha_bar": alpha_bar, "score": world.marginal(alpha_bar).score(SOME_X_T)}
        at["predicted_noise"] = settled(expectation_of(noise, seen, width=2.0))
        at["gradient"] = slope_of_classifier(world, alpha_bar, clean)
        yield close(guided_noise, at, expectation_of(noise, labelled, width=2.0))
        yield close(guided_score, at, expectation_of(lambda x_0: -noise(x_0) / root, labelled, width=2.0))

    def shifted(group, alpha_bar, x):
        expected, wanted = predictions(group, alpha_bar, x)
        at = {"alpha_bar": alpha_bar, "predicted_noise": expected, "score": -expected / sqrt(1 - alpha_bar)}
        at["gradient"] = slope_in_space(group, alpha_bar, x, lambda labelled, every: labelled / every)
        return at, wanted, size_of(alpha_bar, x)

    def noise_in_space(**drawn):
        at, wanted, size = shifted(**drawn)
        return matches(guided_noise, at, wanted, magnitude=size)

    def score_in_space(**drawn):
        at, wanted, size = shifted(**drawn)
        return matches(guided_score, at, -wanted / sqrt(1 - at["alpha_bar"]), magnitude=size)

    for world, alpha_bar, label in LINES:
        yield averaged(world, alpha_bar, label)
        yield from on_the_line(world, alpha_bar, labelling(*label))
    yield for_all(examples=30, world=pairs, alpha_bar=levels, label=labels)(averaged)
    some = {"group": st.sampled_from(GROUPS), "alpha_bar": between, "x": vectors}
    yield for_all(examples=50, **some)(score_in_space)
    yield for_all(examples=50, **some)(noise_in_space)


# On the line


def labelling(line, bend, noise):
    """p(y | x_0) of a label that bends with x_0, and has noise of its own."""
    return lambda y, x_0: normal(y, line * x_0 + bend * np.sin(x_0), noise)


def behind(world, alpha_bar, x=SOME_X_T):
    """What may be behind x_t, up to its normaliser."""
    return lambda x_0: world(x_0) * normal(x, sqrt(alpha_bar) * x_0, 1 - alpha_bar)


def slope_of_classifier(world, alpha_bar, clean):
    """The slope of log p_t(y | x) in x."""
    seen = behind(world, alpha_bar, SOME_X_T + 1j * H)
    both = [integral_of(f, width=2.0) for f in (lambda x_0: clean(SOME_Y, x_0) * seen(x_0), seen)]

    def rule(nodes):
        (above, _), (below, _) = (each(nodes) for each in both)
        return np.imag(log(above / below)) / H, np.ones_like(SOME_X_T)

    return settled(rule)


# In space


def within(world, chosen):
    """The data that have one label: some of the clusters."""
    weights = world.weights[chosen] / np.sum(world.weights[chosen])
    spreads = world.variances if world.dimension is None else world.covariances
    return mixture(weights, world.means[chosen], spreads[chosen])


def predictions(group, alpha_bar, x):
    """The noise that one expects at x, without the label and with it."""
    world, chosen = group
    x = x[: world.dimension]
    means = (law.posterior(alpha_bar, x).mean for law in (world, within(world, chosen)))
    return [(x - sqrt(alpha_bar) * mean) / sqrt(1 - alpha_bar) for mean in means]


def size_of(alpha_bar, x):
    """How large the terms of scores are."""
    return (3 + np.max(np.abs(x))) / (1 - alpha_bar)


def slope_in_space(group, alpha_bar, x, f):
    """The gradient of log f(q_t(x, y), q_t(x)), one complex step a coordinate; each density up to one factor."""
    world, chosen = group
    law, x = world.marginal(alpha_bar), x[: world.dimension]
    apart = x + 1j * H * np.eye(len(x)) - law.means[:, None]
    squares = np.einsum("knd,kde,kne->kn", apart, np.linalg.inv(law.covariances), apart)
    height = law.weights / sqrt(np.linalg.det(law.covariances))
    terms = height[:, None] * exp((np.min(np.real(squares)) - squares) / 2)
    return np.imag(log(f(np.sum(terms[chosen], axis=0), np.sum(terms, axis=0)))) / H
