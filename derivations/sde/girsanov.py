r"""A wrong score costs the path half the squared error, weighed by g^2; the end of the path is wrong by no more.

Run the reverse diffusion with :math:`\hat s` in the place of the score, from a correct :math:`x_T`. As laws of whole
paths, the true one diverges from this one by

.. math:: D_{KL}=\tfrac12\int_0^Tg(t)^2\,\mathbb E_{q_t}\lVert\nabla\log q_t-\hat s\rVert^2\,dt
          \ \ge\ D_{KL}(q_0\Vert\hat q_0) .

Two short steps with the same noise and with different drifts are two Gaussians of equal variance, and their divergence
is a square. Divergences of the steps of Markov chains add up, to the integral as the steps shrink. This is what
Girsanov's theorem says of the limit itself. The average is over the true law: it is what score matching minimises.

With no score at all, :math:`\hat s=0`, and Gaussian data where the variance is preserved, the path costs

.. math:: \tfrac12\log\frac{e^Bv_T}{v_0},\qquad v_T=e^{-B}v_0+1-e^{-B},\qquad B=\int_0^T\beta ,

as much as the naive chain does in any number of steps (``reversal.kl-chain-telescopes`` with
:math:`\bar\alpha_T=e^{-B}`), and its end is off by less.

In d dimensions the coordinates have the same noise, and their squares add up.

References:
    Girsanov (1960), On transforming a certain class of stochastic processes.
    Song, Durkan, Murray & Ermon (2021), Maximum likelihood training of score-based diffusion models, theorem 1.
"""

from sympy import Integer, Integral, Rational, cos, exp, log

from ..calculus import (
    KL,
    Density,
    E,
    RealFunction,
    algebra,
    by_parts,
    d,
    definition,
    differentiation,
    eq,
    gaussian_moments,
    ge,
    le,
    let,
    linearity,
    log_tangent,
    lt,
    normal,
    pointwise,
    positives,
    positivity,
    reals,
    taylor,
    theorem,
    units,
    up_to,
    using,
)
from ..claim import Claim
from ..reversal.anderson import B
from ..reversal.anderson import after as without_score
from ..reversal.anderson import v as start_variance
from ..reversal.chain import at_end, bayes_up, chain, data, out, up, up_from_out, x_0, x_T
from ..reversal.distance import gaussian_path as discrete
from ..reversal.naive import T
from ..reversal.naive import a as alpha_bar
from ..reversal.score import clusters
from .moments import f, h, marginal, score, t, x, y

# Notation: y is x_{t-h}, a step back from x; x_s is on the way from x_T to x_0, and c the cost per time at the time t;
# rho is e^B - 1, the variance of the noise in x_T in units of the signal.

x_s, m, k = reals("x_s m k")
v_0, v_T, rho, s = positives(r"v_0 v_T \rho s")
u = units("u")
WHERE = {B: log(1 + rho), v_T: exp(-B) * v_0 + 1 - exp(-B)}

g = Density("g", at=[t])  # positive here: without noise, paths tell everything
predicted, error = RealFunction(r"\hat{s}", [x]), RealFunction("e", [x])
model = Density(r"\hat{q}_t", [x])  # the law of x_t along the reverse diffusion with the predicted score
cost = RealFunction("c", at=[t])

first, first_hat = Density("q", [x_s], given=[x_T]), Density(r"\hat{q}", [x_s], given=[x_T])
second, second_hat = Density("r", [x_0], given=[x_s]), Density(r"\hat{r}", [x_0], given=[x_s])

# From here on x_T stands for all of a path but its end.

chain_hat = Density(r"\hat{r}", [x_0], given=[x_T])
bayes_both = definition("Bayes' rule, twice", {up: chain * at_end / data, up_from_out: chain_hat * at_end / out})


def back(slope):
    """A step of the reverse diffusion with this score: for a short time h, from x to y; m is where the drift leads."""
    return normal(y, m + h * g**2 * slope, h * g**2)


# Statement

