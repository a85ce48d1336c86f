"""Named samplers: which of them are one, how fast each comes closer, and what they do where grids end."""

from functools import partial

import numpy as np
import pytest

import noiseproof
from numerics import schedules, worlds
from numerics.checks.chains import multistep, smooth_grid
from numerics.checks.sampler.orders import CLUSTERS, missed_by_all
from numerics.compiled import formula, proved
from numerics.solvers import grids, methods, moments, steps
from numerics.solvers.methods import METHODS
from numerics.solvers.predictions import converted, denoiser
from numerics.solvers.running import drawn, run
from numerics.solvers.transport import law, midpoints, quantile, transported

LINEAR = schedules.linear()
GRIDS = {
    "trailing": grids.trailing(LINEAR, 13),
    "every time": grids.trailing(LINEAR, 1000),
    "one step": grids.trailing(LINEAR, 1),
    "leading": grids.leading(LINEAR, 7),
    "log-snr": grids.log_snr(17),
    "log-snr of flow": grids.log_snr(9, units="flow"),
    "karras": grids.karras(12),
    "cosine": grids.linspace(schedules.cosine(), 20),
}
WITHOUT_SIGNAL = {
    "zero terminal SNR": grids.trailing(schedules.zero_terminal_snr(LINEAR), 10),
    "flow": grids.flow(10),
}
NEED_SIGNAL = {"euler", "euler-ancestral", "heun", "euler-maruyama", "naive", "langevin"}
SAME = [
    ("ddpm", "sde-dpmpp-1", {}),
    ("ddpm", "ddim", {"eta": 1.0}),
    ("ddpm", "euler-ancestral", {}),
    ("dpmpp-1", "ddim", {"eta": 0.0}),
    ("dpmpp-1", "euler", {}),
    ("dpmpp-1", "flow-euler", {}),
]


def rows(table):
    """All coefficients, row by row."""
    return [(row.level, m, row.noise) for row, m in table.matrices()]


@pytest.mark.parametrize("name", GRIDS)
@pytest.mark.parametrize(("one", "other", "options"), SAME, ids=[f"{a} is {b}" for a, b, _ in SAME])
def test_two_names_of_one_sampler(one, other, options, name):
    """Row for row, up to the last bits of 1 - alpha_bar, of which some are lost where hardly any noise is left."""
    grid = GRIDS[name]
    pairs = zip(rows(METHODS[one](grid)), rows(METHODS[other](grid, **options)), strict=True)
    size = max(grid[0].size, 1.0)
    for (at, m, c), (at_too, m_too, c_too) in pairs:
        assert at == at_too
        assert np.allclose(m, m_too, rtol=0, atol=1e-12 * size)
        assert c == pytest.approx(c_too, rel=0, abs=1e-12 * size)


@pytest.mark.parametrize("units", grids.UNITS)
def test_a_predicted_noise_is_what_is_left_of_x_in_any_units(units):
    t, s = GRIDS["log-snr of flow"][2], GRIDS["log-snr of flow"][3]
    (sum_,) = steps.step(lambda predicted_noise, **_: predicted_noise, t, s, units=units).maps.values()
    x, p = 0.7, -1.3
    assert sum_["x"] * x + sum_["p"] * p == pytest.approx(steps.size(s, units) * (x - t.scale * p) / t.noise, rel=1e-12)


@pytest.mark.parametrize(
    "formula",
    [
        lambda x_t, predicted_x_0, **_: x_t * predicted_x_0,
        lambda predicted_x_0, fresh, **_: np.clip(predicted_x_0, -1, 1) + fresh,
        lambda x_t, **_: x_t**2,
    ],
)
def test_a_step_that_is_not_linear_makes_no_row(formula):
    grid = GRIDS["karras"]
    with pytest.raises(ValueError, match="is not linear in x_t, predicted_x_0, predicted_noise, fresh: the sum of"):
        steps.step(formula, grid[2], grid[3])


