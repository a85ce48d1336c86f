"""The loop does what the table says, with NumPy and with torch, and says what is wrong where a network is."""

from dataclasses import replace

import numpy as np
import pytest

from numerics import schedules, worlds
from numerics.solvers import grids, methods
from numerics.solvers.predictions import KINDS, converted, denoiser
from numerics.solvers.running import NotFinite, drawn, run, walk
from numerics.solvers.table import Row, Table

WORLD = worlds.mixture([0.3, 0.7], [[-1.1, 0.4], [0.8, -0.3]], [[[0.5, 0.1], [0.1, 0.2]], [[0.3, 0.0], [0.0, 0.6]]])
GRID = grids.log_snr(12, 20.0, 0.1)
TRUTH = denoiser(WORLD)
X = np.random.default_rng(5).standard_normal((7, 2))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("method", methods.METHODS.values(), ids=lambda m: m.__name__)
def test_what_the_network_predicts_makes_no_difference(method, kind):
    table = method(GRID)
    if not table.evaluations:
        return
    expected = run(table, TRUTH, X, drawn(3))
    found = run(table.predicting(kind), converted(TRUTH, kind), X, drawn(3))
    assert np.allclose(found, expected, rtol=0, atol=1e-11)


def test_every_level_is_reached_once_and_in_order():
    for method in methods.METHODS.values():
        reached = [k for k, _ in walk(method(GRID), TRUTH, X)]
        assert reached == list(range(1, len(GRID) + 1))


def magnitude(table, x, noise):
    """How large what is added up becomes, row by row, if nothing cancels: roundings are so many last bits of it."""
    sizes, largest = dict.fromkeys(table.registers, 0.0) | {"x": np.max(np.abs(x))}, 0.0
    for k, row in enumerate(table.rows):
        sizes["p"] = 4.0  # predictions of x_0 are not beyond that here
        sizes |= {target: sum(abs(c) * sizes[name] for name, c in sum_.items()) for target, sum_ in row.maps.items()}
        if row.noise:
            sizes["x"] += row.noise * np.max(np.abs(noise(k, x)))
        largest = max(largest, *sizes.values())
    return largest


@pytest.mark.parametrize("method", methods.METHODS.values(), ids=lambda m: m.__name__)
def test_single_precision_of_torch_agrees_with_double_precision_of_numpy(method):
    """Within the roundings of the rows, each a few last bits of what it adds up; the network is the same numbers."""
    torch = pytest.importorskip("torch")
    table, draw = method(GRID), drawn(3)
    given = iter(np.random.default_rng(9).uniform(-2, 2, (table.evaluations, *X.shape)).astype(np.float32))
    said = list(given)
    in_double, in_single = iter(said), iter(said)
    expected = run(table, lambda x, level: next(in_double).astype(float), X, draw)
    found = run(table, lambda x, level: torch.asarray(next(in_single)), torch.asarray(X, dtype=torch.float32), draw)
    assert found.dtype == torch.float32
    roundings = 8 * len(table.rows) * 2.0**-24
    assert np.max(np.abs(found.numpy() - expected)) <= roundings * magnitude(table, X, draw)


def test_torch_in_double_precision_gives_the_same_numbers():
    torch = pytest.importorskip("torch")
    for method in methods.METHODS.values():
        expected = run(method(GRID), TRUTH, X, drawn(3))
        found = run(method(GRID), TRUTH, torch.asarray(X), drawn(3))
        assert np.allclose(found.numpy(), expected, rtol=0, atol=1e-12)


def test_a_run_goes_on_where_another_stopped_with_what_it_remembered():
    table, seen = methods.dpmpp_3m(GRID), []

    def watched(x, level):
        seen.append(TRUTH(x, level))
        return seen[-1]

    reached = [x for _, x in walk(table, watched, X)]
    held = {"d": seen[4], "d'": seen[3]}
    rest = [x for _, x in walk(replace(table, rows=table.rows[5:]), TRUTH, reached[4], held=held)]
    assert np.array_equal(rest, reached[5:])


def test_a_prediction_that_is_no_number_is_refused_with_its_place():
    def broken(x, level):
        return np.where(level.time < 0, np.nan, 1.0) * x

    with pytest.raises(NotFinite, match=r"row \d+ of 12: the prediction at time .* but x is: look at the network"):
        run(methods.dpmpp_2m(GRID), broken, X)
    with pytest.raises(NotFinite, match="and neither is x"):
        run(methods.dpmpp_2m(GRID), TRUTH, X * np.inf)


def test_a_prediction_of_another_shape_is_refused():
    with pytest.raises(ValueError, match=r"row 0 of 12: the prediction has shape \(7,\); expected that of x, \(7, 2\)"):
        run(methods.dpmpp_1(GRID), lambda x, level: x[:, 0], X)


def test_without_signal_noise_says_nothing_about_the_data():
    grid = grids.trailing(schedules.zero_terminal_snr(schedules.linear()), 10)
    for kind in ("noise", "score"):
        with pytest.raises(ValueError, match="says nothing about x_0"):
            methods.dpmpp_2m(grid).predicting(kind)
    for kind in ("v", "velocity"):
        assert np.all(np.isfinite(run(methods.dpmpp_2m(grid).predicting(kind), converted(TRUTH, kind), X)))
    with pytest.raises(ValueError, match="there is no prediction called f; expected one of x_0, noise"):
        methods.dpmpp_2m(GRID).predicting("f")
    with pytest.raises(ValueError, match="already around a network that predicts v"):
        methods.dpmpp_2m(GRID).predicting("v").predicting("v")


def test_a_coefficient_that_is_not_finite_makes_no_table():
    with pytest.raises(ValueError, match="row 0 of some has a coefficient that is not finite"):
        Table("some", GRID, (Row(GRID[0], {"x": {"x": np.nan}}),))
