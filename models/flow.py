"""What trained velocities say about the chapter on flows.

Three networks, trained once for a seed by conditional flow matching: from noise to two clusters on the line; from noise
to where that flow has carried it (reflow); and from noise to a Gaussian in the plane.  None sees more than straight
paths.  Where a network's own flow goes into a formula, what should come out is found by following the same flow.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from math import sqrt

import numpy as np
import torch
from scipy.interpolate import CubicSpline

from numerics.checks.flow.transport import FRAMES, covariances, least
from numerics.checks.flow.velocity import expected, letters, straight_line
from numerics.solvers.transport import carried
from numerics.statistics import stream
from numerics.worlds import gaussian, normal

from .atoms import SURE, Given, Lands, Reached, Reaches
from .diffusion import WORLD
from .training import one_thread
from .velocity import FAR, Velocity, train

Array = np.ndarray
Formula = Callable[..., Array]
Function = Callable[[Array], Array]

RESOLVES, FRESH = 3e-2, 2**18
TIMES = 0.23, 0.47, 0.83
UPDATES, UPDATES_OF_REFLOW, UPDATES_IN_THE_PLANE = 3500, 1500, 2500
SOME = np.array([-1.27, 0.19, 1.71])
SOME_END = -0.57  # of a path, wherever it started
COSTS = {"squares": np.square, "cosh": lambda w: np.cosh(0.7 * w), "lopsided": lambda w: np.exp(0.6 * w) - w}

# What averages over noise are summed over, on the line and in the plane.

NOISE = np.linspace(-8, 8, 641)
WEIGHTS = normal(NOISE, 0.0, 1.0) * (NOISE[1] - NOISE[0])
HERMITE, SHARES = np.polynomial.hermite_e.hermegauss(16)
PLANE = np.stack(np.meshgrid(HERMITE, HERMITE, indexing="ij"), axis=-1).reshape(-1, 2)
WEIGHTS_OF_THE_PLANE = np.outer(SHARES, SHARES).ravel() / np.sum(SHARES) ** 2

# In the plane noise and data have independent coordinates, and the cost mixes them.

FRAME, *DEVIATIONS = FRAMES[0]
METRIC, MEANS = FRAME.T @ FRAME, np.array([0.97, -0.53])


def marginal_velocity(mean_velocity: Formula, rate: Formula, gap: Formula) -> Iterator[Lands | Reaches]:
    """Trained on single paths, the network lands on their mean, the loss on what they scatter; its flow keeps mass."""
    for t in TIMES:
        claimed = lambda x, t=t: mean_velocity(**letters(WORLD, straight_line(t), x))
        yield Lands(at_time(t), claimed, moving(t), given(t), RESOLVES, f"t = {t}")
        yield Reaches(gap, lambda seed, t=t: loss_reached(t, seed), 3e-2, name=f"least loss, t = {t}")
        yield Reaches(rate, lambda seed, t=t: flowing(t, seed), 1e-5, name=f"rate of its density, t = {t}")


def one_step_mean(
    step: Formula, start: Formula, landing: Formula, variance: Formula, reflowed: Formula
) -> Iterator[Lands | Reaches]:
    """Where paths start the network sees nothing of their ends, and one step leads to the mean; not so after reflow."""
    known = {"m_1": WORLD.mean, "v_1": WORLD.variance, "transport": exact_ends(), "x_1": SOME_END}

    def said(formula: Formula) -> Function:
        return lambda x_0: np.broadcast_to(formula(**known, x_0=x_0), np.shape(x_0))

    yield Lands(at_time(0.0), said(start), moving(0.0), given(0.0), RESOLVES, "the start")
    yield Lands(lambda seed: in_one_step(velocity(seed)), said(landing), paths, given_noise, RESOLVES, "one step")
    yield Reaches(variance, varying, 1e-3, name="variance after one step")
    yield Reaches(reflowed, after_reflow, 1e-2, name="one step after reflow")
    for t, h in ((0.0, 1.0), (0.23, 0.37), (0.61, 0.29)):
        along = lambda seed, t=t, h=h: on_the_way(t, h, seed)
        yield Reaches(step, along, 1e-2, name=f"step of {h} from {t} after reflow")


def transport_cost(bound: Formula, independent: Formula, rectified: Formula, excess: Formula) -> Iterator[Reaches]:
    """What it costs to go where trained flows lead: less than along the paths that they were trained on."""
    for name, cost in COSTS.items():
        for ends, how in ((flow, "the flow"), (reflow, "one step after reflow")):
            found = lambda seed, ends=ends, cost=cost: cost_on_the_line(ends(seed), cost)
            yield Reaches(bound, found, 5e-2, ">", name=f"{name}, {how}")
    no_turns = lambda seed: cost_on_the_line(flow(seed), lambda w: 0.7 * w - 0.2)
    yield Reaches(bound, no_turns, 5e-2, name="a cost that sees no turns")
    for k in range(2):
        found = lambda seed, k=k: cost_of_a_coordinate(k, seed)
        yield Reaches(rectified, found, 5e-2, name=f"Gaussian, coordinate {k + 1}")
        yield Reaches(independent, found, 5e-2, ">", name=f"Gaussian, coordinate {k + 1}, independent ends")
    yield Reaches(excess, wasted, 5e-2, name="above the least, in the plane")


# The networks


def paths(rng: np.random.Generator, n: int) -> tuple[Array, Array]:
    """Noise, and data that do not know it."""
    return rng.standard_normal(n), WORLD.sample(rng, n)


@cache
def velocity(seed: int) -> Velocity:
    """From noise to two clusters, trained on draws that no atom sees."""
    return train(paths, 1, 3, stream(seed, "flow", "training", 0), UPDATES)


@cache
def flow(seed: int) -> Function:
    """Where it carries the noise."""
    return velocity(seed).ends()


@cache
def reflowing(seed: int) -> Velocity:
    """From noise to where that flow has carried it."""

    def coupled(rng: np.random.Generator, n: int) -> tuple[Array, Array]:
        x_0 = rng.standard_normal(n)
        return x_0, flow(seed)(x_0)

    return train(coupled, 1, 1, stream(seed, "flow", "training after reflow", 0), UPDATES_OF_REFLOW)


def reflow(seed: int) -> Function:
    """Where one step of it leads."""
    return in_one_step(reflowing(seed))


@cache
def in_the_plane(seed: int) -> Velocity:
    """From noise to a Gaussian of two independent coordinates."""

    def drawn(rng: np.random.Generator, n: int) -> tuple[Array, Array]:
        return rng.standard_normal((n, 2)), MEANS + np.array(DEVIATIONS) * rng.standard_normal((n, 2))

    return train(drawn, 2, 4, stream(seed, "flow", "training in the plane", 0), UPDATES_IN_THE_PLANE)


@cache
def exact_ends() -> Function:
    """Where the exact flow takes noise: to its quantile."""
    x = np.linspace(-FAR, FAR, 2001)
    return CubicSpline(x, carried(gaussian(0.0, 1.0), WORLD, x))


# Velocities


def at_time(t: float) -> Callable[[int], Function]:
    """What the network says then, for each seed."""
    return lambda seed: lambda x_t: velocity(seed).predict(x_t, t)


def moving(t: float) -> Callable[..., tuple[Array, Array]]:
    """Draws of x_t, and of the velocity of its path."""

    def draw(rng: np.random.Generator, n: int) -> tuple[Array, Array]:
        x_0, x_1 = paths(rng, n)
        return (1 - t) * x_0 + t * x_1, x_1 - x_0

    return draw


def given(t: float) -> Callable[[Array], Given]:
    """What the world knows of the velocity at x_t: it is (x_1 - x_t) / (1 - t); E|r|^3 <= (E r^4)^(3/4)."""

    def known(x_t: Array) -> Given:
        law = WORLD.conditioned(t, (1 - t) ** 2, x_t)
        moments = law.central_moments()
        third = moments.fourth**0.75 / moments.second**1.5
        return Given((law.mean - x_t) / (1 - t), np.sqrt(moments.second) / (1 - t), third)

    return known


@cache
def loss_reached(t: float, seed: int) -> Reached:
    """The loss on fresh draws; chance adds to it or takes from it, and the network adds what it is off."""
    x_t, x_dot = moving(t)(stream(seed, "flow.marginal-velocity", f"fresh, t = {t}", 0), FRESH)
    predicted, way = velocity(seed).predict(x_t, t), straight_line(t)
    squares, off = (x_dot - predicted) ** 2, (predicted - expected(WORLD, way, x_t)) ** 2
    error = SURE * squares.std() / sqrt(FRESH) + off.mean()
    return Reached(squares.mean(), error, letters(WORLD, way, 0.0))


@cache
def flowing(t: float, seed: int) -> Reached:
    """How the density of the network's own flow changes at some points, and what the network says there."""
    network, x = velocity(seed), torch.from_numpy(SOME).requires_grad_()
    predicted = network(x[:, None], torch.full_like(x, t))[:, 0]
    (slope,) = torch.autograd.grad(predicted.sum(), x)
    u, divergence = predicted.detach().numpy(), slope.numpy()
    few, many = (carried_past(network, t, steps) for steps in (48, 96))
    density, bend, rate = many
    sizes, missed = np.abs([divergence, u, np.ones_like(u)]), 2 * np.abs(many - few)
    at = {"density": density, "score": bend / density, "u": u, "divergence": divergence}
    magnitude = np.sum(sizes[:2] * np.abs([density, bend]), axis=0)
    return Reached(rate, np.sum(sizes * missed, axis=0), at, magnitude)


