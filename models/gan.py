"""What trained networks say about the chapter on adversarial networks.

A discriminator is trained between two known densities; a generator moves against the best answer to it, until nothing
moves it.  What training has left is computed from the densities, of which neither player knows anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache

import numpy as np
import torch
from numpy import sqrt
from torch import Tensor
from torch.nn.functional import softplus

from numerics.statistics import stream
from numerics.worlds import Mixture, mixture

from . import dirac
from .atoms import Given, Lands, Reached, Reaches
from .classifier import Classifier, train
from .game import NODES, End, Samples, best_response, force, logit, modes, play, samples, worth
from .training import minimised

DATA = mixture([0.31, 0.69], [-1.13, 1.47], [0.23, 0.41])
GENERATED = mixture([0.57, 0.43], [-0.39, 1.9], [0.83, 0.29])
SHARE = 0.23  # of real examples, where they are rare
RESOLVES = 3e-2
FAR_APART = 14.0
UPDATES = 4000
RARE = 0.02  # so that no answer is too sure to be judged

NEARBY = np.array([1e-5, 0.0])  # where the players of the smallest game begin
SAME_MEAN = 0.7, 0.9
ONE, FAR_OFF = modes(np.array([0.7]), 0.6), (-0.5, 0.9)  # data, and where a generator starts
TWO, AT_ONE_OF_TWO = modes(np.array([-2.0, 2.0]), 0.4), (-1.5, 0.6)
SHARED = float(np.exp(-(10**2) / 8))  # the overlap of Gaussians 10 standard deviations apart: not quite disjoint

AT_FIRST = torch.tensor([0.3, -0.2, 0.1])  # what a discriminator begins with

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
    for start in (FAR_OFF, SAME_MEAN):
        yield Reaches(slope, lambda seed, start=start: from_one_half(start), 1e-9, name="slope from one half")
        yield Reaches(gain, lambda seed, start=start: left_to_gain(start), 1e-6, name="left to gain")


def jsd_bounds(least: Formula, most: Formula, ceiling: Formula) -> Iterator[Reaches]:
    """What the best answer is worth, of two Gaussians ever farther apart: from nothing to all there is, and no more."""
    for distance in (0.0, 0.9, 2.1, FAR_APART):  # in standard deviations
        p, g = (modes(np.array([side * distance / 2 * 0.6]), 0.6) for side in (-1, 1))
        at = {"mu": 0.6 * distance / 2, "v": 0.36}
        value, left = trained_worth(p, g)
        overlap = float(np.exp(-(distance**2) / 8))  # of two Gaussians; the divergence misses log 2 by twice of it
        found = Reached((value + np.log(4)) / 2, left / 2, at, magnitude=1.0)
        below = "=" if distance == 0 else "<"
        yield Reaches(least, lambda seed, found=found: found, 1e-6, below, name=f"{distance:g} apart, the least")
        yield Reaches(most, lambda seed, found=found: found, 1e-6, ">", name=f"{distance:g} apart, the most")
    limit = found._replace(error=left / 2 + 2 * overlap)
    yield Reaches(most, lambda seed: limit, 1e-6, name="far apart")
    highest = Reached(value, left + 4 * overlap, at, magnitude=1.0)
    yield Reaches(ceiling, lambda seed: highest, 1e-6, name="the criterion, far apart")


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
    jacobian = torch.autograd.functional.jacobian(dirac.field, torch.zeros(2, dtype=torch.float64)).numpy()
    turning = np.linalg.eigvals(jacobian)[0]
    at = {"c": dirac.SLOPE, "h": 1.0}
    yield Reaches(growth, lambda seed: Reached(turning.real, 0.0, at, magnitude=1.0), 1e-9, name="growth")
    turns = lambda **at: np.abs(frequency(**at))  # of a pair of eigenvalues
    yield Reaches(turns, lambda seed: Reached(np.abs(turning.imag), 0.0, at), 1e-9, name="frequency")
    for h in (0.3, 0.9, 1.7):
        for formula, in_turn, name in ((simultaneous, False, "at once"), (alternating, True, "in turn")):
            path = dirac.orbit(NEARBY, h, 12, in_turn)
            # The game is bilinear up to the square of the distance: f'' and f''' are below 1.
            found = Reached(np.abs(dirac.turns(path)), np.max(path**2), {"c": dirac.SLOPE, "h": h})
            yield Reaches(formula, lambda seed, found=found: found, 1e-5, name=f"steps of {h} {name}")


def mode_drop_cost(cost: Formula, jsd: Formula, growth: Formula | None = None) -> Iterator[Reaches]:
    """A generator that starts beside one of two modes stays with it: what that costs in either divergence.

    Averages over the data, which do mind, are left to the other checks.
    """

    def kept(seed: int) -> Reached:
        """D_KL(g || p) is minus the mean logit of what is generated."""
        end = dropped(seed)
        x, w = samples(end.world)
        found = -float((w * logit(end.answer, x)).sum())
        exact = float((w * (log_density(end.world, x) - log_density(TWO, x))).sum())
        return Reached(found, abs(found - exact) + off_the_mode(end.world) + SHARED, {"modes": 2})

    def halfway(seed: int) -> Reached:
        """The worth of the answer is twice the other divergence, less log 4."""
        end = dropped(seed)
        value, left = worth_of(end.answer, TWO, end.world)
        # Along the mode's own variations the slope is nought, and the curvature at most that of D_KL(g || A).
        return Reached((value + np.log(4)) / 2, left / 2 + off_the_mode(end.world) + SHARED)

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
    """What the world knows; the unit is a bit more than the spread."""
    p = share * DATA(x) / (share * DATA(x) + (1 - share) * GENERATED(x))
    spread = sqrt(p * (1 - p) + RARE)
    return Given(p, spread, p * (1 - p) * (p**2 + (1 - p) ** 2) / spread**3)


def told(formula: Formula, x: Array, **more: float) -> Array:
    """The formula at x, in the letters of the chapter."""
    return np.broadcast_to(formula(x=x, data=DATA, generator=GENERATED, **more), np.shape(x))


# Games of one mode


@cache
def ended(seed: int) -> End:
    """A generator that began far off, at rest."""
    return play(ONE, lambda a: -1 / (1 + np.exp(a)), FAR_OFF, seed)


def matched(seed: int) -> Reached:
    """The answer where the data are; how far it is off, the two densities know."""
    end, (x, _) = ended(seed), samples(ONE)
    x = x[10:30]
    odds = log_density(ONE, x) - log_density(end.world, x)
    found, best = torch.sigmoid(logit(end.answer, x)), torch.sigmoid(odds)
    return Reached(found.numpy(), ((found - best).abs() + (best - 0.5).abs()).numpy())


def worth_at_the_match(seed: int) -> Reached:
    """What the game is worth, less than which it cannot be for the best answer."""
    end = ended(seed)
    found, left = worth_of(end.answer, ONE, end.world)
    return Reached(found, left + abs(found + left + np.log(4)))


def half_of_that(seed: int) -> Reached:
    """The cross-entropy of one example."""
    worth, error, *_ = worth_at_the_match(seed)
    return Reached(-np.asarray(worth) / 2, np.asarray(error) / 2)


def unmatched(seed: int) -> Reached:
    """A discriminator that sees means alone, against a generator of the right mean and a wrong scale."""
    data, generated = samples(ONE), samples(modes(np.array(SAME_MEAN[:1]), SAME_MEAN[1]))
    flat = torch.zeros(1)
    found = minimised(lambda c: -worth(torch.cat([c, flat]), data, generated), AT_FIRST[:2])
    return Reached(
        *found.of(lambda c: torch.sigmoid(logit(torch.from_numpy(np.append(c, 0.0)), data.x[10:30])).numpy())
    )


def from_one_half(generator: tuple[float, float]) -> Reached:
    """The force on a generator from a discriminator that answers one half everywhere."""
    return Reached(force(torch.zeros(3), lambda a: -1 / (1 + np.exp(a)), *generator), 0.0, magnitude=1.0)


def left_to_gain(generator: tuple[float, float]) -> Reached:
    """What the best answer is worth more than one half."""
    g = modes(np.array(generator[:1]), generator[1])
    found, left = trained_worth(ONE, g)
    middle = mixture([0.5, 0.5], [ONE.means[0], g.means[0]], [ONE.variances[0], g.variances[0]])
    return Reached(found + np.log(4), left, {"data": ONE, "generator": g, "middle": middle}, magnitude=1.0)


# What answers are worth


def log_density(world: Mixture, x: Tensor) -> Tensor:
    return torch.from_numpy(world.log_density(x.numpy()))


def worth_of(answer: Tensor, p: Mixture, g: Mixture) -> tuple[float, float]:
    """What an answer is worth, and how far below the best one that is, with twice what the nodes miss."""

    def odds(here: Samples) -> Tensor:
        return log_density(p, here.x) - log_density(g, here.x)

    def worths(nodes: int) -> Array:
        data, generated = samples(p, nodes), samples(g, nodes)
        of_the_best = -data.mean(softplus(-odds(data))) - generated.mean(softplus(odds(generated)))
        return np.array([float(worth(answer, data, generated)), float(of_the_best)])

    (value, best), more = worths(NODES), worths(2 * NODES)
    return value, float(abs(best - value) + 2 * np.max(np.abs(more - [value, best])))


@cache
def trained_worth(p: Mixture, g: Mixture) -> tuple[float, float]:
    """The same of the answer that training finds between two Gaussians."""
    return worth_of(best_response(samples(p), samples(g), AT_FIRST), p, g)


# Generators


def automatic(loss: Callable[[Tensor], Tensor], by: Callable[[Tensor], Tensor] | None = None) -> Callable[..., Reached]:
    """The slope of a loss of the logit, on a trained answer to a generator that is far off; by that of another."""

    def reached(seed: int) -> Reached:
        x = samples(modes(np.array(FAR_OFF[:1]), FAR_OFF[1])).x[12:28]
        answer = best_response(samples(ONE), samples(modes(np.array(FAR_OFF[:1]), FAR_OFF[1])), AT_FIRST)
        a = logit(answer, x).detach().requires_grad_()
        slope, other = (torch.autograd.grad(f(a).sum(), a)[0].numpy() if f else 1.0 for f in (loss, by))
        return Reached(slope / other, 0.0, {"a": a.detach().numpy()}, magnitude=1 / np.min(np.abs(other)))

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
    return play(TWO, lambda a: -1 / (1 + np.exp(a)), AT_ONE_OF_TWO, seed, rate=0.2, enough=1e-5)


def off_the_mode(generated: Mixture) -> float:
    """D_KL(g || A): how far what is generated is from the mode that it keeps."""
    v, w, m = float(generated.variance), float(TWO.variances[0]), float(generated.mean - TWO.means[0])
    return ((v + m**2) / w - 1 - np.log(v / w)) / 2
