r"""A small denoiser with the scales of EDM, trained at three levels of noise at once: what the chapter's claims share.

It is a network F between the scales of an input, an output and a shortcut, of which it is told at each level,

.. math:: D(u)=c_{\rm skip}u+c_{\rm out}F(c_{\rm in}u),\qquad
          F(z)=\sum_k h_k\tanh(a_kz+b_k)+pz+q,

with the units (a, b) shared by all levels, and an output layer (h, p, q) for each.  Two units are too few for three
clusters at three levels: what is learnt is a compromise, and it depends on how errors count.

*What is known where training ends?*  F is linear in its output layer.  At the minimum the residual, target less F, is
orthogonal to all that the layer adds up, at each level: to the units, to z, to 1, and so to F,

.. math:: E[F^\star z]=E[Fz],\qquad E(F^\star)^2=E F^2+E(F^\star-F)^2 .

Averages over data and noise are sums over nodes, so that training is a descent without chance, and says what it has
left.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
import torch
from numpy import sqrt
from torch import Tensor

from numerics.worlds import Mixture, mixture

from .game import samples
from .training import Minimum, Progress, minimised

Array = np.ndarray

WORLD = mixture([0.3, 0.45, 0.25], [-2.6, 0.2, 2.76], [0.23, 0.37, 0.31])  # its mean is zero
LEVELS = np.array([0.67, 1.21, 2.3])
UNITS, ADDED = 2, 4  # hidden units; what an output layer adds up: units, z and 1
PARAMETERS = 2 * UNITS + len(LEVELS) * ADDED
NODES, FINER = (10, 0.25), (14, 0.18)  # of each cluster, and the step between those of the noise
FARTHEST = 9.0


class Scales(NamedTuple):
    """Of the input, the shortcut and the output, at each level."""

    c_in: Array
    c_skip: Array
    c_out: Array


class Pairs(NamedTuple):
    """Data with noise of each level upon them, and how much each pair counts."""

    x_0: Tensor  # (n,)
    u: Tensor  # (levels, n)
    weights: Tensor  # (n,)


def regressed(world: Mixture = WORLD) -> Scales:
    """Of a world with mean zero: one over the size of u, regression of x_0 on u, and the size of what that leaves."""
    variance = float(world.variance)
    slope = variance / (variance + LEVELS**2)
    left = (1 - slope) ** 2 * variance + slope**2 * LEVELS**2
    return Scales(1 / sqrt(variance + LEVELS**2), slope, sqrt(left))


@cache
def pairs(world: Mixture = WORLD, nodes: tuple[int, float] = NODES) -> Pairs:
    """Gauss-Hermite nodes for the data; the trapezoid rule for the noise, which is exact for what is smooth."""
    data, count = samples(world, nodes[0]), int(FARTHEST / nodes[1])
    z = torch.linspace(-FARTHEST, FARTHEST, 2 * count + 1).double()
    weights = torch.outer(data.weights, torch.softmax(-(z**2) / 2, 0)).ravel()
    x_0, noise = (part.ravel() for part in torch.meshgrid(data.x, z, indexing="ij"))
    return Pairs(x_0, x_0 + each(LEVELS) * noise, weights)


def each(of_levels: Array) -> Tensor:
    """Numbers for each level, ready for pairs."""
    return torch.from_numpy(np.broadcast_to(np.asarray(of_levels, dtype=float), LEVELS.shape).copy())[:, None]


def layers(c: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The slopes and shifts of the units, (units,) each, and the output layers, (levels, ADDED)."""
    slopes, shifts, out = torch.split(c, [UNITS, UNITS, len(LEVELS) * ADDED])
    return slopes, shifts, out.reshape(len(LEVELS), ADDED)


def added_up(c: Tensor, z: Tensor) -> tuple[Tensor, Tensor]:
    """What an output layer adds up of inputs (levels, n), and its slopes in z; (levels, n, ADDED) each."""
    slopes, shifts, _ = layers(c)
    units, one = torch.tanh(z[..., None] * slopes + shifts), torch.ones_like(z)[..., None]
    return torch.cat([units, z[..., None], one], -1), torch.cat([slopes * (1 - units**2), one, 0 * one], -1)


def output(c: Tensor, z: Tensor) -> Tensor:
    """F, for inputs (levels, n)."""
    return (added_up(c, z)[0] @ layers(c)[2][..., None])[..., 0]


def denoised(c: Tensor, scales: Scales, u: Tensor) -> Tensor:
    """D, for u of each level, (levels, n)."""
    c_in, c_skip, c_out = map(each, scales)
    return c_skip * u + c_out * output(c, c_in * u)


def errors(c: Tensor, scales: Scales, seen: Pairs) -> Tensor:
    """The mean square of D - x_0, at each level."""
    return (denoised(c, scales, seen.u) - seen.x_0) ** 2 @ seen.weights


def train(
    scales: Scales, weight: Array, seed: int, world: Mixture = WORLD, progress: Progress | None = None
) -> Minimum:
    """The parameters where the errors of all levels, so weighed, are least, from units that the seed moves a little.

    Raises FloatingPointError if there is no such place, because a scale or a weight is none.
    """
    seen, weights = pairs(world), each(weight)[:, 0]
    random = torch.randn(2 * UNITS, generator=torch.Generator().manual_seed(seed)).double()
    units = torch.cat([torch.full((UNITS,), 2.5), torch.linspace(1.5, -1.5, UNITS)]).double() + 0.2 * random
    start = torch.cat([units, torch.zeros(PARAMETERS - 2 * UNITS).double()])  # it says nothing
    return minimised(lambda c: weights @ errors(c, scales, seen), start, progress=progress)


@cache
def denoiser(seed: int, world: Mixture = WORLD) -> Minimum:
    """The network with scales found by regression, trained on its own targets, whose errors count alike."""
    scales = regressed(world)
    return train(scales, 1 / scales.c_out**2, seed, world)
