r"""The posterior of the linear VAE is known; an encoder without correlations reaches it if and only if M is diagonal.

.. math:: z\sim\mathcal N(0,I),\quad x\mid z\sim\mathcal N(Wz+\mu,\sigma^2I),\qquad M=W^\top W+\sigma^2I:\qquad
          x\sim\mathcal N(\mu,\,WW^\top+\sigma^2I),\qquad
          z\mid x\sim\mathcal N\bigl(M^{-1}W^\top(x-\mu),\ \sigma^2M^{-1}\bigr).

The best encoder :math:`\prod_i\mathcal N(z_i;m_i,s_i)` has the right mean and the variances
:math:`s_i=\sigma^2/M_{ii}`, those of :math:`z_i` when all other latents are known, and not the variances
:math:`\sigma^2(M^{-1})_{ii}` of the posterior. What it loses is the same at every x,

.. math:: \min_{m,s}D_{KL}\Bigl(\prod_i\mathcal N(z_i;m_i,s_i)\,\Big\|\,p(z\mid x)\Bigr)
          =\tfrac12\Bigl(\sum_i\log M_{ii}-\log|M|\Bigr),

which vanishes if the columns of W are orthogonal, and only then. Here W is square: one with fewer columns than rows is
one whose last columns are zero, and their latents are never used. The loss is derived for two latents.

References:
    Tipping & Bishop (1999), Probabilistic principal component analysis.
    Lucas, Tucker, Grosse & Norouzi (2019), Don't blame the ELBO! A linear VAE perspective on posterior collapse.
"""

from sympy import Identity, Integer, Rational, Sum, ZeroMatrix, exp, log, pi, sqrt, sympify

from ..calculus import (
    KL,
    Density,
    E,
    algebra,
    completing_the_square,
    definition,
    eq,
    gaussian_moments,
    ge,
    gt,
    le,
    let,
    linearity,
    log_tangent,
    matrices,
    naturals,
    nonzeros,
    normal,
    pointwise,
    positives,
    positivity,
    reals,
    theorem,
    using,
    vectors,
)
from ..claim import Claim

# Notation

x, z, mu = vectors(r"x z \mu")
W = matrices("W")
sigma = positives(r"\sigma")
d = W.rows
prior, decoder = normal(z, ZeroMatrix(d, 1), Identity(d)), normal(x, W * z + mu, sigma**2 * Identity(d))
evidence, posterior_law = Density("p", [x]), Density("p", [z], given=[x])

sum_rule = definition("p(x) is a marginal", {evidence: E(prior, decoder)})
bayes = definition("Bayes' rule", {posterior_law: prior * decoder / evidence})

# Entries of M and of its inverse for k latents, and the determinant of M

i, k = naturals("i k")
M_entry, inverse_entry = Density("M", at=[i, i]), Density("(M^{-1})", at=[i, i])
det = positives("|M|")

# Statement

M = W.T * W + sigma**2 * Identity(d)
posterior_mean = M.inverse() * W.T * (x - mu)
posterior_covariance = sigma**2 * M.inverse()
marginal_covariance = W * W.T + sigma**2 * Identity(d)
encoder_variance = sigma**2 / M_entry
loss = (Sum(log(M_entry), (i, 1, k)) - log(det)) / 2

# Two latents: M = ((a, c), (c, b)) is positive definite if b and p = a - c^2/b are positive; its determinant is pb.
# They are counted from their posterior mean; an encoder puts its mean at (m_1, m_2).

z_1, z_2, m_1, m_2, c = reals("z_1 z_2 m_1 m_2 c")
s_1, s_2, v_1, v_2, a, b, p = positives("s_1 s_2 v_1 v_2 a b p")
angle = nonzeros("c")
WHERE = {a: p + c**2 / b}
q_1, q_2 = Density("q_1", [z_1]), Density("q_2", [z_2])  # any encoder without correlations, and any posterior
p_1, p_2 = Density("p_1", [z_1]), Density("p_2", [z_2], given=[z_1])
pair = normal(z_1, 0, sigma**2 / p) * normal(z_2, -c * z_1 / b, sigma**2 / b)
in_pairs = {
    M_entry(1, 1): a,
    M_entry(2, 2): b,
    inverse_entry(1, 1): 1 / p,
    inverse_entry(2, 2): a / (p * b),
    det: p * b,
}


def of_two(formula):
    """A formula for k latents, for two."""
    return sympify(formula).xreplace({k: 2}).doit().xreplace(in_pairs)


def from_the_posterior(first, second):
    """How far an encoder is from the posterior: in the first latent, and in the second once the first is known."""
    return KL(first, normal(z_1, 0, v_1)) + E(first, KL(second, normal(z_2, -c * z_1 / b, v_2)))


def joint(
    posterior_mean=posterior_mean, posterior_covariance=posterior_covariance, marginal_covariance=marginal_covariance
):
    """Two squares in z are one square in z: the joint density, written with z first, is written with x first."""
    yield prior * decoder
    z_law = normal(z, posterior_mean, posterior_covariance)
    yield eq(normal(x, mu, marginal_covariance) * z_law, by=completing_the_square(z))


def marginal(marginal_covariance=marginal_covariance):
    """What x looks like: the law of z integrates to one."""
    z_law = normal(z, posterior_mean, posterior_covariance)
    yield evidence
    yield eq(E(prior, decoder), by=sum_rule)
    yield eq(E(z_law, normal(x, mu, marginal_covariance)), by=pointwise(theorem(joint)))
    yield eq(normal(x, mu, marginal_covariance), by=linearity)


