r"""Gaussian data, on straight paths: where every point goes can be written down, and no point goes straight.

For data of :math:`\mathcal N(m,v)` and :math:`x_t=(1-t)\,x_0+t\,x_1` the law of :math:`x_t` is
:math:`\mathcal N(tm,V_t)` with :math:`V_t=t^2v+(1-t)^2`, and

.. math:: u_t(x)=m+\frac{tv-(1-t)}{V_t}\,(x-tm),\qquad x(t)=tm+\sqrt{V_t}\;x(0) .

The paths from noise to data are straight; what moves with their mean velocity is not. On its way it falls behind the
chord, for :math:`V_t<(1-t+t\sqrt v)^2`: noise and data are added as if they had nothing to do with each other, and at
:math:`t=1/(1+v)` the cloud is narrower than at both ends. And yet a point arrives where it should at the least expense:
the map to the end is :math:`m+\sqrt v\,x(0)`, increasing, and no coupling of the two laws has smaller squared
distances.

Of a covariance matrix each axis has a v of its own, and all this is said of each.

References:
    Liu, Gong & Liu (2022), Flow straight and fast, section 3.
    Peyré & Cuturi (2019), Computational optimal transport, section 2.6: on the line, increasing maps are optimal.
"""

from sympy import Integer, Rational, sqrt

from ..calculus import (
    Density,
    E,
    Var,
    algebra,
    completing_the_square,
    d,
    definition,
    differentiation,
    eq,
    gaussian_moments,
    ge,
    gt,
    integral,
    let,
    limit,
    linearity,
    nonzeros,
    normal,
    positives,
    positivity,
    reals,
    tends_to,
)
from ..claim import Claim
from .velocity import a, a_dot, b, b_dot, path_velocity, t, x_0, x_1, x_t

# Notation

m, kappa = reals(r"m \kappa")
v, V = positives("v V")
z = nonzeros("z")  # where a point starts, other than in the middle
WHERE = {V: t**2 * v + (1 - t) ** 2}

noise, data, jump = normal(x_0, 0, 1), normal(x_1, m, v), normal(x_t, t * x_1, (1 - t) ** 2)
guess = normal(x_1, m + t * v / V * (x_t - t * m), v * (1 - t) ** 2 / V)
straight = {a: t, a_dot: 1, b: 1 - t, b_dot: -1}

coupling = Density(r"\pi", [x_0, x_1])
ends = definition(
    "the laws at both ends",
    {
        integral(x_0 * coupling, x_0, x_1): Integer(0),
        integral(x_0**2 * coupling, x_0, x_1): Integer(1),
        integral(x_1 * coupling, x_0, x_1): m,
        integral(x_1**2 * coupling, x_0, x_1): m**2 + v,
    },
)

# Statement

velocity = m + (t * v - (1 - t)) / V * (x_t - t * m)
trajectory = t * m + sqrt(V) * x_0
acceleration = v / (V * sqrt(V)) * x_0
end = m + sqrt(v) * x_0


def both_ends():
    """What x_t says of x_1 ..."""
    yield jump * data
    yield eq(guess * normal(x_t, t * m, V), by=completing_the_square(x_1))


def mean_velocity(velocity=velocity):
    """... and so, on average, of the velocity."""
    yield E(guess, path_velocity.xreplace(straight))
    yield eq(velocity, by=gaussian_moments)


def moves_on(velocity=velocity, trajectory=trajectory):
    """A point that moves with it keeps its place in the cloud, in units of its width ..."""
    yield let(x_t, trajectory)
    yield d(t, trajectory)
    yield eq(velocity, by=differentiation)


def sets_out(trajectory=trajectory):
    """... from the noise ..."""
    yield trajectory
    yield tends_to(x_0, t, 0, by=limit())


def arrives(trajectory=trajectory, end=end):
    """... to the data."""
    yield trajectory
    yield tends_to(end, t, 1, by=limit())


def narrowest_on_the_way():
    """Between the ends the cloud is narrower than at both: its variance is least at t = 1/(1 + v) ..."""
    yield V
    yield eq((1 + v) * (t - 1 / (1 + v)) ** 2 + v / (1 + v), by=algebra)
    yield ge(v / (1 + v), by=positivity)


