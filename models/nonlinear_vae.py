r"""A small nonlinear VAE of one latent number, which quadrature knows all about.

The encoder makes of an image the mean m and the log variance :math:`\ell` of a Gaussian q, linearly; the decoder paints
pixels along a parabola in z, or their logits.  Averages over q are sums over Gauss-Hermite nodes, so that training is a
descent without chance, and says what it has left.  What it is about, :math:`\log p(x)`, and what it loses,
:math:`D_{KL}(q\,\|\,\pi(z\mid x))`, are integrals over a line.

*Why a gap is left.*  No Gaussian is the posterior of a decoder that bends; and one encoder of few parameters has to
serve all images, so that it serves each of them less well than another Gaussian would: the amortisation gap.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import numpy as np
import torch
from numpy import exp, log
from numpy.typing import ArrayLike
from scipy.special import logsumexp
from torch import Tensor
from torch.nn.functional import softplus

from numerics.inputs import finite, probability
from numerics.worlds.digits import digits

from .linear_vae import divergence
from .training import Minimum, Progress, minimised

Array = np.ndarray
OfCode = Callable[[Tensor, Tensor], Tensor]  # means (N,), log variances (N,) -> the cost of each code, (N,)
OfPixel = Callable[[Tensor, Tensor, Tensor], Tensor]  # pixels, the decoder's outputs, log noise -> the cost of each

NODES = 24
LINE, STEP = np.linspace(-14, 14, 2241, retstep=True)  # of z; the trapezoid rule is exact for what is smooth
SCALES, RATIO = np.linspace(-60, 120, 901, retstep=True)  # logarithms of t


def gaussian(x: Tensor, f: Tensor, log_noise: Tensor) -> Tensor:
    """-log N(x; f, exp(log_noise)), pixel by pixel."""
    return ((x - f) ** 2 * (-log_noise).exp() + log_noise + np.log(2 * np.pi)) / 2


def bernoulli(x: Tensor, logit: Tensor, log_noise: Tensor | None = None) -> Tensor:
    """-log of the probability that the pixel is x, black or white."""
    return softplus(logit) - x * logit


class Parameters(NamedTuple):
    """What a training moves, cut out of one vector."""

    encoder: Tensor  # (d + 1, 2), mean and log variance; the last row is added to the others
    decoder: Tensor  # (3, d), of 1, z and z^2 - 1
    log_noise: Tensor  # ()

    @classmethod
    def of(cls, vector: Tensor, d: int) -> Parameters:
        encoder, decoder, log_noise = torch.split(vector, [2 * (d + 1), 3 * d, 1])
        return cls(encoder.reshape(d + 1, 2), decoder.reshape(3, d), log_noise[0])

    def code(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log variance of the code of images (N, d); (N,) each."""
        mean, log_variance = (x @ self.encoder[:-1] + self.encoder[-1]).unbind(-1)
        return mean, log_variance

    def outputs(self, z: Tensor) -> Tensor:
        """What the decoder makes of numbers of any shape, (..., d)."""
        return torch.stack([torch.ones_like(z), z, z**2 - 1], -1) @ self.decoder


class Images(NamedTuple):
    """Different images and how often each occurs, as a fraction."""

    x: Array  # (N, d)
    weights: Array  # (N,)


