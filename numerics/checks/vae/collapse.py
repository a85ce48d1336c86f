r"""What tries to refute the page on posterior collapse.

The bound of a linear VAE with a diagonal encoder, for a sample. It is climbed by turns, each of which is a problem of
least squares: the encoder with the decoder fixed, the decoder with the encoder fixed. No turn knows of eigenvalues.
"""

from functools import cache

import numpy as np

from ...statistics import matches
from .principal import Eigenvalues, eigenvectors, refitted, sample

# Eigenvalues above the noise and below it, the number of latents, and sigma, above one and below it

WORLDS = [
    ((2.9, 1.7, 0.6, 0.3, 0.1), 3, 0.9),
    ((3.7, 2.1, 0.83, 0.41), 2, 0.57),
    ((4.1, 1.3, 0.59, 0.23, 0.17, 0.11), 3, 1.37),
    ((1.9, 1.1, 0.47), 1, 1.53),
    ((2.3, 2.3, 0.37, 0.37), 3, 0.71),
]


def posterior_collapse(length, kl, threshold):
    """Columns and divergences at the top of a climb, and where a short column neither grows nor shrinks."""
    for spectrum, k, sigma in WORLDS:
        W, encoder, variances = top(spectrum, k, sigma)
        spread = np.diag(encoder @ covariance(spectrum) @ encoder.T)
        for n in range(k):
            at = {"lam": Eigenvalues(np.array(spectrum)), "sigma": sigma, "i": n + 1}
            terms = np.array([spread[n], variances[n], -1, -np.log(variances[n])])
            yield matches(length, at, np.sum(W[:, n] ** 2), magnitude=spectrum[0])
            yield matches(kl, at, np.sum(terms) / 2, magnitude=np.sum(np.abs(terms)))
            yield matches(threshold, at, spectrum[n] / growth(spectrum, n, sigma))


@cache
def covariance(spectrum):
    X = sample(spectrum)
    return (X - X.mean(axis=0)).T @ (X - X.mean(axis=0)) / len(X)


def fitted(W, sigma):
    """The matrix and the variances of the best diagonal encoder."""
    M = W.T @ W + sigma**2 * np.eye(W.shape[1])
    return np.linalg.solve(M, W.T), sigma**2 / np.diag(M)


@cache
def top(spectrum, k, sigma):
    """W, and the matrix and the variances of its encoder, at the top of the bound; the longest columns first."""
    S = covariance(spectrum)
    W, before = np.cos(np.outer(np.arange(1, len(S) + 1), np.arange(1, k + 1))), np.inf
    while np.max(np.abs(W - before)) > 2 * np.finfo(float).eps:
        before = W
        encoder, variances = fitted(W, sigma)
        W, _ = refitted(S, encoder, np.diag(variances))
    W = W[:, np.argsort(-np.sum(W**2, axis=0))]  # which latent does what is left to the start
    return W, *fitted(W, sigma)


def growth(spectrum, n, sigma):
    """How much longer two turns make a very short column along an eigenvector."""
    column = 1e-9 * eigenvectors(len(spectrum))[:, [n]]
    encoder, variances = fitted(column, sigma)
    return np.linalg.norm(refitted(covariance(spectrum), encoder, np.diag(variances))[0]) / 1e-9
