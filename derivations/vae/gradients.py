r"""How to differentiate an average over a sample: move the point, or weigh it; without a path there is nothing.

With :math:`z=\mu+\sigma\epsilon` and :math:`\epsilon\sim\mathcal N(0,1)`, z is a draw from
:math:`\mathcal N(\mu,\sigma^2)`, and for any smooth f

.. math:: \partial_\mu\mathbb Ef(z)=\mathbb Ef'(z)=\mathbb E\Bigl[f(z)\frac{z-\mu}{\sigma^2}\Bigr],\qquad
          \partial_\sigma\mathbb Ef(z)=\mathbb E[\epsilon f'(z)]=\sigma\,\mathbb Ef''(z),\qquad
          \partial_{\sigma^2}\mathbb Ef(z)=\tfrac12\mathbb Ef''(z).

The score-function estimator moves the density and leaves f where it is, so f may be anything, a step for instance; the
pathwise one moves the point, and needs a slope. They are one integration by parts apart. Both are unbiased, and differ
in how much they vary: for :math:`f=z^2` and :math:`\mu=0` by a factor of nearly four, and by more with every standard
deviation that :math:`\mu` is away from zero.

In the variance everything is smooth in the precision :math:`\lambda=1/\sigma^2`, which enters the exponent like a
coordinate; :math:`\partial_{\sigma^2}` is :math:`-\lambda^2\partial_\lambda`, and :math:`\partial_\sigma` is
:math:`2\sigma\,\partial_{\sigma^2}`.

References:
    Kingma & Welling (2013), Auto-encoding variational Bayes, section 2.4.
    Price (1958), A useful theorem for nonlinear devices having Gaussian inputs.
    Rezende, Mohamed & Wierstra (2014), Stochastic backpropagation, on the identities of Bonnet and Price.
    Williams (1992), Simple statistical gradient-following algorithms.
"""

from sympy import Integer, Matrix, erf, exp, log, oo, sqrt

from ..calculus import (
    E,
    RealFunction,
    UnitFunction,
    Var,
    algebra,
    by_parts,
    change_of_variables,
    d,
    definition,
    differentiation,
    eq,
    gaussian_integral,
    gaussian_moments,
    integral,
    let,
    limit,
    linearity,
    matrices,
    normal,
    pointwise,
    positives,
    reals,
    rearranging,
    tends_to,
    theorem,
    under_the_integral,
)
from ..calculus.notation import DIMENSION
from ..claim import Claim

# Notation

z, e, mu, log_variance, c, b, t = reals(r"z \epsilon \mu \ell c b t")
sigma, precision = positives(r"\sigma \lambda")
L = matrices("L")

law, noise = normal(z, mu, sigma**2), normal(e, 0, 1)
the_sigma = let(sigma, 1 / sqrt(precision))

f, slope, curvature = (RealFunction("f" + "'" * k, [z]) for k in range(3))
derivatives = definition("f' and f''", {slope: d(z, f), curvature: d(z, d(z, f))})
in_the_variance = -(precision**2) * d(precision, E(normal(z, mu, 1 / precision), f))
uniform = UnitFunction("u", [e])  # the quantile of a normal number: as likely to be anywhere in (0, 1)
above = (1 + erf((mu - b) / (sqrt(2) * sigma))) / 2  # the probability of z > b

# Statement

sample = mu + sigma * e
from_log_variance = mu + exp(log_variance / 2) * e
covariance = L * L.T

weighed = (f - c) * (z - mu) / sigma**2
bias = Integer(0)  # of a baseline c
pathwise_variance = 4 * sigma**2  # for f = z^2
score_variance = mu**4 / sigma**2 + 14 * mu**2 + 15 * sigma**2

by_mean, by_variance, by_sigma = E(law, slope), E(law, curvature / 2), sigma * E(law, curvature)

along_sigma, along_log_variance = e * slope(sample), sigma / 2 * e * slope(sample)
of_a_step = normal(b, mu, sigma**2)

no_path_to_mu, no_path_to_sigma = Integer(0), Integer(0)
true_by_mu, true_by_sigma = 2 * mu, 2 * sigma  # for f = z^2

# The law of a sample


