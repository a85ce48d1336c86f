r"""Gaussian data: where the probability flow leads, and how far steps of DDIM stay behind it: an error of order one.

Where noise is only added, :math:`u=x_0+\sigma\bar\epsilon`, the flow is :math:`du/d\sigma=(u-D(u;\sigma))/\sigma` with
the denoiser D. For data of :math:`\mathcal N(m_0,v_0)` it keeps every point at its distance from the mean, in units of
the width at the time:

.. math:: u(\sigma)=m_0+(u(\sigma_0)-m_0)\sqrt{\frac{v_0+\sigma^2}{v_0+\sigma_0^2}} .

Where the variance is preserved, from t to s, the distance from the mean is multiplied by :math:`\sqrt{v_s/v_t}`. One
step of DDIM multiplies it by

.. math:: \frac{\sqrt{\bar\alpha_s\bar\alpha_t}\,v_0+\sqrt{(1-\bar\alpha_s)(1-\bar\alpha_t)}}{v_t}
          =\sqrt{\frac{v_s}{v_t}}\,\cos(\theta_t-\theta_s),\qquad
          \tan\theta_t=\sqrt{\frac{1-\bar\alpha_t}{\bar\alpha_tv_0}} ,

which is less: each step loses the squared cosine of the angle that it turns by. From :math:`x_T\sim q_T`, N steps of
equal angles end at :math:`v_0\cos^{2N}(\theta_T/N)=v_0(1-\theta_T^2/N+O(N^{-2}))`. Samples are too narrow, by an error
of order one; only data that are a point come out as they should. Of a covariance matrix each axis has its own
:math:`v_0`, and all this is said of each.

References:
    Song, Meng & Ermon (2020), Denoising diffusion implicit models.
    Karras et al. (2022), Elucidating the design space of diffusion-based generative models, eqs. (1), (3).
"""

from sympy import Integer, Product, Rational, acos, atan, cos, oo, sin, sqrt, tan

from ..calculus import (
    Density,
    E,
    RealFunction,
    Var,
    algebra,
    completing_the_square,
    d,
    definition,
    differentiation,
    eq,
    gaussian_moments,
    granted,
    gt,
    induction,
    let,
    limit,
    naturals,
    normal,
    positives,
    positivity,
    reals,
    telescope,
    tends_to,
    theorem,
)
from ..claim import Claim
from .ddim import step
from .ddpm import WHERE as LEVELS
from .ddpm import (
    alpha_bar,
    alpha_bar_s,
    alpha_ts,
    denoised,
    m_0,
    m_s,
    m_t,
    predicted_noise,
    sigma,
    v_0,
    v_s,
    v_t,
    x_0,
    x_t,
)

# Notation: u_0 is where the flow starts, at the level sigma_0; u_sigma any of its trajectories.  After n of
# N steps, the n-th by the angle delta_n, samples have the part r_n of the variance that they should have.

u, u_0, theta_t, theta_s = reals(r"u u_0 \theta_t \theta_s")
angles = {at: atan(sqrt((1 - bar) / (bar * v_0))) for at, bar in ((theta_t, alpha_bar), (theta_s, alpha_bar_s))}
WHERE = LEVELS | angles
sigma_0, theta, slope, part = positives(r"\sigma_0 \theta_T \tau r")
n, N = naturals("n N")
along = RealFunction("u", at=[sigma])
angle, left = RealFunction(r"\delta", at=[n]), Density("r", at=[n])


def denoiser(u):
    """The mean of x_0, if u has been seen."""
    return (v_0 * u + sigma**2 * m_0) / (v_0 + sigma**2)


flow = definition("the probability flow", {d(sigma, along): (along - denoiser(along)) / sigma})
addition = granted(
    "the addition theorem of the cosine", "Abramowitz & Stegun (1964), Handbook of mathematical functions"
)
each_step = definition("each step", {left: cos(angle) ** 2 * left(n - 1)})
ddim = step.xreplace({sigma: Integer(0)})

# Statement

trajectory = m_0 + (u_0 - m_0) * sqrt((v_0 + sigma**2) / (v_0 + sigma_0**2))

