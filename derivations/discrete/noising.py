r"""Two ways to corrupt a token: a step keeps it, or draws it anew; all steps so far are one such step.

.. math:: Q_t=(1-\beta_t)I+\tfrac{\beta_t}K\mathbf 1\mathbf 1^\top\ \Longrightarrow\
          Q_1\cdots Q_t=\bar\alpha_tI+\tfrac{1-\bar\alpha_t}K\mathbf 1\mathbf 1^\top ,\qquad
          q(x_t=x_0\mid x_0)=\bar\alpha_t,\quad\text{else the mask} .

A step keeps the token with probability :math:`\alpha_t=1-\beta_t`. If it does not, a token is drawn: any of the K, all
equally likely (*uniform*), or always the same, a mask (*absorbing*). What is drawn anew does not depend on what was
there, so that it does not matter how often one draws: the token is still the first one if no step has drawn, which has
the probability :math:`\bar\alpha_t=\prod_{i\le t}\alpha_i`. A uniform draw may give what was there before, and then the
token stays all the same; K equally likely tokens are left as they are by any such step.

A mask stays a mask. So a token that is still visible at t was so at t - 1, and one that is masked was

.. math:: q(x_{t-1}=x_0\mid x_t=\text{mask},x_0)=\frac{\bar\alpha_{t-1}-\bar\alpha_t}{1-\bar\alpha_t} ,

which is 1/t if as many tokens are to be masked in each of T steps, :math:`\beta_t=1/(T-t+1)`.

A matrix says what a step makes of any function of the token: :math:`(Qf)(i)=\sum_jQ_{ij}f(j)` is the mean of f after
the step, from i. This is how matrices are written here, and it knows them, because f is any function.

References:
    Austin, Johnson, Ho, Tarlow & van den Berg (2021), Structured denoising diffusion models in discrete state-spaces,
        section 3.1.
"""

from sympy import Integer, Max, Product, Sum, cos

from ..calculus import (
    RealFunction,
    algebra,
    definition,
    eq,
    limit,
    linearity,
    naturals,
    telescope,
    tends_to,
)
from ..claim import Claim
from ..forward.kernel import WHERE as STEP
from ..forward.kernel import alpha, alpha_bar, alpha_bar_prev, beta

# Notation: tokens 1, ..., K, of which one is `others` others; the mask is the state 0. T steps, of which m are left.

i, j, l, others, K = naturals("i j l n K")
t, left, T = naturals("t m T")
WHERE = STEP | {K: others + 1, T: t + left}

f = RealFunction("f", [j])  # whatever one may ask of a token
mask = f(0)
hit = RealFunction(r"\delta", [j])  # is it the token 1?
indicator = definition(
    "δ(j) is 1 for the token 1, else 0", {hit(1): Integer(1), Sum(hit, (j, 1, others + 1)): Integer(1)}
)


def drawn_anew(g):
    """The mean of g for a token that is any of the K."""
    return Sum(g(j), (j, 1, K)) / K


def uniform(keep, g, i=i):
    """The mean of g after a step that keeps i so often, and else draws any token."""
    return keep * g(i) + (1 - keep) * drawn_anew(g)


# Statement

kept, spread = alpha_bar, (1 - alpha_bar) / K  # the matrix of all steps so far is kept I + spread 11'
diagonal = 1 - beta + beta / K
staying = alpha_bar + (1 - alpha_bar) / K
stationary = 1 / K

visible = alpha_bar
unmasking = (alpha_bar_prev - alpha_bar) / (1 - alpha_bar)
unchanged = Integer(1)
schedule = 1 - t / T
rate = 1 / t


def first_step(kept=kept, spread=spread):
    """By induction: the first step is one step, where alpha_bar is alpha, ..."""
    at_one = {alpha_bar_prev: Integer(1), alpha_bar: alpha}
    yield uniform(1 - beta, f)
    yield eq(kept.xreplace(at_one) * f(i) + spread.xreplace(at_one) * Sum(f, (j, 1, K)), by=algebra)


def one_more_step(kept=kept, spread=spread):
    """... and after all steps so far, a step: whoever draws twice has drawn once."""
    before = Sum(uniform(1 - beta, f, l), (l, 1, K)) / K
    yield alpha_bar_prev * uniform(1 - beta, f) + (1 - alpha_bar_prev) * before
    yield eq(alpha_bar_prev * uniform(alpha, f) + (1 - alpha_bar_prev) * drawn_anew(f), by=linearity)
    yield eq(kept * f(i) + spread * Sum(f, (j, 1, K)), by=algebra)


def diagonal_of_a_step(diagonal=diagonal):
    """The token 1 stays if it is kept, or if it is drawn again."""
    yield uniform(1 - beta, hit, 1)
    yield eq(diagonal, by=indicator)


def diagonal_of_all_steps(staying=staying, kept=kept, spread=spread):
    """So it is for all steps."""
    yield kept * hit(1) + spread * Sum(hit, (j, 1, K))
    yield eq(staying, by=indicator)


