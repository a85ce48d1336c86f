r"""Maximum likelihood minimises the forward divergence, from the data: it pays for what the model leaves out.

.. math:: \mathbb E_p\log p_\theta(x)=-h(p)-D_{KL}(p\,\|\,p_\theta),\qquad
          \mathbb E_p\mathcal L=-h(p)-D_{KL}\bigl(p(x)\,q(z\mid x)\,\|\,p_\theta(x,z)\bigr)

for the data law p. The joint divergence is that of the marginals, and what the posterior is missed by:

.. math:: D_{KL}\bigl(p(x)\,q(z\mid x)\,\|\,p_\theta(x,z)\bigr)
          =D_{KL}(p\,\|\,p_\theta)+\mathbb E_p D_{KL}\bigl(q(z\mid x)\,\|\,p_\theta(z\mid x)\bigr).

So a likelihood is averaged over the *data*: where there are data and no model, the logarithm is very negative. The best
Gaussian has the mean and the variance of the data and covers all of it, valleys included. The divergence the other way
round is averaged over the *model*, which is free to stay away: of two distant modes a Gaussian may take one, at the
price of :math:`-\log w` and no more. That is the sense in which training by likelihood does not drop modes.

References:
    Bishop (2006), Pattern recognition and machine learning, for the two divergences.
"""

from sympy import Rational, log, sqrt

from ..calculus import (
    KL,
    Density,
    E,
    RealFunction,
    Var,
    definition,
    entropy,
    eq,
    ge,
    le,
    linearity,
    log_tangent,
    normal,
    pointwise,
    positives,
    positivity,
    reals,
    units,
    using,
)
from ..claim import Claim

# Notation

x, z, m, near, far = reals("x z m a b")
v, c, wide, w = *positives("v c c'"), units("w")
data, model = Density("p", [x]), Density(r"p_\theta", [x])
encoder, joint = Density("q", [z], given=[x]), Density(r"p_\theta", [x, z])
posterior = Density(r"p_\theta", [z], given=[x])
data_mean, data_variance = RealFunction("m_p"), Density("v_p")

mode, rest = Density("g", [x]), Density("r", [x])  # two parts of the data, the first of them a Gaussian
gaussian = normal(x, near, c)

bayes = definition("Bayes' rule for the model", {posterior: joint / model})
moments = definition("mean and variance of the data", {data_mean: E(data, x), data_variance: Var(data, x)})
parts = definition("the parts of the data", {data: w * mode + (1 - w) * rest})
gaussian_mode = definition("one of them is Gaussian", {mode: gaussian})

# Statement

of_the_pair = E(data, E(encoder, log(data) + log(encoder) - log(joint)))  # x is drawn first, then z
likelihood = -entropy(data) - KL(data, model)
bound = -entropy(data) - of_the_pair
split = KL(data, model) + E(data, KL(encoder, posterior))
matched_mean = w * near + (1 - w) * far
matched_variance = w * c + (1 - w) * wide + w * (1 - w) * (near - far) ** 2


def averaged_likelihood(likelihood=likelihood):
    """The log likelihood, on average over the data: what is left is a divergence from them."""
    yield E(data, log(model))
    yield eq(E(data, log(data)) - E(data, log(data) - log(model)), by=linearity)
    yield eq(likelihood, by=linearity)


def averaged_bound(bound=bound):
    """The bound likewise, with the pair (x, z) for x."""
    yield E(data, E(encoder, log(joint) - log(encoder)))
    yield eq(E(data, log(data) - E(encoder, log(data) + log(encoder) - log(joint))), by=linearity)
    yield eq(bound, by=linearity)


def pair_in_parts(split=split):
    """A pair is missed where x is missed, and where z is, given x."""
    yield of_the_pair
    yield eq(E(data, E(encoder, log(data) - log(model) + log(encoder) - log(posterior))), by=bayes)
    yield eq(split, by=linearity)


