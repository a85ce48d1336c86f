r"""The linear VAE: the one variational autoencoder whose every answer is known.

The decoder is :math:`x\mid z\sim\mathcal N(Wz+\mu,\sigma^2I)` and the encoder
:math:`z\mid x\sim\mathcal N(Vx+b,\operatorname{diag}e^{\ell})`; nothing tells it of eigenvalues.  The negative bound is
averaged over a whole data set, and exactly over the code, of which the loss of an image only asks the mean square error
on average,

.. math:: \mathbb E\lVert x-Wz-\mu\rVert^2=\lVert x-W(Vx+b)-\mu\rVert^2+\sum_je^{\ell_j}\lVert w_j\rVert^2 .
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from numerics.inputs import finite, positive

from .training import Minimum, Progress, minimised

Array = np.ndarray
OfCode = Callable[[Tensor, Tensor], Tensor]  # means (N, k), log variances (k,) -> the cost of each code, (N, k)
OfImage = Callable[[Tensor, int, Tensor], Tensor]  # sums of squares (N,), of how many pixels, log variance -> (N,)


def divergence(mean: Tensor, log_variance: Tensor) -> Tensor:
    """D_KL(N(mean, exp(log_variance)) || N(0, 1)), latent by latent."""
    return (mean**2 + log_variance.exp() - 1 - log_variance) / 2


def likelihood(squares: Tensor, pixels: int, log_variance: Tensor) -> Tensor:
    """-log N(x; f, exp(log_variance) I) for images with these sums of squares of x - f."""
    return (squares * (-log_variance).exp() + pixels * (log_variance + np.log(2 * np.pi))) / 2


class LinearVAE(NamedTuple):
    """Parameters of a linear VAE with d pixels and k latents."""

    W: Array  # (d, k)
    mu: Array  # (d,)
    V: Array  # (k, d)
    b: Array  # (k,)
    log_variances: Array  # (k,), of the code
    log_noise: float  # log sigma^2

    @classmethod
    def of(cls, vector: ArrayLike, d: int, k: int) -> LinearVAE:
        """The parameters out of one vector, as a training moves it."""
        parts = np.split(np.asarray(vector), np.cumsum([d * k, d, k * d, k, k]))
        return cls(parts[0].reshape(d, k), parts[1], parts[2].reshape(k, d), parts[3], parts[4], float(parts[5][0]))

    def code(self, x: Array) -> Array:
        """The mean of the code of points (N, d); (N, k)."""
        return x @ self.V.T + self.b


class Trained(NamedTuple):
    """A linear VAE of d pixels and k latents as training has left it."""

    found: Minimum
    d: int
    k: int
    fixed: dict[str, Any]  # parameters that were not trained

    def parameters(self, vector: Array) -> LinearVAE:
        return LinearVAE.of(vector, self.d, self.k)._replace(**self.fixed)

    @property
    def here(self) -> LinearVAE:
        return self.parameters(self.found.at)

    @property
    def bound(self) -> float:
        """The evidence lower bound, averaged over the data, in nats."""
        return -self.found.value

    def of(self, quantity: Callable[[LinearVAE], Array | float]) -> tuple[Array, Array]:
        """Something read off the parameters, and how far off it may be."""
        return self.found.of(lambda vector: quantity(self.parameters(vector)))


def train(
    data: ArrayLike,
    latents: int,
    seed: int,
    noise: float | None = None,
    W: Array | None = None,
    of_code: OfCode = divergence,
    of_image: OfImage = likelihood,
    progress: Progress | None = None,
) -> Trained:
    """The linear VAE of least negative bound for data (N, d), found from a start that the seed decides.

    ``noise`` fixes sigma^2 and ``W`` the columns, which are trained as well otherwise; ``of_code`` and ``of_image`` are
    the two losses.

    Raises ValueError for data that are not finite numbers in a table, more latents than pixels, or a noise that is not
    positive; and FloatingPointError if the loss has no minimum.
    """
    x = finite("data", data, ("N", "d"))
    (n, d), k = x.shape, latents
    if not 0 < k <= d:
        raise ValueError(f"latents is {latents}; expected 1 to {d}, as many as there are pixels at most")
    fixed = None if noise is None else float(np.log(positive("noise", noise)))
    columns = None if W is None else finite("W", W, (d, k))
    points = torch.from_numpy(x)

    def loss(p: Tensor) -> Tensor:
        w, mu, V, b, log_variances, log_noise = torch.split(p, [d * k, d, k * d, k, k, 1])
        idle = torch.zeros(())
        if columns is not None:  # what is fixed has nothing to do
            w, idle = torch.from_numpy(columns), idle + (w**2).sum()
        if fixed is not None:
            log_noise, idle = torch.full((1,), fixed, dtype=p.dtype), idle + (log_noise**2).sum()
        w, mean = w.reshape(d, k), points @ V.reshape(k, d).T + b
        squares = ((points - mean @ w.T - mu) ** 2).sum(1) + (log_variances.exp() * w**2).sum()
        return (of_image(squares, d, log_noise).sum() + of_code(mean, log_variances).sum()) / n + idle

    start = torch.randn(2 * d * k + d + 2 * k + 1, generator=torch.Generator().manual_seed(seed)).double() / np.sqrt(d)
    fixed_parts = {"W": columns, "log_noise": fixed}
    untrained = {name: part for name, part in fixed_parts.items() if part is not None}
    return Trained(minimised(loss, start, progress=progress), d, k, untrained)
