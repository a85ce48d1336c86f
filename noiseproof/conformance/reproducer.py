"""The smallest reproducer of what fails: a script that drives the target by itself, and prints two numbers.

Its first half defines ``seen(x, predict, draws)``: a run of the target on one particle, from the number x, around a
network that says ``predict(c, t, x)`` to question c, with normals from a list and zeros after them; it returns what the
network was handed, and the end.  An adapter may write it in the words of its library (``script``); else the adapter
itself is what runs.  The second half asks for one coefficient.
"""

from __future__ import annotations

import numpy as np

from .findings import Finding, Outcome, spelled
from .protocol import Level
from .subject import NoReference, Subject
from .target import AboutTheTarget, plain

LONGEST = 8000  # characters of a script from an adapter
COEFFICIENTS = ("P8", "P9", "P10", "P11", "P15", "P16")
DATA = {"P12": (1.0, 0.0), "P13": (1.0, 0.0)}  # mean and variance of what the network knows


def script(outcome: Outcome, finding: Finding, subject: Subject) -> str:
    """A Python script that shows what is expected and what is got, or where that takes too many runs, asks us again."""
    options = {**subject.target.options, **{k: v for k, v in finding.at.items() if k == "eta"}}
    try:
        with subject.target.otherwise(options):
            there = Subject(subject.target, subject.steps)
            tail = forward(finding) if outcome.id == "P1" else asked(outcome.id, finding, there)
            if tail is None:
                return again(outcome, finding, subject)
            head = driven(there, finding.at.get("n"), "add_noise" if outcome.id == "P1" else "run")
    except (AboutTheTarget, NoReference):
        return again(outcome, finding, subject)
    where = ", ".join(f"{name} = {value}" for name, value in finding.at.items() if name != "call")
    title = f"# {spelled(subject.target.spec, options)}, {outcome.id} {outcome.name}: {finding.text}\n"
    return f"{title}# {where}\n{head}\n\n{tail}{numbers(finding)}"


def numbers(finding: Finding) -> str:
    return "" if finding.expected is None else f'print("expected", {finding.expected!r}, "got", got)\n'


# ---------------------------------------------------------------- how it is driven


def driven(subject: Subject, n: int | None, what: str) -> str:
    """The first half.  Raises NoReference where it cannot be written."""
    if subject.can("script"):
        return plain(subject.target.script(n, what), LONGEST)
    if what != "run":
        raise NoReference("only a library's own words say how it adds noise")
    target = subject.target
    return f'''\
import numpy as np
from noiseproof.conformance.adapters import loaded
from noiseproof.conformance.child import handed, read

sampler = loaded({target.spec!r}, {target.options!r})


def seen(x, predict, draws):
    """What the network is handed in a run of {n} steps, and the end."""
    draws, found = iter(draws), []
    filled = lambda number, shape=(1, 1, 1, 1): handed(np.full(shape, float(number)), sampler.library)

    def model(x, t, level=None):
        found.append(read(x).item())
        return filled(predict(len(found) - 1, t, found[-1]))

    end = sampler.run(model, filled(x), {n}, lambda shape, *between: filled(next(draws, 0), shape))
    return [*found, read(end).item()]
'''


# ---------------------------------------------------------------- what is asked of it


def asked(id: str, finding: Finding, subject: Subject) -> str | None:
    """The second half, for what can be seen in a run or a few."""
    at, n = finding.at, finding.at.get("n")
    if not isinstance(n, int):
        return None
    if id == "P23":
        return "import math\n\nfor x in (0.5, -1.5):\n    print(seen(x, lambda c, t, x: math.tanh(x), []))\n"
    counts = id == "P3" or (id == "P6" and finding.got == len(set(subject.table(n).told)))
    if counts and "step" not in at:
        return "told = []\nseen(0, lambda c, t, x: told.append(t) or 0, [])\ngot = len(set(told))  # levels\n"
    if "told" in at or at.get("step") is None or "of its law" in at or finding.got is None:
        return law(id, finding, subject) if id in DATA else None
    step, of = int(at["step"]), str(at.get("coefficient of", "the noise"))
    if id in COEFFICIENTS and "draw" not in at:
        return coefficient(subject, n, step, of)
    if id == "P0":
        return f"got = seen(0, lambda c, t, x: 0, [])[{step}]  # from nothing\n"
    if id == "P21":
        return of_the_run(subject, n, step, of)
    if id == "P7":
        return share(subject, n, step)
    return law(id, finding, subject) if id in DATA else None


NOTHING = "lambda c, t, x: 0"
FROM_ONE = f"x = seen(1, {NOTHING}, [])  # from 1, with predictions and noise of zero\n"


def of_one(number: int, step: int) -> str:
    return f"got = seen(0, lambda c, t, x: float(c == {number}), [])[{step + 1}]  # all is 0 but one prediction\n"


