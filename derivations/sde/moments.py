r"""A linear diffusion keeps a point Gaussian: its mean grows at the rate f, its variance at the rate 2f, and by g^2.

.. math:: dx=f(t)\,x\,dt+g(t)\,dw\ \Longrightarrow\ x_t\mid x_0\sim\mathcal N\bigl(a(t)\,x_0,\ b(t)^2\bigr),\qquad
          \dot a=fa,\qquad\frac{d}{dt}b^2=2fb^2+g^2 .

The other way round, every scale a and every standard deviation b with a falling signal-to-noise ratio are those of such
a diffusion,

.. math:: f=\frac{d\log a}{dt},\qquad g^2=\frac{db^2}{dt}-2\frac{d\log a}{dt}\,b^2=-b^2\,\frac{d\log\mathrm{SNR}}{dt},
          \qquad\mathrm{SNR}=a^2/b^2 .

The diffusion is what the steps of Euler and Maruyama become as they shrink,

.. math:: x_{t+h}=x_t+h\,f(t)\,x_t+\sqrt h\,g(t)\,\xi,\qquad\xi\sim\mathcal N(0,1),

and what is proved is said of one such step: that a chain of them tends to the diffusion is the definition of the
latter. The noise is isotropic: vectors are read one coordinate at a time.

References:
    Särkkä & Solin (2019), Applied stochastic differential equations.
    Kingma, Salimans, Poole & Ho (2021), Variational diffusion models.
"""

from sympy import Rational, exp, log, sqrt

from ..calculus import (
    Density,
    E,
    RealFunction,
    Var,
    d,
    differentiation,
    eq,
    gaussian_integral,
    gaussian_moments,
    integral,
    limit,
    normal,
    positives,
    reals,
    taylor,
    tends_to,
    up_to,
)
from ..claim import Claim
from ..reversal.score import clusters

# Notation of the chapter: x_t is x, and x_{t+h}, a step of length h later, is y; time is an index.

x, y, x_0, fresh = reals(r"x y x_0 \xi")
t, h = positives("t h")
f, g = RealFunction("f", at=[t]), RealFunction("g", at=[t])
a, b = Density("a", at=[t]), Density("b", at=[t])  # positive functions of time

noise = normal(fresh, 0, 1)
kernel = normal(x, a * x_0, b**2)  # q(x_t | x_0)
snr = a**2 / b**2
step = x + h * f * x + sqrt(h) * g * fresh

marginal = Density("q_t", [x])  # the law of x_t, from any data
score = d(x, log(marginal))

# Between two times: x_{t+h} given x_t has the mean r x_t and the variance w.

r, w = positives("r w")
later = t + h
scale, variance = a(later) / a, b(later) ** 2 - (a(later) / a) ** 2 * b**2

# Statement: the rates of a and b^2, and the diffusion that has this a and this b.

mean_rate = f * a
variance_rate = 2 * f * b**2 + g**2
drift = d(t, log(a))
squared_noise = d(t, b**2) - 2 * d(t, log(a)) * b**2
from_snr = -(b**2) * d(t, log(snr))


def mean_after_a_step(mean_rate=mean_rate):
    """A short step moves the mean at this rate, whatever its length, ..."""
    yield (E(kernel * noise, step) - a * x_0) / h
    yield eq(mean_rate * x_0, by=gaussian_moments)


def variance_after_a_step(variance_rate=variance_rate):
    """... and the variance, as the step becomes short, at this one."""
    yield (Var(kernel * noise, step) - b**2) / h
    yield eq(2 * f * b**2 + g**2 + h * f**2 * b**2, by=gaussian_moments)
    yield tends_to(variance_rate, h, 0, by=limit())


def later_from_earlier():
    """Gaussian steps compose: so r is the quotient of the scales, and w is what the variance has beyond r^2 b^2."""
    yield integral(normal(y, r * x, w) * kernel, x)
    yield eq(normal(y, r * a * x_0, r**2 * b**2 + w), by=gaussian_integral(x))


def drift_of_a_scale(drift=drift):
    """For small h this is a step of the diffusion: x_t is stretched by 1 + hf, ..."""
    yield scale - 1
    yield up_to(h * drift, h, 2, by=taylor())


def noise_of_a_scale(squared_noise=squared_noise):
    """... and noise of the variance h g^2 is added."""
    yield variance
    yield up_to(h * squared_noise, h, 2, by=taylor())


def fall_of_the_ratio(squared_noise=squared_noise, from_snr=from_snr):
    """Noise is what makes the signal-to-noise ratio fall, and nothing else does."""
    yield squared_noise
    yield eq(from_snr, by=differentiation)


CLAIMS = [
    Claim(
        "sde.moments",
        "Given x_0, dx = f x dt + g dw is Gaussian: its mean grows at the rate f, its variance b^2 at 2 f b^2 + g^2; "
        "and scale and variance say what f and g are.",
        proved_by=(
            mean_after_a_step,
            variance_after_a_step,
            later_from_earlier,
            drift_of_a_scale,
            noise_of_a_scale,
            fall_of_the_ratio,
        ),
        evidence="S Q M P",
        assumes="f and g are smooth functions of time; a diffusion is what its steps become as they shrink",
        source="Särkkä & Solin (2019); Kingma et al. (2021)",
        mistakes={
            "one-f": {
                "variance_rate": f * b**2 + g**2,
                "squared_noise": d(t, b**2) - d(t, log(a)) * b**2,
            },
            "g-not-squared": {"variance_rate": 2 * f * b**2 + g},
            "sign": {
                "variance_rate": -2 * f * b**2 + g**2,
                "squared_noise": d(t, b**2) + 2 * d(t, log(a)) * b**2,
                "from_snr": b**2 * d(t, log(snr)),
            },
            "lambda-for-logsnr": {"from_snr": -(b**2) * d(t, log(snr) / 2)},
        },
        because={
            "one-f": "the rate of the mean, taken for that of its square",
            "g-not-squared": "g multiplies the noise, and is taken for its variance",
            "sign": "f is negative for processes that keep their variance, and is taken for its size",
            "lambda-for-logsnr": "lambda is half of log SNR",
        },
    ),
]

# A world for the witness: a scale and a standard deviation, and the diffusion that has them.

DRIFT = -Rational(1, 3) - 1 / (5 + t)
WORLD = {
    f: DRIFT,
    g: sqrt(1 - DRIFT * (2 * t + Rational(1, 2))),
    a: exp(-t / 3) / (1 + t / 5),
    b: sqrt(t + Rational(1, 4)),
    marginal: clusters(x, 1, 0),
}
