r"""Along the probability flow the log density falls by the divergence of the velocity; entropy grows by its average.

The probability-flow ODE moves points with the velocity

.. math:: F(x,t)=f(t)\,x-\tfrac12g(t)^2\nabla\log q_t(x)

and carries the density with them, so that the density at a moving point changes because its surroundings expand, and
for no other reason:

.. math:: \frac{d}{dt}\log q_t(x(t))=-\nabla\!\cdot\!F=-f\,d+\tfrac12g^2\,\Delta\log q_t(x(t)) .

There is no :math:`F\cdot\nabla\log q_t` on the right: moving is on the left already. The divergence is a trace, and
random probes estimate it: :math:`\mathbb E[\xi^\top\nabla F\,\xi]=\operatorname{tr}\nabla F` whenever
:math:`\mathbb E[\xi\xi^\top]=I`.

Averaged over x, this is de Bruijn's identity, with a drift. With the Fisher information
:math:`J(q)=\mathbb E_q\lVert\nabla\log q\rVert^2`,

.. math:: \frac{d}{dt}h(x_t)=f\,d+\tfrac12g^2J(q_t),\qquad
          \text{VP:}\quad\frac{d}{dt}h(x_t)=\tfrac12\beta\,(J(q_t)-d) .

Noise adds entropy, and the drift takes some away: of laws wider than their noise, such as Gaussians with
:math:`v_t>1`, the entropy falls. It is the continuous form of ``reversal.kl-step-identity``.

The flow is derived in the plane, where it has two coordinates, and the entropy on the line. In d dimensions the
equation of Fokker and Planck (see ``fokker_planck``) is a sum over coordinates, and each of them is integrated by parts
in its own: what it brings is derived in the plane.

References:
    Song et al. (2021), Score-based generative modeling through stochastic differential equations, eqs. (39), (40).
    Stam (1959), Some inequalities satisfied by the quantities of information of Fisher and Shannon.
    Hutchinson (1989), A stochastic estimator of the trace of the influence matrix for Laplacian smoothing splines.
"""

from sympy import Abs, Integer, Mul, Rational, exp, log, sqrt

from ..calculus import (
    Density,
    E,
    algebra,
    by_parts,
    d,
    definition,
    differentiation,
    entropy,
    eq,
    gaussian_moments,
    granted,
    integral,
    let,
    linearity,
    lt,
    naturals,
    normal,
    normalised,
    positives,
    positivity,
    reals,
    taylor,
    theorem,
    up_to,
)
from ..claim import Claim
from .moments import f, g, h, t, x

# Notation: q_t(x) on the line, and p_t(x_1, x_2) in the plane; `slope` is a coordinate of the score, `curvature` the
# Laplacian of the log density, and `drifted` the product of velocity and score.

x_1, x_2, u_1, u_2, m = reals("x_1 x_2 u_1 u_2 m")
slope, curvature, drifted = reals(r"s \Delta F\cdot{s}")
dim, beta, e, w = naturals("d"), *positives(r"\beta \eta w")
plane, line = Density("p", [x_1, x_2], at=[t]), Density("q", [x], at=[t])
score_1, score_2, score = d(x_1, log(plane)), d(x_2, log(plane)), d(x, log(line))
fisher = Density("J", at=[t])
information = definition("the Fisher information", {fisher: E(line, score**2)})

z_1, z_2, m_11, m_12, m_21, m_22 = reals("z_1 z_2 M_{11} M_{12} M_{21} M_{22}")  # probes, and the entries of a matrix
probed = m_11 * z_1**2 + (m_12 + m_21) * z_1 * z_2 + m_22 * z_2**2
probe = Density("r", [z_1, z_2])
second_moments = definition(
    "the second moments of a probe",
    {
        integral(probe * z_1**2, z_1, z_2): w,
        integral(probe * z_2**2, z_1, z_2): w,
        integral(probe * z_1 * z_2, z_1, z_2): Integer(0),
    },
)


def spread(*coordinates, law):
    """The rate of a density by Fokker and Planck: each coordinate brings a drift and a diffusion."""
    return sum(-d(z, f * z * law) + g**2 / 2 * d(z, d(z, law)) for z in coordinates)


fokker_planck = definition("Fokker-Planck", {d(t, plane): spread(x_1, x_2, law=plane), d(t, line): spread(x, law=line)})
leibniz = granted("differentiating under the integral", "Leibniz's rule, by dominated convergence")

