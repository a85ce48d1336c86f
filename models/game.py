r"""A game of two players small enough to be exact: a Gaussian generator, and a discriminator that can answer rightly.

The data are K Gaussian modes and the generator is a Gaussian with a mean and a scale, so the log ratio of the two is

.. math:: a(x)=c_0+c_1x+c_2x^2+\log\Bigl(1+\sum_{k<K}e^{a_k+b_kx}\Bigr)

for some numbers, which the discriminator learns.  Averages are sums over Gauss-Hermite nodes: nothing is left to
chance, and each player's descent says what it has left.

What is read off the end of a game is off by as much as it changes when the generator moves on as far as it may still
have to go, and the discriminator answers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import softplus

from numerics.inputs import finite, positive
from numerics.worlds import Mixture, mixture

from .training import ROUNDED, Loss, Progress, descended, examined, minimised, one_thread

NODES = 40
FAR = 100.0
STANDARD = mixture([1.0], [0.0], [1.0])

Array = np.ndarray
Slope = Callable[[Array], Array]


class Samples(NamedTuple):
    """Points and how much each counts; the weights sum to 1."""

    x: Tensor
    weights: Tensor

    def mean(self, values: Tensor) -> Tensor:
        return (self.weights * values).sum()


def modes(at: Array, scale: float) -> Mixture:
    """Equal Gaussian modes: one at each of these points, (K,), all of this standard deviation.

    Raises ValueError if a point is not finite or the scale is not positive.
    """
    points = finite("at", at, ("K",))
    return mixture(np.full(len(points), 1 / len(points)), points, float(positive("scale", scale)) ** 2)


def samples(world: Mixture, nodes: int = NODES) -> Samples:
    """Gauss-Hermite nodes for a mixture of Gaussians on the line, so many for each."""
    z, w = np.polynomial.hermite_e.hermegauss(nodes)
    x = world.means[:, None] + np.sqrt(world.variances)[:, None] * z
    weights = world.weights[:, None] * w / np.sqrt(2 * np.pi)
    return Samples(torch.from_numpy(x.ravel()), torch.from_numpy(weights.ravel()))


def logit(c: Tensor, x: Tensor) -> Tensor:
    """The discriminator's logit at x, from its parameters: three, and two more for every mode but one."""
    bends = c[3::2] + c[4::2] * x[..., None]
    nothing = torch.zeros_like(x)[..., None]
    return c[0] + c[1] * x + c[2] * x**2 + torch.logsumexp(torch.cat([nothing, bends], -1), -1)


def worth(c: Tensor, data: Samples, generated: Samples) -> Tensor:
    """V(D) = E_p log D + E_g log(1 - D)."""
    return -data.mean(softplus(-logit(c, data.x))) - generated.mean(softplus(logit(c, generated.x)))


def best_response(data: Samples, generated: Samples, start: Tensor, steps: int = 100) -> Tensor:
    """The discriminator that is worth most, as far as a descent of -V finds it from ``start``."""
    with one_thread():
        return descended(lambda c: -worth(c, data, generated), start, steps)


def best_worth(p: Mixture, g: Mixture, start: Tensor) -> tuple[float, float]:
    """What the best answer is worth, and how much that may be off; found on some nodes, judged on twice as many."""

    def loss(nodes: int) -> Loss:
        data, generated = samples(p, nodes), samples(g, nodes)
        return lambda c: -worth(c, data, generated)

    found = minimised(loss(NODES), start)
    with one_thread():
        judged = examined(loss(2 * NODES), torch.from_numpy(found.at))
    return -judged.value, judged.left + abs(judged.value - found.value)


class End(NamedTuple):
    """Where a game has come to: the generator's mean and scale, the answer to it, and how far they may be from rest."""

    mean: float
    scale: float
    answer: Tensor
    left: float  # in the mean and in the logarithm of the scale
    data: Mixture

    @property
    def world(self) -> Mixture:
        """The law that is generated."""
        return modes(np.array([self.mean]), self.scale)

    def of(self, quantity: Callable[[Mixture, Tensor], Array | float]) -> tuple[Array, Array]:
        """Something read off the law that is generated and the answer to it, and how far off it may be."""
        here, moved, data = np.asarray(quantity(self.world, self.answer)), [], samples(self.data)
        for along, stretched in self.left * np.array([[1, 0], [-1, 0], [0, 1], [0, -1]]):
            world = modes(np.array([self.mean + along]), self.scale * np.exp(stretched))
            there = quantity(world, best_response(data, samples(world), self.answer))
            moved.append(np.abs(np.asarray(there) - here))
        return here, 2 * np.max(moved, axis=0) + ROUNDED


def force(answer: Tensor, slope: Slope, mean: float, scale: float) -> Array:
    """The generator's gradient in its mean and the logarithm of its scale.

    ``slope`` is that of its loss in the logit of a sample, a function of an array of logits.
    """
    z, w = samples(STANDARD)
    x = (mean + scale * z).requires_grad_()
    a = logit(answer, x)
    (steepness,) = torch.autograd.grad(a.sum(), x)
    push = w * torch.from_numpy(np.array(slope(a.detach().numpy()))) * steepness
    return np.array([float(push.sum()), float((push * scale * z).sum())])


def play(
    world: Mixture,
    slope: Slope,
    start: tuple[float, float],
    seed: int,
    rate: float = 0.5,
    enough: float = 1e-6,
    rounds: int = 200,
    progress: Progress | None = None,
) -> End:
    """The discriminator answers and the generator moves, in turn, until the force on it is small ``enough``.

    The generator starts with this mean and scale, and descends by ``rate``.  Its moves shrink like a geometric series
    in the end; what is left is the sum of the rest of it.

    Raises FloatingPointError if it runs away: a slope of the wrong sign leads nowhere.
    """
    data, (z, w) = samples(world), samples(STANDARD)
    at = np.array([start[0], float(np.log(positive("start", start[1])))])
    generator = torch.Generator().manual_seed(seed)
    answer = torch.cat([torch.zeros(3), torch.randn(2 * len(world.weights) - 2, generator=generator)]).double()
    sizes = [np.inf]
    for done in range(1, rounds + 1):
        scale = float(np.exp(at[1]))
        answer = best_response(data, Samples(at[0] + scale * z, w), answer, steps=4)
        move = rate * force(answer, slope, float(at[0]), scale)
        sizes.append(float(np.hypot(*move)))
        if progress is not None:
            progress(done, rounds, sizes[-1])
        if not np.all(np.abs(at - move) < FAR):
            raise FloatingPointError(f"after {done} rounds the generator is at {at[0]:.3g}: it runs away from the data")
        at = at - move
        if sizes[-1] < rate * enough:
            break
    shrinks = min(sizes[-1] / sizes[-2], 1.0)
    left = (sizes[-1] + rate * enough) / (1 - shrinks) if shrinks < 1 else np.inf
    return End(float(at[0]), float(np.exp(at[1])), answer, left, world)
