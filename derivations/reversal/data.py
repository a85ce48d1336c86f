r"""The reverse kernel knows the data: what it is for mixtures and for data sets, and when it is the forward step.

Backwards, too, the process is a Markov chain: given :math:`x_t`, what comes after t says nothing more of
:math:`x_{t-1}`, so that a sampler may look at :math:`x_t` alone. Its steps are the Bayes kernels, and they are not like
the forward steps: they change with t, and :math:`x_0` would tell them more.

For one law of the data the kernel *is* the forward step, turned round: in equilibrium,

.. math:: \mathcal N(x;0,1)\,\mathcal N(y;\sqrt\alpha\,x,\beta)=\mathcal N(y;0,1)\,\mathcal N(x;\sqrt\alpha\,y,\beta) ,

it multiplies by the root of alpha where the naive kernel divides. For mixtures of Gaussians it is a mixture, with two
peaks where two clusters may explain what is seen; the naive kernel never has two. For a data set
:math:`y_1,\dots,y_N` it is the posterior of each point, weighed by how well the point explains :math:`x_t`: this is
what is meant by "it needs the entire data set".

References:
    Weng (2021), What are diffusion models?, "Reverse diffusion process".
    Karras, Aittala, Aila & Laine (2022), Elucidating the design space of diffusion-based generative models, app. B.3.
"""

from sympy import Abs, Integer, Product, Rational, Sum, exp, log, sqrt

from ..calculus import (
    Density,
    RealFunction,
    algebra,
    completing_the_square,
    d,
    definition,
    differentiation,
    eq,
    gaussian_integral,
    integral,
    let,
    linearity,
    naturals,
    normal,
    pointwise,
    positives,
    reals,
    theorem,
    units,
)
from ..claim import Claim
from .step import WHERE as STEP
from .step import alpha, bayes, beta, m_prev, marginal, posterior, prior, step, v_prev, x_prev, x_t

# Notation: three times s < t < u; the steps between them may be long.

x_s, x_u = reals("x_s x_u")
alpha_ts, alpha_ut, alpha_us = units(r"\alpha_{t|s} \alpha_{u|t} \alpha_{u|s}")
alpha_bar_prev, alpha_bar = units(r"\bar\alpha_{t-1} \bar\alpha_t")
WHERE = STEP | {alpha_us: alpha_ts * alpha_ut, alpha_bar: alpha * alpha_bar_prev}

early, late = Density("q_s", [x_s]), Density("q_u", [x_u])
to_t, to_u = normal(x_t, sqrt(alpha_ts) * x_s, 1 - alpha_ts), normal(x_u, sqrt(alpha_ut) * x_t, 1 - alpha_ut)
past = normal(x_u, sqrt(alpha_us) * x_s, 1 - alpha_us)  # from s to u, past t
path = early * to_t * to_u

s_given_both, t_given_both = Density("q_s", [x_s], given=[x_t, x_u]), Density("q_t", [x_t], given=[x_s, x_u])
u_given_both = Density("q_u", [x_u], given=[x_s, x_t])
s_given_t, t_given_u = Density("q_s", [x_s], given=[x_t]), Density("q_t", [x_t], given=[x_u])
conditionals = definition(
    "Bayes' rule",
    {
        s_given_both: path / integral(path, x_s),
        t_given_both: path / integral(path, x_t),
        u_given_both: path / integral(path, x_u),
        s_given_t: early * to_t / integral(early * to_t, x_s),
        t_given_u: to_u * integral(early * to_t, x_s) / late,
    },
)
v = positives("v")  # of Gaussian data


def noised(variance, shrunk):
    return shrunk * variance + 1 - shrunk


def gain(variance):
    """How the reverse kernel answers to x_t, for Gaussian data of this variance before the step."""
    return sqrt(alpha) * variance / noised(variance, alpha)


# A mixture of K components, with weights w, means a and variances b before the step; a data set of N points y.

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

# Statement

kernel = early * to_t / integral(early * to_t, x_s)
forward = to_u
bridge = normal(
    x_t,
    (sqrt(alpha_ts) * (1 - alpha_ut) * x_s + sqrt(alpha_ut) * (1 - alpha_ts) * x_u) / (1 - alpha_us),
    (1 - alpha_ts) * (1 - alpha_ut) / (1 - alpha_us),
)
told = alpha_ts * (1 - alpha_ut) ** 2 * v / ((1 - alpha_us) * noised(v, alpha_us))
drift = sqrt(alpha) * beta**2 * (1 - v) / (noised(v, alpha) * noised(v, alpha**2))

