r"""What tries to refute the page on both ends of a chain: all of its paths counted, and chains followed.

Three steps, whose matrices are neither symmetric nor commute. States are numbered from 0.
"""

from itertools import product

import numpy as np
from hypothesis import strategies as st

from ...statistics import event, for_all, matches, sampled, sobol
from .noising import or_mask

CHAINS = [(k, np.random.default_rng(k).dirichlet(np.ones(k), size=(3, k))) for k in (3, 4, 5)]


def stochastic(weights, K):
    """Three matrices whose rows sum to one, from 75 positive numbers."""
    Q = np.array(weights)[: 3 * K * K].reshape(3, K, K)
    return Q / Q.sum(axis=-1, keepdims=True)


states = st.integers(0, 2)
chains = st.builds(stochastic, st.lists(st.floats(0.05, 1), min_size=75, max_size=75), st.integers(3, 5))


def posterior(posterior):
    """All triples of states: all paths counted; as vectors; and chains of three steps followed."""
    for K, Q in CHAINS:
        yield matches(at_all_states(posterior, "ijk", K), letters(Q), given_both_ends(Q))
        yield matches(at_all_states(posterior, "ijk", K), letters(Q), by_vectors(Q))
        yield sampled(followed(Q), as_often(posterior, Q), resolves=1e-2)
        yield sampled(followed(Q), at_the_first_state(posterior, Q), sobol.resolves, by=sobol)
    yield for_all(Q=chains, i=states, j=states, k=states)(
        lambda Q, i, j, k: matches(posterior, letters(Q) | {"i": i, "j": j, "k": k}, given_both_ends(Q)[i, j, k])
    )


def x0_mixture(mixture, counted_twice):
    """The reverse step, by summing over all paths from any x_0; and what an average of joint probabilities weighs."""
    for K, Q in CHAINS:
        yield from without_x_0(mixture, counted_twice, Q)
        yield from behind_a_mask(counted_twice, K)
    for k in range(2):
        yield for_all(Q=chains, examples=20)(lambda Q, k=k: list(without_x_0(mixture, counted_twice, Q))[k])


def letters(Q):
    """The letters of the page for these three steps."""
    early, previous, step = Q
    matrices = {
        "early": early,
        "previous": previous,
        "step": step,
        "so_far": early @ previous,
        "all_steps": early @ previous @ step,
    }
    known = {name: entry(matrix) for name, matrix in matrices.items()}
    return {**known, "m": len(step) - 1}


def entry(array):
    """The entries of an array, as a function of states."""
    return lambda *states: array[states]


def at_all_states(formula, names, K):
    """The values of a formula where the letters of these names are any states, as an array."""

    def values(**at):
        found = [
            formula(**at, **dict(zip(names, states, strict=True))) for states in product(range(K), repeat=len(names))
        ]
        return np.array(found).reshape([K] * len(names))

    return values


def counted(Q):
    """The probability of i and j from k, over all paths k, l, i, j: (i, j, k)."""
    return np.einsum("kl,li,ij->ijk", *Q)


def given_both_ends(Q):
    return counted(Q) / counted(Q).sum(axis=0)


def by_vectors(Q):
    """x_t Q_t' times x_0 Q_1 Q_2, entry by entry, over x_0 Q_1 Q_2 Q_3 x_t', with one 1 in each vector."""
    early, previous, step = Q
    x = np.eye(len(step))
    found = [
        [(x_t @ step.T) * (x_0 @ early @ previous) / (x_0 @ early @ previous @ step @ x_t) for x_0 in x] for x_t in x
    ]
    return np.moveaxis(np.array(found), -1, 0)


# Without x_0


def weights_of_data(K):
    """A law of x_0 that is not uniform."""
    weights = 1 + np.arange(K) ** 1.5
    return weights / weights.sum()


def without_x_0(mixture, counted_twice, Q):
    K = Q.shape[1]
    data = weights_of_data(K)
    joint = counted(Q) * data
    seen = joint.sum(axis=(0, 2))
    clean = (joint.sum(axis=0) / seen[:, None]).T  # what x_t = j says of x_0 = k: (k, j)
    at = letters(Q) | {"data": entry(data), "clean": entry(clean), "seen": entry(seen)}
    yield matches(at_all_states(mixture, "ij", K), at, joint.sum(axis=2) / seen)
    # The network's law of x_0 times that of x_t given x_0, normalised.
    both_laws = clean * np.einsum("kl,li,ij->kj", *Q)
    yield matches(at_all_states(counted_twice, "kj", K), at, both_laws / both_laws.sum(axis=0))


def behind_a_mask(counted_twice, K):
    """A mask, the state 0, is as likely from all tokens: each is counted as often as it is predicted."""
    Q = np.array([or_mask(alpha, K) for alpha in (0.83, 0.641, 0.739)])
    clean = np.append(0.0, weights_of_data(K))
    at = letters(Q) | {"clean": lambda k, j: clean[k], "j": 0}
    yield matches(at_all_states(counted_twice, "k", K + 1), at, clean)


# Chains


def stepped(Q, x, rng, n):
    """One step of n chains: the first state up to which the row adds up to more than a uniform number."""
    return np.sum(np.cumsum(Q, axis=1)[x, :-1] < rng.random(n)[:, None], axis=1)


def followed(Q):
    """Draws of (x_0, x_{t-1}, x_t)."""

    def draw(rng, n):
        x_0 = rng.integers(0, Q.shape[1], n)
        early, previous, step = Q
        x_prev = stepped(previous, stepped(early, x_0, rng, n), rng, n)
        return x_0, x_prev, stepped(step, x_prev, rng, n)

    return draw


def as_often(posterior, Q):
    """Given both ends, x_{t-1} is the first state, and the second, as often as claimed."""

    def scores(x_0, x_prev, x_t):
        return [row for i in (0, 1) for row in event(x_prev == i, claimed(posterior, Q, i)[x_t, x_0], given=(x_0, x_t))]

    return scores


def at_the_first_state(posterior, Q):
    """The same of the first state, on average over both ends."""
    return lambda x_0, x_prev, x_t: event(x_prev == 0, claimed(posterior, Q, 0)[x_t, x_0])


def claimed(posterior, Q, i):
    """The probability of x_{t-1} = i, for all j and k: (j, k)."""
    return at_all_states(posterior, "jk", Q.shape[1])(**letters(Q), i=i)
