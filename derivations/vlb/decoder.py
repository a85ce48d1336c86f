r"""The last step ends on 256 grey values: each has the part of a Gaussian that is nearest to it.

.. math:: p(x_0\mid x_1)=\int_{\delta_-(x_0)}^{\delta_+(x_0)}\mathcal N(u;\ \mu,\sigma_1^2)\,du,\qquad
          \delta_\pm(x)=x\pm\tfrac1{255},\quad x_0\in\Bigl\{\tfrac{2k}{255}-1:\ k=0,\dots,255\Bigr\},

where the first bin begins at :math:`-\infty` and the last ends at :math:`+\infty`. The bins touch, so the probabilities
sum to one, whatever the mean and the variance; without the open ends they lack what the Gaussian has beyond white and
black, and with the density in the place of the integral they sum to nothing in particular. In d dimensions the
coordinates are independent.

References:
    Ho, Jain & Abbeel (2020), Denoising diffusion probabilistic models, eq. (13).
"""

from sympy import Integer, Integral, Rational, Sum, erf, oo, sqrt

from ..calculus import (
    algebra,
    by_parts,
    d,
    differentiation,
    eq,
    limit,
    naturals,
    normal,
    positives,
    reals,
    telescope,
    tends_to,
    theorem,
    units,
)
from ..claim import Claim

# Notation: k counts the grey values from black; s runs through a bin.

mu = reals(r"\mu")
variance = positives("v")
k, s = naturals("k"), units("s")

black, white, half = Integer(-1), Integer(1), Rational(1, 255)
grey = 2 * k / 255 - 1


def below(u):
    """The probability that the Gaussian is below u."""
    return (1 + erf((u - mu) / sqrt(2 * variance))) / 2


# Statement

inside = below(grey + half) - below(grey - half)
first = below(black + half)
last = 1 - below(white - half)


def bin_of(inside=inside):
    """A grey value has the integral of the density over its bin; s says where in the bin."""
    place = grey - half + 2 * half * s
    yield Integral(2 * half * normal(place, mu, variance), (s, 0, 1))
    yield eq(inside, by=by_parts(below(place), s))


def open_to_the_right(last=last):
    """The last bin has no upper end: as the Gaussian moves up, it gains at its lower end and loses nowhere ..."""
    yield d(mu, last)
    yield eq(normal(white - half, mu, variance), by=differentiation)


def from_nothing(last=last):
    """... and it began with nothing."""
    yield last
    yield tends_to(0, mu, -oo, by=limit())


def open_to_the_left(first=first):
    """The first bin has no lower end, and loses at its upper one."""
    yield d(mu, first)
    yield eq(-normal(black + half, mu, variance), by=differentiation)


def bins_touch(inside=inside):
    """Where one bin ends the next one begins, so that of their sum the ends are left ..."""
    yield Sum(inside, (k, 1, 254))
    yield eq(below(white - half) - below(black + half), by=telescope)


def one_in_all(first=first, last=last):
    """... and with the first and the last bin all adds up to one."""
    yield first + Sum(below(grey + half) - below(grey - half), (k, 1, 254)) + last
    yield eq(first + below(white - half) - below(black + half) + last, by=theorem(bins_touch))
    yield eq(1, by=algebra)


def with_half_width(half):
    """The three formulas for bins of another width."""
    return {
        "inside": below(grey + half) - below(grey - half),
        "first": below(black + half),
        "last": 1 - below(white - half),
    }


def with_variance(v):
    """The three formulas for another variance."""
    return {name: formula.xreplace({variance: v}) for name, formula in with_half_width(half).items()}


density = 2 * half * normal(grey, mu, variance)

CLAIMS = [
    Claim(
        "vlb.discretised-decoder",
        "The decoder gives each of 256 grey values what a Gaussian has nearest to it; with open ends these sum to one.",
        proved_by=(bin_of, open_to_the_right, from_nothing, open_to_the_left, bins_touch, one_in_all),
        evidence="S Q P",
        assumes="256 grey values 2k/255 - 1",
        source="Ho et al. (2020) eq. 13",
        tier="extended",
        mistakes={
            "bin-1-127.5": with_half_width(2 * half),
            "no-open-ends": {"first": inside.xreplace({k: Integer(0)}), "last": inside.xreplace({k: Integer(255)})},
            "density-times-width": {
                "inside": density,
                "first": density.xreplace({k: Integer(0)}),
                "last": density.xreplace({k: Integer(255)}),
            },
            "sigma-squared-as-scale": with_variance(variance**2),
        },
        because={
            "bin-1-127.5": "the step from one grey value to the next is taken for half the width of a bin",
            "density-times-width": "what the integral is if the bin is narrow beside the Gaussian, which it is not",
            "sigma-squared-as-scale": "a routine that asks for the standard deviation is handed the variance",
        },
    ),
]
