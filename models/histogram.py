r"""A small classifier: in which bin :math:`x_{t-1}` lies, given :math:`x_t`.

Trained by cross-entropy on draws of one step, it lands on the probabilities of the bins under the reverse kernel.  A
network that predicts a mean cannot show that a kernel has two peaks; one that predicts a histogram can.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, silu

from numerics.statistics.points import Given, Raw

from .denoiser import BATCH, RATE, WARM_UP, WIDTH, spread
from .training import Progress, one_thread, single

UPDATES = 2500

Array = np.ndarray
Pairs = Callable[[Any, int], tuple[Array, Array]]  # n draws of (x_t, x_{t-1}), of two raw normals and a choice


class Histogram(nn.Module):
    """The logarithms of the probabilities of the bins, but for a constant, as a perceptron; all equal at first."""

    def __init__(self, edges: Array, generator: torch.Generator) -> None:
        super().__init__()
        self.edges = np.asarray(edges, dtype=float)
        self.first = nn.Parameter(torch.randn((2, WIDTH), generator=generator))
        self.second = nn.Parameter(torch.randn((WIDTH + 1, WIDTH), generator=generator) / WIDTH**0.5)
        self.last = nn.Parameter(torch.zeros(WIDTH + 1, len(edges) + 1))

    def forward(self, x: Tensor) -> Tensor:
        """Logits, (batch, bins)."""
        features = silu(x[:, None] * self.first[0] + self.first[1])
        features = silu(features @ self.second[:-1] + self.second[-1])
        return features @ self.last[:-1] + self.last[-1]

    def predict(self, x_t: Array) -> Array:
        """The probability of each bin, for x_t of shape (n,); (n, bins)."""
        with torch.no_grad(), one_thread():
            return torch.softmax(self(single(x_t)).double(), -1).numpy()


def train(
    pairs: Pairs, edges: Array, rng: np.random.Generator, updates: int = UPDATES, progress: Progress | None = None
) -> Histogram:
    """A histogram that has seen ``updates`` fresh batches; the state of ``rng`` decides every bit of it."""
    network = Histogram(edges, torch.Generator().manual_seed(int(rng.integers(2**63))))
    adam = torch.optim.Adam(network.parameters(), lr=RATE, betas=(0.9, 0.99))
    rate = torch.optim.lr_scheduler.LambdaLR(adam, lambda k: min(1.0, (k + 1) / WARM_UP) * (1 - k / updates))
    with one_thread():
        for done in range(1, updates + 1):
            x_t, x_prev = pairs(Raw(BATCH, Given(spread(rng, columns=3))), BATCH)
            loss = cross_entropy(network(single(x_t)), torch.from_numpy(np.digitize(x_prev, network.edges)))
            adam.zero_grad()
            loss.backward()
            adam.step()
            rate.step()
            if progress is not None:
                progress(done, updates, loss.item())
    return network
