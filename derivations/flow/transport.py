r"""A flow that keeps all marginals moves its points at no greater expense, whatever convex function expenses are of.

Couple noise and data in any way, and let :math:`x_t=(1-t)\,x_0+t\,x_1`. The flow of the mean velocity :math:`u_t` takes
:math:`Z_0=x_0` to a :math:`Z_1` with the law of :math:`x_1`: a new coupling of the same two laws. For convex c,

.. math:: \mathbb E\,c(Z_1-Z_0)\le\int_0^1\mathbb E\,c\bigl(u_t(Z_t)\bigr)\,dt
          =\int_0^1\mathbb E\,c\bigl(\mathbb E[x_1-x_0\mid x_t]\bigr)\,dt\le\mathbb E\,c(x_1-x_0) .

It is Jensen's inequality twice: a trajectory that turns wastes some of its way, and paths that cross could have
exchanged their ends. For Gaussian data and squares the expense falls from :math:`m^2+v+1` to
:math:`m^2+(\sqrt v-1)^2`.

On the line this is the least there is. In two dimensions it is not: the flow lowers *all* convex expenses at once,
knows of none of them, and is the best for none in particular. Take noise :math:`(y_1,y_2)` and data with independent
coordinates of deviations :math:`s_1<s_2`. The flow takes one to :math:`(s_1y_1,s_2y_2)`, which is as good as it gets
for :math:`w_1^2+w_2^2`. For :math:`c(w)=g_1w_1^2+2hw_1w_2+g_2w_2^2` with :math:`0<h^2<g_1g_2`, squares of distances in
coordinates that are not orthogonal, one does better by turning the noise first, which does not change its law. It saves

.. math:: 2\bigl(\sqrt{\tau^2+\omega^2}-\tau\bigr),\qquad\tau=g_1s_1+g_2s_2,\quad\omega=h\,(s_2-s_1),

and no coupling saves more (Gelbrich).

References:
    Liu, Gong & Liu (2022), Flow straight and fast, theorems 3.3, 3.5.
    Ambrosio, Gigli & Savaré (2008), Gradient flows, section 8.1: the continuity equation has one solution.
    Gelbrich (1990), on optimal couplings of Gaussians.
"""

from sympy import Integer, Integral, Rational, sqrt

from ..calculus import (
    Cov,
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
    ge,
    granted,
    gt,
    le,
    let,
    limit,
    linearity,
    nonzeros,
    normal,
    pointwise,
    positives,
    positivity,
    reals,
    tends_to,
    theorem,
    tower,
)
from ..claim import Claim
from .gaussian import WORLD as COUPLED
from .gaussian import coupling, end, m, no_coupling_is_cheaper, v
from .velocity import t, x_0, x_1, x_t

# Notation: w is how far a path leads, x_1 - x_0.

w, u = reals("w u")
cost, slope = RealFunction("c", [w]), RealFunction("c'", [u])
above = RealFunction("k", [w], given=[u])  # its square is how far c lies above its tangent at u
convex = definition("c lies above its tangents", {above: sqrt(cost - cost(u) - slope * (w - u))})

noise, data = normal(x_0, 0, 1), normal(x_1, m, v)
displacement, seen = Density(r"\pi", [w]), Density("p", [x_t], at=[t])
there, passing = Density("q", [w], given=[x_t], at=[t]), Density("p", [x_t], given=[w], at=[t])
bayes = definition("Bayes' rule", {there: passing * displacement / seen})
field, Z = RealFunction("u", [x_t], at=[t]), RealFunction("Z", [x_0], at=[t])
mean_velocity = definition("the mean velocity", {field: E(there, w)})
flow = definition("the flow", {d(t, Z): field(Z, t)})
way = Z(x_0, 1) - Z(x_0, 0)
same_law = granted(
    "Fubini; the flow keeps the law of x_t",
    "the continuity equation has one solution (Ambrosio, Gigli & Savaré, 2008); Liu et al. (2022) theorem 3.3",
)


