r"""The bound of diffusion comes apart into one divergence for each step, between kernels of one number.

.. math:: \mathbb E_q\Bigl[\log\frac{q(x_{1:T}\mid x_0)}{p(x_{0:T})}\Bigr]
          =D_{KL}\bigl(q(x_T\mid x_0)\,\|\,p(x_T)\bigr)
          +\sum_{t=2}^T\mathbb E\,D_{KL}\bigl(q(x_{t-1}\mid x_t,x_0)\,\|\,p(x_{t-1}\mid x_t)\bigr)
          -\mathbb E\log p(x_0\mid x_1)\ \ge\ -\log p(x_0) .

The forward steps are turned round by Bayes' rule with :math:`x_0` known, for then all of its terms are known; what the
rule leaves over cancels along the path, but for the two ends. At t = 1 there is nothing to turn round: given
:math:`x_0`, :math:`x_0` is no random number, and the last term is what a decoder has to say of it. Here :math:`x_0` is
fixed and all means are over :math:`q(\cdot\mid x_0)`; nothing is Gaussian, in the forward process or in the model. The
path is turned round for every T; what its logarithm is on average is written out for T = 2.

References:
    Sohl-Dickstein et al. (2015), Deep unsupervised learning using nonequilibrium thermodynamics.
    Ho, Jain & Abbeel (2020), Denoising diffusion probabilistic models, eqs. (3), (5).
    Weng (2021), What are diffusion models?, "Reverse diffusion process".
"""

from functools import cache

from sympy import Add, Integer, Product, Rational, Sum, exp, log, prod, sin, sqrt

from ..calculus import (
    KL,
    Density,
    E,
    RealFunction,
    definition,
    eq,
    integral,
    jensen,
    le,
    linearity,
    naturals,
    normal,
    reals,
    telescope,
    theorem,
    tower,
)
from ..claim import Claim

# Notation: densities at time t, with a bar where x_0 is known; the path x_0, ..., x_T is x(0), ..., x(T).

x_0, x_prev, x_t = reals("x_0 x_{t-1} x_t")
t, T = naturals("t T")
x = RealFunction("x", at=[t])

forwards = Density("q", [x_t], given=[x_prev], at=[t])
seen = Density(r"\bar{q}", [x_t], given=[x_0], at=[t])  # from x_0 in one jump
between = Density(r"\bar{q}", [x_prev], given=[x_t, x_0], at=[t])
mixed = Density("r", [x_prev], given=[x_t], at=[t])  # over all x_0: what is to be reversed
model, start = Density("p", [x_prev], given=[x_t], at=[t]), Density("p_T", [x_t])

bayes = definition("Bayes' rule, x_0 known", {between: forwards * seen(x_prev, x_0, t - 1) / seen})

# The same for T = 2, in letters of their own.

x_1, x_2 = reals("x_1 x_2")
g = RealFunction("g", [x_1, x_2])
forth = seen(x_1, x_0, 1), forwards(x_2, x_1, 2)  # x_1 is drawn, then x_2
back = seen(x_2, x_0, 2), between(x_1, x_2, x_0, 2)  # x_2, then x_1
joint = start(x_2) * model(x_1, x_2, 2) * model(x_0, x_1, 1)
for_two = definition("Bayes' rule, x_0 known", {back[1]: prod(forth) / back[0]})

# Statement

ends = seen(x(T), x_0, T) / seen(x(1), x_0, 1)
L_T = KL(seen(x_t, x_0, T), start)
L_0 = -E(seen(x_t, x_0, 1), log(model(x_0, x_t, 1)))
bound = L_T + Sum(E(seen, KL(between, model)), (t, 2, T)) + L_0


def written_out(bound):
    """The bound for T = 2."""
    at_two = bound.xreplace({T: Integer(2)})
    return at_two.replace(Sum, lambda term, over: Add(*(term.xreplace({t: Integer(k)}) for k in range(*bounds(over)))))


def bounds(over):
    """From where to where a sum runs, as Python counts."""
    return int(over[1]), int(over[2]) + 1


