r"""The reverse kernel knows the data: what it is for mixtures of Gaussians, and for a data set.

.. math:: q(x_{t-1}\mid x_t)=\sum_kr_k(x_t)\,\mathcal N\Bigl(x_{t-1};\
          \frac{\sqrt{\alpha_t}\,b_kx_t+\beta_ta_k}{\alpha_tb_k+\beta_t},\
          \frac{\beta_tb_k}{\alpha_tb_k+\beta_t}\Bigr),\qquad
          r_k\propto w_k\,\mathcal N(x_t;\sqrt{\alpha_t}\,a_k,\ \alpha_tb_k+\beta_t) .

For a mixture it is a mixture, with two peaks where two clusters may explain what is seen; the naive kernel never has
two. For a data set :math:`y_1,\dots,y_N` it is the kernel of both ends for each point, weighed by how well the point
explains :math:`x_t`: this is what is meant by "it needs the entire data set".

References:
    Weng (2021), What are diffusion models?, "Reverse diffusion process".
    Karras, Aittala, Aila & Laine (2022), Elucidating the design space of diffusion-based generative models, app. B.3.
"""

from sympy import Integer, Product, Rational, Sum, exp, log, sign, sqrt

from ..calculus import (
    Density,
    RealFunction,
    algebra,
    completing_the_square,
    d,
    differentiation,
    eq,
    gaussian_integral,
    integral,
    let,
    linearity,
    lt,
    naturals,
    normal,
    pointwise,
    positives,
    positivity,
    reals,
    taylor,
    theorem,
    units,
    up_to,
)
from ..claim import Claim
from .bayes import naive
from .posterior import posterior_mean, posterior_variance, x_0
from .step import WHERE as STEP
from .step import alpha, beta, step, x_prev, x_t

# Notation: a mixture of K components, with weights w, means a and variances b before the step; N points y.

alpha_bar_prev, alpha_bar = units(r"\bar\alpha_{t-1} \bar\alpha_t")
WHERE = STEP | {alpha_bar: alpha * alpha_bar_prev}

i, j, k, K, N = naturals("i j k K N")
w, a, b = Density("w", at=[k]), RealFunction("a", at=[k]), Density("b", at=[k])
y = RealFunction("y", at=[i])


def explained(k, shrunk=sqrt(alpha)):
    """How component k explains x_t."""
    return w(k) * normal(x_t, shrunk * a(k), shrunk**2 * b(k) + beta)


def near(i, scale=sqrt(alpha_bar), variance=1 - alpha_bar):
    """How the point i of the data set explains x_t."""
    return exp(-((x_t - scale * y(i)) ** 2) / (2 * variance))


mixture = Sum(w * normal(x_prev, a, b), (k, 1, K))
arriving = normal(x_prev, sqrt(alpha_bar_prev) * y, 1 - alpha_bar_prev)
arrived = Sum(arriving, (i, 1, N))  # N times the density of x_{t-1}

# Two clusters around c and -c, equally common, and the step, if what is seen is halfway between them: x_t = 0.

c, s = reals("c"), positives("s")
halfway = (normal(x_prev, c, s) + normal(x_prev, -c, s)) / 2 * normal(0, sqrt(alpha) * x_prev, beta)

# Statement

weight = explained(k) / Sum(explained(j), (j, 1, K))
mean = (sqrt(alpha) * b * x_t + beta * a) / (alpha * b + beta)
variance = beta * b / (alpha * b + beta)
curvature = (c**2 - s) / s**2 - alpha / beta

share = near(i) / Sum(near(j), (j, 1, N))
ends = normal(x_prev, posterior_mean.xreplace({x_0: y}), posterior_variance)


def one_component(mean=mean, variance=variance):
    """A component and the step: a Gaussian in x_t, and given x_t one in x_{t-1}."""
    precision, pull = positives(r"\Lambda"), reals(r"\eta")
    yield w * normal(x_prev, a, b) * step
    yield let(precision, alpha / beta + 1 / b)
    yield let(pull, sqrt(alpha) * x_t / beta + a / b)
    yield eq(explained(k) * normal(x_prev, pull / precision, 1 / precision), by=completing_the_square(x_prev))
    yield eq(explained(k) * normal(x_prev, mean, variance), by=algebra)


def how_likely():
    """Integrated over x_{t-1}, the components explain x_t one by one."""
    yield integral(mixture * step, x_prev)
    yield eq(Sum(integral(w * normal(x_prev, a, b) * step, x_prev), (k, 1, K)), by=linearity)
    yield eq(Sum(explained(k), (k, 1, K)), by=pointwise(gaussian_integral(x_prev)))


def kernel_of_a_mixture(weight=weight, mean=mean, variance=variance):
    """Each component has a kernel of its own, weighed by its share in explaining x_t."""
    evidence = Sum(explained(j), (j, 1, K))
    yield mixture * step / integral(mixture * step, x_prev)
    yield eq(mixture * step / evidence, by=theorem(how_likely))
    yield eq(Sum(w * normal(x_prev, a, b) * step / evidence, (k, 1, K)), by=linearity)
    yield eq(Sum(weight * normal(x_prev, mean, variance), (k, 1, K)), by=pointwise(theorem(one_component)))


