r"""What tries to refute the page on the forward step: the step simulated, integrated, and repeated.

The formulas are those of one step, and of all steps so far. Here steps are taken one at a time.
"""

import numpy as np
from hypothesis import strategies as st
from numpy import sqrt

from ...quadrature import integral_of, integral_over_plane
from ...statistics import both, close, for_all, hermite, law, matches, moments, standardised_by
from ...worlds import Step, finite, gaussian, mixture, normal, point

POINTS = [
    (gaussian(0.37, 1.83), Step(alpha=0.683, alpha_bar_prev=0.591)),
    (mixture([0.31, 0.69], [-1.13, 1.47], [0.23, 0.41]), Step(alpha=0.547, alpha_bar_prev=0.743)),
    (finite([0.23, 0.46, 0.31], [-1.61, 0.29, 1.33]), Step(alpha=0.761, alpha_bar_prev=0.437)),
]
SOME_X_0, SOME_X_T = np.array([0.83, -0.57, 1.19]), np.array([-1.27, 0.19, 1.71])
CHAINS = [np.array([0.83, 0.641]), np.array([0.587, 0.912, 0.739]), np.array([0.947, 0.463, 0.871])]  # alphas

between, numbers = st.floats(0.01, 0.99), st.floats(-5, 5)
steps = st.builds(Step, alpha=between, alpha_bar_prev=between)
chains = st.lists(between, min_size=2, max_size=8).map(np.array)
data_laws = st.builds(
    lambda m, v, w: mixture([w, 1 - w], [m, -m / 2], [v, v / 3]), st.floats(-3, 3), st.floats(0.05, 9), between
)


def kernel(mean, variance, recursion):
    """A step, simulated from what goes in; its law from a point, and from any data by the moments of both."""
    for world, step in POINTS:
        by = hermite.over(world.weights)
        yield from both(world.forward(step), whitened(mean, variance, step), by)
        yield from both(world.forward(step), spread(recursion, world, step), by)
    for formula, what in ((mean, "mean"), (variance, "variance")):
        yield for_all(step=steps, x_prev=numbers)(
            lambda step, x_prev, formula=formula, what=what: matches(
                formula, {"alpha": step.alpha, "x_prev": x_prev}, getattr(point(x_prev).marginal(step.alpha), what)
            )
        )

    def stepped(data, step):
        before = data.marginal(step.alpha_bar_prev)
        return matches(recursion, variances(data, step), before.marginal(step.alpha).variance)

    yield for_all(data=data_laws, step=steps)(stepped)
    # Data of unit variance keep it: the step is what it is because of this.
    yield for_all(step=steps)(lambda step: matches(recursion, {"alpha": step.alpha, "v_prev": 1.0}, 1.0))


def marginal(mean, variance):
    """Two steps integrated over what lies between them, three over a plane; any number by moments, and by draws."""

    def density(**at):
        return normal(at["x_t"], mean(**at), variance(**at))

    for alphas in CHAINS:
        at = letters(alphas, x_0=SOME_X_0, x_t=SOME_X_T)
        yield close(density, at, chained(alphas, SOME_X_0, SOME_X_T))
        world = mixture([0.31, 0.69], [-1.13, 1.47], 0.41)
        yield from both(world.path(alphas), arrived(mean, variance, alphas), by=hermite.over(world.weights))
    for k, formula in enumerate((mean, variance)):
        yield for_all(alphas=chains, x_0=numbers)(
            lambda alphas, x_0, k=k, formula=formula: matches(
                formula, letters(alphas, x_0=x_0), stepwise(alphas, x_0, 0.0)[k], magnitude=(abs(x_0), 1.0)[k]
            )
        )


# One step


def variances(data, step):
    return {"alpha": step.alpha, "v_prev": data.marginal(step.alpha_bar_prev).variance}


def whitened(mean, variance, step):
    """Given x_{t-1}, the standardised x_t is N(0, 1)."""

    def scores(x_0, x_prev, x_t):
        at = {"alpha": step.alpha, "x_prev": x_prev}
        return law(standardised_by(x_t, mean(**at), variance(**at)), given=(x_prev,))

    return scores


def spread(recursion, world, step):
    """x_t has the variance that the recursion says; the world knows its moments."""
    after = world.marginal(step.alpha_bar)

    def scores(x_0, x_prev, x_t):
        return moments(x_t, after.mean, recursion(**variances(world, step)), after.central_moments())

    return scores


# Many steps


def letters(alphas, **more):
    """The last step, and all steps before it."""
    return {"alpha": alphas[-1], "alpha_bar_prev": np.prod(alphas[:-1]), **more}


def stepwise(alphas, mean, variance):
    """The mean and variance of x_t, one step after another."""
    for alpha in alphas:
        mean, variance = sqrt(alpha) * mean, alpha * variance + (1 - alpha)
    return mean, variance


def chained(alphas, x_0, x_t):
    """q(x_t | x_0) as the integral of the steps over all that lies between."""

    def step(x, y, k):
        return normal(y, sqrt(alphas[k]) * x, 1 - alphas[k])

    if len(alphas) == 2:
        return integral_of(lambda x: step(x_0, x, 0) * step(x, x_t, 1), centre=0 * x_t, width=1.0)
    return integral_over_plane(
        lambda x, y: step(x_0, x, 0) * step(x, y, 1) * step(y, x_t, 2), (0 * x_t, 0 * x_t), (1.0, 1.0)
    )


def arrived(mean, variance, alphas):
    """Given x_0, the standardised end of the chain is N(0, 1)."""

    def scores(x_0, *xs):
        at = letters(alphas, x_0=x_0)
        return law(standardised_by(xs[-1], mean(**at), variance(**at)), given=(x_0,))

    return scores
