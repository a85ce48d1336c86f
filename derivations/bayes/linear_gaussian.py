r"""A Gaussian seen through a linear map with Gaussian noise stays Gaussian.

For vectors :math:`x\sim\mathcal N(m,P)` and :math:`y\mid x\sim\mathcal N(Hx+c,R)` of any dimension,

.. math:: y\sim\mathcal N(Hm+c,\ HPH^\top+R),\qquad
          x\mid y\sim\mathcal N\bigl(\Sigma(P^{-1}m+H^\top R^{-1}(y-c)),\ \Sigma\bigr),\qquad
          \Sigma=(P^{-1}+H^\top R^{-1}H)^{-1}.

Precisions add, and so do pulls: what is known of x beforehand, and what y says of it.  Every Gaussian step of the
diffusion chapters is an instance, with a multiple of the identity for H.

References:
    Bishop (2006), Pattern recognition and machine learning, "Bayes' theorem for Gaussian variables".
"""

from ..calculus import (
    Density,
    E,
    algebra,
    called,
    completing_the_square,
    covariances,
    definition,
    eq,
    gaussian_integral,
    integral,
    let,
    linearity,
    matrices,
    normal,
    pointwise,
    positives,
    quadratic,
    reals,
    theorem,
    vectors,
)
from ..claim import Claim

# Notation

x, y, m, c, pull = vectors(r"x y m c \eta")
H = matrices("H")
P, R, precision = covariances(r"P R \Lambda")
prior, likelihood = normal(x, m, P), normal(y, H * x + c, R)
evidence, posterior_law = Density("p", [y]), Density("p", [x], given=[y])

# Statement

posterior_covariance = (P.inverse() + H.T * R.inverse() * H).inverse()
posterior_mean = posterior_covariance * (P.inverse() * m + H.T * R.inverse() * (y - c))
marginal_mean = H * m + c
marginal_covariance = H * P * H.T + R

sum_rule = definition("p(y) is a marginal", {evidence: E(prior, likelihood)})
bayes = definition("Bayes' rule", {posterior_law: prior * likelihood / evidence})
WORLD = {evidence: E(prior, likelihood), posterior_law: prior * likelihood / E(prior, likelihood)}


def two_squares():
    """Two squares in x are one square in x, and what is left is a square in y."""
    yield let(precision, P.inverse() + H.T * R.inverse() * H)
    yield let(pull, P.inverse() * m + H.T * R.inverse() * (y - c))
    yield quadratic(x - m, P.inverse()) + quadratic(y - H * x - c, R.inverse())
    rest = quadratic(y - marginal_mean, marginal_covariance.inverse())
    yield eq(quadratic(x - precision.inverse() * pull, precision) + rest, by=completing_the_square(x))


def information_in_y():
    """The last of them says how much y tells of itself once x is averaged out (Woodbury's identity)."""
    yield let(precision, P.inverse() + H.T * R.inverse() * H)
    yield marginal_covariance.inverse()
    yield eq(R.inverse() - R.inverse() * H * precision.inverse() * H.T * R.inverse(), by=called("times H P Hᵀ + R"))


def joint(
    posterior_mean=posterior_mean,
    posterior_covariance=posterior_covariance,
    marginal_mean=marginal_mean,
    marginal_covariance=marginal_covariance,
):
    """So the joint density, written with x first, can be written with y first."""
    yield let(precision, P.inverse() + H.T * R.inverse() * H)
    yield let(pull, P.inverse() * m + H.T * R.inverse() * (y - c))
    yield prior * likelihood
    x_law = normal(x, precision.inverse() * pull, precision.inverse())
    yield eq(normal(y, marginal_mean, marginal_covariance) * x_law, by=completing_the_square(x))
    x_law = normal(x, posterior_mean, posterior_covariance)
    yield eq(normal(y, marginal_mean, marginal_covariance) * x_law, by=algebra)


def marginal(marginal_mean=marginal_mean, marginal_covariance=marginal_covariance):
    """What y looks like before x is known: the law of x integrates to one."""
    yield let(precision, P.inverse() + H.T * R.inverse() * H)
    yield let(pull, P.inverse() * m + H.T * R.inverse() * (y - c))
    x_law = normal(x, precision.inverse() * pull, precision.inverse())
    yield evidence
    yield eq(E(prior, likelihood), by=sum_rule)
    yield eq(E(x_law, normal(y, marginal_mean, marginal_covariance)), by=pointwise(theorem(joint)))
    yield eq(normal(y, marginal_mean, marginal_covariance), by=linearity)


def posterior(posterior_mean=posterior_mean, posterior_covariance=posterior_covariance):
    """What y says of x."""
    yield posterior_law
    yield eq(prior * likelihood / evidence, by=bayes)
    yield eq(prior * likelihood / normal(y, marginal_mean, marginal_covariance), by=theorem(marginal))
    yield eq(normal(x, posterior_mean, posterior_covariance), by=theorem(joint))


def marginal_of_numbers():
    """The same for numbers, by an integral."""
    x, y, m, c, h = reals("x y m c h")
    p, r = positives("p r")
    yield integral(normal(y, h * x + c, r) * normal(x, m, p), x)
    yield eq(normal(y, h * m + c, h**2 * p + r), by=gaussian_integral(x))


def posterior_of_numbers():
    """And there a square is completed by hand."""
    x, y, m, c, h, pull = reals(r"x y m c h \eta")
    p, r, precision = positives(r"p r \lambda")
    yield let(precision, 1 / p + h**2 / r)
    yield let(pull, m / p + h * (y - c) / r)
    yield normal(x, m, p) * normal(y, h * x + c, r) / normal(y, h * m + c, h**2 * p + r)
    yield eq(normal(x, pull / precision, 1 / precision), by=completing_the_square(x))


CLAIMS = [
    Claim(
        "bayes.linear-gaussian",
        "A Gaussian seen through a linear map with Gaussian noise: y is Gaussian, and so is x given y; precisions add.",
        proved_by=(
            two_squares,
            information_in_y,
            joint,
            marginal,
            posterior,
            marginal_of_numbers,
            posterior_of_numbers,
        ),
        evidence="S Q P",
        assumes="P and R symmetric and positive definite",
        mistakes={
            "no-offset": {
                "posterior_mean": posterior_covariance * (P.inverse() * m + H.T * R.inverse() * y),
                "marginal_mean": H * m,
            },
            "H-for-Ht": {
                "posterior_mean": posterior_covariance * (P.inverse() * m + H * R.inverse() * (y - c)),
            },
            "R-not-inverted": {
                "posterior_mean": posterior_covariance * (P.inverse() * m + H.T * R * (y - c)),
                "posterior_covariance": (P.inverse() + H.T * R * H).inverse(),
            },
            "marginal-R": {"marginal_covariance": R},
        },
        because={
            "R-not-inverted": "the data are weighted by their variance rather than by their precision",
            "marginal-R": "that is the spread of y once x is known",
        },
    ),
]
