r"""Mixtures of Gaussians, and what diffusion makes of them.

A mixture is a draw of a component k, then a draw from :math:`\mathcal N(m_k,C_k)`.  So every question is answered in
two steps: for each component, where everything is linear, and on average over the component given what was seen,

.. math:: r_k(x)=p(k\mid x)\propto w_k\,\mathcal N(x;m_k,C_k).

The score averages the pulls :math:`C_k^{-1}(m_k-x)` towards the means; its slope is the variance of the pull, less the
average precision; the reverse kernel conditions each component on :math:`x_t` and reweighs it by :math:`r_k(x_t)`.

What all components share, a covariance or a shift of their means, is stored once, so that the empirical law of
thousands of points stays cheap.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial.distance import cdist
from scipy.special import ndtr

from ..quadrature import EPS, expectation_of, settled
from ..schedules import Step
from .covariances import Covariances, transposed

Array = NDArray[np.float64]
Draw = Callable[[np.random.Generator, int], tuple[Array, ...]]

NO_SHIFT = np.zeros((1, 1))


def normal(x: ArrayLike, mean: ArrayLike, variance: ArrayLike) -> Array:
    """N(x; mean, variance) in one dimension."""
    x, mean, variance = np.asarray(x), np.asarray(mean), np.asarray(variance)
    return np.exp(-((x - mean) ** 2) / (2 * variance)) / np.sqrt(2 * np.pi * variance)


class CentralMoments(NamedTuple):
    """E (x - mean)^p for p = 2, 3, 4, 6."""

    second: Array
    third: Array
    fourth: Array
    sixth: Array


@dataclass(frozen=True, eq=False, repr=False)
class Mixture:
    """A mixture of K Gaussians in d dimensions, or a batch of shape * of them.

    Made by ``mixture`` and its friends, which check what they are given.  A mean is a centre plus the shift of all.
    """

    weights: Array  # (*, K)
    centres: Array  # (*, K, d)
    spread: Covariances  # of K components, or one for all
    shift: Array  # (*, 1, d or 1)
    dimension: int | None = None  # None: one dimension, and points have no axis for it

    def __repr__(self) -> str:
        place = "one dimension" if self.dimension is None else f"{self.dimension} dimensions"
        return f"<mixture of {self.weights.shape[-1]} in {place}{f', batch {self.batch}' if self.batch else ''}>"

    @property
    def batch(self) -> tuple[int, ...]:
        """The shape of the batch of laws; () for one law."""
        parts = (self.centres, self.spread.spectra, self.shift)
        return np.broadcast_shapes(self.weights.shape[:-1], *(part.shape[:-2] for part in parts))

    # Moments

    @property
    def means(self) -> Array:
        """The means of the components, (*, K) in one dimension, (*, K, d) in d."""
        return self._out(self.centres + self.shift)

    @property
    def variances(self) -> Array:
        """The variances of the components in one dimension, (*, K), or (*, 1) where they share one."""
        self._in_one_dimension("variances")
        return self.spread.spectra[..., 0]

    @property
    def covariances(self) -> Array:
        """The covariances of the components, (*, K, d, d), or (*, 1, d, d) where they share one."""
        return self.spread.matrices(self._d)

    @property
    def mean(self) -> Array:
        """E x."""
        return self._out((self._centroid() + self.shift)[..., 0, :])

    @property
    def covariance(self) -> Array:
        """E (x - mean)(x - mean)^T, (*, d, d): within components, and between them."""
        apart = self.centres - self._centroid()
        return self.spread.averaged(self.weights, self._d) + transposed(self.weights[..., None] * apart) @ apart

    @property
    def variance(self) -> Array:
        """E (x - mean)^2, in one dimension."""
        self._in_one_dimension("variance")
        return self.covariance[..., 0, 0]

    def central_moments(self) -> CentralMoments:
        """E (x - mean)^p for p = 2, 3, 4, 6, in one dimension."""
        self._in_one_dimension("central_moments()")
        a, v = (self.centres - self._centroid())[..., 0], self.variances
        aa = a * a
        second, third, fourth = aa + v, a * (aa + 3 * v), aa * (aa + 6 * v) + 3 * v * v
        sixth = aa * (aa * (aa + 15 * v) + 45 * v * v) + 15 * v * v * v
        return CentralMoments(*(np.sum(self.weights * m, axis=-1) for m in (second, third, fourth, sixth)))

    # The density, and what is read off it

    def density(self, x: ArrayLike) -> Array:
        """p(x)."""
        return np.exp(self.log_density(x))

    __call__ = density

    def log_density(self, x: ArrayLike) -> Array:
        """log p(x), as far out as numbers reach.  Raises ValueError if a component has no spread, and so no density."""
        return _logsumexp(self._log_terms(self._in(x)))[..., 0]

    def responsibilities(self, x: ArrayLike) -> Array:
        """p(component | x), (..., K)."""
        terms = self._log_terms(self._in(x))
        return np.exp(terms - _logsumexp(terms))

    def score(self, x: ArrayLike) -> Array:
        """The gradient of log p: the mean pull."""
        r = self.responsibilities(x)
        if self.spread.isotropic:  # the mean pull is the pull towards the mean of the means
            pull = self.spread.inverse() @ (_average(r, self.centres) + self.shift - self._in(x))
        else:
            pull = _average(r, self._pulls(self._in(x)))
        return self._out(pull[..., 0, :])

    def hessian(self, x: ArrayLike) -> Array:
        """The second derivatives of log p, (..., d, d): the covariance of the pull, less the mean precision."""
        r, pulls = self.responsibilities(x), self._pulls(self._in(x))
        pulls = pulls - _average(r, pulls)
        return transposed(r[..., None] * pulls) @ pulls - self.spread.inverse().averaged(r, self._d)

    def score_slope(self, x: ArrayLike) -> Array:
        """The second derivative of log p, in one dimension."""
        self._in_one_dimension("score_slope")
        return self.hessian(x)[..., 0, 0]

    def score_curvature(self, x: ArrayLike) -> Array:
        """The third derivative of log p, in one dimension.

        It is the third cumulant of the pull, less three times the covariance of the pull and the precision.
        """
        self._in_one_dimension("score_curvature")
        r, pulls = self.responsibilities(x), self._pulls(self._in(x))
        pulls = (pulls - _average(r, pulls))[..., 0]
        return np.sum(r * pulls * (pulls * pulls - 3 / self.variances), axis=-1)

    def cdf(self, x: ArrayLike) -> Array:
        """P(a draw <= x), in one dimension; it jumps where a component has no spread."""
        self._in_one_dimension("cdf")
        apart = np.asarray(x, dtype=float)[..., None] - self.means
        with np.errstate(divide="ignore", invalid="ignore"):
            z = np.where(self.variances > 0, apart / np.sqrt(self.variances), np.where(apart >= 0, np.inf, -np.inf))
        return np.sum(self.weights * ndtr(z), axis=-1)

    def entropy(self) -> Array:
        """-E log p(x) in nats, by quadrature, in one dimension.  Raises Unsettled if two resolutions disagree."""
        return self._averaged(lambda law, x: -law.log_density(x))

    def fisher(self) -> Array:
        """E score(x)^2, by quadrature, in one dimension.  Raises Unsettled if two resolutions disagree."""
        return self._averaged(lambda law, x: law.score(x) ** 2)

    # Laws made of this one

    def affine(self, scale: ArrayLike, noise: ArrayLike) -> Mixture:
        """The law of scale * x + sqrt(noise) * epsilon; arrays make a batch."""
        s, v = _behind(scale), _behind(noise)
        if not (np.all(np.isfinite(s)) and np.all(np.isfinite(v)) and np.all(v >= 0)):
            raise ValueError(f"scale = {scale} must be finite, and noise = {noise} a variance: finite and not negative")
        spread = self.spread.map(lambda variance: s * s * variance + v)
        return replace(self, centres=s * self.centres, spread=spread, shift=s * self.shift)

    def marginal(self, alpha_bar: ArrayLike) -> Mixture:
        """The law of x_t, if this is the law of x_0; an array of alpha_bars makes a batch."""
        return self.affine(*_attenuation(alpha_bar))

    def conditioned(self, scale: ArrayLike, noise: ArrayLike, y: ArrayLike) -> Mixture:
        """The law of x given that scale * x + sqrt(noise) * epsilon = y; one law for every y.

        Each component is conditioned, its mean and y weighed by precision, and reweighed by how well it explains y.
        """
        s, v = _behind(scale), _behind(noise)
        weights = self.affine(scale, noise).responsibilities(y)
        keep = self.spread.map(lambda variance: v / (s * s * variance + v))
        gain = self.spread.map(lambda variance: s * variance / (s * s * variance + v))
        spread = self.spread.map(lambda variance: variance * v / (s * s * variance + v))
        pulled = gain @ self._in(y)
        if self.spread.isotropic:  # every y shifts all means alike
            centres, shift = keep @ self.centres, keep @ self.shift + pulled
        else:
            centres, shift = keep @ (self.centres + self.shift) + pulled, NO_SHIFT
        return replace(self, weights=weights, centres=centres, spread=spread, shift=shift)

    def posterior(self, alpha_bar: ArrayLike, x_t: ArrayLike) -> Mixture:
        """q(x_0 | x_t), if this is the law of x_0; one law for every x_t."""
        return self.conditioned(*_attenuation(alpha_bar), x_t)

    def reverse_kernel(self, step: Step, x_t: ArrayLike) -> Mixture:
        """q(x_{t-1} | x_t), if this is the law of x_0; one law for every x_t."""
        return self.marginal(step.alpha_bar_prev).conditioned(*_attenuation(step.alpha), x_t)

    # Draws

    def sample(self, rng: np.random.Generator, n: int | None = None) -> Array:
        """n independent draws from every law, (n, *) or (n, *, d); without n one draw, (*) or (*, d)."""
        shape = (() if n is None else (n,)) + self.batch
        below, u = np.cumsum(self.weights[..., :-1], axis=-1), rng.random(shape)
        if below.ndim == 1:  # the component is the first whose weights have passed u
            k: NDArray[np.intp] = np.searchsorted(below, u, side="right")
        else:
            k = np.sum(below <= u[..., None], axis=-1)
        z = np.sqrt(_picked(self.spread.spectra, k)) * rng.standard_normal((*shape, self._d))
        if self.spread.axes is not None:
            z = np.einsum("...i,...ji->...j", z, self.spread.axes[k if len(self.spread.axes) > 1 else 0])
        return self._out(_picked(self.centres, k) + self.shift[..., 0, :] + z)

    def path(self, alphas: ArrayLike) -> Draw:
        """Draws of (x_0, x_1, ..., x_T), by the forward process and nothing else: one step for each alpha."""
        steps = [_attenuation(alpha) for alpha in np.asarray(alphas, dtype=float)]

        def draw(rng: np.random.Generator, n: int) -> tuple[Array, ...]:
            xs = [self.sample(rng, n)]
            for scale, noise in steps:
                xs.append(scale * xs[-1] + np.sqrt(noise) * rng.standard_normal(xs[-1].shape))
            return tuple(xs)

        return draw

    def forward(self, step: Step) -> Draw:
        """Draws of (x_0, x_prev, x_t), by the forward process and nothing else: a jump to t-1, then the step."""
        return self.path([step.alpha_bar_prev, step.alpha])

    # Inside

    @property
    def _d(self) -> int:
        return self.centres.shape[-1]

    def _log_terms(self, x: Array) -> Array:
        """log weights[k] N(x; means[k], covariances[k]), (..., K)."""
        self._with_a_density()
        if self.spread.isotropic and self.centres.ndim == 2:  # distances to the same centres, however many
            z = (x - self.shift)[..., 0, :]
            squares = cdist(z.reshape(-1, self._d), self.centres, "sqeuclidean").reshape(*z.shape[:-1], -1)
            squares = squares / self.spread.spectra[..., 0]
        else:
            squares = self.spread.squares(x - self.shift - self.centres)
        with np.errstate(divide="ignore"):  # a weight may be zero
            return np.log(self.weights) - (squares + self.spread.log_volumes(self._d)) / 2

    def _pulls(self, x: Array) -> Array:
        """C_k^-1 (m_k - x), the score of each component, (..., K, d)."""
        return self.spread.inverse() @ (self.centres - (x - self.shift))

    def _centroid(self) -> Array:
        return _average(self.weights, self.centres)

    def _averaged(self, f: Callable[[Mixture, Array], Array]) -> Array:
        """E f(x), component by component, each in its own window, however far apart and unlike they are."""
        self._in_one_dimension("entropy() and fisher()")
        self._with_a_density()
        law = replace(self, centres=self.centres - self._centroid(), shift=NO_SHIFT)
        parts = np.broadcast_arrays(law.means, np.sqrt(law.variances), law.weights)
        m, sigma, w = (np.moveaxis(part, -1, 0) for part in parts)
        rule = expectation_of(lambda z: f(law, m + sigma * z), lambda z: normal(z, 0.0, 1.0), np.zeros(m.shape))

        def average(nodes: int) -> tuple[Array, Array]:
            value, magnitude = rule(nodes)
            return np.sum(w * value, axis=0), np.sum(w * magnitude, axis=0)

        # The last bits of x weigh as much as x is large on the scale of the narrowest component.
        return settled(average, 16 * EPS * (1 + np.max(np.abs(m), axis=0) / np.min(sigma, axis=0)))

    def _in(self, x: ArrayLike) -> Array:
        """Points (..., 1, d): with an axis for their coordinates and room for the components."""
        x = np.asarray(x, dtype=float)
        if self.dimension is None:
            return x[..., None, None]
        if x.shape[-1:] != (self.dimension,):
            raise ValueError(f"x has shape {x.shape}; in {self.dimension} dimensions expected (..., {self.dimension})")
        return x[..., None, :]

    def _out(self, v: Array) -> Array:
        return v[..., 0] if self.dimension is None else v

    def _in_one_dimension(self, name: str) -> None:
        if self.dimension is not None:
            raise ValueError(f"{name} is for one dimension, and this world has {self.dimension}")

    def _with_a_density(self) -> None:
        if not np.all(self.spread.spectra > 0):
            raise ValueError("a component without spread has no density: take a marginal, at alpha_bar < 1, or the cdf")


def _average(weights: Array, v: Array) -> Array:
    """sum_k weights[k] v[k], (..., 1, d)."""
    return np.einsum("...k,...kd->...d", weights, v)[..., None, :]  # not BLAS, whose bits depend on its threads


def _logsumexp(terms: Array) -> Array:
    """log sum exp over the last axis, which stays."""
    top = np.max(terms, axis=-1, keepdims=True)
    return top + np.log(np.sum(np.exp(terms - top), axis=-1, keepdims=True))


def _attenuation(alpha: ArrayLike) -> tuple[Array, Array]:
    """The scale and the noise of x -> sqrt(alpha) x + sqrt(1 - alpha) epsilon, for an alpha or an alpha_bar."""
    a = np.asarray(alpha, dtype=float)
    if not np.all((a >= 0) & (a <= 1)):
        raise ValueError(f"alpha or alpha_bar = {alpha} is outside [0, 1]: it is the part of the variance that is kept")
    return np.sqrt(a), 1 - a


def _behind(a: ArrayLike) -> Array:
    """Numbers (*), with room for components and coordinates."""
    return np.asarray(a, dtype=float)[..., None, None]


def _picked(a: Array, k: NDArray[np.intp]) -> Array:
    """The rows k of an array (*, K, d), or the one row that there is."""
    if a.shape[-2] == 1:
        return a[..., 0, :]
    if a.ndim == 2:
        return a[k]
    return np.take_along_axis(np.broadcast_to(a, k.shape + a.shape[-2:]), k[..., None, None], axis=-2)[..., 0, :]
