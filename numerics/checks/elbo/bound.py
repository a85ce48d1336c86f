r"""What tries to refute the page on the bound: models with latent Gaussians, latent clusters, and finitely many z.

A model is a law of z, seen through noise; q(z | x) is a mixture that follows x. Evidence, bound and divergence are
integrated over z one by one. Where z is one of finitely many, a spot on the line, all of them are short sums.
"""

from dataclasses import dataclass, replace

import numpy as np
from hypothesis import strategies as st
from numpy import array, exp, log, sqrt

from ...quadrature import integral_of, settled
from ...statistics import above, below, close, for_all, matches
from ...worlds import Mixture, finite, gaussian, mixture, normal
from .inequalities import at_the_spots, log_of, spots

SOME_X = array([-0.71, 0.23, 1.37])


@dataclass(frozen=True)
class Following:
    """The law of z given x that is this one, moved by x times a rate: as spread out everywhere."""

    law: Mixture
    rate: float = 0.0

    def __call__(self, z, x):
        return self.law(z - self.rate * x)

    def entropy(self):
        return self.law.entropy()


@dataclass(frozen=True)
class Model:
    """z from a prior, x = slope z + noise; and a q(z | x) whose components follow x at this rate."""

    prior: Mixture
    slope: float
    noise: float
    q: Mixture  # at x = 0
    follows: float

    @property
    def evidence(self):
        return self.prior.affine(self.slope, self.noise)

    def likelihood(self, x, z):
        return normal(x, self.slope * z, self.noise)

    def joint(self, x, z):
        return self.prior(z) * self.likelihood(x, z)

    def posterior(self, z, x):
        return self.joint(x, z) / self.evidence(x)

    def log_posterior(self, z, x):
        return self.prior.log_density(z) + log_normal(x, self.slope * z, self.noise) - self.evidence.log_density(x)

    def letters(self, x):
        laws = {"prior": self.prior, "evidence": self.evidence, "q": Following(self.q, self.follows)}
        return {"x": x, "likelihood": self.likelihood, "joint": self.joint, "posterior": self.posterior, **laws}

    def averaged(self, f, x):
        """E f(z) under q(z | x), z counted from where q is."""
        at = self.follows * x

        def integrand(u):
            return self.q(u) * f(at + u, self.q.log_density(u))

        return integral_of(integrand, centre=self.q.mean + 0 * x, width=sqrt(self.q.variance))

    def elbo(self, x):
        """E_q[log p(x, z) - log q(z | x)]."""
        return self.averaged(
            lambda z, log_q: self.prior.log_density(z) + log_normal(x, self.slope * z, self.noise) - log_q, x
        )

    def divergence(self, x):
        """KL(q(z | x) || posterior), the posterior in logarithms."""
        return self.averaged(lambda z, log_q: log_q - self.log_posterior(z, x), x)

    def log_evidence(self, x):
        """log p(x), the joint density integrated over z."""
        return log_of(
            integral_of(lambda z: self.joint(x, z), centre=self.prior.mean + 0 * x, width=sqrt(self.prior.variance))
        )


@dataclass(frozen=True)
class Finite:
    """One of finitely many z, x = z + noise; q has other weights, whatever x is."""

    prior: Mixture
    noise: float
    q: np.ndarray

    @property
    def terms(self):
        """The weights of the prior, and what z is."""
        return self.prior.weights, self.prior.means

    def log_joint(self, x):
        """log p(x, z) for each z, in a row in front."""
        weights, z = self.terms
        return log(weights)[:, None] + log_normal(x, z[:, None], self.noise)

    def log_posterior(self, x):
        return self.log_joint(x) - log(np.sum(exp(self.log_joint(x)), axis=0))

    def letters(self, x):
        weights, points = self.terms
        known, weighed, mean = spots(weights), spots(self.q), at_the_spots(points)
        evidence = self.prior.affine(1.0, self.noise)

        def likelihood(x, z):
            return normal(x, mean(z), self.noise)

        return {
            "x": x,
            "likelihood": likelihood,
            "prior": known,
            "joint": lambda x, z: likelihood(x, z) * known(z),
            "posterior": lambda z, x: likelihood(x, z) * known(z) / evidence(x),
            "evidence": evidence,
            "q": Following(weighed),
        }

    def averaged(self, values):
        """The mean under q of numbers for each z, and the size of what was added up."""
        return self.q @ values, self.q @ abs(values)

    def elbo(self, x):
        return self.averaged(self.log_joint(x) - log(self.q)[:, None])

    def divergence(self, x):
        return self.averaged(log(self.q)[:, None] - self.log_posterior(x))

    def log_evidence(self, x):
        value = log(np.sum(exp(self.log_joint(x)), axis=0))
        return value, 1 + abs(value)


MODELS = [
    Model(gaussian(0.37, 1.83), 1.29, 0.71, gaussian(0.23, 0.57), 0.41),
    Model(mixture([0.31, 0.69], [-1.13, 1.47], [0.43, 0.81]), 0.77, 0.63, gaussian(-0.29, 0.83), 0.53),
    Model(
        mixture([0.57, 0.43], [-0.71, 0.93], [0.37, 0.62]),
        -1.13,
        0.87,
        mixture([0.38, 0.62], [-0.47, 0.59], [0.64, 0.31]),
        -0.36,
    ),
]
FINITES = [
    Finite(finite([0.23, 0.46, 0.31], [-1.61, 0.29, 1.33]), 0.83, array([0.37, 0.22, 0.41])),
    Finite(finite([0.64, 0.36], [-0.57, 1.19]), 1.47, array([0.43, 0.57])),
    Finite(finite([0.17, 0.29, 0.41, 0.13], [-1.83, -0.31, 0.67, 2.11]), 0.69, array([0.12, 0.33, 0.26, 0.29])),
]

