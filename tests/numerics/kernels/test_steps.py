"""The flat arrays of a chain say what the table and the world say; what they cannot hold is refused."""

import numpy as np
import pytest

from numerics import worlds
from numerics.kernels import Place, Steps, reference
from numerics.noise import normals
from numerics.solvers import grids, methods
from numerics.solvers.predictions import denoiser
from numerics.solvers.running import run

RNG = np.random.default_rng(0)
WORLDS = {
    "line": worlds.mixture([0.2, 0.5, 0.0, 0.3], [-1.5, 0.2, 9.0, 2.0], [0.3, 0.1, 1.0, 0.0]),
    "plane": worlds.mixture([0.3, 0.7], [[-1.1, 0.4], [0.8, -0.3]], [0.5, 0.2]),
    "points": worlds.empirical(RNG.standard_normal((40, 3))),
    "turned": worlds.mixture([0.3, 0.7], [[-1.1, 0.4], [0.8, -0.3]], np.stack([0.5 * np.eye(2), 0.2 * np.eye(2)])),
}
GRIDS = {
    "some noise left": grids.log_snr(12, 20.0, 0.1),
    "to the data": grids.karras(9),
    "without signal": grids.flow(8),
}
HELD = "ddpm", "ddim", "euler-ancestral", "dpmpp-1", "dpmpp-2m", "sde-dpmpp-1", "sde-dpmpp-2m", "euler", "flow-euler"
HELD += "euler-maruyama", "langevin", "naive"
SIGNAL = "euler-ancestral", "euler", "euler-maruyama", "langevin", "naive"  # these begin at a level with some signal


def size(table, world, x):
    """How large numbers become that are added up, at most: coefficients times the state, rows after rows."""
    return max(abs(c) for row in table.rows for c in [*row.maps["x"].values(), row.noise, 1.0])


@pytest.mark.parametrize("levels", GRIDS)
@pytest.mark.parametrize("name", HELD)
@pytest.mark.parametrize("where", WORLDS)
def test_the_chain_is_that_of_the_reference_loop(where, name, levels):
    if levels == "without signal" and name in SIGNAL:
        return
    world, table = WORLDS[where], methods.METHODS[name](GRIDS[levels])
    shape = (50,) if world.dimension is None else (50, world.dimension)
    d = 1 if world.dimension is None else world.dimension
    level = table.grid[0]
    x = (level.size if level.noise else 1.0) * np.random.default_rng(1).standard_normal(shape)

    def noise(row, x):
        return normals(3, 0, 7, len(x), row * d, d).reshape(x.shape)

    expected = run(table, denoiser(world), x, noise)
    found = x.copy()
    reference.chain(found, Steps.of(table, world, np.float64), Place(3, first=7))
    assert np.allclose(found, expected, rtol=1e-9, atol=1e-9)
