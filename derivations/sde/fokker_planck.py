r"""The density of a diffusion flows with the drift and spreads with the noise; a family of others carries it back.

.. math:: \partial_tq_t=-\nabla\!\cdot(f\,x\,q_t)+\tfrac12g^2\,\Delta q_t .

Backwards in time the same densities are those of a whole family of processes, one for each :math:`\lambda\ge0`,

.. math:: dx=\Bigl[f\,x-\tfrac{1+\lambda^2}2\,g^2\,\nabla\log q_t(x)\Bigr]dt+\lambda g\,d\bar w .

With :math:`\lambda=1` it is Anderson's reverse diffusion, with :math:`\lambda=0` the probability-flow ODE, which has
half of the score and no noise. The noise that is put in has to be taken out again by the score.

What is proved is said of one short step: up to the second order in its length, the mean of every smooth function
:math:`\varphi` changes as it does under this equation. Derivations are of one coordinate; in d dimensions the noise is
isotropic, and both sides are sums over coordinates.

References:
    Risken (1984), The Fokker-Planck equation.
    Anderson (1982), Reverse-time diffusion equation models.
    Song et al. (2021), Score-based generative modeling through stochastic differential equations, eqs. (6), (13), (35).
"""

from sympy import Integer, Rational, exp, sqrt

from ..calculus import (
    Cov,
    E,
    RealFunction,
    algebra,
    by_parts,
    d,
    definition,
    differentiation,
    eq,
    gaussian_moments,
    integral,
    let,
    linearity,
    normal,
    positives,
    reals,
    taylor,
    theorem,
    units,
    up_to,
)
from ..claim import Claim
from .moments import WORLD as MOMENTS
from .moments import a, b, f, fresh, g, marginal, mean_rate, noise, score, t, variance_rate, x

# Notation: a step of the length h = k^2, with the drift u and the noise v at x, changes the mean of phi.

u, v, first, second, third = reals(r"u v \varphi' \varphi'' \varphi'''")
k = positives("k")
lam = reals(r"\lambda")
phi = RealFunction(r"\varphi", [x])
beta = positives(r"\beta")

m, m_1, m_2 = reals("m m_1 m_2")
c, c_1, c_2 = positives("c c_1 c_2")
w = units("w")
moments = definition("the moments of the diffusion", {d(t, a): mean_rate, d(t, b): variance_rate / (2 * b)})

# Statement

rate = -d(x, f * x * marginal) + g**2 / 2 * d(x, d(x, marginal))
drift = f * x - (1 + lam**2) / 2 * g**2 * score


def forwards(mean, variance):
    """The law of x_t from data of this mean and this variance, if they are Gaussian."""
    return normal(x, a * mean, a**2 * variance + b**2)


def gaussian_marginal(rate=rate):
    """Gaussian data, moved and widened, have a density that changes at this rate, ..."""
    yield d(t, forwards(m, c))
    yield eq(rate.xreplace({marginal: forwards(m, c)}), by=moments)


def mixture_marginal(rate=rate):
    """... and so do mixtures, whose weights do not change.  For any data:"""
    mixture = w * forwards(m_1, c_1) + (1 - w) * forwards(m_2, c_2)
    yield d(t, mixture)
    yield eq(rate.xreplace({marginal: mixture}), by=moments)


def short_step():
    """From x on, a short step moves the mean of a function along its slope, and by its curvature."""
    yield let(first, d(x, phi))
    yield let(second, d(x, d(x, phi)))
    yield let(third, d(x, d(x, d(x, phi))))
    yield E(noise, phi(x + k**2 * u + k * v * fresh))
    series = phi + k * v * fresh * first + k**2 * (u * first + v**2 * fresh**2 * second / 2)
    series += k**3 * (u * v * fresh * second + v**3 * fresh**3 * third / 6)
    yield up_to(E(noise, series), k, 4, by=taylor("the fourth derivative of φ is bounded"))
    yield eq(phi + k**2 * (u * first + v**2 * second / 2), by=gaussian_moments)


def over_all_places(rate=rate):
    """With u = fx and v = g, and on average over x_t, the mean of φ changes as if the density had this rate."""
    yield E(marginal, f * x * d(x, phi) + g**2 / 2 * d(x, d(x, phi)))
    once = f * x * phi * marginal + g**2 / 2 * d(x, phi) * marginal
    yield eq(integral(-phi * d(x, f * x * marginal) - g**2 / 2 * d(x, phi) * d(x, marginal), x), by=by_parts(once, x))
    twice = -phi * d(x, f * x * marginal) + g**2 / 2 * phi * d(x, d(x, marginal))
    yield eq(integral(twice, x), by=by_parts(-(g**2) / 2 * phi * d(x, marginal), x))
    yield eq(integral(phi * rate, x), by=linearity)


