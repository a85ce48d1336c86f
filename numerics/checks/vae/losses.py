r"""What tries to refute the losses: codes of three to five coordinates, small images, and all corners of a cube."""

from itertools import product

import numpy as np
from hypothesis import strategies as st
from numpy import array, exp, log
from scipy.optimize import brentq
from scipy.special import expit

from ...quadrature import expectation_of, integral_of, integral_over_unit, sum_of
from ...statistics import below, both, close, for_all, hermite, limit, matches, moments
from ...worlds import gaussian, normal

# mu and sigma of a code

CODES = [
    (array([0.73, -1.19, 0.41]), array([0.37, 1.43, 0.82])),
    (array([-0.57, 1.31, 0.23, -1.64]), array([1.27, 0.58, 0.31, 1.86])),
    (array([1.57, 0.29, -0.86, 0.64, -1.13]), array([0.67, 1.19, 0.44, 1.71, 0.53])),
]
# x, f and sigma: a small image, what a decoder says of it, and its noise; then what another decoder says

IMAGES = [
    (array([0.83, -0.57, 1.19]), array([0.41, 0.33, 0.67]), 0.71, array([0.53, -0.29, 1.37])),
    (array([0.17, 0.91, 0.64, -0.38]), array([-0.23, 1.47, 0.29, 0.16]), 1.37, array([0.31, 0.77, -0.44, 0.19])),
    (
        array([1.31, 0.27, -0.74, 0.59, 0.88]),
        array([0.93, -0.36, -0.21, 1.43, 0.49]),
        0.43,
        array([1.03, 0.64, -0.91, 0.22, 1.37]),
    ),
]
LOGITS = [array([0.83, -1.67, 2.41]), array([-0.37, 1.93, -2.29, 0.61]), array([1.19, -0.71, 3.13, -1.43, 0.29])]
SHADES = array([0.17, 0.43, 0.89])

numbers, spreads = st.floats(-4, 4), st.floats(0.2, 4)
codes = st.lists(st.tuples(numbers, spreads), min_size=1, max_size=6).map(lambda pairs: array(pairs).T)
errors = st.lists(st.floats(0.2, 2), min_size=2, max_size=6).map(array)
other_factors = st.one_of(st.floats(0.2, 0.98), st.floats(1.02, 5))
shades, logits = st.floats(0, 1), st.one_of(st.floats(-9, -0.05), st.floats(0.05, 9))


def kl_standard_normal(cost, from_log_variance, total):
    """log q/p integrated, coordinate by coordinate; averaged over draws; and by the two nodes that squares need."""

    def in_log_variance(mu, sigma):
        return from_log_variance(mu=mu, log_variance=2 * log(sigma))

    for mu, sigma in CODES:
        each = integrated(mu, sigma)
        yield close(cost, {"mu": mu, "sigma": sigma}, each)
        yield close(in_log_variance, {"mu": mu, "sigma": sigma}, each)
        yield matches(total, indexed(mu, sigma), np.sum(by_two_nodes(mu, sigma)[0]))
        yield from both(code(mu, sigma), surprises(total, mu, sigma), by=hermite)

    def of_one(mu, sigma):
        value, size = by_two_nodes(mu, sigma)
        return matches(cost, {"mu": mu, "sigma": sigma}, value, magnitude=size)

    def of_one_in_logs(mu, log_variance):
        value, size = by_two_nodes(mu, exp(log_variance / 2))
        return matches(from_log_variance, {"mu": mu, "log_variance": log_variance}, value, magnitude=size)

    def of_all(code):
        value, size = by_two_nodes(*code)
        return matches(total, indexed(*code), np.sum(value), magnitude=np.sum(size))

    yield for_all(mu=numbers, sigma=spreads)(of_one)
    yield for_all(mu=numbers, log_variance=numbers)(of_one_in_logs)
    yield for_all(code=codes)(of_all)


def gaussian_decoder(loss, total, for_sums, for_means, best, least):
    """The likelihood as two noises in a row, and in n dimensions; two decoders compared; where it is steepest up."""
    likelihood = lambda **at: exp(-loss(**at))
    for x, f, sigma, other in IMAGES:
        yield close(likelihood, {"x": x, "f": f, "sigma": sigma}, two_noises(x, f, sigma))
        yield matches(total, image(x, f, sigma=sigma), -gaussian(f, sigma**2).log_density(x), magnitude=len(x))
        squares, others = np.sum((x - f) ** 2), np.sum((x - other) ** 2)
        for variance, n in ((for_sums, 1), (for_means, len(x))):
            gain = (squares - others) / n
            yield matches(compared(variance, x, f, other), {"n": len(x)}, gain, magnitude=(squares + others) / n)
        fits = flattest(x - f)
        yield matches(best, image(x, f), fits)
        yield matches(least, image(x, f), negative_log_likelihood(x - f, fits), magnitude=len(x))

    def of_one(x, f, sigma):
        at = {"x": x, "f": f, "sigma": sigma}
        return matches(loss, at, -gaussian(f, sigma**2).log_density(x), magnitude=1 + ((x - f) / sigma) ** 2)

    def steepest(error):
        return matches(best, image(error, 0 * error), flattest(error))

    def not_below_the_best(error, factor):
        at_best = lambda **at: negative_log_likelihood(error, best(**at))
        off = negative_log_likelihood(error, factor * np.mean(error**2))
        return below(at_best, image(error, 0 * error), off, strict=True, magnitude=len(error))

    def not_below_the_least(error, factor):
        off = negative_log_likelihood(error, factor * np.mean(error**2))
        return below(least, image(error, 0 * error), off, strict=True, magnitude=len(error))

    yield for_all(x=numbers, f=numbers, sigma=spreads)(of_one)
    yield for_all(error=errors)(steepest)
    yield for_all(error=errors, factor=other_factors)(not_below_the_best)
    yield for_all(error=errors, factor=other_factors)(not_below_the_least)


