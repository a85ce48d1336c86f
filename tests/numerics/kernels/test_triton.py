"""The Triton kernels, interpreted: words bit for bit, normals to 1e-6, rows to rounding, chains to 1e-5.

What they say on a device is in ``test_triton_device.py``, what they are compiled to in ``test_triton_compiled.py``.
"""

# pyright: reportMissingImports=false, reportIndexIssue=false

import numpy as np
import pytest

from numerics import noise, worlds
from numerics.kernels import Place, Steps, reference
from numerics.kernels.places import split
from numerics.solvers import grids, methods
from tests.numerics.kernels.apart import interpreted
from tests.numerics.kernels.roundings import of_chain

ROUNDING = {"float32": 2.0**-24, "bfloat16": 2.0**-7}  # the interpreter cuts off the bits that a device rounds
EDGES = [Place(), Place(7, 1, 3, 5), Place(2**63 + 5, 2**32 - 1, 2**32 - 2, 2**33), Place(2**64 - 1, 0, 2**63, 4)]


def poisoned(shape, dtype="float32"):
    import torch

    return torch.full(shape, float("nan"), dtype=getattr(torch, dtype))


def normals(shape, place):
    particles, d = split(shape)
    return noise.normals(place.seed, place.stream, place.first, particles, place.n, d).reshape(shape)


# ---------------------------------------------------------------- noise


