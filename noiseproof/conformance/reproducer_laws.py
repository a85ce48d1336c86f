"""The second half of a reproducer, where a law or an order fails: the exact network in closed form, and a few runs.

For data N(m, v) the best prediction is affine, so that a run is: the mean of its end is that of a run from the mean of
the start without noise, and one run more for the start and for each draw tells the deviation.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from numerics.solvers import moments
from numerics.solvers.transport import law, midpoints, quantile, transported

from .findings import FAIL, Finding, Outcome
from .properties.ends import GAUSSIANS, LAST, PARTS, SMOOTH, Chain, chain
from .properties.exact import own_first
from .properties.laws import counts, referred
from .properties.orders import FINAL, FIRST, smooth
from .scripts import Tail
from .subject import ITS_OWN, TOLD, NoReference, Subject, kind_of

FROM_DATA = {  # predictions, of x = a x_0 + b epsilon, and what x_0 is in terms of one
    "x_0": ("x_0", "p"),
    "noise": ("(x - a * x_0) / b", "(x - b * p) / a"),
    "v": ("(a * x - (a * a + b * b) * x_0) / b", "(a * x - b * p) / (a * a + b * b)"),
    "velocity": ("((a + b) * x_0 - x) / b", "(x + b * p) / (a + b)"),
}
ORDERS = ("P17", "P18", "P19")
OVERLAP = 1e-12  # of increments of a Brownian path


def of_data(prediction: str) -> tuple[str, str]:
    """A prediction in terms of x_0, and x_0 in terms of it.  Raises NoReference for one that is none of ours."""
    kind, sign = kind_of(prediction)
    here, back = FROM_DATA[kind]
    return (here, back) if sign > 0 else (f"-({here})", back.replace("p", "-p"))


def best(subject: Subject) -> str:
    """The function ``best(x, a, b)``."""
    return (
        "def best(x, a, b):\n"
        f'    """What a network says that knows these data, at x = a x_0 + b epsilon: {subject.claims.prediction}."""\n'
        f"    x_0 = m + a * v / (a * a * v + b * b) * (x - a * m)\n    return {of_data(subject.claims.prediction)[0]}\n"
    )


MIXTURE = '''\
weights, means, variances = {weights}, {means}, {variances}  # of the data


def best(x, a, b):
    """What a network says that knows these data, at x = a x_0 + b epsilon: {prediction}."""
    parts = [(m, a * v / (a * a * v + b * b), a * a * v + b * b) for m, v in zip(means, variances)]
    likely = [w * exp(-(x - a * m) ** 2 / (2 * s)) / s**0.5 for w, (m, _, s) in zip(weights, parts)]
    x_0 = sum(w * (m + pull * (x - a * m)) for w, (m, pull, _) in zip(likely, parts)) / sum(likely)
    return {returned}
'''

LAW = '''\
m, v = {mean}, {variance}  # mean and variance of the data
begin = {begin}  # {of_begin}


{best}

def law(n):
    """Mean and deviation {where}, and what those of the data are there."""
    {begun} = begin[n]
    at = []

    def run({z}):
        x = scale * m + z * (scale**2 * v + noise**2) ** 0.5
        return seen(x, lambda c, t, x, here: {says}, {draws}, {given})[{row}]

    mean = run(0)
    sd = {sd}
    a, b = {level}
    return mean, sd, a * m, (a * a * v + b * b) ** 0.5


'''
ERROR = """\
def error(n):
    mean, sd, *exact = law(n)
    return hypot(mean - exact[0], sd - exact[1])


