r"""With a mask, a step of the bound is a weighted cross-entropy of what is masked.

.. math:: L_{t-1}=\frac{\bar\alpha_{t-1}-\bar\alpha_t}{1-\bar\alpha_t}\;
          \mathbb E\bigl[\mathbf 1\{x_t=\text{mask}\}\,(-\log\tilde p(x_0\mid x_t))\bigr] .

A model predicts the token behind the mask, and its step is the posterior given :math:`x_0`, averaged over the
prediction (see ``posterior``). A token that is visible stays, in the posterior and in the model alike, and costs
nothing. For one that is masked both keep the mask equally often; they differ in which token comes out, and only if one
does. So the divergence of the step is the log loss of the prediction, times the probability that the token is shown
by this step (see ``noising``): the weight is small where hardly any mask is new.

In steps of the length h from t it is h times :math:`-\dot{\bar\alpha}_t/(1-\bar\alpha_t)`, up to the order of
:math:`h^2`, so that the bound becomes the integral of the cross-entropy with this weight; it is 1/t if
:math:`\bar\alpha_t=1-t`.

References:
    Austin, Johnson, Ho, Tarlow & van den Berg (2021), Structured denoising diffusion models in discrete state-spaces.
    Sahoo, Arriola, Schiff, Gokaslan, Marroquin, Chiu, Rush & Kuleshov (2024), Simple and effective masked diffusion
        language models.
"""

from sympy import Integer, Rational, Sum, Symbol, cos, exp, log

from ..calculus import (
    RealFunction,
    UnitFunction,
    d,
    definition,
    differentiation,
    eq,
    linearity,
    naturals,
    positives,
    reals,
    taylor,
    units,
    up_to,
)
from ..claim import Claim
from ..forward.kernel import WHERE as STEP
from ..forward.kernel import alpha, alpha_bar, alpha_bar_prev, beta
from .noising import masked_just_now, unmasking

__all__ = ["CLAIMS", "WHERE", "WORLD", "alpha", "alpha_bar_prev"]

# Notation: tokens 0, ..., m, of which x is the true one; a time and a short step from it.

k, x = (Symbol(name, integer=True, nonnegative=True) for name in "kx")
m, s, u, h = naturals("m"), reals("s"), units("u"), positives("h")
w = units("w_t")  # the probability that a mask is new
WHERE = STEP | {w: unmasking}

data, predicted = UnitFunction("q_0", [k]), UnitFunction(r"\tilde{p}", [k])  # laws of x_0: without, and given a mask
# Whatever one may ask of x_{t-1}, and its value for the mask; the model's probabilities of x_{t-1}, given a mask.

f, mask = RealFunction("f", [k]), RealFunction(r"f_{\mathrm{mask}}", [])
shown, hidden = UnitFunction("p", [k]), UnitFunction(r"p_{\mathrm{mask}}", [])
sums_to_one = definition("a prediction is a law", {Sum(predicted, (k, 0, m)): Integer(1)})
model = definition("the step of the model", {shown: w * predicted, hidden: 1 - w})

curve, slope = UnitFunction(r"\bar\alpha", [s]), RealFunction(r"\bar\alpha'", [s])  # in continuous time
differentiated = definition("the slope of the schedule", {d(s, curve): slope})

# Statement

divergence = -w * log(predicted(x))  # of a step, for a token x that is masked
loss = w * Sum(data * (1 - alpha_bar) * -log(predicted), (k, 0, m))
rate = -slope / (1 - curve)
linear = 1 / u


def model_of_a_step():
    """The posterior, averaged over the prediction: a token comes out as often as it is predicted, and is shown."""
    yield Sum(predicted * (w * f + (1 - w) * mask), (k, 0, m))
    yield eq(w * Sum(predicted * f, (k, 0, m)) + (1 - w) * mask * Sum(predicted, (k, 0, m)), by=linearity)
    yield eq(w * Sum(predicted * f, (k, 0, m)) + (1 - w) * mask, by=sums_to_one)


def divergence_of_a_masked_token(divergence=divergence):
    """The posterior shows x or keeps the mask; that the model keeps it as often costs nothing."""
    yield w * log(w / shown(x)) + (1 - w) * log((1 - w) / hidden)
    yield eq(divergence, by=model)


def average_over_tokens(loss=loss):
    """A token is masked with the probability 1 - alpha_bar; if not, posterior and model leave it where it is."""
    of_visible = Integer(0)
    masked = divergence.xreplace({x: k})
    yield Sum(data * ((1 - alpha_bar) * masked + alpha_bar * of_visible), (k, 0, m))
    yield eq(loss, by=linearity)


def short_steps(rate=rate):
    """In continuous time the weight is h times a rate, ..."""
    yield (curve(s - h) - curve) / (1 - curve)
    yield up_to(-h * d(s, curve) / (1 - curve), h, 2, by=taylor())
    yield eq(h * rate, by=differentiated)


def straight_schedule(linear=linear):
    """... which is one over the time if the tokens are masked evenly."""
    yield -d(u, 1 - u) / (1 - (1 - u))
    yield eq(linear, by=differentiation)


# A world for the witness: tokens that are less and less likely, and a schedule.

WORLD = {
    data: 1 / (2 + k),
    predicted: 1 / 2 ** (k + 1) / (1 - 1 / 2 ** (m + 1)),
    f: cos(k) + k / 5,
    mask: Rational(7, 5),
    shown: w * predicted,
    hidden: 1 - w,
    curve: 1 / (2 + exp(s)),
    slope: -exp(s) / (2 + exp(s)) ** 2,
}

cross_entropy = loss / w

CLAIMS = [
    Claim(
        "discrete.absorbing-vlb",
        "With a mask, a step of the bound for one token is its log loss if masked, times the probability that a mask "
        "is new: (alpha_bar_{t-1} - alpha_bar_t)/(1 - alpha_bar_t).",
        proved_by=(
            model_of_a_step,
            masked_just_now,
            divergence_of_a_masked_token,
            average_over_tokens,
            short_steps,
            straight_schedule,
        ),
        evidence="S Q P T",
        assumes="the standing assumptions; the model's step is the posterior, averaged over its prediction of x_0",
        source="Austin et al. (2021); Sahoo et al. (2024)",
        tier="extended",
        mistakes={
            "weight-one": {"divergence": -log(predicted(x)), "loss": cross_entropy},
            "includes-unmasked": {"loss": -w * Sum(data * log(predicted), (k, 0, m))},
            "weight-beta-t": {"divergence": -beta * log(predicted(x)), "loss": beta * cross_entropy},
            "sign": {"divergence": -divergence, "loss": -loss},
        },
        because={
            "weight-one": "the loss of a masked language model, which masks once and shows all at once",
            "includes-unmasked": "a visible token is not predicted: it is seen",
            "weight-beta-t": "how often a step masks is taken for how often it is the one that has masked",
        },
    ),
]
