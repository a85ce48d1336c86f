"""What tries to refute the page on SDE-DPM-Solver++: Bayes' rule, integrals, and what becomes of a point."""

import numpy as np
from hypothesis import strategies as st
from numpy import exp, log, sqrt

from ...quadrature import integral_over_unit
from ...solvers.steps import step as row_of
from ...statistics import above, by_running, close, for_all, matches
from ...worlds import Step, gaussian
from ..chains import drawing, has_laws, laws, one_by_one, or_nowhere
from ..reversal.posterior import regressed
from ..reversal.step import GAUSSIANS
from .ddim import along, stepping
from .ddim import ended as laws_of
from .ddpm import LEAPS, adding, given_both_ends
from .multistep import PREDICTIONS, UNEVEN, X_T, chained, said

numbers, shares = st.floats(-4, 4), st.floats(0.05, 0.95)
jumps = st.builds(Step, alpha=shares, alpha_bar_prev=shares)  # from t to s, where the variance is preserved
scales = st.floats(0.2, 5)
FRESH = np.array([0.71, -1.13, 0.37])
UNITS = ("vp", "ve", "flow")


def sde_dpmpp_1(step, step_2m, noise_step, noise_variance):
    """DDPM's draw by Bayes' rule; integrals of held predictions, in two times; the variance with which a point ends."""

    def ancestral(jump, x_t, fresh, x_0):
        mean, variance = regressed(jump, x_0, x_t)
        at = preserving(jump) | {"x_t": x_t, "fresh": fresh, "predicted_x_0": x_0}
        size = (abs(x_t) + abs(x_0)) / (1 - jump.alpha_bar) + abs(fresh)
        return matches(step, at, mean + sqrt(variance) * fresh, magnitude=size)

    def line_held(at, r, x_0, x_0_before):
        seen = {"r": r, "predicted_x_0": x_0, "predicted_prev": x_0_before}
        slope = (x_0 - x_0_before) / (r * at["h"])
        return close(step_2m, at | seen, led(at, x_0 + slope * at["h"] / 2))

    def noise_held(jump, x_t, fresh, noise):
        at = preserving(jump) | {"x_t": x_t, "fresh": fresh}
        return close(noise_step, at | {"predicted_noise": noise}, anderson(at, jump, noise))

    yield for_all(jump=jumps, x_0=numbers, x_t=numbers, fresh=numbers)(ancestral)
    yield for_all(at=starts, x_0=numbers)(lambda at, x_0: close(step, at | {"predicted_x_0": x_0}, led(at, x_0)))
    yield for_all(at=starts, r=st.floats(0.3, 3), x_0=numbers, x_0_before=numbers)(line_held)
    yield for_all(at=starts, noise=numbers)(
        lambda at, noise: close(noise_step, at | {"predicted_noise": noise}, led_by_noise(at, noise))
    )
    yield for_all(jump=jumps, x_t=numbers, fresh=numbers, noise=numbers)(noise_held)
    yield for_all(at=starts)(lambda at: matches(noise_variance, at, *ended(noise_step, at)))
    # Whole chains are DDPM's; with draws of the data they keep every level, whatever scale x has.
    for data, _ in GAUSSIANS:
        yield from has_laws(stepping(step), LEAPS, data, laws_of(adding(given_both_ends), data))
        for units in UNITS:
            yield from has_laws(drawing(on_the_scale(step, units)), UNEVEN.in_units(units), data)
    # With a network that says a parabola, and the same noise at every step.
    for formulas, expected in (([step], led_by(1)), ([step, step_2m], led_by(2))):
        at, magnitude = {"x": X_T[0], "says": PREDICTIONS}, len(UNEVEN) * (1 + np.abs(expected))
        yield by_running(matches(chained(formulas, lambda row, x: FRESH), at, expected, magnitude))
    # A point: with the noise held every prediction is exact, and no level has its variance.
    for units in UNITS:
        grid, kernel = UNEVEN.in_units(units), on_the_scale(noise_step, units)
        yield by_running(close(noise_variance, at_all_levels(grid), after_one_step(kernel, grid)))
        run = lambda m_0, grid=grid, kernel=kernel: variances_of_a_point(kernel, grid, m_0)
        yield by_running(above(run, {"m_0": 1.37}, grid.noises[1:] ** 2, strict=True))


def letters(a_t, a_s, lambda_t, h, **more):
    """Both levels by all of their names, and what else is given."""
    sigmas = {"sigma_t": a_t * exp(-lambda_t), "sigma_s": a_s * exp(-lambda_t - h)}
    return {"a_t": a_t, "a_s": a_s, "lambda_t": lambda_t, "h": h, **sigmas, **more}


