r"""A classifier moves the mean of a small Gaussian step by the variance times its gradient: to first order, no further.

.. math:: \mathcal N(x;\mu,\Sigma)\,p(y\mid x)\approx\mathcal N(x;\mu+\Sigma g,\Sigma)\cdot\text{const},\qquad
          g=\nabla\log p(y\mid\cdot)\big|_\mu .

It is exact if log p(y | x) is affine in x. Else the mean and the variance of what is on the left are

.. math:: \mu+\Sigma\,(\log\bar p)',\quad \Sigma\,\bigl(1+\Sigma\,(\log\bar p)''\bigr),\qquad
          \bar p(\mu)=\int\mathcal N(x;\mu,\Sigma)\,p(y\mid x)\,dx :

not the classifier has to be differentiated, but the classifier that knows of the noise that the step adds. As the step
gets smaller, the two differ by :math:`\tfrac12\Sigma` times the second derivative (the heat equation), so that the mean
is off by :math:`\Sigma^2(gg'+\tfrac12g'')`, and the variance, in units of itself, by :math:`\Sigma g'`.

References:
    Dhariwal & Nichol (2021), Diffusion models beat GANs on image synthesis, eqs. (3)-(10), alg. 1.
    Evans (2010), Partial differential equations, section 2.3 (the heat equation).
"""

from sympy import Integer, Rational, exp, factorial, log, sqrt

from ..calculus import (
    Density,
    E,
    RealFunction,
    UnitFunction,
    Var,
    change_of_variables,
    completing_the_square,
    d,
    definition,
    differentiation,
    eq,
    gaussian_moments,
    integral,
    let,
    linearity,
    normal,
    positives,
    reals,
    rearranging,
    taylor,
    theorem,
    under_the_integral,
    up_to,
)
from ..claim import Claim

# Notation: a step with the mean mu and the variance Sigma; what a classifier says of one label, and its logarithm's
# derivatives at mu.

x, mu, z, b, slope_of_smoothed = reals(r"x \mu z b s")
gradient, slope, curvature = reals("g g' g''")
S, h = positives(r"\Sigma h")

classifier = UnitFunction("p", [x])
smoothed = UnitFunction(r"\bar{p}", [mu], at=[S])
tilted = Density("q", [x], given=[mu], at=[S])
step = normal(x, mu, S)
smoothing = definition("the classifier before the step", {smoothed: integral(step * classifier, x)})
bayes = definition("Bayes' rule", {tilted: step * classifier / smoothed})
here = classifier(mu)
rest = RealFunction("R", [mu], at=[S])
growth = d(mu, d(mu, here)) / (2 * here)
spread = here * exp(S * growth + S**2 * rest)
expansion = definition(
    "R is what is left of the logarithm",
    {smoothed: spread},
    "Evans (2010) section 2.3: the heat equation keeps smooth data smooth, from the time 0 on, and so is R",
)
derivatives = (here, d(mu, here), d(mu, d(mu, here)), d(mu, d(mu, d(mu, here))))
log_classifier = log(here)

# Statement

mean = mu + S * gradient
variance = S
mean_rate, variance_rate = Integer(2), Integer(1)
mean_error = gradient * slope + curvature / 2
variance_error = slope


def affine_logarithm(mean=mean, variance=variance):
    """A logarithm that is affine completes to the same square elsewhere."""
    yield normal(x, mu, S) * exp(b + gradient * (x - mu))
    yield eq(exp(b + S * gradient**2 / 2) * normal(x, mean, variance), by=completing_the_square(x))


def score_of_the_smoothed():
    """The classifier before the step rises to where it makes the step go ..."""
    yield d(mu, log(smoothed))
    yield eq(d(mu, smoothed) / smoothed, by=differentiation)
    yield eq(d(mu, integral(step * classifier, x)) / smoothed, by=smoothing)
    yield eq(integral((x - mu) / S * step * classifier, x) / smoothed, by=under_the_integral(mu))
    yield eq(E(tilted, (x - mu) / S), by=bayes)
    yield eq((E(tilted, x) - mu) / S, by=linearity)


def exact_mean():
    """... so that the mean moves by the variance times its gradient."""
    yield E(tilted, x)
    yield eq(mu + S * d(mu, log(smoothed)), by=rearranging(score_of_the_smoothed))


def mean_moves_with_variance():
    """The mean follows mu as fast as the variance is large ..."""
    yield let(slope_of_smoothed, d(mu, log(smoothed)))
    yield d(mu, E(tilted, x))
    yield eq(d(mu, integral(x * step * classifier, x) / smoothed), by=bayes)
    inside = x * ((x - mu) / S - slope_of_smoothed)
    yield eq(integral(inside * step * classifier, x) / smoothed, by=under_the_integral(mu))
    yield eq(E(tilted, x * (x - mu) / S) - slope_of_smoothed * E(tilted, x), by=bayes)
    yield eq(Var(tilted, x) / S, by=theorem(score_of_the_smoothed))


