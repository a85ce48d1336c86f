r"""What a step forgets: the signal-to-noise ratio falls, and so does every divergence.

.. math:: \mathrm{SNR}(t)=\frac{\bar\alpha_t}{1-\bar\alpha_t}<\mathrm{SNR}(t-1),\qquad
          \mathrm{KL}(q_{t-1}\,\|\,p_{t-1})=\mathrm{KL}(q_t\,\|\,p_t)
          +\mathbb E_{q_t}\mathrm{KL}\bigl(q(\cdot\mid x_t)\,\|\,p(\cdot\mid x_t)\bigr).

No increasing :math:`\beta_t` is needed: any step adds noise. Two data laws become harder to tell apart by as much as
their reverse kernels differ, which is never negative, and zero only if they do not differ at all.

References:
    Kingma, Salimans, Poole & Ho (2021), Variational diffusion models.
"""

from sympy import Integer, Rational, log, sqrt

from ..calculus import (
    KL,
    Density,
    E,
    Var,
    algebra,
    definition,
    eq,
    gaussian_moments,
    ge,
    gt,
    le,
    linearity,
    log_tangent,
    lt,
    normal,
    normalised,
    pointwise,
    positives,
    positivity,
    reals,
    theorem,
    tower,
    units,
    using,
)
from ..claim import Claim

# Notation: q and p are two data laws, put through the same step.

x_0, x_prev, x_t, m_prev = reals("x_0 x_{t-1} x_t m_{t-1}")
v_prev, apart = positives(r"v_{t-1} \delta")
alpha, alpha_prev, alpha_bar_prev = units(r"\alpha_t \alpha_{t-1} \bar\alpha_{t-1}")
beta, beta_prev, alpha_bar = units(r"\beta_t \beta_{t-1} \bar\alpha_t")
WHERE = {beta: 1 - alpha, beta_prev: 1 - alpha_prev, alpha_bar: alpha * alpha_bar_prev}

step = normal(x_t, sqrt(alpha) * x_prev, beta)
q_prev, q_t = Density("q_{t-1}", [x_prev]), Density("q_t", [x_t])
p_prev, p_t = Density("p_{t-1}", [x_prev]), Density("p_t", [x_t])
q_kernel, p_kernel = Density("q", [x_prev], given=[x_t]), Density("p", [x_prev], given=[x_t])
bayes = definition("Bayes' rule", {q_kernel: step * q_prev / q_t})
bayes_twice = definition("Bayes' rule, twice", {q_kernel: step * q_prev / q_t, p_kernel: step * p_prev / p_t})

# Statement

snr = alpha_bar / (1 - alpha_bar)
drop = alpha_bar_prev * beta / ((1 - alpha_bar_prev) * (1 - alpha_bar))  # SNR(t - 1) - SNR(t)
forgotten = E(q_t, KL(q_kernel, p_kernel))


def power_of_signal_and_noise(snr=snr):
    """The ratio of powers: times the variance of x_t given x_0 it is the square of the gain of x_0."""
    yield snr * Var(normal(x_t, sqrt(alpha_bar) * x_0, 1 - alpha_bar), x_t)
    yield eq(snr * (1 - alpha_bar), by=gaussian_moments)
    yield eq(sqrt(alpha_bar) ** 2, by=algebra)


def one_step(snr=snr, drop=drop):
    """One step loses this much of it ..."""
    yield snr.xreplace({alpha_bar: alpha_bar_prev}) - snr
    yield eq(drop, by=algebra)


def always_falls(drop=drop):
    """... which is positive for every schedule, increasing or not."""
    yield drop
    yield gt(0, by=positivity)


