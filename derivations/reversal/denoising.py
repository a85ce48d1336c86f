r"""What x_t says of x_0: its mean is Tweedie's formula, and the score is an average over what may have been.

.. math:: \mathbb E[x_0\mid x_t]=\frac{x_t+(1-\bar\alpha_t)s_t(x_t)}{\sqrt{\bar\alpha_t}},\qquad
          s_t(x_t)=\mathbb E_{q(x_0\mid x_t)}\bigl[\partial_{x_t}\log q(x_t\mid x_0)\bigr]
          =-\frac{\mathbb E[\bar\epsilon_t\mid x_t]}{\sqrt{1-\bar\alpha_t}} .

The average is over the *posterior* of :math:`x_0`. Over the data it would be a straight line, which is the score of no
data but a point. A network that is trained to predict :math:`\bar\epsilon_t`, the noise of all steps so far, learns its
mean given :math:`x_t`. The rearranged forward step asks for the noise of one step, and of that it knows the mean too,

.. math:: \mathbb E[\epsilon_t\mid x_t]=\sqrt{\beta_t/(1-\bar\alpha_t)}\;\mathbb E[\bar\epsilon_t\mid x_t] :

with it, the rearrangement gives the mean of the reverse kernel. Not so its variance. The kernel mixes the kernels given
both ends over the posterior of :math:`x_0`; whoever puts one prediction in its place forgets how far it may be off.
In d dimensions the curvature of the log density is a matrix, and so are the variances.

References:
    Efron (2011), Tweedie's formula and selection bias.
    Vincent (2011), A connection between score matching and denoising autoencoders.
    Ho, Jain & Abbeel (2020), Denoising diffusion probabilistic models, eq. (11), section 3.2.
    Weng (2021), What are diffusion models?, "Connection with noise-conditioned score networks".
    Bao, Li, Zhu & Zhang (2022), Analytic-DPM.
"""

from sympy import Integer, Rational, log, sqrt

from ..calculus import (
    Density,
    E,
    RealFunction,
    Var,
    algebra,
    d,
    definition,
    differentiation,
    eq,
    gaussian_moments,
    integral,
    let,
    limit,
    linearity,
    normal,
    reals,
    rearranging,
    tends_to,
    theorem,
    tower,
    under_the_integral,
    units,
)
from ..claim import Claim
from .posterior import kernel as between
from .posterior import posterior as kernel_given_both_ends
from .posterior import posterior_mean, posterior_variance
from .score import mean_of_the_noise
from .score import noise as noise_of_the_step
from .step import WHERE as STEP
from .step import alpha, beta, marginal, posterior, prior, score, step, x_prev, x_t

# Notation: from x_0 to x_t in one jump.

x_0, s_t = reals("x_0 s_t")
alpha_bar_prev, alpha_bar = units(r"\bar\alpha_{t-1} \bar\alpha_t")
WHERE = STEP | {alpha_bar: alpha * alpha_bar_prev}

data, guess = Density("q_0", [x_0]), Density("q_0", [x_0], given=[x_t])
m_0, v_0 = RealFunction("m_0"), Density("v_0")  # mean and variance of the data
mode = RealFunction("M", [x_t])  # the most likely x_0, given x_t

jump = normal(x_t, sqrt(alpha_bar) * x_0, 1 - alpha_bar)
noise = (x_t - sqrt(alpha_bar) * x_0) / sqrt(1 - alpha_bar)
slope = (sqrt(alpha_bar) * x_0 - x_t) / (1 - alpha_bar)  # of log jump

bayes = definition("Bayes' rule", {guess: jump * data / marginal})
marginalisation = definition("marginalisation", {marginal: integral(jump * data, x_0)})
mean_of_data = definition("the mean of the data", {m_0: E(data, x_0)})

# What the best network predicts from x_t, the noise or x_0, and how far x_0 may be off.

predicted_noise, predicted_x_0, uncertainty = reals(r"\hat{\epsilon}_t \hat{x}_0 \hat{v}_0")

# x_{t-1} is drawn from x_0 given x_t, and then between the two; x_0 is drawn from x_{t-1} alone.

origin = Density("r", [x_0], given=[x_prev])
from_data = normal(x_prev, sqrt(alpha_bar_prev) * x_0, 1 - alpha_bar_prev)
bayes_rules = definition(
    "Bayes' rule, four times",
    {
        posterior: step * prior / marginal,
        between: step * from_data / jump,
        guess: jump * data / marginal,
        origin: from_data * data / prior,
    },
)
noised_data = definition("x_{t-1} is drawn from the data", {prior: integral(from_data * data, x_0)})
drawn = tower(guess, between, bayes_rules, posterior, origin)

