"""A run by kernels is the run of the reference loop, to rounding, by every backend, and whatever the network does."""

import numpy as np
import pytest

from numerics import kernels, worlds
from numerics.kernels import Place, Steps
from numerics.noise import normals
from numerics.solvers import grids, methods
from numerics.solvers.predictions import converted, denoiser
from numerics.solvers.running import NotFinite, run
from numerics.solvers.table import Row, Table
from tests.numerics.kernels.roundings import of_chain, of_rows

F = np.float32
WORLD = worlds.mixture([0.3, 0.7], [[-1.1, 0.4, 0.0], [0.8, -0.3, 0.2]], [0.5, 0.2])
GRID = grids.log_snr(9, 20.0, 0.1)
X = np.random.default_rng(1).standard_normal((37, 3)).astype(F)
BACKENDS = ["reference", "numba", "torch", "reference of torch", "numba of torch"]


def arrays(backend):
    """The name of the backend, and what makes its arrays."""
    name, _, of_torch = backend.partition(" of ")
    if name != "reference":
        pytest.importorskip(name)
    if not of_torch and name != "torch":
        return name, np.array
    torch = pytest.importorskip("torch")
    return name, lambda x: torch.from_numpy(np.array(x))


def drawn(row, x):
    """The normals of seed 3, from particle 5 on."""
    d = x[0].size
    return normals(3, 0, 5, len(x), row * d, d).reshape(x.shape)


@pytest.mark.parametrize("name", methods.METHODS)
@pytest.mark.parametrize("backend", BACKENDS)
def test_every_method_by_every_backend(name, backend):
    backend, made = arrays(backend)
    table = methods.METHODS[name](GRID)
    said = np.random.default_rng(9).uniform(-2, 2, (table.evaluations, *X.shape)).astype(F)
    double, single = iter(said.astype(float)), iter(said)
    expected = run(table, lambda x, level: next(double), X.astype(float), drawn)
    x = made(X)
    end = kernels.run(table, lambda x, level: made(next(single)), x, seed=3, first=5, backend=backend)
    assert type(end) is type(x)
    assert end.dtype == x.dtype
    assert np.array_equal(np.asarray(x), X), "x was overwritten"
    allowed = of_rows(table, X.astype(float), said, lambda k: drawn(k, X))
    assert np.all(np.abs(np.asarray(end) - expected) <= allowed)


@pytest.mark.parametrize("name", ["ddpm", "sde-dpmpp-2m", "heun"])
@pytest.mark.parametrize("backend", BACKENDS)
def test_a_chain_by_every_backend(name, backend):
    backend, made = arrays(backend)
    table = methods.METHODS[name](GRID)
    end = np.asarray(kernels.chain(table, WORLD, made(X), seed=3, first=5, backend=backend))
    if name == "heun":  # it remembers too much for a chain
        assert np.array_equal(end, np.asarray(kernels.run(table, denoiser(WORLD), made(X), 3, 5, backend)))
        return
    expected, error = of_chain(Steps.of(table, WORLD, np.float64), X, lambda k: drawn(k, X))
    assert np.all(np.linalg.norm(end - expected, axis=-1, keepdims=True) <= error)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("variance", [0.0, 1e-4])
def test_a_chain_on_many_points_far_from_zero_is_right_to_rounding(variance, backend):
    backend, made = arrays(backend)
    rng, table = np.random.default_rng(6), methods.ddim(grids.log_snr(12, 20.0, 0.01))
    world = worlds.mixture(np.full(40, 1 / 40), 1000 + rng.standard_normal((40, 3)), variance)
    x = (table.grid[0].scale * 1000 + rng.standard_normal((50, 3))).astype(F)
    expected, error = of_chain(Steps.of(table, world, np.float64), x, None)
    end = np.asarray(kernels.chain(table, world, made(x), backend=backend))
    assert np.all(np.linalg.norm(end - expected, axis=-1, keepdims=True) <= error)


def test_a_chain_around_another_prediction_is_the_same_chain():
    table = methods.dpmpp_2m(GRID)
    expected, _ = of_chain(Steps.of(table, WORLD, np.float64), X, None)
    end = kernels.chain(table.predicting("v"), WORLD, X.astype(float))
    assert np.allclose(end, expected, rtol=0, atol=1e-12)
    network = converted(denoiser(WORLD), "v")
    single = kernels.chain(table.predicting("v"), WORLD, X)  # row by row
    assert np.array_equal(single, kernels.run(table.predicting("v"), network, X))