turned = normal(x_prev, sqrt(alpha) * x_t, beta)
tilt = (prior / normal(x_prev, 0, 1)) / (marginal / normal(x_t, 0, 1))

weight = explained(k) / Sum(explained(j), (j, 1, K))
mean = (sqrt(alpha) * b * x_t + beta * a) / (alpha * b + beta)
variance = beta * b / (alpha * b + beta)

share = near(i) / Sum(near(j), (j, 1, N))
ends = normal(
    x_prev,
    (sqrt(alpha_bar_prev) * beta * y + sqrt(alpha) * (1 - alpha_bar_prev) * x_t) / (1 - alpha_bar),
    (1 - alpha_bar_prev) / (1 - alpha_bar) * beta,
)


def the_future_says_nothing_more(kernel=kernel):
    """Given x_t, the later x_u is noise upon x_t, and has nothing to say of what was before."""
    yield s_given_both
    yield eq(path / integral(path, x_s), by=conditionals)
    yield eq(kernel, by=linearity)


def nor_does_the_past(forward=forward):
    """Forwards the same holds by definition: given x_t, the earlier x_s has nothing to say of what comes."""
    yield u_given_both
    yield eq(path / integral(path, x_u), by=conditionals)
    yield eq(forward, by=gaussian_integral(x_u))


def drawn_backwards():
    """So the whole path may be drawn from its end, one kernel after another."""
    yield path
    yield eq(late * t_given_u * s_given_t, by=conditionals)


def both_ends(bridge=bridge):
    """Backwards the past does say more: with x_s known, the data have no say."""
    yield t_given_both
    yield eq(path / integral(path, x_t), by=conditionals)
    yield eq(to_t * to_u / past, by=gaussian_integral(x_t))
    yield eq(bridge, by=completing_the_square(x_t))


def what_the_past_says(told=told):
    """For Gaussian data it takes away so much of the variance: nothing only if they are a point, v = 0."""
    yield (1 - alpha_ut) * noised(v, alpha_ts) / noised(v, alpha_us) - (1 - alpha_ts) * (1 - alpha_ut) / (1 - alpha_us)
    yield eq(told, by=algebra)


def kernels_change(drift=drift):
    """With the same beta in all steps the reverse kernels change from step to step, unless v = 1."""
    yield gain(noised(v, alpha)) - gain(v)
    yield eq(drift, by=algebra)


def balance(turned=turned):
    """In equilibrium as many go from x to y as from y to x."""
    yield normal(x_prev, 0, 1) * step
    yield eq(normal(x_t, 0, 1) * turned, by=algebra)


def other_data(turned=turned, tilt=tilt):
    """Data of any other law tilt it ..."""
    yield posterior
    yield eq(step * prior / marginal, by=bayes)
    yield eq(turned * tilt, by=algebra)


def no_other_law(tilt=tilt):
    """... for where they do not, the slope of log q_{t-1} is that of a standard normal density, everywhere."""
    yield d(x_prev, log(tilt))
    yield eq(d(x_prev, log(prior)) + x_prev, by=differentiation)


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


def one_point():
    """A point of the data set, noised up to t - 1, and the step: how it explains x_t, and the kernel of both ends."""
    yield arriving * step
    yield eq(normal(x_t, sqrt(alpha_bar) * y, 1 - alpha_bar) * ends, by=algebra)


def kernel_of_a_data_set(weight=share):
    """The kernel is that of both ends, averaged over the points as x_t tells them apart."""
    noised_set = Sum(arriving, (i, 1, N)) / N
    evidence = Sum(normal(x_t, sqrt(alpha_bar) * y(j), 1 - alpha_bar), (j, 1, N))
    yield noised_set * step / integral(noised_set * step, x_prev)
    yield eq(Sum(arriving * step, (i, 1, N)) / Sum(integral(arriving * step, x_prev), (i, 1, N)), by=linearity)
    yield eq(Sum(arriving * step, (i, 1, N)) / evidence, by=gaussian_integral(x_prev))
    yield eq(Sum(arriving * step / evidence, (i, 1, N)), by=linearity)
    yield eq(Sum(weight * ends, (i, 1, N)), by=pointwise(theorem(one_point)))


# What the mistakes are made of


def predicted_twice():
    """x_u, predicted from x_t and again from x_s, the two predictions weighed by their precision."""
    precision = 1 / (1 - alpha_ut) + 1 / (1 - alpha_us)
    pull = sqrt(alpha_ut) * x_t / (1 - alpha_ut) + sqrt(alpha_us) * x_s / (1 - alpha_us)
    return normal(x_u, pull / precision, 1 / precision)


