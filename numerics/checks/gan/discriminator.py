r"""What tries to refute the page on the best discriminator: a search for the best answer, and rivals of it.

At each point the criterion is followed uphill in the logit of the answer, and its slope comes from the criterion itself
by a complex step. Nothing is known of the place where that ends.
"""

import numpy as np
from hypothesis import strategies as st
from numpy import exp, log, log1p

from ...statistics import above, close, for_all, matches
from ...worlds import gaussian, mixture

WORLDS = [  # data and generator
    (gaussian(0.37, 1.83), gaussian(-0.61, 0.79)),
    (mixture([0.31, 0.69], [-1.13, 1.47], [0.23, 0.41]), gaussian(0.43, 1.37)),
    (mixture([0.57, 0.43], [0.71, -0.93], [0.37, 0.62]), mixture([0.23, 0.77], [-1.61, 0.59], [0.83, 1.19])),
]
IN_SPACE = (
    mixture([0.41, 0.59], [[0.37, -0.61, 0.83], [-0.74, 0.29, 0.13]], 0.87),
    gaussian([0.19, 0.23, -0.41], [[1.31, 0.42, -0.27], [0.42, 0.59, 0.11], [-0.27, 0.11, 0.73]]),
)
SOME_X = np.array([-1.27, 0.19, 1.71])
PLACES = [(world, SOME_X) for world in WORLDS] + [(IN_SPACE, np.outer(SOME_X, [0.83, -0.47, 0.61]))]
SHARES = (0.29, 0.83, 0.64)

gaussians = st.builds(gaussian, st.floats(-2, 2), st.floats(0.2, 4))
worlds = st.tuples(gaussians, gaussians)
between = st.floats(0.01, 0.99)
somewhere = {"world": worlds, "x": st.floats(-3, 3)}


def optimal_discriminator(best, curvature):
    """The best answer, searched for; no other brings more; and the second derivative there, by Cauchy's formula."""

    def arrived(world, x):
        answer, _ = answers(found := searched(world, x))
        return matches(best, letters(world, x), answer, magnitude=answer * spread(found))

    def curved(world, x):
        return close(curvature, letters(world, x), second_derivative(world, x))

    def no_rival(world, x, y):
        def value(**at):
            answer = best(**at)
            return criterion(world, x, answer, 1 - answer)

        return above(value, letters(world, x), criterion(world, x, y, 1 - y), magnitude=world[0](x) + world[1](x))

    for world, x in PLACES:
        yield arrived(world, x)
        yield curved(world, x)
    # Where only one of the two lives, the climb ends as high, or as low, as numbers go.
    here, nowhere = Box(-1.31, 0.47), Box(0.83, 2.29)
    for world in [(here, nowhere), (nowhere, here)]:
        yield matches(best, letters(world, -0.71), answers(searched(world, -0.71))[0], magnitude=1.0)

    yield for_all(**somewhere)(arrived)
    yield for_all(**somewhere, y=between)(no_rival)
    yield for_all(**somewhere, examples=40)(curved)


def logit_is_log_ratio(logit, with_prior):
    """The logit at which the climb ends, for as many real as generated examples and for other shares."""

    def arrived(formula, world, x, share=0.5):
        found = searched(world, x, share)
        return matches(formula, letters(world, x, pi=share), found, magnitude=spread(found))

    for world, x in PLACES:
        yield arrived(logit, world, x)
        for share in SHARES:
            yield arrived(with_prior, world, x, share)
    yield for_all(**somewhere)(lambda world, x: arrived(logit, world, x))
    yield for_all(**somewhere, share=between)(lambda world, x, share: arrived(with_prior, world, x, share))


# Climbing


def letters(world, x, **more):
    return {"data": world[0], "generator": world[1], "x": x, **more}


def criterion(world, x, answer, rest):
    """What an answer brings; the rest is what it lacks to one."""
    return world[0](x) * log(answer) + world[1](x) * log(rest)


def searched(world, x, share=0.5, steps=64):
    """The logit that brings most: where the slope is positive, go up, else down, half as far each time."""
    p, g = share * world[0](x), (1 - share) * world[1](x)
    a, stride = np.zeros(np.shape(p)), 350.0
    for _ in range(steps):
        z = a + 1e-30j
        slope = np.imag(-p * log1p(exp(-z)) - g * log1p(exp(z)))
        a, stride = a + stride * np.sign(slope), stride / 2
    return a


def answers(a):
    """The answer with this logit, and what it lacks to one."""
    return 1 / (1 + exp(-a)), 1 / (1 + exp(a))


def spread(a):
    """The size of the two log densities whose difference a logit is."""
    return 4 + 2 * np.abs(a)


def second_derivative(world, x):
    """Of the criterion at the best answer: its mean around a circle, turned twice."""
    answer, rest = answers(searched(world, x))
    radius = np.minimum(answer, rest) / 2

    def rule(nodes):
        turn = exp(2j * np.pi * np.arange(nodes) / nodes).reshape(-1, *[1] * np.ndim(answer))
        around = criterion(world, x, answer + radius * turn, rest - radius * turn)
        terms = 2 * around / (radius * turn) ** 2 / nodes
        return np.sum(np.real(terms), axis=0), np.sum(np.abs(terms), axis=0)

    return rule


class Box:
    """The uniform law between two numbers."""

    def __init__(self, low, high):
        self.low, self.high = low, high
        self.mean, self.variance = (low + high) / 2, (high - low) ** 2 / 12

    def __call__(self, x):
        return np.where((self.low < x) & (x < self.high), 1 / (self.high - self.low), 0.0)

    def log_density(self, x):
        return np.where((self.low < x) & (x < self.high), -log(self.high - self.low), -np.inf)
