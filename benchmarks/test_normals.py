"""What does a normal cost?

2^20 of them in single precision, written into an array that is there; on a GPU 2^26.  Ours have a place, so that they
are the same in every library and for any number of threads; those of the peers are the next ones of a generator.
"""

import time
from functools import partial

import numpy as np

from benchmarks.goals import BANDWIDTH, COMPILED, NUMPY, RANDN
from benchmarks.machine import CPU
from benchmarks.paired import paired
from benchmarks.passes import passes
from benchmarks.peers import compiled, those_here, torch
from numerics import kernels, noise
from numerics.noise import TAIL

SHAPES = {CPU: (2**8, 2**12), "cuda": (2**10, 2**16)}
BESIDE_WORKERS = (2**4, 2**10)
LOOKED_AT = 2**20  # normals that are held to the specification
CLOSE = 1e-6  # what every backend keeps to


def test_normals(device, benchmark, report):
    """Normals beside those of torch, compiled too, and of the fastest generator of NumPy."""
    shape = BESIDE_WORKERS if benchmark.disabled else SHAPES[device.kind]
    out, place = torch.full(shape, torch.nan, device=device.kind), kernels.Place(seed=time.time_ns(), n=3)
    theirs = torch.empty_like(out)
    backend = kernels.serving(out).__name__.rpartition(".")[2]

    def ours():
        kernels.normal(out, place)
        return out

    peers = {RANDN: lambda: theirs.normal_}
    if device.kind == CPU:
        generator, array = np.random.Generator(np.random.SFC64(time.time_ns())), theirs.numpy()
        peers[NUMPY] = lambda: lambda: generator.standard_normal(dtype=np.float32, out=array)
    if not benchmark.disabled:
        peers[COMPILED] = lambda: partial(compiled(torch.randn_like, theirs), theirs)
    calls, missing = those_here(peers)

    rows = min(shape[0], LOOKED_AT // shape[1])  # the last ones
    specified = noise.normals(place.seed, place.stream, shape[0] - rows, rows, place.n, shape[1])
    error = np.max(np.abs(ours()[-rows:].double().cpu().numpy() - specified))
    assert error <= CLOSE
    for name, call in calls.items():
        assert standard(torch.as_tensor(call())), name

    benchmark(ours)
    if benchmark.disabled:
        return
    scratch = torch.empty_like(out)
    floors = {BANDWIDTH: lambda: scratch.copy_(out)}
    seconds, ratio = paired(ours, calls | floors, timer=device.timer)
    copied = ratio.pop(BANDWIDTH)[1]
    report(
        workload="normals",
        size="small" if device.kind == CPU else "large",
        dtype="float32",
        backend=backend,
        elements=out.numel(),
        bytes_each=out.element_size(),
        seconds=seconds,
        rate=out.numel() / seconds["ours"],
        ratio=ratio,
        error=float(error),
        missing=missing,
        passes={"ours": 1, RANDN: passes(calls[RANDN], out.numel())},
        bandwidth_fraction=copied / 2,  # it writes, and a copy reads as well
    )


def standard(x):
    """Whether draws are those of a standard normal, as far as six standard errors of two moments and the tail tell."""
    x = x.double().flatten()
    mean, square = x.mean() * len(x) ** 0.5, ((x * x).mean() - 1) * (len(x) / 2) ** 0.5
    return bool(mean.abs() < 6 and square.abs() < 6 and x.abs().max() < TAIL + 2)
