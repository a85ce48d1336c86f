"""Classes of guided-diffusion's call shape: made with ``betas``, run by ``p_sample_loop`` or ``ddim_sample_loop``."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch

from numerics.schedules import Schedule
from numerics.solvers.grids import Grid

from ... import sampling
from ..protocol import Claims, Level
from . import hooked, one_of, parted, peers_claims

OPTIONS = {
    "loop": "ddpm",
    "eta": 0.0,
    "prediction": "noise",
    "variance": "small",
    "spacing": "linspace",
    "schedule": sampling.DEFAULT_SCHEDULE,
}

# By the names of the class's own enumerations: what the network predicts, and which variance is drawn.  Where that is
# learned, the network says one end of its range, or its middle.
MEANS = {"noise": "EPSILON", "x_0": "START_X"}
LEARNED = {"learned-small": -1.0, "learned-middle": 0.0, "learned-large": 1.0}
VARIANCES = {"small": "FIXED_SMALL", "large": "FIXED_LARGE", **dict.fromkeys(LEARNED, "LEARNED_RANGE")}


@dataclass(frozen=True, eq=False)
class Diffusion:
    """A class, for n steps: with the times that are visited if it takes those, or with the betas between them."""

    made: Callable[..., Any]
    spaced: bool
    grid: Callable[[int], Grid]
    schedule: Schedule
    claims: Claims
    learned: float | None = None
    library: str = "torch"

    def of(self, n: int) -> tuple[Any, list[int]]:
        grid = self.grid(n)
        times, bars = grid.times[-2::-1].astype(int).tolist(), grid.alpha_bars[::-1]
        if self.spaced:
            return self.made(use_timesteps={t - 1 for t in times}, betas=self.schedule.betas), times
        return self.made(betas=1 - bars[1:] / bars[:-1]), times

    def run(self, model: Any, x: Any, n: int, noise: Any) -> Any:
        diffusion, times = self.of(n)

        def network(x: Any, t: Any, **_: Any) -> Any:
            k = times.index(int(t[0]) + 1) if self.spaced else int(t[0])
            level = diffusion.sqrt_alphas_cumprod[k], diffusion.sqrt_one_minus_alphas_cumprod[k]
            p = model(x, times[k], level)
            return p if self.learned is None else torch.cat([p, torch.full_like(p, self.learned)], 1)

        ddim = self.claims.family == "ddim"
        loop = diffusion.ddim_sample_loop if ddim else diffusion.p_sample_loop
        with hooked(noise):
            more = {"eta": self.claims.eta} if ddim else {}
            return loop(network, tuple(x.shape), noise=x, clip_denoised=False, device="cpu", **more)

    def start(self, n: int) -> Level:
        return self.grid(n)[0][:2]

    def trained(self, told: float) -> Level:
        bar = float(self.schedule.alpha_bar(int(told)))
        return bar**0.5, (1 - bar) ** 0.5

    def told(self) -> range:
        return range(1, self.schedule.T + 1)

    def add_noise(self, x_0: Any, epsilon: Any, told: float, n: int | None) -> Any:
        diffusion, times = self.of(n or self.schedule.T)
        return diffusion.q_sample(x_0, torch.full((len(x_0),), times.index(int(told))), noise=epsilon)


def adapted(kind: type, options: dict[str, Any]) -> Diffusion:
    """A class; ``loop`` is ddpm or ddim (with ``eta``), beside a prediction, a variance, a spacing and a schedule."""
    ours, said = parted(kind.__name__, options, OPTIONS)
    given = OPTIONS | ours
    one_of("loop", given["loop"], ("ddpm", "ddim"))
    wanted = {
        "model_mean_type": ("ModelMeanType", MEANS[one_of("prediction", given["prediction"], MEANS)]),
        "model_var_type": ("ModelVarType", VARIANCES[one_of("variance", given["variance"], VARIANCES)]),
        "loss_type": ("LossType", "MSE"),
    }
    takes = [name for base in kind.__mro__ for name in inspect.signature(base.__init__).parameters]
    homes = [vars(sys.modules[base.__module__]) for base in kind.__mro__]  # the enumerations are beside the class
    beside = {name: home[of][member] for name, (of, member) in wanted.items() for home in homes[::-1] if of in home}
    schedule = sampling.SCHEDULES[one_of("schedule", given["schedule"], sampling.SCHEDULES)]()
    return Diffusion(
        partial(kind, **{name: value for name, value in beside.items() if name in takes}),
        "use_timesteps" in takes,
        lambda n: sampling.grid(given["spacing"], n, given["schedule"]),
        schedule,
        peers_claims.claims(kind.__name__, peers_claims.guided_diffusion(given, schedule.T, MEANS), said),
        LEARNED.get(given["variance"]),
    )
