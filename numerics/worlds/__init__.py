r"""Data whose marginals, scores, posteriors and reverse kernels are known exactly.

Every world is a mixture :math:`\sum_k w_k\,\mathcal N(m_k,C_k)`: a point is a Gaussian without spread, a finite set a
mixture of points.  The forward process :math:`x_t=\sqrt{\bar\alpha_t}\,x_0+\sqrt{1-\bar\alpha_t}\,\epsilon` turns
mixtures into mixtures, and so does conditioning on what it gives.  Read ``mixture`` for how, and ``covariances`` for
why no matrix is inverted on the way.

**Shapes.**  In one dimension (``dimension is None``) points are arrays of any shape; a d-dimensional world takes
(..., d).  A world may be a batch of laws: ``world.reverse_kernel(step, x_t)`` holds one for every x_t, and points
broadcast against them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from .. import inputs
from ..schedules import Step
from .covariances import Covariances
from .mixture import NO_SHIFT, CentralMoments, Mixture, normal

__all__ = ["CentralMoments", "Mixture", "Step", "empirical", "finite", "gaussian", "mixture", "normal", "point"]


def point(x: ArrayLike) -> Mixture:
    """Data that are always x, a number or a vector."""
    return finite([1.0], np.asarray(x)[None])


def gaussian(mean: ArrayLike, covariance: ArrayLike) -> Mixture:
    """N(mean, covariance): two numbers; or a vector (d,) and a matrix (d, d), or a number times the identity."""
    return mixture([1.0], np.asarray(mean)[None], covariance)


def mixture(weights: ArrayLike, means: ArrayLike, covariances: ArrayLike) -> Mixture:
    """sum_k weights[k] N(means[k], covariances[k]).

    Means have shape (K,) in one dimension and (K, d) in d.  Covariances are variances, (K,), or one number for all; in
    d dimensions such a number stands for a multiple of the identity, and matrices are (K, d, d), or (d, d) for all.

    Raises ValueError if a shape does not fit, a number is not finite, weights are no probabilities or matrices no
    covariances.
    """
    w, m, c = (
        inputs.finite("weights", weights),
        inputs.finite("means", means),
        inputs.finite("covariances", covariances),
    )
    if w.ndim != 1 or len(w) == 0:
        raise ValueError(f"weights has shape {w.shape}; expected one number for each component")
    if abs(np.sum(inputs.probability("weights", w)) - 1) > 1e-9:
        raise ValueError(f"weights has the sum {np.sum(w):.12g}; expected probabilities, which sum to 1")
    if m.ndim not in (1, 2) or len(m) != len(w) or m.shape[-1] == 0:
        raise ValueError(f"means has shape {m.shape}; for {len(w)} weights expected ({len(w)},) or ({len(w)}, d)")
    dimension = None if m.ndim == 1 else m.shape[1]
    return Mixture(w / np.sum(w), m.reshape(len(w), -1), _covariances(c, len(w), dimension), NO_SHIFT, dimension)


def finite(weights: ArrayLike, points: ArrayLike) -> Mixture:
    """Data at finitely many points, shape (K,) or (K, d)."""
    return mixture(weights, inputs.finite("points", points), 0.0)


def empirical(points: ArrayLike) -> Mixture:
    """A data set, shape (N,) or (N, d), every point of it equally likely."""
    x = inputs.finite("points", points)
    if x.ndim not in (1, 2) or len(x) == 0:
        raise ValueError(f"points has shape {x.shape}; expected (N,) in one dimension, or (N, d)")
    return finite(np.full(len(x), 1 / len(x)), x)


def _covariances(c: np.ndarray, components: int, d: int | None) -> Covariances:
    if c.shape in ((), (components,)):
        if np.any(c < 0):
            raise ValueError(f"covariances holds {np.min(c):g}; a variance is not negative")
        return Covariances(c.reshape(-1, 1))
    if d is not None and c.shape in ((d, d), (components, d, d)):
        return Covariances.of_matrices(c.reshape(-1, d, d))
    matrices = "" if d is None else f", ({d}, {d}) or ({components}, {d}, {d})"
    raise ValueError(f"covariances has shape {c.shape}; expected (), ({components},){matrices}")
