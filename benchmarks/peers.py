"""Others who make the same step and run the same chain, and the same as one writes it in torch.

Each peer is a function without arguments that makes the call to be timed, or raises Missing.  They get the forms that
suit them best: coefficients are computed beforehand where a library lets one, times are plain integers, and azula is
handed the prediction of the data that it would have to compute.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from functools import partial
from importlib import import_module
from math import sqrt
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import numpy as np
import pytest

from benchmarks.goals import AZULA, COMPILED, DIFFUSERS, EAGER, GEMM, IN_PLACE
from benchmarks.machine import CPU, Missing, compiler, library

if TYPE_CHECKING:
    from numerics.schedules import Schedule
    from numerics.solvers.grids import Grid
    from numerics.solvers.table import Table
    from numerics.worlds import Mixture

# Every benchmark imports this module first: without these it is skipped, and says so.
torch = pytest.importorskip("torch", reason="the peers are torch's: pip install 'noiseproof[models]'")
for needed in ("array_api_compat", "scipy", "sympy"):
    pytest.importorskip(needed, reason=f"numerics needs {needed}: pip install {needed.replace('_', '-')}")

Tensor = Any
Call = Callable[[], Any]
T = TypeVar("T")


def those_here(peers: Mapping[str, Callable[[], T]]) -> tuple[dict[str, T], dict[str, str]]:
    """What those peers make that are installed, and why the others are not timed."""
    calls: dict[str, T] = {}
    missing: dict[str, str] = {}
    for name, made in peers.items():
        try:
            calls[name] = made()
        except Missing as why:
            missing[name] = str(why)
    return calls, missing


def compiled(function: Callable[..., Tensor], *arguments: Tensor) -> Callable[..., Tensor]:
    """torch.compile, after its first call.  Raises Missing where there is no compiler."""
    if arguments[0].device.type == CPU:
        compiler()
    fast = torch.compile(function, dynamic=False)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            fast(*arguments)
    except Exception as why:  # whatever a toolchain may lack
        raise Missing(f"torch.compile failed: {type(why).__name__}: {str(why).splitlines()[0]}") from why
    return fast


# ---------------------------------------------------------------- one step


class OneStep(NamedTuple):
    """x_prev = a x_t + b predicted_noise + c xi, at time t of a schedule; ``out`` is somewhere to put it."""

    schedule: Schedule
    t: int
    x_t: Tensor
    predicted_noise: Tensor
    out: Tensor
    a: float
    b: float
    c: float


def steps(step: OneStep) -> dict[str, Callable[[], Call]]:
    """The peers of one step."""
    a, b, c, x, m = step.a, step.b, step.c, step.x_t, step.predicted_noise

    def as_written() -> Tensor:
        return a * x + b * m + c * torch.randn_like(x) if c else a * x + b * m

    def in_place() -> Tensor:
        if not c:
            return torch.mul(x, a, out=step.out).add_(m, alpha=b)
        return step.out.normal_().mul_(c).add_(x, alpha=a).add_(m, alpha=b)

    return {
        DIFFUSERS: partial(by_diffusers, step),
        AZULA: partial(by_azula, step),
        EAGER: lambda: as_written,
        IN_PLACE: lambda: in_place,
        COMPILED: partial(by_compiled, step),
    }


def by_compiled(step: OneStep) -> Call:
    """On a processor its own random numbers are ten times as slow as torch's, so that it is handed those."""
    a, b, c, x, m = step.a, step.b, step.c, step.x_t, step.predicted_noise
    if not c:
        fast = compiled(lambda x, m: a * x + b * m, x, m)
        return lambda: fast(x, m)
    if x.device.type != CPU:
        fast = compiled(lambda x, m: a * x + b * m + c * torch.randn_like(x), x, m)
        return lambda: fast(x, m)
    fast = compiled(lambda x, m, z: a * x + b * m + c * z, x, m, step.out)
    return lambda: fast(x, m, step.out.normal_())


def by_diffusers(step: OneStep) -> Call:
    """DDPM, or without fresh noise DDIM; its time begins at 0."""
    diffusers = library("diffusers")
    kind = diffusers.DDPMScheduler if step.c else diffusers.DDIMScheduler
    scheduler = kind(step.schedule.T, trained_betas=1 - step.schedule.alphas, clip_sample=False)
    scheduler.set_timesteps(step.schedule.T)
    return lambda: scheduler.step(step.predicted_noise, step.t - 1, step.x_t).prev_sample


