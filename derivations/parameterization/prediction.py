r"""What a step makes of a prediction: the same mean from the noise, from the score and from x_0, while there is signal.

.. math:: \mu_\theta=\frac1{\sqrt{\alpha_t}}\Bigl(x_t-\frac{\beta_t}{\sqrt{1-\bar\alpha_t}}\,\hat\epsilon\Bigr)
    =\frac1{\sqrt{\alpha_t}}\bigl(x_t+\beta_t\,\hat s\bigr)=\tilde\mu_t(x_t,\hat x_0).

It is the mean of the kernel given both ends, with the prediction in the place of :math:`x_0`; a prediction that is the
conditional mean makes it the mean of the reverse kernel.

At zero terminal signal-to-noise ratio, :math:`\bar\alpha_T=0`, the spellings part. There :math:`x_T` is the noise: its
best prediction is :math:`x_T`, without any error and without a word about :math:`x_0`, which cannot be computed from
it any more (one would divide by :math:`\sqrt{\bar\alpha_T}`). The velocity :math:`v=\sqrt{\bar\alpha_t}\,
\bar\epsilon_t-\sqrt{1-\bar\alpha_t}\,x_0` becomes :math:`-x_0`, and its best prediction is minus the mean of the
data: what little there is to know.

References:
    Ho, Jain & Abbeel (2020), Denoising diffusion probabilistic models, eq. (11).
    Song et al. (2021), Score-based generative modeling through stochastic differential equations, eq. (4).
    Salimans & Ho (2022), Progressive distillation, section 4 (the velocity).
    Lin, Liu, Li & Yang (2023), Common diffusion noise schedules and sample steps are flawed, section 3.2.
"""

from sympy import Integer, sqrt

from ..calculus import (
    Cov,
    Density,
    E,
    Var,
    algebra,
    definition,
    eq,
    ge,
    integral,
    let,
    limit,
    linearity,
    normal,
    normalised,
    positivity,
    reals,
    tends_to,
    theorem,
    units,
)
from ..claim import Claim
from ..reversal import denoising
from ..reversal.denoising import (
    WHERE,
    alpha,
    alpha_bar,
    alpha_bar_prev,
    beta,
    data,
    guess,
    m_0,
    mean_from_noise,
    mean_of_data,
    mean_of_the_mixture,
    noise,
    plug_in,
    posterior,
    predicted_noise,
    predicted_x_0,
    rearranged_mean,
    score,
    uncertainty,
    v_0,
    x_0,
    x_prev,
    x_t,
)
from ..reversal.score import step_mean

__all__ = ["CLAIMS", "WHERE", "WORLD", "alpha_bar_prev"]

# Notation: predictions wear hats; T is the last step, where nothing of the signal is left.

predicted_score, x_T, noise_T, c = reals(r"\hat{s} x_T \bar\epsilon_T c")
alpha_bar_T = units(r"\bar\alpha_T")
at_the_end, law_of_x_T = Density("p", [x_0], given=[x_T]), Density("q_T", [x_T])
jump = normal(x_T, 0 * x_0, 1)
bayes = definition("Bayes' rule", {at_the_end: jump * data / law_of_x_T})
marginalisation = definition("marginalisation", {law_of_x_T: integral(jump * data, x_0)})

# Statement

from_x_0 = plug_in.mean
from_noise = mean_from_noise
from_score = (x_t + beta * predicted_score) / sqrt(alpha)

noise_prediction, noise_loss, covariance = x_T, Integer(0), Integer(0)
v_target, v_prediction = -x_0, -m_0


# The mean of a step


def in_the_noise(from_x_0=from_x_0, from_noise=from_noise):
    """The kernel given both ends has the mean of DDPM's step, ..."""
    yield let(predicted_x_0, (x_t - sqrt(1 - alpha_bar) * predicted_noise) / sqrt(alpha_bar))
    yield from_x_0
    yield eq(from_noise, by=algebra)


def in_the_score(from_noise=from_noise, from_score=from_score):
    """... and that is a move along the score, by the variance of the step."""
    yield let(predicted_noise, -sqrt(1 - alpha_bar) * predicted_score)
    yield from_noise
    yield eq(from_score, by=algebra)


def exact_x_0(from_x_0=from_x_0):
    """A prediction of x_0 that is its mean gives the mean of the reverse kernel, ..."""
    yield let(predicted_x_0, E(guess, x_0))
    yield E(posterior, x_prev)
    yield eq(from_x_0, by=theorem(mean_of_the_mixture))


def exact_noise(from_noise=from_noise):
    """... and so does the mean of the noise, ..."""
    yield let(predicted_noise, E(guess, noise))
    yield E(posterior, x_prev)
    yield eq(from_noise, by=theorem(rearranged_mean))


def exact_score(from_score=from_score):
    """... and the score itself."""
    yield let(predicted_score, score)
    yield E(posterior, x_prev)
    yield eq(from_score, by=theorem(step_mean))


# The last step, at zero signal-to-noise ratio


def only_noise():
    """At the end x_T is standard normal, whatever the data are, ..."""
    yield law_of_x_T
    yield eq(integral(jump * data, x_0), by=marginalisation)
    yield eq(jump, by=normalised(data))


