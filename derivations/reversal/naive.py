r"""The forward step, solved for x_{t-1}: true with its own noise, and what becomes of it with fresh noise.

.. math:: x_t=\sqrt{\alpha_t}\,x_{t-1}+\sqrt{\beta_t}\,\epsilon_t
          \quad\Longrightarrow\quad x_{t-1}=\frac{x_t-\sqrt{\beta_t}\,\epsilon_t}{\sqrt{\alpha_t}} .

This is an equation between random variables, and it holds whatever happens. It is not a conditional law: :math:`x_t`
contains :math:`\epsilon_t`, so given :math:`x_t` the noise is no longer :math:`\mathcal N(0,1)`. Whoever draws a
fresh :math:`\epsilon` adds one more helping of noise at each step, and after T steps

.. math:: \hat x_0\overset d=x_0+\sqrt{2(1/\bar\alpha_T-1)}\;\xi .

On a finite space the same mistake is a matter of four cases: see ``flipped_bit``.
"""

from sympy import Integer, Sum, exp, sqrt

from ..calculus import (
    Cov,
    E,
    UnitFunction,
    Var,
    algebra,
    definition,
    eq,
    gaussian_integral,
    gaussian_moments,
    independence,
    integral,
    let,
    limit,
    linearity,
    naturals,
    normal,
    pointwise,
    reals,
    telescope,
    tends_to,
    units,
)
from ..claim import Claim
from .step import WHERE as STEP
from .step import WORLD as ONE_STEP
from .step import alpha, beta, m_prev, moments, prior, step, v_prev, v_t, x_prev, x_t

# Notation

e, fresh, x_hat, x_0 = reals(r"\epsilon_t \epsilon' \hat{x} x_0")
alpha_bar_prev, alpha_bar = units(r"\bar\alpha_{t-1} \bar\alpha_t")
pi_1, flip = units(r"\pi \varepsilon")
WHERE = STEP | {alpha_bar: alpha * alpha_bar_prev}

noise, fresh_noise = normal(e, 0, 1), normal(fresh, 0, 1)
output = sqrt(alpha) * x_prev + sqrt(beta) * e
inverted = x_prev + sqrt(beta / alpha) * (e - fresh)

p_1 = (1 - flip) * pi_1 + flip * (1 - pi_1)  # the probability that x_t = 1

# A chain of T steps; a(t) is the product of the first t alphas.

x_T, alpha_bar_T = reals("x_T"), units(r"\bar\alpha_T")
t, T = naturals("t T")
a = UnitFunction(r"\bar\alpha", at=[t])
beta_of = 1 - a / a(t - 1)
clean_data = definition("no noise at t = 0", {a(0): Integer(1)})
whole_chain = normal(x_hat, x_T / sqrt(alpha_bar_T), 1 / alpha_bar_T - 1)

# Statement

previous = (x_t - sqrt(beta) * e) / sqrt(alpha)
spread = 2 * beta / alpha  # of the noise that one naive step leaves in x_{t-1}
noises = Sum(beta_of / a, (t, 1, T))  # what T fresh noises add up to
added = 2 * (1 / alpha_bar_T - 1)  # the variance by which the chain misses the data
exploded = 2 / alpha_bar_T - 1  # the variance of the chain started from N(0, 1)
toy_posterior = (1 - flip) * pi_1 / ((1 - flip) * pi_1 + flip * (1 - pi_1))


def algebraic_identity(previous=previous):
    """With its own noise, the rearranged equation gives x_{t-1} back, surely."""
    yield let(x_t, output)
    yield previous
    yield eq(x_prev, by=algebra)


def noise_is_in_the_output(covariance=sqrt(beta)):
    """The noise of a step is part of what the step puts out."""
    yield Cov(prior * noise, e, output)
    yield eq(sqrt(alpha) * Cov(prior * noise, e, x_prev) + sqrt(beta) * Var(noise, e), by=linearity)
    yield eq(sqrt(beta) * Var(noise, e), by=independence)
    yield eq(covariance, by=gaussian_moments)


