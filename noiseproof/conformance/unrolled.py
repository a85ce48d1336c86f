r"""Somebody's sampler as a table, read off one run.

Whatever a sampler does, all that it hands to the network and all that it returns is affine in the x that it began with,
in the predictions :math:`p_1,\dots,p_C` that it was given and in the normals :math:`z_1,\dots,z_K` that it drew,

.. math:: x_{(c)}=u_c\,x+\sum_{j<c}B_{cj}\,p_j+\sum_kC_{ck}\,z_k+o_c,

unless it clips or thresholds.  So one batch tells all coefficients: in each row one of these is 1 and the others are 0.
What the network says plays no part, and everything else follows in double precision without asking again: single steps,
the law of a stochastic run on Gaussian data, the end of a trajectory around any network.

More rows, of numbers that nobody chose, tell whether it is affine at all.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .protocol import Level
from .target import Call, Ran, Target, Unfit

Array = NDArray[np.float64]

SHAPE = (1, 1, 1)  # of a particle: some samplers insist on images
CONTROLS = ((1.0,), (1.0,), (1e3,))  # sizes of the numbers in more rows: what is clipped far out is not affine either
SEEN = 1e-6  # part of the most that a draw does, which is no rounding


@dataclass(frozen=True, eq=False)
class Unrolled:
    """The coefficients of a run with C questions to the network and K draws, in double precision.

    ``inputs`` is (C, 1 + C + K) and ``end`` (1 + C + K,), for x, the predictions and the normals; ``offsets`` (C + 1,)
    is what is left when all of these are zero.  ``told`` is what the network was told, ``levels`` where the sampler
    said it was, ``after`` the number of questions before each draw acts, and ``between`` the interval that it was told.
    ``off`` is how far two runs of arbitrary numbers are from the sum of their parts, relative to its terms; ``single``
    tells that all that comes out of it has the digits of single precision.
    """

    n: int
    told: Array
    levels: tuple[Level | None, ...]
    after: tuple[int, ...]
    between: tuple[tuple[float, ...], ...]
    inputs: Array
    end: Array
    offsets: Array
    off: float
    overwritten: tuple[str, ...] = ()
    single: bool = False

    @property
    def calls(self) -> int:
        return len(self.told)

    @property
    def of_x(self) -> Array:
        """u, (C + 1,); the last one is that of the end."""
        return self._all[:, 0]

    @property
    def of_predictions(self) -> Array:
        """B, (C + 1, C)."""
        return self._all[:, 1 : 1 + self.calls]

    @property
    def of_noise(self) -> Array:
        """C, (C + 1, K)."""
        return self._all[:, 1 + self.calls :]

    @cached_property
    def _all(self) -> Array:
        return np.vstack([self.inputs, self.end])

    def step(self, c: int) -> Step:
        """What happens between question c and the next one, or the end: as a combination of what was known at c.

        A step that remembers nothing has no ``before``.
        """
        here, there = self._all[c], self._all[c + 1]
        a = there[0] / here[0] if here[0] else 0.0
        rest = there - a * here
        new = [k for k, at in enumerate(self.after) if at == c + 1 or (c == 0 and at == 0)]
        old = [k for k in range(len(self.after)) if k not in new and self.after[k] <= c]
        before = np.append(rest[1 : 1 + c], rest[1 + self.calls :][old])
        noise = rest[1 + self.calls :][new]
        return Step(
            float(a), float(rest[1 + c]), float(np.linalg.norm(noise)), float(np.max(np.abs(before), initial=0))
        )

    def ran(self, x: Array, predict: Callable[[int, Array], Array], noise: Array | None = None) -> Array:
        """The end of a run from x, (N, ...), around any network, ``predict(c, x)``; normals are (K, N, ...)."""
        return self.walked(x, predict, noise)[-1]

    def walked(self, x: Array, predict: Callable[[int, Array], Array], noise: Array | None = None) -> Array:
        """All that the network is handed in such a run, and its end, (C + 1, N, ...)."""
        given = np.zeros((self._all.shape[1], *np.shape(x)))
        given[0] = x
        if noise is not None:
            given[1 + self.calls :] = noise
        seen = np.empty((self.calls + 1, *np.shape(x)))
        for c, row in enumerate(self._all):
            seen[c] = np.tensordot(row, given, 1) + self.offsets[c]
            if c < self.calls:
                given[1 + c] = predict(c, seen[c])
        return seen

    @property
    def increments(self) -> Array:
        """The normals, (K, ...), as combinations of independent ones; K of these unless there is a path."""
        return increments(self.between)

    @property
    def together(self) -> Array:
        """The covariance of the normals, (K, K)."""
        return covariance(self.between)

    def shaken(self, by: float, rng: np.random.Generator, lengths: Sequence[float] = ()) -> Unrolled:
        """The same, had every step been rounded otherwise, relative to its terms, and these roundings carried on.

        What a step of the length h adds is often exp(-h) - 1 times something, whose rounding is larger by 1/h, and
        has one sign where lengths are equal.
        """
        sign, more = rng.choice([-1.0, 1.0]), [1 / h for h in lengths] or [0.0] * self.calls
        rows = [self._all[0]]
        for (here, there), each in zip(itertools.pairwise(self._all), more, strict=True):
            a = there[0] / here[0] if here[0] else 0.0
            off = 1 + by * rng.uniform(-1, 1, 1 + len(here))
            rows.append(off[0] * a * rows[-1] + (off[1:] + by * sign * each) * (there - a * here))
        return replace(self, inputs=np.array(rows[:-1]), end=rows[-1])

    def law(self, start: tuple[float, float], predicted: Sequence[tuple[float, float]]) -> tuple[Array, Array]:
        """Means and variances of all inputs and of the end, (C + 1,) each, for Gaussian data, with nothing drawn.

        ``start`` is the mean and the variance of x, and ``predicted[c]`` what the network says: gain x + constant.
        """
        directly = np.hstack([np.sqrt(start[1]) * self.of_x[:, None], self.of_noise @ self.increments])
        said, of_said = np.zeros(self.calls), np.zeros((self.calls, directly.shape[1]))
        means, variances = [], []
        for c, row in enumerate(self.of_predictions):
            mean = row[:c] @ said[:c] + self.of_x[c] * start[0] + self.offsets[c]
            of = row[:c] @ of_said[:c] + directly[c]
            means.append(mean)
            variances.append(of @ of)
            if c < self.calls:
                gain, constant = predicted[c]
                said[c], of_said[c] = gain * mean + constant, gain * of
        return np.array(means), np.array(variances)


class Step(NamedTuple):
    """x at the next question is of_x x + of_prediction p + noise xi, ``before`` the largest other coefficient."""

    of_x: float
    of_prediction: float
    noise: float
    before: float


def unrolled(
    target: Target,
    n: int,
    sigmas: Sequence[float] | None = None,
    dtype: str = "float64",
    gain: Callable[[Call], float] | None = None,
) -> Unrolled:
    """The table of a target for n steps, or on these noise levels.

    Without what the network says a run may grow by the factor 1 / scale of its first level, and a sampler that counts
    in single precision then loses the digits of what cancels later.  So it may be read around a network that says
    ``gain`` times x more, which keeps all numbers near 1; what it said is known, and taken out in double precision.

    Raises AboutTheTarget for whatever goes wrong there, and Unfit if a later run asks otherwise than the first.
    """
    first = target.run(np.zeros((1, *SHAPE), dtype), n, lambda call: 0 * call.x, lambda s, b: np.zeros(s), sigmas)
    reading = Reading(target, n, sigmas, dtype, first)
    found, given, overwritten = reading.around(gain or (lambda call: 0.0))
    single = np.array_equal(found[:-1], found[:-1].astype(np.float32))
    basis, control = given[: -len(CONTROLS)], given[-len(CONTROLS) :]
    if gain is None:
        offsets, parts = found[:, 0].astype(float), found[:, 1 : -len(CONTROLS)] - found[:, :1].astype(float)
    else:
        whole = np.hstack([np.ones((len(basis), 1)), basis])
        offsets, *columns = np.linalg.solve(whole, found[:, : -len(CONTROLS)].T)
        parts = np.array(columns).T * reading.known
    sums = parts @ control.T + offsets[:, None]
    sizes = np.abs(parts) @ np.abs(control.T) + np.abs(offsets[:, None]) + 1e-300
    return Unrolled(
        n,
        np.array([call.told for call in first.calls]),
        tuple(call.level for call in first.calls),
        acting(parts[:, 1 + len(first.calls) :], [at for at, _ in first.draws]),
        tuple(between for _, between in first.draws),
        parts[:-1],
        parts[-1],
        offsets,
        float(np.max(np.abs(found[:, -len(CONTROLS) :] - sums) / sizes)),
        tuple(first.overwritten) + overwritten,
        single,
    )


def acting(of_noise: Array, drawn: Sequence[int]) -> tuple[int, ...]:
    """The number of questions before each draw acts: it belongs to the step that uses it, however early it is made.

    What never acts stays where it is drawn.
    """
    size = np.abs(of_noise)
    seen = size > SEEN * np.max(size, axis=0, initial=0)
    return tuple(int(np.argmax(rows)) if np.any(rows) else at for rows, at in zip(seen.T, drawn, strict=True))


@dataclass(frozen=True, eq=False)
class Reading:
    """Runs that are asked as the first one was, each particle with numbers of its own."""

    target: Target
    n: int
    sigmas: Sequence[float] | None
    dtype: str
    first: Ran

    @property
    def known(self) -> Array:
        """Whether what is handed over, and at last the end, can depend on x, a prediction or a draw, (C + 1, ...)."""
        calls, after = len(self.first.calls), [at for at, _ in self.first.draws]
        return np.array([[True, *(j < c for j in range(calls)), *(at <= c for at in after)] for c in range(calls + 1)])

    def around(self, gain: Callable[[Call], float]) -> tuple[Array, Array, tuple[str, ...]]:
        """What is handed over and the end, for all particles, the numbers that they were given, and what it overwrote.

        The network says ``gain`` times x more than it was to say.
        """
        calls, draws = len(self.first.calls), len(self.first.draws)
        columns = 1 + calls + draws
        rng = np.random.default_rng(calls)  # numbers that nobody chose
        given = np.vstack(
            [np.zeros(columns), np.eye(columns), rng.standard_normal((len(CONTROLS), columns)) * CONTROLS]
        )
        asked, drawn = iter(range(calls)), iter(range(draws))
        whole = (len(given), *SHAPE)

        def rows(column: int, shape: tuple[int, ...]) -> Array:
            return np.broadcast_to(given[:, column].reshape(-1, *[1] * (len(shape) - 1)), shape)

        def model(call: Call) -> Array:
            column = 1 + next(asked, calls - 1)
            if more := gain(call):  # in single precision, so that it is not rounded on the way
                given[:, column] = np.float32(given[:, column] + more * call.x.reshape(len(given)))
            return rows(column, call.x.shape)

        def noise(shape: tuple[int, ...], between: tuple[float, ...]) -> Array:
            k = next(drawn, draws - 1)
            if shape[:1] != (len(given),):
                raise Unfit(f"it draws noise of shape {shape}; expected one for each particle, {whole}", f"draw {k}")
            return rows(1 + calls + k, shape)

        ran = self.target.run(np.array(rows(0, whole), self.dtype), self.n, model, noise, self.sigmas)
        if (len(ran.calls), len(ran.draws)) != (calls, draws):
            raise Unfit(
                f"it asks the network {len(ran.calls)} times and draws {len(ran.draws)} times, after {calls} and "
                f"{draws} in the run before; expected the same for the same n",
                f"run(n={self.n})",
            )
        found = np.array([call.x.reshape(len(given)) for call in ran.calls] + [ran.end.reshape(len(given))])
        return found, given, tuple(ran.overwritten)


@lru_cache(maxsize=16)
def increments(between: tuple[tuple[float, ...], ...]) -> Array:
    """Draws that are told an interval are increments of one Brownian path, in units of the root of their length.

    All ends of intervals cut the path into pieces that are independent; each draw is the sum of its pieces.  What is
    told no interval is independent of all.
    """
    told = [k for k, interval in enumerate(between) if len(interval) == 2 and interval[0] != interval[1]]
    alone = [k for k in range(len(between)) if k not in set(told)]
    first, last = np.array([between[k] for k in told]).reshape(-1, 2).T[:, :, None]
    low, high = np.minimum(first, last), np.maximum(first, last)
    cuts = np.unique([low, high])
    inside = (low <= cuts[:-1]) & (cuts[1:] <= high)
    found = np.zeros((len(between), len(alone) + inside.shape[1]))
    found[alone, range(len(alone))] = 1
    found[told, len(alone) :] = np.sign(first - last) * inside * np.sqrt(np.diff(cuts) / (high - low))
    return found


@lru_cache(maxsize=16)
def covariance(between: tuple[tuple[float, ...], ...]) -> Array:
    """That of draws that are told these intervals, (K, K)."""
    parts = increments(between)
    return parts @ parts.T


def with_levels(table: Unrolled, levels: Sequence[Level]) -> Unrolled:
    """The same, elsewhere: where a sampler stands may be said by what the network was told, or by itself."""
    return replace(table, levels=tuple(levels))