starts = st.builds(letters, scales, scales, lambda_t=st.floats(-2, 2), h=st.floats(0.05, 2), x_t=numbers, fresh=numbers)


def preserving(jump):
    """The letters of a jump from t to s where the variance is preserved."""
    noisy, clean = (log(bar / (1 - bar)) / 2 for bar in (jump.alpha_bar, jump.alpha_bar_prev))
    return letters(sqrt(jump.alpha_bar), sqrt(jump.alpha_bar_prev), noisy, clean - noisy)


def led(at, prediction):
    """The mean of e^lambda x/sigma moves by 2 e^(2 lambda) times the prediction, and its variance by 2 e^(2 lambda)."""
    units = at["sigma_t"] * exp(-at["lambda_t"]), at["sigma_s"] * exp(-at["lambda_t"] - at["h"])
    rate = lambda level: 2 * exp(2 * level)
    return reached(at, units, in_lambda(at, lambda level: rate(level) * prediction), in_lambda(at, rate))


def led_by_noise(at, noise):
    """The mean of x/a moves by -2 e^(-lambda) times the prediction, and its variance by 2 e^(-2 lambda)."""
    pushed = in_lambda(at, lambda level: -2 * exp(-level) * noise)
    return reached(at, (at["a_t"], at["a_s"]), pushed, in_lambda(at, lambda level: 2 * exp(-2 * level)))


def anderson(at, jump, noise):
    """Anderson's diffusion, where beta dt is -d alpha_bar/alpha_bar and the score is -noise/sqrt(1 - alpha_bar)."""
    pushed = along(jump, lambda bar: -noise / sqrt(1 - bar) / bar / sqrt(bar))
    return reached(at, (at["a_t"], at["a_s"]), pushed, along(jump, lambda bar: 1 / bar / bar))


def in_lambda(at, rate):
    """The integral of a rate in lambda."""
    return integral_over_unit(lambda u, _: at["h"] * rate(at["lambda_t"] + at["h"] * u))


def reached(at, units, pushed, spread):
    """The step, in units of x that change on the way: the mean is pushed, and its variance spreads."""
    start = at["x_t"] / units[0]

    def rule(nodes):
        (push, size), (variance, _) = pushed(nodes), spread(nodes)
        drawn = sqrt(variance) * at["fresh"]
        return units[1] * (start + push + drawn), units[1] * (abs(start) + size + abs(drawn))

    return rule


def ended(formula, at):
    """The variance of a step from x_t = sigma_t noise with the noise that is in it, and fresh noise."""
    of_noise = formula(**at | {"x_t": at["sigma_t"], "predicted_noise": 1.0, "fresh": 0.0})
    of_fresh = formula(**at | {"x_t": 0.0, "predicted_noise": 0.0, "fresh": 1.0})
    size = at["a_s"] / at["a_t"] * at["sigma_t"] + 2 * at["sigma_s"] * exp(at["h"])
    return of_noise**2 + of_fresh**2, size**2


# Whole chains


def on_the_scale(formula, units):
    """The row of a step where x has this scale."""
    return lambda t, s, _: row_of(formula, t, s, at_levels(t, s), units=units)


def at_levels(t, s):
    return letters(t.scale, s.scale, log(t.scale / t.noise), log(t.sigma / s.sigma))


def led_by(known):
    """Where this leads, if a step continues so many predictions on a line, and holds what this says in its middle."""
    lambdas, x = -log(UNEVEN.sigmas), [X_T[0]]
    for k, h in enumerate(np.diff(lambdas)):
        says = said(lambdas[k])
        if k and known == 2:
            says = says + (says - said(lambdas[k - 1])) / (lambdas[k] - lambdas[k - 1]) * h / 2
        at = at_levels(UNEVEN[k], UNEVEN[k + 1])
        coordinates = zip(x[-1], FRESH, says, strict=True)
        x.append(np.array([led(at | {"x_t": x_t, "fresh": z}, held)(64)[0] for x_t, z, held in coordinates]))
    return np.array(x)


def at_all_levels(grid):
    """The letters of all steps of a grid."""
    lambdas = -log(grid.sigmas)
    return letters(grid.scales[:-1], grid.scales[1:], lambdas[:-1], np.diff(lambdas))


def variances_of_a_point(kernel, grid, m_0):
    """At all levels after the first."""
    return or_nowhere((2, len(grid) + 1), lambda: laws(one_by_one(kernel, grid), gaussian(m_0, 0.0)))[1, 1:]


def after_one_step(kernel, grid):
    """The same, if every step starts from the right law."""

    def rule(_):
        found = [variances_of_a_point(kernel, grid.between(k, k + 1), 1.37)[0] for k in range(len(grid))]
        return found, np.abs(found)

    return rule