# Statement

velocity = f * x - g**2 * slope / 2
rate = -f * dim + g**2 * curvature / 2
probe_variance = Integer(1)

entropy_rate = f * dim + g**2 * fisher / 2
preserved_rate = beta * (fisher - dim) / 2


def at_coordinates(velocity):
    """Both coordinates of the velocity in the plane."""
    return [velocity.xreplace({x: z, slope: s}) for z, s in ((x_1, score_1), (x_2, score_2))]


def carried(velocity=velocity):
    """By Fokker and Planck no density is made or lost: it is carried with this velocity."""
    F_1, F_2 = at_coordinates(velocity)
    yield d(t, plane)
    yield eq(spread(x_1, x_2, law=plane), by=fokker_planck)
    yield eq(-d(x_1, F_1 * plane) - d(x_2, F_2 * plane), by=differentiation)


def at_a_moving_point():
    """At a point that moves with any velocity u, the log density changes with time, and with the place:"""
    yield log(plane(x_1 + h * u_1, x_2 + h * u_2, t + h)) - log(plane)
    yield up_to(h * (d(t, log(plane)) + u_1 * score_1 + u_2 * score_2), h, 2, by=taylor())


def expansion(velocity=velocity):
    """with the flow, both together are how fast the surroundings shrink, ..."""
    F_1, F_2 = at_coordinates(velocity)
    yield let(u_1, F_1)
    yield let(u_2, F_2)
    yield d(t, log(plane)) + u_1 * score_1 + u_2 * score_2
    yield eq(d(t, plane) / plane + u_1 * score_1 + u_2 * score_2, by=differentiation)
    flow = -d(x_1, u_1 * plane) - d(x_2, u_2 * plane)
    yield eq(flow / plane + u_1 * score_1 + u_2 * score_2, by=theorem(carried))
    yield eq(-d(x_1, u_1) - d(x_2, u_2), by=differentiation)


def log_density_along_the_flow(velocity=velocity, rate=rate):
    """... which the drift says, and the curvature of the log density."""
    F_1, F_2 = at_coordinates(velocity)
    yield let(u_1, F_1)
    yield let(u_2, F_2)
    yield let(dim, 2)
    yield let(curvature, d(x_1, score_1) + d(x_2, score_2))
    yield let(drifted, F_1 * score_1 + F_2 * score_2)
    yield -d(x_1, u_1) - d(x_2, u_2)
    yield eq(rate, by=differentiation)


def probes():
    """A probe with E[z_1 z_2] = 0 picks out the diagonal: on average it sees w times the trace, ..."""
    yield E(probe, probed)
    diagonal = m_11 * E(probe, z_1**2) + m_22 * E(probe, z_2**2)
    yield eq(diagonal + (m_12 + m_21) * E(probe, z_1 * z_2), by=linearity)
    yield eq(w * (m_11 + m_22), by=second_moments)


def probes_of_unit_variance(probe_variance=probe_variance):
    """... and the trace itself if w is one: independent normal entries, for instance."""
    yield E(normal(z_1, 0, probe_variance) * normal(z_2, 0, probe_variance), probed)
    yield eq(m_11 + m_22, by=gaussian_moments)


def share_of_a_coordinate():
    """What a coordinate brings to the rate of the entropy, by parts in that coordinate:"""
    flux = f * x_1 * plane - g**2 / 2 * d(x_1, plane)
    yield -integral((1 + log(plane)) * spread(x_1, law=plane), x_1)
    yield eq(
        f * integral(plane, x_1) + g**2 / 2 * integral(score_1**2 * plane, x_1),
        by=by_parts((1 + log(plane)) * flux - f * x_1 * plane, x_1),
    )
    yield eq(integral((f + g**2 / 2 * score_1**2) * plane, x_1), by=linearity)


def entropy_on_the_line(entropy_rate=entropy_rate):
    """the drift, and half the square of the score.  So it is on the line, ..."""
    yield let(dim, 1)
    yield d(t, entropy(line))
    yield eq(-integral(d(t, line * log(line)), x), by=leibniz)
    yield eq(-integral((1 + log(line)) * d(t, line), x), by=differentiation)
    yield eq(-integral((1 + log(line)) * spread(x, law=line), x), by=fokker_planck)
    flux = f * x * line - g**2 / 2 * d(x, line)
    yield eq(
        f * integral(line, x) + g**2 / 2 * integral(score**2 * line, x),
        by=by_parts((1 + log(line)) * flux - f * x * line, x),
    )
    yield eq(f + g**2 / 2 * E(line, score**2), by=normalised(line))
    yield eq(entropy_rate, by=information)


