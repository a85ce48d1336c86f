"""The command line.  Only click is imported before a command has been chosen: ``--help`` must not wait for SymPy."""

from __future__ import annotations

import gc
import os
import secrets
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from . import __version__
from .check_command import check
from .faults import ALL_GOOD, INTERNAL_ERROR, INTERRUPTED, SOME_FAILED, USAGE, Fault
from .options import (
    a_file,
    carried_out,
    executor_option,
    json_option,
    kind_option,
    patterns,
    seed_option,
    workers_option,
)
from .sample import sample

if TYPE_CHECKING:
    from derivations import Claim


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="noiseproof")
def cli() -> None:
    """The mathematics of generative models, proved, measured and run.

    A PATTERN is the id of a claim, or matches several: 'reversal.*'.

    Exit codes: 0 everything holds; 1 something does not; 2 interrupted; 3 an error of our own; 4 usage, or an
    unknown claim; 5 nothing selected.
    """


cli.add_command(sample)
cli.add_command(check)


@cli.command("list")
@patterns
@json_option
def list_claims(patterns: tuple[str, ...], as_json: bool) -> None:
    """List the claims, in reading order."""
    from .choosing import selected
    from .contents import contents

    claims = selected(patterns, contents())
    if as_json:
        from .reporting import claim_as_data, document

        click.echo(document([claim_as_data(c) for c in claims]))
        return
    from .tables import console, listing

    console().print(listing(claims))


@cli.command()
@patterns
@kind_option
@click.option("--all", "every_kind", is_flag=True, help="Trained models and runs of samplers too.")
@click.option(
    "--with",
    "instead",
    multiple=True,
    metavar="NAME=FORMULA",
    help="Judge this formula in the place of the claim's own, such as 'variance=beta'; may be repeated.",
)
@click.option("--strict", is_flag=True, help="A check that is skipped counts as a failure.")
@click.option("--run", "path", type=a_file, metavar="FILE", help="Add a line of JSON to this file for each check.")
@click.option(
    "--resume",
    "old",
    type=a_file,
    metavar="FILE",
    help="Skip what this file of an earlier run holds, report it with the rest, and go on writing to it (or to that of "
    "--run).  Lines of other code, another seed or other versions are run again.",
)
@seed_option
@click.option("--fresh", is_flag=True, help="A new seed from the operating system, which is printed.")
@workers_option
@executor_option
@json_option
def verify(
    patterns: tuple[str, ...],
    kinds: tuple[str, ...],
    every_kind: bool,
    instead: tuple[str, ...],
    strict: bool,
    path: Path | None,
    old: Path | None,
    seed: int,
    fresh: bool,
    workers: int,
    address: str | None,
    as_json: bool,
) -> int:
    """Judge claims: follow the derivations, and try to refute them by quadrature, by search and by sampling."""
    from .choosing import selected
    from .gathering import Task, Verification, checks
    from .parsing import replacement
    from .runfile import taken_up
    from .verifying import KINDS, QUICK

    wanted = tuple(dict.fromkeys(kinds)) or (KINDS if every_kind else QUICK)
    claims = marked(selected(patterns), wanted)
    if instead and len(claims) > 1:
        raise click.UsageError(
            f"--with replaces a formula of one claim, and {len(claims)} are selected: name the claim"
        )
    names = [replacement(claims[0], text)[0] for text in instead]
    if len(set(names)) < len(names):
        raise click.UsageError("--with replaces each formula once")
    seed = drawn(seed, old) if fresh else seed
    tasks = [Task(c.id, kind, seed, instead) for c in claims for kind in wanted if kind in c.kinds]
    if workers > 1 or address is not None:
        tasks.sort(key=lambda task: task.kind in QUICK)  # so that nobody waits for a long one at the end
    run = Verification(claims, tasks, wanted, seed, instead)
    file, news = taken_up(run, path, old)
    for line in news:
        click.echo(f"noiseproof: {line}", err=True)
    carried_out(checks, run, workers, address, file)
    code = run.reported(as_json, strict)
    return code or SOME_FAILED if file and file.trouble else code


@cli.command()
@patterns
@kind_option
@click.option("--thorough", is_flag=True, help="Ask every kind about every wrong version, not only until one kills.")
@seed_option
@workers_option
@executor_option
@json_option
def mutate(
    patterns: tuple[str, ...],
    kinds: tuple[str, ...],
    thorough: bool,
    seed: int,
    workers: int,
    address: str | None,
    as_json: bool,
) -> int:
    """Try to slip wrong formulas past the checks: the named mistakes, and many made by the machine."""
    from .choosing import selected
    from .gathering import Mutation
    from .mutating import JUDGES, Task, trials

    wanted = tuple(dict.fromkeys(kinds)) or JUDGES
    claims = marked(selected(patterns), wanted)
    tasks = [Task(c.id, group, wanted, seed, thorough) for c in claims for group in ("automatic", "named")]
    run = Mutation(claims, tasks, seed)
    carried_out(trials, run, workers, address)
    return run.reported(as_json)


