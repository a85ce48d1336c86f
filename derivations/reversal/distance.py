r"""How far the naive kernel is from the reverse kernel: by as much entropy as the noise of the step adds.

.. math:: \mathbb E_{x_t}D_{KL}\bigl(q(\cdot\mid x_t)\,\|\,n(\cdot\mid x_t)\bigr)
          =h(x_t)-h(x_{t-1})-\tfrac12\log\alpha_t,\qquad
          \sum_{t=1}^T\mathbb E\,D_{KL}=h(x_T)-h(x_0)-\tfrac12\log\bar\alpha_T=h(x_0+\hat\sigma_T\xi)-h(x_0),\quad
          \hat\sigma_T^2=\frac1{\bar\alpha_T}-1 .

By the chain rule of divergences the sum is that of the naive chain from the true one as laws of whole paths, both
started at a correct :math:`x_T`. It contains the two ends and nothing between them: the same noise, put in by a
thousand small steps or by one, costs the same. Smaller steps bring the two kernels closer together, and there are more
of them. The end of the naive chain is closer to the data than its path to the true one, for any data; for Gaussian
data, strictly.

In d dimensions each coordinate brings a :math:`\tfrac12\log\alpha_t` of its own.
"""

from sympy import Integer, Rational, Sum, log, sqrt

from ..calculus import (
    KL,
    Density,
    E,
    RealFunction,
    algebra,
    change_of_variables,
    definition,
    entropy,
    eq,
    gaussian_moments,
    integral,
    le,
    let,
    linearity,
    log_tangent,
    lt,
    normal,
    normalised,
    pointwise,
    positives,
    positivity,
    reals,
    telescope,
    theorem,
    tower,
    units,
    using,
)
from ..claim import Claim
from .bayes import WHERE, bayes_kernel, gaussian_variance, m_prev, m_t, naive, v_prev, v_t
from .exploded import V, divergence, kl_to_the_wide_law, m, true, v, wide
from .naive import T, a, beta_of, clean_data, decay, t
from .score import clusters
from .step import WORLD as ONE_STEP
from .step import alpha, bayes, beta, marginal, posterior, prior, step, x_prev, x_t

__all__ = ["CLAIMS", "WHERE", "WORLD"]

# Notation: a(t) is the product of the first t alphas, q(x, t) the density of x_t and h(t) its entropy.

x, x_0, y, m_0 = reals(r"x x_0 y m_0")
v_0, s, slope, narrow = positives("v_0 s g w")
finer = units(r"\alpha'")

h, q = RealFunction("h", at=[t]), Density("q", [x], at=[t])
data = Density("q_0", [x_0])
widened = Density(r"\tilde{q}_0", [y])  # the law of x_T without its scale

naive_t, naive_prev = Density(r"\hat{q}_t", [x_t]), Density(r"\hat{q}_{t-1}", [x_prev])  # along the naive chain
returned, backwards = Density(r"\hat{q}_0", [x_0]), Density(r"\hat{q}", [x_t], given=[x_prev])
before_the_step, explained = E(prior, E(step, log(naive_t))), E(prior, E(step, log(backwards / step)))
bayes_naive = definition("Bayes' rule for the naive chain", {backwards: naive * naive_t / naive_prev})

entropies = definition("entropies along the chain", {h: entropy(q), h(0): entropy(data)})
forward = definition("the forward process", {q: integral(normal(x, sqrt(a) * x_0, 1 - a) * data, x_0)})
unscaled = definition("x_T without its scale", {widened: sqrt(a(T)) * q(sqrt(a(T)) * y, T)})

# Statement

step_cost = entropy(marginal) - entropy(prior) - log(alpha) / 2
gaussian_step = log(1 + beta / (alpha * v_prev)) / 2
path_cost = h(T) - h(0) - log(a(T)) / 2
gaussian_path = log(1 + (1 - a(T)) / (a(T) * v_0)) / 2
spread = 1 / a(T) - 1
entropy_gain = entropy(widened) - entropy(data)

v_T = a(T) * v_0 + 1 - a(T)
gaussian_ends = {m: m_0, v: v_0, V: v_0 + 2 * spread}  # the data, and the end of the naive chain
endpoint = divergence.xreplace(gaussian_ends)


def naive_kernel_from_reverse_kernel(cost=step_cost):
    """On average, the naive kernel misses the reverse kernel by an increase of entropy."""
    yield E(marginal, KL(posterior, naive))
    yield eq(E(marginal, E(posterior, log(posterior) - log(naive))), by=linearity)
    # The two kernels differ by the factor q_{t-1}/(sqrt(alpha) q_t) and nothing else.
    yield eq(E(marginal, E(posterior, log(prior) - log(marginal) - log(alpha) / 2)), by=theorem(bayes_kernel))
    yield eq(E(marginal, E(posterior, log(prior))) - E(marginal, log(marginal)) - log(alpha) / 2, by=linearity)
    yield eq(
        E(prior, log(prior)) - E(marginal, log(marginal)) - log(alpha) / 2,
        by=tower(marginal, posterior, bayes, prior, step),
    )
    yield eq(cost, by=linearity)


