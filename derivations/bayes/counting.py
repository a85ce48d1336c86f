r"""Coins: a likelihood is not a density of its parameter, and Beta priors stay Beta.

A coin shows 1 with probability :math:`\theta`. A sequence of n tosses with k ones has the probability
:math:`\theta^k(1-\theta)^{n-k}`, and k ones in any order have

.. math:: p(k\mid\theta)=\binom nk\theta^k(1-\theta)^{n-k},\qquad \int_0^1p(k\mid\theta)\,d\theta=\frac1{n+1}.

Summed over k this is one; integrated over :math:`\theta` it is not. Before :math:`\theta` is known, all n + 1 counts
are equally likely, which is how Bayes found the integral. A prior :math:`\mathrm{Beta}(a,b)` becomes
:math:`\mathrm{Beta}(a+k,\,b+n-k)`: it counts like a ones and b zeros that were seen before.

References:
    Bayes (1763), An essay towards solving a problem in the doctrine of chances.
    Bishop (2006), Pattern recognition and machine learning, section 2.1.1.
"""

from sympy import Integer, Integral, Symbol, beta, binomial

from ..calculus import by_induction, by_parts, definition, eq, factorials, linearity, positives, units
from ..claim import Claim
from .rule import likelihood_is_a_density_of_x

# Notation: k ones and m zeros in n tosses

theta, (a, b) = units(r"\theta"), positives("a b")
k, m, n = (Symbol(name, integer=True, nonnegative=True) for name in "kmn")
WHERE = {n: k + m}


def over_theta(f):
    """The integral of f over all coins."""
    return Integral(f, (theta, 0, 1))


def density(a, b):
    """The density of Beta(a, b)."""
    return theta ** (a - 1) * (1 - theta) ** (b - 1) / beta(a, b)


sequence = theta**k * (1 - theta) ** (n - k)
euler = definition(
    "B(a, b), an integral",
    {beta(u, v): over_theta(theta ** (u - 1) * (1 - theta) ** (v - 1)) for u, v in ((a, b), (a + k, b + m))},
)

# Statement

area = 1 / (n + 1)
ones, zeros = a + k, b + n - k
evidence = beta(a + k, b + n - k) / beta(a, b)


def no_ones():
    """Only zeros: the integral is elementary."""
    yield over_theta((1 - theta) ** m)
    yield eq(1 / (m + 1), by=by_parts(-((1 - theta) ** (m + 1)) / (m + 1), theta))


def one_more_one():
    """A one in the place of a zero does not change the integral."""
    both = k + m + 1
    yield binomial(both, k + 1) * over_theta(theta ** (k + 1) * (1 - theta) ** m)
    yield eq(
        (k + 1) / (m + 1) * binomial(both, k + 1) * over_theta(theta**k * (1 - theta) ** (m + 1)),
        by=by_parts(-(theta ** (k + 1)) * (1 - theta) ** (m + 1) / (m + 1) * binomial(both, k + 1), theta),
    )
    yield eq(binomial(both, k) * over_theta(theta**k * (1 - theta) ** (m + 1)), by=factorials)


def area_under_the_likelihood(area=area):
    """So all the integrals are that of n zeros."""
    yield over_theta(binomial(n, k) * sequence)
    yield eq(binomial(n, k) * over_theta(sequence), by=linearity)
    yield eq(area, by=by_induction(k, first=no_ones, next=one_more_one, along={m: m + 1}))


def posterior(ones=ones, zeros=zeros):
    """What was seen is added to what was believed."""
    yield sequence * density(a, b) / over_theta(sequence * density(a, b))
    joint = theta ** (a + k - 1) * (1 - theta) ** (b + n - k - 1)
    yield eq(joint / over_theta(joint), by=linearity)
    yield eq(density(ones, zeros), by=euler)


def evidence_of_a_sequence(evidence=evidence):
    """The normaliser of the posterior over that of the prior."""
    yield over_theta(sequence * density(a, b))
    yield eq(over_theta(theta ** (a + k - 1) * (1 - theta) ** (b + n - k - 1)) / beta(a, b), by=linearity)
    yield eq(evidence, by=euler)


CLAIMS = [
    Claim(
        "bayes.likelihood-not-density",
        "A likelihood integrates to one over x, not over θ: the binomial one, over θ, to 1/(n + 1).",
        proved_by=(area_under_the_likelihood, likelihood_is_a_density_of_x),
        assumes="k ones and n - k zeros, whole numbers",
        source="the note; Bayes (1763)",
        mistakes={
            "integrates-to-one": {"area": Integer(1)},
            "one-over-n": {"area": 1 / n},
            "ordered-count": {"area": beta(k + 1, n - k + 1)},
        },
        because={
            "integrates-to-one": "p(x | θ) is called a density, and so it is, of x",
            "ordered-count": "the area for one sequence; there are as many as n choose k",
        },
    ),
    Claim(
        "bayes.beta-bernoulli",
        "A Beta(a, b) prior and k ones of n give Beta(a + k, b + n - k), with evidence B(a + k, b + n - k)/B(a, b).",
        proved_by=(posterior, evidence_of_a_sequence),
        evidence="S Q P",
        assumes="an ordered sequence; a, b > 0",
        source="Bishop (2006) section 2.1.1",
        tier="extended",
        mistakes={
            "counts-swapped": {"ones": a + n - k, "zeros": b + k},
            "count-evidence": {"evidence": binomial(n, k) * evidence},
            "minus-one": {"ones": a + k - 1, "zeros": b + n - k - 1},
        },
        because={
            "count-evidence": "right for the number of ones, too large for the sequence",
            "minus-one": "the exponents of the density are taken for its parameters",
        },
    ),
]
