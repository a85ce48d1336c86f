"""What tries to refute the page on DDIM: data and noise in space, noise of which a part is kept, and regression."""

from functools import partial

from hypothesis import strategies as st
from numpy import sqrt

from ...quadrature import integral_over_unit
from ...solvers.steps import letters as of_levels
from ...solvers.steps import step as row_of
from ...statistics import both, close, for_all, hermite, law, matches, standardised_by
from ...worlds import Step
from ..chains import drawing, has_laws, laws, one_by_one, tends_to_the_flow
from ..forward.kernel import POINTS
from ..reversal.posterior import regressed
from ..reversal.step import CLUSTERS, GAUSSIANS
from .ddpm import LEAPS, adding, given_both_ends, numbers, of_jump, vectors

ETAS = [0.31, 0.57, 0.83]
PARTS = [0.23, 0.61, 0.87]  # of the variance of the noise at s, drawn afresh
parts, shares = st.floats(0, 0.98), st.floats(0.05, 0.95)
jumps = st.builds(Step, alpha=shares, alpha_bar_prev=shares)


def ddim_marginals(mean, variance):
    """The kernel simulated after the forward process; and what it makes of a noise that is known."""

    def moved(jump, part, x_0, noise):
        at = letters(jump, part, x_0=x_0, x_t=forward(jump.alpha_bar, x_0, noise))
        return matches(mean, at, *landed(jump, part, x_0, noise, 0.0))

    def variance_of_all(jump, part):
        """Along x_t, given x_0, the mean varies by its slope; the rest is drawn."""
        root, at = sqrt(1 - jump.alpha_bar), letters(jump, part, x_0=0.0)
        total = lambda **at: (mean(**at, x_t=root) - mean(**at, x_t=0.0)) ** 2 + variance(**at)
        return matches(total, at, 1 - jump.alpha_bar_prev, magnitude=1.0)

    for (world, jump), part in zip(POINTS, PARTS, strict=True):
        yield from both(drawn(world, jump), stays(mean, variance, jump, part), hermite.over(world.weights))
    yield for_all(jump=jumps, part=parts, x_0=vectors, noise=vectors)(moved)
    yield for_all(jump=jumps, part=parts)(variance_of_all)


def ddim_eta(sigma_eta, at_one, mean):
    """The kernel given both ends, by regression: its standard deviation, and its mean where that is drawn afresh."""

    def scaled(jump, eta):
        return matches(sigma_eta, letters(jump, eta=eta), eta * sqrt(regressed(jump, 0.0, 0.0)[1]))

    def whole(jump):
        return matches(at_one, letters(jump), sqrt(regressed(jump, 0.0, 0.0)[1]))

    def centred(jump, x_0, x_t):
        centre, drawn = regressed(jump, x_0, x_t)
        at = letters(jump, x_0=x_0, x_t=x_t) | {"sigma": sqrt(drawn)}
        return matches(mean, at, centre, (abs(x_0) + abs(x_t)) / (1 - jump.alpha_bar))

    yield for_all(jump=jumps, eta=shares)(scaled)
    yield for_all(jump=jumps)(whole)
    yield for_all(jump=jumps, x_0=vectors, x_t=vectors)(centred)
    # Whole chains: where eta is one, those of DDPM, and below it those that keep the rest of the noise.
    for (data, _), eta in zip(GAUSSIANS, ETAS, strict=True):
        yield from has_laws(afresh(mean, at_one), LEAPS, data, ended(adding(given_both_ends), data))
        for share in (1.0, eta):
            kernel = afresh(mean, lambda share=share, **at: sigma_eta(**at, eta=share))
            yield from has_laws(kernel, LEAPS, data, ended(keeping(share), data))


def ddim_update(step, euler, step_1):
    """Where data and noise are known, so is x_s; and two integrals along the way, of predictions that are held."""

    def followed(jump, part, x_0, noise, fresh):
        x_t = forward(jump.alpha_bar, x_0, noise)
        at = letters(jump, part, x_t=x_t, predicted_noise=noise, fresh=fresh)
        return matches(step, at, *landed(jump, part, x_0, noise, fresh))

    def in_the_noise(jump, x_t, noise):
        at = letters(jump, x_t=x_t, predicted_noise=noise)
        return close(euler, at, slid(jump, x_t, noise))

    def in_the_data(jump, x_t, x_0):
        at = letters(jump, x_t=x_t, predicted_x_0=x_0)
        return close(step_1, at, led(jump, x_t, x_0))

    yield for_all(jump=jumps, part=parts, x_0=vectors, noise=vectors, fresh=vectors)(followed)
    yield for_all(jump=jumps, x_t=numbers, noise=numbers)(in_the_noise)
    yield for_all(jump=jumps, x_t=numbers, x_0=numbers)(in_the_data)
    # Whole chains with draws of the data, and so of the noise: at every level, whatever is drawn afresh, all as it was.
    for (data, _), part in zip(GAUSSIANS, PARTS, strict=True):
        yield from has_laws(drawing(stepping(step, part)), LEAPS, data)
        for kernel in map(stepping, (step, euler, step_1)):
            yield from has_laws(drawing(kernel), LEAPS, data)
            yield from has_laws(kernel, LEAPS, data, ended(keeping(0.0), data))
    # With its mean, and nothing drawn: in the limit of small steps to where the flow leads.
    yield tends_to_the_flow(partial(one_by_one, stepping(step)), CLUSTERS)


