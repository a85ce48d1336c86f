r"""What tries to refute the page on guidance and noise: tilted Gaussian data, with noise upon them, by quadrature.

Given u = x + noise of the variance s, the slope of log p(u) is E[x - u]/s, and the slope of that Var[x]/s^2 - 1/s: both
are means over what may be behind u, for the tilted data as for the data with the label and without.
"""

from numpy import exp

from ...quadrature import expectation_of, mean_of, settled, variance_of
from ...statistics import above, close, matches
from ...worlds import normal

POINTS = [  # of labels that narrow the law, and one that widens it
    {"mu": 1.37, "c": 0.43, "C": 1.71, "w": 1.9, "sigma": 0.83},
    {"mu": -0.81, "c": 1.29, "C": 2.17, "w": 0.61, "sigma": 1.43},
    {"mu": 0.59, "c": 1.31, "C": 0.89, "w": 0.73, "sigma": 0.57},
]
SOME_U = 0.73


def cfg_does_not_commute(tilted_mean, precision, noised_precision, guided_precision, pull, gap):
    """The tilted data, the tilted data with noise, what guidance follows, and the difference of the last two."""

    def guided(**at):
        return pull(**at) - guided_precision(**at) * SOME_U

    def score(**at):
        return noised_precision(**at) * (tilted_mean(**at) - SOME_U)

    def variance(**at):
        return 1 / precision(**at)

    def unnoised(**at):
        return 1 / guided_precision(**at | {"sigma": 0.0})

    for at in POINTS:
        given, plain, tilted = laws(**at)
        at = at | {"P": 1 / settled(variance_of(tilted))}
        yield close(tilted_mean, at, mean_of(tilted))
        yield close(variance, at, variance_of(tilted))
        alone, with_label, without = (slopes(law, at["sigma"] ** 2) for law in (tilted, given, plain))
        yield close(score, at, alone[0])
        yield close(noised_precision, at, times(-1.0, alone[1]))
        w = at["w"]
        yield close(guided, at, added(times(1 + w, with_label[0]), times(-w, without[0])))
        steeper = added(times(-1 - w, with_label[1]), times(w, without[1]))
        yield close(guided_precision, at, steeper)
        yield close(gap, at, added(steeper, alone[1]))
        yield above(gap, at, 0.0, strict=True)
        yield close(unnoised, at, variance_of(tilted))
        yield matches(gap, at | {"c": at["C"]}, 0.0, magnitude=1.0)


def laws(mu, c, C, w, **_):
    """The data with the label, without it, and tilted: densities up to a factor."""
    log_given, log_plain = (lambda x, m=m, v=v: -((x - m) ** 2) / (2 * v) for m, v in ((mu, c), (0.0, C)))
    tilted = lambda x: exp((1 + w) * log_given(x) - w * log_plain(x))
    return lambda x: exp(log_given(x)), lambda x: exp(log_plain(x)), tilted


def slopes(law, s):
    """The first and the second derivative of the log density of what has this law, with noise of the variance s."""
    behind = lambda x: law(x) * normal(SOME_U, x, s)
    spread = variance_of(behind)

    def second(nodes):
        value, size = spread(nodes)
        return value / s**2 - 1 / s, size / s**2 + 1 / s

    return expectation_of(lambda x: (x - SOME_U) / s, behind), second


def times(factor, rule):
    """A multiple of an integral."""

    def multiple(nodes):
        value, size = rule(nodes)
        return factor * value, abs(factor) * size

    return multiple


def added(one, other):
    """The sum of two integrals."""

    def total(nodes):
        (value, size), (more, more_size) = one(nodes), other(nodes)
        return value + more, size + more_size

    return total
