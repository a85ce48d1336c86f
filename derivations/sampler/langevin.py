r"""Langevin steps of a finite size leave a Gaussian with too much variance, and any smooth law in place as they shrink.

The unadjusted Langevin algorithm follows the score and adds noise,

.. math:: x'=x+\tfrac\delta2\nabla\log p(x)+\sqrt\delta\,\xi .

On :math:`\mathcal N(\mu,v)` a step shrinks the distance from the mean by :math:`1-\delta/(2v)`. The chain settles down
if and only if :math:`\delta<4v`, and then at the variance

.. math:: \frac{v}{1-\delta/(4v)}=v+\frac\delta4+O(\delta^2) ,

which is too large for every :math:`\delta`. In several dimensions this holds along each axis of the covariance, and
the narrowest of them says which steps are stable.

For any smooth law q of x, a step with the slope s(x) in the place of the score moves averages by

.. math:: \mathbb E\,\varphi(x')=\mathbb E\,\varphi(x)
          +\tfrac\delta2\,\mathbb E\bigl[(s(x)-\nabla\log q(x))\,\varphi'(x)\bigr]+O(\delta^2) ,

so that at the right noise level, where :math:`s=\nabla\log q`, a corrector leaves the law where it is as
:math:`\delta\to0`, and at another level it does not. What is proved is said of one step; that what steps of size
:math:`\delta` do adds up to :math:`O(\delta)` in a fixed time is a theorem of its own.

References:
    Roberts & Tweedie (1996), Exponential convergence of Langevin distributions and their discrete approximations.
    Song et al. (2021), Score-based generative modeling through stochastic differential equations.
    Weng (2021), What are diffusion models?, "Connection with stochastic gradient Langevin dynamics".
"""

from sympy import Integer, log, sin, sqrt

from ..calculus import (
    Density,
    E,
    RealFunction,
    Var,
    algebra,
    by_parts,
    d,
    definition,
    eq,
    gaussian_moments,
    gt,
    let,
    limit,
    linearity,
    lt,
    normal,
    positives,
    positivity,
    reals,
    taylor,
    tends_to,
    theorem,
    units,
    up_to,
)
from ..claim import Claim
from ..reversal.score import clusters

# Notation: delta is the size of a step, and h its root; r and e say how far delta is from the threshold.

x, m, mu, score, fresh = reals(r"x m \mu s \xi")
v, w, delta, h, e = positives(r"v w \delta h \eta")
r = units("r")
noise = normal(fresh, 0, 1)

law = Density("q", [x])
first, second, third = reals(r"\varphi' \varphi'' \varphi'''")  # derivatives of phi
slope, phi = RealFunction("s", [x]), RealFunction(r"\varphi", [x])
exact = definition("the right noise level", {slope: d(x, log(law))})

# Statement: with the score of N(mu, v) the chain has this variance in the end, if delta is below the threshold.

step = x + delta / 2 * score + sqrt(delta) * fresh
stationary = v / (1 - delta / (4 * v))
bias = delta / 4
threshold = 4 * v

generator = (score * d(x, phi) + d(x, d(x, phi))) / 2  # of the diffusion that the chain tends to
at_slope = generator.xreplace({score: slope})


def at_gaussian(step):
    """A step with the score of N(mu, v)."""
    return step.xreplace({score: -(x - mu) / v})


def mean_after_a_step(step=step):
    """The distance from the mean is multiplied by 1 - delta/(2v), ..."""
    yield E(normal(x, m, w) * noise, at_gaussian(step)) - mu
    yield eq((1 - delta / (2 * v)) * (m - mu), by=gaussian_moments)


def variance_after_a_step(step=step):
    """... and the variance by its square, before the noise is added; ..."""
    yield Var(normal(x, m, w) * noise, at_gaussian(step))
    yield eq((1 - delta / (2 * v)) ** 2 * w + delta, by=gaussian_moments)


def stays(step=step, stationary=stationary):
    """... so that this variance stays as it is ..."""
    yield let(delta, 4 * v * r)
    yield Var(normal(x, mu, stationary) * noise, at_gaussian(step))
    yield eq(stationary, by=gaussian_moments)


def attracts(step=step, stationary=stationary):
    """... and the distance of any other from it is multiplied by the same square, ..."""
    yield let(delta, 4 * v * r)
    yield Var(normal(x, m, w) * noise, at_gaussian(step)) - stationary
    yield eq((1 - delta / (2 * v)) ** 2 * (w - stationary), by=gaussian_moments)


