r"""What tries to refute the page on the distance of the naive kernel.

Divergences of reverse kernels, integrated over the plane of (x_t, x_{t-1}) and simulated; chains of them, added up step
by step, and as Gaussian laws of whole paths.
"""

from functools import cache, reduce

import numpy as np
from hypothesis import strategies as st
from numpy import sqrt

from ...quadrature import integral_of, integral_over_plane, settled
from ...schedules import Schedule
from ...statistics import above, both, close, for_all, hermite, matches, moments, sampled
from ...worlds import Step, gaussian, mixture, normal
from .bayes import regressed
from .score import SMOOTH
from .step import CLUSTERS, GAUSSIANS, estimator, gaussians, letters, pairs, steps, tame_steps

SPACE = gaussian([0.37, -0.61, 0.83], [[1.31, 0.42, -0.27], [0.42, 0.59, 0.11], [-0.27, 0.11, 0.23]])
ALONG = CLUSTERS, mixture([0.57, 0.43], [0.71, -0.93], [0.37, 0.62])
TURN = np.array([[0.6, -0.8], [0.8, 0.6]])
CHAINS = [
    (gaussian(0.37, 1.83), np.array([0.13, 0.29, 0.37])),
    (CLUSTERS, np.array([0.23, 0.17, 0.31])),
    (mixture([0.57, 0.43], [-0.71, 0.93], [0.17, 0.62]), np.array([0.61, 0.43])),
]
lists = st.lists(st.floats(0.02, 0.6), min_size=2, max_size=6).map(np.array)


def kl_step_identity(cost, gaussian):
    """The divergence of the two kernels, averaged over x_t: integrated, simulated, in a plane and in space."""
    for world, step in SMOOTH:
        yield close(cost, step_letters(world, step), divergence_of_step(world, step))
        yield from both(world.forward(step), averaged(cost, world, step), estimator(world))
    for world, step in GAUSSIANS:
        yield close(gaussian, step_letters(world, step), divergence_of_step(world, step))
        yield from both(world.forward(step), averaged(gaussian, world, step), hermite)
    # Two coordinates, turned: each brings a factor sqrt(alpha).
    step = Step(alpha=0.713, alpha_bar_prev=0.629)
    yield sampled(PLANE.forward(step), averaged(cost, PLANE, step, ALONG), resolves=1e-2)
    variances = np.linalg.eigvalsh(SPACE.marginal(step.alpha_bar_prev).covariance)
    yield matches(summed(gaussian), {"alpha": step.alpha, "v_prev": variances}, *in_space(SPACE, step))

    yield for_all(data=gaussians, step=steps)(
        lambda data, step: matches(gaussian, step_letters(data, step), *divergence_of_gaussians(data, step))
    )
    yield for_all(data=gaussians, step=steps, examples=10)(
        lambda data, step: matches(cost, step_letters(data, step), *divergence_of_gaussians(data, step))
    )
    yield for_all(data=pairs, step=tame_steps, examples=4)(
        lambda data, step: close(cost, step_letters(data, step), divergence_of_step(data, step))
    )


def kl_chain_telescopes(total, gaussian, spread, gain):
    """The divergences of all steps, added up; of the same chain cut otherwise; and what is left at its end."""
    for world, betas in CHAINS:
        at, divergence = chain_letters(world, betas), divergence_of_chain(world, betas)
        yield close(total, at, divergence)
        yield close(gain, at, divergence)
        yield matches(spread, at, *extra_variance(world, betas))
        left = settled(divergence_of_ends(world, naive_end(world, betas)), 1e-12)
        yield above(total, at, left, strict=True)
        yield above(gain, at, left, strict=True)
    world, betas = CHAINS[1]
    for pieces in (1, 2, 5):
        recut = 1 - np.full(pieces, np.prod(1 - betas) ** (1 / pieces))
        yield close(total, chain_letters(world, betas), divergence_of_chain(world, recut))
        yield close(total, chain_letters(world, recut), divergence_of_chain(world, betas))

    for world, _ in GAUSSIANS:
        for _, betas in CHAINS:
            yield close(gaussian, chain_letters(world, betas), divergence_of_chain(world, betas))

    some = {"data": gaussians, "betas": lists}
    yield for_all(**some)(
        lambda data, betas: matches(gaussian, chain_letters(data, betas), *steps_of_gaussians(data, betas))
    )
    yield for_all(**some)(
        lambda data, betas: matches(gaussian, chain_letters(data, betas), *paths_of_gaussians(data, betas))
    )
    yield for_all(**some)(
        lambda data, betas: above(gaussian, chain_letters(data, betas), ends_of_gaussians(data, betas), strict=True)
    )
    yield for_all(**some)(lambda data, betas: matches(spread, chain_letters(data, betas), *extra_variance(data, betas)))
    for formula in (total, gain):
        yield for_all(**some, examples=8)(
            lambda data, betas, formula=formula: matches(
                formula, chain_letters(data, betas), *paths_of_gaussians(data, betas)
            )
        )


