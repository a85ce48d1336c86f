r"""How large the variance of the reverse kernel can be, on average over what one sees.

.. math:: \tilde\beta_t\ \le\ \mathbb E\operatorname{Var}[x_{t-1}\mid x_t]
          =\frac{\beta_t}{\alpha_t}\bigl(1-\beta_tJ_t\bigr)
          \ \le\ \frac{\beta_tv_{t-1}}{v_t}\ <\ \frac{\beta_t}{\alpha_t},
          \qquad J_t=\mathbb E\,s_t(x_t)^2 .

On the left stand data that are a single point, where nothing is to be guessed; in the middle Gaussian data, the hardest
to guess among data of the same variance; on the right the naive kernel, whose variance no data reach. The Fisher
information :math:`J_t` of :math:`q_t` says where data are in between: what is sharply peaked has a large one.

The variance of the forward step, :math:`\beta_t`, is often called the upper bound. It is one if and only if
:math:`J_t\ge1`: for all data of variance up to 1, and beyond for some and not for all. Gaussian data exceed it, two
narrow clusters far apart do not. In d dimensions the chain holds for averages over coordinates.

References:
    Ho, Jain & Abbeel (2020), Denoising diffusion probabilistic models, section 3.2, for data of unit variance.
    Bao, Li, Zhu & Zhang (2022), Analytic-DPM.
"""

from sympy import Rational, log, oo, sqrt

from ..calculus import (
    Density,
    E,
    Var,
    algebra,
    by_parts,
    d,
    definition,
    differentiation,
    eq,
    gaussian_integral,
    gaussian_moments,
    ge,
    gt,
    integral,
    le,
    let,
    limit,
    linearity,
    lt,
    normal,
    normalised,
    pointwise,
    positives,
    positivity,
    reals,
    rearranging,
    tends_to,
    theorem,
    tower,
    units,
)
from ..claim import Claim
from .denoising import data, from_data, gain, guess, origin, two_guesses, x_0
from .denoising import jump as evidence
from .posterior import kernel as between
from .posterior import posterior_variance
from .score import step_variance
from .step import WHERE as STEP
from .step import alpha, bayes, beta, marginal, posterior, prior, score, step, v_prev, x_prev, x_t

# Notation: m is the mean of what one averages over; v_0, v_{t-1}, v_t are the variances of the data on their way.

m = reals("m")
v_0, v_t = positives("v_0 v_t")
alpha_bar_prev, alpha_bar = units(r"\bar\alpha_{t-1} \bar\alpha_t")
J, J_prev = Density("J_t"), Density("J_{t-1}")

WHERE = STEP | {alpha_bar: alpha * alpha_bar_prev, v_t: alpha * v_prev + beta}

# Two clusters around mu and -mu at time t, with the variance c < 1.

mu, g, c = *positives(r"\mu g"), units("c")
s, k, slope = reals("s k k'")
least = 1 / c - 27 / (4 * mu**2) - 15 * c / (4 * mu**4)

variance_before = definition("the variance of x_{t-1}", {v_prev: Var(prior, x_prev)})
information = definition("the Fisher information of q_t", {J: E(marginal, score**2)})
noised = {v_prev: alpha_bar_prev * v_0 + 1 - alpha_bar_prev, v_t: alpha_bar * v_0 + 1 - alpha_bar}

# Statement

lower = posterior_variance
average = beta / alpha * (1 - beta * J)
upper = beta * v_prev / v_t
naive = beta / alpha
room = beta**2 / alpha * (J - 1)  # between the average and beta
slack = alpha_bar_prev * beta**2 * (1 - v_0) / (1 - alpha_bar + alpha_bar * v_0)  # between Gaussian data and beta


def average_variance(average=average):
    """By Tweedie's formula the variance is a slope of the score, whose mean is minus the Fisher information."""
    yield E(marginal, Var(posterior, x_prev))
    yield eq(E(marginal, beta / alpha * (1 + beta * d(x_t, score))), by=theorem(step_variance))
    yield eq(beta / alpha * (1 + beta * E(marginal, d(x_t, score))), by=linearity)
    yield eq(beta / alpha * (1 - beta * E(marginal, score**2)), by=by_parts(beta**2 / alpha * d(x_t, marginal), x_t))
    yield eq(average, by=information)


