r"""What tries to refute the page on chains, mixtures and data sets: the definitions, integrated and simulated.

The page sums over components and over points, and its formulas say what one of them contributes. Mixtures have three
components here and data sets seven points, on the line and in space. In space the noise is isotropic, so that what
explains a vector is the product of what explains its coordinates.
"""

from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st
from numpy import sqrt
from scipy.special import ndtr, ndtri

from ...quadrature import integral_of, mean_of, variance_of
from ...statistics import above, close, event, for_all, law, matches, sampled
from ...worlds import Step, empirical, gaussian, mixture, normal
from .posterior import regressed
from .score import normalised
from .step import SOME_X_T, letters, reverse_kernel

SOME_X_S, SOME_X_U = np.array([-0.89, 0.37, 1.13]), np.array([0.71, -1.37, 0.23])
SOME_X_PREV = np.array([-1.11, 0.43, 1.29])

CLUSTERS = mixture([0.31, 0.69], [-1.13, 1.47], [0.23, 0.41])
STANDARDISED = mixture([0.36, 0.64], [-0.96, 0.54], [0.4816, 0.4816])  # of mean 0 and variance 1, and not Gaussian
CHAINS = [
    (gaussian(0.37, 1.83), 0.683, 0.591),
    (CLUSTERS, 0.547, 0.743),
    (mixture([0.57, 0.43], [-0.71, 0.93], [0.17, 0.62]), 0.761, 0.437),
]
MIXTURES = [
    ([0.23, 0.46, 0.31], [-1.61, 0.29, 1.33], [0.19, 0.47, 0.31], 0.683),
    ([0.41, 0.17, 0.42], [0.83, -1.27, 1.91], [1.62, 0.23, 0.58], 0.347),
    ([0.13, 0.59, 0.28], [-0.57, 1.13, 2.21], [0.37, 0.81, 0.13], 0.827),
]
DATA_SET = np.array([-1.87, -1.21, -0.43, 0.19, 0.71, 1.53, 2.29])
STEPS = [Step(0.683, 0.591), Step(0.547, 0.743), Step(0.761, 0.437)]
SOME_IN_SPACE = np.array(
    [[-0.71, 0.33, 1.17], [0.27, -1.19, 0.59], [1.43, 0.59, -0.83], [-0.37, 1.07, 0.13], [0.91, -0.29, -1.31]]
)

between = st.floats(0.05, 0.95)
near, spreads = st.floats(-2, 2), st.floats(0.1, 4)
triples = st.builds(
    lambda u, v, *rest: ([u, (1 - u) * v, (1 - u) * (1 - v)], rest[:3], rest[3:]),
    *(between, between, near, near, near, spreads, spreads, spreads),
)
pairs = st.builds(lambda m, v, w: mixture([w, 1 - w], [m, -m / 2], [v, v / 3]), near, spreads, st.floats(0.1, 0.9))
tame = st.floats(0.2, 0.9)


def reversed_chain_markov(kernel, forward, bridge, told, drift):
    """What each of three times says of another: the joint density integrated, and its covariance conditioned."""

    def conditionals(law_at_s, alpha_ts, alpha_ut, x_s, x_t, x_u):
        at = three_times(law_at_s, alpha_ts, alpha_ut, x_s=x_s, x_t=x_t, x_u=x_u)
        joint = path(law_at_s, alpha_ts, alpha_ut)
        yield close(kernel, at, normalised(lambda x: joint(x, x_t, x_u), x_s, width=2.0))
        yield close(bridge, at, normalised(lambda x: joint(x_s, x, x_u), x_t, width=2.0))
        yield close(forward, at, normalised(lambda x: joint(x_s, x_t, x), x_u, width=2.0))

    for world, alpha_ts, alpha_ut in CHAINS:
        yield from conditionals(world, alpha_ts, alpha_ut, SOME_X_S, SOME_X_T, SOME_X_U)
        v = world.variance
        yield matches(told, {"v": v, "alpha_ts": alpha_ts, "alpha_ut": alpha_ut}, *taken_away(v, alpha_ts, alpha_ut))
        yield matches(drift, {"v": v, "alpha": alpha_ts}, *moved(v, alpha_ts))
    some = {"law_at_s": pairs, "alpha_ts": tame, "alpha_ut": tame, "x_s": near, "x_t": near, "x_u": near}
    for n in range(3):
        yield for_all(**some)(lambda n=n, **of: list(conditionals(**of))[n])
    yield for_all(v=spreads, alpha_ts=tame, alpha_ut=tame)(lambda **at: matches(told, at, *taken_away(**at)))
    yield for_all(v=spreads, alpha=tame)(lambda **at: matches(drift, at, *moved(**at)))


