"""For everything that can judge, one wrong claim that must be found out, and its true twin that must pass.

If a canary passes, what it stands for cannot fail any more, and nothing that it says is worth anything.  The list is
complete: what ``numerics.statistics`` offers is in it, or is said to judge nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import strategies as st

from models.atoms import Given, Lands, Reached, Reaches
from numerics import statistics
from numerics.quadrature import variance_of
from numerics.statistics import (
    FAIL,
    PASS,
    Row,
    above,
    at_least,
    below,
    both,
    by_cdf,
    by_cholesky,
    by_mixture,
    by_rosenblatt,
    by_running,
    by_table,
    close,
    event,
    for_all,
    gauss_hermite,
    hermite,
    judge,
    law,
    limit,
    matches,
    moments,
    order,
    sampled,
    sobol,
    standardised_by,
    surely,
    tails,
    within,
)
from numerics.worlds import normal

AT = {"a": 0.7, "b": 1.9}
NULL = (1.0, 3.0, 15.0)  # central moments of N(0, 1)
SOME = st.floats(0.1, 3)
STEPS = 0.1 * 2.0 ** -np.arange(6)


@dataclass(frozen=True)
class Canary:
    """The atoms of a claim, a truth and a mistake that goes through the same door.

    ``stands_for`` names what is tested; ``seen`` begins the sentence that refutes the mistake, where others could.
    """

    stands_for: str
    atoms: Callable[[Any], Any]
    truth: Any
    mistake: Any
    seen: str = ""


def pair(rng, n):
    return rng.standard_normal((2, n))


def uniform(rng, n):
    return [rng.random(n)]


def clusters(rng, n):
    """A quarter of N(-1, 1), three quarters of N(2, 1)."""
    return [np.where(rng.random(n) < 0.25, -1.0, 2.0) + rng.standard_normal(n)]


def correlated(rng, n):
    """Vectors with covariance ((1, 0.6), (0.6, 1))."""
    x, e = pair(rng, n)
    return [np.stack([x, 0.6 * x + 0.8 * e], axis=1)]


def row(tail, third=0.0):
    """A single row with this null law: the mean of e."""
    return lambda off: sampled(pair, lambda x, e: [Row("row", e + off, 1.0, third, tail)])


def signs(off):
    """A single row of scores that are never beyond 1."""
    return sampled(pair, lambda x, e: [Row("row", np.sign(e + off), 1.0, 1.0, tails.Bounded(1.0))])


def squares(scale):
    return sampled(pair, lambda x, e: [Row("row", (scale * e * e - 1) / np.sqrt(2), 1.0, 3.1, tails.ChiSquare())])


def in_a_table(variance):
    """N(0, variance) on a fine grid."""
    grid = np.linspace(-9, 9, 3601)
    return by_table(grid, np.exp(-(grid**2) / (2 * variance)) / np.sqrt(2 * np.pi * variance))


def whitened(z):
    """The first coordinate is noise, and the second is noise given the first."""
    return [*law(z[0]), *law(z[1], given=[z[0]])]


def landed(off):
    """A network that is nearly right about E[y | x] = sin x, and a formula that is right or not."""
    network = lambda x: np.sin(x) + 1e-3 * np.cos(3 * x)
    draw = lambda rng, n: (lambda x, e: (x, np.sin(x) + 0.5 * e))(*pair(rng, n))
    given = lambda x: Given(np.sin(x), np.full(x.shape, 0.5), np.full(x.shape, 1.6))
    return Lands(lambda seed: network, lambda x: np.sin(x) + off * np.cos(x), draw, given, resolves=2e-2)


def reached(claimed):
    """A training that stopped 1e-4 from 1, and says that it may be 2e-4."""
    return Reaches(lambda scale: claimed * scale, lambda seed: Reached(1.0001, 2e-4, {"scale": 1.0}), resolves=1e-3)


def run_for_ten_steps(gain):
    """Somebody's step, ten times, where the truth is nine tenths each time."""

    def end(**_):
        x = 1.0
        for _ in range(10):
            x = gain * x
        return x

    return by_running(matches(end, AT, 0.9**10))


def exact(claimed):
    """f(z) = z^2 for one raw normal: a mean of 1."""
    return lambda x, e: [Row("mean", (x * x - claimed) / np.sqrt(2), 1.0, 3.1)]


def smooth(claimed):
    """E exp(x / 2) = exp(1/8): no polynomial."""
    return lambda x, e: [Row("mean", np.exp(x / 2) - claimed)]


def case_by_case(by):
    return lambda mean: sampled(clusters, lambda x: moments(x, mean, None, (2.6875, 16.0, 200.0)), 1e-3, by=by)


QUARTERS = (0.25, 0.75)

