r"""What tries to refute the page on coins: integrals over the unit interval, and Polya's urn."""

from math import comb, prod

from hypothesis import strategies as st

from ...quadrature import integral_over_unit
from ...statistics import close, for_all, matches

COUNTS = [(2, 5), (7, 3), (0, 4), (3, 1)]  # ones and zeros
PRIORS = [(1.37, 0.71), (0.46, 2.19), (3.83, 1.64), (0.83, 0.58)]

shapes, counts = st.floats(0.2, 8), st.integers(0, 12)


def likelihood_not_density(area):
    """The likelihood of k ones among n tosses, integrated over all coins."""
    for k, m in COUNTS:
        yield close(area, letters(k, m), integral_over_unit(lambda x, rest, k=k, m=m: comb(k + m, k) * x**k * rest**m))


def beta_bernoulli(ones, zeros, evidence):
    """Two moments of the posterior and the evidence: as integrals, and by Polya's urn for all priors and counts."""

    def mean(**at):
        return ones(**at) / (ones(**at) + zeros(**at))

    def doubt(**at):
        """The mean of theta (1 - theta) under Beta(ones, zeros)."""
        return mean(**at) * zeros(**at) / (ones(**at) + zeros(**at) + 1)

    for (k, m), (a, b) in zip(COUNTS, PRIORS, strict=True):
        at = letters(k, m, a, b)
        yield close(mean, at, quotient((a + k + 1, b + m), (a + k, b + m)))
        yield close(doubt, at, quotient((a + k + 1, b + m + 1), (a + k, b + m)))
        yield close(evidence, at, quotient((a + k, b + m), (a, b)))
    some = {"a": shapes, "b": shapes, "k": counts, "m": counts}
    for formula, more in ((mean, (1, 0)), (doubt, (1, 1))):
        yield for_all(**some)(
            lambda a, b, k, m, formula=formula, more=more: matches(
                formula, letters(k, m, a, b), urn(a, b, k + more[0], m + more[1]) / urn(a, b, k, m)
            )
        )
    yield for_all(**some)(lambda a, b, k, m: matches(evidence, letters(k, m, a, b), urn(a, b, k, m)))


def letters(k, m, a=1.0, b=1.0):
    return {"a": a, "b": b, "k": k, "m": m, "n": k + m}


def quotient(above, below):
    """The integral of theta^(u-1) (1 - theta)^(v-1) for one pair (u, v) over that for another."""
    above, below = (
        integral_over_unit(lambda x, rest, u=u, v=v: x ** (u - 1) * rest ** (v - 1)) for u, v in (above, below)
    )

    def rule(nodes):
        (top, magnitude), (bottom, _) = above(nodes), below(nodes)
        return top / bottom, magnitude / bottom

    return rule


def urn(a, b, k, m):
    """The probability of k ones, then m zeros, from an urn with weights a and b in which each draw adds its like."""
    drawn = [a + i for i in range(k)] + [b + j for j in range(m)]
    return prod(weight / (a + b + i) for i, weight in enumerate(drawn))