def law_of_the_sample(sample=sample):
    """Whatever one asks of μ + σε, the answer is that of N(μ, σ²)."""
    yield E(noise, f(sample))
    yield eq(E(law, f), by=change_of_variables(e, (z - mu) / sigma, z))


def scaled_by_the_log_variance(sample=sample, from_log_variance=from_log_variance):
    """An encoder that puts out the logarithm of the variance has to halve it."""
    yield let(log_variance, log(sigma**2))
    yield from_log_variance
    yield eq(sample, by=algebra)


def law_of_a_vector(covariance=covariance):
    """Two coordinates from two noises: all their moments, by the function that generates them."""
    s, m, k, e_1, e_2 = reals(r"s \mu_1 \mu_2 \epsilon_1 \epsilon_2")
    rows = Matrix(2, 2, reals("L_{11} L_{12} L_{21} L_{22}"))
    matrix, (z_1, z_2) = in_two(covariance, rows), Matrix([m, k]) + rows * Matrix([e_1, e_2])
    yield integral(normal(e_1, 0, 1) * normal(e_2, 0, 1) * exp(s * z_1 + t * z_2), e_1, e_2)
    spread = s**2 * matrix[0, 0] + s * t * (matrix[0, 1] + matrix[1, 0]) + t**2 * matrix[1, 1]
    yield eq(exp(s * m + t * k + spread / 2), by=gaussian_integral(e_1, e_2))


def in_two(formula, rows):
    """A formula of matrices, written out for two rows."""
    explicit = formula.subs(DIMENSION, 2).as_explicit()
    return explicit.xreplace({L.subs(DIMENSION, 2)[i, k]: rows[i, k] for i in range(2) for k in range(2)})


# The density moves


def derivative_by_weighing(weighed=weighed):
    """The point stays, and its weight changes; a constant less changes nothing, for weights average to zero."""
    yield d(mu, E(law, f))
    yield eq(E(law, f * (z - mu) / sigma**2), by=under_the_integral(mu))
    yield eq(E(law, weighed), by=gaussian_moments)


def baseline(bias=bias):
    """The weight is the slope of log q in its mean."""
    yield E(law, c * d(mu, log(law)))
    yield eq(E(law, c * (z - mu) / sigma**2), by=pointwise(differentiation))
    yield eq(bias, by=gaussian_moments)


def variance_along_the_path(pathwise_variance=pathwise_variance):
    """For f = z², along the path, one draw varies as much whatever the mean is, ..."""
    yield Var(noise, 2 * (mu + sigma * e))
    yield eq(pathwise_variance, by=gaussian_moments)


def variance_of_the_weighed(score_variance=score_variance):
    """... and when it is weighed, with the fourth power of the mean.  What a baseline is for: ..."""
    yield Var(law, z**2 * (z - mu) / sigma**2)
    yield eq(score_variance, by=gaussian_moments)


def variance_with_a_baseline(weighed=weighed, score_variance=score_variance):
    """... the one of μ² + 3σ², which is more than the mean of f, takes away the most of this."""
    best = mu**2 + 3 * sigma**2
    yield Var(law, weighed.xreplace({f: z**2}))
    yield eq(score_variance + ((c - best) ** 2 - best**2) / sigma**2, by=gaussian_moments)


# From the density to the function


def bonnet(by_mean=by_mean):
    """The slope of the density, passed on to f."""
    yield d(mu, E(law, f))
    yield eq(E(law, f * (z - mu) / sigma**2), by=under_the_integral(mu))
    yield eq(integral(d(z, f) * law, z), by=by_parts(-f * law, z))
    yield eq(by_mean, by=derivatives)


def once_by_parts():
    """In σ², whose slope is −λ² ∂_λ with λ = 1/σ², the density has two slopes to pass on.  The first ..."""
    yield the_sigma
    away = (z - mu) / sigma
    yield in_the_variance
    yield eq(E(law, f * (away**2 - 1) / (2 * sigma**2)), by=under_the_integral(precision))
    yield eq(integral(d(z, f) * away * law, z) / (2 * sigma), by=by_parts(-away * f * law / (2 * sigma), z))
    yield eq(E(law, slope * away) / (2 * sigma), by=derivatives)


