r"""What tries to refute the page on Gaussians: log ratios of densities, integrated and simulated, in one to four
dimensions.

The logarithm of a Gaussian is a square, whose mean under another one a few Gauss-Hermite nodes give exactly.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from hypothesis import strategies as st
from numpy import array, exp, sqrt

from ...quadrature import integral_of, integral_over_plane, mean_of, settled, variance_of
from ...statistics import above, below, both, close, for_all, hermite, limit, matches, moments
from ...worlds import gaussian, normal


def grid(d, n):
    """Gauss-Hermite nodes (n^d, d) and weights (n^d,) for d standard normal numbers: exact up to degree 2 n - 1."""
    x, w = np.polynomial.hermite_e.hermegauss(n)
    nodes, weights = (np.stack(np.meshgrid(*[each] * d, indexing="ij"), axis=-1).reshape(-1, d) for each in (x, w))
    return nodes, np.prod(weights / np.sum(w), axis=-1)


@dataclass(frozen=True, eq=False)
class Pair:
    """N(mean, L L^T) and N(other_mean, K K^T)."""

    mean: np.ndarray
    L: np.ndarray
    other_mean: np.ndarray
    K: np.ndarray

    @property
    def d(self):
        return len(self.mean)

    @property
    def letters(self):
        """The numbers of which the page speaks."""
        first, second, apart = self.L @ self.L.T, self.K @ self.K.T, self.other_mean - self.mean
        return {
            "dim": self.d,
            "trace": np.trace(np.linalg.solve(second, first)),
            "square": apart @ np.linalg.solve(second, apart),
            "square_1": apart @ np.linalg.solve(first, apart),
            "det_1": np.linalg.det(first),
            "det_2": np.linalg.det(second),
        }

    @cached_property
    def laws(self):
        return gaussian(self.mean, self.L @ self.L.T), gaussian(self.other_mean, self.K @ self.K.T)

    def log_ratio(self, x):
        """Of the two densities at x, (..., d)."""
        first, second = self.laws
        return first.log_density(x) - second.log_density(x)

    def draw(self, rng, draws):
        """From the first law."""
        return (self.mean + np.sum(self.L * rng.standard_normal((draws, 1, self.d)), axis=-1),)

    def integral(self):
        """The mean of the log ratio, on the line or in the plane."""
        first, _ = self.laws
        spread = sqrt(np.diag(self.L @ self.L.T))

        def integrand(*coordinates):
            x = np.stack(np.broadcast_arrays(*coordinates), axis=-1)
            return first(x) * self.log_ratio(x)

        if self.d == 1:
            return integral_of(integrand, self.mean[0], spread[0])
        return integral_over_plane(integrand, tuple(self.mean), tuple(spread))

    def averaged(self, f):
        """The mean under the first law of a polynomial up to degree 9."""
        nodes, weights = grid(self.d, 5)
        return np.sum(weights * f(self.mean + nodes @ self.L.T))

    def divergence(self):
        """The mean of the log ratio, and the size of its terms, for matrices that are nearly singular."""
        size = self.d + self.averaged(lambda x: np.abs(self.log_ratio(x)))
        return self.averaged(self.log_ratio), size * np.linalg.cond(self.K) ** 2 * np.linalg.cond(self.L) ** 2

    def null(self):
        """The second and the fourth central moment of the log ratio."""
        mean, _ = self.divergence()
        away = lambda x: self.log_ratio(x) - mean
        return self.averaged(lambda x: away(x) ** 2), self.averaged(lambda x: away(x) ** 4), np.inf


POINTS = [
    Pair(array([0.37]), array([[1.27]]), array([-0.83]), array([[0.71]])),
    Pair(array([-1.19]), array([[0.58]]), array([0.41]), array([[1.63]])),
    Pair(
        array([0.37, -1.19]),
        array([[1.27, 0.0], [-0.41, 0.83]]),
        array([0.71, -0.23]),
        array([[0.67, 0], [0.29, 1.13]]),
    ),
    Pair(
        array([-0.57, 0.88]), array([[0.73, 0.0], [0.58, 1.31]]), array([0.33, 1.49]), array([[1.41, 0], [-0.36, 0.49]])
    ),
    Pair(
        array([0.29, -0.76, 1.07, -0.33]),
        array([[1.13, 0, 0, 0], [0.37, 0.71, 0, 0], [-0.22, 0.46, 0.94, 0], [0.51, -0.17, 0.28, 1.21]]),
        array([-0.61, 0.34, 0.88, 0.45]),
        array([[0.87, 0, 0, 0], [-0.31, 1.16, 0, 0], [0.43, 0.19, 0.78, 0], [0.14, -0.39, 0.52, 0.93]]),
    ),
]
SPREADS = [(0.57, 1.39), (1.83, 0.74), (0.91, 1.17)]  # of p and of q, around zero
MODELS = [  # x, mu_0, tau, sigma; a, b
    (1.13, 0.37, 1.29, 0.83, 0.64, 0.47),
    (-0.59, -1.71, 0.64, 1.47, -1.13, 0.83),
    (2.31, 0.43, 1.71, 0.57, 1.37, 1.91),
]

numbers, sizes = st.floats(-1.5, 1.5), st.floats(0.5, 2)
triple = st.tuples(numbers, numbers, numbers).map(array)
triangle = st.builds(lambda s, o: np.diag(s) + np.tril(o, -1), st.tuples(sizes, sizes, sizes), triple)
pairs = st.builds(Pair, triple, triangle, triple, triangle)


def kl_gaussian(divergence):
    """The mean of log p/q under p: integrated on the line and in the plane, by nodes, and simulated."""
    for pair in POINTS:
        if pair.d <= 2:
            yield close(divergence, pair.letters, pair.integral())
        yield matches(divergence, pair.letters, *pair.divergence())
    for pair in POINTS[::2]:
        yield from both(pair.draw, averaging(divergence, pair.letters, pair.log_ratio, pair.null()), by=hermite)
    yield for_all(pair=pairs, examples=30)(lambda pair: matches(divergence, pair.letters, *pair.divergence()))


def kl_asymmetry(asymmetry):
    """The two divergences, integrated together; the narrow law is closer to the wide one, and none if they are one."""

    def difference(sigma_p, sigma_q):
        p, q = gaussian(0.0, sigma_p**2), gaussian(0.0, sigma_q**2)
        return integral_of(lambda z: (p(z) + q(z)) * (p.log_density(z) - q.log_density(z)), width=max(sigma_p, sigma_q))

    for sigma_p, sigma_q in SPREADS:
        at, same = {"sigma_p": sigma_p, "sigma_q": sigma_q}, {"sigma_p": sigma_p, "sigma_q": sigma_p}
        yield close(asymmetry, at, difference(sigma_p, sigma_q))
        yield (below if sigma_p < sigma_q else above)(asymmetry, at, 0.0, strict=True)
        yield matches(asymmetry, same, 0.0, magnitude=1.0)
    yield for_all(sigma_p=sizes, ratio=st.floats(1.2, 3))(
        lambda sigma_p, ratio: close(
            asymmetry, {"sigma_p": sigma_p, "sigma_q": ratio * sigma_p}, difference(sigma_p, ratio * sigma_p)
        )
    )


def gaussian_model(bound, mean, variance, evidence, curvature):
    """The mean of log p(x, z)/q(z) under q; where it is largest, how large it is there, and how it bends."""

    def evidence_itself(**at):
        return exp(evidence(**at))

    def largest(**at):
        """The bound at the a and the b of the claim."""
        return exp(bound(**at | {"a": mean(**at), "b": variance(**at)}))

    for point in MODELS:
        model = Model(*point)
        at, joint = model.letters, model.joint
        yield close(bound, at, model.integral(model.a, model.b))
        yield from both(model.draw, averaging(bound, at, model.log_ratio, model.null()), by=hermite)
        yield close(mean, at, mean_of(joint, centre=model.x))
        yield close(variance, at, variance_of(joint, centre=model.x))
        yield close(evidence_itself, at, integral_of(joint, centre=model.x))
        yield close(largest, at, integral_of(joint, centre=model.x))
        yield below(bound, at, np.log(settled(integral_of(joint, centre=model.x))), strict=True)
        yield limit(curvature, at, model.second_difference, (0.8, 0.4, 0.2))

    def regressed(k, formula):
        def statement(model):
            gain = model.tau**2 / (model.tau**2 + model.sigma**2)
            found = model.mu_0 + gain * (model.x - model.mu_0), gain * model.sigma**2
            size = abs(model.mu_0) + abs(model.x), model.tau**2
            return matches(formula, model.letters, found[k], magnitude=size[k])

        return statement

    yield for_all(model=models)(lambda model: matches(bound, model.letters, *model.expected()))
    yield for_all(model=models)(regressed(0, mean))
    yield for_all(model=models)(regressed(1, variance))
    yield for_all(model=models)(
        lambda model: below(bound, model.letters, evidence(**model.letters), magnitude=model.expected()[1])
    )


@dataclass(frozen=True)
class Model:
    """z is N(mu_0, tau^2), x given z is N(z, sigma^2), and q is N(a, b)."""

    x: float
    mu_0: float
    tau: float
    sigma: float
    a: float
    b: float

    @property
    def letters(self):
        return vars(self)

    def joint(self, z):
        return normal(z, self.mu_0, self.tau**2) * normal(self.x, z, self.sigma**2)

    def log_ratio(self, z, a=None, b=None):
        """Of the joint density and q."""
        law, blur = gaussian(self.mu_0, self.tau**2), gaussian(0.0, self.sigma**2)
        q = gaussian(self.a if a is None else a, self.b if b is None else b)
        return law.log_density(z) + blur.log_density(self.x - z) - q.log_density(z)

    def draw(self, rng, draws):
        return (self.a + sqrt(self.b) * rng.standard_normal(draws),)

    def integral(self, a, b):
        """The mean of the log ratio under N(a, b)."""
        return integral_of(lambda z: normal(z, a, b) * self.log_ratio(z, a, b), a, sqrt(b))

    def second_difference(self, h):
        """Of that integral in a, over h^2."""
        rules = [self.integral(self.a + step, self.b) for step in (h, 0.0, -h)]

        def rule(nodes):
            values, sizes = zip(*(each(nodes) for each in rules), strict=True)
            return (values[0] - 2 * values[1] + values[2]) / h**2, (sizes[0] + 2 * sizes[1] + sizes[2]) / h**2

        return rule

    def averaged(self, f):
        nodes, weights = grid(1, 5)
        return np.sum(weights * f(self.a + sqrt(self.b) * nodes[:, 0]))

    def expected(self):
        """The mean of the log ratio, and the size of its terms."""
        return self.averaged(self.log_ratio), 4 + self.averaged(lambda z: np.abs(self.log_ratio(z)))

    def null(self):
        mean, _ = self.expected()
        away = lambda z: self.log_ratio(z) - mean
        return self.averaged(lambda z: away(z) ** 2), self.averaged(lambda z: away(z) ** 4), np.inf


models = st.builds(Model, numbers, numbers, sizes, sizes, numbers, sizes)


def averaging(formula, at, log_ratio, null):
    """The log ratio of a draw has this mean."""
    return lambda draw: moments(log_ratio(draw), formula(**at), None, null)
