r"""What tries to refute the page on reverse rates: short steps turned round by Bayes' rule, and jumps counted.

Chains in continuous time with rates of which none are symmetric, from laws that are not in equilibrium.
"""

from functools import cache

import numpy as np
from hypothesis import strategies as st
from scipy.linalg import expm

from ...statistics import Row, for_all, limit, matches, sampled, sobol
from .posterior import at_all_states

STEPS = 0.04 / 2.0 ** np.arange(6)


class Chain:
    """Rates from weights that are not symmetric, the law at time zero, and the time."""

    def __init__(self, weights, start, t):
        self.start, self.t, self.K = start / np.sum(start), t, len(start)
        weights = np.array(weights, dtype=float)
        np.fill_diagonal(weights, 0.0)
        self.R = weights - np.diag(weights.sum(axis=1))
        self.law = cache(lambda t: self.start @ expm(t * self.R))

    @property
    def at(self):
        """The letters of the page."""
        return {
            "R": lambda x, y: self.R[x, y],
            "p": lambda x, t: self.law(float(t))[x],
            "t": self.t,
            "m": self.K - 1,
        }

    def backwards(self, h):
        """From y at t + h to x at t, by Bayes' rule: (x, y).  A short time may be imaginary."""
        after = expm(h * self.R)
        return self.law(self.t)[:, None] * after / (self.law(self.t) @ after)

    def slope(self):
        """Its derivative at h = 0, which an imaginary time shows without a difference."""
        return np.imag(self.backwards(1e-20j)) / 1e-20

    def others(self, array):
        """The entries (x, y) of an array where x is not y."""
        return array[~np.eye(self.K, dtype=bool)]


CHAINS = [
    Chain([[0, 0.7, 1.9], [0.4, 0, 0.3], [1.1, 2.3, 0]], np.array([0.71, 0.17, 0.12]), 0.37),
    Chain([[0, 0.3, 0.9, 0.2], [1.7, 0, 0.1, 0.6], [0.5, 1.3, 0, 0.8], [2.1, 0.4, 0.7, 0]], np.arange(1.0, 5.0), 0.19),
    Chain([[0, 2.9, 0.2], [0.1, 0, 1.3], [0.6, 0.8, 0]], np.array([0.23, 0.08, 0.69]), 0.83),
]
positive = st.floats(0.1, 2)
chains = st.builds(
    lambda weights, start, t: Chain(np.reshape(weights, (3, 3)), np.array(start), t),
    st.lists(positive, min_size=9, max_size=9),
    st.lists(positive, min_size=3, max_size=3),
    st.floats(0.1, 1),
)


def reverse_rates(rate, diagonal, excess):
    """Bayes' rule over shorter and shorter times, its slope, and the jumps of chains that are followed."""
    for chain in CHAINS:
        yield limit(between(rate, chain), chain.at, lambda h, chain=chain: chain.others(chain.backwards(h)) / h, STEPS)
        stays = lambda h, chain=chain: (np.diag(chain.backwards(h)) - 1) / h
        yield limit(at_all_states(diagonal, "y", chain.K), chain.at, stays, STEPS)
        yield from slopes(rate, diagonal, excess, chain)
        yield sampled(jumps(chain, WAY), as_many_as_back(rate, chain, WAY))
        yield sampled(visits(chain), as_much_flows_back(rate, chain, WAY), sobol.resolves, by=sobol)
    for k in range(3):
        yield for_all(chain=chains, examples=20)(lambda chain, k=k: list(slopes(rate, diagonal, excess, chain))[k])


def between(formula, chain):
    """The values of a formula from all y to all other x."""
    return lambda **at: chain.others(at_all_states(formula, "xy", chain.K)(**at))


def slopes(rate, diagonal, excess, chain):
    slope = chain.slope()
    yield matches(between(rate, chain), chain.at, chain.others(slope))
    yield matches(at_all_states(diagonal, "y", chain.K), chain.at, np.diag(slope), magnitude=np.abs(chain.R).max())
    naive = chain.others(chain.R)
    yield matches(between(excess, chain), chain.at, chain.others(slope) - naive, magnitude=chain.others(slope) + naive)


# Chains followed from time zero, and one of their times

WAY = (0, 1)  # jumps from this state to that
WINDOW, EVENTS = 0.2, 10  # so long, and at most so many chances to jump; on average there are fewer than one
NODES, WEIGHTS = (np.polynomial.legendre.leggauss(6)[k] / 2 for k in (0, 1))
TIMES = WINDOW * (NODES + 0.5)


def chosen(laws, u):
    """The state up to which the law adds up to more than u, for each row of laws."""
    return np.sum(np.cumsum(laws, axis=-1)[..., :-1] < u[:, None], axis=1)


def jumps(chain, way):
    """Draws of (jumps that way within the window, a time in it, the state at this time)."""
    busiest = np.max(-np.diag(chain.R))
    one = np.eye(chain.K) + chain.R / busiest  # what a chance to jump does

    def draw(rng, n):
        which = chosen(np.broadcast_to(WEIGHTS, (n, len(WEIGHTS))), rng.random(n))
        x = seen = chosen(np.broadcast_to(chain.start, (n, chain.K)), rng.random(n))
        clock, count = np.zeros(n), np.zeros(n)
        for _ in range(EVENTS):
            clock = clock - np.log(rng.random(n)) / busiest
            y = np.where(clock < WINDOW, chosen(one[x], rng.random(n)), x)
            count += (x == way[0]) & (y == way[1])
            seen, x = np.where(clock < TIMES[which], y, seen), y
        return count, which, seen

    return draw


def rates_back(rate, chain, way):
    """The claimed rates of the way back, at each of the times."""
    x, y = way
    return np.array([rate(**chain.at | {"x": x, "y": y, "t": t}) for t in TIMES])


def slopes_back(chain, way):
    """Those that Bayes' rule gives."""
    return np.array([Chain(chain.R, chain.start, t).slope()[way] for t in TIMES])


def as_many_as_back(rate, chain, way):
    """There are as many jumps as the reverse chain makes the other way."""
    most = WINDOW * chain.R[way]  # of a Poisson number that is never less than that of the jumps
    exact = WINDOW * slopes_back(chain, way)
    there = np.array([chain.law(t)[way[1]] for t in TIMES])
    second, third = (WEIGHTS @ (there * exact**power) for power in (2, 3))
    scale = np.sqrt(most + most**2 + second)
    skew = (most + 3 * most**2 + most**3 + third) / scale**3

    def scores(count, which, seen):
        back = WINDOW * rates_back(rate, chain, way)[which] * (seen == way[1])
        return [Row("jumps", (count - back) / scale, 1.0, skew)]

    return scores


def visits(chain):
    """Draws of (a time, the state at this time)."""
    laws = np.array([chain.law(t) for t in TIMES])

    def draw(rng, n):
        which = chosen(np.broadcast_to(WEIGHTS, (n, len(WEIGHTS))), rng.random(n))
        return which, chosen(laws[which], rng.random(n))

    return draw


def as_much_flows_back(rate, chain, way):
    """Forwards from x at its rate, backwards from y at the claimed one."""
    x, y = way
    back = slopes_back(chain, way)
    most = max(chain.R[way], np.max(back))

    def scores(which, seen):
        flow = chain.R[way] * (seen == x) - rates_back(rate, chain, way)[which] * (seen == y)
        return [Row("flow", flow / most, 1.0, 1.0)]

    return scores
