r"""The three-zone sequential test: wrong claims fail at once, true ones pass as soon as they can.

Each row estimates a correlation :math:`\rho` that is 0 if the claim is true.  At growing looks, with null standard
error :math:`s=1/\sqrt n`,

    FAIL           when some  |estimate| > a s                  false alarm, over all rows and looks, at most ALPHA
    PASS           when every |estimate| + b s <= resolves      miss, when some |rho| >= resolves, at most BETA
    INCONCLUSIVE   when neither holds at the last look          red, like FAIL

The union bound over looks and rows costs little: a is 8.1 for twenty rows, against 7.4 for one test at one look.

A row that states an inequality, E f g >= 0, can fail on one side only, and passes on one side only.

*When may a normal tail be believed at 1e-13?*  Where the null law of a sum is known (``tails``), it is not asked for.
Elsewhere, Cramér's series begins :math:`\log P(Z>z)\approx-\tfrac12z^2+\tfrac16z^3L`, where the skewness is at most
Lyapunov's ratio :math:`L=\sum E|fg|^3/(\sum g^2)^{3/2}`.  So the threshold is raised until the second term is paid for,
and a row may not fail a claim before that term is a quarter of the first.  This is an estimate, not a bound.

Rounding needs no allowance of its own: a sum of scores of unit variance is rounded at 1e-14 of their standard
deviation, and the last look still tells 1e-3.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.special import ndtri

from .streams import CHUNK, Total
from .tails import Limit, Tail, cramer

PASS, FAIL, INCONCLUSIVE, SKIP = "PASS", "FAIL", "INCONCLUSIVE", "SKIP"

ALPHA, BETA = 1e-13, 1e-3
ATOMS = 10_000  # no more sampled atoms than this in the whole suite, whose false alarm is then 1e-9
LOOKS = (2, 4, 8, 16, 24, 32, 48, 64, 96, 128, 192, 256)  # chunks seen at each look


@dataclass(frozen=True)
class Finding:
    """What an atom found.

    ``resolution`` is the smallest error it would have seen, and ``error`` the one that refutes the claim, if one does:
    relative to the size of what is compared, or in standard deviations of a score.
    """

    verdict: str
    draws: int  # or nodes, or examples
    detail: str
    resolution: float | None = None
    error: float | None = None


class Head(NamedTuple):
    """What is known of a row besides its draws: whether its mean is claimed to be 0 or at least 0, and its null law."""

    name: str
    tail: Tail = Limit()
    relation: str = "="


def looks() -> Iterator[range]:
    """The chunks that each look adds."""
    for seen, until in zip((0, *LOOKS), LOOKS):
        yield range(seen, until)


def false_alarm_quantile(rows: int, alpha: float = ALPHA) -> float:
    """How many standard errors an estimate may be from 0, so that none of the rows strays further at any look."""
    return -float(ndtri(alpha / (2 * rows * len(LOOKS))))


def miss_quantile(beta: float = BETA) -> float:
    """How many standard errors an estimate may fall short of the truth at any look."""
    return -float(ndtri(beta / len(LOOKS)))


def finest(rows: int) -> float:
    """The smallest error that the last look can tell from none."""
    return (false_alarm_quantile(rows) + miss_quantile()) / np.sqrt(CHUNK * LOOKS[-1])


def decide(total: Total, heads: Sequence[Head | str], resolves: float, alpha: float = ALPHA) -> Finding:
    """What the draws so far say.  The sums are the scores of all rows, then their weights, then their third moments.

    Raises ValueError for a row whose weight is zero: it tests nothing.
    """
    heads = [head if isinstance(head, Head) else Head(head) for head in heads]
    n, rows = total.draws, len(heads)
    score, weight, third = total.rounded().reshape(3, rows)
    overflown = np.flatnonzero(~np.isfinite(score) | ~np.isfinite(weight) | ~np.isfinite(third))
    if bad := sorted({k % rows for k in total.undefined} | {int(k) for k in overflown}):
        which = heads[bad[0]].name + (f" and {len(bad) - 1} more" if len(bad) > 1 else "")
        return Finding(FAIL, n, f"{which}: not finite in {n:,} draws, so the formula leaves its domain", resolves)
    if np.any(weight <= 0):
        idle = heads[int(np.argmin(weight))].name
        raise ValueError(f"the row {idle!r} has no weight and tests nothing: what it is held against never varies")

    estimate, error = score / np.sqrt(n * weight), 1 / np.sqrt(n)
    a, b = false_alarm_quantile(rows, alpha), miss_quantile()
    ends = [head.tail.thresholds(a, n, float(w), float(t)) for head, w, t in zip(heads, weight, third)]
    one_sided = np.array([head.relation == ">=" for head in heads])
    below, above = np.array(ends).T
    above = np.where(one_sided, np.inf, above)
    off = estimate / error
    allowed = np.where(off < 0, below, above)
    worst = int(np.argmax(np.abs(off) / allowed))
    if np.abs(off[worst]) > allowed[worst]:
        implied = "at least 0" if one_sided[worst] else "0"
        found = f"the claim implies {implied}, and {n:,} draws give {estimate[worst]:+.3g} standard deviations"
        beyond = f"{np.abs(off[worst]):.1f} standard errors off, where chance explains {allowed[worst]:.1f}"
        return Finding(FAIL, n, f"{heads[worst].name}: {found}: {beyond}", resolves, float(np.abs(estimate[worst])))
    far = np.where(one_sided, np.maximum(-estimate, 0), np.abs(estimate))
    short = cramer(b, third / weight**1.5)  # skewness makes misses likelier, too: what cannot fail must not pass
    if np.all(far + short * error <= resolves):
        most = f"{'0' if not np.any(one_sided) else '0, or not below it,'} within {np.max(far):.1e} standard deviations"
        return Finding(PASS, n, f"{rows} averages are {most} in {n:,} draws", resolves)
    widest = int(np.argmax(far + short * error))
    found = f"{heads[widest].name}: {estimate[widest]:+.2g} +- {error:.1g} standard deviations in {n:,} draws"
    doubt = f"neither refute the claim nor exclude an error of {resolves:g}"
    return Finding(INCONCLUSIVE, n, f"{found} {doubt}", resolves)