def variance_of_the_output():
    """The variance of the data shrinks, and noise fills it up."""
    yield Var(prior * noise, output)
    yield eq(alpha * Var(prior, x_prev) + beta, by=gaussian_moments)
    yield eq(alpha * v_prev + beta, by=moments)
    yield eq(v_t, by=definition("v_t = α v_{t-1} + β", {v_t: alpha * v_prev + beta}))


def correlation_with_the_output(correlation=sqrt(beta / v_t)):
    """In units of standard deviations, one for the noise and the root of v_t for the output, it is a correlation."""
    yield Cov(prior * noise, e, output / sqrt(v_t))
    yield eq(Cov(prior * noise, e, output) / sqrt(v_t), by=linearity)
    yield eq(correlation, by=gaussian_moments)


def one_naive_step(spread=spread):
    """A correct x_t, put through the naive kernel, is x_{t-1} with noise of its own: twice that of the step."""
    naive = normal(x_hat, x_t / sqrt(alpha), beta / alpha)
    yield integral(integral(naive * step, x_t) * prior, x_prev)
    yield eq(integral(normal(x_hat, x_prev, spread) * prior, x_prev), by=gaussian_integral(x_t))


def variance_after_one_step(variance=v_prev + spread):
    """So the variance is too large by both noises, the old and the fresh one ..."""
    yield Var(prior * noise * fresh_noise, inverted)
    yield eq(Var(prior, x_prev) + 2 * beta / alpha, by=gaussian_moments)
    yield eq(variance, by=moments)


def mean_after_one_step(mean=m_prev):
    """... while the mean is right, which is why one step does not look wrong."""
    yield E(prior * noise * fresh_noise, inverted)
    yield eq(E(prior, x_prev), by=gaussian_moments)
    yield eq(mean, by=moments)


def fresh_noises_add_up(noises=noises):
    """On its way to the data the noise of step t is divided by the root of alpha_bar at t; the sum telescopes."""
    yield noises
    yield eq(Sum(1 / a - 1 / a(t - 1), (t, 1, T)), by=pointwise(algebra))
    yield eq(1 / a(T) - 1 / a(0), by=telescope)
    yield eq(1 / a(T) - 1, by=clean_data)


def one_more_step():
    """By induction, all steps down to the data are one, with the variance 1/alpha_bar - 1."""
    down = normal(x_hat, x_prev / sqrt(alpha_bar_prev), 1 / alpha_bar_prev - 1)
    yield integral(down * normal(x_prev, x_t / sqrt(alpha), beta / alpha), x_prev)
    yield eq(normal(x_hat, x_t / sqrt(alpha_bar), 1 / alpha_bar - 1), by=gaussian_integral(x_prev))


def chain_from_a_correct_end(added=added):
    """From a correct x_T the chain returns the data with noise: that of the forward process, and as much again."""
    yield integral(whole_chain * normal(x_T, sqrt(alpha_bar_T) * x_0, 1 - alpha_bar_T), x_T)
    yield eq(normal(x_hat, x_0, added), by=gaussian_integral(x_T))


def chain_from_noise(variance=exploded):
    """From pure noise it explodes, and the smaller alpha_bar at T, the more it does."""
    yield integral(whole_chain * normal(x_T, 0, 1), x_T)
    yield eq(normal(x_hat, 0, variance), by=gaussian_integral(x_T))


def flipped_bit(posterior=toy_posterior):
    """A bit is 1 with probability pi and is flipped with probability eps: Bayes' rule for four cases."""
    one_and_one, zero_and_one = (1 - flip) * pi_1, flip * (1 - pi_1)
    yield one_and_one / (one_and_one + zero_and_one)
    yield eq(posterior, by=algebra)


def price_of_the_naive_bit(posterior=toy_posterior):
    """The naive rule says 1 - eps, and is right for pi = 1/2 alone: the flat prior that a finite space does have."""
    yield posterior - (1 - flip)
    yield eq(flip * (1 - flip) * (2 * pi_1 - 1) / ((1 - flip) * pi_1 + flip * (1 - pi_1)), by=algebra)