# Statement

average = E(guess, d(x_t, log(jump)))
from_noise = -predicted_noise / sqrt(1 - alpha_bar)
over_the_data = -(x_t - sqrt(alpha_bar) * m_0) / (1 - alpha_bar)

x_0_mean = (x_t + (1 - alpha_bar) * score) / sqrt(alpha_bar)
x_0_variance = (1 - alpha_bar) / alpha_bar * (1 + (1 - alpha_bar) * d(x_t, score))

ratio = sqrt(beta) / sqrt(1 - alpha_bar)
mean_from_noise = (x_t - beta / sqrt(1 - alpha_bar) * predicted_noise) / sqrt(alpha)

known = normal(x_prev, posterior_mean, posterior_variance)
mixture = integral(known * guess, x_0)
plug_in = known.xreplace({x_0: predicted_x_0})
gain = sqrt(alpha_bar_prev) * beta / (1 - alpha_bar)  # of the kernel given both ends, from x_0
mixture_variance = posterior_variance + alpha_bar_prev * beta**2 / (1 - alpha_bar) ** 2 * uncertainty


def score_is_an_average(average=average):
    """The score of what one sees is the score of the noise, averaged over the x_0 that may be behind it."""
    yield score
    yield eq(d(x_t, marginal) / marginal, by=differentiation)
    yield eq(d(x_t, integral(jump * data, x_0)) / marginal, by=marginalisation)
    # x_t enters through the Gaussian alone, and a Gaussian's slope is itself times a line.
    yield eq(integral(slope * jump * data, x_0) / marginal, by=under_the_integral(x_t))
    yield eq(E(guess, slope), by=bayes)
    yield eq(average, by=differentiation)


def score_from_the_noise(from_noise=from_noise):
    """So it is the mean of the noise, given what one sees, divided by minus its standard deviation."""
    yield let(predicted_noise, E(guess, noise))
    yield score
    yield eq(E(guess, d(x_t, log(jump))), by=theorem(score_is_an_average))
    yield eq(E(guess, -noise / sqrt(1 - alpha_bar)), by=differentiation)
    yield eq(from_noise, by=linearity)


def pull_of_the_score():
    """The score pulls x_t to where one expects it, from the x_0 that one expects."""
    yield score
    yield eq(E(guess, d(x_t, log(jump))), by=theorem(score_is_an_average))
    yield eq(E(guess, slope), by=differentiation)
    yield eq((sqrt(alpha_bar) * E(guess, x_0) - x_t) / (1 - alpha_bar), by=linearity)


def averaged_over_the_data(over_the_data=over_the_data):
    """Averaged over the data instead, it is a line: what one sees has not been used ..."""
    yield E(data, d(x_t, log(jump)))
    yield eq(E(data, slope), by=differentiation)
    yield eq((sqrt(alpha_bar) * E(data, x_0) - x_t) / (1 - alpha_bar), by=linearity)
    yield eq(over_the_data, by=mean_of_data)


def price_of_the_prior(over_the_data=over_the_data):
    """... and the error is what x_t says of x_0: nothing only if the data are a point."""
    yield score - over_the_data
    yield eq((sqrt(alpha_bar) * E(guess, x_0) - x_t) / (1 - alpha_bar) - over_the_data, by=theorem(pull_of_the_score))
    yield eq(sqrt(alpha_bar) / (1 - alpha_bar) * (E(guess, x_0) - m_0), by=linearity)


def denoised_mean(mean=x_0_mean):
    """Hence the mean of x_0: x_t moved along the score by the variance of the noise, then stretched."""
    yield E(guess, x_0)
    yield eq(mean, by=rearranging(pull_of_the_score))


def mean_moves_with_variance():
    """Where x_0 is uncertain, its mean moves fast."""
    yield let(s_t, score)
    yield d(x_t, E(guess, x_0))
    yield eq(d(x_t, integral(x_0 * jump * data, x_0) / marginal), by=bayes)
    yield eq(integral(x_0 * (slope - s_t) * jump * data, x_0) / marginal, by=under_the_integral(x_t))
    yield eq(E(guess, x_0 * slope) - s_t * E(guess, x_0), by=bayes)
    yield eq(sqrt(alpha_bar) / (1 - alpha_bar) * Var(guess, x_0), by=theorem(pull_of_the_score))