# One step


def step_letters(data, step):
    """The letters of one step; whoever asks for the reverse kernel gets it by Bayes' rule."""
    before, after = data.marginal(step.alpha_bar_prev), data.marginal(step.alpha_bar)

    def posterior(x_prev, x_t):
        return np.exp(before.log_density(x_prev) - after.log_density(x_t)) * normal(
            x_t, sqrt(step.alpha) * x_prev, step.beta
        )

    return letters(data, step, posterior=posterior, v_prev=before.variance)


def divergence_of_step(world, step):
    """E KL(q(. | x_t) || n(. | x_t)), x_{t-1} in units of the naive kernel."""
    after, sigma = world.marginal(step.alpha_bar), sqrt(step.beta / step.alpha)

    def integrand(x_t, z):
        log_kernel = world.reverse_kernel(step, x_t).log_density(x_t / sqrt(step.alpha) + sigma * z)
        log_naive = -(z**2) / 2 - np.log(2 * np.pi * sigma**2) / 2
        return after(x_t) * np.exp(log_kernel) * (log_kernel - log_naive) * sigma

    return integral_over_plane(integrand)


def divergence_of_gaussians(data, step):
    """The same for Gaussian data, from the two kernels' means and variances, and the size of its terms."""
    (low, high), variance = (regressed(data, step, x)[0] for x in (0.0, 1.0)), regressed(data, step, 0.0)[1]
    naive, v_t = step.beta / step.alpha, data.marginal(step.alpha_bar).variance
    apart = (high - low - 1 / sqrt(step.alpha)) ** 2 * v_t  # both means are right on average
    terms = np.array([np.log(naive / variance), variance / naive, apart / naive, -1.0])
    return np.sum(terms) / 2, np.sum(np.abs(terms)) * (1 + data.mean**2 / v_t)


def in_space(world, step):
    """The same in d dimensions, by matrices."""
    before, after = world.marginal(step.alpha_bar_prev).covariance, world.marginal(step.alpha_bar).covariance
    gain = sqrt(step.alpha) * before @ np.linalg.inv(after)
    kernel, naive = before - sqrt(step.alpha) * gain @ before, step.beta / step.alpha
    apart = gain - np.eye(len(gain)) / sqrt(step.alpha)
    determinants = len(gain) * np.log(naive) - np.linalg.slogdet(kernel)[1]
    quadratic = np.trace(kernel + apart @ after @ apart.T) / naive
    return (determinants + quadratic - len(gain)) / 2, np.linalg.cond(after) * (abs(determinants) + quadratic)


@cache
def log_ratio(world, step):
    """The variance and the fourth central moment of log q(x_{t-1} | x_t) - log n(x_{t-1} | x_t), by quadrature."""
    before, after = world.marginal(step.alpha_bar_prev), world.marginal(step.alpha_bar)

    def integrand(x_prev, z):
        x_t = sqrt(step.alpha) * x_prev + sqrt(step.beta) * z
        ratio = before.log_density(x_prev) - after.log_density(x_t)
        return before(x_prev) * normal(z, 0.0, 1.0) * ratio ** np.arange(1, 5)

    first, second, third, fourth = settled(integral_over_plane(integrand), 1e-12)
    square = second - first**2
    return square, fourth - 4 * first * third + 6 * first**2 * second - 3 * first**4


def plane():
    """A law with independent coordinates, seen from other axes."""
    first, second = ALONG
    means = np.array([[m, n] for m in first.means for n in second.means]) @ TURN.T
    covariances = [TURN @ np.diag([v, w]) @ TURN.T for v in first.variances for w in second.variances]
    return mixture(np.outer(first.weights, second.weights).ravel(), means, covariances)


PLANE = plane()


