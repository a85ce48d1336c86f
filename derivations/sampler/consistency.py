r"""A consistency function takes a point to the end of its trajectory, in one step: on the line, to its quantile.

Let :math:`f(u,\sigma)` be the point at the level :math:`\varepsilon` of the trajectory of the probability flow that
passes through u at the level :math:`\sigma`. It is constant along trajectories, and :math:`f(u,\varepsilon)=u`. On the
line no trajectory overtakes another, and what is below one stays below it:

.. math:: F_\varepsilon(f(u,\sigma))=F_\sigma(u),\qquad F_\sigma(u)=P(x_0+\sigma\bar\epsilon\le u) .

So f is the increasing map between quantiles, and carries :math:`p(\cdot;\sigma)` to :math:`p(\cdot;\varepsilon)`. For
Gaussian data

.. math:: f(u,\sigma)=m_0+(u-m_0)\sqrt{\frac{v_0+\varepsilon^2}{v_0+\sigma^2}} .

It is not the denoiser, which is the mean of where u may have come from, and shrinks distances by
:math:`v_0/(v_0+\sigma^2)`, without a root. A network F is made to meet the boundary by

.. math:: f=c_{\mathrm{skip}}u+c_{\mathrm{out}}F,\qquad
          c_{\mathrm{skip}}=\frac{\sigma_d^2}{(\sigma-\varepsilon)^2+\sigma_d^2},\qquad
          c_{\mathrm{out}}=\frac{\sigma_d(\sigma-\varepsilon)}{\sqrt{\sigma_d^2+\sigma^2}} .

With :math:`\varepsilon=0` these are the coefficients of Karras et al. for data of the standard deviation
:math:`\sigma_d`: the gain of the denoiser, and the standard deviation of what it leaves.

References:
    Song, Dhariwal, Chen & Sutskever (2023), Consistency models, section 3, appendix C.
    Weng (2021), What are diffusion models?, "Consistency models".
"""

from sympy import Integer, Rational, erf, log, sqrt

from ..calculus import (
    E,
    RealFunction,
    Var,
    algebra,
    completing_the_square,
    d,
    definition,
    differentiation,
    eq,
    gaussian_moments,
    granted,
    gt,
    integral,
    let,
    normal,
    pointwise,
    positives,
    positivity,
    reals,
    rearranging,
    taylor,
    theorem,
    under_the_integral,
    up_to,
)
from ..claim import Claim
from ..edm.denoiser import WORLD as NOISED
from ..edm.denoiser import (
    added,
    data,
    denoised,
    guess,
    marginalisation,
    noised,
    score_from_the_denoiser,
    sigma,
    u,
    x_0,
)
from .gaussian import WORLD as TRAJECTORY
from .gaussian import along, denoiser, flow, m_0, v_0

# Notation: epsilon is the level where trajectories end, `rise` what sigma is above it; F(u) is the part of the law
# that is below u; a point moves by h a while the level rises by h.

epsilon, rise, sigma_d, h = positives(r"\varepsilon \kappa \sigma_d h")
a, noise = reals(r"a \bar\epsilon")
F = RealFunction("F", [u], at=[sigma])
spread = (1 + erf((u - x_0) / (sqrt(2) * sigma))) / 2  # the part below u of what noise makes of x_0
part_below = definition("the part below u", {F: integral(spread * data, x_0)})
leibniz = granted("differentiating under the integral", "Leibniz's rule, by dominated convergence")

# Statement

velocity = (u - denoised) / sigma
end = m_0 + (u - m_0) * sqrt((v_0 + epsilon**2) / (v_0 + sigma**2))
skip = sigma_d**2 / ((sigma - epsilon) ** 2 + sigma_d**2)
out = sigma_d * (sigma - epsilon) / sqrt(sigma_d**2 + sigma**2)


# Any data, on the line


def at_a_moving_point():
    """The part below a moving point changes with the level, and with the place; ..."""
    yield F(u + h * a, sigma + h) - F
    yield up_to(h * (d(sigma, F) + a * d(u, F)), h, 2, by=taylor())


def with_the_place():
    """with the place by the density, ..."""
    yield d(u, F)
    yield eq(d(u, integral(spread * data, x_0)), by=part_below)
    yield eq(integral(d(u, spread) * data, x_0), by=leibniz)
    yield eq(integral(added * data, x_0), by=pointwise(differentiation))
    yield eq(noised, by=marginalisation)


def with_the_level():
    """... and with the level by its slope, as heat does: ..."""
    yield d(sigma, F)
    yield eq(d(sigma, integral(spread * data, x_0)), by=part_below)
    yield eq(integral(d(sigma, spread) * data, x_0), by=leibniz)
    yield eq(integral((x_0 - u) / sigma * added * data, x_0), by=pointwise(differentiation))
    yield eq(sigma * d(u, integral(added * data, x_0)), by=under_the_integral(u))
    yield eq(sigma * d(u, noised), by=marginalisation)


def with_the_score(velocity=velocity):
    """the flow follows the score, ..."""
    yield let(denoised, E(guess, x_0))
    yield velocity
    yield eq(-sigma * d(u, log(noised)), by=rearranging(score_from_the_denoiser))


