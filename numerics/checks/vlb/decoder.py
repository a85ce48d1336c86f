"""What tries to refute the page on the decoder: a Gaussian, rounded to the nearest of 256 grey values."""

from typing import Any

import numpy as np
from hypothesis import strategies as st
from numpy import sqrt
from scipy.special import ndtr

from ...statistics import for_all, matches

GREYS = np.linspace(-1, 1, 256)
ENDS = np.concatenate([[-np.inf], (GREYS[1:] + GREYS[:-1]) / 2, [np.inf]])  # halfway to the neighbours
NODES, WEIGHTS = np.polynomial.legendre.leggauss(40)

POINTS = [(0.372, 2.3e-4), (-0.991, 1.3e-3), (0.983, 0.041), (-0.437, 7.1e-5), (0.289, 1.7)]  # means and variances


def discretised_decoder(inside, first, last):
    """The probability of each grey value, integrated over what is nearest to it; and that of all of them."""
    for mu, variance in POINTS:
        at = {"mu": mu, "variance": variance}
        # A few values near the mean, and some far away.
        few = np.unique(np.clip(np.searchsorted(GREYS, mu) + np.array([-40, -3, -1, 0, 1, 2, 57]), 1, 254))
        yield matches(inside, {"k": few, **at}, in_bins(few, mu, variance), magnitude=1.0)
        yield matches(first, at, *nearest(0, mu, variance))
        yield matches(last, at, *nearest(255, mu, variance))
        yield matches(lambda inside=inside, **at: in_all(inside, first, last, **at), at, 1.0)

    some: dict[str, Any] = {"mu": st.floats(-1.2, 1.2), "variance": st.floats(1e-5, 2.0)}
    yield for_all(**some, k=st.integers(1, 254))(
        lambda mu, variance, k: matches(inside, {"k": k, "mu": mu, "variance": variance}, *nearest(k, mu, variance))
    )
    for formula, k in ((first, 0), (last, 255)):
        yield for_all(**some)(
            lambda mu, variance, formula=formula, k=k: matches(
                formula, {"mu": mu, "variance": variance}, *nearest(k, mu, variance)
            )
        )
    yield for_all(**some, examples=40)(
        lambda mu, variance: matches(
            lambda **at: in_all(inside, first, last, **at), {"mu": mu, "variance": variance}, 1.0
        )
    )


def in_bins(k, mu, variance):
    """The integrals of the density over what is nearest to these grey values, by Gauss-Legendre in eight parts."""
    parts = np.linspace(ENDS[k], ENDS[k + 1], 9)[:, None]
    low, high = parts[:-1], parts[1:]
    u = (low + high) / 2 + (high - low) / 2 * NODES[:, None]
    density = np.exp(-((u - mu) ** 2) / (2 * variance)) / sqrt(2 * np.pi * variance)
    return np.sum(density * (high - low) / 2 * WEIGHTS[:, None], axis=(0, 1))


def nearest(k, mu, variance):
    """The probability that a draw is nearest to a grey value; it is a difference of two that are of the size of one."""
    return np.diff(ndtr((ENDS[k : k + 2] - mu) / sqrt(variance)))[0], 1.0


def in_all(inside, first, last, **at):
    return first(**at) + np.sum(inside(k=np.arange(1, 255), **at)) + last(**at)