def averaged(formula, world, step, coordinates=()):
    """The log ratio of the two kernels has this mean; the means of independent coordinates add up."""
    coordinates = coordinates or (world,)
    before, after = world.marginal(step.alpha_bar_prev), world.marginal(step.alpha_bar)

    def log_normal(x, mean, variance):
        squares = (x - mean) ** 2 / variance + np.log(2 * np.pi * variance)
        return -squares / 2 if world.dimension is None else -np.sum(squares, axis=-1) / 2

    def together(one, other):
        """The second and fourth moments of a sum."""
        (v, fourth), (w, more) = one, other
        return v + w, fourth + 6 * v * w + more

    def scores(x_0, x_prev, x_t):
        step_forward = log_normal(x_t, sqrt(step.alpha) * x_prev, step.beta)
        kernel = step_forward + before.log_density(x_prev) - after.log_density(x_t)
        naive = log_normal(x_prev, x_t / sqrt(step.alpha), step.beta / step.alpha)
        claimed = sum(formula(**step_letters(law, step)) for law in coordinates)
        null = reduce(together, (log_ratio(law, step) for law in coordinates))
        return moments(kernel - naive, claimed, None, (*null, np.inf))

    return scores


def summed(formula):
    return lambda **at: np.sum(formula(**at), axis=-1)


# A chain


def chain_letters(world, betas):
    """The letters of a chain; h(t) is the entropy of x_t."""
    alpha_bars = np.concatenate([[1.0], np.cumprod(1 - betas)])
    extra = 1 / alpha_bars[-1] - 1
    return {
        "a": lambda t: alpha_bars[int(t)],
        "h": lambda t: world.marginal(alpha_bars[int(t)]).entropy(),
        "T": len(betas),
        "v_0": world.variance,
        "data": world,
        "widened": world.affine(1.0, extra),
        "returned": world.affine(1.0, 2 * extra),
    }


def divergence_of_chain(world, betas):
    """The divergences of its steps, added up."""
    rules = [divergence_of_step(world, step) for step in Schedule(betas).steps]

    @cache
    def rule(nodes):
        values, magnitudes = zip(*(step(nodes) for step in rules), strict=True)
        return sum(values), sum(magnitudes)

    return rule


def steps_of_gaussians(data, betas):
    """The same for Gaussian data."""
    values, magnitudes = zip(*(divergence_of_gaussians(data, step) for step in Schedule(betas).steps), strict=True)
    return sum(values), sum(magnitudes)


def paths_of_gaussians(data, betas):
    """KL of the true path from the naive one, both from a correct x_T, as Gaussians in T + 1 dimensions."""
    forwards, backwards = np.eye(len(betas) + 1), np.eye(len(betas) + 1)
    for t, beta in enumerate(betas, 1):  # each row: x_t in terms of x_0 and the noises
        forwards[t] = sqrt(1 - beta) * forwards[t - 1]
        forwards[t, t] = sqrt(beta)
    for t, beta in reversed(list(enumerate(betas, 1))):  # each row: x_{t-1} in terms of x_T and fresh noises
        backwards[t - 1] = backwards[t] / sqrt(1 - beta)
        backwards[t - 1, t - 1] = sqrt(beta / (1 - beta))
    true = forwards @ np.diag([data.variance, *np.ones(len(betas))]) @ forwards.T
    naive = backwards @ np.diag([*np.ones(len(betas)), true[-1, -1]]) @ backwards.T
    inside, volumes = np.trace(np.linalg.solve(naive, true)), np.linalg.slogdet(naive)[1] - np.linalg.slogdet(true)[1]
    return (inside - len(true) + volumes) / 2, np.linalg.cond(naive) * (inside + np.abs(volumes))


def naive_end(world, betas):
    """Where the naive chain ends: x_T stretched and noised, step by step."""
    law = world.marginal(np.prod(1 - betas))
    for beta in betas[::-1]:
        law = law.affine(1 / sqrt(1 - beta), beta / (1 - beta))
    return law


def divergence_of_ends(world, end):
    return integral_of(lambda x: world(x) * (world.log_density(x) - end.log_density(x)))


def ends_of_gaussians(data, betas):
    """The divergence at the end of the chain, of two Gaussians of the same mean."""
    ratio = data.variance / naive_end(data, betas).variance
    return (ratio - 1 - np.log(ratio)) / 2


def extra_variance(world, betas):
    """By how much x_T without its scale varies more than the data, and the size of the two."""
    alpha_bar, v = np.prod(1 - betas), world.variance
    for beta in betas:
        v = (1 - beta) * v + beta
    return v / alpha_bar - world.variance, v / alpha_bar
