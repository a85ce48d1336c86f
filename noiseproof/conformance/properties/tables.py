"""Tables: the levels of training, what the network is told of them, and which of them a run visits."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import mpmath
import numpy as np
from numpy.typing import NDArray

from ..findings import FAIL, NOTE, PASS, Finding
from ..protocol import Claims, Level
from ..subject import TOLD, NoReference, Subject
from ..target import Hung
from ..unrolled import SHAPE, Unrolled
from .exact import SINGLE, TIMES, at_levels, epsilon, held, judged, own_first, rounding
from .property import EXACT, Property

Array = NDArray[np.float64]

SAMPLES = 9  # of the levels of training, where it takes long to ask for all
DIGITS = 30
LARGEST = 1e30  # stands for the infinite sigma of a level without signal
PARTS = ("x_0", "epsilon")

Place = Callable[..., dict[str, Any]]


def training(subject: Subject) -> tuple[Array, list[Level]]:
    """All that the network was told in training, clean to noisy, and the levels there."""
    told = subject.target.told()
    return told, [(float(a), float(b)) for a, b in subject.target.trained(told.tolist())]


def sigmas(levels: Sequence[Level]) -> Array:
    a, b = np.array(levels).T
    with np.errstate(divide="ignore"):
        return np.minimum(b / a, LARGEST)


def directions(levels: Sequence[Level]) -> Array:
    """Scale and noise, where their squares add up to one."""
    pairs = np.array(levels)
    return pairs / np.hypot(*pairs.T)[:, None]


def broken(found: bool, text: str, expected: float, got: float, **at: int | float | str) -> Finding:
    """A yes or no, with the numbers that say so."""
    diagnosis = "table" if found else ""
    return Finding(FAIL if found else PASS, text, expected=expected, got=got, at=at, diagnosis=diagnosis)


def of_the_table(finding: Finding) -> Finding:
    return replace(finding, diagnosis="table") if finding.verdict == FAIL else finding


# ---------------------------------------------------------------- the forward process


def forward_marginal(subject: Subject) -> Iterator[Finding]:
    """What it adds to data has the weights of its table, before a run is configured and after."""
    weights = []

    def seen(told: Array, n: int | None) -> Array:
        x_0, epsilon = np.eye(2)[:, :, None, None, None]
        found = [subject.target.add_noise(x_0, epsilon, float(t), n).reshape(2) for t in told]
        weights.extend(found)
        return np.array(found)

    what = "what is added to data has the weights of the level"
    place = lambda told, row, k: {"told": float(told[row]), "weight of": PARTS[k]}
    if subject.can("told", "trained"):
        told, levels = training(subject)
        some = np.unique(np.linspace(0, len(told) - 1, SAMPLES).round().astype(int))
        got = directions(seen(told[some], None))  # type: ignore[arg-type]
        sides = lambda at, _: (got, directions(at))
        of = f"{what}, before a run is configured"
        yield of_the_table(at_levels(subject, [levels[k] for k in some], of, sides, partial(place, told[some])))
    for n in subject.steps:
        table = subject.table(n)
        if not table.calls:
            raise NoReference("it asks no network")
        asked = slice(None) if table.calls == n else slice(1)  # between two levels there is nothing to look up
        got = directions(seen(table.told[asked], n))  # type: ignore[arg-type]
        sides = lambda at, _, got=got, asked=asked: (got, directions(at[:-1])[asked])
        of = f"{what}, after a run is configured"
        yield of_the_table(held(subject, table, of, sides, partial(place, table.told)))
    yield one_convention(subject, "the weights of what is added to data", np.array(weights))


def one_convention(subject: Subject, what: str, levels: Array, **at: int) -> Finding:
    """Squares of scale and noise add up to 1, where data may have another variance; or scales are 1; or both add up."""
    a, b = levels.T
    some = a > 0.1
    of_data = np.median((1 - b[some] ** 2) / a[some] ** 2) if np.any(some) else 1.0
    conventions = {
        "variance is preserved": np.hypot(a, b) - 1,
        "data keep their scale": a - 1,
        "scale and noise add up to one": a + b - 1,
        f"variance is preserved for data of the variance {of_data:.3g}": a**2 * of_data + b**2 - 1,
    }
    name, off = min(conventions.items(), key=lambda each: np.max(np.abs(each[1])))
    worst = int(np.argmax(np.abs(off)))
    measured, bound = float(np.abs(off[worst])), float(rounding(subject.claims))
    text, good = f"{what} keep one convention: {name}", measured <= bound
    where = {**at, "level": worst}
    return Finding(PASS if good else FAIL, text, measured, bound, at=where, diagnosis="" if good else "table")


def sums(subject: Subject) -> Iterator[Finding]:
    if subject.can("told", "trained"):
        told, levels = training(subject)
        yield one_convention(subject, "the levels of training", np.array(levels))
        yield falling(subject.claims, levels[::-1], told[::-1].tolist())
    for n in subject.steps:
        for by in subject.oracles:
            name = "the levels by what the network is told" if by == TOLD else "its own levels"
            yield one_convention(subject, name, unchurned(subject.table(n), subject.levels(n, by)[:-1]), n=n)


def unchurned(table: Unrolled, levels: Sequence[Level]) -> Array:
    """The levels to which noise was not raised just before: there it is what it is."""
    up = np.diff(sigmas(levels), prepend=0.0) > 0
    kept = np.array([level for c, level in enumerate(levels) if not (up[c] and c in table.after)])
    return kept if len(kept) else np.array(levels)


def falling(claims: Claims, levels: Sequence[Level], told: Sequence[float]) -> Finding:
    """From noisy to clean the signal-to-noise ratio rises at every level of training.

    Where it claims to be zero, a small one may stand in its place, so that sigma is finite: which one does not matter
    as long as alpha_bar beside 1 is less than a rounding, there and at the next level.
    """
    found = sigmas(levels)
    wrong = np.flatnonzero(np.diff(found) >= 0)
    k = int(wrong[0]) if len(wrong) else 0
    text = "the signal-to-noise ratio of training falls strictly with time: sigma at the next level is below"
    finding = broken(len(wrong) > 0, text, found[k], found[min(k + 1, len(found) - 1)], told=float(told[k]))
    bars = directions(levels)[:, 0] ** 2
    if len(wrong) and claims.zero_terminal_snr and np.all(np.maximum(bars[wrong], bars[wrong + 1]) <= SINGLE):
        text = "a small signal-to-noise ratio stands in the place of zero, and it is above that of the next level"
        return replace(finding, verdict=NOTE, text=text, diagnosis="")
    return finding


# ---------------------------------------------------------------- the table, made anew


def recomputed(subject: Subject) -> Iterator[Finding]:
    """The levels of training by the formula of the schedule, with thirty digits; a run of T steps visits them."""
    told, levels = training(subject)
    claims = subject.claims
    if claims.schedule:
        expected = made(claims, len(told))
        last = len(told) - claims.zero_terminal_snr  # whether the last one is zero is asked by P4
        place = lambda row, k: {"told": float(told[row]), "part": PARTS[k]}
        yield of_the_table(judged_table(subject, levels, expected, last, place))
    if in_full(subject, len(told)):
        with contextlib.suppress(Hung):  # a run that long may take longer than is allowed, and that is no answer
            yield every_level(subject, told)


def in_full(subject: Subject, T: int) -> bool:
    """Whether a run can visit all levels of training, and would if it is asked for as many steps."""
    claims, n = subject.claims, subject.steps[0]
    spaced = claims.spacing is not None or claims.schedule.get("sigmas") == "flow"
    return spaced and subject.table(n).calls == n and (claims.most is None or claims.most >= T)


def judged_table(subject: Subject, levels: list[Level], expected: list[Level], last: int, place: Place) -> Finding:
    """The bound of a table: alpha_bar, of which 1 - alpha_bar is taken, is a product that is rounded."""
    got, ought = directions(levels)[:last], directions(expected)[:last]
    with np.errstate(divide="ignore"):
        condition = np.stack([ought[:, 0], ought[:, 0] ** 2 / np.maximum(ought[:, 1], 1e-300)], axis=1) / 2
    bound = np.maximum(TIMES * epsilon(subject.claims) * (condition + ought), rounding(subject.claims))
    return judged("the levels of training are those of its schedule", got, ought, bound, place)


def made(claims: Claims, T: int) -> list[Level]:
    """The levels of training, clean to noisy, from the formula.  Raises NoReference for one that is not known."""
    says = {"start": None, "end": None, "clip": 0.999, "offset": 0.008, "rho": 7.0, "shift": 1.0, **claims.schedule}
    mp = mpmath.mp.clone()
    mp.dps = DIGITS

    def number(name: str, default: str | float) -> Any:
        try:
            return mp.mpf(default if says[name] is None else says[name])
        except (TypeError, ValueError):
            raise NoReference(f"{name} of its schedule is {says[name]!r}; expected a number") from None

    ramp = [mp.mpf(i) / max(T - 1, 1) for i in range(T)]
    if says.get("sigmas") == "karras":
        rho, start, end = number("rho", 7), number("start", 0.002), number("end", 80)
        return [(1.0, float((start ** (1 / rho) + r * (end ** (1 / rho) - start ** (1 / rho))) ** rho)) for r in ramp]
    if says.get("sigmas") == "flow":
        shift = number("shift", 1)
        times = [mp.mpf(i + 1) / T for i in range(T)]
        found = [shift * t / (1 + (shift - 1) * t) for t in times]
        return [(float(1 - s), float(s)) for s in found]
    match says.get("betas"):
        case "linear":
            start, end = number("start", "1e-4"), number("end", "0.02")
            betas = [start + r * (end - start) for r in ramp]
        case "scaled-linear":
            start, end = mp.sqrt(number("start", "0.00085")), mp.sqrt(number("end", "0.012"))
            betas = [(start + r * (end - start)) ** 2 for r in ramp]
        case "cosine":
            offset = number("offset", "0.008")
            f = [mp.cos((mp.mpf(i) / T + offset) / (1 + offset) * mp.pi / 2) ** 2 for i in range(T + 1)]
            betas = [min(1 - f[i + 1] / f[i], number("clip", 0.999)) for i in range(T)]
        case other:
            raise NoReference(f"there is no formula for the schedule {other or claims.schedule}")
    bars, product = [], mp.mpf(1)
    for beta in betas:
        product *= 1 - beta
        bars.append(product)
    if claims.zero_terminal_snr:
        roots = [mp.sqrt(bar) for bar in bars]
        bars = [((root - roots[-1]) * roots[0] / (roots[0] - roots[-1])) ** 2 for root in roots]
    return [(float(mp.sqrt(bar)), float(mp.sqrt(1 - bar))) for bar in bars]


def every_level(subject: Subject, told: Array) -> Finding:
    """In as many steps as there are levels of training a run visits them, each to within the next one."""
    T, zeros = len(told), np.zeros((1, *SHAPE))
    run = subject.target.run(zeros, T, lambda call: 0 * call.x, lambda shape, _: np.zeros(shape), finite=False)
    visited = np.unique([call.told for call in run.calls])
    if len(visited) != T:
        return broken(True, "a run of as many steps as there are levels visits as many", T, len(visited), n=T)
    off = np.abs(np.interp(visited, told, np.arange(T)) - np.arange(T))
    k = int(np.argmax(off))
    text = "a run of as many steps as there are levels of training visits them, each to within the next one"
    finding = broken(off[k] > 1 + rounding(subject.claims, T), text, float(told[k]), float(visited[k]), n=T)
    return replace(finding, measured=float(off[k]), bound=1.0)


# ---------------------------------------------------------------- where it begins


def terminal(subject: Subject) -> Iterator[Finding]:
    claims = subject.claims
    if subject.can("told", "trained"):
        _, levels = training(subject)
        bar = float(directions(levels)[-1, 0] ** 2)
        text = f"alpha_bar at the noisiest level of training is {bar:.3g}"
        verdict = PASS if not claims.zero_terminal_snr or bar == 0 else NOTE if bar <= SINGLE else FAIL
        if claims.zero_terminal_snr:
            text += ", and it claims to be zero" if bar else ", as it claims"
        diagnosis = "table" if verdict == FAIL else ""
        yield Finding(verdict, text, bar, 0.0 if claims.zero_terminal_snr else None, diagnosis=diagnosis)
        noisiest = float(sigmas(levels)[-1])
        for n in subject.steps:
            first = float(sigmas(subject.levels(n, own_first(subject)[0])[:1])[0])
            below = first < noisiest * (1 - rounding(claims))
            text = (
                "a run begins at the noisiest level of training"
                if not below
                else (
                    f"a run begins at sigma = {first:.4g}, below the noisiest level of training, {noisiest:.4g}: noise "
                    "alone is not what the network expects there"
                )
            )
            yield Finding(NOTE if below else PASS, text, expected=noisiest, got=first, at={"n": n, "step": 0})
    for n in subject.steps:
        a, b = subject.levels(n, own_first(subject)[0])[0]
        bar = a * a / (a * a + b * b)
        apart = float(np.hypot(np.sqrt(bar), 1 - np.sqrt(1 - bar)))
        text = f"a start from noise alone is W2 = {apart:.3g} from x there, for data that are the point 1"
        yield Finding(PASS, text, apart, at={"n": n})


# ---------------------------------------------------------------- whom they concern


def needs(*names: str) -> Callable[[Subject], str | None]:
    return lambda subject: None if subject.can(*names) else f"the adapter does not offer {' and '.join(names)}"


def with_formula(subject: Subject) -> str | None:
    if why := needs("told", "trained")(subject):
        return why
    return None if subject.claims.schedule or subject.claims.spacing else "no formula for its levels is claimed"


def with_levels(subject: Subject) -> str | None:
    if not subject.table(subject.steps[0]).calls:
        return "it asks no network"
    return None if subject.oracles else "the adapter does not say at which levels the network is asked"


PROPERTIES = (
    Property("P1", "forward-marginal", EXACT, forward_marginal, needs("add_noise"), ("forward.marginal",)),
    Property("P2", "sums-and-monotone", EXACT, sums, with_levels, ("forward.snr-monotone",)),
    Property("P3", "table-from-formula", EXACT, recomputed, with_formula, ("forward.marginal",)),
    Property("P4", "terminal-snr", EXACT, terminal, with_levels, ("forward.terminal", "forward.zero-terminal-snr")),
)
