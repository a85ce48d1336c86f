"""What tries to refute the page on schedules: levels reached by equal steps of a root, in thirty digits; and churn."""

from hypothesis import strategies as st

from ...statistics import above, below, for_all, matches
from ..forward.schedules import thirty_digits

POINTS = [(3, 9, 0.002, 80.0, 7.0), (1, 4, 0.03, 14.6, 3.7), (11, 13, 0.17, 2.9, 5.3)]  # i, N, the ends, rho
SOME_X = (-1.27, 0.43)  # noisy, and predicted
CHURNS = [(0.37, 0.21), (4.3, 0.083), (0.029, 0.39)]  # sigma, gamma
places = st.tuples(st.integers(1, 20), st.integers(1, 20))
lows, ratios, roots = st.floats(0.001, 1), st.floats(1.5, 1000), st.floats(1.2, 9)
levels, churns = st.floats(0.01, 50), st.floats(0.01, 0.4)


def karras_schedule(level, usual, final, churned, added, most):
    """Levels by steps of their roots; where the last step ends; noise upon noise, in variances."""

    def at_level(i, N, low, high, rho):
        at = {"i": i, "rest": N - 1 - i, "sigma_min": low, "sigma_max": high}
        return matches(level, at | {"rho": rho}, *walked(i, N, low, high, rho))

    def seventh(i, N, low, high):
        at = {"i": i, "rest": N - 1 - i, "sigma_min": low, "sigma_max": high}
        return matches(lambda **at: level(rho=usual(), **at), at, *walked(i, N, low, high, 7))

    def by_churn(sigma, gamma):
        at = {"sigma": sigma, "gamma": gamma}
        yield matches(churned, at, sigma + gamma * sigma)
        yield matches(lambda **at: added(**at) ** 2, at, *gap(sigma, gamma))

    def last_step(sigma):
        return SOME_X[0] + (final() - sigma) / sigma * (SOME_X[0] - SOME_X[1])

    def most_added(sigma, part):
        return added(sigma=sigma, gamma=part * most())

    for i, N, low, high, rho in POINTS:
        for k in (0, i, N - 1):
            yield at_level(k, N, low, high, rho)
            yield seventh(k, N, low, high)
    for sigma, gamma in CHURNS:
        yield from by_churn(sigma, gamma)
        yield matches(last_step, {"sigma": sigma}, SOME_X[1])
        yield matches(most_added, {"sigma": sigma, "part": 1.0}, sigma, magnitude=4 * sigma)
        yield below(most_added, {"sigma": sigma, "part": 0.97}, sigma, strict=True)
        yield above(most_added, {"sigma": sigma, "part": 1.03}, sigma, strict=True)
    yield above(most, {}, 0.0, strict=True)
    yield for_all(place=places, low=lows, ratio=ratios, rho=roots, examples=50)(
        lambda place, low, ratio, rho: at_level(place[0], sum(place) + 1, low, ratio * low, rho)
    )
    for k in range(2):
        yield for_all(sigma=levels, gamma=churns)(lambda sigma, gamma, k=k: list(by_churn(sigma, gamma))[k])


def walked(i, N, low, high, rho):
    """The level i, by i equal steps of the root from the first; and its size, with what its power makes of rounding."""
    mp = thirty_digits()
    first, last = mp.mpf(high) ** (1 / mp.mpf(rho)), mp.mpf(low) ** (1 / mp.mpf(rho))
    root = first
    for _ in range(i):
        root -= (first - last) / (N - 1)
    return float(root**rho), float(root**rho * (1 + rho * first / root))


def gap(sigma, gamma):
    """What is between the squares of (1 + gamma) sigma and sigma, and their size."""
    return gamma * (2 + gamma) * sigma**2, 2 * sigma**2
