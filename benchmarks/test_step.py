"""What does one reverse step cost, around a network output that is given?

x_prev = a x_t + b p + c xi, for the predicted noise p: DDPM's step at t = 500 of its linear schedule of 1000 steps, and
DDIM's without fresh noise.  The small size is 64 images of 3x64x64, 3 MB in single precision; on a GPU there are also
latents of 4x16x128x128 in bfloat16, and 268 MB, which no cache holds.

A step has to read two tensors and to write one.  The peers, which count more in ``passes``, make new tensors in every
step as well, and on a processor fresh pages for them cost more than the arithmetic, unless the process has freed arrays
as large before and kept their pages.  So they are timed with memory kept, and once more in new processes, beside ours.
"""

import json
import subprocess
import sys
import time
from functools import partial
from math import prod
from pathlib import Path
from statistics import median

import numpy as np
import pytest

from benchmarks import peers
from benchmarks.goals import ALONE, AZULA, BANDWIDTH, COMPILED, DIFFUSERS, EAGER, FRESH, NOISE_AND_BYTES, REPLAYED
from benchmarks.machine import CPU, CUDA, one_thread
from benchmarks.paired import paired
from benchmarks.passes import passes
from benchmarks.peers import torch
from numerics import kernels, noise, schedules
from numerics.solvers import grids
from numerics.solvers.methods import METHODS
from numerics.solvers.table import PREDICTION, STATE

SIZES = {
    "small": ((64, 3, 64, 64), torch.float32),
    "latents": ((4, 16, 128, 128), torch.bfloat16),
    "large": ((64, 4, 512, 512), torch.float32),
}
SCHEDULE, T_NOW = schedules.linear(), 500
STEP = SCHEDULE.step(T_NOW)
TENSORS = 3  # two are read and one is written
LOOKED_AT = 2**20  # elements that are held to double precision
REPEATS = 50  # rows of the graph that is replayed
PROCESSES = 5  # new ones, each of which finds its memory in another state


def row_of(method):
    """The coefficients of x_t, of the predicted noise and of fresh noise, by the proved formula."""
    row = METHODS[method](grids.visiting(SCHEDULE, [T_NOW, T_NOW - 1])).predicting("noise").rows[0]
    return row.maps[STATE][STATE], row.maps[STATE][PREDICTION], row.noise


ROWS = {"step-stochastic": row_of("ddpm"), "step-deterministic": row_of("ddim")}


