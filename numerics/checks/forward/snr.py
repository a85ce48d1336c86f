r"""What tries to refute the page on what a step forgets: powers of signal and noise, and divergences by quadrature."""

import numpy as np
from hypothesis import strategies as st
from numpy import sqrt

from ...quadrature import integral_of
from ...statistics import above, close, for_all, matches
from ...worlds import Step, gaussian, mixture

PAIRS = [
    (gaussian(0.37, 1.83), gaussian(-0.61, 0.77), Step(alpha=0.683, alpha_bar_prev=0.591)),
    (mixture([0.31, 0.69], [-1.13, 1.47], [0.23, 0.41]), gaussian(0.29, 1.71), Step(alpha=0.547, alpha_bar_prev=0.743)),
    (gaussian(0.83, 0.57), mixture([0.57, 0.43], [-0.71, 0.93], [0.17, 0.62]), Step(alpha=0.761, alpha_bar_prev=0.437)),
]
between = st.floats(0.02, 0.98)
steps = st.builds(Step, alpha=between, alpha_bar_prev=between)


def snr_monotone(snr, drop, forgotten):
    """Powers from the gains of the process, steps up and down, and divergences before and after a step."""
    for q, p, step in PAIRS:
        at = letters(q, p, step)
        yield matches(snr, at, step.alpha_bar / (1 - step.alpha_bar))
        yield matches(drop, at, *fallen(step))
        yield close(forgotten, at, lost(q, p, step))
        yield above(forgotten, at, 0.0, strict=True)
    # The case of equality: one law on both sides.
    q, _, step = PAIRS[1]
    yield matches(forgotten, letters(q, q, step), 0.0, magnitude=1.0)
    yield for_all(step=steps)(lambda step: matches(snr, schedule(step), power(step)))
    yield for_all(step=steps)(lambda step: matches(drop, schedule(step), *fallen(step)))
    yield for_all(step=steps)(lambda step: above(drop, schedule(step), 0.0, strict=True))
    here, there = (st.builds(gaussian, m, st.floats(0.3, 3)) for m in (st.floats(-1, 0), st.floats(1, 2)))
    tame = st.builds(Step, alpha=st.floats(0.2, 0.9), alpha_bar_prev=st.floats(0.2, 0.9))
    yield for_all(examples=6, q=here, p=there, step=tame)(
        lambda q, p, step: close(forgotten, letters(q, p, step), lost(q, p, step))
    )


def schedule(step):
    """The letters of the schedule.  The step before this one had less noise, or more: nothing may depend on it."""
    return {"alpha": step.alpha, "alpha_prev": 0.871, "alpha_bar_prev": step.alpha_bar_prev}


def power(step):
    """The variance that x_0 of unit variance brings to x_t, over the variance of the noise.

    The steps taken one at a time.
    """
    signal, noise = step.alpha * step.alpha_bar_prev, step.alpha * (1 - step.alpha_bar_prev) + step.beta
    return signal / noise


def fallen(step):
    """SNR(t - 1) - SNR(t), and the size of the two."""
    before = step.alpha_bar_prev / (1 - step.alpha_bar_prev)
    return before - power(step), before


def letters(q, p, step):
    """Both laws before and after the step, and their reverse kernels by Bayes' rule."""
    at = schedule(step)
    for name, law in (("q", q), ("p", p)):
        before, after = law.marginal(step.alpha_bar_prev), law.marginal(step.alpha_bar)
        at |= {f"{name}_prev": before, f"{name}_t": after, f"{name}_kernel": reverse(before, after, step)}
    return at


def reverse(before, after, step):
    return lambda x_prev, x_t: np.exp(
        -((x_t - sqrt(step.alpha) * x_prev) ** 2) / (2 * step.beta)
        - np.log(2 * np.pi * step.beta) / 2
        + before.log_density(x_prev)
        - after.log_density(x_t)
    )


def lost(q, p, step):
    """KL before the step less KL after it."""
    before, after = (divergence(q.marginal(a), p.marginal(a)) for a in (step.alpha_bar_prev, step.alpha_bar))

    def rule(nodes):
        (value, size), (later, later_size) = before(nodes), after(nodes)
        return value - later, 30 * (size + later_size)  # the formula is a double integral of such logarithms

    return rule


def divergence(q, p):
    return integral_of(lambda x: q(x) * (q.log_density(x) - p.log_density(x)), width=2.0)
