r"""Given both ends of a chain on finitely many states: Bayes' rule, and what a prediction of x_0 makes of it.

.. math:: q(x_{t-1}=i\mid x_t=j,x_0=k)=\frac{[\bar Q_{t-1}]_{ki}\,[Q_t]_{ij}}{[\bar Q_t]_{kj}},\qquad
          q(x_{t-1}\mid x_t)=\sum_kq(x_{t-1}\mid x_t,x_0=k)\,q(x_0=k\mid x_t) .

The row i of :math:`Q_t` is the law of :math:`x_t` after :math:`x_{t-1}=i`, and the matrix of all steps so far is their
product in this order, :math:`\bar Q_t=Q_1\cdots Q_t`: matrices of different steps need not commute. As vectors, with
one 1 for the state, the posterior is :math:`x_tQ_t^\top\odot x_0\bar Q_{t-1}` over
:math:`x_0\bar Q_tx_t^\top`: what may have led to :math:`x_t`, and what may have come of :math:`x_0`.

Without :math:`x_0` the reverse step is the mean of this over what :math:`x_t` says of :math:`x_0`. A network that
predicts :math:`q(x_0\mid x_t)` has to be averaged over in this way. Averages of the *joint* probabilities
:math:`q(x_{t-1},x_t\mid x_0)`, normalised at the end, are something else: each :math:`x_0` counts once more by
:math:`q(x_t\mid x_0)`, which its prediction has already taken into account. The two agree if this factor is the same
for all :math:`x_0`, as for a mask, which says nothing of what is behind it.

References:
    Austin, Johnson, Ho, Tarlow & van den Berg (2021), Structured denoising diffusion models in discrete state-spaces,
        eqs. (3) and (4).
"""

from sympy import Sum, Symbol

from ..calculus import RealFunction, UnitFunction, definition, eq, linearity, naturals, theorem
from ..claim import Claim

# Notation: of the states 0, ..., m, two or more, k is x_0, l is x_{t-2}, i is x_{t-1} (and n, in sums) and j is x_t.

i, j, k, l, n = (Symbol(name, integer=True, nonnegative=True) for name in "ijkln")
m = naturals("m")

early = UnitFunction(r"\bar{Q}_{t-2}", [k, l])  # all steps but the last two
previous, step = UnitFunction("Q_{t-1}", [l, i]), UnitFunction("Q_t", [i, j])
so_far, all_steps = UnitFunction(r"\bar{Q}_{t-1}", [k, i]), UnitFunction(r"\bar{Q}_t", [k, j])
joint = UnitFunction("q", [i, j], given=[k])  # of x_{t-1} and x_t
all_paths = definition("no step knows what was before", {joint: Sum(early * previous * step, (l, 0, m))})
products = definition(
    "products of matrices",
    {so_far: Sum(early * previous, (l, 0, m)), all_steps: Sum(so_far(k, n) * step(n, j), (n, 0, m))},
)

data, seen = UnitFunction("q_0", [k]), UnitFunction("q_t", [j])  # the laws of x_0 and of x_t
clean, kernel = UnitFunction("q_0", [k], given=[j]), RealFunction("q", [i], given=[j])  # what x_t says of x_0, x_{t-1}
marginalisation = definition("marginalisation", {seen: Sum(data * all_steps, (k, 0, m))})
bayes = definition("Bayes' rule", {clean: data * all_steps / seen, kernel: step * Sum(data * so_far, (k, 0, m)) / seen})
common = UnitFunction("c", [j])  # the probability of x_t, if it is the same from all x_0

# Statement

posterior = so_far * step / all_steps
mixture = Sum(posterior * clean, (k, 0, m))
joint_mixture = Sum(so_far * step * clean, (k, 0, m)) / Sum(all_steps * clean, (k, 0, m))
counted_twice = all_steps * clean / Sum(all_steps * clean, (k, 0, m))


def paths():
    """From k to j by way of i there are as many paths as there are states in between."""
    yield joint
    yield eq(Sum(early * previous * step, (l, 0, m)), by=all_paths)
    yield eq(so_far * step, by=products)


def rule(posterior=posterior):
    """The probability of all paths by way of i, over that of all paths to j."""
    yield joint / Sum(joint(n, j, k), (n, 0, m))
    yield eq(so_far * step / Sum(so_far(k, n) * step(n, j), (n, 0, m)), by=theorem(paths))
    yield eq(posterior, by=products)


def posterior_sums_to_one(posterior=posterior):
    """Over all i these are all paths."""
    yield Sum(posterior, (i, 0, m))
    yield eq(Sum(so_far * step, (i, 0, m)) / all_steps, by=linearity)
    yield eq(1, by=products)


def reverse_step(mixture=mixture):
    """Without x_0: Bayes' rule for the law of x_{t-1}, and each x_0 with what it has to say."""
    yield kernel
    yield eq(step * Sum(data * so_far, (k, 0, m)) / seen, by=bayes)
    yield eq(Sum(posterior * (data * all_steps / seen), (k, 0, m)), by=linearity)
    yield eq(mixture, by=bayes)