def narrower_than_the_noise():
    """... and less there than that of the noise, which is 1, ..."""
    yield 1 - v / (1 + v)
    yield eq(1 / (1 + v), by=algebra)
    yield gt(0, by=positivity)


def narrower_than_the_data():
    """... and than that of the data."""
    yield v - v / (1 + v)
    yield eq(v**2 / (1 + v), by=algebra)
    yield gt(0, by=positivity)


def turns(trajectory=trajectory, acceleration=acceleration):
    """On the way it turns: from the mean of the cloud outwards, always ..."""
    yield d(t, d(t, trajectory))
    yield eq(acceleration, by=differentiation)


def falls_behind(end=end):
    """... so that between the ends it is nearer to the mean of the cloud than its chord is, unless it starts there."""
    chord = (1 - t) * x_0 + t * end
    yield (chord - t * m).xreplace({x_0: z}) ** 2 - V * z**2
    yield eq(2 * t * (1 - t) * sqrt(v) * z**2, by=algebra)
    yield gt(0, by=positivity)


def mean_of_the_end(end=end):
    """What arrives has the mean of the data ..."""
    yield E(noise, end)
    yield eq(m, by=gaussian_moments)


def variance_of_the_end(end=end):
    """... and their variance ..."""
    yield Var(noise, end)
    yield eq(v, by=gaussian_moments)


def in_order(end=end):
    """... in the order in which it set out."""
    yield d(x_0, end)
    yield eq(sqrt(v), by=differentiation)
    yield gt(0, by=positivity)


def no_coupling_is_cheaper(end=end):
    """Any other coupling costs more, by what it scatters around this map."""
    least = m**2 + (sqrt(v) - 1) ** 2
    yield let(kappa, E(coupling, x_0 * x_1))
    yield E(coupling, (x_1 - x_0) ** 2)
    yield eq(E(coupling, x_0**2) + E(coupling, x_1**2) - 2 * kappa, by=linearity)
    yield eq(least + 2 * sqrt(v) - 2 * kappa, by=ends)
    around = E(coupling, x_1**2) - 2 * m * E(coupling, x_1) + m**2 + v * E(coupling, x_0**2)
    yield eq(least + around / sqrt(v) - 2 * (kappa - m * E(coupling, x_0)), by=ends)
    yield eq(least + E(coupling, (x_1 - end) ** 2) / sqrt(v), by=linearity)
    yield ge(least, by=positivity)


CLAIMS = [
    Claim(
        "flow.gaussian-flow",
        "For Gaussian data on straight paths the flow keeps every point at its quantile; the trajectories are curved, "
        "and their ends are those of optimal transport.",
        proved_by=(
            both_ends,
            mean_velocity,
            moves_on,
            sets_out,
            arrives,
            narrowest_on_the_way,
            narrower_than_the_noise,
            narrower_than_the_data,
            turns,
            falls_behind,
            mean_of_the_end,
            variance_of_the_end,
            in_order,
            no_coupling_is_cheaper,
        ),
        evidence="S Q P B",
        assumes="x_1 is Gaussian, and x_0 is standard normal noise, independent of it; x_t = (1 - t) x_0 + t x_1",
        source="Liu et al. (2022) section 3",
        tier="extended",
        mistakes={
            "straight": {"trajectory": (1 - t) * x_0 + t * end, "acceleration": Integer(0)},
            "no-root": {"trajectory": t * m + V * x_0, "end": m + v * x_0},
            "plus-one-minus-t": {"velocity": m + (t * v + (1 - t)) / V * (x_t - t * m)},
            "endpoint-independent-of-x0": {"end": m},
        },
        because={
            "straight": "as the paths are of which it is the mean",
            "endpoint-independent-of-x0": "where a single step of size one ends",
        },
    ),
]

# A world for the witness: a coupling that is not that of the flow.

WORLD = {coupling: noise * normal(x_1, m + Rational(3, 5) * sqrt(v) * x_0, Rational(16, 25) * v)}