def two_peaks(curvature=curvature):
    """Halfway between two clusters its logarithm may curve upwards: it has two peaks if they are far apart."""
    yield log(halfway)
    yield up_to(log(halfway.xreplace({x_prev: Integer(0)})) + curvature * x_prev**2 / 2, x_prev, 4, by=taylor())


def never_two():
    """The logarithm of the naive kernel curves downwards everywhere."""
    yield d(x_prev, d(x_prev, log(naive)))
    yield eq(-alpha / beta, by=differentiation)
    yield lt(0, by=positivity)


def one_point():
    """A point of the data set, noised up to t - 1, and the step: how it explains x_t, and the kernel of both ends."""
    yield arriving * step
    yield eq(normal(x_t, sqrt(alpha_bar) * y, 1 - alpha_bar) * ends, by=algebra)


def how_likely_as_a_set():
    """Integrated over x_{t-1}, the points explain x_t one by one."""
    yield integral(arrived * step, x_prev)
    yield eq(Sum(integral(arriving * step, x_prev), (i, 1, N)), by=linearity)
    yield eq(Sum(normal(x_t, sqrt(alpha_bar) * y, 1 - alpha_bar), (i, 1, N)), by=pointwise(gaussian_integral(x_prev)))


def kernel_of_a_data_set(weight=share):
    """The kernel is that of both ends, averaged over the points as x_t tells them apart."""
    likely, evidence = positives("Z"), Sum(normal(x_t, sqrt(alpha_bar) * y(j), 1 - alpha_bar), (j, 1, N))
    yield let(likely, integral(arrived * step, x_prev))
    yield arrived * step / likely
    yield eq(arrived * step / evidence, by=theorem(how_likely_as_a_set))
    yield eq(Sum(arriving * step / evidence, (i, 1, N)), by=linearity)
    yield eq(Sum(weight * ends, (i, 1, N)), by=pointwise(theorem(one_point)))


# What the mistakes are made of


def nearer(i, j):
    """1 if x_t is nearer to the point i than to the point j, and else 0."""
    return (1 + sign((x_t - sqrt(alpha_bar) * y(j)) ** 2 - (x_t - sqrt(alpha_bar) * y(i)) ** 2)) / 2


# The mean and the variance of the whole mixture.
weight_i, mean_i, variance_i = (e.xreplace({k: i}) for e in (weight, mean, variance))
whole_mean = Sum(weight_i * mean_i, (i, 1, K))
whole_variance = Sum(weight_i * (variance_i + (mean_i - whole_mean) ** 2), (i, 1, K))

CLAIMS = [
    Claim(
        "reversal.gmm-kernel",
        "For a mixture of Gaussians the reverse kernel is a mixture: each component's own kernel, weighed by how it "
        "explains x_t.",
        proved_by=(one_component, how_likely, kernel_of_a_mixture, two_peaks, never_two),
        evidence="S Q M P T",
        assumes="the standing assumptions; q_{t-1} is a mixture of Gaussians",
        mistakes={
            "prior-weights": {"weight": w},
            "weights-without-alpha": {"weight": explained(k, 1) / Sum(explained(j, 1), (j, 1, K))},
            "single-gaussian": {"mean": whole_mean, "variance": whole_variance},
            "variance-not-shrunk": {"variance": beta},
        },
        because={
            "prior-weights": "how common a component is, before x_t has been seen",
            "single-gaussian": "with the right mean and variance, and one peak",
            "variance-not-shrunk": "the variance of the step",
        },
    ),
    Claim(
        "reversal.empirical-kernel",
        "For a data set the reverse kernel averages the kernels of both ends over all of its points, weighed by how "
        "they explain x_t.",
        proved_by=(one_point, how_likely_as_a_set, kernel_of_a_data_set),
        evidence="S Q M",
        source='Weng (2021), "Reverse diffusion process"',
        mistakes={
            "uniform-weights": {"weight": 1 / N},
            "weights-at-prev": {
                "weight": near(i, sqrt(alpha_bar_prev), 1 - alpha_bar_prev)
                / Sum(near(j, sqrt(alpha_bar_prev), 1 - alpha_bar_prev), (j, 1, N))
            },
            "nearest-only": {"weight": Product(nearer(i, j), (j, 1, i - 1)) * Product(nearer(i, j), (j, i + 1, N))},
            "unscaled-distance": {"weight": near(i, 1) / Sum(near(j, 1), (j, 1, N))},
        },
        because={"nearest-only": "right where the points are far apart on the scale of the noise"},
    ),
]

# A world for the witness: components and points are there by a formula.

WORLD = {
    w: 2 * k / (K * (K + 1)),
    a: 2 - k * Rational(7, 5),
    b: 1 / (k + Rational(1, 3)),
    y: 2 - i**2 * Rational(3, 5),
}