def nearer(i, j):
    """1 if x_t is nearer to the point i than to the point j, and else 0."""
    ahead = (x_t - sqrt(alpha_bar) * y(j)) ** 2 - (x_t - sqrt(alpha_bar) * y(i)) ** 2
    return (1 + ahead / Abs(ahead)) / 2


# The mean and the variance of the whole mixture.
weight_i, mean_i, variance_i = (e.xreplace({k: i}) for e in (weight, mean, variance))
whole_mean = Sum(weight_i * mean_i, (i, 1, K))
whole_variance = Sum(weight_i * (variance_i + (mean_i - whole_mean) ** 2), (i, 1, K))

CLAIMS = [
    Claim(
        "reversal.reversed-chain-markov",
        "Backwards the process is a Markov chain whose steps are the Bayes kernels; they depend on x_0, if it is "
        "known, and change with t.",
        proved_by=(
            the_future_says_nothing_more,
            nor_does_the_past,
            drawn_backwards,
            both_ends,
            what_the_past_says,
            kernels_change,
        ),
        evidence="S Q P",
        mistakes={
            "needs-whole-future": {"kernel": early * to_t * past / integral(early * to_t * past, x_s)},
            "forward-depends-on-x0": {"forward": predicted_twice()},
            "reverse-ignores-x0": {"bridge": t_given_u, "told": Integer(0)},
            "homogeneous": {"drift": Integer(0)},
        },
        because={
            "needs-whole-future": "x_u is taken for a second observation of x_s, though it is one of x_t",
            "forward-depends-on-x0": "two predictions are better than one, if their errors are independent",
            "reverse-ignores-x0": "forwards it is so",
            "homogeneous": "the forward kernels are all the same",
        },
    ),
    Claim(
        "reversal.detailed-balance",
        "For q_{t-1} = N(0, 1), and for no other law, the reverse kernel is the forward kernel, with the gain "
        "sqrt(alpha_t).",
        proved_by=(balance, other_data, no_other_law),
        evidence="S Q P",
        mistakes={
            "naive-gain": {"turned": normal(x_prev, x_t / sqrt(alpha), beta)},
            "gain-alpha": {"turned": normal(x_prev, alpha * x_t, beta)},
            "any-gaussian": {
                "tilt": (prior / normal(x_prev, 0, v_prev)) / (marginal / normal(x_t, 0, alpha * v_prev + beta))
            },
            "unit-variance-suffices": {
                "tilt": (normal(x_prev, m_prev, v_prev) / normal(x_prev, 0, 1))
                / (normal(x_t, sqrt(alpha) * m_prev, alpha * v_prev + beta) / normal(x_t, 0, 1))
            },
        },
        because={
            "any-gaussian": "what tilts the kernel is thought to be how far the data are from any Gaussian",
            "unit-variance-suffices": "what tilts it is thought to be the mean and the variance alone",
        },
    ),
    Claim(
        "reversal.gmm-kernel",
        "For a mixture of Gaussians the reverse kernel is a mixture: each component's own kernel, weighed by how it "
        "explains x_t.",
        proved_by=(one_component, how_likely, kernel_of_a_mixture),
        evidence="S Q M P",
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
        proved_by=(one_point, kernel_of_a_data_set),
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


def clusters(x, shrunk):
    """Two clusters at time s, and what becomes of them."""
    parts = ((Rational(3, 10), -1, Rational(1, 2)), (Rational(7, 10), Rational(3, 2), Rational(4, 5)))
    return sum(w * normal(x, sqrt(shrunk) * m, noised(c, shrunk)) for w, m, c in parts)


one = Integer(1)
WORLD = {
    early: clusters(x_s, one),
    late: clusters(x_u, alpha_us),
    s_given_both: path / (to_u * clusters(x_t, alpha_ts)),
    t_given_both: to_t * to_u / past,
    u_given_both: to_u,
    s_given_t: early * to_t / clusters(x_t, alpha_ts),
    t_given_u: to_u * clusters(x_t, alpha_ts) / late,
    prior: clusters(x_prev, one),
    marginal: clusters(x_t, alpha),
    posterior: step * prior / clusters(x_t, alpha),
    m_prev: Rational(3, 4),
    v_prev: Rational(809, 400),
    w: 2 * k / (K * (K + 1)),
    a: 2 - k * Rational(7, 5),
    b: 1 / (k + Rational(1, 3)),
    y: 2 - i**2 * Rational(3, 5),
}
