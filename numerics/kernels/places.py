"""Where the normals of an array stand: the same numbers, however the array is split and whatever computes them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ..noise import RUN

BITS = {"seed": 64, "stream": 32, "first": 64, "n": 34}


@dataclass(frozen=True)
class Place:
    """Row i of an array holds the normals n, n+1, ... of particle ``first + i``, in the order of its coordinates.

    Particles are the first axis of an array and coordinates all the others.

    Raises ValueError for what is no integer or has no place: beyond 64 bits for seed and first, 32 for the stream, and
    34 for n, of which four share a counter.
    """

    seed: int = 0
    stream: int = RUN
    first: int = 0
    n: int = 0

    def __post_init__(self) -> None:
        for name, bits in BITS.items():
            number = getattr(self, name)
            if not isinstance(number, int | np.integer) or not 0 <= number < 2**bits:
                raise ValueError(f"{name} is {number!r}; expected an integer from 0 to 2^{bits} - 1")
            object.__setattr__(self, name, int(number))

    def of_row(self, k: int, coordinates: int) -> Place:
        """Where row k of a table draws: each row takes one normal for each coordinate."""
        return Place(self.seed, self.stream, self.first, self.n + k * coordinates)

    def of_part(self, particles: int) -> Place:
        """Where an array begins that leaves out the first particles."""
        return Place(self.seed, self.stream, self.first + particles, self.n)

    def reaches(self, shape: tuple[int, ...]) -> None:
        """Raises ValueError if an array of this shape, beginning here, has a normal that has no place."""
        particles, coordinates = split(shape)
        if self.first + particles > 2 ** BITS["first"] or self.n + coordinates > 2 ** BITS["n"]:
            Place(first=self.first + max(particles - 1, 0), n=self.n + max(coordinates - 1, 0))


def split(shape: tuple[int, ...]) -> tuple[int, int]:
    """Particles and coordinates of an array: (N,) is (N, 1).  Raises ValueError for a number, which has no axis."""
    if not shape:
        raise ValueError(
            "expected an array whose first axis is that of particles, not a number: give it the shape (1,)"
        )
    return shape[0], math.prod(shape[1:])
