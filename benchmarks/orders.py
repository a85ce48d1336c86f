"""How fast does each sampler come closer as its steps shrink?  The table of observed orders.

    python -m benchmarks.orders            # prints it, and writes benchmarks/results/orders.json

On the smooth grid of equal steps in log-SNR, from sigma = 100 to 0.05 and no further: the last step to zero leaves an
error of its own, which more steps do not shrink.  At sigma = 100 there is hardly any signal, and the first step of
dpmpp-3m, which is DDIM's, misses next to nothing; a run of it that begins at sigma = 3 is of order 2.

Trajectories of a deterministic sampler are held to their exact ends, by quantiles, on two worlds; the law of a
stochastic one to the exact moments, on Gaussian data, with nothing drawn.

The order at so many steps is the slope of log error between that and half as many.  Its interval is what the last
slopes and their extrapolation say; an error below twenty times the floor, which rounding leaves, says nothing.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from noiseproof.reporting import environment
from numerics import worlds
from numerics.solvers import grids, moments
from numerics.solvers.methods import METHODS
from numerics.solvers.predictions import denoiser
from numerics.solvers.running import run
from numerics.solvers.table import Table
from numerics.solvers.transport import law, midpoints, quantile, transported

RESULT = Path(__file__).with_name("results") / "orders.json"
COMMAND = "python -m benchmarks.orders"
STEPS, MORE_STEPS = (24, 48, 96, 192), (96, 192, 384, 768)
WORLDS = {
    "two clusters": worlds.mixture([0.3, 0.7], [-1.1, 0.8], [0.5, 0.4]),
    "three clusters": worlds.mixture([0.57, 0.28, 0.15], [-0.71, 0.93, 2.1], [0.37, 0.62, 0.29]),
}
MEAN, VARIANCE = 0.7, 0.36
CLEAR = 20  # times the floor
EPS = np.finfo(float).eps


def pathwise(table: Table, world: worlds.Mixture) -> float:
    """The root of the mean squared distance of ends from where the flow ends, over 200 quantiles."""
    start, end = table.grid[0], table.grid[len(table.grid)]
    x = quantile(law(world, start), midpoints(200))
    return float(np.sqrt(np.mean((run(table, denoiser(world), x) - transported(world, x, start, end)) ** 2)))


def of_the_mean(table: Table) -> float:
    exact = moments.exact(MEAN, VARIANCE, table.grid[len(table.grid)])
    return abs(moments.final(table, MEAN, VARIANCE).mean - exact.mean)


def of_the_deviation(table: Table) -> float:
    exact = moments.exact(MEAN, VARIANCE, table.grid[len(table.grid)])
    return abs(np.sqrt(moments.final(table, MEAN, VARIANCE).variance) - np.sqrt(exact.variance))


def observed(method: Callable[..., Table], error: Callable[[Table], float], steps: tuple[int, ...]) -> dict[str, Any]:
    """Errors and orders, and the interval of the order; None where all errors drown in rounding."""
    errors = [error(method(grids.log_snr(n))) for n in steps]
    floors = [CLEAR * EPS * n for n in steps]
    clear = [e for e, floor in zip(errors, floors, strict=True) if e > floor]
    orders = [float(np.log2(a / b)) for a, b in itertools.pairwise(clear)]
    interval = None
    if len(orders) >= 2:
        *_, before, last = orders
        beyond = last + (last - before)  # what is of first order in the step, halved once more
        interval = [min(last, beyond), max(last, beyond)]
    return {"steps": list(steps), "errors": errors, "orders": orders, "interval": interval}


def measured() -> list[dict[str, Any]]:
    """All methods that declare an order."""
    found = []
    for name, method in METHODS.items():
        table = method(grids.log_snr(8))
        if table.order is None:
            continue
        about = {"method": name, "declared": table.order, "stochastic": table.stochastic, "source": list(table.source)}
        if table.stochastic:
            parts = {"mean": observed(method, of_the_mean, MORE_STEPS)}
            parts["standard deviation"] = observed(method, of_the_deviation, MORE_STEPS)
        else:
            parts = {
                world: observed(method, lambda table, world=world: pathwise(table, WORLDS[world]), STEPS)
                for world in WORLDS
            }
        found.append({**about, "observed": parts})
    return found


def shown(found: list[dict[str, Any]]) -> str:
    """A line for each method and what it is held to."""
    lines = [f"{'method':<17}{'declared':>9}  {'of':<20}{'orders':<24}{'errors'}"]
    for entry in found:
        for of, part in entry["observed"].items():
            orders = "  ".join(f"{order:.3f}" for order in part["orders"]) or "exact, but for rounding"
            errors = "  ".join(f"{error:.1e}" for error in part["errors"])
            lines.append(f"{entry['method']:<17}{entry['declared']:>9}  {of:<20}{orders:<24}{errors}")
    return "\n".join(lines)


def main() -> None:
    found = measured()
    print(shown(found))
    document = {"schema": 1, "command": COMMAND, "environment": environment(), "grid": "log-snr, 100 to 0.05"}
    RESULT.write_text(json.dumps({**document, "methods": found}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
