r"""What a consistency function says, and the sampler that is made of it.

A consistency function takes x at any level to the end of its trajectory of the probability flow, and a trajectory
consistency function to any level on the way.  Trajectories on the line keep their quantiles; for
:math:`x_0\sim\mathcal N(m,v)` this is

.. math:: f(x)=a_s\,m+\sqrt{\frac{a_s^2v+b_s^2}{a^2v+b^2}}\,(x-a\,m),

from the level (a, b) to (a_s, b_s).  A network of such a sampler is no such function: f is affine in x and in what the
network says,

.. math:: f=A\,x+B\,p,

so what it has to say is (f - A x) / B, and A and B are how the sampler reads it: as data and noise, each with the
weight of the level s, or with two coefficients that make f the identity where trajectories end.

From there to the level of the next question noise is added, and nothing else happens: with the exact f every state has
the law of its level, for any data and any number of steps.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from numerics.compiled import proved
from numerics.solvers import grids
from numerics.solvers.predictions import x_0_from
from numerics.solvers.transport import transported
from numerics.worlds import Mixture

from .protocol import Claims, Level
from .unrolled import Unrolled

Array = NDArray[np.float64]

CLAIM = "sampler.consistency-function"
MANY = 1000  # points, from which on lines between them are within a thousandth of what chance explains of draws
WHOLE = 1e-6  # a time that is a whole number but for rounding is one


class Jump(NamedTuple):
    """From x at a level, and what the network says of it, to of_x x + of_p p at another level."""

    of_x: float
    of_p: float
    level: Level
    to: Level

    def gaussian(self, mean: float, variance: float) -> tuple[float, float]:
        """What the network has to say, for data N(mean, variance): a gain of x, and a constant."""
        (a, b), (a_s, b_s) = self.level, self.to
        narrower = np.sqrt((a_s * a_s * variance + b_s * b_s) / (a * a * variance + b * b))
        return float(self.said(narrower - self.of_x)), float(self.said((a_s - narrower * a) * mean))

    def of(self, world: Mixture, x: Array) -> Array:
        """The same for data on the line, by their quantiles; of many x, by lines between some of them."""
        if len(world.weights) == 1:
            gain, constant = self.gaussian(float(world.mean), float(world.variance))
            return gain * x + constant
        ends = [grids.Level(*level, 0.0) for level in (self.level, self.to)]
        nodes = x if x.size <= MANY else np.quantile(x, np.linspace(0, 1, MANY))
        there = transported(world, nodes, *ends)
        return self.said((there if nodes is x else np.interp(x, nodes, there)) - self.of_x * x)

    def said(self, wanted: Any) -> Any:
        """Where trajectories end nothing of what the network says is heard."""
        return wanted / self.of_p if self.of_p else 0.0 * wanted


def jumps(claims: Claims, table: Unrolled, levels: Sequence[Level], trained: Callable[[float], Level]) -> list[Jump]:
    """Each jump of a run; levels are those of its questions, and of the end.

    Raises ValueError where what the network says, says nothing of the data.
    """
    found = []
    for c, (level, told) in enumerate(zip(levels[:-1], table.told, strict=True)):
        to = levels[-1]
        if claims.eta is not None and c + 1 < table.calls:  # on the way there, and the rest of it is noise
            to = levels[c + 1] if not claims.eta else trained(np.floor((1 - claims.eta) * table.told[c + 1] + WHOLE))
        found.append(Jump(*read(claims, level, to, float(told)), level, to))
    return found


def read(claims: Claims, level: Level, to: Level, told: float) -> tuple[float, float]:
    """The coefficients of x and of what the network says in where it says that x goes."""
    (a, b), (a_s, b_s), boundary = level, to, claims.boundary
    if claims.prediction == "residual":  # what is added to a part of x, where the scale of x is one
        skip, out = kept(b / a, boundary["sigma"], boundary["data"])
        return skip / a, out
    kind = claims.prediction.removeprefix("backward-")
    of_x, of_p = x_0_from(kind, grids.Level(*level, told))
    of_p *= 1 if kind == claims.prediction else -1
    if boundary:  # around predicted data, which have the size of data already
        skip, out = kept(boundary["times"] * told, 0.0, boundary["data"])
        return skip + out / boundary["data"] * of_x, out / boundary["data"] * of_p
    noise = b_s / b
    return (a_s - noise * a) * of_x + noise, (a_s - noise * a) * of_p


def kept(sigma: float, epsilon: float, sigma_d: float) -> tuple[float, float]:
    """The part of x that is kept, and the size of what is added: Song et al. (2023), appendix C."""
    given = {"sigma": sigma, "epsilon": epsilon, "sigma_d": sigma_d}
    return float(proved(CLAIM, "skip")(**given)), float(proved(CLAIM, "out")(**given))


def sampler(found: Sequence[Jump], levels: Sequence[Level], told: Array) -> Unrolled:
    """The table of consistency sampling: a jump, and noise to the level of the next question.

    Song et al. (2023), algorithm 1; with jumps to levels on the way Zheng et al. (2024), strategic stochastic sampling.
    """
    calls = len(found)
    columns = np.eye(1 + 2 * calls)
    rows = [columns[0]]
    for c, (jump, (a, b)) in enumerate(zip(found, levels[1:], strict=True)):
        grown = a / jump.to[0] if jump.to[0] else 0.0
        rest = np.sqrt(max(b * b - (grown * jump.to[1]) ** 2, 0.0))
        landed = jump.of_x * rows[-1] + jump.of_p * columns[1 + c]
        rows.append(grown * landed + (rest if c + 1 < calls else 0.0) * columns[1 + calls + c])
    return Unrolled(
        calls,
        told,
        tuple(levels[:-1]),
        tuple(range(1, calls + 1)),
        ((),) * calls,
        np.array(rows[:-1]),
        rows[-1],
        np.zeros(calls + 1),
        0.0,
    )