def gaussian_data(gaussian=gaussian_step):
    """For Gaussian data all that counts is the noise of the step, in units of their variance."""
    yield let(slope, sqrt(alpha) * v_prev / v_t)
    yield let(narrow, gaussian_variance)
    yield E(normal(x_t, m_t, v_t), KL(normal(x_prev, m_prev + slope * (x_t - m_t), narrow), naive))
    yield eq(log(v_t / (alpha * v_prev)) / 2, by=gaussian_moments)
    yield eq(gaussian, by=algebra)


def steps_add_up(total=path_cost):
    """The costs of the steps, summed: the entropies between the ends cancel ..."""
    yield Sum(h - h(t - 1) - log(a / a(t - 1)) / 2, (t, 1, T))
    yield eq(h(T) - log(a(T)) / 2 - (h(0) - log(a(0)) / 2), by=telescope)
    yield eq(total, by=clean_data)


def gaussian_steps_add_up(gaussian=gaussian_path):
    """... and for Gaussian data so do the variances."""
    now = a * v_0 + 1 - a
    before = {a: a(t - 1)}
    yield Sum(gaussian_step.xreplace({alpha: a / a(t - 1), beta: beta_of, v_prev: now.xreplace(before)}), (t, 1, T))
    yield eq(Sum(log(now / a) / 2 - log(now / a).xreplace(before) / 2, (t, 1, T)), by=pointwise(algebra))
    yield eq(log(v_T / a(T)) / 2 - log((a(0) * v_0 + 1 - a(0)) / a(0)) / 2, by=telescope)
    yield eq(log(v_T / a(T)) / 2 - log(v_0) / 2, by=clean_data)
    yield eq(gaussian, by=algebra)


def cut_in_two():
    """A step cut in two costs what it did: smaller steps do not help."""
    first, second = gaussian_step, gaussian_step.xreplace({alpha: finer, beta: 1 - finer, v_prev: v_t})
    yield first + second
    yield eq(log(1 + (1 - alpha * finer) / (alpha * finer * v_prev)) / 2, by=algebra)


def noise_without_scale(spread=spread):
    """Without its scale, x_T is the data with noise of the variance 1/alpha_bar - 1."""
    yield widened
    yield eq(sqrt(a(T)) * q(sqrt(a(T)) * y, T), by=unscaled)
    yield eq(sqrt(a(T)) * integral(normal(sqrt(a(T)) * y, sqrt(a(T)) * x_0, 1 - a(T)) * data, x_0), by=forward)
    yield eq(integral(normal(y, x_0, spread) * data, x_0), by=linearity)


def entropy_that_noise_adds(gain=entropy_gain, total=path_cost):
    """So the chain costs the entropy that this noise would add to the data."""
    q_T, stretched = q(x, T), sqrt(a(T)) * q(sqrt(a(T)) * y, T)
    yield gain
    yield eq(-integral(stretched * log(stretched), y) - entropy(data), by=unscaled)
    yield eq(
        -integral(q_T * (log(q_T) + log(a(T)) / 2), x) - entropy(data), by=change_of_variables(y, x / sqrt(a(T)), x)
    )
    yield eq(entropy(q_T) - entropy(data) - log(a(T)) / 2, by=normalised(q))
    yield eq(total, by=entropies)


def bayes_for_the_naive_chain():
    """On average over the forward step, by Bayes' rule for the naive chain: its log density at t - 1, from t."""
    yield E(prior, log(naive_prev))
    yield eq(E(prior, E(step, log(naive_prev))), by=linearity)
    yield eq(E(prior, E(step, log(naive * naive_t / backwards))), by=bayes_naive)
    yield eq(E(prior, E(step, log(naive_t) + log(alpha) / 2 - log(backwards / step))), by=pointwise(pointwise(algebra)))
    yield eq(before_the_step + log(alpha) / 2 - explained, by=linearity)


def no_kernel_explains_better():
    """No kernel explains x_t better than the one it was drawn from."""
    yield explained
    yield le(E(prior, E(step, backwards / step - 1)), by=pointwise(pointwise(log_tangent())))
    yield eq(E(prior, E(step, backwards / step) - 1), by=linearity)
    yield eq(0, by=normalised(backwards, prior))


def naive_step_from_anywhere():
    """So a naive step is off by at most what it was off before, and its cost; from a correct x_T on, these add up."""
    yield KL(prior, naive_prev)
    yield eq(E(prior, log(prior)) - E(prior, log(naive_prev)), by=linearity)
    rest = E(prior, log(prior)) - log(alpha) / 2
    yield eq(rest - before_the_step + explained, by=theorem(bayes_for_the_naive_chain))
    yield le(rest - before_the_step, by=using(no_kernel_explains_better))
    yield eq(rest - E(marginal, log(naive_t)), by=tower(prior, step, bayes, marginal, posterior))
    yield eq(KL(marginal, naive_t) + step_cost, by=linearity)


