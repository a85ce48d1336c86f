r"""A small exact step has the drift and the noise of Anderson's reverse diffusion; the naive step lacks its score.

.. math:: \mathbb E[x_{t-1}\mid x_t]=x_t+\beta_t\bigl(\tfrac12x_t+s_t(x_t)\bigr)+O(\beta_t^2),\qquad
          \operatorname{Var}[x_{t-1}\mid x_t]=\beta_t+O(\beta_t^2) .

This is one step of

.. math:: dx=\bigl[-\tfrac12\beta(t)\,x-\beta(t)\nabla\log q_t(x)\bigr]\,dt+\sqrt{\beta(t)}\,d\bar w,

where time runs backwards, so that :math:`dt<0` and both terms of the drift change their sign. Without the score, the
same diffusion is the limit of the naive chain. It pushes away from zero and adds noise besides: the variance plus one
grows by the factor :math:`e^{\int\beta}`.

What is proved is said of one step, and of the variance of the naive chain. That a chain with this drift and this
variance tends to the diffusion is a limit theorem of its own (Stroock & Varadhan, 1979), and is not proved here.

References:
    Anderson (1982), Reverse-time diffusion equation models.
    Song et al. (2021), Score-based generative modeling through stochastic differential equations, eq. (6).
"""

from sympy import Integer, exp, oo, sqrt

from ..calculus import (
    E,
    Var,
    algebra,
    d,
    differentiation,
    eq,
    gaussian_moments,
    limit,
    naturals,
    normal,
    positives,
    tends_to,
    theorem,
)
from ..claim import Claim
from .score import reverse_mean, reverse_variance, step_mean, step_variance
from .step import WHERE, WORLD, alpha, beta, marginal, posterior, score, x_prev, x_t

__all__ = ["CLAIMS", "WHERE", "WORLD", "marginal"]

# Notation: the naive chain starts from the variance v and takes n steps, each with beta/alpha = B/n, so that
# 1/alpha = 1 + B/n.

v, B, n = *positives("v B"), naturals("n")

# Statement

drift = x_t / 2 + score
diffusion = Integer(1)
after = (v + 1) * exp(B) - 1


def drift_of_the_mean(drift=drift):
    """A small step back moves along half of x_t, and along the score ..."""
    yield (E(posterior, x_prev) - x_t) / beta
    yield eq((reverse_mean - x_t) / beta, by=theorem(step_mean))
    yield tends_to(drift, alpha, 1, by=limit())


def error_of_the_drift(drift=drift):
    """... up to an error of second order, with this constant ..."""
    yield (E(posterior, x_prev) - x_t - beta * drift) / beta**2
    yield eq((reverse_mean - x_t - beta * drift) / beta**2, by=theorem(step_mean))
    yield tends_to((3 * x_t / 4 + score) / 2, alpha, 1, by=limit())


def noise_of_the_draw(diffusion=diffusion):
    """... and a draw has the variance of the forward step ..."""
    yield Var(posterior, x_prev) / beta
    yield eq(reverse_variance / beta, by=theorem(step_variance))
    yield tends_to(diffusion, alpha, 1, by=limit())


def error_of_the_noise(diffusion=diffusion):
    """... up to this.  The two together are one step of Anderson's reverse diffusion."""
    yield (Var(posterior, x_prev) - beta * diffusion) / beta**2
    yield eq((reverse_variance - beta * diffusion) / beta**2, by=theorem(step_variance))
    yield tends_to(1 + d(x_t, score), alpha, 1, by=limit())


def without_the_score(drift=drift):
    """The naive kernel moves alike, but for the score."""
    yield (x_t / sqrt(alpha) - x_t) / beta
    yield tends_to(drift - score, alpha, 1, by=limit())


def one_naive_step():
    """Its variance plus one is divided by alpha at every step ..."""
    yield Var(normal(x_t, 0, v) * normal(x_prev, x_t / sqrt(alpha), beta / alpha), x_prev) + 1
    yield eq((v + beta) / alpha + 1, by=gaussian_moments)
    yield eq((v + 1) / alpha, by=algebra)


def many_small_steps(after=after):
    """... so that after n steps it has grown exponentially ..."""
    yield (v + 1) * (1 + B / n) ** n - 1
    yield tends_to(after, n, oo, by=limit())


def error_of_many_steps(after=after):
    """... up to an error that falls like 1/n ..."""
    yield n * ((v + 1) * (1 + B / n) ** n - 1 - after)
    yield tends_to(-(v + 1) * B**2 * exp(B) / 2, n, oo, by=limit())


def runs_away(after=after):
    """... as the variance of Anderson's diffusion without its score does, in the time B: v' = v + 1."""
    yield d(B, after)
    yield eq(after + 1, by=differentiation)


CLAIMS = [
    Claim(
        "reversal.anderson-limit",
        "A small exact step has the drift and the noise of Anderson's reverse diffusion, to first order; the naive one "
        "lacks the score, and its variance runs away.",
        proved_by=(
            drift_of_the_mean,
            error_of_the_drift,
            noise_of_the_draw,
            error_of_the_noise,
            without_the_score,
            one_naive_step,
            many_small_steps,
            error_of_many_steps,
            runs_away,
        ),
        evidence="S Q M B",
        kind="limit",
        source="Anderson (1982); Song et al. (2021), eq. 6",
        mistakes={
            "half-score": {"drift": x_t / 2 + score / 2},
            "drift-sign": {"drift": -x_t / 2 + score},
            "score-plus-in-forward-time": {"drift": x_t / 2 - score},
            "naive-stable": {"after": (v - 1) * exp(-B) + 1},
        },
        because={
            "half-score": "the coefficient of the probability-flow ODE, which moves without noise",
            "drift-sign": "the drift of the forward process, which pulls towards zero",
            "score-plus-in-forward-time": "time runs backwards, and only one term of the drift has been turned round",
            "naive-stable": "the forward process, which forgets where it came from",
        },
    ),
]
