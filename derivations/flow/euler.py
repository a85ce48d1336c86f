r"""One step from the noise to the data takes all noise to one point, unless the paths have been made not to cross.

Euler's step follows the velocity where it stands, for a time h,

.. math:: x_{t+h}\approx x_t+h\,u_t(x_t),

and it is exact where a trajectory is straight. Where the paths from noise to data start, each to an :math:`x_1` drawn
independently of the noise, nothing is known of where they lead, and their mean velocity is

.. math:: u_0(x)=\mathbb E[x_1]-x :

so one step of size one takes every noise to the mean of the data. Of their variance nothing is left.

Now let each noise have a path of its own, :math:`x_1=T(x_0)`, as it has once the flow itself has chosen the ends
(reflow). If no two of these straight paths cross, then what is at x can move one way only, the trajectories are the
paths, and one step from the start is exact, as are any smaller ones.

References:
    Liu, Gong & Liu (2022), Flow straight and fast, sections 2-3.
"""

from sympy import Integer, Rational, tanh

from ..calculus import (
    Density,
    E,
    RealFunction,
    Var,
    algebra,
    d,
    definition,
    differentiation,
    eq,
    let,
    linearity,
    normal,
    positives,
    reals,
)
from ..claim import Claim
from .velocity import DATA, data, m_1, t, x_0, x_1, x_t

# Notation

h = positives("h")
predicted_velocity = reals(r"\hat{u}")
v_1 = Density("v_1")  # the variance of the data
transport = RealFunction("T", [x_0])

noise, following = normal(x_0, 0, 1), Density("q", [x_1], given=[x_0])
independence = definition("no noise knows where it leads", {following: data})
mean_of_data = definition("the mean of the data", {m_1: E(data, x_1)})
path = (1 - t) * x_0 + t * transport

# Statement: a step; where it starts from the noise, it ends at m_1, and after reflow at T(x_0).

step = x_t + h * predicted_velocity
start = m_1 - x_0
variance = Integer(0)


def at_the_start(start=start):
    """At the start the noise is all that one sees, and every x_1 is as likely as ever."""
    yield E(following, x_1 - x_0)
    yield eq(E(data, x_1 - x_0), by=independence)
    yield eq(E(data, x_1) - x_0, by=linearity)
    yield eq(start, by=mean_of_data)


def one_step(step=step, start=start, landing=m_1):
    """One step of size one forgets the noise ..."""
    yield let(predicted_velocity, start)
    yield step.xreplace({x_t: x_0, h: 1})
    yield eq(landing, by=algebra)


def nothing_varies(step=step, start=start, variance=variance):
    """... so that what it gives does not vary."""
    yield let(predicted_velocity, start)
    yield Var(noise, step.xreplace({x_t: x_0, h: 1}))
    yield eq(variance, by=linearity)


def paths_of_their_own():
    """Where every noise has a path of its own, it moves along it at a constant rate ..."""
    yield d(t, path)
    yield eq(transport - x_0, by=differentiation)


def steps_of_any_size(step=step):
    """... and a step of any size stays on it ..."""
    yield let(predicted_velocity, transport - x_0)
    yield step.xreplace({x_t: path})
    yield eq((1 - (t + h)) * x_0 + (t + h) * transport, by=algebra)


def one_step_is_exact(step=step, reflowed=transport):
    """... so that one step of size one leads to its end."""
    yield let(predicted_velocity, transport - x_0)
    yield step.xreplace({x_t: x_0, h: 1})
    yield eq(reflowed, by=algebra)


CLAIMS = [
    Claim(
        "flow.one-step-mean",
        "With ends drawn independently of the noise, one Euler step of size one takes every noise to the mean of the "
        "data; along straight paths that do not cross, it is exact.",
        proved_by=(
            at_the_start,
            one_step,
            nothing_varies,
            paths_of_their_own,
            steps_of_any_size,
            one_step_is_exact,
        ),
        evidence="S Q T B",
        assumes="x_t = (1 - t) x_0 + t x_1; x_0 and x_1 are independent, or x_1 = T(x_0) and no two paths cross",
        source="Liu et al. (2022) sections 2-3",
        tier="extended",
        mistakes={
            "one-step-exact": {"landing": transport},
            "u0-is-x1-minus-x0": {"start": x_1 - x_0},
            "variance-kept": {"variance": v_1},
        },
        because={
            "one-step-exact": "true after reflow, and taken to be true before it: T is the map of the flow",
            "u0-is-x1-minus-x0": "the velocity of one path, which the noise does not know",
            "variance-kept": "that of the data",
        },
    ),
]

# A world for the witness: two clusters, and an increasing map.

WORLD = {
    data: DATA,
    following: DATA,
    m_1: Rational(3, 4),
    v_1: Rational(809, 400),
    transport: Rational(3, 4) + Rational(6, 5) * x_0 + tanh(x_0) / 5,
}
