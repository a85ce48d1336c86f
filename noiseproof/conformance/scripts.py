"""What a script is made of: functions that an adapter writes in the words of its library, and what is asked of them."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from .findings import Finding
from .subject import NoReference, Subject
from .target import Raised, plain

LONGEST = 8000  # characters of a script from an adapter
MATH = ("exp", "hypot", "inf", "isfinite", "log", "log2", "tanh")


@dataclass(frozen=True)
class Tail:
    """The second half of a script: it sets ``got``, of which ``holds`` if all is well.

    ``heads`` are the functions that it calls: "run", that is seen(x, predict, draws), where ``predict(c, t, x)`` is
    what the network says to question c; "levels", where it is told the level of its input, too, and n is handed in;
    "on", where noise levels are; "arrays", where the last number is an array, of a dtype that is handed in; "trained",
    the level of training at what the network is told; "add_noise".  ``expected`` is what is printed as such.
    """

    text: str
    heads: tuple[str, ...] = ("run",)
    holds: str = ""
    expected: str = ""

    def ended(self, finding: Finding) -> str:
        """The same, with both numbers printed, and an exit code that tells whether they agree."""
        if not self.holds and finding.expected is None:
            return self.text
        expected = self.expected or repr(finding.expected)
        apart = f"abs(got - {expected})"
        holds = self.holds or (f"{apart} <= {finding.bound!r}" if finding.bound else f"got == {expected}")
        return f'{self.text}print("expected", {expected}, "got", got)\nassert {holds}, "it does not hold"\n'


def driven(subject: Subject, n: int | None, what: str) -> str:
    """A function of the first half.  Raises NoReference where it cannot be written."""
    if subject.can("script"):
        with suppress(Raised):  # what its library has no words for is asked through its adapter
            return plain(subject.target.script(n, what), LONGEST)
    target, levels = subject.target, f", n={n}, sampler=sampler" if n else ", n"
    head = f"""\
import numpy as np
from noiseproof.conformance.adapters import loaded
from noiseproof.conformance.child import handed, read

sampler = loaded({target.spec!r}, {target.options!r})  # by its adapter, which knows how it is run
"""
    if what == "trained":
        return f"{head}trained = sampler.trained  # scale and noise, at what the network is told\n"
    if what == "add_noise":
        raise NoReference("only a library's own words say that")
    given = {"run": "", "levels": levels, "on": ", sigmas", "arrays": ', dtype="float64"'}[what]
    steps = {"levels": "n", "on": "len(sigmas) - 1"}.get(what, str(n))
    sampler = "sampler.on(np.array(sigmas, dtype=float))" if what == "on" else "sampler"
    kind = "dtype" if what == "arrays" else '"float64"'
    return f'''{head}

def seen(x, predict, draws{given}):
    """What the network is handed in a run{f" of {n} steps" if what == "run" else ""}, and the end."""
    draws, found = iter(draws), []
    filled = lambda number, shape=(1, 1, 1, 1): handed(np.full(shape, number, {kind}), sampler.library)

    def model(x, t, level=None):
        found.append(read(x).item())
        return filled(predict(len(found) - 1, t, found[-1]{", level" if what != "run" else ""}))

    end = {sampler}.run(model, filled(x), {steps}, lambda shape, *between: filled(next(draws, 0), shape))
    return [*found, {"read(end)" if what == "arrays" else "read(end).item()"}]
'''


def joined(title: str, parts: Sequence[str]) -> str:
    """One script of several parts, with the imports of all at the top."""
    text = "\n\n\n".join(part.strip("\n") for part in parts)
    used = [name for name in MATH if re.search(rf"(?<![\w.]){name}\b", text)]
    imports, rest = [], []
    for line in text.split("\n"):
        (imports if line.startswith(("import ", "from noiseproof.")) else rest).append(line)
    first = [line for line in dict.fromkeys(imports) if line.split()[1] in sys.stdlib_module_names]
    first += [f"from math import {', '.join(used)}"] if used else []
    third = [line for line in sorted(set(imports)) if line not in first]
    body = re.sub(r"\n{4,}", "\n\n\n", "\n".join(rest).strip("\n"))
    return "\n".join(
        [title, *first, *[""] * bool(first and third), *third, *[""] * (2 if body.startswith("def") else 1), body, ""]
    )