path_rate = g**2 * E(marginal, (score - predicted) ** 2) / 2
gaussian = log(exp(B) * v_T / v_0) / 2
gaussian_rate = 1 / (2 * v_T)  # in the time B

wide = v_0 + 2 * (exp(B) - 1)  # the variance in which the diffusion without a score ends
endpoint = (log(wide / v_0) + v_0 / wide - 1) / 2


def one_step(path_rate=path_rate):
    """Two short steps differ in their means alone: on average, a wrong score costs its squared error ..."""
    yield let(m, x - h * f * x)
    yield E(marginal, KL(back(score), back(predicted)))
    yield eq(E(marginal, h * g**2 * (score - predicted) ** 2 / 2), by=gaussian_moments)
    yield eq(h * path_rate, by=linearity)


def two_steps():
    """... and what the steps of a path cost adds up, because no step knows more than where it starts; ..."""
    yield E(at_end, E(first, E(second, log(first / first_hat) + log(second / second_hat))))
    yield eq(E(at_end, KL(first, first_hat)) + E(at_end, E(first, KL(second, second_hat))), by=linearity)


def sum_to_integral():
    """... to an integral over time, as the steps become short."""
    yield Integral(h * cost(t + h * u), (u, 0, 1))
    yield up_to(Integral(h * cost, (u, 0, 1)), h, 2, by=taylor("the cost is smooth in time"))
    yield eq(h * cost, by=by_parts(u * h * cost, u))


def only_by_the_error(path_rate=path_rate):
    """A score that is off by k e costs k squared times what e would: nothing, if nothing is wrong."""
    yield path_rate.xreplace({predicted: score + k * error})
    yield eq(k**2 * g**2 / 2 * E(marginal, error**2), by=linearity)


def the_way_back():
    """Given its end, the rest of the path has some law under either of the two."""
    yield E(data * up, up_from_out / up)
    yield eq(E(data * up_from_out, 1), by=pointwise(algebra))
    yield eq(1, by=linearity)


def nothing_explains_it_better():
    """No law explains the rest of the path better, given its end, than the one that it has."""
    yield E(data * up, log(up_from_out) - log(up))
    yield eq(E(data * up, log(up_from_out / up)), by=pointwise(algebra))
    yield le(E(data * up, up_from_out / up - 1), by=pointwise(log_tangent()))
    yield eq(E(data * up, up_from_out / up) - 1, by=linearity)
    yield eq(0, by=theorem(the_way_back))


def end_of_the_path():
    """So the end of the path is off by no more than the path."""
    yield KL(at_end * chain, at_end * chain_hat)
    yield eq(E(at_end * chain, log(chain) - log(chain_hat)), by=linearity)
    yield eq(E(data * up, log(chain) - log(chain_hat)), by=bayes_up)
    yield eq(E(data * up, log(data) + log(up) - log(out) - log(up_from_out)), by=bayes_both)
    yield eq(KL(data, out) - E(data * up, log(up_from_out) - log(up)), by=linearity)
    yield ge(KL(data, out), by=using(nothing_explains_it_better))


def rate_without_a_score(path_rate=path_rate):
    """With no score, Gaussian data and a variance that is preserved, it is half the Fisher information, ..."""
    preserved = {f: -Rational(1, 2), g: Integer(1), predicted: Integer(0)}
    seen = {marginal: normal(x, m, v_T), score: -(x - m) / v_T}
    yield path_rate.xreplace(preserved | seen)
    yield eq(gaussian_rate, by=gaussian_moments)


def path_without_a_score(gaussian=gaussian):
    """... which adds up, in the time B, to a logarithm: ..."""

    def after(e, noise):
        """When the noise is this, in units of the signal."""
        return e.xreplace(WHERE).xreplace(WHERE).xreplace({rho: noise})

    yield Integral(after(gaussian_rate, u * rho) * d(u, after(B, u * rho)), (u, 0, 1))
    yield eq(Integral(rho / (2 * (v_0 + u * rho)), (u, 0, 1)), by=pointwise(differentiation))
    yield eq(log(v_0 + rho) / 2 - log(v_0) / 2, by=by_parts(log(v_0 + u * rho) / 2, u))
    yield eq(gaussian, by=algebra)


