r"""All processes with the densities of a diffusion: along the flow, with any amount of noise, at any scale.

At the scale of the data, noise makes the density :math:`p(u;\sigma)` diffuse, :math:`\partial_\sigma p=\sigma\Delta p`,
and a level that moves with :math:`\dot\sigma` is followed by the flow :math:`\dot u=-\dot\sigma\sigma\,\nabla_u\log p`.
At another scale, :math:`x=s(t)\,u`, this is

.. math:: \frac{dx}{dt}=\frac{\dot s}s\,x-s^2\dot\sigma\sigma\,\nabla_x\log p\Bigl(\frac xs;\sigma\Bigr),\qquad
          \nabla_x\log p\Bigl(\frac xs;\sigma\Bigr)=\frac1s\nabla_u\log p(u;\sigma) ,

with one s of the two from the slope in x. The diffusion that preserves the variance has, with
:math:`B=\int_0^t\beta`,

.. math:: \sigma=\sqrt{e^B-1},\qquad s=e^{-B/2}=\frac1{\sqrt{\sigma^2+1}} .

Noise may be added on the way and taken out again, forwards and backwards, at any rate :math:`\beta\ge0`,

.. math:: du=-\dot\sigma\sigma\nabla\log p\,dt\pm\beta\sigma^2\nabla\log p\,dt+\sqrt{2\beta}\,\sigma\,dw:

the flow, and Langevin dynamics, which alone leave the density as it is. With :math:`\beta=\dot\sigma/\sigma` nothing
but noise is left of the way forwards, and the way backwards is its reversal: the diffusion whose variance explodes.

Densities are those of vectors, here in the plane; that noise makes them diffuse is derived in one coordinate, and the
noise is isotropic. How the law of a process changes is the equation of Fokker and Planck (``sde.fokker_planck``).

References:
    Karras, Aittala, Aila & Laine (2022), Elucidating the design space of diffusion-based generative models,
        eqs. (4), (6), table 1.
    Song et al. (2021), Score-based generative modeling through stochastic differential equations.
"""

from sympy import Integer, Rational, exp, log, sqrt

from ..calculus import (
    Density,
    RealFunction,
    algebra,
    d,
    definition,
    differentiation,
    eq,
    integral,
    let,
    normal,
    positives,
    reals,
    taylor,
    under_the_integral,
    up_to,
)
from ..claim import Claim
from ..reversal.score import clusters
from ..sde.kernels import B, alpha_bar
from ..sde.kernels import scale as preserving_scale
from ..sde.kernels import variance as preserving_variance
from ..sde.moments import h, t
from .denoiser import data, sigma, u, x_0

# Notation: x is s u; S is the slope of the log density in u, and S_x that in x; eta is the rate of a level that grows.

x, u_1, u_2, noise, score, slope, s_dot, sigma_dot = reals(r"x u_1 u_2 \epsilon S S_x \dot{s} \dot\sigma")
s, beta, w, growth = positives(r"s \beta w \eta")
WHERE = {B: -log(alpha_bar)}

plane, line = Density("p", [u_1, u_2], at=[sigma]), Density("p", [u], at=[w])  # w is 1/σ^2
marginalisation = definition("marginalisation", {line: integral(normal(u, x_0, 1 / w) * data, x_0)})


def laplacian(law):
    return d(u_1, d(u_1, law)) + d(u_2, d(u_2, law))


heat = definition("noise diffuses", {d(sigma, plane): sigma * laplacian(plane)})

# Scale a and level r as functions of time, a point U that moves with the flow, and the slope G where it is.

scale, level = Density("a", at=[t]), Density("r", at=[t])
point, slope_there = RealFunction("U", at=[t]), RealFunction("G", at=[t])
flow = definition("the point moves with the flow", {d(t, point): -d(t, level) * level * slope_there})

# Statement

velocity = s_dot / s * x - s**2 * sigma_dot * sigma * slope
vp_sigma, vp_scale = sqrt(exp(B) - 1), exp(-B / 2)
vp_scale_at_level = 1 / sqrt(sigma**2 + 1)

forward = -sigma_dot * sigma * score + beta * sigma**2 * score
backward = -sigma_dot * sigma * score - beta * sigma**2 * score
diffusion = sqrt(2 * beta) * sigma  # the factor of dw
ve_beta = sigma_dot / sigma


