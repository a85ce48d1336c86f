r"""A small velocity network, and where it carries the noise.

Conditional flow matching: a noise and an end are drawn, a time t, and on the straight line between them

.. math:: x_t=(1-t)\,x_0+t\,x_1,\qquad \dot x_t=x_1-x_0 .

The network sees :math:`x_t` and t and predicts :math:`\dot x_t`; least squares draws it to
:math:`E[\dot x_t\mid x_t]`.  Whether the ends know the noise is up to whoever draws them: data drawn by themselves, or
the ends that another flow has carried the noise to (reflow).

Times are drawn more often near both ends, which are seen from one side only.  How often is no matter of the minimum.

Before training it predicts 0: nothing moves.
"""

from __future__ import annotations

from collections.abc import Callable
from math import sqrt
from typing import Any

import numpy as np
import torch
from scipy.interpolate import CubicSpline
from torch import Tensor, nn
from torch.nn.functional import silu

from numerics.statistics.points import Given, Raw

from .denoiser import BATCH, WIDTH, spread
from .training import Progress, learn, one_thread, single

STEPS = 64  # of Runge and Kutta, from the noise to the data
FAR, NODES = 9.0, 361  # where the ends of a flow on the line are tabulated: of noise up to nine deviations

Array = np.ndarray
Ends = Callable[[Any, int], tuple[Array, Array]]  # n draws of a noise and an end, each of shape (n,) or (n, d)


class Velocity(nn.Module):
    """The velocity at points (n, d) and at times (n,), as a perceptron; 0 until it is trained."""

    def __init__(self, dimension: int, generator: torch.Generator) -> None:
        super().__init__()
        self.first = nn.Parameter(torch.randn((dimension + 2, WIDTH), generator=generator))
        self.second = nn.Parameter(torch.randn((WIDTH + 1, WIDTH), generator=generator) / sqrt(WIDTH))
        self.last = nn.Parameter(torch.zeros(WIDTH + 1, dimension))

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        """Of the shape of x.  Times are spread about as wide as points."""
        features = silu(x @ self.first[:-2] + (4 * t[:, None] - 2) * self.first[-2] + self.first[-1])
        features = silu(features @ self.second[:-1] + self.second[-1])
        return features @ self.last[:-1] + self.last[-1]

    def predict(self, x: Array, t: float) -> Array:
        """The velocity at points (n,) of the line, or (n, d), at one time."""
        points = torch.from_numpy(np.asarray(x, dtype=float)).reshape(len(x), -1)
        with torch.no_grad(), one_thread():
            return self(points, torch.full((len(x),), t, dtype=points.dtype)).numpy().reshape(np.shape(x))

    def carry(self, x: Array, start: float = 0.0, end: float = 1.0) -> Array:
        """Where the flow takes points, (n,) or (n, d): noise to data, or from one time to another."""
        points = torch.from_numpy(np.asarray(x, dtype=float)).reshape(len(x), -1)
        ones = torch.ones(len(x), dtype=points.dtype)
        with torch.no_grad(), one_thread():
            return self.between(points, start * ones, end * ones).numpy().reshape(np.shape(x))

    def between(self, x: Tensor, start: Tensor, end: Tensor, steps: int = STEPS) -> Tensor:
        """Where the flow takes each point from its start to its end, forwards or backwards, by Runge and Kutta."""
        h = (end - start) / steps
        for k in range(steps):
            t = start + k * h
            first = self(x, t)
            second = self(x + h[:, None] / 2 * first, t + h / 2)
            third = self(x + h[:, None] / 2 * second, t + h / 2)
            last = self(x + h[:, None] * third, t + h)
            x = x + h[:, None] / 6 * (first + 2 * second + 2 * third + last)
        return x

    def ends(self) -> Callable[[Array], Array]:
        """On the line, where the flow takes noise, as a smooth function of it: from a table."""
        noise = np.linspace(-FAR, FAR, NODES)
        return CubicSpline(noise, self.carry(noise))


def train(
    ends: Ends,
    dimension: int,
    columns: int,
    rng: np.random.Generator,
    updates: int,
    progress: Progress | None = None,
) -> Velocity:
    """A velocity that has seen ``updates`` fresh batches; the state of ``rng`` decides every bit of it.

    A draw of both ends takes ``columns`` raw numbers, which are spread evenly over a batch, with the times.  It is
    trained in single precision, and computes in double.
    """
    network = Velocity(dimension, torch.Generator().manual_seed(int(rng.integers(2**63))))

    def loss() -> Tensor:
        t, *uniforms = spread(rng, columns + 1)
        x_0, x_1 = (single(part).reshape(BATCH, -1) for part in ends(Raw(BATCH, Given(np.array(uniforms))), BATCH))
        t = single(np.sin(np.pi / 2 * t) ** 2)
        x_t = (1 - t[:, None]) * x_0 + t[:, None] * x_1
        return (network(x_t, t) - (x_1 - x_0)).square().sum(1).mean()

    learn(network, loss, updates, progress)
    return network.double()
