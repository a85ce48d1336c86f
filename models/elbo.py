"""What trained networks say about the chapter on the evidence lower bound.

VAEs of one latent number, whose log p(x) is an integral over a line: what their encoders lose, what better codes of a
single image gain of it, and what no code can change.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import torch
from numpy import exp, log
from torch import Tensor

from numerics.worlds import gaussian, normal

from . import linear_vae
from .atoms import Reached, Reaches
from .nonlinear_vae import LINE, Trained, black, grey, grey_pixels
from .training import Minimum, minimised

Array = np.ndarray
Formula = Callable[..., Array]

SHOWN = np.array([2, 11, 31])  # images that are looked at
AWAY = 0.3  # of a code that is not the best
SPOTS, APART = np.linspace(-6, 6, 121, retstep=True)  # where densities are told by their values
RESOLVES = 1e-5


def tight_iff_posterior(
    lower: Formula, upper: Formula, best: Formula, evidence_slope: Formula, model_slope: Formula | None = None
) -> Iterator[Reaches]:
    """What VAEs report stays below log p(x); codes of an image alone come closer, and touch it as the posterior.

    How log p(x) moves with the model is left to the other checks.
    """
    for trained, name in ((grey, "grey"), (black, "black and white")):
        for formula, relation in ((lower, "<"), (upper, ">")):
            for reached in (by_two_draws, by_eight_draws, by_the_best_gaussian):
                what = f"{name}, {relation} {reached.__name__.replace('_', ' ')}"
                yield Reaches(formula, of_the_shown(reached, trained), 1e-7, relation, what)
        yield Reaches(lower, of_the_shown(reported, trained), 1e-7, name=f"{name}, reported")
        yield Reaches(evidence_slope, of_the_shown(slope_of_the_evidence, trained), 1e-9, name=f"{name}, slope")
    # The logarithm of the posterior of a parabola is a quartic.
    yield Reaches(upper, of_the_shown(by_any_quartic, grey), RESOLVES, name="grey, by any quartic")
    for n in map(int, SHOWN):
        yield Reaches(best, lambda seed, n=n: of_any_quartic(grey(seed), n), RESOLVES, name=f"grey, best for image {n}")
    yield Reaches(lower, nothing_lost, RESOLVES, name="a line, which loses nothing")
    yield Reaches(best, code_of_the_line, RESOLVES, name="a line, the best")


# The letters of the chapter


@dataclass(frozen=True)
class Evidence:
    """log p(x), by the number of the image."""

    values: Array

    def __call__(self, x: Array) -> Array:
        return exp(self.values[x])

    def log_density(self, x: Array) -> Array:
        return self.values[x]


def letters(found: Trained, x: Array | int) -> dict[str, Any]:
    """What there is to know of the images x; and codes that are off by so much."""
    evidence, (mean, variance) = Evidence(found.log_evidence()), found.code()

    def joint(x: Array, z: Array) -> Array:
        return exp(found.log_joint(z, x))

    return {
        "x": x,
        "q": lambda z, x: exp(found.log_code(z, x)),
        "joint": joint,
        "evidence": evidence,
        "posterior": lambda z, x: joint(x, z) / evidence(x),
        "prior": gaussian(0.0, 1.0),
        "phi": mean[x] + AWAY,
        "omega": variance[x],
    }


def of_the_shown(
    reached: Callable[[Trained, int], tuple[float, float]], trained: Callable[[int], Trained]
) -> Callable[[int], Reached]:
    """Of the images that are looked at, a number and its error each."""

    def of_all(seed: int) -> Reached:
        found = trained(seed)
        values, errors = zip(*(reached(found, int(n)) for n in SHOWN))
        return Reached(values, errors, letters(found, SHOWN), magnitude=1.0)

    return of_all


# What codes come to


def reported(found: Trained, n: int) -> tuple[float, float]:
    """What the encoder's code comes to, and what the nodes miss."""
    mean, variance = (torch.tensor(part[n]) for part in found.code())
    value, finer = (-float(found.negative_bound(n, mean, variance.log(), k)) for k in (24, 48))
    return value, 2 * abs(finer - value)


def by_two_draws(found: Trained, n: int, k: int = 2) -> tuple[float, float]:
    """The importance weighted bound, and what a coarser sum misses of it."""
    value, coarser = (found.iwae(k, n, every) for every in (1, 2))
    return value, 2 * abs(coarser - value)


def by_eight_draws(found: Trained, n: int) -> tuple[float, float]:
    return by_two_draws(found, n, 8)