def denoised_variance(variance=x_0_variance):
    """Hence the variance of x_0, from the curvature of the log density."""
    yield Var(guess, x_0)
    yield eq((1 - alpha_bar) / sqrt(alpha_bar) * d(x_t, E(guess, x_0)), by=rearranging(mean_moves_with_variance))
    yield eq((1 - alpha_bar) / sqrt(alpha_bar) * d(x_t, x_0_mean), by=theorem(denoised_mean))
    yield eq(variance, by=differentiation)


def noise_of_one_step(ratio=ratio):
    """The noise of one step and that of all steps so far have proportional means: both are the score."""
    yield E(posterior, noise_of_the_step)
    # x_t is the end of a step from x_{t-1} and of a jump from x_0: one density, and one score.
    yield eq(-sqrt(beta) * score, by=theorem(mean_of_the_noise))
    yield eq(sqrt(beta) * E(guess, noise) / sqrt(1 - alpha_bar), by=theorem(score_from_the_noise))
    yield eq(ratio * E(guess, noise), by=algebra)


def first_step(ratio=ratio):
    """At t = 1 there has been one step only, and they are the same."""
    yield ratio
    yield tends_to(1, alpha_bar_prev, 1, by=limit())


def rearranged_mean(mean=mean_from_noise):
    """The rearrangement does work for the mean, with the mean of the noise in place of the noise."""
    yield let(predicted_noise, E(guess, noise))
    yield E(posterior, x_prev)
    yield eq((x_t - sqrt(beta) * E(posterior, noise_of_the_step)) / sqrt(alpha), by=linearity)
    yield eq((x_t - sqrt(beta) * (ratio * E(guess, noise))) / sqrt(alpha), by=theorem(noise_of_one_step))
    yield eq(mean, by=algebra)


def mixture_over_x_0(mixture=mixture):
    """The reverse kernel is the kernel given both ends, mixed over the posterior of x_0."""
    yield let(predicted_x_0, E(guess, x_0))
    yield posterior
    yield eq(step * prior / marginal, by=bayes_rules)
    yield eq(step * integral(from_data * data, x_0) / marginal, by=noised_data)
    yield eq(integral(step * from_data * data / marginal, x_0), by=linearity)
    yield eq(integral(between * guess, x_0), by=bayes_rules)
    yield eq(mixture, by=theorem(kernel_given_both_ends))


def mean_of_the_mixture(mean=plug_in.mean):
    """So its mean is that of the kernel given both ends, with the mean of x_0 in the place of x_0."""
    yield let(predicted_x_0, E(guess, x_0))
    yield E(posterior, x_prev)
    # x_{t-1} is drawn by first drawing x_0.
    yield eq(E(guess, E(between, x_prev)), by=drawn)
    yield eq(E(guess, E(known, x_prev)), by=theorem(kernel_given_both_ends))
    yield eq(E(guess, posterior_mean), by=gaussian_moments)
    yield eq(mean, by=linearity)


def two_guesses(variance=mixture_variance):
    """But its variance is that of the kernel given both ends, and that of the guess at x_0."""
    yield let(uncertainty, Var(guess, x_0))
    yield Var(posterior, x_prev)
    yield eq(E(posterior, x_prev**2) - E(posterior, x_prev) ** 2, by=linearity)
    yield eq(E(guess, E(between, x_prev**2)) - E(guess, E(between, x_prev)) ** 2, by=drawn)
    yield eq(E(guess, E(known, x_prev**2)) - E(guess, E(known, x_prev)) ** 2, by=theorem(kernel_given_both_ends))
    yield eq(posterior_variance + gain**2 * Var(guess, x_0), by=gaussian_moments)
    yield eq(variance, by=algebra)


