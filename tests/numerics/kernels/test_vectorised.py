"""Kernels that lost their vectors: an equivalent spelling, or a new compiler, can cost ten times without a word.

Each is timed beside NumPy in the same rounds.  A floor is a third or less of what was measured, and more than the same
kernel reaches one element at a time.
"""

import numpy as np
import pytest

pytest.importorskip("numba")

from benchmarks.paired import paired
from numerics import worlds
from numerics.kernels import Place, Steps, reference, with_numba
from numerics.solvers import grids, methods

F = np.float32
PLACE = Place(1, first=5)
RNG = np.random.Generator(np.random.SFC64(1))  # NumPy's fastest
SHAPE = 64, 4096
X, P, Q = (RNG.standard_normal(SHAPE, F) for _ in range(3))


@pytest.fixture(autouse=True)
def one_thread(monkeypatch):
    monkeypatch.setattr(with_numba, "threads", 1)


def faster(ours, numpys):
    """How many times faster ours is: the median of some rounds."""
    _, ratio = paired(ours, {"numpy": numpys}, rounds=5, least=2e-3)
    return ratio["numpy"][1]


@pytest.mark.parametrize(("shape", "floor"), [(SHAPE, 4), ((2048, 128), 2), ((100_000, 2), 1)])
def test_normals(shape, floor):
    out = np.empty(shape, F)
    ratio = faster(lambda: with_numba.normal(out, PLACE), lambda: RNG.standard_normal(dtype=F, out=out))
    assert ratio > floor


def test_a_row_with_noise():
    x, a, b, c = X.copy(), F(0.9), F(0.1), F(0.3)
    ratio = faster(
        lambda: with_numba.combine([x], [x, P], [[a, b]], c, PLACE),
        lambda: a * X + b * P + c * RNG.standard_normal(SHAPE, F),
    )
    assert ratio > 4


def added(out, row, ins, term):
    """NumPy's way without new arrays: out = sum_j row[j] ins[j], where out may be the first of them."""
    np.multiply(ins[0], row[0], out=out)
    for c, array in zip(row[1:], ins[1:]):
        out += np.multiply(array, c, out=term)


def test_a_row_in_place():
    x, y, term, row = X.copy(), X.copy(), np.empty(SHAPE, F), [F(0.9), F(0.1)]
    ratio = faster(lambda: with_numba.combine([x], [x, P], [row], 0.0, PLACE), lambda: added(y, row, [y, P], term))
    assert ratio > 1


def test_two_outputs_of_three():
    x, d, e, y, term = X.copy(), Q.copy(), np.empty(SHAPE, F), X.copy(), np.empty(SHAPE, F)
    rows = [[F(0.9), F(0.1), F(0.1)], [F(0.1), F(0.9), F(0.2)]]

    def numpys():
        added(e, rows[1], [y, P, Q], term)
        added(y, rows[0], [y, P, Q], term)

    ratio = faster(lambda: with_numba.combine([x, d], [x, P, d], rows, 0.0, PLACE), numpys)
    assert ratio > 1.5


@pytest.mark.parametrize("name", ["ddpm", "dpmpp-2m"])
@pytest.mark.parametrize(("d", "components", "floor"), [(1, 4, 12), (2, 8, 20), (4, 8, 20), (8, 8, 10), (16, 8, 8)])
def test_chains(d, components, floor, name):
    means = np.random.default_rng(2).standard_normal((components, d))
    world = worlds.mixture(np.full(components, 1 / components), means, 0.1)
    steps = Steps.of(methods.METHODS[name](grids.log_snr(6)), world)
    begin = RNG.standard_normal((4096, d), F)
    x = begin.copy()

    def ours():
        np.copyto(x, begin)
        with_numba.chain(x, steps, PLACE)

    def numpys():
        np.copyto(x, begin)
        reference.chain(x, steps, PLACE, lambda like, place: RNG.standard_normal(like.shape, F))

    assert faster(ours, numpys) > floor
