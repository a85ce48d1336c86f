"""What tries to refute the page on rescaling: predictions of up to seven coordinates, and their standard deviations.

The prediction that is sought points where the guided one points, and has the deviation of the one with the label. A
mixture lies on the way there.
"""

import numpy as np
from hypothesis import strategies as st
from numpy import array

from ...statistics import for_all, matches

rows = st.lists(st.tuples(st.floats(-3, 3), st.floats(-3, 3)), min_size=2, max_size=7)
uneven = rows.map(lambda drawn: array(drawn).T).filter(lambda both: np.min(np.std(both, axis=1)) > 0.1)
some = {"both": uneven, "phi": st.floats(0.01, 0.99)}


def rescale(rescaled, mixed, std_mixed):
    """Directions and deviations of the rescaled prediction, and of what is mixed from it and the guided one."""

    def deviation(both, phi):
        return matches(lambda **at: np.std(rescaled(**at)), letters(both, phi), np.std(both[1]), magnitude=size(both))

    def direction(both, phi):
        towards = lambda **at: pointing(rescaled(**at))
        return matches(towards, letters(both, phi), pointing(both[0]), magnitude=size(both))

    def on_the_way(both, phi):
        target = pointing(both[0]) * np.std(both[1]) / np.std(pointing(both[0]))
        return matches(mixed, letters(both, phi), both[0] + phi * (target - both[0]), magnitude=size(both))

    def mixed_deviation(both, phi):
        target = pointing(both[0]) * np.std(both[1]) / np.std(pointing(both[0]))
        spread = np.std(both[0] + phi * (target - both[0]))
        return matches(std_mixed, letters(both, phi), spread, magnitude=size(both))

    for statement in (deviation, direction, on_the_way, mixed_deviation):
        yield for_all(**some)(statement)


def letters(both, phi):
    """The letters of the page; every coordinate at once."""
    guided, labelled = both
    at = {"phi": phi, "i": 1, "std_guided": np.std(guided), "std_labelled": np.std(labelled)}
    return at | {"guided": lambda i: guided, "labelled": lambda i: labelled}


def pointing(vector):
    """The direction of a vector."""
    return vector / np.sqrt(np.sum(vector**2))


def size(both):
    """How large the terms are that a deviation is made of."""
    return 1 + np.max(np.abs(both)) ** 2 / np.min(np.std(both, axis=1))