def posterior(posterior_mean=posterior_mean, posterior_covariance=posterior_covariance):
    """And what x says of z."""
    yield posterior_law
    yield eq(prior * decoder / evidence, by=bayes)
    yield eq(prior * decoder / normal(x, mu, marginal_covariance), by=theorem(marginal))
    yield eq(normal(z, posterior_mean, posterior_covariance), by=theorem(joint))


def two_latents():
    """For two latents this is a law in which the second knows of the first: its precision is M/sigma^2."""
    square = a * z_1**2 + 2 * c * z_1 * z_2 + b * z_2**2
    yield pair
    yield eq(sqrt(p * b) / (2 * pi * sigma**2) * exp(-square / (2 * sigma**2)), by=algebra)


def one_after_the_other():
    """An encoder is off in the first latent, and in the second once the first is known."""
    yield E(q_1, E(q_2, log(q_1) + log(q_2) - log(p_1) - log(p_2)))
    yield eq(KL(q_1, p_1) + E(q_1, KL(q_2, p_2)), by=linearity)


def tangents():
    """Each variance is best where its logarithm touches its tangent."""
    yield (log(a * s_1 / sigma**2) + log(b * s_2 / sigma**2)) / 2
    yield le((a * s_1 / sigma**2 - 1 + b * s_2 / sigma**2 - 1) / 2, by=log_tangent())


def no_encoder_loses_less(loss=loss):
    """An encoder without correlations loses this much, wherever its mean is and whatever its variances ..."""
    t_1, t_2 = a * s_1 / sigma**2, b * s_2 / sigma**2
    misplaced = p * m_1**2 + (c * m_1 + b * m_2) ** 2 / b
    spread = (t_1 + t_2 - 2 - log(t_1) - log(t_2)) / 2
    yield let(v_1, sigma**2 / p)
    yield let(v_2, sigma**2 / b)
    yield from_the_posterior(normal(z_1, m_1, s_1), normal(z_2, m_2, s_2))
    yield eq(misplaced / (2 * sigma**2) + spread + of_two(loss), by=gaussian_moments)
    yield ge(spread + of_two(loss), by=positivity)
    yield ge(of_two(loss), by=using(tangents))


def best_encoder(encoder_variance=encoder_variance, loss=loss):
    """... and that is what it loses with the right mean and these variances."""
    yield let(v_1, sigma**2 / p)
    yield let(v_2, sigma**2 / b)
    yield let(s_1, encoder_variance.xreplace({i: Integer(1)}).xreplace(in_pairs))
    yield let(s_2, encoder_variance.xreplace({i: Integer(2)}).xreplace(in_pairs))
    yield from_the_posterior(normal(z_1, 0, s_1), normal(z_2, 0, s_2))
    yield eq(of_two(loss), by=gaussian_moments)


def orthogonal_columns(loss=loss):
    """Nothing, if the columns of W are orthogonal: then c = 0 and a = p ..."""
    yield of_two(loss).xreplace({a: p})
    yield eq(0, by=algebra)


def columns_at_an_angle(loss=loss):
    """... and always something if they are not."""
    yield of_two(loss).xreplace({a: p + angle**2 / b})
    yield eq(log(1 + angle**2 / (p * b)) / 2, by=algebra)
    yield gt(0, by=positivity)


CLAIMS = [
    Claim(
        "vae.linear-optimal-encoder",
        "With M = WᵀW + σ²I, the latents of the linear VAE given x have the mean M⁻¹Wᵀ(x − μ) and the covariance "
        "σ²M⁻¹; the best encoder without correlations has the variances σ²/M_ii.",
        proved_by=(
            joint,
            marginal,
            posterior,
            two_latents,
            one_after_the_other,
            tangents,
            no_encoder_loses_less,
            best_encoder,
            orthogonal_columns,
            columns_at_an_angle,
        ),
        evidence="S Q P T",
        assumes="σ > 0; two latents, for the best encoder and what it loses",
        source="Tipping & Bishop (1999); Lucas et al. (2019)",
        tier="extended",
        mistakes={
            "M-without-noise": {
                "posterior_mean": (W.T * W).inverse() * W.T * (x - mu),
                "posterior_covariance": sigma**2 * (W.T * W).inverse(),
            },
            "cov-no-sigma2": {"posterior_covariance": M.inverse()},
            "WWt": {
                "posterior_mean": marginal_covariance.inverse() * W.T * (x - mu),
                "posterior_covariance": sigma**2 * marginal_covariance.inverse(),
            },
            "diag-always-exact": {"loss": Integer(0)},
            "marginal-of-M-inverse": {"encoder_variance": sigma**2 * inverse_entry},
        },
        because={
            "M-without-noise": "least squares: the latents that explain x best, with nothing known of them before",
            "WWt": "the matrix of the marginal, which has a row for each entry of x and not for each latent",
            "diag-always-exact": "true of two latents whose columns are orthogonal, as they are at the optimum",
            "marginal-of-M-inverse": "the variances of the posterior, which is what the reversed divergence asks for",
        },
    ),
]

# A world for the witness

WORLD = {
    evidence: E(prior, decoder),
    posterior_law: prior * decoder / E(prior, decoder),
    q_1: normal(z_1, Rational(1, 3), Rational(3, 2)),
    q_2: normal(z_2, Rational(-1, 2), Rational(2, 3)),
    p_1: normal(z_1, Rational(3, 4), 2),
    p_2: normal(z_2, z_1 / 2, Rational(5, 4)),
}
