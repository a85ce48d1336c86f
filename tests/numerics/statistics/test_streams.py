"""Draws depend on their name only, and sums on neither order nor grouping."""

import random
import subprocess
import sys
from functools import reduce
from itertools import pairwise
from math import fsum, inf, nan
from operator import add
from pathlib import Path

import numpy as np
import pytest

from numerics.statistics import CHUNK, Total, law, sampled, stream

ROOT = Path(__file__).resolve().parents[3]


def test_a_chunk_is_named_by_seed_claim_stream_and_number():
    def first(*name):
        return stream(*name).random()

    assert first(0, "claim", "1", 2) == first(0, "claim", "1", 2)
    others = [(1, "claim", "1", 2), (0, "other", "1", 2), (0, "claim", "2", 2), (0, "claim", "1", 3)]
    assert len({first(*name) for name in [(0, "claim", "1", 2), *others]}) == 5
    assert first(np.int64(3), "claim", "1", 0) == first(3, "claim", "1", 0)


def test_names_that_run_together_stay_apart():
    assert stream(0, "a|b", "c", 0).random() != stream(0, "a", "b|c", 0).random()


def test_consecutive_chunks_are_uncorrelated():
    chunks = [stream(0, "claim", "1", k).standard_normal(CHUNK) for k in range(9)]
    for a, b in pairwise(chunks):
        assert abs(np.mean(a * b)) < 6 / np.sqrt(CHUNK)


def hard_to_add():
    """Partial sums whose order shows in floating point, and how far apart the floating-point sums are."""
    rng = np.random.default_rng(7)
    return [list(rng.normal(size=3) * 10.0 ** rng.integers(-12, 13, size=3)) for _ in range(40)]


def test_totals_are_the_same_in_any_order_and_grouping():
    parts = hard_to_add()
    totals = [Total.of(CHUNK, p) for p in parts]
    shuffler, seen = random.Random(5), set()
    for _ in range(50):
        shuffler.shuffle(totals)
        cut = shuffler.randrange(1, len(totals))
        merged = reduce(add, totals[:cut]) + reduce(add, totals[cut:])
        seen.add((merged.draws, merged.sums, merged.rounded().tobytes()))
    assert len(seen) == 1
    assert len({sum(column) for column in (random.Random(k).sample([p[0] for p in parts], 40) for k in range(20))}) > 1


def test_totals_are_rounded_once():
    parts = hard_to_add()
    total = reduce(add, (Total.of(CHUNK, p) for p in parts))
    assert list(total.rounded()) == [fsum(column) for column in zip(*parts)]


@pytest.mark.parametrize("x", [5e-324, -1.7976931348623157e308, 0.1, 0.0])
def test_every_double_is_on_the_grid(x):
    assert Total.of(1, [x]).rounded()[0] == x


def test_what_is_not_finite_stays_undefined():
    total = Total.of(1, [1.0, nan, 2.0]) + Total.of(1, [1.0, 1.0, inf]) + Total.of(1, [1.0, 1.0, 1.0])
    assert total.undefined == {1, 2}
    assert total.rounded()[0] == 3


def test_a_sum_beyond_the_largest_double_is_infinite():
    assert list((Total.of(1, [1.5e308, -1.5e308]) + Total.of(1, [1.5e308, -1.5e308])).rounded()) == [inf, -inf]


def test_totals_of_different_statistics_do_not_add():
    one, two = Total.of(1, [1.0]), Total.of(1, [1.0, 2.0])
    with pytest.raises(ValueError, match="zip"):
        one + two  # pyright: ignore[reportUnusedExpression]


def whitened():
    return sampled(lambda rng, n: rng.standard_normal((2, n)), lambda x, z: law(z, given=[x]))


def test_chunks_of_an_atom_may_be_shared_out():
    atom = whitened()
    alone = atom.total(3, "claim", "1", range(7))
    shared = [atom.total(3, "claim", "1", mine) for mine in ([6, 1], [0], [4, 2, 3, 5])]
    assert reduce(add, shared) == alone == reduce(add, reversed(shared))


ELSEWHERE = """
import os, sys, tempfile
os.chdir(tempfile.mkdtemp())
from numerics.statistics import for_all, law, sampled
assert not {"scipy.stats", "sympy", "torch", "hypothesis"} & set(sys.modules), "heavy imports"
from hypothesis import strategies as st
for_all(x=st.floats(0, 1))(lambda x: x < 2).examine()
assert os.listdir() == [], "Hypothesis left something behind"
atom = sampled(lambda rng, n: rng.standard_normal((2, n)), lambda x, z: law(z, given=[x]))
print(hex(sum(abs(s) for s in atom.total(3, "claim", "1", [2, 0, 1]).sums)))
"""


def test_another_process_adds_up_to_the_same_bits_and_leaves_nothing_behind():
    ran = subprocess.run(
        [sys.executable, "-c", ELSEWHERE], capture_output=True, text=True, timeout=60, env={"PYTHONPATH": str(ROOT)}
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.strip() == hex(sum(abs(s) for s in whitened().total(3, "claim", "1", range(3)).sums))
