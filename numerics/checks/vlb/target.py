r"""What tries to refute the page on the loss that is meant: kernels with x_0 known and without, integrated and drawn.

The kernel with x_0 known comes from regression, the one without from Bayes' rule for the law of the world. Where the
model is linear, the logarithm of their ratio is a quadratic polynomial of the noise, for each cluster of the data.
"""

from functools import cache

import numpy as np
from hypothesis import strategies as st
from numpy import sqrt

from ...quadrature import integral_over_plane
from ...statistics import above, both, close, for_all, matches, moments
from ...worlds import normal
from ..reversal.posterior import regressed
from ..reversal.score import SMOOTH
from ..reversal.step import GAUSSIANS, POINTS, SOME_X_T, SQUARES, STEPS, gaussians, letters, pairs, tame_steps
from .bound import Exact, Model, log_normal, log_terms, path_of
from .matching import CLOUD
from .quadratics import moments_of_mixture

MODELS = [Model(0.87, 0.23, 0.31), Model(0.71, -0.41, 0.47), Model(1.13, 0.11, 0.23)]
BENT = [Model(0.87, 0.23, 0.31, -0.61), Model(0.71, -0.41, 0.47, 0.37), Model(1.13, 0.11, 0.23, 0.29)]
CHAINS = [(0.43,), (0.19, 0.37), (0.23, 0.17, 0.31)]

near = st.floats(-2, 2)
models = st.builds(Model, st.floats(0.3, 1.3), st.floats(-1, 1), st.floats(0.1, 1.5))
schedules = st.lists(st.floats(0.1, 0.7), min_size=1, max_size=2).map(tuple)


def conditional_vs_marginal_kl(total, minimiser, gaussian, averaged):
    """The loss with x_0 known, its least value, and the whole bound, averaged over the data."""
    for (world, step), model in zip(SMOOTH, BENT, strict=True):
        at = given(world, step, model, x_t=SOME_X_T)
        yield close(total, at, loss(world, step, model, SOME_X_T))
        yield above(total, at, at["I"](SOME_X_T), strict=True)
        yield matches(loss_of(minimiser, world, step), at, *information(world, step, SOME_X_T))
    for (world, step), model in zip(POINTS, MODELS, strict=True):
        yield from both(world.forward(step), compared(total, world, step, model), SQUARES.over(world.weights))
    for world, step in GAUSSIANS:
        yield matches(gaussian, letters(world, step, v_0=world.variance), *information(world, step, 0.0))
    for step in STEPS:
        at = {"alpha": step.alpha, "alpha_bar_prev": step.alpha_bar_prev, "v_0": np.linalg.eigvalsh(CLOUD.covariance)}
        yield matches(summed(gaussian), at, *information_in_space(step))
    for (world, _), betas, model in zip(SMOOTH, CHAINS, MODELS, strict=True):
        bound, (value, *null), size = once(averaged, world, betas, model), *moments_along(world, betas, model)
        yield matches(bound, {}, value, size)
        yield from both(world.path(1 - np.array(betas)), along(bound, betas, model, null), SQUARES.over(world.weights))
    # A model that makes no mistake is left with the entropy of the data.
    for (data, _), betas in zip(GAUSSIANS, CHAINS, strict=True):
        model = Exact(data, betas)
        yield matches(once(averaged, data, betas, model), {}, data.entropy(), moments_along(data, betas, model)[1])

    yield for_all(data=pairs, step=tame_steps, x_t=near, model=models, examples=10)(
        lambda data, step, x_t, model: close(total, given(data, step, model, x_t=x_t), loss(data, step, model, x_t))
    )
    yield for_all(data=pairs, step=tame_steps, x_t=near, examples=20)(
        lambda data, step, x_t: matches(
            loss_of(minimiser, data, step), given(data, step, MODELS[0], x_t=x_t), *information(data, step, x_t)
        )
    )
    yield for_all(data=gaussians, step=tame_steps)(
        lambda data, step: matches(
            gaussian, letters(data, step, v_0=data.variance), *information_from_variances(data, step)
        )
    )
    yield for_all(data=pairs, betas=schedules, model=models, examples=5)(
        lambda data, betas, model: matches(once(averaged, data, betas, model), {}, *value_and_size(data, betas, model))
    )


# One step


def given(world, step, model, **more):
    """The letters of the page, with a model for t = 1."""
    before, after = world.marginal(step.alpha_bar_prev), world.marginal(step.alpha_bar)

    def posterior(x_prev, x_t):
        return np.exp(before.log_density(x_prev) + log_step(step, x_prev, x_t) - after.log_density(x_t))

    known = {
        "posterior": posterior,
        "model": lambda x_prev, x_t: normal(x_prev, model.mean(x_t, 1), model.variance(1)),
        "I": lambda x_t: information(world, step, x_t)[0],
        "I_0": before.entropy() - entropy(1 - step.alpha_bar_prev),
    }
    if "x_t" in more:
        known["predicted_x_0"] = world.posterior(step.alpha_bar, more["x_t"]).mean
    return letters(world, step, **known, **more)


def log_step(step, x_prev, x_t):
    return log_normal(x_t, sqrt(step.alpha) * x_prev, step.beta)


def entropy(variance):
    """Of a Gaussian."""
    return (np.log(2 * np.pi * variance) + 1) / 2


def left_with_both_ends(step):
    """The variance of x_{t-1} given x_0 and x_t."""
    return regressed(step, 0.0, 0.0)[1]


def information(world, step, x_t):
    """By how much the entropy of x_{t-1} falls once x_0 is known, at these x_t; and the size of the two."""
    open_, left = world.reverse_kernel(step, x_t).entropy(), entropy(left_with_both_ends(step))
    return open_ - left, np.abs(open_) + np.abs(left) + 1


