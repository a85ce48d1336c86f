r"""Detection: how many errors of half of what is resolved, of all of it and of more are found, as predicted.

Here the tests run as they stand, at 1e-13.  An error of the size that is resolved is refuted with probability 0.999 or
more; a smaller one may be passed over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from .atoms import sampled
from .calibration import Rate, over_all_looks, walk
from .estimators import Draw, Estimate, Hermite, Scores, Sobol
from .laws import Row
from .sequential import ALPHA, BETA, FAIL
from .streams import stream

Array = NDArray[np.float64]

FACTORS = (0.5, 0.75, 1.0, 1.5, 2.0)  # of what is resolved


def found(name: str, verdicts: Callable[[float], Iterable[str]], odds: Callable[[float], float]) -> Iterator[Rate]:
    """Of errors of several sizes, how many are refuted; of those that are resolved, nearly all."""
    for factor in FACTORS:
        seen, stated = list(verdicts(factor)), 1 - BETA if factor >= 1 else None
        yield Rate("errors", f"{name}, {factor:g} x", len(seen), seen.count(FAIL), ">=", stated, odds(factor))


# ---------------------------------------------------------------- independent draws


def errors_in_sums(runs: int, seed: int, resolves: float = 1e-2) -> Iterator[Rate]:
    """The plain test, by ``decide`` on drawn sums."""
    rng = stream(seed, "detection", "sums", 0)
    yield from found(
        "plain, sums",
        lambda factor: (walk(rng, [factor * resolves], resolves, ALPHA).verdict for _ in range(runs)),
        lambda factor: over_all_looks(factor * resolves, resolves, ALPHA)[0],
    )


def errors_in_draws(runs: int, seed: int, resolves: float = 4e-2) -> Iterator[Rate]:
    """The plain test, by whole paths: every atom is examined as in the suite."""

    def verdicts(factor: float) -> Iterator[str]:
        off = factor * resolves
        atom = sampled(one_normal, lambda e: [Row("mean", e + off, 1.0, 0.0)], resolves)
        return (atom.examine(seed, f"detection {run}", f"plain {factor}").verdict for run in range(runs))

    yield from found("plain", verdicts, lambda factor: over_all_looks(factor * resolves, resolves, ALPHA)[0])


# ---------------------------------------------------------------- less chance

EDGE, PILOT = 0.4, 150  # and how many estimates say how large the errors are
SHARE = float(ndtr(-EDGE))


def one_normal(rng: np.random.Generator, n: int) -> list[Array]:
    return [rng.standard_normal(n)]


def two_normals(rng: np.random.Generator, n: int) -> list[Array]:
    x, e = rng.standard_normal((2, n))
    return [0.8 * x + 0.6 * e]


def step(off: float) -> Scores:
    """Whether a normal is beyond an edge, centred and scaled: no polynomial, and not smooth."""
    return lambda z: [Row("step", ((z > EDGE) - SHARE) / np.sqrt(SHARE * (1 - SHARE)) + off)]


def errors_by_hermite(runs: int, seed: int, resolves: float = 3.2e-2) -> Iterator[Rate]:
    """Control variates for a score that is no polynomial."""
    by = Hermite()

    def look(number: int, run: int) -> Estimate:
        return by.look(number, one_normal, step(0.0), seed, f"pilot {run}", "hermite")

    pilots = [[look(number, run) for run in range(PILOT)] for number in range(len(by.LOOKS))]
    yield from estimated("hermite", by, one_normal, resolves, runs, seed, pilots)


def errors_by_sobol(runs: int, seed: int, resolves: float = 2.2e-2) -> Iterator[Rate]:
    """Scrambled points, scrambled anew for each run."""
    by = Sobol()

    def look(power: int, run: int) -> Estimate:
        return by.estimate(two_normals, step(0.0), 2, power, f"pilot {seed} {run}", "sobol")

    pilots = [[look(power, run) for run in range(PILOT)] for power in range(by.PILOT, by.PILOT + 3)]
    yield from estimated("sobol", by, two_normals, resolves, runs, seed, pilots)


def estimated(
    name: str, by: Hermite | Sobol, draw: Draw, resolves: float, runs: int, seed: int, pilots: list[list[Estimate]]
) -> Iterator[Rate]:
    """An estimator, by whole paths, beside what the errors that it states predict."""

    def verdicts(factor: float) -> Iterator[str]:
        scores = step(factor * resolves)
        for run in range(runs):
            yield by.examine(draw, scores, resolves, seed, f"detection {seed} {run}", f"{name} {factor}").verdict

    yield from found(name, verdicts, lambda factor: over_estimates(factor * resolves, resolves, pilots))


def over_estimates(rho: float, resolves: float, pilots: list[list[Estimate]]) -> float:
    """How often an average rho is refuted, if estimates are normal with the errors that those of each look state."""
    going_on, failing = 1.0, 0.0
    for looked in pilots:
        error, alarm, miss = (np.array([getattr(e, what)[0] for e in looked]) for what in ("error", "alarm", "miss"))

        def within(edge: Array, error: Array = error) -> float:
            return float(np.mean(np.where(edge > 0, ndtr((edge - rho) / error) - ndtr((-edge - rho) / error), 0.0)))

        fails, passes = 1 - within(alarm), within(np.minimum(alarm, resolves - miss))
        failing += going_on * fails
        going_on *= max(0.0, 1 - fails - passes)
    return failing