def variance_preserved(preserved_rate=preserved_rate, entropy_rate=entropy_rate):
    """... and where the variance is preserved, noise and drift are a matter of beta: ..."""
    yield entropy_rate.xreplace({f: -beta / 2, g: sqrt(beta)})
    yield eq(preserved_rate, by=algebra)


def of_wide_gaussians(preserved_rate=preserved_rate):
    """... the entropy of a Gaussian that is wider than its noise falls."""
    squared_score = ((x - m) / (1 + e)) ** 2
    yield preserved_rate.xreplace({dim: Integer(1), fisher: E(normal(x, m, 1 + e), squared_score)})
    yield eq(-beta * e / (2 * (1 + e)), by=gaussian_moments)
    yield lt(0, by=positivity)


CLAIMS = [
    Claim(
        "sde.likelihood",
        "Along the probability flow the log density changes by minus the divergence of the velocity, which random "
        "probes estimate, if their entries are uncorrelated and of unit variance.",
        proved_by=(carried, at_a_moving_point, expansion, log_density_along_the_flow, probes, probes_of_unit_variance),
        evidence="S Q M",
        assumes="the marginals solve the equation of Fokker and Planck; the second moments of a probe are the identity",
        source="Song et al. (2021), eqs. 39, 40",
        tier="extended",
        mistakes={
            "sign": {"rate": f * dim - g**2 * curvature / 2},
            "plus-inner-product": {"rate": rate + drifted},
            "full-score": {"velocity": f * x - g**2 * slope, "rate": -f * dim + g**2 * curvature},
            "uniform-probe": {"probe_variance": Rational(1, 3)},
        },
        because={
            "plus-inner-product": "the point moves, and is moved once more",
            "full-score": "the velocity of the reverse diffusion, which moves with noise",
            "uniform-probe": "the variance of a number between -1 and 1, drawn uniformly",
        },
    ),
    Claim(
        "sde.de-bruijn",
        "The entropy of x_t grows at the rate f d + g^2 J/2, with the Fisher information J; where the variance is "
        "preserved it falls as long as J < d.",
        proved_by=(share_of_a_coordinate, entropy_on_the_line, variance_preserved, of_wide_gaussians),
        evidence="S Q P",
        assumes="the marginals solve the equation of Fokker and Planck; finite entropy and Fisher information",
        source="Stam (1959)",
        mistakes={
            "no-half": {"entropy_rate": f * dim + g**2 * fisher, "preserved_rate": beta * (2 * fisher - dim) / 2},
            "always-increases": {"preserved_rate": beta * Abs(fisher - dim) / 2},
            "drift-dropped": {"entropy_rate": g**2 * fisher / 2, "preserved_rate": beta * fisher / 2},
            "J-inverse": {
                "entropy_rate": f * dim + g**2 / (2 * fisher),
                "preserved_rate": beta * (1 / fisher - dim) / 2,
            },
        },
        because={
            "always-increases": "noise is thought to add entropy, whatever else happens to the process",
            "drift-dropped": "de Bruijn's identity as it is stated, for noise alone",
            "J-inverse": "the variance, taken for the information",
        },
    ),
]

# A world for the witness: two clusters whose means shrink, and noise.

rates = {f: -Rational(1, 3), g: Integer(1)}
shrunk = exp(-2 * t / 3)  # of the variance; what has come in is 3/2 (1 - shrunk)


def clusters(*coordinates):
    """Two clusters on the line or in the plane, and what becomes of them."""

    def at(mean, variance):
        return Mul(
            *(
                normal(z, k * sqrt(shrunk) * mean, shrunk * variance + 3 * (1 - shrunk) / 2)
                for k, z in enumerate(coordinates, 1)
            )
        )

    return Rational(3, 10) * at(-1, Rational(1, 2)) + Rational(7, 10) * at(Rational(3, 2), Rational(4, 5))


WORLD = rates | {
    plane: clusters(x_1, x_2),
    line: clusters(x),
    fisher: integral(clusters(x) * d(x, log(clusters(x))) ** 2, x),
    probe: (normal(z_2, z_1 / 2, 3 * w / 4) + normal(z_2, -z_1 / 2, 3 * w / 4)) * normal(z_1, 0, w) / 2,
}
