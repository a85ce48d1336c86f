r"""Three diffusions in closed form: variance that is preserved, that explodes, and that stays below what is preserved.

With :math:`B(t)=\int_0^t\beta`,

.. math:: \text{VP:}\quad f=-\tfrac12\beta,\ g^2=\beta&\qquad a=e^{-B/2},\ b^2=1-e^{-B}\\
          \text{VE:}\quad f=0,\ g^2=\tfrac{d\sigma^2}{dt}&\qquad a=1,\ b^2=\sigma(t)^2-\sigma(0)^2\\
          \text{sub-VP:}\quad f=-\tfrac12\beta,\ g^2=\beta(1-e^{-2B})&\qquad a=e^{-B/2},\ b=1-e^{-B} .

Of sub-VP it is the *standard deviation* that is :math:`1-e^{-B}`, so that its variance is smaller than that of VP.
For linear :math:`\beta`, B is a parabola, and log a has a quarter of the difference in it; for geometric
:math:`\sigma`, g is :math:`\sigma` times a constant.

VP is the limit of DDPM, :math:`\beta_i=\beta(i/N)/N`, and is reached with an error of the order of 1/N,

.. math:: N\bigl(\log\bar\alpha_N+B(1)\bigr)\to-\tfrac12\bigl(\beta(1)-\beta(0)\bigr)-\tfrac12\int_0^1\beta^2 .

What is proved is said of one step, to the second order; that the N errors of steps of the length 1/N add up to an
integral over N is what an integral is.

References:
    Song et al. (2021), Score-based generative modeling through stochastic differential equations, eqs. (9), (11), (12).
"""

from sympy import Integer, Integral, Rational, exp, log, sqrt

from ..calculus import (
    Density,
    RealFunction,
    UnitFunction,
    by_parts,
    d,
    definition,
    differentiation,
    elementary_integral,
    eq,
    let,
    lt,
    naturals,
    positives,
    positivity,
    taylor,
    units,
    up_to,
)
from ..claim import Claim
from .moments import a, b, f, g, h, mean_rate, t, variance_rate

# Notation: s is a time before t, u one between 0 and 1, and c stands for beta at t.

s, k, now = positives("s k c")
low, high = positives(r"\beta_{\min} \beta_{\max}")
u, beta_i = units(r"u \beta_i")
N = naturals("N")
beta, sigma = Density(r"\beta", at=[t]), Density(r"\sigma", at=[t])
B, alpha_bar = RealFunction("B", at=[t]), UnitFunction(r"\bar\alpha", at=[t])
area = definition("B is the integral of β", {d(t, B): beta, d(t, d(t, B)): d(t, beta), B(0): Integer(0)})
left = definition("what is left of the data after a while", {d(t, B): beta, B: -log(alpha_bar)})

sigma_min, sigma_max = positives(r"\sigma_{\min} \sigma_{\max}")
WHERE = {sigma_max: sigma_min * exp(k)}  # some number that is larger

ramp = low + (high - low) * s
geometric = sigma_min * (sigma_max / sigma_min) ** t

# Statement

drift, noise = -beta / 2, sqrt(beta)
scale, variance = exp(-B / 2), 1 - exp(-B)
linear = low * t + (high - low) * t**2 / 2
log_scale = -(high - low) * t**2 / 4 - low * t / 2
rate = Integer(1)
constant = -(beta(1) - beta(0)) / 2 - Integral(beta(u) ** 2, (u, 0, 1)) / 2

ve_squared_noise = d(t, sigma**2)
ve_variance = sigma**2 - sigma(0) ** 2
geometric_noise = geometric * sqrt(2 * log(sigma_max / sigma_min))  # g, and not its square
subvp_squared_noise = beta * (1 - exp(-2 * B))
subvp_variance = (1 - exp(-B)) ** 2


def grows(scale, variance, drift, noise):
    """The rate of b^2 that this drift and this noise give to this variance."""
    return variance_rate.xreplace({a: scale, b: sqrt(variance), f: drift, g: noise})


def vp_scale(scale=scale, drift=drift):
    """The scale decays at half the rate of B, ..."""
    yield d(t, scale)
    yield eq(mean_rate.xreplace({a: scale, f: drift}), by=area)


def vp_variance(scale=scale, variance=variance, drift=drift, noise=noise):
    """... the variance comes nearer to one at the whole rate, ..."""
    yield d(t, variance)
    yield eq(grows(scale, variance, drift, noise), by=area)


def vp_unscaled(scale=scale):
    """... and at the beginning nothing has been scaled, ..."""
    yield scale.xreplace({B: B(0)})
    yield eq(1, by=area)


def vp_without_noise(variance=variance):
    """... and nothing added."""
    yield variance.xreplace({B: B(0)})
    yield eq(0, by=area)


def linear_schedule(linear=linear):
    """For linear β its integral is a parabola, ..."""
    yield Integral(ramp, (s, 0, t))
    yield eq(linear, by=elementary_integral())


def linear_log_scale(log_scale=log_scale):
    """... and half of that is lost in the logarithm of the scale."""
    yield Integral(-ramp / 2, (s, 0, t))
    yield eq(log_scale, by=elementary_integral())


