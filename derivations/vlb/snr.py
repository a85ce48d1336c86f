r"""The weights of the steps add up to a difference: the bound sees the ends of a schedule and little of the way.

.. math:: \sum_{t=2}^T\bigl(\mathrm{SNR}(t-1)-\mathrm{SNR}(t)\bigr)=\mathrm{SNR}(1)-\mathrm{SNR}(T),\qquad
    -\tfrac12\int_0^1\mathrm{SNR}'(u)\,f(\mathrm{SNR}(u))\,du=\tfrac12\int_{\mathrm{SNR}(1)}^{\mathrm{SNR}(0)}f(s)\,ds .

So a constant error of x_0 costs the same on all schedules with the same ends, and in continuous time so does any error
that depends on the time through the signal-to-noise ratio alone. In discrete time it does not: with the exact denoiser
the error is the mmse, which falls as the ratio grows, and the bound is a sum of rectangles over its graph,

.. math:: \sum_{t\ge2}L_{t-1}=\tfrac12\sum_{t\ge2}\bigl(\mathrm{SNR}(t-1)-\mathrm{SNR}(t)\bigr)
    \,\mathrm{mmse}(\mathrm{SNR}(t))\ \ge\ \tfrac12\int_{\mathrm{SNR}(T)}^{\mathrm{SNR}(1)}\mathrm{mmse}(s)\,ds .

A finer schedule never costs more, and the excess of N equal steps from a down to b is
:math:`\frac{a-b}{4N}(\mathrm{mmse}(b)-\mathrm{mmse}(a))+O(N^{-2})`. The integral is what x_1 says of x_0 and x_T does
not, in nats, for half the mmse is the slope of the mutual information: this is what the bound costs at best. The mmse
itself has the slope :math:`-\mathbb E\operatorname{Var}[x_0\mid x_t]^2`.

References:
    Kingma, Salimans, Poole & Ho (2021), Variational diffusion models.
    Guo, Shamai & Verdu (2005), Mutual information and minimum mean-square error in Gaussian channels.
    Guo, Wu, Shamai & Verdu (2011), Estimation in Gaussian noise: properties of the minimum mean-square error.
"""

from sympy import Integer, Integral, Rational, Sum, exp, log, sqrt

from ..calculus import (
    Density,
    E,
    RealFunction,
    Var,
    algebra,
    by_parts,
    completing_the_square,
    d,
    definition,
    differentiation,
    entropy,
    eq,
    gaussian_moments,
    ge,
    granted,
    gt,
    integral,
    let,
    linearity,
    lt,
    naturals,
    normal,
    positives,
    positivity,
    reals,
    taylor,
    telescope,
    theorem,
    tower,
    under_the_integral,
    units,
    up_to,
)
from ..claim import Claim
from ..reversal.denoising import WORLD as DENOISED
from ..reversal.denoising import bayes_rules, between, data, guess, origin, x_0
from ..reversal.denoising import c as centre
from ..reversal.step import posterior
from .weights import WHERE as STEPS
from .weights import x_0_weight

WHERE = STEPS

# Notation: S_t is SNR(t), and \rho_u is the same in continuous time; c makes another schedule with the same ends.

t, T = naturals("t T")
u = units("u")
error = positives("e")
snr, path = Density("S", at=[t]), Density(r"\rho", at=[u])
c = RealFunction("c", at=[t])
s, h, k = positives("s h k")
f, F = RealFunction("f", [s]), RealFunction("F", [s])  # an error that sees the ratio only, and its antiderivative

detour = snr + (t - 1) * (T - t) * c
chain_rule = definition(
    "the chain rule", {d(u, F(path)): f(path) * d(u, path)}, "the chain rule, for an antiderivative F of f"
)

# V(s) is the mmse at a ratio s, and -W its slope; I has the slope V/2.  Two steps lose k of the ratio, and then h.

r = units("r")
mmse, info, W = RealFunction("V", [s]), RealFunction("I", [s]), Density("W", at=[s])
falls = definition("-W is the slope of the mmse", {d(r, mmse(s + h * r)): -h * W(s + h * r)})
area = Integral(h * mmse(s + h * r) / 2, (r, 0, 1))
after, midway, hidden, start, end, most, least = positives(r"V_2 V_1 \eta a b V_b V_a")
gaps = naturals("N")
values = Density("V", at=[t])  # at N + 1 ratios, from a down to b
y, m_0, m, width = reals(r"y m_0 m \Delta")
v_0 = positives("v_0")
drawn = tower(posterior, origin, bayes_rules, guess, between)  # x_0 given x_t, by way of x_{t-1} or not
channel = normal(y, sqrt(s) * x_0, 1)

# y = g x_0 + noise; given y, x_0 has the mean \hat x, and its square the mean \hat z.

