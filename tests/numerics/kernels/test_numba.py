"""The kernels of numba: words and normals of the specification, rows and chains to rounding, the same in any parts."""

import signal
import time
from itertools import count, pairwise

import numpy as np
import pytest

pytest.importorskip("numba")
from numba import njit

from numerics import noise, worlds
from numerics.kernels import Place, Steps, numba_chain, numba_noise, reference, with_numba
from numerics.solvers import grids, methods
from numerics.statistics import PASS, sampled
from tests.numerics.kernels.roundings import SINGLE, of_chain
from tests.numerics.test_noise import along, beside, rows

F = np.float32
TOP = 2**32 - 1


@pytest.fixture(autouse=True)
def one_thread(monkeypatch):
    monkeypatch.setattr(with_numba, "threads", 1)


def poisoned(*shape):
    return np.full(shape, np.nan, F)


# Words and normals


@njit
def words(counters, seed, out):
    for i in range(len(counters)):
        a, b, c, d = counters[i]
        k0, k1 = seed & numba_noise.LOW, seed >> numba_noise.UPPER
        out[i, 0], out[i, 1], out[i, 2], out[i, 3] = numba_noise.philox(a, b, c, d, k0, k1)


@pytest.mark.parametrize("seed", [0, 1, 2**64 - 1, 0x299F31D0A4093822])
def test_words_are_those_of_the_specification_bit_for_bit(seed):
    counters = np.random.default_rng(3).integers(0, 2**32, (1000, 4), dtype=np.uint64)
    counters[0], counters[1] = 0, TOP
    found = np.empty((1000, 4), np.uint32)
    words(counters, np.uint64(seed), found)
    assert np.array_equal(found, np.stack(noise.philox(tuple(counters.T), seed), axis=-1))


@numba_noise.compiled
def polar(w, r, x, y):
    """The radius and the direction that a word stands for."""
    for i in range(len(w)):
        r[i] = numba_noise.radius(w[i])
        x[i], y[i] = numba_noise.direction(w[i])


def errors(w):
    """Radii, directions, and how far each is from the specification."""
    r, x, y = (poisoned(len(w)) for _ in range(3))
    polar(w, r, x, y)
    u = ((w.astype(F) + F(0.5)) * F(2.0**-32)).astype(float)
    angle = 2 * np.pi * ((w >> np.uint32(7)) + 0.5) / 2**25
    radius, there = np.sqrt(-2 * np.log(u)), np.stack([np.cos(angle), np.sin(angle)])
    return radius, np.abs(r - radius), np.abs(there), np.abs(np.stack([x, y]) - there)


def binned(pairs, ends):
    """The largest value in each bin, and the largest error, over arrays of values and their errors."""
    tops, offs = np.zeros(len(ends) + 1), np.zeros(len(ends) + 1)
    for values, off in pairs:
        k = np.searchsorted(ends, values.ravel())
        np.maximum.at(tops, k, values.ravel())
        np.maximum.at(offs, k, off.ravel())
    return tops, offs


def worst(radii, directions):
    """The largest error of a product of any of these radii and any of these directions, rounding included.

    |r' c' - r c| <= r |c' - c| + |c| |r' - r| + |r' - r| |c' - c|, by bins of r and of |c|.
    """
    (r, of_r), (c, of_c) = binned(radii, np.linspace(0.1, 6.7, 100)), binned(directions, np.linspace(0.01, 0.99, 99))
    total = np.outer(r, of_c) + np.outer(of_r, c) + np.outer(of_r, of_c)
    return np.max(total + np.spacing((np.outer(r, c) + total).astype(F)) / 2)


EDGES = np.array([0, 2**29, 2**30, 3 * 2**29, 2**31, 2**31 + 2**29, 3 * 2**30, 2**32 - 2**29, 2**32], dtype=np.int64)


def test_normals_are_within_a_millionth_at_random_and_at_every_edge():
    rng = np.random.default_rng(4)
    near = EDGES[:, None] + np.arange(-1000, 1000)
    powers = 2 ** np.arange(32)[:, None] + np.arange(-3, 4)
    w = np.concatenate([near.ravel(), powers.ravel(), rng.integers(0, 2**32, 400_000)])
    radius, of_radius, there, off = errors(w[(w >= 0) & (w <= TOP)].astype(np.uint32))
    assert radius.max() == pytest.approx(noise.TAIL)
    assert radius.min() == 0.0
    assert worst([(radius, of_radius)], [(there, off)]) < 1e-6


