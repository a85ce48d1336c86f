r"""What tries to refute the page on preconditioning: regressions on u, enumerated and simulated.

What is asked of scales is a matter of second moments, and those of a finite data set with noise :math:`\pm\sigma` can
be counted. In space the variance is that of a coordinate, on average.
"""

from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st
from numpy import array, sqrt

from ...statistics import below, both, for_all, matches, moments, sampled, surely
from ...worlds import Mixture, gaussian, mixture
from ..parameterization.conversions import SPACE
from ..reversal.step import CLUSTERS, SQUARES
from ..vlb.quadratics import moments_of_mixture

CENTRED = mixture([0.25, 0.75], [-1.29, 0.43], [0.31, 0.57])
CENTRED_SPACE = mixture(
    [0.4, 0.6],
    [[-0.93, 0.42, 1.11], [0.62, -0.28, -0.74]],
    [
        [[0.53, 0.21, 0.0], [0.21, 0.34, -0.07], [0.0, -0.07, 0.71]],
        [[0.29, -0.11, 0.05], [-0.11, 0.61, 0.0], [0.05, 0.0, 0.43]],
    ],
)
WORLDS = [(gaussian(0.37, 1.83), 0.61), (CLUSTERS, 1.73), (SPACE, 0.47)]
WORLDS_AT_ZERO = [(gaussian(0.0, 1.83), 0.61), (CENTRED, 1.73), (CENTRED_SPACE, 0.47)]
CLOUDS = [(gaussian(0.0, 1.83), 0.61), (gaussian(0.0, 0.37), 1.73), (gaussian(np.zeros(3), 2.3), 0.47)]
NETWORK = array([1.3, 0.4, -0.7])  # tanh(1.3 z + 0.4) - 0.7

points = st.lists(st.floats(-3, 3), min_size=2, max_size=6, unique=True).map(array).filter(lambda x: np.std(x) > 0.1)
levels = st.floats(0.1, 5)


@dataclass(frozen=True)
class Noised:
    """A world with noise of a level upon it, and regression of the one on the other."""

    world: Mixture
    sigma: float

    @property
    def variance(self):
        """Of the data, per coordinate."""
        return np.trace(self.world.covariance) / len(self.world.covariance)

    @property
    def at(self):
        return {"sigma": self.sigma, "sigma_d": sqrt(self.variance)}

    @property
    def slope(self):
        return self.variance / (self.variance + self.sigma**2)

    @property
    def left(self):
        """The standard deviation of what the slope leaves open."""
        return sqrt((1 - self.slope) ** 2 * self.variance + self.slope**2 * self.sigma**2)

    def draw(self, rng, n):
        """Draws of x_0 and of u, both less the mean of the data."""
        x_0 = self.world.sample(rng, n).reshape(n, -1) - self.world.mean
        return x_0, x_0 + self.sigma * rng.standard_normal(x_0.shape)

    def averaged(self, product):
        """The moments of a quadratic function of x_0 and u, averaged over the coordinates."""
        dimension = len(self.world.covariance)
        means = self.world.means.reshape(len(self.world.weights), -1) - self.world.mean
        polynomials = []
        for k, mean in enumerate(means):
            root = np.linalg.cholesky(self.world.covariances[k % len(self.world.covariances)])

            def polynomial(z, mean=mean, root=root):
                x_0 = mean + z[:, :dimension] @ root.T
                return np.mean(product(x_0, x_0 + self.sigma * z[:, dimension:]), axis=-1)

            polynomials.append(polynomial)
        return (*moments_of_mixture(self.world.weights, polynomials, 2 * dimension)[1:], np.inf)