def coefficient(subject: Subject, n: int, step: int, of: str) -> str:
    """One of a single step: x at the next question, had only this been 1."""
    if of == "x":
        return f"{FROM_ONE}got = x[{step + 1}] / x[{step}]\n"
    if of == "the prediction":
        return of_one(step, step)
    parts = [f"seen(0, {NOTHING}, {[0] * k + [1]})[{step + 1}] ** 2" for k in drawn(subject, n, step)]
    return f"got = ({' + '.join(parts) or '0.0'}) ** 0.5  # all is zero but the noise of this step\n"


def drawn(subject: Subject, n: int, step: int) -> list[int]:
    """The draws between a question and the next one."""
    after = subject.table(n).after
    return [k for k, at in enumerate(after) if at == step + 1 or (step == 0 and at == 0)]


def of_the_run(subject: Subject, n: int, step: int, of: str) -> str | None:
    """One of a whole run: what the next question holds of something that came before."""
    if of == "x":
        return f"{FROM_ONE}got = x[{step + 1}] / x[0]\n"
    number = int(of.split()[-1])
    if of.startswith("prediction"):
        return (
            f"got = seen(0, lambda c, t, x: float(c == {number}), [])[{step + 1}]  # all is zero but one prediction\n"
        )
    draws = drawn(subject, n, number)
    if len(draws) != 1:
        return None
    return (
        f"x = seen(0, {NOTHING}, {[0] * draws[0] + [1]})  # all is zero but one draw, which has no sign of its own\n"
        f"got = x[{step + 1}] if next(number for number in x if number) > 0 else -x[{step + 1}]\n"
    )


def share(subject: Subject, n: int, step: int) -> str:
    """The share of x_0 after a step, had all before it been right."""
    from .properties.exact import own_first
    from .properties.marginals import truths

    levels = subject.levels(n, own_first(subject)[0])
    return (
        f"share = {levels[step][0]!r}  # of x_0 at the level of question {step}\n"
        f"knows = {np.array(truths(subject, levels, subject.table(n))).tolist()}  # the share of x_0 in what the network says\n"
        "from_0, from_1 = (seen(x, lambda c, t, _: knows[c], []) for x in (0, 1))\n"
        f"x = (share - from_0[{step}]) / (from_1[{step}] - from_0[{step}])  # so that it is right there\n"
        f"got = from_0[{step + 1}] + x * (from_1[{step + 1}] - from_0[{step + 1}])\n"
    )


def law(id: str, finding: Finding, subject: Subject) -> str:
    """Mean or standard deviation of what is seen, where the network knows that the data are one point."""
    from .properties.exact import own_first

    n, mean = finding.at["n"], finding.at.get("of its law") == "mean"
    by = own_first(subject)[0]
    levels: list[Level] = subject.levels(n, by)
    gains = subject.answers(*DATA[id], subject.table(n), levels)
    table, (a, b) = subject.table(n), levels[0]
    u, row = float(table.of_x[0]) or 1.0, int(finding.at["step"]) + 1
    says = "".join(f"    ({gain!r}, {constant!r}),\n" for gain, constant in gains)
    says = f"says = [  # gains and constants: what the network says of x, where all data are the point 1\n{says}]\n"
    if mean:
        return f"{says}got = seen({a / u!r}, lambda c, t, x: says[c][0] * x + says[c][1], [])[{row}]\n"
    return (
        f"{says}only = lambda x, draws: seen(x, lambda c, t, x: says[c][0] * x, draws)\n"
        f"parts = [only({b / u!r}, []), *(only(0, [0] * k + [1]) for k in range({len(table.after)}))]\n"
        f"got = sum(x[{row}] ** 2 for x in parts) ** 0.5  # the standard deviation: of the start, and of each draw\n"
    )


def forward(finding: Finding) -> str | None:
    """A weight of what is added to data, where the squares of both add up to one."""
    if "weight of" not in finding.at:
        return None
    told, k = finding.at["told"], ("x_0", "epsilon").index(finding.at["weight of"])
    told = int(told) if float(told).is_integer() else told
    return (
        f"weights = added(1.0, 0.0, {told}), added(0.0, 1.0, {told})\n"
        f"got = weights[{k}] / (weights[0] ** 2 + weights[1] ** 2) ** 0.5\n"
    )


def again(outcome: Outcome, finding: Finding, subject: Subject) -> str:
    """The same question once more, through us."""
    n = finding.at.get("n")
    steps = f", steps=[{n}]" if isinstance(n, int) and n in subject.steps else ""
    target = subject.target
    return f"""\
# {spelled(target.spec, target.options)}, {outcome.id} {outcome.name}: {finding.text}
import noiseproof

if __name__ == "__main__":
    report = noiseproof.check({target.spec!r}, {target.options!r}{steps}, properties=[{outcome.id!r}])
    finding = report.outcomes[0].smallest
    print(finding.text, finding.at)
    print("expected", finding.expected, "got", finding.got)
"""
