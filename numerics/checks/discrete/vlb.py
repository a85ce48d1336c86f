r"""What tries to refute the page on the bound with a mask: divergences of whole laws, from the matrices of the steps.

The mask is the state 0 of an array; a token k of a formula is the state k + 1.
"""

import numpy as np
from hypothesis import strategies as st
from scipy.special import rel_entr

from ...statistics import for_all, limit, matches
from .noising import CHAINS, or_mask, so_far
from .posterior import at_all_states

STEPS = 0.04 / 2.0 ** np.arange(6)
# A schedule, its slope, and a time.
SCHEDULES = [
    (lambda s: np.cos(1.3 * s) ** 2, lambda s: -1.3 * np.sin(2.6 * s), 0.41),
    (lambda s: 1 - s**1.7, lambda s: -1.7 * s**0.7, 0.67),
    (lambda s: np.exp(-s - s**2), lambda s: -(1 + 2 * s) * np.exp(-s - s**2), 0.83),
]

numbers = st.lists(st.floats(0.05, 1), min_size=12, max_size=12)
chains = st.lists(st.floats(0.05, 0.95), min_size=2, max_size=4).map(np.array)
sizes = st.integers(3, 6)


def absorbing_vlb(divergence, unmasking, loss, rate, linear):
    """A step of the bound as it is defined, over all states; and the weight of shorter and shorter steps."""
    weights = 1 / (1.3 + np.arange(12) ** 1.5), 0.2 + np.sin(1 + np.arange(12)) ** 2
    for alphas, K in CHAINS:
        yield from one_step(divergence, unmasking, loss, alphas, K, *weights)
    for k in range(3):
        yield for_all(alphas=chains, K=sizes, data=numbers, predicted=numbers, examples=30)(
            lambda alphas, K, data, predicted, k=k: list(
                one_step(divergence, unmasking, loss, alphas, K, data, predicted)
            )[k]
        )
    for a, slope, s in SCHEDULES:
        at = {"curve": a, "slope": slope, "s": s}
        yield limit(rate, at, lambda h, a=a, s=s: shown_by(a(s) / a(s - h), a(s - h)) / h, STEPS)
    for u in (0.29, 0.53, 0.81):
        yield limit(linear, {"u": u}, lambda h, u=u: shown_by((1 - u) / (1 - u + h), 1 - u + h) / h, STEPS)


def shown_by(alpha, alpha_bar_prev):
    """The probability that a mask is new, by Bayes' rule for the step that follows."""
    joint = so_far([alpha_bar_prev], 1)[1][:, None] * or_mask(alpha, 1)
    return joint[1, 0] / joint[:, 0].sum()


def one_step(divergence, unmasking, loss, alphas, K, data, predicted):
    """Posteriors given every x_0 and x_t, the model's average over its prediction, and their divergences."""
    data, predicted = (np.array(weights[:K]) / np.sum(weights[:K]) for weights in (data, predicted))
    at = {
        "alpha": alphas[-1],
        "alpha_bar_prev": np.prod(alphas[:-1]),
        "m": K - 1,
        "data": lambda k: data[k],
        "predicted": lambda k: predicted[k],
    }
    before, last = so_far(alphas[:-1], K)[1:], or_mask(alphas[-1], K)  # rows x_0
    joint = before[:, :, None] * last  # x_0, x_{t-1}, x_t
    seen = joint.sum(axis=1)
    posterior = np.divide(joint, seen[:, None, :], out=np.zeros_like(joint), where=seen[:, None, :] > 0)
    said = np.eye(K + 1, K, -1)  # of x_0, by what is visible at t
    said[0] = predicted  # and by a mask
    model = np.einsum("kit,tk->it", posterior, said)
    kl = rel_entr(posterior, model).sum(axis=1)  # x_0, x_t
    kl = np.where(seen > 0, kl, 0.0)
    size = 1 + np.abs(np.log(predicted))
    yield matches(at_all_states(divergence, "x", K), at, kl[:, 0], magnitude=size)
    yield matches(unmasking, at, posterior[0, 1, 0])
    yield matches(loss, at, np.sum(data[:, None] * seen * kl), magnitude=np.sum(data * size))
