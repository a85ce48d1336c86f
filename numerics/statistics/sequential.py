r"""The three-zone sequential test: wrong claims fail at once, true ones pass as soon as they can.

Each row estimates a correlation :math:`\rho` that is 0 if the claim is true.  On doubling looks, with null standard error
:math:`s=1/\sqrt n`,

    FAIL           when some  |estimate| > a s     (false alarm, over all rows and looks, at most ALPHA)
    PASS           when every |estimate| + b s <= resolves     (miss, when some |rho| >= resolves, at most BETA)
    INCONCLUSIVE   when neither holds at the last look; this is red.

The union bound over looks and rows costs little: a is 8.1 for nineteen rows, against 7.4 for one test at one look.

*When may a normal tail be believed at 1e-13?*  A third moment multiplies it by about :math:`\exp(z^3L/6)`, L being Lyapunov's ratio
:math:`\sum E|fg|^3 / (\sum g^2)^{3/2}`.  A row may not fail a claim before that factor is below 2.  This is an estimate and not a
bound; where a score is exactly normal under the claim its third moment is given as 0 and nothing is estimated.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from .streams import CHUNK, Total

PASS, FAIL, INCONCLUSIVE, SKIP = "PASS", "FAIL", "INCONCLUSIVE", "SKIP"

ALPHA, BETA = 1e-13, 1e-3
ATOMS = 10_000  # no more sampled atoms than this in the whole suite: its false alarm is then 1e-9
FIRST, LOOKS = 2, 8  # look k sees the first FIRST * 2^k chunks
FLOOR = 8 * float(np.finfo(float).eps) * np.log2(CHUNK)  # rounding of a pairwise sum, in standard deviations of a score


@dataclass(frozen=True)
class Finding:
    """What an atom found.  ``resolution`` is the smallest error that it would have seen, relative to what it compares."""

    verdict: str
    draws: int  # or nodes, or examples
    detail: str
    resolution: float | None = None


def looks() -> Iterator[range]:
    """The chunks that each look adds."""
    seen = 0
    for k in range(LOOKS):
        yield range(seen, FIRST * 2**k)
        seen = FIRST * 2**k


def false_alarm_quantile(rows: int, alpha: float = ALPHA) -> float:
    """How many standard errors an estimate may be from 0, so that none of the rows strays further at any look."""
    return -float(ndtri(alpha / (2 * rows * LOOKS)))


def miss_quantile(beta: float = BETA) -> float:
    """How many standard errors an estimate may fall short of the truth at any look."""
    return -float(ndtri(beta / LOOKS))


def finest(rows: int) -> float:
    """The smallest error that the last look can tell from none."""
    return (false_alarm_quantile(rows) + miss_quantile()) / np.sqrt(CHUNK * FIRST * 2 ** (LOOKS - 1))


def decide(total: Total, names: Sequence[str], resolves: float, alpha: float = ALPHA) -> Finding:
    """What the draws so far say.  The sums are the scores of all rows, then their weights, then their third moments.

    Raises ValueError for a row whose weight is zero: it tests nothing.
    """
    n, rows = total.draws, len(names)
    score, weight, third = total.rounded().reshape(3, rows)
    bad = sorted({k % rows for k in total.undefined} | set(np.flatnonzero(~np.isfinite(score + weight + third))))
    if bad:
        which = f"{names[bad[0]]}{f' and {len(bad) - 1} more' if len(bad) > 1 else ''}"
        return Finding(FAIL, n, f"{which}: a score is not finite in {n:,} draws, so the formula leaves its domain", resolves)
    if np.any(weight <= 0):
        raise ValueError(f"the row {names[int(np.argmin(weight))]!r} has no weight, so it tests nothing: what it is held against never varies")
    estimate, error = score / np.sqrt(n * weight), 1 / np.sqrt(n)
    a, b = false_alarm_quantile(rows, alpha), miss_quantile()
    trusted = a**3 * third / weight**1.5 / 6 <= np.log(2)
    excess = np.where(trusted, (np.abs(estimate) - FLOOR) / error, 0)
    worst = int(np.argmax(excess))
    if excess[worst] > a:
        off, sigmas = estimate[worst], excess[worst]
        found = f"{names[worst]}: the claim implies 0 and {n:,} draws give {off:+.3g} standard deviations"
        return Finding(FAIL, n, f"{found}, which is {sigmas:.1f} standard errors off where chance explains {a:.1f}", resolves)
    if np.all(np.abs(estimate) + b * error <= resolves):
        return Finding(PASS, n, f"{rows} averages are 0 within {np.max(np.abs(estimate)):.1e} standard deviations in {n:,} draws", resolves)
    widest = int(np.argmax(np.abs(estimate)))
    found = f"{names[widest]}: {estimate[widest]:+.2g} +- {error:.1g} standard deviations in {n:,} draws"
    return Finding(INCONCLUSIVE, n, f"{found} neither refutes the claim nor excludes an error of {resolves:g}", resolves)
