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