CANARIES = {
    # a number
    "by_running": Canary("by_running", run_for_ten_steps, 0.9, 0.9 + 1e-9),
    "close": Canary("close", lambda v: close(lambda **_: v, AT, variance_of(lambda x: normal(x, 0, 1))), 1.0, 1 + 1e-8),
    "matches": Canary("matches", lambda v: matches(lambda a, b: a + b, AT, v), 2.6, 2.6 + 1e-8),
    "below": Canary("below", lambda v: below(lambda a, b: a, AT, v), 0.7, 0.7 - 1e-8),
    "below, strictly": Canary("below", lambda v: below(lambda a, b: a, AT, v, strict=True), 0.7 + 1e-8, 0.7),
    "above": Canary("above", lambda v: above(lambda a, b: a, AT, v), 0.7, 0.7 + 1e-8),
    "above, strictly": Canary("above", lambda v: above(lambda a, b: a, AT, v, strict=True), 0.7 - 1e-8, 0.7),
    # a step that goes to zero
    "limit": Canary("limit", lambda v: limit(lambda **_: v, AT, lambda h: np.sin(h) / h, STEPS), 1.0, 1.0001),
    "order, rate": Canary(
        "order", lambda p: order(lambda h: 3 * h**2 + h**3, STEPS, lambda **_: p, lambda **_: 3.0, AT), 2.0, 2.01
    ),
    "order, constant": Canary(
        "order", lambda c: order(lambda h: 3 * h**2 + h**3, STEPS, lambda **_: 2.0, lambda **_: c, AT), 3.0, 3.01
    ),
    # a search
    "for_all": Canary("for_all", lambda top: for_all(a=SOME)(lambda a: a <= top), 3.0, 2.9),
    "for_all, of an atom": Canary(
        "for_all",
        lambda c: for_all(a=SOME)(lambda a: matches(lambda a: a * a, {"a": a}, c * abs(a + 0j) ** 2)),
        1.0,
        1.01,
    ),
    # draws
    "law, mean": Canary("law", lambda off: sampled(pair, lambda x, e: law(e + off, [x])), 0.0, 0.05, "mean: "),
    "law, variance": Canary("law", lambda s: sampled(pair, lambda x, e: law(s * e, [x])), 1.0, 1.05, "variance: "),
    "law, condition": Canary(
        "law", lambda r: sampled(pair, lambda x, e: law(0.6 * x + 0.8 * e, [r * x - 0.6 * e])), 0.8, 0.6
    ),
    "law, shape": Canary("law", lambda u: sampled(uniform, lambda v: law(u(v))), by_cdf, lambda v: 12**0.5 * (v - 0.5)),
    "moments, mean": Canary(
        "moments", lambda m: sampled(pair, lambda x, e: moments(x * x + e, m * x * x, 1.0, NULL, [x])), 1.0, 1.03
    ),
    "moments, variance": Canary(
        "moments", lambda v: sampled(pair, lambda x, e: moments(x * x + e, x * x, v, NULL, [x])), 1.0, 1.05
    ),
    "event": Canary("event", lambda p: sampled(uniform, lambda u: event(u < 0.3, p)), 0.3, 0.32, "frequency: "),
    "event, given": Canary(
        "event", lambda k: sampled(lambda rng, n: rng.random((2, n)), lambda u, v: event(u < v**k, v, [v])), 1.0, 1.1
    ),
    "within": Canary("within", lambda top: sampled(uniform, lambda u: within(u, 0.0, top)), 1.0, 0.9999),
    "at_least": Canary(
        "at_least", lambda m: sampled(pair, lambda x, e: at_least(e + 0.3, m, 1.0, 1.6)), 0.2, 0.35, "mean: the claim"
    ),
    "surely": Canary(
        "surely", lambda c: surely(pair, lambda x, e: ((x + e) ** 2, x * x + c * x * e + e * e, 9.0)), 2.0, 2.1
    ),
    "Row": Canary("Row", lambda off: sampled(pair, lambda x, e: [Row("row", e + off, x, 0.0)]), 0.0, 0.0 + np.nan),
    # null laws
    "Limit": Canary("Limit", row(tails.Limit(), 1.6), 0.0, 0.05),
    "ChiSquare": Canary("ChiSquare", squares, 1.0, 1.07),
    "Binomial": Canary("Binomial", lambda p: sampled(uniform, lambda u: event(u < 0.02, p)), 0.02, 0.025),
    "Bounded": Canary("Bounded", signs, 0.0, 0.05),
    # what whitens
    "standardised_by": Canary(
        "standardised_by", lambda v: sampled(pair, lambda x, e: law(standardised_by(x + 2 * e, x, v), [x])), 4.0, 4.3
    ),
    "by_cdf": Canary("by_cdf", lambda k: sampled(uniform, lambda u: law(by_cdf(u**k))), 1.0, 1.1),
    "by_cholesky": Canary(
        "by_cholesky",
        lambda c: sampled(correlated, lambda x: whitened(by_cholesky(x, [0, 0], [[1, c], [c, 1]]))),
        0.6,
        0.55,
    ),
    "by_table": Canary("by_table", lambda v: sampled(pair, lambda x, e: law(in_a_table(v)(e))), 1.0, 1.1),
    "by_mixture": Canary(
        "by_mixture",
        lambda w: sampled(clusters, lambda x: law(by_mixture(x, np.array([[w], [1 - w]]), np.array([[-1], [2]]), 1.0))),
        0.25,
        0.30,
    ),
    "by_rosenblatt": Canary(
        "by_rosenblatt",
        lambda k: sampled(
            lambda rng, n: rng.random((2, n)),
            lambda u, v: whitened(by_rosenblatt([u, u * v], [lambda x: x, lambda y, x: y / x**k])),
        ),
        1.0,
        0.9,
    ),
    # less chance
    "hermite": Canary("hermite", lambda m: sampled(pair, exact(m), 1e-11, by=hermite), 1.0, 1 + 2e-11),
    "hermite, by chance": Canary(
        "hermite", lambda m: sampled(pair, smooth(m), 5e-3, by=hermite), np.exp(1 / 8), np.exp(1 / 8) + 6e-3
    ),
    "sobol": Canary("sobol", lambda m: sampled(pair, smooth(m), 1e-3, by=sobol), np.exp(1 / 8), np.exp(1 / 8) + 1e-3),
    "gauss_hermite": Canary(
        "gauss_hermite", lambda m: sampled(pair, smooth(m), 1e-9, by=gauss_hermite), np.exp(1 / 8), np.exp(1 / 8) + 1e-9
    ),
    "hermite, over": Canary("hermite", case_by_case(hermite.over(QUARTERS)), 1.25, 1.252),
    "sobol, over": Canary("sobol", case_by_case(sobol.over(QUARTERS)), 1.25, 1.252),
    "gauss_hermite, over": Canary("gauss_hermite", case_by_case(gauss_hermite.over(QUARTERS)), 1.25, 1.252),
    "both": Canary("both", lambda m: both(pair, exact(m), by=hermite), 1.0, 1.05),
    # a trained network
    "Reaches": Canary("Reaches", reached, 1.0, 1.001),
    "Lands": Canary("Lands", landed, 0.0, 0.02),
}


