"""The command ``check``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from .options import a_file, carried_out, json_option, workers_option

STEPS, SECONDS = "7,13,50", 20.0  # said again here, because --help is to answer at once; a test holds them equal
WORDS = {"true": True, "false": False, "none": None}


def option(text: str) -> tuple[str, Any]:
    """A name and a value: a number, a list, true, false or none as they are written, and else a word."""
    name, equals, value = text.partition("=")
    if not name.strip() or not equals:
        raise click.BadParameter(f"{text!r}; expected name=value, such as eta=1", param_hint="-o")
    if value.lower() in WORDS:
        return name.strip(), WORDS[value.lower()]
    for reads in (json.loads, float):
        try:
            return name.strip(), reads(value)
        except ValueError:
            continue
    return name.strip(), value


def counts(context: Any, parameter: Any, text: str) -> tuple[int, ...]:
    """Numbers of steps, 13,50."""
    try:
        found = tuple(int(part) for part in text.split(","))
    except ValueError:
        raise click.BadParameter(f"{text!r}; expected numbers of steps, such as 13,50") from None
    if min(found) < 1:
        raise click.BadParameter(f"{min(found)} is no number of steps")
    return found


@click.command()
@click.argument("targets", nargs=-1, required=True, metavar="TARGET...")
@click.option(
    "-o",
    "options",
    multiple=True,
    metavar="NAME=VALUE",
    help="An option of the sampler, or of your own a claim, such as order=1 or method=euler; may be repeated.",
)
@click.option("--steps", default=STEPS, show_default=True, metavar="N,N", callback=counts, help="Steps of its runs.")
@click.option("--property", "wanted", multiple=True, metavar="ID", help="Only P8, posterior-mean ...; may be repeated.")
@click.option(
    "--timeout",
    "seconds",
    default=SECONDS,
    show_default=True,
    type=click.FloatRange(min=0, min_open=True),
    metavar="SECONDS",
    help="For a property; what takes longer is an error of the sampler.",
)
@click.option(
    "--xfail",
    "known",
    type=a_file,
    metavar="FILE",
    help="Failures that are known, a line each: TARGET[OPTIONS] P9 reason.  One that is none any more fails.",
)
@click.option("--strict", is_flag=True, help="A property that is skipped counts as a failure.")
@workers_option
@json_option
@click.option("--markdown", "as_markdown", is_flag=True, help="Print the table of samplers and properties.")
def check(
    targets: tuple[str, ...],
    options: tuple[str, ...],
    steps: tuple[int, ...],
    wanted: tuple[str, ...],
    seconds: float,
    known: Path | None,
    strict: bool,
    workers: int,
    as_json: bool,
    as_markdown: bool,
) -> int:
    """Examine samplers: has each the properties that it claims?

    A TARGET is diffusers:DDIMScheduler, or of azula, flow_matching or denoising_diffusion_pytorch, or of ours,
    noiseproof:ddim; all samplers of a library under many of their options, diffusers: with nothing after the colon; or
    your own, my_project.sampler:MySampler or path/to/file.py:name.  It runs in a process of its own.
    """
    from . import checking
    from .conformance import expected
    from .conformance.properties import properties

    if as_json and as_markdown:
        raise click.UsageError("--json and --markdown print different things: ask for one of them")
    given = dict(option(text) for text in options)
    if len(given) < len(options):
        raise click.UsageError("-o gives each option once")
    lines = expected.read(known, properties()) if known else []
    run = checking.Checking(checking.tasks(targets, given, steps, seconds, wanted), lines)
    carried_out(checking.judged, run, workers, None)
    return run.reported(as_json, as_markdown, strict)
