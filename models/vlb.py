"""What the trained denoiser says about the bound of diffusion and about what its regression lands on.

One network for all steps, trained once for a seed (``models/diffusion.py``).  Where its own predictions go into a
formula, what should come out is integrated with the same predictions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import torch
from numpy import sqrt
from torch import Tensor

from numerics.checks.vlb.bound import letters as letters_of_a_chain
from numerics.checks.vlb.bound import log_normal
from numerics.checks.vlb.matching import given as letters_of_a_step
from numerics.checks.vlb.weights import cost, own
from numerics.quadrature import FEWEST, settled
from numerics.statistics import stream
from numerics.statistics.formulas import under_test
from numerics.worlds import Mixture, gaussian

from .atoms import SURE, Given, Lands, Reached, Reaches
from .diffusion import SCHEDULE, WORLD, T, denoiser, draws, moments_of
from .diffusion import given as given_noise
from .game import samples
from .training import differentiable, minimised

Array = np.ndarray
Formula = Callable[..., Array]

RESOLVES, FRESH = 2e-2, 2**20
TIMES = 2, 4
POINTS = 0.83, -0.57, 1.49  # values of x_0
FORMS = "noise", "x_0", "velocity", "score"


def decomposition(bound: Formula, ends: Formula | None = None) -> Iterator[Reaches]:
    """The terms of the bound of the trained chain add up to it, and it is above what the chain makes of x_0.

    That forward and backward paths only differ by their ends is left to the other checks.
    """
    for x_0 in POINTS:
        yield Reaches(bound, lambda seed, x_0=x_0: whole_bound(x_0, seed), 1e-5, name=f"x_0 = {x_0:g}, all terms")
        yield Reaches(bound, lambda seed, x_0=x_0: evidence(x_0, seed), 1e-5, ">", name=f"x_0 = {x_0:g}, a bound")


def epsilon_weight(weight: Formula, own_weight: Formula, ratio: Formula) -> Iterator[Reaches]:
    """What the errors of the trained network cost in the bound is their square, times this weight."""
    for t in TIMES:
        for formula, name in ((weight, "any variance"), (own_weight, "the kernel's"), (ratio, "by the ratio of SNR")):
            sigma = 0.713 if formula is weight else float(sqrt(own(SCHEDULE.step(t))))
            times = lambda error, formula=formula, **at: formula(**at) * error
            yield Reaches(times, lambda seed, t=t, s=sigma: cost_of_errors(t, s, seed), 1e-9, name=f"{name}, t = {t}")


def simple_loss_minimiser(
    minimiser: Formula, floor: Formula, floor_from_mmse: Formula, gaussian: Formula | None = None
) -> Iterator[Lands | Reaches]:
    """The network lands on the mean of the noise, however it is spelled, and its loss on what is left, which is not 0.

    Gaussian data are left to the other checks.
    """
    for form, t in [*((FORMS[0], t) for t in range(1, T + 1)), *((form, 3) for form in FORMS[1:])]:
        yield lands_on(minimiser, form, t)
    for t in TIMES:
        for formula, name in ((floor, "from J"), (floor_from_mmse, "from the mmse")):
            yield Reaches(formula, lambda seed, t=t: loss_reached(t, seed), 2e-2, name=f"least loss {name}, t = {t}")


def dsm_equivalence(constant: Formula, integrand: Formula) -> Iterator[Reaches]:
    """A network's losses against a target and against the score differ by this; without a target it finds the score."""
    for t in TIMES:
        yield Reaches(constant, lambda seed, t=t: between_losses(t, seed), 3e-2, name=f"constant, t = {t}")
        # The best of this family in mean square against the score, which training was not told.
        best = lambda projected: projected
        yield Reaches(best, lambda seed, t=t: without_a_target(integrand, t), 1e-5, name=f"no target, t = {t}")


# The bound of the trained chain


@dataclass(frozen=True)
class Chain:
    """The model that the network makes: Gaussian steps from N(0, 1), of the variance of the forward steps."""

    seed: int
    start = gaussian(0.0, 1.0)

    def mean(self, x_t: Array, t: float) -> Array:
        step, seen = SCHEDULE.step(int(t)), denoiser(self.seed).predict(np.asarray(x_t), int(t))
        return (x_t - sqrt(step.beta) * seen.last) / sqrt(step.alpha)

    def variance(self, t: float) -> float:
        return SCHEDULE.step(int(t)).beta


