r"""What tries to refute the page on tokens that are drawn anew: matrices multiplied, and tokens followed.

Tokens are numbered from 1; in an array of states the mask, if there is one, is the state 0.
"""

import numpy as np
from hypothesis import strategies as st

from ...statistics import Row, both, for_all, matches, sobol, surely

# How often each step keeps the token, and how many tokens there are.
CHAINS = [(np.array([0.83, 0.641]), 3), (np.array([0.587, 0.912, 0.739]), 4), (np.array([0.947, 0.463, 0.871]), 6)]
SCHEDULES = [(7, 2), (5, 3), (9, 1), (11, 8)]  # T and t

chains = st.lists(st.floats(0.05, 0.95), min_size=2, max_size=6).map(np.array)
sizes = st.integers(3, 6)


def uniform(kept, spread, diagonal, staying, stationary):
    """The matrices of the steps, entry by entry, and their product; the law that the last of them leaves as it is."""
    for alphas, K in CHAINS:
        yield from entries(kept, spread, diagonal, staying, stationary, alphas, K)
    for k in range(5):
        yield for_all(alphas=chains, K=sizes)(
            lambda alphas, K, k=k: list(entries(kept, spread, diagonal, staying, stationary, alphas, K))[k]
        )


def absorbing(visible, unmasking, unchanged, schedule, rate):
    """Tokens or a mask: by the product of the matrices and Bayes' rule, and by following tokens."""
    for alphas, K in CHAINS:
        yield from followed_up(visible, unmasking, unchanged, alphas, K)
        yield from both(masked(alphas), shares(visible, unmasking, alphas), by=sobol)
        yield surely(masked(alphas), still_there(unchanged, alphas))
    for T, t in SCHEDULES:
        yield from in_equal_parts(schedule, rate, T, t)
    for k in range(3):
        yield for_all(alphas=chains, K=sizes)(
            lambda alphas, K, k=k: list(followed_up(visible, unmasking, unchanged, alphas, K))[k]
        )
    for k in range(2):
        yield for_all(T=st.integers(2, 40), share=st.floats(0.01, 0.99))(
            lambda T, share, k=k: list(in_equal_parts(schedule, rate, T, 1 + int(share * (T - 1))))[k]
        )


def letters(alphas, K):
    """The letters of the page for the last of these steps."""
    return {"alpha": alphas[-1], "alpha_bar_prev": np.prod(alphas[:-1]), "others": K - 1}


# Any token


def any_token(alpha, K):
    """A step that keeps the token or draws any: entry by entry."""
    draws = (1 - alpha) / K
    return np.array([[alpha + draws if i == j else draws for j in range(K)] for i in range(K)])


def entries(kept, spread, diagonal, staying, stationary, alphas, K):
    at, last = letters(alphas, K), any_token(alphas[-1], K)
    product = np.linalg.multi_dot([any_token(alpha, K) for alpha in alphas])
    yield matches(kept, at, product[0, 0] - product[0, 1], magnitude=1.0)
    yield matches(spread, at, product[2, 1], magnitude=1.0)
    yield matches(diagonal, at, last[1, 1])
    yield matches(staying, at, product[1, 1])
    # The law that the step leaves as it is, as the solution of linear equations.
    equations = np.vstack([last.T - np.eye(K), np.ones(K)])
    law = np.linalg.lstsq(equations, np.eye(K + 1)[-1], rcond=None)[0]
    yield matches(stationary, at, law[1], magnitude=1 / (1 - alphas[-1]))


# A mask


def or_mask(alpha, K):
    """A step that keeps the token or masks it; the mask is the state 0."""
    Q = alpha * np.eye(K + 1)
    Q[:, 0] += 1 - alpha
    return Q


def so_far(alphas, K):
    """The product of the steps, in their order."""
    product = np.eye(K + 1)
    for alpha in alphas:
        product = product @ or_mask(alpha, K)
    return product


def followed_up(visible, unmasking, unchanged, alphas, K):
    """From the token 2: what is seen at t, and where it was at t - 1, by Bayes' rule."""
    at, before, last = letters(alphas, K), so_far(alphas[:-1], K), or_mask(alphas[-1], K)
    joint = before[2][:, None] * last  # rows x_{t-1}, columns x_t
    after = joint.sum(axis=0)
    yield matches(visible, at, after[2])
    yield matches(unmasking, at, joint[2, 0] / after[0])
    yield matches(unchanged, at, joint[2, 2] / after[2])


def masked(alphas):
    """Draws of (is it visible at t - 1, is it at t), a step at a time."""

    def draw(rng, n):
        seen = np.ones(n, dtype=bool)
        before = seen
        for alpha in alphas:
            before, seen = seen, seen & (rng.random(n) < alpha)
        return before, seen

    return draw


def shares(visible, unmasking, alphas):
    """The share that is visible at t, and that of the masked ones which were so at t - 1."""
    at, (a, b) = letters(alphas, 3), (np.prod(alphas), np.prod(alphas[:-1]))
    seen, now = np.sqrt(a * (1 - a)), np.sqrt((b - a) * (1 - b)) / (1 - a)

    def scores(before, after):
        return [
            Row("visible at t", (after - visible(**at)) / seen, 1.0, 1 / seen),
            Row("visible at t - 1, masked at t", (before - unmasking(**at)) / now, 1.0 - after, 1 / now),
        ]

    return scores


def still_there(unchanged, alphas):
    """Of a token that is visible, it is sure what it was before."""
    at = letters(alphas, 3)
    return lambda before, after: (after * before, after * unchanged(**at), 1.0)


def in_equal_parts(schedule, rate, T, t):
    """Step i masks one of the T - i + 1 parts that are left: exact fractions, step by step."""
    alphas = [1 - 1 / (T - i + 1) for i in range(1, t + 1)]
    at, before, after = {"t": t, "left": T - t}, np.prod(alphas[:-1]), np.prod(alphas)
    yield matches(schedule, at, after, magnitude=1.0)
    yield matches(rate, at, (before - after) / (1 - after), magnitude=float(T))
