r"""What a generator follows: its slope, the divergence behind it, and why a mode is cheap to drop.

With the logit :math:`a` of the discriminator, :math:`D=1/(1+e^{-a})`, the two losses of a generator have the slopes

.. math:: \partial_a\log(1-D)=-D,\qquad \partial_a(-\log D)=-(1-D),\qquad \frac{1-D}D=e^{-a}.

Both push a sample the same way, to where the discriminator believes it. The first does so with the force :math:`D`,
which is next to nothing for a sample that is seen through; the second is strong just there.

What the second minimises is another matter. While the best response to :math:`g_{\theta_0}` is held fixed,

.. math:: \nabla_\theta\mathbb E_{g_\theta}[-\log D^\star]\Big|_{\theta_0}
          =\nabla_\theta\bigl[D_{KL}(g_\theta\|p)-2\,\mathrm{JSD}(g_\theta,p)\bigr]\Big|_{\theta_0}:

the Jensen-Shannon divergence with a *minus* sign, beside a divergence that averages over the generator. And that one
does not mind a mode that is missing. Of K equal modes with disjoint supports, let the generator keep one. Then

.. math:: D_{KL}(g\|p)=\log K,\qquad D_{KL}(p\|g)=\infty,\qquad
          \mathrm{JSD}(p,g)=\tfrac34\log\tfrac43\ \text{for}\ K=2 .

References:
    Goodfellow et al. (2014), Generative adversarial nets.
    Arjovsky & Bottou (2017), Towards principled methods for training generative adversarial networks.
"""

from sympy import Integer, Rational, exp, log, oo

from ..calculus import (
    KL,
    Density,
    E,
    UnitFunction,
    algebra,
    d,
    definition,
    differentiation,
    eq,
    integral,
    let,
    limit,
    linearity,
    lt,
    naturals,
    normal,
    normalised,
    positives,
    positivity,
    reals,
    taylor,
    tends_to,
    units,
    up_to,
)
from ..claim import Claim

# Notation: the generators g_theta form a family, of which theta_0 is the present one; t leads along a line to others.

x, a, theta_0, t = reals(r"x a \theta_0 t")
theta, any_theta = reals(r"\theta u")
D, w = units("D w")
WHERE = {D: 1 / (1 + exp(-a)), theta: theta_0 + t}

discriminator = UnitFunction("D", [x])
data, generator, middle = Density("p", [x]), Density("g", [x], at=[theta]), Density("m", [x], at=[theta])
mixed = definition("m is halfway between p and g", {middle(x, any_theta): (data + generator(x, any_theta)) / 2})
best_response = data / (2 * middle)
smooth = taylor("two derivatives in theta are integrable, uniformly around theta_0")

kept, lost = Density("A", [x]), Density("B", [x])  # modes; where one of them lives, there is nothing of the other
modes, s = naturals("K"), positives("s")  # e^s is how much more of one mode there is than of the other

# Statement

saturating, nonsaturating, ratio = -D, -(1 - D), exp(-a)

jsd = (KL(data, middle) + KL(generator, middle)) / 2
objective = E(generator, -log(best_response.xreplace({theta: theta_0})))
divergence = KL(generator, data) - 2 * jsd

one_mode_kept = log(modes)
jsd_of_one_in_two = Rational(3, 4) * log(Rational(4, 3))
growth = Rational(1, 2)  # of KL(p || g), for each e-fold by which the second mode of two is rarer in g


def saturating_slope(saturating=saturating):
    """The loss of the game is steep where the discriminator is already deceived ..."""
    yield d(a, log(1 - D))
    yield eq(saturating, by=differentiation)


def nonsaturating_slope(nonsaturating=nonsaturating):
    """... and the other where it is not."""
    yield d(a, -log(D))
    yield eq(nonsaturating, by=differentiation)


def how_much_steeper(saturating=saturating, nonsaturating=nonsaturating, ratio=ratio):
    """A sample that is seen through, with the logit -a, moves exp(a) times as fast."""
    yield nonsaturating / saturating
    yield eq(ratio, by=algebra)


def same_direction(saturating=saturating):
    """Both fall as the logit grows ..."""
    yield saturating
    yield lt(0, by=positivity)


def same_direction_too(nonsaturating=nonsaturating):
    """... as a sample is believed more ..."""
    yield nonsaturating
    yield lt(0, by=positivity)


def same_rest():
    """... and both move a sample x along the slope of D(x): where it rests in the one, it rests in the other."""
    yield d(x, -log(discriminator))
    yield eq((1 - discriminator) / discriminator * d(x, log(1 - discriminator)), by=differentiation)


def best_response_held(objective=objective):
    """The loss against the best response to the generator of θ₀, by the mixture halfway to the data."""
    yield E(generator, -log(data / (data + generator(x, theta_0))))
    yield eq(objective, by=mixed)