def as_the_naive_chain(gaussian=gaussian):
    """... what the naive chain costs, in however many steps."""
    yield discrete.xreplace({alpha_bar(T): exp(-B)})
    yield eq(gaussian, by=algebra)


def where_it_ends():
    """It ends too wide (see ``reversal.anderson-limit``), ..."""
    yield without_score.xreplace({start_variance: v_T})
    yield eq(wide, by=algebra)


def off_at_the_end():
    """... and so is off from the data ..."""
    yield KL(normal(x, m, v_0), normal(x, m, wide))
    yield eq(endpoint, by=gaussian_moments)


def less_than_the_path(gaussian=gaussian):
    """... by less than its path is."""
    yield let(s, rho / v_0)
    yield endpoint - gaussian
    yield eq((log((1 + 2 * s) / (1 + s)) + 1 / (1 + 2 * s) - 1) / 2, by=algebra)
    yield le(((1 + 2 * s) / (1 + s) - 1 + 1 / (1 + 2 * s) - 1) / 2, by=log_tangent())
    yield lt(0, by=positivity)


CLAIMS = [
    Claim(
        "sde.girsanov",
        "A wrong score costs the path of the reverse diffusion half its squared error, weighed by g^2, on average over "
        "the true law; the end of the path is off by no more.",
        proved_by=(
            one_step,
            two_steps,
            sum_to_integral,
            only_by_the_error,
            end_of_the_path,
            rate_without_a_score,
            path_without_a_score,
            as_the_naive_chain,
            where_it_ends,
            off_at_the_end,
            less_than_the_path,
        ),
        evidence="S Q M",
        kind="identity/inequality",
        assumes="both start from a correct x_T; the path is the limit of its short steps; Gaussian data and a variance "
        "that is preserved for the closed form",
        source="Song, Durkan, Murray & Ermon (2021), theorem 1",
        tier="extended",
        mistakes={
            "no-half": {"path_rate": 2 * path_rate, "gaussian": 2 * gaussian},
            "expectation-under-model": {"path_rate": g**2 * E(model, (score - predicted) ** 2) / 2},
            "g-not-squared": {"path_rate": g * E(marginal, (score - predicted) ** 2) / 2},
            "marginal-kl-equality": {"gaussian": endpoint},
        },
        because={
            "expectation-under-model": "the average over the sampler's own points, as of the other divergence",
            "g-not-squared": "g multiplies the noise, and is taken for its variance",
            "marginal-kl-equality": "the bound is taken for an equation, which it is for the exact score",
        },
    ),
]

# A world for the witness: two clusters, a score that is somewhat wrong, and a path of two steps.

START, CHAIN, CHAIN_HAT = normal(x_T, Rational(1, 4), 5), normal(x_0, Rational(1, 3) + x_T / 2, 2), normal(x_0, x_T, 3)
WORLD = {
    f: -Rational(1, 3) - t / (2 + t),
    g: 1 + t / (1 + t**2),
    at_end: START,
    chain: CHAIN,
    data: normal(x_0, Rational(11, 24), Rational(13, 4)),
    chain_hat: CHAIN_HAT,
    out: normal(x_0, Rational(1, 4), 8),
    up: CHAIN * START / normal(x_0, Rational(11, 24), Rational(13, 4)),
    up_from_out: CHAIN_HAT * START / normal(x_0, Rational(1, 4), 8),
    cost: cos(t) + t**2 / 3,
    marginal: clusters(x, 1, 0),
    model: normal(x, Rational(1, 3), Rational(7, 5)),
    predicted: Rational(1, 4) - x / 2,
    error: cos(x) + x / 3,
    first: normal(x_s, x_T / 2, Rational(4, 5)),
    first_hat: normal(x_s, x_T / 3, Rational(6, 5)),
    second: normal(x_0, Rational(1, 3) + 2 * x_s / 3, Rational(2, 5)),
    second_hat: normal(x_0, x_s / 2, Rational(3, 5)),
}
