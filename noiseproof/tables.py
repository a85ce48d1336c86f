"""What the terminal shows: tables that look good at 100 columns and fit 80."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich import box
from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from derivations import Claim
from derivations.claim import KINDS as LETTERS
from derivations.rendering.terminal import prose

from .mutating import JUDGES, Trial
from .reporting import counted, smallest_error
from .verifying import ERROR, FAIL, INCONCLUSIVE, PASS, SKIP, Check, Report, together

WORDS = {
    PASS: Text("✓", "green"),
    FAIL: Text("FAIL", "bold red"),
    INCONCLUSIVE: Text("unsure", "bold yellow"),
    SKIP: Text("skip", "cyan"),
    ERROR: Text("ERROR", "bold magenta"),
}
HEADS = {
    "symbolic": "sym-\nbolic",
    "quadrature": "quad-\nrature",
    "property": "prop-\nerty",
    "montecarlo": "Monte\nCarlo",
    "model": "mod-\nel",
    "sampler": "samp-\nler",
}


def grid(**options: Any) -> Table:
    return Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold", **options)


def by_chapter(claims: Iterable[Claim]) -> dict[str, list[Claim]]:
    chapters: dict[str, list[Claim]] = {}
    for claim in claims:
        chapters.setdefault(claim.chapter, []).append(claim)
    return chapters


def slug(claim: Claim) -> Text:
    return Text(f" .{claim.id.split('.', 1)[1]}")


def seconds(time: float) -> Text:
    return Text(f"{time:.1f}", "dim")


# ---------------------------------------------------------------- list


def listing(claims: Iterable[Claim]) -> Group:
    """Every claim with its statement in a sentence, and the kinds of evidence for it."""
    letters = {kind: letter for letter, kind in LETTERS.items()}
    table = grid()
    table.add_column("claim", no_wrap=True)
    table.add_column("what it says", ratio=1)
    table.add_column("checks", no_wrap=True)
    for chapter, found in by_chapter(claims).items():
        table.add_row(Text(chapter, "bold cyan"), "", "")
        for claim in found:
            table.add_row(slug(claim), prose(claim.title), Text(" ".join(letters[kind] for kind in claim.kinds), "dim"))
    legend = ", ".join(f"{letter} {kind}" for letter, kind in LETTERS.items())
    return Group(table, Text(f"{legend}.  More on one: noiseproof explain ID", "dim"))


# ---------------------------------------------------------------- verify


def verdicts(reports: Mapping[str, Report], claims: Sequence[Claim], kinds: Sequence[str]) -> Table:
    """A row for each claim, a column for each kind of check."""
    kinds = [kind for kind in HEADS if kind in kinds and any(kind in claim.kinds for claim in claims)]
    table = grid(show_edge=False)
    table.add_column("claim", overflow="fold")
    for kind in kinds:
        table.add_column(HEADS[kind], no_wrap=True)
    table.add_column("\nchecks", justify="right", no_wrap=True)
    table.add_column("\nsecs", justify="right", no_wrap=True)
    for chapter, found in by_chapter(claims).items():
        table.add_row(Text(chapter, "bold cyan"))
        for claim in found:
            report = reports[claim.id]
            cells = [cell(claim, kind, report) for kind in kinds]
            table.add_row(
                slug(claim),
                *cells,
                Text(str(len(report.checks)), "dim"),
                seconds(sum(c.seconds for c in report.checks)),
            )
    return table


def cell(claim: Claim, kind: str, report: Report) -> Text:
    if kind not in claim.kinds:
        return Text("·", "dim")
    if kind in report.not_run:
        return Text("not run", "bold yellow")
    mine = [c for c in report.checks if c.kind == kind]
    return Text(" ").join([WORDS[together(c.verdict for c in mine)], *resolution(mine)])


def resolution(checks: Iterable[Check]) -> list[Text]:
    """The error that the bluntest of the checks would have seen, rounded up: 2e-13."""
    seen = [c.resolution for c in checks if c.resolution and math.isfinite(c.resolution)]
    if not seen:
        return []
    exponent = math.floor(math.log10(max(seen)))
    digit = math.ceil(max(seen) / 10.0**exponent * (1 - 1e-12))
    return [Text(f"{digit}e{exponent}" if digit < 10 else f"1e{exponent + 1}", "dim")]


def summary(reports: Iterable[Report], elapsed: float, interrupted: bool = False) -> Text:
    """One line on all of it."""
    reports = list(reports)
    checks = [c for r in reports for c in r.checks]
    tally = {verdict: sum(r.verdict == verdict for r in reports) for verdict in WORDS}
    good = tally[PASS] + tally[SKIP] == len(reports) and not interrupted
    unfinished = sum(len(r.not_run) for r in reports)
    skipped = sum(c.verdict == SKIP for c in checks)
    bad = {FAIL: "fail", INCONCLUSIVE: "inconclusive", ERROR: "with an error", SKIP: "skipped"}
    parts = "".join(f", {tally[v]} {word}{'s' * (v == FAIL and tally[v] == 1)}" for v, word in bad.items() if tally[v])
    run = f"{counted(len(checks) - skipped, 'check')} run" + f", {skipped} skipped" * bool(skipped)
    run += f", {counted(unfinished, 'kind')} of check not run" * bool(unfinished)
    text = Text("interrupted  " if interrupted else "", "bold yellow")
    text.append(f"{tally[PASS]} of {len(reports)} claims hold{parts}", "bold green" if good else "bold red")
    return text.append(f"   {run}   {elapsed:.1f} s", "not bold default")


# ---------------------------------------------------------------- mutate


def kills(trials: Sequence[Trial], claims: Sequence[Claim]) -> Table:
    """How many wrong versions of each claim were killed, by which kinds, and how small an error was found out."""
    kinds = [kind for kind in JUDGES if any(kind in t.asked for t in trials)]
    table = grid(show_edge=False)
    table.add_column("claim", overflow="fold", min_width=20)
    for name in ("named\nkilled", "autom.\nkilled", *(HEADS[kind] for kind in kinds), "least\nerror"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("\nsecs", justify="right", no_wrap=True)
    if any(t.survives or t.equivalent or t.errors for t in trials):
        table.add_column("", no_wrap=True)
    for chapter, found in by_chapter(claims).items():
        table.add_row(Text(chapter, "bold cyan"))
        for claim in found:
            mine = [t for t in trials if t.claim == claim.id]
            table.add_row(slug(claim), *kill_counts(mine, kinds)[: len(table.columns) - 1])
    table.add_section()
    table.add_row(Text("all", "bold"), *kill_counts(trials, kinds)[: len(table.columns) - 1])
    return table


def kill_counts(trials: Sequence[Trial], kinds: Sequence[str]) -> list[Text]:
    """Of the named and of the automatic, then by kind of those that the kind was asked about, and what is left.

    A check mark says that a kind found out all that it was asked about.
    """
    cells = []
    for group in ("named", "automatic"):
        mine = [t for t in trials if t.group == group]
        killed = sum(t.killed for t in mine)
        cells.append(Text(f"{killed}/{len(mine)}", "bold red" if any(t.survives for t in mine) else "green"))
    for kind in kinds:
        asked, found = sum(kind in t.asked for t in trials), sum(kind in t.by for t in trials)
        cells.append(WORDS[PASS] if asked and asked == found else Text(f"{found}/{asked}" if asked else "·", "dim"))
    smallest = smallest_error(trials)
    cells.append(Text("" if smallest is None else f"{smallest:.0e}", "dim"))
    cells.append(seconds(sum(t.seconds for t in trials)))
    counts = {
        ("equal", "cyan"): sum(t.equivalent is not None for t in trials),
        ("ALIVE", "bold red"): sum(t.survives for t in trials),
        ("error", "bold magenta"): sum(bool(t.errors) for t in trials),
    }
    return [*cells, Text(" ").join(Text(f"{n} {word}", style) for (word, style), n in counts.items() if n)]


def named_kills(trials: Iterable[Trial]) -> Table:
    """Which kinds of check kill which mistake."""
    table = grid()
    table.add_column("mistake", overflow="fold")
    for kind in JUDGES:
        table.add_column(HEADS[kind], no_wrap=True)
    for t in trials:
        marks = [
            WORDS[PASS] if t.equivalent else Text("killed", "green") if kind in t.by else Text("·", "dim")
            for kind in JUDGES
        ]
        table.add_row(f"{t.claim} {t.name}", *marks)
    return table


def survivors(trials: Iterable[Trial]) -> list[Text]:
    """The wrong versions that nobody found out, those that are not wrong, and the judges that raised."""
    lines = []
    for t in trials:
        if t.survives:
            lines.append(Text.assemble(("ALIVE  ", "bold red"), f"{t.claim}  {t.name}\n       {t.formula}"))
        if t.equivalent:
            lines.append(
                Text.assemble(("EQUAL  ", "cyan"), f"{t.claim}  {t.name}\n       {t.formula}\n       {t.equivalent}")
            )
        for error in t.errors:
            where = error.replace("\n", "\n       ")
            lines.append(
                Text.assemble(("ERROR  ", "bold magenta"), f"{t.claim}  {t.name}\n       {t.formula}\n       {where}")
            )
    return lines


plain_width = 100  # columns, where there is no terminal


def console() -> Console:
    """The terminal; where there is none, plain text."""
    found = Console(highlight=False)
    return found if found.is_terminal else Console(highlight=False, width=plain_width)
