"""Where runs end on the sampler's own grids: in the limit of many steps, and for the numbers of steps asked for.

A method has an error of its own, so a sampler that claims one is held to what that method does on the same levels, and
to the data only in the limit.  Where none is claimed, the first-order method of its kind is the yardstick.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np

from numerics.solvers import moments
from numerics.solvers.transport import law
from numerics.worlds import Mixture, mixture

from ..findings import FAIL, INCONCLUSIVE, NOTE, PASS, SKIP, Finding
from ..subject import ITS_OWN, TOLD, NoReference, Subject
from ..unrolled import Unrolled
from .consistency import exact_for_every_n
from .ends import GAUSSIANS, LAST, SHAKES, SMOOTH, Array, Chain, apart, chain, claims_order, vanishing
from .exact import DOUBLE, TIMES, own_first, rounding
from .property import BOOLEAN, EXACT, ORDER, Property
from .sampled import beyond, by_chance, drawn

MANY, MOST = 192, 768  # steps on its own grid
ENOUGH = MANY // 4  # of these, for draws that are compared with those of a first-order method
CONVERGES, STAYS = 0.5, 0.2  # local orders of an error that vanishes, and of one that does not
HALF_AGAIN = 1.5
APART = mixture([0.35, 0.65], [[-1.2, 0.9], [1.1, -0.6]], [0.09 * np.eye(2), np.diag([0.16, 0.04])])  # two modes
MIXTURES = {"a smooth mixture": SMOOTH, "two modes in the plane": APART}
DRAWS = 2000


def counts(subject: Subject) -> list[int]:
    """Doublings, the last of them many steps, or as many as there can be."""
    most = min(subject.claims.most or MANY, MANY)
    least = max(most // 8, subject.claims.least, 2)
    return [least << k for k in range(4) if least << k <= most]


def worlds(subject: Subject) -> dict[str, Mixture]:
    draws = chain(subject, subject.steps[0]).draws
    return GAUSSIANS if draws else {"a smooth mixture": SMOOTH, **dict(list(GAUSSIANS.items())[:1])}


def vanishes(subject: Subject, by: str, world: Mixture, name: str) -> Finding:
    """Whether the error before the last step goes to zero."""
    run = cache(lambda n: chain(subject, n, by))
    most = min(subject.claims.most or MOST, MOST)
    text = f"more steps lead to the data, for {name}"
    return vanishing(lambda n: run(n).missed(world), counts(subject), most, CONVERGES, STAYS, text, name)


def consistent(subject: Subject) -> Iterator[Finding]:
    if len(counts(subject)) < 3:
        raise NoReference("it takes too few steps for a limit to be seen")
    for name, world in worlds(subject).items():
        found = {by: vanishes(subject, by, world, name) for by in subject.oracles}
        failed = [by for by, finding in found.items() if finding.verdict == FAIL]
        first = found[failed[0] if failed else subject.oracles[0]]
        if failed:
            table = failed == [TOLD] and ITS_OWN in found
            first = replace(first, diagnosis="table" if table else "update rule")
        if first.verdict == INCONCLUSIVE and 2 * first.at["n"][-1] > (subject.claims.most or MOST):
            first = Finding(SKIP, f"{first.text}: it takes too few steps for a limit to be seen", at=first.at)
        yield first


# ---------------------------------------------------------------- the end, for the steps that are asked for


def final_law(subject: Subject) -> Iterator[Finding]:
    if subject.claims.family == "consistency":
        yield from exact_for_every_n(subject)
    elif subject.claims.method:
        for n in subject.steps:
            yield from as_the_method(subject, n)
    else:
        yield from by_the_yardstick(subject)


def as_the_method(subject: Subject, n: int) -> Iterator[Finding]:
    """Where the method ends that it claims to be, it ends: as laws of Gaussian data, and draw by draw for mixtures."""
    found: list[list[Finding]] = []
    for by in own_first(subject):
        got = chain(subject, n, by)
        expected = referred(got, subject.claims.method)
        found.append([*same_laws(got, expected), *same_draws(got, expected)])
        if all(finding.verdict == PASS for finding in found[-1]):
            break
    if not found:
        raise NoReference("the adapter does not say at which levels the network is asked")
    yield from found[-1] if all(finding.verdict == PASS for finding in found[-1]) else found[0]


def referred(got: Chain, method: str | None) -> Chain:
    """The run of a method of ours on the levels of the target's."""
    table = got.subject.reference_on(got.seen, method)
    levels = [*(level for level in table.levels if level is not None), got.states[-1]]
    return Chain(got.subject, table, levels, levels)


