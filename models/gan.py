"""What trained networks say about the chapter on adversarial networks.

A discriminator is trained between two known densities; a generator moves against the best answer to it, until nothing
moves it.  What training has left both say themselves: the tolerances know nothing of where it should end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache

import numpy as np
import torch
from numpy import sqrt
from torch import Tensor

from numerics.statistics import stream
from numerics.worlds import mixture

from . import dirac
from .atoms import Given, Lands, Reached, Reaches, event
from .classifier import Classifier, train
from .game import NODES, End, best_response, best_worth, force, logit, modes, play, samples, worth
from .training import Minimum, minimised

DATA = mixture([0.31, 0.69], [-1.13, 1.47], [0.23, 0.41])
GENERATED = mixture([0.57, 0.43], [-0.39, 1.9], [0.83, 0.29])
SHARE = 0.23  # of real examples, where they are rare
RESOLVES = 3e-2
FAR_APART = 14.0
UPDATES = 4000

NEARBY = np.array([1e-5, 0.0])  # where the players of the smallest game begin
SAME_MEAN = 0.7, 0.9
ONE, FAR_OFF = modes(np.array([0.7]), 0.6), (-0.5, 0.9)  # data, and where a generator starts
TWO, AT_ONE_OF_TWO = modes(np.array([-2.0, 2.0]), 0.4), (-1.5, 0.6)
SHARED = float(np.exp(-(10**2) / 8))  # the overlap of Gaussians 10 standard deviations apart: not quite disjoint

Array = np.ndarray
Formula = Callable[..., Array]


def optimal_discriminator(best: Formula, curvature: Formula | None = None) -> Iterator[Lands]:
    """Trained on as many real as generated examples, the discriminator lands on the best answer.

    The curvature is left to the other checks.
    """
    yield from lands_on(lambda x: told(best, x), 0.5, "best answer")


def logit_is_log_ratio(logit: Formula, with_prior: Formula) -> Iterator[Lands]:
    """Trained on as many of each, and on few real ones, it lands on the sigmoid of these logits."""
    yield from lands_on(lambda x: 1 / (1 + np.exp(-told(logit, x))), 0.5, "half of them real")
    yield from lands_on(lambda x: 1 / (1 + np.exp(-told(with_prior, x, pi=SHARE))), SHARE, "few of them real")


def equilibrium_half(
    answer: Formula, value: Formula, gain: Formula, cross_entropy: Formula, slope: Formula
) -> Iterator[Reaches]:
    """One game ends with one half for an answer, and has matched the data; another stands still at it, and has not.

    In the second the discriminator only sees means, which are equal.  What another would gain tells the two apart.
    """
    for formula, what in ((answer, matched), (value, worth_at_the_match), (cross_entropy, half_of_that)):
        yield Reaches(formula, what, 1e-4, name=what.__name__.replace("_", " "))
    yield Reaches(answer, unmatched, 1e-4, name="unmatched")
    yield Reaches(slope, force_at_the_match, 1e-4, name="slope, matched")
    yield Reaches(slope, force_unmatched, 1e-4, name="slope, unmatched")
    for start, name in ((FAR_OFF, "far off"), (SAME_MEAN, "of the same mean")):
        yield Reaches(gain, lambda seed, start=start: left_to_gain(start, seed), 1e-6, name=f"left to gain, {name}")


def jsd_bounds(least: Formula, most: Formula, ceiling: Formula) -> Iterator[Reaches]:
    """What the best answer is worth, of two Gaussians ever farther apart: from nothing to all there is, and no more."""
    for distance in (0.0, 0.9, 2.1, FAR_APART):  # in standard deviations
        found = lambda seed, distance=distance: divergence(distance, seed)
        above_the_least = "=" if distance == 0 else "<"
        below_the_most = ">=" if distance == FAR_APART else ">"  # less than a training can tell
        yield Reaches(least, found, 1e-6, above_the_least, name=f"{distance:g} apart, the least")
        yield Reaches(most, found, 1e-6, below_the_most, name=f"{distance:g} apart, the most")
    # Two Gaussians so far apart still overlap: the divergence misses log 2 by twice of it, at most.
    overlap = float(np.exp(-(FAR_APART**2) / 8))

    def limit(seed: int) -> Reached:
        found = divergence(FAR_APART, seed)
        return found._replace(error=np.asarray(found.error) + 2 * overlap)

    def highest(seed: int) -> Reached:
        value, error, at, size = limit(seed)
        return Reached(2 * np.asarray(value) - np.log(4), 2 * np.asarray(error), at, size)

    yield Reaches(most, limit, 1e-6, name="far apart")
    yield Reaches(ceiling, highest, 1e-6, name="the criterion, far apart")


def nonsaturating_gradient(saturating: Formula, nonsaturating: Formula, ratio: Formula) -> Iterator[Reaches]:
    """On the logits of a trained answer, the slopes are those of automatic differentiation; both lead to the data."""
    losses = {
        "log(1 - D)": (saturating, lambda a: torch.log1p(-torch.sigmoid(a))),
        "-log D": (nonsaturating, lambda a: -torch.log(torch.sigmoid(a))),
    }
    for name, (formula, loss) in losses.items():
        yield Reaches(formula, automatic(loss), 1e-9, name=f"slope of {name}")
    of_one_by_the_other = automatic(losses["-log D"][1], losses["log(1 - D)"][1])
    yield Reaches(ratio, of_one_by_the_other, 1e-9, name="one by the other")
    for name, (formula, _) in losses.items():
        for what in ("mean", "scale"):
            yield Reaches(in_the_data(what), came_to(what, formula), 1e-4, name=f"the {what}, descending {name}")


def dirac_dynamics(
    growth: Formula, frequency: Formula, simultaneous: Formula, alternating: Formula
) -> Iterator[Reaches]:
    """Two players that follow their slopes near the equilibrium, smoothly, by steps at once and by steps in turn."""

    def turning(part: str, bias: float) -> Reached:
        found = getattr(dirac.eigenvalues(bias), part)[0]
        return Reached(np.abs(found) if part == "imag" else found, 0.0, {"c": dirac.slope(bias), "h": 1.0}, 1.0)

    def stepping(bias: float, h: float, in_turn: bool) -> Reached:
        path = dirac.orbit(NEARBY, h, 12, in_turn, bias)
        # The game is bilinear up to the square of the distance: f'' and f''' are below 1.
        return Reached(np.abs(dirac.turns(path)), np.max(path**2), {"c": dirac.slope(bias), "h": h})

    turns = lambda **at: np.abs(frequency(**at))  # of a pair of eigenvalues
    for bias, h in ((-0.7, 0.3), (0.0, 0.9), (0.4, 1.7)):
        name = f"c = {dirac.slope(bias):.3g}"
        for formula, part, what in ((growth, "real", "growth"), (turns, "imag", "frequency")):
            yield Reaches(formula, lambda seed, at=(part, bias): turning(*at), 1e-9, name=f"{what}, {name}")
        for formula, in_turn, how in ((simultaneous, False, "at once"), (alternating, True, "in turn")):
            reached = lambda seed, at=(bias, h, in_turn): stepping(*at)
            yield Reaches(formula, reached, 1e-5, name=f"steps of {h} {how}, {name}")


def mode_drop_cost(cost: Formula, jsd: Formula, growth: Formula | None = None) -> Iterator[Reaches]:
    """A generator that starts beside one of two modes stays with it: what that costs in either divergence.

    Averages over the data, which do mind, are left to the other checks.
    """

    def kept(seed: int) -> Reached:
        """D_KL(g || p) is minus the mean logit of what is generated."""
        found, error = dropped(seed).of(lambda world, c: -float(samples(world).mean(logit(c, samples(world).x))))
        return Reached(found, error + SHARED, {"modes": 2})

    def halfway(seed: int) -> Reached:
        """The worth of the answer is twice the other divergence, less log 4."""
        found, error = worth_of(dropped(seed))
        return Reached((found + np.log(4)) / 2, error / 2 + SHARED)

    yield Reaches(cost, kept, 1e-3, name="D_KL(g || p)")
    yield Reaches(jsd, halfway, 1e-3, name="JSD(g, p)")


# Discriminators between the two densities


def lands_on(answer: Formula, share: float, name: str) -> Iterator[Lands]:
    """The network trained with this share of real examples lands on this probability of being real."""

    def network(seed: int) -> Callable[[Array], Array]:
        return lambda x: discriminator(seed, share).predict(x)[:, 1]

    yield Lands(network, answer, examples(share), lambda x: given(x, share), RESOLVES, name)


@cache
def discriminator(seed: int, share: float) -> Classifier:
    """The network, trained on draws that no atom sees."""
    return train(examples(share), 2, stream(seed, "gan", f"training, {share:g} real", 0), columns=5, updates=UPDATES)


def examples(share: float) -> Callable[..., tuple[Array, Array]]:
    """Draws of x, and whether it is real."""

    def draw(rng: np.random.Generator, n: int) -> tuple[Array, Array]:
        real = rng.random(n) < share
        return np.where(real, DATA.sample(rng, n), GENERATED.sample(rng, n)), 1.0 * real

    return draw


def given(x: Array, share: float) -> Given:
    """What the world knows."""
    return event(share * DATA(x) / (share * DATA(x) + (1 - share) * GENERATED(x)))


def told(formula: Formula, x: Array, **more: float) -> Array:
    """The formula at x, in the letters of the chapter."""
    return np.broadcast_to(formula(x=x, data=DATA, generator=GENERATED, **more), np.shape(x))


# Games of one mode


@cache
def ended(seed: int) -> End:
    """A generator that began far off, at rest."""
    return play(ONE, nonsaturated, FAR_OFF, seed)


def matched(seed: int) -> Reached:
    """The answer where the data are."""
    x = samples(ONE).x[10:30]
    return Reached(*ended(seed).of(lambda world, c: torch.sigmoid(logit(c, x)).numpy()))


def worth_at_the_match(seed: int) -> Reached:
    """What the answer is worth."""
    return Reached(*worth_of(ended(seed)))


def half_of_that(seed: int) -> Reached:
    """The cross-entropy of one example."""
    worth, error, *_ = worth_at_the_match(seed)
    return Reached(-np.asarray(worth) / 2, np.asarray(error) / 2)


@cache
def of_means_alone(seed: int) -> Minimum:
    """A discriminator that sees means alone, against a generator of the right mean and a wrong scale."""
    data, generated = samples(ONE), samples(modes(np.array(SAME_MEAN[:1]), SAME_MEAN[1]))
    return minimised(lambda c: -worth(torch.cat([c, torch.zeros(1)]), data, generated), at_first(seed)[:2])


def unmatched(seed: int) -> Reached:
    """Its answer where the data are."""
    x = samples(ONE).x[10:30]
    return Reached(*of_means_alone(seed).of(lambda c: torch.sigmoid(logit(without_square(c), x)).numpy()))


def without_square(c: Array) -> Tensor:
    return torch.from_numpy(np.append(c, 0.0))


def force_at_the_match(seed: int) -> Reached:
    """What moves another generator, far off, if the answer is the one at the match."""
    return Reached(*ended(seed).of(lambda world, c: force(c, nonsaturated, *FAR_OFF)), magnitude=1.0)


def force_unmatched(seed: int) -> Reached:
    """What moves the generator of the right mean and a wrong scale: it is at rest."""
    moved = lambda c: force(without_square(c), nonsaturated, *SAME_MEAN)
    return Reached(*of_means_alone(seed).of(moved), magnitude=1.0)


def left_to_gain(generator: tuple[float, float], seed: int) -> Reached:
    """What the best answer is worth more than one half."""
    g = modes(np.array(generator[:1]), generator[1])
    found, error = best_worth(ONE, g, at_first(seed))
    middle = mixture([0.5, 0.5], [ONE.means[0], g.means[0]], [ONE.variances[0], g.variances[0]])
    return Reached(found + np.log(4), error, {"data": ONE, "generator": g, "middle": middle}, magnitude=1.0)


# What answers are worth


def at_first(seed: int) -> Tensor:
    """What a discriminator begins with."""
    return torch.randn(3, generator=torch.Generator().manual_seed(seed)) / 4


def worth_of(end: End) -> tuple[Array, Array]:
    """What the answer is worth at the end of a game, on twice the nodes it was found on, and how far off that is."""

    def on(nodes: int) -> tuple[Array, Array]:
        return end.of(lambda world, c: float(worth(c, samples(end.data, nodes), samples(world, nodes))))

    (found, error), (finer, _) = on(NODES), on(2 * NODES)
    return finer, error + np.abs(finer - found)


@cache
def divergence(distance: float, seed: int) -> Reached:
    """What the best answer between two Gaussians says of their divergence."""
    p, g = (modes(np.array([side * distance / 2 * 0.6]), 0.6) for side in (-1, 1))
    found, error = best_worth(p, g, at_first(seed))
    return Reached((found + np.log(4)) / 2, error / 2, {"mu": 0.6 * distance / 2, "v": 0.36}, magnitude=1.0)


# Generators


def automatic(loss: Callable[[Tensor], Tensor], by: Callable[[Tensor], Tensor] | None = None) -> Callable[..., Reached]:
    """The slope of a loss of the logit, on a trained answer to a generator that is far off; by that of another."""

    def reached(seed: int) -> Reached:
        generated = samples(modes(np.array(FAR_OFF[:1]), FAR_OFF[1]))
        answer = best_response(samples(ONE), generated, at_first(seed))
        a = logit(answer, generated.x[12:28]).detach().requires_grad_()
        slope, other = (torch.autograd.grad(f(a).sum(), a)[0].numpy() if f else 1.0 for f in (loss, by))
        return Reached(slope / other, 0.0, {"a": a.detach().numpy()}, magnitude=1 / np.abs(other))

    return reached


def in_the_data(what: str) -> Formula:
    """The mean or the scale of the data."""
    number = np.asarray(ONE.mean if what == "mean" else sqrt(ONE.variance))
    return lambda: number


def came_to(what: str, slope: Formula) -> Callable[[int], Reached]:
    """Where a generator comes to that descends by this slope."""

    def reached(seed: int) -> Reached:
        end = play(ONE, lambda a: slope(a=a), FAR_OFF, seed)
        return Reached(getattr(end, what), end.left)

    return reached


@cache
def dropped(seed: int) -> End:
    """A generator beside one of two modes, at rest."""
    return play(TWO, nonsaturated, AT_ONE_OF_TWO, seed, rate=0.2, enough=1e-5)


def nonsaturated(a: Array) -> Array:
    """The slope of -log D in the logit."""
    return -1 / (1 + np.exp(a))
