"""How long work takes, in seconds of a machine of known speed: what others do on the same memory is not our doing."""

from collections.abc import Callable
from time import process_time

import numpy as np

WORK, TAKES = (17, 2**16, 2), 0.05  # seconds on the machine that all limits in tests speak of


def spent(work: Callable[[], object], times: int = 3) -> float:
    """Processor time of this process, the best of so many."""
    best = float("inf")
    for _ in range(times):
        clock = process_time()
        work()
        best = min(best, process_time() - clock)
    return best


def known_work() -> None:
    """Normals, exponentials, and sums over a short axis: the work that checks do."""
    times, *shape = WORK
    rng = np.random.Generator(np.random.Philox(0))
    for _ in range(times):
        np.exp(-np.square(rng.standard_normal(shape))).sum(axis=-1)


def seconds(work: Callable[[], object], limit: float, times: int = 3) -> float:
    """What work takes, as it is where that is far below a limit, else by the speed that this machine has now."""
    taken = spent(work, times)
    return taken if taken < limit / 2 else taken * TAKES / spent(known_work)
