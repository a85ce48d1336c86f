"""The smallest reproducer of what fails: a script that drives the target by itself, and prints two numbers.

Its first half defines ``seen(x, predict, draws)``: a run of the target on one particle, from the number x, around a
network that says ``predict(c, t, x)`` to question c, with normals from a list and zeros after them; it returns what the
network was handed, and the end.  An adapter may write it in the words of its library (``script``), so that the script
does without us; else the adapter itself is what runs.  The second half asks for one number, and ends with an assertion.
"""

from __future__ import annotations

import numpy as np

from . import reproducer_laws
from .findings import Finding, Outcome, spelled
from .properties.behavior import ran, scripted, starts
from .properties.exact import own_first
from .properties.marginals import truths
from .protocol import Level
from .scripts import Tail, driven, joined
from .subject import ITS_OWN, NoReference, Subject
from .target import AboutTheTarget
from .unrolled import SHAPE

COEFFICIENTS = ("P8", "P9", "P10", "P11", "P15", "P16")
DATA = {"P12": (1.0, 0.0), "P13": (1.0, 0.0)}  # mean and variance of what the network knows
LAWS = ("P17", "P18", "P19", "P20", "P22")


def script(outcome: Outcome, finding: Finding, subject: Subject) -> str:
    """A Python script that shows what is expected and what is got, or where that takes too many runs, asks us again."""
    finding = reproducer_laws.clearest(outcome, finding)
    options = {**subject.target.options, **{k: v for k, v in finding.at.items() if k == "eta"}}
    around = subject.claims.predictions.get(str(finding.at.get("around")), {})
    n, heads, tail = finding.at.get("n"), [], None
    try:
        if around:
            heads, tail = [driven(subject, n, "levels") + "\n\nusual = seen"], around_another(finding, subject)
        with subject.target.otherwise(options | around):
            there = Subject(subject.target, subject.steps)
            tail = tail or asked(outcome, finding, there)
            if tail is None:
                return again(outcome, finding, subject)
            heads += [driven(there, n if isinstance(n, int) else None, what) for what in tail.heads]
    except (AboutTheTarget, NoReference):
        return again(outcome, finding, subject)
    where = ", ".join(f"{name} = {value}" for name, value in finding.at.items() if name not in UNSAID)
    title = f"# {spelled(subject.target.spec, options)}, {outcome.id} {outcome.name}: {finding.text}\n# {where}"
    return joined(title, [*heads, tail.ended(finding)])


UNSAID = ("call", "error", "order")  # of the place where something is wrong: too long for a line


# ---------------------------------------------------------------- what is asked of it


def asked(outcome: Outcome, finding: Finding, subject: Subject) -> Tail | None:
    """The second half, for what can be seen in a run or a few."""
    id = outcome.id
    if id in TABLES:
        return TABLES[id](finding, subject)
    if id in LAWS:
        return reproducer_laws.tail(outcome, finding, subject)
    text = in_a_run(id, finding, subject)
    return Tail(text) if text else None


def in_a_run(id: str, finding: Finding, subject: Subject) -> str | None:
    at, n = finding.at, finding.at.get("n")
    if not isinstance(n, int) or at.get("step") is None or "of its law" in at or finding.got is None:
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
    if of == "what came before":
        old = [k for k, at in enumerate(subject.table(n).after) if at <= step and k not in drawn(subject, n, step)]
        runs = [
            f"*(seen(0, lambda c, t, x: float(c == k), []) for k in range({step}))",
            *(f"seen(0, {NOTHING}, {[0] * k + [1]})" for k in old),
        ]
        return (
            f"{FROM_ONE}a = x[{step + 1}] / x[{step}]  # all is zero but one of what came before\n"
            f"got = max(abs(run[{step + 1}] - a * run[{step}]) for run in [{', '.join(runs)}])\n"
        )
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
    levels = subject.levels(n, own_first(subject)[0])
    knows = np.array(truths(subject, levels, subject.table(n))).tolist()
    return (
        f"share = {levels[step][0]!r}  # of x_0 at the level of question {step}\n"
        f"knows = {knows}  # the share of x_0 in what the network says\n"
        "from_0, from_1 = (seen(x, lambda c, t, _: knows[c], []) for x in (0, 1))\n"
        f"x = (share - from_0[{step}]) / (from_1[{step}] - from_0[{step}])  # so that it is right there\n"
        f"got = from_0[{step + 1}] + x * (from_1[{step + 1}] - from_0[{step + 1}])\n"
    )


def law(id: str, finding: Finding, subject: Subject) -> str:
    """Mean or standard deviation of what is seen, where the network knows that the data are one point."""
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