def same_laws(got: Chain, expected: Chain) -> Iterator[Finding]:
    for name, world in GAUSSIANS.items():
        ends = [(laws[LAST], laws[-1]) for laws in (got.laws(world), expected.laws(world))]
        before, there = (moments.w2(*pair) for pair in zip(*ends, strict=True))
        moved = lambda run, table, world=world: moments.w2(run.laws(world)[-1], run.laws(world, table)[-1])
        bound = explained(there, got, expected, moved)
        text = f"mean and standard deviation of the end, for {name}"
        sd, wanted = (float(np.sqrt(end[1].variance)) for end in ends)
        yield said(text, there, bound, before <= bound, {"n": got.table.n, "data": name}, wanted, sd)


def same_draws(got: Chain, expected: Chain) -> Iterator[Finding]:
    """From the same starts with the same normals: a mixture on the line, and one in the plane."""
    drawn, wanted = (used(each) for each in (got, expected))
    if len(drawn) != len(wanted) or not np.allclose(got.table.together, np.eye(len(got.table.after))):
        return  # other draws, of which the laws above are enough
    rng = np.random.default_rng(got.table.calls)
    for name, world in MIXTURES.items():
        like = () if world.dimension is None else (world.dimension,)
        x = begun(got, world, rng)
        z = rng.standard_normal((len(drawn), DRAWS, *like))
        one = got.paths(world, x, spread(got, drawn, z))
        begins = x * (expected.start.size / got.start.size)
        other = expected.paths(world, begins, spread(expected, wanted, z))
        begin = {got: (x, spread(got, drawn, z), one), expected: (begins, spread(expected, wanted, z), other)}

        def moved(run: Chain, table: Unrolled, begin: Any = begin, world: Mixture = world) -> float:
            x, z, ends = begin[run]
            return apart(ends[-1], run.paths(world, x, z, table)[-1])

        bound = explained(apart(one[-1], other[-1]), got, expected, moved)
        at = {"n": got.table.n, "data": name}
        weights = [float(np.mean(nearer(world, ends[-1]))) for ends in (other, one)]
        text = f"where trajectories end, for {name}"
        yield said(text, apart(one[-1], other[-1]), bound, apart(one[LAST], other[LAST]) <= bound, at, *weights)


def explained(off: float, got: Chain, expected: Chain, moved: Callable[[Chain, Unrolled], float]) -> float:
    """How far apart roundings may take two ends: those of the target, and where these are not enough, those of ours."""
    claims = got.subject.claims
    bound = max(TIMES * max(moved(got, table) for table in got.shaken()), float(rounding(claims)))
    if off <= bound:
        return bound
    return bound + TIMES * sum(
        max(moved(expected, t) for t in tables) for tables in (expected.shaken(DOUBLE), *remade(got))
    )


def remade(got: Chain) -> Iterator[list[Unrolled]]:
    """The table of the method, had the alpha_bar of each level been rounded otherwise: ours is computed from it."""
    rng, method = np.random.default_rng(got.table.calls), got.subject.claims.method
    a, b = np.array(got.seen).T
    noise = b**2 / (a**2 + b**2)
    found = []
    for _ in range(SHAKES):
        moved = b * np.sqrt(np.maximum(1 + DOUBLE * rng.choice([-1, 1], len(b)) / np.where(b, noise, 1), 0))
        with suppress(NoReference):  # two levels that are one, then
            found.append(got.subject.reference_on(list(zip(a.tolist(), moved.tolist(), strict=True)), method))
    if found:
        yield found


def said(
    text: str, off: float, bound: float, before: bool, at: dict[str, object], expected: float, got: float
) -> Finding:
    failed = not off <= bound
    diagnosis = ("last step" if before else "update rule") if failed else ""
    return Finding(FAIL if failed else PASS, text, off, bound, at, expected, got, diagnosis)


def used(run: Chain) -> list[int]:
    """The draws that make a difference."""
    return np.flatnonzero(np.any(run.table.of_noise != 0, axis=0)).tolist()