def by_azula(step: OneStep) -> Call:
    """Its DDPM step, or its Euler step, which is DDIM's; its DDIM draws noise even where it needs none."""
    library("azula")
    noise, denoise, sample = (library(f"azula.{name}") for name in ("noise", "denoise", "sample"))
    bars = torch.tensor([step.schedule.alpha_bar(step.t), step.schedule.alpha_bar(step.t - 1)])
    scales, noises = (
        bars.sqrt().to(step.x_t.device, torch.float32),
        (1 - bars).sqrt().to(step.x_t.device, torch.float32),
    )
    x_0 = (step.x_t - noises[0] * step.predicted_noise) / scales[0]

    class Levels(noise.Schedule):
        def __call__(self, t: Any) -> Any:
            return scales[t], noises[t]

    class Given(denoise.Denoiser):
        schedule = Levels()

        def forward(self, x_t: Any, t: Any, **_: Any) -> Any:
            return denoise.DiracPosterior(x_0)

    sampler = (sample.DDPMSampler if step.c else sample.EulerSampler)(Given())
    return lambda: sampler.step(step.x_t, 0, 1)


# ---------------------------------------------------------------- whole chains


class Gemm(NamedTuple):
    """E[x_0 | x] on an isotropic mixture, as two matrix products, with all that depends on the level made beforehand.

    The logits are x W + |x|^2 q + c, and the prediction (r A) x + r M, of their softmax r.
    """

    w: Tensor  # (d, K)
    q: Tensor  # (K,)
    c: Tensor  # (K,)
    pulls: Tensor  # (K, d + 1): M, and A as its last column

    def __call__(self, x: Tensor) -> Tensor:
        return predicted(x, *self)


def predicted(x: Tensor, w: Tensor, q: Tensor, c: Tensor, pulls: Tensor) -> Tensor:
    logits = torch.addmm(c, x, w) + x.square().sum(-1, keepdim=True) * q
    pulled = torch.softmax(logits, -1) @ pulls
    return pulled[:, -1:] * x + pulled[:, :-1]


def gemm(world: Mixture, scale: float, noise: float, like: Tensor) -> Gemm:
    """The denoiser at x = scale x_0 + noise epsilon."""
    variances = np.broadcast_to(world.spread.spectra[:, 0], world.weights.shape)
    s = scale * scale * variances + noise * noise
    squares = np.sum(world.means**2, axis=1)
    c = np.log(world.weights) - world.means.shape[1] / 2 * np.log(s) - scale * scale * squares / (2 * s)
    pulls = np.concatenate([(noise * noise / s)[:, None] * world.means, (scale * variances / s)[:, None]], axis=1)
    return Gemm(*(torch.tensor(part).to(like) for part in (scale * world.means.T / s, -1 / (2 * s), c, pulls)))


def gemms(world: Mixture, grid: Grid, like: Tensor) -> list[Gemm]:
    """The denoiser at each level of a grid at which a step begins."""
    return [gemm(world, grid[k].scale, grid[k].noise, like) for k in range(len(grid))]


class Chain(NamedTuple):
    """A sampler of one prediction and fresh noise, from x, (N, d), on a grid of T steps of an isotropic world."""

    table: Table
    world: Mixture
    x: Tensor

    @property
    def grid(self) -> Grid:
        return self.table.grid


def chains(chain: Chain) -> dict[str, Callable[[], Call]]:
    """The peers of a whole chain by DDPM."""
    return {
        GEMM: partial(chain_by_torch, chain),
        DIFFUSERS: partial(chain_by_diffusers, chain, clip_sample=False),
        AZULA: partial(chain_by_azula, chain),
        COMPILED: partial(chain_by_compiled, chain),
    }


def coefficients(table: Table) -> list[tuple[float, float, float]]:
    """Of x, of the prediction and of fresh noise, row by row."""
    return [(row.maps["x"].get("x", 0.0), row.maps["x"]["p"], row.noise) for row in table.rows]


def chain_by_torch(chain: Chain) -> Call:
    rows, denoisers = coefficients(chain.table), gemms(chain.world, chain.grid, chain.x)

    def call() -> Tensor:
        x = chain.x
        for (a, b, c), denoise in zip(rows, denoisers):
            x = a * x + b * denoise(x)
            if c:
                x = x + c * torch.randn_like(x)
        return x

    return call


