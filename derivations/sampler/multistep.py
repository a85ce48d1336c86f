r"""DPM-Solver++: the probability flow is an integral of the predicted data, which earlier predictions continue.

With :math:`x_t=a_tx_0+\sigma_t\bar\epsilon` and the time :math:`\lambda=\log(a/\sigma)`, the probability flow moves
:math:`x/\sigma` along :math:`e^\lambda\hat x_0`, where :math:`\hat x_0=\mathbb E[x_0\mid x_t]`, and along nothing else:

.. math:: x_s=\frac{\sigma_s}{\sigma_t}x_t+\sigma_s\int_{\lambda_t}^{\lambda_s}e^\lambda\,\hat x_0\,d\lambda .

What is left to be approximated is :math:`\hat x_0` on the way, and the factor beside it is integrated exactly. Held, it
gives DDIM. The line through the predictions at t and at the node t' before it, taken in the middle of the step and held
there, gives 2M; the parabola through three predictions gives 3M. With :math:`h=\lambda_s-\lambda_t` and
:math:`r=(\lambda_t-\lambda_{t'})/h`,

.. math:: x_s=\frac{\sigma_s}{\sigma_t}x_t-a_s(e^{-h}-1)
    \Bigl[\Bigl(1+\frac1{2r}\Bigr)\hat x_0^{(t)}-\frac1{2r}\hat x_0^{(t')}\Bigr] .

2M does not integrate its line, which would differ from it by :math:`a_sh^3/12` times the slope of the line: as much as
it errs anyhow. All this holds for any a and :math:`\sigma`, whether the variance is preserved or not: the process is
that of ``sde.moments``, and its flow that of ``sde.reverse-and-pf-ode``.

References:
    Lu et al. (2022), DPM-Solver++: fast solver for guided sampling of diffusion probabilistic models, algorithm 2,
        which is 2M.
    Hochbruck & Ostermann (2010), Exponential integrators: polynomials through earlier values, integrated.
"""

from sympy import Integer, Integral, Rational, exp, log, sqrt

from ..calculus import (
    Density,
    RealFunction,
    algebra,
    by_parts,
    d,
    definition,
    differentiation,
    elementary_integral,
    eq,
    let,
    positives,
    reals,
    taylor,
    theorem,
    units,
    up_to,
)
from ..claim import Claim

# Notation: t' is the node before t, and t'' the one before t'; \hat x_0, \tilde x_0, \bar x_0 are the predictions at
# these three, with the divided differences D, \tilde D and, of these two, D_2.  u runs from 0 at t to 1 at s.

x_t, l, lambda_t, lambda_s, slope = reals(r"x_t \lambda \lambda_t \lambda_s m")
predicted_x_0, predicted_prev, predicted_before = reals(r"\hat{x}_0 \tilde{x}_0 \bar{x}_0")
a_t, a_s, sigma_t, sigma_s, h, r, r_prev = positives(r"a_t a_s \sigma_t \sigma_s h r \tilde{r}")
first, first_prev, second = reals(r"D \tilde{D} D_2")
u = units("u")
WHERE = {
    lambda_s: lambda_t + h,
    sigma_t: a_t * exp(-lambda_t),
    sigma_s: a_s * exp(-lambda_t - h),
    first: (predicted_x_0 - predicted_prev) / (r * h),
    first_prev: (predicted_prev - predicted_before) / (r_prev * h),
    second: (first - first_prev) / ((r + r_prev) * h),
}

x, y, denoised = (RealFunction(name, [l]) for name in ("x", "y", r"\hat{x}_0"))  # along the flow, y = x/sigma
drift, diffusion = RealFunction("f", [l]), RealFunction("G", [l])  # of the process; on the way back lambda grows
sigma = Density(r"\sigma", at=[l])
a = sigma * exp(l)
score = (a * denoised - x) / sigma**2
flow = definition("the probability flow", {d(l, x): drift * x + diffusion * score / 2})
rates = {drift: d(l, log(a)), diffusion: 2 * d(l, log(a)) * sigma**2 - d(l, sigma**2)}
process = definition("the process keeps to x = a x_0 + sigma noise", rates)
moves = exp(l) * denoised
here = lambda_t + h * u
quotient = definition("the quotient y", {y: x / sigma})
along = definition("the chain rule for y", {d(u, y(here)): h * moves.xreplace({l: here})})


def moved(prediction):
    """Where the flow would lead with this prediction on the way."""
    weight = h * exp(here)
    return sigma_s / sigma_t * x_t + sigma_s * Integral(weight * prediction, (u, 0, 1))


# The line through two predictions, and the parabola through three.

line = predicted_x_0 + h * u * first
parabola = line + h * u * (h * u + r * h) * second

# Statement

exact = moved(denoised(here))
step_1 = sigma_s / sigma_t * x_t - a_s * (exp(-h) - 1) * predicted_x_0
step_2m = sigma_s / sigma_t * x_t - a_s * (exp(-h) - 1) * (
    (1 + 1 / (2 * r)) * predicted_x_0 - 1 / (2 * r) * predicted_prev
)
step_line = step_1 + a_s * (h - 1 + exp(-h)) * first
rate, constant = Integer(3), a_s * slope / 12  # 2M and the integral of its line differ by constant h^rate
step_3m = step_1 + a_s * (h - 1 + exp(-h)) * (first + r * h * second) + a_s * (h**2 - 2 * h + 2 - 2 * exp(-h)) * second


def drift_of_the_process():
    """With λ for the time, which runs from noise to data, the process drifts with its scale a ..."""
    yield drift
    yield eq(d(l, log(a)), by=process)
    yield eq(1 + d(l, sigma) / sigma, by=differentiation)


