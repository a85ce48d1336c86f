"""The command ``sample``."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from . import worlds
from .faults import ALL_GOOD
from .options import a_file, carried_out, executor_option, json_option, seed_option, workers_option

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    from numerics.worlds import Mixture

    from .sampling import Asked, Outcome, Perfect, Sampling

# Said again here, because --help is to answer at once; a test holds them equal to what there is.
GRIDS = ("linspace", "leading", "trailing", "uniform", "log-snr", "karras", "flow")
SCHEDULES = ("linear", "scaled-linear", "cosine")
PREDICTIONS = ("x_0", "noise", "v", "score", "velocity")
SAMPLERS = {
    "ddpm": "",
    "ddim": "eta=0",
    "euler-ancestral": "",
    "dpmpp-1": "",
    "dpmpp-2m": "",
    "dpmpp-3m": "",
    "sde-dpmpp-1": "",
    "sde-dpmpp-2m": "",
    "euler": "",
    "heun": "churn=0, least=0, most=inf, swell=1",
    "flow-euler": "",
    "flow-heun": "",
    "euler-maruyama": "",
    "langevin": "delta=0.3, repeats=5",
    "naive": "",
}
MEANING = {
    "eta": "the part of DDPM's fresh noise, from 0 to 1",
    "churn": "noise added on the way, as EDM has it; only where sigma is from least to most, and swell times as strong",
    "delta": "the size of a step, in units of the variance of the noise; there are repeats of them at each level",
}


def more_help() -> str:
    """Samplers, their options and an example of a file, below what --help says of itself."""
    example = "\n".join(f"  {line}" for line in worlds.EXAMPLE.splitlines())
    plain = ", ".join(name for name, options in SAMPLERS.items() if not options)
    options = "\n\n".join(
        f"{name}({of})  {'; '.join(words for option, words in MEANING.items() if option in of)}."
        for name, of in SAMPLERS.items()
        if of
    )
    samplers = f"Samplers: {plain}; and, with options and their defaults,\n\n{options}"
    return f"{samplers}\n\n\b\nMINE.toml, for example:\n{example}"


@click.command(epilog=more_help())
@click.argument("world", metavar="WORLD")
@click.option(
    "--sampler",
    "samplers",
    multiple=True,
    default=("ddim",),
    metavar="NAME",
    help="Such as ddpm, heun or 'ddim(eta=0.5)', all of them below; several are put side by side.  [default: ddim]",
)
@click.option("--steps", default=50, show_default=True, type=int, help="Steps from noise to data.")
@click.option(
    "--grid", default="trailing", show_default=True, type=click.Choice(GRIDS), help="Which levels they visit."
)
@click.option(
    "--schedule",
    type=click.Choice(SCHEDULES),
    help="Whose times linspace, leading and trailing space, T = 1000; other grids have none.  [default: linear]",
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
    schedule: str | None,
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
    from . import sampling
    from .figures import drawable, whole, writing
    from .tables import console

    samplers = tuple(dict.fromkeys(samplers))
    given = worlds.given(world)
    law = worlds.world(world) if given is None else worlds.read(world, given)
    on = sampling.grid(grid, steps, schedule)
    of = (schedule or sampling.DEFAULT_SCHEDULE) if grid in sampling.OF_A_SCHEDULE else None
    asked = sampling.Asked(world, given, grid, steps, of, n, prediction, exactly, device)
    tables = {sampler: sampling.table(sampler, on, prediction) for sampler in samplers}
    sampling.available(device)
    if path is not None and path.suffix == ".npy" and len(samplers) > 1:
        raise click.UsageError(f"{path} holds one array, and there are {len(samplers)} samplers: write .npz")
    if path is not None and path.suffix in DRAWN:
        drawable()
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
        outcomes, best = [run.outcome(name, held_to) for name in samplers], held_to.perfect(n)
        if path is not None and unfinished is not None:
            with writing(path):
                if path.suffix in DRAWN:
                    drawn(path, unfinished, law, outcomes, best, f"{world}: {asked}, seed {seed}")
                else:
                    written(path, unfinished, outcomes)
    if as_json:
        from .reporting import document

        sources = dict.fromkeys(id for table in tables.values() for id in table.source)
        perfect = dict(zip(best._fields, best, strict=True))
        entries = [as_data(outcome) for outcome in outcomes]
        claims = [{"id": id} for id in sources]
        click.echo(document(claims, seed, asked=asked._asdict(), samples=entries, perfect=perfect))
    else:
        console().print(shown(run, asked, outcomes, best))
    return ALL_GOOD


# ---------------------------------------------------------------- told and kept


DRAWN = (".svg", ".png", ".pdf")
ENDINGS = (".npy", ".npz", *DRAWN)


def shown(run: Sampling, asked: Asked, outcomes: Sequence[Outcome], best: Perfect) -> RenderableType:
    """A row for each sampler, and one for a perfect sampler of as many draws, with what chance makes of it."""
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
    rows.append(["a perfect sampler", "", "", *(f"{x:.4f}" for x in (best.distance, best.mean_off, best.variance)), ""])
    spreads = best.distance_spread, best.mean_off_spread, best.variance_spread
    rows.append(["", "", "", *(f"± {x:.4f}" for x in spreads), ""])
    sliced = "" if on_the_line else "  Sliced W2: the root mean square of W2 along directions."
    return table(
        heads,
        rows,
        f"{asked}, seed {run.seed}.",
        f"A perfect sampler errs as much by chance alone; ± is how much that varies from run to run.{sliced}",
    )


def as_data(outcome: Outcome) -> dict[str, Any]:
    """An entry of ``sample --json``."""
    names = ("sampler", "seconds", "distance", "mean_off", "variance")
    table = outcome.table
    about = {"steps": len(table.grid), "evaluations": table.evaluations, "draws": len(outcome.x), "order": table.order}
    return {**{name: getattr(outcome, name) for name in names}, **about}


def written(path: Path, unfinished: Path, outcomes: Sequence[Outcome]) -> None:
    """The draws as an array, or as arrays by their samplers: what the name ends in says which."""
    import numpy as np

    with unfinished.open("wb") as file:
        if path.suffix == ".npy":
            np.save(file, outcomes[0].x)
        else:
            np.savez(file, allow_pickle=False, **{outcome.sampler: outcome.x for outcome in outcomes})


def drawn(path: Path, unfinished: Path, world: Mixture, outcomes: Sequence[Outcome], best: Perfect, about: str) -> None:
    """The draws as a figure."""
    from .figures import in_style, save
    from .figures.samples import samples

    with in_style():
        save(samples(world, outcomes, best, about), unfinished, path)
