r"""A few tokens with a mask, and a small network that fills them in: all that is asked of them can be counted out.

The network is one layer: what is visible speaks for or against each token behind a mask, and that adds up,

.. math:: \tilde p(x_0^i=k\mid x_t)\propto\exp\Bigl(b_{ik}+\sum_{j\text{ visible}}w_{ik,j\,x^j}\Bigr) .

Of two tokens it can say everything; of three it cannot say what two visible ones mean together.  Its cross-entropy is
convex: all trainings end at the same loss.

A state is a row of symbols, 0 for the mask and k + 1 for the token k; *words* are the states without a mask.  Steps
mask each token by itself.  What the bound is, and what the chain makes of the words, is summed over all states at both
ends of a step, without a formula for either.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property, reduce
from itertools import permutations, product
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import ArrayLike
from scipy.special import entr, rel_entr
from torch import Tensor

from numerics.checks.discrete.noising import or_mask, so_far
from numerics.inputs import probability

Array = np.ndarray


class Masked(NamedTuple):
    """All pairs of a state and a token that is masked in it."""

    state: Array  # (n,), which of the states
    place: Array  # (n,), which of its tokens
    visible: Array  # (n,), how many of the others are visible
    hidden: Array  # (n,), how many are not
    seen: Array  # (n,), the probability that the visible ones are these
    data: Array  # (K, n), the law of the masked one, given the visible ones


class Words:
    """A law of d tokens out of K: an array of probabilities with d axes of length K."""

    def __init__(self, law: ArrayLike) -> None:
        """Raises ValueError if it is none."""
        self.law = probability("law", law)
        self.d, self.K = self.law.ndim, len(self.law)
        if {*self.law.shape} != {self.K} or abs(self.law.sum() - 1) > 1e-12:
            raise ValueError(f"law has shape {self.law.shape} and sum {self.law.sum():g}; expected (K, ..., K) and 1")
        self.states = np.array(list(product(range(self.K + 1), repeat=self.d)))
        self.words = np.flatnonzero(np.all(self.states > 0, axis=1))  # in the order of the law
        self.shown = self.states[:, :, None] == np.arange(self.K + 1)  # (states, d, K + 1)

    @property
    def entropy(self) -> float:
        """Of all tokens together."""
        return float(np.sum(entr(self.law)))

    @cached_property
    def masked(self) -> Masked:
        """What there is to predict."""
        fits = np.all((self.states[:, None] == 0) | (self.states[:, None] == self.states[self.words]), axis=-1)
        seen, (state, place) = fits @ self.law.ravel(), np.nonzero(self.states == 0)
        # The words that fit the state, by the token in this place.
        data = np.einsum("nw,wnk->kn", fits[state] * self.law.ravel(), self.shown[self.words][:, place, 1:])
        visible = np.sum(self.states[state] > 0, axis=1)
        return Masked(state, place, visible, self.d - 1 - visible, seen[state], data / seen[state])

    # The network

    @cached_property
    def features(self) -> Tensor:
        """One for the biases, and which tokens are visible; (states, 1 + d K)."""
        visible = self.shown[:, :, 1:].reshape(len(self.states), -1)
        return torch.from_numpy(np.hstack([np.ones((len(visible), 1)), visible]))

    def untrained(self, seed: int) -> Tensor:
        """Small random parameters."""
        generator = torch.Generator().manual_seed(seed)
        return torch.randn(self.features.shape[1] * self.d * self.K, generator=generator, dtype=torch.float64) / 4

    def log_predicted(self, parameters: Tensor) -> Tensor:
        """The logarithm of what the network predicts for each masked token; (K, n)."""
        logits = (self.features @ parameters.reshape(self.features.shape[1], -1)).reshape(-1, self.d, self.K)
        return torch.log_softmax(logits, -1)[self.masked.state, self.masked.place].T

    def predicted(self, parameters: Array) -> Array:
        """What the network predicts for each masked token; (K, n)."""
        return self.log_predicted(torch.from_numpy(parameters)).exp().numpy()

    # The chain

    def everywhere(self, predicted: Array) -> Array:
        """What is said of x_0 in each state and place: the prediction, or the token that is visible."""
        said = self.shown[:, :, 1:].astype(float)
        said[self.masked.state, self.masked.place] = predicted.T
        return said

    def kernel(self, alphas: Array, predicted: Array) -> Array:
        """The last of these steps backwards, x_t to x_prev: posteriors averaged over predictions, token by token."""
        joint = so_far(alphas[:-1], self.K)[1:, :, None] * or_mask(alphas[-1], self.K)  # x_0, x_prev, x_t
        ends = joint.sum(axis=1, keepdims=True)
        posterior = np.divide(joint, ends, out=np.zeros_like(joint), where=ends > 0)
        shown = np.einsum("sdk,kpsd->sdp", self.everywhere(predicted), posterior[:, :, self.states])
        return self.together(shown)

    def best_kernel(self, alphas: Array) -> Array:
        """The best step backwards that draws each token by itself: from the law of each x_prev, given all of x_t."""
        pairs = self.paths(alphas).sum(axis=0)  # x_prev, x_t
        with np.errstate(invalid="ignore"):
            shown = np.nan_to_num(np.einsum("ps,pdj->sdj", pairs, self.shown) / pairs.sum(axis=0)[:, None, None])
        return self.together(shown)

    def together(self, shown: Array) -> Array:
        """Tokens drawn by themselves, (states, d, K + 1), make states; (states, states)."""
        each = (shown[:, i, self.states[:, i]] for i in range(self.d))
        return reduce(np.multiply, each)

    def paths(self, alphas: Array) -> Array:
        """The joint law of x_0, x_prev and x_t, at the ends of the last of these steps."""
        before = self.step(so_far(alphas[:-1], self.K))[self.words]
        return self.law.reshape(-1, 1, 1) * before[:, :, None] * self.step(or_mask(alphas[-1], self.K))

    def step(self, of_each: Array) -> Array:
        """States to states, each token by this matrix."""
        return self.together(of_each[self.states])

    def often(self, alphas: Array) -> Array:
        """How often each of the words comes to each of the states by these steps; (words, states)."""
        return self.paths(alphas).sum(axis=1)

    def divergences(self, alphas: Array, kernel: Array) -> tuple[Array, Array]:
        """D_KL(q(x_prev | x_t, x_0) || kernel) for all x_0 and x_t, and how often these occur; (words, states)."""
        paths = self.paths(alphas)
        often = paths.sum(axis=1)
        apart = rel_entr(paths, often[:, None, :] * kernel.T).sum(axis=1)
        return np.divide(apart, often, out=np.zeros_like(apart), where=often > 0), often

    def bound(self, steps: Sequence[Array], kernels: Sequence[Array]) -> float:
        """E log q(x_{1:T} | x_0) / p(x_{0:T}), as a sum of divergences; the last step has masked all."""
        parts = (self.divergences(alphas, kernel) for alphas, kernel in zip(steps, kernels, strict=True))
        return float(sum(np.sum(apart * often) for apart, often in parts))

    def evidence(self, kernels: Sequence[Array]) -> float:
        """-E log p(x_0), of what the chain makes out of masks alone."""
        made = reduce(np.matmul, [np.eye(len(self.states))[0], *reversed(kernels)])
        return float(-np.sum(self.law.ravel() * np.log(made[self.words])))

    def in_any_order(self, predicted: Array) -> float:
        """-E log p(x_0) where tokens are filled in one by one: the average over all orders."""
        said, total, orders = self.everywhere(predicted), 0.0, list(permutations(range(self.d)))
        for order in orders:
            for done, i in enumerate(order):
                visible = np.isin(np.arange(self.d), order[:done])
                state = (self.states[self.words] * visible) @ (self.K + 1) ** np.arange(self.d)[::-1]
                total -= np.sum(self.law.ravel() * np.log(said[state, i, self.states[self.words, i] - 1]))
        return float(total / len(orders))
