"""What a small denoiser with the scales of EDM says about them, about its weight, and about scores.

One network for three levels of noise (``models/preconditioned.py``).  The scales and the weight are in its loss; the
score is read off it.  Another, which attends to the points of a data set, is trained to denoise nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache, partial

import numpy as np
import torch
from numpy import sqrt
from torch import Tensor

from numerics.checks.edm.denoiser import SETS, near, shares, slope_of_points
from numerics.statistics.formulas import under_test
from numerics.worlds import gaussian

from .atoms import Reached, Reaches
from .preconditioned import (
    FINER,
    LEVELS,
    NODES,
    PARAMETERS,
    UNITS,
    WORLD,
    Scales,
    added_up,
    denoised,
    denoiser,
    each,
    errors,
    layers,
    output,
    pairs,
    regressed,
    train,
)
from .training import Minimum, minimised

Array = np.ndarray
Formula = Callable[..., Array]
Read = Callable[[Tensor], Tensor]

AT = {"sigma": LEVELS, "sigma_d": float(sqrt(WORLD.variance))}
INPUTS = torch.linspace(-2.3, 1.9, 4).double().expand(len(LEVELS), -1)
RESOLVES = 1e-4
GAUSSIAN, WIDE, WIDER = gaussian(0.0, 0.37), (40, 0.25), (56, 0.18)  # and nodes for a cluster so wide
(POINTS, *_), SIGMA = SETS[1], 1.83
PLACES = np.array([[0.37, -0.61, 0.83], [-1.19, 0.29, 0.47], [0.91, 1.31, -0.23]])
ALONG, FINELY = 10, 14  # Gauss-Hermite nodes on each axis


def denoiser_score(score: Formula, weight: Formula) -> Iterator[Reaches]:
    """What training has come to: a score, by parts; and of a data set, its points as they are weighed, and their score.

    A score is the one function s with E s f = -E f' for all f; of what has been learnt, for all that it is made of.
    """

    def mean(**at: object) -> Array:
        return np.sum(shares(weight)(**at) * POINTS, axis=0)

    by_parts, slope = lambda by_parts: by_parts, lambda slope: slope
    yield Reaches(by_parts, lambda seed: against_its_features(score, seed), RESOLVES, name="by parts")
    for u in PLACES:
        where = ", ".join(f"{x:g}" for x in u)
        yield Reaches(mean, lambda seed, u=u: attending(u, seed), RESOLVES, name=f"denoised, u = ({where})")
        yield Reaches(slope, lambda seed, u=u: pointing(score, u, seed), RESOLVES, name=f"score, u = ({where})")


def preconditioning(c_in: Formula, c_skip: Formula, c_out: Formula) -> Iterator[Reaches]:
    """Between these scales the loss bends alike, the network adds nothing linear, and its target has size one.

    Each atom says what a scale should have been for that, by what has been learnt between all of them.
    """
    scales = Scales(*(told(formula) for formula in (c_in, c_skip, c_out)))
    trained = cache(lambda seed: train(scales, 1 / scales.c_out**2, seed))
    seen, (scale_in, shortcut, scale_out) = pairs(), (each(scale)[:, 0] for scale in scales)

    def risk(c: Tensor) -> Tensor:
        """The mean square of the network's error, on its own targets."""
        return errors(c, scales, seen) / scale_out**2

    def bends_alike(c: Tensor) -> Tensor:
        """The curvature along the slope of each level's output: half a second difference, for it is a parabola."""
        step = torch.zeros_like(c)
        layers(step)[2][:, -2] = 1.0
        return scale_in / ((risk(c + step) - 2 * risk(c) + risk(c - step)) / 2).sqrt()

    def nothing_linear(c: Tensor) -> Tensor:
        """The slope in u of all that has been learnt."""
        said = output(c, each(scales.c_in) * seen.u)
        return shortcut + scale_out * ((said * seen.u) @ seen.weights) / (seen.u**2 @ seen.weights)

    def target_of_size_one(c: Tensor) -> Tensor:
        """The square of the target is what the network says of it, and what it leaves."""
        said = output(c, each(scales.c_in) * seen.u)
        return scale_out * (said**2 @ seen.weights + risk(c)).sqrt()

    for formula, read in ((c_in, bends_alike), (c_skip, nothing_linear), (c_out, target_of_size_one)):
        reached = lambda seed, read=read: reading(trained(seed), read, AT)
        yield Reaches(formula, reached, RESOLVES, name=read.__name__.replace("_", " "))


def weight(weight: Formula, loss_at_zero: Formula, best: Formula) -> Iterator[Reaches]:
    """A network that says nothing has this loss; weighed like this it learns what it learns from its targets.

    And from Gaussian data it learns to say nothing.
    """
    yield Reaches(loss_at_zero, lambda seed: silence(weight), 1e-9, name="silence")
    as_by_targets = lambda by_targets: by_targets
    yield Reaches(as_by_targets, lambda seed: weighed(weight, seed), RESOLVES, name="as by its targets")
    yield Reaches(lambda **at: best(**at) * np.ones(INPUTS.shape), nothing_to_say, RESOLVES, name="Gaussian data")


def told(formula: Formula) -> Array:
    """A formula of the levels, at each of them."""
    return np.broadcast_to(under_test(formula)(**AT), LEVELS.shape)


def reading(found: Minimum, read: Read, at: dict[str, Array] | None = None) -> Reached:
    """Something of size one that is read off the parameters."""
    return Reached(*found.of(lambda c: read(torch.from_numpy(c)).numpy()), at or {}, magnitude=1.0)


