r"""n noisy observations of one number with a Gaussian prior: posterior, evidence and prediction are Gaussian.

The prior is :math:`\mathcal N(\theta;\mu_0,\tau^2)`, and :math:`x_1,\dots,x_n` are drawn independently from
:math:`\mathcal N(\theta,\sigma^2)`. Then

.. math:: \theta\mid x\sim\mathcal N(\mu_n,\tau_n^2),\qquad \frac1{\tau_n^2}=\frac1{\tau^2}+\frac n{\sigma^2},\qquad
          \mu_n=\tau_n^2\Bigl(\frac{\mu_0}{\tau^2}+\frac{n\bar x}{\sigma^2}\Bigr).

Precisions add, and means are weighted by them. Only the mean of the observations matters: together they weigh like a
single one, :math:`\bar x`, with variance :math:`\sigma^2/n`. Before :math:`\theta` is known they are not independent,
for they share it: each has the variance :math:`\sigma^2+\tau^2`, and any two the covariance :math:`\tau^2`.

References:
    Bishop (2006), Pattern recognition and machine learning, section 2.3.6.
"""

from sympy import Integer, Product, Rational, Sum, exp, pi, sqrt

from ..calculus import (
    Cov,
    RealFunction,
    Var,
    algebra,
    called,
    completing_the_square,
    eq,
    gaussian_integral,
    gaussian_moments,
    integral,
    let,
    linearity,
    logarithms,
    naturals,
    normal,
    positives,
    reals,
    theorem,
)
from ..claim import Claim

# Notation

theta, mu_0, x_bar, x_new, squares = reals(r"\theta \mu_0 \bar{x} x_\star S")
tau, sigma = positives(r"\tau \sigma")
n, i, j = naturals("n i j")
x = RealFunction("x", at=[i])

prior, observations = normal(theta, mu_0, tau**2), Product(normal(x, theta, sigma**2), (i, 1, n))
the_mean = let(x_bar, Sum(x, (i, 1, n)) / n)
the_squares = let(squares, Sum((x - x_bar) ** 2, (i, 1, n)))
as_one = normal(x_bar, theta, sigma**2 / n)  # the observations, seen as one
# ... and how well they agree among themselves, whatever θ is
agreement = sqrt(2 * pi * sigma**2 / n) * Product(normal(x, x_bar, sigma**2), (i, 1, n))
new = normal(x_new, theta, sigma**2)

e, e_other = reals(r"\epsilon \epsilon'")
noise, other_noise = normal(e, 0, 1), normal(e_other, 0, 1)

# Eigenvalues of a matrix with c everywhere off its diagonal: of (1, ..., 1), and of what is orthogonal to it.
along, across = positives(r"\lambda_1 \lambda_2")
c = (along - across) / n
solution = (x - x_bar) / across + (x_bar - mu_0) / along

z, a, b = reals("x a b")  # two Gaussians in one x
A, B = positives("A B")

# Statement

product_constant = normal(a, b, A + B)
product_variance = 1 / (1 / A + 1 / B)
product_mean = product_variance * (a / A + b / B)

posterior_variance = 1 / (1 / tau**2 + n / sigma**2)
posterior_mean = posterior_variance * (mu_0 / tau**2 + n * x_bar / sigma**2)

evidence_variance = sigma**2 + tau**2  # of one observation
evidence_covariance = tau**2  # of two
predictive_variance = sigma**2 + posterior_variance


def exchangeable(mean, along, across):
    """N(x_1, ..., x_n) with one mean and a covariance matrix with these eigenvalues, the second n - 1 times.

    The first, of (1, ..., 1), measures n (x_bar - mean)^2; the second, of what is orthogonal, the squares about x_bar.
    """
    determinant = along * across ** (n - 1)
    return exp(-(n * (x_bar - mean) ** 2 / along + squares / across) / 2) / sqrt((2 * pi) ** n * determinant)


