"""What trained networks say about gradients of averages over a sample.

The function is what a trained decoder makes of a code: how badly it explains an image.  Slopes of its average are those
of automatic differentiation; and whoever descends by a formula for them comes to where a training comes, or does not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from numpy import exp, log, sqrt
from numpy.typing import ArrayLike
from scipy.special import ndtr, ndtri
from torch import Tensor

from numerics.checks.vae.gradients import mean_of
from numerics.inputs import finite

from .atoms import Reached, Reaches
from .linear_vae import divergence
from .nonlinear_vae import Trained, grey, nodes
from .training import minimised, one_thread

Array = np.ndarray
Formula = Callable[..., Array]
Slope = Callable[[Array], Array]

IMAGES = 2, 11, 31
STEP, SHARE = 0.7, 0.83  # where a step is, in standard deviations from the code; how much shall be above it
TARGET = 1.3  # of a code that is drawn to it by its square
RESOLVES, STILL = 1e-5, 1e-10


def reparam_gradient(
    along_mean: Formula, along_sigma: Formula, along_log_variance: Formula, of_a_step: Formula
) -> Iterator[Reaches]:
    """On average the formulas are the automatic slopes, along a path and by weights; descended, they train a code."""
    averages = {"mean": along_mean, "sigma": along_sigma, "log variance": along_log_variance}
    for n in IMAGES:
        for by, formula in averages.items():
            for estimator in (along_the_path, by_weights):
                name = f"{by}, {estimator.__name__.replace('_', ' ')}, image {n}"
                reached = lambda seed, n=n, by=by, estimator=estimator: estimator(grey(seed), n, by)
                yield Reaches(mean_of(formula), reached, RESOLVES, name=name)
        for spread in ("sigma", "log variance"):
            ends = lambda seed, n=n, spread=spread: trained_code(grey(seed), n, spread, averages)
            yield Reaches(best_code, ends, RESOLVES, name=f"descended in {spread}, image {n}")
    yield Reaches(quantile, lambda seed: pushed_over(of_a_step, seed), RESOLVES, name="pushed over a step")


def detached_sample(
    no_path_to_mu: Formula, no_path_to_sigma: Formula, true_by_mu: Formula, true_by_sigma: Formula
) -> Iterator[Reaches]:
    """A term of a detached sample leaves the gradient as it is, exactly: who descends it ends at the prior."""
    for what, detached, true in (("mu", no_path_to_mu, true_by_mu), ("sigma", no_path_to_sigma, true_by_sigma)):
        yield Reaches(detached, lambda seed, what=what: of_squares(seed, what, True), 1e-12, name=f"{what}, detached")
        yield Reaches(true, lambda seed, what=what: of_squares(seed, what, False), 1e-12, name=f"{what}, with a path")
    for detached, by_mu, by_sigma in ((True, no_path_to_mu, no_path_to_sigma), (False, true_by_mu, true_by_sigma)):
        reached = lambda seed, which=(detached, by_mu, by_sigma): drawn_to_the_target(seed, *which)
        yield Reaches(best_code, reached, RESOLVES, name="descended, " + ("detached" if detached else "with a path"))


def descended_by(slope: Slope, start: ArrayLike, rate: ArrayLike, steps: int = 500) -> tuple[Array, Array]:
    """Where a slope leads from ``start``, and how far off that may be: the rest of a geometric series of steps.

    Raises ValueError for a start that is not finite, and FloatingPointError if the slope leads nowhere.
    """
    at, size, shrinks = finite("start", start), np.inf, 1.0
    for done in range(1, steps + 1):
        move = np.asarray(rate) * slope(at)
        if not np.all(np.abs(at - move) < 100):
            raise FloatingPointError(f"after {done} steps it is at {at}: the slope leads nowhere")
        at, size, before = at - move, float(np.max(np.abs(move))), size
        shrinks = min(size / before, 1.0) if before else 0.0
        if size < STILL:
            break
    return at, np.full(at.shape, size / (1 - shrinks) + STILL if shrinks < 1 else np.inf)


# A decoder that explains an image


def letters(found: Trained, n: int) -> dict[str, Any]:
    """How badly an image is explained, with its slope; and a code, a little off the encoder's."""

    def slope(z: Array) -> Array:
        at = torch.from_numpy(np.array(z, dtype=float)).requires_grad_()
        (gradient,) = torch.autograd.grad(found.cost(at, n).sum(), at)
        return gradient.numpy()

    mean, variance = (float(part[n]) for part in found.code())
    sigma = 1.2 * sqrt(variance)
    return {"mu": mean + 0.2, "sigma": sigma, "log_variance": 2 * log(sigma), "slope": slope}


def parameters(at: dict[str, Any], by: str) -> tuple[Tensor, Tensor, Tensor]:
    """Mean, standard deviation, and the one that is moved."""
    mean, spread = (torch.tensor(float(at[name]), dtype=torch.float64, requires_grad=True) for name in ("mu", "sigma"))
    if by == "log variance":
        spread = torch.tensor(2 * np.log(float(at["sigma"])), dtype=torch.float64, requires_grad=True)
        return mean, (spread / 2).exp(), spread
    return mean, spread, mean if by == "mean" else spread


def along_the_path(found: Trained, n: int, by: str) -> Reached:
    """The reparameterised estimator, averaged: the sample is a function of mean and spread, and torch finds slopes."""

    def slope(number: int) -> float:
        (e, w), (mean, sigma, moved) = nodes(number), parameters(letters(found, n), by)
        average = (w * found.cost(mean + sigma * e, n)).sum()
        return float(torch.autograd.grad(average, moved)[0])

    return of_nodes(slope, letters(found, n))


