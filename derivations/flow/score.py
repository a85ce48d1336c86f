r"""The velocity is the score, up to scale and a straight line: flow matching and diffusion train the same network.

For :math:`x_t=a\,x_1+b\,x_0` with noise :math:`x_0\sim\mathcal N(0,1)` and any data :math:`x_1`,

.. math:: u_t(x)=\frac{\dot a}a\,x+\Bigl(\frac{\dot a}a\,b^2-b\,\dot b\Bigr)s_t(x),\qquad s_t=\nabla\log p_t .

Both are linear in the one thing that is not known, the mean of :math:`x_1` given :math:`x_t`; so each gives the other,
wherever the signal is not constant in units of the noise. On straight paths, :math:`a=t` and :math:`b=1-t`, it is

.. math:: u_t(x)=\frac xt+\frac{1-t}t\,s_t(x),

and for a diffusion, in its own time, which runs from the data to the noise, it is the right-hand side of the
probability-flow ODE (see ``sde.fokker_planck``): where the variance is preserved, :math:`a^2+b^2=1` with
:math:`\dot a=-\tfrac12\beta a`, that is :math:`-\tfrac12\beta\,(x+s_t(x))`. Vectors are read one coordinate at a time.

References:
    Albergo, Boffi & Vanden-Eijnden (2023), Stochastic interpolants.
    Lipman, Chen, Ben-Hamu, Nickel & Le (2022), Flow matching for generative modeling, section 4.
    Song et al. (2021), Score-based generative modeling through stochastic differential equations.
"""

from sympy import Integer, log, sqrt

from ..calculus import (
    E,
    algebra,
    d,
    differentiation,
    eq,
    integral,
    let,
    linearity,
    positives,
    reals,
    rearranging,
    theorem,
    under_the_integral,
    units,
)
from ..claim import Claim
from ..sde import moments as diffusion
from ..sde.fokker_planck import drift, lam
from .velocity import (
    WORLD,
    a,
    a_dot,
    b,
    b_dot,
    bayes,
    data,
    guess,
    jump,
    marginal,
    marginalisation,
    path_velocity,
    score,
    t,
    x_1,
    x_t,
)

__all__ = ["CLAIMS", "WORLD"]

# Notation: of a diffusion, whose drift is f x and whose noise is g; and of one that preserves the variance.

f, g = reals("f g")
alpha_bar, beta = units(r"\bar\alpha"), positives(r"\beta")
in_our_letters = {diffusion.a: a, diffusion.b: b, diffusion.f: f, diffusion.g: g}
in_our_letters |= {diffusion.x: x_t, diffusion.score: score}

# Statement

velocity = a_dot / a * x_t + (a_dot / a * b**2 - b * b_dot) * score
straight = x_t / t + (1 - t) / t * score
probability_flow = -beta / 2 * (x_t + score)


def score_from_the_data():
    """The score leads from x_t to where the data are expected ..."""
    yield d(x_t, log(marginal))
    yield eq(d(x_t, marginal) / marginal, by=differentiation)
    yield eq(d(x_t, integral(jump * data, x_1)) / marginal, by=marginalisation)
    yield eq(integral((a * x_1 - x_t) / b**2 * jump * data, x_1) / marginal, by=under_the_integral(x_t))
    yield eq(E(guess, (a * x_1 - x_t) / b**2), by=bayes)
    yield eq((a * E(guess, x_1) - x_t) / b**2, by=linearity)


def data_from_the_score():
    """... so that it says where (Tweedie's formula) ..."""
    yield let(score, d(x_t, log(marginal)))
    yield E(guess, x_1)
    yield eq((x_t + b**2 * score) / a, by=rearranging(score_from_the_data))


def velocity_from_the_score(velocity=velocity):
    """... and the velocity is on the way there."""
    yield let(score, d(x_t, log(marginal)))
    yield E(guess, path_velocity)
    yield eq(a_dot * E(guess, x_1) + b_dot * (x_t - a * E(guess, x_1)) / b, by=linearity)
    expected = (x_t + b**2 * score) / a
    yield eq(a_dot * expected + b_dot * (x_t - a * expected) / b, by=theorem(data_from_the_score))
    yield eq(velocity, by=algebra)


def straight_paths(velocity=velocity, straight=straight):
    """On straight paths, from the noise to the data in a time of 1 ..."""
    yield let(a, t)
    yield let(a_dot, 1)
    yield let(b, 1 - t)
    yield let(b_dot, -1)
    yield velocity
    yield eq(straight, by=algebra)


def of_a_diffusion(velocity=velocity):
    """... and if a and b are those of a diffusion, it is that of its probability flow ..."""
    yield let(a_dot, diffusion.mean_rate.xreplace(in_our_letters))
    yield let(b_dot, diffusion.variance_rate.xreplace(in_our_letters) / (2 * b))
    yield velocity
    yield eq(drift.xreplace(in_our_letters | {lam: Integer(0)}), by=algebra)


def preserved(velocity=velocity, probability_flow=probability_flow):
    """... as where the variance is preserved: the noise grows as the data decay."""
    yield let(a, sqrt(alpha_bar))
    yield let(a_dot, -beta * sqrt(alpha_bar) / 2)
    yield let(b, sqrt(1 - alpha_bar))
    yield let(b_dot, beta * alpha_bar / (2 * sqrt(1 - alpha_bar)))
    yield velocity
    yield eq(probability_flow, by=algebra)


CLAIMS = [
    Claim(
        "flow.velocity-score",
        "The mean velocity is the score times a function of time, plus a multiple of x; for a and b of a diffusion, "
        "it is that of the probability-flow ODE.",
        proved_by=(
            score_from_the_data,
            data_from_the_score,
            velocity_from_the_score,
            straight_paths,
            of_a_diffusion,
            preserved,
        ),
        evidence="S Q P",
        assumes="the standing assumptions; x_0 is standard normal noise, independent of the data x_1",
        source="Albergo et al. (2023); Lipman et al. (2022) section 4",
        tier="extended",
        mistakes={
            "score-sign": {
                "velocity": a_dot / a * x_t - (a_dot / a * b**2 - b * b_dot) * score,
                "straight": x_t / t - (1 - t) / t * score,
                "probability_flow": -beta / 2 * (x_t - score),
            },
            "one-over-t-only": {"straight": x_t / t + score / t},
            "t-over-1-t": {"straight": x_t / t + t / (1 - t) * score},
            "b-not-squared": {"velocity": a_dot / a * x_t + (a_dot / a * b - b * b_dot) * score},
        },
        because={
            "one-over-t-only": "the noise is taken to be as large as it was at the start",
            "t-over-1-t": "time is taken to run from the data to the noise, in one of two places",
        },
    ),
]
