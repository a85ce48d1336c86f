r"""One step of the forward process, and Bayes' rule for it: the letters of the chapter.

Here :math:`q_{t-1}` is *any* density.  Vectors are read one coordinate at a time: the noise is isotropic.
"""

from sympy import Rational, log, sqrt

from ..calculus import Density, E, RealFunction, Var, d, definition, integral, normal, reals, units

# Notation

x_prev, x_t = reals("x_{t-1} x_t")
alpha, beta = units(r"\alpha_t \beta_t")
WHERE = {beta: 1 - alpha}

prior, marginal = Density("q_{t-1}", [x_prev]), Density("q_t", [x_t])
posterior = Density("q", [x_prev], given=[x_t])
step = normal(x_t, sqrt(alpha) * x_prev, beta)
score = d(x_t, log(marginal))

m_prev, v_prev = RealFunction("m_{t-1}"), Density("v_{t-1}")  # mean and variance of x_{t-1}
m_t, v_t = RealFunction("m_t"), Density("v_t")

bayes = definition("Bayes' rule", {posterior: step * prior / marginal})
marginalisation = definition("marginalisation", {marginal: integral(step * prior, x_prev)})
moments = definition("mean and variance of x_{t-1}", {m_prev: E(prior, x_prev), v_prev: Var(prior, x_prev)})

# A world for the witness: two clusters.

WORLD = {
    prior: Rational(3, 10) * normal(x_prev, -1, Rational(1, 2))
    + Rational(7, 10) * normal(x_prev, Rational(3, 2), Rational(4, 5)),
    marginal: Rational(3, 10) * normal(x_t, -sqrt(alpha), alpha / 2 + beta)
    + Rational(7, 10) * normal(x_t, 3 * sqrt(alpha) / 2, 4 * alpha / 5 + beta),
    posterior: step * prior / integral(step * prior, x_prev),
    m_prev: Rational(3, 4),
    v_prev: Rational(809, 400),
    m_t: sqrt(alpha) * Rational(3, 4),
    v_t: alpha * Rational(809, 400) + beta,
}