def predictions_sum_to_one():
    """What x_t says of x_0 is a law."""
    yield Sum(clean, (k, 0, m))
    yield eq(Sum(data * all_steps, (k, 0, m)) / seen, by=bayes)
    yield eq(1, by=marginalisation)


def mixture_of_joint_probabilities(counted_twice=counted_twice):
    """Averaged before it is normalised, each x_0 weighs more by the probability of x_t from it, once again."""
    yield joint_mixture
    yield eq(Sum(posterior * counted_twice, (k, 0, m)), by=linearity)


def the_same_from_all():
    """If this probability is the same from all x_0 it cancels, and both are one."""
    yield Sum(so_far * step * clean, (k, 0, m)) / Sum(common * clean, (k, 0, m))
    yield eq(Sum(so_far * step * clean, (k, 0, m)) / (common * Sum(clean, (k, 0, m))), by=linearity)
    yield eq(Sum(so_far * step * clean, (k, 0, m)) / common, by=theorem(predictions_sum_to_one))
    yield eq(Sum(so_far * step / common * clean, (k, 0, m)), by=linearity)


# A world for the witness: weights of steps, of which no two commute; sums of powers give them all in closed form.

ones, squares = m * (m + 1) / 2, m * (m + 1) * (2 * m + 1) / 6
gain, rest = m + 1 + ones * i, squares + ones**2 * i  # all steps but the last weigh gain (1 + k) + rest


def to_j(at_0, slope):
    """The sum over i of at_0 + slope i, times the weight of the step."""
    return 3 * at_0 * (m + 1) + (3 * slope + at_0 * (1 + j**2)) * ones + slope * (1 + j**2) * squares


def from_data(gain, rest):
    """The sum over k of gain (1 + k) + rest, times the weight of k."""
    return (gain * (4 - (m + 3) / 2**m) + rest * (2 - 1 / 2**m)) / 10


gain_to_j, rest_to_j = to_j(m + 1, ones), to_j(squares, ones**2)
WORLD = {
    early: (1 + k + l**2) / 100,
    previous: (1 + l * i) / 200,
    step: (3 + i * (1 + j**2)) / 4000,
    so_far: (gain * (1 + k) + rest) / 20_000,
    all_steps: (gain_to_j * (1 + k) + rest_to_j) / 80_000_000,
    joint: so_far * step,
    data: 1 / (10 * 2**k),
    seen: from_data(gain_to_j, rest_to_j) / 80_000_000,
    clean: data * all_steps / seen,
    kernel: step * from_data(gain, rest) / 20_000 / seen,
    common: 1 / (2 + j),
}

reversed_order = Sum(previous(k, l) * early(l, i), (l, 0, m))

CLAIMS = [
    Claim(
        "discrete.posterior",
        "Given x_0 and x_t, x_{t-1} has the probability of all paths by way of it over that of all paths.",
        proved_by=(rule, posterior_sums_to_one),
        evidence="S Q M P",
        assumes="all entries of the matrices are positive",
        source="Austin et al. (2021) eq. 3",
        tier="extended",
        mistakes={
            "no-transpose": {"posterior": so_far * step(j, i) / all_steps},
            "order-reversed": {
                "posterior": reversed_order * step / Sum(reversed_order.xreplace({i: n}) * step(n, j), (n, 0, m))
            },
            "uniform-prior": {"posterior": step / Sum(step(n, j), (n, 0, m))},
            "denominator-prev": {"posterior": so_far * step / so_far(k, j)},
        },
        because={
            "no-transpose": "the step is taken from j to i, which is the way back only if the matrix is symmetric",
            "order-reversed": "the product is written as for columns, where the first step stands last",
            "uniform-prior": "what x_0 says of x_{t-1} is left out: the naive reversal, on finitely many states",
        },
    ),
    Claim(
        "discrete.x0-mixture",
        "The reverse step averages the posterior given x_0 over what x_t says of x_0; averages of joint probabilities "
        "count the probability of x_t twice.",
        proved_by=(reverse_step, predictions_sum_to_one, mixture_of_joint_probabilities, the_same_from_all),
        evidence="S Q P",
        assumes="all entries of the matrices are positive",
        source="Austin et al. (2021) eq. 4, read as the exact reverse step",
        tier="extended",
        mistakes={
            "unnormalised-terms": {"mixture": joint_mixture},
            "uniform-x0": {"mixture": Sum(posterior, (k, 0, m)) / (m + 1)},
            "marginal-prior": {"mixture": Sum(posterior * data, (k, 0, m))},
        },
        because={
            "unnormalised-terms": "a network's parameters may make up for it; the formula does not",
            "marginal-prior": "what is known of x_0 before x_t was seen",
        },
    ),
]