def exact_variance():
    """... which gives the variance, from the curvature."""
    yield Var(tilted, x)
    yield eq(S * d(mu, E(tilted, x)), by=rearranging(mean_moves_with_variance))
    yield eq(S * d(mu, mu + S * d(mu, log(smoothed))), by=theorem(exact_mean))
    yield eq(S * (1 + S * d(mu, d(mu, log(smoothed)))), by=differentiation)


def heat():
    """What a step does to a classifier is what heat does in the time of half its variance: it spreads."""
    yield let(S, h**2)
    yield smoothed
    yield eq(integral(step * classifier, x), by=smoothing)
    yield eq(integral(normal(z, 0, 1) * classifier(mu + h * z), z), by=change_of_variables(x, mu + h * z, z))
    yield eq(E(normal(z, 0, 1), classifier(mu + h * z)), by=linearity)
    powers = sum(((h * z) ** k * derivative / factorial(k) for k, derivative in enumerate(derivatives)), Integer(0))
    yield up_to(E(normal(z, 0, 1), powers), h, 4, by=taylor("the fourth derivative of p is bounded"))
    yield eq(here + h**2 * d(mu, d(mu, here)) / 2, by=gaussian_moments)
    yield up_to(here * exp(h**2 * growth), h, 4, by=taylor())


def error_of_the_mean(mean=mean, mean_rate=mean_rate, mean_error=mean_error):
    """The classifier itself has another gradient than that which knows of the step, by an order of its variance."""
    yield let(gradient, d(mu, log_classifier))
    yield let(slope, d(mu, d(mu, log_classifier)))
    yield let(curvature, d(mu, d(mu, d(mu, log_classifier))))
    yield E(tilted, x) - mean
    yield eq(S * (d(mu, log(smoothed)) - gradient), by=theorem(exact_mean))
    yield eq(S * (d(mu, log(spread)) - gradient), by=expansion)
    yield up_to(S**2 * d(mu, growth), S, 3, by=taylor())
    yield eq(mean_error * S**mean_rate, by=differentiation)


def error_of_the_variance(variance=variance, variance_rate=variance_rate, variance_error=variance_error):
    """A classifier that is curved makes the step wider or narrower, by an order of its variance as well."""
    yield let(slope, d(mu, d(mu, log_classifier)))
    yield Var(tilted, x) / variance - 1
    yield eq(S * d(mu, d(mu, log(smoothed))), by=theorem(exact_variance))
    yield eq(S * d(mu, d(mu, log(spread))), by=expansion)
    yield up_to(variance_error * S**variance_rate, S, 2, by=taylor())


# A world for the witness: a label that is likely around two places.

HEIGHTS = ((Rational(1), 1, Rational(2, 3)), (Rational(1, 2), Rational(-3, 2), Rational(5, 4)))
LIKELY = Rational(1, 5) + sum(h * normal(x, m, r) for h, m, r in HEIGHTS)
SMOOTHED = Rational(1, 5) + sum(h * normal(mu, m, r + S) for h, m, r in HEIGHTS)
SECOND = sum(h * normal(mu, m, r).spell().diff(mu, 2) for h, m, r in HEIGHTS)
LEFT = log(SMOOTHED / LIKELY.xreplace({x: mu})) - S * SECOND / (2 * LIKELY.xreplace({x: mu}))
WORLD = {classifier: LIKELY, smoothed: SMOOTHED, tilted: step * LIKELY / SMOOTHED, rest: LEFT / S**2}

CLAIMS = [
    Claim(
        "guidance.mean-shift",
        "A classifier moves a Gaussian step by the variance times the gradient of its logarithm: exactly if that is "
        "affine, else with an error of second order in the mean and of first order in the variance.",
        proved_by=(
            affine_logarithm,
            score_of_the_smoothed,
            exact_mean,
            exact_variance,
            heat,
            error_of_the_mean,
            error_of_the_variance,
        ),
        evidence="S Q",
        assumes="p(y | x) is smooth in x, with bounded derivatives",
        source="Dhariwal & Nichol (2021), eqs. 3-10, alg. 1",
        tier="extended",
        kind="limit",
        mistakes={
            "root-sigma": {"mean": mu + sqrt(S) * gradient},
            "no-sigma": {"mean": mu + gradient},
            "minus": {"mean": mu - S * gradient},
            "always-exact": {"mean_error": Integer(0), "variance_error": Integer(0)},
        },
        because={
            "root-sigma": "the step is measured in standard deviations",
            "always-exact": "true of an affine logarithm, and a small step is taken to see no other",
        },
    ),
]
