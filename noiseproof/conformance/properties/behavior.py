"""Real runs, with the exact network and scripted noise: what no table tells."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from numerics.noise import RUN, normals
from numerics.worlds import gaussian

from ..findings import FAIL, NOTE, PASS, Finding
from ..subject import NoReference, Subject
from ..target import Call, Raised, Ran, Unfit
from ..unrolled import SHAPE
from .ends import Array, chain, own
from .exact import SINGLE, TIMES, rounding
from .property import BOOLEAN, EXACT, Property

SWEEP = (1, 2, 3, 4, 7, 10, 14, 15, 20)
DATA = gaussian(0.4, 0.6)
ROWS = 6
MOST_ENTRIES = 64  # of a particle: each draw has its place
ONE_IN_TEN_THOUSAND = 1e-4  # between single and double precision, relative to the data
TRIALS = 8  # ways to round
PROMOTED = ", as a scalar of NumPy such as alpha_bars[t] makes it; take float(alpha_bars[t])"
SHAPES = ((), (1,), (2, 3, 4))  # beside that of an image of one pixel: (B,), (B, 1), (B, C, H, W)
BATCHES = (ROWS, 1, 3000)  # a batch of one is not always treated as others are, nor is a large one


def network(subject: Subject, n: int) -> Callable[[], Callable[[Call], Array]]:
    """The network that is best for Gaussian data, at the levels of a run of n steps; made anew for each run."""
    if not subject.oracles:
        raise NoReference("the adapter does not say at which levels the network is asked")
    table, levels = subject.table(n), subject.levels(n, own(subject))
    says = subject.answers(float(DATA.mean), float(DATA.variance), table, levels)

    def begun() -> Callable[[Call], Array]:
        asked = iter(says)

        def predicted(call: Call) -> Array:
            gain, constant = next(asked, says[-1])
            return gain * call.x.astype(float) + constant

        return predicted

    return begun


def scripted(seed: int = 0) -> Callable[[tuple[int, ...], tuple[float, ...]], Array]:
    """Normals that depend on the particle and on how many draws there were before, not on the shape of the rest."""
    drawn = iter(range(10**6))

    def noise(shape: tuple[int, ...], _: tuple[float, ...]) -> Array:
        d = int(np.prod(shape[1:]))
        return normals(seed, RUN, 0, shape[0], next(drawn) * MOST_ENTRIES, d).reshape(shape)

    return noise


def starts(subject: Subject, n: int, rest: Sequence[int], dtype: str = "float64", rows: int = ROWS) -> Array:
    begun = chain(subject, n, affine=False).start
    z = np.random.default_rng(n).standard_normal((rows, *rest))
    x = begun.scale * float(DATA.mean) + np.hypot(begun.scale * np.sqrt(float(DATA.variance)), begun.noise) * z
    return x.astype(dtype)


def ran(subject: Subject, n: int, dtype: str = "float64", x: Array | None = None) -> Ran:
    x = starts(subject, n, SHAPE, dtype) if x is None else x
    return subject.target.run(x, n, network(subject, n)(), scripted())


# ---------------------------------------------------------------- P23


def finite(subject: Subject) -> Iterator[Finding]:
    """For every number of steps, small and odd ones too: it does not raise, and all that it gives is finite."""
    claims = subject.claims
    for n in SWEEP:
        if n < claims.least or (claims.most is not None and n > claims.most):
            continue
        at, text = {"n": n}, f"a run of n = {n} is finite"
        try:
            subject.target.run(np.zeros((2, *SHAPE)) + [[[[0.5]]], [[[-1.5]]]], n, bounded, scripted())
            yield Finding(PASS, text, at=at)
        except (Raised, Unfit) as why:
            yield Finding(FAIL, f"{text}: {why.what}", at={**at, "call": why.call}, diagnosis="arithmetic")


def bounded(call: Call) -> Array:
    """A network that says something finite whatever it is asked."""
    return np.tanh(np.nan_to_num(call.x))


# ---------------------------------------------------------------- P24


def dtypes(subject: Subject) -> Iterator[Finding]:
    """What goes in as double, single or half precision comes out so, and single is close to double."""
    n = subject.steps[0]
    double = ran(subject, n).end
    for dtype in ("float64", "float32", "float16"):
        at, text = {"n": n, "dtype": dtype}, f"a run in {dtype}"
        try:
            end = ran(subject, n, dtype=dtype).end
        except Unfit as why:
            yield Finding(FAIL, f"{text}: {why.what}", at={**at, "call": why.call}, diagnosis="arithmetic")
            continue
        kept = str(end.dtype) == dtype
        rounds = not kept and dtype == "float64" and subject.claims.single
        verdict = PASS if kept else NOTE if rounds else FAIL
        why = PROMOTED if verdict == FAIL and end.dtype.itemsize > np.dtype(dtype).itemsize else ""
        yield Finding(verdict, f"{text} ends in {end.dtype}{why}", at=at, diagnosis="" if kept else "arithmetic")
        if dtype == "float32":
            yield close(subject, n, largest(end - double) / max(1.0, largest(double)), at)


def close(subject: Subject, n: int, off: float, at: dict[str, Any]) -> Finding:
    """Whether a run in single precision is as close to one in double as it is said to be, or as numbers can be there.

    A state begins with as many units as sigma has where there is most noise, and half a digit of it may be more than
    one in ten thousand of the data.  That is a limit of single precision and no mistake.
    """
    text = "a run in float32 ends where one in float64 does"
    if off <= ONE_IN_TEN_THOUSAND:
        return Finding(PASS, text, off, ONE_IN_TEN_THOUSAND, at)
    bound = resolved(subject, n)
    if off > max(bound, ONE_IN_TEN_THOUSAND):
        return Finding(FAIL, text, off, max(bound, ONE_IN_TEN_THOUSAND), at, diagnosis="arithmetic")
    return Finding(NOTE, f"{text}, as far as single precision resolves what it begins with", off, bound, at)


def resolved(subject: Subject, n: int) -> float:
    """How far the end of a run moves if each of its coefficients is rounded to single precision once."""
    try:
        run = chain(subject, n)
    except NoReference:
        return 0.0  # no table describes it
    x, noise, rng = starts(subject, n, SHAPE), scripted(), np.random.default_rng(n)
    z = np.array([noise(x.shape, ()) for _ in run.table.after]).reshape(-1, *x.shape)
    there = run.paths(DATA, x, z)[-1]
    moved = [run.paths(DATA, x, z, run.table.shaken(SINGLE, rng))[-1] for _ in range(TRIALS)]
    return max(largest(other - there) for other in moved) / max(1.0, largest(there))


# ---------------------------------------------------------------- P25


def repeats(subject: Subject) -> Iterator[Finding]:
    """The same start and noise lead to the same end, whatever was run before; and so does the same seed."""
    n, other = subject.steps[0], subject.steps[-1]
    first = ran(subject, n).end
    for text, between in (("a run is the same again", n), (f"a run is the same after one of {other} steps", other)):
        ran(subject, between)
        yield equal(text, ran(subject, n).end, first, {"n": n})
    if not subject.can("seeded"):
        return
    x, begun, draws = starts(subject, n, SHAPE), network(subject, n), chain(subject, n, affine=False).draws
    seeded = [subject.target.seeded(x, n, seed, begun()) for seed in (1, 1, 2)]
    (one, touched), (again, _), (another, _) = seeded
    yield equal("a run of the same seed is the same", again, one, {"n": n, "seed": 1})
    untouched = "the global generator is left alone"
    yield Finding(FAIL if touched else PASS, untouched, at={"n": n, "seed": 1})
    same = np.array_equal(one, another)
    text = "another seed gives another end" if draws else "the seed does not matter to what draws nothing"
    yield Finding(PASS if same != draws else FAIL, text, at={"n": n, "seed": 2})
    if draws:
        end, _ = subject.target.seeded(np.broadcast_to(x[:1], x.shape), n, 1, begun())
        alone = len(np.unique(end)) == end.size
        yield Finding(PASS if alone else FAIL, "particles that begin alike have noise of their own", at={"n": n})


def equal(text: str, got: Array, expected: Array, at: dict[str, object]) -> Finding:
    off = largest(got - expected) if got.shape == expected.shape else np.inf
    verdict = PASS if np.array_equal(got, expected) else FAIL
    return Finding(verdict, text, off, 0.0, at)


# ---------------------------------------------------------------- P26


def equivariant(subject: Subject) -> Iterator[Finding]:
    """Each entry of an array is a problem of its own, solved as the table says, in whatever shape and order."""
    n = subject.steps[0]
    spoiled = sorted({*subject.table(n).overwritten, *in_single(subject, n)})
    text = "it overwrites " + (", ".join(spoiled) or "nothing that it is lent")
    yield Finding(FAIL if spoiled else PASS, text, at={"n": n})
    yield permuted(subject, n)
    run = chain(subject, n)
    for rows, rest in (*((rows, SHAPE) for rows in BATCHES), *((ROWS, rest) for rest in SHAPES)):
        shape = str(("B" if rows == ROWS else rows, *rest)).replace("'", "")
        x, at = starts(subject, n, rest, rows=rows), {"n": n, "shape": shape}
        text = f"a run of shape {shape} ends where its table says"
        try:
            end = ran(subject, n, x=x).end
        except (Raised, Unfit) as why:
            small = len(rest) < len(SHAPE) and isinstance(why, Raised)
            text = f"it takes no arrays of shape {shape}: {why.what}"
            yield Finding(NOTE if small else FAIL, text, at={**at, "call": why.call})
            continue
        noise, draws = scripted(), len(run.table.after)
        z = np.array([noise(x.shape, ()) for _ in range(draws)]).reshape(draws, *x.shape)
        expected, others = run.paths(DATA, x, z)[-1], [run.paths(DATA, x, z, table)[-1] for table in run.shaken()]
        bound = max(TIMES * max(largest(other - expected) for other in others), float(rounding(subject.claims)))
        off = largest(end - expected)
        yield Finding(PASS if off <= bound else FAIL, text, off, bound, at)


def in_single(subject: Subject, n: int) -> tuple[str, ...]:
    """What it overwrites in single precision, where an array that is single already is not copied to become so."""
    try:
        return tuple(ran(subject, n, dtype="float32").overwritten)
    except (Raised, Unfit):  # what it says to single precision is P24's
        return ()


def largest(off: Array) -> float:
    return float(np.max(np.abs(off)))


def permuted(subject: Subject, n: int) -> Finding:
    """The same particles in another order, each with its own noise."""
    x, order = starts(subject, n, SHAPE), np.roll(np.arange(ROWS)[::-1], 2)
    first, noise = ran(subject, n, x=x).end, scripted()
    end = subject.target.run(x[order], n, network(subject, n)(), lambda s, b: noise(s, b)[order]).end
    bound, off = float(rounding(subject.claims, largest(first))), largest(end - first[order])
    return Finding(PASS if off <= bound else FAIL, "particles in another order end in that order", off, bound, {"n": n})


PROPERTIES = (
    Property("P23", "finiteness", BOOLEAN, finite),
    Property("P24", "dtype", EXACT, dtypes),
    Property("P25", "generator", BOOLEAN, repeats),
    Property("P26", "equivariance", EXACT, equivariant),
)