def gaussian_product(constant=product_constant, mean=product_mean, variance=product_variance):
    """Two Gaussians in x, multiplied, are one in x, times one in their means."""
    precision, pull = positives(r"\Lambda"), reals(r"\eta")
    yield let(precision, 1 / A + 1 / B)
    yield let(pull, a / A + b / B)
    yield normal(z, a, A) * normal(z, b, B)
    yield eq(normal(a, b, A + B) * normal(z, pull / precision, 1 / precision), by=completing_the_square(z))
    yield eq(constant * normal(z, mean, variance), by=algebra)


def only_their_mean_matters():
    """As a function of θ, n observations are one: their mean, with an n-th of the variance."""
    yield the_mean
    yield the_squares
    yield observations
    scatter = Sum((x - theta) ** 2, (i, 1, n))
    yield eq(exp(-scatter / (2 * sigma**2)) / sqrt((2 * pi * sigma**2) ** n), by=logarithms)
    # Squares about θ are squares about the mean, and n times that of the mean about θ.
    yield eq(exp(-(squares + n * (x_bar - theta) ** 2) / (2 * sigma**2)) / sqrt((2 * pi * sigma**2) ** n), by=linearity)
    yield eq(agreement * as_one, by=logarithms)


def posterior(mean=posterior_mean, variance=posterior_variance):
    """Bayes' rule: precisions add, and so do pulls."""
    yield the_mean
    yield prior * observations / integral(prior * observations, theta)
    yield eq(prior * as_one / integral(prior * as_one, theta), by=theorem(only_their_mean_matters))
    yield eq(normal(theta, mean, variance), by=gaussian_integral(theta))


def evidence(variance=evidence_variance, covariance=evidence_covariance):
    """The observations all together, with θ integrated out."""
    yield the_mean
    yield the_squares
    yield let(along, sigma**2 + n * tau**2)
    yield let(across, sigma**2)
    yield integral(prior * observations, theta)
    yield eq(agreement * integral(prior * as_one, theta), by=theorem(only_their_mean_matters))
    yield eq(agreement * normal(x_bar, mu_0, tau**2 + sigma**2 / n), by=gaussian_integral(theta))
    yield eq(exchangeable(mu_0, along, across), by=logarithms)
    # A matrix with v on its diagonal and c elsewhere has the eigenvalues v + (n - 1) c and v - c.
    matrix = variance + (n - 1) * covariance, variance - covariance
    yield eq(exchangeable(mu_0, *matrix), by=called("one variance, one covariance", logarithms))


def covariance_matrix_inverted():
    """Applied to this vector, a matrix with these eigenvalues gives the observations less their mean ..."""
    yield the_mean
    yield across * solution.xreplace({i: j}) + c * Sum(solution, (i, 1, n))
    yield eq(x(j) - mu_0, by=linearity)


def squares_measured():
    """... so that this is the square in their joint density."""
    yield the_mean
    yield the_squares
    yield Sum((x - mu_0) * solution, (i, 1, n))
    yield eq(n * (x_bar - mu_0) ** 2 / along + squares / across, by=linearity)


def variance_of_one(variance=evidence_variance):
    """An observation varies with θ, and with its noise ..."""
    yield Var(prior * noise, theta + sigma * e)
    yield eq(variance, by=gaussian_moments)


def covariance_of_two(covariance=evidence_covariance):
    """... and two of them share the first."""
    yield Cov(prior * noise * other_noise, theta + sigma * e, theta + sigma * e_other)
    yield eq(covariance, by=gaussian_moments)


def predictive(mean=posterior_mean, variance=predictive_variance):
    """The next observation has noise of its own, around a θ that is not known exactly."""
    mu_n, tau_n = reals(r"\mu_n"), positives(r"\tau_n")
    yield let(mu_n, posterior_mean)
    yield let(tau_n, sqrt(posterior_variance))
    yield integral(new * normal(theta, mu_n, tau_n**2), theta)
    yield eq(normal(x_new, mu_n, sigma**2 + tau_n**2), by=gaussian_integral(theta))
    yield eq(normal(x_new, mean, variance), by=algebra)


