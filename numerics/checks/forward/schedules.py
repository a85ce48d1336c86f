r"""What tries to refute the page on schedules: the definitions, followed step by step in thirty digits."""

import operator
from functools import cache
from itertools import accumulate

import numpy as np
from hypothesis import strategies as st

from ...statistics import for_all, matches

SOME = [(1, 1000), (37, 1000), (500, 1000), (1000, 1000), (3, 11), (11, 11)]  # t of T
lengths = st.integers(2, 60)
moments_in_time = lengths.flatmap(lambda T: st.tuples(st.integers(1, T), st.just(T)))
fractions = st.floats(0.05, 0.95)


def letters(t, T, **more):
    return {"t": t, "gaps": T - 1, "T": T, **more}


def linear_schedule(beta, alpha_bar):
    """Equal steps from the first beta to the last, added one at a time; the alphas multiplied one at a time."""
    for t, T in SOME:
        yield matches(beta, letters(t, T), float(walked(t, T)))
        yield matches(alpha_bar, letters(t, T), float(multiplied(t, T)))
    yield for_all(at=moments_in_time)(lambda at: matches(beta, letters(*at), float(walked(*at))))
    yield for_all(at=moments_in_time)(lambda at: matches(alpha_bar, letters(*at), float(multiplied(*at))))


def cosine_schedule(alpha_bar, clipped):
    """The squared cosine by its double angle; and the clipped betas, one after the other."""
    for t, T in SOME:
        yield matches(alpha_bar, letters(t, T), float(cosine(t, T)), magnitude=1.0)
        yield matches(clipped, letters(t, T, a=unclipped(T)), float(clipped_down(t, T)), magnitude=1.0)
    yield for_all(at=moments_in_time)(lambda at: matches(alpha_bar, letters(*at), float(cosine(*at)), magnitude=1.0))
    # Clipping tells at the end: there the squared cosine is zero, and what the clipped betas leave is not.
    yield for_all(examples=30, T=lengths)(
        lambda T: matches(
            lambda **at: 1e3 * clipped(**at), letters(T, T, a=unclipped(T)), 1e3 * float(clipped_down(T, T))
        )
    )


def zero_terminal_snr(root, stable_beta):
    """The affine map of the roots that takes the last to zero and keeps the first; Stable Diffusion's roots of beta."""
    for end, part in ((0.31, 0.17), (0.07, 0.83), (0.63, 0.41)):
        yield matches(root, {"root_1": 0.973, "end": end, "part": part}, 0.973 * part)
    mp = thirty_digits()
    roots = [mp.sqrt(x) for x in stable_alpha_bars(1000)]
    for t in (1, 200, 999, 1000):
        end = roots[-1] / roots[0]
        part = (roots[t - 1] / roots[0] - end) / (1 - end)
        yield matches(
            root, {"root_1": float(roots[0]), "end": float(end), "part": float(part)}, float(stretched(roots, t))
        )
    for t, T in SOME:
        yield matches(stable_beta, letters(t, T), float(stable(t, T)))

    def terminal_snr(**at):
        """Stable Diffusion's signal-to-noise ratio at the end, which ought to be zero."""
        left = np.prod(1 - stable_beta(**at))
        return left / (1 - left)

    yield matches(terminal_snr, letters(np.arange(1.0, 1001.0), 1000), float(roots[-1] ** 2 / (1 - roots[-1] ** 2)))
    yield for_all(root_1=fractions, end=fractions, part=fractions)(
        lambda root_1, end, part: matches(
            root, {"root_1": root_1, "end": end, "part": part}, root_1 * part, magnitude=20.0
        )
    )
    yield for_all(at=moments_in_time)(lambda at: matches(stable_beta, letters(*at), float(stable(*at))))


# The definitions


@cache
def thirty_digits():
    """Arithmetic with thirty digits."""
    from mpmath import MPContext

    arithmetic = MPContext()
    arithmetic.dps = 30
    return arithmetic


def walked(t, T):
    """Beta at t, by t - 1 equal steps from the first."""
    *_, beta = walk(t, T)
    return beta


def walk(t, T):
    """The betas up to t."""
    mp = thirty_digits()
    beta, step = mp.mpf("0.0001"), (mp.mpf("0.02") - mp.mpf("0.0001")) / (T - 1)
    return accumulate([step] * (t - 1), operator.add, initial=beta)


def multiplied(t, T):
    """What the betas up to t leave of the signal."""
    return thirty_digits().fprod(1 - beta for beta in walk(t, T))


def cosine(t, T):
    """cos^2 by (1 + cos of twice the angle)/2, over its value at t = 0."""
    mp = thirty_digits()
    s = mp.mpf("0.008")
    double = (mp.mpf(t) / T + s) / (1 + s) * mp.pi
    return (1 + mp.cos(double)) / (1 + mp.cos(s / (1 + s) * mp.pi))


def unclipped(T):
    """The squared cosine as a function of t, for the formula that clips it."""
    values = [float(cosine(t, T)) for t in range(T + 1)]
    return lambda t: np.asarray(values)[np.asarray(t, dtype=int)]


def clipped_down(t, T):
    """What the clipped betas up to t leave of the signal."""
    left, most = 1, thirty_digits().mpf("0.999")
    for i in range(1, t + 1):
        left *= 1 - min(1 - cosine(i, T) / cosine(i - 1, T), most)
    return left


def stable(t, T):
    """Stable Diffusion's beta at t: its root by equal steps."""
    mp = thirty_digits()
    first, last = mp.sqrt(mp.mpf("0.00085")), mp.sqrt(mp.mpf("0.012"))
    return (first + (last - first) * (t - 1) / (T - 1)) ** 2


def stable_alpha_bars(T):
    """What these betas leave of the signal, after every step."""
    return list(accumulate((1 - stable(t, T) for t in range(1, T + 1)), operator.mul))


def stretched(roots, t):
    """Algorithm 1 of Lin et al., line by line.

    Shift so that the last is zero, then scale so that the first is as before.
    """
    shifted = [r - roots[-1] for r in roots]
    return shifted[t - 1] * roots[0] / shifted[0]