def outflow(drift):
    """What such a drift carries away, in the plane."""
    at = (drift.xreplace({score: d(z, log(plane))}) for z in (u_1, u_2))
    return sum(d(z, drift * plane) for z, drift in zip((u_1, u_2), at, strict=True))


def noise_diffuses():
    """A little more noise makes a density diffuse, in each coordinate: σ²/2 is the time of the heat equation."""
    yield -2 * w**2 * d(w, line)  # σ^2/2 is 1/(2w)
    yield eq(-2 * w**2 * d(w, integral(normal(u, x_0, 1 / w) * data, x_0)), by=marginalisation)
    bent = (w**2 * (u - x_0) ** 2 - w) * normal(u, x_0, 1 / w)
    yield eq(integral(bent * data, x_0), by=under_the_integral(w))
    yield eq(d(u, d(u, integral(normal(u, x_0, 1 / w) * data, x_0))), by=under_the_integral(u))
    yield eq(d(u, d(u, line)), by=marginalisation)


def flow_at_unit_scale(velocity=velocity):
    """What diffuses is carried by a velocity, down the log density; ..."""
    yield sigma_dot * d(sigma, plane)
    yield eq(sigma_dot * sigma * laplacian(plane), by=heat)
    yield eq(-outflow(velocity.xreplace({s: Integer(1), s_dot: Integer(0), slope: score})), by=differentiation)


def slope_at_another_scale():
    """... at another scale, slopes are divided by it: a step h of x is one of h/s of u, ..."""
    yield log(line(u + h / s, w)) - log(line)
    yield up_to(h * d(u, log(line)) / s, h, 2, by=taylor())


def flow_at_another_scale(velocity=velocity):
    """... and what moves along moves with the scale as well."""
    yield let(s, scale)
    yield let(sigma, level)
    yield let(s_dot, d(t, scale))
    yield let(sigma_dot, d(t, level))
    yield let(x, s * point)
    yield let(slope, slope_there / s)
    yield d(t, scale * point)
    yield eq(velocity, by=flow)


def variance_preserved(vp_sigma=vp_sigma, vp_scale=vp_scale):
    """Where the variance is preserved, noise of this level is added and all is scaled; ..."""
    yield vp_scale * (x_0 + vp_sigma * noise)
    yield eq(preserving_scale * x_0 + sqrt(preserving_variance) * noise, by=algebra)


def scale_from_the_level(vp_sigma=vp_sigma, vp_scale=vp_scale, vp_scale_at_level=vp_scale_at_level):
    """... the level says the scale; ..."""
    yield let(sigma, vp_sigma)
    yield vp_scale_at_level
    yield eq(vp_scale, by=algebra)


def flow_where_variance_is_preserved(velocity=velocity, vp_sigma=vp_sigma, vp_scale=vp_scale):
    """... and the velocity is half of beta, times x and the slope in x."""
    yield let(s, vp_scale)
    yield let(sigma, vp_sigma)
    yield let(s_dot, d(t, vp_scale))
    yield let(sigma_dot, d(t, vp_sigma))
    yield velocity
    yield eq(-d(t, B) / 2 * (x + slope), by=differentiation)


def forwards(forward=forward, diffusion=diffusion):
    """Forwards, a drift uphill holds together what noise drives apart, and the rest is the flow, ..."""
    yield sigma_dot * d(sigma, plane)
    yield eq(sigma_dot * sigma * laplacian(plane), by=heat)
    yield eq(-outflow(forward) + diffusion**2 / 2 * laplacian(plane), by=differentiation)


def backwards(backward=backward, diffusion=diffusion):
    """... backwards, noise is added with each step back, so that the drift has to turn."""
    yield sigma_dot * d(sigma, plane)
    yield eq(sigma_dot * sigma * laplacian(plane), by=heat)
    yield eq(-outflow(backward) - diffusion**2 / 2 * laplacian(plane), by=differentiation)


def langevin(forward=forward, diffusion=diffusion):
    """At a level that does not move, noise and drift leave the density as it is."""
    yield -outflow(forward.xreplace({sigma_dot: Integer(0)})) + diffusion**2 / 2 * laplacian(plane)
    yield eq(0, by=differentiation)