def carried_past(network: Velocity, t: float, steps: int) -> Array:
    """The density at some points, its slope and its rate of change: what noise has come to lie below them by then."""
    x, times = (torch.from_numpy(part).requires_grad_() for part in (SOME, np.full(len(SOME), t)))
    with one_thread():
        x_0 = network.between(x[:, None], times, torch.zeros_like(times), steps)
        (density,) = torch.autograd.grad(torch.special.ndtr(x_0).sum(), x, create_graph=True)
        bend, rate = torch.autograd.grad(density.sum(), (x, times))
    return np.array([density.detach().numpy(), bend.numpy(), rate.numpy()])


# One step


def in_one_step(network: Velocity) -> Function:
    """Where one step from the start leads."""
    return lambda x_0: x_0 + network.predict(x_0, 0.0)


def given_noise(x_0: Array) -> Given:
    """What the world knows of x_1 given x_0: no more than without it."""
    _, sigma, third = given(0.0)(x_0)
    return Given(np.full(np.shape(x_0), WORLD.mean), sigma, third)


def varying(seed: int) -> Reached:
    """The variance of what one step makes of noise; what the network is off may add to it, or hide it."""
    landed = in_one_step(velocity(seed))(NOISE)
    off = WEIGHTS @ (landed - WORLD.mean) ** 2
    at = {"v_1": WORLD.variance}
    return Reached(WEIGHTS @ (landed - WEIGHTS @ landed) ** 2, off, at, magnitude=WORLD.variance)


