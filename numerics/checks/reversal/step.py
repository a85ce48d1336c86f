r"""One step of the forward process in three worlds, and the reverse kernel as the product of its definitions.

The points are generic: no round numbers, no unit variance, no zero mean, where wrong formulas coincide with right ones.
"""

import numpy as np
from hypothesis import strategies as st
from numpy import sqrt

from ...statistics import Hermite, gauss_hermite, hermite
from ...worlds import Step, finite, gaussian, mixture, normal

CLUSTERS = mixture([0.31, 0.69], [-1.13, 1.47], [0.23, 0.41])
POINTS = [
    (gaussian(0.37, 1.83), Step(alpha=0.683, alpha_bar_prev=0.591)),
    (CLUSTERS, Step(alpha=0.547, alpha_bar_prev=0.743)),
    (finite([0.23, 0.46, 0.31], [-1.61, 0.29, 1.33]), Step(alpha=0.761, alpha_bar_prev=0.437)),
]
STEPS = [step for _, step in POINTS]
GAUSSIANS = [
    (gaussian(0.37, 1.83), Step(alpha=0.683, alpha_bar_prev=0.591)),
    (gaussian(-1.29, 0.31), Step(alpha=0.547, alpha_bar_prev=0.743)),
    (gaussian(2.17, 4.70), Step(alpha=0.871, alpha_bar_prev=0.329)),
]
SOME_X_T = np.array([-1.27, 0.19, 1.71])

SMALL_BETAS = 2.0 ** -np.arange(7, 13)  # 1 - beta is exact

between = st.floats(0.01, 0.99)
steps = st.builds(Step, alpha=between, alpha_bar_prev=between)
tame_steps = st.builds(Step, alpha=st.floats(0.2, 0.9), alpha_bar_prev=st.floats(0.1, 0.9))
gaussians = st.builds(gaussian, st.floats(-3, 3), st.floats(0.05, 9))
pairs = st.builds(
    lambda m, v, w: mixture([w, 1 - w], [m, -m / 2], [v, v / 3]),
    st.floats(-2, 2),
    st.floats(0.1, 4),
    st.floats(0.1, 0.9),
)

SQUARES = Hermite(degree=2)  # where no score of Gaussian draws is of higher degree


def estimator(world):
    """For Gaussian data all is polynomial in the noise; for others, nodes for the noise, component by component."""
    return hermite if len(world.weights) == 1 else gauss_hermite.over(world.weights)


def letters(world, step, **more):
    """The letters of the chapter in a world: its step, the laws of x_{t-1} and x_t, and whatever else is given."""
    laws = {"prior": world.marginal(step.alpha_bar_prev), "marginal": world.marginal(step.alpha_bar)}
    return {"alpha": step.alpha, "alpha_bar_prev": step.alpha_bar_prev, "data": world, **laws, **more}


def reverse_kernel(world, step, x_t):
    """q(x_t | x_{t-1}) q_{t-1}(x_{t-1}): the reverse kernel as a function of x_{t-1}, up to its normaliser."""
    prior = world.marginal(step.alpha_bar_prev)
    return lambda x_prev: prior(x_prev) * normal(x_t, sqrt(step.alpha) * x_prev, step.beta)
