r"""The evidence lower bound: log p(x) is what any q(z | x) makes of it, and the divergence of q from the posterior.

.. math:: \log p(x)=\mathcal L(q)+D_{KL}\bigl(q(z\mid x)\,\|\,\pi(z\mid x)\bigr),\qquad
          \mathcal L(q)=\mathbb E_q[\log p(x,z)-\log q(z\mid x)].

Densities of the latent z are written :math:`\pi`, those of x are written p. The left-hand side is one number; q divides
it into two. Nothing in :math:`\mathcal L` asks for the posterior or for p(x): that is what makes it useful.

References:
    Kingma & Welling (2013), Auto-encoding variational Bayes, eq. (1) to (3).
"""

from sympy import Rational, log

from ..calculus import KL, Density, E, definition, entropy, eq, linearity, normal, reals
from ..claim import Claim

# Notation

x, z = reals("x z")
joint, evidence = Density("p", [x, z]), Density("p", [x])
prior, likelihood = Density(r"\pi", [z]), Density("p", [x], given=[z])
posterior = Density(r"\pi", [z], given=[x])
q = Density("q", [z], given=[x])  # what one puts in the place of the posterior

model = definition("p(x, z) = p(x | z) π(z)", {joint: likelihood * prior})
bayes = definition("Bayes' rule", {posterior: joint / evidence})

# Statement

elbo = E(q, log(joint) - log(q))
gap = KL(q, posterior)
from_prior = E(q, log(likelihood)) - KL(q, prior)
from_entropy = E(q, log(joint)) + entropy(q)


def decomposition(bound=elbo, gap=gap):
    """One density put in, and taken out again: by Bayes' rule it divides log p(x) in two."""
    yield log(evidence)
    yield eq(E(q, log(evidence)), by=linearity)
    yield eq(E(q, log(joint) - log(posterior)), by=bayes)
    yield eq(E(q, log(joint) - log(q)) + E(q, log(q) - log(posterior)), by=linearity)
    yield eq(bound + gap, by=linearity)


def with_the_prior(from_prior=from_prior):
    """How well z explains x on average, less how far z is from what it was without x ..."""
    yield elbo
    yield eq(E(q, log(likelihood) + log(prior) - log(q)), by=model)
    yield eq(from_prior, by=linearity)


def with_the_entropy(from_entropy=from_entropy):
    """... or how well the two go together, and how many z there are to choose from."""
    yield elbo
    yield eq(from_entropy, by=linearity)


# A world for the witness: two clusters of z, seen through noise, and a q that knows neither.

blur = Rational(2, 3)
clusters = (Rational(3, 10), -1, Rational(1, 2)), (Rational(7, 10), Rational(3, 2), Rational(4, 5))
p_z = sum(w * normal(z, m, v) for w, m, v in clusters)
p_x = sum(w * normal(x, m, v + blur) for w, m, v in clusters)
WORLD = {
    prior: p_z,
    likelihood: normal(x, z, blur),
    joint: p_z * normal(x, z, blur),
    evidence: p_x,
    posterior: p_z * normal(x, z, blur) / p_x,
    q: normal(z, x / 2 + Rational(1, 3), Rational(3, 5)),
}

CLAIMS = [
    Claim(
        "elbo.decomposition",
        "log p(x) is the evidence lower bound of any q, and the divergence of q from the posterior.",
        proved_by=(decomposition,),
        evidence="S Q P",
        assumes="p(x) > 0; q vanishes where the posterior does",
        source="the note; Kingma & Welling (2013) eq. (1) and (2)",
        mistakes={
            "kl-swapped": {"gap": KL(posterior, q)},
            "prior-for-posterior": {"gap": KL(q, prior)},
            "entropy-dropped": {"bound": E(q, log(joint))},
            "sign": {"gap": -gap},
        },
        because={
            "kl-swapped": "the average is taken over the posterior, which is what one does not have",
            "prior-for-posterior": "the divergence that is written in the bound, and not the one that is lost by it",
        },
    ),
    Claim(
        "elbo.forms",
        "The bound is reconstruction less divergence from the prior, or the mean of log p(x, z) and the entropy of q.",
        proved_by=(with_the_prior, with_the_entropy),
        evidence="S Q P",
        assumes="a joint density of x and z; q vanishes where the prior does",
        source="Kingma & Welling (2013) eq. (3)",
        mistakes={
            "plus-kl": {"from_prior": E(q, log(likelihood)) + KL(q, prior)},
            "minus-entropy": {"from_entropy": E(q, log(joint)) - entropy(q)},
            "prior-counted-twice": {"from_prior": E(q, log(joint)) - KL(q, prior)},
        },
        because={"prior-counted-twice": "log p(x, z) already contains log p(z), the prior"},
    ),
]
