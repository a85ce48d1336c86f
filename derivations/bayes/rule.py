r"""Bayes' rule: the posterior is the likelihood times the prior, divided by the evidence.

.. math::
    \pi(\theta\mid x)=\frac{p(x\mid\theta)\,\pi(\theta)}{p(x)},\qquad p(x)=\int p(x\mid\theta)\,\pi(\theta)\,d\theta .

A joint density comes apart in two ways, and the rule says that both are the same. Densities of :math:`\theta` are
written :math:`\pi`, those of x are written p. The evidence normalises: divided by it, and by nothing else, likelihood
times prior integrates to one over :math:`\theta`. The likelihood does so over x, for every :math:`\theta`; over
:math:`\theta` it need not, and the pages ``counting`` and ``flat`` say what it does.

References:
    Bishop (2006), Pattern recognition and machine learning, section 1.2.
"""

from sympy import Rational

from ..calculus import Density, RealFunction, definition, eq, integral, linearity, normal, normalised, reals, theorem
from ..claim import Claim

# Notation

x, theta = reals(r"x \theta")
joint = Density("p", [x, theta])
prior, likelihood = Density(r"\pi", [theta]), Density("p", [x], given=[theta])
marginal, conditional = Density("p", [x]), Density(r"\pi", [theta], given=[x])
peak = RealFunction("M", [x])  # the largest value of p(x | θ) π(θ) over θ

factors = definition("p(x, θ) = p(x | θ) π(θ)", {joint: likelihood * prior})
other_factors = definition("p(x, θ) = π(θ | x) p(x)", {conditional: joint / marginal})
marginalisation = definition("marginalisation", {marginal: integral(joint, theta)})

# Statement

posterior = likelihood * prior / marginal
evidence = integral(likelihood * prior, theta)


def rule(posterior=posterior):
    """The joint density, taken apart in the two ways."""
    yield conditional
    yield eq(joint / marginal, by=other_factors)
    yield eq(posterior, by=factors)


def total_probability(evidence=evidence):
    """The evidence is the likelihood, averaged over the prior."""
    yield marginal
    yield eq(integral(joint, theta), by=marginalisation)
    yield eq(evidence, by=factors)


def posterior_is_a_density():
    """Divided by the evidence, likelihood times prior integrates to one over θ."""
    yield integral(posterior, theta)
    yield eq(integral(likelihood * prior, theta) / marginal, by=linearity)
    yield eq(1, by=theorem(total_probability))


def likelihood_is_a_density_of_x():
    """The likelihood does so over x, whatever θ is."""
    yield integral(likelihood, x)
    yield eq(1, by=normalised(likelihood))


# A world for the witness: a Gaussian and its blurred image, where the mode is known.

spread, blur = Rational(3, 2), Rational(2, 3)
mode = (blur / 2 + spread * x) / (spread + blur)
WORLD = {
    prior: normal(theta, Rational(1, 2), spread),
    likelihood: normal(x, theta, blur),
    joint: normal(x, theta, blur) * normal(theta, Rational(1, 2), spread),
    marginal: normal(x, Rational(1, 2), spread + blur),
    conditional: normal(theta, mode, spread * blur / (spread + blur)),
    peak: normal(x, mode, blur) * normal(mode, Rational(1, 2), spread),
}

CLAIMS = [
    Claim(
        "bayes.rule",
        "The posterior is the likelihood times the prior over the evidence, which is their product integrated.",
        proved_by=(rule, total_probability, posterior_is_a_density, likelihood_is_a_density_of_x),
        evidence="S Q P",
        assumes="a joint density, p(x) > 0",
        source="the note; Bishop (2006) section 1.2",
        mistakes={
            "drop-prior": {"posterior": likelihood / integral(likelihood, theta)},
            "unnormalised": {"posterior": likelihood * prior},
            "evidence-is-max": {"evidence": peak},
            "prior-squared": {"posterior": likelihood * prior**2 / integral(likelihood * prior**2, theta)},
        },
        because={
            "drop-prior": "the likelihood is taken for the answer, which it is under a flat prior",
            "evidence-is-max": "the height of a peak is taken for its mass",
            "prior-squared": "the prior enters once more with every look at the same data",
        },
    )
]