def whole_bound(x_0: float, seed: int) -> Reached:
    """E log q(x_{1:T} | x_0) / p(x_{0:T}), term by term from the definitions, each an average over two noises."""
    chain, total, size, missed = Chain(seed), 0.0, 0.0, 0.0
    for t in range(1, T + 1):
        values = [term(x_0, t, chain, nodes) for nodes in (48, 96)]
        total, size, missed = total + values[1], size + abs(values[1]), missed + 2 * abs(values[1] - values[0])
    at = letters_of_a_chain(x_0, tuple(SCHEDULE.betas), chain)
    return Reached(total, missed + SINGLE * size, at, magnitude=size)


def term(x_0: float, t: int, chain: Chain, nodes: int) -> float:
    """E log q(x_t | x_prev) - log p(x_prev | x_t), and at the end - log p(x_T)."""
    z, w = np.polynomial.hermite_e.hermegauss(nodes)
    w, step = w / w.sum(), SCHEDULE.step(t)
    x_prev = sqrt(step.alpha_bar_prev) * x_0 + sqrt(1 - step.alpha_bar_prev) * z[:, None]
    x_t = sqrt(step.alpha) * x_prev + sqrt(step.beta) * z
    logs = log_normal(x_t, sqrt(step.alpha) * x_prev, step.beta)
    logs = logs - log_normal(x_prev, chain.mean(x_t, t), chain.variance(t))
    if t == T:
        logs = logs - chain.start.log_density(x_t)
    return float(w @ logs @ w)


def evidence(x_0: float, seed: int) -> Reached:
    """-log p(x_0): the chain's densities on a grid, one step after the other."""
    chain, grid = Chain(seed), np.linspace(-9, 9, 1201)
    density = chain.start.density(grid)
    for t in range(T, 0, -1):
        where = grid if t > 1 else np.array([x_0])
        kernel = np.exp(log_normal(where[:, None], chain.mean(grid, t), chain.variance(t)))
        density = kernel @ density * (grid[1] - grid[0])
    at = letters_of_a_chain(x_0, tuple(SCHEDULE.betas), chain)
    return Reached(-np.log(density[0]), SINGLE, at, magnitude=1.0)


SINGLE = 2.0**-20  # a few roundings of the network, which works in single precision


def cost_of_errors(t: int, sigma: float, seed: int) -> Reached:
    """What some of the network's predictions cost more in the bound than the noise itself would, by integration."""
    step, n = SCHEDULE.step(t), 64
    x_0, _, x_t = WORLD.forward(step)(stream(seed, "vlb.epsilon-weight", "draws", 0), n)
    noise = (x_t - sqrt(step.alpha_bar) * x_0) / sqrt(1 - step.alpha_bar)
    predicted = denoiser(seed).predict(x_t, t).whole
    rule = cost(step, sigma**2, x_0, noise, predicted)
    _, size = rule(FEWEST)  # what is known up to rounding is known up to that of the terms
    error = np.sum((noise - predicted) ** 2)
    at = {"alpha": step.alpha, "alpha_bar_prev": step.alpha_bar_prev, "sigma": sigma, "error": error}
    return Reached(settled(rule), 0.0, at, magnitude=size)


# What the regression lands on


def spell(form: str, t: int, x_t: Any, noise: Any) -> Any:
    """A prediction of the noise as one of x_0, of the velocity or of the score."""
    a, b = sqrt(SCHEDULE.step(t).alpha_bar), sqrt(1 - SCHEDULE.step(t).alpha_bar)
    x_0 = (x_t - b * noise) / a
    return {"noise": noise, "x_0": x_0, "velocity": a * noise - b * x_0, "score": -noise / b}[form]


def lands_on(minimiser: Formula, form: str, t: int) -> Lands:
    return Lands(
        learned(form, t),
        told(minimiser, form, t),
        spelled_draws(form, t),
        given(form, t),
        RESOLVES,
        f"{form}, t = {t}",
    )


def learned(form: str, t: int) -> Callable[[int], Callable[[Array], Array]]:
    return lambda seed: lambda x_t: spell(form, t, x_t, denoiser(seed).predict(x_t, t).whole)