def step_of_ddpm():
    """A step of DDPM lasts h, and has β_i = hc where β is c.  Both log α_i and B bend on the way, ..."""
    yield let(h, beta_i / now)
    yield log(1 - beta_i) + B - B(t - h)
    yield up_to(-beta_i - beta_i**2 / 2 + h * d(t, B) - h**2 / 2 * d(t, d(t, B)), beta_i, 3, by=taylor())


def bends():
    """... and nothing else is left, because their slopes cancel."""
    yield let(h, beta_i / beta)
    yield -beta_i - beta_i**2 / 2 + h * d(t, B) - h**2 / 2 * d(t, d(t, B))
    yield eq(-(h**2) / 2 * (d(t, beta) + beta**2), by=area)


def all_steps_of_ddpm(rate=rate, constant=constant):
    """N such steps, of the length h = 1/N, add up to the integral over time of what h^2 multiplies, over N."""
    yield Integral(-(d(u, beta(u)) + beta(u) ** 2) / 2, (u, 0, 1)) / N
    yield eq(constant / N**rate, by=by_parts(-beta(u) / (2 * N), u))


def ve_rate(ve_squared_noise=ve_squared_noise, ve_variance=ve_variance):
    """Nothing shrinks, and the noise adds up ..."""
    yield d(t, ve_variance)
    yield eq(grows(Integer(1), ve_variance, Integer(0), sqrt(ve_squared_noise)), by=differentiation)


def ve_from_the_start(ve_variance=ve_variance):
    """... from the beginning on, here cut into fractions u of the time, so that what σ was then has to go."""
    yield Integral(d(u, sigma(t * u) ** 2), (u, 0, 1))
    yield eq(ve_variance, by=by_parts(sigma(t * u) ** 2, u))


def geometric_levels(geometric_noise=geometric_noise):
    """For geometric levels g is proportional to σ."""
    yield d(t, geometric**2)
    yield eq(geometric_noise**2, by=differentiation)


def subvp_rate(subvp_squared_noise=subvp_squared_noise, subvp_variance=subvp_variance):
    """With less noise at the beginning, the standard deviation takes the place of the variance ..."""
    yield d(t, subvp_variance)
    yield eq(grows(scale, subvp_variance, drift, sqrt(subvp_squared_noise)), by=left)


def subvp_start(subvp_variance=subvp_variance):
    """... from nothing, ..."""
    yield subvp_variance.xreplace({B: B(0)})
    yield eq(0, by=area)


def below_vp(subvp_variance=subvp_variance):
    """... and so stays below it at all later times."""
    yield subvp_variance
    yield eq((1 - alpha_bar) ** 2, by=left)
    yield lt(1 - alpha_bar, by=positivity)
    yield eq(variance, by=left)


CLAIMS = [
    Claim(
        "sde.vp-kernel",
        "The variance-preserving diffusion has the scale exp(-B/2) and the variance 1 - exp(-B), where B is the "
        "integral of beta; DDPM tends to it like 1/N.",
        proved_by=(
            vp_scale,
            vp_variance,
            vp_unscaled,
            vp_without_noise,
            linear_schedule,
            linear_log_scale,
            step_of_ddpm,
            bends,
            all_steps_of_ddpm,
        ),
        evidence="S Q M",
        kind="identity/limit",
        assumes="beta is smooth and positive; beta_i = beta(i/N)/N for i = 1..N",
        source="Song et al. (2021), eq. 11",
        mistakes={
            "no-half-drift": {"drift": -beta},
            "exp-minus-B-mean": {"scale": exp(-B)},
            "quarter-missing": {"log_scale": -(high - low) * t**2 / 2 - low * t / 2},
            "rate-N-squared": {"rate": Integer(2)},
        },
        because={
            "no-half-drift": "a step shrinks by the root of 1 - beta",
            "exp-minus-B-mean": "alpha_bar, and not its root",
            "quarter-missing": "the half of the parabola, and not the half of the root",
            "rate-N-squared": "the rate of the trapezoidal rule",
        },
    ),
    Claim(
        "sde.ve-subvp-kernels",
        "Exploding variance is sigma(t)^2 - sigma(0)^2; sub-VP has the scale of VP and the standard deviation "
        "1 - exp(-B), which is less.",
        proved_by=(ve_rate, ve_from_the_start, geometric_levels, subvp_rate, subvp_start, below_vp),
        evidence="S Q M",
        tier="extended",
        assumes="sigma is smooth and rises, beta is smooth and positive",
        source="Song et al. (2021), eqs. 9 and 12",
        mistakes={
            "subvp-variance": {"subvp_variance": 1 - exp(-B)},
            "ve-no-minus-sigma0": {"ve_variance": sigma**2},
            "ve-g-no-2": {"geometric_noise": geometric * sqrt(log(sigma_max / sigma_min))},
            "subvp-e-minus-B": {"subvp_squared_noise": beta * (1 - exp(-B))},
        },
        because={
            "subvp-variance": "1 - exp(-B) is the standard deviation, and is taken for the variance",
            "ve-no-minus-sigma0": "as if the data came with noise of their own",
            "ve-g-no-2": "the slope of sigma, and not that of its square",
        },
    ),
]

# A world for the witness: no linear schedule.

WORLD = {
    beta: Rational(1, 2) + t / (1 + t),
    B: 3 * t / 2 - log(1 + t),
    alpha_bar: (1 + t) * exp(-3 * t / 2),
    sigma: sqrt(Rational(1, 10) + t**2),
}