def chain_by_compiled(chain: Chain) -> Call:
    """Each step is one graph; on a processor the normals are torch's, for its own are ten times as slow."""
    outside = chain.x.device.type == CPU
    parts = gemms(chain.world, chain.grid, chain.x)
    rows = [torch.tensor(row).to(chain.x) for row in coefficients(chain.table)]

    def step(x: Tensor, z: Tensor, row: Tensor, w: Tensor, q: Tensor, c: Tensor, pulls: Tensor) -> Tensor:
        z = z if outside else torch.randn_like(x)
        return row[0] * x + row[1] * predicted(x, w, q, c, pulls) + row[2] * z

    z = torch.empty_like(chain.x)
    fast = compiled(step, chain.x, z, rows[0], *parts[0])

    def call() -> Tensor:
        x = chain.x
        for row, of_level in zip(rows, parts):
            if outside:
                z.normal_()
            x = fast(x, z, row, *of_level)
        return x

    return call


def chain_by_diffusers(chain: Chain, name: str = "DDPMScheduler", **options: Any) -> Call:
    """Every time of a schedule that has as many as there are steps."""
    diffusers = library("diffusers")
    bars = chain.grid.alpha_bars[::-1]
    betas = 1 - bars[1:] / bars[:-1]
    about = {"trained_betas": betas, "prediction_type": "sample", "timestep_spacing": "trailing", **options}
    scheduler = getattr(diffusers, name)(len(betas), **about)
    scheduler.set_timesteps(len(betas))
    times = [int(t) for t in scheduler.timesteps]
    denoisers = gemms(chain.world, chain.grid, chain.x)
    remembers = hasattr(scheduler, "model_outputs")

    def call() -> Tensor:
        x = chain.x
        if remembers:  # it counts its steps, from here on
            scheduler.set_timesteps(len(betas))
        for t, denoise in zip(times, denoisers):
            x = scheduler.step(denoise(x), t, x).prev_sample
        return x

    return call


def chain_by_azula(chain: Chain, name: str = "DDPMSampler") -> Call:
    library("azula")
    noise, denoise, sample = (library(f"azula.{part}") for part in ("noise", "denoise", "sample"))
    scales, noises = (torch.tensor(part).to(chain.x) for part in (chain.grid.scales, chain.grid.noises))
    denoisers = gemms(chain.world, chain.grid, chain.x)

    class Levels(noise.Schedule):
        def __call__(self, t: Any) -> Any:
            return scales[t], noises[t]

    class Exact(denoise.Denoiser):
        schedule = Levels()

        def forward(self, x_t: Any, t: Any, **_: Any) -> Any:
            return denoise.DiracPosterior(denoisers[t](x_t))

    sampler = getattr(sample, name)(Exact())

    def call() -> Tensor:
        x = chain.x
        for k in range(len(chain.grid)):  # as its own loop does, but for a progress bar and times that are tensors
            x = sampler.step(x, k, k + 1)
        return x

    return call


# ---------------------------------------------------------------- samplers of the shape of k-diffusion's


def sampler_of(place: str) -> Callable[..., Tensor]:
    """MODULE:FUNCTION, a function (model, x, sigmas, disable=...).  Raises Missing."""
    module, _, name = place.partition(":")
    try:
        return getattr(import_module(module), name)
    except (ImportError, AttributeError, ValueError) as why:
        raise Missing(f"expected MODULE:FUNCTION of a module that can be imported: {why}") from None


def step_by(place: str, step: OneStep) -> Call:
    """One step, around a given prediction of the data, where x is x_0 + sigma noise."""
    sampler = sampler_of(place)
    bars = [float(step.schedule.alpha_bar(t)) for t in (step.t, step.t - 1)]
    sigmas = torch.tensor([sqrt(1 / bar - 1) for bar in bars]).to(step.x_t)
    return lambda: sampler(lambda x, sigma, **_: step.predicted_noise, step.x_t, sigmas, disable=True)


def chain_by(place: str, chain: Chain) -> Call:
    """A whole chain, where x is x_0 + sigma noise; the denoiser of a level is made when it is first asked for."""
    sampler, known = sampler_of(place), {}
    sigmas, scales = torch.tensor(chain.grid.sigmas).to(chain.x), chain.grid.scales
    start = chain.x / float(scales[0])

    def model(x: Tensor, sigma: Tensor, **_: Any) -> Tensor:
        at = float(sigma.flatten()[0])
        if at not in known:
            known[at] = gemm(chain.world, 1.0, at, chain.x)
        return known[at](x)

    return lambda: sampler(model, start, sigmas, disable=True) * float(scales[-1])


def is_stochastic(call: Call) -> bool:
    """Whether it draws noise: two calls give two results."""
    return not torch.equal(call(), call())