def preconditioning(c_in, c_skip, c_out):
    """Input and target are of unit size and the shortcut leaves nothing linear: simulated, and for all finite data."""
    for world, sigma in WORLDS:
        yield from both(*asked_for(c_in, c_skip, c_out, Noised(world, sigma)), by=SQUARES.over(world.weights))

    def found(formula, of):
        return for_all(data=points, sigma=levels)(
            lambda data, sigma: matches(formula, *counted(of, data, sigma), magnitude=10.0)
        )

    yield found(c_in, lambda x_0, u: 1 / np.std(u))
    yield found(c_skip, lambda x_0, u: (x_0 @ u) / (u @ u))
    yield found(c_out, lambda x_0, u: np.std(x_0 - u * (x_0 @ u) / (u @ u)))
    yield for_all(data=points, sigma=levels, shortcut=st.floats(-1, 2))(
        lambda data, sigma, shortcut: below(
            c_out, *counted(lambda x_0, u: np.std(x_0 - shortcut * u), data, sigma), magnitude=10.0
        )
    )


def weight(weight, loss_at_zero, best):
    """What errors cost, draw by draw; what silence costs; and what is left of Gaussian data for a network to say."""
    for world, sigma in WORLDS:
        yield surely(*costs(weight, Noised(world, sigma)))
    for world, sigma in WORLDS_AT_ZERO:
        yield sampled(*silence(weight, loss_at_zero, Noised(world, sigma)), resolves=1e-2)
    for world, sigma in CLOUDS:
        yield sampled(*left_to_say(best, Noised(world, sigma)), resolves=1e-2)


def asked_for(c_in, c_skip, c_out, noised):
    """The scale of the input is that of 1/u; the shortcut leaves c_out, and nothing that moves with u."""
    at = noised.at
    squares = noised.averaged(lambda x_0, u: u**2)
    residuals = noised.averaged(lambda x_0, u: (x_0 - noised.slope * u) ** 2)
    products = noised.averaged(lambda x_0, u: (x_0 - noised.slope * u) * u)

    def scores(x_0, u):
        rest = x_0 - c_skip(**at) * u
        rows = moments(np.mean(u**2, axis=-1), 1 / c_in(**at) ** 2, None, squares)
        rows += moments(np.mean(rest**2, axis=-1), c_out(**at) ** 2, None, residuals)
        return rows + moments(np.mean(rest * u, axis=-1), 0.0, None, products)

    return noised.draw, scores


def counted(of, data, sigma):
    """The letters of a data set, and a number found from all pairs of a point and a sign of the noise."""
    x_0 = np.repeat(data - np.mean(data), 2)
    return {"sigma": sigma, "sigma_d": np.std(data)}, of(x_0, x_0 + sigma * np.tile([-1.0, 1.0], len(data)))


def costs(formula, noised):
    """The weighed error of a denoiser is the error of the network in it."""

    def sides(x_0, u):
        c_skip, c_out = noised.slope, noised.left
        output = np.tanh(NETWORK[0] * u + NETWORK[1]) + NETWORK[2]
        denoised, target = c_skip * u + c_out * output, (x_0 - c_skip * u) / c_out
        cost, error = (np.sum(square, axis=-1) for square in ((denoised - x_0) ** 2, (output - target) ** 2))
        return formula(**noised.at) * cost, error, np.sum((np.abs(x_0) + np.abs(u)) ** 2, axis=-1) / c_out**2

    return noised.draw, sides


def silence(formula, loss_at_zero, noised):
    """The weighed error of the shortcut alone, per coordinate."""
    null = noised.averaged(lambda x_0, u: (x_0 - noised.slope * u) ** 2)

    def scores(x_0, u):
        square = np.mean((x_0 - noised.slope * u) ** 2, axis=-1)
        return moments(square, loss_at_zero(**noised.at) / formula(**noised.at), None, null)

    return noised.draw, scores


def left_to_say(best, noised):
    """The target has this mean, given u."""

    def scores(x_0, u):
        target = ((x_0 - noised.slope * u) / noised.left)[:, 0]
        return moments(target, best(**noised.at), None, (1.0, 3.0, 15.0), given=tuple(u.T))

    return noised.draw, scores