# ---------------------------------------------------------------- tables and grids


def forward(finding: Finding, subject: Subject) -> Tail | None:
    """A weight of what is added to data, where the squares of both add up to one."""
    if "weight of" not in finding.at:
        return None
    told, k = time(finding.at["told"]), ("x_0", "epsilon").index(finding.at["weight of"])
    text = (
        f"weights = added(1.0, 0.0, {told}), added(0.0, 1.0, {told})\n"
        f"got = weights[{k}] / (weights[0] ** 2 + weights[1] ** 2) ** 0.5\n"
    )
    return Tail(text, ("add_noise",))


def time(told: float) -> float:
    return int(told) if float(told).is_integer() else told


CONVENTIONS = {
    "variance is preserved": "(a * a + b * b) ** 0.5",
    "data keep their scale": "a",
    "scale and noise add up to one": "a + b",
}
SIGMAS = "sigma = lambda a, b: b / a if a else inf\n"


def sums(finding: Finding, subject: Subject) -> Tail | None:
    """Levels of training: what is kept, and which of two is the noisier."""
    at = finding.at
    if "told" in at:
        told = [time(t) for t in subject.target.told().tolist()]
        k = told.index(time(at["told"]))
        text = f"{SIGMAS}expected, got = (sigma(*trained(t)) for t in {(told[k], told[k - 1])})  # it should fall\n"
        return Tail(text, ("trained",), "got < expected", "expected")
    kept = CONVENTIONS.get(finding.text.rpartition(": ")[2])
    if kept is None or "level" not in at:
        return None
    holds = f"abs(got - 1) <= {finding.bound!r}"
    if "n" not in at:
        told = time(float(subject.target.told()[at["level"]]))
        return Tail(f"a, b = trained({told})\ngot = {kept}\n", ("trained",), holds, "1")
    if subject.table(at["n"]).after or "told" in finding.text:
        return None
    return Tail(f"{ALL_LEVELS}t, a, b = at[{at['level']}]\ngot = {kept}\n", ("levels",), holds, "1")


ALL_LEVELS = "at = []  # what the network is told, and the level where it is asked\n"
ALL_LEVELS += "seen(0, lambda c, t, x, here: at.append((t, *here)) or 0, [])\n"


def from_formula(finding: Finding, subject: Subject) -> Tail | None:
    at = finding.at
    if "part" in at:
        k, of_both = ("x_0", "epsilon").index(at["part"]), "(level[0] ** 2 + level[1] ** 2) ** 0.5"
        return Tail(f"level = trained({time(at['told'])})\ngot = level[{k}] / {of_both}\n", ("trained",))
    if finding.measured is None:
        return counted()
    told = [time(t) for t in subject.target.told().tolist()]
    k = told.index(time(finding.expected or 0.0))
    around = told[max(k - 1, 0)], told[min(k + 1, len(told) - 1)]
    text = f"told = []\nseen(0, lambda c, t, x: told.append(t) or 0, [])\ngot = sorted(set(told))[{k}]\n"
    return Tail(text, holds=f"{around[0]} <= got <= {around[1]}")


def counted() -> Tail:
    """How many levels the network is told of."""
    text = "told = []\nseen(0, lambda c, t, x: told.append(t) or 0, [])\ngot = len(set(told))  # levels\n"
    return Tail(text)


def conditioning(finding: Finding, subject: Subject) -> Tail | None:
    """Sigma where the sampler is, and by what the network is told."""
    own, told = finding.expected, finding.got
    if not own or not told or not finding.bound or abs(np.log(own / told)) <= finding.bound:
        return None  # neither of these numbers tells by itself
    text = (
        f"{ALL_LEVELS}t, a, b = at[{finding.at['step']}]\nsigma = lambda a, b: b / a\n"
        "expected, got = sigma(a, b), sigma(*trained(t))\n"
    )
    holds = f"abs(log(got / expected)) <= {finding.bound!r}"
    return Tail(text, ("levels", "trained"), holds, "expected")


def grid(finding: Finding, subject: Subject) -> Tail | None:
    """How many levels there are, whether sigma falls, and where it begins."""
    n, step = finding.at["n"], finding.at.get("step")
    if finding.text.startswith("with the spacing"):
        return Tail("told = []\nseen(0, lambda c, t, x: told.append(t) or 0, [])\ngot = told[0]\n")
    if step is None:
        if finding.got == len(set(subject.table(n).told)):
            return counted()
        text = f"{ALL_LEVELS}got = len({{level[1:] for level in at}})  # levels\n"
        return Tail(text, ("levels",))
    if finding.text.startswith("x begins") or own_first(subject)[0] != ITS_OWN:
        return None
    end = subject.levels(n)[-1]
    text = f"{SIGMAS}{ALL_LEVELS}at.append((0, *{end!r}))  # the end\n"
    text += f"expected, got = (sigma(*at[c][1:]) for c in {(step, step + 1)})  # it should fall\n"
    return Tail(text, ("levels",), "got < expected", "expected")


