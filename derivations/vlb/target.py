r"""The loss that one can compute, and the one that is meant: they differ by what :math:`x_0` tells of :math:`x_{t-1}`.

.. math:: \mathbb E\,D_{KL}\bigl(q(x_{t-1}\mid x_t,x_0)\,\|\,p(x_{t-1}\mid x_t)\bigr)
          =\mathbb E\,D_{KL}\bigl(q(x_{t-1}\mid x_t)\,\|\,p(x_{t-1}\mid x_t)\bigr)+I(x_{t-1};x_0\mid x_t) ,

on average over :math:`x_t` because it is so for each.

The kernel that is to be learned, :math:`q(x_{t-1}\mid x_t)`, is not known; given :math:`x_0` as well it is. Trained on
the one, a model learns the other, because the difference is free of the model: no model has less loss than the
information, and the reverse kernel has just that. What it does not learn is the kernel given :math:`x_0` with its best
guess at :math:`x_0`: that is too narrow. For Gaussian data
:math:`I=\tfrac12\log\frac{v_{t-1}(1-\bar\alpha_t)}{v_t(1-\bar\alpha_{t-1})}`.

Averaged over the data as well, the whole bound is what one means it to be,

.. math:: h(x_0)+D_{KL}\bigl(q_T\,\|\,p_T\bigr)
          +\sum_{t=1}^T\mathbb E\,D_{KL}\bigl(q(x_{t-1}\mid x_t)\,\|\,p(x_{t-1}\mid x_t)\bigr) ,

the entropy of the data, and what the model does wrong.

References:
    Ho, Jain & Abbeel (2020), Denoising diffusion probabilistic models, eq. (16).
"""

from sympy import Integer, Rational, Sum, exp, log, sqrt

from ..calculus import (
    KL,
    Density,
    E,
    RealFunction,
    algebra,
    definition,
    eq,
    gaussian_moments,
    ge,
    integral,
    le,
    let,
    linearity,
    log_tangent,
    naturals,
    normal,
    normalised,
    pointwise,
    positives,
    positivity,
    reals,
    telescope,
    theorem,
    tower,
    units,
    using,
)
from ..claim import Claim
from ..reversal.denoising import between, data, drawn, gain, guess, origin, plug_in, predicted_x_0, x_0
from ..reversal.posterior import posterior_mean, posterior_variance
from ..reversal.step import WHERE as STEP
from ..reversal.step import alpha, beta, marginal, posterior, prior, x_prev, x_t

# Notation: one step, with a model of it; I is what x_0 tells of x_{t-1} at x_t, and I_0 what it tells without x_t.

b, c, g = reals("b c g")  # g is the mean of x_0 given x_t, for Gaussian data
v_0, v_prev, v_t, w, narrow, wide = positives("v_0 v_{t-1} v_t w u n")
alpha_bar_prev, alpha_bar = units(r"\bar\alpha_{t-1} \bar\alpha_t")
WHERE = STEP | {
    alpha_bar: alpha * alpha_bar_prev,
    v_prev: alpha_bar_prev * v_0 + 1 - alpha_bar_prev,
    v_t: alpha_bar * v_0 + 1 - alpha_bar,
}

model = Density("p", [x_prev], given=[x_t])
I, I_0 = RealFunction("I", [x_t]), Density("I_0")
information = definition("the information in x_0", {I: E(guess, KL(between, posterior))})

# The whole path: densities at time t, forwards and backwards, and a model of all steps.

t, T = naturals("t T")
seen, forwards = Density("q", [x_t], at=[t]), Density("q", [x_t], given=[x_prev], at=[t])
backwards, models = (Density(name, [x_prev], given=[x_t], at=[t]) for name in ("r", "p"))
start = Density("p_T", [x_t])
bayes = definition("Bayes' rule", {backwards: forwards * seen(x_prev, t - 1) / seen})

# Statement

total = KL(posterior, model) + I
gaussian = log(v_prev * (1 - alpha_bar) / (v_t * (1 - alpha_bar_prev))) / 2
apart = integral((sqrt(model) - sqrt(posterior)) ** 2, x_prev)  # nothing for the reverse kernel, and for no other
entropy = -E(seen(x_t, 0), log(seen(x_t, 0)))  # of the data
averaged = entropy + KL(seen(x_t, T), start) + Sum(E(seen, KL(backwards, models)), (t, 1, T))


