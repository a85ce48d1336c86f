r"""The two terms of a VAE's loss, coordinate by coordinate: a divergence, and what "reconstruction error" stands for.

.. math:: D_{KL}\bigl(\mathcal N(\mu,\operatorname{diag}\sigma^2)\,\|\,\mathcal N(0,I)\bigr)
          =\tfrac12\sum_j\bigl(\mu_j^2+\sigma_j^2-1-\log\sigma_j^2\bigr),\qquad
          -\log\mathcal N(x;f,\sigma^2I)=\frac{\|x-f\|^2}{2\sigma^2}+\frac n2\log(2\pi\sigma^2),\qquad
          -\log p(x\mid a)=\sum_j\bigl(\log(1+e^{a_j})-x_ja_j\bigr).

A reconstruction error is a likelihood, and its scale is a choice of variance. "Sum of squares + KL" is the negative
ELBO of a decoder with the variance 1/2, and "mean of squares + KL" that of one with the variance n/2: for 28 x 28
pixels a standard deviation of twenty, where a pixel ranges over one. The variance that fits best is the mean square.

Cross-entropy, in the logit a, is a likelihood for black and white. For grey values it is a number all the same, but
over :math:`0\le x\le1` the "density" :math:`e^{-\text{loss}}` integrates to :math:`\tanh(a/2)/a`, at most 1/2.

References:
    Kingma & Welling (2013), Auto-encoding variational Bayes, eq. (10) and appendix B.
"""

from sympy import Integer, Integral, Product, Rational, Sum, exp, log, pi, sqrt

from ..calculus import (
    KL,
    Density,
    RealFunction,
    algebra,
    by_parts,
    d,
    differentiation,
    elementary_integral,
    eq,
    gaussian_moments,
    ge,
    le,
    let,
    limit,
    linearity,
    log_tangent,
    logarithms,
    naturals,
    nonzeros,
    normal,
    pointwise,
    positives,
    positivity,
    reals,
    tends_to,
    units,
)
from ..claim import Claim

# Notation: a letter for one coordinate, and with an index for each of n.

n, j = naturals("n j")

mu, log_variance, z, y = reals(r"\mu \ell z y")
sigma, v = positives(r"\sigma v")
mu_j, log_variance_j = RealFunction(r"\mu", at=[j]), RealFunction(r"\ell", at=[j])
encoder, prior = normal(z, mu, sigma**2), normal(z, 0, 1)
some, some_prior = Density("q_1", [y]), Density("p_1", [y])  # of some coordinates, and of another
other, other_prior = Density("q_2", [z]), Density("p_2", [z])

x, f, squares = reals("x f S")
x_j, f_j = RealFunction("x", at=[j]), RealFunction("f", at=[j])
mse = positives("m")  # the mean of the squares

prob, u, w = units(r"\pi u w")  # of a white pixel; a grey value
logit = nonzeros("a")
sigmoid = exp(logit) / (1 + exp(logit))

# Statement


cost = (mu**2 + sigma**2 - 1 - log(sigma**2)) / 2
from_log_variance = (mu**2 + exp(log_variance) - 1 - log_variance) / 2
total_cost = Sum((mu_j**2 + exp(log_variance_j) - 1 - log_variance_j) / 2, (j, 1, n))

loss = (x - f) ** 2 / (2 * sigma**2) + log(2 * pi * sigma**2) / 2
total_loss = squares / (2 * sigma**2) + n * log(2 * pi * sigma**2) / 2
for_sums, for_means = Rational(1, 2), n / 2  # the variances of which the plain losses speak
best = mse
least = n * (1 + log(2 * pi * mse)) / 2

cross_entropy = -(x * log(prob) + (1 - x) * log(1 - prob))
from_logit = log(1 + exp(logit)) - x * logit
normaliser = (exp(logit) - 1) / (logit * (exp(logit) + 1))  # tanh(a/2)/a
largest = Rational(1, 2)


def one_coordinate(cost=cost):
    """One coordinate of the code, against its prior."""
    yield KL(encoder, prior)
    yield eq(cost, by=gaussian_moments)


def log_variance_encoder(cost=cost, from_log_variance=from_log_variance):
    """An encoder puts out the logarithm of the variance, which may be any number."""
    yield let(log_variance, log(sigma**2))
    yield from_log_variance
    yield eq(cost, by=algebra)


