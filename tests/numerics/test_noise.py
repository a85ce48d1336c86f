"""The words are those of Philox4x32-10, the normals are normal, and both are functions of their place alone."""

import numpy as np
import pytest
from scipy.special import ndtr
from scipy.stats import kstest

from numerics.noise import RUN, START, TAIL, normals, philox, words
from numerics.statistics import FAIL, PASS, event, law, sampled

TOP = 0xFFFFFFFF


@pytest.mark.parametrize(
    ("counter", "key", "expected"),
    [  # the known answers of Random123 (Salmon et al. 2011), kat_vectors
        ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
        ((TOP,) * 4, (TOP,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
        (
            (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
            (0xA4093822, 0x299F31D0),
            (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
        ),
    ],
)
def test_known_answers(counter, key, expected):
    found = philox(tuple(np.uint32(c) for c in counter), key[0] + (key[1] << 32))
    assert tuple(int(w) for w in found) == expected


@pytest.mark.parametrize("kind", [np.int32, np.int64, np.uint32, np.uint64])
def test_integers_of_numpy_are_integers(kind):
    place, top = (7, RUN, 3), np.iinfo(kind).max
    assert np.array_equal(normals(*map(kind, place), 2, 1, 5), normals(*place, 2, 1, 5))
    assert np.array_equal(normals(kind(top), RUN, 3, 2, 1, 5), normals(int(top), RUN, 3, 2, 1, 5))
    assert np.array_equal(normals(7, RUN, kind(top - 2), 2, 1, 5), normals(7, RUN, int(top) - 2, 2, 1, 5))


def test_a_word_stands_where_the_formula_says():
    seed, stream, particle, n = 0x123456789ABCDEF0, 7, 2**33 + 5, 4 * 11 + 2
    counter = particle % 2**32, particle // 2**32, n // 4, stream
    expected = philox(tuple(np.uint32(c) for c in counter), seed)[n % 4]
    assert words(seed, stream, particle - 3, 9, 10, 4)[3, n - 40] == expected


@pytest.mark.parametrize(("n", "count"), [(0, 40), (1, 3), (2, 1), (7, 9), (39, 1)])
def test_a_draw_depends_on_its_place_alone(n, count):
    whole = normals(3, RUN, 2**32 - 4, 8, 0, 40)
    for begin, end in ((0, 8), (2, 3), (3, 8)):
        part = normals(3, RUN, 2**32 - 4 + begin, end - begin, n, count)
        assert np.array_equal(part, whole[begin:end, n : n + count])


def test_the_tail_ends_where_it_says():
    """The word 0 has the largest radius, and no word has none that is not a number."""
    assert pytest.approx(np.sqrt(-2 * np.log(0.5 * 2.0**-32)), rel=1e-12) == TAIL
    assert np.float32(np.float32(TOP) + np.float32(0.5)) * np.float32(2.0**-32) == 1.0


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ((2**64, 0, 0, 1, 0, 1), r"seed is 18446744073709551616; expected an integer from 0 to 2\^64 - 1"),
        ((-1, 0, 0, 1, 0, 1), "seed is -1"),
        ((0, 2**32, 0, 1, 0, 1), r"stream is 4294967296; expected an integer from 0 to 2\^32 - 1"),
        ((0, 0, 2**64, 1, 0, 1), "first is 18446744073709551616"),
        ((0, 0, 2**64 - 1, 2, 0, 1), "the last particle is 18446744073709551616"),
        ((0, 0, 0, 1, 2**34 - 1, 2), "the last block is 4294967296"),
        ((0, 0, 0, 1, -1, 2), "the first block is -1"),
        ((1.0, 0, 0, 1, 0, 1), r"seed is 1.0; expected an integer"),
        ((0, 0, 1.0, 1, 0, 1), r"first is 1.0; expected an integer"),
    ],
)
def test_what_has_no_place_is_refused(place, message):
    with pytest.raises(ValueError, match=message):
        normals(*place)


# The law.  What is drawn is a function of a place; a place is all that chance is asked for.


def placed(rng):
    seed, first = (int(k) for k in rng.integers(0, 2**63, 2))
    return seed, first, int(rng.integers(0, 2**20))


def beside(rng, n, draw=normals):
    """A normal, those beside it, and those in its place of the next particle, another stream, and another seed."""
    seed, first, at = placed(rng)
    z = draw(seed, RUN, first, n + 1, at, 4).T
    return (*z[:, :-1], z[0, 1:], draw(seed, START, first, n, at, 1)[:, 0], draw(seed + 1, RUN, first, n, at, 1)[:, 0])


def along(rng, n, draw=normals):
    """Along one particle: a normal, and the next ones."""
    seed, first, at = placed(rng)
    z = draw(seed, RUN, first, 1, at, n + 8)[0]
    return tuple(z[k : n + k] for k in (0, 1, 2, 3, 4, 8))


def rows(z, *given):
    return [*law(z, given), *law(z), *beyond(z)]


def beyond(z):
    """How often a normal is far out."""
    return [row for t in (2.5, 3.5) for row in event(np.abs(z) > t, 2 * ndtr(-t))]


@pytest.mark.parametrize("places", [beside, along])
def test_normals_are_normal_and_independent_of_those_beside_them(places):
    finding = sampled(places, rows, resolves=2e-2).examine(0, "noise", places.__name__)
    assert finding.verdict == PASS, finding.detail


def too_narrow(*place):
    return 0.97 * normals(*place)


def without_a_tail(*place):
    return np.clip(normals(*place), -3.4, 3.4)


def in_pairs(seed, stream, first, particles, n, count):
    """As if the last bit of the particle were lost."""
    z = normals(seed, stream, first, particles + 1, n, count)
    return z[np.arange(particles) // 2 * 2]


def one_stream(seed, stream, *place):
    return normals(seed, RUN, *place)


def seeds_in_pairs(seed, *place):
    return normals(seed // 2 * 2, *place)


def twice(*place):
    """As if both words of a pair were one."""
    z = normals(*place)
    z[:, 1::2] = z[:, 0::2]
    return z


@pytest.mark.parametrize("wrong", [too_narrow, without_a_tail, in_pairs, one_stream, seeds_in_pairs, twice])
def test_wrong_normals_are_found(wrong):
    finding = sampled(lambda rng, n: beside(rng, n, wrong), rows, resolves=2e-2).examine(1, "noise", wrong.__name__)
    assert finding.verdict == FAIL


def test_the_law_of_a_million_is_normal_by_kolmogorov():
    z = normals(11, RUN, 0, 2**10, 0, 2**10).ravel()
    assert kstest(z, ndtr).pvalue > 1e-6
    assert np.max(np.abs(z)) < TAIL
    assert kstest(0.98 * z, ndtr).pvalue < 1e-6  # 0.24 x 0.02 off, where 0.0026 is the limit of a million
