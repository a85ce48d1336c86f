"""Times that may be divided: ours and the peers in the same rounds.

Two rows of a benchmark table were measured at two moments of the machine, so their ratio means little.  Here a round
runs every candidate, each round starts with the next one, and a ratio is taken within a round: what slows the machine
down slows all of them.  Processor time, unlike the clock on the wall, leaves out what other programs do meanwhile.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from statistics import median, quantiles

Call = Callable[[], object]


def paired(
    ours: Call,
    peers: Mapping[str, Call],
    rounds: int = 21,
    least: float = 5e-3,
    timer: Callable[[], float] = time.process_time,
) -> tuple[dict[str, float], dict[str, list[float]]]:
    """Median seconds, ``{"ours": ..., peer: ...}``, and multiples of our time, ``{peer: [low, median, high]}``.

    Low and high are the first and the last decile over the rounds.  Whoever takes less than ``least`` seconds is called
    several times in a round, or the grain of the timer would show.  Give torch one thread: processor time adds them up.
    """
    calls = {"ours": ours, **peers}
    names, repeats = list(calls), {}
    for name, call in calls.items():
        call()  # the first call allocates and loads
        start = timer()
        call()
        repeats[name] = max(1, round(least / max(timer() - start, 1e-9)))

    seconds: dict[str, list[float]] = {name: [] for name in names}
    for turn in range(rounds):
        first = turn % len(names)
        for name in names[first:] + names[:first]:
            start = timer()
            for _ in range(repeats[name]):
                calls[name]()
            seconds[name].append((timer() - start) / repeats[name])

    def low_median_high(peer: str) -> list[float]:
        ratios = [theirs / own for theirs, own in zip(seconds[peer], seconds["ours"])]
        deciles = quantiles(ratios, n=10, method="inclusive")
        return [deciles[0], median(ratios), deciles[-1]]

    return {name: median(s) for name, s in seconds.items()}, {peer: low_median_high(peer) for peer in peers}