def what_is_trained(total=total):
    """At each x_t the average over x_0 is one over the reverse kernel, and what x_0 tells does not meet the model."""
    yield E(guess, KL(between, model))
    yield eq(E(guess, E(between, log(posterior / model))) + E(guess, KL(between, posterior)), by=linearity)
    yield eq(E(posterior, log(posterior / model)) + E(guess, KL(between, posterior)), by=drawn)
    yield eq(KL(posterior, model) + E(guess, KL(between, posterior)), by=linearity)
    yield eq(total, by=information)


def no_kernel_is_better():
    """No kernel explains x_{t-1} better than the reverse kernel, and any other less well, by this at least ..."""
    yield E(posterior, log(model / posterior))
    yield eq(E(posterior, 2 * log(sqrt(model / posterior))), by=algebra)
    yield le(E(posterior, 2 * (sqrt(model / posterior) - 1)), by=pointwise(log_tangent()))
    yield eq(-apart, by=normalised(model, posterior))


def least_loss():
    """... so that the information is the least loss, of no other kernel ..."""
    yield E(guess, KL(between, model))
    yield eq(KL(posterior, model) + I, by=theorem(what_is_trained))
    yield eq(I - E(posterior, log(model / posterior)), by=linearity)
    yield ge(I + apart, by=using(no_kernel_is_better))
    yield ge(I, by=positivity)


def at_the_minimum(minimiser=posterior):
    """... and the reverse kernel attains it."""
    yield let(predicted_x_0, E(guess, x_0))
    yield E(guess, KL(between, minimiser))
    yield eq(I, by=information)


def two_gaussian_kernels():
    """A kernel whose mean moves with x_0, beside one that knows only the mean of x_0 ..."""
    told, untold = normal(x_prev, b * x_0 + c, narrow), normal(x_prev, b * g + c, wide)
    yield E(normal(x_0, g, w), KL(told, untold))
    yield eq((log(wide / narrow) + (narrow + b**2 * w) / wide - 1) / 2, by=gaussian_moments)


def of_gaussian_data(gaussian=gaussian):
    """... as it is for Gaussian data, where x_t does not matter."""
    meanings = {
        b: gain,
        c: posterior_mean.xreplace({x_0: Integer(0)}),
        narrow: posterior_variance,
        wide: beta * v_prev / v_t,
        w: v_0 * (1 - alpha_bar) / v_t,
    }
    for letter, meaning in meanings.items():
        yield let(letter, meaning)
    told, untold = normal(x_prev, b * x_0 + c, narrow), normal(x_prev, b * g + c, wide)
    yield E(normal(x_0, g, w), KL(told, untold))
    yield eq((log(wide / narrow) + (narrow + b**2 * w) / wide - 1) / 2, by=theorem(two_gaussian_kernels, meanings))
    yield eq(gaussian, by=algebra)


def one_step_of_the_bound():
    """A step of the bound, averaged over the data: the divergence that is meant, and a change of entropy."""
    before = seen(x_prev, t - 1)
    yield E(seen, E(backwards, log(forwards / models)))
    yield eq(E(seen, E(backwards, log(backwards * seen / (before * models)))), by=bayes)
    yield eq(E(seen, KL(backwards, models)) + E(seen, log(seen)) - E(seen, E(backwards, log(before))), by=linearity)
    yield eq(
        E(seen, KL(backwards, models)) + E(seen, log(seen)) - E(before, log(before)),
        by=tower(seen, backwards, bayes, before, forwards),
    )


def entropies_cancel():
    """Along the path all entropies cancel but those at the ends."""
    yield Sum(E(seen, log(seen)) - E(seen(x_t, t - 1), log(seen(x_t, t - 1))), (t, 1, T))
    yield eq(E(seen(x_t, T), log(seen(x_t, T))) - E(seen(x_t, 0), log(seen(x_t, 0))), by=telescope)


