"""Single steps: the coefficients of x, of the prediction and of fresh noise, beside those that are proved."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ..findings import FAIL, NOTE, PASS, Finding
from ..protocol import Level
from ..subject import NoReference, Subject
from ..target import Raised
from ..unrolled import Unrolled
from .exact import PARTS, alike, clash, held, judged, named, own_first, parts, rounding, with_few
from .property import EXACT, Property

Array = NDArray[np.float64]

BEFORE = 3  # the column of what came before, of which a step makes no use
ETAS = (0.0, 0.5, 1.0)
ENDS = (-1.0, 1.0)  # of what a network says of a variance that is learned


def same_steps(subject: Subject, n: int, method: str, columns: tuple[int, ...], first: int | None = None) -> Finding:
    """The first steps, or all, beside those of a method of ours between the same levels."""

    def sides(levels: list[Level], table: Unrolled) -> tuple[Array, Array]:
        reference = subject.reference_on(levels, method)
        if first is None:
            alike(table, reference, method)
        return parts(table)[:first, columns], parts(reference)[:first, columns]

    names = " and ".join(PARTS[k] for k in columns if k != BEFORE)
    place = lambda step, k: {"step": step, "coefficient of": PARTS[columns[k]]}
    return held(subject, subject.table(n), f"the coefficients of {names} are those of {method}", sides, place)


# ---------------------------------------------------------------- it is a table at all


def affine(subject: Subject) -> Iterator[Finding]:
    """Two runs of arbitrary numbers are the sums of their parts, and nothing is left where all is zero."""
    for n in subject.steps:
        table = subject.table(n)
        bound = rounding(subject.claims) * max(table.calls, 1)
        what = "a run is affine in the start, the predictions and the noise: nothing is clipped or thresholded"
        yield clash(judged(what, np.array([table.off]), np.zeros(1), bound, lambda _, n=n: {"n": n}))
        what = "a run from zero, with predictions and noise of zero, stays at zero"
        yield clash(judged(what, table.offsets, 0.0, bound, lambda step, n=n: {"n": n, "step": step}))


# ---------------------------------------------------------------- beside the kernels that are proved


def posterior_mean(subject: Subject) -> Iterator[Finding]:
    yield from with_few(subject, lambda n: [same_steps(subject, n, "ddpm", (0, 1, 3))])


def posterior_variance(subject: Subject) -> Iterator[Finding]:
    yield from with_few(subject, lambda n: of_variance(subject, (n,)))
    if subject.claims.variance == "middle":  # what is learned is a place between two ends
        for said in ENDS:
            try:
                with subject.target.otherwise({"predicted_variance": said}):
                    yield from of_variance(Subject(subject.target, subject.steps[:1]), subject.steps[:1])
            except Raised as refused:
                if not refused.call.startswith("loading"):
                    raise
                return  # it takes no such option


def of_variance(subject: Subject, steps: tuple[int, ...]) -> Iterator[Finding]:
    variance = subject.claims.variance

    def sides(levels: list[Level], table: Unrolled) -> tuple[Array, Array]:
        expected = betas(levels)
        if variance == "middle":
            expected = np.sqrt(expected * parts(subject.reference_on(levels, "ddpm"))[:, 2])
        return parts(table)[:, 2], expected

    for n in steps:
        if variance in (None, "small"):
            yield same_steps(subject, n, "ddpm", (2,))
            continue
        of = "the forward step, beta" if variance == "large" else "the middle between beta and the posterior's"
        yield held(subject, subject.table(n), f"the noise of each step but the last has the variance of {of}", sides)


def betas(levels: list[Level]) -> Array:
    """Standard deviations of forward steps between levels, in the units of the cleaner one; none at the end."""
    a, b = np.array(levels).T
    bar = a**2 / (a**2 + b**2)
    return np.where(b[1:] > 0, np.hypot(a, b)[1:] * np.sqrt(1 - bar[:-1] / bar[1:]), 0.0)


def last_step(subject: Subject) -> Iterator[Finding]:
    for n in subject.steps:
        table = subject.table(n)
        if subject.claims.deterministic:
            what = "it claims to be deterministic, and no noise has a part in it"
            place = lambda row, k, n=n: {"n": n, "step": max(row - 1, 0), "draw": k}
            if table.of_noise.size:
                yield judged(what, table.of_noise, 0.0, rounding(subject.claims), place)
            else:
                yield Finding(PASS, what, 0.0, at={"n": n})
            continue
        expected = 0.0
        with contextlib.suppress(NoReference):
            expected = (
                parts(subject.reference(n, own_first(subject)[0]))[-1, 2]
                if subject.claims.method and subject.oracles
                else 0.0
            )
        what = "the last step draws no noise" if not expected else "the last step draws the noise of its method"
        got = np.array([parts(table)[-1, 2]])
        finding = judged(
            what,
            got,
            np.array([expected]),
            rounding(subject.claims),
            lambda _, n=n: {"n": n, "step": subject.table(n).calls - 1},
        )
        diagnosis = "last step" if finding.verdict == FAIL else ""
        if diagnosis and subject.claims.family == "sde" and subject.claims.method is None and subject.claims.ends_at:
            what = "the last step draws noise, and it promises to end where some is left"
            yield replace(finding, verdict=NOTE, text=what)
            continue
        yield replace(finding, diagnosis=diagnosis)


def eta_family(subject: Subject) -> Iterator[Finding]:
    """What it was asked for, and where the option can be given: none, half and all of the noise of DDPM."""
    yield from with_few(subject, lambda n: of_eta(subject, (n,)))
    for eta in ETAS:
        if eta == subject.claims.eta:
            continue
        try:
            with subject.target.otherwise({"eta": eta}):
                yield from of_eta(Subject(subject.target, subject.steps[:1]), subject.steps[:1])
        except Raised as refused:
            if not refused.call.startswith("loading"):
                raise
            return  # it takes no such option


def of_eta(subject: Subject, steps: tuple[int, ...]) -> Iterator[Finding]:
    eta = subject.claims.eta or 0.0
    for n in steps:
        finding = same_steps(subject, n, f"ddim(eta={eta!r})", (0, 1, 2, 3))
        yield replace(finding, at={**finding.at, "eta": eta})


def first_order(subject: Subject) -> Iterator[Finding]:
    """All steps of a method of order one, and the first step of any: nothing is remembered yet."""
    method = "ddim" if subject.claims.deterministic else "ddpm"
    first = None if subject.claims.order == 1 else 1
    yield from with_few(subject, lambda n: [same_steps(subject, n, method, (0, 1, 2, 3), first)])


def whole_run(subject: Subject) -> Iterator[Finding]:
    """All coefficients of the run: of every input of the network and of the end, in all that came before."""
    jumping = subject.claims.family == "consistency"
    method = "consistency sampling" if jumping else subject.claims.method or ""

    def found(n: int) -> Iterator[Finding]:
        table = subject.table(n)

        def sides(levels: list[Level], table: Unrolled) -> tuple[Array, Array]:
            reference = subject.jumping(table, levels) if jumping else subject.reference_on(levels)
            alike(table, reference, method)
            return matrix(table), matrix(reference)

        place = lambda row, column, C=table.calls: {"step": max(row - 1, 0), "coefficient of": named(column, C)}
        yield held(subject, table, f"every coefficient of the run is that of {method}", sides, place)

    yield from with_few(subject, found)


def matrix(table: Unrolled) -> Array:
    """Rows for the inputs and the end; columns for x where it begins, the predictions, and the noise of each step.

    Normals have no sign, and a step may draw several: what counts is what a step's noise does to the next input, and
    from there on.
    """
    noise = np.zeros((table.calls + 1, table.calls + 1))
    for g in range(table.calls + 1):
        draws = [k for k, at in enumerate(table.after) if at == g]
        of = table.of_noise[:, draws]
        seen = np.flatnonzero(np.any(of, axis=1))
        if len(seen):
            shares = of @ table.together[np.ix_(draws, draws)] @ of[seen[0]]
            noise[:, g] = shares / np.sqrt(max(shares[seen[0]], np.finfo(float).tiny))
    start = table.of_x[:, None] / (table.of_x[0] or 1.0)
    return np.hstack([start, table.of_predictions, noise])


# ---------------------------------------------------------------- whom they concern


def ancestral(subject: Subject) -> str | None:
    return None if subject.claims.family == "ancestral" else "it does not claim to draw from the kernel given both ends"


def with_eta(subject: Subject) -> str | None:
    return None if subject.claims.family == "ddim" else "it does not claim to be one of the family of DDIM"


def reducing(subject: Subject) -> str | None:
    if subject.claims.deterministic or (subject.claims.method or "").startswith("sde-dpmpp"):
        return None
    return "it follows neither the flow nor the reverse diffusion with the predicted data held"


def of_ours(subject: Subject) -> str | None:
    named = subject.claims.method or subject.claims.family == "consistency"
    return None if named else "it claims to be none of our samplers"


def asking(subject: Subject) -> str | None:
    return None if subject.table(subject.steps[0]).calls else "it asks no network"


PROPERTIES = (
    Property("P0", "affine", EXACT, affine),
    Property("P8", "posterior-mean", EXACT, posterior_mean, ancestral, ("reversal.posterior-mean",)),
    Property("P9", "posterior-variance", EXACT, posterior_variance, ancestral, ("reversal.posterior-variance",)),
    Property("P10", "last-step", EXACT, last_step, asking),
    Property("P11", "eta-family", EXACT, eta_family, with_eta, ("sampler.ddim-eta", "sampler.ddim-marginals")),
    Property("P16", "first-order", EXACT, first_order, reducing, ("sampler.ddim-marginals", "sampler.dpmpp-2m")),
    Property("P21", "reference", EXACT, whole_run, of_ours),
)