def over_time(f):
    return Integral(f, (t, 0, 1))


# Two coordinates, in which the expense is a quadratic form.

y_1, y_2, n_1, n_2 = reals("y_1 y_2 n_1 n_2")
s_1, s_2, g_1, g_2, r, tau, rho = positives(r"s_1 s_2 g_1 g_2 r \tau \rho")
h, omega = nonzeros(r"h \omega")
WHERE = {
    s_2: s_1 * (1 + r),
    tau: g_1 * s_1 + g_2 * s_2,
    omega: h * s_1 * r,
    rho: sqrt(tau**2 + omega**2),
}
two = normal(y_1, 0, 1) * normal(y_2, 0, 1)
turned_1, turned_2 = (tau * y_1 - omega * y_2) / rho, (omega * y_1 + tau * y_2) / rho


def form(w_1, w_2):
    return g_1 * w_1**2 + 2 * h * w_1 * w_2 + g_2 * w_2**2


# Statement

bound = E(displacement, cost)
independent = m**2 + v + 1
rectified = m**2 + (sqrt(v) - 1) ** 2
excess = 2 * (rho - tau)


def mean_costs_less():
    """The mean of what may happen at x_t costs no more than what happens, on average."""
    yield cost(field)
    yield eq(cost(field) + slope(field) * (E(there, w) - field), by=mean_velocity)
    yield eq(E(there, cost(field) + slope(field) * (w - field)), by=linearity)
    yield eq(E(there, cost - above(w, field) ** 2), by=pointwise(convex))
    yield le(E(there, cost), by=pointwise(positivity))


def at_one_time():
    """So at any time it costs no more, on average, to move with the mean velocity than along single paths."""
    yield E(seen, cost(field))
    yield le(E(seen, E(there, cost)), by=pointwise(theorem(mean_costs_less)))
    yield eq(E(displacement, cost), by=tower(seen, there, bayes, displacement, passing))


def straight_costs_less():
    """And to go straight from end to end costs no more than to turn on the way."""
    yield cost(way)
    tangent = cost(way) + slope(way) * (d(t, Z) - way)
    yield eq(over_time(tangent), by=by_parts(-t * (cost(way) - slope(way) * way) - slope(way) * Z, t))
    yield eq(over_time(cost(way) + slope(way) * (field(Z, t) - way)), by=flow)
    yield eq(over_time(cost(field(Z, t)) - above(field(Z, t), way) ** 2), by=pointwise(convex))
    yield le(over_time(cost(field(Z, t))), by=pointwise(positivity))


def every_convex_cost(bound=bound):
    """So the flow lowers every convex expense, or leaves it as it was."""
    yield E(noise, cost(way))
    yield le(E(noise, over_time(cost(field(Z, t)))), by=pointwise(theorem(straight_costs_less)))
    yield eq(over_time(E(seen, cost(field))), by=same_law)
    # What is integrated is the same at all times.
    yield le(over_time(bound), by=pointwise(theorem(at_one_time)))


def independent_ends(independent=independent):
    """For Gaussian data, independent ends cost this ..."""
    yield E(noise * data, (x_1 - x_0) ** 2)
    yield eq(independent, by=gaussian_moments)


def ends_of_the_flow(rectified=rectified):
    """... those of the flow this ..."""
    yield E(noise, (end - x_0) ** 2)
    yield eq(rectified, by=gaussian_moments)


def least_on_the_line(rectified=rectified):
    """... the least that any coupling costs on the line ..."""
    yield E(coupling, (x_1 - x_0) ** 2)
    yield ge(rectified, by=theorem(no_coupling_is_cheaper))


def less(independent=independent, rectified=rectified):
    """... and less than independent ends ..."""
    yield independent - rectified
    yield eq(2 * sqrt(v), by=algebra)
    yield gt(0, by=positivity)


def unless_the_data_are_a_point(independent=independent, rectified=rectified):
    """... unless the data are a point, to which all paths lead straight."""
    yield independent - rectified
    yield tends_to(0, v, 0, by=limit())


