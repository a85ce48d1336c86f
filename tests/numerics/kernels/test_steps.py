"""The flat arrays of a chain say what the table and the world say; what they cannot hold is refused."""

from dataclasses import replace

import numpy as np
import pytest

from numerics import worlds
from numerics.kernels import Place, Steps, reference
from numerics.noise import normals
from numerics.solvers import grids, methods
from numerics.solvers.predictions import denoiser
from numerics.solvers.running import run
from numerics.solvers.table import Row, Table
from tests.numerics.kernels.roundings import DOUBLE, of_chain

RNG = np.random.default_rng(0)
WORLDS = {
    "line": worlds.mixture([0.2, 0.5, 0.0, 0.3], [-1.5, 0.2, 9.0, 2.0], [0.3, 0.1, 1.0, 0.0]),
    "plane": worlds.mixture([0.3, 0.7], [[-1.1, 0.4], [0.8, -0.3]], [0.5, 0.2]),
    "points": worlds.empirical(RNG.standard_normal((40, 3))),
    "turned": worlds.mixture([0.3, 0.7], [[-1.1, 0.4], [0.8, -0.3]], np.stack([0.5 * np.eye(2), 0.2 * np.eye(2)])),
}
GRIDS = {"noise left": grids.log_snr(12, 20.0, 0.1), "to the data": grids.karras(9), "no signal": grids.flow(8)}
HELD = ["ddpm", "ddim", "euler-ancestral", "dpmpp-1", "dpmpp-2m", "sde-dpmpp-1", "sde-dpmpp-2m", "euler", "flow-euler"]
HELD += ["euler-maruyama", "langevin", "naive"]
SIGNAL = {"euler-ancestral", "euler", "euler-maruyama", "langevin", "naive"}  # begin at a level with some signal


@pytest.mark.parametrize("levels", GRIDS)
@pytest.mark.parametrize("name", HELD)
@pytest.mark.parametrize("where", WORLDS)
def test_the_chain_is_that_of_the_reference_loop(where, name, levels):
    if levels == "no signal" and name in SIGNAL:
        return
    world, table = WORLDS[where], methods.METHODS[name](GRIDS[levels])
    d = world.dimension or 1
    x = table.grid[0].size * np.random.default_rng(1).standard_normal((50, d))

    def noise(row, x):
        return normals(3, 0, 7, len(x), row * d, d).reshape(x.shape)

    shaped = x if world.dimension else x[:, 0]
    expected = run(table, denoiser(world), shaped, noise)
    found, steps = shaped.copy(), Steps.of(table, world, np.float64)
    reference.chain(found, steps, Place(3, first=7))
    # Two computations, each with roundings of its own; an exponential of NumPy is good to 4 last bits.
    _, error = of_chain(steps, x, lambda k: noise(k, x), DOUBLE, 8 * DOUBLE, 0.0)
    off = np.linalg.norm((found - expected).reshape(x.shape), axis=-1, keepdims=True)
    assert np.all(off <= 2 * error + 1e-300)


def test_components_without_weight_are_left_out():
    steps = Steps.of(methods.ddpm(GRIDS["noise left"]), WORLDS["line"])
    assert steps.terms.shape == (12, 3, 4)
    assert steps.means[:, 0].tolist() == pytest.approx([-1.5, 0.2, 2.0])
    assert all(part.dtype == np.float32 and part.flags.c_contiguous for part in (steps.rows, steps.terms, steps.means))
    assert steps.stochastic
    assert not steps.remembers
    assert Steps.of(methods.dpmpp_2m(GRIDS["noise left"]), WORLDS["line"]).remembers


TILTED = worlds.gaussian([0.0, 0.0], [[1.0, 0.5], [0.5, 1.0]])
PLANE, LEVELS = WORLDS["plane"], GRIDS["noise left"]


def made(*rows):
    return Table("mine", LEVELS, rows)


@pytest.mark.parametrize(
    ("table", "world", "message"),
    [
        (methods.ddpm(LEVELS), TILTED, r"component 0 of the world has the variances \[0.5 1.5\]"),
        (methods.ddpm(LEVELS), PLANE.marginal([0.5, 0.7]), r"the world is a batch of laws, \(2,\)"),
        (methods.dpmpp_3m(LEVELS), PLANE, "dpmpp-3m remembers d, d'; expected one earlier prediction"),
        (methods.heun(LEVELS), PLANE, "heun remembers y, k; expected one earlier prediction"),
        (methods.ddpm(LEVELS).predicting("noise"), PLANE, "predicts noise; expected x_0"),
        (made(Row(None, {"x": {"x": 1.0, "p": 1.0}})), PLANE, "row 0 of mine uses a prediction that it does not ask"),
        (made(Row(LEVELS[0], {"x": {"p": 1.0}, "d": {"x": 1.0}})), PLANE, "row 0 of mine remembers something else"),
        (made(Row(LEVELS[0], {"x": {"d": 1.0}, "d": {"p": 1.0}})), PLANE, "row 0 of mine uses a prediction before it"),
    ],
)
def test_what_two_registers_cannot_hold_is_refused(table, world, message):
    with pytest.raises(ValueError, match=message):
        Steps.of(table, world)


@pytest.mark.parametrize("column", range(5))
def test_every_column_of_a_row_matters(column):
    """A thousandth more in one of them, in one row, is seen above all roundings."""
    table = methods.sde_dpmpp_2m(LEVELS)
    x = 20 * np.random.default_rng(2).standard_normal((20, 2))
    steps, row = Steps.of(table, PLANE, np.float64), 6
    rows = steps.rows.copy()
    rows[row, column] *= 1.001
    ends = [x.copy(), x.copy()]
    for end, one in zip(ends, (steps, replace(steps, rows=rows))):
        reference.chain(end, one, Place(3))
    _, error = of_chain(steps, x, lambda k: normals(3, 0, 0, 20, 2 * k, 2), DOUBLE, 8 * DOUBLE, 0.0)
    assert np.any(np.linalg.norm(ends[1] - ends[0], axis=-1, keepdims=True) > 100 * error)