def test_a_chain_in_bfloat16_is_rounded_at_its_ends_alone():
    torch = pytest.importorskip("torch")
    for name in ("ddpm", "heun"):
        table, x = methods.METHODS[name](GRID), torch.from_numpy(X).bfloat16()
        expected = kernels.chain(table, WORLD, x.float(), seed=3)
        assert torch.equal(kernels.chain(table, WORLD, x, seed=3), expected.bfloat16())


def test_double_precision_is_the_reference():
    table = methods.sde_dpmpp_2m(GRID)
    expected = run(table, denoiser(WORLD), X.astype(float), drawn)
    for end in (
        kernels.run(table, denoiser(WORLD), X.astype(float), seed=3, first=5),
        kernels.chain(table, WORLD, X.astype(float), seed=3, first=5),
    ):
        assert np.allclose(end, expected, rtol=0, atol=1e-13)


def test_bfloat16_is_stored_and_not_computed_with():
    """One rounding of the state in each row, to 8 bits, whatever else is added up."""
    torch = pytest.importorskip("torch")
    table = methods.ddpm(GRID)
    x = torch.from_numpy(X).bfloat16()
    said = torch.from_numpy(np.random.default_rng(9).uniform(-2, 2, (table.evaluations, *X.shape))).bfloat16()
    single, double = iter(said), iter(said.double().numpy())
    end = kernels.run(table, lambda x, level: next(single), x, seed=3, first=5)
    assert end.dtype == torch.bfloat16
    at = x.double().numpy()
    expected = run(table, lambda x, level: next(double), at, drawn)
    # of_rows counts len + 3 roundings of a term; here they are one in 2^-9 and the others in 2^-24
    allowed = of_rows(table, at, said.double().numpy(), lambda k: drawn(k, at), unit=2.0**-9)
    assert np.all(np.abs(end.double().numpy() - expected) <= allowed)
    assert np.any(np.abs(end.double().numpy() - expected) > 1e-4), "it was not stored in bfloat16"


# What networks do


@pytest.mark.parametrize("name", methods.METHODS)
def test_a_network_may_hand_back_what_it_was_given(name):
    table = methods.METHODS[name](GRID)
    expected = kernels.run(table, lambda x, level: x.copy(), X)
    assert np.array_equal(kernels.run(table, lambda x, level: x, X), expected)
    assert np.array_equal(kernels.run(table, lambda x, level: x[:, ::-1][:, ::-1], X), expected)


def test_a_network_may_answer_with_strides_of_its_own():
    table = methods.dpmpp_2m(GRID)

    def strided(x, level):
        wide = np.zeros((len(x), 6), F)
        wide[:, ::2] = np.tanh(x)
        return wide[:, ::2]

    assert np.array_equal(kernels.run(table, strided, X), kernels.run(table, lambda x, level: np.tanh(x), X))


def test_a_network_that_writes_over_what_is_remembered_is_refused():
    out = np.empty_like(X)

    def into_the_same(x, level):
        np.tanh(x, out=out)
        return out

    kernels.run(methods.ddpm(GRID), into_the_same, X)  # nothing is remembered
    with pytest.raises(
        ValueError, match="row 1 of 9: the network wrote its prediction over an earlier one, which d rem"
    ):
        kernels.run(methods.dpmpp_2m(GRID), into_the_same, X)


def test_a_gradient_of_the_network_does_not_reach_the_kernels():
    torch = pytest.importorskip("torch")
    weight = torch.ones(3, requires_grad=True)
    for backend in (None, "torch", "reference"):
        end = kernels.run(methods.ddpm(GRID), lambda x, level: x * weight, torch.from_numpy(X), backend=backend)
        assert not end.requires_grad


def test_images_are_particles_with_many_coordinates():
    x, table = np.random.default_rng(2).standard_normal((3, 2, 8, 8)).astype(F), methods.ddpm(GRID)
    whole = kernels.run(table, lambda x, level: np.tanh(x), x, seed=4)
    flat = kernels.run(table, lambda x, level: np.tanh(x), x.reshape(3, 128), seed=4)
    last = kernels.run(table, lambda x, level: np.tanh(x), x[2:], seed=4, first=2)
    assert np.array_equal(whole, flat.reshape(x.shape))
    assert np.array_equal(whole[2:], last)