def spread(run: Chain, at: list[int], z: Array) -> Array:
    """Normals in the place of the draws that make a difference."""
    normals = np.zeros((len(run.table.after), *z.shape[1:]))
    normals[at] = z
    return normals


def begun(run: Chain, world: Mixture, rng: np.random.Generator) -> Array:
    start = run.start
    return world.affine(start.scale, start.noise**2).sample(rng, DRAWS)


def nearer(world: Mixture, x: Array) -> Array:
    """Which points belong to the first component, rather than to another."""
    return np.argmax(world.responsibilities(x), axis=-1) == 0


def by_the_yardstick(subject: Subject) -> Iterator[Finding]:
    """With many steps no worse than the first-order method, and a note where it is with few."""
    many = counts(subject)[-1:]
    for n in dict.fromkeys([*subject.steps, *many]):
        got = chain(subject, n)
        yardstick = referred(got, "ddpm" if got.draws else "ddim")
        for name, world in worlds(subject).items():
            (off, floor), (usual, _) = got.missed(world, -1), yardstick.missed(world, -1)
            bound = HALF_AGAIN * usual + TIMES * floor + float(rounding(subject.claims))
            text = f"no further from the data than a first-order method on its levels, for {name}"
            verdict = PASS if off <= bound else FAIL if [n] == many else NOTE
            at = {"n": n, "data": name}
            yield Finding(verdict, text, off, bound, at, usual, off, "" if verdict == PASS else "update rule")
    if (got := chain(subject, subject.steps[-1])).draws:
        yield from of_draws(got, referred(got, "ddpm"))


def of_draws(got: Chain, yardstick: Chain) -> Iterator[Finding]:
    """The same for draws of mixtures: by distribution functions, of which each may be off by as much as chance allows.

    With few steps it is a note, too.
    """
    n = got.table.n
    for name, world in MIXTURES.items():
        there = law(world, got.at(-1))
        off, usual = (beyond(drawn(run, world, np.random.default_rng(n), 2 * DRAWS), there) for run in (got, yardstick))
        chance = by_chance(2 * DRAWS, there)
        bound = HALF_AGAIN * (usual + chance) + chance
        text = f"{2 * DRAWS} draws are no further from the data than a first-order method's, for {name}"
        verdict = PASS if off <= bound else FAIL if n >= ENOUGH else NOTE
        at = {"n": n, "data": name}
        yield Finding(verdict, text, off, bound, at, usual, off, "" if verdict == PASS else "update rule")


# ---------------------------------------------------------------- more steps


def never_worse(subject: Subject) -> Iterator[Finding]:
    """Twice as many steps are at most half again as wrong, above what the last step leaves and rounding.

    An error that changes its sign is small there by chance, so that half of the one before it counts, too: so much is
    left of it by a method of the first order.
    """
    fewest, *more = counts(subject) or [1]
    asked = [n for n in (fewest // 2, fewest, *more) if n >= max(subject.claims.least, 2)]
    for name, world in worlds(subject).items():
        errors = {n: end(subject, n, world) for n in asked}
        for many in more:
            after, floor = errors[many]
            before = max(errors[many // 2][0], errors.get(many // 4, (0.0, 0.0))[0] / 2)
            bound = HALF_AGAIN * before + floor
            text = f"{many} steps are not much worse than {many // 2}, for {name}"
            verdict = PASS if after <= bound else FAIL
            yield Finding(verdict, text, after, bound, {"n": many, "data": name}, before, after)


def end(subject: Subject, n: int, world: Mixture) -> tuple[float, float]:
    run = chain(subject, n)
    off, floor = run.missed(world, -1)
    return off, run.left(world) + TIMES * floor + float(rounding(subject.claims))


def ends_somewhere(subject: Subject) -> str | None:
    return None if subject.claims.family == "consistency" else claims_order(subject)


ENDS = ("sampler.ddpm-gaussian", "sampler.ddim-gaussian", "sampler.consistency-function")
PROPERTIES = (
    Property("P19", "consistency", ORDER, consistent, claims_order, ("sampler.orders",)),
    Property("P20", "final-law", EXACT, final_law, ends_somewhere, ENDS),
    Property("P22", "more-steps", BOOLEAN, never_worse, claims_order),
)