@pytest.mark.slow
def test_normals_are_within_a_millionth_wherever_they_are():
    """Every angle, and every number that a radius is made from."""

    def radii():
        for bits in range(9):  # from 2^24 on, single precision leaves out more and more words
            numbers = np.arange(2 ** (23 + bits) if bits else 0, 2 ** (24 + bits), 2**bits)
            for part in np.array_split(numbers, 4):
                yield errors(part.astype(np.uint32))[:2]

    def directions():
        for begin in range(0, 2**25, 2**22):
            yield errors((np.arange(begin, begin + 2**22) << 7).astype(np.uint32))[2:]

    assert worst(radii(), directions()) < 1e-6


PLACES = [
    # particles, coordinates, n, first
    (3, 12288, 0, 5),
    (3, 12288, 3 * 12288, 5),
    (7, 3, 0, 2**32 - 3),
    (7, 3, 1, 2**64 - 7),
    (50, 1, 6, 0),
    (2500, 1, 0, 0),
    (40, 2, 2, 0),
    (33, 64, 128, 0),
    (5, 100, 101, 9),
    (4, 67, 3, 2**40),
    (2, 5000, 7, 0),
    (100, 17, 5, 0),
    (3, 61, 0, 1),
    (3, 60, 3, 1),
    (2000, 7, 1, 0),
    (1, 5, 2**34 - 5, 0),
    (1, 4096, 2**34 - 4096, 0),
]


@pytest.mark.parametrize(("particles", "d", "n", "first"), PLACES)
def test_an_array_is_filled_with_its_normals(particles, d, n, first):
    out, seed = poisoned(particles, d), 12345678901234567890
    with_numba.normal(out, Place(seed, 1, first, n))
    assert np.max(np.abs(out - noise.normals(seed, 1, first, particles, n, d))) < 1e-6


def filled(seed, stream, first, particles, n, count):
    out = poisoned(particles, count)
    with_numba.normal(out, Place(seed, stream, first, n))
    return out.astype(float)


@pytest.mark.parametrize("places", [beside, along])
def test_what_is_filled_in_is_normal_and_independent(places):
    finding = sampled(lambda rng, n: places(rng, n, filled), rows, resolves=1e-2).examine(2, "numba", places.__name__)
    assert finding.verdict == PASS, finding.detail


@pytest.mark.parametrize("shape", [(0,), (0, 3), (3, 0), (5,), (2, 3, 4, 5)])
def test_any_shape_is_particles_and_coordinates(shape):
    out = poisoned(*shape)
    with_numba.normal(out, Place(1))
    expected = np.empty(shape)
    reference.normal(expected, Place(1))
    assert np.all(np.abs(out - expected) < 1e-6)


# Rows


ROWS = [  # each is compiled for itself
    ("new", 1),
    ("new", 2),
    ("in place", 2),
    ("new", 4),
    ("new, new", 3),
    ("in place, new", 3),
    ("new, in place", 2),
    ("in place, in place", 4),
]


@pytest.mark.parametrize("noisy", [0.0, 0.7])
@pytest.mark.parametrize(("outputs", "inputs"), ROWS)
def test_rows_are_right_to_rounding(outputs, inputs, noisy):
    rng = np.random.default_rng(6)
    for shape in ((5, 300), (700, 3), (1003,), (1, 4099)):
        ins = [rng.standard_normal(shape).astype(F) for _ in range(inputs)]
        free, kept = iter(ins[::-1]), [array.copy() for array in ins]
        outs = [next(free) if one == "in place" else poisoned(*shape) for one in outputs.split(", ")]
        rows, place = rng.uniform(-2, 2, (len(outs), inputs)).tolist(), Place(5, 0, 3, 2)
        expected, sizes = ([np.empty(shape) for _ in outs] for _ in range(2))
        reference.combine(expected, [array.astype(float) for array in ins], rows, noisy, place)
        reference.combine(sizes, [np.abs(array.astype(float)) for array in ins], np.abs(rows).tolist(), 0.0, place)
        with_numba.combine(outs, ins, rows, noisy, place)
        for out, exact, size, of_noise in zip(outs, expected, sizes, (noisy, 0.0)):
            # every term has a rounded coefficient and a product, and as many sums as there are terms
            allowed = (inputs + 3) * SINGLE * (size + noise.TAIL * of_noise) + 1e-6 * of_noise
            assert np.all(np.abs(out - exact) <= allowed)
        for array, before in zip(ins, kept):
            assert any(array is out for out in outs) or np.array_equal(array, before)


# Chains


def world_of(d, components):
    rng = np.random.default_rng(10 * d + components)
    means = 1.5 * rng.standard_normal((components, d))
    return worlds.mixture(rng.dirichlet(np.full(components, 5.0)), means, rng.uniform(0.05, 0.3, components))


