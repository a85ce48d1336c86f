r"""What a flat prior is: the limit of priors that know less and less, and the likelihood divided by its own integral.

The likelihood :math:`\mathcal N(y;ax,r)`, with :math:`a\ne0`, says how well each x explains y. With the prior
:math:`\mathcal N(\mu_0,\tau^2)` the posterior of x is Gaussian, and as :math:`\tau\to\infty` it forgets the prior:

.. math::
    p(x\mid y)&\to\mathcal N\Bigl(x;\,\frac ya,\,\frac r{a^2}\Bigr)
    =\frac{\mathcal N(y;ax,r)}{\int\mathcal N(y;ax',r)\,dx'},\qquad \int\mathcal N(y;ax,r)\,dx=\frac1{|a|}, \\
    \mathbb E[x\mid y]&=\frac ya+\frac r{a^2}\Bigl(\mu_0-\frac ya\Bigr)\tau^{-2}+O(\tau^{-4}).

Solving :math:`y=ax+\sqrt r\,\epsilon` for x and drawing a fresh :math:`\epsilon` gives this limit too: that is the
mistake of the chapter on reversal.
"""

from sympy import Abs, Integer, oo

from ..calculus import (
    algebra,
    completing_the_square,
    eq,
    gaussian_integral,
    integral,
    limit,
    nonzeros,
    normal,
    positives,
    reals,
    tends_to,
    theorem,
)
from ..claim import Claim

# Notation

x, y, mu_0, a = *reals(r"x y \mu_0"), nonzeros("a")
r, tau = positives(r"r \tau")

likelihood, prior = normal(y, a * x, r), normal(x, mu_0, tau**2)

# Statement

flat_mean, flat_variance = y / a, r / a**2
mass = 1 / Abs(a)
leading_error = flat_variance * (mu_0 - flat_mean) / tau**2

posterior_variance = 1 / (1 / tau**2 + a**2 / r)
posterior_mean = posterior_variance * (mu_0 / tau**2 + a * y / r)


def mass_of_the_likelihood(normaliser=mass):
    """Over x the likelihood integrates to 1/|a|, not to one."""
    yield integral(likelihood, x)
    yield eq(normaliser, by=gaussian_integral(x))


def likelihood_renormalised(mean=flat_mean, variance=flat_variance):
    """Divided by that, it is a Gaussian in x."""
    yield likelihood / integral(likelihood, x)
    yield eq(Abs(a) * likelihood, by=theorem(mass_of_the_likelihood))
    yield eq(normal(x, mean, variance), by=completing_the_square(x))


def posterior():
    """With a prior that knows something, precisions and pulls add."""
    yield likelihood * prior / integral(likelihood * prior, x)
    yield eq(normal(x, posterior_mean, posterior_variance), by=gaussian_integral(x))


def mean_forgets(mean=flat_mean):
    """A prior that says less and less leaves the mean of the likelihood ..."""
    yield posterior_mean
    yield tends_to(mean, tau, oo, by=limit())


def variance_forgets(variance=flat_variance):
    """... and its variance."""
    yield posterior_variance
    yield tends_to(variance, tau, oo, by=limit())


def error_of_the_mean(error=leading_error):
    """The mean is off by an amount of order 1/τ², which this gives, ..."""
    yield tau**2 * (posterior_mean - y / a)
    yield eq((mu_0 - y / a) / (1 / tau**2 + a**2 / r), by=algebra)
    yield tends_to(tau**2 * error, tau, oo, by=limit())


def error_of_the_error(error=leading_error):
    """... up to a remainder of order 1/τ⁴."""
    yield tau**4 * (posterior_mean - y / a - error)
    yield eq(-flat_variance * (mu_0 - y / a) / (1 / tau**2 + a**2 / r), by=algebra)
    yield tends_to(-(flat_variance**2) * (mu_0 - y / a), tau, oo, by=limit())


CLAIMS = [
    Claim(
        "bayes.flat-prior-limit",
        "As the prior widens, the posterior tends to the likelihood divided by its integral 1/|a|, at the rate 1/τ².",
        proved_by=(
            mass_of_the_likelihood,
            likelihood_renormalised,
            posterior,
            mean_forgets,
            variance_forgets,
            error_of_the_mean,
            error_of_the_error,
        ),
        assumes="a Gaussian prior and likelihood, a ≠ 0",
        kind="limit",
        mistakes={
            "variance-r": {"variance": r},
            "mean-ay": {"mean": a * y},
            "normaliser-one": {"normaliser": Integer(1)},
            "error-order-1": {"error": flat_variance * (mu_0 - flat_mean) / tau},
        },
        because={
            "variance-r": "the noise of y is taken for the uncertainty of x",
            "normaliser-one": "the likelihood is a density, of y",
        },
    )
]
