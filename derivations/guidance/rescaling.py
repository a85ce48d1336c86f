r"""Guidance spreads the coordinates of a prediction; rescaling takes that back, and some of it, if one likes.

.. math:: x'=x_{\mathrm{cfg}}\,\frac{\operatorname{std}(x_{\mathrm{pos}})}{\operatorname{std}(x_{\mathrm{cfg}})},\qquad
    x''=\phi\,x'+(1-\phi)\,x_{\mathrm{cfg}},

    \operatorname{std}(x'')=\phi\operatorname{std}(x_{\mathrm{pos}})+(1-\phi)\operatorname{std}(x_{\mathrm{cfg}}) .

A prediction with the label, :math:`x_{\mathrm{pos}}`, has the contrast of an image; the guided one,
:math:`x_{\mathrm{cfg}}`, has more, and comes out overexposed. The standard deviation is over all coordinates of one
sample, about their mean; whether one divides by their number or by one less makes no difference to the ratio. Nothing
is recentred: the mean over the coordinates is multiplied as they are.

References:
    Lin, Liu, Li & Yang (2024), Common diffusion noise schedules and sample steps are flawed, eqs. (14)-(16), alg. 2.
"""

from sympy import Rational, Sum, sqrt

from ..calculus import Density, RealFunction, algebra, definition, eq, linearity, naturals, units
from ..claim import Claim

# Notation: n + 1 coordinates of the guided prediction g and of the one with the label, p; their means and deviations.

i, n, phi = *naturals("i n"), units(r"\phi")
dimension = n + 1
guided, labelled = RealFunction("g", at=[i]), RealFunction("p", at=[i])
mean_guided, mean_labelled = RealFunction("m_g"), RealFunction("m_p")
std_guided, std_labelled = Density(r"\sigma_g"), Density(r"\sigma_p")


def total(f):
    """The sum over the coordinates."""
    return Sum(f, (i, 1, dimension))


over_coordinates = definition(
    "mean and deviation over the coordinates",
    {
        total(guided): dimension * mean_guided,
        total(labelled): dimension * mean_labelled,
        total((guided - mean_guided) ** 2): dimension * std_guided**2,
        total((labelled - mean_labelled) ** 2): dimension * std_labelled**2,
    },
)

# Statement

rescaled = guided * std_labelled / std_guided
mixed = phi * rescaled + (1 - phi) * guided
std_mixed = phi * std_labelled + (1 - phi) * std_guided


def mean_of_the_rescaled():
    """What multiplies the coordinates multiplies their mean, ..."""
    yield total(rescaled) / dimension
    yield eq(std_labelled / std_guided * total(guided) / dimension, by=linearity)
    yield eq(std_labelled / std_guided * mean_guided, by=over_coordinates)


def variance_of_the_rescaled(rescaled=rescaled):
    """... and its square their variance, which becomes that of the prediction with the label: ..."""
    yield total((rescaled - rescaled.xreplace({guided: mean_guided})) ** 2) / dimension
    yield eq((std_labelled / std_guided) ** 2 * total((guided - mean_guided) ** 2) / dimension, by=linearity)
    yield eq((std_labelled / std_guided) ** 2 * std_guided**2, by=over_coordinates)
    yield eq(total((labelled - mean_labelled) ** 2) / dimension, by=over_coordinates)


def variance_of_the_mixed(mixed=mixed, std_mixed=std_mixed):
    """... in part, if one mixes both, which point in one direction: then deviations mix as they do."""
    stretch = phi * std_labelled / std_guided + 1 - phi
    yield total((mixed - mixed.xreplace({guided: mean_guided})) ** 2) / dimension
    yield eq(stretch**2 * total((guided - mean_guided) ** 2) / dimension, by=linearity)
    yield eq(stretch**2 * std_guided**2, by=over_coordinates)
    yield eq(std_mixed**2, by=algebra)


# A world for the witness: coordinates that grow, in a line and in a parabola.

fourth_powers = (dimension + 1) * (2 * dimension + 1) * (3 * dimension**2 + 3 * dimension - 1) / 30  # on average
WORLD = {
    guided: 3 * i - 2,
    mean_guided: Rational(3, 2) * (dimension + 1) - 2,
    std_guided: sqrt(Rational(3, 4) * (dimension**2 - 1)),
    labelled: i**2 / 5,
    mean_labelled: (dimension + 1) * (2 * dimension + 1) / 30,
    std_labelled: sqrt(fourth_powers - ((dimension + 1) * (2 * dimension + 1) / 6) ** 2) / 5,
}

CLAIMS = [
    Claim(
        "guidance.rescale",
        "Multiplied by a ratio of standard deviations over its coordinates, a guided prediction has the deviation of "
        "the one with the label; a mixture of both has the mixture of their deviations.",
        proved_by=(mean_of_the_rescaled, variance_of_the_rescaled, variance_of_the_mixed),
        evidence="S P",
        assumes="not all coordinates of a prediction are equal",
        source="Lin et al. (2024), eqs. 14-16, alg. 2",
        tier="extended",
        kind="definition",
        mistakes={
            "ratio-inverted": {"rescaled": guided * std_guided / std_labelled},
            "phi-swapped": {"mixed": phi * guided + (1 - phi) * rescaled},
            "variance-ratio": {"rescaled": guided * std_labelled**2 / std_guided**2},
        },
        because={
            "phi-swapped": "which end of the mixture is the rescaled one is a matter of convention",
            "variance-ratio": "a deviation is taken for its square, which a unit variance hides",
        },
    ),
]
