r"""What tries to refute the page on the parts of the KL term.

Divergences of codes from the prior, integrated over the plane of x and z, for clusters and encoders with a bend; for
Gaussian data, from means and variances. The optimum of the linear VAE is climbed to, and looked at in all its latents.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import strategies as st

from ...quadrature import integral_over_plane
from ...statistics import close, for_all, matches
from ...worlds import gaussian, mixture, normal
from .collapse import WORLDS, covariance, top
from .principal import Eigenvalues


@dataclass(frozen=True, eq=False)
class Code:
    """An encoder N(z; slope x + bend tanh x, variance), and the codes of all data under it."""

    data: Any
    slope: float
    bend: float
    variance: float

    def encoder(self, z, x):
        return normal(z, self.slope * x + self.bend * np.tanh(x), self.variance)

    def __call__(self, z):
        """The density of the codes of all data, by the trapezoidal rule."""
        u = np.linspace(-3.7, 3.7, 241)
        x, weights = np.sinh(u), np.cosh(u) * (u[1] - u[0])
        return np.sum(self.encoder(np.asarray(z)[..., None], x) * self.data(x) * weights, axis=-1)

    def log_density(self, z):
        return np.log(self(z))


CODES = [
    (Code(mixture([0.3, 0.7], [-1.1, 0.9], [0.43, 0.28]), 0.71, 0.53, 0.37), gaussian(0.23, 1.31)),
    (Code(mixture([0.57, 0.43], [0.71, -0.93], [0.37, 0.62]), -0.47, 1.29, 0.19), gaussian(-0.31, 0.83)),
]
SOME_Z = np.array([-1.71, -0.33, 0.62, 2.03])

signed, sizes, gaps = st.floats(-1.5, 1.5), st.floats(0.4, 2), st.floats(0.4, 1)


def elbo_surgery(information, gap, at_optimum, aggregate_at_optimum):
    """The KL term of codes; its parts for Gaussian ones, by their moments; and of all latents at the top of a climb."""
    for code, prior in CODES:
        yield close(lambda **at: information(**at) + gap(**at), letters(code, prior), kl_term(code, prior))
    for spectrum, k, sigma in WORLDS:
        at, codes = optimum(spectrum, k, sigma)
        yield matches(at_optimum, at, *whole(*codes))
        yield matches(at_optimum, at, *carried(*codes))
        for spread in np.diag(codes[0] + np.diag(codes[1])):
            yield matches(aggregate_at_optimum, {"z": SOME_Z}, normal(SOME_Z, 0.0, spread))

    @for_all(mean=signed, slope=signed, centre=signed, v=sizes, s=sizes, tau=sizes, examples=3)
    def information_of_gaussians(mean, slope, centre, v, s, tau):
        at = letters(Code(gaussian(mean, v), slope, 0.0, s), gaussian(centre, tau))
        return matches(information, at, (np.log(slope**2 * v + s) - np.log(s)) / 2, magnitude=1 + abs(np.log(s)))

    yield information_of_gaussians

    @for_all(mean=signed, slope=signed, centre=signed, v=sizes, s=sizes, tau=sizes, examples=20)
    def gap_of_gaussians(mean, slope, centre, v, s, tau):
        at, spread = letters(Code(gaussian(mean, v), slope, 0.0, s), gaussian(centre, tau)), slope**2 * v + s
        terms = np.array([(slope * mean - centre) ** 2, spread, -tau, -tau * np.log(spread / tau)])
        return matches(gap, at, np.sum(terms) / (2 * tau), magnitude=np.sum(np.abs(terms)) / tau)

    yield gap_of_gaussians

    @for_all(first=gaps, second=gaps, last=gaps, examples=5)
    def climbs(first, second, last):
        at, codes = optimum((first + second + last, second + last, last), 2, np.sqrt(last + second / 2))
        return matches(at_optimum, at, *whole(*codes))

    yield climbs


def letters(code, prior):
    """The letters of the page: laws, and the encoder as a function of z and x."""
    return {"data": code.data, "prior": prior, "encoder": code.encoder, "aggregate": code}


def kl_term(code, prior):
    """How far codes are from the prior, over the plane of x and of what the encoder adds to its mean."""

    def integrand(x, noise):
        z = code.slope * x + code.bend * np.tanh(x) + noise
        log_encoder = -(noise**2) / (2 * code.variance) - np.log(2 * np.pi * code.variance) / 2
        return code.data(x) * normal(noise, 0.0, code.variance) * (log_encoder - prior.log_density(z))

    return integral_over_plane(integrand, (code.data.mean, 0.0), (1.0, np.sqrt(code.variance)))


def optimum(spectrum, k, sigma):
    """The letters at the optimum; there, the covariance of the encoder's means, and its variances."""
    _, encoder, variances = top(spectrum, k, sigma)
    at = {"lam": Eigenvalues(np.array(spectrum)), "k": k, "sigma": sigma}
    return at, (encoder @ covariance(spectrum) @ encoder.T, variances)


def whole(means, variances):
    """The KL term, averaged over the data, and the size of its terms."""
    terms = [*np.diag(means), *variances, -len(variances), *-np.log(variances)]
    return np.sum(terms) / 2, np.sum(np.abs(terms))


def carried(means, variances):
    """The mutual information of Gaussian data and their codes: the entropies of all codes and of the code of one."""
    terms = [np.linalg.slogdet(means + np.diag(variances))[1], *-np.log(variances)]
    return np.sum(terms) / 2, 1 + np.sum(np.abs(terms))
