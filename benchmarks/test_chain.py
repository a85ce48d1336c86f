"""What does a whole chain cost, around the exact prediction on a mixture of K Gaussians in d dimensions?

Ancestral sampling (DDPM) in 20 steps of a cosine schedule, from noise to data.  The peers get the strong form of the
denoiser, two matrix products with all that depends on the level computed beforehand, and make the same chain with noise
of their own; so errors are those of the law, W_2 to the exact one over shadows, in which sampling error stands out.
The state of a fused chain stays in registers: what it costs is exponentials and normals, and no bandwidth.
"""

import time
from functools import partial
from math import pi

import numpy as np
import pytest

from benchmarks import peers
from benchmarks.goals import BANDWIDTH, COMPILED, FUSED
from benchmarks.machine import CPU
from benchmarks.paired import paired
from benchmarks.passes import passes
from benchmarks.peers import torch
from numerics import kernels, worlds
from numerics.solvers.grids import Grid
from numerics.solvers.methods import ddpm
from numerics.solvers.transport import distance, yardstick
from numerics.statistics.transport import directions

SIZES = [(1, 4), (2, 8), (16, 8), (64, 16)]  # d and K
STEPS = 20
PARTICLES = {CPU: 8192, "cuda": 2**22}
BESIDE_WORKERS = 1024
LOOKED_AT = 8192  # particles whose ends and whose law are looked at


def world_of(d, components):
    """Weights, means and variances that nobody chose."""
    rng = np.random.default_rng([d, components])
    weights = rng.dirichlet(np.full(components, 3.0))
    return worlds.mixture(weights, rng.standard_normal((components, d)), rng.uniform(0.05, 0.3, components))


def cosine(steps):
    """Levels (cos, sin) of angles that fall from almost a right one to zero."""
    angles = 0.49 * pi * np.arange(steps, -1, -1) / steps
    return Grid(np.cos(angles), np.sin(angles))


@pytest.mark.parametrize(("d", "components"), SIZES, ids=[f"{d}-{components}" for d, components in SIZES])
def test_chain(d, components, device, benchmark, report, request):
    """A chain beside those of diffusers and azula, and beside torch by matrix products, eager and compiled."""
    particles = BESIDE_WORKERS if benchmark.disabled else PARTICLES[device.kind]
    world, table = world_of(d, components), ddpm(cosine(STEPS))
    torch.manual_seed(time.time_ns())
    start = torch.randn((particles, d), device=device.kind)
    chain, steps, place = (
        peers.Chain(table, world, start),
        kernels.Steps.of(table, world),
        kernels.Place(time.time_ns()),
    )
    x = torch.full_like(start, torch.nan)
    kernel, backend = fused(start)

    def ours():
        kernel.chain(x.copy_(start), steps, place)
        return x

    known, asked_for = peers.chains(chain), request.config.getoption("--peer")
    if benchmark.disabled:
        del known[COMPILED]  # it takes a compiler and many seconds
    calls, missing = peers.those_here(known | {name: partial(peers.chain_by, name, chain) for name in asked_for})

    try:
        got = ours()[:LOOKED_AT].double().cpu().numpy()
    except ValueError as why:  # what a kernel refuses, and where to go instead
        pytest.skip(str(why))
    assert invisible(got - exactly(start[:LOOKED_AT], table, world, place), world, particles)
    along = directions(np.random.default_rng(0), d, 16) if d > 1 else np.ones((1, 1))
    exact = yardstick(world, along)
    error, peer_error = distance(got, exact, along), {}
    for name, call in calls.items():
        theirs = call()[:LOOKED_AT].double().cpu().numpy()
        peer_error[name] = distance(theirs, exact, along)
        if name in known:
            assert same_law(got, theirs), f"{name} makes another chain"

    benchmark(ours)
    if benchmark.disabled:
        return
    scratch = torch.empty_like(start)
    seconds, ratio = paired(ours, calls | {BANDWIDTH: lambda: scratch.copy_(start)}, timer=device.timer)
    copied = ratio.pop(BANDWIDTH)[1]
    report(
        workload=f"chain-{d}-{components}",
        size="small" if device.kind == CPU else "large",
        dtype="float32",
        backend=backend,
        seconds=seconds,
        rate=particles * STEPS / seconds["ours"],
        ratio=ratio,
        error=error,
        peer_error=peer_error,
        missing=missing,
        passes={"ours": 4, **{name: passes(calls[name], start.numel()) for name in calls if name != COMPILED}},
        bandwidth_fraction=2 * copied,  # it copies the start, and reads and writes the state once
    )


def fused(x):
    """The backend that keeps the state of a chain in registers, and its name.  Skips where there is none."""
    kernel = kernels.serving(x)
    backend = kernel.__name__.rpartition(".")[2]
    if backend not in FUSED:
        pytest.skip("there is no fused chain here: pip install 'noiseproof[fast]', on a GPU 'noiseproof[gpu]'")
    return kernel, backend


def exactly(start, table, world, place):
    """The chain in double precision with the same noise, by the reference."""
    x = start.double().cpu().numpy()
    kernels.serving(x, "reference").chain(x, kernels.Steps.of(table, world, np.float64), place)
    return x


def invisible(apart, world, particles):
    """Whether rounding moves particles on average by a tenth of what so many draws leave open, and hardly one by more.

    The average bounds W_1 between the laws.  The mean square would be a matter of luck: near where two components are
    equally likely rounding is magnified by the inverse of the distance, so that the probability of a move beyond a
    falls as 1 / a.
    """
    sampling_error = np.sqrt(np.trace(world.covariance) / particles)
    moved = np.linalg.norm(apart, axis=1)
    return np.mean(moved) <= sampling_error / 10 and np.mean(moved > sampling_error) <= 1e-3


def same_law(x, y):
    """Whether two samples, (n, d) each, have one mean and one mean square: no difference of six standard errors."""
    for a, b in ((x, y), (x * x, y * y)):
        z = (a.mean(axis=0) - b.mean(axis=0)) / np.sqrt((a.var(axis=0) + b.var(axis=0)) / len(a))
        if np.max(np.abs(z)) > 6:
            return False
    return True
