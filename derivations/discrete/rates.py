r"""In continuous time, too, Bayes' rule turns a chain round: a ratio of probabilities plays the part of the score.

.. math:: \tilde R_t(y,x)=R(x,y)\,\frac{p_t(x)}{p_t(y)}\quad(x\ne y),\qquad
          \tilde R_t(y,y)=-\sum_{x\ne y}\tilde R_t(y,x)=R(y,y)-\frac{\dot p_t(y)}{p_t(y)} .

A chain in continuous time jumps from x to y at the rate :math:`R(x,y)`: in a short time h it does so with the
probability :math:`hR(x,y)+O(h^2)`, and it stays with the probability :math:`1+hR(y,y)+O(h^2)`, where
:math:`R(y,y)` is minus the sum of the rates of leaving. Backwards, from y at t + h to x at t, Bayes' rule divides by
:math:`p_{t+h}(y)`. What is left as h goes to zero are the rates of the reverse chain.

The rates alone, :math:`R(x,y)` for the way from y to x, are the reverse rates of a flat prior: the naive reversal.
For a way that the chain takes, with :math:`R(x,y)>0`, they are right if :math:`p_t(x)=p_t(y)`, and wrong otherwise; so
for all ways only if :math:`p_t` is uniform wherever the chain connects states. The ratio is all that a model has to
learn.

References:
    Kelly (1979), Reversibility and stochastic networks.
    Campbell, Benton, De Bortoli, Rainforth, Deligiannidis & Doucet (2022), A continuous time framework for discrete
        denoising models.
    Lou, Meng & Ermon (2024), Discrete diffusion modeling by estimating the ratios of the data distribution.
"""

from sympy import Integer, Sum, Symbol, exp

from ..calculus import (
    RealFunction,
    UnitFunction,
    algebra,
    d,
    definition,
    eq,
    linearity,
    naturals,
    positives,
    reals,
    taylor,
    up_to,
)
from ..claim import Claim

# Notation: states 0, ..., m; a step of the length h from the time t; `rest` is what the rates do not say of it.

x, y = (Symbol(name, integer=True, nonnegative=True) for name in "xy")
m, t, h = naturals("m"), reals("t"), positives("h")

p = UnitFunction("p", [x], at=[t])
R, rest = RealFunction("R", [x, y]), RealFunction("r", [x, y], at=[h])
jump, stay = RealFunction("P", [x, y], at=[h]), RealFunction("P", [y], at=[h])
chain = definition(
    "rates of a chain",
    {jump: h * R + h**2 * rest, stay: 1 + h * R(y, y) + h**2 * rest(y, y, h)},
)
forward_equation = definition("the forward equation", {d(t, p(y, t)): Sum(p * R, (x, 0, m))})
backwards, stays = RealFunction("B", [y, x], at=[h]), RealFunction("B", [y], at=[h])
bayes = definition("Bayes' rule", {backwards: p * jump / p(y, t + h), stays: p(y, t) * stay / p(y, t + h)})

# Statement

rate = R * p / p(y, t)  # from y to x, where x is another state
diagonal = R(y, y) - Sum(p * R, (x, 0, m)) / p(y, t)
excess = R * (p - p(y, t)) / p(y, t)  # over the rates of the naive reversal


def reverse_rate(rate=rate):
    """Back from y to another state, by Bayes' rule, in units of the time."""
    yield backwards / h
    yield eq(p * jump / (h * p(y, t + h)), by=bayes)
    yield eq(p * (R + h * rest) / p(y, t + h), by=chain)
    yield up_to(rate, h, 1, by=taylor())


def staying(diagonal=diagonal):
    """And from y to y: what is not certain of it."""
    yield stays - 1
    yield eq(p(y, t) * stay / p(y, t + h) - 1, by=bayes)
    yield eq(p(y, t) * (1 + h * R(y, y) + h**2 * rest(y, y, h)) / p(y, t + h) - 1, by=chain)
    yield up_to(h * (R(y, y) - d(t, p(y, t)) / p(y, t)), h, 2, by=taylor())
    yield eq(h * diagonal, by=forward_equation)


def rates_out_of_a_state(rate=rate, diagonal=diagonal):
    """Together they are minus the rates of leaving: the sum runs over y, too, where it has the old rate."""
    yield R(y, y) - Sum(rate, (x, 0, m))
    yield eq(diagonal, by=linearity)


def what_the_naive_reversal_misses(rate=rate, excess=excess):
    """Without the ratio, the rate from y to x is wrong unless both are equally likely."""
    yield rate - R
    yield eq(excess, by=algebra)


# A world for the witness: probabilities that move, and rates by which they move so.

moving = (2 + exp(-(t**2)) * x / (1 + x)) / 4
WORLD = {
    p: moving,
    R: moving.diff(t).xreplace({x: y}) / ((m + 1) * moving),
    rest: x - y / 2 + h,
    jump: h * R + h**2 * rest,
    stay: 1 + h * R(y, y) + h**2 * rest(y, y, h),
    backwards: p * jump / p(y, t + h),
    stays: p(y, t) * stay / p(y, t + h),
}

CLAIMS = [
    Claim(
        "discrete.reverse-rates",
        "Backwards, a chain in continuous time goes from y to x at the rate R(x, y) p_t(x)/p_t(y); R(x, y) alone is "
        "right only between equally likely states.",
        proved_by=(reverse_rate, staying, rates_out_of_a_state, what_the_naive_reversal_misses),
        evidence="S Q M P",
        assumes="p_t is positive; it and the probabilities of short steps are smooth in time",
        source="Kelly (1979); Campbell et al. (2022); Lou et al. (2024)",
        tier="extended",
        mistakes={
            "ratio-inverted": {"rate": R * p(y, t) / p, "excess": R * (p(y, t) - p) / p},
            "no-ratio": {"rate": R(y, x), "excess": R(y, x) - R},
            "transpose-only": {"rate": R, "excess": Integer(0)},
        },
        because={
            "no-ratio": "the forward rates again, as for a chain in equilibrium that looks the same backwards",
            "transpose-only": "the arrows are turned round: Bayes' rule with a flat prior",
        },
    ),
]