def same_slope(objective=objective, divergence=divergence):
    """From θ₀ on, loss and divergence move alike, but for a divergence, which begins without a slope."""

    def moved(f):
        return f - f.xreplace({theta: theta_0})

    before = middle(x, theta_0)
    yield moved(objective - divergence)
    # The rest does not change with theta, and drops out; so does what is divided and multiplied by g.
    yield eq(E(generator, log(before / middle)) + E(data, log(before / middle)), by=linearity)
    # So it is how far the mixture has moved.
    yield eq(-2 * KL(middle, before), by=mixed)
    yield eq(integral(-2 * middle * log(middle / before), x), by=linearity)
    yield up_to(integral(-2 * (middle - before), x), t, 2, by=smooth)
    yield eq(0, by=normalised(middle))


def dropping_all_but_one(cost=one_mode_kept):
    """The generator is asked about its own samples only; there the data have the same shape, and a K-th of the mass."""
    yield E(kept, log(kept) - log(kept / modes))  # where A lives, p is A/K
    yield eq(cost, by=linearity)


def jensen_shannon(jsd=jsd_of_one_in_two):
    """With one of two modes dropped, the mixture halfway has three quarters of its mass on the one that was kept ..."""
    # Where A lives, p is A/2 and m is 3A/4; where B lives, they are B/2 and B/4.
    from_data = E(kept, log(kept / 2) - log(3 * kept / 4)) / 2 + E(lost, log(lost / 2) - log(lost / 4)) / 2
    from_generator = E(kept, log(kept) - log(3 * kept / 4))
    yield (from_data + from_generator) / 2
    yield eq(jsd, by=linearity)


def less_than_all(jsd=jsd_of_one_in_two):
    """... and that is less than a third of what two laws with nothing in common have."""
    yield jsd
    yield lt(log(2) / 3, by=positivity)


def averaged_over_the_data(growth=growth):
    """Averaged over the data, a mode is missed: the rarer it is in the generator, the more, and without a bound."""
    yield let(w, 1 / (1 + exp(-s)))
    from_kept, from_lost = E(kept, log(kept / 2) - log(w * kept)), E(lost, log(lost / 2) - log((1 - w) * lost))
    yield (from_kept + from_lost) / (2 * s)
    yield eq((log(1 + exp(-s)) - log(2)) / s + Rational(1, 2), by=linearity)
    yield tends_to(growth, s, oo, by=limit())


CLAIMS = [
    Claim(
        "gan.nonsaturating-gradient",
        "In the logit a, log(1 − D) has the slope −D, and −log D the slope −(1 − D): one sign, and the ratio exp(−a).",
        proved_by=(
            saturating_slope,
            nonsaturating_slope,
            how_much_steeper,
            same_direction,
            same_direction_too,
            same_rest,
        ),
        evidence="S P T",
        assumes="D is the sigmoid of a logit a",
        source="Goodfellow et al. (2014)",
        mistakes={
            "swapped": {"saturating": -(1 - D), "nonsaturating": -D},
            "sign": {"saturating": D, "nonsaturating": 1 - D},
            "D(1-D)": {"saturating": -D * (1 - D), "nonsaturating": -D * (1 - D)},
        },
        because={"D(1-D)": "the derivative of D, without that of the logarithm"},
    ),
    Claim(
        "gan.nonsaturating-divergence",
        "At a fixed best response, the slope of the non-saturating loss is that of KL(g ‖ p) − 2 JSD(g, p).",
        proved_by=(best_response_held, same_slope),
        evidence="S Q",
        assumes="a smooth family of densities g_theta with integrable derivatives in theta",
        source="Arjovsky & Bottou (2017)",
        tier="extended",
        mistakes={
            "plus-2jsd": {"divergence": KL(generator, data) + 2 * jsd},
            "kl-swapped": {"divergence": KL(data, generator) - 2 * jsd},
            "one-jsd": {"divergence": KL(generator, data) - jsd},
            "through-D": {"objective": E(generator, -log(best_response))},
        },
        because={"through-D": "the discriminator answers at once, and its answer is differentiated too"},
    ),
    Claim(
        "gan.mode-drop-cost",
        "A generator that keeps one of K equal modes pays log K in KL(g ‖ p), and without bound in KL(p ‖ g).",
        proved_by=(dropping_all_but_one, jensen_shannon, less_than_all, averaged_over_the_data),
        evidence="S Q T",
        assumes="modes with disjoint supports",
        source="the note",
        mistakes={
            "jsd-log2": {"jsd": log(2)},
            "kl-finite": {"growth": Integer(0)},
            "half-log-4-3": {"jsd": log(Rational(4, 3)) / 2},
        },
        because={
            "jsd-log2": "as if g had nothing in common with p",
            "kl-finite": "as in the other direction",
            "half-log-4-3": "only the half that averages over g",
        },
    ),
]

# A world for the witness: a generator that moves and widens, and two modes.

DATA, GENERATOR = normal(x, Rational(1, 3), Rational(4, 5)), normal(x, any_theta / 2 - 1, 1 + any_theta**2 / 5)
WORLD = {
    data: DATA,
    generator(x, any_theta): GENERATOR,
    middle(x, any_theta): (DATA + GENERATOR) / 2,
    discriminator: 1 / (1 + exp(x**2 / 3 - 1)),
    kept: normal(x, Rational(1, 3), Rational(3, 4)),
    lost: normal(x, Rational(-3, 2), Rational(1, 2)),
}