WIDE = [(1, 4), (2, 8), (3, 5), (5, 3), (16, 8)]
CHAINS = ["ddpm", "ddim", "dpmpp-2m", "sde-dpmpp-2m", "langevin", "naive"]
LEVELS = grids.log_snr(12, 20.0, 0.1)


@pytest.mark.parametrize("name", CHAINS)
@pytest.mark.parametrize(("d", "components"), WIDE)
def test_chains_are_right_to_rounding(d, components, name):
    world, table, particles = world_of(d, components), methods.METHODS[name](LEVELS), 150
    x, place = np.random.default_rng(8).standard_normal((particles, d)).astype(F), Place(3, first=2**32 - 100, n=d)
    end = x.copy()
    with_numba.chain(end, Steps.of(table, world), place)

    def normals(k):
        return noise.normals(3, 0, place.first, particles, d + k * d, d)

    expected, error = of_chain(Steps.of(table, world, np.float64), x, normals)
    assert np.all(np.linalg.norm(end - expected, axis=-1, keepdims=True) <= error)
    assert np.median(error) < 1e-2 * np.abs(expected).max()


def test_a_chain_on_the_line_has_no_axis_for_coordinates():
    world, table = worlds.mixture([0.4, 0.6], [-1.0, 1.0], [0.2, 0.1]), methods.ddpm(LEVELS)
    x = np.random.default_rng(8).standard_normal(300).astype(F)
    flat, column = x.copy(), x[:, None].copy()
    for array in (flat, column):
        with_numba.chain(array, Steps.of(table, world), Place(3))
    assert np.array_equal(flat, column[:, 0])
    assert not np.array_equal(flat, x)


# The same bits, in whatever parts and by however many threads


def normals_of(x, place):
    with_numba.normal(x, place)


def step_of(x, place):
    with_numba.combine([x], [x, x + F(1)], [[0.9, 0.3]], 0.5, place)


def chain_of(x, place):
    d = int(np.prod(x.shape[1:]))
    with_numba.chain(x.reshape(len(x), d), Steps.of(methods.sde_dpmpp_2m(LEVELS), world_of(d, 5)), place)


WORK = [normals_of, step_of, chain_of]


@pytest.mark.parametrize("d", [1, 2, 3, 9, 70])
@pytest.mark.parametrize("work", WORK)
def test_parts_are_parts_of_the_whole(work, d):
    x = np.random.default_rng(9).standard_normal((1000, d)).astype(F)
    whole, parts, place = x.copy(), x.copy(), Place(2, first=10)
    work(whole, place)
    ends = [0, 1, 3, 131, 500, 999, 1000]
    for begin, end in pairwise(ends):
        work(parts[begin:end], place.of_part(begin))
    assert np.array_equal(whole, parts)
    assert not np.array_equal(whole, x)


@pytest.mark.parametrize("d", [2, 9, 12288])
@pytest.mark.parametrize("work", WORK)
def test_threads_change_no_bit(work, d, monkeypatch):
    if d == 12288 and work is chain_of:
        return
    ends = []
    for threads in (1, 2, 3):
        monkeypatch.setattr(with_numba, "threads", threads)
        monkeypatch.setattr(with_numba, "ENOUGH", 1)
        x = np.random.default_rng(9).standard_normal((20_000 // d + 3, d)).astype(F)
        work(x, Place(2))
        ends.append(x)
    assert np.array_equal(ends[0], ends[1])
    assert np.array_equal(ends[0], ends[2])


@pytest.mark.parametrize("d", [2, 9])
@pytest.mark.parametrize("threads", [1, 2])
def test_a_chain_can_be_interrupted(threads, d, monkeypatch):
    """Between two parts of it: what is compiled hears nothing.  Parts that have not begun do not begin."""
    steps, x, parts = Steps.of(methods.ddpm(LEVELS), world_of(d, 5)), np.ones((128 * 500, d), F), count()
    whole, begun = x.copy(), x.copy()
    monkeypatch.setattr(with_numba, "threads", threads)
    with_numba.chain(whole, steps, Place(2))
    monkeypatch.setattr(with_numba, "AT_ONCE", 1)
    with_numba.chain(x, steps, Place(2))
    assert np.array_equal(x, whole)

    def interrupted(*given, work=getattr(numba_chain, "small" if d == 2 else "large")):
        if next(parts) == 9:
            signal.raise_signal(signal.SIGINT)
        work(*given)
        time.sleep(1e-3)  # who waits is told when a part ends

    monkeypatch.setattr(numba_chain, "small" if d == 2 else "large", interrupted)
    with pytest.raises(KeyboardInterrupt):
        with_numba.chain(begun, steps, Place(2))
    assert np.array_equal(begun[:128], whole[:128])
    assert np.all(begun[-128:] == 1)
