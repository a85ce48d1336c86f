r"""What tries to refute the page on the chain backwards: the joint density of its times, integrated.

In equilibrium it is held against N(0, 1), and away from it against laws that resemble N(0, 1) in one thing or another.
"""

from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st
from numpy import sqrt

from ...quadrature import mean_of
from ...statistics import close, for_all, matches
from ...worlds import Step, gaussian, mixture, normal, point
from .score import normalised
from .step import CLUSTERS, SOME_X_T, STEPS, letters, pairs, reverse_kernel, tame_steps

SOME_X_S, SOME_X_U = np.array([-0.89, 0.37, 1.13]), np.array([0.71, -1.37, 0.23])
SOME_X_PREV, OTHER = np.array([-1.11, 0.43, 1.29]), np.array([0.61, 1.47, -0.53])

STANDARDISED = mixture([0.36, 0.64], [-0.96, 0.54], [0.4816, 0.4816])  # of mean 0 and variance 1, and not Gaussian
EQUILIBRIUM = gaussian(0.0, 1.0)
CHAINS = [
    (gaussian(0.37, 1.83), 0.683, 0.591),
    (CLUSTERS, 0.547, 0.743),
    (mixture([0.57, 0.43], [-0.71, 0.93], [0.17, 0.62]), 0.761, 0.437),
]
PATH = np.array([0.83, -0.41, 0.29, -1.17, 0.57])

near, tame = st.floats(-2, 2), st.floats(0.2, 0.9)


def reversed_chain_markov(kernel, forward, ratio, bridge, told, change):
    """What each of three times says of the others, a path step by step, and two steps with the same beta."""

    def conditionals(law_at_s, alpha_ts, alpha_ut, x_s, x_t, x_u, other):
        at = three_times(law_at_s, alpha_ts, alpha_ut, x_s=x_s, x_t=x_t, x_u=x_u, other=other)
        joint = path(law_at_s, alpha_ts, alpha_ut)
        yield close(kernel, at, normalised(lambda x: joint(x, x_t, x_u), x_s, width=2.0))
        yield close(forward, at, normalised(lambda x: joint(x_s, x_t, x), x_u, width=2.0))
        yield close(bridge, at, normalised(lambda x: joint(x_s, x, x_u), x_t, width=2.0))
        yield close(told, at, difference(*(mean_of(lambda x, x_s=x_s: joint(x_s, x, x_u)) for x_s in (x_s, other))))

    def changed(data, step, x_prev, x_t):
        return close(change, two_steps(data, step, x_prev, x_t), over_the_next(data, step, x_prev, x_t))

    for world, alpha_ts, alpha_ut in CHAINS:
        yield from conditionals(world, alpha_ts, alpha_ut, SOME_X_S, SOME_X_T, SOME_X_U, OTHER)
        yield close(ratio, whole_path(world, PATH), forwards_over_backwards(world, PATH))
        yield changed(world, Step(alpha_ts, alpha_ut), SOME_X_PREV, SOME_X_T)
        # Data that are a point tell what x_s would tell: the kernel is that of both ends.
        told_already = point(0.83).reverse_kernel(Step(alpha_ut, alpha_ts), SOME_X_U)(SOME_X_T)
        at = three_times(world, alpha_ts, alpha_ut, x_s=0.83, x_t=SOME_X_T, x_u=SOME_X_U)
        yield matches(bridge, at, told_already)
        # In equilibrium the kernels do not change.
        yield matches(change, two_steps(EQUILIBRIUM, Step(alpha_ts, alpha_ut), SOME_X_PREV, SOME_X_T), np.ones(3))
    for n in range(4):
        yield for_all(
            examples=60, law_at_s=pairs, alpha_ts=tame, alpha_ut=tame, x_s=near, x_t=near, x_u=near, other=near
        )(lambda n=n, **of: list(conditionals(**of))[n])
    yield for_all(examples=60, world=pairs, xs=st.lists(near, min_size=3, max_size=5))(
        lambda world, xs: close(ratio, whole_path(world, np.array(xs)), forwards_over_backwards(world, np.array(xs)))
    )
    yield for_all(data=pairs, step=tame_steps, x_prev=near, x_t=near)(changed)


def detailed_balance(turned, tilt):
    """The reverse kernel of N(0, 1); and that of other data, over the forward step turned round."""

    def balanced(step, x_prev, x_t):
        at = {"alpha": step.alpha, "x_prev": x_prev, "x_t": x_t}
        return close(turned, at, normalised(reverse_kernel(EQUILIBRIUM, step, x_t), x_prev, width=2.0))

    def tilted(data, step, x_prev, x_t):
        before = data.marginal(step.alpha_bar_prev)
        at = letters(data, step, x_prev=x_prev, x_t=x_t, m_prev=before.mean, v_prev=before.variance)
        return close(tilt, at, over_the_step(data, step, x_prev, x_t))

    for step in STEPS:
        yield balanced(step, SOME_X_PREV, SOME_X_T)
        for data in (gaussian(0.37, 1.83), CLUSTERS, gaussian(0.0, 0.47), STANDARDISED):
            yield tilted(data, step, SOME_X_PREV, SOME_X_T)
        yield matches(tilt, letters(EQUILIBRIUM, step, x_prev=SOME_X_PREV, x_t=SOME_X_T), np.ones(3))
        yield matches(
            in_space(turned), {"alpha": step.alpha, "x_prev": IN_SPACE[0], "x_t": IN_SPACE[1]}, kernel_in_space(step)
        )
    yield for_all(step=tame_steps, x_prev=near, x_t=near)(balanced)
    yield for_all(data=pairs, step=tame_steps, x_prev=near, x_t=near)(tilted)