@interpreted
@pytest.mark.parametrize("place", EDGES, ids=str)
def test_words_are_those_of_the_specification_bit_for_bit(place):
    import torch

    from tests.numerics.kernels.triton_probes import words

    out = torch.zeros((32, 64), dtype=torch.int32)
    words[(1,)](out, place.first, place.n // 4, place.stream, place.seed, BLOCKS=16, N=32)
    expected = noise.words(place.seed, place.stream, place.first, 32, place.n // 4, 16)
    assert np.array_equal(out.numpy().view(np.uint32), expected)


@interpreted
def test_the_last_block_has_words():
    import torch

    from tests.numerics.kernels.triton_probes import words

    out = torch.zeros((2, 8), dtype=torch.int32)
    words[(1,)](out, 2**64 - 2, 2**32 - 2, 0, 1, BLOCKS=2, N=2)
    assert np.array_equal(out.numpy().view(np.uint32), noise.words(1, 0, 2**64 - 2, 2, 2**32 - 2, 2))


def extreme_words():
    """What a normal is most sensitive to: both ends, powers of two, and both sides of the edges of octants."""
    rng = np.random.default_rng(0)
    powers = [2**k + off for k in range(33) for off in (-1, 0, 1)]
    roots = [int(2 ** (k + 0.5)) + off for k in range(32) for off in (-1, 0, 1)]
    octants = [k * 2**29 + off for k in range(9) for off in (-129, -128, -127, -1, 0, 1, 63, 64, 127, 128)]
    picked = np.array([0, 1, 2, 2**32 - 1, 2**32 - 2, 2**32 - 129, *powers, *roots, *octants])
    w = np.concatenate([np.arange(1024), 2**32 - 1 - np.arange(512), picked[(picked >= 0) & (picked < 2**32)]])
    return np.concatenate([w, rng.integers(0, 2**32, 2**15 - len(w))]).astype(np.uint32)


@interpreted
def test_radius_and_direction_of_extreme_words():
    """The radius is off by the roundings of its square and its root, the direction by those of a sum of two terms."""
    import torch

    from tests.numerics.kernels.triton_probes import box_muller

    w = extreme_words()
    r, c, s = (poisoned((len(w),)) for _ in range(3))
    given = torch.from_numpy(w.view(np.int32))
    box_muller[(1,)](given, given, r, c, s, N=len(w))
    u = ((w.astype(np.float32) + np.float32(0.5)) * np.float32(2.0**-32)).astype(np.float64)
    angle = 2 * np.pi * ((w >> np.uint32(7)) + 0.5) / 2**25
    radius = np.sqrt(-2 * np.log(u))
    # Up to 6.76 a unit of the root's last place is at most 2^-21, and that of its square (up to 45.7) 2^-18; half of
    # what the square is off by, divided by the root, arrives in the root.  Unfused, each is rounded twice.
    assert np.max(np.abs(r.numpy() - radius)) < 2.0**-21 + 2.0**-18 / (2 * 5.6)
    # The larger term and the sum, below 1, are each rounded by 2^-25, and the smaller term, below 0.09, four times.
    assert np.max(np.abs(c.numpy() - np.cos(angle))) < 2.0**-24 * (1 + 4 * 0.09)
    assert np.max(np.abs(s.numpy() - np.sin(angle))) < 2.0**-24 * (1 + 4 * 0.09)


@interpreted
@pytest.mark.parametrize("shape", [(7,), (5, 3), (5, 8), (3, 2, 5, 4), (2, 2100), (700, 2), (1, 1)], ids=str)
@pytest.mark.parametrize("place", [*EDGES, Place(1, 0, 0, 2**34 - 2100)], ids=str)
def test_normals_are_those_of_the_specification(shape, place):
    from numerics.kernels.triton_noise import normal

    out = poisoned(shape)
    normal(out, place)
    assert np.max(np.abs(out.numpy() - normals(shape, place))) < 1e-6


@interpreted
@pytest.mark.parametrize(("shape", "cut"), [((40, 3), 13), ((5, 500), 2), ((64,), 1)], ids=str)
@pytest.mark.parametrize("size", [64, 512])
def test_normals_do_not_depend_on_how_an_array_is_split(shape, cut, size):
    import torch

    from numerics.kernels import triton_noise

    whole, parts = poisoned(shape), poisoned(shape)
    place = Place(5, 1, 2**32 - 7, 6)
    triton_noise.normal(whole, place)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(triton_noise, "TILE", size)
        triton_noise.normal(parts[:cut], place)
        triton_noise.normal(parts[cut:], place.of_part(cut))
    assert torch.equal(whole, parts)


@interpreted
@pytest.mark.parametrize(
    ("particles", "d", "skip"),
    [(2**31 // 3, 12, 0), (2**33, 1, 3), (3, 2**32, 0), (2, 2**32 + 5, 1), (1, 2**31 + 8, 0), (5, 7, 2)],
)
def test_where_a_tile_begins_is_counted_in_64_bits(particles, d, skip):
    import torch
    import triton

    from tests.numerics.kernels.triton_probes import tiles

    counters = (skip + d + 3) // 4
    columns = min(64, triton.next_power_of_2(counters))
    across, tops = triton.cdiv(counters, columns), triton.cdiv(particles, 64 // columns)
    for program in {0, across - 1, across * (tops // 2), across * tops - 1}:
        if program >= 2**31:
            continue  # no grid is that long
        at, inside, of = (torch.full((size,), -7, dtype=torch.int64) for size in (256, 256, 128))
        tiles[(1,)](
            at, inside, of, program, particles, d, counters, skip,
            aligned=not (skip or d % 4), TILE=64, COLUMNS=columns,
        )  # fmt: skip
        lane, k = np.divmod(np.arange(256), 4)
        i = program // across * (64 // columns) + lane // columns
        q = program % across * columns + lane % columns
        j = 4 * q + k - skip
        seen = (i < particles) & (j >= 0) & (j < d)
        assert np.array_equal(inside.numpy(), seen)
        assert np.array_equal(at.numpy()[seen], (i * d + j)[seen])
        assert np.array_equal(of.numpy().reshape(2, 64), np.stack([i, q])[:, ::4])


# ---------------------------------------------------------------- rows

ROWS = {"two terms": (1, 2), "remembers": (2, 3), "one term": (1, 1), "four terms": (1, 4), "two of four": (2, 4)}


@interpreted
@pytest.mark.parametrize("dtype", ROUNDING)
@pytest.mark.parametrize("noise", [0.0, 0.7], ids=["", "noise"])
@pytest.mark.parametrize("shape", [(5, 8), (6, 7), (2, 3, 20, 20), (0, 3)], ids=str)
@pytest.mark.parametrize("row", ROWS)
def test_a_row_is_that_sum_of_its_inputs(row, shape, noise, dtype):
    """Each coefficient, product and sum is rounded once, and the result in its storage."""
    import torch

    from numerics.kernels.with_triton import combine

    n_outs, n_ins = ROWS[row]
    rng = np.random.default_rng(n_outs + 10 * n_ins)
    rows = rng.standard_normal((n_outs, n_ins))
    ins = [torch.from_numpy(rng.standard_normal(shape)).to(getattr(torch, dtype)) for _ in range(n_ins)]
    outs = [poisoned(shape, dtype) for _ in range(n_outs)]
    place = Place(9, 0, 4, 3)
    combine(outs, ins, rows.tolist(), noise, place)
    for i, out in enumerate(outs):
        terms = [c * x.double().numpy() for c, x in zip(rows[i], ins)]
        terms += [noise * normals(shape, place)] if noise and not i else []
        size = np.sum(np.abs(terms), axis=0)
        bound = size * (2 * n_ins + 3) * 2.0**-24 + noise * 1e-6
        bound += ROUNDING[dtype] * (np.abs(np.sum(terms, axis=0)) + bound)
        assert np.all(np.abs(out.double().numpy() - np.sum(terms, axis=0)) <= bound)


@interpreted
def test_an_output_may_be_an_input():
    import torch

    from numerics.kernels.with_triton import combine

    rng = np.random.default_rng(3)
    x, p, d = (torch.from_numpy(rng.standard_normal((9, 5)).astype(np.float32)) for _ in range(3))
    rows = [[0.3, 0.6, -0.2], [0.0, 1.0, 0.0]]
    out, held = poisoned((9, 5)), poisoned((9, 5))
    combine([out, held], [x, p, d], rows, 0.1, Place(4))
    combine([x, d], [x, p, d], rows, 0.1, Place(4))
    assert torch.equal(out, x)
    assert torch.equal(held, d)


@interpreted
@pytest.mark.parametrize("noise", [0.0, 0.5], ids=["", "noise"])
def test_a_row_writes_its_array_and_nothing_beside(noise):
    import torch

    from numerics.kernels.with_triton import combine

    memory = torch.full((1000,), 5.0)
    out = memory[100:163].view(9, 7)
    combine([out], [torch.ones(9, 7)], [[2.0]], noise, Place())
    assert torch.all(memory[:100] == 5.0)
    assert torch.all(memory[163:] == 5.0)
    assert not torch.any(out == 5.0)


# ---------------------------------------------------------------- chains


def world(d, components):
    rng = np.random.default_rng(100 * d + components)
    weights, means = rng.dirichlet(np.full(components, 5.0)), rng.standard_normal((components, d))
    if d == 1:
        return worlds.mixture(weights, means[:, 0], rng.uniform(0.05, 0.4, components))
    variances = rng.uniform(0.05, 0.4, components)
    return worlds.mixture(weights, means, variances[:, None, None] * np.eye(d))


def begun(table, shape, seed=1):
    return table.grid[0].size * np.random.default_rng(seed).standard_normal(shape)


def off(found, table, law, x, place):
    """How far each particle is from the same chain in exact numbers, as a part of what roundings can do.

    An exponential on a device may be off by 2^-22.
    """
    x, found = (np.asarray(a, dtype=float).reshape(len(a), -1) for a in (x, found))
    steps = Steps.of(table, law, np.float64)
    end, bound = of_chain(steps, x, lambda k: normals(x.shape, place.of_row(k, x.shape[1])), of_exp=2.0**-22)
    return np.linalg.norm(found - end, axis=-1) / bound[:, 0]


CHAINS = [
    ("ddpm", 1, 4), ("ddpm", 2, 8), ("sde-dpmpp-2m", 2, 9), ("dpmpp-2m", 1, 17), ("ddim", 4, 3), ("ddpm", 3, 5),
    ("sde-dpmpp-2m", 5, 2), ("euler", 6, 8), ("ddpm", 7, 3), ("sde-dpmpp-2m", 8, 11), ("naive", 2, 1),
    ("ddpm", 16, 8), ("sde-dpmpp-2m", 12, 5), ("ddpm", 9, 3), ("ddim", 33, 2),
]  # fmt: skip


@interpreted
@pytest.mark.parametrize(("method", "d", "components"), CHAINS)
def test_a_chain_is_that_of_the_reference(method, d, components):
    """To what roundings can do, and to 1e-5 of its size."""
    import torch

    from numerics.kernels.with_triton import chain

    table, law = methods.METHODS[method](grids.log_snr(16, 5.0, 0.1)), world(d, components)
    x = begun(table, (70, d) if d > 1 else (70,)).astype(np.float32)
    found, place = torch.from_numpy(x.copy()), Place(3, first=2**32 - 5)
    chain(found, Steps.of(table, law), place)
    exact = x.astype(float)
    reference.chain(exact, Steps.of(table, law, np.float64), place)
    assert np.max(off(found, table, law, x, place)) < 1
    assert np.max(np.abs(found.numpy() - exact)) < 1e-5 * np.max(np.abs(exact))


@interpreted
@pytest.mark.parametrize("d", [1, 2, 3, 4, 6, 16])
@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_a_chain_may_begin_in_the_middle_of_a_counter(d, n):
    import torch

    from numerics.kernels.with_triton import chain

    table, law = methods.METHODS["ddpm"](grids.log_snr(4, 5.0, 0.1)), world(d, 2)
    x = begun(table, (5, d)).astype(np.float32)
    found = torch.from_numpy(x.copy())
    chain(found, Steps.of(table, law), Place(3, n=n))
    assert np.max(off(found, table, law, x, Place(3, n=n))) < 1


@interpreted
@pytest.mark.parametrize("d", [1, 3])
def test_a_chain_does_not_depend_on_how_particles_are_split(d):
    import torch

    from numerics.kernels.with_triton import chain

    table = methods.METHODS["sde-dpmpp-2m"](grids.log_snr(3, 5.0, 0.1))
    steps, place = Steps.of(table, world(d, 9)), Place(8, first=2**32 - 300)
    whole = torch.from_numpy(begun(table, (600, d)).astype(np.float32))
    parts = whole.clone()
    chain(whole, steps, place)
    for part in (slice(0, 1), slice(1, 520), slice(520, 600)):
        chain(parts[part], steps, place.of_part(part.start))
    assert torch.equal(whole, parts)
    assert not torch.equal(whole[:80], whole[80:160])


@interpreted
@pytest.mark.parametrize(("d", "components"), [(2, 9), (16, 5)])
def test_what_fills_up_a_table_is_never_likely(d, components):
    """However unlikely all components are: far out their logarithms are about -1e33."""
    import torch

    from numerics.kernels.with_triton import chain

    law, table = world(d, components), methods.METHODS["ddim"](grids.log_snr(4, 5.0, 0.1))
    x, exact = torch.full((3, d), 1e16), np.full((3, d), 1e16)
    chain(x, Steps.of(table, law), Place())
    reference.chain(exact, Steps.of(table, law, np.float64), Place())
    assert np.max(np.abs(x.numpy() - exact)) < 1e-5 * np.max(exact)


# ---------------------------------------------------------------- graphs: what of them needs no device


@interpreted
@pytest.mark.parametrize("dtype", ROUNDING)
@pytest.mark.parametrize(("method", "shape"), [("ddpm", (5, 3)), ("sde-dpmpp-2m", (3, 4, 2)), ("naive", (7,))])
def test_rows_know_where_they_are_and_go_on_with_the_next_particles(method, shape, dtype):
    """Each run in the memory of the device is the run of the reference, its particles after those of the run before."""
    import torch

    from numerics.kernels import run
    from numerics.kernels.graphs import FINISHED, FIRST, ROW, Rows

    table = methods.METHODS[method](grids.log_snr(5, 5.0, 0.1))
    x = torch.from_numpy(begun(table, shape)).to(getattr(torch, dtype))
    seed, first = 2**63 + 9, 2**32 - 7

    def predict(x, level):
        return torch.tanh(x)

    rows, ends = Rows(table, x), []
    rows.begin(x, seed, first)
    for again in range(3):
        if again:
            for register in rows.registers:
                register.fill_(float("nan"))  # nothing is left of the run before
            rows.begin(x)
        for row in table.rows:
            rows(None if row.level is None else predict(rows.registers[0], row.level))
        expected = run(table, predict, x.double(), seed, first + again * shape[0], "reference")
        # Rounding to the storage goes through every row, and no row of these makes it larger than its coefficients do.
        growth = np.prod([1 + sum(abs(c) for c in row.maps["x"].values()) for row in table.rows])
        bound = 2 * ROUNDING[dtype] * len(table.rows) * growth * float(expected.abs().max())
        assert float((rows.registers[0] - expected).abs().max()) < bound
        assert rows.place[[ROW, FINISHED, FIRST]].tolist() == [0, 0, first + (again + 1) * shape[0]]
        ends.append(rows.registers[0].clone())
    assert not torch.equal(ends[0], ends[1])
    rows.begin(x, seed, first)
    rows(x)  # and no more of this run
    rows.begin(x)
    for row in table.rows:
        rows(None if row.level is None else predict(rows.registers[0], row.level))
    assert torch.equal(ends[0], rows.registers[0])


@interpreted
def test_a_chain_of_too_many_coordinates_is_refused():
    import torch

    from numerics.kernels.with_triton import chain

    steps = Steps.of(methods.METHODS["ddpm"](grids.log_snr(4)), world(65, 2))
    with pytest.raises(ValueError, match=r"x has 65 coordinates; .* at most 64: run it row by row"):
        chain(torch.zeros(3, 65), steps, Place())


@interpreted
def test_what_a_graph_cannot_hold_is_refused():
    import torch

    from numerics.kernels.graphs import Replay, Rows

    grid, x = grids.log_snr(5, 5.0, 0.1), torch.zeros(3, 2)
    with pytest.raises(ValueError, match=r"x is on cpu; expected a CUDA device: elsewhere use kernels\.run"):
        Replay(methods.METHODS["ddpm"](grid), lambda x, level: x, x)
    with pytest.raises(ValueError, match="remembers d, d'; expected one register beside x: run it row by row"):
        Rows(methods.METHODS["dpmpp-3m"](grid), x)
    with pytest.raises(TypeError, match=r"x has dtype torch\.float64; expected float32 or bfloat16"):
        Rows(methods.METHODS["ddpm"](grid), x.double())
    rows = Rows(methods.METHODS["ddpm"](grid), x)
    with pytest.raises(ValueError, match=r"the prediction has shape \(3, 1\); expected that of x, \(3, 2\)"):
        rows(x[:, :1])
    with pytest.raises(ValueError, match="first is 18446744073709551616; expected an integer"):
        rows.begin(x, 0, 2**64 - 2)
    with pytest.raises(ValueError, match="first is 7, and there is no seed; expected both, or none to go on"):
        rows.begin(x, first=7)
    with pytest.raises(ValueError, match=r"x has shape \(1, 2\); expected that of the one it was made for, \(3, 2\)"):
        rows.begin(x[:1], 0)
    with pytest.raises(TypeError, match="x is float64 cpu torch; expected that of the one it was made for, float32"):
        rows.begin(x.double(), 0)
    rows.begin(torch.nn.Parameter(x), 0)
    assert not rows.registers[0].requires_grad