exact = sqrt(v_s / v_t)
gain = (sqrt(alpha_bar_s * alpha_bar) * v_0 + sqrt((1 - alpha_bar_s) * (1 - alpha_bar))) / v_t
turned = sqrt(v_s / v_t) * cos(theta_t - theta_s)
variance = v_s * cos(theta_t - theta_s) ** 2
final = v_0 * (1 + tan(theta / N) ** 2) ** (-N)
rate, constant = Integer(1), -(theta**2) * v_0


# The flow


def denoising():
    """What u says of x_0 ..."""
    yield normal(u, x_0, sigma**2) * normal(x_0, m_0, v_0)
    spread = v_0 * sigma**2 / (v_0 + sigma**2)
    yield eq(normal(x_0, denoiser(u), spread) * normal(u, m_0, v_0 + sigma**2), by=completing_the_square(x_0))


def keeps_its_place():
    """... and so where the flow leads: every trajectory keeps its distance from the mean, in units of the width."""
    yield d(sigma, (along - m_0) / sqrt(v_0 + sigma**2))
    width = sqrt(v_0 + sigma**2)
    yield eq(d(sigma, along) / width - sigma * (along - m_0) / width**3, by=differentiation)
    yield eq(((along - denoiser(along)) / sigma - sigma * (along - m_0) / width**2) / width, by=flow)
    yield eq(0, by=algebra)


def moves_on(trajectory=trajectory):
    """This one is a trajectory ..."""
    yield d(sigma, trajectory)
    yield eq((trajectory - denoiser(trajectory)) / sigma, by=differentiation)


def starts(trajectory=trajectory):
    """... from where it should start ..."""
    yield let(sigma, sigma_0)
    yield trajectory
    yield eq(u_0, by=algebra)


def mean_at_the_level(trajectory=trajectory):
    """... and carries the law at one level, by its mean ..."""
    yield E(normal(u_0, m_0, v_0 + sigma_0**2), trajectory)
    yield eq(m_0, by=gaussian_moments)


def variance_at_the_level(trajectory=trajectory):
    """... and its variance, to that at another."""
    yield Var(normal(u_0, m_0, v_0 + sigma_0**2), trajectory)
    yield eq(v_0 + sigma**2, by=gaussian_moments)


# DDIM


def where_the_flow_leads(exact=exact):
    """Without its scale x_t follows the flow: from t to s, its distance from the mean changes as the width does."""
    yield let(u_0, x_t / sqrt(alpha_bar))
    yield let(sigma_0, sqrt((1 - alpha_bar) / alpha_bar))
    yield let(sigma, sqrt((1 - alpha_bar_s) / alpha_bar_s))
    yield sqrt(alpha_bar_s) * trajectory - m_s
    yield eq(exact * (x_t - m_t), by=algebra)


def one_step(gain=gain):
    """A step of DDIM, with the noise that is expected: ..."""
    yield let(predicted_noise, (x_t - sqrt(alpha_bar) * denoised) / sqrt(1 - alpha_bar))
    yield ddim - m_s
    yield eq(gain * (x_t - m_t), by=algebra)


def cosine():
    """The cosine of the angle between the two times ..."""
    yield cos(theta_t - theta_s)
    yield eq(cos(theta_t) * cos(theta_s) + sin(theta_t) * sin(theta_s), by=addition)
    yield eq(gain * sqrt(v_t / v_s), by=algebra)


def by_its_angle(gain=gain, turned=turned):
    """... is what a step falls short of the flow by, ..."""
    yield turned
    yield eq(gain, by=theorem(cosine))


def variance_of_a_step(variance=variance):
    """... so that what part of the right variance samples have is multiplied by the squared cosine, ..."""
    yield part * variance
    yield eq(part * gain**2 * v_t, by=theorem(cosine))
    yield eq(Var(normal(x_t, m_t, part * v_t), gain * (x_t - m_t)), by=gaussian_moments)


def too_narrow(variance=variance):
    """... and from the right law it ends too narrow, for any data that are not a point, ..."""
    sideways = sqrt(alpha_bar_s * (1 - alpha_bar)) + sqrt(alpha_bar * (1 - alpha_bar_s))
    yield v_s - variance
    yield eq(v_s - gain**2 * v_t, by=theorem(cosine))
    yield eq(v_0 * (alpha_bar_s * (1 - alpha_ts)) ** 2 / (v_t * sideways**2), by=algebra)
    yield gt(0, by=positivity)