def told(minimiser: Formula, form: str, t: int) -> Formula:
    """The formula for the mean of the noise, spelled like this."""

    def formula(x_t: Array) -> Array:
        return spell(form, t, x_t, minimiser(**known_of(t), x_t=x_t))

    return formula


def spelled_draws(form: str, t: int) -> Callable[..., tuple[Array, Array]]:
    def draw(rng: np.random.Generator, n: int) -> tuple[Array, Array]:
        x_t, noise = draws("whole", t)(rng, n)
        return x_t, spell(form, t, x_t, noise)

    return draw


def given(form: str, t: int) -> Callable[[Array], Given]:
    """What the world knows: the noise, stretched and shifted."""

    def known(x_t: Array) -> Given:
        mean, sigma, third = given_noise("whole", t)(x_t)
        return Given(spell(form, t, x_t, mean), abs(spell(form, t, 0.0, 1.0)) * sigma, third)

    return known


@cache
def known_of(t: int) -> dict[str, object]:
    """The letters of the chapter at a step."""
    return letters_of_a_step(WORLD, SCHEDULE.step(t))


def loss_reached(t: int, seed: int) -> Reached:
    """The loss on fresh draws; chance adds to it or takes from it, and the network adds what it is off."""
    x_t, noise = draws("whole", t)(stream(seed, "vlb.simple-loss-minimiser", f"fresh, t = {t}", 0), FRESH)
    predicted = denoiser(seed).predict(x_t, t).whole
    squares, off = (noise - predicted) ** 2, (predicted - moments_of("whole", t, x_t)[0]) ** 2
    return Reached(squares.mean(), SURE * squares.std() / sqrt(FRESH) + off.mean(), known_of(t))


def between_losses(t: int, seed: int) -> Reached:
    """Half of the mean squares against the target and against the score, for a network that is told the wrong time."""
    step = SCHEDULE.step(t)
    x_t, noise = draws("whole", t)(stream(seed, "vlb.dsm-equivalence", f"fresh, t = {t}", 0), FRESH)
    f = spell("score", t, x_t, denoiser(seed).predict(x_t, t + 1).whole)
    target, score = -noise / sqrt(1 - step.alpha_bar), WORLD.marginal(step.alpha_bar).score(x_t)
    apart = ((f - target) ** 2 - (f - score) ** 2) / 2
    return Reached(apart.mean(), SURE * apart.std() / sqrt(FRESH), {**known_of(t), "power": np.mean(f**2)})


# A score without a target


SOME = np.array([-1.27, 0.19, 1.71])
CENTRES = np.linspace(-2.4, 2.4, 5)


def features(x: Array) -> tuple[Array, Array]:
    """Bumps, a constant and a line, and their slopes; each (7, n)."""
    apart = x - CENTRES[:, None]
    bumps = np.exp(-(apart**2) / 2)
    return np.vstack([bumps, 1 + 0 * x, x]), np.vstack([-apart * bumps, 0 * x, 1 + 0 * x])


def without_a_target(integrand: Formula, t: int) -> Reached:
    """A sum of features that is trained by the integrand alone, against the one that is nearest to the score."""
    seen = WORLD.marginal(SCHEDULE.step(t).alpha_bar)
    few, many = ([part.numpy() for part in samples(seen, nodes)] for nodes in (80, 160))
    x, w = few
    values, slopes = (torch.from_numpy(part) for part in features(x))

    def of_a_network(value: Array, slope: Array) -> Array:
        at = {"f": lambda _: value, "slope_of_f": lambda _: slope, "x_t": x}
        return under_test(integrand).evaluated(at)

    by = differentiable(of_a_network)

    def loss(c: Tensor) -> Tensor:
        return (torch.from_numpy(w) * by(value=c @ values, slope=c @ slopes)).sum()

    found = minimised(loss, torch.zeros(len(values)))
    reached, error = found.of(lambda c: c @ features(SOME)[0])
    projected = [projection(seen, *rule) for rule in (few, many)]
    missed = 2 * np.abs(projected[1] - projected[0])
    return Reached(reached, error + missed, {"projected": projected[1]}, magnitude=1.0)


def projection(world: Mixture, x: Array, w: Array) -> Array:
    """The sum of features that is nearest to the score, in mean square, at some points."""
    values = features(x)[0]
    c = np.linalg.lstsq((values * sqrt(w)).T, world.score(x) * sqrt(w), rcond=None)[0]
    return c @ features(SOME)[0]