def score_of_a_gaussian():
    """The score of a Gaussian is a line, which gives its Fisher information."""
    yield d(x_t, log(normal(x_t, m, v_t)))
    yield eq(-(x_t - m) / v_t, by=differentiation)


def of_a_point(average=average, lower=lower):
    """So if the data are a point, it is that of the kernel given both ends: there is nothing to guess."""
    yield average.xreplace({J: E(evidence, ((x_t - sqrt(alpha_bar) * x_0) / (1 - alpha_bar)) ** 2)})
    yield eq(lower, by=gaussian_moments)


def at_least_between(lower=lower):
    """It is never less than that ..."""
    yield let(m, E(guess, x_0))
    yield E(marginal, Var(posterior, x_prev))
    yield eq(E(marginal, posterior_variance + gain**2 * Var(guess, x_0)), by=theorem(two_guesses))
    yield eq(posterior_variance + gain**2 * E(marginal, E(guess, (x_0 - m) ** 2)), by=linearity)
    yield ge(lower, by=positivity)


def of_spread_data(upper=upper, lower=lower):
    """... and more for Gaussian data of any variance v_0 > 0."""
    yield upper.xreplace(noised)
    yield gt(lower, by=positivity)


def of_a_gaussian(average=average, upper=upper):
    """For Gaussian data the information is one over the variance, and no other data of their variance have less ..."""
    yield average.xreplace({J: E(normal(x_t, m, v_t), ((x_t - m) / v_t) ** 2)})
    yield eq(upper, by=gaussian_moments)


def variance_after_the_step():
    """The variance of x_t, whatever the data ..."""
    yield Var(marginal, x_t)
    yield eq(E(marginal, x_t**2) - E(marginal, x_t) ** 2, by=linearity)
    drawn = tower(prior, step, bayes, marginal, posterior)
    yield eq(E(prior, E(step, x_t**2)) - E(prior, E(step, x_t)) ** 2, by=drawn)
    yield eq(alpha * Var(prior, x_prev) + beta, by=gaussian_moments)
    yield eq(v_t, by=variance_before)


def score_and_distance():
    """... how the score pulls towards the mean, whatever the data ..."""
    yield let(m, E(marginal, x_t))
    yield E(marginal, score * (x_t - m))
    yield eq(-integral(marginal, x_t), by=by_parts(marginal * (x_t - m), x_t))
    yield eq(-1, by=normalised(marginal))


def far_from_a_line():
    """... and what the score is beside the line that it is for a Gaussian: the inequality of Cramér and Rao."""
    line = -(x_t - m) / v_t
    yield let(m, E(marginal, x_t))
    yield E(marginal, (score - line) ** 2)
    squares = E(marginal, score**2) + E(marginal, (x_t - m) ** 2) / v_t**2
    yield eq(squares + 2 / v_t * E(marginal, score * (x_t - m)), by=linearity)
    yield eq(squares - 2 / v_t, by=theorem(score_and_distance))
    yield eq(E(marginal, score**2) + Var(marginal, x_t) / v_t**2 - 2 / v_t, by=linearity)
    yield eq(E(marginal, score**2) - 1 / v_t, by=theorem(variance_after_the_step))
    yield eq(J - 1 / v_t, by=information)


def at_most_gaussian(average=average, upper=upper):
    """So Gaussian data are the hardest to guess; all others are easier, for only their score is a line."""
    yield let(m, E(marginal, x_t))
    yield average
    off = E(marginal, (score + (x_t - m) / v_t) ** 2)
    yield eq(beta * v_prev / v_t - beta**2 / alpha * off, by=rearranging(far_from_a_line))
    yield le(upper, by=positivity)


def less_than_naive(upper=upper, naive=naive):
    """It is always less than the naive variance ..."""
    yield upper
    yield lt(naive, by=positivity)


def flat_prior(upper=upper, naive=naive):
    """... which no data reach; those that say less and less come near."""
    yield upper.xreplace(noised)
    yield tends_to(naive, v_0, oo, by=limit())


