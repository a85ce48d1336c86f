"""What the terminal shows of a sampler: a screen at 100 columns, and at 80."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from .. import tables
from .findings import ERROR, FAIL, INCONCLUSIVE, NOTE, PASS, SKIP, WORST_FIRST, Finding, Outcome, Report
from .reports import called, counts, details, headline, indented, numbers, together, where

WORDS = {**tables.WORDS, NOTE: Text("note", "yellow")}
KNOWN = Text("known", "cyan")
BAD = (ERROR, FAIL, INCONCLUSIVE)
SCALE = 40  # columns of the picture of a convergence


def show(found: Sequence[Report], stale: Sequence[str], elapsed: float, interrupted: bool = False) -> None:
    """A screen for one sampler, a line each for several, and what fails."""
    console = tables.console()
    for report in found[:1] if len(found) == 1 else []:
        one(console, report)
    if len(found) > 1:
        many(console, found)
    for each in stale:
        console.print(Text(f"stale, {each}", "bold red"), soft_wrap=True)
    if len(found) > 1 or interrupted or stale:
        console.print(summary(found, elapsed, interrupted))


# ---------------------------------------------------------------- one sampler


def one(console: Console, report: Report) -> None:
    console.print(verdict(report), soft_wrap=True)
    for note in report.notes:
        console.print(Text(f"  {note}", "dim"))
    if report.outcomes:
        console.print(table(report))
    for outcome in ranked(report):
        if outcome.verdict in BAD and outcome.verdict != ERROR:
            account(console, outcome)
    errors(console, [outcome for outcome in report.outcomes if outcome.verdict == ERROR])
    for outcome in report.outcomes:
        picture(console, outcome)


def verdict(report: Report) -> Text:
    """What came of a sampler, in a line."""
    word = Text("holds", "bold green") if report.verdict in (PASS, NOTE, SKIP) else WORDS[report.verdict].copy()
    name = f"  {report.name}" if report.name and report.name not in report.label else ""
    head = Text.assemble(word, "  ", (report.label, "bold"), name)
    if report.broken:
        return head.append(f": {report.broken}")
    return head.append(f"   {tallied(report)}   {counts([report])}   {report.seconds:.1f} s", "not bold default")


def tallied(report: Report) -> str:
    """How many hold, fail and so on."""
    tally = Counter("known to fail" if o.expected else SAID[o.verdict] for o in report.outcomes if o.verdict != SKIP)
    return ", ".join(f"{number} {word}{'s' * (number == 1 and word in VERBS)}" for word, number in tally.items())


VERBS = ("hold", "fail")
SAID = {PASS: "hold", NOTE: "with a note", FAIL: "fail", INCONCLUSIVE: "unsure", ERROR: "with an error"}


def ranked(report: Report) -> list[Outcome]:
    """Failures first, then as they were asked."""
    return sorted(report.outcomes, key=lambda o: WORST_FIRST.index(o.verdict))


def table(report: Report) -> Table:
    """A row for each property."""
    rows = tables.grid(show_edge=False, expand=False)
    rows.add_column("property", no_wrap=True)
    rows.add_column("", no_wrap=True)
    for name in ("off by", "allowed"):
        rows.add_column(name, no_wrap=True, justify="right")
    rows.add_column("", ratio=1)
    for outcome in ranked(report):
        finding = outcome.telling
        style = "dim" if outcome.verdict in (PASS, SKIP) else ""
        rows.add_row(
            Text.assemble((f"{outcome.id:<4}", "bold" if not style else ""), outcome.name),
            KNOWN if outcome.expected else WORDS[outcome.verdict],
            *(Text("" if x is None else f"{x:.0e}", style) for x in (finding.measured, finding.bound)),
            reason(outcome, style),
        )
    return rows


def reason(outcome: Outcome, style: str) -> Text:
    """Why, in a few words: of what holds, what holds, as far as a line goes."""
    finding = outcome.telling
    words = [outcome.expected] if outcome.expected else [finding.diagnosis, finding.text]
    text = Text(": ".join(filter(None, words)), style)
    if outcome.verdict == PASS:
        text.no_wrap, text.overflow = True, "ellipsis"
    return text


def account(console: Console, outcome: Outcome) -> None:
    """What was expected, what came, which claim says so, and a script that shows it."""
    known = f"  known: {outcome.expected}" if outcome.expected else ""
    console.print("", Text.assemble((headline(outcome), "bold red"), known), sep="\n", soft_wrap=True)
    for part in details(outcome):
        console.print(Text(f"  {part}"), soft_wrap=True)
    if script := outcome.smallest.reproducer:
        console.print(Text("  again:"))
        console.print(Text("\n".join(indented(script)), "cyan"), soft_wrap=True)


def errors(console: Console, outcomes: Sequence[Outcome]) -> None:
    """What went wrong, once for all properties that met it."""
    for alike in together(outcomes):
        first = alike[0]
        known = f"  known: {first.expected}" if first.expected else ""
        console.print("", Text.assemble((f"ERROR {called(alike)}", "bold magenta"), known), sep="\n", soft_wrap=True)
        for part in filter(None, [first.smallest.text, where(first.smallest)]):
            console.print(Text(f"  {part}"), soft_wrap=True)


def picture(console: Console, outcome: Outcome) -> None:
    """Errors for more and more steps, with the local orders, where orders were asked for."""
    finding = outcome.telling
    if not isinstance(finding.at.get("error"), list):
        return
    console.print()
    expected = f", order {finding.at['expected']:g} expected" if "expected" in finding.at else ""
    console.print(Text.assemble((f"{outcome.id} {outcome.name}", "bold"), f"  {finding.text}"), soft_wrap=True)
    console.print(Text(f"      n     error  order  logarithm of the error{expected}", "dim"))
    for row in convergence(finding):
        console.print(row)


def convergence(finding: Finding) -> Iterator[Text]:
    """n, the error, its order on the way from half as many, and a bar of its logarithm."""
    at, orders = finding.at, [None, *finding.at.get("order", [])]
    finite = [math.log10(error) for error in at["error"] if error > 0 and math.isfinite(error)]
    low, high = min(finite, default=0.0), max(finite, default=0.0)
    for n, error, order in zip(at["n"], at["error"], orders, strict=False):
        shown = error > 0 and math.isfinite(error)
        part = (math.log10(error) - low) / (high - low or 1.0) if shown else 0.0
        rate = "     " if order is None else f"{order:5.2f}"
        yield Text.assemble(f"  {n:>5}  {error:8.1e}  {rate}  ", ("━" * (1 + round(SCALE * part)), "cyan"))


# ---------------------------------------------------------------- several


def many(console: Console, found: Sequence[Report]) -> None:
    """A line for each sampler: its verdict, and what does not hold."""
    rows = tables.grid(show_edge=False)
    rows.add_column("", no_wrap=True)
    rows.add_column("sampler", overflow="fold", ratio=2)
    rows.add_column("what does not hold", ratio=1)
    rows.add_column("secs", justify="right", no_wrap=True)
    for report in found:
        if not report.broken:
            mark = WORDS[PASS] if report.verdict in (PASS, NOTE) else WORDS[report.verdict]
            rows.add_row(mark, Text(report.label), said(report), tables.seconds(report.seconds))
    console.print(rows)
    for report in found:
        for alike in together(o for o in report.outcomes if o.verdict in BAD and not o.expected):
            finding = alike[0].telling
            more = "; ".join(filter(None, [finding.diagnosis, where(finding), numbers(finding)]))
            head = (f"{alike[0].verdict} {called(alike)}", "bold red")
            console.print(Text.assemble(head, f"  {report.label}\n  {finding.text}\n  {more}"), soft_wrap=True)
    if any(o.verdict == FAIL and not o.expected for r in found for o in r.outcomes):
        console.print(
            Text("noiseproof check SAMPLER --property P8 prints a script that shows it; so does --json.", "dim")
        )
    reasons: dict[str, list[str]] = {}
    for report in found:
        if report.broken:
            reasons.setdefault(report.broken, []).append(report.label)
    for why, labels in reasons.items():
        style = "cyan" if all(r.refused for r in found if r.label in labels) else "bold red"
        console.print(Text.assemble(("not looked at ", style), f"{', '.join(labels)}: {why}"), soft_wrap=True)


def said(report: Report) -> Text:
    words = {verdict: [o.id for o in report.outcomes if o.verdict == verdict and not o.expected] for verdict in BAD}
    parts = [f"{WORDS[verdict].plain} {', '.join(ids)}" for verdict, ids in words.items() if ids]
    if known := [o.id for o in report.outcomes if o.expected]:
        parts.append(f"known {', '.join(known)}")
    if report.not_run:
        parts.append(f"{report.not_run} not run")
    return Text("; ".join(parts))


def summary(found: Sequence[Report], elapsed: float, interrupted: bool) -> Text:
    """One line on all of it."""
    looked = [report for report in found if not report.refused]
    hold = sum(report.verdict in (PASS, NOTE, SKIP) and not report.not_run for report in looked)
    text = Text("interrupted  " if interrupted else "", "bold yellow")
    good, left = hold == len(looked) and not interrupted, len(found) - len(looked)
    verb = "holds" if 1 in (hold, len(looked)) else "hold"
    text.append(f"{hold} of {tables.counted(len(looked), 'sampler')} {verb}", "bold green" if good else "bold red")
    rest = f"   {left} not looked at" if left else ""
    return text.append(f"{rest}   {counts(found)}   {elapsed:.1f} s", "not bold default")


def line(report: Report) -> str:
    """What came of a sampler, for those who watch."""
    if report.broken:
        return f"{'skipped' if report.refused else 'ERROR':<12} {report.label}: {report.broken}"
    return f"{report.verdict:<12} {report.label}  {report.run} run, {report.skipped} skipped  {report.seconds:.1f} s"