def detailed_balance(turned, tilt):
    """The reverse kernel of N(0, 1); and that of other data, over the forward step turned round."""

    def balanced(step, x_prev, x_t):
        at = {"alpha": step.alpha, "x_prev": x_prev, "x_t": x_t}
        return close(turned, at, normalised(reverse_kernel(gaussian(0.0, 1.0), step, x_t), x_prev, width=2.0))

    def tilted(data, step, x_prev, x_t):
        before = data.marginal(step.alpha_bar_prev)
        at = letters(data, step, x_prev=x_prev, x_t=x_t, m_prev=before.mean, v_prev=before.variance)
        return close(tilt, at, over_the_step(data, step, x_prev, x_t))

    for step in STEPS:
        yield balanced(step, SOME_X_PREV, SOME_X_T)
        for data in (gaussian(0.37, 1.83), CLUSTERS, gaussian(0.0, 0.47), STANDARDISED):
            yield tilted(data, step, SOME_X_PREV, SOME_X_T)
    steps = st.builds(Step, alpha=tame, alpha_bar_prev=st.floats(0.1, 0.9))
    yield for_all(step=steps, x_prev=near, x_t=near)(balanced)
    yield for_all(data=pairs, step=steps, x_prev=near, x_t=near)(tilted)


def gmm_kernel(weight, mean, variance):
    """What each component adds to the reverse kernel: integrated, simulated, in space, and for all mixtures."""
    parts = weights, means, variances = [of_each(formula, "k", 3) for formula in (weight, mean, variance)]
    for *mixed, alpha in MIXTURES:
        at, joint = components(mixed, alpha, SOME_X_T), joint_of_components(mixed, alpha, SOME_X_T)
        yield close(weights, at, shares(joint))
        yield close(means, at, mean_of(joint, width=2.0))
        yield close(variances, at, variance_of(joint, width=2.0))
        yield sampled(one_step(mixed, alpha), under_the_kernel(parts, mixed, alpha), resolves=1e-2)
    for formula, what, size in zip(parts, ("weights", "means", "variances"), (1.0, 5.0, 1.0)):
        yield for_all(examples=60, mixed=triples, alpha=between, x_t=near)(
            lambda mixed, alpha, x_t, formula=formula, what=what, size=size: matches(
                formula, components(mixed, alpha, x_t), known(mixed, alpha, x_t, what), magnitude=size
            )
        )
    mixed, alpha, x_t = (MIXTURES[0][0], SOME_IN_SPACE[:3], MIXTURES[0][2]), 0.713, SOME_IN_SPACE[3:]
    kernel, at = mixture(*mixed).conditioned(sqrt(alpha), 1 - alpha, x_t), components(mixed, alpha, x_t)
    yield matches(means, at, np.moveaxis(kernel.means, -2, 0))
    yield matches(variances, at, kernel.covariances[:, 0, 0][:, None, None] + 0 * x_t)
    yield matches(in_space(weights, mixed[0]), at, kernel.weights.T, magnitude=1.0)
    yield above(
        dip(parts), components(([0.41, 0.26, 0.33], [-1.9, -2.1, 1.7], [0.11, 0.17, 0.23]), 0.31, 0.13), 0.0, True
    )


