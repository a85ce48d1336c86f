r"""The forward process: one step, and all steps so far in one.

.. math:: x_t=\sqrt{\alpha_t}\,x_{t-1}+\sqrt{\beta_t}\,\epsilon_t,\qquad\epsilon_t\sim\mathcal N(0,1),
          \quad\alpha_t=1-\beta_t .

The noise of a step is independent of what goes in, :math:`x_{t-1}`. This independence is what lets the equation define
a conditional law, and without it the equation would say nothing about one:

.. math:: q(x_t\mid x_{t-1})=\mathcal N(x_t;\ \sqrt{\alpha_t}\,x_{t-1},\ \beta_t),\qquad
          q(x_t\mid x_0)=\mathcal N(x_t;\ \sqrt{\bar\alpha_t}\,x_0,\ 1-\bar\alpha_t),\qquad
          \bar\alpha_t=\prod_{i\le t}\alpha_i .

The step shrinks by a *root*, so that the variance :math:`v_t=\alpha_tv_{t-1}+\beta_t` is a weighted mean of that of the
data and one. Steps compose: the roots multiply, and the noises of all steps are one noise.

References:
    Ho, Jain & Abbeel (2020), Denoising diffusion probabilistic models, eqs. (2) and (4).
    Weng (2021), What are diffusion models?, "Forward diffusion process".
"""

from sympy import Integer, Rational, exp, sqrt

from ..calculus import (
    Density,
    E,
    RealFunction,
    Var,
    algebra,
    change_of_variables,
    definition,
    eq,
    gaussian_integral,
    gaussian_moments,
    integral,
    normal,
    reals,
    units,
)
from ..claim import Claim

# Notation

x_0, x_prev, x_t, e = reals(r"x_0 x_{t-1} x_t \epsilon_t")
alpha, alpha_bar_prev = units(r"\alpha_t \bar\alpha_{t-1}")
beta, alpha_bar = units(r"\beta_t \bar\alpha_t")
WHERE = {beta: 1 - alpha, alpha_bar: alpha * alpha_bar_prev}

prior, noise = Density("q_{t-1}", [x_prev]), normal(e, 0, 1)
output = sqrt(alpha) * x_prev + sqrt(beta) * e
f = RealFunction("f", [x_t])  # whatever one may ask of x_t

v_prev = Density("v_{t-1}")
variances = definition("the variance of x_{t-1}", {v_prev: Var(prior, x_prev)})

# Statement

step_mean, step_variance = sqrt(alpha) * x_prev, beta
next_variance = alpha * v_prev + beta
marginal_mean, marginal_variance = sqrt(alpha_bar) * x_0, 1 - alpha_bar


def law_of_a_step(mean=step_mean, variance=step_variance):
    """Given x_{t-1} the noise is still standard normal, so that x_t is this Gaussian: all means agree."""
    yield E(noise, f(output))
    noise_of_the_step = (x_t - sqrt(alpha) * x_prev) / sqrt(beta)
    yield eq(E(normal(x_t, mean, variance), f), by=change_of_variables(e, noise_of_the_step, x_t))


def variance_of_a_step(recursion=next_variance):
    """The variance of the data shrinks, and noise fills it up, ..."""
    yield Var(prior * noise, output)
    yield eq(alpha * Var(prior, x_prev) + beta, by=gaussian_moments)
    yield eq(recursion, by=variances)


def fixed_point(recursion=next_variance):
    """... to one: with each step the variance comes nearer to it, by the factor alpha."""
    yield recursion - 1
    yield eq(alpha * (v_prev - 1), by=algebra)


def first_step(mean=marginal_mean, variance=marginal_variance):
    """By induction: the first step is one step, where alpha_bar is alpha, ..."""
    at_one = {alpha_bar_prev: Integer(1), alpha_bar: alpha}
    yield normal(x_t, sqrt(alpha) * x_0, beta)
    yield eq(normal(x_t, mean.xreplace(at_one), variance.xreplace(at_one)), by=algebra)


def one_more_step(mean=marginal_mean, variance=marginal_variance):
    """... and a step after all steps so far is all steps so far."""
    before = normal(x_prev, sqrt(alpha_bar_prev) * x_0, 1 - alpha_bar_prev)
    yield integral(normal(x_t, step_mean, step_variance) * before, x_prev)
    yield eq(normal(x_t, mean, variance), by=gaussian_integral(x_prev))


CLAIMS = [
    Claim(
        "forward.kernel",
        "A step, x_t = sqrt(alpha_t) x_{t-1} + sqrt(beta_t) eps with fresh noise, is q(x_t | x_{t-1}) = "
        "N(x_t; sqrt(alpha_t) x_{t-1}, beta_t); variances move towards 1.",
        proved_by=(law_of_a_step, variance_of_a_step, fixed_point),
        evidence="S M P",
        source="the note; Ho et al. (2020) eq. 2",
        kind="definition",
        mistakes={
            "beta-as-std": {"variance": beta**2, "recursion": alpha * v_prev + beta**2},
            "no-shrink": {"mean": x_prev, "recursion": v_prev + beta},
            "alpha-not-sqrt": {"mean": alpha * x_prev, "recursion": alpha**2 * v_prev + beta},
            "roots-swapped": {
                "mean": sqrt(beta) * x_prev,
                "variance": alpha,
                "recursion": beta * v_prev + alpha,
            },
        },
        because={
            "beta-as-std": "beta is a variance, and is taken for a standard deviation",
            "no-shrink": "noise is added as in models whose variance explodes",
            "roots-swapped": "the fixed point is 1 all the same",
        },
    ),
    Claim(
        "forward.marginal",
        "All steps so far are one: q(x_t | x_0) = N(x_t; sqrt(alpha_bar_t) x_0, 1 - alpha_bar_t).",
        proved_by=(first_step, one_more_step),
        evidence="S Q M P",
        source="Ho et al. (2020) eq. 4",
        mistakes={
            "alpha-for-alphabar": {"mean": sqrt(alpha) * x_0, "variance": 1 - alpha},
            "sqrt-variance": {"variance": sqrt(1 - alpha_bar)},
            "mean-alphabar": {"mean": alpha_bar * x_0},
            "sum-betas": {"variance": beta + (1 - alpha_bar_prev)},
            "off-by-one": {"mean": sqrt(alpha_bar_prev) * x_0, "variance": 1 - alpha_bar_prev},
        },
        because={
            "sqrt-variance": "what multiplies the noise is its standard deviation",
            "sum-betas": "the variances of the noises are added, and none is shrunk by the steps that follow",
        },
    ),
]

# A world for the witness: two clusters, and a curve.

WORLD = {
    prior: Rational(3, 10) * normal(x_prev, -1, Rational(1, 2))
    + Rational(7, 10) * normal(x_prev, Rational(3, 2), Rational(4, 5)),
    v_prev: Rational(809, 400),
    f: x_t + exp(-((x_t - 1) ** 2)),
}
