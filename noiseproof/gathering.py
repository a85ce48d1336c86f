"""What comes of a run of ``verify`` or ``mutate``, gathered while it comes and reported at the end, be that early."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any

from rich.console import Console
from rich.text import Text

from derivations import Claim

from . import mutating, tables
from .choosing import claim as claim_called
from .faults import ALL_GOOD, INTERRUPTED, SOME_FAILED
from .mutating import Trial
from .parsing import replacement
from .reporting import account, counted, document, exit_code, report_as_data, trials_as_data
from .running import Died, Ended, Event, Gave
from .verifying import ERROR, PASS, SKIP, Check, Report, examine


@dataclass(frozen=True)
class Task:
    """One kind of check of one claim; formulas travel as they were typed."""

    claim: str
    kind: str
    seed: int
    instead: tuple[str, ...] = ()


def checks(task: Task) -> Iterator[Check]:
    """The checks of a task, as they are done."""
    claim = claim_called(task.claim)
    yield from examine(claim, task.kind, task.seed, dict(replacement(claim, text) for text in task.instead))


class Run:
    """Tasks, and what has come of them so far."""

    def __init__(self, claims: Sequence[Claim], tasks: Sequence[Any]) -> None:
        self.claims, self.unfinished = list(claims), list(tasks)
        self.interrupted, self.clock = False, perf_counter()

    def add(self, event: Event) -> None:
        if isinstance(event, Gave):
            self.gave(event.task, event.result)
        elif isinstance(event, (Ended, Died)):
            self.unfinished.remove(event.task)
            if isinstance(event, Died):
                self.died(event.task, event.why)

    def gave(self, task: Any, result: Any) -> None:
        raise NotImplementedError

    def died(self, task: Any, why: str) -> None:
        raise NotImplementedError

    def name(self, task: Any) -> str:
        """What a task is."""
        raise NotImplementedError

    def short(self, task: Any) -> str:
        """The same for the progress bar, without the chapter."""
        return self.name(task).split(".", 1)[-1]

    def line(self, claim: str) -> str:
        """What came of a claim, where there is no progress bar."""
        raise NotImplementedError


class Verification(Run):
    """A run of ``verify``."""

    def __init__(
        self, claims: Sequence[Claim], tasks: Sequence[Task], kinds: Sequence[str], seed: int, instead: Sequence[str]
    ) -> None:
        super().__init__(claims, tasks)
        self.kinds, self.seed = kinds, seed
        self.instead = dict(text.split("=", 1) for text in instead)
        self.checks: dict[str, list[Check]] = {claim.id: [] for claim in claims}

    def gave(self, task: Task, result: Check) -> None:
        self.checks[task.claim].append(result)

    def died(self, task: Task, why: str) -> None:
        self.checks[task.claim].append(Check(claim_called(task.claim).name, task.kind, ERROR, why))

    def name(self, task: Task) -> str:
        return f"{task.claim} {task.kind}"

    def line(self, claim: str) -> str:
        report = self.report(claim)
        return f"{report.verdict:<12} {claim}  {sum(c.seconds for c in report.checks):.1f} s"

    def report(self, claim: str) -> Report:
        found = sorted(self.checks[claim], key=lambda c: self.kinds.index(c.kind))
        return Report(claim, tuple(found), tuple(task.kind for task in self.unfinished if task.claim == claim))

    def reported(self, as_json: bool, strict: bool) -> int:
        """Print the report; the exit code."""
        reports = {claim.id: self.report(claim.id) for claim in self.claims}
        if as_json:
            verdicts = [c.verdict for r in reports.values() for c in r.checks]
            skipped = verdicts.count(SKIP)
            claims = [report_as_data(r) for r in reports.values()]
            print(
                document(
                    claims, self.seed, len(verdicts) - skipped, skipped, len(self.unfinished), not_run=self.not_run()
                )
            )
        else:
            self.show(reports, strict)
        return INTERRUPTED if self.interrupted else exit_code(reports.values(), strict)

    def not_run(self) -> list[dict[str, str]]:
        return [{"id": task.claim, "kind": task.kind} for task in self.unfinished]

    def show(self, reports: dict[str, Report], strict: bool) -> None:
        console = tables.console()
        console.print("", tables.verdicts(reports, self.claims, self.kinds), "", sep="\n")
        skipped: dict[tuple[str, str], list[Claim]] = {}  # by kind and reason
        for claim in self.claims:
            for kind in self.kinds:
                found = [c for c in reports[claim.id].checks if c.kind == kind and c.verdict != PASS]
                self.show_failures(console, claim, [c for c in found if c.verdict != SKIP])
                for why in dict.fromkeys(c.detail for c in found if c.verdict == SKIP):
                    skipped.setdefault((kind, why), []).append(claim)
        for (kind, why), claims in skipped.items():  # one reason, said once
            of = claims[0].id if len(claims) == 1 else f"{len(claims)} claims"
            console.print(Text(f"SKIP {of}, {kind}: {why}\n", "bold red" if strict else "cyan"), soft_wrap=True)
        if self.unfinished:
            console.print(Text("Not run: " + ", ".join(map(self.name, self.unfinished)), "yellow"))
        console.print(tables.summary(reports.values(), perf_counter() - self.clock, self.interrupted))
        if self.seed:
            console.print(Text(f"seed {self.seed}", "dim"))

    def show_failures(self, console: Console, claim: Claim, failures: Sequence[Check]) -> None:
        """An account of the first check of a kind that did not pass, and how many more there are."""
        for check in failures[:1]:
            first, *rest = account(claim, check, self.seed, self.instead).split("\n")
            console.print(Text.assemble((first, "bold red"), "\n", "\n".join(rest)), soft_wrap=True)
        if more := len(failures) - 1 if failures else 0:
            console.print(
                Text(f"  and {counted(more, 'more ' + failures[0].kind + ' check')} (--json shows all)", "dim")
            )
        if failures:
            console.print()


class Mutation(Run):
    """A run of ``mutate``."""

    FEW = 3  # claims, of which every named mistake is shown

    def __init__(self, claims: Sequence[Claim], tasks: Sequence[mutating.Task], seed: int) -> None:
        super().__init__(claims, tasks)
        self.seed = seed
        self.trials: list[Trial] = []
        self.broken: list[tuple[mutating.Task, str]] = []

    def gave(self, task: mutating.Task, result: Trial) -> None:
        self.trials.append(result)

    def died(self, task: mutating.Task, why: str) -> None:
        self.broken.append((task, why))

    def name(self, task: mutating.Task) -> str:
        return f"{task.claim} {task.group}"

    def line(self, claim: str) -> str:
        mine = [t for t in self.trials if t.claim == claim]
        alive = [t for t in mine if t.survives]
        return f"{claim}  {sum(t.killed for t in mine)} of {len(mine)} killed" + f", {len(alive)} ALIVE" * bool(alive)

    def of(self, claim: str, group: str) -> list[Trial]:
        return [t for t in self.trials if (t.claim, t.group) == (claim, group)]

    def reported(self, as_json: bool) -> int:
        """Print the report; the exit code."""
        if as_json:
            claims, asked = [self.entry(claim.id) for claim in self.claims], sum(len(t.asked) for t in self.trials)
            print(document(claims, self.seed, asked, missing=len(self.unfinished) + len(self.broken), **self.rest()))
        else:
            self.show()
        if self.interrupted:
            return INTERRUPTED
        bad = self.unfinished or self.broken or any(t.survives or t.errors for t in self.trials)
        return SOME_FAILED if bad else ALL_GOOD

    def entry(self, claim: str) -> dict[str, Any]:
        return {"id": claim, **{group: trials_as_data(self.of(claim, group)) for group in ("named", "automatic")}}

    def rest(self) -> dict[str, Any]:
        return {
            "not_run": [{"id": task.claim, "group": task.group} for task in self.unfinished],
            "broken": [{"id": task.claim, "group": task.group, "detail": why} for task, why in self.broken],
        }

    def show(self) -> None:
        console = tables.console()
        console.print(tables.kills(self.trials, self.claims))
        named = [t for t in self.trials if t.group == "named"]
        shown = named if len(self.claims) <= self.FEW else [t for t in named if "symbolic" not in t.by]
        if shown:
            title = "Named mistakes" if shown is named else "Named mistakes that no derivation refutes"
            console.print(Text(title, "bold"), tables.named_kills(shown))
        for text in tables.survivors(self.trials):
            console.print(text, "", soft_wrap=True)
        for task, why in self.broken:
            console.print(Text.assemble(("ERROR  ", "bold magenta"), f"{self.name(task)}: {why}"), soft_wrap=True)
        if self.unfinished:
            console.print(Text("Not run: " + ", ".join(map(self.name, self.unfinished)), "yellow"))
        console.print(self.summary())

    def summary(self) -> Text:
        alive, equal = sum(t.survives for t in self.trials), sum(t.equivalent is not None for t in self.trials)
        killed, errors = (
            sum(t.killed for t in self.trials),
            sum(bool(t.errors) for t in self.trials) + len(self.broken),
        )
        good = not (alive or errors or self.unfinished)
        words = f"{counted(len(self.trials), 'wrong version')}: {killed} killed, {equal} proved equal, {alive} alive"
        words += f", {counted(errors, 'error')}" * bool(errors)
        text = Text("interrupted  " if self.interrupted else "", "bold yellow").append(
            words, "bold green" if good else "bold red"
        )
        return text.append(f"   {perf_counter() - self.clock:.1f} s", "not bold default")