def two_coordinates():
    """In two coordinates the flow costs this ..."""
    yield E(two, form(s_1 * y_1 - y_1, s_2 * y_2 - y_2))
    yield eq(g_1 * (s_1 - 1) ** 2 + g_2 * (s_2 - 1) ** 2, by=gaussian_moments)


def turned_first(excess=excess):
    """... and with the noise turned first, the expense is less by the excess ..."""
    yield let(n_1, turned_1)
    yield let(n_2, turned_2)
    yield E(two, form(s_1 * n_1 - y_1, s_2 * n_2 - y_2))
    yield eq(g_1 * (s_1 - 1) ** 2 + g_2 * (s_2 - 1) ** 2 - excess, by=gaussian_moments)


def of_the_same_law():
    """... though the ends have the same law: variances ..."""
    yield let(n_1, turned_1)
    yield Var(two, s_1 * n_1)
    yield eq(s_1**2, by=gaussian_moments)


def of_the_same_law_too():
    """... of both ..."""
    yield let(n_2, turned_2)
    yield Var(two, s_2 * n_2)
    yield eq(s_2**2, by=gaussian_moments)


def uncorrelated():
    """... and no correlation ..."""
    yield let(n_1, turned_1)
    yield let(n_2, turned_2)
    yield Cov(two, s_1 * n_1, s_2 * n_2)
    yield eq(0, by=gaussian_moments)


def it_could_be_cheaper(excess=excess):
    """... and the excess is not zero, as long as the form mixes the coordinates."""
    yield excess
    yield eq(2 * omega**2 / (rho + tau), by=algebra)
    yield gt(0, by=positivity)


CLAIMS = [
    Claim(
        "flow.transport-cost",
        "The flow couples noise and data at no greater expense than the paths it was made from, for every convex "
        "cost: for Gaussians on the line at the least there is, in two dimensions not always.",
        proved_by=(
            mean_costs_less,
            at_one_time,
            straight_costs_less,
            every_convex_cost,
            independent_ends,
            ends_of_the_flow,
            least_on_the_line,
            less,
            unless_the_data_are_a_point,
            two_coordinates,
            turned_first,
            of_the_same_law,
            of_the_same_law_too,
            uncorrelated,
            it_could_be_cheaper,
        ),
        evidence="S Q M T",
        kind="inequality",
        assumes="c is convex, and its means exist; velocities are smooth: the continuity equation has one solution",
        source="Liu et al. (2022) theorems 3.3, 3.5",
        tier="extended",
        mistakes={
            "increases": {"rectified": m**2 + (sqrt(v) + 1) ** 2},
            "equal": {"rectified": m**2 + v + 1},
            "is-optimal-in-any-dimension": {"excess": Integer(0)},
        },
        because={
            "increases": "with the sign of the map that turns the order round, which is the worst coupling of all",
            "equal": "the marginals are kept, and the expense is thought to be theirs",
            "is-optimal-in-any-dimension": "true on the line, and for coordinates that the cost does not mix",
        },
    ),
]

# A world for the witness: Gaussian data, and c(w) = w^2 + w^4 / 4.

mean, deviation = Rational(1, 2), Rational(3, 2)
spread = t**2 * deviation**2 + (1 - t) ** 2
drift = mean + (t * deviation**2 - (1 - t)) / spread * (x_t - t * mean)
GIVEN, LAW = normal(w, drift, deviation**2 / spread), normal(x_t, t * mean, spread)
DISPLACED = normal(w, mean, deviation**2 + 1)
WORLD = COUPLED | {
    cost: w**2 + w**4 / 4,
    slope: 2 * u + u**3,
    above: sqrt((w - u) ** 2 * (1 + (w**2 + 2 * u * w + 3 * u**2) / 4)),
    displacement: DISPLACED,
    seen: LAW,
    there: GIVEN,
    passing: GIVEN * LAW / DISPLACED,
    field: drift,
    Z: t * mean + sqrt(spread) * x_0,
}
