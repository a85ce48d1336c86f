"""What tries to refute the page on SDE-DPM-Solver++: Bayes' rule, integrals, and what becomes of a point."""

from hypothesis import strategies as st
from numpy import exp, log, sqrt

from ...quadrature import integral_over_unit
from ...statistics import close, for_all, matches
from ...worlds import Step
from ..reversal.posterior import regressed
from .ddim import along

numbers, shares = st.floats(-4, 4), st.floats(0.05, 0.95)
jumps = st.builds(Step, alpha=shares, alpha_bar_prev=shares)  # from t to s, where the variance is preserved
scales = st.floats(0.2, 5)


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
