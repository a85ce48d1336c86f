"""Chains of draws refute wrong steps by themselves, and wrong kernels: by their law, or beside the reference."""

import numpy as np
import pytest

from numerics import kernels
from numerics.checks import chains
from numerics.checks.chains import drawing, draws_end, has_laws, one_by_one, rounded
from numerics.checks.reversal import naive
from numerics.checks.reversal.step import CLUSTERS, GAUSSIANS
from numerics.checks.sampler.ddpm import LEAPS, adding, given_both_ends
from numerics.solvers.transport import law
from numerics.statistics import FAIL, PASS

DATA, _ = GAUSSIANS[0]
RIGHT = drawing(adding(given_both_ends))
RUN = kernels.chain


def wider(t, s, data):
    """A row that draws a twentieth more than it should."""
    row = RIGHT(t, s, data)
    return row._replace(noise=1.05 * row.noise)


def nowhere(t, s, data):
    """A row that leads nowhere."""
    row = RIGHT(t, s, data)
    return row._replace(noise=np.nan)


def huge(t, s, data):
    """A row that single precision cannot hold."""
    row = RIGHT(t, s, data)
    return row._replace(maps={"x": {"x": 1e30}})


def by_draws(kernel):
    """What the draws find, without the recursion."""
    _, drawn = has_laws(kernel, LEAPS, DATA)
    assert drawn.kind == "sampler"
    return drawn.examine(0, "tests", "1")


@pytest.fixture(params=["as installed", "without numba"])
def either(request, monkeypatch):
    if request.param == "without numba":
        monkeypatch.setattr(kernels, "_installed", {"reference"}.__contains__)


def planted(monkeypatch, single, double=None):
    """Kernels that do otherwise in single precision, or in both."""

    def chain(table, world, x, seed):
        wrong = single if x.dtype == np.float32 else double
        return RUN(table, world, x, seed) if wrong is None else wrong(table, world, x, seed)

    monkeypatch.setattr(chains.kernels, "chain", chain)


# ---------------------------------------------------------------- steps


def test_a_right_step_passes_by_recursion_and_by_draws(either):
    recursion, drawn = has_laws(RIGHT, LEAPS, DATA)
    assert recursion.examine().verdict == PASS
    assert drawn.examine(0, "tests", "1").verdict == PASS


@pytest.mark.parametrize("kernel", [wider, nowhere, huge])
def test_draws_alone_refute_a_wrong_step(kernel, either):
    assert by_draws(kernel).verdict == FAIL


def test_draws_are_held_to_what_is_expected_and_not_to_what_would_be_right():
    expected = chains.laws(one_by_one(wider, LEAPS, DATA), DATA)
    _, of_wider = has_laws(wider, LEAPS, DATA, expected)
    assert of_wider.examine(0, "tests", "1").verdict == PASS
    _, of_right = has_laws(RIGHT, LEAPS, DATA, expected)
    assert of_right.examine(0, "tests", "1").verdict == FAIL


@pytest.mark.parametrize(("claimed", "verdict"), [(1.0, PASS), (0.5, FAIL), (1.1, FAIL), (-9.0, FAIL)])
def test_in_the_plane_the_naive_chain_is_as_much_too_wide_as_it_is(claimed, verdict, either):
    grid, plane = naive.TWENTY, naive.PLANE
    rows = naive.too_wide(lambda alpha_bar_T: claimed * 2 * (1 / alpha_bar_T - 1), grid, plane)
    atom = draws_end(lambda: naive.rearranging(grid), plane, law(plane, grid[0]), rows)
    assert atom.examine(0, "tests", "1").verdict == verdict


# ---------------------------------------------------------------- kernels


def test_other_noise_of_the_right_law_is_found_beside_the_reference(monkeypatch):
    planted(monkeypatch, lambda table, world, x, seed: RUN(table, world, x, seed + 1))
    found = by_draws(RIGHT)
    assert found.verdict == FAIL
    assert found.detail.startswith("rounding")


def test_one_particle_that_is_off_by_a_thousandth_is_found(monkeypatch):
    def off(*run):
        end = RUN(*run)
        end[3] += 1e-3
        return end

    planted(monkeypatch, off)
    found = by_draws(RIGHT)
    assert found.verdict == FAIL
    assert found.detail.startswith("rounding")


def test_less_than_single_precision_is_found(monkeypatch):
    planted(monkeypatch, lambda *run: RUN(*run).astype(np.float16).astype(np.float32))
    assert by_draws(RIGHT).verdict == FAIL


def test_noise_that_is_too_wide_everywhere_is_found_by_its_law(monkeypatch):
    def wide(table, world, x, seed):
        rows = [row._replace(noise=1.05 * row.noise) for row in table.rows]
        return RUN(chains.chained("wide", table.grid, lambda k: rows[k : k + 1]), world, x, seed)

    planted(monkeypatch, wide, wide)
    found = by_draws(RIGHT)
    assert found.verdict == FAIL
    assert not found.detail.startswith("rounding")


# ---------------------------------------------------------------- rounding


@pytest.mark.parametrize("sign", [1, -1])
def test_single_precision_stays_within_what_is_explained_and_near_it(sign, either):
    """Whatever the sign of the noise in a row, which means nothing."""
    mirrored = lambda t, s, data: (row := RIGHT(t, s, data))._replace(noise=sign * row.noise)
    table = one_by_one(mirrored, LEAPS, DATA)
    x = law(DATA, LEAPS[0]).sample(np.random.default_rng(5), 2**14).astype(np.float32)
    exactly = x.astype(float)
    apart = np.abs(RUN(table, DATA, x, 7) - RUN(table, DATA, exactly, 7)) / rounded(table, DATA, exactly)
    assert 0.01 < np.max(apart) < 1


def test_what_rounding_explains_is_known_for_gaussian_data_alone():
    table, x = one_by_one(RIGHT, LEAPS, DATA), np.ones(2)
    with pytest.raises(ValueError, match="2 components, and under test asks for predictions"):
        rounded(table, CLUSTERS, x)