def after_reflow(seed: int) -> Reached:
    """Where one step leads from some noises; what the loss has left there is what the network is off."""
    landed, ends = in_one_step(reflowing(seed))(SOME), flow(seed)
    return Reached(landed, np.abs(landed - ends(SOME)), {"x_0": SOME, "transport": ends}, magnitude=1.0)


def on_the_way(t: float, h: float, seed: int) -> Reached:
    """Where small steps lead; one that is as long may miss it by how much the velocity changes on the way."""
    network, ends = reflowing(seed), flow(seed)
    x_t, times = (1 - t) * SOME + t * ends(SOME), t + h * np.linspace(0, 1, 9)
    points = [network.carry(x_t, t, time) for time in times]
    velocities = np.array([network.predict(x, time) for x, time in zip(points, times)])
    turned = np.max(np.abs(velocities - velocities[0]), axis=0)
    at = {"x_t": x_t, "h": h, "predicted_velocity": velocities[0]}
    return Reached(points[-1], h * turned, at, magnitude=1.0)


# What it costs


def cost_on_the_line(ends: Function, cost: Function) -> Reached:
    """What it costs to go from noise to these ends, on average; the exact flow goes elsewhere, for so much."""
    costs, exact = (cost(way(NOISE) - NOISE) for way in (ends, exact_ends()))
    at = {"displacement": WORLD.affine(1.0, 1.0), "cost": cost}
    return Reached(WEIGHTS @ costs, WEIGHTS @ np.abs(costs - exact), at, magnitude=1.0)


@cache
def ways_in_the_plane(seed: int) -> tuple[Array, Array]:
    """How far the flow in the plane takes noise, and how far the exact one does."""
    return in_the_plane(seed).carry(PLANE) - PLANE, MEANS + np.array(DEVIATIONS) * PLANE - PLANE


def cost_in_the_plane(cost: Function, seed: int) -> tuple[float, float]:
    """What this costs on average; the exact flow goes elsewhere, for so much."""
    costs, exact = (cost(way) for way in ways_in_the_plane(seed))
    return float(WEIGHTS_OF_THE_PLANE @ costs), float(WEIGHTS_OF_THE_PLANE @ np.abs(costs - exact))


def cost_of_a_coordinate(k: int, seed: int) -> Reached:
    """The squares of one coordinate, which is a flow on the line by itself."""
    found, error = cost_in_the_plane(lambda way: way[:, k] ** 2, seed)
    return Reached(found, error, {"m": MEANS[k], "v": DEVIATIONS[k] ** 2})


def wasted(seed: int) -> Reached:
    """What a cost that mixes the coordinates takes more than Gelbrich's coupling, which moves the mean as well."""
    found, error = cost_in_the_plane(lambda way: np.einsum("ni,ij,nj->n", way, METRIC, way), seed)
    best = least(*covariances(FRAME, *DEVIATIONS)) + MEANS @ METRIC @ MEANS
    (g_1, h), (_, g_2) = METRIC
    at = {"g_1": g_1, "g_2": g_2, "h": h, "s_1": DEVIATIONS[0], "r": DEVIATIONS[1] / DEVIATIONS[0] - 1}
    return Reached(found - best, error, at, magnitude=found)