def empirical_kernel(weight):
    """How likely each point of a data set is: two steps integrated, simulated, and in space."""
    weights, of_four = of_each(weight, "i", len(DATA_SET)), of_each(weight, "i", 4)
    for step in STEPS:
        yield close(weights, points(DATA_SET, step, SOME_X_T), shares(joint_of_points(DATA_SET, step, SOME_X_T)))
        yield sampled(from_a_point(step), chosen(weight, step), resolves=1e-2)
        seen = empirical(SOME_IN_SPACE[:4]).posterior(step.alpha_bar, SOME_IN_SPACE[1:])
        at = points(SOME_IN_SPACE[:4], step, SOME_IN_SPACE[1:])
        yield matches(in_space(of_four, np.ones(4)), at, seen.weights.T, magnitude=1.0)
    yield sampled(from_a_point(STEPS[1]), under_the_ends(weights, STEPS[1]), resolves=1e-2)


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


def covariance_of_path(v, *alphas):
    """The covariance of Gaussian data of variance v and of what they become, step by step."""
    rows = [np.array([sqrt(v)] + [0.0] * len(alphas))]
    for n, alpha in enumerate(alphas, 1):
        rows.append(sqrt(alpha) * rows[-1] + sqrt(1 - alpha) * np.eye(len(alphas) + 1)[n])
    return np.array(rows) @ np.array(rows).T


def taken_away(v, alpha_ts, alpha_ut):
    """Var[x_t | x_u] - Var[x_t | x_s, x_u] from the covariance of the three, and the size of what is rounded."""
    joint = covariance_of_path(v, alpha_ts, alpha_ut)
    given_u = joint[1, 1] - joint[1, 2] ** 2 / joint[2, 2]
    return given_u - 1 / np.linalg.inv(joint)[1, 1], joint[1, 1] * np.linalg.cond(joint)


def moved(v, alpha):
    """The slope of the regression of x_t on x_{t+1}, less that of x_{t-1} on x_t, and the size of the two."""
    joint = covariance_of_path(v, alpha, alpha)
    return joint[1, 2] / joint[2, 2] - joint[0, 1] / joint[1, 1], 1.0


def over_the_step(data, step, x_prev, x_t):
    """q(x_{t-1} | x_t), its mass by quadrature, over the density of the forward step from x_t."""
    kernel = normalised(reverse_kernel(data, step, x_t), x_prev, width=2.0)
    turned = normal(x_prev, sqrt(step.alpha) * x_t, step.beta)
    return lambda nodes: tuple(part / turned for part in kernel(nodes))


# Components and points


@dataclass(frozen=True)
class Sequence:
    """A letter with an index: its values, counted from one."""

    values: np.ndarray

    def __call__(self, k):
        return self.values[int(k) - 1]

    def log_density(self, k):
        return np.log(self(k))


def of_each(formula, index, count):
    """What a formula says of each component or point, along an axis in front, at each x_t."""

    def all_of_them(**at):
        return np.array([np.broadcast_to(formula(**at, **{index: n + 1}), np.shape(at["x_t"])) for n in range(count)])

    all_of_them.__name__ = f"each {formula.name}"
    return all_of_them


def in_space(weights, prior):
    """The weights given vectors: a product over coordinates, which counts the weights beforehand once."""

    def multiplied(**at):
        product = np.prod(weights(**at), axis=-1) / np.array(prior)[:, None] ** (np.shape(at["x_t"])[-1] - 1)
        return product / np.sum(product, axis=0)

    return multiplied


def shares(parts):
    """The integral of each part, over that of all of them together."""
    rule = integral_of(parts, width=2.0)

    def share(nodes):
        value, magnitude = rule(nodes)
        return value / np.sum(value, axis=0), magnitude / np.sum(value, axis=0)

    return share


def as_normal(u):
    """What is uniform, as a draw of N(0, 1)."""
    return ndtri(np.clip(u, 1e-12, 1 - 1e-12))


