r"""The smallest adversarial network: a point that is generated, and a discriminator that is a line.

The data are a point at 0, the generator is a point :math:`\theta`, and the discriminator's logit at x is
:math:`\psi x` and a bias that stays.  With :math:`f(u)=\log D` at the logit u and the bias, the game is
:math:`L=f(\theta\psi)+f(0)`; the slopes that the players follow are left to automatic differentiation.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from numerics.inputs import finite, positive

Array = np.ndarray


def slope(bias: float = 0.0) -> float:
    """The slope of f at 0."""
    return float(1 / (1 + np.exp(bias)))


def field(players: Tensor, bias: float = 0.0) -> Tensor:
    """Where the players are drawn: the generator down, the discriminator up; (2,) to (2,)."""
    game = logsigmoid(players[0] * players[1] + bias) + logsigmoid(torch.full((), bias, dtype=players.dtype))
    theta, psi = torch.autograd.grad(game, players, create_graph=True)[0]
    return torch.stack([-theta, psi])


def eigenvalues(bias: float = 0.0) -> Array:
    """Those of the field's slope at the equilibrium, (2,) complex numbers."""
    at_rest = torch.zeros(2, dtype=torch.float64)
    return np.linalg.eigvals(torch.autograd.functional.jacobian(lambda players: field(players, bias), at_rest).numpy())


def orbit(start: Array, step: float, steps: int, alternating: bool = False, bias: float = 0.0) -> Array:
    """Where gradient steps lead from ``start``, (theta, psi), at once or one after the other; (steps + 1, 2).

    Raises ValueError for a start that is no pair of numbers, or a step that is not positive.
    """
    players, size = torch.from_numpy(finite("start", start, (2,))), float(positive("step", step))
    seen = [players.numpy().copy()]
    for _ in range(steps):
        if alternating:
            players = players + size * field(players.clone().requires_grad_(), bias).detach() * torch.tensor([1.0, 0.0])
            players = players + size * field(players.clone().requires_grad_(), bias).detach() * torch.tensor([0.0, 1.0])
        else:
            players = players + size * field(players.clone().requires_grad_(), bias).detach()
        seen.append(players.numpy().copy())
    return np.array(seen)


def turns(path: Array) -> Array:
    """The eigenvalues of the linear map that takes each point of a path to the next; (2,) complex numbers."""
    map_, *_ = np.linalg.lstsq(path[:-1], path[1:], rcond=None)
    return np.linalg.eigvals(map_)
