r"""What tries to refute the page on the end of the forward process.

Divergences by quadrature, products multiplied out.
"""

from fractions import Fraction
from math import prod

import numpy as np
from hypothesis import strategies as st

from ...quadrature import integral_of
from ...schedules import cosine, linear
from ...statistics import above, close, for_all, matches

SOME_X_0 = np.array([-1.27, 0.83, 2.19])
TIMES = 2 ** np.arange(4, 12)  # the resolutions of a limit
ends, signals = st.floats(-4, 4), st.floats(0.01, 0.95)


def terminal(divergence, product, left_over):
    """KL to N(0, 1) on the line, for many schedules and for all; how it vanishes; and what 1/(t + 1)^2 leaves."""
    for alpha_bar in (0.287, 0.613, 0.041, linear().alpha_bars[-1], cosine(50).alpha_bars[-2]):
        at = {"alpha_bar": alpha_bar, "x_0": SOME_X_0}
        yield close(divergence, at, from_noise(alpha_bar, SOME_X_0), resolves=1e-6)
        yield above(divergence, at, least(alpha_bar, SOME_X_0))
    # Nothing left of the signal, nothing left of the divergence.
    yield matches(divergence, {"alpha_bar": 1e-290, "x_0": SOME_X_0}, 0.0, magnitude=1.0)

    def rate(**at):
        """T times the divergence, and T to infinity."""
        return in_the_end(TIMES * divergence(**at))

    # The betas 1/(t + 1) leave 1/(T + 1) of the signal: their sum has no bound.
    for x_0 in SOME_X_0:
        yield matches(rate, {"alpha_bar": left_by(1), "x_0": x_0}, x_0**2 / 2, magnitude=10.0)
    # That of their squares has.
    for T in (3, 17, 190):
        yield matches(product, {"T": T}, float(multiplied(T)))
    yield matches(left_over, {}, in_the_end(left_by(2)), magnitude=10.0)

    yield for_all(alpha_bar=signals, x_0=ends)(
        lambda alpha_bar, x_0: close(
            divergence, {"alpha_bar": alpha_bar, "x_0": x_0}, from_noise(alpha_bar, x_0), resolves=1e-6
        )
    )
    yield for_all(alpha_bar=signals, x_0=ends)(
        lambda alpha_bar, x_0: above(
            divergence, {"alpha_bar": alpha_bar, "x_0": x_0}, least(alpha_bar, x_0), strict=True
        )
    )
    yield for_all(T=st.integers(1, 200))(lambda T: matches(product, {"T": T}, float(multiplied(T))))
    # More than a half is left after any number of steps, and less than that and any given amount after enough of them.
    yield for_all(T=st.integers(1, 200))(lambda T: 0 < float(multiplied(T)) - left_over() < 1 / T)


def least(alpha_bar, x_0):
    """The divergence is never less, for what the signal and the missing variance are worth."""
    return alpha_bar * x_0**2 / 2 + alpha_bar**2 / 4


def from_noise(alpha_bar, x_0):
    """KL(N(sqrt(alpha_bar) x_0, 1 - alpha_bar), N(0, 1)) by its definition."""
    mean, variance = np.sqrt(alpha_bar) * x_0, 1 - alpha_bar

    def integrand(x):
        log_end = -((x - mean) ** 2) / (2 * variance) - np.log(variance) / 2
        return np.exp(log_end) / np.sqrt(2 * np.pi) * (log_end + x**2 / 2)

    return integral_of(integrand, centre=mean, width=np.sqrt(variance))


def multiplied(T):
    """The product of 1 - 1/(t + 1)^2 for t up to T, exactly."""
    return prod((1 - Fraction(1, (t + 1) ** 2) for t in range(1, T + 1)), start=Fraction(1))


def left_by(power):
    """The product of 1 - 1/(t + 1)^power at ``TIMES``."""
    return np.cumprod(1 - 1 / np.arange(2.0, TIMES[-1] + 2) ** power)[TIMES - 1]


def in_the_end(values):
    """The limit of values at ``TIMES``: a polynomial in 1/T through them, read at zero."""
    h = 1 / TIMES
    return sum(v * np.prod([g / (g - k) for g in h if g != k]) for k, v in zip(h, values))