def ratio_of_evidences(mean=posterior_mean, variance=predictive_variance):
    """The same from the other end: the evidence of n + 1 observations over that of n."""
    yield the_mean
    yield integral(prior * observations * new, theta) / integral(prior * observations, theta)
    ratio = integral(prior * as_one * new, theta) / integral(prior * as_one, theta)
    yield eq(ratio, by=theorem(only_their_mean_matters))
    yield eq(normal(x_new, mean, variance), by=gaussian_integral(theta))


WORLD = {x: Rational(7, 5) - i / 3 + i**2 / 10}  # some data

standing = "a Gaussian prior, independent Gaussian noise of known variance"

CLAIMS = [
    Claim(
        "bayes.gaussian-posterior",
        "A Gaussian prior and n Gaussian observations: precisions add, and the mean is weighted by them.",
        proved_by=(posterior,),
        evidence="S Q P M",
        assumes=standing,
        source="Bishop (2006) section 2.3.6",
        mistakes={
            "std-for-variance": {
                "mean": (mu_0 / tau + n * x_bar / sigma) / (1 / tau + n / sigma),
                "variance": 1 / (1 / tau + n / sigma),
            },
            "n-dropped": {"variance": 1 / (1 / tau**2 + 1 / sigma**2)},
            "dropped-prior": {"mean": x_bar, "variance": sigma**2 / n},
            "weights-swapped": {"mean": posterior_variance * (n * mu_0 / sigma**2 + x_bar / tau**2)},
            "sum-not-mean": {"mean": posterior_variance * (mu_0 / tau**2 + x_bar / sigma**2)},
        },
        because={"dropped-prior": "this is the posterior under a flat prior"},
    ),
    Claim(
        "bayes.gaussian-evidence",
        "With θ integrated out, observations have variance σ² + τ² each and covariance τ² for any two.",
        proved_by=(evidence, covariance_matrix_inverted, squares_measured, variance_of_one, covariance_of_two),
        evidence="S Q M",
        assumes=standing,
        source="Bishop (2006) eq. (2.115)",
        mistakes={
            "iid-evidence": {"covariance": Integer(0)},
            "noise-only": {"variance": sigma**2, "covariance": Integer(0)},
            "std-sum": {"variance": (sigma + tau) ** 2},
        },
        because={"iid-evidence": "independent given θ, which is not given"},
    ),
    Claim(
        "bayes.posterior-predictive",
        "The next observation is Gaussian about the posterior mean, with both variances: of the noise and of θ.",
        proved_by=(predictive, ratio_of_evidences),
        evidence="S Q M",
        assumes=standing,
        source="Bishop (2006) section 2.3.6",
        tier="extended",
        mistakes={
            "plug-in": {"variance": sigma**2},
            "prior-predictive": {"variance": sigma**2 + tau**2},
            "posterior-only": {"variance": posterior_variance},
        },
        because={"plug-in": "the best θ is put in the place of all of them"},
    ),
    Claim(
        "bayes.gaussian-product",
        "N(x; a, A) N(x; b, B) is N(a; b, A + B) times the Gaussian in x whose precision is 1/A + 1/B.",
        proved_by=(gaussian_product,),
        evidence="S Q P",
        assumes="A, B > 0",
        source="Bishop (2006) section 2.3",
        mistakes={
            "forgot-constant": {"constant": Integer(1)},
            "const-variance-C": {"constant": normal(a, b, product_variance)},
            "mean-averaged": {"mean": (a + b) / 2},
            "weights-swapped": {"mean": (a * A + b * B) / (A + B)},
        },
        because={"forgot-constant": "harmless where one normalises afterwards, and nowhere else"},
    ),
]
