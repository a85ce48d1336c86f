"""The command ``sample``."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .faults import ALL_GOOD
from .options import a_file, carried_out, executor_option, json_option, seed_option, workers_option

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    from numerics.worlds import Mixture

    from .sampling import Outcome, Perfect, Sampling

GRIDS = ("linspace", "leading", "trailing", "uniform", "log-snr", "karras", "flow")
SCHEDULES = ("linear", "scaled-linear", "cosine")
PREDICTIONS = ("x_0", "noise", "v", "score", "velocity")


@click.command()
@click.argument("world", metavar="WORLD")
@click.option(
    "--sampler",
    "samplers",
    multiple=True,
    default=("ddim",),
    metavar="NAME",
    help="Such as ddpm, heun or 'ddim(eta=0.5)'; several are put side by side.  [default: ddim]",
)
@click.option("--steps", default=50, show_default=True, type=int, help="Steps from noise to data.")
@click.option(
    "--grid", default="trailing", show_default=True, type=click.Choice(GRIDS), help="Which levels they visit."
)
@click.option(
    "--schedule",
    default="linear",
    show_default=True,
    type=click.Choice(SCHEDULES),
    help="Whose times linspace, leading and trailing space; each has T = 1000.",
)
@click.option("-n", "n", default=10_000, show_default=True, type=click.IntRange(min=2), help="How many draws.")
@click.option("--prediction", default="x_0", show_default=True, type=click.Choice(PREDICTIONS), help="Of the network.")
@click.option(
    "--from-law", "exactly", is_flag=True, help="Begin with the law of the world at the first level, not with noise."
)
@click.option(
    "--out",
    "path",
    metavar="FILE",
    type=a_file,
    help="Keep the draws, .npy or .npz, or a figure, .svg, .png, .pdf.",
)
@click.option("--force", is_flag=True, help="Replace the file if there is one.")
@click.option(
    "--device",
    metavar="NAME",
    help="In single precision, by torch or a fused kernel (extras: fast, gpu): cpu, cuda, cuda:1.",
)
@seed_option
@workers_option
@executor_option
@json_option
def sample(
    world: str,
    samplers: tuple[str, ...],
    steps: int,
    grid: str,
    schedule: str,
    n: int,
    prediction: str,
    exactly: bool,
    path: Path | None,
    force: bool,
    device: str | None,
    seed: int,
    workers: int,
    address: str | None,
    as_json: bool,
) -> int:
    """Draw from a world by samplers with the best possible network, and say how far they are from its law.

    WORLD is point, gaussian, bimodal, ring, crossing or digits, or a mixture of Gaussians in a file MINE.toml: means,
    and variances or covariances, and weights.
    """
    from . import sampling, worlds
    from .figures import whole, writing
    from .tables import console

    samplers = tuple(dict.fromkeys(samplers))
    law, on = worlds.world(world), sampling.grid(grid, steps, schedule)
    tables = {sampler: sampling.table(sampler, on, prediction) for sampler in samplers}
    sampling.available(device)
    if path is not None and path.suffix == ".npy" and len(samplers) > 1:
        raise click.UsageError(f"{path} holds one array, and there are {len(samplers)} samplers: write .npz")
    with nullcontext() if path is None else whole(path, force, ENDINGS) as unfinished:
        tasks = [
            part
            for name, table in tables.items()
            for part in sampling.parts(name, law, table, n, seed, exactly, device)
        ]
        run = sampling.Sampling(law, tables, tasks, seed)
        carried_out(sampling.draws, run, workers, address)
        if run.interrupted:
            raise KeyboardInterrupt
        if run.broken:
            raise sampling.NoSampler("; ".join(dict.fromkeys(run.broken)))
        held_to = run.law(n)
        outcomes = [run.outcome(name, held_to) for name in samplers]
        if path is not None and unfinished is not None:
            with writing(path):
                written(path, unfinished, law, outcomes)
    best = held_to.perfect(n)
    if as_json:
        from .reporting import document

        sources = dict.fromkeys(id for table in tables.values() for id in table.source)
        perfect = dict(zip(best._fields, best, strict=True))
        entries = [as_data(outcome) for outcome in outcomes]
        click.echo(document([{"id": id} for id in sources], seed, samples=entries, perfect=perfect))
    else:
        console().print(shown(run, outcomes, best))
    return ALL_GOOD


# ---------------------------------------------------------------- told and kept


ENDINGS = (".npy", ".npz", ".svg", ".png", ".pdf")


def shown(run: Sampling, outcomes: Sequence[Outcome], best: Perfect) -> RenderableType:
    """A row for each sampler, and one for a perfect sampler of as many draws."""
    from .figures.drawing import table

    on_the_line = run.world.dimension is None
    w2, variance = ("W2", "variance") if on_the_line else ("sliced\nW2", "variance,\na coordinate")
    heads = ["", "steps", "network\nasked", w2, "mean\noff by", variance, "seconds"]
    rows = [
        [
            o.sampler,
            f"{len(o.table.grid)}",
            f"{o.table.evaluations}",
            f"{o.distance:.4f}",
            f"{o.mean_off:.4f}",
            f"{o.variance:.4f}",
            f"{o.seconds:.2f}",
        ]
        for o in outcomes
    ]
    around = f"{best.distance:.4f} ± {best.distance_spread:.4f}"
    rows.append(["a perfect sampler", "", "", around, f"{best.mean_off:.4f}", f"{best.variance:.4f}", ""])
    n = len(outcomes[0].x)
    return table(heads, rows, f"{n:,} draws each, seed {run.seed}; a perfect sampler errs as much by chance alone.")


def as_data(outcome: Outcome) -> dict[str, Any]:
    """An entry of ``sample --json``."""
    names = ("sampler", "seconds", "distance", "mean_off", "variance")
    table = outcome.table
    about = {"steps": len(table.grid), "evaluations": table.evaluations, "draws": len(outcome.x), "order": table.order}
    return {**{name: getattr(outcome, name) for name in names}, **about}


def written(path: Path, unfinished: Path, world: Mixture, outcomes: Sequence[Outcome]) -> None:
    """The draws as an array, or as arrays by their samplers, or a figure: what the name ends in says which."""
    import numpy as np

    if path.suffix == ".npy":
        with unfinished.open("wb") as file:
            np.save(file, outcomes[0].x)
    elif path.suffix == ".npz":
        with unfinished.open("wb") as file:
            np.savez(file, allow_pickle=False, **{outcome.sampler: outcome.x for outcome in outcomes})
    else:
        from .figures import in_style, save
        from .figures.samples import samples

        with in_style():
            save(samples(world, outcomes), unfinished, path)