# The weight


def silence(weight: Formula) -> Reached:
    """The weighed loss of a network that is zero."""
    found = errors(torch.zeros(PARAMETERS).double(), regressed(), pairs())
    return Reached(told(weight) * found.numpy(), 0.0, AT, magnitude=1.0)


def weighed(weight: Formula, seed: int) -> Reached:
    """What the network says that is trained with this weight, and what the one says that knows the targets."""
    read = partial(output, z=INPUTS)
    found, by_targets = reading(train(regressed(), told(weight), seed), read), reading(denoiser(seed), read)
    missed = np.asarray(found.error) + by_targets.error
    return found._replace(error=missed, at={"by_targets": np.asarray(by_targets.value)})


def nothing_to_say(seed: int) -> Reached:
    """With the units that the clusters have taught, output layers that are trained again, on Gaussian data."""
    scales, learnt = regressed(GAUSSIAN), torch.from_numpy(denoiser(seed).at)
    units, layer = learnt[: 2 * UNITS], learnt[2 * UNITS :]

    def again(nodes: tuple[int, float]) -> Reached:
        seen, whole = pairs(GAUSSIAN, nodes), lambda layer: torch.cat([units, layer])
        loss = lambda layer: (errors(whole(layer), scales, seen) / each(scales.c_out)[:, 0] ** 2).sum()
        at = {"sigma": LEVELS[:, None], "sigma_d": float(sqrt(GAUSSIAN.variance))}
        return reading(minimised(loss, layer), lambda layer: output(whole(layer), INPUTS), at)

    few, many = again(WIDE), again(WIDER)
    return few._replace(error=few.error + 2 * np.abs(np.asarray(many.value) - few.value))


# The score


def against_its_features(score: Formula, seed: int) -> Reached:
    """E s f for all that the output layers add up, with -E f'; s is the formula, told what the network makes of u."""
    scales, found = regressed(), denoiser(seed)

    def sides(vector: Array, nodes: tuple[int, float]) -> Array:
        c, seen = torch.from_numpy(vector), pairs(WORLD, nodes)
        at = {"u": seen.u.numpy(), "sigma": LEVELS[:, None], "denoised": denoised(c, scales, seen.u).numpy()}
        features, slopes = added_up(c, each(scales.c_in) * seen.u)
        s = torch.from_numpy(np.broadcast_to(under_test(score)(**at), seen.u.shape).copy())
        of_s = torch.einsum("ln,lnk,n->lk", s, features, seen.weights)
        return np.stack([of_s, -each(scales.c_in) * torch.einsum("lnk,n->lk", slopes, seen.weights)])

    (of_s, by_parts), (left, _) = found.of(lambda c: sides(c, NODES))
    missed = 2 * np.sum(np.abs(sides(found.at, FINER) - [of_s, by_parts]), axis=0)
    return Reached(of_s, left + missed, {"by_parts": by_parts}, magnitude=1.0)


def attended(vector: Tensor, u: Tensor) -> Tensor:
    """The points of the data set on average, weighed by a softmax of what is linear in u; (..., d)."""
    slopes, shifts = vector.reshape(len(POINTS), -1).split([POINTS.shape[1], 1], -1)
    return torch.softmax(u @ slopes.T + shifts[:, 0], -1) @ torch.from_numpy(POINTS)


@cache
def attention(seed: int, nodes: int) -> Minimum:
    """Such weights, trained to bring the points back from noise, by least squares."""
    z, w = np.polynomial.hermite_e.hermegauss(nodes)
    axes = POINTS.shape[1]
    noise = np.stack(np.meshgrid(*[z] * axes, indexing="ij"), -1).reshape(-1, axes)
    weights = torch.from_numpy(np.prod(np.meshgrid(*[w / w.sum()] * axes, indexing="ij"), axis=0).ravel())
    x_0 = torch.from_numpy(POINTS)[:, None]
    u = x_0 + SIGMA * torch.from_numpy(noise)

    def loss(vector: Tensor) -> Tensor:
        return ((attended(vector, u) - x_0) ** 2).sum(-1).mean(0) @ weights

    start = torch.randn(len(POINTS) * (axes + 1), generator=torch.Generator().manual_seed(seed)) / 10
    return minimised(loss, start)


def read_off(quantity: Callable[[Array], Array], u: Array, seed: int) -> tuple[Array, Array]:
    """Something of the point that is expected behind u, and how far off it may be: by training, and by the nodes."""

    def read(vector: Array) -> Array:
        return quantity(attended(torch.from_numpy(vector), torch.from_numpy(u)).numpy())

    (few, error), (many, _) = (attention(seed, nodes).of(read) for nodes in (ALONG, FINELY))
    return few, error + 2 * np.abs(many - few)


def attending(u: Array, seed: int) -> Reached:
    """The point that is expected."""
    return Reached(*read_off(lambda mean: mean, u, seed), near(POINTS, u, SIGMA), magnitude=1.0)


def pointing(score: Formula, u: Array, seed: int) -> Reached:
    """The score that leads there, with the slope of the log density of the points with noise upon them."""
    leads = lambda mean: under_test(score)(**near(POINTS, u, SIGMA), denoised=mean)
    return Reached(*read_off(leads, u, seed), {"slope": slope_of_points(POINTS, u, SIGMA)}, magnitude=1.0)
