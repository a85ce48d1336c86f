r"""Backwards, too, the process is a Markov chain; its steps are those of the forward process in equilibrium alone.

.. math:: q(x_{0:T})=q_T(x_T)\prod_{t=1}^T q(x_{t-1}\mid x_t),\qquad
          \mathcal N(x;0,1)\,\mathcal N(y;\sqrt\alpha\,x,\beta)=\mathcal N(y;0,1)\,\mathcal N(x;\sqrt\alpha\,y,\beta) .

Given :math:`x_t`, what comes after t says nothing more of :math:`x_{t-1}`, so that a sampler may look at :math:`x_t`
alone. The steps are the Bayes kernels, and they are not like the forward steps: :math:`x_0` would tell them more, and
they change from step to step though :math:`\beta` does not. They stay the same only if :math:`q_{t-1}=q_t`, and a law
that no step changes is what is left at the end, :math:`\mathcal N(0,1)` (see ``forward.terminal``).

In this equilibrium the reverse step is the forward step, turned round: it multiplies by the root of alpha where the
naive inversion divides by it. The same equation, the same noise, the opposite gain.
"""

from functools import cache

from sympy import Identity, Integer, Product, Rational, ZeroMatrix, exp, log, sin, sqrt

from ..calculus import (
    Density,
    E,
    RealFunction,
    algebra,
    completing_the_square,
    d,
    definition,
    differentiation,
    eq,
    gaussian_integral,
    gaussian_moments,
    integral,
    let,
    linearity,
    naturals,
    normal,
    positives,
    reals,
    telescope,
    units,
    vectors,
)
from ..calculus.notation import DIMENSION
from ..claim import Claim
from .step import WHERE as STEP
from .step import alpha, bayes, beta, m_prev, marginal, posterior, prior, step, v_prev, x_prev, x_t

# Notation: three times s < t < u; the steps between them may be long.

x_s, x_u, other = reals(r"x_s x_u x'_s")
alpha_ts, alpha_ut, alpha_us = units(r"\alpha_{t|s} \alpha_{u|t} \alpha_{u|s}")
WHERE = STEP | {alpha_us: alpha_ts * alpha_ut}

early, at_t = Density("q_s", [x_s]), Density("p_t", [x_t])
to_t, to_u = normal(x_t, sqrt(alpha_ts) * x_s, 1 - alpha_ts), normal(x_u, sqrt(alpha_ut) * x_t, 1 - alpha_ut)
past = normal(x_u, sqrt(alpha_us) * x_s, 1 - alpha_us)  # from s to u, past t
path = early * to_t * to_u

s_given_both, t_given_both = Density("q_s", [x_s], given=[x_t, x_u]), Density("q_t", [x_t], given=[x_s, x_u])
u_given_both = Density("q_u", [x_u], given=[x_s, x_t])
s_given_t, t_given_u = Density("q_s", [x_s], given=[x_t]), Density("q_t", [x_t], given=[x_u])
conditionals = definition(
    "Bayes' rule",
    {
        s_given_both: path / integral(path, x_s),
        t_given_both: path / integral(path, x_t),
        u_given_both: path / integral(path, x_u),
        s_given_t: early * to_t / at_t,
    },
)
marginalised = definition("marginalisation", {at_t: integral(early * to_t, x_s)})

# A whole path x_0, ..., x_T; and two steps with the same beta, after which the law is q_{t+1}.

t, T = naturals("t T")
x = RealFunction("x", at=[t])
forwards = Density("q", [x_t], given=[x_prev], at=[t])
backwards = Density("p", [x_prev], given=[x_t], at=[t])
seen = Density("q", [x_t], at=[t])
bayes_at = definition("Bayes' rule", {backwards: forwards * seen(x_prev, t - 1) / seen})

after, later = Density("q_{t+1}", [x_t]), Density("p", [x_prev], given=[x_t])  # the kernel of the second step
both_steps = definition(
    "Bayes' rule for both steps",
    {posterior: step * prior / marginal, later: step * marginal(x_prev) / after},
)

here, there, g = *vectors("x y"), units("g")  # in space; g is the root of alpha

# Statement

kernel = early * to_t / integral(early * to_t, x_s)
forward = to_u
bridge = normal(
    x_t,
    (sqrt(alpha_ts) * (1 - alpha_ut) * x_s + sqrt(alpha_ut) * (1 - alpha_ts) * x_u) / (1 - alpha_us),
    (1 - alpha_ts) * (1 - alpha_ut) / (1 - alpha_us),
)
told = sqrt(alpha_ts) * (1 - alpha_ut) / (1 - alpha_us) * (x_s - other)
path_ratio = seen(x(T), T) / seen(x(0), 0)
change = prior * after / (marginal * marginal(x_prev))