def nothing_is_said():
    """... so that x_0 is as uncertain as it was before one has seen it."""
    yield at_the_end
    yield eq(jump * data / law_of_x_T, by=bayes)
    yield eq(data, by=theorem(only_noise))


def noise_at_the_end(noise_prediction=noise_prediction):
    """The noise in x_T is x_T, ..."""
    yield (x_T - sqrt(alpha_bar_T) * x_0) / sqrt(1 - alpha_bar_T)
    yield tends_to(noise_prediction, alpha_bar_T, 0, by=limit())


def error_of_the_noise():
    """... and as its uncertainty is that of x_0, times the signal-to-noise ratio, ..."""
    yield Var(guess, noise)
    yield eq(alpha_bar / (1 - alpha_bar) * Var(guess, x_0), by=linearity)


def no_error(noise_loss=noise_loss):
    """... it is predicted without any error, ..."""
    yield alpha_bar_T / (1 - alpha_bar_T) * uncertainty
    yield tends_to(noise_loss, alpha_bar_T, 0, by=limit())


def says_nothing(noise_prediction=noise_prediction, covariance=covariance):
    """... by what has nothing to do with x_0."""
    yield Cov(data * jump, x_0, noise_prediction)
    yield eq(covariance, by=linearity)


def mean_of_the_data(x_0_prediction=m_0):
    """The best prediction of x_0 is the mean of the data, ..."""
    yield E(at_the_end, x_0)
    yield eq(E(data, x_0), by=theorem(nothing_is_said))
    yield eq(x_0_prediction, by=mean_of_data)


def no_better_guess():
    """... and it is off by all of their variance, which no other number is less."""
    yield E(at_the_end, (x_0 - c) ** 2)
    yield eq(E(data, (x_0 - c) ** 2), by=theorem(nothing_is_said))
    yield eq(Var(data, x_0) + (E(data, x_0) - c) ** 2, by=linearity)
    yield ge(Var(data, x_0), by=positivity)


def velocity_at_the_end(v_target=v_target):
    """The velocity is -x_0 in the end, ..."""
    yield sqrt(alpha_bar_T) * noise_T - sqrt(1 - alpha_bar_T) * x_0
    yield tends_to(v_target, alpha_bar_T, 0, by=limit())


def minus_the_mean_of_the_data(v_target=v_target, v_prediction=v_prediction):
    """... so that a prediction of it says of the data what there is to say."""
    yield E(at_the_end, v_target)
    yield eq(-E(at_the_end, x_0), by=linearity)
    yield eq(v_prediction, by=theorem(mean_of_the_data))


WORLD = denoising.WORLD | {
    at_the_end: denoising.WORLD[data],
    law_of_x_T: normal(x_T, 0, 1),
}

CLAIMS = [
    Claim(
        "parameterization.mean-from-prediction",
        "From a prediction of the noise, of the score or of x_0, a step makes the same mean: that of the kernel given "
        "both ends, with the prediction in the place of x_0.",
        proved_by=(in_the_noise, in_the_score, exact_x_0, exact_noise, exact_score),
        evidence="S P T",
        source="Ho et al. (2020) eq. 11; Song et al. (2021) eq. 4",
        mistakes={
            "sqrt-beta": {
                "from_noise": (x_t - sqrt(beta) / sqrt(1 - alpha_bar) * predicted_noise) / sqrt(alpha),
                "from_score": (x_t + sqrt(beta) * predicted_score) / sqrt(alpha),
            },
            "no-root-alphabar": {"from_noise": (x_t - beta / (1 - alpha_bar) * predicted_noise) / sqrt(alpha)},
            "alphabar-outside": {
                "from_noise": (x_t - beta / sqrt(1 - alpha_bar) * predicted_noise) / sqrt(alpha_bar),
                "from_score": (x_t + beta * predicted_score) / sqrt(alpha_bar),
            },
            "half-beta": {"from_score": (x_t + beta / 2 * predicted_score) / sqrt(alpha)},
        },
        because={
            "sqrt-beta": "the standard deviation of the noise of the step, for a draw and not for a mean",
            "half-beta": "the coefficient of the probability-flow ODE, which moves without noise",
        },
    ),
    Claim(
        "parameterization.zero-snr-degenerate",
        "Without any signal left, the noise is predicted perfectly and says nothing of x_0; x_0 and the velocity are "
        "predicted by the mean of the data.",
        proved_by=(
            only_noise,
            nothing_is_said,
            noise_at_the_end,
            error_of_the_noise,
            no_error,
            says_nothing,
            mean_of_the_data,
            no_better_guess,
            velocity_at_the_end,
            minus_the_mean_of_the_data,
        ),
        evidence="S P T",
        tier="extended",
        assumes="the standing assumptions, but for the last step: alpha_bar_T = 0",
        source="Lin et al. (2023) section 3.2",
        mistakes={
            "eps-still-informative": {"covariance": v_0},
            "v-is-eps": {"v_target": noise_T, "v_prediction": x_T},
            "sign": {"v_target": x_0, "v_prediction": m_0},
        },
        because={
            "eps-still-informative": "as it is at every earlier step, where x_0 = (x_t - sqrt(1 - alpha_bar_t) eps)/"
            "sqrt(alpha_bar_t)",
            "v-is-eps": "true at the other end, where there is no noise yet",
            "sign": "as Lin et al. (2023) print it; by their own definition of the velocity it is -x_0",
        },
    ),
]