def keeps_its_quantile(velocity=velocity):
    """... and along it both cancel: what noise brings from above to below, the flow takes back."""
    yield let(denoised, E(guess, x_0))
    yield d(sigma, F) + velocity * d(u, F)
    yield eq(sigma * d(u, noised) + velocity * d(u, F), by=theorem(with_the_level))
    yield eq(sigma * d(u, noised) + velocity * noised, by=theorem(with_the_place))
    yield eq(sigma * d(u, noised) - sigma * d(u, log(noised)) * noised, by=rearranging(score_from_the_denoiser))
    yield eq(0, by=differentiation)


# Gaussian data


def constant_along_trajectories(end=end):
    """For Gaussian data this is constant along every trajectory of the flow ..."""
    yield d(sigma, end.xreplace({u: along}))
    width, shrunk = sqrt(v_0 + sigma**2), sqrt(v_0 + epsilon**2)
    yield eq(shrunk * (d(sigma, along) / width - sigma * (along - m_0) / width**3), by=differentiation)
    moved = (along - denoiser(along)) / sigma
    yield eq(shrunk * (moved / width - sigma * (along - m_0) / width**3), by=flow)
    yield eq(0, by=algebra)


def meets_the_boundary(end=end):
    """... and is the point itself at the end: ..."""
    yield let(sigma, epsilon)
    yield end
    yield eq(u, by=algebra)


def mean_at_the_end(end=end):
    """... it carries the law at any level to that at the end, by its mean ..."""
    yield E(normal(u, m_0, v_0 + sigma**2), end)
    yield eq(m_0, by=gaussian_moments)


def variance_at_the_end(end=end):
    """... and its variance."""
    yield Var(normal(u, m_0, v_0 + sigma**2), end)
    yield eq(v_0 + epsilon**2, by=gaussian_moments)


def more_than_the_denoiser(end=end):
    """The denoiser shrinks distances by more, at every level."""
    yield d(u, end) ** 2 - d(u, denoiser(u)) ** 2
    yield eq((v_0 * sigma**2 + epsilon**2 * (v_0 + sigma**2)) / (v_0 + sigma**2) ** 2, by=differentiation)
    yield gt(0, by=positivity)


# Coefficients that meet the boundary


def keeps_the_point(skip=skip):
    """At the boundary all of the point is kept ..."""
    yield let(sigma, epsilon)
    yield skip
    yield eq(1, by=algebra)


def nothing_of_the_network(out=out):
    """... and nothing of the network is added; ..."""
    yield let(sigma, epsilon)
    yield out
    yield eq(0, by=algebra)


def gain_of_the_denoiser(skip=skip):
    """above it, what is kept is what the denoiser keeps at a level that is lower by epsilon ..."""
    yield let(sigma, epsilon + rise)
    yield normal(u, x_0, rise**2) * normal(x_0, 0, sigma_d**2)
    left = sigma_d**2 * rise**2 / (sigma_d**2 + rise**2)
    yield eq(normal(x_0, skip * u, left) * normal(u, 0, sigma_d**2 + rise**2), by=completing_the_square(x_0))


def what_it_leaves(out=out):
    """... and what is added is as large as what the denoiser leaves, times the part of the way to the boundary."""
    yield let(sigma, epsilon + rise)
    gain = sigma_d**2 / (sigma_d**2 + sigma**2)
    left = Var(normal(x_0, 0, sigma_d**2) * normal(noise, 0, 1), x_0 - gain * (x_0 + sigma * noise))
    yield (rise / sigma) ** 2 * left
    yield eq(out**2, by=gaussian_moments)


CLAIMS = [
    Claim(
        "sampler.consistency-function",
        "On the line the probability flow keeps quantiles, so that one step to its end is the map between them; for "
        "Gaussian data it scales by a ratio of widths, as no denoiser does; and two coefficients meet the boundary.",
        proved_by=(
            at_a_moving_point,
            with_the_place,
            with_the_level,
            with_the_score,
            keeps_its_quantile,
            constant_along_trajectories,
            meets_the_boundary,
            mean_at_the_end,
            variance_at_the_end,
            more_than_the_denoiser,
            keeps_the_point,
            nothing_of_the_network,
            gain_of_the_denoiser,
            what_it_leaves,
        ),
        evidence="S Q P B",
        assumes="u is x_0 with noise of the level sigma, which is epsilon at the end, epsilon > 0; a smooth positive "
        "density on the line",
        source="Song et al. (2023) section 3, appendix C; Weng (2021)",
        tier="extended",
        mistakes={
            "denoiser": {"end": denoiser(u)},
            "to-zero": {"end": end.xreplace({epsilon: Integer(0)})},
            "edm-coefficients": {
                "skip": skip.xreplace({epsilon: Integer(0)}),
                "out": out.xreplace({epsilon: Integer(0)}),
            },
            "no-shift": {"out": out.xreplace({epsilon: Integer(0)})},
        },
        because={
            "denoiser": "both are called one-step predictions of the data; one is an average, the other a point",
            "to-zero": "where the denoiser, and the flow without a last level, would end",
            "edm-coefficients": "those of a denoiser, whose boundary is at zero",
            "no-shift": "the point is kept at the boundary, and the network is still added to it",
        },
    ),
]

# The world of the page on denoisers: two clusters, and the part of them below u; and of the page on Gaussian data.


def part(mean, variance):
    return (1 + erf((u - mean) / sqrt(2 * (variance + sigma**2)))) / 2


PART = Rational(3, 10) * part(-1, Rational(1, 2)) + Rational(7, 10) * part(Rational(3, 2), Rational(4, 5))
WORLD = TRAJECTORY | NOISED | {F: PART}
