r"""Two players who follow their slopes at the same time go round in circles, and gradient steps lead outwards.

The smallest game: the generator is a point :math:`\theta`, the data are a point at 0, the discriminator is linear with
the slope :math:`\psi`. The generator descends, and the discriminator ascends,

.. math:: L(\theta,\psi)=f(\theta\psi)+f(0),\qquad f'(0)=c\ne0 .

The equilibrium is (0, 0), and around it the game is :math:`c\,\theta\psi`: whatever f is, the two players chase each
other. In continuous time the Jacobian has the eigenvalues :math:`\pm ic`, and they go round it in circles. With a step
:math:`h`, both at once, the eigenvalues have the modulus :math:`\sqrt{1+h^2c^2}>1`: outwards, however small the step.
If they take turns, the modulus is exactly 1 as long as :math:`h|c|<2`: round and round on an ellipse. Nothing of this
converges to the equilibrium.

All this is about the linearisation. Where it is neutral, the terms that were left out decide what becomes of the
players in the end.

References:
    Mescheder, Geiger & Nowozin (2018), Which training methods for GANs do actually converge?
"""

from sympy import Integer, Rational, cos, exp, sin, sqrt

from ..calculus import (
    RealFunction,
    algebra,
    d,
    definition,
    differentiation,
    eq,
    gt,
    nonzeros,
    positives,
    positivity,
    reals,
    taylor,
    up_to,
)
from ..claim import Claim

# Notation: tau is time, h a step; f is any smooth function, and r what is left of it beyond its tangent at 0, over u^2.

theta, psi, tau, t, u, f_0 = reals(r"\theta \psi \tau t u f(0)")
c, h = nonzeros("c"), positives("h")
f, r = RealFunction("f", [u]), RealFunction("r", [u])
tangent = definition("f has the slope c at 0", {f: f_0 + c * u + u**2 * r})

scaled = f(t * theta * (t * psi)) + f(0)  # the game at (t theta, t psi), near the equilibrium for small t
generator, discriminator = theta - h * c * psi, psi + h * c * theta  # after one step of each
in_reply = psi + h * c * generator  # of the discriminator that has seen the generator's step
distance, skew = theta**2 + psi**2, theta**2 + psi**2 - h * c * theta * psi

# Statement: the eigenvalues of the Jacobian are growth +- i frequency; those of a step have these moduli.

growth, frequency = Integer(0), c
simultaneous, alternating = sqrt(1 + h**2 * c**2), Integer(1)


def after(steps, x, y):
    """What a function of (theta, psi) becomes after a step."""
    return steps.xreplace({theta: x, psi: y})


def flow(growth, frequency):
    """From (theta, psi), after the time tau, if the eigenvalues are growth +- i frequency."""
    turned = cos(frequency * tau), sin(frequency * tau)
    x, y = theta * turned[0] - psi * turned[1], theta * turned[1] + psi * turned[0]
    return exp(growth * tau) * x, exp(growth * tau) * y


def what_the_generator_descends():
    """Near the equilibrium the generator feels the discriminator, tψ, and up to third order nothing else ..."""
    yield d(theta, scaled)
    rest = 2 * theta * psi**2 * r(t**2 * theta * psi) + theta**2 * psi**2 * d(theta, r(t**2 * theta * psi))
    yield eq(c * t**2 * psi + t**4 * rest, by=tangent)
    yield up_to(c * t**2 * psi, t, 4, by=taylor())


def what_the_discriminator_ascends():
    """... and the discriminator the generator, with the other sign, for it ascends."""
    yield d(psi, scaled)
    rest = 2 * theta**2 * psi * r(t**2 * theta * psi) + theta**2 * psi**2 * d(psi, r(t**2 * theta * psi))
    yield eq(c * t**2 * theta + t**4 * rest, by=tangent)
    yield up_to(c * t**2 * theta, t, 4, by=taylor())


def generator_flows(growth=growth, frequency=frequency):
    """In continuous time they turn about it: the generator descends cθψ ..."""
    x, y = flow(growth, frequency)
    yield d(tau, x)
    yield eq(-c * y, by=differentiation)


def discriminator_flows(growth=growth, frequency=frequency):
    """... and the discriminator ascends it."""
    x, y = flow(growth, frequency)
    yield d(tau, y)
    yield eq(c * x, by=differentiation)


def both_at_once(simultaneous=simultaneous):
    """A step of both at once takes every point further away by the same factor, the modulus of both eigenvalues ..."""
    yield after(distance, generator, discriminator)
    yield eq(simultaneous**2 * distance, by=algebra)


def outwards(simultaneous=simultaneous):
    """... which is more than one, for any step."""
    yield simultaneous**2
    yield gt(1, by=positivity)


def one_after_the_other(alternating=alternating):
    """If the discriminator replies, it is another square that is multiplied by the same factor at every point ..."""
    yield after(skew, generator, in_reply)
    yield eq(alternating**2 * skew, by=algebra)


def an_ellipse():
    """... and it is one, of an ellipse, if h |c| < 2. So this factor is the modulus of both eigenvalues, too."""
    yield skew
    yield eq((psi - h * c * theta / 2) ** 2 + (1 - (h * c / 2) ** 2) * theta**2, by=algebra)


CLAIMS = [
    Claim(
        "gan.dirac-dynamics",
        "The Dirac-GAN turns about its equilibrium, with eigenvalues ±ic; steps of both at once lead outwards, and "
        "steps in turn neither in nor out.",
        proved_by=(
            what_the_generator_descends,
            what_the_discriminator_ascends,
            generator_flows,
            discriminator_flows,
            both_at_once,
            outwards,
            one_after_the_other,
            an_ellipse,
        ),
        evidence="S Q P T",
        assumes="f is smooth with f'(0) = c not zero; the linearisation at (0, 0); h |c| < 2 for steps in turn",
        source="Mescheder et al. (2018)",
        tier="extended",
        mistakes={
            "converges": {"simultaneous": 1 / sqrt(1 + h**2 * c**2)},
            "real-eigenvalues": {"growth": c, "frequency": Integer(0)},
            "1+hc": {"simultaneous": 1 + h * c},
            "alternating-diverges": {"alternating": sqrt(1 + h**2 * c**2)},
        },
        because={
            "converges": "true if each player answers to where the other will be: implicit steps",
            "real-eigenvalues": "those of a symmetric Jacobian, as one player alone would have",
            "1+hc": "the modulus of 1 + ihc, with the i forgotten",
            "alternating-diverges": "as for both at once",
        },
    ),
]

# A world for the witness: some rest beyond the tangent.

REST = Rational(1, 2) + u / (1 + u**2)
WORLD = {r: REST, f: f_0 + c * u + u**2 * REST}
