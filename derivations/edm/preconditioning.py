r"""What a network sees and what it has to say are of unit size, at every level of the noise.

The denoiser is a network F between an input, an output and a shortcut that are scaled with the level of the noise,

.. math:: D(u;\sigma)=c_{\rm skip}u+c_{\rm out}F(c_{\rm in}u),\qquad u=x_0+\sigma\,\epsilon .

Its squared error is that of F, :math:`\lVert D-x_0\rVert^2=c_{\rm out}^2\lVert F-F^\star\rVert^2`, with the target
:math:`F^\star=(x_0-c_{\rm skip}u)/c_{\rm out}`. Three requirements say what the scales are: input and target have unit
variance, and of all that have, :math:`c_{\rm out}` is the smallest, so that errors of F are amplified as little as
possible. For data of the variance :math:`\sigma_d^2`, whatever their law,

.. math:: c_{\rm in}=\frac1{\sqrt{\sigma^2+\sigma_d^2}},\qquad
          c_{\rm skip}=\frac{\sigma_d^2}{\sigma^2+\sigma_d^2},\qquad
          c_{\rm out}=\frac{\sigma\sigma_d}{\sqrt{\sigma^2+\sigma_d^2}} .

The shortcut is regression on u alone, and the network adds what is not linear: for Gaussian data with mean zero
nothing, :math:`\mathbb E[F^\star\mid u]=0`. With the weight

.. math:: \lambda(\sigma)=\frac1{c_{\rm out}^2}=\frac{\sigma^2+\sigma_d^2}{(\sigma\sigma_d)^2}

the errors of F count alike at every level, and a network that says nothing costs exactly 1 per coordinate, if the data
have mean zero.

The noise is isotropic, and vectors are read one coordinate at a time: of vectors, :math:`\sigma_d^2` is the variance
per coordinate, on average.

References:
    Karras, Aittala, Aila & Laine (2022), Elucidating the design space of diffusion-based generative models,
        eqs. (7), (8), table 1, app. B.6.
"""

from sympy import Integer, Rational, sqrt

from ..calculus import (
    E,
    Var,
    algebra,
    completing_the_square,
    definition,
    eq,
    gaussian_moments,
    ge,
    integral,
    let,
    normal,
    positives,
    positivity,
    reals,
)
from ..claim import Claim
from .denoiser import added, data, sigma, u, x_0

# Notation: F is the output of a network; c and k are any scale of the input, and any shortcut, and `skip` and `out`
# those that are found.

F, k, mu, noise = reals(r"F k \mu \epsilon")
c, sigma_d, skip, out = positives(r"c \sigma_d c_{skip} c_{out}")
standard = normal(noise, 0, 1)
noised = x_0 + sigma * noise
denoised = skip * u + out * F  # F of what the network sees, which is scaled
both = data * standard  # data and noise are independent


facts = {integral(data * x_0, x_0): mu, integral(data * x_0**2, x_0): mu**2 + sigma_d**2}
moments = definition("mean and variance of the data", facts)

# Statement

c_in = 1 / sqrt(sigma**2 + sigma_d**2)
c_skip = sigma_d**2 / (sigma**2 + sigma_d**2)
c_out = sigma * sigma_d / sqrt(sigma**2 + sigma_d**2)

weight = (sigma**2 + sigma_d**2) / (sigma * sigma_d) ** 2
loss_at_zero = Integer(1)  # of F = 0
best = Integer(0)  # what the best F says of Gaussian data with mean zero


def variance_of_the_input():
    """Data and noise are independent, and so their variances add up: ..."""
    yield Var(both, c * noised)
    yield eq(c**2 * (Var(data, x_0) + sigma**2), by=gaussian_moments)
    yield eq(c**2 * (sigma_d**2 + sigma**2), by=moments)


def unit_input(c_in=c_in):
    """... of all scales, it is this one that makes the variance of the input one."""
    yield c**2 * (sigma_d**2 + sigma**2) - 1
    yield eq((sigma_d**2 + sigma**2) * (c + c_in) * (c - c_in), by=algebra)


def best_shortcut(c_skip=c_skip, c_out=c_out):
    """What a shortcut leaves to the network is a square, and what no shortcut can help; ..."""
    yield Var(both, x_0 - k * noised)
    yield eq((1 - k) ** 2 * Var(data, x_0) + k**2 * sigma**2, by=gaussian_moments)
    yield eq((1 - k) ** 2 * sigma_d**2 + k**2 * sigma**2, by=moments)
    yield eq((sigma**2 + sigma_d**2) * (k - c_skip) ** 2 + c_out**2, by=completing_the_square(k))
    yield ge(c_out**2, by=positivity)


