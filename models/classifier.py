r"""A small classifier: to which class a draw belongs, given a number x.

Trained by cross-entropy on draws of (x, class), it lands on the probabilities of the classes given x.  Classes may be
bins: then it learns a conditional density, and can show that it has two peaks, as no network can that predicts a mean.
Or there are two of them, real and generated: then it is the discriminator of a game.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, silu

from numerics.statistics.points import Given, Raw

from .denoiser import BATCH, WIDTH, spread
from .training import Progress, learn, one_thread, single

UPDATES = 2500

Array = np.ndarray
Labelled = Callable[[Any, int], tuple[Array, Array]]  # n draws of (x, class), each of shape (n,)


class Classifier(nn.Module):
    """The logarithms of the probabilities of the classes, but for a constant, as a perceptron; all equal at first."""

    def __init__(self, classes: int, generator: torch.Generator) -> None:
        super().__init__()
        self.first = nn.Parameter(torch.randn((2, WIDTH), generator=generator))
        self.second = nn.Parameter(torch.randn((WIDTH + 1, WIDTH), generator=generator) / WIDTH**0.5)
        self.last = nn.Parameter(torch.zeros(WIDTH + 1, classes))

    def forward(self, x: Tensor) -> Tensor:
        """Logits, (batch, classes)."""
        features = silu(x[:, None] * self.first[0] + self.first[1])
        features = silu(features @ self.second[:-1] + self.second[-1])
        return features @ self.last[:-1] + self.last[-1]

    def predict(self, x: Array) -> Array:
        """The probability of each class, for x of shape (n,); (n, classes)."""
        with torch.no_grad(), one_thread():
            return torch.softmax(self(single(x)).double(), -1).numpy()

    def slopes(self, x: Array, label: int) -> Array:
        """The slope in x of the logarithm of the probability of one class, for x of shape (n,)."""
        with one_thread():
            at = single(x).requires_grad_()
            (slope,) = torch.autograd.grad(torch.log_softmax(self(at), -1)[:, label].sum(), at)
        return slope.double().numpy()


def train(
    labelled: Labelled,
    classes: int,
    rng: np.random.Generator,
    columns: int,
    updates: int = UPDATES,
    progress: Progress | None = None,
) -> Classifier:
    """A classifier that has seen ``updates`` fresh batches; the state of ``rng`` decides every bit of it.

    A draw takes ``columns`` raw numbers, which are spread evenly over a batch.

    Raises ValueError for a label that is no class, or draws that are not finite.
    """
    network = Classifier(classes, torch.Generator().manual_seed(int(rng.integers(2**63))))

    def loss() -> Tensor:
        x, label = labelled(Raw(BATCH, Given(spread(rng, columns))), BATCH)
        if np.any(wrong := ~np.isin(label, range(classes))):
            raise ValueError(f"label is {label[wrong][0]:g}; expected a class, 0 to {classes - 1}")
        return cross_entropy(network(single(x)), torch.from_numpy(label.astype(np.int64)))

    learn(network, loss, updates, progress)
    return network
