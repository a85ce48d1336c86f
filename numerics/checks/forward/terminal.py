r"""What tries to refute the page on the end of the forward process.

Divergences by quadrature, products multiplied out.
"""

from fractions import Fraction

import numpy as np
from hypothesis import strategies as st

from ...quadrature import integral_of
from ...schedules import cosine, linear
from ...statistics import above, close, for_all, matches

SOME_X_0 = np.array([-1.27, 0.83, 2.19])
ends, signals = st.floats(-4, 4), st.floats(0.01, 0.95)


def terminal(divergence, left_over):
    """KL to N(0, 1) on the line, for many schedules and for all; and what 1/(t + 1)^2 leaves, factor by factor."""
    for alpha_bar in (0.287, 0.613, 0.041, linear().alpha_bars[-1], cosine(50).alpha_bars[-2]):
        at = {"alpha_bar": alpha_bar, "x_0": SOME_X_0}
        yield close(divergence, at, from_noise(alpha_bar, SOME_X_0), resolves=1e-6)
        yield above(divergence, at, alpha_bar * SOME_X_0**2 / 2)
    # Nothing left of the signal, nothing left of the divergence.
    yield matches(divergence, {"alpha_bar": 1e-290, "x_0": SOME_X_0}, 0.0, magnitude=1.0)
    yield close(left_over, {}, squares)
    yield for_all(alpha_bar=signals, x_0=ends)(
        lambda alpha_bar, x_0: close(
            divergence, {"alpha_bar": alpha_bar, "x_0": x_0}, from_noise(alpha_bar, x_0), resolves=1e-6
        )
    )
    yield for_all(alpha_bar=signals, x_0=ends)(
        lambda alpha_bar, x_0: above(divergence, {"alpha_bar": alpha_bar, "x_0": x_0}, alpha_bar * x_0**2 / 2)
    )
    # More than a half is left after any number of steps, and less than that and any given amount after enough of them.
    yield for_all(T=st.integers(1, 200))(lambda T: 0 < float(product(T)) - left_over() < 1 / T)


def from_noise(alpha_bar, x_0):
    """KL(N(sqrt(alpha_bar) x_0, 1 - alpha_bar), N(0, 1)) by its definition."""
    mean, variance = np.sqrt(alpha_bar) * x_0, 1 - alpha_bar

    def integrand(x):
        log_end = -((x - mean) ** 2) / (2 * variance) - np.log(variance) / 2
        return np.exp(log_end) / np.sqrt(2 * np.pi) * (log_end + x**2 / 2)

    return integral_of(integrand, centre=mean, width=np.sqrt(variance))


def product(T):
    """The product of 1 - 1/(t + 1)^2 for t up to T, exactly."""
    left = Fraction(1)
    for t in range(1, T + 1):
        left *= 1 - Fraction(1, (t + 1) ** 2)
    return left


def squares(nodes):
    """The product after T steps and after twice as many: its error halves, so that the difference of both ends it."""
    T = nodes // 4
    once, twice, four = (float(product(n)) for n in (T, 2 * T, 4 * T))
    return (8 * four - 6 * twice + once) / 3, 10.0