def unit_target(c_skip=c_skip, c_out=c_out):
    """... with the best shortcut, this scale gives what is left the variance one."""
    yield let(skip, c_skip)
    yield let(out, c_out)
    yield Var(both, (x_0 - skip * noised) / out)
    yield eq(((1 - skip) ** 2 * Var(data, x_0) + skip**2 * sigma**2) / out**2, by=gaussian_moments)
    yield eq(((1 - skip) ** 2 * sigma_d**2 + skip**2 * sigma**2) / out**2, by=moments)
    yield eq(1, by=algebra)


def errors_count_alike(weight=weight):
    """An error of the denoiser is c_out times one of the network, and the weight takes that back; ..."""
    yield let(skip, c_skip)
    yield let(out, c_out)
    yield weight * (denoised - x_0) ** 2
    yield eq((F - (x_0 - skip * u) / out) ** 2, by=algebra)


def silent_network(weight=weight, loss_at_zero=loss_at_zero):
    """... so that a network that says nothing costs the same at every level, once the mean is taken from the data."""
    yield let(skip, c_skip)
    yield E(both, weight * (skip * (noised - mu) - (x_0 - mu)) ** 2)
    around_mu = E(data, x_0**2) - 2 * mu * E(data, x_0) + mu**2
    yield eq(weight * ((1 - skip) ** 2 * around_mu + skip**2 * sigma**2), by=gaussian_moments)
    yield eq(weight * ((1 - skip) ** 2 * sigma_d**2 + skip**2 * sigma**2), by=moments)
    yield eq(loss_at_zero, by=algebra)


def gaussian_data():
    """Of Gaussian data with mean zero, the shortcut knows the mean given u, and c_out is the standard deviation; ..."""
    yield added * normal(x_0, 0, sigma_d**2)
    whole = normal(u, 0, sigma**2 + sigma_d**2)
    yield eq(whole * normal(x_0, c_skip * u, c_out**2), by=completing_the_square(x_0))


def nothing_left_to_say(best=best):
    """... the best network says nothing."""
    yield let(skip, c_skip)
    yield let(out, c_out)
    yield E(normal(x_0, skip * u, out**2), (x_0 - skip * u) / out)
    yield eq(best, by=gaussian_moments)


CLAIMS = [
    Claim(
        "edm.preconditioning",
        "The scales of the input, the shortcut and the output of a denoiser follow from three requirements: an input "
        "and a target of unit variance, and the smallest amplification of errors.",
        proved_by=(variance_of_the_input, unit_input, best_shortcut, unit_target),
        evidence="S M P T",
        source="Karras et al. (2022), eq. 7, table 1, app. B.6",
        tier="extended",
        mistakes={
            "cskip-inverted": {"c_skip": sigma**2 / (sigma**2 + sigma_d**2)},
            "cout-sigma-d": {"c_out": sigma_d},
            "cin-squared": {"c_in": 1 / (sigma**2 + sigma_d**2)},
            "cout-no-root": {"c_out": sigma * sigma_d / (sigma**2 + sigma_d**2)},
        },
        because={
            "cskip-inverted": "the share of the noise in the variance of u, in the place of that of the data",
            "cout-sigma-d": "what it is where nothing but noise is seen, and the network has to say all",
        },
    ),
    Claim(
        "edm.weight",
        "Weighed by one over the square of the output's scale, errors of the network count alike at every level; one "
        "that says nothing costs 1 per coordinate if the data have mean zero, and is the best if they are Gaussian.",
        proved_by=(errors_count_alike, silent_network, gaussian_data, nothing_left_to_say),
        evidence="S M T",
        assumes="the standing assumptions; the data have mean zero where F = 0",
        source="Karras et al. (2022), eq. 8, table 1",
        tier="extended",
        mistakes={
            "inverse": {"weight": (sigma * sigma_d) ** 2 / (sigma**2 + sigma_d**2)},
            "root": {"weight": sqrt(sigma**2 + sigma_d**2) / (sigma * sigma_d)},
            "snr-weight": {"weight": 1 / sigma**2},
            "zero-loss-at-F0": {"loss_at_zero": Integer(0)},
        },
        because={
            "snr-weight": "up to a factor, how a step of the bound counts an error of x_0",
            "zero-loss-at-F0": "the best network says nothing of Gaussian data, and is still not sure of them",
        },
    ),
]

# A world for the witness: two clusters with this mean and this variance.

few, many = (
    normal(x_0, mu + away * sigma_d, Rational(79, 100) * sigma_d**2) for away in (-Rational(7, 10), Rational(3, 10))
)
WORLD = {data: Rational(3, 10) * few + Rational(7, 10) * many}