g = positives("g")
amplified = normal(y, g * x_0, 1)
seen, given = Density("p", [y], at=[g]), Density("p", [x_0], given=[y], at=[g])
best, square = RealFunction(r"\hat{x}", [y], at=[g]), RealFunction(r"\hat{z}", [y], at=[g])
moments = {best: E(given, x_0), square: E(given, x_0**2)}
means = definition("means given y", moments)
behind_y = definition("Bayes' rule", {seen: integral(amplified * data, x_0), given: amplified * data / seen, **moments})
inside = granted("differentiating under the integral", "Guo, Shamai & Verdu (2005)")

# Statement

total = error / 2 * (snr(1) - snr(T))
difference = Integer(0)
continuous = (F(path(0)) - F(path(1))) / 2

rectangle = h * mmse / 2
saved = k * (after - midway) / 2
rate = Integer(1)
constant = (start - end) * (most - least) / 4
growth = E(seen, Var(given, x_0)) / 2
fall = E(seen, Var(given, x_0) ** 2)
gaussian_mmse = v_0 / (1 + v_0 * s)
gaussian_information = log(1 + v_0 * s) / 2


def cost(schedule):
    """What a constant error costs on a schedule."""
    return Sum(error * schedule.xreplace({t: t - 1}) / 2 - error * schedule / 2, (t, 2, T))


def constant_error(total=total):
    """Of a sum of differences the ends are left."""
    yield cost(snr)
    yield eq(total, by=telescope)


def constant_error_on_a_detour(total=total):
    """On any other schedule with the same ends they are the same ..."""
    yield cost(detour)
    yield eq(total, by=telescope)


def no_schedule_is_better(difference=difference):
    """... so that no schedule is better than another."""
    yield cost(detour) - cost(snr)
    yield eq(total - cost(snr), by=theorem(constant_error_on_a_detour))
    yield eq(difference, by=theorem(constant_error))


def in_continuous_time(continuous=continuous):
    """In continuous time this holds for any error that depends on the time through the ratio alone."""
    yield Integral(-f(path) * d(u, path) / 2, (u, 0, 1))
    yield eq(Integral(-d(u, F(path)) / 2, (u, 0, 1)), by=chain_rule)
    yield eq(continuous, by=by_parts(-F(path) / 2, u))


# The exact denoiser


def exact_denoiser():
    """Given x_t, the best guess at x_0 is its mean, and the error of x_0 is its variance: on average, the mmse."""
    yield let(m, E(guess, x_0))
    yield E(guess, x_0_weight * (x_0 - m) ** 2)
    yield eq(x_0_weight * Var(guess, x_0), by=linearity)


def noise_hides():
    """The mmse never falls along the process: what is known after a step is an average of what was known before."""
    yield let(m, E(posterior, E(origin, x_0)))
    yield Var(guess, x_0)
    yield eq(E(guess, x_0**2) - E(guess, x_0) ** 2, by=linearity)
    yield eq(E(posterior, E(origin, x_0**2)) - E(posterior, E(origin, x_0)) ** 2, by=drawn)
    yield eq(E(posterior, Var(origin, x_0)) + E(posterior, (E(origin, x_0) - m) ** 2), by=linearity)
    yield ge(E(posterior, Var(origin, x_0)), by=positivity)


def more_than_the_area(rectangle=rectangle):
    """A step costs a rectangle as high as the mmse at its noisy end, which is higher than the graph on its way."""
    yield rectangle - area
    whole = Integral(-h * (1 - r) * d(r, mmse(s + h * r)) / 2, (r, 0, 1))
    yield eq(whole, by=by_parts(h * (1 - r) * mmse(s + h * r) / 2, r))
    yield eq(Integral(h**2 * (1 - r) * W(s + h * r) / 2, (r, 0, 1)), by=falls)
    yield gt(0, by=positivity)


def less_than_the_difference(rectangle=rectangle):
    """The excess is less than what the mmse at the other end would save, and this adds up to O(1/N) for equal steps."""
    drop = h * (mmse - mmse(s + h)) / 2
    yield rectangle - area
    yield eq(
        drop + Integral(h * r * d(r, mmse(s + h * r)) / 2, (r, 0, 1)), by=by_parts(-h * r * mmse(s + h * r) / 2, r)
    )
    yield eq(drop - Integral(h**2 * r * W(s + h * r) / 2, (r, 0, 1)), by=falls)
    yield lt(drop, by=positivity)


def excess_of_a_small_step():
    """For small steps it is half of that, in terms of I, whose slope is half the mmse, ..."""
    yield h * d(s, info) - (info(s + h) - info)
    yield up_to(h / 2 * (d(s, info) - d(s, info(s + h))), h, 3, by=taylor())