# ---------------------------------------------------------------- other predictions, numbers of steps and dtypes


def around_another(finding: Finding, subject: Subject) -> Tail | None:
    """A coefficient of the end, around one network and around another that means the same x_0."""
    at, of = finding.at, str(finding.at.get("coefficient of"))
    if of != "x" and not of.startswith("prediction"):
        return None
    x, says = ("1", "0") if of == "x" else ("0", f"float(c == {of.split()[-1]})")
    _, x_0 = reproducer_laws.of_data(subject.claims.prediction)
    other, _ = reproducer_laws.of_data(at["around"])
    text = (
        "def same(p, x, a, b):\n"
        f'    """What a network says of x = a x_0 + b epsilon that predicts {at["around"]}, where another says p."""\n'
        f"    x_0 = {x_0}\n    return {other}\n\n\n"
        f"expected = usual({x}, lambda c, t, x, here: {says}, [])[-1]\n"
        f"got = seen({x}, lambda c, t, x, here: same({says}, x, *here), [])[-1]\n"
    )
    return Tail(text, ("levels",), f"abs(got - expected) <= {finding.bound!r}", "expected")


def finite(finding: Finding, subject: Subject) -> Tail:
    text = (
        "for x in (0.5, -1.5):\n    got = seen(x, lambda c, t, x: tanh(x), [])\n    print(got)\n"
        '    assert all(map(isfinite, got)), "it is not finite"\n'
    )
    return Tail(text)


def dtypes(finding: Finding, subject: Subject) -> Tail | None:
    """A run of one particle in another precision, around the exact network."""
    n, dtype = finding.at["n"], finding.at["dtype"]
    if subject.claims.family == "consistency":
        return None
    text = f"m, v = 0.4, 0.6  # mean and variance of the data\n\n\n{reproducer_laws.best(subject)}\n\n"
    predict = "lambda c, t, x, here: best(x, *here)"
    x, noise, draws = starts(subject, n, SHAPE), scripted(), len(subject.table(n).after)
    z = np.array([noise(x.shape, ()) for _ in range(draws)]).reshape(draws, len(x))
    run = lambda row, dtype: f"seen({float(x.flat[row])!r}, {predict}, {z[:, row].tolist()}, {dtype})[-1]"
    if finding.measured is None:
        if "ends in" in finding.text:
            text += f"got = {run(0, repr(dtype))}.dtype\n"
            return Tail(text, ("arrays",), f"str(got).endswith({dtype!r})", repr(dtype))
        text += f"got = {run(0, repr(dtype))}\n"
        return Tail(text, ("arrays",), "isfinite(got.item())", "'a finite number'")
    ends = [ran(subject, n, dtype=each).end for each in ("float64", dtype)]
    row = int(np.argmax(np.abs(np.ravel(ends[0] - ends[1]))))
    allowed = (finding.bound or 0) * max(1.0, float(np.max(np.abs(ends[0]))))
    text += f"double, got = ({run(row, 'dtype')}.item() for dtype in ('float64', {dtype!r}))\n"
    return Tail(text, ("arrays",), f"abs(got - double) <= {allowed!r}", "double")


TABLES = {
    "P1": forward,
    "P2": sums,
    "P3": from_formula,
    "P5": conditioning,
    "P6": grid,
    "P23": finite,
    "P24": dtypes,
}


def again(outcome: Outcome, finding: Finding, subject: Subject) -> str:
    """The same question once more, through us."""
    n = finding.at.get("n")
    steps = f", steps=[{n}]" if isinstance(n, int) and n in subject.steps else ""
    target = subject.target
    return f"""\
# {spelled(target.spec, target.options)}, {outcome.id} {outcome.name}: {finding.text}
# This takes more than a few runs of one particle: noiseproof asks once more.
import noiseproof

if __name__ == "__main__":
    report = noiseproof.check({target.spec!r}, {target.options!r}{steps}, properties=[{outcome.id!r}])
    finding = report.outcomes[0].smallest
    print(finding.text, finding.at)
    print("expected", finding.expected, "got", finding.got)
    assert finding.verdict != "FAIL", "it does not hold"
"""