def report(canary, claimed):
    """The verdict on a claim, through the door of every check."""

    def check():
        atoms = canary.atoms(claimed)
        yield from [atoms] if isinstance(atoms, statistics.Atom) else atoms

    return judge(check, {}, claim="canary")


@pytest.mark.parametrize("name", CANARIES)
def test_a_wrong_claim_fails_and_its_true_twin_passes(name):
    canary = CANARIES[name]
    true, wrong = report(canary, canary.truth), report(canary, canary.mistake)
    assert {atom.verdict for atom in true.atoms} == {PASS}, true.detail
    assert {atom.verdict for atom in wrong.atoms} == {FAIL}, wrong.detail  # each atom by itself, and not INCONCLUSIVE
    assert wrong.atoms[0].finding.detail.startswith(canary.seen)


# ---------------------------------------------------------------- the list is complete

JUDGES_NOTHING = {
    *("ALPHA", "ATOMS", "CHUNK", "FAIL", "INCONCLUSIVE", "PASS", "SKIP"),  # constants
    *("Examined", "Finding", "FormulaError", "NothingTried", "Report", "Total"),  # what is said
    *("examine", "judge", "sampled_atoms", "stream"),  # who asks
    *("Atom",),  # what all atoms are
}
INSTEAD = {"GaussHermite": "gauss_hermite", "Hermite": "hermite", "Order": "order", "Sobol": "sobol", "sampled": "law"}


def test_everything_that_judges_has_a_canary():
    stood_for = {canary.stands_for for canary in CANARIES.values()}
    judging = set(statistics.__all__) - JUDGES_NOTHING
    assert {INSTEAD.get(name, name) for name in judging} <= stood_for, "give what is new a canary"
    assert set(statistics.__all__) >= JUDGES_NOTHING | set(INSTEAD), "what is gone needs no excuse"


def test_every_null_law_has_a_canary():
    laws = {name for name, of in vars(tails).items() if hasattr(of, "thresholds") and of is not tails.Tail}
    assert len(laws) == 4
    assert laws <= set(CANARIES)
    for name in laws:
        (atom,) = report(CANARIES[name], CANARIES[name].mistake).atoms
        assert atom.verdict == FAIL
    rows = {
        name: CANARIES[name].atoms(0.1).scores(*CANARIES[name].atoms(0.1).draw(np.random.default_rng(0), 64))
        for name in laws
    }
    assert {name: {type(row.tail).__name__ for row in rows[name]} for name in laws} == {name: {name} for name in laws}


def test_every_kind_of_check_but_the_symbolic_has_a_canary():
    kinds = {atom.kind for canary in CANARIES.values() for atom in report(canary, canary.truth).atoms}
    assert kinds == {"quadrature", "property", "montecarlo", "model", "sampler"}
