r"""The atom of a trained model: least squares lands on a formula, or shows where the formula is wrong.

Let f be a network trained to predict y from x, and m a formula that claims to be :math:`E[y \mid x]`.  If it is, the
residual :math:`y - m(x)` is orthogonal to every function of x, also to the disagreement :math:`f - m`: on fresh draws

.. math:: E (y - f)^2 = E (y - m)^2 + E (f - m)^2,

Pythagoras.  A network may come close to the true conditional mean; it may not beat it.  And if m is wrong, by
:math:`g = E[y \mid x] - m`, training has drawn the network towards g, and :math:`y - m` correlates with :math:`f - m`.

*How small an error would be seen?*  Let e be the distance of f from :math:`E[y \mid x]`, which is what optimisation has
left.  Then :math:`f - m` is g plus a vector of length e.  It makes an angle of at most :math:`\arcsin(e / |g|)` with g,
so the correlation is at least :math:`\sqrt{|g|^2 - e^2}`; and if the draws resolve a correlation r, the atom resolves

.. math:: |g| = \sqrt{r^2 + e^2}.

Lengths are root mean squares, in standard deviations of y given x.  The world knows e exactly; m has no say in it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import hypot, sqrt
from typing import NamedTuple

import numpy as np

from numerics.statistics import INCONCLUSIVE, PASS, Finding, Row, sampled, stream

Array = np.ndarray
Function = Callable[[Array], Array]
Pairs = Callable[[np.random.Generator, int], tuple[Array, Array]]

FRESH = 2**16  # draws that measure the error of the network


class Given(NamedTuple):
    """What the world knows of y given x: mean, standard deviation, and a bound for E|y - mean|^3 / sigma^3."""

    mean: Array
    sigma: Array
    third: Array


@dataclass(frozen=True)
class Lands:
    """A network trained by least squares to predict y from x lands on a formula for E[y | x].

    ``network`` maps a seed to the trained network; ``pairs`` draws (x, y); ``given`` maps x to what the world knows of
    y.  A formula off by ``resolves`` standard deviations would be found.
    """

    network: Callable[[int], Function]
    formula: Function
    pairs: Pairs
    given: Callable[[Array], Given]
    resolves: float
    name: str = ""
    kind = "model"

    def examine(self, seed: int, claim: str, name: str) -> Finding:
        """Hold the formula to fresh draws; they may use up half of the square of ``resolves``, and the network half."""
        network, share = self.network(seed), self.resolves / sqrt(2)

        def scores(x: Array, y: Array) -> list[Row]:
            claimed, (_, sigma, third) = self.formula(x), self.given(x)
            return [Row("what the network would correct", (y - claimed) / sigma, (network(x) - claimed) / sigma, third)]

        finding = sampled(self.pairs, scores, resolves=share).examine(seed, claim, name)
        error = self.error(network, stream(seed, claim, f"{name}, error of the network", 0))
        if finding.verdict == PASS and error > share:
            unable = f"the network is {error:.1e} standard deviations off, and {share:.1e} is needed: train it longer"
            return Finding(INCONCLUSIVE, finding.draws, unable, hypot(share, error))
        detail = f"{finding.detail}; the network itself is {error:.1e} off"
        return replace(finding, detail=detail, resolution=hypot(share, error))

    def error(self, network: Function, rng: np.random.Generator) -> float:
        """The distance of the network from E[y | x], four standard errors of its square included."""
        x, _ = self.pairs(rng, FRESH)
        mean, sigma, _ = self.given(x)
        squares = ((network(x) - mean) / sigma) ** 2
        return sqrt(squares.mean() + 4 * squares.std() / sqrt(FRESH))