def bernoulli_decoder(cross_entropy, from_logit, normaliser, largest):
    """All black and white images have this loss; grey ones the average of theirs; over grey, integrals."""

    def in_probabilities(x, logit):
        return cross_entropy(x=x, prob=expit(logit))

    def unlikeliness(**at):
        return from_logit(**at).sum(axis=-1)

    for logit in LOGITS:
        corners = array(list(product([0.0, 1.0], repeat=len(logit))))
        chances = np.where(corners == 1, expit(logit), expit(-logit))
        yield matches(in_probabilities, {"x": corners, "logit": logit}, -log(chances))
        yield matches(unlikeliness, {"x": corners, "logit": logit}, -log(chances.prod(axis=1)), magnitude=len(logit))
        for a in logit:
            average = sum_of([-SHADES * log(expit(a)), -(1 - SHADES) * log(expit(-a))])  # over white and black
            yield close(in_probabilities, {"x": SHADES, "logit": a}, average)
            yield close(from_logit, {"x": SHADES, "logit": a}, average)
            yield close(normaliser, {"logit": a}, over_grey(a))
    yield limit(largest, {}, lambda h: over_grey(np.sqrt(h)), 2.0 ** -np.arange(3, 8))

    def of_one(formula):
        def statement(x, a):
            both_shades = -x * log(expit(a)), -(1 - x) * log(expit(-a))
            return matches(formula, {"x": x, "logit": a}, sum(both_shades), magnitude=1 + max(both_shades))

        return statement

    yield for_all(x=shades, a=logits)(of_one(in_probabilities))
    yield for_all(x=shades, a=logits)(of_one(from_logit))
    yield for_all(a=logits)(lambda a: below(normaliser, {"logit": a}, largest(), strict=True))


# A code


def indexed(mu, sigma):
    """The letters of a sum over coordinates, which are counted from one."""
    return {"n": len(mu), "mu_j": lambda j: mu[j - 1], "log_variance_j": lambda j: 2 * log(sigma[j - 1])}


def log_ratio(z, mu, sigma):
    """log q(z)/p(z), and the size of its terms."""
    apart, away = ((z - mu) / sigma) ** 2 / 2 + log(sigma), z**2 / 2
    return away - apart, away + np.abs(apart)


def integrated(mu, sigma):
    """The mean of log q(z)/p(z) over q."""
    return expectation_of(
        lambda z: log_ratio(z, mu, sigma)[0], lambda z: normal(z, mu, sigma**2), centre=mu, width=sigma
    )


def by_two_nodes(mu, sigma):
    """The same, and its size: log q/p is a square in z, so that the average over mu - sigma and mu + sigma is exact."""
    values, sizes = zip(*(log_ratio(mu + side * sigma, mu, sigma) for side in (-1, 1)), strict=True)
    return sum(values) / 2, sum(sizes) / 2


def code(mu, sigma):
    """Draws of z, (d, n)."""
    return lambda rng, n: [mu[:, None] + sigma[:, None] * rng.standard_normal((len(mu), n))]


def surprises(total, mu, sigma):
    """log q(z)/p(z) averages to the divergence; a z^2 + b z + c of N(0, 1) has cumulants in a and b."""
    a, b = (sigma**2 - 1) / 2, mu * sigma
    second, excess = np.sum(2 * a**2 + b**2), np.sum(48 * a**4 + 48 * a**2 * b**2)

    def scores(z):
        surprise = log_ratio(z, mu[:, None], sigma[:, None])[0].sum(axis=0)
        return moments(surprise, total(**indexed(mu, sigma)), None, (second, 3 * second**2 + excess, None))

    return scores


# An image


def image(x, f, **more):
    """The letters of a loss."""
    return {"n": len(x), "squares": np.sum((x - f) ** 2), "mse": np.mean((x - f) ** 2), **more}


def two_noises(x, f, sigma):
    """The likelihood of x where f gets noise twice, of the variance sigma^2 in all."""
    return integral_of(lambda y: normal(x, y, 0.3 * sigma**2) * normal(y, f, 0.7 * sigma**2), centre=f)


def negative_log_likelihood(error, variance):
    return -np.sum(log(normal(error, 0.0, variance)))


def compared(variance, x, f, other):
    """By how much the other decoder explains the image better, with this variance."""

    def gain(**at):
        return negative_log_likelihood(x - f, variance(**at)) - negative_log_likelihood(x - other, variance(**at))

    return gain


def flattest(error):
    """The variance at which the likelihood stands still: the slope is that of a complex step."""

    def slope(v):
        return (negative_log_likelihood(error, v * (1 + 1e-20j)) * 1e20).imag

    return brentq(slope, 0.9 * np.min(error**2), 1.1 * np.max(error**2), xtol=1e-18)


def over_grey(logit):
    """The mass of pi^x (1 - pi)^(1 - x) over the unit interval."""
    return integral_over_unit(lambda x, rest: expit(logit) ** x * expit(-logit) ** rest)
