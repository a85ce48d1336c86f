"""Raw draws that are remembered, or chosen: what stands in for a generator when a sampler is asked for its noise.

A ``draw(rng, n)`` asks for standard normal and for uniform numbers, and makes everything else of them.  Whoever hands
it the raw numbers can remember them, or spread them evenly, without the sampler noticing: the code under test stays the
same.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

Array = NDArray[np.float64]
Columns = Callable[[str, int], Array]  # "normal" or "uniform", and how many -> (how many, n)


class Raw:
    """Stands in for a generator, for a sampler of n draws: every call takes its numbers from ``columns``.

    Raises ValueError if a call does not ask for one number for each draw, or for several.
    """

    def __init__(self, n: int, columns: Columns) -> None:
        self.n, self.columns = n, columns

    def standard_normal(self, size: int | tuple[int, ...]) -> Array:
        return self._shaped("normal", size)

    def random(self, size: int | tuple[int, ...]) -> Array:
        return self._shaped("uniform", size)

    def integers(self, low: int, high: int | None = None, size: int | tuple[int, ...] | None = None) -> NDArray[Any]:
        low, high = (0, low) if high is None else (low, high)
        u = self._shaped("uniform", self.n if size is None else size)
        return np.minimum(low + np.floor(u * (high - low)).astype(int), high - 1)

    def _shaped(self, kind: str, size: int | tuple[int, ...]) -> Array:
        shape = (size,) if isinstance(size, (int, np.integer)) else tuple(size)
        axes = [axis for axis, length in enumerate(shape) if length == self.n]
        if len(axes) != 1:
            raise ValueError(f"raw numbers of shape {shape} were asked for; one axis must count the {self.n} draws")
        others = shape[: axes[0]] + shape[axes[0] + 1 :]
        block = self.columns(kind, int(np.prod(others, dtype=int)))
        return np.moveaxis(block.reshape(*others, self.n), -1, axes[0])


class Remembered:
    """Raw numbers of a generator, the normal ones remembered."""

    def __init__(self, rng: np.random.Generator, n: int) -> None:
        self.rng, self.n = rng, n
        self.blocks = [np.empty((0, n))]

    def __call__(self, kind: str, count: int) -> Array:
        if kind == "uniform":
            return self.rng.random((count, self.n))
        self.blocks.append(self.rng.standard_normal((count, self.n)))
        return self.blocks[-1]

    def normals(self) -> Array:
        """All normal numbers, (how many a draw takes, n)."""
        return np.concatenate(self.blocks)


class Given:
    """Raw numbers prepared beforehand: rows of uniforms, turned into normals where those are asked for."""

    def __init__(self, uniforms: Array) -> None:
        self.uniforms, self.taken = uniforms, 0

    def __call__(self, kind: str, count: int) -> Array:
        block = self.uniforms[self.taken : self.taken + count]
        if len(block) < count:
            raise ValueError("a draw takes more raw numbers than it took before: their number must not depend on them")
        self.taken += count
        return ndtri(block) if kind == "normal" else block


@dataclass(frozen=True)
class Strata:
    """A draw that chooses between cases with one uniform number, case k with its probability, averaged case by case.

    The uniform number is put in the middle of what belongs to its case; nothing is left to chance.  Without weights
    there is one case, and uniform numbers are raw numbers like others.
    """

    weights: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if self.weights and not (min(self.weights) >= 0 and abs(sum(self.weights) - 1) < 1e-9):
            raise ValueError(f"weights of cases are probabilities, not negative, with the sum 1; got {self.weights}")

    @property
    def number(self) -> int:
        return len(self.each)

    @property
    def each(self) -> Array:
        """The probability of each case; 1 if there is one."""
        return np.array(self.weights or (1.0,))

    def __call__(self, columns: Columns, n: int) -> Columns:
        """The same raw numbers, but for the choice between cases: draw k of n belongs to case k mod ``number``."""
        if not self.weights:
            return columns
        chosen = (np.cumsum(self.each) - self.each / 2)[np.arange(n) % self.number]
        taken = 0

        def chosen_or(kind: str, count: int) -> Array:
            nonlocal taken
            if kind == "normal":
                return columns(kind, count)
            if (taken := taken + count) != 1:
                raise ValueError(f"a draw takes {taken} uniform numbers; to go case by case it may take one")
            return chosen[None]

        return chosen_or

    def average(self, values: Array) -> Array:
        """The average over cases, along the last axis but one (cases, draws of each)."""
        return np.einsum("k,...kn->...n", self.each, values)

    def shares(self, n: int) -> Array:
        """How much each of n draws counts, (n,)."""
        return self.each[np.arange(n) % self.number] * (self.number / n)

    def split(self, values: Array) -> Array:
        """(..., n) as (..., cases, n / cases)."""
        return np.moveaxis(values.reshape(*values.shape[:-1], -1, self.number), -1, -2)


def asked_for(draw: Callable[[Any, int], Any], strata: Strata, n: int = 10_007) -> tuple[str, ...]:
    """What a draw takes of a generator, in order: "normal" or "uniform" for every raw number."""
    taken: list[str] = []
    rng, n = np.random.Generator(np.random.Philox(key=0)), n * strata.number

    def columns(kind: str, count: int) -> Array:
        taken.extend([kind] * count)
        return rng.standard_normal((count, n)) if kind == "normal" else rng.random((count, n))

    draw(Raw(n, strata(columns, n)), n)
    return tuple(taken)