def equally_likely_tokens(stationary=stationary):
    """A token that may be any of the K may be so after the step, ..."""
    yield Sum(stationary * uniform(1 - beta, f, l), (l, 1, K))
    yield eq(drawn_anew(f), by=linearity)


def all_is_forgotten(spread=spread, stationary=stationary):
    """... and after many steps any token is of that kind."""
    yield spread
    yield tends_to(stationary, alpha_bar_prev, 0, by=limit())


def first_masking(visible=visible):
    """With a mask, too: the first step is one step, ..."""
    at_one = {alpha_bar_prev: Integer(1), alpha_bar: alpha}
    seen = visible.xreplace(at_one)
    yield (1 - beta) * f(i) + beta * mask
    yield eq(seen * f(i) + (1 - seen) * mask, by=algebra)


def one_more_masking(visible=visible):
    """... and what was masked stays so, while what was not is kept once more, or is masked now."""
    yield alpha_bar_prev * ((1 - beta) * f(i) + beta * mask) + (1 - alpha_bar_prev) * mask
    yield eq(visible * f(i) + (1 - visible) * mask, by=algebra)


def masked_just_now(unmasking=unmasking):
    """A mask has come with this step, or was there before: Bayes' rule for two cases."""
    now, before = alpha_bar_prev * beta, 1 - alpha_bar_prev
    yield now / (now + before)
    yield eq(unmasking, by=algebra)


def visible_before(unchanged=unchanged, visible=visible):
    """For a token that is visible there is one case: it was so before, and was kept."""
    yield alpha_bar_prev * (1 - beta) / visible
    yield eq(unchanged, by=algebra)


def as_many_in_each_step(schedule=schedule):
    """Of T - t + 1 equal parts that are left each step takes one: the product, from its last factor on, telescopes."""
    yield Product(1 - 1 / j, (j, left + 1, T))
    yield eq(left / T, by=telescope)
    yield eq(schedule, by=algebra)


def masked_just_now_of_t(rate=rate, schedule=schedule):
    """Then of the t parts that are masked one has come with this step."""
    yield unmasking.xreplace({alpha_bar_prev: schedule.xreplace({t: t - 1}), alpha_bar: schedule})
    yield eq(rate, by=algebra)


# A world for the witness: a function of the token.

WORLD = {f: cos(j) + j / 5, hit: Max(0, 2 - j)}

D3PM = "Austin et al. (2021) section 3.1"

CLAIMS = [
    Claim(
        "discrete.uniform",
        "Steps that keep a token or draw any of the K are together one such step, which keeps it with probability "
        "alpha_bar_t; equally likely tokens stay so.",
        proved_by=(
            first_step,
            one_more_step,
            diagonal_of_a_step,
            diagonal_of_all_steps,
            equally_likely_tokens,
            all_is_forgotten,
        ),
        evidence="S Q P",
        assumes="the standing assumptions; two tokens or more",
        source=D3PM,
        tier="extended",
        mistakes={
            "beta-over-K-minus-1": {"spread": (1 - alpha_bar) / (K - 1)},
            "one-minus-beta-diagonal": {"diagonal": 1 - beta, "staying": alpha_bar},
            "linear-in-t": {
                "kept": alpha_bar_prev - beta,
                "spread": (1 - alpha_bar_prev + beta) / K,
                "staying": alpha_bar_prev - beta + (1 - alpha_bar_prev + beta) / K,
            },
        },
        because={
            "beta-over-K-minus-1": "right for a step that draws one of the others, whose matrix keeps in another way",
            "one-minus-beta-diagonal": "who draws anew may draw what was there",
            "linear-in-t": "the probabilities of a draw are added, as if no step drew what another has drawn",
        },
    ),
    Claim(
        "discrete.absorbing",
        "A token is visible at t with probability alpha_bar_t and has then never changed; a masked one was visible a "
        "step before with probability (alpha_bar_{t-1} - alpha_bar_t)/(1 - alpha_bar_t).",
        proved_by=(
            first_masking,
            one_more_masking,
            masked_just_now,
            visible_before,
            as_many_in_each_step,
            masked_just_now_of_t,
        ),
        evidence="S Q M P",
        assumes="the standing assumptions; 1 ≤ t < T",
        source=D3PM,
        tier="extended",
        mistakes={
            "beta-t": {"unmasking": beta, "rate": 1 / (T - t + 1)},
            "one-over-T-minus-t": {"rate": 1 / (T - t)},
            "denominator-prev": {"unmasking": (alpha_bar_prev - alpha_bar) / (1 - alpha_bar_prev)},
            "remask": {"unchanged": alpha_bar_prev},
        },
        because={
            "beta-t": "how often a step masks is taken for how often it is the one that has masked",
            "one-over-T-minus-t": "right from the other end of the schedule",
            "denominator-prev": "where what is masked at t - 1 is meant, the probability may exceed 1",
            "remask": "tokens at t - 1 are masked afresh, though this one is known",
        },
    ),
]
