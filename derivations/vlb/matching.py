r"""What the regression lands on: the mean of the noise given x_t, which is the score, and what it can never explain.

.. math:: \arg\min_f\mathbb E\bigl(\bar\epsilon_t-f(x_t)\bigr)^2=\mathbb E[\bar\epsilon_t\mid x_t]
          =-\sqrt{1-\bar\alpha_t}\;s_t(x_t),\qquad
          \min_f=1-(1-\bar\alpha_t)J_t=\mathrm{SNR}(t)\cdot\mathrm{mmse}_t,\quad J_t=\mathbb E\,s_t(x_t)^2 .

A network that is asked for the noise in :math:`x_t` cannot know it, for it does not know :math:`x_0`; it learns the
mean of the noise, and the loss that is left is the variance around it. Only data that are a single point have none.
Where the network may be any function of :math:`x_t` and t, how the steps are weighted changes the loss and not what is
best.

The target may as well be the slope of :math:`\log q(x_t\mid x_0)`, which one knows, in the place of the score, which
one does not: the two losses differ by a constant,

.. math:: \tfrac12\mathbb E\bigl(f-\partial_{x_t}\log q(x_t\mid x_0)\bigr)^2=\tfrac12\mathbb E(f-s_t)^2+C,\quad
          C=\tfrac12\Bigl(\frac1{1-\bar\alpha_t}-J_t\Bigr),\qquad
          \tfrac12\mathbb E(f-s_t)^2=\mathbb E\bigl[\tfrac12f^2+f'\bigr]+\tfrac12J_t ,

and on the right no score is left at all. In d dimensions squares are those of vectors, :math:`f'` is the divergence,
and all that is said of one coordinate holds for the average over coordinates.

References:
    Hyvärinen (2005), Estimation of non-normalized statistical models by score matching.
    Vincent (2011), A connection between score matching and denoising autoencoders.
    Ho, Jain & Abbeel (2020), Denoising diffusion probabilistic models, eq. (14).
"""

from sympy import Integer, Rational, cos, log, sin, sqrt

from ..calculus import (
    Density,
    E,
    RealFunction,
    Var,
    by_parts,
    d,
    definition,
    differentiation,
    eq,
    gaussian_moments,
    ge,
    integral,
    linearity,
    normal,
    positives,
    positivity,
    reals,
    rearranging,
    theorem,
    units,
)
from ..claim import Claim
from ..reversal.bounds import J, information
from ..reversal.denoising import WORLD as HOLLOW
from ..reversal.denoising import (
    denoised_variance,
    guess,
    jump,
    mode,
    noise,
    pull_of_the_score,
    pulled,
    score_from_the_noise,
    slope,
    x_0,
)
from ..reversal.step import WHERE as STEP
from ..reversal.step import alpha, marginal, score, x_t

# Notation

v_0, v_t, weight = positives("v_0 v_t w")
m = reals("m")
alpha_bar_prev, alpha_bar = units(r"\bar\alpha_{t-1} \bar\alpha_t")
WHERE = STEP | {alpha_bar: alpha * alpha_bar_prev, v_t: alpha_bar * v_0 + 1 - alpha_bar}

f, slope_of_f = RealFunction("f", [x_t]), RealFunction("f'", [x_t])  # what a network says of x_t
mmse, power = Density("V_t"), Density("F")  # the mean variance of x_0 given x_t, the mean square of f

uncertainty = definition("the mean variance of x_0 given x_t", {mmse: E(marginal, Var(guess, x_0))})
divergence = definition("the slope of f", {slope_of_f: d(x_t, f)})

# Statement

minimiser = -sqrt(1 - alpha_bar) * score
floor = 1 - (1 - alpha_bar) * J
floor_from_mmse = alpha_bar / (1 - alpha_bar) * mmse
gaussian_floor = alpha_bar * v_0 / v_t

constant = (1 / (1 - alpha_bar) - J) / 2
integrand = f**2 / 2 + slope_of_f


def best_prediction(minimiser=minimiser):
    """The mean of the noise given x_t is the score, up to its scale."""
    yield E(guess, noise)
    yield eq(minimiser, by=rearranging(score_from_the_noise))


def floor_of_the_loss(floor=floor):
    """What is left of the loss at the best is the variance of the noise given x_t ..."""
    yield E(marginal, Var(guess, noise))
    yield eq(alpha_bar / (1 - alpha_bar) * E(marginal, Var(guess, x_0)), by=linearity)
    yield eq(E(marginal, 1 + (1 - alpha_bar) * d(x_t, score)), by=theorem(denoised_variance))
    yield eq(1 + (1 - alpha_bar) * E(marginal, d(x_t, score)), by=linearity)
    square = E(marginal, score**2)
    yield eq(1 - (1 - alpha_bar) * square, by=by_parts((1 - alpha_bar) * d(x_t, marginal), x_t))
    yield eq(floor, by=information)


def floor_and_data(floor_from_mmse=floor_from_mmse):
    """... which is that of x_0, in units of the noise."""
    yield E(marginal, Var(guess, noise))
    yield eq(alpha_bar / (1 - alpha_bar) * E(marginal, Var(guess, x_0)), by=linearity)
    yield eq(floor_from_mmse, by=uncertainty)


def loss_apart(minimiser=minimiser, floor=floor):
    """So whatever f is, the loss is this floor, and how far f is from the best."""
    yield E(marginal, E(guess, (noise - f) ** 2))
    yield eq(E(marginal, Var(guess, noise)) + E(marginal, (f - E(guess, noise)) ** 2), by=linearity)
    yield eq(floor + E(marginal, (f - E(guess, noise)) ** 2), by=theorem(floor_of_the_loss))
    yield eq(floor + E(marginal, (f - minimiser) ** 2), by=theorem(best_prediction))


