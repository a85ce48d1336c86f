r"""Three schedules, pinned: where they begin, where they end, and how they get there.

Linear (DDPM): :math:`\beta_t` equally spaced from :math:`10^{-4}` to :math:`0.02`. Cosine (IDDPM):
:math:`\bar\alpha_t=f(t)/f(0)` with a squared cosine, the betas clipped at 0.999 and :math:`\bar\alpha_t` multiplied up
again from the clipped ones. Zero terminal SNR (Lin et al.): the roots of :math:`\bar\alpha_t` shifted and stretched, so
that the first stays and the last is zero; its example is Stable Diffusion's schedule, whose *roots* of beta are equally
spaced.

References:
    Ho, Jain & Abbeel (2020), Denoising diffusion probabilistic models, section 4.
    Nichol & Dhariwal (2021), Improved denoising diffusion probabilistic models, eq. (17).
    Lin, Liu, Li & Yang (2023), Common diffusion noise schedules and sample steps are flawed, algorithm 1, section 3.1.
"""

from sympy import Integer, Min, Product, Rational, Sum, cos, exp, pi, sqrt

from ..calculus import UnitFunction, algebra, d, differentiation, eq, naturals, units
from ..claim import Claim

# Notation: `gaps` is T - 1, the number of intervals between T equally spaced betas; \rho_t is the root of
# \bar\alpha_t, and falls from \rho_1 to the part k of it, on a way of which the part u is left.

t, i, gaps, T = naturals("t i N T")
root_1, end, part = units(r"\rho_1 k u")
root_t, root_T = units(r"\rho_t \rho_T")
WHERE = {T: gaps + 1, root_T: root_1 * end, root_t: root_1 * (end + (1 - end) * part)}

a = UnitFunction(r"\bar\alpha", at=[i])  # the squared cosine, before any clipping

# Statement

first, last = Rational(1, 10**4), Rational(1, 50)
linear_beta = first + (t - 1) / gaps * (last - first)
kept = Product(1 - linear_beta.xreplace({t: i}), (i, 1, t))

shift = Rational(1, 125)
wave = cos((t / T + shift) / (1 + shift) * pi / 2) ** 2
cosine_alpha_bar = wave / cos(shift / (1 + shift) * pi / 2) ** 2
clipped = Product(1 - Min(1 - a / a(i - 1), Rational(999, 1000)), (i, 1, t))

rescaled = (root_t - root_T) * root_1 / (root_1 - root_T)
stable_first, stable_last = sqrt(Rational(85, 10**5)), sqrt(Rational(12, 1000))
stable_beta = (stable_first + (t - 1) / gaps * (stable_last - stable_first)) ** 2


def linear_begins(beta=linear_beta):
    """The first beta, ..."""
    yield beta.xreplace({t: Integer(1)})
    yield eq(first, by=algebra)


def linear_ends(beta=linear_beta):
    """... the last one, ..."""
    yield beta.xreplace({t: T})
    yield eq(last, by=algebra)


def linear_between(beta=linear_beta):
    """... and equal steps in between."""
    yield beta.xreplace({t: t + 1}) - beta
    yield eq((last - first) / gaps, by=algebra)


def alphas_multiply(alpha_bar=kept):
    """What is left of the signal is a product; the exponential of a sum is only near it."""
    yield Product(1 - (first + (i - 1) / gaps * (last - first)), (i, 1, t))
    yield eq(alpha_bar, by=algebra)


def cosine_from_the_start(alpha_bar=cosine_alpha_bar):
    """At t = 0 nothing has happened: the square of the cosine is divided by its value there."""
    yield alpha_bar.xreplace({t: Integer(0)})
    yield eq(1, by=algebra)


def cosine_squared(alpha_bar=cosine_alpha_bar):
    """In between it is the square of a cosine, with the shift inside the fraction of the way."""
    yield cos((t / T + shift) / (1 + shift) * pi / 2) ** 2 / cos(shift / (1 + shift) * pi / 2) ** 2
    yield eq(alpha_bar, by=algebra)


