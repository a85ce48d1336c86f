r"""DDPM's step over any jump, from t to s: the kernel given both ends, with a prediction in the place of x_0.

.. math:: x_s=\frac{\sqrt{\bar\alpha_s}\,\beta_{t\mid s}}{1-\bar\alpha_t}\hat x_0
    +\frac{\sqrt{\alpha_{t\mid s}}\,(1-\bar\alpha_s)}{1-\bar\alpha_t}x_t+\sqrt{\tilde\beta_{t\mid s}}\,\xi,\qquad
    \tilde\beta_{t\mid s}=\frac{1-\bar\alpha_s}{1-\bar\alpha_t}\,\beta_{t\mid s} ,

where :math:`\alpha_{t\mid s}=\bar\alpha_t/\bar\alpha_s` and :math:`\beta_{t\mid s}=1-\alpha_{t\mid s}` belong to the
jump, and not to the last of the steps that it leaps over. If :math:`\hat x_0` is a draw from
:math:`q(x_0\mid x_t)`, then :math:`x_s` has its own law. The exact denoiser is the mean of :math:`q(x_0\mid x_t)`. Then
the mean of :math:`x_s` is right, and its variance is too small: what is missing is the squared coefficient of
:math:`\hat x_0`, times the mean squared error of the denoiser. In d dimensions this holds for each coordinate.

For Gaussian data the law of the samples is known at all times. A sampler that has the right mean and adds a variance of
its own is off by

.. math:: \hat v_s-v_s=\alpha_{t\mid s}\frac{v_s^2}{v_t^2}(\hat v_t-v_t)+\sigma^2-\frac{\beta_{t\mid s}v_s}{v_t} ,

so that :math:`\sigma^2=\beta_{t\mid s}v_s/v_t` is exact at every step, and no other variance is. With
:math:`\tilde\beta_{t\mid s}` samples are too narrow for all data but a point. With :math:`\beta_{t\mid s}` they are too
wide for data of a variance below one, and too narrow above.

References:
    Ho, Jain & Abbeel (2020), Denoising diffusion probabilistic models, eq. (7), section 3.2.
    Nichol & Dhariwal (2021), Improved denoising diffusion probabilistic models (strided sampling).
    Bao, Li, Zhu & Zhang (2022), Analytic-DPM.
"""

from sympy import Integer, sqrt

from ..calculus import (
    Density,
    E,
    Var,
    algebra,
    completing_the_square,
    d,
    definition,
    eq,
    gaussian_integral,
    gaussian_moments,
    gt,
    integral,
    let,
    limit,
    linearity,
    lt,
    normal,
    positives,
    positivity,
    reals,
    tends_to,
    theorem,
    tower,
    units,
)
from ..claim import Claim
from ..reversal.score import clusters

# Notation: a jump leads from t to a less noisy s, and xi is the noise that it adds.  The last of the steps from s to t
# has alpha_t, and those before it multiply to gamma.

x_0, x_s, x_t, predicted_x_0, predicted_noise, fresh = reals(r"x_0 x_s x_t \hat{x}_0 \hat{\epsilon} \xi")
alpha_ts, alpha_bar_s, beta_ts, alpha_bar = units(r"\alpha_{t|s} \bar\alpha_s \beta_{t|s} \bar\alpha_t")
alpha, gamma, alpha_bar_prev = units(r"\alpha_t \gamma \bar\alpha_{t-1}")
WHERE = {beta_ts: 1 - alpha_ts, alpha_bar: alpha_ts * alpha_bar_s}

data, law_at_s, marginal = Density("q_0", [x_0]), Density("q_s", [x_s]), Density("q_t", [x_t])
guess = Density("q_0", [x_0], given=[x_t])
kernel, reverse = Density("q", [x_s], given=[x_t, x_0]), Density("q", [x_s], given=[x_t])
origin = Density("r", [x_0], given=[x_s])  # x_0 is drawn from x_s alone
from_data, jump = normal(x_s, sqrt(alpha_bar_s) * x_0, 1 - alpha_bar_s), normal(x_t, sqrt(alpha_ts) * x_s, beta_ts)
evidence = normal(x_t, sqrt(alpha_bar) * x_0, 1 - alpha_bar)
bayes = definition(
    "Bayes' rule, four times",
    {
        kernel: jump * from_data / evidence,
        guess: evidence * data / marginal,
        reverse: jump * law_at_s / marginal,
        origin: from_data * data / law_at_s,
    },
)
noised_data = definition("x_s is drawn from the data", {law_at_s: integral(from_data * data, x_0)})
from_t_to_s = tower(marginal, reverse, bayes, law_at_s, jump)
by_way_of_x_0 = tower(guess, kernel, bayes, reverse, origin)
drawn = normal(fresh, 0, 1)