def tangent_at_the_root():
    """Forwards, a Gaussian pays for every variance but that of the data ..."""
    yield log(sqrt(data_variance / v))
    yield le(sqrt(data_variance / v) - 1, by=log_tangent())


def best_gaussian(best_mean=data_mean, best_variance=data_variance):
    """... and for every mean but that of the data: by two squares, at least, compared with the best."""
    squares, of_the_best = (E(data, x**2) - 2 * a * E(data, x) + a**2 for a in (m, best_mean))
    yield KL(data, normal(x, m, v)) - KL(data, normal(x, best_mean, best_variance))
    yield eq((squares / v - of_the_best / best_variance) / 2 - log(sqrt(best_variance / v)), by=linearity)
    off = (data_mean - m) ** 2 / v
    yield eq((off + data_variance / v - 1) / 2 - log(sqrt(data_variance / v)), by=moments)
    yield ge((off + (sqrt(data_variance / v) - 1) ** 2) / 2, by=using(tangent_at_the_root))
    yield ge(0, by=positivity)


def never_less_than_a_part():
    """Backwards, the data are at least one of their parts ..."""
    yield E(gaussian, log(w * mode / data))
    yield le(E(gaussian, w * mode / data - 1), by=pointwise(log_tangent()))
    yield eq(E(gaussian, -(1 - w) * rest / data), by=pointwise(parts))
    yield le(0, by=positivity)


def one_mode(kept_mean=near, kept_variance=c):
    """... so a Gaussian that is one of their modes and leaves out the rest, wherever that is, pays at most -log w.

    That the divergence has a minimum there, if the modes are far apart, is left to numbers.
    """
    yield KL(normal(x, kept_mean, kept_variance), data)
    yield eq(E(gaussian, log(mode) - log(data)), by=gaussian_mode)
    yield eq(E(gaussian, log(w * mode / data)) - log(w), by=linearity)
    yield le(-log(w), by=using(never_less_than_a_part))


# A world for the witness: a mode and another, and a model that has seen neither.

spread, blur = Rational(6, 5), Rational(2, 3)
g, r, p_z = gaussian, normal(x, far, wide), normal(z, Rational(1, 3), spread)
WORLD = {
    mode: g,
    rest: r,
    data: w * g + (1 - w) * r,
    data_mean: matched_mean,
    data_variance: matched_variance,
    model: normal(x, Rational(1, 3), spread + blur),
    joint: p_z * normal(x, z, blur),
    posterior: p_z * normal(x, z, blur) / normal(x, Rational(1, 3), spread + blur),
    encoder: normal(z, x / 2 + Rational(1, 3), Rational(3, 5)),
}

CLAIMS = [
    Claim(
        "elbo.mle-is-forward-kl",
        "Maximum likelihood minimises KL(p, p_θ), from the data; from the model, a Gaussian may keep one mode alone.",
        proved_by=(
            averaged_likelihood,
            averaged_bound,
            pair_in_parts,
            tangent_at_the_root,
            best_gaussian,
            never_less_than_a_part,
            one_mode,
        ),
        evidence="S Q P",
        assumes="data of finite entropy and variance, whose density vanishes where that of the model does",
        source="the note",
        mistakes={
            "reverse-kl": {"likelihood": -entropy(data) - KL(model, data)},
            "entropy-sign": {"likelihood": entropy(data) - KL(data, model), "bound": entropy(data) - of_the_pair},
            "joint-kl-equals-marginal": {"split": KL(data, model)},
            "moment-match-both": {"kept_mean": matched_mean, "kept_variance": matched_variance},
        },
        because={
            "reverse-kl": "averaged over the model, as in variational inference, where q is what one can average over",
            "joint-kl-equals-marginal": "true once the encoder is the posterior",
            "moment-match-both": "what the best Gaussian is forwards is taken for the best backwards as well",
        },
    ),
]