"""


def tail(outcome: Outcome, finding: Finding, subject: Subject) -> Tail | None:
    """What P17 to P20 and P22 ask, or None where it takes more than a few runs of one particle."""
    at = finding.at
    if finding.got is None or finding.bound is None:
        return None
    if subject.claims.family == "consistency":
        return of_jumps(finding, subject) if at.get("data") in GAUSSIANS else None
    if outcome.id in ORDERS:
        return rate(outcome.id, finding, subject)
    if not isinstance(at.get("n"), int):
        return None
    n = at["n"]
    if outcome.id == "P22":
        few = max(counts(subject)[0] // 2, 2)
        before = [m for m in (n // 4, n // 2) if m >= max(few, subject.claims.least)]
        head = errors_of(subject, at["data"], [*before, n], end=True)
        text = f"expected, got = max(error(n) for n in {before}), error({n})  # should not be much more\n"
        return Tail(head + text, ("levels",), f"got <= {finding.bound!r}", "expected")
    if at.get("data") not in GAUSSIANS:
        return None
    head = gaussian(subject, at["data"], [n], end=True)
    if subject.claims.method is None:
        return Tail(f"{head}{ERROR}got = error({n})\n", ("levels",), f"got <= {finding.bound!r}")
    wanted = referred(chain(subject, n), subject.claims.method).laws(GAUSSIANS[at["data"]])[-1]
    text = (
        f"mean, got, *_ = law({n})\nexpected = {wanted.mean!r}, {wanted.variance**0.5!r}  # {subject.claims.method}\n"
    )
    holds = f"hypot(mean - expected[0], got - expected[1]) <= {finding.bound!r}"
    return Tail(head + text, ("levels",), holds, "expected[1]")


JUMPS = """\
begin = {begin}  # mean and deviation of x
says = [  # gains and constants: what the network says of x, that knows where trajectories end
{says}]
mean = seen(begin[0], lambda c, t, x: says[c][0] * x + says[c][1], [])[-1]
only = lambda x, draws: seen(x, lambda c, t, x: says[c][0] * x, draws)[-1]
parts = [only(begin[1], []), *(only(0, [0] * k + [1]) for k in range({draws}))]  # of the start, and of each draw
got, expected = hypot(*parts), {expected}  # deviations, and the mean of the data is {mean}
"""


def of_jumps(finding: Finding, subject: Subject) -> Tail:
    """The law where consistency sampling ends."""
    world, run = GAUSSIANS[finding.at["data"]], chain(subject, finding.at["n"], own_first(subject)[0])
    given = float(world.mean), float(world.variance)
    begin, end = (moments.exact(*given, level) for level in (run.start, run.at(-1)))
    says = subject.answers(*given, run.table, run.seen)
    text = JUMPS.format(
        begin=(float(begin.mean), float(begin.variance**0.5)),
        says="".join(f"    ({gain!r}, {constant!r}),\n" for gain, constant in says),
        draws=len(run.table.after),
        expected=float(end.variance**0.5),
        mean=float(end.mean),
    )
    return Tail(
        text, holds=f"hypot(mean - {float(end.mean)!r}, got - expected) <= {finding.bound!r}", expected="expected"
    )


def clearest(outcome: Outcome, finding: Finding) -> Finding:
    """The finding that a script shows: of one about Gaussian data and one about another world the first."""
    failed = [f for f in outcome.findings if f.verdict == FAIL and f.got is not None]
    found = next((f for f in failed if f.at.get("data") in GAUSSIANS), finding)
    return found if outcome.id in (*ORDERS, "P22") else finding


def rate(id: str, finding: Finding, subject: Subject) -> Tail | None:
    """How an error falls, over the doublings by which it was judged."""
    several, rates = finding.at["n"], finding.at["order"]
    if id == "P19":  # the largest of the last three errors, against the last one
        k: int | None = max(len(several) - 3, 0)
    else:
        k = next((k for k in range(len(rates) - 1) if finding.got == max(rates[k : k + 2])), None)
    if k is None or finding.expected is None or finding.bound is None:
        return None
    asked, data = several[k : k + 3], str(finding.at["data"])
    on, told = id != "P19", finding.diagnosis == "table" or ITS_OWN not in subject.oracles
    head = errors_of(subject, data, asked, on=on, told=told)
    first = "max(errors)" if id == "P19" else "errors[0]"
    text = (
        f"errors = [error(n) for n in {asked}]\nprint(errors)\n"
        f"got = log2({first} / errors[-1]) / {len(asked) - 1}  # the order of the error\n"
    )
    holds = f"got >= {finding.expected - finding.bound!r}"
    return Tail(head + text, ("on" if on else "levels", *["trained"] * told), holds)


def errors_of(subject: Subject, data: str, several: Sequence[int], **how: bool) -> str:
    """The function ``error(n)``, and what it needs."""
    if data in GAUSSIANS:
        return gaussian(subject, data, several, **how) + ERROR
    return trajectories(subject, several, **how)


def runs(subject: Subject, several: Sequence[int], on: bool, told: bool = False) -> dict[int, Chain]:
    found = {n: smooth(subject, n) if on else chain(subject, n, TOLD if told else None) for n in several}
    for run in found.values():
        if not all(noise for _, noise in run.seen[:-1]):
            raise NoReference("it asks the network where there is no noise")
        if np.any(np.abs(run.table.together - np.eye(len(run.table.after))) > OVERLAP):
            raise NoReference("its draws are parts of one path")
    return found


def gaussian(
    subject: Subject, data: str, several: Sequence[int], end: bool = False, on: bool = False, told: bool = False
) -> str:
    """The functions ``law(n)`` and ``error(n)``, at the end or where the network is asked last."""
    found, world = runs(subject, several, on, told), GAUSSIANS[data]
    last, draws = next(iter(found.values())).states[-1], any(run.draws for run in found.values())
    begin = {n: (run.start.scale, run.start.noise, *[len(run.table.after)] * draws) for n, run in found.items()}
    spread = "hypot(run(1) - mean, *(run(0, *[0] * k, 1) - mean for k in range(K)))"
    says = f"best(x, *{'trained(t)' if told else 'here'})"
    return LAW.format(
        mean=float(world.mean),
        variance=float(world.variance),
        begin=begin,
        of_begin="scale and noise of x, and the number of draws" if draws else "scale and noise of x at the start",
        best=best(subject),
        where="at the end" if end else "of what the network is handed last",
        begun="scale, noise, K" if draws else "scale, noise",
        z="z, *draws" if draws else "z",
        says=says if end else f"at.append({'trained(t)' if ITS_OWN not in subject.oracles else 'here'}) or {says}",
        draws="[*draws]" if draws else "[]",
        given=on_sigmas(on),
        row=-1 if end else LAST,
        sd=spread if draws else "abs(run(1) - mean)",
        level=repr(last) if end else "at[-1]",
    ).replace("    at = []\n", "    at = []\n" * (not end))


def on_sigmas(on: bool) -> str:
    return f"[{FIRST} * ({FINAL} / {FIRST}) ** (k / n) for k in range(n + 1)] + [0]" if on else "n"


def trajectories(
    subject: Subject, several: Sequence[int], end: bool = False, on: bool = False, told: bool = False
) -> str:
    """The functions ``best`` and ``error(n)`` for the mixture: of the trajectory that ends furthest from its end."""
    found, world = runs(subject, several, on, told), SMOOTH
    if any(run.draws for run in found.values()):
        raise NoReference("mixtures are asked for trajectories only")
    ways, at = {}, -1 if end else LAST
    for n, run in found.items():
        x = quantile(law(world, run.start), midpoints(PARTS))
        ways[n] = x, transported(world, x, run.start, run.at(at)), run.paths(world, x)[at]
    _, exact, got = ways[several[-1]]
    worst = int(np.argmax(np.abs(got - exact)))
    pairs = {n: (float(x[worst]), float(exact[worst])) for n, (x, exact, _) in ways.items()}
    numbers = {"weights": world.weights, "means": world.centres + world.shift, "variances": world.spread.spectra}
    lists = {name: np.ravel(values).tolist() for name, values in numbers.items()}
    prediction, asked = subject.claims.prediction, "trained(t)" if told else "here"
    return (
        MIXTURE.format(**lists, prediction=prediction, returned=of_data(prediction)[0])
        + f"\n\nways = {pairs}  # where a trajectory begins, and where it leads\n\n\n"
        "def error(n):\n    x, exact = ways[n]\n"
        f"    found = seen(x, lambda c, t, x, here: best(x, *{asked}), [], {on_sigmas(on)})\n"
        f"    return abs(found[{at}] - exact)\n\n\n"
    )