def beta_as_a_bound(average=average, room=room):
    """The variance of the forward step is above the average by this: a bound where the information is at least one."""
    yield beta - average
    yield eq(room, by=algebra)


def beta_and_gaussian_data(upper=upper, slack=slack):
    """It is above that of Gaussian data, and so of all, if v_0 <= 1; Gaussian data of larger variance exceed it."""
    yield beta - upper.xreplace(noised)
    yield eq(slack, by=algebra)


def of_two_clusters():
    """The information of two clusters, from a cubic that is in their middles what the score of one would be ..."""
    yield let(g, (normal(x_t, mu, c) + normal(x_t, -mu, c)) / 2)
    yield let(s, d(x_t, log(g)))
    yield let(k, x_t * (x_t**2 - mu**2) / (2 * mu**2 * c))
    yield let(slope, (3 * x_t**2 - mu**2) / (2 * mu**2 * c))
    yield integral(g * s**2, x_t)
    yield eq(integral(g * (s + k) ** 2 - 2 * k * d(x_t, g) - k**2 * g, x_t), by=pointwise(differentiation))
    yield eq(integral(g * (s + k) ** 2 + 2 * slope * g - k**2 * g, x_t), by=by_parts(-2 * k * g, x_t))
    yield eq(integral(g * (s + k) ** 2, x_t) + least, by=gaussian_integral(x_t))
    yield ge(least, by=positivity)


def of_distant_clusters():
    """... is that of one of them, if they are far apart and the variance of the data is as large as you like ..."""
    yield least
    yield tends_to(1 / c, mu, oo, by=limit())


def of_one_cluster():
    """... and that is more than one: beta is a bound for them."""
    yield 1 / c
    yield gt(1, by=positivity)


# A world for the witness: two broad clusters.


def clusters(x, shrunk, noise):
    first, second = (
        normal(x, sqrt(shrunk) * m, shrunk * c + noise)
        for m, c in ((-1, Rational(3, 2)), (Rational(3, 2), Rational(5, 2)))
    )
    return Rational(3, 10) * first + Rational(7, 10) * second


def information_of_clusters(x, shrunk):
    law = clusters(x, shrunk, 1 - shrunk)
    return integral(law * d(x, log(law)) ** 2, x)


WORLD = {
    data: clusters(x_0, 1, 0),
    prior: clusters(x_prev, alpha_bar_prev, 1 - alpha_bar_prev),
    marginal: clusters(x_t, alpha_bar, 1 - alpha_bar),
    posterior: step * prior / marginal,
    guess: evidence * data / marginal,
    between: step * from_data / evidence,
    origin: from_data * data / prior,
    v_prev: alpha_bar_prev * Rational(281, 80) + 1 - alpha_bar_prev,
    J: information_of_clusters(x_t, alpha_bar),
    J_prev: information_of_clusters(x_prev, alpha_bar_prev),
}

CLAIMS = [
    Claim(
        "reversal.variance-bounds",
        "The mean reverse variance lies between that given both ends and that of Gaussian data: below beta_t/alpha_t.",
        proved_by=(
            average_variance,
            score_of_a_gaussian,
            of_a_point,
            at_least_between,
            of_spread_data,
            of_a_gaussian,
            at_most_gaussian,
            less_than_naive,
            flat_prior,
            beta_as_a_bound,
            beta_and_gaussian_data,
            of_two_clusters,
            of_distant_clusters,
            of_one_cluster,
        ),
        evidence="S Q P",
        kind="inequality",
        source="Ho et al. (2020) section 3.2, for data of unit variance; Bao et al. (2022)",
        mistakes={
            "beta-is-always-upper": {"upper": beta},
            "beta-tilde-upper": {"upper": posterior_variance},
            "no-fisher-term": {"average": beta / alpha},
            "J-of-previous": {"average": beta / alpha * (1 - beta * J_prev)},
        },
        because={
            "beta-is-always-upper": "true for data of variance up to one, and copied without the condition",
            "beta-tilde-upper": "one of the two variances that samplers use, and the smaller one",
            "J-of-previous": "one step earlier, where the density is more sharply peaked",
        },
    ),
]
