"""Where consistency sampling ends: with the exact consistency function at the data, for every number of steps.

The network under test says where the probability flow ends, in the words that the sampler wants.  So there is no error
of a method, and what is left is that of the sampler: for Gaussian data nothing has to be drawn to see it.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from numerics.solvers import moments
from numerics.solvers.transport import law, transported

from ..findings import FAIL, PASS, Finding
from ..subject import NoReference, Subject
from ..target import AboutTheTarget
from .ends import GAUSSIANS, LAST, SMOOTH, Chain, apart, chain
from .exact import TIMES, own_first, rounding
from .sampled import DRAWS, FALSE_ALARM, beyond, by_chance, drawn

FEW = (1, 2, 3)  # steps, for which such samplers are made
FEW_DRAWS = 200  # are enough where each is exact


def exact_for_every_n(subject: Subject) -> Iterator[Finding]:
    for n in dict.fromkeys([*subject.steps, *(n for n in FEW if subject.claims.least <= n)]):
        found: list[list[Finding]] = []
        try:
            subject.table(n)
        except AboutTheTarget:
            if n in subject.steps:
                raise
            continue  # P23
        for by in own_first(subject):
            got = chain(subject, n, by)
            found.append(list(same_laws(got)))
            if all(finding.verdict == PASS for finding in found[-1]):
                found[-1] += same_data(got) if n == subject.steps[0] or not got.draws else ()
                break
        if not found:
            raise NoReference("the adapter does not say at which levels the network is asked")
        yield from found[-1] if all(finding.verdict == PASS for finding in found[-1]) else found[0]


def same_laws(got: Chain) -> Iterator[Finding]:
    """Mean and standard deviation at the end, and before the last step, to tell which of both is at fault."""
    for name, world in GAUSSIANS.items():
        laws = got.laws(world)
        exact = [moments.exact(float(world.mean), float(world.variance), got.at(k)) for k in (LAST, -1)]
        before, off = (moments.w2(laws[k], there) for k, there in zip((LAST, -1), exact, strict=True))
        moved = max(moments.w2(laws[-1], got.laws(world, table)[-1]) for table in got.shaken())
        bound = max(TIMES * moved, float(rounding(got.subject.claims)))
        text = f"it ends at the data, where the network knows how trajectories end, for {name}"
        sd, wanted = float(np.sqrt(laws[-1].variance)), float(np.sqrt(exact[-1].variance))
        yield said(text, off, bound, got, before <= bound, name, wanted, sd)


def same_data(got: Chain) -> Iterator[Finding]:
    """The same for a mixture: each trajectory by its quantile, or as many draws as tell the law."""
    world, name, claims = SMOOTH, "a smooth mixture", got.subject.claims
    rng = np.random.default_rng(got.table.calls)
    if not got.draws:
        x = law(world, got.start).sample(rng, FEW_DRAWS)
        end, exact = got.paths(world, x)[-1], transported(world, x, got.start, got.at(-1))
        moved = max(apart(end, got.paths(world, x, table=table)[-1]) for table in got.shaken())
        bound = max(TIMES * moved, float(rounding(claims)))
        text = f"each trajectory ends where the probability flow does, for {name}"
        yield said(text, apart(end, exact), bound, got, False, name)
        return
    end, there = drawn(got, world, rng), law(world, got.at(-1))
    text = f"{DRAWS} draws are of the data, with a false alarm of {FALSE_ALARM:g}, for {name}"
    yield said(text, beyond(end, there), by_chance(DRAWS, there), got, False, name)


def said(
    text: str, off: float, bound: float, got: Chain, before: bool, name: str, wanted: float | None = None, sd: float = 0
) -> Finding:
    failed = not off <= bound
    at = {"n": got.table.n, "data": name}
    diagnosis = ("last step" if before else "update rule") if failed else ""
    return Finding(FAIL if failed else PASS, text, off, bound, at, wanted, None if wanted is None else sd, diagnosis)