def excess_of_equal_steps(rate=rate, constant=constant):
    """... and N rests of the order of 1/N^3 are one of 1/N^2."""
    yield let(width, (start - end) / gaps)
    yield let(least, values(0))
    yield let(most, values(gaps))
    yield Sum(width * values / 4 - width * values(t - 1) / 4, (t, 1, gaps))
    yield eq(width * (values(gaps) - values(0)) / 4, by=telescope)
    yield eq(constant / gaps**rate, by=algebra)


def refining(saved=saved):
    """One more stop on the way saves a rectangle, whose height is what the noise after it hides."""
    yield let(after, midway + hidden)
    yield (k + h) * after / 2 - (k * midway / 2 + h * after / 2)
    yield eq(saved, by=algebra)
    yield gt(0, by=positivity)


def gaussian_guess(gaussian_mmse=gaussian_mmse):
    """For Gaussian data the precisions add, that of the data and the ratio: the mmse is one over their sum, ..."""
    yield normal(x_0, m_0, v_0) * channel / normal(y, sqrt(s) * m_0, 1 + v_0 * s)
    pulled = (m_0 + sqrt(s) * v_0 * y) / (1 + v_0 * s)
    yield eq(normal(x_0, pulled, gaussian_mmse), by=completing_the_square(x_0))


def gaussian_bits(gaussian_information=gaussian_information):
    """... what y says of x_0 is a logarithm, ..."""
    yield E(normal(x_0, m_0, v_0) * channel, log(channel) - log(normal(y, sqrt(s) * m_0, 1 + v_0 * s)))
    yield eq(gaussian_information, by=gaussian_moments)


def gaussian_slope(gaussian_information=gaussian_information, gaussian_mmse=gaussian_mmse):
    """... and its slope is half the mmse."""
    yield d(s, gaussian_information)
    yield eq(gaussian_mmse / 2, by=differentiation)


# For any data: y = g x_0 + noise, with the ratio s = g^2


def more_gain():
    """A larger gain moves y along the x_0 that one expects behind it, ..."""
    yield d(g, seen)
    yield eq(d(g, integral(amplified * data, x_0)), by=behind_y)
    yield eq(integral(x_0 * (y - g * x_0) * amplified * data, x_0), by=under_the_integral(g))
    yield eq(-d(y, integral(x_0 * amplified * data, x_0)), by=under_the_integral(y))
    yield eq(-d(y, best * seen), by=behind_y)


def pull():
    """... which is where the score of y points, ..."""
    yield d(y, seen)
    yield eq(d(y, integral(amplified * data, x_0)), by=behind_y)
    yield eq(integral((g * x_0 - y) * amplified * data, x_0), by=under_the_integral(y))
    yield eq((g * best - y) * seen, by=behind_y)


def pull_on_x_0():
    """... and so it is for what is weighted with x_0."""
    yield d(y, best * seen)
    yield eq(d(y, integral(x_0 * amplified * data, x_0)), by=behind_y)
    yield eq(integral(x_0 * (g * x_0 - y) * amplified * data, x_0), by=under_the_integral(y))
    yield eq((g * square - y * best) * seen, by=behind_y)


def information_grows(growth=growth):
    """What y says of x_0 is its entropy, less that of the noise: its slope in g is 2 g times half the mmse."""
    yield d(g, entropy(seen))
    yield eq(-integral(d(g, seen) * (log(seen) + 1), y), by=inside)
    yield eq(integral(d(y, best * seen) * (log(seen) + 1), y), by=theorem(more_gain))
    yield eq(-integral(best * d(y, seen), y), by=by_parts(best * seen * (log(seen) + 1), y))
    yield eq(integral(best * (y - g * best) * seen, y), by=theorem(pull))
    yield eq(integral(best * (y - g * best) * seen + d(y, best * seen), y), by=by_parts(-best * seen, y))
    yield eq(g * E(seen, square - best**2), by=theorem(pull_on_x_0))
    yield eq(2 * g * growth, by=means)


def more_gain_for_x_0():
    """What is weighted with x_0 moves along the mean of its square, ..."""
    yield d(g, best * seen)
    yield eq(d(g, integral(x_0 * amplified * data, x_0)), by=behind_y)
    yield eq(integral(x_0**2 * (y - g * x_0) * amplified * data, x_0), by=under_the_integral(g))
    yield eq(-d(y, integral(x_0**2 * amplified * data, x_0)), by=under_the_integral(y))
    yield eq(-d(y, square * seen), by=behind_y)


def mean_moves_with_variance():
    """... and the mean of x_0 moves with y as fast as x_0 is uncertain."""
    yield d(y, best) * seen
    yield eq(d(y, best * seen) - best * d(y, seen), by=differentiation)
    yield eq((g * square - y * best) * seen - best * d(y, seen), by=theorem(pull_on_x_0))
    yield eq(g * (square - best**2) * seen, by=theorem(pull))