def information_from_variances(data, step):
    """The same for Gaussian data."""
    kernel, left = data.reverse_kernel(step, 0.0).variance, left_with_both_ends(step)
    return np.log(kernel / left) / 2, 1.0 + data.variance


def information_in_space(step):
    """The same for Gaussian data in space, by matrices."""
    before = CLOUD.marginal(step.alpha_bar_prev).covariance
    after = step.alpha * before + step.beta * np.eye(3)
    kernel = before - step.alpha * before @ np.linalg.solve(after, before)
    volume, left = np.linalg.slogdet(kernel)[1] / 2, 3 * np.log(left_with_both_ends(step)) / 2
    return volume - left, np.linalg.cond(after) * (abs(volume) + abs(left))


def log_ratio(step, model, x_0, x_prev, x_t):
    """log q(x_{t-1} | x_t, x_0)/p(x_{t-1} | x_t)."""
    known = log_normal(x_prev, *regressed(step, x_0, x_t))
    return known - log_normal(x_prev, model.mean(x_t, 1), model.variance(1))


def loss(world, step, model, x_t):
    """Its mean given x_t, over x_0 and x_{t-1}."""
    scale, seen = 1 - step.alpha_bar_prev, world.marginal(step.alpha_bar)(x_t)

    def integrand(x_0, z):
        x_prev = sqrt(step.alpha_bar_prev) * x_0 + sqrt(scale) * z
        joint = world(x_0) * normal(z, 0.0, 1.0) * np.exp(log_step(step, x_prev, x_t)) / seen
        return joint * log_ratio(step, model, x_0, x_prev, x_t)

    return integral_over_plane(integrand)


def loss_of(kernel, world, step):
    """The loss at each x_t of a kernel in the place of the model, integrated over x_{t-1}."""

    def value(**at):
        law = world.reverse_kernel(step, at["x_t"])
        sigma = sqrt(law.variance)
        z = np.linspace(-12, 12, 1201).reshape(-1, *[1] * np.ndim(at["x_t"]))
        x_prev = law.mean + sigma * z
        unexplained = -np.log(kernel(**at | {"x_prev": x_prev}))
        return np.sum(law(x_prev) * unexplained, axis=0) * sigma * 0.02 - entropy(left_with_both_ends(step))

    return value


def compared(total, world, step, model):
    """On average over x_t, the logarithm of the ratio is the loss."""

    def of_cluster(m, v):
        def polynomial(z):
            x_0 = m + sqrt(v) * z[:, 0]
            x_prev = sqrt(step.alpha_bar_prev) * x_0 + sqrt(1 - step.alpha_bar_prev) * z[:, 1]
            return log_ratio(step, model, x_0, x_prev, sqrt(step.alpha) * x_prev + sqrt(step.beta) * z[:, 2])

        return polynomial

    seen = world.marginal(step.alpha_bar)
    x_t, h = np.linspace(seen.mean - 9 * sqrt(seen.variance), seen.mean + 9 * sqrt(seen.variance), 401, retstep=True)
    _, *null = moments_of_mixture(world.weights, [of_cluster(m, v) for m, v in clusters(world)], 3)
    claimed = cache(lambda: np.sum(seen(x_t) * total(**given(world, step, model, x_t=x_t))) * h)
    return lambda *path: moments(log_ratio(step, model, *path), claimed(), None, (*null, np.inf))


def clusters(world):
    """The means and the variances of the components."""
    return np.transpose(np.broadcast_arrays(world.means, world.variances))


def summed(formula):
    return lambda **at: np.sum(formula(**at))


# The whole path


def once(averaged, world, betas, model):
    """The whole bound, a number: it takes a while."""
    laws = [world.marginal(alpha_bar) for alpha_bar in np.concatenate([[1.0], np.cumprod(1 - np.array(betas))])]

    def backwards(x_prev, x_t, t):
        t = int(t)
        step = log_normal(x_t, sqrt(1 - betas[t - 1]) * x_prev, betas[t - 1])
        return np.exp(laws[t - 1].log_density(x_prev) + step - laws[t].log_density(x_t))

    at = {
        "T": len(betas),
        "seen": lambda x_t, t: laws[int(t)](x_t),
        "backwards": backwards,
        "models": lambda x_prev, x_t, t: normal(x_prev, model.mean(x_t, t), model.variance(t)),
        "start": model.start,
    }
    value = cache(lambda: averaged(**at))
    return lambda **_: value()


def moments_along(world, betas, model):
    """The moments of log q(x_{1:T} | x_0)/p(x_{0:T}), and the means of its terms, their signs left out."""

    def terms(m, v):
        return lambda z: np.array(list(log_terms(path_of(m + sqrt(v) * z[:, 0], betas, *z.T[1:]), betas, model)))

    def over_clusters(of):
        polynomials = [lambda z, logs=terms(m, v): of(logs(z)) for m, v in clusters(world)]
        return moments_of_mixture(world.weights, polynomials, len(betas) + 1)

    size = sum(abs(over_clusters(lambda logs, k=k: logs[k])[0]) for k in range(2 * len(betas) + 1))
    return over_clusters(lambda logs: np.sum(logs, axis=0)), size


def value_and_size(world, betas, model):
    (value, *_), size = moments_along(world, betas, model)
    return value, size


def along(bound, betas, model, null):
    """On average over paths, the logarithm of the ratio is the bound."""
    return lambda *path: moments(np.sum([*log_terms(path, betas, model)], axis=0), bound(), None, (*null, np.inf))
