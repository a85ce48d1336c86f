r"""What tries to refute the page on flat priors: posteriors under wide priors, by quadrature, and where they lead."""

from dataclasses import dataclass

import numpy as np

from ...quadrature import integral_of, mean_of, variance_of
from ...statistics import close
from ...worlds import normal

POINTS = [  # a, r, y, mu_0
    (1.37, 0.63, 0.91, -0.47),
    (-0.83, 0.41, 1.29, 0.76),
    (2.19, 1.71, -0.58, 1.43),
]
WIDTHS = np.array([25.0, 50.0, 100.0, 200.0, 400.0])  # of the prior


def flat_prior_limit(mean, variance, normaliser, error):
    """The likelihood integrated over x; posteriors under wider and wider priors; and how fast their means arrive."""

    def error_in_units(**at):
        """The error of the mean, in units of 1/tau^2."""
        return at["tau"] ** 2 * error(**at)

    for a, r, y, mu_0 in POINTS:
        at, seen = {"a": a, "r": r, "y": y, "mu_0": mu_0}, Seen(a, r, y, mu_0)
        yield close(normaliser, at, integral_of(seen.likelihood, **seen.window))
        yield close(mean, at, seen.mean(np.inf))
        yield close(variance, at, seen.variance(np.inf))
        yield close(mean, at, widened(seen.mean))
        yield close(variance, at, widened(seen.variance))
        for tau in (1.7, 13.0, 190.0):
            yield close(error_in_units, {**at, "tau": tau}, widened(seen.lateness))


@dataclass(frozen=True)
class Seen:
    """y was seen, and x is wanted. The prior N(mu_0, tau^2) may be as wide as infinity."""

    a: float
    r: float
    y: float
    mu_0: float

    @property
    def window(self):
        return {"centre": self.y / self.a, "width": np.sqrt(self.r) / abs(self.a)}

    def likelihood(self, x):
        return normal(self.y, self.a * x, self.r)

    def posterior(self, tau):
        """Up to a factor."""
        return lambda x: np.exp(-((x - self.mu_0) ** 2) / (2 * tau**2)) * self.likelihood(x)

    def mean(self, tau):
        return mean_of(self.posterior(tau), **self.window)

    def variance(self, tau):
        return variance_of(self.posterior(tau), **self.window)

    def lateness(self, tau):
        """How far the mean is from its limit, in units of 1/tau^2."""
        now, in_the_end = self.mean(tau), self.mean(np.inf)

        def rule(nodes):
            (mean, size), (limit, limit_size) = now(nodes), in_the_end(nodes)
            return tau**2 * (mean - limit), tau**2 * (size + limit_size)

        return rule


def widened(rule_at):
    """What a quantity tends to as tau grows, from its values at some tau: a polynomial in 1/tau^2, read at zero."""
    h = WIDTHS**-2
    weights = [np.prod([g / (g - k) for g in h if g != k]) for k in h]
    rules = [rule_at(tau) for tau in WIDTHS]

    def rule(nodes):
        values, sizes = zip(*(each(nodes) for each in rules), strict=True)
        return sum(w * v for w, v in zip(weights, values)), sum(abs(w) * s for w, s in zip(weights, sizes))

    return rule
