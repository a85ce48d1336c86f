"""A run by kernels is the run of the reference loop, with every backend, and part by part."""

import numpy as np
import pytest

from numerics import kernels, worlds
from numerics.noise import normals
from numerics.solvers import grids, methods
from numerics.solvers.predictions import denoiser
from numerics.solvers.running import run

WORLD = worlds.mixture([0.3, 0.7], [[-1.1, 0.4, 0.0], [0.8, -0.3, 0.2]], [0.5, 0.2])
GRID = grids.log_snr(9, 20.0, 0.1)
BACKENDS = ["numba np", "torch", "numba torch", "reference np", "reference torch"]


def drawn(seed, first):
    def noise(row, x):
        d = x[0].size
        return normals(seed, 0, first, len(x), row * d, d).reshape(x.shape)

    return noise


@pytest.mark.parametrize("name", methods.METHODS)
@pytest.mark.parametrize("backend", BACKENDS)
def test_every_method_by_every_backend(name, backend):
    backend, _, library = backend.partition(" ")
    table, x = methods.METHODS[name](GRID), np.random.default_rng(1).standard_normal((37, 3)).astype(np.float32)
    expected = run(table, denoiser(WORLD), x.astype(float), drawn(3, 5))
    if library != "np":
        x = pytest.importorskip("torch").from_numpy(x)
    found = kernels.run(table, denoiser(WORLD), x, seed=3, first=5, backend=backend)
    chained = kernels.chain(table, WORLD, x, seed=3, first=5, backend=backend)
    for one in (found, chained):
        assert one.dtype == x.dtype
        assert np.allclose(np.asarray(one), expected, rtol=0, atol=1e-4 * np.abs(expected).max())