class Trained(NamedTuple):
    """A VAE as training has left it, and what quadrature says of it, image by image."""

    found: Minimum
    images: Images
    black_and_white: bool
    missed: float  # by the nodes, of the average over the codes

    @property
    def bound(self) -> float:
        """What the training reports, averaged over the images, in nats."""
        return -self.found.value

    @property
    def here(self) -> Parameters:
        return self.parameters(self.found.at)

    def parameters(self, vector: Array) -> Parameters:
        return Parameters.of(torch.from_numpy(vector), self.images.x.shape[1])

    def of(self, quantity: Callable[[Parameters], Tensor]) -> tuple[Array, Array]:
        """Something read off the parameters, and how far off it may be."""
        return self.found.of(lambda vector: quantity(self.parameters(vector)).numpy())

    @property
    def noise(self) -> float:
        """The variance of a pixel about what the decoder says."""
        return float(self.here.log_noise.exp())

    def code(self) -> tuple[Array, Array]:
        """Mean and variance of the code of each image, (N,) each."""
        mean, log_variance = self.here.code(torch.from_numpy(self.images.x))
        return mean.numpy(), log_variance.exp().numpy()

    def log_likelihood(self, z: Array, n: Array | int | slice = slice(None)) -> Array:
        """log p(x | z) of the images n, for z of a shape (..., N) or (..., 1)."""
        x, f = self.images.x[n], self.here.outputs(torch.from_numpy(np.asarray(z))).numpy()
        if self.black_and_white:
            return -np.sum(np.logaddexp(0, (1 - 2 * x) * f), axis=-1)
        return -np.sum((x - f) ** 2 / self.noise + log(2 * np.pi * self.noise), axis=-1) / 2

    def cost(self, z: Tensor, n: int) -> Tensor:
        """-log p(x | z) of the image n as it was trained with, of numbers of any shape, with slopes in them."""
        of_pixel = bernoulli if self.black_and_white else gaussian
        return of_pixel(torch.from_numpy(self.images.x[n]), self.here.outputs(z), self.here.log_noise).sum(-1)

    def negative_bound(self, n: int, mean: Tensor, log_variance: Tensor, number: int = NODES) -> Tensor:
        """Of any Gaussian code of the image n."""
        e, w = nodes(number)
        return (w * self.cost(mean + (log_variance / 2).exp() * e, n)).sum() + divergence(mean, log_variance)

    def log_joint(self, z: Array, n: Array | int | slice = slice(None)) -> Array:
        """log p(x, z)."""
        return self.log_likelihood(z, n) - z**2 / 2 - log(2 * np.pi) / 2

    def log_code(self, z: Array, n: Array | int | slice = slice(None)) -> Array:
        """log q(z | x)."""
        mean, variance = (part[n] for part in self.code())
        return -((z - mean) ** 2 / variance + log(2 * np.pi * variance)) / 2

    def log_evidence(self) -> Array:
        """log p(x) of each image, (N,)."""
        return logsumexp(self.log_joint(LINE[:, None]), axis=0) + log(STEP)

    def divergence(self) -> Array:
        """D_KL(q || posterior) of each image, which is what the bound loses; (N,)."""
        log_q = self.log_code(LINE[:, None])
        return STEP * np.sum(exp(log_q) * (log_q - self.log_joint(LINE[:, None]) + self.log_evidence()), axis=0)

    def iwae(self, k: int, n: int, every: int = 1) -> float:
        r"""The importance weighted bound of k draws of the code of image n.

        For a positive number S, :math:`\log S=\int_0^\infty(e^{-t}-e^{-tS})\,dt/t`; and :math:`e^{-tS}` of a mean S of
        k independent weights is on average the k-th power of that of one.
        """
        z = LINE[:, None]
        q = STEP * exp(self.log_code(z)[:, n])
        evidence = self.log_evidence()[n]
        weights, t = exp(self.log_joint(z)[:, n] - self.log_code(z)[:, n] - evidence), exp(SCALES[::every])
        damped = np.array([q @ exp(-s * weights) for s in t / k])
        return float(evidence + every * RATIO * np.sum(exp(-t) - damped**k))


@cache
def grey_pixels() -> Array:
    """Four pixels of the first digits, in the middle."""
    return digits()[:60, 26:30]


@cache
def black_pixels() -> Array:
    """Six pixels of all digits, 1 where there is ink."""
    return 1.0 * (digits()[:, [26, 27, 28, 29, 34, 36]] > 0)


@cache
def grey(seed: int) -> Trained:
    """Trained on grey pixels."""
    return train(grey_pixels(), seed)


@cache
def black(seed: int) -> Trained:
    """Trained on black and white pixels."""
    return train(black_pixels(), seed, bernoulli, black_and_white=True)


def nodes(number: int = NODES) -> tuple[Tensor, Tensor]:
    """Gauss-Hermite nodes of N(0, 1), and weights that sum to 1."""
    e, w = np.polynomial.hermite_e.hermegauss(number)
    return torch.from_numpy(e), torch.from_numpy(w / np.sqrt(2 * np.pi))


def over_the_codes(p: Parameters, x: Tensor, cost: Callable[[Tensor], Tensor], number: int = NODES) -> Tensor:
    """The average over the code of each image of a function of z, which adds axes behind; (N, ...)."""
    (e, w), (mean, log_variance) = nodes(number), p.code(x)
    return torch.einsum("k,nk...->n...", w, cost(mean[:, None] + (log_variance / 2).exp()[:, None] * e))


def train(
    data: ArrayLike,
    seed: int,
    of_pixel: OfPixel = gaussian,
    of_code: OfCode = divergence,
    black_and_white: bool = False,
    progress: Progress | None = None,
) -> Trained:
    """The VAE of least negative bound for data (N, d), found from a start that the seed decides.

    ``of_pixel`` and ``of_code`` are the two losses, the first of which has to know whether pixels are black and white.

    Raises ValueError for data that are not finite numbers in a table, or not 0 or 1 where they are black and white; and
    FloatingPointError if the loss has no minimum.
    """
    x = finite("data", data, ("N", "d"))
    if black_and_white and np.any(x * (1 - probability("data", x)) != 0):
        raise ValueError(f"data contains {x[(x != 0) & (x != 1)][0]:g}; expected 0 or 1, black or white")
    different, counts = np.unique(x, axis=0, return_counts=True)
    images = Images(different, counts / len(x))
    points, weights = torch.from_numpy(images.x), torch.from_numpy(images.weights)

    def loss(vector: Tensor, number: int = NODES) -> Tensor:
        p = Parameters.of(vector, x.shape[1])
        idle = p.log_noise**2 if black_and_white else 0.0  # there is no noise to be trained
        painted = over_the_codes(p, points, lambda z: of_pixel(points[:, None, :], p.outputs(z), p.log_noise), number)
        return (weights * (painted.sum(-1) + of_code(*p.code(points)))).sum() + idle

    start = torch.randn(5 * x.shape[1] + 3, generator=torch.Generator().manual_seed(seed)).double() / 2
    found = minimised(loss, start, progress=progress)
    with torch.no_grad():
        twice = float(loss(torch.from_numpy(found.at), 2 * NODES))
    return Trained(found, images, black_and_white, 2 * abs(twice - found.value))