def weighted(floor=floor):
    """Whatever the positive weight of a step, it is least at the same f."""
    yield weight * E(marginal, E(guess, (noise - f) ** 2))
    yield eq(weight * floor + weight * E(marginal, (f - minimiser) ** 2), by=theorem(loss_apart))
    yield ge(weight * floor, by=positivity)


def score_of_a_gaussian():
    """For Gaussian data the score is a line ..."""
    yield d(x_t, log(normal(x_t, m, v_t)))
    yield eq(-(x_t - m) / v_t, by=differentiation)


def of_gaussian_data(floor=floor, gaussian=gaussian_floor):
    """... and the information is one over the variance."""
    yield floor.xreplace({J: E(normal(x_t, m, v_t), ((x_t - m) / v_t) ** 2)})
    yield eq(gaussian, by=gaussian_moments)


def slope_on_average():
    """The slope of log q(x_t | x_0) is on average the score ..."""
    yield E(guess, slope)
    yield eq((sqrt(alpha_bar) * E(guess, x_0) - x_t) / (1 - alpha_bar), by=linearity)
    yield eq(score, by=rearranging(pull_of_the_score))


def target_that_one_knows(constant=constant):
    """... and can be put in its place: what it scatters around the score is no matter of f."""
    apart = E(marginal, (f - score) ** 2) / 2
    yield E(marginal, E(guess, (f - d(x_t, log(jump))) ** 2)) / 2
    yield eq(E(marginal, E(guess, (f - slope) ** 2)) / 2, by=differentiation)
    yield eq(E(marginal, (f - E(guess, slope)) ** 2) / 2 + E(marginal, Var(guess, slope)) / 2, by=linearity)
    yield eq(apart + E(marginal, Var(guess, slope)) / 2, by=theorem(slope_on_average))
    yield eq(apart + E(marginal, Var(guess, noise)) / (2 * (1 - alpha_bar)), by=linearity)
    yield eq(apart + constant, by=theorem(floor_of_the_loss))


def no_target_at_all(integrand=integrand):
    """By parts, the score is not needed at all."""
    yield E(marginal, (f - score) ** 2) / 2
    squares = E(marginal, f**2) / 2 + E(marginal, score**2) / 2
    yield eq(squares - E(marginal, f * score), by=linearity)
    yield eq(squares + E(marginal, d(x_t, f)), by=by_parts(-f * marginal, x_t))
    yield eq(E(marginal, f**2 / 2 + d(x_t, f)) + E(marginal, score**2) / 2, by=linearity)
    yield eq(E(marginal, integrand) + E(marginal, score**2) / 2, by=divergence)
    yield eq(E(marginal, integrand) + J / 2, by=information)


CLAIMS = [
    Claim(
        "vlb.simple-loss-minimiser",
        "A network that predicts the noise learns its mean given x_t, the score up to its scale; the variance around "
        "the mean is what is left of the loss.",
        proved_by=(
            best_prediction,
            floor_of_the_loss,
            floor_and_data,
            loss_apart,
            weighted,
            score_of_a_gaussian,
            of_gaussian_data,
        ),
        evidence="S Q M P T",
        source="Ho et al. (2020) eq. 14; Vincent (2011)",
        mistakes={
            "zero-floor": {"floor": Integer(0), "floor_from_mmse": Integer(0), "gaussian": Integer(0)},
            "floor-one": {"floor": Integer(1), "floor_from_mmse": Integer(1), "gaussian": Integer(1)},
            "posterior-mode": {"minimiser": noise.xreplace({x_0: mode})},
            "J-unscaled": {"floor": 1 - J},
        },
        because={
            "zero-floor": "a loss of squares is thought to vanish once the network is large enough",
            "floor-one": "the variance of the noise before one has seen x_t",
            "posterior-mode": "the noise that the most likely x_0 would need",
        },
    ),
    Claim(
        "vlb.dsm-equivalence",
        "To match the slope of log q(x_t | x_0) is to match the score, up to a constant; by parts, neither is needed.",
        proved_by=(slope_on_average, target_that_one_knows, no_target_at_all),
        evidence="S Q M P T",
        assumes="the standing assumptions; f smooth, with f q_t -> 0 at infinity",
        source="Vincent (2011); Hyvärinen (2005)",
        mistakes={
            "C-zero": {"constant": Integer(0)},
            "minus-divergence": {"integrand": f**2 / 2 - slope_of_f},
            "no-half-on-square": {"integrand": f**2 + slope_of_f},
            "C-depends-on-f": {"constant": (1 / (1 - alpha_bar) - power) / 2},
        },
        because={
            "C-zero": "the two losses have the same minimiser, and are taken to be the same",
            "C-depends-on-f": "the mean square of the network is taken for that of the score",
        },
    ),
]

# A world for the witness: that of the page on x_0 given x_t; a network that is not far off.

mu, tau = pulled(x_t, alpha_bar)
first, second = (mu**3 + 3 * mu * tau) / (mu**2 + tau), (mu**4 + 6 * mu**2 * tau + 3 * tau**2) / (mu**2 + tau)
network = Rational(1, 3) - 2 * x_t / 5 + sin(x_t) / 7
WORLD = HOLLOW | {
    J: integral(HOLLOW[marginal] * d(x_t, log(HOLLOW[marginal])) ** 2, x_t),
    mmse: integral(HOLLOW[marginal] * (second - first**2), x_t),
    f: network,
    power: integral(HOLLOW[marginal] * network**2, x_t),
    slope_of_f: cos(x_t) / 7 - Rational(2, 5),
}