def components(mixed, alpha, x_t):
    """The letters of a mixture: weights, means and variances before the step."""
    w, a, b = (Sequence(np.array(part)) for part in mixed)
    return {"w": w, "a": a, "b": b, "K": len(w.values), "alpha": alpha, "x_t": x_t}


def joint_of_components(mixed, alpha, x_t):
    """Each component times the step, as a function of x_{t-1}."""
    w, a, b = (np.array(part)[:, None] for part in mixed)
    return lambda x_prev: w * normal(x_prev, a, b) * normal(x_t, sqrt(alpha) * x_prev, 1 - alpha)


def known(mixed, alpha, x_t, what):
    """The weights, means or variances of the components given x_t, as the world conditions them."""
    return getattr(mixture(*mixed).conditioned(sqrt(alpha), 1 - alpha, x_t), what)


def one_step(mixed, alpha):
    """Draws of (x_{t-1}, x_t)."""

    def draw(rng, n):
        x_prev = mixture(*mixed).sample(rng, n)
        return x_prev, sqrt(alpha) * x_prev + sqrt(1 - alpha) * rng.standard_normal(n)

    return draw


def under_the_kernel(parts, mixed, alpha):
    """x_{t-1} through the distribution function of the kernel is uniform, given x_t."""

    def scores(x_prev, x_t):
        weights, means, variances = (part(**components(mixed, alpha, x_t)) for part in parts)
        return law(as_normal(np.sum(weights * ndtr((x_prev - means) / sqrt(variances)), axis=0)), given=(x_t,))

    return scores


def dip(parts):
    """How far the kernel falls between its outer components, from the lower of its values there."""

    def fall(**at):
        weights, means, variances = (part(**at) for part in parts)
        left, right = means[0], means[-1]
        kernel = [np.sum(weights * normal(x, means, variances)) for x in (left, (left + right) / 2, right)]
        return min(kernel[0], kernel[2]) - kernel[1]

    return fall


def points(data_set, step, x_t):
    """The letters of a data set."""
    given = {"alpha": step.alpha, "alpha_bar_prev": step.alpha_bar_prev, "x_t": x_t}
    return {"y": Sequence(data_set), "N": len(data_set), **given}


def joint_of_points(data_set, step, x_t):
    """Each point, noised up to t - 1, times the step, as a function of x_{t-1}."""
    y = data_set[:, None]

    def parts(x_prev):
        noised = normal(x_prev, sqrt(step.alpha_bar_prev) * y, 1 - step.alpha_bar_prev)
        return noised * normal(x_t, sqrt(step.alpha) * x_prev, step.beta)

    return parts


def from_a_point(step):
    """Draws of (i, x_{t-1}, x_t): a point of the data set, noised step by step."""

    def draw(rng, n):
        i = rng.integers(len(DATA_SET), size=n)
        scale, spread = sqrt(step.alpha_bar_prev), sqrt(1 - step.alpha_bar_prev)
        x_prev = scale * DATA_SET[i] + spread * rng.standard_normal(n)
        return i, x_prev, sqrt(step.alpha) * x_prev + sqrt(step.beta) * rng.standard_normal(n)

    return draw


def chosen(weight, step):
    """Given x_t, the second point was the one drawn as often as its weight says, and so was the fifth."""

    def scores(i, x_prev, x_t):
        at = points(DATA_SET, step, x_t)
        return [row for n in (2, 5) for row in event(i + 1 == n, weight(**at, i=n), given=(x_t,))]

    return scores


def under_the_ends(weights, step):
    """x_{t-1} through the distribution function of the weighed kernels of both ends is uniform, given x_t."""

    def scores(i, x_prev, x_t):
        mean, variance = regressed(step, DATA_SET[:, None], x_t)
        below = ndtr((x_prev - mean) / sqrt(variance))
        return law(as_normal(np.sum(weights(**points(DATA_SET, step, x_t)) * below, axis=0)), given=(x_t,))

    return scores