def by_weights(found: Trained, n: int, by: str) -> Reached:
    """The score-function estimator, averaged: the sample is fixed, and its log density has the slopes."""

    def slope(number: int) -> float:
        (e, w), (mean, sigma, moved) = nodes(number), parameters(letters(found, n), by)
        z = (mean + sigma * e).detach()
        log_q = -(((z - mean) / sigma) ** 2) / 2 - sigma.log()
        return float(torch.autograd.grad((w * found.cost(z, n) * log_q).sum(), moved)[0])

    return of_nodes(slope, letters(found, n))


def of_nodes(slope: Callable[[int], float], at: dict[str, Any]) -> Reached:
    with one_thread():
        value, finer = slope(24), slope(48)
    return Reached(value, 2 * abs(finer - value), at, magnitude=1.0)


def best_code(best: Array) -> Array:
    return best


def trained_code(found: Trained, n: int, spread: str, averages: dict[str, Formula]) -> Reached:
    """The code of one image alone, descended by the formulas, and trained by automatic derivatives."""
    start = letters(found, n)

    def loss(code: Tensor) -> Tensor:
        return found.negative_bound(n, code[0], code[1])

    def slope(code: Array) -> Array:
        sigma = code[1] if spread == "sigma" else exp(code[1] / 2)
        at = {**start, "mu": code[0], "sigma": sigma, "log_variance": 2 * log(sigma)}
        of_divergence = (sigma - 1 / sigma) if spread == "sigma" else (sigma**2 - 1) / 2
        return np.array([mean_of(averages["mean"])(**at) + code[0], mean_of(averages[spread])(**at) + of_divergence])

    best, error = minimised(loss, torch.tensor([start["mu"], start["log_variance"]])).of(
        lambda code: np.array([code[0], exp(code[1] / 2) if spread == "sigma" else code[1]])
    )
    # Half of the natural gradient's steps: slopes are divided by the Fisher information of the code to start with.
    first, variance = np.array([start["mu"], start[spread.replace(" ", "_")]]), start["sigma"] ** 2
    rate = np.array([variance, variance / 2 if spread == "sigma" else 2.0]) / 2
    ended, left = descended_by(slope, first, rate)
    return Reached(ended, left + error, {"best": best}, magnitude=1.0)


def quantile(b: Array, sigma: Array) -> Array:
    """The mean of the normal law of which so much is above the step."""
    return b + sigma * ndtri(SHARE)


def pushed_over(of_a_step: Formula, seed: int) -> Reached:
    """A code that is moved by the slope of its probability above a step until that is what it shall be."""
    at = letters(grey(seed), IMAGES[0])
    sigma, b = at["sigma"], at["mu"] + STEP * at["sigma"]

    def slope(mu: Array) -> Array:
        return (ndtr((mu - b) / sigma) - SHARE) * of_a_step(b=b, mu=mu, sigma=sigma)

    return Reached(*descended_by(slope, at["mu"], 8 * sigma**2), {"b": b, "sigma": sigma}, magnitude=1.0)


# Squares of a code


def squares(mean: Tensor, sigma: Tensor, detached: bool) -> Tensor:
    """E z^2, z a draw of each code; if it is detached, a number that was drawn."""
    e, w = nodes()
    z = mean[..., None] + sigma[..., None] * e
    return ((z.detach() if detached else z) ** 2) @ w


def automatic(mean: Array, sigma: Array, detached: bool, target: float = 0.0) -> tuple[Array, Array]:
    """The slopes in mean and sigma of E (z - target)^2 and the divergence together, and of the divergence alone."""
    m, s = (torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in (mean, sigma))
    alone = divergence(m, 2 * s.log()).sum()
    together = alone + squares(m - target, s, detached).sum()
    of_both, of_one = (torch.autograd.grad(loss, (m, s), retain_graph=True) for loss in (together, alone))
    return np.array([x.numpy() for x in of_both]), np.array([x.numpy() for x in of_one])


def of_squares(seed: int, what: str, detached: bool) -> Reached:
    """By how much the squares change the automatic gradient of a loss, for the codes of all images."""
    mean, variance = grey(seed).code()
    together, alone = automatic(mean, sqrt(variance), detached)
    change = (together - alone)[("mu", "sigma").index(what)]
    return Reached(change, 0.0, {"mu": mean, "sigma": sqrt(variance)}, magnitude=np.max(np.abs(together)))


def drawn_to_the_target(seed: int, detached: bool, by_mu: Formula, by_sigma: Formula) -> Reached:
    """A code of which the squares from the target shall be small, by automatic slopes and by the formulas."""
    mean, variance = grey(seed).code()
    start = np.array([mean[IMAGES[0]], sqrt(variance[IMAGES[0]])])

    def by_formulas(code: Array) -> Array:
        at = {"mu": code[0] - TARGET, "sigma": code[1]}
        return np.array([by_mu(**at) + code[0], by_sigma(**at) + code[1] - 1 / code[1]])

    best, error = descended_by(lambda code: automatic(code[0], code[1], detached, TARGET)[0], start, 0.1)
    ended, left = descended_by(by_formulas, start, 0.1)
    return Reached(ended, left + error, {"best": best}, magnitude=1.0)
