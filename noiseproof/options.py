"""What commands have in common: options, and how their work is carried out.  Of others only click is imported here."""

from __future__ import annotations

import os
from contextlib import closing, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from .gathering import Run
    from .runfile import RunFile
    from .running import Work
    from .sampling import Sampling

EVERY_KIND = ("symbolic", "quadrature", "property", "montecarlo", "model", "sampler")

patterns = click.argument("patterns", nargs=-1, metavar="[PATTERN...]")
kind_option = click.option(
    "--kind", "kinds", multiple=True, type=click.Choice(EVERY_KIND), help="Only this kind; may be repeated."
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON, and nothing else, on stdout.")
seed_option = click.option(
    "--seed", default=0, show_default=True, type=click.IntRange(min=0), help="The seed of all draws."
)
executor_option = click.option(
    "--executor",
    "address",
    metavar="tcp://HOST:PORT",
    help="Let the workers of this Dask scheduler do the work (extra: dask).  A Dask scheduler runs code for whoever "
    "reaches it, and noiseproof connects to none but this.",
)
a_file = click.Path(dir_okay=False, path_type=Path)
workers_option = click.option(
    "--workers",
    default=min(2, os.cpu_count() or 1),
    show_default=True,
    type=click.IntRange(min=1),
    metavar="N",
    help="How many processes share the work.",
)


def carried_out(
    work: Work, run: Run | Sampling, workers: int, address: str | None, file: RunFile | None = None
) -> None:
    """Work through what is unfinished, showing it on stderr, and gather what comes of it."""
    from .connecting import cluster
    from .running import events
    from .watching import watched

    tasks = list(run.unfinished)
    try:
        with (
            nullcontext((None, workers)) if address is None else cluster(address) as (executor, width),
            closing(events(work, tasks, width, executor)) as happening,
            closing(watched(file.kept(happening) if file else happening, tasks, run.short, run.line)) as seen,
        ):
            for event in seen:
                run.add(event)
    except KeyboardInterrupt:
        run.interrupted = True