def closer_below(threshold=threshold):
    """... which is less than one below the threshold, ..."""
    yield let(delta, r * threshold)
    yield (1 - delta / (2 * v)) ** 2
    yield lt(1, by=positivity)


def neither_at_it(threshold=threshold):
    """... one at it, ..."""
    yield let(delta, threshold)
    yield (1 - delta / (2 * v)) ** 2
    yield eq(1, by=algebra)


def away_above(threshold=threshold):
    """... and more above it: there all variances grow without end."""
    yield let(delta, (1 + e) * threshold)
    yield (1 - delta / (2 * v)) ** 2
    yield gt(1, by=positivity)


def too_wide(stationary=stationary):
    """However small the step, the chain ends too wide, ..."""
    yield let(delta, 4 * v * r)
    yield stationary
    yield gt(v, by=positivity)


def size_of_the_bias(stationary=stationary, bias=bias):
    """... by a quarter of the step, to first order, ..."""
    yield let(delta, 4 * v * r)
    yield stationary - v
    yield up_to(bias, r, 2, by=taylor())


def beyond_the_bias(stationary=stationary, bias=bias):
    """... and a little more."""
    yield let(delta, 4 * v * r)
    yield (stationary - v - bias) / delta**2
    yield tends_to(1 / (16 * v), r, 0, by=limit())


def short_step(step=step):
    """From x on, a step moves the average of a smooth function by delta times the generator at x, ..."""
    yield let(first, d(x, phi))
    yield let(second, d(x, d(x, phi)))
    yield let(third, d(x, d(x, d(x, phi))))
    yield E(noise, phi(step.xreplace({delta: h**2})))
    series = phi + h * fresh * first + h**2 * (score * first + fresh**2 * second) / 2
    series += h**3 * (3 * fresh * score * second + fresh**3 * third) / 6
    yield up_to(E(noise, series), h, 4, by=taylor("the fourth derivative of the test function is bounded"))
    yield eq(phi + h**2 * (score * first + second) / 2, by=gaussian_moments)
    yield eq(phi + h**2 * generator, by=algebra)


def any_law():
    """... which averages, over any law of x, to what the slope of the chain is beyond that of the law, ..."""
    yield E(law, at_slope)
    yield eq(
        E(law, slope * d(x, phi)) / 2 - E(law, d(x, log(law)) * d(x, phi)) / 2, by=by_parts(law * d(x, phi) / 2, x)
    )
    yield eq(E(law, (slope - d(x, log(law))) * d(x, phi)) / 2, by=linearity)


def right_level():
    """... and to nothing if the score is its own: then the law stays where it is, to first order."""
    yield E(law, at_slope)
    yield eq(E(law, (slope - d(x, log(law))) * d(x, phi)) / 2, by=theorem(any_law))
    yield eq(0, by=exact)


CLAIMS = [
    Claim(
        "sampler.langevin",
        "Langevin steps of size delta on N(mu, v) end at the variance v/(1 - delta/(4v)) if delta < 4v; on any smooth "
        "law with its own score, a step moves averages by O(delta^2).",
        proved_by=(
            mean_after_a_step,
            variance_after_a_step,
            stays,
            attracts,
            closer_below,
            neither_at_it,
            away_above,
            too_wide,
            size_of_the_bias,
            beyond_the_bias,
            short_step,
            any_law,
            right_level,
        ),
        evidence="S Q M P B",
        kind="identity/limit",
        assumes="a Gaussian law for the variance; a smooth positive density otherwise",
        source="Roberts & Tweedie (1996); Song et al. (2021)",
        tier="extended",
        mistakes={
            "exact-at-any-delta": {"stationary": v, "bias": Integer(0)},
            "drift-delta-noise-delta": {"step": x + delta * score + sqrt(delta) * fresh},
            "noise-sqrt-2": {"step": x + delta / 2 * score + sqrt(2 * delta) * fresh},
            "stable-below-2v": {"threshold": 2 * v},
        },
        because={
            "exact-at-any-delta": "true of the diffusion, and of steps that are accepted or rejected",
            "drift-delta-noise-delta": "the drift of the convention whose noise is sqrt(2 delta)",
            "noise-sqrt-2": "the noise of the convention whose drift is delta: it has twice the temperature",
            "stable-below-2v": "above 2v the chain jumps over the mean, and still comes closer to it",
        },
    ),
]

# A world for the witness: two clusters, and a test function that is no polynomial.

WORLD = {law: clusters(x, 1, 0), slope: d(x, log(clusters(x, 1, 0))), phi: sin(x) + x**2 / 5}
