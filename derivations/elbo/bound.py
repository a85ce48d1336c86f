r"""The evidence lower bound: log p(x) is what any q(z | x) makes of it, and the divergence of q from the posterior.

.. math:: \log p(x)=\mathcal L(q)+D_{KL}\bigl(q(z\mid x)\,\|\,\pi(z\mid x)\bigr),\qquad
          \mathcal L(q)=\mathbb E_q[\log p(x,z)-\log q(z\mid x)].

Densities of the latent z are written :math:`\pi`, those of x are written p. The left-hand side is one number; q divides
it into two. Nothing in :math:`\mathcal L` asks for the posterior or for p(x): that is what makes it useful.

Divergences are not negative, so :math:`\mathcal L(q)\le\log p(x)`, with equality if and only if q is the posterior.
*Maximising the bound over q does not raise log p(x).* The sum of the two parts has no q in it: what the bound gains,
the divergence loses, and at the end the bound has come up to log p(x), which is where it was. "Maximising the bound
maximises log p(x)" is true of the parameters of the model, of p(x | z) and :math:`\pi(z)`, as far as q follows and
stays the posterior: these do move it.

References:
    Kingma & Welling (2013), Auto-encoding variational Bayes, eq. (1) to (3).
"""

from sympy import Integer, Rational, log, sqrt

from ..calculus import (
    KL,
    Density,
    E,
    algebra,
    d,
    definition,
    differentiation,
    entropy,
    eq,
    ge,
    integral,
    le,
    linearity,
    normal,
    normalised,
    positives,
    reals,
    rearranging,
    theorem,
    under_the_integral,
    using,
)
from ..claim import Claim
from .inequalities import distance_between_roots, gibbs
from .inequalities import p as first
from .inequalities import q as second

# Notation

x, z, phi, theta = reals(r"x z \phi \theta")
omega, r = positives(r"\omega r")
joint, evidence = Density("p", [x, z]), Density("p", [x])
prior, likelihood = Density(r"\pi", [z]), Density("p", [x], given=[z])
posterior = Density(r"\pi", [z], given=[x])
q = Density("q", [z], given=[x])  # what one puts in the place of the posterior

family = normal(z, phi, omega)  # some q, which its mean moves
shifted = normal(x, z + theta, r) * prior  # a model that its offset moves
mass = integral(shifted, z)

model = definition("p(x, z) = p(x | z) π(z)", {joint: likelihood * prior})
bayes = definition("Bayes' rule", {posterior: joint / evidence})

# Statement

elbo = E(q, log(joint) - log(q))
gap = KL(q, posterior)
from_prior = E(q, log(likelihood)) - KL(q, prior)
from_entropy = E(q, log(joint)) + entropy(q)

ceiling = log(evidence)
elbo_of_family, gap_of_family = E(family, log(joint) - log(family)), KL(family, posterior)
evidence_slope = Integer(0)  # in phi
model_slope = integral((x - z - theta) / r * shifted, z) / mass


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


def below_the_evidence(lower=elbo, upper=ceiling):
    """A divergence is not negative: the bound is one ..."""
    yield lower
    yield eq(log(evidence) - KL(q, posterior), by=rearranging(decomposition))
    yield le(log(evidence), by=using(gibbs, {first: q, second: posterior}))
    yield eq(upper, by=algebra)


def at_the_posterior(best=posterior):
    """... it is attained by the posterior ..."""
    yield integral(best * (log(joint) - log(best)), z)
    yield eq(integral(best * log(evidence), z), by=bayes)
    yield eq(log(evidence), by=normalised(posterior))


def nowhere_else():
    """... and by nothing else: any other q loses at least this."""
    yield log(evidence) - elbo
    yield eq(KL(q, posterior), by=rearranging(decomposition))
    yield ge(
        integral((sqrt(q) - sqrt(posterior)) ** 2, z), by=theorem(distance_between_roots, {first: q, second: posterior})
    )


def of_a_family():
    """Let q move: its bound and its divergence are two parts of one number ..."""
    yield elbo_of_family
    yield eq(E(family, log(evidence) + log(posterior) - log(family)), by=bayes)
    yield eq(log(evidence) - gap_of_family, by=linearity)


def against_each_other():
    """... and move against each other. What the bound gains, the divergence loses ..."""
    yield d(phi, elbo_of_family)
    yield eq(d(phi, log(evidence) - gap_of_family), by=theorem(of_a_family))
    yield eq(-d(phi, gap_of_family), by=differentiation)


def evidence_stays(evidence_slope=evidence_slope):
    """... and log p(x) stays where it is ..."""
    yield d(phi, elbo_of_family + gap_of_family)
    yield eq(d(phi, log(evidence)), by=theorem(of_a_family))
    yield eq(evidence_slope, by=differentiation)


def model_moves_it(model_slope=model_slope):
    """... unless the model moves: by what is left unexplained of x, on average over the posterior."""
    yield d(theta, log(mass))
    yield eq(d(theta, mass) / mass, by=differentiation)
    yield eq(model_slope, by=under_the_integral(theta))


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
    Claim(
        "elbo.tight-iff-posterior",
        "The bound is at most log p(x), and equal for the posterior alone; q moves the bound, and not log p(x).",
        proved_by=(
            below_the_evidence,
            at_the_posterior,
            nowhere_else,
            of_a_family,
            against_each_other,
            evidence_stays,
            model_moves_it,
        ),
        evidence="S Q P T",
        kind="inequality",
        assumes="p(x) > 0; q vanishes where the posterior does",
        source="the note; Kingma & Welling (2013) section 2.2",
        mistakes={
            "tight-at-prior": {"best": prior},
            "upper-bound": {"lower": ceiling, "upper": elbo},
            "q-moves-evidence": {"evidence_slope": d(phi, elbo_of_family)},
        },
        because={
            "tight-at-prior": "there the divergence written in the bound vanishes, and not the one that is lost",
            "q-moves-evidence": "the bound rises with q, and log p(x) is thought to rise with it; the bound only comes "
            "nearer, for log p(x) is an integral of the model, and no q occurs in it",
        },
    ),
]