CLAIMS = [
    Claim(
        "reversal.x0-tweedie",
        "Given x_t, the mean of x_0 is x_t moved along the score by the variance of all noise so far, and rescaled.",
        proved_by=(denoised_mean, denoised_variance),
        evidence="S Q M P T",
        source="Efron (2011)",
        mistakes={
            "root-noise": {"mean": (x_t + sqrt(1 - alpha_bar) * score) / sqrt(alpha_bar)},
            "alpha-not-bar": {
                "mean": (x_t + beta * score) / sqrt(alpha),
                "variance": beta / alpha * (1 + beta * d(x_t, score)),
            },
            "no-division": {"mean": x_t + (1 - alpha_bar) * score},
            "map-not-mean": {"mean": mode},
        },
        because={
            "alpha-not-bar": "this is x_{t-1} given x_t: one step back, not all",
            "map-not-mean": "the most likely x_0 is taken for the average one; they agree for Gaussian data",
        },
    ),
    Claim(
        "reversal.score-is-conditional-expectation",
        "The score of x_t is the mean of grad log q(x_t | x_0) over the posterior of x_0, not over the data.",
        proved_by=(score_is_an_average, score_from_the_noise, averaged_over_the_data, price_of_the_prior),
        evidence="S Q M P T",
        source="Vincent (2011)",
        mistakes={
            "prior-expectation": {"average": E(data, d(x_t, log(jump)))},
            "no-division": {"from_noise": -predicted_noise},
            "pointwise": {"average": d(x_t, log(jump)), "from_noise": -noise / sqrt(1 - alpha_bar)},
            "variance-division": {"from_noise": -predicted_noise / (1 - alpha_bar)},
        },
        because={
            "prior-expectation": "Weng (2021) prints an expectation over q(x_0); it is over q(x_0 | x_t)",
            "pointwise": "right on average, which is why one can train on it, and wrong for every single x_0",
        },
    ),
    Claim(
        "reversal.one-step-vs-cumulative-noise",
        "The mean of the noise of one step is sqrt(beta_t/(1 - alpha_bar_t)) times that of all noise so far.",
        proved_by=(noise_of_one_step, first_step, rearranged_mean),
        evidence="S Q M P T",
        source="Ho et al. (2020) eq. 11",
        mistakes={
            "same-noise": {"ratio": Integer(1)},
            "sqrt-beta-with-cumulative": {"mean": (x_t - sqrt(beta) * predicted_noise) / sqrt(alpha)},
            "ratio-inverted": {"ratio": sqrt(1 - alpha_bar) / sqrt(beta)},
            "no-root": {"ratio": beta / (1 - alpha_bar)},
        },
        because={
            "same-noise": "one symbol for both, as in Weng (2021); true at t = 1 only",
            "sqrt-beta-with-cumulative": "the rearranged step, with the network's noise for its own",
        },
    ),
    Claim(
        "reversal.mixture-over-x0",
        "The reverse kernel mixes those given both ends over q(x_0 | x_t); a single guess has too little variance.",
        proved_by=(mixture_over_x_0, mean_of_the_mixture, two_guesses),
        evidence="S Q M P",
        source="Ho et al. (2020) section 3.2; Bao et al. (2022)",
        mistakes={
            "plug-in": {"mixture": plug_in, "variance": posterior_variance},
            "coefficient-not-squared": {"variance": posterior_variance + gain * uncertainty},
            "prior-variance": {"variance": posterior_variance + gain**2 * v_0},
            "minus": {"variance": posterior_variance - gain**2 * uncertainty},
        },
        because={
            "plug-in": "what a sampler does with a prediction of x_0: the mean is right",
            "prior-variance": "x_0 is as uncertain as before one has seen x_t",
        },
    ),
]

# A world for the witness: (x - c)^2 times a Gaussian, where x_0 given x_t has a mean and a mode in closed form.

c, width = Rational(2, 5), Rational(3, 5)


def pulled(x, shrunk):
    """The mean and the variance of x_0 given x, if the data were that Gaussian."""
    total = shrunk * width + 1 - shrunk
    return sqrt(shrunk) * width * (x - sqrt(shrunk) * c) / total, width * (1 - shrunk) / total


def hollow(x, shrunk):
    mean, variance = pulled(x, shrunk)
    return (mean**2 + variance) / width * normal(x, sqrt(shrunk) * c, shrunk * width + 1 - shrunk)


mu, tau = pulled(x_t, alpha_bar)
WORLD = {
    data: hollow(x_0, Integer(1)),
    prior: hollow(x_prev, alpha_bar_prev),
    marginal: hollow(x_t, alpha_bar),
    posterior: step * hollow(x_prev, alpha_bar_prev) / hollow(x_t, alpha_bar),
    guess: jump * hollow(x_0, Integer(1)) / hollow(x_t, alpha_bar),
    between: step * from_data / jump,
    origin: from_data * hollow(x_0, Integer(1)) / hollow(x_prev, alpha_bar_prev),
    m_0: c,
    v_0: 3 * width,
    mode: c + mu * (1 + sqrt(1 + 8 * tau / mu**2)) / 2,
}