def test_a_step_that_forgets_everything_makes_a_row():
    grid = GRIDS["karras"]
    forgets = lambda k: [steps.step(lambda x_t, **_: 0 * x_t, grid[k], grid[k + 1], reached=k + 1)]
    table = steps.chained("to zero", grid, forgets)
    assert np.array_equal(run(table, denoiser(SMOOTH), np.array([0.7, -1.3])), [0.0, 0.0])


def test_samplers_that_differ_are_told_apart():
    grid = GRIDS["log-snr"]
    tables = {name: method(grid) for name, method in METHODS.items()}
    ends = {name: moments.final(table, 0.4, 0.6) for name, table in tables.items()}
    same = {"ddpm": 0, "sde-dpmpp-1": 0, "euler-ancestral": 0, "dpmpp-1": 1, "ddim": 1, "euler": 1, "flow-euler": 1}
    for a in ends:
        for b in ends:
            if a != b:
                apart = moments.w2(ends[a], ends[b]) > 1e-9
                assert apart != (a in same and b in same and same[a] == same[b]), (a, b)


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("grid", GRIDS | WITHOUT_SIGNAL)
def test_every_grid_gives_finite_numbers_or_a_reason(grid, name):
    on = (GRIDS | WITHOUT_SIGNAL)[grid]
    if grid in WITHOUT_SIGNAL and name in NEED_SIGNAL:
        with pytest.raises(ValueError, match="begins at alpha_bar = 0"):
            METHODS[name](on)
        return
    table = METHODS[name](on)
    end = moments.final(table, 0.4, 0.6)
    assert np.all(np.isfinite(end))
    assert table.source
    assert table.evaluations >= len(on) or name == "naive"


LAND = [name for name in METHODS if name not in ("naive", "langevin", "euler-maruyama")]


@pytest.mark.parametrize("name", LAND)
@pytest.mark.parametrize("grid", ["trailing", "every time", "one step", "karras", "cosine"])
def test_with_one_data_point_they_land_on_it(grid, name):
    """Whatever the number of steps: the prediction is the point, at once and always."""
    data, on = worlds.point(1.3), GRIDS[grid]
    x = on[0].noise * np.random.default_rng(0).standard_normal(50)
    end = run(METHODS[name](on), denoiser(data), x, drawn(1))
    assert np.allclose(end, 1.3, rtol=0, atol=1e-9)


# Orders

STEPS = (24, 48, 96, 192)
SMOOTH = worlds.mixture([0.3, 0.7], [-1.1, 0.8], [0.5, 0.4])
TRAJECTORIES = {
    "ddim": 1, "euler": 1, "flow-euler": 1, "dpmpp-1": 1, "heun": 2, "flow-heun": 2, "dpmpp-2m": 2, "dpmpp-3m": 3
}  # fmt: skip
LAWS = {"ddpm": 1, "euler-ancestral": 1, "sde-dpmpp-1": 1, "sde-dpmpp-2m": 2, "euler-maruyama": 1}


def test_every_order_that_is_declared_is_measured():
    tables = {name: method(GRIDS["log-snr"]) for name, method in METHODS.items()}
    declared = {name: table for name, table in tables.items() if table.order}
    assert {name: table.order for name, table in declared.items() if not table.stochastic} == TRAJECTORIES
    assert {name: table.order for name, table in declared.items() if table.stochastic} == LAWS


def slopes(errors):
    return np.log2(np.array(errors[:-1]) / np.array(errors[1:]))


def missed(table):
    """By trajectories, at the end of the grid: against the exact ends, in root mean square."""
    start, end = table.grid[0], table.grid[len(table.grid)]
    x = quantile(law(SMOOTH, start), midpoints(100))
    found = run(table, denoiser(SMOOTH), x)
    return np.sqrt(np.mean((found - transported(SMOOTH, x, start, end)) ** 2))


@pytest.mark.parametrize("name", TRAJECTORIES)
def test_the_order_of_trajectories_is_as_declared(name):
    """On the smooth grid: within a tenth where steps are smallest."""
    errors = [missed(METHODS[name](grids.log_snr(n))) for n in STEPS]
    assert slopes(errors)[-1] == pytest.approx(TRAJECTORIES[name], abs=0.1)


