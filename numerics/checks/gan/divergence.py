r"""What tries to refute the page on the divergence: best responses that are searched for, and what they are worth.

The worth of the best response is integrated from the answers that a search finds at each point; of densities that are
constant on pieces it is a finite sum. Divergences are integrated from log densities.
"""

import numpy as np
from hypothesis import strategies as st
from numpy import log
from scipy.special import xlogy

from ...quadrature import integral_of, integral_over_plane, settled
from ...statistics import above, below, close, for_all, matches
from ...worlds import gaussian, mixture
from .discriminator import WORLDS, Box, gaussians, searched, worlds

SAME_MEAN = [(0.37, 0.61, 1.22), (-1.29, 0.31, 1.86), (0.83, 0.74, 0.39)]  # mu, v, s
OPPOSITE = [(0.43, 0.61), (1.17, 2.3), (1.91, 0.87)]  # mu, v
FAR_APART = [(9.3, 0.83), (11.0, 1.37), (14.2, 2.1)]


of_one_mean = st.builds(
    lambda mu, v, s: (gaussian(mu, v), gaussian(mu, v + s)), st.floats(-2, 2), st.floats(0.2, 4), st.floats(0.1, 4)
)


def criterion_jsd(criterion):
    """The worth of the best response, on the line and in the plane; and rivals, which are worth no more."""
    for world in WORLDS:
        yield close(criterion, letters(world), worth(world))
    # A second coordinate that tells nothing, and other axes.
    world, other = WORLDS[1], WORLDS[2][0]
    yield close(criterion, letters(world), worth_in_the_plane(world, other))

    yield for_all(world=worlds, examples=8)(lambda world: close(criterion, letters(world), worth(world)))
    yield for_all(world=worlds, slope=st.floats(-3, 3), offset=st.floats(-2, 2), examples=20)(
        lambda world, slope, offset: above(criterion, letters(world), settled(game(world, slope, offset), 1e-12))
    )


def global_min(minimum, same_mean):
    """The worth at the match; elsewhere, which is more; and for Gaussians of the same mean."""
    for world in WORLDS:
        yield below(minimum, {}, settled(worth(world)), strict=True)
        yield close(minimum, {}, worth((world[0], world[0])))
    for mu, v, s in SAME_MEAN:
        world = gaussian(mu, v), gaussian(mu, v + s)
        yield close(same_mean, named(world), worth(world))
        yield below(minimum, {}, settled(worth(world)), strict=True)

    yield for_all(law=gaussians, examples=8)(lambda law: close(minimum, {}, worth((law, law))))
    yield for_all(world=worlds, examples=8)(lambda world: below(minimum, {}, settled(worth(world))))
    yield for_all(world=of_one_mean, examples=8)(lambda world: close(same_mean, named(world), worth(world)))


def jsd_bounds(least, most, ceiling):
    """Both ends, met and not: a law and itself; laws that overlap, that are far apart, and whose supports are apart."""
    for law, other in WORLDS:
        yield close(least, {}, divergence((law, law)))
        yield below(least, {}, settled(divergence((law, other))), strict=True)
    for mu, v in OPPOSITE:
        at, world = {"mu": mu, "v": v}, (gaussian(mu, v), gaussian(-mu, v))
        yield above(most, at, settled(divergence(world)), strict=True)
        yield above(ceiling, at, settled(worth(world)), strict=True)
    for mu, v in FAR_APART:
        at, world = {"mu": mu, "v": v}, (gaussian(mu, v), gaussian(-mu, v))
        yield close(most, at, divergence(world))
        yield matches(ceiling, at, settled(worth(world)), magnitude=1.0)
    # Uniform laws: small moves change nothing while there is room between them, or none; then they overlap.
    for room in (0.41, 0.37, 0.0):
        yield matches(most, sides(beside(room)), divergence_of_boxes(beside(room)), magnitude=1.0)
        yield matches(ceiling, sides(beside(room)), worth_of_boxes(beside(room)), magnitude=1.0)
    yield above(most, sides(beside(-0.29)), divergence_of_boxes(beside(-0.29)), strict=True)
    yield above(ceiling, sides(beside(-0.29)), worth_of_boxes(beside(-0.29)), strict=True)

    def between(world):
        p, g = world
        at = {"mu": abs(p.mean - g.mean) / 2, "v": (p.variance + g.variance) / 2}
        found = settled(divergence(world))
        return above(most, at, found), below(least, at, found)

    yield for_all(world=worlds, examples=20)(lambda world: between(world)[0])
    yield for_all(world=worlds, examples=20)(lambda world: between(world)[1])
    yield for_all(room=st.floats(0, 4))(
        lambda room: matches(most, sides(beside(room)), divergence_of_boxes(beside(room)), magnitude=1.0)
    )


# On the line


def named(world):
    """Two Gaussians of the same mean, by their names."""
    return {"narrow": world[0], "wide": world[1]}


def letters(world):
    p, g = world
    parts = ([*of_p, *of_g] for of_p, of_g in ((p.means, g.means), (p.variances, g.variances)))
    return {"data": p, "generator": g, "middle": mixture([*(p.weights / 2), *(g.weights / 2)], *parts)}


def worth(world):
    """What the best response is worth."""
    return integral_of(lambda x: brought(world, x, searched(world, x, steps=40)))


def game(world, slope, offset):
    """What a logistic response is worth."""
    return integral_of(lambda x: brought(world, x, slope * x + offset))


def brought(world, x, a):
    """What an answer with the logit a brings at x."""
    return -world[0](x) * np.logaddexp(0, -a) - world[1](x) * np.logaddexp(0, a)


def divergence(world):
    """The entropy of the mixture less those of its halves, on average."""
    p, g = world

    def mixed(x):
        return np.logaddexp(p.log_density(x), g.log_density(x)) - log(2)

    halves = [integral_of(lambda x, law=law: law(x) * law.log_density(x) / 2) for law in world]
    whole = integral_of(lambda x: -(p(x) + g(x)) / 2 * mixed(x))

    def rule(nodes):
        values, sizes = zip(*(part(nodes) for part in (whole, *halves)), strict=True)
        return np.sum(values), np.sum(sizes)

    return rule


# In the plane


def worth_in_the_plane(world, other):
    """The same in a plane where the second coordinate has one law for both, seen from other axes."""

    def turned(law):
        return lambda at: law(0.6 * at[0] - 0.8 * at[1]) * other(0.8 * at[0] + 0.6 * at[1])

    plane = [turned(law) for law in world]
    return integral_over_plane(lambda *at: brought(plane, at, searched(plane, at, steps=40)))


# Uniform laws


def beside(room):
    """Two of them, with so much room between."""
    return Box(-1.37, 0.23), Box(0.23 + room, 1.61 + room)


def cells(world):
    """The widths of the pieces on which both densities are constant, and a point in each."""
    edges = np.unique([edge for box in world for edge in (box.low, box.high)])
    return np.diff(edges), (edges[1:] + edges[:-1]) / 2


def worth_of_boxes(world):
    widths, x = cells(world)
    return np.sum(widths * brought(world, x, searched(world, x)))


def divergence_of_boxes(world):
    widths, x = cells(world)
    p, g = (box(x) for box in world)
    m = (p + g) / 2
    return np.sum(widths * (xlogy(p, p) + xlogy(g, g) - 2 * xlogy(m, m))) / 2


def sides(world):
    """Half the distance between the two means, and the mean variance."""
    here, there = world
    return {"mu": (there.mean - here.mean) / 2, "v": (here.variance + there.variance) / 2}