@cli.command()
@click.argument("id")
@click.option("--latex", is_flag=True, help="The derivations as LaTeX.")
@click.option(
    "--figure",
    "picture",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Draw the figure of the claim instead, as .svg, .png or .pdf, and print its numbers.",
)
@click.option("--force", is_flag=True, help="Replace the file of the figure if there is one.")
def explain(id: str, latex: bool, picture: Path | None, force: bool) -> int:
    """Show the derivations of a claim, what they take on trust, and where the mistakes break."""
    from . import explaining
    from .choosing import claim
    from .tables import console

    chosen = claim(id)
    if picture and latex:
        raise click.UsageError("--latex prints derivations and --figure draws: ask for one of them")
    if picture:
        from .figures import figure

        console().print(figure(chosen.id, picture, force))
        return ALL_GOOD
    if latex:
        click.echo(explaining.as_latex(chosen))
        return ALL_GOOD
    return ALL_GOOD if explaining.explain(chosen, console()) else SOME_FAILED


@cli.command()
@click.argument("id")
@click.argument("letters", nargs=-1, metavar="[NAME=NUMBER...]")
@json_option
def value(id: str, letters: tuple[str, ...], as_json: bool) -> int:
    """Evaluate the formulas of a claim to 15 digits, such as alpha=0.9 n=3 theta=1/3."""
    from . import valuing
    from .choosing import claim

    chosen, at = claim(id), valuing.numbers(letters)
    found = valuing.values(chosen, at)
    if as_json:
        from .reporting import document

        entry = {"id": chosen.id, "at": {name: str(number) for name, number in at.items()}}
        click.echo(
            document(
                [
                    {
                        **entry,
                        "values": {v.parameter: v.digits for v in found},
                        "why": {v.parameter: v.why for v in found if v.why},
                    }
                ]
            )
        )
    else:
        for v in found:
            click.echo(
                f"{v.parameter} = {v.digits}" if v.digits else f"{v.parameter} has no value: {v.why}", err=not v.digits
            )
    return ALL_GOOD if any(v.digits for v in found) else USAGE


@cli.command()
@patterns
@click.option("--runs", type=click.IntRange(min=1000), help="Sums to draw for each null law.  [default: a million]")
@click.option("--quick", is_flag=True, help="A twentieth of the runs.")
@seed_option
@click.option("--fresh", is_flag=True, help="A new seed from the operating system, which is printed.")
@json_option
def calibrate(patterns: tuple[str, ...], runs: int | None, quick: bool, seed: int, fresh: bool, as_json: bool) -> int:
    """Count false alarms and errors found, and hold them to what is stated and predicted.

    The checks run at relaxed levels with fresh seeds: each null law, the sequential test, suites, planted errors, and
    the sampled checks of the claims that match.
    """
    from . import calibrating
    from .choosing import selected

    if runs and quick:
        raise click.UsageError("--runs says how many, and so does --quick: leave one of them out")
    seed = drawn(seed, None) if fresh else seed
    claims = marked(selected(patterns or calibrating.CLAIMS), ("montecarlo",))
    claims = [c for c in claims if calibrating.plain_atoms(c)]
    runs = runs or (calibrating.QUICK_RUNS if quick else calibrating.RUNS)
    rates = calibrating.calibrated(claims, runs, seed)
    if as_json:
        from .reporting import document

        entries = [calibrating.as_data(rate, len(rates)) for rate in rates]
        click.echo(document([{"id": c.id} for c in claims], seed, len(rates), rates=entries))
    else:
        from .tables import console

        terminal = console()
        terminal.print(calibrating.table(rates, terminal.width))
    return ALL_GOOD if calibrating.all_good(rates) else SOME_FAILED


# ---------------------------------------------------------------- running


def marked(claims: Sequence[Claim], kinds: Sequence[str]) -> list[Claim]:
    """The claims that are marked for any of the kinds."""
    from .faults import NothingSelected

    chosen = [c for c in claims if any(kind in c.kinds for kind in kinds)]
    if not chosen:
        raise NothingSelected(f"none of the {len(claims)} claims selected has a check of kind {', '.join(kinds)}")
    return chosen


def drawn(seed: int, old: Path | None) -> int:
    """A seed that nobody chose."""
    from click.core import ParameterSource

    if click.get_current_context().get_parameter_source("seed") is not ParameterSource.DEFAULT:
        raise click.UsageError(f"--fresh draws a seed, and --seed {seed} gives one: leave one of them out")
    if old:
        raise click.UsageError("--fresh begins anew: to go on with a run, give its seed, --resume FILE --seed SEED")
    seed = secrets.randbits(63)
    click.echo(f"noiseproof: --seed {seed} repeats this run", err=True)
    return seed


# ---------------------------------------------------------------- exit codes


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command and exit with pytest's codes."""
    gc.set_threshold(50_000)  # SymPy makes many small objects and few circles of them: look for garbage less often
    sys.exit(status(lambda: cli.main(arguments, prog_name="noiseproof", standalone_mode=False)))


def status(command: Callable[[], Any]) -> int:
    """The exit code of a command, with the message that goes with it on stderr."""
    try:
        code = command()
        sys.stdout.flush()
        return code if isinstance(code, int) else ALL_GOOD
    except click.UsageError as error:
        error.show()
        return USAGE
    except (KeyboardInterrupt, click.Abort):
        click.echo("interrupted", err=True)
        return INTERRUPTED
    except BrokenPipeError:  # whoever read our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return INTERRUPTED
    except Fault as fault:
        click.echo(f"noiseproof: {fault}", err=True)
        return fault.code
    except Exception:
        click.echo(f"{traceback.format_exc()}noiseproof: this is an error of our own, please report it", err=True)
        return INTERNAL_ERROR