def mmse_falls(fall=fall):
    """So the mmse, which is E x_0^2 less this, falls in g: in s, by the mean square of the variance of x_0 given y."""
    yield d(g, integral(best**2 * seen, y))
    yield eq(integral(2 * best * d(g, best * seen) - best**2 * d(g, seen), y), by=inside)
    yield eq(integral(-2 * best * d(y, square * seen) - best**2 * d(g, seen), y), by=theorem(more_gain_for_x_0))
    yield eq(integral(-2 * best * d(y, square * seen) + best**2 * d(y, best * seen), y), by=theorem(more_gain))
    yield eq(
        integral(2 * (square - best**2) * d(y, best) * seen, y), by=by_parts(best * (best**2 - 2 * square) * seen, y)
    )
    yield eq(integral(2 * g * (square - best**2) ** 2 * seen, y), by=theorem(mean_moves_with_variance))
    yield eq(2 * g * fall, by=means)
    yield ge(0, by=positivity)


# The world of the page on denoising, seen as y: x_0 given y would be Gaussian around c + shift, if the data were.

spread = Rational(3, 5)
shift, tau = spread * g * (y - g * centre) / (1 + g**2 * spread), spread / (1 + g**2 * spread)
WORLD = DENOISED | {
    snr: 3 / (t + Rational(1, 2)),
    c: 1 / (t + 1) ** 2,
    path: 3 * exp(-2 * u) + (1 - u) ** 2,
    f: 2 / (1 + 2 * s),
    F: log(1 + 2 * s),
    mmse: 2 / (1 + 2 * s),
    W: 4 / (1 + 2 * s) ** 2,
    info: log(1 + 2 * s) / 2,
    seen: (shift**2 + tau) / spread * normal(y, g * centre, 1 + g**2 * spread),
    given: amplified * data * spread / (shift**2 + tau) / normal(y, g * centre, 1 + g**2 * spread),
    best: (shift**3 + 3 * shift * tau) / (shift**2 + tau) + centre,
    square: (shift**4 + 6 * shift**2 * tau + 3 * tau**2 + 2 * centre * (shift**3 + 3 * shift * tau)) / (shift**2 + tau)
    + centre**2,
    values: t / 3 + 1 / (t + 1),
}

CLAIMS = [
    Claim(
        "vlb.telescoping",
        "The weights of x_0 add up to (SNR(1) − SNR(T))/2: a constant error costs the same on every way between.",
        proved_by=(constant_error, constant_error_on_a_detour, no_schedule_is_better, in_continuous_time),
        evidence="S Q P",
        assumes="T >= 2 steps; the variance of the model is that of the kernel given both ends; a smooth error",
        source="Kingma et al. (2021)",
        mistakes={
            "includes-t-1": {"total": error / 2 * (snr(0) - snr(T))},
            "depends-on-schedule": {"difference": error / 2 * Sum((t - 1) * (T - t) * c, (t, 2, T))},
            "sign": {"total": error / 2 * (snr(T) - snr(1))},
            "logsnr-sum": {"total": error / 2 * (log(snr(1)) - log(snr(T)))},
        },
        because={
            "includes-t-1": "there is no kernel at t = 1, and SNR(0) is infinite",
            "depends-on-schedule": "each step weighted by SNR(t), as the simple loss weighs errors of x_0",
            "logsnr-sum": "the weights of the noise are, for small steps, differences of log SNR",
        },
    ),
    Claim(
        "vlb.riemann-gap",
        "With the exact denoiser the bound is an upper sum of half the integral of the mmse, whose excess falls like "
        "1/T; half the mmse is the slope of the mutual information.",
        proved_by=(
            exact_denoiser,
            noise_hides,
            more_than_the_area,
            less_than_the_difference,
            excess_of_a_small_step,
            excess_of_equal_steps,
            refining,
            information_grows,
            mmse_falls,
            gaussian_guess,
            gaussian_bits,
            gaussian_slope,
        ),
        evidence="S Q P",
        tier="extended",
        kind="inequality/limit",
        assumes="the exact denoiser, d = 1; data that are not a point; the variance of the model is that of the kernel "
        "given both ends",
        source="Kingma et al. (2021); Guo, Shamai & Verdu (2005); Guo et al. (2011)",
        mistakes={
            "lower-sum": {"rectangle": h * mmse(s + h) / 2},
            "no-half": {"rectangle": h * mmse, "growth": 2 * growth},
            "rate-T-squared": {"rate": Integer(2)},
            "mmse-is-variance": {"gaussian_mmse": v_0},
        },
        because={
            "lower-sum": "the error at the end of the reverse step, where less is to be guessed than at its beginning",
            "rate-T-squared": "the rate of the trapezoidal rule",
            "mmse-is-variance": "before one has seen anything",
        },
    ),
]
