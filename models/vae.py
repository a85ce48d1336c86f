"""What trained networks say about the chapter on variational autoencoders.

Linear ones, on handwritten digits: they are told a loss and nothing of eigenvalues.  What a training has left it says
itself, and the tolerance is nothing else.  The losses and the gradients have pages of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache

import numpy as np

from numerics.checks.vae.linear import entries, letters
from numerics.checks.vae.principal import Eigenvalues, log_likelihood
from numerics.worlds.digits import digits

from . import linear_vae
from .atoms import Reached, Reaches
from .gradients import detached_sample, reparam_gradient
from .linear_vae import LinearVAE, Trained
from .losses import bernoulli_decoder, gaussian_decoder, kl_standard_normal

__all__ = [
    "bernoulli_decoder", "detached_sample", "gaussian_decoder", "kl_standard_normal", "linear_optimal_encoder",
    "posterior_collapse", "ppca_mle", "reparam_gradient",
]  # fmt: skip

Array = np.ndarray
Formula = Callable[..., Array]

LATENTS, RESOLVES = 4, 1e-3
NOISE, MORE_LATENTS = 1.9, 5  # two of them have less variance to explain than there is noise
SHOWN = 5  # digits whose codes are looked at
AT_AN_ANGLE = np.array([[1.21, 0.67], [0.43, -0.85], [-0.38, 0.52], [0.16, 0.94]])  # columns for four pixels


def ppca_mle(scale: Formula, noise: Formula, best: Formula) -> Iterator[Reaches]:
    """The linear VAE comes to the most probable linear model of the digits: its columns, its noise, its likelihood."""
    for n in range(LATENTS):
        yield Reaches(scale, lambda seed, n=n: length_of(n, fitted(seed)), RESOLVES, name=f"column {n + 1}")
    yield Reaches(noise, noise_of, RESOLVES, name="noise")
    # The gap is in nats a pixel: a thousandth of one is the size of 64 pixels times 1/1000.
    yield Reaches(best, likelihood_of, RESOLVES / 10, name="likelihood")


def posterior_collapse(length: Formula, kl: Formula, threshold: Formula) -> Iterator[Reaches]:
    """With the noise fixed, the latents with eigenvalues above it are used, and the others collapse, and no more."""
    for n in range(MORE_LATENTS):
        collapsed = "used" if spectrum()[n] > NOISE else "collapsed"
        yield Reaches(
            length, lambda seed, n=n: squared_length_of(n, noisy(seed)), RESOLVES, name=f"{n + 1}, {collapsed}"
        )
        yield Reaches(kl, lambda seed, n=n: carried_by(n, noisy(seed)), RESOLVES, name=f"what {n + 1} carries")
        relation = "<" if spectrum()[n] > NOISE else ">"
        yield Reaches(
            threshold, lambda seed, n=n: eigenvalue(n, noisy(seed)), RESOLVES, relation, f"{n + 1} {collapsed}"
        )


def linear_optimal_encoder(
    posterior_mean: Formula,
    posterior_covariance: Formula,
    marginal_covariance: Formula,
    encoder_variance: Formula,
    loss: Formula,
) -> Iterator[Reaches]:
    """An encoder of four pixels becomes the exact posterior; with its decoder at an angle it loses this much."""
    for n in range(SHOWN):
        yield Reaches(posterior_mean, lambda seed, n=n: code_of(n, seed), RESOLVES, name=f"mean, digit {n + 1}")
    yield Reaches(posterior_covariance, covariance_of, RESOLVES, name="covariance")
    yield Reaches(likelihood_under(marginal_covariance), likelihood_of_four, RESOLVES, name="likelihood")
    for n in range(LATENTS):
        yield Reaches(
            encoder_variance, lambda seed, n=n: variance_of(n, four(seed)), RESOLVES, name=f"variance {n + 1}"
        )
    for n in range(2):
        yield Reaches(encoder_variance, lambda seed, n=n: variance_of(n, tied(seed)), RESOLVES, name=f"tied, {n + 1}")
    yield Reaches(loss, lost_by_the_tied, RESOLVES, name="what the tied encoder loses")


# Linear VAEs


@cache
def spectrum() -> Array:
    """The eigenvalues of the covariance of the digits, the largest first."""
    return np.linalg.eigvalsh(np.cov(digits().T, bias=True))[::-1]


@cache
def fitted(seed: int) -> Trained:
    """Trained on the digits, the noise too."""
    return linear_vae.train(digits(), LATENTS, seed)


@cache
def noisy(seed: int) -> Trained:
    """Trained on the digits with a noise that drowns some of the latents."""
    return linear_vae.train(digits(), MORE_LATENTS, seed, noise=NOISE)


def at(found: Trained, n: int) -> dict[str, object]:
    """The letters of eigenvalue n, counted from none."""
    d, k = found.here.W.shape
    return {"lam": Eigenvalues(spectrum()), "i": n + 1, "k": k, "n": d - k, "sigma": np.exp(found.here.log_noise / 2)}


def by_length(vae: LinearVAE, n: int) -> int:
    """Which latent has the n-th longest column; which does what is left to chance."""
    return int(np.argsort(-np.sum(vae.W**2, axis=0))[n])


def length_of(n: int, found: Trained) -> Reached:
    return Reached(*found.of(lambda vae: np.sqrt(np.sum(vae.W[:, by_length(vae, n)] ** 2))), at(found, n))


def squared_length_of(n: int, found: Trained) -> Reached:
    return Reached(*found.of(lambda vae: np.sum(vae.W[:, by_length(vae, n)] ** 2)), at(found, n), magnitude=1.0)


def carried_by(n: int, found: Trained) -> Reached:
    """What the code of a latent costs, averaged over the digits."""

    def carried(vae: LinearVAE) -> Array:
        k = by_length(vae, n)
        mean, log_variance = vae.code(digits())[:, k], vae.log_variances[k]
        return np.mean(mean**2 + np.exp(log_variance) - 1 - log_variance) / 2

    return Reached(*found.of(carried), at(found, n), magnitude=1.0)


def noise_of(seed: int) -> Reached:
    return Reached(*fitted(seed).of(lambda vae: np.exp(vae.log_noise)), at(fitted(seed), 0))


def likelihood_of(seed: int) -> Reached:
    return Reached(fitted(seed).bound, fitted(seed).found.left, at(fitted(seed), 0))


def eigenvalue(n: int, found: Trained) -> Reached:
    return Reached(spectrum()[n], 0.0, at(found, n))


# Encoders


@cache
def four(seed: int) -> Trained:
    """As many latents as pixels, and little noise."""
    return linear_vae.train(few_pixels(), LATENTS, seed, noise=0.05)


@cache
def tied(seed: int) -> Trained:
    """Only the encoder is trained, of a decoder whose columns are at an angle."""
    return linear_vae.train(few_pixels(), AT_AN_ANGLE.shape[1], seed, noise=0.9, W=AT_AN_ANGLE)


@cache
def few_pixels() -> Array:
    """Four pixels of the digits, in the middle."""
    return digits()[:, 26:30]


def of_the_pair(found: Trained, x: Array) -> dict[str, Array]:
    """The letters of a decoder and an image."""
    return letters(found.here.W, np.exp(found.here.log_noise / 2), found.here.mu, x)


def of_the_encoder(found: Trained) -> dict[str, object]:
    """The letters of M, of a decoder."""
    return entries(found.here.W, np.exp(found.here.log_noise / 2))


def code_of(n: int, seed: int) -> Reached:
    x = few_pixels()[n]
    return Reached(*four(seed).of(lambda vae: vae.code(x)[:, None]), of_the_pair(four(seed), x), magnitude=1.0)


def covariance_of(seed: int) -> Reached:
    """The code has no correlations; what the posterior has, the decoder has not yet unlearnt."""
    found = four(seed)
    value, error = found.of(lambda vae: np.diag(np.exp(vae.log_variances)))
    _, turned = found.of(lambda vae: np.linalg.inv(vae.W.T @ vae.W + np.exp(vae.log_noise) * np.eye(LATENTS)))
    at = of_the_pair(found, few_pixels()[0])
    return Reached(value, error + np.exp(found.here.log_noise) * turned, at, magnitude=np.max(value))


def likelihood_under(covariance: Formula) -> Formula:
    """The average log likelihood of the pixels, if that is their covariance."""

    def likelihood(**at: Array) -> Array:
        S, away = covariance(**at), few_pixels() - at["mu"].T
        logs = np.linalg.slogdet(2 * np.pi * S)[1]
        return -(logs + np.mean(np.sum(away * np.linalg.solve(S, away.T).T, axis=1))) / 2

    return likelihood


def likelihood_of_four(seed: int) -> Reached:
    """The bound is that likelihood: nothing is lost where the encoder is exact."""
    found = four(seed)
    return Reached(found.bound, found.found.left, of_the_pair(found, few_pixels()[0]))


def variance_of(n: int, found: Trained) -> Reached:
    return Reached(*found.of(lambda vae: np.exp(vae.log_variances[n])), {**of_the_encoder(found), "i": n + 1})


def lost_by_the_tied(seed: int) -> Reached:
    """How far the bound stays below the likelihood."""
    found = tied(seed)
    vae = found.here
    likelihood, size = log_likelihood(few_pixels(), vae.W, vae.mu, np.exp(vae.log_noise))
    return Reached(likelihood - found.bound, found.found.left, of_the_encoder(found), magnitude=size)