def right_for_a_point(gain=gain):
    """... and right for a point."""
    yield gain
    yield tends_to(sqrt((1 - alpha_bar_s) / (1 - alpha_bar)), v_0, 0, by=limit())


def all_steps():
    """All steps together leave the product of the squared cosines; ..."""
    yield Product(cos(angle) ** 2, (n, 1, N))
    yield eq(Product(left / left(n - 1), (n, 1, N)), by=each_step)
    yield eq(left(N) / left(0), by=telescope)


def equal_factors():
    """equal factors make a power, ..."""
    yield Product(1 / (1 + slope**2), (n, 1, N))
    yield eq((1 + slope**2) ** (-N), by=induction(N))


def equal_angles(final=final):
    """... and N equal angles, each of the tangent tau, make equal factors, ..."""
    yield let(theta, N * atan(slope))
    yield v_0 * Product(cos(theta / N) ** 2, (n, 1, N))
    yield eq(v_0 * Product(1 / (1 + slope**2), (n, 1, N)), by=algebra)
    yield eq(final, by=theorem(equal_factors))


def order(final=final, rate=rate, constant=constant):
    """... so that the variance of the samples comes up to that of the data as one over the number of steps."""
    yield N**rate * (final - v_0)
    yield tends_to(constant, N, oo, by=limit())


CLAIMS = [
    Claim(
        "sampler.pf-ode-gaussian",
        "For Gaussian data the probability flow keeps every point at its distance from the mean, in units of the "
        "width at the time.",
        proved_by=(denoising, keeps_its_place, moves_on, starts, mean_at_the_level, variance_at_the_level),
        evidence="S Q P B",
        assumes="x_0 is Gaussian, and u is x_0 with noise of the level sigma",
        source="Karras et al. (2022) eqs. 1, 3",
        mistakes={
            "no-root": {"trajectory": m_0 + (u_0 - m_0) * (v_0 + sigma**2) / (v_0 + sigma_0**2)},
            "curve-linear": {"trajectory": m_0 + (u_0 - m_0) * sigma / sigma_0},
            "ratio-inverted": {"trajectory": m_0 + (u_0 - m_0) * sqrt((v_0 + sigma_0**2) / (v_0 + sigma**2))},
            "mean-dropped": {"trajectory": u_0 * sqrt((v_0 + sigma**2) / (v_0 + sigma_0**2))},
        },
        because={"curve-linear": "true of a point, and of noise without data: D is taken to stay as it is"},
    ),
    Claim(
        "sampler.ddim-gaussian",
        "For Gaussian data a step of DDIM is the flow times the cosine of an angle: samples are too narrow, by the "
        "squared cosines, which for N equal angles come up to one as 1/N.",
        proved_by=(
            where_the_flow_leads,
            one_step,
            cosine,
            by_its_angle,
            variance_of_a_step,
            too_narrow,
            right_for_a_point,
            all_steps,
            equal_factors,
            equal_angles,
            order,
        ),
        evidence="S Q P B",
        kind="identity/order",
        assumes="x_0 is Gaussian, x_T has its own law, the noise is predicted exactly; 0 ≤ s < t; angles below a "
        "quarter of a turn",
        mistakes={
            "exact-for-gaussian": {"gain": exact, "variance": v_s, "final": v_0},
            "over-disperses": {"variance": v_s * (1 + tan(theta_t - theta_s) ** 2)},
            "order-2": {"rate": Integer(2)},
            "cos-not-squared": {
                "variance": v_s * cos(theta_t - theta_s),
                "final": v_0 * (1 + tan(theta / N) ** 2) ** (-N / 2),
            },
        },
        because={
            "exact-for-gaussian": "true of the flow, which is a line too; and of data that are a point",
            "over-disperses": "divided by the squared cosine, and not multiplied",
            "order-2": "as if the error were that of one step",
        },
    ),
]

# A world for the witness: a trajectory, and steps that leave one half, one third, one quarter.

WORLD = {along: m_0 + Rational(3, 5) * sqrt(v_0 + sigma**2), left: 1 / (n + 1), angle: acos(sqrt(n / (n + 1)))}