turned = normal(x_prev, sqrt(alpha) * x_t, beta)
tilt = (prior / normal(x_prev, 0, 1)) / (marginal / normal(x_t, 0, 1))


def the_future_says_nothing_more(kernel=kernel):
    """Given x_t, the later x_u is noise upon x_t, and has nothing to say of what was before."""
    yield s_given_both
    yield eq(path / integral(path, x_s), by=conditionals)
    yield eq(kernel, by=linearity)


def bayes_kernel(kernel=kernel):
    """This is Bayes' rule for the one step: what a sampler needs to know is x_t."""
    yield s_given_t
    yield eq(early * to_t / at_t, by=conditionals)
    yield eq(kernel, by=marginalised)


def nor_does_the_past(forward=forward):
    """Forwards the same holds by definition: given x_t, the earlier x_s has nothing to say of what comes."""
    yield u_given_both
    yield eq(path / integral(path, x_u), by=conditionals)
    yield eq(forward, by=gaussian_integral(x_u))


def drawn_backwards(ratio=path_ratio):
    """So the whole path may be drawn from its end: forwards or backwards, its steps differ by its two ends alone."""
    yield Product(forwards(x(t), x(t - 1), t) / backwards(x(t - 1), x(t), t), (t, 1, T))
    yield eq(Product(seen(x(t), t) / seen(x(t - 1), t - 1), (t, 1, T)), by=bayes_at)
    yield eq(ratio, by=telescope)


def both_ends(bridge=bridge):
    """Backwards the past does say more: with x_s known, the data have no say."""
    yield t_given_both
    yield eq(path / integral(path, x_t), by=conditionals)
    yield eq(to_t * to_u / past, by=gaussian_integral(x_t))
    yield eq(bridge, by=completing_the_square(x_t))


def what_the_past_says(told=told):
    """Two origins x_s give x_t two means, so this is not q(x_t | x_u), which knows no origin, unless there is one."""
    pulled, pulled_back, v = positives(r"\lambda \kappa v")
    yield let(pulled, sqrt(alpha_ts) * (1 - alpha_ut) / (1 - alpha_us))
    yield let(pulled_back, sqrt(alpha_ut) * (1 - alpha_ts) / (1 - alpha_us))
    yield let(v, (1 - alpha_ts) * (1 - alpha_ut) / (1 - alpha_us))
    one, two = (normal(x_t, pulled * x + pulled_back * x_u, v) for x in (x_s, other))
    yield E(one, x_t) - E(two, x_t)
    yield eq(pulled * (x_s - other), by=gaussian_moments)
    yield eq(told, by=algebra)


def kernels_change(change=change):
    """With the same beta in all steps the reverse kernels change from step to step ..."""
    yield posterior / later
    yield eq(change, by=both_steps)


def unless_the_laws_do_not(change=change):
    """... and where they do not, log q_{t-1} and log q_t have the same slope: the step has left the law as it was."""
    yield d(x_prev, log(change))
    yield eq(d(x_prev, log(prior)) - d(x_prev, log(marginal(x_prev))), by=differentiation)


def balance(turned=turned):
    """In equilibrium as many go from x to y as from y to x."""
    yield normal(x_prev, 0, 1) * step
    yield eq(normal(x_t, 0, 1) * turned, by=algebra)


def balance_in_space():
    """The same of vectors, in any dimension; g is the root of alpha."""
    zero, one = ZeroMatrix(DIMENSION, 1), Identity(DIMENSION)
    yield normal(here, zero, one) * normal(there, g * here, (1 - g**2) * one)
    yield eq(normal(there, zero, one) * normal(here, g * there, (1 - g**2) * one), by=completing_the_square(here))


def other_data(turned=turned, tilt=tilt):
    """Data of any other law tilt it ..."""
    yield posterior
    yield eq(step * prior / marginal, by=bayes)
    yield eq(turned * tilt, by=algebra)


def no_other_law(tilt=tilt):
    """... for where they do not, the slope of log q_{t-1} is that of a standard normal density, everywhere."""
    yield d(x_prev, log(tilt))
    yield eq(d(x_prev, log(prior)) + x_prev, by=differentiation)


