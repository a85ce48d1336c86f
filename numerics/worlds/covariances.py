r"""Covariances, kept as variances along principal axes.

The noise of diffusion is isotropic, so it never turns the axes of a covariance C: whatever the forward process, or
conditioning on it, makes of C is a *function* of C, and a function of C acts on its variances alone,

.. math:: C=U\Lambda U^\top\quad\Longrightarrow\quad f(C)=U f(\Lambda)\,U^\top .

So no matrix is ever inverted, and covariances without full rank (points, even) are as good as any.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Covariances:
    """The covariances of K components, or one for all of them; * is the shape of a batch."""

    spectra: Array  # (*, K or 1, d or 1): variances along the axes; 1 where components or coordinates share them
    axes: Array | None = None  # (K or 1, d, d): orthonormal columns; None for the axes of the coordinates

    @classmethod
    def of_matrices(cls, matrices: Array) -> Covariances:
        """From matrices (K or 1, d, d).  Raises ValueError if one is not symmetric or has a negative eigenvalue."""
        size = np.max(np.abs(matrices))
        apart = np.abs(matrices - transposed(matrices))
        k, i, j = np.unravel_index(np.argmax(apart), apart.shape)
        if apart[k, i, j] > 1e-12 * size:
            raise ValueError(
                f"covariances holds a matrix that is not symmetric{_which(k, matrices)}: its entries ({i}, {j}) and "
                f"({j}, {i}) are {matrices[k, i, j]:g} and {matrices[k, j, i]:g}"
            )
        spectra, axes = np.linalg.eigh(matrices)
        if np.min(spectra) < -1e-12 * size:
            k = np.argmin(np.min(spectra, axis=-1))
            raise ValueError(
                f"covariances holds a matrix with eigenvalue {np.min(spectra):g}{_which(k, matrices)}; none may be "
                "negative"
            )
        return cls(np.maximum(spectra, 0.0), axes)

    @property
    def isotropic(self) -> bool:
        """Whether they are one multiple of the identity, the same for all components."""
        return self.axes is None and self.spectra.shape[-2:] == (1, 1)

    def map(self, f: Callable[[Array], Array]) -> Covariances:
        """The function f of each of these matrices."""
        return Covariances(f(self.spectra), self.axes)

    def inverse(self) -> Covariances:
        return self.map(lambda variance: 1 / variance)

    def __matmul__(self, v: Array) -> Array:
        """Matrices times vectors (..., K or 1, d)."""
        if self.axes is None:
            return self.spectra * v
        return rows(transposed(self.axes), self.spectra * rows(self.axes, v))

    def squares(self, v: Array) -> Array:
        """v^T C^-1 v for vectors (..., K or 1, d)."""
        return np.sum((v if self.axes is None else rows(self.axes, v)) ** 2 / self.spectra, axis=-1)

    def log_volumes(self, d: int) -> Array:
        """log det(2 pi C), (*, K or 1)."""
        return np.sum(np.log(2 * np.pi * self.spectra), axis=-1) * (d / self.spectra.shape[-1])

    def matrices(self, d: int) -> Array:
        """Written out, (*, K or 1, d, d)."""
        axes = np.eye(d)[None] if self.axes is None else self.axes
        return (axes * self.spectra[..., None, :]) @ transposed(axes)

    def averaged(self, weights: Array, d: int) -> Array:
        """sum_k weights[k] C_k, (*, d, d), for weights (*, K) that sum to 1."""
        matrices = self.matrices(d)
        return matrices[..., 0, :, :] if matrices.shape[-3] == 1 else np.einsum("...k,...kij->...ij", weights, matrices)


def _which(k: np.intp, matrices: Array) -> str:
    return f", that of component {k}" if len(matrices) > 1 else ""


def transposed(a: Array) -> Array:
    return np.swapaxes(a, -1, -2)


def rows(matrices: Array, v: Array) -> Array:
    """v^T M, for vectors (..., K or 1, d) and matrices (K or 1, d, d)."""
    return (v[..., None, :] @ matrices)[..., 0, :]
