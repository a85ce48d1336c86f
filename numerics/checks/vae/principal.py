r"""What tries to refute the page on the most probable linear model.

Samples of which only the likelihood is looked at. It is climbed by expectation-maximisation, from a start that has
nothing to do with eigenvectors; and no other model may be more probable than the best, neighbours least of all.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from hypothesis import strategies as st

from ...statistics import above, for_all, matches

# Eigenvalues and the number of latents: all different, the first or the last of them equal, a single one left out

SPECTRA = [
    ((2.9, 1.7, 0.6, 0.3), 1),
    ((3.7, 2.3, 0.83, 0.41, 0.17), 2),
    ((2.3, 2.3, 1.9, 0.37, 0.37), 3),
    ((4.1, 1.3, 1.3, 0.29, 0.23, 0.11), 3),
    ((1.9, 1.1, 0.47), 2),
]

sizes, gaps, nudges = st.floats(0.3, 2), st.floats(0.1, 1), st.floats(0.8, 1.2)
spectra = st.tuples(gaps, gaps, gaps, gaps).map(lambda gaps: tuple(np.cumsum(gaps)[::-1]))


def ppca_mle(scale, noise, best):
    """Columns, noise and likelihood at the top of a climb; and models that must not be better."""
    for spectrum, k in SPECTRA:
        W, variance, likelihood = most_probable(spectrum, k)
        at = letters(spectrum, k)
        for n, found in enumerate(np.linalg.svd(W)[1], 1):
            yield matches(scale, {**at, "i": n}, found)
        yield matches(noise, at, variance)
        yield matches(best, at, likelihood, magnitude=size_of(spectrum))

    @for_all(spectrum=spectra, entries=st.lists(st.floats(-2, 2), min_size=12, max_size=12), sigma=sizes)
    def others_are_worse(spectrum, entries, sigma):
        columns = np.array(entries).reshape(4, 3)
        value, size = log_likelihood(sample(spectrum), columns[:, :2], columns[:, 2], sigma**2)
        return above(best, letters(spectrum, 2), value, magnitude=size)

    yield others_are_worse

    @for_all(spectrum=spectra, nudges=st.tuples(nudges, nudges, nudges))
    def so_are_neighbours(spectrum, nudges):
        X, axes, at = sample(spectrum), eigenvectors(4), letters(spectrum, 2)

        def likelihood(first, second, third):
            lengths = np.array([first * scale(**at, i=1), second * scale(**at, i=2)])
            return log_likelihood(X, axes[:, :2] * lengths, X.mean(axis=0), third * noise(**at))

        value, size = likelihood(*nudges)
        return above(lambda **at: likelihood(1, 1, 1)[0], at, value, magnitude=size)

    yield so_are_neighbours


def letters(spectrum, k):
    """The letters of the page: eigenvalues by their number, and how many are kept and left out."""
    return {"lam": Eigenvalues(np.array(spectrum)), "k": k, "n": len(spectrum) - k}


def size_of(spectrum):
    return len(spectrum) * (np.log(2 * np.pi) + 1) + np.sum(np.abs(np.log(spectrum)))


@dataclass(frozen=True, eq=False)
class Eigenvalues:
    """A sequence of positive numbers, as formulas ask for it: a value, or its logarithm, by its number."""

    values: np.ndarray

    def __call__(self, j):
        return self.values[j - 1]

    def log_density(self, j):
        return np.log(self.values[j - 1])


@cache
def sample(spectrum, number=40):
    """Draws with this mean and with a covariance, divided by their number, that has these eigenvalues."""
    d, rng = len(spectrum), np.random.Generator(np.random.Philox(key=len(spectrum)))
    raw = rng.exponential(size=(number, d))
    white = np.linalg.qr(raw - raw.mean(axis=0))[0] * np.sqrt(number)
    return white * np.sqrt(spectrum) @ eigenvectors(d).T + np.linspace(-0.7, 1.3, d)


@cache
def eigenvectors(d):
    return np.linalg.qr(np.sin(np.arange(1.0, 1 + d**2).reshape(d, d) ** 1.5))[0]


def log_likelihood(X, W, mu, variance):
    """The average log density of the draws, and the size of what it is computed from."""
    covariance = W @ W.T + variance * np.eye(len(W))
    squares = np.sum((X - mu) * np.linalg.solve(covariance, (X - mu).T).T, axis=1)
    logs = np.linalg.slogdet(2 * np.pi * covariance)[1]
    return -(logs + np.mean(squares)) / 2, abs(logs) + np.mean(squares) * np.linalg.cond(covariance)


@cache
def most_probable(spectrum, k):
    """W, the noise and the likelihood at the top, by expectation-maximisation."""
    X = sample(spectrum)
    d, mu = X.shape[1], X.mean(axis=0)
    S = (X - mu).T @ (X - mu) / len(X)
    W, variance = np.cos(np.outer(np.arange(1, d + 1), np.arange(1, k + 1))), 1.0
    before = np.inf
    while np.max(np.abs(W - before)) > 2 * np.finfo(float).eps:
        before = W
        precision = W.T @ W + variance * np.eye(k)
        encoder = np.linalg.solve(precision, W.T)
        W, xz = refitted(S, encoder, variance * np.linalg.inv(precision))
        variance = np.trace(S - W @ xz.T) / d
    return W, variance, log_likelihood(X, W, mu, variance)[0]


def refitted(S, encoder, covariance):
    """W by regression of x on latents that are drawn by an encoder, and the mean products of the two."""
    xz = S @ encoder.T
    return xz @ np.linalg.inv(encoder @ xz + covariance), xz