def rare_flips(posterior=toy_posterior, odds=(1 - pi_1) / pi_1):
    """Rare flips do not help: given x_t = 1 the odds of a flip are not eps but eps (1 - pi)/pi."""
    yield (1 - posterior) / flip
    yield tends_to(odds, flip, 0, by=limit())


CLAIMS = [
    Claim(
        "reversal.algebraic-identity",
        "With the same noise, the rearranged forward step gives x_{t-1} back, surely; it is an "
        "equation, not a conditional law.",
        proved_by=(algebraic_identity,),
        evidence="S M",
        source="the note",
        mistakes={
            "fresh-noise-is-identity": {"previous": (x_t - sqrt(beta) * fresh) / sqrt(alpha)},
            "plus-sign": {"previous": (x_t + sqrt(beta) * e) / sqrt(alpha)},
            "no-root": {"previous": (x_t - beta * e) / sqrt(alpha)},
            "one-over-alpha": {"previous": (x_t - sqrt(beta) * e) / alpha},
        },
    ),
    Claim(
        "reversal.noise-depends-on-output",
        "The noise is independent of x_{t-1}, but its covariance with x_t is sqrt(beta_t): given "
        "x_t it is not N(0, 1).",
        proved_by=(noise_is_in_the_output, variance_of_the_output, correlation_with_the_output),
        evidence="S M P",
        mistakes={
            "independent": {"covariance": Integer(0), "correlation": Integer(0)},
            "cov-beta": {"covariance": beta},
            "corr-cumulative": {"correlation": sqrt(beta / (1 - alpha_bar))},
            "corr-uses-v-prev": {"correlation": sqrt(beta / v_prev)},
        },
        because={
            "independent": "the noise is independent of what goes in, so one forgets that it is part of what comes out"
        },
    ),
    Claim(
        "reversal.naive-marginal",
        "One naive step from a correct x_t gives x_{t-1} with extra noise of variance 2 "
        "beta_t/alpha_t; the mean is right.",
        proved_by=(one_naive_step, variance_after_one_step, mean_after_one_step),
        evidence="S M P",
        mistakes={
            "one-beta": {"spread": beta / alpha, "variance": v_prev + beta / alpha},
            "two-beta-no-alpha": {"spread": 2 * beta, "variance": v_prev + 2 * beta},
            "variance-preserved": {"variance": v_prev},
            "mean-shrinks": {"mean": sqrt(alpha) * m_prev},
        },
    ),
    Claim(
        "reversal.naive-chain",
        "The naive chain returns the data with extra noise of variance 2(1/alpha_bar_T - 1); from N(0, 1) it explodes.",
        proved_by=(fresh_noises_add_up, one_more_step, chain_from_a_correct_end, chain_from_noise),
        evidence="S Q M P B",
        mistakes={
            "one-over-alphabar": {"variance": 1 / alpha_bar_T},
            "factor-one": {"added": 1 / alpha_bar_T - 1},
            "stays-unit": {"variance": Integer(1)},
            "sum-no-alphabar": {"noises": Sum(beta_of / (1 - beta_of), (t, 1, T))},
        },
        because={"sum-no-alphabar": "each noise is divided by its own alpha, and later divisions are forgotten"},
    ),
    Claim(
        "reversal.discrete-toy",
        "A flipped bit: x_{t-1} = x_t xor n holds surely, and yet P(x_{t-1} = 1 | x_t = 1) is 1 - "
        "eps only for pi = 1/2.",
        proved_by=(flipped_bit, price_of_the_naive_bit, rare_flips),
        evidence="S Q M P",
        mistakes={
            "naive": {"posterior": 1 - flip},
            "prior-swapped": {"posterior": (1 - flip) * (1 - pi_1) / ((1 - flip) * (1 - pi_1) + flip * pi_1)},
            "posterior-of-output": {"posterior": (1 - flip) * p_1 / ((1 - flip) * p_1 + flip * (1 - p_1))},
            "needs-small-eps": {"odds": Integer(1)},
        },
        because={"posterior-of-output": "the prior is taken to be the law of what one sees"},
    ),
]

# A world for the witness: a schedule, beside the one step.

decay = exp(-t / 10 - t**2 / 30)
WORLD = ONE_STEP | {a: decay}