# Gaussian data have the variances v; the samples have another at t, and sigma^2 is what a step adds to it.

m, m_0, m_s, m_t = reals("m m_0 m_s m_t")
v_0, v_s, v_t, v_hat, sigma, g, u = *positives(r"v_0 v_s v_t \hat{v}_t \sigma g"), units("u")
WHERE |= {
    m_s: sqrt(alpha_bar_s) * m_0,
    m_t: sqrt(alpha_bar) * m_0,
    v_s: alpha_bar_s * v_0 + 1 - alpha_bar_s,
    v_t: alpha_bar * v_0 + 1 - alpha_bar,
}
denoised = m_0 + sqrt(alpha_bar) * v_0 / v_t * (x_t - m_t)
mmse = Density("M_t")
error = definition("the mean squared error of the denoiser", {mmse: E(marginal, Var(guess, x_0))})

# Statement


def held(prediction):
    """The mean of x_s, if this prediction of x_0 is right."""
    return (sqrt(alpha_bar_s) * beta_ts * prediction + sqrt(alpha_ts) * (1 - alpha_bar_s) * x_t) / (1 - alpha_bar)


posterior_variance = (1 - alpha_bar_s) / (1 - alpha_bar) * beta_ts
step = held(predicted_x_0) + sqrt(posterior_variance) * fresh
last = predicted_x_0  # where s = 0
gain = sqrt(alpha_bar_s) * beta_ts / (1 - alpha_bar)
shortfall = gain**2 * mmse

recursion = alpha_ts * v_s**2 / v_t**2 * v_hat + sigma**2
exact = beta_ts * v_s / v_t
excess = alpha_bar_s * beta_ts**2 * (1 - v_0) / v_t  # of the variance of the forward process


def law_of(step):
    """The law in which a step ends, if x_0 has been predicted."""
    mean = step.xreplace({fresh: Integer(0), predicted_x_0: x_0})
    return normal(x_s, mean, step.coeff(fresh) ** 2)


def given_both_ends(step=step):
    """With x_0 known, x_s is Gaussian, and a step with the true x_0 draws it: Bayes' rule for the jump."""
    precision, pull = positives(r"\Lambda"), reals(r"\eta")
    yield let(precision, alpha_ts / beta_ts + 1 / (1 - alpha_bar_s))
    yield let(pull, sqrt(alpha_ts) * x_t / beta_ts + sqrt(alpha_bar_s) * x_0 / (1 - alpha_bar_s))
    yield kernel
    yield eq(jump * from_data / evidence, by=bayes)
    yield eq(normal(x_s, pull / precision, 1 / precision), by=completing_the_square(x_s))
    yield eq(law_of(step), by=algebra)


def with_a_draw(step=step):
    """So with a draw of x_0 given x_t in the place of the prediction, x_s has its own law, ..."""
    yield integral(law_of(step) * guess * marginal, x_t, x_0)
    yield eq(integral(kernel * guess * marginal, x_t, x_0), by=theorem(given_both_ends))
    yield eq(integral(jump * from_data * data, x_t, x_0), by=bayes)
    yield eq(integral(from_data * data, x_0), by=gaussian_integral(x_t))
    yield eq(law_at_s, by=noised_data)


def last_jump(step=step, last=last):
    """... and the last jump of all, to s = 0, ends in the prediction: no noise is added."""
    yield step
    yield tends_to(last, alpha_bar_s, 1, by=limit())


def mean_given_x_t():
    """Given x_t alone, the mean of x_s is that of the step with the mean of x_0 ..."""
    yield E(reverse, x_s)
    yield eq(E(guess, E(kernel, x_s)), by=by_way_of_x_0)
    yield eq(E(guess, E(law_of(step), x_s)), by=theorem(given_both_ends))
    yield eq(E(guess, held(x_0)), by=gaussian_moments)
    yield eq(held(E(guess, x_0)), by=linearity)