def letters(jump, part=0.37, **more):
    """The letters of the page, with this part of the noise at s drawn afresh."""
    return of_jump(jump, sigma=sqrt(part * (1 - jump.alpha_bar_prev)), **more)


def forward(alpha_bar, x_0, noise):
    return sqrt(alpha_bar) * x_0 + sqrt(1 - alpha_bar) * noise


def landed(jump, part, x_0, noise, fresh):
    """The forward process at s, where a part of the noise is another; and the size of what is added to get there."""
    other = sqrt(1 - part) * noise + sqrt(part) * fresh
    size = (abs(x_0) + abs(noise) + abs(fresh)) / sqrt(jump.alpha_bar)
    return forward(jump.alpha_bar_prev, x_0, other), size


# Chains


def stepping(formula, part=0.0):
    """The row of a step with a part of the noise at s drawn afresh."""
    return lambda t, s, data: row_of(formula, t, s, of_levels(t, s) | {"sigma": sqrt(part) * s.noise})


def afresh(mean, sigma):
    """The row of the kernel that draws this much afresh."""

    def drawn(predicted_x_0, fresh, **at):
        at["sigma"] = sigma(**at)
        return mean(x_0=predicted_x_0, **at) + at["sigma"] * fresh

    return lambda t, s, data: row_of(drawn, t, s)


def keeping(eta):
    """The row of a step that draws afresh the part eta of the standard deviation of the kernel given both ends."""

    def drawn(a_s, sigma_s, predicted_x_0, predicted_noise, fresh, **at):
        sigma = eta * sqrt(given_both_ends(at))
        return a_s * predicted_x_0 + sqrt(sigma_s**2 - sigma**2) * predicted_noise + sigma * fresh

    return lambda t, s, data: row_of(drawn, t, s)


def ended(kernel, data):
    """The means and the variances at all levels of a chain."""
    return laws(one_by_one(kernel, LEAPS, data), data)


# Draws


def drawn(world, jump):
    """The data, x_t and fresh noise."""

    def draw(rng, n):
        x_0, _, x_t = world.forward(jump)(rng, n)
        return x_0, x_t, rng.standard_normal(n)

    return draw


def stays(mean, variance, jump, part):
    """Given x_0, the x_s that the kernel draws from x_t has the law of the forward process."""

    def scores(x_0, x_t, fresh):
        at = letters(jump, part, x_0=x_0, x_t=x_t)
        x_s = mean(**at) + sqrt(variance(**at)) * fresh
        end = standardised_by(x_s, sqrt(jump.alpha_bar_prev) * x_0, 1 - jump.alpha_bar_prev)
        return law(end, given=(x_0,))

    return scores


# Integrals along the way, from alpha_bar at t to alpha_bar at s


def along(jump, rate):
    """The integral of a rate in alpha_bar."""
    start, way = jump.alpha_bar, jump.alpha_bar_prev - jump.alpha_bar
    return integral_over_unit(lambda u, _: way * rate(start + way * u))


def slid(jump, x_t, noise):
    """x/sqrt(alpha_bar) moves by the noise, as sqrt((1 - alpha_bar)/alpha_bar) changes."""
    moved = along(jump, lambda bar: -noise / (2 * bar**2 * sqrt((1 - bar) / bar)))
    return from_start(moved, x_t / sqrt(jump.alpha_bar), sqrt(jump.alpha_bar_prev))


def led(jump, x_t, x_0):
    """x/sigma moves by e^lambda times the predicted data, and lambda by 1/(2 alpha_bar (1 - alpha_bar))."""
    moved = along(jump, lambda bar: sqrt(bar / (1 - bar)) * x_0 / (2 * bar * (1 - bar)))
    return from_start(moved, x_t / sqrt(1 - jump.alpha_bar), sqrt(1 - jump.alpha_bar_prev))


def from_start(moved, start, unit):
    def rule(nodes):
        value, size = moved(nodes)
        return unit * (start + value), unit * (abs(start) + size)

    return rule
