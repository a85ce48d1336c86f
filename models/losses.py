"""What trained networks say about the two terms of a VAE's loss.

Each formula is trained with: a mistake in it leads elsewhere.  Linear VAEs should come to the most probable linear
model, which the eigenvalues know; and what nonlinear ones report should be log p(x), less what their codes lose of it,
which quadrature knows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache

import numpy as np
import torch
from torch import Tensor

from . import linear_vae, nonlinear_vae
from .atoms import Reached, Reaches
from .linear_vae import LinearVAE, Trained
from .nonlinear_vae import black_pixels, grey_pixels, over_the_codes
from .training import differentiable, evaluated

Array = np.ndarray
Formula = Callable[..., Array]

FEW = 2  # latents, for four pixels
MAGNIFIED = 3.0  # so that the plain losses have something to explain
EXACT, RESOLVES = 1e-7, 1e-3


def kl_standard_normal(cost: Formula, from_log_variance: Formula, total: Formula) -> Iterator[Reaches]:
    """Trained with the term, linear VAEs come to the most probable model, and what nonlinear ones report is a bound."""

    def together(mean: Tensor, log_variance: Tensor) -> Tensor:
        """The sum over latents, each a letter of its own."""
        n = mean.shape[-1]

        def indexed(**at: Array) -> Array:
            by_number = {letter: lambda j, letter=letter: at[f"{letter}{j}"] for letter in ("mu_j", "log_variance_j")}
            return evaluated(total, {"n": n, **by_number})

        each = {f"mu_j{j + 1}": mean[..., j] for j in range(n)}
        return differentiable(indexed)(**each, **{f"log_variance_j{j + 1}": log_variance[..., j] for j in range(n)})

    of_one = {
        "of sigma": lambda mean, log_variance: differentiable(cost)(mu=mean, sigma=(log_variance / 2).exp()),
        "of its logarithm": lambda mean, log_variance: differentiable(from_log_variance)(
            mu=mean, log_variance=log_variance
        ),
    }
    for name, loss in {**of_one, "of all": together}.items():
        linear = cache(lambda seed, loss=loss: linear_vae.train(grey_pixels(), FEW, seed, of_code=loss))
        yield from most_probable(linear, name)
    for name, loss in of_one.items():
        bent = cache(lambda seed, loss=loss: nonlinear_vae.train(grey_pixels(), seed, of_code=loss))
        yield Reaches(in_two_parts, lambda seed, bent=bent: reported(bent(seed)), EXACT, name=f"{name}, bent")


def gaussian_decoder(
    loss: Formula, total: Formula, for_sums: Formula, for_means: Formula, best: Formula, least: Formula
) -> Iterator[Reaches]:
    """Trained with the likelihood they come to the most probable model; with plain squares, to that of one variance."""

    def of_image(squares: Tensor, n: int, log_variance: Tensor) -> Tensor:
        return differentiable(total, n=n)(squares=squares, sigma=(log_variance / 2).exp())

    def of_pixel(x: Tensor, f: Tensor, log_noise: Tensor) -> Tensor:
        return differentiable(loss)(x=x, f=f, sigma=(log_noise / 2).exp())

    yield from most_probable(cache(lambda seed: linear_vae.train(grey_pixels(), FEW, seed, of_image=of_image)), "image")
    bent = cache(lambda seed: nonlinear_vae.train(grey_pixels(), seed, of_pixel=of_pixel))
    yield Reaches(in_two_parts, lambda seed: reported(bent(seed)), EXACT, name="pixel by pixel, bent")
    for n in range(FEW):
        yield Reaches(for_sums, lambda seed, n=n: spoken_of(n, summed(seed)), RESOLVES, name=f"sums, column {n + 1}")
        yield Reaches(for_means, lambda seed, n=n: spoken_of(n, meant(seed)), RESOLVES, name=f"means, column {n + 1}")
    yield Reaches(best, lambda seed: best_noise(two(seed)), 1e-5, name="the noise")
    yield Reaches(best, lambda seed: best_noise_of_bent(nonlinear_vae.grey(seed)), 1e-5, name="the noise, bent")
    yield Reaches(least, lambda seed: squares_cost(two(seed)), 1e-5, name="what squares cost in the end")


def bernoulli_decoder(
    cross_entropy: Formula, from_logit: Formula, normaliser: Formula | None = None, largest: Formula | None = None
) -> Iterator[Reaches]:
    """Trained with it on black and white, VAEs report a bound, and paint each pixel white as often as it is.

    What it would weigh on grey pixels is left to the other checks.
    """
    # From a logit of 37 on, one minus a probability is rounded to nought, whose logarithm is no number.
    losses = {
        "of the logit": lambda x, logit, _: differentiable(from_logit)(x=x, logit=logit),
        "of the probability": lambda x, logit, _: differentiable(cross_entropy)(
            x=x, prob=torch.sigmoid(logit.clamp(-30, 30))
        ),
    }
    for name, loss in losses.items():
        bent = cache(
            lambda seed, loss=loss: nonlinear_vae.train(black_pixels(), seed, of_pixel=loss, black_and_white=True)
        )
        yield Reaches(in_two_parts, lambda seed, bent=bent: reported(bent(seed)), EXACT, name=f"{name}, in two parts")
        yield Reaches(white, lambda seed, bent=bent: painted_white(bent(seed)), 1e-5, name=f"{name}, how much is white")


# Losses that are trained with


def most_probable(trained: Callable[[int], Trained], name: str) -> Iterator[Reaches]:
    """The bound comes to the largest likelihood of a linear model of the four pixels, and the noise to its noise."""
    lam = np.linalg.eigvalsh(np.cov(grey_pixels().T, bias=True))[::-1]
    noise = np.asarray(np.mean(lam[FEW:]))
    logs = np.sum(np.log(lam[:FEW])) + (len(lam) - FEW) * np.log(noise)
    likelihood = -(len(lam) * (np.log(2 * np.pi) + 1) + logs) / 2
    yield Reaches(
        lambda: likelihood, lambda seed: Reached(trained(seed).bound, trained(seed).found.left), 1e-6, name=name
    )
    yield Reaches(
        lambda: noise,
        lambda seed: Reached(*trained(seed).of(lambda vae: np.exp(vae.log_noise))),
        1e-4,
        name=f"{name}, noise",
    )


def in_two_parts(log_evidence: Array, divergence: Array) -> Array:
    return log_evidence - divergence


def reported(found: nonlinear_vae.Trained) -> Reached:
    """What a training says of its bound; and what quadrature says of log p(x), and of what is lost."""
    parts = {"log_evidence": found.log_evidence(), "divergence": found.divergence()}
    return Reached(found.bound, found.missed, {name: found.images.weights @ part for name, part in parts.items()})


@cache
def two(seed: int) -> Trained:
    """Two latents for four pixels, the noise trained too."""
    return linear_vae.train(grey_pixels(), FEW, seed)


@cache
def summed(seed: int) -> Trained:
    """The plain sum of squares."""
    return linear_vae.train(
        MAGNIFIED * grey_pixels(), FEW, seed, noise=1.0, of_image=lambda squares, n, log_variance: squares
    )


@cache
def meant(seed: int) -> Trained:
    """The plain mean of squares."""
    return linear_vae.train(
        MAGNIFIED * grey_pixels(), FEW, seed, noise=1.0, of_image=lambda squares, n, log_variance: squares / n
    )


def spoken_of(n: int, found: Trained) -> Reached:
    """The variance of which a loss speaks: by so much the longest columns are shorter than the data are long."""
    lam = np.linalg.eigvalsh(np.cov(MAGNIFIED * grey_pixels().T, bias=True))[-1 - n]
    value, error = found.of(lambda vae: lam - np.sort(np.sum(vae.W**2, axis=0))[-1 - n])
    return Reached(value, error, {"n": found.d}, magnitude=lam)


def mean_square(vae: LinearVAE) -> float:
    """Of a pixel, over the data and their codes."""
    away = grey_pixels() - vae.code(grey_pixels()) @ vae.W.T - vae.mu
    return float(np.mean(away**2) + np.sum(np.exp(vae.log_variances) * vae.W**2) / len(vae.W))


def best_noise(found: Trained) -> Reached:
    _, error = found.of(lambda vae: np.exp(vae.log_noise) - mean_square(vae))
    return Reached(np.exp(found.here.log_noise), error, {"mse": mean_square(found.here), "n": found.d})


def best_noise_of_bent(found: nonlinear_vae.Trained) -> Reached:
    """The same where the decoder bends, and squares are averaged over nodes."""
    x, weights = torch.from_numpy(found.images.x), torch.from_numpy(found.images.weights)

    def squares(p: nonlinear_vae.Parameters) -> Tensor:
        return weights @ over_the_codes(p, x, lambda z: (x[:, None] - p.outputs(z)) ** 2).mean(-1)

    _, error = found.of(lambda p: p.log_noise.exp() - squares(p))
    return Reached(found.noise, error, {"mse": float(squares(found.here)), "n": x.shape[1]})


def squares_cost(found: Trained) -> Reached:
    """The reconstruction loss, at the noise that was trained."""

    def cost(vae: LinearVAE) -> float:
        return found.d * (mean_square(vae) / np.exp(vae.log_noise) + vae.log_noise + np.log(2 * np.pi)) / 2

    return Reached(*found.of(cost), {"mse": mean_square(found.here), "n": found.d}, magnitude=found.d)


def white() -> Array:
    return np.mean(black_pixels(), axis=0)


def painted_white(found: nonlinear_vae.Trained) -> Reached:
    """How often each pixel is white, on average over the codes of the data."""
    x, weights = torch.from_numpy(found.images.x), torch.from_numpy(found.images.weights)
    chance = lambda p: weights @ over_the_codes(p, x, lambda z: torch.sigmoid(p.outputs(z)))
    return Reached(*found.of(chance), magnitude=1.0)
