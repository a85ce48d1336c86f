r"""What an answer of one half means: at the equilibrium it is the best there is, and away from it nothing at all.

At :math:`g=p` the best response is one half everywhere, the game is worth :math:`-\log4`, and neither player can do
better:

.. math:: V(D,p)\ \le\ -\log4\ =\ V(\tfrac12,g)\qquad\text{for every } D \text{ and every } g .

This is a saddle, and its right side is flat. Whoever answers one half always, because it has not been trained or has
given up, has the value :math:`-\log4` against *any* generator, and gives it no slope to follow. So a discriminator that
outputs 0.5 does not show that g is p. What shows it is that one half is the *best* response: that a discriminator which
is looked for in earnest finds nothing better. What it would find is

.. math:: \max_DV(D,g)-V(\tfrac12,g)=D_{KL}(p\|m)+D_{KL}(g\|m)=2\,\mathrm{JSD}(p,g),

which is zero at :math:`g=p` alone. In practice: freeze the generator, train a fresh discriminator, and see whether its
cross-entropy stays at :math:`\log2` for each example.

References:
    Goodfellow et al. (2014), Generative adversarial nets, theorem 1.
"""

from sympy import Integer, Rational, log

from ..calculus import (
    KL,
    Density,
    algebra,
    d,
    differentiation,
    eq,
    le,
    linearity,
    normal,
    normalised,
    reals,
    rearranging,
    theorem,
)
from ..claim import Claim
from .discriminator import D, best, data, game, generator, no_discriminator_does_better, x
from .divergence import WORLD as ONE_GAME
from .divergence import half, match, middle, two_divergences, worth

# Notation: the generators g_theta form a family.

theta = reals(r"\theta")
family = Density("g", [x], at=[theta])

# Statement

answer, value, cross_entropy, slope = half, -log(4), log(2), Integer(0)
gain = KL(data, middle) + KL(generator, middle)


def best_answer(answer=answer):
    """The best answer is one half exactly where g is p; it is more where p is more, and less where p is less."""
    yield best - answer
    yield eq((data - generator) / (data + generator) / 2, by=algebra)


def nothing_better_at_the_match(value=value):
    """At g = p no discriminator has more than this ..."""
    yield game(D).xreplace(match)
    yield le(game(best).xreplace(match), by=theorem(no_discriminator_does_better, match))
    yield eq(value, by=linearity)


def worth_of_one_half(value=value):
    """... which one half has against every generator, however far away ..."""
    yield game(half)
    yield eq(value, by=linearity)


def slope_from_one_half(slope=slope):
    """... so that no generator gets a slope from it."""
    yield d(theta, game(half).xreplace({generator: family}))
    yield eq(d(theta, -2 * log(2)), by=normalised(data, family))
    yield eq(slope, by=differentiation)


def left_to_gain(gain=gain):
    """What tells them apart is how much a better discriminator would gain: a divergence."""
    yield worth - game(half)
    yield eq(worth + log(4), by=linearity)
    yield eq(gain, by=rearranging(two_divergences))


def per_example(cross_entropy=cross_entropy):
    """Of two examples, a real one and a generated one, each costs the answer one half as much as a coin."""
    yield -game(half) / 2
    yield eq(cross_entropy, by=linearity)


CLAIMS = [
    Claim(
        "gan.equilibrium-half",
        "At g = p the best answer is 1/2 and the game is worth -log 4, as it is for the answer 1/2 anywhere: what "
        "tells whether g = p is what a better answer would gain.",
        proved_by=(
            best_answer,
            nothing_better_at_the_match,
            worth_of_one_half,
            slope_from_one_half,
            left_to_gain,
            per_example,
        ),
        evidence="S Q P T",
        assumes="densities p and g",
        source="the note; Goodfellow et al. (2014) theorem 1",
        mistakes={
            "half-implies-match": {"gain": Integer(0)},
            "V-minus-log2": {"value": -log(2)},
            "generator-gradient-nonzero-at-half": {"slope": -half},
        },
        because={
            "half-implies-match": "at the match the best answer is 1/2, and that is read backwards. But 1/2 is also "
            "what an untrained discriminator says, whatever g is. If it showed a match, nothing would be left to gain; "
            "there is, and it is twice the divergence",
            "V-minus-log2": "the cross-entropy of one example; the game adds that of a real and of a generated one",
            "generator-gradient-nonzero-at-half": "the slope in the logit, -D, is not zero; but where D is the same "
            "everywhere, no move of a sample changes the logit",
        },
    )
]

# A world for the witness.

WORLD = ONE_GAME | {family: normal(x, theta, Rational(4, 5))}
