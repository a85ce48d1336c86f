r"""A small denoiser: least squares on draws of the forward process, and nothing that knows the answer.

It sees :math:`x_t` and t, and predicts two noises: that of the last step and that of all steps so far,

.. math:: x_t = \sqrt{\alpha_t}\, x_{t-1} + \sqrt{\beta_t}\, \epsilon_t
              = \sqrt{\bar\alpha_t}\, x_0 + \sqrt{1-\bar\alpha_t}\, \bar\epsilon_t ,

and the squares of what is left of each.  Least squares draws the predictions to :math:`E[\epsilon \mid x_t]` and the
squares to :math:`\operatorname{Var}[\epsilon \mid x_t]`.

*Why the noise, and not* :math:`x_{t-1}` *or* :math:`x_0`?  Given :math:`x_t` one is an affine function of the other:
the losses differ by a factor and have the same minimum.  But the noise has variance 1 at every step.  And before
training the network says what somebody believes who takes the noise to be independent of :math:`x_t`, mean 0 and
variance 1: the naive inversion.  What it learns is what that inversion lacks.

*In which units?*  A square counts in units of the variance that the network has come to there, so that it comes as near
in the tails, where little is left to chance, as in the middle.  A weight that is a function of :math:`x_t` moves no
minimum.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import sqrt
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import silu

from numerics.statistics.points import Given, Raw

from .training import Progress, learn, one_thread, single

UPDATES, BATCH = 3500, 1021  # a prime, so that the lattice has no point twice on any axis
WIDTH = 32
LEAST = 0.04  # no variance counts as less

Array = np.ndarray
Noisy = Callable[[Any, int], tuple[Array, Array, Array]]  # n draws of x_t, the last noise and the whole, each (n,)


class Predicted(NamedTuple):
    """The mean and the variance of the noise of the last step, and of all steps, given x_t."""

    last: Array
    last_variance: Array
    whole: Array
    whole_variance: Array


class Denoiser(nn.Module):
    """Means and variances of both noises in x_t, as a perceptron; 0 and 1 until it is trained."""

    def __init__(self, times: int, generator: torch.Generator) -> None:
        super().__init__()

        def random(*shape: int) -> nn.Parameter:
            return nn.Parameter(torch.randn(shape, generator=generator))

        # x_t is seen through a slope and a shift of its own for each time; what follows is shared.
        self.slopes, self.shifts = random(times, 1, WIDTH), random(times, 1, WIDTH)
        self.weight, self.bias = nn.Parameter(random(WIDTH, WIDTH).detach() / sqrt(WIDTH)), random(WIDTH)
        self.last = nn.Parameter(torch.zeros(WIDTH + 1, 4))

    def forward(self, x: Tensor, t: slice = slice(None)) -> tuple[Tensor, ...]:
        """The four outputs, each of the shape of x, (times, batch)."""
        features = silu(x[..., None] * self.slopes[t] + self.shifts[t])
        features = silu(features @ self.weight + self.bias)
        last, excess_last, whole, excess_whole = (features @ self.last[:-1] + self.last[-1]).unbind(-1)
        return last, 1 + excess_last, whole, 1 + excess_whole

    def predict(self, x_t: Array, t: int) -> Predicted:
        """All outputs at time t = 1..T for an array of any shape; only the network works in single precision.

        Raises ValueError for another t.
        """
        if t not in range(1, len(self.slopes) + 1):
            raise ValueError(f"t is {t}; expected 1 to {len(self.slopes)}, a time that it was trained at")
        with torch.no_grad(), one_thread():
            outputs = self(single(x_t).reshape(1, -1), slice(t - 1, t))
        return Predicted(*(out.double().numpy().reshape(np.shape(x_t)) for out in outputs))


def train(
    noisy: Sequence[Noisy], rng: np.random.Generator, updates: int = UPDATES, progress: Progress | None = None
) -> Denoiser:
    """A denoiser that has seen ``updates`` fresh batches of every time; the state of ``rng`` decides every bit of it.

    ``noisy`` draws for each time.  Torch's global generator and its number of threads are left as they were.
    """
    network = Denoiser(len(noisy), torch.Generator().manual_seed(int(rng.integers(2**63))))

    def loss() -> Tensor:
        drawn = [draw(Raw(BATCH, Given(spread(rng))), BATCH) for draw in noisy]  # fresh: there is nothing to memorise
        x, *noises = (single(np.array(part)) for part in zip(*drawn))
        outputs, total = network(x), torch.zeros(())
        for noise, mean, variance in zip(noises, outputs[::2], outputs[1::2]):
            # Detached: the variance follows the mean, and the mean does not bend to please the variance.
            residual, unit = noise - mean, variance.detach().clamp(LEAST)
            off = (residual.detach().square() - variance) / unit
            total = total + (residual.square() / unit).mean() + off.square().mean() / 2
        return total

    learn(network, loss, updates, progress)
    return network


def spread(rng: np.random.Generator, columns: int = 4) -> Array:
    """BATCH points of the unit cube, evenly spread: Korobov's lattice, shifted at random; (columns, BATCH).

    Each point by itself is uniform.  Together they leave a fraction of the chance of independent draws in an average.
    """
    generator = [
        pow(270, k, BATCH) for k in range(columns)
    ]  # 270: of the smallest P_2 in 2, 3 and 4 dimensions at once
    lattice = np.arange(BATCH) * np.array(generator)[:, None] / BATCH
    return (lattice + rng.random((columns, 1))) % 1