def variance_given_x_t():
    """... and its variance is more than that of the step, by what is not known of x_0."""
    yield Var(reverse, x_s)
    yield eq(E(reverse, x_s**2) - E(reverse, x_s) ** 2, by=linearity)
    yield eq(E(guess, E(kernel, x_s**2)) - E(guess, E(kernel, x_s)) ** 2, by=by_way_of_x_0)
    at_x_0 = law_of(step)
    yield eq(E(guess, E(at_x_0, x_s**2)) - E(guess, E(at_x_0, x_s)) ** 2, by=theorem(given_both_ends))
    yield eq(posterior_variance + gain**2 * Var(guess, x_0), by=gaussian_moments)


def right_mean(step=step):
    """So with the exact denoiser the mean is right."""
    yield let(predicted_x_0, E(guess, x_0))
    yield E(law_at_s, x_s)
    yield eq(E(marginal, E(reverse, x_s)), by=from_t_to_s)
    yield eq(E(marginal, held(E(guess, x_0))), by=theorem(mean_given_x_t))
    yield eq(E(marginal * drawn, step), by=gaussian_moments)


def total_variance():
    """The variance of x_s is the mean of what x_t leaves open, and the variance of what x_t tells; ..."""
    yield Var(law_at_s, x_s)
    yield eq(E(law_at_s, x_s**2) - E(law_at_s, x_s) ** 2, by=linearity)
    mean, square = E(reverse, x_s), E(reverse, x_s**2)
    yield eq(E(marginal, square) - E(marginal, mean) ** 2, by=from_t_to_s)
    yield eq(E(marginal, Var(reverse, x_s)) + Var(marginal, mean), by=linearity)


def too_little_variance(step=step, shortfall=shortfall):
    """... a step with the exact denoiser has all of the second, and of the first not what is left of x_0, ..."""
    yield let(predicted_x_0, E(guess, x_0))
    yield Var(law_at_s, x_s)
    mean = E(reverse, x_s)
    yield eq(E(marginal, Var(reverse, x_s)) + Var(marginal, mean), by=theorem(total_variance))
    within = posterior_variance + gain**2 * Var(guess, x_0)
    yield eq(E(marginal, within) + Var(marginal, mean), by=theorem(variance_given_x_t))
    left = E(marginal, Var(guess, x_0))
    yield eq(posterior_variance + gain**2 * left + Var(marginal, mean), by=linearity)
    yield eq(posterior_variance + gain**2 * mmse + Var(marginal, mean), by=error)
    yield eq(posterior_variance + gain**2 * mmse + Var(marginal, held(E(guess, x_0))), by=theorem(mean_given_x_t))
    yield eq(Var(marginal * drawn, step) + shortfall, by=gaussian_moments)


def only_for_a_point(shortfall=shortfall):
    """... which is too little, unless nothing is left."""
    yield shortfall
    yield gt(0, by=positivity)


# Gaussian data, and any variance that a step may add


def gaussian_denoiser():
    """For Gaussian data the denoiser is a line in x_t, ..."""
    yield evidence * normal(x_0, m_0, v_0) / normal(x_t, m_t, v_t)
    yield eq(normal(x_0, denoised, (1 - alpha_bar) * v_0 / v_t), by=completing_the_square(x_0))


def gaussian_step():
    """... and so is the mean of a step with it."""
    yield held(denoised)
    yield eq(m_s + sqrt(alpha_ts) * v_s / v_t * (x_t - m_t), by=algebra)


def variance_of_the_samples(recursion=recursion):
    """It shrinks the variance that the samples have at t, by its squared slope, and adds to what is left."""
    yield Var(normal(x_t, m, v_hat) * drawn, held(denoised) + sigma * fresh)
    yield eq(recursion, by=gaussian_moments)


def off_by(recursion=recursion, exact=exact):
    """What is off at t stays off, to the same side; what is added beyond the exact variance comes on top."""
    yield recursion - v_s
    yield eq(alpha_ts * v_s**2 / v_t**2 * (v_hat - v_t) + sigma**2 - exact, by=algebra)