def end_of_the_path(gaussian=gaussian_path):
    """At its end the chain is off by less than its path costs: for Gaussian data, by a tangent of the logarithm."""
    yield KL(true, wide).xreplace(gaussian_ends) - gaussian
    yield eq(endpoint - gaussian_path, by=theorem(kl_to_the_wide_law, gaussian_ends))
    yield let(s, spread / v_0)
    yield eq((log((1 + 2 * s) / (1 + s)) + 1 / (1 + 2 * s) - 1) / 2, by=algebra)
    yield le(((1 + 2 * s) / (1 + s) - 1 + 1 / (1 + 2 * s) - 1) / 2, by=log_tangent())
    yield lt(0, by=positivity)


CLAIMS = [
    Claim(
        "reversal.kl-step-identity",
        "On average over x_t, the naive kernel misses the reverse kernel by h(x_t) - h(x_{t-1}) - log(alpha_t)/2, for "
        "any data.",
        proved_by=(naive_kernel_from_reverse_kernel, gaussian_data),
        evidence="S Q M P",
        assumes="the standing assumptions; x_{t-1} has a density of finite entropy",
        mistakes={
            "no-log-alpha": {
                "cost": entropy(marginal) - entropy(prior),
                "gaussian": log(v_t / v_prev) / 2,
            },
            "sign-of-log-alpha": {
                "cost": entropy(marginal) - entropy(prior) + log(alpha) / 2,
                "gaussian": log(alpha * v_t / v_prev) / 2,
            },
            "kl-reversed": {
                "cost": E(marginal, KL(naive, posterior)),
                "gaussian": beta / (alpha * v_prev) - log(1 + beta / (alpha * v_prev)) / 2,
            },
            "missing-half": {
                "cost": entropy(marginal) - entropy(prior) - log(alpha),
                "gaussian": log(1 + beta / (alpha * v_prev)),
            },
            "v-t": {"gaussian": log(1 + beta / (alpha * v_t)) / 2},
        },
        because={
            "no-log-alpha": "the entropy of x_t is compared with that of x_{t-1} as if the step did not shrink it",
            "kl-reversed": "the average is taken over the naive kernel",
        },
    ),
    Claim(
        "reversal.kl-chain-telescopes",
        "The path of the naive chain diverges from the true one by h(x_T) - h(x_0) - log(alpha_bar_T)/2, however "
        "finely the schedule is cut; its end by no more.",
        proved_by=(
            steps_add_up,
            gaussian_steps_add_up,
            cut_in_two,
            noise_without_scale,
            entropy_that_noise_adds,
            naive_step_from_anywhere,
            end_of_the_path,
        ),
        evidence="S Q P",
        assumes="the standing assumptions; x_0 has a density of finite entropy",
        mistakes={
            "vanishes-as-T-grows": {"total": path_cost / T, "gaussian": gaussian_path / T},
            "sum-of-beta": {"total": Sum(beta_of, (t, 1, T)) / 2, "gaussian": Sum(beta_of, (t, 1, T)) / 2},
            "no-half": {
                "total": h(T) - h(0) - log(a(T)),
                "gaussian": log(1 + (1 - a(T)) / (a(T) * v_0)),
            },
            "log-alphabar-sign": {
                "total": h(T) - h(0) + log(a(T)) / 2,
                "gaussian": log(a(T) * v_T / v_0) / 2,
            },
            "endpoint-equals-path": {"total": KL(data, returned), "gaussian": endpoint},
        },
        because={
            "vanishes-as-T-grows": "each step is closer to the reverse step, and there are more of them",
            "sum-of-beta": "the first order in each step, for data whose Fisher information is 1",
            "endpoint-equals-path": "the path between the ends is forgotten, where the naive chain is wrong as well",
        },
    ),
]

# A world for the witness: two clusters along a schedule.

decay_T = decay.xreplace({t: T})
WORLD = ONE_STEP | {
    a: decay,
    q: clusters(x, decay, 1 - decay),
    h: -integral(clusters(x, decay, 1 - decay) * log(clusters(x, decay, 1 - decay)), x),
    data: clusters(x_0, Integer(1), Integer(0)),
    widened: clusters(y, Integer(1), 1 / decay_T - 1),
    returned: clusters(x_0, Integer(1), 2 / decay_T - 2),
    naive_t: normal(x_t, Rational(1, 5), Rational(3, 2)),
    naive_prev: normal(x_prev, 1 / (5 * sqrt(alpha)), (Rational(3, 2) + beta) / alpha),
    backwards: naive * naive_t / naive_prev,
}