def test_what_the_first_step_misses_remains_if_a_run_begins_with_signal():
    """It is DDIM's, and its error of second order: 3M comes to no more then, and 2M needs no more."""
    for name in ("dpmpp-2m", "dpmpp-3m"):
        errors = [missed(METHODS[name](grids.log_snr(n, sigma_max=3.0, sigma_min=0.3))) for n in STEPS]
        assert slopes(errors)[-1] == pytest.approx(2, abs=0.1)


def test_half_the_curvature_costs_3m_an_order():
    """With the first predictions known, so that nothing is lost at the start."""
    claim = noiseproof.claims()["sampler.dpmpp-2m"]
    *before, step_3m = (proved(claim.id, name) for name in ("step_1", "step_2m", "step_3m"))
    half = formula(claim, claim.mistakes["half-curvature"]["step_3m"])
    for third, order in ((step_3m, 3), (half, 2)):
        table_of = partial(multistep, [*before, third], known=2)
        errors = [missed_by_all(table_of, CLUSTERS, smooth_grid, 2, n)[0] for n in (128, 256)]
        assert slopes(errors)[-1] == pytest.approx(order, abs=0.1)


@pytest.mark.parametrize("name", LAWS)
def test_the_order_of_laws_is_as_declared(name):
    """The variance of a chain on Gaussian data, by recursion: no draw is needed to see it."""
    errors, order = [], LAWS[name]
    for n in (96, 192, 384, 768):
        table = METHODS[name](grids.log_snr(n))
        errors.append(abs(moments.final(table, 0.4, 0.6).variance - moments.exact(0.4, 0.6, table.grid[n]).variance))
    assert slopes(errors)[-1] == pytest.approx(order, abs=0.1)


def test_options_are_known_by_name():
    assert methods.options(METHODS["ddim"]) == {"eta": 0.0}
    assert methods.options(METHODS["dpmpp-2m"]) == {}


def test_the_naive_chain_explodes_as_proved():
    """From N(0, 1) it ends with the variance 2 / alpha_bar_T - 1, whatever the number of steps."""
    for grid in (GRIDS["trailing"], GRIDS["every time"]):
        bar = grid[0].alpha_bar
        for start in (moments.Moments(0.0, 1.0),):
            end = moments.final(METHODS["naive"](grid), 0.4, 0.6, start)
            assert end.variance == pytest.approx(2 / bar - 1, rel=1e-10)


def test_churn_adds_noise_and_leaves_the_law_alone_as_steps_shrink():
    ends = [moments.final(METHODS["heun"](grids.log_snr(n), churn=10.0), 0.4, 0.6).variance for n in (50, 100, 200)]
    exact = moments.exact(0.4, 0.6, grids.log_snr(50)[50]).variance
    errors = np.abs(np.array(ends) - exact)
    assert np.all(np.diff(errors) < 0)
    assert errors[-1] < 1e-3
    assert METHODS["heun"](grids.log_snr(50), churn=10.0).stochastic


def test_guidance_is_the_same_in_every_prediction():
    """A sampler guided in the predicted noise is the one guided in the predicted x_0."""
    labelled, all_of_them = worlds.gaussian(0.8, 0.3), worlds.mixture([0.4, 0.6], [0.8, -0.9], [0.3, 0.5])
    table, x = METHODS["dpmpp-2m"](grids.log_snr(10)), np.linspace(-2, 2, 9)

    def end(kind, w):
        some = table if kind == "x_0" else table.predicting(kind)
        both = (converted(denoiser(world), kind) for world in (labelled, all_of_them))
        return run(some, methods.classifier_free(*both, w), x)

    for kind in ("noise", "v", "score", "velocity"):
        assert np.allclose(end(kind, 1.5), end("x_0", 1.5), rtol=0, atol=1e-11)
    assert np.allclose(end("x_0", 0.0), run(table, denoiser(labelled), x), rtol=0, atol=1e-14)
    assert np.allclose(end("x_0", -1.0), run(table, denoiser(all_of_them), x), rtol=0, atol=1e-14)
    assert np.max(np.abs(end("x_0", 1.5) - end("x_0", 0.0))) > 0.1
