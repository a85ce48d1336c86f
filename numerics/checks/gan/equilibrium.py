r"""What tries to refute the page on the equilibrium: best responses at the match and elsewhere, and rivals of both."""

import numpy as np
from hypothesis import strategies as st
from numpy import log

from ...quadrature import integral_of, settled
from ...statistics import above, close, for_all, matches
from ...worlds import normal
from .discriminator import SOME_X, WORLDS, answers, gaussians, searched, worlds
from .divergence import game, letters, worth

MOVES = [(0.37, 1.83), (-1.29, 0.31), (2.17, 0.74)]  # where a Gaussian generator is, and its variance


def equilibrium_half(answer, value, gain, cross_entropy, slope):
    """The best response at the match, and what it is worth; what one half is worth elsewhere, and what is better."""
    for p, g in WORLDS:
        for law in (p, g):
            yield matches(answer, {}, answers(searched((law, law), SOME_X))[0])
            yield close(value, {}, worth((law, law)))
        yield close(value, {}, one_half((p, g)))
        yield close(gain, letters((p, g)), left_to_gain((p, g)))
        yield close(cross_entropy, {}, per_example((p, p)))
    for theta, v in MOVES:
        yield close(slope, {}, slope_from_one_half(theta, v))

    yield for_all(law=gaussians, x=st.floats(-3, 3))(
        lambda law, x: matches(answer, {}, answers(searched((law, law), x))[0])
    )
    # The saddle: every discriminator at the match, and every generator against one half.
    yield for_all(law=gaussians, a=st.floats(-3, 3), b=st.floats(-2, 2), examples=20)(
        lambda law, a, b: above(value, {}, settled(game((law, law), a, b), 1e-12))
    )
    yield for_all(world=worlds, examples=20)(lambda world: close(value, {}, one_half(world)))
    yield for_all(world=worlds, examples=8)(lambda world: close(gain, letters(world), left_to_gain(world)))
    yield for_all(theta=st.floats(-3, 3), v=st.floats(0.2, 4), examples=20)(
        lambda theta, v: close(slope, {}, slope_from_one_half(theta, v))
    )


def one_half(world):
    """What the answer one half is worth."""
    return game(world, 0.0, 0.0)


def left_to_gain(world):
    """What the best response is worth more."""
    best, now = worth(world), one_half(world)

    def rule(nodes):
        (most, size), (least, other) = best(nodes), now(nodes)
        return most - least, size + other

    return rule


def per_example(world):
    """The mean cost of the best response, over as many real as generated examples."""
    best = worth(world)

    def rule(nodes):
        value, size = best(nodes)
        return -value / 2, size / 2

    return rule


def slope_from_one_half(theta, v):
    """How fast the worth of one half changes as a Gaussian generator moves, by a complex step."""
    return integral_of(lambda x: np.imag(normal(x, theta + 1e-30j, v)) / 1e-30 * log(0.5), theta, np.sqrt(v))