def clipped_betas_multiply(clipped=clipped):
    """The betas are clipped, and what is left of the signal is the product that goes with them."""
    yield Product(1 - Min(1 - a / a(i - 1), Rational(999, 1000)), (i, 1, t))
    yield eq(clipped, by=algebra)


def first_root_stays(root=rescaled):
    """The first step is as it was, ..."""
    yield root.xreplace({root_t: root_1})
    yield eq(root_1, by=algebra)


def last_root_is_zero(root=rescaled):
    """... after the last nothing of the signal is left, ..."""
    yield root.xreplace({root_t: root_T})
    yield eq(0, by=algebra)


def roots_are_stretched(root=rescaled):
    """... and in between the roots are stretched evenly: that they are roots shows here alone."""
    yield d(part, d(part, root.xreplace(WHERE)))
    yield eq(0, by=differentiation)


def stable_roots(stable_beta=stable_beta):
    """In Stable Diffusion's schedule it is the root of beta that is equally spaced."""
    yield stable_beta
    yield eq((stable_first * (gaps - t + 1) / gaps + stable_last * (t - 1) / gaps) ** 2, by=algebra)


WORLD = {a: exp(-8 * (1 - exp(-5 * i)))}  # nearly everything goes in the first step, which is clipped

span = (t - 1) / gaps
CLAIMS = [
    Claim(
        "forward.linear-schedule",
        r"DDPM's \beta_t are equally spaced from 1/10000 at t = 1 to 1/50 at t = T, and \bar\alpha_t is their product.",
        proved_by=(linear_begins, linear_ends, linear_between, alphas_multiply),
        evidence="S Q P",
        tier="extended",
        kind="definition",
        source="Ho et al. (2020) section 4",
        mistakes={
            "starts-at-zero": {"beta": span * last},
            "arange": {"beta": first + (t - 1) / T * (last - first)},
            "sqrt-spaced": {"beta": (sqrt(first) + span * (sqrt(last) - sqrt(first))) ** 2},
            "exp-minus-sum": {"alpha_bar": exp(-Sum(linear_beta.xreplace({t: i}), (i, 1, t)))},
        },
    ),
    Claim(
        "forward.cosine-schedule",
        r"The cosine schedule is f(t)/f(0) with a squared cosine; after clipping \bar\alpha_t is multiplied up again.",
        proved_by=(cosine_from_the_start, cosine_squared, clipped_betas_multiply),
        evidence="S Q P",
        tier="extended",
        kind="definition",
        source="Nichol & Dhariwal (2021) eq. 17",
        mistakes={
            "no-square": {"alpha_bar": sqrt(cosine_alpha_bar)},
            "no-f0": {"alpha_bar": wave},
            "unclipped-alphabar": {"clipped": a(t)},
            "s-outside": {"alpha_bar": cos(t / T * pi / 2 + shift) ** 2 / cos(shift) ** 2},
        },
    ),
    Claim(
        "forward.zero-terminal-snr",
        r"Shifting and stretching the roots of \bar\alpha_t keeps the first and sets the last to zero.",
        proved_by=(first_root_stays, last_root_is_zero, roots_are_stretched, stable_roots),
        evidence="S Q P",
        tier="extended",
        assumes="roots that fall from the first to the last; the last step then has beta = 1",
        source="Lin et al. (2023) algorithm 1, section 3.1",
        mistakes={
            "scale-alphabar": {"root": sqrt((root_t**2 - root_T**2) * root_1**2 / (root_1**2 - root_T**2))},
            "shift-only": {"root": root_t - root_T},
            "linear-beta": {"stable_beta": stable_first**2 + span * (stable_last**2 - stable_first**2)},
            "divides-by-alpha1": {"root": (root_t - root_T) / (root_1 * (root_1 - root_T))},
        },
        because={"linear-beta": "the schedule is called scaled linear, and read as linear"},
    ),
]