def diffusion_of_the_process():
    """... and G, which is minus the g^2 of the process, since λ falls as noise is added, is twice σ² ..."""
    yield diffusion
    yield eq(2 * d(l, log(a)) * sigma**2 - d(l, sigma**2), by=process)
    yield eq(2 * sigma**2, by=differentiation)


def variation_of_constants():
    """... so that along the probability flow x/σ is moved by the prediction alone, for whatever a and σ are ..."""
    yield d(l, x / sigma)
    yield eq(d(l, x) / sigma - x * d(l, sigma) / sigma**2, by=differentiation)
    yield eq((drift * x + diffusion * score / 2) / sigma - x * d(l, sigma) / sigma**2, by=flow)
    yield eq((drift * x + a * denoised - x) / sigma - x * d(l, sigma) / sigma**2, by=theorem(diffusion_of_the_process))
    yield eq(moves, by=theorem(drift_of_the_process))


def slope_of_the_quotient():
    """... which is the slope of y = x/σ, ..."""
    yield d(l, y)
    yield eq(d(l, x / sigma), by=quotient)
    yield eq(moves, by=theorem(variation_of_constants))


def exact_step(exact=exact):
    """... so a step of the flow is an integral of it; u is the part of the way that is done."""
    yield let(x_t, sigma_t * y(lambda_t))
    yield sigma_s * y(lambda_t + h)
    yield eq(sigma_s * (y(lambda_t) + Integral(d(u, y(here)), (u, 0, 1))), by=by_parts(-sigma_s * y(here), u))
    yield eq(exact, by=along)


def prediction_held(step_1=step_1):
    """Held where it was made, the prediction comes before the integral: DDIM."""
    yield moved(predicted_x_0)
    yield eq(step_1, by=elementary_integral())


def on_a_line():
    """The line continues the prediction at t and the one before ..."""
    yield line.xreplace({u: -r})
    yield eq(predicted_prev, by=algebra)


def line_in_the_middle(step_2m=step_2m):
    """... and 2M holds what it says in the middle of the step."""
    yield moved(line.xreplace({u: Rational(1, 2)}))
    yield eq(step_2m, by=elementary_integral())


def line_integrated(step_line=step_line):
    """Integrated, the line says almost the same ..."""
    yield moved(line)
    yield eq(step_line, by=elementary_integral())


def almost_the_same(step_2m=step_2m, step_line=step_line, rate=rate, constant=constant):
    """... but for a term of third order, if m is its slope."""
    yield (step_line - step_2m).xreplace({first: slope, predicted_prev: predicted_x_0 - r * h * slope})
    yield up_to(constant * h**rate, h, 4, by=taylor())


def on_a_parabola():
    """The parabola goes through the prediction before t, too, ..."""
    yield parabola.xreplace({u: -r})
    yield eq(predicted_prev, by=algebra)


def further_back():
    """... and through the one before that."""
    yield parabola.xreplace({u: -r - r_prev})
    yield eq(predicted_before, by=algebra)


def parabola_integrated(step_3m=step_3m):
    """3M integrates it."""
    yield moved(parabola)
    yield eq(step_3m, by=elementary_integral())


HALF_CURVATURE = (
    "the second derivative is taken for the second divided difference, which is half of it: so it stands in widely "
    "used code for solver_order=3, which is then of order 2"
)

CLAIMS = [
    Claim(
        "sampler.dpmpp-2m",
        "The probability flow is an exact integral of the predicted data over log(a/sigma); DPM-Solver++ continues "
        "the prediction by a line (2M) or a parabola (3M).",
        proved_by=(
            drift_of_the_process,
            diffusion_of_the_process,
            variation_of_constants,
            slope_of_the_quotient,
            exact_step,
            prediction_held,
            on_a_line,
            line_in_the_middle,
            line_integrated,
            almost_the_same,
            on_a_parabola,
            further_back,
            parabola_integrated,
        ),
        evidence="S Q B",
        assumes="smooth schedules a and sigma, a/sigma growing from t to s; exact predictions in the exact step",
        source="Lu et al. (2022), DPM-Solver++, algorithm 2, for 2M; Hochbruck & Ostermann (2010), for integrated "
        "parabolas",
        tier="extended",
        mistakes={
            "r-inverted": {"step_2m": step_1 - a_s * (exp(-h) - 1) * r / 2 * (predicted_x_0 - predicted_prev)},
            "extrapolation-sign": {
                "step_2m": step_1 + a_s * (exp(-h) - 1) / (2 * r) * (predicted_x_0 - predicted_prev)
            },
            "no-half": {"step_2m": step_1 - a_s * (exp(-h) - 1) / r * (predicted_x_0 - predicted_prev)},
            "a-t-for-a-s": {"step_2m": step_2m.xreplace({a_s: a_t})},
            "exp-plus-h": {"step_2m": step_2m.xreplace({exp(-h): exp(h)})},
            "line-is-2m": {"constant": Integer(0)},
            "half-curvature": {"step_3m": step_3m - a_s * (h**2 / 2 - h + 1 - exp(-h)) * second},
        },
        because={
            "no-half": "the line at the end of the step, and not in its middle",
            "line-is-2m": "2M is said to integrate its line",
            "half-curvature": HALF_CURVATURE,
        },
    ),
]

# A world for the witness: a flow where the variance is preserved.

LEVEL = 1 / sqrt(1 + exp(2 * l))
PATH = exp(2 * l) + l * exp(l)
WORLD = {
    sigma: LEVEL,
    drift: LEVEL**2,
    diffusion: 2 * LEVEL**2,
    y: PATH,
    x: LEVEL * PATH,
    denoised: 2 * exp(l) + l + 1,
}
