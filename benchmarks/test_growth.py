"""How does the cost of a chain grow with particles, steps, dimension and components?

Each is varied over three decades while the others stay, all sizes in the same rounds, and the exponent is the slope of
log time in log size.  In particles and in steps it has to be 1: neither is paid for twice.  In dimension and components
it is below 1 as long as what does not grow with them costs more, and above 1 where a block leaves the cache.

Memory does not grow with steps: a chain a thousand times as long holds a longer table, and nothing else.
"""

import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from benchmarks.machine import CPU, largest_memory
from benchmarks.paired import paired
from benchmarks.peers import torch
from benchmarks.test_chain import cosine, exactly, fused, invisible, world_of
from numerics import kernels
from numerics.solvers.methods import ddpm

DECADES = np.logspace(0, 3, 7)  # by half decades
SIZES = {
    CPU: {
        "particles": (3000, {"steps": 30, "d": 2, "components": 8}),
        "steps": (10, {"particles": 16384, "d": 2, "components": 8}),
        "dimension": (1, {"particles": 1024, "steps": 10, "components": 8}),
        "components": (1, {"particles": 1024, "steps": 10, "d": 2}),
    },
    "cuda": {
        # the smallest takes some milliseconds: beside less the launch would show, and reading and writing the state
        "particles": (2**21, {"steps": 240, "d": 2, "components": 8}),
        "steps": (20, {"particles": 2**24, "d": 2, "components": 8}),
        "dimension": (1, {"particles": 2**18, "steps": 10, "components": 8}),
        "components": (1, {"particles": 2**18, "steps": 10, "d": 2}),
    },
}
LOOKED_AT = 16  # particles that are held to the reference, which is slow


class Sized:
    """A chain of some size, with its own arrays."""

    def __init__(self, device, particles, steps, d, components):
        self.table, self.world = ddpm(cosine(steps)), world_of(d, components)
        self.steps, self.place = kernels.Steps.of(self.table, self.world), kernels.Place(time.time_ns())
        self.start = torch.randn((particles, d), device=device)
        self.x = torch.full_like(self.start, torch.nan)
        self.kernel, self.backend = fused(self.x)

    def __call__(self):
        self.kernel.chain(self.x.copy_(self.start), self.steps, self.place)

    def is_right(self):
        """Whether the first particles end where the reference says."""
        self()
        exact = exactly(self.start[:LOOKED_AT], self.table, self.world, self.place)
        return invisible(self.x[:LOOKED_AT].double().cpu().numpy() - exact, self.world, len(self.x))


@pytest.mark.parametrize("axis", ["particles", "steps", "dimension", "components"])
def test_growth(axis, device, benchmark, report):
    """The exponent over three decades."""
    least, rest = SIZES[device.kind][axis]
    sizes = [round(least * factor) for factor in (DECADES[:3:2] if benchmark.disabled else DECADES)]
    chains, missing = {}, {}
    for size in sizes:
        chain = Sized(device.kind, **rest, **{"d" if axis == "dimension" else axis: size})
        try:
            assert chain.is_right(), f"{axis} = {size} is another chain than the reference's"
            chains[size] = chain
        except ValueError as why:  # what a kernel refuses, and where to go instead
            missing[f"{axis} = {size}"] = str(why)
    smallest = chains.pop(least)
    benchmark(smallest)
    if benchmark.disabled:
        return
    seconds, ratio = paired(smallest, {f"{size}": chain for size, chain in chains.items()}, 9, timer=device.timer)
    sizes = [least, *chains]
    at, logs = np.log10(sizes), np.log10([1.0, *(middle for _, middle, _ in ratio.values())])
    exponent, constant = np.polyfit(at, logs, 1)
    report(
        workload="growth",
        size=axis,
        dtype="float32",
        backend=smallest.backend,
        seconds=seconds,
        ratio=ratio,
        missing=missing,
        sizes=sizes,
        exponent=float(exponent),
        error=float(np.max(np.abs(10 ** (logs - exponent * at - constant) - 1))),  # the largest distance from the line
    )


@pytest.mark.slow
def test_memory(device, benchmark, report):
    """What a chain holds at most, beside what it is given, at one step and at a thousand."""
    particles, many = 2**17, 1000
    chain = Sized(device.kind, particles, 1, 2, 8)
    held = peaks(device.kind, particles, [1, many])
    state, table = particles * 2 * 4, many * (5 + 8 * 4) * 4
    copies = (held[1] - held[0] - table) / state
    benchmark(chain)
    assert copies < many / 50, f"{many} steps hold {copies:.0f} more states than one step"
    if not benchmark.disabled:
        about = {
            "size": "memory",
            "dtype": "float32",
            "backend": chain.backend,
            "sizes": [1, many],
            "bytes": held,
            "error": 0.0,
        }
        report(workload="growth", ratio={}, **about)


def peaks(kind, particles, many):
    """The largest memory, in bytes, of one process after each chain: of the device, or of the process."""
    command = [sys.executable, "-m", "benchmarks.test_growth", kind, str(particles), *map(str, many)]
    ran = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parents[1], timeout=120)
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout.splitlines()[-1])


def main(kind, particles, *many):
    """Print the peaks as JSON."""
    found = []
    for steps in many:
        Sized(kind, int(particles), int(steps), 2, 8)()
        found.append(largest_memory() if kind == CPU else torch.cuda.max_memory_allocated())
    print(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