def nothing_but_noise(forward=forward, ve_beta=ve_beta):
    """If the level grows, this rate leaves nothing but noise of the way forwards, ..."""
    yield let(sigma_dot, growth)
    yield let(beta, ve_beta)
    yield forward
    yield eq(0, by=algebra)


def exploding_variance(diffusion=diffusion, ve_beta=ve_beta):
    """... which makes the variance grow at the rate of σ², ..."""
    yield let(sigma_dot, growth)
    yield let(beta, ve_beta)
    yield diffusion**2
    yield eq(2 * sigma * sigma_dot, by=algebra)


def its_reversal(backward=backward, diffusion=diffusion, ve_beta=ve_beta):
    """... and backwards it is Anderson's reversal of that: the squared noise, times the score."""
    yield let(sigma_dot, growth)
    yield let(beta, ve_beta)
    yield backward
    yield eq(-(diffusion**2) * score, by=algebra)


CLAIMS = [
    Claim(
        "edm.ode-table",
        "The probability flow at a scale s and a level sigma moves x with s, and down its log density by s^2 times the "
        "rate of sigma^2/2; the scale and the level of VP are those of its kernel.",
        proved_by=(
            noise_diffuses,
            flow_at_unit_scale,
            slope_at_another_scale,
            flow_at_another_scale,
            variance_preserved,
            scale_from_the_level,
            flow_where_variance_is_preserved,
        ),
        evidence="S P",
        assumes="the scale and the level are smooth and positive functions of time",
        source="Karras et al. (2022), eq. 4, table 1",
        tier="extended",
        mistakes={
            "s-not-squared-with-x-gradient": {"velocity": s_dot / s * x - s * sigma_dot * sigma * slope},
            "sigma-no-root": {"vp_sigma": exp(B) - 1},
            "sdot-dropped": {"velocity": -(s**2) * sigma_dot * sigma * slope},
            "half": {"velocity": s_dot / s * x - s**2 * sigma_dot * sigma * slope / 2},
        },
        because={
            "s-not-squared-with-x-gradient": "right for the slope in u",
            "half": "the half is in the rate of sigma^2/2 already",
        },
    ),
    Claim(
        "edm.stochastic",
        "The densities of the levels are those of the flow with any amount of noise and a drift up the log density, "
        "forwards, or down it, backwards; the two alone leave a density as it is.",
        proved_by=(forwards, backwards, langevin, nothing_but_noise, exploding_variance, its_reversal),
        evidence="S Q M",
        assumes="the standing assumptions; the level grows where the variance explodes",
        source="Karras et al. (2022), eq. 6",
        tier="extended",
        mistakes={
            "no-2-in-noise": {"diffusion": sqrt(beta) * sigma},
            "same-sign-both-directions": {"backward": forward},
            "beta-is-sigma-dot": {"ve_beta": sigma_dot},
            "sigma-not-squared": {
                "forward": -sigma_dot * sigma * score + beta * sigma * score,
                "backward": -sigma_dot * sigma * score - beta * sigma * score,
            },
        },
        because={
            "no-2-in-noise": "the drift is that of Langevin dynamics, whose noise is the root of two",
            "same-sign-both-directions": "the drift holds together what noise drives apart, in both directions of time",
        },
    ),
]

# A world for the witness: two clusters, and functions of time that are no powers.


def in_the_plane(variance):
    """Two clusters, with noise of this variance."""

    def at(mean, spread):
        return normal(u_1, mean, spread + variance) * normal(u_2, 2 * mean, spread + variance)

    return Rational(3, 10) * at(-1, Rational(1, 2)) + Rational(7, 10) * at(Rational(3, 2), Rational(4, 5))


GROWING, MOVING = t + t**2 / 3, 1 - t / 3
WORLD = {
    data: clusters(x_0, Integer(1), Integer(0)),
    line: clusters(u, Integer(1), 1 / w),
    plane: in_the_plane(sigma**2),
    alpha_bar: 1 / (1 + t),
    scale: exp(-t / 3) / (1 + t / 5),
    level: GROWING,
    point: MOVING,
    slope_there: -MOVING.diff(t) / (GROWING.diff(t) * GROWING),
}