numbers, spreads = st.floats(-1.5, 1.5), st.floats(0.4, 2)
gaussians = st.builds(
    lambda m, v, slope, noise, a, b, follows: Model(gaussian(m, v), slope, noise, gaussian(a, b), follows),
    numbers, spreads, numbers, spreads, numbers, spreads, numbers,
)  # fmt: skip


def decomposition(bound, gap):
    """The two parts, each integrated and summed; their sum against log p(x), which knows nothing of q."""

    def total(**at):
        return bound(**at) + gap(**at)

    for model in MODELS:
        at = model.letters(SOME_X)
        yield close(total, at, model.log_evidence(SOME_X))
        yield close(bound, at, model.elbo(SOME_X))
        yield close(gap, at, model.divergence(SOME_X))
    for model in FINITES:
        at = model.letters(SOME_X)
        yield matches(total, at, *model.log_evidence(SOME_X))
        yield matches(bound, at, *model.elbo(SOME_X))
        yield matches(gap, at, *model.divergence(SOME_X))

    def every_gaussian(model, x):
        value, terms = model.evidence.log_density(x), abs(bound(**model.letters(x))) + abs(gap(**model.letters(x)))
        return matches(total, model.letters(x), value, magnitude=terms)

    yield for_all(model=gaussians, x=numbers, examples=50)(every_gaussian)


def forms(from_prior, from_entropy):
    """Both against the bound as it is defined: integrated, summed, and for all Gaussians in closed form."""
    for formula in (from_prior, from_entropy):
        for model in MODELS:
            yield close(formula, model.letters(SOME_X), model.elbo(SOME_X))
        for model in FINITES:
            yield matches(formula, model.letters(SOME_X), *model.elbo(SOME_X))
        yield for_all(model=gaussians, x=numbers, examples=50)(
            lambda model, x, formula=formula: matches(formula, model.letters(x), *elbo_of_gaussians(model, x))
        )


def tight_iff_posterior(lower, upper, best, evidence_slope, model_slope):
    """Below log p(x), strictly but for the posterior; what moves with the mean of a Gaussian q, and with the model."""

    def from_best(**at):
        """The bound, if this is q."""
        z, step = np.linspace(-24, 24, 2401, retstep=True)
        z = z[:, None]
        some, together = best(**at, z=z), at["joint"](at["x"], z)
        with np.errstate(all="ignore"):
            terms = some * (log(together) - log(some))
        return np.sum(np.where(some > 0, terms, 0.0), axis=0) * step

    for model in MODELS:
        at, elbo, value = model.letters(SOME_X), model.elbo(SOME_X), model.log_evidence(SOME_X)
        yield close(lower, at, elbo)
        yield close(upper, at, value)
        yield below(lower, at, settled(value), strict=True)
        yield above(upper, at, settled(elbo), strict=True)
        yield close(lower, {**at, "q": at["posterior"]}, value)
        yield close(from_best, at, value)
    for model in FINITES:
        at, (value, size) = model.letters(SOME_X), model.log_evidence(SOME_X)
        yield matches(lower, at, *model.elbo(SOME_X))
        yield below(lower, at, value, strict=True)
        yield matches(lower, {**at, "q": at["posterior"]}, value, magnitude=size)
        yield matches(from_best, at, value, magnitude=size)
    for model, phi, omega in zip(MODELS, (0.59, -0.83, 1.27), (0.47, 1.31, 0.73), strict=True):
        at = {**model.letters(SOME_X), "phi": phi, "omega": omega}
        yield matches(evidence_slope, at, *change(model, phi, omega, SOME_X))
        for theta in (0.43, -1.09):
            shifted = {"prior": model.prior, "x": SOME_X, "theta": theta, "r": model.noise}
            yield matches(model_slope, shifted, -model.prior.affine(1.0, model.noise).score(SOME_X - theta))

    def loss(**at):
        return upper(**at) - lower(**at)

    some = {"model": gaussians, "x": numbers}
    yield for_all(**some, examples=30)(lambda model, x: above(loss, model.letters(x), 0.0, magnitude=10.0))
    yield for_all(**some, examples=30)(
        lambda model, x: matches(from_best, model.letters(array([x])), model.evidence.log_density(x), magnitude=10.0)
    )
    yield for_all(**some, phi=numbers, omega=spreads, examples=30)(
        lambda model, x, phi, omega: matches(
            evidence_slope, {**model.letters(x), "phi": phi, "omega": omega}, *change(model, phi, omega, x)
        )
    )


def change(model, phi, omega, x, far=0.5):
    """How fast bound and divergence, added up, move as phi moves this far; and the size of what is added up."""
    values, sizes = [], []
    for moved in (phi + far, phi - far):
        at = replace(model, q=gaussian(moved, omega), follows=0.0)
        parts = [settled(rule) for rule in (at.elbo(x), at.divergence(x))]
        values.append(sum(parts))
        sizes.append(sum(map(abs, parts)))
    return (values[0] - values[1]) / (2 * far), (sizes[0] + sizes[1]) / far


def log_normal(x, mean, variance):
    return -((x - mean) ** 2) / (2 * variance) - log(2 * np.pi * variance) / 2


def elbo_of_gaussians(model, x):
    """The bound from means and variances, and the size of its terms."""
    m, v, a, b = model.prior.mean, model.prior.variance, model.q.mean + model.follows * x, model.q.variance
    seen = log_normal(x, model.slope * a, model.noise) - model.slope**2 * b / (2 * model.noise)
    terms = array([seen, log_normal(a, m, v), -b / (2 * v), log(2 * np.pi * np.e * b) / 2])
    return np.sum(terms), np.sum(abs(terms))
