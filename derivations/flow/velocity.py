r"""A cloud of points moves with the mean of their velocities: what a network learns from single paths.

A point of the data and a draw of noise are joined by a path. Given :math:`x_1`, let :math:`x_t` have the law
:math:`\mathcal N(\mu_t(x_1),\sigma_t^2)`: from noise to :math:`x_1`. The path through x then has the velocity

.. math:: u_t(x\mid x_1)=\frac{\dot\sigma_t}{\sigma_t}\bigl(x-\mu_t(x_1)\bigr)+\dot\mu_t(x_1) .

Many paths go through x, and what is at x can move only one way. Its velocity is the mean of theirs, over the
:math:`x_1` that may be where it is going:

.. math:: u_t(x)=\mathbb E[\dot x_t\mid x_t=x],\qquad \partial_tp_t+\nabla\!\cdot(p_tu_t)=0 .

Where this equation has one solution only, as it has for smooth :math:`u_t`, whatever moves with :math:`u_t` from the
noise on has at every t the law of :math:`x_t`, and is data in the end. Over *all* :math:`x_1` the mean would be that of
paths which do not pass through x.

A network f learns it by regression on the velocities of single paths. What these scatter is no matter of f,

.. math:: \mathbb E\bigl(f(x_t)-\dot x_t\bigr)^2
          =\mathbb E\bigl(f(x_t)-u_t(x_t)\bigr)^2+\mathbb E\operatorname{Var}[\dot x_t\mid x_t],

so the loss that one can compute and the one that is meant have the same gradient, and different values.

The noise is isotropic, and vectors are read one coordinate at a time: squares are those of vectors, and
:math:`\partial_x(pu)`, summed over the coordinates, is the divergence.

References:
    Lipman, Chen, Ben-Hamu, Nickel & Le (2022), Flow matching for generative modeling, theorems 1-3, eq. (8),
        (15), (20), (21).
    Liu, Gong & Liu (2022), Flow straight and fast, theorem 3.3.
"""

from sympy import Integer, Rational, cos, log, sin, sqrt

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
    granted,
    integral,
    let,
    linearity,
    normal,
    positives,
    reals,
    theorem,
    under_the_integral,
    units,
)
from ..claim import Claim
from ..reversal.score import clusters

# Notation: t runs from the noise x_0 to the data x_1; dots are rates of change.

x_0, x_1, x_t, theta = reals(r"x_0 x_1 x_t \theta")
t, sigma_min = units(r"t \sigma_{\min}")

# A path to x_1, of any mean and any width.

mu, mu_dot, sigma_dot = reals(r"\mu_t \dot\mu_t \dot\sigma_t")
sigma = positives(r"\sigma_t")
path_mean, path_width = RealFunction("m", [x_1], at=[t]), Density("r", at=[t])

# From here on x_t = a x_1 + b x_0, as t goes on; w is 1/b^2.

a, b, w = positives("a b w")
a_dot, b_dot, w_dot = reals(r"\dot{a} \dot{b} \dot{w}")
predicted_x_1, u, divergence, score, uncertainty = reals(r"\hat{x}_1 u u' s V")
density = positives(r"\rho")

data, marginal = Density("q", [x_1]), Density("p", [x_t], given=[a, b])
guess = Density("q", [x_1], given=[x_t, a, b])
m_1 = RealFunction("m_1")  # the mean of the data
jump = normal(x_t, a * x_1, b**2)
behind = (x_t - a * x_1) / b  # the noise on the path from x_0 through x_t to x_1
path_velocity = a_dot * x_1 + b_dot * behind
f = RealFunction("f", [x_t], at=[theta])  # a network, with one of its weights

bayes = definition("Bayes' rule", {guess: jump * data / marginal})
marginalisation = definition("marginalisation", {marginal: integral(jump * data, x_1)})
field = RealFunction("U", [x_t], given=[a, b, a_dot, b_dot])  # the mean velocity at x_t
mean_of_paths = definition("the mean velocity", {field: E(guess, path_velocity)})

# Paths of any kind: each keeps what moves along it.

path, all_paths = Density("p", [x_t], given=[x_1], at=[t]), Density("p", [x_t], at=[t])
chosen = Density("q", [x_1], given=[x_t], at=[t])
speed = RealFunction("v", [x_t], given=[x_1], at=[t])
bayes_for_paths = definition("Bayes' rule for paths", {chosen: path * data / all_paths})
mixed = definition("x_t, over all paths", {all_paths: integral(path * data, x_1)})
on_each = definition("nothing is lost on a path", {d(t, path): -d(x_t, path * speed)})
leibniz = granted("differentiating under the integral", "Leibniz's rule, by dominated convergence")

