"""azula's samplers: ``Sampler(denoiser, steps)(x)``, on times from 1 to 0 of a schedule of its own."""

from __future__ import annotations

import inspect
from dataclasses import dataclass, replace
from typing import Any

import torch
from azula import noise as schedules
from azula import sample
from azula.denoise import Denoiser, DiracPosterior

from ..protocol import Claims, Level
from . import azula_script, hooked, parted, peers_claims


class Asking(Denoiser):
    """A denoiser that asks the network."""

    def __init__(self, model: Any, schedule: Any) -> None:
        super().__init__()
        self.model, self.schedule = model, schedule

    def forward(self, x_t: Any, t: Any, **_: Any) -> DiracPosterior:
        return DiracPosterior(self.model(x_t, t, self.schedule(t)))


class Listed(schedules.Schedule):
    """Noise levels that are handed in, for times that are equally spaced from 1 to 0."""

    def __init__(self, sigmas: Any) -> None:
        self.sigmas = torch.tensor(sigmas, dtype=torch.float64)

    def __call__(self, t: Any) -> Any:
        sigma = self.sigmas[torch.round((1 - t) * (len(self.sigmas) - 1)).long()]
        return torch.ones_like(sigma), sigma


@dataclass(frozen=True, eq=False)
class Azula:
    """A sampler around a schedule."""

    kind: Any
    options: dict[str, Any]
    schedule: Any
    claims: Claims
    made: str = ""  # the call that makes its schedule
    library: str = "torch"

    def run(self, model: Any, x: Any, n: int, noise: Any) -> Any:
        times = torch.promote_types(x.dtype, torch.float32)
        sampler = self.kind(Asking(model, self.schedule), steps=n, silent=True, dtype=times, **self.options)
        with hooked(noise):
            return sampler(x)

    def script(self, n: int | None, what: str) -> str:
        return azula_script.script(self.kind, self.options, self.made, n, what)

    def start(self, n: int) -> Level:
        return self.trained(1.0)

    def trained(self, told: float) -> Level:
        scale, noise = self.schedule(torch.tensor(told, dtype=torch.float64))
        return float(scale), float(noise)

    def told(self) -> list[float]:
        return torch.linspace(0, 1, 1001, dtype=torch.float64).tolist()

    def on(self, sigmas: Any) -> Azula:
        """They never end without noise: where that is asked for, they end as their schedule does."""
        end = float(sigmas[-1]) or self.claims.ends_at
        schedule = Listed([*sigmas[:-1], end])
        return replace(self, schedule=schedule, claims=replace(self.claims, ends_at=end, units="ve"))


def names() -> list[str]:
    """All its samplers."""
    return [name for name in sample.__all__ if name != "Sampler"]


def adapted(name: str, options: dict[str, Any]) -> Azula:
    """The sampler of this name with its options, on a ``schedule`` by its name (VPSchedule) with its own options."""
    if name not in names():
        raise LookupError(f"azula has no sampler called {name}; it has {', '.join(names())}")
    kind, named = getattr(sample, name), options.get("schedule", "VPSchedule")
    if named not in schedules.__all__ or named == "Schedule":
        raise LookupError(f"azula has no schedule called {named}; it has {', '.join(schedules.__all__[1:])}")
    takes = [n for n in inspect.signature(kind).parameters if n not in ("denoiser", "kwargs")]
    of_schedule = list(inspect.signature(getattr(schedules, named)).parameters)
    given, said = parted(name, options, ["schedule", *takes, *of_schedule])
    of_schedule = {key: given[key] for key in of_schedule if key in given}
    schedule = getattr(schedules, named)(**of_schedule)
    made = f"{named}({', '.join(f'{key}={value!r}' for key, value in of_schedule.items())})"
    given = {key: given[key] for key in takes if key in given}
    end, left = schedule(torch.zeros((), dtype=torch.float64))
    known = peers_claims.azula(name, kind(None, **given)) | {"ends_at": float(left / end)}
    return Azula(kind, given, schedule, peers_claims.claims(name, known, said), made)