def predicted_twice():
    """x_u, predicted from x_t and again from x_s, the two predictions weighed by their precision."""
    precision = 1 / (1 - alpha_ut) + 1 / (1 - alpha_us)
    pull = sqrt(alpha_ut) * x_t / (1 - alpha_ut) + sqrt(alpha_us) * x_s / (1 - alpha_us)
    return normal(x_u, pull / precision, 1 / precision)


CLAIMS = [
    Claim(
        "reversal.reversed-chain-markov",
        "Backwards the process is a Markov chain whose steps are the Bayes kernels; given x_0 as well they are others, "
        "unless the data are a point, and they change with t, unless the data are N(0, 1).",
        proved_by=(
            the_future_says_nothing_more,
            bayes_kernel,
            nor_does_the_past,
            drawn_backwards,
            both_ends,
            what_the_past_says,
            kernels_change,
            unless_the_laws_do_not,
        ),
        evidence="S Q P",
        mistakes={
            "needs-whole-future": {"kernel": early * to_t * past / integral(early * to_t * past, x_s)},
            "forward-depends-on-x0": {"forward": predicted_twice()},
            "reverse-ignores-x0": {"bridge": t_given_u, "told": Integer(0)},
            "homogeneous": {"change": Integer(1)},
        },
        because={
            "needs-whole-future": "x_u is taken for a second observation of x_s, though it is one of x_t",
            "forward-depends-on-x0": "two predictions are better than one, if their errors are independent",
            "reverse-ignores-x0": "forwards it is so",
            "homogeneous": "the forward kernels are all the same",
        },
    ),
    Claim(
        "reversal.detailed-balance",
        "For q_{t-1} = N(0, 1), and for no other law, the reverse kernel is the forward kernel, with the gain "
        "sqrt(alpha_t).",
        proved_by=(balance, balance_in_space, other_data, no_other_law),
        evidence="S Q P",
        mistakes={
            "naive-gain": {"turned": normal(x_prev, x_t / sqrt(alpha), beta)},
            "gain-alpha": {"turned": normal(x_prev, alpha * x_t, beta)},
            "any-gaussian": {
                "tilt": (prior / normal(x_prev, 0, v_prev)) / (marginal / normal(x_t, 0, alpha * v_prev + beta))
            },
            "unit-variance-suffices": {
                "tilt": (normal(x_prev, m_prev, v_prev) / normal(x_prev, 0, 1))
                / (normal(x_t, sqrt(alpha) * m_prev, alpha * v_prev + beta) / normal(x_t, 0, 1))
            },
        },
        because={
            "any-gaussian": "what tilts the kernel is thought to be how far the data are from any Gaussian",
            "unit-variance-suffices": "what tilts it is thought to be the mean and the variance alone",
        },
    ),
]

# A world for the witness: two clusters, and one path of many.


def clusters(x, shrunk):
    """Two clusters at time s, and what becomes of them."""
    parts = ((Rational(3, 10), -1, Rational(1, 2)), (Rational(7, 10), Rational(3, 2), Rational(4, 5)))
    return sum(w * normal(x, sqrt(shrunk) * m, shrunk * c + 1 - shrunk) for w, m, c in parts)


@cache
def WORLD():
    one, decay = Integer(1), exp(-t / 10 - t**2 / 30)
    decayed = decay.xreplace({t: t - 1})
    kept = exp(-Rational(1, 10) - (2 * t - 1) / 30)  # of one step: decay/decayed
    one_step = normal(x_t, sqrt(kept) * x_prev, 1 - kept)
    return {
        early: clusters(x_s, one),
        at_t: clusters(x_t, alpha_ts),
        s_given_both: path / (to_u * clusters(x_t, alpha_ts)),
        t_given_both: to_t * to_u / past,
        u_given_both: to_u,
        s_given_t: early * to_t / clusters(x_t, alpha_ts),
        t_given_u: to_u * clusters(x_t, alpha_ts) / clusters(x_u, alpha_us),
        prior: clusters(x_prev, one),
        marginal: clusters(x_t, alpha),
        after: clusters(x_t, alpha**2),
        posterior: step * prior / clusters(x_t, alpha),
        later: step * clusters(x_prev, alpha) / clusters(x_t, alpha**2),
        x: sin(t),
        seen: clusters(x_t, decay),
        forwards: one_step,
        backwards: one_step * clusters(x_prev, decayed) / clusters(x_t, decay),
        m_prev: Rational(3, 4),
        v_prev: Rational(809, 400),
    }