# Backwards


def same_rate(drift=drift):
    """Backwards the drift carries the density away, and noise spreads it there as well: what is left is the rate."""
    yield -d(x, drift * marginal) - (lam * g) ** 2 / 2 * d(x, d(x, marginal))
    yield eq(rate, by=differentiation)


def a_step_back(drift=drift):
    """A short step back, with the drift turned round for u and λg for v, undoes what the step forwards did to φ."""
    yield E(marginal, -drift * d(x, phi) + (lam * g) ** 2 / 2 * d(x, d(x, phi)))
    spread = (lam * g) ** 2 / 2 * (d(x, phi) * marginal - phi * d(x, marginal))
    yield eq(
        -integral(phi * (-d(x, drift * marginal) - (lam * g) ** 2 / 2 * d(x, d(x, marginal))), x),
        by=by_parts(spread - drift * phi * marginal, x),
    )
    yield eq(-integral(phi * rate, x), by=theorem(same_rate))


def anderson(drift=drift):
    """With λ = 1, f = -β/2 and g^2 = β, which preserve the variance, it is Anderson's: half of x, and the score; ..."""
    yield -drift.xreplace({lam: Integer(1), f: -beta / 2, g: sqrt(beta)})
    yield eq(beta * (x / 2 + score), by=algebra)


def probability_flow(drift=drift):
    """... with λ = 0, it is a velocity: half of the score carries the density where the noise would have spread it."""
    yield -d(x, drift.xreplace({lam: Integer(0)}) * marginal)
    yield eq(rate, by=differentiation)


def gaussian_mean(drift=drift):
    """For a Gaussian the mean moves as it does forwards, ..."""
    yield E(normal(x, m, c), drift.xreplace({score: -(x - m) / c}))
    yield eq(f * m, by=gaussian_moments)


def gaussian_variance(drift=drift):
    """... and so does the variance: noise backwards is taken off its rate."""
    yield 2 * Cov(normal(x, m, c), x, drift.xreplace({score: -(x - m) / c})) - (lam * g) ** 2
    yield eq(2 * f * c + g**2, by=gaussian_moments)


CLAIMS = [
    Claim(
        "sde.fokker-planck",
        "The density of dx = f x dt + g dw changes at the rate -div(f x q) + g^2/2 Laplace q; Gaussian and mixture "
        "marginals satisfy it.",
        proved_by=(gaussian_marginal, mixture_marginal, short_step, over_all_places),
        evidence="S Q",
        assumes="q_t is smooth and falls off fast; a rate is known by what it does to the means of smooth functions",
        source="Risken (1984); Song et al. (2021), eq. 35",
        mistakes={
            "no-half": {"rate": -d(x, f * x * marginal) + g**2 * d(x, d(x, marginal))},
            "drift-sign": {"rate": d(x, f * x * marginal) + g**2 / 2 * d(x, d(x, marginal))},
            "non-conservative": {"rate": -f * x * d(x, marginal) + g**2 / 2 * d(x, d(x, marginal))},
        },
        because={
            "no-half": "g^2 is the variance of the noise, and half of it spreads",
            "non-conservative": "the density is carried along, and not squeezed: that loses mass",
        },
    ),
    Claim(
        "sde.reverse-and-pf-ode",
        "Backwards in time, the noise lambda g and the drift f x - (1 + lambda^2)/2 g^2 score keep the marginals, for "
        "every lambda: 1 is Anderson's diffusion, 0 the probability flow.",
        proved_by=(short_step, same_rate, a_step_back, anderson, probability_flow, gaussian_mean, gaussian_variance),
        evidence="S Q M B",
        assumes="q_t is smooth and falls off fast; the exact score",
        source="Anderson (1982); Song et al. (2021), eqs. 6 and 13",
        mistakes={
            "full-score-in-ode": {"drift": f * x - g**2 * score},
            "half-score-in-sde": {"drift": f * x - g**2 * score / 2},
            "lambda-not-squared": {"drift": f * x - (1 + lam) / 2 * g**2 * score},
            "sign": {"drift": f * x + (1 + lam**2) / 2 * g**2 * score},
            "g-not-squared": {"drift": f * x - (1 + lam**2) / 2 * g * score},
        },
        because={
            "full-score-in-ode": "the drift of the reverse diffusion, for every lambda",
            "half-score-in-sde": "the drift of the probability flow, for every lambda",
            "lambda-not-squared": "right for 0 and for 1, and for nothing else",
        },
    ),
]

# A world for the witness: two clusters, and a function with a bump.

WORLD = MOMENTS | {phi: x + exp(-((x - 1) ** 2) / 2) * Rational(1, 2)}
