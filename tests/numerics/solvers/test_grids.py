"""Grids go from noise to data, whatever the scale of x; what is no grid is refused in words."""

import numpy as np
import pytest

from numerics import schedules
from numerics.solvers import grids
from numerics.solvers.grids import Grid

SCHEDULE = schedules.linear()
OF_A_SCHEDULE = [grids.linspace, grids.leading, grids.trailing]
IN_CONTINUOUS_TIME = {
    "log_snr": grids.log_snr,
    "karras": grids.karras,
    "karras, not to zero": lambda steps: grids.karras(steps, to_zero=False),
    "flow": grids.flow,
    "uniform": lambda steps: grids.uniform(lambda t: np.exp(-0.1 * t - 9.95 * t**2), steps),
}


@pytest.mark.parametrize("steps", [1, 2, 7, 13, 250, 1000])
@pytest.mark.parametrize("spacing", OF_A_SCHEDULE, ids=lambda f: f.__name__)
def test_times_of_a_schedule_decrease_to_zero(spacing, steps):
    grid = spacing(SCHEDULE, steps)
    assert len(grid) == steps
    assert grid.times[-1] == 0
    assert (grid.scales[-1], grid.noises[-1]) == (1, 0)
    assert np.all(np.diff(grid.times) < 0)
    assert np.array_equal(grid.alpha_bars[:-1], SCHEDULE.alpha_bar(grid.times[:-1].astype(int))) or np.allclose(
        grid.alpha_bars, SCHEDULE.alpha_bar(grid.times.astype(int)), rtol=1e-14
    )


def test_spacings_begin_where_they_say():
    assert [f(SCHEDULE, 10).times[0] for f in OF_A_SCHEDULE] == [1000, 901, 1000]
    assert [f(SCHEDULE, 10).times[-2] for f in OF_A_SCHEDULE] == [1, 1, 100]
    for spacing in OF_A_SCHEDULE:
        assert np.array_equal(spacing(SCHEDULE, 1000).times, np.arange(1000, -1, -1))


@pytest.mark.parametrize("steps", [0, -3, 2.5, 1001])
@pytest.mark.parametrize("spacing", OF_A_SCHEDULE, ids=lambda f: f.__name__)
def test_a_schedule_has_so_many_times_and_no_more(spacing, steps):
    with pytest.raises(ValueError, match="a whole number from 1 to 1000") as news:
        spacing(SCHEDULE, steps)
    assert ("(the grids uniform, log-snr, karras and flow take as many as wanted)" in str(news.value)) == (steps > 1000)


@pytest.mark.parametrize("steps", [1, 2, 50, 1000, 3000])
@pytest.mark.parametrize("name", IN_CONTINUOUS_TIME)
def test_continuous_time_takes_any_number_of_steps(name, steps):
    grid = IN_CONTINUOUS_TIME[name](steps)
    assert len(grid) == steps
    with np.errstate(invalid="ignore"):
        assert np.all(np.diff(grid.sigmas)[1:] < 0)


@pytest.mark.parametrize("name", IN_CONTINUOUS_TIME)
def test_no_steps_are_no_grid(name):
    for steps in (0, -1, 1.5):
        with pytest.raises(ValueError, match="at least one step"):
            IN_CONTINUOUS_TIME[name](steps)


def test_karras_and_log_snr_space_what_they_say():
    sigmas = grids.karras(9, sigma_max=50, sigma_min=0.01, rho=5).sigmas
    assert sigmas[-1] == 0
    assert np.allclose(np.diff(sigmas[:-1] ** (1 / 5), n=2), 0, atol=1e-14)
    assert np.allclose(sigmas[[0, -2]], [50, 0.01])
    steps = np.diff(np.log(grids.log_snr(9, 30, 0.1).sigmas))
    assert np.allclose(steps, steps[0])


@pytest.mark.parametrize("units", grids.UNITS)
def test_units_change_the_scale_of_x_and_nothing_else(units):
    grid = grids.log_snr(7)
    other = grid.in_units(units)
    assert np.allclose(other.sigmas, grid.sigmas, rtol=1e-14)
    assert np.array_equal(other.times, grid.times)
    size = {"vp": np.hypot(other.scales, other.noises), "ve": other.scales, "flow": other.scales + other.noises}
    assert np.allclose(size[units], 1, rtol=1e-15)


def test_levels_know_their_signal_and_their_noise():
    level = grids.log_snr(5, units="ve")[2]
    assert level.alpha_bar == pytest.approx(1 / (1 + level.noise**2), rel=1e-14)
    assert level.sigma == level.noise
    assert grids.flow(4)[0].sigma == np.inf
    assert grids.flow(4)[0].alpha_bar == 0


BAD = [
    ({"scales": [1, 1, 1], "noises": [2, 1, 1]}, "level 2 of the grid repeats level 1"),
    ({"scales": [1, 1, 1], "noises": [2, 3, 1]}, "level 1 of the grid has more noise than level 0"),
    ({"scales": [0, 0, 1], "noises": [1, 1, 0]}, "level 1 of the grid repeats level 0"),
    ({"scales": [1, np.nan], "noises": [2, 1]}, r"scales\[1\] is nan"),
    ({"scales": [1, 1], "noises": [np.inf, 1]}, r"noises\[0\] is inf"),
    ({"scales": [1, 1], "noises": [1, -1]}, "not negative"),
    ({"scales": [1, 0], "noises": [1, 0]}, "not both zero"),
    ({"scales": [1], "noises": [1]}, "N >= 1 steps"),
    ({"scales": [1, 1], "noises": [2, 1, 0]}, "expected"),
    ({"scales": [1, 1], "noises": [2, 1], "times": [1, 2, 3]}, "one for each level"),
]


@pytest.mark.parametrize(("given", "message"), BAD, ids=[m for _, m in BAD])
def test_what_is_no_grid_is_refused(given, message):
    with pytest.raises(ValueError, match=message):
        Grid(**given)


def test_times_that_repeat_or_go_up_are_refused():
    for times, message in (
        ([500, 500], "time 500 comes after time 500"),
        ([300, 400], "time 400 comes after time 300"),
    ):
        with pytest.raises(ValueError, match=message):
            grids.visiting(SCHEDULE, times)
    with pytest.raises(ValueError, match=r"outside 0..1000"):
        grids.visiting(SCHEDULE, [1200, 3])
    with pytest.raises(ValueError, match="time 0 comes after time 0"):
        grids.visiting(SCHEDULE, [3, 0])


def test_units_and_ends_are_refused_in_words():
    with pytest.raises(ValueError, match="expected one of vp, ve, flow"):
        grids.log_snr(3, units="edm")
    with pytest.raises(ValueError, match="sigma is infinite"):
        grids.flow(3).in_units("ve")
    for ends in ((1, 2), (1, 0), (1, 1), (np.inf, 1)):
        with pytest.raises(ValueError, match="0 < sigma_min < sigma_max"):
            grids.karras(3, *ends)


def test_a_schedule_that_ends_in_noise_alone_gives_a_grid():
    grid = grids.trailing(schedules.zero_terminal_snr(SCHEDULE), 10)
    assert grid[0].alpha_bar == 0
    assert np.all(np.isfinite(grid.sigmas[1:]))
