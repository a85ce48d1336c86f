r"""The reverse kernel is Bayes' rule; the naive inversion is Bayes' rule with a flat prior.

.. math:: q(x_{t-1}\mid x_t)=\frac{q(x_t\mid x_{t-1})\,q_{t-1}(x_{t-1})}{q_t(x_t)}
          =n(x_{t-1}\mid x_t)\cdot\frac{q_{t-1}(x_{t-1})}{\sqrt{\alpha_t}\,q_t(x_t)},\qquad
          n(x_{t-1}\mid x_t)=\mathcal N\bigl(x_{t-1};\,x_t/\sqrt{\alpha_t},\,\beta_t/\alpha_t\bigr).

The forward step says how likely :math:`x_t` is from each :math:`x_{t-1}`. Which :math:`x_{t-1}` there were to come
from is not in it: that is :math:`q_{t-1}`, the data. Without them one has a likelihood, and to normalise a likelihood
is to assume that every :math:`x_{t-1}` was equally common. In d dimensions each coordinate brings a factor
:math:`\sqrt{\alpha_t}` of its own.
"""

from sympy import Integer, log, oo, sqrt

from ..calculus import (
    algebra,
    completing_the_square,
    d,
    differentiation,
    eq,
    gaussian_integral,
    integral,
    let,
    limit,
    normal,
    positives,
    reals,
    tends_to,
    theorem,
)
from ..claim import Claim
from .step import WHERE as STEP
from .step import WORLD, alpha, bayes, beta, marginal, posterior, prior, step, x_prev, x_t

__all__ = ["CLAIMS", "WHERE", "WORLD"]

# Notation: Gaussian data have means m and variances v before and after the step.

m_prev, v_prev = reals("m_{t-1}"), positives("v_{t-1}")
m_t, v_t = reals("m_t"), positives("v_t")
WHERE = STEP | {m_t: sqrt(alpha) * m_prev, v_t: alpha * v_prev + beta}

# Statement

naive_mean, naive_variance = x_t / sqrt(alpha), beta / alpha
naive = normal(x_prev, naive_mean, naive_variance)
likelihood_mass = 1 / sqrt(alpha)
reweighting = prior / (sqrt(alpha) * marginal)
gaussian_mean = m_prev + sqrt(alpha) * v_prev / v_t * (x_t - m_t)
gaussian_variance = beta * v_prev / v_t


def mass_of_the_likelihood(normaliser=likelihood_mass):
    """As a function of x_{t-1} the likelihood is no density: its integral is not one."""
    yield integral(step, x_prev)
    yield eq(normaliser, by=gaussian_integral(x_prev))


def flat_prior(mean=naive_mean, variance=naive_variance):
    """Divided by that, it is the naive kernel: Bayes' rule with a prior that is the same everywhere."""
    yield step / integral(step, x_prev)
    yield eq(sqrt(alpha) * step, by=theorem(mass_of_the_likelihood))
    yield eq(normal(x_prev, mean, variance), by=algebra)


def bayes_kernel(factor=reweighting):
    """The true kernel is the naive one, reweighted by the data."""
    yield posterior
    yield eq(step * prior / marginal, by=bayes)
    yield eq(naive * factor, by=algebra)


def naive_only_if_flat(factor=reweighting):
    """Where the two kernels agree for all x_{t-1}, the prior has no slope; no density on the line is so flat."""
    yield d(x_prev, log(factor))
    yield eq(d(x_prev, log(prior)), by=differentiation)


def gaussian_kernel(mean=gaussian_mean, variance=gaussian_variance):
    """For Gaussian data the prior pulls the naive mean towards its own, and narrows it."""
    precision, pull = positives(r"\Lambda"), reals(r"\eta")
    yield step * normal(x_prev, m_prev, v_prev) / normal(x_t, m_t, v_t)
    # The precisions of the two sources add, and so do their pulls.
    yield let(precision, alpha / beta + 1 / v_prev)
    yield let(pull, sqrt(alpha) * x_t / beta + m_prev / v_prev)
    yield eq(normal(x_prev, pull / precision, 1 / precision), by=completing_the_square(x_prev))
    yield eq(normal(x_prev, mean, variance), by=algebra)


def vague_data_mean(mean=gaussian_mean):
    """Data that say less and less leave the naive mean ..."""
    yield mean
    yield tends_to(naive_mean, v_prev, oo, by=limit())


def vague_data_variance(variance=gaussian_variance):
    """... and the naive variance."""
    yield variance
    yield tends_to(naive_variance, v_prev, oo, by=limit())


def unit_variance(variance=gaussian_variance):
    """For data of unit variance, and for no other, the kernel has the variance of the forward step."""
    yield variance - beta
    yield eq(beta**2 * (v_prev - 1) / v_t, by=algebra)


CLAIMS = [
    Claim(
        "reversal.naive-is-flat-prior",
        "The naive kernel is the likelihood divided by its integral 1/sqrt(alpha_t): Bayes' rule with a flat prior.",
        proved_by=(mass_of_the_likelihood, flat_prior),
        evidence="S Q P",
        mistakes={
            "variance-beta": {"variance": beta},
            "normaliser-one": {"normaliser": Integer(1)},
            "normaliser-alpha": {"normaliser": 1 / alpha},
            "mean-sqrt-alpha-y": {"mean": sqrt(alpha) * x_t},
        },
        because={
            "normaliser-one": "a likelihood is a density in x_t, and is taken to be one in x_{t-1} too",
            "mean-sqrt-alpha-y": "the gain of the forward step is used backwards",
        },
    ),
    Claim(
        "reversal.bayes-kernel",
        "The reverse kernel is the naive one times q_{t-1}(x_{t-1})/(sqrt(alpha_t) q_t(x_t)); they "
        "agree only for a flat prior.",
        proved_by=(bayes_kernel, naive_only_if_flat),
        evidence="S Q P",
        source="the note",
        mistakes={
            "drop-prior": {"factor": Integer(1)},
            "prior-q-t": {"factor": marginal(x_prev) / (sqrt(alpha) * marginal)},
            "no-alpha-factor": {"factor": prior / marginal},
            "inverse-ratio": {"factor": sqrt(alpha) * marginal / prior},
        },
        because={"drop-prior": "this is the naive inversion"},
    ),
    Claim(
        "reversal.gaussian-kernel",
        "For Gaussian data the reverse kernel has the gain sqrt(alpha_t) v_{t-1}/v_t and the "
        "variance beta_t v_{t-1}/v_t.",
        proved_by=(gaussian_kernel, vague_data_mean, vague_data_variance, unit_variance),
        evidence="S Q M P",
        assumes="the standing assumptions; Gaussian data",
        mistakes={
            "naive-variance": {"variance": beta / alpha},
            "gain-inverted": {"mean": m_prev + (x_t - m_t) / sqrt(alpha)},
            "mean-not-centred": {"mean": sqrt(alpha) * v_prev / v_t * x_t},
            "variance-beta": {"variance": beta},
            "v-t-for-v-prev": {"mean": m_prev + sqrt(alpha) * (x_t - m_t), "variance": beta * v_t / v_t},
        },
        because={"variance-beta": "true for data of unit variance, and copied without the condition"},
    ),
]