def whole_bound(averaged=averaged):
    """So the whole bound is the entropy of the data and what the model does wrong."""
    before, last, divergences = seen(x_t, t - 1), seen(x_t, T), Sum(E(seen, KL(backwards, models)), (t, 1, T))
    gained = E(seen, log(seen)) - E(before, log(before))
    yield Sum(E(seen, E(backwards, log(forwards / models))), (t, 1, T)) - E(last, log(start))
    yield eq(divergences + Sum(gained, (t, 1, T)) - E(last, log(start)), by=theorem(one_step_of_the_bound))
    yield eq(divergences + E(last, log(last)) + entropy - E(last, log(start)), by=theorem(entropies_cancel))
    yield eq(averaged, by=linearity)


CLAIMS = [
    Claim(
        "vlb.conditional-vs-marginal-kl",
        "To learn the kernel given x_0 is to learn the reverse kernel: the losses differ by I(x_{t-1}; x_0 | x_t).",
        proved_by=(
            what_is_trained,
            no_kernel_is_better,
            least_loss,
            at_the_minimum,
            two_gaussian_kernels,
            of_gaussian_data,
            one_step_of_the_bound,
            entropies_cancel,
            whole_bound,
        ),
        evidence="S Q M P",
        assumes="the standing assumptions; t >= 2; in the whole bound, x_0 has a density of finite entropy",
        source="Ho et al. (2020) eq. 16 for the whole bound",
        mistakes={
            "equal": {"total": KL(posterior, model)},
            "minus-mi": {"total": KL(posterior, model) - I},
            "unconditional-mi": {"total": KL(posterior, model) + I_0},
            "minimiser-is-plug-in": {"minimiser": plug_in},
        },
        because={
            "equal": "two losses with the same minimiser are taken to be the same",
            "unconditional-mi": "what x_0 tells of x_{t-1} before one has seen x_t",
            "minimiser-is-plug-in": "the kernel given both ends, with the mean of x_0 for x_0: it is too narrow",
        },
    ),
]

# A world for the witness: Gaussian data.


def regressed(x, y, mean, gain, variance, noise):
    """The law of x, of this mean and variance, given that gain * x with noise of that variance is y."""
    total = gain**2 * variance + noise
    return normal(x, mean + gain * variance / total * (y - gain * mean), variance * noise / total)


def noised(x, shrunk):
    return normal(x, sqrt(shrunk) * centre, shrunk * width + 1 - shrunk)


centre, width = Rational(2, 5), Rational(5, 3)
decay = exp(-t / 3 - t**2 / 20)
one_before = decay.xreplace({t: t - 1})
kept = exp(-Rational(1, 3) - (2 * t - 1) / 20)  # of one step: decay/one_before
v = alpha_bar_prev * width + 1 - alpha_bar_prev
WORLD = {
    data: normal(x_0, centre, width),
    prior: noised(x_prev, alpha_bar_prev),
    marginal: noised(x_t, alpha_bar),
    guess: regressed(x_0, x_t, centre, sqrt(alpha_bar), width, 1 - alpha_bar),
    origin: regressed(x_0, x_prev, centre, sqrt(alpha_bar_prev), width, 1 - alpha_bar_prev),
    between: regressed(x_prev, x_t, sqrt(alpha_bar_prev) * x_0, sqrt(alpha), 1 - alpha_bar_prev, beta),
    posterior: regressed(x_prev, x_t, sqrt(alpha_bar_prev) * centre, sqrt(alpha), v, beta),
    model: normal(x_prev, 4 * x_t / 5 + Rational(1, 4), Rational(2, 3)),
    I: log(v * (1 - alpha_bar) / ((alpha * v + beta) * (1 - alpha_bar_prev))) / 2,
    I_0: log(v / (1 - alpha_bar_prev)) / 2,
    seen: noised(x_t, decay),
    forwards: normal(x_t, sqrt(kept) * x_prev, 1 - kept),
    backwards: regressed(
        x_prev,
        x_t,
        sqrt(one_before) * centre,
        sqrt(kept),
        one_before * width + 1 - one_before,
        1 - kept,
    ),
    models: normal(x_prev, 4 * x_t / 5 + Rational(1, 4) - t / 9, Rational(2, 3) + t / 7),
    start: normal(x_t, Rational(1, 5), Rational(4, 3)),
}