def by_the_best_gaussian(found: Trained, n: int) -> tuple[float, float]:
    """A code of this image alone: what it gains on the encoder's is the amortisation gap."""
    start = torch.tensor([found.code()[0][n], log(found.code()[1][n])])
    ended = minimised(lambda code: found.negative_bound(n, code[0], code[1]), start)
    mean, log_variance = torch.from_numpy(ended.at)
    return -ended.value, ended.left + 2 * abs(float(found.negative_bound(n, mean, log_variance, 48)) - ended.value)


def refined(found: Trained, n: int) -> tuple[Minimum, Array]:
    """The code of the image n, refined from the encoder's to the exponential of any quartic; and the powers of that."""
    (mean, variance), z = (part[n] for part in found.code()), SPOTS
    powers = ((z - mean) / np.sqrt(variance)) ** np.arange(1, 5)[:, None]
    u, together = torch.from_numpy(powers), torch.from_numpy(found.log_joint(z, n))

    def loss(c: Tensor) -> Tensor:
        logs = torch.log_softmax(c @ u, 0) - log(APART)
        return APART * (logs.exp() * (logs - together)).sum()

    return minimised(loss, torch.tensor([0.0, -0.5, 0.0, 0.0])), powers


def by_any_quartic(found: Trained, n: int) -> tuple[float, float]:
    ended, _ = refined(found, n)
    return -ended.value, ended.left


def of_any_quartic(found: Trained, n: int) -> Reached:
    """The density that this comes to."""
    ended, powers = refined(found, n)
    value, error = ended.of(lambda c: exp(c @ powers) / np.sum(exp(c @ powers)) / APART)
    return Reached(value, error, {**letters(found, n), "z": SPOTS}, magnitude=1.0)


def slope_of_the_evidence(found: Trained, n: int) -> tuple[float, float]:
    """log p(x) by draws from a code: they move with its mean, and the average of p(x, z)/q(z | x) does not."""
    mean, variance = (part[n] for part in found.code())
    slopes = []
    for spots in (LINE, LINE[::2]):
        phi = torch.tensor(mean + AWAY, requires_grad=True)
        z = phi + float(np.sqrt(variance)) * torch.from_numpy(spots)
        evidence = torch.logsumexp(-found.cost(z, n) - z**2 / 2, 0)
        slopes.append(float(torch.autograd.grad(evidence, phi)[0]))
    return slopes[0], 2 * abs(slopes[1] - slopes[0])


# A decoder that is a line


@cache
def line(seed: int) -> linear_vae.Trained:
    """A linear VAE of one latent number."""
    return linear_vae.train(grey_pixels(), 1, seed)


def letters_of_the_line(seed: int, x: Array | int) -> dict[str, Any]:
    """The same for a linear VAE; all but its code is known in closed form."""
    vae, noise = line(seed).here, float(np.exp(line(seed).here.log_noise))
    marginal, away = gaussian(vae.mu, vae.W @ vae.W.T + noise * np.eye(len(vae.W))), grey_pixels() - vae.mu
    evidence = Evidence(marginal.log_density(grey_pixels()))

    def joint(x: Array, z: Array) -> Array:
        left = away[x] - np.asarray(z)[..., None] * vae.W[:, 0]
        return np.prod(normal(left, 0.0, noise), axis=-1) * normal(z, 0.0, 1.0)

    return {
        "x": x,
        "q": lambda z, x: normal(z, vae.code(grey_pixels()[x])[..., 0], exp(vae.log_variances[0])),
        "joint": joint,
        "evidence": evidence,
        "posterior": lambda z, x: joint(x, z) / evidence(x),
        "prior": gaussian(0.0, 1.0),
    }


def lost(vae: linear_vae.LinearVAE) -> Array:
    """D_KL(q || posterior) of each image: both are Gaussian."""
    noise = np.exp(vae.log_noise)
    precision = 1 + np.sum(vae.W**2) / noise
    apart = vae.code(grey_pixels())[:, 0] - (grey_pixels() - vae.mu) @ vae.W[:, 0] / noise / precision
    ratio = exp(vae.log_variances[0]) * precision
    return (precision * apart**2 + ratio - 1 - log(ratio)) / 2


def nothing_lost(seed: int) -> Reached:
    """The bound of the encoder's code, which is log p(x) but for what the training has left."""
    (_, error), at = line(seed).of(lost), letters_of_the_line(seed, SHOWN)
    return Reached(at["evidence"].log_density(SHOWN), error[SHOWN], at, magnitude=1.0)


def code_of_the_line(seed: int) -> Reached:
    """The density of the encoder's code at the spots."""
    n = int(SHOWN[0])

    def density(vae: linear_vae.LinearVAE) -> Array:
        return normal(SPOTS, vae.code(grey_pixels()[n])[0], exp(vae.log_variances[0]))

    return Reached(*line(seed).of(density), {**letters_of_the_line(seed, n), "z": SPOTS}, magnitude=1.0)