def too_narrow(exact=exact):
    """The variance given both ends is too little, ..."""
    yield posterior_variance
    yield lt(exact, by=positivity)


def beta_is_off_by(exact=exact, excess=excess):
    """... and that of the forward process is off by this, ..."""
    yield beta_ts - exact
    yield eq(excess, by=algebra)


def too_wide(excess=excess):
    """... too much for data of a variance below one, ..."""
    yield excess.xreplace({v_t: alpha_bar * u + 1 - alpha_bar, v_0: u})
    yield gt(0, by=positivity)


def too_narrow_as_well(excess=excess):
    """... and too little above."""
    yield excess.xreplace({v_t: alpha_bar * (1 + g) + 1 - alpha_bar, v_0: 1 + g})
    yield lt(0, by=positivity)


CLAIMS = [
    Claim(
        "sampler.ddpm-strided",
        "DDPM's step over a jump, with the ratio of the alpha_bar for alpha_t: a draw of x_0 given x_t leaves x_s its "
        "law; the exact denoiser leaves it its mean, and too little variance.",
        proved_by=(
            given_both_ends,
            with_a_draw,
            last_jump,
            mean_given_x_t,
            variance_given_x_t,
            right_mean,
            total_variance,
            too_little_variance,
            only_for_a_point,
        ),
        evidence="S Q M P B",
        assumes="the standing assumptions; s < t",
        source="Ho et al. (2020) eq. 7; Nichol & Dhariwal (2021)",
        mistakes={
            "original-betas": {"step": step.xreplace({alpha_ts: alpha, beta_ts: 1 - alpha})},
            "alphabar-t-minus-1": {"step": step.xreplace({alpha_bar_s: alpha_bar_prev})},
            "variance-beta-without-tilde-at-last-step": {"last": predicted_x_0 + sqrt(beta_ts) * fresh},
            "sum-of-betas": {"step": step.xreplace({beta_ts: 1 - alpha + 1 - gamma})},
            "denoiser-is-exact": {"shortfall": Integer(0)},
        },
        because={
            "original-betas": "of the last of the steps that the jump leaps over",
            "variance-beta-without-tilde-at-last-step": "the forward variance is a choice at all other steps",
            "sum-of-betas": "each step shrinks the noise of those before it",
            "denoiser-is-exact": "as if the mean of x_0 were a draw of it",
        },
    ),
    Claim(
        "sampler.ddpm-gaussian",
        "For Gaussian data one variance of a step is exact; that given both ends makes samples too narrow, that of "
        "the forward process too wide if the variance of the data is below one, and too narrow if it is above.",
        proved_by=(
            gaussian_denoiser,
            gaussian_step,
            variance_of_the_samples,
            off_by,
            too_narrow,
            beta_is_off_by,
            too_wide,
            too_narrow_as_well,
        ),
        evidence="S Q P B",
        assumes="the standing assumptions; Gaussian data, exact denoiser, samples that start from the law of x_T",
        source="Ho et al. (2020) section 3.2",
        mistakes={
            "beta-always-exact": {"exact": beta_ts},
            "beta-tilde-exact": {"exact": posterior_variance},
            "gain-not-squared": {"recursion": sqrt(alpha_ts) * v_s / v_t * v_hat + sigma**2},
            "direction-swapped": {"excess": -excess},
        },
        because={
            "beta-always-exact": "it is for data of variance one",
            "beta-tilde-exact": "it is for data that are a point",
        },
    ),
]

# A world for the witness: two clusters.


def noised(x, shrunk):
    return clusters(x, shrunk, 1 - shrunk)


def fisher(law):
    return integral(d(x_t, law) ** 2 / law, x_t)


WORLD = {
    data: noised(x_0, 1),
    law_at_s: noised(x_s, alpha_bar_s),
    marginal: noised(x_t, alpha_bar),
    kernel: jump * from_data / evidence,
    guess: evidence * noised(x_0, 1) / noised(x_t, alpha_bar),
    reverse: jump * noised(x_s, alpha_bar_s) / noised(x_t, alpha_bar),
    origin: from_data * noised(x_0, 1) / noised(x_s, alpha_bar_s),
    mmse: (1 - alpha_bar) / alpha_bar * (1 - (1 - alpha_bar) * fisher(noised(x_t, alpha_bar))),
}
