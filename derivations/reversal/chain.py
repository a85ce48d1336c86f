r"""The exact kernels, one after the other: they lead back to the data, from wherever the data have led.

.. math:: \int q(x_{t-1}\mid x_t)\,q_t(x_t)\,dx_t=q_{t-1}(x_{t-1}) .

A sampler starts from :math:`\mathcal N(0,1)` and not from :math:`q_T`. For Gaussian data the law in which it then ends
is known exactly, and for all data

.. math:: D_{KL}(q_0\Vert\hat q_0)\le D_{KL}(q_T\Vert\mathcal N(0,1)) :

a chain brings two starting laws closer together, never further apart. A sampler must also *draw*. The mean of the
kernel alone has too small a variance, by exactly the variance of the draw; and the naive mean alone has too large a
one.
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
    gaussian_integral,
    gaussian_moments,
    gt,
    integral,
    le,
    let,
    linearity,
    log_tangent,
    lt,
    normal,
    normalised,
    pointwise,
    positives,
    positivity,
    reals,
    rearranging,
    theorem,
    tower,
    units,
    using,
)
from ..claim import Claim
from .bayes import gaussian_mean, gaussian_variance, m_prev, m_t, v_prev, v_t
from .step import WHERE as STEP
from .step import WORLD as ONE_STEP
from .step import alpha, bayes, beta, marginal, posterior, prior, step, x_prev, x_t

# Notation: Gaussian data have means m and variances v at all times.

x_0, x_T, x_hat, m_0, m_T = reals(r"x_0 x_T \hat{x} m_0 m_T")
v_0, v_T = positives("v_0 v_T")
gain, centre, mu = reals(r"g c \mu")  # of any kernel that is Gaussian
rest, kappa = positives(r"\rho \kappa")
alpha_bar_prev, alpha_bar, alpha_bar_T = units(r"\bar\alpha_{t-1} \bar\alpha_t \bar\alpha_T")
WHERE = STEP | {
    alpha_bar: alpha * alpha_bar_prev,
    m_prev: sqrt(alpha_bar_prev) * m_0,
    m_t: sqrt(alpha_bar) * m_0,
    m_T: sqrt(alpha_bar_T) * m_0,
    v_prev: alpha_bar_prev * v_0 + 1 - alpha_bar_prev,
    v_t: alpha_bar * v_0 + 1 - alpha_bar,
    v_T: alpha_bar_T * v_0 + 1 - alpha_bar_T,
}

seen = normal(x_t, m_t, v_t)
m = positives("m")  # a shift


def down(x_t, m_t, v_t, alpha_bar):
    """All kernels from here down to the data, for Gaussian data."""
    return normal(x_hat, m_0 + sqrt(alpha_bar) * v_0 / v_t * (x_t - m_t), (1 - alpha_bar) * v_0 / v_t)


# r is the whole chain; started from q_T it ends in q_0, and started from N(0, 1) it ends in another law.  Read
# upwards, from what it has ended in, it is f.

data, at_end = Density("q_0", [x_0]), Density("q_T", [x_T])
start, out = normal(x_T, 0, 1), Density(r"\hat{q}_0", [x_0])
chain = Density("r", [x_0], given=[x_T])
up, up_from_out = Density("f", [x_T], given=[x_0]), Density(r"\hat{f}", [x_T], given=[x_0])
bayes_up = definition("Bayes' rule", {up: chain * at_end / data})
bayes_up_twice = definition("Bayes' rule, twice", {up: chain * at_end / data, up_from_out: chain * start / out})

# Statement

kept = alpha * v_prev**2 / v_t  # of the variance, by the mean of the kernel
stretched = v_prev + beta / alpha  # the variance of the naive mean
mean_from_noise = m_0 - sqrt(alpha_bar_T) * v_0 / v_T * m_T
variance_from_noise = v_0 + alpha_bar_T * v_0**2 / v_T**2 * (1 - v_T)
distance_at_start = KL(at_end, start)


def variance_of_the_mean(kept=kept):
    """Put the mean of the kernel in the place of a draw: it varies ..."""
    yield Var(seen, gaussian_mean)
    yield eq(kept, by=gaussian_moments)


def less_than_the_data(kept=kept):
    """... less than x_{t-1} does ..."""
    yield kept
    yield lt(v_prev, by=positivity)


def drawing_makes_up_for_it(kept=kept):
    """... by exactly what a draw from the kernel adds."""
    yield gaussian_variance + kept
    yield eq(v_prev, by=algebra)


def total_variance():
    """So it is for all data: the variance is that of the mean, and the mean of the variance."""
    yield Var(prior, x_prev)
    yield eq(E(prior, x_prev**2) - E(prior, x_prev) ** 2, by=linearity)
    mean, square = E(posterior, x_prev), E(posterior, x_prev**2)
    yield eq(E(marginal, square) - E(marginal, mean) ** 2, by=tower(marginal, posterior, bayes, prior, step))
    yield eq(E(marginal, Var(posterior, x_prev)) + Var(marginal, mean), by=linearity)


def naive_mean_alone(stretched=stretched):
    """The naive rule without its noise errs on the other side."""
    yield Var(seen, x_t / sqrt(alpha))
    yield eq(stretched, by=gaussian_moments)
    yield gt(v_prev, by=positivity)


def one_step_back(returned=prior):
    """From the law of x_t, one exact kernel leads to the law of x_{t-1}, whatever the data; and so on down to them."""
    yield integral(posterior * marginal, x_t)
    yield eq(integral(step * prior, x_t), by=bayes)
    yield eq(returned, by=gaussian_integral(x_t))


def first_kernel():
    """For Gaussian data the last kernel of the chain, from x_1 to the data ..."""
    v_1 = alpha * v_0 + beta
    yield normal(x_hat, m_0 + sqrt(alpha) * v_0 / v_1 * (x_t - sqrt(alpha) * m_0), beta * v_0 / v_1)
    yield eq(down(x_t, sqrt(alpha) * m_0, alpha * v_0 + 1 - alpha, alpha), by=algebra)


def one_after_another():
    """Two Gaussian kernels in a row are one: a gain carries on a mean, and its square a variance."""
    yield integral(normal(x_hat, m_0 + gain * (x_prev - centre), rest) * normal(x_prev, mu, kappa), x_prev)
    yield eq(normal(x_hat, m_0 + gain * (mu - centre), rest + gain**2 * kappa), by=gaussian_integral(x_prev))


def one_more_kernel():
    """... and so, by induction, all kernels down to the data are one Gaussian."""
    gain_prev, rest_prev = sqrt(alpha_bar_prev) * v_0 / v_prev, (1 - alpha_bar_prev) * v_0 / v_prev
    yield let(mu, gaussian_mean)
    yield let(kappa, gaussian_variance)
    yield integral(down(x_prev, m_prev, v_prev, alpha_bar_prev) * normal(x_prev, mu, kappa), x_prev)
    yield eq(
        normal(x_hat, m_0 + gain_prev * (mu - m_prev), rest_prev + gain_prev**2 * kappa),
        by=theorem(one_after_another, {gain: gain_prev, rest: rest_prev, centre: m_prev, mu: mu, kappa: kappa}),
    )
    yield eq(down(x_t, m_t, v_t, alpha_bar), by=algebra)


def from_noise(mean=mean_from_noise, variance=variance_from_noise):
    """Started from N(0, 1), it ends beside the data by what is left of them in x_T."""
    yield integral(down(x_T, m_T, v_T, alpha_bar_T) * start, x_T)
    yield eq(normal(x_hat, mean, variance), by=gaussian_integral(x_T))


def two_starts():
    """In general: the divergence of the two starts is that of the two ends, and what the chain forgets."""
    yield KL(at_end, start)
    yield eq(E(at_end, log(at_end) - log(start)), by=linearity)
    yield eq(E(data, E(up, log(at_end) - log(start))), by=tower(data, up, bayes_up, at_end, chain))
    # The chain itself is the same for both starts, and cancels.
    yield eq(E(data, E(up, log(data) + log(up) - log(out) - log(up_from_out))), by=bayes_up_twice)
    yield eq(KL(data, out) + E(data, KL(up, up_from_out)), by=linearity)


def what_is_forgotten():
    """No density is explained better by another one than by itself."""
    yield -KL(up, up_from_out)
    yield eq(E(up, log(up_from_out / up)), by=linearity)
    yield le(E(up, up_from_out / up - 1), by=pointwise(log_tangent()))
    yield eq(0, by=normalised(up, up_from_out))


def what_is_forgotten_on_average():
    """The same, averaged over where the chain ends."""
    yield E(data, -KL(up, up_from_out))
    yield le(E(data, 0), by=pointwise(using(what_is_forgotten)))
    yield eq(0, by=linearity)


def ends_are_closer(distance=distance_at_start):
    """So the end is no further from the data than the start is from q_T."""
    yield KL(data, out)
    yield eq(KL(at_end, start) - E(data, KL(up, up_from_out)), by=rearranging(two_starts))
    yield le(distance, by=using(what_is_forgotten_on_average))


def no_distance(mean=mean_from_noise, variance=variance_from_noise, distance=distance_at_start):
    """Data that are N(0, 1) already stay so at all times, and nothing is lost at either end: equality ..."""
    unit = {m_0: Integer(0), m_T: Integer(0), v_0: Integer(1), v_T: Integer(1)}
    yield KL(normal(x_0, 0, 1), normal(x_0, mean.xreplace(unit), variance.xreplace(unit)))
    yield eq(0, by=gaussian_moments)
    yield eq(distance.xreplace({at_end: start}), by=linearity)


def some_distance(mean=mean_from_noise, variance=variance_from_noise):
    """... and for data of unit variance, shifted by m > 0, the bound is strict."""
    shifted = {m_0: m, m_T: sqrt(alpha_bar_T) * m, v_0: Integer(1), v_T: Integer(1)}
    yield KL(normal(x_0, m, 1), normal(x_0, mean.xreplace(shifted), variance.xreplace(shifted)))
    yield eq(alpha_bar_T**2 * m**2 / 2, by=gaussian_moments)
    yield lt(alpha_bar_T * m**2 / 2, by=positivity)
    yield eq(KL(normal(x_T, sqrt(alpha_bar_T) * m, 1), start), by=gaussian_moments)


CLAIMS = [
    Claim(
        "reversal.mean-only-shrinks",
        "The mean of the kernel in the place of a draw has too small a variance; the naive mean has too large a one.",
        proved_by=(
            variance_of_the_mean,
            less_than_the_data,
            drawing_makes_up_for_it,
            total_variance,
            naive_mean_alone,
        ),
        evidence="S M P",
        assumes="the standing assumptions; Gaussian data",
        mistakes={
            "mean-keeps-variance": {"kept": v_prev},
            "no-alpha": {"stretched": v_prev + beta},
            "noise-free-naive-is-exact": {"stretched": v_prev},
            "v-squared-over-v": {"kept": v_prev**2 / v_t},
        },
        because={
            "mean-keeps-variance": "a sampler that drops its noise looks cleaner, not narrower",
            "noise-free-naive-is-exact": "without fresh noise the equation seems to be the forward step, undone",
        },
    ),
    Claim(
        "reversal.exact-chain",
        "The exact kernels lead from q_T back to the data; from N(0, 1) they end no further from the data than "
        "N(0, 1) is from q_T.",
        proved_by=(
            one_step_back,
            first_kernel,
            one_more_kernel,
            from_noise,
            two_starts,
            ends_are_closer,
            no_distance,
            some_distance,
        ),
        evidence="S Q M P B",
        kind="inequality",
        assumes="the standing assumptions; Gaussian data for the law that the chain from N(0, 1) ends in",
        mistakes={
            "start-does-not-matter": {"mean": m_0, "variance": v_0},
            "gain-not-squared": {"variance": v_0 + sqrt(alpha_bar_T) * v_0 / v_T * (1 - v_T)},
            "bound-reversed": {"distance": KL(start, at_end)},
            "sign-of-mean": {"mean": m_0 + sqrt(alpha_bar_T) * v_0 / v_T * m_T},
        },
        because={
            "start-does-not-matter": "at the end of a long schedule almost nothing of the data is left",
            "bound-reversed": "which of the two laws is averaged over; a short chain from wide data tells them apart",
        },
    ),
]

# A world for the witness: two clusters for one step; and for the whole chain, which leaves half of their variance, data
# so wide that it starts far from N(0, 1).

wide = {m_0: Rational(1, 2), v_0: Integer(9), alpha_bar_T: Rational(1, 2)}


def widely(e):
    """With numbers for the letters of the data and of the chain."""
    return e.xreplace(WHERE).xreplace(wide)


WORLD = ONE_STEP | {
    data: widely(normal(x_0, m_0, v_0)),
    at_end: widely(normal(x_T, m_T, v_T)),
    chain: widely(down(x_T, m_T, v_T, alpha_bar_T)).xreplace({x_hat: x_0}),
    out: widely(normal(x_0, mean_from_noise, variance_from_noise)),
    up: widely(normal(x_T, sqrt(alpha_bar_T) * x_0, 1 - alpha_bar_T)),
    up_from_out: chain * start / out,
}