def price(by_variance=by_variance):
    """... and the second: averages obey the heat equation."""
    yield the_sigma
    yield in_the_variance
    yield eq(E(law, slope * (z - mu)) / (2 * sigma**2), by=theorem(once_by_parts))
    yield eq(integral(d(z, slope) * law, z) / 2, by=by_parts(-slope * law / 2, z))
    yield eq(by_variance, by=derivatives)


def price_in_sigma(by_sigma=by_sigma):
    """The slope in σ is 2σ times that in σ²."""
    yield the_sigma
    yield 2 * sigma * in_the_variance
    yield eq(2 * sigma * by_variance, by=rearranging(price))
    yield eq(by_sigma, by=linearity)


# The point moves


def along_the_mean(along_mean=slope(sample)):
    """The sample moves with μ, ..."""
    yield d(mu, E(law, f))
    yield eq(E(law, slope), by=theorem(bonnet))
    yield eq(E(noise, along_mean), by=change_of_variables(z, sample, e))


def along_the_scale(along_sigma=along_sigma):
    """... and with σ as far as its noise is from zero; in σ the slope is 2σ times that in σ², −λ² ∂_λ."""
    yield the_sigma
    yield 2 * sigma * in_the_variance
    yield eq(E(law, slope * (z - mu) / sigma), by=rearranging(once_by_parts))
    yield eq(E(noise, along_sigma), by=change_of_variables(z, sample, e))


def along_the_log_variance(along_log_variance=along_log_variance):
    """For the logarithm of the variance it is σ² times that in σ²: half of σ is left."""
    yield the_sigma
    yield sigma**2 * in_the_variance
    yield eq(E(law, slope * (z - mu) / 2), by=rearranging(once_by_parts))
    yield eq(E(noise, along_log_variance), by=change_of_variables(z, sample, e))


def probability_above():
    """A step has no slope to speak of.  Its mean is the probability to be above it, which falls with the density ..."""
    yield d(b, above)
    yield eq(-normal(b, mu, sigma**2), by=differentiation)


def nothing_is_above_infinity():
    """... to zero, ..."""
    yield above.xreplace({b: mu + sigma * t})
    yield tends_to(0, t, oo, by=limit())


def derivative_of_a_step(of_a_step=of_a_step):
    """... and grows with μ by the density at the step, which no slope of a sample shows."""
    yield d(mu, above)
    yield eq(of_a_step, by=differentiation)


# No path


def detached_from_mu(no_path_to_mu=no_path_to_mu):
    """A number that was drawn is a number: it has no slope in μ, ..."""
    yield d(mu, z**2)
    yield eq(no_path_to_mu, by=differentiation)


def detached_from_sigma(no_path_to_sigma=no_path_to_sigma):
    """... nor in σ, ..."""
    yield d(sigma, z**2)
    yield eq(no_path_to_sigma, by=differentiation)


def mean_of_squares():
    """... although its square depends on both, on average."""
    yield E(law, z**2)
    yield eq(mu**2 + sigma**2, by=gaussian_moments)


def true_slope_in_mu(true_by_mu=true_by_mu):
    """The true slope in μ, ..."""
    yield d(mu, E(law, z**2))
    yield eq(d(mu, mu**2 + sigma**2), by=theorem(mean_of_squares))
    yield eq(true_by_mu, by=differentiation)


def true_slope_in_sigma(true_by_sigma=true_by_sigma):
    """... and in σ."""
    yield d(sigma, E(law, z**2))
    yield eq(d(sigma, mu**2 + sigma**2), by=theorem(mean_of_squares))
    yield eq(true_by_sigma, by=differentiation)


bump = exp(-((z - 1) ** 2))
WORLD = {
    f: z**3 / 5 + bump,
    slope: 3 * z**2 / 5 - 2 * (z - 1) * bump,
    curvature: 6 * z / 5 + (4 * (z - 1) ** 2 - 2) * bump,
    uniform: (1 + erf(e / sqrt(2))) / 2,
}

smooth = "f is absolutely continuous, with an integrable derivative"