def turned_round(ends=ends):
    """With x_0 known, the steps forwards and backwards differ by the two ends of the path alone."""
    yield Product(forwards(x(t), x(t - 1), t) / between(x(t - 1), x(t), x_0, t), (t, 2, T))
    yield eq(Product(seen(x(t), x_0, t) / seen(x(t - 1), x_0, t - 1), (t, 2, T)), by=bayes)
    yield eq(ends, by=telescope)


def last_one_first():
    """A path may be drawn from its end, if x_0 is known ..."""
    yield E(prod(forth), g)
    yield eq(E(back[0], E(back[1], g)), by=for_two)


def taken_apart(bound=bound):
    """... and from there the logarithm is a sum, whose terms have means of their own."""
    last, between = back
    ratio = log(prod(forth) / joint)
    yield E(prod(forth), ratio)
    yield eq(E(last, E(between, ratio)), by=theorem(last_one_first, {g: ratio}))
    yield eq(E(last, E(between, log(last * between / joint))), by=for_two)
    apart = KL(last, start(x_2)) + E(last, KL(between, model(x_1, x_2, 2)))
    yield eq(apart - E(last, E(between, log(model(x_0, x_1, 1)))), by=linearity)
    yield eq(written_out(bound), by=tower(last, between, for_two, *forth))


def at_most_the_evidence():
    """By Jensen's inequality its mean, turned round, is at most the log density of x_0, an average over its paths."""
    yield E(prod(forth), log(joint / prod(forth)))
    yield le(log(E(prod(forth), joint / prod(forth))), by=jensen())
    yield eq(log(integral(joint, x_1, x_2)), by=linearity)


CLAIMS = [
    Claim(
        "vlb.decomposition",
        "The bound is a divergence at the end of the path, one for each step between, with x_0 known, and what the "
        "decoder says of x_0.",
        proved_by=(turned_round, last_one_first, taken_apart, at_most_the_evidence),
        evidence="S Q M P T",
        assumes="the forward process is a Markov chain; all of its densities, and those of the model, are positive",
        source="Ho et al. (2020) eqs. 3, 5; Weng (2021)",
        mistakes={
            "sum-from-1": {"bound": bound + L_0},
            "unconditional-posterior": {"bound": L_T + Sum(E(seen, KL(mixed, model)), (t, 2, T)) + L_0},
            "kl-swapped": {"bound": L_T + Sum(E(seen, KL(model, between)), (t, 2, T)) + L_0},
            "L0-sign": {"bound": L_T + Sum(E(seen, KL(between, model)), (t, 2, T)) - L_0},
            "expectation-over-q-xt-missing": {"bound": L_T + Sum(KL(between, model), (t, 2, T)) + L_0},
        },
        because={
            "sum-from-1": "what the decoder says is the term of t = 1, and is counted twice",
            "unconditional-posterior": "the kernel that the model is to learn, of which one knows nothing yet",
            "kl-swapped": "the average is taken over the model",
            "expectation-over-q-xt-missing": "a divergence of kernels is still a function of x_t",
        },
    ),
]

# A world for the witness: one data point of many, from N(1/3, 1/2), and a model with some other steps.


@cache
def WORLD():
    decay = exp(-t / 3 - t**2 / 20)
    before = decay.xreplace({t: t - 1})
    kept = exp(-Rational(1, 3) - (2 * t - 1) / 20)  # of one step: decay/before
    step, to_prev = (
        normal(x_t, sqrt(kept) * x_prev, 1 - kept),
        normal(x_prev, sqrt(before) * x_0, 1 - before),
    )
    shrunk, whole = normal(x_prev, sqrt(before) / 3, 1 - before / 2), normal(x_t, sqrt(decay) / 3, 1 - decay / 2)
    reversed_step = step * shrunk / whole

    pull, push, width = Rational(4, 5), Rational(1, 4) + t / 9, Rational(2, 5) + t / 7
    return {
        x: sin(t),
        g: x_1 - x_1 * x_2 / 3,
        forwards: step,
        seen: normal(x_t, sqrt(decay) * x_0, 1 - decay),
        between: step * to_prev / normal(x_t, sqrt(decay) * x_0, 1 - decay),
        mixed: reversed_step,
        model: normal(x_prev, pull * x_t + push, width),
        start: normal(x_t, Rational(1, 5), Rational(4, 3)),
    }