def what_a_step_forgets(forgotten=forgotten):
    """A divergence before the step is the one after it, and that between the reverse kernels."""
    yield KL(q_prev, p_prev)
    yield eq(E(q_prev, log(q_prev) - log(p_prev)), by=linearity)
    yield eq(E(q_t, E(q_kernel, log(q_prev) - log(p_prev))), by=tower(q_t, q_kernel, bayes, q_prev, step))
    # The step itself is the same for both laws, and cancels.
    yield eq(E(q_t, E(q_kernel, log(q_t) + log(q_kernel) - log(p_t) - log(p_kernel))), by=bayes_twice)
    yield eq(KL(q_t, p_t) + forgotten, by=linearity)


def kernels_differ():
    """No density is explained better by another one than by itself."""
    yield -KL(q_kernel, p_kernel)
    yield eq(E(q_kernel, log(p_kernel / q_kernel)), by=linearity)
    yield le(E(q_kernel, p_kernel / q_kernel - 1), by=pointwise(log_tangent()))
    yield eq(0, by=normalised(q_kernel, p_kernel))


def kernels_differ_on_average():
    """The same, averaged over x_t."""
    yield E(q_t, -KL(q_kernel, p_kernel))
    yield le(E(q_t, 0), by=pointwise(using(kernels_differ)))


def divergence_never_grows(forgotten=forgotten):
    """So no step makes two data laws easier to tell apart."""
    yield KL(q_prev, p_prev)
    yield eq(KL(q_t, p_t) + forgotten, by=theorem(what_a_step_forgets))
    yield ge(KL(q_t, p_t), by=using(kernels_differ_on_average))


def one_law_on_both_sides():
    """Nothing is forgotten if there is nothing to tell apart: this is the case of equality."""
    yield E(q_t, KL(q_kernel, q_kernel))
    yield eq(0, by=linearity)


def two_gaussians():
    """And something is, if two laws differ in their means alone: their distance shrinks against the noise."""
    after = alpha * v_prev + beta
    yield KL(normal(x_t, sqrt(alpha) * (m_prev + apart), after), normal(x_t, sqrt(alpha) * m_prev, after))
    yield eq(alpha * apart**2 / (2 * after), by=gaussian_moments)
    yield lt(apart**2 / (2 * v_prev), by=positivity)


# A world for the witness: two clusters, and one Gaussian.


def clusters(x, shrunk, noise):
    first, second = (
        normal(x, sqrt(shrunk) * m, shrunk * c + noise) for m, c in ((-1, Rational(1, 2)), (1, Integer(1)))
    )
    return Rational(3, 10) * first + Rational(7, 10) * second


WORLD = {
    q_prev: clusters(x_prev, Integer(1), Integer(0)),
    q_t: clusters(x_t, alpha, beta),
    p_prev: normal(x_prev, Rational(1, 2), 2),
    p_t: normal(x_t, sqrt(alpha) / 2, 2 * alpha + beta),
    q_kernel: step * q_prev / q_t,
    p_kernel: step * p_prev / p_t,
}

CLAIMS = [
    Claim(
        "forward.snr-monotone",
        "The signal-to-noise ratio falls at every step, whatever the schedule; no divergence of two data laws grows.",
        proved_by=(
            power_of_signal_and_noise,
            one_step,
            always_falls,
            what_a_step_forgets,
            divergence_never_grows,
            one_law_on_both_sides,
            two_gaussians,
        ),
        evidence="S P Q",
        kind="inequality",
        source="Kingma et al. (2021); the data-processing inequality",
        mistakes={
            "needs-increasing-beta": {
                "drop": alpha_bar_prev * (beta - beta_prev) / ((1 - alpha_bar_prev) * (1 - alpha_bar))
            },
            "snr-std": {"snr": sqrt(alpha_bar) / sqrt(1 - alpha_bar)},
            "snr-inverted": {"snr": (1 - alpha_bar) / alpha_bar},
            "kl-increases": {"forgotten": -forgotten},
        },
        because={
            "needs-increasing-beta": r"\beta_t increases in practice, and \bar\alpha_t is said to fall for that reason",
            "snr-std": "a ratio of amplitudes, not of powers",
        },
    )
]
