r"""Chains that run backwards, each by a kernel of its own: a law of x_{t-1} for every x_t.

The *exact* kernel is Bayes' posterior.  For a data set it needs the entire data set, at every step:

.. math:: q(x_{t-1}\mid x_t)=\sum_i w_i(x_t)\,q(x_{t-1}\mid x_t,x_0=x^{(i)}),\qquad
   w_i(x_t)\propto\mathcal N\bigl(x_t;\sqrt{\bar\alpha_t}\,x^{(i)},(1-\bar\alpha_t)I\bigr).

The *moment-matched* kernel is the Gaussian with its mean and its full covariance: of all Gaussians the closest to it in
:math:`D_{KL}(q\Vert\cdot)`, so what it misses no Gaussian has.  The *naive* kernel solves the forward step for x_{t-1}
and draws the noise afresh.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve_triangular

from ..schedules import Schedule, Step
from ..worlds import Mixture

Array = NDArray[np.float64]

TOGETHER = 128  # particles that step at once: for each, a weight for every data point is held


class Kernel(Protocol):
    """A law of x_{t-1}, shape (d,), for each of n particles."""

    def sample(self, rng: np.random.Generator) -> Array:
        """One draw from each law, (n, d)."""
        ...

    def log_density(self, x: Array) -> Array:
        """The logarithm of each density at a point of its own, (n,) for x of shape (n, d)."""
        ...


@dataclass(frozen=True)
class Naive:
    """x_{t-1} = (x_t - sqrt(beta) epsilon) / sqrt(alpha), with fresh noise."""

    step: Step
    x_t: Array

    def sample(self, rng: np.random.Generator) -> Array:
        return (self.x_t - np.sqrt(self.step.beta) * rng.standard_normal(self.x_t.shape)) / np.sqrt(self.step.alpha)

    def log_density(self, x: Array) -> Array:
        variance = self.step.beta / self.step.alpha
        apart = x - self.x_t / np.sqrt(self.step.alpha)
        return -np.sum(apart * apart / variance + np.log(2 * np.pi * variance), axis=-1) / 2


class MomentMatched:
    """The Gaussian with the mean and the covariance of each law of a batch: of q(x_{t-1} | x_t), for a data set.

    Raises ValueError if the components of the laws differ in their covariance.
    """

    def __init__(self, law: Mixture) -> None:
        if not law.spread.isotropic:
            raise ValueError("matching moments is for kernels of data points, whose components have one variance")
        self.weights, self.centres, self.shift = law.weights, law.centres, law.shift[..., 0, :]
        self.variance = law.spread.spectra.item()  # of q(x_{t-1} | x_t, x_0), in every direction

    def sample(self, rng: np.random.Generator) -> Array:
        """No covariance is written out: sum_i sqrt(w_i) z_i (c_i - mean) has the covariance of the c_i."""
        w = self.weights
        pull = np.sqrt(w) * rng.standard_normal(w.shape)
        pull -= w * np.sum(pull, axis=1, keepdims=True)  # from now on z_i multiplies c_i - mean
        noise = rng.standard_normal((len(w), self.centres.shape[1]))
        return self.shift + (w + pull) @ self.centres + np.sqrt(self.variance) * noise

    def log_density(self, x: Array) -> Array:
        return np.array([self._log_density(*each) for each in zip(self.weights, x - self.shift)])

    def _log_density(self, w: Array, x: Array) -> float:
        seen = w > np.finfo(float).eps ** 2  # what weighs less is lost in rounding, and that is most of them
        w, centres = w[seen], self.centres[seen]
        mean = w @ centres
        spread = np.sqrt(w)[:, None] * (centres - mean)
        factor = np.linalg.cholesky(spread.T @ spread + self.variance * np.eye(len(x)))
        z = solve_triangular(factor, x - mean, lower=True)
        return float(-z @ z / 2 - np.sum(np.log(np.diagonal(factor))) - len(x) / 2 * np.log(2 * np.pi))


def exact(world: Mixture, step: Step, x_t: Array) -> Kernel:
    """q(x_{t-1} | x_t), if the world is the law of x_0."""
    return world.reverse_kernel(step, x_t)


def moment_matched(world: Mixture, step: Step, x_t: Array) -> Kernel:
    """The Gaussian closest to q(x_{t-1} | x_t), if the world is the law of x_0, a data set."""
    return MomentMatched(world.reverse_kernel(step, x_t))


def naive(world: Mixture, step: Step, x_t: Array) -> Kernel:
    """The forward step, rearranged; what the data are does not come into it."""
    return Naive(step, x_t)


KernelAt = Callable[[Mixture, Step, Array], Kernel]


Streams = Callable[[int], np.random.Generator]  # of a part of the particles, by its number


def in_parts(n: int) -> list[slice]:
    """Particles 0..n-1, a part at a time.  Each part has a stream, so more particles leave a full part as it is."""
    return [slice(k, min(k + TOGETHER, n)) for k in range(0, n, TOGETHER)]


def chain(
    kernel: KernelAt, world: Mixture, schedule: Schedule, x_T: Array, streams: Streams
) -> Iterator[tuple[int, Array]]:
    """The times T-1..0 and the particles there, (n, d), from x_T on."""
    parts = [(x_T[some], streams(k)) for k, some in enumerate(in_parts(len(x_T)))]
    for t in range(schedule.T, 0, -1):
        parts = [(kernel(world, schedule.step(t), x).sample(rng), rng) for x, rng in parts]
        yield t - 1, np.concatenate([x for x, _ in parts])


def log_ratios(world: Mixture, step: Step, x_t: Array, x_prev: Array) -> tuple[Array, Array]:
    """log q(x_{t-1} | x_t) less the logarithms of the moment-matched and the naive density, each (n,).

    Their means over draws of the exact chain are the divergences of these two from the exact kernel.  There are none at
    t = 1, where the kernel puts its mass on the data points: raises ValueError.
    """
    law = world.reverse_kernel(step, x_t)
    truth = law.log_density(x_prev)
    return truth - MomentMatched(law).log_density(x_prev), truth - Naive(step, x_t).log_density(x_prev)
