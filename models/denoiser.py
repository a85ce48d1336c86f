r"""A small denoiser: least squares on draws of the forward step, and nothing that knows the answer.

It sees :math:`x_t` and predicts the noise of the step that made it,

.. math:: x_t = \sqrt{\alpha}\, x_{t-1} + \sqrt{\beta}\, \epsilon,

and, with a second output, the square of what is left of that noise.  Least squares draws the first output to
:math:`E[\epsilon \mid x_t]` and the second to :math:`\operatorname{Var}[\epsilon \mid x_t]`.

*Why the noise and not* :math:`x_{t-1}`?  Given :math:`x_t` one is an affine function of the other: the losses differ by
a factor and have the same minimum.  But the noise has variance 1 at every step.  And before training both outputs are
what somebody believes who takes the noise to be independent of :math:`x_t`, mean 0 and variance 1: the naive inversion.
What the network learns is what that inversion lacks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from math import sqrt

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import silu

UPDATES, BATCH = 3000, 2048
WIDTHS = (1, 32, 32, 2)  # x_t goes in; the mean of the noise, and its variance less 1, come out
RATE, WARM_UP = 1e-2, 50  # Adam's: up over the first updates, then down to zero in a straight line

Array = np.ndarray
Pairs = Callable[[np.random.Generator, int], tuple[Array, Array]]  # n draws of (x_t, noise), each of shape (n,)
Progress = Callable[[int, int, float], None]  # told the updates done, of how many, and the loss of the mean


class Denoiser(nn.Module):
    """The mean and the variance of the noise in x_t, as a perceptron; 0 and 1 until it is trained."""

    def __init__(self, generator: torch.Generator) -> None:
        super().__init__()
        shapes = list(pairwise(WIDTHS))
        self.weights = nn.ParameterList(torch.randn(shape, generator=generator) / sqrt(shape[0]) for shape in shapes)
        self.biases = nn.ParameterList(torch.randn(width, generator=generator) for _, width in shapes)
        nn.init.zeros_(self.weights[-1])
        nn.init.zeros_(self.biases[-1])

    def forward(self, x_t: Tensor) -> tuple[Tensor, Tensor]:
        """Both outputs, each of the shape of x_t, (batch,)."""
        *hidden, (weight, bias) = zip(self.weights, self.biases)
        features = x_t[:, None]
        for w, b in hidden:
            features = silu(torch.addmm(b, features, w))
        mean, excess = torch.addmm(bias, features, weight).unbind(1)
        return mean, 1 + excess

    def predict(self, x_t: Array) -> tuple[Array, Array]:
        """Both outputs for an array of any shape; only the network itself works in single precision."""
        with torch.no_grad(), one_thread():
            mean, variance = self(single(x_t.ravel()))
        return mean.double().numpy().reshape(x_t.shape), variance.double().numpy().reshape(x_t.shape)


def train(pairs: Pairs, rng: np.random.Generator, updates: int = UPDATES, progress: Progress | None = None) -> Denoiser:
    """A denoiser that has seen ``updates`` fresh batches of pairs; the state of ``rng`` decides every bit of it.

    Torch's global generator and its number of threads are left as they were.
    """
    network = Denoiser(torch.Generator().manual_seed(int(rng.integers(2**63))))
    adam = torch.optim.Adam(network.parameters(), lr=RATE, betas=(0.9, 0.99))
    rate = torch.optim.lr_scheduler.LambdaLR(adam, lambda k: min(1.0, (k + 1) / WARM_UP) * (1 - k / updates))
    with one_thread():
        for done in range(1, updates + 1):
            x_t, noise = map(single, pairs(rng, BATCH))  # fresh every time: there is nothing to memorise
            mean, variance = network(x_t)
            residual = noise - mean
            loss = residual.square().mean()
            # Detached: the variance follows the mean, and the mean does not bend to please the variance.
            loss_of_variance = (residual.detach().square() - variance).square().mean()
            adam.zero_grad()
            (loss + loss_of_variance / 2).backward()
            adam.step()
            rate.step()
            if progress is not None:
                progress(done, updates, loss.item())
    return network


def single(x: Array) -> Tensor:
    """The array as a tensor in single precision."""
    return torch.from_numpy(x.astype(np.float32))


@contextmanager
def one_thread() -> Iterator[None]:
    """One torch thread inside, as many as before outside: this network is too small to share."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