def one_coordinate_more():
    """Of independent coordinates the logarithms add up, and so do their means, ..."""
    yield KL(some * other, some_prior * other_prior)
    yield eq(KL(some, some_prior) + KL(other, other_prior), by=linearity)


def all_coordinates(total=total_cost):
    """... so that the divergence of n of them is a sum, not a mean."""
    yield Sum(KL(normal(z, mu_j, exp(log_variance_j)), prior), (j, 1, n))
    yield eq(total, by=pointwise(gaussian_moments))


def one_pixel(loss=loss):
    """Gaussian noise about f: squares are a likelihood, in units of the variance."""
    yield -log(normal(x, f, sigma**2))
    yield eq(loss, by=algebra)


def all_pixels(total=total_loss):
    """Of n independent pixels only the sum of squares counts, and each brings its log σ."""
    yield let(squares, Sum((x_j - f_j) ** 2, (j, 1, n)))
    yield Product(normal(x_j, f_j, sigma**2), (j, 1, n))
    yield eq(exp(-total), by=logarithms)


def sum_of_squares(total=total_loss, for_sums=for_sums):
    """The plain sum of squares is the loss for this variance, up to a constant, ..."""
    yield total.xreplace({sigma: sqrt(for_sums)})
    yield eq(squares + n * log(pi) / 2, by=algebra)


def mean_of_squares(total=total_loss, for_means=for_means):
    """... and the plain mean of squares for this one, which grows with the image."""
    yield total.xreplace({sigma: sqrt(for_means)})
    yield eq(squares / n + n * log(pi * n) / 2, by=algebra)


def in_the_mean_square(total):
    return total.xreplace({squares: n * mse})


def best_variance(total=total_loss, best=best):
    """As the variance grows, the loss falls up to here, and rises afterwards: ..."""
    yield d(v, in_the_mean_square(total).xreplace({sigma: sqrt(v)}))
    yield eq(n * (v - best) / (2 * v**2), by=differentiation)


def least_loss(total=total_loss, best=best, least=least):
    """... this is its value there, ..."""
    yield in_the_mean_square(total).xreplace({sigma: sqrt(best)})
    yield eq(least, by=algebra)


def no_variance_does_better(total=total_loss, least=least):
    """... and no variance has a smaller one."""
    yield least - in_the_mean_square(total)
    yield eq(n * (log(mse / sigma**2) + 1 - mse / sigma**2) / 2, by=algebra)
    yield le(0, by=log_tangent())


def black_or_white(cross_entropy=cross_entropy):
    """A pixel is white, x = 1, with the probability π, or black, x = 0."""
    yield prob**x * (1 - prob) ** (1 - x)
    yield eq(exp(-cross_entropy), by=logarithms)


def logit_decoder(cross_entropy=cross_entropy, from_logit=from_logit):
    """A decoder puts out the logit a, of which π is the sigmoid."""
    yield cross_entropy.xreplace({prob: sigmoid})
    yield eq(from_logit, by=algebra)


def one_in_all(from_logit=from_logit):
    """White and black together are certain, ..."""
    white, black = from_logit.xreplace({x: Integer(1)}), from_logit.xreplace({x: Integer(0)})
    yield exp(-white) + exp(-black)
    yield eq(1, by=algebra)


def grey(from_logit=from_logit, normaliser=normaliser):
    """... but over all shades of grey, what ought to be a density has this mass, ..."""
    yield Integral(exp(-from_logit.xreplace({x: u})), (u, 0, 1))
    yield eq(Integral(exp(logit * u), (u, 0, 1)) / (1 + exp(logit)), by=linearity)
    yield eq(normaliser, by=elementary_integral())


def grey_in_the_middle(normaliser=normaliser, largest=largest):
    """... which is largest where the decoder does not know, ..."""
    yield normaliser
    yield tends_to(largest, logit, 0, by=limit())


def never_more(normaliser=normaliser, largest=largest):
    """... and misses this by the integral of a square."""
    yield largest - normaliser
    odds = exp(w * logit)
    slope = Rational(1, 2) - odds / (odds + 1) + odds * (odds - 1) / (odds + 1) ** 2
    yield eq(Integral(slope, (w, 0, 1)), by=by_parts((odds - 1) / (logit * (odds + 1)) - w / 2, w))
    yield eq(Integral(((odds - 1) / (odds + 1)) ** 2 / 2, (w, 0, 1)), by=pointwise(algebra))
    yield ge(0, by=positivity)