# Statement

velocity = sigma_dot / sigma * (x_t - mu) + mu_dot
optimal = (x_1 - (1 - sigma_min) * x_t) / (1 - (1 - sigma_min) * t)
along = x_1 - (1 - sigma_min) * x_0

mean_velocity = path_velocity.xreplace({x_1: predicted_x_1})
rate = -density * (divergence + u * score)
gap = (a_dot - b_dot * a / b) ** 2 * uncertainty


def noise_is_kept(velocity=velocity):
    """A point keeps its noise on its way, and moves with the mean and the width of its path."""
    yield let(mu, path_mean)
    yield let(sigma, path_width)
    yield let(mu_dot, d(t, path_mean))
    yield let(sigma_dot, d(t, path_width))
    yield d(t, path_mean + path_width * x_0)
    yield eq(mu_dot + sigma_dot * x_0, by=differentiation)
    yield let(x_t, mu + sigma * x_0)
    yield eq(velocity, by=algebra)


def one_path(velocity=velocity):
    """And so does the density of all that go to one x_1: nothing is lost on the way."""
    yield let(mu, path_mean)
    yield let(sigma, path_width)
    yield let(mu_dot, d(t, path_mean))
    yield let(sigma_dot, d(t, path_width))
    yield d(t, normal(x_t, path_mean, path_width**2))
    yield eq(-d(x_t, normal(x_t, mu, sigma**2) * velocity), by=differentiation)


def straight_path(along=along):
    """If the mean and the width change at a constant rate, so does the point ..."""
    yield d(t, t * x_1 + (1 - (1 - sigma_min) * t) * x_0)
    yield eq(along, by=differentiation)


def on_the_straight_path(optimal=optimal, along=along):
    """... and where it is says how fast it moves."""
    yield let(x_t, t * x_1 + (1 - (1 - sigma_min) * t) * x_0)
    yield optimal
    yield eq(along, by=algebra)


def straight_path_in_general(velocity=velocity, optimal=optimal):
    """It is the general velocity, for this mean and this width."""
    yield let(mu, t * x_1)
    yield let(mu_dot, x_1)
    yield let(sigma, 1 - (1 - sigma_min) * t)
    yield let(sigma_dot, sigma_min - 1)
    yield velocity
    yield eq(optimal, by=algebra)


def mean_of_the_velocities(mean_velocity=mean_velocity):
    """What is at x_t moves with the mean velocity of the paths through x_t: that of the path to the expected x_1."""
    yield let(predicted_x_1, E(guess, x_1))
    yield E(guess, path_velocity)
    yield eq(mean_velocity, by=linearity)


def cloud_of_paths(rate=rate):
    """The rate of p in time, as a and w = 1/b^2 change: what paths carry away, the mean velocity carries away."""
    yield let(b, 1 / sqrt(w))
    yield let(b_dot, -w_dot / (2 * w ** Rational(3, 2)))
    yield let(u, field)
    yield let(divergence, d(x_t, field))
    yield let(density, marginal)
    yield let(score, d(x_t, log(marginal)))
    pull, growth = (x_t - a * x_1) / b**2, (b**2 - (x_t - a * x_1) ** 2) / 2
    yield a_dot * d(a, marginal) + w_dot * d(w, marginal)
    yield eq(
        a_dot * d(a, integral(jump * data, x_1)) + w_dot * d(w, integral(jump * data, x_1)),
        by=marginalisation,
    )
    # a and w enter through the Gaussian alone.
    yield eq(
        integral(a_dot * x_1 * pull * jump * data, x_1) + w_dot * d(w, integral(jump * data, x_1)),
        by=under_the_integral(a),
    )
    yield eq(integral((a_dot * x_1 * pull + w_dot * growth) * jump * data, x_1), by=under_the_integral(w))
    yield eq(-d(x_t, integral(path_velocity * jump * data, x_1)), by=under_the_integral(x_t))
    yield eq(-d(x_t, marginal * E(guess, path_velocity)), by=bayes)
    yield eq(-d(x_t, marginal * field), by=mean_of_paths)
    yield eq(rate, by=differentiation)