CLAIMS = [
    Claim(
        "vae.reparam-law",
        "μ + σε is a draw from N(μ, σ²), coordinate by coordinate; μ + Lε has the covariance LLᵀ.",
        proved_by=(law_of_the_sample, scaled_by_the_log_variance, law_of_a_vector),
        evidence="S M P",
        source="the note; Kingma & Welling (2013) section 2.4",
        mistakes={
            "variance-as-scale": {"sample": mu + sigma**2 * e},
            "logvar-scale": {"from_log_variance": mu + exp(log_variance) * e},
            "LtL": {"covariance": L.T * L},
            "uniform-noise": {"sample": mu + sigma * uniform},
        },
        because={
            "variance-as-scale": "the noise is multiplied by what the encoder calls its variance",
            "LtL": "right if L is diagonal",
            "uniform-noise": "rand for randn",
        },
    ),
    Claim(
        "vae.score-function-gradient",
        "The slope in μ of a mean over N(μ, σ²) is the mean of (f − c)(z − μ)/σ², for any f and any constant c.",
        proved_by=(
            derivative_by_weighing,
            baseline,
            variance_along_the_path,
            variance_of_the_weighed,
            variance_with_a_baseline,
        ),
        evidence="S Q M",
        assumes="f is integrable against Gaussians; the baseline does not depend on z",
        source="Williams (1992); Kingma & Welling (2013) section 2.2",
        tier="extended",
        mistakes={
            "sigma-not-squared": {"weighed": (f - c) * (z - mu) / sigma},
            "baseline-biases": {"bias": c},
            "variance-formulas-swapped": {
                "pathwise_variance": score_variance,
                "score_variance": pathwise_variance,
            },
            "baseline-dependent-on-z": {"weighed": (f - c * z) * (z - mu) / sigma**2},
        },
        because={
            "sigma-not-squared": "the standardised noise is taken for the score",
            "baseline-biases": "subtracted from f, it seems to be subtracted from the answer",
            "baseline-dependent-on-z": "a baseline that has seen the draw, such as another network's guess of f(z)",
        },
    ),
    Claim(
        "vae.price-bonnet",
        "Under N(μ, σ²), the slope of E f in μ is E f', in σ² it is E f''/2, and in σ it is σ E f''.",
        proved_by=(bonnet, once_by_parts, price, price_in_sigma),
        evidence="S Q P",
        assumes="f and f' are absolutely continuous, with integrable derivatives",
        source="Bonnet (1964), Price (1958); Rezende et al. (2014)",
        tier="extended",
        mistakes={
            "no-half": {"by_variance": E(law, curvature)},
            "wrt-sigma": {"by_sigma": E(law, curvature / 2)},
            "first-derivative": {"by_variance": E(law, slope / 2)},
        },
        because={"wrt-sigma": "the slope in the variance is taken for that in the standard deviation"},
    ),
    Claim(
        "vae.reparam-gradient",
        "Through z = μ + σε, the slopes of E f(z) in μ, σ and ℓ = log σ² are the means of f', ε f' and σ ε f'/2.",
        proved_by=(
            along_the_mean,
            along_the_scale,
            along_the_log_variance,
            probability_above,
            nothing_is_above_infinity,
            derivative_of_a_step,
        ),
        evidence="S Q M P T",
        assumes=smooth,
        source="the note; Kingma & Welling (2013) eqs. 4-5 and section 2.4",
        mistakes={
            "no-epsilon": {"along_sigma": slope(sample)},
            "no-half-in-logvar": {"along_log_variance": sigma * e * slope(sample)},
            "indicator": {"of_a_step": Integer(0)},
            "sigma-extra": {"along_sigma": sigma * e * slope(sample)},
        },
        because={"indicator": "the slope of a step is zero wherever a sample falls"},
    ),
    Claim(
        "vae.detached-sample",
        "A sample without a path to μ and σ has the automatic derivative 0; of E z², the true ones are 2μ and 2σ.",
        proved_by=(detached_from_mu, detached_from_sigma, true_slope_in_mu, true_slope_in_sigma),
        evidence="S Q T",
        source="the note",
        mistakes={
            "detached-is-unbiased": {"no_path_to_mu": 2 * mu, "no_path_to_sigma": 2 * sigma},
            "detached-mu-only": {"no_path_to_sigma": 2 * sigma},
        },
        because={
            "detached-is-unbiased": "the values of a detached sample are right, and its slopes are taken to be so too",
            "detached-mu-only": "only the mean is thought to need the path",
        },
    ),
]
