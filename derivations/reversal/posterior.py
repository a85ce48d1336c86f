r"""The kernel given both ends: with x_0 known, x_{t-1} is Gaussian, and nothing about the data is left to know.

.. math:: q(x_{t-1}\mid x_t,x_0)=\mathcal N(x_{t-1};\ \tilde\mu_t,\ \tilde\beta_t),\qquad
          \tilde\mu_t=\frac{\sqrt{\bar\alpha_{t-1}}\,\beta_t}{1-\bar\alpha_t}x_0+\frac{\sqrt{\alpha_t}(1-\bar\alpha_{t-1})}{1-\bar\alpha_t}x_t,\quad
          \tilde\beta_t=\frac{1-\bar\alpha_{t-1}}{1-\bar\alpha_t}\beta_t .

The forward process draws :math:`x_{t-1}` from :math:`\mathcal N(\sqrt{\bar\alpha_{t-1}}x_0,\,1-\bar\alpha_{t-1})`,
then :math:`x_t` from :math:`\mathcal N(\sqrt{\alpha_t}x_{t-1},\,\beta_t)`. This is the kernel that diffusion models
are trained on: a sampler puts a prediction in the place of :math:`x_0`.

References:
    Ho, Jain & Abbeel (2020), Denoising diffusion probabilistic models, eqs. (6)-(7).
"""

from sympy import sqrt

from ..calculus import (
    Density,
    algebra,
    completing_the_square,
    definition,
    eq,
    integral,
    let,
    limit,
    lt,
    normal,
    positives,
    positivity,
    reals,
    tends_to,
    units,
)
from ..claim import Claim

# Notation

x_0, x_prev, x_t, noise = reals(r"x_0 x_{t-1} x_t \bar\epsilon_t")
alpha, alpha_bar_prev, alpha_next = units(r"\alpha_t \bar\alpha_{t-1} \alpha_{t+1}")
beta, alpha_bar = units(r"\beta_t \bar\alpha_t")
WHERE = {beta: 1 - alpha, alpha_bar: alpha * alpha_bar_prev}

kernel = Density("q", [x_prev], given=[x_t, x_0])
step = normal(x_t, sqrt(alpha) * x_prev, beta)
prior = normal(x_prev, sqrt(alpha_bar_prev) * x_0, 1 - alpha_bar_prev)
evidence = normal(x_t, sqrt(alpha_bar) * x_0, 1 - alpha_bar)
bayes = definition("Bayes' rule", {kernel: step * prior / evidence})

# Statement

posterior_mean = (sqrt(alpha_bar_prev) * beta * x_0 + sqrt(alpha) * (1 - alpha_bar_prev) * x_t) / (1 - alpha_bar)
noise_form = (x_t - beta / sqrt(1 - alpha_bar) * noise) / sqrt(alpha)
posterior_variance = (1 - alpha_bar_prev) / (1 - alpha_bar) * beta
posterior_precision = alpha / beta + 1 / (1 - alpha_bar_prev)


def posterior(mean=posterior_mean, variance=posterior_variance):
    """Given both ends, x_{t-1} is Gaussian."""
    yield kernel
    yield eq(step * prior / evidence, by=bayes)
    # The precisions of the two sources add, and so do their pulls.
    precision, pull = positives(r"\Lambda"), reals(r"\eta")
    yield let(precision, alpha / beta + 1 / (1 - alpha_bar_prev))
    yield let(pull, sqrt(alpha) * x_t / beta + sqrt(alpha_bar_prev) * x_0 / (1 - alpha_bar_prev))
    yield eq(normal(x_prev, pull / precision, 1 / precision), by=completing_the_square(x_prev))
    yield eq(normal(x_prev, mean, variance), by=algebra)


def mean_from_noise(mean=posterior_mean, noise_form=noise_form):
    """The same mean in terms of the noise in x_t: what a network that predicts noise is for."""
    yield let(x_t, sqrt(alpha_bar) * x_0 + sqrt(1 - alpha_bar) * noise)
    yield noise_form
    yield eq(mean, by=algebra)


def precisions_add(variance=posterior_variance, precision=posterior_precision):
    """The precision is that of the step, seen from x_{t-1}, and that of the forward process up to t - 1."""
    yield precision
    yield eq(1 / variance, by=algebra)


def narrower_than_the_step(variance=posterior_variance):
    """Knowing x_0 always helps: the variance is less than that of the step."""
    yield variance
    yield lt(beta, by=positivity)


def first_step(variance=posterior_variance):
    """At t = 1 there is nothing left to draw: the posterior is x_0 itself."""
    yield variance
    yield tends_to(0, alpha_bar_prev, 1, by=limit())


WORLD = {kernel: step * prior / integral(step * prior, x_prev)}

DDPM = "Ho et al. (2020) eqs. 6-7"

CLAIMS = [
    Claim(
        "reversal.posterior-mean",
        "Given x_0 and x_t, the mean of x_{t-1} weighs both ends; in terms of the noise in x_t it is one subtraction.",
        proved_by=(posterior, mean_from_noise),
        evidence="S Q M P",
        source=DDPM,
        mistakes={
            "coefficients-swapped": {
                "mean": (sqrt(alpha_bar_prev) * beta * x_t + sqrt(alpha) * (1 - alpha_bar_prev) * x_0) / (1 - alpha_bar)
            },
            "alphabar-t-in-x0": {
                "mean": (sqrt(alpha_bar) * beta * x_0 + sqrt(alpha) * (1 - alpha_bar_prev) * x_t) / (1 - alpha_bar)
            },
            "no-root-alpha": {
                "mean": (sqrt(alpha_bar_prev) * beta * x_0 + alpha * (1 - alpha_bar_prev) * x_t) / (1 - alpha_bar)
            },
            "one-minus-alphabar-t-in-xt": {
                "mean": (sqrt(alpha_bar_prev) * beta * x_0 + sqrt(alpha) * (1 - alpha_bar) * x_t) / (1 - alpha_bar)
            },
            "eps-form-missing-root": {"noise_form": (x_t - beta / (1 - alpha_bar) * noise) / sqrt(alpha)},
        },
    ),
    Claim(
        "reversal.posterior-variance",
        "Given x_0 and x_t, the variance of x_{t-1} is less than beta_t and does not depend on the data.",
        proved_by=(posterior, precisions_add, narrower_than_the_step, first_step),
        evidence="S Q M P",
        source=DDPM,
        mistakes={
            "beta": {"variance": beta},
            "ratio-inverted": {"variance": (1 - alpha_bar) / (1 - alpha_bar_prev) * beta},
            "index-shift": {"variance": (1 - alpha_bar) / (1 - alpha_bar * alpha_next) * beta},
            "squared": {"variance": posterior_variance**2},
        },
        because={"beta": "the variance of the forward step, an upper bound for data of unit variance"},
    ),
]