def paths_of_any_kind():
    """So it is for any paths, if one may differentiate under the integral."""
    yield d(t, all_paths)
    yield eq(d(t, integral(path * data, x_1)), by=mixed)
    yield eq(integral(d(t, path) * data, x_1), by=leibniz)
    yield eq(-integral(d(x_t, path * speed) * data, x_1), by=on_each)
    yield eq(-d(x_t, integral(path * speed * data, x_1)), by=leibniz)
    yield eq(-d(x_t, all_paths * E(chosen, speed)), by=bayes_for_paths)


def two_losses(gap=gap):
    """What single velocities scatter around their mean is no matter of f ..."""
    yield let(u, E(guess, path_velocity))
    yield let(uncertainty, E(marginal, Var(guess, x_1)))
    yield E(marginal, E(guess, (f - path_velocity) ** 2))
    yield eq(E(marginal, (f - u) ** 2) + E(marginal, Var(guess, path_velocity)), by=linearity)
    yield eq(E(marginal, (f - u) ** 2) + gap, by=linearity)


def one_gradient():
    """... so that both losses have the same slopes in the weights of f."""
    yield let(u, E(guess, path_velocity))
    yield let(uncertainty, E(marginal, Var(guess, x_1)))
    yield d(theta, E(marginal, E(guess, (f - path_velocity) ** 2)))
    yield eq(d(theta, E(marginal, (f - u) ** 2) + gap), by=theorem(two_losses))
    yield eq(d(theta, E(marginal, (f - u) ** 2)), by=differentiation)


CLAIMS = [
    Claim(
        "flow.conditional-velocity",
        "On a Gaussian path to x_1 a point moves with the mean of the path, and outwards or inwards with its width.",
        proved_by=(
            noise_is_kept,
            one_path,
            straight_path,
            on_the_straight_path,
            straight_path_in_general,
        ),
        evidence="S Q P",
        assumes="the mean of the path is smooth in t, and its width is smooth and positive",
        source="Lipman et al. (2022) theorem 3, eq. 15, 20-21",
        tier="extended",
        mistakes={
            "no-sigma-min-factor": {"optimal": (x_1 - x_t) / (1 - (1 - sigma_min) * t)},
            "sigma-dot-no-division": {"velocity": sigma_dot * (x_t - mu) + mu_dot},
            "x0-minus-x1": {"along": (1 - sigma_min) * x_0 - x_1},
            "denominator-t": {"optimal": (x_1 - (1 - sigma_min) * x_t) / t},
        },
    ),
    Claim(
        "flow.marginal-velocity",
        "The density of x_t is carried by the mean velocity of the paths through each point; regression on single "
        "velocities has the gradient of regression on their mean, and a larger loss.",
        proved_by=(mean_of_the_velocities, cloud_of_paths, paths_of_any_kind, two_losses, one_gradient),
        evidence="S Q M P T",
        assumes="the standing assumptions; x_0 is standard normal noise, independent of the data x_1",
        source="Lipman et al. (2022) eq. 8, theorems 1-2; Liu et al. (2022) theorem 3.3",
        tier="extended",
        mistakes={
            "average-over-prior": {"mean_velocity": path_velocity.xreplace({x_1: m_1})},
            "losses-equal": {"gap": Integer(0)},
            "continuity-sign": {"rate": -rate},
            "no-density-weight": {"rate": -divergence},
        },
        because={
            "average-over-prior": "over all x_1, wherever they are, and not over those that x_t may be going to",
            "losses-equal": "the gradients are, and the minimisers",
            "no-density-weight": "the divergence of the velocity, in the place of that of what it carries",
        },
    ),
]

# A world for the witness: two clusters; straight paths of its own for the paths of any kind.

seen, straight = clusters(x_t, a**2, b**2), normal(x_t, t * x_1, (1 - t) ** 2)
seen_then = clusters(x_t, t**2, (1 - t) ** 2)
expected = (x_t + b**2 * d(x_t, log(seen))) / a  # x_1, by Tweedie's formula
DATA = clusters(x_1, Integer(1), Integer(0))
WORLD = {
    path_mean: t**2 * x_1 + sin(t * x_1) / 3,
    path_width: 1 - t / 2 + t**2 / 5,
    data: DATA,
    marginal: seen,
    guess: jump * DATA / seen,
    field: a_dot * expected + b_dot * (x_t - a * expected) / b,
    m_1: Rational(3, 4),
    f: cos(theta) * x_t / 3 + sin(theta * x_t) / 5,
    path: straight,
    all_paths: seen_then,
    chosen: straight * DATA / seen_then,
    speed: (x_1 - x_t) / (1 - t),
}