WORLD = {
    mu_j: Rational(7, 5) - j / 3,
    log_variance_j: j / 4 - Rational(4, 3),
    x_j: Rational(3, 5) + j / 4,
    f_j: Rational(6, 5) - j**2 / 9,
    some: normal(y, Rational(1, 3), Rational(3, 2)),
    some_prior: normal(y, Rational(-1, 2), 2),
    other: normal(z, Rational(3, 4), Rational(2, 3)),
    other_prior: normal(z, Rational(1, 5), Rational(5, 4)),
}

CLAIMS = [
    Claim(
        "vae.kl-standard-normal",
        "A Gaussian code with independent coordinates diverges from N(0, I) by the sum of "
        "(μ² + σ² − 1 − log σ²)/2 over its coordinates.",
        proved_by=(one_coordinate, log_variance_encoder, one_coordinate_more, all_coordinates),
        evidence="S Q M P T",
        source="the note; Kingma & Welling (2013) eq. 10 and App. B, where it is printed with the other sign",
        mistakes={
            "missing-half": {
                "cost": 2 * cost,
                "from_log_variance": 2 * from_log_variance,
                "total": 2 * total_cost,
            },
            "sign": {
                "cost": -cost,
                "from_log_variance": -from_log_variance,
                "total": -total_cost,
            },
            "logvar-as-logstd": {"from_log_variance": (mu**2 + exp(2 * log_variance) - 1 - 2 * log_variance) / 2},
            "mean-over-dims": {"total": total_cost / n},
            "kl-reversed": {
                "cost": ((1 + mu**2) / sigma**2 - 1 + log(sigma**2)) / 2,
                "from_log_variance": ((1 + mu**2) * exp(-log_variance) - 1 + log_variance) / 2,
                "total": Sum(((1 + mu_j**2) * exp(-log_variance_j) - 1 + log_variance_j) / 2, (j, 1, n)),
            },
        },
        because={
            "sign": "the ELBO contains it with a minus, and a loss is the negative ELBO",
            "logvar-as-logstd": "what the encoder puts out is read as log σ: σ = exp(ℓ) with ℓ = log σ²",
            "mean-over-dims": "a mean over a whole tensor divides by its coordinates as well as by its examples",
        },
    ),
    Claim(
        "vae.gaussian-decoder",
        "Squared error is a Gaussian likelihood: its plain sum speaks of the variance 1/2, its mean of n/2; best is "
        "the mean square.",
        proved_by=(
            one_pixel,
            all_pixels,
            sum_of_squares,
            mean_of_squares,
            best_variance,
            least_loss,
            no_variance_does_better,
        ),
        evidence="S Q P T",
        assumes="x and f differ in some coordinate, where the best variance is spoken of",
        source="the note; Kingma & Welling (2013)",
        mistakes={
            "mse-is-unit-variance": {"for_sums": Integer(1)},
            "mean-means-half": {"for_means": Rational(1, 2)},
            "log-sigma-not-squared": {
                "loss": (x - f) ** 2 / (2 * sigma**2) + log(2 * pi * sigma) / 2,
                "total": squares / (2 * sigma**2) + n * log(2 * pi * sigma) / 2,
            },
            "rmse": {"best": mse**2},
        },
        because={
            "mse-is-unit-variance": "for variance 1 the squares have to be halved",
            "mean-means-half": "a mean over pixels is taken for their sum",
            "rmse": "the standard deviation is set to the mean square",
        },
    ),
    Claim(
        "vae.bernoulli-decoder",
        "Cross-entropy is the likelihood of black and white, softplus(a) − x a in the logit a; over grey values it is "
        "not normalised, but to tanh(a/2)/a ≤ 1/2.",
        proved_by=(black_or_white, logit_decoder, one_in_all, grey, grey_in_the_middle, never_more),
        evidence="S Q P T",
        assumes="x is 0 or 1 for a likelihood; the normaliser at a = 0 is its limit, 1/2",
        source="the note; Kingma & Welling (2013)",
        mistakes={
            "second-term-dropped": {"cross_entropy": -x * log(prob)},
            "softplus-minus-l": {"from_logit": log(1 + exp(logit)) - logit},
            "sign": {"cross_entropy": -cross_entropy, "from_logit": -from_logit},
            "normalised-on-unit-interval": {"normaliser": Integer(1)},
        },
        because={
            "second-term-dropped": "the cross-entropy of classes that exclude each other, for which one term is enough",
            "normalised-on-unit-interval": "a loss for grey pixels is taken for a negative log likelihood",
        },
    ),
]
