"""What trained networks say about the bound with a mask.

A network that fills in tokens is trained with the formula for a step of the bound, over all steps and all that can be
visible.  What its chain costs, and the least that any can cost, is counted over all states.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import numpy as np
from torch import Tensor

from numerics.statistics.formulas import under_test

from .atoms import Reached, Reaches
from .tokens import Words
from .training import Minimum, differentiable, minimised

Array = np.ndarray
Formula = Callable[..., Array]
Costs = Callable[[Array], Array]  # what is predicted for masked tokens, (K, n) -> what each of them costs, (n,)

TWO = Words(np.random.default_rng(2).dirichlet(np.full(16, 0.9)).reshape(4, 4))  # the network can say all of it
THREE = Words(np.random.default_rng(3).dirichlet(np.full(27, 0.9)).reshape(3, 3, 3))  # it cannot
ALPHAS = np.array([0.83, 0.641, 0.37, 0.0])  # how often each step keeps a token; the last keeps none
BEFORE = np.cumprod([1.0, *ALPHAS[:-1]])
STEPS = [ALPHAS[:t] for t in range(1, len(ALPHAS) + 1)]
CURVE, SLOPE = (lambda s: np.cos(np.pi * s / 2) ** 2), (lambda s: -np.pi / 2 * np.sin(np.pi * s))
COUNTED, RESOLVES = 1e-9, 1e-5


def absorbing_vlb(
    divergence: Formula, loss: Formula, rate: Formula, linear: Formula, unmasking: Formula | None = None
) -> Iterator[Reaches]:
    """The loss is the bound of the chain that it trains, and leads to the least; in continuous time, to the entropy.

    How likely a mask is new, of which there is nothing to learn, is left to the other checks.
    """
    schedules = {
        "curved": lambda words: at_all_times(lambda s: rate(s=s, curve=CURVE, slope=SLOPE), CURVE, words),
        "straight": lambda words: at_all_times(lambda u: linear(u=u), lambda u: 1 - u, words),
    }
    for name, words in (("two tokens", TWO), ("three tokens", THREE)):
        costs = in_steps(loss, words)
        trained = trained_by(costs, words)
        yield Reaches(whole(costs), trained(bound), COUNTED, name=f"{name}, all steps")
        yield Reaches(whole(costs), trained(evidence), COUNTED, ">", name=f"{name}, a bound")
        for t in (2, 3):
            counted = trained(lambda words, predicted, t=t: one_step(words, predicted, t))
            yield Reaches(of_words(divergence, words, t), counted, COUNTED, name=f"{name}, step {t}")
        for schedule, of in schedules.items():
            one_by_one = trained(Words.in_any_order)
            yield Reaches(whole(of(words)), one_by_one, COUNTED, name=f"{name}, {schedule} schedule")
    yield Reaches(least_bound, lambda seed: least(in_steps(loss, TWO), seed), RESOLVES, name="the least, in steps")
    for schedule, of in schedules.items():
        reached = lambda seed, of=of: least(of(TWO), seed)
        yield Reaches(entropy, reached, RESOLVES, name=f"the least, {schedule} schedule")


# The formulas, for a whole law of words


def in_steps(loss: Formula, words: Words) -> Costs:
    """The loss of each masked token, over all steps, weighed by how often the others are visible or not."""
    pairs, alpha, before = words.masked, ALPHAS[:, None], BEFORE[:, None]
    often = pairs.seen * (1 - alpha * before) ** pairs.hidden * (alpha * before) ** pairs.visible
    at = {"alpha": alpha, "alpha_bar_prev": before, "m": words.K - 1, "data": lambda k: pairs.data[k]}

    def costs(predicted: Array) -> Array:
        return np.sum(often * under_test(loss).evaluated(at | {"predicted": lambda k: predicted[k]}), axis=0)

    return costs


def at_all_times(weight: Formula, visible: Formula, words: Words) -> Costs:
    """The cross-entropy of each masked token, with a weight, integrated over a time from 0 to 1."""
    pairs, (nodes, w) = words.masked, np.polynomial.legendre.leggauss(48)
    time = (1 + nodes[:, None]) / 2
    often = pairs.seen * (1 - visible(time)) ** (1 + pairs.hidden) * visible(time) ** pairs.visible
    counts = w / 2 @ (weight(time) * often)
    return lambda predicted: -counts * np.sum(pairs.data * np.log(predicted), axis=0)


def whole(costs: Costs) -> Formula:
    """The costs of all masked tokens together."""
    return lambda predicted: np.sum(costs(predicted))


def of_words(divergence: Formula, words: Words, t: int) -> Formula:
    """The divergences of the tokens that are masked, added up, for all words and what can become of them."""
    hidden, possible = words.states == 0, words.often(STEPS[t - 1]) > 0

    def added(predicted: Array) -> Array:
        said, total = words.everywhere(predicted), np.zeros(possible.shape)
        for i, x in enumerate((words.states[words.words] - 1).T[:, :, None]):
            at = {"alpha": ALPHAS[t - 1], "alpha_bar_prev": BEFORE[t - 1], "x": x}
            read = lambda x, i=i: said[np.arange(len(said)), i, x]
            total += np.where(hidden[:, i], divergence(**at, predicted=read), 0)
        return total[possible]

    return added


# What they are held to


def chain(words: Words, predicted: Array) -> list[Array]:
    return [words.kernel(steps, predicted) for steps in STEPS]


def bound(words: Words, predicted: Array) -> float:
    return words.bound(STEPS, chain(words, predicted))


def evidence(words: Words, predicted: Array) -> float:
    return words.evidence(chain(words, predicted))


def one_step(words: Words, predicted: Array, t: int) -> Array:
    """The divergence of the step from the posterior, over all states, for all words and what can become of them."""
    apart, often = words.divergences(STEPS[t - 1], words.kernel(STEPS[t - 1], predicted))
    return apart[often > 0]


def least_bound() -> Array:
    """The bound of the best chain that draws two tokens by themselves."""
    return np.asarray(TWO.bound(STEPS, [TWO.best_kernel(steps) for steps in STEPS]))


def entropy() -> Array:
    return np.asarray(TWO.entropy)


# Trainings


def minimum(costs: Costs, words: Words, seed: int) -> Minimum:
    """Where a network comes to that descends these costs."""
    of_tensors = differentiable(lambda **p: costs(np.array(list(p.values()))))

    def loss(parameters: Tensor) -> Tensor:
        predicted = words.log_predicted(parameters).exp()
        return of_tensors(**{f"p_{k}": row for k, row in enumerate(predicted)}).sum()

    return minimised(loss, words.untrained(seed))


def trained_by(costs: Costs, words: Words) -> Callable[[Callable[..., Any]], Callable[[int], Reached]]:
    """What can be asked of the network that these costs train; it is trained once for a seed, whatever is asked."""
    trained = cache(lambda seed: words.predicted(minimum(costs, words, seed).at))

    def asked(what: Callable[..., Any]) -> Callable[[int], Reached]:
        return lambda seed: Reached(what(words, trained(seed)), 0.0, {"predicted": trained(seed)})

    return asked


def least(costs: Costs, seed: int) -> Reached:
    """The least that training finds for two tokens."""
    found = minimum(costs, TWO, seed)
    return Reached(found.value, found.left)