# Three times


def three_times(law_at_s, alpha_ts, alpha_ut, **x):
    """The letters of a step from s to t and one from t to u."""
    at_t, at_u = law_at_s.marginal(alpha_ts), law_at_s.marginal(alpha_ts * alpha_ut)

    def t_given_u(x_t, x_u):
        return at_t(x_t) * normal(x_u, sqrt(alpha_ut) * x_t, 1 - alpha_ut) / at_u(x_u)

    return {"early": law_at_s, "t_given_u": t_given_u, "alpha_ts": alpha_ts, "alpha_ut": alpha_ut, **x}


def path(law_at_s, alpha_ts, alpha_ut):
    """The joint density of x_s, x_t and x_u."""

    def density(x_s, x_t, x_u):
        to_t = normal(x_t, sqrt(alpha_ts) * x_s, 1 - alpha_ts)
        return law_at_s(x_s) * to_t * normal(x_u, sqrt(alpha_ut) * x_t, 1 - alpha_ut)

    return density


def difference(first, second):
    """One integral less another."""

    def rule(nodes):
        (a, size_a), (b, size_b) = first(nodes), second(nodes)
        return a - b, size_a + size_b

    return rule


# A whole path, and two steps


def alpha_bar(t):
    """A schedule without a pattern."""
    return np.exp(-0.13 * t - 0.07 * t * t)


@dataclass(frozen=True)
class Path:
    """x_t by its time."""

    values: np.ndarray

    def __call__(self, t):
        return self.values[int(t)]


def whole_path(world, xs):
    """The letters of a path: where it is at each time, and the law of each time."""
    return {"x": Path(xs), "T": len(xs) - 1, "seen": lambda x, t: world.marginal(alpha_bar(t))(x)}


def forwards_over_backwards(world, xs):
    """Each step's density forwards over that backwards, multiplied; the kernels backwards by quadrature."""
    steps = [Step(alpha_bar(t) / alpha_bar(t - 1), alpha_bar(t - 1)) for t in range(1, len(xs))]
    ends = list(zip(steps, xs, xs[1:]))
    backwards = [normalised(reverse_kernel(world, step, x_t), x_prev, width=2.0) for step, x_prev, x_t in ends]
    forwards = np.prod([normal(x_t, sqrt(step.alpha) * x_prev, step.beta) for step, x_prev, x_t in ends])

    def rule(nodes):
        parts = np.array([kernel(nodes) for kernel in backwards])
        value = forwards / np.prod(parts[:, 0])
        return value, value * np.prod(parts[:, 1] / parts[:, 0])

    return rule


def two_steps(data, step, x_prev, x_t):
    """The letters of a step and of one more with the same beta."""
    return letters(data, step, x_prev=x_prev, x_t=x_t, after=data.marginal(step.alpha**2 * step.alpha_bar_prev))


def over_the_next(data, step, x_prev, x_t):
    """The reverse kernel of a step over that of the next, at the same two points; both by quadrature."""
    kernels = [
        normalised(reverse_kernel(data, Step(step.alpha, kept), x_t), x_prev, width=2.0)
        for kept in (step.alpha_bar_prev, step.alpha_bar)
    ]

    def rule(nodes):
        (first, size), (second, other_size) = (kernel(nodes) for kernel in kernels)
        return first / second, size / second * (other_size / second)

    return rule


# In equilibrium


def over_the_step(data, step, x_prev, x_t):
    """q(x_{t-1} | x_t), its mass by quadrature, over the density of the forward step from x_t."""
    kernel = normalised(reverse_kernel(data, step, x_t), x_prev, width=2.0)
    turned = normal(x_prev, sqrt(step.alpha) * x_t, step.beta)
    return lambda nodes: tuple(part / turned for part in kernel(nodes))


IN_SPACE = np.array([[0.71, -1.13, 0.39, 0.87], [-0.53, 0.29, 1.31, -0.17]])


def in_space(turned):
    """The density of a vector: the noise is isotropic, so that it is the product over coordinates."""
    return lambda **at: np.prod(turned(**at))


def kernel_in_space(step):
    """The reverse kernel of N(0, I) at two points of space, as the world conditions vectors."""
    world = gaussian(np.zeros(4), np.eye(4))
    return world.reverse_kernel(step, IN_SPACE[1])(IN_SPACE[0])