def made(workload, size, kind):
    """The step on images that nobody has seen, and our call of it with its place."""
    shape, dtype = SIZES[size]
    torch.manual_seed(time.time_ns())  # nothing can have been tuned to them
    x_t, predicted_noise, out = (torch.randn(shape, device=kind).to(dtype) for _ in range(3))
    step = peers.OneStep(SCHEDULE, T_NOW, x_t, predicted_noise, out, *ROWS[workload])
    place = kernels.Place(seed=time.time_ns(), n=7 * prod(shape[1:]))

    kernel = kernels.serving(out)  # as a run asks for a row: its arrays were looked at when it began

    def ours():
        kernel.combine([out], [x_t, predicted_noise], [[step.a, step.b]], step.c, place)
        return out

    return step, ours, place


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("workload", ROWS)
def test_step(workload, size, device, benchmark, report, request):
    """A step beside those of diffusers and azula, and beside the formula in torch: as written, in place, compiled."""
    if size != "small" and device.kind != CUDA:
        pytest.skip("this size is for a GPU: --device cuda")
    step, ours, place = made(workload, size, device.kind)
    known, asked_for = peers.steps(step), request.config.getoption("--peer")
    if benchmark.disabled:
        del known[COMPILED]  # it takes a compiler and many seconds
    calls, missing = peers.those_here(known | {name: partial(peers.step_by, name, step) for name in asked_for})
    for name in {*asked_for} & {*calls}:
        if peers.is_stochastic(calls[name]) != bool(step.c):
            del calls[name]
            missing[name] = "it draws no noise" if step.c else "it draws noise"

    looked_at = min(len(step.out), max(1, LOOKED_AT // prod(step.out.shape[1:])))  # the last ones
    xi = normals_of(place.of_part(len(step.out) - looked_at), (looked_at, *step.out.shape[1:]))
    error, magnitude, _ = far_from_exact(step, ours, xi)
    # Each term meets four roundings: its coefficient, the product, two sums; and normals are known to 1e-6.
    bound = 4 * unit(step) * magnitude + 1e-6 * step.c
    assert np.all(error <= bound), f"{np.max(error / bound):.2f} times what rounding explains"
    peer_error = {}
    for name in {*known} & {*calls}:
        torch.manual_seed(7)
        drawn = torch.randn_like(step.x_t)[-looked_at:].double().cpu().numpy()
        torch.manual_seed(7)
        theirs, magnitude, through_x_0 = far_from_exact(step, calls[name], drawn)
        if name != COMPILED or device.kind != CUDA:  # which draws other numbers there
            # Diffusers takes beta from a ratio of two products of t factors in single precision, others go through
            # x_0 in up to twenty operations.  Anything beyond that is another step.
            single = 4 * (T_NOW + 1 / STEP.beta) * 2.0**-24
            assert np.all(theirs <= single * magnitude + 20 * unit(step) * (magnitude + through_x_0)), name
            peer_error[name] = float(theirs.max())

    benchmark(ours)
    if benchmark.disabled:
        return  # beside other workers a ratio would say nothing
    scratch = torch.empty_like(step.x_t)
    x_t, p, out, row = step.x_t, step.predicted_noise, step.out, [[step.a, step.b]]
    floors = {BANDWIDTH: lambda: scratch.copy_(x_t)}
    if step.c:

        def noise_and_bytes():  # the normals are written, which is one of the three tensors
            kernels.normal(out, place)
            scratch.copy_(x_t)

        floors[NOISE_AND_BYTES] = noise_and_bytes
    alone = {ALONE: lambda: kernels.combine([out], [x_t, p], row, step.c, place)}
    seconds, ratio = paired(ours, calls | alone | floors, timer=device.timer)
    part_of_floor = {name: ratio.pop(name) for name in floors}
    part_of_floor[BANDWIDTH] = [TENSORS / 2 * part for part in part_of_floor[BANDWIDTH]]  # a copy moves two
    if device.kind == CPU:
        try:
            ratio |= in_new_processes(workload)
        except subprocess.TimeoutExpired as why:
            missing["new process"] = f"it took more than {why.timeout:.0f} seconds"
    elif size == "small":
        ratio |= as_a_graph(step, calls, device)
    touched = {name: passes(calls[name], scratch.numel()) for name in calls if name != COMPILED}
    report(
        workload=workload,
        size=size,
        dtype=str(step.out.dtype).removeprefix("torch."),
        backend=kernels.serving(step.out).__name__.rpartition(".")[2],
        elements=scratch.numel(),
        bytes_each=scratch.element_size(),
        seconds=seconds,
        ratio=ratio,
        error=float(error.max()),
        peer_error=peer_error,
        missing=missing,
        passes={"ours": TENSORS, **touched},
        bandwidth_fraction=part_of_floor[BANDWIDTH][1],
        part_of_floor=part_of_floor,
    )


def far_from_exact(step, call, xi):
    """The distance from the step in double precision, and how large its terms are, and those on the way through x_0.

    For the last particles, as many as there is noise; what was in ``out`` is poison.  The exact step goes another way,
    through x_0 and q(x_prev | x_t, x_0).
    """
    step.out.fill_(torch.nan)
    got, x_t, p = (x[-len(xi) :].double().cpu().numpy() for x in (call(), step.x_t, step.predicted_noise))
    alpha, beta, alpha_bar, alpha_bar_prev = STEP.alpha, STEP.beta, STEP.alpha_bar, STEP.alpha_bar_prev
    x_0 = (x_t - np.sqrt(1 - alpha_bar) * p) / np.sqrt(alpha_bar)
    if step.c:
        mean = (np.sqrt(alpha_bar_prev) * beta * x_0 + np.sqrt(alpha) * (1 - alpha_bar_prev) * x_t) / (1 - alpha_bar)
        exact = mean + np.sqrt(beta * (1 - alpha_bar_prev) / (1 - alpha_bar)) * xi
    else:
        exact = np.sqrt(alpha_bar_prev) * x_0 + np.sqrt(1 - alpha_bar_prev) * p
    magnitude = np.abs(step.a * x_t) + np.abs(step.b * p) + np.abs(step.c * xi)
    return np.abs(got - exact), magnitude, np.abs(x_t) + np.abs(p)


def unit(step):
    """The relative rounding of one operation."""
    return torch.finfo(step.out.dtype).eps / 2


def normals_of(place, shape):
    """The normals of a place, by the specification."""
    count = prod(shape[1:])
    return noise.normals(place.seed, place.stream, place.first, shape[0], place.n, count).reshape(shape)


def as_a_graph(step, calls, device):
    """Ratios to the peers of steps that are the nodes of a CUDA graph: many of them a call, on both sides."""
    from numerics.kernels.graphs import Replay

    method = METHODS["ddpm" if step.c else "ddim"]
    table = method(grids.linspace(SCHEDULE, REPEATS)).predicting("noise")
    replay = Replay(table, lambda x, level: step.predicted_noise, step.x_t)
    replay(step.x_t)
    first, again = replay(step.x_t), replay(step.x_t)
    assert torch.isfinite(first).all()
    assert torch.equal(first, again) != bool(step.c), "a replay draws noise of its own"
    many = {name: partial(repeated, calls[name]) for name in (DIFFUSERS, EAGER) if name in calls}
    return {
        REPLAYED.format(name): r for name, r in paired(lambda: replay(step.x_t), many, timer=device.timer)[1].items()
    }


def repeated(call):
    for _ in range(REPEATS):
        call()


# ---------------------------------------------------------------- what a new process pays


def in_new_processes(workload):
    """Ratios to the peers that make new tensors, in processes that have freed nothing before: least, median, largest.

    What fresh pages cost is the luck of each process, by the state in which it finds its heap.
    """
    command = [sys.executable, "-m", "benchmarks.test_step", workload]
    about = {"capture_output": True, "text": True, "cwd": Path(__file__).parents[1], "timeout": 240}
    found = []
    for _ in range(PROCESSES):
        ran = subprocess.run(command, **about)
        assert ran.returncode == 0, ran.stderr
        found.append(json.loads(ran.stdout.splitlines()[-1]))
    medians = {name: sorted(one[name][1] for one in found) for name in found[0]}
    return {FRESH.format(name): [seen[0], median(seen), seen[-1]] for name, seen in medians.items()}


def main(workload):
    """Print the ratios as JSON."""
    with one_thread():
        step, ours, _ = made(workload, "small", CPU)
        known = peers.steps(step)
        calls, _ = peers.those_here({name: known[name] for name in (DIFFUSERS, AZULA, EAGER)})
        print(json.dumps(paired(ours, calls, rounds=11)[1]))


if __name__ == "__main__":
    main(*sys.argv[1:])
