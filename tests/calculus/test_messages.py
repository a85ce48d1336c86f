"""What a reader is told when a line does not stand, and where."""

from __future__ import annotations

import inspect
import traceback

import pytest
import sympy as sp
from sympy import log, sqrt

from derivations.calculus import (
    KL,
    Density,
    Refuted,
    Rejected,
    Undefined,
    Unproved,
    algebra,
    check,
    eq,
    ge,
    granted,
    integral,
    le,
    let,
    normal,
    positives,
    positivity,
    reals,
    rearranging,
    theorem,
    units,
    using,
)

x, y, z = reals("x y z")
r, s = positives("r s")
a, b = units("a b")
q, p = Density("q", [z]), Density("p", [z])
unknown = Density("w", [z])  # nothing is said of it in WORLD
WORLD = {q: normal(z, 1, 2), p: normal(z, 0, 1)}


def false_in_the_second_step():
    yield (x + y) ** 2
    yield eq(x**2 + 2 * x * y + y**2, by=algebra)
    yield eq(x**2 + y**2, by=algebra)  # here
    yield eq(x**2 + y**2, by=algebra)


def true_for_another_reason():
    yield x**2 + y**2
    yield ge(2 * x * y, by=algebra)  # here


def divides_by_what_may_vanish():
    yield x + y
    yield eq((x**2 - y**2) / (x - y), by=algebra)  # here


def begins_undefined():
    yield log(x)  # here
    yield eq(log(x), by=algebra)


def uses_a_letter_twice():
    yield x * y
    yield let(y, x)  # here
    yield eq(x * y, by=algebra)


def names_no_unit():
    yield let(a, r)  # here
    yield a
    yield eq(r, by=algebra)


def without_a_number():
    yield integral(unknown, z)
    yield eq(integral(unknown, z), by=algebra)  # here


def of_two_letters_called_x():
    yield x
    yield eq(sp.Symbol("x", positive=True), by=algebra)  # here


def yields_something_else():
    yield x
    yield "and therefore"  # here


def swallows_the_refusal():
    try:
        yield x
        yield eq(x + 1, by=algebra)
    except Rejected:
        yield eq(x, by=algebra)


def rests_on_a_false_one():
    yield (x + y) ** 2
    yield eq(x**2 + 2 * x * y + y**2, by=theorem(false_in_the_second_step))  # here


def rests_on_an_unproved_one():
    yield x**2 + y**2
    yield ge(2 * x * y, by=using(true_for_another_reason))  # here


def one_of_two():
    yield KL(q, p)
    yield eq(KL(q, p), by=theorem(the_other))  # here


def the_other():
    yield KL(q, p)
    yield eq(KL(q, p), by=theorem(one_of_two))


def of_itself():
    yield x
    yield eq(x, by=rearranging(of_itself))  # here


CIRCLE = "circular citation: one_of_two <- the_other <- one_of_two"

REFUSALS = [
    (false_in_the_second_step, Refuted, r"step 2 is false\n.*\n.*\n  at x = \S+, y = \S+: left = \S+, right = \S+$"),
    (true_for_another_reason, Unproved, r"step 1 is not proved by 'algebra' \(no counterexample found\)"),
    (divides_by_what_may_vanish, Undefined, "step 1 contains a division by x - y, which may vanish"),
    (begins_undefined, Undefined, "the first line contains the logarithm of x, which may not be positive"),
    (uses_a_letter_twice, Undefined, "let y = x: the letter is already in use"),
    (names_no_unit, Undefined, "let a = r: not certainly between 0 and 1"),
    (without_a_number, Unproved, r"step 1 has no witness: no number for w\(z\): add it to the world"),
    (of_two_letters_called_x, Undefined, "step 1: two different letters are written x"),
    (yields_something_else, Undefined, "a derivation yields steps and lets after its first line, not and therefore"),
    (rests_on_a_false_one, Unproved, "step 1 rests on what does not stand: step 2 is false"),
    (rests_on_an_unproved_one, Unproved, "step 1 rests on what does not stand: step 1 is not proved by"),
    (one_of_two, Unproved, f"step 1 rests on what does not stand: .*{CIRCLE}"),
    (of_itself, Unproved, "step 1 rests on what does not stand: circular citation: of_itself <- of_itself"),
]


@pytest.mark.parametrize(("derivation", "kind", "message"), REFUSALS, ids=[row[0].__name__ for row in REFUSALS])
def test_the_offending_line_says_why(derivation, kind, message):
    with pytest.raises(kind, match=message) as caught:
        check(derivation)
    assert type(caught.value) is kind
    last = traceback.extract_tb(caught.value.__traceback__)[-1]
    lines, first = inspect.getsourcelines(derivation)
    assert last.lineno == first + next(n for n, line in enumerate(lines) if "# here" in line)
    assert last.filename == __file__


def test_a_refusal_cannot_be_swallowed():
    with pytest.raises(Refuted, match="step 1 is false"):
        check(swallows_the_refusal)


def test_false_and_unproved_are_different_news():
    with pytest.raises(Refuted) as false:
        check(false_in_the_second_step)
    with pytest.raises(Unproved) as unproved:
        check(true_for_another_reason)
    assert not isinstance(false.value, Unproved)
    assert not isinstance(unproved.value, Refuted)
    assert "no counterexample" not in str(false.value)
    assert "is false" not in str(unproved.value)


def test_the_point_is_a_counterexample():
    with pytest.raises(Refuted) as caught:
        check(false_in_the_second_step)
    where, _ = str(caught.value).splitlines()[-1].strip().removeprefix("at ").split(": ")
    point = dict(part.split(" = ") for part in where.split(", "))
    at = {letter: float(point[str(letter)]) for letter in (x, y)}
    assert abs(float(((x + y) ** 2 - x**2 - y**2).subs(at))) > 1e-3


def test_what_stands_tells_its_lines():
    def shrinkage(bound=s):
        yield let(a, r / (r + s))
        yield a * s
        yield le(bound, by=positivity)
        yield eq(sqrt(bound**2), by=granted("roots of squares", "folklore"))

    done = check(shrinkage)
    assert (done.name, done.start, done.end, done.relation) == ("shrinkage", a * s, s, "<=")
    assert done.spell(done.start) == r * s / (r + s)
    assert done.granted == ["folklore"]
    assert [type(line).__name__ for line in done.lines] == ["Let", "Step", "Step"]


def test_a_formula_must_be_one_of_the_derivation():
    def doubled(twice=2 * x):
        yield x + x
        yield eq(twice, by=algebra)

    with pytest.raises(TypeError, match="doubled has no formula thrice; its formulas: twice"):
        check(doubled, thrice=3 * x)
    with pytest.raises(TypeError, match="the formula twice is a text"):
        check(doubled, twice="2*x")
