"""Draws from a world by samplers, part by part on any executor, and how far they are from the law they should have.

Particles are drawn in parts of a fixed size.  Every normal has its place, so that a part is the same on one process, on
eight or on a cluster, and whatever comes after it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing import current_process
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from numerics import schedules
from numerics.noise import RUN, normals
from numerics.solvers import grids, methods
from numerics.solvers.grids import Grid
from numerics.solvers.predictions import converted, denoiser
from numerics.solvers.running import Noise, walk
from numerics.solvers.table import Table
from numerics.solvers.transport import distance, law, yardstick
from numerics.statistics.streams import stream
from numerics.statistics.transport import directions
from numerics.worlds import Mixture

from .faults import Fault, nearest
from .running import Died, Event, Gave

Array = NDArray[np.float64]

PART = 4096  # particles; part of what a seed means
PATHS = 48  # particles whose way is kept, for figures
SHADOWS, AGAIN = 32, 12  # directions of the sliced distance; perfect samplers beside ours
MANY = 200  # components, above which draws stand for their law

SCHEDULES: dict[str, Callable[[], schedules.Schedule]] = {
    "linear": schedules.linear,
    "scaled-linear": schedules.scaled_linear,
    "cosine": schedules.cosine,
}
DEFAULT_SCHEDULE = "linear"
OF_A_SCHEDULE = {"linspace": grids.linspace, "leading": grids.leading, "trailing": grids.trailing}
WITHOUT_ONE: dict[str, Callable[[int], Grid]] = {
    "uniform": lambda steps: grids.uniform(lambda t: np.exp(-0.1 * t - 9.95 * t * t), steps),  # beta(t) from 0.1 to 20
    "log-snr": grids.log_snr,
    "karras": grids.karras,
    "flow": grids.flow,
}


class NoSampler(Fault, ValueError):
    """A sampler, a grid or a request that there is not, or that does not fit."""


# ---------------------------------------------------------------- what is asked for


class Asked(NamedTuple):
    """What a run was asked for: with the names of the samplers and the seed it can be repeated."""

    world: str
    given: dict[str, Any] | None  # what the file said, if the world is one's own
    grid: str
    steps: int
    schedule: str | None  # None for a grid that has none
    draws: int
    prediction: str
    from_law: bool
    device: str | None  # None: NumPy, in double precision

    def __str__(self) -> str:
        steps = f"{self.steps} step{'s' * (self.steps != 1)} of the grid {self.grid}"
        schedule = f", schedule {self.schedule}" if self.schedule else ""
        exact = ", begun with the law of the world there" if self.from_law else ""
        device = f", in single precision on {self.device}" if self.device else ""
        return f"{self.draws:,} draws each, {steps}{schedule}{exact}{device}"


def grid(name: str, steps: int, schedule: str | None = None) -> Grid:
    """The grid of this name with so many steps; spacings of time are of a schedule, linear by default.

    Raises NoSampler.
    """
    try:
        if name in OF_A_SCHEDULE:
            return OF_A_SCHEDULE[name](SCHEDULES[schedule or DEFAULT_SCHEDULE](), steps)
        if schedule:
            raise NoSampler(
                f"--schedule {schedule} means nothing on the grid {name}: only {', '.join(OF_A_SCHEDULE)} space the "
                "times of a schedule; leave it out"
            )
        return WITHOUT_ONE[name](steps)
    except NoSampler:
        raise
    except ValueError as error:
        raise NoSampler(str(error)) from error


def table(sampler: str, on: Grid, prediction: str = "x_0") -> Table:
    """The table of a sampler as it is typed, ``ddim`` or ``ddim(eta=0.5)``.  Raises NoSampler."""
    called, bracket, inside = (word.strip() for word in sampler.partition("("))
    if called not in methods.METHODS:
        raise NoSampler(f"there is no sampler called {called!r}; {nearest(called, methods.METHODS)}")
    if bracket and not inside.endswith(")"):
        raise NoSampler(f"{sampler}: the bracket is not closed; expected options such as (eta=0.5) and nothing after")
    options = {}
    for given in filter(None, (word.strip() for word in inside[:-1].split(","))):
        name, _, number = (word.strip() for word in given.partition("="))
        if name in options:
            raise NoSampler(f"{sampler}: {name} is given twice")
        try:
            options[name] = float(number)
        except ValueError:
            options[name] = np.nan
        if np.isnan(options[name]):
            raise NoSampler(f"{sampler}: expected options such as eta=0.5, and not {given}")
    method = methods.METHODS[called]
    if strange := sorted(set(options) - set(known := methods.options(method))):
        takes = f"it takes {', '.join(known)}" if known else "it takes none"
        raise NoSampler(f"{called} has no option {strange[0]}; {takes}")
    try:
        made = method(on, **options)
        return made if prediction == "x_0" or not made.evaluations else made.predicting(prediction)
    except ValueError as error:
        raise NoSampler(f"{sampler}: {error}") from error


@dataclass(frozen=True)
class Part:
    """So many particles of a sampler, and which they are."""

    claim: str  # the sampler as it was typed: what progress is told by
    world: Mixture
    table: Table
    number: int
    count: int
    seed: int
    exactly: bool  # whether they begin with the law of the world, or with noise alone
    device: str | None = None


def parts(sampler: str, world: Mixture, table: Table, n: int, seed: int, exactly: bool, device: str | None) -> list:
    """The particles of a sampler, in parts."""
    return [
        Part(sampler, world, table, k, min(PART, n - k * PART), seed, exactly, device) for k in range(-(-n // PART))
    ]


# ---------------------------------------------------------------- the work


class Drawn(NamedTuple):
    """The particles of a part where they end, and the ways of some."""

    number: int
    ends: Array
    ways: Array  # (levels, some particles, ...)
    seconds: float


def draws(part: Part) -> Iterator[Drawn]:
    """Run the sampler on one part.  It is a generator because all work is.

    On a device the whole chain is one kernel, in single precision, where there is one for it.  The ways of some
    particles are those of the reference, which draws the same normals.
    """
    table, world, first, clock = part.table, part.world, part.number * PART, perf_counter()
    x = begun(part)
    watched = x if part.device is None else x[: 0 if part.number else PATHS]
    predict = converted(denoiser(world), table.prediction)
    ways, ends = [x[:PATHS]], watched
    for _, ends in walk(table, predict, watched, placed(part.seed, first)):
        if not part.number:
            ways.append(ends[:PATHS])
    if part.device is not None:
        import torch

        from numerics import kernels

        single = torch.as_tensor(x, dtype=torch.float32, device=own_device(part.device))
        ends = kernels.chain(table, world, single, part.seed, first).double().cpu().numpy()
    yield Drawn(part.number, ends, np.stack(ways), perf_counter() - clock)


def placed(seed: int, first: int) -> Noise:
    """The normals of particles from the first one on, each in its place, which no kernel and no order changes."""

    def noise(row: int, x: Array) -> Array:
        d = int(np.prod(x.shape[1:]))
        return normals(seed, RUN, first, len(x), row * d, d).reshape(x.shape)

    return noise


def begun(part: Part) -> Array:
    """x at the first level: of the law that it has there, or its noise alone, which is what one knows in practice."""
    level, rng = part.table.grid[0], stream(part.seed, "sample", "start", part.number)
    shape = (part.count,) if part.world.dimension is None else (part.count, part.world.dimension)
    if part.exactly:
        return law(part.world, level).sample(rng, part.count)
    return level.noise * rng.standard_normal(shape)


def own_device(device: str) -> str:
    """``cuda`` is one device for each process, in turn, where there are several; other names are meant as they are."""
    import torch

    if device != "cuda":
        return device
    number = current_process()._identity  # type: ignore[attr-defined]  # () in the main process, (k,) in its k-th child
    return f"cuda:{(number[0] - 1 if number else 0) % torch.cuda.device_count()}"


def available(device: str | None) -> None:
    """Raises NoSampler if torch is not installed, or does not know the device."""
    if device is None:
        return
    try:
        import torch
    except ImportError:
        raise NoSampler("--device needs torch: pip install 'noiseproof[models]'") from None
    try:
        torch.zeros(1, device=device)
    except Exception as error:  # whatever torch or the driver says
        first = str(error).splitlines()[0].partition(". ")[0].rstrip(".")
        raise NoSampler(
            f"torch cannot use the device {device}: {first}; leave --device out to draw with NumPy, in double precision"
        ) from error


# ---------------------------------------------------------------- what came of it


class Outcome(NamedTuple):
    """What a sampler drew, and how far it is from the law of the world."""

    sampler: str
    table: Table
    x: Array
    ways: Array
    seconds: float
    distance: float  # W_2, sliced in d dimensions
    mean_off: float  # the length of the error of the mean
    variance: float  # per dimension


class Perfect(NamedTuple):
    """What a perfect sampler of as many draws would show."""

    distance: float
    distance_spread: float
    mean_off: float
    mean_off_spread: float
    variance: float
    variance_spread: float


def around(value: float, spread: float) -> str:
    """A number and its spread, as far as two digits of the spread go."""
    places = int(np.clip(1 - np.floor(np.log10(spread)), 0, 6)) if spread > 1e-9 else 0
    return f"{value:.{places}f} ± {spread:.{places}f}" if spread > 1e-9 else f"{value:.3g}"


class Sampling:
    """Parts, and what has come of them so far."""

    def __init__(self, world: Mixture, tables: dict[str, Table], tasks: Sequence[Part], seed: int) -> None:
        self.world, self.tables, self.unfinished, self.seed = world, tables, list(tasks), seed
        self.interrupted = False
        self.found: dict[str, list[Drawn]] = {sampler: [] for sampler in tables}
        self.broken: list[str] = []

    def add(self, event: Event) -> None:
        task = event.task
        if isinstance(event, Gave):
            self.found[task.claim].append(event.result)
        elif isinstance(event, Died):
            self.broken.append(f"{self.name(task)}: {event.why.strip().splitlines()[-1]}")

    def name(self, task: Part) -> str:
        return f"{task.claim} part {task.number}"

    short = name

    def line(self, sampler: str) -> str:
        return f"{sampler}: {sum(len(d.ends) for d in self.found[sampler]):,} draws"

    def outcome(self, sampler: str, held_to: Law) -> Outcome:
        """All draws of a sampler, in order, and how far from the law they are."""
        found = sorted(self.found[sampler], key=lambda d: d.number)
        x = np.concatenate([d.ends for d in found])
        seconds = sum(d.seconds for d in found)
        return Outcome(sampler, self.tables[sampler], x, found[0].ways, seconds, *held_to.off(x))

    def law(self, n: int) -> Law:
        """The law at the last level, which is that of the data where no noise is left."""
        on = next(iter(self.tables.values())).grid
        return Law(law(self.world, on[len(on)]), n, self.seed)


class Law:
    """A law that draws are held to: what of it is asked for every sampler is worked out once."""

    def __init__(self, target: Mixture, n: int, seed: int) -> None:
        self.target, self.seed = target, seed
        d = target.dimension
        self.along = None if d is None else directions(stream(seed, "sample", "directions", 0), d, SHADOWS)
        self.variance = float(np.mean(np.diagonal(np.atleast_2d(target.covariance))))
        if self.along is not None and len(target.weights) > MANY:
            draws = target.sample(stream(seed, "sample", "reference", 0), max(n, PART))
            self.points = self.along @ draws.T
        else:
            self.points = yardstick(target, self.along)

    def off(self, x: Array) -> tuple[float, float, float]:
        """The distance of draws from the law, the error of their mean, and their variance per dimension."""
        mean_off = float(np.linalg.norm(np.mean(x, axis=0) - self.target.mean))
        return distance(x, self.points, self.along), mean_off, float(np.mean(np.var(x, axis=0)))

    def perfect(self, n: int) -> Perfect:
        """What draws from the law itself show, again and again."""
        draws = (self.target.sample(stream(self.seed, "sample", "perfect", k), n) for k in range(AGAIN))
        found = np.array([self.off(x) for x in draws])
        (w2, off, _), (w2_spread, off_spread, variance_spread) = found.mean(axis=0), found.std(axis=0)
        return Perfect(w2, w2_spread, off, off_spread, self.variance, variance_spread)
