"""How long does each method take until its samples are as good as wanted?

Three clusters on the line, of 0.02 to 0.09 in variance, on the grid of Karras from sigma = 80 to 0.01 and then zero.
The fewest steps are sought, on a ladder of factors sqrt 2, with which 2^16 particles come as close as W_2 = 0.05 to the
exact law, a twenty-fifth of its standard deviation; so many draws from the law itself come to about 0.02.  Then all
methods run with their own numbers of steps in the same rounds, beside the peers, who find theirs in the same way.

Fewer steps are worth more than faster ones: what a method needs stands beside what a step of it costs.
"""

from functools import partial

import numpy as np

from benchmarks import peers
from benchmarks.machine import CPU
from benchmarks.paired import paired
from benchmarks.peers import torch
from benchmarks.test_chain import fused
from numerics import kernels, worlds
from numerics.solvers import grids
from numerics.solvers.methods import METHODS, ddpm
from numerics.solvers.predictions import denoiser
from numerics.solvers.transport import distance, law, midpoints, quantile, yardstick

# In one dimension, with an axis for it: the form in which everybody takes it.
WEIGHTS, MEANS, VARIANCES = [0.57, 0.28, 0.15], [-1.0, 0.8, 2.1], [0.04, 0.09, 0.02]
WORLD = worlds.mixture(WEIGHTS, np.array(MEANS)[:, None], VARIANCES)
ON_THE_LINE = worlds.mixture(WEIGHTS, MEANS, VARIANCES)
PARTICLES = {CPU: 2**16, "cuda": 2**18}
WANTED = 0.05
LADDER = [round(2 ** (k / 2)) for k in range(4, 21)]  # steps: 4, 6, 8, 11, ..., 1024
PATIENCE = 2.0  # seconds for one call, after which nobody looks further
BESIDE_WORKERS = {"particles": 2**13, "wanted": 0.15, "methods": ("ddim", "sde-dpmpp-2m", "heun")}


def grid(steps):
    return grids.karras(steps, 80.0, 0.01, units="vp")


def begun(particles, device):
    """Where a run begins: quantiles of the law of x there, in no order."""
    x = quantile(law(ON_THE_LINE, grid(4)[0]), midpoints(particles))
    return torch.tensor(np.random.default_rng(0).permutation(x)[:, None], dtype=torch.float32, device=device)


def by_us(method, start, steps):
    """A run of a method of so many steps: fused where one kernel can hold it, else row by row."""
    table, place, x = METHODS[method](grid(steps)), kernels.Place(seed=steps), torch.empty_like(start)
    kernel = kernels.serving(x)
    try:
        flat = kernels.Steps.of(table, WORLD)
        kernel.chain(x.copy_(start), flat, place)
    except ValueError:  # more registers than a chain holds
        return lambda: kernels.run(table, denoiser(WORLD), start, place.seed)

    def call():
        kernel.chain(x.copy_(start), flat, place)
        return x

    return call


def by_others(asked_for):
    """The peers, as functions of the start and the number of steps."""

    def chain(start, steps, method=ddpm):
        return peers.Chain(method(grid(steps)), WORLD, start)

    def by_diffusers(scheduler, start, steps, **options):
        return peers.chain_by_diffusers(chain(start, steps), scheduler, **options)

    found = {
        "torch, ddim": lambda start, steps: peers.chain_by_torch(chain(start, steps, METHODS["ddim"])),
        "diffusers, ddpm": partial(by_diffusers, "DDPMScheduler", clip_sample=False),
        "diffusers, ddim": partial(by_diffusers, "DDIMScheduler", clip_sample=False),
        "diffusers, dpmpp-2m": partial(by_diffusers, "DPMSolverMultistepScheduler"),
        "azula, ddim": lambda start, steps: peers.chain_by_azula(chain(start, steps), "EulerSampler"),
    }
    return found | {name: lambda start, steps, of=name: peers.chain_by(of, chain(start, steps)) for name in asked_for}


def fewest(made, start, exact, wanted, device):
    """The first call on the ladder that is as close as wanted: its steps, itself, its W_2 and its seconds.

    Raises Missing where none is, within patience.
    """
    so_far = ""
    for steps in LADDER:
        call = made(start, steps)
        call()
        began = device.timer()
        x = call()
        seconds = device.timer() - began
        apart = distance(x[:, 0].double().cpu().numpy(), exact)
        if apart <= wanted:
            return steps, call, apart, seconds
        so_far = f"W_2 = {apart:.2g} after {steps} steps and {seconds:.1f} s; {wanted:g} was wanted"
        if seconds > PATIENCE:
            break
    raise peers.Missing(so_far)


def test_accuracy(device, benchmark, report, request):
    """Each method with its own number of steps, beside the one that is the first to be as close as wanted."""
    particles, wanted = PARTICLES[device.kind], WANTED
    methods, others = [name for name in METHODS if name != "naive"], by_others(request.config.getoption("--peer"))
    if benchmark.disabled:
        particles, wanted, methods = BESIDE_WORKERS.values()
        others = {name: others[name] for name in others if name.startswith("torch")}
    start, exact = begun(particles, device.kind), yardstick(ON_THE_LINE)
    _, backend = fused(start)
    makers = {name: partial(by_us, name) for name in methods} | others
    found, missing = peers.those_here(
        {name: partial(fewest, made, start, exact, wanted, device) for name, made in makers.items()}
    )
    assert {*found} & {*methods}, f"nobody is as close as {wanted}: {missing}"
    if benchmark.disabled:
        assert not missing
    for name, (steps, _, apart, _) in found.items():  # without noise and from one start everybody makes the same run
        library, _, method = name.partition(", ")
        if method in ("ddim", "dpmpp-2m") and method in found and found[method][0] == steps:
            assert abs(apart - found[method][2]) < wanted / 100, f"{library} makes another run"
    best = min({*found} & {*methods}, key=lambda name: found[name][3])
    calls = {name: call for name, (_, call, _, _) in found.items()}
    ours = calls.pop(best)
    benchmark(ours)
    if benchmark.disabled:
        return
    seconds, ratio = paired(ours, calls, rounds=7, timer=device.timer)
    report(
        workload="time-to-accuracy",
        size=f"W2 {wanted:g}",
        dtype="float32",
        backend=backend,
        best=best,
        seconds={best if name == "ours" else name: s for name, s in seconds.items()},
        steps={name: steps for name, (steps, *_) in found.items()},
        ratio=ratio,
        error=found[best][2],
        peer_error={name: found[name][2] for name in calls},
        missing=missing,
    )
