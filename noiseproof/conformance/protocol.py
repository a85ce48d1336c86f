r"""What an adapter says of a sampler, and how the sampler is run.

An adapter holds no mathematics.  It hands a network and a source of noise to somebody's sampler, in the way in which
that sampler wants them, and says what the sampler promises to be.  Everything else, the network too, is ours.

A *level* is (scale, noise): x = scale x_0 + noise epsilon.  Whatever the units of the sampler's state are, levels of
network inputs are those of the array that the network is handed.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol, get_args, get_origin, get_type_hints

Level = tuple[float, float]  # scale and noise
Model = Callable[..., Any]  # model(x, told, level=None): what the network predicts; told is its time, or its sigma
Noise = Callable[..., Any]  # noise(shape, *between): fresh normals, for the interval between two levels if it is told


def is_level(scale: float, noise: float) -> bool:
    """Whether there is such a level."""
    size = math.hypot(scale, noise)
    return 1 / LONGEST < size < LONGEST and min(scale, noise) > -SLIGHT * size


def is_boundary(boundary: dict[str, Any], prediction: str) -> bool:
    """Whether it says all that there is to say of the boundary of a consistency function, in numbers."""
    names = {"data", "sigma" if prediction == "residual" else "times"}
    numbers = all(isinstance(value, int | float) and 0 < value < LONGEST for value in boundary.values())
    return boundary.keys() == names and numbers


class Refused(TypeError):
    """An adapter says that this is no sampler of the kind that it can look at, or that it has no such option."""


FAMILIES = {
    "ancestral": "draws from the kernel given both ends: DDPM",
    "ddim": "DDPM, DDIM and what lies between, by eta",
    "ode": "follows the probability flow",
    "sde": "follows the reverse diffusion",
    "flow": "follows a velocity from noise to data",
    "consistency": "jumps to the end of the flow, and back up",
}
UNITS = ("vp", "ve", "flow")
VARIANCES = ("small", "large", "middle")
LONGEST = 1e100  # scale and noise together, and their inverse: squares are computed with
SLIGHT = 1e-5  # of these: a cosine in single precision is below zero where there is no signal left
PREDICTIONS = {
    "x_0": "the data",
    "noise": "epsilon",
    "v": "scale epsilon - noise x_0",
    "velocity": "x_0 - epsilon",
    "backward-velocity": "epsilon - x_0",
    "backward-v": "noise x_0 - scale epsilon",
    "residual": "what is added to a part of x in a consistency function, but for its size",
    "other": "none of these: nothing is asked for which one must know",
}


@dataclass(frozen=True)
class Claims:
    """What a sampler promises.  What is None or False is not claimed, and not asked.

    ``order`` is that of the error on a smooth grid: of each trajectory, or of the law where noise is drawn. ``method``
    is the sampler of ours that it should equal on its own grid, as ``noiseproof sample`` spells it. ``variance`` is
    that of the noise of DDPM: "small" (the posterior's), "large" (beta), "middle" (of both, on the scale of
    logarithms). ``ends_at`` is the sigma at which it promises to end, and ``units`` are those of what it returns, if
    noise is left in it. ``schedule`` says how the levels of training are made, as far as a formula gives it: {"betas":
    "linear", "scaled-linear" or "cosine", "start": ..., "end": ..., "clip": ...}, or {"sigmas": "karras", "start":
    ..., "end": ..., "rho": ...} or {"sigmas": "flow", "shift": ...}, from clean to noisy. ``predictions`` are the
    options under which it is the same sampler around a network that predicts something else, by its name. ``boundary``
    says how a consistency function is made to keep x where trajectories end: {"data": ..., "sigma": ...}, the standard
    deviation of the data and the sigma of the end, for a network that predicts a residual, or {"data": ..., "times":
    ...}, around predicted data, with that many times the time for sigma; of such a sampler ``eta`` is the part of the
    way down on which it does not follow the flow. ``least`` and ``most`` bound the number of steps. ``off`` are
    options that the adapter switched off, for a step with them is not linear; ``notes`` are documented choices.
    """

    name: str
    family: str
    prediction: str
    order: int | None = None
    method: str | None = None
    eta: float | None = None
    variance: str | None = None
    deterministic: bool = False
    ends_at: float = 0.0
    units: str = "ve"
    zero_terminal_snr: bool = False
    spacing: str | None = None
    T: int | None = None  # levels of training; None where time is continuous
    schedule: dict[str, Any] = field(default_factory=dict)  # of training, as far as a formula gives it
    predictions: dict[str, dict[str, Any]] = field(default_factory=dict)
    boundary: dict[str, Any] = field(default_factory=dict)
    least: int = 1
    most: int | None = None
    single: bool = True  # its arithmetic or its tables are in single precision
    off: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name, hint in get_type_hints(Claims).items():
            value, kinds = getattr(self, name), [get_origin(kind) or kind for kind in get_args(hint) or [hint]]
            kinds = [get_origin(hint)] if get_origin(hint) in (dict, tuple) else kinds
            number = float in kinds and isinstance(value, int | float) and math.isfinite(value)
            if not (number or isinstance(value, tuple(kind for kind in kinds if kind is not float))):
                raise ValueError(f"{name} is {value!r}; expected {getattr(hint, '__name__', hint)}")
        known = {"family": FAMILIES, "prediction": PREDICTIONS, "units": UNITS, "variance": VARIANCES}
        for name, values in known.items():
            if getattr(self, name) not in (*values, *[None] * (name == "variance")):
                raise ValueError(f"{name} is {getattr(self, name)!r}; expected one of {', '.join(values)}")
        if not is_level(1.0, self.ends_at):
            raise ValueError(f"ends_at is {self.ends_at}; expected a sigma, from 0 on")
        for prediction, options in self.predictions.items():
            if prediction not in PREDICTIONS or not isinstance(options, dict):
                raise ValueError(
                    f"predictions has {prediction!r}: {options!r}; expected options by {list(PREDICTIONS)}"
                )
        if self.boundary and not is_boundary(self.boundary, self.prediction):
            raise ValueError(f"boundary is {self.boundary}; expected data and times, or for a residual data and sigma")
        for name in ("order", "T", "least", "most"):
            if (value := getattr(self, name)) is not None and value < 1:
                raise ValueError(f"{name} is {value}; expected at least 1")
        if self.most is not None and self.most < self.least:
            raise ValueError(f"most is {self.most}, and least {self.least}; expected a number of steps between them")

    def as_data(self) -> dict[str, Any]:
        return asdict(self)


class Sampler(Protocol):
    """An adapter.  Only ``claims`` and ``run`` are needed; each of the others switches on what can be asked with it.

    Arrays are those of ``library``, "numpy" or "torch", with particles along the first axis.
    """

    claims: Claims
    library: str

    def run(self, model: Model, x: Any, n: int, noise: Noise) -> Any:
        """x at the end, from x at the start, in n steps."""
        ...

    # def start(self, n) -> Level:                       of x, when a run begins
    # def trained(self, told) -> Level:                  of the array that the network is handed, at what it is told
    # def told(self) -> Sequence[float]:                 all that the network was told in training, clean to noisy
    # def add_noise(self, x_0, epsilon, told, n) -> x    the forward process; n is None before a run is configured
    # def on(self, sigmas) -> Sampler                    the same on these noise levels, the last one being the end
    # def script(self, n, what) -> str                   a function that does without us: see scripts.Tail
    # def seeded(self, model, x, n, seed) -> x           a run with the sampler's own noise, from a generator