@pytest.mark.parametrize(
    ("predict", "error", "message"),
    [
        (lambda x, level: x[:, :2], ValueError, r"row 0 of 9: the prediction has shape \(37, 2\); expected that of x"),
        (lambda x, level: x.astype(float), TypeError, "row 0 of 9: the prediction is float64 cpu numpy; expected that"),
        (lambda x, level: x.tolist(), TypeError, "row 0 of 9: the prediction is a list; expected a NumPy array or"),
        (lambda x, level: x * np.nan, NotFinite, "x is not finite at the end"),
    ],
)
def test_a_network_that_says_nonsense(predict, error, message):
    with pytest.raises(error, match=message):
        kernels.run(methods.ddpm(GRID), predict, X)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_state_that_is_not_finite_does_not_become_finite(value, backend):
    """The compiler may assume that there is nothing of the kind."""
    backend, made = arrays(backend)
    x = X.copy()
    x[5, 1] = value
    for name in ("ddpm", "dpmpp-2m"):
        with np.errstate(all="ignore"), pytest.raises(NotFinite):
            kernels.chain(methods.METHODS[name](GRID), WORLD, made(x), backend=backend)
        with np.errstate(all="ignore"), pytest.raises(NotFinite):
            kernels.run(methods.METHODS[name](GRID), lambda x, level: 0.5 * x, made(x), backend=backend)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("d", [3, 6])
@pytest.mark.parametrize("value", [1e20, -3e38])
def test_a_state_whose_square_is_not_finite_does_not_become_finite(value, d, backend):
    """Whoever knows no more which component is likely must not say that all of them are."""
    backend, made = arrays(backend)
    world, x = worlds.mixture([0.3, 0.7], [[-1.0] * d, [2.0] * d], [0.5, 0.2]), np.zeros((37, d), F)
    x[5, 1] = value
    for name in ("ddpm", "dpmpp-2m"):
        with np.errstate(all="ignore"), pytest.raises(NotFinite):
            kernels.chain(methods.METHODS[name](GRID), world, made(x), backend=backend)


def test_more_registers_than_a_kernel_takes_go_through_the_reference():
    """Three sums at once, of five registers: nothing is overwritten before it is read."""
    names = ["x", "a", "b", "c"]
    first = {name: {"x": 0.5 + k, "p": 0.25} for k, name in enumerate(names)}
    second = {
        name: {other: 0.1 * (k + 1) * (j + 1) for j, other in enumerate([*names, "p"])} for k, name in enumerate(names)
    }
    table = Table("mine", GRID, (Row(GRID[0], first), Row(GRID[1], second, 0.3, reached=2)))
    expected = run(table, lambda x, level: np.tanh(x), X.astype(float), drawn)
    assert np.allclose(kernels.run(table, lambda x, level: np.tanh(x), X, seed=3, first=5), expected, rtol=0, atol=1e-5)


# What can be asked for


def test_a_run_of_no_particles_is_empty():
    assert kernels.run(methods.ddpm(GRID), lambda x, level: x, X[:0]).shape == (0, 3)
    assert kernels.chain(methods.ddpm(GRID), WORLD, X[:0]).shape == (0, 3)


@pytest.mark.parametrize("x", [X[:, :2], X[:, 0], X[None]])
def test_a_chain_asks_for_points_of_its_world(x):
    with pytest.raises(ValueError, match=r"x has shape .*; expected \(N, 3\)"):
        kernels.chain(methods.ddpm(GRID), WORLD, x)


def test_a_run_that_draws_beyond_the_last_place_is_refused():
    with pytest.raises(ValueError, match=r"first is 18446744073709551616; expected an integer from 0 to 2\^64 - 1"):
        kernels.run(methods.ddpm(GRID), lambda x, level: x, X, first=2**64 - 36)
    kernels.run(methods.ddpm(GRID), lambda x, level: x, X, first=2**64 - 37)
    assert Place(first=2**64 - 37).of_part(36).first == 2**64 - 1
