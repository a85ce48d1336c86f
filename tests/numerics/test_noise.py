"""The words are those of Philox4x32-10, the normals are normal, and both are functions of their place alone."""

import numpy as np
import pytest
from scipy.special import ndtr
from scipy.stats import kstest

from numerics.noise import TAIL, normals, philox, words
from numerics.statistics.testing import ALPHA


@pytest.mark.parametrize(
    "counter, key, expected",
    [  # the known answers of Random123 (Salmon et al. 2011), kat_vectors
        ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
        ((0xFFFFFFFF,) * 4, (0xFFFFFFFF,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
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
