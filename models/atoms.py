r"""The atoms of trained models: what was trained is held against a formula.

**Reaches.**  Training reaches a number, and says how far it may have stopped from where it was going: what optimisation
has left, and what chance has added.  The formula under test is what it should reach, or it is in the loss, and a wrong
one leads elsewhere.

**Lands.**  Least squares lands on a conditional mean, or shows where a formula for it is wrong.  Let f be a network
trained to predict y from x, and m a formula that claims to be :math:`E[y \mid x]`.  If it is, the residual
:math:`y - m(x)` is orthogonal to every function of x, also to the disagreement :math:`f - m`: on fresh draws

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
from math import hypot, isfinite, sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri

from numerics.statistics import ALPHA, FAIL, INCONCLUSIVE, PASS, Finding, Row, sampled, stream
from numerics.statistics.comparing import ROUNDINGS, Reference, compared
from numerics.statistics.formulas import LAST_BITS, Letters, under_test

Array = np.ndarray
Function = Callable[..., Array]
Pairs = Callable[[np.random.Generator, int], tuple[Array, Array]]

FRESH = 2**16  # draws that measure the error of the network
BY_THE_NETWORK = 3 / 4  # of the square of what is resolved; the rest is left to chance
SURE = -float(ndtri(ALPHA / 2))  # standard errors that chance explains, once in 1e13


class Reached(NamedTuple):
    """What training reached, and how far it may be from where it was going; the letters of the formula there.

    ``magnitude`` is the size of what was added up for it, if that is larger than the value.
    """

    value: ArrayLike
    error: ArrayLike
    at: Letters = {}
    magnitude: ArrayLike = 0.0


@dataclass(frozen=True)
class Reaches:
    """What training reached is what a formula says, within the error that training reports.

    ``reached`` maps a seed to it.  A formula off by ``resolves`` of its size would be found; a training that stopped
    farther away than that decides nothing.
    """

    formula: Function
    reached: Callable[[int], Reached]
    resolves: float
    relation: str = "="  # or < <= > >=: the formula is below, at most, above, at least, what was reached
    name: str = ""
    kind = "model"

    def examine(self, seed: int, claim: str, name: str) -> Finding:
        """Train, and compare.  A loss that has no minimum, because the formula in it is wrong, refutes it."""
        try:
            found = self.reached(seed)
        except FloatingPointError as news:
            return Finding(FAIL, 1, str(news), self.resolves)
        value, error = np.asarray(found.value, dtype=float), np.asarray(found.error, dtype=float)
        size = np.maximum(np.abs(value), found.magnitude)
        reference = Reference(value, size, error, ROUNDINGS * LAST_BITS, "by training")
        return compared(under_test(self.formula), found.at, self.relation, lambda: reference, self.resolves)


class Given(NamedTuple):
    """What the world knows of y given x: mean, standard deviation, and a bound for E|y - mean|^3 / sigma^3."""

    mean: Array
    sigma: Array
    third: Array


RARE = 0.02  # so that no event is too rare, and no other too sure, to be judged


def event(p: Array) -> Given:
    """What is known of whether something happens, of this probability; the unit is a bit more than the spread."""
    spread = np.sqrt(p * (1 - p) + RARE)
    return Given(p, spread, p * (1 - p) * (p**2 + (1 - p) ** 2) / spread**3)


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
        """Hold the formula to fresh draws; draws are cheap, so the network may use up most of what is resolved."""
        network = self.network(seed)
        error = self.error(network, stream(seed, claim, f"{name}, error of the network", 0))
        share, by_chance = (sqrt(part) * self.resolves for part in (BY_THE_NETWORK, 1 - BY_THE_NETWORK))

        def scores(x: Array, y: Array) -> list[Row]:
            claimed, (_, sigma, third) = self.formula(x), self.given(x)
            return [Row("what the network would correct", (y - claimed) / sigma, (network(x) - claimed) / sigma, third)]

        if not isfinite(error):
            return Finding(INCONCLUSIVE, FRESH, "the network says what is no number: it has not been trained")
        finding = sampled(self.pairs, scores, resolves=by_chance).examine(seed, claim, name)
        if finding.verdict == PASS and error > share:
            unable = f"the network is {error:.1e} standard deviations off, and {share:.1e} is needed: train it longer"
            return Finding(INCONCLUSIVE, finding.draws, unable, hypot(by_chance, error))
        detail = f"{finding.detail}; the network itself is {error:.1e} off"
        return replace(finding, detail=detail, resolution=hypot(by_chance, error))

    def error(self, network: Function, rng: np.random.Generator) -> float:
        """The distance of the network from E[y | x], four standard errors of its square included."""
        x, _ = self.pairs(rng, FRESH)
        mean, sigma, _ = self.given(x)
        with np.errstate(all="ignore"):
            squares = ((network(x) - mean) / sigma) ** 2
        return sqrt(squares.mean() + 4 * squares.std() / sqrt(FRESH))
